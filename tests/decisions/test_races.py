"""Two officers at the same moment: one decision is taken, the other learns that it was. Real transactions, real threads."""

from __future__ import annotations

import pytest

from jalon.core.errors import Conflict
from jalon.core.models import JournalEntry
from jalon.decisions import actions
from jalon.decisions.models import Effect, Notice
from tests import factories as make
from tests.decisions.world import DAY, build, decided, proposed
from tests.roadmaps.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_of_two_decisions_wins():
    world = build()
    file = proposed(world)
    second = make.make_actor("label_authority")
    results = race(
        *(
            lambda by=by: actions.decide(
                file,
                authority="interministerial-committee",
                reference="CIADT",
                decided_on=DAY,
                rev=file.rev,
                by=by,
                on=DAY,
            )
            for by in (world.authority, second)
        )
    )
    assert sum(isinstance(r, Conflict) for r in results) == 1, results
    assert JournalEntry.objects.filter(act__in=("decision.decide", "label.withdrawn", "contract.close")).count() == 3
    assert Effect.objects.filter(on="label").count() == 1


def test_one_of_two_notifications_wins():
    world = build()
    line = decided(world).lines.get()
    results = race(*(lambda: actions.notify(line, sent_on=DAY, by=world.officer, on=DAY) for _ in range(2)))
    assert sum(isinstance(r, Conflict) for r in results) == 1, results
    assert Notice.objects.count() == 1
