"""Requests for a label at the home cluster, each at another step, by the same acts as its team uses.

The accounts of the demonstration stand in the middle of it: the expert has one declaration to make and one opinion due,
the director a vote and a decision, the company reads a decision with its conditions.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from jalon.clusters.models import Membership
from jalon.core.clock import moment_on
from jalon.demo.build import DAY, HISTORY_FROM, HOME_CLUSTER, YOUNG_CLUSTER, Say, World, organisation
from jalon.demo.contracts import actor
from jalon.interests.actions import declare
from jalon.labelling import actions, queries
from jalon.labelling.models import LabelRequest, Opinion
from jalon.people.access import Actor
from jalon.people.models import Mandate, Organisation, User
from jalon.projects import actions as projects
from jalon.projects.models import BudgetLine, Call, Partner, Project

CALL = "fui-11"


@dataclass(frozen=True)
class Idea:
    """A project of the demonstration: invented, around wood, which is the home cluster's field."""

    acronym: str
    title: str
    summary: str
    secret: str
    until: str
    asked_on: dt.date
    budget: int


IDEAS = (
    Idea("PANOVERT", "Panneaux de particules sans formaldéhyde", "Un liant d'origine végétale pour panneaux d'ameublement.",
         "Le liant associe tanins et lignine ; la cuisson à 160 °C est le point à lever.", "asked", dt.date(2010, 6, 28), 1_450_000),
    Idea("PINTRACE", "Traçabilité du pin maritime, de la parcelle à la scierie", "Suivre chaque bille par un marquage optique.",
         "Le lecteur optique est essayé sur trois lignes ; le taux de lecture atteint 92 %.", "received", dt.date(2010, 6, 21), 980_000),
    Idea("ISOFIBRE", "Isolant souple en fibre de pin", "Un isolant biosourcé pour la rénovation.",
         "Deux additifs ignifuges sont comparés ; le brevet est en préparation.", "to_declare", dt.date(2010, 6, 4), 1_720_000),
    Idea("LIGNOCARB", "Fibres de carbone issues de la lignine", "Des fibres techniques à partir d'un coproduit papetier.",
         "Le filage en fondu donne 1,1 GPa ; l'objectif est de 1,5 GPa.", "opinions", dt.date(2010, 6, 2), 2_600_000),
    Idea("SECHEBOIS", "Séchage rapide et sobre du bois d'œuvre", "Un séchoir à pompe à chaleur piloté par mesure en continu.",
         "Le gain d'énergie attendu est de 35 %, mesuré sur un pilote de 8 m³.", "vote", dt.date(2010, 5, 17), 1_150_000),
    Idea("POUTRELLE", "Poutres composites bois et béton pour bureaux", "Des planchers de grande portée en bois local.",
         "Le connecteur collé supporte 40 kN ; l'essai au feu reste à faire.", "voted", dt.date(2010, 5, 10), 1_900_000),
    Idea("CHIMIPIN", "Molécules d'intérêt extraites du pin", "Des extraits pour la cosmétique et l'alimentation animale.",
         "Trois fractions sont brevetables ; le procédé utilise du CO2 supercritique.", "conditions", dt.date(2010, 4, 26), 2_200_000),
)  # fmt: skip


def build(world: World, say: Say) -> None:
    """The committee, then each request up to its step."""
    if not queries.used() or HOME_CLUSTER not in world.clusters:
        return
    say("Démonstration : labellisation des projets…", "Demonstration: labelling of projects…")
    _people(world)
    who = _actors(world)
    others = _partners(world)
    made: dict[str, Project] = {}
    for number, idea in enumerate(IDEAS):
        project = _project(world, idea, who["leader"], [others[(2 * number + n) % len(others)] for n in (0, 1)])
        made[idea.acronym] = project
        _run(world, idea, project, who)
    actions.ask(
        made["CHIMIPIN"],
        world.clusters[YOUNG_CLUSTER],
        lead=False,
        by=who["leader"],
        on=dt.date(2010, 6, 25),
        at=moment_on(dt.date(2010, 6, 25), 16),
        simulated=True,
    )


def _people(world: World) -> None:
    """Five experts without sign-in; three of them and the director sit on the committee."""
    body = organisation("Experts de la démonstration", "other")
    for n in range(1, 6):
        user = User(email=f"expert-{n}@demonstration.invalid", name=f"Expert du bois n° {n} (simulé)", simulated=True)
        user.set_unusable_password()
        user.save()
        Mandate.objects.create(
            user=user, organisation=body, programme=world.programme, role="expert", starts_on=HISTORY_FROM
        )
        world.users[f"labelling-expert-{n}"] = user
    home, day = world.clusters[HOME_CLUSTER], dt.date(2009, 3, 2)
    director = actor(world, "cluster_director", "cluster_director", world.carrier[HOME_CLUSTER])
    for key, body_code, chair in (
        ("labelling-expert-1", "committee", True),
        ("labelling-expert-2", "committee", False),
        ("labelling-expert-3", "committee", False),
        ("cluster_director", "committee", False),
        ("cluster_director", "bureau", True),
    ):
        actions.seat(
            home, world.users[key], body_code, chair=chair, by=director, on=day, at=moment_on(day, 9), simulated=True
        )


def _actors(world: World) -> dict[str, Actor]:
    body = Organisation.objects.get(name="Experts de la démonstration", merged_into=None)
    carrier = world.carrier[HOME_CLUSTER]
    leader = Mandate.objects.select_related("organisation").filter(user=world.users["project_member"]).first()
    return {
        "leader": actor(world, "project_member", "project_member", leader.organisation),
        "team": actor(world, "cluster_team", "cluster_team", carrier),
        "director": actor(world, "cluster_director", "cluster_director", carrier),
        "expert": actor(world, "expert", "expert", body),
        **{f"expert-{n}": actor(world, f"labelling-expert-{n}", "expert", body) for n in range(1, 6)},
    }


