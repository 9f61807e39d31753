"""Rules of money without a database: properties that hold for every amount, tables that an officer can read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from jalon.core.errors import Refused
from jalon.funding import accounting, relay_rules, rules, scdl

CASES = Path(__file__).parents[1] / "cases" / "funding"
cents = st.integers(1, 10**11).map(lambda n: Decimal(n) / 100)
days = st.dates(dt.date(2008, 1, 1), dt.date(2014, 12, 31))


def cases(name):
    with open(CASES / f"{name}.yaml", encoding="utf-8") as file:
        return yaml.safe_load(file)


def ids(rows):
    return [row["case"] for row in rows]


@given(cents, st.lists(st.integers(0, 10_000).map(Decimal), min_size=1, max_size=12).filter(any))
def test_no_cent_is_lost_in_a_split(amount, weights):
    parts = rules.split(amount, weights)
    assert sum(parts) == amount
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - amount * weight / total) < Decimal("0.01")
        assert part >= 0 and part == part.quantize(Decimal("0.01"))


@given(cents)
def test_the_suggested_instalments_make_the_agreement(amount):
    from jalon.policy import load, programmes

    plan = rules.plan_of(load(programmes()["fr-poles-de-competitivite"]), dt.date(2010, 6, 30))
    parts = rules.suggested(plan, amount, dt.date(2010, 1, 31))
    assert sum(p.amount for p in parts) == amount
    if all(p.amount > 0 for p in parts):
        assert [p.number for p in rules.check_plan(amount, parts)] == [1, 2, 3]


@given(cents, st.lists(cents, min_size=1, max_size=6))
def test_instalments_are_taken_only_when_they_make_the_amount(amount, amounts):
    parts = [rules.Part(n, "intermediate", a) for n, a in enumerate(amounts, 1)]
    if sum(amounts) == amount:
        rules.check_plan(amount, parts)
    else:
        with pytest.raises(Refused):
            rules.check_plan(amount, parts)
    assert rules.check_plan(sum(amounts), parts)


money0 = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)


@given(money0, money0, money0)
def test_an_allocation_is_the_payment_and_overpays_nobody(payment, bank, guarantor):
    parts = relay_rules.allocate(payment, bank, guarantor)
    assert parts.bank + parts.guarantor + parts.company == payment
    assert 0 <= parts.bank <= bank and 0 <= parts.guarantor <= guarantor and parts.company >= 0
    assert parts.guarantor == 0 or parts.bank == bank
    assert parts.company == 0 or (parts.bank, parts.guarantor) == (bank, guarantor)


flows = st.lists(st.tuples(days, cents), max_size=6)


@given(flows, flows, days)
@settings(max_examples=60)
def test_lots_keep_every_cent(drawn, back, day):
    held = relay_rules.lots(drawn, back)
    out, paid = sum((a for _, a in drawn), Decimal(0)), sum((a for _, a in back), Decimal(0))
    assert sum((a for a, _, _ in held), Decimal(0)) == out
    assert sum((a for a, _, end in held if end), Decimal(0)) == min(out, paid)
    gain = relay_rules.gain_of(held, day)
    assert gain.amount == out and (gain.months is None) == (out == 0)
    assert gain.months is None or gain.months >= 0


@given(st.dictionaries(st.integers(2008, 2014), money0, max_size=7), days, st.integers(1, 72))
@settings(max_examples=60)
def test_a_budget_spread_over_months_keeps_every_cent(budget, first, months):
    last = rules.plus(first, months, "months") - dt.timedelta(days=1)
    spread = rules.spread(budget, first, last)
    assert sum(spread.values(), Decimal(0)) == sum(budget.values(), Decimal(0))


@given(money0, money0, money0, money0, st.one_of(st.none(), money0), st.one_of(st.none(), money0))
def test_the_room_is_within_every_ceiling(instalment, taken, agreement, agreement_taken, decided, accepted):
    found = rules.room(
        kind="balance",
        instalment=instalment,
        instalment_taken=taken,
        agreement=agreement,
        agreement_taken=agreement_taken,
        decided=decided,
        rate=Decimal(45),
        accepted=accepted,
    ).amount
    assert found >= 0
    if found > 0:
        assert taken + found <= instalment and agreement_taken + found <= agreement
        assert decided is None or agreement_taken + found <= decided
        assert accepted is None or agreement_taken + found <= rules.cents(accepted * 45 / 100)


@given(st.lists(st.integers(0, 900), min_size=1, max_size=60))
def test_percentiles_are_values_that_occur(values):
    measure = rules.measure("claim_paid", values)
    assert measure.p90 in values and measure.count == len(values)
    assert sum(v <= measure.p90 for v in values) * 10 >= len(values) * 9
    assert min(values) <= measure.median <= max(values)


@pytest.mark.parametrize("row", cases("delais"), ids=ids(cases("delais")))
def test_delays_of_the_texts(policy, row):
    function = {
        "convention": rules.agreement_deadline,
        "avance": rules.advance_deadline,
        "dossier": rules.completion_deadline,
    }[row["quoi"]]
    found = function(policy, row["annonce"])
    assert found.on == row["attendu"]
    assert bool(found.why.reference) == (row["attendu"] is not None)


@pytest.mark.parametrize("row", cases("comptabilite"), ids=ids(cases("comptabilite")))
def test_verdicts_on_accounting_rows(row):
    orders = [
        accounting.Known(
            n,
            o["ordre"],
            o.get("engagement", "EJ1"),
            (o.get("siret", "11111111100017"),),
            o.get("convention", "C-1"),
            Decimal(str(o["montant"])),
            o.get("etat", "ordered"),
            o.get("ordonne", dt.date(2010, 5, 1)),
            o.get("paye"),
            o.get("reference", ""),
            o.get("financeur", "Fonds unique"),
            ("22222222200019",),
        )
        for n, o in enumerate(row["ordres"], 1)
    ]
    head = row.get("colonnes", "Engagement;SIRET;Convention;Ordre;Montant;Date;Référence;Financeur")
    data = "\n".join([head, *row["lignes"]]).encode()
    from jalon.core import sheets

    lines = accounting.judged(sheets.read(data, "compta.csv"), orders, dt.date(2010, 6, 30))
    assert [line.verdict for line in lines] == row["verdicts"]
    for line, words in zip(lines, row.get("dit", []), strict=False):
        if words:
            assert words in str(line.message), str(line.message)
    assert all(line.message for line in lines)
    again = [accounting.restored(line.stored()) for line in lines]
    assert [a.stored() for a in again] == [line.stored() for line in lines]


def test_a_file_without_the_key_is_refused():
    from jalon.core import sheets

    with pytest.raises(Refused) as found:
        accounting.judged(sheets.read(b"Convention;Montant\nC-1;12\n", "x.csv"), [], dt.date(2010, 6, 30))
    assert len(found.value.missing) == 3 and "Convention" in str(found.value.reason)


@pytest.mark.parametrize("row", cases("comptes-rendus"), ids=ids(cases("comptes-rendus")))
def test_the_years_of_the_financial_returns(row):
    found = rules.return_years(
        row["choix"],
        private=row["prive"],
        awarded_on=row["annonce"],
        starts_on=row.get("debut"),
        ends_on=row.get("fin"),
    )
    assert found == row["annees"]


def subsidy(**more):
    given = {
        "funder": "Fonds unique",
        "funder_siret": "73282932000074",
        "signed_on": dt.date(2018, 3, 1),
        "reference": "C-1",
        "beneficiary": "Atelier",
        "beneficiary_siret": "73282932000074",
        "beneficiary_rna": "",
        "subject": "Projet",
        "amount": Decimal("300000.00"),
        "base": Decimal("666666.67"),
        "rate": Decimal(45),
        "instalments": ((dt.date(2018, 4, 1), Decimal("100000.00")), (dt.date(2019, 4, 1), Decimal("200000.00"))),
        "first_on": None,
        "last_on": None,
    } | more
    return scdl.Subsidy(**given)


def test_scdl_row_in_the_order_of_the_schema():
    row = scdl.cells(subsidy())
    assert scdl.faults(row) == []
    assert dict(zip(scdl.COLUMNS, row, strict=True)) == {
        "nomAttribuant": "Fonds unique",
        "idAttribuant": "73282932000074",
        "dateConvention": "2018-03-01",
        "referenceDecision": "C-1",
        "nomBeneficiaire": "Atelier",
        "idBeneficiaire": "73282932000074",
        "rnaBeneficiaire": "",
        "objet": "Projet",
        "montant": "300000.00",
        "nature": "aide en numéraire",
        "conditionsVersement": "échelonné : 100000.00 €, 200000.00 €",
        "datesPeriodeVersement": "2018-04-01/2019-04-01",
        "idRAE": "",
        "notificationUE": "non",
        "pourcentageSubvention": "0.45",
        "dispositifAide": "",
    }
    text = b"".join(scdl.written([row])).decode()
    assert text.splitlines()[0] == ",".join(scdl.COLUMNS) and not text.startswith("\ufeff")


@pytest.mark.parametrize("row", cases("scdl"), ids=ids(cases("scdl")))
def test_constraints_of_the_scdl_schema(row):
    cells = scdl.cells(subsidy())
    for column, value in row["valeurs"].items():
        cells[scdl.COLUMNS.index(column)] = str(value)
    faults = [str(f) for f in scdl.faults(cells)]
    assert [any(c in f for f in faults) for c in row["fautes"]] == [True] * len(row["fautes"]), faults
    assert bool(faults) == bool(row["fautes"])


@given(st.text(max_size=400), st.text(max_size=50), cents)
@settings(max_examples=60)
def test_scdl_texts_stay_within_their_length(subject, name, amount):
    cells = scdl.cells(subsidy(subject="x" + subject, beneficiary="n" + name, amount=amount, base=amount * 2))
    assert scdl.faults(cells) == []
