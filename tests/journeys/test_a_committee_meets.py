"""A coordination committee from its agenda to its minutes, on a projector and a phone; what is not done comes back by itself."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.story import PHONE, confirm, picture, sideways, told, travel

COMMITTEE = "/comites/coordination-xylofutur/"
SESSION = f"{COMMITTEE}seances/2/"
ROOM = f"{SESSION}salle/"


def test_a_committee_meets_and_what_is_not_done_comes_back(story, axe):
    officer, pole = story.enter("state_correspondent"), story.enter("cluster_director", viewport=PHONE)

    # Before: the agenda built itself, a paper is joined, the pôle says that it comes.
    officer.goto(SESSION)
    agenda = officer.locator("#agenda, main").first
    expect(agenda).to_contain_text("Point écrit sur les actions en retard")
    officer.get_by_text("Joindre une pièce").click()
    officer.locator("input[type=file]").set_input_files(
        {"name": "retards.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 retards"}
    )
    officer.get_by_role("button", name="Joindre", exact=True).click()
    expect(officer.locator("aside")).to_contain_text("retards")
    pole.goto(SESSION)
    expect(pole.locator("main")).to_contain_text("retards")
    pole.locator("select[name=presence]").first.select_option("present")
    pole.get_by_role("button", name="Enregistrer").first.click()
    assert sideways(pole) <= 0

    # The day: the room opens, the screen follows point by point.
    travel(officer, "2010-07-08")
    officer.goto(ROOM)
    officer.get_by_role("button", name="Ouvrir la séance").click()
    screen = officer.context.new_page()
    screen.goto(f"{ROOM}?ecran=1")
    first = screen.locator(".room-title").inner_text()
    officer.keyboard.press("ArrowRight")
    expect(officer.locator(".room-place")).to_contain_text("Point 2")
    expect(screen.locator(".room-title")).not_to_have_text(first)
    axe(screen)
    pole.goto(ROOM)
    pole.locator("#room-presence").get_by_role("button", name="Présent").click()
    expect(officer.locator(".room-seat", has_text="ôle").first).to_be_visible()
    for _ in range(officer.locator(".room-seat button", has_text="Présent").count()):
        officer.locator(".room-seat button", has_text="Présent").first.click()
        officer.wait_for_load_state()
    assert sideways(screen) <= 0

    # Notes are kept while they are typed; the decision is what was typed, and has somebody who answers for it.
    officer.locator("#notes").fill("Le pôle demande trois semaines de plus.")
    officer.locator("#draft").fill("Le pôle remet le point écrit avant le 15 juillet.")
    expect(officer.locator("[data-autosave-status]")).to_contain_text("Enregistré")
    officer.get_by_role("button", name="Enregistrer la décision").click()
    expect(officer.locator(".room-decision")).to_contain_text("avant le 15 juillet")
    expect(screen.locator(".room-decision")).to_contain_text("avant le 15 juillet")
    picture(screen, "room-screen")
    picture(officer, "room-officer")
    picture(pole, "room-phone")
    officer.get_by_text("Confier une suite").click()
    officer.locator("[name=title]").fill("Remettre le point écrit")
    officer.locator("select[name=owner]").select_option(index=1)
    officer.locator("[name=due_on]").fill("2010-07-15")
    officer.get_by_role("button", name="Confier", exact=True).click()
    expect(officer.locator(".room-follow")).to_contain_text("Remettre le point écrit")
    officer.get_by_role("button", name="Lever la séance").click()
    confirm(officer)

    # After: minutes circulated, adopted, frozen; the follow-up that nobody finished is on the next agenda.
    officer.goto(f"{SESSION}compte-rendu/")
    expect(officer.locator("main")).to_contain_text("Le pôle demande trois semaines de plus.")
    officer.get_by_role("button", name="Diffuser le projet").click()
    officer.get_by_role("button", name="Adopter et figer").click()
    confirm(officer)
    expect(officer.locator("main")).to_contain_text("SHA-256")
    travel(officer, "2010-09-01")
    officer.goto(COMMITTEE)
    officer.get_by_text(re.compile("^Prévoir une séance")).first.click()
    officer.locator("#plan_day").fill("2010-09-22")
    officer.get_by_role("button", name="Prévoir").last.click()
    told(officer, "son ordre du jour est construit")
    expect(officer.locator("main")).to_contain_text("Remettre le point écrit")
