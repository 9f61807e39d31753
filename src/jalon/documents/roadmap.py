"""A strategic roadmap as a document (*feuille de route stratégique*): its sections and its elements by section."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jalon.core.lang import T, speaking
from jalon.documents.blocks import Block, Column, Document, Facts, Heading, Line, Para, Row, Table, cell
from jalon.documents.contract import DASH, SIMULATED, words
from jalon.ui import format as fmt


@dataclass(frozen=True)
class RoadmapView:
    """A version of a roadmap: its document, state, address; plain values."""

    document: Mapping[str, Any]
    cluster: str
    programme: Any
    phase: Any
    language: str
    day: dt.date
    address: str
    state: Any
    horizons: Mapping[str, Any]
    validated_on: dt.date | None = None
    sha256: str = ""
    simulated: bool = False


def _said(pair: Any) -> str:
    """A title of the document, frozen as ``{"fr":, "en":}``."""
    if isinstance(pair, Mapping):
        from jalon.core.lang import language

        return str(pair.get(language()) or pair.get("fr") or "")
    return str(pair or "")


def build(view: RoadmapView, lang: str = "") -> Document:
    """The document of a roadmap, in ``lang`` (the programme's language unless said)."""
    lang = lang or view.language
    with speaking(lang):
        return _build(view, lang)


def _build(view: RoadmapView, lang: str) -> Document:
    told = view.document
    frozen = bool(view.sha256)
    title = str(T("Feuille de route stratégique", "Strategic roadmap"))
    version = T("{p}, version {n}", "{p}, version {n}", p=view.phase, n=told.get("version"))
    state = (
        T("Validée le {d}", "Validated on {d}", d=fmt.day(view.validated_on))
        if frozen
        else T("{s}, au {d}", "{s}, as of {d}", s=view.state, d=fmt.day(view.day))
    )
    period = fmt.period(told["starts_on"], told["ends_on"]) if told.get("starts_on") and told.get("ends_on") else None
    cover: list[Block] = [
        Facts(
            (
                (str(T("Pôle", "Cluster")), view.cluster),
                (str(T("Période", "Period")), period or str(fmt.UNKNOWN)),
                (str(T("Version", "Version")), str(version)),
                (str(T("État", "State")), str(state)),
            )
        )
    ]
    if frozen:
        cover += [
            Para(str(T("Empreinte SHA-256 du texte figé", "SHA-256 of the frozen text")), "small"),
            Para(view.sha256, "mono"),
        ]
    blocks: list[Block] = []
    group = None
    for number, section in enumerate(told.get("sections") or (), 1):
        blocks.append(Heading(f"{number}. {_said(section.get('title'))}"))
        if section.get("group") and section["group"] != group:
            group = section["group"]
        blocks += _section(section, view)
    when = (
        T("version validée le {d}", "version validated on {d}", d=fmt.day(view.validated_on))
        if frozen
        else T("état au {d}", "as of {d}", d=fmt.day(view.day))
    )
    return Document(
        lang=lang,
        title=f"{title} {DASH} {view.cluster}",
        eyebrow=str(view.programme),
        subtitle=_said(told.get("title")),
        cover=tuple(cover),
        blocks=tuple(blocks),
        running=f"{title} {DASH} {view.cluster}",
        footer=f"{view.address} · {when}",
        words=words(lang),
        dated=view.validated_on if frozen and view.validated_on else view.day,
        mark="" if frozen else str(T("Projet", "Draft")),
        simulated=str(SIMULATED) if view.simulated else "",
        subject=str(version),
        keywords=(view.sha256,) if view.sha256 else (),
    )


def _section(section: Mapping[str, Any], view: RoadmapView) -> list[Block]:
    if section.get("kind") == "text":
        body = section.get("body") or ""
        return [Para(body) if body.strip() else Para(str(T("(à rédiger)", "(to be written)")), "small")]
    elements = section.get("elements") or ()
    if not elements:
        return [Para(str(T("(aucun élément)", "(no element)")), "small")]
    dated = any(e.get("due_on") or e.get("horizon") for e in elements)
    rows = []
    for element in elements:
        lines = [Line(f"{element.get('number') or ''} {element.get('title') or fmt.UNKNOWN}".strip(), "strong")]
        if element.get("body"):
            lines.append(Line(element["body"]))
        cells = [tuple(lines), cell(_said(element.get("level_title")))]
        if dated:
            horizon = view.horizons.get(element.get("horizon") or "")
            due = fmt.day(element["due_on"]) if element.get("due_on") else ""
            cells.append(cell(horizon, due) or cell(DASH))
        rows.append(Row(tuple(cells)))
    columns = [Column(_said(section.get("title")), 7), Column(str(T("Niveau", "Level")), 2.2)]
    if dated:
        columns.append(Column(str(T("Horizon, échéance", "Horizon, due date")), 2.4))
    return [Table(_said(section.get("title")), tuple(columns), tuple(rows))]
