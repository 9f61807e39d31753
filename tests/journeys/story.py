"""What people do in every journey: come in, read, press, keep a picture."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests import browser as chromium

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
PICTURES = chromium.SCREENSHOTS / "journeys"


class Story:
    """The people of a journey; each has a browser of their own."""

    def __init__(self, new_page: Any, installation: Any) -> None:
        self.new_page = new_page
        self.installation = installation

    def visitor(self, **options: Any) -> Page:
        return self.new_page(**options)

    def enter(self, role: str, **options: Any) -> Page:
        """One click on the sign-in page of the demonstration."""
        page = self.new_page(**options)
        page.goto("/connexion/")
        page.locator(f"button[name=role][value={role}]").click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Se connecter")
        return page

    def enter_with_password(self, email: str, password: str) -> Page:
        """For the accounts that have no button."""
        page = self.new_page()
        page.goto("/connexion/")
        page.get_by_label("Adresse électronique").fill(email)
        page.get_by_label("Mot de passe").fill(password)
        page.get_by_role("button", name="Se connecter").click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Se connecter")
        return page


def act_for(page: Page, organisation: str) -> None:
    """The menu under the account's name, for somebody who has several mandates."""
    page.locator("details.menu > summary").click()
    page.locator("details.menu").get_by_role("button", name=organisation).first.click()
    told(page, re.compile(f"Vous agissez pour .*{organisation}"))


def told(page: Page, words: str | re.Pattern[str]) -> None:
    """The answer at the top of the page: what was done."""
    expect(page.locator(".messages")).to_contain_text(words)


def sideways(page: Page) -> int:
    """How many pixels the page sticks out of its screen."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{chromium.file_name(name)}.png", full_page=True)


def confirm(page: Page) -> None:
    """The second press asked for before something that cannot be taken back."""
    page.locator(".confirm-ask .danger").click()


def travel(page: Page, day: str) -> None:
    """To another day, by the banner of the demonstration; it is the same day for everybody."""
    page.locator(".demo summary").click()
    page.get_by_label("Se placer au").fill(day)
    page.get_by_role("button", name="Y aller").click()
    page.wait_for_load_state()


def propose(page: Page, contract: str, element: str, values: dict[str, str], reason: str) -> str:
    """Propose other values for an element of a contract, with a reason; the first value that stood there before."""
    page.goto(contract)
    link = page.locator("a").filter(has_text=re.compile(rf"Proposer un changement\s*:\s*{re.escape(element)}$"))
    unfold(link)
    link.click()
    form = page.locator("article.element form.card").first
    before = ""
    for label, value in values.items():
        box = form.get_by_label(label, exact=True)
        before = before or box.input_value()
        box.fill(value)
    form.get_by_label("Motif").fill(reason)
    form.get_by_role("button", name="Proposer").click()
    told(page, re.compile("propos"))
    return before


def unfold(place: Locator) -> None:
    """Open the folded parts of a page around a place."""
    for fold in place.locator("xpath=ancestor::details[not(@open)]").all():
        fold.locator("xpath=./summary").click()
