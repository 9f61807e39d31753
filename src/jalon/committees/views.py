"""Pages of committees: parse, call one act or read, render."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.access import clusters_of
from jalon.clusters.models import Cluster
from jalon.committees import access, actions, queries, rules, states
from jalon.committees.forms import (
    ChangeFollowUpForm,
    CommitteeForm,
    EndForm,
    FollowUpForm,
    ItemForm,
    PaperForm,
    PersonsForm,
    PlanForm,
    PostponeForm,
    SeatForm,
)
from jalon.committees.models import (
    Ballot,
    Committee,
    CommitteeSeat,
    FollowUp,
    Item,
    Session,
    SessionDecision,
    SessionPaper,
)
from jalon.core import clock
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.files import path_of
from jalon.core.lang import T
from jalon.core.models import Source
from jalon.core.sheets import Column
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.ui.http import acts, export, page, safe_next, wants


def _committee(request: HttpRequest, slug: str) -> Committee:
    """The committee, if the actor may know of it; another does not exist for them."""
    found = access.visible_to(request.actor, clock.today()).filter(slug=slug).select_related("organiser").first()
    if found is None:
        raise Http404
    return found


def _session(request: HttpRequest, slug: str, number: int) -> Session:
    """The session, if the actor may know of it."""
    found = queries.session_of(slug, number, request.actor, clock.today())
    if found is None:
        raise Http404
    return found


def _trail(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    trail = [{"url": reverse("committees"), "label": T("Comités", "Committees")}]
    return [*trail, *({"url": url, "label": label} for url, label in more)]


def _under(committee: Committee, *more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return _trail((reverse("committee", args=[committee.slug]), committee.title), *more)


def session_name(session: Session) -> Any:
    """« Séance du 8 juillet 2010 »."""
    return T("Séance du {d}", "Session of {d}", d=session.on.isoformat())


def _here(session: Session, name: str = "committee-session") -> str:
    return reverse(name, args=[session.committee.slug, session.number])


def _first_error(form: Any) -> Refused:
    field, errors = next(iter(form.errors.items()))
    label = form.fields[field].label if field in form.fields else ""
    return Refused(T("{l} : {e}", "{l}: {e}", l=label, e=errors[0]), kind="input")


def _unused(request: HttpRequest) -> HttpResponse:
    """The page of a programme whose policy has no committees."""
    return render(
        request,
        "committees/unused.html",
        {"title": T("Comités", "Committees")},
    )


# -- lists ------------------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def index(request: HttpRequest) -> HttpResponse:
    """The committees that the actor runs or sits on, with what is late."""
    if not access.kinds():
        return _unused(request)
    actor, day = request.actor, clock.today()
    kind, q = request.GET.get("kind", ""), request.GET.get("q", "").strip()[:100]
    late = request.GET.get("late") == "1"
    rows = queries.rows_for(actor, day, kind=kind, q=q, late=late)
    if wants(request) != "html":
        return _export_committees(request, rows)
    creates = [k for k in access.kinds().values() if actor.role in k.run_by and actor.can("committee.manage")]
    return render(
        request,
        "committees/list.html",
        {
            "title": T("Comités", "Committees"),
            "rows": rows,
            "kinds": list(access.kinds().values()),
            "kind": kind,
            "q": q,
            "late": late,
            "late_count": sum(1 for r in rows if r.rhythm.late),
            "creates": creates,
            "TITLES": states.TITLES,
            "TONES": states.TONES,
            "follow_ups_late": sum(r.follow_ups_late for r in rows),
        },
    )


def _export_committees(request: HttpRequest, rows: list[queries.CommitteeRow]) -> HttpResponse:
    columns = [
        ("committee", Column(T("Comité", "Committee"), width=50)),
        ("kind", Column(T("Nature", "Kind"), width=30)),
        ("clusters", Column(T("Pôles", "Clusters"), width=40)),
        ("last_session", Column(T("Dernière séance", "Last session"), "date")),
        ("next_session", Column(T("Prochaine séance", "Next session"), "date")),
        ("due_on", Column(T("À tenir pour le", "Due by"), "date")),
        ("days_late", Column(T("Jours de retard", "Days late"), "number")),
        ("follow_ups", Column(T("Suites ouvertes", "Open follow-ups"), "number")),
        ("follow_ups_late", Column(T("Suites en retard", "Follow-ups late"), "number")),
    ]
    return export(
        request,
        str(T("comites", "committees")),
        columns,
        (
            [
                r.committee.title,
                str(r.kind.title),
                ", ".join(r.clusters),
                r.last.on if r.last else None,
                r.next.on if r.next else None,
                r.rhythm.due_on,
                r.rhythm.late,
                r.follow_ups,
                r.follow_ups_late,
            ]
            for r in rows
        ),
        simulated=any(r.committee.simulated for r in rows),
    )


@login_required
@never_cache
@page
def new(request: HttpRequest) -> HttpResponse:
    """Set up a committee."""
    if not access.kinds():
        return _unused(request)
    actor, day = request.actor, clock.today()
    actor.require("committee.manage")
    kinds = [k for k in access.kinds().values() if actor.role in k.run_by and k.on(day)]
    if not kinds:
        raise NotAllowed(
            T("Votre rôle n'organise aucun comité.", "Your role runs no committee."),
        )
    mine = clusters_of(actor, day) if not actor.national else Cluster.objects.filter(programme=policy().slug)
    thematic = any(k.scope == "thematic" for k in kinds)
    clusters = Cluster.objects.filter(programme=policy().slug) if thematic else mine
    form = CommitteeForm(
        request.POST or None, kinds=kinds, clusters=clusters.order_by("name_key"), day=day, initial={"starts_on": day}
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.create(
                given["kind"],
                title=given["title"],
                clusters=list(given["clusters"]),
                lead=given["lead"],
                region_code=given["region_code"],
                place=given["place"],
                organiser=Organisation.objects.filter(pk=actor.organisation_id).first(),
                starts_on=given["starts_on"],
                purpose=given["purpose"],
                fill=given["fill"],
                by=actor,
                on=day,
            )
        except Refused as error:
            refusal = error
        else:
            messages.success(request, T("Le comité est créé.", "The committee is set up."))
            return redirect("committee", made.slug)
    context = {
        "title": T("Nouveau comité", "New committee"),
        "form": form,
        "refusal": refusal,
        "kinds": kinds,
        "breadcrumb": _trail((None, T("Nouveau", "New"))),
    }
    return render(request, "committees/new.html", context, status=400 if form.errors or refusal else 200)


# -- one committee ----------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def committee(request: HttpRequest, slug: str) -> HttpResponse:
    """A committee: its rhythm, its sessions, who sits, what is not done."""
    found = _committee(request, slug)
    actor, day = request.actor, clock.today()
    kind = queries.kind_of(found)
    runs = access.runs(actor, found, day)
    sessions = list(
        access.sessions_for(actor, day).filter(committee=found).select_related("frozen").order_by("-on", "-number")
    )
    last = next((s for s in sessions if s.state in states.HELD), None)
    terms = queries.terms_on(found, day)
    known = access.kinds()
    seats = [(s, queries.seat_title(s, known)) for s in queries.seats_on(found, day)]
    return render(
        request,
        "committees/committee.html",
        {
            "title": found.title,
            "committee": found,
            "kind": kind,
            "runs": runs,
            "sessions": sessions,
            "coming": [s for s in reversed(sessions) if s.state in states.RUNNING],
            "past": [s for s in sessions if s.state not in states.RUNNING],
            "rhythm": queries.rhythm_of(found, terms, last, day),
            "seats": seats,
            "mine": {s.pk for s in access.seats_in(actor, found, day)},
            "clusters": list(found.grounds.select_related("cluster").order_by("-lead", "cluster__name_key")),
            "follow_ups": queries.follow_up_rows(actor, day, committee=found),
            "plan_form": PlanForm(auto_id="plan_%s") if runs else None,
            "end_form": EndForm(initial={"ends_on": day}, auto_id="end_%s") if runs else None,
            "TITLES": states.TITLES,
            "TONES": states.TONES,
            "KINDS": states.FOLLOW_UP_KINDS,
            "sources": list(Source.objects.filter(key__in=found.sources)),
            "breadcrumb": _trail((None, found.title)),
            "today": day,
        },
    )


@login_required
@never_cache
@page
def seats(request: HttpRequest, slug: str) -> HttpResponse:
    """Who sits and sat; give a seat."""
    found = _committee(request, slug)
    actor, day = request.actor, clock.today()
    kind = queries.kind_of(found)
    runs = access.runs(actor, found, day)
    form = refusal = None
    if runs:
        form = SeatForm(request.POST or None, kind=kind, initial={"starts_on": max(day, found.starts_on)})
    if request.method == "POST":
        if form is None:
            access.may_manage(actor, found, day)
        elif form.is_valid():
            given = form.cleaned_data
            try:
                actions.give_seat(found, given.pop("seat"), given.pop("organisation"), **given, by=actor, on=day)
            except Refused as error:
                refusal = error
            else:
                messages.success(request, T("Le siège est attribué.", "The seat is given."))
                return redirect("committee-seats", found.slug)
    known = access.kinds()
    rows = [
        (s, queries.seat_title(s, known))
        for s in found.seats.filter(superseded_at__isnull=True)
        .select_related("organisation", "user", "substitute", "committee")
        .order_by("order", "-starts_on", "id")
    ]
    near = [g["organisation"] for g in actions.seats_from_records(found, day)] if runs else []
    context = {
        "title": T("Qui siège", "Who sits"),
        "committee": found,
        "kind": kind,
        "rows": rows,
        "runs": runs,
        "mine": {s.pk for s in access.seats_in(actor, found, day)},
        "form": form,
        "refusal": refusal,
        "near": near,
        "today": day,
        "breadcrumb": _under(found, (None, T("Sièges", "Seats"))),
    }
    bad = bool(refusal) or (form is not None and form.is_bound and bool(form.errors))
    return render(request, "committees/seats.html", context, status=400 if bad else 200)


@login_required
@acts
def seat_act(request: HttpRequest, slug: str, pk: int, act: str) -> HttpResponse:
    """End a mandate (``fin``), or say who fills a seat (``personnes``)."""
    found = _committee(request, slug)
    actor, day = request.actor, clock.today()
    seat = get_object_or_404(CommitteeSeat, pk=pk, committee=found, superseded_at__isnull=True)
    if act == "fin":
        form: Any = EndForm(request.POST)
        access.may_manage(actor, found, day)
        if not form.is_valid():
            raise _first_error(form)
        actions.end_seat(seat, **form.cleaned_data, by=actor, on=day)
        messages.success(request, T("Le mandat prend fin.", "The term ends."))
    elif act == "personnes":
        form = PersonsForm(request.POST)
        if not form.is_valid():
            raise _first_error(form)
        given = form.cleaned_data
        if not access.runs(actor, found, day):
            given["user"] = seat.user
        actions.name_person(seat, **given, by=actor, on=day)
        messages.success(request, T("C'est noté.", "Noted."))
    else:
        raise Http404
    return redirect("committee-seats", found.slug)


@login_required
@acts
def end(request: HttpRequest, slug: str) -> HttpResponse:
    """Stop a committee."""
    found = _committee(request, slug)
    access.may_manage(request.actor, found, clock.today())
    form = EndForm(request.POST)
    if not form.is_valid():
        raise _first_error(form)
    actions.end(found, **form.cleaned_data, by=request.actor, on=clock.today())
    messages.success(request, T("Le comité s'arrête à cette date.", "The committee stops on that day."))
    return redirect("committee", found.slug)


@login_required
@acts
def plan(request: HttpRequest, slug: str) -> HttpResponse:
    """Plan a session, its agenda built at once."""
    found = _committee(request, slug)
    actor, day = request.actor, clock.today()
    access.may_manage(actor, found, day)
    form = PlanForm(request.POST)
    if not form.is_valid():
        raise _first_error(form)
    made = actions.plan(found, form.cleaned_data.pop("day"), **form.cleaned_data, by=actor, on=day)
    actions.build_agenda(made, by=actor, on=day)
    messages.success(
        request,
        T("La séance est prévue, son ordre du jour est construit.", "The session is planned, its agenda built."),
    )
    return redirect(_here(made))


# -- a session --------------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def session(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The preparation of a session: agenda with its reasons, papers, deadlines, who comes."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    sheet = queries.sheet(found, actor, day)
    notice, why_notice = sheet.deadline("notice")
    papers_by, why_papers = sheet.deadline("papers")
    minutes_by, why_minutes = rules.minutes_due(sheet.terms, found.on, policy().working_days, found.committee.place)
    return render(
        request,
        "committees/session.html",
        {
            "title": session_name(found),
            "sheet": sheet,
            "session": found,
            "committee": found.committee,
            "runs": sheet.runs,
            "notice": notice,
            "why_notice": why_notice,
            "notice_late": found.state == "planned" and notice is not None and day > notice,
            "papers_by": papers_by,
            "why_papers": why_papers,
            "papers_late": found.state in states.TO_COME and papers_by is not None and day > papers_by,
            "minutes_by": minutes_by,
            "why_minutes": why_minutes,
            "state": states.TITLES[found.state],
            "tone": states.TONES[found.state],
            "presences": [(k, t) for k, t in states.PRESENCES.items()],
            "proxy_to": [s for s in sheet.seats if s.seat.votes],
            "allows_proxy": bool(sheet.terms.value("proxies", 0)),
            "item_form": ItemForm(auto_id="point_%s") if sheet.runs else None,
            "paper_form": PaperForm(items=sheet.items, auto_id="paper_%s") if sheet.runs else None,
            "plan_form": PlanForm(
                initial={"day": found.on, "starts_at": found.starts_at, "where": found.where}, auto_id="plan_%s"
            )
            if sheet.runs
            else None,
            "postpone_form": PostponeForm(auto_id="postpone_%s") if sheet.runs else None,
            "replaced_by": found.replaced_by.order_by("-number").first(),
            "KINDS": states.ITEM_KINDS,
            "agenda_open": sheet.runs and found.state in states.AGENDA_OPEN,
            "may_open": sheet.runs and found.state == "convened" and day >= found.on,
            "lacks_quorum": sheet.runs and found.state in states.HELD and not sheet.quorum.reached,
            "breadcrumb": _under(found.committee, (None, session_name(found))),
            "today": day,
        },
    )


@login_required
@acts
def session_act(request: HttpRequest, slug: str, number: int, act: str) -> HttpResponse:
    """One act on the whole session."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    target = _here(found)
    if act == "construire":
        counts = actions.build_agenda(found, by=actor, on=day)
        messages.success(
            request,
            T(
                "Ordre du jour construit : {a} ajouté(s), {b} remis, {g} réglé(s).",
                "Agenda built: {a} added, {b} put back, {g} settled.",
                a=counts["added"],
                b=counts["back"],
                g=counts["gone"],
            ),
        )
    elif act == "convoquer":
        actions.convene(found, urgency=request.POST.get("urgency", ""), by=actor, on=day)
        messages.success(request, T("La convocation est partie.", "The convocation has left."))
    elif act in ("modifier", "reporter", "seconde"):
        access.may_manage(actor, found.committee, day)
        form: Any = PlanForm(request.POST) if act == "modifier" else PostponeForm(request.POST)
        if not form.is_valid():
            raise _first_error(form)
        given = form.cleaned_data
        if act == "modifier":
            actions.change(found, **given, by=actor, on=day)
            messages.success(request, T("C'est noté.", "Noted."))
        elif act == "reporter":
            target = _here(actions.postpone(found, given["day"], given["reason"], by=actor, on=day))
            messages.success(request, T("La séance est reportée.", "The session is postponed."))
        else:
            target = _here(actions.convene_again(found, given["day"], by=actor, on=day))
            messages.success(
                request, T("Seconde séance prévue, même ordre du jour.", "Second session planned, same agenda.")
            )
    elif act == "annuler":
        actions.cancel(found, request.POST.get("reason", ""), by=actor, on=day)
        messages.success(request, T("La séance est annulée.", "The session is cancelled."))
    elif act == "ouvrir":
        actions.open_session(found, presided_by=_seat(found, request.POST.get("seat")), by=actor, on=day)
        target = _here(found, "session-room")
    elif act == "presider":
        seat = _seat(found, request.POST.get("seat"))
        if seat is None:
            raise Refused(T("Choisissez qui préside.", "Choose who presides."), kind="input")
        actions.preside(found, seat, by=actor, on=day)
        target = safe_next(request, target)
    elif act == "lever":
        actions.close_session(found, by=actor, on=day)
        messages.success(request, T("La séance est levée.", "The session is closed."))
        target = _here(found, "session-minutes")
    elif act == "diffuser":
        actions.circulate(found, by=actor, on=day)
        messages.success(request, T("Le projet de compte rendu est parti.", "The draft minutes have left."))
        target = _here(found, "session-minutes")
    elif act == "adopter":
        actions.adopt(found, by=actor, on=day, seen=request.POST.get("seen", ""))
        messages.success(request, T("Le compte rendu est adopté et figé.", "The minutes are adopted and frozen."))
        target = _here(found, "session-minutes")
    else:
        raise Http404
    return redirect(target)


