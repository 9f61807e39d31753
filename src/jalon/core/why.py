"""Explanations: every computed date, figure or refusal can say where it comes from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jalon.core.lang import Text


@dataclass(frozen=True)
class Why:
    """The answer to "why?": rule, parameter, text, policy day, inputs.

    Attributes:
        rule: one sentence: what the rule does.
        parameter: path in the policy (``evaluations.mid_term_review_after``), if one was used.
        value: the parameter's value in force, with its unit.
        reference: the text that fixes it; ``url`` its address.
        day: the day whose policy was read.
        inputs: what went in, by name.
        steps: how the result was reached, line by line.
        formula: the formula, when there is one.
        reading: the rule is our reading of a text that gives no figure.
        to_confirm: the value must still be checked on the official text.
    """

    rule: Text | str
    parameter: str = ""
    value: Any = None
    unit: str = ""
    reference: str = ""
    url: str = ""
    day: dt.date | None = None
    inputs: Mapping[Any, Any] = field(default_factory=dict)
    steps: tuple[Any, ...] = ()
    formula: str = ""
    reading: bool = False
    to_confirm: bool = False
    links: tuple[tuple[Any, str], ...] = ()
