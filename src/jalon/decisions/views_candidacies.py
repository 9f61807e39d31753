"""Pages of applications for the label: calls, files, reviews."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache

from jalon.core import clock, files
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.decisions import access, candidacies, queries, rules, states
from jalon.decisions.forms import CallForm, CandidacyForm, ReviewForm, SettleForm, StartForm
from jalon.decisions.models import Candidacy, CandidacyCall
from jalon.interests import access as interests
from jalon.interests.actions import declare as declare_interest
from jalon.people.access import policy
from jalon.ui.http import acts, export, page, wants

ROOT = T("Candidatures au label", "Applications for the label")


def _call(request: HttpRequest, code: str) -> CandidacyCall:
    found = access.calls_visible_to(request.actor).filter(code=code).first()
    if found is None:
        raise Http404
    return found


def _file(request: HttpRequest, slug: str) -> Candidacy:
    rows = Candidacy.objects.select_related("call", "organisation", "cluster", "frozen")
    found = access.applications(request.actor, clock.today(), rows).filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def _trail(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [{"url": reverse("candidacy-calls"), "label": ROOT}, *({"url": u, "label": t} for u, t in more)]


def criteria_of(call: CandidacyCall) -> list[tuple[str, Any]]:
    """The criteria of a call in words: those of the policy by their code, others by their own text."""
    part = rules.part_of(policy())
    known = {c.code: c.title for c in part.criteria} if part else {}
    found = []
    for n, one in enumerate(call.criteria, 1):
        if isinstance(one, str):
            found.append((one, known.get(one, one)))
        else:
            found.append((str(one.get("code") or n), T(one.get("fr", ""), one.get("en", ""))))
    return found


@page
def calls(request: HttpRequest) -> HttpResponse:
    """The calls for applications, newest first, with their published figures."""
    rows = list(access.calls_visible_to(request.actor).prefetch_related("candidacies"))
    if wants(request) != "html":
        columns = [
            ("call", Column(T("Appel", "Call"))),
            ("opens_on", Column(T("Ouverture", "Opening"))),
            ("closes_on", Column(T("Clôture", "Closing"))),
            ("decided_on", Column(T("Décision", "Decision"))),
            ("candidates", Column(T("Candidats publiés", "Candidates, as published"), kind="number")),
            ("labelled", Column(T("Labellisés publiés", "Labelled, as published"), kind="number")),
            ("simulated", Column(T("Simulé", "Simulated"))),
        ]
        return export(
            request,
            str(T("appels-a-candidatures", "calls-for-applications")),
            columns,
            (
                (
                    str(T(r.title_fr, r.title_en)),
                    r.opens_on,
                    r.closes_on,
                    r.decided_on,
                    r.counts.get("candidates"),
                    r.counts.get("labelled"),
                    str(T("oui", "yes") if r.simulated else T("non", "no")),
                )
                for r in rows
            ),
        )
    return render(
        request,
        "decisions/calls.html",
        {
            "title": ROOT,
            "rows": [
                {
                    "call": r,
                    "title": T(r.title_fr, r.title_en),
                    "state": states.CALL_TITLES[r.state],
                    "tone": states.CALL_TONES[r.state],
                    "named": sum(c.state not in ("draft",) for c in r.candidacies.all()),
                }
                for r in rows
            ],
            "manages": request.actor.can("candidacy.manage") and rules.part_of(policy()) is not None,
            "breadcrumb": [{"url": None, "label": ROOT}],
        },
    )


@never_cache
@page
def new_call(request: HttpRequest) -> HttpResponse:
    """Prepare a call."""
    actor, on = request.actor, clock.today()
    actor.require("candidacy.manage")
    form = CallForm(request.POST or None, criteria=rules.criteria_on(policy(), on))
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            call = candidacies.add_call(by=actor, on=on, **form.cleaned_data)
        except Refused as error:
            refusal = error
        else:
            return redirect("candidacy-call", call.code)
    return render(
        request,
        "decisions/call_new.html",
        {"title": T("Nouvel appel à candidatures", "New call for applications"), "form": form, "refusal": refusal, "breadcrumb": _trail((None, T("Nouvel appel", "New call")))},
        status=400 if refusal else 200,
    )  # fmt: skip


def _shown(request: HttpRequest, call: CandidacyCall, on: dt.date) -> list[Candidacy]:
    """Applications shown on a call's page: those whose file opens, and what became of the others once it is decided."""
    mine = {c.pk for c in access.applications(request.actor, on, call.candidacies.all())}
    rows = call.candidacies.select_related("cluster", "organisation").order_by("rank", "name")
    found = []
    for row in rows:
        row.opens = row.pk in mine
        if row.opens or (call.state == "decided" and row.state not in ("draft", "withdrawn")):
            found.append(row)
    return found


