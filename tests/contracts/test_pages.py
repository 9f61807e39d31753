"""The pages as people see them: who sees what, forms that keep what was typed, queries counted."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.clusters.models import ClusterName
from jalon.contracts import actions, content as doc
from jalon.contracts.models import Contract, Proposal, Text
from tests import factories as f
from tests.contracts import world as w

pytestmark = pytest.mark.django_db

FOLD = re.compile(r'id="titre-(\w+)".*?<details class="fold"([^>]*>)', re.S)
PAGES = ["contract-text", "contract-signature", "contract-history", "contract-annexes"]


@pytest.fixture(autouse=True)
def lives_in_2009():
    f.live_on(w.START)


def sign_in(client, actor):
    client.force_login(f.user_of(actor))
    return client


def get(client, name, *args, query="", status=200):
    answer = client.get(reverse(name, args=args) + query)
    assert answer.status_code == status, answer.content[:2000]
    return answer.content.decode()


def test_a_negotiation_is_seen_by_its_parties_and_nobody_else(client):
    world, stranger = w.negotiated(w.make_world()), w.make_world()
    slug = world.contract.slug
    for name in ["contract", *PAGES]:
        get(client, name, slug, status=404)
    for actor in (world.correspondent, world.prefect, world.director, world.region_agent, world.officer):
        sign_in(client, actor)
        for name in ["contract", *PAGES]:
            get(client, name, slug)
    for actor in (stranger.director, stranger.region_agent, stranger.correspondent, f.make_actor("reader")):
        sign_in(client, actor)
        for name in ["contract", *PAGES]:
            get(client, name, slug, status=404)


def test_a_signed_contract_is_public_but_not_its_negotiation(client):
    world = w.signed(w.make_world())
    slug = world.contract.slug
    for name in ("contract-text", "contract-signature", "contract-annexes", "contract-amendments"):
        get(client, name, slug)
    assert client.get(reverse("contract-history", args=[slug])).status_code == 302
    answer = client.get(reverse("contract", args=[slug]))
    assert answer.status_code == 302
    annex = world.text.annexes.first()
    get(client, "contract-annex", slug, annex.pk, status=404)
    sign_in(client, world.director)
    answer = client.get(reverse("contract-annex", args=[slug, annex.pk]))
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content if answer.streaming else [answer.content])


def test_a_draft_amendment_is_not_public(client):
    world = w.signed(w.make_world())
    actions.amend(world.contract, reason="Cible relevée", by=world.correspondent, on=w.START)
    slug = world.contract.slug
    for name in ("contract-amendment", "contract-difference", "contract-text-no", "contract-canonical"):
        get(client, name, slug, 1, status=404)
    assert "Cible relevée" not in get(client, "contract-amendments", slug)
    sign_in(client, world.region_agent)
    get(client, "contract-amendment", slug, 1)
    get(client, "contract-difference", slug, 1)
    assert "Cible relevée" in get(client, "contract-amendments", slug)


def test_the_list_shows_drafts_to_their_parties_only_and_exports_what_it_shows(client):
    draft, signed = w.negotiated(w.make_world()), w.signed(w.make_world())
    page = get(client, "contract-list")
    assert signed.contract.title in page
    assert draft.contract.title not in page
    sign_in(client, draft.region_agent)
    assert draft.contract.title in get(client, "contract-list")
    assert draft.contract.title not in get(client, "contract-list", query="?state=signed")
    body = b"".join(client.get(reverse("contract-list") + "?format=csv&state=signed").streaming_content).decode()
    assert signed.contract.slug in body
    assert draft.contract.slug not in body
    assert signed.contract.title in get(client, "contract-list", query=f"?party={signed.region.pk}&sort=-amount")
    assert signed.contract.title not in get(client, "contract-list", query="?region=53")


def test_a_refused_change_keeps_what_was_typed(client):
    world = w.negotiated(w.make_world())
    sign_in(client, world.director)
    url = reverse("contract-propose", args=[world.contract.slug, 0])
    answer = client.post(
        url, {"path": "indicators/i90", "f:targets:2011": "beaucoup", "f:title": "Emplois durables", "reason": "Révisé"}
    )
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "beaucoup" in page
    assert "Emplois durables" in page
    assert "Révisé" in page
    assert "ne peut pas être lu" in page
    assert not Proposal.objects.filter(state="open").exists()


def test_a_change_is_proposed_then_accepted_by_the_other_side(client):
    world = w.negotiated(w.make_world())
    slug = world.contract.slug
    sign_in(client, world.director)
    client.post(
        reverse("contract-propose", args=[slug, 0]),
        {"path": "indicators/i90", "f:targets:2011": "250", "reason": "Deux implantations de plus"},
    )
    proposal = Proposal.objects.get(state="open")
    page = get(client, "contract", slug)
    assert "Deux implantations de plus" in page
    assert reverse("proposal-accept", args=[slug, proposal.pk]) not in page
    assert reverse("proposal-withdraw", args=[slug, proposal.pk]) in page
    sign_in(client, world.correspondent)
    assert reverse("proposal-accept", args=[slug, proposal.pk]) in get(client, "contract", slug)
    client.post(reverse("proposal-accept", args=[slug, proposal.pk]))
    assert doc.get(world.text.content, "indicators/i90/targets/2011") == "250"
    page = get(client, "contract-history", slug, query="?path=indicators/i90/targets/2011")
    assert "Deux implantations de plus" in page
    assert "200" in page


def test_an_element_is_added_through_the_form(client):
    world = w.prepared(w.make_world())
    sign_in(client, world.director)
    slug = world.contract.slug
    assert 'name="f:title"' in get(client, "contract", slug, query="?ajouter=objectives")
    client.post(
        reverse("contract-propose", args=[slug, 0]), {"list": "objectives", "f:title": "Exporter", "f:body": "Salons"}
    )
    client.post(
        reverse("contract-propose", args=[slug, 0]),
        {
            "list": "objectives/o1/actions",
            "f:title": "Mission au Canada",
            "f:budget": "12 000,50",
            "f:ends_on": "2010-06-30",
        },
    )
    action = doc.get(world.text.content, "objectives/o1/actions/a1")
    assert (action["title"], action["budget"], action["ends_on"]) == ("Mission au Canada", "12000.5", "2010-06-30")


def test_a_party_is_added_with_the_name_of_its_organisation(client):
    world = w.prepared(w.make_world())
    sign_in(client, world.correspondent)
    city = f.make_organisation("Ville de Bordeaux", "authority")
    client.post(
        reverse("contract-propose", args=[world.contract.slug, 0]),
        {"list": "parties", "f:kind": "authority", "f:organisation": str(city.pk), "f:signatory": "maire"},
    )
    assert world.contract.parties.get(organisation=city).signatory == "maire"
    assert "Ville de Bordeaux" in [p["name"] for p in world.text.content["parties"]]
    agent = f.make_actor("local_authority", organisation=city)
    get(sign_in(client, agent), "contract", world.contract.slug)


def test_two_people_on_one_element_nobody_is_overwritten(client):
    world = w.prepared(w.make_world())
    from jalon.contracts.outline import mark

    sign_in(client, world.director)
    seen = mark(world.text.content, "articles/strategy")
    actions.propose(world.text, [("articles/strategy/body", "Texte de l'État")], by=world.correspondent, on=w.START)
    answer = client.post(
        reverse("contract-propose", args=[world.contract.slug, 0]),
        {"path": "articles/strategy", "seen": seen, "f:body": "Texte du pôle"},
    )
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Texte du pôle" in page
    assert "Texte de l&#x27;État" in page
    assert doc.get(world.text.content, "articles/strategy/body") == "Texte de l'État"


def test_autosave_keeps_a_long_text_and_shows_conflicts(client):
    world = w.prepared(w.make_world())
    from jalon.contracts.outline import mark

    sign_in(client, world.director)
    url = reverse("contract-autosave", args=[world.contract.slug, 0])
    revision = mark(world.text.content, "articles/strategy")
    for body in ("Notre", "Notre stratégie", "Notre stratégie tient"):
        answer = client.post(
            url,
            {"path": "articles/strategy", "revision": revision, "f:body": body},
            headers={"accept": "application/json"},
        )
        assert answer.status_code == 200, answer.content
        revision = answer.json()["revision"]
    assert Proposal.objects.filter(path="articles/strategy/body").count() == 1
    answer = client.post(
        url,
        {"path": "articles/strategy", "revision": "vieux", "f:body": "Autre"},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 409
    assert (answer.json()["theirs"], answer.json()["yours"]) == ("Notre stratégie tient", "Autre")


def test_the_whole_signature_through_the_pages(client):
    world = w.negotiated(w.make_world())
    slug = world.contract.slug
    sign_in(client, world.correspondent)
    client.post(reverse("contract-open-signature", args=[slug, 0]))
    sha = world.text.frozen.sha256
    assert sha in get(client, "contract-signature", slug)
    for actor, decides in (
        (world.director, False),
        (world.region_signatory, True),
        (world.department_signatory, True),
        (world.prefect, False),
    ):
        sign_in(client, actor)
        if decides:
            client.post(
                reverse("contract-decide", args=[slug, 0]),
                {"decided_on": w.START.isoformat(), "reference": "D-1", "outcome": "approved", "amount": "100 000"},
            )
        answer = client.post(
            reverse("contract-sign", args=[slug, 0]),
            {"sha256": sha, "signed_on": w.START.isoformat(), "signatory": "fonction", "read": "on"},
        )
        assert answer.status_code == 302, answer.content.decode()
    assert Contract.objects.get(slug=slug).state == "signed"


def test_signing_out_of_turn_says_who_is_awaited(client):
    world = w.signing(w.make_world())
    w.decide_all(world)
    sign_in(client, world.prefect)
    answer = client.post(
        reverse("contract-sign", args=[world.contract.slug, 0]),
        {"sha256": world.text.frozen.sha256, "signed_on": w.START.isoformat(), "signatory": "x", "read": "on"},
    )
    assert answer.status_code == 400
    assert f.carrier_of(world.cluster).name in answer.content.decode()


def test_checking_a_file_against_the_frozen_text(client):
    world = w.signed(w.make_world())
    slug = world.contract.slug
    from django.core.files.uploadedfile import SimpleUploadedFile

    good = client.get(reverse("contract-canonical", args=[slug, 0])).content
    url = reverse("contract-check", args=[slug, 0])
    page = client.post(url, {"file": SimpleUploadedFile("t.json", good)}).content.decode()
    assert "Identique" in page
    page = client.post(url, {"file": SimpleUploadedFile("t.json", good.replace(b"100000", b"100001"))}).content.decode()
    assert "Différent" in page
    page = client.post(url, {"sha256": world.text.frozen.sha256}).content.decode()
    assert "Identique" in page


def test_a_new_contract_form_keeps_what_was_typed_when_the_label_forbids(client):
    world = w.make_world()
    from jalon.clusters.models import LabelPeriod

    LabelPeriod.objects.update(ends_on=dt.date(2009, 12, 31))
    sign_in(client, world.correspondent)
    data = {
        "cluster": world.cluster.pk,
        "phase": "phase-2",
        "starts_on": "2009-01-01",
        "ends_on": "2011-12-31",
        "state": world.state.pk,
        "state_signatory": "préfet de région",
        "authorities": [world.region.pk],
        "governance_signatory": "présidente du pôle",
        "title": "Contrat du pôle",
    }
    answer = client.post(reverse("contract-new"), data)
    assert answer.status_code == 400
    assert "présidente du pôle" in answer.content.decode()
    assert "31\u00a0décembre\u00a02009" in answer.content.decode()
    answer = client.post(reverse("contract-new"), data | {"ends_on": "2009-12-31"})
    assert answer.status_code == 302, answer.content.decode()
    assert Contract.objects.get().title == "Contrat du pôle"


def test_only_who_prepares_opens_the_form(client):
    world = w.make_world()
    assert client.get(reverse("contract-new")).status_code == 302
    get(sign_in(client, world.director), "contract-new", status=403)
    get(sign_in(client, world.correspondent), "contract-new")


def test_pages_speak_english(client):
    world = w.signing(w.make_world())
    sign_in(client, world.director)
    client.cookies["jalon_language"] = "en"
    slug = world.contract.slug
    assert "Decisions and signatures" in get(client, "contract-signature", slug)
    assert "Before the signature" in get(client, "contract", slug)
    assert "Frozen text" in get(client, "contract-text", slug)


def test_comments_stand_beside_their_element(client):
    world = w.negotiated(w.make_world())
    slug = world.contract.slug
    sign_in(client, world.region_agent)
    client.post(reverse("contract-comment", args=[slug, 0]), {"path": "objectives/o1", "body": "Trop vague ?"})
    assert "Trop vague ?" in get(client, "contract", slug)
    sign_in(client, world.director)
    from jalon.contracts.models import Comment

    client.post(reverse("comment-resolve", args=[slug, Comment.objects.get().pk]))
    assert Comment.objects.get().resolved_by


# --- queries ------------------------------------------------------------------------------------------------------


def count(client, name, *args):
    with CaptureQueriesContext(connection) as caught:
        get(client, name, *args)
    return len(caught)


QUERIES = {
    "contract": 14,
    "contract-text": 11,
    "contract-signature": 14,
    "contract-history": 13,
    "contract-annexes": 10,
}


def test_pages_ask_the_same_number_of_questions_whatever_the_size(client):
    world = w.negotiated(w.make_world())
    slug = world.contract.slug
    sign_in(client, world.director)
    get(client, "contract", slug)
    small = {name: count(client, name, slug) for name in QUERIES}
    text = world.text
    more = [
        (
            f"objectives/o{n}",
            {"title": f"Objectif {n}", "actions": [{"key": f"a{n}{m}", "title": "A"} for m in range(3)]},
        )
        for n in range(2, 12)
    ]
    actions.propose(text, more, reason="Plus d'objectifs", by=world.director, on=w.START)
    for proposal in Proposal.objects.filter(state="open")[:8]:
        actions.accept(proposal, by=world.correspondent, on=w.START)
    for n in range(2, 8):
        actions.comment(text, f"objectives/o{n}", "Remarque", by=world.region_agent, on=w.START)
    large = {name: count(client, name, slug) for name in QUERIES}
    assert large == small
    assert small == QUERIES


def test_the_list_asks_the_same_number_of_questions_whatever_its_length(client):
    w.signed(w.make_world())
    get(client, "contract-list")
    one = count(client, "contract-list")
    for _ in range(2):
        w.signed(w.make_world())
    assert count(client, "contract-list") == one
    assert Text.objects.count() == 3
    assert one == 9


def test_a_contract_known_from_sources_only_is_readable(client):
    """Signed contracts of the register whose text was not found: facts and parties, nothing invented."""
    world = w.make_world()
    from jalon.core import clock

    made = Contract.objects.create(
        programme=world.cluster.programme,
        cluster=world.cluster,
        slug="connu-2009",
        title="Contrat connu",
        phase="phase-2",
        policy_day=w.START,
        state="signed",
        created_at=clock.moment_on(w.START),
        known={"parties_complete": False},
    )
    made.parties.create(key="region", kind="authority", organisation=world.region)
    party = {"key": "region", "kind": "authority", "organisation": world.region.pk, "name": world.region.name}
    Text.objects.create(
        contract=made,
        number=0,
        state="signed",
        content=doc.tidied({"title": "Contrat connu", "parties": [party]}),
        created_at=made.created_at,
    )
    for name in ("contract-text", "contract-signature", "contract-annexes", "contract-amendments"):
        assert "Contrat connu" in get(client, name, "connu-2009")
    assert world.region.name in get(client, "contract-text", "connu-2009")
    assert "on ne sait pas" in get(client, "contract-text", "connu-2009")
    sign_in(client, world.correspondent)
    for name in (*PAGES, "contract-amendments"):
        get(client, name, "connu-2009")


def test_pages_and_titles_bear_the_name_of_the_time(client):
    world = w.make_world()
    cluster = world.cluster
    ClusterName.objects.create(cluster=cluster, name="Nom d'alors", ends_on=w.START + dt.timedelta(days=2000), rank=1)
    ClusterName.objects.create(cluster=cluster, name=cluster.name, starts_on=w.START + dt.timedelta(days=2001), rank=2)
    w.signed(world)
    assert "Nom d'alors" in world.contract.title and cluster.name not in world.contract.title
    for name, args in (("contract-list", ()), ("contract-text", (world.contract.slug,))):
        shown = client.get(reverse(name, args=args)).content.decode()
        assert "Nom d&#x27;alors" in shown and cluster.name not in shown.replace(f"Association {cluster.name}", "")


def test_open_proposals_are_listed_first_and_a_file_is_decided_at_once(client):
    world = w.negotiated(w.make_world())
    changes = [("articles/object/body", "Objet relu."), ("indicators/i90/targets/2011", "250")]
    actions.propose(world.text, changes, reason="Classeur relu", by=world.director, on=w.START, batch="file-abc")
    sign_in(client, world.correspondent)
    shown = get(client, "contract", world.contract.slug)
    for proposal in Proposal.objects.filter(batch="file-abc"):
        assert f'href="#proposition-{proposal.pk}"' in shown and f'id="proposition-{proposal.pk}"' in shown
    assert "Accepter les 2 propositions" in shown
    folds = {part: "open" in rest.split(">", 1)[0] for part, rest in FOLD.findall(shown)}
    assert folds["articles"] and folds["indicators"] and not folds["parties"]
    where = reverse("batch-decide", args=[world.contract.slug, 0, "file-abc"])
    assert client.post(where, {"act": "accept"}).status_code == 302
    assert set(Proposal.objects.filter(batch="file-abc").values_list("state", flat=True)) == {"accepted"}
