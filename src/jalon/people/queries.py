"""Reads about people: who acts, for whom, under which role."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet

from jalon.people.access import VISITOR, Actor, policy
from jalon.people.models import Mandate


def mandates_on(user: Any, day: dt.date) -> QuerySet[Mandate]:
    """The mandates of ``user`` in force on ``day``: begun, not ended, not revoked, delegator's still in force."""
    live = (
        Q(starts_on__lte=day)
        & (Q(ends_on__isnull=True) | Q(ends_on__gte=day))
        & Q(revoked_at__isnull=True)
    )
    source = Q(delegated_from__isnull=True) | (
        Q(delegated_from__starts_on__lte=day)
        & (
            Q(delegated_from__ends_on__isnull=True)
            | Q(delegated_from__ends_on__gte=day)
        )
        & Q(delegated_from__revoked_at__isnull=True)
    )
    return (
        Mandate.objects.filter(
            live & source, user=user, organisation__merged_into__isnull=True
        )
        .select_related("organisation", "delegated_from__user")
        .order_by("id")
    )


def actor_from(mandate: Mandate) -> Actor:
    """The actor of a mandate: what the policy's role allows, for the organisation of the mandate."""
    role = next((r for r in policy().roles if r.code == mandate.role), None)
    return Actor(
        user_id=mandate.user_id,
        user_label=mandate.user.name,
        mandate_id=mandate.id,
        organisation_id=mandate.organisation_id,
        organisation_label=mandate.organisation.name,
        role=mandate.role,
        role_title=role.title if role else mandate.role,
        side=role.side if role else "public",
        scope=role.scope if role else "public",
        programme=mandate.programme,
        permissions=frozenset(role.permissions) if role else frozenset(),
    )


def actor_of(user: Any, day: dt.date, mandate_id: int | None = None) -> Actor:
    """Who ``user`` acts as on ``day``: under the mandate chosen, else the first in force.

    A user without a mandate in force is signed in and may do nothing more than a visitor.
    """
    if user is None or not user.is_authenticated:
        return VISITOR
    mandates = list(mandates_on(user, day).select_related("user"))
    chosen = next(
        (m for m in mandates if m.id == mandate_id), mandates[0] if mandates else None
    )
    if chosen is None:
        return Actor(user_id=user.id, user_label=user.name)
    return actor_from(chosen)
