"""A small world for labelling: a call, a project and its consortium, two pôles with committee and bureau, experts."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from jalon.core import clock
from jalon.interests import actions as interests
from jalon.labelling import actions
from jalon.labelling.models import Member
from jalon.projects.models import BudgetLine, Call, Partner, Project
from tests import factories as make

DAY = make.DAY
CLOSES = dt.date(2010, 9, 30)


def make_call(closes_on: dt.date | None = CLOSES, **fields) -> Call:
    n = make.number()
    return Call.objects.create(
        programme=make.PROGRAMME,
        code=f"appel-{n}",
        scheme="fui",
        number=n,
        kind="rd",
        title_fr=f"Appel {n}",
        title_en=f"Call {n}",
        opens_on=dt.date(2010, 3, 1),
        closes_on=closes_on,
        state="open",
        created_at=clock.moment_on(dt.date(2010, 3, 1)),
        **fields,
    )


def make_project(leader, partners=(), call=None, **fields) -> Project:
    """A project led by an organisation; ``partners`` are organisations."""
    n = make.number()
    fields = {
        "slug": f"projet-{n}",
        "acronym": f"PROJ{n}",
        "title": f"Projet d'essai {n}",
        "summary": "Le résumé public.",
        "confidential": "Un texte confidentiel.",
        "state": "draft",
        "created_at": clock.moment_on(dt.date(2010, 3, 1)),
        **fields,
    }
    project = Project.objects.create(programme=make.PROGRAMME, call=call or make_call(), **fields)
    for order, one in enumerate([leader, *partners]):
        partner = Partner.objects.create(
            project=project,
            organisation=one,
            key=f"p{order}",
            role="partner" if order else "leader",
            kind="company" if order < 2 else "research",
            order=order,
        )
        BudgetLine.objects.create(partner=partner, year=2011, category="staff", amount=100_000)
    return project


def sit(cluster, actor, *, chair: bool = False, body: str = "committee") -> Member:
    return Member.objects.create(
        cluster=cluster,
        user_id=actor.user_id,
        body=body,
        chair=chair,
        starts_on=dt.date(2009, 1, 1),
    )


def build() -> SimpleNamespace:
    cluster = make.make_cluster("foret", "Produits et Matériaux des Forêts Cultivées")
    other = make.make_cluster("bois", "Bois de demain")
    leader = make.make_actor("project_member", organisation=make.make_organisation("Scierie du Sud"))
    partner = make.make_actor("project_member", organisation=make.make_organisation("Colles et Liants"))
    lab = make.make_organisation("Laboratoire des fibres", "laboratory")
    voters = [make.make_actor("expert") for _ in range(4)]
    director = make.make_actor("cluster_director", cluster=cluster)
    made = SimpleNamespace(
        cluster=cluster,
        other=other,
        leader=leader,
        partner=partner,
        director=director,
        team=make.make_actor("cluster_team", cluster=cluster),
        other_director=make.make_actor("cluster_director", cluster=other),
        expert=make.make_actor("expert", user=make.make_user("claire.expert@exemple.test", "Claire Experte")),
        second=make.make_actor("expert", user=make.make_user("paul.second@exemple.test", "Paul Secondat")),
        voters=voters,
        officer=make.make_actor("national_officer"),
        reader=make.make_actor("reader"),
        call=make_call(),
    )
    made.project = make_project(
        _organisation(leader),
        [_organisation(partner), lab],
        made.call,
        slug="sapin",
        acronym="SAPIN",
        title="Panneaux sans formaldéhyde",
        confidential="Formule secrète de la colle.",
    )
    for n, voter in enumerate(voters):
        sit(cluster, voter, chair=n == 0)
    sit(cluster, director, body="bureau")
    return made


def _organisation(actor):
    from jalon.people.models import Organisation

    return Organisation.objects.get(pk=actor.organisation_id)


def declare(world, *actors, stance="none", on=DAY):
    for actor in actors:
        reason = "" if stance == "none" else "Ancien salarié d'un partenaire"
        interests.declare(world.project.case, stance, by=actor, on=on, reason=reason)


def asked(world, **fields):
    fields = {"lead": True, "by": world.leader, "on": DAY, **fields}
    world.request = actions.ask(world.project, world.cluster, **fields)
    return world.request


def received(world, **fields):
    asked(world, **fields)
    return actions.receive(world.request, correspondent=make.user_of(world.team), by=world.team, on=DAY)


def admitted(world, **fields):
    received(world, **fields)
    declare(world, world.team)
    return actions.admit(world.request, by=world.team, on=DAY)


SCORES = {"technology": 4, "partnership": 5, "market": 3, "jobs": 3, "strategy": 4}


def opinion(world, expert, *, give=True):
    one = actions.invite(world.request, make.user_of(expert), by=world.team, on=DAY)
    if give:
        declare(world, expert)
        one = actions.save_opinion(
            one,
            scores=SCORES,
            text=f"Avis motivé de {expert.user_label[:3]}",
            recommendation="favourable",
            rev=0,
            by=expert,
            on=DAY,
        )
        one = actions.give_opinion(one, by=expert, on=DAY)
    return one


def voting(world, way="electronic", closes_on=dt.date(2010, 7, 7), **fields):
    admitted(world, **fields)
    opinion(world, world.expert)
    opinion(world, world.second)
    world.ballot = actions.open_vote(world.request, way=way, closes_on=closes_on, by=world.team, on=DAY)
    return world.ballot


def voted(world, choices=("for", "for", "for", "against"), **fields):
    voting(world, **fields)
    for voter, choice in zip(world.voters, choices, strict=False):
        if choice:
            declare(world, voter)
            actions.cast(world.ballot, choice, by=voter, on=DAY)
    world.closed_on = world.ballot.closes_on
    return actions.close_vote(world.request, by=world.team, on=world.closed_on)
