"""The acts of labelling, refusals included; on both databases."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace

import pytest

from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry, OutboxMessage, as_known_on
from jalon.interests import actions as interests
from jalon.interests.access import recused_users
from jalon.labelling import access, actions, nightly, queries
from jalon.labelling.models import LabelRequest, Member, Vote
from jalon.projects.models import ProjectLabel
from tests import factories as make
from tests.labelling import world as small
from tests.labelling.world import DAY

pytestmark = pytest.mark.django_db
LATER = dt.date(2010, 7, 8)


def register(project):
    return list(as_known_on(ProjectLabel.objects.filter(project=project)).order_by("id"))


def test_from_the_request_to_the_label(world):
    small.voted(world)
    world.request.refresh_from_db()
    assert world.request.state == "voted"
    small.declare(world, world.director)
    done = actions.decide(
        world.request, "labelled", by=world.director, on=LATER, reference="LAB-2010-07", reasons="Vote favorable"
    )
    assert (done.state, done.decided_on, done.due_on) == ("labelled", LATER, None)
    assert done.counted == {"for": 3, "against": 1, "abstain": 0, "entitled": 4, "needed": 2, "result": "passed"}
    [row] = register(world.project)
    assert (row.outcome, row.lead, row.decided_on, row.reference) == ("labelled", True, LATER, "LAB-2010-07")
    acts = list(JournalEntry.objects.filter(case=done.case).order_by("seq").values_list("act", flat=True))
    assert acts == [f"labelling.{a}" for a in (
        "ask receive admit invite opinion invite opinion open_vote vote vote vote vote close_vote decide").split()]  # fmt: skip
    with pytest.raises(Conflict):
        actions.decide(world.request, "refused", by=world.director, on=LATER, reasons="Non")


def test_a_lead_first_then_co_labels_each_once(world):
    with pytest.raises(Refused, match="chef de file"):
        small.asked(world, lead=False)
    with pytest.raises(NotAllowed):
        actions.ask(world.project, world.cluster, lead=True, by=world.partner, on=DAY)
    small.asked(world)
    with pytest.raises(Refused, match="déjà saisi"):
        small.asked(world)
    with pytest.raises(Refused, match="chef de file est déjà"):
        actions.ask(world.project, world.other, lead=True, by=world.leader, on=DAY)
    second = actions.ask(world.project, world.other, lead=False, by=world.leader, on=DAY)
    assert not second.lead
    # The lead withdrawn, a co-labelling pôle may take its place.
    with pytest.raises(Refused):
        actions.change_lead(world.project, world.other, by=world.leader, on=DAY)
    actions.withdraw(LabelRequest.objects.get(cluster=world.cluster), reason="Autre pôle", by=world.leader, on=DAY)
    assert actions.change_lead(world.project, world.other, by=world.leader, on=DAY).lead
    world.project.state = "selected"
    world.project.save()
    with pytest.raises(Refused, match="n'est plus"):
        actions.ask(world.project, world.cluster, lead=False, by=world.leader, on=DAY)


def test_nothing_opens_before_a_declaration(world):
    small.received(world)
    with pytest.raises(NotAllowed, match="déclaration"):
        actions.admit(world.request, by=world.team, on=DAY)
    small.declare(world, world.team)
    actions.admit(world.request, by=world.team, on=DAY)
    one = actions.invite(world.request, make.user_of(world.expert), by=world.team, on=DAY)
    with pytest.raises(NotAllowed, match="déclaration"):
        actions.save_opinion(one, scores={}, text="", recommendation="", rev=0, by=world.expert, on=DAY)
    with pytest.raises(NotAllowed):
        actions.save_opinion(one, scores={}, text="", recommendation="", rev=0, by=world.second, on=DAY)
    actions.decline(one, reason="Absent", by=world.expert, on=DAY)  # nothing to declare for that
    with pytest.raises(Refused):
        actions.decline(one, reason="Absent", by=world.expert, on=DAY)


def test_admissibility_sends_back_and_dismisses(world):
    small.received(world)
    small.declare(world, world.team)
    with pytest.raises(Refused):
        actions.ask_more(world.request, missing=" ", by=world.team, on=DAY)
    sent = actions.ask_more(world.request, missing="Le budget du laboratoire", by=world.team, on=DAY)
    assert (sent.state, sent.due_on) == ("incomplete", None)
    back = actions.complete(world.request, message="Ajouté", by=world.leader, on=DAY + dt.timedelta(days=3))
    assert (back.state, back.due_on) == ("received", DAY + dt.timedelta(days=13))
    gone = actions.dismiss(world.request, reason="Hors du champ du pôle", by=world.team, on=LATER)
    assert gone.state == "inadmissible"
    assert "Hors du champ" in OutboxMessage.objects.filter(to=make.user_of(world.leader).email).latest("id").body
    actions.ask(world.project, world.cluster, lead=True, by=world.leader, on=LATER)  # another request may follow


def test_experts_of_the_consortium_and_strangers_are_refused(world):
    small.admitted(world)
    linked = make.make_actor("expert", organisation=small._organisation(world.partner))
    for user in (make.user_of(linked), make.user_of(world.reader)):
        with pytest.raises(Refused):
            actions.invite(world.request, user, by=world.team, on=DAY)
    with pytest.raises(Refused):
        actions.invite(world.request, make.user_of(world.expert), days=90, by=world.team, on=DAY)
    one = actions.invite(world.request, make.user_of(world.expert), days=20, by=world.team, on=DAY)
    assert one.due_on == dt.date(2010, 7, 20)
    with pytest.raises(Refused):
        actions.invite(world.request, make.user_of(world.expert), by=world.team, on=DAY)
    with pytest.raises(NotAllowed):  # another pôle's director
        actions.invite(world.request, make.user_of(world.second), by=world.other_director, on=DAY)


def test_an_opinion_is_saved_in_pieces_and_given_whole(world):
    small.admitted(world)
    one = small.opinion(world, world.expert, give=False)
    small.declare(world, world.expert)
    by = {"by": world.expert, "on": DAY}
    one = actions.save_opinion(one, scores={"market": "4"}, text="Début", recommendation="", rev=0, **by)
    with pytest.raises(Conflict) as lost:
        actions.save_opinion(one, scores={}, text="Autre fenêtre", recommendation="", rev=0, **by)
    assert (lost.value.theirs, lost.value.yours) == ("Début", "Autre fenêtre")
    with pytest.raises(Refused, match="note entière"):
        actions.save_opinion(one, scores={"market": "9"}, text="", recommendation="", rev=1, **by)
    with pytest.raises(Refused) as lacking:
        actions.give_opinion(one, **by)
    assert len(lacking.value.missing) == 5
    one = actions.save_opinion(one, scores=small.SCORES, text="Solide", recommendation="reserved", rev=1, **by)
    assert actions.give_opinion(one, **by).state == "given"
    with pytest.raises(Refused):
        actions.save_opinion(one, scores={}, text="Après coup", recommendation="", rev=2, **by)


def test_a_vote_once_by_members_only_until_midnight(world):
    ballot = small.voting(world)
    one, two = world.voters[:2]
    small.declare(world, one)
    actions.cast(ballot, "for", by=one, on=ballot.closes_on)  # the last day still counts
    with pytest.raises(Refused, match="déjà voté"):
        actions.cast(ballot, "against", by=one, on=DAY)
    with pytest.raises(NotAllowed, match="déclaration"):
        actions.cast(ballot, "for", by=two, on=DAY)
    small.declare(world, two)
    with pytest.raises(Refused, match="clos depuis"):
        actions.cast(ballot, "for", by=two, on=LATER)
    with pytest.raises(NotAllowed):
        actions.cast(ballot, "for", by=world.director, on=DAY)  # has no seat in the committee
    with pytest.raises(Refused, match="reste ouvert"):
        actions.close_vote(world.request, by=world.team, on=DAY)
    with pytest.raises(NotAllowed, match="électronique"):
        actions.cast(ballot, "for", by=world.team, on=DAY, voter=make.user_of(two))


def test_a_meeting_notes_the_votes_of_those_present(world):
    meeting = DAY + dt.timedelta(days=5)
    ballot = small.voting(world, way="meeting", closes_on=meeting)
    member = world.voters[0]
    with pytest.raises(NotAllowed, match="n'a pas déclaré"):
        actions.cast(ballot, "for", by=world.team, on=meeting, voter=make.user_of(member))
    small.declare(world, member)
    with pytest.raises(Refused, match="en réunion"):
        actions.cast(ballot, "for", by=world.team, on=DAY, voter=make.user_of(member))
    vote = actions.cast(ballot, "for", by=world.team, on=meeting, voter=make.user_of(member))
    assert vote.user_id == member.user_id
    assert vote.written_by == world.team.user_label


def test_a_vote_of_somebody_recused_later_no_longer_counts(world):
    ballot = small.voting(world)
    small.declare(world, *world.voters)
    for voter, choice in zip(world.voters, ("for", "for", "against", "against"), strict=True):
        actions.cast(ballot, choice, by=voter, on=DAY)
    actions.close_vote(world.request, by=world.team, on=DAY)  # all have voted
    ballot = queries.last_ballot(world.request)
    procedure = queries.procedure_of(world.request)
    assert queries.counted(ballot, procedure).result == "passed"  # two against two: the chair was for
    small.declare(world, world.voters[0], stance="interest")
    again = queries.counted(ballot, procedure)
    assert (again.result, again.set_aside, again.entitled) == ("rejected", 1, 3)
    with pytest.raises(NotAllowed, match="déporté"):
        actions.cast(ballot, "for", by=world.voters[0], on=DAY)
    small.declare(world, world.director)
    with pytest.raises(Refused) as lacking:
        actions.decide(world.request, "labelled", by=world.director, on=LATER)
    assert "s'écarte du vote" in str(lacking.value)


def test_without_quorum_the_vote_opens_again(world):
    small.voted(world, choices=("for",))
    small.declare(world, world.director)
    with pytest.raises(Refused, match="quorum"):
        actions.decide(world.request, "labelled", by=world.director, on=LATER)
    actions.open_vote(world.request, way="electronic", by=world.team, on=LATER)
    ballot = queries.last_ballot(world.request)
    small.declare(world, *world.voters[1:])
    for voter in world.voters:
        actions.cast(ballot, "for", by=voter, on=LATER)
    actions.close_vote(world.request, by=world.team, on=LATER)
    with pytest.raises(Refused, match="acquis"):
        actions.open_vote(world.request, way="electronic", by=world.team, on=LATER)
    assert actions.decide(world.request, "labelled", by=world.director, on=LATER).counted["for"] == 4


def test_a_vote_waits_for_the_opinions_or_says_why_not(world):
    small.admitted(world)
    with pytest.raises(Refused, match="0 avis rendus"):
        actions.open_vote(world.request, way="electronic", by=world.team, on=DAY)
    with pytest.raises(Refused, match="avant d'être ouvert"):
        actions.open_vote(
            world.request, way="electronic", by=world.team, on=DAY, closes_on=dt.date(2010, 6, 1), reason="Urgence"
        )
    assert actions.open_vote(world.request, way="electronic", by=world.team, on=DAY, reason="Urgence").closes_on == (
        dt.date(2010, 7, 7)
    )


def test_conditions_are_lifted_one_by_one(world):
    small.voted(world)
    small.declare(world, world.director)
    with pytest.raises(Refused, match="condition"):
        actions.decide(world.request, "conditions", by=world.director, on=LATER)
    done = actions.decide(
        world.request,
        "conditions",
        by=world.director,
        on=LATER,
        conditions=[("Un industriel utilisateur", dt.date(2010, 9, 1)), ("Un accord de consortium", None)],
    )
    first, second = done.conditions.all()
    with pytest.raises(Refused):
        actions.lift_condition(first, evidence=" ", by=world.director, on=LATER)
    actions.lift_condition(first, evidence="Lettre d'engagement", by=world.director, on=LATER)
    assert [r.outcome for r in register(world.project)] == ["conditions"]
    assert register(world.project)[0].conditions == "Un accord de consortium"
    with pytest.raises(Refused, match="déjà levée"):
        actions.lift_condition(first, evidence="Encore", by=world.director, on=LATER)
    after = actions.lift_condition(second, evidence="Accord signé", by=world.director, on=dt.date(2010, 8, 1))
    [row] = register(world.project)
    assert (after.state, row.outcome, row.conditions, row.decided_on) == ("labelled", "labelled", "", LATER)
    assert ProjectLabel.objects.filter(project=world.project).count() == 3


def test_a_label_under_conditions_may_count_only_once_they_are_lifted(world, monkeypatch):
    """Where the policy says so, the register's day is that of the lifting, and the call asks for that day."""
    real = queries.policy

    class Stricter:
        """The policy, but for one parameter."""

        def __init__(self, day):
            self.laws = real().on(day)

        def find(self, path):
            found = self.laws.find(path)
            return dataclasses.replace(found, value=False) if path.endswith("conditional_label_counts") else found

    strict = SimpleNamespace(on=Stricter, part=real().part, roles_with=real().roles_with)
    small.voted(world)
    small.declare(world, world.director)
    done = actions.decide(
        world.request, "conditions", by=world.director, on=LATER, conditions=[("Un accord de consortium", None)]
    )
    assert queries.request_counts(done, LATER)[0]  # as published: it counts
    monkeypatch.setattr(queries, "policy", lambda: strict)
    counts, why = queries.request_counts(done, LATER)
    assert not counts
    assert why.parameter == "labelling.conditional_label_counts"
    closing = world.call.closes_on
    late = closing + dt.timedelta(days=1)
    after = actions.lift_condition(done.conditions.get(), evidence="Accord signé", by=world.director, on=late)
    assert register(world.project)[0].decided_on == late
    assert not queries.request_counts(after, late)[0]  # lifted after the closing


