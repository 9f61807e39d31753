"""Pages of the follow-up: who sees what, forms that lose nothing, exports, as known on, number of queries."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.contracts import follow_actions as acts, follow_queries as queries
from jalon.contracts.models import Action, CommitmentStep, Contract, Objective, Report
from jalon.core import clock
from jalon.indicators.models import Observation
from tests import factories as f
from tests.contracts.follow_world import DAY, make_lived, money

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_day():
    f.live_on(DAY)


def go(client, actor=None):
    if actor is not None:
        client.force_login(f.user_of(actor))
    else:
        client.logout()
    return client


def report(world):
    return Report.objects.select_related("contract__cluster", "round").get(pk=world.report.pk)


def address(world, name, *more):
    return reverse(name, args=[world.contract.slug, *more])


PUBLIC = [
    ("contract-dashboard",),
    ("contract-actions",),
    ("action-progress", "a1"),
    ("objective-follow", "o1"),
    ("contract-indicator", "i2"),
]
INSIDE = [("report", "2009")]


class TestWhoSees:
    @pytest.mark.parametrize("page", PUBLIC, ids=lambda p: p[0])
    def test_the_life_of_a_signed_contract_is_public(self, client, page):
        world = make_lived()
        for actor in (None, world.director, world.correspondent, world.region, world.other_director):
            assert go(client, actor).get(address(world, *page)).status_code == 200

    def test_a_contract_that_is_not_signed_has_no_follow_up(self, client):
        world = make_lived()
        Contract.objects.filter(pk=world.contract.pk).update(state="negotiation")
        assert go(client).get(address(world, "contract-dashboard")).status_code == 404
        assert go(client, world.director).get(address(world, "contract-dashboard")).status_code == 404

    def test_a_report_in_progress_is_for_the_parties(self, client):
        world = make_lived()
        there = address(world, "report", "2009")
        answer = go(client).get(there)
        assert answer.status_code == 302 and reverse("sign-in") in answer["Location"]
        assert go(client, world.other_director).get(there).status_code == 403
        for actor in (world.team, world.director, world.correspondent, world.region, world.officer):
            assert go(client, actor).get(there).status_code == 200

    def test_the_check_page_is_the_states(self, client):
        world = make_lived()
        there = address(world, "report-review", "2009")
        for actor, status in (
            (world.director, 403),
            (world.region, 403),
            (world.other_director, 403),
            (world.correspondent, 200),
            (world.officer, 200),
        ):
            assert go(client, actor).get(there).status_code == status

    def test_boards_are_for_those_who_may_read_them(self, client):
        world = make_lived()
        for name in ("board", "board-indicators", "rounds"):
            assert go(client).get(reverse(name)).status_code == 302
            assert go(client, world.director).get(reverse(name)).status_code == 403
            for actor in (world.officer, world.correspondent, world.region):
                assert go(client, actor).get(reverse(name)).status_code == 200, name

    def test_a_portfolio_holds_ones_own_contracts(self, client):
        world, other = make_lived(), make_lived()
        for actor, n in ((world.correspondent, 1), (world.region, 1), (world.officer, 2)):
            shown = go(client, actor).get(reverse("portfolio")).context["rows"]
            assert len(shown) == n
        assert go(client, world.director).get(reverse("portfolio")).status_code == 403
        assert other.contract.slug not in go(client, world.correspondent).get(reverse("portfolio")).content.decode()

    def test_drafts_are_the_poles_submitted_values_the_parties_validated_ones_everybodys(self, client):
        world = make_lived()
        acts.declare(report(world), "i2", acts.Typed(value="4321"), by=world.team, on=DAY)
        acts.declare(report(world), "i3", acts.Typed(value="1"), by=world.team, on=DAY)
        pages = [
            address(world, "contract-dashboard"),
            address(world, "contract-indicator", "i2"),
            address(world, "contract-dashboard") + "?format=csv",
        ]

        def seen(actor):
            client_ = go(client, actor)
            return ["4321" in _text(client_.get(p)).replace("\u202f", "").replace("\u00a0", "") for p in pages]

        assert seen(world.team) == [True] * 3
        for actor in (None, world.correspondent, world.region, world.other_director):
            assert seen(actor) == [False] * 3
        acts.submit_report(report(world), by=world.director, on=DAY)
        for actor in (world.correspondent, world.region, world.officer):
            assert seen(actor) == [True] * 3
        for actor in (None, world.other_director):
            assert seen(actor) == [False] * 3
        acts.validate_report(report(world), by=world.correspondent, on=DAY)
        assert seen(None) == [True] * 3


def _bytes(response):
    """The whole answer: exports and files are streamed, and closed once they are read to their end."""
    return b"".join(response.streaming_content) if response.streaming else response.content


def _text(response):
    return _bytes(response).decode("utf-8-sig")


class TestForms:
    def test_autosave_answers_json_and_tells_a_conflict(self, client):
        world = make_lived()
        go(client, world.team)
        there = address(world, "declare-value", "2009", "i2")
        json_ = {"HTTP_ACCEPT": "application/json"}
        first = client.post(there, {"value": "12,0", "revision": "0"}, **json_)
        assert first.status_code == 200
        body = first.json()
        assert body["revision"] != "0" and body["findings"][0]["level"] == "warning"
        assert client.post(there, {"value": "13", "revision": body["revision"]}, **json_).status_code == 200
        conflict = client.post(there, {"value": "99", "revision": body["revision"]}, **json_)
        assert conflict.status_code == 409
        assert conflict.json()["theirs"]["Valeur"] == "13" and conflict.json()["yours"]["Valeur"] == "99"
        again = client.post(there, {"value": "99", "revision": conflict.json()["revision"]}, **json_)
        assert again.status_code == 200
        assert Observation.objects.get(indicator="projects_labelled").value == 99
        wrong = client.post(there, {"value": "beaucoup", "revision": again.json()["revision"]}, **json_)
        assert wrong.status_code == 400 and "beaucoup" in wrong.json()["message"]

    def test_without_script_what_was_typed_is_kept(self, client):
        world = make_lived()
        go(client, world.team)
        there = address(world, "declare-value", "2009", "i2")
        answer = client.post(there, {"value": "douze", "note": "Une note <b>longue</b>", "revision": "0"})
        assert answer.status_code == 400
        page = answer.content.decode()
        assert 'value="douze"' in page and "Une note &lt;b&gt;longue&lt;/b&gt;" in page
        assert client.post(there, {"value": "12", "revision": "0"}).status_code == 302
        other = client.post(there, {"value": "15", "revision": "0"})
        assert other.status_code == 409 and 'value="15"' in other.content.decode()

    def test_evidence_of_a_wrong_kind_is_refused_and_the_rest_kept(self, client):
        from django.core.files.uploadedfile import SimpleUploadedFile

        world = make_lived()
        go(client, world.team)
        there = address(world, "declare-value", "2009", "i2")
        answer = client.post(
            there, {"value": "12", "revision": "0", "evidence": SimpleUploadedFile("liste.exe", b"MZ")}
        )
        assert (
            answer.status_code == 400
            and "liste.exe" in answer.content.decode()
            and 'value="12"' in answer.content.decode()
        )
        assert not Observation.objects.exists()
        assert (
            client.post(
                there, {"value": "12", "revision": "0", "evidence": SimpleUploadedFile("liste.csv", b"a;b\n1;2\n")}
            ).status_code
            == 302
        )
        stored = Observation.objects.get(indicator="projects_labelled")
        piece = address(world, "evidence", stored.evidence_id)
        answer = client.get(piece)
        assert answer["Content-Disposition"].startswith("attachment") and _bytes(answer) == b"a;b\n1;2\n"
        assert _bytes(go(client, world.region).get(piece)) == b"a;b\n1;2\n"
        assert go(client).get(piece).status_code == 404
        assert go(client, world.other_director).get(piece).status_code == 404

    def test_a_year_is_reported_by_the_pages(self, client):
        world = make_lived()
        go(client, world.team)
        for key, value in (("i2", "12"), ("i3", "31")):
            client.post(address(world, "declare-value", "2009", key), {"value": value, "revision": "0"})
        assert (
            client.post(address(world, "submit-report", "2009")).status_code == 403
        )  # the team prepares, the director submits
        go(client, world.director)
        assert client.post(address(world, "submit-report", "2009")).status_code == 302
        go(client, world.correspondent)
        review = address(world, "report-review", "2009")
        assert client.post(review, {"act": "return", "r:i2": "on", "why:i2": ""}).status_code == 400
        assert client.post(review, {"act": "return", "r:i2": "on", "why:i2": "Manque l'appel 8"}).status_code == 302
        go(client, world.director)
        page = client.get(address(world, "report", "2009")).content.decode()
        assert "Manque l&#x27;appel 8" in page
        client.post(address(world, "declare-value", "2009", "i2"), {"value": "13"})
        client.post(address(world, "submit-report", "2009"))
        go(client, world.correspondent)
        assert client.post(review, {"act": "validate"}).status_code == 302
        assert client.post(review, {"act": "reopen", "reason": ""}).status_code == 400
        assert client.post(review, {"act": "reopen", "reason": "Erreur"}).status_code == 302
        assert client.post(review, {"act": "extend", "due_on": "2010-09-30", "reason": "Correction"}).status_code == 302
        assert report(world).due_on == dt.date(2010, 9, 30)

    def test_actions_objectives_and_commitments_by_the_pages(self, client):
        world = make_lived()
        go(client, world.team)
        there = address(world, "action-progress", "a2")
        bad = client.post(there, {"status": "late", "percent": "20", "expected_end": "2011-12-31", "seen": "0"})
        assert (
            bad.status_code == 400 and "dites pourquoi" in bad.content.decode() and 'value="20"' in bad.content.decode()
        )
        assert (
            client.post(
                there, {"status": "late", "percent": "20", "expected_end": "31/12/2011", "reason": "Site", "seen": "0"}
            ).status_code
            == 302
        )
        conflict = client.post(there, {"status": "on_track", "percent": "50", "seen": "0"})
        assert conflict.status_code == 409 and 'value="50"' in conflict.content.decode()
        assert (
            client.post(address(world, "milestone-progress", "a1", "m1"), {"done_on": "2009-06-20"}).status_code == 302
        )
        assert client.post(address(world, "objective-follow", "o1"), {"status": "reached"}).status_code == 302
        assert client.post(address(world, "objective-follow", "o1"), {"agree": "1"}).status_code == 403
        go(client, world.correspondent)
        assert client.post(address(world, "objective-follow", "o1"), {"agree": "0", "note": ""}).status_code == 400
        assert client.post(address(world, "objective-follow", "o1"), {"agree": "1"}).status_code == 302
        promise = address(world, "commitment-follow", money(world.contract, 2009).key)
        go(client, world.region)
        assert client.post(promise, {"kind": "paid", "day": "2010-03-01", "amount": "-5"}).status_code == 400
        assert (
            client.post(
                promise, {"kind": "paid", "day": "2010-03-01", "amount": "60 000,00", "reference": "Mandat 12"}
            ).status_code
            == 302
        )
        go(client, world.team)
        assert client.post(promise, {"kind": "paid", "day": "2010-03-01"}).status_code == 403
        assert client.post(promise, {"not_received": "1"}).status_code == 302
        assert list(CommitmentStep.objects.order_by("id").values_list("kind", "amount")) == [
            ("paid", 60000),
            ("contested", None),
        ]

    def test_rounds_are_opened_by_the_calendar(self, client, policy):
        world = make_lived()
        Report.objects.all().delete()
        world.round.delete()
        go(client, world.officer)
        page = client.get(reverse("rounds")).content.decode()
        assert "Ouvrir la campagne 2009" in page
        assert client.post(reverse("round-open"), {"code": "2009"}).status_code == 302
        made = Report.objects.get(contract=world.contract)
        assert made.due_on == dt.date(2010, 3, 31)
        assert client.post(reverse("round-open"), {"code": "2009"}, HTTP_ACCEPT="application/json").status_code == 400
        assert client.post(reverse("round-open"), {"code": "2031"}, HTTP_ACCEPT="application/json").status_code == 400
        assert client.post(reverse("round-remind", args=["2009"])).status_code == 302
        go(client, world.correspondent)
        assert client.post(reverse("round-open"), {"code": "2009"}).status_code == 403


class TestBoards:
    @pytest.mark.parametrize("kind", ["csv", "json", "xlsx", "ods"])
    @pytest.mark.parametrize("name", ["board", "portfolio", "board-indicators"])
    def test_exports_give_what_is_shown(self, client, name, kind):
        world = make_lived()
        answer = go(client, world.officer).get(reverse(name), {"format": kind})
        assert answer.status_code == 200 and kind in answer["Content-Disposition"]
        assert len(_bytes(answer)) > 100

    def test_the_export_of_the_board_has_its_rows(self, client):
        world, other = make_lived(), make_lived()
        go(client, world.officer)
        rows = json.loads(_text(client.get(reverse("board"), {"format": "json"})))
        rows = rows if isinstance(rows, list) else rows["rows"]
        assert {r["cluster"] for r in rows} == {world.cluster.name, other.cluster.name}
        assert rows[0]["actions_late"] == 1 and rows[0]["missing"] == 2 and rows[0]["commitments_late"] == 1

    def test_the_board_says_who_is_late_and_filters_by_address(self, client):
        world, other = make_lived(), make_lived()
        Report.objects.filter(pk=world.report.pk).update(due_on=dt.date(2010, 2, 1))
        go(client, world.officer)
        page = client.get(reverse("board"))
        assert [r.cluster for r in page.context["rows"]] == [
            world.cluster.name,
            other.cluster.name,
        ]  # the late one first
        assert page.context["rows"][0].days_late == 37
        assert page.context["counts"]["late"] == 1
        only = client.get(reverse("board"), {"retard": "1"}).context["rows"]
        assert [r.cluster for r in only] == [world.cluster.name]
        assert len(client.get(reverse("board"), {"q": world.cluster.name.upper()}).context["rows"]) == 1
        assert client.get(reverse("board"), {"etat": "validated"}).context["rows"] == []
        for sort in ("pole", "-pole", "echeance", "-rapport", "fin", "debut", "nonsense"):
            assert len(client.get(reverse("board"), {"sort": sort}).context["rows"]) == 2

    def test_what_was_typed_is_escaped_in_the_lines_of_the_board(self, client):
        world = make_lived()
        Contract.objects.filter(pk=world.contract.pk).update(title="<script>alert(1)</script>")
        type(world.cluster).objects.filter(pk=world.cluster.pk).update(name="A & <b>")
        page = go(client, world.officer).get(reverse("board")).content.decode()
        assert "<script>alert" not in page and "A &amp; &lt;b&gt;" in page
        assert reverse("contract-dashboard", args=[world.contract.slug]) in page

    def test_a_day_that_cannot_be_read_or_has_not_come_is_refused(self, client):
        world = make_lived()
        go(client, world.officer)
        for bad in ("hier", "2010-13-01", "2011-01-01"):
            assert client.get(reverse("board"), {"known_on": bad}).status_code == 400
            assert client.get(address(world, "contract-dashboard"), {"known_on": bad}).status_code == 400

    def test_as_known_on_an_earlier_day(self, client):
        world = make_lived()
        for key, value in (("i2", "12"), ("i3", "31")):
            acts.declare(report(world), key, acts.Typed(value=value), by=world.team, on=dt.date(2010, 2, 1))
        acts.submit_report(report(world), by=world.director, on=dt.date(2010, 2, 2))
        acts.declare_paid(money(world.contract, 2009), by=world.region, on=dt.date(2010, 2, 3), day=dt.date(2010, 2, 3))
        go(client, world.officer)

        def row(known_on=None):
            cache.clear()  # a kept page has no context
            page = client.get(reverse("board"), {"known_on": known_on} if known_on else {})
            return page.context["rows"][0]

        assert (row().report_state, row().missing, row().commitments_late) == ("submitted", 0, 0)
        early = row("2010-02-01")
        assert (early.report_state, early.missing, early.commitments_late) == ("open", 2, 1)
        assert row("2010-02-02").report_state == "submitted"
        page = client.get(address(world, "contract-dashboard"), {"known_on": "2010-02-01"})
        assert "1er février 2010" in page.content.decode().replace("\u00a0", " ")
        rows = _text(client.get(reverse("board"), {"known_on": "2010-02-01", "format": "csv"}))
        assert "soumis" not in rows

    def test_the_counts_of_the_board_are_those_of_the_dashboard(self):
        world = make_lived()
        a2 = Action.objects.select_related("contract__cluster").get(contract=world.contract, key="a2")
        acts.report_progress(a2, status="cancelled", percent=0, reason="Partenaire défaillant", by=world.team, on=DAY)
        acts.declare_paid(money(world.contract, 2009), by=world.region, on=DAY, day=DAY)
        acts.flag_not_received(money(world.contract, 2009), by=world.team, on=DAY)
        o1 = Objective.objects.select_related("contract__cluster").get(contract=world.contract, key="o1")
        acts.state_objective(o1, "reached", by=world.team, on=DAY)
        acts.judge_objective(o1, agree=True, by=world.correspondent, on=DAY)
        for day in (
            dt.date(2009, 6, 1),
            DAY,
            dt.date(2010, 12, 31),
            dt.date(2011, 1, 1),
            dt.date(2011, 8, 1),
            dt.date(2012, 2, 1),
        ):
            whole = queries.dashboard(world.contract, day=day, sight="party")
            contract = queries.board_contracts(
                Contract.objects.all(), world.round, queries.BoardFilter(), DAY, None
            ).get()
            row = queries.board_rows([contract], world.round, day, None)[0]
            bad = ("late", "missed")
            assert row.actions_late == sum(a.light.code in bad for a in whole.actions), day
            assert row.commitments_late == sum(c.light.code in bad for c in whole.commitments), day
            assert row.objectives_reached == sum(o.light.code == "reached" for o in whole.objectives), day
            assert row.paid == whole.money_total.paid and row.promised == whole.money_total.promised


class TestQueries:
    """The number of queries of each page is fixed, whatever the number of contracts and observations."""

    def count(self, client, address_, **params):
        _bytes(client.get(address_, params))  # session and policy are warm
        cache.clear()  # the page is built anew
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(address_, params)
            assert answer.status_code == 200 and _bytes(answer)
        return len(seen)

    def test_board_portfolio_and_exports(self, client):
        world = make_lived()
        go(client, world.officer)
        asked = [
            (reverse("board"), {}),
            (reverse("portfolio"), {}),
            (reverse("board"), {"format": "csv"}),
            (reverse("board"), {"known_on": "2010-03-01"}),
        ]
        before = [self.count(client, a, **p) for a, p in asked]
        for _ in range(3):
            other = make_lived()
            acts.declare(report(other), "i2", acts.Typed(value="4"), by=other.team, on=DAY)
        assert [self.count(client, a, **p) for a, p in asked] == before
        assert before == [13, 14, 11, 12]

    def test_dashboard_and_report(self, client):
        world = make_lived()
        asked = [
            address(world, "contract-dashboard"),
            address(world, "report", "2009"),
            address(world, "contract-indicator", "i2"),
        ]
        go(client, world.team)
        before = [self.count(client, a) for a in asked]
        year = dt.date(2008, 12, 31)
        for n in range(20):
            Observation.objects.create(
                cluster=world.cluster,
                indicator="projects_labelled",
                period_start=dt.date(2008, 1, 1),
                period_end=year - dt.timedelta(days=n),
                value=n,
                origin="declared",
                state="validated",
                recorded_at=clock.moment_on(DAY),
            )
        make_lived()
        assert [self.count(client, a) for a in asked] == before
        go(client)
        assert self.count(client, asked[0]) <= 19


class TestBudgetPage:
    def test_the_team_declares_the_parties_read_the_public_does_not(self, client):
        world = make_lived()
        where = address(world, "contract-budget")
        assert client.get(where).status_code == 302  # a visitor is asked to sign in
        go(client, world.team)
        assert client.get(where).status_code == 200
        typed = {"state": "300 000", "fees": "200 000,50", "in_kind": "", "seen": "0"}
        assert client.post(where + "?annee=2009", typed).status_code == 302
        shown = client.get(where + "?annee=2009").content.decode()
        assert 'value="200000,50"' in shown or 'value="200000,5"' in shown
        again = client.post(where + "?annee=2009", typed | {"state": "310 000"})
        assert (
            again.status_code == 409 and 'value="310 000"' in again.content.decode()
        )  # a conflict keeps what was typed
        wrong = client.post(where + "?annee=2009", typed | {"state": "beaucoup"})
        assert wrong.status_code == 400 and "beaucoup" in wrong.content.decode()
        go(client, world.region)
        read = client.get(where)
        assert (
            read.status_code == 200
            and "Correct" not in read.content.decode()
            and 'name="state"' not in read.content.decode()
        )
        assert client.post(where, typed).status_code == 403
        assert "300000" in _text(client.get(where, {"format": "csv"}))
        assert "Part publique" in client.get(address(world, "contract-dashboard")).content.decode()
        go(client, world.other_director)
        assert client.get(where).status_code == 403
