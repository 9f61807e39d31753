"""A target of Xylofutur's signed contract changes: draft copy, difference, who signs again, signed, merged, followed."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.story import picture, propose, told, travel

CONTRACT = "/contrats/xylofutur-2009/"
DRAFT = f"{CONTRACT}avenants/1/"


def sign(page):
    page.goto(f"{CONTRACT}signature/?texte=1")
    card = page.locator("#signer")
    card.get_by_label("J'ai lu le texte").check()
    card.get_by_role("button", name="Signer", exact=True).click()


def test_an_amendment_changes_a_target(story, axe):
    state, pole, prefect = (story.enter(r) for r in ("state_correspondent", "cluster_director", "prefect"))
    before = state.goto(f"{CONTRACT}texte/").text()

    state.goto(f"{CONTRACT}avenants/")
    axe(state)
    opening = state.locator("form", has=state.get_by_role("button", name="Ouvrir", exact=True))
    opening.get_by_role("button", name="Ouvrir", exact=True).click()
    assert opening.locator("textarea:invalid").count() == 1, "an amendment without a reason stays closed"
    opening.get_by_label("Motif").fill("La cible de 2011 a été dépassée dès 2009.")
    state.get_by_role("button", name="Ouvrir", exact=True).click()
    expect(state.locator("main")).to_contain_text("avenant n° 1", ignore_case=True)
    picture(state, "amendment-1-draft")
    if state.get_by_role("button", name="Ouvrir la négociation").count():
        state.get_by_role("button", name="Ouvrir la négociation").click()
    old = propose(state, DRAFT, "Nombre de membres", {"2011": "260"}, "213 membres fin 2009.")
    pole.goto(DRAFT)
    pole.get_by_role("button", name="Accepter").first.click()
    told(pole, re.compile("accept", re.I))

    # The difference, and who must sign again.
    state.goto(f"{DRAFT}difference/")
    expect(state.locator("main")).to_contain_text("1 changement")
    expect(state.locator(".difference")).to_contain_text(old)
    expect(state.locator(".difference")).to_contain_text("260")
    expect(state.get_by_role("heading", name="Qui le signe")).to_be_visible()
    signers = state.locator("h2:has-text('Qui le signe') + ul li").all_inner_texts()
    assert any("Xylofutur" in one for one in signers) and any("Aquitaine" in one for one in signers), signers
    axe(state)
    picture(state, "amendment-2-difference")

    # Nothing of the binding text has changed yet.
    assert "260" not in (state.goto(f"{CONTRACT}suivi/").text())
    state.goto(DRAFT)
    state.get_by_role("button", name="Figer et ouvrir la signature").click()
    told(state, re.compile("[Ss]ignature"))
    sign(pole)
    told(pole, re.compile("sign", re.I))
    state.goto(f"{CONTRACT}signature/?texte=1")
    picture(state, "amendment-3-signature")
    waiting = {"État – préfet de la région Aquitaine": prefect, "Conseil régional d'Aquitaine": None}
    assert [s for s in signers if "Xylofutur" not in s] == ["État – préfet de la région Aquitaine"], (signers, waiting)
    sign(prefect)
    told(prefect, re.compile("sign", re.I))

    # The trend shows both targets, the text its new hash, the first text keeps its own.
    public = story.visitor()
    public.goto(f"{CONTRACT}avenants/")
    expect(public.locator("table")).to_contain_text("30 juin 2010")
    picture(public, "amendment-4-list")
    after = public.goto(f"{CONTRACT}texte/").text()
    assert after != before and "260" in after
    public.goto(f"{CONTRACT}suivi/")
    public.get_by_role("link", name="Nombre de membres", exact=True).last.click()
    targets = public.locator("table", has_text="Fixée par")
    expect(targets).to_contain_text("260")
    expect(targets).to_contain_text("avenant 1")
    expect(targets.locator(".was")).to_contain_text(old)
    expect(targets).to_contain_text("213 membres fin 2009.")
    axe(public)
    picture(public, "amendment-5-both-targets")

    # On the day before, only the old one was known.
    public.goto(public.url.split("?")[0] + "?known_on=2010-06-29")
    expect(public.locator("main")).not_to_contain_text("260")
    travel(public, "2010-07-15")
    assert "Intact" in story.installation.jalon("verify")
