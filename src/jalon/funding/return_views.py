"""Pages of the financial returns: the list for both sides, one return to hand in or to check, its evidence."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.funding import access, queries, return_actions, rules, states
from jalon.funding.forms import Reason, ReturnForm, read_lines, shown_lines
from jalon.funding.models import FinancialReturn
from jalon.funding.views import download, form_row, not_in_programme, require_signed_in, return_row
from jalon.people.access import policy
from jalon.ui.http import Attempt, acts, export, page, wants

PAGE = 50
COLUMNS = (
    ("agreement", Column(T("Convention", "Agreement"))),
    ("project", Column(T("Projet", "Project"))),
    ("beneficiary", Column(T("Bénéficiaire", "Beneficiary"), width=30)),
    ("funder", Column(T("Financeur", "Funder"), width=30)),
    ("year", Column(T("Année", "Year"), "number")),
    ("due_on", Column(T("Échéance", "Due on"), "date")),
    ("state", Column(T("État", "State"))),
    ("handed_on", Column(T("Remis le", "Handed in on"), "date")),
    ("late", Column(T("En retard", "Late"))),
)


@never_cache
@page
def index(request: HttpRequest) -> HttpResponse:
    """The financial returns that the actor may read, those due first before the others; exports give the same rows."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    require_signed_in(request)
    today, state = clock.today(), request.GET.get("etat", "")
    rows = queries.late_returns(request.actor, today) if state == "late" else queries.returns(request.actor, today)
    if state in states.RETURN_TITLES:
        rows = rows.filter(state=state)
    if wants(request) != "html":
        listed = list(rows)
        return export(
            request,
            "comptes-rendus-financiers",
            COLUMNS,
            (
                [
                    r.agreement.number,
                    r.agreement.project.acronym,
                    r.agreement.beneficiary.name,
                    r.agreement.funder.name,
                    r.year,
                    r.due_on,
                    states.RETURN_TITLES[r.state],
                    r.handed_on,
                    T("oui", "yes") if r.late(today) else T("non", "no"),
                ]
                for r in listed
            ),
            simulated=any(r.simulated for r in listed),
        )
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "funding/returns.html",
        {
            "title": T("Comptes rendus financiers", "Financial returns"),
            "page": shown,
            "rows": [return_row(r, today) for r in shown],
            "state": state,
            "states": states.RETURN_TITLES.items(),
        },
    )


def _found(request: HttpRequest, pk: int, year: int) -> FinancialReturn:
    return get_object_or_404(
        FinancialReturn.objects.select_related(
            "agreement__project", "agreement__partner", "agreement__beneficiary", "agreement__funder"
        ),
        agreement__in=access.visible_agreements(request.actor, clock.today()),
        agreement_id=pk,
        year=year,
    )


@never_cache
@page
def read(request: HttpRequest, pk: int, year: int) -> HttpResponse:
    """A financial return: its payee hands it in, its funder checks it."""
    row, today = _found(request, pk, year), clock.today()
    if request.method != "POST":
        return _page(request, row)
    access.require_beneficiary(request.actor, row.agreement, "claim.submit")
    form = ReturnForm(request.POST, request.FILES)
    refusal = None
    if form.is_valid():
        given = form.cleaned_data
        with Attempt() as tried:
            return_actions.submit(
                row,
                report=given["report"],
                annex=given["annex"],
                lines=read_lines(request.POST),
                uploads=given["evidence"],
                by=request.actor,
                on=today,
            )
            messages.success(request, T("Compte rendu remis au financeur.", "Return handed in to the funder."))
            return redirect("financial-return", pk, year)
        refusal = tried.refusal
    return _page(request, row, form=form, refusal=refusal, status=400)


def _page(
    request: HttpRequest,
    row: FinancialReturn,
    *,
    form: ReturnForm | None = None,
    bound: dict[str, Any] | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, today, agreement = request.actor, clock.today(), row.agreement
    beneficiary = access.is_beneficiary(actor, agreement)
    lines = list(row.lines.all())
    writes = beneficiary and actor.can("claim.submit") and row.state in states.RETURN_WAITING
    writes = writes and (row.year < today.year or agreement.ended_on is not None)
    if writes and form is None:
        form = ReturnForm(initial={"report": row.report, "annex": row.annex})
    paid = queries.paid_in(agreement, row.year)
    forms = []
    if not beneficiary and actor.can("claim.check") and access.is_funder(actor, agreement, today):
        for move in states.RETURN_MOVES[1:]:
            if row.state in move.sources:
                fresh = Reason(auto_id=f"{move.name}-%s") if move.reason_needed else None
                forms.append(form_row(move, bound, fresh))
    return render(
        request,
        "funding/return.html",
        {
            "title": T(
                "Compte rendu financier {y}, convention {n}",
                "Financial return {y}, agreement {n}",
                y=row.year,
                n=agreement.number,
            ),
            "a": agreement,
            "r": return_row(row, today),
            "why": rules.return_deadline(policy(), row.year).why,
            "paid": paid,
            "form": form if writes or form is not None else None,
            "sides": shown_lines(
                lines,
                request.POST if form is not None and form.is_bound else None,
                queries.suggested_lines(agreement, row.year, paid),
            ),
            "told": [
                {
                    "title": title,
                    "rows": [rules.Line(x.side, x.label, x.planned, x.actual) for x in lines if x.side == side],
                    "total": rules.summed(side, [rules.Line(x.side, "", x.planned, x.actual) for x in lines]),
                }
                for side, title in rules.SIDES
            ],
            "files": row.files.select_related("file"),
            "forms": forms,
            "refusal": refusal,
            "breadcrumb": [
                {"url": reverse("financial-returns"), "label": T("Comptes rendus financiers", "Financial returns")},
                {"url": reverse("agreement", args=[agreement.pk]), "label": agreement.number},
                {"url": None, "label": str(row.year)},
            ],
        },
        status=status,
    )


@acts
def act(request: HttpRequest, pk: int, year: int, act: str) -> HttpResponse:
    """Keep a return, or send it back with reasons."""
    row, today = _found(request, pk, year), clock.today()
    if act not in ("accept", "back"):
        raise Http404
    access.require_funder(request.actor, row.agreement, "claim.check", today)
    if act == "accept":
        return_actions.accept(row, by=request.actor, on=today)
        messages.success(request, T("Compte rendu vérifié.", "Return checked."))
        return redirect("financial-return", pk, year)
    form, refusal = Reason(request.POST, auto_id="back-%s"), None
    if form.is_valid():
        with Attempt() as tried:
            return_actions.send_back(row, reason=form.cleaned_data["reason"], by=request.actor, on=today)
            messages.success(
                request, T("Renvoyé ; le bénéficiaire est prévenu.", "Sent back; the beneficiary is told.")
            )
            return redirect("financial-return", pk, year)
        refusal = tried.refusal
    return _page(request, row, bound={"back": form}, refusal=refusal, status=400)


@page
def piece(request: HttpRequest, pk: int, year: int, file: int) -> HttpResponse:
    """A piece of evidence of a return, as a download only."""
    row = _found(request, pk, year)
    return download(get_object_or_404(row.files.select_related("file"), pk=file).file)
