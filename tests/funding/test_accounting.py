"""Files of the accounting system: preview, acceptance, second import, changes meanwhile, relays repaid; export and back."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from jalon.core import sheets
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry
from jalon.funding import accounting, accounting_actions as acts, actions, queries
from jalon.funding.models import AccountingBatch, PaymentOrder
from tests import factories as make
from tests.funding.world import DAY, agree, build, certify, claim, decide, make_partner, make_project, relay

D = Decimal
LATER = DAY + dt.timedelta(days=20)


def order_of(world, agreement, number=1):
    return actions.order_payment(certify(world, claim(world, agreement, number)), by=world.manager, on=DAY)


def file_of(orders, *, paid_on=LATER, kind="csv", amount=None):
    rows = []
    for cells in acts.export_rows(orders):
        cells = list(cells)
        cells[7] = amount if amount is not None else cells[7]
        cells[8], cells[9] = paid_on, f"V{cells[5]}"
        rows.append(cells)
    columns = [c for _, c in accounting.COLUMNS]
    if kind == "csv":
        return b"".join(sheets.write_csv(columns, rows, french=True))
    write = sheets.write_xlsx if kind == "xlsx" else sheets.write_ods
    with write([("Ordres", columns, rows)]) as out:
        return out.read()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods"])
def test_the_export_comes_back_and_pays(world, kind):
    agreement = agree(world)
    order = order_of(world, agreement)
    batch = acts.receive(file_of([order], kind=kind), f"compta.{kind}", by=world.manager, on=LATER)
    assert batch.counts == {"match": 1}
    order.refresh_from_db()
    assert order.state == "ordered"  # nothing is written by reading
    acts.accept(batch, by=world.manager, on=LATER)
    order.refresh_from_db()
    agreement.refresh_from_db()
    assert (order.state, order.paid_on, order.batch, order.claim.state) == ("paid", LATER, batch, "paid")
    assert agreement.paid == D("90000.00") and queries.imbalances() == []
    assert JournalEntry.objects.filter(case=agreement.case, act="claim.pay").get().after["import"] == batch.pk
    with pytest.raises(Refused, match="déjà"):
        acts.accept(batch, by=world.manager, on=LATER)
    again = acts.receive(file_of([order], kind=kind), f"compta.{kind}", by=world.manager, on=LATER)
    assert again.counts == {"already": 1}
    with pytest.raises(Refused, match="Rien à écrire"):
        acts.accept(again, by=world.manager, on=LATER)


def test_a_payment_made_meanwhile_changes_the_verdict(world):
    order = order_of(world, agree(world))
    batch = acts.receive(file_of([order]), "compta.csv", by=world.manager, on=LATER)
    actions.record_payment(order, paid_on=DAY, by=world.manager, on=LATER)
    with pytest.raises(Conflict, match="changé"):
        acts.accept(batch, by=world.manager, on=LATER)
    batch = AccountingBatch.objects.get(pk=batch.pk)
    assert (batch.state, batch.counts) == ("previewed", {"twice": 1})
    acts.abandon(batch, by=world.manager, on=LATER)


def test_a_payment_to_the_bank_repays_the_relay(world):
    agreement = agree(world)
    row = relay(world, amount=D("90000.00"))
    order = order_of(world, agreement)
    batch = acts.receive(file_of([order]), "compta.csv", by=world.manager, on=LATER)
    batch = acts.accept(batch, by=world.manager, on=LATER)
    row.refresh_from_db()
    assert (row.state, row.repaid, batch.counts["relayed"]) == ("closed", D("90000.00"), 1)


def test_each_side_has_its_own_orders(world):
    state, region = order_of(world, agree(world)), None
    regional = agree(world, world.region_share)
    row = claim(world, regional)
    row = actions.check_claim(row, by=world.region_agent, on=DAY)
    row = actions.certify_claim(row, by=world.region_signatory, on=DAY)
    region = actions.order_payment(row, by=world.region_signatory, on=DAY)
    data = file_of([state, region])
    assert acts.receive(data, "x.csv", by=world.manager, on=LATER).counts == {"match": 1, "none": 1}
    batch = acts.receive(data, "x.csv", by=world.region_agent, on=LATER)
    assert batch.counts == {"none": 1, "match": 1}
    with pytest.raises(Refused):
        acts.accept(batch, by=world.manager, on=LATER)
    with pytest.raises(NotAllowed):
        acts.receive(data, "x.csv", by=world.member, on=LATER)
    acts.accept(batch, by=world.region_agent, on=LATER)
    assert PaymentOrder.objects.get(pk=region.pk).state == "paid"


MESSY = "Extraction du 20 juin;;;;;;\nNº pièce;Acte;SIRET;Dossier;TTC;Réglé le;Remarque\n"


def messy(world, order, *more):
    """A file whose headers say nothing that is recognised, but for the SIRET."""
    siret = acts.known_orders(None)[0].identifiers[0]
    rows = [
        f"P1;{order.agreement.commitment};{siret};{order.agreement.number};{order.amount};{LATER:%d/%m/%Y};x",
        *more,
    ]
    return (MESSY + "\n".join(rows)).encode()


def test_columns_are_recognised_shown_and_confirmed(world, signed_in):
    order = order_of(world, agree(world))
    manager = signed_in(world.manager)
    made = lambda: AccountingBatch.objects.latest("id")  # noqa: E731
    answer = manager.post(reverse("accounting"), {"file": SimpleUploadedFile("extrait.csv", messy(world, order))})
    batch = made()
    assert answer.url == reverse("accounting-columns", args=[batch.pk]) and batch.state == "to_confirm"
    assert manager.get(reverse("accounting-import", args=[batch.pk])).url == answer.url
    page = manager.get(f"{answer.url}?header=1").content.decode()
    assert "1 reconnue" in page and "Extraction" in page and order.agreement.number in page
    named = {
        "sheet": "0",
        "header": "1",
        "col-1": "commitment",
        "col-2": "siret",
        "col-3": "agreement",
        "col-4": "amount",
    }
    short = manager.post(answer.url, named)
    assert short.status_code == 400 and "Date de paiement" in short.content.decode()
    double = manager.post(answer.url, named | {"col-5": "paid_on", "col-6": "amount"})
    assert double.status_code == 400 and "même donnée" in double.content.decode()
    assert made().rows == []
    # the example lives on DAY: the payment of LATER is in the future there, and its row says so
    assert manager.post(answer.url, named | {"col-5": "paid_on"}).status_code == 302
    assert made().counts == {"error": 1} and made().columns["mapping"]["paid_on"] == 5
    confirmed = acts.confirm(
        made(),
        {1: "commitment", 2: "siret", 3: "agreement", 4: "amount", 5: "paid_on"},
        header=1,
        by=world.manager,
        on=LATER,
    )
    assert confirmed.counts == {"match": 1}
    with pytest.raises(Refused, match="en-têtes n'existe pas"):
        acts.confirm(
            confirmed,
            {0: "commitment", 2: "siret", 3: "agreement", 4: "amount", 5: "paid_on"},
            header=99,
            by=world.manager,
            on=LATER,
        )
    acts.accept(confirmed, by=world.manager, on=LATER)
    assert manager.get(answer.url).status_code == 302  # nothing to confirm any more
    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"
    empty = manager.post(reverse("accounting"), {"file": SimpleUploadedFile("vide.csv", b";;\n;;\n")})
    assert empty.status_code == 400 and "aucune ligne remplie" in empty.content.decode()


KILLED = """
import sys, datetime as dt
import django
django.setup()
from jalon.funding import accounting_actions as acts
from jalon.funding.models import AccountingBatch
from jalon.people.models import Mandate
from jalon.people.queries import actor_of
batch = AccountingBatch.objects.get(pk=sys.argv[1])
by = actor_of(Mandate.objects.get(pk=sys.argv[2]).user, dt.date(2010, 6, 30))
pay = acts._pay
def half_way(*args):
    pay(*args)
    print("written", flush=True)
    sys.stdin.read()
