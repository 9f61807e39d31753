"""What a policy holds: plain frozen records, read from the files of one programme.

Every record that a text fixes is :class:`Sourced`: it carries the text it comes from, and says
whether it is our reading (``reading``) or still to be confirmed on the official text
(``to_confirm``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from jalon.core.lang import Text
from jalon.policy.formula import Formula


@dataclass(frozen=True, kw_only=True)
class Sourced:
    """``reference`` names the text, ``url`` where it was read; ``file`` and ``line`` where it is
    written in the policy."""

    reference: str = ""
    url: str | None = None
    reading: bool = False
    to_confirm: bool = False
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Written somewhere in the policy, but fixed by the text of what holds it."""

    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Value(Sourced):
    """One dated value of a parameter. ``until`` is the last day it is in force, if it stops."""

    value: Any
    since: date
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class ParameterHistory:
    """A parameter with all its dated values, oldest first."""

    path: str
    title: Text
    unit: str
    values: tuple[Value, ...]
    many: bool = False
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Parameter(Sourced):
    """The value of a parameter that is in force on one day. ``value`` is a tuple when ``many``."""

    path: str
    title: Text
    value: Any
    unit: str
    unit_title: Text
    since: date
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    key: str
    title: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Identifier(Sourced):
    """A scheme of identifiers for organisations. ``checker`` names the code that checks it."""

    code: str
    title: Text
    checker: str
    default_for: tuple[str, ...] = ()
    country: str | None = None


@dataclass(frozen=True, kw_only=True)
class Extension(Sourced):
    """A phase prolonged: it ends on ``until`` for whoever knows the decision of ``decided_on``."""

    until: date
    decided_on: date


@dataclass(frozen=True, kw_only=True)
class Budget(Sourced):
    title: Text
    amount: Decimal
    unit: str


@dataclass(frozen=True, kw_only=True)
class Phase(Sourced):
    code: str
    title: Text
    starts_on: date
    ends_on: date
    announced_on: date | None = None
    extensions: tuple[Extension, ...] = ()
    budgets: tuple[Budget, ...] = ()
    goals: tuple[Text, ...] = ()

    def ends_as_known(self, day: date) -> date:
        """Last day of the phase, as far as it was known on ``day``."""
        known = [e.until for e in self.extensions if e.decided_on <= day]
        return max([self.ends_on, *known])

    @property
    def ends_finally(self) -> date:
        return max([self.ends_on, *(e.until for e in self.extensions)])


@dataclass(frozen=True, kw_only=True)
class Tier(Sourced):
    code: str
    title: Text
    order: int
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class LabelAct(Sourced):
    """An act on a label. ``effect``: it starts, continues or ends a label period, or none."""

    code: str
    title: Text
    effect: str


@dataclass(frozen=True, kw_only=True)
class DecidingBody(Sourced):
    """Who decides on labels, and since when."""

    code: str
    title: Text
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class Holiday(Sourced):
    """A public holiday: ``month`` and ``day``, or ``easter`` days after Easter Sunday; ``places``: departments, or all."""

    code: str
    title: Text
    month: int | None = None
    day: int | None = None
    easter: int | None = None
    since: date | None = None
    until: date | None = None
    places: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Theme(Sourced):
    """A broad family of themes, for filters."""

    code: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class Region(Placed):
    code: str
    name: str
    departments: tuple[str, ...]
    overseas: bool = False


@dataclass(frozen=True, kw_only=True)
class RegionSet(Sourced):
    """The regions of a time: each a union of departments."""

    code: str
    title: Text
    valid_from: date
    valid_to: date | None = None
    regions: tuple[Region, ...] = ()

    def region(self, code: str) -> Region:
        for region in self.regions:
            if region.code == code:
                return region
        raise KeyError(code)


@dataclass(frozen=True, kw_only=True)
class Role(Placed):
    code: str
    title: Text
    short: Text
    scope: str
    side: str
    permissions: frozenset[str]
    demo: bool
    description: Text

    def may(self, permission: str) -> bool:
        return permission in self.permissions


@dataclass(frozen=True, kw_only=True)
class MemberType(Sourced):
    """``firm`` tells whether members of this type count as firms."""

    code: str
    title: Text
    plural: Text
    firm: bool


@dataclass(frozen=True, kw_only=True)
class College(Sourced):
    """``side``: ``preponderant`` colleges together must hold the preponderant place."""

    code: str
    title: Text
    side: str


