"""Charts as SVG, drawn on the server: trends with their target, bars, shares, calendars, money.

Pure functions of plain values. A drawing carries classes and no ``style``, so the theme colours it
in the light, in the dark and on paper; ``standalone=True`` writes the colours in, for PDF and Word.
Every drawing keeps its values as a table (``.table``): ``{% chart_with_table drawing %}`` shows both.

What is not known is a gap in the line and a « ? », never a zero. Simulated values are hollow.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString

from jalon.core.lang import T, Text
from jalon.ui import format as fmt, lights

INK, INK_2, PAPER, MAIN = "#1b1d1f", "#54585c", "#ffffff", "#0b5a66"
TONES = {
    "good": "#0b6a4b",
    "warn": "#8a5200",
    "bad": "#a3231f",
    "info": "#225a93",
    "quiet": "#5b5f63",
    "unknown": "#5f5776",
}
STANDALONE: dict[str, dict[str, str]] = {
    "c-soft": {"fill": INK_2},
    "c-strong": {"font-weight": "650", "font-size": "13"},
    "c-grid": {"stroke": "#dddcd4", "stroke-width": "1"},
    "c-axis": {"stroke": "#7c7f80", "stroke-width": "1"},
    "c-today": {"stroke": MAIN, "stroke-width": "1.5", "stroke-dasharray": "1 3"},
    "c-line": {"fill": "none", "stroke": MAIN, "stroke-width": "2.5"},
    "c-point": {"fill": MAIN, "stroke": MAIN, "stroke-width": "2"},
    "c-hollow": {"fill": PAPER, "stroke": MAIN, "stroke-width": "2"},
    "c-target": {"fill": "none", "stroke": INK_2, "stroke-width": "1.75", "stroke-dasharray": "6 4"},
    "c-target-point": {"fill": PAPER, "stroke": INK_2, "stroke-width": "1.75"},
    "c-bar": {"fill": MAIN},
    "c-1": {"fill": MAIN},
    "c-2": {"fill": "#c06a12"},
    "c-3": {"fill": "#6d4f9c"},
    "c-4": {"fill": "#7d8b3a"},
    "c-empty": {"fill": "#ebebe4"},
    "c-frame": {"fill": "none", "stroke": "#7c7f80", "stroke-width": "1", "stroke-dasharray": "3 3"},
    "c-on": {"fill": PAPER},
    "c-hatch": {"stroke": PAPER, "stroke-width": "1.5", "fill": "none"},
    "c-outline": {"fill": "none", "stroke": MAIN, "stroke-width": "1.5"},
    "c-track": {"fill": MAIN, "fill-opacity": "0.28", "stroke": MAIN, "stroke-width": "1"},
    **{f"t-{name}": {"fill": colour} for name, colour in TONES.items()},
}
"""What the classes mean where no style sheet follows (colours of tokens.css, light mode)."""


@dataclass(frozen=True)
class Table:
    """The values of a drawing, already written in the reader's language."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def labelled(self) -> list[list[dict[str, str]]]:
        """Cells with the header of their column, for the cards of a phone."""
        return [[{"label": h, "value": v} for h, v in zip(self.headers, row, strict=True)] for row in self.rows]


class Drawing(SafeString):
    """An SVG that is safe to print in a template, with ``title``, ``table`` and ``simulated``."""

    title: str
    table: Table
    simulated: bool


@dataclass(frozen=True)
class Point:
    """A value at a day (or a year, as an int). ``value`` None is unknown."""

    at: date | int
    value: Decimal | float | int | None
    simulated: bool = False


@dataclass(frozen=True)
class Row:
    """A line of a calendar drawing (Gantt). ``was_ends_on`` is the end first promised, when it slipped."""

    label: Any
    starts_on: date | None
    ends_on: date | None
    progress: Decimal | float | int | None = None
    light: str | None = None
    milestones: Sequence[tuple[date, Any]] = field(default_factory=tuple)
    was_ends_on: date | None = None
    group: Any = ""


def _of(kind: type, thing: Any) -> Any:
    """A Point or Row out of itself, a mapping, a tuple or an object with the same names."""
    if isinstance(thing, kind):
        return thing
    if isinstance(thing, Mapping):
        return kind(**{k: v for k, v in thing.items() if k in kind.__dataclass_fields__})
    if isinstance(thing, (tuple, list)):
        return kind(*thing)
    return kind(**{k: getattr(thing, k) for k in kind.__dataclass_fields__ if hasattr(thing, k)})


