"""How figures of indicators are written: ``{% load follow %}{{ value|figure:unit }}``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template

from jalon.core.lang import T
from jalon.ui import format as fmt

register = template.Library()

WORDS = {"fte": T("ETP", "FTE"), "ETP": T("ETP", "FTE")}
BARE = ("count", "mean", "ratio", "nombre", "")


def written(value: Any, unit: str | None = "") -> str:
    """A figure of an indicator with its unit; None is « inconnu »."""
    if value is None or value == "":
        return fmt.unknown()
    if unit == "yes_no":
        return str(T("oui", "yes") if value else T("non", "no"))
    if unit in BARE:
        return fmt.number(value)
    if unit in ("money", "EUR"):
        return fmt.money(value)
    return fmt.value(value, str(WORDS.get(unit or "", unit or "")))


@register.filter
def figure(value: Any, unit: str | None = "") -> Any:
    """Unknown values carry their mark."""
    from jalon.ui.templatetags.jalon import unknown_mark

    return unknown_mark() if value is None or value == "" else written(value, unit)


@register.filter
def editable(value: Any) -> str:
    """A stored number as it goes back into its field: comma in French, nothing for unknown."""
    if value is None or value == "":  # an absent observation resolves to ""
        return ""
    text = format(Decimal(value).normalize(), "f") if value else "0"
    from jalon.core.lang import language

    return text.replace(".", ",") if language() == "fr" else text


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """An entry of a mapping, None when there is none."""
    return mapping.get(key) if mapping else None
