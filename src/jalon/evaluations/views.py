"""Pages of campaigns, evaluations and questionnaires: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.models import Cluster, LabelPeriod
from jalon.clusters.queries import group_title, named_on, sources_of
from jalon.contracts.follow_states import BUDGET
from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.evaluations import access, actions, classify, explain, queries, states, survey_actions
from jalon.evaluations.forms import CampaignForm, EntrustForm, InterviewForm
from jalon.evaluations.models import Assignment, Campaign, Evaluation, Hearing, Interview, Note, Sheet, Survey
from jalon.interests import actions as interests
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, Organisation
from jalon.projects.states import TITLES as PROJECT_STATES
from jalon.ui.http import acts, export, page, wants, wants_json

TRAIL = T("Évaluations", "Evaluations")


def _trail(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [{"url": reverse("campaigns"), "label": TRAIL}, *({"url": u, "label": label} for u, label in more)]


def _campaign(request: HttpRequest, code: str) -> Campaign:
    rows = access.campaigns_visible_to(request.actor, clock.today()).select_related("ordered_by")
    return get_object_or_404(rows, code=code)


def _evaluation(request: HttpRequest, pk: int) -> tuple[Evaluation, access.Standing]:
    today = clock.today()
    rows = access.visible_to(request.actor, today).select_related(
        "campaign__ordered_by", "cluster", "pack", "explained"
    )
    found = get_object_or_404(rows, pk=pk)
    return found, access.standing(request.actor, found, today)


def told(items: Any) -> Any:
    """A text kept in both languages, as one that is said in the reader's."""
    return T(items["fr"], items["en"]) if isinstance(items, dict) and set(items) == {"fr", "en"} else items


# -- campaigns --------------------------------------------------------------------------------


@page
def campaigns(request: HttpRequest) -> HttpResponse:
    """The campaigns that the actor may know of, newest first."""
    actor, today = request.actor, clock.today()
    rows = list(
        access.campaigns_visible_to(actor, today)
        .select_related("ordered_by")
        .annotate(size=Count("evaluations", distinct=True), done=Count("evaluations", filter=Q(evaluations__state__in=("final", "published")), distinct=True))
        .order_by("-published_on", "-opened_on", "code")
    )  # fmt: skip
    if wants(request) != "html":
        columns = [("code", Column(T("Code", "Code"))), ("title", Column(T("Campagne", "Campaign"))), ("kind", Column(T("Genre", "Kind"))), ("state", Column(T("État", "State"))), ("clusters", Column(T("Pôles", "Clusters"), "number")), ("published_on", Column(T("Publiée le", "Published on"), "date"))]  # fmt: skip
        cells = ([c.code, str(queries.campaign_title(c)), str(states.KINDS[c.kind]), str(states.CAMPAIGN_TITLES[c.state]), c.size, c.published_on] for c in rows)  # fmt: skip
        return export(request, "evaluations", columns, cells, simulated=any(c.simulated for c in rows))
    return render(
        request,
        "evaluations/campaigns.html",
        {
            "title": TRAIL,
            "rows": [
                {
                    "campaign": c,
                    "title": queries.campaign_title(c),
                    "kind": states.KINDS[c.kind],
                    "state": states.CAMPAIGN_TITLES[c.state],
                    "tone": states.TONES[c.state],
                    "counts": c.known.get("counts"),
                }
                for c in rows
            ],
            "can_open": actor.can("evaluation.manage") or actor.can("evaluation.order"),
            "can_review": actor.can("review.manage"),
            "breadcrumb": _trail()[:1],
        },
    )


@never_cache
@page
def open_campaign(request: HttpRequest) -> HttpResponse:
    """Open a campaign: nationally, or for the actor's own authority."""
    actor, today = request.actor, clock.today()
    kinds = ["national", "again"] if actor.can("evaluation.manage") and actor.national else []
    if actor.can("evaluation.order") and actor.side == "authority":
        kinds.append("order")
    if not kinds:
        actor.require("evaluation.manage")
    running = LabelPeriod.objects.filter(superseded_at__isnull=True, starts_on__lte=today).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today)
    )
    clusters = Cluster.objects.filter(
        programme=policy().slug, holdings__role="holder", holdings__label__in=running.values("label_id")
    )
    clusters = clusters.distinct().order_by("name_key")
    form = CampaignForm(request.POST or None, kinds=kinds, clusters=clusters, initial={"kind": kinds[0]})
    refusal = None
    if request.method == "POST" and form.is_valid():
        v = form.cleaned_data
        try:
            made = actions.open_campaign(
                v["code"], (v["title_fr"], v["title_en"] or v["title_fr"]), v["kind"], v["clusters"], v["grid"],
                by=actor, on=today, ends_on=v["ends_on"], policy_day=v["policy_day"],
            )  # fmt: skip
            return redirect("campaign", made.code)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "evaluations/form.html",
        {
            "title": T("Ouvrir une campagne d'évaluation", "Open an evaluation campaign"),
            "form": form,
            "refusal": refusal,
            "go": T("Ouvrir la campagne", "Open the campaign"),
            "grids": policy().grids,
            "breadcrumb": _trail((None, T("Ouvrir", "Open"))),
        },
        status=400 if refusal else 200,
    )