class _Svg:
    """Collects elements; writes classes, or colours when the drawing must stand alone."""

    def __init__(self, width: float, height: float, title: Any, desc: str, *, standalone: bool, cls: str = ""):
        self.width, self.height, self.standalone = width, height, standalone
        self.title, self.desc, self.cls = str(title or ""), desc, cls
        self.parts: list[str] = []

    def add(self, tag: str, cls: str = "", inside: str = "", **attrs: Any) -> None:
        self.parts.append(self.element(tag, cls, inside, **attrs))

    def element(self, tag: str, cls: str = "", inside: str = "", **attrs: Any) -> str:
        found: dict[str, str] = {}
        if cls and self.standalone:
            for name in cls.split():
                found.update(STANDALONE.get(name, {}))
        elif cls:
            found["class"] = cls
        if tag == "text" and self.standalone:
            found.update({"stroke": PAPER, "stroke-width": "3", "stroke-linejoin": "round", "paint-order": "stroke"})
        for key, value in attrs.items():
            if value is not None:
                found[key.replace("_", "-")] = _short(value) if isinstance(value, (int, float, Decimal)) else str(value)
        text = "".join(f' {k}="{escape(v)}"' for k, v in found.items())
        return f"<{tag}{text}>{inside}</{tag}>" if inside else f"<{tag}{text}/>"

    def text(self, x: float, y: float, words: Any, cls: str = "", anchor: str | None = None) -> None:
        self.add("text", cls, str(escape(str(words))), x=x, y=y, text_anchor=anchor)

    def line(self, x1: float, y1: float, x2: float, y2: float, cls: str) -> None:
        self.add("line", cls, x1=x1, y1=y1, x2=x2, y2=y2)

    def done(self, table: Table, simulated: bool = False) -> Drawing:
        body = "".join(self.parts)
        key = hashlib.sha1(f"{self.title}{self.desc}{body}".encode(), usedforsecurity=False).hexdigest()[
            :8
        ]  # a name, not a seal
        body = body.replace("@@", key)
        own = (
            ' xmlns="http://www.w3.org/2000/svg" font-family="\'Liberation Sans\', Arial, sans-serif" font-size="12" fill="'
            + INK
            + '"'
            if self.standalone
            else f' class="{("chart " + (self.cls or ("wide" if self.width > 520 else ""))).strip()}"'
        )
        out = Drawing(
            f'<svg{own} viewBox="0 0 {_short(self.width)} {_short(self.height)}" width="{_short(self.width)}"'
            f' height="{_short(self.height)}" role="img" aria-labelledby="t{key} d{key}">'
            f'<title id="t{key}">{escape(self.title)}</title><desc id="d{key}">{escape(self.desc)}</desc>{body}</svg>'
        )
        out.title, out.table, out.simulated = self.title, table, simulated
        return out


def _short(value: float | Decimal) -> str:
    text = f"{float(value):.1f}"
    return text[:-2] if text.endswith(".0") else text


def _wide(text: str, size: float = 12) -> float:
    """About how wide a text is; system fonts differ, so a little more than most."""
    return len(text) * size * 0.56


def _cut(text: str, room: float, size: float = 12) -> str:
    most = max(3, int(room / (size * 0.56)))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers that cover low to high."""
    if high <= low:
        high = low + 1
    raw = (high - low) / about
    scale = 10 ** math.floor(math.log10(raw))
    step = next(m * scale for m in (1, 2, 2.5, 5, 10) if m * scale >= raw * 0.999)
    first = math.floor(low / step + 1e-9) * step
    found = []
    while True:
        found.append(round(first + len(found) * step, 10))
        if found[-1] >= high - step * 1e-6:
            return found


def _number(value: Any, unit: str | None) -> str:
    """A short figure for an axis."""
    if unit in ("money", "€") or unit in fmt.SYMBOLS or unit in fmt.NO_CENTS:
        return fmt.money_short(value, None if unit in ("money", "€") else unit)
    if unit in ("%", "percent"):
        return fmt.percent(value)
    if unit == "ratio":
        return fmt.ratio(value)
    found = fmt.as_decimal(value)
    return fmt.number(value, 0 if found is not None and abs(found) >= 100 else None)


def _full(value: Any, unit: str | None) -> str:
    return fmt.value(value, unit)


def _x(at: date | int) -> float:
    """Days on one scale; a year counts at its last day, because a year's value is known at its end."""
    return float(date(at, 12, 31).toordinal() if isinstance(at, int) else at.toordinal())


