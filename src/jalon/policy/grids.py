"""Evaluation grids and questionnaires as data: criteria, sub-questions, scale, weights, rules that lead to a group.

A grid whose weights were never published has none: nothing then depends on weights but what-ifs, which say so. A rule of a grid
names a group of its campaign; the first rule whose conditions all hold gives the group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.reader import Node
from jalon.policy.schema import Placed, Sourced
from jalon.policy.shapes import (
    BAD,
    Key,
    Reading,
    boolean,
    code,
    day,
    many,
    natural,
    number,
    one_of,
    quoted,
    record,
    said,
    string,
    text,
)

SIGHTS = ("public", "funders", "ordering")
"""Who reads something once it is final: everybody; the cluster and its funders; only whoever ordered the evaluation."""
SURVEY_KINDS = ("scale", "choice", "text", "yes_no")
COUNTED = ("failed_at_least", "failed_at_most", "unmet_at_least", "unmet_at_most")
SCORED = ("score_at_least", "score_below")


@dataclass(frozen=True, kw_only=True)
class Mark(Placed):
    """A step of the scale. ``points``: 0 to 1 of what the question can bring. ``passes``: the question counts as met."""

    code: str
    title: Text
    points: Decimal
    passes: bool


@dataclass(frozen=True, kw_only=True)
class Scale(Sourced):
    """The steps of a scale, from the worst to the best."""

    marks: tuple[Mark, ...]

    def mark(self, code: str) -> Mark:
        for one in self.marks:
            if one.code == code:
                return one
        raise KeyError(code)


@dataclass(frozen=True, kw_only=True)
class Question(Placed):
    """A sub-question. ``weight`` inside its criterion, if any is published; ``minimum``: must pass whatever the score."""

    code: str
    title: Text
    guidance: Text | None = None
    weight: Decimal | None = None
    minimum: bool = False


@dataclass(frozen=True, kw_only=True)
class Criterion(Sourced):
    """A criterion, its sub-questions, its weight if it was published.

    ``passes_from``: the share of its points (0 to 1) from which it is passed.
    """

    code: str
    title: Text
    weight: Decimal | None = None
    passes_from: Decimal | None = None
    questions: tuple[Question, ...]


@dataclass(frozen=True, kw_only=True)
class Rule(Sourced):
    """What leads to a group. Conditions that are None do not count; a rule without condition always holds.

    ``failed_*`` count failed criteria, ``unmet_*`` sub-questions whose mark does not pass; ``score_*`` compare the weighted score
    (0 to 1). A threshold may be the name of a dated parameter. ``failed`` names criteria that must all have failed.
    """

    group: str
    failed_at_least: Any = None
    failed_at_most: Any = None
    unmet_at_least: Any = None
    unmet_at_most: Any = None
    score_at_least: Any = None
    score_below: Any = None
    minimums_met: bool = False
    failed: tuple[str, ...] = ()

    @property
    def conditions(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in (*COUNTED, *SCORED) if getattr(self, name) is not None}
        if self.minimums_met:
            found["minimums_met"] = True
        if self.failed:
            found["failed"] = self.failed
        return found


@dataclass(frozen=True, kw_only=True)
class Bounds(Sourced):
    """Between what and what each weight is drawn for the test of stability, as multiples of its own (or of an equal) weight."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, kw_only=True)
class Sight(Sourced):
    """Who reads what once it is final."""

    group: str
    marks: str
    findings: str


@dataclass(frozen=True, kw_only=True)
class Grid(Sourced):
    """An evaluation grid. ``campaign`` names the groups that it leads to; without rules only people decide the group."""

    code: str
    title: Text
    campaign: str
    valid_from: date
    valid_to: date | None = None
    weights_total: Decimal | None = None
    scale: Scale
    criteria: tuple[Criterion, ...]
    rules: tuple[Rule, ...] = ()
    bounds: Bounds | None = None
    sight: Sight

    @property
    def weighted(self) -> bool:
        """Whether the weights of the criteria were published."""
        return all(c.weight is not None for c in self.criteria)

    @property
    def questions(self) -> tuple[tuple[Criterion, Question], ...]:
        return tuple((c, q) for c in self.criteria for q in c.questions)

    def question(self, name: str) -> tuple[Criterion, Question]:
        """The sub-question ``criterion/question``; KeyError when there is none."""
        for c, q in self.questions:
            if f"{c.code}/{q.code}" == name:
                return c, q
        raise KeyError(name)

    def criterion(self, code: str) -> Criterion:
        for one in self.criteria:
            if one.code == code:
                return one
        raise KeyError(code)


@dataclass(frozen=True, kw_only=True)
class SurveyQuestion(Placed):
    """A question to members. ``kind``: scale (1 to ``steps``), choice, yes_no, text. ``criterion`` it informs, if any."""

    code: str
    title: Text
    kind: str
    steps: int = 5
    choices: tuple[SurveyChoice, ...] = ()
    required: bool = False
    criterion: str | None = None


