"""The negotiation page's content: sections, element rows, the proposals and comments beside each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jalon.contracts import content as doc, rules
from jalon.contracts.frame import anchor, cap, reader
from jalon.contracts.models import Comment, Party, Proposal
from jalon.core import lang
from jalon.core.canonical import canonical, sha256
from jalon.core.lang import T, Text
from jalon.people.access import policy


@dataclass
class Shown:
    """A proposal beside its element."""

    row: Proposal
    label: Any
    old: str
    new: str
    long: bool
    can_accept: bool
    can_withdraw: bool
    accepts: rules.Acceptance
    now: str | None = None  # the present value, when the proposal no longer fits it


@dataclass
class Line:
    """A value of an element: its name and how it reads."""

    label: Any
    value: str
    kind: str = "line"


@dataclass
class Row:
    """An element on the page (or a field of the contract itself)."""

    path: str
    anchor: str
    title: str
    word: Any
    lines: list[Line] = field(default_factory=list)
    years: list[tuple[str, list[Line]]] = field(default_factory=list)
    proposals: list[Shown] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    open_comments: int = 0
    depth: int = 0
    inputs: list[dict[str, Any]] | None = None
    adds: list[tuple[str, Any]] = field(default_factory=list)
    adding: dict[str, Any] | None = None
    commenting: bool = False
    removing: bool = False
    removable: bool = True
    seen: str = ""
    autosave: bool = False
    guidance: Any = ""


@dataclass
class Part:
    """A section of the page, with its own state."""

    code: str
    title: Any
    rows: list[Row]
    missing: tuple[rules.Missing, ...]
    list_path: str = ""
    add_label: Any = ""
    adding: dict[str, Any] | None = None
    proposals: list[Shown] = field(default_factory=list)
    note: Any = ""
    typing: bool = False  # one of its forms is open

    @property
    def open_proposals(self) -> int:
        return len(self.proposals) + sum(len(row.proposals) for row in self.rows)

    @property
    def open_comments(self) -> int:
        return sum(row.open_comments for row in self.rows)

    @property
    def unfolded(self) -> bool:
        """Whether something waits in it: a point to complete, a proposal, a comment, a form that is open."""
        return bool(self.missing or self.open_proposals or self.open_comments or self.typing or self.adding)

    @property
    def light(self) -> str:
        return "at_risk" if self.missing else "reached"


@dataclass
class Waiting:
    """Open proposals that came together (one workbook), or those that came one by one (no ``batch``)."""

    batch: str
    lines: list[tuple[Shown, Any]]

    @property
    def first(self) -> Shown:
        return self.lines[0][0]

    @property
    def mine(self) -> int:
        """How many of them the reader may accept or reject."""
        return sum(p.can_accept for p, _ in self.lines)

    @property
    def stale(self) -> int:
        """How many no longer fit the text."""
        return sum(p.can_accept and p.now is not None for p, _ in self.lines)


def mark(content: Mapping[str, Any], path: str) -> str:
    """A short mark of what stands at a place, to know later whether somebody else has changed it."""
    where = doc.place(path)
    value = doc.get(content, path)
    if where.whole and value is not None:
        value = {f.name: value.get(f.name) for f in where.element.fields}
    return sha256(canonical(value))[:16]


def _to_type(value: Any, kind: str) -> Any:
    """A figure as it is typed in the active language: 80,6 in French. Both notations are read."""
    if kind in ("money", "number") and isinstance(value, str) and lang.language() == "fr" and value.count(".") == 1:
        return value.replace(".", ",")
    return value


def inputs_of(
    content: Mapping[str, Any],
    kind: doc.Element,
    item: Mapping[str, Any] | None,
    *,
    years: Sequence[int],
    only: str = "",
    typed: Mapping[str, Any] | None = None,
    organisations: Sequence[tuple[int, str]] = (),
    currency: str = "",
) -> list[dict[str, Any]]:
    """The inputs of an element's form. ``typed``: what was sent and refused, shown again."""
    out = []
    item = item or {}
    for f in kind.fields:
        if only and f.name != only:
            continue
        base = {"label": cap(f.word), "kind": f.kind, "value_kind": f.value_kind}
        if f.yearly:
            series = item.get(f.name) or {}
            span = sorted({*map(str, years), *series})
            cells = []
            for year in span:
                name = f"f:{f.name}:{year}"
                value = typed.get(name) if typed is not None and name in typed else series.get(year, "")
                cells.append({"name": name, "year": year, "value": _to_type(value, f.value_kind) or ""})
            out.append(base | {"cells": cells, "unit": currency if f.value_kind == "money" else ""})
            continue
        name = f"f:{f.name}"
        value: Any = item.get(f.name)
        if typed is not None and name in typed:
            value = typed.getlist(name) if hasattr(typed, "getlist") and f.kind == "codes" else typed[name]
        elif typed is not None and f.kind == "flag":
            value = False
        one = base | {"name": name, "value": "" if value is None else _to_type(value, f.kind)}
        if f.kind == "choice":
            one["choices"] = [("", "–"), *f.choices]
        elif f.kind == "ref":
            target = next(k for k in doc.KINDS if k.name == f.to)
            one["choices"] = [("", "–"), *((i["key"], doc.name_of(target, i)) for i in content.get(f.to) or ())]
        elif f.kind == "id":
            one["choices"] = [("", "–"), *((str(pk), name_) for pk, name_ in organisations)]
            one["value"] = str(one["value"])
        elif f.kind == "codes":
            from jalon.contracts.queries import region_set_of

            regions = region_set_of(doc.as_day(content.get("starts_on")))
            one["choices"] = [(r.code, r.name) for r in regions.regions] if regions else []
        elif f.kind == "money":
            one["unit"] = currency
        out.append(one)
    return out


