"""The rules of committees, on the table that an officer reads (tests/cases/committees/regles.yaml). No database."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from jalon.committees import rules
from jalon.core.errors import Refused
from jalon.policy import load

CASES = yaml.safe_load(
    (Path(__file__).parent.parent / "cases" / "committees" / "regles.yaml").read_text(encoding="utf-8")
)
LAWS = load("fr-poles-de-competitivite")
KINDS = {kind.code: kind for kind in LAWS.part("committees").kinds}


def cases(name):
    return pytest.mark.parametrize("case", CASES[name], ids=lambda c: c["cas"])


def terms(case, day):
    return rules.terms_of(LAWS, KINDS[case["comite"]], day)


@cases("rythme")
def test_rhythm(case):
    found = rules.rhythm(
        terms(case, case["jour"]),
        began_on=case["debut"],
        last_held=case.get("derniere"),
        today=case["jour"],
        working=LAWS.working_days,
        place=case.get("lieu", ""),
    )
    assert (found.due_on, found.late) == (case["attendu"], case["retard"])
    assert found.why.rule


@pytest.mark.parametrize(
    ("name", "case"),
    [("notice", c) for c in CASES["convocation"]] + [("papers", c) for c in CASES["pieces"]],
    ids=lambda v: v["cas"] if isinstance(v, dict) else v,
)
def test_last_day_to_send(name, case):
    last, why = rules.last_day_for(
        terms(case, case["seance"]), name, case["seance"], LAWS.working_days, case.get("lieu", "")
    )
    assert last == case["attendu"]
    assert why.parameter == KINDS[case["comite"]].terms.get(name)


@cases("compte_rendu")
def test_minutes(case):
    due, _ = rules.minutes_due(terms(case, case["seance"]), case["seance"], LAWS.working_days)
    assert due == case["attendu"]


@cases("quorum")
def test_quorum(case):
    found = rules.quorum(
        terms(case, case["jour"]),
        voting=case["sieges"],
        present=case["presents"],
        represented=case["representes"],
        second=case.get("seconde", False),
    )
    assert (found.needed, found.reached) == (case["il_faut"], case["atteint"])
    assert found.missing == (0 if found.reached else found.needed - found.counted)


@cases("majorite")
def test_majority(case):
    found = rules.result(
        terms(case, case["jour"]),
        {"for": case["pour"], "against": case["contre"], "abstain": case["abstentions"]},
        entitled=case["voix"],
        chair_choice=case.get("preside"),
        secret=case.get("secret", False),
    )
    assert found.outcome == case["resultat"]
    assert found.why.steps


@cases("pouvoirs")
def test_proxies(case):
    def ask():
        rules.check_proxy(
            terms(case, dt.date(2010, 7, 8)),
            giver=case["de"],
            holder=case["a"],
            giver_votes=case["de"] != 5,
            holder_votes=case["a"] != 5,
            given=case["donnes"],
        )

    if case["refus"] is None:
        ask()
    else:
        with pytest.raises(Refused) as refused:
            ask()
        assert case["refus"] in refused.value.reason.in_language("fr")


@cases("suites")
def test_follow_ups(case):
    assert rules.follow_up_light(case["etat"], case["echeance"], case["jour"]) == case["feu"]
    assert rules.comes_back(case["etat"], case["echeance"], case["seance"]) is case["revient"]


def test_every_kind_reads_its_terms():
    """Each parameter that a kind names has a value on a day on which the kind exists."""
    for kind in KINDS.values():
        day = max(kind.valid_from, dt.date(2006, 7, 1))
        found = rules.terms_of(LAWS, kind, day)
        named = {name for name in kind.terms.__dataclass_fields__ if kind.terms.get(name)}
        assert set(found.known) == named, kind.code
        assert kind.reference


def test_a_programme_without_committees_has_none():
    assert load("example-nordlys").part("committees") is None
