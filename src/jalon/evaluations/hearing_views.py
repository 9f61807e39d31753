"""Pages of the contradictory procedure and of reviews of contracts: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.queries import named_on
from jalon.contracts import access as contract_access
from jalon.contracts.models import Contract
from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.files import path_of
from jalon.core.lang import T
from jalon.core.models import StoredFile
from jalon.core.sheets import Column
from jalon.core.why import Why
from jalon.evaluations import access, hearing_actions, queries, review_actions, sealed, states
from jalon.evaluations.forms import ConclusionForm, FindingForm
from jalon.evaluations.models import Finding, Hearing, Reply, Review
from jalon.people.access import policy
from jalon.ui.http import acts, export, page, wants, wants_json


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(T("« {t} » n'est pas une date.", "“{t}” is not a date.", t=text[:20]), kind="input") from None


def _int(text: Any) -> int:
    text = str(text or "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def why_of(kept: dict[str, Any]) -> Why | None:
    """An explanation that was kept as plain values, to be shown again."""
    if not kept:
        return None

    def said(value: Any) -> Any:
        return T(value["fr"], value["en"]) if isinstance(value, dict) else value

    return Why(
        rule=said(kept.get("rule", "")),
        parameter=kept.get("parameter", ""),
        value=kept.get("value") or None,
        unit=kept.get("unit", ""),
        reference=kept.get("reference", ""),
        url=kept.get("url", ""),
        steps=tuple(said(s) for s in kept.get("steps", ())),
        reading=bool(kept.get("reading")),
    )


class Seat:
    """What the actor is in a hearing: reads it, writes findings and positions, decides, replies."""

    def __init__(self, request: HttpRequest, hearing: Hearing):
        actor, today = request.actor, clock.today()
        self.hearing = hearing
        self.runs = self.decides = self.replies = self.reads = False
        if hearing.evaluation_id:
            evaluation = hearing.evaluation
            place = access.standing(actor, evaluation, today)
            if place.recused:
                return
            self.decides = place.manager
            self.runs = place.inside
            grid = queries.grid_of(evaluation.campaign)
            heard = hearing.state != "drafting" and access.reads(
                place, evaluation, "findings", grid.sight if grid else None
            )
            self.reads = self.runs or heard
            self.replies = place.pole and actor.can("evaluation.reply")
        else:
            review = hearing.review
            known = access.reviews_visible_to(actor, today).filter(pk=review.pk).exists()
            side = actor.side == "state" and known
            self.runs = self.decides = side and actor.can("review.manage")
            self.reads = self.runs or (known and hearing.state != "drafting")
            self.replies = known and actor.side == "governance" and actor.can("review.reply")
        self.replies = self.replies and self.reads


def readable_hearing(request: HttpRequest, pk: int) -> tuple[Hearing, Seat]:
    """The hearing, if the actor may read it; findings still being drafted do not exist for the cluster."""
    found = get_object_or_404(
        Hearing.objects.select_related(
            "cluster", "evaluation__campaign__ordered_by", "evaluation__cluster", "review__contract__cluster", "provisional", "final"
        ),
        pk=pk,
    )  # fmt: skip
    seat = Seat(request, found)
    if not seat.reads:
        raise Http404
    return found, seat


def _finding(request: HttpRequest, pk: int) -> tuple[Finding, Seat]:
    row = get_object_or_404(Finding.objects.select_related("hearing"), pk=pk, dropped=False)
    hearing, seat = readable_hearing(request, row.hearing_id)
    row.hearing = hearing
    return row, seat


def _trail(hearing: Hearing) -> list[dict[str, Any]]:
    if hearing.evaluation_id:
        campaign = hearing.evaluation.campaign
        return [
            {"url": reverse("campaigns"), "label": T("Évaluations", "Evaluations")},
            {"url": reverse("campaign", args=[campaign.code]), "label": queries.campaign_title(campaign)},
            {"url": reverse("evaluation", args=[hearing.evaluation_id]), "label": hearing.cluster.name},
            {"url": None, "label": T("Contradictoire", "Hearing")},
        ]
    return [
        {"url": reverse("contract", args=[hearing.review.contract.slug]), "label": hearing.review.contract.title},
        {"url": reverse("review", args=[hearing.review_id]), "label": states.REVIEW_KINDS[hearing.review.kind]},
        {"url": None, "label": T("Contradictoire", "Hearing")},
    ]


@acts
def of_evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the findings of an evaluation."""
    rows = access.visible_to(request.actor, clock.today()).select_related("campaign__ordered_by", "cluster")
    found = get_object_or_404(rows, pk=pk)
    return redirect("hearing", hearing_actions.begin(found, by=request.actor, on=clock.today()).pk)


