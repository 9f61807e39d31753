"""Fixtures of the small world of State aid (tests/aid/world.py)."""

from __future__ import annotations

import pytest


@pytest.fixture
def world(db):
    """A firm, its parent, authorities and the keepers of the ledger."""
    from tests.aid.world import build

    return build()


@pytest.fixture
def signed_in(db):
    """``signed_in(actor, day)``: a client of that person, in a demonstration that lives on that day."""
    from django.test import Client

    from tests import factories as make
    from tests.aid.world import DAY

    def enter(actor=None, day=DAY):
        make.live_on(day)
        visitor = Client()
        if actor is not None:
            visitor.force_login(make.user_of(actor))
        return visitor

    return enter
