"""What the texts ask of a committee, as pure functions of plain values: rhythm, notice, quorum, proxies, majority.

Basis: the kinds and parameters of ``committees.yaml``. Where a text fixes them it is the general decree on consultative
commissions (2006-672); what is Jalon's own reading says so, and each answer carries its ``Why``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any

from jalon.core.days import WorkingDays
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.faults import day_text
from jalon.policy.rules import plus

SOON = dt.timedelta(days=14)
"""From so many days before its day, a follow-up is at risk (as all deadlines of the house)."""


@dataclass(frozen=True)
class Term:
    """One term of a kind, on a day: its value and where it comes from."""

    value: Any
    unit: str = ""
    path: str = ""
    reference: str = ""
    url: str = ""
    reading: bool = False
    to_confirm: bool = False


@dataclass(frozen=True)
class Terms:
    """The terms of a kind of committee on a day; a term that is not known or not in force is absent."""

    day: dt.date
    known: Mapping[str, Term] = field(default_factory=dict)

    def get(self, name: str) -> Term | None:
        return self.known.get(name)

    def value(self, name: str, default: Any = None) -> Any:
        term = self.known.get(name)
        return default if term is None else term.value

    def why(self, name: str, rule: Text, inputs: Mapping[Any, Any] | None = None, steps: Sequence[Any] = ()) -> Why:
        term = self.known.get(name)
        if term is None:
            return Why(rule=rule, day=self.day, inputs=inputs or {}, steps=tuple(steps))
        return Why(
            rule=rule,
            parameter=term.path,
            value=term.value,
            unit=term.unit,
            reference=term.reference,
            url=term.url,
            day=self.day,
            inputs=inputs or {},
            steps=tuple(steps),
            reading=term.reading,
            to_confirm=term.to_confirm,
        )


def terms_of(laws: Any, kind: Any, day: dt.date) -> Terms:
    """The terms of a kind on a day, read from the policy (``laws`` is the programme's policy)."""
    found: dict[str, Term] = {}
    on = laws.on(day)
    for name in kind.terms.__dataclass_fields__:
        path = kind.terms.get(name)
        parameter = on.find(path) if path else None
        if parameter is not None:
            found[name] = Term(
                parameter.value,
                parameter.unit,
                path,
                parameter.reference,
                parameter.url or "",
                parameter.reading,
                parameter.to_confirm,
            )
    return Terms(day, found)


# -- rhythm -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rhythm:
    """When the next session is due: ``due_on`` None when the kind has no rhythm of its own; ``late`` in days."""

    due_on: dt.date | None
    late: int
    why: Why


def rhythm(
    terms: Terms, *, began_on: dt.date, last_held: dt.date | None, today: dt.date, working: WorkingDays, place: str = ""
) -> Rhythm:
    """The day by which the next session should be held: one interval after the last one, else after the first day.

    A day off is put off to the next working day. The last day of a month stays the last day of a month.
    """
    every = terms.get("every")
    since = last_held or began_on
    inputs = {
        T("dernière séance", "last session") if last_held else T("premier jour du comité", "first day"): since,
    }
    if every is None:
        return Rhythm(
            None,
            0,
            Why(
                rule=T(
                    "Ce comité n'a pas de rythme : il se réunit selon les appels et les besoins.",
                    "This committee has no rhythm: it meets as calls and needs require.",
                ),
                day=terms.day,
                inputs=inputs,
            ),
        )
    if every.unit == "per_year":
        if not 1 <= every.value <= 12:
            raise Refused(
                T(
                    "« {p} » : de 1 à 12 séances par an, {v} trouvé.",
                    "“{p}”: 1 to 12 sessions a year, {v} found.",
                    p=every.path,
                    v=every.value,
                )
            )
        reached = plus(since, 12 // every.value, "months")
    else:
        reached = plus(since, every.value, every.unit)
    due = working.not_before(reached, place)
    steps = [T("{a} + rythme = {b}", "{a} + rhythm = {b}", a=day_text(since), b=day_text(reached))]
    if due != reached:
        steps.append(
            T(
                "{a} n'est pas ouvré : {b}",
                "{a} is not a working day: {b}",
                a=day_text(reached),
                b=day_text(due),
            )
        )
    return Rhythm(
        due,
        max((today - due).days, 0),
        terms.why(
            "every",
            T("La séance suivante se tient au plus tard un intervalle après la dernière.",
              "The next session is held at the latest one interval after the last."),
            inputs,
            steps,
        ),
    )  # fmt: skip


# -- notice -----------------------------------------------------------------------------------------------------


def last_day_for(
    terms: Terms, name: str, session_on: dt.date, working: WorkingDays, place: str = ""
) -> tuple[dt.date | None, Why]:
    """The last day on which the convocation (``notice``) or the papers (``papers``) may leave; its end is midnight in Paris."""
    term = terms.get(name)
    rule = (
        T(
            "La convocation part au plus tard ce jour-là, à minuit, heure de Paris ; l'urgence se motive.",
            "The convocation leaves by that day, midnight, Paris time; urgency needs a reason.",
        )
        if name == "notice"
        else T(
            "Les pièces partent au plus tard ce jour-là, à minuit, heure de Paris.",
            "The papers leave by that day, midnight, Paris time.",
        )
    )
    if term is None:
        return None, Why(rule=T("Aucun délai n'est fixé.", "No delay is fixed."), day=terms.day)
    day = plus(session_on, -term.value, term.unit, working, place)
    return day, terms.why(name, rule, {T("séance", "session"): session_on})


def minutes_due(
    terms: Terms, held_on: dt.date, working: WorkingDays, place: str = ""
) -> tuple[dt.date | None, Why | None]:
    """The day by which the draft minutes are circulated."""
    term = terms.get("minutes")
    if term is None:
        return None, None
    return plus(held_on, term.value, term.unit, working, place), terms.why(
        "minutes",
        T(
            "Le projet de compte rendu part dans ce délai après la séance.",
            "The draft minutes leave within this delay after the session.",
        ),
        {T("séance", "session"): held_on},
    )


# -- quorum -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quorum:
    """Whether enough members are there: ``needed`` None when the kind asks for none or it is waived."""

    voting: int
    present: int
    represented: int
    needed: int | None
    waived: bool
    why: Why

    @property
    def counted(self) -> int:
        return self.present + self.represented

    @property
    def reached(self) -> bool:
        return self.needed is None or self.counted >= self.needed

    @property
    def missing(self) -> int:
        return max((self.needed or 0) - self.counted, 0)

    @property
    def light(self) -> str:
        return "reached" if self.reached else "missed"


def quorum(terms: Terms, *, voting: int, present: int, represented: int, second: bool = False) -> Quorum:
    """Quorum over the seats that vote: at least the share of the policy, present or represented.

    ``second``: a second convening with the same agenda; where the policy says so, no quorum is asked then.
    """
    term = terms.get("quorum")
    inputs = {
        T("sièges qui votent", "seats that vote"): voting,
        T("présents", "present"): present,
        T("représentés", "represented"): represented,
    }
    if term is None:
        return Quorum(
            voting,
            present,
            represented,
            None,
            False,
            Why(rule=T("Aucun quorum n'est demandé.", "No quorum is asked for."), day=terms.day, inputs=inputs),
        )
    if second and terms.value("second_without_quorum"):
        return Quorum(
            voting,
            present,
            represented,
            None,
            True,
            terms.why(
                "second_without_quorum",
                T(
                    "Seconde convocation sur le même ordre du jour : le comité siège valablement sans quorum.",
                    "Second convening on the same agenda: the committee sits validly without a quorum.",
                ),
                inputs,
            ),
        )
    needed = int((Decimal(voting) * Decimal(term.value)).to_integral_value(ROUND_CEILING))
    needed = max(needed, 1)
    return Quorum(
        voting,
        present,
        represented,
        needed,
        False,
        terms.why(
            "quorum",
            T(
                "Le quorum est atteint quand cette part au moins des membres sont présents ou représentés.",
                "The quorum is reached when at least this share of members are present or represented.",
            ),
            inputs,
            [
                T("{v} sièges × {s}, arrondi au-dessus = {n}", "{v} seats × {s}, rounded up = {n}",
                  v=voting, s=term.value, n=needed),
                T("{c} présents ou représentés sur {n} demandés", "{c} present or represented of {n} asked for",
                  c=present + represented, n=needed),
            ],
        ),
    )  # fmt: skip


# -- proxies ----------------------------------------------------------------------------------------------------


def check_proxy(
    terms: Terms,
    *,
    giver: int,
    holder: int,
    giver_votes: bool,
    holder_votes: bool,
    given: Mapping[int, int],
) -> None:
    """A proxy goes from a voting seat that is away to another voting seat that gave none and holds fewer than allowed.

    ``given``: proxies that stand, giver → holder (seats), without the one asked about.

    Raises:
        Refused: with the rule.
    """
    allowed = terms.value("proxies", 0)

    def refuse(reason: Text) -> None:
        raise Refused(
            reason,
            why=terms.why(
                "proxies",
                T("Un membre absent donne pouvoir à un autre membre, dans la limite de la politique.",
                  "A member who is away gives a proxy to another member, within the policy's limit."),
                {T("pouvoirs déjà tenus", "proxies already held"): sum(h == holder for h in given.values())},
            ),
        )  # fmt: skip

    if not allowed:
        refuse(T("Ce comité n'admet pas de pouvoir.", "This committee does not allow proxies."))
    if giver == holder:
        refuse(T("Un pouvoir se donne à un autre siège.", "A proxy is given to another seat."))
    if not giver_votes:
        refuse(
            T(
                "Ce siège ne vote pas : il n'a pas de pouvoir à donner.",
                "This seat does not vote: it has no proxy to give.",
            )
        )
    if not holder_votes:
        refuse(
            T(
                "Le siège choisi ne vote pas : il ne peut pas tenir un pouvoir.",
                "The chosen seat does not vote: it cannot hold a proxy.",
            )
        )
    if holder in given:
        refuse(
            T(
                "Le siège choisi a lui-même donné pouvoir : un pouvoir ne se transmet pas.",
                "The chosen seat has itself given a proxy: a proxy is not passed on.",
            )
        )
    if any(h == giver for h in given.values()):
        refuse(
            T(
                "Ce siège tient le pouvoir d'un autre : il doit d'abord le rendre.",
                "This seat holds another's proxy: it must give it back first.",
            )
        )
    held = sum(h == holder for h in given.values())
    if held >= allowed:
        refuse(
            T(
                "Le siège choisi tient déjà {n} pouvoir(s) : {max} au plus par personne.",
                "The chosen seat already holds {n} proxy(ies): at most {max} a person.",
                n=held,
                max=allowed,
            )
        )


# -- majority ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What a vote gives: ``outcome`` adopted, rejected or tie; ``needed`` votes for, counted on ``base`` votes."""

    outcome: str
    base: int
    needed: int
    counts: Mapping[str, int]
    cast_by_chair: bool
    why: Why


def result(
    terms: Terms, counts: Mapping[str, int], *, entitled: int, chair_choice: str | None = None, secret: bool = False
) -> Result:
    """The result of a vote: more than the policy's share of the votes.

    Args:
        counts: votes ``for``, ``against``, ``abstain``.
        entitled: votes present or represented, recused seats left out; the base where the policy counts on them.
        chair_choice: how the presiding seat voted; decides a tie where the policy gives it the casting vote. Nothing
            when the vote is secret: what nobody may know decides nothing.
    """
    share = Decimal(terms.value("majority", Decimal("0.5")))
    pro, contra, abstain = (int(counts.get(k, 0)) for k in ("for", "against", "abstain"))
    base = pro + contra if terms.value("majority_of", "cast") == "cast" else entitled
    needed = int(Decimal(base) * share) + 1
    tie = pro == contra and pro > 0
    outcome, cast = ("adopted" if pro >= needed and base else "rejected"), False
    steps: list[Any] = [
        T("{n} pour, {c} contre, {a} abstention(s)", "{n} for, {c} against, {a} abstention(s)", n=pro, c=contra, a=abstain),
        T("il faut plus de {s} × {b} voix, soit {n}", "more than {s} × {b} votes are needed: {n}", s=share, b=base, n=needed),
    ]  # fmt: skip
    if tie and outcome == "rejected":
        outcome = "tie"
        if terms.value("casting_vote") and not secret and chair_choice in ("for", "against"):
            outcome, cast = ("adopted" if chair_choice == "for" else "rejected"), True
            steps.append(
                T("partage égal : voix prépondérante de qui préside", "equal votes: casting vote of the chair")
            )
        elif terms.value("casting_vote") and secret:
            steps.append(T("partage égal au scrutin secret : rejeté", "equal votes in a secret vote: rejected"))
    return Result(
        outcome,
        base,
        needed,
        {"for": pro, "against": contra, "abstain": abstain},
        cast,
        terms.why(
            "majority",
            T("La proposition est adoptée avec plus de cette part des voix.",
              "The proposal is adopted with more than this share of the votes."),
            {T("voix présentes ou représentées", "votes present or represented"): entitled},
            steps,
        ),
    )  # fmt: skip


# -- follow-ups -------------------------------------------------------------------------------------------------


def follow_up_light(state: str, due_on: dt.date | None, today: dt.date) -> str:
    """The light of a follow-up: done, dropped, late from the day after its due day, at risk two weeks before."""
    if state == "done":
        return "done"
    if state == "dropped":
        return "cancelled"
    if due_on is None:
        return "not_started"
    if due_on < today:
        return "late"
    return "at_risk" if due_on - today <= SOON else "not_yet_due"


def comes_back(state: str, due_on: dt.date | None, session_on: dt.date) -> bool:
    """Whether what was decided comes back on the agenda of a session: it is not done and is due by that day, or has no day."""
    return state == "open" and (due_on is None or due_on <= session_on)


def same_agenda(first: Iterable[str], second: Iterable[str]) -> bool:
    """Whether two sessions have the same agenda: what a second convening without quorum asks for."""
    return sorted(first) == sorted(second)


# -- texts ------------------------------------------------------------------------------------------------------

MAX_TEXT = 100_000
MAX_TITLE = 255


def clean_title(text: str, what: Text | str) -> str:
    """One line, not empty, not too long.

    Raises:
        Refused: empty or longer than :data:`MAX_TITLE` characters.
    """
    text = " ".join((text or "").split())
    if not text:
        raise Refused(T("Donnez un intitulé : {w}.", "Give a title: {w}.", w=what), kind="input")
    if len(text) > MAX_TITLE:
        raise Refused(
            T(
                "{w} : {n} caractères, au plus {max}.",
                "{w}: {n} characters, at most {max}.",
                w=what,
                n=len(text),
                max=MAX_TITLE,
            ),
            kind="input",
        )
    return text


def clean_text(text: str, what: Text | str) -> str:
    """A typed text: plain line ends, no control characters.

    Raises:
        Refused: longer than :data:`MAX_TEXT` characters.
    """
    text = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or ord(c) >= 32)
    if len(text) > MAX_TEXT:
        raise Refused(
            T(
                "{w} : {n} caractères, au plus {max}. Rien n'a été enregistré, gardez votre texte.",
                "{w}: {n} characters, at most {max}. Nothing was saved, keep your text.",
                w=what,
                n=len(text),
                max=MAX_TEXT,
            ),
            kind="input",
        )
    return text.strip()
