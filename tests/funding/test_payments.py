"""Acts on agreements, claims and payments: the whole road, and what is refused on it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.funding import actions, queries, rules
from jalon.funding.models import Agreement, Claim, PaymentOrder
from jalon.interests import actions as interests
from tests import factories as make
from tests.funding.world import DAY, STATE, agree, certify, claim, decide, make_partner, pay

D = Decimal


def refused(kind=Refused, words=""):
    return pytest.raises(kind, match=words or None)


def test_from_decision_to_last_payment(world):
    agreement = agree(world)
    assert agreement.awarded_on == world.project.decided_on
    assert agreement.ends_on == dt.date(2013, 2, 28)
    assert [r.amount for r in agreement.instalments.all()] == [D("90000.00"), D("150000.00"), D("60000.00")]
    for number in (1, 2, 3):
        pay(world, agreement, number)
    agreement.refresh_from_db()
    assert (agreement.ordered, agreement.paid, agreement.still_due) == (STATE, STATE, 0)
    assert queries.imbalances() == []
    closed = actions.close(agreement, reason="Soldée", by=world.manager, on=DAY)
    assert closed.state == "closed"
    acts = list(JournalEntry.objects.filter(case=agreement.case).values_list("act", flat=True))
    assert acts[:6] == [
        "agreement.create",
        "agreement.send",
        "agreement.sign",
        "agreement.sign",
        "agreement.bind",
        "agreement.start",
    ]
    assert acts.count("claim.certify") == 3
    assert OutboxMessage.objects.filter(case=agreement.case, to=make.user_of(world.member).email).exists()


def test_an_agreement_stays_within_the_decision(world):
    with refused(words="décidé"):
        actions.create(world.share, number="C1", amount=STATE + 1, by=world.manager, on=DAY)
    actions.create(world.share, number="C1", by=world.manager, on=DAY)
    with refused(words="déjà sa convention"):
        actions.create(world.share, number="C2", by=world.manager, on=DAY)
    with refused(NotAllowed):
        actions.create(world.region_share, number="C3", by=world.manager, on=DAY)
    with refused(NotAllowed):
        actions.create(world.share, number="C3", by=world.region_agent, on=DAY)


def test_instalments_must_make_the_amount(world):
    agreement = actions.create(world.share, number="C1", by=world.manager, on=DAY)
    with refused(words="écart") as found:
        actions.set_plan(agreement, [rules.Part(1, "advance", D("299999.99"))], by=world.manager, on=DAY)
    assert "0,01" in str(found.value)
    parts = [rules.Part(1, "balance", D("100000")), rules.Part(2, "advance", D("200000"))]
    with refused() as found:
        actions.set_plan(agreement, parts, by=world.manager, on=DAY)
    assert len(found.value.missing) == 2
    with refused(words="positif"):
        actions.set_plan(
            agreement,
            [rules.Part(1, "advance", D("300001")), rules.Part(2, "balance", D("-1"))],
            by=world.manager,
            on=DAY,
        )
    parts = [rules.Part(1, "advance", D("100000.01")), rules.Part(2, "balance", D("199999.99"))]
    actions.set_plan(agreement, parts, by=world.manager, on=DAY)
    assert actions.send(agreement, by=world.manager, on=DAY).state == "sent"
    with refused(words="en préparation"):
        actions.set_plan(agreement, parts, by=world.manager, on=DAY)


def test_the_second_person_is_another(world):
    agreement = agree(world)
    row = actions.check_claim(claim(world, agreement), by=world.manager, on=DAY)
    # Somebody with both permissions who checked it: the region's signatory is not of this side, so give the manager one.
    both = make.make_actor("certifier", organisation=world.state, user=make.user_of(world.manager))
    with refused(NotAllowed, "seconde personne"):
        actions.certify_claim(row, by=both, on=DAY)
    with refused(NotAllowed):
        actions.certify_claim(row, by=world.manager, on=DAY)
    row.refresh_from_db()
    assert row.state == "checked"
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.filter(pk=row.pk).update(certified_by=row.checked_by)
    row = actions.certify_claim(row, by=world.certifier, on=DAY)
    assert (row.state, row.certified) == ("certified", D("90000.00"))


def test_a_substitute_does_not_certify_what_the_person_replaced_checked(world):
    from jalon.people.models import Mandate
    from jalon.people.queries import actor_from

    agreement = agree(world)
    row = actions.check_claim(claim(world, agreement), by=world.manager, on=DAY)
    # Certifying under a delegation from the very person who checked.
    origin = make.make_mandate("certifier", world.state, make.user_of(world.manager))
    mandate = make.make_mandate("certifier", world.state, delegated_from=origin, ends_on=dt.date(2010, 12, 31))
    substitute = actor_from(
        Mandate.objects.select_related("user", "organisation", "delegated_from__user").get(pk=mandate.pk)
    )
    with refused(NotAllowed, "seconde personne"):
        actions.certify_claim(row, by=substitute, on=DAY)


def test_corrections_say_why(world):
    agreement = agree(world)
    row = claim(world, agreement)
    with refused(words="motif"):
        actions.check_claim(row, proposed=D("80000"), by=world.manager, on=DAY)
    row = actions.check_claim(row, proposed=D("80000"), correction="Facture illisible", by=world.manager, on=DAY)
    with refused(words="renvoyer"):
        actions.certify_claim(row, amount=D("90000"), by=world.certifier, on=DAY)
    with refused(words="motif"):
        actions.certify_claim(row, amount=D("70000"), by=world.certifier, on=DAY)
    row = actions.certify_claim(row, amount=D("70000"), correction="Double compte", by=world.certifier, on=DAY)
    assert row.correction == "Facture illisible\nDouble compte"
    # What was not certified may be claimed again on the same instalment, and no more than that.
    with refused(words="20 000|20\u202f000"):
        claim(world, agreement, amount=D("20000.01"))
    assert claim(world, agreement).amount == D("20000.00")


def test_the_balance_stays_within_the_rate_on_expenses(world):
    agreement = agree(world)
    pay(world, agreement, 1)
    expenses = [{"year": 2010, "category": "personnel", "amount": D("400000")}]
    pay(world, agreement, 2, expenses=expenses)
    row = claim(world, agreement, 3, expenses=[{"year": 2010, "category": "personnel", "amount": D("200000")}])
    expense = row.expenses.get()
    with refused(words="retenue en entier"):
        actions.check_claim(row, accepted={expense.pk: (D("150000"), "")}, by=world.manager, on=DAY)
    row = actions.check_claim(
        row,
        accepted={expense.pk: (D("150000"), "Hors période")},
        correction="Plafond du taux d'aide",
        by=world.manager,
        on=DAY,
    )
    # 550,000 × 45 % = 247,500, of which 240,000 were paid.
    assert row.proposed == D("7500.00")
    room = queries.room_for(row)
    assert room.amount == D("7500.00")
    assert any("550" in str(step) for step in room.why.steps)


def test_evidence_is_asked_for(world):
    agreement = agree(world)
    with refused(words="justificatifs"):
        actions.submit_claim(agreement.instalments.get(number=2), by=world.member, on=DAY)
    with refused(words="année des travaux"):
        claim(world, agreement, 2, expenses=[{"year": 2009, "category": "personnel", "amount": D("10")}])
    row = actions.submit_claim(
        agreement.instalments.get(number=2), by=world.member, on=DAY, uploads=[(b"%PDF-1.4 x", "rapport.pdf")]
    )
    assert row.files.get().file.name == "rapport.pdf"


def test_returned_and_submitted_again(world):
    agreement = agree(world)
    row = claim(world, agreement)
    with refused(words="motif"):
        actions.return_claim(row, reason=" ", by=world.manager, on=DAY)
    row = actions.return_claim(row, reason="Il manque le RIB", by=world.manager, on=DAY)
    where = queries.where_is(row)
    assert where.who == world.company.name and "RIB" in str(where.text)
    with refused(words="déjà une demande"):
        claim(world, agreement)
    later = DAY + dt.timedelta(days=3)
    row = actions.resubmit_claim(row, by=world.member, on=later)
    assert (row.state, row.submitted_on) == ("submitted", later)
    row = actions.withdraw_claim(row, by=world.member, on=later)
    with refused(words="retirée"):
        actions.check_claim(row, by=world.manager, on=later)


def test_nothing_is_paid_twice(world):
    agreement = agree(world)
    row = certify(world, claim(world, agreement))
    order = actions.order_payment(row, by=world.manager, on=DAY)
    with refused(words="ordonn"):
        actions.order_payment(row, by=world.certifier, on=DAY)
    with refused(words="précède"):
        actions.record_payment(order, paid_on=DAY - dt.timedelta(days=1), by=world.manager, on=DAY)
    with refused(words="venir"):
        actions.record_payment(order, paid_on=DAY + dt.timedelta(days=1), by=world.manager, on=DAY)
    actions.record_payment(order, paid_on=DAY, by=world.manager, on=DAY)
    with refused(words="deux fois"):
        actions.record_payment(order, paid_on=DAY, by=world.manager, on=DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentOrder.objects.create(
            agreement=agreement,
            claim=row,
            funder=world.state,
            number="X",
            payee=world.company,
            amount=1,
            ordered_on=DAY,
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.filter(pk=agreement.pk).update(ordered=STATE + 1)


def test_a_cancelled_order_may_be_given_again(world):
    agreement = agree(world)
    row = certify(world, claim(world, agreement))
    order = actions.order_payment(row, by=world.manager, on=DAY)
    actions.cancel_order(order, reason="Mauvais compte", by=world.manager, on=DAY)
    row.refresh_from_db()
    assert row.state == "certified"
    again = actions.order_payment(row, by=world.manager, on=DAY)
    assert again.number != order.number
    agreement.refresh_from_db()
    assert agreement.ordered == D("90000.00") and queries.imbalances() == []


def test_suspension_stops_certifying_and_ordering(world):
    agreement = agree(world)
    row = actions.check_claim(claim(world, agreement), by=world.manager, on=DAY)
    actions.suspend(agreement, reason="Rapport en retard", by=world.manager, on=DAY)
    with refused(words="suspendus"):
        actions.certify_claim(row, by=world.certifier, on=DAY)
    row.refresh_from_db()
    row.agreement.refresh_from_db()
    assert "Rapport en retard" in str(queries.where_is(row).text)
    actions.resume(agreement, reason="Rapport reçu", by=world.manager, on=DAY)
    actions.certify_claim(row, by=world.certifier, on=DAY)


def test_amendment_never_below_what_is_paid_without_recovery(world):
    agreement = agree(world)
    order = pay(world, agreement, 1)
    cut = [rules.Part(1, "advance", D("50000")), rules.Part(2, "intermediate", D("10000"))]
    with refused() as found:
        actions.propose_amendment(agreement, amount=D("60000"), parts=cut, reason="Abandon", by=world.manager, on=DAY)
    assert any("reversement" in str(m) for m in found.value.missing)
    assert any("Tranche 1" in str(m) for m in found.value.missing)
    with refused(words="au plus"):
        actions.order_recovery(order, amount=D("90000.01"), reason="Trop versé", by=world.manager, on=DAY)
    recovery = actions.order_recovery(order, amount=D("40000"), reason="Trop versé", by=world.manager, on=DAY)
    amendment = actions.propose_amendment(
        agreement, amount=D("60000"), parts=cut, reason="Abandon", by=world.manager, on=DAY
    )
    with refused(NotAllowed):
        actions.answer_amendment(amendment, True, by=world.manager, on=DAY)
    with refused(words="attend déjà"):
        actions.propose_amendment(agreement, ends_on=dt.date(2014, 1, 1), reason="x", by=world.manager, on=DAY)
    actions.answer_amendment(amendment, True, by=world.member, on=DAY)
    agreement.refresh_from_db()
    assert (agreement.amount, agreement.ordered, agreement.recovering) == (D("60000"), D("90000"), D("40000"))
    with refused(words="avenant en vigueur"):
        actions.cancel_recovery(recovery, reason="Erreur", by=world.manager, on=DAY)
    actions.record_repayment(recovery, repaid_on=DAY, by=world.manager, on=DAY)
    agreement.refresh_from_db()
    assert (agreement.net_paid, agreement.still_due) == (D("50000"), D("10000"))
    with refused(words="remboursé"):
        actions.record_repayment(recovery, repaid_on=DAY, by=world.manager, on=DAY)
    pay(world, agreement, 2)
    with refused(words="reste 0,00"):
        claim(world, agreement, 2)
    assert queries.imbalances() == []


def test_amendment_may_not_exceed_the_decision_and_may_change_the_beneficiary(world):
    agreement = agree(world)
    more = [rules.Part(1, "advance", D("300001"))]
    with refused(words="décidé"):
        actions.propose_amendment(agreement, amount=D("300001"), parts=more, reason="x", by=world.manager, on=DAY)
    with refused(words="Rien ne change"):
        actions.propose_amendment(agreement, reason="x", by=world.manager, on=DAY)
    heir = make.make_actor("project_member")
    partner = make_partner(world.project, make.Organisation.objects.get(pk=heir.organisation_id))
    amendment = actions.propose_amendment(
        agreement, partner=partner, ends_on=dt.date(2013, 6, 30), reason="Fusion", by=world.manager, on=DAY
    )
    actions.answer_amendment(amendment, True, by=world.member, on=DAY)
    agreement.refresh_from_db()
    assert agreement.beneficiary_id == heir.organisation_id and agreement.ends_on == dt.date(2013, 6, 30)
    with refused(NotAllowed):
        claim(world, agreement)
    actions.submit_claim(agreement.instalments.get(number=1), by=heir, on=DAY)


def test_an_amendment_answered_after_a_payment_is_looked_at_again(world):
    agreement = agree(world)
    parts = [rules.Part(1, "advance", D("30000")), rules.Part(2, "balance", D("30000"))]
    amendment = actions.propose_amendment(
        agreement, amount=D("60000"), parts=parts, reason="Moins", by=world.manager, on=DAY
    )
    pay(world, agreement, 1)
    with refused(words="défait"):
        actions.answer_amendment(amendment, True, by=world.member, on=DAY)
    with refused(words="dit pourquoi"):
        actions.answer_amendment(amendment, False, by=world.member, on=DAY)
    actions.answer_amendment(amendment, False, answer="Trop tard", by=world.member, on=DAY)
    with refused(Conflict):
        actions.withdraw_amendment(amendment, by=world.manager, on=DAY)


def test_closing_and_terminating(world):
    agreement = agree(world)
    row = claim(world, agreement)
    with refused() as found:
        actions.close(agreement, reason="Fin", by=world.manager, on=DAY)
    assert "demande 1" in str(found.value.missing[0])
    order = actions.order_payment(certify(world, row), by=world.manager, on=DAY)
    with refused(words="attendent"):
        actions.terminate(agreement, reason="Faillite", by=world.manager, on=DAY)
    actions.cancel_order(order, reason="Faillite", by=world.manager, on=DAY)
    actions.terminate(agreement, reason="Faillite", by=world.manager, on=DAY)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("rejected", "Faillite")
    # A new agreement may then be drawn up for the same decision.
    actions.create(world.share, number="C-NEW", by=world.manager, on=DAY)


def test_wrong_order_of_acts(world):
    agreement = actions.create(world.share, number="C1", by=world.manager, on=DAY)
    for act in (
        lambda: actions.sign(agreement, by=world.member, on=DAY),
        lambda: actions.start(agreement, commitment="E1", by=world.manager, on=DAY),
        lambda: claim(world, agreement),
        lambda: actions.close(agreement, reason="x", by=world.manager, on=DAY),
        lambda: actions.resume(agreement, reason="x", by=world.manager, on=DAY),
    ):
        with refused():
            act()
    actions.send(agreement, by=world.manager, on=DAY)
    actions.sign(agreement, by=world.member, on=DAY)
    with refused(words="déjà signé"):
        actions.sign(agreement, by=world.colleague, on=DAY)
    with refused(NotAllowed):
        actions.sign(agreement, by=world.stranger, on=DAY)
    agreement = actions.withdraw(agreement, reason="Une erreur", by=world.manager, on=DAY)
    assert agreement.signed_beneficiary_on is None


def test_who_sees_what(world):
    from jalon.funding.access import visible_agreements

    agreement = actions.create(world.share, number="C1", by=world.manager, on=DAY)

    def sees(actor):
        return visible_agreements(actor, DAY).filter(pk=agreement.pk).exists()

    assert not sees(world.member)  # a draft is the funder's own
    actions.send(agreement, by=world.manager, on=DAY)
    seen = {name for name, actor in vars(world).items() if hasattr(actor, "mandate_id") and sees(actor)}
    assert seen == {"manager", "certifier", "member", "colleague", "national", "correspondent"}
    interests.declare(world.project.case, "interest", reason="Ancien salarié", by=world.certifier, on=DAY)
    assert not sees(world.certifier)
    with refused(NotAllowed, "déporté"):
        actions.sign(agreement, by=world.certifier, on=DAY)


def test_regional_money_is_the_region_s(world):
    agreement = agree(world, world.region_share)
    row = claim(world, agreement)
    with refused(NotAllowed):
        actions.check_claim(row, by=world.manager, on=DAY)
    row = actions.check_claim(row, by=world.region_agent, on=DAY)
    row = actions.certify_claim(row, by=world.region_signatory, on=DAY)
    order = actions.order_payment(row, by=world.region_signatory, on=DAY)
    actions.record_payment(order, paid_on=DAY, by=world.region_agent, on=DAY)


def test_duties_of_the_law(world):
    decide(world.research, world.state, D("200000.00"))
    agreement = agree(world)
    told = {str(d.title): d for d in queries.duties_of(agreement)}
    assert told["Convention écrite"].applies and told["Comptes certifiés et publiés"].applies
    assert told["Compte rendu financier 2010"].due_on == dt.date(2011, 6, 30)
    assert all(d.why.to_confirm for d in told.values())
