"""Acts on financial returns (*comptes rendus financiers*): scheduled when an agreement binds, handed in by the payee, checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from jalon.core import clock, files, journal, workflow
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.funding import access, messages, queries, rules, states
from jalon.funding.models import Agreement, FinancialReturn, ReturnFile, ReturnLine
from jalon.people.access import Actor, policy


def locked(agreement: Agreement) -> Agreement:
    """The agreement as it stands now, held until the act is over; its partner is read after the wait for the hold."""
    Agreement.objects.select_for_update().values_list("pk").get(pk=agreement.pk)
    return Agreement.objects.select_related("project", "partner", "beneficiary", "funder").get(pk=agreement.pk)


def schedule(agreement: Agreement) -> int:
    """Make the rows of the returns that a bound agreement asks for; those no longer asked for go, unless handed in.

    Called by the acts that bind and change an agreement, and by the night for agreements older than this table. Returns
    how many rows are new.
    """
    laws = policy()
    wanted = {}
    for year in queries.return_years(agreement):
        due = rules.return_deadline(laws, year).on
        if due is not None:
            wanted[year] = due
    kept = set()
    for row in agreement.financial_returns.all():
        if row.year in wanted or row.state != "due":
            kept.add(row.year)
        else:
            row.delete()
    new = [
        FinancialReturn(agreement=agreement, year=year, due_on=due, simulated=agreement.simulated)
        for year, due in wanted.items()
        if year not in kept
    ]
    FinancialReturn.objects.bulk_create(new)
    return len(new)


def _held(row: FinancialReturn, name: str, reason: str = "") -> tuple[Agreement, FinancialReturn]:
    agreement = locked(row.agreement)
    row = FinancialReturn.objects.select_for_update(of=("self",)).get(pk=row.pk)
    row.agreement = agreement
    workflow.check(states.RETURN_MOVES, states.RETURN_STATES, name, row.state, reason)
    return agreement, row


def _record(row: FinancialReturn, act: str, *, by: Any, on: dt.date, at: dt.datetime | None, **kwargs: Any) -> None:
    journal.record(row.agreement.case, act, by=by, on=on, at=clock.stamp(on, at), **kwargs)


@transaction.atomic
def submit(
    row: FinancialReturn,
    *,
    report: str,
    lines: Sequence[rules.Line],
    by: Actor,
    on: dt.date,
    annex: str = "",
    uploads: Iterable[Any] = (),
    at: dt.datetime | None = None,
) -> FinancialReturn:
    """The beneficiary hands in the return of a year: report, charges and income against what was planned, annex, evidence.

    Raises:
        NotAllowed: not the beneficiary's. Refused: handed in already, the year is not over, or incomplete (with everything
            that is missing).
    """
    agreement, row = _held(row, "submit")
    access.require_beneficiary(by, agreement, "claim.submit")
    if on <= dt.date(row.year, 12, 31) and agreement.ended_on is None:
        raise Refused(
            T(
                "L'année {y} n'est pas finie : son compte rendu se remet ensuite.",
                "The year {y} is not over: its return is handed in afterwards.",
                y=row.year,
            )
        )
    given = list(uploads)
    checked = rules.check_return(lines, report=report, annex=annex, files=len(given) + row.files.count())
    before = row.state
    row.lines.all().delete()
    ReturnLine.objects.bulk_create(
        ReturnLine(owner=row, side=one.side, label=one.label, planned=one.planned, actual=one.actual) for one in checked
    )
    moment = clock.stamp(on, at)
    for upload in given:
        name = getattr(upload, "name", None)
        data, title = (upload, name) if name else upload
        stored = files.store(data, title, case=agreement.case, by=by, at=moment, simulated=row.simulated)
        ReturnFile.objects.create(owner=row, file=stored, added_at=moment)
    row.report, row.annex, row.state = report.strip(), annex.strip(), "submitted"
    row.handed_on = row.handed_on or on
    row.submitted_on, row.submitted_label = on, by.user_label[:200]
    row.save()
    _record(
        row,
        "agreement.return_submit",
        by=by,
        on=on,
        at=at,
        before={"state": before},
        after={
            "state": "submitted",
            "year": row.year,
            "charges": rules.summed("charge", checked).actual,
            "income": rules.summed("income", checked).actual,
            "files": row.files.count(),
            "late": row.late(on),
        },
    )
    return row


@transaction.atomic
def accept(row: FinancialReturn, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> FinancialReturn:
    """The funder has checked the return and keeps it.

    Raises:
        NotAllowed: not the funder's. Refused: nothing was handed in, or checked already.
    """
    agreement, row = _held(row, "accept")
    access.require_funder(by, agreement, "claim.check", on)
    row.state, row.checked_on, row.checked_label, row.reason = "accepted", on, by.user_label[:200], ""
    row.save()
    _record(
        row,
        "agreement.return_accept",
        by=by,
        on=on,
        at=at,
        before={"state": "submitted"},
        after={"state": "accepted", "year": row.year},
    )
    return row


@transaction.atomic
def send_back(
    row: FinancialReturn, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> FinancialReturn:
    """The funder sends a return back with reasons; the beneficiary is told.

    Raises:
        NotAllowed: not the funder's. Refused: nothing was handed in, checked already, or no reason.
    """
    agreement, row = _held(row, "back", reason)
    access.require_funder(by, agreement, "claim.check", on)
    row.state, row.reason, row.checked_on, row.checked_label = "returned", reason.strip(), None, ""
    row.save()
    _record(
        row,
        "agreement.return_back",
        by=by,
        on=on,
        at=at,
        why=reason,
        before={"state": "submitted"},
        after={"state": "returned", "year": row.year},
    )
    messages.tell(agreement.beneficiary_id, "claim.submit", on, messages.return_back(row), agreement.case)
    return row
