"""Who may see and do what in the selection. Deny first; a recusal hides a project everywhere, totals excepted.

Those who run the selection (fund manager, national officer) and those who decide see every project of the call. An expert
sees the projects assigned to them; a funder those that concern it: asked for its money, or with a partner in its region.
Nobody reads another expert's notes before the consensus opens, those who run the selection included.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet

from jalon.clusters.access import clusters_of
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.interests import access as interests
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.projects.models import Call, Project
from jalon.selection.models import Assessment, Consensus, SelectionLetter

IN_SELECTION = ("admissible", "selected", "reserve", "rejected", "running", "finished", "abandoned")
"""States of the projects that a selection is about: those found admissible, and what became of them."""
READS_ALL = ("selection.manage", "selection.decide")
TAKES_PART = (*READS_ALL, "selection.instruct", "selection.intend")


def takes_part(actor: Actor) -> bool:
    """Whether the actor's role has a part in selections at all."""
    return any(actor.can(permission) for permission in TAKES_PART)


def require_part(actor: Actor) -> None:
    """Raise :class:`NotAllowed` for roles that have no part in selections."""
    if not takes_part(actor):
        actor.require("selection.manage")


def reads_all(actor: Actor) -> bool:
    """Runs the selection or decides it: sees every project of the call (recusals excepted)."""
    return any(actor.can(permission) for permission in READS_ALL)


def reads_ranking(actor: Actor) -> bool:
    """The ranking is read by those who run or decide the selection and by the ministries' experts, who sit in the group."""
    return reads_all(actor) or actor.can("selection.instruct")


def require_ranking(actor: Actor) -> None:
    """Raise :class:`NotAllowed` unless the actor reads rankings."""
    if not reads_ranking(actor):
        actor.require("selection.manage")


def departments_of(organisation: Organisation | None, day: dt.date) -> tuple[str, ...]:
    """The departments of the region that an authority is, on a day; empty for anybody else."""
    regions = policy().regions_on(day)
    if organisation is None or regions is None or not organisation.region_code:
        return ()
    return next((r.departments for r in regions.regions if r.code == organisation.region_code), ())


def _concerned(actor: Actor, on: dt.date) -> Q:
    """The projects that concern a funder or an expert."""
    mine = Q(pk__in=Assessment.objects.filter(expert_id=actor.user_id).exclude(state="withdrawn").values("project_id"))
    if actor.can("selection.intend") and actor.organisation_id is not None:
        organisation = Organisation.objects.filter(pk=actor.organisation_id).first()
        mine |= Q(shares__funder_id=actor.organisation_id, shares__superseded_at__isnull=True)
        mine |= Q(partners__requests__funder_id=actor.organisation_id)
        if actor.side == "authority":
            departments = departments_of(organisation, on)
            if departments:
                mine |= Q(partners__department__in=departments, partners__left_on__isnull=True)
            if organisation is not None and organisation.level == "region" and organisation.region_code:
                mine |= Q(partners__organisation__region_code=organisation.region_code, partners__left_on__isnull=True)
        elif actor.side == "state" and not actor.national:
            mine |= Q(labels__cluster__in=clusters_of(actor, on), labels__superseded_at__isnull=True)
    return mine


def projects_for(actor: Actor, call: Call | None, on: dt.date) -> QuerySet[Project]:
    """The projects (of a call) whose assessment or financing the actor may read."""
    projects = Project.objects.filter(state__in=IN_SELECTION)
    if call is not None:
        projects = projects.filter(call=call)
    if not takes_part(actor):
        return projects.none()
    if not reads_all(actor):
        inside = Project.objects.filter(_concerned(actor, on))
        if call is not None:
            inside = inside.filter(call=call)
        projects = projects.filter(pk__in=inside.values("pk"))
    return interests.exclude_recused(actor, projects, "project:slug")


def ranked_for(actor: Actor, call: Call) -> QuerySet[Project]:
    """The projects of a call whose place in the ranking the actor may read."""
    if not reads_ranking(actor):
        return Project.objects.none()
    projects = Project.objects.filter(call=call, state__in=IN_SELECTION)
    return interests.exclude_recused(actor, projects, "project:slug")


