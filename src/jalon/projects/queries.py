"""Reads of calls and projects, for screens, exports, the checks of a file and other packages."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q

from jalon.aid.queries import links_around
from jalon.clusters.models import ClusterTerritory
from jalon.core.canonical import canonical, plain, sha256
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.people.queries import size_category_on
from jalon.policy.parts.calls import scheme as scheme_named
from jalon.projects import rules, states
from jalon.projects.models import BudgetLine, Call, CallRules, Paper, Partner, Project, ProjectLabel, Request, Section

KIND_OF = {"company": "company", "laboratory": "research", "training": "training"}
"""Kind of partner that an organisation's kind suggests; every other one is "other"."""


# -- calls --------------------------------------------------------------------------------------------------------


def scheme_of(code: str) -> Any:
    """The scheme of the policy, or None when the programme does not have it (any more)."""
    return scheme_named(policy().part("calls"), code)


def schemes() -> tuple[Any, ...]:
    """Every scheme of the programme; none for a programme without calls."""
    part = policy().part("calls")
    return part.schemes if part is not None else ()


def state_of(call: Call, day: dt.date) -> str:
    """Where a call stands on a day."""
    return rules.call_state(call.opens_on, call.closes_on, call.results_on, call.state, day, known=call.known)


def latest_rules(call: Call) -> CallRules | None:
    """The newest version of a call's rules."""
    return CallRules.objects.filter(call=call).order_by("-version").first()


def parameter(name: str, day: dt.date) -> Any:
    """A parameter of ``calls.yaml`` in force on a day, or None when the programme gives none."""
    found = policy().on(day).find(f"calls.{name}")
    return found.value if found is not None else None


def trl_limits(day: dt.date) -> dict[str, int]:
    """Highest usual TRL by class of the aid regulation, where the policy says one."""
    found = {
        "industrial": parameter("trl_industrial_max", day),
        "experimental": parameter("trl_experimental_max", day),
    }
    return {name: value for name, value in found.items() if value is not None}


# -- a file -------------------------------------------------------------------------------------------------------


def rules_of(project: Project) -> dict[str, Any]:
    """The rules that the file obeys; empty before it has a call."""
    return project.rules.rules if project.rules_id else {}


def departments_of(clusters: Iterable[int]) -> dict[int, frozenset[str]]:
    """The departments of clusters' territories, by cluster; a cluster without a known territory is absent. One query."""
    known = {(s.code, r.code): r.departments for s in policy().regions for r in s.regions}
    found: dict[int, set[str]] = {}
    rows = ClusterTerritory.objects.filter(cluster_id__in=list(clusters))
    for cluster, region_set, region in rows.values_list("cluster_id", "region_set", "region_code"):
        found.setdefault(cluster, set()).update(known.get((region_set, region), ()))
    return {cluster: frozenset(departments) for cluster, departments in found.items() if departments}


def partners_of(project: Project, on: dt.date | None = None) -> list[Partner]:
    """The partners of a project with organisation, budget and requests: those of the day, or all that have not left."""
    left = Q(left_on__isnull=True) if on is None else Q(left_on__isnull=True) | Q(left_on__gt=on)
    return list(
        Partner.objects.filter(left, project=project)
        .select_related("organisation")
        .prefetch_related("budget", "requests__funder")
        .order_by("order", "id")
    )


def labels_of(project: Project) -> list[ProjectLabel]:
    """The current rows of the register of labels for a project, the lead pôle first."""
    rows = ProjectLabel.objects.filter(project=project, superseded_at__isnull=True).select_related("cluster")
    return sorted(rows, key=lambda row: (not row.lead, row.decided_on, row.pk))


def label_facts(labels: Iterable[ProjectLabel]) -> tuple[rules.Label, ...]:
    """Labels as plain values, with the departments of each pôle's territory."""
    labels = list(labels)
    places = departments_of({row.cluster_id for row in labels})
    return tuple(
        rules.Label(
            cluster=row.cluster.slug,
            name=row.cluster.name,
            outcome=row.outcome,
            decided_on=row.decided_on,
            lead=row.lead,
            departments=places.get(row.cluster_id),
            counts=row.outcome != "conditions" or _conditional_counts(row.decided_on),
        )
        for row in labels
    )


def _conditional_counts(decided_on: dt.date) -> bool:
    """Whether a label under conditions counts as a label, by the policy of the day of its decision."""
    found = policy().on(decided_on).find("labelling.conditional_label_counts")
    return found is None or bool(found.value)