def _seat(session: Session, given: str | None) -> CommitteeSeat | None:
    if not given:
        return None
    if not given.isdecimal():
        raise Refused(T("Siège inconnu.", "Unknown seat."), kind="input")
    seat = (
        CommitteeSeat.objects.filter(pk=int(given), committee=session.committee, superseded_at__isnull=True)
        .select_related("organisation", "committee")
        .first()
    )
    if seat is None:
        raise Refused(T("Ce siège n'est pas de ce comité.", "This seat is not of this committee."), kind="input")
    return seat


def _item(session: Session, pk: int) -> Item:
    return get_object_or_404(Item.objects.select_related("session__committee"), pk=pk, session=session)


@login_required
@acts
def add_item(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Add a point of one's own."""
    found = _session(request, slug, number)
    access.may_manage(request.actor, found.committee, clock.today())
    form = ItemForm(request.POST)
    if not form.is_valid():
        raise _first_error(form)
    actions.add_item(found, **form.cleaned_data, by=request.actor, on=clock.today())
    messages.success(request, T("Le point est ajouté.", "The point is added."))
    return redirect(safe_next(request, _here(found)))


@login_required
@acts
def item_act(request: HttpRequest, slug: str, number: int, pk: int, act: str) -> HttpResponse:
    """One act on a point: order, drop, put back, show, vote, decide, declare an interest."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    item = _item(found, pk)
    post = request.POST
    target = safe_next(request, _here(found))
    if act in ("monter", "descendre"):
        actions.move_item(item, -1 if act == "monter" else 1, by=actor, on=day)
        target = f"{_here(found)}#point-{item.pk}"
    elif act == "ecarter":
        actions.drop_item(item, post.get("reason", ""), by=actor, on=day)
        messages.success(
            request, T("Le point est écarté ; le motif est gardé.", "The point is dropped; the reason is kept.")
        )
    elif act == "remettre":
        actions.restore_item(item, by=actor, on=day)
    elif act == "montrer":
        actions.show_item(found, item, by=actor, on=day)
        target = safe_next(request, _here(found, "session-room"))
    elif act == "scrutin":
        actions.open_ballot(item, question=post.get("question", ""), secret=post.get("secret") == "1", by=actor, on=day)
    elif act == "decider":
        actions.decide(
            item,
            post.get("text", "") or post.get("draft", ""),
            outcome=post.get("outcome", ""),
            objections=post.get("objections", ""),
            by=actor,
            on=day,
        )
        messages.success(request, T("La décision est enregistrée.", "The decision is recorded."))
    elif act == "deport":
        actions.declare_interest(item, post.get("reason", ""), by=actor, on=day)
        messages.success(
            request,
            T(
                "Votre déport est enregistré : ce point vous est fermé.",
                "Your recusal is recorded: this point is closed to you.",
            ),
        )
    else:
        raise Http404
    return redirect(target)


@login_required
@acts
def words(request: HttpRequest, slug: str, number: int, pk: int) -> HttpResponse:
    """Autosave of a point's notes and of the decision's draft."""
    found = _session(request, slug, number)
    item = _item(found, pk)
    rev = request.POST.get("revision", "0")
    try:
        new = actions.save_words(
            item,
            notes=request.POST.get("notes", ""),
            draft=request.POST.get("draft", ""),
            rev=int(rev) if rev.isdecimal() else 0,
            by=request.actor,
            on=clock.today(),
        )
    except Conflict as conflict:
        return _conflict(conflict, Item.objects.get(pk=item.pk).rev)
    return JsonResponse({"revision": new})


def _conflict(conflict: Conflict, rev: int) -> JsonResponse:
    return JsonResponse(
        {"message": str(conflict.reason), "theirs": conflict.theirs, "yours": conflict.yours, "revision": rev},
        status=409,
    )


@login_required
@acts
def add_paper(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Attach a paper."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    access.may_manage(actor, found.committee, day)
    sheet = queries.sheet(found, actor, day)
    form = PaperForm(request.POST, request.FILES, items=sheet.items)
    if not form.is_valid():
        raise _first_error(form)
    upload = form.cleaned_data["file"]
    item = _item(found, form.cleaned_data["item"]) if form.cleaned_data["item"] else None
    made = actions.add_paper(found, upload, upload.name, title=form.cleaned_data["title"], item=item, by=actor, on=day)
    messages.success(
        request,
        T("« {t} », version {v}, est jointe.", "“{t}”, version {v}, is attached.", t=made.title, v=made.version),
    )
    return redirect(_here(found))


@login_required
@never_cache
@page
def paper(request: HttpRequest, slug: str, number: int, pk: int) -> HttpResponse:
    """A paper, for those who may read the point it belongs to."""
    found = _session(request, slug, number)
    row = get_object_or_404(SessionPaper.objects.select_related("file", "item"), pk=pk, session=found)
    if row.item is not None and queries.hidden_from(request.actor, row.item):
        raise Http404
    return FileResponse(
        path_of(row.file.sha256).open("rb"),
        as_attachment=True,
        filename=row.file.name,
        content_type=row.file.content_type,
    )


@login_required
@acts
def presence(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Say how a seat attends, or to whom it gives its proxy."""
    found = _session(request, slug, number)
    seat = _seat(found, request.POST.get("seat"))
    if seat is None:
        raise Refused(T("Choisissez le siège.", "Choose the seat."), kind="input")
    said = request.POST.get("presence", "")
    actions.set_presence(
        found,
        seat,
        said,
        proxy_to=_seat(found, request.POST.get("proxy_to")) if said == "represented" else None,
        by=request.actor,
        on=clock.today(),
    )
    messages.success(
        request,
        T("{s} : {p}.", "{s}: {p}.", s=queries.seat_title(seat), p=states.PRESENCES[said]),
    )
    return redirect(safe_next(request, _here(found)))


@login_required
@acts
def ballot_act(request: HttpRequest, slug: str, number: int, pk: int, act: str) -> HttpResponse:
    """Vote (``voter``) or close a vote (``clore``)."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    row = get_object_or_404(Ballot.objects.select_related("item__session__committee"), pk=pk, item__session=found)
    target = safe_next(request, _here(found, "session-room"))
    if act == "voter":
        seat = _seat(found, request.POST.get("seat"))
        if seat is None:
            raise Refused(T("Choisissez le siège.", "Choose the seat."), kind="input")
        actions.cast(row, seat, request.POST.get("choice", ""), by=actor, on=day)
        messages.success(request, T("Votre vote est enregistré.", "Your vote is recorded."))
    elif act == "clore":
        actions.close_ballot(row, by=actor, on=day)
    else:
        raise Http404
    return redirect(target)


@login_required
@acts
def add_follow_up(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """What has to be done after a decision or a point."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    access.may_manage(actor, found.committee, day)
    sheet = queries.sheet(found, actor, day)
    form = FollowUpForm(request.POST, seats=sheet.seats, contracts=actions.contracts_of(found.committee, day))
    if not form.is_valid():
        raise _first_error(form)
    given = form.cleaned_data
    decision = item = None
    if request.POST.get("decision", "").isdecimal():
        decision = get_object_or_404(
            SessionDecision.objects.select_related("item"), pk=int(request.POST["decision"]), session=found
        )
    elif request.POST.get("point", "").isdecimal():
        item = _item(found, int(request.POST["point"]))
    owner = next((s.seat for s in sheet.seats if s.seat.pk == given["owner"]), None)
    actions.add_follow_up(
        found,
        kind=given["kind"],
        title=given["title"],
        owner=owner,
        owner_label=given["owner_label"],
        due_on=given["due_on"],
        decision=decision,
        item=item,
        case=given["case"],
        by=actor,
        on=day,
    )
    messages.success(request, T("La suite est confiée.", "The follow-up is entrusted."))
    return redirect(safe_next(request, _here(found, "session-minutes")))


# -- the room ---------------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def room(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The committee room: one point at a time, in large type; ``?ecran=1`` for the projector, ``?point=`` to look ahead."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    sheet = queries.sheet(found, actor, day)
    asked = request.GET.get("point", "")
    shown = sheet.current
    if asked.isdecimal():
        shown = next((i for i in sheet.items if i.number == int(asked)), shown)
    at = sheet.items.index(shown) if shown in sheet.items else 0
    screen = request.GET.get("ecran") == "1"
    return render(
        request,
        "committees/room.html",
        {
            "title": T("Salle : {c}", "Room: {c}", c=found.committee.title),
            "sheet": sheet,
            "session": found,
            "committee": found.committee,
            "shown": shown,
            "before": sheet.items[at - 1] if at > 0 else None,
            "after": sheet.items[at + 1] if at + 1 < len(sheet.items) else None,
            "total": len(sheet.items),
            "runs": sheet.runs,
            "screen": screen,
            "follows": not asked,
            "stamp": _stamp(sheet),
            "state": states.TITLES[found.state],
            "tone": states.TONES[found.state],
            "KINDS": states.ITEM_KINDS,
            "choices": list(states.CHOICES.items()),
            "presences": [(k, t) for k, t in states.PRESENCES.items()],
            "proxy_to": [s for s in sheet.seats if s.seat.votes],
            "follow_form": FollowUpForm(
                auto_id="follow_%s",
                seats=sheet.seats,
                contracts=actions.contracts_of(found.committee, day),
                initial={"due_on": actions.suggested_due(found.committee, found.on)},
            )
            if sheet.runs
            else None,
            "chairs": [s for s in sheet.seats if s.seat.chair] or sheet.seats,
            "may_open": sheet.runs and found.state == "convened" and day >= found.on,
            "breadcrumb": [],
            "here": request.get_full_path(),
        },
    )


def _stamp(sheet: queries.Sheet) -> str:
    """Changes when something on the screen changes: what the script compares."""
    from jalon.core.canonical import canonical, sha256

    return sha256(
        canonical(
            [
                sheet.session.state,
                sheet.session.current_id,
                [[s.seat.pk, s.presence] for s in sheet.seats],
                [
                    [
                        i.item.pk,
                        i.hidden,
                        [[b.ballot.pk, b.cast, bool(b.ballot.closed_at), b.entitled, len(b.mine)] for b in i.ballots],
                        [[d.number, d.text] for d in i.decisions],
                        len(i.follow_ups),
                    ]
                    for i in sheet.items
                ],
            ]
        )
    )[:16]


@login_required
@never_cache
@page
def room_state(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Where the room stands, for the script: point shown, quorum, running vote; a secret vote tells how many have voted."""
    found = _session(request, slug, number)
    sheet = queries.sheet(found, request.actor, clock.today())
    current = sheet.current
    ballot = current.open_ballot if current else None
    return JsonResponse(
        {
            "stamp": _stamp(sheet),
            "state": found.state,
            "point": current.number if current else None,
            "quorum": {
                "counted": sheet.quorum.counted,
                "needed": sheet.quorum.needed,
                "reached": sheet.quorum.reached,
            },
            "ballot": None
            if ballot is None
            else {
                "cast": ballot.cast,
                "entitled": ballot.entitled,
                "counts": ballot.counts,
                "to_cast": len(ballot.mine),
            },
        }
    )


# -- minutes ----------------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def minutes(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The minutes: drafted, circulated, adopted; whoever is recused from a point does not read it."""
    found = _session(request, slug, number)
    actor, day = request.actor, clock.today()
    if found.state not in ("open", *states.HELD):
        raise Http404
    sheet = queries.sheet(found, actor, day)
    if found.state in ("open", "held") and not sheet.runs:
        raise Http404
    seen = ""
    if sheet.runs and found.state == "circulated":
        from jalon.people.access import VISITOR

        seen = actions.fingerprint(queries.minutes_content(queries.sheet(found, VISITOR, day)))
    due, why = rules.minutes_due(sheet.terms, found.on, policy().working_days, found.committee.place)
    return render(
        request,
        "committees/minutes.html",
        {
            "title": T("Compte rendu de la séance du {d}", "Minutes of the session of {d}", d=found.on.isoformat()),
            "sheet": sheet,
            "session": found,
            "committee": found.committee,
            "runs": sheet.runs,
            "writes": sheet.runs and found.state in ("open", "held", "circulated"),
            "seen": seen,
            "due": due,
            "why_due": why,
            "late": found.state == "held" and due is not None and day > due,
            "state": states.TITLES[found.state],
            "tone": states.TONES[found.state],
            "FOLLOW_KINDS": states.FOLLOW_UP_KINDS,
            "OUTCOMES": states.OUTCOMES,
            "OUTCOME_TONES": states.OUTCOME_TONES,
            "PRESENCES": states.PRESENCES,
            "follow_form": FollowUpForm(
                auto_id="follow_%s",
                seats=sheet.seats,
                contracts=actions.contracts_of(found.committee, day),
                initial={"due_on": actions.suggested_due(found.committee, found.on)},
            )
            if sheet.runs and found.state in ("open", "held", "circulated")
            else None,
            "lights": {f.pk: rules.follow_up_light(f.state, f.due_on, day) for f in sheet.follow_ups},
            "owners": {f.pk: queries.owner_name(f) for f in sheet.follow_ups},
            "breadcrumb": _under(
                found.committee, (_here(found), session_name(found)), (None, T("Compte rendu", "Minutes"))
            ),
        },
    )


@login_required
@acts
def minutes_text(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Autosave of the minutes' own words."""
    found = _session(request, slug, number)
    rev = request.POST.get("revision", "0")
    try:
        new = actions.save_minutes(
            found,
            request.POST.get("minutes", ""),
            rev=int(rev) if rev.isdecimal() else 0,
            by=request.actor,
            on=clock.today(),
        )
    except Conflict as conflict:
        return _conflict(conflict, Session.objects.get(pk=found.pk).rev)
    return JsonResponse({"revision": new})


# -- follow-ups -------------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def follow_ups(request: HttpRequest) -> HttpResponse:
    """What was decided and has to be done: mine, late, all, done."""
    if not access.kinds():
        return _unused(request)
    actor, day = request.actor, clock.today()
    view = request.GET.get("view", "all")
    rows = queries.follow_up_rows(actor, day, mine=view == "mine", late=view == "late", done=view == "done")
    if wants(request) != "html":
        columns = [
            ("committee", Column(T("Comité", "Committee"), width=40)),
            ("decided_on", Column(T("Décidé le", "Decided on"), "date")),
            ("title", Column(T("À faire", "To do"), width=50)),
            ("kind", Column(T("Nature", "Kind"), width=20)),
            ("owner", Column(T("Qui", "Who"), width=40)),
            ("due_on", Column(T("Pour le", "By"), "date")),
            ("state", Column(T("État", "State"))),
            ("days_late", Column(T("Jours de retard", "Days late"), "number")),
        ]
        return export(
            request,
            str(T("suites-des-comites", "committee-follow-ups")),
            columns,
            (
                [
                    r.row.committee.title,
                    r.row.session.on,
                    r.row.title,
                    str(states.FOLLOW_UP_KINDS[r.row.kind]),
                    str(r.owner),
                    r.row.due_on,
                    str(states.FOLLOW_UP_TITLES[r.row.state]),
                    r.days_late,
                ]
                for r in rows
            ),
            simulated=any(r.row.simulated for r in rows),
        )
    return render(
        request,
        "committees/follow_ups.html",
        {
            "title": T("Suites à donner", "Follow-ups"),
            "rows": rows,
            "view": view,
            "views": [
                ("all", T("Toutes", "All")),
                ("mine", T("Les miennes", "Mine")),
                ("late", T("En retard", "Late")),
                ("done", T("Closes", "Closed")),
            ],
            "late": sum(r.light == "late" for r in rows),
            "KINDS": states.FOLLOW_UP_KINDS,
            "STATES": states.FOLLOW_UP_TITLES,
            "breadcrumb": _trail((None, T("Suites", "Follow-ups"))),
        },
    )


def _follow_up(request: HttpRequest, pk: int) -> FollowUp:
    found = (
        queries.follow_ups_seen(request.actor, clock.today())
        .filter(pk=pk)
        .select_related("committee", "session", "decision", "item", "owner__organisation", "owner__committee")
        .first()
    )
    if found is None:
        raise Http404
    return found


@login_required
@never_cache
@page
def follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    """One follow-up: where it was decided, who answers for it, where it was done."""
    row = _follow_up(request, pk)
    actor, day = request.actor, clock.today()
    runs = access.runs(actor, row.committee, day)
    mine = row.owner_id in {s.pk for s in access.seats_in(actor, row.committee, day)}
    seats = queries.seats_on(row.committee, day)
    return render(
        request,
        "committees/follow_up.html",
        {
            "title": row.title,
            "row": row,
            "light": rules.follow_up_light(row.state, row.due_on, day),
            "owner": queries.owner_name(row),
            "kind": states.FOLLOW_UP_KINDS[row.kind],
            "state": states.FOLLOW_UP_TITLES[row.state],
            "runs": runs,
            "mine": mine,
            "may_finish": row.state == "open" and (runs or mine),
            "change_form": ChangeFollowUpForm(
                seats=seats, auto_id="change_%s", initial={"owner": row.owner_id, "due_on": row.due_on}
            )
            if runs and row.state == "open"
            else None,
            "act_link": queries.case_link(row.act_case),
            "case_link": queries.case_link(row.case),
            "contracts": actions.contracts_of(row.committee, day) if runs or mine else [],
            "breadcrumb": _trail(
                (reverse("committee", args=[row.committee.slug]), row.committee.title), (None, T("Suite", "Follow-up"))
            ),
        },
    )


@login_required
@acts
def follow_up_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Done, changed, dropped, opened again."""
    row = _follow_up(request, pk)
    actor, day = request.actor, clock.today()
    post = request.POST
    if act == "faite":
        actions.finish_follow_up(row, note=post.get("note", ""), act_case=post.get("act_case", ""), by=actor, on=day)
        messages.success(request, T("C'est noté : la suite est faite.", "Noted: the follow-up is done."))
    elif act == "modifier":
        access.may_manage(actor, row.committee, day)
        seats = queries.seats_on(row.committee, day)
        form = ChangeFollowUpForm(post, seats=seats)
        if not form.is_valid():
            raise _first_error(form)
        given = form.cleaned_data
        owner = next((s for s in seats if s.pk == given["owner"]), None)
        actions.change_follow_up(row, due_on=given["due_on"], owner=owner, reason=given["reason"], by=actor, on=day)
        messages.success(request, T("La suite est modifiée.", "The follow-up is changed."))
    elif act in ("abandonner", "rouvrir"):
        name = "drop" if act == "abandonner" else "reopen"
        actions.close_follow_up(row, name, post.get("reason", ""), by=actor, on=day)
        messages.success(request, T("C'est noté.", "Noted."))
    else:
        raise Http404
    return redirect("committee-follow-up", row.pk)
