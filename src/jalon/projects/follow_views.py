"""Pages of a project after its selection: work, yearly reports, changes, end, outcomes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.core import clock, files
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.people.queries import organisations
from jalon.projects import access, actions, following, queries, rules, states
from jalon.projects.forms import Amend, Outcome as OutcomeForm, Report
from jalon.projects.models import Outcome, Project, ProjectAmendment, YearReport
from jalon.projects.views import about, inside, trail
from jalon.ui.http import acts, page


@never_cache
@page
def follow(request: HttpRequest, slug: str) -> HttpResponse:
    """What was reported, what changed, what the project brought."""
    found, place = inside(request, slug)
    return follow_page(request, found, place)


def follow_page(
    request: HttpRequest,
    found: Project,
    place: access.Standing,
    *,
    refusal: Any = None,
    amend: Amend | None = None,
    outcome: OutcomeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of the follow-up, with what was refused."""
    day, actor = clock.today(), request.actor
    partners = queries.partners_of(found)
    reporter = place.leader and actor.can("project.report")
    follower = (place.checker or place.follower) and actor.can("project.follow") and not place.recused
    first, last = following.followed_years(found, day)
    names = {p.key: p.organisation.name for p in partners}
    return render(
        request,
        "projects/follow.html",
        {
            **about(found, place),
            "refusal": refusal,
            "reports": [
                (r, states.REPORT_TITLES[r.state], states.REPORT_TONES[r.state], states.STANDINGS.get(r.standing, ""))
                for r in found.year_reports.all()
            ],
            "amendments": [
                (
                    a,
                    states.AMENDMENT_KINDS[a.kind],
                    states.AMENDMENT_TITLES[a.state],
                    states.AMENDMENT_TONES[a.state],
                    _amendment_text(a),
                )
                for a in found.amendments.all()
            ],
            "outcomes": [
                (
                    o,
                    states.OUTCOMES.get(o.kind, o.kind),
                    names.get(o.partner.key, o.partner.organisation.name) if o.partner else "",
                    o.kind in states.MONEY_OUTCOMES,
                )
                for o in Outcome.objects.filter(project=found, superseded_at__isnull=True)
                .select_related("partner__organisation", "file")
                .order_by("-year", "kind", "pk")
            ],
            "amend_form": amend or Amend(partners=partners),
            "outcome_form": outcome or OutcomeForm(initial={"year": min(last, day.year)}),
            "years": (first, last),
            "reporter": reporter,
            "follower": follower,
            "may_amend": reporter and found.state in ("selected", "running"),
            "may_declare": place.consortium and actor.can("project.report") and found.state in ("running", "finished"),
            "may_start": follower and found.state == "selected",
            "may_finish": follower and found.state == "running",
            "ends_on": rules.ends_on(found.starts_on, found.months),
            "breadcrumb": trail(found, (None, T("Suivi", "Follow-up"))),
        },
        status=status,
    )


def _amendment_text(row: ProjectAmendment) -> Any:
    content = row.content
    if row.kind == "duration":
        return T("{a} → {n} mois", "{a} → {n} months", a=row.before.get("months", "…"), n=content["months"])
    if row.kind == "partner_out":
        return content["name"]
    from jalon.ui import format as fmt

    return T("{n} : {t}", "{n}: {t}", n=content["name"], t=fmt.money(content.get("total")))


@acts
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    """The work begins."""
    found, _ = inside(request, slug)
    following.start_work(found, by=request.actor, on=clock.today())
    messages.success(request, T("Le projet est en cours.", "The project is running."))
    return redirect("project-follow", slug)


@acts
def finish(request: HttpRequest, slug: str) -> HttpResponse:
    """The project ends."""
    found, place = inside(request, slug)
    access.may_follow(request.actor, found, clock.today())
    try:
        ended = actions._day(request.POST.get("ended_on"), T("fin", "end"))
        if ended is None:
            raise Refused(T("Donnez le jour de la fin.", "Give the day of the end."), kind="input")
        following.finish(found, ended_on=ended, by=request.actor, on=clock.today())
    except NotAllowed:
        raise
    except Refused as refusal:
        return follow_page(request, found, place, refusal=refusal, status=400)
    messages.success(
        request,
        T("Le projet est achevé ; ses résultats sont suivis.", "The project is finished; its outcomes are followed."),
    )
    return redirect("project-follow", slug)


