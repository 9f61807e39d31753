"""States and moves: a workflow is a literal list of moves, nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jalon.core.errors import Refused
from jalon.core.lang import T, Text


@dataclass(frozen=True)
class State:
    """Where a case is, and how officer and public read it. ``light`` is one of the house's status words."""

    code: str
    title: Text
    light: str = "not_started"


@dataclass(frozen=True)
class Move:
    """One move: its name, the states it starts from, where it leads, the permission it needs."""

    name: str
    title: Text
    sources: tuple[str, ...]
    target: str
    permission: str
    reason_needed: bool = False


def find(moves: Sequence[Move], name: str) -> Move:
    """The move of that name; KeyError if the list has none (a fault of the program, not of the user)."""
    for move in moves:
        if move.name == name:
            return move
    raise KeyError(name)


def check(
    moves: Sequence[Move],
    states: Iterable[State],
    name: str,
    current: str,
    reason: str = "",
) -> Move:
    """The move ``name`` if it is possible from ``current``.

    Raises:
        Refused: wrong state, or a reason is needed and none was given.
    """
    move = find(moves, name)
    titles = {s.code: s.title for s in states}
    if current not in move.sources:
        raise Refused(
            T(
                "« {move} » n'est pas possible : l'état est « {current} », il faudrait « {expected} ».",
                "“{move}” is not possible: the state is “{current}”, it would have to be “{expected}”.",
                move=move.title,
                current=titles.get(current, current),
                expected=" / ".join(str(titles.get(s, s)) for s in move.sources),
            )
        )
    if move.reason_needed and not reason.strip():
        raise Refused(
            T(
                "« {move} » demande un motif.",
                "“{move}” needs a reason.",
                move=move.title,
            ),
            kind="input",
        )
    return move
