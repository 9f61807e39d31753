"""What the texts say about reviews and the contradictory procedure: days, delays, what may be founded on what.

Pure functions of plain values, a day and the policy (``policy.on(day)``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.faults import day_text
from jalon.policy.rules import plus, plus_months

MAX_TEXT = 20_000
"""Longest text of a justification, a finding or a reply, in characters."""

# -- deadlines --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """A deadline (its last day, until midnight in Paris) and the rule behind it."""

    on: dt.date
    why: Why


def _settled_on(day: dt.date, policy_day: Any, place: str = "") -> tuple[dt.date, tuple[Text, ...]]:
    """The deadline moved off the days off of a place, where the policy moves it."""
    moves = policy_day.find("evaluations.deadline_on_working_day")
    if moves is None or not moves.value:
        return day, ()
    moved = policy_day.policy.working_days.not_before(day, place)
    if moved == day:
        return day, ()
    return moved, (
        T(
            "{a} est un jour chômé : report au premier jour ouvré, {b}",
            "{a} is a day off: moved to the next working day, {b}",
            a=day,
            b=moved,
        ),
    )


_MIDNIGHT = T(
    "Le délai finit à minuit, heure de Paris, y compris pour les pôles d'outre-mer.",
    "The delay ends at midnight, Paris time, for overseas clusters as well.",
)


def deadline(path: str, start: dt.date, policy_day: Any, *, given: dt.date | None = None, place: str = "") -> Due:
    """The last day of a delay that begins on ``start``: the policy's, or ``given`` where the policy has none.

    ``place``: the department whose holidays move the day (``"974"``), empty for those of everywhere.

    Raises:
        Refused: the policy has no such delay and no day is given, or the day given leaves less time than the policy.
    """
    delay = policy_day.find(path)
    if delay is None:
        if given is None:
            raise Refused(
                T(
                    "Le programme ne fixe pas ce délai ({p}) : donner le dernier jour.",
                    "The programme does not fix this delay ({p}): give its last day.",
                    p=path,
                ),
                kind="input",
            )
        if given <= start:
            raise Refused(
                T("Le dernier jour ({d}) suit le premier ({s}).", "The last day ({d}) comes after the first ({s}).", d=given, s=start),
                kind="input",
            )  # fmt: skip
        return Due(given, Why(rule=T("Jour fixé par l'acte : le programme n'a pas de délai.", "Day set by the act: the programme has no delay.")))  # fmt: skip
    end, steps = _settled_on(plus(start, int(delay.value), delay.unit), policy_day, place)
    if given is not None and given < end:
        raise Refused(
            T(
                "Le délai laissé finit le {d} ; la politique demande au moins jusqu'au {e}.",
                "The delay left ends on {d}; the policy asks for at least until {e}.",
                d=given,
                e=end,
            ),
            kind="input",
        )
    return Due(
        given or end,
        Why(
            rule=_MIDNIGHT,
            parameter=delay.path,
            value=delay.value,
            unit=delay.unit,
            reference=delay.reference,
            url=delay.url or "",
            day=start,
            inputs={T("début du délai", "start of the delay"): start},
            steps=(T("{s} + {n} {u}", "{s} + {n} {u}", s=start, n=delay.value, u=delay.unit_title), *steps),
            reading=delay.reading,
            to_confirm=delay.to_confirm,
        ),
    )


def extended(was: dt.date, until: dt.date, first: dt.date, reason: str, policy_day: Any, place: str = "") -> None:
    """Whether more time may be given.

    Raises:
        Refused: no reason, a day that gives no more time, or more than the policy allows beyond the ``first`` deadline.
    """
    if not reason.strip():
        raise Refused(T("Prolonger un délai demande un motif.", "Extending a delay needs a reason."), kind="input")
    if until <= was:
        raise Refused(
            T(
                "Le délai court déjà jusqu'au {w} ; le {u} ne donne pas plus de temps.",
                "The delay already runs until {w}; {u} gives no more time.",
                w=was,
                u=until,
            ),
            kind="input",
        )
    most = policy_day.find("evaluations.reply_extension_at_most")
    if most is not None and until > (limit := plus(first, int(most.value), most.unit)):
        limit = _settled_on(limit, policy_day, place)[0]
        if until > limit:
            raise Refused(
                T(
                    "La prolongation irait au {u} ; la politique permet au plus jusqu'au {l}.",
                    "The extension would go to {u}; the policy allows until {l} at most.",
                    u=until,
                    l=limit,
                ),
                why=Why(
                    rule=T(
                        "Une prolongation est bornée depuis la première échéance.",
                        "An extension is bounded from the first deadline.",
                    ),
                    parameter=most.path,
                    value=most.value,
                    unit=most.unit,
                    reference=most.reference,
                    reading=most.reading,
                ),
                kind="input",
            )


def in_time(due_on: dt.date, moment: dt.datetime, end_of_day: Any) -> None:
    """Refuse what comes after the deadline. ``end_of_day``: the last moment of a day in Paris.

    Raises:
        Refused: the delay has passed; the sentence says until when it ran and what may still be done.
    """
    if moment > end_of_day(due_on):
        raise Refused(
            T(
                "Le délai de réponse a pris fin le {d} à minuit (heure de Paris) : cette réponse ne peut plus être "
                "reçue. Ce qui est écrit reste gardé ; un agent peut le consigner comme tardif, avec un motif, sans "
                "qu'il compte.",
                "The delay to reply ended on {d} at midnight (Paris time): this reply can no longer be received. What "
                "is written is kept; an officer may record it as late, with a reason, without it counting.",
                d=due_on,
            ),
            why=Why(rule=_MIDNIGHT, inputs={T("dernier jour", "last day"): due_on}),
        )


# -- settled points ---------------------------------------------------------------------------


def set_aside(findings: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Sub-questions on which nothing may be founded any more, from (question, outcome) of every finding.

    A sub-question is set aside when it had findings and none of them stands: all were withdrawn or put right.
    """
    by_question: dict[str, list[str]] = {}
    for question, outcome in findings:
        if question:
            by_question.setdefault(question, []).append(outcome)
    return tuple(q for q, found in by_question.items() if found and all(o in ("withdrawn", "settled") for o in found))