@never_cache
@page
def report(request: HttpRequest, slug: str, year: int) -> HttpResponse:
    """A yearly report: written and handed in by the leader, accepted or returned by the public side."""
    found, place = inside(request, slug)
    row = get_object_or_404(YearReport, project=found, year=year)
    day, actor = clock.today(), request.actor
    writes = place.leader and actor.can("project.report") and row.state in ("open", "returned")
    answers = (
        (place.checker or place.follower)
        and actor.can("project.follow")
        and row.state == "submitted"
        and not place.recused
    )
    form = Report(request.POST or None, initial={n: getattr(row, n) for n in following.REPORT_FIELDS})
    refusal: Refused | None = None
    if request.method == "POST":
        try:
            if "accept" in request.POST or "return" in request.POST:
                following.review_report(
                    row, accept="accept" in request.POST, reasons=request.POST.get("reasons", ""), by=actor, on=day
                )
                messages.success(request, T("Réponse enregistrée.", "Answer recorded."))
                return redirect("project-follow", slug)
            if form.is_valid():
                rev = request.POST.get("rev", "")
                following.save_report(row, form.cleaned_data, rev=int(rev) if rev.isdigit() else None, by=actor, on=day)
                if "submit" in request.POST:
                    following.submit_report(row, by=actor, on=day)
                    messages.success(request, T("Compte rendu remis.", "Report handed in."))
                    return redirect("project-follow", slug)
                messages.success(request, T("Enregistré.", "Saved."))
                return redirect("project-report", slug, year)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
            row.refresh_from_db()
    return render(
        request,
        "projects/report.html",
        {
            **about(found, place),
            "report": row,
            "report_state": states.REPORT_TITLES[row.state],
            "report_tone": states.REPORT_TONES[row.state],
            "standing": states.STANDINGS.get(row.standing, ""),
            "form": form,
            "writes": writes,
            "answers": answers,
            "refusal": refusal,
            "breadcrumb": trail(
                found, (reverse("project-follow", args=[slug]), T("Suivi", "Follow-up")), (None, str(year))
            ),
        },
        status=409
        if isinstance(refusal, Conflict)
        else 400
        if refusal or (request.method == "POST" and form.errors)
        else 200,
    )


@acts
def amend(request: HttpRequest, slug: str) -> HttpResponse:
    """Propose a change."""
    found, place = inside(request, slug)
    form = Amend(request.POST, partners=queries.partners_of(found))
    if not form.is_valid():
        return follow_page(request, found, place, amend=form, status=400)
    values = form.cleaned_data
    content: dict[str, Any] = {"partner": values["partner"], "months": values["months"], "lines": values["lines"]}
    try:
        if values["kind"] == "partner_in":
            matching = list(organisations(q=values["organisation"])[:2]) if values["organisation"].strip() else []
            if len(matching) != 1:
                raise Refused(
                    T(
                        "« {q} » : {n} organismes trouvés ; donnez le nom complet ou le SIREN.",
                        "“{q}”: {n} organisations found; give the full name or the SIREN.",
                        q=values["organisation"],
                        n=len(matching) if len(matching) < 2 else "2+",
                    ),
                    kind="input",
                )
            content["organisation"] = matching[0].pk
        following.propose_amendment(
            found, values["kind"], content, reason=values["reason"], by=request.actor, on=clock.today()
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return follow_page(request, found, place, refusal=refusal, amend=form, status=400)
    messages.success(
        request, T("Changement proposé ; il vaut une fois approuvé.", "Change proposed; it binds once approved.")
    )
    return redirect("project-follow", slug)


@acts
def decide(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Approve or refuse a change."""
    found, place = inside(request, slug)
    row = get_object_or_404(ProjectAmendment, project=found, number=number)
    try:
        following.decide_amendment(
            row,
            approve="approve" in request.POST,
            reason=request.POST.get("reason", ""),
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return follow_page(request, found, place, refusal=refusal, status=400)
    messages.success(
        request, T("Réponse enregistrée ; le chef de file est prévenu.", "Answer recorded; the leader is told.")
    )
    return redirect("project-follow", slug)


@acts
def declare(request: HttpRequest, slug: str) -> HttpResponse:
    """Declare an outcome, or a new version of one."""
    found, place = inside(request, slug)
    form = OutcomeForm(request.POST, request.FILES)
    if not form.is_valid():
        return follow_page(request, found, place, outcome=form, status=400)
    values = dict(form.cleaned_data)
    upload = values.pop("file")
    replaced = request.POST.get("replaces", "")
    old = get_object_or_404(Outcome, project=found, pk=int(replaced)) if replaced.isdigit() else None
    try:
        following.declare_outcome(
            found, values.pop("kind"), values.pop("year"), values.pop("quantity"), by=request.actor, on=clock.today(),
            file=(upload, upload.name) if upload else None, replaces=old, **values,
        )  # fmt: skip
    except NotAllowed:
        raise
    except Refused as refusal:
        return follow_page(request, found, place, refusal=refusal, outcome=form, status=400)
    messages.success(
        request, T("Résultat déclaré ; il compte une fois validé.", "Outcome declared; it counts once validated.")
    )
    return redirect("project-follow", slug)


@acts
def judge(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Validate an outcome, or set it aside."""
    found, place = inside(request, slug)
    row = get_object_or_404(Outcome, project=found, pk=pk)
    try:
        following.validate_outcome(
            row,
            valid="valid" in request.POST,
            reason=request.POST.get("reason", ""),
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return follow_page(request, found, place, refusal=refusal, status=400)
    messages.success(request, T("Réponse enregistrée.", "Answer recorded."))
    return redirect("project-follow", slug)


@page
def evidence(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The evidence of an outcome, as a download."""
    found, _ = inside(request, slug)
    row = get_object_or_404(Outcome.objects.select_related("file"), project=found, pk=pk, file__isnull=False)
    path = files.path_of(row.file.sha256)
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=row.file.name, content_type=row.file.content_type)
