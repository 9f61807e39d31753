"""Acts on accounts, mandates and organisations. Each one: access, rule, writes, journal; all or nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.journal import Who, record
from jalon.core.lang import T
from jalon.core.models import OutboxMessage
from jalon.core.outbox import post
from jalon.people import access, messages, rules
from jalon.people.access import Actor, policy
from jalon.people.models import (
    Identifier,
    Invitation,
    Mandate,
    Merge,
    NotDuplicate,
    Organisation,
    SignInFailure,
    SizeCategory,
    User,
)
from jalon.people.queries import actor_from, mandate_state, role_of

KINDS = ("company", "laboratory", "training", "authority", "state_service", "association", "bank", "chamber", "other")
"""Kinds of organisation, in the order in which lists offer them."""
IDENTIFIERS = ("siren", "siret", "rna", "ror", "lei", "vat", "none")
LANGUAGES = ("fr", "en")
REMINDERS = ("daily", "weekly", "never")


# --- signing in --------------------------------------------------------------------------------------------------


def _hidden(kind: str, value: str) -> str:
    """A keyed hash: failures are counted without keeping whose they are."""
    return hmac.new(settings.SECRET_KEY.encode(), f"{kind}:{value.lower()}".encode(), hashlib.sha256).hexdigest()


def is_locked(email: str, place: str) -> bool:
    """Whether sign-in has to wait for this account or this network address."""
    since = clock.real_now() - dt.timedelta(minutes=rules.LOCK_MINUTES)
    keys = {"account": _hidden("account", email), "place": _hidden("place", place)}
    counts = SignInFailure.objects.filter(at__gte=since).aggregate(
        account=models.Count("id", filter=Q(account_key=keys["account"])),
        place=models.Count("id", filter=Q(place_key=keys["place"])),
    )
    return rules.locked(counts["account"], counts["place"])


def note_failure(email: str, place: str) -> None:
    """Count a failed sign-in; forget those of more than a day."""
    now = clock.real_now()
    SignInFailure.objects.filter(at__lt=now - dt.timedelta(days=1)).delete()
    SignInFailure.objects.create(account_key=_hidden("account", email), place_key=_hidden("place", place), at=now)


def forget_failures(email: str) -> None:
    """A sign-in that succeeded unlocks its account."""
    SignInFailure.objects.filter(account_key=_hidden("account", email)).delete()


def note_visit(user: User, *, at: dt.datetime) -> None:
    """Remember the visit before this one: "what changed since" counts from it."""
    user.previous_visit_at, user.visit_at = user.visit_at, at
    user.save(update_fields=["previous_visit_at", "visit_at"])


# --- invitations -------------------------------------------------------------------------------------------------


def _known_role(code: str) -> Any:
    role = role_of(code)
    if role is None:
        raise Refused(
            T("Le rôle « {code} » n'existe pas dans la politique.", "The policy has no role “{code}”.", code=code),
            kind="input",
        )
    return role


def _email(value: str) -> str:
    value = (value or "").strip().lower()
    try:
        validate_email(value)
    except ValidationError:
        raise Refused(
            T(
                "« {value} » n'est pas une adresse électronique ; attendu : nom@domaine.",
                "“{value}” is no e-mail address; expected: name@domain.",
                value=value,
            ),
            kind="input",
        ) from None
    return value


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def invite(
    organisation: Organisation,
    *,
    email: str,
    role: str,
    by: Actor,
    on: dt.date,
    address: Callable[[str], str],
    name: str = "",
    ends_on: dt.date | None = None,
    language: str = "fr",
) -> Invitation:
    """Invite somebody by e-mail to act for ``organisation`` under ``role``, until ``ends_on`` if given.

    ``address`` makes the address of the page that accepts, from the secret token; only its hash is stored here.

    Raises:
        NotAllowed: the role exceeds what ``by`` may give.
        Refused: e-mail, role or end cannot be; or that person holds this mandate already.
    """
    wanted = _known_role(role)
    rules.may_invite(by, wanted, organisation_id=organisation.id)
    email = _email(email)
    if Organisation.objects.filter(pk=organisation.pk, merged_into__isnull=False).exists():
        raise Refused(
            T(
                "« {name} » est un doublon, fusionné dans une autre fiche : invitez pour celle-ci.",
                "“{name}” is a duplicate merged into another record: invite for that one.",
                name=organisation.name,
            )
        )
    if User.objects.filter(pk=by.user_id, email=email).exists():
        raise Refused(T("On ne s'invite pas soi-même.", "Nobody invites themselves."), kind="input")
    if ends_on is not None and ends_on < on:
        raise Refused(
            T(
                "Le mandat finirait le {end}, avant aujourd'hui ({on}).",
                "The mandate would end on {end}, before today ({on}).",
                end=ends_on.isoformat(),
                on=on.isoformat(),
            ),
            kind="input",
        )
    held = Mandate.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on),
        user__email=email,
        organisation=organisation,
        role=role,
        revoked_at__isnull=True,
    )
    if held.exists():
        raise Refused(
            T(
                "{email} agit déjà pour {organisation} avec ce rôle.",
                "{email} already acts for {organisation} under this role.",
                email=email,
                organisation=organisation.name,
            )
        )
    with transaction.atomic():
        invitation = Invitation.objects.create(
            email=email,
            name=name.strip()[:150],
            organisation=organisation,
            programme=by.programme or policy().slug,
            role=role,
            ends_on=ends_on,
            token_hash=secrets.token_hex(32),
            invited_by_id=by.mandate_id,
            created_at=clock.now(),
            expires_on=on,
        )
        _send_invitation(invitation, by=by, on=on, address=address, language=language)
        record(
            f"organisation:{organisation.id}",
            "person.invited",
            by=by,
            on=on,
            after={"invitation": invitation.id, "email": email, "role": role, "ends_on": ends_on},
        )
    return invitation


def _send_invitation(
    invitation: Invitation, *, by: Actor, on: dt.date, address: Callable[[str], str], language: str
) -> None:
    token = secrets.token_urlsafe(32)
    invitation.token_hash = _token_hash(token)
    invitation.expires_on = on + dt.timedelta(days=rules.INVITATION_DAYS)
    invitation.save(update_fields=["token_hash", "expires_on"])
    _blank_messages(invitation)
    programme = policy()
    subject, body = messages.invitation(
        language=language,
        name=invitation.name,
        role=_known_role(invitation.role).title,
        organisation=invitation.organisation.name,
        programme=programme.title,
        address=address(token),
        expires_on=invitation.expires_on,
        inviter=by.user_label or "Jalon",
    )
    post(invitation.email, subject, body, case=f"invitation:{invitation.id}")


def _blank_messages(invitation: Invitation) -> None:
    """An address that no longer works need not be read by anybody: the messages that carry it are emptied."""
    OutboxMessage.objects.filter(case=f"invitation:{invitation.id}").update(
        body="—", attempts=99, last_error="withdrawn"
    )


def invite_again(
    invitation: Invitation, *, by: Actor, on: dt.date, address: Callable[[str], str], language: str = "fr"
) -> Invitation:
    """Send an invitation again with a new token and a new term; the old address no longer works."""
    rules.may_invite(by, _known_role(invitation.role), organisation_id=invitation.organisation_id)
    with transaction.atomic():
        invitation = _open_invitation(invitation.pk)
        _send_invitation(invitation, by=by, on=on, address=address, language=language)
        record(
            f"organisation:{invitation.organisation_id}",
            "person.invited_again",
            by=by,
            on=on,
            after={"invitation": invitation.id, "email": invitation.email, "expires_on": invitation.expires_on},
        )
    return invitation


def withdraw_invitation(invitation: Invitation, *, by: Actor, on: dt.date) -> None:
    """Take an invitation back: its address no longer works."""
    rules.may_invite(by, _known_role(invitation.role), organisation_id=invitation.organisation_id)
    with transaction.atomic():
        invitation = _open_invitation(invitation.pk)
        invitation.withdrawn_at = clock.now()
        invitation.save(update_fields=["withdrawn_at"])
        _blank_messages(invitation)
        record(
            f"organisation:{invitation.organisation_id}",
            "person.invitation_withdrawn",
            by=by,
            on=on,
            before={"invitation": invitation.id, "email": invitation.email},
        )


def _open_invitation(pk: int) -> Invitation:
    invitation = Invitation.objects.select_for_update().get(pk=pk)
    if invitation.accepted_at is not None or invitation.withdrawn_at is not None:
        raise Refused(
            T(
                "Cette invitation a déjà été acceptée ou retirée.",
                "This invitation was already accepted or withdrawn.",
            )
        )
    return invitation


def invitation_of(token: str, *, on: dt.date) -> Invitation:
    """The open invitation that a token opens.

    Raises:
        Refused: unknown, used, withdrawn or expired; the sentence says who can send another.
    """
    found = (
        Invitation.objects.select_related("organisation", "invited_by__user")
        .filter(token_hash=_token_hash(token), accepted_at__isnull=True, withdrawn_at__isnull=True)
        .first()
    )
    if found is None:
        raise Refused(
            T(
                "Cette adresse d'invitation n'est pas valable : elle a déjà servi, a été retirée ou a été mal recopiée. "
                "La personne qui vous a invité peut en envoyer une autre.",
                "This invitation address is not valid: it was used, withdrawn or copied wrongly. Whoever invited you "
                "can send another one.",
            )
        )
    if found.expires_on < on:
        raise Refused(
            T(
                "Cette invitation valait jusqu'au {day}. La personne qui vous a invité peut la renvoyer.",
                "This invitation was valid until {day}. Whoever invited you can send it again.",
                day=found.expires_on.isoformat(),
            )
        )
    return found


def accept_invitation(token: str, *, name: str, password: str, on: dt.date, user: User | None = None) -> User:
    """Accept an invitation: a new account with its own password, or a further mandate for ``user`` (signed in).

    Raises:
        Refused: the invitation is not valid, the password too weak, or the e-mail belongs to an account that must
            sign in first (so that an intercepted invitation opens no existing account).
    """
    with transaction.atomic():
        invitation = invitation_of(token, on=on)
        invitation = Invitation.objects.select_for_update().select_related("organisation").get(pk=invitation.pk)
        if invitation.accepted_at is not None:
            invitation_of(token, on=on)
        existing = User.objects.filter(email=invitation.email).first()
        if existing is not None:
            if user is None or user.pk != existing.pk:
                raise Refused(
                    T(
                        "Un compte existe déjà pour {email} : connectez-vous avec lui, puis ouvrez de nouveau cette adresse.",
                        "An account already exists for {email}: sign in with it, then open this address again.",
                        email=invitation.email,
                    )
                )
            person = existing
        else:
            if not name.strip():
                raise Refused(T("Le nom est attendu.", "The name is expected."), kind="input")
            person = User(email=invitation.email, name=name.strip()[:150])
            check_password_strength(password, person)
            person = User.objects.create_user(invitation.email, name.strip()[:150], password)
        mandate = Mandate.objects.create(
            user=person,
            organisation=invitation.organisation,
            programme=invitation.programme,
            role=invitation.role,
            starts_on=on,
            ends_on=invitation.ends_on,
        )
        invitation.accepted_at = clock.now()
        invitation.save(update_fields=["accepted_at"])
        _blank_messages(invitation)
        mandate = Mandate.objects.select_related("user", "organisation").get(pk=mandate.pk)
        actor = actor_from(mandate)
        after = {
            "mandate": mandate.id,
            "role": mandate.role,
            "organisation": mandate.organisation_id,
            "starts_on": mandate.starts_on,
            "ends_on": mandate.ends_on,
        }
        record(f"user:{person.id}", "invitation.accepted", by=actor, on=on, after=after)
        record(
            f"organisation:{mandate.organisation_id}",
            "person.joined",
            by=actor,
            on=on,
            after=after | {"user": person.id},
        )
    return person


def check_password_strength(password: str, user: User) -> None:
    """Refuse a password that is too short, too common or too close to the account's own data."""
    from django.utils.translation import override

    def said(language: str) -> list[str]:
        with override(language):
            try:
                validate_password(password, user)
            except ValidationError as error:
                return list(error.messages)
        return []

    french, english = said("fr"), said("en")
    if french:
        raise Refused(
            T("Le mot de passe n'est pas assez sûr.", "The password is not safe enough."),
            missing=[T(fr, en) for fr, en in zip(french, english, strict=True)],
            kind="input",
        )


