"""Reads of State aid: ownership around an organisation, its size on a day, its single undertaking, its ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from jalon.aid import rules, states
from jalon.aid.models import Award, ClusterAid, ClusterYear, OwnershipLink, SizeFigures
from jalon.clusters.models import Cluster
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.models import as_known_on
from jalon.core.why import Why
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.people.queries import size_category_on

FARTHEST = 12
"""Steps of ownership that are followed from an organisation; longer chains do not occur and are cut."""


@dataclass(frozen=True)
class Around:
    """What is known around an organisation: everybody reached by links, their links, their accounts.

    ``names``: organisation id → the name used in rules and sentences, each once.
    """

    names: dict[int, str]
    people: dict[int, Organisation]
    rows: tuple[OwnershipLink, ...]
    links: tuple[rules.Link, ...]
    figures: dict[str, dict[int, rules.Figures]]
    evidence: dict[tuple[str, int], str]


def links_around(ids: Iterable[int], known_on: dt.date | None = None) -> list[OwnershipLink]:
    """Every current link reached from these organisations, whatever its period. One query per step."""
    seen, step, found = set(ids), set(ids), {}
    for _ in range(FARTHEST):
        if not step:
            break
        rows = as_known_on(OwnershipLink.objects.filter(Q(owner_id__in=step) | Q(owned_id__in=step)), known_on)
        new: set[int] = set()
        for row in rows:
            found[row.pk] = row
            new |= {row.owner_id, row.owned_id}
        step = new - seen
        seen |= new
    return sorted(found.values(), key=lambda row: row.pk)


def as_link(row: OwnershipLink, names: Mapping[int, str]) -> rules.Link:
    """A stored link as the rules read it."""
    return rules.Link(
        owner=names[row.owner_id],
        owned=names[row.owned_id],
        share=row.share,
        control=row.control,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        owner_kind=row.owner_kind,
        kind=row.kind,
    )


def around(organisation: Organisation, *, known_on: dt.date | None = None) -> Around:
    """Links and accounts around an organisation, as known on a day."""
    rows = links_around([organisation.pk], known_on)
    ids = {organisation.pk, *(r.owner_id for r in rows), *(r.owned_id for r in rows)}
    people = Organisation.objects.in_bulk(ids)
    names = unique_names(people)
    figures: dict[str, dict[int, rules.Figures]] = {}
    evidence: dict[tuple[str, int], str] = {}
    for row in as_known_on(SizeFigures.objects.filter(organisation_id__in=ids), known_on):
        name = names[row.organisation_id]
        figures.setdefault(name, {})[row.year] = rules.Figures(row.headcount, row.turnover, row.balance)
        evidence[name, row.year] = row.evidence
    return Around(names, people, tuple(rows), tuple(as_link(row, names) for row in rows), figures, evidence)


def unique_names(people: Mapping[int, Organisation]) -> dict[int, str]:
    """A name of its own for each; two organisations of one name are told apart by their number."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for pk, one in sorted(people.items()):
        name = one.name if one.name not in taken else f"{one.name} (n° {pk})"
        names[pk] = name
        taken.add(name)
    return names


@dataclass(frozen=True)
class SizeAt:
    """The size of an organisation on a day.

    ``source``: computed (from accounts and links), recorded (a class with its evidence), unknown. ``category``: class of the
    EU definition; ``national`` the French one. ``refusal``: why it could not be computed (circular ownership…).
    """

    organisation: Organisation
    day: dt.date
    category: str | None
    title: Text
    source: str
    evidence: str
    why: Why | None
    eu: rules.Size | None
    national: rules.Size | None
    refusal: Text | str | None = None

    @property
    def for_aid(self) -> str | None:
        """The size for aid (small, medium, large), or None when it is not known or no rule set is in force."""
        try:
            return rules.aid_size(policy(), self.category, self.day)
        except Refused:
            return None


