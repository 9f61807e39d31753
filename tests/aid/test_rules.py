"""State aid rules against tables that an officer can read (tests/cases/aid), and what must hold of them whatever goes in."""

from __future__ import annotations

import datetime as dt
import shlex
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from jalon.aid import rules
from jalon.aid.commands import aid_app
from jalon.core.errors import Refused
from jalon.core.lang import speaking
from jalon.policy import load, programmes

FOLDER = Path(__file__).parents[1] / "cases/aid"


def table(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def money(value):
    return None if value is None else Decimal(str(value))


RATES, LIMITS, SMALL, SIZES, SUMS = (
    table(n) for n in ("intensities", "thresholds", "de_minimis", "sizes", "cumulation")
)
LAWS = load(programmes()["fr-poles-de-competitivite"])


def french(refusal):
    with speaking("fr"):
        return str(refusal).replace("\u202f", " ").replace("\xa0", " ")


# -- article 25 ---------------------------------------------------------------------------------------------------


def bonuses(row):
    return [b for b in row["bonus"] if b]


@pytest.mark.parametrize("row", [{"day": RATES["day"]} | r for r in RATES["table"]] + RATES["dates"], ids=str)
def test_a_rate_of_article_25(row):
    found = rules.intensity(LAWS, row["research"], row["size"], bonuses(row), row["day"])
    assert found.rate == row["rate"]
    assert found.why.day == row["day"]
    assert found.why.reference
    assert found.why.url
    assert str(found.why.inputs)
    assert len(found.why.steps) >= 2


@pytest.mark.parametrize("row", RATES["refused"], ids=str)
def test_a_rate_that_cannot_be(row):
    kind = rules.NoRules if row.get("no_rules") else Refused
    with pytest.raises(kind) as refusal:
        rules.intensity(LAWS, row["research"], row["size"], bonuses(row), row["day"])
    for words in row["words"]:
        assert words in french(refusal.value)


def test_what_the_texts_leave_open_is_marked():
    sure = rules.intensity(LAWS, "industrial", "small", ["collaboration"], dt.date(2024, 1, 1))
    unsure = rules.intensity(LAWS, "industrial", "small", ["licensing"], dt.date(2024, 1, 1))
    assert not sure.why.to_confirm
    assert unsure.why.to_confirm
    design = LAWS.part("aid").rule_sets[-1].bonus("design")
    assert all(c.to_confirm for c in design.conditions)


DAYS = st.dates(dt.date(2008, 8, 29), dt.date(2026, 12, 31))


@given(day=DAYS, data=st.data())
def test_no_rate_passes_its_ceiling_and_smaller_firms_never_get_less(day, data):
    sets = rules.rule_set(LAWS, day)
    research = data.draw(st.sampled_from([c.code for c in sets.categories]))
    letter = data.draw(st.sampled_from(sorted({b.letter for b in sets.bonuses})))
    chosen = data.draw(st.lists(st.sampled_from([b.code for b in sets.bonuses if b.letter == letter])))
    large, medium, small = (rules.intensity(LAWS, research, s, chosen, day).rate for s in ("large", "medium", "small"))
    category = sets.category(research)
    assert category.base <= large <= medium <= small <= (category.ceiling or 100) <= 100
    if research in ("industrial", "experimental"):
        assert small <= 80
    assert large <= rules.intensity(LAWS, research, "large", chosen, day).sum
    assert rules.intensity(LAWS, research, "large", [], day).rate <= large


# -- consortium ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "holds"),
    [
        ([("A", "firm", 70, "large"), ("B", "firm", 30, "small")], True),
        ([("A", "firm", 71, "large"), ("B", "firm", 29, "small")], False),
        ([("A", "firm", 60, "large"), ("B", "firm", 40, "large")], False),
        ([("A", "firm", 90, "large"), ("L", "research", 10, "")], True),
        ([("A", "firm", 91, "large"), ("L", "research", 9, "")], False),
        ([("A", "firm", 50, "small", "FR", "G"), ("B", "firm", 50, "small", "FR", "G")], False),
        ([("A", "firm", 50, "large", "FR"), ("B", "firm", 50, "large", "DE")], True),
        ([], False),
    ],
)
def test_effective_collaboration(members, holds):
    given_members = [rules.Member(n, k, Decimal(c), *rest) for n, k, c, *rest in members]
    found = rules.collaboration(LAWS, given_members, dt.date(2024, 1, 1))
    assert found.holds is holds
    assert found.reasons


