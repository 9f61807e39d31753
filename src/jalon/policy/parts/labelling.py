"""labelling.yaml: how the pôles label projects. One default procedure; a pôle may have its own, dated.

A procedure of a pôle says only what differs: a part left out (``experts``, ``vote``, ``recusal``, ``delays``…) is the
default procedure's. Numbers that no text gives are marked ``reading: true``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy import schema as s
from jalon.policy.reader import Node
from jalon.policy.shapes import Key, Reading, boolean, code, day, many, natural, one_of, record, said, text

STEPS = ("reception", "admissibility", "opinions", "committee", "bureau")
READERS = ("applicant", "expert", "committee")
"""From whom the names of experts may be kept; whoever runs the procedure knows them."""
WAYS = ("meeting", "electronic")
TIES = ("chair", "against")
EFFECTS = ("advice", "binding")


@dataclass(frozen=True, kw_only=True)
class Step(s.Sourced):
    """A step: what it is called, and who takes it."""

    code: str
    title: Text
    by: Text


@dataclass(frozen=True, kw_only=True)
class Delay(s.Sourced):
    """Days that a step takes at most; the pôle may choose between ``least`` and ``most`` days."""

    step: str
    days: int
    least: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Experts(s.Sourced):
    """How many opinions are asked for before the vote, and from whom the experts' names are kept."""

    opinions: int
    anonymous_to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Vote(s.Sourced):
    """The committee's vote.

    ``quorum``: percent of the members entitled to vote whose votes are needed, abstentions counted. ``majority_above``:
    percent of the votes for and against that must be exceeded. ``tie``: the chair's vote decides, or the vote is against.
    ``effect``: the bureau is bound by the vote, or takes it as advice (and says why it departs from it).
    """

    ways: tuple[str, ...]
    quorum: int
    majority_above: int
    tie: str
    secret: bool
    effect: str


@dataclass(frozen=True, kw_only=True)
class Recusal(s.Sourced):
    """Whether a project's leader may name members who stay away; whether contact is forbidden before the meeting."""

    leader_may_ask: bool
    no_contact: bool = False


@dataclass(frozen=True, kw_only=True)
class Criterion(s.Placed):
    code: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class CriteriaSet(s.Sourced):
    """Criteria for a kind of project, each scored from 0 to ``scale``."""

    code: str
    title: Text
    natures: tuple[str, ...]
    scale: int
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, kw_only=True)
class Fact(s.Sourced):
    """Something published about a procedure that no computation uses."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class Procedure(s.Sourced):
    """A procedure; ``clusters`` empty: of every pôle without its own. A part that is None is the default's."""

    code: str
    title: Text
    clusters: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    unit: Text | None = None
    committee: Text | None = None
    bureau: Text | None = None
    steps: tuple[Step, ...] = ()
    delays: tuple[Delay, ...] = ()
    experts: Experts | None = None
    vote: Vote | None = None
    recusal: Recusal | None = None
    criteria: tuple[CriteriaSet, ...] = ()
    facts: tuple[Fact, ...] = ()

    def covers(self, cluster: str, on: date) -> bool:
        """Whether it is the procedure of this pôle itself on that day."""
        return (
            cluster in self.clusters
            and (self.starts_on is None or self.starts_on <= on)
            and (self.ends_on is None or self.ends_on >= on)
        )


def _delay(built: Delay, node: Node, reading: Reading) -> None:
    if not built.least <= built.days <= built.most:
        reading.fault(
            node.get("days") or node,
            T("{n} jours", "{n} days", n=built.days),
            T("entre {a} et {b}", "between {a} and {b}", a=built.least, b=built.most),
        )


def percent(node: Node, reading: Reading) -> Any:
    """A whole number from 0 to 100."""
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
        return value
    return reading.fault(node, said(node), T("un pourcentage entier, de 0 à 100", "a whole percentage, 0 to 100"))


