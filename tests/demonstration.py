"""The demonstration as a newcomer gets it: built by the command, served by the command.

It is built once per run of the tests, whatever the number of workers, and each user works on a copy.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUILD_SECONDS = 300
START_SECONDS = 60


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a command of Jalon finds when it is started on a home of its own, in French."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JALON_", "DJANGO_"))}
    return env | {"JALON_HOME": str(home), "JALON_LANG": "fr", "PYTHONIOENCODING": "utf-8"} | more


def jalon(home: Path, *arguments: str, code: int | None = 0, **more: str) -> str:
    """Run a command on an installation; its answer. ``code`` is the exit code expected, ``None`` any."""
    done = subprocess.run(
        [sys.executable, "-m", "jalon.cli", *arguments],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
    )
    said = done.stdout + done.stderr
    assert code is None or done.returncode == code, f"jalon {' '.join(arguments)}: {done.returncode}\n{said}"
    return said


def python(home: Path, program: str, **more: str) -> str:
    """Run a program with the product's own functions on an installation, in a process of its own."""
    start = "import django; django.setup()\n"
    done = subprocess.run(
        [sys.executable, "-c", start + program],
        env=environment(home, DJANGO_SETTINGS_MODULE="jalon.config.settings", **more),
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_once(folder: Path, name: str = "demonstration", **more: str) -> Path:
    """The home of a demonstration, built by whichever process comes first; the others wait for it."""
    home, built = folder / name, folder / f"{name}.built"
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            built.write_text(jalon(home, "load", **more), encoding="utf-8")
    return home


def of_this_run(tmp_path_factory: Any) -> Path:
    """The home of the demonstration, built once per run. Nobody works in it: take a copy.

    ``JALON_TEST_DEMONSTRATION`` names one that is built already, for whoever writes a journey.
    """
    given = os.environ.get("JALON_TEST_DEMONSTRATION")
    if given:
        return Path(given)
    folder = tmp_path_factory.getbasetemp()
    if folder.name.startswith("popen-"):  # a worker of xdist: its neighbours have folders beside it
        folder = folder.parent
    return build_once(folder)


def copy_of(home: Path, to: Path) -> Path:
    """An installation of one's own, with nothing of the first touched."""
    return Path(shutil.copytree(home, to))


@dataclass
class Site:
    """A served installation: its address, its home, what its server said."""

    url: str
    home: Path
    log: Path
    env: dict[str, str] = field(default_factory=dict)

    def jalon(self, *arguments: str, code: int | None = 0) -> str:
        return jalon(self.home, *arguments, code=code, **self.env)

    def python(self, program: str) -> str:
        return python(self.home, program, **self.env)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(home: Path, *options: str, **more: str) -> Iterator[Site]:
    """Serve an installation by ``jalon run`` until the end of the block."""
    port, log = _free_port(), home / "server.log"
    with open(log, "w", encoding="utf-8") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "jalon.cli", "run", "--port", str(port), "--workers", "1", *options],
            env=environment(home, **more),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    site = Site(f"http://127.0.0.1:{port}", home, log, more)
    try:
        _wait(site, server)
        yield site
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait(site: Site, server: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, f"the server stopped:\n{site.said()}"
        try:
            with urllib.request.urlopen(f"{site.url}/connexion/", timeout=10):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"the server did not answer within {START_SECONDS} s:\n{site.said()}")