# -- thresholds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", LIMITS["notification"], ids=str)
def test_a_notification_threshold(row):
    limit = money(row["threshold"])
    at = rules.notification(LAWS, limit, row["day"], kind=row["kind"])
    above = rules.notification(LAWS, limit + Decimal("0.01"), row["day"], kind=row["kind"])
    assert (at.needed, above.needed, at.threshold) == (False, True, limit)
    assert at.why.reference


@pytest.mark.parametrize("row", LIMITS["mainly"], ids=str)
def test_what_a_project_mainly_is(row):
    costs = {k: Decimal(v) for k, v in row["costs"].items()}
    assert rules.mainly(LAWS, costs, row["day"])[0] == row["kind"]


@pytest.mark.parametrize("row", LIMITS["verdicts"], ids=str)
def test_an_aid_to_notify(row):
    costs = {k: Decimal(v) for k, v in row["costs"].items()}
    asked = {k: row[k] for k in ("european", "advances") if k in row}
    assert rules.notification(LAWS, money(row["amount"]), row["day"], costs=costs, **asked).needed is row["needed"]


@pytest.mark.parametrize("row", LIMITS["publication"], ids=str)
def test_an_award_to_publish(row):
    found = rules.publication(LAWS, money(row["amount"]), row["granted_on"])
    assert (found.needed, found.threshold, found.due_on) == (row["needed"], row["threshold"], row.get("due_on"))


def test_nothing_is_said_of_thresholds_after_the_last_text():
    with pytest.raises(rules.NoRules):
        rules.publication(LAWS, Decimal(1), dt.date(2027, 1, 1))
    with pytest.raises(rules.NoRules):
        rules.notification(LAWS, Decimal(1), dt.date(2027, 1, 1), kind="cluster")


# -- de minimis ---------------------------------------------------------------------------------------------------


def awards(row):
    return [rules.Award("A", money(amount), day, row.get("kind", "general")) for day, amount in row["awards"]]


@pytest.mark.parametrize("row", SMALL["cases"], ids=lambda r: r["name"])
def test_de_minimis(row):
    ask = row["ask"]
    found = rules.de_minimis(LAWS, awards(row), money(ask["amount"]), ask["day"], kind=row.get("kind", "general"))
    assert (found.allowed, found.used, found.allowed_from) == (row["allowed"], row["used"], row.get("allowed_from"))
    assert (found.refusal is None) is row["allowed"]
    assert "inconnues" in french(found.coverage)


@pytest.mark.parametrize("row", SMALL["equivalents"], ids=str)
def test_the_gross_grant_equivalent(row):
    years = money(row.get("years"))
    found = rules.grant_equivalent(LAWS, row["instrument"], money(row["amount"]), years, row["day"])
    assert found.amount == money(row.get("equivalent"))
    assert (found.reason is None) is (found.amount is not None)
    assert row.get("words", "") in french(found.reason)
    assert found.why.to_confirm is bool(found.why.parameter.endswith("equivalents"))


@given(st.integers(1, 10**10), st.sampled_from(["loan", "guarantee"]), st.integers(1, 10))
def test_an_equivalent_never_passes_the_ceiling_nor_the_amount(cents, instrument, years):
    nominal = Decimal(cents) / 100
    found = rules.grant_equivalent(LAWS, instrument, nominal, Decimal(years), dt.date(2024, 1, 1))
    assert found.amount is None or 0 < found.amount <= min(nominal, 300_000)


@pytest.mark.parametrize("row", SMALL["nothing_in_force"], ids=str)
def test_de_minimis_without_a_text_in_force(row):
    with pytest.raises(rules.NoRules) as refusal:
        rules.de_minimis(LAWS, [], Decimal(1), row["day"])
    for words in row["words"]:
        assert words in french(refusal.value)