def contestable(unmet: Sequence[str], questions_with_findings: Iterable[str]) -> list[str]:
    """The sub-questions marked below a pass without any finding: the cluster could not answer them."""
    told = set(questions_with_findings)
    return [q for q in unmet if q not in told]


def require_standing(findings: Iterable[Mapping[str, Any]]) -> None:
    """Nothing is sanctioned on a settled point: refuse grounds that were withdrawn, put right, or not yet heard.

    ``findings``: mappings with number, about and outcome.

    Raises:
        Refused: naming each point that may not be used.
    """
    wrong = []
    for one in findings:
        if one["outcome"] in ("withdrawn", "settled"):
            wrong.append(
                T(
                    "constat {n} ({a}) : {o}",
                    "finding {n} ({a}): {o}",
                    n=one["number"],
                    a=one["about"] or "–",
                    o=T("retiré", "withdrawn") if one["outcome"] == "withdrawn" else T("levé", "settled"),
                )
            )
        elif not one["outcome"]:
            wrong.append(
                T(
                    "constat {n} ({a}) : le pôle n'a pas encore été entendu jusqu'au bout",
                    "finding {n} ({a}): the cluster has not been heard to the end",
                    n=one["number"],
                    a=one["about"] or "–",
                )
            )
    if wrong:
        raise Refused(
            T(
                "Rien ne peut être fondé sur un point réglé ou non encore débattu.",
                "Nothing may be founded on a point that is settled or not yet debated.",
            ),
            missing=wrong,
            why=Why(
                rule=T(
                    "Un constat retiré, levé ou sans position finale ne fonde ni classement ni décision.",
                    "A finding withdrawn, settled or without a final position founds neither group nor decision.",
                )
            ),
        )


