"""Pages, feeds and files of committees as people get them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from jalon.committees import actions, desk
from jalon.people.calendars import token_of
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
