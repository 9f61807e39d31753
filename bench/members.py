"""Importing a list of 20,000 members, against reading the same file and inserting its rows unchecked."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

from bench.generate import DAY, OFFICER, Size, siret
from bench.measure import RUNS, Figure, Idle, Timed, Told, apart

AIM = 2.0
ROWS = 20_000
NEW = 12_000
"""Rows whose organisation is not in the register yet; the others are, without being members of this pôle."""
CLUSTER = "pole-0001"

HEADS = ("Raison sociale", "SIRET", "Code postal", "Ville", "Type de membre", "Date d'entrée")


def rows(size: Size, number: int = ROWS) -> list[tuple[Any, ...]]:
    """The list: six columns, every row valid."""
    from jalon.clusters.models import Membership
    from jalon.people.models import Organisation

    new = number * NEW // ROWS
    here = Membership.objects.filter(cluster__slug=CLUSTER).values("organisation_id")
    known = list(
        Organisation.objects.filter(kind__in=("company", "laboratory"))
        .exclude(pk__in=here)
        .order_by("pk")
        .values_list("pk", "name", "postcode", "city")[: number - new]
    )
    types = ("PME", "PME", "PME", "ETI", "Grande entreprise")
    found: list[tuple[Any, ...]] = [
        (name, siret(pk), postcode, city, types[pk % 5], dt.date(2010, 1, 1 + pk % 28))
        for pk, name, postcode, city in known
    ]
    for n in range(number - len(found)):
        pk = 50_000_000 + n
        found.append(
            (
                f"Nouvelle entreprise {n:05d} de {CLUSTER}",
                siret(pk),
                f"{n % 95 + 1:02d}100",
                f"Ville {n % 900}",
                types[n % 5],
                dt.date(2010, 2, 1 + n % 28),
            )
        )
    return found


def workbook(found: list[tuple[Any, ...]]) -> bytes:
    """The list as an XLSX file."""
    from jalon.core.sheets import Column, write_xlsx

    columns = [Column(title, "date" if title.startswith("Date") else "text") for title in HEADS]
    with write_xlsx([("Membres", columns, found)]) as file:
        return file.read()


def semicolons(found: list[tuple[Any, ...]]) -> bytes:
    """The list as the CSV that a French Excel writes."""
    import csv

    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(HEADS)
    writer.writerows([*row[:5], f"{row[5]:%d/%m/%Y}"] for row in found)
    return out.getvalue().encode("cp1252")


def undone(act: Callable[[], Any]) -> Callable[[], Any]:
    """``act`` in a transaction that is rolled back: each turn finds the same register."""
    from django.db import transaction

    def again() -> Any:
        with transaction.atomic():
            answer = act()
            transaction.set_rollback(True)
        return answer

    return again


def unchecked(data: bytes, name: str, known: dict[str, int]) -> int:
    """The floor: read the file with the same reader, and insert organisation, identifier and membership in bulk.

    ``known``: organisations of the register by SIRET, which the floor is given and need not look up.
    """
    from jalon.clusters.models import Cluster, Membership
    from jalon.core import clock, sheets
    from jalon.people.models import Identifier, Organisation

    cluster = Cluster.objects.get(slug=CLUSTER)
    at = clock.moment_on(DAY)
    table = sheets.read(data, name).sheets[0].rows[1:]
    organisations = [
        Organisation(name=row[0], name_key=row[0].lower(), kind="company", postcode=row[2], city=row[3], created_at=at)
        for row in table
        if str(row[1]) not in known
    ]
    Organisation.objects.bulk_create(organisations, batch_size=1000)
    made = iter(organisations)
    identifiers, memberships = [], []
    for row in table:
        pk = known.get(str(row[1]))
        if pk is None:
            pk = next(made).pk
            identifiers.append(Identifier(organisation_id=pk, scheme="siret", value=str(row[1])))
        joined = row[5] if isinstance(row[5], dt.date) else sheets.as_date(row[5])
        memberships.append(
            Membership(cluster=cluster, organisation_id=pk, member_type="sme", joined_on=joined, recorded_at=at)
        )
    Identifier.objects.bulk_create(identifiers, batch_size=1000)
    Membership.objects.bulk_create(memberships, batch_size=1000)
    return len(memberships)


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """A line of the table for XLSX and one for CSV.

    Raises:
        RuntimeError: the import did not write every row.
    """
    from jalon.clusters.members import actions
    from jalon.clusters.models import Cluster, Membership
    from jalon.core import clock
    from jalon.people.models import Identifier, Mandate
    from jalon.people.queries import actor_from

    number = min(ROWS, size.organisations * 2)
    found = rows(size, number)
    cluster = Cluster.objects.get(slug=CLUSTER)
    mandate = Mandate.objects.select_related("user", "organisation").get(user__email=OFFICER)
    by = actor_from(mandate)
    given = {row[1] for row in found}
    siret_of = Identifier.objects.filter(scheme="siret").values_list("value", "organisation_id")
    known = {value: pk for value, pk in siret_of.iterator() if value in given}

    def imported(name: str, data: bytes, wanted: int = number) -> Any:
        before = Membership.objects.filter(cluster=cluster).count()
        with clock.hold(DAY):
            batch = actions.import_file(cluster, data, name, by=by, on=DAY)
        written = Membership.objects.filter(cluster=cluster).count() - before
        if written != wanted:
            raise RuntimeError(f"{written} of {wanted} rows imported: {batch.summary}")
        return batch

    few = workbook(found[-20:])
    undone(lambda: imported("membres.xlsx", few, 20))()  # what every process loads once
    undone(lambda: unchecked(few, "membres.xlsx", known))()
    files = [("membres.xlsx", workbook(found)), ("membres.csv", semicolons(found))]
    idle = Idle(Cluster.objects.count)
    out = []
    # The two differ in their reader only: the second is measured where that costs the least.
    for name, data in files if size.clusters <= 77 and runs >= RUNS else files[:1]:
        act = undone(lambda name=name, data=data: imported(name, data))
        floor = undone(lambda name=name, data=data: unchecked(data, name, known))
        timed, memory, floor_memory = Timed(), 0, 0
        for _ in range(max(runs // 5, 1)):
            kilobytes, took = apart(floor)
            floor_memory = max(floor_memory, kilobytes - idle.kilobytes)
            timed.floor.append(took)
            kilobytes, took = apart(act)
            memory = max(memory, kilobytes - idle.kilobytes)
            timed.figure.append(took)
        out.append(
            Figure(
                "import", f"import.{name.rpartition('.')[2]}", timed.time, timed.base, timed.ratio, AIM,
                memory=memory, floor_memory=floor_memory, rows=number,
            )
        )  # fmt: skip
    return out
