"""Two people at the same moment: one succeeds, the other reads why; nothing is written twice or lost."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection, connections

from jalon.contracts import actions, content as doc
from jalon.contracts.models import Contract, Proposal, Signature, Target, Text
from jalon.core.errors import Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry
from tests.contracts import world as w

pytestmark = pytest.mark.django_db(transaction=True)


def together(*calls):
    """Run the calls at the same moment, each on its own connection; what each returned or raised."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(position, call):
        try:
            barrier.wait(timeout=20)
            for attempt in range(6):
                try:
                    results[position] = call()
                    break
                except OperationalError as error:  # SQLite's one writer is busy: the request would be sent again
                    if connection.vendor != "sqlite" or attempt == 5:
                        raise
                    results[position] = error
        except Exception as error:  # noqa: BLE001 - the result of the thread
            results[position] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n, call)) for n, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def good(results):
    return [r for r in results if not isinstance(r, Exception)]


def refused(results):
    bad = [r for r in results if isinstance(r, Exception)]
    assert all(isinstance(r, Refused) for r in bad), bad
    return bad


def test_one_proposal_is_accepted_once():
    world = w.negotiated(w.make_world())
    (made,) = actions.propose(
        world.text, [("indicators/i90/targets/2011", "250")], reason="Oui", by=world.director, on=w.START
    )
    rev = world.text.rev
    accept = lambda: actions.accept(Proposal.objects.get(pk=made.pk), by=world.correspondent, on=w.START)  # noqa: E731
    results = together(accept, accept, accept)
    assert (len(good(results)), len(refused(results))) == (1, 2)
    assert world.text.rev == rev + 1
    assert JournalEntry.objects.filter(act="contract.accept").count() == 1


def test_two_proposals_of_one_value_accepted_at_once_meet_as_a_conflict():
    world = w.negotiated(w.make_world())
    path = "indicators/i90/targets/2011"
    (one,) = actions.propose(world.text, [(path, "250")], reason="Oui", by=world.director, on=w.START)
    (two,) = actions.propose(world.text, [(path, "300")], reason="Plus", by=world.region_agent, on=w.START)
    results = together(
        *(
            lambda pk=pk: actions.accept(Proposal.objects.get(pk=pk), by=world.correspondent, on=w.START)
            for pk in (one.pk, two.pk)
        )
    )
    (kept,) = good(results)
    (lost,) = refused(results)
    assert lost.kind == "conflict"
    assert doc.get(world.text.content, path) == kept.new


def test_two_writers_of_different_places_lose_nothing():
    world = w.prepared(w.make_world())
    results = together(
        lambda: actions.propose(world.text, [("preamble", "Un")], by=world.director, on=w.START),
        lambda: actions.propose(world.text, [("articles/strategy/body", "Deux")], by=world.correspondent, on=w.START),
        lambda: actions.propose(world.text, [("objectives/o1", {"title": "Trois"})], by=world.director, on=w.START),
    )
    assert len(good(results)) == 3, results
    content = world.text.content
    assert (content["preamble"], doc.get(content, "articles/strategy/body")) == ("Un", "Deux")
    assert doc.get(content, "objectives/o1/title") == "Trois"


def test_two_writers_of_one_place_the_second_sees_the_conflict():
    world = w.prepared(w.make_world())
    results = together(
        lambda: actions.propose(world.text, [("preamble", "Un", "")], by=world.director, on=w.START),
        lambda: actions.propose(world.text, [("preamble", "Deux", "")], by=world.correspondent, on=w.START),
    )
    assert (len(good(results)), len(refused(results))) == (1, 1)
    assert world.text.content["preamble"] == good(results)[0][0].new


def test_the_last_two_signatures_at_once_bind_once():
    world = w.signing(w.make_world())
    w.decide_all(world)
    w.sign_as(world, world.director)
    sign = lambda actor: lambda: w.sign_as(world, actor)  # noqa: E731
    results = together(sign(world.region_signatory), sign(world.department_signatory), sign(world.region_signatory))
    assert (len(good(results)), len(refused(results))) == (2, 1)
    results = together(sign(world.prefect), sign(world.prefect))
    assert (len(good(results)), len(refused(results))) == (1, 1)
    assert Contract.objects.get().state == "signed"
    assert Signature.objects.count() == 4
    assert Target.objects.filter(indicator__key="i90").count() == 1
    assert JournalEntry.objects.filter(act="contract.bind").count() == 1
    assert list(breaks()) == []


def test_signing_while_somebody_refuses_is_one_or_the_other():
    world = w.signing(w.make_world())
    w.decide_all(world)
    text, sha = world.text, world.text.frozen.sha256
    results = together(
        lambda: actions.sign(text, by=world.director, on=w.START, sha256=sha),
        lambda: actions.refuse(text, reason="Non", by=world.region_signatory, on=w.START),
    )
    assert not isinstance(results[1], Exception), results
    assert world.text.state == "negotiation"
    assert not Signature.objects.exists()
    refused(results)


def test_two_amendments_opened_at_once_have_two_numbers():
    world = w.signed(w.make_world())
    amend = lambda: actions.amend(world.contract, reason="Oui", by=world.correspondent, on=w.START)  # noqa: E731
    results = together(amend, amend)
    assert len(good(results)) == 2, results
    assert sorted(Text.objects.values_list("number", flat=True)) == [0, 1, 2]


def test_a_change_arriving_while_the_text_is_frozen_waits_and_is_refused_or_is_in_it():
    world = w.negotiated(w.make_world())
    text = world.text
    results = together(
        lambda: actions.open_signature(text, by=world.correspondent, on=w.START),
        lambda: actions.propose(text, [("preamble", "Tard")], reason="Oui", by=world.director, on=w.START),
    )
    assert (len(good(results)), len(refused(results))) == (1, 1), results
    if world.text.state == "signing":
        assert not Proposal.objects.filter(state="open").exists()
    else:
        assert Proposal.objects.filter(state="open").count() == 1
