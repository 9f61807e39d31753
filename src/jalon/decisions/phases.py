"""Change of phase: what is still open, what goes on, the acts that close one phase and open the next; lineage of indicators.

Nothing is lost when a phase closes: contracts go to their own end, labels go on by their own acts, indicators keep their codes
and say where their definition changed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from jalon.clusters.models import Cluster, Label, LabelAct, LabelPeriod
from jalon.contracts.follow_rules import commitment_due
from jalon.contracts.models import Commitment, CommitmentStep, Contract, Report
from jalon.core import clock, journal
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.decisions import rules
from jalon.decisions.models import Appeal, Decision, PhaseClosing, PhaseOpening
from jalon.decisions.queries import link
from jalon.evaluations.queries import reviews_due
from jalon.indicators.models import Observation
from jalon.people.access import Actor, policy
from jalon.policy.faults import day_text
from jalon.ui import charts

SHOWN = 40
"""Most items of a check that the page lists; the count tells the rest."""


@dataclass(frozen=True)
class Item:
    """Something that is open: what, and where."""

    said: Any
    url: str = ""
    simulated: bool = False

    def __str__(self) -> str:
        return str(self.said)


def phase_named(code: str) -> Any:
    """The phase of that code; None when the policy has none."""
    return next((p for p in policy().phases if p.code == code), None)


def next_of(phase: Any) -> Any:
    """The phase that comes after; None when the policy tells none."""
    later = sorted((p for p in policy().phases if p.starts_on > phase.starts_on), key=lambda p: p.starts_on)
    return later[0] if later else None


def checklist(phase: Any, on: dt.date) -> list[rules.Checked]:
    """What is open on a day, line by line of the policy's list; a fixed number of queries."""
    part = rules.part_of(policy())
    if part is None:
        return []
    contracts = list(Contract.objects.filter(phase=phase.code).select_related("cluster").order_by("slug"))
    found = []
    for line in part.closing:
        items = CHECKS[line.code](phase, on, contracts)
        found.append(rules.Checked(line.code, line.title, line.blocking, len(items), tuple(items[:SHOWN])))
    return found


