"""What committees bring to the desk: what waits, whose rows of the journal may be read, names of cases, what a search finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse

from jalon.committees import access, queries, rules, states
from jalon.committees.models import Attendance, Ballot, Committee, FollowUp, Item, Session
from jalon.core.lang import T
from jalon.interests.access import recused_cases
from jalon.people.access import Actor, policy
from jalon.people.tasks import Task

SOON = dt.timedelta(days=14)
HORIZON = dt.timedelta(days=90)
SHOWN = 200
OWN = Q(case__startswith="committee:") | Q(case__startswith="session:") | Q(case__startswith="session-item:")


def light_of(due_on: dt.date | None, day: dt.date) -> str:
    """Where a deadline stands, as everywhere in the house."""
    if due_on is None:
        return "not_started"
    if due_on < day:
        return "late"
    return "at_risk" if due_on - day <= SOON else "not_yet_due"


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """Sessions to convene, to hold, to write up, to attend; votes to give; follow-ups to do. Eight queries."""
    if not access.kinds() or actor.user_id is None:
        return []
    found: list[Task] = []
    if actor.can("committee.manage"):
        found += _running_tasks(actor, day)
    if actor.can("committee.attend"):
        found += _sitting_tasks(actor, day)
    return found


def _page(session: Session, name: str = "committee-session") -> str:
    return reverse(name, args=[session.committee.slug, session.number])


def _running_tasks(actor: Actor, day: dt.date) -> list[Task]:
    committees = list(access.run_by(actor, day).filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day)))
    by_pk = {c.pk: c for c in committees}
    if not by_pk:
        return []
    known, laws = access.kinds(), policy()
    working = laws.working_days
    found = []
    sessions = list(
        Session.objects.filter(committee__in=list(by_pk))
        .exclude(state__in=("cancelled", "postponed", "adopted"))
        .select_related("committee")
        .defer("minutes")
        .order_by("on", "pk")[:SHOWN]
    )
    ahead = {s.committee_id for s in sessions if s.state in states.RUNNING}
    for s in sessions:
        kind = known.get(s.committee.kind)
        if kind is None:
            continue
        terms = rules.terms_of(laws, kind, s.on)
        c = s.committee.title
        case = queries.session_case(s)
        if s.state == "planned":
            due, why = rules.last_day_for(terms, "notice", s.on, working, s.committee.place)
            title = T("Convoquer : {c}, séance du {d}", "Convene: {c}, session of {d}", c=c, d=s.on.isoformat())
            found.append(Task(title, _page(s), due or s.on, light_of(due or s.on, day), "", case, explained=why))
        elif s.state == "convened" and s.on <= day:
            title = T("Tenir la séance : {c}", "Hold the session: {c}", c=c)
            found.append(Task(title, _page(s), s.on, light_of(s.on, day), "", case))
        elif s.state == "open":
            title = T("Séance ouverte : {c}", "Session open: {c}", c=c)
            found.append(Task(title, _page(s, "session-room"), s.on, "on_track", "", case))
        elif s.state == "held":
            due, why = rules.minutes_due(terms, s.on, working, s.committee.place)
            title = T("Écrire le compte rendu : {c}, {d}", "Write the minutes: {c}, {d}", c=c, d=s.on.isoformat())
            found.append(Task(title, _page(s, "session-minutes"), due, light_of(due, day), "", case, explained=why))
        elif s.state == "circulated":
            title = T(
                "Faire adopter le compte rendu : {c}, {d}",
                "Have the minutes adopted: {c}, {d}",
                c=c,
                d=s.on.isoformat(),
            )
            found.append(Task(title, _page(s, "session-minutes"), None, "not_started", "", case, since=s.circulated_on))
    held = queries.last_held([pk for pk in by_pk if pk not in ahead])
    terms_of: dict[str, rules.Terms] = {}
    for pk, committee in by_pk.items():
        kind = known.get(committee.kind)
        if pk in ahead or kind is None:
            continue
        if kind.code not in terms_of:
            terms_of[kind.code] = rules.terms_of(laws, kind, day)
        told = rules.rhythm(
            terms_of[kind.code],
            began_on=committee.starts_on,
            last_held=held.get(pk),
            today=day,
            working=working,
            place=committee.place,
        )
        if told.due_on is None or told.due_on > day + HORIZON:
            continue
        found.append(
            Task(
                T("Prévoir une séance : {c}", "Plan a session: {c}", c=committee.title),
                reverse("committee", args=[committee.slug]),
                told.due_on,
                light_of(told.due_on, day),
                T("selon le rythme de ce comité", "by this committee's rhythm"),
                queries.case_of(committee),
                explained=told.why,
            )
        )
    return found[:SHOWN]


def _sitting_tasks(actor: Actor, day: dt.date) -> list[Task]:
    seats = {s.pk: s for s in access.seats_of(actor, day).select_related("committee")}
    if not seats:
        return []
    committees = {s.committee_id for s in seats.values()}
    found = []
    answered = set(
        Attendance.objects.filter(seat__in=list(seats), session__state__in=("convened", "open")).values_list(
            "session_id", "seat_id"
        )
    )
    sessions = Session.objects.filter(committee__in=committees, state="convened").select_related("committee")
    for s in sessions.defer("minutes").order_by("on", "pk")[:SHOWN]:
        mine = [pk for pk, seat in seats.items() if seat.committee_id == s.committee_id]
        if all((s.pk, pk) in answered for pk in mine):
            continue
        found.append(
            Task(
                T(
                    "Dire si vous serez là : {c}, {d}",
                    "Say whether you attend: {c}, {d}",
                    c=s.committee.title,
                    d=s.on.isoformat(),
                ),
                _page(s),
                s.on,
                light_of(s.on, day),
                T("vous y siégez", "you sit on it"),
                queries.session_case(s),
                since=s.convened_on,
            )
        )
    away = set(recused_cases(actor.user_id))
    ballots = Ballot.objects.filter(
        item__session__committee__in=committees, item__session__state="open", closed_at__isnull=True
    ).select_related("item__session__committee")
    for b in ballots.prefetch_related("votes"):
        cast = {v.seat_id for v in b.votes.all()}
        hidden = access.item_case(b.item_id) in away or (b.item.case and b.item.case in away)
        if hidden or not [pk for pk in seats if pk in b.entitled and pk not in cast]:
            continue
        found.append(
            Task(
                T("Voter : {q}", "Vote: {q}", q=b.question),
                _page(b.item.session, "session-room"),
                b.item.session.on,
                "at_risk",
                b.item.session.committee.title,
                access.item_case(b.item_id),
            )
        )
    waiting = FollowUp.objects.filter(owner__in=list(seats), state="open").select_related("committee", "session")
    for f in waiting.order_by("due_on", "pk")[:SHOWN]:
        if f.item_id and access.item_case(f.item_id) in away:
            continue
        found.append(
            Task(
                T("Suite à donner : {t}", "Follow-up: {t}", t=f.title),
                reverse("committee-follow-up", args=[f.pk]),
                f.due_on,
                light_of(f.due_on, day),
                T("décidé par {c}", "decided by {c}", c=f.committee.title),
                f"session-item:{f.item_id}" if f.item_id else queries.case_of(f.committee),
                since=f.session.on,
                who=f.committee.title,
            )
        )
    return found


@dataclass(frozen=True)
class Event:
    """A session in somebody's calendar: when it starts and ends (a whole day without an hour), where."""

    uid: str
    title: Any
    day: dt.date
    starts_at: dt.time | None
    where: str
    url: str
    text: Any = ""


