"""Who may see a contract and act on it: parties on their own contracts, everybody on signed ones.

Deny first. A signed or closed contract is public; anything else is known to its parties, to the State service that
follows the cluster, to its carrier and to the national officers who may read drafts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from jalon.clusters.models import Carrier, Correspondent
from jalon.contracts import states
from jalon.contracts.models import Contract, Party
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.people.access import Actor


def _within(day: dt.date, prefix: str = "") -> Q:
    starts = Q(**{f"{prefix}starts_on__isnull": True}) | Q(**{f"{prefix}starts_on__lte": day})
    ends = Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gte": day})
    return starts & ends


def _theirs(actor: Actor, day: dt.date) -> Q | None:
    """Contracts whose drafts the actor may read; None when there is no such thing for this actor."""
    if not actor.signed_in or not actor.can("draft.read"):
        return None
    if actor.national:
        return Q()
    mine = Q(
        id__in=Party.objects.filter(organisation_id=actor.organisation_id, removed_by_text__isnull=True).values(
            "contract_id"
        )
    )
    if actor.side == "governance":
        carried = Carrier.objects.filter(_within(day), organisation_id=actor.organisation_id)
        mine |= Q(cluster_id__in=carried.values("cluster_id"))
    elif actor.side == "state":
        followed = Correspondent.objects.filter(_within(day), user_id=actor.principal_id or actor.user_id)
        mine |= Q(cluster_id__in=followed.values("cluster_id"))
    return mine


def known_by(day: dt.date) -> Q:
    """Contracts of which anybody could know on ``day``: not signed later and, where the day of signature of a real contract
    is not known, not begun later. It only bites on a day of the past (the demonstration travels)."""
    return (Q(signed_on__isnull=True) | Q(signed_on__lte=day)) & (
        Q(signed_on__isnull=False) | Q(starts_on__isnull=True) | Q(starts_on__lte=day) | Q(known={})
    )


def visible_to(actor: Actor, on: dt.date, queryset: QuerySet[Contract] | None = None) -> QuerySet[Contract]:
    """The contracts that the actor may know of: signed ones, and those of which they read the drafts.

    On an earlier day, contracts signed since are not there yet, at their own address either.
    """
    rows = (Contract.objects.all() if queryset is None else queryset).filter(known_by(on))
    public = Q(state__in=states.PUBLIC)
    theirs = _theirs(actor, on)
    if theirs is None:
        return rows.filter(public)
    return rows.filter(public | theirs) if theirs else rows  # an empty condition: the national officers, all of them


def drafts_of(actor: Actor, on: dt.date, queryset: QuerySet[Contract] | None = None) -> QuerySet[Contract]:
    """The contracts whose drafts, proposals and comments the actor may read."""
    rows = Contract.objects.all() if queryset is None else queryset
    theirs = _theirs(actor, on)
    return rows.none() if theirs is None else rows.filter(theirs)


def may_read_drafts(actor: Actor, contract: Contract, on: dt.date) -> bool:
    """Whether the actor reads what of this contract is not public."""
    theirs = _theirs(actor, on)
    if theirs is None:
        return False
    return actor.national or Contract.objects.filter(theirs, pk=contract.pk).exists()


def party_of(actor: Actor, contract: Contract, on: dt.date, parties: Iterable[Party] | None = None) -> Party | None:
    """The party of the contract for which the actor acts; None when they act for none.

    The organisation acted for is a party; else the carrier's people act for the governance structure, and the State
    correspondent of the cluster and the national officers for the State.
    """
    if not actor.signed_in or actor.side not in ("state", "authority", "governance"):
        return None
    rows = [p for p in (contract.parties.all() if parties is None else parties) if p.removed_by_text is None]
    for party in rows:
        if party.organisation_id == actor.organisation_id and party.kind == actor.side:
            return party
    own = next((p for p in rows if p.kind == actor.side), None)
    if own is None or actor.side == "authority":
        return None
    if actor.side == "governance":
        carries = Carrier.objects.filter(
            _within(on), cluster_id=contract.cluster_id, organisation_id=actor.organisation_id
        )
        return own if carries.exists() else None
    if actor.national:
        return own
    follows = Correspondent.objects.filter(
        _within(on), cluster_id=contract.cluster_id, user_id=actor.principal_id or actor.user_id
    )
    return own if follows.exists() else None


def act_for(actor: Actor, contract: Contract, permission: str, on: dt.date) -> Party:
    """The party for which the actor does an act that needs ``permission``.

    Raises:
        NotAllowed: the role does not hold the permission, or the actor is on no side of this contract.
    """
    actor.require(permission)
    party = party_of(actor, contract, on)
    if party is None:
        raise NotAllowed(
            T(
                "« {org} » n'est pas partie à ce contrat : seules ses parties y agissent.",
                "“{org}” is not a party of this contract: only its parties act on it.",
                org=actor.organisation_label or T("visiteur", "visitor"),
            )
        )
    return party


def may_prepare(actor: Actor, cluster_id: int, on: dt.date) -> None:
    """Raise NotAllowed unless the actor prepares contracts of this cluster for the State."""
    actor.require("contract.prepare")
    if (
        actor.national
        or Correspondent.objects.filter(
            _within(on), cluster_id=cluster_id, user_id=actor.principal_id or actor.user_id
        ).exists()
    ):
        return
    raise NotAllowed(
        T(
            "Vous ne suivez pas ce pôle : son contrat est préparé par son correspondant de l'État ou au niveau national.",
            "You do not follow this cluster: its contract is prepared by its State correspondent or nationally.",
        )
    )
