"""What is known of a label on the day a contract is prepared."""

from __future__ import annotations

import datetime as dt

import pytest

from jalon.clusters.models import LabelAct, LabelHolder, LabelPeriod
from jalon.contracts import queries
from jalon.core import clock
from tests import factories as f

pytestmark = pytest.mark.django_db


def test_an_extension_without_a_known_day_counts_from_the_moment_it_was_recorded():
    cluster = f.make_cluster("kept", label=True)
    label = LabelHolder.objects.get(cluster=cluster).label
    LabelPeriod.objects.filter(label=label).update(ends_on=dt.date(2009, 12, 31))
    start = dt.date(2010, 1, 1)
    at = clock.moment_on(start)
    act = LabelAct.objects.create(
        label=label, act="extended", effective_from=start, precision="unknown", recorded_at=at
    )
    LabelPeriod.objects.create(label=label, act=act, starts_on=start, ends_on=dt.date(2010, 5, 10), recorded_at=at)

    def last(known_on: dt.date) -> dt.date | None:
        return queries.label_spans([cluster.pk], known_on=known_on)[cluster.pk][-1].ends_on

    assert last(dt.date(2009, 6, 1)) == dt.date(2009, 12, 31)
    assert last(dt.date(2010, 1, 1)) == dt.date(2010, 5, 10)
