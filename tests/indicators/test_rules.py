"""Reading what was typed, and the checks before submission."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given, strategies as st

from jalon.core.errors import Refused
from jalon.indicators.rules import Definition, check_value, fraction_of, read_number
from jalon.policy import Formula


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("1 234", "1234"),
        ("1\u202f234,50 €", "1234.5"),
        ("1\u00a0234\u00a0567", "1234567"),
        ("57 %", "57"),
        ("-3", "-3"),
        ("\u22123,25", "-3.25"),
        ("0", "0"),
        (",5", "0.5"),
        ("11 ETP", "11"),
        ("007", "7"),
    ],
)
def test_numbers_as_people_type_them(typed, value):
    assert read_number(typed) == D(value)


@pytest.mark.parametrize("typed", ["", "  ", None])
def test_nothing_is_unknown_not_zero(typed):
    assert read_number(typed) is None


@pytest.mark.parametrize(
    "typed",
    ["douze", "1 2", "1,2,3", "1.234,5", "=1+1", "12 34", "1e5", "NaN", "Infinity", "--4", "1" * 14, "0,1234567"],
)
def test_what_is_not_one_number_is_refused(typed):
    with pytest.raises(Refused) as refused:
        read_number(typed)
    assert refused.value.kind == "input"


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False, allow_infinity=False))
def test_a_number_written_the_french_way_is_read_back(value):
    assert read_number(format(value, "f").replace(".", ",")) == value


def codes(definition, **given):
    return [(f.level, f.code) for f in check_value(definition, **given)]


COUNT = Definition(unit="count", decimals=0, jump=D("0.5"))
PERCENT = Definition(unit="percent", decimals=1)


@pytest.mark.parametrize(
    ("definition", "given", "found"),
    [
        (COUNT, {"value": D(12)}, []),
        (COUNT, {"value": None}, [("error", "missing")]),
        (COUNT, {"value": None, "note": "enquête en cours"}, []),
        (COUNT, {"value": D(-1)}, [("error", "range")]),
        (COUNT, {"value": D("2.5")}, [("error", "whole")]),
        (COUNT, {"value": D(20), "previous": D(10)}, [("warning", "jump")]),
        (COUNT, {"value": D(15), "previous": D(10)}, []),
        (COUNT, {"value": D(20), "previous": D(10), "note": "deux appels de plus"}, []),
        (COUNT, {"value": D(20), "previous": D(0)}, []),
        (PERCENT, {"value": D(101)}, [("error", "range")]),
        (PERCENT, {"value": D(50), "numerator": D(1), "denominator": D(2)}, []),
        (PERCENT, {"value": D(60), "numerator": D(1), "denominator": D(2)}, [("error", "fraction")]),
        (PERCENT, {"value": D(60), "numerator": D(1)}, [("error", "fraction")]),
        (PERCENT, {"value": D(60), "numerator": D(1), "denominator": D(0)}, [("error", "fraction")]),
        (COUNT, {"value": D(9), "breakdowns": {"type": {"a": D(4), "b": D(5)}}}, []),
        (COUNT, {"value": D(10), "breakdowns": {"type": {"a": D(4), "b": D(5)}}}, [("error", "breakdown")]),
        (
            COUNT,
            {"value": D(10), "breakdowns": {"type": {"a": D(4), "b": None}}},
            [("warning", "breakdown_incomplete")],
        ),
        (COUNT, {"value": D(3), "breakdowns": {"type": {"a": D(4), "b": None}}}, [("error", "breakdown")]),
        (COUNT, {"value": D(3), "breakdowns": {"type": {"a": D(4), "b": D(-1)}}}, [("error", "breakdown")]),
        (
            COUNT,
            {"value": None, "note": "x", "breakdowns": {"type": {"a": D(4)}}},
            [("error", "breakdown_without_total")],
        ),
        (Definition(unit="count", evidence_required=True), {"value": D(3)}, [("warning", "evidence")]),
        (Definition(unit="count", evidence_required=True), {"value": D(3), "evidence": True}, []),
        (Definition(unit="other"), {"value": D(-3)}, []),
        (Definition(unit="yes_no"), {"value": D(2)}, [("error", "range")]),
        (Definition(unit="count", minimum=D(5)), {"value": D(4)}, [("error", "range")]),
    ],
)
def test_checks(definition, given, found):
    assert codes(definition, **given) == found


def test_errors_come_before_warnings():
    levels = [f.level for f in check_value(COUNT, value=D("-40"), previous=D(10))]
    assert levels == sorted(levels)


@pytest.mark.parametrize(
    ("formula", "top", "bottom"),
    [("100 * a.b / c.d", 3, 4), ("a.b / c.d", 3, 4), ("100 * (a.b / c.d)", 3, 4), ("100 * (a.b + c.d) / c.d", 7, 4)],
)
def test_numerator_and_denominator_of_a_formula(formula, top, bottom):
    parts = fraction_of(Formula.parse(formula))
    values = [Formula("", tree, ()).evaluate({"a.b": 3, "c.d": 4}) for tree in parts]
    assert values == [top, bottom]


@pytest.mark.parametrize("formula", ["a.b", "a.b / 4", "a.b + c.d"])
def test_no_fraction(formula):
    assert fraction_of(Formula.parse(formula)) is None
