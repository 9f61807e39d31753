"""Evidence packs (*dossiers de pièces*): what the records say of clusters as known on a day, to be frozen.

A pack is a plain content. Packs of many clusters cost the same number of queries as one: rows are read for all of them at once
and sorted by cluster here. Nothing is worked out again from memory later: what is frozen is what the evaluator and the cluster read.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, Q

from jalon.clusters.models import (
    Cluster,
    ClusterDocument,
    ClusterGroup,
    LabelHolder,
    LabelPeriod,
    Membership,
    Seat,
    TeamPost,
)
from jalon.contracts import follow_queries
from jalon.contracts.models import (
    Action,
    BudgetLine,
    Commitment,
    CommitmentStep,
    Contract,
    ContractIndicator,
    Objective,
    ObjectiveStatus,
    Party,
    Progress,
    Target,
)
from jalon.core import clock
from jalon.core.models import as_known_on
from jalon.indicators.models import Observation
from jalon.indicators.queries import PARTY
from jalon.people.models import Identifier
from jalon.projects.models import ProjectLabel
from jalon.roadmaps.models import Roadmap
from jalon.selection.models import Share

FORM = "jalon-evidence-1"
"""Version of the shape of a pack; part of what is frozen."""
SECTIONS = (
    "labels", "groups", "members", "team", "seats", "documents", "budget", "indicators", "roadmaps", "contracts", "projects",
)  # fmt: skip


def packs(clusters: Iterable[Cluster], day: dt.date) -> dict[int, dict[str, Any]]:
    """The pack of each cluster (by id), as known at the end of ``day``; the number of queries does not depend on how many."""
    clusters = list(clusters)
    ids = [c.pk for c in clusters]
    parts = {
        "labels": _labels(ids, day),
        "groups": _groups(ids, day),
        "members": _members(ids, day),
        "team": _team(ids, day),
        "seats": _seats(ids, day),
        "documents": _documents(ids, day),
        "budget": _budget(ids, day),
        "indicators": _indicators(ids, day),
        "roadmaps": _roadmaps(ids, day),
        "contracts": _contracts(ids, day),
        "projects": _projects(ids, day),
    }
    return {
        c.pk: {
            "form": FORM,
            "as_known_on": day,
            "cluster": {"slug": c.slug, "name": c.name, "city": c.city, "theme": c.theme_fr},
            **{name: parts[name].get(c.pk, _EMPTY[name]) for name in SECTIONS},
        }
        for c in clusters
    }


_EMPTY: dict[str, Any] = {
    "labels": [],
    "groups": [],
    "members": {"total": 0, "by_type": {}, "by_year": {}, "list": [], "simulated": False},
    "team": {"fte": Decimal(0), "posts": []},
    "seats": {},
    "documents": [],
    "budget": {},
    "indicators": {},
    "roadmaps": [],
    "contracts": [],
    "projects": {"labelled": 0, "by_year": {}, "by_state": {}, "public_money_decided": None, "list": []},
}


def _labels(ids: Sequence[int], day: dt.date) -> dict[int, list[dict[str, Any]]]:
    held: dict[int, list[int]] = defaultdict(list)
    for cluster, label in LabelHolder.objects.filter(cluster_id__in=ids).values_list("cluster_id", "label_id"):
        held[label].append(cluster)
    rows = as_known_on(LabelPeriod.objects.filter(label_id__in=held), day)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for label, code, name, starts, ends, certainty in rows.order_by("starts_on", "id").values_list(
        "label_id", "label__code", "label__name", "starts_on", "ends_on", "certainty"
    ):
        for cluster in held[label]:
            found[cluster].append(
                {"label": code, "name": name, "starts_on": starts, "ends_on": ends, "certainty": certainty}
            )
    return found


def _groups(ids: Sequence[int], day: dt.date) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = as_known_on(ClusterGroup.objects.filter(cluster_id__in=ids), day).order_by("on", "id")
    for cluster, evaluation, group, on in rows.values_list("cluster_id", "evaluation", "group", "on"):
        found[cluster].append({"evaluation": evaluation, "group": group, "on": on})
    return found


def _members(ids: Sequence[int], day: dt.date) -> dict[int, dict[str, Any]]:
    """Members of the day by name and type, and the counts of those who joined and left; a member who left is in the counts only."""
    rows = as_known_on(Membership.objects.filter(cluster_id__in=ids, joined_on__lte=day), day)
    found: dict[int, dict[str, Any]] = {}
    sirens = dict(
        Identifier.objects.filter(scheme="siren", organisation__memberships__cluster_id__in=ids).values_list(
            "organisation_id", "value"
        )
    )
    for cluster, kind, joined, left, simulated, organisation, name in (
        rows.order_by("organisation__name", "id")
        .values_list(
            "cluster_id", "member_type", "joined_on", "left_on", "simulated", "organisation_id", "organisation__name"
        )
        .iterator(chunk_size=5000)
    ):
        one = found.get(cluster)
        if one is None:
            one = found[cluster] = {"total": 0, "by_type": {}, "by_year": {}, "list": [], "simulated": False}
        year = one["by_year"].setdefault(str(joined.year), {"joined": 0, "left": 0})
        year["joined"] += 1
        if left is not None and left <= day:
            one["by_year"].setdefault(str(left.year), {"joined": 0, "left": 0})["left"] += 1
        if left is None or left >= day:
            one["total"] += 1
            one["by_type"][kind] = one["by_type"].get(kind, 0) + 1
            one["list"].append({"name": name, "siren": sirens.get(organisation, ""), "type": kind, "joined_on": joined})
        one["simulated"] = one["simulated"] or simulated
    return found


def _documents(ids: Sequence[int], day: dt.date) -> dict[int, list[dict[str, Any]]]:
    """The documents of the register (statutes, rules, letters), each with the hash of its file."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = ClusterDocument.objects.filter(cluster_id__in=ids, dated__lte=day).order_by("dated", "id")
    for cluster, kind, title, dated, sha in rows.values_list("cluster_id", "kind", "title", "dated", "file__sha256"):
        found[cluster].append({"kind": kind, "title": title, "dated": dated, "sha256": sha})
    return found


