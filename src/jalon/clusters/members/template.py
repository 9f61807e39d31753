"""The workbook to fill in: headers of the import, cells formatted, accepted words listed. Made from the policy."""

from __future__ import annotations

import io
from typing import Any

from jalon.clusters.members import rules
from jalon.core.lang import T, Text

ROWS = 2000
"""Rows whose cells are formatted (text for identifiers, so that leading zeros stay)."""

HELP: dict[str, Text] = {
    "name": T(
        "Obligatoire pour un nouvel organisme. La forme juridique, la casse et les accents ne comptent pas pour le reconnaître.",
        "Needed for a new organisation. Legal form, case and accents do not count when it is recognised.",
    ),
    "identifier": T(
        "Tout autre identifiant, sa nature devant : « SIREN 732829320 ». Plusieurs : les séparer par « ; ».",
        "Any other identifier, its kind in front: “SIREN 732829320”. Several: separate them by “;”.",
    ),
    "country": T(
        "Nom ou code à deux lettres. Vide : le pays du programme.",
        "Name or two-letter code. Empty: the programme's country.",
    ),
    "postcode": T("Au format texte, pour garder le zéro en tête.", "As text, so that a leading zero stays."),
    "city": T("Siège ou établissement.", "Seat or establishment."),
    "type": T(
        "Obligatoire pour une nouvelle adhésion. Mots acceptés ci-dessous.",
        "Needed for a new membership. Accepted words below.",
    ),
    "college": T("Facultatif. Mots acceptés ci-dessous.", "Optional. Accepted words below."),
    "joined_on": T(
        "Premier jour de l'adhésion : jj/mm/aaaa ou aaaa-mm-jj.",
        "First day of the membership: dd/mm/yyyy or yyyy-mm-dd.",
    ),
    "left_on": T(
        "Dernier jour de l'adhésion. Vide : toujours membre.", "Last day of the membership. Empty: still a member."
    ),
    "headcount": T("Nombre entier, de l'entreprise entière.", "Whole number, of the whole enterprise."),
    "size": T(
        "Catégorie de taille, si elle est connue. Mots acceptés ci-dessous.",
        "Size category, if known. Accepted words below.",
    ),
    "size_on": T(
        "Jour auquel l'effectif ou la taille était vrai. Vide : le jour de l'import.",
        "Day on which headcount or size was true. Empty: the day of the import.",
    ),
    "evidence": T(
        "Liasse fiscale, déclaration datée… Vide : le fichier lui-même.",
        "Tax return, dated declaration… Empty: the file itself.",
    ),
}


def help_rows(words: rules.Words) -> list[tuple[str, str, str]]:
    """The help sheet: (column, what is accepted, other headers recognised), then the lists of accepted words."""
    rows = []
    for field in words.fields.template:
        if field.code.startswith("id:"):
            scheme = field.code.removeprefix("id:")
            told: Any = T("{t}. Au format texte.", "{t}. As text.", t=words.fields.titles[scheme])
        else:
            told = HELP[field.code]
        rows.append((str(field.title), str(told), ", ".join(field.names[:6])))
    blank = ("", "", "")
    rows += [blank, (str(T("Types de membre acceptés", "Accepted member types")), "", "")]
    rows += [("", str(t.title), t.code) for t in words.members.types]
    rows += [blank, (str(T("Collèges acceptés", "Accepted colleges")), "", "")]
    rows += [("", str(c.title), c.code) for c in words.members.colleges]
    for scheme in words.members.size_schemes:
        rows += [
            blank,
            (
                str(T("Tailles : {t}", "Sizes: {t}", t=scheme.title)),
                str(T("depuis le {d}", "since {d}", d=scheme.valid_from.isoformat())),
                "",
            ),
        ]
        rows += [("", str(c.title), c.code) for c in scheme.categories]
    return rows


def workbook(words: rules.Words) -> bytes:
    """The template as XLSX, in the language spoken."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    shapes = {
        "text": book.add_format({"num_format": "@"}),
        "date": book.add_format({"num_format": "dd/mm/yyyy"}),
        "number": book.add_format({"num_format": "0"}),
    }
    sheet = book.add_worksheet(str(T("Membres", "Members")))
    sheet.freeze_panes(1, 1)
    lists = {
        "type": [str(t.title) for t in words.members.types],
        "college": [str(c.title) for c in words.members.colleges],
    }
    for x, field in enumerate(words.fields.template):
        sheet.set_column(x, x, field.width, shapes[field.kind])
        sheet.write_string(0, x, str(field.title), head)
        choices = lists.get(field.code)
        if choices and len(",".join(choices)) <= 255 and not any("," in c for c in choices):
            sheet.data_validation(1, x, ROWS, x, {"validate": "list", "source": choices, "error_type": "warning"})
    aid = book.add_worksheet(str(T("Aide", "Help")))
    for x, (title, width) in enumerate(
        (
            (T("Colonne", "Column"), 30),
            (T("Ce qui est attendu", "What is expected"), 70),
            (T("Autres intitulés reconnus ou code", "Other headers recognised, or code"), 50),
        )
    ):
        aid.set_column(x, x, width)
        aid.write_string(0, x, str(title), head)
    for y, row in enumerate(help_rows(words), 1):
        for x, text in enumerate(row):
            if text:
                aid.write_string(y, x, text, head if x == 0 and not row[2] else wrap)
    book.close()
    return out.getvalue()
