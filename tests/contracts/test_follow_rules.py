"""The lights, case by case: the cases are written for officers in tests/cases/follow/promesses.yaml."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from jalon.contracts import follow_rules as rules

CASES = yaml.load(  # noqa: S506 - the C reader is a safe loader
    (Path(__file__).parents[1] / "cases/follow/promesses.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
)
JUDGES = {
    "actions": ("action", rules.action_light),
    "engagements": ("engagement", rules.commitment_light),
    "indicateurs": ("indicateur", rules.indicator_light),
    "objectifs": ("objectif", rules.objective_light),
    "rapports": ("rapport", rules.report_light),
}
NUMBERS = ("amount", "decided", "paid", "target", "value", "baseline")


def every_case():
    for kind, cases in CASES.items():
        for case in cases:
            yield pytest.param(kind, case, id=f"{kind}: {case['cas']}")


@pytest.mark.parametrize(("kind", "case"), list(every_case()))
def test_light(kind, case):
    field, judge = JUDGES[kind]
    given = {k: Decimal(str(v)) if k in NUMBERS and v is not None else v for k, v in case[field].items()}
    if kind == "indicateurs":
        given = {"period_start": dt.date(2009, 1, 1), "period_end": dt.date(2009, 12, 31)} | given
    found = judge(today=case["jour"], **given)
    if case["feu"] is None:
        assert found is None
        return
    assert found.code == case["feu"], found.why.rule
    assert found.why.inputs, "a light says what went in"
    if "retard" in case:
        assert found.days == case["retard"]
    if "dit" in case:
        assert case["dit"] in str(found.why.rule)


def test_both_sides_use_the_same_eight_words():
    used = {case["feu"] for cases in CASES.values() for case in cases if case["feu"]}
    assert used == set(rules.LIGHTS)
    for kind in ("actions", "engagements"):
        assert {c["feu"] for c in CASES[kind]} - {"not_started"} == set(rules.LIGHTS) - {"not_started"}


def test_a_promise_and_its_twin_have_the_same_light():
    """An action and a support with the same dates: the side that promised does not matter."""
    day, due = dt.date(2010, 5, 1), dt.date(2010, 3, 31)
    for today, done in ((day, None), (due, None), (day, due), (dt.date(2013, 1, 1), None)):
        closes = dt.date(2011, 12, 31)
        pole = rules.action_light(
            today=today, starts_on=None, ends_on=due, closes_on=closes, status="done" if done else "", done_on=done
        )
        public = rules.commitment_light(today=today, kind="support", due_on=due, closes_on=closes, delivered_on=done)
        assert pole.code == public.code


@pytest.mark.parametrize(
    ("state", "day", "side"),
    [
        ("open", 1, "governance"),
        ("open", 9, "governance"),
        ("returned", 1, "governance"),
        ("submitted", 1, "state"),
        ("validated", 1, ""),
    ],
)
def test_whose_turn_it_is(state, day, side):
    assert rules.next_step(state, dt.date(2010, 4, day), dt.date(2010, 4, 5))[1] == side


def test_a_contested_status_keeps_what_was_declared():
    assert rules.read_status("contested:on_track") == ("on_track", True)
    assert rules.read_status("reached") == ("reached", False)
    assert max(len(f"{rules.CONTESTED}{s}") for s in ("on_track", "at_risk", "reached", "missed")) <= 20