@never_cache
@page
def call(request: HttpRequest, code: str) -> HttpResponse:
    """A call: days, criteria, published figures, levels of review, applications."""
    actor, on = request.actor, clock.today()
    row = _call(request, code)
    shown = _shown(request, row, on)
    reads = actor.can("candidacy.manage") or actor.can("decision.decide") or row.state == "decided"
    laws = policy()
    levels = rules.levels_on(laws, row.opens_on or row.decided_on or on)
    reviews: dict[int, dict[str, list[Any]]] = {}
    if reads and actor.signed_in:
        from jalon.decisions.models import CandidacyReview

        for one in CandidacyReview.objects.filter(candidacy__call=row, replaced_at=None).order_by("at"):
            reviews.setdefault(one.candidacy_id, {}).setdefault(one.level, []).append(one)
    means = {
        s.key: s
        for s in rules.ranking(
            (c.slug, [r.scores for rs in reviews.get(c.pk, {}).values() for r in rs], [r.opinion for rs in reviews.get(c.pk, {}).values() for r in rs])
            for c in shown
        )
    }  # fmt: skip
    table = [
        {
            "row": c,
            "state": states.CANDIDACY_TITLES[c.state],
            "tone": states.CANDIDACY_TONES[c.state],
            "levels": [
                [(rules.OUTCOMES[r.opinion], rules.OUTCOME_LIGHTS[r.opinion]) for r in reviews.get(c.pk, {}).get(level.code, [])]
                for level in levels
            ],
            "mean": means[c.slug].mean if reads and actor.signed_in else None,
        }
        for c in shown
    ]  # fmt: skip
    if wants(request) != "html":
        columns = [
            ("application", Column(T("Candidature", "Application"))),
            ("body", Column(T("Organisme", "Body"))),
            ("state", Column(T("Suite", "Outcome"))),
            ("rank", Column(T("Rang", "Place"), kind="number")),
            ("mean", Column(T("Moyenne", "Mean"), kind="number")),
            ("simulated", Column(T("Simulé", "Simulated"))),
        ]
        return export(
            request,
            row.code,
            columns,
            (
                (t["row"].name, t["row"].organisation.name if t["row"].organisation else "", str(t["state"]), t["row"].rank if reads else None, t["mean"], str(T("oui", "yes") if t["row"].simulated else T("non", "no")))
                for t in table
            ),
        )  # fmt: skip
    moves = [m for m in states.CALL_MOVES if row.state in m.sources] if actor.can("candidacy.manage") and not row.known else []  # fmt: skip
    opens = rules.window_refusal(row.opens_on, row.closes_on, on) is None and row.state == "open"
    return render(
        request,
        "decisions/call.html",
        {
            "title": T(row.title_fr, row.title_en),
            "call": row,
            "state": states.CALL_TITLES[row.state],
            "tone": states.CALL_TONES[row.state],
            "criteria": criteria_of(row),
            "levels": levels,
            "level_whys": [(one, queries.OpinionView(one, None).why) for one in levels],
            "table": table,
            "reads": reads and actor.signed_in,
            "counts": [(COUNTS.get(k, k), n) for k, n in row.counts.items()],
            "notes": [T(n["fr"], n["en"]) if isinstance(n, dict) else n for n in row.notes],
            "moves": moves,
            "start_form": StartForm() if opens and actor.can("candidacy.submit") and actor.organisation_id else None,
            "sources": queries.sources_of(row.sources),
            "breadcrumb": _trail((None, T(row.title_fr, row.title_en))),
        },
    )


COUNTS = {
    "online_at_closing": T("dossiers en ligne à la clôture", "files online at closing"),
    "candidates": T("candidats", "candidates"),
    "labelled": T("labellisés", "labelled"),
    "labelled_named": T("labellisés nommés dans les sources", "labelled, named in the sources"),
    "attached": T("rattachés à des pôles existants", "attached to existing clusters"),
    "sent_back": T("renvoyé à une étude", "sent back for study"),
}


@acts
def move_call(request: HttpRequest, code: str) -> HttpResponse:
    row, move = _call(request, code), request.POST.get("move", "")
    if move == "rank":
        candidacies.rank(row, by=request.actor, on=clock.today())
    elif move in ("open", "close", "finish"):
        candidacies.move_call(row, move, by=request.actor, on=clock.today())
    else:
        request.actor.require("candidacy.manage")
        raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")
    messages.success(request, str(T("C'est enregistré.", "It is recorded.")))
    return redirect("candidacy-call", code)