def _board_rows(campaign: Campaign, actor: Actor, today: dt.date) -> list[dict[str, Any]]:
    """The lines of a campaign's board that the actor may see: six queries, whatever their number."""
    rows = list(
        access.visible_to(actor, today, Evaluation.objects.filter(campaign=campaign))
        .select_related("cluster", "hearing")
        .prefetch_related(Prefetch("sheets", queryset=Sheet.objects.select_related("evaluator").order_by("id")))
        .order_by("cluster__name_key", "id")
    )
    named_on([e.cluster for e in rows], today)
    managed = access.manages(actor, campaign)
    firm = actor.can("evaluation.score")
    found = []
    for one in rows:
        hearing = getattr(one, "hearing", None)
        due = None
        if one.state == "scoring":
            due = campaign.ends_on
        elif hearing is not None and hearing.state == "notified":
            due = hearing.due_on
        elif hearing is not None and hearing.state == "replied":
            due = hearing.position_due_on
        shown = one.state == "published" or managed
        found.append(
            {
                "evaluation": one,
                "name": getattr(one.cluster, "name_of_day", one.cluster.name),
                "state": states.TITLES[one.state],
                "tone": states.TONES[one.state],
                "evaluators": [
                    {"name": s.evaluator.name, "handed_in": s.state == "handed_in"}
                    for s in one.sheets.all()
                    if managed or (firm and s.evaluator_id == actor.organisation_id) or one.state == "published"
                ],
                "group": one.group if shown else "",
                "group_title": queries.group_name(campaign, one.group) if shown and one.group else None,
                "group_known": shown,
                "hearing": hearing,
                "due_on": due,
                "late": due is not None and due < today,
            }
        )
    return found


@page
def campaign(request: HttpRequest, code: str) -> HttpResponse:
    """The campaign board: cluster × state × evaluator × group × what is late."""
    actor, today = request.actor, clock.today()
    found = _campaign(request, code)
    every = _board_rows(found, actor, today)
    asked = {k: request.GET.get(k, "") for k in ("state", "group", "evaluator", "late", "q")}
    rows = [
        r
        for r in every
        if (not asked["state"] or r["evaluation"].state == asked["state"])
        and (not asked["group"] or (r["group"] or "unknown") == asked["group"])
        and (not asked["evaluator"] or any(e["name"] == asked["evaluator"] for e in r["evaluators"]))
        and (not asked["late"] or r["late"])
        and (not asked["q"] or asked["q"].casefold() in r["name"].casefold())
    ]
    if wants(request) != "html":
        columns = [
            ("cluster", Column(T("Pôle", "Cluster"))),
            ("state", Column(T("État", "State"))),
            ("evaluators", Column(T("Évaluateurs", "Evaluators"))),
            ("group", Column(T("Groupe", "Group"))),
            ("due_on", Column(T("Attendu le", "Due on"), "date")),
            ("late", Column(T("En retard", "Late"))),
        ]
        cells = ([r["name"], str(r["state"]), ", ".join(e["name"] for e in r["evaluators"]), str(r["group_title"] or ""), r["due_on"], str(T("oui", "yes") if r["late"] else "")] for r in rows)  # fmt: skip
        return export(request, f"campagne-{found.code}", columns, cells, simulated=found.simulated)
    managed = access.manages(actor, found)
    mandates = list(found.assignments.select_related("evaluator").prefetch_related("clusters")) if managed else access.entrusted(actor, found)  # fmt: skip
    counts = Counter(r["group"] or "unknown" for r in every if r["group_known"])
    order = [*queries.group_order(found), *sorted(g for g in counts if g not in queries.group_order(found) and g != "unknown")]  # fmt: skip
    return render(
        request,
        "evaluations/campaign.html",
        {
            "title": queries.campaign_title(found),
            "campaign": found,
            "kind": states.KINDS[found.kind],
            "state": states.CAMPAIGN_TITLES[found.state],
            "tone": states.TONES[found.state],
            "grid": queries.grid_of(found),
            "known": {k: told(v) for k, v in found.known.items()},
            "published_counts": [(queries.group_name(found, g), n) for g, n in (found.known.get("counts") or {}).items()],
            "rows": rows,
            "total": len(every),
            "asked": asked,
            "states": [(s.code, s.title) for s in states.STATES if any(r["evaluation"].state == s.code for r in every)],
            "groups": [(g, queries.group_name(found, g), counts[g]) for g in order if counts.get(g)] + ([("unknown", T("inconnu", "unknown"), counts["unknown"])] if counts.get("unknown") else []),
            "evaluators": sorted({e["name"] for r in every for e in r["evaluators"]}),
            "state_counts": [(states.TITLES[s], n) for s, n in Counter(r["evaluation"].state for r in every).items()],
            "late_count": sum(r["late"] for r in every),
            "managed": managed,
            "running": found.state in ("open", "calibration"),
            "mandates": mandates,
            "to_state": [m for m in mandates if not m.stated_on and m.evaluator_id == actor.organisation_id and actor.can("evaluation.score")],
            "may_publish": managed and found.state in ("open", "calibration") and (found.kind == "order" or actor.can("evaluation.publish")),
            "planned": any(r["evaluation"].state == "planned" for r in every),
            "sources_keys": found.sources,
            "can_calibrate": managed or bool(mandates),
            "breadcrumb": _trail((None, queries.campaign_title(found))),
        },
    )  # fmt: skip


