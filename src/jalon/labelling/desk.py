"""What labelling brings to the desk: what waits for the unit, the bureau, experts, members and leaders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from jalon.clusters.access import carried_by
from jalon.core.lang import T
from jalon.interests.access import exclude_recused, recused_keys, stances
from jalon.interests.queries import Subject
from jalon.labelling import queries, states
from jalon.labelling.models import Ballot, LabelRequest, Opinion, Vote
from jalon.people.access import Actor
from jalon.people.tasks import Task, waiting_light
from jalon.projects.models import Partner, Project

SOON = dt.timedelta(days=7)
SHOWN = 200


def _light(due: dt.date | None, since: dt.date | None, day: dt.date) -> str:
    if due is None:
        return waiting_light(since, day)
    return "late" if due < day else "at_risk" if due - day <= SOON else "not_yet_due"


def _task(request: LabelRequest, title: Any, url: str, day: dt.date, *, due=None, why: Any = "", since=None) -> Task:
    return Task(
        title,
        url,
        due,
        _light(due, since, day),
        why,
        request.case,
        who=request.cluster.name,
        since=since,
    )


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """Everything that labelling expects of the actor; the recused hear of nothing."""
    if not queries.used():
        return []
    found: list[Task] = []
    if actor.can("labelling.manage") or actor.can("labelling.decide"):
        found += _own_cluster(actor, day)
    if actor.can("labelling.opinion"):
        found += _opinions(actor, day)
    if actor.can("labelling.vote"):
        found += _votes(actor, day)
    if actor.can("project.submit") and actor.side == "beneficiary":
        found += _leader(actor, day)
    return found


def _own_cluster(actor: Actor, day: dt.date) -> list[Task]:
    rows = LabelRequest.objects.filter(
        cluster__in=carried_by(actor, day), state__in=("asked", "received", "opinions", "voted")
    )
    rows = exclude_recused(actor, rows, "project:project__slug").select_related("project", "cluster")
    rows = list(rows.order_by("due_on", "id")[:SHOWN])
    found = []
    lines = {line.request.pk: line for line in queries.lines(rows, day)} if rows else {}
    for row in rows:
        url, name = reverse("labelling-request", args=[row.pk]), row.project.acronym
        runs = actor.can("labelling.manage") and row.correspondent_id in (None, actor.user_id)
        if row.state == "asked" and actor.can("labelling.manage"):
            title = T("Recevoir la demande de label : {p}", "Receive the request for a label: {p}", p=name)
            found.append(_task(row, title, url, day, due=row.due_on, since=row.asked_on))
        elif row.state == "received" and runs:
            title = T("Vérifier la recevabilité : {p}", "Check the admissibility: {p}", p=name)
            found.append(_task(row, title, url, day, due=row.due_on, since=row.received_on))
        elif row.state == "opinions" and runs:
            given, asked, _ = lines[row.pk].opinions
            needed = queries.procedure_of(row).experts.opinions
            if given >= needed:
                title = T("Ouvrir le vote du comité : {p}", "Open the committee's vote: {p}", p=name)
                found.append(_task(row, title, url, day, due=row.due_on))
            elif asked < needed:
                title = T(
                    "Demander des avis ({n} sur {k}) : {p}",
                    "Ask for opinions ({n} of {k}): {p}",
                    n=asked,
                    k=needed,
                    p=name,
                )
                found.append(_task(row, title, url, day, due=row.due_on))
        elif row.state == "voted" and actor.can("labelling.decide"):
            title = T("Décider du label : {p}", "Decide on the label: {p}", p=name)
            why = T("le vote du comité est clos", "the committee's vote is closed")
            found.append(_task(row, title, url, day, due=row.due_on, why=why))
    return found


def _opinions(actor: Actor, day: dt.date) -> list[Task]:
    rows = Opinion.objects.filter(user_id=actor.user_id, state="asked", request__state="opinions")
    rows = exclude_recused(actor, rows, "project:request__project__slug")
    rows = list(rows.select_related("request__project", "request__cluster").order_by("due_on", "id")[:SHOWN])
    declared = stances(actor.user_id, [r.request.project.case for r in rows]) if rows else {}
    found = []
    for row in rows:
        if declared.get(row.request.project.case) == "none":
            title = T("Rendre votre avis : {p}", "Give your opinion: {p}", p=row.request.project.acronym)
            url = reverse("labelling-opinion", args=[row.pk])
            found.append(_task(row.request, title, url, day, due=row.due_on, since=row.asked_on))
    return found


def _open_ballots(actor: Actor) -> list[Ballot]:
    """Open votes in which the actor may vote and has not."""
    rows = Ballot.objects.filter(closed_at__isnull=True, request__state="vote").filter(
        request__cluster__labelling_members__user_id=actor.user_id,
        request__cluster__labelling_members__body="committee",
    )
    rows = exclude_recused(actor, rows, "project:request__project__slug")
    rows = rows.exclude(pk__in=Vote.objects.filter(user_id=actor.user_id).values("ballot_id"))
    rows = rows.select_related("request__project", "request__cluster").distinct().order_by("closes_on", "id")[:SHOWN]
    return [ballot for ballot in rows if actor.user_id in ballot.roll]


def _votes(actor: Actor, day: dt.date) -> list[Task]:
    rows = _open_ballots(actor)
    declared = stances(actor.user_id, [b.request.project.case for b in rows]) if rows else {}
    found = []
    for row in rows:
        if declared.get(row.request.project.case) == "none":
            title = T("Voter en comité : {p}", "Vote in the committee: {p}", p=row.request.project.acronym)
            url = reverse("labelling-request", args=[row.request_id])
            found.append(
                _task(row.request, title, url, day, due=row.closes_on, why=states.WAYS[row.way], since=row.opened_on)
            )
    return found


def _leader(actor: Actor, day: dt.date) -> list[Task]:
    leads = Partner.objects.filter(organisation_id=actor.organisation_id, role="leader", left_on__isnull=True)
    rows = LabelRequest.objects.filter(
        project_id__in=leads.values("project_id"), state__in=("incomplete", "conditions", "deferred")
    )
    rows = exclude_recused(actor, rows, "project:project__slug").select_related("project", "cluster")
    found = []
    for row in rows.prefetch_related("conditions").order_by("id")[:SHOWN]:
        url = reverse("project-labelling", args=[row.project.slug])
        name, cluster = row.project.acronym, row.cluster.name
        if row.state == "incomplete":
            title = T("Compléter la demande de label : {p}", "Complete the request for a label: {p}", p=name)
            found.append(_task(row, title, url, day, why=row.missing[:200]))
        elif row.state == "deferred":
            title = T("Présenter de nouveau, ou retirer : {p}", "Present again, or withdraw: {p}", p=name)
            found.append(_task(row, title, url, day, why=row.reasons[:200], since=row.decided_on))
        else:
            left = [c for c in row.conditions.all() if c.lifted_on is None]
            due = min((c.due_on for c in left if c.due_on), default=None)
            if left:
                title = T(
                    "Remplir les conditions du label de {c} : {p}", "Meet the conditions of the label of {c}: {p}", c=cluster, p=name
                )  # fmt: skip
                found.append(_task(row, title, url, day, due=due, why=left[0].text[:200], since=row.decided_on))
    return found


# -- the journal ------------------------------------------------------------------------------------------------


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """A pôle's team reads the journal of its requests; a leader what was done with theirs, never opinions and votes."""
    if actor.mandate_id is None or not queries.used():
        return None
    rows = LabelRequest.objects.values_list("project__slug", "cluster__slug")
    if actor.can("labelling.manage") or actor.can("labelling.decide"):
        found = rows.filter(cluster__in=carried_by(actor, day)).order_by("-id")[:500]
        return Q(case__in=[f"labelling:{p}/{c}" for p, c in found])
    if actor.side == "beneficiary" and actor.can("project.submit"):
        leads = Partner.objects.filter(organisation_id=actor.organisation_id, role="leader", left_on__isnull=True)
        found = rows.filter(project_id__in=leads.values("project_id")).order_by("-id")[:500]
        return Q(case__in=[f"labelling:{p}/{c}" for p, c in found], act__in=states.READ_BY_LEADER)
    return None


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """Rows of requests about projects from which the actor is recused."""
    hidden = Q()
    for slug in recused_keys(actor.user_id, "project"):
        hidden |= Q(case__startswith=f"labelling:{slug}/")
    return hidden or None


