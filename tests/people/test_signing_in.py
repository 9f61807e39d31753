"""Signing in and out: passwords, guessing, the demonstration's accounts, new passwords, language, travel."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from jalon.core.models import JournalEntry, OutboxMessage, Setting
from jalon.people import actions, rules
from jalon.people.models import SignInFailure, User
from tests import factories as f

pytestmark = pytest.mark.django_db


def enter(client, email, password=f.PASSWORD, **more):
    return client.post(reverse("sign-in"), {"email": email, "password": password, **more})


def test_a_password_opens_and_signing_out_closes(client):
    user = f.make_user("agent@exemple.test", password=f.PASSWORD)
    answer = enter(client, "Agent@Exemple.test ")
    assert answer.status_code == 302 and answer.url == reverse("home")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("email", ["agent@exemple.test", "nobody@exemple.test"])
def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(client, email):
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    answer = enter(client, email, "not this one")
    assert answer.status_code == 400
    assert "Adresse ou mot de passe inexact" in answer.content.decode()


def test_an_account_without_password_or_closed_does_not_open(client):
    f.make_user("invited@exemple.test")
    f.make_user("closed@exemple.test", password=f.PASSWORD, is_active=False)
    assert enter(client, "invited@exemple.test").status_code == 400
    assert enter(client, "closed@exemple.test").status_code == 400


def test_guessing_has_to_wait_even_with_the_right_password(client):
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    for _ in range(rules.LOCK_AFTER):
        assert enter(client, "agent@exemple.test", "wrong").status_code == 400
    assert enter(client, "agent@exemple.test").status_code == 429
    SignInFailure.objects.update(at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert enter(client, "agent@exemple.test").status_code == 302
    assert not SignInFailure.objects.exists()


def test_failures_keep_neither_address_nor_account(client):
    enter(client, "somebody@exemple.test", "wrong")
    row = SignInFailure.objects.get()
    assert "somebody" not in row.account_key and "127.0.0.1" not in row.place_key


def test_guessing_from_one_place_over_many_accounts_has_to_wait(client):
    for n in range(rules.LOCK_AFTER_PER_PLACE):
        actions.note_failure(f"a{n}@exemple.test", "127.0.0.1")
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    assert enter(client, "agent@exemple.test").status_code == 429


def test_the_session_key_changes_at_sign_in(client):
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    session = client.session
    session["planted"] = True
    session.save()
    planted = client.cookies["sessionid"].value
    enter(client, "agent@exemple.test")
    assert client.cookies["sessionid"].value != planted


@pytest.mark.parametrize("target", ["https://elsewhere.test/", "//elsewhere.test/", "javascript:alert(1)", "http:///x"])
def test_next_never_leaves_the_site(client, target):
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    assert enter(client, "agent@exemple.test", next=target).url == reverse("home")
    assert client.post(reverse("set-language"), {"language": "en", "next": target}).url == "/"


def test_next_is_followed_inside_the_site(client):
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    assert enter(client, "agent@exemple.test", next="/organismes/?q=x").url == "/organismes/?q=x"


def test_a_visitor_is_sent_to_sign_in_and_back(client):
    answer = client.get(reverse("home"))
    assert answer.status_code == 302 and answer.url == "/connexion/?next=%2Faccueil%2F"
    assert 'value="/accueil/"' in client.get(answer.url).content.decode()


def demonstration_accounts():
    for role in f.policy().roles:
        mandate = f.make_mandate(role.code, user=f.make_user(demo_role=role.code))
        assert mandate.role == role.code


def test_the_demonstration_lists_one_account_per_role_and_one_click_opens(client):
    f.live_on()
    demonstration_accounts()
    body = client.get(reverse("sign-in")).content.decode()
    for role in f.policy().roles:
        assert f'value="{role.code}"' in body
        assert client.post(reverse("demo-sign-in"), {"role": role.code}).status_code == 302
        assert User.objects.get(pk=client.session["_auth_user_id"]).demo_role == role.code


def test_outside_the_demonstration_one_click_does_not_exist(client):
    demonstration_accounts()
    assert "demonstration" not in client.get(reverse("sign-in")).content.decode()
    answer = client.post(reverse("demo-sign-in"), {"role": "admin"})
    assert answer.status_code == 404 and "_auth_user_id" not in client.session


def test_one_click_opens_only_accounts_of_the_demonstration(client):
    f.live_on()
    f.make_mandate("admin")
    assert client.post(reverse("demo-sign-in"), {"role": ""}).status_code == 404
    assert client.post(reverse("demo-sign-in"), {"role": "admin"}).status_code == 404


def test_a_new_password_comes_by_message_and_ends_other_sessions(client, client_factory):
    user = f.make_user("agent@exemple.test", password=f.PASSWORD)
    other = client_factory()
    other.force_login(user)
    answer = client.post(reverse("ask-password"), {"email": "agent@exemple.test"})
    assert answer.status_code == 200
    link = re.search(r"http://testserver(\S+)", OutboxMessage.objects.get().body).group(1)
    assert client.get(link).status_code == 200
    assert client.post(link, {"password": "short"}).status_code == 400
    assert client.post(link, {"password": "une autre phrase assez longue"}).status_code == 302
    assert client.get(link).status_code == 404, "the address serves once"
    assert enter(client, "agent@exemple.test").status_code == 400
    assert enter(client, "agent@exemple.test", "une autre phrase assez longue").status_code == 302
    assert other.get(reverse("home")).status_code == 302, "the other session has ended"
    assert "http" not in OutboxMessage.objects.get().body, "a used address is not kept"


def test_asking_for_a_password_never_tells_whether_an_account_exists(client):
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    one = client.post(reverse("ask-password"), {"email": "agent@exemple.test"}).content
    other = client.post(reverse("ask-password"), {"email": "nobody@exemple.test"}).content
    strip = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')
    assert strip.sub(b"", one) == strip.sub(b"", other)
    assert OutboxMessage.objects.count() == 1


def test_asking_again_and_again_sends_few_messages(client):
    f.make_user("agent@exemple.test", password=f.PASSWORD)
    for _ in range(8):
        client.post(reverse("ask-password"), {"email": "agent@exemple.test"})
    assert OutboxMessage.objects.count() == rules.LOCK_AFTER


def test_the_language_is_kept_with_the_account(client):
    user = f.make_user("agent@exemple.test", password=f.PASSWORD)
    client.force_login(user)
    answer = client.post(reverse("set-language"), {"language": "en", "next": "/organismes/"})
    assert answer.url == "/organismes/" and answer.cookies["jalon_language"].value == "en"
    user.refresh_from_db()
    assert user.language == "en"
    assert 'lang="en"' in client.get("/organismes/").content.decode()
    assert client.post(reverse("set-language"), {"language": "xx"}).status_code == 400


def test_the_account_brings_its_language_to_a_new_browser(client):
    f.make_user("agent@exemple.test", password=f.PASSWORD, language="en")
    assert enter(client, "agent@exemple.test").cookies["jalon_language"].value == "en"


def test_travel_moves_the_demonstration_and_is_journaled(client):
    f.live_on()
    answer = client.post(reverse("travel"), {"day": "2013-01-15", "next": "/organismes/"})
    assert answer.url == "/organismes/"
    assert Setting.objects.get(key="demonstration").value["day"] == "2013-01-15"
    entry = JournalEntry.objects.get(case="demonstration")
    assert (entry.before, entry.after) == ({"day": "2010-06-30"}, {"day": "2013-01-15"})


@pytest.mark.parametrize("day", ["2003-12-31", "2999-01-01", "yesterday", ""])
def test_travel_refuses_days_outside_the_programme(client, day):
    f.live_on()
    assert client.post(reverse("travel"), {"day": day}).status_code == 400
    assert Setting.objects.get(key="demonstration").value["day"] == "2010-06-30"


def test_outside_the_demonstration_nobody_travels(client):
    assert client.post(reverse("travel"), {"day": "2013-01-15"}).status_code == 404


def test_a_visit_remembers_the_one_before(client):
    f.live_on()
    user = f.make_user("agent@exemple.test", password=f.PASSWORD)
    enter(client, "agent@exemple.test")
    client.post(reverse("travel"), {"day": "2010-07-30"})
    enter(client, "agent@exemple.test")
    user.refresh_from_db()
    assert user.previous_visit_at.date() == dt.date(2010, 6, 30) and user.visit_at.date() == dt.date(2010, 7, 30)


def test_the_session_can_be_prolonged_only_by_who_is_signed_in(client):
    assert client.get(reverse("keep-session")).status_code == 401
    client.force_login(f.make_user())
    assert client.get(reverse("keep-session")).json() == {"signed_in": True}