@acts
def campaign_act(request: HttpRequest, code: str) -> HttpResponse:
    """Start what is planned, open the calibration, publish, abandon, state the firm's interests, declare for many clusters."""
    actor, today = request.actor, clock.today()
    found = _campaign(request, code)
    act, reason = request.POST.get("act", ""), request.POST.get("reason", "")
    if act == "start":
        n = len(actions.start_many(found, by=actor, on=today))
        messages.success(
            request, T("{n} évaluation(s) ouvertes, pièces figées.", "{n} evaluation(s) started, evidence frozen.", n=n)
        )
    elif act == "calibrate":
        actions.open_calibration(found, by=actor, on=today, reason=reason)
        messages.success(request, T("Le calage est ouvert.", "The calibration is open."))
    elif act == "publish":
        actions.publish(found, by=actor, on=today)
        messages.success(request, T("La campagne est publiée.", "The campaign is published."))
    elif act == "abandon":
        actions.abandon_campaign(found, by=actor, on=today, reason=reason)
    elif act == "interests":
        mandate = get_object_or_404(Assignment, campaign=found, evaluator_id=actor.organisation_id, pk=_int(request.POST.get("mandate")))  # fmt: skip
        actions.state_interests(mandate, by=actor, on=today, statement=request.POST.get("statement", ""))
        messages.success(request, T("La déclaration du cabinet est enregistrée.", "The firm's statement is recorded."))
    elif act == "end":
        mandate = get_object_or_404(Assignment, campaign=found, pk=_int(request.POST.get("mandate")))
        actions.end_mandate(mandate, by=actor, on=today, reason=reason)
    else:
        raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")
    return redirect("campaign", found.code)


def _int(text: Any) -> int:
    text = str(text or "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


@never_cache
@page
def entrust(request: HttpRequest, code: str) -> HttpResponse:
    """Entrust clusters and criteria to an evaluator."""
    actor, today = request.actor, clock.today()
    found = _campaign(request, code)
    access.may_manage(actor, found)
    roles = [r.code for r in policy().roles if r.may("evaluation.score")]
    evaluators = Organisation.objects.filter(pk__in=Mandate.objects.filter(role__in=roles).values("organisation_id"), merged_into__isnull=True).order_by("name_key")  # fmt: skip
    clusters = Cluster.objects.filter(evaluations__campaign=found).order_by("name_key")
    form = EntrustForm(request.POST or None, grid=queries.grid_of(found), clusters=clusters, evaluators=evaluators)
    refusal = None
    if request.method == "POST" and form.is_valid():
        v = form.cleaned_data
        try:
            actions.entrust(
                found, organisation=v["organisation"], clusters=list(v["clusters"]) or None, criteria=v["criteria"],
                reference=v["reference"], statement=v["statement"], by=actor, on=today,
            )  # fmt: skip
            return redirect("campaign", found.code)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "evaluations/form.html",
        {
            "title": T("Confier des pôles à un évaluateur", "Entrust clusters to an evaluator"),
            "form": form,
            "refusal": refusal,
            "go": T("Confier", "Entrust"),
            "breadcrumb": _trail((reverse("campaign", args=[found.code]), queries.campaign_title(found)), (None, T("Confier", "Entrust"))),
        },
        status=400 if refusal else 200,
    )  # fmt: skip


@page
def calibration(request: HttpRequest, code: str) -> HttpResponse:
    """Where evaluators differ, and how each of them marks: only where the consensus has opened."""
    actor, today = request.actor, clock.today()
    found = _campaign(request, code)
    mandates = access.entrusted(actor, found)
    if not (access.manages(actor, found) or mandates):
        access.may_manage(actor, found)
    grid = queries.grid_of(found)
    if grid is None:
        raise Http404
    opened = access.visible_to(actor, today, Evaluation.objects.filter(campaign=found, consensus_on__isnull=False))
    if not access.manages(actor, found):  # an evaluator compares on the clusters that it declared itself free for
        said = access.stances(actor.user_id, [f"evaluation:{pk}" for pk in opened.values_list("pk", flat=True)])
        opened = opened.filter(pk__in=[int(c.partition(":")[2]) for c, s in said.items() if s == "none"])
    notes = (
        Note.objects.filter(sheet__evaluation__in=opened, sheet__state="handed_in")
        .exclude(mark="")
        .order_by("sheet__evaluation__cluster__name_key", "id")
        .values_list("sheet__evaluation_id", "sheet__evaluation__cluster__name", "question", "sheet__evaluator__name", "mark")
    )  # fmt: skip
    names = {pk: name for pk, name, *_ in notes}
    table, habits = classify.divergences(grid, [(pk, q, e, m) for pk, _, q, e, m in notes])
    return render(
        request,
        "evaluations/calibration.html",
        {
            "title": T("Calage entre évaluateurs", "Calibration between evaluators"),
            "campaign": found,
            "opened": opened.count(),
            "waiting": Evaluation.objects.filter(campaign=found, state="scoring").count(),
            "divergences": [
                {
                    "pk": d.cluster,
                    "name": names[d.cluster],
                    "question": grid.question(d.question)[1].title,
                    "marks": [(e, grid.scale.mark(m).title) for e, m in sorted(d.marks.items())],
                    "spread": d.spread,
                }
                for d in table
            ],
            "scale": grid.scale.marks,
            "habits": [
                {
                    "name": h.evaluator,
                    "counts": [h.counts.get(m.code, 0) for m in grid.scale.marks],
                    "total": h.total,
                    "mean": float(h.mean) if h.mean is not None else None,
                }
                for h in habits
            ],
            "breadcrumb": _trail((reverse("campaign", args=[found.code]), queries.campaign_title(found)), (None, T("Calage", "Calibration"))),
        },
    )  # fmt: skip


