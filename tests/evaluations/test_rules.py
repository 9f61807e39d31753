"""Rules of evaluations, without a database: classification, distance, stability, deadlines, grids of the policy."""

from __future__ import annotations

import datetime as dt
import shutil
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.lang import speaking
from jalon.evaluations import classify, rules
from jalon.policy import PolicyFaults, load

ROOT = Path(__file__).parents[2]
CASES = yaml.safe_load((ROOT / "tests/cases/evaluations/classification.yaml").read_text(encoding="utf-8"))
DEADLINES = yaml.safe_load((ROOT / "tests/cases/evaluations/deadlines.yaml").read_text(encoding="utf-8"))["cases"]


def grid_of(name):
    said = CASES["grids"][name]
    laws = load(ROOT / "policies" / said["programme"])
    grid = laws.grid(name)
    return grid, classify.thresholds_of(grid, laws.on(said["day"])), said["order"]


def marks_of(grid, changes=None):
    best = grid.scale.marks[-1].code
    return {n: (changes or {}).get(n, best) for n in classify.names(grid)}


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["say"])
def test_classification(case):
    grid, thresholds, order = grid_of(case["grid"])
    marks, aside = marks_of(grid, case.get("marks")), case.get("aside", ())
    found = classify.classify(grid, marks, thresholds, aside=aside)
    assert found.group == case["group"]
    if "failed" in case:
        assert list(found.failed) == case["failed"]
    assert list(found.missing) == case.get("missing", [])
    for name, up in (("up", True), ("down", False)):
        if name in case:
            far = classify.distance(grid, marks, thresholds, order, aside=aside, up=up)
            assert (far.steps if far else None) == case[name], name


GRID, THRESHOLDS, ORDER = grid_of("grid-2008")
some_marks = st.fixed_dictionaries(
    {n: st.sampled_from([m.code for m in GRID.scale.marks]) for n in classify.names(GRID)}
)
WEIGHTINGS = classify.Weightings(GRID, 300)


@given(some_marks, st.booleans())
@settings(max_examples=60)
def test_the_way_to_another_group_leads_there_and_no_shorter_one_does(marks, up):
    far = classify.distance(GRID, marks, THRESHOLDS, ORDER, up=up)
    if far is None:
        return
    moved = dict(marks)
    for question, before, after in far.path:
        assert moved[question] == before
        moved[question] = after
    assert len(far.path) == far.steps
    assert classify.classify(GRID, moved, THRESHOLDS).group == far.group
    now = classify.classify(GRID, marks, THRESHOLDS).group
    if far.steps > 1:  # no single step is enough
        ladder = [m.code for m in GRID.scale.marks]
        for question in marks:
            at = ladder.index(marks[question]) + (1 if up else -1)
            if 0 <= at < len(ladder):
                group = classify.classify(GRID, {**marks, question: ladder[at]}, THRESHOLDS).group
                assert ORDER.index(group) >= ORDER.index(now) if up else ORDER.index(group) <= ORDER.index(now)


@given(some_marks)
@settings(max_examples=25)
def test_the_weightings_are_counted_as_one_by_one(marks):
    """The quick count over all weightings is the sum of what each weighting gives alone."""
    expected: dict[str, int] = {}
    for i in range(WEIGHTINGS.draws):
        weights = classify.weights_of(GRID, {n: w[i] for n, w in WEIGHTINGS.questions.items()})
        group = classify.classify(GRID, marks, THRESHOLDS, weights=weights).group
        expected[group] = expected.get(group, 0) + 1
    assert WEIGHTINGS.groups(marks, THRESHOLDS) == {g: expected[g] for g in WEIGHTINGS.groups(marks, THRESHOLDS)}
    assert sum(WEIGHTINGS.groups(marks, THRESHOLDS).values()) == WEIGHTINGS.draws == sum(expected.values())


def test_stability_of_a_score_and_of_a_seed():
    grid, thresholds, _ = grid_of("scorecard")
    marks = marks_of(grid, {"reach/firms": "mid", "return/turnover": "low"})
    first = classify.Weightings(grid, 500).groups(marks, thresholds)
    assert first == classify.Weightings(grid, 500).groups(marks, thresholds) and sum(first.values()) == 500
    assert classify.Weightings(grid, 50).groups({**marks, "team/skills": ""}, thresholds) == {}


def test_weights_never_published_are_never_official():
    assert not GRID.weighted and not classify.weights_of(GRID).published
    assert grid_of("scorecard")[0].weighted
    changed = classify.weights_of(GRID, {"strategy/own": 9})
    assert changed.changed == ("strategy/own",) and changed.questions["strategy/own"] == Fraction(9)


def test_where_evaluators_differ():
    notes = [("a", "strategy/own", "Un", "met"), ("a", "strategy/own", "Deux", "not-met"), ("b", "strategy/own", "Un", "met"), ("b", "strategy/own", "Deux", "met")]  # fmt: skip
    table, habits = classify.divergences(GRID, notes)
    assert [(d.cluster, d.spread) for d in table] == [("a", 2)]
    assert {h.evaluator: float(h.mean) for h in habits} == {"Deux": 0.5, "Un": 1.0}


# -- deadlines --------------------------------------------------------------------------------


@pytest.mark.parametrize("case", DEADLINES, ids=lambda c: c["say"])
def test_deadlines(policy, case):
    due = rules.deadline(
        "evaluations.reply_after", case["from"], policy.on(case["from"]), place=str(case.get("place", ""))
    )
    assert due.on == case["due"] and due.why.parameter == "evaluations.reply_after" and due.why.reading


