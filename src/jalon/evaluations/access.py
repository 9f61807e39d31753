"""Who may read and do what with campaigns, evaluations, hearings and reviews. Deny first.

* Whoever ordered a campaign runs it: the national officers a national one, an authority its own.
* An evaluator reads and scores the clusters entrusted to its firm, after a statement of interests, and never another firm's
  notes before the consensus has opened.
* A cluster reads what is about itself from the moment it is notified, and never anything unpublished about another.
* Its funders (State services that follow it, parties of its contracts) read what it reads, from the same moment.
* Everybody reads published groups; marks and findings follow the grid's ``sight``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from jalon.clusters.access import carried_by, clusters_of, in_force
from jalon.clusters.models import Carrier
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.evaluations.models import Assignment, Campaign, Evaluation, Review
from jalon.interests.access import recused_cases, require_declared, stances
from jalon.people.access import Actor

HEARD = ("hearing", "final", "published")
"""States of an evaluation in which the cluster and its funders read their own."""


def case_of(evaluation: Evaluation) -> str:
    """The journal's name of an evaluation."""
    return f"evaluation:{evaluation.pk}"


def case_of_campaign(campaign: Campaign) -> str:
    return f"campaign:{campaign.code}"


def case_of_review(review: Review) -> str:
    return f"review:{review.pk}"


# -- campaigns --------------------------------------------------------------------------------


def manages(actor: Actor, campaign: Campaign) -> bool:
    """Whether the actor runs the campaign: the national officers those of the State, an authority those it ordered."""
    if not actor.signed_in:
        return False
    if campaign.kind == "order":
        return actor.can("evaluation.order") and actor.organisation_id == campaign.ordered_by_id
    return actor.national and actor.can("evaluation.manage")


def may_manage(actor: Actor, campaign: Campaign) -> None:
    """Raise NotAllowed unless the actor runs the campaign."""
    actor.require("evaluation.order" if campaign.kind == "order" else "evaluation.manage")
    if not manages(actor, campaign):
        raise NotAllowed(
            T(
                "Cette campagne est conduite par qui l'a commandée : « {o} ».",
                "This campaign is run by whoever ordered it: “{o}”.",
                o=campaign.ordered_by.name if campaign.ordered_by_id else T("l'État", "the State"),
            )
        )


def may_open(actor: Actor, kind: str) -> None:
    """Raise NotAllowed unless the actor may open a campaign of that kind."""
    actor.require("evaluation.order" if kind == "order" else "evaluation.manage")


def may_publish(actor: Actor, campaign: Campaign) -> None:
    """Raise NotAllowed unless the actor publishes it: the national officers, or the authority that ordered it."""
    if campaign.kind == "order":
        may_manage(actor, campaign)
        return
    actor.require("evaluation.publish")


def entrusted(actor: Actor, campaign: Campaign | int, cluster_id: int | None = None) -> list[Assignment]:
    """The mandates of the actor's organisation in a campaign (and for a cluster), in force or not; none for other sides."""
    if not actor.signed_in or not actor.can("evaluation.score") or actor.organisation_id is None:
        return []
    key = campaign if isinstance(campaign, int) else campaign.pk
    rows = Assignment.objects.filter(campaign_id=key, evaluator_id=actor.organisation_id, ended_on__isnull=True)
    if cluster_id is not None:
        rows = rows.filter(Q(every_cluster=True) | Q(clusters=cluster_id)).distinct()
    return list(rows)


def _entrusted_evaluations(actor: Actor) -> Q:
    mandates = Assignment.objects.filter(evaluator_id=actor.organisation_id, ended_on__isnull=True)
    whole = mandates.filter(every_cluster=True).values("campaign_id")
    mine = Q(campaign_id__in=whole)
    pairs = list(mandates.filter(clusters__isnull=False).values_list("campaign_id", "clusters"))
    by_campaign: dict[int, list[int]] = {}
    for campaign, cluster in pairs:
        by_campaign.setdefault(campaign, []).append(cluster)
    for campaign, clusters in by_campaign.items():
        mine |= Q(campaign_id=campaign, cluster_id__in=clusters)
    return mine


def _run_by(actor: Actor) -> Q | None:
    """Evaluations of the campaigns that the actor runs; None when there are none."""
    if actor.national and actor.can("evaluation.manage"):
        return ~Q(campaign__kind="order") & ~Q(state="published")
    if actor.can("evaluation.order") and actor.organisation_id is not None:
        return Q(campaign__kind="order", campaign__ordered_by_id=actor.organisation_id)
    return None


def visible_to(actor: Actor, on: dt.date, queryset: QuerySet[Evaluation] | None = None) -> QuerySet[Evaluation]:
    """The evaluations that the actor may know of: published ones; those run, entrusted, or notified about one's own cluster.

    A case from which the actor is recused stays closed.
    """
    rows = Evaluation.objects.all() if queryset is None else queryset
    seen = Q(state="published") & (Q(published_on__isnull=True) | Q(published_on__lte=on))
    if actor.signed_in:
        run = _run_by(actor)
        if run is not None:
            seen |= run
        if actor.can("evaluation.score") and actor.organisation_id is not None:
            seen |= _entrusted_evaluations(actor)
        if actor.side in ("governance", "state", "authority") and not actor.national:
            seen |= Q(state__in=HEARD, cluster__in=clusters_of(actor, on))
    rows = rows.filter(seen)
    away = [int(c.partition(":")[2]) for c in recused_cases(actor.user_id, "evaluation")]
    return rows.exclude(pk__in=away) if away else rows


