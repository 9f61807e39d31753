"""Scores, ranks, shares and envelopes, as pure functions of plain values.

Basis: the criteria of the FUI calls (policy ``selection.criteria_sets``). No published text gives weights, a scale, thresholds
or a tie-breaking rule: the exercise sets them, and each result says so. Amounts are ``Decimal`` in the programme's currency.
An amount computed from a rate is rounded *down* to the cent, because a rate is a ceiling: rounding up would overrun it. A sum
that is shared out is shared out whole, to the cent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.ui import format as fmt

CENT = Decimal("0.01")
ZERO = Decimal(0)
EXACT = Decimal("0.000001")
"""Totals are compared to the millionth: two totals that differ by less are a tie."""
LARGEST = Decimal("999999999999.99")
"""Largest amount that a cell holds."""


class Money(Text):
    """An amount in a sentence, written as the language spoken writes it."""

    __slots__ = ("value",)

    def __init__(self, value: Decimal | None):
        super().__init__(str(value), str(value))
        self.value = value

    def in_language(self, code: str) -> str:
        return fmt.money(self.value, lang=code)


class Number(Text):
    """A score in a sentence, written as the language spoken writes it."""

    __slots__ = ("value",)

    def __init__(self, value: Decimal):
        super().__init__(str(value), str(value))
        self.value = value

    def in_language(self, code: str) -> str:
        return fmt.number(self.value, lang=code)


class Percent(Text):
    """A percentage in a sentence, with all its decimals, written as the language spoken writes it."""

    __slots__ = ("value",)

    def __init__(self, value: Decimal):
        super().__init__(str(value), str(value))
        self.value = value

    def in_language(self, code: str) -> str:
        exact = f"{self.value.normalize():f}"
        return (exact.replace(".", ",") + "\u00a0%") if code != "en" else exact + "%"


# -- money ------------------------------------------------------------------------------------------------------


def cents(value: Decimal, *, where: Text | str = "") -> Decimal:
    """The amount, to the cent.

    Raises:
        Refused: negative, finer than a cent, or too large. Nothing is rounded silently.
    """
    value = Decimal(value)
    where = where or T("le montant", "the amount")
    if not value.is_finite() or value < 0 or value > LARGEST:
        raise Refused(
            T(
                "{where} : {v} n'est pas un montant possible ; attendu, de 0 à {max}.",
                "{where}: {v} is no possible amount; expected 0 to {max}.",
                where=where,
                v=value,
                max=LARGEST,
            ),
            kind="input",
        )
    kept = value.quantize(CENT, ROUND_HALF_UP)
    if kept != value:
        raise Refused(
            T(
                "{where} : {v} a plus de deux décimales ; un montant se dit au centime près.",
                "{where}: {v} has more than two decimals; an amount is said to the cent.",
                where=where,
                v=value,
            ),
            kind="input",
        )
    return kept


def amount_of(base: Decimal, rate: Decimal) -> Decimal:
    """``rate`` percent of ``base``, rounded down to the cent: the amount never exceeds the rate."""
    return (base * rate / 100).quantize(CENT, ROUND_DOWN)


def rate_of(amount: Decimal, base: Decimal | None) -> Decimal | None:
    """What percentage of ``base`` an amount is, to the thousandth; None when the base is unknown or zero."""
    if not base:
        return None
    return (amount * 100 / base).quantize(Decimal("0.001"), ROUND_HALF_UP)


def split(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share ``total`` out by ``weights``, to the cent, with nothing lost or made up.

    Each part is first rounded down; the cents left go one by one to the parts that lost most by it (the earlier one among
    equals). The parts add up to ``total``. Where every weight is zero there is nothing to share by.

    Raises:
        Refused: no weight is above zero, or one is negative.
    """
    total = cents(total)
    whole = sum(weights, ZERO)
    if any(w < 0 for w in weights) or whole <= 0:
        raise Refused(
            T(
                "Rien ne permet de répartir {total} : aucune base n'est connue.",
                "Nothing says how to share {total} out: no base is known.",
                total=Money(total),
            )
        )
    return [Decimal(units) / 100 for units in _largest_remainder(int(total * 100), weights)]


