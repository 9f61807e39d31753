"""Financial returns: asked for when an agreement binds, handed in, late on both sides, sent back, checked, reminded; the shares
of the SCDL file that say whether an aid was notified."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from jalon.core.errors import NotAllowed, Refused
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.funding import actions, desk, nightly, queries, return_actions, rules, scdl
from jalon.funding.models import FinancialReturn
from jalon.projects.models import BudgetLine
from tests import factories as make
from tests.funding.world import DAY, agree, decide, pay

D = Decimal
DUE = dt.date(2011, 6, 30)
NEXT = dt.date(2011, 3, 1)
LINES = (
    rules.Line("charge", "Personnel", D("200000"), D("190000.00")),
    rules.Line("income", "Subvention", D("90000"), D("90000")),
    rules.Line("income", "Fonds propres", D("110000"), D("100000")),
)


def hand_in(world, row, on=NEXT, **more):
    given = {"report": "Fait.", "annex": "Un départ.", "uploads": [(b"%PDF-1.4 x", "etat.pdf")]} | more
    return return_actions.submit(row, lines=given.pop("lines", LINES), by=world.member, on=on, **given)


def titles(actor, on):
    return {str(t.title): t for t in desk.tasks_for(actor, on)}


def test_the_life_of_a_return(world):
    agreement = agree(world)
    row = agreement.financial_returns.get()
    assert (row.year, row.due_on, row.state) == (2010, DUE, "due")
    assert not [t for t in titles(world.member, DAY) if "compte rendu" in t]  # its year is not over
    with pytest.raises(Refused, match="n'est pas finie"):
        hand_in(world, row, on=DAY)
    due = titles(world.member, DUE)[f"Remettre le compte rendu financier 2010 ({world.project.acronym})"]
    assert (due.due_on, due.light) == (DUE, "at_risk") and "10" in due.explained.reference
    late = DUE + dt.timedelta(days=1)
    assert titles(world.member, late)[str(due.title)].light == "late"
    assert titles(world.manager, late)["Relancer un compte rendu financier en retard"].light == "late"
    with pytest.raises(Refused) as found:
        hand_in(world, row, on=late, report=" ", annex="", uploads=[], lines=LINES[:1])
    assert len(found.value.missing) == 4 and row.lines.count() == 0
    with pytest.raises(Refused) as found:
        hand_in(world, row, on=late, lines=[rules.Line("charge", "", D("-1"), D("0.001")), *LINES])
    assert len(found.value.missing) == 3
    with pytest.raises(NotAllowed):
        return_actions.submit(row, report="x", lines=LINES, by=world.stranger, on=late)
    row = hand_in(world, row, on=late)
    assert row.late(late) and row.lines.count() == 3
    assert "Relancer un compte rendu financier en retard" not in titles(world.manager, late)
    assert f"Vérifier le compte rendu financier 2010 de {world.company.name} ({world.project.acronym})" in titles(
        world.manager, late
    )
    with pytest.raises(NotAllowed):
        return_actions.accept(row, by=world.member, on=late)
    with pytest.raises(Refused):
        return_actions.send_back(row, reason=" ", by=world.manager, on=late)
    row = return_actions.send_back(row, reason="Le tableau ne dit pas les achats.", by=world.manager, on=late)
    again = titles(world.member, late)[f"Reprendre le compte rendu financier 2010 ({world.project.acronym})"]
    assert again.why == "Le tableau ne dit pas les achats."
    row = hand_in(world, row, on=late + dt.timedelta(days=5), uploads=[])  # its evidence is still there
    assert row.handed_on == late  # the day that makes it late or not stays the first
    row = return_actions.accept(row, by=world.manager, on=late + dt.timedelta(days=6))
    with pytest.raises(Refused):
        hand_in(world, row, on=late + dt.timedelta(days=7))
    told = JournalEntry.objects.filter(case=agreement.case, act="agreement.return_submit").order_by("id").first()
    assert told.after["late"] is True and D(told.after["charges"]) == D("190000.00")


def test_the_agreement_may_ask_for_one_each_year(world):
    agreement = actions.create(world.share, number="C-9", returns="yearly", by=world.manager, on=DAY)
    assert actions.content(agreement)["financial_returns"] == [2010, 2011, 2012, 2013]
    agreement = actions.send(agreement, by=world.manager, on=DAY)
    actions.sign(agreement, by=world.member, on=DAY)
    actions.sign(agreement, by=world.certifier, on=DAY)
    assert agreement.financial_returns.count() == 4
    actions.start(agreement, commitment="EJ9", by=world.manager, on=DAY)
    amendment = actions.propose_amendment(
        agreement, ends_on=dt.date(2012, 1, 31), reason="Plus court", by=world.manager, on=DAY
    )
    actions.answer_amendment(amendment, True, by=world.member, on=DAY)
    assert list(agreement.financial_returns.values_list("year", flat=True)) == [2010, 2011, 2012]
    actions.terminate(agreement, reason="Abandon", by=world.manager, on=DAY)
    assert not agreement.financial_returns.exists()  # nothing was paid: nothing to render account of
    with pytest.raises(Refused, match="n'est pas un choix"):
        actions.create(world.region_share, number="C-10", returns="weekly", by=world.region_agent, on=DAY)


def test_a_public_body_is_asked_for_none_by_the_law(world):
    lab = agree_lab(world)
    assert not lab.financial_returns.exists() and queries.return_years(lab) == []


def agree_lab(world):
    member = make.make_actor("project_member", organisation=world.lab)
    row = actions.create(decide(world.research, world.state, D("50000.00")), number="C-L", by=world.manager, on=DAY)
    row = actions.send(row, by=world.manager, on=DAY)
    actions.sign(row, by=member, on=DAY)
    return actions.sign(row, by=world.certifier, on=DAY)


def test_reminders_leave_once_each(world):
    agreement = agree(world)
    row = agreement.financial_returns.get()
    sent = []
    for day in (dt.date(2011, 5, 30), dt.date(2011, 5, 31), dt.date(2011, 6, 23), DUE, dt.date(2011, 7, 1)):
        nightly.nightly(day)
        nightly.nightly(day)
        sent.append(OutboxMessage.objects.filter(subject__contains="compte rendu financier").count())
    people = sent[1] or 1
    assert [n // people for n in sent] == [0, 1, 2, 2, 3]
    FinancialReturn.objects.filter(pk=row.pk).delete()
    nightly.nightly(DUE)
    assert agreement.financial_returns.count() == 1  # an agreement older than the table gets its row


def test_a_return_on_screen(world, signed_in):
    agreement = agree(world)
    pay(world, agreement)
    make_2009 = FinancialReturn.objects.create(agreement=agreement, year=2009, due_on=dt.date(2010, 6, 29))
    member, manager = signed_in(world.member), signed_in(world.manager)
    url = reverse("financial-return", args=[agreement.pk, 2009])
    page = member.get(url).content.decode()
    assert "Remettre le compte rendu" in page and "en retard" in page
    typed = {
        "report": "Les essais sont faits.",
        "charge-label-1": "=Personnel",
        "charge-planned-1": "200 000,00",
        "charge-actual-1": "180 000,00",
        "income-label-1": "Subvention",
        "income-planned-1": "90 000",
        "income-actual-1": "90 00x",
    }
    answer = member.post(url, typed)
    page = answer.content.decode()
    assert answer.status_code == 400 and "180 000,00" in page and "Produits, ligne 1" in page
    typed |= {"income-actual-1": "90 000"}
    answer = member.post(url, typed)
    page = answer.content.decode()
    assert answer.status_code == 400 and "explique les écarts" in page and "pièce justificative" in page
    typed |= {"annex": "Un poste vacant.", "evidence": SimpleUploadedFile("etat.pdf", b"%PDF-1.4 x")}
    assert member.post(url, typed).status_code == 302
    make_2009.refresh_from_db()
    assert make_2009.state == "submitted" and make_2009.files.count() == 1
    page = manager.get(url).content.decode()
    assert "Renvoyer avec motifs" in page and "\u221210" in page.replace("-10", "\u221210")
    back = reverse("financial-return-act", args=[agreement.pk, 2009, "back"])
    assert manager.post(back, {"reason": ""}).status_code == 400
    assert manager.post(reverse("financial-return-act", args=[agreement.pk, 2009, "accept"])).status_code == 302
    listed = manager.get(reverse("financial-returns")).content.decode()
    assert "C-" in listed and "vérifié" in listed
    assert member.get(reverse("financial-returns") + "?format=csv").status_code == 200
    piece = member.get(reverse("financial-return-file", args=[agreement.pk, 2009, make_2009.files.get().pk]))
    assert piece["Content-Disposition"].startswith("attachment")
    b"".join(piece.streaming_content)
    for close in piece._resource_closers:
        close()
    assert "Comptes rendus financiers" in member.get(reverse("agreement", args=[agreement.pk])).content.decode()


# -- whether an aid was notified ----------------------------------------------------------------------------------


def classes_of(partner, **amounts):
    partner.budget.all().delete()
    for code, amount in amounts.items():
        BudgetLine.objects.create(partner=partner, year=2010, category="personnel", aid_class=code, amount=D(amount))


def notified(agreement):
    return queries.notified([agreement])[agreement.pk]


def test_notification_from_the_threshold_and_the_ledger(world):
    agreement = agree(world)
    assert notified(agreement).value is None  # the budget says no category of the aid regulation
    classes_of(world.partner, industrial="800000")
    told = notified(agreement)
    assert told.value is False and told.why.to_confirm and told.why.value == D(10_000_000)
    decide(world.partner, world.company, D("9800000.00"), source="other")
    assert notified(agreement).value is True  # all funders together pass the threshold of 2008
    agreement.partner.kind = "research"
    assert notified(agreement).value is False
    agreement.partner.kind = "company"
    from jalon.aid.models import Award
    from jalon.core import clock

    given = {
        "beneficiary": world.company,
        "authority": world.state,
        "amount": agreement.amount,
        "granted_on": DAY,
        "case": world.project.case,
        "recorded_at": clock.moment_on(DAY),
    }
    award = Award.objects.create(base="gber", **given)
    assert notified(agreement).value is False  # the ledger comes first
    Award.objects.create(base="notified", measure="SA.1", **given)
    assert notified(agreement).value is True
    Award.objects.exclude(pk=award.pk).update(withdrawn_on=DAY, withdrawn_reason="Erreur")
    assert notified(agreement).value is False


def test_the_file_says_it_row_by_row(world, signed_in):
    classes_of(world.partner, industrial="800000")
    decide(world.partner, world.company, D("9800000.00"), source="other")
    agree(world)
    manager = signed_in(world.manager)
    answer = manager.get(reverse("subsidy-data") + "?format=csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert row["notificationUE"] == "oui"
    classes_of(world.partner)
    answer = manager.get(reverse("subsidy-data"))
    assert "notificationUE" in answer.content.decode() and "laissées de côté" in answer.content.decode().lower()
    assert "catégories du règlement" in answer.content.decode()


def test_what_cannot_be_told_stays_empty():
    row = scdl.Subsidy("F", "", DAY, "", "B", "", "", "o", D(1), None, None, (), None, None, notified=None)
    assert dict(zip(scdl.COLUMNS, scdl.cells(row), strict=True))["notificationUE"] == ""
    assert any("notificationUE" in str(f) for f in scdl.faults(scdl.cells(row)))
