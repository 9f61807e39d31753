"""Outlines of the regions for the map (*carte*), and where a place falls on it.

The paths of ``data/<programme>/territories/outlines.json`` are drawn already, y down, in a square of 1000 units. The
mainland and Corsica follow a Lambert conformal conic projection; each overseas region has its own frame and scale.
Pure functions: no database, no network.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def load_outlines(folder: Path) -> dict[str, Any]:
    """The content of outlines.json: credit, view_box, projection, insets, sets (code -> list of code, name, d)."""
    content: dict[str, Any] = json.loads((Path(folder) / "territories" / "outlines.json").read_text("utf-8"))
    return content


def project(outlines: Mapping[str, Any], latitude: float, longitude: float) -> tuple[float, float] | None:
    """Place a point (degrees) on the drawing: (x, y) with one decimal, None when no part of the map holds it."""
    main = outlines["projection"]
    if _inside(main["bounds"], latitude, longitude):
        x, y = _conic(main, latitude, longitude)
        return round(main["dx"] + main["scale"] * x, 1), round(main["dy"] - main["scale"] * y, 1)
    for inset in outlines["insets"]:
        if _inside(inset["bounds"], latitude, longitude):
            x = math.radians(longitude) * math.cos(math.radians(inset["lat_0"]))
            y = math.radians(latitude)
            return round(inset["dx"] + inset["scale"] * x, 1), round(inset["dy"] - inset["scale"] * y, 1)
    return None


def _inside(bounds: list[float], latitude: float, longitude: float) -> bool:
    west, south, east, north = bounds
    slack = 0.1  # degrees: a port may lie just outside an outline that was simplified
    return west - slack <= longitude <= east + slack and south - slack <= latitude <= north + slack


def _conic(main: Mapping[str, Any], latitude: float, longitude: float) -> tuple[float, float]:
    """Lambert conformal conic on a sphere of radius 1 (x to the east, y to the north)."""

    def half(degrees: float) -> float:
        return math.tan(math.pi / 4 + math.radians(degrees) / 2)

    first, second = math.radians(main["lat_1"]), math.radians(main["lat_2"])
    n = math.log(math.cos(first) / math.cos(second)) / math.log(half(main["lat_2"]) / half(main["lat_1"]))
    f = math.cos(first) * half(main["lat_1"]) ** n / n
    rho, rho_0 = f / half(latitude) ** n, f / half(main["lat_0"]) ** n
    theta = n * math.radians(longitude - main["lon_0"])
    return rho * math.sin(theta), rho_0 - rho * math.cos(theta)
