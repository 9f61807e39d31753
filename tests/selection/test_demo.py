"""The demonstration's selection: built from the projects of call 10, all flagged, with work for each account."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from jalon.core.journal import breaks
from jalon.demo import selection as chapter
from jalon.demo.build import HOME_REGION, World
from jalon.interests.queries import waiting
from jalon.projects.models import BudgetLine
from jalon.selection import queries
from jalon.selection.models import Assessment, Consensus, Scenario, Share
from jalon.workspace.queries import tasks_for
from tests import factories as f
from tests.selection import world as w


@pytest.mark.django_db
def test_the_selection_of_call_10_is_simulated_and_every_account_has_something_to_do():
    f.live_on()
    call = w.make_call("fui-10", published={"state_amount": {"value": "600000", "precision": "", "sources": []}})
    actors = {
        role: f.make_actor(role) for role in ("fund_manager", "label_authority", "ministry_expert", "local_authority")
    }
    region = f.Organisation.objects.get(pk=actors["local_authority"].organisation_id)
    f.Organisation.objects.filter(pk=region.pk).update(level="region", region_code="72")
    region.refresh_from_db()
    for _ in range(24):
        w.make_project(call, cluster=None, partners=2, base="200000.00", simulated=True)
    said = []
    world = World(
        programme=f.PROGRAMME,
        rng=random.Random(1),
        users={role: f.user_of(one) for role, one in actors.items()},
        councils={HOME_REGION: region},
    )
    chapter.build(world, lambda fr, en, **_: said.append(en))
    assert said
    exercise = queries.exercise_of(call)
    assert exercise.simulated and queries.envelope_of(call) == Decimal(600000)
    for table in (Assessment, Consensus, Share, Scenario):
        assert table.objects.exists() and not table.objects.filter(simulated=False).exists(), table
    plans = queries.plans(list(call.projects.all()), exercise=exercise, on=f.DAY)
    assert not any(plan.blocking for plan in plans.values())
    one, two = (
        queries.sums_of(exercise, s, plans, f.DAY).selected
        for s in Scenario.objects.prefetch_related("lines").order_by("pk")
    )
    assert one >= two > 0
    assert len(waiting(actors["ministry_expert"], f.DAY)) == 3
    for role, words in (
        ("ministry_expert", "Rendre l'avis"),
        ("local_authority", "Dire vos intentions"),
        ("fund_manager", "Tenir le consensus"),
        ("label_authority", "Arrêter la liste"),
    ):
        assert any(words in str(task.title) for task in tasks_for(actors[role], f.DAY)), role
    assert BudgetLine.objects.count() == 48 and list(breaks()) == []
    # A programme without that call gets nothing.
    chapter.build(World(programme="autre", rng=random.Random(1), users=world.users), lambda *a, **k: said.append("no"))
    assert "no" not in said
