"""Who may change or import the members of a cluster. The list itself is public."""

from __future__ import annotations

import datetime as dt

from jalon.clusters.access import of_cluster
from jalon.clusters.models import Cluster
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.people.access import Actor


def _require(actor: Actor, cluster: Cluster, on: dt.date, permission: str) -> None:
    actor.require(permission)
    if not of_cluster(actor, cluster, on):
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
    here = of_cluster(actor, cluster, on)
    return {name: here and actor.can(permission) for name, permission in wanted.items()}
