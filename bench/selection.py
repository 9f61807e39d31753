"""The selection of projects: ranked lists of a thousand and ten thousand projects, the financing table of a call of 200.

Each project has 6 partners and 4 funders. A page is measured against an empty page of the same layout; the reads behind it
against one SQL statement written by hand that gives the same rows; ten thousand projects against a thousand.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from bench.browsing import EMPTY, Browser
from bench.generate import OFFICER, Size
from bench.measure import Figure, Told, queries_of, turn_about

PAGE_AIM, SQL_AIM, GROWTH_AIM = 3.0, 2.0, 1.3
PARTNERS, FUNDERS, CRITERIA = 6, 4, ("technology", "market", "value", "strategy")
DAY = dt.date(2010, 6, 30)

RANKED = """
SELECT p.id, p.acronym, c.total, RANK() OVER (ORDER BY c.passes DESC, c.sort_key DESC) AS place,
  (SELECT SUM(b.amount) FROM projects_budgetline b JOIN projects_partner m ON m.id = b.partner_id WHERE m.project_id = p.id),
  (SELECT SUM(COALESCE(s.decided, s.intended)) FROM selection_share s
    WHERE s.project_id = p.id AND s.superseded_at IS NULL AND s.source = 'state')
FROM projects_project p LEFT JOIN selection_consensus c ON c.project_id = p.id AND c.state = 'closed'
WHERE p.call_id = %s ORDER BY c.passes DESC, c.sort_key DESC, p.acronym LIMIT 50
"""
TABLE = """
WITH bases AS (
  SELECT b.partner_id, SUM(b.amount) AS base FROM projects_budgetline b
  JOIN projects_partner m ON m.id = b.partner_id JOIN projects_project p ON p.id = m.project_id
  WHERE p.call_id = %s GROUP BY b.partner_id
), money AS (
  SELECT s.partner_id, SUM(COALESCE(s.decided, s.intended)) AS aid,
    SUM(CASE WHEN s.source = 'state' THEN COALESCE(s.decided, s.intended) ELSE 0 END) AS state
  FROM selection_share s JOIN projects_project p ON p.id = s.project_id
  WHERE p.call_id = %s AND s.superseded_at IS NULL GROUP BY s.partner_id
)
SELECT p.id, p.acronym, SUM(bases.base), SUM(money.aid), SUM(money.state),
  SUM(CASE WHEN money.aid > bases.base * 0.45 THEN 1 ELSE 0 END)
