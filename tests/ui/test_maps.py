"""The map: places on the drawing, sizes by area, nothing dropped."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from django.template.loader import render_to_string

from jalon.ui import maps

OUTLINES = {
    "view_box": [0, 0, 1000, 1000],
    "projection": {
        "kind": "lambert-conformal-conic",
        "lat_1": 44.0,
        "lat_2": 49.0,
        "lat_0": 46.5,
        "lon_0": 3.0,
        "scale": 5000,
        "dx": 500,
        "dy": 500,
        "bounds": [-5.14, 41.34, 9.56, 51.09],
    },
    "insets": [
        {
            "name": "La Réunion",
            "kind": "equirectangular",
            "lat_0": -21.1,
            "scale": 8000,
            "dx": -7163,
            "dy": -2044,
            "frame": [14, 850, 118, 104],
            "bounds": [55.2, -21.4, 55.9, -20.8],
        }
    ],
    "sets": {
        "old": [{"code": "r", "name": "Région", "d": "M0 0h9v9z"}],
        "new": [{"code": "s", "name": "Autre", "path": "M0 0h9v9z"}],
    },
    "credit": {"fr": "Contours : IGN", "en": "Outlines: IGN"},
}


def test_the_centre_of_the_projection_is_where_it_was_put():
    assert maps.locate(OUTLINES, 46.5, 3.0) == pytest.approx((500, 500))


def test_north_is_up_and_east_is_right():
    lille, nice = maps.locate(OUTLINES, 50.63, 3.06), maps.locate(OUTLINES, 43.7, 7.27)
    assert lille[1] < 500 < nice[1] and nice[0] > lille[0]


def test_a_kilometre_is_the_same_in_both_directions():
    """Conformal: small steps east and north keep their ratio."""
    here, east, north = (maps.locate(OUTLINES, *p) for p in ((45.0, 2.0), (45.0, 2.01), (45.01, 2.0)))
    ratio = math.dist(here, east) / math.dist(here, north)
    assert ratio == pytest.approx(math.cos(math.radians(45)), rel=1e-3)


def test_overseas_goes_to_its_frame_and_abroad_nowhere():
    x, y = maps.locate(OUTLINES, -20.8789, 55.4481)
    assert 14 < x < 132 and 850 < y < 954
    assert maps.locate(OUTLINES, 52.52, 13.4) is None
    assert maps.locate(OUTLINES, None, 3) is None


def build(points, **more):
    return maps.build_map(OUTLINES, points, title="Carte", size_label="Membres", **more)


def test_area_follows_size_and_unknown_is_small():
    found = build(
        [
            {"name": "a", "url": "/a", "x": 1, "y": 1, "size": 400},
            {"name": "b", "url": "/b", "x": 200, "y": 1, "size": 100},
            {"name": "c", "url": "/c", "x": 400, "y": 1},
        ]
    )
    radius = {p.name: p.r for p in found["points"]}
    assert radius["a"] == pytest.approx(2 * radius["b"])
    assert radius["c"] == 5


def test_points_without_a_place_are_listed_not_dropped():
    found = build(
        [
            {"name": "a", "url": "/a", "latitude": None, "longitude": None},
            {"name": "b", "url": "/b", "latitude": 48.85, "longitude": 2.35},
        ]
    )
    assert [p["name"] for p in found["unplaced"]] == ["a"]
    assert [p.name for p in found["points"]] == ["b"]


def test_points_of_one_town_are_set_apart():
    found = build([{"name": n, "url": f"/{n}", "latitude": 48.85, "longitude": 2.35} for n in "abcd"])
    centres = [(p.x, p.y) for p in found["points"]]
    assert min(math.dist(p, q) for i, p in enumerate(centres) for q in centres[i + 1 :]) > 5


def test_drawn_as_links_and_doubled_by_a_list():
    found = build(
        [{"name": "Pôle <Mer>", "url": "/mer", "latitude": 48.39, "longitude": -4.486, "light": "late", "size": 3}],
        regions="old",
    )
    html = render_to_string("jalon/components/map.html", {"map": found})
    assert (
        html.count('href="/mer"') == 2 and "en retard" in html and "Pôle &lt;Mer&gt;" in html and "style=" not in html
    )
    svg = re_svg(html)
    ET.fromstring(svg)


def re_svg(html: str) -> str:
    start = html.index("<svg")
    return html[start : html.index("</svg>") + 6]