# -- one evaluation ---------------------------------------------------------------------------


@page
def evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    """The sheet of an evaluation: where it stands, who evaluates, evidence, hearing, interviews, result."""
    actor, today = request.actor, clock.today()
    found, place = _evaluation(request, pk)
    campaign_ = found.campaign
    grid = queries.grid_of(campaign_)
    sight = grid.sight if grid else None
    sheets = queries.sheets_of(found) if place.manager or place.evaluator or found.state == "published" else []
    hearing = Hearing.objects.filter(evaluation=found).first()
    if hearing is not None and not (place.inside or access.reads(place, found, "findings", sight)):
        hearing = None
    shows_group = access.reads(place, found, "group", sight) and bool(found.group)
    form = InterviewForm(initial={"held_on": today})
    inside = place.inside
    interviews = list(Interview.objects.filter(evaluation=found).select_related("frozen")) if inside or access.reads(place, found, "interviews", sight) else []  # fmt: skip
    ruled = queries.classified(found) if place.manager and found.state in ("consensus", "hearing", "final") else None
    others = list(
        access.visible_to(actor, today, Evaluation.objects.filter(cluster=found.cluster).exclude(pk=found.pk))
        .select_related("campaign")
        .order_by("-campaign__published_on", "-id")
    )
    if wants(request) == "json":
        return JsonResponse(
            {
                "id": found.pk, "campaign": campaign_.code, "cluster": found.cluster.slug, "state": found.state,
                "group": found.group if shows_group else None, "certainty": found.certainty, "simulated": found.simulated,
            }
        )  # fmt: skip
    return render(
        request,
        "evaluations/evaluation.html",
        {
            "title": found.cluster.name,
            "evaluation": found,
            "campaign": campaign_,
            "campaign_title": queries.campaign_title(campaign_),
            "kind": states.KINDS[campaign_.kind],
            "state": states.TITLES[found.state],
            "tone": states.TONES[found.state],
            "place": place,
            "inside": inside,
            "needs_declaration": place.evaluator and not place.declared and not place.recused,
            "grid": grid,
            "sheets": sheets,
            "own_sheet": next((s for s in sheets if s.evaluator_id == actor.organisation_id), None) if place.evaluator else None,
            "awaited": [s.evaluator.name for s in sheets if s.state != "handed_in"],
            "hearing": hearing,
            "hearing_state": states.HEARING_TITLES[hearing.state] if hearing else None,
            "can_write_findings": inside and hearing is None and found.state in ("scoring", "consensus"),
            "interviews": interviews,
            "form": form,
            "can_interview": inside and found.state in ("scoring", "consensus", "hearing"),
            "shows_group": shows_group,
            "sources": sources_of(found.sources if shows_group else ()),
            "group": queries.group_name(campaign_, found.group),
            "ruled": queries.group_name(campaign_, ruled.group) if ruled and ruled.group else None,
            "groups": [(g, queries.group_name(campaign_, g)) for g in queries.group_order(campaign_)],
            "origin": states.ORIGINS.get(found.origin),
            "can_finalise": place.manager and found.state in ("scoring", "consensus", "hearing"),
            "shows_pack": found.pack_id and access.reads(place, found, "pack", sight),
            "shows_marks": access.reads(place, found, "marks", sight) and grid is not None and found.state != "planned",
            "others": [{"one": e, "title": queries.campaign_title(e.campaign), "state": states.TITLES[e.state], "group": queries.group_name(e.campaign, e.group) if e.state == "published" else None} for e in others],
            "breadcrumb": _trail((reverse("campaign", args=[campaign_.code]), queries.campaign_title(campaign_)), (None, found.cluster.name)),
        },
    )  # fmt: skip


