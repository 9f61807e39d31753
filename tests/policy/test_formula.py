from decimal import Decimal, localcontext

import pytest
from hypothesis import given, strategies as st

from jalon.policy import Formula, FormulaError

NAMES = ("clusters.members", "clusters.members_sme", "contracts.budget_total")


@pytest.mark.parametrize(
    ("source", "measures", "expected"),
    [
        ("1 + 2 * 3", {}, "7"),
        ("(1 + 2) * 3", {}, "9"),
        ("-2 - -3", {}, "1"),
        ("0.1 + 0.2", {}, "0.3"),
        ("100 * clusters.members_sme / clusters.members", {"clusters.members_sme": 57, "clusters.members": 100}, "57"),
        ("100 * a.b / c.d", {"a.b": 1, "c.d": 0}, None),
        ("a.b / (c.d - c.d)", {"a.b": 1, "c.d": 4}, None),
        ("a.b + 1", {"a.b": None}, None),
        ("a.b + 1", {}, None),
        ("0 * a.b", {"a.b": None}, None),
        ("a.b", {"a.b": 0}, "0"),
    ],
)
def test_evaluates(source, measures, expected):
    value = Formula.parse(source).evaluate(measures)
    assert value == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    "source",
    [
        "", "1 +", "a.b c.d", "open('x')", "a.b ** 2", "a.b // 2", "a.b % 2", "a[0]", "'x'", "1 if a.b else 2",
        "a.b < 2", "True", "1j", "lambda: 1", "__import__('os').system('x')", "[1]", "a.b and 1", "~1", "+1",
        "-(" * 100 + "1" + ")" * 100, "9" * 600, "1\n+2; 3", "f'{1}'", "1e999999999999999999999",
    ],
)  # fmt: skip
def test_refuses_anything_else(source):
    with pytest.raises(FormulaError):
        Formula.parse(source)


def test_names_its_measures_once_in_order():
    formula = Formula.parse("100 * b.c / (b.c + a.b)")
    assert formula.measures == ("b.c", "a.b")
    assert str(formula) == "100 * b.c / (b.c + a.b)"


def test_asks_a_function_for_the_measures():
    assert Formula.parse("a.b * 2").evaluate(lambda name: len(name)) == 6


numbers = st.integers(0, 10**6).map(str) | st.decimals(0, 1000, places=2).map(str)
sources = st.recursive(
    numbers | st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda x: f"-({x})"),
    ),
    max_leaves=8,
)
measures = st.fixed_dictionaries({name: st.none() | st.integers(0, 10**5) for name in NAMES})


@given(sources, measures)
def test_agrees_with_decimal_arithmetic(source, values):
    """Against Python's own arithmetic over Decimals, with unknown and zero denominators as None."""
    formula = Formula.parse(source)
    found = formula.evaluate(values)
    if any(values[name] is None for name in formula.measures):
        assert found is None
        return
    spelled = source
    for name in sorted(NAMES, key=len, reverse=True):
        spelled = spelled.replace(name, f"D_({values[name]})")
    expression = _wrap_numbers(spelled)
    with localcontext() as context:
        context.prec = 34
        try:
            expected = eval(expression, {"__builtins__": {}, "D": Decimal})  # noqa: S307 - built above from numbers
        except ArithmeticError:
            expected = None
    assert found == expected


def _wrap_numbers(source):
    import re

    return re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)", r"D('\1')", source.replace("D_", ""))
