"""What the public pages need beyond the register: the drawing of its points, contracts in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from jalon.clusters import queries as register
from jalon.clusters.models import Cluster, ClusterTerritory
from jalon.clusters.outlines import project
from jalon.contracts import access as contract_access, queries as contract_queries, states as contract_states
from jalon.contracts.models import Contract
from jalon.core import clock
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.core.prepared import Prepared
from jalon.core.sheets import Column
from jalon.indicators.models import Observation
from jalon.people.access import VISITOR, Actor, policy
from jalon.roadmaps.models import Roadmap
from jalon.ui.maps import Kind, build_map

NO_TIER = T("catégorie non publiée", "tier not published")
_MARKS = ("diamond", "square", "circle", "triangle")
_COLOURS = (2, 3, 1, 4)


def kinds_of_tiers() -> dict[str, Kind]:
    """A mark and a colour for each tier of the policy, the highest first; clusters without a tier are round."""
    tiers = sorted(policy().tiers, key=lambda t: t.order)
    found = {t.code: Kind(t.title, _MARKS[n % 4], _COLOURS[n % 4]) for n, t in enumerate(tiers)}
    return {**found, "": Kind(NO_TIER, "circle", 4 if len(tiers) == 3 else 1)}


def _detail(row: register.ClusterRow) -> str:
    """What the map says of a point after its name: town, tier, members with their year or their mark."""
    parts = [row.city] if row.city else []
    titles = register.tier_titles()
    if row.tier in titles:
        parts.append(str(titles[row.tier]))
    if row.members is not None:
        origin = (
            T(" (simulé)", " (simulated)")
            if row.members_simulated
            else T(" ({y})", " ({y})", y=row.members_year)
            if row.members_year
            else ""
        )
        parts.append(str(T("{n} membres", "{n} members", n=row.members)) + str(origin))
    return ", ".join(parts)


def map_points(rows: Iterable[register.ClusterRow], query: str = "") -> list[dict[str, Any]]:
    """The points of the map: place, size by members, kind by tier, link."""
    return [
        {
            "name": row.name,
            "url": reverse("cluster", args=[row.cluster.slug]) + query,
            "code": row.cluster.slug,
            "latitude": row.latitude,
            "longitude": row.longitude,
            "size": row.members,
            "kind": row.tier,
            "detail": _detail(row),
        }
        for row in rows
    ]


def register_map(rows: Sequence[register.ClusterRow], day: dt.date, *, title: Any, query: str = "") -> Any:
    """The map of these clusters on the outlines of the regions of the day; None when the programme has no drawing."""
    outlines = register.outlines()
    region_set = policy().regions_on(day)
    if outlines is None or region_set is None or region_set.code not in outlines["sets"]:
        return None
    kinds = kinds_of_tiers()
    if not any(row.tier for row in rows):
        kinds = {}  # nothing to tell apart: plain points
    simulated = any(row.members_simulated for row in rows)
    return build_map(
        outlines,
        map_points(rows, query),
        title=title,
        size_label=T("Membres (données simulées)", "Members (simulated data)")
        if simulated
        else T("Membres, nombre publié", "Members, published number"),
        regions=region_set.code,
        largest=15,
        smallest=5,
        show_list=False,
        kinds=kinds,
    )


def small_map(row: register.ClusterRow, regions: set[str], region_set_code: str) -> dict[str, Any] | None:
    """The territory of one cluster: outlines, its regions marked, its seat."""
    outlines = register.outlines()
    if outlines is None or region_set_code not in outlines["sets"]:
        return None
    place = None
    if row.latitude is not None and row.longitude is not None:
        place = project(outlines, float(row.latitude), float(row.longitude))
    return {
        "regions": [
            {"d": r["d"], "name": r["name"], "on": r["code"] in regions} for r in outlines["sets"][region_set_code]
        ],
        "view_box": " ".join(str(v) for v in outlines["view_box"]),
        "insets": [
            {"x": i["frame"][0], "y": i["frame"][1], "w": i["frame"][2], "h": i["frame"][3]} for i in outlines["insets"]
        ],
        "place": {"x": place[0], "y": place[1]} if place else None,
    }


@Prepared
def _territories(cluster: int) -> QuerySet:
    return ClusterTerritory.objects.filter(cluster_id=cluster).order_by("rank", "id")


@Prepared
def _public_contracts(cluster: int, horizon: dt.date) -> QuerySet:
    """What a visitor may know of; the same condition as the ordinary query of :func:`contracts_of`."""
    rows = contract_access.visible_to(VISITOR, horizon, Contract.objects.filter(cluster_id=cluster))
    return _known_by(rows, horizon)


def _known_by(rows: QuerySet[Contract], horizon: dt.date) -> QuerySet[Contract]:
    return rows.filter(contract_access.known_by(horizon)).order_by("-starts_on", "-id")


@Prepared
def _validated(cluster: int) -> QuerySet:
    return Roadmap.objects.filter(cluster_id=cluster, state="validated").order_by("-id")[:1]


def territory(cluster: Cluster, day: dt.date) -> tuple[set[str], str, list[str]]:
    """Region codes, their set and their names on a day; the earlier set when the later has none for this body."""
    pol = policy()
    current = pol.regions_on(day)
    rows = _territories(cluster=cluster.pk)
    order = [current.code] if current else []
    order += [s.code for s in reversed(pol.regions) if s.code not in order]
    for code in order:
        mine = [r for r in rows if r.region_set == code]
        if mine:
            names = register.region_names(pol.region_set(code))
            return {r.region_code for r in mine}, code, [names.get(r.region_code, r.region_code) for r in mine]
    return set(), order[0] if order else "", []


def contracts_in_force(day: dt.date) -> tuple[int, int, bool]:
    """Public contracts in force on a day, those of which the sources do not tell, and whether any is simulated."""
    rows = list(
        Contract.objects.filter(
            Q(starts_on__isnull=True) | Q(starts_on__lte=day),
            Q(ends_on__isnull=True) | Q(ends_on__gte=day),
            Q(signed_on__isnull=True) | Q(signed_on__lte=day),
            programme=settings.PROGRAMME,
            state__in=contract_states.PUBLIC,
        )
    )
    answers = [one.answer for one in contract_queries.in_force_many(rows, day).values()]
    return sum(a is True for a in answers), sum(a is None for a in answers), any(c.simulated for c in rows)


def contracts_of(cluster: Cluster, actor: Actor, day: dt.date, horizon: dt.date) -> list[dict[str, Any]]:
    """The contracts of a cluster that the actor may know of, the latest first, and whether each is in force."""
    if actor.signed_in:
        rows = list(_known_by(contract_access.visible_to(actor, day, cluster.contracts.all()), horizon))
    else:
        rows = _public_contracts(cluster=cluster.pk, horizon=horizon)
    told = contract_queries.in_force_many(rows, day)
    return [{"contract": c, "in_force": told[c.pk]} for c in rows]


def observations(day: dt.date, known_on: dt.date | None = None) -> tuple[list[tuple[str, Column]], Iterator[list[Any]]]:
    """Validated values up to a day, by cluster, indicator and period: columns and rows, read piece by piece in two queries.

    What is still declared, returned or unknown to everybody is not there. Each row says whether it is simulated.
    """
    columns = [
        ("cluster", Column(T("Pôle", "Cluster"))),
        ("indicator", Column(T("Indicateur", "Indicator"))),
        ("title", Column(T("Intitulé", "Title"), width=50)),
        ("breakdown", Column(T("Ventilation", "Breakdown"))),
        ("from", Column(T("Du", "From"), "date")),
        ("to", Column(T("Au", "To"), "date")),
        ("value", Column(T("Valeur", "Value"), "number")),
        ("numerator", Column(T("Numérateur", "Numerator"), "number")),
        ("denominator", Column(T("Dénominateur", "Denominator"), "number")),
        ("unit", Column(T("Unité", "Unit"))),
        ("definition", Column(T("Version de la définition", "Version of the definition"))),
        ("origin", Column(T("Origine", "Origin"))),
        ("version", Column(T("Version", "Version"), "number")),
        ("recorded_on", Column(T("Enregistrée le", "Recorded on"), "date")),
        ("note", Column(T("Note", "Note"), width=40)),
        ("simulated", Column(T("Simulée", "Simulated"))),
    ]
    titles = {indicator.code: str(indicator.title) for indicator in policy().indicators}
    slugs = dict(Cluster.objects.filter(programme=settings.PROGRAMME).order_by().values_list("pk", "slug"))
    origins = {code: str(title) for code, title in ORIGINS.items()}
    yes, no = str(T("oui", "yes")), str(T("non", "no"))
    found = (
        as_known_on(Observation.objects.filter(state="validated", period_end__lte=day), known_on)
        .order_by("cluster_id", "indicator", "period_end", "breakdown", "id")
        .values_list(
            "cluster_id", "indicator", "breakdown", "period_start", "period_end", "value", "numerator", "denominator",
            "unit", "definition_version", "origin", "version", "recorded_at", "note", "simulated",
        )
    )  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for (
            cluster,
            code,
            part,
            start,
            end,
            value,
            num,
            den,
            unit,
            definition,
            origin,
            version,
            at,
            note,
            simulated,
        ) in found.iterator(chunk_size=2000):
            if cluster in slugs:
                yield [
                    slugs[cluster], code, titles.get(code), part or None, start, end, bare(value), bare(num), bare(den), unit, definition,
                    origins.get(origin, origin), version, at.astimezone(clock.PARIS).date(), note or None,
                    yes if simulated else no,
                ]  # fmt: skip

    return columns, rows()


def bare(value: Decimal | None) -> Decimal | None:
    """A stored figure without the zeros that its column adds: 12, not 12.000000."""
    return None if value is None else Decimal(format(value.normalize(), "f"))


ORIGINS = {
    "declared": T("déclarée", "declared"),
    "computed": T("calculée", "computed"),
    "survey": T("enquête", "survey"),
    "evaluator": T("évaluateur", "evaluator"),
}


def validated_roadmap(cluster: Cluster) -> Roadmap | None:
    """The validated roadmap of a cluster, the latest version."""
    found = _validated(cluster=cluster.pk)
    return found[0] if found else None
