"""Reads of a contract's life: dashboard, board, series, with lights. A constant number of queries each.

Every read takes ``known_on``: what was recorded by the end of that day, judged on that day.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DecimalField,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Concat, NullIf

from jalon.contracts import follow_rules as rules
from jalon.contracts.models import (
    Action,
    BudgetLine,
    Commitment,
    CommitmentStep,
    Contract,
    ContractIndicator,
    Deliberation,
    Milestone,
    Objective,
    ObjectiveStatus,
    Party,
    Progress,
    Report,
    Target,
    Text,
)
from jalon.contracts.queries import name_clusters
from jalon.core.clock import end_of_day
from jalon.core.lang import T
from jalon.core.models import JournalEntry, as_known_on
from jalon.core.prepared import Prepared
from jalon.indicators import engine, queries as observed
from jalon.indicators.models import Observation
from jalon.people.access import policy
from jalon.programme.models import Round

YEARS_BEFORE = 4
"""Years before the contract whose values a dashboard shows; the page of the indicator shows them all."""

# --- one contract ------------------------------------------------------------------------------------------


@dataclass
class ActionView:
    """An action with its light, its last declaration and its milestones."""

    action: Action
    progress: Progress | None
    light: rules.Light
    milestones: list[MilestoneView] = field(default_factory=list)

    @property
    def slip(self) -> int:
        return rules.slip_days(self.action.ends_on, self.progress.expected_end if self.progress else None)


@dataclass
class MilestoneView:
    milestone: Milestone
    progress: Progress | None
    light: rules.Light


@dataclass
class ObjectiveView:
    """An objective with its actions; ``declared`` is what the pôle says, ``contested`` by the State or not."""

    objective: Objective
    status: ObjectiveStatus | None
    declared: str
    contested: bool
    light: rules.Light
    actions: list[ActionView]


@dataclass
class IndicatorView:
    """An indicator with its series, its targets and the light of the period judged."""

    indicator: ContractIndicator
    entry: Any | None
    source: str
    series: list[Observation]
    targets: dict[int, Target]
    year: int
    observation: Observation | None
    light: rules.Light | None
    now: engine.Computed | None = None

    @property
    def title(self) -> Any:
        return self.entry.title if self.entry else self.indicator.title

    @property
    def unit(self) -> str:
        return self.entry.unit if self.entry else self.indicator.unit

    @property
    def target(self) -> Target | None:
        return self.targets.get(self.year)

    @property
    def simulated(self) -> bool:
        return any(o.simulated for o in self.series)

    @property
    def points(self) -> list[tuple[int, Decimal | None, bool]]:
        """One point a period, for the charts: the value in work before the published one."""
        return [(o.period_end.year, o.value, o.simulated) for o in self.series]

    @property
    def aims(self) -> list[tuple[int, Decimal]]:
        return [(year, t.value) for year, t in sorted(self.targets.items())]

    @property
    def breaks(self) -> list[tuple[int, Any]]:
        """Years from which another version of the definition counts."""
        out, last = [], None
        for o in self.series:
            if last is not None and o.definition_version != last:
                out.append((o.period_end.year, T("définition {v}", "definition {v}", v=o.definition_version)))
            last = o.definition_version
        return out


@dataclass
class CommitmentView:
    """A public commitment with what happened to it."""

    commitment: Commitment
    light: rules.Light
    due_on: dt.date | None
    due_read: bool
    decided: Decimal | bool | None
    paid: Decimal | None
    delivered_on: dt.date | None
    contested: bool
    steps: list[CommitmentStep]

    @property
    def part_paid(self) -> bool:
        """Something was paid, less than promised; a full payment that did not arrive is contested, not part."""
        amount = self.commitment.amount
        return bool(self.paid) and self.light.code != "reached" and (amount is None or self.paid < amount)

    @property
    def stage(self) -> str:
        """promised, decided or paid: how far it has come, beside its light."""
        if self.light.code == "reached" and not self.contested:
            return "paid" if self.commitment.kind == "money" else "done"
        return "decided" if self.decided else "promised"

    @property
    def left(self) -> Decimal | None:
        if self.commitment.amount is None:
            return None
        return self.commitment.amount - (self.paid or Decimal(0))


@dataclass(frozen=True)
class Attention:
    """Something that is late, missing or at risk: what, whose turn it is, where to go."""

    light: rules.Light
    kind: Any
    title: Any
    text: Any
    side: str
    anchor: str


@dataclass(frozen=True)
class YearMoney:
    """Sums of one year; None where nothing at all was recorded."""

    year: int
    promised: Decimal | None
    decided: Decimal | None
    paid: Decimal | None


@dataclass
class Dashboard:
    """Everything that the page of a contract's life shows."""

    contract: Contract
    day: dt.date
    known_on: dt.date | None
    sight: str
    parties: list[Party]
    objectives: list[ObjectiveView]
    indicators: list[IndicatorView]
    commitments: list[CommitmentView]
    reports: list[Report]
    report_states: dict[int, str]
    budget: list[rules.BudgetYear]
    budget_simulated: bool = False

    @cached_property
    def actions(self) -> list[ActionView]:
        return [a for o in self.objectives for a in o.actions]

    @property
    def budget_last(self) -> rules.BudgetYear | None:
        return self.budget[-1] if self.budget else None

    @property
    def simulated(self) -> bool:
        return (
            self.contract.simulated
            or any(i.simulated for i in self.indicators)
            or any(c.commitment.simulated for c in self.commitments)
        )

    @cached_property
    def attention(self) -> list[Attention]:
        """What is late, missed, unknown or at risk, the worst first, both sides together."""
        found: list[Attention] = []
        for r in self.reports:
            light = rules.report_light(today=self.day, state=self.report_states[r.pk], due_on=r.due_on)
            if light.bad:
                found.append(
                    Attention(light, T("Rapport", "Report"), r.round.code, light.why.rule, "governance", "rapports")
                )
        for o in self.objectives:
            if o.light.bad:
                found.append(
                    Attention(
                        o.light,
                        T("Objectif", "Objective"),
                        o.objective.title,
                        o.light.why.rule,
                        "governance",
                        f"objectif-{o.objective.key}",
                    )
                )
            for a in o.actions:
                if a.light.bad:
                    found.append(
                        Attention(
                            a.light,
                            T("Action", "Action"),
                            a.action.title,
                            a.light.why.rule,
                            "governance",
                            f"action-{a.action.key}",
                        )
                    )
        for i in self.indicators:
            if i.light is not None and (i.light.bad or i.light.code == "unknown"):
                found.append(
                    Attention(
                        i.light,
                        T("Indicateur", "Indicator"),
                        i.title,
                        i.light.why.rule,
                        "governance",
                        f"indicateur-{i.indicator.key}",
                    )
                )
        for c in self.commitments:
            if c.light.bad:
                found.append(
                    Attention(
                        c.light,
                        T("Engagement public", "Public commitment"),
                        f"{c.commitment.party.organisation.name} {c.commitment.year or ''}".strip(),
                        c.light.why.rule,
                        "public",
                        f"engagement-{c.commitment.key}",
                    )
                )
        return sorted(found, key=lambda a: (a.light.rank, -a.light.days))

    @cached_property
    def pole_lights(self) -> list[tuple[str, int]]:
        """How many promises of the pôle (actions, indicators with a target) stand under each light."""
        counted = Counter(a.light.code for a in self.actions)
        counted.update(i.light.code for i in self.indicators if i.light is not None)
        return [(code, counted[code]) for code in rules.SEVERITY if counted[code]]

    @cached_property
    def public_lights(self) -> list[tuple[str, int]]:
        """How many promises of the public side stand under each light."""
        counted = Counter(c.light.code for c in self.commitments)
        return [(code, counted[code]) for code in rules.SEVERITY if counted[code]]

    @cached_property
    def money(self) -> list[YearMoney]:
        """Public money by year: promised, decided, paid."""
        years: dict[int, list[Decimal | None]] = defaultdict(lambda: [None] * 3)
        for c in self.commitments:
            if c.commitment.kind != "money" or c.commitment.year is None:
                continue
            voted = c.decided if isinstance(c.decided, Decimal) else c.commitment.amount if c.decided else None
            for place, amount in enumerate((c.commitment.amount, voted, c.paid)):
                if amount is not None:
                    years[c.commitment.year][place] = (years[c.commitment.year][place] or Decimal(0)) + amount
        return [YearMoney(year, *row) for year, row in sorted(years.items())]

    @cached_property
    def money_total(self) -> YearMoney:
        def total(name: str) -> Decimal | None:
            known = [v for m in self.money if (v := getattr(m, name)) is not None]
            return sum(known, Decimal(0)) if known else None

        return YearMoney(0, *(total(name) for name in ("promised", "decided", "paid")))


