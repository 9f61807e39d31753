"""Refusals: what a user reads when an act cannot be carried out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jalon.core.lang import Text


class Refused(Exception):
    """An act is refused by a rule or by access.

    Attributes:
        reason: one sentence, in both languages: what was found, where, what was expected.
        missing: the list of what is missing, each a sentence of its own.
        why: where the refusal comes from, for the "why?" panel: rule, parameter, text, day, inputs.
        kind: ``rule`` (mendable by the user), ``access`` (not theirs to do), ``conflict``
            (somebody else changed it meanwhile), ``input`` (what was typed cannot be read).
    """

    def __init__(
        self,
        reason: Text | str,
        *,
        missing: Sequence[Text | str] = (),
        why: Any = None,
        kind: str = "rule",
    ):
        super().__init__(str(reason))
        self.reason = reason
        self.missing = list(missing)
        self.why = why
        self.kind = kind

    def __str__(self) -> str:
        parts = [str(self.reason), *(f"- {m}" for m in self.missing)]
        return "\n".join(parts)


class NotAllowed(Refused):
    """The actor may not do this (or may not even know that it exists)."""

    def __init__(self, reason: Text | str, **kwargs: Any):
        kwargs.setdefault("kind", "access")
        super().__init__(reason, **kwargs)


class Conflict(Refused):
    """Somebody else changed the same thing meanwhile; nothing of either text is lost.

    ``theirs`` holds what is stored now, ``yours`` what was sent.
    """

    def __init__(self, reason: Text | str, *, theirs: Any, yours: Any, **kwargs: Any):
        kwargs.setdefault("kind", "conflict")
        super().__init__(reason, **kwargs)
        self.theirs = theirs
        self.yours = yours
