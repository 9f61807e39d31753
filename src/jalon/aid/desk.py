"""What State aid brings to the desk of whoever signs in: awards to publish, names of cases, what a search finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import CharField, Q, Value
from django.db.models.functions import Concat
from django.urls import reverse

from jalon.aid import access, queries, states
from jalon.clusters.models import Carrier, Cluster
from jalon.core.lang import T
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.people.tasks import Task

SHOWN = 50
"""Most tasks that a home page lists."""
SOON = dt.timedelta(days=14)


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """The awards that must be published (article 9), for those who record them."""
    if not actor.can("aid.record") or policy().part("aid") is None:
        return []
    found = []
    for award, verdict in queries.to_publish(access.visible_to(actor), day)[:SHOWN]:
        due = verdict.due_on
        light = "not_yet_due"
        if due is not None:
            light = "late" if due < day else "at_risk" if due - day <= SOON else "not_yet_due"
        found.append(
            Task(
                T("Publier l'aide à {o}", "Publish the aid to {o}", o=award.beneficiary.name),
                reverse("aid-award", args=[award.pk]),
                due,
                light,
                "",
                f"aid:{award.beneficiary_id}",
                since=award.granted_on,
                explained=verdict.why,
            )
        )
    return found


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """The journal's rows on aid that the actor may read: all for the State's keepers, its own for an organisation."""
    if actor.mandate_id is None:
        return None
    if access.reads_all(actor):
        return Q(case__startswith="aid:") | Q(case__startswith="aid-cluster:")
    if actor.organisation_id is None or actor.side == "public":
        return None
    mine = Q(case=f"aid:{actor.organisation_id}")
    if actor.side == "governance":
        carried = Carrier.objects.filter(organisation_id=actor.organisation_id, ends_on__isnull=True)
        names = carried.annotate(case=Concat(Value("aid-cluster:"), "cluster__slug", output_field=CharField()))
        mine |= Q(case__in=names.values("case"))
    return mine


def case_titles(cases: Iterable[str]) -> dict[str, tuple[Any, str]]:
    """Names and addresses of the sheets of aid in the journal."""
    ids, slugs = set(), set()
    for case in cases:
        kind, _, key = case.partition(":")
        if kind == "aid" and key.isdecimal():
            ids.add(int(key))
        elif kind == "aid-cluster":
            slugs.add(key)
    found: dict[str, tuple[Any, str]] = {}
    if ids:
        for pk, name in Organisation.objects.filter(pk__in=ids).values_list("pk", "name"):
            found[f"aid:{pk}"] = (T("Aides de {o}", "Aid of {o}", o=name), reverse("aid-organisation", args=[pk]))
    if slugs:
        for slug, name in Cluster.objects.filter(slug__in=slugs).values_list("slug", "name"):
            found[f"aid-cluster:{slug}"] = (
                T("Aides propres de {c}", "Own aid of {c}", c=name),
                reverse("aid-cluster", args=[slug]),
            )
    return found


def found(actor: Actor, day: dt.date, q: str, limit: int) -> list[tuple[Any, int, list[Any], str]]:
    """Awards that a search finds among those that the actor may read."""
    if actor.mandate_id is None or not q.strip():
        return []
    rows = access.visible_to(actor).filter(
        Q(number__iexact=q.strip()) | Q(title__icontains=q) | Q(beneficiary__name__icontains=q)
    )
    total = rows.count()
    if not total:
        return []
    listed = [
        (
            row.title or str(T("Aide n° {n}", "Award no. {n}", n=row.pk)),
            f"{row.beneficiary.name} · {states.BASES[row.base]}",
            reverse("aid-award", args=[row.pk]),
            row.simulated,
        )
        for row in rows.select_related("beneficiary").order_by("-granted_on", "-pk")[:limit]
    ]
    more = reverse("aid-ledger") if actor.can("aid.read") else reverse("aid-organisation", args=[actor.organisation_id])
    return [(T("Aides", "Awards"), total, listed, more)]
