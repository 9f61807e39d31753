"""The acts of committees: seats, sessions, agenda, papers, attendance, votes, decisions, minutes, follow-ups.

Each: access, rule, writes, journal, in one transaction. The session's row is locked while it is acted on, so that two
people who act at once queue up, and the second one sees what the first did.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.text import slugify

from jalon.clusters.models import Carrier, Cluster, Correspondent
from jalon.committees import access, agenda, messages, queries, rules, states
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
from jalon.contracts import follow_rules
from jalon.contracts.models import Contract, Party
from jalon.core import clock, files, journal, workflow
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.interests import actions as interests
from jalon.people.access import VISITOR, Actor, policy
from jalon.people.models import Organisation, User
from jalon.policy.rules import plus

# -- committees and seats ---------------------------------------------------------------------------------------


@transaction.atomic
def create(
    kind: str,
    *,
    title: str = "",
    clusters: Sequence[Cluster] = (),
    lead: Cluster | None = None,
    region_code: str = "",
    place: str = "",
    organiser: Organisation | None = None,
    starts_on: dt.date | None = None,
    purpose: str = "",
    fill: bool = False,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
    slug: str = "",
    sources: Sequence[str] = (),
    simulated: bool = False,
) -> Committee:
    """Set up a committee of a kind; ``fill`` gives its seats from the records (carrier, parties of the contract, State).

    Raises:
        Refused: the programme has no such kind on that day, or the clusters or the region do not fit its scope.
        NotAllowed: the actor's role does not run this kind, or not for these clusters.
    """
    known = access.kinds()
    row = known.get(kind)
    if row is None:
        raise Refused(
            T("Ce programme n'a pas de comité « {k} ».", "This programme has no committee “{k}”.", k=kind), kind="input"
        )
    access.may_create(by, row)
    starts_on = starts_on or on
    if not row.on(starts_on):
        raise Refused(
            T(
                "« {k} » existe du {a} au {b} : le {d} est en dehors.",
                "“{k}” exists from {a} to {b}: {d} lies outside.",
                k=row.title,
                a=row.valid_from.isoformat(),
                b=row.valid_to.isoformat() if row.valid_to else "…",
                d=starts_on.isoformat(),
            )
        )
    clusters = list(dict.fromkeys([*([lead] if lead else []), *clusters]))
    _check_scope(row, clusters, region_code, lead)
    if row.scope == "cluster":
        same = Committee.objects.filter(
            kind=kind, grounds__cluster=clusters[0], programme=policy().slug, ends_on__isnull=True
        )
        if same.exists():
            raise Refused(
                T(
                    "« {c} » a déjà un comité de cette nature.",
                    "“{c}” already has a committee of this kind.",
                    c=clusters[0].name,
                )
            )
    if not title:
        about = clusters[0].name if row.scope == "cluster" else ""
        title = str(row.title) + (f" – {about}" if about else "")
    title = rules.clean_title(title, T("le comité", "the committee"))
    committee = Committee.objects.create(
        programme=policy().slug,
        slug=_free_slug(slug or slugify(title)[:70] or kind),
        kind=kind,
        title=title,
        purpose=rules.clean_text(purpose, T("l'objet", "the purpose")),
        region_code=region_code,
        place=place,
        organiser=organiser,
        starts_on=starts_on,
        created_at=clock.stamp(on, at),
        sources=list(sources),
        simulated=simulated,
    )
    Ground.objects.bulk_create(Ground(committee=committee, cluster=c, lead=c == lead) for c in clusters)
    access.may_manage(by, committee, on)
    journal.record(
        queries.case_of(committee),
        "committee.create",
        by=by,
        on=on,
        at=at,
        after={"kind": kind, "title": title, "clusters": [c.slug for c in clusters], "starts_on": starts_on},
    )
    if fill:
        for given in seats_from_records(committee, on):
            give_seat(committee, **given, starts_on=starts_on, by=by, on=on, at=at)
    return committee


def _check_scope(kind: Any, clusters: Sequence[Cluster], region_code: str, lead: Cluster | None) -> None:
    least = max(kind.least_clusters, 1)
    if kind.scope == "cluster" and len(clusters) != 1:
        raise Refused(
            T("Ce comité porte sur un pôle, {n} trouvé(s).", "This committee is about one cluster, {n} found.", n=len(clusters)),
            kind="input",
        )  # fmt: skip
    if kind.scope == "thematic" and len(clusters) < least:
        raise Refused(
            T("Une coordination réunit au moins {m} pôles, {n} trouvé(s).",
              "A coordination gathers at least {m} clusters, {n} found.", m=least, n=len(clusters)),
            kind="input",
        )  # fmt: skip
    if kind.scope == "region":
        if region_code not in {r.code for s in policy().regions for r in s.regions}:
            raise Refused(
                T("Choisissez la région du comité.", "Choose the committee's region."),
                kind="input",
            )
    elif region_code:
        raise Refused(T("Ce comité n'est pas régional.", "This committee is not a regional one."), kind="input")
    if lead is not None and lead not in clusters:
        raise Refused(T("Le chef de file est l'un des pôles.", "The lead is one of the clusters."), kind="input")


def _free_slug(wanted: str) -> str:
    taken = set(Committee.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    if wanted not in taken:
        return wanted
    return next(s for n in range(2, len(taken) + 3) if (s := f"{wanted}-{n}") not in taken)


def seats_from_records(committee: Committee, on: dt.date) -> list[dict[str, Any]]:
    """The seats that the records tell: who carries the clusters, who is party of their contracts, which service follows them."""
    kind = queries.kind_of(committee)
    if kind is None:
        return []
    clusters = [g.cluster_id for g in committee.grounds.order_by("-lead", "pk")]
    lead = next((g.cluster_id for g in committee.grounds.all() if g.lead), None)
    parties = list(
        Party.objects.filter(
            contract__cluster__in=clusters,
            contract__state__in=("negotiation", "signing", "signed"),
            contract__ends_on__gte=on,
            removed_by_text__isnull=True,
        )
        .select_related("organisation")
        .order_by("order", "pk")
    )
    carriers = list(
        Carrier.objects.filter(access_within(on), cluster__in=clusters).select_related("organisation").order_by("pk")
    )
    services = list(
        Correspondent.objects.filter(access_within(on), cluster__in=clusters)
        .select_related("organisation")
        .order_by("pk")
    )
    out: list[dict[str, Any]] = []
    taken: set[tuple[str, int]] = set()

    def add(seat: Any, organisation: Organisation, function: str = "") -> None:
        alone = not seat.several and any(code == seat.code for code, _ in taken)
        if alone or any(pk == organisation.pk for _, pk in taken):
            return
        taken.add((seat.code, organisation.pk))
        out.append({"seat": seat.code, "organisation": organisation, "function": function})

    for seat in kind.seats:
        if seat.holder == "carrier":
            for carrier in sorted(carriers, key=lambda c: clusters.index(c.cluster_id)):
                if kind.scope == "thematic" and (seat.chair != (carrier.cluster_id == lead)):
                    continue
                add(seat, carrier.organisation)
        elif seat.holder == "region":
            for p in parties:
                if p.kind == "authority" and p.organisation.level == "region":
                    add(seat, p.organisation, p.signatory)
        elif seat.holder == "authority":
            for p in parties:
                if p.kind == "authority":
                    add(seat, p.organisation, p.signatory)
        elif seat.holder == "state" and seat.chair and not seat.several:
            for p in parties:
                if p.kind == "state":
                    add(seat, p.organisation, p.signatory)
        elif seat.holder == "state":
            for one in services:
                add(seat, one.organisation)
    return out


def access_within(on: dt.date) -> Any:
    """Rows of the register whose period holds a day (open ends count)."""
    from jalon.clusters.access import in_force

    return in_force(on)


@transaction.atomic
def end(
    committee: Committee, *, ends_on: dt.date, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Committee:
    """The committee stops after a day; nothing of its past is lost.

    Raises:
        Refused: no reason, a day before its first one, or sessions still to come after it.
    """
    committee = Committee.objects.select_for_update().get(pk=committee.pk)
    access.may_manage(by, committee, on)
    if not reason.strip():
        raise Refused(T("Dites pourquoi le comité s'arrête.", "Say why the committee stops."), kind="input")
    if ends_on < committee.starts_on:
        raise Refused(T("La fin précède le début.", "The end comes before the start."), kind="input")
    later = committee.sessions.filter(state__in=states.RUNNING, on__gt=ends_on)
    if later.exists():
        raise Refused(
            T("Des séances sont prévues après le {d} : annulez-les d'abord.",
              "Sessions are planned after {d}: cancel them first.", d=ends_on.isoformat()),
            missing=[T("séance du {d}", "session of {d}", d=s.on.isoformat()) for s in later],
        )  # fmt: skip
    committee.ends_on = ends_on
    committee.save(update_fields=["ends_on"])
    journal.record(
        queries.case_of(committee), "committee.end", by=by, on=on, at=at, why=reason, after={"ends_on": ends_on}
    )
    return committee


@transaction.atomic
def give_seat(
    committee: Committee,
    seat: str,
    organisation: Organisation,
    *,
    function: str = "",
    user: User | None = None,
    substitute: User | None = None,
    starts_on: dt.date,
    ends_on: dt.date | None = None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> CommitteeSeat:
    """Give a seat, from a day to a day.

    Raises:
        Refused: a seat that the policy does not know, that is taken, or whose days do not fit.
    """
    committee = Committee.objects.select_for_update().get(pk=committee.pk)
    access.may_manage(by, committee, on)
    kind = queries.kind_of(committee)
    spec = kind.seat(seat) if kind else None
    if spec is None:
        raise Refused(
            T("Ce comité n'a pas de siège « {s} ».", "This committee has no seat “{s}”.", s=seat), kind="input"
        )
    if ends_on is not None and ends_on < starts_on:
        raise Refused(T("Le mandat finit avant de commencer.", "The term ends before it starts."), kind="input")
    if starts_on < committee.starts_on:
        raise Refused(
            T("Le comité commence le {d} : un siège ne peut pas commencer avant.",
              "The committee starts on {d}: a seat cannot start before.", d=committee.starts_on.isoformat()),
            kind="input",
        )  # fmt: skip
    if user is not None and substitute is not None and user.pk == substitute.pk:
        raise Refused(T("Le suppléant est une autre personne.", "The substitute is somebody else."), kind="input")
    held = [
        s
        for s in committee.seats.filter(seat=seat, superseded_at__isnull=True).select_related("organisation")
        if (s.ends_on is None or s.ends_on >= starts_on) and (ends_on is None or s.starts_on <= ends_on)
    ]
    same = next(
        (s for s in held if s.organisation_id == organisation.pk and s.user_id == (user.pk if user else None)), None
    )
    if same is not None or (held and not spec.several):
        raise Refused(
            T("Ce siège est tenu par {o} à ces dates : mettez-y fin d'abord.",
              "This seat is held by {o} at these dates: end that first.", o=(same or held[0]).organisation.name)
        )  # fmt: skip
    row = CommitteeSeat.objects.create(
        committee=committee,
        seat=seat,
        organisation=organisation,
        function=" ".join(function.split())[:200],
        user=user,
        substitute=substitute,
        chair=spec.chair,
        votes=spec.votes,
        order=[s.code for s in kind.seats].index(seat),
        starts_on=starts_on,
        ends_on=ends_on,
        recorded_at=clock.stamp(on, at),
        simulated=simulated or committee.simulated,
    )
    journal.record(
        queries.case_of(committee),
        "committee.seat",
        by=by,
        on=on,
        at=at,
        after={
            "seat": seat,
            "organisation": organisation.name,
            "person": user.pk if user else None,
            "starts_on": starts_on,
            "ends_on": ends_on,
        },
    )
    return row


@transaction.atomic
def end_seat(
    seat: CommitteeSeat, *, ends_on: dt.date, reason: str = "", by: Actor, on: dt.date, at: dt.datetime | None = None
) -> CommitteeSeat:
    """A mandate ends on a day (inclusive)."""
    seat = CommitteeSeat.objects.select_for_update().get(pk=seat.pk)
    access.may_manage(by, seat.committee, on)
    if ends_on < seat.starts_on:
        raise Refused(T("Le mandat finit avant de commencer.", "The term ends before it starts."), kind="input")
    before = seat.ends_on
    seat.ends_on, seat.ended_why = ends_on, reason.strip()[:300]
    seat.save(update_fields=["ends_on", "ended_why"])
    journal.record(
        queries.case_of(seat.committee),
        "committee.seat_end",
        by=by,
        on=on,
        at=at,
        why=reason,
        before={"ends_on": before},
        after={"seat": seat.seat, "organisation": seat.organisation.name, "ends_on": ends_on},
    )
    return seat


@transaction.atomic
def name_person(
    seat: CommitteeSeat,
    *,
    user: User | None,
    substitute: User | None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> CommitteeSeat:
    """Say who fills a seat and who replaces them. Whoever runs the committee does it, or who holds the seat (substitute only)."""
    seat = (
        CommitteeSeat.objects.select_for_update(of=("self",))
        .select_related("committee", "organisation")
        .get(pk=seat.pk)
    )
    if not access.runs(by, seat.committee, on):
        mine = access.may_sit(by, seat.committee, on)
        if seat.pk not in {s.pk for s in mine} or (user.pk if user else None) != seat.user_id:
            access.may_manage(by, seat.committee, on)
    if user is not None and substitute is not None and user.pk == substitute.pk:
        raise Refused(T("Le suppléant est une autre personne.", "The substitute is somebody else."), kind="input")
    before = {"person": seat.user_id, "substitute": seat.substitute_id}
    seat.user, seat.substitute = user, substitute
    seat.save(update_fields=["user", "substitute"])
    journal.record(
        queries.case_of(seat.committee),
        "committee.substitute",
        by=by,
        on=on,
        at=at,
        before=before,
        after={"seat": seat.seat, "person": seat.user_id, "substitute": seat.substitute_id},
    )
    return seat


# -- planning ---------------------------------------------------------------------------------------------------


def _locked(session: Session) -> Session:
    return (
        Session.objects.select_for_update(of=("self",))
        .select_related("committee", "frozen", "presided_by")
        .get(pk=session.pk)
    )


def _number(committee: Committee) -> int:
    return (committee.sessions.aggregate(last=Max("number"))["last"] or 0) + 1


def _check_day(committee: Committee, day: dt.date) -> None:
    working = policy().working_days
    if day < committee.starts_on or (committee.ends_on and day > committee.ends_on):
        raise Refused(
            T("Le {d} est hors des dates du comité.", "{d} lies outside the committee's dates.", d=day.isoformat()),
            kind="input",
        )
    kind = queries.kind_of(committee)
    if kind is not None and not kind.on(day):
        raise Refused(
            T("Le {d}, le programme n'a plus de « {k} ».", "On {d} the programme has no “{k}”.", d=day.isoformat(), k=kind.title)
        )  # fmt: skip
    if not working.is_working(day, committee.place):
        raise Refused(
            T("Le {d} n'est pas un jour ouvré ; le suivant est le {n}.",
              "{d} is not a working day; the next one is {n}.",
              d=day.isoformat(), n=working.not_before(day, committee.place).isoformat()),
            kind="input",
        )  # fmt: skip


@transaction.atomic
def plan(
    committee: Committee,
    day: dt.date,
    *,
    starts_at: dt.time | None = None,
    where: str = "",
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Session:
    """Plan a session.

    Raises:
        Refused: a day in the past, off work, outside the committee's dates, or on which it already meets.
    """
    committee = Committee.objects.select_for_update().get(pk=committee.pk)
    access.may_manage(by, committee, on)
    _check_future(day, on)
    return _plan(committee, day, starts_at=starts_at, where=where, by=by, on=on, at=at)


def _check_future(day: dt.date, on: dt.date) -> None:
    if day < on:
        raise Refused(
            T("Le {d} est passé : une séance se prévoit.", "{d} is past: a session is planned ahead.", d=day.isoformat()),
            kind="input",
        )  # fmt: skip


def _plan(
    committee: Committee,
    day: dt.date,
    *,
    starts_at: dt.time | None = None,
    where: str = "",
    replaces: Session | None = None,
    second: bool = False,
    by: Any,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Session:
    _check_day(committee, day)
    if committee.sessions.filter(on=day, state__in=states.RUNNING).exists():
        raise Refused(
            T("Une séance est déjà prévue le {d}.", "A session is already planned on {d}.", d=day.isoformat()), kind="input"
        )  # fmt: skip
    session = Session.objects.create(
        committee=committee,
        number=_number(committee),
        on=day,
        starts_at=starts_at,
        where=" ".join(where.split())[:200],
        replaces=replaces,
        second=second,
        created_at=clock.stamp(on, at),
        simulated=committee.simulated,
    )
    journal.record(
        queries.session_case(session),
        "session.plan",
        by=by,
        on=on,
        at=at,
        after={"on": day, "where": session.where, "second": second, "replaces": replaces.number if replaces else None},
    )
    return session


@transaction.atomic
def change(
    session: Session,
    *,
    day: dt.date,
    starts_at: dt.time | None,
    where: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Session:
    """Change day, hour or place. Once it is convened only hour and place change; the day is put off by postponing."""
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    if session.state not in states.TO_COME or (session.state == "convened" and day != session.on):
        raise Refused(
            T("La séance est « {s} » : sa date ne change plus. Reportez-la.",
              "The session is “{s}”: its day no longer changes. Postpone it.", s=states.TITLES[session.state])
        )  # fmt: skip
    if day != session.on:
        _check_future(day, on)
        _check_day(session.committee, day)
        if session.committee.sessions.filter(on=day, state__in=states.RUNNING).exclude(pk=session.pk).exists():
            raise Refused(
                T("Une séance est déjà prévue le {d}.", "A session is already planned on {d}.", d=day.isoformat()),
                kind="input",
            )  # fmt: skip
    before = {"on": session.on, "where": session.where}
    session.on, session.starts_at, session.where = day, starts_at, " ".join(where.split())[:200]
    session.proposed = False
    session.save(update_fields=["on", "starts_at", "where", "proposed"])
    journal.record(
        queries.session_case(session), "session.move", by=by, on=on, at=at, before=before,
        after={"on": session.on, "where": session.where},
    )  # fmt: skip
    return session


# -- agenda -----------------------------------------------------------------------------------------------------


def _check_agenda_open(session: Session) -> None:
    if session.state not in states.AGENDA_OPEN:
        raise Refused(
            T("La séance est « {s} » : son ordre du jour ne change plus.",
              "The session is “{s}”: its agenda no longer changes.", s=states.TITLES[session.state])
        )  # fmt: skip


@transaction.atomic
def build_agenda(
    session: Session, *, by: Any, on: dt.date, at: dt.datetime | None = None, found: Any = None
) -> dict[str, int]:
    """Put on the agenda what the sources of the policy have on that day; how many points came, stayed and went.

    What was dropped stays dropped, unless something new is behind it. What no longer holds leaves the agenda before the
    session is convened; afterwards it stays, because it was announced. ``found``: points already read for it.
    """
    session = _locked(session)
    if by is not journal.SYSTEM:
        access.may_manage(by, session.committee, on)
    _check_agenda_open(session)
    if found is None:
        found = agenda.points([session.committee], on, {session.committee_id: session.on})[session.committee_id]
    return _write_agenda(session, found, by=by, on=on, at=at)


def _write_agenda(session: Session, found: Any, *, by: Any, on: dt.date, at: dt.datetime | None) -> dict[str, int]:
    rows = {(i.source, i.key): i for i in session.items.exclude(source="own")}
    order = session.items.aggregate(last=Max("order"))["last"] or 0
    counts = {"added": 0, "kept": 0, "back": 0, "gone": 0}
    new, changed = [], []
    seen = set()
    for source, point in found:
        key = (source, point.key[:200])
        if key in seen:
            continue
        seen.add(key)
        values = {
            "kind": point.kind,
            "title": str(point.title.in_language("fr") if hasattr(point.title, "in_language") else point.title)[:255],
            "case": point.case,
            "url": point.url[:300],
            "cluster_id": point.cluster,
            "why": agenda.kept(point, on),
            "details": agenda.kept_details(point),
            "light": point.light if point.light in follow_rules.LIGHTS else "unknown",
            "due_on": point.due_on,
            "built_on": on,
            "simulated": point.simulated or session.simulated,
        }
        row = rows.get(key)
        if row is None:
            order += 1
            new.append(Item(session=session, source=source, key=key[1], order=order, added_on=on, **values))
            counts["added"] += 1
            continue
        known = {d["key"] for d in row.details}
        fresh = [d for d in values["details"] if d["key"] not in known]
        settled = row.dropped_on is not None and row.dropped_by == ""
        if row.dropped_on is not None and (fresh or settled):
            row.dropped_on, row.dropped_why, row.dropped_by = None, "", ""
            counts["back"] += 1
        else:
            counts["kept"] += 1
        for name, value in values.items():
            setattr(row, name, value)
        changed.append(row)
    if session.state == "planned":
        for key, row in rows.items():
            if key not in seen and row.dropped_on is None:
                row.dropped_on, row.dropped_by = on, ""
                row.dropped_why = "Réglé : ne remplit plus la règle"
                changed.append(row)
                counts["gone"] += 1
    Item.objects.bulk_create(new)
    Item.objects.bulk_update(
        changed,
        [
            "kind", "title", "case", "url", "cluster", "why", "details", "light", "due_on", "built_on", "simulated",
            "dropped_on", "dropped_why", "dropped_by",
        ],
        batch_size=200,
    )  # fmt: skip
    session.built_on = on
    session.save(update_fields=["built_on"])
    journal.record(queries.session_case(session), "session.agenda", by=by, on=on, at=at, after=counts)
    return counts


@transaction.atomic
def add_item(
    session: Session,
    *,
    title: str,
    kind: str = "discussion",
    body: str = "",
    presenter: str = "",
    minutes: int | None = None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Item:
    """Add a point of one's own."""
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    _check_agenda_open(session)
    if kind not in states.ITEM_KINDS:
        raise Refused(T("Nature de point inconnue : {k}.", "Unknown kind of point: {k}.", k=kind), kind="input")
    row = Item.objects.create(
        session=session,
        order=(session.items.aggregate(last=Max("order"))["last"] or 0) + 1,
        kind=kind,
        title=rules.clean_title(title, T("le point", "the point")),
        body=rules.clean_text(body, T("le texte du point", "the point's text")),
        presenter=" ".join(presenter.split())[:160],
        minutes_planned=minutes,
        added_on=on,
        simulated=session.simulated,
    )
    journal.record(
        access.item_case(row.pk), "session.item_add", by=by, on=on, at=at,
        after={"session": queries.session_case(session), "title": row.title, "kind": kind},
    )  # fmt: skip
    return row