@dataclass(frozen=True, kw_only=True)
class SurveyChoice(Placed):
    code: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class Questionnaire(Sourced):
    """A questionnaire to the members of the clusters under evaluation."""

    code: str
    title: Text
    introduction: Text
    questions: tuple[SurveyQuestion, ...]

    def question(self, code: str) -> SurveyQuestion:
        for one in self.questions:
            if one.code == code:
                return one
        raise KeyError(code)


# -- shapes -----------------------------------------------------------------------------------


def share(node: Node, reading: Reading) -> Any:
    value = number(node, reading)
    if value is not BAD and not 0 <= value <= 1:
        return reading.fault(node, said(node), T("une part entre 0 et 1", "a share between 0 and 1"))
    return value


def positive(node: Node, reading: Reading) -> Any:
    value = number(node, reading)
    if value is not BAD and value <= 0:
        return reading.fault(node, said(node), T("un nombre au-dessus de zéro", "a number above zero"))
    return value


def or_parameter(shape: Callable[[Node, Reading], Any]) -> Callable[[Node, Reading], Any]:
    """A value, or the name of the dated parameter that holds it (``evaluations.…``)."""

    def read(node: Node, reading: Reading) -> Any:
        if node.kind == "scalar" and isinstance(node.value, str):
            return string(node, reading)
        return shape(node, reading)

    return read


MARK = record(Mark, {"code": Key(code), "title": Key(text), "points": Key(share), "passes": Key(boolean)})


def _scale(built: Scale, node: Node, reading: Reading) -> None:
    places = node.get("marks")
    for position in range(1, len(built.marks)):
        before, after = built.marks[position - 1], built.marks[position]
        place = places.elements[position] if places else node
        if after.points <= before.points:
            reading.fault(
                place,
                T("« {a} » ({p} point)", "“{a}” ({p} points)", a=after.code, p=after.points),
                T(
                    "plus que « {b} » ({p}) : l'échelle va du pire au meilleur",
                    "more than “{b}” ({p}): a scale goes from the worst to the best",
                    b=before.code,
                    p=before.points,
                ),
                key="points",
            )
        if before.passes and not after.passes:
            reading.fault(
                place,
                T("« {a} » ne passe pas", "“{a}” does not pass", a=after.code),
                T(
                    "passes: true, puisque « {b} », en dessous, passe", "passes: true, since “{b}”, below it, passes",
                    b=before.code,
                ),
                key="passes",
            )  # fmt: skip
    if not any(m.passes for m in built.marks):
        reading.fault(node, T("aucun cran ne passe", "no step passes"), T("au moins un cran qui passe", "at least one step that passes"))  # fmt: skip


SCALE = record(Scale, {"marks": Key(many(MARK, unique="code", least=2))}, sourced=True, check=_scale)
QUESTION = record(
    Question,
    {
        "code": Key(code),
        "title": Key(text),
        "guidance": Key(text, None),
        "weight": Key(positive, None),
        "minimum": Key(boolean, False),
    },
)
CRITERION = record(
    Criterion,
    {
        "code": Key(code),
        "title": Key(text),
        "weight": Key(positive, None),
        "passes_from": Key(share, None),
        "questions": Key(many(QUESTION, unique="code", least=1)),
    },
    sourced=True,
)
COUNT, PART = Key(or_parameter(natural), None), Key(or_parameter(share), None)
RULE = record(
    Rule,
    {
        "group": Key(code),
        **dict.fromkeys(COUNTED, COUNT),
        **dict.fromkeys(SCORED, PART),
        "minimums_met": Key(boolean, False),
        "failed": Key(many(code, unique=""), ()),
    },
    sourced=True,
)


def _bounds(built: Bounds, node: Node, reading: Reading) -> None:
    if built.low > built.high:
        reading.fault(node, T("de {a} à {b}", "from {a} to {b}", a=built.low, b=built.high), T("low au plus égal à high", "low not above high"))  # fmt: skip


BOUNDS = record(Bounds, {"low": Key(positive), "high": Key(positive)}, sourced=True, check=_bounds)
SIGHT = record(Sight, dict.fromkeys(("group", "marks", "findings"), Key(one_of(SIGHTS))), sourced=True)


def _weights(what: Text, weights: list[Any], total: Decimal, node: Node, reading: Reading) -> None:
    given = [w for w in weights if w is not None]
    if not given:
        return
    if len(given) != len(weights):
        reading.fault(
            node,
            T("{n} poids pour {m} {w}", "{n} weights for {m} {w}", n=len(given), m=len(weights), w=what),
            T("un poids pour chacun, ou aucun", "a weight for each, or none"),
            key="weight",
        )
    elif sum(given) != total:
        reading.fault(
            node,
            T("des poids qui font {s}", "weights that add up to {s}", s=sum(given)),
            T("{t} (weights_total, 1 sans lui)", "{t} (weights_total, 1 without it)", t=total),
            key="weight",
        )


