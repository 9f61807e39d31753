"""The public pages: what they show on a day, what they cost, what they weigh, what they export."""

import csv
import datetime as dt
import io
import json
import re
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext

from jalon.clusters.loading import load_register_if_changed
from jalon.clusters.models import ClusterGroup, LabelAct, LabelHolder, LabelPeriod
from jalon.core.clock import moment_on
from jalon.core.sheets import read as read_sheet
from tests.factories import live_on, make_cluster, make_membership

ROOT = Path(__file__).resolve().parents[2]


def body(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


class ThePublicSite(TestCase):
    @classmethod
    def setUpTestData(cls):
        load_register_if_changed()

    def text(self, url, status=200):
        answer = self.client.get(url)
        assert answer.status_code == status, url
        return body(answer).decode()

    def test_home_on_a_day(self):
        page = self.text("/?on=2010-05-12")
        assert '<span class="figure-value">71</span>' in page
        assert page.count('class="map-point') == 66  # five seats are not known
        assert "Sans lieu connu (5)" in page and "Medicen" in page
        assert "Poitou-Charentes" in page  # regions of the time
        later = self.text("/?on=2024-01-09")
        assert '<span class="figure-value">57</span>' in later and "56 organismes" in later
        assert "Nouvelle-Aquitaine" in later and "Poitou-Charentes" not in later

    def test_home_doubles_the_map_by_a_list_of_links(self):
        page = self.text("/?on=2010-05-12")
        listed = page.split('id="liste"')[1]
        for slug in set(re.findall(r'data-point="([\w-]+)"', page.split('id="liste"')[0])):
            assert f"/poles/{slug}/?on=2010-05-12" in listed, slug

    def test_home_weighs_less_than_300_kb_uncompressed(self):
        heaviest = 0
        for on in ("2010-06-30", "2019-02-06", "2024-01-09"):
            page = self.text(f"/?on={on}")
            weight = len(page.encode())
            for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)):
                package = address.removeprefix("/static/").split("/")[0]
                home = {"jalon": "ui", "portal": "portal"}[package]
                weight += (ROOT / "src" / "jalon" / home / "static" / address.removeprefix("/static/")).stat().st_size
            heaviest = max(heaviest, weight)
        assert heaviest < 300_000

    def test_an_empty_day_says_so(self):
        assert "Aucun label en vigueur" in self.text("/?on=2004-01-01")

    def test_a_wrong_day_gets_a_sentence(self):
        page = self.text("/poles/?on=2010-13-01", 400)
        assert "2010-13-01" in page and "AAAA-MM-JJ" in page

    def test_register_filters_and_counts(self):
        page = self.text("/poles/?on=2010-05-12&status=in_force")
        assert "71 pôles dans cette liste" in page
        assert "label terminé (6)" in page.replace("\u00a0", " ")
        assert "7 pôles dans cette liste" in self.text("/poles/?on=2010-05-12&tier=world")
        assert "Aquimer" in self.text("/poles/?q=HALIEUTIQUE&on=2010-05-12") or "Aquimer" in self.text(
            "/poles/?q=aquimer"
        )
        assert "Aucun pôle ne répond" in self.text("/poles/?q=xyzzy")

    def test_register_has_pages_of_fifty(self):
        first, second = self.text("/poles/"), self.text("/poles/?page=2")
        assert first.count('<th scope="row">') == 50 and second.count('<th scope="row">') == 41

    def test_register_sorts(self):
        page = self.text("/poles/?on=2010-05-12&status=in_force&sort=tier")
        assert (
            page.index("Pôle mondial</td>")
            < page.index("Pôle à vocation mondiale</td>")
            < page.index("Pôle national</td>")
        )

    def test_register_draws_the_filtered_map(self):
        page = self.text("/poles/?on=2010-05-12&status=in_force&region=72&view=map")
        assert page.count('class="map-point') == 4

    def test_register_exports_exactly_what_is_shown(self):
        url = "/poles/?on=2010-05-12&status=in_force&tier=world&format="
        rows = json.loads(self.text(url + "json"))
        assert len(rows) == 7 and {r["tier"] for r in rows} == {"Pôle mondial"}
        table = list(csv.reader(io.StringIO(self.text(url + "csv").lstrip("\ufeff")), delimiter=";"))
        assert len(table) == 8 and table[0][0] == "Identifiant"
        for kind in ("xlsx", "ods"):
            book = read_sheet(body(self.client.get(url + kind)), f"registre.{kind}")
            assert len(book.sheets[0].rows) == 8

    def test_register_costs_the_same_for_every_list(self):
        """A filter asks once more: for the clusters that answer it. What one list read, the next ones do not read again."""
        addresses = ("/poles/", "/poles/?on=2010-05-12&status=in_force", "/poles/?q=aero")

        def counts():
            for url in addresses:
                with CaptureQueriesContext(connection) as asked:
                    self.text(url)
                yield len(asked)
                if forgetting:
                    cache.clear()

        cache.clear()
        forgetting = True
        assert list(counts()) == [13, 13, 14]
        forgetting = False
        self.text("/poles/?sort=since")
        assert list(counts()) == [7, 13, 8]  # 2 of every page, 5 for the lines that no list has read, 1 for the filter

    def test_exports_speak_the_language_of_who_asks(self):
        self.client.cookies["jalon_language"] = "en"
        for kind in ("csv", "xlsx", "ods"):
            book = read_sheet(
                body(self.client.get(f"/poles/?on=2010-05-12&status=in_force&format={kind}")), f"r.{kind}"
            )
            assert book.sheets[0].rows[0][:3] == ["Identifier", "Cluster", "Standing"], kind
            assert book.sheets[0].rows[1][2] == "label in force"

    def test_exports_cost_a_constant_number_of_queries(self):
        for url in ("/poles/?format=csv", "/poles/?q=aero&format=csv"):
            with CaptureQueriesContext(connection) as asked:
                self.text(url)
            assert len(asked) == 13, url

    def test_cluster_pages_cost_at_most_a_fixed_number(self):
        for slug in ("moveo", "aerospace-valley", "france-water-team"):
            with CaptureQueriesContext(connection) as asked:
                self.text(f"/poles/{slug}/")
            assert len(asked) <= 31, slug

    def test_every_cluster_and_every_label_has_its_page(self):
        from jalon.clusters.models import Cluster, Label

        for slug in Cluster.objects.values_list("slug", flat=True):
            self.text(f"/poles/{slug}/")
        for code in list(Label.objects.values_list("code", flat=True))[::7]:
            self.text(f"/labels/{code}/?on=2010-06-30")

    def test_a_delabelled_cluster_keeps_its_page_and_says_what_followed(self):
        page = self.text("/poles/mta/")
        assert "Label retiré" in page and "/poles/moveo/" in page and "La suite" in page
        assert "11 mai 2010" in page.replace("\u00a0", " ")

    def test_a_cluster_page_shows_sources_and_disagreements(self):
        page = self.text("/poles/axelera/")
        assert "Désaccords entre sources" in page and "Solaize" in page
        assert 'rel="noreferrer"' in page and 'id="sources"' in page

    def test_unknown_is_written_never_zero(self):
        page = self.text("/poles/mta/")
        assert page.count('<span class="unknown">inconnu</span>') >= 3
        assert "le nombre est inconnu" in page

    def test_undone_and_joint_successions(self):
        page = self.text("/poles/tes/")
        assert "candidature commune" in page and "défaite le" in page

    def test_english_is_complete(self):
        visitor = Client()
        visitor.cookies["jalon_language"] = "en"
        for url, words in (
            ("/?on=2010-05-12", "labels in force"),
            ("/poles/mta/", "History of the label"),
            ("/poles/", "Register of the clusters"),
            ("/decisions/", "National decisions"),
            ("/donnees/", "Open data"),
        ):
            page = visitor.get(url).content.decode()
            assert words in page and 'lang="en"' in page, url

    def test_decisions_keep_published_and_named_counts(self):
        page = self.text("/decisions/")
        assert "<b>67</b> labels, nombre publié" in page and "<b>66</b> labels nommés" in page
        assert len(json.loads(self.text("/decisions/?format=json"))) == 25

    def test_open_data_tables(self):
        sizes = {"poles": 91, "labels": None, "actes": 455, "successions": 34, "sources": None}
        for word, size in sizes.items():
            rows = json.loads(self.text(f"/donnees/{word}/?format=json"))
            assert rows and (size is None or len(rows) == size), word
        assert self.text("/donnees/actes/").startswith("\ufeffLabel;")
        self.text("/donnees/salaires/", 404)
        assert "Licence Ouverte" in self.text("/donnees/")

    def test_points_of_the_map(self):
        found = json.loads(self.text("/donnees/points.json?on=2010-05-12"))
        assert len(found["points"]) == 71 and found["on"] == "2010-05-12" and found["credit"]
        assert sum(p["latitude"] is None for p in found["points"]) == 5

    def test_unknown_cluster_and_label(self):
        self.text("/poles/nulle-part/", 404)
        self.text("/labels/nulle-part/", 404)

    def test_the_demonstration_does_not_know_its_future(self):
        live_on(dt.date(2010, 6, 30))
        page = self.text("/poles/moveo/")
        assert "NextMove" not in page and "2019" not in page.split('id="label"')[1].split("<h2")[0]
        assert "Aquanova" not in self.text("/poles/?page=1")
        assert "2024" not in self.text("/decisions/").split("page-main")[1]