def _when(at: date | int) -> str:
    return str(at) if isinstance(at, int) else fmt.day(at)


_OBSERVED = T("Observé", "Observed")
_TARGET = T("Cible", "Target")


def _year_labels(svg: _Svg, years: Iterable[tuple[float, str]], y: float, room: float) -> None:
    """Labels under an axis, thinned until they fit."""
    found = list(years)
    if not found:
        return
    every = max(1, math.ceil(len(found) * (_wide(found[0][1]) + 8) / room))
    for place, (x, words) in enumerate(found):
        if (len(found) - 1 - place) % every == 0:
            svg.text(x, y, words, "c-soft", "middle")


def trend(
    series: Iterable[Any],
    targets: Iterable[Any] = (),
    *,
    unit: str | None = None,
    width: int = 360,
    height: int = 200,
    title: Any = "",
    today: date | None = None,
    breaks: Iterable[tuple[Any, Any]] = (),
    names: tuple[Any, Any] = (_OBSERVED, _TARGET),
    standalone: bool = False,
) -> Drawing:
    """Observed values as a line, their targets as a dashed one, the last known value written out.

    Args:
        series: points ``(at, value[, simulated])``; ``at`` a date or a year. ``value`` None is a gap.
        targets: points ``(at, value)``.
        unit: as in :func:`jalon.ui.format.value`.
        breaks: ``(at, words)`` where the definition changed: a series is not joined across them.
        names: what the two series are called, where they are not observations and their target.
    """
    seen = sorted((_of(Point, p) for p in series), key=lambda p: _x(p.at))
    aims = sorted((_of(Point, p) for p in targets), key=lambda p: _x(p.at))
    breaks = [(_x(at), str(words)) for at, words in breaks]
    known = [p for p in seen if p.value is not None]
    goal = [p for p in aims if p.value is not None]
    table = _trend_table(seen, aims, unit, names)
    desc = _trend_words(known, goal, unit, names[1])
    svg = _Svg(width, height, title, desc, standalone=standalone)
    values = [float(p.value) for p in known + goal]
    if not values:
        svg.height = 64
        svg.add("rect", "c-frame", x=0.5, y=8.5, width=width - 1, height=47)
        svg.text(width / 2, 36, T("Aucune valeur connue à ce jour", "No value known to date"), "c-soft", "middle")
        return svg.done(table)
    low, high = min(values), max(values)
    if low >= 0 and low <= 0.6 * high:
        low = 0.0
    elif low == high:
        low, high = low - abs(low) * 0.1 - 1, high + abs(high) * 0.1 + 1
    ticks = _ticks(low, high)
    labels = [_number(t, unit) for t in ticks]
    last_words = _number(known[-1].value, unit) if known else ""
    left = max(_wide(words) for words in labels) + 8
    right = max(_wide(last_words, 13) + 10, 22)
    top, bottom = 20, 26
    places = [_x(p.at) for p in seen + aims] + ([float(today.toordinal())] if today else [])
    first, last = min(places), max(places)
    if first == last:
        first, last = first - 183, last + 183
    inner_w, inner_h = width - left - right, height - top - bottom

    def px(at: float) -> float:
        return left + (at - first) / (last - first) * inner_w

    def py(value: float) -> float:
        return top + (ticks[-1] - value) / (ticks[-1] - ticks[0]) * inner_h

    for tick, words in zip(ticks, labels, strict=True):
        svg.line(left, py(tick), width - right, py(tick), "c-axis" if tick == ticks[0] else "c-grid")
        svg.text(left - 6, py(tick) + 4, words, "c-soft", "end")
    _time_axis(svg, seen + aims, first, last, px, height - 8, inner_w)
    for at, words in breaks:
        svg.line(px(at), top, px(at), height - bottom, "c-axis")
        svg.text(px(at) + 4, top + 8, words, "c-soft")
    if today:
        x = px(float(today.toordinal()))
        svg.line(x, top - 6, x, height - bottom, "c-today")
    if len(goal) > 1:
        svg.add(
            "polyline",
            "c-target",
            points=" ".join(f"{_short(px(_x(p.at)))},{_short(py(float(p.value)))}" for p in goal),
        )
    for p in goal:
        x, y = px(_x(p.at)), py(float(p.value))
        svg.add("path", "c-target-point", d=f"M{_short(x)} {_short(y - 4.5)}l4.5 4.5-4.5 4.5-4.5-4.5z")
    for run in _runs(seen, [at for at, _ in breaks]):
        if len(run) > 1:
            svg.add(
                "polyline",
                "c-line",
                points=" ".join(f"{_short(px(_x(p.at)))},{_short(py(float(p.value)))}" for p in run),
            )
    for p in seen:
        if p.value is None:
            svg.text(px(_x(p.at)), height - bottom - 5, "?", "t-unknown c-strong", "middle")
        else:
            svg.add("circle", "c-hollow" if p.simulated else "c-point", cx=px(_x(p.at)), cy=py(float(p.value)), r=3.5)
    if known:
        final = known[-1]
        x, y = px(_x(final.at)), py(float(final.value))
        svg.text(x + 8, y + 4.5 if x > width - right - 30 else y - 8, last_words, "c-strong")
    if goal:
        aim = goal[-1]
        x, y = px(_x(aim.at)), py(float(aim.value))
        words = f"{names[1]} {_number(aim.value, unit)}"
        below = bool(known) and _x(known[-1].at) > first + (last - first) * 0.6 and py(float(known[-1].value)) < y
        svg.text(
            min(x + right - 2, width), y + 18 if below and y + 18 < height - bottom else y - 9, words, "c-soft", "end"
        )
    return svg.done(table, any(p.simulated for p in known))


