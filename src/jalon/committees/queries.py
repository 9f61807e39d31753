"""Reads about committees for screens, exports, documents and acts; a constant number of queries each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Q, QuerySet

from jalon.clusters.queries import named_on
from jalon.committees import access, agenda, rules, states
from jalon.committees.models import (
    Attendance,
    Ballot,
    Committee,
    CommitteeSeat,
    FollowUp,
    Ground,
    Item,
    Session,
    SessionDecision,
    SessionPaper,
    Vote,
)
from jalon.core.canonical import plain
from jalon.core.lang import T
from jalon.interests.access import recused_cases
from jalon.people.access import Actor, policy


def case_of(committee: Committee) -> str:
    """The journal's name of a committee."""
    return f"committee:{committee.slug}"


def session_case(session: Session) -> str:
    """The journal's name of a session."""
    return f"session:{session.committee.slug}/{session.number}"


def kind_of(committee: Committee) -> Any:
    """The policy's kind of a committee; None when the programme no longer has it."""
    return access.kinds().get(committee.kind)


def terms_on(committee: Committee, day: dt.date) -> rules.Terms:
    """The terms of a committee's kind on a day."""
    kind = kind_of(committee)
    return rules.terms_of(policy(), kind, day) if kind else rules.Terms(day)


def seat_title(row: CommitteeSeat, kinds: dict[str, Any] | None = None) -> Any:
    """What a seat is called: the function given, else the policy's title of the seat."""
    if row.function:
        return row.function
    kind = (kinds or access.kinds()).get(row.committee.kind)
    seat = kind.seat(row.seat) if kind else None
    return seat.title if seat else row.seat


def seats_on(committee: Committee, day: dt.date) -> list[CommitteeSeat]:
    """The seats in force on a day, chairs first; one query."""
    rows = CommitteeSeat.objects.filter(access.in_force(day), committee=committee, superseded_at__isnull=True)
    return list(
        rows.select_related("organisation", "user", "substitute", "committee").order_by("-chair", "order", "id")
    )


# -- lists ------------------------------------------------------------------------------------------------------


@dataclass
class CommitteeRow:
    """A committee on a list: its next and last session, whether its rhythm is kept, what is not done."""

    committee: Committee
    kind: Any
    clusters: list[str]
    mine: bool
    runs: bool
    next: Session | None
    last: Session | None
    rhythm: rules.Rhythm
    follow_ups: int
    follow_ups_late: int

    @property
    def light(self) -> str:
        if self.next is not None and self.next.state == "open":
            return "on_track"
        if self.rhythm.late:
            return "late"
        if self.follow_ups_late:
            return "at_risk"
        return "not_yet_due" if self.rhythm.due_on else "not_started"


def rows_for(actor: Actor, day: dt.date, *, kind: str = "", q: str = "", late: bool = False) -> list[CommitteeRow]:
    """The committees that the actor may know of, with where each stands: eight queries, whatever their number."""
    known = access.kinds()
    found = access.visible_to(actor, day).filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day))
    if kind:
        found = found.filter(kind=kind)
    if q:
        from jalon.people.rules import name_key

        found = found.filter(Q(title__icontains=q) | Q(grounds__cluster__name_key__contains=name_key(q))).distinct()
    committees = [c for c in found.order_by("title", "pk") if c.kind in known]
    rows = _rows(committees, actor, day)
    if late:
        rows = [r for r in rows if r.rhythm.late or r.follow_ups_late]
    order = {code: n for n, code in enumerate(known)}
    return sorted(rows, key=lambda r: (order[r.committee.kind], r.committee.title.casefold()))


