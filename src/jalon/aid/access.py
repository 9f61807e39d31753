"""Who may read and write about State aid. Deny first.

State services that hold ``aid.read`` read the whole ledger. An authority reads what it granted itself and, since it must
know what is left before it grants, the *de minimis* aid of any organisation. An organisation reads its own lines and those
of its single undertaking's total, and declares what others granted to it. What is said of rates and thresholds is public.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from jalon.aid.models import Award
from jalon.clusters.models import Carrier, Cluster, Correspondent
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.interests.access import recused_cases
from jalon.people.access import Actor
from jalon.people.models import Organisation

SMALL = ("de_minimis", "sgei")


def reads_all(actor: Actor) -> bool:
    """Whether the actor reads the whole ledger."""
    return actor.can("aid.read") and actor.side == "state"


def is_own(actor: Actor, organisation_id: int | None) -> bool:
    """Whether the actor acts for the organisation itself, under a role that is not the public's."""
    return (
        organisation_id is not None
        and actor.mandate_id is not None
        and actor.side != "public"
        and actor.organisation_id == organisation_id
    )


def may_open_ledger(actor: Actor) -> None:
    """Raise NotAllowed unless the actor reads a ledger: the whole, or what its own authority granted."""
    actor.require("aid.read")


def visible_to(actor: Actor) -> QuerySet[Award]:
    """The awards that ``actor`` may read; those of projects from which the actor is recused are left out."""
    if reads_all(actor):
        return _without_recused(actor, Award.objects.all())
    if actor.mandate_id is None or actor.organisation_id is None or actor.side == "public":
        return Award.objects.none()
    mine = Q(beneficiary_id=actor.organisation_id)
    if actor.can("aid.read"):
        mine |= Q(authority_id=actor.organisation_id)
    return _without_recused(actor, Award.objects.filter(mine))


def _without_recused(actor: Actor, found: QuerySet[Award]) -> QuerySet[Award]:
    recused = recused_cases(actor.user_id, "project")
    return found.exclude(case__in=recused) if recused else found


def awards_of(actor: Actor, organisation: Organisation) -> QuerySet[Award]:
    """The awards to an organisation that ``actor`` may read on its sheet."""
    found = _without_recused(actor, Award.objects.filter(beneficiary=organisation))
    if reads_all(actor) or is_own(actor, organisation.pk):
        return found
    if actor.can("aid.read"):
        return found.filter(Q(authority_id=actor.organisation_id) | Q(base__in=SMALL))
    return found.none()


def may_open_organisation(actor: Actor, organisation: Organisation) -> None:
    """Raise NotAllowed unless the actor may open the organisation's sheet of aid."""
    if not is_own(actor, organisation.pk):
        actor.require("aid.read")


def may_record(actor: Actor, authority_id: int | None) -> None:
    """Raise NotAllowed unless the actor records awards of that authority: its own, or any for the national level."""
    actor.require("aid.record")
    if not actor.national and authority_id != actor.organisation_id:
        raise NotAllowed(
            T(
                "Vous inscrivez les aides de « {o} » seulement.",
                "You record the aid of “{o}” only.",
                o=actor.organisation_label or "–",
            )
        )


def may_declare(actor: Actor, organisation: Organisation) -> None:
    """Raise NotAllowed unless the actor tells facts of the organisation: it itself, or who keeps the ledger."""
    if not is_own(actor, organisation.pk):
        actor.require("aid.record")


def may_change(actor: Actor, award: Award) -> None:
    """Raise NotAllowed unless the actor may withdraw the award or note its publication."""
    if award.declared:
        if not is_own(actor, award.beneficiary_id) and not actor.national:
            raise NotAllowed(
                T("Cette aide a été déclarée par un autre organisme.", "Another organisation declared this aid.")
            )
        if not is_own(actor, award.beneficiary_id):
            actor.require("aid.record")
        return
    may_record(actor, award.authority_id)


def _in_force(on: dt.date) -> Q:
    return (Q(starts_on__isnull=True) | Q(starts_on__lte=on)) & (Q(ends_on__isnull=True) | Q(ends_on__gte=on))


def carries(actor: Actor, cluster: Cluster, on: dt.date) -> bool:
    """Whether the actor works for the organisation that carries the cluster."""
    return (
        actor.side == "governance"
        and actor.organisation_id is not None
        and Carrier.objects.filter(_in_force(on), cluster=cluster, organisation_id=actor.organisation_id).exists()
    )


def may_read_cluster(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    """Raise NotAllowed unless the actor reads the cluster's own aid: its team, or who reads aid and follows or funds it."""
    if carries(actor, cluster, on):
        return
    actor.require("aid.read")
    if actor.national or actor.side == "authority":
        return
    followed = Correspondent.objects.filter(_in_force(on), user_id=actor.principal_id or actor.user_id, cluster=cluster)
    if not followed.exists():
        raise NotAllowed(
            T(
                "Vous ne suivez pas « {c} » : ses aides propres ne vous sont pas ouvertes.",
                "You do not follow “{c}”: its own aid is not open to you.",
                c=cluster.name,
            )
        )


def may_write_cluster(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    """Raise NotAllowed unless the actor tells the cluster's costs and aid: its team, or the national keepers of the ledger."""
    if carries(actor, cluster, on) and actor.can("observation.declare"):
        return
    actor.require("aid.record")
    if not actor.national:
        raise NotAllowed(
            T(
                "Les coûts et aides propres d'un pôle sont tenus par son équipe et par le niveau national.",
                "A cluster's own costs and aid are kept by its team and by the national level.",
            )
        )
