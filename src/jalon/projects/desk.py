"""What projects bring to the desk of somebody who signs in: what waits, cases of the journal, names, searches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from jalon.core import clock
from jalon.core.lang import T
from jalon.interests.access import recused_cases
from jalon.people.access import Actor
from jalon.people.tasks import Task, waiting_light
from jalon.projects import access, following
from jalon.projects.models import Clarification, Outcome, Project, ProjectAmendment, YearReport

SOON = dt.timedelta(days=14)
SHOWN = 200


def _light(due: dt.date | None, day: dt.date) -> str:
    if due is None:
        return "not_started"
    return "late" if due < day else "at_risk" if due - day <= SOON else "not_yet_due"


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """What waits for the actor about projects on a day."""
    if not actor.signed_in or actor.organisation_id is None:
        return []
    found: list[Task] = []
    if actor.can("project.draft") or actor.can("project.report"):
        found += _own_tasks(actor, day)
    if actor.can("project.check") and actor.national:
        found += _check_tasks(actor, day)
    if actor.can("project.follow") and (actor.national or actor.side == "state"):
        found += _follow_tasks(actor, day)
    return found


def _own_tasks(actor: Actor, day: dt.date) -> list[Task]:
    own = access.consortium_of(actor, day).filter(created_at__lte=clock.end_of_day(day))
    leads = own.filter(
        partners__organisation_id=actor.organisation_id, partners__role="leader", partners__left_on__isnull=True
    )
    found = []
    drafts = own.filter(state="draft").select_related("call").order_by("call__closes_on", "pk")[:SHOWN]
    lead_keys = set(leads.values_list("pk", flat=True))
    for project in drafts:
        due = project.call.closes_on if project.call_id else None
        if due is not None and due < day - dt.timedelta(days=60):
            continue
        title = (
            T("Monter et déposer le projet {p}", "Draft and submit the project {p}", p=project.acronym)
            if project.pk in lead_keys
            else T("Écrire votre part du projet {p}", "Write your part of the project {p}", p=project.acronym)
        )
        found.append(
            Task(
                title,
                reverse("project-edit", args=[project.slug]),
                due,
                _light(due, day),
                T("clôture de l'appel", "closing of the call") if due else "",
                project.case,
                since=project.created_at.date(),
            )
        )
    for row in Clarification.objects.filter(state="open", project__in=leads.values("pk")).select_related("project"):
        found.append(
            Task(
                T(
                    "Répondre à la demande de précisions sur {p}",
                    "Answer the clarification on {p}",
                    p=row.project.acronym,
                ),
                reverse("project-edit", args=[row.project.slug]),
                row.due_on,
                _light(row.due_on, day),
                row.message,
                row.project.case,
                who=row.asked_by,
                since=row.asked_on,
            )
        )
    for report in YearReport.objects.filter(
        state__in=["open", "returned"], project__in=leads.values("pk"), year__lt=day.year
    ).select_related("project"):
        found.append(
            Task(
                T("Rendre compte de {p} pour {y}", "Report on {p} for {y}", p=report.project.acronym, y=report.year),
                reverse("project-report", args=[report.project.slug, report.year]),
                report.due_on,
                _light(report.due_on, day),
                report.reasons,
                report.project.case,
            )
        )
    for project, year in following.lacking_outcomes(day, own.values("pk")):
        found.append(
            Task(
                T("Déclarer les résultats {y} de {p}", "Declare the {y} outcomes of {p}", y=year, p=project.acronym),
                reverse("project-follow", args=[project.slug]),
                None,
                "not_started",
                "",
                project.case,
            )
        )
    return found


def _recused(actor: Actor) -> list[str]:
    return [case.partition(":")[2] for case in recused_cases(actor.user_id, "project")]


def _check_tasks(actor: Actor, day: dt.date) -> list[Task]:
    rows = (
        Project.objects.filter(state="submitted", submitted_at__lte=clock.end_of_day(day))
        .exclude(slug__in=_recused(actor))
        .order_by("submitted_at")[:SHOWN]
    )
    found = []
    for project in rows:
        since = project.submitted_at.astimezone(clock.PARIS).date()
        found.append(
            Task(
                T("Vérifier la recevabilité de {p}", "Check the admissibility of {p}", p=project.acronym),
                reverse("project-check", args=[project.slug]),
                None,
                waiting_light(since, day),
                "",
                project.case,
                since=since,
            )
        )
    lapsed = (
        Clarification.objects.filter(state="open", due_on__lt=day)
        .select_related("project")
        .exclude(project__slug__in=_recused(actor))[:SHOWN]
    )
    for row in lapsed:
        found.append(
            Task(
                T(
                    "Clore la demande de précisions sur {p}, restée sans réponse",
                    "Close the clarification on {p}, left without an answer",
                    p=row.project.acronym,
                ),
                reverse("project-check", args=[row.project.slug]),
                row.due_on,
                "late",
                "",
                row.project.case,
            )
        )
    return found


def _follow_tasks(actor: Actor, day: dt.date) -> list[Task]:
    inside = access.inside_of(actor, day).values("pk")
    away = _recused(actor)
    found = []
    for report in (
        YearReport.objects.filter(state="submitted", project__in=inside)
        .exclude(project__slug__in=away)
        .select_related("project")[:SHOWN]
    ):
        found.append(
            Task(
                T(
                    "Lire le compte rendu {y} de {p}",
                    "Read the {y} report of {p}",
                    y=report.year,
                    p=report.project.acronym,
                ),
                reverse("project-report", args=[report.project.slug, report.year]),
                None,
                waiting_light(report.submitted_on, day),
                "",
                report.project.case,
                since=report.submitted_on,
            )
        )
    for row in (
        ProjectAmendment.objects.filter(state="proposed", project__in=inside)
        .exclude(project__slug__in=away)
        .select_related("project")[:SHOWN]
    ):
        found.append(
            Task(
                T("Répondre au changement proposé sur {p}", "Answer the change proposed on {p}", p=row.project.acronym),
                reverse("project-follow", args=[row.project.slug]),
                None,
                waiting_light(row.proposed_on, day),
                row.reason,
                row.project.case,
                who=row.proposed_by,
                since=row.proposed_on,
            )
        )
    waiting = Outcome.objects.filter(
        superseded_at__isnull=True, validated=False, project__in=inside, recorded_at__lte=clock.end_of_day(day)
    ).exclude(project__slug__in=away)
    for slug, acronym in (
        waiting.values_list("project__slug", "project__acronym").distinct().order_by("project__acronym")[:SHOWN]
    ):
        found.append(
            Task(
                T("Valider les résultats déclarés de {p}", "Validate the declared outcomes of {p}", p=acronym),
                reverse("project-follow", args=[slug]),
                None,
                "not_started",
                "",
                f"project:{slug}",
            )
        )
    return found


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """The journal's rows of projects whose file the actor reads whole; calls are public."""
    if not actor.signed_in or actor.organisation_id is None:
        return Q(case__startswith="call:")
    if actor.national and actor.can("project.check"):
        received = Q(case__startswith="project:")
        drafts = Project.objects.filter(submitted_at__isnull=True).values_list("slug", flat=True)
        return Q(case__startswith="call:") | received & ~Q(case__in=[f"project:{slug}" for slug in drafts[:2000]])
    slugs = access.inside_of(actor, day).values_list("slug", flat=True)
    if actor.national and actor.can("selection.instruct"):
        slugs = slugs.none()  # an assessor reads a file after declaring, on its own page
    return Q(case__startswith="call:") | Q(case__in=[f"project:{slug}" for slug in slugs[:2000]])


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """Rows of files from which the actor is recused."""
    cases = recused_cases(actor.user_id, "project")
    return Q(case__in=cases) if cases else None