def campaigns_visible_to(actor: Actor, on: dt.date) -> QuerySet[Campaign]:
    """Published campaigns, those that the actor runs, and those of which they see an evaluation."""
    seen = Q(state="published") & (Q(published_on__isnull=True) | Q(published_on__lte=on))
    if actor.signed_in:
        if actor.national and actor.can("evaluation.manage"):
            seen |= ~Q(kind="order") & ~Q(state="published")
        if actor.can("evaluation.order") and actor.organisation_id is not None:
            seen |= Q(kind="order", ordered_by_id=actor.organisation_id)
        if actor.can("evaluation.score") and actor.organisation_id is not None:
            seen |= Q(
                pk__in=Assignment.objects.filter(evaluator_id=actor.organisation_id, ended_on__isnull=True).values(
                    "campaign_id"
                )
            )
        if actor.side in ("governance", "state", "authority") and not actor.national:
            seen |= Q(
                pk__in=Evaluation.objects.filter(state__in=HEARD, cluster__in=clusters_of(actor, on)).values(
                    "campaign_id"
                )
            )
    return Campaign.objects.filter(seen)


@dataclass(frozen=True)
class Standing:
    """What an actor is for one evaluation on a day."""

    manager: bool = False
    evaluator: bool = False
    declared: bool = False  # the evaluator's own statement of interests, without which nothing opens
    recused: bool = False
    pole: bool = False
    funder: bool = False
    assignments: tuple[Assignment, ...] = ()

    @property
    def inside(self) -> bool:
        return (self.manager or (self.evaluator and self.declared)) and not self.recused

    @property
    def known(self) -> bool:
        return self.manager or self.evaluator or self.pole or self.funder


def standing(actor: Actor, evaluation: Evaluation, on: dt.date) -> Standing:
    """What ``actor`` is for an evaluation; a visitor is nothing."""
    if not actor.signed_in:
        return Standing()
    mandates = tuple(entrusted(actor, evaluation.campaign_id, evaluation.cluster_id))
    stance = stances(actor.user_id, [case_of(evaluation)]).get(case_of(evaluation))
    pole = actor.side == "governance" and carried_by(actor, on).filter(pk=evaluation.cluster_id).exists()
    funder = (
        not pole
        and not actor.national
        and actor.side in ("state", "authority")
        and clusters_of(actor, on).filter(pk=evaluation.cluster_id).exists()
    )
    return Standing(
        manager=manages(actor, evaluation.campaign),
        evaluator=bool(mandates),
        declared=stance == "none",
        recused=stance == "interest",
        pole=pole,
        funder=funder,
        assignments=mandates,
    )


def reads(place: Standing, evaluation: Evaluation, what: str, sight: Any = None) -> bool:
    """Whether this standing reads ``what`` (group, marks, findings, pack, interviews) of an evaluation in its present state.

    ``sight``: the grid's; without a grid only the group is ever public.
    """
    if place.recused:
        return False
    if place.manager:
        return True
    if place.evaluator:
        return place.declared
    level = getattr(sight, what, "funders") if sight is not None else ("public" if what == "group" else "funders")
    if what == "pack":
        return place.pole and evaluation.state != "planned"
    if what == "interviews":
        level = "funders"
    if evaluation.state == "published":
        return level == "public" or (level == "funders" and (place.pole or place.funder))
    if what == "group":
        return evaluation.state == "final" and (place.pole or place.funder)
    return evaluation.state in HEARD and (place.pole or place.funder) and level != "ordering"


def may_score(actor: Actor, evaluation: Evaluation, on: dt.date) -> Standing:
    """Raise NotAllowed unless the actor scores this cluster: entrusted, declared, not recused."""
    actor.require("evaluation.score")
    place = standing(actor, evaluation, on)
    if not place.evaluator:
        raise NotAllowed(
            T(
                "« {o} » n'a pas reçu ce pôle à évaluer.",
                "“{o}” was not entrusted with this cluster.",
                o=actor.organisation_label or "–",
            )
        )
    require_declared(actor, case_of(evaluation))
    return place


def may_reply(actor: Actor, cluster: Any, on: dt.date, permission: str = "evaluation.reply") -> None:
    """Raise NotAllowed unless the actor answers for the organisation that carries the cluster."""
    actor.require(permission)
    carries = Carrier.objects.filter(in_force(on), cluster=cluster, organisation_id=actor.organisation_id)
    if actor.side != "governance" or not carries.exists():
        raise NotAllowed(
            T(
                "Seule la structure de gouvernance de « {c} » répond aux constats.",
                "Only the governance structure of “{c}” replies to findings.",
                c=cluster.name,
            )
        )


# -- reviews ----------------------------------------------------------------------------------


def reviews_visible_to(actor: Actor, on: dt.date) -> QuerySet[Review]:
    """Reviews of a contract: the national officers who run them, and the two sides of the contract. Nobody else."""
    if not actor.signed_in:
        return Review.objects.none()
    if actor.national:
        return Review.objects.all() if actor.can("review.manage") else Review.objects.none()
    if actor.side in ("state", "governance", "authority") and actor.can("draft.read"):
        seen = Q(contract__cluster__in=clusters_of(actor, on))
        if actor.side == "authority":
            seen = Q(
                contract__parties__organisation_id=actor.organisation_id,
                contract__parties__removed_by_text__isnull=True,
            )
        return Review.objects.filter(seen).distinct()
    return Review.objects.none()


def may_review(actor: Actor, contract: Any, on: dt.date) -> None:
    """Raise NotAllowed unless the actor runs reviews of this contract: nationally, or as its State correspondent."""
    actor.require("review.manage")
    if actor.national:
        return
    if not (actor.side == "state" and clusters_of(actor, on).filter(pk=contract.cluster_id).exists()):
        raise NotAllowed(
            T(
                "Vous ne suivez pas ce pôle : son examen est conduit par son correspondant de l'État ou au niveau national.",
                "You do not follow this cluster: its review is run by its State correspondent or nationally.",
            )
        )
