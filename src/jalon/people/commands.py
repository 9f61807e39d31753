"""``jalon people``: the first account of an installation, and who has one."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from jalon.core.errors import Refused
from jalon.core.lang import T

people_app = typer.Typer(no_args_is_help=True, help="Comptes et mandats. / Accounts and mandates.")


def _django_ready() -> None:
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


@people_app.command("invite")
def invite(
    email: Annotated[str, typer.Argument(help="Adresse électronique / e-mail")],
    role: Annotated[str, typer.Option(help="Rôle de la politique / role of the policy")] = "",
    organisation: Annotated[str, typer.Option(help="Nom de l'organisme / organisation's name")] = "",
    address: Annotated[str, typer.Option(help="Adresse du site / address of the site")] = "http://127.0.0.1:8000",
    language: Annotated[str, typer.Option(help="fr, en")] = "fr",
) -> None:
    """Inviter une personne, la première comprise. / Invite somebody, the first person included."""
    _django_ready()
    from django.urls import reverse

    from jalon.core import clock
    from jalon.core.models import OutboxMessage
    from jalon.people import actions
    from jalon.people.access import Actor, policy
    from jalon.people.models import Organisation
    from jalon.people.queries import organisations

    managers = [r for r in policy().roles if r.scope == "national" and "people.manage" in r.permissions]
    system = Actor(
        user_label="Jalon", role="system", scope="national", side="state", programme=policy().slug,
        permissions=frozenset({"people.manage", "register.edit"}),
    )  # fmt: skip
    today: dt.date = clock.today()
    try:
        code = role or (managers[0].code if managers else "")
        name = organisation or str(policy().title)
        found = list(organisations(q=name)[:2])
        exact = Organisation.objects.filter(name=name, merged_into__isnull=True).first()
        target = exact or (found[0] if len(found) == 1 else None)
        if target is None:
            if found:
                raise Refused(
                    T(
                        "Plusieurs organismes répondent à « {name} » : donnez le nom entier.",
                        "Several organisations answer to “{name}”: give the whole name.",
                        name=name,
                    )
                )
            target = actions.create_organisation(name=name, kind="state_service", by=system, on=today)
        invitation = actions.invite(
            target, email=email, role=code, by=system, on=today, language=language,
            address=lambda token: address.rstrip("/") + reverse("accept-invitation", args=[token]),
        )  # fmt: skip
    except Refused as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from refusal
    message = OutboxMessage.objects.filter(case=f"invitation:{invitation.pk}").latest("id")
    typer.echo(f"{message.to}\n{message.subject}\n\n{message.body}")


@people_app.command("list")
def list_people() -> None:
    """Les mandats en vigueur. / The mandates in force."""
    _django_ready()
    from jalon.core import clock
    from jalon.people.queries import mandates_read, person_rows

    today = clock.today()
    for row in person_rows(mandates_read().iterator(), today):
        if row.state == "in_force":
            m = row.mandate
            until = m.ends_on.isoformat() if m.ends_on else "–"
            typer.echo(f"{m.user.email}\t{m.role}\t{m.organisation.name}\t{until}")
