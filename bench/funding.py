"""Importing 10,000 rows of the accounting system, against reading the same file and inserting its rows unchecked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from bench.generate import DAY, Size
from bench.measure import RUNS, Figure, Idle, Timed, Told, apart
from bench.members import undone

AIM = 2.0
ROWS = 10_000
PER_AGREEMENT = 4
FUNDER = "Fonds du banc d'essai"
MANAGER = "gestionnaire@banc.invalid"


def prepare(number: int) -> None:
    """Agreements with four payment orders each, all waiting to be paid; made once per database."""
    from jalon.core import clock
    from jalon.funding.models import Agreement, Claim, Instalment, PaymentOrder
    from jalon.people.access import policy
    from jalon.people.models import Mandate, Organisation, User
    from jalon.projects.models import Partner, Project

    if User.objects.filter(email=MANAGER).exists():
        return
    at, programme = clock.moment_on(DAY), policy().slug
    funder = Organisation.objects.create(name=FUNDER, name_key="fonds du banc", kind="state_service", created_at=at)
    user = User.objects.create_user(MANAGER, "Gestionnaire du banc", simulated=True)
    Mandate.objects.create(
        user=user, organisation=funder, programme=programme, role="fund_manager", starts_on=dt.date(2005, 1, 1)
    )
    count = -(-number // PER_AGREEMENT)
    bodies = list(
        Organisation.objects.filter(identifiers__scheme="siret", kind="company")
        .order_by("pk")
        .values_list("pk", flat=True)[:count]
    )
    projects = Project.objects.bulk_create(
        (
            Project(
                programme=programme,
                slug=f"compta-{n}",
                acronym=f"BANC{n}",
                title="Banc",
                state="running",
                created_at=at,
                simulated=True,
            )
            for n in range(count)
        ),
        batch_size=1000,
    )
    partners = Partner.objects.bulk_create(
        (
            Partner(project=p, organisation_id=bodies[n % len(bodies)], key="p1", role="leader", simulated=True)
            for n, p in enumerate(projects)
        ),
        batch_size=1000,
    )
    amount = Decimal("25000.00")
    agreements = Agreement.objects.bulk_create(
        (
            Agreement(
                programme=programme, number=f"CB-{n:05d}", project=projects[n], partner=p, beneficiary_id=p.organisation_id,
                funder=funder, subject="Banc", amount=amount * PER_AGREEMENT, ordered=amount * PER_AGREEMENT,
                commitment=f"EJ{n:06d}", state="running", policy_day=DAY, created_at=at, simulated=True,
            )
            for n, p in enumerate(partners)
        ),
        batch_size=500,
    )  # fmt: skip
    places = [(a, k) for a in agreements for k in range(1, PER_AGREEMENT + 1)]
    instalments = Instalment.objects.bulk_create(
        (Instalment(agreement=a, number=k, kind="intermediate", amount=amount, ordered=amount) for a, k in places),
        batch_size=1000,
    )
    day = DAY - dt.timedelta(days=40)
    claims = Claim.objects.bulk_create(
        (
            Claim(
                agreement=a, instalment=i, number=k, state="ordered", amount=amount, proposed=amount, certified=amount,
                submitted_on=day, ordered_on=day, created_at=at, simulated=True,
            )
            for (a, k), i in zip(places, instalments, strict=True)
        ),
        batch_size=500,
    )  # fmt: skip
    PaymentOrder.objects.bulk_create(
        (
            PaymentOrder(
                agreement=a, claim=c, funder=funder, number=f"{a.number}/{k}", payee_id=a.beneficiary_id, amount=amount,
                ordered_on=day, simulated=True,
            )
            for (a, k), c in zip(places, claims, strict=True)
        ),
        batch_size=500,
    )  # fmt: skip


def book(number: int, kind: str) -> bytes:
    """The file of the accounting system: every order, paid."""
    from jalon.core.sheets import write_csv, write_xlsx
    from jalon.funding.accounting import COLUMNS
    from jalon.funding.accounting_actions import export_rows
    from jalon.funding.models import PaymentOrder

    orders = PaymentOrder.objects.filter(agreement__funder__name=FUNDER, state="ordered")
    orders = orders.select_related("agreement__beneficiary", "payee", "funder").order_by("id")[:number]
    rows = []
    for n, cells in enumerate(export_rows(orders)):
        rows.append([*cells[:8], DAY - dt.timedelta(days=n % 30), f"V{n:06d}"])
    columns = [c for _, c in COLUMNS]
    if kind == "csv":
        return b"".join(write_csv(columns, rows, french=True))
    with write_xlsx([("Paiements", columns, rows)]) as file:
        return file.read()


def unchecked(data: bytes, name: str, known: dict[str, tuple[int, int, int, int]]) -> int:
    """The floor: read the file with the same reader, and insert a row per payment in bulk, without any check.

    ``known``: agreement, claim, funder and payee of each order by its number, which the floor is given and need not look up.
    """
    from jalon.core import sheets
    from jalon.funding.models import PaymentOrder

    rows = []
    for row in sheets.read(data, name).sheets[0].rows[1:]:
        agreement, claim, funder, payee = known[str(row[5])]
        rows.append(
            PaymentOrder(
                agreement_id=agreement, claim_id=claim, funder_id=funder, payee_id=payee, number=f"X{row[9]}",
                amount=sheets.as_decimal(row[7]), state="cancelled", ordered_on=sheets.as_date(row[8]), reference=row[9],
            )
        )  # fmt: skip
    PaymentOrder.objects.bulk_create(rows, batch_size=1000)
    return len(rows)


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """A line of the table for XLSX and one for CSV: preview and acceptance.

    Raises:
        RuntimeError: the import did not pay every order.
    """
    from jalon.core import clock
    from jalon.funding import accounting_actions as acts
    from jalon.funding.models import PaymentOrder
    from jalon.people.models import Mandate
    from jalon.people.queries import actor_from

    number = min(ROWS, size.organisations * 2)
    prepare(number)
    by = actor_from(Mandate.objects.select_related("user", "organisation").get(user__email=MANAGER))
    known = {
        row[0]: row[1:]
        for row in PaymentOrder.objects.filter(agreement__funder__name=FUNDER).values_list(
            "number", "agreement_id", "claim_id", "funder_id", "payee_id"
        )
    }

    def imported(name: str, data: bytes, wanted: int = number) -> Any:
        with clock.hold(DAY):
            batch = acts.accept(acts.receive(data, name, by=by, on=DAY), by=by, on=DAY)
        if batch.counts.get("written") != wanted:
            raise RuntimeError(f"{batch.counts} of {wanted} rows")
        return batch

    few = book(20, "xlsx")
    undone(lambda: imported("compta.xlsx", few, 20))()  # what every process loads once
    undone(lambda: unchecked(few, "compta.xlsx", known))()
    kinds = ("xlsx", "csv") if size.clusters <= 77 and runs >= RUNS else ("xlsx",)
    idle = Idle(PaymentOrder.objects.count)
    out = []
    for kind in kinds:
        name, data = f"compta.{kind}", book(number, kind)
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
                "accounting", f"accounting.{kind}", timed.time, timed.base, timed.ratio, AIM,
                memory=memory, floor_memory=floor_memory, rows=number,
            )
        )  # fmt: skip
    return out
