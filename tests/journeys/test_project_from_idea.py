"""A project from the idea to its admissibility: a call is opened, a consortium writes, hands in, is asked, answers, is admitted.

The steps are functions, so that a longer journey (label, selection, agreement, payment, relay) can take them up.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests import demonstration
from tests.journeys.story import PHONE, confirm, picture, sideways, told

CLOSING = "2010-09-30"


def open_call(officer: Page, title: str) -> str:
    """A call of the fund opened from its scheme; its address."""
    officer.goto("/appels/ouvrir/")
    officer.get_by_label("Dispositif").select_option("fui")
    officer.locator("[name=title]").fill(title)
    officer.get_by_label("Clôture").fill(CLOSING)
    officer.get_by_label("Enveloppe").fill("60 000 000")
    officer.get_by_role("button", name="Ouvrir l'appel").click()
    told(officer, "L'appel est ouvert")
    return officer.url.split("/appels/")[1].strip("/")


def start_project(member: Page, call: str, acronym: str) -> str:
    """A project started from the page of a call; its slug."""
    member.goto(f"/appels/{call}/")
    member.get_by_role("link", name="Commencer un projet").click()
    member.get_by_label("Sigle").fill(acronym)
    member.locator("[name=title]").fill(f"Le projet {acronym}")
    member.get_by_role("button", name="Commencer").click()
    return member.url.split("/projets/")[1].split("/")[0]


def write(page: Page, section: str, values: dict[str, str]) -> None:
    """Fill fields of a section and wait until the page says that they are saved."""
    place = page.locator(f"#section-{section}")
    for name, value in values.items():
        field = place.locator(f"[name={name}]")
        if field.evaluate("f => f.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    expect(place.locator("[data-autosave-status]").first).to_contain_text("Enregistré à")


def add_partner(page: Page, project: str, name: str) -> None:
    """A partner found in the register by its name."""
    page.goto(f"/projets/{project}/monter/?q={name}#ajouter")
    page.get_by_role("button", name=re.compile("^Ajouter ")).first.click()
    told(page, "est partenaire du projet")


def budget(page: Page, project: str, part: str, amount: str, asked: str, year: str = "2011") -> None:
    """One line of a partner's budget, and the aid it asks for."""
    page.goto(f"/projets/{project}/budget/{part}/")
    page.locator("[name=year_0]").fill(year)
    page.locator("[name=category_0]").select_option("personnel")
    page.locator("[name=frascati_0]").select_option("applied")
    page.locator("[name=aid_class_0]").select_option("industrial")
    page.locator("[name=amount_0]").fill(amount)
    page.get_by_label("Aide demandée, €").fill(asked)
    page.get_by_role("button", name="Enregistrer").click()
    told(page, "Budget enregistré")


def fill_file(page: Page, project: str) -> None:
    """The texts of a file and the parts of its three partners."""
    page.goto(f"/projets/{project}/monter/")
    write(page, "identity", {"starts_on": "2011-01-01", "months": "36"})
    write(page, "summary", {"summary": "Des résines tirées du pin pour remplacer celles du pétrole."})
    write(page, "confidential", {"confidential": "Procédé, verrous, marché visé et partage des travaux."})
    write(page, "trl", {"trl_entry": "3", "trl_target": "4"})
    write(page, "statements", {"other_funding": "no"})
    for part, values in {
        "p1": {"kind": "company", "size": "small", "department": "33", "in_territory": "yes"},
        "p2": {"kind": "company", "size": "small", "department": "33", "in_territory": "yes"},
        "p3": {"kind": "research", "cost_basis": "full", "department": "33"},
    }.items():
        card = page.locator(f"#section-partner-{part}")
        if card.locator("details[open]").count() == 0:
            card.locator("summary", has_text="Nature, taille, lieu").click()
        write(page, f"partner-{part}", values)
    budget(page, project, "p1", "900 000", "400 000")
    budget(page, project, "p2", "600 000,50", "250 000")
    budget(page, project, "p3", "500 000", "190 000")


