"""What was worked out once is kept in the memory of the process, until an act changes anything.

Every act writes a row of the journal, so the journal says whether anything changed: what is kept belongs to one
:func:`version` of it, and nothing of an earlier version is ever given. Each process keeps its own; they need not tell
each other anything, because each asks the database for the version first.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.cache import cache
from django.db import connection

SECONDS = 600
"""What is kept is worked out anew after this, act or no act."""
LARGEST = 48_000_000
"""Weight (about: bytes) of all that a process keeps; what was not asked for longest goes first."""
LATE = 256
"""So many of the journal's last rows are looked at, see :func:`version`."""

_asked: ContextVar[Hashable] = ContextVar("jalon_version", default=None)
_TOKEN = "jalon-kept"

# Rows get their numbers before they are committed: an act may appear below one that was there before it. So the
# version is not the last number alone, but that of the first of the last rows too: a row that comes in between moves it.
_SQL = f"""SELECT MAX(id), MIN(id), COUNT(*), (SELECT hash FROM core_journalentry ORDER BY id DESC LIMIT 1)
FROM (SELECT id FROM core_journalentry ORDER BY id DESC LIMIT {LATE}) AS latest"""  # noqa: S608 - a constant


def version() -> Hashable:
    """What changes whenever an act is written: one short query, or none within :func:`as_of`."""
    held = _asked.get()
    if held is not None:
        return held
    with connection.cursor() as cursor:
        cursor.execute(_SQL)
        row = cursor.fetchone()
    token = cache.get(_TOKEN)  # emptying Django's cache forgets what is kept here too
    if token is None:
        token = uuid.uuid4().hex
        cache.set(_TOKEN, token, None)
    return (token, connection.alias, connection.settings_dict["NAME"], *row)


@contextmanager
def as_of(known: Hashable) -> Iterator[None]:
    """Within, everything is kept and asked for under a version that was read before: that of the page being built."""
    token = _asked.set(known)
    try:
        yield
    finally:
        _asked.reset(token)


class _Store:
    """Values of one version; those of any other are forgotten when it is first used."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.version: Hashable = None
        self.values: OrderedDict[Hashable, tuple[float, int, Any]] = OrderedDict()
        self.weight = 0

    def get(self, known: Hashable, key: Hashable) -> Any:
        with self.lock:
            found = self.values.get(key) if known == self.version else None
            if found is None or found[0] < time.monotonic():
                return None
            self.values.move_to_end(key)
            return found[2]

    def put(self, known: Hashable, key: Hashable, value: Any, weight: int) -> None:
        with self.lock:
            if known != self.version:
                self.values.clear()
                self.version, self.weight = known, 0
            old = self.values.pop(key, None)
            self.weight += weight - (old[1] if old else 0)
            self.values[key] = (time.monotonic() + SECONDS, weight, value)
            while self.weight > LARGEST and self.values:
                _, (_, light, _) = self.values.popitem(last=False)
                self.weight -= light


_store = _Store()


def get(key: Hashable, known: Hashable | None = None) -> Any:
    """What was kept under ``key`` in this version; None when nothing was. It is shared: nobody may change it."""
    return _store.get(version() if known is None else known, key)


def put(key: Hashable, value: Any, weight: int = 1_000, known: Hashable | None = None) -> None:
    """Keep ``value`` under ``key``; ``weight``: about how many bytes it takes.

    ``known``: the version read *before* ``value`` was: what was worked out while an act came in is not taken for newer.
    """
    _store.put(version() if known is None else known, key, value, weight)


def building() -> bool:
    """Whether a page is being built as of a version: only then may what it reads be taken from another page's reading."""
    return _asked.get() is not None


def once(key: Hashable, make: Callable[[], Any], weight: Callable[[Any], int] = lambda _: 1_000) -> Any:
    """What is kept under ``key``, made now when it is not; outside :func:`as_of` it is always made now."""
    known = _asked.get()
    if known is None:
        return make()
    found = _store.get(known, key)
    if found is None:
        found = make()
        _store.put(known, key, found, weight(found))
    return found
