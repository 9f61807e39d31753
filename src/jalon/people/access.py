"""Who acts: the one place that turns a signed-in user into what they may do.

A permission is a word (``contract.sign``); the policy says which role holds it. Over *which* objects
is asked of the objects' own package (``visible_to(actor)``, ``may(actor, …)``), which looks at the
organisation acted for: carrier of the pôle, party of the contract, State correspondent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.core.why import Why


@dataclass(frozen=True)
class Actor:
    """A user acting for one organisation under one role, on one day.

    ``user_label``, ``organisation_label`` and ``role`` are what the journal keeps. ``principal_id`` is the user whose
    mandate it is: the delegator when the mandate is a delegation, else the user. Rows that name a user (the State
    correspondent of a cluster) are looked up by it, so that a substitute sees what the person replaced sees.
    """

    user_id: int | None = None
    user_label: str = ""
    mandate_id: int | None = None
    organisation_id: int | None = None
    organisation_label: str = ""
    role: str = ""
    role_title: object = ""
    side: str = "public"
    scope: str = "public"
    programme: str = ""
    permissions: frozenset[str] = field(default_factory=frozenset)
    principal_id: int | None = None
    principal_label: str = ""

    @property
    def signed_in(self) -> bool:
        return self.user_id is not None

    @property
    def national(self) -> bool:
        """Sees every cluster of the programme."""
        return self.scope == "national"

    def can(self, permission: str) -> bool:
        return permission in self.permissions

    def but(self, **changes: Any) -> Actor:
        """The same actor with other values. Asked of the actor itself, since a request holds it behind a lazy stand-in."""
        return replace(self, **changes)

    def require(self, permission: str) -> None:
        """Raise :class:`NotAllowed` unless the role holds ``permission``."""
        if permission not in self.permissions:
            raise NotAllowed(
                T(
                    "Votre rôle ({role}) ne permet pas cet acte ({permission}).",
                    "Your role ({role}) does not allow this act ({permission}).",
                    role=self.role_title or T("visiteur", "visitor"),
                    permission=permission,
                ),
                why=_why_role(self, permission),
            )


def _why_role(actor: Actor, permission: str) -> Why:
    """Which roles of the policy hold a permission: who can do what the actor may not."""
    laws = policy()
    return Why(
        rule=T(
            "Les rôles de la politique disent ce que chacun peut faire.",
            "The policy's roles say what each may do.",
        ),
        parameter="roles",
        inputs={
            T("permission", "permission"): permission,
            T("rôles qui l'ont", "roles that hold it"): ", ".join(str(r.title) for r in laws.roles if r.may(permission))
            or "–",
        },
    )


VISITOR = Actor()
"""Nobody signed in: reads what is public."""


def policy():
    """The policy of the programme that this installation runs (cached; read again when its files change)."""
    from django.conf import settings

    from jalon.policy import load

    chosen = settings.POLICIES, settings.PROGRAMME
    folder = _folders.get(chosen)
    if folder is None:
        folder = _folders[chosen] = chosen[0] / chosen[1]
    return load(folder)


_folders: dict[tuple[Any, str], Any] = {}
"""Joining a path takes longer than finding the policy that was read from it, and every page asks some ten times."""


class _Stamp:
    """The policy last seen, held so that its number is never another's."""

    policy: Any = None
    number = 0


def policy_stamp() -> tuple[str, int]:
    """The policy in use, for the key of what is kept: another number each time that it is read again."""
    now = policy()
    if now is not _Stamp.policy:
        _Stamp.policy, _Stamp.number = now, _Stamp.number + 1
    return now.slug, _Stamp.number


# --- who may do what to people and organisations -----------------------------------------------------------------


def manages_nationally(actor: Actor) -> bool:
    """Manages the accounts of the whole programme."""
    return actor.national and actor.can("people.manage")


def may_see_people(actor: Actor, organisation_id: int) -> None:
    """Who acts for an organisation is read by its own people and by whoever manages accounts nationally."""
    if manages_nationally(actor):
        return
    if actor.mandate_id is None or actor.side == "public" or actor.organisation_id != organisation_id:
        raise NotAllowed(
            T(
                "La liste des personnes d'un organisme est réservée à cet organisme et à la gestion nationale des comptes.",
                "The list of an organisation's people is kept to that organisation and to the national managers of accounts.",
            )
        )


def may_revoke(actor: Actor, mandate: Any, role: Any) -> None:
    """A mandate is ended by its holder, by whoever delegated it, or by those who could have granted it."""
    from jalon.people import rules

    if mandate.user_id == actor.user_id and actor.user_id is not None:
        return
    if mandate.delegated_from_id and mandate.delegated_from_id == actor.mandate_id:
        return
    actor.require("people.manage")
    if role is not None:
        rules.may_invite(actor, role, organisation_id=mandate.organisation_id)
    elif not manages_nationally(actor):
        actor.require("register.edit")


def may_edit_organisation(actor: Actor, organisation_id: int | None) -> None:
    """The register's keepers edit every organisation; its own managers edit theirs."""
    if actor.can("register.edit") or manages_nationally(actor):
        return
    if organisation_id is not None and organisation_id == actor.organisation_id and actor.can("people.manage"):
        return
    raise NotAllowed(
        T(
            "Cette fiche est tenue par l'organisme lui-même et par le niveau national.",
            "This record is kept by the organisation itself and by the national level.",
        )
    )


def may_add_organisation(actor: Actor) -> None:
    """New organisations come with the register or with a list of members."""
    if not (actor.can("register.edit") or actor.can("members.edit") or manages_nationally(actor)):
        actor.require("register.edit")


def may_merge(actor: Actor) -> None:
    """Duplicates are merged at the national level, because a merge touches every cluster."""
    if not (actor.national and (actor.can("register.edit") or actor.can("people.manage"))):
        actor.require("register.edit")
        raise NotAllowed(
            T("Les doublons sont traités au niveau national.", "Duplicates are handled at the national level.")
        )