acts._pay = half_way
acts.accept(batch, by=by, on=dt.date(2010, 7, 20))
"""


@pytest.mark.django_db(transaction=True)
def test_an_import_killed_half_way_leaves_nothing_and_goes_again(other_process):
    world = build()
    agreement = agree(world)
    order = order_of(world, agreement)
    batch = acts.receive(file_of([order]), "compta.csv", by=world.manager, on=LATER)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(batch.pk), str(world.manager.mandate_id)],
        env=other_process, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline().strip() == "written", process.stderr.read()
    finally:
        process.kill()
        process.communicate(timeout=30)
    order.refresh_from_db()
    agreement.refresh_from_db()
    batch.refresh_from_db()
    assert (order.state, agreement.paid, batch.state) == ("ordered", 0, "previewed")
    assert not JournalEntry.objects.filter(act__in=["claim.pay", "accounting.accept"]).exists()
    acts.accept(batch, by=world.manager, on=LATER)
    order.refresh_from_db()
    assert order.state == "paid" and queries.imbalances() == []


def test_many_rows_with_few_queries(world, django_assert_max_num_queries):
    orders = []
    for _ in range(12):
        partner = make_partner(make_project(world.cluster), world.company)
        share = decide(partner, world.state, D("1000.00"))
        orders.append(order_of(world, agree(world, share)))
    data = file_of(orders)
    with django_assert_max_num_queries(30):
        batch = acts.receive(data, "x.csv", by=world.manager, on=LATER)
    with django_assert_max_num_queries(30):
        acts.accept(batch, by=world.manager, on=LATER)
    assert PaymentOrder.objects.filter(state="paid").count() == 12 and queries.imbalances() == []


def test_formulas_do_not_leave_in_an_export(world):
    world.company.name = "=cmd()"
    world.company.save()
    order = order_of(world, agree(world))
    text = file_of([order]).decode("utf-8-sig")
    assert "'=cmd()" in text
    assert sheets.read(text.encode(), "x.csv").sheets[0].rows[1][3] == "=cmd()"
    assert io.BytesIO(file_of([order], kind="xlsx")).read(2) == b"PK" and make.DAY
