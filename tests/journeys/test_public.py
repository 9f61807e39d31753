"""Somebody without an account: no JavaScript, only a keyboard, a phone; and the days of the demonstration."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.story import PHONE, picture, sideways, travel


def test_without_javascript_and_without_account(story, axe):
    page = story.visitor(java_script_enabled=False)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pôles de compétitivité")
    expect(page.get_by_role("heading", name="Les pôles, région par région")).to_be_visible()
    expect(page.locator("main")).to_contain_text("71")

    page.get_by_role("searchbox").or_(page.get_by_label("Chercher un pôle")).first.fill("forets cultivees")
    page.get_by_role("button", name="Chercher").first.click()
    expect(page.locator("main")).to_contain_text("Xylofutur")
    picture(page, "public-1-search")

    # The register, filtered by its address, exported as it is shown.
    page.goto("/poles/")
    filters = page.locator("form.filters")
    filters.get_by_label(re.compile("Région|Territoire")).first.select_option(label="Aquitaine")
    filters.get_by_role("button").first.click()
    expect(page.locator("main table")).to_contain_text("Avenia")
    expect(page.locator("main table")).not_to_contain_text("Alsace BioValley")
    picture(page, "public-2-filtered")
    page.get_by_role("link", name="Avenia").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Avenia")

    # A pôle that lost its label: when, by which act, and what came after.
    page.goto("/poles/enfant/")
    expect(page.locator("main")).to_contain_text("11 mai 2010")
    expect(page.locator("main")).to_contain_text(re.compile("retir|non renouvel|n'est plus|sans label", re.I))
    page.goto("/poles/vestapolis/")
    expect(page.locator("main").get_by_role("link", name="Mov'eo").first).to_have_attribute("href", "/poles/moveo/")
    picture(page, "public-3-without-label")

    # The text of a signed contract, and the policy with its reasons.
    page.goto("/poles/xylofutur/")
    page.locator("main").get_by_role("link", name="Contrat de performance (phase 2)").first.click()
    page.get_by_role("link", name="Texte", exact=True).click()
    expect(page.locator("main")).to_contain_text("Objet du contrat")
    expect(page.locator("main")).to_contain_text(re.compile("simulé"))
    picture(page, "public-4-contract-text")
    page.goto("/politique/")
    expect(page.locator("main")).to_contain_text("18")
    picture(page, "public-5-policy")

    # English and back; the same page each time.
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(re.compile("/politique/"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("navigation", name="Main navigation")).to_contain_text("Clusters")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("navigation", name="Navigation principale")).to_contain_text("Pôles")


def focused(page):
    return page.evaluate("(document.activeElement.innerText || document.activeElement.value || '').trim()")


def tab_to(page, words, limit=80):
    for _ in range(limit):
        page.keyboard.press("Tab")
        if re.search(words, focused(page)):
            return
    raise AssertionError(f"{words!r} is not reached by Tab; the last place is {focused(page)!r}")


def test_keyboard_only(story):
    page = story.visitor()
    page.goto("/")
    page.keyboard.press("Tab")
    assert focused(page) == "Aller au contenu"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto("/")
    tab_to(page, "^Contrats$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Contrats")

    # A « Pourquoi ? » opens and closes.
    page.goto("/contrats/xylofutur-2009/suivi/")
    tab_to(page, "^Pourquoi")
    panel = page.evaluate_handle("document.activeElement.closest('details')")
    page.keyboard.press("Enter")
    assert panel.evaluate("e => e.open") is True
    page.keyboard.press("Enter")
    assert panel.evaluate("e => e.open") is False

    # Signing in, then the menu.
    page.goto("/connexion/")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "cluster_team":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mon accueil")
    tab_to(page, "Équipe de pôle")
    page.keyboard.press("Enter")
    tab_to(page, "Se déconnecter", 12)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Se connecter")).to_be_visible()


MAIN = (
    "/",
    "/poles/",
    "/poles/xylofutur/",
    "/contrats/",
    "/contrats/xylofutur-2009/suivi/",
    "/contrats/xylofutur-2009/texte/",
    "/politique/",
    "/decisions/",
    "/donnees/",
    "/connexion/",
    "/journal/preuve/",
    "/recherche/?q=bois",
)


def test_phone(story):
    page = story.visitor(viewport=PHONE, has_touch=True)
    wide = []
    for address in MAIN:
        assert page.goto(address).ok, address
        if sideways(page) > 0:
            wide.append(f"{address}: {sideways(page)} px")
        picture(page, f"phone{address}")
    assert not wide, wide


def test_travelling(story):
    page = story.visitor()
    page.goto("/")
    for day, labels, words in (
        ("2019-02-06", 56, "6 février 2019"),
        ("2024-01-09", 57, "9 janvier 2024"),
        ("2010-06-30", 71, "30 juin 2010"),
    ):
        travel(page, day)
        expect(page.locator(".demo-tag")).to_have_text(f"Démonstration au {words}")
        figure = page.locator(".figures li", has_text="labels en vigueur").locator(".figure-value")
        expect(figure).to_have_text(str(labels))
        expect(page.locator(".eyebrow")).to_contain_text(re.compile(words.replace(" ", r"\s")))
        picture(page, f"travel-{day}")
    said = story.installation.jalon("register", "list", "--on", "2024-01-09", "--json")
    assert said.count('"') > 57


def test_light_on_the_network(story):
    """The first page, with everything it asks for, stays below 300 kB as transferred."""
    page = story.visitor()
    bodies = []
    page.on("requestfinished", lambda request: bodies.append((request.url, request.sizes()["responseBodySize"])))
    page.goto("/")
    page.wait_for_load_state("networkidle")
    total = sum(size for _, size in bodies)
    assert bodies and total <= 300_000, sorted(bodies, key=lambda b: -b[1])[:6]
    assert all(url.startswith(story.installation.url) for url, _ in bodies), "nothing comes from elsewhere"
