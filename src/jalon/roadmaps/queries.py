"""Reads of roadmaps, for screens, exports and annexes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from jalon.core.canonical import canonical, plain, sha256
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import JournalEntry
from jalon.people.access import policy
from jalon.roadmaps import rules
from jalon.roadmaps.models import Item, Revision, Roadmap, Section
from jalon.roadmaps.states import HORIZONS


def case_of(roadmap: Roadmap) -> str:
    """The name of the roadmap's case in the journal."""
    return f"roadmap:{roadmap.pk}"


def template_of(roadmap: Roadmap) -> Any:
    """The policy's template that the roadmap obeys.

    Raises:
        Refused: the policy no longer holds a template of that name.
    """
    return template_named(roadmap.template)


def template_named(code: str) -> Any:
    """The roadmap template of that code. Raises Refused when the policy has none."""
    for template in policy().roadmap_templates:
        if template.code == code:
            return template
    raise Refused(
        T(
            "Le modèle de feuille de route « {t} » n'est plus dans la politique : remettez-le dans roadmaps.yaml.",
            "The roadmap template “{t}” is no longer in the policy: put it back into roadmaps.yaml.",
            t=code,
        )
    )


def template_for(phase: str, day: dt.date) -> Any:
    """The template in which a roadmap of ``phase`` is begun on ``day``.

    Raises:
        Refused: the phase is unknown, or has no template.
    """
    programme = policy()
    if phase not in {p.code for p in programme.phases}:
        raise Refused(T("Phase inconnue : {p}.", "Unknown phase: {p}.", p=phase), kind="input")
    fitting = [t for t in programme.roadmap_templates if phase in t.phases]
    valid = [t for t in fitting if t.valid_from <= day and (t.valid_to is None or day <= t.valid_to)]
    if valid or fitting:
        return (valid or fitting)[-1]
    raise Refused(
        T(
            "La politique ne donne pas de modèle de feuille de route pour {p}.",
            "The policy gives no roadmap template for {p}.",
            p=programme.phase(phase).title,
        )
    )


def phase_title(code: str) -> Any:
    """The name of a phase, or its code when the policy does not know it."""
    return next((p.title for p in policy().phases if p.code == code), code)


def element(item: Item, keys: Mapping[int, str]) -> rules.Element:
    """An item as plain values; ``keys`` gives the key of its parent."""
    return rules.Element(
        key=item.key,
        section=item.section_key,
        level=item.level,
        parent=keys.get(item.parent_id) if item.parent_id else None,
        order=item.order,
        title=item.title,
        body=item.body,
        horizon=item.horizon,
        due_on=item.due_on,
    )


def elements(items: Iterable[Item]) -> list[rules.Element]:
    """The elements that are not removed, as plain values."""
    kept = [item for item in items if item.removed_at is None]
    keys = {item.pk: item.key for item in kept}
    return [element(item, keys) for item in kept]


@dataclass
class Draft:
    """A roadmap whole: template, sections by key, items (removed ones too), elements and what is missing."""

    roadmap: Roadmap
    template: Any
    sections: dict[str, Section]
    items: list[Item]

    def __post_init__(self) -> None:
        self.elements = elements(self.items)
        self.by_key = {item.key: item for item in self.items}
        self.bodies = {key: section.body for key, section in self.sections.items()}

    def missing(self) -> list[rules.Gap]:
        """What is missing before submission."""
        return rules.missing(
            self.template,
            bodies=self.bodies,
            elements=self.elements,
            starts_on=self.roadmap.starts_on,
            ends_on=self.roadmap.ends_on,
            day=self.roadmap.policy_day,
        )


def whole(roadmap: Roadmap) -> Draft:
    """The roadmap with its sections and items: two queries."""
    return Draft(
        roadmap,
        template_of(roadmap),
        {section.key: section for section in Section.objects.filter(roadmap=roadmap)},
        list(Item.objects.filter(roadmap=roadmap)),
    )


