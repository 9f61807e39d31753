"""Fixtures of the decisions' small world (tests/decisions/world.py)."""

from __future__ import annotations

import pytest


@pytest.fixture
def world(db):
    """Two labelled clusters, one with a signed contract, and everybody who works on decisions."""
    from tests.decisions.world import build

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
