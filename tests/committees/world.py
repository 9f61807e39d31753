"""A small world of committees: a cluster that lives its contract, its coordination committee, and one that votes."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from jalon.committees import actions
from jalon.committees.models import Session
from jalon.contracts.binding import bind
from jalon.contracts.models import Text
from jalon.core import clock
from tests import factories as f
from tests.contracts import follow_world

DAY = f.DAY
SESSION_DAY = dt.date(2010, 7, 8)
BEFORE = dt.date(2010, 1, 12)


def build(slug: str = "rivage") -> SimpleNamespace:
    """People of one cluster, its signed contract with things late, its coordination committee and the GTI."""
    cluster = f.make_cluster(slug, label=True)
    state = f.make_organisation(f"Préfecture {f.number()}", "state_service", level="region")
    region = f.make_organisation(f"Conseil régional {f.number()}", "authority", level="region")
    city = f.make_organisation(f"Ville {f.number()}", "authority", level="city")
    service = f.make_organisation(f"DIRECCTE {f.number()}", "state_service")
    officer = f.make_actor("national_officer")
    w = SimpleNamespace(
        cluster=cluster,
        state=state,
        region=region,
        city=city,
        service=service,
        officer=officer,
        correspondent=f.make_actor("state_correspondent", cluster, service),
        prefect=f.make_actor("prefect", cluster, state),
        director=f.make_actor("cluster_director", cluster),
        region_agent=f.make_actor("local_authority", organisation=region),
        city_agent=f.make_actor("local_authority", organisation=city),
        stranger=f.make_actor("cluster_director", f.make_cluster(f"{slug}-loin")),
        other_correspondent=f.make_actor("state_correspondent", f.make_cluster(f"{slug}-ailleurs")),
        reader=f.make_actor("reader"),
        admin=f.make_actor("admin"),
    )
    w.contract = signed_contract(cluster, region, city, w.region_agent)
    party = w.contract.parties.get(kind="state")
    party.organisation = state
    party.save()
    w.committee = actions.create(
        "coordination",
        clusters=[cluster],
        starts_on=dt.date(2009, 7, 6),
        organiser=service,
        fill=True,
        by=w.correspondent,
        on=dt.date(2009, 7, 6),
    )
    w.seats = {s.seat: s for s in w.committee.seats.all()}
    w.experts = [f.make_actor("ministry_expert") for _ in range(3)]
    w.gti = actions.create(
        "gti", starts_on=dt.date(2005, 1, 3), by=officer, on=dt.date(2005, 1, 3), slug=f"gti-{f.number()}"
    )
    give = {"starts_on": dt.date(2005, 1, 3), "by": officer, "on": DAY}
    w.secretary = actions.give_seat(w.gti, "secretariat", f.user_of(officer).mandates.get().organisation, **give)
    w.ministries = [
        actions.give_seat(
            w.gti, "ministry", f.user_of(e).mandates.get().organisation, function=f"Ministère {n}", **give
        )
        for n, e in enumerate(w.experts, 1)
    ]
    return w


def signed_contract(cluster, region, city, agent):
    """A contract under way whose first action and payment are late on DAY."""
    contract = f.make_contract(
        cluster,
        f"{cluster.slug}-signed",
        parties=[region, city],
        state="signed",
        signed_on=dt.date(2009, 3, 2),
        group="2",
    )
    text = Text.objects.get(contract=contract)
    text.content = {**text.content, **follow_world.content(agent)}
    text.effective_on = dt.date(2009, 3, 2)
    text.save()
    bind(text, at=clock.moment_on(dt.date(2009, 3, 2)))
    return contract


def planned(w, committee=None, day: dt.date = SESSION_DAY, *, on: dt.date = DAY, by=None) -> Session:
    """A planned session with a point of its own."""
    committee = committee or w.committee
    by = by or (w.correspondent if committee == w.committee else w.officer)
    session = actions.plan(committee, day, where="Bordeaux", starts_at=dt.time(14, 30), by=by, on=on)
    actions.add_item(session, title="Orientations", kind="decision", by=by, on=on)
    return Session.objects.get(pk=session.pk)


def opened(w, committee=None, day: dt.date = SESSION_DAY, *, on: dt.date = DAY) -> Session:
    """A session that is open on its day, nobody there yet."""
    session = planned(w, committee, day, on=on)
    by = w.correspondent if session.committee == w.committee else w.officer
    actions.convene(session, by=by, on=on)
    actions.open_session(session, by=by, on=day)
    return Session.objects.get(pk=session.pk)


def here(w, session: Session, seats, day: dt.date = SESSION_DAY) -> None:
    """These seats are present."""
    by = w.correspondent if session.committee == w.committee else w.officer
    for seat in seats:
        actions.set_presence(session, seat, "present", by=by, on=day)
