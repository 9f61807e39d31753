"""The evaluations of the path: campaigns, results that sources name, contradictory interviews, by the acts of evaluations.

The results of 2008 are named for 34 pôles. The others are of group 1 or 2: their group is recorded as not known, never guessed.
"""

from __future__ import annotations

from typing import Any

from jalon.clusters.models import ClusterGroup
from jalon.core.lang import T
from jalon.decisions.path import Step
from jalon.evaluations import actions
from jalon.evaluations.models import Campaign, Evaluation

KEEPS = "Résultat pris à sa source ; les notes n'ont pas été publiées."
UNKNOWN = "Groupe 1 ou 2 : aucune source lue ne nomme le groupe de ce pôle."


def evaluation(run: Any, step: Step) -> None:
    """A campaign opens, its results are entered, or its classification is confirmed and published."""
    {"open": _open, "record": _record, "publish": _publish}[step.get("move")](run, step)


def _open(run: Any, step: Step) -> None:
    """A campaign on the labelled clusters, or on those of one group of an earlier evaluation, entrusted to its evaluators."""
    officer = run.actor("national_officer")
    clusters = run.labelled(step.day)
    if step.get("group"):
        kept = set(
            ClusterGroup.objects.filter(
                evaluation=step.said["of"], group=step.said["group"], superseded_at=None
            ).values_list("cluster_id", flat=True)
        )
        clusters = [c for c in clusters if c.pk in kept]
    national = run.path.national(step.get("national")) if step.get("national") else None
    campaign = actions.open_campaign(
        f"evaluation-{step.said['campaign']}",
        T(step.said["title"]["fr"], step.said["title"]["en"]),
        "again" if step.get("group") else "national",
        clusters,
        step.said["grid"],
        evaluation=step.said["campaign"],
        phase=step.get("phase"),
        policy_day=step.get("policy_day") or step.day,
        known={"counts": (national or {}).get("counts") or {}},
        sources=step.get("source") or (),
        by=officer,
        **run.when(step.day),
    )
    firm = run.body(step.said["evaluator"], "company")
    assignment = actions.entrust(
        campaign,
        organisation=firm,
        reference=step.said["evaluator"],
        by=officer,
        **run.when(step.day),
    )
    actions.state_interests(
        assignment,
        statement="Déclaration simulée pour le rejeu : aucun lien avec les pôles évalués.",
        by=run.actor("evaluator", firm),
        **run.when(step.day),
    )
    actions.start_many(campaign, by=officer, **run.when(step.day))


def _results(run: Any, step: Step) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Slug → result as named in the sources, empty when none names it; slug → sources."""
    named = {e["slug"]: e for e in run.path.register.evaluations if str(e["year"]) == step.said["campaign"]}
    slugs = Evaluation.objects.filter(campaign__code=f"evaluation-{step.said['campaign']}").values_list(
        "cluster__slug", flat=True
    )
    return (
        {slug: named[slug]["result"] if slug in named else "" for slug in slugs},
        {slug: list(row["sources"]) for slug, row in named.items()},
    )


def _record(run: Any, step: Step) -> None:
    officer = run.actor("national_officer")
    campaign = Campaign.objects.get(code=f"evaluation-{step.said['campaign']}")
    groups, sources = _results(run, step)
    known = {slug: group for slug, group in groups.items() if group}
    unknown = {slug: "" for slug, group in groups.items() if not group}
    actions.record_groups(campaign, known, reason=KEEPS, sources=sources, by=officer, **run.when(step.day))
    if unknown:
        actions.record_groups(campaign, unknown, reason=UNKNOWN, by=officer, **run.when(step.day))


def _publish(run: Any, step: Step) -> None:
    """The classification is confirmed: every evaluation is made final, then the campaign is published."""
    officer = run.actor("national_officer")
    campaign = Campaign.objects.get(code=f"evaluation-{step.said['campaign']}")
    for one in (
        Evaluation.objects.filter(campaign=campaign).select_related("campaign", "cluster").order_by("cluster__slug")
    ):
        actions.finalise(one, by=officer, **run.when(step.day))
    actions.publish(campaign, by=officer, **run.when(step.day))


def interviews(run: Any, step: Step) -> None:
    """The contradictory interviews with the pôles of a group: that they were held is known, what was said is not."""
    officer = run.actor("national_officer")
    for one in (
        Evaluation.objects.filter(campaign__code=f"evaluation-{step.said['campaign']}", group=step.said["group"])
        .select_related("campaign", "cluster")
        .order_by("cluster__slug")
    ):
        actions.hold_interview(
            one,
            participants=[
                {"name": f"Gouvernance de {one.cluster.name}", "side": "pole"},
                {"name": "Services de l'État", "side": "state"},
                {"name": "Collectivités territoriales", "side": "authority"},
                {"name": "Évaluateurs", "side": "evaluator"},
            ],
            record="Entretien de la fin juin 2008 : qu'il a eu lieu est connu, ce qui y fut dit ne l'est pas.",
            by=officer,
            **run.when(step.day),
        )
