"""Search, journal, proof and policy page."""

from __future__ import annotations

import datetime as dt
import html

import pytest
from django.db import connection
from django.urls import reverse

from jalon.core import clock
from jalon.core.journal import close_day, record
from jalon.workspace import queries
from jalon.workspace.views import chain_breaks
from tests import factories as f

pytestmark = pytest.mark.django_db
DAY = f.DAY


@pytest.fixture(autouse=True)
def _demonstration():
    f.live_on()


# --- search ------------------------------------------------------------------------------------------------------


def test_search_ignores_accents_and_shows_only_what_may_be_seen(client):
    cluster = f.make_cluster("elan", "Élan-Matériaux")
    f.make_organisation("Société Élan")
    f.make_contract(cluster, "elan-1", state="negotiation", title="Contrat secret")
    f.make_contract(cluster, "elan-2", state="signed", title="Contrat public")
    body = client.get(reverse("search") + "?q=ELAN").content.decode()
    assert (
        "Élan-Matériaux" in body
        and "Société Élan" in body
        and "Contrat public" in body
        and "Contrat secret" not in body
    )
    client.force_login(f.user_of(f.make_actor("cluster_team", cluster)))
    assert "Contrat secret" in client.get(reverse("search") + "?q=elan").content.decode()
    client.force_login(f.user_of(f.make_actor("cluster_team", f.make_cluster("beta"))))
    assert "Contrat secret" not in client.get(reverse("search") + "?q=elan").content.decode()


def test_search_finds_nothing_kindly(client):
    assert "Rien de ce nom" in client.get(reverse("search") + "?q=zzzz").content.decode()
    assert client.get(reverse("search") + "?q=<script>").status_code == 200
    assert client.get(reverse("search") + "?q=%00").status_code == 400


def test_search_costs_few_queries(client, django_assert_max_num_queries):
    for n in range(30):
        f.make_organisation(f"Élan {n}")
    with django_assert_max_num_queries(10):
        client.get(reverse("search") + "?q=elan")


# --- journal -----------------------------------------------------------------------------------------------------


def acts(n, case="cluster:alpha", **more):
    for i in range(n):
        record(case, "register.label", on=DAY, at=clock.moment_on(DAY, 8, i % 60), why=f"Motif {i}", **more)


def test_everybody_reads_the_journal_of_their_own_cases(client):
    alpha, beta = f.make_cluster("alpha"), f.make_cluster("beta")
    acts(1, "cluster:alpha")
    acts(1, "cluster:beta")
    acts(1, "contract:hidden", after={"secret": "mot caché"})
    acts(1, "user:4242")
    team = f.make_actor("cluster_team", alpha)
    assert set(queries.journal(team, DAY).values_list("case", flat=True)) == {"cluster:alpha"}
    officer = f.make_actor("national_officer")
    assert queries.journal(officer, DAY).count() == 4
    admin = f.make_actor("admin")
    assert "contract:hidden" not in set(queries.journal(admin, DAY).values_list("case", flat=True))
    client.force_login(f.user_of(team))
    assert client.get(reverse("journal") + "?case=cluster:beta").content.decode().count("<code>cluster:beta") == 0
    text = b"".join(client.get(reverse("journal") + "?format=csv").streaming_content).decode("utf-8-sig")
    assert "cluster:alpha" in text and "cluster:beta" not in text and beta.slug == "beta"


def test_the_journal_is_filtered_and_turned_by_key(client, django_assert_max_num_queries):
    f.make_cluster("alpha")
    acts(120)
    record("cluster:alpha", "cluster.other", on=dt.date(2010, 1, 1), at=clock.moment_on(dt.date(2010, 1, 1)))
    client.force_login(f.user_of(f.make_actor("national_officer")))
    address = reverse("journal")
    with django_assert_max_num_queries(24):  # each package says what of its cases is hidden, and names them
        first = client.get(address)
    assert len(first.context["entries"]) == 50 and first.context["more"]
    second = client.get(f"{address}?before={first.context['more']}")
    third = client.get(f"{address}?before={second.context['more']}")
    ids = [e.id for page in (first, second, third) for e in page.context["entries"]]
    assert len(ids) == len(set(ids)) == 121 and third.context["more"] is None
    assert len(client.get(f"{address}?act=cluster.other").context["entries"]) == 1
    assert len(client.get(f"{address}?until=2010-03-01").context["entries"]) == 1
    assert len(client.get(f"{address}?since=2010-03-01&case=cluster").context["entries"]) == 50
    assert client.get(f"{address}?case=contract").context["entries"] == []


