"""Taking a returned file: three texts compared, clashes kept, proposals in negotiation, an amendment when signed."""

from __future__ import annotations

import datetime as dt

import pytest

from jalon.contracts import actions, content as doc
from jalon.contracts.exchange import actions as exchange, yaml_file
from jalon.contracts.exchange.workbook import CellFault, Returned, read_workbook, write
from jalon.contracts.models import Proposal, Text
from jalon.core.errors import NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry
from tests.contracts import world as w

pytestmark = pytest.mark.django_db


def file_of(text: Text, change=None, *, kind: str = "xlsx") -> Returned:
    """The text written to a file, changed there, read back against the text of now."""
    text = Text.objects.select_related("contract").get(pk=text.pk)
    about = {"slug": text.contract.slug, "text_number": text.number, "rev": text.rev, "simulated": False}
    data = write(text.content, **about) if kind == "xlsx" else yaml_file.write(text.content, **about)
    returned = (
        read_workbook(data, "x.xlsx", text.content)
        if kind == "xlsx"
        else yaml_file.read_yaml(data, "x.yaml", text.content)
    )
    assert not returned.faults
    content = returned.content
    for path, value in change or ():
        content = (
            doc.remove(content, path) if value is None and doc.place(path).whole else doc.put(content, path, value)
        )
    return Returned(doc.tidied(content), returned.origin, [], returned.places)


TARGET = "indicators/i90/targets/2011"


@pytest.mark.parametrize("kind", ["xlsx", "yaml"])
def test_an_unchanged_file_says_nothing_and_writes_nothing(kind):
    world = w.negotiated(w.make_world())
    found = exchange.difference(world.text, file_of(world.text, kind=kind))
    assert found.nothing
    before = JournalEntry.objects.count()
    taken = exchange.take(world.text, file_of(world.text, kind=kind), by=world.director, on=w.START)
    assert taken.n == 0
    assert JournalEntry.objects.count() == before


def test_while_it_is_prepared_the_file_is_written_at_once_and_the_journal_says_so():
    world = w.filled(w.make_world())
    rev = world.text.rev
    returned = file_of(world.text, [(TARGET, "250"), ("articles/object/body", "Autre objet.")])
    found = exchange.difference(world.text, returned)
    assert {c.path for c in found.changes} == {TARGET, "articles/object/body"}
    assert found.places[TARGET].startswith("Indicateurs!")
    taken = exchange.take(
        world.text, returned, by=world.correspondent, on=w.START, file="contrat.xlsx", sha256="ab" * 32
    )
    assert (taken.n, taken.direct, taken.text.number) == (2, True, 0)
    assert doc.get(world.text.content, TARGET) == "250"
    assert world.text.rev == rev + 1
    row = JournalEntry.objects.get(act="contract.import")
    assert (row.after["file"], row.after["file_sha256"], row.after["taken"]) == ("contrat.xlsx", "ab" * 32, 2)
    assert exchange.difference(world.text, returned).nothing
    assert list(breaks()) == []


def test_in_negotiation_it_becomes_one_batch_of_proposals_with_a_reason():
    world = w.negotiated(w.make_world())
    returned = file_of(world.text, [(TARGET, "250"), ("articles/object/body", "Autre objet.")])
    with pytest.raises(Refused, match="motif"):
        exchange.take(world.text, returned, by=world.director, on=w.START)
    assert not Proposal.objects.filter(state="open").exists()
    taken = exchange.take(world.text, returned, by=world.director, on=w.START, reason="Crise", sha256="cd" * 32)
    rows = Proposal.objects.filter(state="open")
    assert taken.n == rows.count() == 2
    assert not taken.direct
    assert len(set(rows.values_list("batch", flat=True))) == 1
    assert set(rows.values_list("reason", flat=True)) == {"Crise"}
    assert doc.get(world.text.content, TARGET) == "200"
    again = exchange.difference(world.text, returned)
    assert not again.changes
    assert {x.change.path for x in again.already_proposed} == {TARGET, "articles/object/body"}
    assert exchange.take(world.text, returned, by=world.director, on=w.START, reason="Crise").n == 0


