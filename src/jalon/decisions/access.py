"""Who may know of a decision before it is published, and who does what with it. Deny first.

A published decision is everybody's. Before, it is known to those who propose, give opinions, decide and notify nationally;
to the State and the authorities that are asked about a cluster of theirs; to the cluster itself once its own line has been
notified. An application is known to who makes it, to those who review it and to who runs the call; everybody reads what
became of it once the call is decided.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from jalon.clusters.access import carried_by, clusters_of, followed_by
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.decisions import rules
from jalon.decisions.models import Candidacy, CandidacyCall, Decision, Line
from jalon.interests.access import recused_cases
from jalon.people.access import Actor, policy

NATIONAL = ("decision.propose", "decision.decide", "decision.notify", "decision.opine")


def inside(actor: Actor) -> bool:
    """Works on decisions for the whole programme: proposes, gives opinions, decides or notifies nationally."""
    return actor.signed_in and (
        (actor.national and any(actor.can(p) for p in NATIONAL))
        or (actor.side == "expert" and actor.can("decision.opine"))
    )


def published(on: dt.date) -> Q:
    """Decisions that everybody reads on a day."""
    return Q(state="decided", published_on__isnull=False, published_on__lte=on)


def visible_to(actor: Actor, on: dt.date, queryset: QuerySet[Decision] | None = None) -> QuerySet[Decision]:
    """The decision files that the actor may know of on a day."""
    rows = Decision.objects.all() if queryset is None else queryset
    wanted = published(on)
    if inside(actor):
        seen = ~Q(state="draft") if not actor.can("decision.propose") else Q()
        away = [case.partition(":")[2] for case in recused_cases(actor.user_id, "decision")]
        return rows.filter((seen if seen else Q(pk__isnull=False)) | wanted).exclude(slug__in=away)
    if actor.signed_in:
        if actor.can("decision.opine"):
            mine = Line.objects.filter(cluster__in=clusters_of(actor, on))
            wanted |= Q(id__in=mine.values("decision_id")) & ~Q(state="draft")
        if actor.side == "governance":
            told = Line.objects.filter(cluster__in=carried_by(actor, on), notices__isnull=False)
            wanted |= Q(id__in=told.values("decision_id"), state="decided")
    return rows.filter(wanted)


def lines_of(actor: Actor, decision: Decision, on: dt.date) -> QuerySet[Line]:
    """The lines of a visible decision that the actor may read: all once it is published, else those of their own clusters."""
    rows = decision.lines.all()
    if inside(actor) or (
        decision.state == "decided" and decision.published_on is not None and decision.published_on <= on
    ):
        return rows
    return rows.filter(cluster__in=clusters_of(actor, on))


def reads_work(actor: Actor) -> bool:
    """Reads what led to a decision: opinions, evidence, effects in advance. Those who work on it nationally do."""
    return inside(actor)


def reads_line_work(actor: Actor, line: Line, on: dt.date) -> bool:
    """The cluster reads the opinions about itself once it has been notified; State and authorities of the cluster do too."""
    if inside(actor):
        return True
    if not actor.signed_in or line.cluster_id is None:
        return False
    if actor.side == "governance":
        return line.notices.exists() and carried_by(actor, on).filter(pk=line.cluster_id).exists()
    return actor.can("decision.opine") and clusters_of(actor, on).filter(pk=line.cluster_id).exists()


def own_cluster(actor: Actor, line: Line, on: dt.date) -> bool:
    """Acts for the cluster that the line is about."""
    return line.cluster_id is not None and carried_by(actor, on).filter(pk=line.cluster_id).exists()


def may_opine(actor: Actor, body: str) -> None:
    """Raise NotAllowed unless the actor's role records the opinions of that body."""
    part = rules.part_of(policy())
    found = next((b for b in part.bodies if b.code == body), None) if part else None
    if found is None:
        raise NotAllowed(
            T("La politique ne connaît pas l'instance « {b} ».", "The policy does not know the body “{b}”.", b=body)
        )
    if not actor.can("decision.propose"):
        actor.require("decision.opine")
    if actor.role not in found.roles:
        raise NotAllowed(
            T(
                "L'avis de « {b} » est enregistré par : {roles}.",
                "The opinion of “{b}” is recorded by: {roles}.",
                b=found.title,
                roles=", ".join(str(r.title) for r in policy().roles if r.code in found.roles),
            )
        )


def may_appeal(actor: Actor, line: Line, on: dt.date) -> None:
    """An appeal is lodged by the cluster, or recorded for it by whoever notifies."""
    if actor.can("decision.notify") or (actor.side == "governance" and own_cluster(actor, line, on)):
        return
    raise NotAllowed(
        T(
            "Le recours est celui du pôle concerné ; il est aussi enregistré par qui notifie.",
            "The appeal is that of the cluster concerned; whoever notifies records it too.",
        )
    )


# --- applications --------------------------------------------------------------------------------------------------


def calls_visible_to(actor: Actor, queryset: QuerySet[CandidacyCall] | None = None) -> QuerySet[CandidacyCall]:
    """Calls are public, but for those that are being prepared."""
    rows = CandidacyCall.objects.all() if queryset is None else queryset
    return rows if actor.can("candidacy.manage") else rows.exclude(state="preparing")


def _territory(actor: Actor, on: dt.date) -> Q:
    """Applications of the regions that a territorial reviewer follows (through clusters) or whose organisation is there."""
    from jalon.clusters.models import ClusterTerritory
    from jalon.people.models import Organisation

    codes = set(
        ClusterTerritory.objects.filter(cluster__in=followed_by(actor, on)).values_list("region_code", flat=True)
    )
    own = Organisation.objects.filter(pk=actor.organisation_id).values_list("region_code", flat=True).first()
    if own:
        codes.add(own)
    there = [pk for pk, regions in Candidacy.objects.values_list("pk", "regions") if codes & set(regions)]
    return Q(pk__in=there)


def applications(actor: Actor, on: dt.date, queryset: QuerySet[Candidacy] | None = None) -> QuerySet[Candidacy]:
    """The applications whose file the actor may open on a day."""
    rows = Candidacy.objects.all() if queryset is None else queryset
    if not actor.signed_in:
        return rows.none()
    own = (
        Q(organisation_id=actor.organisation_id)
        if actor.can("candidacy.submit") and actor.organisation_id
        else Q(pk__in=[])
    )
    if actor.can("candidacy.manage") or actor.can("decision.decide"):
        return rows.filter(~Q(state="draft") | own)
    if actor.can("candidacy.review"):
        away = [case.partition(":")[2] for case in recused_cases(actor.user_id, "candidacy")]
        sent = ~Q(state="draft")
        if not (actor.national or actor.side == "expert"):
            sent &= _territory(actor, on)
        return rows.filter(sent | own).exclude(slug__in=away)
    return rows.filter(own)


def reads_reviews(actor: Actor, candidacy: Candidacy) -> bool:
    """Who runs the call and who decides read every review; a reviewer reads the others' after the call is decided."""
    return actor.can("candidacy.manage") or actor.can("decision.decide") or candidacy.call.state == "decided"


def may_edit(actor: Actor, candidacy: Candidacy) -> None:
    """Raise NotAllowed unless the application is the actor's own."""
    actor.require("candidacy.submit")
    if candidacy.organisation_id != actor.organisation_id:
        raise NotAllowed(T("Cette candidature est celle d'un autre organisme.", "This application is another body's."))


def level_of(actor: Actor, on: dt.date) -> object:
    """The level at which the actor reviews applications on a day; None when at none."""
    return next((one for one in rules.levels_on(policy(), on) if actor.role in one.roles), None)
