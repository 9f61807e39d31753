"""Preparing and negotiating: who writes, who accepts, conflicts, history, comments, rounds."""

from __future__ import annotations

import datetime as dt

import pytest

from jalon.contracts import actions, content as doc, queries
from jalon.contracts.models import Contract, Proposal
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry, OutboxMessage
from tests import factories as f
from tests.contracts import world as w

pytestmark = pytest.mark.django_db

TARGET = "indicators/i90/targets/2011"


def ask(world, actor, *changes, reason="Parce que"):
    return actions.propose(world.text, changes, reason=reason, by=actor, on=w.START)


def test_a_contract_is_born_from_the_template():
    world = w.prepared(w.make_world(group="2"))
    contract, content = world.contract, world.text.content
    assert (contract.state, contract.template, contract.group) == ("preparing", "performance-2009", "2")
    assert content["territory"] == ["72"]
    assert [p["kind"] for p in content["parties"]] == ["state", "authority", "authority", "governance"]
    assert [a["key"] for a in content["articles"]][:2] == ["preamble", "object"]
    assert doc.get(content, "articles/object/body").startswith("Le présent contrat")
    common = [i["code"] for i in content["indicators"]]
    assert common == list(queries.template_of(contract).common_indicators)
    assert all(i["unit"] and i["common"] for i in content["indicators"])
    assert contract.parties.count() == 4
    assert JournalEntry.objects.get(case=f"contract:{contract.slug}").act == "contract.prepare"


def test_the_last_validated_value_is_the_baseline():
    world = w.make_world()
    from jalon.core import clock
    from jalon.indicators.models import Observation

    Observation.objects.create(
        cluster=world.cluster,
        indicator="members_total",
        period_start=dt.date(2008, 12, 31),
        period_end=dt.date(2008, 12, 31),
        value=143,
        origin="declared",
        state="validated",
        recorded_at=clock.moment_on(dt.date(2009, 2, 1)),
    )
    w.prepared(world)
    found = next(i for i in world.text.content["indicators"] if i["code"] == "members_total")
    assert (found["baseline"], found["baseline_on"]) == ("143", "2008-12-31")


def test_no_label_or_a_label_that_ends_too_early_forbids_a_contract():
    world = w.make_world(group="3")
    from jalon.clusters.models import LabelPeriod

    LabelPeriod.objects.update(ends_on=dt.date(2009, 12, 31))
    with pytest.raises(Refused, match="31\u00a0décembre\u00a02009") as caught:
        w.prepared(world)
    assert "Groupe 3" in str(caught.value.reason)
    assert caught.value.why.reading
    LabelPeriod.objects.all().delete()
    with pytest.raises(Refused, match="Aucun label"):
        w.prepared(world)
    assert not Contract.objects.exists()


def test_only_the_state_that_follows_the_cluster_prepares():
    world, other = w.make_world(), w.make_world()
    for actor in (other.correspondent, world.director, world.region_agent):
        world.correspondent = actor
        with pytest.raises(NotAllowed):
            w.prepared(world)


def test_while_it_is_prepared_state_and_pole_write_and_the_history_keeps_it():
    world = w.prepared(w.make_world())
    ask(world, world.director, ("preamble", "Un préambule."), reason="")
    ask(world, world.correspondent, ("preamble", "Un meilleur préambule."), reason="")
    assert world.text.content["preamble"] == "Un meilleur préambule."
    rows = list(queries.history(world.contract, "preamble").values_list("old", "new", "state"))
    assert rows == [("Un préambule.", "Un meilleur préambule.", "accepted"), ("", "Un préambule.", "accepted")]
    with pytest.raises(Refused, match="en préparation"):
        ask(world, world.region_agent, ("preamble", "Le nôtre"))


def test_a_change_of_ones_own_side_is_undone_while_nobody_wrote_since():
    world = w.prepared(w.make_world())
    (made,) = ask(world, world.director, ("preamble", "Un préambule."))
    with pytest.raises(NotAllowed):
        actions.withdraw(made, by=world.correspondent, on=w.START)
    actions.withdraw(made, by=world.director, on=w.START)
    assert not world.text.content["preamble"]
    (first,) = ask(world, world.director, ("preamble", "Un"))
    ask(world, world.correspondent, ("preamble", "Deux"))
    with pytest.raises(Conflict):
        actions.withdraw(first, by=world.director, on=w.START)
    assert world.text.content["preamble"] == "Deux"


