"""Exports row by row, against what was measured on two comparable systems: 5.5 ms and 3 to 5 queries a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.browsing import EMPTY, Browser, NotThere
from bench.generate import OFFICER, Size
from bench.measure import Figure, Idle, Told, queries_of, turn_about

REFERENCE = 5.5
"""Milliseconds a row on comparable systems, at 5,000 rows."""
AIM = 0.01
"""A hundredth of it: 0.055 ms a row."""
QUERIES_AIM = 0.03
"""Queries a row: a hundredth of three."""
ENOUGH = 1_000
"""Below this many rows, what an answer costs before its first row hides what a row costs."""


@dataclass(frozen=True)
class Export:
    """An export: its name in the table, its address without the format, the formats measured, who asks for it."""

    name: str
    address: str
    formats: tuple[str, ...]
    who: str = ""


def exports(size: Size) -> list[Export]:
    """The exports measured."""
    contract = f"contrat-{size.contracts // 2:04d}"
    return [
        Export("export-members", "/poles/pole-0000/membres/?", ("csv", "xlsx", "ods"), OFFICER),
        Export("export-members-few", "/poles/pole-0000/membres/?q=0004&", ("csv",), OFFICER),
        Export("export-register", "/poles/?", ("csv", "xlsx")),
        Export("export-board", "/tableau/?", ("csv", "xlsx"), OFFICER),
        Export("export-board-few", "/tableau/?retard=1&", ("csv",), OFFICER),
        Export("export-contracts", "/contrats/?", ("csv",)),
        Export("export-dashboard", f"/contrats/{contract}/suivi/?", ("csv",), OFFICER),
        Export("export-observations", "/donnees/observations/?", ("csv", "xlsx")),
    ]


def run(size: Size, runs: int, told: Told) -> list[Figure]:
    """A line of the table for each export that the product has; the others are named in ``told``."""
    asked: list[tuple[Export, str, Callable[[], int], Callable[[], int], int]] = []
    browsers = {who: Browser(who) for who in {one.who for one in exports(size)}}
    empty = {who: (lambda browser=browser: browser.page(EMPTY)) for who, browser in browsers.items()}
    idle = {who: Idle(act) for who, act in empty.items()}
    for one in exports(size):
        for kind in one.formats:
            act = lambda browser=browsers[one.who], a=f"{one.address}format={kind}": browser.page(a)  # noqa: E731
            try:
                asked.append((one, kind, act, empty[one.who], idle[one.who].above(act)))
            except NotThere:
                told.absent.append(f"{one.name}.{kind} ({one.address})")
            except RuntimeError as error:
                told.crashed.append(f"{one.name}.{kind} ({one.address}): {error}")
    found: list[Figure] = []
    for one, kind, act, floor, memory in asked:
        try:
            rows = max(Browser(one.who).lines(f"{one.address}format=csv") - 1, 1)
            timed = turn_about(act, floor, max(runs // 5, 3))
        except RuntimeError as error:
            told.crashed.append(f"{one.name}.{kind} ({one.address}): {error}")
            continue
        found.append(
            Figure(
                "exports", f"{one.name}.{kind}", timed.time, REFERENCE * rows, timed.time / rows / REFERENCE, AIM,
                queries=queries_of(act), memory=memory, rows=rows,
            )
        )  # fmt: skip
    return found
