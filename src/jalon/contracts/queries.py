"""Reads about contracts for screens, exports and acts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet, Sum

from jalon.clusters import queries as register
from jalon.clusters.models import (
    Cluster,
    ClusterGroup,
    ClusterName,
    ClusterTerritory,
    LabelHolder,
    LabelPeriod,
)
from jalon.contracts import access, rules, states
from jalon.contracts.models import Annex, Commitment, Contract, Party, Proposal, Signature, Text
from jalon.core import clock
from jalon.core.models import JournalEntry, as_known_on
from jalon.core.prepared import Prepared
from jalon.people.access import Actor, policy
from jalon.roadmaps.models import Roadmap


def case_of(contract: Contract) -> str:
    """The journal's name of a contract."""
    return f"contract:{contract.slug}"


def template_of(contract: Contract) -> Any:
    """The policy's template that a contract obeys; None when it obeys none (a contract known from outside)."""
    for find in (policy().contract_template, policy().contract_template_for):
        try:
            return find(contract.template if find == policy().contract_template else contract.phase)
        except KeyError:
            continue
    return None


def region_set_of(day: dt.date | None) -> Any:
    """The regions in whose codes a contract that starts on ``day`` writes its territory."""
    return policy().regions_on(day) if day else None


def region_names(codes: Iterable[str], day: dt.date | None) -> list[str]:
    """Names of the regions of a territory; a code that is not known stands for itself."""
    found = region_set_of(day)
    names = {r.code: r.name for r in found.regions} if found else {}
    return [names.get(code, code) for code in codes]


# --- names --------------------------------------------------------------------------------------------------------


@Prepared
def _names(clusters: Collection[int]) -> QuerySet:
    rows = ClusterName.objects.filter(cluster_id__in=clusters).exclude(certainty="unknown").order_by("rank", "id")
    return rows.values_list("cluster_id", "name", "starts_on", "ends_on")


def name_clusters(contracts: Sequence[Contract], day: dt.date) -> Sequence[Contract]:
    """The same contracts, whose ``cluster_name`` is the one that the cluster bore on ``day``; one query for all."""
    names: dict[int, str] = {}
    for cluster, name, starts_on, ends_on in _names(clusters={c.cluster_id for c in contracts}):  # as name_on does
        if cluster not in names or ((starts_on is None or starts_on <= day) and (ends_on is None or day <= ends_on)):
            names[cluster] = name
    for contract in contracts:
        contract.cluster.name_of_day = names.get(contract.cluster_id, contract.cluster.name)
    return contracts


def called(cluster: Cluster, day: dt.date) -> str:
    """The name that one cluster bore on ``day``."""
    return register.name_on(register.names_of([cluster.pk]).get(cluster.pk, ()), cluster, day)


# --- labels and groups --------------------------------------------------------------------------------------------


@Prepared
def _holders(clusters: Collection[int]) -> QuerySet:
    rows = LabelHolder.objects.filter(cluster_id__in=clusters)
    return rows.values_list("label_id", "cluster_id", "starts_on", "ends_on")


def _spans_of(rows: QuerySet[LabelPeriod]) -> QuerySet:
    return rows.values_list("label_id", "starts_on", "ends_on", "certainty", "act__reference")


@Prepared
def _periods(labels: Collection[int]) -> QuerySet:
    return _spans_of(as_known_on(LabelPeriod.objects.filter(label_id__in=labels)))


def label_spans(cluster_ids: Iterable[int], known_on: dt.date | None = None) -> dict[int, list[rules.LabelSpan]]:
    """The periods during which each cluster holds a label, alone or with others; two queries for all.

    ``known_on``: only what had been decided by then; an act whose day of decision is not known counts from the
    moment it was recorded.
    """
    holders = _holders(clusters=set(cluster_ids))
    labels = {row[0] for row in holders}
    periods: Iterable[tuple[Any, ...]]
    if known_on is None:
        periods = _periods(labels=labels)
    else:
        periods = _spans_of(
            as_known_on(LabelPeriod.objects.filter(label_id__in=labels)).filter(
                Q(act__isnull=True)
                | Q(act__decided_on__lte=known_on)
                | Q(act__decided_on__isnull=True, recorded_at__lte=clock.end_of_day(known_on))
            )
        )
    by_label: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for period in periods:
        by_label[period[0]].append(period)
    found: dict[int, list[rules.LabelSpan]] = defaultdict(list)
    for label, cluster, held_from, held_until in holders:
        for _, starts_on, ends_on, certainty, reference in by_label[label]:
            start = max(starts_on, held_from or starts_on)
            ends = [d for d in (ends_on, held_until) if d is not None]
            end = min(ends) if ends else None
            if end is None or end >= start:
                found[cluster].append(rules.LabelSpan(start, end, certainty, reference or ""))
    for spans in found.values():
        spans.sort(key=lambda s: s.starts_on)
    return found


