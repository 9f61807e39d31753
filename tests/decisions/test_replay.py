"""The path of the policy run again by the command, from an empty database: what the issue asks of it, read against the data."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from jalon.clusters.labels import labels_in_force, load_register
from tests.demonstration import jalon, python

REGISTER = load_register(Path(__file__).parents[2] / "data/fr-poles-de-competitivite")
DECISION = dt.date(2010, 5, 11)
DAYS = [dt.date.fromisoformat(d) for d in (
    "2005-07-12", "2005-07-13", "2006-03-06", "2007-07-05", "2008-08-11", "2009-01-01", "2010-01-01", "2010-05-10", "2010-05-11"
)]  # fmt: skip
"""Days of decisions and days between them: the register loaded from the data and the replayed one agree on each."""

HELD = f"""
import datetime as dt, json
from jalon.clusters.queries import labels_on
from jalon.core.clock import hold
days = [dt.date.fromisoformat(d) for d in {[d.isoformat() for d in DAYS]!r}]
print(json.dumps({{d.isoformat(): sorted(row.label.code for row in labels_on(d).labels) for d in days}}))
"""


def told_by(answer):
    """The JSON of the command; what it says on the way goes to the error output, which the helper joins."""
    assert answer.startswith("{"), "with --json nothing else goes to the standard output"
    return json.loads(answer[: answer.rindex("}") + 1])


def slugs(act, day):
    """Who got an act of the register that was decided on a day, by the data."""
    return sorted(
        label.holders[0].slug
        for label in REGISTER.labels
        for one in label.acts
        if one.act == act and one.decided_on == day
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("rejeu") / "home"


@pytest.fixture(scope="module")
def told(home):
    """One run to 11 May 2010, shared by the tests of this file."""
    return told_by(jalon(home, "replay", "--until", DECISION.isoformat(), "--json"))


def test_the_right_labels_by_name(told):
    in_force = sorted({slug for one in labels_in_force(REGISTER.labels, DECISION) for slug in one.holders})
    assert told["labelled"] == in_force
    assert len(in_force) == told["counts"]["labelled"] == 71
    assert told["renewed"] == slugs("renewed", DECISION) and len(told["renewed"]) == 7
    assert told["withdrawn"] == slugs("withdrawn", DECISION) and len(told["withdrawn"]) == 6
    assert told["new"] == slugs("granted", DECISION) and len(told["new"]) == 6
    assert not set(told["withdrawn"]) & set(told["labelled"])


def test_every_decision_says_by_name_what_it_did(told):
    last = next(d for d in told["decisions"] if d["on"] == DECISION.isoformat())
    assert {k: len(v) for k, v in last["by_kind"].items()} == {"label": 6, "renew": 7, "withdraw": 6, "extend": 58}
    assert last["by_kind"]["withdraw"] == told["withdrawn"]
    assert last["effects"]["carried_out"]["label"] == 77
    assert set(told["withdrawn"]) < set(told["names"])
    (held,) = told["interviews"]
    assert held["clusters"] == [p["cluster"] for p in told["probation"]]


def test_the_path_carries_each_act_of_the_register_once_to_its_end():
    """Without a database: no act of a label is left out or done twice, and the groups of 2012 are all named."""
    from collections import Counter

    from jalon.decisions.path import path_of

    path = path_of("fr-poles-de-competitivite")
    carried = Counter(
        (label.code, act.act, act.effective_from)
        for step in path.steps
        if step.do in ("decide", "register")
        for label, act in path.acts_of(step)
    )
    due = {
        (label.code, act.act, act.effective_from)
        for label in path.register.labels
        for act in label.acts
        if act.effective_from <= path.ends_on
    }
    assert set(carried) == due
    assert set(carried.values()) == {1}
    assert len([s for s in path.steps if s.do == "evaluation" and s.get("campaign") == "2012"]) == 3
    found = Counter(e["result"] for e in path.register.evaluations if e["year"] == 2012)
    assert found == {"very-good": 20, "good": 35, "less-good": 16}


def test_probation_to_the_end_of_2009_for_group_3_only(told):
    group_3 = sorted(e["slug"] for e in REGISTER.evaluations if e["year"] == 2008 and e["result"] == "3")
    assert [p["cluster"] for p in told["probation"]] == group_3
    assert {(p["from"], p["until"]) for p in told["probation"]} == {("2009-01-01", "2009-12-31")}


def test_no_group_is_guessed(told):
    named = [e for e in REGISTER.evaluations if e["year"] == 2008]
    found = told["groups"]["2008"]
    assert sum(found["named"].values()) == len(named) == 34
    assert found["not_known_by_name"] == 71 - len(named)
    group_2 = sorted(e["slug"] for e in named if e["result"] == "2")
    assert [r["cluster"] for r in told["reviews_due"]] == group_2
    assert {r["due_on"] for r in told["reviews_due"]} == {"2010-07-01"}  # eighteen months after 1 January 2009


def test_contracts_only_where_they_could_be_signed(told):
    signed, refused = set(told["contracts"]["signed"]), {r["cluster"] for r in told["contracts"]["refused"]}
    group_3 = {p["cluster"] for p in told["probation"]}
    assert not signed & group_3
    assert group_3 < refused  # asked for, and refused by the rule: the label ran to 31 December 2009 only
    assert signed | refused == set(told["confirmed"]) | group_3
    assert told["contracts"]["simulated"]


def test_the_register_loaded_and_the_register_replayed_agree(home, told):
    held = json.loads(python(home, HELD))
    for day in DAYS:
        expected = sorted(one.label.code for one in labels_in_force(REGISTER.labels, day))
        assert held[day.isoformat()] == expected, day


def test_the_journal_is_intact(home, told):
    assert told["journal"]["intact"] and told["root"] and told["acts"] > 2000
    assert jalon(home, "verify").startswith("Intact")


def test_it_refuses_what_it_cannot_do(home, told, tmp_path):
    said = jalon(home, "replay", "--until", "2010-05-11", code=1)
    assert "--fresh" in said
    assert "hors du chemin" in jalon(tmp_path, "replay", "--until", "2004-01-01", code=1)
    said = jalon(tmp_path, "replay", "--until", "2030-01-01", code=1, JALON_LANG="en")
    assert "1 January 2030" in said.replace("\u00a0", " ")
    assert not list(tmp_path.glob("*.sqlite3")), "a day that cannot be told leaves no database behind"
    assert "AAAA-MM-JJ" in jalon(home, "replay", "--until", "2010-02-30", code=1)


@pytest.mark.django_db
def test_the_same_state_on_postgresql(told, tmp_path):
    """Only where these tests run on PostgreSQL: the path once more, in an empty database of that server."""
    from django.db import connection

    if connection.vendor != "postgresql":
        pytest.skip("this run is on SQLite")
    import psycopg

    at = connection.settings_dict
    server = {"host": at["HOST"], "port": at["PORT"], "user": at["USER"], "password": at["PASSWORD"] or None}
    name = "jalon_rejeu"
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
    try:
        url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"
        there = tmp_path / "home"
        other = told_by(jalon(there, "replay", "--until", DECISION.isoformat(), "--json", JALON_DATABASE_URL=url))
        assert other["digest"] == told["digest"]
        assert other["acts"] == told["acts"]
        assert jalon(there, "verify", JALON_DATABASE_URL=url).startswith("Intact")
    finally:
        with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_the_first_day(tmp_path):
    """67 projects were chosen on 12 July 2005; 66 have a name in the sources, and no name is made up for the other."""
    told = told_by(jalon(tmp_path / "home", "replay", "--until", "2005-07-13", "--json"))
    assert told["counts"]["labelled"] == 67
    assert (told["counts"]["named"], told["counts"]["unnamed"]) == (66, 1)
    assert len(told["labelled"]) == 66
    assert told["contracts"]["signed"] == [] and told["renewed"] == []
