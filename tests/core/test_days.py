"""Working days: the table that an officer reads, and what must hold for any day."""

import datetime as dt
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from jalon.core import days
from jalon.policy import load

CASES = yaml.safe_load(
    (Path(__file__).parent.parent / "cases" / "core" / "working_days.yaml").read_text(encoding="utf-8")
)
DAYS = st.dates(dt.date(2004, 1, 1), dt.date(2030, 12, 31))
FRENCH = load("fr-poles-de-competitivite").working_days


@pytest.mark.parametrize("case", CASES["delais"], ids=lambda c: c["cas"])
def test_delay(case):
    place = case.get("lieu", "")
    assert FRENCH.plus(case["de"], case["jours"], place) == case["attendu"]
    if case["jours"]:
        assert FRENCH.is_working(case["attendu"], place)
        assert FRENCH.between(case["de"], case["attendu"], place) in (case["jours"], case["jours"] - 1)


@pytest.mark.parametrize(("year", "day"), CASES["paques"].items())
def test_easter(year, day):
    assert days.easter(year) == day
    assert day.weekday() == 6


@given(DAYS, st.integers(1, 300), st.sampled_from(["", "974", "67"]))
def test_counting_forwards_and_between_agree(day, count, place):
    later = FRENCH.plus(day, count, place)
    assert FRENCH.is_working(later, place)
    assert FRENCH.between(day, later, place) == count
    assert FRENCH.between(later, day, place) == -sum(
        FRENCH.is_working(day + dt.timedelta(days=n), place) for n in range((later - day).days)
    )


@given(DAYS, st.sampled_from(["", "971"]))
def test_a_delay_that_ends_on_a_day_off(day, place):
    after, before = FRENCH.not_before(day, place), FRENCH.not_after(day, place)
    assert before <= day <= after
    assert FRENCH.is_working(after, place)
    assert FRENCH.is_working(before, place)
    assert (before == after) == FRENCH.is_working(day, place)
    assert FRENCH.between(before, after, place) == (before != after)


def test_a_programme_without_holidays_counts_weekends_only():
    other = load("example-nordlys").working_days
    assert other.holidays(2010) == {}
    assert other.plus(dt.date(2010, 12, 24), 1) == dt.date(2010, 12, 27)


def test_an_absurd_delay_is_refused():
    with pytest.raises(ValueError, match="at most"):
        FRENCH.plus(dt.date(2010, 1, 1), 10_000)