# --- mandates ----------------------------------------------------------------------------------------------------


def delegate(*, to: User, by: Actor, on: dt.date, starts_on: dt.date, ends_on: dt.date | None, reason: str) -> Mandate:
    """Delegate the mandate under which ``by`` acts to a colleague of the same organisation, until a day.

    Raises:
        NotAllowed: the role may not delegate, or ``to`` is no colleague.
        Refused: the delegation is incomplete, passed on, or longer than the mandate.
    """
    by.require("people.delegate")
    own = Mandate.objects.filter(pk=by.mandate_id).first()
    if own is None:
        by.require("people.delegate")
        raise NotAllowed(T("Vous n'avez pas de mandat à déléguer.", "You hold no mandate to delegate."))
    rules.check_delegation(
        starts_on=starts_on,
        ends_on=ends_on,
        own_end=own.ends_on,
        is_delegation=own.delegated_from_id is not None,
        to_self=to.pk == by.user_id,
        reason=reason,
        on=on,
    )
    colleague = Mandate.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on),
        user=to,
        organisation_id=own.organisation_id,
        starts_on__lte=on,
        revoked_at__isnull=True,
    )
    if not to.is_active or not colleague.exists():
        raise NotAllowed(
            T(
                "{name} n'agit pas pour {organisation} : invitez d'abord cette personne dans l'organisme.",
                "{name} does not act for {organisation}: invite this person into the organisation first.",
                name=to.name,
                organisation=by.organisation_label,
            )
        )
    with transaction.atomic():
        made = Mandate.objects.create(
            user=to,
            organisation_id=own.organisation_id,
            programme=own.programme,
            role=own.role,
            starts_on=max(starts_on, own.starts_on),
            ends_on=ends_on,
            delegated_from=own,
            reason=reason.strip()[:300],
        )
        after = {"mandate": made.id, "role": made.role, "to": to.id, "starts_on": made.starts_on, "ends_on": ends_on}
        record(f"user:{by.user_id}", "mandate.delegated", by=by, on=on, after=after, why=reason.strip())
        record(
            f"user:{to.id}", "mandate.received", by=by, on=on, after=after | {"from": by.user_id}, why=reason.strip()
        )
    return made


