"""What the programme asks of a roadmap, as pure functions of plain values.

Basis: page "Contrats de performance" (phase 2): a strategy over 3 to 5 years that starts from the competitive
environment, says priority fields, technology, market and development objectives, and ends in a plan of actions
for the short and medium term. Sections, levels and horizon are the policy's template.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.faults import day_text
from jalon.policy.rules import plus

MAX_BYTES = 200 * 1024
"""Longest text of one section or element, in bytes of UTF-8: some sixty printed pages."""

MAX_TITLE = 255


@dataclass(frozen=True)
class Element:
    """An element of a structured section, as plain values. ``parent`` is another element's key."""

    key: str
    section: str
    level: str
    parent: str | None = None
    order: int = 0
    title: str = ""
    body: str = ""
    horizon: str = ""
    due_on: dt.date | None = None


@dataclass(frozen=True)
class Gap:
    """One thing that is missing before submission: where (``section``, ``element``), said in one sentence."""

    code: str
    text: Text
    section: str = ""
    element: str = ""
    why: Why | None = None


@dataclass(frozen=True)
class Place:
    """An element at its place in a section's tree: depth from 0, number ("2.1"), neighbours."""

    element: Element
    depth: int
    number: str
    first: bool
    last: bool


# -- text -------------------------------------------------------------------------------------------------------

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")


