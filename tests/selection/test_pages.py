"""Pages of the selection as the people concerned see them: what shows, what does not, what is kept when refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.core import sheets
from jalon.core.lang import speaking
from jalon.interests import actions as interests
from jalon.selection import actions, columns, queries
from jalon.selection.models import Assessment, Consensus, Envelope, Scenario, SelectionLetter, Share
from jalon.workspace.queries import tasks_for
from tests import factories as f
from tests.selection import world as w

pytestmark = pytest.mark.django_db
DAY = w.DAY


@pytest.fixture
def world():
    f.live_on()
    return w.make_world(projects=3)


def as_(actor) -> Client:
    client = Client()
    client.force_login(f.user_of(actor))
    return client


def text(response) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode().replace("\u202f", " ").replace("\xa0", " ")


def test_an_expert_declares_scores_with_autosave_and_hands_in(world):
    project, expert = world.projects[0], world.experts[0]
    row = actions.assign(world.exercise, project, f.user_of(expert), by=world.manager, on=DAY)
    client, address = as_(expert), reverse("selection-assess", args=[row.pk])
    assert client.get(address)["Location"] == reverse("interest", args=[project.case])
    titles = [str(task.title) for task in tasks_for(expert, DAY)]
    assert any("Déclarer vos intérêts" in t for t in titles) and not any("Rendre l'avis" in t for t in titles)
    interests.declare(project.case, "none", by=expert, on=DAY)
    assert any("Rendre l'avis" in str(task.title) for task in tasks_for(expert, DAY))
    assert "Justification" in text(client.get(address))
    json = {"HTTP_ACCEPT": "application/json"}
    answer = client.post(address, {"revision": 0, "score_market": "3,5", "why_market": "Marché réel"}, **json)
    assert answer.json()["revision"] == 1
    again = client.post(address, {"revision": 0, "summary": "Perdu ?"}, **json)
    assert again.status_code == 409 and again.json()["yours"] == "Perdu ?" and "Marché réel" in again.json()["theirs"]
    wrong = client.post(address, {"revision": 1, "score_market": "onze", "why_market": "Gardé"})
    assert wrong.status_code == 400 and "Gardé" in wrong.content.decode() and "onze" in wrong.content.decode()
    refused = client.post(
        reverse("selection-submit", args=[row.pk]), {"rev": 1, "opinion": "favourable", "summary": ""}
    )
    assert refused.status_code == 400 and "la justification" in refused.content.decode()
    full = {"rev": 2, "opinion": "favourable", "summary": "Oui"}
    for code in ("technology", "market", "value", "strategy"):
        full |= {f"score_{code}": "4", f"why_{code}": "Bien"}
    assert client.post(reverse("selection-submit", args=[row.pk]), full).status_code == 302
    row.refresh_from_db()
    assert row.state == "submitted"
    # The manager sees that it is in, and no score; the other expert sees nothing of it.
    assert "Bien" not in text(as_(world.manager).get(reverse("selection-consensus", args=[project.slug])))
    assert as_(world.experts[1]).get(address).status_code == 404


def test_the_consensus_shows_notes_side_by_side_and_their_divergence(world):
    project = world.projects[0]
    w.assess(world, project, world.experts[0], "5")
    w.assess(world, project, world.experts[1], "2")
    client, address = as_(world.manager), reverse("selection-consensus", args=[project.slug])
    client.post(reverse("selection-consensus-open", args=[project.slug]), {})
    page = text(client.get(address))
    assert "à discuter" in page and page.count("Argumenté.") == 8
    assert "Argumenté." in text(as_(world.experts[1]).get(address))
    refused = client.post(address, {"rev": 0, "score_market": "4", "why_market": "Gardé"})
    assert refused.status_code == 400 and "Gardé" in refused.content.decode()
    full = {"rev": 0, "opinion": "reserved", "summary": "Bref"}
    for code in ("technology", "market", "value", "strategy"):
        full |= {f"score_{code}": "3.5", f"why_{code}": "D'accord"}
    assert client.post(address, full).status_code == 302
    assert Consensus.objects.get(project=project).total == Decimal("3.5")


def test_the_ranking_filters_tries_and_exports_without_touching_anything(world):
    for project, score in zip(world.projects, ("5", "4", "4"), strict=True):
        w.agree(world, project, score)
    client, address = as_(world.manager), reverse("selection-ranking", args=[world.call.code])
    page = text(client.get(address))
    assert page.index(world.projects[0].acronym) < page.index(world.projects[1].acronym)
    assert page.count("ex æquo</span>") == 2
    assert world.projects[0].acronym not in text(client.get(address, {"only": "ties"}))
    tried = text(client.get(address, {"essai": "1", "min_total": "4,5", "w_market": "2"}))
    assert "Essai" in tried and "Total : 4" in tried
    assert not Consensus.objects.filter(passes=False).exists()
    assert client.get(address, {"essai": "1", "w_market": "trois"}).status_code == 400
    book = sheets.read(b"".join(client.get(address, {"format": "xlsx"}).streaming_content), "classement.xlsx")
    ranks = [row[0] for row in book.sheets[0].rows[1:]]
    assert ranks == [1, 2, 2]
    # Who is recused from a project does not see it, and ranks do not move.
    interests.declare(world.projects[0].case, "interest", by=world.manager, on=DAY, reason="Ancien employeur")
    page = text(client.get(address))
    assert world.projects[0].acronym not in page and "déporté" in page
    exported = b"".join(client.get(address, {"format": "csv"}).streaming_content).decode("utf-8-sig")
    assert world.projects[0].acronym not in exported and "\n2" in exported
    assert as_(world.region_agent).get(address).status_code == 403


def test_a_funder_sees_what_concerns_it_states_intentions_and_reads_its_column_back(world):
    client, code = as_(world.region_agent), world.call.code
    page = text(client.get(reverse("selection-funder", args=[code])))
    assert "3 projets attendent" in page
    assert any("Dire vos intentions" in str(task.title) for task in tasks_for(world.region_agent, DAY))
    assert "Aucun projet ne vous concerne" in text(as_(world.other_agent).get(reverse("selection-funder", args=[code])))
    project = world.projects[0]
    partner = w.partner_of(project)
    address = reverse("selection-intention", args=[project.slug])
    given = {"funder": world.region.pk, "partner": partner.pk, "seen": 0, "rate": "12,5"}
    assert client.post(address, given).status_code == 302
    stale = client.post(address, given | {"rate": "", "amount": "1 000,00"})
    assert stale.status_code == 400 and "changé entre-temps" in stale.content.decode()
    over = client.post(address, given | {"seen": Share.objects.get().pk, "amount": "400 000,01"})
    assert over.status_code == 400 and "dépasse" in over.content.decode()
    assert (
        client.post(
            reverse("selection-envelope", args=[code]),
            {"funder": world.region.pk, "amount": "80 000", "reason": "Vote"},
        ).status_code
        == 302
    )
    assert Envelope.objects.get().amount == 80000
    # out, changed, and back in
    answer = client.get(reverse("selection-funder", args=[code]), {"format": "xlsx"})
    book = sheets.read(b"".join(answer.streaming_content), "intentions.xlsx")
    rows = book.sheets[0].rows
    mine = next(n for n, row in enumerate(rows) if (row[1], row[3]) == (project.slug, partner.key))
    one, two, three = [n for n in (1, 2, 3, 4) if n != mine][:3]
    assert len(rows) == 10 and rows[mine][6] == 50000

    def sent(change, **more):
        table = [list(row) for row in rows]
        change(table)
        with (
            speaking("fr"),
            sheets.write_xlsx([("i", [c for _, c in columns.OWN], [r[:8] for r in table[1:]])]) as file,
        ):
            data = file.read()
        return client.post(
            reverse("selection-funder-import", args=[code]), {"file": SimpleUploadedFile("i.xlsx", data), **more}
        )

    def good(table):
        table[one][6] = Decimal("1000.50")

    def bad(table):
        table[one][6] = Decimal("9999999")
        table[two][1] = "inconnu"
        table[three][1], table[three][3] = rows[one][1], rows[one][3]

    page = sent(bad).content.decode()
    assert page.count("refusé") >= 3 and "deux fois" in page and Share.objects.count() == 1
    assert (
        "3 lignes refusées" in sent(bad, write="1").content.decode().replace("\xa0", " ") and Share.objects.count() == 1
    )
    assert "1 changement possible" in text(sent(good)) and Share.objects.count() == 1
    assert sent(good, write="1").status_code == 302
    assert Share.objects.filter(superseded_at__isnull=True).count() == 2
    assert (
        client.post(
            reverse("selection-funder-import", args=[code]), {"file": SimpleUploadedFile("x.csv", b"a;b\n1;2\n")}
        ).status_code
        == 400
    )


def test_the_financing_table_folds_open_and_the_project_page_explains(world):
    project = world.projects[0]
    w.intend_state(world, project, "180000.01")
    client = as_(world.manager)
    address = reverse("selection-financing", args=[world.call.code])
    page = text(client.get(address))
    assert "dépassé" in page and "Société" not in page
    assert text(client.get(address, {"ouvrir": project.slug})).count("Société") == 3
    assert world.projects[1].acronym not in text(client.get(address, {"light": "late"}))
    page = text(client.get(reverse("project-financing", args=[project.slug])))
    assert "0,01 € de trop" in page and "PME en zone de R&amp;D" in page and "180 000 €" in page
    assert "Conseil régional n&#x27;a pas répondu" in page or "Conseil régional n'a pas répondu" in page


def test_from_scenarios_to_letters_and_results(world):
    one, two, three = world.projects
    for project, score in ((one, "5"), (two, "4"), (three, "3")):
        w.agree(world, project, score)
        for position in range(3):
            w.intend_state(world, project, "80000.00", position)
    manager, decider, code = as_(world.manager), as_(world.decider), world.call.code
    address = reverse("selection-scenarios", args=[code])
    assert manager.post(address, {"name": "Prudent", "limit": "300 000"}).status_code == 302
    assert manager.post(address, {"name": "Enveloppe", "limit": ""}).status_code == 302
    assert manager.post(address, {"name": "Enveloppe"}).status_code == 400
    page = text(manager.get(address))
    assert "Prudent" in page and "240 000 €" in page and "480 000 €" in page and world.cluster.name in page
    scenario = Scenario.objects.get(name="Enveloppe")
    assert dict(scenario.lines.values_list("project__acronym", "outcome")) == {
        one.acronym: "selected", two.acronym: "selected", three.acronym: "reserve",
    }  # fmt: skip
    page_of = reverse("selection-scenario", args=[scenario.pk])
    form = {"rev": 0, "name": "Enveloppe", "note": "", "reasons_reserve": "Enveloppe atteinte"}
    form |= {f"o_{p.pk}": o for p, o in ((one, "selected"), (two, "selected"), (three, "reserve"))}
    form[f"a_{two.pk}"] = "200 000,01"
    assert manager.post(page_of, form).status_code == 302
    scenario.refresh_from_db()
    assert sum(queries.overrides_of(scenario).values()) == Decimal("200000.01")
    assert manager.post(page_of, form).status_code == 409 or manager.post(page_of, form).status_code == 400
    assert "200 000,01" in text(manager.get(page_of)) and "Arrêter cette liste" not in text(manager.get(page_of))
    results = reverse("selection-results", args=[code])
    assert Client().get(results).status_code == 404
    assert decider.post(reverse("selection-decide", args=[scenario.pk]), {"rev": 0}).status_code == 400
    assert decider.post(reverse("selection-decide", args=[scenario.pk]), {"rev": scenario.rev}).status_code == 302
    assert queries.used(world.call) == Decimal("440000.01")
    assert Client().get(results).status_code == 404
    decider.post(reverse("selection-announce", args=[code]), {})
    page = text(Client().get(results))
    assert "440 000,01 €" in page and one.acronym in page and three.acronym not in page and "inconnu" in page
    letter = SelectionLetter.objects.filter(project=one).first()
    member = f.make_actor("project_member", organisation=letter.partner.organisation)
    client = as_(member)
    page = text(client.get(reverse("selection-letter", args=[letter.pk])))
    assert "Lettre officielle de sélection" in page and letter.frozen.sha256 in page
    pdf = client.get(reverse("selection-letter-pdf", args=[letter.pk]))
    assert (
        pdf.content.startswith(b"%PDF")
        and client.get(reverse("selection-letter-docx", args=[letter.pk])).status_code == 200
    )
    assert text(client.get(reverse("selection-letters"))).count("pr-") == 0


LISTS = {
    "selection-ranking": ("manager", 22),
    "selection-financing": ("manager", 22),
    "selection-desk": ("manager", 17),
    "selection-funder": ("region_agent", 24),
    "selection-scenarios": ("manager", 15),
}


@pytest.mark.parametrize("name", LISTS)
def test_queries_do_not_grow_with_the_projects(world, name):
    who, most = LISTS[name]
    for project in world.projects:
        w.agree(world, project, "4")
        w.intend_state(world, project)
    client, address = as_(getattr(world, who)), reverse(name, args=[world.call.code])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _ in range(3):
        project = w.make_project(world.call, cluster=world.cluster)
        w.intend_state(world, project)
        Assessment.objects.create(
            exercise=world.exercise, project=project, expert_id=world.experts[0].user_id, asked_on=DAY
        )
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few), [q["sql"][:120] for q in many.captured_queries[len(few) :]]
    assert len(few) <= most, (len(few), [q["sql"][:100] for q in few.captured_queries])