def test_a_new_element_taken_twice_is_there_once():
    world = w.filled(w.make_world())
    returned = file_of(
        world.text,
        [
            (
                "objectives/o2",
                {
                    "title": "Europe",
                    "body": "",
                    "actions": [{"key": "a2", "title": "X", "owner": "Pôle", "ends_on": "2010-01-01"}],
                },
            )
        ],
    )
    exchange.take(world.text, returned, by=world.correspondent, on=w.START)
    assert [o["title"] for o in world.text.content["objectives"]] == ["Développer l'emploi", "Europe"]
    assert exchange.difference(world.text, returned).nothing


def test_a_new_element_proposed_twice_waits_once():
    world = w.negotiated(w.make_world())
    returned = file_of(world.text, [("objectives/o2", {"title": "Europe", "body": "", "actions": []})])
    assert exchange.take(world.text, returned, by=world.director, on=w.START, reason="R").n == 1
    again = exchange.difference(world.text, returned)
    assert (again.changes, len(again.already_proposed)) == ([], 1)


def test_new_elements_made_on_both_sides_get_keys_of_their_own():
    world = w.filled(w.make_world())
    returned = file_of(world.text, [("objectives/o2", {"title": "Du fichier", "actions": []})])
    actions.propose(
        world.text, [("objectives/o2", {"title": "De Jalon", "actions": []})], by=world.correspondent, on=w.START
    )
    found = exchange.difference(world.text, returned)
    assert not found.clashes
    exchange.take(world.text, returned, by=world.correspondent, on=w.START)
    assert {o["key"]: o["title"] for o in world.text.content["objectives"]} == {
        "o1": "Développer l'emploi",
        "o2": "De Jalon",
        "o3": "Du fichier",
    }


def test_what_changed_meanwhile_in_jalon_is_a_clash_and_is_not_overwritten():
    world = w.filled(w.make_world())
    returned = file_of(world.text, [(TARGET, "250"), ("articles/object/body", "Autre objet.")])
    actions.propose(world.text, [(TARGET, "300")], by=world.director, on=w.START)
    found = exchange.difference(world.text, returned)
    (clash,) = found.clashes
    assert (clash.path, clash.old, clash.theirs, clash.ours) == (TARGET, "200", "300", "250")
    assert clash.who == world.director.user_label
    assert clash.at is not None
    exchange.take(world.text, returned, by=world.correspondent, on=w.START)
    assert doc.get(world.text.content, TARGET) == "300"
    assert doc.get(world.text.content, "articles/object/body") == "Autre objet."
    exchange.take(world.text, returned, by=world.correspondent, on=w.START, overrule=[TARGET])
    assert doc.get(world.text.content, TARGET) == "250"


def test_what_changed_meanwhile_elsewhere_stays():
    world = w.filled(w.make_world())
    returned = file_of(world.text, [(TARGET, "250")])
    actions.propose(world.text, [("articles/object/body", "Depuis")], by=world.director, on=w.START)
    exchange.take(world.text, returned, by=world.correspondent, on=w.START)
    assert doc.get(world.text.content, "articles/object/body") == "Depuis"


def test_the_same_change_on_both_sides_is_no_difference():
    world = w.filled(w.make_world())
    returned = file_of(world.text, [(TARGET, "250.0")])
    actions.propose(world.text, [(TARGET, "250")], by=world.director, on=w.START)
    assert exchange.difference(world.text, returned).nothing


def test_only_what_is_ticked_is_taken():
    world = w.filled(w.make_world())
    returned = file_of(world.text, [(TARGET, "250"), ("articles/object/body", "Autre")])
    assert exchange.take(world.text, returned, by=world.correspondent, on=w.START, only=[TARGET]).n == 1
    assert doc.get(world.text.content, "articles/object/body") != "Autre"


def test_a_signed_contract_gets_an_amendment_that_says_so():
    world = w.signed(w.make_world())
    day = dt.date(2010, 3, 1)
    returned = file_of(world.text, [(TARGET, "250")])
    with pytest.raises(Refused, match="avenant"):
        exchange.take(world.text, returned, by=world.director, on=day)
    assert world.contract.texts.count() == 1
    taken = exchange.take(world.text, returned, by=world.director, on=day, reason="Crise")
    assert (taken.n, taken.opened_amendment, taken.text.number) == (1, True, 1)
    assert "avenant n°" in str(taken.sentence)
    assert doc.get(world.text.content, TARGET) == "200"
    amendment = world.text_no(1)
    assert (doc.get(amendment.content, TARGET), amendment.reason) == ("250", "Crise")
    assert exchange.target(world.contract).number == 1
    again = exchange.difference(exchange.target(world.contract), returned)
    assert again.nothing
    assert again.remarks
    assert list(breaks()) == []


