"""Two people at the same moment. Real transactions, real threads, on both databases."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection

from jalon.core.errors import Refused
from jalon.core.models import as_known_on
from jalon.interests import actions as interests
from jalon.labelling import actions, queries
from jalon.labelling.models import LabelRequest, Vote
from jalon.projects.models import ProjectLabel
from tests import factories as make
from tests.labelling import world as small
from tests.labelling.world import DAY

pytestmark = pytest.mark.django_db(transaction=True)
LATER = dt.date(2010, 7, 8)


def race(*acts):
    """Run the acts at the same moment, each on a connection of its own; their results or errors, in order."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            gate.wait(10)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def refused(results):
    assert all(not isinstance(r, Exception) or isinstance(r, Refused) for r in results), results
    return [r for r in results if isinstance(r, Refused)]


def test_competing_acts():
    """One world for all the races: building it costs more than the races themselves."""
    world = small.build()

    # Two requests for the lead at once: one lead.
    found = race(
        lambda: actions.ask(world.project, world.cluster, lead=True, by=world.leader, on=DAY),
        lambda: actions.ask(world.project, world.other, lead=True, by=world.leader, on=DAY),
    )
    assert len(refused(found)) == 1
    LabelRequest.objects.all().delete()

    # Two votes of one person: one counts.
    small.voting(world)
    voter = world.voters[0]
    small.declare(world, *world.voters)
    found = race(
        lambda: actions.cast(world.ballot, "for", by=voter, on=DAY),
        lambda: actions.cast(world.ballot, "against", by=voter, on=DAY),
        lambda: actions.cast(world.ballot, "for", by=world.voters[1], on=DAY),
    )
    assert len(refused(found)) == 1
    assert Vote.objects.filter(user_id=voter.user_id).count() == 1

    # A vote while the vote is closed and a recusal is declared: counted once, or refused; never lost, never doubled.
    actions.cast(world.ballot, "for", by=world.voters[2], on=DAY)
    found = race(
        lambda: actions.cast(world.ballot, "against", by=world.voters[3], on=world.ballot.closes_on),
        lambda: actions.close_vote(world.request, by=world.team, on=world.ballot.closes_on),
        lambda: interests.declare(world.project.case, "interest", by=world.voters[2], on=DAY, reason="Parent"),
    )
    late = refused(found)
    assert len(late) <= 1
    ballot = queries.last_ballot(LabelRequest.objects.get())
    tally = queries.counted(ballot, queries.procedure_of(world.request))
    assert (tally.cast, tally.entitled, tally.set_aside) == (3 - len(late), 3, 1)

    # Two decisions at once: one is recorded, with one row in the register.
    small.declare(world, world.director)
    found = race(
        lambda: actions.decide(world.request, "refused", by=world.director, on=LATER, reasons="Non"),
        lambda: actions.decide(world.request, "labelled", by=world.director, on=LATER, reasons="Oui"),
    )
    assert len(refused(found)) == 1
    row = as_known_on(ProjectLabel.objects.all()).get()
    assert row.outcome == LabelRequest.objects.get().state
    assert make.user_of(world.director).name == LabelRequest.objects.get().decided_by
