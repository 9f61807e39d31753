"""Pages of members: what everybody reads, what the team does, how many queries each page takes."""

import datetime as dt
import io
import json

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.clusters.members import actions, background
from jalon.clusters.models import ImportBatch, Membership
from jalon.core import clock, sheets
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry
from tests import factories

ON = factories.DAY


@pytest.fixture
def cluster(db):
    factories.live_on(ON)
    return factories.make_cluster(label=True)


@pytest.fixture
def director(cluster):
    return factories.make_actor("cluster_director", cluster=cluster)


@pytest.fixture
def team(client, director):
    client.force_login(factories.user_of(director))
    return client


def members(cluster, *rows):
    made = []
    for name, fields in rows:
        made.append(factories.make_membership(cluster, factories.make_organisation(name, siret=True), **fields))
    return made


@pytest.fixture
def some(cluster):
    return members(
        cluster,
        ("Électricité du Marensin", {"college": "industry"}),
        ("Université du bois", {"member_type": "research_training", "college": "research", "simulated": True}),
        ("Ancienne scierie", {"left_on": dt.date(2009, 12, 31)}),
        ("Nouvelle scierie", {"joined_on": dt.date(2010, 2, 1)}),
    )


def names(page):
    return [row.organisation.name for row in page.context["shown"]]


# --- the list ----------------------------------------------------------------------------------------------------


def test_everybody_reads_the_members_of_the_day(client, cluster, some):
    page = client.get(reverse("members", args=[cluster.slug]))
    assert names(page) == ["Électricité du Marensin", "Nouvelle scierie", "Université du bois"]
    text = page.content.decode()
    assert "simulé" in text and "Importer une liste" not in text
    assert [f["count"] for f in page.context["figures"]] == [2, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=electricite", ["Électricité du Marensin"]),
        ("q=ÉLECTRICITÉ+marensin", ["Électricité du Marensin"]),
        ("type=research_training", ["Université du bois"]),
        ("college=industry", ["Électricité du Marensin"]),
        ("college=-", ["Nouvelle scierie"]),
        ("on=2009-06-30", ["Ancienne scierie", "Électricité du Marensin", "Université du bois"]),
        ("movement=joined&from=2010-01-01&to=2010-12-31", ["Nouvelle scierie"]),
        ("movement=left&from=2009-01-01&to=2009-12-31", ["Ancienne scierie"]),
        ("movement=all", ["Ancienne scierie", "Électricité du Marensin", "Nouvelle scierie", "Université du bois"]),
        ("sort=-name", ["Université du bois", "Nouvelle scierie", "Électricité du Marensin"]),
        ("sort=joined&q=scierie&movement=all", ["Ancienne scierie", "Nouvelle scierie"]),
        ("page=99", ["Électricité du Marensin", "Nouvelle scierie", "Université du bois"]),
    ],
)
def test_filters(client, cluster, some, query, expected):
    assert names(client.get(reverse("members", args=[cluster.slug]) + "?" + query)) == expected


def test_an_identifier_finds_its_member(client, cluster, some):
    number = some[0].organisation.identifiers.get().value
    assert names(client.get(reverse("members", args=[cluster.slug]), {"q": number[:9]})) == ["Électricité du Marensin"]


def test_as_known_on_an_earlier_day(client, cluster, some, director):
    actions.leave(some[0], by=director, on=ON, left_on=dt.date(2009, 1, 31))
    address = reverse("members", args=[cluster.slug])
    assert "Électricité du Marensin" not in names(client.get(address, {"on": "2010-05-01"}))
    assert "Électricité du Marensin" in names(client.get(address, {"on": "2010-05-01", "known_on": "2010-05-01"}))


def test_a_wrong_day_is_said(client, cluster):
    page = client.get(reverse("members", args=[cluster.slug]), {"on": "hier"})
    assert page.status_code == 400 and "hier" in page.content.decode()


def test_an_empty_list_says_how_to_begin(team, cluster):
    assert "Importer une liste" in team.get(reverse("members", args=[cluster.slug])).content.decode()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods", "json"])
def test_exports_have_the_shape_of_the_template_and_mark_simulated_data(client, cluster, some, kind):
    answer = client.get(reverse("members", args=[cluster.slug]), {"format": kind})
    data = b"".join(answer.streaming_content)
    assert "simule" in answer["Content-Disposition"]
    if kind == "json":
        rows = json.loads(data)
        assert [r["name"] for r in rows][0] == "Électricité du Marensin" and "simul" in rows[0]["data"]
        return
    book = sheets.read(data, f"m.{kind}")
    template = sheets.read(client.get(reverse("members-template", args=[cluster.slug])).content, "t.xlsx")
    assert book.sheets[0].rows[0][:-1] == template.sheets[0].rows[0]
    assert len(book.sheets[0].rows) == 4


