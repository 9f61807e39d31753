"""Declarations: one current per person and case, recusal that its object cannot lift, and what it keeps away."""

from __future__ import annotations

import pytest

from jalon.clusters.models import Cluster
from jalon.core import journal
from jalon.core.errors import NotAllowed, Refused
from jalon.core.models import JournalEntry
from jalon.interests import access, actions
from jalon.interests.desk import hidden_for
from jalon.interests.models import Declaration
from jalon.people.access import VISITOR
from tests import factories as make

pytestmark = pytest.mark.django_db
CASE = "cluster:alpha"


def test_declare_replace_and_recuse():
    expert = make.make_actor("expert")
    assert access.stances(expert.user_id, [CASE]) == {}
    with pytest.raises(NotAllowed):
        access.require_declared(expert, CASE)
    actions.declare(CASE, "none", by=expert, on=make.DAY)
    access.require_declared(expert, CASE)
    with pytest.raises(Refused):
        actions.declare(CASE, "interest", by=expert, on=make.DAY)  # says nothing of its nature
    actions.declare(CASE, "interest", by=expert, on=make.DAY, reason="Ancien employeur")
    with pytest.raises(NotAllowed):
        access.require_not_recused(expert, CASE)
    kept = [(row.stance, row.superseded_at is None) for row in Declaration.objects.order_by("id")]
    assert kept == [("none", False), ("interest", True)]
    with pytest.raises(NotAllowed):
        actions.declare(CASE, "none", by=VISITOR, on=make.DAY)


def test_a_recusal_asked_for_cannot_be_lifted_by_its_object_and_a_known_link_cannot_be_denied():
    director, leader = make.make_actor("cluster_director"), make.make_actor("project_member")
    actions.ask_recusal(CASE, make.user_of(director), by=leader, on=make.DAY, reason="Concurrent")
    with pytest.raises(NotAllowed):
        actions.declare(CASE, "none", by=director, on=make.DAY)
    with pytest.raises(Refused):
        actions.declare(CASE, "none", by=make.make_actor("expert"), on=make.DAY, linked=True)


def test_lists_messages_and_journal_keep_the_recused_away():
    alpha, beta = make.make_cluster("alpha"), make.make_cluster("beta")
    expert, officer = make.make_actor("expert"), make.make_actor("national_officer")
    actions.declare(CASE, "interest", by=expert, on=make.DAY, reason="Ancien employeur")
    journal.record(CASE, "register.update", on=make.DAY)
    clusters = Cluster.objects.order_by("slug")
    assert list(access.exclude_recused(expert, clusters, "cluster:slug")) == [beta]
    assert list(access.exclude_recused(officer, clusters, "cluster:slug")) == [alpha, beta]
    assert access.without_recused(expert, [alpha, beta], lambda c: f"cluster:{c.slug}") == [beta]
    assert access.recused_keys(expert.user_id, "cluster") == ["alpha"]
    users = [make.user_of(expert), make.user_of(officer), make.user_of(officer)]
    assert access.recipients(CASE, users) == [users[1]]

    def read(actor):
        rows = JournalEntry.objects.exclude(hidden_for(actor, make.DAY)).order_by("id")
        return list(rows.values_list("case", flat=True))

    # The recused reads their own declaration and nothing of the case; others read the case, not who declared.
    assert read(expert) == [f"interests:{CASE}"]
    assert read(officer) == [CASE]
    assert read(VISITOR) == [CASE]