def group_of(cluster: Cluster, phase: str, on: dt.date) -> Any:
    """The evaluation group that governs a phase, as published by ``on``; None when the cluster has none."""
    groups = [g for g in policy().evaluation_groups if g.phase == phase]
    rows = (
        as_known_on(ClusterGroup.objects.filter(cluster=cluster, evaluation__in={g.campaign for g in groups}))
        .filter(Q(on__isnull=True) | Q(on__lte=on))
        .order_by("-on", "-id")
    )
    for row in rows:
        for group in groups:
            if group.campaign == row.evaluation and group.code == row.group:
                return group
    return None


def territory_of(cluster: Cluster, day: dt.date) -> list[str]:
    """The codes of the cluster's regions in the set of regions of ``day``."""
    regions = region_set_of(day)
    if regions is None:
        return []
    return list(
        ClusterTerritory.objects.filter(cluster=cluster, region_set=regions.code)
        .order_by("rank", "region_code")
        .values_list("region_code", flat=True)
    )


# --- in force -----------------------------------------------------------------------------------------------------


def in_force(contract: Contract, day: dt.date, *, known_on: dt.date | None = None) -> rules.InForce:
    """Whether ``contract`` is in force on ``day``, and why: ``InForce.answer`` (None: unknown) and ``.why``."""
    return in_force_many([contract], day, known_on=known_on)[contract.pk]


def in_force_many(
    contracts: Sequence[Contract], day: dt.date, *, known_on: dt.date | None = None
) -> dict[int, rules.InForce]:
    """:func:`in_force` for many contracts with a constant number of queries."""
    spans = label_spans({c.cluster_id for c in contracts}, known_on)
    known = {c.pk for c in contracts if c.known and not c.simulated}
    templates: dict[tuple[str, str], Any] = {}
    for c in contracts:
        if (c.template, c.phase) not in templates:
            templates[c.template, c.phase] = template_of(c)
    return {
        c.pk: rules.in_force(
            day=day,
            state=c.state,
            starts_on=c.starts_on,
            ends_on=c.ends_on,
            signed_on=c.signed_on,
            closed_on=c.closed_on,
            # The act of signing refuses without the decision, so a contract signed here has them all.
            decisions_made=None if c.pk in known else c.state in states.PUBLIC,
            label_spans=spans.get(c.cluster_id, []),
            template=templates[c.template, c.phase],
        )
        for c in contracts
    }


# --- texts --------------------------------------------------------------------------------------------------------


def binding_text(contract: Contract) -> Text | None:
    """The text that binds the parties now: the last one signed; None before the first signature is complete."""
    return tip([t for t in contract.texts.all() if t.state == "signed"])


def tip(signed: Sequence[Text]) -> Text | None:
    """The signed text on which no other signed text stands."""
    bases = {t.base_id for t in signed}
    free = [t for t in signed if t.pk not in bases]
    return max(free, key=lambda t: (t.base_id is not None, t.number)) if free else None


def current_text(contract: Contract) -> Text:
    """The binding text, or the original while nothing binds."""
    texts = list(contract.texts.all())
    return tip([t for t in texts if t.state == "signed"]) or texts[0]


def parties_of(text: Text, rows: Iterable[Party] | None = None) -> list[Party]:
    """The party rows that the text names, in its order."""
    by_key = {p.key: p for p in (text.contract.parties.select_related("organisation") if rows is None else rows)}
    return [by_key[p["key"]] for p in text.content.get("parties") or () if p["key"] in by_key]


def signers_of(text: Text, template: Any = None) -> rules.Signers | None:
    """Who signs the text: everybody for an original (None), the policy's choice for an amendment."""
    if text.base_id is None:
        return None
    return rules.amendment_signers(template or template_of(text.contract), text.base.content, text.content)