def _runs(points: Sequence[Point], breaks: Sequence[float]) -> list[list[Point]]:
    """Stretches of known values: an unknown value or a break of definition ends one."""
    runs: list[list[Point]] = [[]]
    for before, p in zip([None, *points], points, strict=False):
        if p.value is None:
            runs.append([])
            continue
        if before is not None and any(_x(before.at) < at <= _x(p.at) for at in breaks):
            runs.append([])
        runs[-1].append(p)
    return [run for run in runs if run]


def _time_axis(svg: _Svg, points: Sequence[Point], first: float, last: float, px: Any, y: float, room: float) -> None:
    if all(isinstance(p.at, int) for p in points):
        _year_labels(svg, [(px(_x(year)), str(year)) for year in sorted({p.at for p in points})], y, room)
        return
    start, end = date.fromordinal(int(first)), date.fromordinal(int(last))
    if (end - start).days > 730:
        years = [(px(float(date(n, 1, 1).toordinal())), str(n)) for n in range(start.year + 1, end.year + 1)]
        _year_labels(svg, years, y, room)
        return
    months = []
    year, month = start.year, start.month
    while (year, month) <= (end.year, end.month):
        day = date(year, month, 1)
        if start <= day <= end:
            months.append((px(float(day.toordinal())), fmt.month_short(day)))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    _year_labels(svg, months or [(px(first), fmt.day_short(start))], y, room)


def _trend_table(
    seen: Sequence[Point], aims: Sequence[Point], unit: str | None, names: tuple[Any, Any] = (_OBSERVED, _TARGET)
) -> Table:
    goals = {_x(p.at): p for p in aims}
    values = {_x(p.at): p for p in seen}
    rows = []
    mark = T("simulé", "simulated")
    for at in sorted({*goals, *values}):
        p, aim = values.get(at), goals.get(at)
        shown = (
            "" if p is None else _full(p.value, unit) + (f" ({mark})" if p.simulated and p.value is not None else "")
        )
        row = [_when((p or aim).at), shown]
        rows.append((*row, "" if aim is None else _full(aim.value, unit)) if aims else tuple(row))
    heads = (str(T("Date", "Date")), str(names[0]), *([str(names[1])] if aims else []))
    return Table(heads, tuple(rows))


def _trend_words(known: Sequence[Point], goal: Sequence[Point], unit: str | None, aim: Any = _TARGET) -> str:
    """The chart in a sentence, for who does not see it."""
    parts = []
    if known:
        a, b = known[0], known[-1]
        if len(known) > 1:
            parts.append(
                str(
                    T("De {a} en {x} à {b} en {y}.", "From {a} in {x} to {b} in {y}.").format(
                        a=_full(a.value, unit), b=_full(b.value, unit), x=_month_or_year(a.at), y=_month_or_year(b.at)
                    )
                )
            )
        else:
            parts.append(
                str(
                    T("Une valeur connue : {a} en {x}.", "One known value: {a} in {x}.").format(
                        a=_full(a.value, unit), x=_month_or_year(a.at)
                    )
                )
            )
    else:
        parts.append(str(T("Aucune valeur connue à ce jour.", "No value known to date.")))
    if goal:
        parts.append(
            str(
                T("{n} : {c} en {z}.", "{n}: {c} in {z}.").format(
                    n=aim, c=_full(goal[-1].value, unit), z=_month_or_year(goal[-1].at)
                )
            )
        )
    return " ".join(parts)


