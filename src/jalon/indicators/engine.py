"""Calculation of indicators from measures, and keeping what was computed.

One engine for every page, export and report: a figure shown in two places is the same figure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from typing import Any

from django.db import transaction

from jalon.core import clock, journal
from jalon.core.canonical import decimal_text
from jalon.core.lang import T
from jalon.core.why import Why
from jalon.indicators import states
from jalon.indicators.models import Observation
from jalon.indicators.rules import fraction_of
from jalon.policy.formula import Formula, Measure as Named, Negative, Number, Operation, Tree
from jalon.programme import measuring as registry

_Answer = Callable[[Mapping[str, Any]], Any]


@lru_cache(maxsize=1024)
def _compiled(formula: Formula) -> _Answer:
    return _closure(formula.tree)


@lru_cache(maxsize=1024)
def _fraction(formula: Formula) -> tuple[_Answer, _Answer] | None:
    found = fraction_of(formula)
    return (_closure(found[0]), _closure(found[1])) if found else None


def _closure(tree: Tree) -> _Answer:
    """The formula as nested functions: the same meaning as ``Formula.evaluate``, several times faster."""
    if isinstance(tree, Number):
        value = tree.value
        return lambda measures: value
    if isinstance(tree, Named):
        name = tree.name
        return lambda measures: measures.get(name)
    if isinstance(tree, Negative):
        inner = _closure(tree.of)

        def negative(measures):
            found = inner(measures)
            return None if found is None else -found

        return negative
    assert isinstance(tree, Operation)
    left, right, sign = _closure(tree.left), _closure(tree.right), tree.sign

    def operate(measures):
        a = left(measures)
        if a is None:
            return None
        b = right(measures)
        if b is None:
            return None
        if sign == "+":
            return a + b
        if sign == "-":
            return a - b
        if sign == "*":
            return a * b
        return None if b == 0 else Decimal(a) / Decimal(b)

    return operate


@dataclass(slots=True)
class Computed:
    """A computed figure: its value, what it is made of, and where it comes from.

    ``value`` is None when a measure is unknown. ``breakdowns``: "type=sme" → value.
    """

    indicator: Any
    cluster: int
    value: Decimal | None
    measures: Mapping[str, Any]
    definition_version: str
    period_start: dt.date
    period_end: dt.date
    known_on: dt.date | None = None
    breakdowns: dict[str, Decimal | None] = field(default_factory=dict)

    @property
    def numerator(self) -> Decimal | None:
        return self._part(0)

    @property
    def denominator(self) -> Decimal | None:
        return self._part(1)

    def _part(self, place: int) -> Decimal | None:
        formula = self.indicator.formula
        both = _fraction(formula) if formula else None
        found = both[place](self.measures) if both else None
        return None if found is None else Decimal(found)

    @property
    def inputs(self) -> dict[str, Any]:
        """The measures that this figure uses, by name."""
        return {name: self.measures.get(name) for name in self.indicator.measures}

    @property
    def explanation(self) -> Why:
        return explain(
            self.indicator,
            self.inputs,
            self.period_end,
            value=self.value,
            version=self.definition_version,
            known_on=self.known_on,
        )

    def stored(self) -> dict[str, Any]:
        """The explanation as it is kept with the observation: formula, measures, day of the policy."""
        return {
            "formula": self.indicator.formula.source if self.indicator.formula else "",
            "measures": {k: None if v is None else decimal_text(Decimal(v)) for k, v in self.inputs.items()},
            "definition": self.definition_version,
            "policy_day": self.period_end.isoformat(),
            "known_on": self.known_on.isoformat() if self.known_on else None,
        }


def explain(
    indicator: Any,
    inputs: Mapping[str, Any],
    period_end: dt.date,
    *,
    value: Decimal | None,
    version: str = "",
    known_on: dt.date | None = None,
    links: tuple[tuple[Any, str], ...] = (),
) -> Why:
    """Why a computed figure is what it is: definition, formula, measures."""
    definition = indicator.definition_on(period_end)
    names = registry.known_measures()
    shown = {str(names[n].shown) if n in names else n: v for n, v in inputs.items()}
    steps: list[Any] = []
    unknown = [str(names[n].shown) if n in names else n for n, v in inputs.items() if v is None]
    if unknown:
        steps.append(T("Inconnu, faute de : {what}.", "Unknown, for want of: {what}.", what=", ".join(unknown)))
    elif value is None and inputs:
        steps.append(
            T(
                "Le dénominateur est zéro : le rapport n'a pas de valeur.",
                "The denominator is zero: the ratio has no value.",
            )
        )
    if known_on:
        steps.append(T("Tel que connu le {day}.", "As known on {day}.", day=known_on.isoformat()))
    return Why(
        rule=definition.text if definition else indicator.title,
        reference=(definition.reference if definition else indicator.reference) or "",
        url=(definition.url if definition else indicator.url) or "",
        reading=bool(definition and definition.reading),
        to_confirm=bool(definition and definition.to_confirm),
        day=period_end,
        value=None if value is None else value,
        formula=indicator.formula.source if indicator.formula else "",
        inputs=shown,
        steps=tuple(steps),
        links=links,
    )


def is_computed(indicator: Any) -> bool:
    """Whether the records can tell this indicator (it has a formula, for itself or for its breakdowns)."""
    return indicator.source == "computed" and bool(indicator.measures)


def compute(
    indicators: Iterable[Any],
    clusters: Collection[int] | None,
    period_start: dt.date,
    period_end: dt.date,
    known_on: dt.date | None = None,
) -> dict[tuple[int, str], Computed]:
    """Every indicator of every cluster for a period: ``(cluster id, indicator code)`` → figure.

    ``indicators`` are those of the policy's catalogue; the ones without a formula are left out.
    ``clusters``: ids, or None for all those that records speak of. ``known_on``: as the records were known then.
    The number of queries depends on the measures used, never on the number of clusters or indicators.
    """
    chosen = [i for i in indicators if is_computed(i)]
    names = dict.fromkeys(m for i in chosen for m in i.measures)
    found = registry.read(names, clusters, period_start, period_end, known_on) if names else {}
    if clusters is not None:
        found = {c: found.get(c, {}) for c in clusters}
    out: dict[tuple[int, str], Computed] = {}
    with localcontext() as context:
        context.prec = 28
        for indicator in chosen:
            definition = indicator.definition_on(period_end)
            version = definition.version if definition else ""
            places = (
                Decimal(1).scaleb(-max(indicator.decimals, 2)) if indicator.decimals is not None else Decimal("0.01")
            )
            main = _compiled(indicator.formula) if indicator.formula else None
            parts = [
                (f"{b.code}={v.code}", _compiled(v.formula))
                for b in indicator.breakdowns
                for v in b.values
                if v.formula
            ]
            for cluster, measured in found.items():
                one = Computed(
                    indicator,
                    cluster,
                    _rounded(main(measured), places) if main else None,
                    measured,
                    version,
                    period_start,
                    period_end,
                    known_on,
                )
                if parts:
                    one.breakdowns = {key: _rounded(part(measured), places) for key, part in parts}
                out[cluster, indicator.code] = one
    return out


def _rounded(value: Any, places: Decimal) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, int):
        return Decimal(value)
    return value.quantize(places, rounding=ROUND_HALF_UP)


def store_computed(
    round: Any,
    indicators: Iterable[Any],
    clusters: Collection[int],
    *,
    on: dt.date,
    by: Any = journal.SYSTEM,
    at: dt.datetime | None = None,
    state: str = states.VALIDATED,
    simulated: bool = False,
) -> int:
    """Keep what the records tell for a round's period; a new version only where the value changed.

    Returns the number of new versions. A constant number of queries, whatever the number of clusters.
    """
    at = at or clock.stamp(on)
    computed = compute(indicators, clusters, round.period_start, round.period_end)
    codes = {code for _, code in computed}
    if not computed:
        return 0
    with transaction.atomic():
        current = {
            (o.cluster_id, o.indicator, o.breakdown): o
            for o in Observation.objects.filter(
                cluster_id__in=list(clusters),
                indicator__in=codes,
                period_end=round.period_end,
                superseded_at__isnull=True,
                origin="computed",
            ).order_by("state")  # a validated one comes last and wins
        }
        replaced, new = [], []
        for (cluster, code), figure in computed.items():
            stored = None
            for breakdown, value in ({"": figure.value} | figure.breakdowns).items():
                old = current.get((cluster, code, breakdown))
                if old is not None and old.value == value and (old.state == state or old.state == states.VALIDATED):
                    continue
                if old is None and value is None and breakdown:
                    continue
                stored = stored or figure.stored()
                if old is not None and old.state == state:
                    replaced.append(old.pk)
                new.append(
                    Observation(
                        cluster_id=cluster,
                        indicator=code,
                        breakdown=breakdown,
                        definition_version=figure.definition_version or "1",
                        period_start=round.period_end
                        if figure.indicator.period_type == "stock"
                        else round.period_start,
                        period_end=round.period_end,
                        value=value,
                        numerator=None if breakdown else figure.numerator,
                        denominator=None if breakdown else figure.denominator,
                        unit=figure.indicator.unit,
                        origin="computed",
                        state=state,
                        version=old.version + 1
                        if old is not None and old.value != value
                        else old.version
                        if old
                        else 1,
                        explanation=stored,
                        round=round,
                        recorded_at=at,
                        user_id_by=by.user_id,
                        user_label=by.user_label or "",
                        simulated=simulated,
                    )
                )
        for start in range(0, len(replaced), 500):
            Observation.objects.filter(pk__in=replaced[start : start + 500]).update(superseded_at=at)
        Observation.objects.bulk_create(new, batch_size=500)
        if new:
            journal.record(
                f"round:{round.programme}/{round.code}",
                "indicators.compute",
                by=by,
                on=on,
                at=at,
                after={"clusters": len(set(clusters)), "versions": len(new), "state": state},
            )
    return len(new)


@dataclass(frozen=True)
class National:
    """An indicator over all clusters: the sum, and each organisation counted once where that can be told.

    ``known`` of ``asked`` clusters have a value: the rest is unknown, not zero.
    """

    indicator: Any
    total: Decimal | None
    once: Decimal | None
    median: Decimal | None
    known: int
    asked: int
    explanation: Why


def national(
    indicators: Iterable[Any],
    clusters: Collection[int],
    period_start: dt.date,
    period_end: dt.date,
    known_on: dt.date | None = None,
) -> list[National]:
    """Computed indicators over all the clusters given.

    An organisation that is a member of two clusters counts twice in the sum and once in ``once``. A ratio is
    computed from the sums of its measures, never as the mean of the clusters' ratios.
    """
    chosen = [i for i in indicators if is_computed(i)]
    each = compute(chosen, clusters, period_start, period_end, known_on)
    names = list(dict.fromkeys(m for i in chosen for m in i.measures))
    sums: dict[str, Any] = {}
    seen: set[int] = set()
    for figure in each.values():
        if figure.cluster in seen:
            continue
        seen.add(figure.cluster)
        for name in names:
            value = figure.measures.get(name)
            if value is not None:
                sums[name] = sums.get(name, 0) + value
    once = registry.read_counted_once(names, clusters, period_start, period_end, known_on)
    out = []
    for indicator in chosen:
        values = sorted(v for c in clusters if (v := each[c, indicator.code].value) is not None)
        main = _compiled(indicator.formula) if indicator.formula else None
        places = Decimal(1).scaleb(-max(indicator.decimals or 0, 2))
        total = _rounded(main(sums), places) if main else None
        single = None
        if main and all(m in once for m in indicator.measures):
            single = _rounded(main(once), places)
        out.append(
            National(
                indicator=indicator,
                total=total,
                once=single,
                median=_median(values),
                known=len(values),
                asked=len(clusters),
                explanation=explain(
                    indicator,
                    {n: sums.get(n) for n in indicator.measures}
                    | {
                        f"{n} ({T('comptés une fois', 'counted once')})": once[n]
                        for n in indicator.measures
                        if n in once
                    },
                    period_end,
                    value=total,
                    known_on=known_on,
                ),
            )
        )
    return out


def _median(values: list[Decimal]) -> Decimal | None:
    if not values:
        return None
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
