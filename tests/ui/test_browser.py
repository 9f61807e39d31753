"""In a real browser: the style guide at several sizes, and the small scripts."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from tests.browser import accessibility_faults

GUIDE = "/guide-de-style/"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"viewport": {"width": 390, "height": 800}},
        {"color_scheme": "dark"},
        {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"},
    ],
    ids=["1280", "390", "dark", "390 dark"],
)
def test_guide_is_accessible_and_never_scrolls_sideways(new_page, options):
    page = new_page(**options)
    page.goto(GUIDE)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert accessibility_faults(page) == []


def test_guide_without_scripts_keeps_map_and_why(new_page):
    page = new_page(java_script_enabled=False)
    page.goto(GUIDE)
    assert page.locator(".map-svg a.map-point").count() > 5
    page.locator("main .why summary").first.click()
    assert page.locator("main .why-body").first.is_visible()


def test_map_zooms_by_keys_and_shows_the_point_with_focus(new_page):
    page = new_page()
    page.goto(GUIDE)
    drawing = page.locator(".map-svg")
    whole = drawing.get_attribute("viewBox")
    point = page.locator(".map-point").first
    point.focus()
    assert point.locator(".dot-name").is_visible()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert float(drawing.get_attribute("viewBox").split()[2]) < float(whole.split()[2]) / 2
    page.keyboard.press("0")
    assert [float(v) for v in drawing.get_attribute("viewBox").split()] == [float(v) for v in whole.split()]


def test_two_step_button_and_list_filter(new_page):
    page = new_page()
    page.goto(GUIDE)
    page.get_by_role("button", name="Retirer la signature").click()
    ask = page.locator(".confirm-ask")
    assert "les parties prévenues" in ask.inner_text()
    page.keyboard.press("Escape")
    assert ask.count() == 0
    page.locator(".disclosure summary", has_text="Beaucoup trop").click()
    page.get_by_label("Chercher dans la liste").fill("forets CULTIVEES (12)")
    rows = page.locator("#many tbody tr:visible")
    assert rows.count() == 1 and "Forêts Cultivées (12)" in rows.first.inner_text()
    assert page.locator("[data-filter-count]").inner_text() == "1 sur 40"


class Bench:
    """A page of its own around one script; the server's answers are chosen by the test."""

    def __init__(self, page, script, body):
        self.page, self.sent, self.answers = page, [], []
        html = (
            f'<!doctype html><html lang="fr"><title>banc</title><body><main>{body}</main>'
            f'<script src="/static/jalon/common.js" defer></script><script src="/static/jalon/{script}.js" defer></script>'
        )
        page.route("**/banc/page", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        page.route("**/banc/save", self.answer)

    def answer(self, route):
        self.sent.append({k: v[0] for k, v in parse_qs(route.request.post_data or "", keep_blank_values=True).items()})
        status, body = self.answers.pop(0) if self.answers else (200, {"revision": 99})
        if status is None:
            route.abort()
        else:
            route.fulfill(status=status, body=json.dumps(body), content_type="application/json")

    def open(self):
        self.page.goto("/banc/page")
        return self


FORM = (
    '<form data-autosave-url="/banc/save" data-revision="4"><input type="hidden" name="csrfmiddlewaretoken" value="tok">'
    '<textarea name="text">début</textarea><label><input type="checkbox" name="sure" value="1">sûr</label></form>'
)


def test_autosave_sends_what_was_typed_with_its_revision(new_page):
    bench = Bench(new_page(), "autosave", FORM)
    bench.answers = [(200, {"revision": 5}), (200, {"revision": 6})]
    page = bench.open().page
    page.locator("textarea").fill("suite")
    page.get_by_text("Enregistré à").wait_for()
    assert bench.sent == [{"text": "suite", "revision": "4"}]
    with page.expect_response("**/banc/save"):
        page.locator("[name=sure]").check()
    assert bench.sent[1] == {"text": "suite", "sure": "1", "revision": "5"}


def test_autosave_shows_both_texts_of_a_conflict_and_overwrites_nothing(new_page):
    bench = Bench(new_page(), "autosave", FORM)
    bench.answers = [
        (
            409,
            {
                "message": "La région a modifié ce texte à 14 h 30.",
                "theirs": "<b>le leur</b>",
                "yours": "le mien",
                "revision": 8,
            },
        ),
        (200, {"revision": 9}),
    ]
    page = bench.open().page
    page.locator("textarea").fill("le mien")
    panel = page.locator(".conflict")
    panel.wait_for()
    assert "<b>le leur</b>" in panel.inner_text() and "le mien" in panel.inner_text()
    assert page.locator("textarea").input_value() == "le mien"
    page.locator("textarea").fill("le mien, corrigé")
    page.wait_for_timeout(1500)
    assert len(bench.sent) == 1  # nothing leaves before a choice is made
    page.get_by_role("button", name="Garder ma version").click()
    page.get_by_text("Enregistré à").wait_for()
    assert bench.sent[1] == {"text": "le mien, corrigé", "revision": "8"}


def test_autosave_keeps_the_draft_when_the_network_is_gone(new_page):
    bench = Bench(new_page(), "autosave", FORM)
    bench.answers = [(None, None)]
    page = bench.open().page
    page.locator("textarea").fill("écrit dans le train")
    page.get_by_text("Hors ligne").wait_for()
    # Another tab of the same browser: the draft is offered, and taken only when asked for.
    other = page.context.new_page()
    again = Bench(other, "autosave", FORM).open()
    other.get_by_role("button", name="Reprendre ce brouillon").click()
    assert other.locator("textarea").input_value() == "écrit dans le train"
    other.get_by_text("Enregistré à").wait_for()
    assert again.sent[0]["text"] == "écrit dans le train"
    assert other.evaluate("localStorage.length") == 0
    # The first page tries again by itself.
    page.get_by_text("Enregistré à").wait_for()
    assert bench.sent[-1]["text"] == "écrit dans le train"


def test_autosave_says_what_the_server_refuses(new_page):
    bench = Bench(new_page(), "autosave", FORM)
    bench.answers = [(422, {"message": "La cible n'a pas d'unité."})]
    page = bench.open().page
    page.locator("textarea").fill("x")
    page.get_by_text("La cible n'a pas d'unité.").wait_for()
    assert page.evaluate("localStorage.length") == 1


def test_progress_follows_the_task_and_goes_on_at_its_end(new_page):
    page = new_page()
    bench = Bench(
        page,
        "progress",
        '<div data-progress-url="/banc/save"><progress aria-label="Import"></progress><p class="progress-text" role="status"></p></div>',
    )
    bench.answers = [
        (200, {"done": 3, "total": 10, "state": "running"}),
        (None, None),
        (200, {"done": 10, "total": 10, "state": "done", "next": GUIDE}),
    ]
    bench.open()
    page.get_by_text("3 sur 10").wait_for()
    page.wait_for_url("**" + GUIDE)


def test_session_warns_before_it_ends(new_page):
    page = new_page()
    bench = Bench(page, "session", "<h1>Page</h1>")
    page.route("**/banc/keep", lambda route: route.fulfill(body="ok"))
    page.add_init_script(
        "document.addEventListener('readystatechange', () => { const d = document.documentElement.dataset;"
        " d.sessionSeconds = '2'; d.sessionUrl = '/banc/keep'; }, { once: true })"
    )
    bench.open()
    page.get_by_text("Votre session finit dans").wait_for()
    page.get_by_role("button", name="Rester connecté").click()
    page.get_by_text("Votre session finit dans").wait_for(state="detached")
