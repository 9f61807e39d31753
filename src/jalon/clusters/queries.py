"""Reads of the register: who holds what on a day, and the whole history of one cluster.

Everything asks *on which day*. ``known_on`` asks what was known on an earlier day; ``horizon`` is the last day whose
acts a page may tell of (the demonstration lives in the past and does not know its future).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    When,
)
from django.urls import reverse

from jalon.clusters import access, rules
from jalon.clusters.actions import act_record
from jalon.clusters.labels import CERTAINTIES, ENDING, LabelRecord, spans
from jalon.clusters.models import (
    Carrier,
    Cluster,
    ClusterGroup,
    ClusterName,
    ClusterTerritory,
    Correspondent,
    GovernanceBody,
    Label,
    LabelAct,
    LabelHolder,
    LabelPeriod,
    Membership,
    NationalDecision,
    Relation,
    RelationEnd,
    Seat,
    TeamPost,
)
from jalon.clusters.outlines import load_outlines
from jalon.core import clock, kept
from jalon.core.lang import T, Text
from jalon.core.models import Source, as_known_on
from jalon.core.prepared import Prepared
from jalon.people.access import Actor, policy, policy_stamp
from jalon.people.rules import plain_key
from jalon.people.tasks import Task
from jalon.policy.reader import read

SURE = tuple(c for c in CERTAINTIES if c != "unknown")

STATUSES = {
    "in_force": T("label en vigueur", "label in force"),
    "part": T("derrière un label", "behind a label"),
    "unknown": T("issue du label inconnue", "outcome of the label unknown"),
    "merged": T("réuni à un autre pôle", "merged into another"),
    "withdrawn": T("label terminé", "label ended"),
    "to_come": T("pas encore labellisé", "not labelled yet"),
    "none": T("sans label", "no label"),
}
"""Where a cluster stands on a day. ``withdrawn`` gathers withdrawn, refused and expired labels."""

ACTS_SHORT = {
    "granted": T("attribué", "granted"),
    "confirmed": T("confirmé", "confirmed"),
    "maintained": T("maintenu", "kept"),
    "extended": T("prolongé", "extended"),
    "renewed": T("renouvelé", "renewed"),
    "withdrawn": T("retiré", "withdrawn"),
    "refused": T("refusé", "refused"),
    "merged": T("réuni à un autre", "merged into another"),
    "expired": T("arrivé à terme", "expired"),
    "lapsed": T("éteint", "lapsed"),
}

CERTAINTY_WORDS = {
    "known": T("lu dans une source", "read in a source"),
    "deduced": T("déduit de faits sourcés", "deduced from sourced facts"),
    "unknown": T("issue inconnue", "outcome unknown"),
}

DECIDERS = {
    "Gouvernement": T("Gouvernement", "Government"),
    "Premier ministre": T("Premier ministre", "Prime Minister"),
    "Parlement": T("Parlement", "Parliament"),
    "BCG et CM International": T("BCG et CM International", "BCG and CM International"),
    "BearingPoint, Erdyn et Technopolis": T(
        "BearingPoint, Erdyn et Technopolis", "BearingPoint, Erdyn and Technopolis"
    ),
}
"""Bodies that decided or reported, as the data name them; others keep their name in both languages."""


def decider(name: str) -> Any:
    """The deciding body in the language spoken: those of the data, those of the policy, else the name as it is."""
    of_policy = {body.title.fr[:200]: body.title for body in policy().label_deciders}
    return DECIDERS.get(name) or of_policy.get(name) or name


RELATION_WORDS = {
    "merger": T("fusion", "merger"),
    "absorption": T("absorption", "absorption"),
    "federation": T("fédération", "federation"),
    "joint_bid": T("candidature commune", "joint bid"),
    "renaming": T("changement de nom", "renaming"),
    "member_transfer": T("transfert d'adhérents", "transfer of members"),
    "alliance": T("alliance", "alliance"),
    "spin_out": T("séparation", "split"),
    "undone": T("annoncé et non fait", "announced and not done"),
}


# --- titles from the policy and the data --------------------------------------------------------------------------


def data_folder(programme: str | None = None) -> Path:
    """The folder of the programme's open data; a foreign programme may have none."""
    return Path(settings.DATA) / (programme or settings.PROGRAMME)


def _rows(name: str, key: str) -> list[dict[str, Any]]:
    path = data_folder() / name
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return []
    return _rows_read(str(path), key, stamp)


@lru_cache(maxsize=16)
def _rows_read(path: str, key: str, _stamp: int) -> list[dict[str, Any]]:
    root = read(Path(path)).plain()
    return root.get(key) or [] if isinstance(root, dict) else []


def families() -> dict[str, Text]:
    """Theme families by code: those of the data folder, else those of the policy."""
    found = {row["code"]: T(row["title"]["fr"], row["title"]["en"]) for row in _rows("families.yaml", "families")}
    return found or {theme.code: theme.title for theme in policy().themes}


def conflicts_of(slug: str) -> list[dict[str, Any]]:
    """Disagreements between sources that concern a cluster, with the version that was kept."""
    return [
        {
            "title": T(row["title"]["fr"], row["title"]["en"]),
            "versions": [_bilingual(v) for v in row.get("versions") or ()],
            "kept": _bilingual(row.get("kept")),
            "sources": row.get("source") or [],
        }
        for row in _rows("conflicts.yaml", "conflicts")
        if slug in (row.get("clusters") or ())
    ]


def _bilingual(value: Any) -> Any:
    """« 1 an / 1 year » as a pair; a day stays a day."""
    if isinstance(value, dt.date):
        return value
    text = str(value)
    fr, cut, en = text.partition(" / ")
    if not cut:
        return text
    tail = en[en.index(" (") :] if " (" in en and " (" not in fr else ""
    return T(fr + tail, en)


def tier_titles() -> dict[str, Text]:
    return {tier.code: tier.title for tier in policy().tiers}


def act_title(code: str) -> Any:
    """What the policy calls an act; its short word when the policy does not name it."""
    try:
        return policy().label_act(code).title
    except KeyError:
        return ACTS_SHORT.get(code, code)


def group_title(evaluation: str, group: str) -> Any:
    """What a group or grade is called in the policy; results outside it have their own words."""
    for one in policy().evaluation_groups:
        if one.campaign == evaluation and one.code == group:
            return one.title
    return {"renewed": T("label renouvelé", "label renewed"), "withdrawn": T("label retiré", "label withdrawn")}.get(
        group, group
    )


@lru_cache(maxsize=4)
def _outlines(path: str, _stamp: int) -> dict[str, Any]:
    return load_outlines(Path(path))


