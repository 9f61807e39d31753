"""Documents as PDF, by typst: PDF/A-2a and PDF/UA-1, tagged, with embedded fonts only.

Texts reach the layout (``document.typ``) as values of one JSON mapping, so nothing that was typed is markup.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import unicodedata
from pathlib import Path
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, speaking
from jalon.documents import blocks
from jalon.documents.blocks import Document

LAYOUT = Path(__file__).with_name("document.typ")
STANDARDS = ["a-2a", "ua-1"]
_FONT = "Libertinus Serif"


def render(document: Document) -> bytes:
    """The document as PDF; the same document gives the same bytes.

    Raises:
        Refused: the layout could not set it (it never should: the sentence says what typst found).
    """
    return _compile(_data(document), document.dated, format="pdf", pdf_standards=STANDARDS)


def pictures(document: Document, ppi: int = 90) -> list[bytes]:
    """The pages of the document as PNG pictures, to be looked at."""
    found = _compile(_data(document), document.dated, format="png", ppi=ppi)
    return found if isinstance(found, list) else [found]


def png(svg: str, ppi: int = 220) -> bytes:
    """A drawing as a PNG picture, for Word."""
    source = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.at("svg")), format: "svg")'
    return _typst(source, {"svg": _fonts(svg)}, format="png", ppi=ppi)


def _data(document: Document) -> str:
    with speaking(document.lang):
        plain = blocks.plain(document)
    drawings = _take_drawings(plain)
    shown = blocks.mapped(plain, lambda text: blocks.breakable(showable(text)))
    _put_drawings(shown, drawings)
    return json.dumps(shown, ensure_ascii=False)


def _take_drawings(plain: Any) -> list[str]:
    """The SVG of each chart, in order, out of the document: a drawing is not a text to be broken."""
    found = []
    for block in [*plain["cover"], *plain["blocks"]]:
        for item in block.get("items", ()) if block["is"] == "charts" else ():
            found.append(item.pop("svg"))
    return found


def _put_drawings(plain: Any, drawings: list[str]) -> None:
    left = iter(drawings)
    for block in [*plain["cover"], *plain["blocks"]]:
        for item in block.get("items", ()) if block["is"] == "charts" else ():
            item["svg"] = _fonts(showable(next(left)))


def _fonts(svg: str) -> str:
    return svg.replace("'Liberation Sans', Arial, sans-serif", _FONT).replace(
        "&#x27;Liberation Sans&#x27;, Arial, sans-serif", _FONT
    )


def _compile(data: str, dated: dt.date, **options: Any) -> Any:
    stamp = dt.datetime(dated.year, dated.month, dated.day, tzinfo=dt.UTC)
    return _typst(LAYOUT.read_bytes(), {"data": data}, timestamp=stamp, **options)


def _typst(source: bytes, inputs: dict[str, str], timestamp: dt.datetime | None = None, **options: Any) -> Any:
    import typst

    compiler = typst.Compiler(source, font_paths=_embedded(), sys_inputs=inputs)
    try:
        return compiler.compile(timestamp=timestamp or dt.datetime(1970, 1, 1, tzinfo=dt.UTC), **options)
    except typst.TypstError as error:
        raise Refused(
            T(
                "Le document n'a pas pu être composé : {e}",
                "The document could not be set: {e}",
                e=getattr(error, "message", "") or str(error),
            )
        ) from error


@functools.cache
def _embedded() -> Any:
    """The fonts inside typst, and none of the machine's: the same document looks the same everywhere."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


# --- characters that no embedded font has --------------------------------------------------------------------------

_COMMON = frozenset(
    chr(c) for r in ((0x20, 0x7F), (0xA0, 0x180), (0x2010, 0x2028), (0x391, 0x3CA), (0x410, 0x450)) for c in range(*r)
) | frozenset(
    "\n\u2009\u200a\u200b\u202f\u2030\u2032\u2033\u2039\u203a\u20ac\u2190\u2191\u2192\u2193\u2212\u2260\u2264\u2265"
)


def showable(text: str) -> str:
    """The text with every character that no font can draw written as its number: ``[U+1F600]``.

    An archive must hold what it shows: a missing glyph would print an empty box, and PDF/A forbids it.
    """
    if _COMMON.issuperset(text):
        return text
    out = []
    for letter in text:
        if letter in _COMMON or _drawn(letter):
            out.append(letter)
        elif letter not in "\u200d\ufe0e\ufe0f\u200c\u200e\u200f\u00ad":  # joiners mean nothing without their glyph
            out.append(blocks.code_point(letter))
    return "".join(out)


@functools.lru_cache(maxsize=8192)
def _drawn(letter: str) -> bool:
    """Whether an embedded font has the character."""
    if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Mc", "Me"):
        # A mark is drawn with its letter; alone it cannot be tried. Those of Latin script are in the fonts.
        return unicodedata.category(letter) == "Mn" and 0x300 <= ord(letter) <= 0x36F
    source = b'#set document(title: "x", date: datetime(year: 2000, month: 1, day: 1))\n#text(font: ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono"), sys.inputs.at("c"))'
    try:
        _typst(source, {"c": letter}, format="pdf", pdf_standards=["a-2b"])
    except Refused:
        return False
    return True