@pytest.mark.django_db
def test_simulated_members_are_marked_on_page_and_export():
    live_on()
    cluster = make_cluster("alpha", label=True)
    make_membership(cluster, simulated=True)
    client = Client()
    for url in ("/poles/alpha/", "/poles/", "/"):
        assert "simulé" in client.get(url).content.decode(), url
    rows = json.loads(body(client.get("/poles/?format=json")))
    assert rows[0]["members_from"] == "simulé"


@pytest.mark.django_db
def test_a_large_register_costs_as_many_queries():
    day = dt.date(2005, 7, 12)
    for n in range(60):
        made = make_cluster(f"grand-{n}", label=n % 2 == 0)
        ClusterGroup.objects.create(cluster=made, evaluation="2008", group="1", recorded_at=moment_on(day))
    client = Client()
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/poles/?on=2010-06-30").status_code == 200
    assert len(asked) == 13
    assert LabelPeriod.objects.count() == LabelHolder.objects.count() == LabelAct.objects.count() == 30


@pytest.mark.django_db
def test_a_name_that_looks_like_a_formula_is_neutralised():
    make_cluster("formule", "=1+1", label=True)
    text = body(Client().get("/poles/?format=csv")).decode()
    assert "'=1+1" in text


@pytest.mark.django_db
def test_an_empty_register_still_has_its_pages():
    client = Client()
    for url in ("/", "/poles/", "/decisions/", "/donnees/", "/poles/?view=map"):
        assert client.get(url).status_code == 200, url


@pytest.mark.django_db
def test_published_values_are_open_data_and_say_whether_they_are_simulated():
    from jalon.indicators.models import Observation

    cluster, day = make_cluster("valeurs", label=True), dt.date(2009, 12, 31)
    common = {"cluster": cluster, "indicator": "members_total", "origin": "declared", "recorded_at": moment_on(day)}
    for number, (state, value, simulated) in enumerate(
        (("validated", 12, True), ("validated", 15, False), ("draft", 99, False))
    ):
        end = dt.date(2007 + number, 12, 31)
        Observation.objects.create(
            period_start=end, period_end=end, state=state, value=value, simulated=simulated, **common
        )
    with CaptureQueriesContext(connection) as asked:
        answer = Client().get("/donnees/observations/?format=json&on=2010-06-30")
        rows = json.loads(b"".join(answer.streaming_content))
    rows = rows["rows"] if isinstance(rows, dict) else rows
    assert [(str(r["value"]), r["simulated"]) for r in rows] == [("12", "oui"), ("15", "non")]
    assert len(asked) <= 5
    early = json.loads(
        b"".join(Client().get("/donnees/observations/?format=json&known_on=2008-01-01").streaming_content)
    )
    assert (early["rows"] if isinstance(early, dict) else early) == []