# Rows of one contract. Prepared: their SQL is written once; lists that nobody reads here are left in the database.

STANDING = Q(removed_by_text__isnull=True)


@Prepared
def _progress(contract: int, known_on: dt.date | None) -> QuerySet:
    return as_known_on(Progress.objects.filter(action__contract_id=contract), known_on).order_by("id")


@Prepared
def _milestones(contract: int, standing: bool) -> QuerySet:
    return Milestone.objects.filter(STANDING if standing else Q(), action__contract_id=contract)


@Prepared
def _actions(contract: int, standing: Q = STANDING) -> QuerySet:
    return Action.objects.filter(standing, contract_id=contract).select_related("objective")


@Prepared
def _statuses(contract: int, known_on: dt.date | None) -> QuerySet:
    return as_known_on(ObjectiveStatus.objects.filter(objective__contract_id=contract), known_on).order_by("id")


@Prepared
def _objectives(contract: int, standing: Q = STANDING) -> QuerySet:
    return Objective.objects.filter(standing, contract_id=contract)


@Prepared
def _steps(contract: int, known_on: dt.date | None) -> QuerySet:
    return as_known_on(CommitmentStep.objects.filter(contract_id=contract), known_on).order_by("on", "id")


@Prepared
def _votes(contract: int, by: dt.datetime | None) -> QuerySet:
    found = Deliberation.objects.filter(
        text__contract_id=contract, outcome="approved", year__isnull=False, amount__isnull=False
    )
    if by is not None:
        found = found.filter(recorded_at__lte=by)
    return found.values_list("party_id", "year", "amount")


@Prepared
def _commitments(contract: int, known_on: dt.date | None) -> QuerySet:
    return (
        as_known_on(Commitment.objects.filter(contract_id=contract), known_on)
        .select_related("party__organisation")
        .defer("party__sources", "party__organisation__sources")
        .order_by("party__order", "party_id", "year", "id")
    )


@Prepared
def _parties(contract: int, standing: Q = STANDING) -> QuerySet:
    return (
        Party.objects.filter(standing, contract_id=contract)
        .select_related("organisation")
        .defer("sources", "organisation__sources")
    )


