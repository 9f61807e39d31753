"""Who may read and do what with calls and projects. Deny first; a draft belongs to its consortium.

Calls are public once they are announced. A file is read whole by the leader, by the pôles asked for a label, by whoever
receives, assesses or finances it. A partner reads the file, its own budget line by line and the totals of the others:
detailed costs are a company's own, and the leader answers for the whole. Everybody reads the public summary of a project
that was selected. Whoever declared an interest in a file does not see it at all, unless as one of its partners.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from jalon.clusters.access import carried_by, followed_by
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.interests.access import recused_cases, stances
from jalon.people.access import Actor
from jalon.projects import states
from jalon.projects.models import Partner, Project

Reader = Callable[[Actor, dt.date], Q | None]
_readers: list[Reader] = []
"""Packages above (labelling, selection…) say here who else reads a file: a condition on Project."""


def register_reader(reader: Reader) -> Reader:
    """Let a package above say which other files an actor reads: labelling for the pôles asked, for example."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


@dataclass(frozen=True)
class Standing:
    """What an actor is to a project on a day.

    ``part`` is the key of the partner for whose organisation it acts; ``instructor`` must declare interests first.
    """

    part: str = ""
    leader: bool = False
    cluster: bool = False
    checker: bool = False
    follower: bool = False
    funder: bool = False
    instructor: bool = False
    other: bool = False
    recused: bool = False
    undeclared: bool = False

    @property
    def consortium(self) -> bool:
        return bool(self.part)

    @property
    def inside(self) -> bool:
        """Reads the file, its confidential description and papers."""
        if self.part:
            return True
        return not self.recused and not self.undeclared and self.knows

    @property
    def knows(self) -> bool:
        """Knows that the file exists, by its title."""
        if self.part:
            return True
        some = self.cluster or self.checker or self.follower or self.funder or self.instructor or self.other
        return some and not self.recused

    @property
    def sees_budgets(self) -> bool:
        """Reads every budget line by line."""
        return self.inside and (self.leader or not self.part)


def _current(on: dt.date) -> Q:
    return Q(partners__left_on__isnull=True) | Q(partners__left_on__gt=on)


def consortium_of(actor: Actor, on: dt.date) -> QuerySet[Project]:
    """The projects in which the actor's organisation is a partner on the day."""
    if not actor.signed_in or actor.organisation_id is None:
        return Project.objects.none()
    parts = Partner.objects.filter(organisation_id=actor.organisation_id).filter(
        Q(left_on__isnull=True) | Q(left_on__gt=on)
    )
    return Project.objects.filter(pk__in=parts.values("project_id"))


def received_by(actor: Actor, on: dt.date) -> Q | None:
    """The files handed in that the actor reads by its role, beside those of its own consortium; None: no such file."""
    if not actor.signed_in or actor.organisation_id is None:
        return None
    received = Q(submitted_at__isnull=False)
    if actor.national and any(
        actor.can(p) for p in ("project.check", "project.follow", "selection.manage", "selection.instruct")
    ):
        return received
    wanted = Q(pk__in=[])
    if actor.side == "governance" and actor.can("project.follow"):
        wanted |= received & Q(labels__superseded_at__isnull=True, labels__cluster__in=carried_by(actor, on))
    if actor.side == "state" and actor.can("project.follow"):
        wanted |= received & Q(labels__superseded_at__isnull=True, labels__cluster__in=followed_by(actor, on))
    if actor.side == "authority" and actor.can("project.follow"):
        # A funder's table stands above and is reached through the relation; a region also reads what it may finance.
        wanted |= received & (
            Q(shares__funder_id=actor.organisation_id, shares__superseded_at__isnull=True)
            | Q(partners__organisation__region_code=_region(actor)) & ~Q(partners__organisation__region_code="")
        )
    for reader in _readers:
        more = reader(actor, on)
        if more is not None:
            wanted |= more
    return wanted


def _region(actor: Actor) -> str:
    from jalon.people.models import Organisation

    code = Organisation.objects.filter(pk=actor.organisation_id).values_list("region_code", flat=True).first()
    return code or "-"


def visible_to(actor: Actor, on: dt.date) -> QuerySet[Project]:
    """The projects of which the actor may know on the day: public ones, its own, those its role receives.

    A file from which the actor is recused is not there, unless its own organisation is a partner.
    """
    public = Q(state__in=states.PUBLIC)
    if not actor.signed_in or actor.organisation_id is None:
        return Project.objects.filter(public)
    own = Q(pk__in=consortium_of(actor, on).values("pk"))
    wanted = received_by(actor, on)
    recused = [case.partition(":")[2] for case in recused_cases(actor.user_id, "project")]
    if wanted is None or not recused:
        found = public | own if wanted is None else public | own | wanted
        if wanted is not None and not actor.national:
            return Project.objects.filter(pk__in=Project.objects.filter(found).values("pk"))
        return Project.objects.filter(found)
    others = (public | wanted) & ~Q(slug__in=recused)
    return Project.objects.filter(pk__in=Project.objects.filter(own | others).values("pk"))


