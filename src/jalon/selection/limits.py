"""What may be paid to a partner: the rate of its call, and the ceiling of State aid law; each says why.

The rate is asked of the call's rules (``projects.rules.rate_of``), the ceiling of the aid package; this module only brings
them to one line, for one project as for a whole call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jalon.aid import rules as aid_rules
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.people.access import policy
from jalon.projects import queries as projects_queries, rules as call_rules
from jalon.projects.models import CallRules, Partner, Project, ProjectLabel

RESEARCH = ("research", "training", "institute")
"""Kinds of partner whose activity in the project is taken as non-economic (our reading): no State aid, at most the cost."""


@dataclass(frozen=True)
class Limit:
    """Percentages of the eligible base (or an amount), None when unknown, and their explanations."""

    call_rate: Decimal | None = None
    call_amount: Decimal | None = None
    call_why: Why | None = None
    aid_rate: Decimal | None = None
    aid_amount: Decimal | None = None
    aid_why: Why | None = None


def limits_of(
    projects: Sequence[Project],
    partners: Mapping[int, Sequence[Partner]],
    classes: Mapping[int, Mapping[str, Decimal]],
    *,
    on: dt.date | None = None,
    explain: bool = False,
) -> dict[int, Limit]:
    """The limits of each partner, by its id; one query for the rules of the calls, two more where a place must be told.

    Args:
        classes: the base of each partner by class of the aid regulation.
        on: the day whose State aid law holds; a decided project keeps the day of its decision.
        explain: build the explanation of the State aid ceiling too.
    """
    versions = _rules(projects)
    aid = _Aid(explain)
    places = _places(projects, partners, versions)
    rates: dict[tuple[Any, ...], call_rules.RateFound] = {}
    found: dict[int, Limit] = {}
    for project in projects:
        key, version = versions[project.pk]
        day = project.decided_on or on or (project.call.closes_on if project.call is not None else None)
        bonuses = aid.bonuses(partners[project.pk], classes, day)
        for partner in partners[project.pk]:
            inside = places.get(partner.pk, partner.in_territory)
            asked = (key, partner.kind, partner.size, inside, partner.cost_basis)
            rate = rates.get(asked)
            if rate is None:
                rate = rates[asked] = call_rules.rate_of(
                    version,
                    kind=partner.kind,
                    size=partner.size,
                    in_territory=inside,
                    basis=partner.cost_basis,
                    day=project.call.closes_on if project.call is not None else None,
                )
            amount, why = aid.ceiling(partner, classes.get(partner.pk), bonuses, day)
            found[partner.pk] = Limit(rate.percent, rate.amount_max, rate.why, aid_amount=amount, aid_why=why)
    return found


class _Aid:
    """The State aid ceiling of partners; each rate is computed once, because a call has hundreds of partners and few rates."""

    def __init__(self, explain: bool):
        self.explain = explain
        self.laws = policy()
        self.known = self.laws.part("aid") is not None
        self.rates: dict[tuple[Any, ...], Decimal | Text] = {}
        self.above: dict[str, str] = {}

    def bonuses(
        self, partners: Sequence[Partner], classes: Mapping[int, Mapping[str, Decimal]], day: dt.date | None
    ) -> tuple[str, ...]:
        """The bonus for effective collaboration when the consortium shows it; no other is taken without being asked for."""
        if not self.known or day is None:
            return ()
        members = [
            aid_rules.Member(
                name=partner.organisation.name,
                kind="research" if partner.kind in RESEARCH else "firm",
                cost=sum(classes.get(partner.pk, {}).values(), Decimal(0)),
                size=partner.size,
                country=partner.organisation.country,
                group=partner.group_name,
            )
            for partner in partners
        ]
        try:
            return ("collaboration",) if aid_rules.collaboration(self.laws, members, day).holds else ()
        except Refused:  # no rule set, or no such bonus, on that day
            return ()

    def size_of(self, partner: Partner) -> str:
        """The size for aid: the EU class as declared; a national class that holds no SME counts as large.

        The national definition has other groups, but none of its classes above the SMEs can be one under the EU's: taking it
        for large gives the lowest rate (our reading).
        """
        if not self.above:
            for scheme in self.laws.members.size_schemes:
                for category in scheme.categories:
                    self.above[category.code] = category.member_type
        return "large" if self.above.get(partner.size) in ("mid", "large") else partner.size

    def ceiling(
        self,
        partner: Partner,
        bases: Mapping[str, Decimal] | None,
        bonuses: tuple[str, ...],
        day: dt.date | None,
    ) -> tuple[Decimal | None, Why | None]:
        """The highest total of public money on a partner's base, to the cent below; None with the reason when unknown."""
        if not self.known:
            return None, _unknown(
                T("Le programme n'a pas de règles d'aides d'État.", "The programme has no State aid rules.")
            )
        if day is None or not bases:
            return None, _unknown(
                T("L'assiette ou le jour de l'aide manque.", "The base or the day of the aid is missing.")
            )
        economic = partner.kind not in RESEARCH
        total = Decimal(0)
        for category, base in bases.items():
            if not economic:
                total += base
                continue
            rate = self._rate(category, self.size_of(partner), bonuses, day)
            if isinstance(rate, Text):
                return None, _unknown(rate, day)
            total += base * rate / 100
        why = None
        if self.explain:
            plan = aid_rules.Plan(
                partner.organisation.name, self.size_of(partner), dict(bases), bonuses=bonuses, economic=economic
            )
            try:
                (verdict,) = aid_rules.check_plans(self.laws, [plan], day)
                why = verdict.why
            except Refused as refusal:
                why = _unknown(refusal.reason, day)
        return aid_rules.cents_down(total), why

    def _rate(self, category: str, size: str, bonuses: tuple[str, ...], day: dt.date) -> Decimal | Text:
        """The rate in percent, or the sentence that says why there is none."""
        key = (category, size, bonuses, day)
        if key not in self.rates:
            try:
                self.rates[key] = aid_rules.intensity(self.laws, category, size, bonuses, day).rate
            except Refused as refusal:
                reason = refusal.reason
                self.rates[key] = reason if isinstance(reason, Text) else T(str(reason), str(reason))
        return self.rates[key]


