"""Reads about people: who acts, for whom, under which role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from jalon.core.models import as_known_on
from jalon.people import rules
from jalon.people.access import VISITOR, Actor, policy
from jalon.people.models import Identifier, Invitation, Mandate, Organisation, SizeCategory, User


def mandates_on(user: Any, day: dt.date) -> QuerySet[Mandate]:
    """The mandates of ``user`` in force on ``day``: begun, not ended, not revoked, delegator's still in force."""
    live = Q(starts_on__lte=day) & (Q(ends_on__isnull=True) | Q(ends_on__gte=day)) & Q(revoked_at__isnull=True)
    source = Q(delegated_from__isnull=True) | (
        Q(delegated_from__starts_on__lte=day)
        & (Q(delegated_from__ends_on__isnull=True) | Q(delegated_from__ends_on__gte=day))
        & Q(delegated_from__revoked_at__isnull=True)
    )
    return (
        Mandate.objects.filter(live & source, user=user, organisation__merged_into__isnull=True)
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
        principal_id=mandate.delegated_from.user_id if mandate.delegated_from else mandate.user_id,
        principal_label=mandate.delegated_from.user.name if mandate.delegated_from else mandate.user.name,
    )


def actor_of(user: Any, day: dt.date, mandate_id: int | None = None, mandates: list[Mandate] | None = None) -> Actor:
    """Who ``user`` acts as on ``day``: under the mandate chosen, else the first in force.

    A user without a mandate in force is signed in and may do nothing more than a visitor.
    ``mandates`` saves the query when the caller has read them.
    """
    if user is None or not user.is_authenticated:
        return VISITOR
    if mandates is None:
        mandates = list(mandates_on(user, day).select_related("user"))
    chosen = next((m for m in mandates if m.id == mandate_id), mandates[0] if mandates else None)
    if chosen is None:
        return Actor(user_id=user.id, user_label=user.name, principal_id=user.id, principal_label=user.name)
    return actor_from(chosen)


# --- people ------------------------------------------------------------------------------------------------------


def role_of(code: str) -> Any:
    """The role of the policy, or None when the policy no longer has it."""
    return next((r for r in policy().roles if r.code == code), None)


@dataclass(frozen=True)
class PersonRow:
    """A mandate as a list shows it. ``state``: in_force, to_come, ended, revoked."""

    mandate: Mandate
    role: Any
    state: str

    @property
    def role_title(self) -> Any:
        return self.role.title if self.role else self.mandate.role


def mandate_state(mandate: Mandate, day: dt.date) -> str:
    """Where a mandate stands on a day: in_force, to_come, ended, revoked; a delegation follows its source."""
    for one in (mandate, mandate.delegated_from):
        if one is None:
            continue
        if one.revoked_at is not None:
            return "revoked"
        if one.ends_on is not None and one.ends_on < day:
            return "ended"
    if mandate.starts_on > day:
        return "to_come"
    return "in_force"


def mandates_read() -> QuerySet[Mandate]:
    """All mandates with what lists show; one query."""
    return Mandate.objects.select_related("user", "organisation", "delegated_from__user").order_by(
        "organisation__name_key", "user__name", "id"
    )


def person_rows(mandates: Iterable[Mandate], day: dt.date) -> list[PersonRow]:
    return [PersonRow(m, role_of(m.role), mandate_state(m, day)) for m in mandates]


def open_invitations(day: dt.date, organisation_id: int | None = None) -> QuerySet[Invitation]:
    """Invitations neither accepted nor withdrawn, expired ones included (they can be sent again)."""
    found = Invitation.objects.filter(accepted_at__isnull=True, withdrawn_at__isnull=True).select_related(
        "organisation", "invited_by__user"
    )
    if organisation_id is not None:
        found = found.filter(organisation_id=organisation_id)
    return found.order_by("-created_at", "-id")


def colleagues(actor: Actor, day: dt.date) -> list[User]:
    """People who act today for the organisation of ``actor``, without ``actor``: those to whom one delegates."""
    if actor.organisation_id is None:
        return []
    mandates = Mandate.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=day),
        organisation_id=actor.organisation_id,
        starts_on__lte=day,
        revoked_at__isnull=True,
    )
    return list(
        User.objects.filter(is_active=True, mandates__in=mandates).exclude(pk=actor.user_id).distinct().order_by("name")
    )


def demonstration_accounts() -> list[tuple[Any, User]]:
    """One account per role of the policy, in the order of the policy: for the one-click sign-in."""
    by_role: dict[str, User] = {}
    for user in User.objects.filter(is_active=True).exclude(demo_role="").order_by("id"):
        by_role.setdefault(user.demo_role, user)
    return [(role, by_role[role.code]) for role in policy().roles if role.code in by_role]


# --- organisations -----------------------------------------------------------------------------------------------


def organisations(*, q: str = "", kind: str = "", region: str = "", country: str = "") -> QuerySet[Organisation]:
    """Organisations that are not duplicates of another, by name; ``q`` ignores case and accents.

    A number in ``q`` (spaces allowed) is looked for among the identifiers.
    """
    found = Organisation.objects.filter(merged_into__isnull=True)
    key = rules.plain_key(q)
    if key:
        compact = key.replace(" ", "").upper()
        wanted = Q(name_key__contains=rules.name_key(q)) | Q(name_key__contains=key)
        if any(c.isdigit() for c in compact) and len(compact) >= 4:
            wanted |= Q(pk__in=Identifier.objects.filter(value__istartswith=compact).values("organisation_id"))
        found = found.filter(wanted)
    for field_name, value in (("kind", kind), ("region_code", region), ("country", country)):
        if value:
            found = found.filter(**{field_name: value})
    return found.order_by("name_key", "id")


def size_category_on(organisation: Organisation, day: dt.date, *, known_on: dt.date | None = None) -> rules.Size | None:
    """Size category of an organisation at a date with its evidence, as known on a day; None when unknown."""
    rows = as_known_on(SizeCategory.objects.filter(organisation=organisation), known_on)
    return rules.size_on((size_of(row) for row in rows), day)


def size_of(row: SizeCategory) -> rules.Size:
    return rules.Size(
        category=row.category,
        on=row.on,
        definition=row.definition,
        evidence=row.evidence,
        headcount=row.headcount,
        source=row.source,
        simulated=row.simulated,
    )


def sizes_on(organisation_ids: Iterable[int], day: dt.date) -> dict[int, rules.Size]:
    """Size categories of many organisations at a date, in one query."""
    found: dict[int, list[rules.Size]] = {}
    for row in as_known_on(SizeCategory.objects.filter(organisation_id__in=list(organisation_ids), on__lte=day)):
        found.setdefault(row.organisation_id, []).append(size_of(row))
    return {key: size for key, sizes in found.items() if (size := rules.size_on(sizes, day))}


def current(organisation: Organisation) -> Organisation:
    """The organisation into which this one was merged, else itself."""
    seen = {organisation.pk}
    while organisation.merged_into_id is not None and organisation.merged_into_id not in seen:
        organisation = organisation.merged_into
        seen.add(organisation.pk)
    return organisation