def _month_or_year(at: date | int) -> str:
    return str(at) if isinstance(at, int) else fmt.month(at)


def sparkline(
    series: Iterable[Any],
    *,
    unit: str | None = None,
    target: Any = None,
    title: Any = "",
    width: int = 112,
    height: int = 30,
    standalone: bool = False,
) -> Drawing:
    """A trend the size of a word, for a cell of a table; the figures stand beside it."""
    points = [
        _of(Point, p) if isinstance(p, (tuple, list, Mapping, Point)) or hasattr(p, "at") else Point(n, p)
        for n, p in enumerate(series, start=1)
    ]
    known = [p for p in points if p.value is not None]
    svg = _Svg(
        width,
        height,
        title or T("Évolution", "Trend"),
        _trend_words(known, [], unit)
        if points and known and known[0].at != 1
        else ", ".join(_full(p.value, unit) for p in points),
        standalone=standalone,
        cls="spark",
    )
    table = _trend_table(points, [], unit)
    if not known:
        svg.text(width / 2, height / 2 + 4, "?", "t-unknown c-strong", "middle")
        return svg.done(table)
    values = [float(p.value) for p in known] + ([float(target)] if target is not None else [])
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 1, high + 1
    steps = max(1, len(points) - 1)

    def px(n: int) -> float:
        return 5 + n / steps * (width - 10)

    def py(value: float) -> float:
        return 5 + (high - value) / (high - low) * (height - 10)

    if target is not None:
        svg.line(2, py(float(target)), width - 2, py(float(target)), "c-target")
    place = {id(p): n for n, p in enumerate(points)}
    for run in _runs(points, []):
        if len(run) > 1:
            svg.add(
                "polyline",
                "c-line",
                points=" ".join(f"{_short(px(place[id(p)]))},{_short(py(float(p.value)))}" for p in run),
            )
        else:
            svg.add("circle", "c-point", cx=px(place[id(run[0])]), cy=py(float(run[0].value)), r=0.6)
    end = known[-1]
    svg.add("circle", "c-hollow" if end.simulated else "c-point", cx=px(place[id(end)]), cy=py(float(end.value)), r=3)
    return svg.done(table, any(p.simulated for p in known))


def bars(
    rows: Iterable[Any],
    *,
    unit: str | None = None,
    width: int = 360,
    title: Any = "",
    head: Any = "",
    mark: Any = None,
    mark_label: Any = "",
    standalone: bool = False,
) -> Drawing:
    """Horizontal bars with the name above each, so that long names need no narrow column.

    Args:
        rows: ``(label, value[, simulated[, light]])``; a light colours the bar and writes its word.
        mark: a value to compare with (mean, target), drawn as a line across.
    """
    found = []
    for row in rows:
        label, value, sim, light = (
            (*row, None, None)[:4]
            if not isinstance(row, Mapping)
            else (row["label"], row.get("value"), row.get("simulated"), row.get("light"))
        )
        found.append((str(label), value, bool(sim), light))
    table = Table(
        (str(head or T("Libellé", "Label")), str(T("Valeur", "Value"))),
        tuple((label, _full(value, unit)) for label, value, _, _ in found),
    )
    step, top = 40, 4 if mark is None else 18
    height = top + max(1, len(found)) * step
    desc = "; ".join(f"{label}: {_full(value, unit)}" for label, value, _, _ in found[:12])
    svg = _Svg(width, height, title, desc, standalone=standalone)
    most = (
        max(
            [float(v) for _, v, _, _ in found if v is not None] + ([float(mark)] if mark is not None else []), default=0
        )
        or 1
    )
    room = width - max([_wide(_number(v, unit), 13) for _, v, _, _ in found], default=40) - 12
    if not found:
        svg.text(0, 24, T("Rien à montrer pour l'instant", "Nothing to show yet"), "c-soft")
    if mark is not None:
        x = float(mark) / most * room
        svg.line(x, 12, x, height, "c-target")
        svg.text(min(max(x, 30), width - 30), 10, f"{mark_label} {_number(mark, unit)}".strip(), "c-soft", "middle")
    for place, (label, value, sim, light) in enumerate(found):
        y = top + place * step
        words = f"{label} · {lights.light(light).title}" if light else label
        svg.text(0, y + 14, _cut(words, width))
        if value is None:
            svg.text(0, y + 31, fmt.unknown(), "t-unknown")
            continue
        size = max(1.5, float(value) / most * room)
        tone = f"t-{lights.light(light).tone}" if light else "c-bar"
        svg.add("rect", "c-track" if sim else tone, x=0 if not sim else 0.5, y=y + 20, width=size, height=13)
        svg.text(size + 6, y + 31, _number(value, unit), "c-strong")
    return svg.done(table, any(sim for *_, sim, _ in found))


