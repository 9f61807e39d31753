"""One part, in a process of its own: ``python -m bench.inside '{"part": …}'`` (started by :mod:`bench.stage`)."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any


def main(options: dict[str, Any]) -> None:
    """Does the part and writes its answer, as JSON, to the file named by ``answer``."""
    import django

    warnings.simplefilter("ignore")
    django.setup()
    logging.disable(logging.CRITICAL)  # a page that fails is told in one line, below the table
    from django.conf import settings

    settings.ROOT_URLCONF = "bench.urls"
    from bench import generate
    from bench.measure import Told

    tiny = options.get("tiny")
    size = generate.TINY if tiny else generate.size(options.get("size", 1))
    told = Told()
    answer: dict[str, Any]
    if options["part"] == "fill":
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)
        answer = {"rows": generate.generate(size), "database": version()}
    else:
        from bench import (
            agendas,
            ceilings,
            evaluations,
            exports,
            figures,
            funding,
            members,
            pages,
            projects,
            selection,
        )

        parts = {
            "pages": pages,
            "figures": figures,
            "exports": exports,
            "import": members,
            "selection": selection,
            "projects": projects,
            "accounting": funding,
            "ceilings": ceilings,
            "evaluations": evaluations,
            "agendas": agendas,
        }
        part = parts[options["part"]]
        found = part.run(size, options["runs"], told)
        answer = {"figures": [one.plain() for one in found], "absent": told.absent, "crashed": told.crashed}
    Path(options["answer"]).write_text(json.dumps(answer))


def version() -> str:
    """Name and version of the database."""
    from django.db import connection

    if connection.vendor == "postgresql":
        number = connection.cursor().execute("SHOW server_version").fetchone()[0]
        return f"PostgreSQL {number.split()[0]}"
    import sqlite3

    return f"SQLite {sqlite3.sqlite_version}"


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