@acts
def start(request: HttpRequest, code: str) -> HttpResponse:
    row = _call(request, code)
    name = request.POST.get("name", "")
    made = candidacies.start(
        row, name=name, slug=slugify(name)[:76] or "candidature", by=request.actor, on=clock.today()
    )
    return redirect("candidacy-edit", made.slug)


TITLES = {
    "theme": T("Thématique", "Theme"),
    "stakes": T("Enjeux économiques", "Economic stakes"),
    "axes": T("Axes de recherche et développement", "R&D axes"),
    "partnership": T("Partenariat", "Partnership"),
    "collaboration": T("Collaboration", "Collaboration"),
    "territory": T("Territoire", "Territory"),
    "governance": T("Gouvernance", "Governance"),
    "summary": T("Résumé", "Summary"),
}


@never_cache
@page
def read(request: HttpRequest, slug: str) -> HttpResponse:
    """An application: what it says, what the levels say, what became of it."""
    return _page(request, _file(request, slug))


def _page(request: HttpRequest, row: Candidacy, *, status: int = 200, **more: Any) -> HttpResponse:
    actor, on = request.actor, clock.today()
    laws = policy()
    own = actor.can("candidacy.submit") and row.organisation_id == actor.organisation_id
    level = access.level_of(actor, on) if actor.can("candidacy.review") and not own else None
    stance = interests.stances(actor.user_id, [row.case]).get(row.case)
    locked = level is not None and stance != "none" and row.state == "submitted"
    reads = access.reads_reviews(actor, row)
    reviews = list(row.reviews.filter(replaced_at=None).order_by("level", "at")) if not locked else []
    seen = [r for r in reviews if reads or r.user_id_by == actor.user_id]
    part = rules.part_of(laws)
    titles = {one.code: one.title for one in part.levels} if part else {}
    most = rules.parameter(laws, "decisions.score_most", on)
    regions = laws.regions_on(row.call.opens_on or row.call.decided_on or on)
    names = {r.code: r.name for r in regions.regions} if regions else {}
    context: dict[str, Any] = {
        "title": row.name,
        "row": row,
        "call": row.call,
        "state": states.CANDIDACY_TITLES[row.state],
        "tone": states.CANDIDACY_TONES[row.state],
        "own": own,
        "locked": locked,
        "content": [(TITLES[k], row.content[k]) for k in TITLES if row.content.get(k)] if not locked else [],
        "partners": [(p["name"], candidacies.PARTNER_KINDS.get(p["kind"], p["kind"])) for p in row.partners] if not locked else [],
        "regions": [names.get(c, c) for c in row.regions],
        "papers": list(row.papers.select_related("file")) if not locked else [],
        "reviews": [(titles.get(r.level, r.level), r, rules.OUTCOMES[r.opinion], rules.OUTCOME_LIGHTS[r.opinion], [(dict(criteria_of(row.call)).get(k, k), v) for k, v in r.scores.items()]) for r in seen],
        "level": level,
        "most": most.value if most else 5,
        "settle_form": SettleForm() if actor.can("candidacy.manage") and row.state == "submitted" and not row.known else None,
        "sources": queries.sources_of(row.sources),
        "breadcrumb": _trail((reverse("candidacy-call", args=[row.call.code]), T(row.call.title_fr, row.call.title_en)), (None, row.name)),
    }  # fmt: skip
    if level is not None and not locked and row.state == "submitted" and not row.known:
        context["review_form"] = ReviewForm(criteria=criteria_of(row.call), most=context["most"], scored=level.scored)
    return render(request, "decisions/candidacy.html", {**context, **more}, status=status)