def _pattern(svg: _Svg, rank: int) -> str:
    """Four fills that differ in drawing as well as in colour; the first is plain."""
    cls = f"c-{rank + 1}"
    base = svg.element("rect", cls, width=8, height=8)
    drawn = {
        1: svg.element("path", "c-hatch", d="M-1 9 9-1M-1 1 1-1M7 9 9 7"),
        2: svg.element("circle", "c-on", cx=4, cy=4, r=1.6),
        3: svg.element("path", "c-hatch", d="M0 2.5h8M0 6.5h8"),
    }[rank]
    return svg.element("pattern", "", base + drawn, id=f"p@@{rank}", width=8, height=8, patternUnits="userSpaceOnUse")


def stacked_share(
    parts: Iterable[tuple[Any, Any]],
    *,
    unit: str | None = None,
    width: int = 360,
    title: Any = "",
    standalone: bool = False,
) -> Drawing:
    """Parts of a whole as one bar, instead of a pie: at most four, the smaller ones gathered.

    ``parts``: ``(label, value)``. A part that is unknown is listed as unknown and left out of the whole.
    """
    found = [(str(label), value) for label, value in parts]
    known = [(label, fmt.as_decimal(value)) for label, value in found if fmt.as_decimal(value) is not None]
    total = sum((value for _, value in known), Decimal(0))
    rows = tuple(
        (
            label,
            _full(value, unit),
            fmt.ratio(fmt.as_decimal(value) / total) if total and fmt.as_decimal(value) is not None else fmt.unknown(),
        )
        for label, value in found
    )
    table = Table((str(T("Part", "Part")), str(T("Valeur", "Value")), str(T("Part du total", "Share of total"))), rows)
    shown = known
    if len(known) > 4:
        largest = sorted(known, key=lambda p: p[1], reverse=True)[:3]
        shown = [p for p in known if p in largest][:3]
        rest = total - sum((v for _, v in shown), Decimal(0))
        shown.append((str(T("Autres ({n})", "Others ({n})").format(n=len(known) - 3)), rest))
    blank = [label for label, value in found if fmt.as_decimal(value) is None]
    height = 40 + 22 * (len(shown) + len(blank))
    svg = _Svg(width, height, title, "; ".join(f"{a}: {b} ({c})" for a, b, c in rows), standalone=standalone)
    if not total:
        svg.add("rect", "c-frame", x=0.5, y=2.5, width=width - 1, height=23)
        svg.text(width / 2, 19, T("Aucune valeur connue à ce jour", "No value known to date"), "c-soft", "middle")
    svg.parts.append(
        svg.element("defs", "", "".join(_pattern(svg, n) for n in range(1, min(4, len(shown)))))
        if len(shown) > 1
        else ""
    )
    x = 0.0
    for rank, (label, value) in enumerate(shown):
        fill = {"cls": "c-1"} if rank == 0 else {"cls": "", "fill": f"url(#p@@{rank})"}
        size = float(value / total) * (width - 2 * (len(shown) - 1)) if total else 0
        svg.add("rect", x=x, y=2, width=max(size, 0), height=24, **fill)
        x += size + 2
        y = 40 + rank * 22
        svg.add("rect", x=0, y=y, width=16, height=12, **fill)
        share = f" · {fmt.ratio(value / total)}" if total else ""
        svg.text(
            24,
            y + 10.5,
            _cut(
                f"{label} : {_full(value, unit)}{share}"
                if fmt.language() == "fr"
                else f"{label}: {_full(value, unit)}{share}",
                width - 24,
            ),
        )
    for rank, label in enumerate(blank, start=len(shown)):
        svg.text(4, 50.5 + rank * 22, "?", "t-unknown c-strong")
        svg.text(24, 50.5 + rank * 22, f"{label} · {fmt.unknown()}", "t-unknown")
    return svg.done(table)


