"""Fixtures of the small world of labelling (tests/labelling/world.py)."""

from __future__ import annotations

import pytest


@pytest.fixture
def world(db):
    """Roles around one project and the pôle asked for its label; nothing asked yet."""
    from tests.labelling.world import build

    return build()


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
