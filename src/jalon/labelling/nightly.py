"""The night's work of labelling."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.core.lang import T
from jalon.labelling import actions, queries


def nightly(*, on: dt.date) -> list[Any]:
    """Close votes whose day is over, remind experts. Safe to run any number of times."""
    if not queries.used():
        return []
    closed, sent = actions.close_overdue(on=on), actions.remind(on=on)
    return [
        T(
            "{n} votes de labellisation clos, {m} rappels d'avis",
            "{n} labelling votes closed, {m} reminders of opinions",
            n=closed,
            m=sent,
        )
    ]
