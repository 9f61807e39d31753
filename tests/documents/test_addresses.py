"""Who may print what, in which form; documents of a real negotiation, a signature, an amendment, a roadmap."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.urls import reverse
from docx import Document as Word

from jalon.contracts import actions
from jalon.core import clock
from jalon.documents import amendment, blocks, contract, queries
from tests.contracts import world as w

pytestmark = pytest.mark.django_db
KINDS = ("pdf", "docx")


@pytest.fixture(autouse=True)
def _day():
    with clock.hold(w.START):
        yield


def sign_in(client, actor):
    client.force_login(w.f.user_of(actor))


def view_of(text, on=w.START):
    return queries.view_of(text, on=on, address="http://127.0.0.1/contrats/x/")


def amended(world):
    """A signed contract with an amendment that is being prepared."""
    w.signed(world)
    text = actions.amend(world.contract, reason="La crise.\n\nLes cibles sont revues.", by=world.director, on=w.START)
    actions.propose(
        text,
        [
            ("indicators/i90/targets/2011", "150"),
            ("commitments/c2/amounts/2011", "80000.5"),
            (
                "objectives/o2",
                {
                    "title": "Europe",
                    "actions": [{"key": "a2", "title": "Salon", "owner": "Pôle", "ends_on": "2011-01-01"}],
                },
            ),
        ],
        by=world.director,
        on=w.START,
    )
    return world.text_no(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_is_for_its_parties(client, kind):
    world = w.filled(w.make_world())
    url = reverse(f"contract-{kind}", args=[world.contract.slug])
    assert client.get(url).status_code == 404
    sign_in(client, w.f.make_actor("cluster_director", w.f.make_cluster()))
    assert client.get(url).status_code == 404
    sign_in(client, world.region_agent)
    response = client.get(url)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response.content[:4] in (b"%PDF", b"PK\x03\x04")


@pytest.mark.parametrize("kind", KINDS)
def test_a_binding_text_is_public_and_its_amendment_waits(client, kind):
    world = w.make_world()
    amended(world)
    slug = world.contract.slug
    assert client.get(reverse(f"contract-{kind}", args=[slug])).status_code == 200
    assert client.get(reverse(f"contract-{kind}", args=[slug]) + "?texte=1").status_code == 404
    assert client.get(reverse(f"amendment-{kind}", args=[slug, 1])).status_code == 404
    sign_in(client, world.prefect)
    assert client.get(reverse(f"amendment-{kind}", args=[slug, 1])).status_code == 200
    assert client.get(reverse(f"amendment-{kind}", args=[slug, 0])).status_code == 404
    assert client.get(reverse(f"amendment-{kind}", args=[slug, 7])).status_code == 404
    assert client.get(reverse(f"contract-{kind}", args=[slug]) + "?texte=abc").status_code == 404
    assert client.get(reverse(f"contract-{kind}", args=["rien"])).status_code == 404


def test_the_labels_speak_english_when_asked_and_the_text_stays(client):
    world = w.signed(w.make_world())
    response = client.get(reverse("contract-docx", args=[world.contract.slug]) + "?lang=en")
    told = "\n".join(p.text for p in Word(io.BytesIO(response.content)).paragraphs)
    assert "Objectives and action programmes" in told
    assert "Développer l'emploi" in told


def test_the_signed_document_carries_hash_decisions_and_signatures():
    world = w.signed(w.make_world())
    built = contract.build(view_of(world.text))
    assert not built.mark
    assert world.text.frozen.sha256 in str(built.cover)
    boxes = next(b for b in built.blocks if isinstance(b, blocks.Boxes)).items
    assert [b.order[-1] for b in boxes] == ["1", "2", "2", "3"]
    assert sum("2009-12" in str(b.decision) for b in boxes) == 1
    assert all(b.signed and not b.lines for b in boxes)
    annexes = next(b for b in built.blocks if isinstance(b, blocks.Table) and "annex" in b.caption)
    assert len(annexes.rows) == 4


def test_the_frozen_text_is_what_is_printed_even_if_the_row_were_changed():
    world = w.signed(w.make_world())
    text = world.text
    text.content["title"] = "Changé"
    assert view_of(text).title != "Changé"


def test_the_boxes_to_sign_are_open_before_the_signature():
    world = w.signing(w.make_world())
    built = contract.build(view_of(world.text))
    boxes = next(b for b in built.blocks if isinstance(b, blocks.Boxes)).items
    assert all(b.lines and not b.signed for b in boxes)
    assert sum("Délibération" in str(b.decision) for b in boxes) == 2


def test_the_amendment_prints_its_difference_and_who_signs():
    world = w.make_world()
    text = amended(world)
    built = amendment.build(view_of(text))
    tables = [b for b in built.blocks if isinstance(b, blocks.Table)]
    said = str(tables)
    assert "200" in said and "150" in said
    assert "80\u202f000,50" in "".join(
        line.text for t in tables for row in t.rows for cell in row.cells for line in cell
    )
    assert "Salon" in said
    assert sum(len(t.rows) for t in tables) == 3
    words = str(built.blocks)
    assert "demeurent inchangées" in words
    assert "La crise." in words
    assert world.text.frozen.sha256 in str(built.cover)
    boxes = next(b for b in built.blocks if isinstance(b, blocks.Boxes)).items
    assert {b.name for b in boxes} == {p.organisation.name for p in world.contract.parties.all()}


def test_an_amendment_that_changes_nothing_says_so():
    world = w.signed(w.make_world())
    text = actions.amend(world.contract, reason="R", by=world.director, on=w.START)
    built = amendment.build(view_of(world.text_no(text.number)))
    assert "Rien n'est encore changé" in str(built.blocks)


def test_a_consolidated_contract_names_its_texts(client):
    world = w.make_world()
    text = amended(world)
    actions.open_negotiation(text, by=world.director, on=w.START)
    actions.open_signature(world.text_no(1), by=world.correspondent, on=w.START)
    w.decide_all(world, world.text_no(1))
    for actor in (world.director, world.region_signatory, world.department_signatory, world.prefect):
        w.sign_as(world, actor, world.text_no(1))
    text = world.text_no(1)
    assert text.state == "signed"
    built = contract.build(view_of(text))
    assert "avenant n° 1" in built.subtitle
    assert "150" in str(built.blocks)
    assert client.get(reverse("contract-pdf", args=[world.contract.slug])).status_code == 200
    assert client.get(reverse("amendment-pdf", args=[world.contract.slug, 1])).status_code == 200
    old = client.get(reverse("contract-docx", args=[world.contract.slug]) + "?texte=0").content
    assert "avenant" not in "\n".join(p.text for p in Word(io.BytesIO(old)).paragraphs[:8])


def test_the_same_address_gives_the_same_file_on_another_day(client):
    world = w.signed(w.make_world())
    url = reverse("contract-pdf", args=[world.contract.slug])
    first = client.get(url).content
    with clock.hold(dt.date(2011, 5, 5)):
        assert client.get(url).content == first


@pytest.mark.parametrize("kind", KINDS)
def test_a_roadmap_in_draft_is_for_its_team(client, kind):
    from jalon.roadmaps import actions as roadmaps

    cluster = w.f.make_cluster(label=True)
    director = w.f.make_actor("cluster_director", cluster)
    made = roadmaps.start(
        cluster,
        "phase-2",
        title="Feuille de route",
        starts_on=dt.date(2009, 1, 1),
        ends_on=dt.date(2011, 12, 31),
        by=director,
        on=w.START,
    )
    url = reverse(f"roadmap-{kind}", args=[made.pk])
    assert client.get(url).status_code == 404
    sign_in(client, director)
    response = client.get(url)
    assert response.status_code == 200
    assert response.content[:4] in (b"%PDF", b"PK\x03\x04")
