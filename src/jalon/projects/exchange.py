"""The budget as a workbook: export, change, hand in again; only what changed is proposed, cell by cell.

A row is a line of one partner's budget; its place in the budget is partner, year, category and the two research classes. A
partner that the file does not name is left as it is. Nothing is written before it is accepted; formulas are never run: the
value last computed is read, and the cell is named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from jalon.core import clock, journal
from jalon.core.canonical import canonical, plain, sha256
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T, Text
from jalon.core.sheets import Column, cell_name, read, write_xlsx
from jalon.people.access import Actor
from jalon.projects import access, actions, queries, rules, states
from jalon.projects.models import Partner, Project

SHEET = "Budget"
HEADS: tuple[tuple[str, Text], ...] = (
    ("partner", T("Partenaire", "Partner")),
    ("name", T("Organisme", "Organisation")),
    ("year", T("Année", "Year")),
    ("category", T("Catégorie de coût", "Cost category")),
    ("frascati", T("Recherche (Frascati)", "Research (Frascati)")),
    ("aid_class", T("Classe du règlement d'aides", "Class of the aid regulation")),
    ("amount", T("Montant", "Amount")),
)
NEEDED = ("partner", "year", "category", "amount")
MAX_ROWS = 5000


def parts_for(place: access.Standing, partners: list[Partner]) -> list[Partner]:
    """The partners whose lines the reader may see."""
    return partners if place.sees_budgets else [p for p in partners if p.key == place.part]


def write(project: Project, partners: list[Partner]) -> Any:
    """The budget of some partners as an XLSX file, with a sheet of the words it may use."""
    call_rules = queries.rules_of(project)
    money = {"amount": "money"}
    heads = [Column(title, money.get(name, "text")) for name, title in HEADS]
    rows = [
        [p.key, p.organisation.name, b.year, b.category, b.frascati, b.aid_class, b.amount]
        for p in partners
        for b in sorted(p.budget.all(), key=lambda b: (b.year, b.category, b.pk))
    ]
    words = [
        *(["partner", p.key, p.organisation.name] for p in partners),
        *(["category", code, str(title)] for code, title in rules.category_codes(call_rules).items()),
        *(["frascati", code, str(title)] for code, title in states.FRASCATI.items()),
        *(["aid_class", code, str(title)] for code, title in states.AID_CLASSES.items()),
        ["project", project.slug, project.title],
    ]
    if project.simulated:
        words.append(["data", "simulated", str(T("simulées (démonstration)", "simulated (demonstration)"))])
    names = dict(HEADS)
    said = [[str(names.get(kind, kind)), code, title] for kind, code, title in words]
    columns = [
        Column(T("Colonne", "Column")),
        Column(T("Mot à écrire", "Word to write")),
        Column(T("Sens", "Meaning"), width=48),
    ]
    return write_xlsx([(SHEET, heads, rows), (str(T("Mots", "Words")), columns, said)])


@dataclass(frozen=True)
class Change:
    """One line that would change: before and after (None: no such line), and the cell it was read in."""

    partner: str
    name: str
    year: int
    category: str
    frascati: str
    aid_class: str
    before: Decimal | None
    after: Decimal | None
    cell: str = ""


@dataclass(frozen=True)
class Preview:
    """What a file would do: changes, faults by cell, what is only said; ``mark`` names the budget it was compared with."""

    changes: tuple[Change, ...]
    faults: tuple[Text, ...]
    notes: tuple[Text, ...]
    budgets: Mapping[str, tuple[rules.Line, ...]]
    mark: str

    @property
    def total_before(self) -> Decimal:
        return sum((c.before or Decimal(0) for c in self.changes), Decimal(0))

    @property
    def total_after(self) -> Decimal:
        return sum((c.after or Decimal(0) for c in self.changes), Decimal(0))


def mark_of(partners: list[Partner]) -> str:
    """A fingerprint of the budgets as they stand, so that what was previewed is what is accepted."""
    return sha256(
        canonical(
            plain(
                {
                    p.key: sorted([b.year, b.category, b.frascati, b.aid_class, b.amount] for b in p.budget.all())
                    for p in partners
                }
            )
        )
    )


def preview(project: Project, data: bytes, name: str, *, by: Actor, on: dt.date) -> Preview:
    """Read a workbook (XLSX, ODS) or a CSV file and compare it with the budget.

    Raises:
        Refused: a file that cannot be read safely, or without the columns that are needed.
        NotAllowed: the actor writes no part of this project.
    """
    place = access.may_write_part(by, project, access.standing(by, project, on).part or "-", on)
    partners = queries.partners_of(project)
    allowed = {p.key: p for p in partners if place.leader or p.key == place.part}
    book = read(data, name)
    sheet = book.sheet(SHEET) or (book.sheets[0] if book.sheets else None)
    if sheet is None or not sheet.rows:
        raise Refused(
            T("Le classeur n'a pas de feuille « Budget ».", "The workbook has no sheet “Budget”."), kind="input"
        )
    columns = _columns(sheet.rows[0])
    if len(sheet.rows) > MAX_ROWS:
        raise Refused(T("Au plus {n} lignes de budget.", "At most {n} budget lines.", n=MAX_ROWS), kind="input")
    faults: list[Text] = []
    notes: list[Text] = []
    found: dict[str, dict[tuple[int, str, str, str], tuple[rules.Line, str]]] = {}
    categories, years = (
        rules.category_codes(queries.rules_of(project)),
        rules.years_of(project.starts_on, project.months),
    )
    for number, cells in enumerate(sheet.rows[1:], start=1):
        row = {key: cells[place_] if place_ < len(cells) else None for key, place_ in columns.items()}
        if all(value in (None, "") for key, value in row.items() if key not in ("partner", "name")):
            continue
        at = {key: cell_name(number, place_) for key, place_ in columns.items()}
        for key, place_ in columns.items():
            if (number, place_) in sheet.uncomputed:
                faults.append(
                    T(
                        "{c} : une formule dont la valeur n'est pas dans le fichier ; écrivez le nombre.",
                        "{c}: a formula whose value is not in the file; write the number.",
                        c=at[key],
                    )
                )
            elif (number, place_) in sheet.formulas:
                notes.append(
                    T(
                        "{c} : une formule ; sa dernière valeur est lue, elle n'est pas exécutée.",
                        "{c}: a formula; its last value is read, it is not run.",
                        c=at[key],
                    )
                )
        key = str(row.get("partner") or "").strip()
        partner = allowed.get(key) or next((p for p in allowed.values() if p.organisation.name == key), None)
        if partner is None:
            known = ", ".join(f"{p.key} ({p.organisation.name})" for p in allowed.values())
            faults.append(
                T(
                    "{c} : partenaire « {v} » inconnu ou hors de votre part ; attendu : {all}.",
                    "{c}: partner “{v}” unknown or not yours to write; expected: {all}.",
                    c=at["partner"],
                    v=key or "–",
                    all=known,
                )
            )
            continue
        line, wrong = _line(row, at, categories)
        faults += wrong
        if line is None:
            continue
        faults += rules.line_faults(line, at["year"], categories, years)
        lines = found.setdefault(partner.key, {})
        if line.key in lines:
            faults.append(
                T(
                    "{c} : même année, catégorie et classes qu'en {o} ; réunissez les deux lignes.",
                    "{c}: same year, category and classes as in {o}; put both lines together.",
                    c=at["year"],
                    o=lines[line.key][1],
                )
            )
        lines[line.key] = (line, at["amount"])
    for partner_key in allowed:
        if partner_key not in found:
            notes.append(
                T(
                    "{p} n'est pas dans le fichier : son budget reste tel quel.",
                    "{p} is not in the file: its budget stays as it is.",
                    p=allowed[partner_key].organisation.name,
                )
            )
    return Preview(
        changes=tuple(_changes(allowed, found)),
        faults=tuple(faults),
        notes=tuple(notes),
        budgets={key: tuple(line for line, _ in lines.values()) for key, lines in found.items()},
        mark=mark_of(list(allowed.values())),
    )


def _columns(heads: list[Any]) -> dict[str, int]:
    """Where each column stands, by its title in either language."""
    said = {str(cell or "").strip().casefold(): place for place, cell in enumerate(heads)}
    found = {}
    for key, title in HEADS:
        for word in (title.fr, title.en, key):
            if word.casefold() in said:
                found[key] = said[word.casefold()]
                break
    missing = [str(title) for key, title in HEADS if key in NEEDED and key not in found]
    if missing:
        raise Refused(
            T(
                "Colonnes absentes de la première ligne : {m}.",
                "Columns missing from the first row: {m}.",
                m=", ".join(missing),
            ),
            kind="input",
        )
    return found


def _line(
    row: Mapping[str, Any], at: Mapping[str, str], categories: Mapping[str, Any]
) -> tuple[rules.Line | None, list[Text]]:
    wrong: list[Text] = []
    year = row.get("year")
    if isinstance(year, str) and year.strip().isdigit():
        year = int(year)
    if not isinstance(year, int) or isinstance(year, bool):
        wrong.append(T("{c} : « {v} » n'est pas une année.", "{c}: “{v}” is no year.", c=at["year"], v=row.get("year")))
    value = None
    try:
        value = rules.amount(row.get("amount"), where=at["amount"])
    except Refused as fault:
        wrong.append(fault.reason if isinstance(fault.reason, Text) else T(str(fault.reason), str(fault.reason)))
    else:
        if value is None:
            wrong.append(T("{c} : le montant est vide.", "{c}: the amount is empty.", c=at["amount"]))
    if wrong:
        return None, wrong
    return (
        rules.Line(
            year,
            _word(row.get("category"), categories),
            value,
            _word(row.get("frascati"), states.FRASCATI),
            _word(row.get("aid_class"), states.AID_CLASSES),
        ),
        [],
    )


def _word(value: Any, known: Mapping[str, Any]) -> str:
    """The code of a word typed as code or as title in either language; unknown words stay as they are."""
    text = str(value or "").strip()
    for code, title in known.items():
        if text.casefold() in (code.casefold(), *(str(title.in_language(lang)).casefold() for lang in ("fr", "en"))):
            return code
    return text


def _changes(
    partners: Mapping[str, Partner], found: Mapping[str, Mapping[tuple[int, str, str, str], tuple[rules.Line, str]]]
) -> list[Change]:
    changes = []
    for key, lines in found.items():
        partner = partners[key]
        before = {(b.year, b.category, b.frascati, b.aid_class): b.amount for b in partner.budget.all()}
        for place in sorted({*before, *lines}):
            old = before.get(place)
            new, cell = (lines[place][0].amount, lines[place][1]) if place in lines else (None, "")
            if old != new:
                changes.append(Change(key, partner.organisation.name, *place, old, new, cell))
    return changes


def accept(
    project: Project, data: bytes, name: str, *, mark: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Preview:
    """Write what the file changes, all or nothing.

    Raises:
        Refused: the file has faults, or changes nothing.
        Conflict: the budget changed since it was previewed.
    """
    with transaction.atomic():
        project = actions._locked(project)
        seen = preview(project, data, name, by=by, on=on)
        if seen.faults:
            raise Refused(
                T("Le fichier a des fautes : rien n'a été repris.", "The file has faults: nothing was taken from it."),
                missing=list(seen.faults),
                kind="input",
            )
        if seen.mark != mark:
            raise Conflict(
                T(
                    "Le budget a changé depuis l'aperçu : relisez les différences.",
                    "The budget changed since the preview: read the differences again.",
                ),
                theirs=seen.mark,
                yours=mark,
            )
        if not seen.changes:
            raise Refused(T("Le fichier ne change rien.", "The file changes nothing."), kind="input")
        for key in dict.fromkeys(c.partner for c in seen.changes):
            actions.set_budget(project, key, seen.budgets[key], by=by, on=on, at=at)
        journal.record(
            project.case,
            "project.import",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            after={
                "sha256": sha256(data),
                "name": name,
                "changes": len(seen.changes),
                "partners": sorted({c.partner for c in seen.changes}),
            },
        )
        return seen