def test_in_negotiation_every_change_waits_for_the_other_side():
    world = w.negotiated(w.make_world())
    (made,) = ask(world, world.director, (TARGET, "250"), reason="Deux implantations")
    assert doc.get(world.text.content, TARGET) == "200"
    for actor in (world.director, world.region_agent):
        with pytest.raises(NotAllowed):
            actions.accept(made, by=actor, on=w.START)
    actions.accept(made, by=world.correspondent, on=w.START)
    assert doc.get(world.text.content, TARGET) == "250"
    with pytest.raises(Refused, match="déjà"):
        actions.accept(made, by=world.correspondent, on=w.START)
    (back,) = ask(world, world.correspondent, (TARGET, "220"))
    with pytest.raises(NotAllowed):
        actions.accept(back, by=world.correspondent, on=w.START)
    with pytest.raises(Refused, match="motif"):
        actions.reject(back, reason=" ", by=world.director, on=w.START)
    actions.reject(back, reason="Trop bas", by=world.director, on=w.START)
    assert doc.get(world.text.content, TARGET) == "250"
    found = queries.history(world.contract, TARGET).first()
    assert (found.old, found.new, found.state, found.decision_reason) == ("250", "220", "rejected", "Trop bas")


def test_nobody_promises_for_another():
    world = w.negotiated(w.make_world())
    (made,) = ask(world, world.correspondent, ("commitments/c2/amounts/2010", "150000"))
    with pytest.raises(NotAllowed, match="elle seule"):
        actions.accept(made, by=world.director, on=w.START)
    actions.accept(made, by=world.region_agent, on=w.START)
    assert doc.get(world.text.content, "commitments/c2/amounts/2010") == "150000"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("commitments/c1/amounts/2009", "-1"), "négatif"),
        (("commitments/c1/amounts/2009", "cent"), "un nombre"),
        (("commitments/c1/amounts/2019", "5"), "hors du contrat"),
        (("indicators/i91", {"title": "Sans unité", "targets": {"2010": "4"}}), "unité"),
        (("indicators/i90/unit", ""), "unité"),
        (("objectives/o1/actions/a1/ends_on", "2012-06-01"), "hors du contrat"),
        (("objectives/o1/actions/a1/ends_on", "2009-01-15"), "avant son début"),
        (("objectives/o1/actions/a1/ends_on", "31/02/2009"), "une date"),
        (("ends_on", "2008-12-31"), "avant son début"),
        (("ends_on", "2019-12-31"), "mois"),
        (("territory", ["72", "nulle-part"]), None),
        (("objectives/o9/title", "Absent"), "n'est plus dans le texte"),
        (("objectifs/o1/title", "Chemin"), "ne désigne rien"),
        (("parties/p9", {"kind": "authority", "organisation": 999999, "name": "X"}), "ne connaît pas"),
        (("commitments/c1/party", "governance"), "seuls l'État"),
    ],
)
def test_bad_input_is_refused_with_a_sentence_and_changes_nothing(change, sentence):
    world = w.negotiated(w.make_world())
    before = world.text.content
    if sentence is None:
        ask(world, world.director, change)
    else:
        with pytest.raises(Refused, match=sentence):
            ask(world, world.director, change)
        assert not Proposal.objects.filter(state="open").exists()
    assert world.text.content == before


def test_a_proposal_needs_a_reason_and_the_same_is_not_made_twice():
    world = w.negotiated(w.make_world())
    with pytest.raises(Refused, match="motif"):
        ask(world, world.director, (TARGET, "250"), reason="  ")
    assert len(ask(world, world.director, (TARGET, "250"))) == 1
    assert ask(world, world.director, (TARGET, "250,0")) == []
    assert ask(world, world.director, (TARGET, "200")) == []