def outlines() -> dict[str, Any] | None:
    """The drawing of the regions, or None when the programme has none."""
    path = data_folder() / "territories" / "outlines.json"
    return _outlines(str(data_folder()), path.stat().st_mtime_ns) if path.is_file() else None


def region_names(region_set: Any) -> dict[str, str]:
    return {r.code: r.name for r in region_set.regions} if region_set else {}


NATIONAL_COUNTS = {
    "candidates": T("candidatures", "applications"),
    "published": T("labels, nombre publié", "labels, published number"),
    "named": T("labels nommés dans les sources", "labels named in the sources"),
    "derived": T("labels, par décompte", "labels, by counting"),
    "before": T("labels juste avant", "labels just before"),
    "world": T("mondiaux", "world-class"),
    "world-vocation": T("à vocation mondiale", "with world-class vocation"),
    "national": T("nationaux", "national"),
    "framework_contracts": T("contrats-cadres", "framework contracts"),
    "group_1": T("en groupe 1", "in group 1"),
    "group_2": T("en groupe 2", "in group 2"),
    "group_3": T("en groupe 3", "in group 3"),
    "confirmed": T("confirmés", "confirmed"),
    "renewed": T("renouvelés", "renewed"),
    "withdrawn": T("retirés", "withdrawn"),
    "new": T("nouveaux", "new"),
    "very_good": T("très performants", "very good"),
    "good": T("performants", "good"),
    "less_good": T("moins performants", "less good"),
    "four_years": T("pour quatre ans", "for four years"),
    "two_years": T("pour deux ans", "for two years"),
    "one_year": T("pour un an", "for one year"),
}
"""What the numbers of a national decision count, in words."""


def counts_in_words(counts: Mapping[str, int] | None) -> list[tuple[Any, int]]:
    """The published numbers of a national decision, each with what it counts."""
    return [(NATIONAL_COUNTS.get(key, key.replace("_", " ")), number) for key, number in (counts or {}).items()]


def sources_of(*lists: Iterable[str]) -> dict[str, Source]:
    """The sources named by any of these lists of keys, in one query."""
    keys = {key for one in lists for key in one or ()}
    return {s.key: s for s in _sources(keys=sorted(keys))} if keys else {}


@Prepared
def _sources(keys: list[str]) -> QuerySet:
    return Source.objects.filter(key__in=keys)


# --- labels on a day ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelRow:
    """A label on a day: the act that governs it, who answers for it, how sure it is.

    ``since`` and ``until`` bound the period under that act (inclusive; None: open).
    """

    label: Label
    act: LabelAct | None
    since: dt.date
    until: dt.date | None
    certainty: str
    holders: tuple[Cluster, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class LabelsOnDay:
    """The labels in force on a day, those whose outcome is unknown, and how many bodies answer for the first."""

    day: dt.date
    known_on: dt.date | None
    labels: tuple[LabelRow, ...]
    unknown: tuple[LabelRow, ...]

    @property
    def bodies(self) -> int:
        return len({c.pk for row in self.labels for c in row.holders})

    @property
    def deduced(self) -> int:
        return sum(row.certainty == "deduced" for row in self.labels)


def _running(day: dt.date, known_on: dt.date | None) -> QuerySet[LabelPeriod]:
    """Periods that hold ``day``, as known on a day."""
    return as_known_on(LabelPeriod.objects.all(), known_on).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day
    )


