"""Evaluations at national size: the evidence packs of 71 clusters, and their classification under 10,000 weightings.

The packs are measured against statements written by hand that read the same rows; the classification against the same
arithmetic in NumPy, rule of the grid written out. Figures that differ are told below the table, and the run ends with 1.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from bench.generate import Size
from bench.measure import Figure, Told, queries_of, turn_about

AIM = 2.0
DAY = dt.date(2010, 6, 30)
GRID, GOVERNS = "grid-2008", dt.date(2008, 6, 18)
"""The grid, and the day whose parameters govern its campaign."""
CLUSTERS = 71
DRAWS = 10_000

KNOWN = "{t}.recorded_at <= %(end)s AND ({t}.superseded_at IS NULL OR {t}.superseded_at > %(end)s)"
STATEMENTS = {
    "labels": "SELECT h.cluster_id, p.starts_on, p.ends_on, p.certainty, l.code, l.name FROM clusters_labelperiod p "
    "JOIN clusters_label l ON l.id = p.label_id JOIN clusters_labelholder h ON h.label_id = l.id "
    "WHERE h.cluster_id IN ({ids}) AND {p} ORDER BY p.starts_on",
    "members": "SELECT m.cluster_id, m.member_type, m.joined_on, m.left_on, m.simulated, o.name, i.value "
    "FROM clusters_membership m JOIN people_organisation o ON o.id = m.organisation_id "
    "LEFT JOIN people_identifier i ON i.organisation_id = o.id AND i.scheme = 'siren' "
    "WHERE m.cluster_id IN ({ids}) AND m.joined_on <= %(day)s AND {m} ORDER BY o.name",
    "team": "SELECT t.cluster_id, t.title, t.fte, t.status FROM clusters_teampost t "
    "WHERE t.cluster_id IN ({ids}) AND {t} AND t.starts_on <= %(day)s AND (t.ends_on IS NULL OR t.ends_on >= %(day)s)",
    "seats": "SELECT b.cluster_id, b.title, s.college, COUNT(*) FROM clusters_seat s JOIN clusters_governancebody b ON b.id = s.body_id "
    "WHERE b.cluster_id IN ({ids}) AND {s} AND s.starts_on <= %(day)s AND (s.ends_on IS NULL OR s.ends_on >= %(day)s) "
    "GROUP BY b.cluster_id, b.title, s.college",
    "budget": "SELECT g.cluster_id, g.year, g.kind, g.amount FROM contracts_budgetline g WHERE g.cluster_id IN ({ids}) AND {g}",
    "indicators": "SELECT v.cluster_id, v.indicator, v.period_end, v.value, v.unit, v.definition_version, v.origin "
    "FROM indicators_observation v WHERE v.cluster_id IN ({ids}) AND v.state = 'validated' AND v.breakdown = '' "
    "AND v.period_end <= %(day)s AND {v} ORDER BY v.indicator, v.period_end",
    "roadmaps": "SELECT r.cluster_id, r.phase, r.version, r.title, r.validated_on FROM roadmaps_roadmap r "
    "WHERE r.cluster_id IN ({ids}) AND r.validated_on <= %(day)s",
    "contracts": "SELECT c.id, c.cluster_id, c.slug, c.title, c.kind, c.phase, c.starts_on, c.ends_on, c.signed_on, y.kind, o.name "
    "FROM contracts_contract c LEFT JOIN contracts_party y ON y.contract_id = c.id AND y.removed_by_text IS NULL "
    "LEFT JOIN people_organisation o ON o.id = y.organisation_id "
    "WHERE c.cluster_id IN ({ids}) AND c.state IN ('signed', 'closed') AND c.created_at <= %(end)s",
    "actions": "SELECT a.contract_id, b.title, b.axis, a.title, a.starts_on, a.ends_on, a.budget, w.status, w.percent "
    "FROM contracts_action a JOIN contracts_objective b ON b.id = a.objective_id JOIN contracts_contract c ON c.id = a.contract_id "
    "LEFT JOIN (SELECT action_id, status, percent, ROW_NUMBER() OVER (PARTITION BY action_id ORDER BY recorded_at DESC, id DESC) "
    "AS place FROM contracts_progress u WHERE u.milestone_id IS NULL AND {u}) w ON w.action_id = a.id AND w.place = 1 "
    "WHERE c.cluster_id IN ({ids}) AND c.state IN ('signed', 'closed') AND a.removed_by_text IS NULL",
    "targets": "SELECT n.contract_id, n.code, n.title, n.unit, n.baseline, e.year, e.value FROM contracts_contractindicator n "
    "JOIN contracts_contract c ON c.id = n.contract_id LEFT JOIN contracts_target e ON e.indicator_id = n.id AND {e} "
    "WHERE c.cluster_id IN ({ids}) AND c.state IN ('signed', 'closed') AND n.removed_by_text IS NULL",
    "commitments": "SELECT k.contract_id, k.key, k.kind, k.title, k.year, k.amount, k.due_on, o.name FROM contracts_commitment k "
    "JOIN contracts_contract c ON c.id = k.contract_id JOIN contracts_party y ON y.id = k.party_id "
    "JOIN people_organisation o ON o.id = y.organisation_id WHERE c.cluster_id IN ({ids}) AND {k}",
    "steps": "SELECT x.contract_id, x.key, x.kind, x.\"on\", x.amount FROM contracts_commitmentstep x "
    "JOIN contracts_contract c ON c.id = x.contract_id WHERE c.cluster_id IN ({ids}) AND {x}",
    "projects": "SELECT z.cluster_id, z.project_id, j.acronym, j.state, z.lead, z.decided_on FROM projects_projectlabel z "
    "JOIN projects_project j ON j.id = z.project_id WHERE z.cluster_id IN ({ids}) AND z.decided_on <= %(day)s AND {z}",
}  # fmt: skip


def _statements(ids: list[int]) -> dict[str, str]:
    known = {letter: KNOWN.format(t=letter) for letter in "pmtsgvuekxz"}
    inside = ", ".join(map(str, ids))
    return {name: text.format(ids=inside, **known) for name, text in STATEMENTS.items()}


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """Packs of the clusters that have a contract, and their classification."""
    if size.contracts > 1_000:  # the programme has 71 evaluations at most, measured once
        return []
    return [_packs(runs, told), *_classification(runs, told)]


def _packs(runs: int, told: Told) -> Figure:
    from django.db import connection

    from jalon.clusters.models import Cluster
    from jalon.contracts.models import Contract
    from jalon.core.clock import end_of_day
    from jalon.evaluations import packs

    ids = sorted(set(Contract.objects.values_list("cluster_id", flat=True)))[:CLUSTERS]
    clusters = list(Cluster.objects.filter(pk__in=ids).order_by("pk"))
    statements = _statements(ids)
    given = {"day": DAY, "end": end_of_day(DAY)}
    if connection.vendor == "sqlite":  # named parameters of the driver, days as it keeps them
        statements = {n: s.replace("%(day)s", ":day").replace("%(end)s", ":end") for n, s in statements.items()}
        given = {"day": DAY.isoformat(), "end": connection.ops.adapt_datetimefield_value(end_of_day(DAY))}

    def by_hand() -> dict[str, list[Any]]:
        found = {}
        for name, statement in statements.items():
            if connection.vendor == "sqlite":
                found[name] = connection.connection.execute(statement, given).fetchall()
                continue
            with connection.cursor() as cursor:
                cursor.execute(statement, given)
                found[name] = cursor.fetchall()
        return found

    def product() -> dict[int, dict[str, Any]]:
        return packs.packs(clusters, DAY)

    connection.ensure_connection()
    rows, made = by_hand(), product()
    current = [r for r in rows["members"] if r[3] is None or str(r[3]) >= DAY.isoformat()]
    sums = {
        "members": (len(current), sum(p["members"]["total"] for p in made.values())),
        "indicators": (
            len({(r[0], r[1], str(r[2])[:4]) for r in rows["indicators"]}),
            sum(len(years) for p in made.values() for years in p["indicators"].values()),
        ),
        "actions": (
            len(rows["actions"]),
            sum(len(o["actions"]) for p in made.values() for c in p["contracts"] for o in c["objectives"]),
        ),
        "commitments": (
            len(rows["commitments"]),
            sum(len(c["commitments"]) for p in made.values() for c in p["contracts"]),
        ),
        "labels": (len(rows["labels"]), sum(len(p["labels"]) for p in made.values())),
    }
    for name, (hand, ours) in sums.items():
        if hand != ours:
            told.crashed.append(f"evaluations-packs: {name}, {ours} instead of {hand}")
    timed = turn_about(product, by_hand, runs)
    return Figure(
        "evaluations", "evaluations-packs", timed.time, timed.base, timed.ratio, AIM,
        queries=queries_of(product), floor_queries=len(statements), note=f"{len(clusters)} packs, {sums['members'][0]} members",
    )  # fmt: skip


def _classification(runs: int, told: Told) -> list[Figure]:
    """71 sets of marks: their group, and the groups of 10,000 weightings; the floor in NumPy draws its own weights."""
    import numpy

    from jalon.evaluations import classify
    from jalon.people.access import policy

    laws = policy()
    grid = laws.grid(GRID)
    thresholds = classify.thresholds_of(grid, laws.on(GOVERNS))
    names = classify.names(grid)
    rng = random.Random(71)
    codes = [m.code for m in grid.scale.marks]
    marks = [{n: rng.choice(codes) for n in names} for _ in range(CLUSTERS)]
    points = {m.code: float(m.points) for m in grid.scale.marks}
    passes = {m.code: m.passes for m in grid.scale.marks}
    criteria = [
        (float(c.passes_from or 0), [names.index(classify.name(c, q)) for c_, q in grid.questions if c_ is c])
        for c in grid.criteria
    ]
    many = next(r.conditions["failed_at_least"] for r in grid.rules if "failed_at_least" in r.conditions)
    many = int(thresholds[many].value) if isinstance(many, str) else int(many)
    assert [sorted(r.conditions) for r in grid.rules] == [["failed_at_least"], ["failed_at_most", "unmet_at_most"], []]
    groups = [r.group for r in grid.rules]

    def by_hand(weights: Any = None) -> list[dict[str, int]]:
        if weights is None:
            weights = numpy.random.default_rng(2008).integers(500, 2001, (len(names), DRAWS)).astype(float)
        value = numpy.array([[points[m[n]] for n in names] for m in marks])
        unmet = numpy.array([sum(not passes[m[n]] for n in names) for m in marks])
        failed = numpy.zeros((len(marks), DRAWS), dtype=int)
        for limit, columns in criteria:
            failed += (value[:, columns] - limit) @ weights[columns] < -1e-9
        place = numpy.where(failed >= many, 0, numpy.where((failed == 0) & (unmet == 0)[:, None], 1, 2))
        return [
            {groups[k]: int(n) for k, n in zip(*numpy.unique(row, return_counts=True), strict=True)} for row in place
        ]

    def product() -> list[dict[str, int]]:
        drawn = classify.Weightings(grid, DRAWS)
        return [drawn.groups(one, thresholds) for one in marks]

    drawn = classify.Weightings(grid, DRAWS)
    same = numpy.array([drawn.questions[n] for n in names], dtype=float)
    differ = sum(a != b for a, b in zip(by_hand(same), product(), strict=True))
    if differ:
        told.crashed.append(f"evaluations-stability: {differ} clusters differ from NumPy's")

    def once() -> list[str]:
        return [classify.classify(grid, one, thresholds).group for one in marks]

    def once_by_hand() -> list[str]:
        value = numpy.array([[points[m[n]] for n in names] for m in marks])
        unmet = numpy.array([sum(not passes[m[n]] for n in names) for m in marks])
        failed = sum((value[:, columns].mean(axis=1) < limit - 1e-9).astype(int) for limit, columns in criteria)
        return [groups[k] for k in numpy.where(failed >= many, 0, numpy.where((failed == 0) & (unmet == 0), 1, 2))]

    differ = sum(a != b for a, b in zip(once(), once_by_hand(), strict=True))
    if differ:
        told.crashed.append(f"evaluations-classification: {differ} clusters differ from NumPy's")
    found = []
    for name, act, floor in (
        ("evaluations-classification", once, once_by_hand),
        ("evaluations-stability", product, by_hand),
    ):
        timed = turn_about(act, floor, runs)
        found.append(Figure("evaluations", name, timed.time, timed.base, timed.ratio, AIM, queries=0, note=""))
    return found
