"""From a file to rows: which sheet, which line of headers, which columns; and from rows to what a batch remembers."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from jalon.clusters.members import rules
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.sheets import Book, Sheet, as_text

HEAD_ROWS = rules.MAX_HEADER_ROW + 4
HEAD_COLUMNS = 120
SAMPLE = 40


def head_of(sheet: Sheet) -> list[list[str | None]]:
    """The first rows of a sheet as short texts: enough to choose the line of headers and the columns."""
    found: list[list[str | None]] = []
    for row in sheet.rows[:HEAD_ROWS]:
        cells = [as_text(c)[:SAMPLE] or None for c in row[:HEAD_COLUMNS]]
        while cells and cells[-1] is None:
            cells.pop()
        found.append(cells)
    while found and not found[-1]:
        found.pop()
    return found


def describe(book: Book, fields: rules.Fields) -> dict[str, Any]:
    """What a batch remembers of its file: sheets, their first rows, the sheet and columns recognised.

    Raises:
        Refused: no sheet holds a table.
    """
    sheets = [{"name": s.name, "rows": len(s.rows), "head": head_of(s)} for s in book.sheets]
    best, best_header, best_columns = -1, 0, {}
    for i, sheet in enumerate(book.sheets):
        if not sheets[i]["head"]:
            continue
        header, columns = rules.header_of(sheet.rows[: rules.MAX_HEADER_ROW], fields)
        if best < 0 or len(columns) > len(best_columns):
            best, best_header, best_columns = i, header, columns
    if best < 0:
        raise Refused(T("Le fichier ne contient aucune ligne remplie.", "The file holds no filled row."), kind="input")
    return {
        "kind": book.kind,
        "encoding": book.encoding,
        "delimiter": book.delimiter,
        "sheets": sheets,
        "sheet": best,
        "header": best_header,
        "mapping": {str(i): code for i, code in best_columns.items()},
        "joined_default": None,
        "choices": {},
    }


def need(mapping: dict[int, str]) -> None:
    """Raise Refused unless the columns can name an organisation: a name or an identifier."""
    codes = list(mapping.values())
    twice = sorted({c for c in codes if codes.count(c) > 1})
    if twice:
        raise Refused(
            T(
                "Deux colonnes sont désignées pour la même donnée ({what}) ; n'en garder qu'une.",
                "Two columns are given for the same thing ({what}); keep only one.",
                what=", ".join(twice),
            ),
            kind="input",
        )
    if not any(c in ("name", "identifier") or c.startswith("id:") for c in codes):
        raise Refused(
            T(
                "Aucune colonne ne nomme l'organisme : désigner au moins la raison sociale ou un identifiant.",
                "No column names the organisation: point out at least the name or an identifier.",
            ),
            kind="input",
        )


def options(columns: dict[str, Any]) -> tuple[dict[int, str], dt.date | None, dict[int, int]]:
    """(columns, entry date given for all, choices) as a batch remembers them."""
    given = columns.get("joined_default")
    return (
        {int(i): code for i, code in columns["mapping"].items()},
        dt.date.fromisoformat(given) if given else None,
        {int(n): int(o) for n, o in columns.get("choices", {}).items()},
    )


# --- what a batch remembers of its rows --------------------------------------------------------------------------


def packed(line: rules.Line) -> list[Any]:
    """A row and its verdict as a short list; days in ISO."""
    size = line.size
    return [
        line.number,
        line.verdict,
        line.organisation,
        line.membership,
        line.name,
        line.ids,
        line.country,
        line.postcode,
        line.city,
        line.member_type,
        line.college,
        line.joined.isoformat() if line.joined else None,
        line.left.isoformat() if line.left else None,
        (size[0], size[1], size[2].isoformat(), size[3], size[4]) if size else None,
        line.add_ids,
        line.candidates,
        line.first_row,
        1 if line.simulated else 0,
        [m.stored() for m in line.messages] if line.messages else 0,
    ]


def unpacked(row: Sequence[Any]) -> rules.Line:
    """The row again."""
    size = row[13]
    return rules.Line(
        number=row[0],
        verdict=row[1],
        organisation=row[2],
        membership=row[3],
        name=row[4],
        ids=tuple((s, v) for s, v in row[5]),
        country=row[6],
        postcode=row[7],
        city=row[8],
        member_type=row[9],
        college=row[10],
        joined=dt.date.fromisoformat(row[11]) if row[11] else None,
        left=dt.date.fromisoformat(row[12]) if row[12] else None,
        size=(size[0], size[1], dt.date.fromisoformat(size[2]), size[3], size[4]) if size else None,
        add_ids=tuple((s, v) for s, v in row[14]),
        candidates=tuple(row[15]),
        first_row=row[16],
        simulated=bool(row[17]),
        messages=[rules.Message.restored(m) for m in row[18]] if row[18] else [],
    )


def remembered(lines: Iterable[rules.Line], missing: Iterable[rules.Period]) -> dict[str, Any]:
    """The rows of a batch: in full those that say something, the unchanged ones as (row, organisation)."""
    rows, unchanged = [], []
    for line in lines:
        if line.verdict == "unchanged" and not line.messages:
            unchanged.append([line.number, line.organisation])
        else:
            rows.append(packed(line))
    return {"rows": rows, "unchanged": unchanged, "missing": [[p.id, p.organisation] for p in missing]}


def digest(rows: dict[str, Any]) -> str:
    """What tells two previews of one file apart."""
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()
