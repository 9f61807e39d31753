"""Committees of the demonstration: the coordination committees of the home region, the GTI, the coordination on water.

They exist by the policy; their sessions, decisions and follow-ups are simulated, and made by the same acts as officers use.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.committees import access, actions
from jalon.committees.models import CommitteeSeat, Session
from jalon.core.clock import moment_on
from jalon.demo.build import DAY, HOME_REGION, Say, World, organisation
from jalon.demo.contracts import actor, correspondent, director, officer

FIRST = dt.date(2009, 7, 6)
PAST = dt.date(2010, 1, 19)
NEXT = dt.date(2010, 7, 8)
WATER = ("eau", "hydreos", "dream")
"""EAU leads the coordination of three water clusters (CIADT of 11 May 2010)."""


def build(world: World, say: Say) -> None:
    """Everything of this chapter; nothing for a programme without committees."""
    if not access.kinds():
        return
    say("Démonstration : comités…", "Demonstration: committees…")
    for slug in sorted(world.clusters):
        if world.region[slug] == HOME_REGION:
            coordination(world, slug)
    gti(world)
    water(world)


def _at(day: dt.date, hour: int = 10) -> dict[str, Any]:
    return {"on": day, "at": moment_on(day, hour)}


def coordination(world: World, slug: str) -> None:
    """A committee with a session held in January, its minutes adopted, one follow-up late, and one convened for July."""
    cluster, by = world.clusters[slug], correspondent(world, slug)
    started = max(FIRST, world.since[slug])
    committee = actions.create(
        "coordination",
        clusters=[cluster],
        organiser=world.services[HOME_REGION],
        starts_on=started,
        fill=True,
        slug=f"coordination-{slug}",
        simulated=True,
        by=by,
        **_at(started),
    )
    held = {s.seat for s in committee.seats.all()}
    give = {"starts_on": started, "by": by, "simulated": True, **_at(started)}
    for seat, body in (
        ("prefect", world.states[HOME_REGION]),
        ("region-president", world.councils[HOME_REGION]),
        ("cluster", world.carrier[slug]),
    ):
        if seat not in held and not committee.seats.filter(organisation=body).exists():
            actions.give_seat(committee, seat, body, **give)
    seats = {s.seat: s for s in CommitteeSeat.objects.filter(committee=committee).order_by("-id")}
    if started < PAST:
        past_session(world, committee, seats, by)
    session = actions.plan(
        committee,
        NEXT,
        starts_at=dt.time(14, 30),
        where="Bordeaux, préfecture de région",
        by=by,
        **_at(dt.date(2010, 6, 24)),
    )
    actions.add_item(session, title="Points divers", kind="information", by=by, **_at(dt.date(2010, 6, 24)))
    actions.build_agenda(session, by=by, **_at(DAY, 8))
    actions.convene(session, by=by, **_at(DAY, 9))


def past_session(world: World, committee: Any, seats: dict[str, Any], by: Any) -> None:
    """The session of January: two decisions, three follow-ups, one of them late on the demonstration's day."""
    session = actions.plan(
        committee, PAST, starts_at=dt.time(10, 0), where="Bordeaux, DIRECCTE", by=by, **_at(dt.date(2010, 1, 4))
    )
    first = actions.add_item(
        session,
        title="Première année du contrat : ce qui est tenu",
        kind="discussion",
        by=by,
        **_at(dt.date(2010, 1, 4)),
    )
    second = actions.add_item(
        session, title="Calendrier des actions de 2010", kind="decision", by=by, **_at(dt.date(2010, 1, 4))
    )
    actions.convene(session, by=by, **_at(dt.date(2010, 1, 8)))
    actions.open_session(session, presided_by=seats.get("prefect"), by=by, **_at(PAST))
    funders = list(CommitteeSeat.objects.filter(committee=committee, seat="funder").order_by("id"))
    for seat in CommitteeSeat.objects.filter(committee=committee).order_by("order", "id"):
        if seat not in funders[-1:]:
            actions.set_presence(session, seat, "present", by=by, **_at(PAST))
    actions.save_words(
        first,
        notes="Le pôle présente ses actions. Les financeurs demandent un point écrit sur les retards.",
        draft="",
        rev=0,
        by=by,
        **_at(PAST),
    )
    one = actions.decide(first, "Le pôle remet un point écrit sur les actions en retard.", by=by, **_at(PAST, 11))
    two = actions.decide(
        second, "Le calendrier de 2010 est approuvé ; la Région confirme ses versements.", by=by, **_at(PAST, 11)
    )
    late = actions.add_follow_up(
        session, kind="paper", title="Point écrit sur les actions en retard", owner=seats["cluster"],
        due_on=dt.date(2010, 5, 31), decision=one, by=by, **_at(PAST, 11),
    )  # fmt: skip
    actions.add_follow_up(
        session, kind="payment", title="Confirmer le calendrier des versements de 2010",
        owner=seats.get("region-president", late.owner), due_on=dt.date(2010, 9, 30), decision=two, by=by, **_at(PAST, 11),
    )  # fmt: skip
    done = actions.add_follow_up(
        session, kind="reminder", title="Rappeler l'échéance du rapport 2009", owner=seats.get("service", late.owner),
        due_on=dt.date(2010, 2, 15), decision=two, by=by, **_at(PAST, 11),
    )  # fmt: skip
    actions.close_session(session, by=by, **_at(PAST, 12))
    actions.circulate(session, by=by, **_at(dt.date(2010, 2, 4)))
    actions.finish_follow_up(done, note="Rappel envoyé au pôle.", by=by, **_at(dt.date(2010, 2, 12)))
    actions.adopt(session, by=by, **_at(dt.date(2010, 3, 2)))