@Prepared
def _indicators(contract: int, standing: Q = STANDING) -> QuerySet:
    return ContractIndicator.objects.filter(standing, contract_id=contract)


@Prepared
def _targets(indicators: list[int], known_on: dt.date | None) -> QuerySet:
    return (
        as_known_on(Target.objects.filter(indicator_id__in=indicators), known_on)
        .select_related("text")
        .only(
            "indicator_id",
            "year",
            "value",
            "reason",
            "recorded_at",
            "superseded_at",
            "text__number",
            "text__contract_id",
        )
    )


@Prepared
def _series(
    cluster: int,
    codes: list[str],
    public: bool,
    own: bool,
    since: dt.date | None,
    whole: bool,
    known_on: dt.date | None,
) -> QuerySet:
    sight = observed.PUBLIC if public else observed.OWN if own else observed.PARTY
    rows = observed.values(cluster, codes, sight=sight, known_on=known_on).filter(breakdown="")
    if since is not None:
        rows = rows.filter(period_end__gte=since)
    return (
        rows
        if whole
        else rows.only(
            "cluster_id", "indicator", "breakdown", "period_end", "value", "state", "simulated", "definition_version"
        )
    )


@Prepared
def _reports(contract: int) -> QuerySet:
    return Report.objects.filter(contract_id=contract).select_related("round").order_by("-round__period_start")


@Prepared
def _budget(cluster: int, known_on: dt.date | None) -> QuerySet:
    return as_known_on(BudgetLine.objects.filter(cluster_id=cluster), known_on).order_by("year", "id")


def texts_known(contract: Contract, known_on: dt.date | None) -> Q:
    """Rows of the binding texts that stood on a day (today's without ``known_on``)."""
    if known_on is None:
        return Q(removed_by_text__isnull=True)
    later = list(
        Text.objects.filter(contract=contract, number__gt=0)
        .filter(Q(effective_on__isnull=True) | Q(effective_on__gt=known_on))
        .values_list("number", flat=True)
    )
    return ~Q(from_text__in=later) & (Q(removed_by_text__isnull=True) | Q(removed_by_text__in=later))


def actions_of(contract: Contract, day: dt.date, known_on: dt.date | None, standing: Q) -> list[ActionView]:
    """The actions with lights and milestones: three queries."""
    moved = _progress(contract=contract.pk, known_on=known_on)
    stones = _milestones(contract=contract.pk, standing=known_on is None)
    rows = _actions(contract=contract.pk) if known_on is None else _actions.make(contract.pk, standing)
    return action_views(contract, day, rows, moved, stones)


def action_views(
    contract: Contract,
    day: dt.date,
    rows: Iterable[Action],
    progress: Iterable[Progress],
    milestones: Iterable[Milestone],
) -> list[ActionView]:
    """The actions of one contract with their lights, from rows that were read (oldest progress first)."""
    moved: dict[tuple[int, int | None], Progress] = {}
    for p in progress:
        moved[p.action_id, p.milestone_id] = p
    stones: dict[int, list[MilestoneView]] = defaultdict(list)
    for m in milestones:
        p = moved.get((m.action_id, m.pk))
        light = rules.milestone_light(
            today=day,
            due_on=m.due_on,
            closes_on=contract.ends_on,
            done_on=p.done_on if p else None,
            expected_on=p.expected_end if p else None,
        )
        stones[m.action_id].append(MilestoneView(m, p, light))
    out = []
    for a in rows:
        p = moved.get((a.pk, None))
        mine = stones.get(a.pk, [])
        light = rules.action_light(
            today=day,
            starts_on=a.starts_on,
            ends_on=a.ends_on,
            closes_on=contract.ends_on,
            status=p.status if p else "",
            percent=p.percent if p else 0,
            expected_end=p.expected_end if p else None,
            done_on=p.done_on if p else None,
            milestones_late=sum(m.light.code in ("late", "missed") for m in mine),
        )
        out.append(ActionView(a, p, light, mine))
    return out


def objectives_of(contract: Contract, day: dt.date, known_on: dt.date | None, standing: Q) -> list[ObjectiveView]:
    """The objectives with their actions: five queries."""
    rows = _objectives(contract=contract.pk) if known_on is None else _objectives.make(contract.pk, standing)
    views = actions_of(contract, day, known_on, standing)
    return objective_views(contract, day, rows, views, _statuses(contract=contract.pk, known_on=known_on))


def objective_views(
    contract: Contract,
    day: dt.date,
    rows: Iterable[Objective],
    views: Iterable[ActionView],
    statuses: Iterable[ObjectiveStatus],
) -> list[ObjectiveView]:
    """The objectives of one contract with their actions and lights, from rows that were read (oldest status first)."""
    actions: dict[int, list[ActionView]] = defaultdict(list)
    for view in views:
        actions[view.action.objective_id].append(view)
    stated: dict[int, ObjectiveStatus] = {}
    for s in statuses:
        stated[s.objective_id] = s
    out = []
    for o in rows:
        s = stated.get(o.pk)
        declared, contested = rules.read_status(s.status) if s else ("", False)
        light = rules.objective_light(
            today=day,
            status=declared or None,
            validated=bool(s and s.validated),
            contested=contested,
            closes_on=contract.ends_on,
            actions=[a.light.code for a in actions[o.pk]],
        )
        out.append(ObjectiveView(o, s, declared, contested, light, actions[o.pk]))
    return out