@transaction.atomic
def move_item(item: Item, step: int, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> list[int]:
    """Move a point up (-1) or down (1); the new order of the points."""
    session = _locked(item.session)
    access.may_manage(by, session.committee, on)
    _check_agenda_open(session)
    rows = [i for i in session.items.all() if i.dropped_on is None]
    place = next((n for n, i in enumerate(rows) if i.pk == item.pk), None)
    if place is None:
        raise Refused(T("Ce point n'est plus à l'ordre du jour.", "This point is no longer on the agenda."))
    target = min(max(place + step, 0), len(rows) - 1)
    rows.insert(target, rows.pop(place))
    for n, row in enumerate(rows, 1):
        row.order = n
    Item.objects.bulk_update(rows, ["order"], batch_size=200)
    journal.record(
        queries.session_case(session), "session.item_move", by=by, on=on, at=at,
        before={"place": place + 1}, after={"point": item.pk, "place": target + 1},
    )  # fmt: skip
    return [i.pk for i in rows]


@transaction.atomic
def drop_item(item: Item, reason: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Item:
    """Take a point off the agenda, with a reason; it is remembered, and does not come back unless something new is behind it.

    Raises:
        Refused: no reason, or something was already decided on it.
    """
    session = _locked(item.session)
    access.may_manage(by, session.committee, on)
    _check_agenda_open(session)
    if not reason.strip():
        raise Refused(T("Dites pourquoi le point est écarté.", "Say why the point is dropped."), kind="input")
    item = Item.objects.get(pk=item.pk)
    if item.decisions.exists() or item.ballots.exists():
        raise Refused(
            T("Ce point a un vote ou une décision : il reste.", "This point has a vote or a decision: it stays.")
        )
    item.dropped_on, item.dropped_why, item.dropped_by = on, reason.strip()[:500], by.user_label[:200] or "–"
    item.save(update_fields=["dropped_on", "dropped_why", "dropped_by"])
    if session.current_id == item.pk:
        session.current = None
        session.save(update_fields=["current"])
    journal.record(access.item_case(item.pk), "session.item_drop", by=by, on=on, at=at, why=reason)
    return item


@transaction.atomic
def restore_item(item: Item, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Item:
    """Put a dropped point back, at the end."""
    session = _locked(item.session)
    access.may_manage(by, session.committee, on)
    _check_agenda_open(session)
    item = Item.objects.get(pk=item.pk)
    item.dropped_on, item.dropped_why, item.dropped_by = None, "", ""
    item.order = (session.items.aggregate(last=Max("order"))["last"] or 0) + 1
    item.save(update_fields=["dropped_on", "dropped_why", "dropped_by", "order"])
    journal.record(access.item_case(item.pk), "session.item_restore", by=by, on=on, at=at)
    return item


@transaction.atomic
def add_paper(
    session: Session,
    upload: Any,
    name: str,
    *,
    title: str = "",
    item: Item | None = None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> SessionPaper:
    """Attach a paper; the same title again is a new version. After the convocation those who sit are told.

    Raises:
        Refused: the session is over, or the file is not accepted.
    """
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    if session.state not in states.WRITABLE:
        raise Refused(
            T("La séance est « {s} » : plus de pièces.", "The session is “{s}”: no more papers.", s=states.TITLES[session.state])
        )  # fmt: skip
    if item is not None and item.session_id != session.pk:
        raise Refused(T("Ce point est d'une autre séance.", "This point is of another session."), kind="input")
    title = rules.clean_title(title or name, T("la pièce", "the paper"))
    stored = files.store(
        upload, name, case=queries.session_case(session), by=by, title=title, at=clock.stamp(on, at),
        simulated=session.simulated,
    )  # fmt: skip
    last = session.papers.filter(title=title).aggregate(last=Max("version"))["last"] or 0
    sent = on if session.state != "planned" else None
    row = SessionPaper.objects.create(
        session=session,
        item=item,
        title=title,
        version=last + 1,
        file=stored,
        added_on=on,
        sent_on=sent,
        added_by=by.user_label[:200],
    )
    case = access.item_case(item.pk) if item else queries.session_case(session)
    journal.record(
        case, "session.paper", by=by, on=on, at=at,
        after={"title": title, "version": row.version, "sha256": stored.sha256, "sent_on": sent},
    )  # fmt: skip
    if session.state == "convened":
        away = access.recused_on([item.pk]).get(item.pk, set()) if item else set()
        users = [u for u in _people(session) if u.pk not in away]
        messages.papers(session, [f"{title} (v{row.version})"], users)
    return row


def _people(session: Session) -> list[User]:
    return queries.people_of(queries.seats_on(session.committee, session.on), session.on)


# -- convene, postpone, cancel ----------------------------------------------------------------------------------


@transaction.atomic
def convene(session: Session, *, urgency: str = "", by: Actor, on: dt.date, at: dt.datetime | None = None) -> Session:
    """Send the convocation with its agenda; it is frozen as it was sent.

    Raises:
        Refused: nothing on the agenda, nobody to convene, the day is past, or it is too late and no urgency is given.
    """
    session = _locked(session)
    committee = session.committee
    access.may_manage(by, committee, on)
    move = workflow.check(states.MOVES, states.STATES, "convene", session.state)
    terms = queries.terms_on(committee, session.on)
    seats = queries.seats_on(committee, session.on)
    items = [i for i in session.items.all() if i.dropped_on is None]
    missing = []
    if not items:
        missing.append(T("un point à l'ordre du jour", "a point on the agenda"))
    if not seats:
        missing.append(T("un membre en fonction ce jour-là", "a member in office on that day"))
    if missing:
        raise Refused(T("La séance ne peut pas être convoquée.", "The session cannot be convened."), missing=missing)
    if session.on < on:
        raise Refused(
            T("Le jour de la séance ({d}) est passé : reportez-la.", "The day of the session ({d}) is past: postpone it.",
              d=session.on.isoformat())
        )  # fmt: skip
    last, why = rules.last_day_for(terms, "notice", session.on, policy().working_days, committee.place)
    urgency = urgency.strip()[:500]
    if last is not None and on > last and not urgency:
        raise Refused(
            T("La convocation devait partir au plus tard le {d} (séance le {s}) : reportez la séance, ou motivez l'urgence.",
              "The convocation had to leave by {d} (session on {s}): postpone the session, or give the reason of urgency.",
              d=last.isoformat(), s=session.on.isoformat()),
            why=why,
        )  # fmt: skip
    moment = clock.stamp(on, at)
    session.state, session.convened_on = move.target, on
    session.urgency = urgency if last is not None and on > last else ""
    frozen = journal.freeze(
        queries.session_case(session),
        "convocation",
        {
            "committee": committee.title,
            "on": session.on,
            "starts_at": session.starts_at.isoformat("minutes") if session.starts_at else None,
            "where": session.where,
            "second": session.second,
            "urgency": session.urgency,
            "items": [{"title": i.title, "kind": i.kind, "why": i.why} for i in items],
            "papers": [
                {"title": p.title, "version": p.version, "sha256": p.file.sha256}
                for p in session.papers.select_related("file")
            ],
            "convened": [s.organisation.name for s in seats],
        },
        at=moment,
    )
    session.convocation = frozen
    session.save(update_fields=["state", "convened_on", "urgency", "convocation"])
    session.papers.filter(sent_on__isnull=True).update(sent_on=on)
    journal.record(
        queries.session_case(session), "session.convene", by=by, on=on, at=moment, why=session.urgency,
        after={"state": session.state, "on": session.on, "last_day": last, "sha256": frozen.sha256},
    )  # fmt: skip
    messages.convened(session, items, queries.people_of(seats, session.on), access.recused_on([i.pk for i in items]))
    return session


@transaction.atomic
def postpone(
    session: Session, new_day: dt.date, reason: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Session:
    """Put a session off to another day: a new session takes its agenda and its papers; the old one says why."""
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    move = workflow.check(states.MOVES, states.STATES, "postpone", session.state, reason)
    convened = session.state == "convened"
    _check_future(new_day, on)
    session.state, session.reason = move.target, reason.strip()[:500]
    session.save(update_fields=["state", "reason"])
    new = _plan(
        session.committee, new_day, starts_at=session.starts_at, where=session.where, replaces=session, by=by, on=on, at=at
    )  # fmt: skip
    _copy_agenda(session, new, on)
    journal.record(
        queries.session_case(session), "session.postpone", by=by, on=on, at=at, why=reason,
        after={"state": session.state, "to": new_day},
    )  # fmt: skip
    if convened:
        messages.moved(session, _people(session), new)
    return new


def _copy_agenda(old: Session, new: Session, on: dt.date) -> None:
    copies: dict[int, Item] = {}
    for item in old.items.all():
        pk = item.pk
        item.pk = None
        item._state.adding = True
        item.session, item.notes, item.draft, item.rev, item.added_on = new, "", "", 0, on
        item.save(force_insert=True)
        copies[pk] = item
    for paper in old.papers.all():
        paper.pk = None
        paper._state.adding = True
        paper.item = copies.get(paper.item_id) if paper.item_id else None
        paper.session, paper.sent_on = new, None
        paper.save(force_insert=True)


@transaction.atomic
def cancel(session: Session, reason: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Session:
    """Cancel a session; those who were convened are told."""
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    move = workflow.check(states.MOVES, states.STATES, "cancel", session.state, reason)
    convened = session.state == "convened"
    session.state, session.reason = move.target, reason.strip()[:500]
    session.save(update_fields=["state", "reason"])
    journal.record(
        queries.session_case(session), "session.cancel", by=by, on=on, at=at, why=reason, after={"state": session.state}
    )
    if convened:
        messages.moved(session, _people(session), None)
    return session


@transaction.atomic
def convene_again(
    session: Session, new_day: dt.date, *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Session:
    """After a session without quorum: a second one on the same agenda, for which the policy asks no quorum.

    Raises:
        Refused: the first session was not held, or its quorum was reached, or the policy knows no second convening.
    """
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    if session.state not in states.HELD or session.second:
        raise Refused(
            T("Une seconde convocation suit une séance tenue sans quorum.",
              "A second convening follows a session held without a quorum.")
        )  # fmt: skip
    terms = queries.terms_on(session.committee, session.on)
    held = queries.quorum_of(session, terms, queries.seats_on(session.committee, session.on), session.attendances.all())
    if held.reached:
        raise Refused(T("Le quorum était atteint.", "The quorum was reached."), why=held.why)
    if not terms.value("second_without_quorum"):
        raise Refused(
            T("La politique ne prévoit pas de seconde convocation sans quorum.",
              "The policy knows no second convening without a quorum.")
        )  # fmt: skip
    _check_future(new_day, on)
    new = _plan(
        session.committee, new_day, starts_at=session.starts_at, where=session.where, replaces=session, second=True,
        by=by, on=on, at=at,
    )  # fmt: skip
    _copy_agenda(session, new, on)
    return new


# -- in session -------------------------------------------------------------------------------------------------


@transaction.atomic
def open_session(
    session: Session, *, presided_by: CommitteeSeat | None = None, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Session:
    """Open the session on its day.

    Raises:
        Refused: before its day; or not convened.
    """
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    move = workflow.check(states.MOVES, states.STATES, "open", session.state)
    if on < session.on:
        raise Refused(
            T("La séance est convoquée pour le {d} : elle s'ouvre ce jour-là.",
              "The session is convened for {d}: it opens on that day.", d=session.on.isoformat())
        )  # fmt: skip
    session.state, session.opened_at = move.target, clock.stamp(on, at)
    session.current = next((i for i in session.items.all() if i.dropped_on is None), None)
    if presided_by is not None:
        _check_presides(session, presided_by)
        session.presided_by = presided_by
    try:
        with transaction.atomic():
            session.save(update_fields=["state", "opened_at", "current", "presided_by"])
    except IntegrityError:
        raise Refused(
            T("Une autre séance de ce comité est ouverte : levez-la d'abord.",
              "Another session of this committee is open: close it first.")
        ) from None  # fmt: skip
    journal.record(
        queries.session_case(session), "session.open", by=by, on=on, at=at,
        after={"state": session.state, "presided_by": presided_by.organisation.name if presided_by else None},
    )  # fmt: skip
    return session


def _check_presides(session: Session, seat: CommitteeSeat) -> None:
    seats = queries.seats_on(session.committee, session.on)
    if seat.pk not in {s.pk for s in seats}:
        raise Refused(T("Ce siège n'est pas de ce comité.", "This seat is not of this committee."), kind="input")
    chairs = [s for s in seats if s.chair]
    if chairs and not seat.chair:
        raise Refused(
            T("La séance est présidée par {c}.", "The session is chaired by {c}.",
              c=" / ".join(str(queries.seat_title(s)) for s in chairs))
        )  # fmt: skip


@transaction.atomic
def preside(session: Session, seat: CommitteeSeat, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Session:
    """Say who presides; in a tie the vote of that seat may decide. Not while a vote runs."""
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    if session.state not in states.RUNNING:
        raise Refused(T("La séance est finie.", "The session is over."))
    if Ballot.objects.filter(item__session=session, closed_at__isnull=True).exists():
        raise Refused(
            T("Un scrutin est ouvert : la présidence ne change pas.", "A vote is open: the chair does not change.")
        )
    _check_presides(session, seat)
    session.presided_by = seat
    session.save(update_fields=["presided_by"])
    journal.record(
        queries.session_case(session),
        "session.chair",
        by=by,
        on=on,
        at=at,
        after={"presided_by": seat.organisation.name},
    )
    return session


@transaction.atomic
def set_presence(
    session: Session,
    seat: CommitteeSeat,
    presence: str,
    *,
    proxy_to: CommitteeSeat | None = None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Attendance:
    """Say how a seat attends: whoever fills it, until the session is over, or whoever runs the committee.

    Raises:
        Refused: unknown word, a proxy against the rules, or the session is over.
        NotAllowed: the seat is another's.
    """
    session = _locked(session)
    committee = session.committee
    own = {s.pk for s in access.seats_in(by, committee, on)}
    if seat.pk not in own:
        access.may_manage(by, committee, on)
    elif session.state == "planned":
        raise Refused(T("La séance n'est pas encore convoquée.", "The session is not convened yet."))
    if session.state not in ("planned", "convened", "open", "held"):
        raise Refused(
            T("La séance est « {s} » : les présences ne changent plus.",
              "The session is “{s}”: attendance no longer changes.", s=states.TITLES[session.state])
        )  # fmt: skip
    if session.state == "held" and seat.pk in own and not access.runs(by, committee, on):
        raise Refused(T("La séance est levée.", "The session is closed."))
    if presence not in states.PRESENCES:
        raise Refused(T("Présence inconnue : {p}.", "Unknown attendance: {p}.", p=presence), kind="input")
    seats = {s.pk: s for s in queries.seats_on(committee, session.on)}
    if seat.pk not in seats:
        raise Refused(
            T("Ce siège n'est pas en fonction le jour de la séance.", "This seat is not in office on the day of the session.")
        )  # fmt: skip
    said = {a.seat_id: a for a in session.attendances.all()}
    if presence == "represented":
        if proxy_to is None:
            raise Refused(T("À qui va le pouvoir ?", "Who gets the proxy?"), kind="input")
        if proxy_to.pk not in seats:
            raise Refused(
                T("Le pouvoir va à un membre du comité.", "The proxy goes to a member of the committee."), kind="input"
            )
        given = {pk: a.proxy_to_id for pk, a in said.items() if a.proxy_to_id and pk != seat.pk}
        rules.check_proxy(
            queries.terms_on(committee, session.on),
            giver=seat.pk,
            holder=proxy_to.pk,
            giver_votes=seats[seat.pk].votes,
            holder_votes=seats[proxy_to.pk].votes,
            given=given,
        )
    elif proxy_to is not None:
        raise Refused(T("Qui est là ne donne pas pouvoir.", "Who is there gives no proxy."), kind="input")
    running = Ballot.objects.filter(item__session=session, closed_at__isnull=True).first()
    if running is not None:
        raise Refused(
            T("Un scrutin est ouvert : les présences changent après.", "A vote is open: attendance changes afterwards.")
        )
    before = said.get(seat.pk)
    person = by.user_label if seat.pk in own else (before.user_label if before else "")
    row, _ = Attendance.objects.update_or_create(
        session=session,
        seat=seats[seat.pk],
        defaults={
            "presence": presence,
            "proxy_to": proxy_to,
            "user_id": by.user_id if seat.pk in own and presence in states.HERE else None,
            "user_label": person[:200] if presence in states.HERE else "",
            "at": clock.stamp(on, at),
        },
    )
    journal.record(
        queries.session_case(session), "session.presence", by=by, on=on, at=at,
        before={"presence": before.presence} if before else None,
        after={
            "seat": seat.seat,
            "organisation": seats[seat.pk].organisation.name,
            "presence": presence,
            "proxy_to": proxy_to.organisation.name if proxy_to else None,
        },
    )  # fmt: skip
    return row


@transaction.atomic
def show_item(session: Session, item: Item, *, by: Actor, on: dt.date) -> Session:
    """Bring a point on the screen of the room; the phones of those who sit follow. Not an act: nothing is decided by it."""
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    if item.session_id != session.pk or item.dropped_on is not None:
        raise Refused(T("Ce point n'est pas à l'ordre du jour.", "This point is not on the agenda."), kind="input")
    session.current = item
    session.save(update_fields=["current"])
    return session


@transaction.atomic
def save_words(
    item: Item, *, notes: str, draft: str, rev: int, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> int:
    """Keep what is typed on a point while it is being written: notes and the decision's draft; the new revision.

    Raises:
        Conflict: somebody else saved meanwhile; both texts are in it.
    """
    session = _locked(item.session)
    access.may_manage(by, session.committee, on)
    if session.state not in ("open", "held", "circulated", "convened"):
        raise Refused(
            T("La séance est « {s} » : rien ne s'y écrit.", "The session is “{s}”: nothing is written in it.",
              s=states.TITLES[session.state])
        )  # fmt: skip
    item = Item.objects.select_for_update().get(pk=item.pk)
    notes = rules.clean_text(notes, T("les notes", "the notes"))
    draft = rules.clean_text(draft, T("la décision", "the decision"))
    if item.rev != rev:
        if (item.notes, item.draft) == (notes, draft):
            return item.rev
        raise Conflict(
            T("Ce point a été modifié entre-temps par {w}.", "This point was changed meanwhile by {w}.", w=item.updated_by),
            theirs={"notes": item.notes, "draft": item.draft},
            yours={"notes": notes, "draft": draft},
        )  # fmt: skip
    item.notes, item.draft, item.rev, item.updated_by = notes, draft, rev + 1, by.user_label[:200]
    item.save(update_fields=["notes", "draft", "rev", "updated_by"])
    return item.rev


@transaction.atomic
def declare_interest(item: Item, reason: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> None:
    """Who sits says that they have an interest in a point: they no longer read it nor vote on it (*déport*).

    Raises:
        NotAllowed: the actor does not sit.
        Refused: no word on the interest; or the actor already voted on it.
    """
    session = _locked(item.session)
    mine = access.may_sit(by, session.committee, on)
    if Vote.objects.filter(ballot__item=item, seat__in=[s.pk for s in mine]).exists():
        raise Refused(
            T("Vous avez déjà voté sur ce point : le déport se déclare avant.",
              "You have already voted on this point: an interest is declared before.")
        )  # fmt: skip
    interests.declare(access.item_case(item.pk), "interest", by=by, on=on, reason=reason, at=at)
    for ballot in Ballot.objects.select_for_update().filter(item=item, closed_at__isnull=True):
        away = {s.pk for s in mine}
        held = set(session.attendances.filter(proxy_to__in=away).values_list("seat_id", flat=True))
        ballot.recused = sorted({*ballot.recused, *((away | held) & set(ballot.entitled))})
        ballot.entitled = [pk for pk in ballot.entitled if pk not in away | held]
        ballot.save(update_fields=["entitled", "recused"])


# -- votes ------------------------------------------------------------------------------------------------------


def _quorum(session: Session) -> rules.Quorum:
    return queries.quorum_of(
        session,
        queries.terms_on(session.committee, session.on),
        queries.seats_on(session.committee, session.on),
        session.attendances.all(),
    )


def _check_quorum(session: Session) -> None:
    held = _quorum(session)
    if not held.reached:
        raise Refused(
            T("Le quorum n'est pas atteint : {c} présents ou représentés, il en faut {n}. Rien ne se décide.",
              "The quorum is not reached: {c} present or represented, {n} are needed. Nothing is decided.",
              c=held.counted, n=held.needed),
            why=held.why,
        )  # fmt: skip


def _check_open(session: Session) -> None:
    if session.state != "open":
        raise Refused(
            T(
                "La séance n'est pas ouverte (« {s} »).",
                "The session is not open (“{s}”).",
                s=states.TITLES[session.state],
            )
        )


@transaction.atomic
def open_ballot(
    item: Item, *, question: str = "", secret: bool = False, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Ballot:
    """Put a point to the vote. Those entitled: voting seats present or represented, without who is recused.

    Raises:
        Refused: the kind does not vote, the session is not open, no quorum, a vote already runs, or nobody may vote.
    """
    session = _locked(item.session)
    committee = session.committee
    access.may_manage(by, committee, on)
    _check_open(session)
    kind = queries.kind_of(committee)
    if kind is None or kind.mode != "vote":
        raise Refused(
            T("Ce comité ne vote pas : il constate l'accord de ses membres.",
              "This committee does not vote: it records the agreement of its members.")
        )  # fmt: skip
    item = Item.objects.get(pk=item.pk)
    if item.dropped_on is not None:
        raise Refused(T("Ce point n'est pas à l'ordre du jour.", "This point is not on the agenda."))
    if item.kind == "information":
        raise Refused(T("Un point d'information ne se vote pas.", "A point for information is not voted on."))
    _check_quorum(session)
    entitled, away = _entitled(session, item)
    if not entitled:
        raise Refused(T("Personne ne peut voter sur ce point.", "Nobody may vote on this point."))
    try:
        with transaction.atomic():
            ballot = Ballot.objects.create(
                item=item,
                question=rules.clean_title(
                    question or item.draft[:250] or item.title, T("la question", "the question")
                ),
                secret=secret,
                entitled=entitled,
                recused=away,
                opened_at=clock.stamp(on, at),
                opened_by=by.user_label[:200],
            )
    except IntegrityError:
        raise Conflict(
            T("Un scrutin est déjà ouvert sur ce point.", "A vote is already open on this point."),
            theirs="",
            yours=question,
        ) from None
    if session.current_id != item.pk:
        session.current = item
        session.save(update_fields=["current"])
    journal.record(
        access.item_case(item.pk), "ballot.open", by=by, on=on, at=at,
        after={"ballot": ballot.pk, "question": ballot.question, "secret": secret, "entitled": len(entitled), "recused": len(away)},
    )  # fmt: skip
    return ballot


def _entitled(session: Session, item: Item) -> tuple[list[int], list[int]]:
    """Seats that may vote on a point, and voting seats that are there but recused.

    A seat is recused with the person who fills it: the one named, else whoever said to attend for it. A proxy held by
    somebody who is recused cannot be used on the point.
    """
    seats = queries.seats_on(session.committee, session.on)
    said = {a.seat_id: a for a in session.attendances.all()}
    recused = set(access.recused_on([item.pk]).get(item.pk, ()))
    if item.case:
        from jalon.interests.access import recused_users

        recused |= recused_users(item.case)
    away = {s.pk for s in seats if recused and _is_away(s, said.get(s.pk), recused, session.on)}
    here = {pk for pk, a in said.items() if a.presence in states.HERE}
    entitled, out = [], []
    for s in seats:
        if not s.votes:
            continue
        a = said.get(s.pk)
        if s.pk in here:
            (out if s.pk in away else entitled).append(s.pk)
        elif a is not None and a.presence == "represented" and a.proxy_to_id in here:
            (out if s.pk in away or a.proxy_to_id in away else entitled).append(s.pk)
    return entitled, out


def _is_away(seat: CommitteeSeat, said: Attendance | None, recused: set[int], day: dt.date) -> bool:
    """Whether nobody but recused people sits on a seat: who said to attend, else the person named, else whoever may fill it."""
    if said is not None and said.user_id is not None:
        return said.user_id in recused
    if seat.user_id is not None and seat.substitute_id is None:
        return seat.user_id in recused
    people = {u.pk for u in queries.people_of([seat], day)}
    return bool(people) and people <= recused


@transaction.atomic
def cast(
    ballot: Ballot, seat: CommitteeSeat, choice: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Vote:
    """Vote for a seat: one's own, or one whose proxy one's seat holds. A vote is given once.

    Raises:
        Refused: unknown choice, the vote is closed, the seat may not vote.
        NotAllowed: the seat is another's, or the actor is recused.
        Conflict: the seat has voted already.
    """
    if choice not in states.CHOICES:
        raise Refused(T("Vote inconnu : {c}.", "Unknown vote: {c}.", c=choice), kind="input")
    session = _locked(ballot.item.session)
    ballot = Ballot.objects.select_for_update().get(pk=ballot.pk)
    mine = {s.pk: s for s in access.may_sit(by, session.committee, on)}
    case = access.item_case(ballot.item_id)
    interests_require(by, case, ballot.item.case)
    holder: CommitteeSeat | None = None
    said = {a.seat_id: a for a in session.attendances.all()}
    if seat.pk not in mine:
        given = said.get(seat.pk)
        holder = mine.get(given.proxy_to_id) if given is not None and given.proxy_to_id else None
        if holder is None:
            raise NotAllowed(
                T("Ce siège n'est pas le vôtre et vous n'en tenez pas le pouvoir.",
                  "This seat is not yours and you do not hold its proxy.")
            )  # fmt: skip
    if ballot.closed_at is not None:
        raise Refused(T("Le scrutin est clos.", "The vote is closed."))
    if seat.pk not in ballot.entitled:
        raise Refused(
            T("Ce siège ne vote pas sur ce point : absent, déporté ou sans voix.",
              "This seat does not vote on this point: absent, recused or without a vote.")
        )  # fmt: skip
    try:
        with transaction.atomic():
            vote = Vote.objects.create(
                ballot=ballot,
                seat_id=seat.pk,
                choice="" if ballot.secret else choice,
                by_seat=holder,
                user_label="" if ballot.secret else by.user_label[:200],
                at=None if ballot.secret else clock.stamp(on, at),
            )
    except IntegrityError:
        raise Conflict(T("Ce siège a déjà voté.", "This seat has already voted."), theirs="", yours=choice) from None
    if ballot.secret:
        ballot.counts = {**ballot.counts, choice: ballot.counts.get(choice, 0) + 1}
        ballot.save(update_fields=["counts"])
    journal.record(
        case, "ballot.cast", by=by, on=on, at=at,
        after={"ballot": ballot.pk, "secret": True}
        if ballot.secret
        else {"ballot": ballot.pk, "seat": seat.seat, "organisation": seat.organisation.name, "choice": choice, "proxy": holder is not None},
    )  # fmt: skip
    return vote


def interests_require(by: Actor, *cases: str) -> None:
    """Raise NotAllowed when the actor is recused from one of these cases."""
    from jalon.interests.access import require_not_recused

    for case in cases:
        if case:
            require_not_recused(by, case)


@transaction.atomic
def close_ballot(ballot: Ballot, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Ballot:
    """Close a vote and say its result.

    Raises:
        Refused: already closed, or nobody voted.
    """
    session = _locked(ballot.item.session)
    access.may_manage(by, session.committee, on)
    ballot = Ballot.objects.select_for_update().select_related("item").get(pk=ballot.pk)
    if ballot.closed_at is not None:
        raise Refused(T("Le scrutin est déjà clos.", "The vote is already closed."))
    votes = list(ballot.votes.all())
    if not votes:
        raise Refused(T("Personne n'a voté.", "Nobody has voted."))
    counts = (
        {k: ballot.counts.get(k, 0) for k in states.CHOICES}
        if ballot.secret
        else {k: sum(v.choice == k for v in votes) for k in states.CHOICES}
    )
    chair = next((v.choice for v in votes if v.seat_id == session.presided_by_id), None)
    told = rules.result(
        queries.terms_on(session.committee, session.on),
        counts,
        entitled=len(ballot.entitled),
        chair_choice=chair,
        secret=ballot.secret,
    )
    ballot.counts, ballot.outcome, ballot.by_chair = dict(counts), told.outcome, told.cast_by_chair
    ballot.needed, ballot.base, ballot.closed_at = told.needed, told.base, clock.stamp(on, at)
    ballot.save(update_fields=["counts", "outcome", "by_chair", "needed", "base", "closed_at"])
    journal.record(
        access.item_case(ballot.item_id), "ballot.close", by=by, on=on, at=at,
        after={"ballot": ballot.pk, "counts": counts, "outcome": told.outcome, "needed": told.needed},
    )  # fmt: skip
    return ballot


# -- decisions and follow-ups -----------------------------------------------------------------------------------


@transaction.atomic
def decide(
    item: Item,
    text: str,
    *,
    outcome: str = "",
    objections: str = "",
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> SessionDecision:
    """Record what was decided on a point: by the last vote where the kind votes, by consensus where it does not.

    Raises:
        Refused: not in session, no quorum, no words, no vote where one is needed, or a word on disagreement is missing.
    """
    session = _locked(item.session)
    committee = session.committee
    access.may_manage(by, committee, on)
    if session.state not in ("open", "held"):
        _check_open(session)
    item = Item.objects.get(pk=item.pk)
    if item.dropped_on is not None:
        raise Refused(T("Ce point n'est pas à l'ordre du jour.", "This point is not on the agenda."))
    text = rules.clean_text(text, T("la décision", "the decision"))
    if not text:
        raise Refused(T("Écrivez la décision.", "Write the decision."), kind="input")
    _check_quorum(session)
    kind = queries.kind_of(committee)
    ballot = None
    if kind is not None and kind.mode == "vote":
        ballot = item.ballots.filter(closed_at__isnull=False).order_by("-closed_at", "-pk").first()
        if item.ballots.filter(closed_at__isnull=True).exists():
            raise Refused(T("Le scrutin est encore ouvert : closez-le.", "The vote is still open: close it."))
        if ballot is None:
            raise Refused(
                T("Ce comité vote : mettez le point aux voix avant d'écrire la décision.",
                  "This committee votes: put the point to the vote before recording the decision.")
            )  # fmt: skip
        outcome = ballot.outcome
    else:
        outcome = outcome or "consensus"
        if outcome not in ("consensus", "no_consensus"):
            raise Refused(
                T("Ce comité ne vote pas : accord de tous, ou pas d'accord.",
                  "This committee does not vote: agreed by all, or no agreement."), kind="input",
            )  # fmt: skip
        if outcome == "no_consensus" and not objections.strip():
            raise Refused(
                T("Dites qui n'est pas d'accord et pourquoi.", "Say who does not agree and why."), kind="input"
            )
    row = SessionDecision.objects.create(
        session=session,
        item=item,
        number=(session.decisions.aggregate(last=Max("number"))["last"] or 0) + 1,
        text=text,
        outcome=outcome,
        objections=rules.clean_text(objections, T("les réserves", "the objections")),
        ballot=ballot,
        taken_on=session.on,
        simulated=session.simulated,
    )
    if item.draft:
        Item.objects.filter(pk=item.pk).update(draft="", rev=item.rev + 1)
    journal.record(
        access.item_case(item.pk), "session.decide", by=by, on=on, at=at,
        after={"session": queries.session_case(session), "number": row.number, "text": text, "outcome": outcome},
    )  # fmt: skip
    return row


@transaction.atomic
def add_follow_up(
    session: Session,
    *,
    kind: str,
    title: str,
    owner: CommitteeSeat | None = None,
    owner_label: str = "",
    due_on: dt.date | None = None,
    decision: SessionDecision | None = None,
    item: Item | None = None,
    case: str = "",
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> FollowUp:
    """What has to be done, by whom, by when; the owner is told.

    Raises:
        Refused: unknown kind, nobody to do it, a day before the session, or the minutes are adopted.
    """
    session = _locked(session)
    committee = session.committee
    access.may_manage(by, committee, on)
    if session.state not in ("open", "held", "circulated"):
        raise Refused(
            T("La séance est « {s} » : les suites s'écrivent en séance ou avant l'adoption.",
              "The session is “{s}”: follow-ups are written in session or before the adoption.", s=states.TITLES[session.state])
        )  # fmt: skip
    if kind not in states.FOLLOW_UP_KINDS:
        raise Refused(
            T("« {k} » : nature de suite inconnue ; attendu : {all}.", "“{k}”: unknown kind of follow-up; expected: {all}.",
              k=kind, all=", ".join(str(t) for t in states.FOLLOW_UP_KINDS.values())),
            kind="input",
        )  # fmt: skip
    if owner is None and not owner_label.strip():
        raise Refused(T("Dites qui s'en charge.", "Say who takes care of it."), kind="input")
    if owner is not None and owner.committee_id != committee.pk:
        raise Refused(T("Le responsable siège au comité.", "The owner sits on the committee."), kind="input")
    if due_on is None:
        raise Refused(T("Donnez une échéance.", "Give a due day."), kind="input")
    if due_on < session.on:
        raise Refused(
            T("L'échéance ({d}) précède la séance.", "The due day ({d}) comes before the session.", d=due_on.isoformat()),
            kind="input",
        )  # fmt: skip
    if decision is not None:
        item = decision.item
        if decision.session_id != session.pk:
            raise Refused(
                T("Cette décision est d'une autre séance.", "This decision is of another session."), kind="input"
            )
    row = FollowUp.objects.create(
        committee=committee,
        session=session,
        decision=decision,
        item=item,
        kind=kind,
        title=rules.clean_title(title, T("la suite", "the follow-up")),
        owner=owner,
        owner_label=owner_label.strip()[:200],
        due_on=due_on,
        case=case or (item.case if item else ""),
        created_on=on,
        simulated=session.simulated,
    )
    journal.record(
        _case_of_follow_up(row), "follow_up.create", by=by, on=on, at=at,
        after={
            "follow_up": row.pk, "kind": kind, "title": row.title, "due_on": due_on,
            "owner": owner.organisation.name if owner else row.owner_label,
            "decision": decision.number if decision else None,
        },
    )  # fmt: skip
    if owner is not None:
        away = access.recused_on([item.pk]).get(item.pk, set()) if item else set()
        messages.follow_up(row, [u for u in queries.people_of([owner], on) if u.pk not in away], on)
    return row


def _case_of_follow_up(row: FollowUp) -> str:
    return access.item_case(row.item_id) if row.item_id else f"committee:{row.committee.slug}"


def suggested_due(committee: Committee, session_on: dt.date) -> dt.date | None:
    """The due day that the screen proposes: the policy's delay after the session, put off to a working day."""
    term = policy().on(session_on).find("committees.follow_up_within")
    if term is None:
        return None
    working = policy().working_days
    return working.not_before(plus(session_on, term.value, term.unit, working, committee.place), committee.place)


def _locked_follow_up(row: FollowUp) -> FollowUp:
    return (
        FollowUp.objects.select_for_update(of=("self",))
        .select_related("committee", "session", "owner__organisation", "owner__committee", "item")
        .get(pk=row.pk)
    )


@transaction.atomic
def finish_follow_up(
    row: FollowUp, *, note: str = "", act_case: str = "", by: Actor, on: dt.date, at: dt.datetime | None = None
) -> FollowUp:
    """Say that it is done, and where: ``act_case`` is the case of the journal where the act stands (``contract:x``).

    Raises:
        Refused: it is not open, neither a word nor an act is given, or no such case exists.
        NotAllowed: neither owner nor runs the committee.
    """
    row = _locked_follow_up(row)
    if row.owner_id not in {s.pk for s in access.seats_of(by, on).filter(committee=row.committee)}:
        access.may_manage(by, row.committee, on)
    interests_require(by, access.item_case(row.item_id) if row.item_id else "")
    move = workflow.check(states.FOLLOW_UP_MOVES, states.FOLLOW_UP_STATES, "done", row.state)
    note = rules.clean_text(note, T("la note", "the note"))
    act_case = act_case.strip()
    if not note and not act_case:
        raise Refused(
            T("Dites ce qui a été fait, ou nommez le dossier où c'est fait.",
              "Say what was done, or name the case where it was done."), kind="input",
        )  # fmt: skip
    if act_case:
        from jalon.core.models import JournalEntry

        if not JournalEntry.objects.filter(case=act_case).exists():
            raise Refused(
                T("« {c} » : aucun acte sous ce dossier.", "“{c}”: no act under this case.", c=act_case), kind="input"
            )
    row.state, row.done_on, row.done_note, row.act_case = move.target, on, note, act_case[:160]
    row.save(update_fields=["state", "done_on", "done_note", "act_case"])
    journal.record(
        _case_of_follow_up(row), "follow_up.done", by=by, on=on, at=at, why=note,
        before={"state": "open"}, after={"follow_up": row.pk, "state": row.state, "act_case": act_case},
    )  # fmt: skip
    return row


@transaction.atomic
def change_follow_up(
    row: FollowUp,
    *,
    due_on: dt.date | None,
    owner: CommitteeSeat | None,
    reason: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> FollowUp:
    """Give it another owner or another day, with the reason."""
    row = _locked_follow_up(row)
    access.may_manage(by, row.committee, on)
    if row.state != "open":
        raise Refused(T("La suite est « {s} ».", "The follow-up is “{s}”.", s=states.FOLLOW_UP_TITLES[row.state]))
    if not reason.strip():
        raise Refused(T("Dites pourquoi.", "Say why."), kind="input")
    if due_on is None or due_on < row.session.on:
        raise Refused(T("Donnez une échéance après la séance.", "Give a due day after the session."), kind="input")
    if owner is not None and owner.committee_id != row.committee_id:
        raise Refused(T("Le responsable siège au comité.", "The owner sits on the committee."), kind="input")
    before = {"due_on": row.due_on, "owner": row.owner_id}
    told = owner is not None and owner.pk != row.owner_id
    row.due_on, row.owner = due_on, owner or row.owner
    row.save(update_fields=["due_on", "owner"])
    journal.record(
        _case_of_follow_up(row), "follow_up.change", by=by, on=on, at=at, why=reason, before=before,
        after={"follow_up": row.pk, "due_on": due_on, "owner": row.owner_id},
    )  # fmt: skip
    if told:
        messages.follow_up(row, queries.people_of([owner], on), on)
    return row


@transaction.atomic
def close_follow_up(
    row: FollowUp, name: str, reason: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> FollowUp:
    """Drop a follow-up, or open again one that was closed (``name``: drop, reopen); both need a reason."""
    row = _locked_follow_up(row)
    access.may_manage(by, row.committee, on)
    move = workflow.check(states.FOLLOW_UP_MOVES, states.FOLLOW_UP_STATES, name, row.state, reason)
    before = row.state
    row.state = move.target
    row.done_on = on if name == "drop" else None
    row.done_note = reason.strip() if name == "drop" else row.done_note
    row.save(update_fields=["state", "done_on", "done_note"])
    journal.record(
        _case_of_follow_up(row), f"follow_up.{name}", by=by, on=on, at=at, why=reason,
        before={"state": before}, after={"follow_up": row.pk, "state": row.state},
    )  # fmt: skip
    return row


# -- close, minutes ---------------------------------------------------------------------------------------------


@transaction.atomic
def close_session(session: Session, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Session:
    """Close the session. Seats that said nothing are absent.

    Raises:
        Refused: a vote is still open.
    """
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    move = workflow.check(states.MOVES, states.STATES, "close", session.state)
    if Ballot.objects.filter(item__session=session, closed_at__isnull=True).exists():
        raise Refused(T("Un scrutin est ouvert : closez-le d'abord.", "A vote is open: close it first."))
    moment = clock.stamp(on, at)
    said = set(session.attendances.values_list("seat_id", flat=True))
    Attendance.objects.bulk_create(
        Attendance(session=session, seat=s, presence="absent", at=moment)
        for s in queries.seats_on(session.committee, session.on)
        if s.pk not in said
    )
    held = _quorum(session)
    session.state, session.closed_at = move.target, moment
    session.save(update_fields=["state", "closed_at"])
    journal.record(
        queries.session_case(session), "session.close", by=by, on=on, at=at,
        after={"state": session.state, "quorum": held.reached, "counted": held.counted, "needed": held.needed},
    )  # fmt: skip
    return session


@transaction.atomic
def save_minutes(
    session: Session, text: str, *, rev: int, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> int:
    """Keep the minutes' own words while they are written; the new revision.

    Raises:
        Conflict: somebody else saved meanwhile.
        Refused: the minutes are adopted, or the session was not opened.
    """
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    if session.state not in ("open", "held", "circulated"):
        raise Refused(
            T("La séance est « {s} » : son compte rendu ne s'écrit pas.", "The session is “{s}”: its minutes are not written.",
              s=states.TITLES[session.state])
        )  # fmt: skip
    text = rules.clean_text(text, T("le compte rendu", "the minutes"))
    if session.rev != rev:
        if session.minutes == text:
            return session.rev
        raise Conflict(
            T("Le compte rendu a été modifié entre-temps.", "The minutes were changed meanwhile."),
            theirs={"minutes": session.minutes},
            yours={"minutes": text},
        )
    session.minutes, session.rev = text, rev + 1
    session.save(update_fields=["minutes", "rev"])
    return session.rev


@transaction.atomic
def circulate(session: Session, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Session:
    """Send the draft minutes to those who sit; it may be sent again after corrections."""
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    move = workflow.check(states.MOVES, states.STATES, "circulate", session.state)
    session.state, session.circulated_on = move.target, on
    session.save(update_fields=["state", "circulated_on"])
    journal.record(
        queries.session_case(session), "session.circulate", by=by, on=on, at=at,
        after={"state": session.state, "rev": session.rev},
    )  # fmt: skip
    messages.minutes(session, _people(session), adopted=False)
    return session


@transaction.atomic
def adopt(session: Session, *, by: Actor, on: dt.date, at: dt.datetime | None = None, seen: str = "") -> Session:
    """Adopt the minutes: they are frozen whole, and no longer change.

    ``seen``: fingerprint of the minutes that were read.

    Raises:
        Conflict: they changed since they were read.
        Refused: they were not circulated.
    """
    session = _locked(session)
    access.may_manage(by, session.committee, on)
    move = workflow.check(states.MOVES, states.STATES, "adopt", session.state)
    content = queries.minutes_content(queries.sheet(session, VISITOR, on))
    found = fingerprint(content)
    if seen and seen != found:
        raise Conflict(
            T("Le compte rendu a changé depuis que vous l'avez ouvert : relisez-le avant de l'adopter.",
              "The minutes have changed since you opened them: read them again before adopting them."),
            theirs=found, yours=seen,
        )  # fmt: skip
    moment = clock.stamp(on, at)
    frozen = journal.freeze(queries.session_case(session), "minutes", content, at=moment)
    session.state, session.adopted_on, session.frozen = move.target, on, frozen
    session.save(update_fields=["state", "adopted_on", "frozen"])
    journal.record(
        queries.session_case(session), "session.adopt", by=by, on=on, at=moment,
        after={"state": session.state, "sha256": frozen.sha256, "decisions": len(content["items"])},
    )  # fmt: skip
    messages.minutes(session, _people(session), adopted=True)
    return session


def fingerprint(content: Any) -> str:
    """SHA-256 of the canonical form of minutes."""
    from jalon.core.canonical import canonical, sha256

    return sha256(canonical(content))


# -- by the rhythm ----------------------------------------------------------------------------------------------


@transaction.atomic
def propose_sessions(on: dt.date, *, at: dt.datetime | None = None) -> list[Session]:
    """Plan the next session of every committee that has a rhythm and none ahead, on the day that it gives.

    A day that is past becomes the next working day for which the convocation can still leave in time. The agenda is built.
    """
    known, laws = access.kinds(), policy()
    committees = [
        c
        for c in Committee.objects.filter(access.in_force(on), programme=laws.slug).order_by("pk")
        if c.kind in known and known[c.kind].terms.get("every") and known[c.kind].on(on)
    ]
    ahead = set(
        Session.objects.filter(committee__in=[c.pk for c in committees], state__in=states.RUNNING).values_list(
            "committee_id", flat=True
        )
    )
    committees = [c for c in committees if c.pk not in ahead]
    if not committees:
        return []
    held = queries.last_held([c.pk for c in committees])
    numbers = dict(
        Session.objects.filter(committee__in=[c.pk for c in committees])
        .order_by()
        .values_list("committee_id")
        .annotate(last=Max("number"))
    )
    working = laws.working_days
    made = []
    for c in committees:
        kind = known[c.kind]
        terms = rules.terms_of(laws, kind, on)
        due = rules.rhythm(
            terms, began_on=c.starts_on, last_held=held.get(c.pk), today=on, working=working, place=c.place
        ).due_on
        if due is None:
            continue
        notice = terms.get("notice")
        soonest = plus(on, notice.value + 1, notice.unit, working, c.place) if notice else on
        day = working.not_before(max(due, soonest), c.place)
        if (c.ends_on and day > c.ends_on) or not kind.on(day):
            continue
        made.append(
            Session(
                committee=c,
                number=(numbers.get(c.pk) or 0) + 1,
                on=day,
                proposed=True,
                created_at=clock.stamp(on, at),
                simulated=c.simulated,
            )
        )
    made = Session.objects.bulk_create(made)
    journal.record_many(
        {
            "case": queries.session_case(s),
            "act": "session.propose",
            "on": on,
            "at": clock.stamp(on, at),
            "after": {"on": s.on},
        }
        for s in made
    )
    found = agenda.points([s.committee for s in made], on, {s.committee_id: s.on for s in made})
    for s in made:
        _write_agenda(s, found.get(s.committee_id, ()), by=journal.SYSTEM, on=on, at=at)
    return made


def contracts_of(committee: Committee, on: dt.date) -> list[Contract]:
    """The contracts under way of the clusters that a committee is about: what a follow-up may be tied to."""
    rows = Contract.objects.filter(
        cluster__in=committee.grounds.values("cluster_id"), state__in=("negotiation", "signing", "signed")
    )
    return list(rows.order_by("title")[:50])