@never_cache
@page
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Write one's own application."""
    actor, on = request.actor, clock.today()
    row = _file(request, slug)
    access.may_edit(actor, row)
    regions = policy().regions_on(row.call.opens_on or on)
    given = {
        "name": row.name,
        "city": row.city,
        "regions": row.regions,
        "rev": row.rev,
        "partners": "\n".join(f"{p['name']} ; {p['kind']}" for p in row.partners),
        **row.content,
    }
    form = CandidacyForm(request.POST or None, regions=regions.regions if regions else (), initial=given)
    refusal = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            candidacies.edit(
                row,
                rev=said["rev"],
                name=said["name"],
                city=said["city"],
                regions=said["regions"],
                content={k: said[k] for k in ("theme", "stakes", "axes", "partnership", "collaboration")},
                partners=form.partner_rows(),
                by=actor,
                on=on,
            )
        except Refused as error:
            refusal = error
        else:
            messages.success(request, str(T("La candidature est enregistrée.", "The application is saved.")))
            return redirect("candidacy", slug)
    return render(
        request,
        "decisions/candidacy_edit.html",
        {"title": T("Rédiger : {n}", "Write: {n}", n=row.name), "row": row, "form": form, "refusal": refusal,
         "breadcrumb": _trail((reverse("candidacy", args=[slug]), row.name), (None, T("Rédiger", "Write")))},
        status=(409 if refusal.kind == "conflict" else 400) if refusal else 200,
    )  # fmt: skip


@acts
def paper(request: HttpRequest, slug: str) -> HttpResponse:
    row = _file(request, slug)
    access.may_edit(request.actor, row)
    upload = request.FILES.get("file")
    if upload is None:
        raise Refused(T("Choisissez un fichier.", "Choose a file."), kind="input")
    candidacies.add_paper(row, upload, title=request.POST.get("title", ""), by=request.actor, on=clock.today())
    return redirect("candidacy", slug)


@page
def paper_file(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A paper, as a download."""
    row = _file(request, slug)
    actor = request.actor
    if actor.can("candidacy.review") and row.organisation_id != actor.organisation_id:
        interests.require_declared(actor, row.case)
    found = get_object_or_404(row.papers.select_related("file"), pk=pk)
    place = files.path_of(found.file.sha256)
    if not place.exists():
        raise Http404
    return FileResponse(place.open("rb"), as_attachment=True, filename=found.file.name)


@acts
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    candidacies.submit(_file(request, slug), by=request.actor, on=clock.today())
    messages.success(
        request, str(T("La candidature est déposée et figée.", "The application is submitted and frozen."))
    )
    return redirect("candidacy", slug)


@acts
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    candidacies.withdraw(_file(request, slug), by=request.actor, on=clock.today())
    messages.success(request, str(T("La candidature est retirée.", "The application is withdrawn.")))
    return redirect("candidacy", slug)


@page
@acts
def review(request: HttpRequest, slug: str) -> HttpResponse:
    """Give an opinion; what was typed is kept when it is refused."""
    row, actor, on = _file(request, slug), request.actor, clock.today()
    actor.require("candidacy.review")
    level = access.level_of(actor, on)
    most = rules.parameter(policy(), "decisions.score_most", on)
    form = ReviewForm(
        request.POST,
        criteria=criteria_of(row.call),
        most=int(most.value) if most else 5,
        scored=bool(level and level.scored),
    )
    try:
        if not form.is_valid():
            interests.require_declared(actor, row.case)
            return _page(request, row, status=400, review_form=form)
        candidacies.review(
            row,
            opinion=form.cleaned_data["opinion"],
            justification=form.cleaned_data["justification"],
            scores=form.scores(),
            by=actor,
            on=on,
        )
    except Refused as refusal:
        if refusal.kind == "access":
            raise
        return _page(request, row, status=400, review_form=form, refusal=refusal)
    messages.success(request, str(T("L'avis est enregistré.", "The opinion is recorded.")))
    return redirect("candidacy", slug)


@acts
def declare(request: HttpRequest, slug: str) -> HttpResponse:
    """Declare one's interests before the file opens."""
    row = _file(request, slug)
    request.actor.require("candidacy.review")
    declare_interest(
        row.case,
        request.POST.get("stance", ""),
        reason=request.POST.get("reason", ""),
        by=request.actor,
        on=clock.today(),
    )
    if request.POST.get("stance") == "interest":
        messages.success(request, str(T("Votre déport est enregistré.", "Your recusal is recorded.")))
        return redirect("candidacy-call", row.call.code)
    return redirect("candidacy", slug)


@acts
def settle(request: HttpRequest, slug: str) -> HttpResponse:
    row = _file(request, slug)
    request.actor.require("candidacy.manage")
    form = SettleForm(request.POST)
    if not form.is_valid():
        raise Refused(T("Dites la suite et son motif.", "Say the outcome and its reason."), kind="input")
    candidacies.settle(
        row, form.cleaned_data["outcome"], text=form.cleaned_data["text"], by=request.actor, on=clock.today()
    )
    messages.success(request, str(T("La suite est enregistrée.", "The outcome is recorded.")))
    return redirect("candidacy", slug)
