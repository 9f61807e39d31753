"""How figures of indicators are written: ``{% load follow %}{{ value|figure:unit }}``."""

from __future__ import annotations

from decimal import Decimal
from html import escape  # of the standard library: that of Django asks each text whether it is lazy
from typing import Any

from django import template
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


# Tables with a line for each promise are written in one go: the same cells by template tags cost half of a page's time.
# Everything that somebody typed is escaped; addresses are made of slugs and keys.


def _words(**pairs: tuple[str, str]) -> dict[str, str]:
    """Words of the interface in the language spoken, escaped."""
    return {name: escape(str(T(fr, en))) for name, (fr, en) in pairs.items()}


def _small(text: Any) -> str:
    return f'<span class="small">{text}</span>'


@register.simple_tag
def action_lines(actions: Any, here: str) -> SafeString:
    """The lines of the actions of an objective; ``here`` is the address of the contract's follow-up."""
    from jalon.ui.templatetags.jalon import light_span, progress, unknown_mark

    w = _words(end=("Fin prévue", "Planned end"), done=("Avancement", "Progress"), light=("Feu", "Light"))
    lang, out = language(), []
    for a in actions:
        action, moved = a.action, a.progress
        key = escape(action.key)
        owner = f" {_small(escape(action.owner))}" if action.owner else ""
        ends = unknown_mark() if action.ends_on is None else escape(fmt.day(action.ends_on, lang))
        if a.slip:
            said = T("attendue le {day}", "expected on {day}", day=fmt.day(moved.expected_end, lang))
            ends = f"{ends} {_small(escape(str(said)))}"
        bar = progress(moved.percent, 100, action.title) if moved else unknown_mark()
        out.append(
            f'<tr id="action-{key}"><th scope="row"><a href="{here}actions/{key}/">{escape(action.title)}</a>{owner}</th>'
            f'<td data-label="{w["end"]}"><div>{ends}</div></td><td data-label="{w["done"]}">{bar}</td>'
            f'<td data-label="{w["light"]}">{light_span(a.light.code)}</td></tr>'
        )
    return mark_safe("".join(out))  # noqa: S308


@register.simple_tag
def indicator_lines(indicators: Any, here: str, inside: bool, year: int) -> SafeString:
    """The lines of the indicators; ``inside``: also what the records tell to date."""
    from jalon.ui.templatetags.jalon import light_span, simulated, unknown_mark

    w = _words(
        trend=("Évolution", "Trend"),
        value=("Valeur", "Value"),
        target=("Cible", "Target"),
        light=("Feu", "Light"),
        now=("À ce jour", "To date"),
        draft=(", brouillon", ", draft"),
        waits=(", à valider", ", to be validated"),
        none=("sans cible", "no target"),
        parts=("répartition", "breakdown"),
        judged=("sans objet", "not judged"),
    )
    mark, unknown, out = f" {simulated(True)}", unknown_mark(), []

    def said(value: Any, unit: str) -> str:
        return unknown if value is None else escape(written(value, unit))

    for i in indicators:
        parted = i.entry is not None and i.source == "computed" and i.entry.formula is None
        key, unit, seen = escape(i.indicator.key), i.unit, i.observation
        state = "" if seen is None or seen.state == "validated" else w["draft"] if seen.state == "draft" else w["waits"]
        light = light_span(i.light.code) if i.light else _small(w["judged"])
        target = said(i.target.value, unit) if i.target else _small(w["none"])
        value = w["parts"] if parted and seen else said(seen.value if seen else None, unit)
        now = ""
        if inside:
            shown = w["parts"] if parted else said(i.now.value, unit) if i.now else ""
            figure = f'<a href="{here}indicateurs/{key}/calcul/{year}/">{shown}</a>' if i.now else ""
            now = f'<td class="num" data-label="{w["now"]}"><div>{figure}</div></td>'
        out.append(
            f'<tr id="indicateur-{key}"><th scope="row"><a href="{here}indicateurs/{key}/">{escape(str(i.title))}</a>'
            f'{mark if i.simulated else ""}</th><td data-label="{w["trend"]}">{i.spark}</td>'
            f'<td class="num" data-label="{w["value"]}"><div>{value} {_small(f"{i.year}{state}")}</div></td>'
            f'<td class="num" data-label="{w["target"]}"><div>{target}</div></td>'
            f'<td data-label="{w["light"]}"><div>{light}</div></td>{now}</tr>'
        )
    return mark_safe("".join(out))  # noqa: S308