def _within(rows: Any, day: dt.date) -> Any:
    return rows.filter(starts_on__lte=day).filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day))


def _team(ids: Sequence[int], day: dt.date) -> dict[int, dict[str, Any]]:
    rows = _within(as_known_on(TeamPost.objects.filter(cluster_id__in=ids), day), day).order_by("id")
    found: dict[int, dict[str, Any]] = {}
    for cluster, title, fte, status in rows.values_list("cluster_id", "title", "fte", "status"):
        one = found.setdefault(cluster, {"fte": Decimal(0), "posts": []})
        one["fte"] += fte
        one["posts"].append({"title": title, "fte": fte, "status": status})
    return found


def _seats(ids: Sequence[int], day: dt.date) -> dict[int, dict[str, Any]]:
    rows = _within(as_known_on(Seat.objects.filter(body__cluster_id__in=ids), day), day)
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for cluster, body, college in rows.order_by("body_id", "id").values_list(
        "body__cluster_id", "body__title", "college"
    ):
        colleges = found[cluster].setdefault(body, {})
        colleges[college] = colleges.get(college, 0) + 1
    return found


def _budget(ids: Sequence[int], day: dt.date) -> dict[int, dict[str, Any]]:
    rows = as_known_on(BudgetLine.objects.filter(cluster_id__in=ids), day).order_by("year", "id")
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for cluster, year, kind, amount in rows.values_list("cluster_id", "year", "kind", "amount"):
        found[cluster].setdefault(str(year), {})[kind] = amount
    return found


def _indicators(ids: Sequence[int], day: dt.date) -> dict[int, dict[str, Any]]:
    """Validated values without breakdown, by code and year."""
    columns = ("cluster_id", "indicator", "period_end", "value", "unit", "definition_version", "origin")
    rows = Observation.objects.filter(cluster_id__in=ids, state="validated", breakdown="", period_end__lte=day)
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    rows = as_known_on(rows, day).order_by("indicator", "period_end", "id")
    for cluster, code, period, value, unit, version, origin in rows.values_list(*columns):
        found[cluster].setdefault(code, {})[str(period.year)] = {
            "value": value, "unit": unit, "definition": version, "origin": origin,
        }  # fmt: skip
    return found


def _roadmaps(ids: Sequence[int], day: dt.date) -> dict[int, list[dict[str, Any]]]:
    rows = Roadmap.objects.filter(cluster_id__in=ids, validated_on__lte=day).order_by("validated_on", "id")
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for cluster, phase, version, title, on, sha in rows.values_list(
        "cluster_id", "phase", "version", "title", "validated_on", "frozen__sha256"
    ):
        found[cluster].append({"phase": phase, "version": version, "title": title, "validated_on": on, "sha256": sha})
    return found


