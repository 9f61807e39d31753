"""``funding.yaml``: instalment plans, observed delays, and where relay finance is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.reader import Node
from jalon.policy.schema import Sourced
from jalon.policy.shapes import (
    Key,
    Reading,
    code,
    day,
    many,
    natural,
    number,
    one_of,
    quoted,
    record,
    string,
    text,
)

INSTALMENT_KINDS = ("advance", "intermediate", "balance")
OBSERVED = ("award_to_payment", "relay_gain")


@dataclass(frozen=True)
class PlanPart:
    """An instalment of a plan: its kind, its share of the agreement in percent, when it falls due, on what condition.

    ``months``: after the start of the work; None when an event decides alone.
    """

    kind: str
    percent: Decimal
    condition: Text
    months: int | None = None


@dataclass(frozen=True, kw_only=True)
class Plan(Sourced):
    """A suggestion of instalments (*échéancier*); an agreement's own plan is typed, whatever the suggestion."""

    code: str
    title: Text
    valid_from: date
    valid_to: date | None
    instalments: tuple[PlanPart, ...]


@dataclass(frozen=True, kw_only=True)
class Observed(Sourced):
    """A delay that somebody observed and published: never a rule, only something to compare with."""

    code: str
    about: str
    title: Text
    months_from: int
    months_to: int
    on: date | None


@dataclass(frozen=True, kw_only=True)
class RelayRegion(Sourced):
    """A region in which relay finance (*financement relais*) is open, from a day (to a day)."""

    region_set: str
    region: str
    since: date
    until: date | None


def _plan(built: Plan, node: Node, reading: Reading) -> None:
    total = sum(part.percent for part in built.instalments)
    if total != 100:
        reading.fault(
            node.get("instalments") or node,
            T("{n} % au total", "{n}% in total", n=total),
            T("des parts qui font 100 %", "shares that make 100%"),
        )


def _observed(built: Observed, node: Node, reading: Reading) -> None:
    if built.months_to < built.months_from:
        reading.fault(
            node,
            T("{a} à {b} mois", "{a} to {b} months", a=built.months_from, b=built.months_to),
            T("months_to au moins égal à months_from", "months_to not below months_from"),
        )


def _region(built: RelayRegion, node: Node, reading: Reading) -> None:
    if built.until is not None and built.until < built.since:
        reading.fault(
            node.get("until") or node,
            T("{d}", "{d}", d=built.until.isoformat()),
            T("un jour qui ne précède pas since", "a day not before since"),
        )


PART = record(
    PlanPart,
    {
        "kind": Key(one_of(INSTALMENT_KINDS)),
        "percent": Key(number),
        "condition": Key(text),
        "months": Key(natural, None),
    },
)
PLAN = record(
    Plan,
    {
        "code": Key(code),
        "title": Key(text),
        "valid_from": Key(day),
        "valid_to": Key(day, None),
        "instalments": Key(many(PART, least=1)),
    },
    sourced=True,
    check=_plan,
)
OBSERVATION = record(
    Observed,
    {
        "code": Key(code),
        "about": Key(one_of(OBSERVED)),
        "title": Key(text),
        "months_from": Key(natural),
        "months_to": Key(natural),
        "on": Key(day, None),
    },
    sourced=True,
    check=_observed,
)
RELAY_REGION = record(
    RelayRegion,
    {
        "region_set": Key(code),
        "region": Key(string),
        "since": Key(day),
        "until": Key(day, None),
    },
    sourced=True,
    check=_region,
)

KEYS = {
    "plans": Key(many(PLAN, unique="code"), ()),
    "observed": Key(many(OBSERVATION, unique="code"), ()),
    "relay_regions": Key(many(RELAY_REGION), ()),
}


def cross(part: SimpleNamespace, others: dict[str, dict[str, Any]], fault: Any) -> None:
    """Regions of the relay are regions of a set of ``territories.yaml``."""
    sets = others.get("territories", {}).get("region_sets", ())
    if not isinstance(sets, tuple):
        return
    known = {s.code: {r.code for r in s.regions} for s in sets}
    for row in part.relay_regions:
        place = f"relay_regions.{row.region}"
        if row.region_set not in known:
            fault(
                row,
                place,
                T("le découpage « {s} »", "the set of regions “{s}”", s=row.region_set),
                T("l’un de {k}", "one of {k}", k=quoted(sorted(known))),
            )
        elif row.region not in known[row.region_set]:
            fault(
                row,
                place,
                T("la région « {r} »", "the region “{r}”", r=row.region),
                T("une région de « {s} »", "a region of “{s}”", s=row.region_set),
            )
