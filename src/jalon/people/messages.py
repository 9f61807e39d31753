"""Letters to people: invitation, new password, digest. Plain text in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from jalon.core.lang import T, speaking
from jalon.ui import format as fmt


def invitation(
    *,
    language: str,
    name: str,
    role: Any,
    organisation: str,
    programme: Any,
    address: str,
    expires_on: dt.date,
    inviter: str,
) -> tuple[str, str]:
    """Subject and body of an invitation."""
    with speaking(language):
        subject = T(
            "Invitation à agir pour {organisation} dans Jalon",
            "Invitation to act for {organisation} in Jalon",
            organisation=organisation,
        )
        body = T(
            "Bonjour{name},\n\n{inviter} vous invite à agir pour {organisation} avec le rôle « {role} » "
            "({programme}).\n\nPour accepter et choisir votre mot de passe :\n{address}\n\n"
            "Cette adresse est personnelle et vaut jusqu'au {day}. Elle ne se partage pas : chaque personne a son propre compte.\n",
            "Hello{name},\n\n{inviter} invites you to act for {organisation} under the role “{role}” "
            "({programme}).\n\nTo accept and choose your password:\n{address}\n\n"
            "This address is personal and valid until {day}. Do not share it: everybody has an account of their own.\n",
            name=f" {name}" if name else "",
            inviter=inviter,
            organisation=organisation,
            role=role,
            programme=programme,
            address=address,
            day=fmt.day(expires_on),
        )
        return str(subject), str(body)


def new_password(*, language: str, name: str, address: str, hours: int) -> tuple[str, str]:
    """Subject and body of the message that lets somebody choose a new password."""
    with speaking(language):
        return str(T("Choisir un nouveau mot de passe", "Choose a new password")), str(
            T(
                "Bonjour {name},\n\nUn nouveau mot de passe a été demandé pour votre compte. Pour le choisir :\n{address}\n\n"
                "Cette adresse vaut {hours} heures et une seule fois. Si vous n'avez rien demandé, il n'y a rien à faire : "
                "votre mot de passe actuel reste valable.\n",
                "Hello {name},\n\nA new password was asked for your account. To choose it:\n{address}\n\n"
                "This address is valid for {hours} hours and once only. If you asked for nothing, nothing needs doing: "
                "your present password stays valid.\n",
                name=name,
                address=address,
                hours=hours,
            )
        )


def digest(*, language: str, name: str, day: dt.date, tasks: Iterable[Any], address: str) -> tuple[str, str]:
    """Subject and body of the reminder: the same tasks as the home page, in the same order and words.

    ``tasks``: objects with ``title``, ``why`` and ``due_on``.
    """
    tasks = list(tasks)
    with speaking(language):
        lines = []
        for task in tasks:
            lines.append(f"- {task.title}")
            if task.due_on is not None:
                lines.append(
                    f"  {T('pour le {day}', 'due {day}', day=fmt.day(task.due_on))} ({fmt.distance(task.due_on, day)})"
                )
            if task.why:
                lines.append(f"  {task.why}")
        subject = (
            T("Une chose vous attend dans Jalon", "One thing waits for you in Jalon")
            if len(tasks) == 1
            else T("{n} choses vous attendent dans Jalon", "{n} things wait for you in Jalon", n=len(tasks))
        )
        body = T(
            "Bonjour {name},\n\nCe qui vous attend au {day} :\n\n{lines}\n\nVotre accueil : {address}\n"
            "La fréquence de ces messages se règle dans « Mon compte ».\n",
            "Hello {name},\n\nWhat waits for you on {day}:\n\n{lines}\n\nYour home page: {address}\n"
            "How often these messages come is set in “My account”.\n",
            name=name,
            day=fmt.day(day),
            lines="\n".join(lines),
            address=address,
        )
        return str(subject), str(body)
