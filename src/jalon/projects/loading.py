"""Real calls for projects, known from their sources: loaded with the register, as published, nothing added.

``data/<programme>/calls.yaml`` holds the calls, the totals published for several calls together and the notes on the series.
Loading is idempotent: a call edited on screen is left alone, and a call that has projects keeps its rules.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from jalon.clusters.loading import fingerprint
from jalon.core import journal
from jalon.core.clock import moment_on
from jalon.core.lang import T, Text
from jalon.core.models import Setting, Source
from jalon.policy.faults import Fault, PolicyFaults
from jalon.policy.reader import Node, read
from jalon.policy.shapes import BAD, Key, Reading, amount, code, day, many, natural, one_of, record, said, string, text
from jalon.projects import queries, rules, states
from jalon.projects.models import Call, CallRules, CallTotal

FILE = "calls.yaml"
PRECISIONS = ("day", "month", "year", "about", "before", "planned")


@dataclass(frozen=True, kw_only=True)
class KnownDay:
    """A day as published: ``precision`` and ``text`` say how to read it."""

    on: dt.date
    precision: str
    text: Text | None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A published figure with its precision and sources."""

    value: Decimal
    precision: str
    source: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CallRow:
    code: str
    scheme: str
    number: int | None
    title: Text
    opens: KnownDay | None
    closes: KnownDay | None
    results: KnownDay | None
    figures: dict[str, Figure]
    notes: tuple[Text, ...]
    source: tuple[str, ...]
    file: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class TotalRow:
    code: str
    scheme: str
    kind: str
    order: int
    title: Text
    after_call: str | None
    calls: tuple[str, ...]
    figures: dict[str, Figure]
    notes: tuple[Text, ...]
    source: tuple[str, ...]
    file: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class NoteRow:
    key: str
    text: Text
    source: tuple[str, ...]


@dataclass(frozen=True)
class History:
    """The file as read."""

    calls: tuple[CallRow, ...] = ()
    totals: tuple[TotalRow, ...] = ()
    notes: tuple[NoteRow, ...] = ()


SOURCE = Key(many(string, unique=""), ())
DAY = record(KnownDay, {"on": Key(day), "precision": Key(one_of(PRECISIONS), "day"), "text": Key(text, None)})
FIGURE = record(
    Figure, {"value": Key(amount), "precision": Key(one_of(tuple(states.PRECISIONS)), ""), "source": SOURCE}
)


def _figures(node: Node, reading: Reading) -> Any:
    if node.kind != "map":
        return reading.fault(node, said(node), T("des chiffres nommés", "named figures"))
    found: dict[str, Any] = {}
    for key, line, part in node.entries:
        if key not in states.FIGURES:
            reading.fault(
                node,
                T("le chiffre « {k} »", "the figure “{k}”", k=key),
                T("l’un de {all}", "one of {all}", all=", ".join(states.FIGURES)),
                key=str(key),
                line=line,
            )
            found[key] = BAD
            continue
        found[key] = FIGURE(part, reading)
    return BAD if BAD in found.values() else found


FIGURES = Key(_figures, {})
CALL = record(
    CallRow,
    {
        "code": Key(code),
        "scheme": Key(code),
        "number": Key(natural, None),
        "title": Key(text),
        "opens": Key(DAY, None),
        "closes": Key(DAY, None),
        "results": Key(DAY, None),
        "figures": FIGURES,
        "notes": Key(many(text), ()),
        "source": SOURCE,
    },
)
TOTAL = record(
    TotalRow,
    {
        "code": Key(code),
        "scheme": Key(code),
        "kind": Key(one_of(("joint", "cumulated"))),
        "order": Key(natural),
        "title": Key(text),
        "after_call": Key(code, None),
        "calls": Key(many(code, unique=""), ()),
        "figures": FIGURES,
        "notes": Key(many(text), ()),
        "source": SOURCE,
    },
)
NOTE = record(NoteRow, {"key": Key(code), "text": Key(text), "source": SOURCE})
KEYS = {
    "calls": Key(many(CALL, unique="code"), ()),
    "totals": Key(many(TOTAL, unique="code"), ()),
    "notes": Key(many(NOTE, unique="key"), ()),
}