def test_deferred_then_presented_again(world):
    small.voted(world)
    small.declare(world, world.director)
    with pytest.raises(Refused, match="motifs"):
        actions.decide(world.request, "deferred", by=world.director, on=LATER)
    actions.decide(world.request, "deferred", by=world.director, on=LATER, reasons="Marché à étayer")
    assert register(world.project)[0].outcome == "deferred"
    again = actions.resume(world.request, message="Étude jointe", by=world.leader, on=LATER)
    assert again.state == "received"
    assert set(again.opinions.values_list("state", flat=True)) == {"past"}
    actions.admit(world.request, by=world.team, on=LATER)
    with pytest.raises(Refused, match="0 avis"):
        actions.open_vote(world.request, way="electronic", by=world.team, on=LATER)
    assert actions.invite(world.request, make.user_of(world.expert), by=world.team, on=LATER).number == 3


def test_a_label_after_the_closing_does_not_count_for_the_call(world):
    world.call.closes_on = dt.date(2010, 7, 7)
    world.call.save()
    small.voted(world)
    small.declare(world, world.director)
    with pytest.raises(Refused, match="n'y compte pas") as late:
        actions.decide(world.request, "labelled", by=world.director, on=LATER)
    assert late.value.why.parameter == "labelling.label_before_closing"
    assert register(world.project) == []
    actions.decide(world.request, "labelled", by=world.director, on=LATER, despite_closing=True)
    assert queries.counts_for_call(world.project, LATER)[0] is False
    assert JournalEntry.objects.get(act="labelling.decide").after["counts_for_call"] is False


