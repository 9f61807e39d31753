"""The financing table as a spreadsheet: out for everybody who reads it, back in for a funder's own column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction

from jalon.core import sheets
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.sheets import Column
from jalon.people.access import Actor
from jalon.people.models import Organisation
from jalon.projects.models import Partner, Project
from jalon.selection import access, actions, queries, rules, states
from jalon.selection.models import Exercise, Share

TABLE = [
    ("project", Column(T("Projet", "Project"))),
    ("key", Column(T("Code du projet", "Project code"))),
    ("partner", Column(T("Partenaire", "Partner"))),
    ("partner_key", Column(T("Code du partenaire", "Partner code"))),
    ("base", Column(T("Assiette éligible", "Eligible base"), "money")),
    ("call_rate", Column(T("Taux de l'appel (%)", "Rate of the call (%)"), "number")),
    ("aid_ceiling", Column(T("Plafond des aides d'État", "State aid ceiling"), "money")),
    ("funder", Column(T("Financeur", "Funder"))),
    ("source", Column(T("Origine", "Source"))),
    ("instrument", Column(T("Forme", "Form"))),
    ("rate", Column(T("Taux du financeur (%)", "Funder's rate (%)"), "number")),
    ("intended", Column(T("Intention", "Intention"), "money")),
    ("decided", Column(T("Décision", "Decision"), "money")),
    ("of_base", Column(T("Part de l'assiette (%)", "Share of the base (%)"), "number")),
    ("checks", Column(T("Contrôles", "Checks"))),
]
OWN = [
    ("project", Column(T("Projet", "Project"))),
    ("key", Column(T("Code du projet", "Project code"))),
    ("partner", Column(T("Partenaire", "Partner"))),
    ("partner_key", Column(T("Code du partenaire", "Partner code"))),
    ("base", Column(T("Assiette éligible", "Eligible base"), "money")),
    ("room", Column(T("Reste sous le plafond", "Left under the ceiling"), "money")),
    ("intended", Column(T("Mon intention", "My intention"), "money")),
    ("note", Column(T("Remarque", "Remark"))),
]
RESULTS = [
    ("table", Column(T("Table", "Table"))),
    ("name", Column(T("Nom", "Name"))),
    ("count", Column(T("Nombre", "Count"), "number")),
    ("amount", Column(T("Montant", "Amount"), "money")),
]


def table_rows(projects: Sequence[Project], plans: Mapping[int, queries.Plan]) -> Iterable[list[Any]]:
    """A line by partner and funder; a partner without any funder has one line."""
    for project in projects:
        plan = plans[project.pk]
        for row in plan.rows:
            said = " ".join(str(check.text) for check in row.checks)
            head = [
                project.acronym,
                project.slug,
                row.partner.organisation.name,
                row.partner.key,
                row.line.base,
                row.line.call_rate,
                row.line.aid_ceiling,
            ]
            for cell in row.line.cells:
                yield [
                    *head,
                    plan.funders[cell.funder].name,
                    str(states.SOURCES.get(cell.source, cell.source)),
                    str(states.INSTRUMENTS.get(cell.instrument, cell.instrument)),
                    cell.rate,
                    cell.intended,
                    cell.decided,
                    rules.rate_of(cell.planned, row.line.base) if cell.planned is not None else None,
                    said,
                ]
            if not row.line.cells:
                yield [*head, "", "", "", None, None, None, None, said]


def own_rows(
    projects: Sequence[Project], plans: Mapping[int, queries.Plan], organisation: Organisation
) -> Iterable[list[Any]]:
    """A funder's own column: a line by partner."""
    for project in projects:
        for row in plans[project.pk].rows:
            mine = row.cells.get(organisation.pk)
            ceiling = row.line.ceiling
            yield [
                project.acronym,
                project.slug,
                row.partner.organisation.name,
                row.partner.key,
                row.line.base,
                None if ceiling is None else ceiling - row.line.public,
                mine.intended if mine is not None else None,
                mine.note if mine is not None else "",
            ]


def result_rows(found: queries.Results) -> Iterable[list[Any]]:
    """The breakdowns of a call's results, one under the other."""
    yield [str(T("Ensemble", "Whole")), str(T("déposés", "submitted")), found.submitted, None]
    yield [str(T("Ensemble", "Whole")), str(T("retenus", "selected")), found.selected, found.state + found.local]
    yield [str(T("Ensemble", "Whole")), str(T("État", "State")), found.selected, found.state]
    yield [
        str(T("Ensemble", "Whole")),
        str(T("collectivités et Europe", "local and Europe")),
        found.selected,
        found.local,
    ]
    for title, rows in (
        (T("Pôle chef de file", "Lead pôle"), found.by_cluster),
        (T("Région des partenaires", "Region of the partners"), found.by_region),
        (T("Taille des partenaires", "Size of the partners"), found.by_size),
    ):
        for name, count, amount in rows:
            yield [str(title), name, count, amount]


# -- back in ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What becomes of one row of the file. ``tone``: new, same, empty, bad."""

    line: int
    project: str
    partner: str
    before: Decimal | None
    after: Decimal | None
    tone: str
    text: Text | str = ""