def read_history(folder: Path, *, sources: set[str] | None = None, schemes: set[str] | None = None) -> History:
    """Read the folder's file of calls and check it; an empty history without the file.

    Args:
        sources: known keys of sources; None leaves them unchecked.
        schemes: codes of the policy's schemes; None leaves them unchecked.

    Raises:
        PolicyFaults: with every fault, its file and line.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return History()
    root, reading = read(path), Reading()
    found = {}
    for key, line, node in root.entries:
        if key in KEYS:
            found[key] = KEYS[key].shape(node, reading)
        else:
            reading.fault(
                root,
                T("la clé « {k} »", "the key “{k}”", k=key),
                T("l’une de {all}", "one of {all}", all=", ".join(KEYS)),
                key=str(key),
                line=line,
            )
    if not reading.faults:
        history = History(**found)
        _cross(history, reading, sources, schemes)
    if reading.faults:
        raise PolicyFaults(reading.faults)
    return history


def _cross(history: History, reading: Reading, sources: set[str] | None, schemes: set[str] | None) -> None:
    codes = {row.code for row in history.calls}

    def fault(row: Any, found: Text, expected: Text) -> None:
        reading.faults.append(Fault(row.file, row.line, row.code, found, expected))

    for row in (*history.calls, *history.totals):
        if schemes is not None and row.scheme not in schemes:
            fault(
                row,
                T("le dispositif « {s} »", "the scheme “{s}”", s=row.scheme),
                T("un dispositif de calls.yaml", "a scheme of calls.yaml"),
            )
        keys = {key for figure in row.figures.values() for key in figure.source} | set(row.source)
        for key in sorted(keys - sources) if sources is not None else ():
            fault(
                row,
                T("la source « {k} »", "the source “{k}”", k=key),
                T("une clé de sources.yaml", "a key of sources.yaml"),
            )
        for name, figure in row.figures.items():
            if not figure.source:
                fault(
                    row,
                    T("le chiffre « {n} » sans source", "the figure “{n}” without a source", n=name),
                    T("une source", "a source"),
                )
    for row in history.calls:
        if row.opens and row.closes and row.closes.on < row.opens.on:
            fault(
                row,
                T("une clôture avant l'ouverture", "a closing before the opening"),
                T("des jours dans l'ordre", "days in order"),
            )
    for total in history.totals:
        for name in (*total.calls, *([total.after_call] if total.after_call else ())):
            if name not in codes:
                fault(
                    total,
                    T("l'appel « {c} »", "the call “{c}”", c=name),
                    T("un appel de ce fichier", "a call of this file"),
                )


def load_calls_if_changed(programme: str | None = None) -> int:
    """:func:`load_calls` for the programme's folder of data, unless these very files were loaded; how many calls are known."""
    programme = programme or settings.PROGRAMME
    folder = Path(settings.DATA) / programme
    if not (folder / FILE).is_file():
        return 0
    key, mark = f"calls:{programme}", f"2:{fingerprint(folder)}"
    row = Setting.objects.filter(key=key).first()
    if row and row.value == mark:
        return 0
    known = {scheme.code for scheme in queries.schemes()}
    with transaction.atomic():
        sources = set(Source.objects.values_list("key", flat=True))
        made = load_calls(read_history(folder, sources=sources or None, schemes=known), programme)
        Setting.objects.update_or_create(key=key, defaults={"value": mark})
    return made


