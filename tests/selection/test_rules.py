"""Scores, ranks, shares, checks and lists, against tables of cases and for any values."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from jalon.core.errors import Refused
from jalon.selection import rules

CASES = Path(__file__).parents[1] / "cases" / "selection"


def table(name):
    return yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))


def named(case):
    return case["case"]


def number(value):
    return None if value is None else Decimal(str(value))


def scale_of(case):
    return rules.Scale(
        criteria=tuple(
            rules.Criterion(code, code, number(c.get("weight")), number(c.get("minimum")))
            for code, c in case["criteria"].items()
        ),
        minimum_total=number(case.get("minimum_total")),
        tie_rule=case.get("tie_rule", "shared"),
        tie_order=tuple(case.get("tie_order", ())),
    )


@pytest.mark.parametrize("case", table("ranking"), ids=named)
def test_ranking(case):
    scores = {name: {c: number(v) for c, v in row.items()} for name, row in case["scores"].items()}
    found = rules.ranking(scores, scale_of(case))
    assert [[r.key, None if r.total is None else str(r.total), r.rank or "-"] for r in found] == case["expect"]
    if "tied" in case:
        assert [r.key for r in found if r.tied] == case["tied"]
    failures = {r.key: len(r.failures) for r in found if r.failures}
    assert failures == case.get("failures", {})


MONEY = table("money")


@pytest.mark.parametrize("case", MONEY["amounts"], ids=named)
def test_amount_of_a_rate(case):
    assert str(rules.amount_of(Decimal(case["base"]), Decimal(case["rate"]))) == case["expect"]


@pytest.mark.parametrize("case", MONEY["splits"], ids=named)
def test_splits(case):
    found = rules.split(Decimal(case["total"]), [number(w) for w in case["weights"]])
    assert found == [Decimal(e) for e in case["expect"]]


@pytest.mark.parametrize("case", MONEY["refused_splits"], ids=named)
def test_what_cannot_be_split(case):
    with pytest.raises(Refused):
        rules.split(Decimal(case["total"]), [number(w) for w in case["weights"]])


@pytest.mark.parametrize("case", MONEY["percents"], ids=named)
def test_percents(case):
    assert rules.percents([Decimal(a) for a in case["amounts"]]) == [Decimal(e) for e in case["expect"]]


def line_of(given):
    cells = tuple(rules.Cell(f, s, "grant", number(i), number(d)) for f, s, i, d in given["cells"])
    return rules.Line(
        "p",
        number(given["base"]),
        cells,
        number(given["call_rate"]),
        number(given.get("call_amount")),
        number(given["aid_rate"]),
        expected=tuple(given.get("expected", ())),
    )


@pytest.mark.parametrize("case", table("checks"), ids=named)
def test_checks(case):
    found = rules.checks(line_of(case["line"]))
    assert [[c.code, c.light] for c in found] == case["expect"]
    assert any(c.blocks for c in found) is case.get("blocks", False)
    for check in found:
        assert check.text.in_language("fr") != check.text.in_language("en")


@pytest.mark.parametrize("case", table("lists"), ids=named)
def test_lists(case):
    entries = [rules.Entry(*row) for row in case["entries"]]
    faults = rules.list_faults(entries, {p: p for p in case["ranks"]}, case["ranks"])
    assert len(faults) == case["faults"], [str(f) for f in faults]


@pytest.mark.parametrize("value", ["-0.5", "5.5", "2.25", "NaN", "Infinity"])
def test_scores_out_of_the_scale(value):
    with pytest.raises(Refused) as refused:
        rules.check_score(Decimal(value), rules.Scale(()), where="Marché")
    assert "Marché" in str(refused.value)


cents = st.integers(0, 10**13).map(lambda n: Decimal(n) / 100)
weights = st.lists(st.decimals(0, 10**9, places=3), min_size=1, max_size=8).filter(lambda w: sum(w) > 0)


@given(cents, weights)
def test_a_split_loses_nothing(total, shares):
    parts = rules.split(total, shares)
    assert sum(parts) == total
    assert all(part >= 0 and part == part.quantize(Decimal("0.01")) for part in parts)
    whole = sum(shares)
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - total * share / whole) < Decimal("0.0100000001")
        assert part == 0 or share > 0


@given(st.lists(cents, min_size=1, max_size=8))
def test_shares_add_up_to_a_hundred(amounts):
    assert sum(rules.percents(amounts)) == (100 if sum(amounts) else 0)


@given(cents, st.decimals(0, 100, places=3))
def test_an_amount_never_exceeds_its_rate(base, rate):
    amount = rules.amount_of(base, rate)
    assert amount <= base * rate / 100 < amount + Decimal("0.01")


amounts = st.one_of(st.none(), st.integers(0, 10**9).map(lambda n: Decimal(n) / 100))
cells = st.tuples(st.sampled_from("abcd"), st.sampled_from(["state", "region"]), amounts, amounts)


@given(st.lists(st.tuples(st.integers(0, 10**10), st.lists(cells, max_size=4)), min_size=1, max_size=6))
def test_the_table_balances(rows):
    lines = [
        rules.Line(n, Decimal(base) / 100, tuple(rules.Cell(f, s, "grant", i, d) for f, s, i, d in row))
        for n, (base, row) in enumerate(rows)
    ]
    found = rules.balance(lines)
    assert sum(found.by_partner.values()) == sum(found.by_funder.values()) == found.public
    assert found.state + found.local == found.public
    assert found.own + found.public == found.base
    assert sum(found.shares.values()) == (100 if found.public else 0)


scores = st.fixed_dictionaries({c: st.integers(0, 10).map(lambda n: Decimal(n) / 2) for c in "abc"})
scales = st.builds(
    lambda w, m, t: rules.Scale(
        tuple(rules.Criterion(c, c, Decimal(n) if n is not None else None) for c, n in zip("abc", w, strict=True)),
        m,
        "criteria" if t else "shared",
        tuple(t),
    ),
    st.tuples(*[st.one_of(st.none(), st.integers(0, 9)) for _ in "abc"]),
    st.one_of(st.none(), st.integers(0, 5).map(Decimal)),
    st.lists(st.sampled_from("abc"), max_size=2, unique=True),
)


@given(st.dictionaries(st.integers(0, 99), scores, max_size=12), scales)
def test_ranks_follow_totals_and_nobody_is_lost(scored, scale):
    found = rules.ranking(scored, scale)
    assert sorted(r.key for r in found) == sorted(scored)
    placed = [r for r in found if r.rank is not None]
    assert placed == found[: len(placed)]
    for position, row in enumerate(placed, 1):
        better = [o for o in placed if rules.sort_key(scored[o.key], scale) > rules.sort_key(scored[row.key], scale)]
        assert row.rank == len(better) + 1 <= position
        level = [o for o in placed if o.rank == row.rank]
        assert row.tied is (len(level) > 1)
        assert not any(o.total > row.total for o in level) or scale.tie_rule == "criteria"
    assert all(r.failures or r.total is None for r in found[len(placed) :])
