"""Who may see and do what with a request for a label. Deny first; whoever is recused sees nothing of it.

The unit and the bureau act for the organisation that carries the pôle; experts and members of the committee are named;
the leader acts for the project's leading organisation. All those who assess declare their interests before the file
opens: until then they read title, partners and deadlines. Whoever acts for an organisation of the consortium never
assesses it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from jalon.clusters.access import carried_by, in_force
from jalon.clusters.models import Cluster
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.core.why import Why
from jalon.interests.access import exclude_recused, require_declared, require_not_recused, stances
from jalon.interests.models import Declaration
from jalon.labelling.models import LabelRequest, Member, Opinion
from jalon.people.access import Actor
from jalon.projects.models import Partner, Project


@dataclass(frozen=True)
class Standing:
    """What an actor is for a request.

    ``unit`` runs the procedure, ``decider`` records the bureau's decision, ``member`` votes, ``opinion`` is the one asked
    of them; ``leader`` and ``partner`` belong to the consortium; ``follower`` follows projects for the State. ``stance``
    is their declaration: none, interest, or empty.
    """

    unit: bool = False
    decider: bool = False
    member: bool = False
    opinion: Opinion | None = None
    leader: bool = False
    partner: bool = False
    follower: bool = False
    stance: str = ""

    @property
    def assesses(self) -> bool:
        return self.unit or self.decider or self.member or self.opinion is not None

    @property
    def opened(self) -> bool:
        """Whether the file is open to them as one of those who assess."""
        return self.assesses and self.stance == "none"

    @property
    def reader(self) -> str:
        """Under which name the procedure's anonymity knows them; a seat on the committee weighs more than the team."""
        if self.opinion is not None:
            return "expert"
        if self.member:
            return "committee"
        if self.unit:
            return "unit"
        if self.decider:
            return "committee"
        return "applicant" if self.leader or self.partner else "other"

    @property
    def any(self) -> bool:
        return self.stance != "interest" and (self.assesses or self.leader or self.partner or self.follower)


NOBODY = Standing()


def standing(actor: Actor, request: LabelRequest, day: dt.date) -> Standing:
    """What ``actor`` is for a request on a day: five queries at most, none for a visitor."""
    if not actor.signed_in or actor.mandate_id is None:
        return NOBODY
    stance = stances(actor.user_id, [request.project.case]).get(request.project.case, "")
    if stance == "interest":
        return Standing(stance=stance)
    consortium = dict(
        Partner.objects.filter(project_id=request.project_id, left_on__isnull=True).values_list(
            "organisation_id", "role"
        )
    )
    role = consortium.get(actor.organisation_id, "")
    partner = bool(role) and actor.side == "beneficiary"
    leader = role == "leader" and actor.can("project.submit")
    if role:
        return Standing(leader=leader, partner=partner, stance=stance)
    own = (actor.can("labelling.manage") or actor.can("labelling.decide")) and carried_by(actor, day).filter(
        pk=request.cluster_id
    ).exists()
    member = actor.can("labelling.vote") and (
        Member.objects.filter(
            in_force(day), cluster_id=request.cluster_id, user_id=actor.user_id, body="committee"
        ).exists()
    )
    opinion = None
    if actor.can("labelling.opinion"):
        opinion = Opinion.objects.filter(request=request, user_id=actor.user_id, state__in=["asked", "given"]).first()
    return Standing(
        unit=own and actor.can("labelling.manage"),
        decider=own and actor.can("labelling.decide"),
        member=member,
        opinion=opinion,
        follower=actor.national and actor.can("project.follow"),
        stance=stance,
    )


def visible_to(actor: Actor, day: dt.date) -> QuerySet[LabelRequest]:
    """The requests that an actor may know of: one or two queries, the recused left out."""
    if not actor.signed_in or actor.mandate_id is None:
        return LabelRequest.objects.none()
    seen = Q(pk__in=())
    if actor.national and actor.can("project.follow"):
        seen = Q()
    if actor.can("labelling.manage") or actor.can("labelling.decide"):
        seen |= Q(cluster_id__in=carried_by(actor, day).values("id"))
    if actor.can("labelling.vote"):
        seats = Member.objects.filter(in_force(day), user_id=actor.user_id, body="committee")
        seen |= Q(cluster_id__in=seats.values("cluster_id"), state__in=("vote", "voted"))
    if actor.can("labelling.opinion"):
        asked = Opinion.objects.filter(user_id=actor.user_id, state__in=["asked", "given"])
        seen |= Q(pk__in=asked.values("request_id"))
    if actor.side == "beneficiary" and actor.organisation_id is not None:
        own = Partner.objects.filter(organisation_id=actor.organisation_id, left_on__isnull=True)
        seen |= Q(project_id__in=own.values("project_id"))
    return exclude_recused(actor, LabelRequest.objects.filter(seen), "project:project__slug")


