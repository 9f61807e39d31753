"""Rules of observed values: reading what was typed, checks before submission, shape of a formula.

Pure functions; the ranges and jumps that ask for a comment are the policy's (catalogue of indicators).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.formula import Formula, Number, Operation, Tree

ERROR, WARNING = "error", "warning"

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009_]")
_UNITS = re.compile(r"(?i)(€|%|etp|fte|eur)$")
_NUMBER = re.compile(r"[-+\u2212]?\d+(?:[.,]\d+)?|[-+\u2212]?[.,]\d+")
_GROUPED = re.compile(r"[-+\u2212]?\d{1,3}(?:[ \u00a0\u202f\u2009]\d{3})+(?:[.,]\d+)?")
_LARGEST = Decimal(10) ** 13


@dataclass(frozen=True)
class Finding:
    """What a check found. ``level``: an error bars submission, a warning asks to look again."""

    level: str
    code: str
    text: Text
    field: str = "value"
    why: Why | None = None

    @property
    def error(self) -> bool:
        return self.level == ERROR


def read_number(typed: str | None) -> Decimal | None:
    """The number that somebody typed; None for nothing. Accepts « 12,5 », « 1 234 », « 1 234,50 € », « 57 % ».

    Raises:
        Refused: what was typed is not one number, or has more than 13 digits before the comma.
    """
    text = (typed or "").strip()
    if not text:
        return None
    bare = _UNITS.sub("", text).strip()
    if re.search(r"\d\s+\d", bare) and not _GROUPED.fullmatch(bare):
        raise _unreadable(text)
    compact = _SPACES.sub("", bare)
    if not _NUMBER.fullmatch(compact):
        raise _unreadable(text)
    try:
        value = Decimal(compact.replace(",", ".").replace("\u2212", "-"))
    except InvalidOperation:
        raise _unreadable(text) from None
    if abs(value) >= _LARGEST or -value.as_tuple().exponent > 6:
        raise Refused(
            T(
                "« {found} » ne peut pas être conservé : au plus 13 chiffres avant la virgule et 6 après.",
                "“{found}” cannot be kept: at most 13 digits before the decimal point and 6 after it.",
                found=text[:40],
            ),
            kind="input",
        )
    return value


def _unreadable(text: str) -> Refused:
    return Refused(
        T(
            "« {found} » ne se lit pas comme un nombre ; écrivez par exemple 12,5 ou 1 234, ou laissez vide si la valeur est inconnue.",
            "“{found}” cannot be read as a number; write for example 12.5 or 1 234, or leave it empty if the value is unknown.",
            found=text[:40],
        ),
        kind="input",
    )


@dataclass(frozen=True)
class Definition:
    """What the checks must know of an indicator (from the catalogue, or from the contract for its own ones)."""

    unit: str = "count"
    decimals: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    jump: Decimal | None = None  # relative change that asks for a comment: 0.5 is 50 %
    evidence_required: bool = False
    additive: bool = True  # values of a breakdown add up to the total
    # Where these come from, for the "why?": path in the policy, text, address.
    parameter: str = ""
    reference: str = ""
    url: str = ""

    @property
    def bounds(self) -> tuple[Decimal | None, Decimal | None]:
        """Smallest and largest possible value: the policy's, else what the unit allows by its meaning."""
        low, high = self.minimum, self.maximum
        if low is None and self.unit in ("count", "percent", "fte", "money"):
            low = Decimal(0)
        if high is None and self.unit == "percent":
            high = Decimal(100)
        if self.unit == "yes_no":
            low, high = Decimal(0), Decimal(1)
        return low, high


def definition_of(indicator: Any) -> Definition:
    """The checks' view of an indicator of the catalogue."""
    return Definition(
        unit=indicator.unit,
        decimals=indicator.decimals,
        minimum=indicator.range.min,
        maximum=indicator.range.max,
        jump=indicator.jump_warning,
        evidence_required=indicator.evidence_required,
        parameter=f"indicators.{indicator.code}",
        reference=indicator.reference or str(indicator.title),
        url=indicator.url or "",
    )


_REASONS: dict[str, Text] = {
    "missing": T(
        "Une valeur inconnue se dit inconnue, avec la raison : elle n'est jamais comptée comme zéro.",
        "An unknown value is said to be unknown, with the reason: it is never counted as zero.",
    ),
    "breakdown_without_total": T("Une ventilation répartit un total : il faut le total.", "A breakdown splits a total: the total is needed."),
    "range": T(
        "Le catalogue, ou le sens de l'unité, borne les valeurs possibles de l'indicateur.",
        "The catalogue, or the meaning of the unit, bounds the possible values of the indicator.",
    ),
    "whole": T("Un dénombrement donne un nombre entier.", "A count gives a whole number."),
    "fraction": T(
        "Un taux est le quotient de son numérateur et de son dénominateur ; les trois doivent s'accorder.",
        "A rate is the quotient of its numerator and denominator; the three must agree.",
    ),
    "breakdown": T("Les parts d'une ventilation s'additionnent pour donner la valeur.", "The parts of a breakdown add up to the value."),
    "breakdown_incomplete": T("Une ventilation se remplit en entier, ou pas du tout.", "A breakdown is filled in whole, or not at all."),
    "jump": T(
        "Au-delà de l'écart relatif que fixe le catalogue, une valeur demande un mot d'explication.",
        "Beyond the relative change that the catalogue sets, a value asks for a word of explanation.",
    ),
    "evidence": T("La définition de l'indicateur demande une pièce justificative.", "The definition of the indicator asks for evidence."),
}  # fmt: skip


