"""A file of the accounting system against the payment orders: columns, rows, verdicts. Pure functions of plain values.

The key is compound, because a commitment number alone matches the wrong payments: funder, commitment, SIRET of the
beneficiary, agreement, then amount and day. A row that names the order says which of two like payments it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.sheets import Book, Column, as_date, as_decimal, as_text, cell_name, refuse
from jalon.funding.rules import euros
from jalon.people.rules import plain_key

MAX_ROWS = 200_000
HEADER_WITHIN = 20

COLUMNS: tuple[tuple[str, Column], ...] = (
    ("funder", Column(T("Financeur", "Funder"), width=30)),
    ("commitment", Column(T("Engagement", "Commitment"))),
    ("siret", Column(T("SIRET du bénéficiaire", "Beneficiary's SIRET"))),
    ("beneficiary", Column(T("Bénéficiaire", "Beneficiary"), width=30)),
    ("agreement", Column(T("Convention", "Agreement"))),
    ("order", Column(T("Ordre de paiement", "Payment order"))),
    ("payee", Column(T("Payé à", "Paid to"), width=30)),
    ("amount", Column(T("Montant", "Amount"), "money")),
    ("paid_on", Column(T("Date de paiement", "Day of payment"), "date")),
    ("reference", Column(T("Référence comptable", "Accounting reference"))),
)
"""The file, as it is exported and as it is read back; other columns are left alone."""

NEEDED = ("commitment", "siret", "agreement", "amount", "paid_on")

ALIASES: dict[str, tuple[str, ...]] = {
    "funder": ("financeur", "funder", "ordonnateur"),
    "commitment": (
        "engagement",
        "commitment",
        "n engagement",
        "numero d engagement",
        "numero engagement",
        "engagement juridique",
        "ej",
        "commitment number",
    ),
    "siret": ("siret du beneficiaire", "siret", "beneficiary s siret", "siret beneficiaire", "identifiant", "tiers"),
    "beneficiary": ("beneficiaire", "beneficiary", "raison sociale"),
    "agreement": ("convention", "agreement", "numero de convention", "n convention", "agreement number"),
    "order": ("ordre de paiement", "payment order", "ordre", "order", "demande de paiement", "dp"),
    "payee": ("paye a", "paid to", "payee"),
    "amount": ("montant", "amount", "montant paye", "montant verse"),
    "paid_on": ("date de paiement", "day of payment", "paye le", "date", "date de reglement", "payment date"),
    "reference": ("reference comptable", "accounting reference", "reference", "numero de piece", "mandat"),
}
_BY_ALIAS = {alias: code for code, names in ALIASES.items() for alias in names}


@dataclass(frozen=True)
class Known:
    """A payment order as the accounts know it."""

    id: int
    number: str
    commitment: str
    identifiers: tuple[str, ...]
    agreement: str
    amount: Decimal
    state: str
    ordered_on: dt.date
    paid_on: dt.date | None = None
    reference: str = ""
    funder: str = ""
    funder_ids: tuple[str, ...] = ()


@dataclass
class Line:
    """A row and its verdict; ``order`` is the payment order that it pays (or paid)."""

    number: int
    cells: dict[str, str]
    verdict: str = ""
    order: int | None = None
    amount: Decimal | None = None
    paid_on: dt.date | None = None
    reference: str = ""
    message: Text | None = None

    def stored(self) -> list[Any]:
        return [
            self.number,
            self.verdict,
            self.order,
            str(self.amount) if self.amount is not None else None,
            self.paid_on.isoformat() if self.paid_on else None,
            self.reference,
            self.cells,
            [self.message.in_language("fr"), self.message.in_language("en")] if self.message else None,
        ]


def restored(row: Sequence[Any]) -> Line:
    """A row as a batch remembers it."""
    return Line(
        number=row[0],
        verdict=row[1],
        order=row[2],
        amount=Decimal(row[3]) if row[3] is not None else None,
        paid_on=dt.date.fromisoformat(row[4]) if row[4] else None,
        reference=row[5],
        cells=row[6],
        message=T(_plain(row[7][0]), _plain(row[7][1])) if row[7] else None,
    )


def _plain(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def digest(rows: Sequence[Any]) -> str:
    """What tells two verdicts on one file apart."""
    return hashlib.sha256(json.dumps([r[:6] for r in rows], separators=(",", ":")).encode()).hexdigest()


def counts(lines: Iterable[Line]) -> dict[str, int]:
    """How many rows of each verdict."""
    found: dict[str, int] = defaultdict(int)
    for line in lines:
        found[line.verdict] += 1
    return dict(found)


_CODE = re.compile(r"[\s.\u00a0\u202f]")


def code_of(cell: Any) -> str:
    """A number of the accounts for comparison: no spaces or dots, upper case."""
    return _CODE.sub("", as_text(cell)).upper()


# -- columns ------------------------------------------------------------------------------------------------------


TITLES = {code: column.title for code, column in COLUMNS}
HEAD_COLUMNS = 60
SAMPLE = 40


def recognised(head: Sequence[Any]) -> tuple[dict[str, int], list[str]]:
    """A row of headers: the column of each code that its words name (the first one), and headers that name one again."""
    found: dict[str, int] = {}
    double: list[str] = []
    for c, cell in enumerate(head):
        code = _BY_ALIAS.get(plain_key(as_text(cell)[:80])) if cell is not None else None
        if code is None:
            continue
        if code in found:
            double.append(as_text(cell))
        found.setdefault(code, c)
    return found, double


def _best(book: Book) -> tuple[int, int, dict[str, int], list[str]]:
    """The sheet and row of headers where most columns are recognised."""
    best: tuple[int, int, dict[str, int], list[str]] = (0, 0, {}, [])
    for s, sheet in enumerate(book.sheets):
        for r, row in enumerate(sheet.rows[:HEADER_WITHIN]):
            found, double = recognised(row)
            if len(found) > len(best[2]):
                best = (s, r, found, double)
    return best


def describe(book: Book) -> dict[str, Any]:
    """What a batch remembers of its file until its columns are confirmed: sheets, their first rows, what was recognised.

    Raises:
        Refused: no sheet holds a filled row.
    """
    sheet, header, mapping, _ = _best(book)
    if not any(cell not in (None, "") for one in book.sheets for row in one.rows for cell in row):
        raise refuse("Le fichier ne contient aucune ligne remplie.", "The file holds no filled row.")
    heads = [
        [[as_text(c)[:SAMPLE] or None for c in row[:HEAD_COLUMNS]] for row in one.rows[: HEADER_WITHIN + 4]]
        for one in book.sheets
    ]
    return {
        "kind": book.kind,
        "sheets": [
            {"name": one.name, "rows": len(one.rows), "head": head}
            for one, head in zip(book.sheets, heads, strict=True)
        ],
        "sheet": sheet,
        "header": header,
        "mapping": mapping,
    }


def mapping_of(chosen: Mapping[int, str]) -> dict[str, int]:
    """The columns as a person confirmed them: code by column turned into column by code.

    Raises:
        Refused: one thing in two columns, a word that is none of the columns', or a column of the key left out.
    """
    found: dict[str, int] = {}
    for column, code in sorted(chosen.items()):
        if code not in TITLES:
            raise refuse("« {c} » n'est pas une donnée attendue.", "“{c}” is nothing that is expected.", c=code)
        if code in found:
            raise refuse(
                "Deux colonnes sont désignées pour la même donnée ({c}) ; n'en garder qu'une.",
                "Two columns are given for the same thing ({c}); keep only one.",
                c=TITLES[code],
            )
        found[code] = column
    _need(found, ())
    return found


def _need(mapping: Mapping[str, int], head: Sequence[Any]) -> None:
    missing = [TITLES[code] for code in NEEDED if code not in mapping]
    if missing:
        raise Refused(
            T(
                "Des colonnes de la clé manquent dans le fichier. En-têtes lus : {h}.",
                "Columns of the key are missing in the file. Headers read: {h}.",
                h=", ".join(as_text(c)[:40] for c in head if c is not None)[:400] or "–",
            )
            if head
            else T("Des colonnes de la clé ne sont pas désignées.", "Columns of the key are not pointed out."),
            missing=missing,
            kind="input",
        )


def columns_of(book: Book) -> tuple[int, int, dict[str, int]]:
    """(sheet, header row from 0, column by code), where most columns are recognised.

    Raises:
        Refused: a column of the key is missing, or one is there twice.
    """
    sheet, header, found, twice = _best(book)
    rows = book.sheets[sheet].rows if book.sheets else []
    _need(found, (rows[header] if rows else []) or ["–"])
    if twice:
        raise refuse(
            "Une colonne est là deux fois : {c}. N'en garder qu'une.",
            "A column is there twice: {c}. Keep one.",
            c=", ".join(twice),
        )
    return sheet, header, found


# -- rows ---------------------------------------------------------------------------------------------------------


def read_rows(book: Book, place: tuple[int, int, dict[str, int]], on: dt.date) -> list[Line]:
    """The rows below the header, read; a row that cannot be read carries its sentence (cell, found, expected).

    Raises:
        Refused: more rows than are read at once, or none.
    """
    s, header, columns = place
    sheet = book.sheets[s]
    if len(sheet.rows) - header - 1 > MAX_ROWS:
        raise refuse(
            "Le fichier a plus de {n} lignes : le découper.", "The file has more than {n} rows: split it.", n=MAX_ROWS
        )
    lines = []
    for y in range(header + 1, len(sheet.rows)):
        row = sheet.rows[y]
        if all(cell is None or cell == "" for cell in row):
            continue

        def cell(code: str, row: Sequence[Any] = row) -> Any:
            x = columns.get(code)
            return row[x] if x is not None and x < len(row) else None

        line = Line(y + 1, {code: as_text(cell(code))[:80] for code in columns if cell(code) is not None})
        lines.append(line)
        faults: list[Text] = []
        for code, read in (("amount", as_decimal), ("paid_on", as_date)):
            place_name = cell_name(y, columns[code])
            if (y, columns[code]) in sheet.errors:
                faults.append(T("{c} : erreur du tableur.", "{c}: error of the spreadsheet.", c=place_name))
                continue
            try:
                value = read(cell(code))
            except Refused as refusal:
                faults.append(T("{c} : {r}.", "{c}: {r}.", c=place_name, r=refusal.reason))
                continue
            if value is None:
                faults.append(T("{c} est vide.", "{c} is empty.", c=place_name))
            elif code == "amount":
                if value <= 0 or value != value.quantize(Decimal("0.01")):
                    faults.append(
                        T(
                            "{c} : {v} n'est pas un montant payé ; attendu : positif, au centime.",
                            "{c}: {v} is no amount paid; expected: positive, to the cent.",
                            c=place_name,
                            v=str(value),
                        )
                    )
                else:
                    line.amount = value.quantize(Decimal("0.01"))
            elif value > on:
                faults.append(
                    T("{c} : le {d} est à venir.", "{c}: {d} is in the future.", c=place_name, d=value.isoformat())
                )
            else:
                line.paid_on = value
        for code in ("commitment", "siret", "agreement"):
            if not code_of(cell(code)):
                faults.append(T("{c} est vide.", "{c} is empty.", c=cell_name(y, columns[code])))
        line.reference = as_text(cell("reference"))[:80]
        if faults:
            line.verdict = "error"
            line.message = faults[0] if len(faults) == 1 else T("{a} {b}", "{a} {b}", a=faults[0], b=faults[1])
    if not lines:
        raise refuse("Le fichier n'a aucune ligne sous ses en-têtes.", "The file has no row below its headers.")
    return lines


# -- verdicts -----------------------------------------------------------------------------------------------------


@dataclass
class Judge:
    """Gives each row its verdict against the orders of one side; rows are judged in their order."""

    known: Sequence[Known]
    by_key: dict[tuple[str, str, str], list[Known]] = field(default_factory=lambda: defaultdict(list))
    by_agreement: dict[str, Known] = field(default_factory=dict)
    by_commitment: dict[str, Known] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for order in self.known:
            agreement, commitment = code_of(order.agreement), code_of(order.commitment)
            for identifier in order.identifiers:
                self.by_key[commitment, code_of(identifier), agreement].append(order)
            self.by_agreement.setdefault(agreement, order)
            self.by_commitment.setdefault(commitment, order)

    def judge(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if line.verdict != "error":
                self._judge(line)

    def _judge(self, line: Line) -> None:
        key = (
            code_of(line.cells.get("commitment")),
            code_of(line.cells.get("siret")),
            code_of(line.cells.get("agreement")),
        )
        found = self.by_key.get(key, [])
        named = code_of(line.cells.get("order"))
        if named:
            found = [o for o in found if code_of(o.number) == named]
        payer = code_of(line.cells.get("funder"))
        if payer and found:
            same = [o for o in found if payer == code_of(o.funder) or payer in {code_of(i) for i in o.funder_ids}]
            if not same:
                self._say(
                    line,
                    "none",
                    T(
                        "Le financeur « {f} » n'est pas celui de la convention ({o}).",
                        "The funder “{f}” is not that of the agreement ({o}).",
                        f=line.cells["funder"],
                        o=found[0].funder,
                    ),
                )
                return
            found = same
        if not found:
            self._say(line, "none", self._nothing(key, named))
            return
        paid = [o for o in found if o.state == "paid" and o.id not in self.used]
        same = [o for o in paid if o.amount == line.amount and o.paid_on == line.paid_on]
        same = [o for o in same if not line.reference or not o.reference or o.reference == line.reference] or []
        if same:
            self.used[same[0].id] = line.number
            line.order = same[0].id
            self._say(
                line, "already", T("Déjà enregistré : ordre {n}.", "Recorded already: order {n}.", n=same[0].number)
            )
            return
        waiting = [o for o in found if o.state == "ordered"]
        fits = [o for o in waiting if o.amount == line.amount and o.id not in self.used]
        if len(fits) == 1:
            self._match(line, fits[0])
        elif len(fits) > 1:
            self._say(
                line,
                "ambiguous",
                T(
                    "Correspond à {n} ordres : {o}. Dire lequel dans la colonne « Ordre de paiement ».",
                    "Matches {n} orders: {o}. Say which in the column “Payment order”.",
                    n=len(fits),
                    o=", ".join(o.number for o in fits[:4]),
                ),
            )
        else:
            self._no_amount(line, found, waiting)

    def _match(self, line: Line, order: Known) -> None:
        line.order = order.id
        if line.paid_on < order.ordered_on:
            self._say(
                line,
                "error",
                T(
                    "Payé le {p}, avant l'ordre {n} du {o}.",
                    "Paid on {p}, before order {n} of {o}.",
                    p=line.paid_on.isoformat(),
                    n=order.number,
                    o=order.ordered_on.isoformat(),
                ),
            )
            line.order = None
            return
        self.used[order.id] = line.number
        self._say(line, "match", T("Paie l'ordre {n}.", "Pays order {n}.", n=order.number))

    def _no_amount(self, line: Line, found: Sequence[Known], waiting: Sequence[Known]) -> None:
        taken = next((o for o in found if o.id in self.used and o.amount == line.amount), None)
        if taken is not None:
            self._say(
                line,
                "twice",
                T(
                    "L'ordre {n} est déjà celui de la ligne {l} du fichier.",
                    "Order {n} is already that of row {l} of the file.",
                    n=taken.number,
                    l=self.used[taken.id],
                ),
            )
            return
        again = next((o for o in found if o.state == "paid" and o.amount == line.amount), None)
        if again is not None:
            self._say(
                line,
                "twice",
                T(
                    "L'ordre {n} est déjà payé, le {d} : cette ligne le paierait deux fois.",
                    "Order {n} is paid already, on {d}: this row would pay it twice.",
                    n=again.number,
                    d=again.paid_on.isoformat(),
                ),
            )
            return
        if waiting:
            self._say(
                line,
                "amount",
                T(
                    "Montant lu : {a} € ; ordonné : {o}.",
                    "Amount read: {a} €; ordered: {o}.",
                    a=euros(line.amount),
                    o=T("{x} € ({n})", "{x} € ({n})", x=euros(waiting[0].amount), n=waiting[0].number),
                ),
            )
            return
        self._say(
            line,
            "none",
            T(
                "Aucun ordre n'attend sur cette convention.",
                "No order waits on this agreement.",
            ),
        )

    def _nothing(self, key: tuple[str, str, str], named: str) -> Text:
        commitment, siret, agreement = key
        if named and self.by_key.get(key):
            return T("Aucun ordre de ce numéro sur cette convention.", "No order of that number on this agreement.")
        by_agreement = self.by_agreement.get(agreement)
        if by_agreement is not None:
            if code_of(by_agreement.commitment) != commitment:
                return T(
                    "La convention existe sous un autre engagement : {e}.",
                    "The agreement exists under another commitment: {e}.",
                    e=by_agreement.commitment,
                )
            return T(
                "La convention existe pour un autre bénéficiaire que « {s} ».",
                "The agreement exists for another beneficiary than “{s}”.",
                s=siret,
            )
        by_commitment = self.by_commitment.get(commitment)
        if by_commitment is not None:
            return T(
                "L'engagement existe pour une autre convention : {a}.",
                "The commitment exists for another agreement: {a}.",
                a=by_commitment.agreement,
            )
        return T(
            "Ni l'engagement ni la convention ne sont connus ici.",
            "Neither the commitment nor the agreement is known here.",
        )

    @staticmethod
    def _say(line: Line, verdict: str, message: Text) -> None:
        line.verdict, line.message = verdict, message


def judged(
    book: Book, known: Sequence[Known], on: dt.date, place: tuple[int, int, dict[str, int]] | None = None
) -> list[Line]:
    """The rows of a file with their verdicts; ``place`` says where they stand, else it is recognised."""
    lines = read_rows(book, place or columns_of(book), on)
    Judge(known).judge(lines)
    return lines


def summary(found: Mapping[str, int]) -> list[tuple[str, int]]:
    """Verdicts that occur, in the order in which they are shown."""
    order = ("match", "already", "amount", "ambiguous", "twice", "none", "error")
    return [(code, found[code]) for code in order if found.get(code)]