def test_a_proposal_on_a_value_that_changed_is_a_conflict_and_overwrites_nothing():
    world = w.negotiated(w.make_world())
    (first,) = ask(world, world.director, (TARGET, "250"))
    (second,) = ask(world, world.region_agent, (TARGET, "300"))
    actions.accept(first, by=world.correspondent, on=w.START)
    with pytest.raises(Conflict) as caught:
        actions.accept(second, by=world.correspondent, on=w.START)
    assert (caught.value.theirs, caught.value.yours) == ("250", "300")
    assert doc.get(world.text.content, TARGET) == "250"
    second.refresh_from_db()
    assert second.state == "open"
    with pytest.raises(Conflict):
        ask(world, world.director, (TARGET, "400", "200"))


def test_removing_an_element_meets_a_proposal_inside_it():
    world = w.negotiated(w.make_world())
    (inside,) = ask(world, world.director, ("objectives/o1/actions/a1/title", "Salons et missions"))
    (removal,) = ask(world, world.director, ("objectives/o1/actions/a1", None))
    actions.accept(removal, by=world.correspondent, on=w.START)
    with pytest.raises(Conflict):
        actions.accept(inside, by=world.correspondent, on=w.START)
    assert doc.get(world.text.content, "objectives/o1/actions/a1") is None


def test_a_key_is_never_given_twice():
    world = w.negotiated(w.make_world())
    (removal,) = ask(world, world.director, ("objectives/o1/actions/a1", None))
    actions.accept(removal, by=world.correspondent, on=w.START)
    assert actions.next_key(world.text, "objectives/o1/actions") == "a2"
    ask(world, world.director, ("objectives/o2", {"title": "Autre"}))
    assert actions.next_key(world.text, "objectives") == "o3"


def test_rounds_are_counted():
    world = w.negotiated(w.make_world())
    with pytest.raises(NotAllowed):
        actions.next_round(world.text, by=world.director, on=w.START)
    actions.next_round(world.text, by=world.correspondent, on=w.START)
    (made,) = ask(world, world.director, (TARGET, "250"))
    assert made.round_no == 2


def test_open_proposals_hold_the_signature_back():
    world = w.negotiated(w.make_world())
    (made,) = ask(world, world.director, (TARGET, "250"))
    with pytest.raises(Refused) as caught:
        actions.open_signature(world.text, by=world.correspondent, on=w.START)
    assert any("proposition" in str(m) for m in caught.value.missing)
    actions.withdraw(made, by=world.director, on=w.START)
    actions.open_signature(world.text, by=world.correspondent, on=w.START)
    with pytest.raises(Refused, match="à la signature"):
        ask(world, world.director, (TARGET, "250"))


def test_the_other_side_is_told_once():
    world = w.negotiated(w.make_world())
    ask(world, world.director, (TARGET, "250"), ("indicators/i90/targets/2010", "90"))
    found = OutboxMessage.objects.filter(subject__startswith="Propositions")
    assert set(found.values_list("to", flat=True)) == {f.user_of(world.correspondent).email}
    assert "2 changement" in found.get().body


def test_comments_and_their_settlement_are_acts():
    world = w.negotiated(w.make_world())
    with pytest.raises(Refused, match="vide"):
        actions.comment(world.text, "objectives/o1", "  ", by=world.director, on=w.START)
    remark = actions.comment(world.text, "objectives/o1", "À chiffrer", by=world.prefect, on=w.START)
    actions.resolve(remark, by=world.director, on=w.START)
    actions.resolve(remark, by=world.director, on=w.START)
    acts = list(JournalEntry.objects.filter(case=f"contract:{world.contract.slug}").values_list("act", flat=True))
    assert acts.count("contract.resolve") == 1


def test_every_act_is_one_row_of_the_journal():
    world = w.negotiated(w.make_world())
    before = JournalEntry.objects.count()
    (made,) = ask(world, world.director, (TARGET, "250"), reason="Deux implantations")
    actions.accept(made, by=world.correspondent, on=w.START, reason="D'accord")
    rows = list(JournalEntry.objects.order_by("id")[before:])
    assert [r.act for r in rows] == ["contract.propose", "contract.accept"]
    assert rows[1].before["values"] == {TARGET: "200"}
    assert rows[1].after["values"] == {TARGET: "250"}
    assert (rows[1].why, rows[1].user_label) == ("D'accord", world.correspondent.user_label)