@never_cache
@page
def hearing(request: HttpRequest, pk: int) -> HttpResponse:
    """The hearing, finding by finding: what was found, what the cluster replied, the position, what is final."""
    today = clock.today()
    found, seat = readable_hearing(request, pk)
    grid = queries.grid_of(found.evaluation.campaign) if found.evaluation_id else None
    rows = []
    for one in queries.findings_of(found):
        replies = list(one.replies.all())
        own = next((r for r in replies if not r.late), None)
        rows.append(
            {
                "finding": one,
                "question": grid.question(one.question)[1].title if grid and one.question else "",
                "reply": own if own and (own.state == "sent" or seat.replies) else None,
                "draft": own if own and own.state == "draft" and seat.replies else None,
                "late": [r for r in replies if r.late],
                "outcome": states.OUTCOMES.get(one.outcome) if one.outcome and (seat.runs or found.state == "closed") else None,
                "tone": states.OUTCOME_TONES.get(one.outcome, "quiet"),
                "form": FindingForm(grid=grid, prefix=f"f{one.number}", initial={"question": one.question, "about": one.about, "text": one.text, "evidence": one.evidence}) if seat.runs and found.state == "drafting" else None,
                "shows_position": bool(one.outcome) and (seat.runs or found.state == "closed"),
            }
        )  # fmt: skip
    interviews = list(found.evaluation.interviews.select_related("frozen")) if found.evaluation_id else []
    silence = policy().on(today).find("evaluations.silence_means")
    delay = policy().on(today).find("evaluations.reply_after")
    if wants(request) == "json":
        return JsonResponse({"state": found.state, "due_on": found.due_on, "findings": [{"number": r["finding"].number, "text": r["finding"].text, "outcome": r["finding"].outcome if r["shows_position"] else None} for r in rows]})  # fmt: skip
    return render(
        request,
        "evaluations/hearing.html",
        {
            "title": T("Contradictoire : {c}", "Hearing: {c}", c=found.cluster.name),
            "hearing": found,
            "about": hearing_actions.about(found),
            "state": states.HEARING_TITLES[found.state],
            "tone": states.TONES[found.state],
            "rows": rows,
            "seat": seat,
            "new_form": FindingForm(grid=grid, prefix="new") if seat.runs and found.state == "drafting" else None,
            "outcomes": list(states.OUTCOMES.items()),
            "why": why_of(found.why),
            "overdue": found.state == "notified" and found.due_on is not None and today > found.due_on,
            "can_reply": seat.replies and found.state == "notified",
            "extensions": list(found.extensions.all()),
            "interviews": interviews,
            "silence": states.OUTCOMES.get(silence.value) if silence else None,
            "silence_why": Why(rule=T("Sans réponse à l'échéance, le constat vaut ainsi.", "Without a reply within the delay, the finding counts so."), parameter=silence.path, value=silence.value, reference=silence.reference, reading=silence.reading) if silence else None,
            "no_delay": delay is None,
            "missing_positions": sum(1 for r in rows if not r["finding"].outcome),
            "breadcrumb": _trail(found),
        },
    )  # fmt: skip


