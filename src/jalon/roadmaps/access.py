"""Who may read and do what with a cluster's roadmaps. Deny first; drafts are never public.

The team of a cluster acts for the organisation that carries it; the State correspondent follows it; an authority
reads for the organisation that is a party of one of its contracts; everybody reads what is validated.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from jalon.clusters.models import Carrier, Cluster, Correspondent
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.people.access import Actor
from jalon.roadmaps import states
from jalon.roadmaps.models import Roadmap

READ_BY_TEAM = tuple(state.code for state in states.STATES)
READ_BY_REVIEWER = ("submitted", "returned", "validated", "replaced")
READ_BY_PARTY = ("submitted", "validated", "replaced")
READ_BY_ALL = ("validated",)


@dataclass(frozen=True)
class Standing:
    """What an actor is to a cluster on a day: of its team, its reviewer for the State, a party of its contract."""

    team: bool = False
    reviewer: bool = False
    party: bool = False

    @property
    def states(self) -> tuple[str, ...]:
        """The states of roadmaps that this standing lets read."""
        if self.team:
            return READ_BY_TEAM
        if self.reviewer:
            return READ_BY_REVIEWER
        return READ_BY_PARTY if self.party else READ_BY_ALL


def _in_force(on: dt.date) -> Q:
    return (Q(starts_on__isnull=True) | Q(starts_on__lte=on)) & (Q(ends_on__isnull=True) | Q(ends_on__gte=on))


def _party_of_contract(actor: Actor) -> Q:
    """Clusters of which a contract names the actor's organisation as a party.

    Contracts stand above roadmaps and are not imported: the tables are reached through the cluster's relation.
    """
    return Q(
        contracts__parties__organisation_id=actor.organisation_id,
        contracts__parties__removed_by_text__isnull=True,
    ) & ~Q(contracts__state="abandoned")


def _followed(actor: Actor, on: dt.date) -> QuerySet[Correspondent]:
    """The clusters that the actor (or the person whose mandate was delegated) follows for the State."""
    return Correspondent.objects.filter(_in_force(on), user_id=actor.principal_id or actor.user_id)


def standing(actor: Actor, cluster: Cluster, on: dt.date) -> Standing:
    """What ``actor`` is to ``cluster`` on the day ``on``; at most two queries, none for a visitor."""
    if not actor.signed_in or actor.organisation_id is None:
        return Standing()
    reviews = actor.can("roadmap.review")
    if reviews and actor.national:
        return Standing(reviewer=True)
    if actor.side == "state" and _followed(actor, on).filter(cluster=cluster).exists():
        return Standing(reviewer=reviews, party=True)
    if actor.side == "governance":
        carries = Carrier.objects.filter(_in_force(on), cluster=cluster, organisation_id=actor.organisation_id)
        return Standing(team=carries.exists())
    if actor.side in ("state", "authority"):
        return Standing(party=Cluster.objects.filter(_party_of_contract(actor), pk=cluster.pk).exists())
    return Standing()


def visible_to(actor: Actor, on: dt.date) -> QuerySet[Roadmap]:
    """The roadmaps that ``actor`` may read on the day ``on``, of every cluster."""
    readable = Q(state__in=READ_BY_ALL)
    if actor.signed_in and actor.organisation_id is not None:
        reviews = actor.can("roadmap.review")
        if reviews and actor.national:
            return Roadmap.objects.filter(state__in=READ_BY_REVIEWER)
        if actor.side == "state":
            followed = _followed(actor, on).values("cluster_id")
            readable |= Q(cluster_id__in=followed, state__in=READ_BY_REVIEWER if reviews else READ_BY_PARTY)
        if actor.side == "governance":
            carried = Carrier.objects.filter(_in_force(on), organisation_id=actor.organisation_id)
            readable |= Q(cluster_id__in=carried.values("cluster_id"))
        elif actor.side in ("state", "authority"):
            parties = Cluster.objects.filter(_party_of_contract(actor)).values("id")
            readable |= Q(cluster_id__in=parties, state__in=READ_BY_PARTY)
    return Roadmap.objects.filter(readable)


def may_read(roadmap: Roadmap, place: Standing) -> bool:
    """Whether this standing lets read the roadmap in its present state."""
    return roadmap.state in place.states


def may_draft(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    """Raise NotAllowed unless ``actor`` writes for the organisation that carries ``cluster``."""
    actor.require("roadmap.draft")
    _require_team(actor, cluster, on)


def may_submit(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    """Raise NotAllowed unless ``actor`` may send the cluster's roadmap to the State."""
    actor.require("roadmap.submit")
    _require_team(actor, cluster, on)


def may_review(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    """Raise NotAllowed unless ``actor`` answers for the State about this cluster."""
    actor.require("roadmap.review")
    if not standing(actor, cluster, on).reviewer:
        raise NotAllowed(
            T(
                "Vous n'êtes pas correspondant de l'État pour « {c} » ce jour-là.",
                "You are not a State correspondent of “{c}” on that day.",
                c=cluster.name,
            )
        )


def _require_team(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    if not standing(actor, cluster, on).team:
        raise NotAllowed(
            T(
                "« {o} » ne porte pas « {c} » : seule son équipe écrit sa feuille de route.",
                "“{o}” does not carry “{c}”: only its own team writes its roadmap.",
                o=actor.organisation_label or "–",
                c=cluster.name,
            )
        )
