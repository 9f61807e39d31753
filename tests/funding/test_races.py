"""Two people at the same moment, and acts in any order: money is paid once and never above a ceiling. Both databases."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from jalon.core.errors import Refused
from jalon.funding import accounting_actions, actions, queries, relay_actions, rules
from jalon.funding.models import Agreement, Amendment, Claim, Instalment, PaymentOrder, Recovery, Relay
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


def test_no_order_of_acts_overruns_or_loses_a_cent():
    """Acts drawn by lot, most of them refused; after each, every sum fits and no ceiling is passed."""
    world = build()
    share_amount = world.share.decided
    lot = random.Random(20100630)
    agreement = agree(world)
    row = relay(world, amount=D("100000.00"))

    def some(rows):
        rows = list(rows)
        return lot.choice(rows) if rows else None

    def cents(top):
        return D(lot.randint(1, max(int(top * 100), 1))) / 100

    def amend():
        a = Agreement.objects.get(pk=agreement.pk)
        amount = cents(share_amount + 1000)
        parts = rules.split(amount, [D(3), D(5), D(2)])
        kinds = ("advance", "intermediate", "balance")
        made = actions.propose_amendment(
            a, amount=amount, reason="x", by=world.manager, on=DAY,
            parts=[rules.Part(n, k, p) for n, (k, p) in enumerate(zip(kinds, parts, strict=True), 1)],
        )  # fmt: skip
        actions.answer_amendment(made, lot.random() < 0.8, answer="non", by=world.member, on=DAY)

    expense = [{"year": 2010, "category": "personnel", "amount": D("300000")}]
    things = (
        lambda: actions.submit_claim(
            some(Instalment.objects.all()), amount=cents(120000), expenses=expense, by=world.member, on=DAY
        ),
        lambda: actions.submit_claim(some(Instalment.objects.all()), expenses=expense, by=world.member, on=DAY),
        lambda: actions.check_claim(some(Claim.objects.all()), correction="c", by=world.manager, on=DAY),
        lambda: actions.certify_claim(some(Claim.objects.filter(state="checked")), by=world.certifier, on=DAY),
        lambda: actions.certify_claim(
            some(Claim.objects.all()), amount=cents(90000), correction="c", by=world.certifier, on=DAY
        ),
        lambda: actions.order_payment(some(Claim.objects.filter(state="certified")), by=world.manager, on=DAY),
        lambda: actions.order_payment(some(Claim.objects.all()), by=world.manager, on=DAY),
        lambda: actions.record_payment(some(PaymentOrder.objects.all()), paid_on=DAY, by=world.manager, on=DAY),
        lambda: actions.cancel_order(some(PaymentOrder.objects.all()), reason="x", by=world.manager, on=DAY),
        lambda: actions.order_recovery(
            some(PaymentOrder.objects.all()), amount=cents(60000), reason="x", by=world.manager, on=DAY
        ),
        lambda: actions.record_repayment(some(Recovery.objects.all()), repaid_on=DAY, by=world.manager, on=DAY),
        lambda: actions.cancel_recovery(some(Recovery.objects.all()), reason="x", by=world.manager, on=DAY),
        amend,
        lambda: actions.answer_amendment(
            some(Amendment.objects.filter(state="proposed")), False, answer="n", by=world.member, on=DAY
        ),
        lambda: relay_actions.repay(row, amount=cents(20000), repaid_on=DAY, by=world.banker, on=DAY),
    )
    done = 0
    for _ in range(160):
        try:
            lot.choice(things)()
            done += 1
        except Refused:
            pass
        except AttributeError as error:  # nothing of the kind to act on yet
            assert "NoneType" in str(error)
        now = Agreement.objects.get(pk=agreement.pk)
        assert queries.imbalances() == []
        assert now.amount <= share_amount
        assert now.ordered - now.recovered - now.recovering <= now.amount
        for part in now.instalments.all():
            assert part.ordered - part.recovered <= part.amount
        held = Relay.objects.get(pk=row.pk)
        sums = {
            m: rules.total(held.moves.filter(kind=m).values_list("amount", flat=True))
            for m in ("drawdown", "repayment", "company_repayment", "overflow")
        }
        assert (sums["drawdown"], sums["repayment"], sums["company_repayment"]) == (
            held.drawn,
            held.repaid,
            held.company_repaid,
        )
        assert 0 <= held.owed <= held.drawn
        to_bank = PaymentOrder.objects.filter(state="paid", payee=world.bank)
        assert sums["repayment"] + sums["overflow"] == rules.total(to_bank.values_list("amount", flat=True))
    assert done > 25