def commitments_of(contract: Contract, day: dt.date, known_on: dt.date | None) -> list[CommitmentView]:
    """The public commitments with their lights: three queries."""
    return commitment_views(
        contract,
        day,
        _commitments(contract=contract.pk, known_on=known_on),
        _steps(contract=contract.pk, known_on=known_on),
        _votes(contract=contract.pk, by=end_of_day(known_on) if known_on else None),
    )


def commitment_views(
    contract: Contract,
    day: dt.date,
    rows: Iterable[Commitment],
    taken: Iterable[CommitmentStep],
    votes: Iterable[tuple[int, int, Decimal]],
) -> list[CommitmentView]:
    """The public commitments of one contract with their lights, from rows that were read; ``votes``: party, year, amount."""
    steps: dict[str, list[CommitmentStep]] = defaultdict(list)
    for s in taken:
        steps[s.key].append(s)
    voted: dict[tuple[int, int], Decimal] = {}
    for party, year, amount in votes:
        voted[party, year] = voted.get((party, year), Decimal(0)) + amount
    out = []
    for c in rows:
        mine = steps.get(c.key, [])
        decided: Decimal | bool | None = None
        for s in mine:
            if s.kind == "decided":
                decided = (
                    (decided if isinstance(decided, Decimal) else Decimal(0)) + s.amount
                    if s.amount is not None
                    else decided or True
                )
        if decided is None and c.year is not None and c.kind == "money":
            decided = voted.get((c.party_id, c.year))
        payments = [s for s in mine if s.kind == "paid"]
        paid = sum((s.amount or Decimal(0) for s in payments), Decimal(0)) if payments else None
        delivered = next((s.on for s in mine if s.kind == "delivered"), None)
        contested = any(s.kind == "contested" for s in mine)
        light = rules.commitment_light(
            today=day,
            kind=c.kind,
            amount=c.amount,
            due_on=c.due_on,
            year=c.year,
            closes_on=contract.ends_on,
            decided=decided,
            paid=paid,
            paid_on=payments[-1].on if payments else None,
            delivered_on=delivered,
            refused=any(s.kind == "refused" for s in mine),
            contested=contested,
            released=any(s.kind == "released" for s in mine),
        )
        due, read = rules.commitment_due(c.due_on, c.year)
        out.append(CommitmentView(c, light, due, read, decided, paid, delivered, contested, mine))
    return out


def indicators_of(
    contract: Contract,
    day: dt.date,
    known_on: dt.date | None,
    standing: Q,
    sight: str,
    *,
    asked: dict[int, dt.date] | None = None,
    only: str | None = None,
    since: dt.date | None = None,
) -> list[IndicatorView]:
    """The indicators with series, targets and lights: three queries.

    ``asked``: year → day by which its report was due. ``only``: the key of one indicator. ``since``: leave out
    the periods that ended before; the rest of what was written about a value (note, calculation) is read when asked.
    """
    if known_on is None and only is None:
        chosen = _indicators(contract=contract.pk)
    else:
        found = _indicators.make(contract.pk, standing)
        chosen = list(found if only is None else found.filter(key=only))
    targets = _targets(indicators=[i.pk for i in chosen], known_on=known_on)
    rows = _series(
        cluster=contract.cluster_id,
        codes=[i.code for i in chosen],
        public=sight == observed.PUBLIC,
        own=sight == observed.OWN,
        since=since,
        whole=only is not None,
        known_on=known_on,
    )
    return indicator_views(contract, day, chosen, targets, observed.latest(rows).values(), asked)


def indicator_views(
    contract: Contract,
    day: dt.date,
    chosen: Iterable[ContractIndicator],
    targets: Iterable[Target],
    observations: Iterable[Observation],
    asked: dict[int, dt.date] | None = None,
) -> list[IndicatorView]:
    """The indicators of one contract with series, targets and lights, from rows that were read."""
    from jalon.contracts.follow_actions import source_of

    rules_of = policy()
    entries = {i.code: i for i in rules_of.indicators}
    aims: dict[int, dict[int, Target]] = defaultdict(dict)
    for t in targets:
        aims[t.indicator_id][t.year] = t
    series: dict[str, list[Observation]] = defaultdict(list)
    for o in observations:
        series[o.indicator].append(o)
    due_days = dict(asked or {})

    def due_of(year: int) -> dt.date | None:
        if year not in due_days:
            dates = rules_of.round_holding(dt.date(year, 12, 31)) if rules_of.reporting.period == "year" else None
            due_days[year] = dates.due_on if dates else None
        return due_days[year]

    out = []
    for i in chosen:
        entry = entries.get(i.code)
        mine = sorted(series.get(i.code, []), key=lambda o: o.period_end)
        year = _year_judged(contract, day, mine)
        observation = next((o for o in reversed(mine) if o.period_end.year == year), None)
        target = aims[i.pk].get(year)
        start, end = dt.date(year, 1, 1), dt.date(year, 12, 31)
        light = rules.indicator_light(
            today=day,
            direction=entry.direction if entry else i.direction,
            target=target.value if target else None,
            value=observation.value if observation else None,
            period_start=start,
            period_end=end,
            asked_by=due_of(year),
            baseline=i.baseline,
        )
        out.append(IndicatorView(i, entry, source_of(i, entry), mine, aims[i.pk], year, observation, light))
    return out


def _year_judged(contract: Contract, day: dt.date, series: Sequence[Observation]) -> int:
    """The year whose target is judged on a day: the last closed one that the contract covers, or a later one that has a value."""
    year = day.year - 1
    if contract.starts_on and contract.starts_on.year > year:
        year = contract.starts_on.year
    if contract.ends_on and contract.ends_on.year < year:
        year = contract.ends_on.year
    return max([year, *(o.period_end.year for o in series if o.value is not None and o.period_end.year <= day.year)])