def test_the_template_lists_the_words_of_the_policy(client, cluster, policy):
    book = sheets.read(client.get(reverse("members-template", args=[cluster.slug])).content, "t.xlsx")
    cells = {cell for row in book.sheets[1].rows for cell in row}
    assert {str(t.title) for t in policy.members.types} <= cells
    assert {str(c.title) for c in policy.members.colleges} <= cells


def queries_of(client, address, **query):
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(address, query)
        if answer.streaming:
            b"".join(answer.streaming_content)
    assert answer.status_code == 200
    return len(seen)


def test_pages_and_exports_take_a_fixed_number_of_queries(client, cluster):
    address = reverse("members", args=[cluster.slug])
    found = []
    for n in (3, 60):
        members(cluster, *((f"Membre {n} {i}", {}) for i in range(n)))
        cache.clear()  # rows made without an act: the page is built anew
        found.append([queries_of(client, address), queries_of(client, address, format="csv", movement="all")])
    assert found[0] == found[1]
    assert found[1][0] <= 7 and found[1][1] <= 7


# --- one member --------------------------------------------------------------------------------------------------


def test_versions_are_public_and_authors_are_not(client, team, cluster, some, director):
    actions.correct(
        some[0], by=director, on=ON, why="Faute de saisie", member_type="mid", college="industry",
        joined_on=dt.date(2006, 2, 1), left_on=None,
    )  # fmt: skip
    address = reverse("member", args=[cluster.slug, some[0].organisation_id])
    inside = team.get(address).content.decode()
    assert "Versions remplacées" in inside and "Faute de saisie" in inside and director.user_label in inside
    client.logout()
    outside = client.get(address).content.decode()
    assert "Versions remplacées" in outside
    assert "Faute de saisie" not in outside and director.user_label not in outside
    assert client.get(reverse("member", args=[cluster.slug, 999999])).status_code == 404


def test_add_correct_and_leave_by_form(team, cluster):
    page = team.post(
        reverse("member-add", args=[cluster.slug]),
        {
            "name": "Scierie du Marensin",
            "identifier": "732 829 320 00074",
            "member_type": "sme",
            "joined_on": "2009-03-01",
        },
    )
    assert page.status_code == 302, page.context["form"].errors
    row = Membership.objects.get(cluster=cluster)
    assert row.organisation.identifiers.get().value == "73282932000074"
    page = team.post(
        reverse("member-correct", args=[cluster.slug, row.pk]),
        {"member_type": "mid", "college": "", "joined_on": "2009-03-01", "from_day": "2010-01-01", "why": "Croissance"},
    )
    assert page.status_code == 302
    now = Membership.objects.filter(cluster=cluster, superseded_at=None).order_by("joined_on")
    assert [(m.member_type, m.joined_on, m.left_on) for m in now] == [
        ("sme", dt.date(2009, 3, 1), dt.date(2009, 12, 31)),
        ("mid", dt.date(2010, 1, 1), None),
    ]
    page = team.post(reverse("member-leave", args=[cluster.slug, now[1].pk]), {"left_on": "2010-06-01"})
    assert page.status_code == 302
    assert Membership.objects.get(cluster=cluster, superseded_at=None, joined_on="2010-01-01").left_on == dt.date(
        2010, 6, 1
    )
    assert list(JournalEntry.objects.filter(act__startswith="member").values_list("act", flat=True)) == [
        "member.added", "member.type_ended", "member.type_changed", "member.left",
    ]  # fmt: skip


def test_the_form_keeps_what_was_typed_and_names_what_is_wrong(team, cluster):
    page = team.post(
        reverse("member-add", args=[cluster.slug]),
        {"name": "Une", "identifier": "73282932000075", "member_type": "sme", "joined_on": "2009-03-01"},
    )
    text = page.content.decode()
    assert page.status_code == 400 and "clé de contrôle fausse" in text and "73282932000075" in text
    assert not Membership.objects.exists()


def test_a_name_that_resembles_a_member_is_asked_about(team, cluster):
    members(cluster, ("Société d'études forestières", {"joined_on": dt.date(2006, 1, 1)}))
    given = {"name": "Société d'étude forestière", "member_type": "sme", "joined_on": "2009-03-01"}
    page = team.post(reverse("member-add", args=[cluster.slug]), given)
    assert "De quel organisme" in page.content.decode()
    assert team.post(reverse("member-add", args=[cluster.slug]), given | {"chosen": "0"}).status_code == 302
    assert Membership.objects.count() == 2


