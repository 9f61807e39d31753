"""What waits for somebody: the shape in which every package says it (*ce qui m'attend*)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

LONG = dt.timedelta(days=30)
"""What has no due day and has waited this long is to be watched (a choice of Jalon: no text fixes it)."""


@dataclass(frozen=True)
class Task:
    """One thing that waits for the actor: a title that says what to do, where, until when, and why it is theirs.

    ``light`` is a word of the house's lights (``late``, ``at_risk``, ``not_yet_due``…); ``case`` the journal's case.
    ``who``: who waits for it, ``since``: from which day on. ``explained``: the rule behind the due day, if one is.
    """

    title: Any
    url: str
    due_on: dt.date | None = None
    light: str = "not_started"
    why: Any = ""
    case: str = ""
    who: Any = ""
    since: dt.date | None = None
    explained: Any = None

    def overdue(self, day: dt.date) -> bool:
        return self.due_on is not None and self.due_on < day


def waiting_light(since: dt.date | None, day: dt.date) -> str:
    """The light of what has no due day: to be watched once it has waited long, never late."""
    return "at_risk" if since is not None and day - since >= LONG else "not_started"
