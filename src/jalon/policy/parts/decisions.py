"""``decisions.yaml``: what may be decided about a label, by whom, after whose opinion, and what it changes.

Lists are dated: a body whose opinion the law asked for in 2008 is not the one of 2022. What no text fixes is left out, and
the pages say that it is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy import vocabulary as v
from jalon.policy.schema import Sourced
from jalon.policy.shapes import Key, boolean, code, day, many, natural, one_of, quoted, record, text

CONTRACT_EFFECTS = ("may_sign", "may_not_sign", "close", "keep")
"""What a decision does to contracts: open a signature, bar it, close what runs, leave alone."""
COMMITMENT_EFFECTS = ("end", "keep")
CALL_EFFECTS = ("close", "keep")
PROJECT_EFFECTS = ("keep", "end")
SCOPES = ("cluster", "national", "any")
CHECKS = (
    "contracts",
    "drafts",
    "reports",
    "commitments",
    "reviews",
    "labels",
    "decisions",
    "appeals",
)
"""What the closing of a phase looks at; the code answers to each."""


@dataclass(frozen=True, kw_only=True)
class Dated(Sourced):
    """In use from a day to a day (inclusive; empty: open)."""

    valid_from: date | None = None
    valid_to: date | None = None

    def on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, kw_only=True)
class Kind(Dated):
    """A kind of decision on a label.

    ``act`` is the label's act that it becomes (a code of ``labels.yaml``). ``duration``: the label runs to a day that has to
    fit the durations allowed. ``most_months`` bounds what the kind itself may grant. ``groups``: groups of an evaluation that
    lead to it. The effects are said by code.
    """

    code: str
    title: Text
    said: Text
    act: str
    duration: bool = False
    most_months: int | None = None
    new: bool = False
    conditions: bool = False
    reasons: bool = False
    groups: tuple[str, ...] = ()
    contracts: str = "keep"
    commitments: str = "keep"
    requests: str = "keep"
    projects: str = "keep"
    contracts_why: Text | None = None
    commitments_why: Text | None = None
    requests_why: Text | None = None
    projects_why: Text | None = None
    letter: str = ""


@dataclass(frozen=True, kw_only=True)
class Body(Dated):
    """A body whose opinion comes before a decision; ``roles`` may record it, ``kinds`` are those it is asked about (empty: all)."""

    code: str
    title: Text
    roles: tuple[str, ...]
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Authority(Sourced):
    """Which roles record what an authority (a code of ``labels.decided_by``) decides."""

    code: str
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Letter(Sourced):
    """A template of a letter; its texts hold names between braces, filled from the decision."""

    code: str
    title: Text
    subject: Text
    body: Text


@dataclass(frozen=True, kw_only=True)
class Level(Dated):
    """A level of the review of applications: who reviews, in which order, with an opinion, a score or both."""

    code: str
    title: Text
    order: int
    roles: tuple[str, ...]
    scored: bool = False
    territorial: bool = False


@dataclass(frozen=True, kw_only=True)
class Criterion(Dated):
    """A criterion by which applications are read. No weight was published: none is invented."""

    code: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class Check(Sourced):
    """A line of the list read before a phase is closed. ``blocking``: the phase does not close while something is open."""

    code: str
    title: Text
    blocking: bool = False


ROLES = Key(many(code, unique=""), ())
DATES = {"valid_from": Key(day, None), "valid_to": Key(day, None)}
MAYBE = Key(text, None)

KEYS: dict[str, Key] = {
    "kinds": Key(
        many(
            record(
                Kind,
                {
                    "code": Key(code),
                    "title": Key(text),
                    "said": Key(text),
                    "act": Key(one_of(v.LABEL_ACTS)),
                    "duration": Key(boolean, False),
                    "most_months": Key(natural, None),
                    "new": Key(boolean, False),
                    "conditions": Key(boolean, False),
                    "reasons": Key(boolean, False),
                    "groups": ROLES,
                    "contracts": Key(one_of(CONTRACT_EFFECTS), "keep"),
                    "commitments": Key(one_of(COMMITMENT_EFFECTS), "keep"),
                    "requests": Key(one_of(CALL_EFFECTS), "keep"),
                    "projects": Key(one_of(PROJECT_EFFECTS), "keep"),
                    "contracts_why": MAYBE,
                    "commitments_why": MAYBE,
                    "requests_why": MAYBE,
                    "projects_why": MAYBE,
                    "letter": Key(code, ""),
                    **DATES,
                },
                sourced=True,
            ),
            unique="code",
        ),
        (),
    ),
    "bodies": Key(
        many(
            record(
                Body,
                {"code": Key(code), "title": Key(text), "roles": ROLES, "kinds": ROLES, **DATES},
                sourced=True,
            ),
            unique="code",
        ),
        (),
    ),
    "authorities": Key(
        many(record(Authority, {"code": Key(code), "roles": ROLES}, sourced=True), unique="code"),
        (),
    ),
    "letters": Key(
        many(
            record(
                Letter,
                {"code": Key(code), "title": Key(text), "subject": Key(text), "body": Key(text)},
                sourced=True,
            ),
            unique="code",
        ),
        (),
    ),
    "levels": Key(
        many(
            record(
                Level,
                {
                    "code": Key(code),
                    "title": Key(text),
                    "order": Key(natural),
                    "roles": ROLES,
                    "scored": Key(boolean, False),
                    "territorial": Key(boolean, False),
                    **DATES,
                },
                sourced=True,
            ),
            unique="code",
        ),
        (),
    ),
    "criteria": Key(
        many(record(Criterion, {"code": Key(code), "title": Key(text), **DATES}, sourced=True), unique="code"),
        (),
    ),
    "closing": Key(
        many(
            record(
                Check,
                {"code": Key(one_of(CHECKS)), "title": Key(text), "blocking": Key(boolean, False)},
                sourced=True,
            ),
            unique="code",
        ),
        (),
    ),
}


def cross(part: Any, others: dict[str, dict[str, Any]], fault: Callable[..., None]) -> None:
    """What the file names elsewhere must exist: authorities, acts, roles, letters."""
    roles = {r.code for r in others.get("roles", {}).get("roles", ()) or ()}
    acts = {a.code for a in others.get("labels", {}).get("acts", ()) or ()}
    deciders = {b.code for b in others.get("labels", {}).get("decided_by", ()) or ()}
    letters = {one.code for one in part.letters}
    kinds = {one.code for one in part.kinds}

    def known(thing: Any, path: str, found: str, allowed: set[str], what: Text) -> None:
        if found and found not in allowed:
            fault(
                thing,
                path,
                T("« {f} »", "“{f}”", f=found),
                T("{w} : l’un de {a}", "{w}: one of {a}", w=what, a=quoted(sorted(allowed))),
            )

    for kind in part.kinds:
        known(kind, f"kinds.{kind.code}.act", kind.act, acts, T("un acte de labels.yaml", "an act of labels.yaml"))
        known(
            kind, f"kinds.{kind.code}.letter", kind.letter, letters, T("un modèle de lettre", "a template of a letter")
        )
    for authority in part.authorities:
        known(
            authority, f"authorities.{authority.code}", authority.code, deciders,
            T("une autorité de labels.yaml", "an authority of labels.yaml"),
        )  # fmt: skip
    for name in ("bodies", "authorities", "levels"):
        for thing in getattr(part, name):
            for role in thing.roles:
                known(thing, f"{name}.{thing.code}.roles", role, roles, T("un rôle", "a role"))
    groups = {g.code for g in others.get("evaluations", {}).get("groups", ()) or ()}
    for kind in part.kinds:
        for group in kind.groups:
            known(kind, f"kinds.{kind.code}.groups", group, groups, T("un groupe d'évaluation", "an evaluation group"))
    for body in part.bodies:
        for kind in body.kinds:
            known(body, f"bodies.{body.code}.kinds", kind, kinds, T("une nature de décision", "a kind of decision"))
