"""An official letter of the selection on paper: the frozen text, head, reference, amounts, its fingerprint at the foot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jalon.core.lang import LANGUAGES, T, speaking
from jalon.documents.blocks import Column, Document, Facts, Heading, Notice, Para, Row, Table, cell
from jalon.documents.contract import SIMULATED, words
from jalon.selection import states
from jalon.ui import format as fmt


def build(
    text: Mapping[str, Any],
    *,
    authority: Any,
    programme: Any,
    sha256: str,
    address: str,
    lang: str = "",
    language: str = "fr",
) -> Document:
    """The letter as a document, in the language asked for (both were frozen)."""
    lang = lang if lang in LANGUAGES else language if language in LANGUAGES else "fr"
    with speaking(lang):
        said = text[lang]
        on = dt.date.fromisoformat(text["on"])
        blocks: list[Any] = [
            Facts(
                (
                    (str(T("À", "To")), text["organisation"]),
                    (str(T("Référence", "Reference")), text["reference"]),
                    (str(T("Date", "Date")), fmt.day(on)),
                    (str(T("Projet", "Project")), f"{text['acronym']} – {text['project']}"),
                    (str(T("Appel", "Call")), text["call"][lang]),
                )
            ),
            *(Para(part) for part in said["body"].split("\n\n") if part.strip()),
        ]
        if text["amounts"]:
            blocks += [
                Heading(str(T("Montants décidés", "Amounts decided"))),
                Table(
                    str(T("Montants décidés par financeur", "Amounts decided by funder")),
                    (
                        Column(str(T("Financeur", "Funder")), 3),
                        Column(str(T("Origine", "Source")), 2),
                        Column(str(T("Forme", "Form")), 2),
                        Column(str(T("Montant", "Amount")), 2, "right"),
                    ),
                    (
                        *(
                            Row(
                                (
                                    cell(a["funder"]),
                                    cell(states.SOURCES.get(a["source"], a["source"])),
                                    cell(states.INSTRUMENTS.get(a["instrument"], a["instrument"])),
                                    cell(fmt.money(Decimal(a["amount"]), lang=lang)),
                                )
                            )
                            for a in text["amounts"]
                        ),
                        Row(
                            (
                                cell(T("Ensemble", "All")),
                                cell(""),
                                cell(""),
                                cell(
                                    fmt.money(
                                        sum((Decimal(a["amount"]) for a in text["amounts"]), Decimal(0)), lang=lang
                                    )
                                ),
                            ),
                            strong=True,
                        ),
                    ),
                ),
            ]
        blocks.append(Notice(f"{T('Pour', 'For')} {authority}"))
        return Document(
            lang=lang,
            title=said["subject"],
            eyebrow=str(programme),
            subtitle=text["organisation"],
            cover=tuple(blocks),  # a letter has no title page
            blocks=(),
            running=text["reference"],
            footer=f"{address} · SHA-256 {sha256[:16]}…",
            words=words(lang) | {"contents": ""},
            dated=on,
            simulated=str(SIMULATED) if text["simulated"] else "",
            subject=said["subject"],
            keywords=(text["acronym"], text["reference"]),
        )
