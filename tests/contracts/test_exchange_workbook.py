"""The contract as a workbook or YAML file and back: the round trip, and files that other hands have changed."""

from __future__ import annotations

import datetime as dt
import io
import unicodedata
import zipfile
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from python_calamine import CalamineWorkbook

from jalon.contracts import content as doc
from jalon.contracts.exchange import workbook, yaml_file
from jalon.core.errors import Refused

ABOUT = {"slug": "essai-2009", "text_number": 0, "rev": 3, "simulated": False}


def sample() -> dict[str, Any]:
    """A contract with something of every kind."""
    return doc.tidied(
        {
            "title": "Contrat d'essai",
            "starts_on": "2009-01-01",
            "ends_on": "2011-12-31",
            "territory": ["72", "74"],
            "preamble": "Premier.\n\nSecond.",
            "parties": [
                {"key": "state", "kind": "state", "organisation": 1, "name": "Préfecture", "signatory": "préfet"},
                {
                    "key": "authority1",
                    "kind": "authority",
                    "organisation": 2,
                    "name": "Région",
                    "signatory": "président",
                },
            ],
            "articles": [{"key": "object", "title": "Objet", "body": "Le texte."}],
            "improvement_axes": [{"key": "x1", "title": "PME", "body": ""}],
            "objectives": [
                {
                    "key": "o1",
                    "title": "Emploi",
                    "axis": "x1",
                    "actions": [
                        {
                            "key": "a1",
                            "title": "Salons",
                            "owner": "Pôle",
                            "ends_on": "2010-12-31",
                            "budget": "50000",
                            "milestones": [{"key": "m1", "title": "Premier", "due_on": "2009-10-15"}],
                        },
                        {"key": "a2", "title": "Réseau"},
                    ],
                },
                {"key": "o2", "title": "Europe", "actions": []},
            ],
            "indicators": [
                {
                    "key": "i1",
                    "title": "Emplois",
                    "unit": "count",
                    "direction": "up",
                    "objective": "o1",
                    "baseline": "87.5",
                    "baseline_on": "2008-12-31",
                    "targets": {"2009": "100", "2011": "120"},
                }
            ],
            "commitments": [
                {
                    "key": "c1",
                    "party": "state",
                    "kind": "money",
                    "title": "Animation",
                    "amounts": {"2009": "100000.5"},
                    "due": {"2009": "2009-10-31"},
                }
            ],
        }
    )


def back(
    content: dict[str, Any], data: bytes | None = None, name: str = "x.xlsx", now: Any = None
) -> workbook.Returned:
    data = workbook.write(content, **ABOUT) if data is None else data
    return workbook.read_workbook(data, name, content if now is None else now)


def sheets_of(data: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return {n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in book.sheet_names}


def rewritten(data: bytes, change: Any = None, *, keep_origin: bool = True) -> bytes:
    """The workbook as another program would save it: values only, no formats, dates as dates."""
    sheets = sheets_of(data)
    if not keep_origin:
        sheets.pop(workbook.ORIGIN, None)
    if change:
        change(sheets)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False, "strings_to_urls": False})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                if isinstance(value, Formula):
                    sheet.write_formula(y, x, value.text, None, value.result)
                elif isinstance(value, dt.date):
                    sheet.write_datetime(y, x, dt.datetime(value.year, value.month, value.day), day)
                elif isinstance(value, bool):
                    sheet.write_boolean(y, x, value)
                elif isinstance(value, (int, float, Decimal)):
                    sheet.write_number(y, x, value)
                elif value not in (None, ""):
                    sheet.write_string(y, x, str(value))
    book.close()
    return out.getvalue()


class Formula:
    """A formula with the result that a program stored for it."""

    def __init__(self, text: str, result: Any):
        self.text, self.result = text, result


def column(rows: list[list[Any]], name: str) -> int:
    return rows[1].index(name)


def row_of(rows: list[list[Any]], key: str) -> list[Any]:
    return next(r for r in rows[2:] if r[column(rows, "key")] == key)


def changes(returned: workbook.Returned, base: dict[str, Any]) -> dict[str, Any]:
    return {c.path: c.new for c in doc.diff(base, returned.content)}


