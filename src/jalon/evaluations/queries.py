"""Reads of campaigns, evaluations, hearings and reviews."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, QuerySet

from jalon.clusters.models import Cluster
from jalon.clusters.queries import group_title
from jalon.contracts import rules as contract_rules
from jalon.contracts.models import Contract
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.evaluations import access, classify, rules, states
from jalon.evaluations.models import (
    Agreed,
    Campaign,
    Evaluation,
    Finding,
    Hearing,
    Note,
    Reply,
    Review,
    Sheet,
)
from jalon.people.access import Actor, policy
from jalon.policy.grids import Grid

# -- campaigns and their results --------------------------------------------------------------


def campaign_title(campaign: Campaign) -> Text:
    return T(campaign.title_fr, campaign.title_en)


def grid_of(campaign: Campaign) -> Grid | None:
    """The grid of a campaign; None when it has none (or the policy no longer knows it)."""
    if not campaign.grid:
        return None
    try:
        return policy().grid(campaign.grid)
    except KeyError:
        return None


def thresholds_of(campaign: Campaign, grid: Grid) -> dict[str, Any]:
    """The dated parameters that the grid's rules name, on the day that governs the campaign."""
    return classify.thresholds_of(grid, policy().on(campaign.policy_day))


def _groups_named(campaign: Campaign) -> str:
    """The evaluation of the policy whose groups the campaign gives: its own, else (an authority's order) those of its grid."""
    if policy().groups_of(campaign.evaluation):
        return campaign.evaluation
    grid = grid_of(campaign)
    return grid.campaign if grid is not None and grid.rules else campaign.evaluation


def group_order(campaign: Campaign) -> list[str]:
    """The groups that the campaign may give, the best first; empty when the policy names none for it."""
    return [g.code for g in policy().groups_of(_groups_named(campaign))]


def group_name(campaign: Campaign, group: str) -> Any:
    """What a group is called; the unknown mark's word when none is known."""
    return group_title(_groups_named(campaign), group) if group else T("inconnu", "unknown")


def evaluation_of(campaign: Campaign, cluster: Cluster | int) -> Evaluation:
    """The evaluation of a cluster in a campaign.

    Raises:
        Evaluation.DoesNotExist: the cluster is not under evaluation there.
    """
    key = cluster if isinstance(cluster, int) else cluster.pk
    return Evaluation.objects.select_related("campaign", "cluster").get(campaign=campaign, cluster_id=key)


@dataclass(frozen=True)
class Result:
    """What an evaluation came to. ``group`` is empty when it is not known (``certainty`` unknown) or not final yet."""

    evaluation: int
    cluster: str
    group: str
    origin: str
    certainty: str
    state: str
    final_on: dt.date | None
    published_on: dt.date | None


def results_of(campaign: Campaign) -> dict[str, Result]:
    """Result by slug of cluster, of every evaluation of the campaign that is final or published. One query.

    Unpublished results are there too: the caller answers for who sees them.
    """
    rows = Evaluation.objects.filter(campaign=campaign, state__in=("final", "published")).order_by("cluster__slug")
    return {
        slug: Result(pk, slug, group, origin, certainty, state, final_on, published_on)
        for pk, slug, group, origin, certainty, state, final_on, published_on in rows.values_list(
            "id", "cluster__slug", "group", "origin", "certainty", "state", "final_on", "published_on"
        )
    }


def counts_of(campaign: Campaign) -> dict[str, int]:
    """How many published or final evaluations have each group ("" = unknown)."""
    rows = (
        Evaluation.objects.filter(campaign=campaign, state__in=("final", "published")).values("group").annotate(n=Count("id"))
    )  # fmt: skip
    return {r["group"]: r["n"] for r in rows.order_by("group")}


# -- marks ------------------------------------------------------------------------------------


def agreed_marks(evaluation: Evaluation | int) -> dict[str, Agreed]:
    """The marks agreed by the evaluators that stand now, by sub-question."""
    key = evaluation if isinstance(evaluation, int) else evaluation.pk
    return {a.question: a for a in Agreed.objects.filter(evaluation_id=key, superseded_at__isnull=True)}


def sheets_of(evaluation: Evaluation) -> list[Sheet]:
    """The sheets of every evaluator, with their notes. The caller answers for who reads them (see :func:`readable_sheets`)."""
    return list(
        Sheet.objects.filter(evaluation=evaluation)
        .select_related("evaluator")
        .prefetch_related(Prefetch("notes", queryset=Note.objects.order_by("id")))
    )


def readable_sheets(evaluation: Evaluation, actor: Actor, place: access.Standing) -> list[Sheet]:
    """The sheets whose notes the actor may read: their own firm's; those of all once the consensus has opened.

    Before that nobody reads another's notes, not even whoever runs the campaign.
    """
    if place.recused or not (place.manager or place.evaluator):
        return []
    rows = sheets_of(evaluation)
    opened = evaluation.consensus_on is not None
    return [
        s
        for s in rows
        if (place.evaluator and place.declared and s.evaluator_id == actor.organisation_id)
        or (opened and (place.manager or place.declared))
    ]


