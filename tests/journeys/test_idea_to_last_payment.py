"""One project from the idea to its last payment, by everybody concerned, on the demonstration as it is installed.

National officer (opens a call), company and partners (file), pôle's team, expert, committee, bureau (label), fund manager
(admissibility, selection), ministry's expert, region, authority that decides, bank and guarantor (relay), certifier; then the
relay is repaid by the public payments, and the company renders account.
"""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests import demonstration
from tests.journeys.story import PHONE, confirm, picture, sideways, told, travel, unfold

CLOSING = "2010-09-30"
DESK = "/financements/"
MONEY = "/mon-argent/"
ACRONYM = "RESIPIN"


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
        "p1": {"kind": "company", "size": "small", "department": "69", "in_territory": "yes"},
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


def declare(page: Page) -> None:
    """The declaration that opens a file, where the page asks for it."""
    link = page.get_by_role("link", name="Déclarer mes intérêts")
    if link.count():
        link.first.click()
    elif "/mes-declarations/" not in page.url:
        return
    page.get_by_label("Je n'ai aucun lien").check()
    page.get_by_role("button", name="Déclarer", exact=True).click()
    page.wait_for_load_state()


def choose(page: Page, name: str, words: str) -> None:
    """The option of a list that holds these words."""
    value = page.locator(f"select[name={name}] option", has_text=words).first.get_attribute("value")
    page.locator(f"select[name={name}]").first.select_option(value)


def ask_for_the_label(member: Page, project: str) -> None:
    """The consortium asks its pôle, from the page of the project."""
    member.goto(f"/projets/{project}/")
    member.get_by_role("link", name="Labellisation").click()
    choose(member, "cluster", "Xylofutur")
    member.get_by_label("pôle chef de file").check()
    member.get_by_role("button", name="Demander le label").click()
    expect(member.get_by_role("heading", name=re.compile("Xylofutur"))).to_be_visible()


def give_the_label(story: Any, project: str, axe: Any) -> None:
    """The pôle's own procedure: team, expert, committee, bureau."""
    team, director = story.enter("cluster_team"), story.enter("cluster_director")
    team.goto("/poles/xylofutur/labellisation/")
    team.get_by_role("link", name=re.compile(ACRONYM)).first.click()
    request = team.url
    declare(team)
    team.goto(request)
    team.locator("select[name=correspondent]").select_option(index=1)
    team.get_by_role("button", name="Accuser réception et affecter").click()
    team.get_by_role("button", name="Déclarer recevable").click()
    choose(team, "expert", "Expert")
    team.get_by_role("button", name="Demander l'avis").click()
    axe(team)

    expert = story.enter("expert")
    expert.goto("/avis/")
    expert.get_by_role("link", name=re.compile(ACRONYM)).first.click()
    declare(expert)
    expert.goto("/avis/")
    expert.get_by_role("link", name=re.compile(ACRONYM)).first.click()
    for code in ("technology", "partnership", "market", "jobs", "strategy"):
        expert.locator(f"#score-{code}").select_option("4")
    expert.get_by_label("favorable", exact=True).check()
    expert.get_by_label("Votre avis, motivé").fill("Consortium équilibré, verrou bien posé.")
    expert.get_by_role("button", name="Rendre l'avis").click()
    confirm(expert)
    told(expert, "Avis rendu")

    # The committee votes on the net, on the day itself: the director, and a member who has no button of its own.
    team.goto(request)
    expect(team.locator("main")).to_contain_text("Expert 1")
    team.get_by_label("vote électronique").check()
    team.locator("[name=closes_on]").fill("2010-06-30")
    team.locator("[name=reason]").last.fill("Un avis suffit : projet déjà connu du pôle.")
    team.get_by_role("button", name="Ouvrir le vote").click()
    demonstration.python(
        story.installation.home,
        "from jalon.people.models import User\n"
        "u = User.objects.get(email='expert-1@demonstration.invalid'); u.set_password('siège du comité 1'); u.save()",
    )
    for page in (director, story.enter_with_password("expert-1@demonstration.invalid", "siège du comité 1")):
        page.goto(request)
        declare(page)
        page.goto(request)
        page.get_by_role("button", name="Pour", exact=True).click()
        expect(page.locator("main")).to_contain_text("Vous avez voté.")
    team.goto(request)
    team.get_by_role("button", name="Clore le vote").click()
    director.goto(request)
    director.get_by_label("Label", exact=True).check()
    director.get_by_label("Motifs").fill("Cohérent avec la feuille de route du pôle.")
    director.get_by_role("button", name="Enregistrer la décision").click()
    confirm(director)
    expect(director.locator("main")).to_contain_text("labellisé")
    axe(director)


