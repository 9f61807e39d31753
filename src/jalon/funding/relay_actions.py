"""Acts of relay finance: ask, offer, guarantee, accept, assign, draw, repay, default; and what a public payment does to it.

An act on a relay that exists holds the grant's agreement first (when there is one), then the relay: the same order as
payments, so that two of them never wait for each other.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from jalon.core import clock, journal, workflow
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.why import Why
from jalon.funding import access, messages, queries, relay_rules, rules, states
from jalon.funding.models import PaymentOrder, Relay, RelayMove
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.projects.models import Partner


def _locked(relay: Relay) -> Relay:
    """The relay as it stands now, held, after its grant's agreement."""
    queries.live_agreement(relay.partner_id, relay.funder_id, lock=True)
    return (
        Relay.objects.select_for_update(of=("self",))
        .select_related("company", "bank", "project", "funder", "partner")
        .get(pk=relay.pk)
    )


def _move(relay: Relay, name: str, reason: str = "") -> None:
    workflow.check(states.RELAY_MOVES, states.RELAY_STATES, name, relay.state, reason)


def _record(relay: Relay, act: str, *, by: Any, on: dt.date, at: dt.datetime | None, **kwargs: Any) -> None:
    journal.record(relay.case, act, by=by, on=on, at=clock.stamp(on, at), **kwargs)


def _flow(
    relay: Relay,
    kind: str,
    amount: Decimal,
    day: dt.date,
    *,
    by: Any,
    on: dt.date,
    at: dt.datetime | None,
    order: PaymentOrder | None = None,
    note: str = "",
) -> RelayMove:
    return RelayMove.objects.create(
        relay=relay,
        kind=kind,
        amount=amount,
        on=day,
        order=order,
        note=note[:255],
        recorded_at=clock.stamp(on, at),
        user_label=by.user_label[:200],
    )


def _not_future(day: dt.date, on: dt.date) -> None:
    if day > on:
        raise Refused(
            T("Le {d} est à venir.", "{d} is in the future.", d=day.isoformat()),
            kind="input",
        )


# -- request and answer -------------------------------------------------------------------------------------------


@transaction.atomic
def ask(
    partner: Partner,
    funder: Organisation,
    bank: Organisation,
    *,
    amount: Decimal,
    by: Actor,
    on: dt.date,
    purpose: str = "",
    at: dt.datetime | None = None,
) -> Relay:
    """A company asks a bank for an advance on the State's grant.

    Raises:
        NotAllowed: not the company's. Refused: not eligible (with all that is missing and why), more than is still to come,
            not a bank of the scheme, or a request to this bank is open already.
    """
    by.require("relay.request")
    if by.organisation_id != partner.organisation_id:
        raise NotAllowed(T("Cette aide est celle d'un autre organisme.", "This grant is another body's."))
    place = queries.situation(partner, funder, on)
    if not place.eligibility.open:
        raise Refused(
            T("Le financement relais n'est pas possible ici.", "Relay finance is not possible here."),
            missing=place.eligibility.missing,
            why=place.eligibility.why,
        )
    amount = rules.exact(amount, where=T("Montant demandé", "Amount asked"))
    if amount > place.still_due:
        raise Refused(
            T(
                "Il reste {d} € à recevoir ; {a} € sont demandés.",
                "{d} € are still to come; {a} € are asked.",
                d=rules.euros(place.still_due),
                a=rules.euros(amount),
            ),
            why=place.eligibility.why,
        )
    if not queries.banks().filter(pk=bank.pk).exists():
        raise Refused(
            T("« {b} » n'est pas une banque du dispositif.", "“{b}” is no bank of the scheme.", b=bank.name),
            kind="input",
        )
    number = (Relay.objects.filter(partner=partner, funder=funder).aggregate(n=Max("number"))["n"] or 0) + 1
    letter = place.letter
    try:
        with transaction.atomic():
            made = Relay.objects.create(
                programme=partner.project.programme,
                project=partner.project,
                partner=partner,
                company=partner.organisation,
                funder=funder,
                bank=bank,
                number=number,
                amount=amount,
                purpose=purpose.strip(),
                letter_on=letter.on,
                letter_reference=letter.reference[:160],
                region_set=place.row.region_set,
                region=place.row.region,
                policy_day=on,
                asked_on=on,
                created_at=clock.stamp(on, at),
                simulated=partner.simulated or partner.project.simulated,
            )
    except IntegrityError:
        raise Refused(
            T(
                "Une demande à cette banque est déjà ouverte pour cette aide.",
                "A request to this bank is open already for this grant.",
            )
        ) from None
    _record(
        made,
        "relay.ask",
        by=by,
        on=on,
        at=at,
        after={
            "project": partner.project.slug,
            "bank": bank.name,
            "amount": amount,
            "letter_on": letter.on,
            "state": "asked",
        },
    )
    messages.tell(bank.pk, "relay.offer", on, messages.asked(made), made.case)
    return made