@given(st.dates(dt.date(2005, 7, 12), dt.date(2030, 12, 31)))
def test_a_deadline_is_a_working_day_after_the_delay(day):
    laws = load(ROOT / "policies/fr-poles-de-competitivite")
    due = rules.deadline("evaluations.reply_after", day, laws.on(day)).on
    assert dt.timedelta(30) <= due - day <= dt.timedelta(35)
    assert laws.working_days.is_working(due)


def test_midnight_is_that_of_paris():
    last = dt.date(2010, 7, 1)
    rules.in_time(last, dt.datetime(2010, 7, 1, 21, 59, 59, tzinfo=dt.UTC), clock.end_of_day)  # 23:59:59 in Paris
    with pytest.raises(Refused, match="minuit"):
        rules.in_time(last, dt.datetime(2010, 7, 1, 22, 0, 0, tzinfo=dt.UTC), clock.end_of_day)
    # 20:30 on 1 July in Martinique is half past two on 2 July in Paris
    late = dt.datetime(2010, 7, 1, 20, 30, tzinfo=dt.timezone(dt.timedelta(hours=-4)))
    with pytest.raises(Refused):
        rules.in_time(last, late, clock.end_of_day)


def test_more_time_is_bounded(policy):
    first, law = dt.date(2010, 7, 1), policy.on(dt.date(2010, 6, 1))
    rules.extended(first, dt.date(2010, 7, 30), first, "Congés", law)
    for until, reason, word in ((dt.date(2010, 9, 1), "Congés", "permet"), (first, "Congés", "plus de temps"), (dt.date(2010, 7, 9), " ", "motif")):  # fmt: skip
        with pytest.raises(Refused, match=word):
            rules.extended(first, until, first, reason, law)


def test_a_programme_without_delay_asks_for_the_day():
    none = SimpleNamespace(find=lambda path: None)
    with pytest.raises(Refused, match="donner le dernier jour"):
        rules.deadline("evaluations.reply_after", dt.date(2010, 6, 1), none)
    assert rules.deadline("evaluations.reply_after", dt.date(2010, 6, 1), none, given=dt.date(2010, 6, 9)).on == dt.date(2010, 6, 9)  # fmt: skip


def test_nothing_is_founded_on_a_settled_point():
    assert rules.set_aside([("a/b", "withdrawn"), ("a/b", "settled"), ("c/d", "withdrawn"), ("c/d", "amended"), ("", "settled"), ("e/f", "")]) == ("a/b",)  # fmt: skip
    with pytest.raises(Refused) as refusal:
        rules.require_standing([{"number": 1, "about": "x", "outcome": "maintained"}, {"number": 2, "about": "y", "outcome": "settled"}, {"number": 3, "about": "z", "outcome": ""}])  # fmt: skip
    assert len(refusal.value.missing) == 2
    rules.require_standing([{"number": 1, "about": "x", "outcome": "amended"}])


# -- faults of a grid -------------------------------------------------------------------------

FAULTS = {
    "weights that do not add up": ("weight: 50, passes_from", "weight: 40, passes_from", "weights that add up to 90", "100"),
    "weights of questions that do not add up": ("weight: 70}", "weight: 60}", "weights that add up to 90", "100"),
    "a weight for some only": ("weight: 20, passes_from", "passes_from", "2 weights for 3", "a weight for each, or none"),
    "unknown group": ("{group: green, score", "{group: blue, score", "the group “blue”", "green, amber"),
    "unknown criterion in a rule": ("minimums_met: true,", "minimums_met: true, failed: [luck],", "the criterion “luck”", "reach, team, return"),
    "scale inverted": ("points: 0.4, passes: false", "points: 1, passes: false", "“high” (1 points)", "worst to the best"),
    "a pass below a fail": ("points: 0, passes: false", "points: 0, passes: true", "does not pass", "below it, passes"),
    "unknown parameter": ("score_at_least: evaluations.green_from", "score_at_least: evaluations.blue_from", "the parameter “evaluations.blue_from”", "a parameter of the policy"),
    "share above one": ("points: 0.4", "points: 4", "4", "between 0 and 1"),
    "last rule with conditions": ("- {group: amber, reference", "- {group: amber, unmet_at_most: 1, reference", "conditions in the last rule", "every case has a group"),
    "rule without condition first": ("{group: green, score_at_least: evaluations.green_from, minimums_met: true, reference", "{group: green, reference", "no condition", "never be read"),
    "weight of zero": ("weight: 50, passes_from", "weight: 0, passes_from", "0", "above zero"),
    "bounds the wrong way": ("low: 0.8, high: 1.25", "low: 1.8, high: 1.25", "from 1.8 to 1.25", "not above"),
    "unknown sight": ("marks: public", "marks: everybody", "everybody", "funders"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_a_grid_are_told_with_file_and_line(name, tmp_path):
    before, after, found, expected = FAULTS[name]
    folder = tmp_path / "programme"
    shutil.copytree(ROOT / "policies/example-nordlys", folder)
    path = folder / "evaluations.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text, "the case no longer fits the example"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with speaking("en"):
        with pytest.raises(PolicyFaults) as faults:
            load(folder)
        fault = next(f for f in faults.value.faults if found in str(f.found))
        assert expected in str(fault.expected) and fault.file.endswith("evaluations.yaml") and fault.line > 1