def reports_of(contract: Contract, known_on: dt.date | None) -> tuple[list[Report], dict[int, str]]:
    """The reports, newest first, and the state of each on the day asked: one query (two with ``known_on``)."""
    if known_on is None:
        rows = _reports(contract=contract.pk)
    else:
        found = _reports.make(contract.pk).filter(round__opens_on__lte=known_on)
        rows = list(
            found.annotate(
                known_state=_report_state_known(known_on, OuterRef("contract__slug"), OuterRef("round__code"), "")
            )
        )
    return rows, {r.pk: (r.known_state if known_on is not None else r.state) for r in rows}


def _report_state_known(day: dt.date, slug: Any, code: Any, prefix: str) -> Coalesce:
    """The state of a report on a day: the last act on it by then, else what its own days tell."""
    told = (
        JournalEntry.objects.filter(case=Concat(Value("report:"), slug, Value("/"), code), on__lte=day)
        .exclude(act__in=("report.remind", "value.draft"))
        .annotate(state=KT("after__state"))
        .order_by("-seq")
        .values("state")[:1]
    )
    return Coalesce(
        Subquery(told, output_field=CharField()),
        Case(
            When(**{f"{prefix}validated_on__lte": day}, then=Value("validated")),
            When(**{f"{prefix}returned_on__lte": day}, then=Value("returned")),
            When(**{f"{prefix}submitted_on__lte": day}, then=Value("submitted")),
            default=Value("open"),
            output_field=CharField(),
        ),
        output_field=CharField(),
    )


def dashboard(
    contract: Contract, *, day: dt.date, sight: str, known_on: dt.date | None = None, live: bool = False
) -> Dashboard:
    """The life of one contract on a day.

    ``live``: also compute today's figures from the records (for readers inside).
    """
    day = known_on or day
    standing = texts_known(contract, known_on)
    reports, states = reports_of(contract, known_on)
    asked = {r.round.period_end.year: r.due_on for r in reports}
    since = dt.date((contract.starts_on or day).year - YEARS_BEFORE, 1, 1)
    indicators = indicators_of(contract, day, known_on, standing, sight, asked=asked, since=since)
    if live and contract.starts_on and contract.starts_on <= day:
        start = dt.date(day.year, 1, 1)
        now = engine.compute(
            [i.entry for i in indicators if i.source == "computed"], [contract.cluster_id], start, day, known_on
        )
        for view in indicators:
            view.now = now.get((contract.cluster_id, view.indicator.code))
    lines = budget_lines(contract, known_on) if sight != observed.PUBLIC else []
    return Dashboard(
        contract=contract,
        day=day,
        known_on=known_on,
        sight=sight,
        parties=_parties(contract=contract.pk) if known_on is None else list(_parties.make(contract.pk, standing)),
        objectives=objectives_of(contract, day, known_on, standing),
        indicators=indicators,
        commitments=commitments_of(contract, day, known_on),
        reports=reports,
        report_states=states,
        budget=budget_years(lines),
        budget_simulated=any(line.simulated for line in lines),
    )


def budget_lines(contract: Contract, known_on: dt.date | None = None) -> list[BudgetLine]:
    """The lines of the cluster's running budget that stand (or stood on ``known_on``), oldest year first."""
    return _budget(cluster=contract.cluster_id, known_on=known_on)


def budget_years(lines: Sequence[BudgetLine]) -> list[rules.BudgetYear]:
    """Sums and shares by year, read against the ceiling and the target that the policy had at that year's end."""
    years: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for line in lines:
        years[line.year][line.kind] = line.amount
    out = []
    for year, amounts in sorted(years.items()):
        laws = policy().on(dt.date(year, 12, 31))
        aims = [p for name in ("ceiling", "target") if (p := laws.find(f"contracts.public_share_{name}"))]
        out.append(rules.budget_year(year, amounts, aims))
    return out


def target_history(indicator: ContractIndicator) -> list[Target]:
    """Every version of every target: old, new, which text, when, why."""
    return list(Target.objects.filter(indicator=indicator).select_related("text").order_by("year", "recorded_at", "id"))


# --- many contracts -------------------------------------------------------------------------------------------


