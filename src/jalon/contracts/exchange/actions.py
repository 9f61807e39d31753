"""From a returned file to changes of the contract: what differs, what clashes, and taking it, all or nothing.

Three texts are compared: the one the file was made from, what the file says now, and what the contract says now. Only
what the file changed is asked for; what was changed meanwhile in Jalon is never overwritten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from jalon.contracts import access, actions, content as doc, queries, states
from jalon.contracts.exchange.workbook import CellFault, Returned, read_workbook
from jalon.contracts.exchange.yaml_file import read_yaml
from jalon.contracts.models import Contract, Proposal, Text
from jalon.core import journal
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T, Text as Words
from jalon.people.access import Actor, policy

WRITTEN = ("xlsx", "yaml")
READ = ("xlsx", "ods", "yaml", "yml")
"""Endings of files that are written, and of those that are read."""


@dataclass(frozen=True)
class Clash:
    """A place that the file and the contract both changed. ``who`` and ``at``: the change made in Jalon, if known."""

    path: str
    label: Words
    old: Any
    theirs: Any
    ours: Any
    who: str = ""
    at: dt.datetime | None = None
    possible: bool = True
    """Whether the file's value can still be asked for (its element stands)."""


@dataclass(frozen=True)
class Waiting:
    """A change of the file that is proposed already."""

    change: doc.Change
    proposal: Proposal


@dataclass(frozen=True)
class Difference:
    """What a returned file would change in a text.

    ``changes`` are against the text of now. ``faults`` are cells that cannot be read (level error) or remarks
    (warning). ``refused`` says, by path, why a change cannot stand. ``places``: the cell of each path.
    """

    text: Text
    changes: list[doc.Change]
    clashes: list[Clash]
    faults: list[CellFault]
    already_proposed: list[Waiting]
    remarks: list[Words] = field(default_factory=list)
    refused: Mapping[str, Words] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[CellFault]:
        return [f for f in self.faults if f.level == "error"]

    @property
    def nothing(self) -> bool:
        """The file says what the contract says."""
        return not (self.changes or self.clashes or self.already_proposed)

    @property
    def fit(self) -> list[doc.Change]:
        """The changes that can stand."""
        return [c for c in self.changes if c.path not in self.refused]


@dataclass(frozen=True)
class Taken:
    """What was written: how many changes, in which text, at once or as proposals, in an amendment opened for it."""

    n: int
    text: Text
    direct: bool
    opened_amendment: bool = False

    @property
    def sentence(self) -> Words:
        """What happened, for the reader."""
        if not self.n:
            return T("Aucune différence : rien n'a été écrit.", "No difference: nothing was written.")
        where: Any = T("le contrat", "the contract")
        if self.text.number:
            where = T("l'avenant n° {n}", "amendment no. {n}", n=self.text.number)
        if self.opened_amendment:
            where = T("{w}, ouvert pour cela", "{w}, opened for it", w=where)
        if self.direct:
            return T(
                "{n} changement(s) écrit(s) dans {w}.",
                "{n} change(s) written in {w}.",
                n=self.n,
                w=where,
            )
        return T(
            "{n} changement(s) proposé(s) dans {w} ; ils attendent l'accord de l'autre partie.",
            "{n} change(s) proposed in {w}; they wait for the other side.",
            n=self.n,
            w=where,
        )


# --- which text, who ------------------------------------------------------------------------------------------------


def target(contract: Contract, number: int | None = None) -> Text:
    """The text that a returned file changes: the one that is open, else the binding one (through an amendment).

    Raises:
        Refused: no such text, or nothing that could change.
    """
    if number is not None:
        text = contract.texts.select_related("base", "frozen").filter(number=number).first()
        if text is None:
            raise Refused(
                T(
                    "Le contrat « {c} » n'a pas de texte n° {n}.",
                    "The contract “{c}” has no text no. {n}.",
                    c=contract.slug,
                    n=number,
                ),
                kind="input",
            )
    else:
        text = queries.open_text(contract) or queries.binding_text(contract)
    if text is None or text.state == "abandoned":
        raise Refused(
            T(
                "Le contrat est « {s} » : son texte ne change plus.",
                "The contract is “{s}”: its text no longer changes.",
                s=states.TITLES[contract.state],
            )
        )
    text.contract = contract
    return text


