"""A roadmap in a real browser: two people write, one conflict, submission, review, validation."""

from __future__ import annotations

import pytest
from django.urls import reverse

from jalon.roadmaps import actions
from jalon.roadmaps.models import Revision, Section
from tests import factories as make
from tests.roadmaps.world import DAY, build, fill

TEXT = "position-technology"
pytestmark = pytest.mark.django_db(transaction=True)

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def open_as(new_page, live_server):
    """A browser page signed in as an actor."""
    from django.test import Client

    def enter(actor=None, **options):
        make.live_on(DAY)
        page = new_page(**options)
        if actor is not None:
            client = Client()
            client.force_login(make.user_of(actor))
            page.context.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
        return page

    return enter


def saved(page, key=TEXT):
    page.wait_for_function(
        "key => document.querySelector(`#section-${key} [data-autosave-status]`).textContent.startsWith('Enregistré')",
        arg=key,
    )


def test_two_writers_then_the_state(open_as, axe):
    world = build()
    fill(world.draft, world.director)
    edit = reverse("roadmap-edit", args=[world.draft.pk])
    first, second = open_as(world.director), open_as(world.team)
    first.goto(edit)
    second.goto(edit)
    axe(first)

    # Different sections never meet.
    first.fill(f"#body-{TEXT}", "Les mots du premier")
    saved(first)
    second.fill("#body-position-economic", "Les mots du second")
    saved(second, "position-economic")
    assert Section.objects.get(key=TEXT).body == "Les mots du premier"
    assert Section.objects.get(key="position-economic").body == "Les mots du second"

    # The same section does, and both texts are shown.
    second.fill(f"#body-{TEXT}", "Les mots du second, plus tard")
    panel = second.locator(f"#section-{TEXT} .conflict")
    panel.wait_for()
    assert "Les mots du premier" in panel.inner_text()
    assert "Les mots du second, plus tard" in panel.inner_text()
    assert Section.objects.get(key=TEXT).body == "Les mots du premier"
    assert Revision.objects.get(refused=True).content == {"body": "Les mots du second, plus tard"}
    second.fill(f"#body-{TEXT}", "Les mots des deux")
    second.get_by_role("button", name="Garder ma version").click()
    saved(second)
    assert Section.objects.get(key=TEXT).body == "Les mots des deux"

    # A save by the button after a save by the script does not conflict with oneself.
    second.fill(f"#body-{TEXT}", "Les mots des deux, relus")
    saved(second)
    second.fill(f"#body-{TEXT}", "Les mots des deux, relus deux fois")
    second.locator(f"#section-{TEXT} form button").click()
    second.wait_for_url(f"**{edit}#section-{TEXT}")
    assert Section.objects.get(key=TEXT).body == "Les mots des deux, relus deux fois"

    first.reload()
    first.get_by_role("button", name="Soumettre à l'État").click()
    first.locator(".confirm-ask .danger").click()
    first.get_by_text("La feuille de route est soumise à l'État").wait_for()

    state = open_as(world.correspondent)
    state.goto(reverse("roadmap-review", args=[world.draft.pk]))
    axe(state)
    state.get_by_role("button", name="Valider").click()
    state.locator(".confirm-ask .danger").click()
    state.get_by_text("Validée et figée ; le pôle est prévenu").wait_for()
    world.draft.refresh_from_db()
    assert world.draft.state == "validated"
    public = open_as()
    public.goto(reverse("roadmap", args=[world.draft.pk]))
    axe(public)
    assert world.draft.frozen.sha256 in public.locator(".hash").inner_text()


def test_a_save_without_javascript(open_as):
    world = build()
    edit = reverse("roadmap-edit", args=[world.draft.pk])
    page = open_as(world.team, java_script_enabled=False)
    page.goto(edit)
    actions.save_section(world.draft, TEXT, body="Les mots du premier", rev=0, by=world.director, on=DAY)
    page.fill(f"#body-{TEXT}", "Les mots du second")
    page.locator(f"#section-{TEXT} form button").click()
    assert "Deux textes pour" in page.locator("h1").inner_text()
    page.fill("#merge-body", "Les mots des deux")
    page.get_by_role("button", name="Enregistrer ce texte").click()
    assert page.input_value(f"#body-{TEXT}") == "Les mots des deux"


