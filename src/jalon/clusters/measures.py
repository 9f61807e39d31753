"""What the register can count: members by type, joins and departures, team.

A member counts on a day when it had joined and had not left before that day (ends are inclusive). A cluster
without any recorded membership on that day or before is unknown, not zero.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from jalon.clusters.models import Membership, TeamPost
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.core.prepared import Prepared
from jalon.people.access import policy
from jalon.programme.measuring import Measure, counted_once, measures

TYPES = ("sme", "mid", "large", "research_training", "other")
MEMBERS = tuple(f"clusters.members_{t}" for t in TYPES)
LINK = "cluster"


def _among(queryset: QuerySet, clusters: Collection[int] | None) -> QuerySet:
    return queryset if clusters is None else queryset.filter(cluster_id__in=list(clusters))


def _firms() -> list[str]:
    """Member types that are companies, by the policy."""
    return [t.code for t in policy().members.types if t.firm]


def _present(day: date) -> Q:
    return Q(left_on__isnull=True) | Q(left_on__gte=day)


def _counts(day: date, what: str = "id", *, distinct: bool = False) -> dict[str, Count]:
    here = _present(day)
    return {
        "members": Count(what, filter=here, distinct=distinct),
        "members_firm": Count(what, filter=here & Q(member_type__in=_firms()), distinct=distinct),
        **{f"members_{t}": Count(what, filter=here & Q(member_type=t), distinct=distinct) for t in TYPES},
    }


@Prepared
def _member_rows(clusters: Collection[int] | None, start: date, end: date, known_on: date | None) -> QuerySet:
    return (
        _among(as_known_on(Membership.objects.filter(joined_on__lte=end), known_on), clusters)
        .order_by()
        .values_list("cluster_id", "member_type")
        .annotate(
            here=Count("member_type", filter=_present(end)),
            joined=Count("member_type", filter=Q(joined_on__gte=start)),
            left=Count("member_type", filter=Q(left_on__gte=start, left_on__lte=end)),
        )
    )


@measures(
    Measure("clusters.members", unit="count", time="stock", link=LINK),
    *(Measure(name, unit="count", time="stock", link=LINK) for name in MEMBERS),
    Measure("clusters.members_firm", unit="count", time="stock", link=LINK),
    Measure(
        "clusters.members_joined",
        unit="count",
        time="flow",
        link=LINK,
        note=T("Adhésions dont le premier jour est dans la période.", "Memberships whose first day is in the period."),
    ),
    Measure(
        "clusters.members_left",
        unit="count",
        time="flow",
        link=LINK,
        note=T("Adhésions dont le dernier jour est dans la période.", "Memberships whose last day is in the period."),
    ),
)
def members(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """Members on the last day, joins and departures of the period: one query for all clusters.

    Grouped by cluster and type, in the order of the index of current memberships, so that nothing is sorted.
    """
    rows = _member_rows(clusters=clusters, start=period_start, end=period_end, known_on=known_on)
    firms = set(_firms())
    nothing = dict.fromkeys(
        ("clusters.members", "clusters.members_firm", *MEMBERS, "clusters.members_joined", "clusters.members_left"), 0
    )
    out: dict[int, dict[str, Any]] = {}
    for cluster, kind, here, joined, left in rows:
        found = out.get(cluster)
        if found is None:
            found = out[cluster] = nothing.copy()
        found["clusters.members"] += here
        if kind in firms:
            found["clusters.members_firm"] += here
        name = f"clusters.members_{kind}"
        if name in found and kind in TYPES:
            found[name] += here
        found["clusters.members_joined"] += joined
        found["clusters.members_left"] += left
    return out


@counted_once("clusters.members", *MEMBERS, "clusters.members_firm")
def organisations(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> Mapping[str, Any]:
    """Organisations that are members of at least one of the clusters, each counted once."""
    found = _among(as_known_on(Membership.objects.filter(joined_on__lte=period_end), known_on), clusters)
    counts = found.aggregate(**_counts(period_end, "organisation_id", distinct=True), records=Count("id"))
    if not counts.pop("records"):
        return {}
    return {f"clusters.{name}": value for name, value in counts.items()}


@Prepared
def _team_rows(clusters: Collection[int] | None, end: date, known_on: date | None) -> QuerySet:
    here = Q(ends_on__isnull=True) | Q(ends_on__gte=end)
    return (
        _among(as_known_on(TeamPost.objects.filter(starts_on__lte=end), known_on), clusters)
        .order_by()
        .values_list("cluster_id")
        .annotate(
            whole=Sum("fte", filter=here),
            seconded=Sum("fte", filter=here & Q(status="seconded")),
            employed=Sum("fte", filter=here & Q(status="employed")),
        )
    )


@measures(
    Measure("clusters.team_fte", unit="fte", time="stock", link=LINK),
    Measure("clusters.team_seconded_fte", unit="fte", time="stock", link=LINK),
    Measure("clusters.team_employed_fte", unit="fte", time="stock", link=LINK),
)
def team(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """The permanent team on the last day of the period, in full-time equivalents."""
    rows = _team_rows(clusters=clusters, end=period_end, known_on=known_on)
    zero = Decimal(0)
    return {
        cluster: {
            "clusters.team_fte": whole or zero,
            "clusters.team_seconded_fte": seconded or zero,
            "clusters.team_employed_fte": employed or zero,
        }
        for cluster, whole, seconded, employed in rows
    }