def content(draft: Draft) -> dict[str, Any]:
    """The document: what is frozen at validation, exported, compared. Plain values only."""
    roadmap, template = draft.roadmap, draft.template
    sections = []
    for section in template.sections:
        row: dict[str, Any] = {"key": section.key, "title": section.title, "kind": section.kind}
        if section.group:
            row["group"] = section.group
        if section.kind == "text":
            row["body"] = draft.bodies.get(section.key, "")
        else:
            row["elements"] = [
                {
                    "key": e.key,
                    "number": place.number,
                    "depth": place.depth,
                    "level": e.level,
                    "level_title": template.level(e.level).title,
                    "parent": e.parent,
                    "title": e.title,
                    "body": e.body,
                    "horizon": e.horizon or None,
                    "due_on": e.due_on,
                }
                for place in rules.tree(draft.elements, section.key)
                for e in (place.element,)
            ]
        sections.append(row)
    return plain(
        {
            "programme": roadmap.programme,
            "cluster": {"slug": roadmap.cluster.slug, "name": roadmap.cluster.name},
            "phase": roadmap.phase,
            "version": roadmap.version,
            "title": roadmap.title,
            "template": roadmap.template,
            "policy_day": roadmap.policy_day,
            "starts_on": roadmap.starts_on,
            "ends_on": roadmap.ends_on,
            "simulated": roadmap.simulated,
            "sections": sections,
        }
    )


def fingerprint(document: dict[str, Any]) -> str:
    """SHA-256 of a document that is not frozen: the reviewer validates exactly what was read."""
    return sha256(canonical(document))


def frozen_content(roadmap: Roadmap) -> dict[str, Any]:
    """The document as it was frozen at validation, with its SHA-256 under ``sha256``; for annexing.

    Raises:
        Refused: the version was never validated.
    """
    if roadmap.frozen is None:
        raise Refused(
            T(
                "« {r} » n'est pas validée : il n'y a pas de texte figé.",
                "“{r}” is not validated: there is no frozen text.",
                r=roadmap,
            )
        )
    return {**json.loads(roadmap.frozen.canonical)["content"], "sha256": roadmap.frozen.sha256}


def document(roadmap: Roadmap) -> dict[str, Any]:
    """What the roadmap says: the frozen text when there is one, else what is written now."""
    if roadmap.frozen_id is not None:
        return frozen_content(roadmap)
    return content(whole(roadmap))


def validated_roadmap(cluster: Any, phase: str) -> Roadmap | None:
    """The validated roadmap of a cluster for a phase, ready to be annexed to its contract; None without one."""
    return (
        Roadmap.objects.filter(cluster=cluster, phase=phase, state="validated")
        .select_related("cluster", "frozen")
        .order_by("-version")
        .first()
    )


# -- versions, history ------------------------------------------------------------------------------------------


def versions(cluster: Any, states: Sequence[str]) -> list[Roadmap]:
    """Every version of a cluster's roadmaps in one of ``states``, newest phase and version first."""
    rows = Roadmap.objects.filter(cluster=cluster, state__in=states).select_related("frozen", "based_on")
    return sorted(rows, key=rank, reverse=True)


def rank(roadmap: Roadmap) -> tuple[int, int]:
    """The place of a version in the sequence: phase, then version."""
    codes = [phase.code for phase in policy().phases]
    return (codes.index(roadmap.phase) if roadmap.phase in codes else -1, roadmap.version)


def acts(roadmaps: Iterable[Roadmap]) -> dict[int, list[JournalEntry]]:
    """The journal of each roadmap, oldest first: one query."""
    cases = {case_of(roadmap): roadmap.pk for roadmap in roadmaps}
    found: dict[int, list[JournalEntry]] = {pk: [] for pk in cases.values()}
    for entry in JournalEntry.objects.filter(case__in=list(cases)).order_by("id"):
        found[cases[entry.case]].append(entry)
    return found


def history(roadmap: Roadmap, name: str) -> QuerySet[Revision]:
    """Every saved wording of ``section:<key>`` or ``item:<key>``, newest first, refused ones too."""
    return Revision.objects.filter(roadmap=roadmap, element=name).order_by("-id")