def hand_in(page: Page, project: str) -> None:
    """The annex, then the file itself, with the second press that is asked for."""
    page.goto(f"/projets/{project}/monter/")
    page.locator("#code").select_option("technical_annex")
    page.locator("#paper-file").set_input_files(
        {"name": "annexe.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 a"}
    )
    page.get_by_role("button", name="Ajouter la pièce").click()
    told(page, "Pièce ajoutée")
    page.get_by_role("button", name="Déposer le dossier").click()
    confirm(page)
    told(page, "Le dossier est déposé et figé")


def give_label(story, project: str, cluster: str = "xylofutur") -> None:
    """The row that the labelling procedure writes; a longer journey goes through the pôle's own pages instead."""
    demonstration.python(
        story.installation.home,
        "from jalon.projects.models import *; from jalon.clusters.models import Cluster; import datetime as dt\n"
        "from jalon.core.clock import moment_on; day = dt.date(2010, 6, 29)\n"
        f"ProjectLabel.objects.create(project=Project.objects.get(slug={project!r}), cluster=Cluster.objects.get(slug={cluster!r}),"
        " lead=True, outcome='labelled', decided_on=day, recorded_at=moment_on(day), simulated=True)",
    )


def test_from_the_idea_to_admissibility(story, axe):
    officer, member, manager = (story.enter(r) for r in ("national_officer", "project_member", "fund_manager"))
    call = open_call(officer, "Appel du parcours")
    expect(officer.locator("#regles ~ table").first).to_contain_text("entreprises indépendantes, au moins")
    axe(officer)

    project = start_project(member, call, "RESIPIN")
    expect(member.locator("#manques")).to_contain_text("il en faut au moins 2, indépendantes")
    add_partner(member, project, "PME simulée n° 1")
    add_partner(member, project, "Laboratoire simulé")
    fill_file(member, project)
    member.goto(f"/projets/{project}/monter/")
    expect(member.locator("#manques")).to_contain_text("Aucun pôle n'a labellisé le projet")
    axe(member)
    picture(member, "project-1-editor")
    member.set_viewport_size(PHONE)
    assert sideways(member) <= 0
    member.set_viewport_size({"width": 1280, "height": 900})

    # Two people at once: the second one sees both versions, nothing is lost.
    other = story.enter("project_member")
    other.goto(f"/projets/{project}/monter/")
    write(member, "summary", {"summary": "Des résines de pin, première version."})
    other.locator("#section-summary [name=summary]").fill("Des résines de pin, autre version.")
    expect(other.locator("#section-summary .conflict")).to_contain_text("première version")

    # Nobody outside sees a draft.
    assert story.visitor().goto(f"/projets/{project}/").status == 404
    hand_in(member, project)
    picture(member, "project-2-handed-in")

    # The file is received; without a label it cannot be admitted, and the reason is said.
    manager.goto(f"/projets/{project}/recevabilite/")
    manager.get_by_role("button", name="Déclarer recevable").click()
    expect(manager.locator("main")).to_contain_text("Aucun pôle n'a labellisé le projet")
    give_label(story, project)
    manager.goto(f"/projets/{project}/recevabilite/")
    manager.get_by_label("Résumé public").check()
    manager.get_by_label("Ce qui est demandé").fill("Préciser le marché visé.")
    manager.get_by_role("button", name="Envoyer la demande").click()
    told(manager, "seules les sections nommées sont rouvertes")

    # The consortium answers: the named section is open, the rest frozen.
    member.goto(f"/projets/{project}/monter/")
    expect(member.locator("#section-identity [name=acronym]")).to_be_disabled()
    write(member, "summary", {"summary": "Des résines de pin pour le marché des colles du bâtiment."})
    member.get_by_role("button", name="Envoyer la réponse").click()
    told(member, "Réponse envoyée")
    manager.goto(f"/projets/{project}/recevabilite/")
    axe(manager)
    picture(manager, "project-3-admissibility")
    manager.get_by_role("button", name="Déclarer recevable").click()
    told(manager, "Décision enregistrée")
    member.goto(f"/projets/{project}/")
    expect(member.locator("main")).to_contain_text("recevable")
    expect(member.locator("main")).to_contain_text("SHA-256")
