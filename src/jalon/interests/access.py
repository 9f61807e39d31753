"""Whether a case is open to somebody: nobody reads, scores or votes before declaring, and who is recused sees nothing.

Every list, search, export, message and page of a case that asks for declarations goes through these functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q, QuerySet

from jalon.core import kept
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.core.why import Why
from jalon.interests.models import Declaration
from jalon.people.access import Actor
from jalon.people.models import User


def stances(user_id: int | None, cases: Iterable[str]) -> dict[str, str]:
    """The current stance of a user on each case: none, interest; a case without declaration is absent. One query."""
    if user_id is None:
        return {}
    rows = Declaration.objects.filter(user_id=user_id, case__in=list(cases), superseded_at__isnull=True)
    return dict(rows.values_list("case", "stance"))


def recused_cases(user_id: int | None, kind: str = "") -> list[str]:
    """Cases from which a user is recused; ``kind`` keeps those that begin with it (``project``)."""
    if user_id is None:
        return []
    # a page asks this of every kind of case: one query for all of them
    every = kept.once(("recused", user_id), lambda: _recused_cases(user_id))
    return [case for case in every if not kind or case.startswith(f"{kind}:")]


def _recused_cases(user_id: int) -> tuple[str, ...]:
    rows = Declaration.objects.filter(user_id=user_id, stance="interest", superseded_at__isnull=True)
    return tuple(rows.values_list("case", flat=True))


def recused_users(case: str) -> set[int]:
    """Who must not see, hear of or decide the case."""
    rows = Declaration.objects.filter(case=case, stance="interest", superseded_at__isnull=True)
    return set(rows.values_list("user_id", flat=True))


def is_recused(actor: Actor, case: str) -> bool:
    """Whether the actor is recused from the case."""
    return stances(actor.user_id, [case]).get(case) == "interest"


def recused_keys(user_id: int | None, kind: str) -> list[str]:
    """What follows ``kind:`` in the cases from which a user is recused: slugs of projects. One query."""
    return [case.partition(":")[2] for case in recused_cases(user_id, kind)]


def exclude_recused(actor: Actor, queryset: QuerySet, case_of: str) -> QuerySet:
    """The rows that the actor may know of: those of cases from which they are recused are left out.

    ``case_of`` says how a row names its case: the kind, a colon, the path of the field (``project:slug`` on projects,
    ``project:partner__project__slug`` on budget lines). One query more, none for a visitor.
    """
    kind, _, path = case_of.partition(":")
    keys = recused_keys(actor.user_id, kind)
    return queryset.exclude(**{f"{path}__in": keys}) if keys else queryset


def without_recused(actor: Actor, rows: Iterable[Any], case_of: Callable[[Any], str]) -> list[Any]:
    """The same for rows that are already read; ``case_of(row)`` is the row's case, empty when it has none."""
    away = set(recused_cases(actor.user_id))
    return [row for row in rows if case_of(row) not in away]


def recipients(case: str, users: Iterable[User]) -> list[User]:
    """Those of ``users`` to whom a message about the case may go: active, not recused, each once."""
    away = recused_users(case)
    once = {user.pk: user for user in users if user.is_active and user.pk not in away}
    return list(once.values())


def journal_hidden(actor: Actor) -> Q | None:
    """Rows of the journal that a recusal hides, and everybody else's declarations: who assesses is not to be read there."""
    hidden = Q(case__startswith="interests:") & (
        ~Q(user_id=actor.user_id) | Q(user_id__isnull=True) if actor.user_id is not None else Q()
    )
    if actor.user_id is None:
        return hidden
    rows = Declaration.objects.filter(user_id=actor.user_id, stance="interest", superseded_at__isnull=True)
    away = dict(rows.values_list("case", "asked_by"))
    if away:
        # Where somebody else asked for the recusal, what the person declared before is hidden as well.
        hidden |= Q(case__in=[*away, *(f"interests:{case}" for case, asked in away.items() if asked)])
    return hidden


def _why() -> Why:
    return Why(
        rule=T(
            "Les liens d'intérêts se déclarent avant l'ouverture du dossier ; qui en a ne lit, ne note ni ne vote.",
            "Interests are declared before the file opens; whoever has one neither reads, scores nor votes.",
        )
    )


def require_not_recused(actor: Actor, case: str) -> None:
    """Raise :class:`NotAllowed` when the actor is recused from the case."""
    if is_recused(actor, case):
        raise NotAllowed(
            T(
                "Vous êtes déporté de ce dossier : un lien d'intérêts est déclaré.",
                "You are recused from this case: an interest is declared.",
            ),
            why=_why(),
        )


def require_declared(actor: Actor, case: str) -> None:
    """Raise :class:`NotAllowed` unless the actor declared to have no interest in the case."""
    require_not_recused(actor, case)
    if case not in stances(actor.user_id, [case]):
        raise NotAllowed(
            T(
                "Ce dossier s'ouvre après votre déclaration d'intérêts.",
                "This file opens after your declaration of interests.",
            ),
            why=_why(),
        )