def decisions_on(text: Text) -> list[rules.Decision]:
    """The deliberations recorded on a text."""
    return [
        rules.Decision(d.party.key, d.outcome, d.decided_on, d.year)
        for d in text.deliberations.select_related("party").order_by("decided_on", "id")
    ]


def annexes_of(text: Text) -> QuerySet[Annex]:
    """The annexes that stand (a replaced one stays in the history)."""
    return text.annexes.filter(replaced_at__isnull=True).select_related("file", "snapshot")


def validated_roadmap(cluster_id: int, phase: str, on: dt.date) -> Roadmap | None:
    """The validated version of the cluster's roadmap that an annex takes: of the phase if there is one."""
    rows = (
        Roadmap.objects.filter(cluster_id=cluster_id, state="validated", frozen__isnull=False, validated_on__lte=on)
        .select_related("frozen")
        .order_by("-validated_on", "-version")
    )
    found = list(rows[:5])
    return next((r for r in found if r.phase == phase), found[0] if found else None)


def requirements_of(
    text: Text,
    on: dt.date,
    *,
    template: Any = None,
    decisions: Sequence[rules.Decision] | None = None,
    annex_keys: Iterable[str] | None = None,
    open_proposals: int | None = None,
) -> list[rules.Requirement]:
    """What the text has to meet before it is signed; what the caller has already read is not read again."""
    contract = text.contract
    template = template or template_of(contract)
    starts = rules.doc.as_day(text.content.get("starts_on"))
    regions = region_set_of(starts)
    signers = signers_of(text, template)
    return rules.requirements(
        text.content,
        template,
        deliberations=decisions_on(text) if decisions is None else decisions,
        annexes=[a.key for a in annexes_of(text)] if annex_keys is None else annex_keys,
        open_proposals=text.proposals.filter(state="open").count() if open_proposals is None else open_proposals,
        roadmap_validated=bool(validated_roadmap(contract.cluster_id, contract.phase, on))
        if template and template.roadmap
        else None,
        group=contract.group,
        region_codes=[r.code for r in regions.regions] if regions else None,
        signers=signers.keys if signers else None,
        amendment=text.base_id is not None,
        words=policy().words,
    )


def missing_before_signature(contract: Contract, on: dt.date) -> list[rules.Missing]:
    """What is missing before the contract's current open text can be signed by all; empty when signed."""
    text = open_text(contract)
    return [m for r in requirements_of(text, on) for m in r.missing] if text else []


def open_text(contract: Contract) -> Text | None:
    """The text that is being written or signed now (the newest one)."""
    rows = contract.texts.filter(state__in=states.OPEN).select_related("base", "frozen").order_by("-number")
    text = rows.first()
    if text is not None:
        text.contract = contract
    return text


# --- history ------------------------------------------------------------------------------------------------------


def history(contract: Contract, path: str = "") -> QuerySet[Proposal]:
    """Every change proposed at a path or below it (all of them without a path), over all texts, newest first."""
    rows = Proposal.objects.filter(text__contract=contract).select_related("text", "party__organisation")
    if path:
        rows = rows.filter(Q(path=path) | Q(path__startswith=f"{path}/"))
    return rows.order_by("-at", "-id")


def journal_of(contract: Contract) -> QuerySet[JournalEntry]:
    """The acts on a contract, newest first."""
    return JournalEntry.objects.filter(case=case_of(contract)).order_by("-seq")


# --- list ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filters:
    """What the list of contracts is narrowed to; empty means everything."""

    q: str = ""
    phase: str = ""
    state: str = ""
    region: str = ""
    party: str = ""
    kind: str = ""
    sort: str = ""


@dataclass(frozen=True)
class Row:
    """A line of the list of contracts."""

    contract: Contract
    parties: list[Party]
    promised: Any
    in_force: rules.InForce

    @property
    def authorities(self) -> list[Party]:
        return [p for p in self.parties if p.kind == "authority"]