# -- reviews of a contract --------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewDay:
    """A review that a contract owes: its kind, its day, the rule behind it."""

    kind: str
    due_on: dt.date
    why: Why


def yearly_reviews(starts_on: dt.date | None, ends_on: dt.date | None, policy_day: Any) -> list[ReviewDay]:
    """The reviews at each interval from the contract's start, before its end; none where the policy has no interval."""
    every = policy_day.find("evaluations.yearly_review_every")
    if every is None or starts_on is None or not every.value:
        return []
    found = []
    for n in range(1, 40):
        day = plus_months(starts_on, n * int(every.value))
        if ends_on is None or day > ends_on:
            break
        found.append(
            ReviewDay(
                "yearly",
                day,
                Why(
                    rule=T("Un contrat est examiné à chaque date anniversaire.", "A contract is reviewed at each anniversary."),
                    parameter=every.path,
                    value=every.value,
                    unit=every.unit,
                    reference=every.reference,
                    url=every.url or "",
                    inputs={T("début du contrat", "start of the contract"): starts_on},
                    reading=every.reading,
                ),
            )
        )  # fmt: skip
    return found


def phase_review(phase: str, starts_on: dt.date | None, ends_on: dt.date | None, day: dt.date, policy_day: Any) -> ReviewDay | None:  # fmt: skip
    """The mid-term review of a phase (*bilan à mi-parcours*), where the policy names its first day."""
    first = policy_day.find("evaluations.phase_3_review_from")
    if first is None or phase != "phase-3" or starts_on is None or ends_on is None:
        return None
    if not starts_on <= first.value <= ends_on:
        return None
    return ReviewDay(
        "mid_term",
        first.value,
        Why(
            rule=T("La phase est examinée à mi-parcours.", "The phase is reviewed at mid-term."),
            parameter=first.path,
            value=first.value,
            unit=first.unit,
            reference=first.reference,
            url=first.url or "",
            inputs={T("contrat", "contract"): f"{day_text(starts_on)} – {day_text(ends_on)}"},
        ),
    )


# -- questionnaires ---------------------------------------------------------------------------


def answers_read(questions: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of a questionnaire, checked against its frozen questions.

    Raises:
        Refused: a required answer is missing, or one is not among the possible ones; every fault is told.
    """
    found: dict[str, Any] = {}
    wrong: list[Any] = []
    for q in questions:
        title = T(q["title"]["fr"], q["title"]["en"])
        value = str(given.get(q["code"], "") or "").strip()
        if not value:
            if q.get("required"):
                wrong.append(T("« {q} » : une réponse est demandée", "“{q}”: an answer is asked for", q=title))
            continue
        if q["kind"] == "scale":
            if not value.isdecimal() or not 1 <= int(value) <= int(q["steps"]):
                wrong.append(T("« {q} » : {v} n'est pas entre 1 et {n}", "“{q}”: {v} is not between 1 and {n}", q=title, v=value[:20], n=q["steps"]))  # fmt: skip
                continue
            found[q["code"]] = int(value)
        elif q["kind"] == "text":
            found[q["code"]] = value[:MAX_TEXT]
        else:
            allowed = ["yes", "no"] if q["kind"] == "yes_no" else [c["code"] for c in q["choices"]]
            if value not in allowed:
                wrong.append(T("« {q} » : « {v} » n'est pas un choix", "“{q}”: “{v}” is not a choice", q=title, v=value[:40]))  # fmt: skip
                continue
            found[q["code"]] = value
    if wrong:
        raise Refused(T("Des réponses manquent ou ne se lisent pas ; rien n'a été enregistré.", "Some answers are missing or cannot be read; nothing was saved."), missing=wrong, kind="input")  # fmt: skip
    return found
