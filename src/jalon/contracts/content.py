"""The document of a contract (*le contenu du contrat*): its tree, paths, differences and faults.

Pure: plain values in, plain values out, nothing is changed in place. The tree is JSON: decimals are strings
(``"1200.5"``), days ISO strings, every element of a list carries a ``key`` that never changes and is never
given twice. What is not known is absent or None; it is never zero.

A path names a place: ``starts_on``, ``articles/object/body``, ``objectives/o1/actions/a1/title``,
``indicators/i1/targets/2010``, ``commitments/c1/amounts/2010``; the path of an element names the element whole.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from jalon.core.canonical import decimal_text
from jalon.core.errors import Refused
from jalon.core.lang import T, Text

MAX_DIGITS = 14
"""Digits before the decimal point that the tables can hold, for money and for targets."""

PUBLIC_SIDE = ("state", "authority")


@dataclass(frozen=True)
class Field:
    """A field of an element. ``kind``: line, text, day, money, number, choice, flag, ref, id, codes, year_*.

    ``year_money``, ``year_number`` and ``year_day`` are mappings from a year to a value. ``ref`` holds the key
    of an element of the list ``to``. ``word`` is what the field is called inside a sentence.
    """

    name: str
    word: Text
    kind: str
    choices: tuple[tuple[str, Text], ...] = ()
    to: str = ""

    @property
    def yearly(self) -> bool:
        return self.kind.startswith("year_")

    @property
    def value_kind(self) -> str:
        return self.kind.removeprefix("year_")


@dataclass(frozen=True)
class Element:
    """A kind of element: the list that holds it, the letter of its keys, its fields, the lists below it."""

    name: str
    letter: str
    word: Text
    plural: Text
    fields: tuple[Field, ...]
    children: tuple[Element, ...] = ()

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    def child(self, name: str) -> Element | None:
        return next((e for e in self.children if e.name == name), None)


PARTY_KINDS = (
    ("state", T("État", "State")),
    ("authority", T("collectivité territoriale", "local authority")),
    ("governance", T("structure de gouvernance", "governance structure")),
)
DIRECTIONS = (
    ("up", T("à la hausse", "upwards")),
    ("down", T("à la baisse", "downwards")),
    ("none", T("sans sens", "no direction")),
)
SUPPORT_KINDS = (
    ("money", T("financement", "funding")),
    ("support", T("appui non financier", "non-financial support")),
)
UNITS = (
    ("count", T("nombre", "count")),
    ("percent", T("%", "%")),
    ("fte", T("ETP", "FTE")),
    ("money", T("montant", "amount")),
    ("ratio", T("rapport", "ratio")),
    ("mean", T("moyenne", "mean")),
    ("yes_no", T("oui ou non", "yes or no")),
)
"""Units an indicator of a contract may have; the same words as the policy's catalogue."""

TITLE = Field("title", T("intitulé", "title"), "line")
BODY = Field("body", T("texte", "text"), "text")

MILESTONE = Element(
    "milestones",
    "m",
    T("jalon", "milestone"),
    T("jalons", "milestones"),
    (TITLE, Field("due_on", T("échéance", "due date"), "day")),
)
ACTION = Element(
    "actions",
    "a",
    T("action", "action"),
    T("actions", "actions"),
    (
        TITLE,
        Field("owner", T("responsable", "owner"), "line"),
        Field("starts_on", T("début", "start"), "day"),
        Field("ends_on", T("fin", "end"), "day"),
        Field("budget", T("budget", "budget"), "money"),
        Field("deliverables", T("livrables", "deliverables"), "text"),
    ),
    (MILESTONE,),
)
OBJECTIVE = Element(
    "objectives",
    "o",
    T("objectif", "objective"),
    T("objectifs", "objectives"),
    (
        TITLE,
        BODY,
        Field("axis", T("axe d'amélioration", "improvement axis"), "ref", to="improvement_axes"),
    ),
    (ACTION,),
)
INDICATOR = Element(
    "indicators",
    "i",
    T("indicateur", "indicator"),
    T("indicateurs", "indicators"),
    (
        Field("code", T("code du catalogue", "catalogue code"), "line"),
        TITLE,
        Field("unit", T("unité", "unit"), "choice", UNITS),
        Field("definition", T("définition", "definition"), "text"),
        Field("direction", T("sens attendu", "expected direction"), "choice", DIRECTIONS),
        Field("common", T("commun à tous", "common to all"), "flag"),
        Field("objective", T("objectif suivi", "objective followed"), "ref", to="objectives"),
        Field("baseline", T("valeur de départ", "baseline"), "number"),
        Field("baseline_on", T("date de la valeur de départ", "date of the baseline"), "day"),
        Field("targets", T("cible", "target"), "year_number"),
    ),
)
COMMITMENT = Element(
    "commitments",
    "c",
    T("engagement", "commitment"),
    T("engagements publics", "public commitments"),
    (
        Field("party", T("partie", "party"), "ref", to="parties"),
        Field("kind", T("nature", "kind"), "choice", SUPPORT_KINDS),
        TITLE,
        Field("amounts", T("montant", "amount"), "year_money"),
        Field("due", T("échéance", "due date"), "year_day"),
    ),
)
PARTY = Element(
    "parties",
    "p",
    T("partie", "party"),
    T("parties", "parties"),
    (
        Field("kind", T("qualité", "kind"), "choice", PARTY_KINDS),
        Field("organisation", T("organisme", "organisation"), "id"),
        Field("name", T("nom", "name"), "line"),
        Field("signatory", T("signataire", "signatory"), "line"),
    ),
)
ARTICLE = Element("articles", "art", T("article", "article"), T("articles", "articles"), (TITLE, BODY))
AXIS = Element(
    "improvement_axes",
    "x",
    T("axe d'amélioration", "improvement axis"),
    T("axes d'amélioration", "improvement axes"),
    (TITLE, BODY),
)
CONTRACT = Element(
    "",
    "",
    T("contrat", "contract"),
    T("contrats", "contracts"),
    (
        TITLE,
        Field("starts_on", T("début", "start"), "day"),
        Field("ends_on", T("fin", "end"), "day"),
        Field("territory", T("territoire", "territory"), "codes"),
        Field("preamble", T("préambule", "preamble"), "text"),
    ),
    (PARTY, ARTICLE, AXIS, OBJECTIVE, INDICATOR, COMMITMENT),
)
"""The whole tree: what a contract may hold, in the order in which it is read."""


