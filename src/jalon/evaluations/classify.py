"""Classification: from marks to a group, by the rule of a grid; how far the next group is; how stable the result is.

Pure functions of plain values. Shares and scores are exact fractions, so that a threshold met exactly is met everywhere the same.
A sub-question that is *set aside* (every finding behind it was withdrawn or put right) counts neither for nor against: nothing is
sanctioned on a settled point.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any

from jalon.policy.grids import COUNTED, SCORED, Criterion, Grid, Rule

SEED = 2008
"""Seed of the drawn weightings: the same marks give the same stability on every machine."""
FARTHEST = 8
"""Most steps of the scale that are tried to reach another group."""


def name(criterion: Criterion, question: Any) -> str:
    """``criterion/question``, as notes and findings name a sub-question."""
    return f"{criterion.code}/{question.code}"


def names(grid: Grid) -> list[str]:
    return [name(c, q) for c, q in grid.questions]


def thresholds_of(grid: Grid, policy_day: Any) -> dict[str, Any]:
    """The parameters that the grid's rules name, with their values on a day (``policy.on(day)``); None where none is in force."""
    found: dict[str, Any] = {}
    for rule in grid.rules:
        for value in rule.conditions.values():
            if isinstance(value, str):
                found[value] = policy_day.find(value)
    return found


@dataclass(frozen=True)
class Weights:
    """Weights of criteria and sub-questions; equal ones where none was published. ``assumed`` names what was changed or assumed."""

    criteria: Mapping[str, Fraction]
    questions: Mapping[str, Fraction]
    published: bool
    changed: tuple[str, ...] = ()


def weights_of(grid: Grid, changes: Mapping[str, Any] | None = None) -> Weights:
    """The weights of a grid; ``changes`` (what-if) replaces some by criterion or by ``criterion/question``."""
    changes = changes or {}
    criteria = {c.code: Fraction(c.weight if c.weight is not None else 1) for c in grid.criteria}
    questions = {name(c, q): Fraction(q.weight if q.weight is not None else 1) for c, q in grid.questions}
    for key, value in changes.items():
        (questions if "/" in key else criteria)[key] = Fraction(value)
    return Weights(criteria, questions, grid.weighted, tuple(changes))


@dataclass(frozen=True)
class Part:
    """What one criterion comes to. ``share`` of its points, 0 to 1; None when every sub-question is set aside."""

    criterion: Criterion
    share: Fraction | None
    failed: bool
    lines: tuple[tuple[str, str, Fraction, Fraction], ...]  # question, mark, points, weight
    aside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tried:
    """A rule, and each of its conditions: name, threshold, what was found, whether it holds."""

    rule: Rule
    conditions: tuple[tuple[str, Any, Any, bool], ...]

    @property
    def holds(self) -> bool:
        return all(c[3] for c in self.conditions)


@dataclass(frozen=True)
class Result:
    """The group that the rule gives, and everything it was reached by. ``group`` empty: no rule, or marks are missing."""

    group: str
    parts: tuple[Part, ...]
    tried: tuple[Tried, ...]
    score: Fraction | None
    unmet: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]  # parameters without a value in force
    weights: Weights
    aside: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(p.criterion.code for p in self.parts if p.failed)


