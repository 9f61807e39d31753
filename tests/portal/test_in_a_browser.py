"""The public pages in a real Chromium: accessible, readable on a phone, usable by keyboard and without scripts."""

import pytest

from jalon.clusters.loading import load_register_if_changed

pytestmark = pytest.mark.django_db

PAGES = (
    "/?on=2010-05-12",
    "/poles/?on=2010-05-12&status=in_force&view=map",
    "/poles/mta/",
    "/poles/images-et-reseaux/",
    "/labels/p1-mta/",
    "/decisions/",
    "/donnees/",
)


def test_public_pages_are_accessible_and_fit_a_phone(new_page, axe):
    load_register_if_changed()
    page = new_page()
    for address in PAGES:
        page.goto(address)
        axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    for address in PAGES:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    page.goto("/?on=2010-05-12")
    axe(page)


def test_a_visitor_finds_a_cluster_from_the_map_by_keyboard(new_page):
    load_register_if_changed()
    page = new_page()
    page.goto("/?on=2010-05-12")
    page.locator('a[data-point="minalogic"]').first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/poles/minalogic/?on=2010-05-12")
    assert "Minalogic" in page.locator("h1").inner_text()
    page.goto("/")
    page.get_by_label("Chercher un pôle").fill("ceramique")
    page.keyboard.press("Enter")
    page.wait_for_url("**/poles/?q=ceramique")
    assert page.locator("tbody tr").count() >= 1