@dataclass(frozen=True)
class Place:
    """What a path points at. ``field`` is None for a whole element; ``year`` is set inside a yearly field."""

    path: str
    element: Element
    element_path: str
    field: Field | None = None
    year: int | None = None

    @property
    def whole(self) -> bool:
        return self.field is None


class UnknownPath(Refused):
    """The path does not fit the tree of a contract."""

    def __init__(self, path: str):
        super().__init__(
            T(
                "Le chemin « {path} » ne désigne rien dans un contrat.",
                "The path “{path}” names nothing in a contract.",
                path=path,
            ),
            kind="input",
        )


_KEY = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
_YEAR = re.compile(r"^(19|20|21)\d\d$")


def place(path: str) -> Place:
    """Where ``path`` points, whatever the content. Raises UnknownPath (a Refused)."""
    parts = path.split("/")
    element, at = CONTRACT, ""
    i = 0
    while i < len(parts):
        name = parts[i]
        child = element.child(name)
        if child is not None:
            if i + 1 >= len(parts) or not _KEY.match(parts[i + 1]):
                raise UnknownPath(path)
            at = f"{at}/{name}/{parts[i + 1]}".lstrip("/")
            element = child
            i += 2
            continue
        field = element.field(name)
        if field is None:
            raise UnknownPath(path)
        rest = parts[i + 1 :]
        if not rest:
            return Place(path, element, at, field)
        if field.yearly and len(rest) == 1 and _YEAR.match(rest[0]):
            return Place(path, element, at, field, int(rest[0]))
        raise UnknownPath(path)
    if not at:
        raise UnknownPath(path)
    return Place(path, element, at)


# --- reading ------------------------------------------------------------------------------------------------------


def _find(items: Sequence[Mapping[str, Any]], key: str) -> Mapping[str, Any] | None:
    return next((item for item in items or () if item.get("key") == key), None)


def _node(content: Mapping[str, Any], element_path: str) -> Any:
    node: Any = content
    parts = element_path.split("/") if element_path else []
    for name, key in zip(parts[::2], parts[1::2], strict=True):
        node = _find(node.get(name) or (), key)
        if node is None:
            return None
    return node


def get(content: Mapping[str, Any], path: str) -> Any:
    """The value at ``path``; None when nothing stands there (an unknown value and an absent one are the same)."""
    where = place(path)
    node = _node(content, where.element_path)
    if node is None or where.whole:
        return node
    value = node.get(where.field.name)
    if where.year is not None:
        return (value or {}).get(str(where.year))
    return value


def exists(content: Mapping[str, Any], path: str) -> bool:
    """Whether the element that ``path`` belongs to stands in the content."""
    return _node(content, place(path).element_path) is not None


def elements(content: Mapping[str, Any]) -> Iterator[tuple[str, Element, Mapping[str, Any]]]:
    """Every element, in reading order: ``(path, kind of element, value)``; parents before children."""

    def below(node: Mapping[str, Any], kind: Element, at: str) -> Iterator[Any]:
        for child in kind.children:
            for item in node.get(child.name) or ():
                path = f"{at}/{child.name}/{item['key']}".lstrip("/")
                yield path, child, item
                yield from below(item, child, path)

    yield from below(content, CONTRACT, "")


def _leaves(node: Mapping[str, Any], kind: Element, at: str) -> Iterator[tuple[str, Any]]:
    for field in kind.fields:
        value = node.get(field.name)
        path = f"{at}/{field.name}".lstrip("/")
        if field.yearly:
            for year in sorted(value or {}):
                if value[year] is not None:
                    yield f"{path}/{year}", value[year]
        elif value is not None and value != "" and value != []:
            yield path, value


def walk(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every value that stands in the content: ``(path, value)``, in reading order."""
    yield from _leaves(content, CONTRACT, "")
    for path, kind, item in elements(content):
        yield from _leaves(item, kind, path)


def years(starts_on: dt.date | str | None, ends_on: dt.date | str | None, rule: str = "") -> list[int]:
    """The years over which targets and amounts run; none while the dates are not known.

    ``rule`` is the policy's (``calendar_years_of_contract``: every calendar year that shares a day with the
    contract; ``contract_years``: the calendar year in which each year of the contract begins).
    """
    first, last = as_day(starts_on), as_day(ends_on)
    if first is None or last is None or last < first:
        return []
    final = last.year
    if rule == "contract_years" and (last.month, last.day) < (first.month, first.day) and final > first.year:
        final -= 1
    return list(range(first.year, final + 1))


def years_of(content: Mapping[str, Any], rule: str = "") -> list[int]:
    """:func:`years` of a content."""
    return years(content.get("starts_on"), content.get("ends_on"), rule)


# --- writing ------------------------------------------------------------------------------------------------------


def _copied(value: Any) -> Any:
    """A copy of a document: mappings, lists and values only, five times quicker than a copy of anything."""
    if isinstance(value, Mapping):
        return {name: _copied(one) for name, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def put(content: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the content with ``value`` at ``path``.

    A mapping at the path of an element adds the element (at the end of its list) or replaces it; None at the path
    of an element removes it. None at the path of a value makes it unknown.

    Raises:
        Refused: the path names nothing, or the element it belongs to is not there.
    """
    where = place(path)
    out = _copied(content)
    if where.whole:
        parent_path, name, key = _split(path)
        parent = _node(out, parent_path)
        if parent is None:
            raise _gone(parent_path)
        items = list(parent.get(name) or ())
        position = next((i for i, item in enumerate(items) if item.get("key") == key), None)
        if value is None:
            if position is None:
                raise _gone(path)
            items.pop(position)
        else:
            new = tidy(where.element, {**value, "key": key})
            if position is None:
                items.append(new)
            else:
                items[position] = new
        parent[name] = items
        return out
    node = _node(out, where.element_path)
    if node is None:
        raise _gone(where.element_path)
    if where.year is not None:
        series = dict(node.get(where.field.name) or {})
        if value is None or value == "":
            series.pop(str(where.year), None)
        else:
            series[str(where.year)] = value
        node[where.field.name] = series
    else:
        node[where.field.name] = value
    return out