def classify(
    grid: Grid,
    marks: Mapping[str, str],
    thresholds: Mapping[str, Any],
    *,
    aside: Collection[str] = (),
    weights: Weights | None = None,
) -> Result:
    """The group of these marks. ``thresholds``: parameter path → value (or None when none is in force)."""
    weights = weights or weights_of(grid)
    values = {path: getattr(found, "value", found) for path, found in thresholds.items()}
    missing = tuple(n for n in names(grid) if n not in aside and not marks.get(n))
    parts = tuple(_part(grid, c, marks, aside, weights) for c in grid.criteria)
    unmet = tuple(
        n for n in names(grid) if n not in aside and marks.get(n) and not grid.scale.mark(marks[n]).passes
    )  # fmt: skip
    score = _score(parts, weights)
    minimums = all(
        n in aside or not q.minimum or (marks.get(n) and grid.scale.mark(marks[n]).passes)
        for n, q in ((name(c, q), q) for c, q in grid.questions)
    )
    facts = {
        "failed": frozenset(p.criterion.code for p in parts if p.failed),
        "unmet": len(unmet),
        "score": score,
        "minimums": minimums,
    }
    tried: list[Tried] = []
    unknown: list[str] = []
    group = ""
    for rule in grid.rules:
        lines = []
        for condition, threshold in rule.conditions.items():
            if isinstance(threshold, str) and values.get(threshold) is None:
                unknown.append(threshold)
                continue
            value = values[threshold] if isinstance(threshold, str) else threshold
            found = _found(condition, facts)
            lines.append((condition, value, found, _holds(condition, value, facts)))
        tried.append(Tried(rule, tuple(lines)))
        if not group and not unknown and tried[-1].holds:
            group = rule.group
    if missing or unknown:
        group = ""
    return Result(group, parts, tuple(tried), score, unmet, missing, tuple(unknown), weights, tuple(aside))


def _part(grid: Grid, c: Criterion, marks: Mapping[str, str], aside: Collection[str], weights: Weights) -> Part:
    lines, out = [], []
    for q in c.questions:
        n = name(c, q)
        if n in aside:
            out.append(n)
        elif marks.get(n):
            lines.append((n, marks[n], Fraction(grid.scale.mark(marks[n]).points), weights.questions[n]))
    total = sum((w for *_, w in lines), Fraction(0))
    share = sum((p * w for *_, p, w in lines), Fraction(0)) / total if total else None
    failed = share is not None and c.passes_from is not None and share < Fraction(c.passes_from)
    return Part(c, share, failed, tuple(lines), tuple(out))


def _score(parts: Iterable[Part], weights: Weights) -> Fraction | None:
    counted = [(p.share, weights.criteria[p.criterion.code]) for p in parts if p.share is not None]
    total = sum((w for _, w in counted), Fraction(0))
    return sum((s * w for s, w in counted), Fraction(0)) / total if total else None


def _found(condition: str, facts: Mapping[str, Any]) -> Any:
    if condition in ("failed_at_least", "failed_at_most"):
        return len(facts["failed"])
    if condition in COUNTED:
        return facts["unmet"]
    if condition in SCORED:
        return facts["score"]
    return facts["minimums"] if condition == "minimums_met" else sorted(facts["failed"])


def _holds(condition: str, value: Any, facts: Mapping[str, Any]) -> bool:
    found = _found(condition, facts)
    if condition == "minimums_met":
        return bool(found)
    if condition == "failed":
        return set(value) <= set(found)
    if found is None:
        return False
    if condition in SCORED:
        value = Fraction(value)
        return found >= value if condition == "score_at_least" else found < value
    return found >= value if condition.endswith("at_least") else found <= value


