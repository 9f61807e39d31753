"""The pages of the exchange: who sees what, a file handed in, previewed, accepted."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from jalon.contracts import content as doc
from jalon.contracts.exchange.workbook import write
from jalon.contracts.models import Proposal
from jalon.core import clock
from jalon.core.models import JournalEntry
from tests.contracts import world as w
from tests.contracts.test_exchange_workbook import column, rewritten, row_of

pytestmark = pytest.mark.django_db

TARGET = "indicators/i90/targets/2011"


@pytest.fixture(autouse=True)
def _day():
    with clock.hold(w.START):
        yield


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def changed(text, value=250, extra=None) -> SimpleUploadedFile:
    data = write(text.content, slug=text.contract.slug, text_number=text.number, rev=text.rev, simulated=False)

    def change(sheets):
        rows = sheets["Indicateurs"]
        row_of(rows, "i90")[column(rows, "targets/2011")] = value
        if extra:
            extra(sheets)

    return SimpleUploadedFile("contrat.xlsx", rewritten(data, change))


def sign_in(client, actor):
    client.force_login(w.f.user_of(actor))


def hand_in(client, world, file):
    return client.post(reverse("contract-import", args=[world.contract.slug]), {"file": file})


def test_a_draft_is_known_to_its_parties_only(client):
    world = w.filled(w.make_world())
    names = ("contract-exchange", "contract-xlsx", "contract-yaml")
    for name in names:
        assert client.get(reverse(name, args=[world.contract.slug])).status_code == 404
    sign_in(client, world.director)
    for name in names:
        assert client.get(reverse(name, args=[world.contract.slug])).status_code == 200


def test_a_signed_contract_is_everybodys_to_download_and_its_amendment_is_not(client):
    world = w.signed(w.make_world())
    slug = world.contract.slug
    assert client.get(reverse("contract-xlsx", args=[slug])).status_code == 200
    from jalon.contracts import actions

    actions.amend(world.contract, reason="R", by=world.director, on=w.START)
    assert client.get(reverse("contract-xlsx", args=[slug]) + "?texte=1").status_code == 404
    assert client.get(reverse("contract-xlsx", args=[slug]) + "?texte=9").status_code == 404
    assert client.get(reverse("contract-xlsx", args=[slug]) + "?texte=x").status_code == 404
    page = client.get(reverse("contract-exchange", args=[slug])).content.decode()
    assert "?texte=0" in page
    assert "?texte=1" not in page
    sign_in(client, world.director)
    assert client.get(reverse("contract-xlsx", args=[slug]) + "?texte=1").status_code == 200


def test_handed_in_previewed_accepted(client, media):
    world = w.negotiated(w.make_world())
    sign_in(client, world.director)
    before = JournalEntry.objects.count()
    response = hand_in(client, world, changed(world.text))
    assert response.status_code == 302
    page = client.get(response.url)
    shown = page.content.decode()
    assert "Indicateurs!" in shown
    assert "200" in shown and "250" in shown
    assert (JournalEntry.objects.count(), Proposal.objects.filter(state="open").count()) == (before, 0)
    accept = reverse("contract-import-accept", args=[world.contract.slug])
    token = page.context["token"]
    refused = client.post(accept, {"fichier": token, "take": [TARGET]})
    assert refused.status_code == 400
    assert "motif" in refused.content.decode()
    done = client.post(accept, {"fichier": token, "take": [TARGET], "reason": "Crise"})
    assert done.status_code == 302
    proposal = Proposal.objects.get(state="open")
    assert (proposal.path, proposal.new, proposal.reason) == (TARGET, "250", "Crise")
    again = client.get(response.url).content.decode()
    assert "déjà proposé" in again


def test_a_file_that_changes_nothing_says_so(client, media):
    world = w.filled(w.make_world())
    sign_in(client, world.director)
    response = hand_in(client, world, changed(world.text, value=200))
    assert "Aucune différence" in client.get(response.url).content.decode()


def test_errors_are_shown_with_their_cell_and_stop_the_taking(client, media):
    world = w.filled(w.make_world())
    sign_in(client, world.correspondent)

    def negative(sheets):
        rows = sheets["Engagements"]
        row_of(rows, "c1")[column(rows, "amounts/2010")] = -5

    response = hand_in(client, world, changed(world.text, extra=negative))
    page = client.get(response.url)
    assert "Engagements!" in page.content.decode()
    accept = reverse("contract-import-accept", args=[world.contract.slug])
    asked = {"fichier": page.context["token"], "take": [TARGET]}
    assert client.post(accept, asked).status_code == 400
    assert doc.get(world.text.content, TARGET) == "200"
    assert client.post(accept, asked | {"without": "1"}).status_code == 302
    assert doc.get(world.text.content, TARGET) == "250"


def test_a_clash_is_shown_with_who_changed_it(client, media):
    from jalon.contracts import actions

    world = w.filled(w.make_world())
    sign_in(client, world.correspondent)
    file = changed(world.text)
    actions.propose(world.text, [(TARGET, "300")], by=world.director, on=w.START)
    page = client.get(hand_in(client, world, file).url)
    shown = page.content.decode()
    assert world.director.user_label in shown
    assert 'name="overrule"' in shown
    nothing = client.post(
        reverse("contract-import-accept", args=[world.contract.slug]), {"fichier": page.context["token"]}
    )
    assert nothing.status_code == 400
    assert doc.get(world.text.content, TARGET) == "300"


def test_unreadable_files_get_a_sentence_on_the_page(client, media):
    world = w.filled(w.make_world())
    sign_in(client, world.director)
    for name, data in (("x.xlsx", b"PK\x03\x04nothing"), ("x.doc", b"abc"), ("x.yaml", b"- a"), ("x.csv", b"a;b\n1;2")):
        response = hand_in(client, world, SimpleUploadedFile(name, data))
        assert response.status_code == 400
        assert name in response.content.decode()


def test_the_token_is_for_one_person_and_one_contract(client, media):
    world, other = w.filled(w.make_world()), w.filled(w.make_world())
    sign_in(client, world.director)
    url = hand_in(client, world, changed(world.text)).url
    sign_in(client, world.correspondent)
    assert client.get(url).status_code == 400
    sign_in(client, world.director)
    elsewhere = url.replace(world.contract.slug, other.contract.slug)
    assert client.get(elsewhere).status_code in (400, 404)
    assert client.get(reverse("contract-import-preview", args=[world.contract.slug]) + "?fichier=x").status_code == 400


def test_who_is_no_party_may_not_hand_in(client, media):
    world = w.signed(w.make_world())
    assert hand_in(client, world, changed(world.text)).status_code == 302  # to sign in
    sign_in(client, w.f.make_actor("reader"))
    assert hand_in(client, world, changed(world.text)).status_code == 403
    assert (
        "deposer"
        not in client.get(reverse("contract-exchange", args=[world.contract.slug])).content.decode().split("<main")[1]
    )


@pytest.mark.parametrize("ending", ["xlsx", "yaml"])
def test_what_is_simulated_says_so_in_the_file_and_its_name(client, ending):
    world = w.signed(w.make_world())
    world.contract.simulated = True
    world.contract.save()
    response = client.get(reverse(f"contract-{ending}", args=[world.contract.slug]))
    assert "-simule." in response["Content-Disposition"]
    if ending == "yaml":
        assert b"simulated: true" in response.content
