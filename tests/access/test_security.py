"""What protects every page: headers, cookies, tokens of forms, nothing that leads elsewhere."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories as f
from tests.access.test_matrix import ROWS, patterns

pytestmark = pytest.mark.django_db

PAGES = ("sign-in", "organisations", "policy-page", "search", "portal-home", "register", "contract-list")


@pytest.mark.parametrize("name", PAGES)
def test_pages_carry_their_protection(client, name):
    response = client.get(reverse(name))
    policy = response["Content-Security-Policy"]
    for rule in (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("name", PAGES)
def test_pages_hold_nothing_that_the_policy_would_refuse(client, name):
    body = client.get(reverse(name)).content.decode()
    assert " style=" not in body and "<style" not in body
    assert " onclick=" not in body and " onload=" not in body and "javascript:" not in body
    for script in body.split("<script")[1:]:
        head = script.split(">", 1)[0]
        assert " src=" in head or 'type="application/json"' in head, head


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client):
    f.live_on()
    f.make_mandate("reader", user=f.make_user(demo_role="reader"))
    response = client.post(reverse("demo-sign-in"), {"role": "reader"})
    session, language = response.cookies["sessionid"], response.cookies["jalon_language"]
    assert session["httponly"] and session["samesite"] == "Lax"
    assert language["httponly"] and language["samesite"] == "Lax"


def test_behind_https_cookies_are_secure(client, settings):
    settings.SESSION_COOKIE_SECURE = True
    f.live_on()
    f.make_mandate("reader", user=f.make_user(demo_role="reader"))
    response = client.post(reverse("demo-sign-in"), {"role": "reader"}, secure=True)
    assert response.cookies["sessionid"]["secure"] and response.cookies["jalon_language"]["secure"]


def test_pages_of_somebody_are_not_kept_by_caches(client):
    client.force_login(f.make_user())
    for name in ("home", "my-account"):
        assert "no-store" in client.get(reverse(name))["Cache-Control"]


POSTS = sorted(name for name, row in ROWS.items() if "POST" in row)


@pytest.mark.parametrize("name", POSTS)
def test_every_act_wants_the_token_of_its_form(name):
    """No act is done by a form of another site: without the token, everybody gets 403, whatever the address."""
    f.live_on()
    client = Client(enforce_csrf_checks=True)
    client.force_login(f.make_user())
    args = ["1" if "{" in str(a) else a for a in ROWS[name].get("args", [])]
    response = client.post(reverse(name.partition("@")[0], args=args), {})
    assert response.status_code == 403


def test_there_is_something_to_check():
    assert len(POSTS) > 40 and len(patterns()) > 100


def test_addresses_with_a_secret_tell_it_to_nobody(client):
    for name, args in (("new-password", ["x", "y"]), ("accept-invitation", ["x"])):
        response = client.get(reverse(name, args=args))
        assert response.status_code == 404 and "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "same-origin"
