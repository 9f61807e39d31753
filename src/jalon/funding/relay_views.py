"""Pages of relay finance: requests, the desks of bank and guarantor, cash calendar, balance sheet of the scheme."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.funding import access, queries, relay_actions, relay_rules, rules, states
from jalon.funding.forms import AskForm, AssignForm, GuaranteeForm, MoneyOn, OfferForm, PaidOn, Reason
from jalon.funding.models import Relay
from jalon.funding.views import form_row, not_in_programme
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.projects.models import Partner
from jalon.ui import charts
from jalon.ui.http import Attempt, acts, export, page, wants

PAGE = 50


def _crumbs(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [
        {"url": reverse("relays"), "label": T("Financement relais", "Relay finance")},
        *({"url": url, "label": label} for url, label in more),
    ]


def _row(relay: Relay) -> dict[str, Any]:
    return {
        "relay": relay,
        "state": states.RELAY_TITLES[relay.state],
        "tone": states.RELAY_TONES[relay.state],
        "guarantee": states.GUARANTEE_TITLES.get(relay.guarantee, ""),
        "guarantee_tone": states.GUARANTEE_TONES.get(relay.guarantee, "quiet"),
    }


COLUMNS = (
    ("id", Column(T("Relais", "Relay"), "number")),
    ("project", Column(T("Projet", "Project"))),
    ("company", Column(T("Entreprise", "Company"), width=30)),
    ("bank", Column(T("Banque", "Bank"), width=30)),
    ("state", Column(T("État", "State"))),
    ("asked_on", Column(T("Demandé le", "Asked on"), "date")),
    ("asked", Column(T("Demandé", "Asked"), "money")),
    ("offer", Column(T("Offre", "Offer"), "money")),
    ("drawn", Column(T("Versé", "Paid out"), "money")),
    ("owed", Column(T("Dû à la banque", "Owed to the bank"), "money")),
    ("guaranteed", Column(T("Contre-garanti", "Counter-guaranteed"), "money")),
)


@never_cache
@page
def index(request: HttpRequest) -> HttpResponse:
    """The desk of whoever takes part in relays: company, bank, guarantor, payer; each sees its own."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    actor, today = request.actor, clock.today()
    takes_part = any(actor.can(p) for p in ("relay.request", "relay.offer", "relay.guarantee")) or access.funds(actor)
    if not takes_part:
        raise NotAllowed(
            T(
                "Cette page est celle des entreprises, banques, garants et payeurs. Le bilan est public.",
                "This page is for companies, banks, guarantors and payers. The balance sheet is public.",
            )
        )
    rows = queries.relays(actor, today)
    if wants(request) != "html":
        listed = list(rows)
        return export(
            request,
            "financement-relais",
            COLUMNS,
            (
                [
                    r.pk,
                    r.project.acronym,
                    r.company.name,
                    r.bank.name,
                    states.RELAY_TITLES[r.state],
                    r.asked_on,
                    r.amount,
                    r.offer,
                    r.drawn,
                    r.owed,
                    r.guarantee_amount,
                ]
                for r in listed
            ),
            simulated=any(r.simulated for r in listed),
        )
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    title = (
        T("Bureau de la banque", "Bank's desk")
        if actor.can("relay.offer")
        else T("Bureau du garant", "Guarantor's desk")
        if actor.can("relay.guarantee")
        else T("Financement relais", "Relay finance")
    )
    return render(
        request,
        "funding/relays.html",
        {
            "title": title,
            "page": shown,
            "rows": [_row(r) for r in shown],
            "situations": queries.askable(actor, today),
            "bank": actor.can("relay.offer"),
            "guarantor": actor.can("relay.guarantee"),
        },
    )


