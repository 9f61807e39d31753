"""The night's work on decisions: ends of appeals and of labels that are only kept, recalled to those concerned."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.urls import reverse

from jalon.core import outbox
from jalon.core.lang import T, speaking
from jalon.core.models import OutboxMessage
from jalon.decisions import messages, rules
from jalon.decisions.models import Line, Notice
from jalon.people.access import policy
from jalon.policy.faults import day_text


def nightly(*, on: dt.date) -> list[Any]:
    """Recall labels that end soon without a sequel and appeals that end soon; each once per label and delay."""
    if rules.part_of(policy()) is None:
        return []
    found = rules.parameter(policy(), "decisions.probation_told_before", on)
    before = sorted(found.value) if found else []
    told = _probations(on, before) + _appeals(on, before)
    return [T("{n} rappels de fins de label ou de recours", "{n} reminders of ends of labels or appeals", n=told)]


def _probations(on: dt.date, before: list[int]) -> int:
    told = 0
    kept = [k.code for k in rules.part_of(policy()).kinds if k.most_months or k.conditions]
    days = {on + dt.timedelta(days=n) for n in before}
    lines = list(
        Line.objects.filter(decision__state="decided", decision__known=False, kind__in=kept, until__in=days)
        .select_related("decision", "cluster", "label")
        .order_by("pk")
    )
    teams = messages.team_of([x.cluster_id for x in lines if x.cluster_id], on)
    for line in lines:
        told += _tell(
            line,
            [*teams.get(line.cluster_id, []), *messages._holding("decision.propose", on)],
            T("Fin de label proche : {c}", "End of a label near: {c}", c=line.name),
            T(
                "Le label de {c} n'est acquis que jusqu'au {d}. Aucune suite n'est encore décidée.\n\nDans Jalon : {u}\n",
                "The label of {c} is only held to {d}. No sequel is decided yet.\n\nIn Jalon: {u}\n",
                c=line.name,
                d=day_text(line.until),
                u=reverse("decision", args=[line.decision.slug]),
            ),
            on,
        )
    return told


def _appeals(on: dt.date, before: list[int]) -> int:
    told = 0
    if not before:
        return 0
    for notice in (
        Notice.objects.filter(appeal_until=on + dt.timedelta(days=before[0]), line__decision__known=False)
        .select_related("line__decision", "line__cluster")
        .order_by("pk")
    ):
        line = notice.line
        team = messages.team_of([line.cluster_id], on).get(line.cluster_id, []) if line.cluster_id else []
        told += _tell(
            line,
            team,
            T("Fin du délai de recours proche : {c}", "End of the delay to appeal near: {c}", c=line.name),
            T(
                "Un recours reste possible jusqu'au {d} inclus.\n\nDans Jalon : {u}\n",
                "An appeal stays possible to {d} included.\n\nIn Jalon: {u}\n",
                d=day_text(notice.appeal_until),
                u=reverse("decision", args=[line.decision.slug]),
            ),
            on,
        )
    return told


def _tell(line: Line, users: list[Any], subject: Any, body: Any, on: dt.date) -> int:
    """One message to each, once a day: the night's work may run any number of times."""
    sent = 0
    for user in {u.pk: u for u in users}.values():
        with speaking(user.language or "fr"):
            already = OutboxMessage.objects.filter(
                to=user.email, case=line.decision.case, subject=str(subject)[:255], created_at__date=on
            )
            if not already.exists():
                outbox.post(user.email, str(subject), str(body), case=line.decision.case)
                sent += 1
    return sent