@acts
def evaluation_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Start, open the consensus, hand in, reopen, agree, record a group, record an interview, make final."""
    actor, today = request.actor, clock.today()
    found, _ = _evaluation(request, pk)
    post = request.POST
    act, reason = post.get("act", ""), post.get("reason", "")
    back = redirect("evaluation", found.pk)
    if act == "start":
        actions.start_evaluation(found, by=actor, on=today)
    elif act == "consensus":
        actions.open_consensus(found, by=actor, on=today, reason=reason)
        back = redirect("evaluation-consensus", found.pk)
    elif act == "hand_in":
        actions.hand_in(found, by=actor, on=today)
        messages.success(request, T("Vos notes sont remises.", "Your notes are handed in."))
    elif act == "reopen":
        sheet = get_object_or_404(Sheet, pk=_int(post.get("sheet")), evaluation=found)
        actions.reopen_sheet(sheet, by=actor, on=today, reason=reason)
    elif act == "agree":
        actions.agree(found, post.get("question", ""), mark=post.get("mark", ""), justification=post.get("justification", ""), by=actor, on=today)  # fmt: skip
        back = redirect("evaluation-consensus", found.pk)
    elif act == "group":
        group = post.get("group", "")
        actions.record_group(found, group, by=actor, on=today, reason=reason, certainty="known" if group else "unknown")
    elif act == "interview":
        form = InterviewForm(post)
        if not form.is_valid():
            raise Refused(T("Le compte rendu n'est pas complet.", "The record is not complete."), missing=[f"{form.fields[k].label} : {e[0]}" for k, e in form.errors.items()], kind="input")  # fmt: skip
        v = form.cleaned_data
        actions.hold_interview(found, by=actor, on=today, held_on=v["held_on"], participants=v["participants"].splitlines(), record=v["record"])  # fmt: skip
    elif act == "finalise":
        actions.finalise(found, by=actor, on=today, reason=reason)
        messages.success(request, T("L'évaluation est arrêtée.", "The evaluation is final."))
    else:
        raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")
    return back


@acts
def declare(request: HttpRequest, pk: int) -> HttpResponse:
    """The personal statement of interests, before the file opens."""
    found, place = _evaluation(request, pk)
    if not (place.evaluator or place.manager):
        raise Http404
    interests.declare(
        access.case_of(found), request.POST.get("stance", ""), by=request.actor, on=clock.today(),
        reason=request.POST.get("reason", ""),
    )  # fmt: skip
    if request.POST.get("stance") == "interest":
        messages.success(request, T("Vous êtes déporté de ce dossier.", "You are recused from this case."))
        return redirect("campaign", found.campaign.code)
    return redirect("evaluation", found.pk)


@page
def pack(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence, as it was frozen."""
    found, place = _evaluation(request, pk)
    grid = queries.grid_of(found.campaign)
    if not found.pack_id or not access.reads(place, found, "pack", grid.sight if grid else None):
        if place.evaluator and not place.declared:
            access.may_score(request.actor, found, clock.today())
        raise Http404
    content = json.loads(found.pack.canonical)["content"]
    if wants(request) == "json":
        answer = HttpResponse(found.pack.canonical, content_type="application/json")
        answer["Content-Disposition"] = (
            f'attachment; filename="pieces-{found.cluster.slug}-{found.pack.sha256[:12]}.json"'
        )
        return answer
    types = {t.code: t.plural for t in policy().members.types}
    codes = {i.code: i for i in policy().indicators}
    return render(
        request,
        "evaluations/pack.html",
        {
            "title": T("Dossier de pièces : {c}", "Evidence pack: {c}", c=found.cluster.name),
            "evaluation": found,
            "pack": content,
            "members": [(types.get(k, k), n) for k, n in sorted(content["members"]["by_type"].items())],
            "years": sorted(content["members"]["by_year"].items()),
            "indicators": [
                {"title": codes[c].title if c in codes else c, "unit": codes[c].unit_title if c in codes else "", "values": sorted(v.items())}
                for c, v in content["indicators"].items()
            ],
            "budget": [(year, [(BUDGET.get(k, k), v) for k, v in lines.items()]) for year, lines in sorted(content["budget"].items())],
            **_pack_lists(content),
            "breadcrumb": _trail((reverse("campaign", args=[found.campaign.code]), queries.campaign_title(found.campaign)), (reverse("evaluation", args=[found.pk]), found.cluster.name), (None, T("Pièces", "Evidence"))),
        },
    )  # fmt: skip


def _pack_lists(content: dict[str, Any]) -> dict[str, Any]:
    """The lists of a frozen pack in the language spoken: names instead of codes, days as days. Older packs lack some of them."""
    laws = policy()
    types = {t.code: t.title for t in laws.members.types}
    colleges = {c.code: c.title for c in laws.members.colleges}

    def dated(rows: Any, *keys: str) -> list[dict[str, Any]]:
        return [{**r, **{k: dt.date.fromisoformat(r[k]) if r.get(k) else None for k in keys}} for r in rows]

    def paid(steps: Any) -> Decimal | None:
        amounts = [Decimal(s["amount"]) for s in steps if s["kind"] == "paid" and s["amount"] is not None]
        return sum(amounts, Decimal(0)) if amounts else None

    return {
        "labels": dated(content["labels"], "starts_on", "ends_on"),
        "groups": [
            T("Évaluation de {e} : {g}", "Evaluation of {e}: {g}", e=g["evaluation"], g=group_title(g["evaluation"], g["group"]))
            for g in content["groups"]
        ],
        "member_list": [
            {**m, "kind": types.get(m["type"], m["type"])}
            for m in dated(content["members"].get("list", ()), "joined_on")
        ],
        "seats": [
            (body, [(colleges.get(c, c), n) for c, n in seats.items()]) for body, seats in content["seats"].items()
        ],
        "documents": dated(content.get("documents", ()), "dated"),
        "roadmaps": dated(content["roadmaps"], "validated_on"),
        "contracts": [
            {**c, "commitments": [{**k, "paid": paid(k["steps"])} for k in c["commitments"]]} for c in content["contracts"]
        ],
        "projects": [
            {**p, "stands": PROJECT_STATES.get(p["state"], p["state"])}
            for p in dated(content["projects"]["list"], "labelled_on")
        ],
    }  # fmt: skip


