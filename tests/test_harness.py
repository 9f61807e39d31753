"""The test bench itself: it must not reach the network nor the developer's data, and must not hide what did not run."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jalon import devtools
from tests import browser as chromium
from tests.conftest import NetworkRefused


def test_a_test_cannot_leave_the_machine():
    with socket.socket() as outside, pytest.raises(NetworkRefused):
        outside.connect(("192.0.2.1", 80))


def test_a_test_may_talk_to_its_own_machine():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


def test_the_developers_own_data_are_out_of_reach(settings):
    assert not Path(settings.HOME).is_relative_to(devtools.ROOT)


def test_each_worker_has_a_folder_of_its_own(settings):
    assert Path(settings.HOME) == Path(os.environ["JALON_HOME"])


@pytest.mark.django_db(transaction=True)
def test_a_process_started_by_a_test_sees_the_same_rows(other_process):
    from jalon.core.models import Setting

    Setting.objects.create(key="seen", value="yes")
    code = "import django; django.setup(); from jalon.core.models import Setting; print(Setting.objects.get().value)"
    done = subprocess.run([sys.executable, "-c", code], env=other_process, capture_output=True, text=True)
    assert done.stdout.strip() == "yes", done.stderr


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for(pytestconfig):
    from django.db import connection

    vendor = {"sqlite": "sqlite", "postgres": "postgresql"}[pytestconfig.getoption("--database")]
    assert connection.vendor == vendor
    assert "test" in Path(connection.settings_dict["NAME"]).name


@pytest.mark.parametrize(
    ("codes", "missing", "ci", "expected", "line"),
    [
        ({"sqlite": (0, 5, 0)}, 0, False, 0, "5 passed, 0 failed"),
        ({"sqlite": (1, 5, 2), "browser": (0, 3, 0)}, 0, False, 1, "8 passed, 2 failed"),
        ({"checks": (1, 0, 0), "sqlite": (0, 5, 0)}, 0, False, 1, "5 passed, 1 failed"),
        ({"sqlite": (5, 0, 0)}, 0, False, 1, "0 passed, 1 failed"),  # nothing collected is not a success
        ({"sqlite": (0, 5, 0)}, 1, False, 0, "5 passed, 0 failed"),
        ({"sqlite": (0, 5, 0)}, 1, True, 1, "5 passed, 1 failed"),  # in CI, what cannot run is a failure
    ],
)
def test_the_last_line_and_the_exit_code(codes, missing, ci, expected, line, monkeypatch, capsys):
    monkeypatch.setattr(devtools, "CI", ci)
    outcomes = {phase: devtools.Outcome(*numbers) for phase, numbers in codes.items()}
    texts = [devtools.Text("le navigateur manque", "the browser is missing")] * missing
    assert devtools._conclude(outcomes, texts, 1.0) == expected
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith(line)
    assert any("manque" in text or "missing" in text for text in said) == bool(missing)


@pytest.mark.parametrize(
    "line",
    ["-----BEGIN RSA PRIVATE" + " KEY-----", "key = 'AKIA" + "ABCDEFGHIJKLMNOP'", "token: ghp_" + "a" * 36],
)
def test_secrets_are_recognised(line):
    assert devtools.SECRETS.search(line)


PAGE = (
    "<!doctype html><html lang='fr'><head><title>Essai</title></head><body><main><h1>Essai</h1>{}</main></body></html>"
)


def test_axe_finds_what_is_wrong_and_only_that(page, axe):
    page.set_content(PAGE.format("<p>Rien à dire.</p>"))
    axe(page)
    page.set_content(PAGE.format("<img src='data:,'><input type='text'>"))
    rules = {fault.split()[0] for fault in chromium.accessibility_faults(page)}
    assert rules == {"image-alt", "label"}


@pytest.mark.browser
def test_a_script_error_in_a_page_is_noticed(browser):
    faults = chromium.Faults()
    context = browser.new_context()
    opened = context.new_page()
    faults.watch(opened)
    opened.set_content(PAGE.format("<script>undefinedName()</script>"))
    context.close()
    assert any("undefinedName" in fault for fault in faults.found)