def select(story: Any, manager: Page, call: str, project: str, axe: Any) -> None:
    """Instruction, consensus, intentions of two funders, the list; the letter leaves."""
    manager.goto("/selection/")
    row = manager.get_by_role("listitem").filter(has_text="Appel du parcours")
    row.get_by_role("button", name="Ouvrir la sélection").click()
    told(manager, "La sélection est ouverte")
    manager.goto(f"/selection/{call}/instruction/")
    manager.locator("summary", has_text="Désigner un expert").click()
    choose(manager, "expert", "xpert")
    manager.get_by_role("button", name="Désigner", exact=True).click()
    axe(manager)

    expert = story.enter("ministry_expert")
    expert.goto(f"/selection/{call}/instruction/")
    declare(expert)
    mark(expert)
    expert.get_by_role("button", name="Rendre l'avis").click()
    confirm(expert)
    expert.wait_for_url("**/instruction/")

    manager.goto(f"/selection/projets/{project}/consensus/")
    manager.locator("[name=reason]").first.fill("Le second expert est empêché.")
    manager.get_by_role("button", name="Ouvrir le consensus").click()
    mark(manager)
    manager.get_by_role("button", name="Arrêter le consensus").click()
    manager.wait_for_selector("text=total de consensus")

    manager.goto(f"/selection/projets/{project}/financement/")
    manager.get_by_label("Total à répartir").fill("500 000")
    manager.get_by_role("button", name="Répartir").click()
    axe(manager)
    region = story.enter("local_authority")
    region.goto(f"/selection/projets/{project}/financement/")
    region.locator("input[name=amount]").first.fill("40 000")
    region.get_by_role("button", name="Enregistrer").first.click()
    told(region, "Intention enregistrée")

    manager.goto(f"/selection/{call}/scenarios/")
    manager.get_by_label("Nom").fill("La liste du parcours")
    manager.get_by_label("Remplir depuis le haut").fill("1 000 000")
    manager.get_by_role("button", name="Créer le scénario").click()
    manager.wait_for_selector("text=La liste dit quelque chose de chaque projet")
    axe(manager)
    scenario = manager.url
    decider = story.enter("label_authority")
    decider.goto(scenario)
    decider.get_by_role("button", name="Arrêter cette liste").click()
    confirm(decider)
    decider.wait_for_selector("text=La liste est arrêtée")


def mark(page: Page) -> None:
    """Scores with their words, and the opinion, on the form of an expert or of the consensus."""
    page.wait_for_selector("select[id^=score-]")
    for box in page.locator("select[id^=score-]").all():
        code = box.get_attribute("id").removeprefix("score-")
        box.select_option("4")
        page.locator(f"#why-{code}").fill(f"Solide ({code})")
    page.get_by_label("favorable", exact=True).check()