def readable_projects(actor: Actor, day: dt.date) -> Q | None:
    """The project files open to an actor who assesses them for a pôle, as a condition on Project; None: none.

    Only those on which they declared to have no interest; before, they read title and partners in the request alone.
    """
    if not actor.signed_in or actor.mandate_id is None or actor.side not in ("governance", "expert"):
        return None
    seen = Q(pk__in=())
    if actor.can("labelling.manage") or actor.can("labelling.decide"):
        seen |= Q(cluster_id__in=carried_by(actor, day).values("id"))
    if actor.can("labelling.vote"):
        seats = Member.objects.filter(in_force(day), user_id=actor.user_id, body="committee")
        seen |= Q(cluster_id__in=seats.values("cluster_id"), state__in=("vote", "voted"))
    if actor.can("labelling.opinion"):
        asked = Opinion.objects.filter(user_id=actor.user_id, state__in=["asked", "given"])
        seen |= Q(pk__in=asked.values("request_id"))
    declared = Declaration.objects.filter(
        user_id=actor.user_id, stance="none", superseded_at__isnull=True, case__startswith="project:"
    )
    slugs = [case.partition(":")[2] for case in declared.values_list("case", flat=True)]
    if not slugs:
        return None
    rows = LabelRequest.objects.filter(seen, project__slug__in=slugs).exclude(state="withdrawn")
    return Q(pk__in=rows.values("project_id"))


def _refuse(fr: str, en: str, **values: object) -> NotAllowed:
    return NotAllowed(T(fr, en, **values))


def _not_of_consortium(actor: Actor, request: LabelRequest) -> None:
    if Partner.objects.filter(
        project_id=request.project_id, organisation_id=actor.organisation_id, left_on__isnull=True
    ).exists():
        raise NotAllowed(
            T(
                "Votre organisme, {o}, est partenaire du projet : vous ne l'évaluez pas.",
                "Your organisation, {o}, is a partner of the project: you do not assess it.",
                o=actor.organisation_label or "–",
            ),
            why=Why(
                rule=T(
                    "Qui agit pour un partenaire du projet y a un lien d'intérêts (lecture de Jalon).",
                    "Whoever acts for a partner of the project has an interest in it (Jalon's reading).",
                ),
                reading=True,
            ),
        )


def may_run(actor: Actor, request: LabelRequest, day: dt.date, *, opened: bool = True) -> None:
    """The pôle's operational unit; ``opened``: for what needs the file, hence a declaration."""
    actor.require("labelling.manage")
    _of_carrier(actor, request.cluster, day)
    _not_of_consortium(actor, request)
    _stance(actor, request, opened)


def may_decide(actor: Actor, request: LabelRequest, day: dt.date) -> None:
    """The pôle's bureau, whose decision its president or director records."""
    actor.require("labelling.decide")
    _of_carrier(actor, request.cluster, day)
    _not_of_consortium(actor, request)
    _stance(actor, request, True)


def may_vote(actor: Actor, request: LabelRequest, day: dt.date) -> None:
    """A member of the pôle's committee, who declared to have no interest."""
    actor.require("labelling.vote")
    _not_of_consortium(actor, request)
    _stance(actor, request, True)
    if not Member.objects.filter(
        in_force(day), cluster_id=request.cluster_id, user_id=actor.user_id, body="committee"
    ).exists():
        raise _refuse(
            "Vous ne siégez pas au comité de labellisation de « {c} » ce jour-là.",
            "You do not sit on the labelling committee of “{c}” on that day.",
            c=request.cluster.name,
        )


def may_opine(actor: Actor, opinion: Opinion, *, opened: bool = True) -> None:
    """The expert of whom the opinion was asked."""
    actor.require("labelling.opinion")
    if opinion.user_id != actor.user_id:
        raise _refuse("Cet avis est demandé à quelqu'un d'autre.", "This opinion is asked of somebody else.")
    _not_of_consortium(actor, opinion.request)
    _stance(actor, opinion.request, opened)


def may_ask(actor: Actor, project: Project) -> None:
    """The project's leader asks for labels, completes, presents again, withdraws."""
    actor.require("project.submit")
    leads = Partner.objects.filter(
        project=project, organisation_id=actor.organisation_id, role="leader", left_on__isnull=True
    )
    if not leads.exists():
        raise _refuse(
            "Seul le chef de file de « {p} » demande un label.",
            "Only the leader of “{p}” asks for a label.",
            p=project.acronym,
        )


def may_set(actor: Actor, cluster: Cluster, day: dt.date) -> None:
    """The pôle's director names the members of committee and bureau and chooses the delays."""
    actor.require("labelling.decide")
    _of_carrier(actor, cluster, day)


def may_see_board(actor: Actor, cluster: Cluster, day: dt.date) -> None:
    """The board of a pôle is its own team's."""
    actor.require("labelling.manage")
    _of_carrier(actor, cluster, day)


def _of_carrier(actor: Actor, cluster: Cluster, day: dt.date) -> None:
    if not carried_by(actor, day).filter(pk=cluster.pk).exists():
        raise _refuse(
            "« {o} » ne porte pas « {c} » : seule son équipe conduit sa labellisation.",
            "“{o}” does not carry “{c}”: only its own team runs its labelling.",
            o=actor.organisation_label or "–",
            c=cluster.name,
        )


def _stance(actor: Actor, request: LabelRequest, opened: bool) -> None:
    if opened:
        require_declared(actor, request.project.case)
    else:
        require_not_recused(actor, request.project.case)
