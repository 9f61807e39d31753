"""Pages of the accounting imports and of the open data on subsidies."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.core import clock
from jalon.core.errors import Conflict, NotAllowed
from jalon.core.lang import T
from jalon.core.sheets import Column, cell_name
from jalon.funding import access, accounting, accounting_actions, queries, scdl, states
from jalon.funding.forms import Upload
from jalon.funding.models import AccountingBatch, Agreement
from jalon.funding.rules import ZERO
from jalon.funding.views import not_in_programme
from jalon.people.access import policy
from jalon.ui.http import Attempt, acts, export, page, wants

PAGE = 200


def _crumbs(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [
        {"url": reverse("accounting"), "label": T("Comptabilité", "Accounting")},
        *({"url": url, "label": label} for url, label in more),
    ]


@never_cache
@page
def index(request: HttpRequest) -> HttpResponse:
    """Imports of the accounting system: hand one in, read the earlier ones, export the orders."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    actor, today = request.actor, clock.today()
    side = access.accounting_side(actor)
    form, refusal = Upload(), None
    if request.method == "POST":
        form = Upload(request.POST, request.FILES)
        if form.is_valid():
            given = form.cleaned_data["file"]
            with Attempt() as tried:
                made = accounting_actions.hand_in(given.read(), given.name, by=actor, on=today)
                return redirect("accounting-columns", made.pk)
            refusal = tried.refusal
    orders = access.payable_orders(actor, today)
    return render(
        request,
        "funding/accounting.html",
        {
            "title": T("Comptabilité", "Accounting"),
            "form": form,
            "refusal": refusal,
            "batches": [
                {
                    "row": b,
                    "state": states.BATCH_TITLES[b.state],
                    "tone": states.BATCH_TONES[b.state],
                    "rows": sum(v for k, v in b.counts.items() if k in states.VERDICTS),
                }
                for b in access.visible_batches(actor).defer("rows").order_by("-id")[:50]
            ],
            "waiting": orders.filter(state="ordered").count(),
            "side": side,
            "columns": [c.title for _, c in accounting.COLUMNS],
        },
        status=400 if request.method == "POST" else 200,
    )


@never_cache
@page
def export_orders(request: HttpRequest) -> HttpResponse:
    """Payment orders in the shape that is read back: those that wait, or all of them with ``?etat=tous``."""
    actor, today = request.actor, clock.today()
    access.accounting_side(actor)
    rows = access.payable_orders(actor, today).exclude(state="cancelled")
    if request.GET.get("etat") != "tous":
        rows = rows.filter(state="ordered")
    listed = list(rows.select_related("agreement__beneficiary", "payee", "funder").order_by("ordered_on", "id"))
    if wants(request) == "html":
        return redirect(f"{request.path}?format=xlsx" + ("&etat=tous" if request.GET.get("etat") == "tous" else ""))
    return export(
        request,
        "ordres-de-paiement",
        accounting.COLUMNS,
        accounting_actions.export_rows(listed),
        simulated=any(o.simulated for o in listed),
    )


def _batch(request: HttpRequest, pk: int) -> AccountingBatch:
    access.accounting_side(request.actor)
    return get_object_or_404(access.visible_batches(request.actor).select_related("file", "funder"), pk=pk)


@never_cache
@page
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """An import: the verdict of each row, and what accepting it would write."""
    found = _batch(request, pk)
    if found.state == "to_confirm":
        return redirect("accounting-columns", pk)
    verdict = request.GET.get("verdict", "")
    rows = found.rows
    if verdict in states.VERDICTS:
        rows = [r for r in rows if r[1] == verdict]
    if wants(request) != "html":
        return export(
            request,
            "verdicts",
            (
                ("row", Column(T("Ligne", "Row"), "number")),
                ("verdict", Column(T("Verdict", "Verdict"), width=30)),
                ("message", Column(T("Pourquoi", "Why"), width=60)),
                *accounting.COLUMNS,
            ),
            (_told(accounting.restored(r)) for r in rows),
            simulated=found.simulated,
        )
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    lines = [accounting.restored(r) for r in shown]
    matched = [accounting.restored(r) for r in found.rows if r[1] == "match"]
    return render(
        request,
        "funding/import.html",
        {
            "title": T("Import « {f} »", "Import “{f}”", f=found.file_name),
            "batch": found,
            "state": states.BATCH_TITLES[found.state],
            "tone": states.BATCH_TONES[found.state],
            "counts": [
                (code, states.VERDICTS[code], states.VERDICT_TONES[code], n)
                for code, n in accounting.summary(found.counts)
            ],
            "verdict": verdict,
            "page": shown,
            "lines": [
                {"line": one, "verdict": states.VERDICTS[one.verdict], "tone": states.VERDICT_TONES[one.verdict]}
                for one in lines
            ],
            "matched": len(matched),
            "total": sum((m.amount for m in matched), ZERO),
            "breadcrumb": _crumbs((None, found.file_name)),
        },
    )