def _rows(committees: Sequence[Committee], actor: Actor, day: dt.date) -> list[CommitteeRow]:
    keys = [c.pk for c in committees]
    known, laws = access.kinds(), policy()
    runs = set(access.run_by(actor, day).filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()
    mine = set(access.seats_of(actor, day).filter(committee__in=keys).values_list("committee_id", flat=True))
    clusters: dict[int, list[str]] = defaultdict(list)
    grounds = list(
        Ground.objects.filter(committee__in=keys).select_related("cluster").order_by("-lead", "cluster__name_key")
    )
    names = {c.pk: c.name_of_day for c in named_on([g.cluster for g in grounds], day)}
    for g in grounds:
        clusters[g.committee_id].append(names[g.cluster_id])
    coming: dict[int, Session] = {}
    held: dict[int, Session] = {}
    for s in Session.objects.filter(committee__in=keys).defer("minutes").order_by("on", "number"):
        if s.state in states.HELD:
            held[s.committee_id] = s
        elif s.state in states.RUNNING and (s.committee_id in runs or s.state != "planned"):
            coming.setdefault(s.committee_id, s)
    waiting: dict[int, list[dt.date | None]] = defaultdict(list)
    for pk, due in FollowUp.objects.filter(committee__in=keys, state="open").values_list("committee_id", "due_on"):
        waiting[pk].append(due)
    terms = {code: rules.terms_of(laws, kind, day) for code, kind in known.items()}
    return [
        CommitteeRow(
            committee=c,
            kind=known[c.kind],
            clusters=clusters[c.pk],
            mine=c.pk in mine,
            runs=c.pk in runs,
            next=coming.get(c.pk),
            last=held.get(c.pk),
            rhythm=rhythm_of(c, terms[c.kind], held.get(c.pk), day),
            follow_ups=len(waiting[c.pk]),
            follow_ups_late=sum(due is not None and due < day for due in waiting[c.pk]),
        )
        for c in committees
    ]


def rhythm_of(committee: Committee, terms: rules.Terms, last: Session | None, day: dt.date) -> rules.Rhythm:
    """When a committee's next session is due, and how late it is."""
    return rules.rhythm(
        terms,
        began_on=committee.starts_on,
        last_held=last.on if last else None,
        today=day,
        working=policy().working_days,
        place=committee.place,
    )


def last_held(committees: Iterable[int]) -> dict[int, dt.date]:
    """The day of the last session held by each committee."""
    rows = Session.objects.filter(committee__in=list(committees), state__in=states.HELD)
    return dict(rows.order_by().values_list("committee_id").annotate(last=Max("on")))


# -- one session ------------------------------------------------------------------------------------------------


@dataclass
class ItemView:
    """A point with what belongs to it; ``hidden`` when the reader is recused: only its number is shown."""

    item: Item
    number: int
    papers: list[SessionPaper] = field(default_factory=list)
    ballots: list[BallotView] = field(default_factory=list)
    decisions: list[SessionDecision] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    hidden: bool = False
    recused: int = 0

    @property
    def title(self) -> Any:
        """In the reader's language when a source wrote it, else as it was typed; nothing to who is recused."""
        if self.hidden:
            return T("Point fermé (déport)", "Closed point (recusal)")
        written = (self.item.why or {}).get("title")
        if isinstance(written, dict) and written.get("fr") == self.item.title:
            return agenda.spoken(written)
        return self.item.title

    @property
    def source_title(self) -> Any:
        from jalon.policy.parts.committees import AGENDA_SOURCES

        return AGENDA_SOURCES.get(self.item.source, "") if self.item.source != "own" else ""

    @property
    def why(self) -> Any:
        return agenda.why_of(self.item.why) if self.item.why else None

    @property
    def details(self) -> list[dict[str, Any]]:
        return [
            {**d, "title": agenda.spoken(d.get("title", "")), "text": agenda.spoken(d.get("text", ""))}
            for d in self.item.details
        ]

    @property
    def open_ballot(self) -> BallotView | None:
        return next((b for b in self.ballots if b.ballot.closed_at is None), None)

    @property
    def treated(self) -> bool:
        return bool(self.decisions)


@dataclass
class BallotView:
    """A vote as a reader sees it: totals of a secret one only once it is closed."""

    ballot: Ballot
    votes: list[Vote]
    mine: list[tuple[CommitteeSeat, CommitteeSeat | None]] = field(default_factory=list)

    @property
    def cast(self) -> int:
        return len(self.votes)

    @property
    def entitled(self) -> int:
        return len(self.ballot.entitled)

    @property
    def counts(self) -> dict[str, int]:
        if self.ballot.closed_at is not None:
            return {k: self.ballot.counts.get(k, 0) for k in states.CHOICES}
        if self.ballot.secret:
            return {}
        return {k: sum(v.choice == k for v in self.votes) for k in states.CHOICES}

    @property
    def tallies(self) -> list[tuple[str, Any, int]]:
        return [(k, states.CHOICES[k], n) for k, n in self.counts.items()]

    @property
    def by_name(self) -> list[tuple[Vote, Any]]:
        """Who voted how, in a public vote."""
        if self.ballot.secret:
            return []
        return [(v, states.CHOICES[v.choice]) for v in self.votes if v.choice]

    @property
    def outcome(self) -> Any:
        return states.OUTCOMES.get(self.ballot.outcome, "")


@dataclass
class SeatView:
    """A seat in a session: what it said, who holds its proxy."""

    seat: CommitteeSeat
    title: Any
    attendance: Attendance | None
    proxies: list[CommitteeSeat] = field(default_factory=list)
    mine: bool = False

    @property
    def presence(self) -> str:
        return self.attendance.presence if self.attendance else ""

    @property
    def here(self) -> bool:
        return self.presence in states.HERE

    @property
    def label(self) -> Any:
        return states.PRESENCES.get(self.presence, T("sans réponse", "no answer"))


@dataclass
class Sheet:
    """Everything that the pages of one session show."""

    session: Session
    committee: Committee
    kind: Any
    terms: rules.Terms
    day: dt.date
    seats: list[SeatView]
    items: list[ItemView]
    dropped: list[ItemView]
    papers: list[SessionPaper]
    decisions: list[SessionDecision]
    follow_ups: list[FollowUp]
    quorum: rules.Quorum
    runs: bool

    @property
    def votes(self) -> bool:
        return bool(self.kind and self.kind.mode == "vote")

    @property
    def mine(self) -> list[SeatView]:
        return [s for s in self.seats if s.mine]

    @property
    def current(self) -> ItemView | None:
        found = next((i for i in self.items if i.item.pk == self.session.current_id), None)
        return found or (self.items[0] if self.items else None)

    @property
    def simulated(self) -> bool:
        return self.session.simulated or any(i.item.simulated for i in self.items)

    def deadline(self, name: str) -> tuple[dt.date | None, Any]:
        """The last day for ``notice`` or ``papers``, with its reason."""
        return rules.last_day_for(self.terms, name, self.session.on, policy().working_days, self.committee.place)


def quorum_of(
    session: Session, terms: rules.Terms, seats: Sequence[CommitteeSeat], attendances: Iterable[Attendance]
) -> rules.Quorum:
    """The quorum of a session: over its voting seats, with those present and those represented by somebody present."""
    said = {a.seat_id: a for a in attendances}
    voting = [s for s in seats if s.votes]
    here = {pk for pk, a in said.items() if a.presence in states.HERE}
    represented = [
        s for s in voting if (a := said.get(s.pk)) is not None and a.presence == "represented" and a.proxy_to_id in here
    ]
    return rules.quorum(
        terms,
        voting=len(voting),
        present=sum(s.pk in here for s in voting),
        represented=len(represented),
        second=session.second,
    )


def sheet(session: Session, actor: Actor, day: dt.date) -> Sheet:
    """The whole of a session as the actor may read it: thirteen queries, whatever is on its agenda."""
    committee = session.committee
    known = access.kinds()
    kind = known.get(committee.kind)
    terms = terms_on(committee, session.on)
    seats = seats_on(committee, session.on)
    own = {s.pk for s in access.seats_in(actor, committee, day)}
    said = {a.seat_id: a for a in session.attendances.all()}
    views = [
        SeatView(
            s,
            seat_title(s, known),
            said.get(s.pk),
            [g for g in seats if (a := said.get(g.pk)) is not None and a.proxy_to_id == s.pk],
            s.pk in own,
        )
        for s in seats
    ]
    items = list(session.items.select_related("cluster"))
    away = set(recused_cases(actor.user_id))
    recused = access.recused_on([i.pk for i in items])
    papers = list(session.papers.select_related("file"))
    decisions = list(session.decisions.select_related("ballot"))
    followed = list(session.follow_ups.select_related("owner__organisation", "owner__committee", "decision"))
    votes: dict[int, list[Vote]] = defaultdict(list)
    for v in (
        Vote.objects.filter(ballot__item__session=session)
        .select_related("seat__organisation", "seat__committee")
        .order_by("seat__order", "seat_id")
    ):
        votes[v.ballot_id].append(v)
    ballots: dict[int, list[BallotView]] = defaultdict(list)
    for b in Ballot.objects.filter(item__session=session):
        cast = {v.seat_id for v in votes[b.pk]}
        mine = voting_for(b, views, cast) if b.closed_at is None else []
        ballots[b.item_id].append(BallotView(b, votes[b.pk], mine))
    shown, dropped = [], []
    for i in items:
        hidden = access.item_case(i.pk) in away or bool(i.case and i.case in away)
        view = ItemView(i, 0, hidden=hidden, recused=len(recused.get(i.pk, ())))
        if not hidden:
            view.papers = [p for p in papers if p.item_id == i.pk]
            view.ballots = ballots[i.pk]
            view.decisions = [d for d in decisions if d.item_id == i.pk]
            view.follow_ups = [f for f in followed if f.item_id == i.pk]
        (dropped if i.dropped_on else shown).append(view)
    for n, view in enumerate(shown, 1):
        view.number = n
    closed = {v.item.pk for v in (*shown, *dropped) if v.hidden}
    return Sheet(
        session=session,
        committee=committee,
        kind=kind,
        terms=terms,
        day=day,
        seats=views,
        items=shown,
        dropped=dropped,
        papers=[p for p in papers if p.item_id not in closed],
        decisions=[d for d in decisions if d.item_id not in closed],
        follow_ups=[f for f in followed if f.item_id not in closed],
        quorum=quorum_of(session, terms, seats, said.values()),
        runs=access.runs(actor, committee, day),
    )


def voting_for(
    ballot: Ballot, seats: Sequence[SeatView], cast: set[int]
) -> list[tuple[CommitteeSeat, CommitteeSeat | None]]:
    """The seats for which the reader may still vote: their own, and those whose proxy they hold (with the holding seat)."""
    entitled = set(ballot.entitled)
    out: list[tuple[CommitteeSeat, CommitteeSeat | None]] = []
    for view in seats:
        if not view.mine or not view.here:
            continue
        if view.seat.pk in entitled and view.seat.pk not in cast:
            out.append((view.seat, None))
        out += [(g, view.seat) for g in view.proxies if g.pk in entitled and g.pk not in cast]
    return out


def session_of(slug: str, number: int, actor: Actor, day: dt.date) -> Session | None:
    """A session that the actor may know of; None otherwise."""
    return (
        access.sessions_for(actor, day)
        .filter(committee__slug=slug, number=number)
        .select_related(
            "committee", "frozen", "convocation", "presided_by__organisation", "presided_by__committee", "replaces"
        )
        .first()
    )


def minutes_content(sheet: Sheet) -> dict[str, Any]:
    """What adopted minutes hold, as plain values: who sat, what was said, voted and decided, who does what by when."""
    session, committee = sheet.session, sheet.committee
    return {
        "committee": {"slug": committee.slug, "title": committee.title, "kind": committee.kind},
        "session": {
            "number": session.number,
            "on": session.on,
            "starts_at": session.starts_at.isoformat("minutes") if session.starts_at else None,
            "where": session.where,
            "convened_on": session.convened_on,
            "second": session.second,
            "presided_by": plain(_seat_name(session.presided_by)) if session.presided_by else None,
        },
        "quorum": {
            "voting": sheet.quorum.voting,
            "present": sheet.quorum.present,
            "represented": sheet.quorum.represented,
            "needed": sheet.quorum.needed,
            "reached": sheet.quorum.reached,
        },
        "attendance": [
            {
                "seat": plain(s.title),
                "organisation": s.seat.organisation.name,
                "votes": s.seat.votes,
                "presence": s.presence or "absent",
                "person": s.attendance.user_label if s.attendance else "",
                "proxy_to": _proxy_name(s, sheet.seats),
            }
            for s in sheet.seats
        ],
        "opening": session.minutes,
        "items": [
            {
                "number": i.number,
                "title": i.item.title,
                "kind": i.item.kind,
                "notes": i.item.notes,
                "why": i.item.why,
                "recused": i.recused,
                "ballots": [
                    {
                        "question": b.ballot.question,
                        "secret": b.ballot.secret,
                        "counts": b.counts,
                        "outcome": b.ballot.outcome,
                        "needed": b.ballot.needed,
                        "votes": [
                            {"seat": plain(_seat_name(v.seat)), "choice": v.choice, "proxy": v.by_seat_id is not None}
                            for v, _ in b.by_name
                        ],
                    }
                    for b in i.ballots
                ],
                "decisions": [
                    {"number": d.number, "text": d.text, "outcome": d.outcome, "objections": d.objections}
                    for d in i.decisions
                ],
            }
            for i in sheet.items
        ],
        "dropped": [{"title": i.item.title, "why": i.item.dropped_why} for i in sheet.dropped],
        "follow_ups": [
            {
                "title": f.title,
                "kind": f.kind,
                "owner": plain(owner_name(f)),
                "due_on": f.due_on,
                "decision": f.decision.number if f.decision else None,
                "item": next((i.number for i in sheet.items if i.item.pk == f.item_id), None),
            }
            for f in sheet.follow_ups
        ],
        "simulated": sheet.simulated,
    }


def _seat_name(seat: CommitteeSeat) -> Any:
    return T("{s} ({o})", "{s} ({o})", s=seat_title(seat), o=seat.organisation.name)


def _proxy_name(view: SeatView, seats: Sequence[SeatView]) -> Any:
    if view.attendance is None or view.attendance.proxy_to_id is None:
        return None
    holder = next((s for s in seats if s.seat.pk == view.attendance.proxy_to_id), None)
    return plain(holder.title) if holder else None


# -- follow-ups -------------------------------------------------------------------------------------------------


def owner_name(row: FollowUp) -> Any:
    """Who answers for a follow-up: function and organisation of the seat, else the name written."""
    if row.owner is not None:
        return _seat_name(row.owner)
    return row.owner_label or T("personne", "nobody")


@dataclass
class FollowUpRow:
    """A follow-up on a board, with its light."""

    row: FollowUp
    light: str
    owner: Any
    mine: bool
    runs: bool

    @property
    def days_late(self) -> int:
        return self.late_by if self.light == "late" else 0

    late_by: int = 0


def follow_ups_seen(actor: Actor, day: dt.date) -> QuerySet[FollowUp]:
    """The follow-ups of the committees that the actor may know of, without those of points from which they are recused."""
    hidden = access.recused_items(actor)
    rows = FollowUp.objects.filter(committee__in=access.visible_to(actor, day).values("pk"))
    away = recused_cases(actor.user_id)
    if hidden or away:
        rows = rows.exclude(item_id__in=hidden).exclude(item__case__in=away)
    return rows


def follow_up_rows(
    actor: Actor,
    day: dt.date,
    *,
    mine: bool = False,
    late: bool = False,
    done: bool = False,
    committee: Committee | None = None,
) -> list[FollowUpRow]:
    """Follow-ups with lights: open ones, the worst first; those closed when ``done``. Four queries."""
    rows = follow_ups_seen(actor, day)
    rows = rows.exclude(state="open") if done else rows.filter(state="open")
    if committee is not None:
        rows = rows.filter(committee=committee)
    own = set(access.seats_of(actor, day).values_list("pk", flat=True))
    if mine:
        rows = rows.filter(owner_id__in=own)
    if late:
        rows = rows.filter(due_on__lt=day)
    running = set(access.run_by(actor, day).values_list("pk", flat=True))
    found = [
        FollowUpRow(
            r,
            rules.follow_up_light(r.state, r.due_on, day),
            owner_name(r),
            r.owner_id in own,
            r.committee_id in running,
            (day - r.due_on).days if r.due_on and r.due_on < day else 0,
        )
        for r in rows.select_related(
            "committee", "session", "owner__organisation", "owner__committee", "decision"
        ).order_by("due_on", "pk")
    ]
    rank = {"late": 0, "at_risk": 1, "not_yet_due": 2, "not_started": 3}
    return sorted(found, key=lambda f: (rank.get(f.light, 4), f.row.due_on or dt.date.max))


def people_of(seats: Iterable[CommitteeSeat], day: dt.date) -> list[Any]:
    """Everybody who may fill one of these seats on a day: those named and their substitutes, else whoever acts for it."""
    from jalon.people.models import Mandate, User

    seats = list(seats)
    named = {pk for s in seats for pk in (s.user_id, s.substitute_id) if pk is not None}
    open_to = Q(pk__in=[])
    known = access.kinds()
    for s in seats:
        if s.user_id is not None:
            continue
        kind = known.get(s.committee.kind)
        seat = kind.seat(s.seat) if kind else None
        if seat is not None and seat.roles:
            open_to |= Q(organisation_id=s.organisation_id, role__in=seat.roles)
    acting = Mandate.objects.filter(
        open_to, Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day, revoked_at__isnull=True
    )
    return list(
        User.objects.filter(Q(pk__in=named) | Q(pk__in=acting.values("user_id")), is_active=True).order_by("pk")
    )


def hidden_from(actor: Actor, item: Item) -> bool:
    """Whether the actor is recused from a point, or from the case it is about."""
    away = set(recused_cases(actor.user_id))
    return access.item_case(item.pk) in away or bool(item.case and item.case in away)


def case_link(case: str) -> tuple[str, str]:
    """Title and address of the case where something was done; empty when there is none."""
    if not case:
        return "", ""
    kind, _, rest = case.partition(":")
    if kind == "contract":
        from jalon.contracts.models import Contract

        found = Contract.objects.filter(slug=rest).values_list("title", flat=True).first()
        return found or case, agenda.link("contract", rest) if found else ""
    if kind == "report":
        slug, _, code = rest.partition("/")
        return case, agenda.link("report", slug, code)
    if kind == "cluster":
        return case, agenda.link("cluster", rest)
    if kind == "project":
        return case, agenda.link("project", rest)
    if kind == "committee":
        return case, agenda.link("committee", rest)
    return case, ""