def size_at(
    organisation: Organisation, day: dt.date, *, known_on: dt.date | None = None, near: Around | None = None
) -> SizeAt:
    """The EU size of an organisation on a day, with its evidence, and the French category beside it.

    Computed from accounts and ownership where they are known; else the class recorded under the EU definition with its
    evidence; else unknown. A class is never guessed.
    """
    laws = policy()
    part = laws.part("aid")
    near = near or around(organisation, known_on=known_on)
    name = near.names[organisation.pk]
    eu = national = None
    refusal: Any = None
    if part is not None:
        try:
            eu = rules.eu_size(laws, name, near.figures, near.links, day)
            national = rules.national_size(laws, name, near.figures, near.links, day)
        except Refused as error:
            refusal = error.reason
    if eu is not None and eu.category is not None:
        years = [y.year for y in eu.years]
        papers = [near.evidence.get((name, year), "") for year in years[-2:]]
        return SizeAt(
            organisation,
            day,
            eu.category,
            eu.title,
            "computed",
            " ; ".join(p for p in papers if p),
            eu.why,
            eu,
            national,
        )
    recorded = size_category_on(organisation, day, known_on=known_on)
    scheme = getattr(part, "size_scheme", None)
    if recorded is not None and recorded.definition == scheme and refusal is None:
        found = next((s for s in laws.members.size_schemes if s.code == scheme), None)
        title = (
            next((c.title for c in found.categories if c.code == recorded.category), T("inconnue", "unknown"))
            if found
            else T("inconnue", "unknown")
        )
        why = Why(
            rule=T(
                "Classe enregistrée avec sa preuve ; les comptes et les liens ne sont pas tous connus ici.",
                "Class recorded with its evidence; not all accounts and links are known here.",
            ),
            parameter=f"members.size_schemes.{scheme}",
            reference=found.reference if found else "",
            url=(found.url or "") if found else "",
            day=day,
            inputs={
                T("Enregistrée pour le", "Recorded for"): recorded.on,
                T("Preuve", "Evidence"): recorded.evidence or "–",
            },
            to_confirm=bool(found and found.to_confirm),
        )
        return SizeAt(organisation, day, recorded.category, title, "recorded", recorded.evidence, why, eu, national)
    return SizeAt(
        organisation, day, None, T("inconnue", "unknown"), "unknown", "", eu.why if eu else None, eu, national, refusal
    )


def undertaking(
    organisation: Organisation, day: dt.date, *, known_on: dt.date | None = None, near: Around | None = None
) -> list[Organisation]:
    """The single undertaking of an organisation on a day: itself first, then every one tied to it by control.

    Raises:
        Refused: circular ownership, named.
    """
    near = near or around(organisation, known_on=known_on)
    numbers = {name: pk for pk, name in near.names.items()}
    found = rules.undertaking(policy(), near.links, near.names[organisation.pk], day)
    return [near.people[numbers[name]] for name in found]


def standing_awards() -> QuerySet[Award]:
    """The awards that stand: not withdrawn."""
    return Award.objects.filter(withdrawn_on__isnull=True)


def small_awards(members: Iterable[Organisation], kind: str = "general") -> list[rules.Award]:
    """The *de minimis* awards of an undertaking that stand, as the rules read them."""
    base = next(b for b, k in states.DE_MINIMIS.items() if k == kind)
    names = unique_names({o.pk: o for o in members})
    rows = standing_awards().filter(beneficiary_id__in=names, base=base).select_related("authority")
    return [
        rules.Award(names[r.beneficiary_id], r.amount, r.granted_on, kind, r.granted_by, r.declared)
        for r in rows.order_by("granted_on", "pk")
    ]


@dataclass(frozen=True)
class Gauge:
    """How full the *de minimis* ceiling of an undertaking is on a day. ``refusal`` when it cannot be told."""

    kind: Any
    used: Decimal
    left: Decimal
    ceiling: Decimal
    verdict: rules.DeMinimis | None
    members: tuple[Organisation, ...]
    refusal: Text | str | None = None


