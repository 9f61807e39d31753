"""What the selection brings to the desk: opinions due, intentions to state, lists to decide; its journal and who reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse

from jalon.core.lang import T
from jalon.interests.access import exclude_recused, recused_keys, stances
from jalon.interests.queries import Subject
from jalon.people.access import Actor
from jalon.people.tasks import Task, waiting_light
from jalon.projects.models import Call, Project, Request
from jalon.selection import access, queries
from jalon.selection.models import Assessment, Consensus, Exercise, Share

SOON = dt.timedelta(days=14)
SHOWN = 200


def _light(due_on: dt.date | None, day: dt.date, since: dt.date | None) -> str:
    if due_on is None:
        return waiting_light(since, day)
    return "late" if due_on < day else "at_risk" if due_on - day <= SOON else "not_yet_due"


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """What waits for the actor in the selections under way."""
    if actor.mandate_id is None or not access.takes_part(actor):
        return []
    found: list[Task] = []
    if actor.can("selection.instruct"):
        found += _opinions(actor, day)
    under_way = list(Exercise.objects.filter(state__in=["assessment", "decided"]).select_related("call"))
    if actor.can("selection.intend") and not actor.can("selection.instruct"):
        found += _intentions(actor, day, [e for e in under_way if e.state == "assessment"])
    if access.reads_all(actor):
        found += _running(actor, day, under_way)
    if not actor.can("selection.instruct"):
        found += _excesses(actor)
    return found


def _excesses(actor: Actor) -> list[Task]:
    """Projects whose decided money is above what their budget allows since it was cut: for the funders and who decides."""
    changed = exclude_recused(actor, queries.changed_projects(), "project:slug")
    if not access.reads_all(actor):
        mine = Share.objects.filter(
            project=OuterRef("pk"), funder_id=actor.organisation_id, superseded_at__isnull=True, decided__gt=0
        )
        changed = changed.filter(Exists(mine))
    projects = list(changed.order_by("-decided_on", "pk")[:SHOWN])
    above = queries.excesses(projects)
    return [
        Task(
            T("Revoir l'aide décidée : {p}", "Review the aid decided: {p}", p=project.acronym),
            reverse("project-financing", args=[project.slug]),
            None,
            "late",
            above[project.pk][0].text,
            project.case,
            who=T("les financeurs", "the funders"),
        )
        for project in projects
        if project.pk in above
    ]


def _opinions(actor: Actor, day: dt.date) -> list[Task]:
    """Opinions asked of the actor whose file is open: the declaration that comes before is a task of its own."""
    rows = (
        Assessment.objects.filter(expert_id=actor.user_id, state="asked", exercise__state="assessment")
        .select_related("project", "exercise__call")
        .order_by("due_on", "pk")[:SHOWN]
    )
    rows = list(rows)
    declared = stances(actor.user_id, [row.project.case for row in rows]) if rows else {}
    return [
        Task(
            T("Rendre l'avis sur {p}", "Hand in the opinion on {p}", p=row.project.acronym),
            reverse("selection-assess", args=[row.pk]),
            row.due_on,
            _light(row.due_on, day, row.asked_on),
            T("vous êtes désigné expert de ce projet", "you are assigned to this project as an expert"),
            f"{row.exercise.case}/{row.project.slug}",
            who=T("le gestionnaire du fonds", "the fund manager"),
            since=row.asked_on,
        )
        for row in rows
        if declared.get(row.project.case) == "none"
    ]


def _intentions(actor: Actor, day: dt.date, exercises: list[Exercise]) -> list[Task]:
    """Calls in which projects ask the funder for money and have no answer: one task a call."""
    found = []
    for exercise in exercises:
        mine = Share.objects.filter(project=OuterRef("pk"), funder_id=actor.organisation_id, superseded_at__isnull=True)
        asked = Request.objects.filter(partner__project=OuterRef("pk"), funder_id=actor.organisation_id)
        waiting = (
            access.projects_for(actor, exercise.call, day)
            .filter(Exists(asked), ~Exists(mine), state="admissible")
            .count()
        )
        if waiting:
            found.append(
                Task(
                    T(
                        "Dire vos intentions : {c} ({n} projets)",
                        "State your intentions: {c} ({n} projects)",
                        c=queries.title_of(exercise.call),
                        n=waiting,
                    ),
                    reverse("selection-funder", args=[exercise.call.code]),
                    exercise.due_on,
                    _light(exercise.due_on, day, exercise.created_at.date()),
                    T("ces projets vous demandent de l'argent", "these projects ask you for money"),
                    exercise.case,
                    who=T("le comité des financeurs", "the funders' committee"),
                    since=exercise.created_at.date(),
                )
            )
    return found


def _running(actor: Actor, day: dt.date, exercises: list[Exercise]) -> list[Task]:
    """For those who run or decide: calls to open, projects without experts, consensuses to hold, lists to decide."""
    found: list[Task] = []
    keys = [e.pk for e in exercises]
    counted = {
        row["call__selection"]: row
        for row in Project.objects.filter(call__selection__in=keys, state="admissible")
        .order_by()
        .values("call__selection")
        .annotate(
            all=Count("pk"),
            bare=Count(
                "pk", filter=~Exists(Assessment.objects.filter(project=OuterRef("pk")).exclude(state="withdrawn"))
            ),
            ready=Count(
                "pk",
                filter=Q(consensus__isnull=True)
                & Exists(Assessment.objects.filter(project=OuterRef("pk"), state="submitted"))
                & ~Exists(Assessment.objects.filter(project=OuterRef("pk"), state="asked")),
            ),
            agreed=Count("pk", filter=Exists(Consensus.objects.filter(project=OuterRef("pk"), state="closed"))),
        )
    }
    for exercise in exercises:
        code, since = exercise.call.code, exercise.created_at.date()
        row = counted.get(exercise.pk, {"all": 0, "bare": 0, "ready": 0, "agreed": 0})
        name = queries.title_of(exercise.call)
        if exercise.state == "assessment" and actor.can("selection.manage"):
            for count, only, title in (
                (
                    row["bare"],
                    "unassigned",
                    T("Désigner des experts : {c} ({n} projets)", "Assign experts: {c} ({n} projects)"),
                ),
                (
                    row["ready"],
                    "ready",
                    T("Tenir le consensus : {c} ({n} projets)", "Hold the consensus: {c} ({n} projects)"),
                ),
            ):
                if count:
                    found.append(
                        Task(
                            title.format(c=name, n=count),
                            f"{reverse('selection-desk', args=[code])}?only={only}",
                            exercise.due_on,
                            _light(exercise.due_on, day, since),
                            "",
                            exercise.case,
                            since=since,
                        )
                    )
        if exercise.state == "assessment" and actor.can("selection.decide") and row["all"]:
            found.append(
                Task(
                    T("Arrêter la liste : {c}", "Decide the list: {c}", c=name),
                    reverse("selection-scenarios", args=[code]),
                    exercise.call.results_on,
                    _light(exercise.call.results_on, day, since),
                    T(
                        "{n} projets sur {all} ont leur note de consensus",
                        "{n} projects of {all} have their consensus score",
                        n=row["agreed"],
                        all=row["all"],
                    ),
                    exercise.case,
                    since=since,
                )
            )
        if exercise.state == "decided" and actor.can("selection.decide"):
            found.append(
                Task(
                    T("Annoncer les résultats : {c}", "Announce the results: {c}", c=name),
                    reverse("selection-results", args=[code]),
                    None,
                    waiting_light(exercise.decided_on, day),
                    "",
                    exercise.case,
                    since=exercise.decided_on,
                )
            )
    if actor.can("selection.manage"):
        closed = Call.objects.filter(selection__isnull=True, closes_on__lt=day, projects__state="admissible").distinct()
        for call in closed.order_by("closes_on")[:20]:
            found.append(
                Task(
                    T("Ouvrir la sélection : {c}", "Open the selection: {c}", c=queries.title_of(call)),
                    reverse("selection-index"),
                    None,
                    waiting_light(call.closes_on, day),
                    T(
                        "l'appel est clos et des projets sont recevables",
                        "the call is closed and projects are admissible",
                    ),
                    "",
                    since=call.closes_on,
                )
            )
    return found


# -- the journal ------------------------------------------------------------------------------------------------------


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """The acts of selections, for those who run or decide them; a funder reads those of the exercise, not of projects."""
    if actor.mandate_id is None:
        return None
    if access.reads_all(actor):
        return Q(case__startswith="selection:")
    return None


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """What the selection wrote about projects from which the actor is recused."""
    hidden = None
    for slug in recused_keys(actor.user_id, "project"):
        one = Q(case__startswith="selection:", case__endswith=f"/{slug}")
        hidden = one if hidden is None else hidden | one
    return hidden


def case_titles(cases: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Names of the cases of selections: the call, or a project in it."""
    mine = [case for case in cases if case.startswith("selection:")]
    codes = {case.partition(":")[2].partition("/")[0] for case in mine}
    slugs = {case.partition("/")[2] for case in mine if "/" in case}
    calls = {call.code: call for call in Call.objects.filter(code__in=codes)} if codes else {}
    projects = dict(Project.objects.filter(slug__in=slugs).values_list("slug", "acronym")) if slugs else {}
    found = {}
    for case in mine:
        code, _, slug = case.partition(":")[2].partition("/")
        if code not in calls:
            continue
        name = T("Sélection : {c}", "Selection: {c}", c=queries.title_of(calls[code]))
        if slug:
            title = T("{s}, {p}", "{s}, {p}", s=name, p=projects.get(slug, slug))
            found[case] = (str(title), reverse("project-financing", args=[slug]))
        else:
            found[case] = (str(name), reverse("selection", args=[code]))
    return found


