"""A contract's document as one XLSX workbook: a sheet per kind of element, a row per element, a cell per value.

Row 1 of each sheet names the columns in the reader's language, row 2 in the document's own words (grey): the second
is what the import reads, the first serves when somebody deleted it. Column ``key`` says which element a row is; an
empty key is a new element, a row taken away is an element removed.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field as field_of
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.core import signing

from jalon.contracts import content as doc
from jalon.contracts.content import CONTRACT, KINDS, Element, Field
from jalon.core.canonical import canonical, sha256
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.sheets import Book, Sheet, as_date, as_text, cell_name, read

SHEETS: dict[str, Text] = {
    "": T("Contrat", "Contract"),
    "parties": T("Parties", "Parties"),
    "articles": T("Articles", "Articles"),
    "improvement_axes": T("Axes d'amélioration", "Improvement axes"),
    "objectives": T("Objectifs", "Objectives"),
    "actions": T("Actions", "Actions"),
    "milestones": T("Jalons", "Milestones"),
    "indicators": T("Indicateurs", "Indicators"),
    "commitments": T("Engagements", "Commitments"),
}
ORIGIN = "_jalon"
_SALT = "jalon.contracts.exchange"
_CHUNK = 30000
MAX_CELL = 32767
"""Characters that a cell of a workbook can hold."""
PARENTS: dict[str, tuple[str, ...]] = {"actions": ("objectives",), "milestones": ("objectives", "actions")}


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its name in the document (``targets/2010``), its title, the field it holds."""

    name: str
    title: Text
    field: Field | None = None
    year: str = ""


def columns(kind: Element, years: Sequence[int]) -> list[Column]:
    """The columns of a kind's sheet: keys of the parents, key, then each field (a yearly one per year)."""
    out = [
        Column(f"in:{parent}", T("Clé : {w}", "Key: {w}", w=next(k for k in KINDS if k.name == parent).word))
        for parent in PARENTS.get(kind.name, ())
    ]
    out.append(Column("key", T("Clé (ne pas changer)", "Key (do not change)")))
    for field in kind.fields:
        if field.yearly:
            out += [
                Column(f"{field.name}/{year}", T("{w} {y}", "{w} {y}", w=field.word, y=year), field, str(year))
                for year in years
            ]
        else:
            out.append(Column(field.name, field.word, field))
    return out


def years_shown(content: Mapping[str, Any]) -> list[int]:
    """The years that get columns: those of the contract and any year that already holds a value."""
    found = set(doc.years_of(content))
    for path, _ in doc.walk(content):
        where = doc.place(path)
        if where.year is not None:
            found.add(where.year)
    return sorted(found)


