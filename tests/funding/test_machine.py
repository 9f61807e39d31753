"""Acts of money in any order, as a state machine: whatever is tried, no cent is lost and no ceiling is passed. Both databases.

The machine knows no order in which acts belong: it draws any of them on any row, with any amount. Most are refused; what is
not refused must leave every sum right. Each example starts from the same small world and is rolled back.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jalon.core import clock, journal
from jalon.core.errors import Refused
from jalon.funding import accounting_actions, actions, queries, relay_actions, rules, states
from jalon.funding.models import Agreement, Amendment, Claim, Instalment, PaymentOrder, Recovery, Relay
from jalon.selection.models import Share
from tests.funding.test_accounting import file_of
from tests.funding.world import DAY, agree, build, decide, relay

D = Decimal
LATER = DAY + dt.timedelta(days=20)
EXPENSE = [{"year": 2010, "category": "personnel", "amount": D("500000")}]

amounts = st.one_of(
    st.none(),
    st.sampled_from([D("0.01"), D("60000.00"), D("90000.00"), D("150000.00"), D("300000.01")]),
    st.integers(1, 12_000_000).map(lambda n: D(n) / 100),
)
which = st.integers(0, 3)
yes = st.booleans()


def machine_of(world):
    """The machine of a world; acts of the State's agreement unless ``region`` says the region's."""

    class Money(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.around = transaction.atomic()
            self.around.__enter__()
            self.taken = self.net()

        def teardown(self):
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

        # -- what the rules need

        def one(self, model, n, **wanted):
            rows = list(model.objects.filter(**wanted).order_by("pk"))
            return rows[n % len(rows)] if rows else None

        def side(self, agreement):
            if agreement.source == "state":
                return world.manager, world.certifier
            return world.region_agent, world.region_signatory

        def net(self):
            return {a.pk: queries.taken(a)[0] for a in Agreement.objects.all()}

        def tried(self, act, row, *args, **kwargs):
            if row is not None:
                with transaction.atomic():
                    self.attempt(act, row, *args, **kwargs)

        def attempt(self, act, row, *args, **kwargs):
            try:
                with transaction.atomic():
                    act(row, *args, **kwargs)
            except Refused:
                pass

        # -- agreements

        @rule(region=yes, amount=amounts)
        def draw_up(self, region, amount):
            share = Share.objects.filter(
                partner=world.partner, funder=world.region if region else world.state, superseded_at=None
            ).first()
            number = f"C{Agreement.objects.count() + 1}"
            manager = world.region_agent if region else world.manager
            self.tried(actions.create, share, number=number, amount=amount, by=manager, on=DAY)

        @rule(n=which, step=st.sampled_from(["send", "member", "signatory", "start", "withdraw"]))
        def towards_the_signature(self, n, step):
            row = self.one(Agreement, n)
            if row is None:
                return
            manager, signatory = self.side(row)
            act, kwargs = {
                "send": (actions.send, {"by": manager}),
                "member": (actions.sign, {"by": world.member}),
                "signatory": (actions.sign, {"by": signatory}),
                "start": (actions.start, {"by": manager, "commitment": f"EJ{row.pk}"}),
                "withdraw": (actions.withdraw, {"by": manager, "reason": "x"}),
            }[step]
            self.tried(act, row, on=DAY, **kwargs)

        @rule(n=which, step=st.sampled_from(["suspend", "resume", "close", "terminate"]))
        def halt(self, n, step):
            row = self.one(Agreement, n, state__in=["signed", "running"])
            if row is not None:
                self.tried(getattr(actions, step), row, reason="x", by=self.side(row)[0], on=DAY)

        @rule(n=which, amount=amounts, agreed=yes)
        def amend(self, n, amount, agreed):
            row = self.one(Agreement, n)
            if row is None or amount is None:
                return
            parts = rules.split(amount, [D(3), D(5), D(2)])
            kinds = ("advance", "intermediate", "balance")
            self.tried(
                actions.propose_amendment,
                row,
                amount=amount,
                reason="x",
                by=self.side(row)[0],
                on=DAY,
                parts=[rules.Part(i, k, p) for i, (k, p) in enumerate(zip(kinds, parts, strict=True), 1)],
            )
            self.tried(
                actions.answer_amendment, self.one(Amendment, n, state="proposed"), agreed, answer="non",
                by=world.member, on=DAY,
            )  # fmt: skip

        @rule(amount=amounts)
        def decide_anew(self, amount):
            """The State's decision goes up or down (or is taken back), as a new line of the financing table."""
            Share.objects.filter(partner=world.partner, funder=world.state, superseded_at=None).update(
                superseded_at=clock.moment_on(DAY)
            )
            if amount is not None:
                decide(world.partner, world.state, amount, rate=D(45), base=D("666666.67"))
            relay_actions.grant_changed(world.partner.pk, world.state.pk, by=journal.SYSTEM, on=DAY)

        # -- claims and payments

        @rule(n=which, amount=amounts)
        def submit(self, n, amount):
            self.tried(
                actions.submit_claim, self.one(Instalment, n), amount=amount, expenses=EXPENSE, by=world.member, on=DAY
            )

        @rule(n=which, amount=amounts, step=st.sampled_from(["check", "certify", "send_back", "return", "withdraw"]))
        def follow_a_claim(self, n, amount, step):
            wanted = {"check": "submitted", "certify": "checked", "send_back": "checked"}.get(step)
            row = self.one(Claim, n, **({"state": wanted} if wanted else {}))
            if row is None:
                return
            manager, certifier = self.side(row.agreement)
            act, kwargs = {
                "check": (actions.check_claim, {"by": manager, "proposed": amount, "correction": "c"}),
                "certify": (actions.certify_claim, {"by": certifier, "amount": amount, "correction": "c"}),
                "send_back": (actions.send_back, {"by": certifier, "reason": "x"}),
                "return": (actions.return_claim, {"by": manager, "reason": "x"}),
                "withdraw": (actions.withdraw_claim, {"by": world.member}),
            }[step]
            self.tried(act, row, on=DAY, **kwargs)

        @rule(n=which)
        def order(self, n):
            row = self.one(Claim, n, state="certified")
            if row is not None:
                by = world.manager if row.agreement.source == "state" else world.region_signatory
                self.tried(actions.order_payment, row, by=by, on=DAY)

        @rule(n=which, step=st.sampled_from(["pay", "pay", "cancel", "recover", "import"]), amount=amounts)
        def follow_an_order(self, n, step, amount):
            row = self.one(PaymentOrder, n)
            if row is None:
                return
            by = world.manager if row.agreement.source == "state" else world.region_agent
            signs = by if row.agreement.source == "state" else world.region_signatory
            if step == "pay":
                self.tried(actions.record_payment, row, paid_on=DAY, by=by, on=DAY)
            elif step == "cancel":
                self.tried(actions.cancel_order, row, reason="x", by=signs, on=DAY)
            elif step == "recover":
                self.tried(actions.order_recovery, row, amount=amount or row.amount, reason="x", by=signs, on=DAY)
            else:
                batch = accounting_actions.receive(file_of([row]), "compta.csv", by=by, on=LATER)
                self.attempt(accounting_actions.accept, batch, by=by, on=LATER)

        @rule(n=which, repaid=yes)
        def end_a_recovery(self, n, repaid):
            row = self.one(Recovery, n)
            if row is not None and repaid:
                self.tried(actions.record_repayment, row, repaid_on=DAY, by=self.side(row.agreement)[0], on=DAY)
            elif row is not None:
                by = world.manager if row.agreement.source == "state" else world.region_signatory
                self.tried(actions.cancel_recovery, row, reason="x", by=by, on=DAY)

        # -- relay

        @rule(amount=amounts)
        def ask_a_bank(self, amount):
            def ask(funder):
                relay(world, amount=amount or D("100000.00"), until="asked")

            self.tried(ask, world.state)

        @rule(
            n=which,
            amount=amounts,
            step=st.sampled_from(
                "offer grant accept assign draw draw repay default call honour close withdraw refuse".split()
            ),
        )
        def follow_a_relay(self, n, amount, step):
            row = self.one(Relay, n)
            sum_ = amount or D("100000.00")
            terms = {"months": 9, "rate": D(4), "fee": D(0), "guarantor": world.guarantee}
            act, kwargs = {
                "offer": (relay_actions.offer, {"amount": sum_, "by": world.banker, **terms}),
                "grant": (lambda r, **k: relay_actions.answer_guarantee(r, True, **k), {"by": world.guarantor}),
                "accept": (relay_actions.accept, {"by": world.member}),
                "assign": (relay_actions.assign, {"by": world.banker}),
                "draw": (relay_actions.draw, {"amount": sum_, "drawn_on": DAY, "by": world.banker}),
                "repay": (relay_actions.repay, {"amount": sum_, "repaid_on": DAY, "by": world.banker}),
                "default": (relay_actions.default, {"reason": "x", "by": world.banker}),
                "call": (relay_actions.call_guarantee, {"by": world.banker}),
                "honour": (relay_actions.honour_guarantee, {"paid_on": DAY, "by": world.guarantor}),
                "close": (relay_actions.close, {"by": world.banker}),
                "withdraw": (relay_actions.withdraw, {"reason": "x", "by": world.member}),
                "refuse": (relay_actions.refuse, {"reason": "x", "by": world.banker}),
            }[step]
            self.tried(act, row, on=DAY, **kwargs)

        # -- what must hold after every act

        @invariant()
        def sums_fit(self):
            assert queries.imbalances() == []

        @invariant()
        def nothing_above_what_was_agreed_or_decided(self):
            now = self.net()
            for a in Agreement.objects.all():
                parts = list(a.instalments.all())
                assert rules.total(p.amount for p in parts) == a.amount
                assert a.ordered - a.recovered - a.recovering <= a.amount
                assert 0 <= a.net_paid <= a.ordered - a.recovered
                for part in parts:
                    assert part.ordered - part.recovered <= part.amount
                share = queries.decided_share(a.partner_id, a.funder_id)
                decided = share.decided if share else None
                grew = now[a.pk] > self.taken.get(a.pk, rules.ZERO)
                assert not grew or now[a.pk] <= min(a.amount, decided if decided is not None else a.amount)
            self.taken = now
            live = Agreement.objects.exclude(state="terminated").values_list("partner_id", "funder_id", "instrument")
            assert len(live) == len(set(live))  # one envelope is never granted twice

        @invariant()
        def a_claim_is_paid_once(self):
            for row in Claim.objects.exclude(certified=None):
                orders = [o for o in row.orders.all() if o.state != "cancelled"]
                assert len(orders) <= 1 and row.certified <= row.amount
                assert (row.state == "paid") == any(o.state == "paid" for o in orders)
                assert all(o.amount == row.certified for o in orders)

        @invariant()
        def a_relay_is_repaid_what_was_drawn_and_no_more(self):
            for held in Relay.objects.all():
                sums = {
                    kind: rules.total(held.moves.filter(kind=kind).values_list("amount", flat=True))
                    for kind in states.MOVE_KINDS
                }
                assert sums["drawdown"] == held.drawn <= (held.offer or 0)
                assert sums["repayment"] == held.repaid and sums["company_repayment"] == held.company_repaid
                assert (
                    sums["guarantee_payment"] == held.guarantee_paid and sums["guarantor_back"] == held.guarantor_back
                )
                assert 0 <= held.owed <= held.drawn and 0 <= held.owed_guarantor
                assert held.state != "closed" or held.owed == held.owed_guarantor == 0
            for order in PaymentOrder.objects.filter(state="paid"):
                moved = rules.total(order.relay_moves.values_list("amount", flat=True))
                assert moved == (order.amount if order.payee_id == world.bank.pk else 0)

    return Money


@pytest.mark.django_db
@pytest.mark.parametrize("start", ["nothing agreed", "all under way"])
def test_no_order_of_acts_overruns_or_loses_a_cent(start):
    world = build()
    if start == "all under way":
        agreement = agree(world)
        agree(world, world.region_share)
        relay(world, amount=D("100000.00"))
        for n in (1, 2):
            row = actions.submit_claim(agreement.instalments.get(number=n), expenses=EXPENSE, by=world.member, on=DAY)
            row = actions.certify_claim(actions.check_claim(row, by=world.manager, on=DAY), by=world.certifier, on=DAY)
        actions.order_payment(row, by=world.manager, on=DAY)
    run_state_machine_as_test(
        machine_of(world),
        settings=settings(
            max_examples=3, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