def _holding(day: dt.date, prefix: str, role: str = "holder") -> Q:
    """Holders that answer on ``day``; to be used in one ``filter`` call with other conditions on the same rows."""
    return (
        Q(**{f"{prefix}role": role})
        & (Q(**{f"{prefix}starts_on__isnull": True}) | Q(**{f"{prefix}starts_on__lte": day}))
        & (Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gte": day}))
    )


def labels_on(
    day: dt.date,
    *,
    known_on: dt.date | None = None,
    programme: str | None = None,
    tier: str = "",
    region: str = "",
) -> LabelsOnDay:
    """The labels in force on ``day`` in three queries, in the order of their names.

    Args:
        region: a code of the set of regions in force on the day; keeps labels of which a holder has it.
    """
    periods = _running(day, known_on).filter(label__programme=programme or settings.PROGRAMME)
    if tier:
        periods = periods.filter(label__tier=tier)
    if region:
        regions = policy().regions_on(day)
        inside = LabelHolder.objects.filter(
            _holding(day, ""),
            cluster__territories__region_set=regions.code if regions else "",
            cluster__territories__region_code=region,
        )
        periods = periods.filter(label_id__in=inside.values("label_id"))
    found = list(periods.select_related("label", "act").order_by("label__name", "label__code"))
    holders: dict[int, list[Cluster]] = {}
    for row in (
        LabelHolder.objects.filter(_holding(day, ""), label_id__in=[p.label_id for p in found])
        .select_related("cluster")
        .order_by("cluster__name_key")
    ):
        holders.setdefault(row.label_id, []).append(row.cluster)
    rows = [
        LabelRow(
            p.label,
            p.act,
            p.starts_on,
            p.ends_on,
            p.certainty,
            tuple(holders.get(p.label_id, ())),
            tuple(dict.fromkeys([*(p.act.sources if p.act else ()), *p.label.sources])),
        )
        for p in found
    ]
    rows.sort(key=lambda r: plain_key(r.label.name))
    return LabelsOnDay(
        day,
        known_on,
        tuple(r for r in rows if r.certainty in SURE),
        tuple(r for r in rows if r.certainty not in SURE),
    )


# --- clusters on a day --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filters:
    """What a list of clusters is filtered and sorted by; empty means all."""

    q: str = ""
    region: str = ""
    tier: str = ""
    theme: str = ""
    status: str = ""
    group: str = ""
    sort: str = "name"


SORTS = ("name", "tier", "status", "since")


@dataclass(frozen=True)
class Standing:
    """Where a cluster stands on a day: a code of :data:`STATUSES`; tier and first day of the period of its label."""

    status: str
    tier: str
    since: dt.date | None
    name_key: str


# Each is asked by nearly every page; their SQL is written once a connection. ``only``: of a single cluster.


@Prepared
def _keys_of(programme: str, only: int | None) -> QuerySet:
    rows = Cluster.objects.filter(programme=programme)
    return (rows if only is None else rows.filter(pk=only)).order_by().values_list("id", "name_key")


@Prepared
def _names_in_use(day: dt.date, only: int | None) -> QuerySet:
    rows = ClusterName.objects.filter(
        Q(starts_on__isnull=True) | Q(starts_on__lte=day), Q(ends_on__isnull=True) | Q(ends_on__gte=day)
    )
    if only is not None:
        rows = rows.filter(cluster_id=only)
    rows = rows.exclude(certainty="unknown").exclude(name_key="")
    return rows.order_by("rank", "id").values_list("cluster_id", "name_key")


@Prepared
def _held_on(day: dt.date, known_on: dt.date | None, only: int | None) -> QuerySet:
    either = _holding(day, "label__held_by__") | _holding(day, "label__held_by__", "part")
    holder = {} if only is None else {"label__held_by__cluster_id": only}
    return (
        _running(day, known_on)
        .filter(either, **holder)
        .order_by("starts_on")
        .values_list("label__held_by__cluster_id", "label__held_by__role", "certainty", "label__tier", "starts_on")
    )


def _acts_of(known_on: dt.date | None, only: int | None) -> QuerySet:
    holder = {} if only is None else {"label__held_by__cluster_id": only}
    return as_known_on(LabelAct.objects.filter(label__held_by__isnull=False, **holder), known_on).order_by()


@Prepared
def _first_acts(known_on: dt.date | None, only: int | None) -> QuerySet:
    return (
        _acts_of(known_on, only)
        .values_list("label__held_by__cluster_id")
        .annotate(effective=Min("effective_from"), decided=Min("decided_on"))
    )


@Prepared
def _endings(day: dt.date, known_on: dt.date | None, only: int | None) -> QuerySet:
    acts = _acts_of(known_on, only).filter(act__in=ENDING, effective_from__lte=day)
    return acts.order_by("effective_from", "id").values_list("label__held_by__cluster_id", "act")


@Prepared
def _joined_others(day: dt.date, only: int | None) -> QuerySet:
    alone = {} if only is None else {"cluster_id": only}
    return (
        RelationEnd.objects.filter(
            relation__on__lte=day,
            side="from",
            relation__kind__in=("merger", "absorption"),
            relation__ended_on__isnull=True,
            **alone,
        )
        .order_by()
        .values_list("cluster_id")
    )


def standings(
    day: dt.date,
    *,
    known_on: dt.date | None = None,
    horizon: dt.date | None = None,
    among: QuerySet[Cluster] | None = None,
    only: int | None = None,
) -> dict[int, Standing]:
    """Where every cluster stands on ``day``, by its key: six flat queries, whatever the number of clusters.

    Args:
        horizon: leaves out clusters whose first act comes after that day.
        among: the clusters asked about; all of the programme by default.
        only: the key of the single cluster asked about.

    Six flat reads and a walk through them cost less than one statement with a subquery per column and line, and grow
    more slowly with the register.
    """
    key = ("standings", settings.PROGRAMME, day, known_on)
    if only is not None and horizon is None and kept.building():
        for read in (kept.get((*key, None)), kept.get((*key, day))):  # by a list, whether it left out later ones or not
            if read and only in read:
                return {only: read[only]}
    if only is None and kept.building():
        # while a page is built: that of the whole register, which the other pages of the list ask for too
        every = kept.once(
            (*key, horizon), lambda: _standings(day, known_on, horizon, None, None), lambda found: 300 * len(found)
        )
        if among is None:
            return every
        return {pk: every[pk] for pk in among.order_by().values_list("pk", flat=True) if pk in every}
    return _standings(day, known_on, horizon, among, only)


def _standings(
    day: dt.date,
    known_on: dt.date | None,
    horizon: dt.date | None,
    among: QuerySet[Cluster] | None,
    only: int | None,
) -> dict[int, Standing]:
    if among is None or only is not None:
        keys = dict(_keys_of(programme=settings.PROGRAMME, only=only))
    else:
        keys = dict(among.order_by().values_list("id", "name_key"))
    names = dict(_names_in_use(day=day, only=only))
    held: dict[int, tuple[str, dt.date]] = {}
    doubtful, part = set(), set()
    for pk, role, certainty, tier, since in _held_on(day=day, known_on=known_on, only=only):
        if role == "part":
            part |= {pk} if certainty in SURE else set()
        elif certainty in SURE:
            held[pk] = (tier, since)
        else:
            doubtful.add(pk)
    first = {pk: (effective, decided) for pk, effective, decided in _first_acts(known_on=known_on, only=only)}
    ended = dict(_endings(day=day, known_on=known_on, only=only))
    joined = {pk for (pk,) in _joined_others(day=day, only=only)}
    found = {}
    for pk, key in keys.items():
        begun, decided = first.get(pk, (None, None))
        if horizon is not None and begun is not None and begun > horizon and not (decided and decided <= horizon):
            continue
        if pk in held:
            status = "in_force"
        elif pk in doubtful:
            status = "unknown"
        elif pk in part:
            status = "part"
        elif pk in ended:
            status = "merged" if ended[pk] == "merged" else "withdrawn"
        elif begun is None:
            status = "none"
        elif begun > day:
            status = "to_come"
        else:
            status = "merged" if pk in joined else "withdrawn"
        tier, since = held.get(pk, ("", None))
        found[pk] = Standing(status, tier, since, names.get(pk, key))
    return found


def filtered(filters: Filters, day: dt.date) -> QuerySet[Cluster]:
    """The clusters that answer to words, region, theme family and evaluation result; without order."""
    rows = Cluster.objects.filter(programme=settings.PROGRAMME)
    for word in plain_key(filters.q).split():
        rows = rows.filter(Q(search_key__contains=word) | Q(name_key__contains=word))
    if filters.region:
        regions = policy().regions_on(day)
        there = ClusterTerritory.objects.filter(region_set=regions.code if regions else "", region_code=filters.region)
        rows = rows.filter(pk__in=there.values("cluster_id"))
    if filters.theme:
        rows = rows.filter(theme_family=filters.theme)
    if filters.group:
        evaluation, _, group = filters.group.partition(":")
        given = as_known_on(ClusterGroup.objects.filter(evaluation=evaluation, group=group)).filter(
            Q(on__isnull=True) | Q(on__lte=day)
        )
        rows = rows.filter(pk__in=given.values("cluster_id"))
    return rows


@dataclass(frozen=True)
class Listing:
    """A filtered list: keys in order, where each stands, and how many stand where before the choice of a standing."""

    ids: Sequence[int]
    standings: Mapping[int, Standing]
    counts: Mapping[str, int]


def listing(
    day: dt.date, filters: Filters | None = None, known_on: dt.date | None = None, horizon: dt.date | None = None
) -> Listing:
    """The clusters of a filtered, sorted list: by name of the day, tier (the policy's order), standing or period."""
    filters = filters or Filters()
    chosen = filters.q or filters.region or filters.theme or filters.group
    found = standings(day, known_on=known_on, horizon=horizon, among=filtered(filters, day) if chosen else None)
    if filters.tier:
        found = {pk: s for pk, s in found.items() if s.tier == filters.tier}
    numbers: dict[str, int] = {}
    for one in found.values():
        numbers[one.status] = numbers.get(one.status, 0) + 1
    counts = {code: numbers[code] for code in STATUSES if code in numbers}
    ids = [pk for pk, s in found.items() if not filters.status or s.status == filters.status]
    ids.sort(key=lambda pk: (found[pk].name_key, pk))
    down, key = filters.sort.startswith("-"), filters.sort.removeprefix("-")
    if key == "name":
        return Listing(ids[::-1] if down else ids, found, counts)
    ranks: dict[Any, Any]
    if key == "tier":
        ranks = {tier.code: tier.order for tier in policy().tiers}
        asked = {pk: ranks.get(found[pk].tier) for pk in ids}
    elif key == "since":
        asked = {pk: found[pk].since for pk in ids}
    else:
        ranks = {code: n for n, code in enumerate(STATUSES)}
        asked = {pk: ranks[found[pk].status] for pk in ids}
    known = sorted((pk for pk in ids if asked[pk] is not None), key=lambda pk: asked[pk], reverse=down)
    return Listing([*known, *(pk for pk in ids if asked[pk] is None)], found, counts)


@dataclass
class ClusterRow:
    """A line of the register: names and themes of the day, label, territory, members."""

    cluster: Cluster
    name: str
    theme: Text
    family: Any
    city: str
    latitude: Any
    longitude: Any
    status: str
    tier: str
    since: dt.date | None
    until: dt.date | None
    regions: list[str]
    groups: list[ClusterGroup] = field(default_factory=list)
    members: int | None = None
    members_year: int | None = None
    members_simulated: bool = False
    label_code: str = ""
    label: Label | None = None  # of a sheet; lists do not read it
    certainty: str = ""
    tier_title: Any = ""
    written: dict[Any, str] = field(default_factory=dict)  # the line of a list, by language

    @property
    def status_title(self) -> Text:
        return STATUSES[self.status]

    @property
    def tone(self) -> str:
        """The tone of the standing's badge."""
        return {"in_force": "good", "unknown": "unknown", "merged": "info", "part": "info"}.get(self.status, "quiet")

    @property
    def regions_text(self) -> str:
        return ", ".join(self.regions)


def sheet_on(cluster: Cluster, day: dt.date) -> dict[str, Any]:
    """Theme and seat of a cluster as they were on ``day``, where an earlier one is known."""
    sheet: dict[str, Any] = {
        "theme_fr": cluster.theme_fr,
        "theme_en": cluster.theme_en,
        "city": cluster.city,
        "latitude": cluster.latitude,
        "longitude": cluster.longitude,
    }
    for row in cluster.earlier:
        if row.get("until") is None or day <= dt.date.fromisoformat(row["until"]):
            sheet.update({k: row[k] for k in sheet if row.get(k) is not None})
            break
    sheet["theme"] = T(sheet["theme_fr"], sheet["theme_en"] or sheet["theme_fr"])
    return sheet


def name_on(names: Sequence[ClusterName], cluster: Cluster, day: dt.date) -> str:
    """The name in use on ``day`` (of those that may have been, the latest); the present one when none is recorded."""
    sure = [n for n in names if n.certainty != "unknown"]
    found = sure[0].name if sure else cluster.name
    for row in sure:
        if (row.starts_on is None or row.starts_on <= day) and (row.ends_on is None or day <= row.ends_on):
            found = row.name
    return found


def names_of(clusters: Iterable[Cluster | int]) -> dict[int, list[ClusterName]]:
    """Names by cluster (rows or their keys), oldest first; one query."""
    found: dict[int, list[ClusterName]] = {}
    for row in _names_of(clusters=[getattr(one, "pk", one) for one in clusters]):
        found.setdefault(row.cluster_id, []).append(row)
    return found


@Prepared
def _names_of(clusters: list[int]) -> QuerySet:
    return ClusterName.objects.filter(cluster_id__in=clusters).order_by("rank", "id")


@Prepared
def _names_listed(clusters: list[int]) -> QuerySet:
    rows = ClusterName.objects.filter(cluster_id__in=clusters).exclude(certainty="unknown").order_by("rank", "id")
    return rows.values_list("cluster_id", "name", "starts_on", "ends_on")


def named_on(clusters: Iterable[Cluster], day: dt.date) -> list[Cluster]:
    """The same clusters, each with ``name_of_day``: the name it bore on ``day``; one query."""
    clusters = list(clusters)
    names = names_of(clusters) if clusters else {}
    for cluster in clusters:
        cluster.name_of_day = name_on(names.get(cluster.pk, ()), cluster, day)
    return clusters


def members_on(
    cluster_ids: Iterable[int], day: dt.date, known_on: dt.date | None = None
) -> dict[int, tuple[int, bool]]:
    """Members recorded on ``day`` by cluster, and whether any is simulated; no row where none is recorded."""
    rows = _members_on(clusters=list(cluster_ids), day=day, known_on=known_on)
    return {cluster: (n, bool(simulated)) for cluster, n, simulated in rows}


@Prepared
def _members_on(clusters: list[int], day: dt.date, known_on: dt.date | None) -> QuerySet:
    return (
        as_known_on(Membership.objects.filter(cluster_id__in=clusters, joined_on__lte=day), known_on)
        .filter(Q(left_on__isnull=True) | Q(left_on__gte=day))
        .order_by()
        .values_list("cluster_id")
        # count(*), not of a column: the index holds everything that is asked
        .annotate(n=Count("*"), simulated=Max(Case(When(simulated=True, then=1), default=0)))
    )


def published_members(cluster: Cluster, year: int) -> list[dict[str, Any]]:
    """Published numbers of members up to a year, oldest first: year, count, sources."""
    found = [m for m in (cluster.published or {}).get("members") or () if not m.get("year") or m["year"] <= year]
    return sorted(found, key=lambda m: m.get("year") or 0)


@Prepared
def _clusters(ids: list[int], listed: bool) -> QuerySet:
    rows = Cluster.objects.filter(pk__in=ids).order_by()
    if not listed:
        return rows
    return rows.values_list(
        "pk", "slug", "name", "theme_fr", "theme_en", "theme_family", "city", "latitude", "longitude", "earlier", "published",
        named=True,
    )  # fmt: skip


@Prepared
def _territories(ids: list[int], region_set: str) -> QuerySet:
    rows = ClusterTerritory.objects.filter(cluster_id__in=ids, region_set=region_set).order_by("rank", "id")
    return rows.values_list("cluster_id", "region_code")


@Prepared
def _running_of(ids: list[int], day: dt.date, known_on: dt.date | None, listed: bool) -> QuerySet:
    rows = (
        _running(day, known_on)
        .filter(_holding(day, "label__held_by__"), label__held_by__cluster_id__in=ids)
        .annotate(holder_id=F("label__held_by__cluster_id"))
        .order_by("starts_on")
    )
    if not listed:
        return rows.select_related("label", "act")
    return rows.values_list("holder_id", "starts_on", "ends_on", "certainty", "act_id", "act__until", "label__code")


@Prepared
def _groups_of(ids: list[int], day: dt.date, known_on: dt.date | None) -> QuerySet:
    rows = as_known_on(ClusterGroup.objects.filter(cluster_id__in=ids), known_on)
    return rows.filter(Q(on__isnull=True) | Q(on__lte=day)).order_by("evaluation", "id")


@dataclass(frozen=True, slots=True)
class Running:
    """The period of a label that a list shows: no more of it is read."""

    starts_on: dt.date
    until: dt.date | None
    certainty: str
    code: str
    label: Label | None = None


def rows_of(
    ids: Sequence[int],
    places: Mapping[int, Standing],
    day: dt.date,
    *,
    known_on: dt.date | None = None,
    listed: bool = False,
    grouped: bool = True,
) -> list[ClusterRow]:
    """The lines of the register for these clusters, in this order, with six queries for all of them.

    ``listed``: for lists and tables, which read less of each cluster (no more than key and slug of ``cluster``, the code
    of ``label``). ``grouped``: with the results of evaluations.
    """
    ids = list(ids)
    by_id = {cluster.pk: cluster for cluster in _clusters(ids=ids, listed=listed)}
    region_set = policy().regions_on(day)
    titles = region_names(region_set)
    regions: dict[int, list[str]] = {}
    for pk, code in _territories(ids=ids, region_set=region_set.code if region_set else ""):
        regions.setdefault(pk, []).append(titles.get(code, code))
    running: dict[int, Running] = {}
    for row in _running_of(ids=ids, day=day, known_on=known_on, listed=listed):
        if listed:
            pk, since, ends_on, certainty, act, until, code = row
            running[pk] = Running(since, until if act else ends_on, certainty, code)
        else:
            until = row.act.until if row.act else row.ends_on
            running[row.holder_id] = Running(row.starts_on, until, row.certainty, row.label.code, row.label)
    names: dict[int, str] = {}
    if listed:
        for pk, name, starts_on, ends_on in _names_listed(clusters=ids):  # as name_on does
            if pk not in names or ((starts_on is None or starts_on <= day) and (ends_on is None or day <= ends_on)):
                names[pk] = name
    else:
        told = names_of(ids)
        names = {pk: name_on(told.get(pk, ()), by_id[pk], day) for pk in ids}
    groups: dict[int, list[ClusterGroup]] = {}
    for row in _groups_of(ids=ids, day=day, known_on=known_on) if grouped else ():
        groups.setdefault(row.cluster_id, []).append(row)
    members = members_on(ids, day, known_on)
    titles_of_families, titles_of_tiers = families(), tier_titles()
    found = []
    for pk in ids:
        cluster, place = by_id[pk], places[pk]
        sheet = sheet_on(cluster, day)
        period = running.get(pk)
        count, simulated = members.get(pk, (None, False))
        year = None
        if count is None:
            published = published_members(cluster, day.year)
            if published:
                count, year = published[-1]["count"], published[-1].get("year")
        found.append(
            ClusterRow(
                cluster=cluster,
                name=names.get(pk, cluster.name),
                theme=sheet["theme"],
                family=titles_of_families.get(cluster.theme_family, cluster.theme_family),
                city=sheet["city"],
                latitude=sheet["latitude"],
                longitude=sheet["longitude"],
                status=place.status,
                tier=place.tier,
                since=period.starts_on if period else None,
                until=period.until if period else None,
                regions=regions.get(pk, []),
                groups=groups.get(pk, []),
                members=count,
                members_year=year,
                members_simulated=simulated,
                label_code=period.code if period else "",
                label=period.label if period else None,
                certainty=period.certainty if period else "",
                tier_title=titles_of_tiers.get(place.tier, ""),
            )
        )
    return found


def rows_listed(
    ids: Sequence[int], places: Mapping[int, Standing], day: dt.date, *, known_on: dt.date | None = None
) -> list[ClusterRow]:
    """The lines of a page of the register; while a page is built, those that another page read are not read again."""
    if not kept.building():
        return rows_of(ids, places, day, known_on=known_on, listed=True, grouped=False)
    known: dict[int, ClusterRow] = kept.once(
        ("register lines", policy_stamp(), day, known_on), dict, lambda _: 2_000_000
    )
    missing = [pk for pk in ids if pk not in known]
    if missing:
        for row in rows_of(missing, places, day, known_on=known_on, listed=True, grouped=False):
            known[row.cluster.pk] = row
    return [known[pk] for pk in ids]


def register_on(
    day: dt.date,
    filters: Filters | None = None,
    known_on: dt.date | None = None,
    horizon: dt.date | None = None,
) -> list[ClusterRow]:
    """The lines of the register on a day, filtered and sorted: twelve queries, whatever the number of lines."""
    found = listing(day, filters, known_on, horizon)
    return rows_of(found.ids, found.standings, day, known_on=known_on, listed=True)


@dataclass(frozen=True)
class Figures:
    """Counts of a day: labels and bodies in force, by tier, deduced, unknown. ``tiers``: code -> count."""

    labels: int
    bodies: int
    deduced: int
    unknown: int
    tiers: Mapping[str, int]


def figures(labels: LabelsOnDay) -> Figures:
    """Key figures of :func:`labels_on`; a label without a published tier counts under an empty code."""
    tiers: dict[str, int] = {}
    for row in labels.labels:
        tiers[row.label.tier] = tiers.get(row.label.tier, 0) + 1
    return Figures(len(labels.labels), labels.bodies, labels.deduced, len(labels.unknown), tiers)


# --- one cluster --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """A label act in a cluster's history, with the period it opened (``span``), if it opened one."""

    act: LabelAct
    label: Label
    role: str
    span: Any
    current: bool = False

    @property
    def title(self) -> Any:
        return act_title(self.act.act)

    @property
    def ends(self) -> bool:
        return self.act.act in ENDING

    @property
    def decider(self) -> Any:
        return decider(self.act.body)

    @property
    def note(self) -> Text:
        return T(self.act.note_fr, self.act.note_en or self.act.note_fr)


@dataclass(frozen=True)
class Link:
    """A succession seen from one cluster: bodies before or after it, and how."""

    relation: Relation
    before: tuple[Cluster, ...]
    after: tuple[Cluster, ...]
    side: str

    @property
    def word(self) -> Text:
        return RELATION_WORDS[self.relation.kind]

    @property
    def note(self) -> Text:
        return T(self.relation.note_fr, self.relation.note_en or self.relation.note_fr)


@Prepared
def _holdings_of(cluster: int) -> QuerySet:
    return LabelHolder.objects.filter(cluster_id=cluster).select_related("label")


@Prepared
def _acts_on(labels: list[int]) -> QuerySet:
    return LabelAct.objects.filter(label_id__in=labels, superseded_at__isnull=True)


def label_history(cluster: Cluster, day: dt.date, horizon: dt.date) -> list[Event]:
    """Acts on the labels that the cluster holds or held (alone, with others, or behind a holder), oldest first.

    Acts decided after ``horizon`` are left out; periods are cut by the acts that remain.
    """
    holdings = _holdings_of(cluster=cluster.pk)
    by_label: dict[int, list[LabelAct]] = {}
    for act in _acts_on(labels=[h.label_id for h in holdings]):
        if (act.decided_on or act.effective_from) <= horizon:
            by_label.setdefault(act.label_id, []).append(act)
    found = []
    for holding in holdings:
        acts = by_label.get(holding.label_id, [])
        records = {act_record(a): a for a in acts}
        told = {
            records[s.act].pk: s
            for s in spans(LabelRecord(holding.label.code, holding.label.name, "", (), tuple(records)))
        }
        for act in acts:
            late = holding.ends_on and act.effective_from > holding.ends_on + dt.timedelta(days=1)
            early = holding.starts_on and act.effective_from < holding.starts_on and act.act in ENDING
            if late or early:
                continue
            span = told.get(act.pk)
            holds = bool(span and span.starts_on <= day and (span.ends_on is None or day <= span.ends_on))
            within = (holding.starts_on is None or holding.starts_on <= day) and (
                holding.ends_on is None or day <= holding.ends_on
            )
            found.append(Event(act, holding.label, holding.role, span, holds and within))
    return sorted(found, key=lambda e: (e.act.effective_from, e.ends, e.act.pk))


@Prepared
def _sides_of(cluster: int) -> QuerySet:
    return RelationEnd.objects.filter(cluster_id=cluster).order_by().values_list("relation_id", "side")


def relations_of(cluster: Cluster, horizon: dt.date) -> list[Link]:
    """Successions of a cluster both ways, oldest first, undone ones included; three queries."""
    mine = dict(_sides_of(cluster=cluster.pk))
    if not mine:
        return []
    rows = list(Relation.objects.filter(pk__in=mine).order_by(F("on").asc(nulls_last=True), "id"))
    ends: dict[tuple[int, str], list[Cluster]] = {}
    for end in RelationEnd.objects.filter(relation_id__in=mine).select_related("cluster").order_by("id"):
        ends.setdefault((end.relation_id, end.side), []).append(end.cluster)
    return [
        Link(row, tuple(ends.get((row.pk, "from"), ())), tuple(ends.get((row.pk, "to"), ())), mine[row.pk])
        for row in rows
        if row.on is None or row.on <= horizon
    ]


def successors_of(cluster: Cluster, horizon: dt.date) -> list[Cluster]:
    """The bodies that took over from a cluster and were not undone."""
    found: dict[int, Cluster] = {}
    for link in relations_of(cluster, horizon):
        undone = link.relation.kind in ("undone", "alliance") or (
            link.relation.ended_on and link.relation.ended_on <= horizon
        )
        if link.side == "from" and not undone:
            found |= {c.pk: c for c in link.after}
    return list(found.values())


def group_history(cluster: Cluster, horizon: dt.date, known_on: dt.date | None = None) -> list[ClusterGroup]:
    """Published results of evaluations, oldest first; an unknown result has no row."""
    return list(
        as_known_on(ClusterGroup.objects.filter(cluster=cluster), known_on)
        .filter(Q(on__isnull=True) | Q(on__lte=horizon))
        .order_by("evaluation", "id")
    )


@dataclass(frozen=True)
class BodyRow:
    """A governing body on a day: seats by college, mandates, and whether the preponderant place is kept."""

    body: GovernanceBody
    kind_title: Any
    colleges: tuple[tuple[Any, int], ...]
    seats: tuple[Seat, ...]
    check: rules.Preponderance | None
    simulated: bool

    @property
    def named_otherwise(self) -> bool:
        """Whether the body's own name differs from what the policy calls its kind."""
        return plain_key(self.body.title) != plain_key(str(self.kind_title))


@Prepared
def _bodies_of(cluster: int) -> QuerySet:
    return GovernanceBody.objects.filter(cluster_id=cluster).order_by("id")


@Prepared
def _seats_on(bodies: list[int], day: dt.date, known_on: dt.date | None) -> QuerySet:
    rows = as_known_on(Seat.objects.filter(body_id__in=bodies), known_on).filter(access.in_force(day))
    return rows.select_related("organisation").order_by("id")


def governance_on(cluster: Cluster, day: dt.date, known_on: dt.date | None = None) -> list[BodyRow]:
    """Governing bodies with the seats of ``day`` and the preponderance check where the policy asks for it."""
    bodies = _bodies_of(cluster=cluster.pk)
    seats: dict[int, list[Seat]] = {}
    for seat in _seats_on(bodies=[body.pk for body in bodies], day=day, known_on=known_on):
        seats.setdefault(seat.body_id, []).append(seat)
    pol = policy()
    kinds = {b.code: b for b in pol.governance.bodies}
    order = {c.code: n for n, c in enumerate(pol.members.colleges)}
    titles = {c.code: c.title for c in pol.members.colleges}
    threshold = pol.on(day).find("governance.preponderant_share_above")
    found = []
    for body in bodies:
        rows = sorted(seats.get(body.pk, ()), key=lambda s: (order.get(s.college, 99), s.pk))
        counts: dict[str, int] = {}
        for seat in rows:
            counts[seat.college] = counts.get(seat.college, 0) + 1
        kind = kinds.get(body.kind)
        check = None
        if kind is not None and kind.preponderance and pol.members.preponderant_colleges:
            check = rules.preponderance(counts, pol.members.preponderant_colleges, threshold, day)
        found.append(
            BodyRow(
                body,
                kind.title if kind else body.kind,
                tuple((titles.get(code, code), n) for code, n in counts.items()),
                tuple(rows),
                check,
                body.simulated or any(s.simulated for s in rows),
            )
        )
    return found


@dataclass(frozen=True)
class Team:
    """The permanent team on a day: posts and full-time equivalents; None when no post is recorded (unknown)."""

    posts: tuple[TeamPost, ...]
    employed: Any
    seconded: Any
    simulated: bool

    @property
    def functions(self) -> list[dict[str, Any]]:
        """Posts of one function and status together: how many, how many full-time equivalents, since when."""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for post in self.posts:
            key = (post.title, post.status, post.seconded_by_id)
            row = found.setdefault(
                key,
                {
                    "title": post.title,
                    "status": post.status,
                    "seconded_by": post.seconded_by,
                    "posts": 0,
                    "fte": 0,
                    "since": post.starts_on,
                },
            )
            row["posts"] += 1
            row["fte"] += post.fte
            row["since"] = min(row["since"], post.starts_on)
        return sorted(found.values(), key=lambda r: (r["status"], -r["fte"], r["title"]))

    @property
    def total(self) -> Any:
        return None if not self.posts else (self.employed or 0) + (self.seconded or 0)


@Prepared
def _posts_on(cluster: int, day: dt.date, known_on: dt.date | None) -> QuerySet:
    rows = as_known_on(TeamPost.objects.filter(cluster_id=cluster), known_on).filter(access.in_force(day))
    return rows.select_related("seconded_by").order_by("status", "-fte", "title", "id")


def team_on(cluster: Cluster, day: dt.date, known_on: dt.date | None = None) -> Team:
    """Posts in force on ``day``, employed first; no names of persons exist."""
    posts = tuple(_posts_on(cluster=cluster.pk, day=day, known_on=known_on))
    sums = {
        status: sum((p.fte for p in posts if p.status == status), start=type(posts[0].fte)(0)) if posts else None
        for status in ("employed", "seconded")
    }
    return Team(posts, sums["employed"], sums["seconded"], any(p.simulated for p in posts))


@Prepared
def _types_on(cluster: int, day: dt.date, known_on: dt.date | None) -> QuerySet:
    return (
        as_known_on(Membership.objects.filter(cluster_id=cluster, joined_on__lte=day), known_on)
        .filter(Q(left_on__isnull=True) | Q(left_on__gte=day))
        .order_by()
        .values_list("member_type")
        .annotate(n=Count("*"), simulated=Max(Case(When(simulated=True, then=1), default=0)))
    )


def members_by_type(
    cluster: Cluster, day: dt.date, known_on: dt.date | None = None
) -> tuple[list[tuple[Any, str, int]], bool]:
    """Members of ``day`` by type, in the policy's order, as (title, code, count), and whether any is simulated.

    An empty list means that no membership is recorded: unknown, not zero.
    """
    rows = _types_on(cluster=cluster.pk, day=day, known_on=known_on)
    counted = {code: (n, bool(simulated)) for code, n, simulated in rows}
    if not counted:
        return [], False
    types = [(t.plural, t.code) for t in policy().members.types]
    known = {code for _, code in types}
    found = [(title, code, counted.get(code, (0, False))[0]) for title, code in types]
    found += [(code, code, n) for code, (n, _) in counted.items() if code not in known]
    return found, any(simulated for _, simulated in counted.values())


@dataclass
class Sheet:
    """Everything public about one cluster on a day."""

    row: ClusterRow
    day: dt.date
    horizon: dt.date
    names: list[ClusterName]
    events: list[Event]
    links: list[Link]
    successors: list[Cluster]
    groups: list[ClusterGroup]
    published: list[dict[str, Any]]
    members: list[tuple[Any, str, int]]
    members_simulated: bool
    bodies: list[BodyRow]
    team: Team
    carriers: list[Carrier]
    correspondents: list[Correspondent]
    conflicts: list[dict[str, Any]]
    sources: dict[str, Source]

    @property
    def cluster(self) -> Cluster:
        return self.row.cluster

    @property
    def members_total(self) -> int:
        return sum(n for _, _, n in self.members)

    @property
    def last_end(self) -> Event | None:
        """The act that ended the last label by the day, if any."""
        return next((e for e in reversed(self.events) if e.ends and e.act.effective_from <= self.day), None)


@Prepared
def _key_of(slug: str, programme: str) -> QuerySet:
    return Cluster.objects.filter(slug=slug, programme=programme).order_by().values_list("pk")


@Prepared
def _carriers_of(cluster: int, horizon: dt.date) -> QuerySet:
    rows = Carrier.objects.filter(Q(starts_on__isnull=True) | Q(starts_on__lte=horizon), cluster_id=cluster)
    return rows.select_related("organisation").order_by(F("starts_on").asc(nulls_first=True), "id")


@Prepared
def _correspondents_on(cluster: int, day: dt.date) -> QuerySet:
    rows = Correspondent.objects.filter(access.in_force(day), cluster_id=cluster)
    return rows.select_related("organisation").order_by("starts_on", "id")


def sheet(slug: str, day: dt.date, *, horizon: dt.date, known_on: dt.date | None = None) -> Sheet | None:
    """The sheet of a cluster on a day, or None when there is no such cluster; a fixed number of queries."""
    found = _key_of(slug=slug, programme=settings.PROGRAMME)
    if not found:
        return None
    pk = found[0][0]
    row = rows_of([pk], standings(day, known_on=known_on, only=pk), day, known_on=known_on)[0]
    cluster = row.cluster
    names = [n for n in _names_of(clusters=[pk]) if n.starts_on is None or n.starts_on <= horizon]
    events = label_history(cluster, day, horizon)
    links = relations_of(cluster, horizon)
    groups = row.groups if horizon == day else group_history(cluster, horizon, known_on)
    members, simulated = members_by_type(cluster, day, known_on)
    carriers = _carriers_of(cluster=pk, horizon=horizon)
    published = published_members(cluster, horizon.year)
    conflicts = conflicts_of(slug)
    sources = sources_of(
        cluster.sources,
        *(n.sources for n in names),
        *(e.act.sources for e in events),
        *(link.relation.sources for link in links),
        *(g.sources for g in groups),
        *(p["sources"] for p in published),
        *(c.sources for c in carriers),
        *(c["sources"] for c in conflicts),
    )
    after: dict[int, Cluster] = {}
    for link in links:
        ended = link.relation.ended_on and link.relation.ended_on <= day
        if link.side == "from" and link.relation.kind not in ("undone", "alliance", "member_transfer") and not ended:
            after |= {c.pk: c for c in link.after}
    named_on([c for link in links for c in (*link.before, *link.after)], day)
    return Sheet(
        row=row,
        day=day,
        horizon=horizon,
        names=names,
        events=events,
        links=links,
        successors=list(after.values()),
        groups=groups,
        published=published,
        members=members,
        members_simulated=simulated,
        bodies=governance_on(cluster, day, known_on),
        team=team_on(cluster, day, known_on),
        carriers=carriers,
        correspondents=_correspondents_on(cluster=pk, day=day),
        conflicts=conflicts,
        sources=sources,
    )


# --- labels and decisions -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelSheet:
    """A label with its acts (all versions that still stand), its holders and the labels around it."""

    label: Label
    events: list[Event]
    holders: list[LabelHolder]
    before: list[Label]
    after: list[Label]
    sources: dict[str, Source]
    corrected: int


def label_sheet(code: str, day: dt.date, horizon: dt.date) -> LabelSheet | None:
    """A label's page: acts and periods, holders, labels it follows and that follow it."""
    label = Label.objects.filter(code=code, programme=settings.PROGRAMME).first()
    if label is None:
        return None
    acts = [
        a
        for a in LabelAct.objects.filter(label=label, superseded_at__isnull=True)
        if (a.decided_on or a.effective_from) <= horizon
    ]
    records = {act_record(a): a for a in acts}
    told = {records[s.act].pk: s for s in spans(LabelRecord(label.code, label.name, "", (), tuple(records)))}
    events = []
    for act in sorted(acts, key=lambda a: a.effective_from):
        span = told.get(act.pk)
        current = bool(span and span.starts_on <= day and (span.ends_on is None or day <= span.ends_on))
        events.append(Event(act, label, "holder", span, current))
    holders = list(
        LabelHolder.objects.filter(label=label).select_related("cluster").order_by("role", "cluster__name_key")
    )
    named_on([h.cluster for h in holders], day)
    others = Label.objects.filter(programme=label.programme).exclude(pk=label.pk)
    before = list(others.filter(code__in=label.follows))
    # "follows" is a short JSON list; the few labels of later phases are looked through here, on any database.
    later = others.annotate(first=Min("acts__effective_from")).filter(first__lte=horizon).exclude(follows=[])
    after = [one for one in later if label.code in one.follows]
    corrected = LabelAct.objects.filter(label=label, superseded_at__isnull=False).count()
    return LabelSheet(
        label,
        events,
        holders,
        before,
        after,
        sources_of(label.sources, *(a.sources for a in acts), *(h.sources for h in holders)),
        corrected,
    )


def decisions(horizon: dt.date, limit: int | None = None) -> list[NationalDecision]:
    """National decisions up to ``horizon``, the latest first."""
    rows = NationalDecision.objects.filter(programme=settings.PROGRAMME, on__lte=horizon).order_by("-on", "-id")
    return list(rows[:limit] if limit else rows)


# --- tasks --------------------------------------------------------------------------------------------------------


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """What of the register waits for an actor: mandates that end soon, labels that end soon; soonest first.

    Only for those whose business the cluster is; nothing for readers and for authorities.
    """
    if not actor.signed_in or not (actor.can("members.edit") or actor.can("register.edit")):
        return []
    mine = access.clusters_of(actor, day)
    soon = day + dt.timedelta(days=rules.MANDATE_ENDS_WITHIN)
    found: list[Task] = []
    ending = (
        Seat.objects.filter(
            superseded_at__isnull=True, ends_on__gte=day, ends_on__lte=soon, body__cluster__in=mine.values("pk")
        )
        .values("body_id", "body__title", "body__cluster_id")
        .annotate(n=Count("id"), first=Min("ends_on"))
        .order_by()
    )
    ending = list(ending)
    label_until = day + dt.timedelta(days=rules.LABEL_ENDS_WITHIN)
    running = list(
        _running(day, None)
        .filter(_holding(day, "label__held_by__"), label__held_by__cluster__in=mine.values("pk"))
        .filter(ends_on__isnull=False, ends_on__lte=label_until, certainty__in=SURE)
        .annotate(holder_id=F("label__held_by__cluster_id"))
        .select_related("label", "act")
    )
    followed = set(
        LabelPeriod.objects.filter(
            superseded_at__isnull=True,
            label_id__in=[p.label_id for p in running],
            recorded_at__lte=clock.end_of_day(day),
        ).values_list("label_id", "starts_on")
    )
    clusters = Cluster.objects.in_bulk([*{e["body__cluster_id"] for e in ending}, *{p.holder_id for p in running}])
    named_on(clusters.values(), day)
    for row in ending:
        cluster = clusters[row["body__cluster_id"]]
        found.append(
            Task(
                T(
                    "{c} : mandats à renouveler ({b}, {n})",
                    "{c}: mandates to renew ({b}, {n})",
                    c=cluster.name_of_day,
                    b=row["body__title"],
                    n=row["n"],
                ),
                reverse("cluster-governance", args=[cluster.slug]),
                row["first"],
                "not_yet_due",
                T("Ces mandats prennent fin dans les 60 jours.", "These mandates end within 60 days."),
                f"cluster:{cluster.slug}",
            )
        )
    alone = [p for p in running if (p.label_id, p.ends_on + dt.timedelta(days=1)) not in followed]
    if actor.national:
        return sorted([*found, *_labels_ending(alone)], key=lambda t: (t.due_on or dt.date.max, str(t.title)))
    for period in alone:
        cluster = clusters[period.holder_id]
        found.append(
            Task(
                T("{c} : le label arrive à terme", "{c}: the label comes to its end", c=cluster.name_of_day),
                reverse("label", args=[period.label.code]),
                period.ends_on,
                "at_risk",
                T(
                    "Aucun acte connu ne prolonge le label « {n} ».",
                    "No known act extends the label “{n}”.",
                    n=period.label.name,
                ),
                f"label:{period.label.code}",
            )
        )
    return sorted(found, key=lambda t: (t.due_on or dt.date.max, str(t.title)))


def _labels_ending(periods: Iterable[LabelPeriod]) -> list[Task]:
    """One task for all labels that end on one day: whoever keeps the whole register decides on them together."""
    by_day: dict[dt.date, set[int]] = {}
    for period in periods:
        by_day.setdefault(period.ends_on, set()).add(period.label_id)
    return [
        Task(
            T("Labels qui arrivent à terme : {n}", "Labels that come to their end: {n}", n=len(labels)),
            f"{reverse('register')}?on={day.isoformat()}&status=in_force",
            day,
            "at_risk",
            T("Aucun acte connu ne les prolonge.", "No known act extends them."),
            "",
        )
        for day, labels in sorted(by_day.items())
    ]
