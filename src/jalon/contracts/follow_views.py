"""Pages of the life of contracts: parse, call one act or one read, render."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from jalon.contracts import (
    access,
    follow_actions as acts_on,
    follow_queries as queries,
    follow_rules as rules,
    follow_states as states,
)
from jalon.contracts.follow_access import FOLLOWED, Standing, may_declare, portfolio_of, standing
from jalon.contracts.follow_forms import (
    BudgetForm,
    ExtendForm,
    JudgeForm,
    MilestoneForm,
    ObjectiveForm,
    ProgressForm,
    StepForm,
)
from jalon.contracts.frame import frame
from jalon.contracts.models import (
    Action,
    BudgetLine,
    Commitment,
    CommitmentStep,
    Contract,
    ContractIndicator,
    Milestone,
    Objective,
    ObjectiveStatus,
    Progress,
    Report,
)
from jalon.contracts.queries import name_clusters
from jalon.contracts.rules import Review, mid_term_review
from jalon.contracts.templatetags.follow import editable, written
from jalon.core import clock, files
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.models import JournalEntry, StoredFile
from jalon.core.sheets import Column
from jalon.indicators import actions as values, engine, queries as observed, states as value_states
from jalon.people.access import policy
from jalon.people.keeping import kept
from jalon.programme import actions as round_acts, measuring, queries as programme
from jalon.programme.models import Round
from jalon.ui import charts, format as fmt
from jalon.ui.http import acts, export, page, wants, wants_json
from jalon.ui.lights import light as light_of

PER_PAGE = 50
SUMMED = 150
"""Up to so many contracts, a board's totals are those of the whole selection without being asked for."""


# --- what every page needs -----------------------------------------------------------------------------------------


def _known_on(request: HttpRequest) -> dt.date | None:
    """The day of ``?known_on=``; None without it.

    Raises:
        Refused: it cannot be read, or is still to come.
    """
    asked = request.GET.get("known_on", "").strip()
    if not asked:
        return None
    try:
        day = dt.date.fromisoformat(asked)
    except ValueError:
        raise Refused(
            T(
                "« {found} » n'est pas un jour : écrivez known_on=2010-03-31.",
                "“{found}” is not a day: write known_on=2010-03-31.",
                found=asked[:20],
            ),
            kind="input",
        ) from None
    if day > clock.today():
        raise Refused(
            T(
                "Ce qui sera connu le {day} ne l'est pas encore.",
                "What will be known on {day} is not known yet.",
                day=day.isoformat(),
            ),
            kind="input",
        )
    return day


def _contract(request: HttpRequest, slug: str) -> tuple[Contract, Standing]:
    """A signed contract, and what the actor is for it; 404 for a contract that may not be known or is not signed."""
    today = clock.today()
    found = Contract.objects.filter(state__in=FOLLOWED, starts_on__isnull=False, ends_on__isnull=False)
    contract = get_object_or_404(access.visible_to(request.actor, today, found).select_related("cluster"), slug=slug)
    name_clusters([contract], today)
    return contract, standing(request.actor, contract, today)


def _crumbs(contract: Contract, *more: tuple[Any, str]) -> list[dict[str, Any]]:
    trail = [
        {"label": T("Contrats", "Contracts"), "url": _address("contract-list")},
        {"label": contract.title, "url": _address("contract", contract.slug)},
        {"label": T("Suivi", "Follow-up"), "url": reverse("contract-dashboard", args=[contract.slug])},
        *({"label": label, "url": url} for label, url in more),
    ]
    trail[-1]["url"] = ""
    return trail


def _address(name: str, *args: Any) -> str:
    from django.urls import NoReverseMatch

    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _back(contract: Contract, anchor: str = "") -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("contract-dashboard", args=[contract.slug]) + (f"#{anchor}" if anchor else ""))


# --- the contract's dashboard -----------------------------------------------------------------------------------------


@page
@kept
def contract_dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Objectives, actions, indicators, money, both sides' lights: what is late or missing first."""
    contract, mine = _contract(request, slug)
    known_on = _known_on(request)
    board = queries.dashboard(contract, day=clock.today(), sight=mine.sight, known_on=known_on, live=mine.inside)
    if wants(request) != "html":
        return export(
            request, f"suivi-{contract.slug}", DASHBOARD_COLUMNS, _dashboard_rows(board), simulated=board.simulated
        )
    for view in board.indicators:
        view.spark = (
            charts.sparkline(  # type: ignore[attr-defined]
                [charts.Point(*p) for p in view.points],
                target=view.target.value if view.target else None,
                title=str(view.title),
            )
            if view.series
            else ""
        )
    return render(
        request,
        "contracts/follow/dashboard.html",
        {
            **frame(request, contract, "follow", drafts=mine.inside),
            "breadcrumb": _crumbs(contract),
            "review": _review(contract),
            "here": reverse("contract-dashboard", args=[contract.slug]),
            "budget_url": reverse("contract-budget", args=[contract.slug]) if mine.inside else "",
            "budget_chart": _shares(board.budget_last) if board.budget_last else "",
            "board": board,
            "mine": mine,
            "known_on": known_on,
            "TONES": states.TONES,
            "TITLES": states.TITLES,
            "bad_pole": sum(n for code, n in board.pole_lights if code in ("late", "missed")),
            "bad_public": sum(n for code, n in board.public_lights if code in ("late", "missed")),
        },
    )


def _review(contract: Contract) -> Review | None:
    """The review of the improvement axes that the contract's own policy day asks for."""
    laws = policy()
    templates = {t.code: t for t in laws.contract_templates}
    return mid_term_review(
        starts_on=contract.starts_on,
        group=contract.group,
        template=templates.get(contract.template),
        policy_day=laws.on(contract.policy_day),
        day=contract.policy_day,
    )


DASHBOARD_COLUMNS = [
    ("kind", Column(T("Nature", "Kind"))),
    ("title", Column(T("Promesse", "Promise"), width=50)),
    ("side", Column(T("Côté", "Side"))),
    ("party", Column(T("Partie", "Party"), width=30)),
    ("year", Column(T("Année", "Year"), "number")),
    ("due_on", Column(T("Échéance", "Due on"), "date")),
    ("value", Column(T("Valeur ou montant versé", "Value or amount paid"), "number")),
    ("target", Column(T("Cible ou montant promis", "Target or amount promised"), "number")),
    ("unit", Column(T("Unité", "Unit"))),
    ("light", Column(T("Feu", "Light"))),
    ("why", Column(T("Pourquoi", "Why"), width=60)),
]