def _grid(built: Grid, node: Node, reading: Reading) -> None:
    if built.valid_to and built.valid_to < built.valid_from:
        reading.fault(node.get("valid_to") or node, T("{d}", "{d}", d=built.valid_to), T("une date qui ne précède pas valid_from", "a date not before valid_from"))  # fmt: skip
    total = built.weights_total or Decimal(1)
    places = node.get("criteria")
    _weights(T("critères", "criteria"), [c.weight for c in built.criteria], total, places or node, reading)
    for position, criterion in enumerate(built.criteria):
        place = places.elements[position] if places else node
        _weights(T("questions", "questions"), [q.weight for q in criterion.questions], total, place, reading)
    known = [c.code for c in built.criteria]
    rules = node.get("rules")
    for position, rule in enumerate(built.rules):
        place = rules.elements[position] if rules else node
        for name in rule.failed:
            if name not in known:
                reading.fault(
                    place,
                    T("le critère « {c} »", "the criterion “{c}”", c=name),
                    T("l'un de {k}", "one of {k}", k=quoted(known)),
                    key="failed",
                )
        for name in ("failed_at_least", "failed_at_most"):
            value = getattr(rule, name)
            if isinstance(value, int) and value > len(known):
                reading.fault(
                    place,
                    T("{n} critères", "{n} criteria", n=value),
                    T("au plus {m}, le nombre des critères", "at most {m}, the number of criteria", m=len(known)),
                    key=name,
                )
        counts = rule.failed or rule.failed_at_least is not None or rule.failed_at_most is not None
        if counts and any(c.passes_from is None for c in built.criteria):
            reading.fault(
                place,
                T("une règle qui compte les critères manqués", "a rule that counts failed criteria"),
                T("passes_from dans chaque critère", "passes_from in each criterion"),
            )
        last = position == len(built.rules) - 1
        if last and rule.conditions:
            reading.fault(
                place,
                T("des conditions dans la dernière règle", "conditions in the last rule"),
                T("une dernière règle sans condition : tout cas a un groupe", "a last rule without condition: every case has a group"),
            )  # fmt: skip
        if not last and not rule.conditions:
            reading.fault(
                place,
                T("aucune condition", "no condition"),
                T("des conditions : les règles suivantes ne seraient jamais lues", "conditions: the rules after it would never be read"),
            )  # fmt: skip


GRID = record(
    Grid,
    {
        "code": Key(code),
        "title": Key(text),
        "campaign": Key(string),
        "valid_from": Key(day),
        "valid_to": Key(day, None),
        "weights_total": Key(positive, None),
        "scale": Key(SCALE),
        "criteria": Key(many(CRITERION, unique="code", least=1)),
        "rules": Key(many(RULE), ()),
        "bounds": Key(BOUNDS, None),
        "sight": Key(SIGHT),
    },
    sourced=True,
    check=_grid,
)
CHOICE = record(SurveyChoice, {"code": Key(code), "title": Key(text)})


def _survey_question(built: SurveyQuestion, node: Node, reading: Reading) -> None:
    if built.kind == "choice" and len(built.choices) < 2:
        reading.fault(node, T("moins de deux choix", "less than two choices"), T("au moins deux choix", "at least two choices"), key="choices")  # fmt: skip
    if built.kind == "scale" and not 2 <= built.steps <= 10:
        reading.fault(node, T("{n} crans", "{n} steps", n=built.steps), T("de 2 à 10 crans", "2 to 10 steps"), key="steps")  # fmt: skip


SURVEY_QUESTION = record(
    SurveyQuestion,
    {
        "code": Key(code),
        "title": Key(text),
        "kind": Key(one_of(SURVEY_KINDS)),
        "steps": Key(natural, 5),
        "choices": Key(many(CHOICE, unique="code"), ()),
        "required": Key(boolean, False),
        "criterion": Key(code, None),
    },
    check=_survey_question,
)
QUESTIONNAIRE = record(
    Questionnaire,
    {
        "code": Key(code),
        "title": Key(text),
        "introduction": Key(text),
        "questions": Key(many(SURVEY_QUESTION, unique="code", least=1)),
    },
    sourced=True,
)
KEYS = {
    "grids": Key(many(GRID, unique="code"), ()),
    "questionnaires": Key(many(QUESTIONNAIRE, unique="code"), ()),
}


def cross(grids: Any, groups: Any, named: Any, fault: Callable[..., None]) -> None:
    """What a grid names elsewhere: groups of its campaign, parameters."""
    for grid in grids or ():
        own = None if groups is None else [g.code for g in groups if g.campaign == grid.campaign]
        for position, rule in enumerate(grid.rules):
            path = f"grids.{grid.code}.rules[{position}]"
            if own is not None and rule.group not in own:
                fault(
                    rule,
                    f"{path}.group",
                    T("le groupe « {g} »", "the group “{g}”", g=rule.group),
                    T("un groupe de la campagne {c} : {all}", "a group of campaign {c}: {all}", c=grid.campaign, all=quoted(own) or "—"),
                )  # fmt: skip
            for name, value in rule.conditions.items():
                if isinstance(value, str) and value not in named:
                    fault(
                        rule,
                        f"{path}.{name}",
                        T("le paramètre « {p} »", "the parameter “{p}”", p=value),
                        T("un nombre, ou un paramètre de la politique", "a number, or a parameter of the policy"),
                    )