@never_cache
@page
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """The columns as recognised, to be confirmed; sheet and row of headers can be chosen."""
    found = _batch(request, pk)
    if found.state not in ("to_confirm", "previewed"):
        return redirect("accounting-import", pk)
    refusal, chosen = None, None
    source = request.POST if request.method == "POST" else request.GET
    sheet = _number(source.get("sheet"), found.columns["sheet"], len(found.columns["sheets"]))
    head = found.columns["sheets"][sheet]["head"]
    moved = "sheet" in source and sheet != found.columns["sheet"]
    header = _number(source.get("header"), 0 if moved else found.columns["header"], len(head))
    if request.method == "POST":
        chosen = {
            int(name.removeprefix("col-")): value
            for name, value in request.POST.items()
            if name.startswith("col-") and name.removeprefix("col-").isdecimal() and value
        }
        with Attempt() as tried:
            accounting_actions.confirm(found, chosen, by=request.actor, on=clock.today(), sheet=sheet, header=header)
            return redirect("accounting-import", pk)
        refusal = tried.refusal
    elif (sheet, header) == (found.columns["sheet"], found.columns["header"]):
        chosen = {column: code for code, column in found.columns["mapping"].items()}
    else:
        chosen = {column: code for code, column in accounting.recognised(head[header])[0].items()} if head else {}
    labels = head[header] if head else []
    below = head[header + 1 : header + 4]
    width = max((len(row) for row in [labels, *below]), default=0)

    def cell(row: list[Any], i: int) -> Any:
        return row[i] if i < len(row) else None

    rows = [
        {
            "index": i,
            "letter": cell_name(0, i)[:-1],
            "label": cell(labels, i) or "",
            "samples": [cell(row, i) for row in below if cell(row, i)],
            "field": chosen.get(i, ""),
        }
        for i in range(width)
        if cell(labels, i) or any(cell(row, i) for row in below)
    ]
    return render(
        request,
        "funding/columns.html",
        {
            "title": T("Colonnes de « {n} »", "Columns of “{n}”", n=found.file_name),
            "batch": found,
            "sheets": found.columns["sheets"],
            "sheet": sheet,
            "header": header,
            "headers": [
                {"number": n, "text": " · ".join(c for c in row if c)[:70]} for n, row in enumerate(head) if any(row)
            ][: accounting.HEADER_WITHIN],
            "rows": rows,
            "fields": [(code, column.title, code in accounting.NEEDED) for code, column in accounting.COLUMNS],
            "recognised": sum(bool(row["field"]) for row in rows),
            "refusal": refusal,
            "breadcrumb": _crumbs(
                (reverse("accounting-import", args=[pk]), found.file_name), (None, T("Colonnes", "Columns"))
            )
            if found.state == "previewed"
            else _crumbs((None, found.file_name)),
        },
        status=400 if refusal else 200,
    )


def _number(text: str | None, fallback: int, limit: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) < limit else fallback


def _told(line: accounting.Line) -> list[Any]:
    cells = [line.cells.get(code, "") for code, _ in accounting.COLUMNS]
    return [line.number, states.VERDICTS[line.verdict], line.message or "", *cells]