def _partners(world: World) -> list[Organisation]:
    """Members of the home cluster, companies and laboratories in turn."""
    rows = Membership.objects.filter(cluster=world.clusters[HOME_CLUSTER], superseded_at=None, left_on=None)
    rows = rows.select_related("organisation").order_by("id")
    firms = [r.organisation for r in rows if r.member_type == "sme"][:7]
    labs = [r.organisation for r in rows if r.member_type == "research_training"][:7]
    return [one for pair in zip(firms, labs, strict=False) for one in pair]


def _project(world: World, idea: Idea, by: Actor, others: list[Organisation]) -> Project:
    """The project's file, written before the label is asked for."""
    day = idea.asked_on - dt.timedelta(days=14)
    at: dict[str, Any] = {"by": by, "on": day, "at": moment_on(day, 11)}
    call = Call.objects.filter(code=CALL).first()
    project = projects.start_project(call, idea.acronym, idea.title, simulated=True, **at)
    for one in others:
        projects.add_partner(project, one, **at)
    for section, values in (
        ("identity", {"acronym": idea.acronym, "title": idea.title, "starts_on": dt.date(2011, 3, 1), "months": 36}),
        ("summary", {"summary": idea.summary}),
        ("confidential", {"confidential": idea.secret}),
        ("trl", {"trl_entry": 3, "trl_target": 7}),
    ):
        projects.save_section(project, section, values, **at)
    parts = list(Partner.objects.filter(project=project).order_by("order", "id"))
    for part, share in zip(parts, (50, 30, 20), strict=False):
        for year in (2011, 2012, 2013):
            BudgetLine.objects.create(partner=part, year=year, category="staff", amount=idea.budget * share // 100 // 3)
    project.refresh_from_db()
    return project


def _run(world: World, idea: Idea, project: Project, who: dict[str, Actor]) -> LabelRequest:
    """The request up to the step ``idea.until``, one act a few days after the other."""
    day = idea.asked_on

    def now(days: int) -> dict[str, Any]:
        on = min(day + dt.timedelta(days=days), DAY)
        return {"on": on, "at": moment_on(on, 10)}

    request = actions.ask(project, world.clusters[HOME_CLUSTER], lead=True, by=who["leader"], simulated=True, **now(0))
    if idea.until == "asked":
        return request
    request = actions.receive(request, correspondent=world.users["cluster_team"], by=who["team"], **now(2))
    _declare(project, who["team"], **now(3))
    if idea.until == "received":
        return request
    request = actions.admit(request, by=who["team"], **now(8))
    if idea.until == "to_declare":
        _opinion(request, world, "labelling-expert-4", who["team"], who["expert-4"], 9, 17, now)
        actions.invite(request, world.users["expert"], days=20, by=who["team"], **now(20))
        return request
    if idea.until == "opinions":
        _opinion(request, world, "labelling-expert-5", who["team"], who["expert-5"], 9, 18, now)
        asked = actions.invite(request, world.users["expert"], days=15, by=who["team"], **now(19))
        _declare(project, who["expert"], **now(21))
        actions.save_opinion(
            asked,
            scores={"technology": 4},
            text="Le verrou du filage est bien posé.",
            recommendation="",
            rev=0,
            by=who["expert"],
            **now(22),
        )
        return request
    for n, key in ((4, "labelling-expert-4"), (5, "labelling-expert-5")):
        _opinion(request, world, key, who["team"], who[f"expert-{n}"], 9, 18 + n, now)
    closes = dt.date(2010, 7, 7) if idea.until == "vote" else (day + dt.timedelta(days=32))
    ballot = actions.open_vote(request, way="electronic", closes_on=closes, by=who["team"], **now(25))
    voters = [who["expert-1"], who["expert-2"]] if idea.until == "vote" else [who[f"expert-{n}"] for n in (1, 2, 3)]
    for n, voter in enumerate(voters):
        _declare(project, voter, **now(27))
        choice = "against" if idea.until == "voted" and n == 2 else "for"
        actions.cast(ballot, choice, by=voter, **now(28))
    _declare(project, who["director"], **now(29))
    if idea.until == "vote":
        return request
    actions.cast(ballot, "for", by=who["director"], **now(30))
    request = actions.close_vote(request, by=who["team"], **now(32))
    if idea.until == "voted":
        return request
    return actions.decide(
        request,
        "conditions",
        reasons="Projet solide, dans les priorités du pôle ; il lui manque un utilisateur final.",
        conditions=[("Associer un fabricant de cosmétiques au consortium", dt.date(2010, 9, 15))],
        reference="XYL-2010-07",
        by=who["director"],
        **now(40),
    )


def _declare(project: Project, by: Actor, **when: Any) -> None:
    declare(project.case, "none", by=by, simulated=True, **when)


def _opinion(
    request: LabelRequest, world: World, key: str, team: Actor, expert: Actor, asked: int, given: int, now: Any
) -> Opinion:
    """An opinion asked for and given; scores drawn from the seed."""
    one = actions.invite(request, world.users[key], by=team, **now(asked))
    _declare(request.project, expert, **now(asked + 1))
    criteria = queries.criteria_of(request)
    scores = {c.code: world.rng.randint(3, 5) for c in criteria.criteria}
    one = actions.save_opinion(
        one,
        scores=scores,
        text="Le consortium est équilibré et le verrou technique bien posé ; le plan d'affaires reste à chiffrer.",
        recommendation=world.rng.choice(("favourable", "favourable", "reserved")),
        rev=0,
        by=expert,
        **now(given),
    )
    return actions.give_opinion(one, by=expert, **now(given))
