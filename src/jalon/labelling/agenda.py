"""What labelling asks of committees: the requests that wait for the pôle's committee or bureau, conditions that fall due."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from jalon.core.agenda import Detail, Point
from jalon.core.lang import T
from jalon.labelling import states
from jalon.labelling.models import Condition, LabelRequest

BEFORE = ("received", "opinions", "vote", "voted")
"""States in which the committee (then the bureau) has something to say."""
AHEAD = dt.timedelta(days=60)
"""A condition of a label is announced so long before its day."""


def items_for_many(committees: Sequence[Any], day: dt.date) -> dict[int, list[Point]]:
    """Points of each committee about its clusters; two queries. Nothing for committees of the whole programme."""
    clusters = sorted({c for one in committees for c in one.cluster_ids})
    if not clusters:
        return {}
    requests: dict[int, list[LabelRequest]] = defaultdict(list)
    for row in (
        LabelRequest.objects.filter(cluster_id__in=clusters, state__in=BEFORE, asked_on__lte=day)
        .select_related("project")
        .order_by("due_on", "asked_on", "pk")
    ):
        requests[row.cluster_id].append(row)
    conditions: dict[int, list[Condition]] = defaultdict(list)
    for row in (
        Condition.objects.filter(
            request__cluster_id__in=clusters,
            request__state="conditions",
            lifted_on__isnull=True,
            due_on__lte=day + AHEAD,
        )
        .select_related("request__project")
        .order_by("due_on", "pk")
    ):
        conditions[row.request.cluster_id].append(row)
    found: dict[int, list[Point]] = {}
    for one in committees:
        own = one.scope == "cluster"
        points = [
            point
            for cluster in one.cluster_ids
            for point in (
                [_request(r, day) for r in requests[cluster]] if own else [],
                [] if own or not requests[cluster] else [_many(cluster, requests[cluster], day)],
                [_condition(c, day) for c in conditions[cluster]] if own else [],
            )
            for point in point
        ]
        if points:
            found[one.pk] = points
    return found


def _light(due: dt.date | None, day: dt.date) -> str:
    return "not_started" if due is None else "late" if due < day else "at_risk"


def _request(row: LabelRequest, day: dt.date) -> Point:
    """A request that the pôle's own committee examines, or its bureau decides."""
    decides = row.state == "voted"
    return Point(
        key=row.case,
        title=T("{p} : décision sur le label", "{p}: decision on the label", p=row.project.acronym)
        if decides
        else T("{p} : demande de label", "{p}: request for the label", p=row.project.acronym),
        kind="decision" if decides else "opinion",
        rule=T(
            "Une demande de label attend l'examen du comité ou la décision du bureau.",
            "A request for the label waits for the committee's examination or the bureau's decision.",
        ),
        figures={
            T("où elle en est", "where it stands"): states.TITLES[row.state],
            T("demandée le", "asked on"): row.asked_on,
        },
        light=_light(row.due_on, day),
        case=f"project:{row.project.slug}",
        url=reverse("labelling-request", args=[row.pk]),
        due_on=row.due_on,
        cluster=row.cluster_id,
        simulated=row.simulated,
    )


def _many(cluster: int, rows: list[LabelRequest], day: dt.date) -> Point:
    """Requests of one cluster as several clusters hear of them: how many, not which (a request is the applicant's affair)."""
    late = sum(1 for r in rows if r.due_on is not None and r.due_on < day)
    return Point(
        key=f"labelling:{cluster}",
        title=T("Labellisation : {n} demande(s) en cours", "Labelling: {n} request(s) under way", n=len(rows)),
        kind="information",
        rule=T("Des demandes de label sont en cours dans ces pôles.", "Requests for a label are under way in these clusters."),
        figures={T("demandes", "requests"): len(rows), T("hors délai", "late"): late},
        light="late" if late else "on_track",
        url=reverse("labelling"),
        cluster=cluster,
        simulated=any(r.simulated for r in rows),
    )  # fmt: skip


def _condition(row: Condition, day: dt.date) -> Point:
    project = row.request.project
    light = _light(row.due_on, day)
    return Point(
        key=f"{row.request.case}/condition-{row.pk}",
        title=T("{p} : condition du label à lever", "{p}: condition of the label to lift", p=project.acronym),
        kind="decision",
        rule=T(
            "Une condition du label n'est pas levée et son jour approche ou est passé.",
            "A condition of the label is not lifted and its day is near or past.",
        ),
        figures={T("échéance", "due on"): row.due_on},
        light=light,
        case=f"project:{project.slug}",
        url=reverse("labelling-request", args=[row.request_id]),
        due_on=row.due_on,
        cluster=row.request.cluster_id,
        details=(Detail(f"condition:{row.pk}", row.text, "", light),),
        simulated=row.request.simulated,
    )
