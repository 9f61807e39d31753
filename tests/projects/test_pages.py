"""Pages of calls and projects: what each says, what each keeps back, what bad input gets; queries do not grow."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.core.sheets import read
from jalon.projects import actions, exchange, queries
from jalon.projects.loading import load_calls_if_changed
from jalon.projects.models import BudgetLine, Project
from tests import factories as make
from tests.projects import world as w

pytestmark = pytest.mark.django_db
DAY = w.DAY
JSON = {"HTTP_ACCEPT": "application/json"}


def text(response) -> str:
    return response.content.decode().replace("\u00a0", " ").replace("\u202f", " ").replace("&#x27;", "'")


def test_every_page_of_a_draft_opens_for_its_leader(world, signed_in):
    client = signed_in(world.leader)
    slug = world.project.slug
    for name, args in (
        ("calls", []),
        ("call", [world.call.code]),
        ("call-projects", [world.call.code]),
        ("projects", []),
        ("my-projects", []),
        ("project-rates", []),
        ("project-start", []),
        ("project", [slug]),
        ("project-edit", [slug]),
        ("project-version", [slug]),
        ("project-history", [slug, "summary"]),
        ("project-budget", [slug, "p2"]),
        ("project-budget-import", [slug]),
        ("project-follow", [slug]),
    ):
        for language in ("fr", "en"):
            client.cookies["jalon_language"] = language
            response = client.get(reverse(name, args=args))
            assert response.status_code == 200, name
            assert "{%" not in text(response) and "None" not in text(response), name
    client.cookies["jalon_language"] = "fr"
    assert "Aucun pôle n'a labellisé le projet" in text(client.get(reverse("project-edit", args=[slug])))


def test_a_partner_reads_its_own_lines_and_the_totals_of_others(world, signed_in):
    page = text(signed_in(world.partner).get(reverse("project", args=[world.project.slug])))
    assert f"Budget détaillé de {world.partners['p2'].organisation.name}" in page
    assert f"Budget détaillé de {world.partners['p1'].organisation.name}" not in page
    assert "900 000" in page  # the total of the leader
    leader = text(signed_in(world.leader).get(reverse("project", args=[world.project.slug])))
    assert all(f"Budget détaillé de {p.organisation.name}" in leader for p in world.partners.values())
    book = read(
        b"".join(
            signed_in(world.partner).get(reverse("project-budget-xlsx", args=[world.project.slug])).streaming_content
        ),
        "b.xlsx",
    )
    assert {row[0] for row in book.sheet("Budget").rows[1:]} == {"p2"}
    assert signed_in(world.partner).get(reverse("project-budget", args=[world.project.slug, "p1"])).status_code == 403
    assert (
        signed_in(world.partner).get(reverse("project-history", args=[world.project.slug, "budget:p1"])).status_code
        == 404
    )


def test_a_draft_does_not_exist_for_others_and_a_selected_project_shows_its_summary_only(world, signed_in):
    slug = world.project.slug
    for who in (
        None,
        make.make_actor("project_member"),
        make.make_actor("national_officer"),
        make.make_actor("cluster_director", cluster=w.make_pole()),
    ):
        assert signed_in(who).get(reverse("project", args=[slug])).status_code == 404
    Project.objects.filter(pk=world.project.pk).update(
        state="selected", submitted_at=world.project.created_at, decided_on=DAY
    )
    page = text(signed_in().get(reverse("project", args=[slug])))
    assert "Un résumé que tout le monde peut lire" in page
    assert "La description complète" not in page and "Budget détaillé" not in page and "annexe.pdf" not in page
    found = signed_in().get(reverse("project", args=[slug]) + "?format=json").json()
    assert found["budget"] == "2000000.00" and "confidential" not in found


def test_saving_as_it_is_typed_answers_with_the_revision_or_with_both_versions(world, signed_in):
    client, slug = signed_in(world.leader), world.project.slug
    address = reverse("project-section", args=[slug, "summary"])
    rev = queries.section_revs(world.project)["summary"].rev
    saved = client.post(address, {"summary": "Mien", "revision": rev}, **JSON)
    assert saved.status_code == 200 and saved.json()["revision"] == rev + 1
    late = client.post(address, {"summary": "Tien", "revision": rev}, **JSON)
    assert late.status_code == 409 and (late.json()["theirs"], late.json()["yours"]) == ("Mien", "Tien")
    bad = client.post(
        reverse("project-section", args=[slug, "territory"]), {"territory": "33 : 60\n40 : 30", "revision": 0}, **JSON
    )
    assert bad.status_code == 400 and "90 %" in bad.json()["message"].replace("\u00a0", " ")
    page = client.post(
        reverse("project-section", args=[slug, "identity"]),
        {"acronym": "X", "title": "Y", "starts_on": "", "months": "abc"},
    )
    assert page.status_code == 400 and "abc" in text(page)


def test_a_budget_typed_by_hand_keeps_its_cents_and_says_what_is_wrong(world, signed_in):
    client, slug = signed_in(world.partner), world.project.slug
    address = reverse("project-budget", args=[slug, "p2"])
    line = {
        "year_0": "2012",
        "category_0": "personnel",
        "frascati_0": "applied",
        "aid_class_0": "industrial",
        "amount_0": "1 234 567,89",
    }
    assert client.post(address, {**line, "asked": "300 000,10", "rev": "1"}).status_code == 302
    assert BudgetLine.objects.get(partner=world.partners["p2"]).amount == Decimal("1234567.89")
    wrong = client.post(address, {**line, "year_0": "2040", "amount_0": "12,345", "rev": "2"})
    assert wrong.status_code == 400 and "au centime près" in text(wrong)
    wrong = client.post(address, {**line, "year_0": "2040", "rev": "2"})
    assert (
        wrong.status_code == 400 and "2040 est hors du projet" in text(wrong) and 'value="1 234 567,89"' in text(wrong)
    )


def workbook(rows) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("Budget")
    for y, row in enumerate(
        [
            [
                "Partenaire",
                "Organisme",
                "Année",
                "Catégorie de coût",
                "Recherche (Frascati)",
                "Classe du règlement d'aides",
                "Montant",
            ],
            *rows,
        ]
    ):
        for x, value in enumerate(row):
            if isinstance(value, tuple):
                sheet.write_formula(y, x, value[0], None, value[1])
            else:
                sheet.write(y, x, value)
    book.close()
    return out.getvalue()


def test_the_budget_goes_round_by_a_workbook(world, signed_in):
    client, slug = signed_in(world.leader), world.project.slug
    address = reverse("project-budget-import", args=[slug])
    same = b"".join(client.get(reverse("project-budget-xlsx", args=[slug])).streaming_content)
    assert "Le fichier ne change rien" in text(client.post(address, {"file": SimpleUploadedFile("b.xlsx", same)}))
    data = workbook(
        [
            ["p1", "", 2011, "Dépenses de personnel", "applied", "industrial", 675000],
            ["p1", "", 2012, "equipment", "experimental", "experimental", ("=100000+50000", 150000)],
            ["p1", "", 2013, "services", "applied", "recherche industrielle", "12 000,50"],
        ]
    )
    page = text(client.post(address, {"file": SimpleUploadedFile("b.xlsx", data)}))
    assert "2 lignes changeraient" in page and "225 000" in page and "150 000" in page and "G3" in page
    assert "elle n'est pas exécutée" in page and "son budget reste tel quel" in page
    token = page.split('name="token" value="')[1].split('"')[0]
    mark = page.split('name="mark" value="')[1].split('"')[0]
    assert BudgetLine.objects.filter(partner=world.partners["p1"]).count() == 2  # nothing before the agreement
    assert client.post(address, {"token": token, "mark": "other"}).status_code == 409
    assert client.post(address, {"token": token, "mark": mark}).status_code == 302
    assert sum(b.amount for b in queries.budget_of(world.partners["p1"])) == Decimal("837000.50")
    bad = workbook(
        [
            ["p9", "", 2011, "personnel", "", "industrial", 1],
            ["p2", "", "demain", "personnel", "", "industrial", 1],
            ["p2", "", 2011, "cadeaux", "", "industrial", -5],
            ["p2", "", 2031, "personnel", "", "industrial", "beaucoup"],
        ]
    )
    page = client.post(address, {"file": SimpleUploadedFile("b.xlsx", bad)})
    assert page.status_code == 400
    for cell in ("A2", "C3", "G4", "G5"):
        assert cell in text(page)
    assert client.post(address, {"file": SimpleUploadedFile("b.pdf", b"%PDF-1.4")}).status_code == 400


def test_a_partner_brings_only_its_own_part(world):
    data = workbook([["p1", "", 2011, "personnel", "applied", "industrial", 1]])
    seen = exchange.preview(world.project, data, "b.xlsx", by=world.partner, on=DAY)
    assert "hors de votre part" in str(seen.faults[0])


def test_the_officer_checks_asks_and_decides(handed_in, signed_in):
    client, slug = signed_in(handed_in.officer), handed_in.project.slug
    page = text(client.get(reverse("project-check", args=[slug])))
    assert "La recherche demande 34,1 %" not in page
    asked = client.post(
        reverse("project-clarify", args=[slug]), {"sections": ["budget"], "message": "Détailler", "due_on": ""}
    )
    assert asked.status_code == 302
    assert "Détailler" in text(signed_in(handed_in.leader).get(reverse("project-edit", args=[slug])))
    assert (
        signed_in(handed_in.leader).post(reverse("project-clarify-answer", args=[slug]), {"answer": "Fait"}).status_code
        == 302
    )
    assert (
        client.post(reverse("project-check", args=[slug]), {"verdict": "inadmissible", "reasons": ""}).status_code
        == 400
    )
    assert client.post(reverse("project-check", args=[slug]), {"verdict": "admissible"}).status_code == 302
    assert Project.objects.get(pk=handed_in.project.pk).state == "admissible"


def test_an_assessor_declares_before_the_file_opens_and_the_recused_see_nothing(handed_in, signed_in):
    from jalon.interests.actions import declare

    expert, slug = make.make_actor("ministry_expert"), handed_in.project.slug
    page = text(signed_in(expert).get(reverse("project", args=[slug])))
    assert "après votre déclaration d'intérêts" in page and "La description complète" not in page
    assert signed_in(expert).get(reverse("project-budget-xlsx", args=[slug])).status_code == 403
    declare(handed_in.project.case, "none", by=expert, on=DAY)
    assert "La description complète" in text(signed_in(expert).get(reverse("project", args=[slug])))
    declare(handed_in.project.case, "interest", by=handed_in.officer, on=DAY, reason="Ancien employeur")
    client = signed_in(handed_in.officer)
    assert client.get(reverse("project", args=[slug])).status_code == 403
    for address in (
        reverse("projects"),
        reverse("projects") + "?format=json",
        reverse("call-projects", args=[handed_in.call.code]),
        reverse("search") + f"?q={handed_in.project.acronym}",
    ):
        answer = client.get(address)
        body = (
            b"".join(answer.streaming_content).decode()
            if answer.streaming
            else text(answer)
            .replace(f'value="{handed_in.project.acronym}"', "")
            .replace(f"“{handed_in.project.acronym}”", "")
        )
        assert handed_in.project.title not in body, address


def test_rules_change_on_screen_and_each_file_says_its_version(handed_in, signed_in):
    officer, call = handed_in.officer, handed_in.call
    client = signed_in(officer)
    address = reverse("call-rules", args=[call.code])
    form = text(client.get(address))
    assert "part d'un partenaire, au plus" in form
    typed = {"reason": "Précision du comité", "rate_0": "50"}
    for e in queries.latest_rules(call).rules["eligibility"]:
        typed |= {
            f"value_{e['rule']}": {True: "yes", False: "no"}.get(e["value"], e["value"])
            if isinstance(e["value"], bool)
            else e["value"],
            f"effect_{e['rule']}": e["effect"],
            f"reference_{e['rule']}": e["reference"],
        }
    for n, r in enumerate(queries.latest_rules(call).rules["rates"]):
        typed.setdefault(f"rate_{n}", r["percent"])
    typed["value_budget_max"] = "6000000"
    typed["paper_0"] = "1"
    assert client.post(address, {**typed, "rate_1": "150"}).status_code == 400
    assert client.post(address, {**typed, "reason": ""}).status_code == 400
    assert client.post(address, typed).status_code == 302
    page = text(client.get(reverse("call", args=[call.code])))
    assert "Changé depuis la version 1" in page and "6 000 000" in page
    page = text(client.get(reverse("project-version", args=[handed_in.project.slug])))
    assert "suit la version 1" in page and "garde la version" in page and "6 000 000" in page
    kept = queries.latest_rules(call).rules
    one = next(e for e in kept["eligibility"] if e["rule"] == "partner_share_max")
    assert one["url"] and kept["rates"][0]["percent"] == "50"


def test_the_published_history_is_shown_as_published(signed_in):
    from jalon.clusters.loading import load_register_if_changed

    load_register_if_changed()
    assert load_calls_if_changed() == 28
    client = signed_in(None, DAY)
    page = text(client.get(reverse("calls")))
    assert "FUI, appel à projets n° 9" in page and "plus de 58 M€" in page and "FUI, appel à projets n° 11" not in page
    every = text(client.get(reverse("calls") + "?tous=1"))
    assert "FUI, appel à projets n° 25" in every and "38,0 %" not in every
    ten = text(client.get(reverse("call", args=["fui-10"])))
    assert "Pas encore de résultats" in ten and "216" not in ten
    later = signed_in(None, dt.date(2010, 8, 1))
    assert "33,8 %" in text(later.get(reverse("call", args=["fui-10"])))
    rows = {r["code"]: r for r in json.loads(b"".join(later.get(reverse("calls") + "?format=json").streaming_content))}
    assert (
        rows["fui-5"]["submitted"] == "206"
        and rows["fui-8"]["submitted"] is None
        and rows["fui-2"]["state_amount_precision"] == "~"
    )
    assert load_calls_if_changed() == 0


def test_lists_cost_the_same_whatever_their_length(world, signed_in):
    client = signed_in(world.leader)

    def cost(name, *args):
        address = reverse(name, args=args)
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    before = [cost("projects"), cost("my-projects"), cost("call-projects", world.call.code), cost("project-rates")]
    for n in range(6):
        project = actions.start_project(world.call, f"AUTRE{n}", "Titre", by=world.leader, on=DAY)
        actions.set_field(project, "starts_on", dt.date(2011, 1, 1), by=world.leader, on=DAY)
        w.label(project, w.make_pole())
    assert [
        cost("projects"),
        cost("my-projects"),
        cost("call-projects", world.call.code),
        cost("project-rates"),
    ] == before
