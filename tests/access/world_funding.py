"""Money of the small data set: an agreement of the State with claims at each stage, one of the region, a relay."""

from __future__ import annotations

from decimal import Decimal

from jalon.core import clock, files
from jalon.funding import accounting_actions, actions, relay_actions
from jalon.funding.models import FinancialReturn, ReturnFile
from jalon.people.models import Organisation
from jalon.people.queries import actor_of
from tests import factories as make
from tests.funding import world as money

DAY = make.DAY


def extend(world) -> None:
    """A selected project of the cluster; its partner is the project member's company, its bank the bank officer's."""
    actors = {role: actor_of(user, DAY) for role, user in world.users.items()}

    def body(role):
        return Organisation.objects.get(pk=actors[role].organisation_id)

    manager, certifier, member = actors["fund_manager"], actors["certifier"], actors["project_member"]
    state = make.make_organisation("Fonds unique", "state_service", siret=True)
    project = money.make_project(world.world.cluster)
    partner = money.make_partner(project, body("project_member"), role="leader")
    other = money.make_partner(project, make.make_organisation("Laboratoire", "laboratory"), kind="research")
    share = money.decide(partner, state, Decimal("300000.00"))
    waiting = money.decide(other, state, Decimal("80000.00"))
    agreement = actions.create(share, number="C-1", by=manager, on=DAY)
    agreement = actions.send(agreement, by=manager, on=DAY)
    actions.sign(agreement, by=member, on=DAY)
    actions.sign(agreement, by=certifier, on=DAY)
    agreement = actions.start(agreement, commitment="EJ1", by=manager, on=DAY)
    first, second, _ = agreement.instalments.all()
    paid = actions.submit_claim(first, by=member, on=DAY, amount=Decimal("50000.00"))
    paid = actions.certify_claim(actions.check_claim(paid, by=manager, on=DAY), by=certifier, on=DAY)
    order = actions.order_payment(paid, by=manager, on=DAY)
    evidence = actions.submit_claim(second, by=member, on=DAY, uploads=[(b"%PDF-1.4 x", "rapport.pdf")])
    back = actions.submit_claim(first, by=member, on=DAY)
    back = actions.return_claim(back, reason="Il manque une pièce", by=manager, on=DAY)
    done = money.decide(other, body("local_authority"), Decimal("10000.00"), source="region")
    regional = actions.create(done, number="R-1", by=actors["local_authority"], on=DAY)
    amendment = actions.propose_amendment(
        agreement, ends_on=DAY.replace(year=2014), reason="Retard", by=manager, on=DAY
    )
    relay = relay_actions.ask(partner, state, body("bank_officer"), amount=Decimal("100000"), by=member, on=DAY)
    relay = relay_actions.offer(
        relay, amount=Decimal("100000"), months=9, rate=Decimal(4), fee=Decimal(0), by=actors["bank_officer"], on=DAY,
        guarantor=body("guarantor"),
    )  # fmt: skip
    batch = accounting_actions.receive(
        b"Engagement;SIRET;Convention;Montant;Date\nEJ9;1;C-9;12,00;01/06/2010\n", "compta.csv", by=manager, on=DAY
    )
    recovered = money.decide(
        money.make_partner(project, make.make_organisation("Filiale", "company")), state, Decimal("1000.00")
    )
    rendered = FinancialReturn.objects.create(
        agreement=agreement, year=2009, due_on=DAY, state="submitted", handed_on=DAY, submitted_on=DAY
    )
    proof = files.store(b"%PDF-1.4 x", "compte-rendu.pdf", case=agreement.case, by=member, at=clock.moment_on(DAY))
    world.args |= {
        "return_piece": ReturnFile.objects.create(owner=rendered, file=proof, added_at=clock.moment_on(DAY)).pk,
        "agreement": agreement.pk,
        "agreement_region": regional.pk,
        "funding_share": waiting.pk,
        "funding_share_region": recovered.pk,
        "claim": evidence.pk,
        "claim_back": back.pk,
        "claim_piece": evidence.files.get().pk,
        "payment_order": order.pk,
        "agreement_amendment": amendment.pk,
        "accounting_batch": batch.pk,
        "relay": relay.pk,
        "relay_partner": partner.pk,
        "relay_funder": state.pk,
    }
