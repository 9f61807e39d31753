"""The document of a contract: paths, differences, merge, what is typed, faults. No database."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from jalon.contracts import content as c
from jalon.core.errors import Refused
from jalon.core.lang import speaking
from jalon.policy import reader

CASES = Path(__file__).resolve().parents[1] / "cases" / "contracts"


def cases(name: str) -> list[dict]:
    return reader.read(CASES / name).plain()


def start() -> dict:
    """The contract from which the cases of documents.yaml start."""
    return c.tidied(
        {
            "title": "Contrat",
            "starts_on": "2009-01-01",
            "ends_on": "2011-12-31",
            "territory": ["72"],
            "parties": [
                {"key": "state", "kind": "state", "organisation": 1, "name": "État", "signatory": "préfet"},
                {"key": "region", "kind": "authority", "organisation": 2, "name": "Région", "signatory": "président"},
                {
                    "key": "governance",
                    "kind": "governance",
                    "organisation": 3,
                    "name": "Pôle",
                    "signatory": "président",
                },
            ],
            "objectives": [
                {
                    "key": "o1",
                    "title": "Emploi",
                    "actions": [
                        {
                            "key": "a1",
                            "title": "Salons",
                            "owner": "Pôle",
                            "starts_on": "2009-02-01",
                            "ends_on": "2010-12-31",
                            "milestones": [{"key": "m1", "title": "Premier", "due_on": "2009-10-01"}],
                        }
                    ],
                }
            ],
            "indicators": [
                {
                    "key": "i1",
                    "title": "Emplois",
                    "unit": "count",
                    "objective": "o1",
                    "targets": {"2009": "10", "2011": "30"},
                }
            ],
            "commitments": [
                {"key": "c1", "party": "state", "kind": "money", "title": "Animation", "amounts": {"2009": "100000"}},
                {"key": "c2", "party": "region", "kind": "money", "title": "Animation", "amounts": {"2009": "50000"}},
            ],
        }
    )


class Frame:
    """A template with what the cases need: durations and parties of the French programme."""

    def __init__(self, template):
        self.durations, self.parties, self.funding_years = template.durations, template.parties, template.funding_years
        self.articles, self.common_indicators, self.improvement_axes_for_groups = (), (), ("2",)


@pytest.mark.parametrize("case", cases("documents.yaml"), ids=lambda case: case["case"])
def test_documents(case, policy):
    content = start()
    for path, value in case["change"].items():
        content = c.remove(content, path) if value is None else c.put(content, path, value)
    found = c.check(content, Frame(policy.contract_template_for("phase-2")), region_codes=["72"])
    assert sorted({f.code for f in found}) == sorted(case["faults"]), [str(f.message) for f in found]
    for fault in found:
        for spoken in ("fr", "en"):
            assert "{" not in fault.message.in_language(spoken)


@pytest.mark.parametrize(
    "path",
    [
        "starts_on",
        "articles/object/body",
        "objectives/o1/actions/a1/milestones/m1/due_on",
        "indicators/i1/targets/2010",
        "commitments/c1",
    ],
)
def test_paths_that_name_something(path):
    assert c.place(path).path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "objectives",
        "objectives/",
        "objectives/o1/actions",
        "indicators/i1/targets/20x0",
        "title/x",
        "parties/../x",
    ],
)
def test_paths_that_name_nothing(path):
    with pytest.raises(Refused):
        c.place(path)


def test_nothing_is_changed_in_place():
    before, kept = start(), start()
    c.put(before, "indicators/i1/targets/2010", "20")
    c.remove(before, "objectives/o1")
    assert before == kept


def test_removing_an_element_empties_what_referred_to_it():
    assert c.get(c.remove(start(), "objectives/o1"), "indicators/i1/objective") is None


def test_the_difference_says_places_in_words():
    new = c.put(start(), "indicators/i1/targets/2010", "20")
    new = c.remove(new, "objectives/o1/actions/a1")
    new = c.put(new, "commitments/c3", {"party": "region", "kind": "support", "title": "Locaux"})
    found = {ch.path: ch for ch in c.diff(start(), new)}
    assert set(found) == {"indicators/i1/targets/2010", "objectives/o1/actions/a1", "commitments/c3"}
    assert [found[p].kind for p in sorted(found)] == ["added", "changed", "removed"]
    assert found["commitments/c3"].old is None
    assert found["objectives/o1/actions/a1"].new is None
    with speaking("en"):
        assert str(found["indicators/i1/targets/2010"].label) == "indicator “Emplois” › target 2010"
    assert {ch.subject for ch in found.values()} == {"targets", "text", "funding"}


def test_what_says_the_same_is_no_difference():
    new = c.put(start(), "indicators/i1/targets/2009", "10.00")
    new["objectives"].reverse()
    new["parties"].reverse()
    new["indicators"][0]["definition"] = None
    assert c.diff(start(), new) == []


def test_changes_apply_to_give_the_new_content():
    new = c.put(c.remove(start(), "objectives/o1"), "title", "Autre")
    assert c.diff(c.apply(start(), c.diff(start(), new)), new) == []
    with pytest.raises(Refused, match="entre-temps"):
        c.apply(c.put(start(), "title", "Tiers"), c.diff(start(), new))


def test_merging_keeps_both_and_names_what_clashes():
    theirs = c.put(c.put(start(), "title", "Le leur"), "indicators/i1/targets/2009", "11")
    ours = c.put(c.put(start(), "title", "Le nôtre"), "commitments/c1/amounts/2010", "90000")
    merged, clashes = c.merge(start(), theirs, ours)
    assert [(x.path, x.old, x.theirs, x.ours) for x in clashes] == [("title", "Contrat", "Le leur", "Le nôtre")]
    assert merged["title"] == "Le leur"
    assert c.get(merged, "indicators/i1/targets/2009") == "11"
    assert c.get(merged, "commitments/c1/amounts/2010") == "90000"


def test_merging_a_change_inside_what_was_removed_is_a_clash():
    theirs = c.remove(start(), "objectives/o1")
    ours = c.put(start(), "objectives/o1/actions/a1/title", "Missions")
    merged, clashes = c.merge(start(), theirs, ours)
    assert [x.path for x in clashes] == ["objectives/o1/actions/a1/title"]
    assert merged["objectives"] == []


@given(
    st.dictionaries(
        st.sampled_from(
            ["title", "preamble", "indicators/i1/targets/2010", "commitments/c2/amounts/2010", "objectives/o1/title"]
        ),
        st.sampled_from(["1", "2", "3"]),
    )
)
def test_merging_with_an_unchanged_side_gives_the_other(changes):
    ours = start()
    for path, value in changes.items():
        ours = c.put(ours, path, value)
    for a, b in ((start(), ours), (ours, start())):
        merged, clashes = c.merge(start(), a, b)
        assert clashes == []
        assert c.diff(merged, ours) == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("1 234,50", "1234.5"),
        ("1\u202f234,50 €", "1234.5"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("0", "0"),
        ("", None),
        (None, None),
        (1200, "1200"),
        (1200.5, "1200.5"),
    ],
)
def test_amounts_as_typed(typed, kept):
    assert c.parse("commitments/c1/amounts/2009", typed) == kept


@pytest.mark.parametrize("typed", ["-1", "cent", "1e5", "=1+1", "12,345", "NaN", "inf", "1" * 15, True])
def test_amounts_that_cannot_be(typed):
    with pytest.raises(Refused):
        c.parse("commitments/c1/amounts/2009", typed)


@pytest.mark.parametrize("typed", ["31/12/2011", "2011-12-31", dt.date(2011, 12, 31), dt.datetime(2011, 12, 31, 8)])
def test_days_as_typed(typed):
    assert c.parse("ends_on", typed) == "2011-12-31"


@pytest.mark.parametrize("typed", ["31/02/2011", "demain", "0011-12-31", 40908])
def test_days_that_cannot_be(typed):
    with pytest.raises(Refused):
        c.parse("ends_on", typed)


def test_choices_are_read_in_both_languages():
    assert c.parse("indicators/i1/direction", "À la hausse") == "up"
    assert c.parse("indicators/i1/direction", "downwards") == "down"
    with pytest.raises(Refused, match="à la hausse"):
        c.parse("indicators/i1/direction", "vers le haut")


def test_a_key_is_higher_than_every_key_given():
    assert c.new_key(start(), "objectives/o1/actions") == "a2"
    assert c.new_key(start(), "objectives/o1/actions", ["a7", "x"]) == "a8"
    assert c.new_key(start(), "improvement_axes") == "x1"


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2009-01-01", "2011-12-31", 36),
        ("2009-01-01", "2009-01-01", 1),
        ("2009-06-15", "2010-06-14", 12),
        ("2009-06-15", "2010-06-15", 13),
    ],
)
def test_months_of_a_period(first, last, months):
    assert c.months(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) == months


def test_years_of_a_contract():
    assert c.years("2009-06-15", "2011-06-14") == [2009, 2010, 2011]
    assert c.years("2009-06-15", "2011-06-14", "contract_years") == [2009, 2010]
    assert c.years("2009-01-01", None) == []


@pytest.mark.parametrize("typed", ["99999999999999999999999", "12.5", "-4", "1_000", "abc"])
def test_the_number_of_an_organisation_is_a_plain_number_that_the_tables_can_hold(typed):
    with pytest.raises(Refused, match="organisme"):
        c.parse("parties/p1/organisation", typed)


@pytest.mark.parametrize("typed", ["2010-06-30xyz", "31/02/2011", "2010-13-01"])
def test_a_day_with_anything_after_it_is_not_a_day(typed):
    with pytest.raises(Refused, match="une date"):
        c.parse("starts_on", typed)