def located(partner: Partner, call_rules: Mapping[str, Any], labels: Iterable[rules.Label]) -> bool | None:
    """Whether a partner is in the place on which the higher rate hangs; None when it is not known.

    What the partner declares comes first; where the rate hangs on a pôle's territory, the department tells.
    """
    if partner.in_territory is not None:
        return partner.in_territory
    if call_rules.get("territory") != "cluster" or not partner.department:
        return None
    given = [label for label in labels if label.given]
    if not given:
        return None
    if any(partner.department in (label.departments or ()) for label in given):
        return True
    return None if any(label.departments is None for label in given) else False


def members_of(
    partners: Iterable[Partner], call_rules: Mapping[str, Any], labels: tuple[rules.Label, ...]
) -> tuple[rules.Member, ...]:
    """Partners as plain values, with their budgets and what they ask for."""
    return tuple(
        rules.Member(
            key=p.key,
            name=p.organisation.name,
            organisation=p.organisation_id,
            role=p.role,
            kind=p.kind,
            size=p.size,
            department=p.department,
            in_territory=located(p, call_rules, labels),
            country=p.organisation.country,
            cooperation=p.cooperation,
            group=p.group_name,
            basis=p.cost_basis,
            asked=sum((r.amount for r in p.requests.all()), Decimal(0)) if p.requests.all() else None,
            lines=tuple(
                rules.Line(b.year, b.category, b.amount, b.frascati, b.aid_class)
                for b in sorted(p.budget.all(), key=lambda b: (b.year, b.category, b.pk))
            ),
        )
        for p in partners
    )


def linked_pairs(organisations: Iterable[int], day: dt.date) -> frozenset[frozenset[int]]:
    """Pairs of organisations that are not independent of each other on a day, as far as ownership is recorded.

    Two are tied when one holds of the other at least the share that makes a partner enterprise (the policy's
    ``aid.partner_from``), or when control ties both to the same group. Public owners do not tie what they own.
    """
    wanted = set(organisations)
    if len(wanted) < 2:
        return frozenset()
    limit, above = (policy().on(day).find(f"aid.{name}") for name in ("partner_from", "linked_above"))
    tied: dict[int, set[int]] = {}
    found: set[frozenset[int]] = set()
    for row in links_around(wanted):
        begun = row.starts_on is None or row.starts_on <= day
        running = begun and (row.ends_on is None or row.ends_on >= day)
        if not (running or (row.kind == "absorption" and begun)) or row.owner_kind != "firm":
            continue
        if row.control or row.kind == "absorption" or (above and row.share and row.share > above.value):
            tied.setdefault(row.owner_id, set()).add(row.owned_id)
            tied.setdefault(row.owned_id, set()).add(row.owner_id)
        elif limit and row.share and row.share >= limit.value:
            found.add(frozenset((row.owner_id, row.owned_id)))
    for start in wanted:
        group, waiting = {start}, [start]
        while waiting:
            for near in tied.get(waiting.pop(), ()):
                if near not in group:
                    group.add(near)
                    waiting.append(near)
        found |= {frozenset((start, other)) for other in group & wanted if other != start}
    return frozenset(pair for pair in found if pair <= wanted)


def file_of(project: Project, day: dt.date, partners: list[Partner] | None = None) -> rules.File:
    """The file as plain values, for :func:`jalon.projects.rules.check`; a fixed number of queries."""
    partners = partners_of(project) if partners is None else partners
    call_rules = rules_of(project)
    labels = label_facts(labels_of(project))
    keys = {p.pk: p.key for p in partners}
    papers = Paper.objects.filter(project=project, replaced_at__isnull=True).values_list("code", "partner_id")
    return rules.File(
        acronym=project.acronym,
        title=project.title,
        summary=project.summary,
        confidential=project.confidential,
        starts_on=project.starts_on,
        months=project.months,
        trl_entry=project.trl_entry,
        trl_target=project.trl_target,
        other_funding=project.other_funding,
        justifications=project.justifications,
        territory=tuple((row["department"], Decimal(row["share"])) for row in project.territory),
        members=members_of(partners, call_rules, labels),
        labels=labels,
        papers=frozenset((code, keys.get(partner, "") if partner else "") for code, partner in papers),
        linked=linked_pairs([p.organisation_id for p in partners if p.kind == "company"], day),
    )