def case_titles(cases: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Names of requests."""
    mine = [case for case in cases if case.startswith("labelling:")]
    if not mine:
        return {}
    pairs = {tuple(case.partition(":")[2].split("/", 1)): case for case in mine}
    rows = LabelRequest.objects.filter(
        project__slug__in=[p[0] for p in pairs], cluster__slug__in=[p[-1] for p in pairs]
    )
    found = {}
    for row in rows.select_related("project", "cluster").order_by("id"):
        if row.case in mine:
            title = T("Label de {p} par {c}", "Label of {p} by {c}", p=row.project.acronym, c=row.cluster.name)
            found[row.case] = (str(title), reverse("labelling-request", args=[row.pk]))
    return found


# -- declarations of interests ----------------------------------------------------------------------------------


def subjects(cases: Iterable[str]) -> dict[str, Subject]:
    """What a project is about, for whoever judges whether they have an interest: its title and its partners."""
    slugs = [case.partition(":")[2] for case in cases if case.startswith("project:")]
    if not slugs:
        return {}
    rows = Project.objects.filter(slug__in=slugs).only("id", "slug", "acronym", "title", "simulated")
    partners: dict[int, list[tuple[int, str]]] = {}
    known = Partner.objects.filter(project__slug__in=slugs, left_on__isnull=True)
    for project_id, organisation_id, name in known.order_by("order", "id").values_list(
        "project_id", "organisation_id", "organisation__name"
    ):
        partners.setdefault(project_id, []).append((organisation_id, name))
    return {
        row.case: Subject(
            row.case,
            f"{row.acronym} – {row.title}",
            tuple(name for _, name in partners.get(row.pk, ())),
            frozenset(pk for pk, _ in partners.get(row.pk, ())),
            simulated=row.simulated,
        )
        for row in rows
    }


def to_declare(actor: Actor, day: dt.date) -> list[Subject]:
    """The projects on which the actor is asked to declare: as expert, as member of the committee, in the pôle's team."""
    if not queries.used():
        return []
    asked: list[tuple[LabelRequest, Any, dt.date | None, dt.date | None, str, bool]] = []
    if actor.can("labelling.opinion"):
        rows = Opinion.objects.filter(user_id=actor.user_id, state__in=("asked", "given"))
        for row in rows.select_related("request__project", "request__cluster").order_by("due_on", "id")[:SHOWN]:
            url = reverse("labelling-opinion", args=[row.pk])
            expected = row.state == "asked" and row.request.state == "opinions"
            asked.append((row.request, T("expert", "expert"), row.due_on, row.asked_on, url, expected))
    if actor.can("labelling.vote"):
        for ballot in _open_ballots(actor):
            url = reverse("labelling-request", args=[ballot.request_id])
            what = T("membre du comité de labellisation", "member of the labelling committee")
            asked.append((ballot.request, what, ballot.closes_on, ballot.opened_on, url, True))
    if actor.can("labelling.manage") or actor.can("labelling.decide"):
        rows = LabelRequest.objects.filter(
            cluster__in=carried_by(actor, day), state__in=(*states.RUNNING, "conditions")
        ).select_related("project", "cluster")
        for row in rows.order_by("due_on", "id")[:SHOWN]:
            expected = (row.state in ("received", "opinions") and row.correspondent_id == actor.user_id) or (
                row.state == "voted" and actor.can("labelling.decide")
            )
            what = T("équipe du pôle", "the cluster's team")
            url = reverse("labelling-request", args=[row.pk])
            asked.append((row, what, row.due_on, row.asked_on, url, expected))
    about = subjects({row.project.case for row, *_ in asked}) if asked else {}
    found = []
    for row, what, due, since, url, expected in asked:
        subject = about[row.project.case]
        found.append(
            Subject(
                subject.case,
                subject.title,
                subject.parties,
                subject.organisations,
                asked_as=what,
                asked_by=row.cluster.name,
                due_on=due,
                since=since,
                url=url,
                simulated=subject.simulated,
                expected=expected,
            )
        )
    return found
