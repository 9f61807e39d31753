"""Whether a case is open to somebody: nobody reads, scores or votes before declaring, and who is recused sees nothing.

Every list, search, export, message and page of a case that asks for declarations goes through these functions.
"""

from __future__ import annotations

from collections.abc import Iterable

from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.core.why import Why
from jalon.interests.models import Declaration
from jalon.people.access import Actor


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
    rows = Declaration.objects.filter(user_id=user_id, stance="interest", superseded_at__isnull=True)
    if kind:
        rows = rows.filter(case__startswith=f"{kind}:")
    return list(rows.values_list("case", flat=True))


def recused_users(case: str) -> set[int]:
    """Who must not see, hear of or decide the case."""
    rows = Declaration.objects.filter(case=case, stance="interest", superseded_at__isnull=True)
    return set(rows.values_list("user_id", flat=True))


def _why() -> Why:
    return Why(
        rule=T(
            "Les liens d'intérêts se déclarent avant l'ouverture du dossier ; qui en a ne lit, ne note ni ne vote.",
            "Interests are declared before the file opens; whoever has one neither reads, scores nor votes.",
        )
    )


def require_not_recused(actor: Actor, case: str) -> None:
    """Raise :class:`NotAllowed` when the actor is recused from the case."""
    if stances(actor.user_id, [case]).get(case) == "interest":
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
