"""The test bench: settings, database, network guard, browser.

    .venv/bin/pytest tests/contracts                      on SQLite
    .venv/bin/pytest --database=postgres tests/contracts  the tests that use the database, on a PostgreSQL of their own

Tests that use ``page`` or ``browser`` carry the mark ``browser`` by themselves.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import socket
import tempfile
from datetime import date
from pathlib import Path

import hypothesis
import pytest

from tests import browser as chromium, pg

ROOT = Path(__file__).resolve().parents[1]
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")

hypothesis.settings.register_profile("jalon", deadline=None, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("jalon")

_server = pg.Server()
_home: Path | None = None


# --- start and end -----------------------------------------------------------------------------------------------


def pytest_addoption(parser):
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="sqlite (default): every test; postgres: only the tests that use the database",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Everything the settings read, before pytest-django sets Django up: nothing of the developer's own data."""
    global _home
    if "DJANGO_SETTINGS_MODULE" in os.environ:
        # pytest-django has then read the settings already, with the developer's own database in them.
        pytest.exit("unset DJANGO_SETTINGS_MODULE: the tests bring their own settings", returncode=4)
    _home = Path(tempfile.mkdtemp(prefix="jalon-tests-"))
    for name in [name for name in os.environ if name.startswith("JALON_") and name not in KEPT]:
        del os.environ[name]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "jalon.config.settings",
        "JALON_HOME": str(_home),
        "JALON_SECRET_KEY": "only-for-tests-" * 4,
        "JALON_TEST_SQLITE": str(_home / "test.sqlite3"),
    }
    config.addinivalue_line("markers", "browser: needs a real Chromium (set by itself)")
    if config.getoption("--database") == "postgres" and not config.getoption("collectonly"):
        url = os.environ.get("JALON_TEST_POSTGRES_URL")
        if url is None:
            try:
                url = _server.start()
            except pg.NoPostgres as error:
                pytest.exit(f"PostgreSQL could not be started: {error}", returncode=3)
            os.environ["JALON_TEST_POSTGRES_URL"] = url  # the workers of xdist inherit it: one server for all
        os.environ["JALON_DATABASE_URL"] = url
    from django.conf import settings

    assert settings.DATABASES  # read now; pytest-django then finds settings that are ready, and sets Django up
    # Named no longer: the workers of xdist inherit the environment, and must read settings of their own in their turn.
    del os.environ["DJANGO_SETTINGS_MODULE"]
    (_home / "static").mkdir()  # WhiteNoise warns when it is missing
    _guard_network()


KEPT = ("JALON_TEST_POSTGRES_URL", "JALON_TEST_DEMONSTRATION", "JALON_CHROMIUM")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    _server.stop()
    if _home is not None:
        shutil.rmtree(_home, ignore_errors=True)


# --- which tests -------------------------------------------------------------------------------------------------


