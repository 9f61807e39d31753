"""Who may see and do what in the life of a signed contract."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from jalon.clusters.models import Carrier, Correspondent
from jalon.contracts.models import Contract, Party
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.indicators.queries import OWN, PARTY, PUBLIC
from jalon.people.access import Actor

FOLLOWED = ("signed", "closed")


def _running(day: dt.date, prefix: str = "") -> Q:
    return (Q(**{f"{prefix}starts_on__isnull": True}) | Q(**{f"{prefix}starts_on__lte": day})) & (
        Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gte": day})
    )


def _mine(actor: Actor, day: dt.date) -> Q:
    """The contracts that concern an actor: as carrier of the pôle, correspondent, or party."""
    if not actor.signed_in or actor.organisation_id is None:
        return Q(pk__in=())
    party = Exists(
        Party.objects.filter(
            contract=OuterRef("pk"), organisation_id=actor.organisation_id, removed_by_text__isnull=True
        )
    )
    if actor.side == "governance":
        carrier = Carrier.objects.filter(
            _running(day), cluster=OuterRef("cluster"), organisation_id=actor.organisation_id
        )
        return Q(Exists(carrier)) | Q(party)
    if actor.side == "state":
        follows = Correspondent.objects.filter(
            _running(day), cluster=OuterRef("cluster"), user_id=actor.principal_id or actor.user_id
        )
        return Q(Exists(follows)) | Q(party)
    if actor.side == "authority":
        return Q(party)
    return Q(pk__in=())


def followed(actor: Actor, day: dt.date) -> QuerySet[Contract]:
    """Signed contracts of the programme that run or ran: public, so everybody's. ``actor`` only names the caller."""
    return Contract.objects.filter(state__in=FOLLOWED, starts_on__isnull=False, ends_on__isnull=False)


def portfolio_of(actor: Actor, day: dt.date) -> QuerySet[Contract]:
    """The signed contracts of which an actor takes care (all of them for a national role).

    Raises:
        NotAllowed: the role has no portfolio.
    """
    actor.require("portfolio.read")
    found = followed(actor, day)
    return found if actor.national else found.filter(_mine(actor, day))


@dataclass(frozen=True)
class Standing:
    """What an actor is for one contract. ``sight``: public, party or own (drafts of the pôle's values included)."""

    sight: str = PUBLIC
    pole: bool = False  # acts for the governance structure
    state: bool = False  # follows the contract for the State
    party: int | None = None  # the party (authority or State) for which the actor acts

    @property
    def inside(self) -> bool:
        return self.sight != PUBLIC


OUTSIDE = Standing()


def standing(actor: Actor, contract: Contract, day: dt.date) -> Standing:
    """What an actor is for a contract, on a day: one or two queries, none for a visitor."""
    if not actor.signed_in or not actor.can("draft.read"):
        return OUTSIDE
    if actor.national:
        return Standing(PARTY, state=True)
    if actor.organisation_id is None:
        return OUTSIDE
    party = (
        Party.objects.filter(contract=contract, organisation_id=actor.organisation_id, removed_by_text__isnull=True)
        .values_list("id", flat=True)
        .first()
    )
    if actor.side == "governance":
        carries = (
            party is not None
            or Carrier.objects.filter(
                _running(day), cluster_id=contract.cluster_id, organisation_id=actor.organisation_id
            ).exists()
        )
        return Standing(OWN, pole=True, party=party) if carries else OUTSIDE
    if actor.side == "state":
        follows = Correspondent.objects.filter(
            _running(day), cluster_id=contract.cluster_id, user_id=actor.principal_id or actor.user_id
        ).exists()
        return Standing(PARTY, state=True, party=party) if follows or party is not None else OUTSIDE
    return Standing(PARTY, party=party) if party is not None else OUTSIDE


def _refuse(fr: str, en: str, **values: Any) -> NotAllowed:
    return NotAllowed(T(fr, en, **values))


def may_declare(actor: Actor, contract: Contract, day: dt.date, permission: str = "observation.declare") -> Standing:
    """The pôle's team: declares values, moves actions, states where objectives stand."""
    actor.require(permission)
    found = standing(actor, contract, day)
    if not found.pole:
        raise _refuse(
            "Seule la structure de gouvernance du pôle peut remplir le suivi de « {title} ».",
            "Only the governance structure of the cluster may fill in the follow-up of “{title}”.",
            title=contract.title,
        )
    return found


def may_review(actor: Actor, contract: Contract, day: dt.date) -> Standing:
    """The State correspondent of the pôle, or a national officer: returns and validates."""
    actor.require("observation.validate")
    found = standing(actor, contract, day)
    if not found.state:
        raise _refuse(
            "Seul le correspondant de l'État de ce pôle peut vérifier le suivi de « {title} ».",
            "Only the State correspondent of this cluster may check the follow-up of “{title}”.",
            title=contract.title,
        )
    return found


def may_declare_paid(actor: Actor, contract: Contract, party: Party, day: dt.date) -> Standing:
    """The public party itself says what it decided and paid; nobody says it for another."""
    actor.require("commitment.declare_paid")
    found = standing(actor, contract, day)
    own = party.organisation_id == actor.organisation_id
    for_state = party.kind == "state" and actor.side == "state" and found.state
    if not (own or for_state):
        raise _refuse(
            "Cet engagement est celui de « {party} » : elle seule peut déclarer ce qu'elle a décidé ou versé.",
            "This commitment is that of “{party}”: it alone may declare what it decided or paid.",
            party=party.organisation.name,
        )
    return found
