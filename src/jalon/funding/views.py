"""Pages of agreements, claims and payments: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.core import clock, files, workflow
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.funding import access, actions, queries, rules, states
from jalon.funding.forms import (
    KIND_CHOICES,
    Answer,
    CertifyForm,
    CheckForm,
    ClaimForm,
    Commitment,
    NewAgreement,
    NewTerms,
    OrderForm,
    PaymentForm,
    Reason,
    RecoveryForm,
    RepaidForm,
    read_expenses,
    read_parts,
    shown_expenses,
    shown_parts,
)
from jalon.funding.models import Agreement, Amendment, Claim, PaymentOrder, Recovery
from jalon.people.access import policy
from jalon.projects.models import Partner
from jalon.selection.models import Share
from jalon.ui import charts, format as fmt
from jalon.ui.http import Attempt, acts, export, page, wants

PAGE = 50


def _crumbs(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [
        {"url": reverse("agreements"), "label": T("Conventions", "Agreements")},
        *({"url": url, "label": label} for url, label in more),
    ]


def not_in_programme(request: HttpRequest) -> HttpResponse | None:
    """A programme without ``funding.yaml`` has no agreements: the page says so."""
    if policy().part("funding") is not None:
        return None
    return render(
        request,
        "funding/absent.html",
        {"title": T("Conventions et paiements", "Agreements and payments")},
    )


def require_signed_in(request: HttpRequest) -> None:
    if request.actor.mandate_id is None:
        raise NotAllowed(T("Connectez-vous pour lire cette page.", "Sign in to read this page."))


# -- lists --------------------------------------------------------------------------------------------------------

COLUMNS = (
    ("number", Column(T("Convention", "Agreement"))),
    ("project", Column(T("Projet", "Project"))),
    ("beneficiary", Column(T("Bénéficiaire", "Beneficiary"), width=30)),
    ("funder", Column(T("Financeur", "Funder"), width=30)),
    ("state", Column(T("État", "State"))),
    ("awarded_on", Column(T("Annonce", "Announcement"), "date")),
    ("signed_on", Column(T("Signée le", "Signed on"), "date")),
    ("amount", Column(T("Montant", "Amount"), "money")),
    ("ordered", Column(T("Ordonné", "Ordered"), "money")),
    ("paid", Column(T("Payé", "Paid"), "money")),
    ("recovered", Column(T("Reversé", "Repaid"), "money")),
    ("commitment", Column(T("Engagement", "Commitment"))),
)


@never_cache
@page
def index(request: HttpRequest) -> HttpResponse:
    """The agreements that the actor may read, filtered by state and words; exports give the same rows."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    require_signed_in(request)
    today = clock.today()
    rows = queries.agreements(request.actor, today)
    state, q = request.GET.get("etat", ""), request.GET.get("q", "").strip()
    if state in states.AGREEMENT_TITLES:
        rows = rows.filter(state=state)
    if q:
        rows = rows.filter(
            Q(number__icontains=q)
            | Q(project__acronym__icontains=q)
            | Q(beneficiary__name__icontains=q)
            | Q(funder__name__icontains=q)
        )
    if wants(request) != "html":
        listed = list(rows)
        return export(
            request,
            "conventions",
            COLUMNS,
            (
                [
                    a.number,
                    a.project.acronym,
                    a.beneficiary.name,
                    a.funder.name,
                    states.AGREEMENT_TITLES[a.state],
                    a.awarded_on,
                    a.signed_on,
                    a.amount,
                    a.ordered,
                    a.paid,
                    a.recovered,
                    a.commitment,
                ]
                for a in listed
            ),
            simulated=any(a.simulated for a in listed),
        )
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "funding/list.html",
        {
            "title": T("Conventions", "Agreements"),
            "page": shown,
            "rows": [_row(a) for a in shown],
            "state": state,
            "q": q,
            "states": states.AGREEMENT_TITLES.items(),
            "funds": access.funds(request.actor),
        },
    )


def _row(agreement: Agreement) -> dict[str, Any]:
    return {
        "a": agreement,
        "state": states.AGREEMENT_TITLES[agreement.state],
        "tone": states.AGREEMENT_TONES[agreement.state],
    }


