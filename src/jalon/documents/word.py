"""Documents as Word files (.docx), with real styles, headings, tables whose header repeats, pictures with their words."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

from docx import Document as Word
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from jalon.core.lang import speaking
from jalon.documents import blocks, pdf
from jalon.documents.blocks import Document

ACCENT, SOFT = RGBColor(0x0B, 0x5A, 0x66), RGBColor(0x54, 0x58, 0x5C)
WARN = RGBColor(0x6D, 0x42, 0x00)
WIDTH_MM = 164
"""Width of the text on an A4 page with the margins below."""


def render(document: Document) -> bytes:
    """The document as a Word file; the same document gives the same bytes."""
    with speaking(document.lang):
        plain = blocks.plain(document)
    setter = _Setter(plain)
    setter.whole()
    out = io.BytesIO()
    setter.word.save(out)
    return _steady(out.getvalue())


def _steady(data: bytes) -> bytes:
    """The same archive without the hour at which it was packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


class _Setter:
    """Writes one plain document into one Word file."""

    def __init__(self, plain: dict[str, Any]):
        self.plain = plain
        self.word = Word()
        self._styles()
        self._frame()

    # -- the look of the whole

    def _styles(self) -> None:
        styles = self.word.styles
        normal = styles["Normal"]
        normal.font.name, normal.font.size = "Times New Roman", Pt(10.5)
        fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
            fonts.set(qn(kind), "Times New Roman")
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), "fr-FR" if self.plain["lang"] == "fr" else "en-GB")
        normal.element.get_or_add_rPr().append(language)
        normal.paragraph_format.space_after = Pt(6)
        for name, size, colour in (("Title", 24, ACCENT), ("Heading 1", 14, ACCENT), ("Heading 2", 11.5, None)):
            style = styles[name]
            style.font.size, style.font.bold = Pt(size), True
            style.font.name = "Times New Roman"
            own = style.element.get_or_add_rPr().get_or_add_rFonts()
            for attribute in list(own.attrib):
                del own.attrib[attribute]
            for kind in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
                own.set(qn(kind), "Times New Roman")
            style.font.color.rgb = colour or RGBColor(0x1B, 0x1D, 0x1F)
            style.paragraph_format.keep_with_next = True
        border = styles["Title"].element.find(f".//{qn('w:pBdr')}")
        if border is not None:
            border.getparent().remove(border)

    def _frame(self) -> None:
        section = self.word.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin, section.right_margin = Mm(24), Mm(22)
        section.top_margin = section.bottom_margin = Mm(25)
        section.different_first_page_header_footer = True
        head = section.header.paragraphs[0]
        marks = " · ".join(m for m in (self.plain["mark"], self.plain["simulated"]) if m)
        self._run(head, self.plain["running"] + (f" — {marks}" if marks else ""), "small")
        for foot in (section.footer.paragraphs[0], section.first_page_footer.paragraphs[0]):
            self._run(foot, f"{self.plain['footer']} — {self.plain['words']['page']} ", "small")
            self._number(foot, "PAGE")
            self._run(foot, " / ", "small")
            self._number(foot, "NUMPAGES")
        told = self.word.core_properties
        told.title, told.subject = self.plain["title"][:255], self.plain["subject"][:255]
        told.author = told.last_modified_by = ""
        told.comments = ""
        told.keywords = ", ".join(self.plain["keywords"])[:255]
        told.language = self.plain["lang"]
        told.created = told.modified = dt.datetime(*self.plain["dated"])
        told.revision = 1

    def _number(self, paragraph: Any, field: str) -> None:
        run = paragraph.add_run()
        run.font.size, run.font.color.rgb = Pt(8.5), SOFT
        for kind in ("begin", None, "separate", "text", "end"):
            if kind is None:
                part = OxmlElement("w:instrText")
                part.set(qn("xml:space"), "preserve")
                part.text = f" {field} "
            elif kind == "text":
                part = OxmlElement("w:t")
                part.text = "1"
            else:
                part = OxmlElement("w:fldChar")
                part.set(qn("w:fldCharType"), kind)
            run._r.append(part)

    # -- pieces

    def _run(self, paragraph: Any, text: str, style: str = "") -> None:
        run = paragraph.add_run()
        for number, piece in enumerate(text.split("\n")):
            if number:
                run.add_break()
            run.add_text(piece)
        if style == "small":
            run.font.size, run.font.color.rgb = Pt(8.5), SOFT
        elif style in ("strong", "new"):
            run.bold = True
        elif style == "mono":
            run.font.name, run.font.size = "Courier New", Pt(7.5)
        elif style == "was":
            run.font.strike, run.font.color.rgb = True, SOFT

    def _para(self, text: str, style: str = "", name: str | None = None) -> Any:
        paragraph = self.word.add_paragraph(style=name)
        self._run(paragraph, text, style)
        return paragraph

    def whole(self) -> None:
        plain = self.plain
        space = self.word.add_paragraph()
        space.paragraph_format.space_after = Pt(70)
        self._para(plain["eyebrow"], "small")
        self._para(plain["title"], name="Title")
        if plain["subtitle"]:
            self._run(self.word.add_paragraph(style="Subtitle"), plain["subtitle"])
        if plain["mark"]:
            mark = self._para(f"{plain['words']['watermark']} — {plain['mark']}", "strong")
            mark.runs[0].font.size = Pt(16)
            mark.runs[0].font.color.rgb = SOFT
        for block in plain["cover"]:
            self.block(block)
        if plain["simulated"]:
            self._para(plain["simulated"], "strong").runs[0].font.color.rgb = WARN
        if plain["blocks"]:
            self.word.add_page_break()
        if plain["words"]["contents"]:
            self._contents()
        for block in plain["blocks"]:
            self.block(block)

    def _contents(self) -> None:
        """A list of the headings; a field, so that Word can bring page numbers into it (right click, update)."""
        head = self._para(self.plain["words"]["contents"], "strong")
        head.runs[0].font.size = Pt(14)
        heads = [b for b in self.plain["blocks"] if b["is"] == "heading"]
        first = self.word.add_paragraph()
        run = first.add_run()
        for kind in ("begin", None, "separate"):
            part = OxmlElement("w:instrText" if kind is None else "w:fldChar")
            if kind is None:
                part.set(qn("xml:space"), "preserve")
                part.text = ' TOC \\o "1-2" \\h \\z \\u '
            else:
                part.set(qn("w:fldCharType"), kind)
            run._r.append(part)
        paragraph = first
        for number, block in enumerate(heads):
            if number:
                paragraph = self.word.add_paragraph()
            paragraph.paragraph_format.left_indent = Mm(6 * (block["level"] - 1))
            paragraph.paragraph_format.space_after = Pt(2)
            self._run(paragraph, block["text"])
        end = OxmlElement("w:fldChar")
        end.set(qn("w:fldCharType"), "end")
        paragraph.add_run()._r.append(end)
        self.word.add_page_break()

    def block(self, block: dict[str, Any]) -> None:
        name = "para_block" if block["is"] == "para" else block["is"]
        getattr(self, f"_{name}")(block)

    def _heading(self, block: dict[str, Any]) -> None:
        self._run(self.word.add_paragraph(style=f"Heading {block['level']}"), block["text"])

    def _break(self, block: dict[str, Any]) -> None:
        self.word.add_paragraph().add_run().add_break(WD_BREAK.PAGE)

    def _facts(self, block: dict[str, Any]) -> None:
        table = self.word.add_table(rows=0, cols=2)
        table.alignment = WD_TABLE_ALIGNMENT.LEFT
        for name, value in block["rows"]:
            cells = table.add_row().cells
            self._fill(cells[0], [{"text": name, "style": "small"}])
            self._fill(cells[1], [{"text": value, "style": ""}])
        self._widths(table, [42, WIDTH_MM - 42])
        self.word.add_paragraph()

    def _para_block(self, block: dict[str, Any]) -> None:
        for text in block["paragraphs"]:
            self._para(text, block["style"])

    def _notice(self, block: dict[str, Any]) -> None:
        paragraph = self._para(block["text"], name="Intense Quote")
        for run in paragraph.runs:
            run.font.color.rgb = WARN if block["tone"] == "warn" else ACCENT

    def _table(self, block: dict[str, Any]) -> None:
        caption = self._para(block["caption"], "strong")
        caption.paragraph_format.keep_with_next = True
        columns = block["columns"]
        table = self.word.add_table(rows=1, cols=len(columns))
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.LEFT
        head = table.rows[0]
        for cell, column in zip(head.cells, columns, strict=True):
            self._fill(cell, [{"text": column["title"], "style": "strong"}], column["align"], block["small"])
        self._flag(head, "w:tblHeader")
        self._flag(head, "w:cantSplit")
        for row in block["rows"]:
            made = table.add_row()
            for cell, lines, column in zip(made.cells, row["cells"], columns, strict=True):
                self._fill(cell, lines, column["align"], block["small"], strong=row["strong"])
        share = sum(c["width"] for c in columns)
        self._widths(table, [WIDTH_MM * c["width"] / share for c in columns])
        self.word.add_paragraph()

    @staticmethod
    def _flag(row: Any, name: str) -> None:
        part = OxmlElement(name)
        part.set(qn("w:val"), "true")
        row._tr.get_or_add_trPr().append(part)

    def _fill(
        self, cell: Any, lines: list[dict[str, str]], align: str = "left", small: bool = False, strong: bool = False
    ) -> None:
        for number, line in enumerate(lines):
            paragraph = cell.paragraphs[0] if not number else cell.add_paragraph()
            paragraph.paragraph_format.space_after = Pt(1)
            if align == "right":
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            self._run(paragraph, line["text"], "strong" if strong else line["style"])
            for run in paragraph.runs:
                if run.font.size is None:
                    run.font.size = Pt(8.5 if small else 9.5)

    @staticmethod
    def _widths(table: Any, widths: list[float]) -> None:
        table.autofit = False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(width)
        for row in table.rows:
            for cell, width in zip(row.cells, widths, strict=True):
                cell.width = Mm(width)

    def _charts(self, block: dict[str, Any]) -> None:
        if block["caption"]:
            self._para(block["caption"], "strong").paragraph_format.keep_with_next = True
        table = self.word.add_table(rows=0, cols=2)
        for number in range(0, len(block["items"]), 2):
            row = table.add_row()
            self._flag(row, "w:cantSplit")
            for cell, item in zip(row.cells, block["items"][number : number + 2], strict=False):
                self._run(cell.paragraphs[0], item["title"], "strong")
                picture = (
                    cell.add_paragraph()
                    .add_run()
                    .add_picture(io.BytesIO(pdf.png(pdf.showable(item["svg"]))), width=Mm(76))
                )
                picture._inline.docPr.set("descr", item["alt"])
                picture._inline.docPr.set("title", item["title"])
        self._widths(table, [WIDTH_MM / 2, WIDTH_MM / 2])
        self.word.add_paragraph()

    def _boxes(self, block: dict[str, Any]) -> None:
        table = self.word.add_table(rows=0, cols=2)
        table.style = "Table Grid"
        items = block["items"]
        for number in range(0, len(items), 2):
            row = table.add_row()
            row.height = Mm(52)
            self._flag(row, "w:cantSplit")
            for cell, box in zip(row.cells, items[number : number + 2], strict=False):
                lines = [{"text": box["order"], "style": "small"}, {"text": box["name"], "style": "strong"}]
                lines += [{"text": t, "style": ""} for t in [box["role"], *box["decision"]] if t]
                lines += [{"text": t, "style": "strong"} for t in box["signed"] if t]
                lines += [{"text": t, "style": "small"} for t in box["lines"]]
                self._fill(cell, lines)
        self._widths(table, [WIDTH_MM / 2, WIDTH_MM / 2])