def _contracts(ids: Sequence[int], day: dt.date) -> dict[int, list[dict[str, Any]]]:
    rows = list(
        Contract.objects.filter(cluster_id__in=ids, state__in=("signed", "closed"))
        .filter(created_at__lte=clock.end_of_day(day))
        .order_by("starts_on", "id")
        .values("id", "cluster_id", "slug", "title", "kind", "phase", "group", "starts_on", "ends_on", "signed_on")
    )
    keys = [r["id"] for r in rows]
    parties: dict[int, list[Any]] = defaultdict(list)
    for contract, kind, name in (
        Party.objects.filter(contract_id__in=keys, removed_by_text__isnull=True)
        .order_by("order", "id")
        .values_list("contract_id", "kind", "organisation__name")
    ):
        parties[contract].append({"kind": kind, "name": name})
    latest: dict[int, tuple[str, int]] = {}
    for action, status, percent in (
        as_known_on(Progress.objects.filter(action__contract_id__in=keys, milestone__isnull=True), day)
        .order_by("recorded_at", "id")
        .values_list("action_id", "status", "percent")
    ):
        latest[action] = (status, percent)
    stated: dict[int, str] = {}
    for objective, status in (
        as_known_on(ObjectiveStatus.objects.filter(objective__contract_id__in=keys), day)
        .order_by("recorded_at", "id")
        .values_list("objective_id", "status")
    ):
        stated[objective] = status
    actions: dict[int, list[Any]] = defaultdict(list)
    for key, objective, title, starts, ends, budget in (
        Action.objects.filter(contract_id__in=keys, removed_by_text__isnull=True)
        .order_by("order", "id")
        .values_list("id", "objective_id", "title", "starts_on", "ends_on", "budget")
    ):
        status, percent = latest.get(key, ("", None))
        actions[objective].append(
            {
                "title": title,
                "starts_on": starts,
                "ends_on": ends,
                "budget": budget,
                "status": status,
                "percent": percent,
            }
        )
    objectives: dict[int, list[Any]] = defaultdict(list)
    for key, contract, title, axis in (
        Objective.objects.filter(contract_id__in=keys, removed_by_text__isnull=True)
        .order_by("order", "id")
        .values_list("id", "contract_id", "title", "axis")
    ):
        objectives[contract].append(
            {"title": title, "axis": axis, "status": stated.get(key, ""), "actions": actions.get(key, [])}
        )
    targets: dict[int, dict[str, Any]] = defaultdict(dict)
    for indicator, year, value in (
        as_known_on(Target.objects.filter(indicator__contract_id__in=keys), day)
        .order_by("year", "id")
        .values_list("indicator_id", "year", "value")
    ):
        targets[indicator][str(year)] = value
    indicators: dict[int, list[Any]] = defaultdict(list)
    for key, contract, code, title, unit, baseline in (
        ContractIndicator.objects.filter(contract_id__in=keys, removed_by_text__isnull=True)
        .order_by("order", "id")
        .values_list("id", "contract_id", "code", "title", "unit", "baseline")
    ):
        indicators[contract].append(
            {"code": code, "title": title, "unit": unit, "baseline": baseline, "targets": targets.get(key, {})}
        )
    steps: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for contract, key, kind, on, amount in (
        as_known_on(CommitmentStep.objects.filter(contract_id__in=keys), day)
        .order_by("on", "id")
        .values_list("contract_id", "key", "kind", "on", "amount")
    ):
        steps[contract, key].append({"kind": kind, "on": on, "amount": amount})
    commitments: dict[int, list[Any]] = defaultdict(list)
    for contract, key, kind, title, year, amount, due, party in (
        as_known_on(Commitment.objects.filter(contract_id__in=keys), day)
        .order_by("year", "id")
        .values_list("contract_id", "key", "kind", "title", "year", "amount", "due_on", "party__organisation__name")
    ):
        commitments[contract].append(
            {
                "key": key, "party": party, "kind": kind, "title": title, "year": year, "amount": amount, "due_on": due,
                "steps": steps.get((contract, key), []),
            }
        )  # fmt: skip
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        key, cluster = row.pop("id"), row.pop("cluster_id")
        found[cluster].append(
            {
                **row,
                "parties": parties.get(key, []),
                "objectives": objectives.get(key, []),
                "indicators": indicators.get(key, []),
                "commitments": commitments.get(key, []),
            }
        )
    return found


