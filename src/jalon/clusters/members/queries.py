"""Reads about members: the list, its totals, its export, one member's versions, and what an import is judged against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, When
from django.db.models.functions import Lower, Substr

from jalon.clusters.members import rules
from jalon.clusters.models import Cluster, ImportBatch, LabelHolder, LabelPeriod, Membership
from jalon.core.models import JournalEntry, as_known_on
from jalon.people.access import policy
from jalon.people.models import Identifier, Merge, Organisation, SizeCategory
from jalon.people.rules import plain_key
from jalon.policy.policy import Policy

PAGE = 50
CHUNK = 5000
"""Values in one look-up: few queries, within what both databases take."""


def words(from_policy: Policy | None = None) -> rules.Words:
    """The words that cells may hold, from the policy in use."""
    chosen = from_policy or policy()
    return rules.Words(chosen.members, chosen.identifiers, chosen.country)


# --- the list ----------------------------------------------------------------------------------------------------

SORTS = {
    "name": ("organisation__name_key", "organisation_id"),
    "type": ("member_type", "organisation__name_key"),
    "college": ("college", "organisation__name_key"),
    "city": ("organisation__city", "organisation__name_key"),
    "joined": ("joined_on", "organisation__name_key"),
    "left": ("left_on", "organisation__name_key"),
}

# Keys of names are in small letters already, so this sorts as the column does. But no index gives this order: at 300,000
# organisations PostgreSQL walked the index of all names in search of one cluster's fifty, a hundred times slower.
_NAME = Lower("organisation__name_key")


@dataclass(frozen=True)
class Filters:
    """What a list of members shows. ``movement``: joined, left (in the period ``start`` to ``end``), all, or "" (on ``day``)."""

    day: dt.date
    member_type: str = ""
    college: str = ""
    search: str = ""
    movement: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    sort: str = "name"
    known_on: dt.date | None = None


def in_scope(cluster: Cluster, filters: Filters) -> QuerySet[Membership]:
    """The memberships in question before type, college and search: those of a day, or the movements of a period."""
    rows = as_known_on(Membership.objects.filter(cluster=cluster), filters.known_on)
    if filters.movement in ("joined", "left"):
        column = f"{filters.movement}_on"
        if filters.movement == "left":
            rows = rows.filter(left_on__isnull=False)
        if filters.start:
            rows = rows.filter(**{f"{column}__gte": filters.start})
        if filters.end:
            rows = rows.filter(**{f"{column}__lte": filters.end})
        return rows
    if filters.movement == "all":
        return rows
    return rows.filter(Q(left_on__isnull=True) | Q(left_on__gte=filters.day), joined_on__lte=filters.day)


def listed(cluster: Cluster, filters: Filters) -> QuerySet[Membership]:
    """The memberships that the filters leave, in order, with their organisation."""
    rows = in_scope(cluster, filters)
    if filters.member_type:
        rows = rows.filter(member_type=filters.member_type)
    if filters.college:
        rows = rows.filter(college="" if filters.college == "-" else filters.college)
    words_ = plain_key(filters.search).split()
    digits = "".join(filters.search.split())
    if digits.isdigit() and len(digits) >= 6:
        rows = rows.filter(
            Exists(Identifier.objects.filter(organisation_id=OuterRef("organisation_id"), value__startswith=digits))
        )
    elif words_:
        for word in words_:
            rows = rows.filter(organisation__name_key__contains=word)
    elif filters.search.strip():
        rows = rows.filter(organisation__name__icontains=filters.search.strip())
    name, down = filters.sort.removeprefix("-"), filters.sort.startswith("-")
    first, *rest = SORTS.get(name, SORTS["name"])
    key = _NAME if first == "organisation__name_key" else F(first)
    order: list[Any] = [key.desc(nulls_last=True) if down else key.asc(nulls_last=True)]
    order += [_NAME if one == "organisation__name_key" else one for one in rest]
    order.append("id")
    return rows.select_related("organisation").order_by(*order)


class Totals(dict[str, int]):
    """Memberships by type; ``simulated``: whether any of them is."""

    simulated = False


def totals(cluster: Cluster, filters: Filters) -> Totals:
    """Memberships in scope by type, whatever type, college or search is chosen. One query."""
    found = Totals()
    rows = in_scope(cluster, filters).order_by().values_list("member_type")
    # count(*), not of a column: the index holds everything that is asked
    for kind, n, simulated in rows.annotate(n=Count("*"), s=Max(Case(When(simulated=True, then=1), default=0))):
        found[kind] = n
        found.simulated = found.simulated or bool(simulated)
    return found


def known_count(filters: Filters, totals: dict[str, int]) -> int | None:
    """How many memberships the list has, when the totals by type tell it: no college and no search is asked for."""
    if filters.college or filters.search.strip():
        return None
    return totals.get(filters.member_type, 0) if filters.member_type else sum(totals.values())


def simulated_among(cluster: Cluster, filters: Filters) -> bool:
    """Whether the list shows simulated memberships. One query."""
    return in_scope(cluster, filters).filter(simulated=True).exists()


class _Counted(Paginator):
    """A paginator told how many rows there are, where the totals by type say it already."""

    def __init__(self, rows: QuerySet[Membership], known: int | None):
        super().__init__(rows, PAGE)
        if known is not None:
            self.count = known


def page_of(rows: QuerySet[Membership], number: Any, known: int | None = None) -> Any:
    """One page of a list; a number out of bounds gives the nearest page. ``known``: how many rows, if that is known."""
    return _Counted(rows, known).get_page(number)


def export_rows(cluster: Cluster, filters: Filters) -> Iterator[list[Any]]:
    """The rows of a list in the shape of the import's template. Three queries, whatever their number."""
    return rows_of(listed(cluster, filters), cluster, filters.day, filters.known_on)


