"""Policy tests are pure: folders on disk, no database."""

import shutil
from pathlib import Path

import pytest

from jalon.core.lang import speaking
from jalon.policy import loader

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_english():
    with speaking("en"):
        yield


@pytest.fixture(autouse=True)
def look_again(monkeypatch):
    """These tests change the files of a policy between two readings."""
    monkeypatch.setattr(loader, "RECHECK_AFTER", 0.0)


@pytest.fixture
def folder(tmp_path):
    """A copy of the small example programme, to break on purpose."""
    copy = tmp_path / "programme"
    shutil.copytree(ROOT / "policies" / "example-nordlys", copy)
    return copy
