"""Pages of money: the road on screen, what was typed is kept, numbers of queries, documents, tasks, the night."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from jalon.core.models import OutboxMessage
from jalon.funding import actions, desk, nightly, relay_actions
from jalon.funding.models import Agreement, Claim, Relay
from tests.funding.world import DAY, agree, certify, claim, decide, make_partner, make_project, pay, relay

D = Decimal


def text_of(response):
    return response.content.decode()


def read(response):
    """The body of a file sent in pieces, whose file is then closed."""
    assert response.status_code == 200
    body = b"".join(response.streaming_content)
    for close in response._resource_closers:  # the file; response.close() would close the database as well
        close()
    return body


def test_the_road_on_screen(world, signed_in):
    manager, certifier, member = (signed_in(a) for a in (world.manager, world.certifier, world.member))
    page = text_of(manager.get(reverse("funding-desk")))
    assert "Préparer la convention" in page and "300" in page
    answer = manager.post(
        reverse("agreement-new", args=[world.share.pk]), {"number": "C-7", "subject": "Projet", "amount": "300 000,01"}
    )
    assert answer.status_code == 400 and "décidé" in text_of(answer) and "300 000,01" in text_of(answer)
    manager.post(
        reverse("agreement-new", args=[world.share.pk]), {"number": "C-7", "subject": "Projet", "amount": "300 000,00"}
    )
    row = Agreement.objects.get(number="C-7")
    plan = reverse("agreement-plan", args=[row.pk])
    typed = {
        "kind-1": "advance",
        "amount-1": "100 000,00",
        "condition-1": "Signature",
        "kind-2": "balance",
        "amount-2": "199 999",
    }
    answer = manager.post(plan, typed)
    assert answer.status_code == 400 and "écart" in text_of(answer) and "199 999" in text_of(answer)
    assert manager.post(plan, typed | {"amount-2": "200000"}).status_code == 302
    act = lambda name: reverse("agreement-act", args=[row.pk, name])  # noqa: E731
    manager.post(act("send"))
    member.post(act("sign"))
    certifier.post(act("sign"))
    answer = manager.post(act("start"), {"commitment": ""})
    assert answer.status_code == 400
    manager.post(act("start"), {"commitment": "EJ 77"})
    row.refresh_from_db()
    assert (row.state, row.commitment) == ("running", "EJ77")
    new = reverse("claim-new", args=[row.pk, 2])
    answer = member.post(
        new, {"amount": "200000", "statement": "Fait", "year-1": "10", "category-1": "personnel", "spent-1": "5"}
    )
    assert answer.status_code == 400 and "n'est pas une année" in text_of(answer).replace("&#x27;", "'")
    member.post(
        new,
        {
            "amount": "200000",
            "statement": "Fait",
            "year-1": "2010",
            "category-1": "personnel",
            "spent-1": "700 000,00",
            "evidence": SimpleUploadedFile("rapport.pdf", b"%PDF-1.4 x", "application/pdf"),
        },
    )
    one = Claim.objects.get()
    assert one.files.count() == 1 and "attend d" in text_of(member.get(reverse("my-money")))
    expense = one.expenses.get()
    check = reverse("claim-act", args=[one.pk, "check"])
    answer = manager.post(check, {"proposed": "200000", f"kept-{expense.pk}": "1"})
    assert answer.status_code == 400 and "retenue en entier" in text_of(answer)
    manager.post(check, {"proposed": "200 000,00"})
    answer = manager.post(reverse("claim-act", args=[one.pk, "certify"]), {"amount": "200000"})
    assert answer.status_code == 403
    certifier.post(reverse("claim-act", args=[one.pk, "certify"]), {"amount": "200 000,00"})
    manager.post(reverse("claim-act", args=[one.pk, "order"]), {"number": "OP1"})
    order = row.orders.get()
    manager.post(reverse("payment-order-act", args=[order.pk, "pay"]), {"paid_on": "2010-06-30", "reference": "V1"})
    one.refresh_from_db()
    assert one.state == "paid" and "versé" in text_of(member.get(reverse("my-money")))
    piece = member.get(reverse("claim-file", args=[one.pk, one.files.get().pk]))
    assert piece["Content-Disposition"].startswith("attachment") and read(piece) == b"%PDF-1.4 x"
    assert b"C-7" in read(manager.get(reverse("agreements") + "?format=csv"))


def test_the_relay_on_screen(world, signed_in):
    member, bank, guarantor = (signed_in(a) for a in (world.member, world.banker, world.guarantor))
    ask = reverse("relay-ask", args=[world.partner.pk, world.state.pk])
    answer = member.post(ask, {"bank": str(world.bank.pk), "amount": "400 000"})
    assert answer.status_code == 400 and "400 000" in text_of(answer)
    member.post(ask, {"bank": str(world.bank.pk), "amount": "100 000"})
    row = Relay.objects.get()
    act = lambda name: reverse("relay-act", args=[row.pk, name])  # noqa: E731
    answer = bank.post(act("offer"), {"amount": "100000", "months": "9", "rate": "4,5", "fee": "", "guarantor": "x"})
    assert answer.status_code == 400
    bank.post(
        act("offer"),
        {"amount": "100000", "months": "9", "rate": "4,5", "fee": "", "guarantor": str(world.guarantee.pk)},
    )
    assert "50 %" in text_of(guarantor.get(reverse("relay", args=[row.pk]))).replace("\u202f", " ").replace("\xa0", " ")
    guarantor.post(act("grant"), {"note": ""})
    member.post(act("accept"))
    bank.post(act("assign"), {"reference": "LRAR"})
    bank.post(act("draw"), {"amount": "100000", "day": "2010-06-30"})
    row.refresh_from_db()
    assert (row.state, row.drawn, row.fee) == ("drawn", D("100000"), 0)
    page = text_of(member.get(reverse("cash-calendar", args=[world.partner.pk])))
    assert "Solde avec relais" in page and "<svg" in page
    assert read(member.get(reverse("cash-calendar", args=[world.partner.pk]) + "?format=xlsx"))[:2] == b"PK"
    assert "Rhône-Alpes" in text_of(signed_in(world.national).get(reverse("relay-scheme")))
    assert "trop peu" in text_of(signed_in().get(reverse("relay-scheme")))
    assert "Atelier du Rhône" in read(bank.get(reverse("relays") + "?format=csv")).decode()


def grown(world, n):
    for _ in range(n):
        partner = make_partner(make_project(world.cluster), world.company)
        agreement = agree(world, decide(partner, world.state, D("5000.00")))
        pay(world, agreement)
        certify(world, claim(world, agreement, 2))
        decide(make_partner(make_project(world.cluster), world.company), world.state, D("500.00"))


PAGES = {
    "funding-desk": ("manager", 28),
    "agreements": ("manager", 14),
    "my-money": ("member", 34),
    "payment-delays": ("national", 16),
    "accounting": ("manager", 16),
    "subsidy-data": ("manager", 18),
    "relays": ("banker", 14),
    "relays by the company": ("member", 26),
    "relay-scheme": ("national", 14),
}


def test_pages_ask_as_many_queries_for_few_as_for_many(world, signed_in, django_assert_max_num_queries):
    relay(world)
    grown(world, 1)
    clients = {who: signed_in(getattr(world, who)) for who in {who for who, _ in PAGES.values()}}
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(name, who):
        address = reverse(name.partition(" ")[0])
        clients[who].get(address)
        with CaptureQueriesContext(connection) as found:
            assert clients[who].get(address).status_code == 200
        return len(found)

    few = {name: count(name, who) for name, (who, _) in PAGES.items()}
    grown(world, 2)
    many = {name: count(name, who) for name, (who, _) in PAGES.items()}
    grow = {name: (few[name], many[name]) for name in PAGES if many[name] > few[name]}
    assert not grow, grow
    over = {name: many[name] for name, (_, most) in PAGES.items() if many[name] > most}
    assert not over, over


@pytest.mark.parametrize("kind", ["pdf", "docx"])
def test_the_agreement_is_printed(world, signed_in, kind):
    row = actions.create(world.share, number="C-1", by=world.manager, on=DAY)
    draft = signed_in(world.manager).get(reverse(f"agreement-{kind}", args=[row.pk]))
    assert draft.status_code == 200 and draft.content[:4] in (b"%PDF", b"PK\x03\x04")
    actions.send(row, by=world.manager, on=DAY)
    actions.sign(row, by=world.member, on=DAY)
    actions.sign(row, by=world.certifier, on=DAY)
    client = signed_in(world.member)
    first, second = (client.get(reverse(f"agreement-{kind}", args=[row.pk]) + "?lang=en").content for _ in range(2))
    assert first != draft.content and len(first) > 2000 and first[:4] == second[:4]


def test_tasks_follow_the_money(world):
    def titles(actor):
        return " | ".join(str(t.title) for t in desk.tasks_for(actor, DAY))

    assert "Préparer la convention" in titles(world.manager)
    agreement = actions.create(world.share, number="C-1", by=world.manager, on=DAY)
    assert "Envoyer la convention C-1" in titles(world.manager)
    actions.send(agreement, by=world.manager, on=DAY)
    assert "Signer la convention C-1" in titles(world.member) and "Signer" in titles(world.certifier)
    actions.sign(agreement, by=world.member, on=DAY)
    actions.sign(agreement, by=world.certifier, on=DAY)
    agreement = actions.start(agreement, commitment="E", by=world.manager, on=DAY)
    row = claim(world, agreement)
    assert "Vérifier la demande 1" in titles(world.manager) and "Vérifier" not in titles(world.certifier)
    row = actions.check_claim(row, by=world.manager, on=DAY)
    assert "Certifier la demande 1" in titles(world.certifier)
    row = actions.certify_claim(row, by=world.certifier, on=DAY)
    assert "Ordonner le paiement" in titles(world.manager)
    actions.order_payment(row, by=world.manager, on=DAY)
    assert "Enregistrer le paiement" in titles(world.manager)
    one = relay(world, until="asked")
    assert "Répondre à la demande de relais" in titles(world.banker) and titles(world.other_banker) == ""
    relay_actions.offer(
        one, amount=D(10), months=1, rate=D(1), fee=D(0), guarantor=world.guarantee, by=world.banker, on=DAY
    )
    assert "contre-garantie" in titles(world.guarantor)
    assert titles(world.reader) == titles(world.stranger) == ""


def test_the_night_reminds_of_the_six_months_once(world):
    """From the 25th call on, the selection is lost after six months without a complete file."""
    day = dt.date(2018, 1, 10)
    world.project.decided_on = day
    world.project.save()
    world.share.decided_on = day
    world.share.save()
    row = actions.create(world.share, number="C-1", by=world.manager, on=day)
    actions.send(row, by=world.manager, on=day)
    before = OutboxMessage.objects.count()
    assert not [nightly.nightly(dt.date(2018, 5, 10)), OutboxMessage.objects.count() - before][1]
    nightly.nightly(dt.date(2018, 5, 12))
    nightly.nightly(dt.date(2018, 5, 13))
    assert OutboxMessage.objects.count() - before == 2  # the two people of the company, once
    nightly.nightly(dt.date(2018, 6, 10))
    assert OutboxMessage.objects.count() - before == 4
    task = next(t for t in desk.tasks_for(world.member, dt.date(2018, 7, 1)) if "Signer" in str(t.title))
    assert (task.due_on, task.light) == (dt.date(2018, 7, 10), "at_risk")
    assert task.explained.parameter == "funding.file_completed_within"


def test_delays_are_measured_and_late_ones_counted(world):
    from jalon.funding import queries

    world.project.decided_on = dt.date(2013, 10, 1)
    world.project.save()
    agreement = agree(world, on=dt.date(2014, 2, 3))
    pay(world, agreement, on=dt.date(2014, 2, 20))
    found = queries.delays(dt.date(2014, 3, 1))[0]
    steps = {m.step: m for m in found.steps}
    assert (steps["award_signed"].median, steps["award_signed"].late) == (D(125), 1)
    assert (steps["award_advance"].p90, steps["award_advance"].late) == (142, 1)
    assert steps["claim_paid"].late is None and steps["claim_paid"].count == 1
