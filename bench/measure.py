"""How a figure is measured: against its floor in the same run, turn and turn about, by medians."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any

RUNS = 15
"""Turns of a figure and its floor; the median of each is kept."""


@dataclass
class Told:
    """What a part could not measure: pages that the product does not have, and those that failed."""

    absent: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)


@dataclass
class Figure:
    """One line of the table.

    ``time`` and ``floor`` are milliseconds of processor (for information: they depend on the machine), ``ratio`` is
    what counts.
    ``aim``: the ratio that it should not exceed, None when there is none. ``queries``: SQL statements of one run.
    ``memory``: kilobytes above an idle process at the peak (``floor_memory``: those of the floor). ``rows``: exported or imported.
    """

    part: str
    name: str
    time: float
    floor: float
    ratio: float
    aim: float | None = None
    _: KW_ONLY
    queries: int | None = None
    floor_queries: int | None = None
    memory: int | None = None
    floor_memory: int | None = None
    rows: int | None = None
    note: str = ""
    database: str = ""
    size: int = 0

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Timed:
    """Times of a figure and of its floor, in milliseconds."""

    figure: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def time(self) -> float:
        return statistics.median(self.figure)

    @property
    def base(self) -> float:
        return statistics.median(self.floor)

    @property
    def ratio(self) -> float:
        return self.time / self.base


def turn_about(figure: Callable[[], Any], floor: Callable[[], Any], runs: int = RUNS, *, warm: int = 1) -> Timed:
    """Runs both ``runs`` times in turn, after ``warm`` turns that do not count."""
    for _ in range(warm):
        floor()
        figure()
    timed = Timed()
    for _ in range(runs):
        timed.floor.append(_once(floor))
        timed.figure.append(_once(figure))
    return timed


def _once(act: Callable[[], Any]) -> float:
    gc.collect()  # what one side left behind is not swept up on the other side's time
    before = spent()
    act()
    return (spent() - before) * 1000


def spent() -> float:
    """Seconds of processor time so far: of this process, and of the PostgreSQL process that serves it.

    What other people do on the machine does not count, so ratios come out the same on a busy machine. Where the
    system does not tell the time of another process (not Linux), it is the time on the wall.
    """
    from django.db import connection

    if connection.vendor == "sqlite":
        return time.process_time()
    connection.ensure_connection()
    try:
        with open(f"/proc/{connection.connection.info.backend_pid}/schedstat", encoding="ascii") as file:
            return time.process_time() + int(file.read().split()[0]) / 1e9
    except OSError:
        return time.perf_counter()


def queries_of(act: Callable[[], Any]) -> int:
    """SQL statements that ``act`` sends."""
    return len(statements_of(act))


def statements_of(act: Callable[[], Any]) -> list[str]:
    """The statements themselves, without those that open the connection or a transaction."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        act()
    skip = ("PRAGMA", "BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "SET ")
    return [q["sql"] for q in captured.captured_queries if not q["sql"].lstrip().upper().startswith(skip)]


def apart(act: Callable[[], Any]) -> tuple[int, float]:
    """Does ``act`` in a process of its own: kilobytes held at its peak (``ru_maxrss``), milliseconds spent.

    For memory, to be called before this process has done ``act`` itself: what it freed would be used again unseen.

    Raises:
        NotThere: ``act`` asked for a page that is not there.
        RuntimeError: the process did not end well.
    """
    from django.db import connections

    from bench.browsing import NotThere

    connections.close_all()
    gc.collect()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            took = _once(act)
            os.write(writing, repr(took).encode())
            code = 0
        except NotThere:
            code = 3
        except BaseException:
            import traceback

            traceback.print_exc(limit=-3)
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) == 3:
        raise NotThere
    if status:
        raise RuntimeError("the process whose memory is measured failed")
    return usage.ru_maxrss, float(said)


class Idle:
    """The peak of a process that only does ``act``: what the peaks of others are compared with."""

    def __init__(self, act: Callable[[], Any]) -> None:
        act()  # what every process loads once is loaded before it is divided
        self.kilobytes = apart(act)[0]

    def above(self, act: Callable[[], Any]) -> int:
        """Kilobytes at the peak of ``act`` above an idle process, each in a process of its own."""
        return max(apart(act)[0] - self.kilobytes, 0)