def test_the_leader_names_members_who_stay_away(world):
    chair = Member.objects.get(user_id=world.voters[0].user_id)
    bureau = Member.objects.get(body="bureau")
    with pytest.raises(Refused, match="pourquoi"):
        small.asked(world, keep_out=[chair])
    small.asked(world, keep_out=[chair, bureau], keep_out_why="Concurrents directs", keep_away="M. X, cabinet Y")
    assert recused_users(world.project.case) == {world.voters[0].user_id, world.director.user_id}
    assert world.request.keep_away == "M. X, cabinet Y"
    with pytest.raises(NotAllowed):
        actions.receive(world.request, correspondent=make.user_of(world.team), by=world.director, on=DAY)
    with pytest.raises(Refused, match="correspondant"):
        actions.receive(world.request, correspondent=make.user_of(world.director), by=world.team, on=DAY)
    told = set(OutboxMessage.objects.filter(case=world.request.case).values_list("to", flat=True))
    assert told == {make.user_of(world.director).email, make.user_of(world.team).email} - {
        make.user_of(world.director).email
    }


def test_withdrawn_cancels_what_was_asked(world):
    small.voting(world)
    gone = actions.withdraw(world.request, reason="Projet abandonné", by=world.leader, on=DAY)
    assert gone.state == "withdrawn"
    with pytest.raises(Refused):
        actions.cast(world.ballot, "for", by=_declared(world, world.voters[0]), on=DAY)
    with pytest.raises(Refused):
        actions.withdraw(world.request, reason="Encore", by=world.leader, on=DAY)