def dashboards(contracts: Sequence[Contract], *, day: dt.date, sight: str = observed.PARTY) -> dict[int, Dashboard]:
    """The lives of many contracts on a day, with the same lights as :func:`dashboard`: twelve queries, whatever their number.

    What only the page of one contract shows (parties, budget, figures computed live) is left out.
    """
    keys = [c.pk for c in contracts]
    if not keys:
        return {}
    actions = _by(_many_actions(keys=keys), lambda a: a.contract_id)
    owner = {a.pk: a.contract_id for rows in actions.values() for a in rows}
    progress = _by(_many_progress(keys=keys), lambda p: owner.get(p.action_id))
    stones = _by(_many_milestones(keys=keys), lambda m: owner.get(m.action_id))
    objectives = _by(_many_objectives(keys=keys), lambda o: o.contract_id)
    owns = {o.pk: o.contract_id for rows in objectives.values() for o in rows}
    statuses = _by(_many_statuses(keys=keys), lambda s: owns.get(s.objective_id))
    commitments = _by(_many_commitments(keys=keys), lambda c: c.contract_id)
    steps = _by(_many_steps(keys=keys), lambda s: s.contract_id)
    votes = _by(_many_votes(keys=keys), lambda v: v[0])
    indicators = _by(_many_indicators(keys=keys), lambda i: i.contract_id)
    holds = {i.pk: i.contract_id for rows in indicators.values() for i in rows}
    targets = _by(_many_targets(keys=keys), lambda t: holds.get(t.indicator_id))
    since = min((c.starts_on or day for c in contracts), default=day)
    rows = observed.values(
        {c.cluster_id for c in contracts}, {i.code for found in indicators.values() for i in found}, sight=sight
    ).filter(breakdown="", period_end__gte=dt.date(since.year - 1, 1, 1))
    wanted = ("cluster_id", "indicator", "breakdown", "period_end", "value", "state", "simulated", "definition_version")
    series = _by(observed.latest(rows.only(*wanted)).values(), lambda o: o.cluster_id)
    reports = _by(_many_reports(keys=keys), lambda r: r.contract_id)
    out = {}
    for c in contracts:
        mine = actions.get(c.pk, [])
        views = action_views(c, day, mine, progress.get(c.pk, ()), stones.get(c.pk, ()))
        codes = {i.code for i in indicators.get(c.pk, ())}
        seen = [o for o in series.get(c.cluster_id, ()) if o.indicator in codes]
        told = reports.get(c.pk, [])
        asked = {r.round.period_end.year: r.due_on for r in told}
        out[c.pk] = Dashboard(
            contract=c,
            day=day,
            known_on=None,
            sight=sight,
            parties=[],
            objectives=objective_views(c, day, objectives.get(c.pk, ()), views, statuses.get(c.pk, ())),
            indicators=indicator_views(c, day, indicators.get(c.pk, ()), targets.get(c.pk, ()), seen, asked),
            commitments=commitment_views(
                c, day, commitments.get(c.pk, ()), steps.get(c.pk, ()), [v[1:] for v in votes.get(c.pk, ())]
            ),
            reports=told,
            report_states={r.pk: r.state for r in told},
            budget=[],
        )
    return out