def percents(amounts: Sequence[Decimal], places: int = 3) -> list[Decimal]:
    """The share of each amount in their sum, in percent; the shares add up to exactly 100 (to 0 when the sum is 0)."""
    if not amounts or sum(amounts, ZERO) == 0:
        return [ZERO for _ in amounts]
    scale = 10**places
    return [Decimal(units) / scale for units in _largest_remainder(100 * scale, amounts)]


def _largest_remainder(units: int, weights: Sequence[Decimal]) -> list[int]:
    shares = [_exact(w) for w in weights]
    top = max(10**places for _, places in shares)
    whole = [n * (top // 10**places) for n, places in shares]
    everything = sum(whole)
    parts = [divmod(units * w, everything) for w in whole]
    given = [q for q, _ in parts]
    left = units - sum(given)
    for position in sorted(range(len(parts)), key=lambda i: (-parts[i][1], i))[:left]:
        given[position] += 1
    return given


def _exact(value: Decimal) -> tuple[int, int]:
    """A decimal as a whole number and how many places it has: shares are counted without rounding."""
    _, digits, exponent = Decimal(value).as_tuple()
    number = int("".join(map(str, digits)) or "0")
    return (number * 10**exponent, 0) if exponent >= 0 else (number, -exponent)


# -- scores and ranks -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Criterion:
    """A criterion of the exercise; ``weight`` None: no weight was set; ``minimum``: the lowest score that passes."""

    code: str
    title: Any = ""
    weight: Decimal | None = None
    minimum: Decimal | None = None


@dataclass(frozen=True)
class Scale:
    """What ranks the projects of an exercise: criteria, thresholds, how ties are parted."""

    criteria: tuple[Criterion, ...]
    minimum_total: Decimal | None = None
    tie_rule: str = "shared"
    tie_order: tuple[str, ...] = ()
    lowest: Decimal = ZERO
    highest: Decimal = Decimal(5)

    @property
    def weighted(self) -> bool:
        return any(c.weight is not None for c in self.criteria)


def check_score(value: Decimal, scale: Scale, *, where: Text | str) -> Decimal:
    """A score within the scale, in steps of a half.

    Raises:
        Refused: outside the scale, or finer than a half.
    """
    if not value.is_finite() or not scale.lowest <= value <= scale.highest or (value * 2) % 1 != 0:
        raise Refused(
            T(
                "{where} : la note {v} n'existe pas ; attendu, de {low} à {high} par demi-points.",
                "{where}: the score {v} does not exist; expected {low} to {high} in half points.",
                where=where,
                v=f"{value:f}" if value.is_finite() else value,
                low=scale.lowest,
                high=scale.highest,
            ),
            kind="input",
        )
    return value


def total(scores: Mapping[str, Decimal], scale: Scale) -> Decimal | None:
    """The mean of the scores, weighted if the exercise set weights, on the same scale; None while a score is missing.

    A criterion without weight counts as zero once another one has a weight: that is what setting weights means.
    """
    if not scale.criteria or any(scores.get(c.code) is None for c in scale.criteria):
        return None
    weights = [(c.weight or ZERO) if scale.weighted else Decimal(1) for c in scale.criteria]
    whole = sum(weights, ZERO)
    if whole == 0:
        return None
    found = sum((w * scores[c.code] for w, c in zip(weights, scale.criteria, strict=True)), ZERO) / whole
    return found.quantize(EXACT, ROUND_HALF_UP)


def failures(scores: Mapping[str, Decimal], scale: Scale) -> list[Text]:
    """The thresholds that a project does not reach, each in a sentence; empty: it passes all."""
    found = []
    for c in scale.criteria:
        score = scores.get(c.code)
        if c.minimum is not None and score is not None and score < c.minimum:
            found.append(
                T(
                    "{c} : {s}, il faut {m}.",
                    "{c}: {s}, it takes {m}.",
                    c=c.title or c.code,
                    s=Number(score),
                    m=Number(c.minimum),
                )
            )
    reached = total(scores, scale)
    if scale.minimum_total is not None and reached is not None and reached < scale.minimum_total:
        found.append(
            T(
                "Total : {s}, il faut {m}.",
                "Total: {s}, it takes {m}.",
                s=Number(reached.quantize(CENT, ROUND_HALF_UP)),
                m=Number(scale.minimum_total),
            )
        )
    return found


def sort_key(scores: Mapping[str, Decimal], scale: Scale) -> str:
    """A text that sorts as the ranking does (the highest first when sorted downwards); equal texts are a tie.

    Empty while a score is missing.
    """
    reached = total(scores, scale)
    if reached is None:
        return ""
    parts = [reached]
    if scale.tie_rule == "criteria":
        parts += [scores[code] for code in scale.tie_order if code in scores]
    return "|".join(f"{part:015.6f}" for part in parts)


@dataclass(frozen=True)
class Ranked:
    """A project in the ranking: ``rank`` None when it is not scored yet or below a threshold; ``tied``: shares its rank."""

    key: Any
    total: Decimal | None
    rank: int | None
    tied: bool = False
    failures: tuple[Text, ...] = ()


def ranking(scored: Mapping[Any, Mapping[str, Decimal]], scale: Scale) -> list[Ranked]:
    """The projects by total, ties sharing a rank (1, 2, 2, 4); then those below a threshold; then those not scored."""
    ranked, below, unscored = [], [], []
    for key, scores in scored.items():
        reached = total(scores, scale)
        if reached is None:
            unscored.append(Ranked(key, None, None))
            continue
        missed = failures(scores, scale)
        row = (sort_key(scores, scale), key, reached)
        if missed:
            below.append((row, Ranked(key, reached, None, False, tuple(missed))))
        else:
            ranked.append(row)
    ranked.sort(key=lambda row: row[0], reverse=True)
    below.sort(key=lambda pair: pair[0][0], reverse=True)
    found: list[Ranked] = []
    counted: dict[str, int] = {}
    for text, _, _ in ranked:
        counted[text] = counted.get(text, 0) + 1
    rank, last = 0, None
    for position, (text, key, reached) in enumerate(ranked, 1):
        if text != last:
            rank, last = position, text
        found.append(Ranked(key, reached, rank, counted[text] > 1))
    return [*found, *(row for _, row in below), *unscored]


def divergence(scores: Sequence[Decimal]) -> Decimal:
    """How far the experts are apart on a criterion: highest minus lowest."""
    return max(scores) - min(scores) if scores else ZERO


# -- the financing table ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """What a funder puts on a partner. ``planned``: its decision if it took one, else its intention; None: unknown yet."""

    funder: Any
    source: str = "state"
    instrument: str = "grant"
    intended: Decimal | None = None
    decided: Decimal | None = None
    rate: Decimal | None = None
    base: Decimal | None = None

    @property
    def planned(self) -> Decimal | None:
        return self.decided if self.decided is not None else self.intended


@dataclass(frozen=True)
class Line:
    """A partner of the table: eligible base, what the call and State aid law allow, the funders' cells.

    ``call_rate`` and ``aid_rate`` are percentages of the base, None when unknown; ``call_amount`` is the most that the call
    gives one partner, ``aid_amount`` the State aid ceiling where it is worked out by class of research. ``expected``:
    funders that were asked.
    """

    partner: Any
    base: Decimal | None
    cells: tuple[Cell, ...] = ()
    call_rate: Decimal | None = None
    call_amount: Decimal | None = None
    aid_rate: Decimal | None = None
    aid_amount: Decimal | None = None
    expected: tuple[Any, ...] = ()

    @property
    def public(self) -> Decimal:
        """All public money planned for the partner."""
        return sum((c.planned for c in self.cells if c.planned is not None), ZERO)

    @property
    def decided(self) -> Decimal:
        return sum((c.decided for c in self.cells if c.decided is not None), ZERO)

    @property
    def own(self) -> Decimal | None:
        """What the partner pays itself; None while its base is unknown."""
        return None if self.base is None else self.base - self.public

    @property
    def call_ceiling(self) -> Decimal | None:
        if self.base is None or self.call_rate is None:
            return None
        by_rate = amount_of(self.base, self.call_rate)
        return by_rate if self.call_amount is None else min(by_rate, self.call_amount)

    @property
    def aid_ceiling(self) -> Decimal | None:
        if self.aid_amount is not None:
            return self.aid_amount
        return None if self.base is None or self.aid_rate is None else amount_of(self.base, self.aid_rate)

    @property
    def ceiling(self) -> Decimal | None:
        """The lowest of what is known: base, the call's rate, State aid."""
        known = [v for v in (self.base, self.call_ceiling, self.aid_ceiling) if v is not None]
        return min(known) if known else None


@dataclass(frozen=True)
class Check:
    """One live check: ``light`` of the house, said in a sentence; ``blocks``: no decision while it stands."""

    code: str
    light: str
    text: Text
    blocks: bool = False
    why: Why | None = None


def checks(line: Line, *, funders: Mapping[Any, Any] | None = None) -> list[Check]:
    """What is wrong, missing or unknown on a partner's line; nothing: all is in order."""
    found: list[Check] = []
    public = line.public
    if line.base is None:
        found.append(
            Check(
                "base", "unknown", T("L'assiette éligible n'est pas connue.", "The eligible base is not known."), True
            )
        )
    elif public > line.base:
        found.append(
            Check(
                "base",
                "late",
                T(
                    "{public} d'aides pour une assiette de {base} : {more} de trop.",
                    "{public} of aid for a base of {base}: {more} too much.",
                    public=Money(public),
                    base=Money(line.base),
                    more=Money(public - line.base),
                ),
                True,
            )
        )
    for code, rate, ceiling, said in (
        ("call", line.call_rate, line.call_ceiling, T("taux de l'appel", "rate of the call")),
        ("aid", line.aid_rate, line.aid_ceiling, T("plafond des aides d'État", "State aid ceiling")),
    ):
        if ceiling is not None and public > ceiling:
            found.append(
                Check(
                    code,
                    "late",
                    T(
                        "{public} d'aides, au plus {ceiling} ({said}{rate}) : {more} de trop.",
                        "{public} of aid, at most {ceiling} ({said}{rate}): {more} too much.",
                        public=Money(public),
                        ceiling=Money(ceiling),
                        said=said,
                        rate="" if rate is None else T(", {r}", ", {r}", r=Percent(rate)),
                        more=Money(public - ceiling),
                    ),
                    True,
                )
            )
    if line.call_rate is None:
        found.append(
            Check(
                "call",
                "unknown",
                T("Le taux de l'appel n'est pas connu.", "The rate of the call is not known."),
            )
        )
    if line.aid_ceiling is None:
        found.append(
            Check(
                "aid",
                "unknown",
                T("Le plafond des aides d'État n'est pas connu.", "The State aid ceiling is not known."),
            )
        )
    for cell in line.cells:
        if cell.rate is not None and cell.base is not None and cell.planned is not None:
            if cell.planned > amount_of(cell.base, cell.rate):
                found.append(
                    Check(
                        "funder_rate",
                        "at_risk",
                        T(
                            "{f} : {a} dépasse son propre taux ({r} de {b}).",
                            "{f}: {a} exceeds its own rate ({r} of {b}).",
                            f=(funders or {}).get(cell.funder, cell.funder),
                            a=Money(cell.planned),
                            r=Percent(cell.rate),
                            b=Money(cell.base),
                        ),
                    )
                )
    answered = {c.funder for c in line.cells if c.planned is not None}
    for funder in line.expected:
        if funder not in answered:
            found.append(
                Check(
                    "missing",
                    "at_risk",
                    T("{f} n'a pas répondu.", "{f} has not answered.", f=(funders or {}).get(funder, funder)),
                )
            )
    return found


_WORST = ("late", "unknown", "at_risk", "on_track")


def worst(found: Iterable[Check]) -> str:
    """The light of a whole line or project: its worst check; on_track without any."""
    lights = {c.light for c in found}
    return next((light for light in _WORST if light in lights), "on_track")


@dataclass(frozen=True)
class Balance:
    """The sums of a table: by partner, by funder, and everything; they are three ways of counting the same money."""

    by_partner: Mapping[Any, Decimal]
    by_funder: Mapping[Any, Decimal]
    public: Decimal
    state: Decimal
    local: Decimal
    base: Decimal | None
    own: Decimal | None
    shares: Mapping[Any, Decimal] = field(default_factory=dict)


def balance(lines: Sequence[Line]) -> Balance:
    """Sums of a table. ``base`` and ``own`` are None as soon as one partner's base is unknown."""
    by_partner = {line.partner: line.public for line in lines}
    by_funder: dict[Any, Decimal] = {}
    state = ZERO
    for line in lines:
        for cell in line.cells:
            if cell.planned is not None:
                by_funder[cell.funder] = by_funder.get(cell.funder, ZERO) + cell.planned
                state += cell.planned if cell.source == "state" else ZERO
    public = sum(by_funder.values(), ZERO)
    base = None if any(line.base is None for line in lines) else sum((line.base for line in lines), ZERO)
    return Balance(
        by_partner=by_partner,
        by_funder=by_funder,
        public=public,
        state=state,
        local=public - state,
        base=base,
        own=None if base is None else base - public,
        shares=dict(zip(by_funder, percents(list(by_funder.values())), strict=True)),
    )


# -- envelopes --------------------------------------------------------------------------------------------------


def require_room(
    envelope: Decimal | None, used: Decimal, *, whose: Text | str, day: dt.date | None = None, planned: bool = False
) -> None:
    """Refuse a decision that takes an envelope beyond its amount; an unknown envelope sets no limit and says so elsewhere.

    Raises:
        Refused: with what is used, the envelope, and how to go on.
    """
    if envelope is None or used <= envelope:
        return
    raise Refused(
        T(
            "L'enveloppe de {whose} est de {envelope} ; la décision la porterait à {used}, soit {more} de trop. Rien n'a été "
            "décidé : réduisez les montants, ou faites d'abord relever l'enveloppe par un acte motivé.",
            "The envelope of {whose} is {envelope}; the decision would take it to {used}, {more} too much. Nothing was "
            "decided: lower the amounts, or first have the envelope raised by an act with its reason.",
            whose=whose,
            envelope=Money(envelope),
            used=Money(used),
            more=Money(used - envelope),
        ),
        why=why_envelope(envelope, used, day),
    )


def why_envelope(envelope: Decimal | None, used: Decimal, day: dt.date | None = None) -> Why:
    """How the use of an envelope is counted."""
    return Why(
        rule=T(
            "La somme des montants décidés ne dépasse jamais l'enveloppe. Elle ne peut être relevée que par un acte motivé, "
            "inscrit au journal.",
            "The sum of the amounts decided never exceeds the envelope. It can only be raised by an act with its reason, "
            "kept in the journal.",
        ),
        day=day,
        reading=True,
        inputs={T("enveloppe", "envelope"): Money(envelope), T("décidé", "decided"): Money(used)},
        formula=str(T("Σ montants décidés ≤ enveloppe", "Σ amounts decided ≤ envelope")),
    )


def fill(wanted: Sequence[tuple[Any, int, Decimal]], limit: Decimal | None) -> tuple[list[Any], list[Any]]:
    """Whom an envelope reaches when it is filled from the top: ``wanted`` is (project, rank, amount) in ranking order.

    Filling stops at the first rank that does not fit, and projects that share a rank are taken together or not at all:
    nobody is passed over or parted silently. A project without any amount is left for a decision. Returns those reached and
    the others, in order.
    """
    reached: list[Any] = []
    spent, position = ZERO, 0
    while position < len(wanted):
        level = [row for row in wanted[position:] if row[1] == wanted[position][1]]
        cost = sum((amount for _, _, amount in level), ZERO)
        if any(amount == 0 for _, _, amount in level) or (limit is not None and spent + cost > limit):
            break
        spent += cost
        reached += [key for key, _, _ in level]
        position += len(level)
    return reached, [key for key, _, _ in wanted[position:]]


# -- the list ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A project on a list: outcome selected, reserve or rejected; ``rank`` on the reserve list; reasons."""

    project: Any
    outcome: str
    rank: int | None = None
    reasons: str = ""


def list_faults(entries: Sequence[Entry], expected: Mapping[Any, str], ranks: Mapping[Any, int | None]) -> list[Text]:
    """What stands between a list and its decision, each in a sentence.

    Args:
        expected: the projects that the list must say something about, with their names.
        ranks: where each stands in the ranking; None: below a threshold or not scored.
    """
    found: list[Text] = []
    seen = [e.project for e in entries]
    for project, name in expected.items():
        count = seen.count(project)
        if count != 1:
            found.append(
                T("{p} : la liste n'en dit rien.", "{p}: the list says nothing of it.", p=name)
                if count == 0
                else T("{p} : deux fois sur la liste.", "{p}: twice on the list.", p=name)
            )
    for entry in entries:
        name = expected.get(entry.project)
        if name is None:
            found.append(
                T(
                    "{p} n'est pas un projet admissible de cet appel.",
                    "{p} is no admissible project of this call.",
                    p=entry.project,
                )
            )
        elif entry.outcome != "selected" and not entry.reasons.strip():
            found.append(
                T(
                    "{p} : une mise en liste complémentaire ou un refus dit ses motifs.",
                    "{p}: a place on the reserve list or a refusal gives its reasons.",
                    p=name,
                )
            )
    reserve = [e.rank for e in entries if e.outcome == "reserve"]
    if sorted(r or 0 for r in reserve) != list(range(1, len(reserve) + 1)):
        found.append(
            T(
                "Les rangs de la liste complémentaire vont de 1 à {n}, chacun une fois.",
                "The ranks of the reserve list go from 1 to {n}, each once.",
                n=len(reserve),
            )
        )
    left = [ranks[e.project] for e in entries if e.outcome != "selected" and ranks.get(e.project) is not None]
    best = min(left, default=None)
    for entry in entries:
        if entry.outcome != "selected" or entry.reasons.strip() or entry.project not in expected:
            continue
        rank = ranks.get(entry.project)
        if rank is None:
            found.append(
                T(
                    "{p} est retenu sans rang (non noté, ou sous un seuil) : il faut dire pourquoi.",
                    "{p} is selected without a rank (not scored, or below a threshold): say why.",
                    p=expected[entry.project],
                )
            )
        elif best is not None and rank >= best:
            found.append(
                T(
                    "{p} (rang {r}) est retenu alors qu'un projet classé avant lui ou à égalité ne l'est pas (rang {b}) : "
                    "il faut dire pourquoi.",
                    "{p} (rank {r}) is selected while a project ranked before it or level with it is not (rank {b}): say why.",
                    p=expected[entry.project],
                    r=rank,
                    b=best,
                )
            )
    return found
