"""Letters about contracts: your turn to sign, a proposal waits for you, the signature is open.

One message per person who can act, in their own language, stored with the act (``core.outbox``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from jalon.contracts.models import Contract, Party, Text
from jalon.core import lang, outbox
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.people.models import Mandate, User


def people_of(parties: Iterable[Party], permission: str, on: dt.date) -> list[User]:
    """Everybody who acts for one of the parties on that day under a role with the permission."""
    roles = [role.code for role in policy().roles_with(permission)]
    return list(
        User.objects.filter(
            is_active=True,
            id__in=Mandate.objects.filter(
                Q(ends_on__isnull=True) | Q(ends_on__gte=on),
                starts_on__lte=on,
                revoked_at__isnull=True,
                role__in=roles,
                organisation_id__in={p.organisation_id for p in parties},
            ).values("user_id"),
        ).order_by("id")
    )


def _post(users: Iterable[User], subject: Any, body: Any, contract: Contract) -> None:
    for user in users:
        with lang.speaking(user.language):
            outbox.post(user.email, str(subject), str(body), case=f"contract:{contract.slug}")


def address(text: Text, page: str = "contract") -> str:
    """The path of the page that a letter names."""
    slug = text.contract.slug
    if page == "contract" and text.number:
        return reverse("contract-amendment", args=[slug, text.number])
    return reverse(page, args=[slug])


def opened_for_signature(text: Text, parties: Iterable[Party], on: dt.date) -> None:
    """To everybody who decides or signs: the text is frozen."""
    parties = list(parties)
    users = {u.pk: u for p in ("contract.sign", "contract.decide") for u in people_of(parties, p, on)}
    _post(
        users.values(),
        T("Signature ouverte : {t}", "Open for signature: {t}", t=text.contract.title),
        T(
            "Le texte de « {t} » est figé (empreinte {h}). Les parties peuvent délibérer et signer : {url}",
            "The text of “{t}” is frozen (hash {h}). The parties can decide and sign: {url}",
            t=text.contract.title,
            h=text.frozen.sha256[:16],
            url=address(text, "contract-signature"),
        ),
        text.contract,
    )


def your_turn(text: Text, parties: Iterable[Party], on: dt.date) -> None:
    """To the signatories of the parties whose turn it is."""
    _post(
        people_of(parties, "contract.sign", on),
        T("À vous de signer : {t}", "Your turn to sign: {t}", t=text.contract.title),
        T(
            "La signature de votre organisme est attendue pour « {t} » : {url}",
            "The signature of your organisation is awaited for “{t}”: {url}",
            t=text.contract.title,
            url=address(text, "contract-signature"),
        ),
        text.contract,
    )


def proposals_wait(text: Text, parties: Iterable[Party], proposer: str, number: int, on: dt.date) -> None:
    """To those who may accept or reject."""
    _post(
        people_of(parties, "contract.negotiate", on),
        T("Propositions à examiner : {t}", "Proposals to look at: {t}", t=text.contract.title),
        T(
            "« {who} » propose {n} changement(s) dans « {t} » : {url}",
            "“{who}” proposes {n} change(s) in “{t}”: {url}",
            who=proposer,
            n=number,
            t=text.contract.title,
            url=address(text),
        ),
        text.contract,
    )


def refused(text: Text, parties: Iterable[Party], who: str, reason: str, on: dt.date) -> None:
    """To those who negotiate: the signature stopped, and why."""
    _post(
        people_of(parties, "contract.negotiate", on),
        T("Retour à la négociation : {t}", "Back to negotiation: {t}", t=text.contract.title),
        T(
            "« {who} » ne signe pas « {t} ». Motif : {why} {url}",
            "“{who}” does not sign “{t}”. Reason: {why} {url}",
            who=who,
            t=text.contract.title,
            why=reason,
            url=address(text),
        ),
        text.contract,
    )
