"""The review of a group 2 contract: eighteen months after its start, and only for that group."""

import datetime as dt

import pytest

from jalon.contracts.rules import mid_term_review


def review(policy, starts_on, group, day, code="performance-2009"):
    return mid_term_review(
        starts_on=starts_on,
        group=group,
        template=policy.contract_template(code),
        policy_day=policy.on(day),
        day=day,
    )


@pytest.mark.parametrize(
    ("starts_on", "due_on"),
    [
        (dt.date(2009, 1, 1), dt.date(2010, 7, 1)),
        (dt.date(2009, 6, 17), dt.date(2010, 12, 17)),
        (dt.date(2009, 8, 31), dt.date(2011, 2, 28)),  # the end of a month stays the end of a month
        (dt.date(2010, 8, 31), dt.date(2012, 2, 29)),
    ],
)
def test_eighteen_months_after_the_start(policy, starts_on, due_on):
    found = review(policy, starts_on, "2", dt.date(2009, 3, 2))
    assert found.due_on == due_on
    assert found.why.parameter == "evaluations.mid_term_review_after"
    assert (found.why.value, found.why.unit) == (18, "months")
    assert "Suites de l'évaluation" in found.why.reference


@pytest.mark.parametrize("group", ["1", "3", ""])
def test_other_groups_have_no_review(policy, group):
    assert review(policy, dt.date(2009, 1, 1), group, dt.date(2009, 3, 2)) is None


def test_no_delay_in_force_gives_no_review(policy):
    assert review(policy, dt.date(2009, 1, 1), "2", dt.date(2008, 1, 1)) is None


def test_a_contract_without_start_has_no_review(policy):
    assert review(policy, None, "2", dt.date(2009, 3, 2)) is None