def revoke(mandate: Mandate, *, by: Actor, on: dt.date, why: str) -> None:
    """End a mandate now; its delegations end with it.

    Raises:
        NotAllowed: ``by`` could not have granted it.
        Refused: no reason, already ended, or nobody would be left to manage accounts.
    """
    access.may_revoke(by, mandate, role_of(mandate.role))
    if not why.strip():
        raise Refused(
            T("Un motif est attendu pour retirer un mandat.", "Ending a mandate needs a reason."), kind="input"
        )
    with transaction.atomic():
        mandate = Mandate.objects.select_for_update().get(pk=mandate.pk)
        if mandate_state(Mandate.objects.select_related("delegated_from").get(pk=mandate.pk), on) in (
            "ended",
            "revoked",
        ):
            raise Refused(T("Ce mandat a déjà pris fin.", "This mandate has ended already."))
        _keep_a_manager(on, without_mandate=mandate.pk)
        mandate.revoked_at = clock.now()
        mandate.save(update_fields=["revoked_at"])
        row = {"mandate": mandate.id, "role": mandate.role, "organisation": mandate.organisation_id}
        record(f"user:{mandate.user_id}", "mandate.revoked", by=by, on=on, before=row, why=why.strip())


def _keep_a_manager(on: dt.date, *, without_mandate: int | None = None, without_user: int | None = None) -> None:
    """Refuse an act after which nobody could manage accounts nationally any more."""
    codes = [r.code for r in policy().roles if r.scope == "national" and "people.manage" in r.permissions]
    holders = Mandate.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on),
        role__in=codes,
        starts_on__lte=on,
        revoked_at__isnull=True,
        user__is_active=True,
    )
    before = holders.exists()
    if without_mandate is not None:
        holders = holders.exclude(pk=without_mandate).exclude(delegated_from_id=without_mandate)
    if without_user is not None:
        holders = holders.exclude(user_id=without_user)
    if before and not holders.exists():
        raise Refused(
            T(
                "Il ne resterait personne pour gérer les comptes du programme : donnez d'abord ce rôle à une autre personne.",
                "Nobody would be left to manage the programme's accounts: give that role to somebody else first.",
            )
        )