@transaction.atomic
def offer(
    relay: Relay,
    *,
    amount: Decimal,
    months: int,
    rate: Decimal,
    fee: Decimal,
    by: Actor,
    on: dt.date,
    note: str = "",
    guarantor: Organisation | None = None,
    at: dt.datetime | None = None,
) -> Relay:
    """The bank offers an advance, and may ask a guarantor for its counter-guarantee; a new offer replaces the one before.

    Raises:
        NotAllowed: not the bank's. Refused: answered already, above the grant still to come, a duration or rate that
            cannot be, not a guarantor of the scheme.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    before = relay.state
    _move(relay, "offer")
    amount = rules.exact(amount, where=T("Avance proposée", "Advance offered"))
    _, due = queries.grant_due(relay.partner_id, relay.funder_id)
    relay_rules.check_offer(amount, months, rate, fee, due)
    relay.offer, relay.months, relay.rate, relay.fee = amount, months, rate, fee
    relay.offered_on, relay.offer_note, relay.state = on, note.strip(), "offered"
    relay.guarantor, relay.guarantee, relay.guarantee_note = None, "", ""
    relay.guarantee_share = relay.guarantee_amount = relay.guarantee_on = None
    if guarantor is not None:
        if not queries.guarantors().filter(pk=guarantor.pk).exists():
            raise Refused(
                T(
                    "« {g} » ne contre-garantit pas dans ce dispositif.",
                    "“{g}” does not counter-guarantee in this scheme.",
                    g=guarantor.name,
                ),
                kind="input",
            )
        share = policy().on(on).get("funding.relay_guarantee_share")
        relay.guarantor, relay.guarantee = guarantor, "asked"
        relay.guarantee_share = Decimal(share.value)
        relay.guarantee_amount = rules.cents(amount * share.value / 100)
    relay.save()
    cost = relay_rules.estimate(policy(), on, amount, months, rate, fee)
    _record(
        relay,
        "relay.offer",
        by=by,
        on=on,
        at=at,
        before={"state": before},
        after={
            "state": "offered",
            "amount": amount,
            "months": months,
            "rate": rate,
            "fee": fee,
            "cost": cost.total,
        },
    )
    if guarantor is not None:
        _record(
            relay,
            "relay.guarantee_ask",
            by=by,
            on=on,
            at=at,
            after={"guarantor": guarantor.name, "amount": relay.guarantee_amount, "share": relay.guarantee_share},
        )
        messages.tell(guarantor.pk, "relay.guarantee", on, messages.guarantee_asked(relay), relay.case)
    else:
        messages.tell(relay.company_id, "relay.request", on, messages.answered(relay), relay.case)
    return relay


@transaction.atomic
def refuse(relay: Relay, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Relay:
    """The bank refuses, and says why.

    Raises:
        NotAllowed: not the bank's. Refused: accepted or ended already, or no reason.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    before = relay.state
    _move(relay, "refuse", reason)
    relay.state, relay.answer, relay.ended_on = "refused", reason.strip(), on
    _release(relay, by, on, at)
    relay.save()
    _record(
        relay, "relay.refuse", by=by, on=on, at=at, why=reason, before={"state": before}, after={"state": "refused"}
    )
    messages.tell(relay.company_id, "relay.request", on, messages.answered(relay), relay.case)
    return relay


