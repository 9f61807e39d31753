"""Who acts: the one place that turns a signed-in user into what they may do.

A permission is a word (``contract.sign``); the policy says which role holds it. Over *which* objects
is asked of the objects' own package (``visible_to(actor)``, ``may(actor, …)``), which looks at the
organisation acted for: carrier of the pôle, party of the contract, State correspondent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jalon.core.errors import NotAllowed
from jalon.core.lang import T


@dataclass(frozen=True)
class Actor:
    """A user acting for one organisation under one role, on one day.

    ``user_label``, ``organisation_label`` and ``role`` are what the journal keeps.
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

    @property
    def signed_in(self) -> bool:
        return self.user_id is not None

    @property
    def national(self) -> bool:
        """Sees every cluster of the programme."""
        return self.scope == "national"

    def can(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise :class:`NotAllowed` unless the role holds ``permission``."""
        if permission not in self.permissions:
            raise NotAllowed(
                T(
                    "Votre rôle ({role}) ne permet pas cet acte ({permission}).",
                    "Your role ({role}) does not allow this act ({permission}).",
                    role=self.role_title or T("visiteur", "visitor"),
                    permission=permission,
                )
            )


VISITOR = Actor()
"""Nobody signed in: reads what is public."""


def policy():
    """The policy of the programme that this installation runs (cached; read again when its files change)."""
    from django.conf import settings

    from jalon.policy import load

    return load(settings.POLICIES / settings.PROGRAMME)
