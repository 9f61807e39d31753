"""The acts of the selection: assess, agree, fund, decide, promote, release; and what each refuses."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.db.models import Sum

from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.interests import actions as interests
from jalon.projects import following
from jalon.projects.models import Project
from jalon.selection import access, actions, desk, letters, queries, rules
from jalon.selection.models import Consensus, Listed, SelectionLetter, Share
from tests import factories as f
from tests.selection import world as w

pytestmark = pytest.mark.django_db
DAY = w.DAY


def test_a_selection_opens_after_the_call_closed_with_the_criteria_of_its_texts():
    world = w.make_world(projects=0)
    codes = list(world.exercise.criteria.values_list("code", flat=True))
    assert codes == ["technology", "market", "value", "strategy"]
    assert not world.exercise.criteria.filter(weight__isnull=False).exists()  # no text gives weights
    assert (world.exercise.lowest, world.exercise.highest) == (0, 5)
    with pytest.raises(Refused):
        actions.open_selection(world.call, by=world.manager, on=DAY)
    still_open = w.make_call(closes_on=dt.date(2010, 7, 1))
    with pytest.raises(Refused) as refused:
        actions.open_selection(still_open, by=world.manager, on=DAY)
    assert "1er\u00a0juillet" in str(refused.value)
    with pytest.raises(NotAllowed):
        actions.open_selection(w.make_call(), by=world.region_agent, on=DAY)


def test_a_call_without_texts_has_no_criteria_and_takes_its_own_with_a_reason():
    world = w.make_world(projects=0, opened=False)
    call = w.make_call(scheme="zz", number=None)
    exercise = actions.open_selection(call, by=world.manager, on=DAY)
    assert exercise.criteria.count() == 0
    row = actions.add_criterion(
        exercise, title_fr="Intérêt", title_en="Interest", reason="Règlement de l'appel", by=world.manager, on=DAY
    )
    assert (row.code, row.reason) == ("interest", "Règlement de l'appel")
    with pytest.raises(Refused):
        actions.add_criterion(exercise, title_fr="X", title_en="", reason=" ", by=world.manager, on=DAY)


def test_experts_declare_before_the_file_opens_and_nobody_reads_others_before_the_consensus():
    world = w.make_world(projects=1)
    (project,), (one, two) = world.projects, world.experts
    row = actions.assign(world.exercise, project, f.user_of(one), by=world.manager, on=DAY)
    saved = {"scores": {}, "justifications": {}, "opinion": "", "summary": "", "rev": 0, "on": DAY}
    with pytest.raises(NotAllowed) as refused:
        actions.save_assessment(row, by=one, **saved)
    assert "déclaration" in str(refused.value)
    interests.declare(project.case, "none", by=one, on=DAY)
    actions.save_assessment(row, by=one, **saved)
    with pytest.raises(NotAllowed):
        actions.save_assessment(row, by=two, **saved)
    with pytest.raises(NotAllowed):
        actions.save_assessment(row, by=world.manager, **saved)
    with pytest.raises(Conflict):  # the same expert, from a window opened before
        actions.save_assessment(row, by=one, **saved)
    row.refresh_from_db()
    assert access.reads_notes(one, row, None)
    assert not access.reads_notes(two, row, None) and not access.reads_notes(world.manager, row, None)
    with pytest.raises(Refused) as refused:
        actions.submit_assessment(row, by=one, on=DAY)
    assert len(refused.value.missing) == 9  # score and justification of four criteria, and the opinion
    with pytest.raises(Refused):
        actions.save_assessment(row, by=one, **(saved | {"scores": {"market": Decimal("7")}, "rev": row.rev}))
    w.assess(world, project, two)
    told = JournalEntry.objects.filter(act="selection.assessed").values_list("after", flat=True)
    assert [set(after) for after in told] == [{"expert"}]  # the journal tells no score


def test_a_recused_expert_and_one_of_the_consortium_are_not_assigned():
    world = w.make_world(projects=1)
    (project,), (one, _) = world.projects, world.experts
    interests.declare(project.case, "interest", by=one, on=DAY, reason="Ancien salarié")
    with pytest.raises(Refused):
        actions.assign(world.exercise, project, f.user_of(one), by=world.manager, on=DAY)
    inside = f.make_actor("ministry_expert", organisation=w.partner_of(project).organisation)
    with pytest.raises(Refused):
        actions.assign(world.exercise, project, f.user_of(inside), by=world.manager, on=DAY)
    with pytest.raises(Refused):  # no mandate of an expert
        actions.assign(world.exercise, project, f.user_of(world.region_agent), by=world.manager, on=DAY)
    assert not access.projects_for(one, world.call, DAY).exists()
    assert not access.ranked_for(one, world.call).exists()


def test_a_consensus_needs_opinions_and_its_scores_place_the_project():
    world = w.make_world(projects=1)
    (project,) = world.projects
    with pytest.raises(Refused):
        actions.open_consensus(world.exercise, project, by=world.manager, on=DAY)
    w.assess(world, project, world.experts[0], "4")
    with pytest.raises(Refused) as refused:
        actions.open_consensus(world.exercise, project, by=world.manager, on=DAY)
    assert refused.value.why.parameter == "selection.experts_least"
    row = w.agree(world, w.make_project(world.call), "3.5")
    assert (row.total, row.passes) == (Decimal("3.5"), True)
    with pytest.raises(Refused):
        actions.reopen_consensus(row, reason="", by=world.manager, on=DAY)
    row = actions.reopen_consensus(row, reason="Nouvel élément", by=world.manager, on=DAY)
    with pytest.raises(Refused) as refused:
        actions.close_consensus(
            row, scores={}, reasons={}, opinion="", summary="", rev=row.rev, by=world.manager, on=DAY
        )
    assert len(refused.value.missing) == 9
    assert queries.ranks(world.exercise) == {}


def test_rules_of_the_exercise_need_a_reason_and_move_every_total():
    world = w.make_world(projects=2)
    for project, score in zip(world.projects, ("4", "2"), strict=True):
        w.agree(world, project, score)
    arguments = {
        "weights": {"market": Decimal(2)}, "minimums": {"market": Decimal("2.5")}, "minimum_total": None,
        "tie_rule": "shared", "by": world.manager, "on": DAY,
    }  # fmt: skip
    with pytest.raises(Refused):
        actions.set_rules(world.exercise, reason=" ", rev=0, **arguments)
    with pytest.raises(Conflict):
        actions.set_rules(world.exercise, reason="Exercice 2010", rev=7, **arguments)
    actions.set_rules(world.exercise, reason="Exercice 2010", rev=0, **arguments)
    assert list(Consensus.objects.order_by("pk").values_list("passes", flat=True)) == [True, False]
    entry = JournalEntry.objects.get(act="selection.rules")
    assert (entry.why, entry.after["weights"]) == ("Exercice 2010", {"market": "2"})
    for wrong in ({"weights": {"zz": Decimal(1)}}, {"tie_rule": "coin"}, {"minimum_total": Decimal(9)}):
        with pytest.raises(Refused):
            actions.set_rules(w.fresh(world.exercise), reason="x", rev=1, **(arguments | wrong))


def test_intentions_are_cells_with_two_times_and_say_how_they_were_computed():
    world = w.make_world(projects=1)
    (project,) = world.projects
    partner = w.partner_of(project)
    row = actions.intend(partner, world.region, by=world.region_agent, on=DAY, rate=Decimal("12.5"))
    assert (row.intended, row.source, row.base) == (Decimal("50000.00"), "region", Decimal("400000.00"))
    assert "12,5\u00a0%" in row.why["fr"] and "12.5% of" in row.why["en"]
    second = actions.intend(partner, world.region, by=world.region_agent, on=DAY, amount=Decimal("40000"), seen=row.pk)
    assert [s.intended for s in w.current(project)] == [Decimal("40000.00")]
    assert Share.objects.filter(partner=partner).count() == 2
    with pytest.raises(Conflict):
        actions.intend(partner, world.region, by=world.region_agent, on=DAY, amount=Decimal("1"), seen=row.pk)
    assert second.pk == w.current(project).get().pk
    for wrong in (
        {"amount": Decimal("-1")}, {"amount": Decimal("1.005")}, {"amount": Decimal("400000.01")}, {},
        {"rate": Decimal(101)}, {"amount": Decimal(1), "instrument": "barter"}, {"rate": Decimal(1), "base": Decimal(500000)},
    ):  # fmt: skip
        with pytest.raises(Refused):
            actions.intend(partner, world.region, by=world.region_agent, on=DAY, **wrong)
    with pytest.raises(NotAllowed):
        actions.intend(partner, world.region, by=world.other_agent, on=DAY, amount=Decimal(1))
    with pytest.raises(NotAllowed):  # on behalf of a funder, without its letter
        actions.intend(partner, world.region, by=world.manager, on=DAY, amount=Decimal(1))
    actions.intend(partner, world.region, by=world.manager, on=DAY, amount=Decimal(1), reference="Courrier du 12 juin")


def test_a_total_is_shared_out_to_the_cent():
    world = w.make_world(projects=1)
    (project,) = world.projects
    rows = actions.intend_total(project, world.region, Decimal("100000.01"), by=world.region_agent, on=DAY)
    assert sum(r.intended for r in rows) == Decimal("100000.01")
    assert sorted(r.intended for r in rows) == [Decimal("33333.33"), Decimal("33333.34"), Decimal("33333.34")]


def test_the_list_is_decided_whole_or_not_at_all():
    world = w.make_world(projects=3)
    one, two, three = world.projects
    for project, score in ((one, "5"), (two, "4"), (three, "3")):
        w.agree(world, project, score)
        w.intend_state(world, project, "150000.00")
    actions.intend(w.partner_of(one), world.region, by=world.region_agent, on=DAY, amount=Decimal("20000"))
    member = f.make_actor("project_member", organisation=w.partner_of(one).organisation)
    short = actions.save_scenario(
        world.exercise, "Courte", w.entries_for(world, {one: "selected"}), by=world.manager, on=DAY
    )
    with pytest.raises(Refused) as refused:
        actions.decide_list(short, by=world.decider, on=DAY)
    assert len(refused.value.missing) == 2
    with pytest.raises(NotAllowed):
        actions.decide_list(short, by=world.manager, on=DAY)
    assert (
        set(Project.objects.values_list("state", flat=True)) == {"admissible"} and not SelectionLetter.objects.exists()
    )

    w.decided(world, {one: "selected", two: "reserve", three: "rejected"})
    assert {p.acronym: p.state for p in Project.objects.all()} == {
        one.acronym: "selected", two.acronym: "reserve", three.acronym: "rejected",
    }  # fmt: skip
    assert [s.decided for s in queries.decided_shares(one)] == [Decimal("150000.00")]
    assert queries.used(world.call) == Decimal("150000.00")
    assert SelectionLetter.objects.count() == 9
    letter = SelectionLetter.objects.get(partner=w.partner_of(one))
    text = letters.text_of(letter)
    assert letter.kind == "selected" and letter.on == DAY
    assert "150\u202f000" in text["fr"]["body"] and "150,000" in text["en"]["body"]
    assert "official selection letter" in text["en"]["body"]
    assert OutboxMessage.objects.filter(to=f.user_of(member).email).count() == 1
    assert "Décidé en séance." in letters.text_of(SelectionLetter.objects.filter(project=three).first())["fr"]["body"]
    with pytest.raises(Refused):  # nothing of the assessment changes any more
        actions.intend(w.partner_of(one), world.fund, by=world.manager, on=DAY, amount=Decimal("1"))
    assert list(breaks()) == []


def test_an_envelope_is_never_overrun_and_is_raised_by_an_act_with_its_reason():
    world = w.make_world(projects=2)
    for project in world.projects:
        w.agree(world, project)
        for position in range(3):
            w.intend_state(world, project, "100000.00", position)
    one, two = world.projects
    scenario = actions.save_scenario(
        world.exercise, "Toutes", w.entries_for(world, {one: "selected", two: "selected"}), by=world.manager, on=DAY
    )
    with pytest.raises(Refused) as refused:
        actions.decide_list(scenario, by=world.decider, on=DAY)
    assert "600\u202f000" in str(refused.value) and "100\u202f000" in str(refused.value)
    assert queries.used(world.call) == 0
    with pytest.raises(NotAllowed):
        actions.set_envelope(world.call, Decimal(600000), reason="x", by=world.manager, on=DAY)
    with pytest.raises(Refused):
        actions.set_envelope(world.call, Decimal(600000), reason=" ", by=world.decider, on=DAY)
    actions.set_envelope(world.call, Decimal(600000), reason="Décision du GTI", by=world.decider, on=DAY)
    actions.decide_list(scenario, by=world.decider, on=DAY)
    assert queries.used(world.call) == Decimal("600000.00")
    with pytest.raises(Refused):
        actions.set_envelope(world.call, Decimal(599999), reason="Coupe", by=world.decider, on=DAY)
    entry = JournalEntry.objects.get(act="selection.envelope")
    assert (entry.before["amount"], entry.after["amount"]) == ("500000", "600000")


def test_a_reserve_project_is_promoted_when_money_returns():
    world = w.make_world(projects=3)
    one, two, three = world.projects
    for project, score in ((one, "5"), (two, "4"), (three, "3")):
        w.agree(world, project, score)
        for position in range(2):
            w.intend_state(world, project, "150000.00", position)
    # 300 000 of 500 000: the second does not fit.
    actions.set_envelope(world.call, Decimal(400000), reason="Exercice", by=world.decider, on=DAY)
    w.decided(world, {one: "selected", two: "reserve", three: "reserve"})
    with pytest.raises(Refused):
        actions.promote(two, by=world.decider, on=DAY, reason="Crédits rendus")
    one.refresh_from_db()
    with pytest.raises(Refused):
        actions.release(one, by=world.decider, on=DAY, reason="")
    actions.release(one, by=world.decider, on=DAY, reason="Dossier non complété")
    one.refresh_from_db()
    assert one.state == "abandoned" and queries.used(world.call) == 0
    row = actions.promote(three, by=world.decider, on=DAY, reason="Le premier se retire")
    assert row.outcome == "selected"
    entry = JournalEntry.objects.get(act="selection.promote")
    assert entry.after["passed_over"] == [two.acronym]
    assert SelectionLetter.objects.filter(project=three).values_list("kind", flat=True).count() == 6
    assert Listed.objects.filter(project=three).count() == 2
    with pytest.raises(Refused):
        actions.promote(two, by=world.decider, on=DAY, reason="Reste-t-il de l'argent ?")
    assert list(breaks()) == []


def test_funders_decide_after_the_list_within_ceilings_and_their_own_envelope():
    world = w.make_world(projects=1)
    (project,) = world.projects
    w.agree(world, project)
    w.intend_state(world, project, "100000.00")
    share = actions.intend(w.partner_of(project), world.region, by=world.region_agent, on=DAY, amount=Decimal("60000"))
    with pytest.raises(Refused):
        actions.fund(share, Decimal("60000"), by=world.region_agent, on=DAY, reference="Délibération 12")
    w.decided(world, {project: "selected"})
    for wrong in ({"reference": " "}, {"amount": Decimal("300000.01")}):
        with pytest.raises(Refused):
            actions.fund(
                share, **({"amount": Decimal("60000"), "reference": "D12"} | wrong), by=world.region_agent, on=DAY
            )
    with pytest.raises(NotAllowed):
        actions.fund(share, Decimal("60000"), by=world.other_agent, on=DAY, reference="D12")
    actions.set_envelope(
        world.call, Decimal("55000"), funder=world.region, reason="Budget", by=world.region_agent, on=DAY
    )
    with pytest.raises(Refused):
        actions.fund(share, Decimal("60000"), by=world.region_agent, on=DAY, reference="D12")
    row = actions.fund(share, Decimal("55000"), by=world.region_agent, on=DAY, reference="D12")
    assert (row.intended, row.decided, row.decided_on) == (Decimal("60000.00"), Decimal("55000.00"), DAY)
    state = w.current(project, world.fund).get()
    with pytest.raises(Refused):
        actions.fund(state, Decimal("1"), by=world.manager, on=DAY, reference="x")
    decided = queries.decided_shares(project).aggregate(t=Sum("decided"))["t"]
    assert decided == Decimal("155000.00")


def test_a_budget_cut_after_the_decision_is_not_unnoticed():
    """Decided money above what the budget of today allows: told to funders and deciders until somebody lowers it."""
    world = w.make_world(projects=2)
    project, other = world.projects
    officer = f.make_actor("national_officer")
    for one in world.projects:
        w.agree(world, one)
        for position in range(2):
            w.intend_state(world, one, "100000.00", position)
    share = actions.intend(w.partner_of(project), world.region, by=world.region_agent, on=DAY, amount=Decimal("60000"))
    w.decided(world, {project: "selected", other: "selected"})
    actions.fund(share, Decimal("60000"), by=world.region_agent, on=DAY, reference="D12")
    leader = f.make_actor("project_member", organisation=w.partner_of(project).organisation)

    def change(kind, content):
        made = following.propose_amendment(project, kind, content, reason="Recentrage", by=leader, on=DAY)
        following.decide_amendment(made, approve=True, by=officer, on=DAY)

    def told(actor):
        return [str(t.why) for t in desk.tasks_for(actor, DAY) if "Revoir l'aide décidée" in str(t.title)]

    change("budget", {"partner": "p1", "lines": [[2011, "personnel", "applied", "experimental", "360000"]]})
    assert not told(world.decider)  # 45 % of 360 000 is still enough for 160 000
    change("budget", {"partner": "p1", "lines": [[2011, "personnel", "applied", "experimental", "200000"]]})
    for actor in (world.decider, world.manager, world.region_agent):
        assert len(told(actor)) == 1
        assert "160 000 € restent décidés, au plus 90 000 €" in told(actor)[0].replace("\u202f", " ").replace(
            "\xa0", " "
        )
    assert not told(world.other_agent)
    change("partner_out", {"partner": "p2"})
    first, second = queries.excesses([project])[project.pk]
    assert (first.limit, second.limit, second.left_on) == (Decimal("90000.00"), 0, DAY)
    state = w.current(project, world.fund)
    mine, theirs = (state.get(partner__key=key) for key in ("p1", "p2"))
    with pytest.raises(NotAllowed):
        actions.fund(mine, Decimal("30000"), by=world.manager, on=DAY, reference="Décision 4")
    with pytest.raises(Refused, match="baissé"):
        actions.fund(mine, Decimal("100001"), by=world.manager, on=DAY, reference="Décision 4")
    actions.fund(mine, Decimal("30000"), by=world.decider, on=DAY, reference="Décision 4")
    actions.fund(theirs, Decimal(0), by=world.decider, on=DAY, reference="Décision 4")
    assert queries.excesses([project]) == {}
    assert not told(world.decider)
    assert queries.used(world.call) == Decimal("230000.00")


def test_results_are_counted_and_the_published_figures_are_left_alone():
    world = w.make_world(projects=2)
    one, two = world.projects
    for project in world.projects:
        w.agree(world, project)
        w.intend_state(world, project, "100000.00")
    w.decided(world, {one: "selected", two: "rejected"})
    with pytest.raises(NotAllowed):
        actions.announce(w.fresh(world.exercise), by=world.manager, on=DAY)
    exercise = actions.announce(w.fresh(world.exercise), by=world.decider, on=DAY)
    assert (exercise.state, exercise.call.results_on) == ("announced", DAY)
    found = queries.results(world.call, DAY)
    assert (found.submitted, found.selected, found.rejected) == (2, 1, 1)
    assert (found.state, found.local, found.rate) == (Decimal("100000.00"), 0, 50)
    assert found.by_cluster == [(world.cluster.name, 1, Decimal("100000.00"))]
    assert world.call.published == {}


def test_what_the_letters_need_is_checked_in_the_policy(policy):
    assert {letter.kind for letter in policy.part("selection").letters} == {
        "selected",
        "reserve",
        "rejected",
        "promoted",
        "lost",
    }
    body = policy.part("selection").letters[0].body
    assert json.dumps(body.fr).count("{") == body.fr.count("{")
    assert rules.ZERO == 0