def may_bring(actor: Actor, text: Text, on: dt.date) -> None:
    """Raise NotAllowed unless the actor may bring a file back for this text: a party that prepares, negotiates or amends."""
    if text.state == "signed":
        needed = "contract.amend"
    elif text.state == "draft" and actor.can("contract.prepare"):
        needed = "contract.prepare"
    else:
        needed = "contract.negotiate"
    access.act_for(actor, text.contract, needed, on)


def can_bring(actor: Actor, text: Text, on: dt.date) -> bool:
    """Whether :func:`may_bring` lets the actor through."""
    try:
        may_bring(actor, text, on)
    except NotAllowed:
        return False
    return True


def read_file(data: bytes, name: str, text: Text) -> Returned:
    """What a file says of the text; its kind is told by the ending of its name.

    Raises:
        Refused: an ending that is not read, or a file that cannot be (password, macros, damage, not a contract).
    """
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if ending in ("yaml", "yml"):
        return read_yaml(data, name, text.content)
    if ending in ("xlsx", "ods", "csv", "xls", "xlsm"):  # the last three are refused with their own sentence
        return read_workbook(data, name, text.content)
    raise wrong_ending(name, READ)


def wrong_ending(name: str, accepted: Collection[str]) -> Refused:
    """The refusal of a file by its ending."""
    return Refused(
        T(
            "« {name} » : la fin du nom ne dit pas un format accepté. Attendu : {kinds}.",
            "“{name}”: the ending of the name is not that of an accepted format. Expected: {kinds}.",
            name=name,
            kinds=", ".join(f".{k}" for k in accepted),
        ),
        kind="input",
    )


# --- the difference -------------------------------------------------------------------------------------------------


def difference(text: Text, returned: Returned, words: Mapping[str, Any] | None = None) -> Difference:
    """What the file changed since its origin, brought into the text of now.

    Raises:
        Refused: the file was made from another contract.
    """
    words = policy().words if words is None else words
    contract, origin = text.contract, returned.origin
    if origin is not None and origin.slug != contract.slug:
        raise Refused(
            T(
                "Ce fichier vient du contrat « {a} », pas de « {b} » : rien n'en est repris.",
                "This file comes from the contract “{a}”, not from “{b}”: nothing of it is taken.",
                a=origin.slug,
                b=contract.slug,
            ),
            kind="input",
        )
    remarks: list[Words] = []
    if origin is None:
        remarks.append(
            T(
                "Le fichier ne dit pas de quel texte il est parti (feuille cachée ou partie « jalon » retirée) : il est "
                "comparé au texte de maintenant, et un changement fait entre-temps dans Jalon paraîtrait défait par le fichier.",
                "The file does not say from which text it started (hidden sheet or part “jalon” removed): it is compared "
                "with the text of now, and a change made meanwhile in Jalon would look undone by the file.",
            )
        )
    elif origin.text != text.number:
        remarks.append(
            T(
                "Le fichier est parti du texte n° {a} ; ce qu'il a changé est repris dans le texte n° {b}.",
                "The file started from text no. {a}; what it changed is taken into text no. {b}.",
                a=origin.text,
                b=text.number,
            )
        )
    now = doc.tidied(text.content)
    base = origin.content if origin is not None else now
    waiting = list(text.proposals.filter(state="open").select_related("party__organisation"))
    ours, renamed = _own_keys(text, base, now, returned.content, waiting)
    merged, clashes = doc.merge(base, now, ours, words)
    places = {_renamed(path, renamed): place for path, place in returned.places.items()}
    changes, proposed = [], []
    for change in sorted(doc.diff(now, merged, words), key=lambda c: c.kind != "removed"):
        same = next((p for p in waiting if p.path == change.path and doc.same_at(p.path, p.new, change.new)), None)
        if same is None:
            changes.append(change)
        else:
            proposed.append(Waiting(change, same))
    return Difference(
        text,
        changes,
        [_told(text, now, c) for c in clashes],
        list(returned.faults),
        proposed,
        remarks,
        _refusals(text, now, merged, changes, words),
        places,
    )