@register.simple_tag
def commitment_lines(commitments: Any, here: str) -> SafeString:
    """The lines of the public commitments."""
    from jalon.ui.templatetags.jalon import light_span, light_tag, unknown_mark

    w = _words(
        year=("Année", "Year"),
        promised=("Promis", "Promised"),
        paid=("Versé", "Paid"),
        due=("Échéance", "Due on"),
        step=("Étape", "Step"),
        light=("Feu", "Light"),
        support=("appui", "support"),
        nothing=("rien de déclaré", "nothing declared"),
        contested=("non reçu, dit le pôle", "not received, says the cluster"),
    )
    part = light_tag("decided", T("payé en partie", "part paid"))
    lang, unknown, out = language(), unknown_mark(), []

    def money(value: Any) -> str:
        return unknown if value is None else escape(fmt.money(value, lang=lang))

    for c in commitments:
        row = c.commitment
        title = f" {_small(escape(row.title))}" if row.title else ""
        for_money = row.kind == "money"
        paid = "" if not for_money else _small(w["nothing"]) if c.paid is None else money(c.paid)
        due = unknown if c.due_on is None else escape(fmt.day(c.due_on, lang))
        flagged = f" {_small(w['contested'])}" if c.contested else ""
        key = escape(row.key)
        out.append(
            f'<tr id="engagement-{key}"><th scope="row"><a href="{here}engagements/{key}/">'
            f'{escape(row.party.organisation.name)}</a>{title}</th><td data-label="{w["year"]}">{row.year or ""}</td>'
            f'<td class="num" data-label="{w["promised"]}">{money(row.amount) if for_money else w["support"]}</td>'
            f'<td class="num" data-label="{w["paid"]}"><div>{paid}</div></td><td data-label="{w["due"]}">{due}</td>'
            f'<td data-label="{w["step"]}">{part if c.part_paid else light_span(c.stage)}</td>'
            f'<td data-label="{w["light"]}"><div>{light_span(c.light.code)}{flagged}</div></td></tr>'
        )
    return mark_safe("".join(out))  # noqa: S308


@register.simple_tag
def board_lines(rows: Any, here: str, asked: bool, phases: Any) -> SafeString:
    """The lines of a board.

    ``here`` is the address above the contracts; ``asked``: a round asks for values; ``phases``: titles by code.
    """
    from jalon.contracts.follow_states import TITLES
    from jalon.ui.templatetags.jalon import light_span, simulated, unknown_mark

    lang = language()
    w = _words(
        report=("Rapport", "Report"),
        due=("Échéance", "Due on"),
        missing=("Valeurs manquantes", "Missing values"),
        actions=("Actions en retard", "Actions late"),
        objectives=("Objectifs atteints", "Objectives reached"),
        public=("Public en retard", "Public side late"),
        money=("Versé sur promis", "Paid of promised"),
        following=("Et maintenant", "What next"),
        nothing=("rien", "nothing"),
        not_asked=("pas demandé", "not asked"),
    )
    titles = {code: escape(str(title)) for code, title in TITLES.items()}
    named = {code: escape(str(title)) for code, title in phases.items()}
    mark, unknown = f" {simulated(True)}", unknown_mark()

    def amount(value: Any) -> str:
        return w["nothing"] if value is None else escape(fmt.money_short(value, lang=lang))

    def late(row: Any) -> str:
        if row.due_on is None:
            return ""
        days = ""
        if row.days_late:
            said = T("{n} de retard", "{n} late", n=fmt.duration_days(row.days_late, lang))
            days = f" {_small(escape(str(said)))}"
        return f'<span class="nowrap">{fmt.day_short(row.due_on, lang)}</span>{days}'

    out = []
    for r in rows:
        where = (
            f"{light_span(r.report_light)} {_small(titles[r.report_state])}"
            if r.report_state
            else _small(w["not_asked"])
        )
        paid = (
            unknown
            if r.promised is None
            else f'<span class="nowrap">{amount(r.paid)}</span> / <span class="nowrap">{amount(r.promised)}</span>'
        )
        first, last = r.starts_on.year, r.ends_on.year
        years = f"{first}–{last}" if first != last else f"{first}"
        what = f"{named.get(r.phase, escape(r.phase))}, {years}" if r.phase else years
        out.append(
            f'<tr><th scope="row"><a href="{here}{escape(r.slug)}/suivi/">{escape(r.cluster)}</a>'
            f"{mark if r.simulated else ''}<br>{_small(what)}</th>"
            f'<td data-label="{w["report"]}"><div>{where}</div></td><td data-label="{w["due"]}"><div>{late(r)}</div></td>'
            f'<td class="num" data-label="{w["missing"]}"><div>{f"{r.missing} / {r.expected}" if asked else ""}</div></td>'
            f'<td class="num" data-label="{w["actions"]}"><div>{r.actions_late} / {r.actions}</div></td>'
            f'<td class="num" data-label="{w["objectives"]}"><div>{r.objectives_reached} / {r.objectives}</div></td>'
            f'<td class="num" data-label="{w["public"]}"><div>{r.commitments_late} / {r.commitments}</div></td>'
            f'<td class="num" data-label="{w["money"]}"><div>{paid}</div></td><td data-label="{w["following"]}">{escape(r.next)}</td></tr>'
        )
    return mark_safe("".join(out))  # noqa: S308
