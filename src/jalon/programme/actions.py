"""Acts on reporting rounds: open by the policy's calendar, move the due day, close."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from jalon.core import clock, journal
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.programme.models import Round
from jalon.programme.queries import can_open

PERMISSION = "round.open"


def case_of(round: Round) -> str:
    """The round's case in the journal."""
    return f"round:{round.programme}/{round.code}"


def open_round(
    code: str, *, by: Any, on: dt.date, due_on: dt.date | None = None, at: dt.datetime | None = None
) -> Round:
    """Open the round ``code`` of the policy's calendar (« 2009 »). ``due_on`` replaces the calendar's day.

    Raises:
        NotAllowed: the role may not open rounds.
        Refused: the calendar has no such round yet, it is open already, or the due day is before the opening.
    """
    by.require(PERMISSION)
    programme = policy()
    dates = next((r for r in can_open(programme, on) if r.code == code), None)
    if dates is None:
        if Round.objects.filter(programme=programme.slug, code=code).exists():
            raise Refused(T("La campagne {code} est déjà ouverte.", "Round {code} is open already.", code=code))
        raise Refused(
            T(
                "Le calendrier n'a pas de campagne « {code} » à ouvrir le {day} : elle s'ouvre après la fin de sa période.",
                "The calendar has no round “{code}” to open on {day}: it opens after the end of its period.",
                code=code,
                day=on.isoformat(),
            )
        )
    due = due_on or dates.due_on
    if due < dates.opens_on:
        raise Refused(
            T(
                "L'échéance {due} est avant l'ouverture, {opens}.",
                "The due day {due} is before the opening, {opens}.",
                due=due.isoformat(),
                opens=dates.opens_on.isoformat(),
            ),
            kind="input",
        )
    with transaction.atomic():
        made = Round.objects.create(
            programme=programme.slug,
            code=dates.code,
            period_start=dates.period_start,
            period_end=dates.period_end,
            opens_on=dates.opens_on,
            due_on=due,
        )
        journal.record(
            case_of(made),
            "round.open",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            after={
                "period_start": made.period_start,
                "period_end": made.period_end,
                "opens_on": made.opens_on,
                "due_on": made.due_on,
            },
        )
    return made


def close_round(round: Round, *, by: Any, on: dt.date, at: dt.datetime | None = None) -> Round:
    """Close a round: nothing more can be declared in it, except in a report that is reopened.

    Raises:
        NotAllowed: the role may not. Refused: it is closed already, or its due day has not passed.
    """
    by.require(PERMISSION)
    if round.closed_on:
        raise Refused(T("La campagne {code} est déjà close.", "Round {code} is closed already.", code=round.code))
    if on <= round.due_on:
        raise Refused(
            T(
                "La campagne {code} court jusqu'au {due} : elle ne peut pas être close le {day}.",
                "Round {code} runs until {due}: it cannot be closed on {day}.",
                code=round.code,
                due=round.due_on.isoformat(),
                day=on.isoformat(),
            )
        )
    with transaction.atomic():
        round.closed_on = on
        round.save(update_fields=["closed_on"])
        journal.record(case_of(round), "round.close", by=by, on=on, at=clock.stamp(on, at), after={"closed_on": on})
    return round
