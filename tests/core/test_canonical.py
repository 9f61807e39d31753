"""The canonical form: the same content gives the same bytes, a different one does not."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from jalon.core.canonical import canonical, decimal_text, sha256
from jalon.core.lang import T

plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1200.50"), "1200.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "0"),
        (Decimal("0.000001"), "0.000001"),
    ],
)
def test_decimals_are_written_out(value, text):
    assert decimal_text(value) == text


def test_known_form():
    content = {"b": Decimal("2.50"), "a": [dt.date(2009, 6, 30), None, True], "c": "e\u0301\r\n"}
    assert canonical(content) == '{"a":["2009-06-30",null,true],"b":"2.5","c":"é\\n"}'
    assert sha256("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"


@given(st.dictionaries(st.text(max_size=8), plain_values, max_size=6))
def test_order_of_keys_does_not_count(content):
    assert canonical(content) == canonical(dict(reversed(list(content.items()))))


def test_a_float_has_no_canonical_form():
    with pytest.raises(TypeError, match="float"):
        canonical({"amount": 0.1})


def test_a_pair_of_texts_keeps_both():
    assert canonical(T("pôle", "cluster")) == '{"en":"cluster","fr":"pôle"}'
