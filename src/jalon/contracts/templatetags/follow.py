"""How figures of indicators are written: ``{% load follow %}{{ value|figure:unit }}``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from jalon.core.lang import T, language
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
    return text.replace(".", ",") if language() == "fr" else text


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """An entry of a mapping, None when there is none."""
    return mapping.get(key) if mapping else None


@register.simple_tag
def board_lines(rows: Any, here: str, asked: bool) -> SafeString:
    """The lines of a board, written in one go: the same cells by template tags cost half of the page's time.

    ``here`` is the address above the contracts; ``asked``: a round asks for values.
    """
    from jalon.contracts.follow_states import TITLES
    from jalon.ui.templatetags.jalon import light_span, simulated, unknown_mark

    lang = language()
    heads = [
        str(T(fr, en))
        for fr, en in (
            ("Rapport", "Report"), ("Échéance", "Due on"), ("Valeurs manquantes", "Missing values"), ("Actions en retard", "Actions late"),
            ("Objectifs atteints", "Objectives reached"), ("Public en retard", "Public side late"), ("Versé sur promis", "Paid of promised"),
            ("Et maintenant", "What next"),
        )
    ]
    report, due, missing, actions, objectives, public, money, following = heads
    titles = {code: escape(str(title)) for code, title in TITLES.items()}
    mark, unknown = f"{simulated(True)} ", unknown_mark()
    nothing, not_asked = str(T("rien", "nothing")), str(T("pas demandé", "not asked"))

    def amount(value: Any) -> str:
        return nothing if value is None else escape(fmt.money_short(value, lang=lang))

    def late(row: Any) -> str:
        if row.due_on is None:
            return ""
        days = ""
        if row.days_late:
            said = T("{n} de retard", "{n} late", n=fmt.duration_days(row.days_late, lang))
            days = f' <span class="small">{escape(str(said))}</span>'
        return f'<span class="nowrap">{fmt.day_short(row.due_on, lang)}</span>{days}'

    out = []
    for r in rows:
        where = f'{light_span(r.report_light)} <span class="small">{titles[r.report_state]}</span>' if r.report_state else f'<span class="small">{not_asked}</span>'
        paid = (
            unknown
            if r.promised is None
            else f'<span class="nowrap">{amount(r.paid)}</span> / <span class="nowrap">{amount(r.promised)}</span>'
        )
        out.append(
            f'<tr><th scope="row"><a href="{here}{escape(r.slug)}/suivi/">{escape(r.cluster)}</a> {mark if r.simulated else ""}'
            f'<span class="small">{escape(r.title)}</span></th>'
            f'<td data-label="{report}"><div>{where}</div></td><td data-label="{due}"><div>{late(r)}</div></td>'
            f'<td class="num" data-label="{missing}"><div>{f"{r.missing} / {r.expected}" if asked else ""}</div></td>'
            f'<td class="num" data-label="{actions}"><div>{r.actions_late} / {r.actions}</div></td>'
            f'<td class="num" data-label="{objectives}"><div>{r.objectives_reached} / {r.objectives}</div></td>'
            f'<td class="num" data-label="{public}"><div>{r.commitments_late} / {r.commitments}</div></td>'
            f'<td class="num" data-label="{money}"><div>{paid}</div></td><td data-label="{following}">{escape(r.next)}</td></tr>'
        )
    return mark_safe("".join(out))  # noqa: S308 - every value that somebody typed is escaped above
