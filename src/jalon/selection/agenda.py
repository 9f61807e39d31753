"""What the selection of projects asks of committees: intentions of a region's funders, the list of a call, its announcement."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse

from jalon.core.agenda import Detail, Point
from jalon.core.lang import T
from jalon.projects.models import Project, ProjectLabel
from jalon.selection import queries
from jalon.selection.access import IN_SELECTION
from jalon.selection.models import Exercise, Share

SHOWN = 30
"""Most projects named under a point; their number is always said."""


def items_for_many(committees: Sequence[Any], day: dt.date) -> dict[int, list[Point]]:
    """Points of each committee; the number of queries does not depend on how many committees there are.

    National committees settle the list; a committee of some clusters hears of the projects that these labelled, and, where
    it gathers the funders of a region, what they have not yet said.
    """
    found: dict[int, list[Point]] = defaultdict(list)
    exercises = list(
        Exercise.objects.filter(Q(state="assessment") | Q(state="decided", announced_on__isnull=True))
        .filter(call__opens_on__lte=day)
        .select_related("call")
        .annotate(settled=Count("consensuses", filter=Q(consensuses__state="closed")))
        .order_by("call__closes_on", "pk")
    )
    if not exercises:
        return {}
    calls = [e.call_id for e in exercises]
    totals = dict(
        Project.objects.filter(call_id__in=calls, state__in=IN_SELECTION)
        .order_by()
        .values_list("call_id")
        .annotate(n=Count("pk"))
    )
    of_clusters = _projects(calls, sorted({c for one in committees for c in one.cluster_ids}))
    for one in committees:
        for exercise in exercises:
            if not one.cluster_ids:
                if totals.get(exercise.call_id):
                    found[one.pk].append(_list(exercise, totals[exercise.call_id], day))
                continue
            rows = [row for cluster in one.cluster_ids for row in of_clusters.get((exercise.call_id, cluster), ())]
            rows = list({row[0]: row for row in rows}.values())
            if rows and exercise.state == "assessment":
                found[one.pk].append(_projects_point(exercise, one.scope, rows))
    return found


def _list(exercise: Exercise, total: int, day: dt.date) -> Point:
    """The list to settle, or to announce."""
    call, case = queries.title_of(exercise.call), f"selection:{exercise.call.code}"
    if exercise.state == "decided":
        return Point(
            key=f"{case}/announce",
            title=T("{c} : la liste arrêtée reste à annoncer", "{c}: the settled list is to be announced", c=call),
            kind="information",
            rule=T(
                "La liste est arrêtée, ses résultats ne sont pas annoncés.",
                "The list is settled, its results are not announced.",
            ),
            figures={T("arrêtée le", "settled on"): exercise.decided_on},
            light="at_risk",
            case=case,
            url=reverse("selection-results", args=[exercise.call.code]),
            simulated=exercise.simulated,
        )
    late = exercise.due_on is not None and exercise.due_on < day
    return Point(
        key=case,
        title=T("{c} : liste à arrêter", "{c}: list to settle", c=call),
        kind="decision",
        rule=T(
            "Des projets sont en instruction, la liste de l'appel n'est pas arrêtée.",
            "Projects are under assessment, the list of the call is not settled.",
        ),
        figures={
            T("projets", "projects"): total,
            T("notes de consensus arrêtées", "consensus scores settled"): exercise.settled,
        },
        light="late" if late else "at_risk" if exercise.settled < total else "on_track",
        case=case,
        url=reverse("selection-ranking", args=[exercise.call.code]),
        due_on=exercise.due_on,
        simulated=exercise.simulated,
    )


def _projects(calls: list[int], clusters: list[int]) -> dict[tuple[int, int], list[tuple[Any, ...]]]:
    """Projects under selection by call and labelling cluster: pk, acronym, slug, whether a local funder is still silent."""
    silent = Share.objects.filter(
        project_id=OuterRef("project_id"), superseded_at__isnull=True, intended__isnull=True, decided__isnull=True
    ).exclude(source="state")
    spoken = Share.objects.filter(project_id=OuterRef("project_id"), superseded_at__isnull=True).exclude(source="state")
    rows = (
        ProjectLabel.objects.filter(
            cluster_id__in=clusters,
            superseded_at__isnull=True,
            outcome__in=("labelled", "conditions"),
            project__call_id__in=calls,
            project__state__in=IN_SELECTION,
        )
        .annotate(waits=Exists(silent), said=Exists(spoken))
        .order_by("project__acronym", "pk")
        .values_list(
            "project__call_id", "cluster_id", "project_id", "project__acronym", "project__slug", "waits", "said"
        )
    )
    found: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
    for call, cluster, pk, acronym, slug, waits, said in rows:
        found[call, cluster].append((pk, acronym, slug, waits or not said))
    return found


def _projects_point(exercise: Exercise, scope: str, rows: list[tuple[Any, ...]]) -> Point:
    call, waiting = queries.title_of(exercise.call), [row for row in rows if row[3]]
    regional = scope == "region"
    shown = waiting if regional else rows
    return Point(
        key=f"selection:{exercise.call.code}/projects",
        title=T(
            "{c} : intentions des financeurs sur {n} projet(s)", "{c}: funders' intentions on {n} project(s)",
            c=call, n=len(rows),
        )
        if regional
        else T("{c} : {n} projet(s) labellisé(s) en instruction", "{c}: {n} labelled project(s) under assessment", c=call, n=len(rows)),
        kind="decision" if regional else "information",
        rule=T(
            "Des projets labellisés par les pôles de la région attendent l'intention des financeurs locaux.",
            "Projects labelled by the region's clusters wait for the intention of local funders.",
        )
        if regional
        else T(
            "Des projets labellisés par ces pôles sont en instruction.",
            "Projects labelled by these clusters are under assessment.",
        ),
        figures={
            T("projets", "projects"): len(rows),
            T("sans intention locale", "without a local intention"): len(waiting),
        },
        light="at_risk" if regional and waiting else "on_track",
        case=f"selection:{exercise.call.code}",
        url=reverse("selection-financing", args=[exercise.call.code]) if regional else reverse("call-projects", args=[exercise.call.code]),
        due_on=exercise.due_on,
        details=tuple(
            Detail(f"project:{slug}", acronym, "", "at_risk" if waits else "on_track", reverse("project-financing", args=[slug]) if regional else "")
            for _, acronym, slug, waits in shown[:SHOWN]
        ),
        simulated=exercise.simulated,
    )  # fmt: skip