def remove(content: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A copy without the element at ``path``; references to it become empty.

    Raises:
        Refused: nothing stands there.
    """
    out = put(content, path, None)
    where = place(path)
    name, key = where.element.name, path.rsplit("/", 1)[-1]
    for at, kind, item in list(elements(out)):
        for field in kind.fields:
            if field.kind == "ref" and field.to == name and item.get(field.name) == key:
                out = put(out, f"{at}/{field.name}", None)
    return out


def _split(path: str) -> tuple[str, str, str]:
    parts = path.split("/")
    return "/".join(parts[:-2]), parts[-2], parts[-1]


def _gone(path: str) -> Refused:
    return Refused(
        T(
            "L'élément « {path} » n'est plus dans le texte.",
            "The element “{path}” is no longer in the text.",
            path=path,
        ),
        kind="conflict",
    )


def new_key(content: Mapping[str, Any], path: str, used: Iterable[str] = ()) -> str:
    """The key of a new element of the list at ``path`` (``objectives``, ``objectives/o1/actions``).

    A number after the kind's letter, higher than every one in the content and in ``used`` (keys that were given
    before, also by proposals that were not accepted), over all parents: an action keeps its key when an objective is removed.
    """
    name = path.rsplit("/", 1)[-1]
    kind = next(e for e in KINDS if e.name == name)
    taken = {item["key"] for at, k, item in elements(content) if k.name == name} | set(used)
    numbers = [int(m[1]) for key in taken if (m := re.match(rf"^{kind.letter}(\d+)$", key))]
    return f"{kind.letter}{max(numbers, default=0) + 1}"


def tidy(kind: Element, value: Mapping[str, Any]) -> dict[str, Any]:
    """An element with all its fields, nothing else, its unknown values as None, its lists as lists."""
    out: dict[str, Any] = {"key": value.get("key")} if kind is not CONTRACT else {}
    for field in kind.fields:
        got = value.get(field.name)
        if field.yearly:
            out[field.name] = {str(y): v for y, v in sorted((got or {}).items()) if v is not None and v != ""}
        elif field.kind == "codes":
            out[field.name] = list(got or [])
        elif field.kind == "flag":
            out[field.name] = bool(got)
        elif field.kind in ("line", "text"):
            out[field.name] = got or ""
        else:
            out[field.name] = got if got != "" else None
    for child in kind.children:
        out[child.name] = [tidy(child, item) for item in value.get(child.name) or ()]
    return out


def tidied(content: Mapping[str, Any]) -> dict[str, Any]:
    """The whole content with every field in place; two contents that say the same are then equal."""
    return tidy(CONTRACT, content)


def empty(title: str = "", starts_on: Any = None, ends_on: Any = None) -> dict[str, Any]:
    """A content with nothing in it yet."""
    return tidied({"title": title, "starts_on": iso(starts_on), "ends_on": iso(ends_on)})


# --- differences --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One difference. ``kind``: changed, added, removed. An added element has ``old`` None and ``new`` whole;
    a removed one the reverse; ``label`` says the place in words."""

    path: str
    old: Any
    new: Any
    label: Text
    kind: str = "changed"

    @property
    def subject(self) -> str:
        """Which of the policy's kinds of change this is: targets, text, funding, parties."""
        return subject(self.path)


def subject(path: str) -> str:
    """What a change at ``path`` is about, in the words of the policy's rule on amendments."""
    head = path.split("/")[0]
    return {"indicators": "targets", "commitments": "funding", "parties": "parties"}.get(head, "text")


def diff(old: Mapping[str, Any], new: Mapping[str, Any], words: Mapping[str, Any] | None = None) -> list[Change]:
    """What changed from ``old`` to ``new``, in reading order; the order of elements in a list is no difference.

    ``words``: the programme's own words (``policy.words``), used in the labels.
    """
    found: list[Change] = []

    def fields(kind: Element, a: Mapping[str, Any], b: Mapping[str, Any], at: str) -> None:
        for field in kind.fields:
            path = f"{at}/{field.name}".lstrip("/")
            va, vb = a.get(field.name), b.get(field.name)
            if field.yearly:
                va, vb = va or {}, vb or {}
                for year in sorted({*va, *vb}):
                    x, y = va.get(year), vb.get(year)
                    if not same(field, x, y):
                        found.append(Change(f"{path}/{year}", x, y, label(new, f"{path}/{year}", words)))
            elif not same(field, va, vb):
                found.append(Change(path, va, vb, label(new, path, words)))
        for child in kind.children:
            before = {i["key"]: i for i in a.get(child.name) or ()}
            after = {i["key"]: i for i in b.get(child.name) or ()}
            for key, item in after.items():
                path = f"{at}/{child.name}/{key}".lstrip("/")
                if key in before:
                    fields(child, before[key], item, path)
                else:
                    found.append(Change(path, None, item, label(new, path, words), "added"))
            for key, item in before.items():
                if key not in after:
                    path = f"{at}/{child.name}/{key}".lstrip("/")
                    found.append(Change(path, item, None, label(old, path, words), "removed"))

    fields(CONTRACT, old, new, "")
    return found


def same(field: Field | None, a: Any, b: Any) -> bool:
    """Whether two values say the same: ``"100"`` and ``"100.00"`` do, empty and absent do."""
    blank = (None, "", [], {})
    if a in blank and b in blank:
        return True
    if field is not None and field.value_kind in ("money", "number"):
        x, y = as_decimal(a), as_decimal(b)
        return x == y if x is not None and y is not None else a == b
    if field is not None and field.kind == "flag":
        return bool(a) == bool(b)
    return a == b


