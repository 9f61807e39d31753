"""./jalon: when it installs, when it does not, what it says."""

import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys

import pytest

from jalon.devtools import ROOT

SCRIPT = ROOT / "jalon"


@pytest.fixture
def entry(tmp_path):
    """The script as a module, in a folder of its own with spaces in its name, and an environment that looks installed."""
    folder = tmp_path / "mon projet"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("jalon", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    loader = importlib.machinery.SourceFileLoader("jalon_entry", str(folder / "jalon"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("jalon_entry", loader))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    for path in (module.PYTHON, module.COMMAND):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write('#!/bin/sh\necho "arguments: $*"\n')
        os.chmod(path, 0o755)
    return module


def installs(entry, monkeypatch, *arguments):
    """None when nothing is installed, else whether the developer's tools are."""
    asked = []
    monkeypatch.setattr(entry, "install", lambda want, developer: asked.append(developer))
    entry.prepare(list(arguments))
    return asked[0] if asked else None


def stamp(entry, *, developer, **other):
    want = entry.wanted() | other
    if not developer:
        del want["dev"]
    with open(entry.STAMP, "w") as file:
        json.dump(want, file)


@pytest.mark.parametrize(
    ("arguments", "developer"),
    [
        (["run"], False),
        (["run", "--port", "8123"], False),
        ([], False),
        (["test"], True),
        (["bench"], True),
        (["check"], True),
    ],
)
def test_a_first_use_installs_what_the_command_needs(entry, monkeypatch, arguments, developer):
    assert installs(entry, monkeypatch, *arguments) is developer


def test_a_second_use_installs_nothing(entry, monkeypatch):
    stamp(entry, developer=False)
    assert installs(entry, monkeypatch, "run") is None


def test_the_tests_add_their_tools_and_the_product_does_not_lose_them(entry, monkeypatch):
    stamp(entry, developer=False)
    assert installs(entry, monkeypatch, "test") is True
    stamp(entry, developer=True)
    assert installs(entry, monkeypatch, "run") is None
    stamp(entry, developer=True, base="an older lock")
    assert installs(entry, monkeypatch, "run") is True


@pytest.mark.parametrize("key", ["root", "package", "base"])
def test_a_moved_folder_or_a_changed_lock_installs_again(entry, monkeypatch, key):
    stamp(entry, developer=False, **{key: "something else"})
    assert installs(entry, monkeypatch, "run") is False


def test_a_change_of_a_tools_settings_installs_nothing(entry, monkeypatch):
    stamp(entry, developer=True)
    with open(os.path.join(entry.ROOT, "pyproject.toml"), "a") as file:
        file.write("\n[tool.other]\nline = 1\n")
    assert installs(entry, monkeypatch, "test") is None


@pytest.mark.parametrize("broken", ["{", "[]", ""])
def test_a_damaged_stamp_installs_again(entry, monkeypatch, broken):
    with open(entry.STAMP, "w") as file:
        file.write(broken)
    assert installs(entry, monkeypatch, "run") is False


def test_an_environment_whose_python_is_gone_is_made_again(entry, monkeypatch):
    stamp(entry, developer=False)
    os.remove(entry.PYTHON)
    assert installs(entry, monkeypatch, "run") is False


def start(entry, *arguments, cwd="/", **env):
    command = [sys.executable, os.path.join(entry.ROOT, "jalon"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=os.environ | env)


def test_it_hands_over_every_argument_from_any_folder(entry):
    stamp(entry, developer=True)
    done = start(entry, "test", "tests/policy", "-k", "phase")
    assert (done.returncode, done.stdout, done.stderr) == (0, "arguments: test tests/policy -k phase\n", "")


@pytest.mark.parametrize(("language", "said"), [("en_GB.UTF-8", "jalon: "), ("C", "jalon : ")])
def test_an_installation_that_fails_is_one_clear_sentence(entry, language, said):
    shutil.rmtree(entry.VENV)
    # An index that refuses at once, and nothing else to find packages with.
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_NO_CACHE_DIR": "1",
        "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "UV_NO_CACHE": "1", "UV_NO_CONFIG": "1",
    }  # fmt: skip
    done = start(entry, "run", LC_ALL=language, **nowhere)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith(said) and "PIP_INDEX_URL" in last
    assert "Traceback" not in done.stderr
    assert not os.path.exists(entry.STAMP)


def test_an_old_python_gets_a_sentence(entry, monkeypatch, capsys):
    monkeypatch.setattr(entry.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setenv("JALON_RESTARTED", "1")
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    with pytest.raises(SystemExit):
        entry.main()
    assert "found Python 3.9, Python 3.11 or newer is needed" in capsys.readouterr().err


def test_the_locks_name_every_dependency_and_no_address():
    base, dev = ((ROOT / "requirements" / name).read_text() for name in ("base.txt", "dev.txt"))
    assert "://" not in base + dev
    locked = {line.split()[0] for line in base.splitlines() if line[:1].isalnum()}
    assert locked and locked <= {line.split()[0] for line in dev.splitlines() if line[:1].isalnum()}