def test_an_open_amendment_is_used():
    world = w.signed(w.make_world())
    returned = file_of(world.text, [(TARGET, "250")])
    actions.amend(world.contract, reason="R", by=world.director, on=w.START)
    target = exchange.target(world.contract)
    taken = exchange.take(target, returned, by=world.director, on=w.START)
    assert (taken.text.number, taken.opened_amendment) == (1, False)
    assert world.contract.texts.count() == 2


def test_a_text_at_signature_takes_nothing():
    world = w.signing(w.make_world())
    with pytest.raises(Refused, match="signature"):
        exchange.take(world.text, file_of(world.text, [(TARGET, "1")]), by=world.director, on=w.START, reason="R")


def test_a_file_of_another_contract_is_refused():
    one, other = w.filled(w.make_world()), w.filled(w.make_world())
    with pytest.raises(Refused, match=one.contract.slug):
        exchange.difference(other.text, file_of(one.text))


def test_a_file_without_origin_is_compared_with_now_and_says_so():
    world = w.filled(w.make_world())
    returned = file_of(world.text, [(TARGET, "250")])
    found = exchange.difference(world.text, Returned(returned.content, None, []))
    assert [c.path for c in found.changes] == [TARGET]
    assert "partir" in str(found.remarks[0]) or "parti" in str(found.remarks[0])


def test_faults_let_the_preview_stand_and_refuse_the_taking():
    world = w.filled(w.make_world())
    good = file_of(world.text, [(TARGET, "250")])
    returned = Returned(good.content, good.origin, [CellFault("Indicateurs!F4", "illisible")], good.places)
    assert [c.path for c in exchange.difference(world.text, returned).changes] == [TARGET]
    with pytest.raises(Refused) as caught:
        exchange.take(world.text, returned, by=world.correspondent, on=w.START)
    assert "Indicateurs!F4" in str(caught.value.missing[0])
    assert doc.get(world.text.content, TARGET) == "200"
    assert exchange.take(world.text, returned, by=world.correspondent, on=w.START, without_faulty=True).n == 1


def test_a_change_that_cannot_stand_is_named_and_left_out_only_expressly():
    world = w.filled(w.make_world())
    end = "objectives/o1/actions/a1/ends_on"
    returned = file_of(world.text, [(end, "2014-06-30"), (TARGET, "250")])
    found = exchange.difference(world.text, returned)
    assert set(found.refused) == {end}
    with pytest.raises(Refused) as caught:
        exchange.take(world.text, returned, by=world.correspondent, on=w.START)
    assert "30\u00a0juin\u00a02014" in str(caught.value.missing[0])
    assert exchange.take(world.text, returned, by=world.correspondent, on=w.START, without_faulty=True).n == 1
    assert doc.get(world.text.content, end) == "2010-12-31"


def test_nothing_is_half_written_when_the_journal_fails(monkeypatch):
    world = w.signed(w.make_world())
    returned = file_of(world.text, [(TARGET, "250")])

    def broken(*args, **kwargs):
        raise RuntimeError("no disk")

    monkeypatch.setattr(exchange.journal, "record", broken)
    with pytest.raises(RuntimeError):
        exchange.take(world.text, returned, by=world.director, on=w.START, reason="R")
    monkeypatch.undo()
    assert world.contract.texts.count() == 1
    assert list(breaks()) == []


def test_only_parties_that_write_bring_files():
    world = w.filled(w.make_world())
    other = w.filled(w.make_world())
    returned = file_of(world.text, [(TARGET, "250")])
    for actor in (other.director, world.prefect, w.f.make_actor("reader")):
        with pytest.raises(NotAllowed):
            exchange.take(world.text, returned, by=actor, on=w.START)
    with pytest.raises(Refused):  # an authority proposes once the negotiation is open
        exchange.take(world.text, returned, by=world.region_agent, on=w.START)
    assert doc.get(world.text.content, TARGET) == "200"


def test_a_removed_objective_is_removed_with_what_names_it():
    world = w.filled(w.make_world())
    returned = file_of(world.text, [("objectives/o1", None)])
    exchange.take(world.text, returned, by=world.correspondent, on=w.START)
    assert world.text.content["objectives"] == []
    assert doc.get(world.text.content, "indicators/i90/objective") is None
