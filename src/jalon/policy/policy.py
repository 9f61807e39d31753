"""A programme's policy, read: ask it what is in force on a day."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from jalon.core import days
from jalon.core.lang import Text
from jalon.policy import rules, schema as s, vocabulary
from jalon.policy.faults import NoValueInForce, UnknownParameter
from jalon.policy.grids import Grid, Questionnaire


class Subject:
    """The parameters of one subject on one day: ``policy.on(day).evaluations``."""

    def __init__(self, day: PolicyDay, name: str):
        self._day = day
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._day.get(f"{self._name}.{name}").value


class PolicyDay:
    """The policy as in force on one day.

    ``policy.on(day).evaluations.mid_term_review_after`` is the value; ``get`` gives it with its
    unit and its reference.
    """

    def __init__(self, policy: Policy, day: date):
        self.policy = policy
        self.day = day

    def __getattr__(self, name: str) -> Subject:
        if name.startswith("_") or name in ("policy", "day"):  # asked while being copied
            raise AttributeError(name)
        if name not in self.policy.subjects:
            raise UnknownParameter(name, difflib.get_close_matches(name, self.policy.subjects))
        return Subject(self, name)

    def get(self, path: str) -> s.Parameter:
        """The parameter with its value in force.

        Raises:
            UnknownParameter: no parameter of that name on any day.
            NoValueInForce: the parameter exists, but has no value on that day.
        """
        history = self.policy.parameter(path)
        for value in reversed(history.values):
            if value.since <= self.day:
                if value.until is not None and value.until < self.day:
                    break
                return s.Parameter(
                    path=path,
                    title=history.title,
                    value=value.value,
                    unit=history.unit,
                    unit_title=vocabulary.unit_text(history.unit),
                    since=value.since,
                    until=value.until,
                    reference=value.reference,
                    url=value.url,
                    reading=value.reading,
                    to_confirm=value.to_confirm,
                    file=value.file,
                    line=value.line,
                )
        after = [v.since for v in history.values if v.since > self.day]
        before = [v.until for v in history.values if v.until is not None and v.until < self.day]
        raise NoValueInForce(
            path,
            self.day,
            next_since=min(after, default=None),
            last_until=max(before, default=None),
            title=history.title,
        )

    def find(self, path: str) -> s.Parameter | None:
        """Like :meth:`get`, or None when the parameter is unknown or not in force."""
        try:
            return self.get(path)
        except (UnknownParameter, NoValueInForce):
            return None

    def parameters(self) -> list[s.Parameter]:
        """Every parameter that has a value in force on the day."""
        found = (self.find(path) for path in self.policy.parameters)
        return [parameter for parameter in found if parameter is not None]


class Policy:
    """One programme. Made by :func:`jalon.policy.load`."""

    slug: str
    folder: str
    title: Text
    description: Text | None
    country: str
    language: str
    currency: str
    example: bool
    words: Mapping[str, Text]
    identifiers: tuple[s.Identifier, ...]
    themes: tuple[s.Theme, ...]
    holidays: tuple[s.Holiday, ...]
    phases: tuple[s.Phase, ...]
    tiers: tuple[s.Tier, ...]
    label_acts: tuple[s.LabelAct, ...]
    label_deciders: tuple[s.DecidingBody, ...]
    members: s.Members
    governance: s.Governance
    roles: tuple[s.Role, ...]
    roadmap_templates: tuple[s.RoadmapTemplate, ...]
    contract_templates: tuple[s.ContractTemplate, ...]
    indicators: tuple[s.Indicator, ...]
    official_indicator_list: bool
    reporting: s.ReportingCalendar
    evaluation_groups: tuple[s.EvaluationGroup, ...]
    grids: tuple[Grid, ...]
    questionnaires: tuple[Questionnaire, ...]
    regions: tuple[s.RegionSet, ...]
    sources: Mapping[str, s.Source]
    parameters: Mapping[str, s.ParameterHistory]
    parts: Mapping[str, Any]
    working_days: days.WorkingDays

    def __init__(self, **parts: Any):
        self.__dict__.update(parts)
        self.working_days = days.calendar(
            days.Holiday(h.title, h.month, h.day, h.easter, h.since, h.until, h.places) for h in self.holidays
        )
        self.subjects = tuple(dict.fromkeys(path.split(".")[0] for path in self.parameters))

    def __repr__(self) -> str:
        return f"<Policy {self.slug}>"

    def part(self, name: str) -> Any:
        """What an optional file holds (``policy.part("aid").grids``), or None when the programme has no such file."""
        return self.parts.get(name)

    # -- values in force ----------------------------------------------------------------------

    def on(self, day: date) -> PolicyDay:
        """The policy as in force on ``day``."""
        return PolicyDay(self, day)

    def parameter(self, path: str) -> s.ParameterHistory:
        """A parameter with all its dated values. Raises UnknownParameter."""
        try:
            return self.parameters[path]
        except KeyError:
            near = difflib.get_close_matches(path, list(self.parameters), cutoff=0.5)
            raise UnknownParameter(path, near) from None

    def explain(self, path: str, day: date) -> dict[str, Any]:
        """Where a value comes from, for the "why?" panel. Raises like :meth:`PolicyDay.get`."""
        found = self.on(day).get(path)
        return {
            "path": found.path,
            "title": found.title,
            "value": found.value,
            "unit": found.unit,
            "unit_title": found.unit_title,
            "day": day,
            "since": found.since,
            "until": found.until,
            "reference": found.reference,
            "url": found.url,
            "reading": found.reading,
            "to_confirm": found.to_confirm,
            "file": found.file,
            "line": found.line,
            "where": f"{found.file}:{found.line}",
        }

    # -- named things -------------------------------------------------------------------------

    def word(self, key: str) -> Text:
        """What the programme calls a thing: ``policy.word("cluster")``. Raises KeyError."""
        return self.words[key]

    def phase(self, code: str) -> s.Phase:
        return _named(self.phases, code)

    def phase_on(self, day: date, *, known_on: date | None = None) -> s.Phase | None:
        """The phase that runs on a day, extensions included; None between or before phases.

        ``known_on`` leaves out extensions decided later (default: everything decided is counted).
        """
        for phase in self.phases:
            end = phase.ends_as_known(known_on) if known_on else phase.ends_finally
            if phase.starts_on <= day <= end:
                return phase
        return None

    def tier(self, code: str) -> s.Tier:
        return _named(self.tiers, code)

    def label_act(self, code: str) -> s.LabelAct:
        return _named(self.label_acts, code)

    def theme(self, code: str) -> s.Theme:
        return _named(self.themes, code)

    def role(self, code: str) -> s.Role:
        return _named(self.roles, code)

    def roles_with(self, permission: str) -> tuple[s.Role, ...]:
        return tuple(role for role in self.roles if permission in role.permissions)

    def indicator(self, code: str) -> s.Indicator:
        return _named(self.indicators, code)

    def identifier(self, code: str) -> s.Identifier:
        return _named(self.identifiers, code)

    def identifier_for(self, kind: str) -> s.Identifier:
        """The scheme used by default for a company, association, laboratory, authority, other."""
        for scheme in self.identifiers:
            if kind in scheme.default_for:
                return scheme
        return self.identifiers[0]

    def region_set(self, code: str) -> s.RegionSet:
        return _named(self.regions, code)

    def regions_on(self, day: date) -> s.RegionSet | None:
        """The regions as they are on a day."""
        for region_set in self.regions:
            if region_set.valid_from <= day and (region_set.valid_to is None or day <= region_set.valid_to):
                return region_set
        return None

    def grid(self, code: str) -> Grid:
        """The evaluation grid of that code; KeyError when there is none."""
        return _named(self.grids, code)

    def questionnaire(self, code: str) -> Questionnaire:
        return _named(self.questionnaires, code)

    def groups_of(self, campaign: str) -> tuple[s.EvaluationGroup, ...]:
        """The groups that an evaluation may give, the best first."""
        return tuple(g for g in self.evaluation_groups if g.campaign == campaign)

    def evaluation_group(self, code: str) -> s.EvaluationGroup:
        return _named(self.evaluation_groups, code)

    def label_decider_on(self, day: date) -> s.DecidingBody | None:
        for body in self.label_deciders:
            if body.valid_from <= day and (body.valid_to is None or day <= body.valid_to):
                return body
        return None

    # -- templates ----------------------------------------------------------------------------

    def roadmap_template(self, which: date | str) -> s.RoadmapTemplate:
        """By day, by phase code or by its own code. Raises KeyError."""
        if isinstance(which, date):
            fitting = [
                t
                for t in self.roadmap_templates
                if t.valid_from <= which and (t.valid_to is None or which <= t.valid_to)
            ]
            if not fitting:
                raise KeyError(which.isoformat())
            return fitting[-1]
        for template in self.roadmap_templates:
            if template.code == which or which in template.phases:
                return template
        raise KeyError(which)

    def contract_template(self, code: str) -> s.ContractTemplate:
        return _named(self.contract_templates, code)

    def contract_template_for(self, phase: str) -> s.ContractTemplate:
        """The template of a phase. Raises KeyError when the phase has none."""
        for template in self.contract_templates:
            if template.phase == phase:
                return template
        raise KeyError(phase)

    # -- reporting ----------------------------------------------------------------------------

    def rounds(self, contract_starts_on: date, contract_ends_on: date) -> list[s.RoundDates]:
        """The reporting rounds of a contract, oldest first.

        One round per calendar period that shares a day with the contract. A period on whose last
        day no reporting delay is in force has no round: nothing had to be reported then.
        """
        found = []
        period = self.reporting.period
        for first, last in rules.periods_between(period, contract_starts_on, contract_ends_on):
            round_dates = self._round(period, first, last)
            if round_dates is not None:
                found.append(round_dates)
        return found

    def round_holding(self, day: date) -> s.RoundDates | None:
        """The round about the period that holds ``day``."""
        first, last = rules.period_holding(self.reporting.period, day)
        return self._round(self.reporting.period, first, last)

    def _round(self, period: str, first: date, last: date) -> s.RoundDates | None:
        on = self.on(last)
        opens, due = on.find("reporting.opens_after"), on.find("reporting.due_after")
        if opens is None or due is None:
            return None
        due_on = rules.plus(last, due.value, due.unit)
        late, reminders = on.find("reporting.late_after"), on.find("reporting.reminders_before")
        late_from = rules.plus(due_on, late.value, late.unit) if late else due_on
        return s.RoundDates(
            code=rules.period_code(period, first),
            title=rules.period_title(period, first),
            period_start=first,
            period_end=last,
            opens_on=rules.plus(last, opens.value, opens.unit) + timedelta(days=1),
            due_on=due_on,
            late_from=late_from + timedelta(days=1),
            reminders=tuple(sorted(due_on - timedelta(days=days) for days in (reminders.value if reminders else ()))),
        )


def _named(things: Any, code: str) -> Any:
    for thing in things:
        if thing.code == code:
            return thing
    raise KeyError(code)