def case_titles(cases: Iterable[str]) -> dict[str, tuple[Any, str]]:
    """Names of cases of calls and projects, with their pages: two queries."""
    from jalon.projects.models import Call

    slugs = [c.partition(":")[2] for c in cases if c.startswith("project:")]
    codes = [c.partition(":")[2] for c in cases if c.startswith("call:")]
    found: dict[str, tuple[Any, str]] = {}
    for slug, acronym in Project.objects.filter(slug__in=slugs).values_list("slug", "acronym") if slugs else ():
        found[f"project:{slug}"] = (T("Projet {p}", "Project {p}", p=acronym), reverse("project", args=[slug]))
    for call in Call.objects.filter(code__in=codes) if codes else ():
        found[call.case] = (T("{t}", "{t}", t=call.title_fr), reverse("call", args=[call.code]))
    return found


def found(
    actor: Actor, day: dt.date, q: str, limit: int
) -> list[tuple[Any, int, list[tuple[str, Any, str, bool]], str]]:
    """Projects that a search finds among those the actor may know of, by acronym, title or partner."""
    from urllib.parse import urlencode

    from jalon.projects import listing, states

    rows = listing.listed(actor, day, listing.Filters(q=q))
    total = rows.count()
    if not total:
        return []
    shown = [
        (
            p.acronym,
            T("{t} ({s})", "{t} ({s})", t=p.title, s=states.TITLES[listing.state_on(p, day)]),
            reverse("project", args=[p.slug]),
            p.simulated,
        )
        for p in rows[:limit]
    ]
    return [(T("projets", "projects"), total, shown, reverse("projects") + "?" + urlencode({"q": q}))]