def _dashboard_rows(board: queries.Dashboard) -> Iterator[list[Any]]:
    pole, public = str(T("pôle", "cluster")), str(T("public", "public"))

    def said(light: rules.Light | None) -> list[Any]:
        return [str(light_of(light.code).title), str(light.why.rule)] if light else ["", ""]

    for o in board.objectives:
        yield [str(T("objectif", "objective")), o.objective.title, pole, "", None, None, None, None, "", *said(o.light)]
        for a in o.actions:
            yield [
                str(T("action", "action")),
                a.action.title,
                pole,
                a.action.owner,
                None,
                a.action.ends_on,
                a.progress.percent if a.progress else None,
                100,
                "%",
                *said(a.light),
            ]
    for i in board.indicators:
        yield [
            str(T("indicateur", "indicator")),
            str(i.title),
            pole,
            "",
            i.year,
            None,
            i.observation.value if i.observation else None,
            i.target.value if i.target else None,
            i.unit,
            *said(i.light),
        ]
    for c in board.commitments:
        yield [
            str(T("engagement public", "public commitment")),
            c.commitment.title or str(c.commitment.party.organisation.name),
            public,
            c.commitment.party.organisation.name,
            c.commitment.year,
            c.due_on,
            c.paid,
            c.commitment.amount,
            policy().currency if c.commitment.kind == "money" else "",
            *said(c.light),
        ]


@page
def contract_actions(request: HttpRequest, slug: str) -> HttpResponse:
    """The calendar of the actions: Gantt, and the dated list of what is due."""
    contract, mine = _contract(request, slug)
    known_on = _known_on(request)
    day = known_on or clock.today()
    views = queries.actions_of(contract, day, known_on, queries.texts_known(contract, known_on))
    if wants(request) != "html":
        columns = [
            ("objective", Column(T("Objectif", "Objective"), width=40)),
            ("action", Column(T("Action", "Action"), width=40)),
            ("owner", Column(T("Responsable", "Owner"))),
            ("starts_on", Column(T("Début", "Start"), "date")),
            ("ends_on", Column(T("Fin prévue", "Planned end"), "date")),
            ("expected_end", Column(T("Fin attendue", "Expected end"), "date")),
            ("percent", Column(T("Avancement", "Progress"), "number")),
            ("light", Column(T("Feu", "Light"))),
            ("reason", Column(T("Pourquoi", "Why"), width=50)),
        ]
        rows = (
            [
                v.action.objective.title,
                v.action.title,
                v.action.owner,
                v.action.starts_on,
                v.action.ends_on,
                v.progress.expected_end if v.progress else None,
                v.progress.percent if v.progress else None,
                str(light_of(v.light.code).title),
                v.progress.reason if v.progress else "",
            ]
            for v in views
        )
        return export(request, f"actions-{contract.slug}", columns, rows, simulated=contract.simulated)
    lines = [
        charts.Row(
            label=v.action.title,
            starts_on=v.action.starts_on,
            ends_on=(v.progress.expected_end if v.progress and v.slip else v.action.ends_on),
            progress=v.progress.percent if v.progress else None,
            light=v.light.code,
            group=v.action.objective.title,
            milestones=[(m.milestone.due_on, m.milestone.title) for m in v.milestones if m.milestone.due_on],
            was_ends_on=v.action.ends_on if v.slip else None,
        )
        for v in views
        if v.action.starts_on or v.action.ends_on
    ]
    calendar = sorted(
        [
            (m.milestone.due_on, m.milestone.title, v.action, m.light, T("jalon", "milestone"))
            for v in views
            for m in v.milestones
            if m.milestone.due_on
        ]
        + [
            (v.action.ends_on, v.action.title, v.action, v.light, T("fin d'action", "end of action"))
            for v in views
            if v.action.ends_on
        ],
        key=lambda row: (row[0], row[1]),
    )
    drawn = (
        {
            "gantt": charts.gantt(
                lines,
                contract.starts_on,
                contract.ends_on,
                day,
                width=360,
                title=T("Calendrier des actions", "Calendar of actions"),
            ),
            "gantt_wide": charts.gantt(
                lines,
                contract.starts_on,
                contract.ends_on,
                day,
                width=900,
                title=T("Calendrier des actions", "Calendar of actions"),
            ),
        }
        if lines
        else {}
    )
    return render(
        request,
        "contracts/follow/actions.html",
        {
            "title": T("Actions : {name}", "Actions: {name}", name=contract.title),
            "breadcrumb": _crumbs(contract, (T("Actions", "Actions"), "")),
            "contract": contract,
            "views": views,
            "calendar": calendar,
            "mine": mine,
            "known_on": known_on,
            "day": day,
            **drawn,
        },
    )


