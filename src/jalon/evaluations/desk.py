"""What this package brings to the desk of somebody who signs in: tasks, journal, names of cases, search."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from jalon.clusters.access import clusters_of
from jalon.clusters.queries import named_on
from jalon.contracts.models import Contract
from jalon.core.lang import T
from jalon.evaluations import access, queries, states, survey_actions
from jalon.evaluations.models import Assignment, Campaign, Evaluation, Hearing, Review, Sheet
from jalon.interests.access import recused_cases, stances
from jalon.people.access import Actor
from jalon.people.tasks import Task, waiting_light

SHOWN = 200
SOON = dt.timedelta(days=14)
AHEAD = dt.timedelta(days=60)
"""A review is announced so many days before its day."""


def _light(due_on: dt.date | None, day: dt.date) -> str:
    if due_on is None:
        return "not_started"
    return "late" if due_on < day else "at_risk" if due_on - day <= SOON else "not_yet_due"


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """Reviews to open and conclude, findings to reply to, notes to hand in, positions to take, questionnaires to answer."""
    if not actor.signed_in:
        return []
    found: list[Task] = []
    if actor.can("review.manage") and not actor.national or (actor.side == "governance" and actor.can("review.reply")):
        found += _reviews(actor, day)
    if actor.side == "governance" and (actor.can("evaluation.reply") or actor.can("review.reply")):
        found += _to_reply(actor, day)
    if actor.can("evaluation.score"):
        found += _to_score(actor, day)
    if actor.can("evaluation.manage") or actor.can("evaluation.order"):
        found += _to_run(actor, day)
    if actor.side == "beneficiary":
        found += _to_answer(actor, day)
    return found


def _reviews(actor: Actor, day: dt.date) -> list[Task]:
    mine = clusters_of(actor, day)
    found: list[Task] = []
    contracts = Contract.objects.filter(state="signed", cluster__in=mine, starts_on__lte=day, ends_on__gte=day)
    due = queries.reviews_due(day, contracts=contracts, ahead=AHEAD)
    # A yearly review is our reading, beside the yearly report: it waits for somebody once it is opened, not before.
    due = [one for one in due if one.kind != "yearly" or one.review is not None]
    names = {c.pk: c.name_of_day for c in named_on([d.contract.cluster for d in due], day)}
    runs = actor.can("review.manage")
    for one in due[:SHOWN]:
        values = {"c": names[one.contract.cluster_id], "k": states.REVIEW_KINDS[one.kind]}
        if one.review is not None:
            if not runs:
                continue  # the cluster's own part is its reply
            url, title = reverse("review", args=[one.review.pk]), T("Mener l'examen : {c}, {k}", "Run the review: {c}, {k}", **values)  # fmt: skip
        elif runs:
            url, title = reverse("reviews", args=[one.contract.slug]), T("Ouvrir l'examen : {c}, {k}", "Open the review: {c}, {k}", **values)  # fmt: skip
        else:
            url, title = reverse("reviews", args=[one.contract.slug]), T("Préparer l'examen : {c}, {k}", "Prepare the review: {c}, {k}", **values)  # fmt: skip
        found.append(
            Task(title, url, one.due_on, _light(one.due_on, day), one.contract.title, f"contract:{one.contract.slug}", explained=one.why)
        )  # fmt: skip
    return found


def _to_reply(actor: Actor, day: dt.date) -> list[Task]:
    rows = Hearing.objects.filter(state="notified", cluster__in=clusters_of(actor, day)).select_related(
        "cluster", "review__contract", "evaluation__campaign"
    )
    found = []
    for one in rows.order_by("due_on")[:SHOWN]:
        if not actor.can("review.reply" if one.review_id else "evaluation.reply"):
            continue
        found.append(
            Task(
                T("Répondre aux constats : {c}", "Reply to the findings: {c}", c=one.cluster.name),
                reverse("hearing", args=[one.pk]),
                one.due_on,
                _light(one.due_on, day),
                T("jusqu'à minuit, heure de Paris", "until midnight, Paris time"),
                queries.case_of_hearing(one),
                who=one.notified_by,
                since=one.notified_on,
            )
        )
    return found


def _to_score(actor: Actor, day: dt.date) -> list[Task]:
    found: list[Task] = []
    firm = Assignment.objects.filter(evaluator_id=actor.organisation_id, stated_on__isnull=True, ended_on__isnull=True)
    for one in firm.exclude(campaign__state__in=("published", "abandoned")).select_related("campaign"):
        found.append(
            Task(
                T("Déclarer les intérêts du cabinet : {c}", "State the firm's interests: {c}", c=queries.campaign_title(one.campaign)),
                reverse("campaign", args=[one.campaign.code]),
                None,
                waiting_light(one.entrusted_on, day),
                T("rien ne s'ouvre avant", "nothing opens before"),
                access.case_of_campaign(one.campaign),
                since=one.entrusted_on,
            )
        )  # fmt: skip
    rows = list(
        Sheet.objects.filter(evaluator_id=actor.organisation_id, state="draft", evaluation__state="scoring")
        .select_related("evaluation__cluster", "evaluation__campaign")
        .order_by("evaluation__campaign__ends_on", "id")[:SHOWN]
    )
    said = stances(actor.user_id, [f"evaluation:{s.evaluation_id}" for s in rows])
    for sheet in rows:
        case = f"evaluation:{sheet.evaluation_id}"
        if said.get(case) == "interest":
            continue
        name = sheet.evaluation.cluster.name
        title = (
            T("Noter {c} et remettre les notes", "Score {c} and hand the notes in", c=name)
            if case in said
            else T("Déclarer vos intérêts : {c}", "Declare your interests: {c}", c=name)
        )
        due = sheet.evaluation.campaign.ends_on
        found.append(Task(title, reverse("evaluation", args=[sheet.evaluation_id]), due, _light(due, day), queries.campaign_title(sheet.evaluation.campaign), case))  # fmt: skip
    mine = access._entrusted_evaluations(actor)
    waits = Hearing.objects.filter(state="replied", evaluation__in=Evaluation.objects.filter(mine))
    found += _positions(actor, day, waits)
    return found


def _positions(actor: Actor, day: dt.date, rows: Any) -> list[Task]:
    away = set(recused_cases(actor.user_id))
    found = []
    for one in rows.select_related("cluster", "review__contract", "evaluation__campaign").order_by("position_due_on")[
        :SHOWN
    ]:
        case = queries.case_of_hearing(one)
        if case in away:
            continue
        found.append(
            Task(
                T("Prendre position sur les constats : {c}", "Take position on the findings: {c}", c=one.cluster.name),
                reverse("hearing", args=[one.pk]),
                one.position_due_on,
                _light(one.position_due_on, day),
                T("le délai a passé sans réponse", "the delay passed without reply") if one.silent else T("le pôle a répondu", "the cluster has replied"),
                case,
                since=one.replied_on,
            )
        )  # fmt: skip
    return found


def _to_run(actor: Actor, day: dt.date) -> list[Task]:
    run = access._run_by(actor)
    if run is None:
        return []
    found = []
    ready = (
        Evaluation.objects.filter(run, state="scoring", campaign__state="open")
        .exclude(sheets__state="draft")
        .filter(sheets__isnull=False)
        .select_related("campaign", "cluster")
        .distinct()
        .order_by("id")[:SHOWN]
    )
    for one in ready:
        found.append(Task(T("Toutes les notes sont remises : {c}", "All notes are in: {c}", c=one.cluster.name), reverse("evaluation", args=[one.pk]), None, "not_started", queries.campaign_title(one.campaign), access.case_of(one)))  # fmt: skip
    waits = Hearing.objects.filter(state="replied", evaluation__in=Evaluation.objects.filter(run))
    return found + _positions(actor, day, waits)


def _to_answer(actor: Actor, day: dt.date) -> list[Task]:
    found = []
    for link in survey_actions.own_links(actor):
        if link.answered or not link.survey.opens_on <= day <= link.survey.closes_on:
            continue
        found.append(
            Task(
                T("Répondre au questionnaire sur {c}", "Answer the questionnaire on {c}", c=link.cluster.name),
                reverse("survey-mine", args=[link.pk]),
                link.survey.closes_on,
                _light(link.survey.closes_on, day),
                T("votre réponse est anonyme", "your answer is anonymous"),
                access.case_of_campaign(link.survey.campaign),
            )
        )
    return found


# -- the journal ------------------------------------------------------------------------------


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """The journal of the evaluations, campaigns and reviews that the actor sees from inside."""
    if not actor.signed_in or actor.national:
        return None
    seen = access.visible_to(actor, day).exclude(state="published")
    mine = Q(pk__in=())
    if actor.side in ("governance", "state", "authority"):
        mine |= Q(cluster__in=clusters_of(actor, day), state__in=access.HEARD)
    if actor.can("evaluation.score"):
        mine |= access._entrusted_evaluations(actor)
    if (run := access._run_by(actor)) is not None:
        mine |= run
    keys = set(seen.values_list("pk", flat=True)) | set(
        access.visible_to(actor, day).filter(mine).values_list("pk", flat=True)
    )
    if actor.can("evaluation.score"):  # nothing opens before the own statement of interests
        said = stances(actor.user_id, [f"evaluation:{pk}" for pk in keys])
        keys = {pk for pk in keys if said.get(f"evaluation:{pk}") == "none"}
    cases = [f"evaluation:{pk}" for pk in keys]
    cases += [f"review:{pk}" for pk in access.reviews_visible_to(actor, day).values_list("pk", flat=True)[:1000]]
    campaigns = access.campaigns_visible_to(actor, day)
    if run is not None or actor.can("evaluation.score"):
        cases += [f"campaign:{code}" for code in campaigns.values_list("code", flat=True)[:500]]
    return Q(case__in=cases) if cases else None


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """Even a national reader of the journal reads no evaluation that is not theirs to run, and no review."""
    hidden = Q(case__in=recused_cases(actor.user_id, "evaluation")) if actor.signed_in else Q(pk__in=())
    if not actor.national:
        return hidden
    if not actor.can("evaluation.manage"):
        hidden |= Q(case__startswith="evaluation:") | Q(case__startswith="campaign:") | Q(case__startswith="sheet:")
    else:
        ordered = (
            Evaluation.objects.filter(campaign__kind="order").exclude(state="published").values_list("pk", flat=True)
        )
        hidden |= Q(case__in=[f"evaluation:{pk}" for pk in ordered])
        codes = Campaign.objects.filter(kind="order").exclude(state="published").values_list("code", flat=True)
        hidden |= Q(case__in=[f"campaign:{code}" for code in codes])
    if not actor.can("review.manage"):
        hidden |= Q(case__startswith="review:")
    return hidden


def case_titles(cases: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Titles and addresses of evaluations, campaigns and reviews."""
    by_kind: dict[str, list[str]] = {}
    for case in cases:
        kind, _, rest = case.partition(":")
        by_kind.setdefault(kind, []).append(rest)
    found: dict[str, tuple[str, str]] = {}
    keys = [int(r) for r in by_kind.get("evaluation", ()) if r.isdigit()]
    if keys:
        for one in Evaluation.objects.filter(pk__in=keys).select_related("campaign", "cluster"):
            title = T("{c} : {e}", "{c}: {e}", c=one.cluster.name, e=queries.campaign_title(one.campaign))
            found[f"evaluation:{one.pk}"] = (str(title), reverse("evaluation", args=[one.pk]))
    keys = [int(r) for r in by_kind.get("sheet", ()) if r.isdigit()]
    for one in Sheet.objects.filter(pk__in=keys).select_related("evaluation__cluster", "evaluator") if keys else ():
        title = T("Notes : {c}, {e}", "Notes: {c}, {e}", c=one.evaluation.cluster.name, e=one.evaluator.name)
        found[f"sheet:{one.pk}"] = (str(title), reverse("evaluation", args=[one.evaluation_id]))
    codes = by_kind.get("campaign", ())
    if codes:
        for one in Campaign.objects.filter(code__in=codes):
            found[f"campaign:{one.code}"] = (str(queries.campaign_title(one)), reverse("campaign", args=[one.code]))
    keys = [int(r) for r in by_kind.get("review", ()) if r.isdigit()]
    if keys:
        for one in Review.objects.filter(pk__in=keys).select_related("contract"):
            title = T("{k} : {c}", "{k}: {c}", k=states.REVIEW_KINDS[one.kind], c=one.contract.title)
            found[f"review:{one.pk}"] = (str(title), reverse("review", args=[one.pk]))
    return found


def found(actor: Actor, day: dt.date, q: str, limit: int) -> list[tuple[Any, int, list[Any], str]]:
    """Evaluations whose cluster or campaign bears the words, among those that the actor may know of."""
    from jalon.people.rules import plain_key

    key = plain_key(q)
    rows = access.visible_to(actor, day).filter(
        Q(cluster__name_key__contains=key) | Q(campaign__title_fr__icontains=q) | Q(campaign__title_en__icontains=q)
    )
    n = rows.count()
    if not n:
        return []
    shown = [
        (one.cluster.name, queries.campaign_title(one.campaign), reverse("evaluation", args=[one.pk]), one.simulated)
        for one in rows.select_related("cluster", "campaign").order_by("-campaign__opened_on", "cluster__name_key")[
            :limit
        ]
    ]
    return [(T("évaluations", "evaluations"), n, shown, reverse("campaigns"))]