@never_cache
@page
def ask(request: HttpRequest, partner: int, funder: int) -> HttpResponse:
    """Ask a bank for an advance on a grant of the State; what stands in the way is said with its rule."""
    actor, today = request.actor, clock.today()
    actor.require("relay.request")
    row = get_object_or_404(
        Partner.objects.select_related("project", "organisation"), pk=partner, organisation_id=actor.organisation_id
    )
    payer = get_object_or_404(Organisation, pk=funder)
    place = queries.situation(row, payer, today)
    banks = list(queries.banks())
    form = AskForm(request.POST or None, banks=banks, initial={"amount": str(rules.euros(place.still_due))})
    refusal = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with Attempt() as tried:
            made = relay_actions.ask(
                row,
                payer,
                next(b for b in banks if str(b.pk) == given["bank"]),
                amount=given["amount"],
                purpose=given["purpose"],
                by=actor,
                on=today,
            )
            messages.success(request, T("Demande envoyée à la banque.", "Request sent to the bank."))
            return redirect("relay", made.pk)
        refusal = tried.refusal
    return render(
        request,
        "funding/relay_ask.html",
        {
            "title": T("Demander un financement relais", "Ask for relay finance"),
            "place": place,
            "form": form,
            "refusal": refusal,
            "breadcrumb": _crumbs((None, T("Demander", "Ask"))),
        },
        status=400 if request.method == "POST" else 200,
    )


def _relay(request: HttpRequest, pk: int) -> Relay:
    """The relay, if the actor takes part in it."""
    return get_object_or_404(queries.relays(request.actor, clock.today()).prefetch_related("moves__order"), pk=pk)


FORMS: dict[str, Any] = {
    "offer": OfferForm,
    "refuse": Reason,
    "grant": GuaranteeForm,
    "decline": GuaranteeForm,
    "accept": None,
    "withdraw": Reason,
    "assign": AssignForm,
    "draw": MoneyOn,
    "repay": MoneyOn,
    "default": Reason,
    "call": None,
    "honour": PaidOn,
    "close": None,
}
DONE = {
    "offer": T("Offre faite.", "Offer made."),
    "refuse": T("Demande refusée ; l'entreprise est prévenue.", "Request refused; the company is told."),
    "grant": T("Contre-garantie accordée.", "Counter-guarantee granted."),
    "decline": T("Contre-garantie refusée.", "Counter-guarantee refused."),
    "accept": T("Offre acceptée ; la banque est prévenue.", "Offer accepted; the bank is told."),
    "withdraw": T("Demande retirée.", "Request withdrawn."),
    "assign": T(
        "Cession notifiée : les paiements de cette aide vont désormais à la banque.",
        "Assignment notified: payments of this grant now go to the bank.",
    ),
    "draw": T("Avance versée.", "Advance paid out."),
    "repay": T("Remboursement enregistré.", "Repayment recorded."),
    "default": T(
        "Défaut constaté ; entreprise et garant sont prévenus.", "Default declared; company and guarantor are told."
    ),
    "call": T("Contre-garantie appelée.", "Counter-guarantee called."),
    "honour": T("Contre-garantie versée.", "Counter-guarantee paid."),
    "close": T("Relais clos.", "Relay closed."),
}


def _possible(request: HttpRequest, relay: Relay) -> list[str]:
    actor = request.actor
    part = access.relay_part(actor, relay)
    mine = {"company": "relay.request", "bank": "relay.offer", "guarantor": "relay.guarantee"}.get(part)
    out = []
    moves = {m.name: m for m in states.RELAY_MOVES}
    guards = {m.name: m for m in states.GUARANTEE_MOVES}
    for name in FORMS:
        if name in moves:
            move, state = moves[name], relay.state
        else:
            move, state = guards[name], relay.guarantee
        if move.permission != mine or state not in move.sources:
            continue
        if name == "call" and relay.state != "defaulted":
            continue
        if name == "accept" and relay.guarantee in ("asked", "refused"):
            continue
        if name in ("repay", "default") and relay.owed <= 0:
            continue
        if name == "close" and (relay.owed > 0 or relay.owed_guarantor > 0):
            continue
        if name == "draw" and relay.offer is not None and relay.drawn >= relay.offer:
            continue
        out.append(name)
    return out


