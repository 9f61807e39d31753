"""Computing every indicator of every contract, against one SQL statement that gives the same figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bench.generate import Size
from bench.measure import Figure, Idle, Told, queries_of, turn_about

START, END = dt.date(2009, 1, 1), dt.date(2009, 12, 31)
AIM = 2.0

TYPES = ("sme", "mid", "large", "research_training", "other")


def _here(kind: str) -> str:
    return f"COUNT(*) FILTER (WHERE (left_on IS NULL OR left_on >= %(end)s) AND member_type {kind})"


EACH_TYPE = ", ".join(_here(f"= '{t}'") + f" AS {t}" for t in TYPES)
STATEMENT = f"""
WITH who AS (
  SELECT DISTINCT cluster_id FROM contracts_contract
  WHERE state IN ('signed', 'closed') AND starts_on <= %(end)s AND ends_on >= %(start)s
), living AS (
  SELECT id, cluster_id FROM contracts_contract
  WHERE state IN ('signed', 'closed') AND starts_on <= %(end)s AND ends_on >= %(start)s
), members AS (
  SELECT cluster_id,
    COUNT(*) FILTER (WHERE left_on IS NULL OR left_on >= %(end)s) AS total,
    {_here("IN ('sme', 'mid', 'large')")} AS firm,
    {EACH_TYPE},
    COUNT(*) FILTER (WHERE joined_on >= %(start)s) AS joined,
    COUNT(*) FILTER (WHERE left_on >= %(start)s AND left_on <= %(end)s) AS gone
  FROM clusters_membership
  WHERE superseded_at IS NULL AND joined_on <= %(end)s AND cluster_id IN (SELECT cluster_id FROM who)
  GROUP BY cluster_id
), team AS (
  SELECT cluster_id,
    COALESCE(SUM(fte) FILTER (WHERE ends_on IS NULL OR ends_on >= %(end)s), 0) AS fte,
    COALESCE(SUM(fte) FILTER (WHERE (ends_on IS NULL OR ends_on >= %(end)s) AND status = 'employed'), 0) AS employed,
    COALESCE(SUM(fte) FILTER (WHERE (ends_on IS NULL OR ends_on >= %(end)s) AND status = 'seconded'), 0) AS seconded
  FROM clusters_teampost
  WHERE superseded_at IS NULL AND starts_on <= %(end)s AND cluster_id IN (SELECT cluster_id FROM who)
  GROUP BY cluster_id
), budget AS (
  SELECT cluster_id,
    COALESCE(SUM(amount) FILTER (WHERE kind <> 'in_kind'), 0) AS total,
    COALESCE(SUM(amount) FILTER (WHERE kind IN ('state', 'local', 'europe')), 0) AS public,
    COALESCE(SUM(amount) FILTER (WHERE kind IN ('fees', 'services', 'sponsorship')), 0) AS private
  FROM contracts_budgetline
  WHERE superseded_at IS NULL AND year = %(year)s AND cluster_id IN (SELECT cluster_id FROM who)
  GROUP BY cluster_id
), acts AS (
  SELECT l.cluster_id,
    COUNT(*) FILTER (WHERE a.ends_on <= %(end)s) AS due,
    COUNT(*) FILTER (WHERE a.ends_on <= %(end)s AND EXISTS (
      SELECT 1 FROM contracts_progress p WHERE p.action_id = a.id AND p.milestone_id IS NULL AND p.superseded_at IS NULL
        AND p.status = 'done' AND p.done_on <= a.ends_on)) AS on_time
  FROM contracts_action a JOIN living l ON l.id = a.contract_id
  WHERE a.removed_by_text IS NULL GROUP BY l.cluster_id
), goals AS (
  SELECT l.cluster_id,
    COUNT(*) AS total,
    COUNT(*) FILTER (WHERE EXISTS (
      SELECT 1 FROM contracts_objectivestatus s WHERE s.objective_id = o.id AND s.superseded_at IS NULL
        AND s.status = 'reached' AND s.validated AND s."on" <= %(end)s)) AS reached
  FROM contracts_objective o JOIN living l ON l.id = o.contract_id
  WHERE o.removed_by_text IS NULL GROUP BY l.cluster_id
), due AS (
  SELECT l.cluster_id, COALESCE(SUM(c.amount) FILTER (WHERE c.due_on <= %(end)s), 0) AS total
  FROM contracts_commitment c JOIN living l ON l.id = c.contract_id
  WHERE c.superseded_at IS NULL AND c.kind = 'money' AND c.amount IS NOT NULL GROUP BY l.cluster_id
), paid AS (
  SELECT l.cluster_id, SUM(s.amount) AS total
  FROM contracts_commitmentstep s JOIN living l ON l.id = s.contract_id
  WHERE s.superseded_at IS NULL AND s.kind = 'paid' AND s."on" <= %(end)s AND EXISTS (
    SELECT 1 FROM contracts_commitment c WHERE c.contract_id = s.contract_id AND c.key = s.key AND c.kind = 'money'
      AND c.superseded_at IS NULL AND c.due_on <= %(end)s)
  GROUP BY l.cluster_id
)
SELECT who.cluster_id,
  m.total, {", ".join(f"m.{t}" for t in TYPES)}, {", ".join(f"100.0 * m.{t} / NULLIF(m.total, 0)" for t in TYPES)},
  100.0 * m.sme / NULLIF(m.firm, 0), m.joined, m.gone,
  t.fte, t.employed, t.seconded, 100.0 * t.seconded / NULLIF(t.fte, 0),
  b.total, 100.0 * b.private / NULLIF(b.total, 0), 100.0 * b.public / NULLIF(b.total, 0),
  100.0 * a.on_time / NULLIF(a.due, 0), 100.0 * g.reached / NULLIF(g.total, 0),
  100.0 * COALESCE(p.total, 0) / NULLIF(d.total, 0)