def gaps_of(project: Project, day: dt.date, file: rules.File | None = None) -> list[rules.Gap]:
    """Everything that stands between the file and its submission or admissibility, under the rules it obeys."""
    from jalon.core.lang import T
    from jalon.core.why import Why

    file = file or file_of(project, day)
    call_rules = rules_of(project)
    found = rules.check(
        file,
        call_rules,
        closes_on=project.call.closes_on if project.call_id else None,
        day=project.rules.policy_day if project.rules_id else day,
        trl_limits=trl_limits(day),
    )
    if not project.call_id:
        why = Why(T("Un dossier se dépose à un appel.", "A file is handed in to a call."))
        found.insert(
            0, rules.Gap("call", T("Choisissez l'appel à projets.", "Choose the call."), "identity", "submit", why)
        )
    return found


def content(project: Project, partners: list[Partner] | None = None) -> dict[str, Any]:
    """The file as a document: what is frozen at submission. Plain values only."""
    partners = partners_of(project) if partners is None else partners
    return plain(
        {
            "programme": project.programme,
            "slug": project.slug,
            "acronym": project.acronym,
            "title": project.title,
            "nature": project.nature,
            "call": project.call.code if project.call_id else None,
            "rules": {"version": project.rules.version, "code": project.rules.rules.get("version")}
            if project.rules_id
            else None,
            "starts_on": project.starts_on,
            "months": project.months,
            "summary": project.summary,
            "confidential": project.confidential,
            "keywords": project.keywords,
            "strategic_fields": project.strategic_fields,
            "territory": project.territory,
            "trl": {
                "entry": project.trl_entry,
                "entry_on": project.trl_entry_on,
                "target": project.trl_target,
                "target_on": project.trl_target_on,
            },
            "other_funding": project.other_funding,
            "justifications": project.justifications,
            "simulated": project.simulated,
            "partners": [
                {
                    "key": p.key,
                    "organisation": p.organisation_id,
                    "name": p.organisation.name,
                    "role": p.role,
                    "kind": p.kind,
                    "size": p.size,
                    "size_definition": p.size_definition,
                    "size_evidence": p.size_evidence,
                    "department": p.department,
                    "in_territory": p.in_territory,
                    "cost_basis": p.cost_basis,
                    "contribution": p.contribution,
                    "group": p.group_name,
                    "cooperation": p.cooperation,
                    "budget": [
                        {
                            "year": b.year,
                            "category": b.category,
                            "frascati": b.frascati,
                            "aid_class": b.aid_class,
                            "amount": b.amount,
                        }
                        for b in sorted(p.budget.all(), key=lambda b: (b.year, b.category, b.frascati, b.aid_class))
                    ],
                    "requests": [
                        {"funder": r.funder.name if r.funder_id else None, "amount": r.amount}
                        for r in sorted(p.requests.all(), key=lambda r: (r.funder_id or 0, r.pk))
                    ],
                }
                for p in partners
            ],
            "papers": [
                {"code": code, "partner": key, "version": version, "sha256": sha, "title": title}
                for code, key, version, sha, title in Paper.objects.filter(project=project, replaced_at__isnull=True)
                .order_by("code", "partner__order", "id")
                .values_list("code", "partner__key", "version", "file__sha256", "title")
            ],
        }
    )


def fingerprint(document: Mapping[str, Any]) -> str:
    """SHA-256 of a file that is not frozen."""
    return sha256(canonical(document))


def frozen_content(project: Project) -> dict[str, Any] | None:
    """The file as it was last handed in, with its SHA-256 under ``sha256``; None before."""
    if project.frozen is None:
        return None
    return {**json.loads(project.frozen.canonical)["content"], "sha256": project.frozen.sha256}


def section_revs(project: Project) -> dict[str, Section]:
    """The revision of each written section: one query."""
    return {row.key: row for row in Section.objects.filter(project=project)}


def size_of(organisation: Organisation, day: dt.date) -> tuple[str, str, str]:
    """Size code, definition and evidence of an organisation on a day, as recorded; empty when nothing is."""
    found = size_category_on(organisation, day)
    return (found.category, found.definition, found.evidence) if found else ("", "", "")


def budget_of(partner: Partner) -> list[rules.Line]:
    """A partner's budget as plain values."""
    rows = BudgetLine.objects.filter(partner=partner).order_by("year", "category", "frascati", "aid_class")
    return [rules.Line(b.year, b.category, b.amount, b.frascati, b.aid_class) for b in rows]


def requested(partner: Partner) -> list[Request]:
    """What a partner asks of public money."""
    return list(Request.objects.filter(partner=partner).select_related("funder"))


def readable_state(project: Project) -> Any:
    """The state of a project in words."""
    return states.TITLES[project.state]