def deactivate(user: User, *, by: Actor, on: dt.date, why: str) -> None:
    """Close an account: it cannot sign in any more; what it did stays in the journal."""
    if user.pk != by.user_id and not access.manages_nationally(by):
        raise NotAllowed(
            T(
                "Un compte est fermé par son titulaire ou par la gestion nationale des comptes.",
                "An account is closed by its holder or by the national managers of accounts.",
            )
        )
    if not why.strip():
        raise Refused(
            T("Un motif est attendu pour fermer un compte.", "Closing an account needs a reason."), kind="input"
        )
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if not user.is_active:
            raise Refused(T("Ce compte est déjà fermé.", "This account is closed already."))
        if user.demo_role:
            raise Refused(
                T(
                    "Ce compte appartient à la démonstration, où chacun entre d'un clic : il reste ouvert.",
                    "This account belongs to the demonstration, where everybody enters by one click: it stays open.",
                )
            )
        _keep_a_manager(on, without_user=user.pk)
        user.is_active = False
        user.deactivated_at = clock.now()
        user.calendar_version += 1
        user.save(update_fields=["is_active", "deactivated_at", "calendar_version"])
        record(
            f"user:{user.id}",
            "account.closed",
            by=by,
            on=on,
            before={"is_active": True},
            after={"is_active": False},
            why=why.strip(),
        )


def reactivate(user: User, *, by: Actor, on: dt.date, why: str) -> None:
    """Open a closed account again."""
    if not access.manages_nationally(by):
        by.require("people.manage")
        raise NotAllowed(T("Réservé à la gestion nationale des comptes.", "Kept to the national managers of accounts."))
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.is_active:
            raise Refused(T("Ce compte est ouvert.", "This account is open."))
        user.is_active, user.deactivated_at = True, None
        user.save(update_fields=["is_active", "deactivated_at"])
        record(
            f"user:{user.id}",
            "account.opened",
            by=by,
            on=on,
            before={"is_active": False},
            after={"is_active": True},
            why=why.strip(),
        )


def change_preferences(user: User, *, by: Actor, on: dt.date, name: str, language: str, reminders: str) -> None:
    """One's own name, language and frequency of reminders."""
    if user.pk != by.user_id:
        raise NotAllowed(T("Chacun règle son propre compte.", "Everybody sets their own account."))
    name = name.strip()[:150]
    if not name:
        raise Refused(T("Le nom est attendu.", "The name is expected."), kind="input")
    if language not in LANGUAGES or reminders not in REMINDERS:
        raise Refused(T("Langue ou fréquence inconnue.", "Unknown language or frequency."), kind="input")
    before = {"name": user.name, "language": user.language, "reminders": user.reminders}
    after = {"name": name, "language": language, "reminders": reminders}
    if before == after:
        return
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(**after)
        record(f"user:{user.id}", "account.changed", by=by, on=on, before=before, after=after)
    for key, value in after.items():
        setattr(user, key, value)


