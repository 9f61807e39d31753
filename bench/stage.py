"""Where the measurements take place: a temporary folder, a database of its own, a process for each part."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[1]
PARTS = (
    "figures",
    "pages",
    "exports",
    "import",
    "selection",
    "projects",
    "accounting",
    "ceilings",
    "evaluations",
    "agendas",
)


class Failed(Exception):
    """A part did not end well; the message is its last words."""


class Stage:
    """A migrated, filled database; ``run`` does a part in a new process on it."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JALON_")}
        self.env = kept | {
            "DJANGO_SETTINGS_MODULE": "jalon.config.settings",
            "JALON_HOME": str(folder),
            "JALON_DATABASE_URL": url,
            "JALON_SECRET_KEY": "only-for-measurements-" * 3,
            "PYTHONPATH": str(ROOT),
        }
        (folder / "static").mkdir(parents=True, exist_ok=True)

    def run(self, part: str, **options: Any) -> dict[str, Any]:
        """What the part answers.

        Raises:
            Failed: it ended badly.
        """
        answer = self.folder / f"{part}.json"
        given = json.dumps(options | {"part": part, "answer": str(answer)})
        done = subprocess.run(
            [sys.executable, "-m", "bench.inside", given], cwd=ROOT, env=self.env, stderr=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise Failed(done.stderr.strip()[-3000:])
        return json.loads(answer.read_text())


@contextlib.contextmanager
def sqlite() -> Iterator[Any]:
    """Gives a function that makes an empty stage on SQLite."""
    with tempfile.TemporaryDirectory(prefix="jalon-bench-") as folder:
        yield lambda name: Stage(Path(folder) / name)


@contextlib.contextmanager
def postgres() -> Iterator[Any]:
    """Gives a function that makes an empty stage on a PostgreSQL server of its own (that of the tests).

    Raises:
        tests.pg.NoPostgres: no server could be started.
    """
    import psycopg

    from tests import pg

    server = pg.Server()
    with tempfile.TemporaryDirectory(prefix="jalon-bench-") as folder:
        try:
            url = server.start()

            def make(name: str) -> Stage:
                database = f"bench_{name}"
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(f'CREATE DATABASE "{database}"')
                    # The time of helpers that a query starts beside its own process could not be told.
                    connection.execute(f'ALTER DATABASE "{database}" SET max_parallel_workers_per_gather = 0')
                return Stage(Path(folder) / name, urlunsplit(urlsplit(url)._replace(path=f"/{database}")))

            yield make
        finally:
            server.stop()