@never_cache
@page
def score(request: HttpRequest, pk: int) -> HttpResponse:
    """The scoring form: every sub-question entrusted, saved while it is written."""
    actor, today = request.actor, clock.today()
    found, _ = _evaluation(request, pk)
    place = access.may_score(actor, found, today)
    grid = queries.grid_of(found.campaign)
    if grid is None:
        raise Http404
    sheet = Sheet.objects.filter(evaluation=found, evaluator_id=actor.organisation_id).prefetch_related("notes").first()
    notes = {n.question: n for n in sheet.notes.all()} if sheet else {}
    asked = set(actions.questions_for(grid, place.assignments))
    groups = []
    for c in grid.criteria:
        lines = [
            {
                "name": classify.name(c, q),
                "question": q,
                "note": notes.get(classify.name(c, q)),
                "key": f"{c.code}-{q.code}",
            }
            for q in c.questions
            if classify.name(c, q) in asked
        ]
        if lines:
            groups.append({"criterion": c, "lines": lines})
    done = sum(bool(n.mark and n.justification.strip()) for n in notes.values())
    return render(
        request,
        "evaluations/score.html",
        {
            "title": T("Noter {c}", "Score {c}", c=found.cluster.name),
            "evaluation": found,
            "sheet": sheet,
            "writable": found.state == "scoring" and (sheet is None or sheet.state == "draft"),
            "grid": grid,
            "groups": groups,
            "done": done,
            "total": len(asked),
            "breadcrumb": _trail((reverse("campaign", args=[found.campaign.code]), queries.campaign_title(found.campaign)), (reverse("evaluation", args=[found.pk]), found.cluster.name), (None, T("Notes", "Notes"))),
        },
    )  # fmt: skip


@acts
def save_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Save one note (by itself while typing, or by the button)."""
    found, _ = _evaluation(request, pk)
    saved = actions.save_note(
        found, request.POST.get("question", ""), mark=request.POST.get("mark", ""),
        justification=request.POST.get("justification", ""), rev=_int(request.POST.get("revision") or request.POST.get("rev")),
        by=request.actor, on=clock.today(),
    )  # fmt: skip
    if wants_json(request):
        return JsonResponse({"revision": saved.rev, "saved_at": saved.at.isoformat() if saved.at else None})
    return redirect(reverse("evaluation-score", args=[found.pk]) + "#" + request.POST.get("question", "").replace("/", "-"))  # fmt: skip


@never_cache
@page
def consensus(request: HttpRequest, pk: int) -> HttpResponse:
    """The notes of every evaluator side by side, and the agreed marks. Closed until the consensus has opened."""
    actor = request.actor
    found, place = _evaluation(request, pk)
    grid = queries.grid_of(found.campaign)
    if grid is None or not access.reads(place, found, "marks", grid.sight):
        if place.evaluator and not place.declared:
            access.may_score(actor, found, clock.today())
        raise Http404
    sheets = queries.readable_sheets(found, actor, place)
    notes = {(s.evaluator_id, n.question): n for s in sheets for n in s.notes.all()}
    agreed = queries.agreed_marks(found)
    rows = []
    for c, q in grid.questions:
        name = classify.name(c, q)
        a = agreed.get(name)
        given = [(s.evaluator.name, notes.get((s.evaluator_id, name))) for s in sheets]
        rows.append(
            {
                "name": name,
                "key": name.replace("/", "-"),
                "criterion": c.title,
                "question": q.title,
                "given": [
                    (e, grid.scale.mark(n.mark).title if n.mark else None, n.justification)
                    for e, n in given
                    if n is not None
                ],
                "agreed": a,
                "agreed_title": grid.scale.mark(a.mark).title if a else None,
                "differs": len({n.mark for _, n in given if n is not None}) > 1,
            }
        )
    return render(
        request,
        "evaluations/consensus.html",
        {
            "title": T("Notes et consensus : {c}", "Notes and consensus: {c}", c=found.cluster.name),
            "evaluation": found,
            "opened": found.consensus_on,
            "rows": rows,
            "scale": grid.scale.marks,
            "inside": place.inside,
            "writable": (place.inside and found.state == "consensus") or (place.manager and found.state == "hearing"),
            "breadcrumb": _trail((reverse("campaign", args=[found.campaign.code]), queries.campaign_title(found.campaign)), (reverse("evaluation", args=[found.pk]), found.cluster.name), (None, T("Consensus", "Consensus"))),
        },
    )  # fmt: skip


# -- the explanation --------------------------------------------------------------------------


def _said(value: Any) -> Any:
    """A frozen content with its pairs of texts said in the reader's language."""
    if isinstance(value, dict):
        if set(value) == {"fr", "en"}:
            return str(T(value["fr"], value["en"]))
        return {k: _said(v) for k, v in value.items()}
    return [_said(v) for v in value] if isinstance(value, list) else value


