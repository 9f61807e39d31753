"""The night's work on agreements and relays: six months to complete a file, financial returns, uncovered relays."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from jalon.core import clock, journal
from jalon.core.lang import T, Text
from jalon.funding import messages, queries, relay_actions, return_actions, rules, states
from jalon.funding.models import Agreement, FinancialReturn, Relay
from jalon.people.access import policy

REMIND_BEFORE = (60, 30, 7)
"""Days before the end of the delay to complete a file on which its beneficiary is reminded (a choice of Jalon)."""


def nightly(on: dt.date) -> list[Text]:
    """Remind, and look for relays that a changed decision left uncovered. Run again on the same day, it does nothing."""
    laws = policy()
    if laws.part("funding") is None:
        return []
    reminded = sum(_remind(row, on) for row in _unsigned())
    asked = sum(_remind_return(row, on) for row in _owed_returns(on))
    _schedule_old()
    uncovered = 0
    for partner, funder in (
        Relay.objects.filter(state__in=states.RELAY_ENGAGED).order_by("id").values_list("partner_id", "funder_id")
    ):
        with transaction.atomic():
            uncovered += relay_actions.grant_changed(partner, funder, by=journal.SYSTEM, on=on) > 0
    return [
        T(
            "{n} rappels de dossiers à compléter, {r} de comptes rendus financiers, {m} relais à découvert",
            "{n} reminders of files to complete, {r} of financial returns, {m} relays uncovered",
            n=reminded,
            r=asked,
            m=uncovered,
        )
    ]


def _unsigned() -> list[Agreement]:
    return list(
        Agreement.objects.filter(state="sent", signed_beneficiary_on__isnull=True)
        .select_related("project", "beneficiary", "funder")
        .order_by("id")
    )


def _remind(row: Agreement, on: dt.date) -> int:
    """Post the reminder that is due on or before ``on`` and was not sent yet."""
    limit = rules.completion_deadline(policy(), row.awarded_on)
    if limit.on is None:
        return 0
    due = [limit.on - dt.timedelta(days=n) for n in REMIND_BEFORE]
    passed = [day for day in due if day <= on]
    if not passed or on > limit.on or (row.reminded_on is not None and row.reminded_on >= max(passed)):
        return 0
    with transaction.atomic():
        held = Agreement.objects.select_for_update().get(pk=row.pk)
        if held.reminded_on != row.reminded_on or held.state != "sent":
            return 0
        held.reminded_on = on
        held.save(update_fields=["reminded_on"])
        messages.tell(row.beneficiary_id, "agreement.sign", on, messages.completing(row, limit.on), row.case)
        journal.record(row.case, "agreement.remind", on=on, at=clock.stamp(on), after={"due_on": limit.on})
    return 1


def _schedule_old() -> None:
    """Agreements signed before returns were kept get theirs; those that have them are left alone."""
    rows = (
        Agreement.objects.filter(state__in=states.BINDING, instrument="grant", financial_returns__isnull=True)
        .exclude(beneficiary__kind__in=queries.PUBLIC_BODIES, returns="law")
        .select_related("beneficiary")
        .order_by("id")
    )
    for row in rows.iterator(chunk_size=500):
        return_actions.schedule(row)


def _owed_returns(on: dt.date) -> list[FinancialReturn]:
    before = policy().on(on).find("funding.financial_return_reminders_before")
    if before is None:
        return []
    last = on + dt.timedelta(days=max(before.value))
    return list(
        FinancialReturn.objects.filter(state__in=states.RETURN_WAITING, due_on__lte=last)
        .select_related("agreement__project", "agreement__funder", "agreement__beneficiary")
        .order_by("id")
    )


def _remind_return(row: FinancialReturn, on: dt.date) -> int:
    """Post the reminder that is due on or before ``on`` and was not sent yet; one more when its day has passed."""
    before = policy().on(on).get("funding.financial_return_reminders_before").value
    days = [row.due_on - dt.timedelta(days=n) for n in before] + [row.due_on + dt.timedelta(days=1)]
    passed = [day for day in days if day <= on]
    if not passed or (row.reminded_on is not None and row.reminded_on >= max(passed)):
        return 0
    with transaction.atomic():
        held = FinancialReturn.objects.select_for_update().get(pk=row.pk)
        if held.reminded_on != row.reminded_on or held.state not in states.RETURN_WAITING:
            return 0
        held.reminded_on = on
        held.save(update_fields=["reminded_on"])
        agreement = row.agreement
        messages.tell(agreement.beneficiary_id, "claim.submit", on, messages.return_due(row, on), agreement.case)
        journal.record(
            agreement.case,
            "agreement.return_remind",
            on=on,
            at=clock.stamp(on),
            after={"year": row.year, "due_on": row.due_on},
        )
    return 1