def stored_before(revision: Revision) -> Revision | None:
    """The wording that was stored just before this one was sent."""
    rows = Revision.objects.filter(
        roadmap_id=revision.roadmap_id, element=revision.element, refused=False, pk__lt=revision.pk
    )
    return rows.order_by("-pk").first()


def related(one: Roadmap, other: Roadmap) -> bool:
    """Whether one version was written from the other (directly or through versions between)."""
    links = dict(Roadmap.objects.filter(cluster_id=one.cluster_id).values_list("id", "based_on_id"))

    def line(pk: int | None) -> set[int]:
        found: set[int] = set()
        while pk is not None and pk not in found:
            found.add(pk)
            pk = links.get(pk)
        return found

    return one.pk in line(other.pk) or other.pk in line(one.pk)


@dataclass(frozen=True)
class Change:
    """What was written since an earlier sending: the wording then (None: it did not exist), and now."""

    name: str
    title: Any
    before: Any
    after: Any


def sendings(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """The rows of the journal that close the writing before each submission, oldest first."""
    return [entry for entry in entries if entry.act == "roadmap.worded"]


def changes_since(draft: Draft, last_revision: int) -> list[Change]:
    """What changed in the texts and elements since the revision ``last_revision``: one query."""
    then: dict[str, Revision] = {}
    rows = Revision.objects.filter(roadmap=draft.roadmap, refused=False, pk__lte=last_revision).order_by("pk")
    for row in rows:
        then[row.element] = row
    found = []
    for section in draft.template.sections:
        name = f"section:{section.key}"
        if section.kind == "text":
            old = then[name].content["body"] if name in then else ""
            new = draft.bodies.get(section.key, "")
            if old != new:
                found.append(Change(name, section.title, old, new))
            continue
        for item in (i for i in draft.items if i.section_key == section.key):
            name = f"item:{item.key}"
            old_row = then.get(name)
            was = None if old_row is None or old_row.content.get("removed") else _words(old_row.content)
            now = None if item.removed_at else _words({"title": item.title, "body": item.body})
            if was != now:
                found.append(Change(name, item.title, was, now))
    return found


def _words(wording: Mapping[str, Any]) -> str:
    return f"{wording['title']}\n\n{wording['body']}".strip()


def waiting_words(roadmap: Roadmap) -> dict[str, list[Revision]]:
    """Refused words of each element after which nobody saved it again: somebody should still look at them."""
    newer = Revision.objects.filter(roadmap=roadmap, element=OuterRef("element"), refused=False, pk__gt=OuterRef("pk"))
    found: dict[str, list[Revision]] = {}
    for row in Revision.objects.filter(~Exists(newer), roadmap=roadmap, refused=True).order_by("pk"):
        found.setdefault(row.element, []).append(row)
    return found


@dataclass(frozen=True)
class Passage:
    """A run of lines in both texts. ``long`` ones are shown whole: marking their words would take too long."""

    same: bool
    before: str
    after: str
    lines: int = 0

    @property
    def long(self) -> bool:
        return max(len(self.before), len(self.after)) > LONG_PASSAGE


LONG_PASSAGE = 12_000
"""Characters above which the words of a passage are not compared one by one."""


def passages(before: str, after: str) -> list[Passage]:
    """Two texts as runs of lines that are the same or that differ."""
    old, new = (before or "").split("\n"), (after or "").split("\n")
    runs = [list(run) for run in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]
    joined: list[list[Any]] = []
    for place, run in enumerate(runs):
        kind, a, b, c, d = run
        blank = kind == "equal" and not "".join(old[a:b]).strip() and 0 < place < len(runs) - 1
        if joined and joined[-1][0] != "equal" and (blank or kind != "equal"):  # an empty line keeps a change whole
            joined[-1] = ["replace", joined[-1][1], b, joined[-1][3], d]
        else:
            joined.append(run)
    return [Passage(kind == "equal", "\n".join(old[a:b]), "\n".join(new[c:d]), b - a) for kind, a, b, c, d in joined]


@dataclass(frozen=True)
class Row:
    """One line of a comparison: ``change`` is same, changed, added or removed."""

    change: str
    title: Any
    before: Any = None
    after: Any = None
    details: tuple[tuple[Any, Any, Any], ...] = ()


@dataclass(frozen=True)
class SectionRow:
    """A section in both versions: the text, or the elements one by one."""

    key: str
    title: Any
    kind: str
    text: Row | None
    elements: tuple[Row, ...]

    @property
    def changed(self) -> bool:
        return bool(self.text and self.text.change != "same") or any(r.change != "same" for r in self.elements)


def compare(before: Mapping[str, Any], after: Mapping[str, Any], *, by_key: bool) -> list[SectionRow]:
    """Two documents section by section, element by element.

    ``by_key``: the versions come from one another, so an element keeps its key; else titles are matched.
    """
    old = {s["key"]: s for s in before["sections"]}
    new = {s["key"]: s for s in after["sections"]}
    order = [*new, *(key for key in old if key not in new)]
    found = rules.pair_elements(_flat(before), _flat(after), related=by_key)
    sides = _Side(before), _Side(after)
    rows = []
    for key in order:
        section = new.get(key) or old[key]
        one, two = old.get(key), new.get(key)
        text = None
        if (one or two or {}).get("kind") == "text":
            text = _text_row(one, two)
        rows.append(
            SectionRow(
                key,
                _title(section["title"]),
                section["kind"],
                text,
                tuple(_element_row(a, b, *sides) for a, b in found if (b.section if b else a.section) == key),
            )
        )
    return rows


def _title(pair: Any) -> Any:
    return T(pair["fr"], pair["en"]) if isinstance(pair, Mapping) else pair


def _text_row(one: Any, two: Any) -> Row:
    a, b = (one or {}).get("body", ""), (two or {}).get("body", "")
    change = "same" if a == b else "added" if not a.strip() else "removed" if not b.strip() else "changed"
    return Row(change, "", a, b)


def _flat(document: Mapping[str, Any]) -> list[rules.Element]:
    return [
        rules.Element(
            key=e["key"],
            section=section["key"],
            level=e["level"],
            parent=e["parent"],
            title=e["title"],
            body=e["body"],
            horizon=e["horizon"] or "",
            due_on=dt.date.fromisoformat(e["due_on"]) if e["due_on"] else None,
        )
        for section in document["sections"]
        for e in section.get("elements", ())
    ]


class _Side:
    """The names of levels and elements in one of the two documents."""

    def __init__(self, document: Mapping[str, Any]):
        self.levels: dict[str, Any] = {}
        self.titles: dict[str, str] = {}
        for section in document["sections"]:
            for e in section.get("elements", ()):
                self.levels[e["level"]] = _title(e["level_title"])
                self.titles[e["key"]] = e["title"]

    def facts(self, e: rules.Element | None) -> tuple[Any, ...]:
        if e is None:
            return (None, None, None, None)
        return (self.levels.get(e.level, e.level), self.titles.get(e.parent or ""), HORIZONS.get(e.horizon), e.due_on)


_FACTS = (
    T("Niveau", "Level"),
    T("Rattaché à", "Under"),
    T("Horizon", "Horizon"),
    T("Échéance", "Due date"),
)


def _element_row(a: rules.Element | None, b: rules.Element | None, before: _Side, after: _Side) -> Row:
    pairs = zip(_FACTS, before.facts(a), after.facts(b), strict=True)
    facts = tuple((name, old, new) for name, old, new in pairs if old != new)
    if a is None:
        return Row("added", b.title, None, b.body, facts)
    if b is None:
        return Row("removed", a.title, a.body, None, facts)
    same = a.title == b.title and a.body == b.body and not facts
    title = b.title if a.title == b.title else (a.title, b.title)
    return Row("same" if same else "changed", title, a.body, b.body, facts)
