"""Fixtures of the roadmaps' small world (tests/roadmaps/world.py)."""

from __future__ import annotations

import pytest


@pytest.fixture
def world(db):
    """Roles around one cluster, and an empty draft of its roadmap."""
    from tests.roadmaps.world import build

    return build()


@pytest.fixture
def validated(world):
    """The same world, its roadmap written, submitted and validated."""
    from jalon.roadmaps import actions
    from tests.roadmaps.world import DAY, fill

    fill(world.draft, world.director)
    actions.submit(world.draft, by=world.director, on=DAY)
    world.draft = actions.validate(world.draft, by=world.correspondent, on=DAY)
    return world


@pytest.fixture
def signed_in(db):
    """``signed_in(actor)``: a client of that person, in a demonstration that lives on DAY; nobody without actor."""
    from django.test import Client

    from tests import factories as make

    def enter(actor=None):
        make.live_on(make.DAY)
        visitor = Client()
        if actor is not None:
            visitor.force_login(make.user_of(actor))
        return visitor

    return enter
