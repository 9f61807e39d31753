"""No order of acts overruns an envelope or a ceiling: any sequence of acts, and users at the same moment."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings, strategies as st

from jalon.core.errors import Refused
from jalon.core.journal import breaks
from jalon.projects.models import Project
from jalon.selection import actions, queries
from jalon.selection.models import Listed, Scenario, SelectionLetter, Share
from tests import factories as f
from tests.contracts.test_competing import good, refused, together
from tests.selection import world as w

DAY = w.DAY


def money_world(projects: int = 2):
    """Projects whose State intentions together exceed the envelope, and two local funders with intentions."""
    world = w.make_world(projects=projects)
    city = f.make_organisation("Ville", "authority", level="city")
    world.city, world.city_agent = city, f.make_actor("local_authority", organisation=city)
    for project in world.projects:
        for position in range(2):
            w.intend_state(world, project, "120000.00", position)
            partner = w.partner_of(project, position)
            actions.intend(partner, world.region, by=world.manager, on=DAY, amount=Decimal(40000), reference="L1")
            actions.intend(partner, city, by=world.manager, on=DAY, amount=Decimal(10000), reference="L2")
        w.agree(world, project, "4")
    return world


def check_money(world) -> None:
    """What must hold after every act."""
    decided = Share.objects.filter(project__call=world.call, superseded_at__isnull=True, decided__isnull=False)
    state = decided.filter(source="state").aggregate(t=Sum("decided"))["t"] or 0
    assert state <= queries.envelope_of(world.call)
    for funder in (world.region, world.city):
        envelope = queries.envelope_of(world.call, funder)
        mine = decided.filter(funder=funder).aggregate(t=Sum("decided"))["t"] or 0
        assert envelope is None or mine <= envelope
    for plan in queries.plans(world.projects, exercise=world.exercise).values():
        for row in plan.rows:
            assert row.line.decided <= row.line.base
            assert row.line.ceiling is None or row.line.decided <= row.line.ceiling
    current = Share.objects.filter(superseded_at__isnull=True).values_list("partner", "funder", "instrument")
    assert len(current) == len(set(current))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("intend"), st.integers(0, 2), st.integers(0, 1), st.booleans(), st.integers(0, 45000)),
        st.tuples(st.just("fund"), st.integers(0, 2), st.integers(0, 1), st.booleans(), st.integers(0, 45000)),
        st.tuples(st.just("envelope"), st.sampled_from(["state", "region", "city"]), st.integers(0, 800)),
        st.tuples(st.just("decide"), st.lists(st.sampled_from(["selected", "reserve"]), min_size=3, max_size=3)),
        st.tuples(st.just("promote"), st.integers(0, 2)),
        st.tuples(st.just("release"), st.integers(0, 2)),
    ),
    min_size=3,
    max_size=9,
)


def do(world, step) -> None:
    """One act of a drawn sequence."""
    kind, *rest = step
    if kind in ("intend", "fund"):
        number, position, by_city, tens = rest
        project = world.projects[number]
        funder, agent = (world.city, world.city_agent) if by_city else (world.region, world.region_agent)
        partner, amount = w.partner_of(project, position), Decimal(tens) * 10
        if kind == "intend":
            actions.intend(partner, funder, by=world.manager, on=DAY, amount=amount, reference="L3")
        else:
            share = Share.objects.get(partner=partner, funder=funder, superseded_at__isnull=True)
            actions.fund(share, amount, by=world.manager, on=DAY, reference="D1")
        del agent
    elif kind == "envelope":
        whose, thousands = rest
        funder = {"state": None, "region": world.region, "city": world.city}[whose]
        by = world.decider if funder is None else world.manager
        actions.set_envelope(world.call, Decimal(thousands * 1000), funder=funder, reason="Essai", by=by, on=DAY)
    elif kind == "decide":
        outcomes = dict(zip(world.projects, rest[0], strict=True))
        scenario = actions.save_scenario(
            world.exercise, f"S{f.number()}", w.entries_for(world, outcomes), by=world.manager, on=DAY
        )
        actions.decide_list(scenario, by=world.decider, on=DAY)
    else:
        project = Project.objects.select_related("call").get(pk=world.projects[rest[0]].pk)
        getattr(actions, kind)(project, by=world.decider, on=DAY, reason="Essai")


@pytest.fixture
def money(db):
    return money_world(3)


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sequence=steps, first=st.lists(st.sampled_from(["selected", "reserve"]), min_size=3, max_size=3))
def test_no_order_of_acts_overruns_an_envelope_or_a_ceiling(money, sequence, first):
    with transaction.atomic():
        for step in [("decide", first), *sequence]:
            try:
                with transaction.atomic():
                    do(money, step)
            except Refused:
                pass
            check_money(money)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_two_lists_at_the_same_moment_are_decided_once():
    world = money_world(2)
    one, two = world.projects
    scenarios = [
        actions.save_scenario(world.exercise, name, w.entries_for(world, outcomes), by=world.manager, on=DAY)
        for name, outcomes in (
            ("A", {one: "selected", two: "reserve"}),
            ("B", {two: "selected", one: "reserve"}),
        )
    ]
    results = together(
        *(
            lambda pk=s.pk: actions.decide_list(Scenario.objects.get(pk=pk), by=world.decider, on=DAY)
            for s in [*scenarios, *scenarios]
        )
    )
    assert (len(good(results)), len(refused(results))) == (1, 3)
    assert Listed.objects.filter(superseded_at__isnull=True).count() == 2
    assert SelectionLetter.objects.count() == 6
    check_money(world)
    assert list(breaks()) == []


@pytest.mark.django_db(transaction=True)
def test_users_at_the_same_moment_never_overrun_an_envelope():
    world = money_world(3)
    actions.set_envelope(world.call, Decimal(480000), reason="Exercice", by=world.decider, on=DAY)
    w.decided(world, dict(zip(world.projects, ["selected", "reserve", "reserve"], strict=True)))
    # 240 000 of 480 000 are decided: one of the two reserve projects fits, the other does not.
    results = together(
        *(
            lambda pk=p.pk: actions.promote(
                Project.objects.select_related("call").get(pk=pk), by=world.decider, on=DAY, reason="Crédits"
            )
            for p in world.projects[1:]
        ),
        lambda: actions.set_envelope(world.call, Decimal(470000), reason="Coupe", by=world.decider, on=DAY),
    )
    kept = good(results)
    assert len(refused(results)) >= 1 and len(kept) >= 1
    check_money(world)
    # Two funders decide on one partner at the same moment, together beyond its base.
    one = world.projects[0]
    partner = w.partner_of(one)
    partner.budget.update(amount=Decimal(330000))
    shares = {
        funder: Share.objects.get(partner=partner, funder=funder, superseded_at__isnull=True)
        for funder in (world.region, world.city)
    }
    results = together(
        lambda: actions.fund(shares[world.region], Decimal(180000), by=world.region_agent, on=DAY, reference="D1"),
        lambda: actions.fund(shares[world.city], Decimal(160000), by=world.manager, on=DAY, reference="D2"),
        lambda: actions.fund(shares[world.region], Decimal(170000), by=world.manager, on=DAY, reference="D3"),
    )
    assert refused(results)
    check_money(world)
    assert list(breaks()) == []