def gti(world: World) -> None:
    """The GTI: a session in June with a vote by two people and their proxies, and one convened for July."""
    by = officer(world)
    expert_body = world.users["ministry_expert"].mandates.select_related("organisation").first().organisation
    expert = actor(world, "ministry_expert", "ministry_expert", expert_body)
    started = dt.date(2005, 1, 3)
    committee = actions.create("gti", starts_on=started, slug="gti", simulated=True, by=by, **_at(started))
    give = {"starts_on": started, "by": by, **_at(started)}
    secretary = actions.give_seat(
        committee, "secretariat", world.users["national_officer"].mandates.first().organisation, **give
    )
    ministries = [actions.give_seat(committee, "ministry", expert_body, function="Ministère de l'industrie", **give)]
    for name in ("de la recherche", "de l'agriculture", "de la défense"):
        body = organisation(f"Ministère {name}", "state_service", simulated=False)
        ministries.append(actions.give_seat(committee, "ministry", body, **give))
    oseo = world.users["fund_manager"].mandates.select_related("organisation").first().organisation
    actions.give_seat(committee, "operator", oseo, **give)
    june, asked = dt.date(2010, 6, 15), dt.date(2010, 6, 1)
    session = actions.plan(committee, june, starts_at=dt.time(9, 30), where="Paris", by=by, **_at(asked))
    item = actions.add_item(
        session, title="Organisation du suivi des nouveaux pôles", kind="opinion", by=by, **_at(asked)
    )
    actions.convene(session, by=by, **_at(asked))
    actions.open_session(session, presided_by=secretary, by=by, **_at(june))
    actions.set_presence(session, secretary, "present", by=by, **_at(june))
    actions.set_presence(session, ministries[0], "present", by=expert, **_at(june))
    actions.set_presence(session, ministries[1], "represented", proxy_to=secretary, by=by, **_at(june))
    actions.set_presence(session, ministries[2], "represented", proxy_to=ministries[0], by=by, **_at(june))
    ballot = actions.open_ballot(item, question="Un point sur les nouveaux pôles à chaque séance ?", by=by, **_at(june))
    actions.cast(ballot, secretary, "for", by=by, **_at(june))
    actions.cast(ballot, ministries[1], "for", by=by, **_at(june))
    actions.cast(ballot, ministries[0], "for", by=expert, **_at(june))
    actions.cast(ballot, ministries[2], "abstain", by=expert, **_at(june))
    actions.close_ballot(ballot, by=by, **_at(june))
    made = actions.decide(item, "Un point sur les nouveaux pôles est fait à chaque séance.", by=by, **_at(june, 11))
    actions.add_follow_up(
        session, kind="paper", title="Tableau de bord des six nouveaux pôles", owner=ministries[0],
        due_on=dt.date(2010, 7, 2), decision=made, by=by, **_at(june, 11),
    )  # fmt: skip
    actions.close_session(session, by=by, **_at(june, 12))
    actions.circulate(session, by=by, **_at(dt.date(2010, 6, 25)))
    coming = actions.plan(committee, dt.date(2010, 7, 6), starts_at=dt.time(9, 30), where="Paris", by=by, **_at(DAY, 8))
    actions.add_item(coming, title="Suites de l'appel à projets en cours", kind="decision", by=by, **_at(DAY, 8))
    actions.build_agenda(coming, by=by, **_at(DAY, 8))
    actions.convene(coming, by=by, **_at(DAY, 9))


def water(world: World) -> None:
    """The coordination of the three water clusters, led by EAU: set up after the decision of May, first session to come."""
    if any(slug not in world.clusters for slug in WATER):
        return
    by = director(world, WATER[0])
    started = dt.date(2010, 6, 1)
    lead, *others = (world.clusters[slug] for slug in WATER)
    committee = actions.create(
        "thematic",
        title="Coordination des pôles de l'eau",
        purpose="EAU conduit la coordination des trois pôles de l'eau, avec Hydreos et DREAM (CIADT du 11 mai 2010).",
        clusters=[lead, *others],
        lead=lead,
        starts_on=started,
        fill=True,
        slug="coordination-eau",
        sources=["actu10"],
        simulated=True,
        by=by,
        **_at(started),
    )
    session: Session = actions.plan(
        committee, dt.date(2010, 9, 14), starts_at=dt.time(14, 0), where="Montpellier", by=by, **_at(DAY, 8)
    )
    actions.add_item(session, title="Programme commun de la filière eau", by=by, **_at(DAY, 8))
    actions.build_agenda(session, by=by, **_at(DAY, 8))
    actions.convene(session, by=by, **_at(DAY, 9))
