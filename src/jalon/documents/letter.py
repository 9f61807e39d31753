"""A letter of notification as a document: from what was frozen when it was sent, never from what stands today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from jalon.core.lang import LANGUAGES, T, speaking
from jalon.documents import contract as contract_document
from jalon.documents.blocks import Block, Document, Facts, Notice, Para
from jalon.policy.faults import day_text


def build(letter: Mapping[str, Any], *, programme: Any, sha256: str, frozen_on: dt.date, lang: str = "") -> Document:
    """The letter in ``lang`` (French unless said). ``letter``: :func:`jalon.decisions.letters.read`."""
    lang = lang if lang in LANGUAGES else "fr"
    with speaking(lang):
        said = letter[lang]
        sent = dt.date.fromisoformat(str(letter["sent_on"]))
        decided = dt.date.fromisoformat(str(letter["decided_on"]))
        blocks: list[Block] = [Para(said["body"])]
        if said["appeal"]:
            blocks.append(Notice(said["appeal"]))
        simulated = str(contract_document.SIMULATED) if letter.get("simulated") else ""
        return Document(
            lang=lang,
            title=said["subject"],
            eyebrow=str(programme),
            subtitle=str(letter["cluster"]),
            cover=(
                Facts(
                    (
                        (str(T("À l'attention de", "To")), str(letter["to"])),
                        (str(T("Autorité", "Authority")), said["authority"]),
                        (str(T("Décision", "Decision")), f"{letter['reference']} ({day_text(decided)})"),
                        (str(T("Lettre du", "Letter of")), str(day_text(sent))),
                    )
                ),
            ),
            blocks=tuple(blocks),
            running=f"{said['subject']} – {letter['cluster']}",
            footer=str(
                T(
                    "Lettre figée le {d}, SHA-256 {s}",
                    "Letter frozen on {d}, SHA-256 {s}",
                    d=day_text(frozen_on),
                    s=sha256,
                )
            ),
            words={**contract_document.words(lang), "contents": ""},
            dated=frozen_on,
            simulated=simulated,
            subject=str(letter["cluster"]),
            keywords=(sha256,),
        )
