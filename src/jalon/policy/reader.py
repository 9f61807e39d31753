"""YAML with line numbers: every value knows the file and the line it was written on.

Built on PyYAML's C loader, composing nodes without constructing arbitrary objects. Numbers with a
point become :class:`~decimal.Decimal`, dates become :class:`~datetime.date`. Keys given twice are
faults, where plain YAML would silently keep the last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import yaml

from jalon.core.lang import T, Text
from jalon.policy.faults import Fault, PolicyFaults

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_construct: Any = yaml.constructor.SafeConstructor()
_TAG = "tag:yaml.org,2002:"

_MOST_NODES = 400_000


class _Trail:
    """Guards against aliases that contain themselves, or multiply without measure."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        self.count = 0
        self.told = False

    def enter(self, raw: Any) -> bool:
        self.count += 1
        if self.count > _MOST_NODES or id(raw) in self.open or len(self.open) >= 200:
            return False
        self.open.add(id(raw))
        return True

    def leave(self, raw: Any) -> None:
        self.open.discard(id(raw))


ROOT = Path(__file__).resolve().parents[3]


def shown(path: Path) -> str:
    """The path as people read it: relative to the project's folder when it lies inside it."""
    try:
        return path.resolve().relative_to(ROOT).as_posix()
    except ValueError:
        return str(path)


@dataclass
class Node:
    """One value of a YAML file, with its place.

    ``kind`` is ``map`` (then ``entries`` holds (key, line of the key, value)), ``list`` (then
    ``elements``) or ``scalar`` (then ``value``: str, int, Decimal, bool, date or None).
    """

    file: str
    line: int
    path: str
    kind: Literal["map", "list", "scalar"]
    value: Any = None
    entries: list[tuple[Any, int, Node]] = field(default_factory=list)
    elements: list[Node] = field(default_factory=list)

    def get(self, key: str) -> Node | None:
        for name, _, node in self.entries:
            if name == key:
                return node
        return None

    def walk(self) -> Iterator[Node]:
        yield self
        for _, _, node in self.entries:
            yield from node.walk()
        for node in self.elements:
            yield from node.walk()

    def plain(self) -> Any:
        """The value without its places: dict, list or scalar."""
        if self.kind == "map":
            return {key: node.plain() for key, _, node in self.entries}
        if self.kind == "list":
            return [node.plain() for node in self.elements]
        return self.value


def read(path: Path, *, name: str | None = None) -> Node:
    """Read a YAML file.

    Raises:
        PolicyFaults: the file is missing, is not UTF-8, is not YAML, or has keys given twice.
    """
    name = name or shown(path)
    try:
        source = path.read_bytes().decode("utf-8-sig")
    except OSError:
        raise PolicyFaults(
            [
                Fault(
                    name,
                    1,
                    path.stem,
                    T("aucun fichier", "no file"),
                    T("un fichier YAML", "a YAML file"),
                )
            ]
        ) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PolicyFaults(
            [
                Fault(
                    name,
                    line,
                    path.stem,
                    T("un octet qui n’est pas de l’UTF-8", "a byte that is not UTF-8"),
                    T("un fichier en UTF-8", "a file in UTF-8"),
                )
            ]
        ) from None
    return parse(source, name=name, stem=path.stem)


# What the parser says, in English only, and how it is said to whoever wrote the file.
_PROBLEMS: tuple[tuple[str, Text], ...] = (
    ("cannot start any token", T("un caractère qui ne peut pas commencer une valeur (souvent une tabulation, ou @ et ` sans guillemets)", "a character that cannot begin a value (often a tab, or @ and ` without quotes)")),
    ("mapping values are not allowed", T("« : » à un endroit où une valeur est déjà écrite (mettre le texte entre guillemets)", "“:” where a value stands already (put the text between quotes)")),
    ("could not find expected ':'", T("une ligne sans « : » après sa clé", "a line without “:” after its key")),
    ("did not find expected key", T("un retrait qui ne correspond pas aux lignes voisines", "an indentation that does not fit the lines around it")),
    ("did not find expected '-'", T("un élément de liste sans « - », ou mal aligné", "an element of a list without “-”, or out of line")),
    ("did not find expected ',' or", T("une liste ou un groupe entre accolades qui n'est pas fermé", "a list or a group in braces that is not closed")),
    ("unexpected end of stream", T("des guillemets qui ne sont pas fermés", "quotes that are not closed")),
    ("unknown escape character", T("un « \\ » suivi d'un caractère inconnu, entre guillemets doubles", "a “\\” followed by an unknown character, between double quotes")),
    ("undefined alias", T("un renvoi (*nom) à une ancre qui n'existe pas", "an alias (*name) of an anchor that does not exist")),
    ("control characters are not allowed", T("un caractère de contrôle", "a control character")),
    ("block sequence entries are not allowed", T("« - » à un endroit où une valeur est déjà écrite", "“-” where a value stands already")),
    ("while scanning", T("un passage qui ne se lit pas", "a passage that cannot be read")),
)  # fmt: skip


