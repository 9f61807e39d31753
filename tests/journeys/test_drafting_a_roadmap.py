"""The State returns Avenia's roadmap with its reasons; two people of the pôle mend it at once; it is validated."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.story import act_for, confirm, picture, told

REASON = "Dire face à quels centres étrangers le pôle se place, et chiffrer les marchés visés."
MARKETS = "Texte simulé. Trois marchés sont visés d'ici 2013, chacun avec son premier client."


def section(page, title):
    return page.locator("section.draft-section").filter(has=page.get_by_role("heading", name=title, exact=False)).first


def saved(page, title):
    expect(section(page, title).locator("[data-autosave-status]")).to_contain_text("Enregistré à")


def test_a_roadmap_from_its_return_to_its_validation(story, axe):
    state = story.enter("state_correspondent")
    state.goto("/accueil/")
    picture(state, "roadmap-1-home-of-the-state")
    state.get_by_role(
        "link", name=re.compile("Examiner.*Avenia|Avenia.*feuille de route|feuille de route.*Avenia")
    ).first.click()
    expect(state.locator("main")).to_contain_text("Pôle Avenia")
    axe(state)

    # A return says why.
    state.get_by_role("button", name="Retourner avec ces motifs").click()
    assert state.locator("textarea:invalid").count() == 1, "a return without reasons must not leave the page"
    state.get_by_label("Motifs", exact=False).fill(REASON)
    state.get_by_role("button", name="Retourner avec ces motifs").click()
    told(state, re.compile("Retournée"))

    # Two people of the pôle, two windows on the same text.
    first, second = story.enter("cluster_team"), story.enter("cluster_director")
    for window in (first, second):
        act_for(window, "Avenia")
        window.goto("/poles/avenia/feuilles-de-route/")
        window.get_by_role("link", name=re.compile("Phase 2.*version 1")).click()
        expect(window.get_by_text(REASON).first).to_be_visible()
    address = first.url

    first.get_by_role("textbox", name="Environnement commercial").fill(MARKETS)
    saved(first, "Environnement commercial")
    second.get_by_role("textbox", name="Environnement international").fill(
        "Texte simulé. Deux centres étrangers sont suivis de près."
    )
    saved(second, "Environnement international")

    # The same section: nothing is overwritten, both texts are shown, the second decides.
    second.get_by_role("textbox", name="Environnement commercial").fill("Texte simulé. Les marchés publics d'abord.")
    panel = section(second, "Environnement commercial").locator(".conflict")
    expect(panel).to_contain_text(MARKETS)
    expect(panel).to_contain_text("Les marchés publics d'abord.")
    picture(second, "roadmap-2-conflict")
    axe(second)
    first.reload()
    expect(first.get_by_role("textbox", name="Environnement commercial")).to_have_value(MARKETS)
    both = f"{MARKETS} Les marchés publics d'abord."
    second.get_by_role("textbox", name="Environnement commercial").fill(both)
    panel.get_by_role("button", name="Garder ma version").click()
    saved(second, "Environnement commercial")
    first.reload()
    expect(first.get_by_role("textbox", name="Environnement commercial")).to_have_value(both)

    # The team writes; the director submits.
    expect(first.get_by_role("button", name="Soumettre à l'État")).to_have_count(0)
    second.goto(address)
    second.get_by_role("button", name="Soumettre à l'État").click()
    confirm(second)
    told(second, re.compile("soumise à l'État"))
    picture(second, "roadmap-3-submitted")

    # The State sees what changed since the first time, and validates.
    state.goto("/accueil/")
    state.get_by_role(
        "link", name=re.compile("Examiner.*Avenia|Avenia.*feuille de route|feuille de route.*Avenia")
    ).first.click()
    expect(state.get_by_role("heading", name=re.compile("Ce qui a changé depuis l'envoi"))).to_be_visible()
    expect(state.locator("section.since")).to_contain_text("Environnement commercial")
    picture(state, "roadmap-4-second-review")
    state.get_by_role("button", name="Valider", exact=True).click()
    confirm(state)
    told(state, re.compile("Validée et figée"))

    # Anyone reads it now, with its hash; every word that was typed is still there.
    public = story.visitor()
    public.goto("/poles/avenia/feuilles-de-route/")
    public.get_by_role("link", name=re.compile("Phase 2.*version 1")).click()
    expect(public.get_by_text("Les marchés publics d'abord.")).to_be_visible()
    expect(public.locator(".hash")).to_have_text(re.compile(r"^[0-9a-f]{64}$"))
    axe(public)
    picture(public, "roadmap-5-published")
    assert "Intact" in story.installation.jalon("verify")