def _uses_browser(item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


def _uses_database(item) -> bool:
    from django.test import TransactionTestCase

    if item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(getattr(item, "fixturenames", ())):
        return True
    return isinstance(getattr(item, "cls", None), type) and issubclass(item.cls, TransactionTestCase)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for item in items:
        if _uses_browser(item):
            item.add_marker(pytest.mark.browser)
    if config.getoption("--database") == "postgres":
        # Who gets what at each address does not depend on the database: every address × every role is asked once.
        once = {item for item in items if item.path.name == "test_matrix.py"}
        pure = [item for item in items if item in once or not _uses_database(item)]
        if pure:
            config.hook.pytest_deselected(items=pure)
            items[:] = [item for item in items if item not in set(pure)]


# --- network -----------------------------------------------------------------------------------------------------


class NetworkRefused(RuntimeError):
    """A test tried to reach something that is not this machine."""


def _guard_network() -> None:
    def allowed(address) -> bool:
        if not isinstance(address, tuple):
            return True  # a local socket file
        if address[0] in ("localhost", ""):
            return True
        try:
            return ipaddress.ip_address(address[0]).is_loopback
        except ValueError:
            return False

    def guard(method):
        def connect(self, address):
            if not allowed(address):
                raise NetworkRefused(f"tests stay on this machine: {address!r} refused")
            return method(self, address)

        return connect

    if not getattr(socket.socket, "jalon_guard", False):
        socket.socket.connect = guard(socket.socket.connect)
        socket.socket.connect_ex = guard(socket.socket.connect_ex)
        socket.socket.jalon_guard = True


# --- shared fixtures ---------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_kept():
    """Pages kept in memory for visitors do not outlive a test: the next one has other data under the same numbers."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(scope="session")
def policy():
    """The French programme's policy, read once per worker. It is never changed by a test."""
    from jalon.policy import load, programmes

    return load(programmes()["fr-poles-de-competitivite"])


@pytest.fixture
def demo_day() -> date:
    """The day on which the demonstration lives."""
    return date(2010, 6, 30)


@pytest.fixture
def other_process(transactional_db):
    """Environment for a process that the test starts itself, so that it works on the same test database.

    ``subprocess.run([sys.executable, "-m", "jalon.cli", …], env=other_process)``
    """
    from urllib.parse import quote

    from django.db import connection

    env = {name: value for name, value in os.environ.items() if name != "JALON_TEST_POSTGRES_URL"}
    env["DJANGO_SETTINGS_MODULE"] = "jalon.config.settings"
    at = connection.settings_dict
    if connection.vendor == "postgresql":
        place = f"{at['HOST']}:{at['PORT']}/{quote(at['NAME'])}"
        return env | {"JALON_DATABASE_URL": f"postgresql://{quote(at['USER'])}:{quote(at['PASSWORD'])}@{place}"}
    # SQLite is found by its folder: the same file under the name that the settings look for.
    home = _home / "other"
    home.mkdir(exist_ok=True)
    for ending in ("", "-wal", "-shm"):
        link = home / f"jalon.sqlite3{ending}"
        link.unlink(missing_ok=True)
        link.symlink_to(f"{at['NAME']}{ending}")
    return env | {"JALON_HOME": str(home)}


# --- browser -----------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser():
    """One Chromium per worker."""
    from playwright.sync_api import sync_playwright

    from jalon.devtools import find_chromium

    path = find_chromium()
    if path is None:
        why = "no Chromium on this machine (on Debian: apt-get install chromium)"
        pytest.fail(why) if CI else pytest.skip(why)
    # Playwright's loop runs in this thread, and Django would refuse every query beside it.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    flags = chromium.FLAGS + (["--no-sandbox"] if os.geteuid() == 0 else [])
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, headless=True, args=flags)
        yield running
        running.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(live_server):
    """Address of the server that the pages of a test open; the journeys put the installed product in its place."""
    return live_server.url


@pytest.fixture
def new_page(browser, site, request):
    """Opens pages as different people: ``alice, bob = new_page(), new_page()``; each has its own cookies.

    Options are those of a browser context, for example ``viewport={"width": 375, "height": 667}``,
    ``java_script_enabled=False``. Script errors, refusals of the content policy and missing static files fail the
    test; when it fails, every open page is kept as a picture in var/screenshots.
    """
    opened, faults = [], chromium.Faults()

    def make(**options):
        defaults = {
            "base_url": site,
            "locale": "fr-FR",
            "timezone_id": "Europe/Paris",
            "viewport": {"width": 1280, "height": 800},
            "reduced_motion": "reduce",
        }
        context = browser.new_context(**(defaults | options))
        context.set_default_timeout(10_000)
        page = context.new_page()
        faults.watch(page)
        opened.append(page)
        return page

    yield make

    failed = request.node.stash.get(_FAILED, True) or bool(faults.found)
    for number, page in enumerate(opened, 1):
        if failed:
            chromium.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            name = chromium.file_name(request.node.nodeid) + (f"-{number}" if len(opened) > 1 else "")
            with contextlib.suppress(Exception):  # a page that crashed gives no picture
                page.screenshot(path=chromium.SCREENSHOTS / f"{name}.png", full_page=True)
        page.context.close()
    assert not faults.found, "the page reported:\n" + "\n".join(faults.found)


@pytest.fixture
def page(new_page):
    """A page of a new visitor; ``page.goto("/")`` opens the home of a server with the test database."""
    return new_page()


@pytest.fixture
def axe():
    """``axe(page)`` asserts that axe-core finds nothing serious on the page as it stands."""

    def check(page, *, ignore: tuple[str, ...] = ()):
        faults = chromium.accessibility_faults(page, ignore=ignore)
        assert not faults, f"{page.url}:\n" + "\n".join(faults)

    return check


@pytest.fixture
def picture():
    """``picture(page, "board")`` keeps the page as var/screenshots/board.png, to be looked at."""

    def keep(page, name: str):
        chromium.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = chromium.SCREENSHOTS / f"{chromium.file_name(name)}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return keep