@page
def action_progress(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """One action: its promise, where it stands, every declaration made about it; the pôle's form."""
    contract, mine = _contract(request, slug)
    action = get_object_or_404(
        Action.objects.select_related("objective", "contract__cluster"), contract=contract, key=key
    )
    known_on = _known_on(request)
    day = known_on or clock.today()
    view = next(
        (
            v
            for v in queries.actions_of(contract, day, known_on, queries.texts_known(contract, known_on))
            if v.action.pk == action.pk
        ),
        None,
    )
    if view is None:
        raise Http404
    may = mine.pole and request.actor.can("action.update") and known_on is None
    now = view.progress
    status = 200
    if request.method == "POST":
        form = ProgressForm(request.POST)
        if form.is_valid():
            data = dict(form.cleaned_data)
            try:
                acts_on.report_progress(action, by=request.actor, on=clock.today(), **data)
            except NotAllowed:
                raise
            except Refused as refusal:
                status = 409 if refusal.kind == "conflict" else 400
                for text in [refusal.reason, *refusal.missing]:
                    form.add_error(None, str(text))
                if refusal.kind == "conflict":
                    form.data = form.data.copy()
                    form.data["seen"] = now.pk if now else 0
            else:
                messages.success(request, str(T("L'avancement est enregistré.", "The progress is recorded.")))
                return HttpResponseRedirect(reverse("action-progress", args=[contract.slug, action.key]))
        else:
            status = 400
    else:
        form = ProgressForm(
            initial={
                "status": now.status if now else "not_started",
                "percent": now.percent if now else 0,
                "expected_end": now.expected_end if now else None,
                "done_on": now.done_on if now else None,
                "reason": now.reason if now else "",
                "seen": now.pk if now else 0,
            }
        )
    told = Progress.objects.filter(action=action, milestone__isnull=True).order_by("-recorded_at", "-id")
    if known_on:
        told = told.filter(recorded_at__lte=clock.end_of_day(known_on))
    return render(
        request,
        "contracts/follow/action.html",
        {
            "title": action.title,
            "breadcrumb": _crumbs(
                contract, (T("Actions", "Actions"), reverse("contract-actions", args=[slug])), (action.title, "")
            ),
            "contract": contract,
            "view": view,
            "form": form if may else None,
            "mine": mine,
            "known_on": known_on,
            "history": told,
            "STATUSES": states.ACTION_STATUSES,
            "may": may,
            "milestone_form": MilestoneForm(),
        },
        status=status,
    )


@acts
def milestone_progress(request: HttpRequest, slug: str, key: str, milestone: str) -> HttpResponse:
    """A milestone is passed, or expected on another day."""
    contract, _ = _contract(request, slug)
    found = get_object_or_404(
        Milestone.objects.select_related("action__contract__cluster"),
        action__contract=contract,
        action__key=key,
        key=milestone,
    )
    form = MilestoneForm(request.POST)
    if not form.is_valid():
        raise Refused(str(next(iter(form.errors.values()))[0]), kind="input")
    acts_on.pass_milestone(found, by=request.actor, on=clock.today(), **form.cleaned_data)
    messages.success(request, str(T("Le jalon est enregistré.", "The milestone is recorded.")))
    return HttpResponseRedirect(reverse("action-progress", args=[slug, key]))


@page
def objective_follow(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """One objective: declared by the pôle, validated or contested by the State."""
    contract, mine = _contract(request, slug)
    objective = get_object_or_404(Objective.objects.select_related("contract__cluster"), contract=contract, key=key)
    known_on = _known_on(request)
    day = known_on or clock.today()
    view = next(
        (
            v
            for v in queries.objectives_of(contract, day, known_on, queries.texts_known(contract, known_on))
            if v.objective.pk == objective.pk
        ),
        None,
    )
    if view is None:
        raise Http404
    declares = mine.pole and request.actor.can("action.update") and known_on is None
    judges = mine.state and request.actor.can("observation.validate") and known_on is None and view.status is not None
    form: Any = None
    status = 200
    if request.method == "POST":
        judging = "agree" in request.POST
        form = JudgeForm(request.POST) if judging else ObjectiveForm(request.POST)
        if form.is_valid():
            try:
                if judging:
                    acts_on.judge_objective(
                        objective,
                        agree=request.POST["agree"] == "1",
                        by=request.actor,
                        on=clock.today(),
                        note=form.cleaned_data["note"],
                    )
                else:
                    acts_on.state_objective(
                        objective,
                        form.cleaned_data["status"],
                        by=request.actor,
                        on=clock.today(),
                        note=form.cleaned_data["note"],
                    )
            except NotAllowed:
                raise
            except Refused as refusal:
                form.add_error(None, str(refusal.reason))
                status = 400
            else:
                messages.success(request, str(T("C'est enregistré.", "It is recorded.")))
                return HttpResponseRedirect(request.path)
        else:
            status = 400
    told = ObjectiveStatus.objects.filter(objective=objective).order_by("-recorded_at", "-id")
    if known_on:
        told = told.filter(recorded_at__lte=clock.end_of_day(known_on))
    history = [(s, *rules.read_status(s.status)) for s in told]
    return render(
        request,
        "contracts/follow/objective.html",
        {
            "title": objective.title,
            "breadcrumb": _crumbs(contract, (T("Objectif", "Objective"), "")),
            "contract": contract,
            "view": view,
            "mine": mine,
            "known_on": known_on,
            "history": history,
            "STATUSES": states.OBJECTIVE_STATUSES,
            "form": (
                form
                if isinstance(form, ObjectiveForm)
                else ObjectiveForm(initial={"status": view.declared, "note": view.status.note if view.status else ""})
            )
            if declares
            else None,
            "judge": (form if isinstance(form, JudgeForm) else JudgeForm()) if judges else None,
        },
        status=status,
    )


@page
def commitment_follow(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """One public commitment: promised, decided, paid; what each side says of it."""
    contract, mine = _contract(request, slug)
    known_on = _known_on(request)
    day = known_on or clock.today()
    view = next((c for c in queries.commitments_of(contract, day, known_on) if c.commitment.key == key), None)
    if view is None:
        raise Http404
    commitment = view.commitment
    commitment.contract = contract
    own = mine.party == commitment.party_id or (commitment.party.kind == "state" and mine.state)
    may_declare = own and request.actor.can("commitment.declare_paid") and known_on is None
    may_flag = (
        mine.pole
        and request.actor.can("action.update")
        and known_on is None
        and not view.contested
        and (view.paid or view.delivered_on)
    )
    support = commitment.kind == "support"
    form: Any = StepForm(support=support, initial={"day": clock.today(), "kind": "delivered" if support else "paid"})
    status = 200
    if request.method == "POST":
        if "not_received" in request.POST:
            acts_on.flag_not_received(commitment, by=request.actor, on=clock.today(), note=request.POST.get("note", ""))
            messages.success(request, str(T("C'est signalé.", "It is flagged.")))
            return HttpResponseRedirect(request.path)
        form = StepForm(request.POST, support=support)
        if form.is_valid():
            data = dict(form.cleaned_data)
            try:
                acts_on.declare_step(commitment, data.pop("kind"), by=request.actor, on=clock.today(), **data)
            except NotAllowed:
                raise
            except Refused as refusal:
                form.add_error(None, str(refusal.reason))
                status = 400
            else:
                messages.success(request, str(T("C'est enregistré.", "It is recorded.")))
                return HttpResponseRedirect(request.path)
        else:
            status = 400
    versions = (
        Commitment.objects.filter(contract=contract, key=key).select_related("text").order_by("recorded_at", "id")
    )
    steps = CommitmentStep.objects.filter(contract=contract, key=key).order_by("recorded_at", "id")
    return render(
        request,
        "contracts/follow/commitment.html",
        {
            "title": T(
                "Engagement public : {party}", "Public commitment: {party}", party=commitment.party.organisation.name
            ),
            "breadcrumb": _crumbs(contract, (T("Engagement public", "Public commitment"), "")),
            "contract": contract,
            "view": view,
            "mine": mine,
            "known_on": known_on,
            "form": form if may_declare else None,
            "may_flag": may_flag,
            "versions": versions,
            "steps": steps,
            "STEPS": states.STEPS,
            "currency": policy().currency,
        },
        status=status,
    )


@page
def contract_budget(request: HttpRequest, slug: str) -> HttpResponse:
    """The running budget year by year, for the parties: lines, shares, versions; the pôle's form for one year."""
    contract, mine = _contract(request, slug)
    if not mine.inside:
        raise NotAllowed(
            T(
                "Le budget d'animation se lit entre les parties du contrat.",
                "The running budget is read among the parties of the contract.",
            )
        )
    known_on = _known_on(request)
    today = clock.today()
    lines = queries.budget_lines(contract, known_on)
    years = queries.budget_years(lines)
    simulated = any(line.simulated for line in lines)
    if wants(request) != "html":
        columns = [
            ("year", Column(T("Année", "Year"), "number")),
            *((kind, Column(title, "money")) for kind, title in states.BUDGET.items()),
            ("total", Column(T("Total en argent", "Total in money"), "money")),
            ("public_share", Column(T("Part publique (%)", "Public share (%)"), "number")),
            ("private_share", Column(T("Part privée (%)", "Private share (%)"), "number")),
        ]
        rows = (
            [y.year, *(y.lines.get(kind) for kind in states.BUDGET), y.total, y.public_share, y.private_share]
            for y in years
        )
        return export(request, f"budget-{contract.slug}", columns, rows, simulated=simulated)
    asked = request.GET.get("annee", "")
    first = max(acts_on.FIRST_BUDGET, contract.starts_on.year - 1)
    offered = sorted({*range(first, min(contract.ends_on.year, today.year) + 1), *(y.year for y in years)})
    year = int(asked) if asked.isdecimal() and int(asked) in offered else None
    if year is None:
        year = next((y for y in reversed(offered) if y < today.year), offered[-1] if offered else today.year)
    may_write = mine.pole and request.actor.can("observation.declare") and known_on is None
    current = {line.kind: line for line in lines if line.year == year}
    status, form = 200, None
    if may_write:
        unit = fmt.SYMBOLS.get(policy().currency, policy().currency)
        if request.method == "POST":
            form = BudgetForm(request.POST, unit=unit)
            if form.is_valid():
                try:
                    made = acts_on.declare_budget(
                        contract,
                        year,
                        form.amounts,
                        by=request.actor,
                        on=today,
                        reason=form.cleaned_data["reason"],
                        seen=form.cleaned_data["seen"],
                    )
                except NotAllowed:
                    raise
                except Refused as refusal:
                    status = 409 if refusal.kind == "conflict" else 400
                    for text in [refusal.reason, *refusal.missing]:
                        form.add_error(None, str(text))
                    if isinstance(refusal, Conflict):
                        form.data = form.data.copy()
                        form.data["seen"] = max((line.pk for line in current.values()), default=0)
                else:
                    said = (
                        T("Le budget {y} est enregistré.", "The budget of {y} is recorded.", y=str(year))
                        if made
                        else T("Rien n'a changé.", "Nothing has changed.")
                    )
                    messages.success(request, str(said))
                    return HttpResponseRedirect(f"{request.path}?annee={year}")
            else:
                status = 400
        else:
            form = BudgetForm(
                unit=unit,
                initial={kind: editable(line.amount) for kind, line in current.items()}
                | {"seen": max((line.pk for line in current.values()), default=0)},
            )
    elif request.method == "POST":
        may_declare(request.actor, contract, today)
    versions = BudgetLine.objects.filter(cluster_id=contract.cluster_id, year=year).order_by("-recorded_at", "-id")
    if known_on:
        versions = versions.filter(recorded_at__lte=clock.end_of_day(known_on))
    reasons = JournalEntry.objects.filter(case=f"contract:{contract.slug}", act="budget.declare")
    shown = next((y for y in years if y.year == year), None)
    return render(
        request,
        "contracts/follow/budget.html",
        {
            "title": T("Budget d'animation : {name}", "Running budget: {name}", name=contract.cluster_name),
            "breadcrumb": _crumbs(contract, (T("Budget d'animation", "Running budget"), "")),
            "contract": contract,
            "mine": mine,
            "known_on": known_on,
            "years": years,
            "kinds": list(states.BUDGET.items()),
            "money_kinds": [(k, t) for k, t in states.BUDGET.items() if k != "in_kind"],
            "offered": offered,
            "year": year,
            "shown": shown,
            "shares": _shares(shown) if shown else None,
            "form": form,
            "versions": versions,
            "reasons": {r.at: r.why for r in reasons if r.why},
            "simulated": simulated,
        },
        status=status,
    )


def _shares(year: rules.BudgetYear) -> charts.Drawing:
    """The money of a year as one bar: public, private."""
    return charts.stacked_share(
        [(states.BUDGET[k], year.lines[k]) for k in rules.BUDGET_KINDS if k != "in_kind" and k in year.lines],
        unit="money",
        title=T("Recettes du budget d'animation {y}", "Income of the running budget, {y}", y=str(year.year)),
    )


# --- one indicator ---------------------------------------------------------------------------------------------------


def _indicator(contract: Contract, key: str, sight: str, known_on: dt.date | None) -> queries.IndicatorView:
    day = known_on or clock.today()
    found = queries.indicators_of(contract, day, known_on, queries.texts_known(contract, known_on), sight, only=key)
    if not found:
        raise Http404
    return found[0]


def _as_then(rows: Iterable[Any], known_on: dt.date | None) -> list[Any]:
    """A history as it read on an earlier day: nothing of what came later, nothing yet replaced by it."""
    if known_on is None:
        return list(rows)
    end = clock.end_of_day(known_on)
    then = [row for row in rows if row.recorded_at <= end]
    for row in then:
        if row.superseded_at and row.superseded_at > end:
            row.superseded_at = None  # shown only, never saved
    return then


@page
def contract_indicator(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """An indicator of a contract: trend and targets, history of both, versions of each value."""
    contract, mine = _contract(request, slug)
    known_on = _known_on(request)
    view = _indicator(contract, key, mine.sight, known_on)
    versions = _as_then(observed.history(contract.cluster_id, view.indicator.code, sight=mine.sight), known_on)
    if wants(request) != "html":
        columns = [
            ("year", Column(T("Année", "Year"), "number")),
            ("value", Column(T("Valeur", "Value"), "number")),
            ("target", Column(T("Cible", "Target"), "number")),
            ("unit", Column(T("Unité", "Unit"))),
            ("definition", Column(T("Version de la définition", "Definition version"))),
            ("state", Column(T("État", "State"))),
            ("origin", Column(T("Origine", "Origin"))),
            ("recorded_at", Column(T("Enregistrée le", "Recorded on"), "date")),
        ]
        by_year = {o.period_end.year: o for o in view.series}
        rows = (
            [
                year,
                o.value if o else None,
                view.targets[year].value if year in view.targets else None,
                view.unit,
                o.definition_version if o else "",
                str(value_states.TITLES[o.state]) if o else "",
                str(value_states.ORIGINS[o.origin]) if o else "",
                o.recorded_at.date() if o else None,
            ]
            for year in sorted({*by_year, *view.targets})
            for o in (by_year.get(year),)
        )
        return export(request, f"{contract.slug}-{view.indicator.key}", columns, rows, simulated=view.simulated)
    chart = {}
    if view.series or view.targets:
        points, unit = [charts.Point(*p) for p in view.points], {"percent": "%"}.get(view.unit)
        for name, width in (("chart", 420), ("chart_wide", 760)):
            chart[name] = charts.trend(
                points, view.aims, unit=unit, width=width, height=240, title=view.title, breaks=view.breaks
            )
    definitions = view.entry.definitions if view.entry else ()
    parts = [
        o
        for o in observed.values(contract.cluster_id, [view.indicator.code], sight=mine.sight, known_on=known_on)
        if o.breakdown
    ]
    names = {f"{b.code}={v.code}": v.title for b in (view.entry.breakdowns if view.entry else ()) for v in b.values}
    return render(
        request,
        "contracts/follow/indicator.html",
        {
            "title": view.title,
            "breadcrumb": _crumbs(contract, (view.title, "")),
            "contract": contract,
            "view": view,
            "explained": mine.inside or any(o.period_end.year == view.year for o in view.series),
            "mine": mine,
            "known_on": known_on,
            "versions": versions,
            "targets": _as_then(queries.target_history(view.indicator), known_on),
            "definitions": definitions,
            "parts": [
                (o, names.get(o.breakdown, o.breakdown))
                for o in parts
                if view.observation and o.period_end == view.observation.period_end
            ],
            "VALUE_TITLES": value_states.TITLES,
            "VALUE_TONES": value_states.TONES,
            "ORIGINS": value_states.ORIGINS,
            **chart,
        },
    )


@page
def calculation(request: HttpRequest, slug: str, key: str, year: int) -> HttpResponse:
    """How a computed figure comes about: formula, every measure with its value, and where its rows can be seen."""
    contract, mine = _contract(request, slug)
    known_on = _known_on(request)
    view = _indicator(contract, key, mine.sight, known_on)
    if view.source != "computed" or not 2004 <= year <= clock.today().year:
        raise Http404
    day = min(dt.date(year, 12, 31), known_on or clock.today())
    stored = next((o for o in view.series if o.period_end.year == year), None)
    if not mine.inside and stored is None:
        raise Http404
    figure = engine.compute([view.entry], [contract.cluster_id], dt.date(year, 1, 1), day, known_on).get(
        (contract.cluster_id, view.indicator.code)
    )
    measures = []
    for name in view.entry.measures:
        spec = measuring.get(name)
        link = {
            "cluster": _address("cluster", contract.cluster.slug),
            "contract-dashboard": reverse("contract-dashboard", args=[slug]),
        }.get(spec.link, "")
        kept = stored.explanation.get("measures", {}).get(name) if stored and stored.explanation else None
        measures.append(
            {
                "spec": spec,
                "value": figure.measures.get(name) if figure and mine.inside else None,
                "kept": None if kept is None else Decimal(kept),
                "link": link,
            }
        )
    names = {f"{b.code}={v.code}": v.title for b in view.entry.breakdowns for v in b.values}
    return render(
        request,
        "contracts/follow/calculation.html",
        {
            "title": T("Calcul : {name}", "Calculation: {name}", name=view.title),
            "breadcrumb": _crumbs(
                contract,
                (view.title, reverse("contract-indicator", args=[slug, key])),
                (T("Calcul", "Calculation"), ""),
            ),
            "contract": contract,
            "view": view,
            "figure": figure if mine.inside else None,
            "stored": stored,
            "measures": measures,
            "year": year,
            "day": day,
            "known_on": known_on,
            "why": figure.explanation if figure and mine.inside else None,
            "parts": [(names.get(k, k), v) for k, v in figure.breakdowns.items()] if figure and mine.inside else [],
            "definition": view.entry.definition_on(day),
        },
    )


def evidence(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A piece of evidence, for the parties; as a download only."""
    from django.http import FileResponse

    contract, mine = _contract(request, slug)
    found = get_object_or_404(StoredFile, pk=pk, case__startswith=f"report:{contract.slug}/")
    if not mine.inside:
        raise Http404
    path = files.path_of(found.sha256)
    if not path.exists():
        raise Http404
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=found.name, content_type="application/octet-stream"
    )


# --- reports ---------------------------------------------------------------------------------------------------------


def _report(request: HttpRequest, slug: str, round_code: str) -> tuple[Contract, Standing, Report]:
    contract, mine = _contract(request, slug)
    found = get_object_or_404(
        Report.objects.select_related("contract__cluster", "round"), contract=contract, round__code=round_code
    )
    if not mine.inside:
        raise NotAllowed(
            T(
                "Un rapport en cours n'est vu que des parties du contrat.",
                "A report in progress is only seen by the parties of the contract.",
            )
        )
    return contract, mine, found


def _typed(request: HttpRequest) -> acts_on.Typed:
    post = request.POST
    return acts_on.Typed(
        value=post.get("value", ""),
        numerator=post.get("numerator", ""),
        denominator=post.get("denominator", ""),
        note=post.get("note", ""),
        breakdowns={k[2:]: v for k, v in post.items() if k.startswith("b:")},
    )


def _sections(report: Report, mine: Standing, known: dict[str, dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """The sections of the report form: one per indicator, with its state."""
    lines = acts_on.lines_of(report)
    computed = engine.compute(
        [line.entry for line in lines if line.source == "computed"],
        [report.contract.cluster_id],
        report.round.period_start,
        report.round.period_end,
    )
    aims = {
        t.indicator_id: t.value
        for t in queries.Target.objects.filter(
            indicator__in=[line.indicator.pk for line in lines],
            year=report.round.period_end.year,
            superseded_at__isnull=True,
        )
    }
    editable = report.state in states.EDITABLE
    out = []
    for line in lines:
        main = line.main
        own = mine.sight == observed.OWN or main is None or main.state != value_states.DRAFT
        shown = main if own else None
        locked = not editable or (report.state == states.RETURNED and main is not None and main.state == "submitted")
        if line.source != "declared":
            light = (
                "done" if line.source == "computed" else "not_yet_due"
            )  # the section is ready; not: the target is reached
        elif shown is not None and shown.state == "returned":
            light = "at_risk"
        elif line.filled and own:
            light = "at_risk" if line.errors else "done"
        else:
            light = "not_started"
        values_now = {o.breakdown: o.value for o in line.rows} if own else {}
        parts = [
            {
                "title": b.title,
                "code": b.code,
                "values": [
                    {"key": f"{b.code}={v.code}", "title": v.title, "value": values_now.get(f"{b.code}={v.code}")}
                    for v in b.values
                ],
            }
            for b in (line.entry.breakdowns if line.entry else ())
        ]
        definition = line.entry.definition_on(report.round.period_end) if line.entry else None
        figure = computed.get((report.contract.cluster_id, line.indicator.code))
        out.append(
            {
                "line": line,
                "key": line.indicator.key,
                "title": line.entry.title if line.entry else line.indicator.title,
                "main": shown,
                "light": light,
                "locked": locked,
                "unit": line.entry.unit if line.entry else line.indicator.unit,
                "parts": parts,
                "definition": definition,
                "figure": figure,
                "target": aims.get(line.indicator.pk),
                "fraction": bool(definition and definition.numerator and definition.denominator),
                "revision": values.revision(line.rows),
                "findings": line.findings if own and (line.filled or report.state == states.RETURNED) else [],
                "previous": None,
                "typed": (known or {}).get(line.indicator.key),
            }
        )
    return out


def _report_page(
    request: HttpRequest,
    contract: Contract,
    mine: Standing,
    report: Report,
    *,
    typed: Any = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    today = clock.today()
    sections = _sections(report, mine, typed)
    asked = [s for s in sections if s["line"].source == "declared"]
    try:
        acts_on.check_editable(report, today)
        lock: Refused | None = None
    except Refused as locked:
        lock = locked
    writes = mine.pole and request.actor.can("observation.declare") and lock is None
    actions = Action.objects.filter(contract=contract, removed_by_text__isnull=True)
    fresh = (
        Progress.objects.filter(
            action__contract=contract,
            milestone__isnull=True,
            superseded_at__isnull=True,
            on__gte=report.round.period_end,
        )
        .values("action")
        .distinct()
        .count()
    )
    history = JournalEntry.objects.filter(case=acts_on.case_of(report)).exclude(act="value.draft").order_by("-seq")[:20]
    return render(
        request,
        "contracts/follow/report.html",
        {
            "title": T("Rapport {code} : {name}", "Report {code}: {name}", code=report.round.code, name=contract.title),
            "breadcrumb": _crumbs(contract, (T("Rapport {code}", "Report {code}", code=report.round.code), "")),
            "contract": contract,
            "report": report,
            "mine": mine,
            "sections": sections,
            "asked": asked,
            "computed": [s for s in sections if s["line"].source == "computed"],
            "other": [s for s in sections if s["line"].source not in ("declared", "computed")],
            "filled": sum(s["light"] == "done" for s in asked),
            "writes": writes,
            "lock": lock,
            "submits": writes and request.actor.can("observation.submit"),
            "refusal": refusal,
            "light": rules.report_light(today=today, state=report.state, due_on=report.due_on),
            "next": rules.next_step(report.state, today, report.due_on),
            "actions_count": actions.count(),
            "actions_fresh": fresh,
            "history": history,
            "STATE": states.TITLES[report.state],
            "TONE": states.TONES[report.state],
            "reviews": mine.state and request.actor.can("observation.validate"),
        },
        status=status,
    )


@page
def report(request: HttpRequest, slug: str, round_code: str) -> HttpResponse:
    """The report of a round: one section per indicator, filled in any order, saved as one writes."""
    contract, mine, found = _report(request, slug, round_code)
    return _report_page(request, contract, mine, found)


@page
def declare_value(request: HttpRequest, slug: str, round_code: str, key: str) -> HttpResponse:
    """Save one value: by the form, or by itself while it is written."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("report", args=[slug, round_code]))
    contract, mine, found = _report(request, slug, round_code)
    typed = _typed(request)
    on = clock.today()
    try:
        written_, findings = acts_on.declare(
            found,
            key,
            typed,
            by=request.actor,
            on=on,
            seen=request.POST.get("revision") or None,
            evidence=request.FILES.get("evidence"),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        conflict = isinstance(refusal, Conflict)
        status = 409 if conflict else 400
        indicator = ContractIndicator.objects.filter(contract=contract, key=key).first()
        rows = values.in_work(contract.cluster_id, indicator.code, found.round.period_end) if indicator else []
        if wants_json(request):
            body: dict[str, Any] = {"message": str(refusal.reason), "errors": [str(m) for m in refusal.missing]}
            if conflict:
                body |= {"theirs": refusal.theirs, "yours": refusal.yours, "revision": values.revision(rows)}  # type: ignore[attr-defined]
            return JsonResponse(body, status=status)
        kept = {
            key: {
                "typed": typed,
                "refusal": refusal,
                "revision": values.revision(rows),
                "theirs": getattr(refusal, "theirs", None),
                "yours": getattr(refusal, "yours", None),
            }
        }
        return _report_page(request, contract, mine, found, typed=kept, status=status)
    if wants_json(request):
        rows = values.in_work(contract.cluster_id, written_.indicator, found.round.period_end)
        return JsonResponse(
            {
                "revision": values.revision(rows),
                "saved_at": clock.real_now().isoformat(),
                "findings": [
                    {
                        "level": f.level,
                        "text": str(f.text),
                        "why": [str(line) for line in (f.why.rule, f.why.parameter, f.why.reference) if line],
                    }
                    for f in findings
                ],
                "light": "at_risk" if any(f.error for f in findings) else "done",
            }
        )
    messages.success(request, str(T("La valeur est enregistrée.", "The value is saved.")))
    return HttpResponseRedirect(reverse("report", args=[slug, round_code]) + f"#valeur-{key}")


@page
def submit_report(request: HttpRequest, slug: str, round_code: str) -> HttpResponse:
    """The pôle states its report."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("report", args=[slug, round_code]))
    contract, mine, found = _report(request, slug, round_code)
    try:
        acts_on.submit_report(found, by=request.actor, on=clock.today())
    except NotAllowed:
        raise
    except Refused as refusal:
        return _report_page(request, contract, mine, found, refusal=refusal, status=400)
    messages.success(
        request,
        str(
            T(
                "Le rapport est soumis au correspondant de l'État.",
                "The report is submitted to the State correspondent.",
            )
        ),
    )
    return HttpResponseRedirect(reverse("report", args=[slug, round_code]))


@page
def report_review(request: HttpRequest, slug: str, round_code: str) -> HttpResponse:
    """The correspondent's page: every value with its checks; return with reasons, validate, give time, reopen."""
    contract, mine, found = _report(request, slug, round_code)
    acts_on.may_review(request.actor, contract, clock.today())
    refusal: Refused | None = None
    extend = ExtendForm()
    if request.method == "POST":
        act, on = request.POST.get("act", ""), clock.today()
        chosen = {k[2:]: request.POST.get(f"why:{k[2:]}", "") for k in request.POST if k.startswith("r:")}
        try:
            if act == "validate":
                acts_on.validate_report(found, by=request.actor, on=on)
                text = T(
                    "Le rapport est validé : ses valeurs sont publiques.",
                    "The report is validated: its values are public.",
                )
            elif act == "return":
                acts_on.return_report(
                    found,
                    by=request.actor,
                    on=on,
                    reason=request.POST.get("reason", ""),
                    values_returned=chosen or None,
                )
                text = T("Le rapport est retourné au pôle.", "The report is returned to the cluster.")
            elif act == "reopen":
                acts_on.reopen_report(found, by=request.actor, on=on, reason=request.POST.get("reason", ""))
                text = T("Le rapport est rouvert.", "The report is reopened.")
            elif act == "extend":
                extend = ExtendForm(request.POST)
                if not extend.is_valid():
                    raise Refused(
                        T(
                            "Le nouveau délai et son motif sont attendus.",
                            "The new due day and its reason are expected.",
                        ),
                        kind="input",
                    )
                acts_on.extend_report(
                    found, extend.cleaned_data["due_on"], by=request.actor, on=on, reason=extend.cleaned_data["reason"]
                )
                text = T("Le délai est prolongé.", "More time is given.")
            else:
                raise Refused(
                    T("Choisissez ce que vous faites de ce rapport.", "Choose what you do with this report."),
                    kind="input",
                )
        except NotAllowed:
            raise
        except Refused as refused:
            refusal = refused
        else:
            messages.success(request, str(text))
            return HttpResponseRedirect(reverse("report-review", args=[slug, round_code]))
        found.refresh_from_db()
    sections = _sections(found, mine)
    before = {
        o.indicator: o
        for o in observed.values(
            contract.cluster_id, [s["line"].indicator.code for s in sections], sight=observed.PUBLIC
        )
        if not o.breakdown and o.period_end < found.round.period_end
    }
    for s in sections:
        s["previous"] = before.get(s["line"].indicator.code)
        s["why"] = request.POST.get(f"why:{s['key']}", "") if refusal else ""
        s["checked"] = bool(refusal) and f"r:{s['key']}" in request.POST
    return render(
        request,
        "contracts/follow/review.html",
        {
            "title": T("Vérifier le rapport {code}", "Check report {code}", code=found.round.code),
            "breadcrumb": _crumbs(
                contract,
                (
                    T("Rapport {code}", "Report {code}", code=found.round.code),
                    reverse("report", args=[slug, round_code]),
                ),
                (T("Vérification", "Check"), ""),
            ),
            "contract": contract,
            "report": found,
            "sections": sections,
            "refusal": refusal,
            "extend": extend,
            "reason": request.POST.get("reason", "") if refusal else "",
            "STATE": states.TITLES[found.state],
            "TONE": states.TONES[found.state],
            "light": rules.report_light(today=clock.today(), state=found.state, due_on=found.due_on),
            "history": JournalEntry.objects.filter(case=acts_on.case_of(found))
            .exclude(act="value.draft")
            .order_by("-seq")[:30],
        },
        status=400 if refusal else 200,
    )


# --- many contracts ------------------------------------------------------------------------------------------------


class _Counted(Paginator):
    """A paginator told how many rows there are, so that they are not counted twice."""

    def __init__(self, rows: Any, per_page: int, count: int):
        super().__init__(rows, per_page)
        self.__dict__["count"] = count


def _chosen(request: HttpRequest) -> queries.BoardFilter:
    get = request.GET
    return queries.BoardFilter(
        q=get.get("q", "").strip()[:80],
        state=get.get("etat", "") if get.get("etat") in states.TITLES else "",
        late=get.get("retard") == "1",
        phase=get.get("phase", "")[:40],
        group=get.get("groupe", "")[:40],
        sort=get.get("sort", "") or "urgence",
    )


BOARD_COLUMNS = [
    ("cluster", Column(T("Pôle", "Cluster"), width=30)),
    ("contract", Column(T("Contrat", "Contract"), width=40)),
    ("phase", Column(T("Phase", "Phase"))),
    ("starts_on", Column(T("Début", "Start"), "date")),
    ("ends_on", Column(T("Fin", "End"), "date")),
    ("report", Column(T("Rapport", "Report"))),
    ("due_on", Column(T("Échéance", "Due on"), "date")),
    ("days_late", Column(T("Jours de retard", "Days late"), "number")),
    ("stated", Column(T("Valeurs déclarées", "Values stated"), "number")),
    ("missing", Column(T("Valeurs manquantes", "Missing values"), "number")),
    ("actions", Column(T("Actions", "Actions"), "number")),
    ("actions_late", Column(T("Actions en retard ou manquées", "Actions late or missed"), "number")),
    ("objectives", Column(T("Objectifs", "Objectives"), "number")),
    ("objectives_reached", Column(T("Objectifs atteints", "Objectives reached"), "number")),
    ("commitments", Column(T("Engagements publics", "Public commitments"), "number")),
    (
        "commitments_late",
        Column(T("Engagements publics en retard ou manqués", "Public commitments late or missed"), "number"),
    ),
    ("promised", Column(T("Promis", "Promised"), "money")),
    ("paid", Column(T("Versé", "Paid"), "money")),
    ("next", Column(T("Et maintenant", "What next"), width=50)),
]


def _board_cells(row: queries.BoardRow) -> list[Any]:
    state = str(states.TITLES[row.report_state]) if row.report_state else ""
    return [
        row.cluster,
        row.title,
        row.phase,
        row.starts_on,
        row.ends_on,
        state,
        row.due_on,
        row.days_late,
        row.stated,
        row.missing,
        row.actions,
        row.actions_late,
        row.objectives,
        row.objectives_reached,
        row.commitments,
        row.commitments_late,
        row.promised,
        row.paid,
        row.next,
    ]


def _board(request: HttpRequest, base: Any, template: str, extra: dict[str, Any], name: str) -> HttpResponse:
    known_on = _known_on(request)
    day = known_on or clock.today()
    every = list(programme.rounds(policy().slug).filter(opens_on__lte=day)[:12])
    asked = request.GET.get("campagne", "")
    round = next((r for r in every if r.code == asked), every[0] if every else None)
    chosen = _chosen(request)
    contracts = queries.board_contracts(base, round, chosen, day, known_on)
    if wants(request) != "html":
        found = list(contracts)
        keys = contracts.order_by().values("pk")
        rows = (_board_cells(r) for r in queries.board_rows(found, round, day, known_on, among=keys))
        return export(
            request, f"{name}-{day.isoformat()}", BOARD_COLUMNS, rows, simulated=any(c.simulated for c in found)
        )
    # The state as known on an earlier day is read in the journal: once, where the selection is not too large.
    early = list(contracts[: SUMMED + 1]) if known_on else []
    counts = queries.counted(early) if known_on and len(early) <= SUMMED else queries.board_counts(contracts)
    # Over a few hundred contracts the sums cost little and are those of the whole selection; above, they are asked for.
    whole = counts["all"] <= SUMMED or request.GET.get("totaux") == "1"
    shown: Page = _Counted(contracts, PER_PAGE, counts["all"]).get_page(request.GET.get("page"))
    if whole:
        found = early if known_on and len(early) == counts["all"] else list(contracts)
        rows = queries.board_rows(found, round, day, known_on)
        summed, rows = rows, rows[max(shown.start_index() - 1, 0) : shown.end_index()]
    else:
        summed = rows = queries.board_rows(list(shown.object_list), round, day, known_on)
    total = {
        key: sum(known) if (known := [v for r in summed if (v := getattr(r, key)) is not None]) else None
        for key in (
            "missing",
            "actions",
            "actions_late",
            "objectives",
            "objectives_reached",
            "commitments",
            "commitments_late",
            "promised",
            "paid",
        )
    }
    return render(
        request,
        template,
        {
            "here": reverse("contract-dashboard", args=["-"]).partition("/-/")[0] + "/",
            "rows": rows,
            "shown": shown,
            "counts": counts,
            "round": round,
            "rounds": every,
            "chosen": chosen,
            "known_on": known_on,
            "day": day,
            "total": total,
            "whole": whole,
            "phase_titles": {p.code: p.title for p in policy().phases},
            "simulated": any(r.simulated for r in rows),
            "STATES": states.STATES,
            "TITLES": states.TITLES,
            "TONES": states.TONES,
            "phases": policy().phases,
            **extra,
        },
    )


@page
@kept
def board(request: HttpRequest) -> HttpResponse:
    """All contracts: who is late, what is missing, whose turn it is."""
    request.actor.require("board.read")
    base = Contract.objects.filter(
        programme=policy().slug, state__in=FOLLOWED, starts_on__isnull=False, ends_on__isnull=False
    )
    return _board(
        request,
        base,
        "contracts/follow/board.html",
        {
            "title": T("Tableau national des contrats", "National board of contracts"),
            "breadcrumb": [{"label": T("Tableau national", "National board"), "url": ""}],
        },
        "tableau",
    )


@page
@kept
def portfolio(request: HttpRequest) -> HttpResponse:
    """The contracts of which the reader takes care: first what waits for them."""
    actor, today = request.actor, clock.today()
    base = portfolio_of(actor, today)
    return _board(
        request,
        base,
        "contracts/follow/portfolio.html",
        {
            "title": T("Mon portefeuille de contrats", "My portfolio of contracts"),
            "breadcrumb": [{"label": T("Portefeuille", "Portfolio"), "url": ""}],
            "waiting": None,
            "to_check": queries.waiting_for(base, "state", today) if actor.can("observation.validate") else [],
            "today": today,
        },
        "portefeuille",
    )


@page
@kept
def board_indicators(request: HttpRequest) -> HttpResponse:
    """Common indicators over all contracts: the sum, and each organisation counted once."""
    request.actor.require("board.read")
    known_on = _known_on(request)
    day = known_on or clock.today()
    year = int(request.GET["annee"]) if request.GET.get("annee", "").isdigit() else day.year - 1
    if not 2004 <= year <= day.year:
        raise Refused(
            T(
                "L'année {n} est hors de la période possible : de 2004 à {last}.",
                "The year {n} is outside the possible period: 2004 to {last}.",
                n=year,
                last=day.year,
            ),
            kind="input",
        )
    end = min(dt.date(year, 12, 31), day)
    ids = list(
        Contract.objects.filter(
            programme=policy().slug, state__in=FOLLOWED, starts_on__lte=end, ends_on__gte=dt.date(year, 1, 1)
        )
        .order_by()
        .values_list("cluster_id", flat=True)
        .distinct()
    )
    figures = engine.national(
        [i for i in policy().indicators if i.level == "cluster"], ids, dt.date(year, 1, 1), end, known_on
    )
    if wants(request) != "html":
        columns = [
            ("indicator", Column(T("Indicateur", "Indicator"), width=50)),
            ("unit", Column(T("Unité", "Unit"))),
            ("sum", Column(T("Somme des pôles", "Sum of clusters"), "number")),
            ("once", Column(T("Chaque organisation comptée une fois", "Each organisation counted once"), "number")),
            ("median", Column(T("Médiane", "Median"), "number")),
            ("known", Column(T("Pôles connus", "Clusters known"), "number")),
            ("asked", Column(T("Pôles suivis", "Clusters followed"), "number")),
        ]
        rows = (
            [str(f.indicator.title), f.indicator.unit, f.total, f.once, f.median, f.known, f.asked] for f in figures
        )
        return export(request, f"indicateurs-{year}", columns, rows, simulated=clock.is_demonstration())
    return render(
        request,
        "contracts/follow/national.html",
        {
            "title": T("Indicateurs communs, {year}", "Common indicators, {year}", year=str(year)),
            "breadcrumb": [
                {"label": T("Tableau national", "National board"), "url": reverse("board")},
                {"label": T("Indicateurs communs", "Common indicators"), "url": ""},
            ],
            "figures": figures,
            "year": year,
            "years": range(max(2005, day.year - 8), day.year + 1),
            "end": end,
            "asked": len(ids),
            "known_on": known_on,
            "simulated": clock.is_demonstration(),
            "written": written,
        },
    )


# --- rounds ----------------------------------------------------------------------------------------------------------


@page
def rounds(request: HttpRequest) -> HttpResponse:
    """Reporting rounds: which run, which can be opened."""
    request.actor.require("board.read")
    today = clock.today()
    found = list(programme.rounds(policy().slug))
    counted: dict[int, dict[str, int]] = {}
    from django.db.models import Count

    for round_id, state, n in Report.objects.order_by().values_list("round_id", "state").annotate(n=Count("pk")):
        counted.setdefault(round_id, {})[state] = n
    opens = request.actor.can("round.open")
    return render(
        request,
        "contracts/follow/rounds.html",
        {
            "title": T("Campagnes de déclaration", "Reporting rounds"),
            "breadcrumb": [
                {"label": T("Tableau national", "National board"), "url": reverse("board")},
                {"label": T("Campagnes", "Rounds"), "url": ""},
            ],
            "rounds": [
                (
                    r,
                    [
                        (states.TITLES[s.code], states.TONES[s.code], counted.get(r.pk, {}).get(s.code, 0))
                        for s in states.STATES
                    ],
                )
                for r in found
            ],
            "can_open": programme.can_open(policy(), today) if opens else [],
            "opens": opens,
            "today": today,
            "why": {
                p: policy().explain(f"reporting.{p}", today)
                for p in ("opens_after", "due_after", "reminders_before")
                if policy().on(today).find(f"reporting.{p}")
            },
        },
    )


def _round(code: str) -> Round:
    return get_object_or_404(Round, programme=policy().slug, code=code)


@acts
def round_open(request: HttpRequest) -> HttpResponse:
    """Open a round of the calendar, and the report of every contract that owes one."""
    today = clock.today()
    made = round_acts.open_round(request.POST.get("code", ""), by=request.actor, on=today)
    n = acts_on.open_reports(made, by=request.actor, on=today)
    messages.success(
        request,
        str(
            T(
                "La campagne {code} est ouverte : {n} rapport(s) demandé(s).",
                "Round {code} is open: {n} report(s) asked.",
                code=made.code,
                n=n,
            )
        ),
    )
    return HttpResponseRedirect(reverse("rounds"))


@acts
def round_remind(request: HttpRequest, code: str) -> HttpResponse:
    """Remind those whose report is waited for."""
    request.actor.require("round.open")
    n = acts_on.remind(_round(code), by=request.actor, on=clock.today())
    messages.success(request, str(T("{n} pôle(s) relancé(s).", "{n} cluster(s) reminded.", n=n)))
    return HttpResponseRedirect(reverse("rounds"))


@acts
def round_close(request: HttpRequest, code: str) -> HttpResponse:
    """Close a round."""
    round_acts.close_round(_round(code), by=request.actor, on=clock.today())
    messages.success(request, str(T("La campagne est close.", "The round is closed.")))
    return HttpResponseRedirect(reverse("rounds"))