def load_calls(history: History, programme: str) -> int:
    """Write the known calls and totals; how many calls there are. Rows edited on screen are left alone."""
    present = {call.code: call for call in Call.objects.filter(programme=programme)}
    acts: list[dict[str, Any]] = []
    for row in history.calls:
        values = {
            "scheme": row.scheme,
            "number": row.number,
            "kind": getattr(queries.scheme_of(row.scheme), "kind", "rd"),
            "title_fr": row.title.fr,
            "title_en": row.title.en,
            "opens_on": row.opens.on if row.opens else None,
            "closes_on": row.closes.on if row.closes else None,
            "results_on": row.results.on if row.results else None,
            "precision": {
                name: {"precision": one.precision, **({"fr": one.text.fr, "en": one.text.en} if one.text else {})}
                for name, one in (("opens_on", row.opens), ("closes_on", row.closes), ("results_on", row.results))
                if one is not None and (one.precision != "day" or one.text)
            },
            "published": _published(row.figures),
            "notes": [{"fr": note.fr, "en": note.en} for note in row.notes],
            "sources": list(row.source),
            "known": True,
            "state": "decided" if row.results else "closed" if row.closes else "preparing",
        }
        call = present.get(row.code)
        first = next((d.on for d in (row.opens, row.closes, row.results) if d is not None), None)
        if call is None:
            known_from = first or dt.date(2005, 1, 1)
            call = Call.objects.create(programme=programme, code=row.code, created_at=moment_on(known_from), **values)
            acts.append(
                {
                    "case": call.case,
                    "act": "call.known",
                    "on": known_from,
                    "at": moment_on(known_from),
                    "after": {"opens_on": call.opens_on, "closes_on": call.closes_on, "sources": list(row.source)},
                }
            )
        elif call.known and call.rev == 0:
            changed = [name for name, value in values.items() if getattr(call, name) != value]
            for name in changed:
                setattr(call, name, values[name])
            if changed:
                call.save(update_fields=changed)
        _known_rules(call, first)
    for total in history.totals:
        CallTotal.objects.update_or_create(
            code=total.code,
            defaults={
                "programme": programme,
                "scheme": total.scheme,
                "kind": total.kind,
                "order": total.order,
                "title_fr": total.title.fr,
                "title_en": total.title.en,
                "after_call": total.after_call or "",
                "calls": list(total.calls),
                "published": _published(total.figures),
                "notes": [{"fr": note.fr, "en": note.en} for note in total.notes],
                "sources": list(total.source),
            },
        )
    CallTotal.objects.filter(programme=programme).exclude(code__in=[t.code for t in history.totals]).delete()
    Setting.objects.update_or_create(
        key=f"calls-notes:{programme}",
        defaults={
            "value": [
                {"key": n.key, "fr": n.text.fr, "en": n.text.en, "sources": list(n.source)} for n in history.notes
            ]
        },
    )
    journal.record_many(acts)
    return len(history.calls)


def _published(figures: dict[str, Figure]) -> dict[str, Any]:
    """Figures as a call keeps them: whole numbers as numbers, no figure that was not published."""
    return {
        name: {
            "value": int(one.value) if one.value % 1 == 0 else str(one.value),
            "precision": one.precision,
            "sources": list(one.source),
        }
        for name, one in figures.items()
    }


def _known_rules(call: Call, first: dt.date | None) -> None:
    """The rules of the policy for a known call, as its version 1; a version that files obey is never touched."""
    scheme = queries.scheme_of(call.scheme)
    version = scheme.version_for(first, call.number) if scheme is not None and first is not None else None
    if version is None:
        return
    resolved = rules.resolve(scheme, version)
    row = CallRules.objects.filter(call=call, version=1).first()
    if row is None:
        CallRules.objects.create(
            call=call,
            version=1,
            policy_day=first,
            valid_from=first,
            rules=resolved,
            made_at=moment_on(first),
            made_by="",
        )
    elif call.known and row.rules != resolved and not row.projects.exists() and not call.versions.exclude(pk=row.pk):
        row.rules, row.policy_day, row.valid_from = resolved, first, first
        row.save(update_fields=["rules", "policy_day", "valid_from"])


def notes_of(programme: str) -> list[dict[str, Any]]:
    """The notes on the series of calls, as loaded."""
    row = Setting.objects.filter(key=f"calls-notes:{programme}").first()
    return list(row.value) if row else []