def same_at(path: str, a: Any, b: Any) -> bool:
    """:func:`same` for the value or the whole element at ``path``."""
    where = place(path)
    if where.whole:
        if a is None or b is None:
            return a is None and b is None
        return tidy(where.element, a) == tidy(where.element, b)
    return same(where.field, a, b)


@dataclass(frozen=True)
class Clash:
    """Two changes of one place that cannot both stand: what it was, what stands now, what is asked."""

    path: str
    old: Any
    theirs: Any
    ours: Any
    label: Text


def touches(a: str, b: str) -> bool:
    """Whether two paths concern one place: the same, or one inside the other."""
    return a == b or a.startswith(f"{b}/") or b.startswith(f"{a}/")


def apply(content: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """The content after ``changes``.

    Raises:
        Refused: a value is no longer what the change found (``kind`` conflict); nothing is written then.
    """
    out: dict[str, Any] = dict(content)
    for change in changes:
        now = get(out, change.path) if exists_parent(out, change.path) else None
        if same_at(change.path, now, change.new):
            continue
        if not same_at(change.path, now, change.old):
            raise Refused(
                T(
                    "{label} a changé entre-temps : « {now} » au lieu de « {old} ». Rien n'a été écrit.",
                    "{label} has changed meanwhile: “{now}” instead of “{old}”. Nothing was written.",
                    label=capital(change.label),
                    now=said(change.path, now),
                    old=said(change.path, change.old),
                ),
                kind="conflict",
            )
        if change.kind == "removed" or (change.new is None and place(change.path).whole):
            out = remove(out, change.path)
        else:
            out = put(out, change.path, change.new)
    return out


def merge(
    base: Mapping[str, Any],
    theirs: Mapping[str, Any],
    ours: Mapping[str, Any],
    words: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[Clash]]:
    """Bring what ``ours`` changed since ``base`` into ``theirs``: the merged content and what clashes.

    A place that both changed, to different values, is a clash and keeps ``theirs`` in the merged content.
    """
    their_changes = diff(base, theirs, words)
    merged: dict[str, Any] = dict(theirs)
    clashes: list[Clash] = []
    for change in diff(base, ours, words):
        met = [t for t in their_changes if touches(t.path, change.path)]
        there = get(theirs, change.path) if not met or exists_parent(theirs, change.path) else None
        if met and not same_at(change.path, there, change.new):
            clashes.append(Clash(change.path, change.old, there, change.new, change.label))
            continue
        if met:
            continue
        merged = remove(merged, change.path) if change.kind == "removed" else put(merged, change.path, change.new)
    return merged, clashes


def exists_parent(content: Mapping[str, Any], path: str) -> bool:
    """Whether the element above ``path`` stands (so that ``path`` can be read or written)."""
    where = place(path)
    above = _split(path)[0] if where.whole else where.element_path
    return _node(content, above) is not None


# --- words --------------------------------------------------------------------------------------------------------

KINDS: tuple[Element, ...] = (PARTY, ARTICLE, AXIS, OBJECTIVE, ACTION, MILESTONE, INDICATOR, COMMITMENT)
_PROGRAMME_WORD = {"objectives": "objective", "actions": "action", "indicators": "indicator"}


def name_of(kind: Element, item: Mapping[str, Any] | None) -> str:
    """The title by which an element is called, or its key."""
    if not item:
        return "?"
    return str(item.get("title") or item.get("name") or item.get("code") or item.get("key") or "?")


def kind_word(kind: Element, words: Mapping[str, Any] | None = None, *, plural: bool = False) -> Text:
    """What the programme calls this kind of element (``policy.words``), or the house's own word."""
    own = _PROGRAMME_WORD.get(kind.name)
    if words and own:
        found = words.get(own + "s" if plural else own)
        if found is not None:
            return found
    return kind.plural if plural else kind.word


def label(content: Mapping[str, Any], path: str, words: Mapping[str, Any] | None = None) -> Text:
    """The place in words: « objectif « Emploi » › action « Salons » › échéance »."""
    where = place(path)
    parts: list[Any] = []
    steps = where.element_path.split("/") if where.element_path else []
    kind, node = CONTRACT, content
    for name, key in zip(steps[::2], steps[1::2], strict=True):
        kind = kind.child(name) or kind
        node = _find((node or {}).get(name) or (), key) if node else None
        parts.append(
            T(
                "{word} « {name} »",
                "{word} “{name}”",
                word=kind_word(kind, words),
                name=name_of(kind, node) if node else key,
            )
        )
    if where.field is not None:
        word: Any = where.field.word
        parts.append(T("{w} {y}", "{w} {y}", w=word, y=where.year) if where.year else word)
    out = parts[0]
    for part in parts[1:]:
        out = T("{a} › {b}", "{a} › {b}", a=out, b=part)
    return out if isinstance(out, Text) else T("{a}", "{a}", a=out)


def said(path: str, value: Any) -> str | Text:
    """A value as a sentence can quote it, unformatted figures; unknown is said to be unknown."""
    if value in (None, "", [], {}):
        return T("inconnu", "unknown")
    where = place(path)
    if where.whole:
        return name_of(where.element, value)
    if where.field.kind == "choice":
        return dict(where.field.choices).get(value, str(value))
    if isinstance(value, bool):
        return T("oui", "yes") if value else T("non", "no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


# --- what is typed ------------------------------------------------------------------------------------------------


def as_day(value: Any) -> dt.date | None:
    """A day from a day or an ISO string; None when it is neither."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value) if value else None
    except (TypeError, ValueError):
        return None


def iso(value: Any) -> str | None:
    """A day as the content keeps it."""
    day = as_day(value)
    return day.isoformat() if day else None


def as_decimal(value: Any) -> Decimal | None:
    """A decimal from what the content keeps; None when it is unknown or not a figure."""
    if value is None or value == "" or isinstance(value, bool | float):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


_SPACES = dict.fromkeys(map(ord, " \t\u00a0\u202f\u2009'’"), None)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse(
    path: str, value: Any, words: Mapping[str, Any] | None = None, content: Mapping[str, Any] | None = None
) -> Any:
    """What was typed (or read from a cell) at ``path``, as the content keeps it; empty gives None.

    Figures are read as written in French or English (``1 234,50``, ``1,234.50``), days as ISO or dd/mm/yyyy.

    Raises:
        Refused: with the place, what was found and what was expected (``kind`` input).
    """
    where = place(path)
    at = label(content or {}, path, words)
    if where.whole:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise _unread(at, value, T("un élément entier", "a whole element"))
        clean: dict[str, Any] = {"key": path.rsplit("/", 1)[-1]}
        for field in where.element.fields:
            got = value.get(field.name)
            if field.yearly:
                clean[field.name] = {
                    str(y): parsed
                    for y, v in (got or {}).items()
                    if (parsed := parse(f"{path}/{field.name}/{y}", v, words, content)) is not None
                }
            else:
                clean[field.name] = parse(f"{path}/{field.name}", got, words, content)
        for child in where.element.children:
            clean[child.name] = [
                parse(f"{path}/{child.name}/{item['key']}", item, words, content)
                for item in value.get(child.name) or ()
            ]
        return tidy(where.element, clean)
    return _READERS[where.field.value_kind](where.field, value, at)


def _unread(at: Any, value: Any, expected: Any) -> Refused:
    return Refused(
        T(
            "{at} : « {found} » ne peut pas être lu ; attendu : {expected}.",
            "{at}: “{found}” cannot be read, {expected} is expected.",
            at=capital(at),
            found=str(value)[:80],
            expected=expected,
        ),
        kind="input",
    )


def capital(text: Any) -> Text:
    """A text with a capital first letter, for the start of a sentence."""
    if isinstance(text, Text):
        fr, en = text.in_language("fr"), text.in_language("en")
        return T("{t}", "{u}", t=fr[:1].upper() + fr[1:], u=en[:1].upper() + en[1:])
    return T("{t}", "{t}", t=str(text)[:1].upper() + str(text)[1:])


def _read_text(field: Field, value: Any, at: Any) -> str | None:
    if value is None:
        return None
    text = _CONTROL.sub("", str(value).replace("\r\n", "\n").replace("\r", "\n")).strip()
    if field.kind == "line":
        text = " ".join(text.split())
        if len(text) > 255:
            raise Refused(
                T(
                    "{at} : {n} signes, 255 au plus sont possibles.",
                    "{at}: {n} characters, at most 255 are possible.",
                    at=capital(at),
                    n=len(text),
                ),
                kind="input",
            )
    elif len(text) > 100_000:
        raise Refused(
            T(
                "{at} : {n} signes, 100 000 au plus sont possibles ; un long document se joint en annexe.",
                "{at}: {n} characters, at most 100,000 are possible; a long document is joined as an annex.",
                at=capital(at),
                n=len(text),
            ),
            kind="input",
        )
    return text or None


def _read_day(field: Field, value: Any, at: Any) -> str | None:
    if value is None or value == "":
        return None
    day = as_day(value)
    if day is None and isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        match = re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text)
        try:
            day = dt.date(int(match[3]), int(match[2]), int(match[1])) if match else dt.date.fromisoformat(text)
        except ValueError:
            day = None
    if day is None or not 1990 <= day.year <= 2199:
        raise _unread(at, value, T("une date (jj/mm/aaaa)", "a date (dd/mm/yyyy)"))
    return day.isoformat()


def _read_number(field: Field, value: Any, at: Any) -> str | None:
    if value is None or value == "":
        return None
    expected = T("un nombre", "a number")
    if isinstance(value, bool):
        raise _unread(at, value, expected)
    text = repr(value) if isinstance(value, float) else str(value)
    text = text.translate(_SPACES).removesuffix("€").removesuffix("%").replace("\u2212", "-")
    if not text:
        return None
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        text = text.replace(".", "").replace(",", ".") if comma > point else text.replace(",", "")
    else:
        text = text.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+", text):
        raise _unread(at, value, expected)
    number = Decimal(text)
    if number.adjusted() >= MAX_DIGITS:
        raise _unread(
            at,
            value,
            T("un nombre de {n} chiffres au plus", "a number of at most {n} digits", n=MAX_DIGITS),
        )
    places = 2 if field.value_kind == "money" else 6
    if number != round(number, places):
        raise _unread(
            at,
            value,
            T("un nombre à {n} décimales au plus", "a number with at most {n} decimals", n=places),
        )
    if field.value_kind == "money" and number < 0:
        raise Refused(
            T(
                "{at} : le montant {found} est négatif ; un montant promis est positif ou nul.",
                "{at}: the amount {found} is negative; a promised amount is positive or zero.",
                at=capital(at),
                found=decimal_text(number),
            ),
            kind="input",
        )
    return decimal_text(number)


def _read_choice(field: Field, value: Any, at: Any) -> str | None:
    if value is None or value == "":
        return None
    text = str(value).strip()
    for code, word in field.choices:
        if text.casefold() in (code, word.in_language("fr").casefold(), word.in_language("en").casefold()):
            return code
    choices = T(
        "{c}",
        "{d}",
        c=", ".join(w.in_language("fr") for _, w in field.choices),
        d=", ".join(w.in_language("en") for _, w in field.choices),
    )
    raise _unread(at, value, T("l'un de : {c}", "one of: {c}", c=choices))


def _read_flag(field: Field, value: Any, at: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return bool(value)
    text = str(value).strip().casefold()
    if text in ("oui", "yes", "true", "1", "on", "vrai"):
        return True
    if text in ("non", "no", "false", "0", "", "faux"):
        return False
    raise _unread(at, value, T("oui ou non", "yes or no"))


def _read_ref(field: Field, value: Any, at: Any) -> str | None:
    text = str(value or "").strip()
    if text and not _KEY.match(text):
        raise _unread(at, value, T("la clé d'un élément du texte", "the key of an element of the text"))
    return text or None


def _read_id(field: Field, value: Any, at: Any) -> int | None:
    if value is None or value == "":
        return None
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise _unread(at, value, T("le numéro d'un organisme", "the number of an organisation"))
    return int(text)


def _read_codes(field: Field, value: Any, at: Any) -> list[str]:
    parts = re.split(r"[,;\s]+", value) if isinstance(value, str) else list(value or ())
    return [str(p).strip() for p in parts if str(p).strip()]


_READERS: dict[str, Callable[[Field, Any, Any], Any]] = {
    "line": _read_text,
    "text": _read_text,
    "day": _read_day,
    "money": _read_number,
    "number": _read_number,
    "choice": _read_choice,
    "flag": _read_flag,
    "ref": _read_ref,
    "id": _read_id,
    "codes": _read_codes,
}


# --- faults -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """Something that does not hold. ``level``: error (cannot stand), missing (has to be there before signature).

    ``code`` is a stable word for tests and cases; ``path`` is where it is mended.
    """

    path: str
    message: Text
    level: str = "error"
    code: str = ""


def check(
    content: Mapping[str, Any],
    template: Any = None,
    *,
    group: str = "",
    region_codes: Iterable[str] | None = None,
    words: Mapping[str, Any] | None = None,
) -> list[Fault]:
    """Everything that does not hold in a content, in reading order.

    ``template``: the policy's ContractTemplate (or None: only what holds for every contract). ``group``: the
    evaluation group of the cluster, whose improvement axes the template may ask for. ``region_codes``: the codes
    that the territory may use.
    """
    found: list[Fault] = []

    def fault(path: str, code: str, message: Text, level: str = "error") -> None:
        found.append(Fault(path, message, level, code))

    def at(path: str) -> Text:
        return capital(label(content, path, words))

    starts, ends = as_day(content.get("starts_on")), as_day(content.get("ends_on"))
    _check_dates(content, template, starts, ends, fault)
    if starts and ends and ends < starts:
        starts = ends = None  # said once; no other date can be judged against such a period
    if not content.get("title"):
        fault("title", "no_title", T("Le contrat n'a pas d'intitulé.", "The contract has no title."), "missing")
    if not content.get("territory"):
        fault(
            "territory",
            "no_territory",
            T("Le territoire n'est pas défini.", "The territory is not defined."),
            "missing",
        )
    elif region_codes is not None:
        known = set(region_codes)
        for code in content["territory"]:
            if code not in known:
                fault(
                    "territory",
                    "unknown_region",
                    T(
                        "Le territoire nomme une région inconnue : « {c} ».",
                        "The territory names an unknown region: “{c}”.",
                        c=code,
                    ),
                )
    _check_keys(content, fault, at)
    _check_parties(content, template, fault)
    _check_articles(content, template, fault, at)
    _check_axes(content, template, group, fault, at)
    _check_objectives(content, starts, ends, fault, at, words)
    rule = template.funding_years.rule if template else ""
    span = years(starts, ends, rule)
    _check_indicators(content, template, span, fault, at)
    _check_commitments(content, span, fault, at)
    return found


def _check_dates(content, template, starts, ends, fault) -> None:
    for name, day, fr, en in (
        ("starts_on", starts, "La date de début du contrat manque.", "The start date of the contract is missing."),
        ("ends_on", ends, "La date de fin du contrat manque.", "The end date of the contract is missing."),
    ):
        if day is None:
            fault(name, f"no_{name}", T(fr, en), "missing")
    if starts and ends and ends < starts:
        fault(
            "ends_on",
            "ends_before_start",
            T(
                "Le contrat finit le {b}, avant son début le {a}.",
                "The contract ends on {b}, before its start on {a}.",
                a=starts.isoformat(),
                b=ends.isoformat(),
            ),
        )
    elif starts and ends and template:
        lasts = months(starts, ends)
        low, high = template.durations.min_months, template.durations.max_months
        if not low <= lasts <= high:
            fault(
                "ends_on",
                "duration",
                T(
                    "Le contrat dure {n} mois ; le modèle permet de {low} à {high} mois ({ref}).",
                    "The contract lasts {n} months; the template allows {low} to {high} months ({ref}).",
                    n=lasts,
                    low=low,
                    high=high,
                    ref=template.durations.reference,
                ),
            )


def months(starts: dt.date, ends: dt.date) -> int:
    """Whole months of a period with an inclusive end; a begun month counts (2009-01-01 to 2011-12-31: 36)."""
    after = ends + dt.timedelta(days=1)
    whole = (after.year - starts.year) * 12 + after.month - starts.month
    return whole + (1 if after.day > starts.day else 0)


def _check_keys(content, fault, at) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for path, kind, item in elements(content):
        scope = path.rsplit("/", 2)[0] if kind is MILESTONE else ""
        place_ = (kind.name, scope, str(item.get("key")))
        if place_ in seen:
            fault(
                path,
                "key_twice",
                T("La clé « {k} » sert deux fois.", "The key “{k}” is used twice.", k=item.get("key")),
            )
        seen[place_] = path
        for field in kind.fields:
            target = item.get(field.name)
            if field.kind == "ref" and target and _find(content.get(field.to) or (), target) is None:
                fault(
                    f"{path}/{field.name}",
                    "unknown_ref",
                    T(
                        "{at} : « {k} » n'existe pas dans le texte.",
                        "{at}: “{k}” does not exist in the text.",
                        at=at(f"{path}/{field.name}"),
                        k=target,
                    ),
                )


def _check_parties(content, template, fault) -> None:
    parties = content.get("parties") or ()
    seen: dict[Any, str] = {}
    for party in parties:
        path = f"parties/{party['key']}"
        if party.get("kind") not in dict(PARTY_KINDS):
            fault(
                f"{path}/kind",
                "party_kind",
                T(
                    "La qualité de la partie « {n} » manque.",
                    "The kind of the party “{n}” is missing.",
                    n=name_of(PARTY, party),
                ),
            )
        organisation = party.get("organisation")
        if organisation is None:
            fault(
                path,
                "party_without_organisation",
                T(
                    "La partie « {n} » ne désigne aucun organisme.",
                    "The party “{n}” names no organisation.",
                    n=name_of(PARTY, party),
                ),
                "missing",
            )
        elif organisation in seen:
            fault(
                path,
                "party_twice",
                T(
                    "L'organisme « {n} » est deux fois partie au contrat.",
                    "The organisation “{n}” is a party twice.",
                    n=name_of(PARTY, party),
                ),
            )
        else:
            seen[organisation] = path
        if not party.get("signatory"):
            fault(
                f"{path}/signatory",
                "no_signatory",
                T("Qui signe pour « {n} » n'est pas dit.", "Who signs for “{n}” is not said.", n=name_of(PARTY, party)),
                "missing",
            )
    for rule in template.parties if template else ():
        number = sum(p.get("kind") == rule.kind for p in parties)
        if number < rule.min:
            fault(
                "parties",
                f"too_few_{rule.kind}",
                T(
                    "{title} : {n} au contrat, il en faut au moins {min}.",
                    "{title}: {n} in the contract, at least {min} needed.",
                    title=rule.title,
                    n=number,
                    min=rule.min,
                ),
                "missing",
            )
        if rule.max is not None and number > rule.max:
            fault(
                "parties",
                f"too_many_{rule.kind}",
                T(
                    "{title} : {n} au contrat, il en faut au plus {max}.",
                    "{title}: {n} in the contract, at most {max} possible.",
                    title=rule.title,
                    n=number,
                    max=rule.max,
                ),
            )


def _check_articles(content, template, fault, at) -> None:
    articles = {a["key"]: a for a in content.get("articles") or ()}
    for rule in template.articles if template else ():
        if rule.required and not (articles.get(rule.key) or {}).get("body"):
            fault(
                f"articles/{rule.key}" if rule.key not in articles else f"articles/{rule.key}/body",
                "article_empty",
                T("L'article « {t} » n'est pas rédigé.", "The article “{t}” is not written.", t=rule.title),
                "missing",
            )
    for key, article in articles.items():
        if not article.get("title"):
            fault(
                f"articles/{key}/title",
                "article_untitled",
                T("L'article « {k} » n'a pas d'intitulé.", "The article “{k}” has no title.", k=key),
                "missing",
            )


def _check_axes(content, template, group, fault, at) -> None:
    axes = content.get("improvement_axes") or ()
    asked = bool(template and group and group in template.improvement_axes_for_groups)
    if asked and not axes:
        fault(
            "improvement_axes",
            "no_axes",
            T(
                "Les axes d'amélioration manquent : l'évaluation a classé le pôle en « {g} ».",
                "The improvement axes are missing: the evaluation put the cluster in “{g}”.",
                g=group,
            ),
            "missing",
        )
    answered = {o.get("axis") for o in content.get("objectives") or ()}
    for axis in axes:
        if not axis.get("title"):
            fault(
                f"improvement_axes/{axis['key']}/title",
                "axis_untitled",
                T("Un axe d'amélioration n'a pas d'intitulé.", "An improvement axis has no title."),
                "missing",
            )
        elif axis["key"] not in answered:
            fault(
                f"improvement_axes/{axis['key']}",
                "axis_unanswered",
                T(
                    "Aucun objectif ne répond à l'axe d'amélioration « {t} ».",
                    "No objective answers the improvement axis “{t}”.",
                    t=axis["title"],
                ),
                "missing",
            )


def _check_objectives(content, starts, ends, fault, at, words) -> None:
    objectives = content.get("objectives") or ()
    if not objectives:
        fault(
            "objectives",
            "no_objective",
            T("Le contrat n'a aucun objectif.", "The contract has no objective."),
            "missing",
        )
    for objective in objectives:
        path = f"objectives/{objective['key']}"
        if not objective.get("title"):
            fault(
                f"{path}/title",
                "untitled",
                T("{at} : à compléter.", "{at}: to be filled in.", at=at(f"{path}/title")),
                "missing",
            )
        actions = objective.get("actions") or ()
        if not actions:
            fault(path, "no_action", T("{at} : aucune action.", "{at}: no action.", at=at(path)), "missing")
        for action in actions:
            _check_action(f"{path}/actions/{action['key']}", action, starts, ends, fault, at)


def _check_action(path, action, starts, ends, fault, at) -> None:
    first, last = as_day(action.get("starts_on")), as_day(action.get("ends_on"))
    for name, code, fr, en in (
        ("title", "untitled", "{at} : à compléter.", "{at}: to be filled in."),
        ("owner", "no_owner", "{at} : à compléter.", "{at}: to be filled in."),
        ("ends_on", "no_end", "{at} : à compléter.", "{at}: to be filled in."),
    ):
        if not action.get(name):
            fault(f"{path}/{name}", code, T(fr, en, at=at(f"{path}/{name}")), "missing")
    if first and last and last < first:
        fault(
            f"{path}/ends_on",
            "ends_before_start",
            T(
                "{at} finit le {b}, avant son début le {a}.",
                "{at} ends on {b}, before its start on {a}.",
                at=at(path),
                a=first.isoformat(),
                b=last.isoformat(),
            ),
        )
    days = [("starts_on", first, ""), ("ends_on", last, "")]
    days += [("due_on", as_day(m.get("due_on")), f"/milestones/{m['key']}") for m in action.get("milestones") or ()]
    for name, day, below in days:
        if day and ((starts and day < starts) or (ends and day > ends)):
            fault(
                f"{path}{below}/{name}",
                "outside_contract",
                T(
                    "{at} : {day} est hors du contrat, qui va du {a} au {b}.",
                    "{at}: {day} lies outside the contract, which runs from {a} to {b}.",
                    at=at(f"{path}{below}/{name}"),
                    day=day.isoformat(),
                    a=starts.isoformat() if starts else "?",
                    b=ends.isoformat() if ends else "?",
                ),
            )
    for milestone in action.get("milestones") or ():
        if not milestone.get("due_on"):
            below = f"{path}/milestones/{milestone['key']}/due_on"
            fault(below, "no_due", T("{at} : à compléter.", "{at}: to be filled in.", at=at(below)), "missing")


def _check_indicators(content, template, span, fault, at) -> None:
    indicators = content.get("indicators") or ()
    codes = [i.get("code") for i in indicators if i.get("code")]
    for code in template.common_indicators if template else ():
        if code not in codes:
            fault(
                "indicators",
                "common_missing",
                T("L'indicateur commun « {c} » manque.", "The common indicator “{c}” is missing.", c=code),
                "missing",
            )
    for code in {c for c in codes if codes.count(c) > 1}:
        fault(
            "indicators",
            "code_twice",
            T("L'indicateur « {c} » figure deux fois.", "The indicator “{c}” appears twice.", c=code),
        )
    for indicator in indicators:
        path = f"indicators/{indicator['key']}"
        targets = indicator.get("targets") or {}
        if not indicator.get("title"):
            fault(
                f"{path}/title",
                "untitled",
                T("{at} : à compléter.", "{at}: to be filled in.", at=at(f"{path}/title")),
                "missing",
            )
        if not indicator.get("unit"):
            figures = bool(targets) or indicator.get("baseline") not in (None, "")
            fault(
                f"{path}/unit",
                "no_unit",
                T(
                    "{at} : une valeur sans unité ne se lit pas ; choisissez l'unité.",
                    "{at}: a value without a unit cannot be read; choose the unit.",
                    at=at(path),
                ),
                "error" if figures else "missing",
            )
        if not targets and indicator.get("direction") != "none":  # what has no wanted direction has no target
            fault(
                f"{path}/targets/{span[-1]}" if span else path,
                "no_target",
                T("{at} : aucune cible.", "{at}: no target.", at=at(path)),
                "missing",
            )
        for year, value in targets.items():
            where = f"{path}/targets/{year}"
            if span and int(year) not in span:
                fault(
                    where,
                    "year_outside",
                    T(
                        "{at} : l'année est hors du contrat ({a} à {b}).",
                        "{at}: the year lies outside the contract ({a} to {b}).",
                        at=at(where),
                        a=span[0],
                        b=span[-1],
                    ),
                )
            _check_percent(indicator, where, value, fault, at)
        if indicator.get("baseline") not in (None, "") and not indicator.get("baseline_on"):
            fault(
                f"{path}/baseline_on",
                "baseline_undated",
                T("{at} : à compléter.", "{at}: to be filled in.", at=at(f"{path}/baseline_on")),
                "missing",
            )


def _check_percent(indicator, where, value, fault, at) -> None:
    number = as_decimal(value)
    if number is None:
        fault(
            where,
            "not_a_number",
            T("{at} : « {v} » n'est pas un nombre.", "{at}: “{v}” is not a number.", at=at(where), v=value),
        )
    elif indicator.get("unit") == "percent" and not -100 <= number <= 1000:
        fault(
            where,
            "percent_range",
            T("{at} : {v} % n'est pas une part.", "{at}: {v}% is not a share.", at=at(where), v=number),
        )


def _check_commitments(content, span, fault, at) -> None:
    parties = {p["key"]: p for p in content.get("parties") or ()}
    promised: set[str] = set()
    for commitment in content.get("commitments") or ():
        path = f"commitments/{commitment['key']}"
        party = parties.get(commitment.get("party") or "")
        if not commitment.get("party"):
            fault(
                f"{path}/party",
                "no_party",
                T("{at} : qui s'engage n'est pas dit.", "{at}: who commits is not said.", at=at(path)),
                "missing",
            )
        elif party and party.get("kind") not in PUBLIC_SIDE:
            fault(
                f"{path}/party",
                "not_public",
                T(
                    "{at} : seuls l'État et les collectivités prennent des engagements publics.",
                    "{at}: only the State and the authorities take public commitments.",
                    at=at(path),
                ),
            )
        elif party:
            promised.add(party["key"])
        amounts = commitment.get("amounts") or {}
        if commitment.get("kind") == "support":
            if not commitment.get("title"):
                fault(
                    f"{path}/title",
                    "support_untitled",
                    T("{at} : l'appui n'est pas décrit.", "{at}: the support is not described.", at=at(path)),
                    "missing",
                )
            if amounts:
                fault(
                    f"{path}/kind",
                    "support_with_amount",
                    T(
                        "{at} : un appui non financier n'a pas de montant.",
                        "{at}: a non-financial support has no amount.",
                        at=at(path),
                    ),
                )
        elif not amounts:
            fault(
                f"{path}/amounts/{span[0]}" if span else path,
                "no_amount",
                T("{at} : aucun montant.", "{at}: no amount.", at=at(path)),
                "missing",
            )
        for name in ("amounts", "due"):
            for year, value in (commitment.get(name) or {}).items():
                where = f"{path}/{name}/{year}"
                if span and int(year) not in span:
                    fault(
                        where,
                        "year_outside",
                        T(
                            "{at} : l'année est hors du contrat ({a} à {b}).",
                            "{at}: the year lies outside the contract ({a} to {b}).",
                            at=at(where),
                            a=span[0],
                            b=span[-1],
                        ),
                    )
                if name == "amounts" and (as_decimal(value) is None or as_decimal(value) < 0):
                    fault(
                        where,
                        "negative_money",
                        T(
                            "{at} : « {v} » n'est pas un montant positif ou nul.",
                            "{at}: “{v}” is not an amount of zero or more.",
                            at=at(where),
                            v=value,
                        ),
                    )
                if name == "due" and as_day(value) and as_day(value).year < int(year):
                    fault(
                        where,
                        "due_before_year",
                        T(
                            "{at} : {d} précède l'année promise.",
                            "{at}: {d} comes before the promised year.",
                            at=at(where),
                            d=value,
                        ),
                    )
    for key, party in parties.items():
        if party.get("kind") in PUBLIC_SIDE and key not in promised:
            fault(
                "commitments",
                "party_promises_nothing",
                T("« {n} » ne s'engage à rien.", "“{n}” commits to nothing.", n=name_of(PARTY, party)),
                "missing",
            )