def _told(text: Text, now: Mapping[str, Any], clash: doc.Clash) -> Clash:
    """A clash with who changed the place in Jalon, and when."""
    last = next(
        (
            p
            for p in queries.history(text.contract).filter(state="accepted", text__number__lte=text.number)
            if doc.touches(p.path, clash.path)
        ),
        None,
    )
    return Clash(
        clash.path,
        clash.label,
        clash.old,
        clash.theirs,
        clash.ours,
        last.user_label if last else "",
        (last.decided_at or last.at) if last else None,
        doc.exists_parent(now, clash.path),
    )


def _refusals(
    text: Text,
    now: Mapping[str, Any],
    merged: Mapping[str, Any],
    changes: list[doc.Change],
    words: Mapping[str, Any],
) -> dict[str, Words]:
    """Why changes cannot stand: errors that the text would have at the places they touch, and has not now."""
    template = queries.template_of(text.contract)
    before = {(f.path, f.code) for f in doc.check(now, template, words=words) if f.level == "error"}
    errors = [
        f for f in doc.check(merged, template, words=words) if f.level == "error" and (f.path, f.code) not in before
    ]
    found: dict[str, Words] = {}
    for change in changes:
        exact = [f for f in errors if doc.touches(f.path, change.path)]
        near = [f for f in errors if doc.touches(f.path, doc.place(change.path).element_path or change.path)]
        for fault in exact or near:
            found.setdefault(change.path, fault.message)
    return found


# --- keys of new elements -------------------------------------------------------------------------------------------


def _bare(value: Any) -> Any:
    """An element without its keys: what it says."""
    if isinstance(value, Mapping):
        return {k: _bare(v) for k, v in value.items() if k != "key"}
    if isinstance(value, list):
        return [_bare(v) for v in value]
    return value


def _renamed(path: str, renamed: Mapping[str, str]) -> str:
    """A path of the file as a path of the text."""
    for old in sorted(renamed, key=len, reverse=True):
        if path == old or path.startswith(f"{old}/"):
            return renamed[old] + path[len(old) :]
    return path


def _own_keys(
    text: Text,
    base: Mapping[str, Any],
    now: Mapping[str, Any],
    ours: Mapping[str, Any],
    waiting: list[Proposal],
) -> tuple[dict[str, Any], dict[str, str]]:
    """The file's content with keys of its new elements that nothing else has, and which paths were renamed.

    A new element that the text already holds (the file was taken before), or that is already proposed, takes the key
    that it has there: the same file taken twice changes nothing.
    """
    in_base = {(kind.name, item["key"]) for _, kind, item in doc.elements(base)}
    given: set[tuple[str, str]] = set()
    renamed: dict[str, str] = {}

    def fresh(kind: doc.Element, at: str) -> str:
        key = actions.next_key(text, f"{at}/{kind.name}".lstrip("/"))
        number = int(key[len(kind.letter) :])
        while (kind.name, f"{kind.letter}{number}") in given | in_base:
            number += 1
        given.add((kind.name, f"{kind.letter}{number}"))
        return f"{kind.letter}{number}"

    def inside(kind: doc.Element, item: Mapping[str, Any], file_at: str, at: str) -> dict[str, Any]:
        """A new element: what lies below it is new too, unless it was moved into it."""
        out = dict(item)
        for child in kind.children:
            out[child.name] = []
            for below in item.get(child.name) or ():
                key = below["key"]
                if child is not doc.MILESTONE and (child.name, key) not in in_base:
                    key = fresh(child, at)
                old, new = f"{file_at}/{child.name}/{below['key']}", f"{at}/{child.name}/{key}"
                renamed[old] = new
                out[child.name].append({**inside(child, below, old, new), "key": key})
        return out

    def walk(kind: doc.Element, mine: Mapping[str, Any], old: Any, there: Any, at: str) -> dict[str, Any]:
        out = dict(mine)
        for child in kind.children:
            old_items = {i["key"]: i for i in (old or {}).get(child.name) or ()}
            there_items = {i["key"]: i for i in (there or {}).get(child.name) or ()}
            added_there = [i for key, i in there_items.items() if key not in old_items]
            asked = [
                p
                for p in waiting
                if isinstance(p.new, Mapping) and p.old is None and _list_of(p.path) == (at, child.name)
            ]
            rows = []
            for item in mine.get(child.name) or ():
                key = item["key"]
                here = f"{at}/{child.name}/{key}".lstrip("/")
                if key in old_items:
                    rows.append(walk(child, item, old_items[key], there_items.get(key), here))
                    continue
                if (child.name, key) in in_base and child is not doc.MILESTONE:
                    rows.append(item)  # moved from elsewhere: it keeps its key
                    continue
                same = next((i for i in added_there if _bare(i) == _bare(item)), None)
                same_asked = next((p for p in asked if _bare(p.new) == _bare(item)), None)
                if same is not None:
                    added_there.remove(same)
                    rows.append(same)
                    new = same["key"]
                elif same_asked is not None:
                    asked.remove(same_asked)
                    rows.append(dict(same_asked.new))
                    new = same_asked.path.rsplit("/", 1)[-1]
                else:
                    new = fresh(child, at)
                    to = f"{at}/{child.name}/{new}".lstrip("/")
                    rows.append({**inside(child, item, here, to), "key": new})
                renamed[here] = f"{at}/{child.name}/{new}".lstrip("/")
            out[child.name] = rows
        return out

    return doc.tidied(walk(doc.CONTRACT, ours, base, now, "")), renamed


