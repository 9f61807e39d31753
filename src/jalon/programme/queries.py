"""Reads about the programme's exercises."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from jalon.programme.models import Round


def rounds(programme: str) -> QuerySet[Round]:
    """Every round that was opened, newest first."""
    return Round.objects.filter(programme=programme).order_by("-period_start")


def current_round(programme: str, day: dt.date) -> Round | None:
    """The round that is being lived on ``day``: the last one opened by then."""
    return rounds(programme).filter(opens_on__lte=day).first()


def can_open(policy: Any, day: dt.date) -> list[Any]:
    """Rounds of the policy's calendar whose opening day has come and that nobody opened yet, oldest first."""
    if not policy.phases:
        return []
    known = set(Round.objects.filter(programme=policy.slug).values_list("code", flat=True))
    return [r for r in policy.rounds(policy.phases[0].starts_on, day) if r.opens_on <= day and r.code not in known]