@never_cache
@page
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """A relay: request, offer, guarantee, money, what is owed, time gained, and what the actor may do now."""
    return _page(request, _relay(request, pk))


def _form(name: str, relay: Relay, today: Any, data: Any = None) -> Any:
    kind = FORMS[name]
    if kind is None:
        return None
    initial: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    if name == "offer":
        law = policy().on(today).find("funding.relay_guarantee_share")
        extra = {"guarantors": queries.guarantors(), "share": law.value if law else None}
        initial = {"amount": str(rules.euros(relay.offer or relay.amount)), "months": relay.months or 9}
    elif name == "draw":
        initial = {"amount": str(rules.euros((relay.offer or rules.ZERO) - relay.drawn)), "day": today}
    elif name == "repay":
        initial = {"amount": str(rules.euros(relay.owed)), "day": today}
    elif name == "honour":
        initial = {"day": today}
    return kind(data, auto_id=f"{name}-%s", initial=initial, **extra)


def _page(
    request: HttpRequest,
    relay: Relay,
    *,
    bound: dict[str, Any] | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    today = clock.today()
    moves = {m.name: m for m in (*states.RELAY_MOVES, *states.GUARANTEE_MOVES)}
    forms = [form_row(moves[name], bound, _form(name, relay, today)) for name in _possible(request, relay)]
    decided, due = queries.grant_due(relay.partner_id, relay.funder_id)
    gap = relay_rules.shortfall(relay.owed, due)
    part = access.relay_part(request.actor, relay)
    agreement = (
        access.visible_agreements(request.actor, today)
        .filter(partner_id=relay.partner_id, funder_id=relay.funder_id)
        .order_by("-pk")
        .first()
    )
    return render(
        request,
        "funding/relay.html",
        {
            **_row(relay),
            "title": T("Relais de {c} – {p}", "Relay of {c} – {p}", c=relay.company.name, p=relay.project.acronym),
            "part": part,
            "forms": forms,
            "refusal": refusal,
            "decided": decided,
            "due": due,
            "gap": gap,
            "owes": relay.drawn > 0,
            "cost": queries.cost(relay, today),
            "gain": queries.gain(relay, today) if relay.drawn else None,
            "published": queries.published_gain(),
            "callable": relay_actions.callable_amount(relay) if relay.guarantee in ("granted", "called") else None,
            "moves": [{"row": m, "kind": states.MOVE_KINDS[m.kind]} for m in relay.moves.all()],
            "agreement": agreement,
            "events": [
                {"day": e.on, "title": states.ACTS.get(e.act, e.act), "text": e.why, "who": e.organisation_label}
                for e in queries.acts(relay.case)
            ],
            "breadcrumb": _crumbs((None, relay.project.acronym)),
        },
        status=status,
    )


@acts
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """One act on a relay, by whoever it belongs to."""
    relay, actor, today = _relay(request, pk), request.actor, clock.today()
    if act not in FORMS:
        raise Http404
    form = _form(act, relay, today, request.POST)
    refusal = None
    moves = {m.name: m for m in (*states.RELAY_MOVES, *states.GUARANTEE_MOVES)}
    if form is not None and not form.is_valid():
        access.require_relay(actor, relay, moves[act].permission)
    else:
        given = dict(form.cleaned_data) if form is not None else {}
        with Attempt() as tried:
            _do(act, relay, given, by=actor, on=today)
            messages.success(request, DONE[act])
            return redirect("relay", pk)
        refusal = tried.refusal
    return _page(request, _relay(request, pk), bound={act: form}, refusal=refusal, status=400)


def _do(act: str, relay: Relay, given: dict[str, Any], *, by: Any, on: Any) -> None:
    """Call the act of that name with what its form says."""
    if act == "offer":
        chosen = given.pop("guarantor")
        guarantor = Organisation.objects.get(pk=int(chosen)) if chosen else None
        relay_actions.offer(relay, guarantor=guarantor, by=by, on=on, **given)
    elif act in ("grant", "decline"):
        relay_actions.answer_guarantee(relay, act == "grant", note=given["note"], by=by, on=on)
    elif act == "draw":
        relay_actions.draw(relay, amount=given["amount"], drawn_on=given["day"], by=by, on=on)
    elif act == "repay":
        relay_actions.repay(relay, amount=given["amount"], repaid_on=given["day"], by=by, on=on)
    elif act == "honour":
        relay_actions.honour_guarantee(relay, paid_on=given["day"], by=by, on=on)
    elif act == "call":
        relay_actions.call_guarantee(relay, by=by, on=on)
    else:
        getattr(relay_actions, act)(relay, by=by, on=on, **given)


# -- cash calendar ------------------------------------------------------------------------------------------------

CASH_COLUMNS = (
    ("month", Column(T("Mois", "Month"), "date")),
    ("costs", Column(T("Coûts prévus", "Costs planned"), "money")),
    ("grants", Column(T("Aides reçues", "Grants received"), "money")),
    ("expected", Column(T("Aides attendues", "Grants expected"), "money")),
    ("relay_in", Column(T("Avance reçue", "Advance received"), "money")),
    ("relay_out", Column(T("Avance rendue", "Advance given back"), "money")),
    ("without", Column(T("Solde sans relais", "Balance without relay"), "money")),
    ("with_relay", Column(T("Solde avec relais", "Balance with relay"), "money")),
)


@never_cache
@page
def calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """The cash of a partner in a project, month by month, with and without the relay."""
    actor, today = request.actor, clock.today()
    partner = get_object_or_404(
        Partner.objects.select_related("project", "organisation"), pk=pk, organisation_id=actor.organisation_id
    )
    if actor.side != "beneficiary" or actor.mandate_id is None:
        raise Http404
    found = queries.cash_calendar(partner, today)
    if found is not None and wants(request) != "html":
        return export(
            request,
            f"tresorerie-{partner.project.slug}",
            CASH_COLUMNS,
            (
                [m.first, m.costs, m.grants, m.expected, m.relay_in, m.relay_out, m.without, m.with_relay]
                for m in found.months
            ),
            simulated=partner.simulated or partner.project.simulated,
        )
    drawing = wide = None
    if found is not None:
        drawing, wide = (
            charts.trend(
                [(m.first, m.with_relay) for m in found.months],
                [(m.first, m.without) for m in found.months],
                unit="money",
                title=T("Solde cumulé, avec et sans le relais", "Balance, with and without the relay"),
                names=(T("Avec relais", "With relay"), T("Sans relais", "Without relay")),
                today=today,
                **size,
            )
            for size in ({}, {"width": 760, "height": 260})
        )
    return render(
        request,
        "funding/calendar.html",
        {
            "title": T("Trésorerie : {p}", "Cash: {p}", p=partner.project.acronym),
            "partner": partner,
            "calendar": found,
            "drawing": drawing,
            "wide": wide,
            "published": queries.published_gain(),
            "breadcrumb": [
                {"url": reverse("my-money"), "label": T("Mon argent", "My money")},
                {"url": None, "label": partner.project.acronym},
            ],
        },
    )


# -- balance sheet ------------------------------------------------------------------------------------------------

SCHEME_COLUMNS = (
    ("region", Column(T("Région", "Region"), width=28)),
    ("requests", Column(T("Demandes", "Requests"), "number")),
    ("asked", Column(T("Montant demandé", "Amount asked"), "money")),
    ("open", Column(T("En cours d'examen", "Under examination"), "number")),
    ("accepted", Column(T("Acceptées", "Accepted"), "number")),
    ("refused", Column(T("Refusées", "Refused"), "number")),
    ("withdrawn", Column(T("Retirées", "Withdrawn"), "number")),
    ("advanced", Column(T("Avancé", "Advanced"), "money")),
    ("repaid", Column(T("Remboursé", "Repaid"), "money")),
    ("owed", Column(T("Reste dû", "Still owed"), "money")),
    ("guarantees", Column(T("Contre-garanties", "Counter-guarantees"), "number")),
    ("guaranteed", Column(T("Montant contre-garanti", "Amount counter-guaranteed"), "money")),
    ("defaults", Column(T("Défauts", "Defaults"), "number")),
    ("default_amount", Column(T("Montant en défaut", "Amount in default"), "money")),
    ("guarantee_paid", Column(T("Garanties versées", "Guarantees paid"), "money")),
    ("gained", Column(T("Mois gagnés", "Months gained"), "number")),
)


@page
def scheme(request: HttpRequest) -> HttpResponse:
    """The balance sheet of the scheme, by region: what its extension is decided on. National officers read all of it."""
    if (absent := not_in_programme(request)) is not None:
        return absent
    today = clock.today()
    full = access.may_read_scheme(request.actor)
    lines, whole, simulated = queries.scheme(today, public=not full)
    if wants(request) != "html":
        return export(
            request,
            "bilan-financement-relais",
            SCHEME_COLUMNS,
            (_scheme_row(line) for line in [*lines, whole]),
            simulated=simulated,
        )
    part = policy().part("funding")
    sets = {s.code: {r.code: r.name for r in s.regions} for s in policy().regions}
    return render(
        request,
        "funding/scheme.html",
        {
            "title": T("Financement relais : bilan", "Relay finance: balance sheet"),
            "lines": lines,
            "whole": whole,
            "drawings": _scheme_drawings(whole, simulated) if whole.requests and not whole.hidden else [],
            "full": full,
            "simulated": simulated,
            "least": policy().on(today).find("funding.relay_public_minimum"),
            "published": queries.published_gain(),
            "regions": [
                {
                    "name": sets[r.region_set].get(r.region, r.region),
                    "row": r,
                    "open": r in relay_rules.open_regions(policy(), today),
                }
                for r in part.relay_regions
            ],
            "guarantee": policy().on(today).find("funding.relay_guarantee_share"),
        },
    )


def _scheme_drawings(whole: queries.SchemeLine, simulated: bool) -> list[Any]:
    """What became of the money, and of the requests."""
    money = (
        (T("Demandé", "Asked"), whole.asked),
        (T("Avancé", "Advanced"), whole.advanced),
        (T("Remboursé", "Repaid"), whole.repaid),
        (T("Reste dû", "Still owed"), whole.owed),
        (T("En défaut", "In default"), whole.default_amount),
    )
    requests = (
        (T("Acceptées", "Accepted"), whole.accepted),
        (T("En cours d'examen", "Under examination"), whole.open),
        (T("Refusées", "Refused"), whole.refused),
        (T("Retirées", "Withdrawn"), whole.withdrawn),
    )
    return [
        charts.bars(
            [(n, v, simulated) for n, v in money], unit="money", title=T("Où en est l'argent", "Where the money is")
        ),
        charts.bars(
            [(n, v, simulated) for n, v in requests],
            title=T("Que sont devenues les demandes", "What became of the requests"),
        ),
    ]


def _scheme_row(line: queries.SchemeLine) -> list[Any]:
    row: list[Any] = [line.name, line.requests]
    if line.hidden:
        return row + [None] * (len(SCHEME_COLUMNS) - 2)
    return [
        *row,
        line.asked,
        line.open,
        line.accepted,
        line.refused,
        line.withdrawn,
        line.advanced,
        line.repaid,
        line.owed,
        line.guarantees,
        line.guaranteed,
        line.defaults,
        line.default_amount,
        line.guarantee_paid,
        line.gain.months if line.gain else None,
    ]
