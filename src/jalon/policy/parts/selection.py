"""``selection.yaml``: stages of a selection, criteria by period, letters."""

from __future__ import annotations

import string as strings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.reader import Node
from jalon.policy.schema import Sourced
from jalon.policy.shapes import Key, Reading, code, day, many, one_of, quoted, record, text

BODIES = ("officers", "experts", "funders", "working_group", "announcement")
"""Who acts in a stage: what the screens offer in it."""
LETTER_KINDS = ("selected", "reserve", "rejected", "promoted", "lost")
LETTER_FIELDS = (
    "acronym amount authority call day organisation partner_amounts project rank reasons reference"
).split()
"""What a letter's text may name between braces."""


@dataclass(frozen=True, kw_only=True)
class Stage(Sourced):
    """A stage of the selection: who acts (``body``) and what for."""

    code: str
    title: Text
    body: str
    detail: Text


@dataclass(frozen=True, kw_only=True)
class Procedure(Sourced):
    """How a scheme selects its projects in a period; ``authority`` is the body that fixes the list."""

    code: str
    title: Text
    authority: Text
    schemes: tuple[str, ...] = ()
    valid_from: date
    valid_to: date | None = None
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What the experts judge; no published text gives its weight."""

    code: str
    title: Text
    help: Text


@dataclass(frozen=True, kw_only=True)
class CriteriaSet(Sourced):
    """The criteria of the calls of a scheme that close in a period."""

    code: str
    title: Text
    schemes: tuple[str, ...] = ()
    valid_from: date
    valid_to: date | None = None
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Letter(Sourced):
    """The text of a letter, with the fields of :data:`LETTER_FIELDS` between braces."""

    kind: str
    subject: Text
    body: Text


def _ordered(built: Any, node: Node, reading: Reading) -> None:
    if built.valid_to is not None and built.valid_to < built.valid_from:
        reading.fault(
            node.get("valid_to") or node,
            T("{d}", "{d}", d=built.valid_to.isoformat()),
            T("une date qui ne précède pas valid_from", "a date not before valid_from"),
        )


def _fields(built: Letter, node: Node, reading: Reading) -> None:
    for name in ("subject", "body"):
        pair = getattr(built, name)
        for lang in ("fr", "en"):
            try:
                named = [
                    field for _, field, _, _ in strings.Formatter().parse(getattr(pair, lang)) if field is not None
                ]
            except ValueError:
                named = [""]
            for field in named:
                if field not in LETTER_FIELDS:
                    reading.fault(
                        node.get(name) or node,
                        T("le champ « {f} »", "the field “{f}”", f=field),
                        T("l’un de {all}", "one of {all}", all=quoted(LETTER_FIELDS)),
                    )


SCHEMES = Key(many(code, unique=""), ())
PERIOD = {"valid_from": Key(day), "valid_to": Key(day, None)}
STAGE = record(
    Stage,
    {"code": Key(code), "title": Key(text), "body": Key(one_of(BODIES)), "detail": Key(text)},
)
PROCEDURE = record(
    Procedure,
    {
        "code": Key(code),
        "title": Key(text),
        "authority": Key(text),
        "schemes": SCHEMES,
        **PERIOD,
        "stages": Key(many(STAGE, unique="code", least=1)),
    },
    sourced=True,
    check=_ordered,
)
CRITERION = record(Criterion, {"code": Key(code), "title": Key(text), "help": Key(text)})
CRITERIA = record(
    CriteriaSet,
    {
        "code": Key(code),
        "title": Key(text),
        "schemes": SCHEMES,
        **PERIOD,
        "criteria": Key(many(CRITERION, unique="code", least=1)),
    },
    sourced=True,
    check=_ordered,
)
LETTER = record(
    Letter,
    {"kind": Key(one_of(LETTER_KINDS)), "subject": Key(text), "body": Key(text)},
    sourced=True,
    check=_fields,
)

KEYS = {
    "procedures": Key(many(PROCEDURE, unique="code"), ()),
    "criteria_sets": Key(many(CRITERIA, unique="code"), ()),
    "letters": Key(many(LETTER, unique="kind"), ()),
}


def cross(part: Any, others: Any, fault: Callable[..., Any]) -> None:
    """Two sets of criteria (or two procedures) never hold for the same scheme on the same day."""
    for key in ("procedures", "criteria_sets"):
        _overlaps(key, getattr(part, key), fault)


def _overlaps(key: str, records: Sequence[Any], fault: Callable[..., Any]) -> None:
    for position, one in enumerate(records):
        for other in records[:position]:
            shared = not one.schemes or not other.schemes or set(one.schemes) & set(other.schemes)
            apart = (one.valid_to is not None and one.valid_to < other.valid_from) or (
                other.valid_to is not None and other.valid_to < one.valid_from
            )
            if shared and not apart:
                fault(
                    one,
                    f"{key}.{one.code}",
                    T("« {a} » et « {b} » le même jour", "“{a}” and “{b}” on the same day", a=other.code, b=one.code),
                    T("des périodes qui ne se recouvrent pas", "periods that do not overlap"),
                )


def holding(records: Sequence[Any], scheme: str, on: date) -> Any:
    """The record (procedure or set of criteria) that holds for a scheme on a day; None when no text is known."""
    for one in records:
        if (not one.schemes or scheme in one.schemes) and one.valid_from <= on:
            if one.valid_to is None or on <= one.valid_to:
                return one
    return None
