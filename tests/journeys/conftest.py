"""The journeys use the product as it is installed: a demonstration built and served by its own commands.

Each journey has a copy of the demonstration to itself, and may change it as it likes.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import demonstration
from tests.journeys.story import Story

expect.set_options(timeout=15_000)  # a page may wait for another worker's


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    return demonstration.of_this_run(tmp_path_factory)


@pytest.fixture
def installation(built, tmp_path, request):
    """A served copy of the demonstration; what its server said is shown when the journey fails."""
    with demonstration.served(demonstration.copy_of(built, tmp_path / "home")) as running:
        yield running
        request.node.add_report_section("call", "server", running.said())


@pytest.fixture
def site(installation):
    return installation.url


@pytest.fixture
def story(new_page, installation):
    """Who enters, as which account, on which screen: ``pole = story.enter("cluster_team")``."""
    return Story(new_page, installation)
