"""Who may see and keep the register. The register is public; what is kept by hand belongs to the few who answer for it.

The national officers keep labels, carriers and correspondents; the team of a pôle and its State correspondent keep its
team, its governance and its documents. A team acts for the organisation that carries the pôle on the day.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from jalon.clusters.models import Carrier, Cluster, ClusterDocument, Correspondent
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.people.access import Actor


def in_force(on: dt.date | None, prefix: str = "") -> Q:
    """Rows whose period holds the day ``on`` (inclusive ends, empty bounds open); without a day, those not ended."""
    if on is None:
        return Q(**{f"{prefix}ends_on__isnull": True})
    starts = Q(**{f"{prefix}starts_on__isnull": True}) | Q(**{f"{prefix}starts_on__lte": on})
    ends = Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gte": on})
    return starts & ends


def visible_to(actor: Actor, queryset: QuerySet[Cluster] | None = None) -> QuerySet[Cluster]:
    """The clusters that ``actor`` may know of: all, because the register is public."""
    return Cluster.objects.all() if queryset is None else queryset


def carried_by(actor: Actor, on: dt.date | None = None) -> QuerySet[Cluster]:
    """The clusters carried on a day by the organisation that a pôle's team acts for; none for other sides."""
    if actor.side != "governance" or actor.organisation_id is None:
        return Cluster.objects.none()
    carried = Carrier.objects.filter(in_force(on), organisation_id=actor.organisation_id)
    return Cluster.objects.filter(id__in=carried.values("cluster_id"))


def followed_by(actor: Actor, on: dt.date | None = None) -> QuerySet[Cluster]:
    """The clusters that the actor, or the person whose mandate was delegated, follows for the State on a day."""
    if actor.side != "state" or not actor.signed_in:
        return Cluster.objects.none()
    follows = Correspondent.objects.filter(in_force(on), user_id=actor.principal_id or actor.user_id)
    return Cluster.objects.filter(id__in=follows.values("cluster_id"))


def clusters_of(actor: Actor, on: dt.date | None = None) -> QuerySet[Cluster]:
    """The clusters that are the actor's own business on a day.

    National roles: all. A pôle's team: those its organisation carries. A correspondent or prefect: those followed. An
    authority: those of which a contract names it as a party. Others: none.
    """
    if actor.signed_in and actor.national:
        return Cluster.objects.all()
    if actor.side == "governance":
        return carried_by(actor, on)
    if actor.side == "state":
        return followed_by(actor, on)
    if actor.side == "authority" and actor.organisation_id is not None:
        # Contracts stand above the register and are not imported: their tables are reached by the relation.
        party = Cluster.objects.filter(
            ~Q(contracts__state="abandoned"),
            contracts__parties__organisation_id=actor.organisation_id,
            contracts__parties__removed_by_text__isnull=True,
        )
        return Cluster.objects.filter(id__in=party.values("id"))
    return Cluster.objects.none()


def cluster_of_actor(actor: Actor, on: dt.date | None = None) -> Cluster | None:
    """The pôle whose team the actor belongs to (the first by name when the organisation carries several), or None."""
    return carried_by(actor, on).order_by("name_key", "id").first()


def of_cluster(actor: Actor, cluster: Cluster, on: dt.date | None = None) -> bool:
    """Whether ``cluster`` is the actor's own business on a day (see :func:`clusters_of`)."""
    return clusters_of(actor, on).filter(pk=cluster.pk).exists()


def may_edit_register(actor: Actor) -> None:
    """Raise NotAllowed unless the actor keeps the register: labels, acts, carriers, correspondents."""
    actor.require("register.edit")


def may_edit_cluster(actor: Actor, cluster: Cluster, on: dt.date | None = None) -> None:
    """Raise NotAllowed unless the actor may keep this cluster's sheet: team, governance, documents, website, themes.

    The register's keepers may for every cluster; its own team and its State correspondent for theirs.
    """
    if actor.can("register.edit") and actor.national:
        return
    actor.require("members.edit")
    if not of_cluster(actor, cluster, on):
        raise NotAllowed(
            T(
                "La fiche de « {c} » est tenue par son équipe, son correspondant de l'État et le niveau national.",
                "The sheet of “{c}” is kept by its team, its State correspondent and the national level.",
                c=cluster.name,
            )
        )


def can_edit_cluster(actor: Actor, cluster: Cluster, on: dt.date | None = None) -> bool:
    """The same question, answered by yes or no: whether to show the buttons."""
    try:
        may_edit_cluster(actor, cluster, on)
    except NotAllowed:
        return False
    return True


def documents_visible_to(actor: Actor, cluster: Cluster, on: dt.date | None = None) -> QuerySet[ClusterDocument]:
    """Statutes, labelling rules and letters are read by those whose business the cluster is; a visitor reads none."""
    rows = ClusterDocument.objects.filter(cluster=cluster)
    if actor.signed_in and actor.can("draft.read") and of_cluster(actor, cluster, on):
        return rows
    return rows.none()