def renew_calendar_address(user: User, *, by: Actor, on: dt.date) -> None:
    """Make the calendar's old address useless."""
    if user.pk != by.user_id:
        raise NotAllowed(T("Chacun règle son propre compte.", "Everybody sets their own account."))
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(calendar_version=models.F("calendar_version") + 1)
        record(f"user:{user.id}", "account.calendar_renewed", by=by, on=on)


def ask_new_password(email: str, *, on: dt.date, address: Callable[[str, str], str]) -> None:
    """Send the address where a new password is chosen, if an open account has this e-mail; silent otherwise."""
    user = User.objects.filter(email=(email or "").strip().lower(), is_active=True).first()
    if user is None:
        return
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    link = address(uid, default_token_generator.make_token(user))
    subject, body = messages.new_password(
        language=user.language, name=user.name, address=link, hours=settings.PASSWORD_RESET_TIMEOUT // 3600
    )
    with transaction.atomic():
        post(user.email, subject, body, case=f"password:{user.id}")
        record(f"user:{user.id}", "password.asked", on=on)


def set_password(user: User, password: str, *, on: dt.date, by: Any = None) -> None:
    """Choose a new password; other sessions of the account end."""
    check_password_strength(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        forget_failures(user.email)
        OutboxMessage.objects.filter(case=f"password:{user.id}").update(body="—", attempts=99, last_error="used")
        record(f"user:{user.id}", "password.set", by=by or Who(user_id=user.id, user_label=user.name, role=""), on=on)


def travel(day: dt.date, *, by: Any, on: dt.date) -> None:
    """Move the demonstration to another day; journaled on the day it leaves."""
    with transaction.atomic():
        record("demonstration", "demonstration.travelled", by=by, on=on, before={"day": on}, after={"day": day})
        clock.travel(day)


# --- organisations -----------------------------------------------------------------------------------------------


TEXT_FIELDS = (
    "name",
    "short_name",
    "legal_form",
    "activity_code",
    "country",
    "city",
    "postcode",
    "region_code",
    "level",
    "website",
)


def _checked_fields(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = set(fields) - {*TEXT_FIELDS, "kind"}
    if unknown:
        raise TypeError(f"unknown fields {sorted(unknown)}")
    cleaned = {key: str(value or "").strip() for key, value in fields.items()}
    if "name" in cleaned:
        if not rules.plain_key(cleaned["name"]):
            raise Refused(T("Le nom de l'organisme est attendu.", "The organisation's name is expected."), kind="input")
        cleaned["name_key"] = rules.name_key(cleaned["name"])
    if "kind" in cleaned and cleaned["kind"] not in KINDS:
        raise Refused(
            T("La nature « {kind} » est inconnue.", "The kind “{kind}” is unknown.", kind=cleaned["kind"]), kind="input"
        )
    if cleaned.get("country", "FR") != cleaned.get("country", "FR").upper() or len(cleaned.get("country", "FR")) != 2:
        raise Refused(
            T("Le pays est un code de deux lettres (FR, DE…).", "The country is a two-letter code (FR, DE…)."),
            kind="input",
        )
    website = cleaned.get("website", "")
    if website and not website.startswith(("http://", "https://")):
        raise Refused(
            T(
                "L'adresse du site commence par http:// ou https://.",
                "The website's address starts with http:// or https://.",
            ),
            kind="input",
        )
    return cleaned


def checker_of(scheme: str) -> str:
    """The checker that the policy names for a scheme."""
    for known in policy().identifiers:
        if known.code == scheme:
            return known.checker
    return scheme if scheme in rules.CHECKERS else "none"


def _free_identifier(scheme: str, value: Any) -> str:
    """The normalised value, refused when another organisation holds it."""
    value = rules.check_identifier(checker_of(scheme), value)
    holder = Identifier.objects.select_related("organisation").filter(scheme=scheme, value=value).first()
    if holder is not None:
        raise Refused(
            T(
                "{scheme} {value} est déjà celui de « {name} ».",
                "{scheme} {value} is already that of “{name}”.",
                scheme=scheme.upper(),
                value=value,
                name=holder.organisation.name,
            )
        )
    return value


def create_organisation(
    *,
    name: str,
    kind: str,
    by: Actor,
    on: dt.date,
    identifiers: Iterable[tuple[str, str]] = (),
    sources: Iterable[str] = (),
    simulated: bool = False,
    **fields: Any,
) -> Organisation:
    """A new organisation with its identifiers, all checked.

    Raises:
        Refused: a wrong identifier, or one that another organisation holds already.
    """
    access.may_add_organisation(by)
    cleaned = _checked_fields({"name": name, "kind": kind, **fields})
    with transaction.atomic():
        made = Organisation.objects.create(
            **cleaned, sources=list(sources), simulated=simulated, created_at=clock.now()
        )
        kept = []
        for scheme, value in identifiers:
            value = _free_identifier(scheme, value)
            Identifier.objects.create(organisation=made, scheme=scheme, value=value)
            kept.append([scheme, value])
        record(f"organisation:{made.id}", "organisation.created", by=by, on=on, after={**cleaned, "identifiers": kept})
    return made


def edit_organisation(organisation: Organisation, *, by: Actor, on: dt.date, **fields: Any) -> Organisation:
    """Change the description of an organisation; what it was stays in the journal."""
    access.may_edit_organisation(by, organisation.id)
    cleaned = _checked_fields(fields)
    with transaction.atomic():
        row = Organisation.objects.select_for_update().get(pk=organisation.pk)
        before = {key: getattr(row, key) for key in cleaned if getattr(row, key) != cleaned[key]}
        if before:
            for key in before:
                setattr(row, key, cleaned[key])
            row.save(update_fields=list(before))
            record(
                f"organisation:{row.id}",
                "organisation.changed",
                by=by,
                on=on,
                before=before,
                after={key: cleaned[key] for key in before},
            )
    return row


def add_identifier(organisation: Organisation, *, scheme: str, value: str, by: Actor, on: dt.date) -> Identifier:
    """Give an organisation a further identifier, checked."""
    access.may_edit_organisation(by, organisation.id)
    with transaction.atomic():
        value = _free_identifier(scheme, value)
        made = Identifier.objects.create(organisation=organisation, scheme=scheme, value=value)
        record(
            f"organisation:{organisation.id}",
            "identifier.added",
            by=by,
            on=on,
            after={"scheme": scheme, "value": value},
        )
    return made


def remove_identifier(identifier: Identifier, *, by: Actor, on: dt.date, why: str) -> None:
    """Take a wrong identifier away; the journal keeps it."""
    access.may_edit_organisation(by, identifier.organisation_id)
    if not why.strip():
        raise Refused(T("Un motif est attendu.", "A reason is expected."), kind="input")
    with transaction.atomic():
        row = {"scheme": identifier.scheme, "value": identifier.value}
        record(f"organisation:{identifier.organisation_id}", "identifier.removed", by=by, on=on, before=row, why=why)
        identifier.delete()


def record_size(
    organisation: Organisation,
    *,
    category: str,
    as_of: dt.date,
    definition: str,
    evidence: str,
    by: Actor,
    on: dt.date,
    headcount: int | None = None,
    simulated: bool = False,
) -> SizeCategory:
    """Record the size category of an organisation at a date, with its evidence; a correction is a new version.

    Raises:
        Refused: no evidence, a day to come, or a category that the definition does not have.
    """
    access.may_edit_organisation(by, organisation.id)
    missing = []
    scheme = next((s for s in policy().members.size_schemes if s.code == definition), None)
    if scheme is None:
        missing.append(T("une définition de la politique", "a definition of the policy"))
    elif category not in {c.code for c in scheme.categories}:
        missing.append(
            T(
                "une catégorie de « {scheme} » : {all}",
                "a category of “{scheme}”: {all}",
                scheme=scheme.title,
                all=", ".join(str(c.title) for c in scheme.categories),
            )
        )
    if not evidence.strip():
        missing.append(
            T("la preuve (liasse fiscale, déclaration datée…)", "the evidence (tax return, dated declaration…)")
        )
    if as_of > on:
        missing.append(T("une date qui n'est pas à venir", "a date that is not in the future"))
    if headcount is not None and headcount < 0:
        missing.append(T("un effectif qui n'est pas négatif", "a headcount that is not negative"))
    if missing:
        raise Refused(T("La taille n'est pas complète.", "The size is not complete."), missing=missing, kind="input")
    with transaction.atomic():
        now = clock.now()
        same = SizeCategory.objects.filter(organisation=organisation, on=as_of, superseded_at__isnull=True)
        before = list(same.values("category", "definition", "evidence", "headcount"))
        same.update(superseded_at=now)
        made = SizeCategory.objects.create(
            organisation=organisation,
            category=category,
            definition=definition,
            on=as_of,
            evidence=evidence.strip()[:300],
            headcount=headcount,
            recorded_at=now,
            simulated=simulated,
        )
        record(
            f"organisation:{organisation.id}",
            "size.recorded",
            by=by,
            on=on,
            before=before or None,
            after={
                "category": category,
                "definition": definition,
                "on": as_of,
                "evidence": evidence.strip(),
                "headcount": headcount,
            },
        )
    return made


# --- duplicates --------------------------------------------------------------------------------------------------


def say_not_duplicate(first: Organisation, second: Organisation, *, by: Actor, on: dt.date, reason: str = "") -> None:
    """Two organisations that look alike are two: they are not proposed again."""
    access.may_merge(by)
    low, high = sorted((first.id, second.id))
    if low == high:
        raise Refused(T("Deux fiches sont attendues.", "Two records are expected."), kind="input")
    with transaction.atomic():
        _, made = NotDuplicate.objects.get_or_create(first_id=low, second_id=high, defaults={"reason": reason[:300]})
        if made:
            record(f"organisation:{low}", "organisation.not_duplicate", by=by, on=on, after={"other": high}, why=reason)


UNMOVED = {("people_notduplicate", "first_id"), ("people_notduplicate", "second_id"),
           ("people_merge", "absorbed_id"), ("people_merge", "kept_id")}  # fmt: skip
FILLED = ("short_name", "legal_form", "activity_code", "city", "postcode", "region_code", "level", "website")


def pointers() -> list[tuple[type[models.Model], models.ForeignKey]]:
    """Every foreign key of the house that points to an organisation, found by introspection.

    So that a merge forgets no table, and this package knows none of those above it.
    """
    found = []
    for relation in Organisation._meta.get_fields(include_hidden=True):
        if not relation.auto_created or not (relation.one_to_many or relation.one_to_one):
            continue
        field = relation.field
        if (relation.related_model._meta.db_table, field.column) not in UNMOVED:
            found.append((relation.related_model, field))
    return sorted(found, key=lambda pair: (pair[0]._meta.db_table, pair[1].column))


def _is_membership(model: type[models.Model]) -> bool:
    names = {f.name for f in model._meta.get_fields()}
    return {"cluster", "organisation", "joined_on", "left_on", "superseded_at", "replaces"} <= names


def merge(absorbed: Organisation, *, into: Organisation, by: Actor, on: dt.date, reason: str = "") -> Merge:
    """Merge a duplicate into the organisation that stays; nothing of it is lost.

    Identifiers, sizes, mandates, seats, memberships, carriers and parties move. Memberships of one cluster whose
    periods overlap become one new version over both; the old versions stay as history. Empty fields of the one that
    stays are filled in. The row of the duplicate stays and names the one it was merged into.

    Raises:
        NotAllowed: not at the national level.
        Refused: the same row twice, one of them already merged, or two current rows that cannot stand together.
    """
    access.may_merge(by)
    if absorbed.pk == into.pk:
        raise Refused(T("Deux fiches différentes sont attendues.", "Two different records are expected."), kind="input")
    with transaction.atomic():
        locked = {
            o.pk: o
            for o in Organisation.objects.select_for_update().filter(pk__in=[absorbed.pk, into.pk]).order_by("pk")
        }
        gone, kept = locked[absorbed.pk], locked[into.pk]
        for one in (gone, kept):
            if one.merged_into_id is not None:
                raise Refused(T("« {name} » a déjà été fusionné.", "“{name}” was already merged.", name=one.name))
        now = clock.now()
        closed: dict[str, list[int]] = {"superseded": [], "made": []}
        moves: list[dict[str, Any]] = []
        try:
            with transaction.atomic():
                for model, field in pointers():
                    if _is_membership(model):
                        _join_memberships(model, gone, kept, now, closed)
                    ids = list(
                        model._base_manager.filter(**{field.attname: gone.pk})
                        .order_by("pk")
                        .values_list("pk", flat=True)
                    )
                    if ids:
                        for start in range(0, len(ids), 500):
                            model._base_manager.filter(pk__in=ids[start : start + 500]).update(
                                **{field.attname: kept.pk}
                            )
                        moves.append({"table": model._meta.db_table, "column": field.column, "ids": ids})
        except IntegrityError as error:
            raise Refused(
                T(
                    "Les deux fiches ont des lignes que la base refuse ensemble ({error}) : corrigez l'une d'elles avant de fusionner.",
                    "The two records hold rows that the database refuses together ({error}): mend one of them before merging.",
                    error=str(error).splitlines()[0],
                )
            ) from error
        before = {key: getattr(kept, key) for key in FILLED if not getattr(kept, key) and getattr(gone, key)}
        before["sources"] = kept.sources
        for key in before:
            if key != "sources":
                setattr(kept, key, getattr(gone, key))
        kept.sources = [*kept.sources, *[s for s in gone.sources if s not in kept.sources]]
        kept.save(update_fields=list(before))
        gone.merged_into = kept
        gone.save(update_fields=["merged_into"])
        made = Merge.objects.create(
            absorbed=gone, kept=kept, moves=moves, closed=closed, before=before, reason=reason[:300], at=now,
            user_label=by.user_label,
        )  # fmt: skip
        facts = {
            "merge": made.id,
            "moved": {f"{m['table']}.{m['column']}": len(m["ids"]) for m in moves},
            "joined": len(closed["made"]),
        }
        record(
            f"organisation:{kept.id}", "organisation.absorbed", by=by, on=on, why=reason, before=before,
            after={**{key: getattr(kept, key) for key in before}, "other": gone.id, "other_name": gone.name, **facts},
        )  # fmt: skip
        record(
            f"organisation:{gone.id}",
            "organisation.merged",
            by=by,
            on=on,
            why=reason,
            before={"name": gone.name, "merged_into": None},
            after={"merged_into": kept.id, **facts},
        )
    return made


def _copied(row: Any, **changes: Any) -> Any:
    """A new, unsaved row with the values of ``row``."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}
    return type(row)(**(values | changes))


def _join_memberships(
    model: Any, gone: Organisation, kept: Organisation, now: dt.datetime, closed: dict[str, list[int]]
) -> None:
    """Memberships of one cluster that overlap between the two rows become one new version over all of them."""
    rows = list(
        model._base_manager.filter(organisation_id__in=[gone.pk, kept.pk], superseded_at__isnull=True).order_by(
            "joined_on", "pk"
        )
    )
    by_cluster: dict[int, list[Any]] = {}
    for row in rows:
        by_cluster.setdefault(row.cluster_id, []).append(row)
    for same in by_cluster.values():
        for start, end in rules.joined_periods((r.joined_on, r.left_on) for r in same):
            group = [r for r in same if r.joined_on >= start and (end is None or r.joined_on <= end)]
            if len({r.organisation_id for r in group}) < 2:
                continue
            lead = next(r for r in group if r.organisation_id == kept.pk)
            model._base_manager.filter(pk__in=[r.pk for r in group]).update(superseded_at=now)
            joined = _copied(
                lead, joined_on=start, left_on=end, recorded_at=now, superseded_at=None, replaces_id=lead.pk,
                simulated=any(r.simulated for r in group),
            )  # fmt: skip
            joined.save(force_insert=True)
            closed["superseded"] += [r.pk for r in group]
            closed["made"].append(joined.pk)


def undo_merge(row: Merge, *, by: Actor, on: dt.date, reason: str = "") -> None:
    """Undo a merge, as long as nothing that it moved has changed since.

    Raises:
        Refused: the list of what changed meanwhile.
    """
    access.may_merge(by)
    with transaction.atomic():
        row = Merge.objects.select_for_update().get(pk=row.pk)
        kept = Organisation.objects.select_for_update().get(pk=row.kept_id)
        gone = Organisation.objects.select_for_update().get(pk=row.absorbed_id)
        fields = {(m._meta.db_table, f.column): (m, f) for m, f in pointers()}
        changed = []
        if row.undone_at is not None:
            changed.append(T("cette fusion a déjà été annulée", "this merge was undone already"))
        if kept.merged_into_id is not None:
            changed.append(T("« {name} » a été fusionné à son tour", "“{name}” was merged in its turn", name=kept.name))
        for key in row.before:
            if key != "sources" and getattr(kept, key) != getattr(gone, key):
                changed.append(T("« {field} » a été modifié", "“{field}” was changed", field=key))
        for move in row.moves:
            model, field = fields[move["table"], move["column"]]
            still = 0
            for start in range(0, len(move["ids"]), 500):
                still += model._base_manager.filter(
                    pk__in=move["ids"][start : start + 500], **{field.attname: kept.pk}
                ).count()
            if still != len(move["ids"]):
                changed.append(
                    T(
                        "{n} lignes de {table} ont changé",
                        "{n} rows of {table} changed",
                        n=len(move["ids"]) - still,
                        table=move["table"],
                    )
                )
        model = next((m for m, _ in pointers() if _is_membership(m)), None)
        if model is not None:
            current = model._base_manager.filter(pk__in=row.closed["made"], superseded_at__isnull=True).count()
            if current != len(row.closed["made"]):
                changed.append(T("des adhésions réunies ont été corrigées", "joined memberships were corrected"))
        if changed:
            raise Refused(
                T("La fusion ne peut plus être annulée d'un geste.", "The merge can no longer be undone in one go."),
                missing=changed,
                kind="conflict",
            )
        now = clock.now()
        for move in row.moves:
            target, field = fields[move["table"], move["column"]]
            for start in range(0, len(move["ids"]), 500):
                target._base_manager.filter(pk__in=move["ids"][start : start + 500]).update(**{field.attname: gone.pk})
        if model is not None and row.closed["made"]:
            model._base_manager.filter(pk__in=row.closed["made"]).update(superseded_at=now)
            for old in model._base_manager.filter(pk__in=row.closed["superseded"]).order_by("pk"):
                _copied(old, recorded_at=now, superseded_at=None, replaces_id=old.pk).save(force_insert=True)
        for key, value in row.before.items():
            setattr(kept, key, value)
        if row.before:
            kept.save(update_fields=list(row.before))
        gone.merged_into = None
        gone.save(update_fields=["merged_into"])
        row.undone_at = now
        row.save(update_fields=["undone_at"])
        for one, other in ((kept, gone), (gone, kept)):
            record(
                f"organisation:{one.id}",
                "organisation.merge_undone",
                by=by,
                on=on,
                why=reason,
                before={"merge": row.id},
                after={"other": other.id},
            )