def gauge(
    organisation: Organisation, day: dt.date, kind: str = "general", *, near: Around | None = None
) -> Gauge | None:
    """The gauge of one kind; None when the programme has no *de minimis* rules."""
    part = policy().part("aid")
    if part is None or not part.de_minimis:
        return None
    title = next(k for k in part.de_minimis_kinds if k.code == kind)
    zero = Decimal(0)
    try:
        members = undertaking(organisation, day, near=near)
        # A cent stands for "what is there": the verdict holds the window, what was used and what is left.
        verdict = rules.de_minimis(policy(), small_awards(members, kind), rules.CENT, day, kind=kind)
    except Refused as error:
        return Gauge(title, zero, zero, zero, None, (organisation,), error.reason)
    return Gauge(title, verdict.used, verdict.left, verdict.ceiling, verdict, tuple(members))


def to_publish(rows: QuerySet[Award], day: dt.date) -> list[tuple[Award, rules.Publication]]:
    """Awards above the publication threshold of their day that are not published yet, the most urgent first."""
    laws = policy()
    waiting = rows.filter(published_on__isnull=True, withdrawn_on__isnull=True, declared=False).exclude(base="none")
    found = []
    for award in (
        waiting.filter(granted_on__lte=day).select_related("beneficiary", "authority").order_by("granted_on")[:2000]
    ):
        try:
            verdict = rules.publication(laws, award.amount, award.granted_on)
        except Refused:
            continue
        if verdict.needed:
            found.append((award, verdict))
    return sorted(found, key=lambda pair: (pair[1].due_on or day, pair[0].pk))


def cluster_lines(cluster: Cluster, *, known_on: dt.date | None = None) -> list[rules.ClusterLine]:
    """A cluster's own costs and aid by year, as the rules read them. Two queries."""
    aid: dict[tuple[Any, ...], dict[str, Decimal]] = {}
    rows = as_known_on(ClusterAid.objects.filter(cluster=cluster), known_on).select_related("funder")
    for row in rows.order_by("year", "pk"):
        amounts = aid.setdefault((row.year, row.kind, row.area), {})
        amounts[row.funder.name] = amounts.get(row.funder.name, Decimal(0)) + row.amount
    lines = []
    for year in as_known_on(ClusterYear.objects.filter(cluster=cluster), known_on).order_by("year", "kind", "area"):
        key = (year.year, year.kind, year.area)
        lines.append(rules.ClusterLine(year.year, year.kind, year.eligible, aid.pop(key, {}), year.area, year.counted))
    for (when, kind, area), amounts in aid.items():  # aid without a known cost: nothing eligible is assumed
        lines.append(rules.ClusterLine(when, kind, Decimal(0), amounts, area))
    return sorted(lines, key=lambda line: (line.year, line.kind, line.area))


def department_of(organisation: Organisation) -> str:
    """The department of a French postcode; empty when it cannot be told. Corsica: 2A up to 20190, 2B from 20200 on."""
    code = organisation.postcode.strip()
    if organisation.country != "FR" or len(code) != 5 or not code.isdigit():
        return ""
    if code.startswith(("97", "98")):
        return code[:3]
    if code.startswith("20"):
        return "2A" if int(code) < 20200 else "2B"
    return code[:2]


def nuts_region(organisation: Organisation) -> str:
    """The region of NUTS level 2: the former region (before 2016), or the overseas department; empty when unknown."""
    department = department_of(organisation)
    for regions in policy().regions:
        for region in regions.regions:
            if department and department in region.departments:
                return region.name
        break  # the oldest set holds the regions of level 2
    return ""


def nace_group(organisation: Organisation) -> str:
    """The NACE group (three digits) of a NAF code: 26.51B → 26.5."""
    digits = "".join(c for c in organisation.activity_code if c.isdigit())
    return f"{digits[:2]}.{digits[2]}" if len(digits) >= 3 else ""


def identifiers(ids: Iterable[int]) -> dict[int, str]:
    """The SIREN of organisations (from their SIREN or SIRET), else another identifier. One query."""
    from jalon.people.models import Identifier

    best: dict[int, tuple[int, str]] = {}
    for pk, scheme, value in Identifier.objects.filter(organisation_id__in=list(ids)).values_list(
        "organisation_id", "scheme", "value"
    ):
        rank, said = {"siren": (0, value), "siret": (1, value[:9])}.get(scheme, (2, value))
        if pk not in best or rank < best[pk][0]:
            best[pk] = (rank, said)
    return {pk: said for pk, (_, said) in best.items()}