def rows_of(
    memberships: QuerySet[Membership], cluster: Cluster, day: dt.date, known_on: dt.date | None = None
) -> Iterator[list[Any]]:
    """Memberships as rows of the template: identifiers first of their scheme, the size as of the day."""
    chosen = policy()
    known = words(chosen)
    here = Membership.objects.filter(cluster=cluster).values("organisation_id")
    ids: dict[int, dict[str, list[str]]] = {}
    for organisation, scheme, value in (
        Identifier.objects.filter(organisation_id__in=here)
        .order_by("id")
        .values_list("organisation_id", "scheme", "value")
    ):
        ids.setdefault(organisation, {}).setdefault(scheme, []).append(value)
    sizes: dict[int, tuple[Any, ...]] = {}
    for row in (
        as_known_on(SizeCategory.objects.filter(organisation_id__in=here, on__lte=day), known_on)
        .order_by("on", "id")
        .values_list("organisation_id", "category", "definition", "on", "headcount", "evidence")
    ):
        sizes[row[0]] = row[1:]
    titles = {(s.code, c.code): str(c.title) for s in chosen.members.size_schemes for c in s.categories}
    types = {t.code: str(t.title) for t in chosen.members.types}
    colleges = {c.code: str(c.title) for c in chosen.members.colleges}
    own = known.fields.own
    plain = set(own) == {"siret"}
    wanted = (
        "organisation_id", "member_type", "college", "joined_on", "left_on",
        "organisation__name", "organisation__country", "organisation__postcode", "organisation__city",
    )  # fmt: skip
    nothing: dict[str, list[str]] = {}
    unsized = ("", "", None, None, "")
    for (
        organisation,
        member_type,
        college,
        joined_on,
        left_on,
        name,
        country,
        postcode,
        city,
    ) in memberships.values_list(*wanted).iterator(chunk_size=1000):
        mine = ids.get(organisation, nothing)
        if plain and len(mine) == 1 and len(mine.get("siret", ())) == 1:  # nearly all: one SIRET and nothing else
            first, others = mine["siret"], None
        else:
            if "siret" in own and "siret" not in mine and "siren" in mine:
                mine = {"siret": mine["siren"], **{k: v for k, v in mine.items() if k != "siren"}}
            first = [mine.get(scheme, [None])[0] for scheme in own]
            others = [
                f"{scheme} {value}"
                for scheme, values in mine.items()
                for value in (values[1:] if scheme in own else values)
            ]
        category, definition, size_on, headcount, evidence = sizes.get(organisation, unsized)
        yield [
            name,
            *first,
            "; ".join(others) if others else None,
            country or None,
            postcode or None,
            city or None,
            types.get(member_type, member_type),
            colleges.get(college, college) or None,
            joined_on,
            left_on,
            headcount,
            titles.get((definition, category), category) or None,
            size_on,
            evidence or None,
        ]


