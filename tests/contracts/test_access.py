"""Who may open and do what: every address of contracts × role × expected answer; a new address without its row fails."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from jalon.contracts import actions, urls
from tests import factories as f
from tests.contracts import world as w

pytestmark = pytest.mark.django_db

ROLES = ["visitor", "reader", "stranger", "correspondent", "prefect", "officer", "director", "region_agent"]

# For each page: answers for the roles above, on a contract under negotiation and on a signed one.
#   3 to sign-in or elsewhere · 2 shown · 4 not found (may not know of it) · x not allowed
PAGES = {
    "contract-list": ("22222222", "22222222"),
    "contract-new": ("3xx2x2xx", "3xx2x2xx"),
    "contract": ("44422222", "33333333"),
    "contract-text": ("44422222", "22222222"),
    "contract-signature": ("44422222", "22222222"),
    "contract-annexes": ("44422222", "22222222"),
    "contract-history": ("44422222", "3xx22222"),
    "contract-amendments": ("44422222", "22222222"),
    "contract-text-no": ("44422222", "22222222"),
    "contract-canonical": ("44444444", "22222222"),
    "contract-annex": ("44422222", "44422222"),
}
# An amendment that is being prepared, on a signed contract.
AMENDMENT = {"contract-amendment": "44422222", "contract-difference": "44422222"}
# Acts: only these may be accepted; everybody else gets "not found" (4) or "not allowed" (x, sign-in for a visitor: 3).
ACTS = {
    "contract-propose": "444.xx..",
    "contract-remove": "444.xx..",
    "contract-autosave": "444.xx..",
    "contract-comment": "444.....",
    "contract-negotiate": "444.x.xx",
    "contract-next-round": "444.x.xx",
    "contract-open-signature": "444.xxxx",
    "contract-reopen": "444.xxxx",
    "contract-sign": "444x.x.x",
    "contract-refuse": "444x.x.x",
    "contract-decide": "444xxx..",
    "contract-abandon": "444.x.xx",
    "contract-annex-add": "444.x...",
    "contract-annex-take": "444.x...",
    "contract-rebase": "44444444",  # an original is never taken up on another text
    "contract-amend": "444.x..x",
    "contract-close": "444.x.xx",
    "contract-check": "444.....",
    "batch-decide": "444.xx..",
    "proposal-accept": "444.xxxx",
    "proposal-reject": "444.xxxx",
    "proposal-withdraw": "444xxx.x",
    "comment-resolve": "444.....",
}


@pytest.fixture(autouse=True)
def lives_in_2009():
    f.live_on(w.START)


def names() -> set[str]:
    return {p.name for p in urls.urlpatterns if hasattr(p, "name") and p.name}


def test_every_address_has_its_row():
    assert names() == {*PAGES, *AMENDMENT, *ACTS}


def actors(world):
    stranger = w.make_world()
    return {
        "visitor": None,
        "reader": f.make_actor("reader"),
        "stranger": stranger.director,
        "correspondent": world.correspondent,
        "prefect": world.prefect,
        "officer": world.officer,
        "director": world.director,
        "region_agent": world.region_agent,
    }


def code(answer) -> str:
    if answer.streaming:
        b"".join(answer.streaming_content)
    return {404: "4", 403: "x", 200: "2", 302: "3", 400: ".", 409: "."}.get(answer.status_code, str(answer.status_code))


def arguments(name, world, number=0):
    slug = world.contract.slug
    if name in ("contract-list", "contract-new"):
        return []
    if name == "contract-annex":
        return [slug, world.text.annexes.first().pk]
    return [slug, number] if name in NUMBERED else [slug]


NUMBERED = {p.name for p in urls.urlpatterns if "<int:number>" in str(p.pattern)}


def asked(client, world, name, number=0):
    found = ""
    for role, actor in actors(world).items():
        assert role in ROLES
        client.logout()
        if actor is not None:
            client.force_login(f.user_of(actor))
        found += code(client.get(reverse(name, args=arguments(name, world, number))))
    return found


def test_pages_of_a_negotiation(client):
    world = w.negotiated(w.make_world())
    found = {name: asked(client, world, name) for name in PAGES}
    assert found == {name: rows[0] for name, rows in PAGES.items()}


def test_pages_of_a_signed_contract(client):
    world = w.signed(w.make_world())
    found = {name: asked(client, world, name) for name in PAGES}
    assert found == {name: rows[1] for name, rows in PAGES.items()}


@pytest.mark.parametrize("name", AMENDMENT)
def test_pages_of_an_amendment_being_prepared(client, name):
    world = w.signed(w.make_world())
    actions.amend(world.contract, reason="Oui", by=world.correspondent, on=w.START)
    assert asked(client, world, name, 1) == AMENDMENT[name]


def test_acts_on_a_negotiation(client):
    world = w.negotiated(w.make_world())
    slug = world.contract.slug
    (proposal,) = actions.propose(world.text, [("title", "Autre")], reason="Oui", by=world.director, on=w.START)
    remark = actions.comment(world.text, "", "Non", by=world.director, on=w.START)
    others = {"proposal": [slug, proposal.pk], "comment": [slug, remark.pk], "batch": [slug, 0, "file-x"]}
    found = dict.fromkeys(ACTS, "")
    for actor in actors(world).values():
        client.logout()
        if actor is not None:
            client.force_login(f.user_of(actor))
        for name in ACTS:
            args = others.get(name.split("-")[0], [slug, 0] if name in NUMBERED else [slug])
            headers = {"accept": "application/json"} if name == "contract-autosave" else {}
            # What is sent lacks fields: an act that is theirs is refused by its form or rule, or carried out.
            with transaction.atomic():
                answer = client.post(reverse(name, args=args), {"path": "objectives/o1"}, headers=headers)
                transaction.set_rollback(True)
            found[name] += "." if answer.status_code in (200, 302, 400, 409) else code(answer)
    assert found == ACTS
