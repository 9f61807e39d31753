"""A company claims its advance; two people certify it; the payment goes to the bank and repays its relay. Then the last payment."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.story import picture, told, unfold

DESK = "/financements/"
MONEY = "/mon-argent/"


def claim_of(page, acronym):
    """The page of the claim of a project, from the funder's desk."""
    page.goto(DESK)
    page.get_by_role("row").filter(has_text=acronym).get_by_role("link").first.click()


def press(page, fold, button=None):
    """Open a folded form if it is folded, and press its button."""
    place = page.get_by_role("button", name=button or fold, exact=True).first
    unfold(place)
    place.click()


def test_from_the_claim_to_the_last_payment_and_the_relay_repaid(story, axe, tmp_path):
    company = story.enter("project_member")
    company.goto(MONEY)
    axe(company)
    expect(company.locator("main")).to_contain_text("VALBOIS")
    picture(company, "money-1-my-money")
    company.get_by_role("link", name=re.compile("Trésorerie|mois par mois")).first.click()
    axe(company)
    picture(company, "money-2-cash-calendar")

    # The bank holds the claim on the grant: 120,000 € advanced, counter-guaranteed.
    bank = story.enter("bank_officer")
    bank.goto("/financement-relais/")
    axe(bank)
    bank.get_by_role("row").filter(has_text="VALBOIS").get_by_role("link").first.click()
    expect(bank.locator(".figures")).to_contain_text(re.compile(r"120\s000\s€"))
    relay = bank.url

    # Every instalment: claimed, checked, certified by a second person, ordered to the bank, paid.
    manager, certifier = story.enter("fund_manager"), story.enter("certifier")
    for number in (1, 2, 3):
        company.goto(MONEY)
        company.get_by_role("link", name=re.compile(f"Demander la tranche {number}")).first.click()
        if number == 1:
            axe(company)
        else:
            evidence = tmp_path / f"rapport {number}.csv"
            evidence.write_text("poste;montant\npersonnel;1\n", encoding="utf-8")
            company.get_by_label("Pièces justificatives").set_input_files(evidence)
            company.get_by_label("Année de la dépense 1").fill("2010")
            company.get_by_label("Catégorie de la dépense 1").fill("personnel")
            company.get_by_label("Montant de la dépense 1").fill("300 000")
        company.get_by_role("button", name="Déposer la demande").click()
        told(company, "Demande déposée")
        claim_of(manager, "VALBOIS")
        if number == 1:
            axe(manager)
            picture(manager, "money-3-claim-to-check")
        manager.get_by_role("button", name="Vérifier", exact=True).click()
        told(manager, "seconde personne")
        # The same person cannot certify: the page offers no button for it.
        expect(manager.get_by_role("button", name="Certifier le service fait")).to_have_count(0)
        claim_of(certifier, "VALBOIS")
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
            bank.goto(relay)
            expect(bank.locator(".figures")).to_contain_text(re.compile(r"48\s000\s€"))

    # The bank is repaid, its relay closed, the counter-guarantee released; the surplus went on to the company.
    bank.goto(relay)
    expect(bank.locator("main")).to_contain_text("remboursé, clos")
    expect(bank.locator("main")).to_contain_text("contre-garantie levée")
    expect(bank.locator("main")).to_contain_text("excédent reversé à l'entreprise")
    axe(bank)
    picture(bank, "money-5-relay-repaid")
    guarantor = story.enter("guarantor")
    guarantor.goto(relay)
    expect(guarantor.locator("main")).to_contain_text("contre-garantie levée")

    # The company reads that all of it came, and the funder closes the agreement.
    company.goto(MONEY)
    expect(company.locator(".figures")).to_contain_text(re.compile(r"0\s€\s*restent à venir"))
    expect(company.locator("main")).to_contain_text("L'argent est versé.")
    picture(company, "money-6-all-paid")
    manager.goto("/conventions/?q=VALBOIS")
    manager.locator("tbody th a").first.click()
    axe(manager)
    box = manager.locator("#close-reason")
    unfold(box)
    box.fill("Projet achevé, tout est payé.")
    manager.get_by_role("button", name="Solder", exact=True).click()
    told(manager, "soldée")
    national = story.enter("national_officer")
    national.goto("/financement-relais/bilan/")
    axe(national)
    expect(national.locator("main")).to_contain_text("Rhône-Alpes")
    national.goto("/delais-de-versement/")
    axe(national)
    picture(national, "money-7-delays")