def _unknown(reason: Text | str, day: dt.date | None = None) -> Why:
    return Why(
        rule=T(
            "Le plafond des aides d'État n'est pas connu : {r}", "The State aid ceiling is not known: {r}", r=reason
        ),
        parameter="aid.rule_sets",
        day=day,
    )


def _rules(projects: Sequence[Project]) -> dict[int, tuple[int, Mapping[str, Any]]]:
    """Project → the version of the call's rules that its file obeys. At most two queries."""
    wanted = {p.rules_id for p in projects if p.rules_id}
    calls = {p.call_id for p in projects if p.call_id and not p.rules_id}
    rows = {row.pk: row for row in CallRules.objects.filter(pk__in=wanted)} if wanted else {}
    latest: dict[int, CallRules] = {}
    if calls:
        for row in CallRules.objects.filter(call_id__in=calls).order_by("version"):
            latest[row.call_id] = row
    found = {}
    for project in projects:
        row = rows.get(project.rules_id) or latest.get(project.call_id)
        found[project.pk] = (row.pk, row.rules) if row is not None else (0, {})
    return found


def _places(
    projects: Sequence[Project],
    partners: Mapping[int, Sequence[Partner]],
    versions: Mapping[int, tuple[int, Mapping[str, Any]]],
) -> dict[int, bool | None]:
    """Partner → whether it works in the territory of a labelling pôle, where only its department can tell."""
    open_ = [
        project
        for project in projects
        if versions[project.pk][1].get("territory") == "cluster"
        and any(p.in_territory is None and p.department for p in partners[project.pk])
    ]
    if not open_:
        return {}
    labels: dict[int, list[ProjectLabel]] = {}
    rows = ProjectLabel.objects.filter(project__in=open_, superseded_at__isnull=True).select_related("cluster")
    for row in rows:
        labels.setdefault(row.project_id, []).append(row)
    facts = dict(zip((r.pk for r in rows), projects_queries.label_facts(rows), strict=True))
    found: dict[int, bool | None] = {}
    for project in open_:
        mine = [facts[row.pk] for row in labels.get(project.pk, ())]
        for partner in partners[project.pk]:
            if partner.in_territory is None:
                found[partner.pk] = projects_queries.located(partner, versions[project.pk][1], mine)
    return found