def test_the_journal_escapes_what_people_wrote(client):
    record("cluster:alpha", "register.label", on=DAY, why="<script>alert(1)</script>", after={"x": "<b>y</b>"})
    client.force_login(f.user_of(f.make_actor("national_officer")))
    body = client.get(reverse("journal")).content.decode()
    assert "<script>alert(1)" not in body and "<b>y</b>" not in body and "&lt;b&gt;y" in body


# --- proof -------------------------------------------------------------------------------------------------------


def spoil(sql, *args):
    with connection.cursor() as cursor:
        cursor.execute(sql, args)


def test_the_chain_of_a_case_is_checked_on_the_page(client):
    acts(3)
    close_day(DAY)
    client.force_login(f.user_of(f.make_actor("national_officer")))
    assert "jalon verify" in client.get(reverse("proof")).content.decode()
    body = html.unescape(client.post(reverse("verify-case"), {"case": "cluster:alpha"}).content.decode())
    assert "Intact" in body and "3 actes vérifiés" in body
    spoil("UPDATE core_journalentry SET why = 'autre' WHERE seq = 2")
    body = html.unescape(client.post(reverse("verify-case"), {"case": "cluster:alpha"}).content.decode())
    assert "Rupture" in body and "n° 2" in body


@pytest.mark.parametrize(
    ("sql", "holds_until"),
    [
        ("UPDATE core_journalentry SET why = 'autre' WHERE seq = 2", 1),
        ("DELETE FROM core_journalentry WHERE seq = 2", 1),
        ("DELETE FROM core_journalentry WHERE seq = 3", 2),
        ("UPDATE core_journalentry SET prev_hash = '' WHERE seq = 3", 2),
        ("DELETE FROM core_journalhead", 3),
    ],
)
def test_every_way_of_spoiling_a_chain_is_found(sql, holds_until):
    acts(3)
    assert chain_breaks("cluster:alpha") == (3, None)
    spoil(sql)
    count, broken = chain_breaks("cluster:alpha")
    assert broken is not None and count == holds_until


def test_a_case_of_others_is_not_checked(client):
    acts(1, "contract:hidden")
    client.force_login(f.user_of(f.make_actor("cluster_team", f.make_cluster("alpha"))))
    body = html.unescape(client.post(reverse("verify-case"), {"case": "contract:hidden"}).content.decode())
    assert "Aucun dossier de ce nom" in body


# --- policy ------------------------------------------------------------------------------------------------------


def test_the_policy_page_shows_what_is_in_force_on_the_day(client):
    address = reverse("policy-page")
    now = client.get(address).content.decode()
    assert 'id="evaluations.mid_term_review_after"' in now and "18" in now
    row = next(
        r for r in client.get(f"{address}?on=2008-01-01").context["parameters"]["evaluations"]
        if r["path"] == "evaluations.mid_term_review_after"
    )  # fmt: skip
    assert row["now"] is None
    for role in f.policy().roles:
        assert f'id="role-{role.code}"' in now
    for indicator in f.policy().indicators:
        assert f'id="indicator-{indicator.code}"' in now


def test_the_policy_page_costs_no_query_but_the_clock(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        client.get(reverse("policy-page"))


def test_the_policy_and_the_proof_speak_no_code(client):
    from jalon.core.journal import freeze

    freeze("contract:c", "annex:label-letter", {"a": 1})
    freeze("contract:c", "annex:members", {"a": 2})
    freeze("contract:c", "text:0", {"a": 3})
    proof = client.get(reverse("proof")).content.decode()
    assert "annex:" not in proof and "text:0" not in proof and "annexes figées" in proof
    policy = client.get(reverse("policy-page")).content.decode()
    assert "100 × [membres PME] / [membres entreprises]" in policy.replace("\u00a0", " ")
