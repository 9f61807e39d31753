"""Committees of the small data set: a coordination committee at three stages of its sessions, the GTI with a running vote."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.committees import actions
from jalon.people.models import Mandate, User
from jalon.people.queries import actor_from
from tests import factories as f

DAY = f.DAY
PAST = dt.date(2010, 3, 9)
NEXT = dt.date(2010, 7, 8)
LATER = dt.date(2010, 9, 9)


def actor(user: User) -> Any:
    return actor_from(Mandate.objects.select_related("user", "organisation").filter(user=user).order_by("id").first())


def extend(world: Any) -> None:
    """Adds ``committee``, ``session_…``, ``gti``, ``item_…``, ``ballot``, ``follow`` and the like to ``world.args``."""
    made, users = world.world, world.users
    by = made.correspondent
    committee = actions.create(
        "coordination",
        clusters=[made.cluster],
        starts_on=dt.date(2009, 7, 6),
        organiser=_organisation(by),
        by=by,
        on=DAY,
    )
    give = {"starts_on": dt.date(2009, 7, 6), "by": by, "on": DAY}
    prefect = actions.give_seat(committee, "prefect", made.state, **give)
    region = actions.give_seat(committee, "region-president", made.region, **give)
    cluster = actions.give_seat(committee, "cluster", f.carrier_of(made.cluster), **give)

    def session(day: dt.date, on: dt.date):
        row = actions.plan(committee, day, by=by, on=on)
        item = actions.add_item(row, title=f"Point du {day}", kind="decision", by=by, on=on)
        return row, item

    past, past_item = session(PAST, dt.date(2010, 3, 1))
    paper = actions.add_paper(past, b"%PDF-1.4 note", "note.pdf", item=past_item, by=by, on=dt.date(2010, 3, 1))
    actions.convene(past, by=by, on=dt.date(2010, 3, 1))
    actions.open_session(past, by=by, on=PAST)
    for seat in (prefect, region, cluster):
        actions.set_presence(past, seat, "present", by=by, on=PAST)
    decision = actions.decide(past_item, "Le pôle livre l'étude", by=by, on=PAST)
    follow = actions.add_follow_up(
        past, kind="paper", title="Étude", owner=cluster, due_on=dt.date(2010, 5, 31), decision=decision, by=by, on=PAST
    )
    actions.close_session(past, by=by, on=PAST)
    actions.circulate(past, by=by, on=dt.date(2010, 3, 20))
    now, now_item = session(DAY, dt.date(2010, 6, 14))
    actions.convene(now, by=by, on=dt.date(2010, 6, 14))
    actions.open_session(now, by=by, on=DAY)
    for seat in (prefect, region, cluster):
        actions.set_presence(now, seat, "present", by=by, on=DAY)
    coming, coming_item = session(NEXT, DAY)
    actions.convene(coming, by=by, on=DAY)
    planned, planned_item = session(LATER, DAY)
    dropped = actions.add_item(planned, title="Écarté", by=by, on=DAY)
    actions.drop_item(dropped, "Sans objet", by=by, on=DAY)

    officer = made.officer
    gti = actions.create("gti", starts_on=dt.date(2009, 1, 5), by=officer, on=DAY)
    give = {"starts_on": dt.date(2009, 1, 5), "by": officer, "on": DAY}
    secretary = actions.give_seat(gti, "secretariat", _organisation(officer), **give)
    expert = actor(users["ministry_expert"])
    ministry = actions.give_seat(gti, "ministry", _organisation(expert), **give)
    votes = actions.plan(gti, DAY, by=officer, on=dt.date(2010, 6, 14))
    question = actions.add_item(votes, title="Avis", kind="opinion", by=officer, on=dt.date(2010, 6, 14))
    actions.convene(votes, by=officer, on=dt.date(2010, 6, 14))
    actions.open_session(votes, by=officer, on=DAY)
    actions.set_presence(votes, secretary, "present", by=officer, on=DAY)
    actions.set_presence(votes, ministry, "present", by=expert, on=DAY)
    ballot = actions.open_ballot(question, by=officer, on=DAY)
    world.args |= {
        "committee": committee.slug, "seat_prefect": prefect.pk, "seat_region": region.pk, "seat_cluster": cluster.pk,
        "session_past": past.number, "session_now": now.number, "session_next": coming.number, "session_planned": planned.number,
        "item_past": past_item.pk, "item_now": now_item.pk, "item_next": coming_item.pk, "item_planned": planned_item.pk,
        "item_dropped": dropped.pk, "paper": paper.pk, "decision": decision.pk, "follow_up": follow.pk,
        "gti": gti.slug, "session_gti": votes.number, "item_gti": question.pk, "ballot": ballot.pk, "seat_ministry": ministry.pk,
        "seat_secretary": secretary.pk,
    }  # fmt: skip


def _organisation(who: Any):
    return Mandate.objects.get(pk=who.mandate_id).organisation