def explained(found: Evaluation, today: dt.date) -> dict[str, Any]:
    """The explanation as frozen, or as it stands now for those who work on it."""
    from jalon.core.canonical import plain

    if found.explained_id:
        return _said(json.loads(found.explained.canonical)["content"])
    return _said(plain(explain.content(found, today)))


def _number(text: str) -> Fraction:
    try:
        value = Fraction(text.strip().replace(",", ".").replace("\u202f", "").replace(" ", ""))
    except (ValueError, ZeroDivisionError):
        raise Refused(T("« {t} » n'est pas un nombre.", "“{t}” is not a number.", t=text[:20]), kind="input") from None
    if not 0 <= value <= 10**6:
        raise Refused(T("« {t} » : un nombre entre 0 et 1 000 000.", "“{t}”: a number between 0 and 1,000,000.", t=text[:20]), kind="input")  # fmt: skip
    return value


def what_if(request: HttpRequest, grid: Any, thresholds: dict[str, Any]) -> classify.WhatIf:
    """Weights (``w.<criterion>``, ``w.<criterion>/<question>``) and thresholds (``t.<parameter>``) asked for in the address."""
    names = {*(c.code for c in grid.criteria), *classify.names(grid)}
    weights, limits = {}, {}
    for key, text in request.GET.items():
        if key.startswith("w.") and text.strip():
            if key[2:] not in names:
                raise Refused(T("« {k} » n'est ni un critère ni une question.", "“{k}” is neither a criterion nor a question.", k=key[2:60]), kind="input")  # fmt: skip
            weights[key[2:]] = _number(text)
        elif key.startswith("t.") and text.strip():
            if key[2:] not in thresholds:
                raise Refused(T("« {k} » n'est pas un seuil de la grille.", "“{k}” is no threshold of the grid.", k=key[2:60]), kind="input")  # fmt: skip
            value = _number(text)
            limits[key[2:]] = int(value) if value.denominator == 1 else value
    return classify.WhatIf(weights, limits)


@page
def explanation(request: HttpRequest, pk: int) -> HttpResponse:
    """How the result was reached; and, in the same page, what other weights or thresholds would give, without touching it."""
    today = clock.today()
    found, place = _evaluation(request, pk)
    grid = queries.grid_of(found.campaign)
    sight = grid.sight if grid else None
    whole = access.reads(place, found, "marks", sight) and (found.explained_id or place.inside)
    if not whole:
        if not (found.state == "published" and access.reads(place, found, "group", sight)):
            raise Http404
    told_ = explained(found, today) if whole else None
    if wants(request) == "json":
        if not whole:
            raise Http404
        if found.explained_id:
            return HttpResponse(found.explained.canonical, content_type="application/json")
        return JsonResponse(told_)
    trial, fields = None, []
    if whole and grid is not None and grid.rules:
        thresholds = queries.thresholds_of(found.campaign, grid)
        asked = what_if(request, grid, thresholds)
        marks = {d["question"]: d["mark"] for d in told_["data"] if d["mark"]}
        aside = [d["question"] for d in told_["data"] if d["aside"]]
        base = classify.weights_of(grid)
        scored = any(r.score_at_least is not None or r.score_below is not None for r in grid.rules)
        for c in grid.criteria:
            if scored:  # a rule that counts failed criteria reads no weight between them
                fields.append({"name": f"w.{c.code}", "label": c.title, "value": request.GET.get(f"w.{c.code}", ""), "now": explain.number(base.criteria[c.code]), "kind": "criterion"})  # fmt: skip
            for q in c.questions:
                n = classify.name(c, q)
                if len(c.questions) > 1:
                    fields.append({"name": f"w.{n}", "label": q.title, "value": request.GET.get(f"w.{n}", ""), "now": explain.number(base.questions[n]), "kind": "question"})  # fmt: skip
        for path, parameter in thresholds.items():
            fields.append({"name": f"t.{path}", "label": parameter.title if parameter else path, "value": request.GET.get(f"t.{path}", ""), "now": parameter.value if parameter else "", "kind": "threshold"})  # fmt: skip
        if asked.any:
            result = classify.classify(grid, marks, {**thresholds, **asked.thresholds}, aside=aside, weights=classify.weights_of(grid, asked.weights))  # fmt: skip
            trial = {
                "group": queries.group_name(found.campaign, result.group) if result.group else None,
                "failed": [grid.criterion(f).title for f in result.failed],
                "same": result.group == (told_["result"]["rule_gives"] or told_["result"]["group"]),
                "parts": [
                    {"title": p.criterion.title, "share": explain.number(p.share), "failed": p.failed}
                    for p in result.parts
                ],
            }
    return render(
        request,
        "evaluations/explanation.html",
        {
            "title": T("Explication : {c}", "Explanation: {c}", c=found.cluster.name),
            "evaluation": found,
            "campaign_title": queries.campaign_title(found.campaign),
            "told": told_,
            "group": queries.group_name(found.campaign, found.group),
            "frozen": found.explained,
            "draft": not found.explained_id,
            "fields": fields,
            "trial": trial,
            "weighted": grid.weighted if grid else False,
            "breadcrumb": _trail((reverse("campaign", args=[found.campaign.code]), queries.campaign_title(found.campaign)), (reverse("evaluation", args=[found.pk]), found.cluster.name), (None, T("Explication", "Explanation"))),
        },
    )  # fmt: skip