@dataclass
class Verdicts:
    """The verdicts of a file, row by row; nothing is written while one is bad."""

    rows: list[Verdict] = field(default_factory=list)
    written: bool = False

    @property
    def bad(self) -> int:
        return sum(1 for row in self.rows if row.tone == "bad")

    @property
    def changed(self) -> int:
        return sum(1 for row in self.rows if row.tone == "new")


_NEEDED = ("key", "partner_key", "intended")


def _heads(rows: Sequence[Sequence[Any]], name: str) -> tuple[int, dict[str, int]]:
    """Where the header is and which column holds what, by the titles of either language."""
    titles = {key: {column.title.fr.casefold(), column.title.en.casefold()} for key, column in OWN}
    for position, row in enumerate(rows[:10]):
        found = {}
        for place, cell in enumerate(row):
            said = str(cell or "").strip().casefold()
            for key, names in titles.items():
                if said in names:
                    found.setdefault(key, place)
        if all(key in found for key in _NEEDED):
            return position, found
    raise Refused(
        T(
            "« {n} » : les colonnes attendues ne s'y trouvent pas ({c}). Partez du classeur exporté ici.",
            "“{n}”: the expected columns are not there ({c}). Start from the workbook exported here.",
            n=name,
            c=", ".join(str(column.title) for key, column in OWN if key in _NEEDED),
        ),
        kind="input",
    )


def read_own(
    data: bytes,
    name: str,
    *,
    exercise: Exercise,
    organisation: Organisation,
    by: Actor,
    on: dt.date,
    write: bool,
) -> Verdicts:
    """Read a funder's column; each row gets its verdict by the same act as on screen, in a transaction that is only kept
    when ``write`` is asked for and no row is bad.

    Raises:
        Refused: the file cannot be read, or its columns are not there.
    """
    book = sheets.read(data, name)
    sheet = next((s for s in book.sheets if s.rows), None)
    if sheet is None:
        raise Refused(T("« {n} » est vide.", "“{n}” is empty.", n=name), kind="input")
    start, places = _heads(sheet.rows, name)
    projects = {p.slug: p for p in access.projects_for(by, exercise.call, on)}
    partners = _partners(projects)
    current = {
        share.partner_id: share
        for share in Share.objects.filter(
            project__call=exercise.call, funder=organisation, instrument="grant", superseded_at__isnull=True
        )
    }
    found = Verdicts()
    with transaction.atomic():
        seen: set[tuple[str, str]] = set()
        for position, row in enumerate(sheet.rows[start + 1 :], start + 2):
            found_row = _row(position, row, places, partners, current, seen, organisation, by, on, sheet)
            if found_row is not None:
                found.rows.append(found_row)
        if found.bad or not write:
            transaction.set_rollback(True)
        else:
            found.written = True
    return found


def _partners(projects: Mapping[str, Project]) -> dict[tuple[str, str], Partner]:
    rows = Partner.objects.filter(project__in=[p.pk for p in projects.values()], left_on__isnull=True).select_related(
        "organisation", "project"
    )
    return {(row.project.slug, row.key): row for row in rows}


def _row(
    position: int,
    row: Sequence[Any],
    places: Mapping[str, int],
    partners: Mapping[tuple[str, str], Any],
    current: Mapping[int, Share],
    seen: set[tuple[str, str]],
    organisation: Organisation,
    by: Actor,
    on: dt.date,
    sheet: sheets.Sheet,
) -> Verdict | None:
    def cell(key: str) -> Any:
        place = places.get(key)
        return row[place] if place is not None and place < len(row) else None

    if not any(str(value or "").strip() for value in row):
        return None
    key = (str(cell("key") or "").strip(), str(cell("partner_key") or "").strip())
    partner = partners.get(key)

    def verdict(tone: str, text: Any = "", after: Decimal | None = None, before: Decimal | None = None) -> Verdict:
        names = (partner.project.acronym, partner.organisation.name) if partner is not None else key
        return Verdict(position, names[0], names[1], before, after, tone, text)

    if partner is None:
        return verdict(
            "bad",
            T(
                "Aucun partenaire {p} dans un projet {k} que vous suivez.",
                "No partner {p} in a project {k} that you follow.",
                p=key[1] or "–",
                k=key[0] or "–",
            ),
        )
    if key in seen:
        return verdict("bad", T("Ce partenaire est deux fois dans le fichier.", "This partner is twice in the file."))
    seen.add(key)
    before = current.get(partner.pk)
    old = before.intended if before is not None else None
    value = cell("intended")
    if value is None or str(value).strip() == "":
        return verdict("empty", T("Rien de saisi : inchangé.", "Nothing typed: unchanged."), old, old)
    place = (position - 1, places["intended"])
    try:
        if place in sheet.uncomputed:
            raise Refused(T("La formule n'a pas de valeur.", "The formula has no value."), kind="input")
        amount = actions.decimal_of(value, where=sheets.cell_name(position - 1, places["intended"]))
        note = str(cell("note") or "").strip()
        if amount == old and note == (before.note if before is not None else ""):
            return verdict("same", "", old, old)
        actions.intend(
            partner,
            organisation,
            amount=amount,
            note=note,
            by=by,
            on=on,
            simulated=partner.project.simulated,
        )
    except Refused as refusal:
        return verdict("bad", refusal.reason, None, old)
    return verdict("new", "", amount, old)