def relay(story: Any, member: Page, project: str, axe: Any) -> tuple[Page, Page, str]:
    """The bank advances 100,000 € on the grant, half of it counter-guaranteed; (bank, guarantor, address)."""
    member.goto(MONEY)
    row = member.get_by_role("listitem").filter(has_text=ACRONYM)
    row.get_by_role("link", name=re.compile("Demander un relais")).first.click()
    choose(member, "bank", "Banque de la démonstration")
    member.get_by_label("Avance demandée").fill("100 000")
    member.get_by_role("button", name="Envoyer la demande").click()
    address = member.url
    bank, guarantor = story.enter("bank_officer"), story.enter("guarantor")
    bank.goto(address)
    place = bank.get_by_label("Avance proposée")
    unfold(place)
    place.fill("100 000")
    bank.get_by_label("Durée, en mois").fill("12")
    bank.get_by_label("Taux annuel").fill("4,5")
    choose(bank, "guarantor", "OSEO garantie")
    bank.get_by_role("button", name="Faire une offre").click()
    guarantor.goto(address)
    axe(guarantor)
    press(guarantor, "Accorder")
    member.goto(address)
    press(member, "Accepter l'offre")
    bank.goto(address)
    press(bank, "Notifier la cession au payeur")
    place = bank.locator("#draw-amount")
    unfold(place)
    place.fill("100 000")
    bank.locator("#draw-day").fill("2010-10-04")
    bank.get_by_role("button", name="Verser l'avance").click()
    expect(bank.locator(".figures")).to_contain_text(re.compile(r"100\s000\s€\s*dus à la banque"))
    axe(bank)
    return bank, guarantor, address


def agree(manager: Page, certifier: Page, member: Page, project: str) -> str:
    """The agreement drawn up from the decision, signed by both, its money committed; its address."""
    manager.goto(DESK)
    manager.get_by_label("Projet ou bénéficiaire").fill(ACRONYM)
    manager.get_by_role("button", name="Chercher").click()
    row = manager.get_by_role("row").filter(has_text=ACRONYM).filter(has_text="Atelier des Pins")
    row.get_by_role("link", name="Préparer la convention").first.click()
    manager.get_by_label("Numéro de la convention").fill("PARCOURS-1")
    manager.get_by_role("button", name="Préparer").click()
    address = manager.url
    press(manager, "Envoyer pour signature")
    for page in (member, certifier):
        page.goto(address)
        press(page, "Signer")
    manager.goto(address)
    place = manager.get_by_label("Numéro d'engagement")
    unfold(place)
    place.fill("2100-777")
    manager.get_by_role("button", name="Engager la dépense").click()
    told(manager, "Dépense engagée")
    return address


def claim_of(page: Page, acronym: str) -> None:
    """The page of the claim of a project, from the funder's desk."""
    page.goto(DESK)
    page.get_by_role("row").filter(has_text=acronym).get_by_role("link").first.click()


def press(page: Page, fold: str, button: str | None = None) -> None:
    """Open a folded form if it is folded, and press its button."""
    place = page.locator("main button", has_text=button or fold).first
    unfold(place)
    place.click()