@given(granted=st.dates(dt.date(2024, 1, 1), dt.date(2027, 1, 1)), late=st.integers(0, 5))
def test_an_award_counts_up_to_its_anniversary_and_not_a_day_more(granted, late):
    last = rules.anniversary(granted, 3)
    law = rules.de_minimis_rules(LAWS, "general", granted)
    inside, outside = last - dt.timedelta(days=late), last + dt.timedelta(days=1 + late)
    assert rules.window_start(law, inside) <= granted
    assert rules.window_start(law, outside) > granted


@settings(max_examples=60)
@given(
    asked=st.lists(
        st.tuples(st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31)), st.integers(1, 30_000_000)), max_size=12
    )
)
def test_no_order_of_awards_overruns_de_minimis(asked):
    """Whatever is asked in whatever order, no window of three years ever passes the ceiling."""
    kept = []
    for day, cents in asked:
        amount = Decimal(cents) / 100
        if rules.de_minimis(LAWS, kept, amount, day).allowed:
            kept.append(rules.Award("A", amount, day))
    law = rules.de_minimis_rules(LAWS, "general", dt.date(2024, 1, 1))
    for last in kept:
        start = rules.window_start(law, last.granted_on)
        assert sum(a.amount for a in kept if start <= a.granted_on <= last.granted_on) <= 300_000


# -- sizes --------------------------------------------------------------------------------------------------------


def figures(row):
    heads, turnover, balance = row
    million = Decimal(1_000_000)
    return rules.Figures(
        money(heads),
        None if turnover is None else money(turnover) * million,
        None if balance is None else money(balance) * million,
    )


def links(rows):
    return [rules.Link(owner, owned, money(share), **(more[0] if more else {})) for owner, owned, share, *more in rows]


@pytest.mark.parametrize("row", SIZES["single"], ids=str)
def test_the_size_of_a_firm_alone(row):
    known = {"A": {2008: figures(row["figures"]), 2009: figures(row["figures"])}}
    eu = rules.eu_size(LAWS, "A", known, [], SIZES["day"])
    fr = rules.national_size(LAWS, "A", known, [], SIZES["day"])
    assert (eu.category, fr.category) == (row["eu"], row["fr"])
    if row["eu"] is None:
        assert row["missing"] in french(eu.missing[0])


@pytest.mark.parametrize("row", SIZES["groups"], ids=lambda r: r["name"])
def test_the_size_of_a_firm_that_is_not_alone(row):
    known = {name: {2008: figures(f), 2009: figures(f)} for name, f in row["firms"].items()}
    found = rules.eu_size(LAWS, "A", known, links(row["links"]), SIZES["day"])
    assert found.category == row["eu"]
    if row["eu"] is None:
        assert row["missing"] in french(found.missing[0])


@pytest.mark.parametrize("row", SIZES["two_years"], ids=lambda r: r["note"])
def test_a_size_changes_after_two_years(row):
    known = {"A": {year: figures(f) for year, f in row["years"].items()}}
    found = rules.eu_size(LAWS, "A", known, [], SIZES["day"])
    assert (found.category, found.certain) == (row["eu"], row["certain"])


@pytest.mark.parametrize("row", SIZES["circles"], ids=str)
def test_owners_that_cannot_be_are_refused_by_name(row):
    with pytest.raises(Refused) as refusal:
        rules.check_links(LAWS, links(row["links"]), SIZES["day"])
    assert row["words"] in french(refusal.value)


@pytest.mark.parametrize("row", SIZES["harmless_circles"], ids=str)
def test_a_circle_below_the_partner_share_is_harmless(row):
    rules.check_links(LAWS, links(row["links"]), SIZES["day"])


