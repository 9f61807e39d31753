"""Reading distrusts the file; writing neutralises; what goes out comes back the same."""

import datetime as dt
import io
import zipfile
from decimal import Decimal

import pytest

from jalon.core import sheets
from jalon.core.errors import Refused
from jalon.core.lang import speaking
from jalon.core.sheets import Column

COLUMNS = [Column("Nom"), Column("Entrée", "date"), Column("Budget", "money")]
ROWS = [
    ("Société Générale d'Été", dt.date(2009, 6, 30), Decimal("1234.50")),
    ('=HYPERLINK("http://x")', None, Decimal("-3")),
    ("+33 1 02 03 04 05", dt.date(2010, 2, 28), None),
    ("@nom ; avec « guillemets »", None, Decimal("0")),
]


def as_rows(sheet):
    return [(sheets.as_text(r[0]), sheets.as_date(r[1]), sheets.as_decimal(r[2])) for r in sheet.rows[1:]]


@pytest.mark.parametrize("french", [True, False])
def test_csv_comes_back_the_same(french):
    data = b"".join(sheets.write_csv(COLUMNS, ROWS, french=french))
    assert data.startswith(b"\xef\xbb\xbf")
    text = data.decode("utf-8-sig")
    assert not [line for line in text.splitlines() if line[:1] in "=+-@"]
    book = sheets.read(data, "membres.csv")
    assert book.delimiter == (";" if french else ",")
    assert as_rows(book.sheets[0]) == ROWS


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_workbooks_come_back_the_same(kind):
    write = sheets.write_xlsx if kind == "xlsx" else sheets.write_ods
    with write([("Membres", COLUMNS, ROWS)]) as file:
        data = file.read()
    book = sheets.read(data, f"m.{kind}")
    assert book.kind == kind
    assert book.sheets[0].name == "Membres"
    assert as_rows(book.sheets[0]) == ROWS
    assert not book.sheets[0].formulas


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-8", "utf-8"), ("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-8-sig", "utf-8-sig")]
)
def test_csv_encodings_are_recognised(encoding, found):
    book = sheets.read("Nom;Ville\r\nÉlysée œuvre;Orléans\r\n".encode(encoding), "x.csv")
    assert book.encoding == found
    assert book.sheets[0].rows == [["Nom", "Ville"], ["Élysée œuvre", "Orléans"]]


def macro_workbook():
    with sheets.write_xlsx([("A", COLUMNS, ROWS)]) as file:
        out = io.BytesIO(file.read())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    return out.getvalue()


def bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        for n in range(5):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", b"0" * (100 * 1024 * 1024))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (lambda: b"", "vide.csv", "est vide"),
        (
            lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "s.xlsx",
            "mot de passe",
        ),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "s.xls", "ancien format"),
        (macro_workbook, "m.xlsm", "macros"),
        (bomb, "b.xlsx", "déplie"),
        (lambda: b"PK\x03\x04" + b"x" * 50, "c.xlsx", "abîmé"),
        (lambda: b"%PDF-1.7\n", "d.xlsx", "ni un classeur"),
        (lambda: b"\x00\x01\x02binary\x00", "d.csv", "ni un classeur"),
        (lambda: b"x" * (sheets.MAX_FILE + 1), "gros.csv", "limite"),
    ],
)
def test_bad_files_get_a_sentence(data, name, words):
    with speaking("fr"), pytest.raises(Refused) as refused:
        sheets.read(data(), name)
    assert words in str(refused.value)
    assert name in str(refused.value)


def test_formulas_are_reported_and_not_executed():
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("F")
    sheet.write_row(0, 0, ["Nom", "Total"])
    sheet.write_formula(1, 1, "=1+1", None, 2)
    sheet.write_formula(2, 1, "=1+1", None, "")
    book.close()
    read = sheets.read(out.getvalue(), "f.xlsx").sheets[0]
    assert read.formulas == {(1, 1), (2, 1)}
    assert read.uncomputed == {(2, 1)}
    assert read.rows[1][1] == 2


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1 234,5", "1234.5"),
        ("1\u202f234,50", "1234.50"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("12 %", "12"),
        ("-3", "-3"),
        ("−3,2", "-3.2"),
        ("75 000 €", "75000"),
        (7, "7"),
    ],
)
def test_numbers_as_people_type_them(typed, value):
    assert sheets.as_decimal(typed) == Decimal(value)


@pytest.mark.parametrize("typed", ["douze", "1,2,3", "12 M€", "--3", "1e5", True])
def test_what_is_not_a_number_says_so(typed):
    with pytest.raises(Refused):
        sheets.as_decimal(typed)


@pytest.mark.parametrize(
    "typed", ["2009-06-30", "30/06/2009", "30.6.2009", dt.date(2009, 6, 30), dt.datetime(2009, 6, 30)]
)
def test_days_as_people_type_them(typed):
    assert sheets.as_date(typed) == dt.date(2009, 6, 30)


@pytest.mark.parametrize("typed", ["31/02/2010", "06/30/2009", "juin 2009", "2009"])
def test_what_is_not_a_day_says_so(typed):
    with pytest.raises(Refused):
        sheets.as_date(typed)


def test_names_of_cells():
    assert [sheets.cell_name(0, c) for c in (0, 25, 26, 701, 702)] == ["A1", "Z1", "AA1", "ZZ1", "AAA1"]


def test_ods_keeps_spaces_lines_and_marks_and_leaves_out_what_xml_cannot_hold():
    cells = ["a  b", "deux\nlignes", '<x> & "y"', "bip\x07", True, dt.date(2010, 6, 30), Decimal("-0.50"), None, "=1+1"]
    with sheets.write_ods([("Feuille [1]", [sheets.Column(str(n)) for n in range(9)], [cells])]) as file:
        book = sheets.read(file.read(), "liste.ods")
    assert book.sheets[0].name == "Feuille -1-"
    assert book.sheets[0].rows[1] == [
        "a  b",
        "deux\nlignes",
        '<x> & "y"',
        "bip",
        True,
        dt.date(2010, 6, 30),
        Decimal("-0.5"),
        None,
        "=1+1",
    ]
    assert not book.sheets[0].formulas


def test_ods_is_told_from_its_first_bytes():
    with sheets.write_ods([("Vide", [sheets.Column("a")], [])]) as file:
        assert file.read(100)[30:84] == b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
