"""``aid.yaml``: State aid as data: dated rule sets, bonuses and their conditions, thresholds, *de minimis*, size for aid.

Basis: Regulation (EU) 651/2014 (general block exemption) with its amendments, the regulations on *de minimis* aid,
recommendation 2003/361/EC for the size of a firm. Figures stand in the file, never here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.faults import day_text
from jalon.policy.reader import Node
from jalon.policy.schema import Placed, Sourced
from jalon.policy.shapes import Key, Reading, amount, boolean, code, day, many, natural, number, one_of, record, text

PER = ("undertaking_project", "cluster", "infrastructure", "undertaking")
WINDOWS = ("rolling", "fiscal_years")
INVESTORS = ("listed", "public")


@dataclass(frozen=True, kw_only=True)
class Category(Sourced):
    """A category of research: the rate without bonus and the ceiling that bonuses may not pass, in percent.

    ``ceiling`` None: no ceiling but the sum of base and bonuses. ``size_bonus``: the size of the firm adds points.
    """

    code: str
    title: Text
    base: Decimal
    ceiling: Decimal | None = None
    size_bonus: bool = True


@dataclass(frozen=True, kw_only=True)
class Size(Sourced):
    """A size of firm for aid: the classes of the EU scheme that it holds, and the points that it adds."""

    code: str
    title: Text
    classes: tuple[str, ...]
    points: Decimal


@dataclass(frozen=True, kw_only=True)
class Condition(Sourced):
    """What must hold for a bonus; each is needed. ``figure``: the percentage the text names, if it names one."""

    code: str
    text: Text
    figure: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Bonus(Sourced):
    """A bonus: points by category. Bonuses of one ``letter`` count once; two letters cannot be combined."""

    code: str
    letter: str
    title: Text
    points: Decimal
    categories: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Threshold(Sourced):
    """The amount above which an aid must be notified one by one to the Commission."""

    code: str
    title: Text
    article: str
    amount: Decimal
    per: str
    category: str | None = None
    intensity: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Note(Sourced):
    """What else to know of a rule set, with its own source."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class RuleSet(Sourced):
    """One state of the regulation, in force from a day to a day."""

    code: str
    title: Text
    short: Text
    valid_from: date
    valid_to: date | None
    categories: tuple[Category, ...]
    sizes: tuple[Size, ...]
    bonuses: tuple[Bonus, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    note: Note | None = None

    def category(self, code: str) -> Category | None:
        return next((c for c in self.categories if c.code == code), None)

    def bonus(self, code: str) -> Bonus | None:
        return next((b for b in self.bonuses if b.code == code), None)

    def threshold(self, code: str) -> Threshold | None:
        return next((t for t in self.thresholds if t.code == code), None)

    def size(self, code: str) -> Size | None:
        """The size of that name, or the one that holds the class of that name (micro is in small)."""
        return next((s for s in self.sizes if code == s.code or code in s.classes), None)


@dataclass(frozen=True, kw_only=True)
class Largest(Sourced):
    """The largest loan or guarantee of a duration whose simplified gross grant equivalent is the whole ceiling."""

    instrument: str
    amount: Decimal
    years: int


@dataclass(frozen=True, kw_only=True)
class DeMinimis(Sourced):
    """A ceiling of *de minimis* aid per single undertaking, from a day to a day.

    ``window``: ``rolling`` years back from each award, or the ``fiscal_years`` of the day and those before it.
    """

    code: str
    kind: str
    title: Text
    ceiling: Decimal
    years: int
    window: str
    valid_from: date
    valid_to: date | None
    equivalents: tuple[Largest, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Kind(Sourced):
    """A kind of *de minimis* aid."""

    code: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class Owner(Sourced):
    """A kind of owner for the size test. ``public``: a quarter of the capital makes the firm no SME, unless listed."""

    code: str
    title: Text
    public: bool
    listed: bool
    condition: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Instrument(Sourced):
    """A form of aid; ``annex`` is its line in field 7 of annex III, ``how`` says how its amount is told."""

    code: str
    title: Text
    annex: Text
    how: Text | None = None


@dataclass(frozen=True, kw_only=True)
class CostKind(Placed):
    """A kind of operating cost of a cluster that article 27 lets aid."""

    code: str
    title: Text


def _ordered(built: Any, node: Node, reading: Reading) -> None:
    if built.valid_to is not None and built.valid_to < built.valid_from:
        reading.fault(
            node.get("valid_to") or node,
            T("{d}", "{d}", d=day_text(built.valid_to)),
            T("une date à partir du {d}", "a date from {d} on", d=day_text(built.valid_from)),
        )


def _rule_set(built: RuleSet, node: Node, reading: Reading) -> None:
    _ordered(built, node, reading)
    categories = [c.code for c in built.categories]
    for bonus in built.bonuses:
        for name in bonus.categories:
            if name not in categories:
                reading.fault(
                    node.get("bonuses") or node,
                    T("la catégorie « {c} » ({b})", "the category “{c}” ({b})", c=name, b=bonus.code),
                    T("l’une de {k}", "one of {k}", k=", ".join(categories)),
                )
    for threshold in built.thresholds:
        if threshold.category is not None and threshold.category not in categories:
            reading.fault(
                node.get("thresholds") or node,
                T("la catégorie « {c} »", "the category “{c}”", c=threshold.category),
                T("l’une de {k}", "one of {k}", k=", ".join(categories)),
            )


VALID = {"valid_from": Key(day), "valid_to": Key(day, None)}
CATEGORY = record(
    Category,
    {
        "code": Key(code),
        "title": Key(text),
        "base": Key(number),
        "ceiling": Key(number, None),
        "size_bonus": Key(boolean, True),
    },
    sourced=True,
)
SIZE = record(
    Size,
    {"code": Key(code), "title": Key(text), "classes": Key(many(code, unique="", least=1)), "points": Key(number)},
    sourced=True,
)
CONDITION = record(Condition, {"code": Key(code), "text": Key(text), "figure": Key(number, None)}, sourced=True)
BONUS = record(
    Bonus,
    {
        "code": Key(code),
        "letter": Key(code),
        "title": Key(text),
        "points": Key(number),
        "categories": Key(many(code, unique="", least=1)),
        "conditions": Key(many(CONDITION, unique="code"), ()),
    },
    sourced=True,
)
THRESHOLD = record(
    Threshold,
    {
        "code": Key(code),
        "title": Key(text),
        "article": Key(code),
        "amount": Key(amount),
        "per": Key(one_of(PER)),
        "category": Key(code, None),
        "intensity": Key(number, None),
    },
    sourced=True,
)
NOTE = record(Note, {"text": Key(text)}, sourced=True)
RULE_SET = record(
    RuleSet,
    {
        "code": Key(code),
        "title": Key(text),
        "short": Key(text),
        **VALID,
        "categories": Key(many(CATEGORY, unique="code", least=1)),
        "sizes": Key(many(SIZE, unique="code", least=1)),
        "bonuses": Key(many(BONUS, unique="code"), ()),
        "thresholds": Key(many(THRESHOLD, unique="code"), ()),
        "note": Key(NOTE, None),
    },
    sourced=True,
    check=_rule_set,
)
LARGEST = record(Largest, {"instrument": Key(code), "amount": Key(amount), "years": Key(natural)}, sourced=True)
DE_MINIMIS = record(
    DeMinimis,
    {
        "code": Key(code),
        "kind": Key(code),
        "title": Key(text),
        "ceiling": Key(amount),
        "years": Key(natural),
        "window": Key(one_of(WINDOWS)),
        **VALID,
        "equivalents": Key(many(LARGEST), ()),
    },
    sourced=True,
    check=_ordered,
)
KIND = record(Kind, {"code": Key(code), "title": Key(text)}, sourced=True)
OWNER = record(
    Owner,
    {
        "code": Key(code),
        "title": Key(text),
        "public": Key(boolean, False),
        "listed": Key(boolean, False),
        "condition": Key(text, None),
    },
    sourced=True,
)
INSTRUMENT = record(
    Instrument, {"code": Key(code), "title": Key(text), "annex": Key(text), "how": Key(text, None)}, sourced=True
)
COST_KIND = record(CostKind, {"code": Key(code), "title": Key(text)})

KEYS = {
    "rule_sets": Key(many(RULE_SET, unique="code"), ()),
    "de_minimis_kinds": Key(many(KIND, unique="code"), ()),
    "de_minimis": Key(many(DE_MINIMIS, unique="code"), ()),
    "size_scheme": Key(code, None),
    "national_size_scheme": Key(code, None),
    "owner_kinds": Key(many(OWNER, unique="code"), ()),
    "instruments": Key(many(INSTRUMENT, unique="code"), ()),
    "cluster_operating_costs": Key(many(COST_KIND, unique="code"), ()),
}


def cross(part: Any, others: dict[str, dict[str, Any]], fault: Any) -> None:
    """Rule sets follow each other; kinds and size classes are those that are written elsewhere."""
    for before, after in pairwise(part.rule_sets):
        _follows(before, after, f"rule_sets.{after.code}", fault)
    for kind in part.de_minimis_kinds:
        for before, after in pairwise([d for d in part.de_minimis if d.kind == kind.code]):
            _follows(before, after, f"de_minimis.{after.code}", fault)
    kinds = [kind.code for kind in part.de_minimis_kinds]
    forms = [form.code for form in part.instruments]
    for one in part.de_minimis:
        for largest in one.equivalents:
            if largest.instrument not in forms:
                fault(
                    one,
                    f"de_minimis.{one.code}.equivalents",
                    T("la forme d’aide « {i} »", "the form of aid “{i}”", i=largest.instrument),
                    T("l’une de {k}", "one of {k}", k=", ".join(forms) or "–"),
                )
        if one.kind not in kinds:
            fault(
                one,
                f"de_minimis.{one.code}.kind",
                T("« {k} »", "“{k}”", k=one.kind),
                T("l’un de {k}", "one of {k}", k=", ".join(kinds) or "–"),
            )
    schemes = others.get("members", {}).get("size_schemes")
    if not isinstance(schemes, tuple):
        return
    known = {scheme.code: scheme for scheme in schemes}
    for name in ("size_scheme", "national_size_scheme"):
        chosen = getattr(part, name)
        if chosen is not None and chosen not in known and part.rule_sets:
            fault(
                part.rule_sets[0],
                name,
                T("la définition « {s} »", "the definition “{s}”", s=chosen),
                T("l’une de {k} (members.yaml)", "one of {k} (members.yaml)", k=", ".join(known) or "–"),
            )
    if part.size_scheme in known:
        classes = {c.code for c in known[part.size_scheme].categories}
        for rules in part.rule_sets:
            held = [c for size in rules.sizes for c in size.classes]
            if sorted(held) != sorted(classes):
                fault(
                    rules,
                    f"rule_sets.{rules.code}.sizes",
                    T("les classes {h}", "the classes {h}", h=", ".join(held)),
                    T("chacune une fois : {k}", "each once: {k}", k=", ".join(sorted(classes))),
                )


def _follows(before: Any, after: Any, path: str, fault: Any) -> None:
    if before.valid_to is None or after.valid_from <= before.valid_to:
        fault(
            after,
            f"{path}.valid_from",
            T("{d}", "{d}", d=day_text(after.valid_from)),
            T("une date après la fin de « {c} »", "a date after “{c}” ended", c=before.code),
        )
