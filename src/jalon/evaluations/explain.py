"""The explanation of a result (*explication d'une décision algorithmique*): what it was reached from, by which operations.

The French code of relations between the public and the administration (L. 311-3-1, R. 311-3-1-2) asks for four things: the degree
and mode of contribution of the processing, the data and their sources, the parameters and weights applied, the operations
carried out. :func:`content` gives them as a plain content, frozen with the result and printed as it is.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

from jalon.core.lang import T
from jalon.evaluations import classify, queries, states
from jalon.evaluations.models import Evaluation, Finding, Interview, Sheet
from jalon.people.access import policy

FORM = "jalon-explanation-1"
LAW = T(
    "Code des relations entre le public et l'administration, articles L. 311-3-1 et R. 311-3-1-2 (depuis le 1er septembre 2017).",
    "French code of relations between the public and the administration, articles L. 311-3-1 and R. 311-3-1-2 (since 1 September 2017).",
)
CONDITIONS = {
    "failed_at_least": T("critères manqués, au moins", "failed criteria, at least"),
    "failed_at_most": T("critères manqués, au plus", "failed criteria, at most"),
    "unmet_at_least": T("questions non remplies, au moins", "questions not met, at least"),
    "unmet_at_most": T("questions non remplies, au plus", "questions not met, at most"),
    "score_at_least": T("score pondéré, au moins", "weighted score, at least"),
    "score_below": T("score pondéré, moins de", "weighted score, below"),
    "minimums_met": T("toutes les questions minimales remplies", "all minimum questions met"),
    "failed": T("ces critères manqués", "these criteria failed"),
}


def number(value: Any) -> Any:
    """An exact fraction as a decimal of six places; counts and texts as they are."""
    if isinstance(value, Fraction):
        return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.000001")).normalize()
    return list(value) if isinstance(value, tuple) else value


def stability(evaluation: Evaluation, marks: dict[str, str], aside: Any, thresholds: Any) -> dict[str, Any] | None:
    """How many of the drawn weightings give each group; None without bounds or without rule."""
    grid = queries.grid_of(evaluation.campaign)
    if grid is None or not grid.rules or grid.bounds is None:
        return None
    draws = policy().on(evaluation.campaign.policy_day).find("evaluations.stability_draws")
    count = int(draws.value) if draws else 10_000
    groups = classify.Weightings(grid, count).groups(marks, thresholds, aside=aside)
    return {
        "draws": count,
        "seed": classify.SEED,
        "low": grid.bounds.low,
        "high": grid.bounds.high,
        "bounds_reading": grid.bounds.reading,
        "bounds_reference": grid.bounds.reference,
        "groups": [{"group": g, "title": queries.group_name(evaluation.campaign, g), "count": n} for g, n in groups.items()],
    } if groups else None  # fmt: skip


def content(evaluation: Evaluation, on: dt.date) -> dict[str, Any]:
    """The explanation of an evaluation as it stands, as a plain content (texts in both languages)."""
    campaign = evaluation.campaign
    grid = queries.grid_of(campaign)
    agreed = queries.agreed_marks(evaluation)
    marks = {q: a.mark for q, a in agreed.items()}
    aside = queries.aside_of(evaluation)
    ruled = queries.classified(evaluation)
    found: dict[str, Any] = {
        "form": FORM,
        "law": LAW,
        "day": on,
        "evaluation": f"evaluation:{evaluation.pk}",
        "cluster": {"slug": evaluation.cluster.slug, "name": evaluation.cluster.name},
        "campaign": {
            "code": campaign.code,
            "title": queries.campaign_title(campaign),
            "kind": states.KINDS[campaign.kind],
            "ordered_by": campaign.ordered_by.name if campaign.ordered_by_id else "",
            "policy_day": campaign.policy_day,
        },
        "result": {
            "group": evaluation.group or (ruled.group if ruled else ""),
            "title": queries.group_name(campaign, evaluation.group or (ruled.group if ruled else "")),
            "origin": evaluation.origin or "rule",
            "origin_title": states.ORIGINS[evaluation.origin or "rule"],
            "rule_gives": ruled.group if ruled else "",
            "rule_gives_title": queries.group_name(campaign, ruled.group) if ruled and ruled.group else "",
            "certainty": evaluation.certainty,
            "reason": evaluation.reason,
            "decided_by": evaluation.decided_by,
            "sources": list(evaluation.sources),
        },
        "contribution": _contribution(evaluation, ruled),
        "young": evaluation.young,
        "pack": evaluation.pack.sha256 if evaluation.pack_id else "",
        "simulated": evaluation.simulated,
    }
    found["evaluators"] = list(
        Sheet.objects.filter(evaluation=evaluation, state="handed_in").order_by("evaluator__name").values_list("evaluator__name", flat=True)
    )  # fmt: skip
    found["interviews"] = [
        {"held_on": held, "sha256": sha}
        for held, sha in Interview.objects.filter(evaluation=evaluation).order_by("held_on", "id").values_list("held_on", "frozen__sha256")
    ]  # fmt: skip
    found["findings"] = [
        {"number": n, "question": q, "about": a, "outcome": o, "stands": o in states.STANDING}
        for n, q, a, o in Finding.objects.filter(hearing__evaluation=evaluation, dropped=False).order_by("number").values_list("number", "question", "about", "outcome")
    ]  # fmt: skip
    if grid is None:
        return found
    thresholds = queries.thresholds_of(campaign, grid)
    found["grid"] = {
        "code": grid.code,
        "title": grid.title,
        "reference": grid.reference,
        "weights_published": grid.weighted,
        "scale": [{"code": m.code, "title": m.title, "points": m.points, "passes": m.passes} for m in grid.scale.marks],
        "scale_reading": grid.scale.reading,
        "scale_reference": grid.scale.reference,
    }
    found["data"] = [
        {
            "question": name,
            "criterion": c.title,
            "title": q.title,
            "mark": marks.get(name, ""),
            "mark_title": grid.scale.mark(marks[name]).title if marks.get(name) else "",
            "justification": agreed[name].justification if name in agreed else "",
            "aside": name in aside,
        }
        for c, q in grid.questions
        for name in (classify.name(c, q),)
    ]
    if ruled is not None:
        found |= _ruled(evaluation, grid, ruled, marks, aside, thresholds)
    return found


def _contribution(evaluation: Evaluation, ruled: classify.Result | None) -> Any:
    if evaluation.origin == "recorded":
        return T(
            "Aucun calcul : le groupe est repris de sa source, ou décidé par une personne avec son motif.",
            "No computation: the group is taken from its source, or decided by a person with a reason.",
        )
    if evaluation.origin == "override":
        return T(
            "Le calcul propose un groupe à partir de notes données et justifiées par des évaluateurs ; une personne en a décidé autrement, avec son motif.",
            "The computation proposes a group from marks given and justified by evaluators; a person decided otherwise, with a reason.",
        )
    return T(
        "Le calcul propose un groupe à partir de notes données et justifiées par des évaluateurs, après avoir entendu le pôle ; une personne l'arrête et peut en décider autrement, avec un motif.",
        "The computation proposes a group from marks given and justified by evaluators, after the cluster was heard; a person makes it final and may decide otherwise, with a reason.",
    )


def _ruled(evaluation: Evaluation, grid: Any, ruled: classify.Result, marks: Any, aside: Any, thresholds: Any) -> dict[str, Any]:  # fmt: skip
    campaign = evaluation.campaign
    order = queries.group_order(campaign)
    ways = {}
    for name, up in (("up", True), ("down", False)):
        far = classify.distance(grid, marks, thresholds, order, aside=aside, up=up)
        ways[name] = None if far is None else {
            "group": far.group,
            "title": queries.group_name(campaign, far.group),
            "steps": far.steps,
            "path": [
                {"question": q, "title": grid.question(q)[1].title, "from": grid.scale.mark(a).title, "to": grid.scale.mark(b).title}
                for q, a, b in far.path
            ],
        }  # fmt: skip
    return {
        "parameters": [
            {
                "path": path,
                "title": p.title,
                "value": p.value,
                "unit": p.unit_title,
                "since": p.since,
                "reference": p.reference,
                "url": p.url or "",
                "reading": p.reading,
            }
            for path, p in sorted(thresholds.items())
            if p is not None
        ],
        "operations": {
            "criteria": [
                {
                    "code": p.criterion.code,
                    "title": p.criterion.title,
                    "passes_from": p.criterion.passes_from,
                    "weight": number(ruled.weights.criteria[p.criterion.code]),
                    "share": number(p.share),
                    "failed": p.failed,
                    "reference": p.criterion.reference,
                    "lines": [
                        {
                            "question": n,
                            "title": grid.question(n)[1].title,
                            "points": number(points),
                            "weight": number(w),
                        }
                        for n, _, points, w in p.lines
                    ],
                    "aside": [grid.question(n)[1].title for n in p.aside],
                }
                for p in ruled.parts
            ],
            "score": number(ruled.score),
            "unmet": len(ruled.unmet),
            "missing": [grid.question(n)[1].title for n in ruled.missing],
            "rules": [
                {
                    "group": t.rule.group,
                    "title": queries.group_name(campaign, t.rule.group),
                    "holds": t.holds,
                    "reference": t.rule.reference,
                    "url": t.rule.url or "",
                    "reading": t.rule.reading,
                    "conditions": [
                        {"title": CONDITIONS[c], "threshold": number(_plain(v)), "found": number(_plain(f)), "holds": h}
                        for c, v, f, h in t.conditions
                    ],
                }
                for t in ruled.tried
            ],
        },
        "distance": ways,
        "stability": stability(evaluation, marks, aside, thresholds) if ruled.group else None,
    }


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | set | frozenset) else value
