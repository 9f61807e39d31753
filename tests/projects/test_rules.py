"""What calls ask of projects, as tables that an officer can read; no database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from jalon.core.errors import Refused
from jalon.policy.parts.calls import scheme
from jalon.projects import rules
from jalon.projects.rules import File, Label, Line, Member

CASES = Path(__file__).parents[1] / "cases" / "projects"
DAYS = {21: dt.date(2015, 10, 1), 25: dt.date(2018, 1, 10), 3: dt.date(2006, 11, 1)}
CLOSING = dt.date(2010, 4, 30)
AQUITAINE = frozenset({"24", "33", "40", "47", "64"})


def load(name):
    return yaml.safe_load((CASES / name).read_text("utf-8"))


def rules_for(policy, case):
    family = scheme(policy.part("calls"), case.get("scheme", "fui"))
    number = case.get("number")
    day = DAYS.get(number, dt.date(2010, 1, 1) if family.code != "pfmi" else dt.date(2012, 1, 1))
    return rules.resolve(family, family.version_for(day, number))


@pytest.mark.parametrize("case", load("rates.yaml"), ids=lambda c: c["text"])
def test_rates(policy, case):
    found = rules.rate_of(
        rules_for(policy, case),
        kind=case["kind"],
        size=case.get("size", ""),
        in_territory=case.get("in"),
        basis=case.get("basis", ""),
    )
    assert found.percent == (None if case["percent"] is None else Decimal(case["percent"]))
    assert found.why.rule and (found.percent is None or found.why.reference)


def complete(change):
    """The complete file with one change."""
    total = {"p1": 900_000, "p2": 600_000, "p3": 500_000} | change.get("budget", {})
    asked = {"p1": 400_000, "p2": 180_000, "p3": 300_000} | change.get("asked", {})
    kinds = {"p1": "company", "p2": "company", "p3": "research"} | change.get("kind", {})
    sizes = {"p1": "small", "p2": "eti", "p3": ""} | change.get("size", {})
    members = []
    for key in ("p1", "p2", "p3"):
        amount = Decimal(total[key])
        year = change.get("year", {}).get(key, 2010)
        category = change.get("category", {}).get(key, "personnel")
        aid_class = change.get("aid_class", {}).get(key, "industrial")
        members.append(
            Member(
                key=key,
                name=f"Partenaire {key}",
                organisation=key,
                role="leader" if key == change.get("leader", "p1") else "partner",
                kind=kinds[key],
                size=sizes[key],
                department=change.get("department", {}).get(key, "33"),
                in_territory=True,
                country=change.get("country", {}).get(key, "FR"),
                group=change.get("group", {}).get(key, ""),
                basis="marginal" if kinds[key] != "company" else "",
                asked=min(Decimal(asked[key]), amount) if key != "p3" else Decimal(asked[key]),
                lines=(Line(year, category, amount, "applied", aid_class),),
            )
        )
    members = [m for m in members if m.key != change.get("drop")]
    if "same" in change:
        one, two = change["same"]
        members = [replace(m, organisation=one) if m.key == two else m for m in members]
        members = [replace(m, group="g") if m.key in (one, two) else m for m in members]
    outcome = {"none": None, "refused": "refused", "conditions": "conditions"}.get(change.get("labels", ""), "labelled")
    day = change.get("labelled_on", dt.date(2010, 4, 1))
    labels = (
        []
        if outcome is None
        else [Label("alpha", "Pôle alpha", outcome, day, True, AQUITAINE, change.get("counts", True))]
    )
    if "second" in change:
        labels.append(Label("beta", "Pôle bêta", "labelled", day, False, frozenset({change["second"]})))
    trl = change.get("trl", [3, 4])
    return File(
        acronym="SIGLE",
        title="Titre",
        summary="Résumé",
        confidential="Description",
        starts_on=dt.date(2010, 6, 1),
        months=36,
        trl_entry=trl[0],
        trl_target=trl[1],
        other_funding=change.get("other_funding", False),
        justifications={"research_share_max": "Essais"} if change.get("justified") else {},
        territory=tuple((d, Decimal(s)) for d, s in change.get("territory", {}).items()),
        members=tuple(members),
        labels=tuple(labels),
        papers=frozenset() if change.get("papers") == "none" else frozenset({("technical_annex", "")}),
        linked=frozenset(frozenset(pair) for pair in change.get("linked", ())),
    )


@pytest.mark.parametrize("case", load("eligibility.yaml"), ids=lambda c: c["text"])
def test_eligibility(policy, case):
    number = case.get("number")
    closes = CLOSING if number in (10, None) else DAYS[number]
    gaps = rules.check(
        complete(case["change"]),
        rules_for(policy, case),
        closes_on=closes,
        trl_limits={"industrial": 4, "experimental": 8},
    )
    assert sorted(g.code for g in gaps) == sorted(case["codes"]), [str(g.text) for g in gaps]
    assert all(str(g.text) and g.why.rule for g in gaps)


@pytest.mark.parametrize(
    "typed, expected",
    [("1 234,50", "1234.50"), ("1234.5", "1234.50"), ("12 000 €", "12000.00"), ("", None), ("0", "0.00")],
)
def test_amounts_as_typed(typed, expected):
    assert rules.amount(typed, where="x") == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize("typed", ["-1", "abc", "1,234", "NaN", "1e400", "1e13"])
def test_amounts_that_cannot_be_read(typed):
    with pytest.raises(Refused):
        rules.amount(typed, where="ligne 1")


@given(st.integers(1, 10**12), st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_the_simulation_loses_no_cent(total, weights):
    from jalon.demo.projects import split

    assert sum(split(total, [float(w) for w in weights])) == total


def test_where_a_call_stands():
    day = dt.date
    state = rules.call_state
    assert state(day(2010, 1, 1), day(2010, 2, 1), day(2010, 6, 1), "open", day(2009, 12, 31)) == "preparing"
    assert state(day(2010, 1, 1), day(2010, 2, 1), day(2010, 6, 1), "open", day(2010, 2, 1)) == "open"
    assert state(day(2010, 1, 1), day(2010, 2, 1), day(2010, 6, 1), "open", day(2010, 2, 2)) == "closed"
    assert state(day(2010, 1, 1), day(2010, 2, 1), day(2010, 6, 1), "open", day(2010, 6, 1)) == "decided"
    assert state(day(2008, 9, 1), None, day(2009, 3, 1), "decided", day(2008, 12, 1), known=True) == "unknown"


def test_two_versions_of_rules_are_compared(policy):
    family = scheme(policy.part("calls"), "fui")
    old, new = (rules.resolve(family, v) for v in family.versions[1:3])
    said = {str(c.name): (str(c.before), str(c.after)) for c in rules.compare_rules(old, new)}
    assert said["part des travaux dans le territoire du pôle chef de file, au moins"] == (
        "None",
        "25\u00a0% (condition)",
    )
    assert "lieu du taux majoré" in said
    assert rules.compare_rules(old, old) == []


def test_places_of_work_add_up():
    kept = rules.check_territory([{"department": "2a", "share": "40,5"}, {"department": "33", "share": "59.5"}])
    assert [r["department"] for r in kept] == ["2A", "33"]
    for wrong in (
        [{"department": "33", "share": "50"}],
        [{"department": "33", "share": "50"}] * 2,
        [{"department": "Bordeaux", "share": "100"}],
        [{"department": "33", "share": "0"}],
    ):
        with pytest.raises(Refused):
            rules.check_territory(wrong)
