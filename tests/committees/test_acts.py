"""The acts of committees, refusals included: what is written, what the journal keeps, what nobody may do."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, OperationalError, connection, connections
from django.db.models import Q

from jalon.committees import access, actions, queries, states
from jalon.committees.models import Attendance, Ballot, FollowUp, Item, Session, SessionDecision, Vote
from jalon.contracts.models import Action, Progress
from jalon.core import clock
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.people.access import VISITOR
from tests import factories as f
from tests.committees import world as w

DAY, ON = w.DAY, w.SESSION_DAY
pytestmark = pytest.mark.django_db


def refused(match):
    return pytest.raises(Refused, match=match)


# -- seats ------------------------------------------------------------------------------------------------------


def test_seats_come_from_the_records(world):
    """Co-chairs, carrier, the other authority of the contract, the service that follows: nothing typed."""
    found = {(s.seat, s.organisation_id, s.chair, s.votes) for s in world.committee.seats.all()}
    assert found == {
        ("prefect", world.state.pk, True, True),
        ("region-president", world.region.pk, True, True),
        ("cluster", f.carrier_of(world.cluster).pk, False, True),
        ("funder", world.city.pk, False, True),
        ("service", world.service.pk, False, False),
    }


def test_who_may_know_of_a_committee(world):
    for actor, knows in (
        (world.correspondent, True), (world.prefect, True), (world.region_agent, True), (world.city_agent, True),
        (world.director, True), (world.officer, True), (world.stranger, False), (world.other_correspondent, False),
        (world.reader, False), (world.admin, False), (VISITOR, False), (world.experts[0], False),
    ):  # fmt: skip
        assert access.visible_to(actor, DAY).filter(pk=world.committee.pk).exists() is knows, actor.role
    assert not access.visible_to(world.director, DAY).filter(pk=world.gti.pk).exists()
    assert access.visible_to(world.experts[0], DAY).filter(pk=world.gti.pk).exists()


def test_a_kind_has_its_scope_and_its_days(world):
    with refused("un pôle"):
        actions.create("coordination", by=world.officer, on=DAY)
    with refused("a déjà un comité"):
        actions.create("coordination", clusters=[world.cluster], by=world.correspondent, on=DAY)
    with refused("existe du"):
        actions.create("gti", starts_on=dt.date(2013, 1, 1), by=world.officer, on=DAY)
    with refused("aucun|n'a pas de comité"):
        actions.create("salon", by=world.officer, on=DAY)
    with pytest.raises(NotAllowed):
        actions.create("coordination", clusters=[f.make_cluster()], by=world.correspondent, on=DAY)
    with pytest.raises(NotAllowed):
        actions.create("gti", by=world.correspondent, on=DAY)
    with refused("au moins 2 pôles"):
        actions.create("thematic", clusters=[world.cluster], by=world.director, on=DAY)


def test_a_mandate_ends_and_another_begins(world):
    seat = world.seats["prefect"]
    with refused("est tenu par"):
        actions.give_seat(
            world.committee, "prefect", f.make_organisation(), starts_on=DAY, by=world.correspondent, on=DAY
        )
    actions.end_seat(seat, ends_on=DAY, by=world.correspondent, on=DAY)
    after = DAY + dt.timedelta(days=1)
    other = f.make_organisation(kind="state_service")
    actions.give_seat(world.committee, "prefect", other, starts_on=after, by=world.correspondent, on=DAY)
    assert access.seats_in(world.prefect, world.committee, DAY)
    assert not access.seats_in(world.prefect, world.committee, after)
    with pytest.raises(IntegrityError):
        type(seat).objects.filter(pk=seat.pk).update(ends_on=dt.date(2000, 1, 1))


# -- planning, agenda -------------------------------------------------------------------------------------------


def test_the_agenda_builds_itself_and_says_why(world):
    session = w.planned(world)
    actions.build_agenda(session, by=world.correspondent, on=DAY)
    found = {i.source: i for i in session.items.exclude(source="own")}
    assert {"actions_late", "reviews_due"} <= found.keys()
    late = found["actions_late"]
    assert [d["title"]["fr"] if isinstance(d["title"], dict) else d["title"] for d in late.details] == [
        "Atelier annuel"
    ]
    assert late.why["rule"]["en"].startswith("An action has passed its end")
    assert late.why["day"] == DAY.isoformat()
    assert late.url.startswith("/contrats/")
    review = found["reviews_due"]
    assert review.due_on == dt.date(2010, 7, 1)
    assert review.why["parameter"] == "evaluations.mid_term_review_after"


def test_a_dropped_point_stays_dropped_until_something_new_is_behind_it(world):
    session = w.planned(world)
    actions.build_agenda(session, by=world.correspondent, on=DAY)
    late = session.items.get(source="actions_late")
    with refused("Dites pourquoi"):
        actions.drop_item(late, " ", by=world.correspondent, on=DAY)
    actions.drop_item(late, "Vu en bilatéral", by=world.correspondent, on=DAY)
    actions.build_agenda(session, by=world.correspondent, on=DAY)
    late.refresh_from_db()
    assert late.dropped_on == DAY
    assert late.dropped_why == "Vu en bilatéral"
    Action.objects.filter(contract=world.contract, key="a2").update(ends_on=dt.date(2010, 5, 31))
    assert actions.build_agenda(session, by=world.correspondent, on=DAY)["back"] == 1
    late.refresh_from_db()
    assert late.dropped_on is None
    assert len(late.details) == 2


def test_what_is_settled_leaves_the_agenda_before_it_is_sent(world):
    session = w.planned(world)
    actions.build_agenda(session, by=world.correspondent, on=DAY)
    late = Action.objects.get(contract=world.contract, key="a1")
    Progress.objects.create(
        action=late, status="done", percent=100, done_on=DAY, on=DAY, recorded_at=clock.moment_on(DAY)
    )
    assert actions.build_agenda(session, by=world.correspondent, on=DAY)["gone"] >= 1
    settled = session.items.get(source="actions_late")
    assert settled.dropped_on == DAY
    assert settled.dropped_by == ""


def test_order_is_the_secretary_s(world):
    session = w.planned(world)
    second = actions.add_item(session, title="Deuxième", by=world.correspondent, on=DAY)
    third = actions.add_item(session, title="Troisième", by=world.correspondent, on=DAY)
    order = actions.move_item(third, -1, by=world.correspondent, on=DAY)
    assert order.index(third.pk) < order.index(second.pk)
    for actor in (world.prefect, world.director, world.city_agent, world.other_correspondent):
        with pytest.raises(NotAllowed):
            actions.add_item(session, title="Intrus", by=actor, on=DAY)


def test_days_on_which_no_session_is_planned(world):
    for day, match in ((dt.date(2010, 7, 14), "pas un jour ouvré"), (dt.date(2010, 6, 29), "est passé"),
                       (dt.date(2010, 7, 10), "pas un jour ouvré")):  # fmt: skip
        with refused(match):
            actions.plan(world.committee, day, by=world.correspondent, on=DAY)
    w.planned(world)
    with refused("déjà prévue"):
        actions.plan(world.committee, ON, by=world.correspondent, on=DAY)
    with refused("n'a plus de"):
        actions.plan(world.gti, dt.date(2013, 1, 8), by=world.officer, on=DAY)


# -- convening --------------------------------------------------------------------------------------------------


def test_convening_sends_the_agenda_and_freezes_it(world):
    session = w.planned(world)
    actions.convene(session, by=world.correspondent, on=DAY)
    session.refresh_from_db()
    assert session.state == "convened"
    told = OutboxMessage.objects.filter(case=f"session:{world.committee.slug}/1")
    assert {m.to for m in told} == {
        f.user_of(a).email
        for a in (world.prefect, world.region_agent, world.city_agent, world.director, world.correspondent)
    }
    assert "1. Orientations" in told.first().body
    entry = JournalEntry.objects.get(act="session.convene")
    assert entry.after["sha256"] == session.convocation.sha256
    assert entry.after["last_day"] == "2010-07-03"
    assert not list(breaks())


@pytest.mark.parametrize(
    ("on", "urgency", "sent"),
    [
        (dt.date(2010, 7, 3), "", True),  # the last day, until midnight in Paris
        (dt.date(2010, 7, 4), "", False),
        (dt.date(2010, 7, 4), "Décision du CIADT à préparer", True),
        (dt.date(2010, 7, 8), "", False),
        (dt.date(2010, 7, 9), "Trop tard", False),
    ],
)
def test_the_delay_of_convening(world, on, urgency, sent):
    session = w.planned(world)
    if sent:
        done = actions.convene(session, urgency=urgency, by=world.correspondent, on=on)
        assert done.urgency == (urgency if on > dt.date(2010, 7, 3) else "")
    else:
        with pytest.raises(Refused) as no:
            actions.convene(session, urgency=urgency, by=world.correspondent, on=on)
        if on <= ON:
            assert no.value.why.parameter == "committees.notice_before"
        assert Session.objects.get(pk=session.pk).state == "planned"
        assert not OutboxMessage.objects.exists()


def test_an_empty_agenda_or_nobody_is_not_convened(world):
    empty = actions.plan(world.committee, ON, by=world.correspondent, on=DAY)
    for seat in world.committee.seats.all():
        actions.end_seat(seat, ends_on=DAY, by=world.correspondent, on=DAY)
    with pytest.raises(Refused) as no:
        actions.convene(empty, by=world.correspondent, on=DAY)
    assert len(no.value.missing) == 2


def test_postponing_keeps_agenda_and_papers(world):
    session = w.planned(world)
    paper = actions.add_paper(session, b"%PDF-1.4 x", "note.pdf", title="Note", by=world.correspondent, on=DAY)
    again = actions.add_paper(session, b"%PDF-1.4 y", "note.pdf", title="Note", by=world.correspondent, on=DAY)
    assert (paper.version, again.version) == (1, 2)
    actions.convene(session, by=world.correspondent, on=DAY)
    with refused("demande un motif"):
        actions.postpone(session, dt.date(2010, 9, 9), "", by=world.correspondent, on=DAY)
    new = actions.postpone(session, dt.date(2010, 9, 9), "Préfet empêché", by=world.correspondent, on=DAY)
    session.refresh_from_db()
    assert (session.state, new.state, new.replaces_id) == ("postponed", "planned", session.pk)
    assert [i.title for i in new.items.all()] == ["Orientations"]
    assert new.papers.count() == 2
    assert session.items.count() == 1
    assert OutboxMessage.objects.filter(subject__startswith="Séance reportée").count() == 5


# -- attendance, quorum, proxies --------------------------------------------------------------------------------


def test_who_sits_answers_for_their_own_seat_only(world):
    session = w.planned(world)
    with refused("pas encore convoquée"):
        actions.set_presence(session, world.seats["prefect"], "present", by=world.prefect, on=DAY)
    actions.convene(session, by=world.correspondent, on=DAY)
    row = actions.set_presence(session, world.seats["prefect"], "present", by=world.prefect, on=DAY)
    assert row.user_id == world.prefect.user_id
    with pytest.raises(NotAllowed):
        actions.set_presence(session, world.seats["cluster"], "absent", by=world.prefect, on=DAY)
    actions.set_presence(
        session, world.seats["funder"], "represented", proxy_to=world.seats["prefect"], by=world.city_agent, on=DAY
    )
    with refused("1 au plus"):
        actions.set_presence(
            session, world.seats["cluster"], "represented", proxy_to=world.seats["prefect"], by=world.director, on=DAY
        )
    assert queries.sheet(session, VISITOR, DAY).quorum.counted == 2
    with pytest.raises(IntegrityError):
        Attendance.objects.filter(seat=world.seats["prefect"]).update(proxy_to=world.seats["cluster"])


def test_nothing_is_decided_without_quorum_then_a_second_session_needs_none(world):
    session = w.opened(world)
    item = session.items.get()
    w.here(world, session, [world.seats["cluster"]])
    with pytest.raises(Refused, match="quorum") as no:
        actions.decide(item, "Nous décidons", by=world.correspondent, on=ON)
    assert no.value.why.parameter == "committees.quorum_share"
    actions.close_session(session, by=world.correspondent, on=ON)
    assert Attendance.objects.filter(session=session, presence="absent").count() == 4
    later = dt.date(2010, 7, 20)
    second = actions.convene_again(session, later, by=world.correspondent, on=ON)
    assert second.second
    actions.convene(second, by=world.correspondent, on=ON)
    actions.open_session(second, by=world.correspondent, on=later)
    actions.set_presence(second, world.seats["cluster"], "present", by=world.director, on=later)
    made = actions.decide(second.items.get(), "Nous décidons", by=world.correspondent, on=later)
    assert made.outcome == "consensus"


def test_a_session_does_not_open_before_its_day(world):
    session = w.planned(world)
    with refused("n'est pas possible"):
        actions.open_session(session, by=world.correspondent, on=ON)
    actions.convene(session, by=world.correspondent, on=DAY)
    with refused("s'ouvre ce jour-là"):
        actions.open_session(session, by=world.correspondent, on=ON - dt.timedelta(days=1))
    with refused("présidée par"):
        actions.open_session(session, presided_by=world.seats["cluster"], by=world.correspondent, on=ON)
    actions.open_session(session, presided_by=world.seats["region-president"], by=world.correspondent, on=ON)


# -- votes ------------------------------------------------------------------------------------------------------


def voting(world, secret=False):
    session = w.opened(world, world.gti)
    seats = [world.secretary, *world.ministries]
    for seat, actor in zip(seats, (world.officer, *world.experts), strict=True):
        actions.set_presence(session, seat, "present", by=actor, on=ON)
    actions.preside(session, world.secretary, by=world.officer, on=ON)
    ballot = actions.open_ballot(session.items.get(), question="Retenir ?", secret=secret, by=world.officer, on=ON)
    return session, ballot, seats


def test_a_vote_its_tie_and_the_chair_s_casting_vote(world):
    session, ballot, seats = voting(world)
    for seat, actor, choice in zip(
        seats, (world.officer, *world.experts), ("for", "for", "against", "against"), strict=True
    ):
        actions.cast(ballot, seat, choice, by=actor, on=ON)
    closed = actions.close_ballot(ballot, by=world.officer, on=ON)
    assert (closed.outcome, closed.by_chair, closed.counts) == ("adopted", True, {"for": 2, "against": 2, "abstain": 0})
    made = actions.decide(session.items.get(), "Retenu", by=world.officer, on=ON)
    assert (made.outcome, made.ballot_id) == ("adopted", ballot.pk)
    with refused("clos"):
        actions.cast(ballot, seats[0], "for", by=world.officer, on=ON)
    assert not list(breaks())


def test_a_vote_is_given_once_and_only_for_one_s_seat(world):
    _, ballot, seats = voting(world)
    actions.cast(ballot, seats[1], "for", by=world.experts[0], on=ON)
    with pytest.raises(Conflict):
        actions.cast(ballot, seats[1], "against", by=world.experts[0], on=ON)
    with pytest.raises(NotAllowed):
        actions.cast(ballot, seats[2], "for", by=world.experts[0], on=ON)
    with pytest.raises(NotAllowed):
        actions.cast(ballot, seats[2], "for", by=world.director, on=ON)
    with refused("Vote inconnu"):
        actions.cast(ballot, seats[2], "maybe", by=world.experts[1], on=ON)
    assert Vote.objects.get().choice == "for"


def test_a_proxy_votes_for_who_is_away(world):
    session = w.opened(world, world.gti)
    actions.set_presence(session, world.secretary, "present", by=world.officer, on=ON)
    actions.set_presence(session, world.ministries[0], "remote", by=world.experts[0], on=ON)
    actions.set_presence(
        session, world.ministries[1], "represented", proxy_to=world.ministries[0], by=world.experts[1], on=ON
    )
    ballot = actions.open_ballot(session.items.get(), by=world.officer, on=ON)
    assert set(ballot.entitled) == {world.secretary.pk, world.ministries[0].pk, world.ministries[1].pk}
    vote = actions.cast(ballot, world.ministries[1], "for", by=world.experts[0], on=ON)
    assert vote.by_seat_id == world.ministries[0].pk
    with pytest.raises(NotAllowed):
        actions.cast(ballot, world.ministries[1], "for", by=world.experts[2], on=ON)
    with refused("ne vote pas sur ce point"):
        actions.cast(ballot, world.ministries[2], "for", by=world.experts[2], on=ON)


def test_who_is_recused_neither_reads_nor_votes(world):
    session = w.opened(world, world.gti)
    item = session.items.get()
    seats = [world.secretary, *world.ministries]
    for seat, actor in zip(seats, (world.officer, *world.experts), strict=True):
        actions.set_presence(session, seat, "present", by=actor, on=ON)
    actions.declare_interest(item, "Mon conjoint y travaille", by=world.experts[0], on=ON)
    actions.save_words(item, notes="Notes confidentielles", draft="", rev=0, by=world.officer, on=ON)
    ballot = actions.open_ballot(item, by=world.officer, on=ON)
    assert world.ministries[0].pk not in ballot.entitled
    assert ballot.recused == [world.ministries[0].pk]
    with pytest.raises(NotAllowed, match="déporté"):
        actions.cast(ballot, world.ministries[0], "for", by=world.experts[0], on=ON)
    mine = queries.sheet(session, world.experts[0], ON).items[0]
    assert mine.hidden
    assert (mine.ballots, mine.decisions, mine.papers) == ([], [], [])
    theirs = queries.sheet(session, world.experts[1], ON).items[0]
    assert not theirs.hidden
    assert theirs.recused == 1
    # declared while the vote runs, before voting: taken out of it
    actions.declare_interest(item, "Actionnaire", by=world.experts[1], on=ON)
    ballot.refresh_from_db()
    assert world.ministries[1].pk not in ballot.entitled
    actions.cast(ballot, world.ministries[2], "for", by=world.experts[2], on=ON)
    with refused("déjà voté"):
        actions.declare_interest(item, "Trop tard", by=world.experts[2], on=ON)


def test_a_secret_vote_keeps_totals_and_nothing_of_who_chose_what(world):
    session, ballot, seats = voting(world, secret=True)
    for seat, actor, choice in zip(
        seats, (world.officer, *world.experts), ("for", "against", "for", "for"), strict=True
    ):
        actions.cast(ballot, seat, choice, by=actor, on=ON)
    assert queries.sheet(session, world.officer, ON).items[0].ballots[0].counts == {}
    assert not Vote.objects.exclude(Q(choice="") & Q(user_label="") & Q(at__isnull=True)).exists()
    for entry in JournalEntry.objects.filter(act="ballot.cast"):
        assert entry.after == {"ballot": ballot.pk, "secret": True}
    actions.close_ballot(ballot, by=world.officer, on=ON)
    shown = queries.sheet(session, world.experts[0], ON).items[0].ballots[0]
    assert shown.counts == {"for": 3, "against": 1, "abstain": 0}
    assert shown.by_name == []


def test_a_kind_that_votes_needs_a_vote_and_one_that_does_not_records_consensus(world):
    session, ballot, _ = voting(world)
    item = session.items.get()
    with refused("encore ouvert"):
        actions.decide(item, "Retenu", by=world.officer, on=ON)
    with refused("Un scrutin est ouvert"):
        actions.close_session(session, by=world.officer, on=ON)
    with refused("Personne n'a voté"):
        actions.close_ballot(ballot, by=world.officer, on=ON)
    other = w.opened(world)
    w.here(world, other, [world.seats[s] for s in ("prefect", "cluster")])
    point = other.items.get()
    with refused("ne vote pas"):
        actions.open_ballot(point, by=world.correspondent, on=ON)
    with refused("Dites qui n'est pas d'accord"):
        actions.decide(point, "Rien", outcome="no_consensus", by=world.correspondent, on=ON)
    with refused("accord de tous, ou pas d'accord"):
        actions.decide(point, "Rien", outcome="adopted", by=world.correspondent, on=ON)
    made = actions.decide(
        point, "Le conseil attend", outcome="no_consensus", objections="La Ville", by=world.correspondent, on=ON
    )
    assert (made.number, made.outcome) == (1, "no_consensus")


# -- minutes, follow-ups ----------------------------------------------------------------------------------------


def held(world):
    """A session of the coordination committee, held, with one decision."""
    session = w.opened(world)
    w.here(world, session, [world.seats[s] for s in ("prefect", "region-president", "cluster")])
    made = actions.decide(session.items.get(), "Le pôle livre la plateforme", by=world.correspondent, on=ON)
    return session, made


def test_a_decision_becomes_a_follow_up_that_comes_back(world):
    session, made = held(world)
    row = actions.add_follow_up(
        session, kind="action", title="Livrer la plateforme", owner=world.seats["cluster"],
        due_on=dt.date(2010, 10, 29), decision=made, by=world.correspondent, on=ON,
    )  # fmt: skip
    assert OutboxMessage.objects.filter(to=f.user_of(world.director).email, subject__startswith="À faire").count() == 1
    actions.close_session(session, by=world.correspondent, on=ON)
    later = dt.date(2010, 11, 2)
    before = w.planned(world, day=dt.date(2010, 10, 5), on=dt.date(2010, 9, 20))
    actions.build_agenda(before, by=world.correspondent, on=dt.date(2010, 9, 20))
    assert not before.items.filter(source="follow_ups").exists()
    after = w.planned(world, day=dt.date(2010, 11, 16), on=later)
    actions.build_agenda(after, by=world.correspondent, on=later)
    item = after.items.get(source="follow_ups")
    assert item.light == "late"
    assert {k["fr"]: v for k, v in item.why["figures"]}["jours de retard"] == 4
    with refused("Dites ce qui a été fait"):
        actions.finish_follow_up(row, by=world.director, on=later)
    with refused("aucun acte"):
        actions.finish_follow_up(row, act_case="contract:nulle-part", by=world.director, on=later)
    with pytest.raises(NotAllowed):
        actions.finish_follow_up(row, note="Fait", by=world.city_agent, on=later)
    case = queries.case_of(world.committee)
    done = actions.finish_follow_up(row, note="Livrée", act_case=case, by=world.director, on=later)
    assert (done.state, done.done_on, done.act_case) == ("done", later, case)
    actions.build_agenda(after, by=world.correspondent, on=later)
    assert after.items.get(source="follow_ups").dropped_on == later


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"kind": "dream"}, "nature de suite inconnue"),
        ({"owner": None}, "qui s'en charge"),
        ({"due_on": None}, "échéance"),
        ({"due_on": dt.date(2010, 7, 7)}, "précède la séance"),
        ({"title": " "}, "intitulé"),
    ],
)
def test_a_follow_up_has_kind_owner_and_day(world, values, match):
    session, made = held(world)
    given = {
        "kind": "paper", "title": "Note", "owner": world.seats["cluster"], "due_on": dt.date(2010, 9, 1), "decision": made,
    } | values  # fmt: skip
    with refused(match):
        actions.add_follow_up(session, **given, by=world.correspondent, on=ON)
    assert not FollowUp.objects.exists()


def test_adopted_minutes_are_frozen(world):
    session, made = held(world)
    actions.save_minutes(session, "Ouverture à 14 h 30", rev=0, by=world.correspondent, on=ON)
    with pytest.raises(Conflict):
        actions.save_minutes(session, "Autre texte", rev=0, by=world.officer, on=ON)
    with refused("n'est pas possible"):
        actions.adopt(session, by=world.correspondent, on=ON)
    actions.close_session(session, by=world.correspondent, on=ON)
    with refused("n'est pas possible"):
        actions.adopt(session, by=world.correspondent, on=ON)
    actions.circulate(session, by=world.correspondent, on=dt.date(2010, 7, 20))
    with pytest.raises(Conflict):
        actions.adopt(session, by=world.correspondent, on=dt.date(2010, 7, 30), seen="0" * 64)
    done = actions.adopt(session, by=world.correspondent, on=dt.date(2010, 7, 30))
    assert done.frozen.sha256 == JournalEntry.objects.get(act="session.adopt").after["sha256"]
    assert "Le pôle livre la plateforme" in done.frozen.canonical
    item = session.items.get()
    for act in (
        lambda: actions.save_minutes(session, "Réécrit", rev=1, by=world.correspondent, on=ON),
        lambda: actions.save_words(item, notes="Réécrit", draft="", rev=0, by=world.correspondent, on=ON),
        lambda: actions.decide(item, "Autre", by=world.correspondent, on=ON),
        lambda: actions.set_presence(session, world.seats["funder"], "present", by=world.correspondent, on=ON),
        lambda: actions.add_follow_up(
            session, kind="paper", title="x", owner=world.seats["cluster"], due_on=dt.date(2011, 1, 3),
            by=world.correspondent, on=ON,
        ),
        lambda: actions.build_agenda(session, by=world.correspondent, on=ON),
    ):  # fmt: skip
        with refused("séance"):
            act()
    assert SessionDecision.objects.get() == made
    assert not list(breaks())


# -- rhythm -----------------------------------------------------------------------------------------------------


def test_the_night_proposes_the_next_session_once(world):
    made = actions.propose_sessions(DAY)
    on = {s.committee_id: s for s in made}
    coordination = on[world.committee.pk]
    # first day 6 July 2009, six months: 6 January 2010 is past; the convocation still leaves in time
    assert coordination.on == dt.date(2010, 7, 6)
    assert coordination.proposed
    assert coordination.items.filter(source="actions_late").exists()
    assert world.gti.pk in on
    assert actions.propose_sessions(DAY) == []
    assert JournalEntry.objects.filter(act="session.propose").count() == len(made)


# -- at the same moment -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_votes_for_one_seat_at_the_same_moment():
    """One vote stands; the other reads that the seat has voted."""
    with clock.hold(DAY):
        world = w.build()
        _, ballot, seats = voting(world)
    barrier, results = threading.Barrier(2), []

    def run(choice):
        try:
            barrier.wait(20)
            for attempt in range(6):
                try:
                    results.append(
                        actions.cast(Ballot.objects.get(pk=ballot.pk), seats[1], choice, by=world.experts[0], on=ON)
                    )
                    break
                except OperationalError:  # SQLite's one writer is busy
                    if connection.vendor != "sqlite" or attempt == 5:
                        raise
        except Exception as error:  # noqa: BLE001 - the result of the thread
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(c,)) for c in ("for", "against")]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert sum(isinstance(r, Vote) for r in results) == 1, results
    assert sum(isinstance(r, Conflict) for r in results) == 1, results
    assert Vote.objects.count() == 1
    assert JournalEntry.objects.filter(act="ballot.cast").count() == 1
    assert not list(breaks())


def test_states_are_reached_by_moves_only():
    assert {m.target for m in states.MOVES} | {"planned"} == set(states.TITLES)
    assert Item._meta.get_field("kind").max_length >= max(map(len, states.ITEM_KINDS))
