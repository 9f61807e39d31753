"""The secret address of a person's calendar feed: signed, renewable, nothing to store."""

from __future__ import annotations

from django.core import signing

from jalon.people.models import User

_signer = signing.Signer(salt="jalon.calendar")


def token_of(user: User) -> str:
    """The secret part of the address; it changes when the user renews it."""
    return _signer.sign_object([user.pk, user.calendar_version])


def user_of(token: str) -> User | None:
    """The account whose calendar this is; None when the address is wrong, renewed, or the account closed."""
    try:
        pk, version = _signer.unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return User.objects.filter(pk=pk, calendar_version=version, is_active=True).first()
