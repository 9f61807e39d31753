"""Pages kept for those who are signed in: the same page, nothing stale, nothing of one person for another."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.contracts import follow_actions as acts
from jalon.contracts.models import Action
from jalon.core import journal, kept
from jalon.core.models import JournalEntry
from jalon.people.models import Mandate
from tests import factories as f
from tests.contracts.follow_world import DAY, make_lived

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]+')


@pytest.fixture(autouse=True)
def the_day():
    f.live_on(DAY)


@pytest.fixture
def world():
    return make_lived("bois")


def read(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return TOKEN.sub(r"\1", response.content.decode())


def pages(world):
    return {
        "register": "/poles/",
        "sheet": f"/poles/{world.cluster.slug}/",
        "members": f"/poles/{world.cluster.slug}/membres/",
        "dashboard": reverse("contract-dashboard", args=[world.contract.slug]),
        "board": "/tableau/",
        "home": "/accueil/",
    }


@pytest.mark.parametrize("page", ["register", "sheet", "members", "dashboard", "board", "home"])
def test_the_second_answer_is_the_first_one_without_its_queries(world, client, page):
    client.force_login(f.user_of(world.officer))
    address = pages(world)[page]
    with CaptureQueriesContext(connection) as built:
        first = read(client, address)
    with CaptureQueriesContext(connection) as given:
        second = read(client, address)
    assert first == second
    assert len(given) <= 6 < len(built)  # session, user, mandates, role, day, version: what every page asks


def test_an_act_shows_at_once(world, client):
    client.force_login(f.user_of(world.director))
    address = pages(world)["dashboard"]
    assert "60" not in re.findall(r'<progress max="100" value="(\d+)"', read(client, address))
    acts.report_progress(
        Action.objects.get(contract=world.contract, key="a2"),
        by=world.director, on=DAY, status="on_track", percent=60, expected_end=None, done_on=None, reason="", seen=0,
    )  # fmt: skip
    assert "60" in re.findall(r'<progress max="100" value="(\d+)"', read(client, address))


def test_what_one_reads_is_not_given_to_another(world, client):
    address = pages(world)["dashboard"]
    client.force_login(f.user_of(world.director))
    inside = read(client, address)
    assert "Budget d'animation" in inside
    for other in (world.other_director, None):
        client.force_login(f.user_of(other)) if other else client.logout()
        assert "Budget d'animation" not in read(client, address)
    client.force_login(f.user_of(world.director))
    assert read(client, address) == inside


def test_a_right_that_is_taken_away_is_gone_at_once(world, client):
    client.force_login(f.user_of(world.officer))
    read(client, "/tableau/")
    Mandate.objects.filter(pk=world.officer.mandate_id).update(ends_on=DAY - dt.timedelta(days=1))
    assert client.get("/tableau/").status_code == 403


def test_another_day_is_another_page(world, client):
    client.force_login(f.user_of(world.officer))
    first = read(client, "/tableau/")
    f.live_on(DAY + dt.timedelta(days=400))
    assert read(client, "/tableau/") != first


def test_a_message_is_shown_once_and_not_kept(world, client):
    client.force_login(f.user_of(world.officer))
    read(client, "/accueil/")
    storage = CookieStorage(RequestFactory().get("/"))
    client.cookies["messages"] = storage._encode([Message(25, "Voilà qui est fait.")])
    assert "Voilà qui est fait." in read(client, "/accueil/")
    assert "Voilà qui est fait." not in read(client, "/accueil/")


def test_a_form_carries_the_token_of_who_asks(world, client):
    """The switch between mandates stands on the home page of somebody who has two."""
    user = f.user_of(world.officer)
    one = Mandate.objects.get(pk=world.officer.mandate_id)
    Mandate.objects.create(user=user, organisation=one.organisation, role="reader", starts_on=one.starts_on)
    client.force_login(user)
    tokens = [
        re.findall(TOKEN.pattern.replace("[^", "([^").replace("]+", "]+)"), client.get("/accueil/").content.decode())
    ]
    tokens.append(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)', client.get("/accueil/").content.decode()))
    assert len(tokens[1]) == len(tokens[0]) >= 1
    assert len(set(tokens[1])) <= len(tokens[1])
    checked = client.__class__(enforce_csrf_checks=True)
    checked.cookies.update(client.cookies)
    said = checked.post("/mon-compte/agir-pour/", {"mandate": one.pk, "csrfmiddlewaretoken": tokens[1][-1]})
    assert said.status_code != 403


class TestVersion:
    def test_it_moves_with_each_act(self):
        before = kept.version()
        assert kept.version() == before
        journal.record("cluster:bois", "cluster.edit", on=DAY)
        assert kept.version() != before

    def test_an_act_that_is_committed_after_a_later_one_moves_it_too(self):
        """PostgreSQL numbers rows when they are written and shows them when they are committed."""
        for n in range(3):
            journal.record("cluster:bois", "cluster.edit", on=DAY, why=str(n))
        late, last = JournalEntry.objects.order_by("-id")[1], JournalEntry.objects.order_by("-id")[0]
        unseen = {f.name: getattr(late, f.attname) for f in JournalEntry._meta.fields}
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_journalentry WHERE id = %s", [late.pk])
        before = kept.version()
        JournalEntry(**unseen).save(force_insert=True)
        assert JournalEntry.objects.order_by("-id").first() == last
        assert kept.version() != before

    def test_nothing_of_another_version_is_given(self):
        one = kept.version()
        kept.put("k", "old", known=one)
        assert kept.get("k", one) == "old"
        journal.record("cluster:bois", "cluster.edit", on=DAY)
        assert kept.get("k") is None
        kept.put("k", "new")
        assert kept.get("k", one) is None
        kept.put("k", "late", known=one)  # worked out before the act, finished after it
        assert kept.get("k") != "late"

    def test_what_was_not_asked_for_longest_makes_room(self, monkeypatch):
        monkeypatch.setattr(kept, "LARGEST", 100)
        now = kept.version()
        for name in "abc":
            kept.put(name, name, 40, now)
        assert [kept.get(name, now) for name in "abc"] == [None, "b", "c"]

    def test_outside_a_page_nothing_is_kept(self):
        assert [kept.once("n", lambda n=n: n) for n in (1, 2)] == [1, 2]
        with kept.as_of(kept.version()):
            assert [kept.once("n", lambda n=n: n) for n in (1, 2)] == [1, 1]