# --- the round trip -------------------------------------------------------------------------------------------------


LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn")), max_size=30).map(
    lambda t: unicodedata.normalize("NFC", " ".join(t.split()))
)
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
    max_size=60,
).map(lambda t: unicodedata.normalize("NFC", t))
DAY = st.dates(dt.date(1995, 1, 1), dt.date(2090, 12, 31)).map(str)
MONEY = st.decimals(0, 10**9, places=2, allow_nan=False).map(doc.decimal_text)
NUMBER = st.decimals(-(10**6), 10**6, places=4, allow_nan=False).map(doc.decimal_text)
YEARS = st.sampled_from(["2009", "2010", "2011"])


def made(kind: doc.Element, letter: str, **refs: Any) -> st.SearchStrategy:
    """Elements of a kind with values that can be typed."""
    by_kind = {"line": LINE, "text": TEXT, "day": DAY, "money": MONEY, "number": NUMBER, "flag": st.booleans()}

    def field(one: doc.Field) -> st.SearchStrategy:
        if one.yearly:
            return st.dictionaries(YEARS, by_kind[one.value_kind], max_size=3)
        if one.kind == "choice":
            return st.sampled_from([code for code, _ in one.choices] + [None])
        if one.kind == "ref":
            return st.sampled_from([None, *refs.get(one.to, ())])
        if one.kind == "id":
            return st.none() | st.integers(1, 10**6)
        return by_kind[one.kind] if one.kind in ("line", "text", "flag") else st.none() | by_kind[one.kind]

    return st.fixed_dictionaries({f.name: field(f) for f in kind.fields})


@st.composite
def contents(draw: Any) -> dict[str, Any]:
    def some(kind: doc.Element, start: int = 1, **refs: Any) -> list[dict[str, Any]]:
        found = draw(st.lists(made(kind, kind.letter, **refs), max_size=3))
        return [{**item, "key": f"{kind.letter}{n}"} for n, item in enumerate(found, start)]

    parties, axes = some(doc.PARTY), some(doc.AXIS)
    objectives = some(doc.OBJECTIVE, improvement_axes=[a["key"] for a in axes])
    number = 1
    for objective in objectives:
        objective["actions"] = some(doc.ACTION, number)
        number += len(objective["actions"])
        for action in objective["actions"]:
            action["milestones"] = some(doc.MILESTONE)
    return doc.tidied(
        {
            "title": draw(LINE),
            "starts_on": "2009-01-01",
            "ends_on": "2011-12-31",
            "territory": draw(st.lists(st.sampled_from(["11", "72", "2A"]), max_size=2, unique=True)),
            "preamble": draw(TEXT),
            "parties": parties,
            "articles": some(doc.ARTICLE),
            "improvement_axes": axes,
            "objectives": objectives,
            "indicators": some(doc.INDICATOR, objectives=[o["key"] for o in objectives]),
            "commitments": some(doc.COMMITMENT, parties=[p["key"] for p in parties]),
        }
    )


@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(contents())
def test_a_workbook_comes_back_unchanged(content):
    returned = back(content)
    assert [f for f in returned.faults if f.level == "error"] == []
    assert doc.diff(content, returned.content) == []
    assert (returned.origin.slug, returned.origin.text, returned.origin.rev) == ("essai-2009", 0, 3)
    assert returned.origin.content == content


@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(contents())
def test_a_yaml_file_comes_back_unchanged(content):
    returned = yaml_file.read_yaml(yaml_file.write(content, **ABOUT), "x.yaml", content)
    assert returned.faults == []
    assert doc.diff(content, returned.content) == []
    assert returned.origin.content == content


@pytest.mark.parametrize("wanted", ["fr", "en"])
def test_the_language_of_the_file_does_not_matter(wanted):
    from jalon.core.lang import speaking

    content = sample()
    with speaking(wanted):
        data = workbook.write(content, **ABOUT)
    with speaking("en" if wanted == "fr" else "fr"):
        assert changes(back(content, data), content) == {}


def test_saved_by_another_program_it_still_says_the_same():
    content = sample()
    assert changes(back(content, rewritten(workbook.write(content, **ABOUT))), content) == {}


