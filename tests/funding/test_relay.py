"""Relay finance: who may ask, the road to repayment, a grant that shrinks, a default; money balanced to the cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from jalon.core.errors import NotAllowed, Refused
from jalon.core.models import OutboxMessage
from jalon.funding import access, actions, queries, relay_actions, relay_rules, rules, states
from jalon.funding.models import Relay
from tests import factories as make
from tests.funding.world import AWARD, DAY, agree, certify, claim, decide, make_partner, make_project, pay, relay

D = Decimal


def refused(kind=Refused, words=None):
    return pytest.raises(kind, match=words)


def missing_of(world, partner, funder, on=DAY):
    return " ".join(str(m) for m in queries.situation(partner, funder, on).eligibility.missing)


def test_who_may_ask_and_why_not(world):
    assert queries.situation(world.partner, world.state, DAY).eligibility.open
    assert "entreprise" in missing_of(world, world.research, world.state)
    assert "subvention" in missing_of(world, world.partner, world.region)  # the region's money is not the State's
    assert "lettre" in missing_of(world, world.partner, world.state, AWARD - dt.timedelta(days=1))
    assert "région" in missing_of(world, world.partner, world.state, dt.date(2008, 3, 31))
    elsewhere = make_partner(make_project(world.cluster), world.company, department="33")
    decide(elsewhere, world.state, D("1000.00"))
    assert "Aquitaine" in missing_of(world, elsewhere, world.state)
    unlabelled = make_partner(make_project(world.cluster), world.company)
    decide(unlabelled, world.state, D("1000.00"))
    unlabelled.project.labels.update(outcome="refused")
    assert "labellisé" in missing_of(world, unlabelled, world.state)
    with refused(words="pas possible") as found:
        relay_actions.ask(elsewhere, world.state, world.bank, amount=D(10), by=world.member, on=DAY)
    assert found.value.why.parameter == "funding.relay_regions"
    with refused(NotAllowed):
        relay_actions.ask(world.partner, world.state, world.bank, amount=D(10), by=world.stranger, on=DAY)
    with refused(words="banque du dispositif"):
        relay_actions.ask(world.partner, world.state, world.company, amount=D(10), by=world.member, on=DAY)
    with refused(words="restent|reste"):
        relay_actions.ask(world.partner, world.state, world.bank, amount=D("300000.01"), by=world.member, on=DAY)


def test_the_letter_of_the_selection_opens_it(world):
    """Where a selection is run here, only its letter to the partner counts, and one that takes it back ends it."""
    from jalon.core import journal
    from jalon.projects.models import Call
    from jalon.selection.models import Exercise, SelectionLetter

    call = Call.objects.create(
        programme=make.PROGRAMME, code="fui-x", scheme="fui", kind="rd", title_fr="x", title_en="x", created_at=make.clock.moment_on(AWARD)
    )  # fmt: skip
    exercise = Exercise.objects.create(
        call=call, policy_day=AWARD, lowest=0, highest=10, created_at=make.clock.moment_on(AWARD)
    )
    world.project.call = call
    world.project.save()
    assert queries.award_letter(world.project, world.partner) is None
    assert "lettre" in missing_of(world, world.partner, world.state)
    frozen = journal.freeze("selection:x", "letter", {"fr": "x"})

    def letter(kind, on, reference):
        SelectionLetter.objects.create(
            exercise=exercise, project=world.project, partner=world.partner, kind=kind, on=on, reference=reference, frozen=frozen
        )  # fmt: skip

    letter("selected", dt.date(2010, 2, 1), "L1")
    found = queries.award_letter(world.project, world.partner)
    assert (found.on, found.reference) == (dt.date(2010, 2, 1), "L1")
    assert relay(world, until="asked").letter_reference == "L1"
    letter("lost", dt.date(2010, 6, 1), "L2")
    assert queries.award_letter(world.project, world.partner) is None


def test_from_request_to_repayment_by_the_public_payment(world):
    agreement = agree(world)
    waiting = actions.order_payment(certify(world, claim(world, agreement)), by=world.manager, on=DAY)
    assert waiting.payee == world.company
    row = relay(world, amount=D("200000.00"), on=DAY)
    assert (row.state, row.owed, row.guarantee_amount) == ("drawn", D("200000.00"), D("100000.00"))
    waiting.refresh_from_db()
    assert waiting.payee == world.bank  # addressed to the bank by the assignment
    actions.record_payment(waiting, paid_on=DAY, by=world.manager, on=DAY)
    row.refresh_from_db()
    assert (row.repaid, row.owed, row.state) == (D("90000.00"), D("110000.00"), "drawn")
    later = DAY + dt.timedelta(days=200)
    order = actions.order_payment(
        certify(world, claim(world, agreement, 2, on=later), on=later), by=world.manager, on=later
    )
    assert order.payee == world.bank
    actions.record_payment(order, paid_on=later, by=world.manager, on=later)
    row.refresh_from_db()
    # 150,000 arrive: 110,000 repay the bank, 40,000 go on to the company; the relay is closed, its guarantee released.
    assert (row.owed, row.state, row.guarantee) == (0, "closed", "released")
    assert {m.kind: m.amount for m in row.moves.filter(order=order)} == {
        "repayment": D("110000.00"),
        "overflow": D("40000.00"),
    }
    gain = queries.gain(row, later)
    assert (gain.months, gain.running) == (D("3.6"), False)  # 110,000 of 200,000 waited 200 days
    cost = queries.cost(row, later)
    assert cost.interest == D("2712.33")  # 110,000 × 4.5 % × 200 / 365
    assert cost.total == D("3012.33")
    last = actions.order_payment(
        certify(world, claim(world, agreement, 3, on=later), on=later), by=world.manager, on=later
    )
    assert last.payee == world.company
    assert queries.imbalances() == []


def test_a_public_payment_may_not_come_twice_to_the_bank(world):
    agreement = agree(world)
    row = relay(world)
    order = pay(world, agreement)
    with refused(words="deux fois"):
        actions.record_payment(order, paid_on=DAY, by=world.manager, on=DAY)
    row.refresh_from_db()
    assert row.moves.filter(kind="repayment").count() == 1


def test_offers_stay_within_the_grant_still_to_come(world):
    row = relay(world, until="asked", amount=D("300000.00"))

    def offer(**more):
        given = {"amount": D("300000.00"), "months": 6, "rate": D(3), "fee": D(0)} | more
        return relay_actions.offer(row, by=world.banker, on=DAY, **given)

    for wrong, words in (
        ({"amount": D("300000.01")}, "dépasse"),
        ({"months": 0}, "mois"),
        ({"rate": D("-1")}, "taux"),
        ({"fee": D("-1")}, "frais"),
    ):
        with refused() as found:
            offer(**wrong)
        assert words in " ".join(map(str, [found.value.reason, *found.value.missing])).lower()
    with refused(NotAllowed):
        relay_actions.offer(row, amount=D(1), months=1, rate=D(1), fee=D(0), by=world.other_banker, on=DAY)
    with refused(words="contre-garantit pas"):
        offer(guarantor=world.company)
    # What was paid meanwhile lowers the ceiling.
    agreement = agree(world)
    pay(world, agreement)
    with refused():
        offer()
    assert offer(amount=D("210000.00")).offer == D("210000.00")


def test_the_guarantee_is_answered_before_the_offer_is_accepted(world):
    row = relay(world, until="offered")
    with refused(words="pas encore de réponse"):
        relay_actions.accept(row, by=world.member, on=DAY)
    with refused(words="motif"):
        relay_actions.answer_guarantee(row, False, by=world.guarantor, on=DAY)
    row = relay_actions.answer_guarantee(row, False, note="Fonds propres", by=world.guarantor, on=DAY)
    with refused(words="refaire son offre"):
        relay_actions.accept(row, by=world.member, on=DAY)
    row = relay_actions.offer(row, amount=D("90000"), months=6, rate=D(5), fee=D(0), by=world.banker, on=DAY)
    assert row.guarantee == ""
    row = relay_actions.accept(row, by=world.member, on=DAY)
    with refused(words="impossible|pas possible"):
        relay_actions.draw(row, amount=D("1"), drawn_on=DAY, by=world.banker, on=DAY)  # before the assignment
    row = relay_actions.assign(row, by=world.banker, on=DAY)
    with refused(words="il reste"):
        relay_actions.draw(row, amount=D("90000.01"), drawn_on=DAY, by=world.banker, on=DAY)
    with refused(words="avenir|venir"):
        relay_actions.draw(row, amount=D("1"), drawn_on=DAY + dt.timedelta(days=1), by=world.banker, on=DAY)
    row = relay_actions.draw(row, amount=D("40000"), drawn_on=DAY, by=world.banker, on=DAY)
    row = relay_actions.draw(row, amount=D("50000"), drawn_on=DAY, by=world.banker, on=DAY)
    with refused(words="sont dus"):
        relay_actions.repay(row, amount=D("90000.01"), repaid_on=DAY, by=world.banker, on=DAY)
    row = relay_actions.repay(row, amount=D("90000"), repaid_on=DAY, by=world.banker, on=DAY)
    assert row.state == "closed"


def test_one_relay_at_a_time_holds_the_grant(world):
    first = relay(world, until="accepted", guarantee=False)
    with refused(words="pas possible") as found:
        relay(world, until="asked")
    assert any("engagé" in str(m) for m in found.value.missing)
    relay_actions.withdraw(first, reason="Autre banque", by=world.member, on=DAY)
    assert relay(world, until="accepted", guarantee=False).state == "accepted"


def test_a_reduced_grant_is_told_to_all_three_and_the_guarantee_stays(world):
    agreement = agree(world)
    row = relay(world, amount=D("250000.00"))
    parts = [rules.Part(1, "advance", D("90000")), rules.Part(2, "balance", D("110000"))]
    amendment = actions.propose_amendment(
        agreement, amount=D("200000"), parts=parts, reason="Moins", by=world.manager, on=DAY
    )
    actions.answer_amendment(amendment, True, by=world.member, on=DAY)
    row.refresh_from_db()
    assert (row.alerted, row.guarantee, row.state) == (D("50000.00"), "granted", "drawn")
    told = set(
        OutboxMessage.objects.filter(case=row.case, subject__contains="ne couvre plus").values_list("to", flat=True)
    )
    assert {make.user_of(a).email for a in (world.member, world.banker, world.guarantor)} <= told
    count = OutboxMessage.objects.count()
    relay_actions.grant_changed(world.partner.pk, world.state.pk, by=world.manager, on=DAY)
    assert OutboxMessage.objects.count() == count  # told once
    actions.terminate(agreement, reason="Abandon", by=world.manager, on=DAY)
    row.refresh_from_db()
    assert row.alerted == D("250000.00")
    with refused():
        relay_actions.draw(row, amount=D("1"), drawn_on=DAY, by=world.banker, on=DAY)


def test_default_guarantee_and_what_comes_after(world):
    agreement = agree(world)
    row = relay(world, amount=D("120000.01"))
    with refused(words="après un défaut"):
        relay_actions.call_guarantee(row, by=world.banker, on=DAY)
    row = relay_actions.default(row, reason="Liquidation", by=world.banker, on=DAY)
    row = relay_actions.call_guarantee(row, by=world.banker, on=DAY)
    row = relay_actions.honour_guarantee(row, paid_on=DAY, by=world.guarantor, on=DAY)
    assert (row.guarantee_paid, row.owed) == (D("60000.01"), D("60000.00"))
    with refused():
        relay_actions.honour_guarantee(row, paid_on=DAY, by=world.guarantor, on=DAY)
    order = pay(world, agreement)  # 90,000: the bank first, then the guarantor
    assert order.payee == world.bank
    row.refresh_from_db()
    assert (row.owed, row.owed_guarantor, row.state) == (0, D("30000.01"), "defaulted")
    pay(world, agreement, 2)
    row.refresh_from_db()
    assert (row.owed_guarantor, row.state, row.guarantee) == (0, "closed", "paid")
    flows = {k: rules.total(m.amount for m in row.moves.filter(kind=k)) for k in states.MOVE_KINDS}
    assert flows["repayment"] + flows["guarantor_back"] + flows["overflow"] == D("240000.00")


def test_who_sees_a_relay(world):
    row = relay(world, until="asked")

    def seen():
        return {
            name
            for name, actor in vars(world).items()
            if hasattr(actor, "mandate_id") and access.visible_relays(actor, DAY).filter(pk=row.pk).exists()
        }

    assert seen() == {"member", "colleague", "banker"}
    row = relay_actions.offer(
        row, amount=D("1000"), months=3, rate=D(3), fee=D(0), guarantor=world.guarantee, by=world.banker, on=DAY
    )
    assert seen() == {"member", "colleague", "banker", "guarantor"}
    relay_actions.answer_guarantee(row, True, by=world.guarantor, on=DAY)
    relay_actions.accept(row, by=world.member, on=DAY)
    relay_actions.assign(row, by=world.banker, on=DAY)
    assert seen() == {"member", "colleague", "banker", "guarantor", "manager", "certifier", "national"}


def test_cash_calendar_with_and_without(world):
    agreement = agree(world)
    relay(world, amount=D("90000.00"), on=DAY)
    later = DAY + dt.timedelta(days=100)
    pay(world, agreement, on=later)
    found = queries.cash_calendar(world.partner, later)
    assert rules.total(m.costs for m in found.months) == D("750000.00")
    assert rules.total(m.grants for m in found.months) == D("90000.00")
    assert rules.total(m.expected for m in found.months) == D("210000.00")
    assert rules.total(m.relay_in for m in found.months) == rules.total(m.relay_out for m in found.months)
    june = next(m for m in found.months if m.first == dt.date(2010, 6, 1))
    assert june.with_relay - june.without == D("90000.00")
    assert found.months[-1].with_relay == found.months[-1].without
    assert found.gain.months == D("3.3")
    assert any("sans convention" in str(note) for note in found.notes)  # the region's grant


def test_balance_sheet_hides_small_lines_from_the_public(world):
    relay(world, until="asked")
    lines, whole, _ = queries.scheme(DAY)
    assert (lines[0].name, lines[0].requests, lines[0].hidden) == ("Rhône-Alpes", 1, False)
    lines, whole, _ = queries.scheme(DAY, public=True)
    assert lines[0].hidden and whole.hidden
    Relay.objects.update(state="refused")
    for _ in range(2):
        relay(world, until="asked")
        Relay.objects.filter(state="asked").update(state="refused")
    lines, whole, _ = queries.scheme(DAY, public=True)
    assert not lines[0].hidden and whole.refused == 3


def test_region_stays_open_for_its_departments_after_the_map_changed(policy):
    row, here = relay_rules.place_open(policy, "69", "", dt.date(2017, 1, 1))
    assert row.region == "82" and here[2] == "Auvergne-Rhône-Alpes"
    assert relay_rules.place_open(policy, "63", "", dt.date(2017, 1, 1))[0] is None