def _declared(world, actor):
    small.declare(world, actor)
    return actor


def test_seats_and_delays_are_the_directors(world):
    newcomer = make.user_of(make.make_actor("expert"))
    with pytest.raises(NotAllowed):
        actions.seat(world.cluster, newcomer, "committee", by=world.team, on=DAY)
    with pytest.raises(Refused, match="aucun rôle"):
        actions.seat(world.cluster, make.user_of(world.reader), "committee", by=world.director, on=DAY)
    row = actions.seat(world.cluster, newcomer, "committee", chair=True, by=world.director, on=DAY)
    assert [m.user_id for m in queries.members(world.cluster, DAY, "committee") if m.chair] == [newcomer.pk]
    actions.unseat(row, by=world.director, on=DAY)
    assert newcomer.pk not in {m.user_id for m in queries.members(world.cluster, LATER, "committee")}
    with pytest.raises(Refused, match="entre 5 et 45"):
        actions.set_delays(world.cluster, {"opinions": 60}, by=world.director, on=DAY)
    actions.set_delays(world.cluster, {"opinions": 30}, by=world.director, on=DAY)
    assert queries.delays_on(world.cluster, DAY)["opinions"] == 30
    assert queries.delays_on(world.cluster, DAY - dt.timedelta(days=1))["opinions"] == 15
    small.admitted(world)
    assert world.request.delays["opinions"] == 30


