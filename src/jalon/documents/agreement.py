"""A funding agreement as a document (*convention*): parties, object, amount, instalments, conditions, boxes to sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jalon.core.lang import T, speaking
from jalon.documents.blocks import Block, Box, Boxes, Column, Document, Facts, Heading, Para, Row, Table, cell
from jalon.documents.contract import DASH, DRAFT, SIMULATED, words
from jalon.ui import format as fmt


@dataclass(frozen=True)
class AgreementView:
    """An agreement: what it says (as frozen or as it stands), its state, signatures, address; plain values."""

    content: Mapping[str, Any]
    programme: Any
    language: str
    currency: str
    day: dt.date
    address: str
    state: Any
    kinds: Mapping[str, Any]
    instruments: Mapping[str, Any]
    signed: tuple[tuple[dt.date | None, str], tuple[dt.date | None, str]]
    amendments: tuple[tuple[int, dt.date | None, str], ...] = ()
    bound_on: dt.date | None = None
    sha256: str = ""
    convention_above: Decimal | None = None
    reference: str = ""


def build(view: AgreementView, lang: str = "") -> Document:
    """The document of an agreement, in ``lang`` (the programme's language unless said)."""
    lang = lang or view.language
    with speaking(lang), fmt.paying_in(view.currency):
        return _build(view, lang)


def _day(value: Any) -> str:
    if not value:
        return str(fmt.UNKNOWN)
    return str(fmt.day(dt.date.fromisoformat(value) if isinstance(value, str) else value))


def _money(value: Any) -> str:
    return str(fmt.UNKNOWN) if value is None else str(fmt.money(Decimal(value)))


def _body(row: Mapping[str, Any]) -> str:
    numbers = ", ".join(f"{scheme.upper()} {value}" for scheme, value in row["identifiers"].items())
    return f"{row['name']} ({numbers})" if numbers else row["name"]


def _build(view: AgreementView, lang: str) -> Document:
    told = view.content
    title = str(T("Convention {n}", "Agreement {n}", n=told["number"]))
    cover: list[Block] = [
        Facts(
            (
                (str(T("Financeur", "Funder")), _body(told["funder"])),
                (str(T("Bénéficiaire", "Beneficiary")), _body(told["beneficiary"])),
                (str(T("Projet", "Project")), f"{told['project']['acronym']} {DASH} {told['project']['title']}"),
                (str(T("Montant", "Amount")), _money(told["amount"])),
                (str(T("État", "State")), str(view.state)),
            )
        )
    ]
    if view.sha256:
        cover += [
            Para(str(T("Empreinte SHA-256 du texte figé", "SHA-256 of the frozen text")), "small"),
            Para(view.sha256, "mono"),
        ]
    instrument = view.instruments.get(told["instrument"], told["instrument"])
    blocks: list[Block] = [
        Heading(f"1. {T('Objet', 'Object')}"),
        Para(told["subject"]),
        Para(
            str(
                T(
                    "Les travaux vont du {a} au {b}.",
                    "The work runs from {a} to {b}.",
                    a=_day(told["starts_on"]),
                    b=_day(told["ends_on"]),
                )
            )
        ),
        Heading(f"2. {T('Montant', 'Amount')}"),
        Facts(
            (
                (str(T("Nature", "Instrument")), str(instrument)),
                (str(T("Montant accordé", "Amount granted")), _money(told["amount"])),
                (str(T("Assiette des dépenses", "Base of expenses")), _money(told["base"])),
                (
                    str(T("Taux d'aide", "Aid rate")),
                    str(fmt.UNKNOWN) if told["rate"] is None else str(fmt.percent(Decimal(told["rate"]))),
                ),
                (str(T("Décision annoncée le", "Decision announced on")), _day(told["awarded_on"])),
            )
        ),
        Heading(f"3. {T('Versements', 'Payments')}"),
        _instalments(view),
        Para(
            str(
                T(
                    "Chaque versement est demandé par le bénéficiaire avec ses justificatifs, vérifié, certifié par une "
                    "seconde personne, puis ordonné. Au solde, le total versé ne dépasse pas le taux d'aide appliqué aux "
                    "dépenses retenues.",
                    "Each payment is claimed by the beneficiary with evidence, checked, certified by a second person, then "
                    "ordered. With the balance, the total paid does not exceed the aid rate on the expenses retained.",
                )
            )
        ),
        Heading(f"4. {T('Suspension, reversement, avenants', 'Suspension, recovery, amendments')}"),
        Para(
            str(
                T(
                    "Le financeur peut suspendre les paiements et demander le reversement de ce qui a été versé à tort, avec "
                    "ses motifs. La convention se modifie par avenant signé des deux parties.",
                    "The funder may suspend payments and ask back what was wrongly paid, with its reasons. The agreement is "
                    "changed by an amendment signed by both parties.",
                )
            )
        ),
    ]
    if view.amendments:
        blocks.append(
            Table(
                str(T("Avenants", "Amendments")),
                (
                    Column(str(T("Avenant", "Amendment")), 1),
                    Column(str(T("Signé le", "Signed on")), 1.4),
                    Column(str(T("Motif", "Reason")), 5),
                ),
                tuple(Row((cell(str(n)), cell(_day(day)), cell(why))) for n, day, why in view.amendments),
            )
        )
    years = told.get("financial_returns") or ()
    if view.convention_above is not None or years:
        blocks.append(Heading(f"5. {T('Obligations du bénéficiaire', 'Duties of the beneficiary')}"))
    if view.convention_above is not None:
        blocks += [
            Para(
                str(
                    T(
                        "Subvention annuelle de plus de {x} à un organisme de droit privé : la présente convention en fixe "
                        "l'objet, le montant et les conditions.",
                        "Yearly subsidy of more than {x} to a private-law body: this agreement fixes its object, amount and "
                        "conditions.",
                        x=_money(view.convention_above),
                    )
                )
            ),
            Para(view.reference, "small"),
        ]
    if years:
        blocks.append(
            Para(
                str(
                    T(
                        "Un compte rendu financier est remis pour : {y}. Il porte un compte rendu qualitatif, le tableau des "
                        "charges et des produits, prévus et réalisés, une annexe qui explique les écarts, et ses pièces.",
                        "A financial return is handed in for: {y}. It holds a report in words, the table of charges and "
                        "income, planned and actual, an annex that explains the gaps, and its evidence.",
                        y=", ".join(str(y) for y in years),
                    )
                )
            )
        )
    names = (
        (T("Pour le bénéficiaire", "For the beneficiary"), told["beneficiary"]["name"]),
        (T("Pour le financeur", "For the funder"), told["funder"]["name"]),
    )
    blocks.append(Heading(str(T("Signatures", "Signatures"))))
    blocks.append(
        Boxes(
            tuple(
                Box(
                    order=str(n),
                    name=name,
                    role=str(role),
                    decision=(),
                    signed=(str(T("Signé le {d} par {w}", "Signed on {d} by {w}", d=_day(day), w=who)),) if day else (),
                )
                for n, ((role, name), (day, who)) in enumerate(zip(names, view.signed, strict=True), 1)
            )
        )
    )
    when = (
        T("texte signé le {d}", "text signed on {d}", d=_day(view.bound_on))
        if view.bound_on
        else T("état au {d}", "as of {d}", d=_day(view.day))
    )
    return Document(
        lang=lang,
        title=f"{title} {DASH} {told['beneficiary']['name']}",
        eyebrow=str(view.programme),
        subtitle=told["project"]["acronym"],
        cover=tuple(cover),
        blocks=tuple(blocks),
        running=f"{title} {DASH} {told['project']['acronym']}",
        footer=f"{view.address} · {when}",
        words=words(lang),
        dated=view.bound_on or view.day,
        mark="" if view.bound_on else str(DRAFT),
        simulated=str(SIMULATED) if told["simulated"] else "",
        subject=str(T("Convention de financement", "Funding agreement")),
        keywords=(view.sha256,) if view.sha256 else (),
    )


def _instalments(view: AgreementView) -> Table:
    rows = [
        Row(
            (
                cell(str(p["number"])),
                cell(str(view.kinds.get(p["kind"], p["kind"]))),
                cell(_money(p["amount"])),
                cell(_day(p["due_on"]) if p["due_on"] else DASH),
                cell(p["condition"] or DASH),
            )
        )
        for p in view.content["instalments"]
    ]
    rows.append(
        Row(
            (cell(""), cell(str(T("Total", "Total"))), cell(_money(view.content["amount"])), cell(""), cell("")),
            strong=True,
        )
    )
    return Table(
        str(T("Échéancier", "Instalments")),
        (
            Column(str(T("N°", "No.")), 0.7),
            Column(str(T("Tranche", "Instalment")), 2),
            Column(str(T("Montant", "Amount")), 2, "right"),
            Column(str(T("Échéance", "Due on")), 2),
            Column(str(T("Condition", "Condition")), 4),
        ),
        tuple(rows),
    )
