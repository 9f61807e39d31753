"""The demonstration that these tests read; whoever changes it takes a copy."""

from __future__ import annotations

import pytest

from tests import demonstration


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    return demonstration.of_this_run(tmp_path_factory)


@pytest.fixture
def copy(built, tmp_path):
    """An installation to spoil."""
    return demonstration.copy_of(built, tmp_path / "home")
