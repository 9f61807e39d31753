"""Pages, feeds and files of committees as people get them; queries counted, whatever the number of points."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.committees import actions, agenda, desk
from jalon.committees.models import Committee
from jalon.people.calendars import token_of
from jalon.workspace.queries import search
from tests import factories as f
from tests.committees import world as w

DAY, ON = w.DAY, w.SESSION_DAY
pytestmark = pytest.mark.django_db


def address(session, name="committee-session"):
    return reverse(name, args=[session.committee.slug, session.number])


def test_a_session_is_prepared_convened_and_answered_on_screen(world, signed_in):
    officer = signed_in(world.correspondent)
    page = officer.post(reverse("session-plan", args=[world.committee.slug]), {"day": ON.isoformat()}, follow=True)
    text = page.content.decode()
    assert "action(s) en retard" in text
    assert "Une action a passé sa fin sans être achevée" in text
    session = world.committee.sessions.get()
    assert signed_in(world.director).get(address(session)).status_code == 404  # only planned: not yet theirs
    officer = signed_in(world.correspondent)
    officer.post(reverse("session-act", args=[world.committee.slug, session.number, "convoquer"]))
    member = signed_in(world.director)
    assert "Atelier annuel" in member.get(address(session)).content.decode()
    seat = world.seats["cluster"]
    member.post(address(session, "session-presence"), {"seat": seat.pk, "presence": "remote"})
    assert session.attendances.get(seat=seat).presence == "remote"
    english = signed_in(world.prefect)
    english.post(reverse("set-language"), {"language": "en"})
    assert "An action has passed its end" in english.get(address(session)).content.decode()


def test_who_is_recused_finds_the_point_nowhere(world, signed_in):
    """Page, room, minutes, search, journal's cases, papers and files: nothing of it."""
    session = w.planned(world, world.gti)
    item = actions.add_item(
        session, title="Sujet Zébulon", kind="opinion", body="Texte réservé", by=world.officer, on=DAY
    )
    paper = actions.add_paper(session, b"%PDF-1.4 x", "note.pdf", item=item, by=world.officer, on=DAY)
    actions.convene(session, by=world.officer, on=DAY)
    actions.declare_interest(item, "Lien familial", by=world.experts[0], on=DAY)
    away, other = signed_in(world.experts[0]), signed_in(world.experts[1])
    file = reverse("session-paper", args=[world.gti.slug, session.number, paper.pk])
    for name in ("committee-session", "session-room", "session-convocation-docx"):
        hidden, shown = away.get(address(session, name)), other.get(address(session, name))
        assert hidden.status_code == shown.status_code == 200
        if name != "session-convocation-docx":
            assert "Zébulon" not in hidden.content.decode()
            assert "Zébulon" in shown.content.decode() or name == "session-room"
    assert away.get(file).status_code == 404
    answer = other.get(file)
    assert b"".join(answer.streaming_content) == b"%PDF-1.4 x"
    for close in answer._resource_closers:
        close()
    assert not search(world.experts[0], DAY, "Zébulon")
    assert search(world.experts[1], DAY, "Zébulon")


def test_a_session_stands_in_the_calendar_of_those_who_sit(world, signed_in):
    session = w.planned(world)
    actions.convene(session, by=world.correspondent, on=DAY)
    feed = signed_in().get(reverse("calendar-feed", args=[token_of(f.user_of(world.director))])).content.decode()
    assert "DTSTART;TZID=Europe/Paris:20100708T143000" in feed
    assert "LOCATION:Bordeaux" in feed
    other = signed_in().get(reverse("calendar-feed", args=[token_of(f.user_of(world.stranger))])).content.decode()
    assert "20100708" not in other


def test_what_waits_is_on_the_desk(world):
    session = w.planned(world)
    assert [t.due_on.isoformat() for t in desk.tasks_for(world.correspondent, DAY) if "Convoquer" in str(t.title)] == [
        "2010-07-03"
    ]
    actions.convene(session, by=world.correspondent, on=DAY)
    assert any("Dire si vous serez là" in str(t.title) for t in desk.tasks_for(world.director, DAY))
    actions.set_presence(session, world.seats["cluster"], "present", by=world.director, on=DAY)
    assert not any("Dire si vous serez là" in str(t.title) for t in desk.tasks_for(world.director, DAY))
    assert desk.tasks_for(world.stranger, DAY) == []


def test_the_agendas_of_all_committees_cost_the_same_number_of_queries(world):
    def count(committees):
        with CaptureQueriesContext(connection) as seen:
            found = agenda.points(committees, DAY)
        return len(seen), found

    one, _ = count([world.committee])
    for n in range(3):
        cluster = f.make_cluster(f"autre-{n}", label=True)
        f.make_actor("state_correspondent", cluster, world.service)
        w.signed_contract(cluster, world.region, world.city, world.region_agent)
        actions.create("coordination", clusters=[cluster], starts_on=DAY, by=world.officer, on=DAY)
    many, found = count(list(Committee.objects.filter(kind="coordination")))
    assert len(found) == 4
    assert all("actions_late" in {source for source, _ in points} for points in found.values())
    assert many == one


@pytest.mark.parametrize("name", ["committee-session", "session-room", "committee"])
def test_a_page_costs_the_same_whatever_is_on_the_agenda(world, signed_in, name):
    session = w.planned(world)
    actions.convene(session, by=world.correspondent, on=DAY)
    client = signed_in(world.correspondent)
    args = [world.committee.slug] if name == "committee" else [world.committee.slug, session.number]
    client.get(reverse(name, args=args))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse(name, args=args))
    for n in range(6):
        actions.add_item(session, title=f"Point {n}", by=world.correspondent, on=DAY)
    with CaptureQueriesContext(connection) as many:
        assert client.get(reverse(name, args=args)).status_code == 200
    assert len(many) == len(few) <= 45, len(many)


def test_words_typed_by_two_people_are_both_kept(world, signed_in):
    session = w.opened(world)
    item = session.items.get()
    client = signed_in(world.correspondent, ON)
    url = reverse("session-words", args=[world.committee.slug, session.number, item.pk])
    ajax = {"HTTP_ACCEPT": "application/json"}
    assert client.post(url, {"notes": "Un", "draft": "", "revision": 0}, **ajax).json() == {"revision": 1}
    refused = client.post(url, {"notes": "Deux", "draft": "", "revision": 0}, **ajax)
    assert refused.status_code == 409
    assert (refused.json()["theirs"]["notes"], refused.json()["yours"]["notes"]) == ("Un", "Deux")
