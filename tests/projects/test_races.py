"""Two people at the same moment on one file: what is frozen is what was handed in, under the rules it obeys, before the
closing that stands. Both databases."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from jalon.core.errors import Conflict, Refused
from jalon.core.journal import breaks
from jalon.projects import actions, queries
from jalon.projects.models import Partner, Project, Revision
from tests import factories as make
from tests.projects import world as w
from tests.roadmaps.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)
DAY = w.DAY


def lost(results):
    assert all(not isinstance(r, Exception) or isinstance(r, Refused) for r in results), results
    return sum(isinstance(r, Refused) for r in results)


def budget_told(project, key):
    """The total of a partner's budget in the frozen file, and in the rows."""
    frozen = next(p for p in queries.frozen_content(project)["partners"] if p["key"] == key)
    told = sum(Decimal(str(line["amount"])) for line in frozen["budget"])
    return told, sum(line.amount for line in queries.budget_of(Partner.objects.get(project=project, key=key)))


def test_partner_and_budget_are_written_once_and_a_file_is_handed_in_as_it_stands():
    made = w.consortium()
    w.label(made.project)
    colleague = make.make_actor(
        "project_member", organisation=make.Organisation.objects.get(pk=made.leader.organisation_id)
    )
    newcomer = make.make_organisation("Nouvelle venue", kind="laboratory")
    results = race(
        *(
            lambda by=by: actions.add_partner(made.project, newcomer, kind="research", by=by, on=DAY)
            for by in (made.leader, colleague)
        )
    )
    assert lost(results) == 1 and made.project.partners.filter(organisation=newcomer).count() == 1
    actions.remove_partner(made.project, made.project.partners.get(organisation=newcomer).key, by=made.leader, on=DAY)

    rev = queries.section_revs(made.project)["budget:p2"].rev
    totals = (Decimal("600100.00"), Decimal("600200.00"))
    results = race(
        *(
            lambda by=by, total=total: actions.set_budget(made.project, "p2", w.lines(total), rev=rev, by=by, on=DAY)
            for by, total in zip((made.leader, made.partner), totals, strict=True)
        )
    )
    assert lost(results) == 1 and any(isinstance(r, Conflict) for r in results)
    assert Revision.objects.filter(project=made.project, refused=True, section="budget:p2").count() == 1

    results = race(
        lambda: actions.submit(made.project, by=made.leader, on=DAY),
        lambda: actions.submit(made.project, by=colleague, on=DAY),
        lambda: actions.set_budget(made.project, "p2", w.lines(Decimal("610000.00")), by=made.partner, on=DAY),
    )
    assert 1 <= lost(results) <= 2
    project = Project.objects.get(pk=made.project.pk)
    assert project.state == "submitted"
    told, kept = budget_told(project, "p2")
    assert told == kept  # what came too late is refused, and kept as refused words
    assert (kept == Decimal("610000.00")) != isinstance(results[2], Conflict)
    assert list(breaks()) == []


def test_rules_and_closing_that_change_while_a_file_is_handed_in():
    made = w.consortium()
    w.label(made.project)
    officer = make.make_actor("national_officer")
    changed = json.loads(json.dumps(queries.latest_rules(made.call).rules))
    next(e for e in changed["eligibility"] if e["rule"] == "partner_share_max")["value"] = "65"
    results = race(
        lambda: actions.submit(made.project, by=made.leader, on=DAY),
        lambda: actions.new_rules_version(made.call, changed, reason="Comité", move_drafts=True, by=officer, on=DAY),
    )
    assert lost(results) == 0
    project = Project.objects.get(pk=made.project.pk)
    assert queries.frozen_content(project)["rules"]["version"] == project.rules.version

    second = w.consortium(made.call)
    w.label(second.project)
    noon = dt.datetime(DAY.year, DAY.month, DAY.day, 10, tzinfo=dt.UTC)
    results = race(
        lambda: actions.submit(second.project, by=second.leader, on=DAY, at=noon),
        lambda: actions.edit_call(made.call, closes_on=DAY - dt.timedelta(days=1), by=officer, on=DAY),
    )
    # the first project was handed in on the same day: the closing cannot come before it, and the second file is received
    assert isinstance(results[1], Refused) and not isinstance(results[0], Exception)
    third = w.consortium()
    w.label(third.project)
    results = race(
        lambda: actions.submit(third.project, by=third.leader, on=DAY, at=noon),
        lambda: actions.edit_call(third.call, closes_on=DAY - dt.timedelta(days=1), by=officer, on=DAY),
    )
    assert lost(results) == 1  # received before the closing moved, or refused after it: never both, never neither
    assert list(breaks()) == []
