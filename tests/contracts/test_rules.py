"""What the policy says about contracts: acceptance, order of signatures, amendments, in force. No database."""

from __future__ import annotations

import datetime as dt

import pytest

from jalon.contracts import content as doc, rules
from tests.contracts.test_content import cases, start

DAY = dt.date(2009, 6, 17)
PARTIES = rules.parties_in(start())


@pytest.fixture
def template(policy):
    return policy.contract_template_for("phase-2")


@pytest.mark.parametrize("case", cases("in_force.yaml"), ids=lambda case: case["case"])
def test_in_force(case, template):
    found = rules.in_force(
        day=case["day"],
        state=case.get("state", "signed"),
        starts_on=dt.date(2009, 1, 1),
        ends_on=dt.date(2011, 12, 31),
        signed_on=case["signed_on"],
        closed_on=case.get("closed_on"),
        decisions_made=case.get("decisions", True),
        label_spans=[rules.LabelSpan(dt.date(2005, 7, 12), case.get("label_until"), case.get("certainty", "known"))],
        template=template,
    )
    assert found.answer is case["in_force"], [str(s) for s in found.why.steps]
    assert found.why.reading
    assert bool(found.reasons) is (found.answer is not True)


@pytest.mark.parametrize(
    ("proposer", "path", "accepting"),
    [
        ("governance", "indicators/i1/targets/2010", {"state"}),
        ("region", "indicators/i1/targets/2010", {"state"}),
        ("state", "indicators/i1/targets/2010", {"governance"}),
        ("state", "commitments/c1/amounts/2009", {"governance"}),
        ("region", "commitments/c2/amounts/2009", {"state"}),
        ("state", "commitments/c2/amounts/2009", {"region"}),
        ("governance", "commitments/c2/amounts/2009", {"region"}),
        ("region", "commitments/c1/amounts/2009", {"state"}),
    ],
)
def test_who_accepts(proposer, path, accepting):
    one = next(p for p in PARTIES if p.key == proposer)
    accepts = rules.acceptance(start(), one, path)
    assert {p.key for p in PARTIES if accepts.by(p)} == accepting
    assert accepts.why.rule


def test_a_new_commitment_is_accepted_by_the_party_it_names():
    state = PARTIES[0]
    accepts = rules.acceptance(start(), state, "commitments/c9", {"party": "region"})
    assert {p.key for p in PARTIES if accepts.by(p)} == {"region"}


def test_nobody_writes_directly_once_negotiation_is_open():
    assert [rules.may_edit_directly("draft", p) for p in PARTIES] == [True, False, True]
    assert not any(rules.may_edit_directly("negotiation", p) for p in PARTIES)


@pytest.mark.parametrize(
    ("signed", "turn"),
    [
        ([], ["governance"]),
        (["governance"], ["region"]),
        (["governance", "region"], ["state"]),
        (["region"], ["governance"]),
    ],
)
def test_whose_turn_it_is(template, signed, turn):
    steps = rules.signing_steps(template, PARTIES)
    assert [p.key for p in rules.awaited(steps, signed)] == turn


def test_all_signed_nobody_is_awaited(template):
    assert rules.awaited(rules.signing_steps(template, PARTIES), [p.key for p in PARTIES]) == []


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([], ""),
        ([("approved", 1, None)], "approved"),
        ([("refused", 1, None), ("approved", 2, None)], "approved"),
        ([("approved", 2, None), ("refused", 3, None)], "refused"),
        ([("approved", 1, 2009)], "approved"),
        ([("approved", 1, None), ("refused", 2, 2010)], "approved"),
    ],
)
def test_what_an_authority_decided(rows, verdict):
    decisions = [rules.Decision("region", outcome, dt.date(2009, 6, day), year) for outcome, day, year in rows]
    assert rules.decision_of(decisions, "region") == verdict


@pytest.mark.parametrize(
    ("path", "value", "signers"),
    [
        ("indicators/i1/targets/2010", "12", {"state", "governance"}),
        ("commitments/c2/amounts/2009", "1", {"state", "governance", "region"}),
        ("commitments/c1/amounts/2009", "1", {"state", "governance"}),
        ("objectives/o1/title", "Autre", {"state", "governance", "region"}),
        ("ends_on", "2012-12-31", {"state", "governance", "region"}),
    ],
)
def test_who_signs_an_amendment(template, path, value, signers):
    found = rules.amendment_signers(template, start(), doc.put(start(), path, value))
    assert set(found.keys) == signers
    assert found.why.parameter == "contracts.amendment"


def test_a_party_that_leaves_signs_too(template):
    found = rules.amendment_signers(template, start(), doc.remove(start(), "parties/region"))
    assert "region" in found.keys


def spans(*periods):
    return [rules.LabelSpan(dt.date.fromisoformat(a), dt.date.fromisoformat(b) if b else None) for a, b in periods]


@pytest.mark.parametrize(
    ("periods", "refused"),
    [
        ([("2005-07-12", None)], False),
        ([("2005-07-12", "2008-12-31"), ("2009-01-01", "2011-12-31")], False),
        ([("2005-07-12", "2009-12-31")], True),
        ([("2005-07-12", "2008-12-31")], True),
        ([("2005-07-12", "2009-12-31"), ("2010-05-11", None)], True),
        ([], True),
    ],
)
def test_a_label_has_to_run_over_the_contract(periods, refused, template):
    found = rules.prepare_refusals(
        spans(*periods), starts_on=dt.date(2009, 1, 1), ends_on=dt.date(2011, 12, 31), on=DAY, template=template
    )
    assert bool(found) is refused
    for reason, why in found:
        assert "{" not in str(reason)
        assert why.day == DAY


def test_the_list_before_signature_counts_points(template):
    points = rules.requirements(start(), template, roadmap_validated=False, region_codes=["72"])
    by_code = {p.code: p for p in points}
    assert not by_code["articles"].met
    assert by_code["objectives"].met
    assert not by_code["annex:roadmap"].met
    assert by_code["decision:region"].before == "signature"
    assert "axes" not in by_code
    assert "axes" in {p.code for p in rules.requirements(start(), template, group="2")}
    sentences = rules.missing_before_signature(start(), template, roadmap_validated=False, region_codes=["72"])
    assert len(sentences) == sum(len(p.missing) for p in points)
