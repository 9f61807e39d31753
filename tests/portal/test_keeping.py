"""Pages kept for visitors: the same page, fewer queries, nothing stale, nothing of one person for another."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jalon.core import journal
from tests.factories import make_cluster

pytestmark = pytest.mark.django_db


def body(response):
    html = response.content.decode()
    return html[html.find("<main") : html.rfind("</main>")]


@pytest.fixture
def pole():
    return make_cluster(slug="bois", name="Pôle du bois")


@pytest.mark.parametrize("address", ["/", "/poles/", "/poles/bois/", "/decisions/"])
def test_the_same_page_with_two_queries(pole, address):
    first = Client().get(address)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        second = Client().get(address)
    assert first.status_code == second.status_code == 200
    assert body(first) == body(second)
    assert first.content.decode().split("</title>")[0] == second.content.decode().split("</title>")[0]
    assert len(asked) <= 2


def test_an_act_builds_the_page_anew(pole):
    assert "Pôle du bois" in Client().get("/poles/bois/").content.decode()
    pole.name = "Pôle du hêtre"
    pole.save()
    journal.record("cluster:bois", "cluster.edit", on=dt.date(2010, 6, 30))
    assert "Pôle du hêtre" in Client().get("/poles/bois/").content.decode()


def test_language_and_address_are_kept_apart(pole):
    french = Client().get("/poles/")
    client = Client()
    client.cookies["jalon_language"] = "en"
    english = client.get("/poles/")
    assert body(french) != body(english)
    assert body(Client().get("/poles/?q=rien")) != body(french)


def test_each_visitor_has_a_token_of_their_own(pole):
    one, two = Client(), Client()
    one.get("/poles/"), two.get("/poles/")
    assert one.cookies["csrftoken"].value != two.cookies["csrftoken"].value


def test_an_error_is_not_kept(pole):
    assert Client().get("/poles/nulle-part/").status_code == 404
    make_cluster(slug="nulle-part", name="Nulle Part")
    assert Client().get("/poles/nulle-part/").status_code == 200
