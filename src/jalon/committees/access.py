"""Who may know of a committee, run it, sit on it. Deny first: a committee is known to those who run it and those who sit.

A seat is filled by the person named, their substitute, or whoever acts for the organisation under a role that the policy
gives to the seat. Who is recused from a point neither reads nor votes on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from jalon.clusters.access import carried_by, followed_by
from jalon.committees.models import Committee, CommitteeSeat, Session
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.interests.access import recused_cases
from jalon.people.access import Actor, policy


def kinds() -> dict[str, Any]:
    """The kinds of committees of the programme by their code; empty when it uses none."""
    part = policy().part("committees")
    return {kind.code: kind for kind in part.kinds} if part else {}


def _within(on: dt.date, prefix: str = "") -> Q:
    ends = Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gte": on})
    return Q(**{f"{prefix}starts_on__lte": on}) & ends


def in_force(on: dt.date) -> Q:
    """Committees, or seats, whose period holds a day."""
    return _within(on)


def _runs(actor: Actor, on: dt.date) -> Q | None:
    """The committees that the actor runs; None for nobody's."""
    if not actor.signed_in or not actor.can("committee.manage"):
        return None
    mine = [kind.code for kind in kinds().values() if actor.role in kind.run_by]
    if not mine:
        return None
    wanted = Q(kind__in=mine)
    if actor.national:
        return wanted
    ground = Q(organiser_id=actor.organisation_id) if actor.organisation_id else Q(pk__in=[])
    if actor.side == "state":
        ground |= Q(grounds__cluster__in=followed_by(actor, on))
    elif actor.side == "governance":
        of_one = [k.code for k in kinds().values() if k.scope == "cluster"]
        carried = carried_by(actor, on)
        ground |= Q(kind__in=of_one, grounds__cluster__in=carried)
        ground |= Q(grounds__cluster__in=carried, grounds__lead=True)
    return wanted & ground


def run_by(actor: Actor, on: dt.date) -> QuerySet[Committee]:
    """The committees that the actor convenes and whose minutes they write."""
    wanted = _runs(actor, on)
    if wanted is None:
        return Committee.objects.none()
    return Committee.objects.filter(pk__in=Committee.objects.filter(wanted).values("pk"))


def runs(actor: Actor, committee: Committee, on: dt.date) -> bool:
    wanted = _runs(actor, on)
    return wanted is not None and Committee.objects.filter(wanted, pk=committee.pk).exists()


def _fills(actor: Actor) -> Q | None:
    """The seats that the actor may fill, whatever the day; None for none."""
    if not actor.signed_in or not actor.can("committee.attend"):
        return None
    person = actor.principal_id or actor.user_id
    mine = Q(user_id=person) | Q(substitute_id=actor.user_id)
    if actor.organisation_id is not None:
        by_role = Q(pk__in=[])
        for kind in kinds().values():
            seats = [seat.code for seat in kind.seats if actor.role in seat.roles]
            if seats:
                by_role |= Q(committee__kind=kind.code, seat__in=seats)
        mine |= Q(user__isnull=True, organisation_id=actor.organisation_id) & by_role
    return mine & Q(superseded_at__isnull=True)


def seats_of(actor: Actor, on: dt.date) -> QuerySet[CommitteeSeat]:
    """The seats that the actor may fill on a day."""
    mine = _fills(actor)
    if mine is None:
        return CommitteeSeat.objects.none()
    return CommitteeSeat.objects.filter(mine, _within(on))


def seats_in(actor: Actor, committee: Committee, on: dt.date) -> list[CommitteeSeat]:
    """The actor's seats in one committee on a day."""
    return list(seats_of(actor, on).filter(committee=committee))


def visible_to(actor: Actor, on: dt.date) -> QuerySet[Committee]:
    """The committees that the actor may know of on a day: those run, those where a seat is theirs."""
    found = Q(pk__in=[])
    running = _runs(actor, on)
    if running is not None:
        found |= Q(pk__in=Committee.objects.filter(running).values("pk"))
    mine = _fills(actor)
    if mine is not None:
        found |= Q(pk__in=CommitteeSeat.objects.filter(mine, _within(on)).values("committee_id"))
    return Committee.objects.filter(found)


def sessions_for(actor: Actor, on: dt.date) -> QuerySet[Session]:
    """The sessions that the actor may know of: a session that is only planned is known to those who run the committee."""
    running = _runs(actor, on)
    found = Q(pk__in=[])
    if running is not None:
        found |= Q(committee__in=Committee.objects.filter(running).values("pk"))
    mine = _fills(actor)
    if mine is not None:
        sits = CommitteeSeat.objects.filter(mine, _within(on)).values("committee_id")
        found |= Q(committee__in=sits) & ~Q(state="planned")
    return Session.objects.filter(found)


def may_create(actor: Actor, kind: Any) -> None:
    """Raise NotAllowed unless the actor's role runs committees of this kind."""
    actor.require("committee.manage")
    if actor.role not in kind.run_by:
        raise NotAllowed(
            T(
                "« {k} » : ce comité est tenu par {r}.",
                "“{k}”: this committee is run by {r}.",
                k=kind.title,
                r=", ".join(str(policy().role(code).title) for code in kind.run_by),
            )
        )


def may_manage(actor: Actor, committee: Committee, on: dt.date) -> None:
    """Raise NotAllowed unless the actor runs the committee."""
    actor.require("committee.manage")
    if not runs(actor, committee, on):
        raise NotAllowed(
            T(
                "Vous n'organisez pas « {c} ».",
                "You do not run “{c}”.",
                c=committee.title,
            )
        )


def may_sit(actor: Actor, committee: Committee, on: dt.date) -> list[CommitteeSeat]:
    """The actor's seats; NotAllowed when there are none."""
    actor.require("committee.attend")
    mine = seats_in(actor, committee, on)
    if not mine:
        raise NotAllowed(
            T(
                "Vous ne siégez pas à « {c} » ce jour-là.",
                "You do not sit on “{c}” on that day.",
                c=committee.title,
            )
        )
    return mine


def item_case(item_id: int) -> str:
    """The journal's and the interests' name of a point."""
    return f"session-item:{item_id}"


def recused_items(actor: Actor) -> set[int]:
    """The points from which the actor is recused: what they must neither read nor vote on."""
    return {
        int(rest) for case in recused_cases(actor.user_id, "session-item") if (rest := case.partition(":")[2]).isdigit()
    }


def recused_on(items: Iterable[int]) -> dict[int, set[int]]:
    """Who is recused from each of these points: point → users. One query."""
    from jalon.interests.models import Declaration

    cases = {item_case(pk): pk for pk in items}
    found: dict[int, set[int]] = {}
    rows = Declaration.objects.filter(case__in=list(cases), stance="interest", superseded_at__isnull=True)
    for case, user in rows.values_list("case", "user_id"):
        found.setdefault(cases[case], set()).add(user)
    return found