@transaction.atomic
def withdraw(relay: Relay, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Relay:
    """The company takes its request back, as long as the claim is not assigned.

    Raises:
        NotAllowed: not the company's. Refused: assigned or ended already, or no reason.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.request")
    before = relay.state
    _move(relay, "withdraw", reason)
    relay.state, relay.answer, relay.ended_on = "withdrawn", reason.strip(), on
    _release(relay, by, on, at)
    relay.save()
    _record(
        relay, "relay.withdraw", by=by, on=on, at=at, why=reason, before={"state": before}, after={"state": "withdrawn"}
    )
    return relay


def _release(relay: Relay, by: Any, on: dt.date, at: dt.datetime | None) -> None:
    """A counter-guarantee ends with what it guarantees."""
    if relay.guarantee in ("asked", "granted", "called"):
        relay.guarantee = "released"
        _record(relay, "relay.guarantee_release", by=by, on=on, at=at, after={"guarantee": "released"})


@transaction.atomic
def answer_guarantee(
    relay: Relay, grant: bool, *, by: Actor, on: dt.date, note: str = "", at: dt.datetime | None = None
) -> Relay:
    """The guarantor grants or refuses its counter-guarantee.

    Raises:
        NotAllowed: not the guarantor's. Refused: not asked for, answered already, or refused without a reason.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.guarantee")
    name = "grant" if grant else "decline"
    move = workflow.check(states.GUARANTEE_MOVES, states.GUARANTEE_STATES, name, relay.guarantee, note)
    relay.guarantee, relay.guarantee_on, relay.guarantee_note = move.target, on, note.strip()
    relay.save()
    _record(
        relay,
        f"relay.guarantee_{name}",
        by=by,
        on=on,
        at=at,
        why=note,
        before={"guarantee": "asked"},
        after={"guarantee": relay.guarantee, "amount": relay.guarantee_amount},
    )
    messages.tell(relay.bank_id, "relay.offer", on, messages.guarantee_answered(relay), relay.case)
    if grant:
        messages.tell(relay.company_id, "relay.request", on, messages.answered(relay), relay.case)
    return relay


@transaction.atomic
def accept(relay: Relay, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Relay:
    """The company accepts the offer: the grant is held, and requests to other banks lapse by being refused acceptance.

    Raises:
        NotAllowed: not the company's. Refused: no offer, a counter-guarantee that is not answered or refused, another
            relay engaged on the grant, or a grant that fell below the offer.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.request")
    _move(relay, "accept")
    if relay.guarantee == "asked":
        raise Refused(T("La contre-garantie n'a pas encore de réponse.", "The counter-guarantee has no answer yet."))
    if relay.guarantee == "refused":
        raise Refused(
            T(
                "La contre-garantie est refusée : la banque doit refaire son offre sans elle, ou refuser.",
                "The counter-guarantee is refused: the bank must offer again without it, or refuse.",
            )
        )
    _, due = queries.grant_due(relay.partner_id, relay.funder_id)
    relay_rules.check_offer(relay.offer, relay.months, relay.rate, relay.fee, due)
    relay.state, relay.accepted_on = "accepted", on
    try:
        with transaction.atomic():
            relay.save()
    except IntegrityError:
        raise Refused(
            T("Un autre relais est déjà engagé sur cette aide.", "Another relay is engaged on this grant already.")
        ) from None
    _record(relay, "relay.accept", by=by, on=on, at=at, before={"state": "offered"}, after={"state": "accepted"})
    messages.tell(relay.bank_id, "relay.offer", on, messages.accepted(relay), relay.case)
    return relay


@transaction.atomic
def assign(relay: Relay, *, by: Actor, on: dt.date, reference: str = "", at: dt.datetime | None = None) -> Relay:
    """The bank notifies the assignment of the claim (*cession de créance*): from now on the payer pays the bank.

    Orders that wait to be paid are addressed to the bank as well.

    Raises:
        NotAllowed: not the bank's. Refused: not accepted.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    _move(relay, "assign")
    relay.state, relay.assigned_on, relay.assigned_reference = "assigned", on, reference.strip()[:120]
    relay.save()
    orders = PaymentOrder.objects.select_for_update().filter(
        agreement__partner_id=relay.partner_id,
        agreement__funder_id=relay.funder_id,
        agreement__instrument="grant",
        state="ordered",
    )
    moved = list(orders.values_list("number", flat=True))
    orders.update(payee_id=relay.bank_id)
    _record(
        relay,
        "relay.assign",
        by=by,
        on=on,
        at=at,
        before={"state": "accepted"},
        after={"state": "assigned", "reference": relay.assigned_reference, "orders": moved},
    )
    messages.tell(relay.funder_id, "payment.order", on, messages.assigned(relay), relay.case)
    return relay


# -- money --------------------------------------------------------------------------------------------------------


@transaction.atomic
def draw(
    relay: Relay, *, amount: Decimal, drawn_on: dt.date, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Relay:
    """The bank pays out the advance, or a part of it.

    Raises:
        NotAllowed: not the bank's. Refused: the claim is not assigned, above the offer or the grant still to come, or a day
            that cannot be.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    before = relay.state
    _move(relay, "draw")
    amount = rules.exact(amount, where=T("Avance versée", "Advance paid out"))
    _not_future(drawn_on, on)
    if relay.assigned_on and drawn_on < relay.assigned_on:
        raise Refused(
            T("L'avance est versée après la cession.", "The advance is paid out after the assignment."), kind="input"
        )
    if relay.drawn + amount > relay.offer:
        raise Refused(
            T(
                "L'offre est de {o} €, {d} € sont versés : il reste {l} €.",
                "The offer is {o} €, {d} € are paid out: {l} € are left.",
                o=rules.euros(relay.offer),
                d=rules.euros(relay.drawn),
                l=rules.euros(relay.offer - relay.drawn),
            )
        )
    _, due = queries.grant_due(relay.partner_id, relay.funder_id)
    if relay.owed + amount > due:
        raise Refused(
            T(
                "Il reste {d} € d'aide à venir ; la banque serait due de {o} €.",
                "{d} € of the grant are still to come; the bank would be owed {o} €.",
                d=rules.euros(due),
                o=rules.euros(relay.owed + amount),
            ),
            why=Why(
                rule=T(
                    "Une banque n'avance pas plus que la subvention restant à recevoir.",
                    "A bank advances no more than the grant still to come.",
                ),
                inputs={T("Reste à recevoir", "Still to come"): due, T("Déjà dû", "Owed already"): relay.owed},
            ),
        )
    _flow(relay, "drawdown", amount, drawn_on, by=by, on=on, at=at)
    relay.drawn += amount
    relay.state = "drawn"
    relay.save()
    _record(
        relay,
        "relay.draw",
        by=by,
        on=on,
        at=at,
        before={"state": before},
        after={"state": "drawn", "amount": amount, "drawn_on": drawn_on},
    )
    return relay


@transaction.atomic
def repay(
    relay: Relay, *, amount: Decimal, repaid_on: dt.date, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Relay:
    """The bank records what the company repaid by itself.

    Raises:
        NotAllowed: not the bank's. Refused: nothing drawn, more than is owed, or a day that cannot be.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    _move(relay, "repay")
    amount = rules.exact(amount, where=T("Remboursement", "Repayment"))
    _not_future(repaid_on, on)
    _after_drawing(relay, repaid_on)
    if amount > relay.owed:
        raise Refused(
            T(
                "{o} € sont dus à la banque ; {a} € sont rendus.",
                "{o} € are owed to the bank; {a} € are given back.",
                o=rules.euros(relay.owed),
                a=rules.euros(amount),
            )
        )
    _flow(relay, "company_repayment", amount, repaid_on, by=by, on=on, at=at)
    relay.company_repaid += amount
    relay.save()
    _record(relay, "relay.repay", by=by, on=on, at=at, after={"amount": amount, "repaid_on": repaid_on})
    _close_when_settled(relay, by=by, on=on, at=at)
    return relay


def _after_drawing(relay: Relay, day: dt.date) -> None:
    first = relay.moves.filter(kind="drawdown").order_by("on").values_list("on", flat=True).first()
    if first is not None and day < first:
        raise Refused(
            T(
                "Un remboursement du {r} précède l'avance, du {d}.",
                "A repayment of {r} comes before the advance, of {d}.",
                r=day.isoformat(),
                d=first.isoformat(),
            ),
            kind="input",
        )


def allocate_payment(
    order: PaymentOrder, *, by: Any, on: dt.date, at: dt.datetime | None = None
) -> relay_rules.Allocation | None:
    """What a public payment does to the relay of its grant: bank first, then guarantor, what is left to the company.

    Called by the act that records a payment, inside its transaction, with the agreement held. Nothing happens to a payment
    that did not go to the relay's bank.
    """
    agreement = order.agreement
    relay = (
        Relay.objects.select_for_update(of=("self",))
        .select_related("company", "bank", "project", "funder", "partner")
        .filter(
            partner_id=agreement.partner_id,
            funder_id=agreement.funder_id,
            bank_id=order.payee_id,
            state__in=states.RELAY_ASSIGNED,
        )
        .first()
    )
    if relay is None:
        return None
    parts = relay_rules.allocate(order.amount, relay.owed, relay.owed_guarantor)
    for kind, amount in (
        ("repayment", parts.bank),
        ("guarantor_back", parts.guarantor),
        ("overflow", parts.company),
    ):
        if amount > 0:
            _flow(relay, kind, amount, order.paid_on, by=by, on=on, at=at, order=order)
    relay.repaid += parts.bank
    relay.guarantor_back += parts.guarantor
    relay.save()
    _record(
        relay,
        "relay.allocate",
        by=by,
        on=on,
        at=at,
        after={
            "order": order.number,
            "amount": order.amount,
            "bank": parts.bank,
            "guarantor": parts.guarantor,
            "company": parts.company,
        },
    )
    _close_when_settled(relay, by=by, on=on, at=at)
    return parts


def _close_when_settled(relay: Relay, *, by: Any, on: dt.date, at: dt.datetime | None) -> None:
    """A relay that was drawn and of which nothing is owed is closed, and its counter-guarantee released."""
    if relay.state not in ("drawn", "defaulted") or relay.owed > 0 or relay.owed_guarantor > 0:
        return
    _closed(relay, by=by, on=on, at=at)


def _closed(relay: Relay, *, by: Any, on: dt.date, at: dt.datetime | None, why: str = "") -> None:
    before = relay.state
    relay.state, relay.ended_on = "closed", on
    _release(relay, by, on, at)
    relay.save()
    # Orders that wait go to the company again: nothing is owed to the bank any more.
    PaymentOrder.objects.filter(
        agreement__partner_id=relay.partner_id,
        agreement__funder_id=relay.funder_id,
        payee_id=relay.bank_id,
        state="ordered",
    ).update(payee_id=relay.company_id)
    _record(relay, "relay.close", by=by, on=on, at=at, why=why, before={"state": before}, after={"state": "closed"})


@transaction.atomic
def close(relay: Relay, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None) -> Relay:
    """The bank closes a relay of which nothing is owed: one that was assigned and never drawn, or fully repaid.

    Raises:
        NotAllowed: not the bank's. Refused: something is owed to the bank or the guarantor.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    _move(relay, "close")
    if relay.owed > 0 or relay.owed_guarantor > 0:
        raise Refused(
            T(
                "{o} € sont dus à la banque, {g} € au garant : le relais reste ouvert.",
                "{o} € are owed to the bank, {g} € to the guarantor: the relay stays open.",
                o=rules.euros(relay.owed),
                g=rules.euros(relay.owed_guarantor),
            )
        )
    _closed(relay, by=by, on=on, at=at, why=reason)
    return relay


# -- default ------------------------------------------------------------------------------------------------------


@transaction.atomic
def default(relay: Relay, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Relay:
    """The bank declares the company's default, and why; public payments still go to the bank.

    Raises:
        NotAllowed: not the bank's. Refused: nothing drawn, nothing owed, or no reason.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    _move(relay, "default", reason)
    if relay.owed <= 0:
        raise Refused(T("Rien n'est dû : il n'y a pas de défaut.", "Nothing is owed: there is no default."))
    relay.state, relay.defaulted_on, relay.default_reason = "defaulted", on, reason.strip()
    relay.save()
    _record(
        relay,
        "relay.default",
        by=by,
        on=on,
        at=at,
        why=reason,
        before={"state": "drawn"},
        after={"state": "defaulted", "owed": relay.owed},
    )
    message = messages.defaulted(relay)
    messages.tell(relay.company_id, "relay.request", on, message, relay.case)
    if relay.guarantor_id and relay.guarantee == "granted":
        messages.tell(relay.guarantor_id, "relay.guarantee", on, message, relay.case)
    return relay


def callable_amount(relay: Relay) -> Decimal:
    """What the counter-guarantee would pay now: its share of what is owed, within what was granted."""
    if relay.guarantee_share is None or relay.guarantee_amount is None:
        return rules.ZERO
    return relay_rules.guaranteed(relay.guarantee_share, relay.owed, relay.guarantee_amount)


@transaction.atomic
def call_guarantee(relay: Relay, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Relay:
    """The bank calls the counter-guarantee after a default.

    Raises:
        NotAllowed: not the bank's. Refused: no default, no guarantee granted, or called already.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.offer")
    if relay.state != "defaulted":
        raise Refused(
            T("La contre-garantie s'appelle après un défaut.", "A counter-guarantee is called after a default.")
        )
    move = workflow.check(states.GUARANTEE_MOVES, states.GUARANTEE_STATES, "call", relay.guarantee)
    relay.guarantee = move.target
    relay.save()
    amount = callable_amount(relay)
    _record(relay, "relay.guarantee_call", by=by, on=on, at=at, after={"guarantee": "called", "amount": amount})
    messages.tell(relay.guarantor_id, "relay.guarantee", on, messages.called(relay, amount), relay.case)
    return relay


@transaction.atomic
def honour_guarantee(relay: Relay, *, paid_on: dt.date, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Relay:
    """The guarantor pays its share of what is owed; later public payments give it back after the bank.

    Raises:
        NotAllowed: not the guarantor's. Refused: not called, or a day that cannot be.
    """
    relay = _locked(relay)
    access.require_relay(by, relay, "relay.guarantee")
    move = workflow.check(states.GUARANTEE_MOVES, states.GUARANTEE_STATES, "honour", relay.guarantee)
    _not_future(paid_on, on)
    if relay.defaulted_on and paid_on < relay.defaulted_on:
        raise Refused(
            T("La garantie se verse après le défaut.", "The guarantee is paid after the default."), kind="input"
        )
    amount = callable_amount(relay)
    if amount <= 0:
        raise Refused(T("Rien n'est plus dû à la banque.", "Nothing is owed to the bank any more."))
    _flow(relay, "guarantee_payment", amount, paid_on, by=by, on=on, at=at)
    relay.guarantee_paid += amount
    relay.guarantee = move.target
    relay.save()
    _record(
        relay,
        "relay.guarantee_honour",
        by=by,
        on=on,
        at=at,
        before={"guarantee": "called"},
        after={"guarantee": "paid", "amount": amount, "paid_on": paid_on},
    )
    return relay


# -- a grant that shrinks -----------------------------------------------------------------------------------------


def grant_changed(partner_id: int, funder_id: int, *, by: Any, on: dt.date, at: dt.datetime | None = None) -> Decimal:
    """After a grant was reduced, ended or decided anew: what it does not cover of a relay, told once to all three.

    Returns the uncovered sum. The counter-guarantee stays as it is.
    """
    relay = (
        Relay.objects.select_for_update(of=("self",))
        .select_related("company", "bank", "project", "funder")
        .filter(partner_id=partner_id, funder_id=funder_id, state__in=states.RELAY_ENGAGED)
        .first()
    )
    if relay is None:
        return rules.ZERO
    _, due = queries.grant_due(partner_id, funder_id)
    gap = relay_rules.shortfall(relay.owed, due)
    if gap == relay.alerted:
        return gap
    relay.alerted = gap
    relay.save(update_fields=["alerted"])
    if gap > 0:
        _record(
            relay,
            "relay.reduced",
            by=by,
            on=on,
            at=at,
            after={"owed": relay.owed, "due": due, "uncovered": gap},
        )
        message = messages.reduced(relay, relay.owed, due, gap)
        messages.tell(relay.company_id, "relay.request", on, message, relay.case)
        messages.tell(relay.bank_id, "relay.offer", on, message, relay.case)
        if relay.guarantor_id and relay.guarantee in ("granted", "called", "paid"):
            messages.tell(relay.guarantor_id, "relay.guarantee", on, message, relay.case)
    return gap
