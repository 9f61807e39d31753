"""Two people at the same moment: money is paid once and never above a ceiling. Both databases."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jalon.core.errors import Refused
from jalon.funding import accounting_actions, actions, queries, relay_actions, rules
from jalon.funding.models import Claim, PaymentOrder, Relay
from tests.funding.test_accounting import LATER, file_of
from tests.funding.world import DAY, agree, build, certify, claim, relay
from tests.roadmaps.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


def lost(results):
    assert all(not isinstance(r, Exception) or isinstance(r, Refused) for r in results), results
    return sum(isinstance(r, Refused) for r in results)


def test_a_payment_is_ordered_and_recorded_once():
    world = build()
    agreement = agree(world)
    row = certify(world, claim(world, agreement))
    results = race(
        *(lambda by=by: actions.order_payment(row, by=by, on=DAY) for by in (world.manager, world.certifier))
    )
    assert lost(results) == 1
    order = PaymentOrder.objects.get()
    batch = accounting_actions.receive(file_of([order]), "x.csv", by=world.manager, on=LATER)
    results = race(
        lambda: actions.record_payment(order, paid_on=LATER, by=world.manager, on=LATER),
        lambda: accounting_actions.accept(batch, by=world.manager, on=LATER),
    )
    assert lost(results) == 1
    agreement.refresh_from_db()
    assert agreement.paid == agreement.ordered == D("90000.00") and queries.imbalances() == []


def test_one_claim_per_instalment_and_one_certification():
    world = build()
    agreement = agree(world)
    results = race(*(
        lambda by=by: actions.submit_claim(agreement.instalments.get(number=1), by=by, on=DAY)
        for by in (world.member, world.colleague)
    ))  # fmt: skip
    assert lost(results) == 1
    row = actions.check_claim(Claim.objects.get(), by=world.manager, on=DAY)
    results = race(
        lambda: actions.certify_claim(row, by=world.certifier, on=DAY),
        lambda: actions.send_back(row, reason="À revoir", by=world.certifier, on=DAY),
    )
    assert lost(results) == 1


def test_an_amendment_against_a_certification_never_passes_what_is_paid():
    world = build()
    agreement = agree(world)
    row = actions.check_claim(claim(world, agreement), by=world.manager, on=DAY)
    parts = [rules.Part(1, "advance", D("10000")), rules.Part(2, "balance", D("10000"))]
    amendment = actions.propose_amendment(
        agreement, amount=D("20000"), parts=parts, reason="x", by=world.manager, on=DAY
    )
    results = race(
        lambda: actions.certify_claim(row, by=world.certifier, on=DAY),
        lambda: actions.answer_amendment(amendment, True, by=world.member, on=DAY),
    )
    assert lost(results) == 1
    agreement.refresh_from_db()
    certified = rules.total(Claim.objects.exclude(certified=None).values_list("certified", flat=True))
    assert certified <= agreement.amount


def test_the_public_payment_and_the_assignment_meet_without_losing_a_cent():
    world = build()
    agreement = agree(world)
    row = relay(world, until="accepted", amount=D("50000.00"))
    order = actions.order_payment(certify(world, claim(world, agreement)), by=world.manager, on=DAY)
    results = race(
        lambda: relay_actions.assign(row, by=world.banker, on=DAY),
        lambda: actions.record_payment(order, paid_on=DAY, by=world.manager, on=DAY),
    )
    assert lost(results) == 0
    order.refresh_from_db()
    moved = rules.total(order.relay_moves.values_list("amount", flat=True))
    assert moved == (order.amount if order.payee == world.bank else 0)


def test_one_of_two_relays_holds_the_grant():
    world = build()
    first = relay(world, until="granted")
    second = relay_actions.ask(
        world.partner, world.state, _other_bank(world), amount=D("1000"), by=world.member, on=DAY
    )
    second = relay_actions.offer(second, amount=D("1000"), months=3, rate=D(3), fee=D(0), by=world.other_banker, on=DAY)
    results = race(
        lambda: relay_actions.accept(first, by=world.member, on=DAY),
        lambda: relay_actions.accept(second, by=world.colleague, on=DAY),
    )
    assert lost(results) == 1
    assert Relay.objects.filter(state="accepted").count() == 1


def _other_bank(world):
    from jalon.people.models import Organisation

    return Organisation.objects.get(pk=world.other_banker.organisation_id)