@pytest.mark.parametrize("row", SIZES["undertakings"], ids=str)
def test_the_single_undertaking(row):
    assert rules.undertaking(LAWS, links(row["links"]), row["firm"], SIZES["day"]) == row["found"]


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(25, 100)),
        max_size=14,
    )
)
def test_a_circle_is_found_if_and_only_if_there_is_one(edges):
    found = rules.find_cycle([rules.Link(str(a), str(b), Decimal(s)) for a, b, s in edges])
    pairs = {(str(a), str(b)) for a, b, _ in edges}
    if found is not None:
        assert found[0] == found[-1]
        assert all(pair in pairs for pair in zip(found, found[1:]))
    else:  # without a circle, taking away those that own nothing left ends with nothing
        left = set(pairs)
        while left:
            owners = {a for a, _ in left}
            kept = {(a, b) for a, b in left if b in owners}
            assert kept != left
            left = kept


# -- cumulation ---------------------------------------------------------------------------------------------------


def numbers(row):
    return {
        k: {n: money(v) for n, v in value.items()}
        if k in ("amounts", "bases")
        else tuple(value)
        if k == "bonuses"
        else money(value)
        if k in ("base", "union", "eligible")
        else value
        for k, value in row.items()
    }


@pytest.mark.parametrize("row", SUMS["cases"], ids=lambda r: r["name"])
def test_all_public_money_together(row):
    found = rules.check_ceilings(LAWS, [rules.Line(**numbers(line)) for line in row["lines"]], SUMS["day"])
    assert len(found) == 1
    check(found[0], row)


@pytest.mark.parametrize("row", SUMS["plans"], ids=lambda r: r["name"])
def test_money_that_is_not_split_by_category(row):
    check(rules.check_plans(LAWS, [rules.Plan(**numbers(row["plan"]))], SUMS["day"])[0], row)


def check(verdict, row):
    assert (verdict.allowed, verdict.margin, verdict.holds) == (
        money(row["allowed"]),
        money(row["margin"]),
        row["holds"],
    )
    for words in row.get("words", []):
        assert words in french(verdict.refusal)
    assert verdict.why.steps


@pytest.mark.parametrize("row", SUMS["cluster"], ids=lambda r: r["name"])
def test_aid_to_the_cluster_itself(row):
    found = rules.cluster_aid(LAWS, [rules.ClusterLine(**numbers(line)) for line in row["lines"]], SUMS["day"])
    assert [(c.holds, c.margin) for c in found.checks] == [(row["holds"], money(row["margin"]))]
    assert found.years == row["years"]
    assert (found.years_refusal is not None) is row.get("too_long", False)


def test_a_beneficiary_has_one_size():
    two = [rules.Line("A", "industrial", size, Decimal(100)) for size in ("small", "medium")]
    with pytest.raises(Refused, match="deux tailles"):
        rules.check_ceilings(LAWS, two, SUMS["day"])


CENTS = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)


@given(
    st.lists(
        st.builds(
            rules.Line,
            partner=st.sampled_from("ABC"),
            category=st.sampled_from(["fundamental", "industrial", "experimental", "feasibility"]),
            size=st.just("medium"),
            base=CENTS,
            amounts=st.dictionaries(st.sampled_from(["État", "Région", "Ville"]), CENTS),
        ),
        max_size=12,
    )
)
def test_cents_are_never_lost_and_no_ceiling_is_passed_unseen(lines):
    found = rules.check_ceilings(LAWS, lines, SUMS["day"])
    assert sum(c.total for c in found) == sum((sum(x.amounts.values(), Decimal(0)) for x in lines), Decimal(0))
    assert sum(c.base for c in found) == sum((x.base for x in lines), Decimal(0))
    for c in found:
        assert c.total + c.margin == c.allowed
        assert c.allowed <= c.base
        assert c.allowed == c.allowed.quantize(Decimal("0.01"))
        assert c.holds is (c.total <= c.allowed)
        assert sum(c.amounts.values(), Decimal(0)) == c.total


# -- the terminal -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", table("terminal"), ids=lambda r: r["type"])
def test_what_an_officer_types(row):
    with speaking("fr"):
        told = CliRunner().invoke(aid_app, shlex.split(row["type"]))
    said = told.output.replace("\u202f", " ").replace("\xa0", " ")
    assert told.exit_code == row["code"], said
    for words in row["words"]:
        assert words in said