def test_pages_fit_their_screens(open_as, axe, picture):
    """Each page at 1280 and 390 px: nothing scrolls sideways; the pictures are kept to be looked at."""
    world = build()
    long = "Produits biosourcés et matériaux composites à haute performance pour la construction et l'emballage"
    make_empty = open_as(world.team)
    make_empty.goto(reverse("roadmap-edit", args=[world.draft.pk]))
    picture(make_empty, "roadmap-edit-empty")
    fill(world.draft, world.director)
    item = actions.add_item(world.draft, "priority-fields", level="axis", title=long, by=world.team, on=DAY)
    actions.save_item(
        world.draft,
        item.key,
        title=long,
        body="Un texte.\n\nUn second paragraphe.",
        horizon="short",
        due_on=DAY,
        rev=1,
        by=world.team,
        on=DAY,
    )
    actions.add_item(world.draft, "priority-fields", level="field", title=long, parent=item.key, by=world.team, on=DAY)
    actions.save_section(world.draft, TEXT, body="Une ligne.\nUne autre.\n" + long, rev=1, by=world.director, on=DAY)
    with pytest.raises(Exception, match="entre-temps"):
        actions.save_section(world.draft, TEXT, body="Une ligne.\nLa mienne.", rev=1, by=world.team, on=DAY)
    gone = actions.add_item(world.draft, "priority-fields", level="axis", title="Abandonné", by=world.team, on=DAY)
    actions.remove_item(world.draft, gone.key, by=world.team, on=DAY)
    actions.submit(world.draft, by=world.director, on=DAY)
    actions.return_with_reasons(
        world.draft, reason="Chiffrez les objectifs.\nNommez qui fait quoi.", by=world.correspondent, on=DAY
    )
    pk = world.draft.pk
    kept = Revision.objects.get(refused=True)

    def look(actor, name, address):
        for size in (WIDE, NARROW):
            page = open_as(actor, viewport=size)
            page.goto(address)
            axe(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name} is {wide} px wide on a screen of {size['width']}"
            picture(page, f"{name}-{size['width']}")
            page.context.close()

    look(world.team, "roadmap-edit", reverse("roadmap-edit", args=[pk]))
    look(world.team, "roadmap-conflict", reverse("roadmap-conflict", args=[pk, kept.pk]))
    look(world.team, "roadmap-history", reverse("roadmap-history", args=[pk, f"section:{TEXT}"]))
    actions.save_section(world.draft, TEXT, body="Une ligne.\nLa mienne.", rev=2, by=world.team, on=DAY)
    actions.submit(world.draft, by=world.director, on=DAY)
    look(world.correspondent, "roadmap-review", reverse("roadmap-review", args=[pk]))
    actions.validate(world.draft, by=world.correspondent, on=DAY)
    look(None, "roadmap-read", reverse("roadmap", args=[pk]))
    look(world.director, "roadmap-read-team", reverse("roadmap", args=[pk]))
    look(world.director, "roadmap-new-version", reverse("roadmap-new-version", args=[pk]) + "?phase=phase-3")
    new = actions.new_version(world.draft, by=world.director, on=DAY)
    actions.save_section(new, TEXT, body="Une ligne.\nLa nôtre, revue.", rev=0, by=world.team, on=DAY)
    actions.remove_item(new, item.key, by=world.team, on=DAY)
    actions.add_item(new, "priority-fields", level="axis", title="Chimie verte", by=world.team, on=DAY)
    look(world.director, "roadmap-compare", reverse("roadmap-compare", args=[new.pk]))
    look(world.director, "roadmap-list", reverse("roadmaps", args=["foret"]))
    look(world.director, "roadmap-start", reverse("roadmap-start", args=["foret"]))
    look(None, "roadmap-list-empty", reverse("roadmaps", args=["autre"]))
