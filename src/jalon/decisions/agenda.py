"""What decisions on labels ask of committees: an opinion awaited, a decision to take or to notify, a condition that falls due.

A proposal is known to national committees only; a committee about some clusters hears of what was decided and notified.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse

from jalon.core.agenda import Detail, Point
from jalon.core.lang import T
from jalon.decisions import rules
from jalon.decisions.models import Decision, Line
from jalon.people.access import policy

AHEAD = dt.timedelta(days=180)
"""A condition of a label is announced so long before its day."""


def items_for_many(committees: Sequence[Any], day: dt.date) -> dict[int, list[Point]]:
    """Points of each committee; at most four queries."""
    laws = policy()
    if rules.part_of(laws) is None:
        return {}
    clusters = sorted({c for one in committees for c in one.cluster_ids})
    national = _files(laws, day) if any(not one.cluster_ids for one in committees) else []
    conditions = _conditions(clusters, day) if clusters else {}
    found: dict[int, list[Point]] = {}
    for one in committees:
        points = [p for c in one.cluster_ids for p in conditions.get(c, ())] if one.cluster_ids else national
        if points:
            found[one.pk] = list(points)
    return found


def _files(laws: Any, day: dt.date) -> list[Point]:
    """Proposals whose opinions were asked for, and decisions that are not notified."""
    points = []
    rows = (
        Decision.objects.filter(Q(state="opinions") | Q(state="decided", known=False, decided_on__lte=day))
        .annotate(told=Count("lines__notices", distinct=True), cases=Count("lines", distinct=True))
        .prefetch_related("opinions", "lines")
        .order_by("proposed_on", "pk")
    )
    for row in rows:
        if row.state == "decided":
            if not row.told:
                points.append(_to_notify(row))
            continue
        asked = rules.bodies_asked(laws, {x.kind for x in row.lines.all()}, day)
        given = {o.body for o in row.opinions.all() if o.replaced_at is None and o.line_id is None}
        awaited = [b for b in asked if b.code not in given]
        points.append(
            Point(
                key=row.case,
                title=T("{t} : avis à rendre", "{t}: opinion to give", t=row.title)
                if awaited
                else T("{t} : décision attendue", "{t}: decision awaited", t=row.title),
                kind="opinion" if awaited else "information",
                rule=T(
                    "Les avis sur la proposition sont demandés ; la décision les attend.",
                    "The opinions on the proposal are asked for; the decision waits for them.",
                ),
                figures={
                    T("proposé le", "proposed on"): row.proposed_on,
                    T("labels concernés", "labels concerned"): row.cases,
                    T("avis rendus", "opinions given"): len(asked) - len(awaited),
                },
                light="at_risk" if awaited else "on_track",
                case=row.case,
                url=reverse("decision", args=[row.slug]),
                details=tuple(
                    Detail(f"{row.case}/{b.code}", b.title, T("avis attendu", "opinion awaited"), "at_risk")
                    for b in awaited
                ),
                simulated=row.simulated,
            )
        )
    return points


def _to_notify(row: Decision) -> Point:
    return Point(
        key=f"{row.case}/notify",
        title=T("{t} : à notifier", "{t}: to notify", t=row.title),
        kind="information",
        rule=T(
            "La décision est prise et personne n'en est notifié : les délais de recours ne courent pas.",
            "The decision is taken and nobody is notified: the time for appeal does not run.",
        ),
        figures={T("décidé le", "decided on"): row.decided_on},
        light="at_risk",
        case=row.case,
        url=reverse("decision", args=[row.slug]),
        simulated=row.simulated,
    )


def _conditions(clusters: list[int], day: dt.date) -> dict[int, list[Point]]:
    """Conditions of labels decided and notified (or public), not yet met, whose day is near or past."""
    found: dict[int, list[Point]] = defaultdict(list)
    told = Q(notices__isnull=False) | Q(decision__published_on__lte=day)
    rows = (
        Line.objects.filter(
            told,
            cluster_id__in=clusters,
            decision__state="decided",
            conditions_due_on__lte=day + AHEAD,
            conditions_met_on__isnull=True,
        )
        .exclude(conditions="")
        .select_related("decision", "cluster")
        .order_by("conditions_due_on", "pk")
        .distinct()
    )
    for row in rows:
        late = row.conditions_due_on < day
        found[row.cluster_id].append(
            Point(
                key=f"{row.decision.case}/line-{row.pk}",
                title=T("{c} : conditions du label à remplir", "{c}: conditions of the label to meet", c=row.cluster.name),
                kind="discussion",
                rule=T(
                    "Le label est donné sous conditions ; leur jour approche ou est passé.",
                    "The label is given under conditions; their day is near or past.",
                ),
                figures={T("échéance", "due on"): row.conditions_due_on},
                light="late" if late else "at_risk",
                case=row.decision.case,
                url=reverse("decision", args=[row.decision.slug]),
                due_on=row.conditions_due_on,
                cluster=row.cluster_id,
                details=(Detail(f"line:{row.pk}", row.conditions, "", "late" if late else "at_risk"),),
                simulated=row.simulated,
            )
        )  # fmt: skip
    return found
