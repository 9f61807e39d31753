"""Pages of roadmaps: who sees what, how conflicts answer, and how many queries each page makes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from jalon.roadmaps import actions, queries
from jalon.roadmaps.models import Item, Revision, Roadmap, Section
from tests import factories as make
from tests.roadmaps.world import DAY, fill

TEXT = "position-technology"
ALL = [
    "director",
    "team",
    "other_team",
    "correspondent",
    "other_correspondent",
    "prefect",
    "national",
    "authority",
    "other_authority",
    "reader",
    None,
]
TEAM, REVIEWERS, PARTIES = {"director", "team"}, {"correspondent", "national"}, {"prefect", "authority"}


def bring_to(world, state):
    """The roadmap in a state, by the acts themselves."""
    if state == "draft":
        return world.draft
    fill(world.draft, world.director)
    actions.submit(world.draft, by=world.director, on=DAY)
    if state == "returned":
        actions.return_with_reasons(world.draft, reason="Chiffrez.", by=world.correspondent, on=DAY)
    if state in ("validated", "replaced"):
        actions.validate(world.draft, by=world.correspondent, on=DAY)
    if state == "replaced":
        new = actions.new_version(world.draft, by=world.director, on=DAY)
        actions.submit(new, by=world.director, on=DAY)
        actions.validate(new, by=world.correspondent, on=DAY)
    world.draft.refresh_from_db()
    assert world.draft.state == state
    return world.draft


READERS = {
    "draft": TEAM,
    "submitted": TEAM | REVIEWERS | PARTIES,
    "returned": TEAM | REVIEWERS,
    "validated": set(ALL),
    "replaced": TEAM | REVIEWERS | PARTIES,
}


@pytest.mark.parametrize("state", READERS)
def test_who_reads(world, signed_in, state):
    roadmap = bring_to(world, state)
    for who in ALL:
        client = signed_in(getattr(world, who) if who else None)
        expected = 200 if who in READERS[state] else 404
        for address in (reverse("roadmap", args=[roadmap.pk]), reverse("roadmap", args=[roadmap.pk]) + "?format=json"):
            assert client.get(address).status_code == expected, (who, address)
        listed = client.get(reverse("roadmaps", args=["foret"]), {"format": "json"}).json()["roadmaps"]
        assert (roadmap.pk in [r["id"] for r in listed]) == (expected == 200), who
        seen = {r["state"] for r in listed}
        if who not in TEAM:
            assert "draft" not in seen


@pytest.mark.parametrize("state", READERS)
def test_the_list_of_what_is_visible_agrees_with_the_page(world, state):
    from jalon.roadmaps.access import visible_to

    roadmap = bring_to(world, state)
    from jalon.people.access import VISITOR

    for who in ALL:
        actor = getattr(world, who) if who else VISITOR
        found = visible_to(actor, DAY).filter(pk=roadmap.pk).exists()
        assert found == (who in READERS[state]), who


def test_who_writes_and_who_reviews(world, signed_in):
    bring_to(world, "returned")
    for who in ALL:
        client = signed_in(getattr(world, who) if who else None)
        answer = client.get(reverse("roadmap-edit", args=[world.draft.pk])).status_code
        assert answer == (200 if who in TEAM else 403 if who in REVIEWERS else 404), who
    actions.submit(world.draft, by=world.director, on=DAY)
    for who in ALL:
        client = signed_in(getattr(world, who) if who else None)
        answer = client.get(reverse("roadmap-review", args=[world.draft.pk])).status_code
        known = TEAM | REVIEWERS | PARTIES
        assert answer == (200 if who in REVIEWERS else 403 if who in known else 404), who


def save(client, roadmap, body, rev, **headers):
    return client.post(reverse("roadmap-section", args=[roadmap.pk, TEXT]), {"body": body, "rev": rev}, headers=headers)


JSON = {"accept": "application/json"}


def test_autosave_answers(world, signed_in):
    client = signed_in(world.team)
    answer = save(client, world.draft, "Premier", 0, **JSON)
    assert answer.status_code == 200
    assert (answer.json()["rev"], answer.json()["revision"]) == (1, 1)
    assert answer.json()["saved_at"]
    answer = save(signed_in(world.director), world.draft, "Second", 0, **JSON)
    assert answer.status_code == 409
    body = answer.json()
    assert (body["theirs"], body["yours"], body["rev"], body["revision"]) == ("Premier", "Second", 1, 1)
    assert world.team.user_label in body["message"]
    assert client.get(body["url"]).status_code == 200
    long = save(client, world.draft, "x" * 210_000, 1, **JSON)
    assert long.status_code == 400
    assert "trop long" in long.json()["message"]
    assert save(client, world.draft, "x", "", **JSON).status_code == 400
    assert save(client, world.draft, "x", "99999999999999999999", **JSON).status_code == 400


def test_without_javascript_the_conflict_is_a_page(world, signed_in):
    save(signed_in(world.team), world.draft, "Une ligne\nPremier", 0)
    client = signed_in(world.director)
    answer = save(client, world.draft, "Une ligne\nSecond", 0)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "Une ligne\nPremier\nSecond" in html  # the proposal keeps the words of both
    assert 'name="rev" value="1"' in html
    merged = save(client, world.draft, "Une ligne\nPremier et second", 1)
    assert merged.status_code == 302
    assert Section.objects.get(roadmap=world.draft, key=TEXT).body == "Une ligne\nPremier et second"
    kept = Revision.objects.get(refused=True)
    assert "Second" in client.get(reverse("roadmap-conflict", args=[world.draft.pk, kept.pk])).content.decode()


def test_refused_words_stay_in_their_field(world, signed_in):
    client = signed_in(world.team)
    body = "long " * 50_000
    answer = save(client, world.draft, body, 0)
    assert answer.status_code == 400
    assert body.strip() in answer.content.decode()
    answer = client.post(
        reverse("roadmap-item-add", args=[world.draft.pk, "priority-fields"]), {"title": "Bois", "place": "action|"}
    )
    assert answer.status_code == 400
    assert 'value="Bois"' in answer.content.decode()
    item = actions.add_item(world.draft, "priority-fields", level="axis", title="Bois", by=world.team, on=DAY)
    answer = client.post(
        reverse("roadmap-item", args=[world.draft.pk, item.key]),
        {"title": "Bois !", "body": "Mots", "due_on": "2010-02-30", "rev": 1},
    )
    assert answer.status_code == 400
    assert 'value="Bois !"' in answer.content.decode()
    answer = client.post(
        reverse("roadmap-frame", args=[world.draft.pk]), {"title": "", "starts_on": "2009-01-01", "ends_on": "x"}
    )
    assert answer.status_code == 400
    assert 'value="2009-01-01"' in answer.content.decode()


def test_the_elements_by_their_forms(world, signed_in):
    client = signed_in(world.team)
    pk = world.draft.pk
    add = reverse("roadmap-item-add", args=[pk, "priority-fields"])
    for title in ("Bois", "Fibres"):
        assert client.post(add, {"title": title, "place": "axis|"}).status_code == 302
    client.post(reverse("roadmap-item-move", args=[pk, "axis-2"]), {"where": "in"})
    item = Item.objects.get(key="axis-2")
    assert (item.level, item.parent.key) == ("field", "axis-1")
    client.post(reverse("roadmap-item-move", args=[pk, "axis-2"]), {"parent": ""})
    assert Item.objects.get(key="axis-2").parent is None
    client.post(reverse("roadmap-item-move", args=[pk, "axis-2"]), {"parent": "axis-1"})
    page = client.get(reverse("roadmap-edit", args=[pk])).content.decode()
    assert 'id="parent-axis-2"' not in page
    page = client.get(reverse("roadmap-edit", args=[pk]), {"rattacher": "axis-2"}).content.decode()
    assert '<option value="axis-1" selected>Bois</option>' in page
    client.post(reverse("roadmap-item-remove", args=[pk, "axis-2"]))
    assert Item.objects.get(key="axis-2").removed_at
    assert "Remettre" in client.get(reverse("roadmap-edit", args=[pk])).content.decode()
    client.post(reverse("roadmap-item-restore", args=[pk, "axis-2"]))
    assert Item.objects.get(key="axis-2").removed_at is None
    assert client.get(reverse("roadmap-item", args=[pk, "axis-2"])).status_code == 405


def test_presence_is_said(world, signed_in):
    from jalon.core import clock

    make.live_on(DAY)
    actions.save_section(world.draft, TEXT, body="x", rev=0, by=world.director, on=DAY, at=clock.now())
    html = signed_in(world.team).get(reverse("roadmap-edit", args=[world.draft.pk])).content.decode()
    assert f"{world.director.user_label} a modifié cette section à l'instant" in html.replace("&#x27;", "'")


def test_history_and_bringing_back(world, signed_in):
    client = signed_in(world.team)
    save(client, world.draft, "Un", 0)
    save(client, world.draft, "Deux", 1)
    address = reverse("roadmap-history", args=[world.draft.pk, f"section:{TEXT}"])
    assert client.get(address).content.decode().count("Revenir à ce texte") == 1
    first = Revision.objects.get(rev=1)
    assert client.post(address, {"wording": first.pk, "rev": 2}).status_code == 302
    assert Section.objects.get(roadmap=world.draft, key=TEXT).body == "Un"
    for name in ("section:rien", "item:rien", "section:action-plan", "rien"):
        assert client.get(reverse("roadmap-history", args=[world.draft.pk, name])).status_code == 404


def test_the_loop_by_its_pages(world, signed_in):
    fill(world.draft, world.director)
    pk = world.draft.pk
    director, correspondent = signed_in(world.director), signed_in(world.correspondent)
    assert director.post(reverse("roadmap-submit", args=[pk])).status_code == 302
    assert director.get(reverse("roadmap-edit", args=[pk])).status_code == 302
    assert correspondent.post(reverse("roadmap-return", args=[pk]), {"reason": ""}).status_code == 400
    assert correspondent.post(reverse("roadmap-return", args=[pk]), {"reason": "Chiffrez."}).status_code == 302
    assert "Chiffrez." in director.get(reverse("roadmap-edit", args=[pk])).content.decode()
    save(director, world.draft, "Chiffré", 1)
    director.post(reverse("roadmap-submit", args=[pk]))
    html = correspondent.get(reverse("roadmap-review", args=[pk])).content.decode()
    assert "Ce qui a changé depuis" in html
    assert "<ins>" in html
    wrong = correspondent.post(reverse("roadmap-validate", args=[pk]), {"seen": "0" * 64})
    assert wrong.status_code == 409
    seen = html.split('name="seen" value="')[1].split('"')[0]
    assert correspondent.post(reverse("roadmap-validate", args=[pk]), {"seen": seen}).status_code == 302
    world.draft.refresh_from_db()
    public = signed_in().get(reverse("roadmap", args=[pk])).content.decode()
    assert world.draft.frozen.sha256 in public
    assert world.director.user_label not in public
    address = reverse("roadmap-new-version", args=[pk])
    unsaid = director.post(address, {"phase": "phase-3", "begin": "1"})  # where things go must be said
    assert unsaid.status_code == 200
    assert "Dites où va ce texte" in unsaid.content.decode()
    steps = director.get(address).context["form"].steps
    new = director.post(address, {"phase": "phase-2", "begin": "1"} | {step.name: step.target for step in steps})
    assert new.status_code == 302
    made = Roadmap.objects.get(version=2)
    assert director.get(reverse("roadmap-compare", args=[made.pk])).status_code == 200
    assert correspondent.get(reverse("roadmap-compare", args=[pk]) + f"?avec={made.pk}").status_code == 404


def test_an_incomplete_roadmap_is_not_sent_and_says_why(world, signed_in):
    answer = signed_in(world.director).post(reverse("roadmap-submit", args=[world.draft.pk]))
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "Pourquoi" in html
    assert "le texte est vide" in html


def test_nothing_typed_becomes_markup(world, signed_in):
    evil = "<script>alert(1)</script>"
    actions.save_section(world.draft, TEXT, body=evil, rev=0, by=world.team, on=DAY)
    actions.add_item(world.draft, "priority-fields", level="axis", title=evil, by=world.team, on=DAY)
    client = signed_in(world.team)
    for name, args in (
        ("roadmap", [world.draft.pk]),
        ("roadmap-edit", [world.draft.pk]),
        ("roadmap-history", [world.draft.pk, f"section:{TEXT}"]),
        ("roadmap-history", [world.draft.pk, "item:axis-1"]),
    ):
        assert evil not in client.get(reverse(name, args=args)).content.decode()


def test_simulated_is_said(validated, signed_in):
    Roadmap.objects.update(simulated=True)
    client = signed_in()
    address = reverse("roadmap", args=[validated.draft.pk])
    assert 'class="simulated"' in client.get(address).content.decode()
    answer = client.get(address, {"format": "json"})
    assert answer.json()["simulated"] is True
    assert "simule" in answer["Content-Disposition"]


def test_begin_by_its_page(world, signed_in):
    client = signed_in(world.director)
    address = reverse("roadmap-start", args=["foret"])
    assert client.get(address).status_code == 200
    assert client.post(address, {"phase": "phase-3", "starts_on": "2013-01-01"}).status_code == 302
    assert client.post(address, {"phase": "phase-2"}).status_code == 200  # taken: no longer among the choices
    assert signed_in(world.correspondent).get(address).status_code == 403


QUERIES = {
    # page: (visitor or role, queries)
    "roadmaps": {None: 3, "director": 8},
    "roadmap": {None: 3, "director": 8},
    "roadmap-edit": {"director": 9},
    "roadmap-review": {"correspondent": 11},
    "roadmap-compare": {"director": 11},
    "roadmap-history": {"director": 11},
}


@pytest.mark.parametrize("name", QUERIES)
def test_number_of_queries(world, signed_in, django_assert_num_queries, name):
    roadmap = world.draft
    args = {"roadmaps": ["foret"], "roadmap-history": [roadmap.pk, f"section:{TEXT}"]}.get(name, [roadmap.pk])
    fill(roadmap, world.director)
    if name in ("roadmaps", "roadmap", "roadmap-review", "roadmap-compare"):
        actions.submit(roadmap, by=world.director, on=DAY)
    if name in ("roadmaps", "roadmap", "roadmap-compare"):
        actions.validate(roadmap, by=world.correspondent, on=DAY)
    if name == "roadmap-compare":
        actions.new_version(roadmap, by=world.director, on=DAY)
    for who, number in QUERIES[name].items():
        client = signed_in(getattr(world, who) if who else None)
        with django_assert_num_queries(number):
            assert client.get(reverse(name, args=args)).status_code == 200
    if name == "roadmap-edit":  # ten times the elements: not one query more
        for n in range(20):
            actions.add_item(roadmap, "priority-fields", level="axis", title=f"Axe {n}", by=world.team, on=DAY)
        with django_assert_num_queries(QUERIES[name]["director"]):
            client.get(reverse(name, args=args))


def test_the_document_of_a_visitor_is_the_frozen_one(validated, signed_in):
    Section.objects.filter(roadmap=validated.draft, key=TEXT).update(body="changé hors des actes")
    html = signed_in().get(reverse("roadmap", args=[validated.draft.pk])).content.decode()
    assert "changé hors des actes" not in html
    assert queries.frozen_content(validated.draft)["sections"][0]["body"] in html.replace("&#x27;", "'")
