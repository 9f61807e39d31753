"""The contract as a document: title page, parties, articles, objectives, indicators, public commitments, signatures.

Pure: a :class:`jalon.documents.queries.View` in, blocks out. What is not known is said to be unknown, sums are made of
what is written and say when something is missing from them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from jalon.contracts import content as doc
from jalon.core.lang import T, speaking
from jalon.documents.blocks import (
    Block,
    Box,
    Boxes,
    Cell,
    Chart,
    Charts,
    Column,
    Document,
    Facts,
    Heading,
    Line,
    Notice,
    Para,
    Row,
    Table,
    cell,
)
from jalon.documents.queries import View
from jalon.ui import charts, format as fmt

DASH = "–"
YEARS_IN_A_TABLE = 6
"""A table with more years than this is cut in two: its figures would be too small to read."""

SIMULATED = T("Données simulées (démonstration)", "Simulated data (demonstration)")
DRAFT = T("PROJET", "DRAFT")


def build(view: View, lang: str = "") -> Document:
    """The document of a contract's text, in ``lang`` (the programme's language unless said)."""
    lang = lang or view.language
    with speaking(lang), fmt.paying_in(view.currency):
        return _build(view, lang)


def _build(view: View, lang: str) -> Document:
    content = view.content
    sections: list[tuple[Any, list[Block]]] = [(T("Les parties", "The parties"), _parties(view))]
    if content.get("preamble"):
        sections.append((T("Préambule", "Preamble"), [Para(content["preamble"])]))
    if content.get("articles"):
        sections.append((T("Articles", "Articles"), _articles(content)))
    if content.get("improvement_axes"):
        sections.append((T("Axes d'amélioration", "Improvement axes"), _axes(content)))
    if content.get("objectives"):
        sections.append((T("Objectifs et programmes d'actions", "Objectives and action programmes"), _objectives(view)))
    if content.get("indicators"):
        sections.append((T("Indicateurs et cibles", "Indicators and targets"), _indicators(view)))
    if content.get("commitments"):
        sections.append(
            (T("Engagements de l'État et des collectivités", "Commitments of the public side"), _commitments(view))
        )
    if view.frozen or view.draft:
        sections.append((T("Annexes", "Annexes"), annexes(view)))
        sections.append((T("Signatures", "Signatures"), signatures(view)))
    else:
        sections.append((T("Signature", "Signature"), [_signed_elsewhere(view)]))
    if view.sources and not view.frozen:
        sections.append((T("Sources", "Sources"), [Para(source) for source in view.sources]))
    blocks: list[Block] = []
    if not view.text_known:
        blocks.append(
            Notice(
                str(
                    T(
                        "Ce document n'est pas le contrat : son texte complet n'est pas connu, seul figure ici ce que disent "
                        "les sources citées.",
                        "This document is not the contract: its whole text is not known, only what the quoted sources say "
                        "stands here.",
                    )
                ),
                "warn",
            )
        )
        if view.note.get(lang) or view.note.get("fr"):
            blocks.append(Para(view.note.get(lang) or view.note["fr"]))
    for number, (title, inside) in enumerate(sections, 1):
        blocks += [Heading(f"{number}. {title}"), *inside]
    return Document(
        lang=lang,
        title=view.title,
        eyebrow=str(view.programme),
        subtitle=_subtitle(view),
        cover=_cover(view),
        blocks=tuple(blocks),
        running=view.title,
        footer=footer(view),
        words=words(lang) if len(sections) > 4 else {**words(lang), "contents": ""},
        dated=view.frozen_on or view.day,
        mark=str(T("Projet, révision {n}", "Draft, revision {n}", n=view.rev)) if view.draft else "",
        simulated=str(SIMULATED) if view.simulated else "",
        subject=str(view.kind),
        keywords=tuple(k for k in (view.slug, view.sha256) if k),
    )


def words(lang: str) -> dict[str, str]:
    """The few words that the layout itself prints."""
    with speaking(lang):
        return {
            "page": str(T("page", "page")),
            "watermark": str(DRAFT),
            "contents": str(T("Sommaire", "Contents")),
        }


def footer(view: View) -> str:
    """Address and date: of freezing for a frozen text, of reading for a draft."""
    if view.frozen_on:
        when = T("texte figé le {d}", "text frozen on {d}", d=fmt.day(view.frozen_on))
    else:
        when = T("état au {d}", "as of {d}", d=fmt.day(view.day))
    return f"{view.address} · {when}"


def _subtitle(view: View) -> str:
    parts = [str(view.kind)]
    if len(view.changed_texts) > 1:
        parts.append(
            str(
                T(
                    "texte consolidé avec l'avenant n° {n}",
                    "consolidated with amendment no. {n}",
                    n=view.number,
                )
            )
        )
    return ", ".join(parts)


def period(content: Mapping[str, Any]) -> str:
    starts, ends = doc.as_day(content.get("starts_on")), doc.as_day(content.get("ends_on"))
    if starts is None and ends is None:
        return str(fmt.UNKNOWN)
    return fmt.period(starts, ends)


def _cover(view: View) -> tuple[Block, ...]:
    content = view.content
    parties = [_name(p) + (f", {p['signatory']}" if p.get("signatory") else "") for p in content.get("parties") or ()]
    rows = [
        (str(T("Entre", "Between")), "\n".join(parties) or str(fmt.UNKNOWN)),
        (str(T("Période", "Period")), period(content)),
        (str(T("Territoire", "Territory")), ", ".join(view.regions) or str(fmt.UNKNOWN)),
    ]
    if len(view.changed_texts) > 1:
        rows.append((str(T("Textes réunis", "Texts brought together")), _texts(view)))
    return (Facts((*rows, *state_rows(view))), *seal(view))


def _texts(view: View) -> str:
    return "\n".join(
        str(T("contrat", "contract") if n == 0 else T("avenant n° {n}", "amendment no. {n}", n=n))
        + (str(T(", en vigueur le {d}", ", in force on {d}", d=fmt.day(on))) if on else "")
        for n, on in view.changed_texts
    )


def state_rows(view: View) -> list[tuple[str, str]]:
    """State of the text: draft with its revision, frozen, signed."""
    if not view.frozen:
        said = T(
            "Projet, révision {n}, au {d}. Ce document n'engage personne.",
            "Draft, revision {n}, as of {d}. This document binds nobody.",
            n=view.rev,
            d=fmt.day(view.day),
        )
        if view.state == "signed":
            said = T("Signé ; le texte n'est pas tenu par Jalon", "Signed; the text is not kept by Jalon")
    elif view.state == "signed":
        said = T("Signé par toutes les parties", "Signed by all parties")
        if view.effective_on:
            said = T("{s}, en vigueur le {d}", "{s}, in force on {d}", s=said, d=fmt.day(view.effective_on))
    else:
        said = T("Figé le {d}, à la signature", "Frozen on {d}, being signed", d=fmt.day(view.frozen_on))
    return [(str(T("État du texte", "State of the text")), str(said))]


def seal(view: View) -> tuple[Block, ...]:
    """The SHA-256 of a frozen text and how to check it."""
    if not view.frozen:
        return ()
    return (
        Para(str(T("Empreinte SHA-256 du texte figé", "SHA-256 of the frozen text")), "small"),
        Para(view.sha256, "mono"),
        Para(
            str(
                T(
                    "Pour vérifier : comparer cette empreinte à celle qu'affiche l'adresse du bas de page, calculer le "
                    "SHA-256 de la forme canonique qui s'y télécharge, ou lancer « jalon contract check {s} FICHIER ». "
                    "L'empreinte couvre le texte, les tableaux et les empreintes des annexes.",
                    "To check: compare this hash with the one shown at the address in the footer, compute the SHA-256 of "
                    "the canonical form downloaded there, or run “jalon contract check {s} FILE”. "
                    "The hash covers the text, the tables and the hashes of the annexes.",
                    s=view.slug,
                )
            ),
            "small",
        ),
    )


def _signed_elsewhere(view: View) -> Para:
    """A contract signed before Jalon: what is known of its signature."""
    if view.signed_on:
        said = T(
            "Signé le {d} selon les sources ; les signatures ne sont pas tenues par Jalon.",
            "Signed on {d} according to the sources; the signatures are not kept by Jalon.",
            d=fmt.day(view.signed_on),
        )
    else:
        said = T(
            "La date de signature n'est pas connue ; les signatures ne sont pas tenues par Jalon.",
            "The day of signature is not known; the signatures are not kept by Jalon.",
        )
    return Para(str(said))


# --- parties, articles ---------------------------------------------------------------------------------------------


def _name(party: Mapping[str, Any] | None) -> str:
    return doc.name_of(doc.PARTY, party)


def _parties(view: View) -> list[Block]:
    kinds = dict(doc.PARTY_KINDS)
    rows = [
        Row(
            (
                cell(_name(p), style="strong"),
                cell(doc.capital(kinds.get(p.get("kind"), fmt.UNKNOWN))),
                cell(p.get("signatory") or fmt.UNKNOWN),
            )
        )
        for p in view.content.get("parties") or ()
    ]
    if not rows:
        if not view.draft:
            return [Para(str(T("Les parties ne sont pas connues.", "The parties are not known.")))]
        return [Para(str(T("Aucune partie n'est encore nommée.", "No party is named yet.")))]
    columns = (
        Column(str(T("Partie", "Party")), 5),
        Column(str(T("Qualité", "Kind")), 3),
        Column(str(T("Représentée par", "Represented by")), 4),
    )
    return [Table(str(T("Parties au contrat", "Parties of the contract")), columns, tuple(rows))]


def _articles(content: Mapping[str, Any]) -> list[Block]:
    out: list[Block] = []
    for number, article in enumerate(content.get("articles") or (), 1):
        head = T("Article {n}", "Article {n}", n=number)
        out.append(Heading(f"{head} {DASH} {article['title']}" if article.get("title") else str(head), 2))
        out.append(Para(article["body"]) if article.get("body") else _unwritten())
    return out


def _unwritten() -> Para:
    return Para(str(T("(à rédiger)", "(to be written)")), "small")


def _axes(content: Mapping[str, Any]) -> list[Block]:
    answers: dict[str, list[str]] = {}
    for number, objective in enumerate(content.get("objectives") or (), 1):
        if objective.get("axis"):
            answers.setdefault(objective["axis"], []).append(f"{number} ({objective.get('title') or '?'})")
    out: list[Block] = []
    for number, axis in enumerate(content.get("improvement_axes") or (), 1):
        head = T("Axe {n}", "Axis {n}", n=number)
        out.append(Heading(f"{head} {DASH} {axis['title']}" if axis.get("title") else str(head), 2))
        if axis.get("body"):
            out.append(Para(axis["body"]))
        found = answers.get(axis["key"])
        out.append(
            Para(
                str(
                    T("Objectif(s) qui y répondent : {o}.", "Objective(s) that answer it: {o}.", o=", ".join(found))
                    if found
                    else T("Aucun objectif n'y répond encore.", "No objective answers it yet.")
                ),
                "small",
            )
        )
    return out


# --- objectives ----------------------------------------------------------------------------------------------------


def _objectives(view: View) -> list[Block]:
    out: list[Block] = []
    word = doc.capital(doc.kind_word(doc.OBJECTIVE, view.words))
    axes = {a["key"]: a.get("title") or a["key"] for a in view.content.get("improvement_axes") or ()}
    for number, objective in enumerate(view.content.get("objectives") or (), 1):
        out.append(Heading(f"{word} {number} {DASH} {objective.get('title') or fmt.UNKNOWN}", 2))
        if objective.get("body"):
            out.append(Para(objective["body"]))
        if objective.get("axis") in axes:
            out.append(
                Para(str(T("Axe d'amélioration : {a}", "Improvement axis: {a}", a=axes[objective["axis"]])), "small")
            )
        actions = objective.get("actions") or ()
        out.append(_actions(view, number, actions) if actions else _unwritten())
    return out


def _actions(view: View, number: int, actions: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        Row(
            (
                cell(Line(f"{number}.{n} {action.get('title') or fmt.UNKNOWN}", "strong")),
                cell(action.get("owner") or fmt.UNKNOWN),
                cell(_calendar(action)),
                _steps(action),
                cell(_money(action.get("budget"), unknown=True)),
            )
        )
        for n, action in enumerate(actions, 1)
    ]
    known = [doc.as_decimal(a.get("budget")) for a in actions]
    if len(actions) > 1 and any(b is not None for b in known):
        rows.append(
            Row(
                (cell(_total_word(known)), (), (), (), cell(fmt.money(sum(b for b in known if b is not None)))),
                strong=True,
            )
        )
    columns = (
        Column(str(doc.capital(doc.kind_word(doc.ACTION, view.words))), 4.2),
        Column(str(T("Responsable", "Owner")), 2.7),
        Column(str(T("Calendrier", "Calendar")), 2.6),
        Column(str(T("Jalons et livrables", "Milestones and deliverables")), 4.4),
        Column(str(T("Budget", "Budget")), 2.3, "right"),
    )
    caption = T("Programme de l'objectif {n}", "Programme of objective {n}", n=number)
    return Table(str(caption), columns, tuple(rows), small=True)


def _total_word(known: Sequence[Decimal | None]) -> str:
    missing = sum(b is None for b in known)
    if not missing:
        return str(T("Total", "Total"))
    return str(T("Total connu (inconnus : {n})", "Known total (unknown: {n})", n=missing))


def _calendar(action: Mapping[str, Any]) -> str:
    starts, ends = doc.as_day(action.get("starts_on")), doc.as_day(action.get("ends_on"))
    if starts and ends:
        return f"{fmt.day_short(starts)} {DASH} {fmt.day_short(ends)}"
    if ends:
        return str(T("jusqu'au {d}", "until {d}", d=fmt.day_short(ends)))
    if starts:
        return str(T("à partir du {d}", "from {d}", d=fmt.day_short(starts)))
    return str(fmt.UNKNOWN)


def _steps(action: Mapping[str, Any]) -> Cell:
    found = [
        Line(f"{fmt.day_short(m['due_on']) if m.get('due_on') else fmt.UNKNOWN} : {m.get('title') or fmt.UNKNOWN}")
        for m in action.get("milestones") or ()
    ]
    if action.get("deliverables"):
        found.append(Line(str(T("Livrables : {d}", "Deliverables: {d}", d=action["deliverables"]))))
    return tuple(found) or cell(DASH)


def _money(value: Any, unknown: bool = False) -> str:
    number = doc.as_decimal(value)
    if number is None:
        return str(fmt.UNKNOWN) if unknown else DASH
    return fmt.money(number)


# --- indicators ----------------------------------------------------------------------------------------------------


def figure(value: Any, unit: str | None) -> str:
    """A value of an indicator, in its unit where the unit changes how it is written."""
    number = doc.as_decimal(value)
    if number is None:
        return DASH
    if unit == "yes_no":
        return str(T("oui", "yes") if number else T("non", "no"))
    return fmt.value(number, unit if unit in ("percent", "ratio", "money") else None)


def _indicators(view: View) -> list[Block]:
    content = view.content
    indicators = content.get("indicators") or ()
    years = _years(view, indicators, "targets")
    out: list[Block] = []
    for span in _spans(years):
        out.append(_target_table(view, indicators, span, years))
    out.append(
        Para(
            str(
                T(
                    "« – » : aucune valeur n'est inscrite. Les cibles valent pour la fin de l'année.",
                    "“–”: no value is written. Targets are for the end of the year.",
                )
            ),
            "small",
        )
    )
    found = _charts(view, indicators)
    if found:
        out.append(Charts(tuple(found), str(T("Cibles par indicateur", "Targets by indicator"))))
    defined = [i for i in indicators if i.get("definition")]
    if defined:
        rows = tuple(Row((cell(i.get("title") or i["key"], style="strong"), cell(i["definition"]))) for i in defined)
        columns = (Column(str(T("Indicateur", "Indicator")), 3), Column(str(T("Définition", "Definition")), 7))
        out.append(Table(str(T("Définitions", "Definitions")), columns, rows, small=True))
    return out


def _years(view: View, items: Sequence[Mapping[str, Any]], name: str) -> list[int]:
    found = set(doc.years_of(view.content, view.years_rule))
    for item in items:
        found |= {int(year) for year in item.get(name) or {}}
    return sorted(found)


def _spans(years: Sequence[int]) -> list[list[int]]:
    """The years in tables of readable width, as even as can be; one table without years while dates are unknown."""
    if not years:
        return [[]]
    tables = -(-len(years) // YEARS_IN_A_TABLE)
    size = -(-len(years) // tables)
    return [list(years[i : i + size]) for i in range(0, len(years), size)]


def _target_table(view: View, indicators: Sequence[Mapping[str, Any]], span: list[int], years: list[int]) -> Table:
    units, directions = dict(doc.UNITS), dict(doc.DIRECTIONS)
    objectives = {o["key"]: n for n, o in enumerate(view.content.get("objectives") or (), 1)}
    rows = []
    for item in indicators:
        about = [str(T("commun", "common") if item.get("common") else T("propre au contrat", "of this contract"))]
        if item.get("direction") in ("up", "down"):
            about.append(str(directions[item["direction"]]))
        if item.get("objective") in objectives:
            about.append(str(T("objectif {n}", "objective {n}", n=objectives[item["objective"]])))
        base = [Line(figure(item.get("baseline"), item.get("unit")))]
        if item.get("baseline_on"):
            base.append(Line(fmt.day_short(item["baseline_on"]), "small"))
        rows.append(
            Row(
                (
                    (Line(item.get("title") or item["key"]), Line(", ".join(about), "small")),
                    cell(units.get(item.get("unit"), fmt.UNKNOWN)),
                    tuple(base),
                    *(cell(figure((item.get("targets") or {}).get(str(y)), item.get("unit"))) for y in span),
                )
            )
        )
    columns = (
        Column(str(doc.capital(doc.kind_word(doc.INDICATOR, view.words))), 5),
        Column(str(T("Unité", "Unit")), 1.7),
        Column(str(T("Départ", "Baseline")), 2, "right"),
        *(Column(str(y), 1.5, "right") for y in span),
    )
    caption = T("Valeur de départ et cible de chaque année", "Baseline and target of each year")
    if span and span != years:
        caption = T("{c} ({a} à {b})", "{c} ({a} to {b})", c=caption, a=span[0], b=span[-1])
    return Table(str(caption), columns, tuple(rows), small=True)


def _charts(view: View, indicators: Sequence[Mapping[str, Any]]) -> list[Chart]:
    found = []
    for item in indicators:
        targets = [
            (int(year), number)
            for year, value in sorted((item.get("targets") or {}).items())
            if (number := doc.as_decimal(value)) is not None
        ]
        if not targets or item.get("unit") == "yes_no":
            continue
        unit = item.get("unit") if item.get("unit") in ("percent", "ratio") else None
        if item.get("unit") == "money":
            unit = view.currency
        base, on = doc.as_decimal(item.get("baseline")), doc.as_day(item.get("baseline_on"))
        title = item.get("title") or item["key"]
        drawing = charts.trend(
            [(_year_known(on), base)] if base is not None and on else [],
            targets,
            unit=unit,
            width=300,
            height=160,
            title="",
            standalone=True,
        )
        said = [f"{year} : {figure(value, item.get('unit'))}" for year, value in targets]
        if base is not None and on:
            said.insert(
                0,
                str(
                    T(
                        "départ au {d} : {v}",
                        "baseline on {d}: {v}",
                        d=fmt.day(on),
                        v=figure(base, item.get("unit")),
                    )
                ),
            )
        alt = T("Cibles de « {t} » : {s}.", "Targets of “{t}”: {s}.", t=title, s=" ; ".join(said))
        found.append(Chart(title, str(drawing), str(alt)))
    return found


def _year_known(on: dt.date) -> int:
    """The year at whose end a baseline stands beside yearly targets: a value of 1 January is that of the year before."""
    return on.year if on.month > 6 else on.year - 1


# --- commitments ---------------------------------------------------------------------------------------------------


def _commitments(view: View) -> list[Block]:
    content = view.content
    items = content.get("commitments") or ()
    money = [c for c in items if c.get("kind") != "support"]
    support = [c for c in items if c.get("kind") == "support"]
    out: list[Block] = []
    years = _years(view, money, "amounts")
    if money:
        spans = _spans(years)
        for span in spans:
            out.append(_money_table(view, money, span, years, last=span == spans[-1]))
        out.append(
            Para(
                str(
                    T(
                        "« – » : aucun montant n'est inscrit. Sous un montant : la date à laquelle il est attendu au plus tard.",
                        "“–”: no amount is written. Under an amount: the day by which it is expected.",
                    )
                ),
                "small",
            )
        )
    if support:
        out.append(_support_table(view, support))
    return out


def _party_names(view: View) -> dict[str, str]:
    return {p["key"]: _name(p) for p in view.content.get("parties") or ()}


def _amount(item: Mapping[str, Any], year: int) -> Decimal | None:
    return doc.as_decimal((item.get("amounts") or {}).get(str(year)))


def _money_table(
    view: View, items: Sequence[Mapping[str, Any]], span: list[int], years: list[int], *, last: bool
) -> Table:
    """Amounts by funder and year. The column of totals counts every year of the contract, so it stands last only."""
    names = _party_names(view)
    rows = []
    order = {key: n for n, key in enumerate(names)}
    for item in sorted(items, key=lambda c: order.get(c.get("party"), len(order))):
        cells: list[Cell] = [
            (
                Line(names.get(item.get("party"), str(fmt.UNKNOWN)), "strong"),
                *((Line(item["title"], "small"),) if item.get("title") else ()),
            )
        ]
        for year in span:
            due = (item.get("due") or {}).get(str(year))
            cells.append((Line(_money(_amount(item, year))), *((Line(fmt.day_short(due), "small"),) if due else ())))
        if last:
            cells.append(cell(_money(_sum(_amount(item, y) for y in years)), style="strong"))
        rows.append(Row(tuple(cells)))
    total = [cell(str(T("Total", "Total")))]
    total += [cell(_money(_sum(_amount(c, y) for c in items))) for y in span]
    if last:
        total.append(cell(_money(_sum(_amount(c, y) for c in items for y in years))))
    rows.append(Row(tuple(total), strong=True))
    columns = [Column(str(T("Financeur et objet", "Funder and purpose")), 4.4)]
    columns += [Column(str(y), 2, "right") for y in span]
    if last:
        columns.append(Column(str(T("Total", "Total")), 2.2, "right"))
    caption = T("Financement par financeur et par année", "Funding by funder and year")
    if span and span != years:
        caption = T("{c} ({a} à {b})", "{c} ({a} to {b})", c=caption, a=span[0], b=span[-1])
    return Table(str(caption), tuple(columns), tuple(rows), small=True)


def _sum(values: Any) -> Decimal | None:
    """The sum of what is known; None when nothing is."""
    known = [v for v in values if v is not None]
    return sum(known, Decimal(0)) if known else None


def _support_table(view: View, items: Sequence[Mapping[str, Any]]) -> Table:
    names = _party_names(view)
    rows = tuple(
        Row(
            (
                cell(names.get(c.get("party"), str(fmt.UNKNOWN)), style="strong"),
                cell(c.get("title") or fmt.UNKNOWN),
                tuple(Line(fmt.day(d)) for _, d in sorted((c.get("due") or {}).items())) or cell(DASH),
            )
        )
        for c in items
    )
    columns = (
        Column(str(T("Partie", "Party")), 3),
        Column(str(T("Appui", "Support")), 5),
        Column(str(T("Échéance", "Due date")), 2),
    )
    return Table(str(T("Appuis non financiers", "Non-financial support")), columns, rows)


# --- annexes, signatures -------------------------------------------------------------------------------------------


def annexes(view: View) -> list[Block]:
    """The list of annexes, each with its date and hash."""
    if not view.annexes:
        return [Para(str(T("Aucune annexe n'est jointe.", "No annex is joined.")))]
    rows = tuple(
        Row(
            (
                cell(str(n)),
                cell(a.title),
                cell(fmt.day(a.dated) if a.dated else fmt.UNKNOWN),
                cell(a.sha256 or DASH, style="mono"),
            )
        )
        for n, a in enumerate(view.annexes, 1)
    )
    columns = (
        Column(str(T("N°", "No.")), 0.7),
        Column(str(T("Annexe", "Annex")), 4.5),
        Column(str(T("Datée du", "Dated")), 2.2),
        Column("SHA-256", 4.4),
    )
    return [Table(str(T("Pièces annexées", "Annexed documents")), columns, rows, small=True)]


def signatures(view: View, parties: Mapping[str, Mapping[str, Any]] | None = None) -> list[Block]:
    """A box per party in the order of signature, with its decision."""
    parties = parties or {p["key"]: p for p in view.content.get("parties") or ()}
    items = []
    for number, step in enumerate(view.steps, 1):
        for key in step:
            party = parties.get(key) or {"key": key}
            items.append(
                Box(
                    order=str(T("Signature, rang {n}", "Signature, step {n}", n=number)),
                    name=_name(party),
                    role=doc.capital(party["signatory"]).in_language(view.language) if party.get("signatory") else "",
                    decision=tuple(_decisions(view, key, party)),
                    signed=tuple(_signed(view, key)),
                    lines=() if key in view.signatures else _blank(view),
                )
            )
    if not items:
        return [Para(str(T("Aucune partie n'est encore nommée.", "No party is named yet.")))]
    intro = Para(
        str(
            T(
                "Les parties signent dans l'ordre des rangs ; celles d'un même rang, dans n'importe quel ordre.",
                "The parties sign in the order of the steps; those of one step in any order.",
            )
        ),
        "small",
    )
    return [intro, Boxes(tuple(items))]


def _blank(view: View) -> tuple[str, ...]:
    return (
        str(T("Fait à                                 , le", "Done at                                 , on")),
        str(T("Signature :", "Signature:")),
    )


def _decisions(view: View, key: str, party: Mapping[str, Any]) -> list[str]:
    rows = view.decisions.get(key) or ()
    if not rows:
        if party.get("kind") in view.decision_kinds:
            return [str(T("Délibération n°                     du", "Deliberation no.                     of"))]
        return []
    found = []
    for row in rows:
        outcome = T("approuve", "approves") if row.outcome == "approved" else T("refuse", "refuses")
        named = row.reference.casefold().startswith(("délib", "delib"))
        said = T(
            "{r} du {d} : {o}",
            "{r} of {d}: {o}",
            r=row.reference if named else T("Délibération n° {n}", "Deliberation no. {n}", n=row.reference),
            d=fmt.day(row.decided_on),
            o=outcome,
        )
        amount = doc.as_decimal(row.amount)
        if amount is not None:
            what = T("{a} pour {y}", "{a} for {y}", a=fmt.money(amount), y=row.year) if row.year else fmt.money(amount)
            said = T("{s}, vote {w}", "{s}, votes {w}", s=said, w=what)
        found.append(str(said))
    return found


def _signed(view: View, key: str) -> list[str]:
    found = view.signatures.get(key)
    if found is None:
        return []
    return [
        str(
            T(
                "Signé le {d} par : {who}",
                "Signed on {d} by: {who}",
                d=fmt.day(found.signed_on),
                who=found.signatory,
            )
        ),
        str(T("Empreinte signée : {h}", "Hash signed: {h}", h=view.sha256[:16] + "…")) if view.sha256 else "",
    ]
