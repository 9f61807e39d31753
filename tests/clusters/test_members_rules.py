"""Rules of lists of members: the cases that an officer can read, and properties of the small parts."""

import datetime as dt
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st
from stdnum import luhn

from jalon.clusters.members import reading, rules, states
from jalon.core.lang import speaking
from jalon.core.sheets import Sheet, cell_name
from jalon.policy import load, programmes

CASES = Path(__file__).parents[1] / "cases" / "members"
ON = dt.date(2010, 6, 30)


def cases(name):
    return [pytest.param(case, id=case["title"]) for case in yaml.safe_load((CASES / name).read_text("utf-8"))]


@pytest.fixture(scope="module")
def words(policy):
    return rules.Words(policy.members, policy.identifiers, policy.country)


def register_of(members):
    found = rules.Register(first_label=dt.date(2005, 7, 12))
    for i, row in enumerate(members, 1):
        ids = tuple((row.get("ids") or {}).items())
        key = rules.match_key(row["name"])
        found.organisations[i] = rules.Known(i, row["name"], key, row.get("country", "FR"), row.get("city", ""), ids)
        found.members_by_key.setdefault(key, []).append(i)
        period = rules.Period(100 + i, i, row["type"], row.get("college", ""), row["joined"], row.get("left"))
        found.periods.setdefault(i, []).append(period)
        for scheme, value in ids:
            found.by_identifier[scheme, value] = i
            if scheme in ("siren", "siret"):
                found.by_person[value[:9]] = i
        if "size" in row:
            found.sizes[i] = [rules.KnownSize(**row["size"])]
    return found


def judged(words, columns, rows, members=(), choices=None, **options):
    cells = [[None if c == "" else c for c in row] for row in rows]
    sheet = Sheet("liste", [list(columns), *cells])
    mapping = dict(enumerate(columns))
    lines = rules.Reader(words, mapping, on=ON, **options).lines(sheet, 0)
    at = {code: i for i, code in mapping.items()}
    register = register_of(members)
    rules.Judge(register, words, on=ON, columns=at, choices=choices).judge(lines)
    return lines, register


@pytest.mark.parametrize("case", cases("columns.yaml"))
def test_columns_are_recognised(case, words):
    found = words.fields.recognise(case["headers"])
    assert [found.get(i, "-") for i in range(len(case["headers"]))] == case["columns"]


@pytest.mark.parametrize("case", cases("rows.yaml"))
def test_rows_get_their_verdict(case, words):
    lines, _ = judged(words, case["columns"], case["rows"], case.get("register", ()), case.get("choices"))
    told = {line.number: line for line in lines}
    for number, expected in enumerate(case["expect"], 2):
        if expected is None:
            assert number not in told
            continue
        line = told[number]
        said = [m.code + (f" {cell_name(number - 1, m.column)}" if m.column is not None else "") for m in line.messages]
        assert [line.verdict, *said] == expected, [str(m.sentence(number)) for m in line.messages]


def test_every_message_is_said_in_both_languages_and_survives_storage(words):
    lines, _ = judged(
        words,
        ["name", "id:siret", "type", "joined_on", "left_on"],
        [["{Un}", "73282932000075", "Amis {de} tous", dt.date(2009, 1, 1), dt.date(2008, 1, 1)]],
    )
    for m in lines[0].messages:
        again = rules.Message.restored(m.stored())
        for language in ("fr", "en"):
            with speaking(language):
                assert str(again.sentence(2)) == str(m.sentence(2))
                assert "{n}" not in str(m.sentence(2))
    assert str(lines[0].messages[0].sentence(2)).startswith("B2")


def test_a_list_of_accepted_types_is_named(words):
    lines, _ = judged(words, ["name", "type", "joined_on"], [["Un", "Amis", dt.date(2009, 1, 1)]])
    assert "PME" in str(lines[0].messages[0].sentence(2))
    assert "Entreprise de taille intermédiaire" in str(lines[0].messages[0].sentence(2))


def test_an_overlap_names_both_periods(words):
    lines, _ = judged(
        words,
        ["name", "type", "joined_on"],
        [["Alpha Bois", "PME", dt.date(2007, 1, 1)]],
        [{"name": "Alpha Bois", "type": "sme", "joined": dt.date(2006, 1, 1)}],
    )
    sentence = str(lines[0].messages[0].sentence(2))
    assert "01/01/2007" in sentence and "01/01/2006" in sentence


def test_the_entry_date_given_for_all_fills_the_empty_ones(words):
    day = dt.date(2010, 1, 1)
    lines, _ = judged(words, ["name", "type", "joined_on"], [["Un", "PME", ""]], joined_default=day)
    assert (lines[0].verdict, lines[0].joined) == ("new_organisation", day)
    assert [m.code for m in lines[0].messages] == ["joined_default"]


def test_members_absent_from_the_file(words):
    members = [
        {"name": "Alpha Bois", "type": "sme", "joined": dt.date(2006, 1, 1)},
        {"name": "Bêta Bois", "type": "sme", "joined": dt.date(2006, 1, 1)},
        {"name": "Parti", "type": "sme", "joined": dt.date(2006, 1, 1), "left": dt.date(2009, 1, 1)},
    ]
    lines, register = judged(
        words, ["name", "type", "joined_on"], [["Alpha Bois", "inconnu", dt.date(2006, 1, 1)]], members
    )
    assert lines[0].verdict == "error"
    assert [p.organisation for p in rules.missing_members(lines, register, ON)] == [2]


