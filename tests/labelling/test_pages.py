"""The pages of labelling: who reads what, forms that keep what was typed, a fixed number of queries."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.labelling import actions, queries
from jalon.labelling.models import LabelRequest, Opinion, Vote
from jalon.projects.models import ProjectLabel
from tests import factories as make
from tests.labelling import world as small
from tests.labelling.world import DAY

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(name, args=args)


def text(answer):
    return answer.content.decode()


def done(response):
    """Close the files of a response; ``response.close()`` would close the database as well."""
    for close in response._resource_closers:
        close()


def page_of(world):
    return url("labelling-request", world.request.pk)


def test_the_team_runs_a_request_from_its_pages(world, signed_in):
    small.asked(world, message="Bonjour", keep_away="M. Concurrent")
    team = signed_in(world.team)
    board = text(team.get(url("labelling-board", "foret")))
    assert "SAPIN" in board
    assert "À recevoir" in board
    done = team.post(page_of(world), {"act": "receive", "correspondent": world.team.user_id})
    assert done.status_code == 302
    # Before the declaration: title and partners, nothing of the content, and no act.
    before = text(team.get(page_of(world)))
    assert "Colles et Liants" in before
    assert "Formule secrète" not in before
    assert team.post(page_of(world), {"act": "admit", "criteria": "research"}).status_code == 403
    small.declare(world, world.team)
    assert "Formule secrète" in text(team.get(page_of(world)))
    assert team.post(page_of(world), {"act": "ask_more", "reason": ""}).status_code == 400
    assert team.post(page_of(world), {"act": "admit", "criteria": "research"}).status_code == 302
    kept = team.post(page_of(world), {"act": "invite", "expert": world.expert.user_id, "days": 99})
    assert kept.status_code == 400
    assert 'value="99"' in text(kept)
    assert "entre 5 et 45" in text(kept)
    assert "M. Concurrent" in text(kept)
    assert team.post(page_of(world), {"act": "invite", "expert": world.expert.user_id, "days": 10}).status_code == 302
    assert Opinion.objects.get().due_on == dt.date(2010, 7, 10)
    assert team.post(page_of(world), {"act": "decide", "outcome": "labelled"}).status_code == 403
    assert team.post(page_of(world), {"act": "dance"}).status_code == 400
    asked = {"act": "open_vote", "way": "electronic", "closes_on": "2010-07-07"}
    lacking = team.post(page_of(world), asked)
    assert "0 avis rendus" in text(lacking)
    assert team.post(page_of(world), asked | {"reason": "Calendrier"}).status_code == 302
    assert LabelRequest.objects.get().state == "vote"


def test_the_expert_writes_an_opinion(world, signed_in):
    small.admitted(world)
    one = small.opinion(world, world.expert, give=False)
    expert = signed_in(world.expert)
    home = text(expert.get(url("my-opinions")))
    assert "À déclarer d&#x27;abord" in home or "À déclarer d'abord" in home
    mine = url("labelling-opinion", one.pk)
    assert "Formule secrète" not in text(expert.get(mine))
    save = url("labelling-opinion-save", one.pk)
    assert expert.post(save, {"text": "x", "revision": 0}).status_code == 403
    answer = expert.post(url("interest", world.project.case), {"stance": "none"})
    assert answer.url == mine
    assert "Formule secrète" in text(expert.get(mine))
    saved = expert.post(save, {"text": "Début", "score_market": "3", "revision": 0})
    assert saved.json() == {"revision": 1, "rev": 1}
    lost = expert.post(save, {"text": "Autre", "revision": 0})
    assert (lost.status_code, lost.json()["theirs"]) == (409, "Début")
    assert expert.post(save, {"score_market": "12", "revision": 1}).status_code == 400
    whole = {f"score_{k}": v for k, v in small.SCORES.items()}
    lacking = expert.post(mine, whole | {"act": "give", "text": "Motivé", "rev": 1})
    assert lacking.status_code == 400
    assert "Dites si l" in text(lacking)
    rev = Opinion.objects.get(pk=one.pk).rev
    given = expert.post(mine, whole | {"act": "give", "text": "Motivé", "rev": rev, "recommendation": "favourable"})
    assert given.status_code == 302
    assert signed_in(world.second).get(mine).status_code == 404


def test_members_vote_and_the_room_reads_the_screen(world, signed_in):
    small.voting(world)
    voter = world.voters[0]
    client = signed_in(voter)
    assert "Formule secrète" not in text(client.get(page_of(world)))
    assert client.post(page_of(world), {"act": "cast", "choice": "for"}).status_code == 403
    small.declare(world, voter)
    shown = text(client.get(page_of(world)))
    assert "Avis motivé" in shown
    assert "Expert 1" in shown
    assert client.post(page_of(world), {"act": "cast", "choice": "for"}).status_code == 302
    assert Vote.objects.get().choice == "for"
    again = client.post(page_of(world), {"act": "cast", "choice": "against"})
    assert again.status_code == 400
    assert "déjà voté" in text(again)
    room = text(client.get(url("labelling-committee", "foret")))
    assert "1/4" in room
    assert signed_in(world.leader).get(url("labelling-committee", "foret")).status_code == 403


def test_the_bureau_decides_and_the_leader_reads_why(world, signed_in):
    small.voted(world)
    small.declare(world, world.director)
    make.live_on(dt.date(2010, 7, 8))
    director = signed_in(world.director)
    sent = {"act": "decide", "outcome": "conditions", "reasons": "Sous réserve", "reference": "L-1"}
    lacking = director.post(page_of(world), sent)
    assert lacking.status_code == 400
    assert "Sous réserve" in text(lacking)
    done = director.post(page_of(world), sent | {"condition_1": "Un industriel", "condition_1_due": "2010-09-01"})
    assert done.status_code == 302
    assert director.post(page_of(world), sent).status_code == 409
    condition = LabelRequest.objects.get().conditions.get()
    leader = signed_in(world.leader)
    seen = text(leader.get(url("project-labelling", "sapin")))
    assert "Sous réserve" in seen
    assert "Un industriel" in seen
    assert leader.get(page_of(world)).url == url("project-labelling", "sapin")
    lifted = director.post(page_of(world), {"act": "lift", "condition": condition.pk, "evidence": "Lettre"})
    assert lifted.status_code == 302
    assert LabelRequest.objects.get().state == "labelled"


def test_the_leader_asks_completes_and_withdraws(world, signed_in):
    leader = signed_in(world.leader)
    here = url("project-labelling", "sapin")
    chair = world.cluster.labelling_members.get(user_id=world.voters[0].user_id)
    assert world.voters[0].user_label in text(leader.get(here))
    sent = {"act": "ask", "cluster": world.cluster.pk, "lead": "1", "keep_out": [chair.pk]}
    lacking = leader.post(here, sent)
    assert "Dites pourquoi" in text(lacking)
    assert leader.post(here, sent | {"keep_out_why": "Concurrent"}).status_code == 302
    assert leader.post(here, {"act": "ask", "cluster": world.other.pk, "lead": "1"}).status_code == 400
    wrong = leader.post(here, {"act": "ask", "cluster": world.other.pk, "lead": "0", "keep_out": [chair.pk]})
    assert wrong.status_code == 400
    row = LabelRequest.objects.get()
    assert signed_in(world.partner).get(here).status_code == 200
    assert signed_in(world.partner).post(here, {"act": "withdraw", "request": row.pk, "reason": "x"}).status_code == 403
    assert signed_in(world.reader).get(here).status_code == 404
    assert leader.post(here, {"act": "withdraw", "request": row.pk, "reason": "Abandon"}).status_code == 302
    assert LabelRequest.objects.get().state == "withdrawn"


def test_settings_are_read_by_the_team_and_set_by_the_director(world, signed_in):
    here = url("labelling-settings", "foret")
    assert signed_in(world.team).get(here).status_code == 200
    assert signed_in(world.team).post(here, {"act": "delays"}).status_code == 403
    director = signed_in(world.director)
    days = {"reception": 5, "admissibility": 10, "opinions": 90, "committee": 7, "bureau": 7}
    wrong = director.post(here, {"act": "delays"} | days)
    assert (wrong.status_code, 'value="90"' in text(wrong)) == (400, True)
    assert director.post(here, {"act": "delays"} | days | {"opinions": 20}).status_code == 302
    assert queries.delays_on(world.cluster, DAY)["opinions"] == 20
    seated = director.post(here, {"act": "seat", "user": world.second.user_id, "body": "committee"})
    assert seated.status_code == 302
    member = world.cluster.labelling_members.get(user_id=world.second.user_id)
    assert director.post(here, {"act": "unseat", "member": member.pk}).status_code == 302


@pytest.fixture
def labels(world):
    """Labels of two projects: one selected, one not yet; and a refusal."""
    second = small.make_project(small._organisation(world.leader), call=world.call, slug="pin", acronym="PIN")
    second.state = "selected"
    second.save()
    for project, outcome in ((world.project, "labelled"), (second, "labelled")):
        ProjectLabel.objects.create(
            project=project, cluster=world.cluster, lead=True, outcome=outcome, decided_on=DAY, recorded_at=make.clock.moment_on(DAY)
        )  # fmt: skip
    ProjectLabel.objects.create(
        project=second, cluster=world.other, outcome="refused", decided_on=DAY, recorded_at=make.clock.moment_on(DAY)
    )
    return world


def test_the_register_shows_what_is_public_and_one_s_own(labels, signed_in):
    here = url("project-labels")

    def found(actor, **query):
        page = signed_in(actor).get(here, query | {"format": "json"})
        rows = json.loads(b"".join(page.streaming_content))
        rows = rows if isinstance(rows, list) else next(v for v in rows.values() if isinstance(v, list))
        return sorted((r["project"], r["cluster"][:5]) for r in rows)

    everything = [("PIN", "Bois "), ("PIN", "Produ"), ("SAPIN", "Produ")]
    assert found(None) == [("PIN", "Produ")]
    assert found(labels.reader) == [("PIN", "Produ")]
    assert found(labels.officer) == everything
    assert found(labels.director) == [("PIN", "Produ"), ("SAPIN", "Produ")]
    assert found(labels.leader) == everything
    assert found(labels.officer, q="sapin") == [("SAPIN", "Produ")]
    assert found(labels.officer, decision="refused") == [("PIN", "Bois ")]
    assert found(labels.officer, pole="bois", annee="2010", appel=labels.call.code, qualite="colabel") == [
        ("PIN", "Bois ")
    ]
    # A recusal holds here as everywhere.
    small.declare(labels, labels.officer, stance="interest")
    assert found(labels.officer) == [("PIN", "Bois "), ("PIN", "Produ")]
    visitor = signed_in()
    visitor.get(here)
    counted = []
    for _turn in range(2):
        with CaptureQueriesContext(connection) as seen:
            assert visitor.get(here).status_code == 200
        counted.append(len(seen))
        for _ in range(5):
            more = small.make_project(make.make_organisation(), call=labels.call, state="selected")
            ProjectLabel.objects.create(
                project=more, cluster=labels.other, outcome="labelled", decided_on=DAY, recorded_at=make.clock.moment_on(DAY)
            )  # fmt: skip
    assert counted[0] == counted[1]


def test_lists_ask_the_same_number_of_queries_whatever_they_hold(world, signed_in):
    small.voting(world)
    small.declare(world, world.voters[0], world.team)
    pages = [
        (world.team, url("labelling-board", "foret")),
        (world.expert, url("my-opinions")),
        (world.expert, url("home")),
        (world.director, url("home")),
    ]

    def counts():
        found = []
        for actor, where in pages:
            client = signed_in(actor)
            client.get(where)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(where).status_code == 200
            found.append(len(seen))
        return found

    before = counts()
    for _ in range(4):
        project = small.make_project(small._organisation(world.leader), call=world.call)
        request = actions.ask(project, world.cluster, lead=True, by=world.leader, on=DAY)
        actions.receive(request, correspondent=make.user_of(world.team), by=world.team, on=DAY)
        for who in (world.team, world.expert):
            actions.interests.declare(project.case, "none", by=who, on=DAY)
        actions.admit(request, by=world.team, on=DAY)
        actions.invite(request, make.user_of(world.expert), by=world.team, on=DAY)
    after = counts()
    # The first task of a kind may ask for what it is about; further ones ask nothing more.
    for _ in range(4):
        project = small.make_project(small._organisation(world.leader), call=world.call)
        request = actions.ask(project, world.cluster, lead=True, by=world.leader, on=DAY)
        actions.receive(request, correspondent=make.user_of(world.team), by=world.team, on=DAY)
        for who in (world.team, world.expert):
            actions.interests.declare(project.case, "none", by=who, on=DAY)
        actions.admit(request, by=world.team, on=DAY)
        actions.invite(request, make.user_of(world.expert), by=world.team, on=DAY)
    assert counts() == after
    assert max(b - a for a, b in zip(before, after, strict=True)) <= 4


def test_an_attachment_is_read_under_a_neutral_name(world, signed_in, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    small.admitted(world)
    one = small.opinion(world, world.expert, give=False)
    small.declare(world, world.expert)
    actions.attach(one, b"note d'un expert", "avis-claire-experte.txt", by=world.expert, on=DAY)
    expert, team = signed_in(world.expert), signed_in(world.team)
    here = url("labelling-opinion-file", one.pk)
    got = expert.get(here)
    assert 'filename="avis-expert-1.txt"' in got["Content-Disposition"]
    done(got)
    assert team.get(here).status_code == 404  # a draft is the expert's own
    actions.save_opinion(
        one, scores=small.SCORES, text="Motivé", recommendation="favourable", rev=0, by=world.expert, on=DAY
    )
    actions.give_opinion(one, by=world.expert, on=DAY)
    answer = team.get(here)
    assert answer.status_code == 200
    done(answer)
    for other in (world.second, world.leader, world.reader):
        assert signed_in(other).get(here).status_code == 404
    stored = Opinion.objects.select_related("file").get(pk=one.pk).file
    assert "xperte" not in f"{stored.name} {stored.title} {stored.uploaded_by_label}"
    assert stored.uploaded_by_id is None