@acts
def hearing_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a finding, notify, send the replies, extend, record the silence, close."""
    actor, today = request.actor, clock.today()
    found, _ = readable_hearing(request, pk)
    post, act = request.POST, request.POST.get("act", "")
    if act == "finding":
        prefix = post.get("prefix", "new")
        grid = queries.grid_of(found.evaluation.campaign) if found.evaluation_id else None
        form = FindingForm(post, grid=grid, prefix=prefix)
        if not form.is_valid():
            raise Refused(T("Le constat n'est pas complet.", "The finding is not complete."), missing=[f"{form.fields[k].label} : {e[0]}" for k, e in form.errors.items()], kind="input")  # fmt: skip
        v = form.cleaned_data
        number = _int(post.get("number")) or None
        row = hearing_actions.write_finding(
            found, text=v["text"], question=v.get("question", ""), about=v["about"], evidence=v["evidence"], number=number,
            rev=_int(post.get("rev")) if number else None, by=actor, on=today,
        )  # fmt: skip
        return redirect(reverse("hearing", args=[found.pk]) + f"#constat-{row.number}")
    if act == "notify":
        hearing_actions.notify(found, by=actor, on=today, summary=post.get("summary", ""), due_on=_day(post.get("due_on", "")))  # fmt: skip
        messages.success(request, T("Les constats sont notifiés au pôle.", "The findings are notified to the cluster."))
    elif act == "send":
        hearing_actions.send_replies(found, by=actor, on=today)
        messages.success(request, T("Vos réponses sont envoyées.", "Your replies are sent."))
    elif act == "extend":
        until = _day(post.get("until", ""))
        if until is None:
            raise Refused(T("Il manque le nouveau dernier jour.", "The new last day is missing."), kind="input")
        hearing_actions.extend(found, until=until, reason=post.get("reason", ""), by=actor, on=today)
    elif act == "silence":
        hearing_actions.record_silence(found, by=actor, on=today)
    elif act == "close":
        hearing_actions.close(found, by=actor, on=today)
        messages.success(request, T("Le contradictoire est clos et scellé.", "The hearing is closed and sealed."))
    else:
        raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")
    return redirect("hearing", found.pk)


@acts
def reply(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the reply to a finding (by itself while typing), and add a document to it."""
    actor, today = request.actor, clock.today()
    finding, _ = _finding(request, pk)
    if request.FILES.get("file"):
        upload = request.FILES["file"]
        hearing_actions.add_document(finding, upload, upload.name, by=actor, on=today)
        return redirect(reverse("hearing", args=[finding.hearing_id]) + f"#constat-{finding.number}")
    row = hearing_actions.save_reply(
        finding, text=request.POST.get("text", ""), contests=request.POST.get("contests", "yes") == "yes",
        rev=_int(request.POST.get("revision") or request.POST.get("rev")), by=actor, on=today,
    )  # fmt: skip
    if wants_json(request):
        return JsonResponse({"revision": row.rev, "saved_at": row.updated_at.isoformat()})
    return redirect(reverse("hearing", args=[finding.hearing_id]) + f"#constat-{finding.number}")


@acts
def finding_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a finding while drafting, take position on it, record a late reply."""
    actor, today = request.actor, clock.today()
    finding, _ = _finding(request, pk)
    post, act = request.POST, request.POST.get("act", "")
    if act == "drop":
        hearing_actions.drop_finding(finding, by=actor, on=today)
    elif act == "position":
        hearing_actions.take_position(finding, outcome=post.get("outcome", ""), text=post.get("text", ""), final_text=post.get("final_text", ""), by=actor, on=today)  # fmt: skip
    elif act == "late":
        hearing_actions.record_late_reply(finding, text=post.get("text", ""), reason=post.get("reason", ""), by=actor, on=today)  # fmt: skip
    else:
        raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")
    return redirect(reverse("hearing", args=[finding.hearing_id]) + f"#constat-{finding.number}")


@never_cache
@page
def sealed_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The sealed file of a closed hearing, ready for a judge."""
    found, _ = readable_hearing(request, pk)
    if found.state != "closed":
        raise Refused(T("Le dossier se scelle à la clôture.", "The file is sealed at the closing."))
    data, sha = sealed.archive(found)
    answer = HttpResponse(data, content_type="application/zip")
    name = f"contradictoire-{found.cluster.slug}-{sha[:12]}{'-simule' if found.simulated else ''}.zip"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@page
