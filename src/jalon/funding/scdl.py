"""Open data on subsidies: the SCDL schema "subventions" 2.1.1 (28 September 2023), its sixteen columns and constraints.

Decree 2017-779 and the order of 17 November 2017: agreements above the threshold, one line per beneficiary, CSV in UTF-8, comma,
decimal point, within three months of signature. Shared advice: sole traders and people outside SIREN need care; a body
without SIRET or RNA is left out here, and said so.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.people.rules import siret

COLUMNS = (
    "nomAttribuant",
    "idAttribuant",
    "dateConvention",
    "referenceDecision",
    "nomBeneficiaire",
    "idBeneficiaire",
    "rnaBeneficiaire",
    "objet",
    "montant",
    "nature",
    "conditionsVersement",
    "datesPeriodeVersement",
    "idRAE",
    "notificationUE",
    "pourcentageSubvention",
    "dispositifAide",
)
NATURES = (
    "aide en numéraire",
    "aide en nature",
    "aide en numéraire;aide en nature",
    "aide en nature;aide en numéraire",
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIOD = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(/[0-9]{4}-[0-9]{2}-[0-9]{2})?")
_RNA = re.compile(r"W[0-9]{9}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Subsidy:
    """An agreement as plain values. ``notified``: whether its aid was notified to the Commission; None when it cannot be told."""

    funder: str
    funder_siret: str
    signed_on: dt.date
    reference: str
    beneficiary: str
    beneficiary_siret: str
    beneficiary_rna: str
    subject: str
    amount: Decimal
    base: Decimal | None
    rate: Decimal | None
    instalments: tuple[tuple[dt.date | None, Decimal], ...]
    first_on: dt.date | None
    last_on: dt.date | None
    scheme: str = ""
    notified: bool | None = False


@dataclass(frozen=True)
class Notified:
    """Whether an aid was notified to the Commission (None: cannot be told), and how that is known."""

    value: bool | None
    why: Why


NO_AID = T(
    "Activité non économique d'un organisme de recherche : ce n'est pas une aide d'État, rien n'est notifié.",
    "Non-economic activity of a research body: no State aid, nothing is notified.",
)


def notified(bases: Iterable[str], check: Any, *, economic: bool) -> Notified:
    """Whether the aid behind an agreement was notified one by one.

    In this order: the ledger of aid says on what base it stands (notified or not); a research body's own activity is no
    State aid (our reading); else the aid is compared with the notification threshold.

    Args:
        bases: the legal bases of the awards recorded for it (gber, de_minimis, sgei, notified, none).
        check: the comparison with the threshold (``jalon.aid.rules.Notification``), or a sentence that says why there is none.
    """
    known = set(bases)
    if known:
        return Notified(
            "notified" in known,
            Why(
                rule=T(
                    "Le registre des aides dit sur quelle base juridique l'aide est accordée.",
                    "The ledger of aid says on which legal base the aid is granted.",
                ),
                inputs={T("Base juridique", "Legal base"): ", ".join(sorted(known))},
            ),
        )
    if not economic:
        return Notified(False, Why(rule=NO_AID, reading=True))
    if isinstance(check, Text):
        return Notified(
            None,
            Why(rule=T("La notification ne se sait pas : {r}", "Notification cannot be told: {r}", r=check)),
        )
    return Notified(check.needed, check.why)


def share_of(row: Subsidy) -> Decimal | None:
    """The share of the subsidised cost that the grant pays, 0.01 to 1; None when neither base nor rate is known."""
    if row.base:
        share = row.amount / row.base
    elif row.rate is not None:
        share = row.rate / 100
    else:
        return None
    return min(max(share.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP), Decimal("0.01")), Decimal(1))


def cells(row: Subsidy) -> list[str]:
    """The sixteen cells of an agreement, in the order of the schema; what is not known stays empty."""
    days = [d for d, _ in row.instalments if d]
    first, last = (min(days), max(days)) if days else (row.first_on, row.last_on)
    period = "" if first is None else first.isoformat()
    if first is not None and last is not None and last > first:
        period += f"/{last.isoformat()}"
    if len(row.instalments) <= 1:
        terms = "unique"
    else:
        terms = "échelonné : " + ", ".join(f"{a:.2f} €" for _, a in row.instalments)
    share = share_of(row)
    return [
        row.funder,
        row.funder_siret,
        row.signed_on.isoformat(),
        row.reference,
        row.beneficiary,
        row.beneficiary_siret,
        row.beneficiary_rna,
        _cut(row.subject),
        f"{row.amount:.2f}",
        NATURES[0],
        _cut(terms),
        period,
        "",
        {True: "oui", False: "non", None: ""}[row.notified],
        "" if share is None else f"{share.normalize():f}",
        row.scheme,
    ]


def _cut(text: str, most: int = 256) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def faults(row: Sequence[str]) -> list[Text]:
    """What a row of cells lacks against the schema, cell by cell; nothing when it conforms."""
    found: list[Text] = []
    if len(row) != len(COLUMNS):
        return [
            T(
                "{n} colonnes au lieu de {m}.",
                "{n} columns instead of {m}.",
                n=len(row),
                m=len(COLUMNS),
            )
        ]
    value = dict(zip(COLUMNS, row, strict=True))

    def fault(column: str, expected: Text) -> None:
        found.append(
            T(
                "{c} : trouvé « {v} », attendu {e}.",
                "{c}: found “{v}”, expected {e}.",
                c=column,
                v=value[column][:60],
                e=expected,
            )
        )

    for column in COLUMNS:
        optional = ("referenceDecision", "idBeneficiaire", "rnaBeneficiaire", "idRAE", "dispositifAide")
        if column not in optional and not value[column].strip():
            fault(column, T("une valeur", "a value"))
    if value["idAttribuant"] and not _siret(value["idAttribuant"]):
        fault("idAttribuant", T("un SIRET de 14 chiffres", "a SIRET of 14 digits"))
    if value["idBeneficiaire"] and not _siret(value["idBeneficiaire"]):
        fault("idBeneficiaire", T("un SIRET de 14 chiffres", "a SIRET of 14 digits"))
    if value["rnaBeneficiaire"] and not _RNA.fullmatch(value["rnaBeneficiaire"]):
        fault("rnaBeneficiaire", T("W et neuf chiffres", "W and nine digits"))
    if not value["idBeneficiaire"] and not value["rnaBeneficiaire"]:
        found.append(
            T(
                "Ni idBeneficiaire ni rnaBeneficiaire : il faut l'un des deux.",
                "Neither idBeneficiaire nor rnaBeneficiaire: one is needed.",
            )
        )
    if value["dateConvention"] and not _is_day(value["dateConvention"]):
        fault("dateConvention", T("AAAA-MM-JJ", "YYYY-MM-DD"))
    for column in ("objet", "conditionsVersement"):
        if len(value[column]) > 256:
            fault(column, T("256 caractères au plus", "at most 256 characters"))
    if value["montant"] and not _NUMBER.fullmatch(value["montant"]):
        fault("montant", T("un nombre, point décimal", "a number, decimal point"))
    if value["nature"] and value["nature"] not in NATURES:
        fault("nature", T("l'une de : {n}", "one of: {n}", n=", ".join(NATURES)))
    period = value["datesPeriodeVersement"]
    if period:
        days = period.split("/")
        if not _PERIOD.fullmatch(period) or not all(_is_day(d) for d in days) or days != sorted(days):
            fault(
                "datesPeriodeVersement", T("AAAA-MM-JJ ou AAAA-MM-JJ/AAAA-MM-JJ", "YYYY-MM-DD or YYYY-MM-DD/YYYY-MM-DD")
            )
    if len(value["idRAE"]) > 5:
        fault("idRAE", T("5 caractères au plus", "at most 5 characters"))
    if value["notificationUE"] not in ("", "oui", "non"):
        fault("notificationUE", T("oui ou non", "oui or non"))
    share = value["pourcentageSubvention"]
    if share:
        number = Decimal(share) if _NUMBER.fullmatch(share) else None
        if number is None or not Decimal("0.01") <= number <= 1:
            fault("pourcentageSubvention", T("un nombre de 0.01 à 1", "a number from 0.01 to 1"))
    return found


def _siret(value: str) -> bool:
    if not re.fullmatch(r"[0-9]{14}", value):
        return False
    try:
        siret(value)
    except Refused:
        return False
    return True


def _is_day(value: str) -> bool:
    if not _DAY.fullmatch(value):
        return False
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def written(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The CSV of the schema: UTF-8 without mark, comma, LF; texts that a spreadsheet would run are neutralised."""
    from jalon.core.sheets import neutral

    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=",", lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])
    yield out.getvalue().encode("utf-8")