def read_inputs(path: str, kind: doc.Element, posted: Any, only: str = "") -> list[tuple[str, Any]]:
    """What a form sent, as ``(path, value)``: one per field of the element at ``path``."""
    found: list[tuple[str, Any]] = []
    for f in kind.fields:
        if only and f.name != only:
            continue
        at = f"{path}/{f.name}".lstrip("/")
        if f.yearly:
            prefix = f"f:{f.name}:"
            found += [(f"{at}/{name[len(prefix) :]}", posted[name]) for name in posted if name.startswith(prefix)]
        elif f.kind == "flag":
            if f"has:{f.name}" in posted:
                found.append((at, f"f:{f.name}" in posted))
        elif f.kind == "codes":
            if f"has:{f.name}" in posted:
                found.append((at, posted.getlist(f"f:{f.name}")))
        elif f"f:{f.name}" in posted:
            found.append((at, posted[f"f:{f.name}"]))
    return found


class Outline:
    """Builds the page from what was read: no query of its own."""

    def __init__(
        self,
        content: Mapping[str, Any],
        template: Any,
        *,
        requirements: Sequence[rules.Requirement],
        proposals: Iterable[Proposal] = (),
        comments: Iterable[Comment] = (),
        party: Party | None = None,
        negotiating: bool = False,
        may_negotiate: bool = False,
        editing: str = "",
        adding: str = "",
        commenting: str = "",
        removing: str = "",
        typed: Any = None,
        organisations: Sequence[tuple[int, str]] = (),
        autosave: bool = False,
    ):
        laws = policy()
        self.content, self.template, self.words = content, template, laws.words
        self.currency = laws.currency
        self.requirements = {r.code: r for r in requirements}
        self.party, self.negotiating, self.may_negotiate = party, negotiating, may_negotiate
        self.editing, self.adding, self.commenting, self.removing = editing, adding, commenting, removing
        self.typed, self.organisations, self.autosave = typed, organisations, autosave
        self.say = reader(content)
        rule = template.funding_years.rule if template else ""
        self.years = doc.years_of(content, rule)
        self.at: dict[str, list[Shown]] = defaultdict(list)
        for proposal in proposals:
            self.at[self._home(proposal)].append(self._shown(proposal))
        self.remarks: dict[str, list[Comment]] = defaultdict(list)
        for comment in comments:
            self.remarks[comment.path].append(comment)

    def _home(self, proposal: Proposal) -> str:
        """The row beside which a proposal stands: its element, or the list that an addition is for."""
        where = doc.place(proposal.path)
        path = where.element_path or proposal.path
        if doc.get(self.content, path) is not None or not where.element_path:
            return path
        above = path.rsplit("/", 2)
        return above[0] if len(above) == 3 and doc.get(self.content, above[0]) else path.split("/")[0]

    def _shown(self, proposal: Proposal) -> Shown:
        where = doc.place(proposal.path)
        proposer = rules.Party(
            proposal.party.key if proposal.party else "", proposal.party.kind if proposal.party else "", ""
        )
        accepts = rules.acceptance(self.content, proposer, proposal.path, proposal.new)
        mine = self.party is not None and proposal.party_id == self.party.pk
        theirs = self.party is not None and accepts.by(rules.Party(self.party.key, self.party.kind, ""))
        now = doc.get(self.content, proposal.path) if doc.exists_parent(self.content, proposal.path) else None
        fits = doc.same_at(proposal.path, now, proposal.old)
        label: Any = cap(where.field.word) if where.field else None
        if where.year:
            label = T("{w} {y}", "{w} {y}", w=label, y=where.year)
        if label is None:
            label = (
                T("Retirer", "Remove")
                if proposal.new is None
                else T("Ajouter : {t}", "Add: {t}", t=doc.name_of(where.element, proposal.new))
                if proposal.old is None
                else T("Remplacer", "Replace")
            )
        return Shown(
            proposal,
            label,
            self.say(proposal.path, proposal.old),
            self._whole(where, proposal.new) if where.whole else self.say(proposal.path, proposal.new),
            bool(where.field and where.field.kind == "text"),
            bool(self.negotiating and self.may_negotiate and theirs),
            bool(self.may_negotiate and mine),
            accepts,
            None if fits else self.say(proposal.path, now),
        )

    def _whole(self, where: doc.Place, value: Any) -> str:
        if value is None:
            return str(T("rien", "nothing"))
        parts = []
        for f in where.element.fields:
            got = value.get(f.name)
            if f.yearly:
                parts += [
                    f"{cap(f.word)} {y} : {self.say(f'{where.path}/{f.name}/{y}', v)}" for y, v in (got or {}).items()
                ]
            elif got not in (None, "", [], False) and f.name not in ("title", "name", "code") and f.kind != "id":
                parts.append(f"{cap(f.word)} : {self.say(f'{where.path}/{f.name}', got)}")
        for child in where.element.children:
            parts += [f"{cap(child.word)} : {doc.name_of(child, c)}" for c in value.get(child.name) or ()]
        return " · ".join([doc.name_of(where.element, value), *parts])

    def field_row(self, name: str) -> Row:
        """A row for a field of the contract itself."""
        f = doc.CONTRACT.field(name)
        value = self.content.get(name)
        row = Row(name, anchor(name), cap(f.word), "", [Line("", self.say(name, value), f.kind)], removable=False)
        self._beside(row)
        if self.editing == name:
            row.inputs = self._inputs(doc.CONTRACT, self.content, only=name)
            row.seen = mark(self.content, name)
            row.autosave = self.autosave and f.kind == "text"
        return row

    def _inputs(self, kind: doc.Element, item: Any, only: str = "") -> list[dict[str, Any]]:
        return inputs_of(
            self.content,
            kind,
            item,
            years=self.years,
            only=only,
            typed=self.typed,
            organisations=self.organisations,
            currency=self.currency,
        )

    def _beside(self, row: Row) -> None:
        row.proposals = self.at.pop(row.path, [])
        row.comments = self.remarks.pop(row.path, [])
        row.open_comments = sum(c.resolved_at is None for c in row.comments)
        row.commenting = self.commenting == row.path
        row.removing = self.removing == row.path

    def element_row(self, path: str, kind: doc.Element, item: Mapping[str, Any], depth: int = 0) -> Row:
        """A row for an element."""
        row = Row(path, anchor(path), doc.name_of(kind, item), cap(doc.kind_word(kind, self.words)), depth=depth)
        for f in kind.fields:
            value = item.get(f.name)
            at = f"{path}/{f.name}"
            if f.yearly:
                span = sorted({*map(str, self.years), *(value or {})})
                if span and (value or item.get("kind") != "support"):
                    row.years.append(
                        (cap(f.word), [Line(year, self.say(f"{at}/{year}", (value or {}).get(year))) for year in span])
                    )
            elif f.name in ("title", "name") or (f.name == "code" and not value) or f.name == "organisation":
                continue
            elif f.kind == "flag":
                if value:
                    row.lines.append(Line("", cap(f.word), "flag"))
            elif value not in (None, "", []):
                row.lines.append(Line("" if f.name == "body" else cap(f.word), self.say(at, value), f.kind))
        if kind is doc.ARTICLE:
            rule = self.template.article(item["key"]) if self.template else None
            row.guidance = rule.guidance if rule else ""
            row.removable = not (rule and rule.required)
        self._beside(row)
        if self.editing == path:
            row.inputs = self._inputs(kind, item)
            row.seen = mark(self.content, path)
            row.autosave = self.autosave and kind in (doc.ARTICLE, doc.AXIS)
        for child in kind.children:
            row.adds.append((f"{path}/{child.name}", doc.kind_word(child, self.words)))
            if self.adding == f"{path}/{child.name}":
                row.adding = self._adding(child, f"{path}/{child.name}")
        return row

    def _adding(self, kind: doc.Element, list_path: str) -> dict[str, Any]:
        return {
            "list_path": list_path,
            "word": doc.kind_word(kind, self.words),
            "inputs": self._inputs(kind, None),
        }

    def parts(self) -> list[Part]:
        """The sections of the page, in the order in which a contract is read."""
        out = [
            self._part("frame", T("Intitulé, dates, territoire", "Title, dates, territory"), self._frame()),
        ]
        for kind, code in (
            (doc.PARTY, "parties"),
            (doc.ARTICLE, "articles"),
            (doc.AXIS, "axes"),
            (doc.OBJECTIVE, "objectives"),
            (doc.INDICATOR, "indicators"),
            (doc.COMMITMENT, "commitments"),
        ):
            if kind is doc.AXIS and code not in self.requirements and not self.content.get(kind.name):
                continue
            rows = [
                self.element_row(path, k, item, path.count("/") // 2)
                for path, k, item in doc.elements(self.content)
                if path.split("/")[0] == kind.name
            ]
            title = (
                T("Objectifs et programmes d'actions", "Objectives and action programmes")
                if kind is doc.OBJECTIVE
                else cap(doc.kind_word(kind, self.words, plural=True))
            )
            part = self._part(code, title, rows)
            part.list_path = kind.name
            part.add_label = doc.kind_word(kind, self.words)
            part.proposals = self.at.pop(kind.name, [])
            if self.adding == kind.name:
                part.adding = self._adding(kind, kind.name)
            out.append(part)
        return out

    def waiting(self, parts: Iterable[Part], adrift: Iterable[Shown]) -> list[Waiting]:
        """Every open proposal with the title of the place it is for, those of one file together."""
        found: dict[str, list[tuple[Shown, Any]]] = {}
        every = [
            (p, part.title if row is None else row.title)
            for part in parts
            for row in (None, *part.rows)
            for p in (part.proposals if row is None else row.proposals)
        ]
        for shown, title in [*every, *((p, "") for p in adrift)]:
            found.setdefault(shown.row.batch, []).append((shown, title))
        return [Waiting(batch, lines) for batch, lines in sorted(found.items())]

    def _frame(self) -> list[Row]:
        names = ["title", "starts_on", "ends_on", "territory"]
        # Some templates make the preamble an article; it is then not asked for twice.
        if self.content.get("preamble") or not (self.template and self.template.article("preamble")):
            names.append("preamble")
        return [self.field_row(name) for name in names]

    def _part(self, code: str, title: Any, rows: list[Row]) -> Part:
        found = self.requirements.get(code)
        missing = found.missing if found else ()
        if code == "frame":
            more = self.requirements.get("territory")
            missing = (*missing, *(more.missing if more else ()))
        typing = any(r.inputs is not None or r.adding or r.commenting or r.removing for r in rows)
        return Part(code, title, rows, missing, typing=typing)


def section_texts() -> dict[str, Text]:
    """Names of the pages on which something missing is mended."""
    return {
        "text": T("au texte", "in the text"),
        "annexes": T("aux annexes", "in the annexes"),
        "signature": T("à la signature", "at the signature"),
        "proposals": T("aux propositions", "in the proposals"),
    }
