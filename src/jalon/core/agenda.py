"""A point that asks to be put on a committee's agenda (*ordre du jour*): the shape in which every package says it.

A package that has something for committees defines ``agenda.py`` with ``items_for(committee, day) -> list[Point]`` or, to
answer for many at once with a constant number of queries, ``items_for_many(committees, day) -> dict[pk, list[Point]]``.
What it may rely on of a committee: ``pk``, ``kind``, ``scope`` (cluster, region, national, thematic), ``region_code`` and
``cluster_ids`` (the clusters it is about; empty at the national level: all of them).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Detail:
    """One of the things behind a point: what, why, under which light, where; ``key`` names it for good."""

    key: str
    title: Any
    text: Any = ""
    light: str = "unknown"
    url: str = ""


@dataclass(frozen=True)
class Point:
    """Why a subject is on the agenda.

    Attributes:
        key: names the subject for good (``contract:x``), so that a point dropped once is known again.
        title: what it is about, one line.
        kind: what is asked of the committee: information, discussion, opinion, decision.
        rule: the rule that puts it there, one sentence.
        figures: what was counted, by name.
        light: a word of the house's lights.
        case: the journal's case it belongs to; ``url`` where to read it.
        due_on: the day that matters, if there is one.
        cluster: primary key of the cluster it is about.
        details: the things behind it, the worst first.
        parameter: path in the policy of the delay or threshold used.
    """

    key: str
    title: Any
    kind: str = "discussion"
    rule: Any = ""
    figures: dict[Any, Any] = field(default_factory=dict)
    light: str = "unknown"
    case: str = ""
    url: str = ""
    due_on: dt.date | None = None
    cluster: int | None = None
    details: tuple[Detail, ...] = ()
    parameter: str = ""
    simulated: bool = False
