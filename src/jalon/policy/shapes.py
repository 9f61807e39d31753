"""Shapes: what a value in a policy file must look like, and the record it becomes.

A shape is a function of a node and a reading; it returns the value, or ``BAD`` after having noted
a fault. Nothing stops at the first fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from jalon.core.lang import T, Text, Titled
from jalon.policy.faults import Fault
from jalon.policy.formula import Formula, FormulaError
from jalon.policy.reader import Node
from jalon.policy.schema import Source, Sourced

BAD: Any = object()
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Reading:
    """One reading of a folder: the faults met so far, and the sources that keys may name."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.sources: dict[str, Source] = {}
        # Lists of which an element is wrong, by file and path: the elements that are sound, and every
        # code written there. Other files are still checked against them.
        self.halves: dict[tuple[str, str], tuple[tuple[Any, ...], tuple[str, ...]]] = {}

    def fault(
        self,
        node: Node,
        found: Text,
        expected: Text,
        *,
        key: str | None = None,
        line: int | None = None,
    ) -> Any:
        path = node.path if key is None else (f"{node.path}.{key}" if node.path else key)
        self.faults.append(Fault(node.file, line or node.line, path or Path(node.file).stem, found, expected))
        return BAD


Shape = Callable[[Node, Reading], Any]


def said(node: Node) -> Text:
    """What stands at a node, in a few words."""
    if node.kind == "map":
        return T("des clés et des valeurs", "keys and values")
    if node.kind == "list":
        return T("une liste", "a list")
    value = node.value
    if value is None:
        return T("rien", "nothing")
    if isinstance(value, str) and not value.strip():
        return T("un texte vide", "an empty text")
    if isinstance(value, bool):
        return T(
            f"{'oui' if value else 'non'} ({str(value).lower()})",
            f"{'yes' if value else 'no'} ({str(value).lower()})",
        )
    if isinstance(value, date):
        return T(f"la date {value.isoformat()}", f"the date {value.isoformat()}")
    if isinstance(value, str):
        short = value if len(value) <= 60 else value[:57] + "…"
        return T("« {x} »", "“{x}”", x=short)
    return T(f"le nombre {value}", f"the number {value}")


def quoted(words: Iterable[str]) -> str:
    return ", ".join(words)


def string(node: Node, reading: Reading) -> Any:
    if node.kind == "scalar" and isinstance(node.value, str) and node.value.strip():
        return node.value.strip()
    return reading.fault(node, said(node), T("un texte (entre guillemets au besoin)", "a text (quoted if need be)"))


def reference(node: Node, reading: Reading) -> Any:
    """The title of a text, as it is; or what it says in our own words, then as fr and en."""
    if node.kind != "map":
        return string(node, reading)
    pair = text(node, reading)
    return BAD if pair is BAD else Titled(pair.fr, pair.en)


def code(node: Node, reading: Reading) -> Any:
    if node.kind == "scalar" and isinstance(node.value, str) and _CODE.fullmatch(node.value):
        return node.value
    return reading.fault(
        node,
        said(node),
        T(
            "un code en minuscules, chiffres, tirets, entre guillemets s’il ressemble à un nombre",
            "a code of lower-case letters, digits and dashes, quoted when it looks like a number",
        ),
    )


def text(node: Node, reading: Reading) -> Any:
    if node.kind == "map":
        known = {"fr", "en"}
        for key, line, _ in node.entries:
            if key not in known:
                reading.fault(
                    node,
                    T("la clé « {k} »", "the key “{k}”", k=key),
                    T("fr et en", "fr and en"),
                    key=str(key),
                    line=line,
                )
        pair = []
        for language in ("fr", "en"):
            half = node.get(language)
            if half is None:
                reading.fault(
                    node,
                    T(f"aucun texte « {language} »", f"no “{language}” text"),
                    T("le texte dans les deux langues, fr et en", "the text in fr and in en"),
                )
                pair.append(BAD)
            else:
                pair.append(string(half, reading))
        if BAD in pair:
            return BAD
        return Text(pair[0], pair[1])
    return reading.fault(node, said(node), T("une paire {fr: …, en: …}", "a pair {fr: …, en: …}"))


