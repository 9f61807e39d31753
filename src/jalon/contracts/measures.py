"""What contracts can count: budget, actions and objectives of the pôle, payments of the public side.

Cumulated measures go from the beginning of the contract to the last day of the period, over the contracts of
the cluster that were signed and run on at least one day of the period.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from jalon.contracts.follow_rules import PRIVATE_MONEY, PUBLIC_MONEY
from jalon.contracts.models import Action, BudgetLine, Commitment, CommitmentStep, Objective, ObjectiveStatus, Progress
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.core.prepared import Prepared
from jalon.programme.measuring import Measure, measures

LINK = "contract-dashboard"


def _living(
    queryset: QuerySet, clusters: Collection[int] | None, start: date, end: date, prefix: str = "contract__"
) -> QuerySet:
    """Rows of signed contracts that share a day with the period."""
    found = queryset.filter(
        **{f"{prefix}state__in": ("signed", "closed"), f"{prefix}starts_on__lte": end, f"{prefix}ends_on__gte": start}
    )
    return found if clusters is None else found.filter(**{f"{prefix}cluster_id__in": list(clusters)})


@Prepared
def _budget_rows(clusters: Collection[int] | None, year: int, known_on: date | None) -> QuerySet:
    lines = as_known_on(BudgetLine.objects.filter(year=year), known_on)
    if clusters is not None:
        lines = lines.filter(cluster_id__in=list(clusters))
    return (
        lines.order_by()
        .values_list("cluster_id")
        .annotate(
            total=Sum("amount", filter=~Q(kind="in_kind")),
            public=Sum("amount", filter=Q(kind__in=PUBLIC_MONEY)),
            private=Sum("amount", filter=Q(kind__in=PRIVATE_MONEY)),
        )
    )


@measures(
    Measure(
        "contracts.budget_total",
        unit="money",
        time="flow",
        link=LINK,
        note=T(
            "Recettes du budget d'animation de l'année, contributions en nature non comprises.",
            "Income of the year's running budget, contributions in kind left out.",
        ),
    ),
    Measure("contracts.budget_public", unit="money", time="flow", link=LINK),
    Measure("contracts.budget_private", unit="money", time="flow", link=LINK),
)
def budget(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """The running budget of the year in which the period ends; in kind is counted apart from money."""
    rows = _budget_rows(clusters=clusters, year=period_end.year, known_on=known_on)
    zero = Decimal(0)
    return {
        cluster: {
            "contracts.budget_total": total or zero,
            "contracts.budget_public": public or zero,
            "contracts.budget_private": private or zero,
        }
        for cluster, total, public, private in rows
    }


@Prepared
def _action_rows(clusters: Collection[int] | None, start: date, end: date, known_on: date | None) -> QuerySet:
    done = as_known_on(
        Progress.objects.filter(
            action=OuterRef("pk"), milestone__isnull=True, status="done", done_on__lte=OuterRef("ends_on")
        ),
        known_on,
    )
    return (
        _living(Action.objects.filter(removed_by_text__isnull=True), clusters, start, end)
        .order_by()
        .values_list("contract__cluster_id")
        .annotate(
            due=Count("id", filter=Q(ends_on__lte=end)),
            on_time=Count("id", filter=Q(ends_on__lte=end) & Exists(done)),
        )
    )


@measures(
    Measure("contracts.actions_due", unit="count", time="cumulated", link=LINK),
    Measure("contracts.actions_on_time", unit="count", time="cumulated", link=LINK),
)
def actions(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """Actions whose end fell by the last day of the period, and those finished by their planned end."""
    rows = _action_rows(clusters=clusters, start=period_start, end=period_end, known_on=known_on)
    return {c: {"contracts.actions_due": due, "contracts.actions_on_time": on_time} for c, due, on_time in rows}


@Prepared
def _objective_rows(clusters: Collection[int] | None, start: date, end: date, known_on: date | None) -> QuerySet:
    reached = as_known_on(
        ObjectiveStatus.objects.filter(objective=OuterRef("pk"), status="reached", validated=True, on__lte=end),
        known_on,
    )
    return (
        _living(Objective.objects.filter(removed_by_text__isnull=True), clusters, start, end)
        .order_by()
        .values_list("contract__cluster_id")
        .annotate(total=Count("id"), reached=Count("id", filter=Exists(reached)))
    )


@measures(
    Measure("contracts.objectives_total", unit="count", time="cumulated", link=LINK),
    Measure(
        "contracts.objectives_reached",
        unit="count",
        time="cumulated",
        link=LINK,
        note=T(
            "Objectifs déclarés atteints par le pôle et validés par l'État.",
            "Objectives declared reached by the cluster and validated by the State.",
        ),
    ),
)
def objectives(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """Objectives of the contract, and those reached with the State's agreement by the last day of the period."""
    rows = _objective_rows(clusters=clusters, start=period_start, end=period_end, known_on=known_on)
    return {c: {"contracts.objectives_total": total, "contracts.objectives_reached": n} for c, total, n in rows}


@Prepared
def _due_rows(clusters: Collection[int] | None, start: date, end: date, known_on: date | None) -> QuerySet:
    due = _living(
        as_known_on(Commitment.objects.filter(kind="money", amount__isnull=False), known_on), clusters, start, end
    )
    return due.order_by().values_list("contract__cluster_id").annotate(total=Sum("amount", filter=Q(due_on__lte=end)))


@Prepared
def _paid_rows(clusters: Collection[int] | None, start: date, end: date, known_on: date | None) -> QuerySet:
    steps = as_known_on(CommitmentStep.objects.filter(kind="paid", on__lte=end), known_on)
    owed = as_known_on(
        Commitment.objects.filter(contract=OuterRef("contract"), key=OuterRef("key"), kind="money", due_on__lte=end),
        known_on,
    )
    return (
        _living(steps, clusters, start, end)
        .filter(Exists(owed))
        .order_by()
        .values_list("contract__cluster_id")
        .annotate(total=Sum("amount"))
    )


@measures(
    Measure(
        "contracts.commitments_due",
        unit="money",
        time="cumulated",
        link=LINK,
        note=T(
            "Montants promis par les parties publiques, échus à la fin de la période.",
            "Amounts promised by the public parties, due by the end of the period.",
        ),
    ),
    Measure(
        "contracts.commitments_paid",
        unit="money",
        time="cumulated",
        link=LINK,
        note=T(
            "Versements déclarés sur ces montants échus, à la fin de la période.",
            "Payments declared on those due amounts, by the end of the period.",
        ),
    ),
)
def commitments(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """Public money due by the last day of the period, and what was paid of it. Two queries."""
    asked = {"clusters": clusters, "start": period_start, "end": period_end, "known_on": known_on}
    promised, paid = dict(_due_rows(**asked)), dict(_paid_rows(**asked))
    zero = Decimal(0)
    return {
        c: {"contracts.commitments_due": total or zero, "contracts.commitments_paid": paid.get(c) or zero}
        for c, total in promised.items()
    }
