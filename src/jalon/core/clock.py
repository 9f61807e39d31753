"""The day on which Jalon lives.

An ordinary installation lives today. The demonstration lives on a day of its own, kept in the
table of settings, so that every visitor, the nightly tick and the commands share it. Only views
and commands read this clock; acts receive their day as an argument.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from jalon.core.errors import Refused
from jalon.core.lang import T

PARIS = ZoneInfo("Europe/Paris")
KEY = "demonstration"
FIRST_DAY = dt.date(2004, 1, 1)

_held: ContextVar[tuple[dt.date | None] | None] = ContextVar("jalon_day", default=None)


def demonstration_day() -> dt.date | None:
    """The day of the demonstration, or None when this installation is not one."""
    held = _held.get()
    if held is not None:
        return held[0]
    return _stored_day()


def _stored_day() -> dt.date | None:
    from jalon.core.models import Setting

    row = Setting.objects.filter(key=KEY).values_list("value", flat=True).first()
    return dt.date.fromisoformat(row["day"]) if row else None


def is_demonstration() -> bool:
    """Whether this installation is the demonstration (simulated data, one-click sign-in)."""
    return demonstration_day() is not None


@contextmanager
def hold(day: dt.date | None = None, *, read: bool = False) -> Iterator[None]:
    """Keep one answer for a whole request or command: ``day``, or what the table says (``read=True``)."""
    token = _held.set((_stored_day() if read else day,))
    try:
        yield
    finally:
        _held.reset(token)


def real_now() -> dt.datetime:
    """The machine's own clock, in UTC."""
    return dt.datetime.now(dt.UTC)


def now() -> dt.datetime:
    """The moment, on the day that Jalon lives (time of day from the machine)."""
    day = demonstration_day()
    moment = real_now()
    if day is None:
        return moment
    local = moment.astimezone(PARIS)
    return dt.datetime.combine(day, local.time(), tzinfo=PARIS).astimezone(dt.UTC)


def today() -> dt.date:
    """The day in Paris on which Jalon lives."""
    day = demonstration_day()
    return day if day is not None else real_now().astimezone(PARIS).date()


def end_of_day(day: dt.date) -> dt.datetime:
    """The last moment of ``day`` in Paris: deadlines fall then, and "as known on" means it."""
    return dt.datetime.combine(day, dt.time(23, 59, 59, 999999), tzinfo=PARIS)


def moment_on(day: dt.date, hour: int = 12, minute: int = 0) -> dt.datetime:
    """A moment of ``day`` in Paris; used where records are made on a day of the past."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=PARIS)


def stamp(on: dt.date, at: dt.datetime | None = None) -> dt.datetime:
    """When an act of the day ``on`` was recorded: ``at`` if given, now if Jalon lives that day, else noon of it."""
    if at is not None:
        return at
    moment = now()
    return moment if moment.astimezone(PARIS).date() == on else moment_on(on)


def travel(day: dt.date) -> None:
    """Move the demonstration to ``day``.

    Raises:
        Refused: when this is not a demonstration, or the day lies before 2004 or in the future.
    """
    from jalon.core.models import Setting

    row = Setting.objects.filter(key=KEY).first()
    if row is None:
        raise Refused(
            T(
                "Cette installation n'est pas une démonstration : elle vit aujourd'hui.",
                "This installation is not a demonstration: it lives today.",
            )
        )
    last = real_now().astimezone(PARIS).date()
    if not FIRST_DAY <= day <= last:
        raise Refused(
            T(
                "Le jour demandé, {day}, est hors de la période possible : du {first} au {last}.",
                "The day asked for, {day}, is outside the possible period: {first} to {last}.",
                day=day.isoformat(),
                first=FIRST_DAY.isoformat(),
                last=last.isoformat(),
            ),
            kind="input",
        )
    row.value = {**row.value, "day": day.isoformat()}
    row.save(update_fields=["value"])


class ClockMiddleware:
    """Reads the day once per request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with hold(read=True):
            return self.get_response(request)