def events_for(actor: Actor, day: dt.date) -> list[Event]:
    """The sessions convened of the committees on which the actor sits or which they run, from a month back on."""
    if not access.kinds() or actor.user_id is None:
        return []
    rows = (
        access.sessions_for(actor, day)
        .filter(state__in=("convened", "open"), on__gte=day - dt.timedelta(days=31))
        .select_related("committee")
        .defer("minutes")
    )
    return [
        Event(
            f"session-{s.pk}",
            s.committee.title,
            s.on,
            s.starts_at,
            s.where,
            _page(s),
            T(
                "Séance convoquée le {d}.",
                "Session convened on {d}.",
                d=s.convened_on.isoformat() if s.convened_on else "",
            ),
        )
        for s in rows.order_by("on", "pk")[:SHOWN]
    ]


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """The journal of the committees that the actor may know of."""
    if not access.kinds() or actor.user_id is None:
        return None
    slugs = list(access.visible_to(actor, day).values_list("slug", flat=True)[:500])
    if not slugs:
        return None
    seen = Q(case__in=[f"committee:{slug}" for slug in slugs])
    sessions = list(
        access.sessions_for(actor, day)
        .filter(committee__slug__in=slugs)
        .values_list("pk", "committee__slug", "number")[:2000]
    )
    seen |= Q(case__in=[f"session:{slug}/{number}" for _, slug, number in sessions])
    items = Item.objects.filter(session__in=[pk for pk, _, _ in sessions]).values_list("pk", flat=True)[:5000]
    return seen | Q(case__in=[access.item_case(pk) for pk in items])


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """Committees on which one neither sits nor works are not read in the journal, even nationally."""
    if not actor.national or not access.kinds():
        return None
    seen = access.visible_to(actor, day).values("pk")
    if not Committee.objects.filter(pk__in=seen).exists():
        return OWN
    closed = list(Committee.objects.exclude(pk__in=seen).values_list("pk", "slug"))
    if not closed:
        return None
    keys = [pk for pk, _ in closed]
    sessions = Session.objects.filter(committee__in=keys).values_list("committee__slug", "number")
    items = Item.objects.filter(session__committee__in=keys).values_list("pk", flat=True)
    return Q(
        case__in=[
            *(f"committee:{slug}" for _, slug in closed),
            *(f"session:{slug}/{number}" for slug, number in sessions),
            *(access.item_case(pk) for pk in items),
        ]
    )


