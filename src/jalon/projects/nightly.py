"""The night's work of projects: yearly reports opened, reminders of reports and of outcomes."""

from __future__ import annotations

import datetime as dt

from jalon.core.lang import T, Text
from jalon.core.models import OutboxMessage
from jalon.projects import following, messages, queries
from jalon.projects.models import YearReport


def nightly(on: dt.date) -> list[Text]:
    """Open reports and remind; safe to run at any time and any number of times. Returns what was done."""
    opened = following.open_reports(on=on)
    reminded = _remind_reports(on) + _remind_outcomes(on)
    return [
        T(
            "{n} comptes rendus de projets ouverts, {m} rappels de projets",
            "{n} project reports opened, {m} project reminders",
            n=opened,
            m=reminded,
        )
    ]


def _remind_reports(on: dt.date) -> int:
    done = 0
    for before in queries.parameter("reminders_before", on) or ():
        rows = YearReport.objects.filter(
            state__in=["open", "returned"], due_on=on + dt.timedelta(days=before), simulated=False
        ).select_related("project")
        for report in rows:
            subject = messages.report_subject(report, before)
            said = [subject.in_language("fr")[:255], subject.in_language("en")[:255]]
            if not OutboxMessage.objects.filter(case=report.project.case, subject__in=said).exists():
                messages.year_report_due(report, on, before)
                done += 1
    return done


def _remind_outcomes(on: dt.date) -> int:
    """Once a year, on the first night of February or after, for each finished project of which nothing was declared."""
    if on.month < 2:
        return 0
    done = 0
    for project, year in following.lacking_outcomes(on):
        if project.simulated or OutboxMessage.objects.filter(case=project.case, subject__contains=str(year)).exists():
            continue
        messages.outcomes_due(project, year, on)
        done += 1
    return done