def clean_text(text: str, *, where: Text | str) -> str:
    """The text as it is kept: composed accents, plain line ends, no control characters.

    Raises:
        Refused: longer than :data:`MAX_BYTES`.
    """
    text = unicodedata.normalize("NFC", (text or "").replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROL.sub("", text)
    size = len(text.encode("utf-8"))
    if size > MAX_BYTES:
        raise Refused(
            T(
                "Le texte de « {where} » est trop long : {size} Ko, au plus {max} Ko. Rien n'a été enregistré : "
                "gardez votre texte, raccourcissez-le ou joignez-le en annexe du contrat.",
                "The text of “{where}” is too long: {size} kB, at most {max} kB. Nothing was saved: "
                "keep your text, shorten it or attach it as an annex of the contract.",
                where=where,
                size=-(-size // 1024),
                max=MAX_BYTES // 1024,
            ),
            kind="input",
        )
    return text


def clean_title(text: str, *, where: Text | str) -> str:
    """A title: one line, no control characters.

    Raises:
        Refused: empty, or longer than :data:`MAX_TITLE` characters.
    """
    text = " ".join(_CONTROL.sub("", unicodedata.normalize("NFC", text or "")).split())
    if not text:
        raise Refused(T("Donnez un intitulé : {where}.", "Give a title: {where}.", where=where), kind="input")
    if len(text) > MAX_TITLE:
        raise Refused(
            T(
                "L'intitulé est trop long : {n} caractères, au plus {max} ({where}).",
                "The title is too long: {n} characters, at most {max} ({where}).",
                n=len(text),
                max=MAX_TITLE,
                where=where,
            ),
            kind="input",
        )
    return text


def merge(base: str, theirs: str, yours: str) -> tuple[str, bool]:
    """A proposal that keeps the words of both, from the wording both started from.

    Line by line. Where only one side changed, its words stand; where both changed the same lines, both wordings
    follow each other, the stored one first. Returns the text and whether no passage was changed by both.
    """
    b, t, y = (text.split("\n") for text in (base, theirs, yours))
    to_t, to_y = _kept(b, t), _kept(b, y)
    out: list[str] = []
    clean = True
    at_b = at_t = at_y = 0
    for anchor in [*(i for i in range(len(b)) if i in to_t and i in to_y), None]:
        end_b, end_t, end_y = (len(b), len(t), len(y)) if anchor is None else (anchor, to_t[anchor], to_y[anchor])
        old, one, two = b[at_b:end_b], t[at_t:end_t], y[at_y:end_y]
        if one == two or two == old:
            out += one
        elif one == old:
            out += two
        else:
            for kind, i, j, k, m in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
                out += one[i:j] if kind == "equal" else one[i:j] + two[k:m]
            clean = False
        if anchor is not None:
            out.append(b[anchor])
            at_b, at_t, at_y = anchor + 1, end_t + 1, end_y + 1
    return "\n".join(out), clean


def _kept(old: list[str], new: list[str]) -> dict[int, int]:
    """Lines of ``old`` that are still in ``new``, and where."""
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        found |= {block.a + i: block.b + i for i in range(block.size)}
    return found


# -- what is missing --------------------------------------------------------------------------------------------


def _why(template: Any, rule: Text, part: str, day: dt.date | None, inputs: Mapping[Any, Any] | None = None) -> Why:
    return Why(
        rule=rule,
        parameter=f"roadmaps.{template.code}.{part}",
        reference=template.reference or "",
        url=template.url or "",
        day=day,
        inputs=inputs or {},
        reading=bool(template.reading),
    )


def missing(
    template: Any,
    *,
    bodies: Mapping[str, str],
    elements: Sequence[Element],
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    day: dt.date | None = None,
) -> list[Gap]:
    """Everything that stands between a draft and its submission, in the order of the template.

    Args:
        template: the policy's roadmap template (sections, levels, horizon).
        bodies: text of each text section, by key.
        elements: the elements that are not removed.
        day: the policy day, named in the explanations.
    """
    return [
        *period_gaps(template, starts_on, ends_on, day),
        *(
            gap
            for s in template.sections
            for gap in section_gaps(template, s, bodies, elements, starts_on, ends_on, day)
        ),
    ]


def period_gaps(
    template: Any, starts_on: dt.date | None, ends_on: dt.date | None, day: dt.date | None = None
) -> list[Gap]:
    """The roadmap needs a first and a last day, as many years apart as the template's horizon allows."""
    horizon = template.horizon_years
    why = _why(
        template,
        T(
            "Une feuille de route couvre de {min} à {max} ans.",
            "A roadmap covers {min} to {max} years.",
            min=horizon.min,
            max=horizon.max,
        ),
        "horizon_years",
        day,
        {T("début", "start"): starts_on, T("fin", "end"): ends_on},
    )
    if starts_on is None or ends_on is None:
        return [
            Gap(
                "period",
                T(
                    "Période : donnez le premier et le dernier jour de la feuille de route.",
                    "Period: give the first and the last day of the roadmap.",
                ),
                why=why,
            )
        ]
    if ends_on < starts_on:
        return [
            Gap(
                "period_order",
                T("Période : la fin précède le début.", "Period: the end comes before the start."),
                why=why,
            )
        ]
    one_day = dt.timedelta(days=1)
    shortest = plus(starts_on, horizon.min, "years") - one_day
    longest = plus(starts_on, horizon.max, "years") - one_day
    if shortest <= ends_on <= longest:
        return []
    return [
        Gap(
            "horizon",
            T(
                "Période : l'horizon est de {min} à {max} ans, la fin doit tomber entre le {first} et le {last} "
                "(elle est au {end}).",
                "Period: the horizon is {min} to {max} years, the end must fall between {first} and {last} "
                "(it is {end}).",
                min=horizon.min,
                max=horizon.max,
                first=day_text(shortest),
                last=day_text(longest),
                end=day_text(ends_on),
            ),
            why=why,
        )
    ]


def section_gaps(
    template: Any,
    section: Any,
    bodies: Mapping[str, str],
    elements: Sequence[Element],
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    day: dt.date | None = None,
) -> list[Gap]:
    """What one section still lacks."""
    rule = T("La section « {s} » est obligatoire.", "The section “{s}” is required.", s=section.title)
    why = _why(template, rule, f"sections.{section.key}", day)
    if section.kind == "text":
        if section.required and not bodies.get(section.key, "").strip():
            return [
                Gap(
                    "section_empty",
                    T("« {s} » : le texte est vide.", "“{s}”: the text is empty.", s=section.title),
                    section=section.key,
                    why=why,
                )
            ]
        return []
    here = [e for e in elements if e.section == section.key]
    gaps = []
    if section.required and not here:
        names = " / ".join(str(template.level(code).title) for code in section.levels)
        gaps.append(
            Gap(
                "section_without_element",
                T(
                    "« {s} » : aucun élément ({levels}).",
                    "“{s}”: no element ({levels}).",
                    s=section.title,
                    levels=names,
                ),
                section=section.key,
                why=why,
            )
        )
    known = {e.key: e for e in elements}
    for element in here:
        gaps += _element_gaps(template, section, element, known, starts_on, ends_on, day)
    return gaps


def _element_gaps(
    template: Any,
    section: Any,
    element: Element,
    known: Mapping[str, Element],
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    day: dt.date | None,
) -> list[Gap]:
    gaps = []

    def gap(code: str, text: Text, rule: Text, part: str) -> None:
        gaps.append(Gap(code, text, section=section.key, element=element.key, why=_why(template, rule, part, day)))

    title = element.title.strip() or element.key
    level = next((one for one in template.levels if one.code == element.level), None)
    if level is None or element.level not in section.levels:
        gap(
            "level",
            T(
                "« {e} » : ce niveau n'a pas sa place dans « {s} ».",
                "“{e}”: this level does not belong in “{s}”.",
                e=title,
                s=section.title,
            ),
            T("Chaque section tient les niveaux de son modèle.", "Each section holds the levels of its template."),
            f"sections.{section.key}.levels",
        )
        return gaps
    if not element.title.strip():
        gap(
            "title",
            T("« {s} » : un élément sans intitulé.", "“{s}”: an element without a title.", s=section.title),
            T("Chaque élément porte un intitulé.", "Each element has a title."),
            f"sections.{section.key}",
        )
    if level.parent is not None:
        above = template.level(level.parent)
        parent = known.get(element.parent or "")
        if parent is None or parent.level != level.parent:
            gap(
                "parent",
                T(
                    "« {e} » : à rattacher à un élément de niveau « {p} ».",
                    "“{e}”: to be attached to an element of level “{p}”.",
                    e=title,
                    p=above.title,
                ),
                T(
                    "Le niveau « {l} » se rattache au niveau « {p} ».",
                    "The level “{l}” hangs under the level “{p}”.",
                    l=level.title,
                    p=above.title,
                ),
                f"levels.{level.code}.parent",
            )
    if element.due_on and ((starts_on and element.due_on < starts_on) or (ends_on and element.due_on > ends_on)):
        gap(
            "due_outside",
            T(
                "« {e} » : l'échéance du {d} est hors de la période de la feuille de route.",
                "“{e}”: the due date {d} is outside the period of the roadmap.",
                e=title,
                d=day_text(element.due_on),
            ),
            T(
                "Une échéance tombe dans la période de la feuille de route.",
                "A due date falls within the period of the roadmap.",
            ),
            "horizon_years",
        )
    return gaps


# -- levels and places ------------------------------------------------------------------------------------------


def tree(elements: Iterable[Element], section: str) -> list[Place]:
    """The elements of a section in reading order, each with its depth and number.

    An element whose parent stands in another section (an objective under a field) is at the top here.
    """
    here = sorted((e for e in elements if e.section == section), key=lambda e: (e.order, e.key))
    keys = {e.key for e in here}
    below: dict[str | None, list[Element]] = {}
    for element in here:
        below.setdefault(element.parent if element.parent in keys else None, []).append(element)
    out: list[Place] = []

    def walk(parent: str | None, depth: int, prefix: str) -> None:
        row = below.get(parent, [])
        for n, element in enumerate(row, 1):
            number = f"{prefix}{n}"
            out.append(Place(element, depth, number, n == 1, n == len(row)))
            walk(element.key, depth + 1, f"{number}.")

    walk(None, 0, "")
    return out


def possible_parents(template: Any, level: str, elements: Iterable[Element], *, but: str = "") -> list[Element]:
    """The elements under which one of ``level`` may hang: those of the level that the policy names."""
    above = template.level(level).parent
    elements = list(elements)
    banned = {but, *descendants(elements, but)} if but else set()
    return [e for e in elements if above is not None and e.level == above and e.key not in banned]


def descendants(elements: Iterable[Element], key: str) -> list[str]:
    """Keys of everything under an element, nearest first, whatever the section."""
    elements = list(elements)
    found: list[str] = []
    front = [key]
    while front:
        front = [e.key for e in elements if e.parent in front and e.key not in found and e.key != key]
        found += front
    return found


def check_level(template: Any, section: Any, level: str) -> None:
    """Raise Refused unless ``level`` may stand in ``section``."""
    if section.kind != "items" or level not in section.levels:
        raise Refused(
            T(
                "« {s} » ne tient pas d'élément de niveau « {l} » ; niveaux possibles : {all}.",
                "“{s}” holds no element of level “{l}”; possible levels: {all}.",
                s=section.title,
                l=level,
                all=", ".join(str(template.level(code).title) for code in section.levels) or "–",
            ),
            kind="input",
        )


def check_parent(
    template: Any, level: str, parent: Element | None, *, key: str = "", elements: Iterable[Element] = ()
) -> None:
    """Raise Refused unless an element of ``level`` may hang under ``parent`` (none at all is a gap, not an error)."""
    if parent is None:
        return
    above = template.level(level).parent
    if parent.level != above:
        raise Refused(
            T(
                "« {p} » est de niveau « {found} » ; « {l} » se rattache à « {expected} ».",
                "“{p}” is of level “{found}”; “{l}” hangs under “{expected}”.",
                p=parent.title or parent.key,
                found=template.level(parent.level).title,
                l=template.level(level).title,
                expected=template.level(above).title if above else T("rien", "nothing"),
            ),
            kind="input",
        )
    if key and (parent.key == key or parent.key in descendants(elements, key)):
        raise Refused(
            T(
                "Un élément ne peut pas être rattaché à lui-même.",
                "An element cannot hang under itself.",
            ),
            kind="input",
        )


def moved(template: Any, section: Any, elements: Sequence[Element], key: str, where: str) -> list[Element]:
    """The elements that change when one is moved ``up``, ``down``, ``in`` (one level deeper) or ``out``.

    Raises:
        Refused: no neighbour on that side, or no level of that depth in the section.
    """
    here = {e.key: e for e in elements if e.section == section.key}
    one = here[key]
    row = [p.element for p in tree(elements, section.key) if _top(p.element, here) == _top(one, here)]
    at = [e.key for e in row].index(key)
    if where in ("up", "down"):
        to = at - 1 if where == "up" else at + 1
        if not 0 <= to < len(row):
            raise Refused(
                T("« {e} » est déjà au bout de sa liste.", "“{e}” is already at the end of its list.", e=one.title)
            )
        row[at], row[to] = row[to], row[at]
        return [replace(e, order=n) for n, e in enumerate(row) if e.order != n]
    if where == "in":
        if at == 0:
            raise Refused(
                T(
                    "« {e} » n'a pas d'élément au-dessus de lui sous lequel se placer.",
                    "“{e}” has no element above it to go under.",
                    e=one.title,
                )
            )
        above = row[at - 1]
        return _shift(template, section, elements, one, _below(template, section, above.level, one), above.key)
    if where == "out":
        parent = here.get(one.parent or "")
        if parent is None:
            raise Refused(T("« {e} » est déjà au premier niveau.", "“{e}” is already at the first level.", e=one.title))
        return _shift(template, section, elements, one, parent.level, parent.parent)
    raise Refused(T("Déplacement inconnu.", "Unknown move."), kind="input")


def _top(element: Element, here: Mapping[str, Element]) -> str | None:
    return element.parent if element.parent in here else None


def _below(template: Any, section: Any, level: str, one: Element) -> str:
    for code in section.levels:
        if template.level(code).parent == level:
            return code
    raise Refused(
        T(
            "« {e} » ne peut pas descendre : « {s} » n'a pas de niveau sous « {l} ».",
            "“{e}” cannot go deeper: “{s}” has no level under “{l}”.",
            e=one.title,
            s=section.title,
            l=template.level(level).title,
        )
    )


def _shift(
    template: Any, section: Any, elements: Sequence[Element], one: Element, level: str, parent: str | None
) -> list[Element]:
    """``one`` gets ``level`` and ``parent``, at the end of its new row; what hangs under it follows."""
    siblings = [e.order for e in elements if e.section == section.key and e.parent == parent and e.key != one.key]
    changed = [replace(one, level=level, parent=parent, order=max(siblings, default=-1) + 1)]
    front = changed[:]
    while front:
        at = front.pop()
        for child in elements:
            if child.parent == at.key and child.key != one.key:
                if child.section != section.key:
                    if template.level(child.level).parent != at.level:
                        raise Refused(
                            T(
                                "« {e} » ne peut pas changer de niveau : « {c} » y est rattaché dans une autre section.",
                                "“{e}” cannot change level: “{c}” hangs under it in another section.",
                                e=one.title,
                                c=child.title,
                            )
                        )
                    continue
                follows = replace(child, level=_below(template, section, at.level, child))
                if follows != child:
                    changed.append(follows)
                front.append(follows)
    return changed


def next_key(level: str, taken: Iterable[str]) -> str:
    """A key that no element of the roadmap has had: ``action-3``. Keys last across versions."""
    numbers = [0]
    for key in taken:
        head, _, tail = key.rpartition("-")
        if head == level and tail.isdigit():
            numbers.append(int(tail))
    return f"{level[:30]}-{max(numbers) + 1}"


# -- from one version to the next -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Where a section or level of the old version goes: ``target`` "" means left behind.

    ``proposal``: ``same`` (it exists in the new template), ``near`` (proposed by likeness), ``none`` (nothing fits).
    """

    kind: str  # section, level
    source: str
    title: Any
    target: str
    proposal: str
    choices: tuple[tuple[str, Any], ...]
    count: int

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.source}"


def migration(old: Any, new: Any, *, bodies: Mapping[str, str], elements: Sequence[Element]) -> list[Step]:
    """How a version goes into another template: one step per section and level that holds something.

    A section goes to the one of the same key; else to the one whose key begins alike
    (``position-technology`` → ``position``); else nothing is proposed and the writer chooses.
    """
    steps = []
    for section in old.sections:
        kind = section.kind
        count = (
            sum(1 for e in elements if e.section == section.key)
            if kind == "items"
            else int(bool(bodies.get(section.key, "").strip()))
        )
        if not count:
            continue
        fits = [s for s in new.sections if s.kind == kind and (kind == "text" or s.levels)]
        same = next((s.key for s in fits if s.key == section.key), "")
        near = same or next(
            (s.key for s in fits if section.key.split("-")[0] == s.key.split("-")[0] and kind == "text"), ""
        )
        steps.append(
            Step(
                "section",
                section.key,
                section.title,
                near,
                "same" if same else "near" if near else "none",
                tuple((s.key, s.title) for s in fits),
                count,
            )
        )
    for level in old.levels:
        count = sum(1 for e in elements if e.level == level.code)
        if count:
            same = next((one.code for one in new.levels if one.code == level.code), "")
            steps.append(
                Step(
                    "level",
                    level.code,
                    level.title,
                    same,
                    "same" if same else "none",
                    tuple((one.code, one.title) for one in new.levels),
                    count,
                )
            )
    return steps


def migrate(
    steps: Sequence[Step],
    mapping: Mapping[str, str],
    *,
    new: Any,
    bodies: Mapping[str, str],
    elements: Sequence[Element],
) -> tuple[dict[str, str], list[Element], list[str]]:
    """The texts and elements of the new version, and what is left behind (names and titles).

    ``mapping``: step name → target ("" leaves it behind); a step that is not named takes its proposal.

    Raises:
        Refused: a target that the new template does not have.
    """
    target: dict[str, str] = {}
    for step in steps:
        chosen = mapping.get(step.name, step.target)
        if chosen and chosen not in {code for code, _ in step.choices}:
            raise Refused(
                T(
                    "« {s} » ne peut pas aller vers « {t} » : le nouveau modèle ne l'a pas.",
                    "“{s}” cannot go to “{t}”: the new template does not have it.",
                    s=step.title,
                    t=chosen,
                ),
                kind="input",
            )
        target[step.name] = chosen
    texts: dict[str, str] = {}
    left: list[str] = []
    for step in steps:
        if step.kind != "section":
            continue
        body = bodies.get(step.source, "")
        goes = target[step.name]
        if body.strip() and goes:
            several = sum(1 for s in steps if s.kind == "section" and target[s.name] == goes) > 1
            part = f"{step.title}\n\n{body}" if several else body
            texts[goes] = f"{texts[goes]}\n\n{part}" if goes in texts else part
        elif body.strip():
            left.append(str(step.title))
    kept: list[Element] = []
    for element in elements:
        section = target.get(f"section:{element.section}", "")
        level = target.get(f"level:{element.level}", "")
        if not section or not level:
            left.append(element.title)
            continue
        kept.append(replace(element, section=section, level=level))
    keys = {e.key: e for e in kept}
    out = []
    for element in kept:
        parent = keys.get(element.parent or "")
        fits = parent is not None and new.level(element.level).parent == parent.level
        out.append(element if fits else replace(element, parent=None))
    return texts, out, left


# -- differences ------------------------------------------------------------------------------------------------


def pair_elements(
    before: Sequence[Element], after: Sequence[Element], *, related: bool
) -> list[tuple[Element | None, Element | None]]:
    """Elements of two versions side by side: by key when one version comes from the other, else by title."""

    def name(e: Element) -> Any:
        return e.key if related else (e.level, " ".join(e.title.casefold().split()))

    old: dict[Any, list[Element]] = {}
    for element in before:
        old.setdefault(name(element), []).append(element)
    rows: list[tuple[Element | None, Element | None]] = []
    for element in after:
        waiting = old.get(name(element))
        rows.append((waiting.pop(0) if waiting else None, element))
    rows += [(element, None) for waiting in old.values() for element in waiting]
    return rows