def why_of(finding: Finding, definition: Definition, inputs: Mapping[Any, Any]) -> Why:
    """The rule behind a finding: sentence, place in the catalogue and text, limits applied, values judged."""
    low, high = definition.bounds
    limits: dict[Any, Any] = {}
    if finding.code == "range":
        limits = {T("minimum", "lowest"): low, T("maximum", "highest"): high}
    elif finding.code == "jump" and definition.jump is not None:
        limits = {T("écart admis sans explication, en %", "change allowed without a word, in %"): 100 * definition.jump}
    own = definition.parameter != ""
    return Why(
        rule=_REASONS.get(finding.code, _REASONS["range"]),
        parameter=definition.parameter,
        reference=definition.reference,
        url=definition.url,
        inputs={
            **{k: v for k, v in inputs.items() if v is not None},
            **{k: v for k, v in limits.items() if v is not None},
        },
        reading=own and finding.code == "jump",
    )


def check_value(
    definition: Definition,
    *,
    value: Decimal | None,
    numerator: Decimal | None = None,
    denominator: Decimal | None = None,
    breakdowns: Mapping[str, Mapping[str, Decimal | None]] | None = None,
    note: str = "",
    evidence: bool = False,
    previous: Decimal | None = None,
) -> list[Finding]:
    """What is wrong or surprising about a declared value, errors first, each with its reason.

    ``breakdowns``: breakdown → its values. ``previous``: the value of the period before, None if unknown.
    """
    found = _findings(definition, value, numerator, denominator, breakdowns, note, evidence, previous)
    inputs = {
        T("valeur", "value"): value,
        T("valeur de la période précédente", "value of the period before"): previous,
        T("numérateur", "numerator"): numerator,
        T("dénominateur", "denominator"): denominator,
    }
    return [replace(f, why=why_of(f, definition, inputs)) for f in found]


def _findings(
    definition: Definition,
    value: Decimal | None,
    numerator: Decimal | None,
    denominator: Decimal | None,
    breakdowns: Mapping[str, Mapping[str, Decimal | None]] | None,
    note: str,
    evidence: bool,
    previous: Decimal | None,
) -> list[Finding]:
    found: list[Finding] = []
    note = note.strip()
    if value is None:
        if not note:
            found.append(
                Finding(
                    ERROR,
                    "missing",
                    T(
                        "Aucune valeur : si elle est inconnue, dites pourquoi dans la note.",
                        "No value: if it is unknown, say why in the note.",
                    ),
                )
            )
        if any(v is not None for parts in (breakdowns or {}).values() for v in parts.values()):
            found.append(
                Finding(
                    ERROR,
                    "breakdown_without_total",
                    T(
                        "La ventilation est remplie mais le total est vide.",
                        "The breakdown is filled in but the total is empty.",
                    ),
                )
            )
        return found
    found += _check_bounds(definition, value)
    found += _check_fraction(definition, value, numerator, denominator)
    found += _check_breakdowns(definition, value, breakdowns or {})
    if previous is not None and definition.jump is not None and not note:
        change = abs(value - previous) / abs(previous) if previous else None
        if change is not None and change > definition.jump:
            found.append(
                Finding(
                    WARNING,
                    "jump",
                    T(
                        "La valeur passe de {old} à {new}, soit {change} % d'écart (plus de {limit} %) : vérifiez, ou expliquez dans la note.",
                        "The value goes from {old} to {new}, a change of {change}% (over {limit}%): check it, or explain in the note.",
                        old=_said(previous),
                        new=_said(value),
                        change=_said((100 * change).quantize(Decimal(1))),
                        limit=_said(100 * definition.jump),
                    ),
                )
            )
    if definition.evidence_required and not evidence:
        found.append(
            Finding(
                WARNING,
                "evidence",
                T(
                    "Aucune pièce justificative n'est jointe ; la définition en demande une.",
                    "No evidence is attached; the definition asks for one.",
                ),
                field="evidence",
            )
        )
    return sorted(found, key=lambda f: f.level != ERROR)