def test_saved_as_ods_it_still_says_the_same():
    import odswriter

    content = sample()
    out = io.BytesIO()
    with odswriter.writer(out) as book:
        for name, rows in sheets_of(workbook.write(content, **ABOUT)).items():
            sheet = book.new_sheet(name)
            for row in rows:
                sheet.writerow(["" if v is None else v for v in row])
    returned = back(content, out.getvalue(), "x.ods")
    assert [f for f in returned.faults if f.level == "error"] == []
    assert changes(returned, content) == {}


# --- other hands ----------------------------------------------------------------------------------------------------


def edited(change: Any, **more: Any) -> tuple[workbook.Returned, dict[str, Any]]:
    content = sample()
    returned = back(content, rewritten(workbook.write(content, **ABOUT), change, **more))
    return returned, changes(returned, content)


def test_a_cell_that_changed_names_its_place():
    def change(sheets):
        rows = sheets["Indicateurs"]
        row_of(rows, "i1")[column(rows, "targets/2010")] = 110.5

    returned, found = edited(change)
    assert found == {"indicators/i1/targets/2010": "110.5"}
    assert returned.places["indicators/i1/targets/2010"].startswith("Indicateurs!")


def test_columns_that_were_moved_are_found_by_their_name():
    def change(sheets):
        sheets["Actions"] = [list(reversed(row)) for row in sheets["Actions"]]

    assert edited(change)[1] == {}


def test_without_the_machine_row_the_titles_serve():
    def change(sheets):
        for name in ("Actions", "Indicateurs", "Engagements"):
            del sheets[name][1]

    returned, found = edited(change)
    assert [f for f in returned.faults if f.level == "error"] == []
    assert found == {}


def test_without_the_hidden_sheet_the_origin_is_unknown():
    returned, found = edited(None, keep_origin=False)
    assert returned.origin is None
    assert found == {}


def test_a_hidden_sheet_that_was_tampered_with_is_no_origin():
    def change(sheets):
        sheets[workbook.ORIGIN][1][0] = sheets[workbook.ORIGIN][1][0][:-1] + "0"

    assert edited(change)[0].origin is None


def test_a_sheet_that_was_removed_leaves_its_elements():
    assert edited(lambda sheets: sheets.pop("Engagements"))[1] == {}


def test_a_row_added_is_a_new_element_and_a_row_removed_is_one_less():
    def change(sheets):
        rows = sheets["Objectifs"]
        new = [""] * len(rows[1])
        new[column(rows, "title")] = "Troisième"
        rows.append(new)
        rows.remove(row_of(rows, "o2"))

    _, found = edited(change)
    added = next(v for v in found.values() if v)
    assert added["title"] == "Troisième"
    assert found["objectives/o2"] is None
    assert len(found) == 2


def test_a_key_that_was_mistyped_removes_nothing():
    def change(sheets):
        rows = sheets["Actions"]
        row_of(rows, "a1")[column(rows, "key")] = "a11"

    returned, found = edited(change)
    assert any("a11" in str(f.message) for f in returned.faults)
    assert found == {}


def test_a_formula_is_read_by_its_result_and_remarked():
    def change(sheets):
        rows = sheets["Indicateurs"]
        row_of(rows, "i1")[column(rows, "targets/2010")] = Formula("=100+11", 111)

    returned, found = edited(change)
    assert found == {"indicators/i1/targets/2010": "111"}
    assert [f.level for f in returned.faults] == ["warning"]


def test_a_formula_without_a_result_is_a_fault_and_clears_nothing():
    def change(sheets):
        rows = sheets["Indicateurs"]
        row_of(rows, "i1")[column(rows, "targets/2010")] = Formula("=100+11", "")

    returned, found = edited(change)
    assert found == {}
    assert [f.level for f in returned.faults] == ["error"]


