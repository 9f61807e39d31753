"""Rules of roadmaps, without a database."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from jalon.core.errors import Refused
from jalon.core.lang import T, speaking
from jalon.policy import schema as s
from jalon.roadmaps import rules, states
from jalon.roadmaps.rules import Element

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/roadmaps/missing.yaml").read_text(encoding="utf-8"))


def text(word):
    return T(word, word)


def template_from(said):
    return s.RoadmapTemplate(
        code="essai",
        title=text("essai"),
        phases=("une",),
        valid_from=date(2009, 1, 1),
        reference="Texte d'essai",
        horizon_years=s.Horizon(**said["horizon"]),
        levels=tuple(
            s.Level(code=x["code"], title=text(x["code"]), plural=text(x["code"]), parent=x.get("parent"))
            for x in said["levels"]
        ),
        sections=tuple(
            s.Section(
                key=x["key"],
                title=text(x["key"]),
                guidance=text(""),
                required=x["required"],
                kind=x["kind"],
                levels=tuple(x.get("levels", ())),
            )
            for x in said["sections"]
        ),
    )


TEMPLATE = template_from(CASES["template"])


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["say"])
def test_missing(case):
    roadmap = CASES["complete"] | case["change"]
    found = rules.missing(
        TEMPLATE,
        bodies=roadmap["texts"],
        elements=[Element(**e) for e in roadmap["elements"]],
        starts_on=roadmap["starts_on"],
        ends_on=roadmap["ends_on"],
        day=date(2009, 6, 1),
    )
    assert [gap.code for gap in found] == case["missing"]
    for gap in found:
        assert gap.why.reference == "Texte d'essai"
        assert gap.why.parameter.startswith("roadmaps.essai.")
        for language in ("fr", "en"):
            with speaking(language):
                assert "{" not in str(gap.text)


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("tab\tkept", "tab\tkept"),
        ("nul\x00 bell\x07 esc\x1b", "nul bell esc"),
        ("e\u0301te\u0301", "été"),
        ("", ""),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("{name} %(x)s", "{name} %(x)s"),
    ],
)
def test_text_as_it_is_kept(given_text, kept):
    assert rules.clean_text(given_text, where="x") == kept


def test_title():
    assert rules.clean_title("  Bois \n et\tfibres ", where="x") == "Bois et fibres"
    with pytest.raises(Refused):
        rules.clean_title("\x00 ", where="x")
    with pytest.raises(Refused, match="256"):
        rules.clean_title("x" * 256, where="x")


@pytest.mark.parametrize(
    ("base", "theirs", "yours", "merged", "clean"),
    [
        ("a\nb\nc", "a\nb\nc", "a\nb\nC", "a\nb\nC", True),
        ("a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC", True),
        ("a\nb\nc", "A\nb\nc", "A\nb\nc", "A\nb\nc", True),
        ("a", "b", "c", "b\nc", False),
        ("", "b", "c", "b\nc", False),
        ("", "x\nb", "x\nc", "x\nb\nc", False),
        ("a\nb\nc", "a\nc", "a\nb!\nc", "a\nb!\nc", False),
        ("a\nb", "a\nb\nx", "y\na\nb", "y\na\nb\nx", True),
    ],
)
def test_merge(base, theirs, yours, merged, clean):
    assert rules.merge(base, theirs, yours) == (merged, clean)


lines = st.lists(st.sampled_from(["bois", "fibre", "papier", "chimie", ""]), max_size=6).map("\n".join)


@given(base=lines, theirs=lines, yours=lines)
def test_merge_drops_no_line_that_one_side_wrote(base, theirs, yours):
    merged, _ = rules.merge(base, theirs, yours)
    kept = merged.split("\n")
    old = base.split("\n")
    for side in (theirs, yours):
        for line in set(side.split("\n")) - set(old):
            assert line in kept


AXES = [
    Element("axis-1", "strategy", "axis", order=0, title="Un"),
    Element("axis-2", "strategy", "axis", order=1, title="Deux"),
    Element("objective-1", "strategy", "objective", "axis-1", 2, "Un un"),
    Element("objective-2", "strategy", "objective", "axis-1", 3, "Un deux"),
    Element("action-1", "plan", "action", "objective-1", 0, "Faire"),
]


def section(key):
    return TEMPLATE.section(key)


def test_tree_numbers():
    found = [(p.number, p.depth, p.element.key) for p in rules.tree(AXES, "strategy")]
    assert found == [("1", 0, "axis-1"), ("1.1", 1, "objective-1"), ("1.2", 1, "objective-2"), ("2", 0, "axis-2")]
    assert [(p.number, p.depth) for p in rules.tree(AXES, "plan")] == [("1", 0)]


@pytest.mark.parametrize(
    ("key", "where", "changed"),
    [
        ("axis-2", "up", {("axis-2", "axis", None, 0), ("axis-1", "axis", None, 1)}),
        ("objective-1", "down", {("objective-2", "objective", "axis-1", 0), ("objective-1", "objective", "axis-1", 1)}),
        ("axis-2", "in", {("axis-2", "objective", "axis-1", 4)}),
        ("objective-2", "out", {("objective-2", "axis", None, 2)}),
    ],
)
def test_moves(key, where, changed):
    found = rules.moved(TEMPLATE, section("strategy"), AXES, key, where)
    assert {(e.key, e.level, e.parent, e.order) for e in found} == changed


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("axis-1", "up"),
        ("axis-2", "down"),
        ("axis-1", "in"),  # nothing above it
        ("axis-1", "out"),
        ("objective-2", "in"),  # no level below in the section
        ("objective-1", "out"),  # an action of another section hangs under it
        ("axis-1", "sideways"),
    ],
)
def test_moves_refused(key, where):
    with pytest.raises(Refused):
        rules.moved(TEMPLATE, section("strategy"), AXES, key, where)


def test_parents_and_descendants():
    assert [e.key for e in rules.possible_parents(TEMPLATE, "action", AXES)] == ["objective-1", "objective-2"]
    assert rules.possible_parents(TEMPLATE, "axis", AXES) == []
    assert rules.descendants(AXES, "axis-1") == ["objective-1", "objective-2", "action-1"]


@pytest.mark.parametrize(
    ("level", "taken", "key"),
    [("axis", [], "axis-1"), ("axis", ["axis-1", "axis-7", "field-9"], "axis-8"), ("axis", ["axis-x"], "axis-1")],
)
def test_next_key(level, taken, key):
    assert rules.next_key(level, taken) == key


def test_migration_proposes_and_leaves_behind():
    new = template_from(
        {
            "horizon": {"min": 1, "max": 4},
            "levels": [{"code": "axis"}, {"code": "action", "parent": "axis"}],
            "sections": [
                {"key": "position", "kind": "text", "required": True},
                {"key": "plan", "kind": "items", "required": True, "levels": ["axis", "action"]},
            ],
        }
    )
    bodies = {"position": "Ici", "note": "Là"}
    steps = rules.migration(TEMPLATE, new, bodies=bodies, elements=AXES)
    assert {(s.name, s.target, s.proposal) for s in steps} == {
        ("section:position", "position", "same"),
        ("section:note", "", "none"),
        ("section:strategy", "", "none"),
        ("section:plan", "plan", "same"),
        ("level:axis", "axis", "same"),
        ("level:objective", "", "none"),
        ("level:action", "action", "same"),
    }
    texts, kept, left = rules.migrate(steps, {}, new=new, bodies=bodies, elements=AXES)
    assert texts == {"position": "Ici"}
    assert [(e.key, e.parent) for e in kept] == [("action-1", None)]
    assert left == ["note", "Un", "Deux", "Un un", "Un deux"]
    chosen = {"section:note": "position", "section:strategy": "plan", "level:objective": "axis"}
    texts, kept, left = rules.migrate(steps, chosen, new=new, bodies=bodies, elements=AXES)
    assert texts == {"position": "position\n\nIci\n\nnote\n\nLà"}
    assert {(e.key, e.section, e.level, e.parent) for e in kept} >= {
        ("action-1", "plan", "action", "objective-1"),
        ("objective-1", "plan", "axis", None),
    }
    assert left == []
    with pytest.raises(Refused):
        rules.migrate(steps, {"section:plan": "lost"}, new=new, bodies=bodies, elements=AXES)


def test_elements_side_by_side():
    after = [Element("axis-1", "strategy", "axis", title="Un !"), Element("axis-9", "strategy", "axis", title="Deux")]
    by_key = rules.pair_elements(AXES[:2], after, related=True)
    assert [(a and a.key, b and b.key) for a, b in by_key] == [("axis-1", "axis-1"), (None, "axis-9"), ("axis-2", None)]
    by_title = rules.pair_elements(AXES[:2], after, related=False)
    assert [(a and a.key, b and b.key) for a, b in by_title] == [
        (None, "axis-1"),
        ("axis-2", "axis-9"),
        ("axis-1", None),
    ]


def test_moves_name_known_states():
    codes = set(states.TITLES)
    assert set(states.TONES) == codes
    for move in states.MOVES:
        assert {*move.sources, move.target} <= codes
