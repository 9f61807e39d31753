"""The check of all State aid ceilings of a call (200 projects, 6 partners, 4 funders) against one SQL statement.

The statement is written by hand for what this call is (small firms, industrial research, collaboration: the highest rate), so
it knows the rate; the product works it out for each partner and says why. Both must find the same partners above the ceiling.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bench.generate import Size
from bench.measure import Figure, Told, queries_of, turn_about
from bench.selection import DAY, fill

AIM = 2.0
PROJECTS = 200
ABOVE = """
WITH bases AS (
  SELECT b.partner_id, SUM(b.amount) AS base FROM projects_budgetline b JOIN projects_partner m ON m.id = b.partner_id
  JOIN projects_project p ON p.id = m.project_id WHERE p.call_id = %s GROUP BY b.partner_id
), money AS (
  SELECT s.partner_id, SUM(COALESCE(s.decided, s.intended)) AS aid FROM selection_share s
  JOIN projects_project p ON p.id = s.project_id
  WHERE p.call_id = %s AND s.superseded_at IS NULL GROUP BY s.partner_id
)
SELECT bases.partner_id, bases.base, money.aid, CASE WHEN money.aid * 100 > bases.base * %s THEN 1 ELSE 0 END
FROM bases JOIN money ON money.partner_id = bases.partner_id
"""


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """The ceilings as the product reads and checks them, and the pure check alone."""
    from django.db import connection
    from django.db.models import F

    from jalon.aid import rules
    from jalon.people.access import policy
    from jalon.selection import queries
    from jalon.selection.models import Share

    if size.contracts > 1_000:  # a call has its own size, measured once
        return []
    call = fill("banc-plafonds", 10 if size.contracts < 10 else PROJECTS)
    # Some partners are given too much, so that there is something to find.
    some = list(Share.objects.filter(project__call=call).order_by("pk").values_list("pk", flat=True)[::97])
    Share.objects.filter(pk__in=some).update(intended=F("intended") + Decimal(600_000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    laws = policy()
    rate = rules.intensity(laws, "industrial", "small", ["collaboration"], DAY).rate
    projects = list(call.projects.order_by("acronym"))

    def by_hand() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(ABOVE, [call.pk, call.pk, int(rate)])
            return cursor.fetchall()

    def read() -> set[int]:
        plans = queries.plans(projects, on=DAY)
        return {
            row.partner.pk
            for plan in plans.values()
            for row in plan.rows
            if row.line.aid_ceiling is not None and row.line.public > row.line.aid_ceiling
        }

    above = {row[0] for row in by_hand() if row[3]}
    lines = [
        rules.Plan(
            str(row[0]), "small", {"industrial": Decimal(str(row[1]))}, {"–": Decimal(str(row[2]))}, ("collaboration",)
        )
        for row in by_hand()
    ]

    def check() -> set[int]:
        return {int(c.partner) for c in rules.check_plans(laws, lines, DAY) if not c.holds}

    for name, act in (("ceilings-call", read), ("ceilings-check", check)):
        if (found := act()) != above:
            told.crashed.append(f"{name}: {len(found ^ above)} partners differ from the statement's")
    figures = []
    for name, act in (("ceilings-call", read), ("ceilings-check", check)):
        timed = turn_about(act, by_hand, runs)
        figures.append(
            Figure(
                "ceilings",
                name,
                timed.time,
                timed.base,
                timed.ratio,
                AIM,
                queries=queries_of(act),
                note=f"{len(above)} above",
            )
        )
    return figures