# --- one member --------------------------------------------------------------------------------------------------


def history_of(cluster: Cluster, organisation_id: int) -> list[Membership]:
    """Every version of the memberships of one organisation in one cluster, newest record first. One query."""
    return list(
        Membership.objects.filter(cluster=cluster, organisation_id=organisation_id)
        .select_related("organisation", "batch", "batch__user")
        .order_by("-recorded_at", "-id")
    )


# --- imports -----------------------------------------------------------------------------------------------------


def batches_of(cluster: Cluster, limit: int = 20) -> list[ImportBatch]:
    """The imports of a cluster, newest first, without their rows."""
    rows = ImportBatch.objects.filter(cluster=cluster).select_related("user").defer("rows", "columns")
    return list(rows.order_by("-id")[:limit])


def first_label_day(cluster: Cluster) -> dt.date | None:
    """First day of the cluster's labels; None when it never held one. One query."""
    held = LabelHolder.objects.filter(cluster=cluster).values("label_id")
    periods = LabelPeriod.objects.filter(label_id__in=held, superseded_at=None)
    return periods.aggregate(first=Min("starts_on"))["first"]


def fingerprint(cluster: Cluster) -> list[Any]:
    """What changes when anything changes that a preview was judged against."""
    mine = Membership.objects.filter(cluster=cluster).aggregate(
        a=Max("id"), b=Count("id", filter=Q(superseded_at=None)), c=Max("superseded_at")
    )
    tops = [
        table.objects.order_by("-id").values_list("id", flat=True).first() or 0
        for table in (Organisation, Identifier, SizeCategory, Merge)
    ]
    return [mine["a"] or 0, mine["b"], mine["c"].isoformat() if mine["c"] else "", *tops]


def _chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    every = sorted(values)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]


