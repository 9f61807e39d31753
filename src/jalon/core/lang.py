"""Texts of the interface, written as pairs: French first, English second.

A pair keeps both languages at the place where they are used, so neither can be forgotten and a
search for a sentence on screen finds the line that prints it. The active language is Django's
(``django.utils.translation``); without Django (policy checks, rules) it is French unless
:func:`speaking` says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar

LANGUAGES = ("fr", "en")
_spoken: ContextVar[str | None] = ContextVar("jalon_language", default=None)

_NBSP = "\u00a0"
_NNBSP = "\u202f"


def language() -> str:
    """Two-letter code of the language to answer in: ``fr`` or ``en``."""
    spoken = _spoken.get()
    if spoken:
        return spoken
    try:
        from django.utils.translation import get_language

        current = get_language() or "fr"
    except Exception:  # Django absent or not configured: the programme's language
        return "fr"
    return "en" if current.startswith("en") else "fr"


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Answer in ``code`` within the block; used by commands, letters and exports."""
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)


_words: Callable[[], Callable[[str, str], str] | None] | None = None


def use_words(asked: Callable[[], Callable[[str, str], str] | None] | None) -> None:
    """Say sentences in the words of the programme in use: ``asked`` gives the function that rewords, or None."""
    global _words  # noqa: PLW0603
    _words = asked


def rewording() -> Callable[[str, str], str] | None:
    """The function (sentence, language) → sentence of the programme in use; None when it uses the interface's words."""
    return _words() if _words is not None else None


@lru_cache(maxsize=16_384)
def typography(text: str) -> str:
    """French spacing: no-break spaces before « : ; ? ! » and inside quotation marks.

    Web addresses and times are left alone, because only an ordinary space is ever replaced.
    """
    text = re.sub(r" ([;?!])", _NNBSP + r"\1", text)
    text = re.sub(r" ([:%€»])", _NBSP + r"\1", text)
    return text.replace("« ", "«" + _NBSP)


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "en": "January February March April May June July August September October November December".split(),
}


def _in_words(value: Any, code: str) -> Any:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        number = "1er" if code == "fr" and value.day == 1 else str(value.day)
        return f"{number} {_MONTHS['en' if code == 'en' else 'fr'][value.month - 1]} {value.year}".replace(" ", _NBSP)
    return value


class Text:
    """A text in both languages; ``str()`` gives the one that is spoken now.

    Lazy: it may be built when a module is imported and printed later in another language.
    ``format`` keeps it lazy and formats arguments that are themselves :class:`Text`. A day, or a day written
    2010-05-11, is said in words: 11 mai 2010.
    """

    __slots__ = ("_args", "en", "fr")

    def __init__(self, fr: str, en: str, args: Mapping[str, Any] | None = None):
        self.fr = fr
        self.en = en
        self._args = dict(args or {})

    def format(self, **kwargs: Any) -> Text:
        return Text(self.fr, self.en, {**self._args, **kwargs})

    def in_language(self, code: str) -> str:
        raw = self.en if code == "en" else self.fr
        reword = rewording()
        if reword is not None:
            raw = reword(raw, code)
        if code != "en":
            raw = typography(raw)
        if not self._args:
            return raw
        with speaking(code):
            return raw.format(**{name: _in_words(value, code) for name, value in self._args.items()})

    def __str__(self) -> str:
        return self.in_language(language())

    def __html__(self) -> str:
        from django.utils.html import escape

        return escape(str(self))

    def __repr__(self) -> str:
        return f"Text({self.fr!r}, {self.en!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Text):
            return (self.fr, self.en, self._args) == (other.fr, other.en, other._args)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.fr, self.en))

    def __add__(self, other: object) -> str:
        return str(self) + str(other)

    def __radd__(self, other: object) -> str:
        return str(other) + str(self)


class Titled(str):
    """A text of the policy's data that is a plain French string for whoever stores, compares or hashes it, and says
    itself in the language spoken for whoever shows it (``str()``, a template, an f-string).

    What is frozen, chained or exported as data thus never depends on who was reading. What was stored finds its other
    language again by :func:`titled`.
    """

    en: str
    known: ClassVar[dict[str, Titled]] = {}

    def __new__(cls, fr: str, en: str) -> Titled:
        made = super().__new__(cls, fr)
        made.en = en
        cls.known[fr] = made
        return made

    def __getnewargs__(self) -> tuple[str, str]:
        return str.__str__(self), self.en

    def __str__(self) -> str:
        return self.en if language() == "en" else typography(str.__str__(self))

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def titled(text: Any) -> Any:
    """A stored French text with the other language that the policy read so far gives it; anything else as it is."""
    return Titled.known.get(text, text) if isinstance(text, str) else text


def T(fr: str, en: str, **kwargs: Any) -> Text:
    """A pair of texts, French first. ``{name}`` fields are filled from the keywords."""
    return Text(fr, en, kwargs)