def gantt(
    rows: Iterable[Any],
    start: date,
    end: date,
    today: date | None = None,
    *,
    width: int = 720,
    title: Any = "",
    standalone: bool = False,
) -> Drawing:
    """Actions over time: a bar from start to end, its part done filled, milestones as diamonds.

    A slipped end shows the first promise as a small mark. The name stands above its bar; a narrow
    drawing (``width=360``) serves phones.
    """
    found = [_of(Row, r) for r in rows]
    step, top = 38, 36
    groups = 0
    seen_groups: list[str] = []
    for row in found:
        if row.group and str(row.group) not in seen_groups:
            seen_groups.append(str(row.group))
            groups += 1
    height = top + max(1, len(found)) * step + groups * 26 + 6
    span = max(1, (end - start).days)
    desc = str(
        T("{n} actions du {a} au {b}.", "{n} actions from {a} to {b}.").format(
            n=len(found), a=fmt.day(start), b=fmt.day(end)
        )
    )
    svg = _Svg(width, height, title, desc, standalone=standalone)

    def px(day: date) -> float:
        return min(max((day - start).days / span, 0), 1) * width

    every = 1 if width / (span / 365.25) > 150 else 12
    for year in range(start.year, end.year + 1):
        edge = px(max(date(year, 1, 1), start))
        stop = px(min(date(year, 12, 31), end))
        svg.line(edge, 16, edge, height, "c-axis")
        if stop - edge > 34:
            svg.text(edge + 5, 26, year, "c-soft")
        if every == 1:
            for month in (4, 7, 10):
                if start < date(year, month, 1) < end:
                    svg.line(px(date(year, month, 1)), top - 4, px(date(year, month, 1)), height, "c-grid")
    if today and start <= today <= end:
        svg.line(px(today), 13, px(today), height, "c-today")
        words = str(T("aujourd'hui", "today"))
        svg.text(min(max(px(today), _wide(words) / 2), width - _wide(words) / 2), 9, words, "c-soft", "middle")
    y, current = float(top), None
    table_rows = []
    for row in found:
        if row.group and row.group != current:
            current = row.group
            svg.text(0, y + 18, _cut(str(row.group), width, 13), "c-strong")
            y += 26
        tone = lights.light(row.light).tone if row.light else None
        word = str(lights.light(row.light).title) if row.light else ""
        svg_label = f"{row.label} · {word}" if word else str(row.label)
        first = row.starts_on or start
        last = row.ends_on or end
        x0, x1 = px(first), max(px(last), px(first) + 3)
        room = width - x0
        anchor, lx = (None, x0) if room > _wide(svg_label) or x0 < width * 0.5 else ("end", width)
        svg.text(lx, y + 14, _cut(svg_label, width - x0 if anchor is None else width), "", anchor)
        if row.starts_on is None and row.ends_on is None:
            svg.text(0, y + 30, T("dates inconnues", "dates unknown"), "t-unknown")
        else:
            svg.add("rect", "c-track", x=x0 + 0.5, y=y + 20, width=x1 - x0 - 1, height=11)
            done = fmt.as_decimal(row.progress)
            if done:
                share = min(float(done), 100.0) / 100
                svg.add(
                    "rect",
                    f"t-{tone}" if tone in ("bad", "warn") else "c-bar",
                    x=x0,
                    y=y + 20,
                    width=(x1 - x0) * share,
                    height=11,
                )
            if row.was_ends_on and row.was_ends_on != row.ends_on:
                svg.line(px(row.was_ends_on), y + 17, px(row.was_ends_on), y + 34, "c-axis")
        for day, label in row.milestones:
            x = px(day)
            tip = svg.element("title", "", str(escape(f"{label} ({fmt.day(day)})")))
            svg.add("path", "c-target-point", tip, d=f"M{_short(x)} {_short(y + 19.5)}l6 6-6 6-6-6z")
        y += step
        table_rows.append(
            (
                str(row.label),
                fmt.day(row.starts_on),
                fmt.day(row.ends_on)
                + (
                    str(T(" (promis : {d})", " (promised: {d})").format(d=fmt.day(row.was_ends_on)))
                    if row.was_ends_on and row.was_ends_on != row.ends_on
                    else ""
                ),
                fmt.percent(row.progress),
                word or fmt.unknown(),
            )
        )
    if not found:
        svg.text(
            width / 2, top + 22, T("Aucune action inscrite pour l'instant", "No action entered yet"), "c-soft", "middle"
        )
    heads = tuple(
        str(t)
        for t in (
            T("Action", "Action"),
            T("Début", "Start"),
            T("Fin", "End"),
            T("Avancement", "Progress"),
            T("État", "State"),
        )
    )
    return svg.done(Table(heads, tuple(table_rows)))


