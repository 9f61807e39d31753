"""Requests for a label in the small data set: one being decided, one under opinions, with the roles of the house in them."""

from __future__ import annotations

import datetime as dt

from jalon.interests import actions as interests
from jalon.labelling import actions
from jalon.people.queries import actor_of
from tests import factories as f
from tests.labelling import world as small

DAY = f.DAY


def extend(world) -> None:
    """``label_request`` is being voted on; ``opinion`` is asked of the expert; ``label_project`` is the company's."""

    def actor(who):
        return actor_of(world.users[who], DAY)

    cluster = world.world.cluster
    leader, team, expert, director = (
        actor(w) for w in ("project_member", "cluster_team", "expert", "cluster_director")
    )
    organisation = small._organisation(leader)
    project = small.make_project(organisation, slug="label-projet", acronym="LABEL")
    small.sit(cluster, expert, chair=True)
    request = actions.ask(project, cluster, lead=True, by=leader, on=DAY)
    actions.receive(request, correspondent=world.users["cluster_team"], by=team, on=DAY)
    for who in (team, expert, director):
        interests.declare(project.case, "none", by=who, on=DAY)
    actions.admit(request, by=team, on=DAY)
    opinion = actions.invite(request, world.users["expert"], by=team, on=DAY)
    voted = small.make_project(organisation, slug="label-vote", acronym="VOTE")
    ballot_request = actions.ask(voted, cluster, lead=True, by=leader, on=DAY)
    actions.receive(ballot_request, correspondent=world.users["cluster_team"], by=team, on=DAY)
    for who in (team, expert, director):
        interests.declare(voted.case, "none", by=who, on=DAY)
    actions.admit(ballot_request, by=team, on=DAY)
    second = actions.invite(ballot_request, world.users["expert"], by=team, on=DAY)
    actions.attach(second, b"Note", "note.txt", by=expert, on=DAY)
    actions.open_vote(ballot_request, way="electronic", by=team, on=DAY, reason="Essai", closes_on=dt.date(2010, 7, 20))
    decided = actions.ask(small.make_project(organisation, slug="label-decide"), cluster, lead=True, by=leader, on=DAY)
    actions.receive(decided, correspondent=world.users["cluster_team"], by=team, on=DAY)
    for who in (team, director):
        interests.declare(decided.project.case, "none", by=who, on=DAY)
    actions.admit(decided, by=team, on=DAY)
    actions.decide(decided, "deferred", by=director, on=DAY, reasons="Marché à étayer")
    world.args |= {
        "label_decided": decided.pk,
        "label_request": ballot_request.pk,
        "opinion": opinion.pk,
        "expert_id": world.users["expert"].pk,
        "opinion_with_file": second.pk,
        "label_project": project.slug,
    }