def boolean(node: Node, reading: Reading) -> Any:
    if isinstance(node.value, bool):
        return node.value
    return reading.fault(node, said(node), T("true ou false", "true or false"))


def integer(node: Node, reading: Reading) -> Any:
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    return reading.fault(node, said(node), T("un nombre entier", "a whole number"))


def natural(node: Node, reading: Reading) -> Any:
    value = integer(node, reading)
    if value is not BAD and value < 0:
        return reading.fault(node, said(node), T("un nombre entier, zéro ou plus", "a whole number, zero or more"))
    return value


def number(node: Node, reading: Reading) -> Any:
    if isinstance(node.value, int | Decimal) and not isinstance(node.value, bool):
        return Decimal(node.value)
    return reading.fault(node, said(node), T("un nombre", "a number"))


def amount(node: Node, reading: Reading) -> Any:
    value = number(node, reading)
    if value is not BAD and value < 0:
        return reading.fault(node, said(node), T("un montant, zéro ou plus", "an amount, zero or more"))
    return value


def day(node: Node, reading: Reading) -> Any:
    if isinstance(node.value, date):
        return node.value
    return reading.fault(node, said(node), T("une date AAAA-MM-JJ", "a date YYYY-MM-DD"))


def formula(measures: Iterable[str]) -> Shape:
    known = set(measures)

    def read(node: Node, reading: Reading) -> Any:
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            source: Any = str(node.value)
        else:
            source = string(node, reading)
        if source is BAD:
            return BAD
        try:
            parsed = Formula.parse(source)
        except FormulaError as error:
            return reading.fault(
                node,
                error.text,
                T(
                    "des nombres, + - * / ( ) et des noms de mesures",
                    "numbers, + - * / ( ) and names of measures",
                ),
            )
        unknown = [name for name in parsed.measures if name not in known]
        for name in unknown:
            reading.fault(
                node,
                T("la mesure inconnue « {m} »", "the unknown measure “{m}”", m=name),
                T("l’une de {all}", "one of {all}", all=quoted(sorted(known))),
            )
        return BAD if unknown else parsed

    return read


def one_of(words: Sequence[str]) -> Shape:
    def read(node: Node, reading: Reading) -> Any:
        if node.kind == "scalar" and node.value in words and isinstance(node.value, str):
            return node.value
        return reading.fault(node, said(node), T("l’un de {w}", "one of {w}", w=quoted(words)))

    return read


def many(shape: Shape, *, unique: str | None = None, least: int = 0) -> Shape:
    """A list; ``unique`` names the attribute that no two elements may share ("" = themselves)."""

    def read(node: Node, reading: Reading) -> Any:
        if node.kind != "list":
            return reading.fault(node, said(node), T("une liste", "a list"))
        if len(node.elements) < least:
            return reading.fault(
                node,
                T("une liste vide", "an empty list"),
                T(f"au moins {least} élément", f"at least {least} element"),
            )
        found: list[Any] = []
        seen: dict[Any, int] = {}
        sound = True
        for element in node.elements:
            value = shape(element, reading)
            if value is BAD:
                sound = False
                continue
            if unique is not None:
                key = getattr(value, unique) if unique else value
                if key in seen:
                    reading.fault(
                        element,
                        T(
                            "le code « {k} », déjà pris ligne {n}",
                            "the code “{k}”, already taken on line {n}",
                            k=key,
                            n=seen[key],
                        ),
                        T("un code à lui", "a code of its own"),
                    )
                    sound = False
                    continue
                seen[key] = element.line
            found.append(value)
        if sound:
            return tuple(found)
        written = [part.get("code") for part in node.elements if part.kind == "map"]
        named = tuple(part.value for part in written if part is not None and isinstance(part.value, str))
        reading.halves[Path(node.file).stem, node.path] = (tuple(found), named)
        return BAD

    return read


