"""Names of acts and cases for the journal's templates."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django import template

from jalon.core.lang import T
from jalon.core.models import JournalEntry
from jalon.ui import format as fmt
from jalon.workspace.queries import act_titles

register = template.Library()


@lru_cache(maxsize=1)
def _titles() -> dict[str, Any]:
    return act_titles()


@register.filter
def act_title(act: str) -> Any:
    """What an act is called on screen; an act without a name is shown by its code."""
    return _titles().get(act, act)


def _shown(value: Any, depth: int = 0) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return str(T("oui", "yes") if value else T("non", "no"))
    if isinstance(value, dict):
        if depth:
            return ", ".join(f"{k} : {_shown(v, depth + 1)}" for k, v in list(value.items())[:8])
        return ""
    if isinstance(value, list):
        return ", ".join(_shown(v, depth + 1) for v in value[:8]) + (" …" if len(value) > 8 else "")
    text = str(value)
    if len(text) == 10 and text[4:5] == "-" and text[7:8] == "-" and (day := fmt.as_date(text)):
        return fmt.day(day)
    return text if len(text) <= 200 else text[:197] + "…"


@register.filter
def details(entry: JournalEntry) -> Iterable[dict[str, Any]]:
    """Before and after, field by field."""
    before = entry.before if isinstance(entry.before, dict) else {}
    after = entry.after if isinstance(entry.after, dict) else {}
    if not before and not after and (entry.before is not None or entry.after is not None):
        return [{"name": "", "before": _shown(entry.before, 1), "after": _shown(entry.after, 1)}]
    return [
        {
            "name": key,
            "before": _shown(before[key], 1) if key in before else "",
            "after": _shown(after[key], 1) if key in after else "",
        }
        for key in dict.fromkeys([*before, *after])
    ]


@register.filter
def distance_from(value: Any, day: Any) -> str:
    """How far a day is from another: « il y a 3 jours »."""
    return fmt.distance(value, day)


@register.filter
def subject_title(code: str, titles: dict[str, Any]) -> Any:
    """The title of a subject of parameters; its code when it has none."""
    return titles.get(code, code)


_PERIOD_TYPES = {
    "stock": T("stock au dernier jour", "stock on the last day"),
    "flow": T("flux de la période", "flow of the period"),
    "cumulated": T("cumulé", "cumulated"),
}


@register.filter
def period_type_title(code: str) -> Any:
    """Stock, flow or cumulated, in words."""
    return _PERIOD_TYPES.get(code, code)


@register.filter
def in_order(permissions: Iterable[str], titles: dict[str, Any]) -> list[tuple[str, Any]]:
    """Permissions with their titles, in the order of the vocabulary."""
    held = set(permissions)
    return [(code, title) for code, title in titles.items() if code in held]