def _rows(content: Mapping[str, Any], kind: Element) -> list[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The elements of one kind: keys of their parents, and the element."""
    out = []
    for path, found, item in doc.elements(content):
        if found is kind:
            out.append((tuple(path.split("/")[1:-2:2]), item))
    return out


def write(
    content: Mapping[str, Any],
    *,
    slug: str,
    text_number: int,
    rev: int,
    simulated: bool,
    words: Mapping[str, Any] | None = None,
) -> bytes:
    """The workbook of a contract's document, as bytes."""
    import xlsxwriter

    out = BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    shapes = _shapes(book)
    _notice(book, shapes, content, slug, text_number, simulated)
    span = years_shown(content)
    sheet = book.add_worksheet(str(SHEETS[""]))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    sheet.set_column(2, 2, None, None, {"hidden": True})
    for x, title in enumerate((T("Élément", "Element"), T("Valeur", "Value"))):
        sheet.write_string(0, x, str(title), shapes["head"])
    for y, field in enumerate(CONTRACT.fields, 1):
        sheet.write_string(y, 0, _capital(str(field.word)), shapes["label"])
        _write_cell(sheet, y, 1, field, content.get(field.name), shapes)
        sheet.write_string(y, 2, field.name, shapes["name"])
    sheet.freeze_panes(1, 1)
    for kind in KINDS:
        _write_kind(book, shapes, content, kind, span, words)
    _write_origin(book, content, slug, text_number, rev)
    book.close()
    return out.getvalue()


def _shapes(book: Any) -> dict[str, Any]:
    wrap = {"text_wrap": True, "valign": "top"}
    return {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "head": book.add_format({"bold": True, "bottom": 1, **wrap}),
        "name": book.add_format({"font_color": "#808080", "font_size": 8}),
        "label": book.add_format({"bold": True, **wrap}),
        "key": book.add_format({"font_color": "#606060", "num_format": "@", **wrap}),
        "text": book.add_format({"num_format": "@", **wrap}),
        "day": book.add_format({"num_format": "dd/mm/yyyy", **wrap}),
        "money": book.add_format({"num_format": "#,##0.00", **wrap}),
        "number": book.add_format({"num_format": "#,##0.######", **wrap}),
        "warn": book.add_format({"bold": True, "font_color": "#8a4b00", **wrap}),
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _notice(book: Any, shapes: Any, content: Any, slug: str, number: int, simulated: bool) -> None:
    sheet = book.add_worksheet(str(T("À lire", "Read me")))
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, str(content.get("title") or slug), shapes["title"])
    lines = [
        T("Contrat {slug}, texte n° {n}.", "Contract {slug}, text no. {n}.", slug=slug, n=number),
        T(
            "Changez les cellules que vous voulez, enregistrez (Excel ou LibreOffice), puis importez ce classeur : "
            "seul ce qui a changé est proposé, cellule par cellule, et rien n'est écrit sans votre accord.",
            "Change the cells you want, save (Excel or LibreOffice), then import this workbook: only what changed is "
            "proposed, cell by cell, and nothing is written without your consent.",
        ),
        T(
            "Pour ajouter un élément, ajoutez une ligne et laissez sa clé vide. Pour en retirer un, supprimez sa ligne.",
            "To add an element, add a row and leave its key empty. To remove one, delete its row.",
        ),
        T(
            "Une cellule vide veut dire « inconnu », jamais zéro. Les formules sont lues par leur dernier résultat.",
            "An empty cell means “unknown”, never zero. Formulas are read by their last result.",
        ),
        T(
            "La ligne grise (ligne 2) dit à Jalon ce que contient chaque colonne : gardez-la.",
            "The grey row (row 2) tells Jalon what each column holds: keep it.",
        ),
    ]
    for y, line in enumerate(lines, 2):
        sheet.write_string(y, 0, str(line), shapes["text"])
    if simulated:
        sheet.write_string(
            len(lines) + 3,
            0,
            str(T("Données simulées (démonstration).", "Simulated data (demonstration).")),
            shapes["warn"],
        )


def _write_kind(
    book: Any, shapes: Any, content: Any, kind: Element, span: Sequence[int], words: Mapping[str, Any] | None
) -> None:
    sheet = book.add_worksheet(str(SHEETS[kind.name])[:31])
    heads = columns(kind, span)
    rows = _rows(content, kind)
    sheet.freeze_panes(2, len(PARENTS.get(kind.name, ())) + 1)
    for x, column in enumerate(heads):
        wide = {"text": 60, "line": 36, "id": 12}.get(column.field.kind if column.field else "", 16)
        sheet.set_column(x, x, 12 if column.field is None else wide)
        sheet.write_string(0, x, _capital(str(column.title)), shapes["head"])
        sheet.write_string(1, x, column.name, shapes["name"])
        if column.field is not None and column.field.kind == "choice":
            sheet.data_validation(
                2,
                x,
                max(len(rows) + 200, 300),
                x,
                {"validate": "list", "source": [str(w) for _, w in column.field.choices], "ignore_blank": True},
            )
    for y, (parents, item) in enumerate(rows, 2):
        for x, column in enumerate(heads):
            if column.name.startswith("in:"):
                sheet.write_string(y, x, parents[x], shapes["key"])
            elif column.name == "key":
                sheet.write_string(y, x, item["key"], shapes["key"])
            else:
                value = item.get(column.field.name)
                if column.year:
                    value = (value or {}).get(column.year)
                _write_cell(sheet, y, x, column.field, value, shapes)


def _write_cell(sheet: Any, y: int, x: int, field: Field, value: Any, shapes: Any) -> None:
    kind = field.value_kind
    if value is None or value == "" or value == []:
        sheet.write_blank(y, x, None, shapes.get(kind, shapes["text"]))
    elif kind in ("money", "number"):
        sheet.write_number(y, x, Decimal(value), shapes[kind])
    elif kind == "day":
        day = dt.date.fromisoformat(value)
        sheet.write_datetime(y, x, dt.datetime(day.year, day.month, day.day), shapes["day"])
    elif kind == "choice":
        sheet.write_string(y, x, str(dict(field.choices).get(value, value)), shapes["text"])
    elif kind == "flag":
        sheet.write_string(y, x, str(T("oui", "yes") if value else T("non", "no")), shapes["text"])
    elif kind == "codes":
        sheet.write_string(y, x, ", ".join(map(str, value)), shapes["text"])
    else:
        sheet.write_string(y, x, str(value)[:MAX_CELL], shapes["text"])


def _write_origin(book: Any, content: Any, slug: str, number: int, rev: int) -> None:
    """A hidden sheet with the text the file was made from, signed, so that the way back knows its start."""
    signature, packed = pack(content, slug, number, rev)
    sheet = book.add_worksheet(ORIGIN)
    sheet.write_string(0, 0, signature)
    for y, start in enumerate(range(0, len(packed), _CHUNK), 1):
        sheet.write_string(y, 0, packed[start : start + _CHUNK])
    sheet.very_hidden()


def pack(content: Mapping[str, Any], slug: str, number: int, rev: int) -> tuple[str, str]:
    """The starting point of a file, as text: its signature and the packed document."""
    payload = canonical({"slug": slug, "text": number, "rev": rev, "content": content})
    packed = base64.b85encode(zlib.compress(payload.encode("utf-8"), 9)).decode()
    return signing.Signer(salt=_SALT).signature(sha256(payload)), packed


# -- the way back ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """The text that a file was made from: contract, number of the text, its revision, its content."""

    slug: str
    text: int
    rev: int
    content: dict[str, Any]


@dataclass(frozen=True)
class CellFault:
    """A cell that cannot be taken: where it is, what is wrong. ``level``: error or warning."""

    place: str
    message: Text | str
    level: str = "error"


@dataclass(frozen=True)
class Returned:
    """What a file brings back: the document it holds, where it started from, its faults.

    ``places``: the cell in which each path stands (``Indicateurs!F4``), as far as the file has cells.
    """

    content: dict[str, Any]
    origin: Origin | None
    faults: list[CellFault]
    places: Mapping[str, str] = field_of(default_factory=dict)


def origin_of(book: Book) -> Origin | None:
    """The signed starting point of a workbook; None when it was removed, damaged or made elsewhere."""
    sheet = book.sheet(ORIGIN)
    if sheet is None or not sheet.rows or not sheet.rows[0]:
        return None
    packed = "".join(as_text(row[0]) for row in sheet.rows[1:] if row and row[0])
    return unpack(as_text(sheet.rows[0][0]), packed)


def unpack(signature: str, packed: str) -> Origin | None:
    """The starting point that :func:`pack` wrote; None when it was damaged or signed elsewhere."""
    try:
        unpacker = zlib.decompressobj()
        payload = unpacker.decompress(base64.b85decode(packed), 20 * 1024 * 1024).decode("utf-8")
        if signing.Signer(salt=_SALT).signature(sha256(payload)) != signature:
            return None
        told = json.loads(payload)
        return Origin(told["slug"], int(told["text"]), int(told["rev"]), doc.tidied(told["content"]))
    except (ValueError, KeyError, zlib.error, TypeError):
        return None


def read_workbook(data: bytes, name: str, current: Mapping[str, Any]) -> Returned:
    """What a workbook says of the contract; elements of sheets that are absent are left as they are.

    ``current`` is the text of now: it gives what sheets or columns taken out of the file would have held.

    Raises:
        Refused: the file cannot be read as a workbook of a contract.
    """
    book = read(data, name)
    if book.kind == "csv":
        raise Refused(
            T(
                "« {name} » est un fichier CSV ; le contrat s'échange en classeur .xlsx ou .ods, ou en .yaml.",
                "“{name}” is a CSV file; the contract is exchanged as a workbook (.xlsx or .ods) or as .yaml.",
                name=name,
            ),
            kind="input",
        )
    by_name = {}
    for sheet in book.sheets:
        for kind, title in SHEETS.items():
            if sheet.name in (title.in_language("fr")[:31], title.in_language("en")[:31], title.fr[:31]):
                by_name[kind] = sheet
    if not by_name:
        raise Refused(
            T(
                "Le classeur « {name} » n'est pas celui d'un contrat : aucune feuille reconnue ({found}). "
                "Attendu : {expected}.",
                "The workbook “{name}” is not that of a contract: no sheet is recognised ({found}). "
                "Expected: {expected}.",
                name=name,
                found=", ".join(s.name for s in book.sheets[:8]),
                expected=", ".join(str(t) for t in SHEETS.values()),
            ),
            kind="input",
        )
    origin = origin_of(book)
    base = origin.content if origin else doc.tidied(current)
    reading = _Reading(base)
    if "" in by_name:
        reading.contract(by_name[""])
    for kind in KINDS:
        if kind.name in by_name:
            reading.elements(kind, by_name[kind.name])
    return Returned(reading.assemble(), origin, reading.faults, reading.places)


def says_the_same(field: Field, path: str, before: Any, value: Any) -> bool:
    """Whether what was read is what stood there, but for spaces at the ends that a file does not keep."""
    if doc.same(field, before, value):
        return True
    try:
        return isinstance(before, str) and doc.parse(path, before) == value
    except Refused:
        return False


class _Reading:
    """Reads the sheets of one workbook; gathers every fault before anything is said."""

    def __init__(self, base: Mapping[str, Any]):
        self.base = base
        self.faults: list[CellFault] = []
        self.places: dict[str, str] = {}
        self.top = {f.name: base.get(f.name) for f in CONTRACT.fields}
        self.items: dict[str, list[tuple[tuple[str, ...], dict[str, Any]]]] = {
            kind.name: [(parents, dict(item)) for parents, item in _rows(base, kind)] for kind in KINDS
        }
        self.given: set[str] = {item["key"] for _, _, item in doc.elements(base)}

    def fault(self, sheet: Sheet, y: int, x: int, message: Any, level: str = "error") -> None:
        self.faults.append(CellFault(f"{sheet.name}!{cell_name(y, x)}", message, level))

    def cell(self, sheet: Sheet, y: int, x: int) -> Any:
        if (y, x) in sheet.uncomputed:
            self.fault(
                sheet,
                y,
                x,
                T(
                    "une formule sans résultat enregistré : l'ouvrir et l'enregistrer dans un tableur, ou taper la valeur",
                    "a formula without a stored result: open and save it in a spreadsheet, or type the value",
                ),
            )
        elif (y, x) in sheet.formulas:
            self.fault(
                sheet,
                y,
                x,
                T("une formule : son dernier résultat est lu", "a formula: its last result is read"),
                "warning",
            )
        row = sheet.rows[y]
        return row[x] if x < len(row) else None

    def value(self, sheet: Sheet, y: int, x: int, field: Field, path: str, before: Any) -> Any:
        raw = self.cell(sheet, y, x)
        self.places[path] = f"{sheet.name}!{cell_name(y, x)}"
        if (y, x) in sheet.uncomputed:
            return before  # its result is not known, which is not the same as a cleared cell
        if isinstance(raw, str) and raw.startswith("#") and raw.endswith(("!", "?", "/A")):
            self.fault(sheet, y, x, T("une erreur du tableur : {v}", "a spreadsheet error: {v}", v=raw))
            return before
        if isinstance(before, str) and len(before) > MAX_CELL and raw == before[:MAX_CELL]:
            return before  # longer than a cell can be: what the cell shows is unchanged
        try:
            if field.value_kind == "day" and raw is not None:
                day = as_date(raw)
                value = doc.parse(path, day.isoformat() if day else None, None, self.base)
            elif field.kind == "codes" or (field.kind in ("line", "ref", "id") and raw is not None):
                value = doc.parse(path, as_text(raw), None, self.base)
            else:
                value = doc.parse(path, raw, None, self.base)
        except Refused as refusal:
            self.fault(sheet, y, x, refusal.reason)
            return before
        return before if says_the_same(field, path, before, value) else value

    def contract(self, sheet: Sheet) -> None:
        names = {f.name: f for f in CONTRACT.fields}
        words = {
            w.casefold(): f.name for f in CONTRACT.fields for w in (f.word.in_language("fr"), f.word.in_language("en"))
        }
        for y, row in enumerate(sheet.rows[1:], 1):
            name = as_text(row[2]) if len(row) > 2 else ""
            name = name if name in names else words.get(as_text(row[0]).casefold() if row else "", "")
            if name:
                self.top[name] = self.value(sheet, y, 1, names[name], name, self.top.get(name))

    def columns(self, kind: Element, sheet: Sheet) -> tuple[dict[int, Column], int]:
        """Which column of the sheet holds what, and the first row of data."""
        heads = [as_text(c) for c in (sheet.rows[0] if sheet.rows else [])]
        names = [as_text(c) for c in (sheet.rows[1] if len(sheet.rows) > 1 else [])]
        years = range(1990, 2200)
        known = {c.name: c for c in columns(kind, years)}
        if "key" in names:
            found = {x: known[n] for x, n in enumerate(names) if n in known}
            unknown = [(x, n) for x, n in enumerate(names) if n and n not in known]
            for x, name in unknown:
                self.fault(
                    sheet,
                    1,
                    x,
                    T("une colonne inconnue : « {n} »", "an unknown column: “{n}”", n=name),
                )
            return found, 2
        titles = {}
        for column in known.values():
            for code in ("fr", "en"):
                titles.setdefault(_capital(column.title.in_language(code)).casefold(), column)
        return {x: titles[h.casefold()] for x, h in enumerate(heads) if h.casefold() in titles}, 1

    def elements(self, kind: Element, sheet: Sheet) -> None:
        found, first = self.columns(kind, sheet)
        key_at = next((x for x, c in found.items() if c.name == "key"), None)
        if key_at is None:
            if any(any(c is not None for c in row) for row in sheet.rows):
                self.fault(
                    sheet,
                    0,
                    0,
                    T(
                        "la colonne des clés manque : la feuille n'est pas lue",
                        "the column of keys is missing: the sheet is not read",
                    ),
                )
            return
        # A milestone's key is its action's own: two actions may both have an m1.
        scope_at = next((x for x, c in found.items() if c.name == "in:actions"), None)
        before = {
            (parents[-1] if scope_at is not None else "", item["key"]): (parents, item)
            for parents, item in self.items[kind.name]
        }
        rows: list[tuple[tuple[str, ...], dict[str, Any]]] = []
        seen: dict[tuple[str, str], int] = {}
        doubtful = False
        for y in range(first, len(sheet.rows)):
            row = sheet.rows[y]
            if all(cell is None or as_text(cell) == "" for cell in row):
                continue
            key = as_text(row[key_at]) if key_at < len(row) else ""
            scope = as_text(row[scope_at]) if scope_at is not None and scope_at < len(row) else ""
            one = (scope, key)
            if key and (one in seen or one not in before):
                doubtful = True
            if key and one in seen:
                self.fault(
                    sheet,
                    y,
                    key_at,
                    T(
                        "la clé « {k} » est déjà à la ligne {n} ; vider la clé pour un nouvel élément",
                        "the key “{k}” is already on row {n}; empty the key for a new element",
                        k=key,
                        n=seen[one] + 1,
                    ),
                )
                continue
            if key and one not in before:
                self.fault(
                    sheet,
                    y,
                    key_at,
                    T(
                        "la clé « {k} » n'existe pas dans le contrat ; la vider pour un nouvel élément",
                        "the key “{k}” does not exist in the contract; empty it for a new element",
                        k=key,
                    ),
                )
                continue
            if key:
                seen[one] = y
            old_parents, old = before.get(one, ((), {}))
            new_key = key or self.new_key(kind)
            rows.append(self.element(kind, sheet, y, found, new_key, old_parents, old))
        if doubtful:  # a key that cannot be read may be that of a row that seems to be gone: nothing is removed then
            rows += [(parents, dict(item)) for one, (parents, item) in before.items() if one not in seen]
        self.items[kind.name] = rows

    def new_key(self, kind: Element) -> str:
        number = 1 + max(
            (
                int(k[len(kind.letter) :])
                for k in self.given
                if k.startswith(kind.letter) and k[len(kind.letter) :].isdigit()
            ),
            default=0,
        )
        key = f"{kind.letter}{number}"
        self.given.add(key)
        return key

    def element(
        self,
        kind: Element,
        sheet: Sheet,
        y: int,
        found: Mapping[int, Column],
        key: str,
        old_parents: tuple[str, ...],
        old: Mapping[str, Any],
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        item: dict[str, Any] = {**{f.name: old.get(f.name) for f in kind.fields}, "key": key}
        parents = {
            parent: old_parents[i] for i, parent in enumerate(PARENTS.get(kind.name, ())) if i < len(old_parents)
        }
        for x, column in found.items():
            if column.field is None and column.name != "key" and (given := as_text(self.cell(sheet, y, x))):
                parents[column.name.removeprefix("in:")] = given
        at = self.path(kind, parents, key)
        self.places[at] = f"{sheet.name}!{cell_name(y, 0)}"
        for x, column in found.items():
            if column.name == "key" or column.field is None:
                continue
            if column.year:
                series = dict(item.get(column.field.name) or {})
                value = self.value(sheet, y, x, column.field, f"{at}/{column.name}", series.get(column.year))
                if value is None:
                    series.pop(column.year, None)
                else:
                    series[column.year] = value
                item[column.field.name] = series
            else:
                item[column.field.name] = self.value(
                    sheet, y, x, column.field, f"{at}/{column.name}", item.get(column.field.name)
                )
        chain = tuple(parents.get(parent, "") for parent in PARENTS.get(kind.name, ()))
        for parent, value in zip(PARENTS.get(kind.name, ()), chain, strict=True):
            if not any(i["key"] == value for _, i in self.items[parent]):
                chain = old_parents or chain
                self.fault(
                    sheet,
                    y,
                    0,
                    T(
                        "la clé « {k} » ne désigne aucun élément de la feuille « {s} »",
                        "the key “{k}” names no element of the sheet “{s}”",
                        k=value or "∅",
                        s=SHEETS[parent],
                    ),
                )
        return chain, item

    @staticmethod
    def path(kind: Element, parents: Mapping[str, str], key: str) -> str:
        steps = [f"{p}/{parents.get(p) or 'x'}" for p in PARENTS.get(kind.name, ())]
        return "/".join([*steps, f"{kind.name}/{key}"])

    def assemble(self) -> dict[str, Any]:
        """The document from its rows; elements whose parent is unknown were reported and are left out."""
        content: dict[str, Any] = dict(self.top)
        for kind in KINDS:
            if kind.name not in PARENTS:
                content[kind.name] = [{**item} for _, item in self.items[kind.name]]
        for item in content["objectives"]:
            item["actions"] = [
                {
                    **action,
                    "milestones": [m for parents, m in self.items["milestones"] if parents[-1:] == (action["key"],)],
                }
                for parents, action in self.items["actions"]
                if parents == (item["key"],)
            ]
        return doc.tidied(content)
