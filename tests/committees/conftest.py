"""Fixtures of the committees' small world (tests/committees/world.py)."""

from __future__ import annotations

import pytest


@pytest.fixture
def world(db):
    """A cluster that lives its contract, its coordination committee, and the GTI."""
    from jalon.core import clock
    from tests.committees.world import DAY, build

    with clock.hold(DAY):
        yield build()


@pytest.fixture
def signed_in(db):
    """``signed_in(actor, day)``: a client of that person, in a demonstration that lives on a day."""
    from django.test import Client

    from tests import factories as f

    def enter(actor=None, day=f.DAY):
        f.live_on(day)
        visitor = Client()
        if actor is not None:
            visitor.force_login(f.user_of(actor))
        return visitor

    return enter
