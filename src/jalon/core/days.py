"""Working days (*jours ouvrés*): weekends and public holidays left out; delays that end on one of them.

Pure functions of plain values. Which days are holidays, where and since when, is the programme's: ``programme.yaml``
lists them, ``policy.working_days`` gives the calendar. A programme that lists none counts weekends only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

ONE_DAY = dt.timedelta(days=1)
LONGEST = 3660
"""Most working days that a delay may count: ten years; more is a mistake of typing."""


@lru_cache(maxsize=256)
def easter(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar (the anonymous computation, printed by Meeus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)


@dataclass(frozen=True)
class Holiday:
    """A public holiday: a day of the year, or so many days from Easter Sunday.

    ``since`` and ``until`` (inclusive) bound the years; ``places`` are the departments where it holds, empty: everywhere.
    """

    title: Any
    month: int | None = None
    day: int | None = None
    easter: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    places: tuple[str, ...] = ()

    def on(self, year: int) -> dt.date | None:
        """The day it falls on that year; None in a year that has none (29 February, before it was made, after it ended)."""
        try:
            found = (
                easter(year) + dt.timedelta(days=self.easter)
                if self.easter is not None
                else dt.date(year, self.month or 1, self.day or 1)
            )
        except ValueError:
            return None
        if (self.since and found < self.since) or (self.until and found > self.until):
            return None
        return found


@dataclass(frozen=True)
class WorkingDays:
    """Counts working days. ``place`` is always the department whose holidays hold (``"974"``); empty: those of everywhere."""

    known: tuple[Holiday, ...] = ()
    _years: dict[tuple[int, str], dict[dt.date, Any]] = field(default_factory=dict, compare=False, repr=False)

    def holidays(self, year: int, place: str = "") -> dict[dt.date, Any]:
        """The holidays of a year at a place: day → name."""
        found = self._years.get((year, place))
        if found is None:
            found = {}
            for one in self.known:
                if not one.places or place in one.places:
                    day = one.on(year)
                    if day is not None:
                        found[day] = one.title
            self._years[year, place] = found
        return found

    def is_working(self, day: dt.date, place: str = "") -> bool:
        """Whether a day is neither Saturday, Sunday nor a holiday."""
        return day.weekday() < 5 and day not in self.holidays(day.year, place)

    def plus(self, day: dt.date, count: int, place: str = "") -> dt.date:
        """The ``count``-th working day after ``day`` (before it, if negative); ``day`` itself is not counted.

        ``count`` 0 gives ``day`` as it is.

        Raises:
            ValueError: more than :data:`LONGEST` days.
        """
        if abs(count) > LONGEST:
            raise ValueError(f"{count} working days: at most {LONGEST}")
        step, left = (ONE_DAY if count > 0 else -ONE_DAY), abs(count)
        while left:
            day += step
            left -= self.is_working(day, place)
        return day

    def between(self, first: dt.date, last: dt.date, place: str = "") -> int:
        """How many working days lie after ``first``, up to and including ``last``; negative when ``last`` comes before."""
        if last < first:
            return -self.between(last - ONE_DAY, first - ONE_DAY, place)
        weeks, rest = divmod((last - first).days, 7)
        count = weeks * 5 + sum((first + dt.timedelta(days=weeks * 7 + n)).weekday() < 5 for n in range(1, rest + 1))
        for year in range(first.year, last.year + 1):
            count -= sum(first < day <= last and day.weekday() < 5 for day in self.holidays(year, place))
        return count

    def not_before(self, day: dt.date, place: str = "") -> dt.date:
        """``day`` if it is a working day, else the next one: a delay that would end on a day off ends then."""
        while not self.is_working(day, place):
            day += ONE_DAY
        return day

    def not_after(self, day: dt.date, place: str = "") -> dt.date:
        """``day`` if it is a working day, else the last one before it: what must be there in time leaves before."""
        while not self.is_working(day, place):
            day -= ONE_DAY
        return day


def calendar(holidays: Iterable[Holiday]) -> WorkingDays:
    """The calendar of these holidays."""
    return WorkingDays(tuple(holidays))
