"""What a document is made of: headings, paragraphs, tables, charts, signature boxes; plain values only.

Texts typed by users stand in these blocks as they are; :func:`clean` makes them fit to be set, and no renderer ever
reads them as markup.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jalon.core.lang import language, typography


@dataclass(frozen=True)
class Line:
    """A line of a cell or paragraph. ``style``: empty, small, strong, mono, was (struck), new."""

    text: str
    style: str = ""


Cell = tuple[Line, ...]


def cell(*lines: Any, style: str = "") -> Cell:
    """A cell out of texts and lines; what is empty leaves nothing."""
    return tuple(
        line if isinstance(line, Line) else Line(str(line), style) for line in lines if line is not None and line != ""
    )


@dataclass(frozen=True)
class Column:
    """A column: title, share of the width, alignment (left, right)."""

    title: str
    width: float = 1
    align: str = "left"


@dataclass(frozen=True)
class Row:
    """A row; ``strong`` for totals."""

    cells: tuple[Cell, ...]
    strong: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading; ``level`` 1 or 2. Numbers are part of the text, so that every format shows the same."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Para:
    """A text: its paragraphs are parted by empty lines. ``style`` as of a line."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """A table with a header that repeats on every page. ``total``: the last rows are totals."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    small: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawing (SVG with its colours written in), its title and what it says in words."""

    title: str
    svg: str
    alt: str


@dataclass(frozen=True)
class Charts:
    """Small drawings side by side."""

    items: tuple[Chart, ...]
    caption: str = ""


@dataclass(frozen=True)
class Notice:
    """A framed remark. ``tone``: plain, warn."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Box:
    """Where one party signs: step, name, who signs, what it decided, its signature if it has signed."""

    order: str
    name: str
    role: str
    decision: tuple[str, ...]
    signed: tuple[str, ...]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boxes:
    """The boxes to sign, in the order of signature."""

    items: tuple[Box, ...]


@dataclass(frozen=True)
class Break:
    """A new page."""


Block = Heading | Para | Facts | Table | Charts | Notice | Boxes | Break


@dataclass(frozen=True)
class Document:
    """A whole document.

    ``mark`` is printed across every page (a draft); ``simulated`` in its head. ``dated`` is the day on which a frozen text was
    frozen, so that it always gives the same file; a draft's is the day on which it was read.
    """

    lang: str
    title: str
    eyebrow: str
    subtitle: str
    cover: tuple[Block, ...]
    blocks: tuple[Block, ...]
    running: str
    footer: str
    words: dict[str, str]
    dated: dt.date
    mark: str = ""
    simulated: str = ""
    subject: str = ""
    keywords: tuple[str, ...] = field(default=())


# --- texts ---------------------------------------------------------------------------------------------------------

_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks that reorder a line on paper: in a text to be signed what is read must be what is stored."""

LONGEST = 28
"""A word longer than this may be broken anywhere, so that it never runs out of its column."""


def clean(text: str) -> str:
    """A text that can be set: no control characters, hidden reordering shown, French spacing when French is spoken."""
    out = []
    for letter in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        code = ord(letter)
        if code in _BIDI:
            out.append(code_point(letter))
        elif letter in "\n\t" or not (unicodedata.category(letter) in ("Cc", "Cs", "Cn") or code in (0xFEFF, 0xFFFE)):
            out.append(" " if letter == "\t" else letter)
    found = "".join(out)
    return typography(found) if language() == "fr" else found


def code_point(letter: str) -> str:
    """A character by its number, where it cannot be shown: ``[U+1F600]``."""
    return f"[U+{ord(letter):04X}]"


def breakable(text: str, every: int = LONGEST) -> str:
    """The text with places to break (zero-width spaces) in words that are too long for a column."""
    return re.sub(rf"\S{{{every + 1},}}", lambda m: _split_word(m[0], every), text)


def _split_word(word: str, every: int) -> str:
    pieces, start = [], 0
    while start < len(word):
        end = start + every
        while end < len(word) and (unicodedata.combining(word[end]) or word[end] in "\u200d\ufe0f"):
            end += 1
        pieces.append(word[start:end])
        start = end
    return "\u200b".join(pieces)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a typed text; single line breaks stay inside them."""
    return [p.strip("\n") for p in re.split(r"\n\s*\n", clean(text)) if p.strip()]


def plain(thing: Any) -> Any:
    """Blocks as JSON values: every text cleaned; each block names its kind."""
    if isinstance(thing, str):
        return clean(thing)
    if thing is None or isinstance(thing, bool | int | float):
        return thing
    if isinstance(thing, dt.date):
        return [thing.year, thing.month, thing.day]
    if isinstance(thing, dict):
        return {k: plain(v) for k, v in thing.items()}
    if isinstance(thing, list | tuple):
        return [plain(v) for v in thing]
    out = {name: plain(getattr(thing, name)) for name in thing.__dataclass_fields__}
    out["is"] = type(thing).__name__.lower()
    if isinstance(thing, Para):
        out["paragraphs"] = paragraphs(thing.text)
    if isinstance(thing, Chart):
        out["svg"] = thing.svg
    return out


def texts_of(thing: Any) -> Iterable[str]:
    """Every text of a plain document, drawings included."""
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from texts_of(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from texts_of(value)


def mapped(thing: Any, change: Any) -> Any:
    """A plain document with every text changed."""
    if isinstance(thing, str):
        return change(thing)
    if isinstance(thing, dict):
        return {k: mapped(v, change) for k, v in thing.items()}
    if isinstance(thing, list):
        return [mapped(v, change) for v in thing]
    return thing


def numbered(titles: Sequence[str]) -> list[str]:
    """« 1. Parties », « 2. … »."""
    return [f"{n}. {title}" for n, title in enumerate(titles, 1)]
