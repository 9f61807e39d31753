"""From a text to the bytes of a file; for views and commands."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.urls import NoReverseMatch, reverse

from jalon.contracts.models import Text
from jalon.core.lang import T
from jalon.documents import amendment as amendment_document, contract as contract_document, pdf, queries
from jalon.documents.blocks import Document

TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def address_of(slug: str) -> str:
    """The path of a contract's page."""
    try:
        return reverse("contract", args=[slug])
    except NoReverseMatch:
        return f"/contrats/{slug}/"


def set_as(document: Document, kind: str) -> bytes:
    """The document in one of :data:`TYPES`."""
    if kind == "pdf":
        return pdf.render(document)
    from jalon.documents import word  # heavy, and wanted by few

    return word.render(document)


def contract(text: Text, kind: str, *, on: dt.date, address: str = "", lang: str = "") -> bytes:
    """A contract's text, whole."""
    return set_as(contract_document.build(_view(text, on, address), lang), kind)


def amendment(text: Text, kind: str, *, on: dt.date, address: str = "", lang: str = "") -> bytes:
    """An amendment, as its difference."""
    return set_as(amendment_document.build(_view(text, on, address), lang), kind)


def _view(text: Text, on: dt.date, address: str) -> queries.View:
    return queries.view_of(text, on=on, address=address or str(T("contrat {s}", "contract {s}", s=text.contract.slug)))


def roadmap(view: Any, kind: str, *, lang: str = "") -> bytes:
    """A roadmap."""
    from jalon.documents import roadmap as roadmap_document

    return set_as(roadmap_document.build(view, lang), kind)


def selection_letter(text: Any, kind: str, **about: Any) -> bytes:
    """A frozen letter of the selection."""
    from jalon.documents import selection_letter as letter_document

    return set_as(letter_document.build(text, **about), kind)


def agreement(view: Any, kind: str, *, lang: str = "") -> bytes:
    """A funding agreement."""
    from jalon.documents import agreement as agreement_document

    return set_as(agreement_document.build(view, lang), kind)


def decision_letter(told: Any, kind: str, *, programme: Any, sha256: str, frozen_on: dt.date, lang: str = "") -> bytes:
    """A letter that notifies a decision, from what was frozen."""
    from jalon.documents import letter as letter_document

    return set_as(letter_document.build(told, programme=programme, sha256=sha256, frozen_on=frozen_on, lang=lang), kind)
