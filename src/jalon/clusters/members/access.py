"""Who may change or import the members of a cluster. The list itself is public."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from jalon.clusters.models import Carrier, Cluster, Correspondent
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.people.access import Actor


def _in_force(on: dt.date) -> Q:
    return (Q(starts_on__isnull=True) | Q(starts_on__lte=on)) & (Q(ends_on__isnull=True) | Q(ends_on__gte=on))


def stands_for(actor: Actor, cluster: Cluster, on: dt.date) -> bool:
    """Whether ``actor`` answers for this cluster on that day: carries it, follows it for the State, or is national.

    At most one query.
    """
    if not actor.signed_in or actor.organisation_id is None:
        return False
    if actor.national:
        return True
    if actor.side == "governance":
        carries = Carrier.objects.filter(_in_force(on), cluster=cluster, organisation_id=actor.organisation_id)
        return carries.exists()
    if actor.side == "state":
        user = actor.principal_id or actor.user_id
        return Correspondent.objects.filter(_in_force(on), cluster=cluster, user_id=user).exists()
    return False


def _require(actor: Actor, cluster: Cluster, on: dt.date, permission: str) -> None:
    actor.require(permission)
    if not stands_for(actor, cluster, on):
        raise NotAllowed(
            T(
                "Les membres de « {c} » sont tenus par l'équipe de sa structure de gouvernance, son correspondant de "
                "l'État et le niveau national.",
                "The members of “{c}” are kept by the team of its governance structure, its State correspondent and "
                "the national level.",
                c=cluster.name,
            )
        )


def may_edit(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    """Raise NotAllowed unless ``actor`` may add, correct and close memberships of ``cluster``."""
    _require(actor, cluster, on, "members.edit")


def may_import(actor: Actor, cluster: Cluster, on: dt.date) -> None:
    """Raise NotAllowed unless ``actor`` may import lists of members of ``cluster``."""
    _require(actor, cluster, on, "members.import")


def rights(actor: Actor, cluster: Cluster, on: dt.date) -> dict[str, bool]:
    """What a page offers: ``edit``, ``import``, ``inside`` (may read who did what). At most one query."""
    wanted = {"edit": "members.edit", "import": "members.import", "inside": "journal.read"}
    if not any(actor.can(permission) for permission in wanted.values()):
        return dict.fromkeys(wanted, False)
    here = stands_for(actor, cluster, on)
    return {name: here and actor.can(permission) for name, permission in wanted.items()}
