"""Two awards at the same moment cannot overrun de minimis. Real transactions, real threads."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from jalon.aid import actions, queries
from jalon.aid.models import Award, OwnershipLink
from jalon.core.errors import Refused
from tests.aid.world import build, project_aid, small
from tests.roadmaps.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_authorities_at_once_do_not_overrun_de_minimis():
    world = build()
    results = race(
        lambda: small(world, 200_000),
        lambda: small(world, 200_000, authority=world.city, by=world.city_agent),
    )
    assert sorted(type(r) for r in results if not isinstance(r, Award)) == [Refused], results
    assert Award.objects.count() == 1


def test_two_firms_of_one_group_share_one_ceiling_at_the_same_moment():
    world = build()
    actions.record_link(
        world.parent,
        world.firm,
        share=Decimal(90),
        starts_on=dt.date(2020, 1, 1),
        evidence="Statuts",
        by=world.manager,
        on=world.day,
    )
    results = race(
        lambda: small(world, 200_000),
        lambda: small(world, 200_000, beneficiary=world.parent, authority=world.city, by=world.city_agent),
    )
    assert sum(isinstance(r, Award) for r in results) == 1, results


def test_two_funders_at_once_do_not_pass_the_rate_of_a_project():
    world = build()
    results = race(
        lambda: project_aid(world, 50_000),
        lambda: project_aid(world, 50_000, authority=world.city, by=world.city_agent),
    )
    assert sum(isinstance(r, Award) for r in results) == 1, results


def test_two_links_at_once_do_not_close_a_circle():
    world = build()

    def link(owner, owned):
        return actions.record_link(owner, owned, share=Decimal(60), evidence="Statuts", by=world.manager, on=world.day)

    results = race(lambda: link(world.parent, world.firm), lambda: link(world.firm, world.parent))
    assert sum(isinstance(r, OwnershipLink) for r in results) == 1, results
    assert queries.undertaking(world.firm, world.day)
