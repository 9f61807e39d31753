"""Rounds are opened by the policy's calendar, once, and closed after their due day."""

from __future__ import annotations

import datetime as dt

import pytest

from jalon.core.errors import NotAllowed, Refused
from jalon.core.models import JournalEntry
from jalon.programme import actions, queries
from jalon.programme.models import Round
from tests import factories as f

pytestmark = pytest.mark.django_db

DAY = dt.date(2010, 1, 10)


@pytest.fixture
def officer():
    return f.make_actor("national_officer")


def test_only_periods_that_have_ended_and_have_a_delay_in_force_can_be_opened(policy):
    assert [r.code for r in queries.can_open(policy, dt.date(2009, 12, 31))] == []  # 2008 had no reporting rule
    assert [r.code for r in queries.can_open(policy, dt.date(2010, 1, 1))] == ["2009"]
    assert [r.code for r in queries.can_open(policy, dt.date(2012, 1, 1))] == ["2009", "2010", "2011"]


def test_a_round_takes_its_days_from_the_calendar_and_is_opened_once(officer, policy):
    made = actions.open_round("2009", by=officer, on=DAY)
    assert (made.period_start, made.period_end, made.opens_on, made.due_on) == (
        dt.date(2009, 1, 1),
        dt.date(2009, 12, 31),
        dt.date(2010, 1, 1),
        dt.date(2010, 3, 31),
    )
    assert JournalEntry.objects.get(case=actions.case_of(made)).act == "round.open"
    assert queries.current_round(policy.slug, DAY) == made
    assert queries.current_round(policy.slug, dt.date(2009, 12, 1)) is None
    with pytest.raises(Refused, match="déjà ouverte"):
        actions.open_round("2009", by=officer, on=DAY)


@pytest.mark.parametrize("code", ["2010", "1999", "2009-S1", ""])
def test_what_the_calendar_does_not_hold_is_not_opened(officer, code):
    with pytest.raises(Refused, match="n'a pas de campagne"):
        actions.open_round(code, by=officer, on=DAY)
    assert not Round.objects.exists()


def test_an_officer_may_give_another_due_day_after_the_opening(officer):
    with pytest.raises(Refused, match="avant l'ouverture"):
        actions.open_round("2009", by=officer, on=DAY, due_on=dt.date(2009, 12, 1))
    assert actions.open_round("2009", by=officer, on=DAY, due_on=dt.date(2010, 4, 30)).due_on == dt.date(2010, 4, 30)


def test_a_round_is_closed_once_after_its_due_day(officer):
    made = actions.open_round("2009", by=officer, on=DAY)
    with pytest.raises(Refused, match="court jusqu'au"):
        actions.close_round(made, by=officer, on=dt.date(2010, 3, 31))
    actions.close_round(made, by=officer, on=dt.date(2010, 4, 1))
    with pytest.raises(Refused, match="déjà close"):
        actions.close_round(made, by=officer, on=dt.date(2010, 4, 2))


@pytest.mark.parametrize("role", ["state_correspondent", "cluster_director", "local_authority", "reader"])
def test_only_the_national_officer_opens_rounds(role):
    with pytest.raises(NotAllowed):
        actions.open_round("2009", by=f.make_actor(role), on=DAY)