@never_cache
@page
def desk(request: HttpRequest) -> HttpResponse:
    """The funder's desk: what is to be drawn up, checked, certified, ordered, paid; late ones first."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    actor, today = request.actor, clock.today()
    if not access.funds(actor):
        raise NotAllowed(
            T("Cette page est celle des financeurs.", "This page is the funders'."),
        )
    mine = access.visible_agreements(actor, today)
    claims = (
        Claim.objects.filter(agreement__in=mine, state__in=["submitted", "checked", "certified"])
        .select_related("agreement__project", "agreement__beneficiary", "agreement__funder", "instalment")
        .order_by("submitted_on", "id")
    )
    stages: dict[str, list[Any]] = {"submitted": [], "checked": [], "certified": []}
    for row in claims[:600]:
        if access.is_beneficiary(actor, row.agreement):
            continue
        since = {"submitted": row.submitted_on, "checked": row.checked_on, "certified": row.certified_on}[row.state]
        stages[row.state].append({"claim": row, "since": since, "days": rules.days_between(since, today)})
    orders = (
        PaymentOrder.objects.filter(agreement__in=mine, state="ordered")
        .select_related("agreement__project", "payee", "claim")
        .order_by("ordered_on", "id")[:300]
    )
    waiting = queries.shares_to_agree(actor, today) if actor.can("agreement.manage") else None
    q = request.GET.get("q", "").strip()
    if waiting is not None and q:
        waiting = waiting.filter(Q(project__acronym__icontains=q) | Q(partner__organisation__name__icontains=q))
    shares = list(waiting[:100]) if waiting is not None else []
    laws = policy()
    late = []
    for a in (
        mine.filter(state__in=["draft", "sent"], awarded_on__isnull=False)
        .select_related("project", "beneficiary")
        .order_by("awarded_on")[:300]
    ):
        limit = rules.agreement_deadline(laws, a.awarded_on)
        if limit.late(None, today):
            late.append({"a": a, "limit": limit})
    return render(
        request,
        "funding/desk.html",
        {
            "title": T("Bureau du financeur", "Funder's desk"),
            "shares": shares,
            "q": q,
            "shares_total": waiting.count() if waiting is not None and len(shares) == 100 else len(shares),
            "stages": stages,
            "orders": [{"order": o, "days": rules.days_between(o.ordered_on, today)} for o in orders],
            "late": late,
            "late_returns": [return_row(r, today) for r in queries.late_returns(actor, today)[:100]],
            "pays": actor.can("payment.record"),
        },
    )


@never_cache
@page
def my_money(request: HttpRequest) -> HttpResponse:
    """Where is my money: every agreement and claim of the actor's organisation, in plain words."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    require_signed_in(request)
    actor, today = request.actor, clock.today()
    mine = list(
        access.visible_agreements(actor, today)
        .filter(beneficiary_id=actor.organisation_id)
        .select_related("project", "beneficiary", "funder", "partner")
        .prefetch_related("instalments", "claims__instalment", "claims__orders__payee")
        .order_by("project__acronym", "number")
    )
    view = []
    for agreement in mine:
        claims = []
        for row in agreement.claims.all():
            row.agreement = agreement
            order = next((o for o in row.orders.all() if o.state != "cancelled"), None)
            claims.append({"claim": row, "order": order, "where": queries.where_is(row, order)})
        used = {c["claim"].instalment_id for c in claims if c["claim"].state not in states.CLAIM_DEAD}
        view.append(
            {
                **_row(agreement),
                "claims": claims,
                "next": [i for i in agreement.instalments.all() if i.pk not in used]
                if agreement.state == "running"
                else [],
                "due": agreement.still_due,
            }
        )
    partners: dict[int, Partner] = {v["a"].partner_id: v["a"].partner for v in view}
    return render(
        request,
        "funding/my_money.html",
        {
            "title": T("Mon argent", "My money"),
            "agreements": view,
            "totals": {
                "granted": rules.total(v["a"].amount for v in view if v["a"].state != "terminated"),
                "paid": rules.total(v["a"].net_paid for v in view),
                "due": rules.total(v["due"] for v in view),
            },
            "projects": [(pk, next(v["a"].project for v in view if v["a"].partner_id == pk)) for pk in partners],
            "situations": queries.askable(actor, today),
            "relays": [
                {"relay": r, "state": states.RELAY_TITLES[r.state], "tone": states.RELAY_TONES[r.state]}
                for r in (queries.relays(actor, today) if actor.can("relay.request") else [])
            ],
            "claims_may": actor.can("claim.submit"),
            "simulated": any(v["a"].simulated for v in view),
        },
    )


# -- agreement ----------------------------------------------------------------------------------------------------


def _agreement(request: HttpRequest, pk: int) -> Agreement:
    """The agreement, if the actor may know of it."""
    return get_object_or_404(
        access.visible_agreements(request.actor, clock.today()).select_related(
            "project", "partner", "beneficiary", "funder", "frozen"
        ),
        pk=pk,
    )