@dataclass(frozen=True, kw_only=True)
class SizeCategory(Sourced):
    """Headcount strictly below a threshold, and turnover **or** balance sheet up to another.

    A threshold that is None does not limit. ``member_type`` is the type such a firm has.
    """

    code: str
    title: Text
    headcount_below: int | None = None
    turnover_up_to: Decimal | None = None
    balance_up_to: Decimal | None = None
    member_type: str

    def holds(self, headcount: Decimal | int, turnover: Decimal | None, balance: Decimal | None) -> bool | None:
        """Whether a firm is (at most) of this size; None when what is known cannot tell."""
        if self.headcount_below is not None and headcount >= self.headcount_below:
            return False
        if self.turnover_up_to is None and self.balance_up_to is None:
            return True
        tests = [
            None if known is None or limit is None else known <= limit
            for known, limit in ((turnover, self.turnover_up_to), (balance, self.balance_up_to))
        ]
        if True in tests:
            return True
        return None if None in tests else False


@dataclass(frozen=True, kw_only=True)
class SizeScheme(Sourced):
    """One official definition of firm sizes, in force from a day on; smallest category first."""

    code: str
    title: Text
    valid_from: date
    valid_to: date | None = None
    categories: tuple[SizeCategory, ...]

    def category_of(
        self,
        headcount: Decimal | int | None,
        turnover: Decimal | None = None,
        balance: Decimal | None = None,
    ) -> SizeCategory | None:
        """The smallest category that holds; None when what is known cannot tell.

        Figures are those of the whole enterprise, groups included, in yearly work units and in the
        programme's currency.
        """
        if headcount is None:
            return None
        for category in self.categories:
            verdict = category.holds(headcount, turnover, balance)
            if verdict is None:
                return None
            if verdict:
                return category
        return None


@dataclass(frozen=True, kw_only=True)
class Members:
    types: tuple[MemberType, ...]
    colleges: tuple[College, ...]
    size_schemes: tuple[SizeScheme, ...]

    def type(self, code: str) -> MemberType:
        return _named(self.types, code)

    def college(self, code: str) -> College:
        return _named(self.colleges, code)

    @property
    def firm_types(self) -> tuple[str, ...]:
        return tuple(t.code for t in self.types if t.firm)

    @property
    def preponderant_colleges(self) -> tuple[str, ...]:
        return tuple(c.code for c in self.colleges if c.side == "preponderant")

    def size_scheme(self, code: str) -> SizeScheme:
        return _named(self.size_schemes, code)


@dataclass(frozen=True, kw_only=True)
class BodyKind(Sourced):
    """A kind of governance body; ``preponderance`` tells whether the rule applies to its seats."""

    code: str
    title: Text
    kind: str
    preponderance: bool


@dataclass(frozen=True, kw_only=True)
class Governance:
    bodies: tuple[BodyKind, ...]

    def body(self, code: str) -> BodyKind:
        return _named(self.bodies, code)


@dataclass(frozen=True, kw_only=True)
class Level(Placed):
    """A level of a roadmap or contract: what this programme calls it, and what it hangs under."""

    code: str
    title: Text
    plural: Text
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Section(Placed):
    key: str
    title: Text
    guidance: Text
    required: bool
    kind: str
    levels: tuple[str, ...] = ()
    group: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Horizon:
    min: int
    max: int


@dataclass(frozen=True, kw_only=True)
class RoadmapTemplate(Sourced):
    code: str
    title: Text
    phases: tuple[str, ...]
    valid_from: date
    valid_to: date | None = None
    horizon_years: Horizon
    sections: tuple[Section, ...]
    levels: tuple[Level, ...]

    def section(self, key: str) -> Section:
        for section in self.sections:
            if section.key == key:
                return section
        raise KeyError(key)

    def level(self, code: str) -> Level:
        return _named(self.levels, code)


@dataclass(frozen=True, kw_only=True)
class Durations(Sourced):
    min_months: int
    max_months: int
    usual_start: date
    usual_end: date


@dataclass(frozen=True, kw_only=True)
class PartyRule(Sourced):
    """A kind of party. ``role`` signs for it; ``max`` None means as many as there are."""

    kind: str
    title: Text
    min: int
    max: int | None = None
    role: str
    decision_required: bool


@dataclass(frozen=True, kw_only=True)
class Article(Placed):
    key: str
    title: Text
    guidance: Text
    required: bool
    body: Text | None = None


@dataclass(frozen=True, kw_only=True)
class AnnexRule(Sourced):
    key: str
    title: Text
    required: bool
    source: str


