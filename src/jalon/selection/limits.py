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

from jalon.core.why import Why
from jalon.projects import queries as projects_queries, rules as call_rules
from jalon.projects.models import CallRules, Partner, Project, ProjectLabel


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
    places = _places(projects, partners, versions)
    rates: dict[tuple[Any, ...], call_rules.RateFound] = {}
    found: dict[int, Limit] = {}
    for project in projects:
        key, version = versions[project.pk]
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
            found[partner.pk] = Limit(rate.percent, rate.amount_max, rate.why)
    return found


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
