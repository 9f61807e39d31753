"""Setting documents: texts are never markup, whatever they hold; the same text gives the same file."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import subprocess
import zipfile
from decimal import Decimal

import pytest
from docx import Document as Word

from jalon.contracts import content as doc
from jalon.documents import blocks, contract, pdf, word
from jalon.documents.queries import View

DAY = dt.date(2009, 3, 2)
HOSTILE = [
    "#set page(width: 1pt)",
    "#panic()",
    '#read("/etc/passwd")',
    "]#{1/0}[",
    "\\ \\n \\u{41} // comment /* ",
    "*gras* _italique_ `code` $x^2$ @ref <label> = titre",
    "{} {0} {name} %s %(x)s",
    "<w:p/> & &amp; ]]>",
    "\u202eretourné\u202c",
    "עברית العربية 中文 日本語 😀 👩‍👩‍👧 𝅗𝅥 ﷽",
    "a" * 5000,
    "sans-espace" * 300,
    "\x00\x07\x1b contrôle \ud800",
    "é\u0301\u0323\u0327" * 40,
    "\n\n\n",
    "\u200b\u200d\ufeff",
]


def view(content: dict, **more) -> View:
    """A draft of a contract that nobody has prepared."""
    facts = {
        "slug": "essai-2009",
        "title": content.get("title") or "Contrat",
        "number": 0,
        "state": "draft",
        "rev": 3,
        "content": doc.tidied(content),
        "programme": "Programme",
        "kind": "Contrat de performance",
        "words": {},
        "currency": "EUR",
        "language": "fr",
        "regions": ["Aquitaine"],
        "day": DAY,
        "address": "http://127.0.0.1:8000/contrats/essai-2009/",
        "steps": [[p["key"]] for p in content.get("parties") or ()],
    }
    return View(**(facts | more))


def with_text(text: str) -> dict:
    """A content that holds ``text`` wherever a text can stand."""
    return {
        "title": text[:255],
        "starts_on": "2009-01-01",
        "ends_on": "2011-12-31",
        "preamble": text,
        "parties": [{"key": "state", "kind": "state", "organisation": 1, "name": text[:200], "signatory": text[:200]}],
        "articles": [{"key": "a", "title": text[:255], "body": text}],
        "improvement_axes": [{"key": "x1", "title": text[:255], "body": text}],
        "objectives": [
            {
                "key": "o1",
                "title": text[:255],
                "body": text,
                "actions": [
                    {
                        "key": "a1",
                        "title": text[:255],
                        "owner": text[:255],
                        "deliverables": text,
                        "milestones": [{"key": "m1", "title": text[:255], "due_on": "2010-01-01"}],
                    }
                ],
            }
        ],
        "indicators": [
            {
                "key": "i1",
                "title": text[:255],
                "unit": "count",
                "definition": text,
                "targets": {"2009": "1", "2010": "2"},
            }
        ],
        "commitments": [
            {"key": "c1", "party": "state", "kind": "money", "title": text[:255], "amounts": {"2009": "1"}},
            {"key": "c2", "party": "state", "kind": "support", "title": text[:255]},
        ],
    }


def shown(data: bytes) -> str:
    """The words of a PDF, when the machine has a tool that reads them."""
    if shutil.which("pdftotext") is None:
        return ""
    done = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_a_document_or_is_read_as_markup(text):
    built = contract.build(view(with_text(text)))
    made = pdf.render(built)
    assert made.startswith(b"%PDF-")
    word_file = Word(io.BytesIO(word.render(built)))
    told = "\n".join(p.text for p in word_file.paragraphs).replace("\xa0", " ")
    for piece in ("#set page(width: 1pt)", "#panic()", "{} {0} {name} %s %(x)s"):
        if text == piece:
            assert piece in told
            read = shown(made)
            assert not read or piece.split()[0] in read


def test_a_paragraph_of_a_hundred_kilobytes_runs_over_pages():
    content = {"title": "T", "preamble": "Une phrase ordinaire, répétée sans fin. " * 2600}
    built = contract.build(view(content))
    assert len(pdf.pictures(built, ppi=20)) > 15
    assert pdf.render(built).startswith(b"%PDF-")


def test_the_archive_and_accessibility_standards_are_declared_and_the_language_said():
    made = pdf.render(contract.build(view(with_text("Texte"))))
    assert b"pdfaid:part" in made
    assert b"pdfuaid:part" in made
    assert re.search(rb"/Lang\s*\(fr", made)
    assert b"/StructTreeRoot" in made
    assert re.search(rb"/Lang\s*\(en", pdf.render(contract.build(view(with_text("Texte")), "en")))


def test_what_reorders_a_line_is_shown_and_what_no_font_has_is_named():
    assert blocks.clean("a\u202eb") == "a[U+202E]b"
    assert pdf.showable("é – € « œ » 1\u202f000") == "é – € « œ » 1\u202f000"
    assert pdf.showable("😀") == "[U+1F600]"
    assert pdf.showable("Ελλάδα Київ") == "Ελλάδα Київ"


def test_the_same_text_gives_the_same_bytes():
    one, two = (contract.build(view(with_text("Texte"))) for _ in range(2))
    assert pdf.render(one) == pdf.render(two)
    assert word.render(one) == word.render(two)


def test_a_frozen_text_does_not_know_the_day_of_printing():
    frozen = {"sha256": "ab" * 32, "frozen_on": DAY, "state": "signed"}
    early = contract.build(view(with_text("Texte"), **frozen))
    late = contract.build(view(with_text("Texte"), **frozen, day=dt.date(2020, 1, 1)))
    assert early == late
    assert pdf.render(early) == pdf.render(late)
    assert not early.mark
    assert "ab" * 32 in str(early.cover)


def test_a_draft_is_marked_on_every_page_and_a_simulation_says_so():
    built = contract.build(view(with_text("Texte"), simulated=True))
    assert built.mark.startswith("Projet")
    assert built.words["watermark"] == "PROJET"
    assert "simulées" in built.simulated
    assert "simulées" in "".join(p.text for p in Word(io.BytesIO(word.render(built))).paragraphs)
    assert contract.build(view(with_text("x")), "en").words["watermark"] == "DRAFT"


MONEY = {
    "title": "T",
    "starts_on": "2009-01-01",
    "ends_on": "2011-12-31",
    "parties": [
        {"key": "state", "kind": "state", "name": "État"},
        {"key": "r", "kind": "authority", "name": "Région"},
    ],
    "commitments": [
        {
            "key": "c1",
            "party": "r",
            "kind": "money",
            "amounts": {"2009": "100.5", "2011": "0"},
            "due": {"2009": "2009-10-31"},
        },
        {"key": "c2", "party": "state", "kind": "money", "amounts": {"2009": "1000", "2010": "2000"}},
        {"key": "c3", "party": "state", "kind": "money", "amounts": {}},
        {"key": "c4", "party": "state", "kind": "support", "title": "Appui", "amounts": {}},
    ],
}


def amount(cell) -> Decimal | None:
    text = cell[0].text.replace("\u202f", "").replace("\xa0", "").replace("€", "").replace(",", ".")
    return None if text == "–" else Decimal(text)


def test_sums_of_the_commitments_balance_and_the_unknown_is_not_zero():
    built = contract.build(view(MONEY))
    table = next(b for b in built.blocks if isinstance(b, blocks.Table) and "Financement" in b.caption)
    rows = [[amount(c) for c in row.cells[1:]] for row in table.rows]
    *lines, total = rows
    assert [r.cells[0][0].text for r in table.rows][:2] == ["État", "État"]
    for line in lines:
        known = [v for v in line[:-1] if v is not None]
        assert line[-1] == (sum(known) if known else None)
    for x in range(len(total)):
        known = [line[x] for line in lines if line[x] is not None]
        assert total[x] == (sum(known) if known else None)
    assert total[-1] == Decimal("3100.5")
    assert total == [Decimal("1100.5"), Decimal(2000), Decimal(0), Decimal("3100.5")]
    assert lines[1] == [None, None, None, None]
    assert "31/10/2009" in str(table)


@pytest.mark.parametrize("years", [1, 3, 6, 7, 13])
def test_long_contracts_get_tables_that_can_be_read(years):
    content = MONEY | {
        "ends_on": f"{2008 + years}-12-31",
        "indicators": [{"key": "i1", "title": "I", "unit": "count", "targets": {str(2008 + years): "1"}}],
    }
    built = contract.build(view(content))
    for table in (b for b in built.blocks if isinstance(b, blocks.Table)):
        assert len(table.columns) <= contract.YEARS_IN_A_TABLE + 3
        assert all(len(row.cells) == len(table.columns) for row in table.rows)
    money = [b for b in built.blocks if isinstance(b, blocks.Table) and "Financement" in b.caption]
    shown_years = [c.title for t in money for c in t.columns if c.title.isdigit()]
    assert shown_years == [str(2009 + n) for n in range(max(years, 3))]
    assert sum("Total" in [c.title for c in t.columns] for t in money) == 1
    assert pdf.render(built).startswith(b"%PDF-")


def test_a_contract_of_which_nothing_is_known_prints():
    built = contract.build(
        view({"title": ""}, title="Contrat", text_known=False, state="signed", sources=["Presse"], signed_on=DAY)
    )
    assert any(isinstance(b, blocks.Notice) for b in built.blocks)
    assert not built.mark
    said = str(built.blocks)
    assert "Presse" in said and "2\u00a0mars 2009" in "".join(getattr(b, "text", "") for b in built.blocks)
    assert not any(isinstance(b, blocks.Boxes) for b in built.blocks)
    assert pdf.render(built).startswith(b"%PDF-")
    assert word.render(built)[:2] == b"PK"


def test_charts_say_their_values_in_words_and_no_chart_is_made_of_nothing():
    content = with_text("Texte") | {
        "indicators": [
            {
                "key": "i1",
                "title": "Avec",
                "unit": "percent",
                "targets": {"2009": "12.5"},
                "baseline": "10",
                "baseline_on": "2008-12-31",
            },
            {"key": "i2", "title": "Sans", "unit": "count"},
        ]
    }
    built = contract.build(view(content))
    charts = [c for b in built.blocks if isinstance(b, blocks.Charts) for c in b.items]
    assert [c.title for c in charts] == ["Avec"]
    assert "12,5" in charts[0].alt and "10" in charts[0].alt


def test_word_has_real_headings_repeated_headers_and_described_pictures():
    data = word.render(contract.build(view(with_text("Texte"))))
    file = Word(io.BytesIO(data))
    styles = {p.style.name for p in file.paragraphs}
    assert {"Title", "Heading 1", "Heading 2"} <= styles
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("word/document.xml").decode()
        assert xml.count("w:tblHeader") >= 4
        assert 'descr="Cibles de' in xml
        assert any(n.startswith("word/media/") and n.endswith(".png") for n in archive.namelist())
        assert "2009-03-02" in archive.read("docProps/core.xml").decode()
