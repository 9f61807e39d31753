"""Reporting rounds: whole calendar periods that share a day with the contract."""

from datetime import date as D

import pytest
from hypothesis import given, strategies as st

from jalon.policy import load, rules


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (D(2009, 12, 31), 3, D(2010, 3, 31)),
        (D(2009, 12, 31), 2, D(2010, 2, 28)),
        (D(2011, 12, 31), 2, D(2012, 2, 29)),
        (D(2010, 6, 30), 1, D(2010, 7, 31)),
        (D(2012, 2, 29), 12, D(2013, 2, 28)),
        (D(2011, 2, 28), 12, D(2012, 2, 29)),
        (D(2012, 2, 28), 12, D(2013, 2, 28)),
        (D(2010, 1, 30), 1, D(2010, 2, 28)),
        (D(2010, 1, 15), 18, D(2011, 7, 15)),
        (D(2010, 3, 31), -1, D(2010, 2, 28)),
        (D(2009, 1, 1), 18, D(2010, 7, 1)),
    ],
)
def test_plus_months(day, months, expected):
    assert rules.plus_months(day, months) == expected


@pytest.mark.parametrize(
    ("period", "day", "first", "last", "code"),
    [
        ("year", D(2012, 2, 29), D(2012, 1, 1), D(2012, 12, 31), "2012"),
        ("half", D(2012, 6, 30), D(2012, 1, 1), D(2012, 6, 30), "2012-H1"),
        ("half", D(2012, 7, 1), D(2012, 7, 1), D(2012, 12, 31), "2012-H2"),
        ("quarter", D(2012, 2, 29), D(2012, 1, 1), D(2012, 3, 31), "2012-Q1"),
        ("quarter", D(2012, 12, 31), D(2012, 10, 1), D(2012, 12, 31), "2012-Q4"),
    ],
)
def test_periods(period, day, first, last, code):
    assert rules.period_holding(period, day) == (first, last)
    assert rules.period_code(period, first) == code


@given(st.dates(D(1990, 1, 1), D(2060, 1, 1)), st.integers(0, 2000), st.sampled_from(["year", "half", "quarter"]))
def test_periods_follow_each_other_and_cover_the_contract(start, days, period):
    from datetime import timedelta

    end = start + timedelta(days=days)
    found = list(rules.periods_between(period, start, end))
    assert found[0][0] <= start <= found[0][1] and found[-1][0] <= end <= found[-1][1]
    for (_, before), (after, _) in zip(found, found[1:]):
        assert after - before == timedelta(days=1)


@pytest.fixture(scope="module")
def french():
    return load("fr-poles-de-competitivite")


@pytest.mark.parametrize(
    ("start", "end", "codes"),
    [
        (D(2009, 1, 1), D(2011, 12, 31), ["2009", "2010", "2011"]),
        (D(2009, 1, 1), D(2012, 1, 1), ["2009", "2010", "2011", "2012"]),
        (D(2014, 1, 21), D(2014, 1, 21), ["2014"]),
        (D(2015, 7, 3), D(2018, 12, 31), ["2015", "2016", "2017", "2018"]),
        (D(2006, 1, 1), D(2008, 12, 31), []),  # no yearly duty before the performance contracts
        (D(2008, 6, 1), D(2009, 6, 1), ["2009"]),
        (D(2012, 1, 1), D(2011, 1, 1), []),
    ],
)
def test_rounds_of_a_contract(french, start, end, codes):
    assert [r.code for r in french.rounds(start, end)] == codes


def test_days_of_a_round_across_a_leap_year(french):
    found = french.rounds(D(2011, 1, 1), D(2011, 12, 31))[0]
    assert (found.period_start, found.period_end) == (D(2011, 1, 1), D(2011, 12, 31))
    assert (found.opens_on, found.due_on, found.late_from) == (D(2012, 1, 1), D(2012, 3, 31), D(2012, 4, 1))
    assert found.reminders == (D(2012, 3, 1), D(2012, 3, 24))
    assert found == french.round_holding(D(2011, 7, 14))
    assert found.title.en == "Year 2011"


def test_the_example_reports_every_half_year_with_delays_of_the_time():
    example = load("example-nordlys")
    rounds = {r.code: r for r in example.rounds(D(2018, 1, 1), D(2018, 12, 31))}
    assert list(rounds) == ["2018-H1", "2018-H2"]
    assert rounds["2018-H1"].due_on == D(2018, 8, 29)  # 60 days up to 30 June 2018
    assert rounds["2018-H2"].due_on == D(2019, 2, 14)  # 45 days since
    assert rounds["2018-H2"].late_from == D(2019, 2, 25)
    assert rounds["2018-H2"].reminders == (D(2019, 1, 31),)
