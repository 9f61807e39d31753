"""Drawings: valid XML, no style, gaps for what is unknown, values kept as a table."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date

import pytest

from jalon.core.lang import speaking
from jalon.ui import charts, lights
from jalon.ui.samples import LONG

ROWS = [
    {
        "label": f"<b>{LONG}</b> & Cie",
        "starts_on": date(2009, 3, 1),
        "ends_on": date(2010, 12, 31),
        "was_ends_on": date(2010, 6, 30),
        "progress": 60,
        "light": "late",
        "milestones": [(date(2009, 10, 15), "Marché & co")],
        "group": "Axe 1",
    },
    {"label": "Veille", "starts_on": None, "ends_on": None, "progress": None, "light": None},
]
DRAWN = {
    "trend": lambda **k: charts.trend(
        [(2006, 96), (2007, None), (2008, 121, True)],
        [(2008, 130), (2010, 200)],
        title="Membres & « PME »",
        today=date(2009, 6, 30),
        breaks=[(2008, "nouvelle <définition>")],
        **k,
    ),
    "trend, dates": lambda **k: charts.trend([(date(2009, 1, 31), 1), (date(2009, 7, 1), 3)], unit="%", **k),
    "trend, long": lambda **k: charts.trend([(date(2004 + n, 1, 31), n) for n in range(22)], unit="money", **k),
    "trend, one point": lambda **k: charts.trend([(2009, 5)], **k),
    "trend, negative": lambda **k: charts.trend([(2009, -5), (2010, 7)], **k),
    "trend, nothing": lambda **k: charts.trend([], [], **k),
    "sparkline": lambda **k: charts.sparkline([1, None, 3, 4], target=5, **k),
    "sparkline of years": lambda **k: charts.sparkline([(2008, 1), (2009, 3)], **k),
    "sparkline, nothing": lambda **k: charts.sparkline([None], **k),
    "bars": lambda **k: charts.bars(
        [(LONG, 31), ("a & b", None), ("c", 12, True), ("d", 4, False, "late")], mark=20, mark_label="moyenne", **k
    ),
    "bars, nothing": lambda **k: charts.bars([], **k),
    "share": lambda **k: charts.stacked_share([("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", None)], **k),
    "share, nothing": lambda **k: charts.stacked_share([("a", None)], **k),
    "gantt": lambda **k: charts.gantt(ROWS, date(2009, 1, 1), date(2011, 12, 31), date(2010, 6, 30), **k),
    "gantt, nothing": lambda **k: charts.gantt([], date(2009, 1, 1), date(2011, 12, 31), **k),
    "money": lambda **k: charts.money_timeline(
        {2009: 400000, 2010: 420000}, {2009: 400000}, {2009: 0, 2010: None}, today=date(2010, 6, 30), **k
    ),
    "money, nothing": lambda **k: charts.money_timeline({}, {}, {}, **k),
}


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("standalone", [False, True])
@pytest.mark.parametrize("name", DRAWN)
def test_valid_accessible_and_without_style(name, standalone, lang):
    with speaking(lang):
        drawing = DRAWN[name](standalone=standalone)
    root = ET.fromstring(drawing)
    plain = {n.tag.rpartition("}")[2] for n in root.iter()}
    assert {"title", "desc"} <= plain
    assert "style" not in plain
    assert not [n for n in root.iter() if "style" in n.attrib]
    assert root.get("role") == "img"
    ids = [n.get("id") for n in root.iter() if n.get("id")]
    assert len(ids) == len(set(ids))
    assert set(root.get("aria-labelledby").split()) <= set(ids)
    used = {n.get("fill")[5:-1] for n in root.iter() if (n.get("fill") or "").startswith("url(")}
    assert used <= set(ids)
    assert all(len(row) == len(drawing.table.headers) for row in drawing.table.rows)
    if standalone:
        assert not [n for n in root.iter() if "class" in n.attrib]
    else:
        assert 'fill="#' not in drawing
        assert root.get("class").startswith("chart")


def test_unknown_value_is_a_gap_and_a_question_mark():
    drawing = charts.trend([(2006, 1), (2007, 2), (2008, None), (2009, 4), (2010, 5)], title="t")
    assert drawing.count('class="c-line"') == 2
    assert ">?</text>" in drawing
    assert ("2008", "inconnu") in drawing.table.rows


def test_break_of_definition_cuts_the_line():
    joined = charts.trend([(2006, 1), (2007, 2), (2008, 3), (2009, 4)], title="t")
    cut = charts.trend([(2006, 1), (2007, 2), (2008, 3), (2009, 4)], breaks=[(2008, "nouvelle définition")], title="t")
    assert (joined.count('class="c-line"'), cut.count('class="c-line"')) == (1, 2)


def test_simulated_points_are_hollow_and_said_so():
    drawing = charts.trend([(2009, 4), (2010, 5, True)], title="t")
    assert drawing.simulated
    assert drawing.count('class="c-hollow"') == 1
    assert drawing.table.rows[-1] == ("2010", "5 (simulé)")
    assert not charts.trend([(2009, 4)], title="t").simulated


def test_unknown_amount_is_not_a_payment_of_zero():
    drawing = charts.money_timeline({2009: 10}, {}, {2009: 0}, title="t")
    assert drawing.table.rows == (("2009", "10\u00a0€", "inconnu", "0\u00a0€"),)


def test_share_leaves_the_unknown_out_of_the_whole():
    rows = charts.stacked_share([("a", 1), ("b", 3), ("c", None)], title="t").table.rows
    assert [row[2] for row in rows] == ["25\u00a0%", "75\u00a0%", "inconnu"]


def test_two_drawings_do_not_share_their_ids():
    one = charts.stacked_share([("a", 1), ("b", 3)], title="un")
    two = charts.stacked_share([("a", 1), ("b", 4)], title="deux")
    ids = [{n.get("id") for n in ET.fromstring(d).iter() if n.get("id")} for d in (one, two)]
    assert not ids[0] & ids[1]


def test_axis_ticks_are_round_and_cover():
    for low, high in [(0, 1), (0, 171), (0, 420000), (50, 60), (-5, 7), (0.2, 0.9)]:
        ticks = charts._ticks(low, high)
        assert ticks[0] <= low and ticks[-1] >= high
        assert 3 <= len(ticks) <= 8


def test_every_light_has_its_shape_tone_and_two_words():
    seen = set()
    for code, light in lights.LIGHTS.items():
        assert light.shape in lights.SHAPES and light.tone in lights.TONES
        assert light.title.fr and light.title.en and light.code == code
        seen.add((light.shape, light.title.fr))
        ET.fromstring(f"<g>{lights.SHAPES[light.shape]}</g>")
    assert len(seen) == len(lights.LIGHTS)
    with pytest.raises(KeyError, match="no light 'green'"):
        lights.light("green")


def test_shapes_of_different_tones_differ():
    """A black print must still tell good from bad from at risk."""
    by_tone = {tone: {light.shape for light in lights.LIGHTS.values() if light.tone == tone} for tone in lights.TONES}
    assert not by_tone["good"] & by_tone["bad"]
    assert not by_tone["warn"] & (by_tone["good"] | by_tone["bad"])
