"""Rules of the register, in tables, without a database."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from jalon.clusters import rules
from jalon.clusters.labels import LabelActRecord
from jalon.core.errors import Refused
from jalon.core.lang import speaking

THRESHOLD = SimpleNamespace(value=Decimal("0.5"), unit_title="", reference="lecture", url="")


def act(what, start, until=None):
    return LabelActRecord(what, date.fromisoformat(start), date.fromisoformat(until) if until else None)


GRANTED = [act("granted", "2005-07-12", "2008-12-31"), act("confirmed", "2009-01-01", "2011-12-31")]

ACCEPTED = [
    ("extension from the day after the end", GRANTED, act("extended", "2012-01-01", "2012-12-31")),
    ("a gap between two periods", GRANTED, act("granted", "2014-01-01", None)),
    ("withdrawn inside a period", GRANTED, act("withdrawn", "2010-05-11")),
    ("withdrawn on the day after the end", GRANTED, act("expired", "2012-01-01")),
    ("first act of a label", [], act("granted", "2024-01-08", "2026-12-31")),
]


@pytest.mark.parametrize(("_what", "acts", "new"), ACCEPTED, ids=[a[0] for a in ACCEPTED])
def test_an_act_that_fits_is_accepted(_what, acts, new):
    rules.check_act(acts, new)


REFUSED = [
    ("extension inside the period", GRANTED, act("extended", "2011-06-01", "2012-12-31"), "chevauche"),
    ("open period before a later one", GRANTED, act("granted", "2004-01-01"), "chevauche"),
    ("withdrawn before the grant", GRANTED, act("withdrawn", "2005-07-01"), "pas encore été attribué"),
    ("withdrawn on the day of the grant", GRANTED[:1], act("withdrawn", "2005-07-12"), "prend déjà effet"),
    ("withdrawn without any act", [], act("withdrawn", "2010-05-11"), "pas encore été attribué"),
    ("withdrawn when nothing is in force", GRANTED, act("withdrawn", "2013-01-01"), "rien à y mettre fin"),
    ("two acts on one day", GRANTED, act("renewed", "2009-01-01", "2009-12-31"), "prend déjà effet"),
    ("end before start", [], act("granted", "2010-05-11", "2010-05-10"), "précède le début"),
    ("an ending act with an end", GRANTED, act("withdrawn", "2010-05-11", "2010-06-01"), "pas de date de fin"),
    ("unknown act", GRANTED, act("blessed", "2012-01-01"), "inconnu"),
]


@pytest.mark.parametrize(("_what", "acts", "new", "words"), REFUSED, ids=[r[0] for r in REFUSED])
def test_an_act_that_does_not_fit_is_refused_with_the_reason(_what, acts, new, words):
    with pytest.raises(Refused) as refusal, speaking("fr"):
        rules.check_act(acts, new)
    with speaking("fr"):
        assert words in str(refusal.value).replace("\u00a0", " ")


def test_a_refusal_names_the_periods_it_compared():
    with pytest.raises(Refused) as refusal:
        rules.check_act(GRANTED, act("extended", "2011-06-01"))
    assert "31/12/2011" in str(next(iter(refusal.value.why.inputs.values())))


@pytest.mark.parametrize(
    ("seats", "answer"),
    [
        ({"industry": 3, "research": 2, "authority": 4}, True),
        ({"industry": 2, "authority": 2}, False),  # one half is not more than one half
        ({"industry": 1, "research": 1, "training": 1, "authority": 2, "other": 1}, False),
        ({"authority": 5}, False),
        ({}, None),
    ],
)
def test_preponderance_is_a_strict_majority_and_says_that_it_is_our_reading(seats, answer):
    found = rules.preponderance(seats, ("industry", "research", "training"), THRESHOLD, date(2010, 6, 30))
    assert found.answer is answer
    assert found.why.reading is True
    assert found.why.parameter == "governance.preponderant_share_above"


def test_without_a_threshold_in_force_the_balance_is_unknown():
    found = rules.preponderance({"industry": 3}, ("industry",), None, date(2004, 1, 1))
    assert found.answer is None


@pytest.mark.parametrize("fte", ["0", "-1", "100.01"])
def test_impossible_full_time_equivalents_are_refused(fte):
    with pytest.raises(Refused):
        rules.check_fte(Decimal(fte))


def test_a_post_of_a_part_of_a_day_is_accepted():
    rules.check_fte(Decimal("0.2"))
    rules.check_period(date(2010, 1, 1), date(2010, 1, 1))


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(Refused):
        rules.check_period(date(2010, 1, 2), date(2010, 1, 1))


@pytest.mark.parametrize("text", ["2010-02-30", "hier", "12/05/2010"])
def test_a_wrong_day_is_refused_with_what_was_expected(text):
    with pytest.raises(Refused) as refusal:
        rules.day_asked(text, None)
    assert text in str(refusal.value) and "2010-05-12" in str(refusal.value)


def test_no_day_asked_is_the_day_given():
    assert rules.day_asked("", date(2010, 6, 30)) == date(2010, 6, 30)