def _problem(said: str) -> Text:
    """The parser's complaint in the reader's language; an unknown one is quoted as it is."""
    for part, text in _PROBLEMS:
        if part in said:
            return text
    return T(f"« {said} » (message du lecteur YAML)", f"“{said}” (the YAML reader's words)")


def parse(source: str, *, name: str, stem: str = "") -> Node:
    """Read YAML text; ``name`` stands for the file in faults. Raises like :func:`read`."""
    try:
        root = yaml.compose(source, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise PolicyFaults(
            [
                Fault(
                    name,
                    (mark.line + 1) if mark else 1,
                    stem or name,
                    _problem(problem),
                    T("du YAML bien formé", "well-formed YAML"),
                )
            ]
        ) from None
    if root is None:
        raise PolicyFaults(
            [
                Fault(
                    name,
                    1,
                    stem or name,
                    T("un fichier vide", "an empty file"),
                    T("au moins une clé", "at least one key"),
                )
            ]
        )
    faults: list[Fault] = []
    node = _build(root, name, "", faults, _Trail())
    if faults:
        raise PolicyFaults(faults)
    return node


def _build(raw: Any, file: str, path: str, faults: list[Fault], trail: _Trail) -> Node:
    line = raw.start_mark.line + 1
    if not trail.enter(raw):
        if not trail.told:
            faults.append(
                Fault(
                    file,
                    line,
                    path,
                    T(
                        "une structure trop profonde ou trop grande (renvois * compris)",
                        "a structure too deep or too large (aliases * included)",
                    ),
                    T(f"au plus 200 niveaux et {_MOST_NODES} valeurs", f"at most 200 levels and {_MOST_NODES} values"),
                )
            )
        trail.told = True
        return Node(file, line, path, "scalar")
    try:
        return _node(raw, file, path, line, faults, trail)
    finally:
        trail.leave(raw)


def _node(raw: Any, file: str, path: str, line: int, faults: list[Fault], trail: _Trail) -> Node:
    if isinstance(raw, yaml.MappingNode):
        node = Node(file, line, path, "map")
        seen: set[Any] = set()
        for raw_key, raw_value in raw.value:
            key_line = raw_key.start_mark.line + 1
            key = _key(raw_key, file, path, faults)
            below = f"{path}.{key}" if path else str(key)
            if key in seen:
                faults.append(
                    Fault(
                        file,
                        key_line,
                        below,
                        T(f"la clé « {key} » une deuxième fois", f"the key “{key}” a second time"),
                        T("chaque clé une seule fois", "each key once"),
                    )
                )
            seen.add(key)
            node.entries.append((key, key_line, _build(raw_value, file, below, faults, trail)))
        return node
    if isinstance(raw, yaml.SequenceNode):
        node = Node(file, line, path, "list")
        for position, element in enumerate(raw.value):
            node.elements.append(_build(element, file, f"{path}[{position}]", faults, trail))
        return node
    return Node(file, line, path, "scalar", value=_scalar(raw, file, path, faults))


def _key(raw: Any, file: str, path: str, faults: list[Fault]) -> Any:
    """A key as it is written: ``on``, ``no`` and ``yes`` are words here, which YAML 1.1 takes for true and false."""
    if not isinstance(raw, yaml.ScalarNode):
        return "?"
    return raw.value if raw.tag == f"{_TAG}bool" else _scalar(raw, file, path, faults)


def _scalar(raw: Any, file: str, path: str, faults: list[Fault]) -> Any:
    tag = raw.tag.removeprefix(_TAG)
    try:
        if tag == "str":
            return raw.value
        if tag == "null":
            return None
        if tag == "bool":
            return bool(_construct.construct_yaml_bool(raw))
        if tag == "int":
            return int(_construct.construct_yaml_int(raw))
        if tag == "float":
            number = Decimal(raw.value.replace("_", ""))
            if number.is_finite():
                return number
        if tag == "timestamp":
            moment = _construct.construct_yaml_timestamp(raw)
            if isinstance(moment, date) and not isinstance(moment, datetime):
                return moment
    except (ValueError, ArithmeticError):
        pass
    faults.append(
        Fault(
            file,
            raw.start_mark.line + 1,
            path,
            T(f"« {raw.value} »", f"“{raw.value}”"),
            T(
                "un texte, un nombre, une date AAAA-MM-JJ, oui ou non (true, false)",
                "a text, a number, a date YYYY-MM-DD, true or false",
            ),
        )
    )
    return None