@dataclass(frozen=True, kw_only=True)
class FundingYears(Sourced):
    """Over which years public commitments run, and of what kinds they may be."""

    rule: str
    kinds: tuple[Level, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AmendmentRule(Sourced):
    """Who must sign again, per kind of change; ``authority_concerned`` is only those whose own
    commitments change."""

    targets: tuple[str, ...]
    text: tuple[str, ...]
    funding: tuple[str, ...]
    parties: tuple[str, ...]

    def signers(self, kinds: Any) -> tuple[str, ...]:
        """Kinds of party that must sign an amendment that makes all these kinds of change."""
        return tuple(dict.fromkeys(s for kind in kinds for s in getattr(self, kind)))


@dataclass(frozen=True, kw_only=True)
class InForce(Sourced):
    requires: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ContractTemplate(Sourced):
    code: str
    title: Text
    phase: str
    valid_from: date
    valid_to: date | None = None
    durations: Durations
    parties: tuple[PartyRule, ...]
    signing_order: tuple[tuple[str, ...], ...]
    signing_order_reading: bool = True
    articles: tuple[Article, ...]
    levels: tuple[Level, ...]
    annexes: tuple[AnnexRule, ...]
    improvement_axes_for_groups: tuple[str, ...] = ()
    common_indicators: tuple[str, ...] = ()
    funding_years: FundingYears
    amendment: AmendmentRule
    in_force: InForce
    roadmap: str | None = None

    def party(self, kind: str) -> PartyRule | None:
        return next((p for p in self.parties if p.kind == kind), None)

    def annex(self, key: str) -> AnnexRule | None:
        return next((a for a in self.annexes if a.key == key), None)

    def article(self, key: str) -> Article | None:
        return next((a for a in self.articles if a.key == key), None)

    def level(self, code: str) -> Level:
        return _named(self.levels, code)


@dataclass(frozen=True, kw_only=True)
class Definition(Sourced):
    """One version of what an indicator counts; ``until`` is its last day."""

    version: str
    since: date
    until: date | None = None
    text: Text
    numerator: Text | None = None
    denominator: Text | None = None


@dataclass(frozen=True, kw_only=True)
class BreakdownValue(Placed):
    code: str
    title: Text
    formula: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Breakdown(Placed):
    code: str
    title: Text
    values: tuple[BreakdownValue, ...]


@dataclass(frozen=True, kw_only=True)
class Range:
    min: Decimal | None = None
    max: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Indicator(Sourced):
    """``jump_warning`` is the relative change from one period to the next that asks for a comment.

    A percent indicator counts from 0 to 100.
    """

    code: str
    title: Text
    level: str
    period_type: str
    unit: str
    unit_title: Text
    decimals: int
    direction: str
    source: str
    common: bool
    definitions: tuple[Definition, ...]
    breakdowns: tuple[Breakdown, ...] = ()
    formula: Formula | None = None
    range: Range = Range()
    jump_warning: Decimal | None = None
    phases: tuple[str, ...] = ()
    evidence_required: bool = False
    official: bool = False

    def definition_on(self, day: date) -> Definition | None:
        """The definition in force on a day; None when there was none yet, or none any more."""
        found = None
        for definition in self.definitions:
            if definition.since <= day and (definition.until is None or day <= definition.until):
                found = definition
        return found

    def breakdown(self, code: str) -> Breakdown:
        return _named(self.breakdowns, code)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of all measures that its formula and its breakdowns use."""
        formulas = [self.formula, *(v.formula for b in self.breakdowns for v in b.values)]
        return tuple(dict.fromkeys(m for f in formulas if f for m in f.measures))


@dataclass(frozen=True, kw_only=True)
class EvaluationGroup(Sourced):
    """A class given by an evaluation, and what it leads to.

    ``review_after`` names the parameter that holds the delay before a review, if there is one.
    """

    code: str
    campaign: str
    title: Text
    leads_to: Text
    phase: str
    review_after: str | None = None
    clusters: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReportingCalendar(Sourced):
    """How often is reported; the delays are dated parameters of ``reporting``."""

    period: str
    title: Text
    declared_by: str
    validated_by: str


@dataclass(frozen=True, kw_only=True)
class RoundDates:
    """One reporting round: the period it is about, and the days of its calendar.

    The period is a whole calendar period, also when a contract covers only a part of it.
    """

    code: str
    title: Text
    period_start: date
    period_end: date
    opens_on: date
    due_on: date
    late_from: date
    reminders: tuple[date, ...]


def _named(things: Any, code: str) -> Any:
    for thing in things:
        if thing.code == code:
            return thing
    raise KeyError(code)