TEXT, CODE, DAY = Key(text), Key(code), Key(day, None)
STEP = record(Step, {"code": Key(one_of(STEPS)), "title": TEXT, "by": TEXT})
DELAY = record(
    Delay,
    {"step": Key(one_of(STEPS)), "days": Key(natural), "least": Key(natural), "most": Key(natural)},
    sourced=True,
    check=_delay,
)
EXPERTS = record(
    Experts,
    {"opinions": Key(natural), "anonymous_to": Key(many(one_of(READERS), unique=""), ())},
    sourced=True,
)
VOTE = record(
    Vote,
    {
        "ways": Key(many(one_of(WAYS), unique="", least=1)),
        "quorum": Key(percent),
        "majority_above": Key(percent),
        "tie": Key(one_of(TIES)),
        "secret": Key(boolean),
        "effect": Key(one_of(EFFECTS)),
    },
    sourced=True,
)
RECUSAL = record(Recusal, {"leader_may_ask": Key(boolean), "no_contact": Key(boolean, False)}, sourced=True)
CRITERION = record(Criterion, {"code": CODE, "title": TEXT})
CRITERIA = record(
    CriteriaSet,
    {
        "code": CODE,
        "title": TEXT,
        "natures": Key(many(code, unique=""), ()),
        "scale": Key(natural),
        "criteria": Key(many(CRITERION, unique="code", least=1)),
    },
    sourced=True,
)
FACT = record(Fact, {"text": TEXT}, sourced=True)
PROCEDURE = record(
    Procedure,
    {
        "code": CODE,
        "title": TEXT,
        "clusters": Key(many(code, unique=""), ()),
        "starts_on": DAY,
        "ends_on": DAY,
        "unit": Key(text, None),
        "committee": Key(text, None),
        "bureau": Key(text, None),
        "steps": Key(many(STEP, unique="code"), ()),
        "delays": Key(many(DELAY, unique="step"), ()),
        "experts": Key(EXPERTS, None),
        "vote": Key(VOTE, None),
        "recusal": Key(RECUSAL, None),
        "criteria": Key(many(CRITERIA, unique="code"), ()),
        "facts": Key(many(FACT), ()),
    },
    sourced=True,
)
KEYS = {"procedures": Key(many(PROCEDURE, unique="code", least=1), ())}

_WHOLE = ("unit", "committee", "bureau", "steps", "experts", "vote", "recusal", "criteria")


def cross(part: Any, others: Any, fault: Any) -> None:
    """One default procedure, which leaves nothing out; no two procedures of one pôle on the same day."""
    defaults = [p for p in part.procedures if not p.clusters]
    for one in defaults[1:]:
        fault(
            one,
            f"procedures.{one.code}.clusters",
            T("une seconde procédure sans pôle", "a second procedure without cluster"),
            T("une seule procédure par défaut", "one default procedure"),
        )
    if part.procedures and not defaults:
        one = part.procedures[0]
        fault(
            one,
            f"procedures.{one.code}.clusters",
            T("aucune procédure par défaut", "no default procedure"),
            T("une procédure sans « clusters »", "a procedure without “clusters”"),
        )
    for one in defaults[:1]:
        for key in _WHOLE:
            if not getattr(one, key):
                fault(
                    one,
                    f"procedures.{one.code}.{key}",
                    T("rien pour « {k} »", "nothing for “{k}”", k=key),
                    T("la procédure par défaut dit tout", "the default procedure says everything"),
                )
        for step in STEPS:
            if step not in {d.step for d in one.delays}:
                fault(
                    one,
                    f"procedures.{one.code}.delays",
                    T("aucun délai pour « {s} »", "no delay for “{s}”", s=step),
                    T("un délai par étape", "a delay for each step"),
                )
    for n, one in enumerate(part.procedures):
        for other in part.procedures[:n]:
            both = set(one.clusters) & set(other.clusters)
            apart = (one.ends_on and other.starts_on and one.ends_on < other.starts_on) or (
                other.ends_on and one.starts_on and other.ends_on < one.starts_on
            )
            if both and not apart:
                fault(
                    one,
                    f"procedures.{one.code}.clusters",
                    T("« {c} », déjà dans « {o} »", "“{c}”, already in “{o}”", c=sorted(both)[0], o=other.code),
                    T("des périodes qui ne se recouvrent pas", "periods that do not overlap"),
                )
