"""What projects count for the indicators: once for each pôle, once nationally, from the records alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from jalon.core import clock
from jalon.indicators import engine
from jalon.people.access import policy
from jalon.programme import measuring
from jalon.projects.models import Outcome, Project
from jalon.selection.models import Share
from tests import factories as make
from tests.projects import world as w

pytestmark = pytest.mark.django_db
YEAR = (dt.date(2010, 1, 1), dt.date(2010, 12, 31))
NAMES = (
    "projects.labelled",
    "projects.submitted",
    "projects.decided",
    "projects.financed",
    "projects.aid",
    "projects.budget",
    "projects.partners",
    "projects.patents",
)


@pytest.fixture
def three():
    """A project that three pôles labelled, selected with 100,000.05 € of aid and two patents; another one rejected."""
    call = w.make_call()
    won, lost = w.submitted(call), w.submitted(call)
    others = [w.make_pole(), w.make_pole()]
    for cluster in others:
        w.label(won.project, cluster, lead=False)
    at = clock.moment_on(w.DAY)
    Project.objects.filter(pk=won.project.pk).update(state="selected", decided_on=w.DAY)
    Project.objects.filter(pk=lost.project.pk).update(state="rejected", decided_on=w.DAY)
    w.label(lost.project, won.cluster, lead=False)
    funder = make.make_organisation(kind="authority")
    for key, amount in (("p1", "60000.02"), ("p2", "40000.03")):
        Share.objects.create(
            project=won.project,
            partner=won.partners[key],
            funder=funder,
            decided=Decimal(amount),
            decided_on=w.DAY,
            recorded_at=at,
        )
    Outcome.objects.create(project=won.project, kind="patent", year=2010, quantity=2, validated=True, recorded_at=at)
    Outcome.objects.create(project=won.project, kind="patent", year=2010, quantity=5, recorded_at=at)  # not validated
    return won, lost, others


def test_a_project_counts_once_for_each_pole_and_once_nationally(three):
    won, lost, others = three
    found = measuring.read(NAMES, None, *YEAR)
    assert set(found) == {won.cluster.pk, lost.cluster.pk, *(c.pk for c in others)}
    lead = found[won.cluster.pk]
    assert (lead["projects.labelled"], lead["projects.decided"], lead["projects.financed"]) == (2, 2, 1)
    for cluster in others:
        mine = found[cluster.pk]
        assert (mine["projects.labelled"], mine["projects.financed"], mine["projects.aid"]) == (
            1,
            1,
            Decimal("100000.05"),
        )
        assert (mine["projects.partners"], mine["projects.budget"], mine["projects.patents"]) == (
            3,
            Decimal("2000000.00"),
            2,
        )
    assert found[lost.cluster.pk]["projects.financed"] == 0 and found[lost.cluster.pk]["projects.patents"] == 0
    once = measuring.read_counted_once(NAMES, None, *YEAR)
    assert once == {
        "projects.labelled": 2, "projects.submitted": 2, "projects.decided": 2, "projects.financed": 1,
        "projects.aid": Decimal("100000.05"), "projects.budget": Decimal("2000000.00"), "projects.partners": 3,
        "projects.patents": Decimal("2.00"),
    }  # fmt: skip


def test_what_was_not_known_yet_is_not_counted(three):
    won, _, _ = three
    early = measuring.read(NAMES, [won.cluster.pk], *YEAR, w.DAY - dt.timedelta(days=1))
    assert early[won.cluster.pk]["projects.financed"] == 0 and early[won.cluster.pk]["projects.aid"] == 0
    half = measuring.read(["projects.patents"], [won.cluster.pk], dt.date(2010, 1, 1), dt.date(2010, 6, 30))
    assert half == {}  # outcomes are known by year
    assert measuring.read(NAMES, [make.make_cluster().pk], *YEAR) == {}


def test_the_indicators_read_the_records(three):
    won, lost, others = three
    labelled, rate = policy().indicator("project_records_labelled"), policy().indicator("project_records_success")
    clusters = [won.cluster.pk, lost.cluster.pk, *(c.pk for c in others)]
    summed, success = engine.national([labelled, rate], clusters, *YEAR)
    assert (summed.total, summed.once) == (5, 2)
    assert success.once == Decimal("50.00")
    assert policy().indicator("projects_labelled").source == "declared"  # contracts that declare it go on
