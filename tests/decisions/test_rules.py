"""Rules of decisions, without a database: tables that an officer can read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given, strategies as st

from jalon.decisions import rules

HERE = Path(__file__).parents[1] / "cases/decisions"


def cases(name):
    rows = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return [pytest.param(row, id=row["case"]) for row in rows]


@pytest.mark.parametrize("case", cases("authority"))
def test_authority(policy, case):
    refusal = rules.authority_refusal(policy, case["authority"], case["day"], case.get("role", "label_authority"))
    assert (refusal is None) == case["accepted"]
    if refusal is not None:
        assert str(refusal[0])
        assert refusal[1] is not None


@pytest.mark.parametrize("case", cases("durations"))
def test_durations(policy, case):
    line = rules.LineFacts(
        kind=case["kind"],
        starts=case["from"],
        until=case.get("until"),
        label=case["kind"] != "label",
        named=case["kind"] == "label",
        conditions="Conditions d'essai.",
        reasons=case.get("reasons", "Motifs d'essai."),
    )
    found = rules.line_refusals(policy, line, case["decided"])
    assert (not found) == case["accepted"], [str(r) for r, _ in found]


@pytest.mark.parametrize("case", cases("appeal"))
def test_appeal(policy, case):
    clock = rules.appeal_clock(
        policy, case["received"], overseas=case.get("overseas", False), place=case.get("place", "")
    )
    assert clock.until == case["until"]
    assert clock.why is not None
    if clock.until is not None:
        assert clock.why.to_confirm  # the two months are still to be checked on the official text
        assert clock.light(clock.until) == "at_risk"
        assert clock.light(clock.until + dt.timedelta(days=1)) == "done"


@given(st.dates(dt.date(2005, 1, 1), dt.date(2030, 12, 31)))
def test_an_appeal_never_ends_on_a_day_off_nor_before_two_months(day):
    from jalon.policy import load

    laws = load(Path(__file__).parents[2] / "policies/fr-poles-de-competitivite")
    until = rules.appeal_clock(laws, day).until
    assert laws.working_days.is_working(until)
    assert dt.timedelta(days=60) <= until - day <= dt.timedelta(days=68)


@pytest.mark.parametrize("case", cases("candidacies"))
def test_missing_in_candidacy(case):
    without = set(case.get("without", ()))
    content = {k: "" if k in without else "Texte" for k in ("theme", "stakes", "axes", "partnership")}
    found = rules.missing_in_candidacy(
        "" if "name" in without else "Nom",
        "organisation" not in without,
        [] if "regions" in without else ["72"],
        content,
        [{"kind": k} for k in case.get("partners", ["company", "company", "research"])],
    )
    assert len(found) == case["missing"], [str(f) for f in found]


@given(st.dates(dt.date(2005, 1, 1), dt.date(2030, 12, 31)), st.integers(1, 10))
def test_years_granted_are_those_given(starts, years):
    last = rules.last_day_of(starts, years)
    assert rules.years_granted(starts, last) == years
    assert rules.years_granted(starts, last + dt.timedelta(days=1)) != years


def test_ranking_shares_places_and_leaves_out_what_has_no_score():
    found = rules.ranking(
        [
            ("a", [{"x": "4"}, {"x": "2"}], ["favourable"]),
            ("b", [{"x": "3"}], ["favourable"]),
            ("c", [{"x": "5"}], ["favourable"]),
            ("d", [], []),
            ("e", [{"x": "3"}], ["unfavourable"]),
        ]
    )
    assert [(s.key, s.place) for s in found] == [("c", 1), ("a", 2), ("b", 2), ("e", 4), ("d", None)]


@pytest.mark.parametrize(
    ("scores", "justification", "faults"),
    [
        ({"themes": "4"}, "Parce que.", 0),
        ({"themes": "4,5"}, "Parce que.", 0),
        ({"themes": "4"}, "", 1),
        ({"themes": "6"}, "Parce que.", 1),
        ({"themes": "-1"}, "Parce que.", 1),
        ({"themes": "NaN"}, "Parce que.", 1),
        ({"themes": "quatre"}, "Parce que.", 1),
        ({"inconnu": "4"}, "Parce que.", 2),
        ({}, "Parce que.", 1),
    ],
)
def test_a_score_needs_its_justification_and_its_range(scores, justification, faults):
    level = SimpleNamespace(scored=True)
    assert len(rules.review_refusals(level, scores, justification, ["themes"], 5)) == faults


@pytest.mark.parametrize(
    ("on", "accepted"),
    [(dt.date(2009, 6, 29), False), (dt.date(2009, 6, 30), True), (dt.date(2009, 10, 2), True), (dt.date(2009, 10, 3), False)],
)  # fmt: skip
def test_a_call_is_open_to_the_midnight_of_its_last_day(on, accepted):
    assert (rules.window_refusal(dt.date(2009, 6, 30), dt.date(2009, 10, 2), on) is None) == accepted


def test_a_phase_is_not_closed_before_its_end_as_known(policy):
    phase = policy.phase("phase-2")
    before = rules.closing_refusals(policy, phase, dt.date(2011, 12, 31), [])
    assert "31 décembre 2012" in str(before[0]).replace("\xa0", " ")  # the extension of 11 May 2010 is known by then
    assert rules.closing_refusals(policy, phase, dt.date(2013, 1, 1), []) == []
    barred = rules.Checked("decisions", policy.title, True, 2)
    assert len(rules.closing_refusals(policy, phase, dt.date(2013, 1, 1), [barred])) == 1


def test_breaks_of_a_series_are_where_its_definition_changes(policy):
    (found,) = rules.breaks_of(policy.indicator("sme_share"))
    assert found.on == dt.date(2011, 1, 1)
    assert rules.breaks_of(policy.indicator("members_by_type")) == []
