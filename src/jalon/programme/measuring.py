"""Measures (*mesures*): what each package can count, under the names that formulas of the policy use.

A package writes its measures in its ``measures.py``; they are found when the first one is asked for, so
that the engine, low in the house, knows no domain::

    @measures(
        Measure("clusters.members", unit="count", time="stock"),
        Measure("clusters.members_sme", unit="count", time="stock"),
    )
    def members(clusters, period_start, period_end, known_on=None):
        return {cluster_id: {"clusters.members": 187, "clusters.members_sme": 107}}

``clusters`` is a collection of ids or None for all. A cluster of which nothing is recorded is absent from
the answer, or has None: unknown is never zero. Several measures of one table share one query.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.vocabulary import MEASURES

Reader = Callable[..., Mapping[int, Any]]


@dataclass(frozen=True)
class Measure:
    """One measure. ``time``: stock (on the last day), flow (within the period), cumulated (up to its last day).

    ``link`` names the page that lists what was counted (its address takes the cluster's slug).
    ``note`` says what is counted, for the page of the calculation.
    """

    name: str
    unit: str
    time: str
    grain: str = "cluster"
    title: Text | None = None
    note: Text | None = None
    link: str = ""

    @property
    def shown(self) -> Text:
        return self.title or MEASURES.get(self.name) or T(self.name, self.name)


@dataclass(frozen=True)
class Provider:
    """A function that answers several measures with one query."""

    names: tuple[str, ...]
    read: Reader
    single: bool = False
    distinct: bool = False


@dataclass
class _Registry:
    measures: dict[str, Measure] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    national: dict[str, Provider] = field(default_factory=dict)
    found: bool = False


_registry = _Registry()


def measures(*specs: Measure) -> Callable[[Reader], Reader]:
    """Register a function that answers several measures at once: cluster → name → value."""

    def register(function: Reader) -> Reader:
        provider = Provider(tuple(s.name for s in specs), function)
        for spec in specs:
            _add(spec, provider)
        return function

    return register


def measure(
    name: str,
    *,
    unit: str,
    time: str,
    grain: str = "cluster",
    title: Text | None = None,
    note: Text | None = None,
    link: str = "",
) -> Callable[[Reader], Reader]:
    """Register a function that answers one measure: cluster → value."""

    def register(function: Reader) -> Reader:
        _add(Measure(name, unit, time, grain, title, note, link), Provider((name,), function, single=True))
        return function

    return register


def counted_once(*names: str) -> Callable[[Callable[..., Mapping[str, Any]]], Callable[..., Mapping[str, Any]]]:
    """Register how measures are counted over all clusters without counting one organisation twice.

    The function takes the same arguments and answers name → value, for all the clusters together.
    """

    def register(function: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        for name in names:
            _registry.national[name] = Provider(names, function, distinct=True)
        return function

    return register


def _add(spec: Measure, provider: Provider) -> None:
    known = _registry.providers.get(spec.name)
    if known is not None and known.read.__qualname__ != provider.read.__qualname__:
        raise ValueError(f"the measure {spec.name} is registered twice")
    _registry.measures[spec.name] = spec
    _registry.providers[spec.name] = provider


def find() -> None:
    """Import the ``measures`` module of every package that has one (once)."""
    if _registry.found:
        return
    from django.apps import apps

    for config in apps.get_app_configs():
        if config.name.startswith("jalon.") and find_spec(f"{config.name}.measures"):
            importlib.import_module(f"{config.name}.measures")
    _registry.found = True


def known_measures() -> Mapping[str, Measure]:
    """Every measure that can be counted, by name."""
    find()
    return _registry.measures


def get(name: str) -> Measure:
    """A measure by name.

    Raises:
        KeyError: nothing counts a measure of that name.
    """
    return known_measures()[name]


def read(
    names: Iterable[str],
    clusters: Collection[int] | None,
    period_start: date,
    period_end: date,
    known_on: date | None = None,
) -> dict[int, dict[str, Any]]:
    """The values of measures: cluster → name → value. One call per provider, whatever the number of measures.

    Raises:
        KeyError: nothing counts a measure of that name.
    """
    find()
    wanted = dict.fromkeys(_registry.providers[name].read for name in names)
    by_reader = {p.read: p for p in _registry.providers.values()}
    out: dict[int, dict[str, Any]] = {}
    first = True
    for reader in wanted:
        provider = by_reader[reader]
        found = reader(clusters, period_start, period_end, known_on)
        if provider.single:
            name = provider.names[0]
            for cluster, value in found.items():
                out.setdefault(cluster, {})[name] = value
        elif first:
            out = dict(found)  # type: ignore[arg-type]
        else:
            for cluster, values in found.items():
                mine = out.get(cluster)
                if mine is None:
                    out[cluster] = values
                else:
                    mine.update(values)
        first = False
    return out


def read_counted_once(
    names: Iterable[str],
    clusters: Collection[int] | None,
    period_start: date,
    period_end: date,
    known_on: date | None = None,
) -> dict[str, Decimal | None]:
    """Measures over all clusters together, each organisation counted once; names that cannot be are absent."""
    find()
    out: dict[str, Decimal | None] = {}
    asked = [n for n in names if n in _registry.national]
    for reader in dict.fromkeys(_registry.national[n].read for n in asked):
        found = reader(clusters, period_start, period_end, known_on)
        out.update({n: found.get(n) for n in asked if _registry.national[n].read is reader})
    return out