SORTS: Mapping[str, tuple[str, ...]] = {
    "cluster": ("cluster__name_key", "starts_on", "id"),
    "-cluster": ("-cluster__name_key", "-starts_on", "-id"),
    "start": ("starts_on", "cluster__name_key", "id"),
    "-start": ("-starts_on", "cluster__name_key", "id"),
    "end": ("ends_on", "cluster__name_key", "id"),
    "-end": ("-ends_on", "cluster__name_key", "id"),
    "signed": ("signed_on", "cluster__name_key", "id"),
    "-signed": ("-signed_on", "cluster__name_key", "id"),
    "amount": ("promised", "cluster__name_key", "id"),
    "-amount": ("-promised", "cluster__name_key", "id"),
}


def listed(actor: Actor, on: dt.date, filters: Filters) -> QuerySet[Contract]:
    """The contracts of the list, filtered and sorted, with ``promised`` (public money, current version)."""
    rows = access.visible_to(actor, on).select_related("cluster").filter(created_at__lte=clock.end_of_day(on))
    if filters.q:
        rows = rows.filter(
            Q(title__icontains=filters.q) | Q(cluster__name__icontains=filters.q) | Q(slug__icontains=filters.q)
        )
    if filters.phase:
        rows = rows.filter(phase=filters.phase)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.state:
        rows = rows.filter(state=filters.state)
    if filters.region:
        rows = rows.filter(
            cluster_id__in=ClusterTerritory.objects.filter(region_code=filters.region).values("cluster_id")
        )
    if filters.party:
        wanted = Party.objects.filter(removed_by_text__isnull=True)
        wanted = (
            wanted.filter(organisation_id=int(filters.party))
            if filters.party.isdecimal()
            else wanted.filter(organisation__name__icontains=filters.party)
        )
        rows = rows.filter(id__in=wanted.values("contract_id"))
    rows = rows.annotate(
        promised=Sum(
            "commitments__amount", filter=Q(commitments__superseded_at__isnull=True, commitments__kind="money")
        )
    )
    return rows.order_by(*SORTS.get(filters.sort, SORTS["cluster"]))


def rows_of(contracts: Sequence[Contract], on: dt.date) -> list[Row]:
    """Lines for these contracts, with a constant number of queries."""
    parties: dict[int, list[Party]] = defaultdict(list)
    for party in (
        Party.objects.filter(contract_id__in=[c.pk for c in contracts], removed_by_text__isnull=True)
        .select_related("organisation")
        .order_by("order", "id")
    ):
        parties[party.contract_id].append(party)
    forces = in_force_many(contracts, on)
    name_clusters(contracts, on)
    return [Row(c, parties[c.pk], getattr(c, "promised", None), forces[c.pk]) for c in contracts]


def party_names(contracts: QuerySet[Contract]) -> dict[int, list[str]]:
    """The names of the parties of each contract of a selection, in order: one query."""
    found: dict[int, list[str]] = {}
    for contract, name in (
        Party.objects.filter(contract_id__in=contracts.order_by().values("pk"), removed_by_text__isnull=True)
        .order_by("order", "id")
        .values_list("contract_id", "organisation__name")
    ):
        found.setdefault(contract, []).append(name)
    return found


def promised_total(contracts: QuerySet[Contract]) -> Any:
    """All the public money promised by these contracts; None when nothing is known."""
    return Commitment.objects.filter(
        contract_id__in=contracts.order_by().values("id"), superseded_at__isnull=True, kind="money"
    ).aggregate(total=Sum("amount"))["total"]


def counts(text: Text) -> dict[str, Any]:
    """Open proposals and unresolved comments of a text, by path."""
    comments = dict(
        text.comments.filter(resolved_at__isnull=True)
        .order_by()
        .values_list("path")
        .annotate(n=Count("id"))
        .values_list("path", "n")
    )
    return {"comments": comments}


def with_texts(slug: str, actor: Actor, on: dt.date) -> Contract | None:
    """A contract that the actor may know of, with cluster, texts and parties read; None otherwise."""
    found = (
        access.visible_to(actor, on)
        .filter(slug=slug)
        .select_related("cluster")
        .prefetch_related(
            Prefetch("texts", queryset=Text.objects.select_related("frozen").order_by("number")),
            Prefetch("parties", queryset=Party.objects.select_related("organisation").order_by("order", "id")),
        )
        .first()
    )
    if found is not None:
        name_clusters([found], on)
    return found


def signatures_of(text: Text) -> QuerySet[Signature]:
    """The signatures of a text, oldest first."""
    return text.signatures.select_related("party").order_by("signed_on", "id")
