"""A prepared query gives what the queryset gives, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.test.utils import CaptureQueriesContext

from jalon.clusters.models import Membership
from jalon.core import clock
from jalon.core.models import as_known_on
from jalon.core.prepared import Prepared
from tests import factories as f

pytestmark = pytest.mark.django_db


def members(clusters, day, known_on=None) -> QuerySet:
    return as_known_on(
        Membership.objects.filter(cluster_id__in=clusters, joined_on__lte=day).select_related("organisation"), known_on
    ).order_by("id")


def counts(clusters, day) -> QuerySet:
    return (
        Membership.objects.filter(cluster_id__in=clusters)
        .order_by("cluster_id")
        .values_list("cluster_id")
        .annotate(here=Count("id", filter=Q(joined_on__lte=day)), every=Count("id"))
    )


@pytest.fixture
def clusters():
    found = [f.make_cluster(label=True) for _ in range(3)]
    for n, cluster in enumerate(found):
        for _ in range(n + 1):
            f.make_membership(cluster, joined_on=dt.date(2006 + n, 1, 1))
    return found


def test_instances_and_their_relations_are_those_of_the_queryset(clusters):
    ask = Prepared(members)
    for chosen in (clusters[:1], clusters, clusters[1:]):
        for day in (dt.date(2006, 6, 1), dt.date(2010, 1, 1)):
            ids = [c.pk for c in chosen]
            plain = list(members(ids, day))
            with CaptureQueriesContext(connection) as seen:
                rows = ask(clusters=ids, day=day)
                assert [r.organisation.name for r in rows] == [r.organisation.name for r in plain]
            assert rows == plain and [r.joined_on for r in rows] == [r.joined_on for r in plain]
            assert len(seen) == 1


def test_tuples_keep_their_order_and_types(clusters):
    ask = Prepared(counts)
    for day in (dt.date(2006, 6, 1), dt.date(2007, 6, 1), dt.date(2010, 1, 1)):
        ids = [c.pk for c in clusters]
        assert ask(clusters=ids, day=day) == list(counts(ids, day))
    assert ask(clusters=[], day=dt.date(2010, 1, 1)) == []


def test_the_sql_is_written_once(clusters):
    made = []

    def make(clusters, day):
        made.append(day)
        return counts(clusters, day)

    ask = Prepared(make)
    for n in range(1, 4):
        ask(clusters=[c.pk for c in clusters[:n]], day=dt.date(2010, 1, n))
    assert len(made) == 1


def test_none_makes_another_query_and_a_changed_value_an_ordinary_one(clusters):
    ids, day = [c.pk for c in clusters], dt.date(2010, 1, 1)
    ask = Prepared(members)
    known = clock.today()
    assert ask(clusters=ids, day=day, known_on=None) == list(members(ids, day))
    # The day becomes the end of the day on its way: the query is written each time, and right each time.
    for when in (known, dt.date(2000, 1, 1), known):
        assert ask(clusters=ids, day=day, known_on=when) == list(members(ids, day, when))
