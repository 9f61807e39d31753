"""What declarations bring to the desk: what is to be declared, and what a recusal hides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse

from jalon.core.lang import T
from jalon.interests import access, queries
from jalon.people.access import Actor
from jalon.people.tasks import Task, waiting_light

SOON = dt.timedelta(days=14)


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """The declarations that wait: nothing of the case opens before."""
    found = []
    for subject in queries.waiting(actor, day):
        due = subject.due_on
        light = waiting_light(subject.since, day)
        if due is not None:
            light = "late" if due < day else "at_risk" if due - day <= SOON else "not_yet_due"
        found.append(
            Task(
                T("Déclarer vos intérêts : {t}", "Declare your interests: {t}", t=subject.title),
                reverse("interest", args=[subject.case]),
                due,
                light,
                T(
                    "le dossier s'ouvre après votre déclaration ({q})",
                    "the file opens after your declaration ({q})",
                    q=subject.asked_as,
                ),
                subject.case,
                who=subject.asked_by,
                since=subject.since,
            )
        )
    return found


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """One's own declarations."""
    if actor.user_id is None:
        return None
    return Q(case__startswith="interests:", user_id=actor.user_id)


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """What a recusal hides, and the declarations of others."""
    return access.journal_hidden(actor)


def case_titles(cases: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Names of the cases of declarations."""
    mine = [case for case in cases if case.startswith("interests:")]
    about = queries.subjects([case.partition(":")[2] for case in mine]) if mine else {}
    found = {}
    for case in mine:
        subject = about.get(case.partition(":")[2])
        title = T("Intérêts : {t}", "Interests: {t}", t=subject.title if subject else case.partition(":")[2])
        found[case] = (str(title), reverse("my-interests"))
    return found