def test_an_abandoned_contract_cannot_go_on():
    world = w.negotiated(w.make_world())
    with pytest.raises(Refused, match="motif"):
        actions.abandon(world.text, reason="", by=world.correspondent, on=w.START)
    actions.abandon(world.text, reason="Le pôle a perdu son label", by=world.correspondent, on=w.START)
    with pytest.raises(Refused, match="abandonné"):
        ask(world, world.director, (TARGET, "250"))
    assert world.text.contract.state == "abandoned"


BATCH = "file-0123456789ab"


def from_a_file(world, actor, *changes):
    return actions.propose(world.text, changes, reason="Classeur relu", by=actor, on=w.START, batch=BATCH)


def test_the_proposals_of_one_file_are_accepted_at_once_in_one_act():
    world = w.negotiated(w.make_world())
    made = from_a_file(world, world.director, (TARGET, "250"), ("articles/object/body", "Objet relu."))
    ask(world, world.director, ("articles/preamble/body", "Préambule relu."))
    done = actions.accept_batch(world.text, BATCH, by=world.correspondent, on=w.START)
    assert {p.pk for p in done} == {p.pk for p in made}
    world.text.refresh_from_db()
    assert (
        doc.get(world.text.content, TARGET) == "250"
        and doc.get(world.text.content, "articles/object/body") == "Objet relu."
    )
    rows = JournalEntry.objects.filter(case=f"contract:{world.contract.slug}", act="contract.accept")
    assert [sorted(r.after["proposals"]) for r in rows] == [sorted(p.pk for p in made)]
    assert world.text.proposals.filter(state="open").count() == 1  # the one that came by itself
    with pytest.raises(Refused, match="plus de proposition ouverte"):
        actions.accept_batch(world.text, BATCH, by=world.correspondent, on=w.START)


def test_a_file_with_one_clash_writes_nothing_and_lists_it():
    world = w.negotiated(w.make_world())
    from_a_file(world, world.director, (TARGET, "250"), ("articles/object/body", "Objet relu."))
    (other,) = ask(world, world.correspondent, (TARGET, "260"))
    actions.accept(other, by=world.director, on=w.START)
    with pytest.raises(Conflict) as refused:
        actions.accept_batch(world.text, BATCH, by=world.correspondent, on=w.START)
    assert len(refused.value.missing) == 1 and "260" in str(refused.value.missing[0])
    world.text.refresh_from_db()
    assert doc.get(world.text.content, "articles/object/body") != "Objet relu."
    assert Proposal.objects.filter(batch=BATCH, state="open").count() == 2


def test_a_file_is_rejected_with_a_reason_by_those_who_decide():
    world = w.negotiated(w.make_world())
    from_a_file(world, world.director, (TARGET, "250"), ("articles/object/body", "Objet relu."))
    with pytest.raises(Refused, match="motif"):
        actions.reject_batch(world.text, BATCH, reason=" ", by=world.correspondent, on=w.START)
    with pytest.raises(NotAllowed):
        actions.reject_batch(world.text, BATCH, reason="Non", by=world.director, on=w.START)
    actions.reject_batch(world.text, BATCH, reason="Trop ambitieux", by=world.correspondent, on=w.START)
    assert set(Proposal.objects.filter(batch=BATCH).values_list("state", "decision_reason")) == {
        ("rejected", "Trop ambitieux")
    }


def test_what_another_party_decides_stays_open():
    world = w.negotiated(w.make_world())
    key = next(c["key"] for c in world.text.content["commitments"] if c["party"] == "authority1")
    from_a_file(world, world.director, (TARGET, "250"), (f"commitments/{key}/amounts/2010", "120000"))
    done = actions.accept_batch(world.text, BATCH, by=world.correspondent, on=w.START)
    assert [p.path for p in done] == [TARGET]
    assert list(Proposal.objects.filter(batch=BATCH, state="open").values_list("path", flat=True)) == [
        f"commitments/{key}/amounts/2010"
    ]
