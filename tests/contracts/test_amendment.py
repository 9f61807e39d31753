"""Amendments: the copy, the difference, who signs again, versions of rows, competing amendments."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from jalon.contracts import actions, content as doc, queries
from jalon.contracts.models import Action, Commitment, Objective, Target
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.journal import breaks
from tests import factories as f
from tests.contracts import world as w

pytestmark = pytest.mark.django_db

LATER = dt.date(2010, 4, 6)
TARGET = "indicators/i90/targets/2011"


def opened(world, *changes, on=LATER):
    """An amendment in negotiation, with these changes written while it was prepared."""
    text = actions.amend(world.contract, reason="Crise de 2009", by=world.correspondent, on=on)
    actions.propose(world.text_no(text.number), changes, by=world.correspondent, on=on)
    actions.open_negotiation(world.text_no(text.number), by=world.correspondent, on=on)
    return world.text_no(text.number)


def frozen(world, text, on=LATER):
    actions.open_signature(text, by=world.correspondent, on=on)
    return world.text_no(text.number)


def test_a_change_of_target_is_signed_by_the_pole_and_the_state_only():
    world = w.signed(w.make_world())
    text = frozen(world, opened(world, (TARGET, "150")))
    assert set(queries.signers_of(text).keys) == {"governance", "state"}
    old = Target.objects.get(indicator__key="i90", year=2011)
    with pytest.raises(Refused, match="ne signe pas"):
        w.sign_as(world, world.region_signatory, text, LATER)
    w.sign_as(world, world.director, text, LATER)
    w.sign_as(world, world.prefect, text, LATER)
    old.refresh_from_db()
    assert (old.value, old.superseded_at is not None) == (200, True)
    new = Target.objects.get(indicator__key="i90", year=2011, superseded_at__isnull=True)
    assert (new.value, new.text.number, new.reason) == (150, 1, "Crise de 2009")
    assert Target.objects.filter(superseded_at__isnull=False).count() == 1
    assert queries.binding_text(world.contract).number == 1
    assert doc.get(world.text.content, TARGET) == "200"  # the original stays as it was signed
    assert list(breaks()) == []


def test_an_amount_is_signed_again_by_the_authority_that_promises_it():
    world = w.signed(w.make_world())
    text = frozen(world, opened(world, ("commitments/c2/amounts/2011", "60000")))
    region = world.contract.parties.get(organisation=world.region).key
    assert set(queries.signers_of(text).keys) == {"governance", region, "state"}
    w.sign_as(world, world.director, text, LATER)
    with pytest.raises(Refused, match="délibération"):
        w.sign_as(world, world.region_signatory, text, LATER)
    actions.decide(text, by=world.region_signatory, on=LATER, decided_on=LATER, reference="2010-4")
    w.sign_as(world, world.region_signatory, text, LATER)
    w.sign_as(world, world.prefect, text, LATER)
    versions = list(Commitment.objects.filter(key="c2/2011").order_by("id").values_list("amount", "text__number"))
    assert versions == [(Decimal("100000"), 0), (Decimal("60000"), 1)]
    assert Commitment.objects.filter(contract=world.contract, superseded_at__isnull=True).count() == 9


def test_what_leaves_keeps_its_row_and_what_comes_gets_one():
    world = w.signed(w.make_world())
    text = opened(
        world,
        ("objectives/o1/actions/a1", None),
        ("objectives/o1/actions/a2", {"title": "Missions", "owner": "Équipe", "ends_on": "2011-06-30"}),
        ("ends_on", "2012-12-31"),
    )
    text = frozen(world, text)
    assert set(queries.signers_of(text).keys) == {p.key for p in world.contract.parties.all()}
    w.decide_all(world, text, LATER)
    for actor in (world.director, world.department_signatory, world.region_signatory, world.prefect):
        w.sign_as(world, actor, text, LATER)
    gone, new = Action.objects.get(key="a1"), Action.objects.get(key="a2")
    assert (gone.removed_by_text, gone.title) == (1, "Salons professionnels")
    assert (new.from_text, new.removed_by_text, new.objective) == (1, None, Objective.objects.get(key="o1"))
    world.contract.refresh_from_db()
    assert world.contract.ends_on == dt.date(2012, 12, 31)
    assert queries.in_force(world.contract, dt.date(2012, 6, 1)).answer is True


def test_a_new_party_signs_and_joins_at_the_end_of_the_signature():
    world = w.signed(w.make_world())
    city = f.make_organisation("Ville de Chartres", "authority")
    mayor = f.make_actor("authority_signatory", organisation=city)
    text = opened(
        world,
        ("parties/city", {"kind": "authority", "organisation": city.pk, "name": city.name, "signatory": "maire"}),
        (
            "commitments/c9",
            {"party": "city", "kind": "money", "title": "Animation", "amounts": {"2011": "20000"}},
        ),
    )
    text = frozen(world, text)
    w.decide_all(world, text, LATER)
    actions.decide(text, by=mayor, on=LATER, decided_on=LATER, reference="V-1")
    for actor in (world.director, world.region_signatory, world.department_signatory, mayor, world.prefect):
        w.sign_as(world, actor, text, LATER)
    assert Commitment.objects.get(key="c9/2011").party.organisation == city


def test_competing_amendments_are_never_overwritten():
    world = w.signed(w.make_world())
    first = opened(world, (TARGET, "150"))
    second = opened(world, (TARGET, "120"), ("objectives/o1/title", "Garder l'emploi"))
    first = frozen(world, first)
    with pytest.raises(Refused, match="l'un après l'autre"):
        actions.open_signature(second, by=world.correspondent, on=LATER)
    w.sign_as(world, world.director, first, LATER)
    w.sign_as(world, world.prefect, first, LATER)
    with pytest.raises(Conflict) as caught:
        actions.open_signature(second, by=world.correspondent, on=LATER)
    assert "« 150 » en vigueur, « 120 » dans cet avenant" in str(caught.value.missing[0]).replace("\u00a0", " ")
    with pytest.raises(Conflict, match="1 conflit"):
        actions.rebase(second, by=world.correspondent, on=LATER)
    assert world.text_no(2).base.number == 0
    actions.rebase(second, by=world.correspondent, on=LATER, keep={TARGET: "theirs"})
    second = world.text_no(2)
    assert (second.base.number, doc.get(second.content, TARGET)) == (1, "150")
    assert [c.path for c in doc.diff(second.base.content, second.content)] == ["objectives/o1/title"]
    second = frozen(world, second)
    w.decide_all(world, second, LATER)
    for actor in (world.director, world.region_signatory, world.department_signatory, world.prefect):
        w.sign_as(world, actor, second, LATER)
    assert queries.binding_text(world.contract).number == 2
    assert Target.objects.get(indicator__key="i90", year=2011, superseded_at__isnull=True).value == 150


def test_the_second_opened_may_be_signed_first():
    world = w.signed(w.make_world())
    first = opened(world, ("preamble", "Nouveau préambule"))
    second = frozen(world, opened(world, (TARGET, "150")))
    for actor in (world.director, world.prefect):
        w.sign_as(world, actor, second, LATER)
    actions.rebase(first, by=world.correspondent, on=LATER)
    first = frozen(world, world.text_no(1))
    w.decide_all(world, first, LATER)
    for actor in (world.director, world.region_signatory, world.department_signatory, world.prefect):
        w.sign_as(world, actor, first, LATER)
    assert queries.binding_text(world.contract).number == 1
    assert doc.get(queries.binding_text(world.contract).content, TARGET) == "150"


def test_an_amendment_needs_a_signed_contract_a_reason_and_a_change():
    world = w.negotiated(w.make_world())
    with pytest.raises(Refused, match="contrat signé"):
        actions.amend(world.contract, reason="Trop tôt", by=world.correspondent, on=LATER)
    world = w.signed(w.make_world())
    with pytest.raises(Refused, match="motif"):
        actions.amend(world.contract, reason=" ", by=world.correspondent, on=LATER)
    with pytest.raises(NotAllowed):
        actions.amend(world.contract, reason="Non", by=world.region_agent, on=LATER)
    text = actions.amend(world.contract, reason="Oui", by=world.director, on=LATER)
    actions.open_negotiation(text, by=world.correspondent, on=LATER)
    with pytest.raises(Refused, match="ne change rien"):
        actions.open_signature(text, by=world.correspondent, on=LATER)


def test_an_abandoned_amendment_changes_nothing():
    world = w.signed(w.make_world())
    text = opened(world, (TARGET, "150"))
    actions.abandon(text, reason="Sans objet", by=world.correspondent, on=LATER)
    assert queries.binding_text(world.contract).number == 0
    assert Target.objects.get(indicator__key="i90", year=2011).value == 200
    world.contract.refresh_from_db()
    assert world.contract.state == "signed"
