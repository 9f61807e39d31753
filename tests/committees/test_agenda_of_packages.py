"""What selection, labelling, money, evaluations and decisions put on agendas: for whom, and what they keep to themselves."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from jalon.decisions import agenda as of_decisions
from jalon.evaluations import agenda as of_evaluations
from jalon.evaluations.models import Review
from jalon.funding import actions as funding_actions, agenda as of_funding
from jalon.labelling import agenda as of_labelling
from jalon.selection import agenda as of_selection
from tests import factories as f
from tests.decisions import world as decisions_world
from tests.evaluations import world as evaluations_world
from tests.funding import world as funding_world
from tests.labelling import world as labelling_world
from tests.selection import world as selection_world

pytestmark = pytest.mark.django_db
DAY = f.DAY


def committee(pk: int, scope: str, *clusters) -> SimpleNamespace:
    return SimpleNamespace(pk=pk, kind="", scope=scope, region_code="", cluster_ids=tuple(c.pk for c in clusters))


def keys(found, pk: int) -> list[str]:
    return [point.key for point in found.get(pk, ())]


def test_a_proposal_is_known_to_national_committees_only(django_assert_num_queries):
    world = decisions_world.build()
    decisions_world.proposed(world, opinion="")
    national, local = committee(1, "national"), committee(2, "cluster", world.gamma)
    found = of_decisions.items_for_many([national, local], DAY)
    assert keys(found, 1) == ["decision:essai"] and keys(found, 2) == []
    (point,) = found[1]
    assert point.kind == "opinion" and point.light == "at_risk"
    assert "GTI" in str(point.details[0].title)
    with django_assert_num_queries(4):
        of_decisions.items_for_many([national, local, committee(3, "cluster", world.delta)], DAY)


def test_once_the_opinion_is_given_the_decision_is_awaited_then_to_be_notified():
    world = decisions_world.build()
    national = [committee(1, "national")]
    decisions_world.proposed(world)
    assert "décision attendue" in str(of_decisions.items_for_many(national, DAY)[1][0].title)
    decisions_world.decided(world, decisions_world.withdrawal(world, world.delta), slug="second")
    found = of_decisions.items_for_many(national, DAY)
    assert keys(found, 1) == ["decision:essai", "decision:second/notify"]


def test_a_hearing_is_the_affair_of_the_cluster_and_its_funders():
    world = evaluations_world.build()
    alpha, beta, _ = world.clusters
    evaluations_world.notified(world)
    day = evaluations_world.DAY
    found = of_evaluations.items_for_many(
        [committee(1, "cluster", alpha), committee(2, "cluster", beta), committee(3, "national")], day
    )
    (point,) = found[1]
    assert "réponse aux constats attendue" in str(point.title) and point.due_on > day and point.light == "at_risk"
    assert keys(found, 2) == []
    (where,) = found[3]
    assert where.key == "campaign:essai" and "alpha" not in str(where).lower()
    late = of_evaluations.items_for_many([committee(1, "cluster", alpha)], point.due_on + dt.timedelta(days=1))
    assert late[1][0].light == "late"


def test_a_campaign_ordered_by_an_authority_is_on_no_national_agenda():
    world = evaluations_world.build()
    world.campaign.kind = "order"
    world.campaign.save()
    assert of_evaluations.items_for_many([committee(1, "national")], evaluations_world.DAY) == {}


def test_an_unsatisfactory_review_asks_for_the_revision_of_funding():
    world = evaluations_world.build()
    fields = {"contract": world.contract, "kind": "axes", "opened_on": DAY, "created_at": f.clock.moment_on(DAY)}
    Review.objects.create(**fields, state="open", due_on=DAY - dt.timedelta(days=1))
    (point,) = of_evaluations.items_for_many([committee(1, "cluster", world.clusters[0])], DAY)[1]
    assert point.kind == "opinion" and point.light == "late"
    Review.objects.update(state="concluded", conclusion="unsatisfactory", revise_funding=True, concluded_on=DAY)
    (point,) = of_evaluations.items_for_many([committee(1, "cluster", world.clusters[0])], DAY)[1]
    assert point.kind == "decision" and "révision du financement" in str(point.title)
    Review.objects.update(conclusion="satisfactory", revise_funding=False)
    assert of_evaluations.items_for_many([committee(1, "cluster", world.clusters[0])], DAY) == {}


def test_a_list_is_settled_nationally_and_funders_speak_in_their_region(django_assert_num_queries):
    world = selection_world.make_world(projects=2)
    cluster = f.make_cluster("riviere")
    project = selection_world.make_project(world.exercise.call, "EAUVIVE", cluster=cluster)
    national, region = committee(1, "national"), committee(2, "region", cluster)
    found = of_selection.items_for_many([national, region], DAY)
    (point,) = found[1]
    assert point.kind == "decision" and point.figures[next(iter(point.figures))] == 3
    (asked,) = found[2]
    assert [d.key for d in asked.details] == [f"project:{project.slug}"] and asked.light == "at_risk"
    elsewhere = committee(3, "region", f.make_cluster("loin"))
    with django_assert_num_queries(3):
        assert 3 not in of_selection.items_for_many([national, region, elsewhere], DAY)


def test_requests_are_named_in_the_pole_s_own_committee_and_only_counted_elsewhere():
    world = labelling_world.build()
    labelling_world.admitted(world)
    own, shared = (
        committee(1, "cluster", world.cluster),
        committee(2, "thematic", world.cluster, f.make_cluster("autre")),
    )
    found = of_labelling.items_for_many([own, shared], labelling_world.DAY)
    (point,) = found[1]
    assert world.project.acronym in str(point.title) and point.case == f"project:{world.project.slug}"
    (count,) = found[2]
    assert world.project.acronym not in str(count) and "1 demande(s)" in str(count.title)


def test_money_that_waits_comes_on_the_agenda_of_the_lead_pole(django_assert_num_queries):
    world = funding_world.build()
    mine = [committee(1, "cluster", world.cluster), committee(2, "cluster", f.make_cluster("ailleurs"))]
    row = funding_actions.create(world.share, number="C-1", by=world.manager, on=DAY)
    assert of_funding.items_for_many(mine, row.awarded_on + dt.timedelta(days=30)) == {}
    later = row.awarded_on + dt.timedelta(days=200)
    found = of_funding.items_for_many(mine, later)
    (point,) = found[1]
    assert "convention(s) pas encore signée(s)" in str(point.title) and keys(found, 2) == []
    assert [d.key for d in point.details] == [f"agreement:{row.pk}"]
    running = funding_world.agree(world, world.region_share)
    funding_world.claim(world, running)
    soon = DAY + dt.timedelta(days=91)
    assert f"funding:{world.cluster.pk}/claims" in keys(of_funding.items_for_many(mine, soon), 1)
    with django_assert_num_queries(3):
        of_funding.items_for_many(mine, soon)


def test_a_national_session_gathers_what_the_packages_say():
    from jalon.committees import actions

    world = decisions_world.build()
    decisions_world.proposed(world, opinion="")
    officer = world.officer
    gti = actions.create("gti", starts_on=dt.date(2005, 1, 3), by=officer, on=dt.date(2005, 1, 3), slug="gti-essai")
    session = actions.plan(gti, DAY + dt.timedelta(days=8), by=officer, on=DAY)
    actions.build_agenda(session, by=officer, on=DAY)
    assert session.items.filter(source="decisions", title__contains="avis à rendre").exists()
