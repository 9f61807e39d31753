"""``./jalon bench [--quick] [--only NAME] [--sqlite|--postgres] [--size 1|20] [--markdown]``.

Prints every figure as a ratio to its floor in the same run. Never asserts: the exit code is 0 unless something crashed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from bench import stage, table
from bench.measure import RUNS, Figure
from jalon.core.lang import T, speaking


def arguments(given: list[str]) -> argparse.Namespace:
    """The options; an unknown one ends with a sentence."""
    parser = argparse.ArgumentParser(
        prog="jalon bench",
        description=str(T("Mesures, en rapports à un plancher.", "Measurements, as ratios to a floor.")),
    )
    parser.add_argument(
        "--quick", action="store_true", help=str(T("taille ×1, SQLite, moins de tours", "size ×1, SQLite, fewer turns"))
    )
    parser.add_argument(
        "--only", action="append", choices=stage.PARTS, help=str(T("cette partie seulement", "this part only"))
    )
    parser.add_argument("--sqlite", action="store_true", help=str(T("SQLite seulement", "SQLite only")))
    parser.add_argument("--postgres", action="store_true", help=str(T("PostgreSQL seulement", "PostgreSQL only")))
    parser.add_argument(
        "--size", type=int, action="append", choices=(1, 20), help=str(T("cette taille seulement", "this size only"))
    )
    parser.add_argument("--runs", type=int, default=0, help=str(T("tours de chaque mesure", "turns of each figure")))
    parser.add_argument(
        "--markdown", action="store_true", help=str(T("le tableau pour README.md", "the table for README.md"))
    )
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)  # for the test of the bench itself
    return parser.parse_args(given)


def say(fr: str, en: str, **kwargs: Any) -> None:
    """A line of progress, apart from the table."""
    print(T(fr, en, **kwargs), file=sys.stderr, flush=True)


def main(given: list[str]) -> int:
    """Measures and prints. Answers 0, or 1 when a part crashed."""
    options = arguments(given)
    chosen = [name for name in ("sqlite", "postgres") if getattr(options, name)]
    chosen = chosen or (["sqlite"] if options.quick or options.tiny else ["sqlite", "postgres"])
    sizes = sorted(set(options.size or ([1] if options.quick or options.tiny else [1, 20])))
    parts = [p for p in stage.PARTS if not options.only or p in options.only]
    runs = options.runs or (5 if options.quick else 1 if options.tiny else RUNS)
    figures: list[Figure] = []
    absent: dict[str, None] = {}
    versions: list[str] = []
    crashed: list[str] = []
    started = time.monotonic()
    for database in chosen:
        opened = stage.sqlite() if database == "sqlite" else stage.postgres()
        try:
            with opened as make:
                for size in sizes:
                    _measure(make, database, size, parts, runs, options.tiny, figures, absent, versions, crashed)
        except Exception as error:  # one database that cannot be had leaves the other's figures
            crashed.append(f"{database}: {error}")
            say("{what} : {why}", "{what}: {why}", what=database, why=str(error))
    for line in table.lines(figures, markdown=options.markdown):
        print(line)
    print()
    print(table.machine(list(dict.fromkeys(versions))))
    if absent:
        print(
            T(
                "Non mesuré, faute de page : {what}.",
                "Not measured, for want of a page: {what}.",
                what=", ".join(absent),
            )
        )
    for what in crashed:
        print(T("Interrompu : {what}", "Crashed: {what}", what=what))
    print(T("Durée : {n} s.", "Duration: {n} s.", n=round(time.monotonic() - started)), flush=True)
    return 1 if crashed else 0


def _measure(
    make: Any, database: str, size: int, parts: list[str], runs: int, tiny: bool,
    figures: list[Figure], absent: dict[str, None], versions: list[str], crashed: list[str],
) -> None:  # fmt: skip
    say("{db} ×{n} : données…", "{db} ×{n}: data…", db=database, n=size)
    here = make(str(size))
    filled = here.run("fill", size=size, tiny=tiny)
    versions.append(filled["database"])
    say("{db} ×{n} : {rows} lignes en {s} s", "{db} ×{n}: {rows} rows in {s} s", db=database, n=size, s=filled["rows"].pop("seconds"), rows=sum(filled["rows"].values()))  # fmt: skip
    for part in parts:
        say("{db} ×{n} : {part}…", "{db} ×{n}: {part}…", db=database, n=size, part=part)
        try:
            answer = here.run(part, size=size, runs=runs, tiny=tiny)
        except stage.Failed as error:
            crashed.append(f"{part}, {database} ×{size}: {str(error).splitlines()[-1] if str(error) else '?'}")
            print(error, file=sys.stderr)
            continue
        figures += [Figure(**{**f, "database": filled["database"], "size": size}) for f in answer["figures"]]
        absent.update(dict.fromkeys(answer["absent"]))
        crashed += [f"{what}, {database} ×{size}" for what in answer["crashed"]]


def _language() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "en" if os.environ[name].lower().startswith("en") else "fr"
    return "fr"


if __name__ == "__main__":
    with speaking(_language()):
        code = main(sys.argv[1:])
    sys.exit(code)
