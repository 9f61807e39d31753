"""The calculation: same answers as the formula and as plain counting, few queries, versions only when a value changed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jalon.clusters.models import TeamPost
from jalon.contracts.models import BudgetLine
from jalon.core import clock
from jalon.indicators import engine
from jalon.indicators.models import Observation
from jalon.policy.vocabulary import MEASURES
from jalon.programme import measuring
from tests import factories as f

pytestmark = pytest.mark.django_db

START, END = dt.date(2009, 1, 1), dt.date(2009, 12, 31)


def member(cluster, kind, joined="2006-01-01", left=None, organisation=None, **fields):
    return f.make_membership(
        cluster,
        organisation,
        joined_on=dt.date.fromisoformat(joined),
        left_on=dt.date.fromisoformat(left) if left else None,
        member_type=kind,
        **fields,
    )


def one(policy, code, cluster, known_on=None):
    return engine.compute([policy.indicator(code)], [cluster.pk], START, END, known_on)[cluster.pk, code]


def test_every_measure_of_the_policy_is_counted():
    assert set(measuring.known_measures()) == set(MEASURES)


def test_members_by_type_joins_and_departures(policy):
    cluster = f.make_cluster()
    member(cluster, "sme")
    member(cluster, "sme", "2009-12-31")
    member(cluster, "large", "2007-01-01", "2009-12-31")  # still there on its last day
    member(cluster, "mid", "2007-01-01", "2009-12-30")
    member(cluster, "research_training", "2010-01-01")  # not yet
    assert one(policy, "members_total", cluster).value == 3
    assert one(policy, "members_total", cluster).breakdowns["type=sme"] == 2
    assert one(policy, "members_joined", cluster).value == 1
    assert one(policy, "members_left", cluster).value == 2
    share = one(policy, "sme_share", cluster)
    assert (share.value, share.numerator, share.denominator) == (D("66.67"), 2, 3)


def test_unknown_is_never_zero(policy):
    cluster = f.make_cluster()
    for code in ("members_total", "sme_share", "actions_on_time", "objectives_reached", "commitments_paid"):
        assert one(policy, code, cluster).value is None, code
    why = one(policy, "sme_share", cluster).explanation
    assert "membres PME" in str(why.steps[0])


def test_a_zero_denominator_has_no_value(policy):
    cluster = f.make_cluster()
    member(cluster, "other")
    assert one(policy, "members_total", cluster).value == 1
    assert one(policy, "sme_share", cluster).value is None


def test_team_and_budget(policy):
    cluster = f.make_cluster()
    at = clock.moment_on(START)
    for fte, status in (("8", "employed"), ("2", "seconded")):
        TeamPost.objects.create(
            cluster=cluster, title="Poste", fte=D(fte), status=status, starts_on=START, recorded_at=at
        )
    for kind, amount in (
        ("state", 235000),
        ("local", 365000),
        ("fees", 300000),
        ("services", 100000),
        ("in_kind", 90000),
    ):
        BudgetLine.objects.create(cluster=cluster, year=2009, kind=kind, amount=amount, recorded_at=at)
    found = measuring.read(MEASURES, [cluster.pk], START, END)[cluster.pk]
    assert (found["clusters.team_fte"], found["clusters.team_seconded_fte"]) == (10, 2)
    assert found["contracts.budget_total"] == 1000000  # in kind is counted apart
    assert (found["contracts.budget_public"], found["contracts.budget_private"]) == (600000, 400000)


def test_as_known_on_an_earlier_day(policy):
    cluster = f.make_cluster()
    member(cluster, "sme")
    member(cluster, "sme", recorded_at=clock.moment_on(dt.date(2010, 5, 1)))
    assert one(policy, "members_total", cluster).value == 2
    assert one(policy, "members_total", cluster, dt.date(2010, 4, 30)).value == 1


def test_the_compiled_formula_says_what_the_formula_says(policy):
    cluster = f.make_cluster()
    for kind in ("sme", "sme", "mid", "large", "other"):
        member(cluster, kind)
    for code, figure in engine.compute(policy.indicators, [cluster.pk], START, END).items():
        formula = figure.indicator.formula
        if formula is None:
            continue
        plain = formula.evaluate(dict(figure.measures))
        assert figure.value == (None if plain is None else plain.quantize(D("0.01")) if plain % 1 else plain), code


def test_few_queries_whatever_the_number_of_clusters_and_indicators(policy):
    clusters = [f.make_cluster() for _ in range(3)]
    for c in clusters:
        member(c, "sme")
    counts = []
    for ids in ([clusters[0].pk], [c.pk for c in clusters], None):
        with CaptureQueriesContext(connection) as seen:
            engine.compute(policy.indicators, ids, START, END)
        counts.append(len(seen))
    # Seven for the register, the contracts and the team; seven for the projects and what came of them.
    assert counts == [14, 14, 14]


def test_nationally_an_organisation_counts_once(policy):
    first, second = f.make_cluster(), f.make_cluster()
    shared = f.make_organisation()
    member(first, "sme", organisation=shared)
    member(second, "sme", organisation=shared)
    member(second, "large")
    unknown = f.make_cluster()
    found = {
        n.indicator.code: n for n in engine.national(policy.indicators, [first.pk, second.pk, unknown.pk], START, END)
    }
    total = found["members_total"]
    assert (total.total, total.once, total.known, total.asked) == (3, 2, 2, 3)
    assert found["sme_share"].total == D("66.67")  # of the sums: 2 of 3
    assert found["sme_share"].once == D("50.00")  # 1 of 2
    assert found["members_total"].median == D("1.5")


def test_a_new_version_is_kept_only_when_the_value_changed(policy):
    cluster, round = f.make_cluster(), f.make_round("2009")
    member(cluster, "sme")
    chosen = [policy.indicator("members_total"), policy.indicator("sme_share")]

    def store(on):
        return engine.store_computed(round, chosen, [cluster.pk], on=on)

    assert store(dt.date(2010, 2, 1)) == 7  # two totals, five types
    assert store(dt.date(2010, 2, 2)) == 0
    member(cluster, "sme", recorded_at=clock.moment_on(dt.date(2010, 2, 3)))
    assert store(dt.date(2010, 2, 3)) == 2  # the total and its SMEs; the share is unchanged
    rows = Observation.objects.filter(cluster=cluster, indicator="members_total", breakdown="").order_by("id")
    assert [(o.version, o.value, o.superseded_at is None) for o in rows] == [(1, 1, False), (2, 2, True)]
    assert rows[1].explanation["measures"]["clusters.members"] == "2"
    assert rows[1].period_start == rows[1].period_end == END  # a stock
