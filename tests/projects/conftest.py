"""Fixtures of the projects' small world (tests/projects/world.py)."""

from __future__ import annotations

import pytest


@pytest.fixture
def world(db):
    """A complete draft in an open call."""
    from tests.projects.world import consortium

    return consortium()


@pytest.fixture
def handed_in(db):
    """The same file, labelled and handed in."""
    from tests.projects.world import submitted

    return submitted()


@pytest.fixture
def signed_in(db):
    """``signed_in(actor)``: a client of that person, in a demonstration that lives on DAY; nobody without actor."""
    from django.test import Client

    from tests import factories as make

    def enter(actor=None, day=make.DAY):
        make.live_on(day)
        visitor = Client()
        if actor is not None:
            visitor.force_login(make.user_of(actor))
        return visitor

    return enter