def test_headers_under_a_title_and_a_merged_line(words):
    rows = [
        ["Liste des adhérents au 30 juin", None, None, None],
        [None, None, "Date", None],
        ["Dénomination", "Type", "entrée", "sortie"],
        ["Un", "PME", dt.date(2009, 1, 1), None],
    ]
    assert rules.header_of(rows, words.fields) == (2, {0: "name", 1: "type", 2: "joined_on", 3: "left_on"})


def test_headers_merged_downwards(words):
    rows = [
        ["Dénomination", "Type", "Adhésion", None],
        [None, None, "début", "fin"],
        ["Un", "PME", dt.date(2009, 1, 1), None],
    ]
    header, columns = rules.header_of(rows, words.fields)
    assert set(columns.values()) >= {"name", "type"}
    assert header in (0, 1)
    assert rules.columns_at(rows, 1, words.fields) == {0: "name", 1: "type", 2: "joined_on", 3: "left_on"}


def test_a_file_of_one_column_is_recognised_by_its_header(words):
    assert rules.header_of([["Nom"], ["Alpha"], ["Beta"]], words.fields) == (0, {0: "name"})


def test_a_file_without_known_headers_asks(words):
    assert rules.header_of([["a", "b"], ["c", "d"]], words.fields) == (0, {})


def test_formulas_are_read_and_reported(words):
    columns = {0: "name", 1: "type", 2: "joined_on"}
    day = dt.date(2009, 1, 1)
    rows = [["Nom", "Type", "Entrée"], ["Un", "PME", day], ["Deux", None, day], ["Trois", None, day]]
    sheet = Sheet("x", rows, {(1, 1), (2, 1)}, {(2, 1)}, {(3, 1): "#N/A"})
    lines = rules.Reader(words, columns, on=ON).lines(sheet, 0)
    assert [[m.code for m in line.messages] for line in lines] == [["formula"], ["uncomputed"], ["cell_error"]]


def test_an_excel_text_in_a_csv_is_its_content(words):
    sheet = Sheet("x", [["Nom", "SIRET"], ["Un", '="00558011300010"']], {(1, 1)})
    lines = rules.Reader(words, {0: "name", 1: "id:siren"}, on=ON, csv=True).lines(sheet, 0)
    assert [m.code for m in lines[0].messages] == ["text"]
    sheet = Sheet("x", [["Nom", "SIREN"], ["Un", '="732829320"']], {(1, 1)})
    lines = rules.Reader(words, {0: "name", 1: "id:siren"}, on=ON, csv=True).lines(sheet, 0)
    assert (lines[0].ids, lines[0].messages) == ((("siren", "732829320"),), [])


def test_another_programme_has_its_own_words():
    policy = load(programmes()["example-nordlys"])
    words = rules.Words(policy.members, policy.identifiers, policy.country)
    assert [f.code for f in words.fields.template][:3] == ["name", "id:orgnr", "id:ror"]
    lines, _ = judged(
        words,
        ["name", "identifier", "type", "joined_on", "headcount"],
        [["Nordlys Marin AS", "974760673", "Small company", dt.date(2016, 1, 1), 12]],
    )
    assert (lines[0].verdict, lines[0].country, lines[0].ids) == ("new_organisation", "NO", (("orgnr", "974760673"),))


def test_many_names_are_compared_with_their_neighbours_only(words):
    members = {f"atelier numero {n:05d} du bois": [n] for n in range(3000)}
    keys = ["atelier numero 00042 du boi", "du bois atelier numero 00077", "rien de commun"] + [
        f"k{n}" for n in range(200)
    ]
    found = rules.similar(keys, members)
    assert "atelier numero 00042 du bois" in found["atelier numero 00042 du boi"]
    assert "atelier numero 00077 du bois" in found["du bois atelier numero 00077"]
    assert "rien de commun" not in found


@given(st.text("0123456789", min_size=2, max_size=14))
def test_the_fast_check_is_luhns(digits):
    assert rules.luhn_holds(digits) == luhn.is_valid(digits)


def days():
    return st.dates(dt.date(2004, 1, 1), dt.date(2012, 1, 1))


@given(days(), st.none() | days(), days(), st.none() | days())
def test_overlap_is_symmetric_and_means_a_common_day(a, b, c, d):
    assert rules.overlap(a, b, c, d) == rules.overlap(c, d, a, b)
    common = max(a, c) <= min(b or dt.date.max, d or dt.date.max)
    if (b is None or b >= a) and (d is None or d >= c):
        assert rules.overlap(a, b, c, d) == common


def test_a_row_is_remembered_whole(words):
    lines, _ = judged(
        words,
        ["name", "id:siret", "type", "joined_on", "left_on", "headcount", "data"],
        [["Un", "73282932000074", "PME", dt.date(2009, 1, 1), dt.date(2011, 1, 1), 12, "simulées"]],
    )
    again = reading.unpacked(reading.packed(lines[0]))
    for name in ("number", "verdict", "name", "ids", "joined", "left", "size", "simulated", "messages", "member_type"):
        assert getattr(again, name) == getattr(lines[0], name), name
    assert again.simulated


def test_every_verdict_and_message_has_its_words():
    assert set(states.BEFORE) == {code for code, state in states.STATES.items() if state.running}
    for level, text in rules.MESSAGES.values():
        assert level in ("error", "warning")
        assert text.fr and text.en