def test_an_overlapping_membership_is_refused_with_the_existing_period(cluster, director):
    (first,) = members(cluster, ("Une", {"joined_on": dt.date(2006, 1, 1), "left_on": dt.date(2007, 12, 31)}))
    with pytest.raises(Refused) as told:
        actions.add_member(cluster, by=director, on=ON, name="Une", member_type="sme", joined_on=dt.date(2007, 6, 1))
    assert "01/01/2006" in str(told.value) and "31/12/2007" in str(told.value)
    second = actions.add_member(
        cluster, by=director, on=ON, name="Une", member_type="sme", joined_on=dt.date(2008, 1, 1)
    )
    with pytest.raises(Refused, match="01/01/2006"):
        actions.correct(
            second,
            by=director,
            on=ON,
            why="x",
            member_type="sme",
            college="",
            joined_on=dt.date(2007, 1, 1),
            left_on=None,
        )


def test_a_version_already_replaced_is_not_corrected_again(cluster, director):
    (row,) = members(cluster, ("Une", {}))
    actions.leave(row, by=director, on=ON, left_on=dt.date(2010, 1, 31))
    with pytest.raises(Conflict):
        actions.leave(row, by=director, on=ON, left_on=dt.date(2010, 2, 28))
    with pytest.raises(NotAllowed):
        actions.leave(row, by=factories.make_actor("cluster_team", cluster=factories.make_cluster()), on=ON, left_on=ON)


# --- import pages ------------------------------------------------------------------------------------------------


def handed(client, cluster, data, name="membres.csv"):
    file = SimpleUploadedFile(name, data)
    return client.post(reverse("members-import", args=[cluster.slug]), {"file": file})


LIST = "Nom;Type;Entrée;Observations\r\nUne;PME;01/03/2009;x\r\nDeux;Amis;01/03/2009;\r\n".encode("cp1252")


def test_from_the_file_to_the_register(team, cluster):
    (absent,) = members(cluster, ("Absente", {}))
    page = handed(team, cluster, LIST)
    batch = ImportBatch.objects.get()
    assert page.status_code == 302
    page = team.get(page["Location"], follow=True)
    text = page.content.decode()
    assert "Observations" in text and "01/03/2009" in text
    fields = {f"col-{row['index']}": row["field"] for row in page.context["rows"]}
    assert fields == {"col-0": "name", "col-1": "type", "col-2": "joined_on", "col-3": ""}
    page = team.post(
        reverse("members-import-confirm", args=[cluster.slug, batch.pk]),
        fields | {"sheet": "0", "header": "0"},
        follow=True,
    )
    text = page.content.decode()
    assert "B3" in text and "types acceptés" in text and "Absente" in text
    assert "Importer la ligne valable" in text and not Membership.objects.filter(batch=batch).exists()
    assert names_of(team.get(page.request["PATH_INFO"] + "?verdict=error")) == ["Deux"]
    refused = team.post(reverse("members-import-accept", args=[cluster.slug, batch.pk]))
    assert refused.status_code == 400
    page = team.post(
        reverse("members-import-accept", args=[cluster.slug, batch.pk]),
        {"leave_errors": "on", "close": [str(absent.pk)], "closed_on": "2010-05-31"},
        follow=True,
    )
    assert "importé" in page.content.decode()
    assert Membership.objects.get(organisation=absent.organisation, superseded_at=None).left_on == dt.date(2010, 5, 31)
    answer = team.get(reverse("members-import-verdicts", args=[cluster.slug, batch.pk]))
    rows = sheets.read(b"".join(answer.streaming_content), "v.xlsx").sheets[0].rows
    assert rows[2][:4] == [3, "erreur", rows[2][2], "Deux"] and rows[2][2].startswith("B3")
    assert "membres.csv" in team.get(reverse("members-import", args=[cluster.slug])).content.decode()


def names_of(page):
    return [row["name"] for row in page.context["rows"]]


def test_a_bad_file_is_said_beside_the_field(team, cluster):
    page = handed(team, cluster, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "a.xls")
    assert page.status_code == 400 and "ancien format" in page.content.decode()
    assert not ImportBatch.objects.exists()


def test_another_line_of_headers_can_be_chosen(team, cluster):
    data = "a;b;c\r\nNom;Type;Entrée\r\nUne;PME;01/03/2009\r\n".encode()
    handed(team, cluster, data)
    batch = ImportBatch.objects.get()
    address = reverse("members-import-columns", args=[cluster.slug, batch.pk])
    assert [r["field"] for r in team.get(address).context["rows"]] == ["name", "type", "joined_on"]
    page = team.get(address, {"sheet": 0, "header": 1})
    assert [r["label"] for r in page.context["rows"]] == ["a", "b", "c"]
    page = team.post(
        reverse("members-import-confirm", args=[cluster.slug, batch.pk]), {"sheet": "0", "header": "0", "col-1": "type"}
    )
    assert page.status_code == 400 and "Aucune colonne ne nomme" in page.content.decode()