def inside_of(actor: Actor, on: dt.date) -> QuerySet[Project]:
    """The files that the actor reads whole: its own, and those received by its role (declared first by an assessor)."""
    own = consortium_of(actor, on)
    wanted = received_by(actor, on)
    if wanted is None:
        return own
    recused = [case.partition(":")[2] for case in recused_cases(actor.user_id, "project")]
    others = Project.objects.filter(wanted).exclude(slug__in=recused)
    return Project.objects.filter(Q(pk__in=own.values("pk")) | Q(pk__in=others.values("pk")))


def standing(actor: Actor, project: Project, on: dt.date) -> Standing:
    """What ``actor`` is to ``project`` on the day ``on``; no query for a visitor."""
    if not actor.signed_in or actor.organisation_id is None:
        return Standing()
    part = (
        Partner.objects.filter(project=project, organisation_id=actor.organisation_id)
        .filter(Q(left_on__isnull=True) | Q(left_on__gt=on))
        .values("key", "role")
        .first()
    )
    stance = stances(actor.user_id, [project.case]).get(project.case)
    recused = stance == "interest"
    if part is not None:
        return Standing(part=part["key"], leader=part["role"] == "leader", recused=recused)
    if project.submitted_at is None:
        wanted = [reader(actor, on) for reader in _readers]
        asked = any(q is not None and Project.objects.filter(q, pk=project.pk).exists() for q in wanted)
        return Standing(other=asked, recused=recused)
    checker = actor.national and actor.can("project.check")
    follower = actor.national and actor.can("project.follow") or actor.national and actor.can("selection.manage")
    instructor = actor.national and actor.can("selection.instruct") and not checker
    if actor.national:
        return Standing(
            checker=checker,
            follower=follower,
            instructor=instructor,
            recused=recused,
            undeclared=instructor and stance != "none",
        )
    wanted = received_by(actor, on)
    reads = wanted is not None and Project.objects.filter(wanted, pk=project.pk).exists()
    return Standing(
        cluster=reads and actor.side == "governance",
        follower=reads and actor.side == "state",
        funder=reads and actor.side == "authority",
        other=reads and actor.side not in ("governance", "state", "authority"),
        recused=recused,
    )


def may_manage_calls(actor: Actor) -> None:
    """Calls are opened and their rules changed by national roles that hold ``call.manage``."""
    actor.require("call.manage")


def may_draft(actor: Actor) -> None:
    """Whoever may draft a project starts one for its own organisation, which leads it."""
    actor.require("project.draft")
    if actor.organisation_id is None:
        raise NotAllowed(T("Un projet se monte au nom d'un organisme.", "A project is drafted for an organisation."))


def may_lead(actor: Actor, project: Project, on: dt.date, permission: str = "project.draft") -> Standing:
    """Raise NotAllowed unless ``actor`` acts for the leader of ``project``."""
    actor.require(permission)
    place = standing(actor, project, on)
    if not place.leader:
        raise NotAllowed(
            T(
                "Seul le chef de file du projet peut le faire ; vous agissez pour « {o} ».",
                "Only the leader of the project may do this; you act for “{o}”.",
                o=actor.organisation_label or "–",
            )
        )
    return place


def may_write_part(actor: Actor, project: Project, key: str, on: dt.date) -> Standing:
    """Raise NotAllowed unless ``actor`` writes the part of partner ``key``: that partner, or the leader."""
    actor.require("project.draft")
    place = standing(actor, project, on)
    if not (place.leader or place.part == key):
        raise NotAllowed(
            T(
                "Un partenaire écrit sa propre partie ; le chef de file écrit toutes les parties.",
                "A partner writes its own part; the leader writes all parts.",
            )
        )
    return place


def may_check(actor: Actor, project: Project, on: dt.date) -> Standing:
    """Raise NotAllowed unless ``actor`` checks the admissibility of files, and is not recused from this one."""
    actor.require("project.check")
    place = standing(actor, project, on)
    if place.recused:
        raise NotAllowed(T("Vous êtes déporté de ce dossier.", "You are recused from this file."))
    if not place.checker:
        raise NotAllowed(T("Ce dossier n'est pas de votre ressort.", "This file is not yours to check."))
    return place


def may_follow(actor: Actor, project: Project, on: dt.date) -> Standing:
    """Raise NotAllowed unless ``actor`` follows the funded project: national roles and the State correspondent."""
    actor.require("project.follow")
    place = standing(actor, project, on)
    if place.recused or not (place.checker or place.follower):
        raise NotAllowed(
            T(
                "Le suivi d'un projet est fait par l'opérateur du fonds, le niveau national ou le correspondant de l'État.",
                "A project is followed by the fund's operator, the national level or the State correspondent.",
            )
        )
    return place