def test_each_pole_has_its_own_procedure_for_its_years():
    dream = queries.procedure_on("dream", dt.date(2014, 1, 1))
    assert (dream.code, str(dream.committee)[:4], dream.vote.tie) == ("dream-2013", "Comi", "chair")
    assert queries.procedure_on("dream", dt.date(2012, 12, 31)).code == "default"
    assert queries.procedure_on("moveo", DAY).criteria[0].criteria[-1].code == "feasibility"


def test_the_night_closes_votes_and_reminds_experts_once(world):
    small.voting(world)
    late = actions.invite
    with pytest.raises(Refused):
        late(world.request, make.user_of(world.voters[0]), by=world.team, on=DAY)  # the step is over
    make.live_on(LATER)
    assert str(nightly.nightly(on=LATER)[0]).startswith("1 votes")
    world.request.refresh_from_db()
    assert world.request.state == "voted"
    assert str(nightly.nightly(on=LATER)[0]).startswith("0 votes")


def test_reminders_go_out_once_each(world):
    small.admitted(world)
    small.opinion(world, world.expert, give=False)

    def sent(on):
        before = OutboxMessage.objects.count()
        nightly.nightly(on=on)
        return OutboxMessage.objects.count() - before

    assert [sent(dt.date(2010, 7, d)) for d in (1, 8, 9, 13, 15, 16, 17)] == [0, 1, 0, 1, 0, 1, 0]
    assert "en retard" in OutboxMessage.objects.latest("id").subject
    small.declare(world, world.expert, stance="interest")
    one = world.request.opinions.get()
    one.reminded = []
    one.save()
    assert sent(dt.date(2010, 7, 18)) == 0  # the recused hears nothing


def test_votes_of_earlier_ballots_do_not_bar_a_new_one(world):
    small.voted(world, choices=("for",))
    actions.open_vote(world.request, way="electronic", by=world.team, on=LATER)
    actions.cast(queries.last_ballot(world.request), "for", by=world.voters[0], on=LATER)
    assert Vote.objects.filter(user_id=world.voters[0].user_id).count() == 2


def test_standing(world):
    small.voting(world)
    small.declare(world, world.voters[1])

    def what(actor):
        return access.standing(actor, world.request, DAY)

    assert (what(world.team).unit, what(world.team).opened, what(world.team).reader) == (True, True, "unit")
    assert (what(world.director).decider, what(world.director).opened) == (True, False)
    assert (what(world.expert).reader, what(world.voters[1]).reader) == ("expert", "committee")
    assert (what(world.leader).leader, what(world.leader).reader, what(world.leader).assesses) == (
        True, "applicant", False,
    )  # fmt: skip
    assert (what(world.partner).partner, what(world.partner).leader) == (True, False)
    assert what(world.officer).follower
    assert not what(world.reader).any
    assert not what(world.other_director).any
    interests.declare(world.project.case, "interest", by=world.team, on=DAY, reason="Conjoint")
    assert not what(world.team).any
    seen = {a.user_id for a in (world.director, world.team, world.expert, world.leader, world.officer, world.reader)
            if access.visible_to(a, DAY).exists()}  # fmt: skip
    assert seen == {a.user_id for a in (world.director, world.expert, world.leader, world.officer)}
