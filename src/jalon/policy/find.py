"""Finds where a rule stands: parameters, texts, templates, indicators, functions, tests.

The word is looked for without regard to case or accents, in French and in English.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from jalon.core.lang import Text
from jalon.policy import reader, schema
from jalon.policy.policy import Policy


@dataclass(frozen=True)
class Place:
    """``what`` in words, at ``file``:``line``."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


def plain(text: str) -> str:
    """Lower case, without accents, words parted by single spaces; ``_`` and ``-`` part words too."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(bare.lower().replace("_", " ").replace("-", " ").replace("’", "'").split())


def _said(text: Text | None) -> str:
    return f"{text.fr} {text.en}" if isinstance(text, Text) else ""


def parameters(policy: Policy, word: str) -> Iterator[schema.ParameterHistory]:
    for history in policy.parameters.values():
        about = [
            history.path,
            _said(history.title),
            *(word for v in history.values for word in (v.reference, getattr(v.reference, "en", ""))),
        ]
        if word in plain(" ".join(about)):
            yield history


def records(policy: Policy, word: str) -> Iterator[Place]:
    """Phases, acts, groups, roles, templates and their parts, indicators: all that is not a parameter."""
    kinds = {
        "programme": (*policy.identifiers, *policy.themes),
        "territories": policy.regions,
        "phases": policy.phases,
        "labels": (*policy.tiers, *policy.label_acts, *policy.label_deciders),
        "members": (*policy.members.types, *policy.members.colleges, *policy.members.size_schemes),
        "governance": policy.governance.bodies,
        "roles": policy.roles,
        "roadmaps": policy.roadmap_templates,
        "contracts": policy.contract_templates,
        "indicators": policy.indicators,
        "reporting": (policy.reporting,),
        "evaluations": policy.evaluation_groups,
    }
    for name, part in policy.parts.items():
        lists = [value for value in vars(part).values() if isinstance(value, tuple)]
        kinds[name] = tuple(thing for value in lists for thing in value if is_dataclass(thing))
    for file, things in kinds.items():
        for thing in things:
            yield from _inside(thing, word, file)


def words(policy: Policy, word: str) -> Iterator[Place]:
    """What the programme calls things, in programme.yaml."""
    path = Path(policy.folder) / "programme.yaml"
    node = reader.read(path).get("words")
    for key, line, _ in node.entries if node else ():
        if word in plain(f"{key} {_said(policy.words.get(key))}"):
            yield Place(reader.shown(path), line, f"words.{key} ({policy.words[key]})")


def _inside(thing: Any, word: str, path: str, place: tuple[str, int] = ("", 0)) -> Iterator[Place]:
    """The thing itself when its own texts hold the word, then its parts (``path`` leads to them)."""
    place = (thing.file, thing.line) if getattr(thing, "line", 0) else place
    code = getattr(thing, "code", None) or getattr(thing, "key", None) or getattr(thing, "kind", None)
    path = f"{path}.{code}" if code else path
    own, below = [path.rsplit(".", 1)[-1]], []
    for field in fields(thing):
        value = getattr(thing, field.name)
        if isinstance(value, Text):
            own.append(_said(value))
        elif isinstance(value, str) and field.name not in ("file", "url"):
            own.append(value)
        elif isinstance(value, tuple):
            below += [(path, v) for v in value if is_dataclass(v)]
            own += [_said(v) if isinstance(v, Text) else v for v in value if isinstance(v, Text | str)]
        elif is_dataclass(value) and not isinstance(value, type):
            below.append((f"{path}.{field.name}", value))
    if word in plain(" ".join(own)):
        title = getattr(thing, "title", None) or getattr(thing, "text", None)
        yield Place(*place, f"{path} ({title})" if isinstance(title, Text) else path)
    for under, part in below:
        yield from _inside(part, word, under, place)


def functions(word: str, root: Path = reader.ROOT) -> Iterator[Place]:
    """Functions and classes of the rules (``rules.py``) whose name, docstring or body holds the word."""
    yield from _in_python(sorted((root / "src" / "jalon").glob("**/rules.py")), word, root)


def tests(word: str, root: Path = reader.ROOT) -> Iterator[Place]:
    files = [p for p in sorted((root / "tests").glob("**/*.py")) if p.name.startswith("test_")]
    yield from _in_python(files, word, root)
    for path in sorted((root / "tests").glob("**/*.y*ml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if word in plain(line):
                yield Place(path.relative_to(root).as_posix(), number, line.strip())


def _in_python(files: list[Path], word: str, root: Path) -> Iterator[Place]:
    for path in files:
        source = path.read_text(encoding="utf-8")
        if word not in plain(source):
            continue
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and word in plain(
                ast.get_source_segment(source, node) or ""
            ):
                first = (ast.get_docstring(node) or "").split("\n")[0]
                what = f"{node.name}: {first}" if first else node.name
                yield Place(path.relative_to(root).as_posix(), node.lineno, what)