@pytest.mark.parametrize("value", ["#REF!", "#DIV/0!", "#N/A", "#NAME?", "#VALUE!"])
def test_a_spreadsheet_error_is_a_fault_and_changes_nothing(value):
    def change(sheets):
        rows = sheets["Indicateurs"]
        row_of(rows, "i1")[column(rows, "targets/2009")] = value

    returned, found = edited(change)
    assert [f.level for f in returned.faults] == ["error"]
    assert value in str(returned.faults[0].message)
    assert found == {}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("1 234,5", "1234.5"), ("1 234,50 €", "1234.5"), ("1234.5", "1234.5"), ("0", "0"), ("2 000", "2000")],
)
def test_figures_typed_as_text_are_read(typed, kept):
    def change(sheets):
        rows = sheets["Engagements"]
        row_of(rows, "c1")[column(rows, "amounts/2010")] = typed

    assert edited(change)[1] == {"commitments/c1/amounts/2010": kept}


@pytest.mark.parametrize("typed", [-1, "-1 000,00", "dix", "1,2,3"])
def test_amounts_that_cannot_be_are_faults_with_their_cell(typed):
    def change(sheets):
        rows = sheets["Engagements"]
        row_of(rows, "c1")[column(rows, "amounts/2009")] = typed

    returned, found = edited(change)
    assert [f.place.split("!")[0] for f in returned.faults] == ["Engagements"]
    assert found == {}


def test_an_emptied_cell_is_unknown_not_zero():
    def change(sheets):
        rows = sheets["Engagements"]
        row_of(rows, "c1")[column(rows, "amounts/2009")] = None

    assert edited(change)[1] == {"commitments/c1/amounts/2009": None}


def test_a_text_longer_than_a_cell_stays_whole():
    content = sample()
    content["articles"][0]["body"] = "Un long texte. " * 3000
    assert len(content["articles"][0]["body"]) > workbook.MAX_CELL
    returned = back(content, rewritten(workbook.write(content, **ABOUT)))
    assert changes(returned, content) == {}


def test_a_text_that_looks_like_a_formula_stays_a_text():
    content = sample()
    content["articles"][0]["title"] = '=HYPERLINK("http://exemple.test")'
    data = workbook.write(content, **ABOUT)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not any(b"<f>" in archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/"))
    assert changes(back(content, data), content) == {}


def test_a_moved_action_is_taken_from_one_objective_to_the_other():
    def change(sheets):
        rows = sheets["Actions"]
        row_of(rows, "a2")[column(rows, "in:objectives")] = "o2"

    assert set(edited(change)[1]) == {"objectives/o1/actions/a2", "objectives/o2/actions/a2"}


# --- files that are refused -----------------------------------------------------------------------------------------


def test_a_workbook_with_macros_is_refused():
    data = io.BytesIO(workbook.write(sample(), **ABOUT))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(Refused, match="macros"):
        back(sample(), data.getvalue())


def test_a_workbook_with_a_password_is_refused():
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(Refused, match="mot de passe"):
        back(sample(), data)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"%PDF-1.4", b"title;key\na;b\n"])
def test_files_that_are_no_workbook_of_a_contract_are_refused(data):
    with pytest.raises(Refused):
        back(sample(), data)


def test_a_workbook_of_something_else_is_refused_and_says_what_was_expected():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet("Membres").write(0, 0, "SIRET")
    book.close()
    with pytest.raises(Refused, match="Membres"):
        back(sample(), out.getvalue())


@pytest.mark.parametrize(
    "text",
    [
        "title: [1",
        "- a\n- b\n",
        "rien: du tout\n",
        "title: &a x\npreamble: *a\n",
        "\x00",
        "title: !!python/object:os.system x\n- b",
    ],
)
def test_yaml_that_is_no_contract_is_refused(text):
    with pytest.raises(Refused):
        yaml_file.read_yaml(text.encode(), "x.yaml", sample())


def test_yaml_faults_name_their_path_and_change_nothing():
    content = sample()
    data = yaml_file.write(content, **ABOUT).decode().replace("'100000.5'", "-3").replace("kind: money", "kind: or")
    returned = yaml_file.read_yaml(data.encode(), "x.yaml", content)
    assert {f.place for f in returned.faults} == {"commitments/c1/amounts/2009", "commitments/c1/kind"}
    assert changes(returned, content) == {}


def test_yaml_parts_that_are_absent_stay():
    content = sample()
    returned = yaml_file.read_yaml(b"title: Nouveau titre\n", "x.yaml", content)
    assert changes(returned, content) == {"title": "Nouveau titre"}
    assert returned.origin is None