def document(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """A document handed in with a reply, as a download only."""
    found, seat = readable_hearing(request, pk)
    rows = StoredFile.objects.filter(pk=file)
    given = Reply.objects.filter(finding__hearing=found, files=file)
    if not seat.replies:
        given = given.filter(state="sent")
    row = rows.first()
    if row is None or not given.exists() or not path_of(row.sha256).exists():
        raise Http404
    return FileResponse(path_of(row.sha256).open("rb"), as_attachment=True, filename=row.name, content_type="application/octet-stream")  # fmt: skip


# -- reviews ----------------------------------------------------------------------------------


@page
def review_list(request: HttpRequest) -> HttpResponse:
    """The reviews due and under way over the contracts that the actor reviews or lives."""
    actor, today = request.actor, clock.today()
    if not actor.signed_in:
        actor.require("review.manage")
    contracts = Contract.objects.filter(state="signed")
    if not (actor.national and actor.can("review.manage")):
        if not (actor.side in ("state", "authority", "governance") and actor.can("draft.read")) or actor.national:
            actor.require("review.manage")
        contracts = contract_access.drafts_of(actor, today, contracts)
    asked = request.GET.get("kind", "")
    kinds = (asked,) if asked in states.REVIEW_KINDS else queries.KINDS
    due = queries.reviews_due(today, kinds=kinds, contracts=contracts, ahead=dt.timedelta(days=180), concluded=True)
    due = [d for d in due if asked == "yearly" or d.kind != "yearly" or d.review is not None]
    named_on([d.contract.cluster for d in due], today)
    rows = [
        {
            "due": d,
            "name": getattr(d.contract.cluster, "name_of_day", d.contract.cluster.name),
            "kind": states.REVIEW_KINDS[d.kind],
            "state": states.REVIEW_TITLES[d.state] if d.state else T("à ouvrir", "to be opened"),
            "tone": states.TONES.get(d.state, "quiet"),
            "light": "done" if d.state == "concluded" else "late" if d.due_on < today else "not_yet_due",
            "conclusion": states.CONCLUSIONS.get(d.review.conclusion) if d.review else None,
        }
        for d in due
    ]
    if wants(request) != "html":
        columns = [("cluster", Column(T("Pôle", "Cluster"))), ("contract", Column(T("Contrat", "Contract"))), ("kind", Column(T("Examen", "Review"))), ("due_on", Column(T("Attendu le", "Due on"), "date")), ("state", Column(T("État", "State"))), ("conclusion", Column(T("Conclusion", "Conclusion")))]  # fmt: skip
        cells = ([r["name"], r["due"].contract.title, str(r["kind"]), r["due"].due_on, str(r["state"]), str(r["conclusion"] or "")] for r in rows)  # fmt: skip
        return export(request, "examens", columns, cells, simulated=any(d.contract.simulated for d in due))
    return render(
        request,
        "evaluations/review_list.html",
        {
            "title": T("Examens des contrats", "Reviews of contracts"),
            "rows": rows,
            "asked": asked,
            "kinds": list(states.REVIEW_KINDS.items()),
            "late": sum(r["light"] == "late" for r in rows),
            "breadcrumb": [{"url": reverse("campaigns"), "label": T("Évaluations", "Evaluations")}, {"url": None, "label": T("Examens", "Reviews")}],
        },
    )  # fmt: skip


def _contract(request: HttpRequest, slug: str) -> Contract:
    rows = contract_access.drafts_of(request.actor, clock.today()).select_related("cluster")
    return get_object_or_404(rows, slug=slug)


@never_cache
@page
def reviews(request: HttpRequest, slug: str) -> HttpResponse:
    """The reviews that a contract owes over its life, and the form to open the next one."""
    actor, today = request.actor, clock.today()
    contract = _contract(request, slug)
    runs = actor.can("review.manage") and actor.side == "state"
    if request.method == "POST":
        made = review_actions.open_review(contract, request.POST.get("kind", ""), by=actor, on=today, due_on=_day(request.POST.get("due_on", "")))  # fmt: skip
        return redirect("review", made.pk)
    visible = set(access.reviews_visible_to(actor, today).filter(contract=contract).values_list("pk", flat=True))
    due = queries.reviews_due(today, contracts=Contract.objects.filter(pk=contract.pk), concluded=True)
    return render(
        request,
        "evaluations/reviews.html",
        {
            "title": T("Examens du contrat", "Reviews of the contract"),
            "contract": contract,
            "rows": [{"due": d, "kind": states.REVIEW_KINDS[d.kind], "state": states.REVIEW_TITLES[d.state] if d.state else T("à ouvrir", "to be opened"), "tone": states.TONES.get(d.state, "quiet"), "url": reverse("review", args=[d.review.pk]) if d.review and d.review.pk in visible else None, "light": "done" if d.state == "concluded" else "late" if d.due_on < today else "not_yet_due", "conclusion": states.CONCLUSIONS.get(d.review.conclusion) if d.review and d.review.pk in visible else None} for d in due],
            "runs": runs and contract.state == "signed",
            "breadcrumb": [{"url": reverse("contract", args=[contract.slug]), "label": contract.title}, {"url": None, "label": T("Examens", "Reviews")}],
        },
    )  # fmt: skip


def _review(request: HttpRequest, pk: int) -> Review:
    rows = access.reviews_visible_to(request.actor, clock.today())
    return get_object_or_404(rows.select_related("contract__cluster", "pack", "amendment"), pk=pk)


@never_cache
@page
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """A review: the evidence as frozen, axis by axis; findings; conclusion; the revision of funding."""
    actor = request.actor
    found = _review(request, pk)
    hearing_ = Hearing.objects.filter(review=found).first()
    runs = actor.can("review.manage") and actor.side == "state"
    if hearing_ is not None and hearing_.state == "drafting" and not runs:
        hearing_ = None
    evidence = json.loads(found.pack.canonical)["content"] if found.pack_id else None
    if wants(request) == "json":
        return HttpResponse(found.pack.canonical if found.pack_id else "{}", content_type="application/json")
    titles = {i.code: i.title for i in policy().indicators}
    for one in evidence["indicators"] if evidence else ():
        one["title"] = titles.get(one["code"]) or (
            T(**one["title"]) if isinstance(one["title"], dict) else one["title"]
        )
    return render(
        request,
        "evaluations/review.html",
        {
            "title": T("{k} : {c}", "{k}: {c}", k=states.REVIEW_KINDS[found.kind], c=found.contract.cluster.name),
            "review": found,
            "contract": found.contract,
            "state": states.REVIEW_TITLES[found.state],
            "tone": states.TONES[found.state],
            "evidence": evidence,
            "why": why_of(found.why),
            "hearing": hearing_,
            "hearing_state": states.HEARING_TITLES[hearing_.state] if hearing_ else None,
            "runs": runs,
            "form": ConclusionForm(),
            "concludes": runs and found.state != "concluded" and (hearing_ is None or hearing_.state in ("drafting", "closed")),
            "conclusion": states.CONCLUSIONS.get(found.conclusion),
            "breadcrumb": [{"url": reverse("contract", args=[found.contract.slug]), "label": found.contract.title}, {"url": reverse("reviews", args=[found.contract.slug]), "label": T("Examens", "Reviews")}, {"url": None, "label": states.REVIEW_KINDS[found.kind]}],
        },
    )  # fmt: skip


@acts
def review_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the findings, conclude."""
    actor, today = request.actor, clock.today()
    found = _review(request, pk)
    act = request.POST.get("act", "")
    if act == "findings":
        return redirect("hearing", hearing_actions.begin(found, by=actor, on=today).pk)
    if act == "conclude":
        form = ConclusionForm(request.POST)
        if not form.is_valid():
            raise Refused(T("La conclusion n'est pas complète.", "The conclusion is not complete."), missing=[f"{form.fields[k].label} : {e[0]}" for k, e in form.errors.items()], kind="input")  # fmt: skip
        v = form.cleaned_data
        made = review_actions.conclude_review(
            found, v["conclusion"], reason=v["reason"], by=actor, on=today,
            revise_funding=False if v["keep_funding"] or v["conclusion"] == "satisfactory" else True,
        )  # fmt: skip
        if made.amendment_id:
            messages.success(
                request, T("L'avenant n° {n} est ouvert.", "Amendment no. {n} is open.", n=made.amendment.number)
            )
        return redirect("review", found.pk)
    raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")