# -- declarations of interests ----------------------------------------------------------------------------------------


def to_declare(actor: Actor, day: dt.date) -> list[Subject]:
    """The projects on which the actor is asked for an opinion."""
    if not actor.can("selection.instruct"):
        return []
    rows = (
        Assessment.objects.filter(expert_id=actor.user_id)
        .exclude(state="withdrawn")
        .select_related("project", "exercise__call")
        .prefetch_related("project__partners__organisation")
        .order_by("due_on", "pk")[:SHOWN]
    )
    return [
        _subject(
            row.project,
            asked_as=T("Expert d'un ministère", "Expert of a ministry"),
            asked_by=T("le gestionnaire du fonds", "the fund manager"),
            due_on=row.due_on,
            since=row.asked_on,
            url=reverse("selection-assess", args=[row.pk]),
        )
        for row in rows
    ]


def _subject(project: Project, **more: object) -> Subject:
    partners = [p for p in project.partners.all() if p.left_on is None]
    return Subject(
        case=project.case,
        title=f"{project.acronym} – {project.title}",
        parties=tuple(p.organisation.name for p in partners),
        organisations=frozenset(p.organisation_id for p in partners),
        simulated=project.simulated,
        **more,
    )


def subjects(cases: Iterable[str]) -> dict[str, Subject]:
    """What the cases of projects are about, for declarations."""
    slugs = [case.partition(":")[2] for case in cases if case.startswith("project:")]
    if not slugs:
        return {}
    rows = Project.objects.filter(slug__in=slugs).prefetch_related("partners__organisation")
    return {row.case: _subject(row) for row in rows}