def _contracts(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    return [
        Item(T("« {c} », jusqu'au {d}", "“{c}”, to {d}", c=c.title, d=c.ends_on) if c.ends_on else c.title, link("contract", c.slug), c.simulated)
        for c in contracts
        if c.state == "signed" and (c.ends_on is None or c.ends_on > on)
    ]  # fmt: skip


def _drafts(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    return [
        Item(c.title, link("contract", c.slug), c.simulated)
        for c in contracts
        if c.state in ("preparing", "negotiation", "signing")
    ]


def _reports(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    rows = (
        Report.objects.filter(contract__phase=phase.code, state__in=("open", "submitted", "returned"))
        .select_related("contract__cluster", "round")
        .order_by("due_on", "contract__slug")
    )
    return [
        Item(T("{c}, {r}", "{c}, {r}", c=r.contract.cluster.name, r=r.round.code), link("contract", r.contract.slug), r.simulated)
        for r in rows
    ]  # fmt: skip


def _commitments(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    """Money that fell due by the day and is not paid in full, unless it was refused or is no longer due."""
    ids = {c.pk: c for c in contracts if c.state in ("signed", "closed")}
    paid: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    gone: set[tuple[int, str]] = set()
    for contract, key, kind, amount in CommitmentStep.objects.filter(
        contract__in=ids, superseded_at=None, on__lte=on
    ).values_list("contract_id", "key", "kind", "amount"):
        if kind == "paid":
            paid[contract, key] += amount or Decimal(0)
        elif kind in ("refused", "released"):
            gone.add((contract, key))
    found = []
    for row in (
        Commitment.objects.filter(contract__in=ids, superseded_at=None, kind="money", amount__isnull=False)
        .select_related("party__organisation")
        .order_by("contract__slug", "year", "key")
    ):
        due, _ = commitment_due(row.due_on, row.year)
        place = (row.contract_id, row.key)
        if due is None or due > on or place in gone or paid[place] >= row.amount:
            continue
        contract = ids[row.contract_id]
        found.append(
            Item(
                T("{c} : {p}, {y}", "{c}: {p}, {y}", c=contract.cluster.name, p=row.party.organisation.name, y=row.year or due.year),
                link("contract", contract.slug),
                contract.simulated,
            )
        )  # fmt: skip
    return found


def _reviews(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    rows = reviews_due(on, contracts=Contract.objects.filter(phase=phase.code, state="signed"), ahead=dt.timedelta(0))
    return [
        Item(
            T("{c}, dû le {d}", "{c}, due on {d}", c=r.contract.cluster.name, d=r.due_on),
            link("contract", r.contract.slug),
            r.contract.simulated,
        )
        for r in rows
    ]


def _labels(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    """Labels in force on the phase's last day, of whose holders none has a label afterwards, and that no act ends."""
    end = phase.ends_as_known(on)
    running = LabelPeriod.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=end), superseded_at=None, starts_on__lte=end
    ).values("label_id")
    labels = list(Label.objects.filter(id__in=running).prefetch_related("held_by").order_by("name"))
    after = set(
        LabelPeriod.objects.filter(Q(ends_on=None) | Q(ends_on__gt=end), superseded_at=None)
        .filter(label__held_by__isnull=False)
        .values_list("label__held_by__cluster_id", flat=True)
    )
    ended = set(
        LabelAct.objects.filter(
            label__in=labels,
            superseded_at=None,
            effective_from__gt=end,
            act__in=("withdrawn", "merged", "expired", "refused"),
        ).values_list("label_id", flat=True)
    )
    return [
        Item(label.name, link("label", label.code))
        for label in labels
        if label.pk not in ended and not any(h.cluster_id in after for h in label.held_by.all())
    ]


def _decisions(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    return [
        Item(d.title, link("decision", d.slug), d.simulated)
        for d in Decision.objects.filter(state__in=("draft", "opinions")).order_by("proposed_on", "slug")
    ]


def _appeals(phase: Any, on: dt.date, contracts: Sequence[Contract]) -> list[Item]:
    rows = Appeal.objects.filter(outcome="").select_related("line__decision", "line__cluster").order_by("lodged_on")
    return [Item(a.line.name, link("decision", a.line.decision.slug), a.simulated) for a in rows]


CHECKS = {
    "contracts": _contracts,
    "drafts": _drafts,
    "reports": _reports,
    "commitments": _commitments,
    "reviews": _reviews,
    "labels": _labels,
    "decisions": _decisions,
    "appeals": _appeals,
}


def asked_in(indicator: Any, phase: Any) -> bool:
    """Whether an indicator is asked for in a phase; one that names no phase is asked for in all."""
    return not indicator.phases or phase.code in indicator.phases


def carried(phase: Any, on: dt.date) -> list[dict[str, Any]]:
    """What goes on beyond the phase, as plain values: contracts with their end, and the indicators that have a sequel."""
    found: list[dict[str, Any]] = [
        {"what": "contract", "case": f"contract:{slug}", "until": ends}
        for slug, ends in Contract.objects.filter(phase=phase.code, state="signed")
        .filter(Q(ends_on=None) | Q(ends_on__gt=on))
        .order_by("slug")
        .values_list("slug", "ends_on")
    ]
    following = next_of(phase)
    for indicator in policy().indicators:
        if following is not None and asked_in(indicator, phase) and asked_in(indicator, following):
            broken = [b for b in rules.breaks_of(indicator) if phase.ends_on < b.on <= following.ends_finally]
            found.append({"what": "indicator", "case": indicator.code, "break_on": broken[0].on if broken else None})
    return found


@transaction.atomic
def close(
    code: str, *, reason: str, by: Actor, on: dt.date, simulated: bool = False, at: dt.datetime | None = None
) -> PhaseClosing:
    """Close a phase: its list is frozen as it stands, with what goes on; nothing is ended by it.

    Raises:
        NotAllowed: the role closes no phase. Refused: the phase runs still, something bars it, or no report is given.
        Conflict: closed already.
    """
    by.require("phase.manage")
    phase = phase_named(code)
    if phase is None:
        raise Refused(T("Phase inconnue : « {c} ».", "Unknown phase: “{c}”.", c=code), kind="input")
    if rules.part_of(policy()) is None:
        raise Refused(
            T("La politique ne dit pas comment clore une phase.", "The policy does not say how to close a phase.")
        )
    if not reason.strip():
        raise Refused(T("Une clôture porte un compte rendu.", "A closing bears a report."), kind="input")
    before = PhaseClosing.objects.filter(programme=policy().slug, phase=code).first()
    if before is not None:
        raise Conflict(
            T("« {p} » est déjà close, depuis le {d}.", "“{p}” is closed already, since {d}.", p=phase.title, d=day_text(before.closed_on)),
            theirs=before.closed_on,
            yours=on,
        )  # fmt: skip
    checks = checklist(phase, on)
    refusals = rules.closing_refusals(policy(), phase, on, checks)
    if refusals:
        raise Refused(refusals[0], missing=refusals[1:])
    moment = clock.stamp(on, at)
    told = [
        {
            "code": c.code,
            "fr": c.title.in_language("fr"),
            "en": c.title.in_language("en"),
            "open": c.open,
            "items": [str(i) for i in c.items],
        }
        for c in checks
    ]
    goes_on = journal.plain(carried(phase, on))
    following = next_of(phase)
    frozen = journal.freeze(
        f"phase:{code}",
        "closing",
        {"phase": code, "on": on, "report": reason.strip(), "list": told, "carried": goes_on},
        at=moment,
    )
    try:
        with transaction.atomic():
            made = PhaseClosing.objects.create(
                programme=policy().slug,
                phase=code,
                next_phase=following.code if following else "",
                closed_on=on,
                checklist=told,
                carried=goes_on,
                reason=reason.strip(),
                frozen=frozen,
                user_label=by.user_label[:200],
                at=moment,
                simulated=simulated,
            )
    except IntegrityError:
        raise Conflict(
            T("Cette phase vient d'être close.", "This phase has just been closed."), theirs="", yours=""
        ) from None
    journal.record(
        f"phase:{code}",
        "phase.close",
        by=by,
        on=on,
        at=moment,
        why=reason.strip(),
        after={
            "closed_on": on,
            "open": {c.code: c.open for c in checks},
            "carried": len(goes_on),
            "sha256": frozen.sha256,
        },
    )
    return made


@transaction.atomic
def open_phase(
    code: str, *, by: Actor, on: dt.date, simulated: bool = False, at: dt.datetime | None = None
) -> PhaseOpening:
    """Open a phase, from its announcement on; the one before may still run.

    Raises:
        NotAllowed: the role opens no phase. Refused: unknown, not announced yet, or no contract template for it.
        Conflict: open already.
    """
    by.require("phase.manage")
    phase = phase_named(code)
    if phase is None:
        raise Refused(T("Phase inconnue : « {c} ».", "Unknown phase: “{c}”.", c=code), kind="input")
    since = phase.announced_on or phase.starts_on
    if on < since:
        raise Refused(T("« {p} » est annoncée le {d}.", "“{p}” is announced on {d}.", p=phase.title, d=day_text(since)))
    try:
        policy().contract_template_for(code)
    except KeyError:
        raise Refused(
            T("La politique n'a pas de modèle de contrat pour « {p} » : il manque.", "The policy has no contract template for “{p}”: it is missing.", p=phase.title)
        ) from None  # fmt: skip
    moment = clock.stamp(on, at)
    try:
        with transaction.atomic():
            made = PhaseOpening.objects.create(
                programme=policy().slug,
                phase=code,
                opened_on=on,
                user_label=by.user_label[:200],
                at=moment,
                simulated=simulated,
            )
    except IntegrityError:
        raise Conflict(
            T("« {p} » est déjà ouverte.", "“{p}” is open already.", p=phase.title), theirs=code, yours=code
        ) from None
    journal.record(f"phase:{code}", "phase.open", by=by, on=on, at=moment, after={"opened_on": on})
    return made


# --- lineage of an indicator ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """A value of a year: how many clusters it is made of, which version of the definition it was counted by."""

    year: int
    value: Decimal | None
    clusters: int
    versions: tuple[str, ...]
    phase: Any
    simulated: bool


def series(indicator: Any, on: dt.date, cluster: Cluster | None = None) -> list[Point]:
    """The published values of an indicator, year by year across phases: of one cluster, or of all.

    All: counts and money are summed, shares and means are averaged over the clusters that have a value. A year without a
    value stays a gap; years before and after a break are never joined.
    """
    rows = as_known_on(
        Observation.objects.filter(
            indicator=indicator.code, breakdown="", state="validated", value__isnull=False, period_end__lte=on
        )
    )
    if cluster is not None:
        rows = rows.filter(cluster=cluster)
    by_year: dict[int, list[Observation]] = defaultdict(list)
    for row in rows.order_by("period_end", "id"):
        by_year[row.period_end.year].append(row)
    if not by_year:
        return []
    summed = indicator.unit in ("count", "money", "fte")
    found = []
    for year in range(min(by_year), max(by_year) + 1):
        values = by_year.get(year, [])
        total = sum((v.value for v in values), Decimal(0))
        value = (total if summed else total / len(values)) if values else None
        found.append(
            Point(
                year,
                round(value, indicator.decimals) if value is not None else None,
                len({v.cluster_id for v in values}),
                tuple(sorted({v.definition_version for v in values})),
                policy().phase_on(dt.date(year, 12, 31)),
                any(v.simulated for v in values),
            )
        )
    return found


def drawing(indicator: Any, points: Sequence[Point], on: dt.date, *, title: Any) -> Any:
    """The curve with its breaks: where the definition changed."""
    years = {p.year for p in points}
    breaks = [
        (b.on.year, str(b.said)) for b in rules.breaks_of(indicator) if years and min(years) <= b.on.year <= max(years)
    ]
    return charts.trend(
        [(p.year, float(p.value) if p.value is not None else None, p.simulated) for p in points],
        unit=str(indicator.unit_title),
        title=title,
        today=on,
        breaks=breaks,
    )


def phases_known(on: dt.date) -> Iterable[tuple[Any, PhaseClosing | None, PhaseOpening | None]]:
    """The phases announced by a day, with their closing and opening, newest first."""
    closings = {c.phase: c for c in PhaseClosing.objects.filter(programme=policy().slug)}
    openings = {o.phase: o for o in PhaseOpening.objects.filter(programme=policy().slug)}
    for phase in sorted(policy().phases, key=lambda p: p.starts_on, reverse=True):
        if (phase.announced_on or phase.starts_on) <= on:
            yield phase, closings.get(phase.code), openings.get(phase.code)