def test_from_the_idea_to_the_last_payment_and_the_relay_repaid(story, axe, tmp_path):
    officer, member, manager = (story.enter(r) for r in ("national_officer", "project_member", "fund_manager"))
    call = open_call(officer, "Appel du parcours")
    expect(officer.locator("#regles ~ table").first).to_contain_text("entreprises indépendantes, au moins")
    axe(officer)

    project = start_project(member, call, ACRONYM)
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
    ask_for_the_label(member, project)
    give_the_label(story, project, axe)
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

    # After the closing: the selection, its letter, the relay asked for on it, the agreement.
    travel(manager, "2010-10-04")
    select(story, manager, call, project, axe)
    member.goto("/selection/lettres/")
    expect(member.locator("main")).to_contain_text("RESIPIN")
    bank, guarantor, advance = relay(story, member, project, axe)
    certifier = story.enter("certifier")
    agreement = agree(manager, certifier, member, project)
    member.goto(MONEY)
    axe(member)
    picture(member, "money-1-my-money")
    member.get_by_role("link", name=re.compile("Trésorerie|mois par mois")).last.click()
    axe(member)
    picture(member, "money-2-cash-calendar")

    # Every instalment: claimed, checked, certified by a second person, ordered to the bank, paid.
    travel(manager, "2012-03-01")
    for number in (1, 2, 3):
        member.goto(agreement)
        member.get_by_role("link", name="Demander ce versement").first.click()
        if number > 1:
            evidence = tmp_path / f"rapport {number}.csv"
            evidence.write_text("poste;montant\npersonnel;1\n", encoding="utf-8")
            member.get_by_label("Pièces justificatives").set_input_files(evidence)
            member.get_by_label("Année de la dépense 1").fill("2011")
            member.get_by_label("Catégorie de la dépense 1").fill("personnel")
            member.get_by_label("Montant de la dépense 1").fill("500 000")
        else:
            axe(member)
        member.get_by_role("button", name="Déposer la demande").click()
        told(member, "Demande déposée")
        claim_of(manager, "RESIPIN")
        if number == 1:
            axe(manager)
            picture(manager, "money-3-claim-to-check")
        manager.get_by_role("button", name="Vérifier", exact=True).click()
        told(manager, "seconde personne")
        # The same person cannot certify: the page offers no button for it.
        expect(manager.get_by_role("button", name="Certifier le service fait")).to_have_count(0)
        claim_of(certifier, "RESIPIN")
        certifier.get_by_role("button", name="Certifier le service fait").click()
        told(certifier, "certifié")
        manager.reload()
        press(manager, "Ordonner le paiement")
        told(manager, "ordonné")
        manager.get_by_role("button", name="Payé", exact=True).click()
        told(manager, "Paiement enregistré")
        if number == 1:
            expect(manager.locator("#ordres + table")).to_contain_text("Banque de la démonstration")
            picture(manager, "money-4-paid-to-the-bank")

    # The bank is repaid, its relay closed, the counter-guarantee released; the surplus went on to the company.
    bank.goto(advance)
    for words in ("remboursé, clos", "contre-garantie levée", "excédent reversé à l'entreprise"):
        expect(bank.locator("main")).to_contain_text(words)
    axe(bank)
    picture(bank, "money-5-relay-repaid")
    guarantor.goto(advance)
    expect(guarantor.locator("main")).to_contain_text("contre-garantie levée")

    # The company renders account (late, and the page says so), the funder checks; all is paid, the agreement closed.
    member.goto(agreement)
    member.locator("#comptes-rendus + ul").get_by_role("link").first.click()
    expect(member.locator("main")).to_contain_text("retard")
    member.get_by_label("Compte rendu qualitatif").fill("L'équipe est recrutée, le pilote commandé.")
    member.locator("[name=charge-label-1]").fill("Personnel")
    member.locator("[name=charge-planned-1]").fill("90 000")
    member.locator("[name=charge-actual-1]").fill("84 000,50")
    member.get_by_label("Annexe").fill("Un recrutement décalé de deux mois.")
    member.get_by_label("Pièces justificatives").set_input_files(evidence)
    axe(member)
    member.get_by_role("button", name="Remettre le compte rendu").click()
    told(member, "remis au financeur")
    manager.goto(member.url)
    manager.get_by_role("button", name="Vérifier le compte rendu").click()
    told(manager, "Compte rendu vérifié")
    picture(manager, "money-6-financial-return")
    manager.goto(agreement)
    expect(manager.locator(".figures")).to_contain_text(re.compile(r"0,00\s€\s*restent à venir|0\s€\s*restent à venir"))
    axe(manager)
    box = manager.locator("#close-reason")
    unfold(box)
    box.fill("Projet achevé, tout est payé.")
    manager.get_by_role("button", name="Solder", exact=True).click()
    told(manager, "soldée")
    officer.goto("/financement-relais/bilan/")
    axe(officer)
    expect(officer.locator("main")).to_contain_text("Rhône-Alpes")
    officer.goto("/delais-de-versement/")
    axe(officer)
    picture(officer, "money-7-delays")
