"""Differences between two texts, word by word, as safe HTML (``<ins>``, ``<del>``)."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from jalon.core.lang import T

_WORD = re.compile(r"\s+|[\w’'-]+|[^\w\s]", re.UNICODE)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _pieces(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """Runs of equal, removed or added words: ``(kind, old, new)``."""
    old, new = _WORD.findall(_text(before)), _WORD.findall(_text(after))
    runs = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    found: list[tuple[str, str, str]] = []
    for place, (kind, a, b, c, d) in enumerate(runs):
        before_, after_ = "".join(old[a:b]), "".join(new[c:d])
        lone_space = kind == "equal" and not before_.strip() and 0 < place < len(runs) - 1
        if found and found[-1][0] != "equal" and (kind != "equal" or lone_space):
            found[-1] = ("replace", found[-1][1] + before_, found[-1][2] + after_)  # one change reads better than two
        else:
            found.append((kind, before_, after_))
    return found


def _mark(tag: str, text: str) -> str:
    word = T("supprimé", "removed") if tag == "del" else T("ajouté", "added")
    return f'<{tag}><span class="sr">{escape(word)} </span>{escape(text)}</{tag}>' if text else ""


def inline(before: Any, after: Any) -> SafeString:
    """One text with what was removed and added marked in place."""
    out = []
    for kind, old, new in _pieces(before, after):
        out.append(escape(old) if kind == "equal" else _mark("del", old) + _mark("ins", new))
    return mark_safe(f'<span class="diff">{"".join(out)}</span>')  # noqa: S308 - every piece is escaped


def side_by_side(before: Any, after: Any) -> SafeString:
    """The old text and the new one in two columns, differences marked in each."""
    left, right = [], []
    for kind, old, new in _pieces(before, after):
        if kind == "equal":
            left.append(escape(old))
            right.append(escape(new))
        else:
            left.append(_mark("del", old))
            right.append(_mark("ins", new))
    heads = (T("Avant", "Before"), T("Après", "After"))
    nothing = f'<span class="unknown">{escape(T("rien", "nothing"))}</span>'
    cells = "".join(
        f'<div class="diff-side"><p class="diff-head">{escape(head)}</p><div class="diff-text">{"".join(side) or nothing}</div></div>'
        for head, side in zip(heads, (left, right), strict=True)
    )
    return mark_safe(f'<div class="diff diff-sides">{cells}</div>')  # noqa: S308 - every piece is escaped
