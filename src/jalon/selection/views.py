"""Pages of the selection: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.models import Cluster
from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T, Text
from jalon.core.models import Source
from jalon.core.sheets import Column
from jalon.core.why import Why
from jalon.interests import access as interests
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, Organisation, User
from jalon.projects.access import visible_to as projects_visible_to
from jalon.projects.history import published_of
from jalon.projects.models import Call, Project, Request
from jalon.selection import access, actions, columns, letters as letter_texts, queries, rules, states
from jalon.selection.messages import LETTERS
from jalon.selection.models import Assessment, Consensus, Exercise, Listed, Scenario, Share
from jalon.ui import charts, format as fmt
from jalon.ui.http import acts, export, page, wants, wants_json

PER_PAGE = 50
CALL_PAGE = 200
"""Projects on one page of the financing table: a call of the fund fits on one."""


# -- what every page needs --------------------------------------------------------------------------------------------


def _call(code: str) -> Call:
    return get_object_or_404(Call, code=code)


def _exercise(request: HttpRequest, code: str) -> Exercise:
    """The open selection of a call, for those who have a part in selections."""
    access.require_part(request.actor)
    found = queries.exercise_of(_call(code))
    if found is None:
        raise Http404
    return found


def _project(request: HttpRequest, slug: str) -> tuple[Project, Exercise]:
    """A project of an open selection whose financing the actor may read."""
    access.require_part(request.actor)
    project = get_object_or_404(Project.objects.select_related("call", "rules"), slug=slug)
    access.may_open(request.actor, project, clock.today())
    found = queries.exercise_of(project.call) if project.call_id else None
    if found is None:
        raise Http404
    return project, found


def _trail(exercise: Exercise | None, *more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    trail = [{"url": reverse("selection-index"), "label": T("Sélection des projets", "Selection of projects")}]
    if exercise is not None:
        call = exercise.call
        trail.append({"url": reverse("selection", args=[call.code]), "label": queries.title_of(call)})
    return [*trail, *({"url": url, "label": label} for url, label in more)]


def _tabs(actor: Actor, exercise: Exercise, current: str) -> list[dict[str, Any]]:
    code = exercise.call.code
    tabs = [("selection", T("Exercice", "Exercise"), True)]
    tabs.append(("selection-desk", T("Instruction", "Assessment"), access.reads_ranking(actor)))
    tabs.append(("selection-ranking", T("Classement", "Ranking"), access.reads_ranking(actor)))
    tabs.append(("selection-financing", T("Financement", "Financing"), True))
    tabs.append(("selection-funder", T("Mes intentions", "My intentions"), actor.can("selection.intend")))
    tabs.append(("selection-scenarios", T("Scénarios", "Scenarios"), access.reads_all(actor)))
    tabs.append(("selection-results", T("Résultats", "Results"), _sees_results(actor, exercise)))
    return [
        {"url": reverse(name, args=[code]), "label": label, "current": name == current}
        for name, label, shown in tabs
        if shown
    ]


def _sees_results(actor: Actor, exercise: Exercise | None) -> bool:
    return exercise is None or exercise.announced_on is not None or access.reads_all(actor)


def _frame(request: HttpRequest, exercise: Exercise, current: str, *more: tuple[str | None, Any]) -> dict[str, Any]:
    return {
        "exercise": exercise,
        "call": exercise.call,
        "call_title": queries.title_of(exercise.call),
        "state": states.TITLES[exercise.state],
        "tone": states.TONES[exercise.state],
        "tabs": _tabs(request.actor, exercise, current),
        "breadcrumb": _trail(exercise, *more),
        "manages": request.actor.can("selection.manage"),
        "decides": request.actor.can("selection.decide"),
        "open": exercise.state == "assessment",
    }


def _day(text: str) -> dt.date | None:
    found = fmt.as_date(text.strip())
    if text.strip() and found is None:
        raise Refused(
            T(
                "« {t} » n'est pas une date ; attendu : AAAA-MM-JJ.",
                "“{t}” is no date; expected YYYY-MM-DD.",
                t=text[:20],
            ),
            kind="input",
        )
    return found


def _number(request: HttpRequest, name: str, where: Any) -> Decimal | None:
    return actions.decimal_of(request.POST.get(name, ""), where=where)


def _whole(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not text.isdecimal() or len(text) > 12:
        raise Refused(
            T("La page est incomplète : rechargez-la.", "The page is incomplete: load it again."), kind="input"
        )
    return int(text)


def _link(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


# -- index and exercise -----------------------------------------------------------------------------------------------


@never_cache
@page
def index(request: HttpRequest) -> HttpResponse:
    """The selections: those under way first, and the closed calls whose selection can be opened."""
    actor, today = request.actor, clock.today()
    access.require_part(actor)
    rows = list(Exercise.objects.select_related("call").order_by("-call__closes_on", "-id"))
    counts = dict(
        Project.objects.filter(call__in=[r.call_id for r in rows], state__in=access.IN_SELECTION)
        .order_by()
        .values_list("call")
        .annotate(n=Sum(Value(1)))
    )
    closed = []
    if actor.can("selection.manage"):
        closed = Call.objects.filter(selection__isnull=True, closes_on__lt=today, projects__state="admissible")
        closed = list(closed.distinct().order_by("-closes_on")[:20])
    return render(
        request,
        "selection/index.html",
        {
            "title": T("Sélection des projets", "Selection of projects"),
            "rows": [
                {
                    "exercise": row,
                    "title": queries.title_of(row.call),
                    "state": states.TITLES[row.state],
                    "tone": states.TONES[row.state],
                    "projects": counts.get(row.call_id, 0),
                }
                for row in rows
            ],
            "closed": [{"call": c, "title": queries.title_of(c)} for c in closed],
            "used_here": policy().part("selection") is not None,
        },
    )


@never_cache
@page
def exercise(request: HttpRequest, code: str) -> HttpResponse:
    """The exercise of a call: stages, criteria and thresholds, envelopes."""
    found = _exercise(request, code)
    return _exercise_page(request, found)


def _exercise_page(
    request: HttpRequest, found: Exercise, *, refusal: Refused | None = None, typed: Mapping[str, str] | None = None
) -> HttpResponse:
    actor = request.actor
    criteria = list(found.criteria.all())
    scale = queries.scale_of(found, criteria)
    procedure = queries.procedure_of(found.call)
    uses = queries.uses(found.call)
    if not access.reads_all(actor):
        uses = [use for use in uses if use.funder is None or use.funder.pk == actor.organisation_id]
    return render(
        request,
        "selection/exercise.html",
        {
            **_frame(request, found, "selection"),
            "title": queries.title_of(found.call),
            "criteria": criteria,
            "scale": scale,
            "procedure": procedure,
            "criteria_set": queries.criteria_of_policy(found.call),
            "uses": uses,
            "tie_rules": states.TIE_RULES.items(),
            "tie_title": states.TIE_RULES[found.tie_rule],
            "refusal": refusal,
            "typed": typed or {},
            "may_envelope": actor.can("selection.decide"),
        },
        status=400 if refusal else 200,
    )


@acts
@page
def open_(request: HttpRequest, code: str) -> HttpResponse:
    """Open the selection of a call."""
    call = _call(code)
    actions.open_selection(call, by=request.actor, on=clock.today(), due_on=_day(request.POST.get("due_on", "")))
    messages.success(request, T("La sélection est ouverte.", "The selection is open."))
    return redirect("selection", call.code)


@acts
@page
def criterion(request: HttpRequest, code: str) -> HttpResponse:
    """Add a criterion for the exercise."""
    found = _exercise(request, code)
    try:
        actions.add_criterion(
            found,
            title_fr=request.POST.get("title_fr", ""),
            title_en=request.POST.get("title_en", ""),
            reason=request.POST.get("reason", ""),
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _exercise_page(request, found, refusal=refusal, typed=request.POST.dict())
    messages.success(request, T("Critère ajouté.", "Criterion added."))
    return redirect("selection", code)


@acts
@page
def rules_(request: HttpRequest, code: str) -> HttpResponse:
    """Set weights, thresholds and tie-breaking."""
    found = _exercise(request, code)
    access.may_manage(request.actor)
    criteria = list(found.criteria.all())
    try:
        order = [request.POST.get(f"tie_{n}", "") for n in range(1, 4)]
        actions.set_rules(
            found,
            weights={c.code: _number(request, f"weight_{c.code}", T(c.title_fr, c.title_en)) for c in criteria},
            minimums={c.code: _number(request, f"minimum_{c.code}", T(c.title_fr, c.title_en)) for c in criteria},
            minimum_total=_number(request, "minimum_total", T("Seuil du total", "Threshold of the total")),
            tie_rule=request.POST.get("tie_rule", ""),
            tie_order=[code_ for code_ in dict.fromkeys(order) if code_],
            reason=request.POST.get("reason", ""),
            rev=_whole(request, "rev"),
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _exercise_page(request, found, refusal=refusal, typed=request.POST.dict())
    messages.success(request, T("Règles de l'exercice enregistrées.", "Rules of the exercise saved."))
    return redirect("selection", code)


@acts
@page
def envelope(request: HttpRequest, code: str) -> HttpResponse:
    """Set the State's envelope, or the funder's own."""
    found = _exercise(request, code)
    own = request.POST.get("funder", "")
    funder = None
    if own:
        funder = get_object_or_404(Organisation, pk=own) if own.isdecimal() else None
        if funder is None:
            raise Http404
    elif not request.actor.can("selection.decide"):
        request.actor.require("selection.decide")
    try:
        amount = _number(request, "amount", T("Enveloppe", "Envelope"))
        if amount is None:
            raise Refused(T("Donnez le montant de l'enveloppe.", "Give the amount of the envelope."), kind="input")
        actions.set_envelope(
            found.call,
            amount,
            funder=funder,
            reference=request.POST.get("reference", ""),
            reason=request.POST.get("reason", ""),
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _exercise_page(request, found, refusal=refusal, typed=request.POST.dict())
    messages.success(request, T("Enveloppe enregistrée.", "Envelope saved."))
    return redirect("selection-funder" if funder else "selection", code)


@acts
@page
def announce(request: HttpRequest, code: str) -> HttpResponse:
    """Announce the results."""
    actions.announce(_exercise(request, code), by=request.actor, on=clock.today())
    messages.success(request, T("Les résultats sont publics.", "The results are public."))
    return redirect("selection-results", code)


# -- instruction ------------------------------------------------------------------------------------------------------


def _search(projects: QuerySet[Project], q: str) -> QuerySet[Project]:
    if not q:
        return projects
    return projects.filter(
        Q(acronym__icontains=q)
        | Q(title__icontains=q)
        | Q(pk__in=Project.objects.filter(partners__organisation__name__icontains=q).values("pk"))
    )


@never_cache
@page
def desk(request: HttpRequest, code: str) -> HttpResponse:
    """Who assesses what: everything for those who run the selection, their own opinions for experts."""
    found = _exercise(request, code)
    actor, today = request.actor, clock.today()
    access.require_ranking(actor)
    mine = list(
        interests.exclude_recused(
            actor,
            Assessment.objects.filter(exercise=found, expert_id=actor.user_id).exclude(state="withdrawn"),
            "project:project__slug",
        )
        .select_related("project")
        .order_by("state", "due_on", "project__acronym")
    )
    declared = interests.stances(actor.user_id, [a.project.case for a in mine]) if mine else {}
    context: dict[str, Any] = {
        **_frame(request, found, "selection-desk"),
        "title": T("Instruction des projets", "Assessment of the projects"),
        "mine": [
            {
                "assessment": a,
                "project": a.project,
                "declared": declared.get(a.project.case) == "none",
                "state": states.ASSESSMENT_TITLES[a.state],
                "light": _due_light(a, today),
                "case": a.project.case,
            }
            for a in mine
        ],
        "today": today,
    }
    if access.reads_all(actor):
        q, only = request.GET.get("q", "").strip(), request.GET.get("only", "")
        projects = _search(access.projects_for(actor, found.call, today), q)
        assessed = Assessment.objects.filter(project=OuterRef("pk")).exclude(state="withdrawn")
        if only == "unassigned":
            projects = projects.filter(~Exists(assessed))
        elif only == "waiting":
            projects = projects.filter(Exists(assessed.filter(state="asked")))
        elif only == "ready":
            projects = projects.filter(
                Exists(assessed.filter(state="submitted")),
                ~Exists(assessed.filter(state="asked")),
                consensus__isnull=True,
            )
        elif only == "agreed":
            projects = projects.filter(consensus__state="closed")
        pages = Paginator(projects.order_by("acronym", "pk"), PER_PAGE).get_page(request.GET.get("page"))
        context |= {
            "rows": queries.desk(found, list(pages.object_list)),
            "page": pages,
            "q": q,
            "only": only,
            "experts": _experts(today) if actor.can("selection.manage") and found.state == "assessment" else [],
        }
    return render(request, "selection/desk.html", context)


def _due_light(row: Assessment, today: dt.date) -> str:
    if row.state == "submitted":
        return "done"
    if row.due_on is None:
        return "not_started"
    if row.due_on < today:
        return "late"
    return "at_risk" if row.due_on - today <= dt.timedelta(days=14) else "not_yet_due"


def _experts(on: dt.date) -> list[dict[str, Any]]:
    roles = [role.code for role in policy().roles_with("selection.instruct")]
    mandates = (
        Mandate.objects.filter(role__in=roles, revoked_at__isnull=True, starts_on__lte=on, user__is_active=True)
        .exclude(ends_on__lt=on)
        .select_related("user", "organisation")
        .order_by("organisation__name_key", "user__name")
    )
    once: dict[int, dict[str, Any]] = {}
    for m in mandates:
        once.setdefault(m.user_id, {"id": m.user_id, "name": m.user.name, "organisation": m.organisation.name})
    return list(once.values())


@acts
@page
def assign(request: HttpRequest, code: str) -> HttpResponse:
    """Assign an expert to a project."""
    found = _exercise(request, code)
    access.may_manage(request.actor)
    project = get_object_or_404(
        access.projects_for(request.actor, found.call, clock.today()), pk=_whole(request, "project")
    )
    expert = get_object_or_404(User, pk=_whole(request, "expert"))
    actions.assign(
        found,
        project,
        expert,
        by=request.actor,
        on=clock.today(),
        due_on=_day(request.POST.get("due_on", "")),
    )
    messages.success(
        request, T("{u} est désigné sur {p}.", "{u} is assigned to {p}.", u=expert.name, p=project.acronym)
    )
    return redirect(f"{reverse('selection-desk', args=[code])}?{request.POST.get('back', '')[:300]}#p-{project.pk}")


def _assessment(request: HttpRequest, pk: int) -> Assessment:
    row = get_object_or_404(
        Assessment.objects.select_related("exercise__call", "exercise__fund", "project", "organisation", "expert"),
        pk=pk,
    )
    access.require_part(request.actor)
    return row


@acts
@page
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an expert off a project."""
    row = _assessment(request, pk)
    actions.withdraw_expert(row, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(request, T("Expert retiré.", "Expert withdrawn."))
    return redirect("selection-desk", row.exercise.call.code)


@never_cache
@page
def assess(request: HttpRequest, pk: int) -> HttpResponse:
    """An expert's form: scores and justifications, saved while they are written."""
    row = _assessment(request, pk)
    actor = request.actor
    if row.expert_id != actor.user_id or row.state == "withdrawn":
        raise Http404
    case = row.project.case
    if interests.stances(actor.user_id, [case]).get(case) is None and actor.can("selection.instruct"):
        return redirect("interest", case)
    access.may_assess(actor, row)
    if request.method == "POST":
        return _save_assessment(request, row)
    return _assess_page(request, row)


def _save_assessment(request: HttpRequest, row: Assessment) -> HttpResponse:
    try:
        _read_assessment(request, row)
    except NotAllowed:
        raise
    except Refused as refusal:
        if wants_json(request):
            raise
        return _assess_page(request, row, refusal=refusal, typed=request.POST.dict())
    if wants_json(request):
        return JsonResponse({"revision": row.rev, "saved_at": row.saved_at})
    messages.success(request, T("Avis enregistré.", "Opinion saved."))
    return redirect("selection-assess", row.pk)


def _read_assessment(request: HttpRequest, row: Assessment) -> None:
    criteria = list(row.exercise.criteria.all())
    rev = request.POST.get("revision") or request.POST.get("rev") or ""
    saved = actions.save_assessment(
        row,
        scores={c.code: _number(request, f"score_{c.code}", T(c.title_fr, c.title_en)) for c in criteria},
        justifications={c.code: request.POST.get(f"why_{c.code}", "") for c in criteria},
        opinion=request.POST.get("opinion", ""),
        summary=request.POST.get("summary", ""),
        rev=int(rev) if rev.isdecimal() and len(rev) < 10 else -1,
        by=request.actor,
        on=clock.today(),
    )
    row.rev, row.saved_at = saved.rev, saved.saved_at


def _assess_page(
    request: HttpRequest,
    row: Assessment,
    *,
    refusal: Refused | None = None,
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    notes = {n.criterion_id: n for n in row.notes.all()}
    typed = typed or {}
    fields = []
    for c in row.exercise.criteria.all():
        note = notes.get(c.pk)
        score = note.score if note is not None else None
        fields.append(
            {
                "criterion": c,
                "title": T(c.title_fr, c.title_en),
                "help": T(c.help_fr, c.help_en) if c.help_fr else "",
                "score": typed.get(f"score_{c.code}", "" if score is None else f"{score.normalize():f}"),
                "why": typed.get(f"why_{c.code}", note.justification if note is not None else ""),
            }
        )
    found = row.exercise
    return render(
        request,
        "selection/assess.html",
        {
            **_frame(request, found, "selection-desk", (None, row.project.acronym)),
            "title": T("Avis sur {p}", "Opinion on {p}", p=row.project.acronym),
            "assessment": row,
            "project": row.project,
            "partners": row.project.partners.filter(left_on__isnull=True).select_related("organisation"),
            "project_url": _link("project", row.project.slug),
            "fields": fields,
            "scale_steps": _steps(found),
            "opinions": states.OPINIONS.items(),
            "opinion": typed.get("opinion", row.opinion),
            "summary": typed.get("summary", row.summary),
            "refusal": refusal,
            "writable": row.state == "asked" and found.state == "assessment",
            "light": _due_light(row, clock.today()),
        },
        status=400 if refusal else 200,
    )


def _steps(found: Exercise) -> list[str]:
    out, value = [], found.lowest
    while value <= found.highest:
        out.append(f"{value.normalize():f}")
        value += Decimal("0.5")
    return out


@acts
@page
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Save what is on the page, then hand it in."""
    row = _assessment(request, pk)
    if row.expert_id != request.actor.user_id:
        raise Http404
    access.may_assess(request.actor, row)
    try:
        if "opinion" in request.POST or "summary" in request.POST:
            _read_assessment(request, row)
        actions.submit_assessment(row, by=request.actor, on=clock.today())
    except NotAllowed:
        raise
    except Refused as refusal:
        row.refresh_from_db(fields=["rev", "state", "opinion", "summary"])
        return _assess_page(request, row, refusal=refusal, typed=request.POST.dict())
    messages.success(request, T("Avis rendu.", "Opinion handed in."))
    return redirect("selection-desk", row.exercise.call.code)


# -- consensus --------------------------------------------------------------------------------------------------------


@acts
@page
def consensus_open(request: HttpRequest, slug: str) -> HttpResponse:
    """Open the consensus (or open a fixed one again, with a reason)."""
    access.may_manage(request.actor)
    project, found = _project(request, slug)
    reason = request.POST.get("reason", "")
    row = Consensus.objects.filter(project=project).first()
    if row is not None and row.state == "closed":
        actions.reopen_consensus(row, reason=reason, by=request.actor, on=clock.today())
    else:
        actions.open_consensus(found, project, reason=reason, by=request.actor, on=clock.today())
    return redirect("selection-consensus", slug)


@never_cache
@page
def consensus(request: HttpRequest, slug: str) -> HttpResponse:
    """The consensus on a project: everybody's notes side by side, the divergences, the common score."""
    access.require_part(request.actor)
    project = get_object_or_404(Project.objects.select_related("call"), slug=slug)
    found = queries.exercise_of(project.call) if project.call_id else None
    if found is None:
        raise Http404
    access.may_join_consensus(request.actor, project)
    row = Consensus.objects.filter(project=project).first()
    refusal, typed = None, {}
    if request.method == "POST":
        if row is None:
            raise Http404
        access.may_manage(request.actor, project)
        criteria = list(found.criteria.all())
        try:
            actions.close_consensus(
                row,
                scores={c.code: _number(request, f"score_{c.code}", T(c.title_fr, c.title_en)) for c in criteria},
                reasons={c.code: request.POST.get(f"why_{c.code}", "") for c in criteria},
                opinion=request.POST.get("opinion", ""),
                summary=request.POST.get("summary", ""),
                rev=_whole(request, "rev"),
                by=request.actor,
                on=clock.today(),
            )
        except NotAllowed:
            raise
        except Refused as error:
            refusal, typed = error, request.POST.dict()
        else:
            messages.success(request, T("Consensus arrêté.", "Consensus fixed."))
            return redirect("selection-consensus", slug)
    return _consensus_page(request, project, found, row, refusal, typed)


def _consensus_page(
    request: HttpRequest,
    project: Project,
    found: Exercise,
    row: Consensus | None,
    refusal: Refused | None,
    typed: Mapping[str, str],
) -> HttpResponse:
    criteria = list(found.criteria.all())
    given = list(
        Assessment.objects.filter(project=project)
        .exclude(state="withdrawn")
        .select_related("expert", "organisation")
        .order_by("pk")
    )
    scale = queries.scale_of(found, criteria)
    context: dict[str, Any] = {}
    if row is not None:
        notes = {(n.assessment_id, n.criterion_id): n for a in given if a.state == "submitted" for n in a.notes.all()}
        shown = [a for a in given if a.state == "submitted"]
        lines = []
        for c in criteria:
            found_notes = [notes.get((a.pk, c.pk)) for a in shown]
            scores = [n.score for n in found_notes if n is not None and n.score is not None]
            apart = rules.divergence(scores)
            lines.append(
                {
                    "criterion": c,
                    "title": T(c.title_fr, c.title_en),
                    "notes": found_notes,
                    "apart": apart,
                    "wide": apart >= 2,
                    "score": typed.get(f"score_{c.code}", row.scores.get(c.code, "")),
                    "why": typed.get(f"why_{c.code}", row.reasons.get(c.code, "")),
                }
            )
        scores = queries.scores_of(row)
        context = {
            "shown": [
                {
                    "a": a,
                    "opinion": states.OPINIONS.get(a.opinion, ""),
                    "tone": states.OPINION_TONES.get(a.opinion, "quiet"),
                }
                for a in shown
            ],
            "lines": lines,
            "total": row.total if row.state == "closed" else None,
            "why_total": queries.why_total(found, scale, scores) if row.state == "closed" else None,
            "failures": rules.failures(scores, scale) if row.state == "closed" else (),
            "opinion_title": states.OPINIONS.get(row.opinion, ""),
            "opinion_tone": states.OPINION_TONES.get(row.opinion, "quiet"),
        }
    return render(
        request,
        "selection/consensus.html",
        {
            **_frame(request, found, "selection-desk", (None, project.acronym)),
            "title": T("Consensus sur {p}", "Consensus on {p}", p=project.acronym),
            "project": project,
            "consensus": row,
            "consensus_state": states.CONSENSUS_TITLES[row.state] if row is not None else "",
            "given": given,
            "submitted": sum(1 for a in given if a.state == "submitted"),
            "scale_steps": _steps(found),
            "opinions": states.OPINIONS.items(),
            "opinion": typed.get("opinion", row.opinion if row is not None else ""),
            "summary": typed.get("summary", row.summary if row is not None else ""),
            "refusal": refusal,
            **context,
        },
        status=400 if refusal else 200,
    )


# -- ranking ----------------------------------------------------------------------------------------------------------

WHAT_IF = ("w_", "m_")


def _what_if(request: HttpRequest, scale: rules.Scale) -> rules.Scale | None:
    """Other weights and thresholds, asked for in the address; None when nothing is tried. Nothing is ever stored."""
    asked = {k: v for k, v in request.GET.items() if k[:2] in WHAT_IF or k == "min_total"}
    if request.GET.get("essai") != "1" or not asked:
        return None
    criteria = []
    for c in scale.criteria:
        weight = actions.decimal_of(request.GET.get(f"w_{c.code}", ""), where=c.title)
        minimum = actions.decimal_of(request.GET.get(f"m_{c.code}", ""), where=c.title)
        if weight is not None and not 0 <= weight <= 100:
            raise Refused(T("Un poids va de 0 à 100.", "A weight goes from 0 to 100."), kind="input")
        criteria.append(rules.Criterion(c.code, c.title, weight, minimum))
    total = actions.decimal_of(request.GET.get("min_total", ""), where=T("Seuil du total", "Threshold of the total"))
    return rules.Scale(tuple(criteria), total, scale.tie_rule, scale.tie_order, scale.lowest, scale.highest)


def _ranking_filters(request: HttpRequest, projects: QuerySet[Project], exercise_: Exercise) -> QuerySet[Project]:
    projects = _search(projects, request.GET.get("q", "").strip())
    opinion, outcome, cluster, only = (request.GET.get(k, "") for k in ("opinion", "outcome", "pole", "only"))
    if opinion in states.OPINIONS:
        projects = projects.filter(consensus__state="closed", consensus__opinion=opinion)
    if outcome in states.OUTCOMES:
        listed = Listed.objects.filter(project=OuterRef("pk"), superseded_at__isnull=True, outcome=outcome)
        projects = projects.filter(Exists(listed))
    if cluster:
        labelled = Project.objects.filter(
            call=exercise_.call,
            labels__cluster__slug=cluster,
            labels__superseded_at__isnull=True,
            labels__outcome__in=["labelled", "conditions"],
        )
        projects = projects.filter(pk__in=labelled.values("pk"))
    if only == "below":
        projects = projects.filter(consensus__state="closed", consensus__passes=False)
    elif only == "unscored":
        projects = projects.exclude(consensus__state="closed")
    elif only == "ranked":
        projects = projects.filter(consensus__state="closed", consensus__passes=True)
    elif only == "ties":
        same = Consensus.objects.filter(
            exercise=exercise_, state="closed", passes=True, sort_key=OuterRef("consensus__sort_key")
        ).exclude(project=OuterRef("pk"))
        projects = projects.filter(Exists(same), consensus__passes=True)
    return projects


@never_cache
@page
def ranking(request: HttpRequest, code: str) -> HttpResponse:
    """The ranking: thresholds, ties, filters; and what it would be under other weights, without touching it."""
    found = _exercise(request, code)
    actor = request.actor
    access.require_ranking(actor)
    criteria = list(found.criteria.all())
    scale = queries.scale_of(found, criteria)
    projects = _ranking_filters(request, access.ranked_for(actor, found.call), found)
    refusal = tried = None
    try:
        tried = _what_if(request, scale)
    except Refused as error:
        refusal = error
    kind = wants(request)
    if tried is not None:
        rows, pages, total = _tried_rows(request, found, projects, scale, tried, whole=kind != "html")
    else:
        rows, pages, total = _real_rows(request, found, projects, scale, whole=kind != "html")
    if kind != "html":
        return _ranking_export(request, found, criteria, rows, tried is not None)
    clusters = (
        Cluster.objects.filter(
            pk__in=Project.objects.filter(call=found.call, labels__superseded_at__isnull=True).values("labels__cluster")
        )
        .order_by("name_key")
        .values_list("slug", "name")
    )
    hidden = len(interests.recused_keys(actor.user_id, "project"))
    return render(
        request,
        "selection/ranking.html",
        {
            **_frame(request, found, "selection-ranking"),
            "title": T("Classement des projets", "Ranking of the projects"),
            "rows": rows,
            "opens": _opens(actor, found.call, rows),
            "page": pages,
            "total": total,
            "criteria": criteria,
            "scale": scale,
            "tried": tried,
            "tried_fields": [
                {
                    "criterion": c,
                    "title": T(c.title_fr, c.title_en),
                    "weight": request.GET.get(f"w_{c.code}", "" if c.weight is None else f"{c.weight.normalize():f}"),
                    "minimum": request.GET.get(
                        f"m_{c.code}", "" if c.minimum is None else f"{c.minimum.normalize():f}"
                    ),
                }
                for c in criteria
            ],
            "tried_total": request.GET.get(
                "min_total", "" if found.minimum_total is None else f"{found.minimum_total.normalize():f}"
            ),
            "tie_title": states.TIE_RULES[found.tie_rule],
            "opinions": states.OPINIONS.items(),
            "outcomes": states.OUTCOMES.items() if found.state != "assessment" else (),
            "clusters": clusters,
            "asked": {k: request.GET.get(k, "") for k in ("q", "opinion", "outcome", "pole", "only", "sort")},
            "refusal": refusal,
            "hidden": hidden,
            "why_rank": _why_rank(found, scale),
        },
        status=400 if refusal else 200,
    )


def _opens(actor: Actor, call: Call, rows: Iterable[queries.RankedRow]) -> set[int]:
    """The projects of these rows whose page the actor may open: the ranking says more names than it opens files."""
    shown = {row.project.pk for row in rows}
    if access.reads_all(actor):
        return shown
    return set(access.projects_for(actor, call, clock.today()).filter(pk__in=shown).values_list("pk", flat=True))


def _reads_file(actor: Actor, project: Project) -> bool:
    return projects_visible_to(actor, clock.today()).filter(pk=project.pk).exists()


def _why_rank(found: Exercise, scale: rules.Scale) -> Any:
    return Why(
        rule=states.TIE_RULES[found.tie_rule],
        day=found.policy_day,
        reading=True,
        inputs={
            T("seuil du total", "threshold of the total"): found.minimum_total
            if found.minimum_total is not None
            else T("aucun", "none"),
            **{
                T("{c} : poids, seuil", "{c}: weight, threshold", c=c.title): T(
                    "{w}, {m}",
                    "{w}, {m}",
                    w="–" if c.weight is None else c.weight,
                    m="–" if c.minimum is None else c.minimum,
                )
                for c in scale.criteria
            },
            T("motif de l'exercice", "reason of the exercise"): found.rules_reason or "–",
        },
        steps=(
            T(
                "Les totaux se comparent au millionième ; ils s'affichent au centième.",
                "Totals are compared to the millionth; they are shown to the hundredth.",
            ),
        ),
    )


def _real_rows(
    request: HttpRequest, found: Exercise, projects: QuerySet[Project], scale: rules.Scale, *, whole: bool
) -> tuple[list[queries.RankedRow], Any, int]:
    closed = Q(consensus__state="closed")
    projects = projects.annotate(
        ranked=Case(
            When(closed & Q(consensus__passes=True), then=Value(2)), When(closed, then=Value(1)), default=Value(0)
        ),
        key=Case(When(closed, then=F("consensus__sort_key")), default=Value("")),
    )
    sort = request.GET.get("sort", "rank")
    down = sort.startswith("-")
    if sort.lstrip("-") == "acronym":
        order = ["-acronym" if down else "acronym", "pk"]
    elif sort.lstrip("-") == "state":
        money = (
            Share.objects.filter(project=OuterRef("pk"), superseded_at__isnull=True, source="state")
            .order_by()
            .values("project")
            .annotate(t=Sum(Case(When(decided__isnull=False, then=F("decided")), default=F("intended"))))
            .values("t")
        )
        projects = projects.annotate(state_money=Subquery(money))
        column = F("state_money")
        order = [column.desc(nulls_last=True) if down else column.asc(nulls_last=True), "pk"]
    elif down:
        order = ["ranked", "key", "-acronym", "-pk"]
    else:
        order = ["-ranked", "-key", "acronym", "pk"]
    projects = projects.order_by(*order)
    if whole:
        kept = list(projects)
        return queries.ranking_rows(found, kept, scale), None, len(kept)
    pages = Paginator(projects, PER_PAGE).get_page(request.GET.get("page"))
    return queries.ranking_rows(found, list(pages.object_list), scale), pages, pages.paginator.count


def _tried_rows(
    request: HttpRequest,
    found: Exercise,
    projects: QuerySet[Project],
    scale: rules.Scale,
    tried: rules.Scale,
    *,
    whole: bool,
) -> tuple[list[queries.RankedRow], Any, int]:
    """The ranking as it would be: every project of the call is ranked again in memory, the filters only choose rows."""
    scores = {
        pk: {c: Decimal(v) for c, v in row.items() if v not in (None, "")}
        for pk, row in Consensus.objects.filter(exercise=found, state="closed").values_list("project_id", "scores")
    }
    everybody = list(
        Project.objects.filter(call=found.call, state__in=access.IN_SELECTION).values_list("pk", flat=True)
    )
    placed = rules.ranking({pk: scores.get(pk, {}) for pk in everybody}, tried)
    shown = set(projects.values_list("pk", flat=True))
    placed = [row for row in placed if row.key in shown]
    real = queries.ranks(found)
    pages = None if whole else Paginator(placed, PER_PAGE).get_page(request.GET.get("page"))
    some = placed if pages is None else list(pages.object_list)
    by_pk = {p.pk: p for p in Project.objects.filter(pk__in=[row.key for row in some])}
    rows = queries.ranking_rows(found, [by_pk[row.key] for row in some], tried)
    out = []
    for row, place in zip(rows, some, strict=True):
        before = real.get(place.key)
        moved = before - place.rank if before is not None and place.rank is not None else None
        consensus_ = row.consensus
        if consensus_ is not None:
            consensus_.total = place.total
        out.append(replace(row, rank=place.rank, tied=place.tied, failures=place.failures, moved=moved))
    return out, pages, len(placed)


def _ranking_export(
    request: HttpRequest, found: Exercise, criteria: Iterable[Any], rows: list[queries.RankedRow], tried: bool
) -> HttpResponse:
    heads = [
        ("rank", Column(T("Rang", "Rank"), "number")),
        ("tied", Column(T("Ex æquo", "Tied"))),
        ("acronym", Column(T("Sigle", "Acronym"))),
        ("title", Column(T("Projet", "Project"))),
        ("leader", Column(T("Chef de file", "Leader"))),
        ("cluster", Column(T("Pôle chef de file", "Lead pôle"))),
        ("total", Column(T("Total", "Total"), "number")),
        ("opinion", Column(T("Avis", "Opinion"))),
        *((c.code, Column(T(c.title_fr, c.title_en), "number")) for c in criteria),
        ("failures", Column(T("Sous un seuil", "Below a threshold"))),
        ("base", Column(T("Assiette", "Base"), "money")),
        ("state", Column(T("État", "State"), "money")),
        ("local", Column(T("Collectivités", "Local"), "money")),
        ("outcome", Column(T("Décision", "Decision"))),
    ]
    codes = [c.code for c in criteria]

    def cells() -> Iterable[list[Any]]:
        for row in rows:
            scores = queries.scores_of(row.consensus) if row.consensus is not None else {}
            yield [
                row.rank,
                str(T("oui", "yes")) if row.tied else "",
                row.project.acronym,
                row.project.title,
                row.leader,
                row.cluster,
                row.consensus.total if row.consensus is not None else None,
                str(states.OPINIONS.get(row.consensus.opinion, "")) if row.consensus is not None else "",
                *(scores.get(c) for c in codes),
                " ".join(str(f) for f in row.failures),
                row.base,
                row.state,
                row.local,
                str(states.OUTCOMES.get(row.outcome, "")),
            ]

    name = str(T("classement", "ranking")) + f"-{found.call.code}" + (str(T("-essai", "-tried")) if tried else "")
    return export(request, name, heads, cells(), simulated=any(r.project.simulated for r in rows))


# -- financing --------------------------------------------------------------------------------------------------------


@never_cache
@page
def financing(request: HttpRequest, code: str) -> HttpResponse:
    """The financing table of a call: projects that open to their partners, funders, sums, checks."""
    found = _exercise(request, code)
    actor, today = request.actor, clock.today()
    q, light = request.GET.get("q", "").strip(), request.GET.get("light", "")
    projects = _search(access.projects_for(actor, found.call, today), q).order_by("acronym", "pk")
    if wants(request) != "html":
        return _financing_export(request, found, list(projects))
    opened = set(request.GET.getlist("ouvrir")[:20])
    if light in ("late", "at_risk", "unknown", "on_track"):
        everything = list(projects)
        plans = queries.plans(everything, exercise=found, on=clock.today())
        kept = [p for p in everything if plans[p.pk].light == light]
        pages = Paginator(kept, CALL_PAGE).get_page(request.GET.get("page"))
    else:
        light = ""
        pages = Paginator(projects, CALL_PAGE).get_page(request.GET.get("page"))
        plans = queries.plans(list(pages.object_list), exercise=found, on=clock.today())
    rows = []
    for project in pages.object_list:
        plan = plans[project.pk]
        rows.append(
            {
                "project": project,
                "plan": plan,
                "open": project.slug in opened,
                "lines": _lines(plan) if project.slug in opened else (),
                "rate": rules.rate_of(plan.balance.public, plan.balance.base),
                "answered": _missing(plan),
                "toggle": _toggled(request, project.slug, opened),
                "outcome": states.OUTCOMES.get(plan.listed.outcome, "") if plan.listed else "",
                "outcome_tone": states.OUTCOME_TONES.get(plan.listed.outcome, "quiet") if plan.listed else "quiet",
            }
        )
    sums = [row["plan"].balance for row in rows]
    return render(
        request,
        "selection/financing.html",
        {
            **_frame(request, found, "selection-financing"),
            "title": T("Table de financement de l'appel", "Financing table of the call"),
            "rows": rows,
            "page": pages,
            "q": q,
            "light": light,
            "uses": [
                u
                for u in queries.uses(found.call)
                if u.funder is None
                or u.funder.pk == actor.organisation_id
                or (access.reads_all(actor) and u.amount is not None)
            ],
            "sums": {
                "base": None if any(s.base is None for s in sums) else sum((s.base for s in sums), rules.ZERO),
                "public": sum((s.public for s in sums), rules.ZERO),
                "state": sum((s.state for s in sums), rules.ZERO),
                "local": sum((s.local for s in sums), rules.ZERO),
            },
            "whole": pages.paginator.num_pages == 1,
            "simulated": any(p.simulated for p in pages.object_list),
        },
    )


def _lines(plan: queries.Plan) -> list[dict[str, Any]]:
    """The partners of a plan with their cells in the order of its funders."""
    return [
        {
            "row": row,
            "cells": [
                {"funder": funder, "shares": [c for c in row.line.cells if c.funder == pk]}
                for pk, funder in plan.funders.items()
            ],
        }
        for row in plan.rows
    ]


def _missing(plan: queries.Plan) -> list[str]:
    """The funders that were asked and did not answer, once each."""
    answered = {(c.funder, row.partner.pk) for row in plan.rows for c in row.line.cells if c.planned is not None}
    found = {f for row in plan.rows for f in row.line.expected if (f, row.partner.pk) not in answered}
    return sorted(plan.funders[f].short_name or plan.funders[f].name for f in found)


def _toggled(request: HttpRequest, slug: str, opened: set[str]) -> str:
    query = request.GET.copy()
    query.setlist("ouvrir", sorted(opened ^ {slug}))
    return f"?{query.urlencode()}#p-{slug}"


def _financing_export(request: HttpRequest, found: Exercise, projects: list[Project]) -> HttpResponse:
    plans = queries.plans(projects, exercise=found, on=clock.today())
    return export(
        request,
        str(T("financement", "financing")) + f"-{found.call.code}",
        columns.TABLE,
        columns.table_rows(projects, plans),
        simulated=any(p.simulated for p in projects),
    )


@never_cache
@page
def project_financing(request: HttpRequest, slug: str) -> HttpResponse:
    """The financing table of one project, with what each may write in it."""
    project, found = _project(request, slug)
    return _project_page(request, project, found)


def _project_page(
    request: HttpRequest,
    project: Project,
    found: Exercise,
    *,
    refusal: Refused | None = None,
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    actor = request.actor
    known_on = _day(request.GET.get("known_on", ""))
    plan = queries.plans([project], exercise=found, on=clock.today(), known_on=known_on, explain=True)[project.pk]
    if wants(request) != "html":
        return export(
            request,
            f"{project.slug}-" + str(T("financement", "financing")),
            columns.TABLE,
            columns.table_rows([project], {project.pk: plan}),
            simulated=project.simulated,
        )
    funder = _speaks_for(actor, found, plan, request.GET.get("financeur", ""))
    kept = project.state in queries.KEPT
    rows = []
    for row in plan.rows:
        cells = []
        for pk in plan.funders:
            cells.append(
                {
                    "funder": plan.funders[pk],
                    "shares": [c for c in row.line.cells if c.funder == pk],
                    "why": queries.why_share(row.cells.get(pk)),
                }
            )
        rows.append(
            {
                "row": row,
                "cells": cells,
                "mine": row.cells.get(funder.pk) if funder is not None else None,
                "room": _room(row),
            }
        )
    history = []
    if access.reads_all(actor) or actor.can("selection.intend"):
        history = list(
            Share.objects.filter(project=project)
            .select_related("funder", "partner__organisation")
            .order_by("-recorded_at", "-pk")[:40]
        )
    return render(
        request,
        "selection/project.html",
        {
            **_frame(request, found, "selection-financing", (None, project.acronym)),
            "title": T("Financement de {p}", "Financing of {p}", p=project.acronym),
            "project": project,
            "project_url": _link("project", project.slug) if _reads_file(actor, project) else "",
            "plan": plan,
            "rows": rows,
            "funder": funder,
            "funders": [found.fund, *(o for o in plan.funders.values() if o.pk != found.fund_id)]
            if actor.can("selection.manage")
            else [],
            "on_behalf": funder is not None and funder.pk != actor.organisation_id,
            "rate": rules.rate_of(plan.balance.public, plan.balance.base),
            "by_funder": [
                {
                    "funder": plan.funders[pk],
                    "amount": plan.balance.by_funder.get(pk),
                    "share": plan.balance.shares.get(pk),
                }
                for pk in plan.funders
            ],
            "kept": kept,
            "writable": project.state == "admissible" or (kept and funder is not None and funder.pk != found.fund_id),
            "state_money": funder is not None and actions.source_of(funder, found) == "state",
            "listed": plan.listed,
            "outcome": states.OUTCOMES.get(plan.listed.outcome) if plan.listed else None,
            "outcome_tone": states.OUTCOME_TONES.get(plan.listed.outcome, "quiet") if plan.listed else "",
            "history": history,
            "excesses": queries.excesses([project]).get(project.pk, []) if kept and known_on is None else [],
            "instruments": states.INSTRUMENTS.items(),
            "known_on": known_on,
            "refusal": refusal,
            "typed": typed or {},
        },
        status=400 if refusal else 200,
    )


def _room(row: queries.PartnerRow) -> Decimal | None:
    ceiling = row.line.ceiling
    return None if ceiling is None else ceiling - row.line.public


def _speaks_for(actor: Actor, found: Exercise, plan: queries.Plan, asked: str) -> Organisation | None:
    """For whom the actor writes on this page: its own organisation, or the funder chosen by whoever runs the selection."""
    if actor.can("selection.manage"):
        if asked.isdecimal() and int(asked) in plan.funders:
            return plan.funders[int(asked)]
        return found.fund
    if actor.can("selection.intend") and actor.organisation_id is not None:
        return Organisation.objects.filter(pk=actor.organisation_id).first()
    return None


def _funder_of(request: HttpRequest, project: Project) -> Organisation:
    pk = request.POST.get("funder", "")
    if not pk.isdecimal():
        raise Http404
    return get_object_or_404(Organisation, pk=pk)


def _to_project(project: Project, funder: Organisation) -> HttpResponse:
    return redirect(f"{reverse('project-financing', args=[project.slug])}?financeur={funder.pk}#mes-montants")


@acts
@page
def intention(request: HttpRequest, slug: str) -> HttpResponse:
    """A funder's intention for one partner."""
    project, found = _project(request, slug)
    funder = _funder_of(request, project)
    partner = get_object_or_404(project.partners.select_related("organisation"), pk=_whole(request, "partner"))
    try:
        actions.intend(
            partner,
            funder,
            amount=_number(request, "amount", T("montant", "amount")),
            rate=_number(request, "rate", T("taux", "rate")),
            instrument=request.POST.get("instrument") or "grant",
            reference=request.POST.get("reference", ""),
            note=request.POST.get("note", ""),
            seen=_whole(request, "seen"),
            by=request.actor,
            on=clock.today(),
            simulated=project.simulated,
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _project_page(request, project, found, refusal=refusal, typed=request.POST.dict())
    messages.success(request, T("Intention enregistrée.", "Intention saved."))
    return _to_project(project, funder)


@acts
@page
def intention_total(request: HttpRequest, slug: str) -> HttpResponse:
    """A funder's total for the project, shared out by the eligible bases."""
    project, found = _project(request, slug)
    funder = _funder_of(request, project)
    try:
        total = _number(request, "total", T("total", "total"))
        if total is None:
            raise Refused(T("Donnez le total à répartir.", "Give the total to share out."), kind="input")
        actions.intend_total(
            project,
            funder,
            total,
            reference=request.POST.get("reference", ""),
            by=request.actor,
            on=clock.today(),
            simulated=project.simulated,
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _project_page(request, project, found, refusal=refusal, typed=request.POST.dict())
    messages.success(request, T("Total réparti au centime près.", "Total shared out to the cent."))
    return _to_project(project, funder)


@acts
@page
def funder_decision(request: HttpRequest, slug: str) -> HttpResponse:
    """A funder's decision for one partner."""
    project, found = _project(request, slug)
    share = get_object_or_404(Share.objects.select_related("funder"), project=project, pk=_whole(request, "share"))
    try:
        amount = _number(request, "amount", T("montant décidé", "amount decided"))
        if amount is None:
            raise Refused(T("Donnez le montant décidé.", "Give the amount decided."), kind="input")
        actions.fund(
            share,
            amount,
            reference=request.POST.get("reference", ""),
            seen=share.pk,
            by=request.actor,
            on=clock.today(),
            simulated=project.simulated,
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _project_page(request, project, found, refusal=refusal, typed=request.POST.dict())
    messages.success(request, T("Décision enregistrée.", "Decision saved."))
    return _to_project(project, share.funder)


@acts
@page
def promote(request: HttpRequest, slug: str) -> HttpResponse:
    """Select a project of the reserve list."""
    project, _ = _project(request, slug)
    actions.promote(project, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(
        request,
        T("Le projet est retenu ; les lettres sont établies.", "The project is selected; the letters are drawn up."),
    )
    return redirect("project-financing", slug)


@acts
@page
def release(request: HttpRequest, slug: str) -> HttpResponse:
    """End a selection and give its money back to the envelope."""
    project, _ = _project(request, slug)
    actions.release(project, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(request, T("Les crédits sont rendus à l'enveloppe.", "The money is back in the envelope."))
    return redirect("project-financing", slug)


# -- a funder's desk --------------------------------------------------------------------------------------------------


@never_cache
@page
def funder(request: HttpRequest, code: str) -> HttpResponse:
    """What a funder is asked, what it means to pay, its envelope; its column out to a workbook and back."""
    found = _exercise(request, code)
    return _funder_page(request, found)


def _funder_page(
    request: HttpRequest, found: Exercise, *, verdicts: Any = None, refusal: Refused | None = None
) -> HttpResponse:
    actor, today = request.actor, clock.today()
    actor.require("selection.intend")
    organisation = get_object_or_404(Organisation, pk=actor.organisation_id or 0)
    projects = list(
        _search(access.projects_for(actor, found.call, today), request.GET.get("q", "").strip()).order_by(
            "acronym", "pk"
        )
    )
    plans = queries.plans(projects, exercise=found, on=clock.today())
    if wants(request) != "html":
        return export(
            request,
            str(T("intentions", "intentions")) + f"-{found.call.code}",
            columns.OWN,
            columns.own_rows(projects, plans, organisation),
            simulated=any(p.simulated for p in projects),
        )
    asked = dict(
        Request.objects.filter(partner__project__in=projects, funder=organisation)
        .order_by()
        .values_list("partner__project")
        .annotate(t=Sum("amount"))
    )
    rows = []
    for project in projects:
        plan = plans[project.pk]
        mine = [c for row in plan.rows for c in row.line.cells if c.funder == organisation.pk]
        rows.append(
            {
                "project": project,
                "plan": plan,
                "asked": asked.get(project.pk),
                "intended": sum((c.intended for c in mine if c.intended is not None), rules.ZERO) if mine else None,
                "decided": sum((c.decided for c in mine if c.decided is not None), rules.ZERO)
                if any(c.decided is not None for c in mine)
                else None,
                "others": plan.balance.public - sum((c.planned or rules.ZERO for c in mine), rules.ZERO),
                "answered": bool(mine),
                "outcome": states.OUTCOMES.get(plan.listed.outcome, "") if plan.listed else "",
                "outcome_tone": states.OUTCOME_TONES.get(plan.listed.outcome, "quiet") if plan.listed else "quiet",
            }
        )
    use = next((u for u in queries.uses(found.call) if u.funder is not None and u.funder.pk == organisation.pk), None)
    return render(
        request,
        "selection/funder.html",
        {
            **_frame(request, found, "selection-funder"),
            "title": T("Mes intentions : {o}", "My intentions: {o}", o=organisation.name),
            "organisation": organisation,
            "rows": rows,
            "waiting_rows": sum(1 for r in rows if not r["answered"] and r["project"].state == "admissible"),
            "use": use,
            "q": request.GET.get("q", ""),
            "verdicts": verdicts,
            "refusal": refusal,
            "simulated": any(p.simulated for p in projects),
        },
        status=400 if refusal else 200,
    )


@acts
@page
def funder_import(request: HttpRequest, code: str) -> HttpResponse:
    """Read a funder's column from a workbook: verdict by row; written only when asked, and then whole or not at all."""
    found = _exercise(request, code)
    actor, today = request.actor, clock.today()
    actor.require("selection.intend")
    organisation = get_object_or_404(Organisation, pk=actor.organisation_id or 0)
    file = request.FILES.get("file")
    refusal = verdicts = None
    try:
        if file is None:
            raise Refused(T("Choisissez un fichier.", "Choose a file."), kind="input")
        verdicts = columns.read_own(
            file.read(),
            file.name,
            exercise=found,
            organisation=organisation,
            by=actor,
            on=today,
            write=request.POST.get("write") == "1",
        )
    except NotAllowed:
        raise
    except Refused as error:
        refusal = error
    if verdicts is not None and verdicts.written:
        messages.success(
            request,
            T("{n} intentions enregistrées.", "{n} intentions saved.", n=verdicts.changed),
        )
        return redirect("selection-funder", code)
    return _funder_page(request, found, verdicts=verdicts, refusal=refusal)


# -- scenarios --------------------------------------------------------------------------------------------------------


@never_cache
@page
def scenarios(request: HttpRequest, code: str) -> HttpResponse:
    """The scenarios of a list side by side; a new one starts from the ranking, filled up to the envelope."""
    found = _exercise(request, code)
    if not access.reads_all(request.actor):
        access.may_manage(request.actor)
    refusal = None
    if request.method == "POST":
        try:
            made = _new_scenario(request, found)
            return redirect("selection-scenario", made.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    today = clock.today()
    rows = list(found.scenarios.prefetch_related("lines", "amounts"))
    away = set(interests.recused_keys(request.actor.user_id, "project"))
    compared = []
    for row in rows:
        if row.state == "dropped" and request.GET.get("tous") != "1":
            continue
        keys = [line.project_id for line in row.lines.all() if line.outcome == "selected"]
        projects = list(Project.objects.filter(pk__in=keys))
        plans = queries.plans(projects, exercise=found, on=clock.today(), overrides=queries.overrides_of(row))
        compared.append(
            {
                "scenario": row,
                "sums": queries.sums_of(found, row, plans, today),
                "state": states.SCENARIO_TITLES[row.state],
            }
        )
    names = {
        part: sorted({name for one in compared for name in getattr(one["sums"], part)})
        for part in ("by_funder", "by_cluster", "by_region")
    }
    return render(
        request,
        "selection/scenarios.html",
        {
            **_frame(request, found, "selection-scenarios"),
            "title": T("Scénarios de liste", "Scenarios of the list"),
            "compared": compared,
            "tables": [
                {
                    "title": title,
                    "rows": [
                        {"name": name, "cells": [getattr(one["sums"], part).get(name) for one in compared]}
                        for name in names[part]
                    ],
                    "counted": part != "by_funder",
                }
                for part, title in (
                    ("by_funder", T("Par financeur", "By funder")),
                    ("by_cluster", T("Par pôle chef de file", "By lead pôle")),
                    ("by_region", T("Par région des partenaires", "By region of the partners")),
                )
            ],
            "envelope": queries.envelope_of(found.call),
            "decided": queries.used(found.call),
            "refusal": refusal,
            "typed": request.POST.dict() if refusal else {},
            "hidden": len(away),
        },
        status=400 if refusal else 200,
    )


def _admissible(found: Exercise) -> list[Project]:
    return list(Project.objects.filter(call=found.call, state="admissible").order_by("acronym", "pk"))


def _new_scenario(request: HttpRequest, found: Exercise) -> Scenario:
    actor = request.actor
    if not actor.can("selection.decide"):
        access.may_manage(actor)
    limit = _number(request, "limit", T("montant à ne pas dépasser", "amount not to exceed"))
    if limit is None:
        limit = queries.envelope_of(found.call)
    projects = _admissible(found)
    ranks = queries.ranks(found)
    money = queries.money_of([p.pk for p in projects])
    wanted = [
        (p.pk, ranks[p.pk], money[p.pk]["state"])
        for p in sorted(projects, key=lambda p: (ranks.get(p.pk) is None, ranks.get(p.pk) or 0, p.acronym, p.pk))
        if ranks.get(p.pk) is not None
    ]
    selected, left = rules.fill(wanted, limit)
    reasons = {
        "reserve": str(T("Enveloppe de l'appel atteinte.", "The envelope of the call is used up.")),
        "rejected": str(
            T("Sans rang : non noté ou sous un seuil.", "Without a rank: not scored or below a threshold.")
        ),
    }
    entries = [rules.Entry(pk, "selected") for pk in selected]
    entries += [rules.Entry(pk, "reserve", n, reasons["reserve"]) for n, pk in enumerate(left, 1)]
    placed = {e.project for e in entries}
    entries += [rules.Entry(p.pk, "rejected", None, reasons["rejected"]) for p in projects if p.pk not in placed]
    return actions.save_scenario(
        found,
        request.POST.get("name", ""),
        entries,
        note=request.POST.get("note", ""),
        by=actor,
        on=clock.today(),
        simulated=found.simulated,
    )


def _scenario(request: HttpRequest, pk: int) -> Scenario:
    access.require_part(request.actor)
    if not access.reads_all(request.actor):
        access.may_manage(request.actor)
    return get_object_or_404(Scenario.objects.select_related("exercise__call", "exercise__fund"), pk=pk)


@never_cache
@page
def scenario(request: HttpRequest, pk: int) -> HttpResponse:
    """One scenario: each project's place and amount, sums against the envelope, and the decision."""
    row = _scenario(request, pk)
    refusal, typed = None, {}
    if request.method == "POST":
        try:
            _save_scenario(request, row)
            messages.success(request, T("Scénario enregistré.", "Scenario saved."))
            return redirect("selection-scenario", row.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal, typed = error, request.POST.dict()
    return _scenario_page(request, row, refusal=refusal, typed=typed)


def _save_scenario(request: HttpRequest, row: Scenario) -> None:
    found = row.exercise
    projects = _admissible(found)
    away = set(interests.recused_keys(request.actor.user_id, "project"))
    before = {line.project_id: line for line in row.lines.all()}
    kept_amounts = queries.overrides_of(row)
    ranks = queries.ranks(found)
    entries, amounts = [], {}
    common = {k: request.POST.get(f"reasons_{k}", "").strip() for k in ("reserve", "rejected")}
    changed = []
    for project in projects:
        if project.slug in away:  # what the recused cannot see they cannot change
            old = before.get(project.pk)
            if old is not None:
                entries.append([project, old.outcome, old.reasons, old.rank])
            continue
        outcome = request.POST.get(f"o_{project.pk}", "")
        if not outcome:
            continue
        reasons = request.POST.get(f"r_{project.pk}", "").strip() or common.get(outcome, "")
        place = _number(request, f"n_{project.pk}", T("{p} : rang", "{p}: rank", p=project.acronym))
        entries.append([project, outcome, reasons, int(place) if place is not None else None])
        amount = _number(
            request, f"a_{project.pk}", T("{p} : montant de l'État", "{p}: State amount", p=project.acronym)
        )
        if amount is not None:
            changed.append((project, rules.cents(amount, where=project.acronym)))
    partners = {key[0] for key in kept_amounts}
    hidden = (
        set(Project.objects.filter(partners__in=partners, slug__in=away).values_list("partners__pk", flat=True))
        if away and partners
        else set()
    )
    amounts = {key: value for key, value in kept_amounts.items() if key[0] in hidden}
    for project, amount in changed:
        amounts |= actions.spread_state(project, amount)
    reserve = [e for e in entries if e[1] == "reserve"]
    reserve.sort(
        key=lambda e: (e[3] is None, e[3] or 0, ranks.get(e[0].pk) is None, ranks.get(e[0].pk) or 0, e[0].acronym)
    )
    places = {e[0].pk: n for n, e in enumerate(reserve, 1)}
    actions.save_scenario(
        found,
        request.POST.get("name", row.name),
        [rules.Entry(p.pk, outcome, places.get(p.pk), reasons) for p, outcome, reasons, _ in entries],
        note=request.POST.get("note", row.note),
        amounts=amounts,
        scenario=row,
        rev=_whole(request, "rev"),
        by=request.actor,
        on=clock.today(),
    )


def _scenario_page(
    request: HttpRequest, row: Scenario, *, refusal: Refused | None = None, typed: Mapping[str, str] | None = None
) -> HttpResponse:
    found, actor, today = row.exercise, request.actor, clock.today()
    typed = typed or {}
    lines = {line.project_id: line for line in row.lines.all()}
    if row.state == "draft":
        projects = _admissible(found)
    else:
        projects = list(Project.objects.filter(pk__in=lines).order_by("acronym", "pk"))
    visible = [p for p in projects if p.slug not in set(interests.recused_keys(actor.user_id, "project"))]
    overrides = queries.overrides_of(row)
    plans = queries.plans(projects, exercise=found, on=clock.today(), overrides=overrides)
    ranks = queries.ranks(found)
    changed = {key[0] for key in overrides}
    order = {"selected": 0, "reserve": 1, "rejected": 2, "": 3}
    out = []
    for project in visible:
        line, plan = lines.get(project.pk), plans[project.pk]
        own = {r.partner.pk for r in plan.rows} & changed
        outcome = typed.get(f"o_{project.pk}", line.outcome if line else "")
        out.append(
            {
                "project": project,
                "plan": plan,
                "rank": ranks.get(project.pk),
                "line": line,
                "outcome": outcome,
                "title": states.OUTCOMES.get(outcome, ""),
                "tone": states.OUTCOME_TONES.get(outcome, "quiet"),
                "reasons": typed.get(f"r_{project.pk}", line.reasons if line else ""),
                "place": typed.get(f"n_{project.pk}", line.rank if line and line.rank else ""),
                "amount": typed.get(f"a_{project.pk}", _plain(plan.balance.state) if own else ""),
                "changed": bool(own),
            }
        )
    out.sort(
        key=lambda r: (
            order.get(r["line"].outcome if r["line"] else "", 3),
            r["rank"] is None,
            r["rank"] or 0,
            r["project"].acronym,
        )
    )
    sums = queries.sums_of(found, row, plans, today)
    envelope_ = queries.envelope_of(found.call)
    used = queries.used(found.call) if row.state != "chosen" else rules.ZERO
    faults: list[Text] = []
    if row.state == "draft":
        faults = rules.list_faults(
            [rules.Entry(line.project_id, line.outcome, line.rank, line.reasons) for line in lines.values()],
            {p.pk: p.acronym for p in projects},
            ranks,
        )
    return render(
        request,
        "selection/scenario.html",
        {
            **_frame(
                request,
                found,
                "selection-scenarios",
                (reverse("selection-scenarios", args=[found.call.code]), T("Scénarios", "Scenarios")),
                (None, row.name),
            ),
            "title": row.name,
            "scenario": row,
            "scenario_state": states.SCENARIO_TITLES[row.state],
            "rows": out,
            "sums": sums,
            "envelope": envelope_,
            "used": used,
            "left": None if envelope_ is None else envelope_ - used - sums.state,
            "faults": faults,
            "outcomes": [(k, states.OUTCOMES[k]) for k in ("selected", "reserve", "rejected")],
            "refusal": refusal,
            "typed": typed,
            "draft": row.state == "draft" and found.state == "assessment",
            "hidden": len(projects) - len(visible),
        },
        status=400 if refusal else 200,
    )


def _plain(value: Decimal) -> str:
    return f"{value:f}"


@acts
@page
def scenario_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a scenario."""
    row = _scenario(request, pk)
    actions.drop_scenario(row, by=request.actor, on=clock.today())
    messages.success(request, T("Scénario abandonné ; il reste lisible.", "Scenario dropped; it stays readable."))
    return redirect("selection-scenarios", row.exercise.call.code)


@acts
@page
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide the list of a scenario."""
    row = _scenario(request, pk)
    request.actor.require("selection.decide")
    try:
        actions.decide_list(
            row,
            reference=request.POST.get("reference", ""),
            rev=_whole(request, "rev"),
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _scenario_page(request, _scenario(request, pk), refusal=refusal)
    messages.success(
        request,
        T("La liste est arrêtée, les lettres sont établies.", "The list is decided, the letters are drawn up."),
    )
    return redirect("selection-scenario", row.pk)


# -- letters ----------------------------------------------------------------------------------------------------------


@never_cache
@page
def letters_list(request: HttpRequest) -> HttpResponse:
    """The letters that the actor may read."""
    actor = request.actor
    if not actor.signed_in:
        access.require_part(actor)
    rows = access.letters_for(actor)
    q = request.GET.get("q", "").strip()
    if q:
        rows = rows.filter(
            Q(project__acronym__icontains=q) | Q(partner__organisation__name__icontains=q) | Q(reference__icontains=q)
        )
    pages = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "selection/letters.html",
        {
            "title": T("Lettres de sélection", "Letters of selection"),
            "page": pages,
            "rows": [{"letter": row, "kind": LETTERS[row.kind]} for row in pages.object_list],
            "q": q,
        },
    )


@never_cache
@page
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """A letter on screen, as frozen."""
    if not request.actor.signed_in:
        access.require_part(request.actor)
    row = access.letters_for(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    text = letter_texts.text_of(row)
    lang = "en" if str(T("fr", "en")) == "en" else "fr"
    return render(
        request,
        "selection/letter.html",
        {
            "title": text[lang]["subject"],
            "letter": row,
            "text": text,
            "body": text[lang]["body"],
            "pdf": _link("selection-letter-pdf", row.pk),
            "docx": _link("selection-letter-docx", row.pk),
            "selects": row.kind in letter_texts.SELECTS,
            "breadcrumb": [
                {"url": reverse("selection-letters"), "label": T("Lettres", "Letters")},
                {"url": None, "label": row.reference},
            ],
        },
    )


# -- results ----------------------------------------------------------------------------------------------------------


@page
def results(request: HttpRequest, code: str) -> HttpResponse:
    """The results of a call: figures counted from the records, published figures beside them, charts."""
    call = _call(code)
    actor, today = request.actor, clock.today()
    found = queries.exercise_of(call)
    announced = (
        found.announced_on is not None and found.announced_on <= today
        if found is not None
        else call.results_on is not None and call.results_on <= today
    )
    if not announced and not access.reads_all(actor):
        raise Http404
    counted = queries.results(call, today)
    if wants(request) != "html":
        return export(
            request,
            str(T("resultats", "results")) + f"-{call.code}",
            columns.RESULTS,
            columns.result_rows(counted),
            simulated=counted.simulated,
        )
    published = published_of(call, today)
    figures = []
    for key, title, value, money in (
        ("submitted", T("projets déposés", "projects submitted"), counted.submitted, False),
        ("selected", T("projets retenus", "projects selected"), counted.selected, False),
        ("state_amount", T("part de l'État", "State share"), counted.state, True),
        ("local_amount", T("part des collectivités et de l'Europe", "local and European share"), counted.local, True),
    ):
        told = published.get(key)
        told = told if isinstance(told, Mapping) else {"value": told, "precision": ""} if told is not None else None
        figures.append(
            {
                "title": title,
                "value": value,
                "money": money,
                "published": told["value"] if told else None,
                "mark": {
                    "~": T("environ", "about"),
                    ">": T("plus de", "more than"),
                    "derived": T("déduit", "derived"),
                    "headline": T("selon la presse", "according to the press"),
                }.get(told.get("precision", "") if told else "", ""),
                "sources": told.get("sources", ()) if told else (),
            }
        )
    drawn = []
    if counted.selected:
        for title, table in (
            (T("Soutien par pôle chef de file", "Support by lead pôle"), counted.by_cluster[:15]),
            (T("Soutien par région des partenaires", "Support by region of the partners"), counted.by_region),
            (T("Soutien par taille de partenaire", "Support by size of partner"), counted.by_size),
        ):
            drawn.append(
                {
                    "title": title,
                    "chart": charts.bars(
                        [(name, amount, counted.simulated) for name, _, amount in table], unit="money", title=title
                    ),
                }
            )
    return render(
        request,
        "selection/results.html",
        {
            "title": T("Résultats : {c}", "Results: {c}", c=queries.title_of(call)),
            "call": call,
            "results": counted,
            "figures": figures,
            "drawn": drawn,
            "sources": Source.objects.in_bulk(sorted({key for f in figures for key in f["sources"]})),
            "announced": announced,
            "exercise": found,
            "authority": queries.authority_of(call),
            "can_announce": found is not None and found.state == "decided" and actor.can("selection.decide"),
            "rows": [
                {
                    "project": p,
                    "url": _link("project", p.slug),
                }
                for p in counted.projects[:300]
            ],
            "breadcrumb": _trail(found, (None, T("Résultats", "Results")))
            if access.takes_part(actor) and found
            else [],
        },
    )