@acts
def batch_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Accept or abandon an import."""
    found, today = _batch(request, pk), clock.today()
    if act == "accept":
        try:
            done = accounting_actions.accept(found, by=request.actor, on=today)
        except Conflict as refusal:
            messages.error(request, str(refusal.reason))
            return redirect("accounting-import", pk)
        messages.success(
            request,
            T("{n} paiements enregistrés.", "{n} payments recorded.", n=done.counts["written"]),
        )
    elif act == "abandon":
        accounting_actions.abandon(found, by=request.actor, on=today)
        messages.success(request, T("Import abandonné : rien n'est écrit.", "Import abandoned: nothing is written."))
    else:
        raise Http404
    return redirect("accounting-import", pk)


# -- open data on subsidies ---------------------------------------------------------------------------------------


class Published(NamedTuple):
    """An agreement to be published: its cells, what they lack, and how its notification is known."""

    agreement: Agreement
    cells: list[str]
    faults: list[Any]
    notified: scdl.Notified


def _subsidies(request: HttpRequest) -> tuple[list[Published], Any]:
    """The agreements that are to be published, and the threshold in force."""
    today = clock.today()
    law = policy().on(today).find("funding.publication_above")
    rows = (
        access.visible_agreements(request.actor, today)
        .filter(instrument="grant", signed_on__isnull=False)
        .exclude(state="draft")
        .select_related("project__call", "partner", "beneficiary", "funder")
        .prefetch_related("instalments")
        .order_by("signed_on", "number")
    )
    if law is not None:
        rows = rows.filter(amount__gt=law.value)
    listed = list(rows)
    names = queries.identifiers_of([a.funder_id for a in listed] + [a.beneficiary_id for a in listed])
    told = queries.notified(listed)
    out = []
    for a in listed:
        payer, payee = names.get(a.funder_id, {}), names.get(a.beneficiary_id, {})
        row = scdl.cells(
            scdl.Subsidy(
                funder=a.funder.name,
                funder_siret=payer.get("siret", ""),
                signed_on=a.signed_on,
                reference=a.number,
                beneficiary=a.beneficiary.name,
                beneficiary_siret=payee.get("siret", ""),
                beneficiary_rna=payee.get("rna", ""),
                subject=a.subject,
                amount=a.amount,
                base=a.base,
                rate=a.rate,
                instalments=tuple((i.due_on, i.amount) for i in a.instalments.all()),
                first_on=a.starts_on,
                last_on=a.ends_on,
                scheme=a.project.call.title_fr if a.project.call else "",
                notified=told[a.pk].value,
            )
        )
        out.append(Published(a, row, scdl.faults(row), told[a.pk]))
    return out, law


def _by_faults(found: list[Published]) -> list[tuple[list[Any], list[Published]]]:
    """What is left out, those that lack the same together, the most frequent first."""
    groups: dict[str, list[Published]] = {}
    for one in found:
        if one.faults:
            groups.setdefault(" ".join(str(fault) for fault in one.faults), []).append(one)
    return [(rows[0].faults, rows) for rows in sorted(groups.values(), key=lambda rows: -len(rows))]


@never_cache
@page
def scdl_page(request: HttpRequest) -> HttpResponse:
    """Open data on subsidies (SCDL 2.1.1): what is published, what is left out and why; ``?format=csv`` is the file."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    if not access.funds(request.actor):
        raise NotAllowed(T("Ce fichier est celui des financeurs.", "This file is the funders'."))
    found, law = _subsidies(request)
    sound = [one.cells for one in found if not one.faults]
    simulated = any(one.agreement.simulated for one in found if not one.faults)
    if wants(request) == "csv":
        answer = StreamingHttpResponse(scdl.written(sound), content_type="text/csv; charset=utf-8")
        name = "scdl-subventions" + ("-simule" if simulated else "")
        answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return answer
    return render(
        request,
        "funding/scdl.html",
        {
            "title": T("Données de subvention (SCDL)", "Subsidy data (SCDL)"),
            "law": law,
            "delay": policy().on(clock.today()).find("funding.publication_within"),
            "sound": len(sound),
            "left": _by_faults(found),
            "columns": scdl.COLUMNS,
            "rows": [one for one in found if not one.faults][:50],
            "simulated": simulated,
        },
    )
