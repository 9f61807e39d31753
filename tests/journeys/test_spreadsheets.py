"""The spreadsheet is a client: a list of members from Excel, a contract out to a workbook and back."""

from __future__ import annotations

import datetime as dt
import re

from playwright.sync_api import expect

from tests.journeys.story import act_for, picture, told

MEMBERS = "/poles/avenia/membres/"
LIST = """Raison sociale;N° SIRET;Type de membre;Collège;Date d'adhésion;Ville
Géothermie des Gaves;732 829 320 00074;PME;Entreprises;01/06/2010;Pau
Études du sous-sol béarnais;73282932000075;PME;Entreprises;02/06/2010;Orthez
Laboratoire des réservoirs;;Recherche;Recherche;03/06/2010;Pau
Géothermie des Gaves;732 829 320 00074;PME;Entreprises;01/06/2010;Pau
"""


def hand_in(page, path):
    page.goto(f"{MEMBERS}importer/")
    page.locator("input[type=file]").set_input_files(path)
    page.locator("form:has(input[type=file]) button").click()
    page.wait_for_url(re.compile(r"/importer/\d+/"))
    if page.get_by_role("button", name="Voir l'aperçu").count():
        return
    expect(page.get_by_role("button", name=re.compile("Voir l'aperçu")).or_(page.locator(".figures"))).to_be_visible()


def test_members_from_excel_in_french(story, axe, tmp_path):
    path = tmp_path / "membres juin.csv"
    path.write_bytes(LIST.replace("\n", "\r\n").encode("cp1252"))  # as Excel in French saves it
    pole = story.enter("cluster_team")
    act_for(pole, "Avenia")
    pole.goto(MEMBERS)
    picture(pole, "members-1-list")
    hand_in(pole, path)

    # Columns are recognised and can be confirmed.
    if pole.get_by_role("button", name="Voir l'aperçu").count():
        expect(pole.locator("table")).to_contain_text("Raison sociale")
        axe(pole)
        picture(pole, "members-2-columns")
        pole.get_by_role("button", name="Voir l'aperçu").click()
    expect(pole.locator(".figures")).to_be_visible()
    axe(pole)
    picture(pole, "members-3-preview")

    # One wrong SIRET, one row twice, each with its sentence; accents arrived whole; nothing is written yet.
    wrong = pole.locator("tr.has-error")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("Études du sous-sol béarnais")
    expect(wrong).to_contain_text("73282932000075")
    expect(pole.locator("main")).to_contain_text(re.compile("doublon|déjà.*ligne|répét", re.I))
    assert "Géothermie des Gaves" not in pole.request.get(MEMBERS + "?q=Gaves").text().split("<tbody>")[-1]

    pole.get_by_label(re.compile("Laisser de côté la ligne en erreur")).check()
    pole.get_by_role("button", name=re.compile("Importer les 2 lignes|Importer les 3 lignes")).click()
    expect(pole.locator("main")).to_contain_text("Importé le")
    picture(pole, "members-4-accepted")
    listed = pole.request.get(MEMBERS + "?q=Gaves").text()
    assert "Géothermie des Gaves" in listed

    # The same file again changes nothing.
    hand_in(pole, path)
    if pole.get_by_role("button", name="Voir l'aperçu").count():
        pole.get_by_role("button", name="Voir l'aperçu").click()
    expect(pole.locator("main")).to_contain_text("Aucune ligne ne change le registre")
    picture(pole, "members-5-again")
    assert "Intact" in story.installation.jalon("verify")


def rewritten(source, to, change):
    """Save a workbook as a spreadsheet program would: every cell as it is, but those that ``change`` gives another value."""
    import xlsxwriter
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(source))
    changed = 0
    with xlsxwriter.Workbook(str(to)) as out:
        days = out.add_format({"num_format": "yyyy-mm-dd"})
        for name in book.sheet_names:
            sheet = out.add_worksheet(name)
            for r, cells in enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False)):
                for c, cell in enumerate(cells):
                    value = change(name, r, c, cell, cells)
                    changed += value != cell
                    if isinstance(value, dt.date | dt.datetime):
                        sheet.write_datetime(r, c, value, days)
                    elif value not in ("", None):
                        sheet.write(r, c, value)
    return changed


def test_a_contract_out_to_a_workbook_and_back(story, axe, tmp_path):
    state = story.enter("state_correspondent")
    state.goto("/contrats/avenia-2010/echange/")
    axe(state)
    picture(state, "exchange-1-files")
    with state.expect_download() as got:
        state.get_by_role("link", name=re.compile("xlsx|Excel|Classeur", re.I)).first.click()
    source, back = tmp_path / "contrat.xlsx", tmp_path / "contrat modifié.xlsx"
    got.value.save_as(source)

    def one_cell(sheet, row, column, cell, cells):
        return "Ingénierie et suivi des projets" if cell == "Ingénierie de projets" else cell

    # Saved again without a change: no difference. The command says the same.
    assert rewritten(source, back, lambda *known: known[3]) == 0
    assert "aucune différence" in story.installation.jalon("contract", "import", "avenia-2010", str(back)).lower()
    assert rewritten(source, back, one_cell) == 1
    state.locator("input[type=file]").set_input_files(back)
    state.get_by_role("button", name="Voir ce qui change").click()
    expect(state.get_by_role("heading", level=1)).to_contain_text("contrat modifié.xlsx")
    rows = state.locator("#changements ~ table tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Ingénierie de projets")
    expect(rows).to_contain_text("Ingénierie et suivi des projets")
    axe(state)
    picture(state, "exchange-2-preview")
    state.get_by_label("Motif").fill("L'équipe suit aussi les projets.")
    state.get_by_role("button", name="Proposer ce qui est coché").click()
    told(state, re.compile("propos"))
    picture(state, "exchange-3-proposed")
    pole = story.enter("cluster_director")
    act_for(pole, "Avenia")
    pole.goto("/contrats/avenia-2010/")
    expect(pole.locator("main")).to_contain_text("Ingénierie et suivi des projets")
    expect(pole.locator("main")).to_contain_text("L'équipe suit aussi les projets.")

    # The YAML goes the same way, from the command line, and writes only when it is told to.
    text = tmp_path / "contrat.yaml"
    story.installation.jalon("contract", "export", "avenia-2010", str(text))
    text.write_text(text.read_text("utf-8").replace("Compétences et formation", "Compétences"), "utf-8")
    said = story.installation.jalon("contract", "import", "avenia-2010", str(text))
    assert "Compétences et formation" in said and "Compétences" in said
    assert story.installation.jalon("contract", "import", "avenia-2010", str(text)) == said, "nothing was written"
