"""Formulas of computed indicators: numbers, + - * / ( ) and names of measures.

    Formula.parse("100 * clusters.members_sme / clusters.members_firm")

A measure that is not known (None) makes the result unknown, and so does a division by zero: never a
silent zero. Nothing else of Python can be written: no call, no power, no index.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from jalon.core.lang import T, Text

_SIGNS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_LONGEST = 500
_DEEPEST = 40


class FormulaError(ValueError):
    """The formula cannot be read; ``text`` says what was found, in both languages."""

    def __init__(self, text: Text):
        self.text = text
        super().__init__(str(text))

    def __str__(self) -> str:
        return str(self.text)


@dataclass(frozen=True)
class Number:
    value: Decimal


@dataclass(frozen=True)
class Measure:
    name: str


@dataclass(frozen=True)
class Negative:
    of: Tree


@dataclass(frozen=True)
class Operation:
    sign: str
    left: Tree
    right: Tree


Tree = Number | Measure | Negative | Operation


@dataclass(frozen=True)
class Formula:
    """A formula that was read and found safe. ``source`` is its text as written."""

    source: str
    tree: Tree
    measures: tuple[str, ...]

    @classmethod
    def parse(cls, source: str) -> Formula:
        """Read a formula.

        Raises:
            FormulaError: something else than numbers, + - * / ( ) and measure names.
        """
        if len(source) > _LONGEST:
            raise FormulaError(
                T(
                    f"une formule de {len(source)} caractères",
                    f"a formula of {len(source)} characters",
                )
            )
        try:
            parsed = ast.parse(source.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise FormulaError(T(f"« {source} »", f"“{source}”")) from None
        names: list[str] = []
        tree = _convert(parsed.body, names, source, 0)
        return cls(source.strip(), tree, tuple(dict.fromkeys(names)))

    def evaluate(self, measures: Mapping[str, Any] | Callable[[str], Decimal | int | None]) -> Decimal | None:
        """The value for these measures; None when one is unknown or a denominator is zero.

        ``measures`` maps names to int, Decimal or None, or is a function that does. A name missing
        from a mapping counts as unknown.
        """
        look = measures.get if isinstance(measures, Mapping) else measures
        with localcontext() as context:
            context.prec = 34
            return _value(self.tree, look)

    def __str__(self) -> str:
        return self.source


def _convert(node: ast.expr, names: list[str], source: str, depth: int) -> Tree:
    if depth > _DEEPEST:
        raise FormulaError(T("trop de parenthèses", "too many nested parentheses"))
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        text = ast.get_source_segment(source.strip(), node) or repr(node.value)
        try:
            number = Decimal(text)
        except ArithmeticError:
            raise FormulaError(T(f"« {text} »", f"“{text}”")) from None
        if not number.is_finite():
            raise FormulaError(T(f"« {text} »", f"“{text}”"))
        return Number(number)
    if isinstance(node, ast.Name | ast.Attribute):
        name = _dotted(node)
        if name is not None:
            names.append(name)
            return Measure(name)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return Negative(_convert(node.operand, names, source, depth + 1))
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return Operation(
            _SIGNS[type(node.op)],
            _convert(node.left, names, source, depth + 1),
            _convert(node.right, names, source, depth + 1),
        )
    text = ast.get_source_segment(source.strip(), node) or source
    raise FormulaError(T(f"« {text} »", f"“{text}”"))


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _value(tree: Tree, look: Callable[[str], Any]) -> Decimal | None:
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Measure):
        found = look(tree.name)
        return None if found is None else Decimal(found)
    if isinstance(tree, Negative):
        inner = _value(tree.of, look)
        return None if inner is None else -inner
    left = _value(tree.left, look)
    right = _value(tree.right, look)
    if left is None or right is None:
        return None
    if tree.sign == "+":
        return left + right
    if tree.sign == "-":
        return left - right
    if tree.sign == "*":
        return left * right
    return None if right == 0 else left / right