def aside_of(evaluation: Evaluation | int) -> tuple[str, ...]:
    """Sub-questions set aside because every finding on them was withdrawn or put right."""
    key = evaluation if isinstance(evaluation, int) else evaluation.pk
    rows = Finding.objects.filter(hearing__evaluation_id=key, dropped=False).values_list("question", "outcome")
    return rules.set_aside(rows)


def classified(evaluation: Evaluation) -> classify.Result | None:
    """What the grid's rule says of the agreed marks as they stand; None without grid or rule."""
    grid = grid_of(evaluation.campaign)
    if grid is None or not grid.rules:
        return None
    marks = {q: a.mark for q, a in agreed_marks(evaluation).items()}
    return classify.classify(grid, marks, thresholds_of(evaluation.campaign, grid), aside=aside_of(evaluation))


# -- hearings ---------------------------------------------------------------------------------


def hearing_of(thing: Evaluation | Review) -> Hearing | None:
    """The contradictory procedure of an evaluation or a review, if it has begun."""
    key = {"evaluation": thing} if isinstance(thing, Evaluation) else {"review": thing}
    return Hearing.objects.filter(**key).select_related("cluster", "evaluation__campaign", "review__contract").first()


def case_of_hearing(hearing: Hearing) -> str:
    """A hearing is told in the journal of what it is about."""
    return f"evaluation:{hearing.evaluation_id}" if hearing.evaluation_id else f"review:{hearing.review_id}"


def findings_of(hearing: Hearing) -> list[Finding]:
    """The findings that were not dropped, with their replies and documents."""
    return list(
        Finding.objects.filter(hearing=hearing, dropped=False).prefetch_related(
            Prefetch("replies", queryset=Reply.objects.order_by("late", "id").prefetch_related("files"))
        )
    )


def usable_findings(hearing: Hearing) -> list[Finding]:
    """The findings on which something may be founded: maintained or amended in the end."""
    return list(Finding.objects.filter(hearing=hearing, dropped=False, outcome__in=states.STANDING))


def require_usable(findings: Iterable[Finding]) -> None:
    """Refuse grounds that are settled, withdrawn, or not heard to the end (:func:`rules.require_standing`)."""
    rules.require_standing({"number": f.number, "about": f.about or f.question, "outcome": f.outcome} for f in findings)


# -- reviews of contracts ---------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewDue:
    """A review that a contract owes. ``review`` is the row once it was opened, ``state`` its state (empty before)."""

    contract: Contract
    kind: str
    due_on: dt.date
    why: Why
    review: Review | None = None

    @property
    def state(self) -> str:
        return self.review.state if self.review else ""


KINDS = ("yearly", "axes", "mid_term")


def review_days(contract: Contract) -> list[rules.ReviewDay]:
    """Every review that a contract owes over its life, oldest first (no query)."""
    laws = policy()
    day = contract.policy_day
    found = rules.yearly_reviews(contract.starts_on, contract.ends_on, laws.on(contract.starts_on or day))
    template = next((t for t in laws.contract_templates if t.code == contract.template), None)
    axes = contract_rules.mid_term_review(
        starts_on=contract.starts_on, group=contract.group, template=template, policy_day=laws.on(day), day=day
    )
    if axes is not None:
        found.append(rules.ReviewDay("axes", axes.due_on, axes.why))
    phase = rules.phase_review(contract.phase, contract.starts_on, contract.ends_on, day, laws.on(contract.starts_on or day))  # fmt: skip
    if phase is not None:
        found.append(phase)
    return sorted(found, key=lambda r: (r.due_on, r.kind))


def reviews_due(
    day: dt.date,
    *,
    kinds: Sequence[str] = KINDS,
    contracts: QuerySet[Contract] | None = None,
    ahead: dt.timedelta | None = None,
    concluded: bool = False,
) -> list[ReviewDue]:
    """The reviews of signed contracts that fall due by ``day`` (plus ``ahead``) and are not concluded. Two queries.

    ``axes`` reviews (18 months) exist for the groups whose contracts carry improvement axes only: group 2 in 2008. Ask for
    ``kinds=("axes",)`` to have these alone. ``ahead=None``: every review of the contract's life, past and to come.
    """
    rows = Contract.objects.filter(state="signed") if contracts is None else contracts
    rows = list(rows.select_related("cluster").order_by("starts_on", "slug"))
    opened = {(r.contract_id, r.kind, r.due_on): r for r in Review.objects.filter(contract_id__in=[c.pk for c in rows])}
    found = []
    for contract in rows:
        for one in review_days(contract):
            if one.kind not in kinds or (ahead is not None and one.due_on > day + ahead):
                continue
            review = opened.get((contract.pk, one.kind, one.due_on))
            if review is not None and review.state == "concluded" and not concluded:
                continue
            found.append(ReviewDue(contract, one.kind, one.due_on, one.why, review))
    return sorted(found, key=lambda r: (r.due_on, r.kind, r.contract.slug))


def reviews_of(contract: Contract) -> list[Review]:
    return list(Review.objects.filter(contract=contract).order_by("due_on", "id"))