def _check_bounds(definition: Definition, value: Decimal) -> list[Finding]:
    found = []
    low, high = definition.bounds
    if low is not None and value < low:
        found.append(
            Finding(
                ERROR,
                "range",
                T(
                    "{value} est au-dessous du minimum possible, {low}.",
                    "{value} is below the lowest possible value, {low}.",
                    value=_said(value),
                    low=_said(low),
                ),
            )
        )
    if high is not None and value > high:
        found.append(
            Finding(
                ERROR,
                "range",
                T(
                    "{value} est au-dessus du maximum possible, {high}.",
                    "{value} is above the highest possible value, {high}.",
                    value=_said(value),
                    high=_said(high),
                ),
            )
        )
    if definition.unit == "count" and definition.decimals == 0 and value != value.to_integral_value():
        found.append(
            Finding(
                ERROR,
                "whole",
                T(
                    "{value} n'est pas un nombre entier ; cet indicateur compte des unités entières.",
                    "{value} is not a whole number; this indicator counts whole units.",
                    value=_said(value),
                ),
            )
        )
    return found


def _check_fraction(
    definition: Definition, value: Decimal, numerator: Decimal | None, denominator: Decimal | None
) -> list[Finding]:
    if numerator is None and denominator is None:
        return []
    if numerator is None or denominator is None:
        return [
            Finding(
                ERROR,
                "fraction",
                T(
                    "Donnez le numérateur et le dénominateur, ou aucun des deux.",
                    "Give both numerator and denominator, or neither.",
                ),
                field="numerator",
            )
        ]
    if denominator == 0:
        return [
            Finding(
                ERROR,
                "fraction",
                T(
                    "Le dénominateur est zéro : le rapport ne peut pas être calculé.",
                    "The denominator is zero: the ratio cannot be computed.",
                ),
                field="denominator",
            )
        ]
    factor = 100 if definition.unit == "percent" else 1
    expected = factor * numerator / denominator
    places = Decimal(1).scaleb(-(definition.decimals if definition.decimals is not None else 2))
    if abs(expected - value) > places:
        return [
            Finding(
                ERROR,
                "fraction",
                T(
                    "{num} sur {den} donne {expected}, mais la valeur dit {value}.",
                    "{num} out of {den} makes {expected}, but the value says {value}.",
                    num=_said(numerator),
                    den=_said(denominator),
                    expected=_said(expected.quantize(places)),
                    value=_said(value),
                ),
                field="numerator",
            )
        ]
    return []


def _check_breakdowns(
    definition: Definition, value: Decimal, breakdowns: Mapping[str, Mapping[str, Decimal | None]]
) -> list[Finding]:
    found = []
    for code, parts in breakdowns.items():
        known = [v for v in parts.values() if v is not None]
        if not known:
            continue
        if any(v < 0 for v in known):
            found.append(
                Finding(
                    ERROR,
                    "breakdown",
                    T("Une ventilation ne peut pas être négative.", "A part of a breakdown cannot be negative."),
                    field=code,
                )
            )
        whole = Decimal(100) if definition.unit == "percent" else value
        total = sum(known)
        if len(known) < len(parts):
            if total > whole:
                found.append(_sum_differs(code, total, whole))
            else:
                found.append(
                    Finding(
                        WARNING,
                        "breakdown_incomplete",
                        T(
                            "La ventilation est incomplète : {n} valeur(s) sur {all}.",
                            "The breakdown is incomplete: {n} of {all} values.",
                            n=len(known),
                            all=len(parts),
                        ),
                        field=code,
                    )
                )
        elif definition.additive and total != whole:
            found.append(_sum_differs(code, total, whole))
    return found


def _sum_differs(code: str, total: Decimal, whole: Decimal) -> Finding:
    return Finding(
        ERROR,
        "breakdown",
        T(
            "La ventilation fait {total} en tout, la valeur dit {whole}.",
            "The breakdown adds up to {total}, the value says {whole}.",
            total=_said(total),
            whole=_said(whole),
        ),
        field=code,
    )


class _Said:
    """A number inside a sentence: comma in French, point in English, no exponent."""

    def __init__(self, value: Decimal):
        self.value = value

    def __str__(self) -> str:
        from jalon.core.lang import language

        text = format(self.value.normalize(), "f") if self.value else "0"
        return text.replace(".", ",") if language() == "fr" else text


def _said(value: Decimal) -> _Said:
    return _Said(Decimal(value))


# --- the shape of a formula -----------------------------------------------------------------------


def fraction_of(formula: Formula) -> tuple[Tree, Tree] | None:
    """Numerator and denominator of a formula that is one (``100 * a / b`` gives a and b), else None."""
    tree, scale = formula.tree, None
    if isinstance(tree, Operation) and tree.sign == "*":
        for factor, other in ((tree.left, tree.right), (tree.right, tree.left)):
            if isinstance(factor, Number) and isinstance(other, Operation) and other.sign == "/":
                tree, scale = other, factor
    if not (isinstance(tree, Operation) and tree.sign == "/") or isinstance(tree.right, Number):
        return None
    top = tree.left
    if scale is None and isinstance(top, Operation) and top.sign == "*":
        if isinstance(top.left, Number):
            top = top.right
        elif isinstance(top.right, Number):
            top = top.left
    return top, tree.right
