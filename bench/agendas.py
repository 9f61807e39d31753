"""The agendas of all committees at once, against statements written by hand that find what they are built from.

A coordination committee for each cluster with a contract, a committee of each region, the national group and a committee of a
theme. The statements read the rows from which points are made and judge only one thing, the actions past their end, whose contracts
are counted on both sides; the product judges them all and says why.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from bench.generate import Size
from bench.measure import Figure, Told, queries_of, turn_about

AIM = 2.0
DAY = dt.date(2010, 6, 30)
RUNNING = (
    "c.state = 'signed' AND c.starts_on <= %s AND c.ends_on >= %s AND c.cluster_id IN "
    "(SELECT cluster_id FROM committees_ground)"
)
LATEST = (
    "(SELECT {key}, {what}, ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY recorded_at DESC, id DESC) AS place "
    "FROM {table} WHERE superseded_at IS NULL {more})"
)
STATEMENTS: dict[str, tuple[str, int]] = {
    "reports": (
        "SELECT c.id, r.due_on, r.state FROM contracts_report r JOIN contracts_contract c ON c.id = r.contract_id "
        f"WHERE {RUNNING}",
        2,
    ),
    "indicators": (
        "SELECT c.id, n.code, n.title, t.year, t.value, o.value FROM contracts_contractindicator n "
        "JOIN contracts_contract c ON c.id = n.contract_id "
        "JOIN contracts_target t ON t.indicator_id = n.id AND t.superseded_at IS NULL "
        "LEFT JOIN indicators_observation o ON o.cluster_id = c.cluster_id AND o.indicator = n.code AND o.breakdown = '' "
        "AND o.superseded_at IS NULL AND o.state = 'validated' AND EXTRACT_YEAR(o.period_end) = t.year "
        f"WHERE n.removed_by_text IS NULL AND {RUNNING}",
        2,
    ),
    "actions": (
        "SELECT c.id, a.id, a.title, a.ends_on, w.status, w.percent FROM contracts_action a "
        "JOIN contracts_contract c ON c.id = a.contract_id LEFT JOIN "
        + LATEST.format(
            key="action_id", what="status, percent", table="contracts_progress", more="AND milestone_id IS NULL"
        )
        + f" w ON w.action_id = a.id AND w.place = 1 WHERE a.removed_by_text IS NULL AND {RUNNING}",
        2,
    ),
    "objectives": (
        "SELECT c.id, b.title, w.status FROM contracts_objective b JOIN contracts_contract c ON c.id = b.contract_id LEFT JOIN "
        + LATEST.format(key="objective_id", what="status", table="contracts_objectivestatus", more="")
        + f" w ON w.objective_id = b.id AND w.place = 1 WHERE b.removed_by_text IS NULL AND {RUNNING}",
        2,
    ),
    "commitments": (
        "SELECT c.id, k.key, k.year, k.amount, k.due_on, "
        "(SELECT SUM(s.amount) FROM contracts_commitmentstep s WHERE s.contract_id = c.id AND s.key = k.key "
        "AND s.superseded_at IS NULL AND s.kind = 'paid') FROM contracts_commitment k "
        f"JOIN contracts_contract c ON c.id = k.contract_id WHERE k.superseded_at IS NULL AND {RUNNING}",
        2,
    ),
    "contracts": (f"SELECT c.cluster_id, c.id, c.title, c.ends_on FROM contracts_contract c WHERE {RUNNING}", 2),
    "labels": (
        "SELECT h.cluster_id, l.code, MAX(p.ends_on) FROM clusters_labelperiod p JOIN clusters_label l ON l.id = p.label_id "
        "JOIN clusters_labelholder h ON h.label_id = l.id AND h.role = 'holder' WHERE p.superseded_at IS NULL "
        "AND p.starts_on <= %s GROUP BY h.cluster_id, l.code HAVING MAX(p.ends_on) >= %s",
        2,
    ),
    "texts": (
        "SELECT t.contract_id, t.state FROM contracts_text t JOIN contracts_contract c ON c.id = t.contract_id "
        f"WHERE t.state NOT IN ('in_force', 'superseded') AND {RUNNING}",
        2,
    ),
    "follow_ups": ("SELECT f.committee_id, f.title, f.due_on FROM committees_followup f WHERE f.state = 'open'", 0),
}


def fill() -> list[Any]:
    """The committees: 71 of one cluster, those of the regions, a national one, one of a theme."""
    from django.conf import settings

    from jalon.clusters.models import ClusterTerritory
    from jalon.committees.models import Committee, Ground
    from jalon.contracts.models import Contract
    from jalon.core.clock import moment_on
    from jalon.people.access import policy

    found = list(Committee.objects.filter(slug__startswith="banc-").order_by("pk"))
    if found:
        return found
    at = moment_on(DAY)
    clusters = sorted(set(Contract.objects.values_list("cluster_id", flat=True)))
    base = {"programme": settings.PROGRAMME, "starts_on": dt.date(2009, 1, 1), "created_at": at, "simulated": True}
    regions = policy().regions_on(DAY)
    codes = sorted(
        set(ClusterTerritory.objects.filter(region_set=regions.code).values_list("region_code", flat=True))
        if regions
        else ()
    )
    made = Committee.objects.bulk_create(
        [
            *(Committee(slug=f"banc-{c}", kind="coordination", title=f"Comité {c}", **base) for c in clusters),
            *(Committee(slug=f"banc-r{c}", kind="funders", title=f"Région {c}", region_code=c, **base) for c in codes),
            Committee(slug="banc-gti", kind="gti", title="GTI", **base),
            Committee(slug="banc-theme", kind="thematic", title="Thématique", **base),
        ]
    )
    own = dict(zip(clusters, made, strict=False))
    Ground.objects.bulk_create(
        [Ground(committee=own[c], cluster_id=c) for c in clusters]
        + [Ground(committee=made[-1], cluster_id=c, lead=not n) for n, c in enumerate(clusters[:8])]
    )
    return list(Committee.objects.filter(slug__startswith="banc-").order_by("pk"))


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """Every agenda at once, as a night's work builds them."""
    if size.contracts > 1_000:
        return []
    from django.db import connection

    from jalon.committees import agenda

    committees = fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    year = "CAST(strftime('%%Y', o.period_end) AS INTEGER)" if connection.vendor == "sqlite" else None
    year = year or "EXTRACT(YEAR FROM o.period_end)"
    statements = {n: (s.replace("EXTRACT_YEAR(o.period_end)", year), k) for n, (s, k) in STATEMENTS.items()}

    def by_hand() -> dict[str, list[Any]]:
        found = {}
        with connection.cursor() as cursor:
            for name, (statement, given) in statements.items():
                cursor.execute(statement, [DAY] * given)
                found[name] = cursor.fetchall()
        return found

    def product() -> dict[int, list[Any]]:
        return agenda.points(committees, DAY)

    rows, made = by_hand(), product()
    ours = Counter()
    for one in committees:
        if one.kind == "coordination":
            ours.update(name for name, _ in made[one.pk])
            ours.update({"late actions": sum(len(p.details) for name, p in made[one.pk] if name == "actions_late")})
    done = ("done", "finished", "reached")
    hand = {
        "actions_late": len({r[0] for r in rows["actions"] if _past(r[3]) and r[4] not in done or r[4] == "cancelled"}),
    }
    for name, number in hand.items():
        if ours[name] != number:
            told.crashed.append(f"agendas: {name}, {ours[name]} instead of {number}")
    timed = turn_about(product, by_hand, runs)
    return [
        Figure(
            "agendas", "agendas", timed.time, timed.base, timed.ratio, AIM,
            queries=queries_of(product), floor_queries=len(statements),
            note=f"{len(committees)} committees, {sum(map(len, made.values()))} points",
        )
    ]  # fmt: skip


def _past(day: Any) -> bool:
    return day is not None and str(day) < DAY.isoformat()
