"""What the money of projects asks of committees: agreements not signed, claims that wait, payments suspended."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet
from django.urls import reverse

from jalon.core.agenda import Detail, Point
from jalon.core.lang import T
from jalon.funding import rules, states
from jalon.funding.models import Agreement, Claim
from jalon.people.access import policy

SHOWN = 30
LONG = dt.timedelta(days=90)
"""Where no text fixes a delay, what waits longer than three months is put before the committee (Jalon's choice)."""


def items_for_many(committees: Sequence[Any], day: dt.date) -> dict[int, list[Point]]:
    """Points of each committee on the projects that its clusters lead; three queries.

    Only what both sides of an agreement know already: its number, its state, how long it has waited.
    """
    clusters = sorted({c for one in committees for c in one.cluster_ids})
    if not clusters or policy().part("funding") is None:
        return {}
    labelled = {
        "project__labels__cluster_id__in": clusters,
        "project__labels__lead": True,
        "project__labels__outcome__in": ("labelled", "conditions"),
        "project__labels__superseded_at__isnull": True,
    }
    agreements = Agreement.objects.filter(**labelled).select_related("project", "beneficiary")
    unsigned = _rows(agreements.filter(state__in=("draft", "sent"), awarded_on__lte=day).order_by("awarded_on", "pk"))
    suspended = _rows(agreements.filter(suspended_on__lte=day, state="running").order_by("suspended_on", "pk"))
    claims = (
        Claim.objects.filter(**{f"agreement__{k}": v for k, v in labelled.items()})
        .filter(state__in=[s for s in states.CLAIM_OPEN if s != "returned"], submitted_on__lte=day - LONG)
        .select_related("agreement__project", "agreement__beneficiary")
        .order_by("submitted_on", "pk")
    )
    waiting = _rows(claims, "agreement__")
    found: dict[int, list[Point]] = {}
    for one in committees:
        points = [
            point
            for cluster in one.cluster_ids
            for point in (
                _unsigned(cluster, unsigned.get(cluster, []), day),
                _claims(cluster, waiting.get(cluster, []), day),
                _suspended(cluster, suspended.get(cluster, [])),
            )
            if point is not None
        ]
        if points:
            found[one.pk] = points
    return found


def _rows(rows: QuerySet[Any], prefix: str = "") -> dict[int, list[Any]]:
    """The rows by lead cluster of their project."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows.annotate(lead_cluster=F(f"{prefix}project__labels__cluster_id")):
        found[row.lead_cluster].append(row)
    return found


def _point(
    key: str,
    title: Any,
    rule: Any,
    rows: list[Any],
    amount: Decimal,
    light: str,
    cluster: int,
    detail: Callable[[Any], Detail],
) -> Point:
    return Point(
        key=key,
        title=title,
        kind="discussion",
        rule=rule,
        figures={T("nombre", "number"): len(rows), T("montant (€)", "amount (€)"): amount},
        light=light,
        url=reverse("agreements"),
        cluster=cluster,
        details=tuple(detail(row) for row in rows[:SHOWN]),
        simulated=any(row.simulated for row in rows),
    )  # fmt: skip


def _agreement(row: Agreement, light: str, text: Any) -> Detail:
    title = T("{p}, {b} : {n}", "{p}, {b}: {n}", p=row.project.acronym, b=row.beneficiary.name, n=row.number)
    return Detail(f"agreement:{row.pk}", title, text, light, reverse("agreement", args=[row.pk]))


def _unsigned(cluster: int, rows: list[Agreement], day: dt.date) -> Point | None:
    """Agreements past the delay of signature, or announced longer ago than :data:`LONG` where no text gives a delay."""
    late = []
    for row in rows:
        limit = rules.agreement_deadline(policy(), row.awarded_on)
        if (limit.on is not None and limit.on < day) or (limit.on is None and row.awarded_on < day - LONG):
            late.append((row, "late" if limit.on else "at_risk"))
    if not late:
        return None
    lights = {row.pk: light for row, light in late}
    return _point(
        f"funding:{cluster}/unsigned",
        T("{n} convention(s) pas encore signée(s)", "{n} agreement(s) not signed yet", n=len(late)),
        T(
            "Des aides annoncées n'ont pas leur convention signée, au-delà du délai du texte ou de trois mois.",
            "Grants that were announced have no signed agreement, beyond the text's delay or three months.",
        ),
        [row for row, _ in late],
        sum((row.amount for row, _ in late), Decimal(0)),
        "late" if "late" in lights.values() else "at_risk",
        cluster,
        lambda row: _agreement(row, lights[row.pk], T("annoncée le {d}", "announced on {d}", d=row.awarded_on)),
    )


def _claims(cluster: int, rows: list[Claim], day: dt.date) -> Point | None:
    if not rows:
        return None

    def detail(row: Claim) -> Detail:
        text = T("déposée il y a {n} jours", "submitted {n} days ago", n=(day - row.submitted_on).days)
        return _agreement(row.agreement, "at_risk", text)

    return _point(
        f"funding:{cluster}/claims",
        T("{n} demande(s) de versement en attente", "{n} claim(s) for payment waiting", n=len(rows)),
        T(
            "Des demandes de versement attendent depuis plus de trois mois.",
            "Claims for payment have waited for more than three months.",
        ),
        rows,
        sum((row.amount for row in rows), Decimal(0)),
        "at_risk",
        cluster,
        detail,
    )


def _suspended(cluster: int, rows: list[Agreement]) -> Point | None:
    if not rows:
        return None
    return _point(
        f"funding:{cluster}/suspended",
        T("{n} convention(s) aux paiements suspendus", "{n} agreement(s) with payments suspended", n=len(rows)),
        T("Des paiements sont suspendus.", "Payments are suspended."),
        rows,
        sum((row.amount for row in rows), Decimal(0)),
        "late",
        cluster,
        lambda row: _agreement(row, "late", row.suspended_reason),
    )