def _list_of(path: str) -> tuple[str, str]:
    parts = path.split("/")
    return "/".join(parts[:-2]), parts[-2] if len(parts) > 1 else ""


# --- taking ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def take(
    text: Text,
    returned: Returned,
    *,
    by: Actor,
    on: dt.date,
    reason: str = "",
    only: Collection[str] | None = None,
    overrule: Collection[str] = (),
    without_faulty: bool = False,
    file: str = "",
    sha256: str = "",
    at: dt.datetime | None = None,
) -> Taken:
    """Write what the file changed: at once while the text is prepared, as one batch of proposals in negotiation; for a
    binding text, in an amendment that is opened for it.

    Args:
        only: paths to take; every change that can stand when None.
        overrule: clashing paths for which the file's value is asked for all the same.
        without_faulty: leave out the cells that cannot be read and the changes that cannot stand.
        file, sha256: the name of the file and the hash of its bytes, for the journal.

    Raises:
        Refused: cells in error that are not left out, no reason in negotiation, a text that does not change.
        NotAllowed: the actor brings no file for this contract.
        Conflict: the text changed while the file was being taken; nothing is written.
    """
    may_bring(by, text, on)
    found = difference(text, returned)
    wanted = [c for c in found.changes if only is None or c.path in only]
    _refuse_faults(found, wanted, without_faulty)
    wanted = [c for c in wanted if c.path not in found.refused]
    for clash in found.clashes:
        if clash.path in overrule and clash.possible:
            wanted.append(doc.Change(clash.path, clash.theirs, clash.ours, clash.label))
    direct = text.state == "draft"
    if not wanted:
        return Taken(0, text, direct)
    opened = text.state == "signed"
    if opened:
        if not reason.strip():
            raise Refused(
                T(
                    "Le contrat est signé : ses changements passent par un avenant, qui demande un motif.",
                    "The contract is signed: it changes by an amendment, which needs a reason.",
                ),
                kind="input",
            )
        text = actions.amend(text.contract, reason=reason, by=by, on=on, at=at)
        direct = True
    made = actions.propose(
        text, wanted, by=by, on=on, reason=reason, batch=f"file-{sha256[:12]}" if sha256 else "", at=at
    )
    if made:
        journal.record(
            queries.case_of(text.contract),
            "contract.import",
            by=by,
            on=on,
            at=made[0].at,
            why=reason.strip(),
            after={
                "text": text.number,
                "file": file,
                "file_sha256": sha256,
                "taken": len(made),
                "left": len(found.changes) + len(found.clashes) - len(wanted),
                "unreadable": len(found.errors),
            },
        )
    return Taken(len(made), text, bool(made) and made[0].state == "accepted", opened)


def _refuse_faults(found: Difference, wanted: list[doc.Change], without_faulty: bool) -> None:
    if without_faulty:
        return
    faults = [T("{p} : {m}", "{p}: {m}", p=f.place, m=f.message) for f in found.errors]
    faults += [found.refused[c.path] for c in wanted if c.path in found.refused]
    if faults:
        raise Refused(
            T(
                "{n} cellule(s) en erreur : rien n'est écrit. Corriger le fichier, ou les laisser de côté expressément.",
                "{n} cell(s) in error: nothing is written. Mend the file, or leave them out expressly.",
                n=len(faults),
            ),
            missing=faults,
            kind="input",
        )
