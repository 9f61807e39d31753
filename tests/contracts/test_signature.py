"""From the frozen text to the binding contract: order, deliberations, hash, refusals, rows, in force."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from jalon.clusters.models import LabelPeriod
from jalon.contracts import actions, queries
from jalon.contracts.models import Action, Commitment, ContractIndicator, Milestone, Objective, Signature, Target
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import FrozenText, JournalEntry, OutboxMessage
from tests.contracts import world as w

pytestmark = pytest.mark.django_db


def test_a_filled_contract_misses_only_the_deliberations():
    world = w.negotiated(w.make_world())
    missing = queries.missing_before_signature(world.contract, w.START)
    assert {m.code for m in missing} == {"decision_missing"}, [str(m.message) for m in missing]
    assert len(missing) == 2


def test_an_empty_contract_says_everything_that_is_missing_and_does_not_open():
    world = w.prepared(w.make_world(group="2"))
    actions.open_negotiation(world.text, by=world.correspondent, on=w.START)
    points = queries.requirements_of(world.text, w.START)
    assert {r.code for r in points if not r.met} >= {"articles", "axes", "objectives", "indicators", "commitments"}
    with pytest.raises(Refused) as caught:
        actions.open_signature(world.text, by=world.correspondent, on=w.START)
    assert len(caught.value.missing) > 10
    assert world.text.state == "negotiation"
    assert not FrozenText.objects.filter(kind="text:0").exists()


def test_everybody_signs_in_the_order_of_the_policy_and_the_contract_binds():
    world = w.signed(w.make_world())
    text = world.text
    assert (world.contract.state, text.state) == ("signed", "signed")
    assert world.contract.signed_on == w.START
    assert text.effective_on == w.START
    assert set(text.signatures.values_list("sha256", flat=True)) == {text.frozen.sha256}
    assert Objective.objects.get(contract=world.contract).title == "Développer l'emploi"
    action = Action.objects.get(contract=world.contract)
    assert (action.budget, action.objective.key) == (Decimal("50000"), "o1")
    assert Milestone.objects.get(action=action).due_on == dt.date(2009, 10, 15)
    own = ContractIndicator.objects.get(contract=world.contract, key="i90")
    assert (own.code, own.objective.key, own.common) == (f"{world.contract.slug}/i90", "o1", False)
    assert ContractIndicator.objects.get(contract=world.contract, code="members_total").common
    assert Target.objects.get(indicator=own).value == 200
    assert Commitment.objects.filter(contract=world.contract).count() == 9
    one = Commitment.objects.get(contract=world.contract, key="c1/2010")
    assert (one.amount, one.due_on, one.party.kind) == (Decimal("100000"), dt.date(2010, 10, 31), "state")
    assert list(breaks()) == []


def test_out_of_turn_is_refused_and_names_who_is_awaited():
    world = w.signing(w.make_world())
    w.decide_all(world)
    with pytest.raises(Refused) as caught:
        w.sign_as(world, world.prefect)
    carrier = world.text.contract.parties.get(kind="governance").organisation.name
    assert carrier in str(caught.value.reason)
    assert caught.value.why.parameter == "contracts.signing_order"
    assert not Signature.objects.exists()


def test_an_authority_signs_after_its_own_deliberation_only():
    world = w.signing(w.make_world())
    w.sign_as(world, world.director)
    with pytest.raises(Refused, match="délibération"):
        w.sign_as(world, world.region_signatory)
    actions.decide(
        world.text, by=world.region_signatory, on=w.START, decided_on=w.START, reference="2009-12", outcome="refused"
    )
    with pytest.raises(Refused, match="refusé"):
        w.sign_as(world, world.region_signatory)
    later = w.START + dt.timedelta(days=1)
    actions.decide(world.text, by=world.region_signatory, on=later, decided_on=later, reference="2009-13")
    assert w.sign_as(world, world.region_signatory, on=later).party.organisation == world.region


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"decided_on": w.START + dt.timedelta(days=5)}, "après aujourd'hui"),
        ({"reference": "  "}, "référence"),
        ({"amount": "-3"}, "positif"),
        ({"amount": "12", "year": 2015}, "hors du contrat"),
        ({"outcome": "perhaps"}, "approuvée"),
    ],
)
def test_a_deliberation_that_cannot_be_is_refused(more, sentence):
    world = w.signing(w.make_world())
    facts = {"decided_on": w.START, "reference": "2009-12"} | more
    with pytest.raises(Refused, match=sentence):
        actions.decide(world.text, by=world.region_agent, on=w.START, **facts)


def test_a_signature_is_of_the_text_that_was_read():
    world = w.signing(w.make_world())
    with pytest.raises(Conflict):
        w.sign_as(world, world.director, sha256="0" * 64)
    with pytest.raises(Refused, match="figé"):
        w.sign_as(world, world.director, signed_on=w.START - dt.timedelta(days=1))
    with pytest.raises(Refused, match="après aujourd"):
        w.sign_as(world, world.director, signed_on=w.START + dt.timedelta(days=1))
    w.sign_as(world, world.director)
    with pytest.raises(Refused, match="déjà signé"):
        w.sign_as(world, world.director)


def test_whoever_is_not_a_party_does_not_sign():
    world, other = w.signing(w.make_world()), w.make_world()
    with pytest.raises(NotAllowed):
        w.sign_as(world, other.director)
    with pytest.raises(NotAllowed):
        w.sign_as(world, world.correspondent)


def test_refusing_to_sign_goes_back_to_negotiation_and_keeps_the_frozen_text():
    world = w.signing(w.make_world())
    sha = world.text.frozen.sha256
    w.decide_all(world)
    w.sign_as(world, world.director)
    with pytest.raises(Refused, match="motif"):
        actions.refuse(world.text, reason=" ", by=world.region_signatory, on=w.START)
    actions.refuse(world.text, reason="Montant 2010 non voté", by=world.region_signatory, on=w.START)
    text = world.text
    assert (text.state, text.contract.state, text.frozen, text.round_no) == ("negotiation", "negotiation", None, 2)
    assert FrozenText.objects.filter(sha256=sha).exists()
    row = JournalEntry.objects.filter(act="contract.refuse").get()
    assert row.why == "Montant 2010 non voté"
    assert row.before["signatures"][0]["party"] == "governance"
    assert list(breaks()) == []


def test_the_frozen_text_can_be_checked():
    world = w.signing(w.make_world())
    frozen = world.text.frozen
    assert actions.same_text(world.text, frozen.sha256.upper())
    assert actions.same_text(world.text, frozen.canonical.encode())
    assert actions.same_text(world.text, frozen.canonical.encode() + b"\r\n")
    assert not actions.same_text(world.text, frozen.canonical.replace("100000", "900000").encode())
    assert not actions.same_text(world.text, "0" * 64)


def test_members_are_taken_as_they_are_when_the_signature_opens():
    world = w.negotiated(w.make_world())
    from tests import factories as f

    f.make_membership(world.cluster, joined_on=dt.date(2009, 4, 1))
    later = dt.date(2009, 5, 4)
    actions.open_signature(world.text, by=world.correspondent, on=later)
    annex = queries.annexes_of(world.text).get(key="members")
    assert annex.dated == later
    assert annex.snapshot.canonical.count('"joined_on"') == 2
    assert annex.snapshot.sha256 in world.text.frozen.canonical


def test_messages_say_whose_turn_it_is():
    world = w.signing(w.make_world())
    w.decide_all(world)
    to = set(OutboxMessage.objects.filter(subject__startswith="À vous de signer").values_list("to", flat=True))
    from tests.factories import user_of

    assert to == {user_of(world.director).email}
    w.sign_as(world, world.director)
    to = set(OutboxMessage.objects.filter(subject__startswith="À vous de signer").values_list("to", flat=True))
    assert user_of(world.region_signatory).email in to
    assert user_of(world.prefect).email not in to


@pytest.mark.parametrize(
    ("day", "answer"),
    [
        (dt.date(2009, 3, 1), False),  # the day before the last signature
        (w.START, True),
        (dt.date(2011, 12, 31), True),
        (dt.date(2012, 1, 1), False),
    ],
)
def test_in_force_says_yes_only_when_signed_dated_and_labelled(day, answer):
    world = w.signed(w.make_world())
    force = queries.in_force(world.contract, day)
    assert force.answer is answer
    assert force.why.day == day
    assert len(force.why.steps) == 4


def test_a_contract_stops_being_in_force_with_the_label():
    world = w.signed(w.make_world())
    from jalon.clusters.models import LabelPeriod

    LabelPeriod.objects.update(ends_on=dt.date(2010, 5, 11))
    assert queries.in_force(world.contract, dt.date(2010, 5, 11)).answer is True
    gone = queries.in_force(world.contract, dt.date(2010, 5, 12))
    assert gone.answer is False
    assert "label" in str(gone.reasons[0])


def test_a_closed_contract_is_no_longer_in_force():
    world = w.signed(w.make_world())
    actions.close(world.contract, reason="Fusion des pôles", by=world.officer, on=dt.date(2010, 2, 1))
    world.contract.refresh_from_db()
    assert queries.in_force(world.contract, dt.date(2010, 1, 31)).answer is True
    assert queries.in_force(world.contract, dt.date(2010, 2, 1)).answer is False


def test_a_text_that_ends_after_the_known_label_does_not_open():
    world = w.negotiated(w.make_world())
    LabelPeriod.objects.filter(label__holders=world.contract.cluster).update(ends_on=dt.date(2011, 6, 30))
    with pytest.raises(Refused) as caught:
        actions.open_signature(world.text, by=world.correspondent, on=w.START)
    assert any("label" in str(reason).lower() for reason in caught.value.missing), caught.value.missing
    assert world.text.state == "negotiation"