# -- questionnaires ---------------------------------------------------------------------------


@never_cache
@page
def survey_board(request: HttpRequest, code: str) -> HttpResponse:
    """The questionnaires of a campaign: open one, ask members, response rates, results above the number that keeps anonymity."""
    actor, today = request.actor, clock.today()
    found = _campaign(request, code)
    mandates = access.entrusted(actor, found)
    managed = access.manages(actor, found)
    if not (managed or mandates):
        access.may_manage(actor, found)
    links: list[dict[str, Any]] = []
    if request.method == "POST":
        if request.POST.get("act") == "open":
            closes = request.POST.get("closes_on", "")
            try:
                day = dt.date.fromisoformat(closes)
            except ValueError:
                raise Refused(T("Il manque le jour de clôture.", "The closing day is missing."), kind="input") from None
            survey_actions.open_survey(found, request.POST.get("questionnaire", ""), by=actor, on=today, closes_on=day)
            return redirect("campaign-survey", found.code)
        survey_ = get_object_or_404(Survey, campaign=found, pk=_int(request.POST.get("survey")))
        clusters = Cluster.objects.filter(evaluations__campaign=found, slug__in=request.POST.getlist("cluster"))
        made = survey_actions.ask_members(
            survey_, clusters, by=actor, on=today,
            address=lambda token: request.build_absolute_uri(reverse("survey", args=[token])),
        )  # fmt: skip
        names = dict(clusters.values_list("pk", "name"))
        links = [{"name": names[pk], "links": rows} for pk, rows in made.items()]
    surveys = []
    evaluations = list(access.visible_to(actor, today, Evaluation.objects.filter(campaign=found)).select_related("cluster").order_by("cluster__name_key"))  # fmt: skip
    chosen = request.GET.get("cluster", "")
    for one in found.surveys.all():
        rates = survey_actions.rates(one)
        rows = []
        for e in evaluations:
            asked, done = rates.get(e.cluster_id, (0, 0))
            rows.append({"evaluation": e, "asked": asked, "done": done, "shown": done >= one.shown_from and done > 0})
        result = next((survey_actions.results(one, e.cluster) for e in evaluations if e.cluster.slug == chosen), None)
        surveys.append({"survey": one, "rows": rows, "result": result, "open": one.opens_on <= today <= one.closes_on, "title": policy().questionnaire(one.code).title if one.code in {q.code for q in policy().questionnaires} else one.code})  # fmt: skip
    return render(
        request,
        "evaluations/survey_board.html",
        {
            "title": T("Questionnaires aux membres", "Questionnaires to members"),
            "campaign": found,
            "surveys": surveys,
            "links": links,
            "chosen": next((e.cluster.name for e in evaluations if e.cluster.slug == chosen), ""),
            "managed": managed and found.state in ("open", "calibration"),
            "questionnaires": policy().questionnaires,
            "breadcrumb": _trail((reverse("campaign", args=[found.code]), queries.campaign_title(found)), (None, T("Questionnaires", "Questionnaires"))),
        },
    )  # fmt: skip


def _answer(request: HttpRequest, link: Any) -> HttpResponse:
    today = clock.today()
    one = link.survey
    known = {q.code: q for q in policy().questionnaires}
    refusal, done = None, link.answered
    if request.method == "POST":
        try:
            survey_actions.answer(link, request.POST, on=today)
            done = True
        except Refused as error:
            refusal = error
    questions = [{**q, "title": told(q["title"]), "choices": [{"code": c["code"], "title": told(c["title"])} for c in q["choices"]], "range": range(1, q["steps"] + 1), "given": request.POST.get(q["code"], "")} for q in one.questions]  # fmt: skip
    return render(
        request,
        "evaluations/survey.html",
        {
            "title": known[one.code].title if one.code in known else one.code,
            "introduction": known[one.code].introduction if one.code in known else "",
            "cluster": link.cluster,
            "survey": one,
            "questions": questions,
            "refusal": refusal,
            "done": done,
            "open": one.opens_on <= today <= one.closes_on,
        },
        status=400 if refusal else 200,
    )


@never_cache
@page
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """A member's questionnaire, by its secret link: no account is needed."""
    link = survey_actions.link_of(token)
    if link is None:
        raise Http404
    return _answer(request, link)


@never_cache
@page
def survey_mine(request: HttpRequest, pk: int) -> HttpResponse:
    """The same, for a member that signs in."""
    if not request.actor.signed_in:
        request.actor.require("project.draft")
    link = next((one for one in survey_actions.own_links(request.actor) if one.pk == pk), None)
    if link is None:
        raise Http404
    return _answer(request, link)