def may_open(actor: Actor, project: Project, on: dt.date) -> None:
    """Raise :class:`NotAllowed` unless the actor may read the financing of this project."""
    interests.require_not_recused(actor, project.case)
    if not projects_for(actor, None, on).filter(pk=project.pk).exists():
        raise NotAllowed(
            T("Ce projet n'est pas de ceux que vous suivez.", "This project is not one of those you follow.")
        )


def may_assess(actor: Actor, assessment: Assessment) -> None:
    """Raise :class:`NotAllowed` unless it is the actor's own opinion and they declared to have no interest."""
    actor.require("selection.instruct")
    if assessment.expert_id != actor.user_id or assessment.state == "withdrawn":
        raise NotAllowed(T("Cet avis est demandé à quelqu'un d'autre.", "This opinion is asked of somebody else."))
    interests.require_declared(actor, assessment.project.case)


def may_join_consensus(actor: Actor, project: Project) -> None:
    """Raise :class:`NotAllowed` unless the actor runs or decides the selection, or handed in an opinion on the project."""
    interests.require_not_recused(actor, project.case)
    if reads_all(actor):
        return
    actor.require("selection.instruct")
    mine = Assessment.objects.filter(project=project, expert_id=actor.user_id, state="submitted")
    if not mine.exists():
        raise NotAllowed(
            T(
                "Le consensus réunit les experts qui ont rendu leur avis.",
                "The consensus brings together the experts who handed in their opinion.",
            )
        )


def reads_notes(actor: Actor, assessment: Assessment, consensus: Consensus | None) -> bool:
    """Whether the actor may read these notes: their own always, those of others once the consensus has opened."""
    return assessment.expert_id == actor.user_id or consensus is not None


def may_manage(actor: Actor, project: Project | None = None) -> None:
    """Raise :class:`NotAllowed` unless the actor runs selections (and is not recused from the project)."""
    actor.require("selection.manage")
    if project is not None:
        interests.require_not_recused(actor, project.case)


def may_decide(actor: Actor, projects: Any = ()) -> None:
    """Raise :class:`NotAllowed` unless the actor fixes lists; somebody recused from a project of the list decides none."""
    actor.require("selection.decide")
    away = set(interests.recused_keys(actor.user_id, "project"))
    if away and any(project.slug in away for project in projects):
        raise NotAllowed(
            T(
                "Vous êtes déporté d'un projet de cette liste : une autre personne de votre autorité l'arrête.",
                "You are recused from a project of this list: another person of your authority decides it.",
            )
        )


def may_speak_for(actor: Actor, funder: Organisation, project: Project, on: dt.date, reference: str) -> bool:
    """Whether the actor may write a funder's intention; True when it is written on the funder's behalf.

    A funder's own officer writes for it; whoever runs the selection may write what a funder said elsewhere, with its
    reference (a letter, a deliberation).

    Raises:
        NotAllowed: neither.
    """
    interests.require_not_recused(actor, project.case)
    if actor.can("selection.intend") and actor.organisation_id == funder.pk:
        may_open(actor, project, on)
        return False
    if actor.can("selection.manage"):
        if actor.organisation_id != funder.pk and not reference.strip():
            raise NotAllowed(
                T(
                    "Pour écrire ce que {f} a dit ailleurs, donnez la référence (courrier, délibération).",
                    "To write what {f} said elsewhere, give the reference (letter, deliberation).",
                    f=funder.name,
                )
            )
        return actor.organisation_id != funder.pk
    actor.require("selection.intend")
    raise NotAllowed(
        T(
            "Vous agissez pour {o} : seul {f} dit son intention.",
            "You act for {o}: only {f} states its intention.",
            o=actor.organisation_label or "–",
            f=funder.name,
        )
    )


def letters_for(actor: Actor) -> QuerySet[SelectionLetter]:
    """The letters that the actor may read: all for those who run or decide, those of its own organisation otherwise."""
    letters = SelectionLetter.objects.select_related("project", "partner__organisation", "frozen", "exercise__call")
    if reads_all(actor):
        return interests.exclude_recused(actor, letters, "project:project__slug")
    if actor.organisation_id is None or not actor.signed_in or actor.side == "public":
        return letters.none()
    return letters.filter(partner__organisation_id=actor.organisation_id)