@never_cache
@page
def new(request: HttpRequest, share: int) -> HttpResponse:
    """Prepare the agreement of a decided share."""
    today = clock.today()
    request.actor.require("agreement.manage")
    row = get_object_or_404(
        Share.objects.select_related("project", "partner__organisation", "funder"),
        pk=share,
        superseded_at__isnull=True,
    )
    access.require_share(request.actor, row, today)
    form = NewAgreement(
        request.POST or None,
        initial={
            "subject": f"{row.project.acronym} – {row.project.title}"[:255],
            "amount": str(rules.euros(row.decided)) if row.decided else "",
            "starts_on": row.project.starts_on,
        },
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        with Attempt() as tried:
            made = actions.create(row, by=request.actor, on=today, **form.cleaned_data)
            messages.success(
                request,
                T(
                    "Convention préparée : relire l'échéancier, puis l'envoyer.",
                    "Agreement prepared: read the instalments again, then send it.",
                ),
            )
            return redirect("agreement", made.pk)
        refusal = tried.refusal
    return render(
        request,
        "funding/new.html",
        {
            "title": T("Préparer une convention", "Prepare an agreement"),
            "share": row,
            "form": form,
            "refusal": refusal,
            "breadcrumb": _crumbs((None, T("Préparer", "Prepare"))),
        },
        status=400 if request.method == "POST" else 200,
    )


ACT_FORMS: dict[str, Callable[..., Any] | None] = {
    "send": None,
    "sign": None,
    "withdraw": Reason,
    "start": Commitment,
    "suspend": Reason,
    "resume": Reason,
    "close": Reason,
    "terminate": Reason,
}
DONE = {
    "send": T("Envoyée au bénéficiaire, qui est prévenu.", "Sent to the beneficiary, who is told."),
    "sign": T("Signée pour votre partie.", "Signed for your party."),
    "withdraw": T("Reprise en préparation.", "Taken back to be prepared."),
    "start": T(
        "Dépense engagée : les tranches peuvent être demandées.", "Money committed: instalments may be claimed."
    ),
    "suspend": T("Paiements suspendus ; le bénéficiaire est prévenu.", "Payments suspended; the beneficiary is told."),
    "resume": T("Paiements repris.", "Payments resumed."),
    "close": T("Convention soldée.", "Agreement closed."),
    "terminate": T("Convention résiliée.", "Agreement terminated."),
}


def _possible(request: HttpRequest, agreement: Agreement) -> list[str]:
    """The acts that the actor may do now on the agreement."""
    actor = request.actor
    beneficiary = access.is_beneficiary(actor, agreement)
    funder = not beneficiary and access.is_funder(actor, agreement, clock.today())
    out = []
    for name in ACT_FORMS:
        move = next(m for m in states.AGREEMENT_MOVES if m.name == name)
        if agreement.state not in move.sources or not actor.can(move.permission):
            continue
        if name == "sign":
            signed = agreement.signed_beneficiary_on if beneficiary else agreement.signed_funder_on
            if (beneficiary or funder) and signed is None:
                out.append(name)
        elif funder:
            if name == "suspend" and agreement.suspended_on or name == "resume" and not agreement.suspended_on:
                continue
            out.append(name)
    return out


@never_cache
@page
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """An agreement: where it stands, instalments, claims, payments, amendments, what is asked by law, who did what."""
    return _agreement_page(request, _agreement(request, pk))


def _agreement_page(
    request: HttpRequest,
    agreement: Agreement,
    *,
    bound: dict[str, Any] | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, today, laws = request.actor, clock.today(), policy()
    possible = _possible(request, agreement)
    beneficiary = access.is_beneficiary(actor, agreement)
    funder = not beneficiary and access.is_funder(actor, agreement, today)
    forms = []
    for name in possible:
        move = next(m for m in states.AGREEMENT_MOVES if m.name == name)
        kind = ACT_FORMS[name]
        forms.append(form_row(move, bound, kind(auto_id=f"{name}-%s") if kind else None))
    orders = list(agreement.orders.select_related("payee", "claim").order_by("id"))
    by_claim = {o.claim_id: o for o in orders if o.state != "cancelled"}
    plan = queries.plan_state(agreement)
    for row in plan:
        for one in row["claims"]:
            one.agreement = agreement
        row["claims"] = [
            {
                "claim": c,
                "state": states.CLAIM_TITLES[c.state],
                "tone": states.CLAIM_TONES[c.state],
                "where": queries.where_is(c, by_claim.get(c.pk)),
            }
            for c in row["claims"]
        ]
    signing = rules.agreement_deadline(laws, agreement.awarded_on)
    completing = rules.completion_deadline(laws, agreement.awarded_on)
    return render(
        request,
        "funding/agreement.html",
        {
            **_row(agreement),
            "title": T("Convention {n}", "Agreement {n}", n=agreement.number),
            "plan": plan,
            "forms": forms,
            "refusal": refusal,
            "beneficiary": beneficiary,
            "funder": funder,
            "may_plan": funder and agreement.state == "draft" and actor.can("agreement.manage"),
            "may_amend": funder and agreement.state in states.BINDING and actor.can("agreement.manage"),
            "may_claim": beneficiary and actor.can("claim.submit"),
            "may_answer": beneficiary and actor.can("agreement.sign"),
            "amendments": [
                {
                    "row": a,
                    "state": states.AMENDMENT_TITLES[a.state],
                    "tone": states.AMENDMENT_TONES[a.state],
                    "changes": _changes(a),
                }
                for a in agreement.amendments.all()
            ],
            "orders": [
                {
                    "order": o,
                    "state": states.ORDER_TITLES[o.state],
                    "tone": states.ORDER_TONES[o.state],
                    "pay": funder and o.state == "ordered" and actor.can("payment.record"),
                    "cancel": funder and o.state == "ordered" and actor.can("payment.order"),
                    "recover": funder and o.state == "paid" and actor.can("payment.order"),
                    "pay_form": PaymentForm(auto_id=f"pay-{o.pk}-%s", initial={"paid_on": today}),
                    "cancel_form": Reason(auto_id=f"cancel-{o.pk}-%s"),
                    "recover_form": RecoveryForm(auto_id=f"recover-{o.pk}-%s"),
                }
                for o in orders
            ],
            "recoveries": [
                {
                    "row": r,
                    "state": states.RECOVERY_TITLES[r.state],
                    "tone": states.RECOVERY_TONES[r.state],
                    "repaid": funder and r.state == "issued" and actor.can("payment.record"),
                    "cancel": funder and r.state == "issued" and actor.can("payment.order"),
                    "repaid_form": RepaidForm(auto_id=f"repaid-{r.pk}-%s", initial={"repaid_on": today}),
                    "cancel_form": Reason(auto_id=f"uncover-{r.pk}-%s"),
                }
                for r in agreement.recoveries.select_related("order")
            ],
            "deadlines": [
                {
                    "title": T("Convention signée", "Agreement signed"),
                    "limit": signing,
                    "done": agreement.signed_on,
                    "late": signing.late(agreement.signed_on, today),
                },
                {
                    "title": T("Dossier complet", "File complete"),
                    "limit": completing,
                    "done": agreement.signed_on,
                    "late": completing.late(agreement.signed_on, today),
                },
            ]
            if agreement.awarded_on
            else [],
            "duties": queries.duties_of(agreement),
            "returns": [return_row(r, today) for r in agreement.financial_returns.all()],
            "events": [
                {"day": e.on, "title": states.ACTS.get(e.act, e.act), "text": e.why, "who": e.user_label}
                for e in queries.acts(agreement.case)
            ],
            "breadcrumb": _crumbs((None, agreement.number)),
        },
        status=status,
    )


def form_row(move: workflow.Move, bound: dict[str, Any] | None, fresh: Any) -> dict[str, Any]:
    """An act that is possible, with its form: as it was typed when it was refused (and then open), else a fresh one."""
    typed = (bound or {}).get(move.name)
    return {"name": move.name, "title": move.title, "form": typed or fresh, "open": bool(typed)}


def return_row(row: Any, today: dt.date) -> dict[str, Any]:
    """A financial return as lists show it: state, whether it is late, the light."""
    late = row.late(today)
    light = "done" if row.state == "accepted" and not late else "late" if late else "not_yet_due"
    return {
        "row": row,
        "state": states.RETURN_TITLES[row.state],
        "tone": states.RETURN_TONES[row.state],
        "late": late,
        "light": light,
    }


_TERMS = {
    "amount": T("Montant", "Amount"),
    "starts_on": T("Premier jour", "First day"),
    "ends_on": T("Dernier jour", "Last day"),
    "beneficiary": T("Bénéficiaire", "Beneficiary"),
    "instalments": T("Tranches", "Instalments"),
}


def _changes(amendment: Amendment) -> list[tuple[Any, str, str]]:
    """What an amendment changes, as read: name, before, after."""
    from decimal import Decimal

    from jalon.people.models import Organisation

    out = []
    for key, title in _TERMS.items():
        pair = []
        if amendment.before[key] == amendment.after[key]:
            continue
        for value in (amendment.before[key], amendment.after[key]):
            if key == "amount":
                pair.append(fmt.money(Decimal(value)))
            elif key == "beneficiary":
                pair.append(Organisation.objects.get(pk=value).name)
            elif key == "instalments":
                pair.append(" + ".join(fmt.money(Decimal(p["amount"])) for p in value))
            else:
                pair.append(str(fmt.day(dt.date.fromisoformat(value))) if value else "–")
        out.append((title, *pair))
    return out


@acts
def agreement_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Send, sign, commit, suspend, resume, close, terminate, take back."""
    agreement = _agreement(request, pk)
    if act not in ACT_FORMS:
        raise Http404
    kind = ACT_FORMS[act]
    form = kind(request.POST, auto_id=f"{act}-%s") if kind else None
    refusal = None
    if form is None or form.is_valid():
        with Attempt() as tried:
            getattr(actions, act)(
                agreement, by=request.actor, on=clock.today(), **(form.cleaned_data if form is not None else {})
            )
            messages.success(request, DONE[act])
            return redirect("agreement", pk)
        refusal = tried.refusal
    else:
        _may(request, agreement, act)
    return _agreement_page(request, _agreement(request, pk), bound={act: form}, refusal=refusal, status=400)


def _may(request: HttpRequest, agreement: Agreement, act: str) -> None:
    """A form that does not read is only answered to somebody who may do the act."""
    move = next(m for m in states.AGREEMENT_MOVES if m.name == act)
    access.require_funder(request.actor, agreement, move.permission, clock.today())


@never_cache
@page
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The instalments of an agreement in preparation."""
    agreement, today = _agreement(request, pk), clock.today()
    access.require_funder(request.actor, agreement, "agreement.manage", today)
    refusal = None
    if request.method == "POST":
        with Attempt() as tried:
            actions.set_plan(agreement, read_parts(request.POST), by=request.actor, on=today)
            messages.success(request, T("Échéancier enregistré.", "Instalments saved."))
            return redirect("agreement", pk)
        refusal = tried.refusal
    suggestion = rules.plan_of(policy(), today)
    return render(
        request,
        "funding/plan.html",
        {
            **_row(agreement),
            "title": T("Échéancier de la convention {n}", "Instalments of agreement {n}", n=agreement.number),
            "rows": shown_parts(actions.parts_of(agreement), request.POST if refusal else None),
            "kinds": KIND_CHOICES,
            "refusal": refusal,
            "suggestion": suggestion,
            "breadcrumb": _crumbs(
                (reverse("agreement", args=[pk]), agreement.number), (None, T("Échéancier", "Instalments"))
            ),
        },
        status=400 if refusal else 200,
    )


@never_cache
@page
def amend(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose an amendment."""
    agreement, today = _agreement(request, pk), clock.today()
    access.require_funder(request.actor, agreement, "agreement.manage", today)
    partners = agreement.project.partners.filter(left_on__isnull=True).select_related("organisation")
    form = NewTerms(
        request.POST or None,
        partners=partners,
        initial={
            "amount": str(rules.euros(agreement.amount)),
            "starts_on": agreement.starts_on,
            "ends_on": agreement.ends_on,
            "partner": str(agreement.partner_id),
        },
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with Attempt() as tried:
            actions.propose_amendment(
                agreement,
                reason=given["reason"],
                amount=given["amount"],
                starts_on=given["starts_on"],
                ends_on=given["ends_on"],
                partner=next(p for p in partners if str(p.pk) == given["partner"]),
                parts=read_parts(request.POST),
                by=request.actor,
                on=today,
            )
            messages.success(
                request,
                T(
                    "Avenant proposé au bénéficiaire, qui est prévenu.",
                    "Amendment proposed to the beneficiary, who is told.",
                ),
            )
            return redirect("agreement", pk)
        refusal = tried.refusal
    return render(
        request,
        "funding/amend.html",
        {
            **_row(agreement),
            "title": T("Avenant à la convention {n}", "Amendment to agreement {n}", n=agreement.number),
            "form": form,
            "rows": shown_parts(actions.parts_of(agreement), request.POST if request.method == "POST" else None),
            "kinds": KIND_CHOICES,
            "refusal": refusal,
            "breadcrumb": _crumbs(
                (reverse("agreement", args=[pk]), agreement.number), (None, T("Avenant", "Amendment"))
            ),
        },
        status=400 if request.method == "POST" else 200,
    )


@acts
def amendment_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Sign, refuse or take back an amendment."""
    row = get_object_or_404(
        Amendment.objects.select_related("agreement"),
        pk=pk,
        agreement__in=access.visible_agreements(request.actor, clock.today()),
    )
    today = clock.today()
    if act == "accept":
        actions.answer_amendment(row, True, by=request.actor, on=today)
        messages.success(request, T("Avenant signé et appliqué.", "Amendment signed and applied."))
    elif act == "refuse":
        form = Answer(request.POST)
        form.is_valid()
        actions.answer_amendment(row, False, answer=form.cleaned_data.get("answer", ""), by=request.actor, on=today)
        messages.success(request, T("Avenant refusé.", "Amendment refused."))
    elif act == "withdraw":
        actions.withdraw_amendment(row, by=request.actor, on=today)
        messages.success(request, T("Avenant retiré.", "Amendment withdrawn."))
    else:
        raise Http404
    return redirect("agreement", row.agreement_id)


# -- claims -------------------------------------------------------------------------------------------------------


def _claim(request: HttpRequest, pk: int) -> Claim:
    return get_object_or_404(
        access.visible_claims(request.actor, clock.today()).select_related(
            "agreement__project", "agreement__partner", "agreement__beneficiary", "agreement__funder", "instalment"
        ),
        pk=pk,
    )


@never_cache
@page
def claim_new(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Claim an instalment, with expenses and files."""
    agreement = _agreement(request, pk)
    access.require_beneficiary(request.actor, agreement, "claim.submit")
    instalment = get_object_or_404(agreement.instalments, number=number)
    _, taken = queries.taken(agreement)
    left = instalment.amount - taken.get(instalment.pk, rules.ZERO)

    def write(**given: Any) -> Claim:
        return actions.submit_claim(instalment, by=request.actor, on=clock.today(), **given)

    return _claim_form(request, agreement, instalment, None, {"amount": str(rules.euros(left))}, write)


@never_cache
@page
def claim_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Complete a returned claim and submit it again."""
    row = _claim(request, pk)
    access.require_beneficiary(request.actor, row.agreement, "claim.submit")
    if row.state != "returned":
        return redirect("claim", pk)

    def write(**given: Any) -> Claim:
        return actions.resubmit_claim(row, by=request.actor, on=clock.today(), **given)

    return _claim_form(
        request,
        row.agreement,
        row.instalment,
        row,
        {"amount": str(rules.euros(row.amount)), "statement": row.statement},
        write,
    )


def _claim_form(
    request: HttpRequest,
    agreement: Agreement,
    instalment: Any,
    row: Claim | None,
    initial: Any,
    write: Callable[..., Claim],
) -> HttpResponse:
    posted = request.method == "POST"
    form = (
        ClaimForm(request.POST or None, request.FILES or None, initial=initial)
        if posted
        else ClaimForm(initial=initial)
    )
    refusal = None
    if posted and form.is_valid():
        given = form.cleaned_data
        with Attempt() as tried:
            made = write(
                amount=given["amount"],
                statement=given["statement"],
                expenses=read_expenses(request.POST),
                uploads=given["evidence"],
            )
            messages.success(
                request,
                T("Demande déposée : suivez-la ici.", "Claim submitted: follow it here."),
            )
            return redirect("claim", made.pk)
        refusal = tried.refusal
    categories = list(agreement.partner.budget.values_list("category", flat=True).distinct().order_by("category"))
    return render(
        request,
        "funding/claim_form.html",
        {
            **_row(agreement),
            "title": T(
                "Demander la tranche {n} de la convention {c}",
                "Claim instalment {n} of agreement {c}",
                n=instalment.number,
                c=agreement.number,
            ),
            "instalment": instalment,
            "kind": states.INSTALMENT_KINDS[instalment.kind],
            "form": form,
            "expenses": shown_expenses(row.expenses.all() if row else (), request.POST if posted else None),
            "categories": categories,
            "claim": row,
            "refusal": refusal,
            "breadcrumb": _crumbs(
                (reverse("agreement", args=[agreement.pk]), agreement.number), (None, T("Demande", "Claim"))
            ),
        },
        status=400 if posted else 200,
    )


CLAIM_FORMS: dict[str, Any] = {
    "check": CheckForm,
    "return": Reason,
    "reject": Reason,
    "recheck": Reason,
    "certify": CertifyForm,
    "order": OrderForm,
    "withdraw": None,
}
CLAIM_DONE = {
    "check": T("Vérifiée : une seconde personne doit la certifier.", "Checked: a second person must certify it."),
    "return": T("Retournée ; le bénéficiaire est prévenu.", "Returned; the beneficiary is told."),
    "reject": T("Rejetée ; le bénéficiaire est prévenu.", "Rejected; the beneficiary is told."),
    "recheck": T("Renvoyée à la vérification.", "Sent back to be checked."),
    "certify": T("Service fait certifié.", "Claim certified."),
    "order": T("Paiement ordonné.", "Payment ordered."),
    "withdraw": T("Demande retirée.", "Claim withdrawn."),
}


@never_cache
@page
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    """A claim: where it is, what it brings, and what the actor may do with it now."""
    return _claim_page(request, _claim(request, pk))


def _claim_page(
    request: HttpRequest,
    row: Claim,
    *,
    bound: dict[str, Any] | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, today, agreement = request.actor, clock.today(), row.agreement
    beneficiary = access.is_beneficiary(actor, agreement)
    funder = not beneficiary and access.is_funder(actor, agreement, today)
    room = queries.room_for(row) if funder and row.state in ("submitted", "checked") else None
    initial: dict[str, dict[str, Any]] = {
        "check": {"proposed": str(rules.euros(min(row.amount, room.amount))) if room else ""},
        "certify": {"amount": str(rules.euros(row.proposed)) if row.proposed is not None else ""},
        "order": {"number": f"{agreement.number}/{row.number}"},
    }
    forms, blocked = [], None
    for name, kind in CLAIM_FORMS.items():
        move = next(m for m in states.CLAIM_MOVES if m.name == name)
        if row.state not in move.sources or not actor.can(move.permission):
            continue
        if (name == "withdraw") != beneficiary or not (beneficiary or funder):
            continue
        if name == "certify":
            try:
                actions.may_certify(row, actor)
            except NotAllowed as error:
                blocked = error
                continue
        fresh = kind(auto_id=f"{name}-%s", initial=initial.get(name)) if kind else None
        forms.append(form_row(move, bound, fresh))
    order = row.orders.exclude(state="cancelled").select_related("payee").first()
    return render(
        request,
        "funding/claim.html",
        {
            "title": T(
                "Demande {n} de la convention {c}", "Claim {n} of agreement {c}", n=row.number, c=agreement.number
            ),
            "claim": row,
            "agreement": agreement,
            "state": states.CLAIM_TITLES[row.state],
            "tone": states.CLAIM_TONES[row.state],
            "kind": states.INSTALMENT_KINDS[row.instalment.kind],
            "where": queries.where_is(row, order),
            "order": order,
            "order_state": states.ORDER_TITLES[order.state] if order else "",
            "expenses": [
                {"row": e, "kept": request.POST.get(f"kept-{e.pk}", ""), "why": request.POST.get(f"why-{e.pk}", "")}
                for e in row.expenses.all()
            ],
            "files": row.files.select_related("file"),
            "room": room,
            "forms": forms,
            "blocked": blocked,
            "refusal": refusal,
            "may_complete": beneficiary and row.state == "returned" and actor.can("claim.submit"),
            "may_pay": funder and order is not None and order.state == "ordered" and actor.can("payment.record"),
            "pay_form": PaymentForm(auto_id="pay-%s", initial={"paid_on": today}),
            "steps": _steps(row, today),
            "breadcrumb": _crumbs(
                (reverse("agreement", args=[agreement.pk]), agreement.number),
                (None, T("Demande {n}", "Claim {n}", n=row.number)),
            ),
        },
        status=status,
    )


def _steps(row: Claim, today: dt.date) -> list[dict[str, Any]]:
    """The stages of a claim with their days and how long each took."""
    stages = (
        (T("Déposée", "Submitted"), row.submitted_on, ""),
        (T("Vérifiée", "Checked"), row.checked_on, row.checked_label),
        (T("Certifiée", "Certified"), row.certified_on, row.certified_label),
        (T("Ordonnée", "Ordered"), row.ordered_on, ""),
        (T("Payée", "Paid"), row.paid_on, ""),
    )
    out, before = [], None
    for title, day, who in stages:
        out.append({"title": title, "day": day, "who": who, "days": rules.days_between(before, day)})
        before = day
    return out


@acts
def claim_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Check, return, reject, send back, certify, order, withdraw."""
    row, today = _claim(request, pk), clock.today()
    if act not in CLAIM_FORMS:
        raise Http404
    kind = CLAIM_FORMS[act]
    form = kind(request.POST, auto_id=f"{act}-%s") if kind else None
    refusal = None
    if form is not None and not form.is_valid():
        move = next(m for m in states.CLAIM_MOVES if m.name == act)
        access.require_funder(request.actor, row.agreement, move.permission, today)
    else:
        given = form.cleaned_data if form is not None else {}
        with Attempt() as tried:
            if act == "check":
                given = given | {"accepted": _accepted(request, row)}
            function = {
                "check": actions.check_claim,
                "return": actions.return_claim,
                "reject": actions.reject_claim,
                "recheck": actions.send_back,
                "certify": actions.certify_claim,
                "order": actions.order_payment,
                "withdraw": actions.withdraw_claim,
            }[act]
            function(row, by=request.actor, on=today, **given)
            messages.success(request, CLAIM_DONE[act])
            return redirect("claim", pk)
        refusal = tried.refusal
    return _claim_page(request, _claim(request, pk), bound={act: form}, refusal=refusal, status=400)


def _accepted(request: HttpRequest, row: Claim) -> dict[int, tuple[Any, str]]:
    """What the checker retains of each expense; nothing typed retains it whole."""
    from jalon.core.sheets import as_decimal

    out = {}
    for expense in row.expenses.all():
        typed = as_decimal(request.POST.get(f"kept-{expense.pk}", "").strip())
        why = request.POST.get(f"why-{expense.pk}", "")
        out[expense.pk] = (expense.amount if typed is None else typed, why)
    return out


@page
def claim_file(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """A piece of evidence, as a download only."""
    row = _claim(request, pk)
    return download(get_object_or_404(row.files.select_related("file"), pk=file).file)


def download(found: Any) -> FileResponse:
    """A stored file as a download, never shown in the browser."""
    path = files.path_of(found.sha256)
    if not path.exists():
        raise Http404
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=found.name, content_type="application/octet-stream"
    )


@acts
def order_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Record the payment of an order, cancel it, or ask back what it paid."""
    today = clock.today()
    order = get_object_or_404(
        PaymentOrder.objects.select_related("agreement", "claim__agreement"),
        pk=pk,
        agreement__in=access.visible_agreements(request.actor, today),
    )
    kinds = {"pay": PaymentForm, "cancel": Reason, "recover": RecoveryForm}
    if act not in kinds:
        raise Http404
    needed = {"pay": "payment.record", "cancel": "payment.order", "recover": "payment.order"}[act]
    access.require_funder(request.actor, order.agreement, needed, today)
    given = _read(kinds[act](request.POST))
    if act == "pay":
        actions.record_payment(order, by=request.actor, on=today, **given)
        messages.success(request, T("Paiement enregistré.", "Payment recorded."))
    elif act == "cancel":
        actions.cancel_order(order, by=request.actor, on=today, **given)
        messages.success(request, T("Ordre annulé.", "Order cancelled."))
    else:
        actions.order_recovery(order, by=request.actor, on=today, **given)
        messages.success(
            request,
            T("Ordre de reversement émis ; le bénéficiaire est prévenu.", "Recovery ordered; the beneficiary is told."),
        )
    return redirect("agreement", order.agreement_id)


def _read(form: Any) -> dict[str, Any]:
    """What a small form says.

    Raises:
        Refused: what cannot be read, field by field.
    """
    if form.is_valid():
        return form.cleaned_data
    raise Refused(
        T("Le formulaire ne se lit pas.", "The form cannot be read."),
        missing=[f"{form.fields[name].label} : {' '.join(errors)}" for name, errors in form.errors.items()],
        kind="input",
    )


@acts
def recovery_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Record that a recovery was repaid, or cancel it."""
    today = clock.today()
    row = get_object_or_404(
        Recovery.objects.select_related("agreement"),
        pk=pk,
        agreement__in=access.visible_agreements(request.actor, today),
    )
    if act not in ("repaid", "cancel"):
        raise Http404
    access.require_funder(request.actor, row.agreement, "payment.record" if act == "repaid" else "payment.order", today)
    if act == "repaid":
        actions.record_repayment(row, by=request.actor, on=today, **_read(RepaidForm(request.POST)))
        messages.success(request, T("Reversement enregistré.", "Repayment recorded."))
    else:
        actions.cancel_recovery(row, by=request.actor, on=today, **_read(Reason(request.POST)))
        messages.success(request, T("Ordre de reversement annulé.", "Recovery cancelled."))
    return redirect("agreement", row.agreement_id)


# -- delays -------------------------------------------------------------------------------------------------------

DELAY_COLUMNS = (
    ("funder", Column(T("Financeur", "Funder"), width=34)),
    ("step", Column(T("Étape", "Step"), width=40)),
    ("count", Column(T("Étapes finies", "Steps finished"), "number")),
    ("median", Column(T("Médiane, en jours", "Median, in days"), "number")),
    ("p90", Column(T("90e centile, en jours", "90th percentile, in days"), "number")),
    ("longest", Column(T("Plus long, en jours", "Longest, in days"), "number")),
    ("open", Column(T("En cours", "Open"), "number")),
    ("late", Column(T("Hors délai", "Late"), "number")),
)


@never_cache
@page
def delays(request: HttpRequest) -> HttpResponse:
    """How long every step takes, per funder: median, 90th percentile, count, late ones, against the rules in force."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    actor, today = request.actor, clock.today()
    if not access.may_read_delays(actor):
        raise NotAllowed(
            T(
                "Les délais de versement sont lus par ceux qui suivent les projets financés.",
                "Payment delays are read by those who follow funded projects.",
            )
        )
    since = _since(request.GET.get("depuis", ""))
    found = queries.delays(today, since=since)
    if wants(request) != "html":
        return export(
            request,
            "delais-de-versement",
            DELAY_COLUMNS,
            (
                [f.funder.name, m.title, m.count, m.median, m.p90, m.longest, m.open, m.late]
                for f in found
                for m in f.steps
            ),
            simulated=any(f.simulated for f in found),
        )
    drawings = []
    for step, title in rules.STEPS[:2] + rules.STEPS[-1:]:
        rows = [
            (f.funder.name, next(m.median for m in f.steps if m.step == step), f.simulated)
            for f in found
            if any(m.step == step and m.median is not None for m in f.steps)
        ]
        if rows:
            drawings.append(charts.bars(rows[:12], title=T("{t} : médiane, en jours", "{t}: median, in days", t=title)))
    return render(
        request,
        "funding/delays.html",
        {
            "title": T("Délais de versement", "Payment delays"),
            "funders": found,
            "drawings": drawings,
            "since": since,
            "observed": queries.observed_delays(),
            "rules": [
                rules.agreement_deadline(policy(), today).why,
                rules.advance_deadline(policy(), today).why,
            ],
            "simulated": any(f.simulated for f in found),
        },
    )


def _since(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(
            T(
                "« {d} » n'est pas un jour ; attendu : 2010-06-30.",
                "“{d}” is no day; expected: 2010-06-30.",
                d=text[:20],
            ),
            kind="input",
        ) from None
