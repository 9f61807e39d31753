"""The rules of labelling, without database; the cases are tables that an officer can read."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from jalon.labelling import rules
from jalon.policy import load

CASES = Path(__file__).parents[1] / "cases" / "labelling"
VOTES = yaml.safe_load((CASES / "votes.yaml").read_text(encoding="utf-8"))
DAYS = yaml.safe_load((CASES / "days.yaml").read_text(encoding="utf-8"))
PROCEDURES = load("fr-poles-de-competitivite").part("labelling").procedures
DEFAULT = next(p for p in PROCEDURES if not p.clusters)


def named(cases):
    return [pytest.param(c, id=c["case"]) for c in cases]


@pytest.mark.parametrize("case", named(VOTES))
def test_votes(case):
    vote = replace(
        DEFAULT.vote,
        quorum=case.get("quorum", 50),
        majority_above=case.get("majority_above", 50),
        tie=case.get("tie", "chair"),
    )
    found = rules.tally(
        vote, roll=case["roll"], votes=case["votes"], recused=case.get("recused", ()), chair=case.get("chair")
    )
    assert found.result == case["result"]
    assert found.by_chair == case.get("by_chair", False)
    for key in ("set_aside", "entitled", "needed"):
        assert getattr(found, key) == case.get(key, getattr(found, key)), key
    assert found.why.reading and found.why.steps


@pytest.mark.parametrize("case", named(DAYS["counts_for_call"]))
def test_a_label_comes_before_the_closing(case):
    about = {"reference": "FAQ", "url": "", "reading": False, "to_confirm": False}
    parameter = SimpleNamespace(value=case.get("rule", True), **about)
    conditional = SimpleNamespace(value=case["conditional"], **about) if "conditional" in case else None
    counts, why = rules.counts_for_call(
        case["decided"], case["closes"], parameter, outcome=case.get("outcome", "labelled"), conditional=conditional
    )
    assert counts is case["counts"]
    assert why.parameter == case.get("parameter", "labelling.label_before_closing")
    assert case.get("words", "") in " ".join(map(str, why.steps))


@pytest.mark.parametrize("case", named(DAYS["over"]))
def test_deadlines_end_at_midnight(case):
    assert rules.over(case["day"], case["today"]) is case["over"]


@pytest.mark.parametrize("case", named(DAYS["reminders"]))
def test_reminders(case):
    assert rules.reminder_due(case["due"], case["before"], case["sent"], case["today"]) == case["reminder"]


def test_delays_stay_within_the_bounds_of_the_procedure():
    assert rules.check_delays(DEFAULT, {"opinions": 20, "committee": 2}) == []
    wrong = rules.check_delays(DEFAULT, {"opinions": 46, "committee": 1, "nothing": 3})
    assert len(wrong) == 3
    assert "entre 5 et 45" in str(wrong[0][0])
    assert "entre 2 et 30" in str(wrong[1][0])
    assert rules.due_day(dt.date(2010, 6, 30), 15) == dt.date(2010, 7, 15)


def tally(result):
    return rules.Tally(1, 1, 0, 2, 1, 0, result)


@pytest.mark.parametrize(
    ("outcome", "counted", "reasons", "conditions", "gaps"),
    [
        ("labelled", tally("passed"), "", [], 0),
        ("labelled", None, "", [], 1),
        ("labelled", tally("no_quorum"), "Motif", [], 1),
        ("labelled", tally("rejected"), "", [], 1),
        ("labelled", tally("rejected"), "Le bureau suit la stratégie", [], 0),
        ("labelled", tally("passed"), "", ["Un industriel de plus"], 1),
        ("conditions", tally("passed"), "", [], 1),
        ("conditions", tally("passed"), "", ["Un industriel de plus"], 0),
        ("refused", tally("rejected"), "", [], 1),
        ("refused", tally("rejected"), "Marché trop étroit", [], 0),
        ("deferred", None, "", [], 1),
        ("deferred", None, "Partenariat à revoir", [], 0),
    ],
)
def test_what_a_decision_lacks(outcome, counted, reasons, conditions, gaps):
    assert len(rules.decision_gaps(DEFAULT, outcome, counted, reasons=reasons, conditions=conditions)) == gaps


def test_a_binding_vote_binds_whatever_the_reasons():
    binding = replace(DEFAULT, vote=replace(DEFAULT.vote, effect="binding"))
    assert len(rules.decision_gaps(binding, "labelled", tally("rejected"), reasons="Motif", conditions=[])) == 1


def test_names_of_experts():
    assert rules.knows_experts(DEFAULT, "unit")
    assert not any(rules.knows_experts(DEFAULT, who) for who in ("applicant", "expert", "committee", "other"))
    opened = replace(DEFAULT, experts=replace(DEFAULT.experts, anonymous_to=("applicant",)))
    assert rules.knows_experts(opened, "committee")
    assert not rules.knows_experts(opened, "applicant")
    assert not rules.knows_experts(opened, "other")


def test_scores_are_whole_points_of_the_scale():
    criteria = DEFAULT.criteria[0]
    kept, wrong = rules.check_scores(criteria, {"technology": "5", "market": "6", "jobs": "2,5", "strategy": ""})
    assert kept == {"technology": 5}
    assert len(wrong) == 2
    assert rules.check_scores(criteria, {"technology": 0})[0] == {"technology": 0}
    assert len(rules.opinion_gaps(criteria, kept, " ", "")) == 6
