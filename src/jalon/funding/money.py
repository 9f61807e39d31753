"""What an organisation has, waits for and owes in its projects: told to the page "my projects, my money" of projects."""

from __future__ import annotations

import datetime as dt

from jalon.core.lang import T
from jalon.funding import states
from jalon.funding.models import Agreement, Claim, Relay
from jalon.projects.money import MoneyRow, register


@register
def money(organisation_id: int, on: dt.date) -> list[MoneyRow]:
    """Agreements, claims under way and advances of an organisation; three queries, whatever their number."""
    from django.urls import reverse

    rows: list[MoneyRow] = []
    agreements = Agreement.objects.filter(beneficiary_id=organisation_id, created_at__date__lte=on)
    for one in (
        agreements.exclude(state="draft").select_related("project", "funder").order_by("project__acronym", "number")
    ):
        common = {
            "project": one.project_id,
            "acronym": one.project.acronym,
            "url": reverse("agreement", args=[one.pk]),
            "simulated": one.project.simulated,
        }
        rows.append(
            MoneyRow(
                what=T("Convention {n}, {f}", "Agreement {n}, {f}", n=one.number, f=one.funder.name),
                amount=one.amount,
                kind="agreed",
                state=states.AGREEMENT_TITLES[one.state],
                tone=states.AGREEMENT_TONES[one.state],
                **common,
            )
        )
        if one.paid:
            rows.append(MoneyRow(what=T("Payé", "Paid"), amount=one.paid, kind="paid", tone="good", **common))
        if one.recovering:
            owed = T("À reverser", "To be paid back")
            rows.append(MoneyRow(what=owed, amount=one.recovering, kind="owed", tone="warn", **common))
    claims = Claim.objects.filter(agreement__in=agreements).exclude(state__in=(*states.CLAIM_DEAD, "paid"))
    for claim in claims.select_related("agreement__project").order_by("pk"):
        project = claim.agreement.project
        rows.append(
            MoneyRow(
                project=project.pk,
                acronym=project.acronym,
                what=T("Demande de versement", "Claim for payment"),
                amount=claim.amount,
                kind="claimed",
                state=states.CLAIM_TITLES[claim.state],
                tone=states.CLAIM_TONES[claim.state],
                url=reverse("claim", args=[claim.pk]),
                simulated=project.simulated,
            )
        )
    relays = Relay.objects.filter(company_id=organisation_id).exclude(state__in=("refused", "withdrawn", "closed"))
    for relay in relays.select_related("project", "bank").order_by("pk"):
        rows.append(
            MoneyRow(
                project=relay.project_id,
                acronym=relay.project.acronym,
                what=T("Financement relais, {b}", "Relay finance, {b}", b=relay.bank.name),
                amount=relay.offer if relay.offer is not None else relay.amount,
                kind="advance",
                state=states.RELAY_TITLES[relay.state],
                tone=states.RELAY_TONES[relay.state],
                url=reverse("relay", args=[relay.pk]),
                simulated=relay.project.simulated,
            )
        )
    return rows
