"""Canonical form of a content, and its SHA-256.

Two contents that say the same thing have the same canonical form, whatever the order in which their
keys were typed and whichever database stored them. The form is JSON with sorted keys, no spaces,
Unicode in normal form C, dates in ISO 8601 and decimals written out without exponent nor
trailing zeros. It is what a signature is a signature *of*, so it never changes silently:
``FORM`` names the version of these rules and is part of the frozen text.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

FORM = "jalon-canonical-1"


def plain(value: Any) -> Any:
    """``value`` as JSON values only: decimals and dates become strings.

    Raises:
        TypeError: for a value that has no agreed written form (a float is one: money and targets
            are decimals).
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n"))
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds") if value.tzinfo else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(plain(k)): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "in_language"):  # a pair of texts: both are kept
        return {
            "fr": plain(value.in_language("fr")),
            "en": plain(value.in_language("en")),
        }
    raise TypeError(f"no canonical form for {type(value).__name__}: {value!r}")


def decimal_text(value: Decimal) -> str:
    """``Decimal('1200.50')`` → ``'1200.5'``; never an exponent; zero is ``'0'``."""
    if value == 0:
        return "0"
    text = format(value.normalize(), "f")
    return text


def canonical(value: Any) -> str:
    """The canonical text of ``value``."""
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(text: str | bytes) -> str:
    """Hexadecimal SHA-256 of a text (as UTF-8) or of bytes."""
    if isinstance(text, str):
        text = text.encode("utf-8")
    return hashlib.sha256(text).hexdigest()