def _projects(ids: Sequence[int], day: dt.date) -> dict[int, dict[str, Any]]:
    """Projects labelled by each cluster, where they stand, and the public money decided for them."""
    labels = list(
        as_known_on(ProjectLabel.objects.filter(cluster_id__in=ids, decided_on__lte=day), day)
        .filter(outcome__in=("labelled", "conditions"))
        .order_by("decided_on", "id")
        .values_list("cluster_id", "project_id", "project__acronym", "project__state", "lead", "decided_on")
    )
    money: dict[int, Decimal] = defaultdict(Decimal)
    shares = as_known_on(
        Share.objects.filter(project__labels__cluster_id__in=ids, decided__isnull=False, decided_on__lte=day), day
    )
    for _, project, decided in shares.order_by().values_list("id", "project_id", F("decided")).distinct():
        money[project] += decided
    found: dict[int, dict[str, Any]] = {}
    for cluster, project, acronym, state, lead, on in labels:
        one = found.setdefault(
            cluster, {"labelled": 0, "by_year": {}, "by_state": {}, "public_money_decided": None, "list": []}
        )
        one["labelled"] += 1
        one["by_year"][str(on.year)] = one["by_year"].get(str(on.year), 0) + 1
        one["by_state"][state] = one["by_state"].get(state, 0) + 1
        if project in money:
            one["public_money_decided"] = (one["public_money_decided"] or Decimal(0)) + money[project]
        one["list"].append(
            {"project": acronym, "state": state, "lead": lead, "labelled_on": on, "public_money": money.get(project)}
        )
    return found


# -- the pack of a review ---------------------------------------------------------------------


def review_pack(contract: Contract, day: dt.date) -> dict[str, Any]:
    """What was done and reached under a contract as known on ``day``: axis by axis, indicators, commitments of both sides.

    The lights are those of the dashboard of that day, so that what was frozen is what both sides could read.
    """
    board = follow_queries.dashboard(contract, day=day, sight=PARTY, known_on=day)
    objectives = [
        {
            "title": view.objective.title,
            "axis": view.objective.axis,
            "declared": view.declared,
            "contested": view.contested,
            "light": view.light.code,
            "actions": [
                {
                    "title": a.action.title,
                    "starts_on": a.action.starts_on,
                    "ends_on": a.action.ends_on,
                    "budget": a.action.budget,
                    "light": a.light.code,
                    "status": a.progress.status if a.progress else "",
                    "percent": a.progress.percent if a.progress else None,
                    "reason": a.progress.reason if a.progress else "",
                    "deliverables": a.action.deliverables,
                }
                for a in view.actions
            ],
        }
        for view in board.objectives
    ]
    axes = list(dict.fromkeys(o["axis"] for o in objectives if o["axis"]))
    return {
        "form": FORM,
        "as_known_on": day,
        "contract": {
            "slug": contract.slug, "title": contract.title, "group": contract.group, "phase": contract.phase,
            "starts_on": contract.starts_on, "ends_on": contract.ends_on, "signed_on": contract.signed_on,
        },
        "cluster": {"slug": contract.cluster.slug, "name": contract.cluster.name},
        "axes": [{"title": axis, "objectives": [o for o in objectives if o["axis"] == axis]} for axis in axes],
        "other_objectives": [o for o in objectives if not o["axis"]],
        "indicators": [
            {
                "code": i.indicator.code,
                "title": i.title,
                "unit": i.unit,
                "year": i.year,
                "value": i.observation.value if i.observation else None,
                "target": i.target.value if i.target else None,
                "light": i.light.code if i.light else "unknown",
                "simulated": i.simulated,
            }
            for i in board.indicators
        ],
        "commitments": [
            {
                "party": c.commitment.party.organisation.name,
                "side": c.commitment.party.kind,
                "kind": c.commitment.kind,
                "title": c.commitment.title,
                "year": c.commitment.year,
                "amount": c.commitment.amount,
                "due_on": c.due_on,
                "stage": c.stage,
                "paid": c.paid,
                "light": c.light.code,
            }
            for c in board.commitments
        ],
        "reports": [
            {"round": r.round.code, "state": board.report_states[r.pk], "due_on": r.due_on} for r in board.reports
        ],
        "simulated": board.simulated,
    }  # fmt: skip


def summary(pack: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The figures of a review's pack that a list shows: how many of each light, on both sides."""
    actions = [a["light"] for part in (*pack["axes"], {"objectives": pack["other_objectives"]}) for o in part["objectives"] for a in o["actions"]]  # fmt: skip
    counts: dict[str, int] = {}
    for light in actions:
        counts[light] = counts.get(light, 0) + 1
    return sorted(counts.items())
