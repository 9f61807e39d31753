"""Pure rules of the calendar: periods, months, reporting rounds."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta

from jalon.core.days import WorkingDays
from jalon.core.lang import T, Text

_MONTHS = {"year": 12, "half": 6, "quarter": 3}


def plus_months(day: date, months: int) -> date:
    """The same day ``months`` later; the last day of a month stays the last day of a month.

    31 December + 2 months is 28 or 29 February; 28 February + 1 month is 31 March (not the 28th),
    because a delay counted from the end of a period ends with a month.
    """
    last = calendar.monthrange(day.year, day.month)[1]
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, length if day.day == last else min(day.day, length))


def plus(day: date, amount: int, unit: str, working: WorkingDays | None = None, place: str = "") -> date:
    """A day plus a delay in ``days``, ``working_days``, ``months`` or ``years``; a negative delay counts backwards.

    ``working``: the calendar that counts working days (``policy.working_days``), at ``place`` (a department).
    """
    if unit == "days":
        return day + timedelta(days=amount)
    if unit == "working_days":
        return (working or WorkingDays()).plus(day, amount, place)
    return plus_months(day, amount * (12 if unit == "years" else 1))


def period_holding(period: str, day: date) -> tuple[date, date]:
    """First and last day of the calendar year, half or quarter that holds ``day``."""
    months = _MONTHS[period]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, plus_months(first, months) - timedelta(days=1)


def periods_between(period: str, start: date, end: date) -> Iterator[tuple[date, date]]:
    """Every calendar period that shares at least one day with start..end (both inclusive)."""
    day = start
    while day <= end:
        first, last = period_holding(period, day)
        yield first, last
        day = last + timedelta(days=1)


def period_code(period: str, first: date) -> str:
    """2009, 2009-H1, 2009-Q3."""
    if period == "year":
        return str(first.year)
    number = (first.month - 1) // _MONTHS[period] + 1
    return f"{first.year}-{'H' if period == 'half' else 'Q'}{number}"


def period_title(period: str, first: date) -> Text:
    if period == "year":
        return T(f"Année {first.year}", f"Year {first.year}")
    number = (first.month - 1) // _MONTHS[period] + 1
    rank = "1er" if number == 1 else f"{number}e"
    if period == "half":
        return T(f"{rank} semestre {first.year}", f"Half {number}, {first.year}")
    return T(f"{rank} trimestre {first.year}", f"Quarter {number}, {first.year}")