FROM who
LEFT JOIN members m ON m.cluster_id = who.cluster_id
LEFT JOIN team t ON t.cluster_id = who.cluster_id
LEFT JOIN budget b ON b.cluster_id = who.cluster_id
LEFT JOIN acts a ON a.cluster_id = who.cluster_id
LEFT JOIN goals g ON g.cluster_id = who.cluster_id
LEFT JOIN due d ON d.cluster_id = who.cluster_id
LEFT JOIN paid p ON p.cluster_id = who.cluster_id
"""

COLUMNS = (
    ("members_total", ""),
    *(("members_total", f"type={t}") for t in TYPES),
    *(("members_by_type", f"type={t}") for t in TYPES),
    ("sme_share", ""),
    ("members_joined", ""),
    ("members_left", ""),
    ("team_fte", ""),
    ("team_fte", "status=employed"),
    ("team_fte", "status=seconded"),
    ("team_seconded_share", ""),
    ("animation_budget", ""),
    ("private_share", ""),
    ("public_share", ""),
    ("actions_on_time", ""),
    ("objectives_reached", ""),
    ("commitments_paid", ""),
)


def by_hand() -> dict[tuple[int, str, str], Any]:
    """The figures by the statement: (cluster, indicator, breakdown) → value."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"start": START, "end": END, "year": END.year})
        rows = cursor.fetchall()
    return {(row[0], *name): value for row in rows for name, value in zip(COLUMNS, row[1:], strict=True)}


def clusters() -> list[int]:
    """The pôles that have a contract living in the year."""
    from jalon.contracts.models import Contract

    return list(
        Contract.objects.filter(state__in=("signed", "closed"), starts_on__lte=END, ends_on__gte=START)
        .order_by()
        .values_list("cluster_id", flat=True)
        .distinct()
    )


def by_engine() -> Mapping[tuple[int, str], Any]:
    """The figures as every page and report gets them: the clusters that have a contract, then the engine."""
    from jalon.indicators import engine
    from jalon.people.access import policy

    # The statement by hand knows contracts and members; the data of this part hold no project.
    asked = [i for i in policy().indicators if not i.code.startswith("project_records_")]
    return engine.compute(asked, clusters(), START, END)


def differences() -> list[str]:
    """Where the two do not agree to the second decimal; also figures that only one of them has."""
    flat = {}
    for (cluster, code), figure in by_engine().items():
        if figure.indicator.formula:
            flat[cluster, code, ""] = figure.value
        flat |= {(cluster, code, key): value for key, value in figure.breakdowns.items()}
    hand = by_hand()
    found = [f"{key}: only one side has it" for key in flat.keys() ^ hand.keys()]
    for key in flat.keys() & hand.keys():
        a, b = flat[key], hand[key]
        if (a is None) != (b is None) or (a is not None and abs(Decimal(a) - Decimal(str(b))) > Decimal("0.0051")):
            found.append(f"{key}: engine {a}, statement {b}")
    return sorted(found)


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """The line of the table.

    Raises:
        RuntimeError: engine and statement disagree.
    """
    from jalon.people.access import policy

    policy()
    memory = Idle(clusters).above(by_engine)
    wrong = differences()
    if wrong:
        raise RuntimeError(f"{len(wrong)} figures differ, first: {wrong[0]}")
    number = len(by_hand())
    timed = turn_about(by_engine, by_hand, runs)
    return [
        Figure(
            "figures",
            "figures",
            timed.time,
            timed.base,
            timed.ratio,
            AIM,
            queries=queries_of(by_engine),
            floor_queries=1,
            memory=memory,
            rows=number,
        )
    ]