def case_titles(cases: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Names and addresses of committees, sessions and points."""
    found: dict[str, tuple[str, str]] = {}
    committees = {c.partition(":")[2]: c for c in cases if c.startswith("committee:")}
    sessions = {c.partition(":")[2]: c for c in cases if c.startswith("session:")}
    items = {c.partition(":")[2]: c for c in cases if c.startswith("session-item:")}
    if committees:
        for slug, title in Committee.objects.filter(slug__in=committees).values_list("slug", "title"):
            found[committees[slug]] = (title, reverse("committee", args=[slug]))
    if sessions:
        slugs = {rest.partition("/")[0] for rest in sessions}
        for s in Session.objects.filter(committee__slug__in=slugs).select_related("committee").defer("minutes"):
            case = sessions.get(f"{s.committee.slug}/{s.number}")
            if case:
                name = T("{c}, {d}", "{c}, {d}", c=s.committee.title, d=s.on.isoformat())
                found[case] = (str(name), _page(s))
    numbers = [int(rest) for rest in items if rest.isdigit()]
    if numbers:
        for i in Item.objects.filter(pk__in=numbers).select_related("session__committee"):
            found[items[str(i.pk)]] = (f"{i.session.committee.title} : {i.title}", f"{_page(i.session)}#point-{i.pk}")
    return found


def found(actor: Actor, day: dt.date, q: str, limit: int) -> list[tuple[Any, int, list[Any], str]]:
    """Committees by their name, and points of the sessions that the actor may read."""
    if not access.kinds() or actor.user_id is None:
        return []
    out: list[tuple[Any, int, list[Any], str]] = []
    rows = access.visible_to(actor, day).filter(title__icontains=q).order_by("title")
    if n := rows.count():
        known = access.kinds()
        out.append(
            (
                T("comités", "committees"),
                n,
                [
                    (
                        c.title,
                        known[c.kind].short if c.kind in known else "",
                        reverse("committee", args=[c.slug]),
                        c.simulated,
                    )
                    for c in rows[:limit]
                ],
                reverse("committees"),
            )
        )
    away = recused_cases(actor.user_id)
    hidden = [int(c.partition(":")[2]) for c in away if c.startswith("session-item:") and c.partition(":")[2].isdigit()]
    points = (
        Item.objects.filter(session__in=access.sessions_for(actor, day).values("pk"), title__icontains=q)
        .exclude(pk__in=hidden)
        .exclude(case__in=away)
        .select_related("session__committee")
        .order_by("-session__on", "order")
    )
    if n := points.count():
        out.append(
            (
                T("points à l'ordre du jour", "agenda points"),
                n,
                [
                    (
                        i.title,
                        T("{c}, {d}", "{c}, {d}", c=i.session.committee.title, d=i.session.on.isoformat()),
                        f"{_page(i.session)}#point-{i.pk}",
                        i.simulated,
                    )
                    for i in points[:limit]
                ],
                "",
            )
        )
    return out


def subjects(cases: Iterable[str]) -> dict[str, Any]:
    """What a point is about, for the page of one's declarations of interests: its title and its committee."""
    from jalon.interests.queries import Subject

    wanted = {c.partition(":")[2]: c for c in cases if c.startswith("session-item:")}
    numbers = [int(rest) for rest in wanted if rest.isdigit()]
    if not numbers:
        return {}
    rows = Item.objects.filter(pk__in=numbers).select_related("session__committee")
    return {
        wanted[str(i.pk)]: Subject(
            wanted[str(i.pk)], i.title, (i.session.committee.title,), url=_page(i.session), simulated=i.simulated
        )
        for i in rows
    }