FROM projects_project p JOIN projects_partner m ON m.project_id = p.id AND m.left_on IS NULL
LEFT JOIN bases ON bases.partner_id = m.id LEFT JOIN money ON money.partner_id = m.id
WHERE p.call_id = %s GROUP BY p.id, p.acronym ORDER BY p.acronym
"""


def fill(code: str, count: int, *, money: bool = True, seed: int = 10) -> Any:
    """A call under assessment with ``count`` projects, all simulated; returns the call."""
    from jalon.core.clock import moment_on
    from jalon.people.models import Organisation
    from jalon.people.rules import name_key
    from jalon.projects.models import BudgetLine, Call, CallRules, Partner, Project
    from jalon.selection import actions
    from jalon.selection.models import Consensus, Exercise, ExerciseCriterion, Share

    rng = random.Random(seed)
    at = moment_on(DAY)
    programme = "fr-poles-de-competitivite"
    call = Call.objects.create(
        programme=programme, code=code, scheme="fui", number=10, kind="rd", title_fr=code, title_en=code,
        opens_on=dt.date(2010, 2, 1), closes_on=dt.date(2010, 4, 30), envelope=Decimal(10) ** 9, state="closed",
        created_at=at, simulated=True,
    )  # fmt: skip
    rules = CallRules.objects.create(call=call, policy_day=DAY, valid_from=DAY, rules=_rules(), made_at=at)
    companies = list(Organisation.objects.order_by("pk").values_list("pk", flat=True)[:3000])
    funders = [
        Organisation.objects.create(
            name=f"Financeur {code} {n}", name_key=name_key(f"Financeur {code} {n}"),
            kind="state_service" if n == 0 else "authority", level="region", created_at=at, simulated=True,
        )
        for n in range(FUNDERS)
    ]  # fmt: skip
    exercise = Exercise.objects.create(
        call=call, policy_day=DAY, fund=funders[0], lowest=0, highest=5, created_at=at, simulated=True
    )
    ExerciseCriterion.objects.bulk_create(
        ExerciseCriterion(exercise=exercise, code=c, title_fr=c, title_en=c, order=n) for n, c in enumerate(CRITERIA)
    )
    projects = Project.objects.bulk_create(
        (
            Project(
                programme=programme, slug=f"{code}-{n:05d}", acronym=f"P{rng.randrange(10**6):06d}", title=f"Projet {n}",
                call=call, rules=rules, state="admissible", submitted_at=at, created_at=at, simulated=True,
            )
            for n in range(count)
        ),
        batch_size=500,
    )  # fmt: skip
    Consensus.objects.bulk_create(
        (
            Consensus(
                exercise=exercise, project=p, state="closed", opened_at=at, closed_at=at, opinion="favourable",
                scores={c: str(Decimal(rng.randrange(2, 11)) / 2) for c in CRITERIA}, simulated=True,
            )
            for p in projects
            if rng.random() < 0.95
        ),
        batch_size=500,
    )  # fmt: skip
    actions.refresh(exercise)
    partners = Partner.objects.bulk_create(
        (
            Partner(
                project=p, organisation_id=one, key=f"p{n + 1}", role="partner" if n else "leader", kind="company",
                size="small", in_territory=True, order=n, simulated=True,
            )
            for p in projects
            for n, one in enumerate(rng.sample(companies, PARTNERS))
        ),
        batch_size=500,
    )  # fmt: skip
    BudgetLine.objects.bulk_create(
        (
            BudgetLine(
                partner=m, year=2010 + n, category="personnel", aid_class="industrial",
                amount=Decimal(rng.randrange(100_000, 400_000)),
            )
            for m in partners
            for n in range(2)
        ),
        batch_size=1000,
    )  # fmt: skip
    if money:
        Share.objects.bulk_create(
            (
                Share(
                    project_id=m.project_id, partner=m, funder=f, source="region" if n else "state",
                    intended=Decimal(rng.randrange(5_000, 30_000)), recorded_at=at, simulated=True,
                )
                for m in partners
                for n, f in enumerate(funders)
            ),
            batch_size=1000,
        )  # fmt: skip
    return call


def _rules() -> dict[str, Any]:
    from jalon.people.access import policy
    from jalon.projects.rules import resolve

    part = policy().part("calls")
    scheme = next(s for s in part.schemes if s.code == "fui")
    return resolve(scheme, scheme.version_for(dt.date(2010, 2, 1), 10))


def _sql(statement: str, arguments: list[int]) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall()


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """Pages and reads of the selection, and how the ranking grows."""
    from django.core.cache import cache
    from django.db import connection

    from jalon.selection import queries

    if size.contracts > 1_000:  # the selection has sizes of its own, measured once
        return []
    tiny = size.contracts < 10
    small, large, table = (20, 60, 10) if tiny else (1_000, 10_000, 200)
    calls = {n: fill(f"banc-{n}", n) for n in dict.fromkeys((small, large, table))}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    browser = Browser(OFFICER)
    empty = lambda: browser.page(EMPTY)  # noqa: E731
    found: list[Figure] = []
    ratios: dict[str, float] = {}
    for name, address in (
        ("selection-ranking-small", f"/selection/banc-{small}/classement/"),
        ("selection-ranking", f"/selection/banc-{large}/classement/"),
        ("selection-ranking-few", f"/selection/banc-{large}/classement/?only=ranked&q=P1234"),
        ("selection-ranking-last", f"/selection/banc-{large}/classement/?page=9999"),
        ("selection-ranking-tried", f"/selection/banc-{large}/classement/?essai=1&w_market=2&min_total=2"),
        ("selection-financing", f"/selection/banc-{table}/financement/"),
    ):

        def act(address: str = address) -> int:
            cache.clear()
            return browser.page(address)

        try:
            timed = turn_about(act, empty, runs, warm=2)
        except RuntimeError as error:
            told.crashed.append(f"{name}: {error}")
            continue
        ratios[name] = timed.ratio
        found.append(
            Figure(
                "selection", name, timed.time, timed.base, timed.ratio, PAGE_AIM,
                queries=queries_of(act), floor_queries=queries_of(empty), note=f"{act() / 1024:.0f} kB",
            )
        )  # fmt: skip
    if "selection-ranking" in ratios and "selection-ranking-small" in ratios:
        growth = ratios["selection-ranking"] / ratios["selection-ranking-small"]
        found.append(
            Figure(
                "selection", "selection-growth", ratios["selection-ranking"], ratios["selection-ranking-small"], growth,
                GROWTH_AIM,
            )
        )  # fmt: skip
    call = calls[table]
    projects = list(call.projects.order_by("acronym"))
    exercise = queries.exercise_of(call)
    read = lambda: queries.plans(projects, exercise=exercise, on=DAY)  # noqa: E731
    by_hand = lambda: _sql(TABLE, [call.pk] * 3)  # noqa: E731
    same = {row[0]: Decimal(str(row[3])) for row in by_hand()}
    wrong = [pk for pk, plan in read().items() if plan.balance.public != same[pk]]
    if wrong:
        told.crashed.append(f"selection-plans: {len(wrong)} sums differ from the statement's")
    timed = turn_about(read, by_hand, runs)
    found.append(
        Figure("selection", "selection-plans", timed.time, timed.base, timed.ratio, SQL_AIM, queries=queries_of(read))
    )
    call = calls[large]
    exercise = queries.exercise_of(call)
    order = ("-consensus__passes", "-consensus__sort_key", "acronym")
    scale = queries.scale_of(exercise)
    rows = lambda: queries.ranking_rows(exercise, list(call.projects.order_by(*order)[:50]), scale)  # noqa: E731
    timed = turn_about(rows, lambda: _sql(RANKED, [call.pk]), runs)
    found.append(
        Figure("selection", "selection-rows", timed.time, timed.base, timed.ratio, SQL_AIM, queries=queries_of(rows))
    )
    return found