def register_for(cluster: Cluster, lines: Sequence[rules.Line], choices: Iterable[int] = ()) -> rules.Register:
    """What of the register a file's rows are compared with: a fixed number of look-ups for each 5,000 values.

    ``choices`` are organisations that the user chose for rows; they are read whatever their name.
    """
    found = rules.Register(first_label=first_label_day(cluster))
    rows: dict[int, tuple[Any, ...]] = {}
    for m in (
        Membership.objects.filter(cluster=cluster, superseded_at=None)
        .order_by("organisation_id", "joined_on")
        .values_list(
            "id", "organisation_id", "member_type", "college", "joined_on", "left_on",
            "organisation__name", "organisation__name_key", "organisation__country", "organisation__city",
        )
    ):  # fmt: skip
        found.periods.setdefault(m[1], []).append(rules.Period(m[0], m[1], m[2], m[3], m[4], m[5]))
        rows[m[1]] = m[6:]
    members = set(rows)
    ids: dict[int, list[tuple[str, str]]] = {}
    here = Membership.objects.filter(cluster=cluster, superseded_at=None).values("organisation_id")
    _keep_identifiers(found, ids, Identifier.objects.filter(organisation_id__in=here))

    schemes: dict[str, set[str]] = {}
    for line in lines:
        for pair in line.ids:
            if pair not in found.by_identifier:
                schemes.setdefault(pair[0], set()).add(pair[1])
    outside: set[int] = {c for c in choices if c and c not in rows}
    for scheme, values in schemes.items():
        for chunk in _chunks(values):
            outside.update(
                Identifier.objects.filter(scheme=scheme, value__in=chunk).values_list("organisation_id", flat=True)
            )
    # A SIREN may be known by one of its establishments only, or a SIRET by its SIREN.
    persons = {
        value[:9]
        for line in lines
        for scheme, value in line.ids
        if scheme in ("siren", "siret") and (scheme, value) not in found.by_identifier
    } - found.by_person.keys()
    if persons:
        for chunk in _chunks(persons):
            outside.update(
                Identifier.objects.filter(scheme="siren", value__in=chunk).values_list("organisation_id", flat=True)
            )
        if Identifier.objects.filter(scheme="siret").exists():
            for chunk in _chunks(persons):
                outside.update(
                    Identifier.objects.filter(scheme="siret")
                    .annotate(person=Substr("value", 1, 9))
                    .filter(person__in=chunk)
                    .values_list("organisation_id", flat=True)
                )
    _keep_outside(rows, outside)

    named = {line.key for line in lines if line.key}
    for organisation in members:
        named.discard(rows[organisation][1])
    namesakes: dict[int, str] = {}
    for chunk in _chunks(named):
        for row in Organisation.objects.filter(name_key__in=[k[:255] for k in chunk], merged_into=None).values_list(
            "id", "name", "name_key", "country", "city"
        ):
            if row[0] not in members:
                rows[row[0]] = row[1:]
                namesakes[row[0]] = row[2]
    strangers = (outside | set(namesakes)) - members
    for chunk in _chunks(strangers):
        _keep_identifiers(found, ids, Identifier.objects.filter(organisation_id__in=chunk))

    for organisation, (name, key, country, city) in rows.items():
        key = key or rules.match_key(name)
        found.organisations[organisation] = rules.Known(
            organisation, name, key, country, city, tuple(ids.get(organisation, ()))
        )
        if organisation in members:
            found.members_by_key.setdefault(key, []).append(organisation)
        elif organisation in namesakes:
            found.others_by_key.setdefault(key, []).append(organisation)
    if any(line.size for line in lines):
        _keep_sizes(found, here, strangers)
    return found


def _keep_identifiers(found: rules.Register, ids: dict[int, list[tuple[str, str]]], rows: QuerySet[Identifier]) -> None:
    for organisation, scheme, value in rows.order_by("id").values_list("organisation_id", "scheme", "value"):
        ids.setdefault(organisation, []).append((scheme, value))
        found.by_identifier[scheme, value] = organisation
        if scheme in ("siren", "siret"):
            found.by_person.setdefault(value[:9], organisation)


def _keep_outside(rows: dict[int, tuple[Any, ...]], outside: set[int]) -> None:
    for chunk in _chunks(outside - rows.keys()):
        for row in Organisation.objects.filter(id__in=chunk).values_list("id", "name", "name_key", "country", "city"):
            rows[row[0]] = row[1:]


def _keep_sizes(found: rules.Register, here: QuerySet[Any], strangers: set[int]) -> None:
    current = SizeCategory.objects.filter(superseded_at=None)
    sets = [current.filter(organisation_id__in=here)]
    sets += [current.filter(organisation_id__in=chunk) for chunk in _chunks(strangers)]
    for rows in sets:
        for organisation, *size in rows.values_list("organisation_id", "category", "definition", "on", "headcount"):
            found.sizes.setdefault(organisation, []).append(rules.KnownSize(*size))


def names_for(ids: Iterable[int]) -> dict[int, Organisation]:
    """Organisations by id, for a page of verdicts. One query."""
    return Organisation.objects.only("id", "name", "city", "country", "simulated").in_bulk(set(ids))


def acts_on(cluster: Cluster, memberships: Collection[int]) -> dict[int, JournalEntry]:
    """The journal's act that made each of these memberships by hand, by its id. One query."""
    acts = JournalEntry.objects.filter(
        case=f"cluster:{cluster.slug}", act__startswith="member.", after__membership__in=list(memberships)
    )
    return {entry.after["membership"]: entry for entry in acts}