def money_timeline(
    promised: Mapping[int, Any],
    decided: Mapping[int, Any],
    paid: Mapping[int, Any],
    *,
    currency: str | None = None,
    width: int = 420,
    height: int = 230,
    title: Any = "",
    today: date | None = None,
    standalone: bool = False,
) -> Drawing:
    """Per year, what was promised (outline), decided (hatched) and paid (full).

    Mappings of year to amount; an absent or None amount is unknown, which is not a payment of zero.
    """
    years = sorted({*promised, *decided, *paid})
    kinds: list[tuple[Text, Mapping[int, Any]]] = [
        (T("Promis", "Promised"), promised),
        (T("Décidé", "Decided"), decided),
        (T("Payé", "Paid"), paid),
    ]
    unit = currency or "money"
    table = Table(
        (str(T("Année", "Year")), *(str(name) for name, _ in kinds)),
        tuple((str(year), *(fmt.money(values.get(year), currency) for _, values in kinds)) for year in years),
    )
    desc = "; ".join(
        f"{year}: " + ", ".join(f"{name} {fmt.money_short(values.get(year), currency)}" for name, values in kinds)
        for year in years
    )
    svg = _Svg(width, height, title, desc, standalone=standalone)
    amounts = [float(v) for _, values in kinds for v in values.values() if v is not None]
    if not amounts:
        svg.height = 64
        svg.add("rect", "c-frame", x=0.5, y=8.5, width=width - 1, height=47)
        svg.text(width / 2, 36, T("Aucun montant connu à ce jour", "No amount known to date"), "c-soft", "middle")
        return svg.done(table)
    ticks = _ticks(0, max(amounts) or 1)
    labels = [_number(t, unit) for t in ticks]
    left, top, bottom = max(_wide(words) for words in labels) + 8, 34, 24
    inner = height - top - bottom

    def py(value: float) -> float:
        return top + (ticks[-1] - value) / ticks[-1] * inner

    svg.parts.append(
        svg.element(
            "defs",
            "",
            svg.element(
                "pattern",
                "",
                svg.element("rect", "c-1", width=6, height=6)
                + svg.element("path", "c-hatch", d="M-1 7 7-1M-1 1 1-1M5 7 7 5"),
                id="p@@m",
                width=6,
                height=6,
                patternUnits="userSpaceOnUse",
            ),
        )
    )
    fills: list[dict[str, Any]] = [{"cls": "c-outline"}, {"cls": "", "fill": "url(#p@@m)"}, {"cls": "c-1"}]
    x = left
    for (name, _), fill in zip(kinds, fills, strict=True):
        svg.add("rect", x=x + 1, y=5, width=14, height=11, **fill)
        svg.text(x + 21, 15, name)
        x += 21 + _wide(str(name)) + 18
    for tick, words in zip(ticks, labels, strict=True):
        svg.line(left, py(tick), width, py(tick), "c-axis" if tick == 0 else "c-grid")
        svg.text(left - 6, py(tick) + 4, words, "c-soft", "end")
    slot = (width - left) / len(years)
    bar = min(26.0, slot * 0.8 / 3)
    for place, year in enumerate(years):
        middle = left + slot * (place + 0.5)
        for rank, ((_, values), fill) in enumerate(zip(kinds, fills, strict=True)):
            bx = middle + (rank - 1.5) * bar
            value = values.get(year)
            if value is None:
                svg.text(bx + bar / 2, py(0) - 4, "?", "t-unknown", "middle")
            else:
                y = py(float(value))
                svg.add("rect", x=bx + 1.5, y=y, width=bar - 3, height=max(py(0) - y, 0.8), **fill)
    _year_labels(svg, [(left + slot * (n + 0.5), str(year)) for n, year in enumerate(years)], height - 7, width - left)
    if today and years[0] <= today.year <= years[-1]:
        at = (
            left + slot * (today.year - years[0] + (today.timetuple().tm_yday - 1) / 365)
            if years == list(range(years[0], years[-1] + 1))
            else None
        )
        if at is not None:
            svg.line(at, top - 8, at, height - bottom, "c-today")
    return svg.done(table)
