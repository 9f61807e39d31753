"""Reads of observed values: what is published, what is in work, their history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q, QuerySet

from jalon.core.models import as_known_on
from jalon.indicators import states
from jalon.indicators.models import Observation

PUBLIC, PARTY, OWN = "public", "party", "own"
"""How much a reader sees: validated values; also submitted and returned ones; also drafts."""


def seen_by(sight: str) -> Q:
    """The states that a reader of that sight may read."""
    if sight == OWN:
        return Q()
    if sight == PARTY:
        return ~Q(state=states.DRAFT)
    return Q(state=states.VALIDATED)


def values(
    clusters: Collection[int] | int, codes: Iterable[str], *, sight: str = PUBLIC, known_on: dt.date | None = None
) -> QuerySet[Observation]:
    """The versions that stand today (or stood on ``known_on``), oldest period first.

    Where a correction is in work beside the published value, both are there: the published one comes first.
    """
    ids = [clusters] if isinstance(clusters, int) else list(clusters)
    found = Observation.objects.filter(seen_by(sight), cluster_id__in=ids, indicator__in=list(codes))
    return as_known_on(found, known_on).order_by("period_end", "id")


def latest(observations: Iterable[Observation]) -> dict[tuple[Any, ...], Observation]:
    """One observation for each (cluster, indicator, breakdown, period end): the one in work before the published one."""
    out: dict[tuple[Any, ...], Observation] = {}
    for one in observations:
        key = (one.cluster_id, one.indicator, one.breakdown, one.period_end)
        held = out.get(key)
        if held is None or held.state == states.VALIDATED:
            out[key] = one
    return out


def history(cluster: int, code: str, period_end: dt.date | None = None, *, sight: str = PUBLIC) -> list[Observation]:
    """Every version of a value, oldest first: who said what, when, and why it changed.

    A reader sees the versions that were at some time in a state that they may read.
    """
    found = Observation.objects.filter(seen_by(sight), cluster_id=cluster, indicator=code, breakdown="")
    if period_end is not None:
        found = found.filter(period_end=period_end)
    return list(found.select_related("evidence").order_by("period_end", "recorded_at", "id"))