def test_an_import_is_kept_from_others(client, team, cluster):
    handed(team, cluster, LIST)
    batch = ImportBatch.objects.get()
    client.logout()
    address = reverse("members-import-batch", args=[cluster.slug, batch.pk])
    assert client.get(address).status_code == 302
    other = factories.make_actor("cluster_director", cluster=factories.make_cluster())
    client.force_login(factories.user_of(other))
    assert client.get(address).status_code == 403
    assert client.post(reverse("members-import-accept", args=[cluster.slug, batch.pk])).status_code == 403
    elsewhere = factories.make_cluster()
    national = factories.make_actor("national_officer")
    client.force_login(factories.user_of(national))
    assert client.get(reverse("members-import-batch", args=[elsewhere.slug, batch.pk])).status_code == 404


def test_an_import_cut_off_is_found_again_and_taken_up_or_left(team, cluster):
    handed(team, cluster, LIST)
    batch = ImportBatch.objects.get()
    old = clock.real_now() - background.SILENCE * 2
    ImportBatch.objects.update(state="checking", beat_at=clock.real_now(), done=1, total=2)
    address = reverse("members-import-batch", args=[cluster.slug, batch.pk])
    progress = reverse("members-import-progress", args=[cluster.slug, batch.pk])
    assert 'http-equiv="refresh"' in team.get(address).content.decode()
    assert team.get(progress).json()["state"] == "running"
    ImportBatch.objects.update(beat_at=old)
    assert team.get(progress).json()["state"] == "failed"
    assert "interrompu" in team.get(reverse("members-import", args=[cluster.slug])).content.decode()
    assert "Reprendre" in team.get(address).content.decode()
    assert team.post(reverse("members-import-resume", args=[cluster.slug, batch.pk])).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "to_confirm"
    assert team.get(progress).json() | {"message": ""} == {
        "done": 0, "total": 2, "state": "done", "message": "", "next": address,
    }  # fmt: skip
    assert team.post(reverse("members-import-abandon", args=[cluster.slug, batch.pk])).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "abandoned" and not batch.rows
    assert team.get(address).status_code == 200


def test_the_preview_takes_a_fixed_number_of_queries(team, cluster, director):
    found = []
    for n in (5, 80):
        text = "Nom;Type;Entrée\r\n" + "".join(f"Membre {n} {i};PME;01/03/2009\r\n" for i in range(n))
        batch = actions.import_file(cluster, text.encode(), "m.csv", by=director, on=ON, accept=False)
        found.append(queries_of(team, reverse("members-import-batch", args=[cluster.slug, batch.pk])))
    assert found[0] == found[1] <= 12


def test_the_journey_in_a_browser(page, axe, transactional_db, live_server, client):
    import xlsxwriter

    factories.live_on(ON)
    cluster = factories.make_cluster(label=True)
    director = factories.make_actor("cluster_director", cluster=cluster)
    members(cluster, ("Société d'études forestières", {}))
    client.force_login(factories.user_of(director))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("Adhérents")
    sheet.write_row(0, 0, ["Dénomination", "Type", "Entrée"])
    for i in range(600):  # beyond what is checked within the request: the page follows the task
        sheet.write_row(i + 1, 0, [f"Membre {i}", "PME", "01/03/2009"])
    sheet.write_row(601, 0, ["Société d'étude forestière", "PME", "01/03/2009"])
    sheet.write_row(602, 0, ["Mauvaise", "Amis", "01/03/2009"])
    book.close()
    page.goto(reverse("members-import", args=[cluster.slug]))
    axe(page)
    page.set_input_files("input[type=file]", {"name": "adherents.xlsx", "mimeType": "", "buffer": out.getvalue()})
    page.get_by_role("button", name="Lire le fichier").click()
    page.get_by_role("button", name="Voir l'aperçu").wait_for()
    axe(page)
    page.get_by_role("button", name="Voir l'aperçu").click()
    page.get_by_role("button", name="Importer les 601 lignes valables").wait_for()
    axe(page)
    page.get_by_role("link", name="avec un avertissement").click()
    page.get_by_label("C'est").select_option(label="un nouvel organisme")
    page.get_by_role("button", name="Tenir compte de ces choix").click()
    page.get_by_label("Laisser de côté la ligne en erreur").check()
    page.get_by_role("button", name="Importer les 601 lignes valables").click()
    page.get_by_role("link", name="Voir les membres").click()
    page.get_by_text("1 à 50 sur").wait_for()
    axe(page)
    assert Membership.objects.filter(cluster=cluster).count() == 602
