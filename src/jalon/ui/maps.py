"""The map: outlines of regions, points as links, overseas territories in frames of their own.

``build_map`` prepares what ``components/map.html`` draws. Places are put on the drawing by the
projection that the outlines were made with (:func:`locate`), so that outlines and points agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from jalon.core.lang import T, Text
from jalon.ui import format as fmt, lights


def locate(outlines: Mapping[str, Any], latitude: Any, longitude: Any) -> tuple[float, float] | None:
    """The place on the drawing of a latitude and a longitude in degrees; None when it lies outside.

    ``outlines`` carries ``projection`` (Lambert conformal conic) and ``insets`` (equirectangular),
    each with the bounds in degrees (west, south, east, north) that it covers.
    """
    if latitude is None or longitude is None:
        return None
    lat, lon = float(latitude), float(longitude)
    for how in (*outlines.get("insets", ()), outlines["projection"]):
        west, south, east, north = how["bounds"]
        if west <= lon <= east and south <= lat <= north:
            return _lambert(how, lat, lon) if how["kind"] == "lambert-conformal-conic" else _flat(how, lat, lon)
    return None


def _lambert(how: Mapping[str, Any], lat: float, lon: float) -> tuple[float, float]:
    one, two, zero = (math.radians(how[k]) for k in ("lat_1", "lat_2", "lat_0"))

    def half(angle: float) -> float:
        return math.tan(math.pi / 4 + angle / 2)

    n = math.log(math.cos(one) / math.cos(two)) / math.log(half(two) / half(one))
    scale = math.cos(one) * half(one) ** n / n
    rho, rho_0 = scale / half(math.radians(lat)) ** n, scale / half(zero) ** n
    theta = n * math.radians(lon - how["lon_0"])
    x, y = rho * math.sin(theta), rho_0 - rho * math.cos(theta)
    return x * how["scale"] + how["dx"], how["dy"] - y * how["scale"]


def _flat(how: Mapping[str, Any], lat: float, lon: float) -> tuple[float, float]:
    x = math.radians(lon) * math.cos(math.radians(how["lat_0"]))
    return x * how["scale"] + how["dx"], how["dy"] - math.radians(lat) * how["scale"]


MARKS = {
    "circle": "",
    "diamond": "M0-1.2 1.2 0 0 1.2-1.2 0z",
    "square": "M-.88-.88H.88V.88H-.88z",
    "triangle": "M0-1.25 1.15.8H-1.15z",
}
"""Outlines of points, for a radius of 1; a circle is drawn as one."""


@dataclass(frozen=True)
class Kind:
    """A kind of point: what it is called in the legend, its mark (see ``MARKS``) and its colour, 1 to 4."""

    title: Any
    mark: str = "circle"
    colour: int = 1

    @property
    def path(self) -> str:
        return MARKS[self.mark]


@dataclass(frozen=True)
class MapPoint:
    """A point as drawn: centre and radius on the drawing, what it is called, where it leads."""

    x: float
    y: float
    r: float
    name: str
    url: str
    code: str
    light: str | None
    tone: str
    detail: str
    kind: Kind | None = None
    hollow: bool = False

    @property
    def mark(self) -> str:
        """The outline of the point when it is not a circle."""
        return self.kind.path if self.kind else ""

    @property
    def classes(self) -> str:
        return (f" map-kind-{self.kind.colour}" if self.kind else "") + (" hollow" if self.hollow else "")

    @property
    def light_word(self) -> str:
        return str(lights.light(self.light).title) if self.light else ""

    @property
    def shape(self) -> str:
        """The drawing of the light, set in the point so that colour is never alone."""
        return lights.light(self.light).shape if self.light else ""

    @property
    def shape_size(self) -> str:
        return f"{1.1 * self.r:.1f}"

    @property
    def shape_x(self) -> str:
        return f"{self.x - 0.55 * self.r:.1f}"

    @property
    def shape_y(self) -> str:
        return f"{self.y - 0.55 * self.r:.1f}"

    @property
    def cx(self) -> str:
        return f"{self.x:.1f}"

    @property
    def cy(self) -> str:
        return f"{self.y:.1f}"

    @property
    def radius(self) -> str:
        return f"{self.r:.1f}"

    @property
    def name_x(self) -> str:
        return f"{self.x + (self.r + 5) * (-1 if self.leftward else 1):.1f}"

    @property
    def leftward(self) -> bool:
        """The name is written to the left of a point in the right part, so that it stays on the drawing."""
        return self.x > 560

    @property
    def name_y(self) -> str:
        return f"{self.y + 4.5:.1f}"


def build_map(
    outlines: Mapping[str, Any],
    points: Iterable[Mapping[str, Any]],
    *,
    title: Any,
    size_label: Any = "",
    unit: str = "",
    regions: str | None = None,
    largest: float = 17,
    smallest: float = 5,
    show_list: bool = True,
    kinds: Mapping[str, Kind] | None = None,
) -> dict[str, Any]:
    """What the template draws.

    Args:
        outlines: ``view_box``, ``insets`` and either ``regions`` or ``sets`` (choose one by ``regions``):
            lists of ``code``, ``name`` and path (``d`` or ``path``).
        points: ``name`` and ``url``; a place as ``x``, ``y`` or as ``latitude``, ``longitude``; and any of
            ``size`` (area of the point is proportional to it; unknown gives the smallest, ringed), ``r``
            (radius given), ``light``, ``kind`` (a key of ``kinds``), ``detail`` (said after the name), ``code``,
            ``regions`` (codes).
        kinds: kinds of points by code, in the order of the legend; a kind has a mark and a colour of its own.
        size_label: what the size of a point means, in words.

    Points without a place are not dropped: they are listed under ``unplaced``.
    """
    view = outlines.get("view_box") or outlines.get("viewBox") or [0, 0, 1000, 1000]
    if isinstance(view, str):
        view = [float(v) for v in view.split()]
    found = outlines.get("regions") or outlines.get("list") or ()
    if "sets" in outlines:
        found = outlines["sets"][regions] if regions else next(iter(outlines["sets"].values()))
    shapes = [{"code": r["code"], "name": r["name"], "path": r.get("d") or r.get("path")} for r in found]
    points = list(points)
    sizes = [float(p["size"]) for p in points if p.get("size") is not None]
    most = max(sizes, default=0)
    placed, unplaced = [], []
    for point in points:
        place = (
            (point["x"], point["y"])
            if point.get("x") is not None
            else (locate(outlines, point.get("latitude"), point.get("longitude")) if "projection" in outlines else None)
        )
        if place is None:
            unplaced.append(point)
            continue
        size = point.get("size")
        r = point.get("r") or (
            smallest if size is None or not most else max(smallest * 0.7, largest * math.sqrt(float(size) / most))
        )
        light = point.get("light")
        if light:
            r = max(r, 8.0)  # room for the shape of the light
        detail = str(point.get("detail") or "")
        if not detail and size is not None and size_label:
            detail = fmt.value(size, unit)
        placed.append(
            MapPoint(
                float(place[0]),
                float(place[1]),
                float(r),
                str(point["name"]),
                str(point.get("url") or ""),
                str(point.get("code") or point.get("url") or ""),
                light,
                lights.light(light).tone if light else "",
                detail,
                (kinds or {}).get(point.get("kind") or ""),
                bool(most) and size is None and not point.get("r"),
            )
        )
    _spread(placed)
    placed.sort(key=lambda p: -p.r)
    scale = [(most, largest), (most / 4, largest / 2)] if most and size_label else []
    used = {p.light for p in placed if p.light}
    return {
        "title": title,
        "view_box": " ".join(f"{float(v):g}" for v in view),
        "regions": shapes,
        "insets": [
            {"name": i["name"], "x": i["frame"][0], "y": i["frame"][1], "w": i["frame"][2], "h": i["frame"][3]}
            for i in outlines.get("insets", ())
        ],
        "points": placed,
        "unplaced": unplaced,
        "listed": sorted(placed, key=lambda p: p.name.casefold()),
        "show_list": show_list,
        "size_label": size_label,
        "sizes": [
            {"value": _round(v), "unit": unit, "r": f"{r:.1f}", "box": f"{2 * r + 2:.0f}", "mid": f"{r + 1:.1f}"}
            for v, r in scale
        ],
        "lights": [code for code in lights.LIGHTS if code in used],
        "kinds": [k for k in (kinds or {}).values() if any(p.kind == k for p in placed)],
        "hollow": any(p.hollow for p in placed),
        "credit": _credit(outlines.get("credit")),
    }


def _round(value: float) -> Decimal:
    """A legend's figure: two significant digits are enough for the eye."""
    if value <= 0:
        return Decimal(0)
    step = 10 ** (math.floor(math.log10(value)) - 1)
    return Decimal(str(round(value / step) * step)).quantize(Decimal(1)) if step >= 1 else Decimal(f"{value:.1f}")


def _credit(credit: Any) -> Any:
    return (
        T(credit["fr"], credit["en"])
        if isinstance(credit, Mapping)
        else credit
        if isinstance(credit, (str, Text))
        else ""
    )


def _spread(points: list[MapPoint]) -> None:
    """Points that would hide each other are set in a ring, so that each can be seen and clicked."""
    groups: list[list[int]] = []
    for n, p in enumerate(points):
        near = [
            g
            for g in groups
            if any(math.dist((p.x, p.y), (points[m].x, points[m].y)) < 0.7 * max(p.r, points[m].r) for m in g)
        ]
        joined = [n, *(m for g in near for m in g)]
        groups = [g for g in groups if g not in near] + [joined]
    for members in groups:
        if len(members) < 2:
            continue
        cx = sum(points[n].x for n in members) / len(members)
        cy = sum(points[n].y for n in members) / len(members)
        radius = max(8.0, sum(points[n].r for n in members) / math.pi)
        for place, n in enumerate(sorted(members, key=lambda n: points[n].name)):
            angle = 2 * math.pi * place / len(members) - math.pi / 2
            points[n] = replace(points[n], x=cx + radius * math.cos(angle), y=cy + radius * math.sin(angle))
