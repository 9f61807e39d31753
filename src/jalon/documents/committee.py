"""Papers of a committee's session: the convocation (*convocation*) with its agenda, the minutes (*compte rendu*).

Plain values in, blocks out. A point from which the reader is recused keeps its number, nothing more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jalon.committees import states
from jalon.core.lang import T, language, speaking
from jalon.documents.blocks import Block, Column, Document, Facts, Heading, Line, Notice, Para, Row, Table, cell
from jalon.documents.contract import DASH, SIMULATED, words
from jalon.ui import format as fmt


@dataclass(frozen=True)
class SessionView:
    """What the papers of a session need around its content."""

    committee: str
    kind: Any
    programme: Any
    language: str
    on: dt.date
    starts_at: str
    where: str
    state: Any
    address: str
    day: dt.date
    hidden: frozenset[int]
    simulated: bool = False
    adopted_on: dt.date | None = None
    convened_on: dt.date | None = None
    second: bool = False
    urgency: str = ""
    sha256: str = ""


def _said(value: Any) -> str:
    """A kept text in the language of the document."""
    if isinstance(value, Mapping) and {"fr", "en"} <= value.keys():
        return str(value[language()])
    return "" if value is None else str(value)


def _when(view: SessionView) -> str:
    parts = [fmt.day(view.on), view.starts_at.replace(":", " h ") if language() == "fr" else view.starts_at, view.where]
    return ", ".join(p for p in parts if p)


def _closed() -> str:
    return str(T("Point fermé au lecteur (déport).", "Point closed to the reader (recusal)."))


def convocation(
    view: SessionView, items: Sequence[Mapping[str, Any]], papers: Sequence[Any], seats: Sequence[Any], lang: str = ""
) -> Document:
    """The convocation: when, where, why urgent, the agenda with what put each point there, the papers, who is convened."""
    lang = lang or view.language
    with speaking(lang):
        title = str(T("Convocation", "Convocation"))
        blocks: list[Block] = []
        if view.second:
            blocks.append(
                Notice(
                    str(
                        T(
                            "Seconde convocation sur le même ordre du jour : aucun quorum ne sera exigé.",
                            "Second convening on the same agenda: no quorum will be asked for.",
                        )
                    )
                )
            )
        if view.urgency:
            blocks.append(Notice(str(T("Urgence : {u}", "Urgency: {u}", u=view.urgency)), "warn"))
        blocks.append(Heading(str(T("1. Ordre du jour", "1. Agenda"))))
        rows = []
        for item in items:
            hidden = item["number"] in view.hidden
            lines = [Line(f"{item['number']}. {_closed() if hidden else _said(item['title'])}", "strong")]
            if not hidden:
                rule = _said((item.get("why") or {}).get("rule"))
                if rule:
                    lines.append(Line(rule, "small"))
                lines += [
                    Line(f"{_said(d.get('title'))} {DASH} {_said(d.get('text'))}".strip(f" {DASH}"), "small")
                    for d in (item.get("details") or ())[:12]
                ]
            rows.append(Row((tuple(lines), cell(states.ITEM_KINDS.get(item["kind"], item["kind"])))))
        blocks.append(
            Table(
                title,
                (Column(str(T("Point", "Point")), 7), Column(str(T("Nature", "Kind")), 2)),
                tuple(rows),
            )
        )
        blocks.append(Heading(str(T("2. Pièces", "2. Papers"))))
        if papers:
            columns = (
                Column(str(T("Pièce", "Paper")), 5),
                Column(str(T("Version", "Version")), 1.2),
                Column(str(T("Envoyée le", "Sent on")), 2),
                Column("SHA-256", 3),
            )
            blocks.append(
                Table(
                    str(T("Pièces de la séance", "Papers of the session")),
                    columns,
                    tuple(
                        Row(
                            (
                                cell(p.title),
                                cell(p.version),
                                cell(fmt.day(p.sent_on) if p.sent_on else DASH),
                                cell(p.file.sha256[:16], style="mono"),
                            )
                        )
                        for p in papers
                    ),
                )
            )
        else:
            blocks.append(Para(str(T("Aucune pièce.", "No paper.")), "small"))
        blocks.append(Heading(str(T("3. Membres convoqués", "3. Members convened"))))
        blocks.append(
            Table(
                str(T("Membres", "Members")),
                (Column(str(T("Siège", "Seat")), 4), Column(str(T("Organisme", "Organisation")), 5)),
                tuple(Row((cell(s.title), cell(s.seat.organisation.name))) for s in seats),
            )
        )
        return _document(view, title, blocks, lang, draft=view.convened_on is None, dated=view.convened_on or view.day)


def minutes(view: SessionView, content: Mapping[str, Any], lang: str = "") -> Document:
    """The minutes, from their content: attendance, quorum, what was said, voted and decided, who does what by when."""
    lang = lang or view.language
    with speaking(lang):
        title = str(T("Compte rendu", "Minutes"))
        blocks: list[Block] = [Heading(str(T("1. Présents", "1. Attendance")))]
        rows = []
        for seat in content["attendance"]:
            said = str(states.PRESENCES.get(seat["presence"], seat["presence"]))
            note = seat["person"] or (
                str(T("pouvoir à {s}", "proxy to {s}", s=_said(seat["proxy_to"]))) if seat["proxy_to"] else ""
            )
            rows.append(
                Row(
                    (
                        cell(_said(seat["seat"])),
                        cell(seat["organisation"]),
                        cell(said, Line(note, "small") if note else ""),
                    )
                )
            )
        blocks.append(
            Table(
                str(T("Présence de chaque siège", "Attendance of each seat")),
                (
                    Column(str(T("Siège", "Seat")), 4),
                    Column(str(T("Organisme", "Organisation")), 4),
                    Column(str(T("Présence", "Attendance")), 3),
                ),
                tuple(rows),
            )
        )
        quorum = content["quorum"]
        if quorum["needed"] is not None:
            blocks.append(
                Para(
                    str(
                        T(
                            "{c} présents ou représentés sur {v} sièges qui votent ; il en fallait {n} : quorum {r}.",
                            "{c} present or represented of {v} seats that vote; {n} were needed: quorum {r}.",
                            c=quorum["present"] + quorum["represented"],
                            v=quorum["voting"],
                            n=quorum["needed"],
                            r=T("atteint", "reached") if quorum["reached"] else T("non atteint", "not reached"),
                        )
                    )
                )
            )
        else:
            blocks.append(Para(str(T("Aucun quorum n'était demandé.", "No quorum was asked for."))))
        if content["session"].get("presided_by"):
            blocks.append(Para(str(T("Présidence : {p}", "Chair: {p}", p=_said(content["session"]["presided_by"])))))
        if content.get("opening"):
            blocks.append(Para(content["opening"]))
        for n, item in enumerate(content["items"], 2):
            if item["number"] in view.hidden:
                blocks.append(Heading(f"{n}. {_closed()}"))
                continue
            blocks.append(Heading(f"{n}. {_said(_item_title(item))}"))
            if item.get("recused"):
                blocks.append(
                    Para(str(T("Membres déportés : {n}", "Members recused: {n}", n=item["recused"])), "small")
                )
            if item["notes"]:
                blocks.append(Para(item["notes"]))
            for ballot in item["ballots"]:
                counts = ", ".join(f"{ballot['counts'].get(k, 0)} {t}" for k, t in states.CHOICES.items())
                secret = str(T(" (secret)", " (secret)")) if ballot["secret"] else ""
                outcome = states.OUTCOMES.get(ballot["outcome"], "")
                blocks.append(Para(str(T("Vote{s}, {q} : {c}. {o}.", "Vote{s}, {q}: {c}. {o}.",
                                         s=secret, q=ballot["question"], c=counts, o=outcome))))  # fmt: skip
                if ballot["votes"]:
                    blocks.append(
                        Para(
                            "; ".join(
                                f"{_said(v['seat'])} : {states.CHOICES[v['choice']]}"
                                + (str(T(" (par pouvoir)", " (by proxy)")) if v["proxy"] else "")
                                for v in ballot["votes"]
                            ),
                            "small",
                        )
                    )
            for decision in item["decisions"]:
                outcome = states.OUTCOMES.get(decision["outcome"], "")
                head = T("Décision n° {n} ({o})", "Decision no. {n} ({o})", n=decision["number"], o=outcome)
                blocks.append(Notice(f"{head}\n\n{decision['text']}"))
                if decision["objections"]:
                    blocks.append(Para(str(T("Réserves : {o}", "Objections: {o}", o=decision["objections"])), "small"))
        followed = [f for f in content["follow_ups"] if f.get("item") not in view.hidden]
        if followed:
            blocks.append(Heading(f"{len(content['items']) + 2}. {T('Suites à donner', 'Follow-ups')}"))
            blocks.append(
                Table(
                    str(T("Qui fait quoi, pour quand", "Who does what, by when")),
                    (
                        Column(str(T("À faire", "To do")), 5),
                        Column(str(T("Nature", "Kind")), 2),
                        Column(str(T("Qui", "Who")), 4),
                        Column(str(T("Pour le", "By")), 2),
                    ),
                    tuple(
                        Row(
                            (
                                cell(f["title"]),
                                cell(states.FOLLOW_UP_KINDS.get(f["kind"], f["kind"])),
                                cell(_said(f["owner"])),
                                cell(fmt.day(_day(f["due_on"])) if f["due_on"] else DASH),
                            )
                        )
                        for f in followed
                    ),
                )
            )
        return _document(view, title, blocks, lang, draft=view.adopted_on is None, dated=view.adopted_on or view.day)


def _item_title(item: Mapping[str, Any]) -> Any:
    """As a source wrote it in both languages, else as typed."""
    written = (item.get("why") or {}).get("title")
    return written if isinstance(written, Mapping) and written.get("fr") == item["title"] else item["title"]


def _day(value: Any) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)


def _document(
    view: SessionView, title: str, blocks: list[Block], lang: str, *, draft: bool, dated: dt.date
) -> Document:
    facts: list[tuple[str, str]] = [
        (str(T("Comité", "Committee")), view.committee),
        (str(T("Séance", "Session")), _when(view)),
        (str(T("État", "State")), str(view.state)),
    ]
    if view.convened_on:
        facts.append((str(T("Convoquée le", "Convened on")), fmt.day(view.convened_on)))
    if view.adopted_on:
        facts.append((str(T("Adopté le", "Adopted on")), fmt.day(view.adopted_on)))
    cover: list[Block] = [Facts(tuple(facts))]
    if view.sha256:
        cover += [
            Para(str(T("Empreinte SHA-256 du texte figé", "SHA-256 of the frozen text")), "small"),
            Para(view.sha256, "mono"),
        ]
    when = T("état au {d}", "as of {d}", d=fmt.day(view.day))
    return Document(
        lang=lang,
        title=f"{title} {DASH} {fmt.day(view.on)}",
        eyebrow=str(view.programme),
        subtitle=view.committee,
        cover=tuple(cover),
        blocks=tuple(blocks),
        running=f"{title} {DASH} {view.committee}",
        footer=f"{view.address} · {when}",
        words={**words(lang), "contents": ""},
        dated=dated,
        mark=str(T("Projet", "Draft")) if draft else "",
        simulated=str(SIMULATED) if view.simulated else "",
        subject=view.committee,
        keywords=(view.sha256,) if view.sha256 else (),
    )
