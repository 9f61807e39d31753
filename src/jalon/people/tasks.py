"""What waits for somebody: the shape in which every package says it (*ce qui m'attend*)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """One thing that waits for the actor: a title that says what to do, where, until when, and why it is theirs.

    ``light`` is a word of the house's lights (``late``, ``at_risk``, ``not_yet_due``…); ``case`` the journal's case.
    """

    title: Any
    url: str
    due_on: dt.date | None = None
    light: str = "not_started"
    why: Any = ""
    case: str = ""

    def overdue(self, day: dt.date) -> bool:
        return self.due_on is not None and self.due_on < day
