"""What evaluations and reviews ask of committees: a hearing under way, a conclusion or a revision of funding that is awaited.

A committee about some clusters hears what these, their funders and the State read already; a national one hears how far the
national campaigns are, never what an authority ordered for itself.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, Q
from django.urls import reverse

from jalon.core.agenda import Point
from jalon.core.lang import T
from jalon.evaluations import queries, states
from jalon.evaluations.models import Campaign, Hearing, Review


def items_for_many(committees: Sequence[Any], day: dt.date) -> dict[int, list[Point]]:
    """Points of each committee; at most three queries."""
    clusters = sorted({c for one in committees for c in one.cluster_ids})
    by_cluster: dict[int, list[Point]] = defaultdict(list)
    if clusters:
        for hearing in (
            Hearing.objects.filter(cluster_id__in=clusters, state__in=("notified", "replied"), notified_on__lte=day)
            .select_related("cluster", "evaluation", "review__contract")
            .order_by("due_on", "pk")
        ):
            by_cluster[hearing.cluster_id].append(_hearing(hearing, day))
        waits = Q(state__in=("open", "hearing")) | Q(
            state="concluded", conclusion="unsatisfactory", revise_funding=True, amendment__isnull=True
        )
        for review in (
            Review.objects.filter(waits, contract__cluster_id__in=clusters, opened_on__lte=day)
            .select_related("contract")
            .order_by("due_on", "pk")
        ):
            by_cluster[review.contract.cluster_id].append(_review(review, day))
    national = _campaigns(day) if any(not one.cluster_ids for one in committees) else []
    found: dict[int, list[Point]] = {}
    for one in committees:
        points = [p for c in one.cluster_ids for p in by_cluster.get(c, ())] if one.cluster_ids else national
        if points:
            found[one.pk] = list(points)
    return found


def _hearing(hearing: Hearing, day: dt.date) -> Point:
    replying = hearing.state == "notified"
    due = hearing.due_on if replying else hearing.position_due_on
    case = f"review:{hearing.review_id}" if hearing.review_id else f"evaluation:{hearing.evaluation_id}"
    return Point(
        key=f"hearing:{hearing.pk}",
        title=T("{c} : réponse aux constats attendue", "{c}: reply to the findings awaited", c=hearing.cluster.name)
        if replying
        else T("{c} : position sur les réponses attendue", "{c}: position on the replies awaited", c=hearing.cluster.name),
        kind="information" if replying else "discussion",
        rule=T(
            "Des constats sont notifiés et le contradictoire n'est pas clos.",
            "Findings are notified and the hearing of both sides is not closed.",
        ),
        figures={
            T("notifiés le", "notified on"): hearing.notified_on,
            T("état", "state"): states.HEARING_TITLES[hearing.state],
        },
        light="at_risk" if due is None or due >= day else "late",
        case=case,
        url=reverse("hearing", args=[hearing.pk]),
        due_on=due,
        cluster=hearing.cluster_id,
        simulated=bool((hearing.evaluation and hearing.evaluation.simulated) or (hearing.review and hearing.review.simulated)),
    )  # fmt: skip


def _review(review: Review, day: dt.date) -> Point:
    concluded = review.state == "concluded"
    return Point(
        key=f"review:{review.pk}",
        title=T("{t} : révision du financement à décider", "{t}: revision of funding to decide", t=review.contract.title)
        if concluded
        else T("{t} : {k} à conclure", "{t}: {k} to conclude", t=review.contract.title, k=states.REVIEW_KINDS[review.kind]),
        kind="decision" if concluded else "opinion",
        rule=T(
            "L'examen est insatisfaisant : il peut ouvrir une révision du financement, qui n'est pas encore écrite.",
            "The review is unsatisfactory: it may open a revision of funding, not written yet.",
        )
        if concluded
        else T("Un examen du contrat est ouvert et n'est pas conclu.", "A review of the contract is open and not concluded."),
        figures={
            T("ouvert le", "opened on"): review.opened_on,
            T("échéance", "due on"): review.due_on,
        },
        light="late" if concluded or (review.due_on is not None and review.due_on < day) else "at_risk",
        case=f"contract:{review.contract.slug}",
        url=reverse("review", args=[review.pk]),
        due_on=review.due_on,
        cluster=review.contract.cluster_id,
        simulated=review.simulated,
    )  # fmt: skip


def _campaigns(day: dt.date) -> list[Point]:
    """National campaigns under way: how many evaluations are at which stage; names of clusters stay out of it."""
    points = []
    rows = (
        Campaign.objects.filter(state__in=("open", "calibration"))
        .exclude(kind="order")
        .annotate(
            total=Count("evaluations"),
            final=Count("evaluations", filter=Q(evaluations__state="final")),
            heard=Count("evaluations", filter=Q(evaluations__state="hearing")),
        )
        .order_by(F("ends_on").asc(nulls_last=True), "pk")
    )
    for row in rows:
        if not row.total:
            continue
        done = row.final == row.total
        points.append(
            Point(
                key=f"campaign:{row.code}",
                title=T("{t} : à publier", "{t}: to publish", t=queries.campaign_title(row))
                if done
                else T("{t} : où elle en est", "{t}: where it stands", t=queries.campaign_title(row)),
                kind="opinion" if done else "information",
                rule=T("Une campagne d'évaluation nationale est en cours.", "A national evaluation campaign is under way."),
                figures={
                    T("pôles évalués", "clusters evaluated"): row.total,
                    T("en contradictoire", "being heard"): row.heard,
                    T("arrêtées", "final"): row.final,
                },
                light="late" if row.ends_on is not None and row.ends_on < day else "on_track",
                case=f"campaign:{row.code}",
                url=reverse("campaign", args=[row.code]),
                due_on=row.ends_on,
                simulated=row.simulated,
            )
        )  # fmt: skip
    return points