def _group_of(grid: Grid, facts: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    for rule in grid.rules:
        if all(
            _holds(condition, values[threshold] if isinstance(threshold, str) else threshold, facts)
            for condition, threshold in rule.conditions.items()
        ):
            return rule.group
    return ""


# -- distance ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Distance:
    """The fewest steps of the scale that lead to another group, and one way to make them."""

    group: str
    steps: int
    path: tuple[tuple[str, str, str], ...]  # question, mark, next mark


def distance(
    grid: Grid,
    marks: Mapping[str, str],
    thresholds: Mapping[str, Any],
    order: Sequence[str],
    *,
    aside: Collection[str] = (),
    up: bool = True,
) -> Distance | None:
    """How many single steps of the scale part these marks from a better group (``up``) or from a worse one.

    ``order``: the groups, the best first. None: no such group, marks are missing, or it lies farther than :data:`FARTHEST` steps.
    """
    now = classify(grid, marks, thresholds, aside=aside)
    if not now.group or now.group not in order:
        return None
    place = order.index(now.group)
    wanted = set(order[:place]) if up else set(order[place + 1 :])
    if not wanted:
        return None
    values = {path: getattr(found, "value", found) for path, found in thresholds.items()}
    scores = any(c in SCORED for r in grid.rules for c in r.conditions)
    ladder = [m.code for m in grid.scale.marks]
    layers: list[dict[Any, tuple[tuple[str, str, str], ...]]] = [{(frozenset(), 0, True, Fraction(0) if scores else None): ()}]  # fmt: skip
    weights = now.weights
    total = sum((weights.criteria[p.criterion.code] for p in now.parts if p.share is not None), Fraction(0))
    for part in now.parts:
        options = _options(grid, part, marks, ladder, up, scores, weights, total)
        merged: list[dict[Any, tuple[tuple[str, str, str], ...]]] = []
        for spent, layer in enumerate(layers):
            for k, found in enumerate(options):
                d = spent + k
                if d > FARTHEST:
                    break
                while len(merged) <= d:
                    merged.append({})
                for (failed, unmet, minimums, score), path in layer.items():
                    for (f, u, m, s), more in found.items():
                        key = (failed | f, unmet + u, minimums and m, None if score is None else score + s)
                        merged[d].setdefault(key, path + more)
        layers = merged
        if sum(len(layer) for layer in layers) > 50_000:
            return None
    for d, layer in enumerate(layers[1:], 1):
        best: Distance | None = None
        for (failed, unmet, minimums, score), path in layer.items():
            facts = {"failed": failed, "unmet": unmet, "minimums": minimums, "score": score}
            group = _group_of(grid, facts, values)
            if group in wanted and (best is None or order.index(group) < order.index(best.group)):
                best = Distance(group, d, path)
        if best is not None:
            return best
    return None


def _options(
    grid: Grid,
    part: Part,
    marks: Mapping[str, str],
    ladder: Sequence[str],
    up: bool,
    scores: bool,
    weights: Weights,
    total: Fraction,
) -> list[dict[Any, tuple[tuple[str, str, str], ...]]]:
    """What a criterion can come to after 0, 1, 2… steps: (failed, unmet, minimums, part of the score) → one way to get there."""
    c = part.criterion
    asked = [q for q in c.questions if name(c, q) not in part.aside]
    start = tuple(ladder.index(marks[name(c, q)]) for q in asked)
    points = [Fraction(m.points) for m in grid.scale.marks]
    passes = [m.passes for m in grid.scale.marks]
    share_of = [weights.questions[name(c, q)] for q in asked]
    whole = sum(share_of, Fraction(0))
    step = 1 if up else -1
    seen = {start: ()}
    layer: dict[tuple[int, ...], tuple[tuple[str, str, str], ...]] = {start: ()}
    found = []
    for _ in range(FARTHEST + 1):
        outcomes: dict[Any, tuple[tuple[str, str, str], ...]] = {}
        for state, path in layer.items():
            share = sum((points[i] * w for i, w in zip(state, share_of, strict=True)), Fraction(0)) / whole if whole else None  # fmt: skip
            failed = share is not None and c.passes_from is not None and share < Fraction(c.passes_from)
            key = (
                frozenset([c.code]) if failed else frozenset(),
                sum(not passes[i] for i in state),
                all(passes[i] or not q.minimum for i, q in zip(state, asked, strict=True)),
                share * weights.criteria[c.code] / total if scores and share is not None else Fraction(0) if scores else None,
            )  # fmt: skip
            outcomes.setdefault(key, path)
        found.append(outcomes)
        following: dict[tuple[int, ...], tuple[tuple[str, str, str], ...]] = {}
        for state, path in layer.items():
            for i, q in enumerate(asked):
                if 0 <= state[i] + step < len(ladder):
                    moved = (*state[:i], state[i] + step, *state[i + 1 :])
                    if moved not in seen:
                        seen[moved] = ()
                        following[moved] = (*path, (name(c, q), ladder[state[i]], ladder[state[i] + step]))
        if not following or len(seen) > 3000:
            break
        layer = following
    return found


# -- stability --------------------------------------------------------------------------------


class Weightings:
    """Many weightings drawn within the grid's bounds, the same for every cluster; :meth:`groups` counts what they lead to.

    Weights are whole numbers (thousandths of an equal or published weight), so that comparing a criterion's share with its
    threshold is exact. What a criterion comes to under each weighting is kept by its marks: many clusters share it. Which
    weightings fail a criterion is one large integer, a bit for each, and rules that count failures work on these.
    """

    def __init__(self, grid: Grid, draws: int, seed: int = SEED):
        self.grid, self.draws, self.seed = grid, draws, seed
        bounds = grid.bounds
        low, high = (Fraction(bounds.low), Fraction(bounds.high)) if bounds else (Fraction(1), Fraction(1))
        base = weights_of(grid)
        rng = random.Random(seed)
        self.scores = any(c in SCORED for r in grid.rules for c in r.conditions)
        drawn = lambda w: _drawn(rng, w, low, high, draws)  # noqa: E731
        self.questions = {n: drawn(base.questions[n]) for n in names(grid)}
        self.criteria = {c.code: drawn(base.criteria[c.code]) for c in grid.criteria} if self.scores else {}
        self.all = (1 << draws) - 1
        self._failing: dict[Any, int] = {}
        self._shares: dict[Any, list[float]] = {}
        scale = [Fraction(m.points) for m in grid.scale.marks]
        self._unit = lcm(*(p.denominator for p in scale))
        self._points = {m.code: int(Fraction(m.points) * self._unit) for m in grid.scale.marks}

    def groups(
        self, marks: Mapping[str, str], thresholds: Mapping[str, Any], *, aside: Collection[str] = ()
    ) -> dict[str, int]:
        """Group → number of weightings that lead to it. Empty when marks, rules or parameters are missing."""
        base = classify(self.grid, marks, thresholds, aside=aside)
        if not base.group:
            return {}
        values = {path: getattr(found, "value", found) for path, found in thresholds.items()}
        failing = {c.code: self._failed(c, marks, aside) for c in self.grid.criteria}
        counts = self._at_least(failing.values())
        score = self._scored(marks, aside) if self.scores else None
        facts = {
            "unmet": len(base.unmet),
            "minimums": all(not c[0] == "minimums_met" or c[3] for t in base.tried for c in t.conditions),
        }
        left, found = self.all, {}
        for rule in self.grid.rules:
            holds = left
            for condition, threshold in rule.conditions.items():
                value = values[threshold] if isinstance(threshold, str) else threshold
                holds &= self._mask(condition, value, counts, failing, score, facts)
                if not holds:
                    break
            if holds:
                found[rule.group] = found.get(rule.group, 0) + holds.bit_count()
                left &= ~holds
            if not left:
                break
        return found

    def _mask(self, condition, value, counts, failing, score, facts) -> int:
        if condition == "failed_at_least":
            return counts[value] if value < len(counts) else 0
        if condition == "failed_at_most":
            return self.all & ~counts[value + 1] if value + 1 < len(counts) else self.all
        if condition == "failed":
            mask = self.all
            for code in value:
                mask &= failing[code]
            return mask
        if condition in SCORED:
            limit = float(value) - 1e-12
            return _bits([s >= limit for s in score] if condition == "score_at_least" else [s < limit for s in score])
        if condition == "minimums_met":
            return self.all if facts["minimums"] else 0
        return self.all if _holds(condition, value, {"unmet": facts["unmet"], "failed": ()}) else 0

    def _at_least(self, failing: Iterable[int]) -> list[int]:
        """For each number k, the weightings under which at least k criteria fail."""
        failing = list(failing)
        found = [self.all] + [0] * len(failing)
        for mask in failing:
            for k in range(len(found) - 1, 0, -1):
                found[k] |= found[k - 1] & mask
        return found

    def _failed(self, c: Criterion, marks: Mapping[str, str], aside: Collection[str]) -> int:
        """The weightings under which a criterion fails: those where its weighted points stay below its threshold."""
        asked = [name(c, q) for q in c.questions if name(c, q) not in aside]
        key = (c.code, tuple((n, marks[n]) for n in asked))
        found = self._failing.get(key)
        if found is None:
            found = 0
            if asked and c.passes_from is not None:
                limit = Fraction(c.passes_from)
                gaps = [self._points[marks[n]] * limit.denominator - limit.numerator * self._unit for n in asked]
                if all(g < 0 for g in gaps):
                    found = self.all
                elif any(g < 0 for g in gaps):
                    found = _bits([v < 0 for v in self._sums(asked, gaps)])
            self._failing[key] = found
        return found

    def _sums(self, asked: Sequence[str], factors: Sequence[int]) -> list[int]:
        columns = [(self.questions[n], f) for n, f in zip(asked, factors, strict=True) if f]
        if not columns:
            return [0] * self.draws
        first, factor = columns[0]
        sums = [w * factor for w in first]
        for column, factor in columns[1:]:
            sums = [s + w * factor for s, w in zip(sums, column, strict=True)]
        return sums

    def _share(self, c: Criterion, asked: Sequence[str], marks: Mapping[str, str]) -> list[float]:
        key = (c.code, tuple((n, marks[n]) for n in asked))
        if key not in self._shares:
            got = self._sums(asked, [self._points[marks[n]] for n in asked])
            whole = self._sums(asked, [self._unit] * len(asked))
            self._shares[key] = [a / b for a, b in zip(got, whole, strict=True)]
        return self._shares[key]

    def _scored(self, marks: Mapping[str, str], aside: Collection[str]) -> list[float]:
        sums, wholes = [0.0] * self.draws, [0] * self.draws
        for c in self.grid.criteria:
            asked = [name(c, q) for q in c.questions if name(c, q) not in aside]
            if not asked:
                continue
            weights, shares = self.criteria[c.code], self._share(c, asked, marks)
            sums = [s + w * x for s, w, x in zip(sums, weights, shares, strict=True)]
            wholes = [t + w for t, w in zip(wholes, weights, strict=True)]
        return [s / t if t else 0.0 for s, t in zip(sums, wholes, strict=True)]


def _drawn(rng: random.Random, weight: Fraction, low: Fraction, high: Fraction, draws: int) -> list[int]:
    start, end = int(weight * low * 1000), int(weight * high * 1000)
    width = end - start + 1
    rand = rng.random
    return [start + int(rand() * width) for _ in range(draws)]


def _bits(flags: Sequence[bool]) -> int:
    """One integer whose bit number i is flag number i."""
    return int("".join("1" if f else "0" for f in reversed(flags)), 2) if flags else 0


# -- calibration ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Divergence:
    """The marks that several evaluators gave to one sub-question of one cluster. ``spread``: steps between the extremes."""

    cluster: Any
    question: str
    marks: Mapping[str, str]
    spread: int


@dataclass
class Habit:
    """How an evaluator marks: how many notes of each step, and their mean in points."""

    evaluator: str
    counts: dict[str, int] = field(default_factory=dict)
    points: Fraction = Fraction(0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def mean(self) -> Fraction | None:
        return self.points / self.total if self.total else None


def divergences(grid: Grid, notes: Iterable[tuple[Any, str, str, str]]) -> tuple[list[Divergence], list[Habit]]:
    """From (cluster, question, evaluator, mark): where evaluators differ, the widest first, and how each of them marks."""
    ladder = {m.code: i for i, m in enumerate(grid.scale.marks)}
    points = {m.code: Fraction(m.points) for m in grid.scale.marks}
    by_place: dict[tuple[Any, str], dict[str, str]] = {}
    habits: dict[str, Habit] = {}
    for cluster, question, evaluator, mark in notes:
        by_place.setdefault((cluster, question), {})[evaluator] = mark
        habit = habits.setdefault(evaluator, Habit(evaluator))
        habit.counts[mark] = habit.counts.get(mark, 0) + 1
        habit.points += points[mark]
    found = []
    for (cluster, question), marks in by_place.items():
        places = [ladder[m] for m in marks.values()]
        spread = max(places) - min(places)
        if spread:
            found.append(Divergence(cluster, question, marks, spread))
    return sorted(found, key=lambda d: (-d.spread, str(d.cluster), d.question)), sorted(habits.values(), key=lambda h: h.evaluator)  # fmt: skip


@dataclass(frozen=True)
class WhatIf:
    """Weights and thresholds changed by the reader of a page; never stored."""

    weights: Mapping[str, Fraction] = field(default_factory=dict)
    thresholds: Mapping[str, Any] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        return bool(self.weights or self.thresholds)