@dataclass(frozen=True)
class Key:
    """A key of a record: the shape of its value; ``default`` stands when it may be left out."""

    shape: Shape
    default: Any = BAD

    @property
    def required(self) -> bool:
        return self.default is BAD


SOURCE_KEYS = ("reference", "source", "url", "reading", "to_confirm")


def sourcing(node: Node, reading: Reading, *, required: bool) -> dict[str, Any]:
    """reference, url, reading and to_confirm of a record; a source key stands for both."""
    out: dict[str, Any] = {"reference": "", "url": None, "reading": False, "to_confirm": False}
    for name, shape in (("reference", reference), ("url", string)):
        part = node.get(name)
        if part is not None:
            value = shape(part, reading)
            out[name] = value if value is not BAD else ""
    for name in ("reading", "to_confirm"):
        part = node.get(name)
        if part is not None:
            out[name] = boolean(part, reading) is True
    key_node = node.get("source")
    if key_node is not None:
        key = string(key_node, reading)
        if key is not BAD:
            source = reading.sources.get(key)
            if source is None:
                reading.fault(
                    key_node,
                    T("la source « {k} »", "the source “{k}”", k=key),
                    T("une clé de sources.yaml", "a key of sources.yaml"),
                )
            else:
                out["reference"] = out["reference"] or source.title
                out["url"] = out["url"] or source.url
    if required and not (node.get("reference") or key_node):
        reading.fault(
            node,
            T("aucune référence", "no reference"),
            T(
                "reference (le texte) ou source (une clé de sources.yaml)",
                "reference (the text) or source (a key of sources.yaml)",
            ),
        )
    return out


def record(
    cls: type,
    keys: dict[str, Key],
    *,
    sourced: bool = False,
    own_source: bool = False,
    check: Callable[[Any, Node, Reading], None] | None = None,
) -> Shape:
    """A mapping that becomes ``cls``.

    ``sourced``: a reference is required. ``own_source``: ``source`` is a key of the record itself,
    so only ``reference`` can name the text.
    """
    is_sourced = issubclass(cls, Sourced)
    placed = {"file", "line"} <= {f.name for f in fields(cls)}
    extra = [k for k in SOURCE_KEYS if not (own_source and k == "source")] if is_sourced else []

    def read(node: Node, reading: Reading) -> Any:
        if node.kind != "map":
            return reading.fault(node, said(node), T("les clés {k}", "the keys {k}", k=quoted([*keys, *extra])))
        sound = True
        for key, line, _ in node.entries:
            if key not in keys and key not in extra:
                reading.fault(
                    node,
                    T("la clé « {k} »", "the key “{k}”", k=key),
                    T("l’une de {k}", "one of {k}", k=quoted([*keys, *extra])),
                    key=str(key),
                    line=line,
                )
                sound = False
        values: dict[str, Any] = {}
        for name, key in keys.items():
            part = node.get(name)
            if part is None:
                if key.required:
                    reading.fault(
                        node,
                        T("aucune clé « {k} »", "no key “{k}”", k=name),
                        T("la clé « {k} »", "the key “{k}”", k=name),
                    )
                    sound = False
                else:
                    values[name] = key.default
                continue
            value = key.shape(part, reading)
            if value is BAD:
                sound = False
            values[name] = value
        if is_sourced:
            before = len(reading.faults)
            hidden = node
            if own_source:
                hidden = Node(
                    node.file,
                    node.line,
                    node.path,
                    "map",
                    entries=[e for e in node.entries if e[0] != "source"],
                )
            values.update(sourcing(hidden, reading, required=sourced))
            sound = sound and len(reading.faults) == before
        if not sound:
            return BAD
        if placed:
            values.update(file=node.file, line=node.line)
        built = cls(**values)
        if check is not None:
            before = len(reading.faults)
            check(built, node, reading)
            if len(reading.faults) != before:
                return BAD
        return built

    return read
