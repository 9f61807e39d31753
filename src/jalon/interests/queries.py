"""What is to be declared and what was declared; the little that somebody is told of a case before it opens.

Packages that ask people to declare are asked in turn (:data:`PROVIDERS`); each function of theirs may be missing:

* ``to_declare(actor, day) -> list[Subject]``: the cases on which the actor is asked to declare, declared or not;
* ``subjects(cases) -> dict[case, Subject]``: what a case is about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from jalon.interests.access import stances
from jalon.interests.models import Declaration
from jalon.people.access import Actor

PROVIDERS = (
    "jalon.labelling.desk",
    "jalon.selection.desk",
    "jalon.committees.desk",
    "jalon.evaluations.desk",
    "jalon.decisions.desk",
)


@dataclass(frozen=True)
class Subject:
    """What must be known to judge whether one has an interest, and nothing more: title and parties, no content.

    ``asked_as`` says in what quality the person is asked (« Expert », "Votes in the committee"); ``due_on`` until when;
    ``url`` where the case opens once declared; ``organisations`` the ids behind ``parties``. ``expected``: somebody waits
    for the declaration; else it may be made, and no task asks for it.
    """

    case: str
    title: str
    parties: tuple[str, ...] = ()
    organisations: frozenset[int] = field(default_factory=frozenset)
    asked_as: Any = ""
    asked_by: Any = ""
    due_on: dt.date | None = None
    since: dt.date | None = None
    url: str = ""
    simulated: bool = False
    expected: bool = True

    def linked(self, actor: Actor) -> bool:
        """Whether the actor's own organisation is one of the parties."""
        return actor.organisation_id in self.organisations


def _ask(name: str) -> list[Callable[..., Any]]:
    found = []
    for module in PROVIDERS:
        if find_spec(module) and (function := getattr(import_module(module), name, None)):
            found.append(function)
    return found


def unheard(user_id: int | None) -> set[str]:
    """Cases from which somebody else asked that a person stays away: the person is told nothing of them."""
    rows = Declaration.objects.filter(user_id=user_id, stance="interest", superseded_at__isnull=True)
    return set(rows.exclude(asked_by="").values_list("case", flat=True))


def asked(actor: Actor, day: dt.date) -> list[Subject]:
    """The cases on which the actor is asked to declare, those declared included; each case once."""
    found: dict[str, Subject] = {}
    if actor.mandate_id is not None:
        for provider in _ask("to_declare"):
            for subject in provider(actor, day):
                known = found.get(subject.case)
                if known is None or (subject.expected and not known.expected):
                    found[subject.case] = subject
    away = unheard(actor.user_id) if found else set()
    return [subject for case, subject in found.items() if case not in away]


def waiting(actor: Actor, day: dt.date) -> list[Subject]:
    """The cases that wait for the actor's declaration."""
    subjects = [s for s in asked(actor, day) if s.expected]
    known = stances(actor.user_id, [s.case for s in subjects]) if subjects else {}
    return [s for s in subjects if s.case not in known]


def subjects(cases: Iterable[str]) -> dict[str, Subject]:
    """What cases are about, those that a package knows."""
    cases = list(cases)
    found: dict[str, Subject] = {}
    for provider in _ask("subjects") if cases else ():
        found |= provider(cases)
    return found


def declarations(user_id: int) -> tuple[list[Declaration], int]:
    """What a person declared, latest first, and how many recusals others asked for.

    Those are counted, not listed: whoever asked does not want the person to hear of the case.
    """
    rows = list(Declaration.objects.filter(user_id=user_id).order_by("-at", "-id"))
    away = {row.case for row in rows if row.asked_by and row.stance == "interest" and row.superseded_at is None}
    return [row for row in rows if row.case not in away], len(away)