def _by(rows: Iterable[Any], key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


@Prepared
def _many_actions(keys: list[int]) -> QuerySet:
    return Action.objects.filter(STANDING, contract_id__in=keys).select_related("objective")


@Prepared
def _many_progress(keys: list[int]) -> QuerySet:
    return as_known_on(Progress.objects.filter(action__contract_id__in=keys)).order_by("id")


@Prepared
def _many_milestones(keys: list[int]) -> QuerySet:
    return Milestone.objects.filter(STANDING, action__contract_id__in=keys)


@Prepared
def _many_objectives(keys: list[int]) -> QuerySet:
    return Objective.objects.filter(STANDING, contract_id__in=keys)


@Prepared
def _many_statuses(keys: list[int]) -> QuerySet:
    return as_known_on(ObjectiveStatus.objects.filter(objective__contract_id__in=keys)).order_by("id")


@Prepared
def _many_commitments(keys: list[int]) -> QuerySet:
    return (
        as_known_on(Commitment.objects.filter(contract_id__in=keys))
        .select_related("party__organisation")
        .defer("party__sources", "party__organisation__sources")
        .order_by("party__order", "party_id", "year", "id")
    )


@Prepared
def _many_steps(keys: list[int]) -> QuerySet:
    return as_known_on(CommitmentStep.objects.filter(contract_id__in=keys)).order_by("on", "id")


@Prepared
def _many_votes(keys: list[int]) -> QuerySet:
    return Deliberation.objects.filter(
        text__contract_id__in=keys, outcome="approved", year__isnull=False, amount__isnull=False
    ).values_list("text__contract_id", "party_id", "year", "amount")


@Prepared
def _many_indicators(keys: list[int]) -> QuerySet:
    return ContractIndicator.objects.filter(STANDING, contract_id__in=keys)


@Prepared
def _many_targets(keys: list[int]) -> QuerySet:
    return as_known_on(Target.objects.filter(indicator__contract_id__in=keys))


@Prepared
def _many_reports(keys: list[int]) -> QuerySet:
    return Report.objects.filter(contract_id__in=keys).select_related("round").order_by("-round__period_start")


SORTS = {
    "urgence": ("urgency", "due", "cluster__name_key"),
    "pole": ("cluster__name_key",),
    "debut": ("starts_on", "cluster__name_key"),
    "fin": ("ends_on", "cluster__name_key"),
    "echeance": ("due", "cluster__name_key"),
    "rapport": ("report_state", "cluster__name_key"),
}
"""What a board can be sorted by: columns of the contract and of its report, so that only the page is aggregated."""


@dataclass(frozen=True)
class BoardFilter:
    """What a board shows: words in the name, state of the report, late ones only, phase, group, party."""

    q: str = ""
    state: str = ""
    late: bool = False
    phase: str = ""
    group: str = ""
    sort: str = "urgence"


@dataclass(slots=True)
class BoardRow:
    """One contract on a board, with what is late and missing, and whose turn it is."""

    slug: str
    title: str
    cluster: str
    cluster_slug: str
    phase: str
    group: str
    starts_on: dt.date
    ends_on: dt.date
    report_state: str | None
    due_on: dt.date | None
    days_late: int
    actions: int
    actions_late: int
    objectives: int
    objectives_reached: int
    expected: int
    stated: int
    commitments: int
    commitments_late: int
    promised: Decimal | None
    paid: Decimal | None
    simulated: bool
    report_light: str
    next: str

    @property
    def missing(self) -> int:
        return self.expected - self.stated


def board_contracts(
    base: QuerySet[Contract], round: Round | None, chosen: BoardFilter, day: dt.date, known_on: dt.date | None
) -> QuerySet[Contract]:
    """The contracts that a board lists, filtered and sorted, each with the state of its report in the round."""
    found = base.filter(starts_on__lte=day, ends_on__gte=round.period_start if round else day)
    if known_on is not None:
        found = found.filter(Q(signed_on__isnull=True) | Q(signed_on__lte=known_on))
    found = found.annotate(r=FilteredRelation("reports", condition=Q(reports__round=round.pk if round else 0)))
    state: Any = F("r__state")
    if known_on is not None:
        state = Case(
            When(r__id__isnull=True, then=Value(None)),
            default=_report_state_known(known_on, OuterRef("slug"), Value(round.code if round else ""), "r__"),
            output_field=CharField(),
        )
    found = found.annotate(report_state=state, due=F("r__due_on"))
    waiting = Q(report_state__in=("open", "returned"))
    found = found.annotate(
        urgency=Case(
            When(waiting & Q(due__lt=day), then=Value(0)),
            When(report_state="submitted", then=Value(1)),
            When(waiting, then=Value(2)),
            When(report_state="validated", then=Value(3)),
            default=Value(4),
            output_field=IntegerField(),
        )
    )
    if chosen.q:
        from jalon.people.rules import name_key

        found = found.filter(Q(cluster__name_key__contains=name_key(chosen.q)) | Q(title__icontains=chosen.q))
    if chosen.state:
        found = found.filter(report_state=chosen.state)
    if chosen.late:
        found = found.filter(urgency=0)
    if chosen.phase:
        found = found.filter(phase=chosen.phase)
    if chosen.group:
        found = found.filter(group=chosen.group)
    name = chosen.sort.removeprefix("-")
    order = list(SORTS.get(name, SORTS["urgence"]))
    if chosen.sort.startswith("-"):
        order = [F(order[0]).desc(nulls_last=True), *order[1:]]
    shown = ("slug", "title", "phase", "group", "starts_on", "ends_on", "simulated", "cluster__name", "cluster__slug")
    return found.select_related("cluster").only(*shown).order_by(*order, "pk")


def board_counts(contracts: QuerySet[Contract]) -> Counter:
    """How many contracts stand in each state of report, late ones apart: one query for the whole selection."""
    counted: Counter = Counter()
    for state, urgency, n in contracts.order_by().values_list("report_state", "urgency").annotate(n=Count("pk")):
        counted[state or ""] += n
        counted["all"] += n
        if urgency == 0:
            counted["late"] += n
    return counted


def counted(contracts: Sequence[Contract]) -> Counter:
    """:func:`board_counts` of contracts that were read already."""
    counts: Counter = Counter(all=len(contracts))
    for c in contracts:
        counts[c.report_state or ""] += 1
        if c.urgency == 0:
            counts["late"] += 1
    return counts


def board_rows(
    contracts: Sequence[Contract], round: Round | None, day: dt.date, known_on: dt.date | None, among: Any = None
) -> list[BoardRow]:
    """The rows of these contracts: five queries, whatever their number.

    ``among``: a queryset of primary keys, for exports of a whole selection; otherwise the contracts' own keys.
    """
    keys = among if among is not None else [c.pk for c in contracts]
    name_clusters(contracts, day)
    actions = _action_counts(keys, day, known_on)
    objectives = _objective_counts(keys, day, known_on)
    values = _value_counts(keys, round, known_on)
    money = _commitment_counts(keys, day, known_on)
    said: dict[tuple[str | None, bool], tuple[str, str]] = {}

    def report_of(state: str | None, due: dt.date | None) -> tuple[str, str]:
        """Light and next step: there are only a few, so they are said once."""
        late = due is not None and due < day
        if (state, late) not in said:
            said[state, late] = (
                (rules.report_light(today=day, state=state, due_on=due).code, str(rules.next_step(state, day, due)[0]))
                if state and due
                else ("unknown", str(T("Aucun rapport n'est demandé.", "No report is asked.")))
            )
        return said[state, late]

    out = []
    for c in contracts:
        promised, paid, commitments, commitments_late = money.get(c.pk, (None, None, 0, 0))
        late = (day - c.due).days if c.urgency == 0 and c.due else 0
        out.append(
            BoardRow(
                c.slug,
                c.title,
                c.cluster_name,
                c.cluster.slug,
                c.phase,
                c.group,
                c.starts_on,
                c.ends_on,
                c.report_state,
                c.due,
                late,
                *actions.get(c.pk, (0, 0)),
                *objectives.get(c.pk, (0, 0)),
                *values.get(c.pk, (0, 0)),
                commitments,
                commitments_late,
                promised,
                paid,
                c.simulated,
                *report_of(c.report_state, c.due),
            )
        )
    return out


def _standing(known_on: dt.date | None) -> Q:
    """Rows of texts in force, over many contracts."""
    if known_on is None:
        return Q(removed_by_text__isnull=True)
    later = Text.objects.filter(contract=OuterRef("contract"), number__gt=0).filter(
        Q(effective_on__isnull=True) | Q(effective_on__gt=known_on)
    )
    return ~Q(Exists(later.filter(number=OuterRef("from_text")))) & (
        Q(removed_by_text__isnull=True) | Q(Exists(later.filter(number=OuterRef("removed_by_text"))))
    )


def _asked(keys: Any, read: Prepared, **values: Any) -> Iterable[tuple[Any, ...]]:
    """Counts for these contracts: prepared for a page's keys, in one statement with the selection for an export's."""
    return read(keys=keys, **values) if isinstance(keys, list) else read.make(keys=keys, **values)


@Prepared
def _action_rows(keys: Any, day: dt.date, known_on: dt.date | None) -> QuerySet:
    moved = as_known_on(Progress.objects.filter(action=OuterRef("pk"), milestone__isnull=True), known_on)
    bad = (Q(ends_on__lt=day) & ~Q(Exists(moved.filter(status="done")))) | Q(Exists(moved.filter(status="cancelled")))
    rows = Action.objects.filter(_standing(known_on), contract_id__in=keys).order_by().values_list("contract_id")
    return rows.annotate(n=Count("pk"), late=Count("pk", filter=bad))


def _action_counts(keys: Any, day: dt.date, known_on: dt.date | None) -> dict[int, tuple[int, int]]:
    """Actions, and those late or missed (past their end and not done, or given up)."""
    return {row[0]: row[1:] for row in _asked(keys, _action_rows, day=day, known_on=known_on)}


@Prepared
def _objective_rows(keys: Any, known_on: dt.date | None) -> QuerySet:
    reached = as_known_on(
        ObjectiveStatus.objects.filter(objective=OuterRef("pk"), status="reached", validated=True), known_on
    )
    rows = Objective.objects.filter(_standing(known_on), contract_id__in=keys).order_by().values_list("contract_id")
    return rows.annotate(n=Count("pk"), reached=Count("pk", filter=Exists(reached)))


def _objective_counts(keys: Any, day: dt.date, known_on: dt.date | None) -> dict[int, tuple[int, int]]:
    return {row[0]: row[1:] for row in _asked(keys, _objective_rows, known_on=known_on)}


@Prepared
def _value_rows(keys: Any, others: list[str], period_end: dt.date, known_on: dt.date | None) -> QuerySet:
    given = as_known_on(
        Observation.objects.filter(
            cluster=OuterRef("contract__cluster"),
            indicator=OuterRef("code"),
            period_end=period_end,
            breakdown="",
            state__in=("submitted", "validated"),
        ).filter(Q(value__isnull=False) | ~Q(note="")),
        known_on,
    )
    rows = (
        ContractIndicator.objects.filter(_standing(known_on), contract_id__in=keys)
        .exclude(code__in=others)
        .order_by()
        .values_list("contract_id")
    )
    return rows.annotate(n=Count("pk"), given=Count("pk", filter=Exists(given)))


def _value_counts(keys: Any, round: Round | None, known_on: dt.date | None) -> dict[int, tuple[int, int]]:
    """Values that the pôle owes in the round, and those stated (submitted or validated)."""
    if round is None:
        return {}
    others = [i.code for i in policy().indicators if engine.is_computed(i) or i.source in ("survey", "evaluator")]
    found = _asked(keys, _value_rows, others=others, period_end=round.period_end, known_on=known_on)
    return {row[0]: row[1:] for row in found}


@Prepared
def _commitment_rows(keys: Any, day: dt.date, year: int, known_on: dt.date | None) -> QuerySet:
    steps = as_known_on(CommitmentStep.objects.filter(contract=OuterRef("contract"), key=OuterRef("key")), known_on)
    paid = Subquery(
        steps.filter(kind="paid").order_by().values("key").annotate(total=Sum("amount")).values("total"),
        output_field=DecimalField(max_digits=16, decimal_places=2),
    )
    due = Q(due_on__lt=day) | Q(due_on__isnull=True, year__lt=year)
    contested = Q(Exists(steps.filter(kind="contested")))
    kept = (
        Q(kind="money", paid__gte=F("amount")) | (Q(kind="support") & Q(Exists(steps.filter(kind="delivered"))))
    ) & ~contested
    known = ~Q(kind="money", amount__isnull=True) | Q(paid__gt=0)
    released = Q(Exists(steps.filter(kind="released")))
    late = Q(Exists(steps.filter(kind="refused"))) | (due & known & ~kept & ~released)
    return (
        as_known_on(Commitment.objects.filter(contract_id__in=keys), known_on)
        .annotate(paid=Coalesce(paid, Value(Decimal(0)), output_field=DecimalField(max_digits=16, decimal_places=2)))
        .annotate(bad=Case(When(late, then=Value(1)), default=Value(0), output_field=IntegerField()))
        .order_by()
        .values_list("contract_id")
        .annotate(promised=Sum("amount"), total=Sum(NullIf("paid", Value(Decimal(0)))), n=Count("pk"), late=Sum("bad"))
    )


def _commitment_counts(
    keys: Any, day: dt.date, known_on: dt.date | None
) -> dict[int, tuple[Decimal | None, Decimal | None, int, int]]:
    """Public money promised and paid, commitments, and those late or missed: the rule of ``commitment_light`` in SQL.

    Nothing paid is unknown, not zero: a payment of zero cannot be declared.
    """
    found = _asked(keys, _commitment_rows, day=day, year=day.year, known_on=known_on)
    return {row[0]: row[1:] for row in found}


def waiting_for(base: QuerySet[Contract], side: str, day: dt.date) -> list[Report]:
    """Reports on which a side must act now: what opens a portfolio."""
    states = ("submitted",) if side == "state" else ("open", "returned")
    found = list(
        Report.objects.filter(contract__in=base, state__in=states, round__opens_on__lte=day)
        .select_related("contract__cluster", "round")
        .order_by("due_on", "contract__cluster__name_key")[:50]
    )
    name_clusters([r.contract for r in found], day)
    return found
