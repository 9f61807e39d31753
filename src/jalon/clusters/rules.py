"""What the texts say about the register, as pure functions of plain values (*règles du registre*).

An act may be recorded on a label, a governing body is balanced, a mandate is in order: each refuses or answers with a
:class:`jalon.core.why.Why`. No Django, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jalon.clusters.labels import ENDING, GRANTING, LabelActRecord, LabelRecord, spans
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why

LABEL_ENDS_WITHIN = 183
"""Days before the end of a label from which the people concerned are told (about six months; ours)."""
MANDATE_ENDS_WITHIN = 60
"""Days before the end of a governance mandate from which the people concerned are told (ours)."""


def _shown(day: date | None) -> str:
    from jalon.core.lang import language

    if day is None:
        return "?"
    return f"{day.day:02d}/{day.month:02d}/{day.year}" if language() == "fr" else day.isoformat()


class _Day:
    """A day inside a sentence, written in the language that is spoken when it is read."""

    def __init__(self, day: date | None):
        self.day = day

    def __format__(self, _spec: str) -> str:
        return _shown(self.day)

    def __str__(self) -> str:
        return _shown(self.day)


# --- acts on labels ----------------------------------------------------------------------------------------------


def check_act(acts: Sequence[LabelActRecord], new: LabelActRecord) -> None:
    """Refuse an act that cannot stand beside those of the label.

    A granting act may not begin inside an earlier period (an extension begins on the day after it) nor run into a later
    one; an act that ends a label needs a label in force on the day before; two acts may not take effect on one day.

    Raises:
        Refused: what was found, and what would be accepted.
    """
    faults: list[Text] = []
    if new.act not in (*GRANTING, *ENDING):
        raise Refused(T("Acte inconnu : « {a} ».", "Unknown act: “{a}”.", a=new.act), kind="input")
    if new.until is not None and new.until < new.effective_from:
        faults.append(
            T(
                "La fin ({b}) précède le début ({a}).",
                "The end ({b}) comes before the start ({a}).",
                a=_Day(new.effective_from),
                b=_Day(new.until),
            )
        )
    if not new.grants and new.until is not None:
        faults.append(
            T(
                "Un acte qui met fin au label n'a pas de date de fin.",
                "An act that ends the label has no end of its own.",
            )
        )
    same = next((a for a in acts if a.effective_from == new.effective_from), None)
    if same is not None:
        faults.append(
            T(
                "Un autre acte prend déjà effet le {d} ; corriger celui-là plutôt que d'en ajouter un second.",
                "Another act already takes effect on {d}; correct that one rather than adding a second.",
                d=_Day(new.effective_from),
            )
        )
    periods = spans(LabelRecord("", "", "", (), tuple(acts)))
    first = min((a.effective_from for a in acts if a.grants), default=None)
    if new.grants:
        faults += _overlaps(periods, new)
    elif first is None or new.effective_from <= first:
        faults.append(
            T(
                "Le label n'a pas encore été attribué le {d} : il ne peut pas prendre fin ce jour-là.",
                "The label had not been granted yet on {d}: it cannot end on that day.",
                d=_Day(new.effective_from),
            )
        )
    elif not any(_holds(p, new.effective_from - timedelta(days=1)) for p in periods):
        faults.append(
            T(
                "Le label n'est pas en vigueur la veille du {d} : il n'y a rien à y mettre fin.",
                "The label is not in force on the day before {d}: there is nothing to end.",
                d=_Day(new.effective_from),
            )
        )
    if faults:
        raise Refused(
            T("Cet acte ne peut pas être enregistré.", "This act cannot be recorded.")
            if len(faults) > 1
            else faults[0],
            missing=faults if len(faults) > 1 else (),
            kind="rule",
            why=Why(
                rule=T(
                    "Les périodes d'un même label ne se chevauchent pas ; un label ne prend fin qu'après avoir été attribué.",
                    "Periods of one label do not overlap; a label ends only after it was granted.",
                ),
                inputs={
                    T("Périodes connues", "Periods known"): "; ".join(
                        f"{_shown(p.starts_on)} – {_shown(p.ends_on)}" for p in periods
                    )
                },
            ),
        )


def _holds(period: Any, day: date) -> bool:
    return period.starts_on <= day and (period.ends_on is None or day <= period.ends_on)


def _overlaps(periods: Iterable[Any], new: LabelActRecord) -> list[Text]:
    found = []
    for period in periods:
        starts_after_end = period.ends_on is not None and new.effective_from > period.ends_on
        ends_before_start = new.until is not None and new.until < period.starts_on
        if not starts_after_end and not ends_before_start:
            found.append(
                T(
                    "La période chevauche celle du {a} au {b} ; une prolongation commence le lendemain de la fin.",
                    "The period overlaps the one from {a} to {b}; an extension begins on the day after the end.",
                    a=_Day(period.starts_on),
                    b=_Day(period.ends_on),
                )
            )
    return found


# --- governance --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preponderance:
    """Whether industrial, scientific and academic colleges hold the preponderant place in a body.

    ``answer`` is None when the body has no seat recorded or no threshold is in force on the day: unknown, not "no".
    """

    answer: bool | None
    seats: int
    preponderant: int
    why: Why


def preponderance(
    seats: Mapping[str, int], preponderant_colleges: Iterable[str], threshold: Any, day: date
) -> Preponderance:
    """The check of one governing body on a day.

    Args:
        seats: number of seats by college.
        preponderant_colleges: codes of the colleges whose actors must hold the preponderant place.
        threshold: the policy's parameter ``governance.preponderant_share_above`` in force, or None.

    The text gives no quota; a share strictly above one half is our reading of it, and the answer says so.
    """
    wanted = set(preponderant_colleges)
    total = sum(seats.values())
    ours = sum(n for college, n in seats.items() if college in wanted)
    above = None if threshold is None else Decimal(str(threshold.value))
    answer = None if not total or above is None else Decimal(ours) > above * total
    why = Why(
        rule=T(
            "Les collèges des acteurs industriels, scientifiques et académiques réunis doivent tenir plus de la part "
            "fixée des sièges ; les collectivités territoriales peuvent être représentées.",
            "The colleges of industrial, scientific and academic actors together must hold more than the fixed share "
            "of the seats; local authorities can be represented.",
        ),
        parameter="governance.preponderant_share_above",
        value=above,
        unit=str(threshold.unit_title) if threshold is not None and threshold.unit_title else "",
        reference=str(threshold.reference or "") if threshold is not None else "",
        url=str(threshold.url or "") if threshold is not None else "",
        day=day,
        inputs={
            T("Sièges des collèges prépondérants", "Seats of the preponderant colleges"): ours,
            T("Sièges occupés en tout", "Seats in all"): total,
        },
        formula=f"{ours} / {total}" if total else "",
        reading=True,
    )
    return Preponderance(answer, total, ours, why)


def check_period(starts_on: date | None, ends_on: date | None) -> None:
    """Refuse a period that ends before it starts (mandates, posts, carriers, correspondents)."""
    if starts_on and ends_on and ends_on < starts_on:
        raise Refused(
            T(
                "La fin ({b}) précède le début ({a}).",
                "The end ({b}) comes before the start ({a}).",
                a=_Day(starts_on),
                b=_Day(ends_on),
            ),
            kind="rule",
        )


def check_fte(fte: Decimal) -> None:
    """Refuse full-time equivalents that no post can have: more than 0 and up to 1 hundred."""
    if not Decimal(0) < fte <= Decimal(100):
        raise Refused(
            T(
                "{n} équivalent temps plein n'est pas possible : plus de 0, et 100 au plus.",
                "{n} full-time equivalents is not possible: more than 0, and 100 at most.",
                n=fte,
            ),
            kind="rule",
        )


def ends_soon(ends_on: date | None, day: date, within: int) -> bool:
    """Whether a period that is still running ends within so many days."""
    return ends_on is not None and day <= ends_on <= day + timedelta(days=within)


def day_asked(text: str, default: date | None) -> date | None:
    """The day of ``?on=`` or ``--on``.

    Raises:
        Refused: what was found and what was expected.
    """
    if not text:
        return default
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused(
            T(
                "« {found} » n'est pas un jour ; attendu : AAAA-MM-JJ, par exemple 2010-05-12.",
                "“{found}” is not a day; expected: YYYY-MM-DD, for example 2010-05-12.",
                found=text[:40],
            ),
            kind="input",
        ) from error
