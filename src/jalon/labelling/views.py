"""Pages of labelling: parse, call one act or read, render. A page that an actor may not know of does not exist."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.access import carried_by
from jalon.clusters.models import Cluster
from jalon.core import clock
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.files import path_of
from jalon.core.lang import T
from jalon.core.models import JournalEntry
from jalon.core.sheets import Column
from jalon.interests.access import exclude_recused, recused_users, stances
from jalon.labelling import access, actions, queries, rules, states
from jalon.labelling.forms import (
    AdmitForm,
    AskForm,
    CloseVoteForm,
    DecideForm,
    DelaysForm,
    InviteForm,
    OpenVoteForm,
    ReasonForm,
    ReceiveForm,
    SeatForm,
)
from jalon.labelling.models import Ballot, Condition, LabelRequest, Member, Opinion
from jalon.people.access import policy
from jalon.people.models import User
from jalon.projects.models import Call, Paper, Partner, Project
from jalon.ui.http import export, page, wants

PER_PAGE = 50


def _address(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _trail(*steps: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [{"url": url, "label": label} for url, label in steps]


@login_required
@page
def entry(request: HttpRequest) -> HttpResponse:
    """Where labelling begins for each: the board of one's pôle, one's opinions, the register."""
    queries.require_used()
    actor = request.actor
    if actor.can("labelling.manage"):
        cluster = carried_by(actor, clock.today()).order_by("name_key", "id").first()
        if cluster is not None:
            return redirect("labelling-board", cluster.slug)
    if actor.can("labelling.opinion"):
        return redirect("my-opinions")
    return redirect("project-labels")


# -- the board of a pôle ----------------------------------------------------------------------------------------


def _own_cluster(request: HttpRequest, slug: str) -> Cluster:
    """The pôle, if the actor is of its team; else a refusal that says so."""
    queries.require_used()
    cluster = get_object_or_404(Cluster, slug=slug)
    access.may_see_board(request.actor, cluster, clock.today())
    return cluster


GROUPS = (
    ("asked", T("À recevoir", "To receive")),
    ("received", T("Recevabilité", "Admissibility")),
    ("incomplete", T("Chez le porteur", "With the leader")),
    ("opinions", T("Avis des experts", "Experts' opinions")),
    ("vote", T("Vote du comité", "Committee's vote")),
    ("voted", T("À décider", "To be decided")),
    ("deferred", T("Ajournés", "Deferred")),
    ("conditions", T("Conditions à lever", "Conditions to lift")),
)


@never_cache
@page
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The requests of a pôle by step, with their deadlines."""
    cluster = _own_cluster(request, slug)
    today = clock.today()
    lines = queries.board(cluster, request.actor, today)
    if wants(request) != "html":
        return _board_export(request, cluster, lines)
    known = stances(request.actor.user_id, [line.request.project.case for line in lines])
    for line in lines:
        line.declared = known.get(line.request.project.case) == "none"
    groups = [(title, [line for line in lines if line.request.state == code]) for code, title in GROUPS]
    done = [line for line in lines if line.request.state not in dict(GROUPS)]
    done.sort(key=lambda line: (line.request.decided_on or line.request.asked_on, line.request.pk), reverse=True)
    running = [line for line in lines if line.request.running]
    return render(
        request,
        "labelling/board.html",
        {
            "title": T("Labellisation des projets", "Labelling of projects"),
            "cluster": cluster,
            "procedure": queries.procedure_on(cluster.slug, today),
            "groups": [group for group in groups if group[1]],
            "done": done,
            "running": len(running),
            "late": sum(line.late for line in running),
            "can_set": request.actor.can("labelling.decide"),
            "simulated_any": any(line.request.simulated for line in lines),
            "today": today,
            "breadcrumb": _trail(
                (_address("register"), str(policy().word("clusters")).capitalize()),
                (_address("cluster", cluster.slug), cluster.name),
                (None, T("Labellisation", "Labelling")),
            ),
        },
    )


def _board_export(request: HttpRequest, cluster: Cluster, lines: list[queries.Line]) -> HttpResponse:
    """The board as a table: no name of an expert is in it."""
    columns = [
        ("project", Column(T("Projet", "Project"))),
        ("title", Column(T("Intitulé", "Title"))),
        ("call", Column(T("Appel", "Call"))),
        ("as", Column(T("Qualité", "As"))),
        ("state", Column(T("État", "State"))),
        ("asked_on", Column(T("Demandé le", "Asked on"))),
        ("due_on", Column(T("Échéance", "Due"))),
        ("opinions_given", Column(T("Avis rendus", "Opinions given"))),
        ("opinions_asked", Column(T("Avis demandés", "Opinions asked for"))),
        ("decided_on", Column(T("Décidé le", "Decided on"))),
        ("reference", Column(T("Référence", "Reference"))),
    ]
    rows = (
        [
            line.request.project.acronym,
            line.request.project.title,
            _call_title(line.request.project.call),
            str(T("chef de file", "lead") if line.request.lead else T("colabel", "co-label")),
            str(line.title),
            line.request.asked_on,
            line.request.due_on,
            line.opinions[0],
            line.opinions[1],
            line.request.decided_on,
            line.request.reference,
        ]
        for line in lines
    )
    simulated = any(line.request.simulated for line in lines)
    return export(request, f"labellisation-{cluster.slug}", columns, rows, simulated=simulated)


def _call_title(call: Call | None) -> str:
    return str(T("{f}", "{e}", f=call.title_fr, e=call.title_en)) if call else ""


@never_cache
@page
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Who sits on committee and bureau, and the pôle's delays."""
    cluster = _own_cluster(request, slug)
    actor, today = request.actor, clock.today()
    procedure = queries.procedure_on(cluster.slug, today)
    decides = actor.can("labelling.decide")
    people = queries.voters(today) | queries.people_of_cluster(cluster, "labelling.manage", today)
    people = User.objects.filter(pk__in=people.values("pk")).order_by("name", "pk")
    act = request.POST.get("act", "") if request.method == "POST" else ""
    seat_form = SeatForm(request.POST if act == "seat" else None, people=people)
    delays_form = DelaysForm(
        request.POST if act == "delays" else None, procedure=procedure, initial=queries.delays_on(cluster, today)
    )
    refusal = None
    if act:
        try:
            if act == "seat" and seat_form.is_valid():
                actions.seat(cluster, by=actor, on=today, **seat_form.cleaned_data)
            elif act == "unseat":
                member = get_object_or_404(Member, pk=_number(request, "member"), cluster=cluster)
                actions.unseat(member, by=actor, on=today)
            elif act == "delays" and delays_form.is_valid():
                actions.set_delays(
                    cluster, delays_form.delays, by=actor, on=today, reason=delays_form.cleaned_data["reason"]
                )
            else:
                access.may_set(actor, cluster, today)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
        if refusal is None and not seat_form.errors and not delays_form.errors:
            messages.success(request, T("Enregistré.", "Saved."))
            return redirect("labelling-settings", cluster.slug)
    members = list(queries.members(cluster, today))
    return render(
        request,
        "labelling/settings.html",
        {
            "title": T("Réglages de la labellisation", "Settings of labelling"),
            "cluster": cluster,
            "procedure": procedure,
            "members": [(m, states.BODIES[m.body]) for m in members],
            "seat_form": seat_form,
            "delays_form": delays_form,
            "decides": decides,
            "refusal": refusal,
            "vote_why": rules.tally(procedure.vote, roll=(), votes={}, recused=(), chair=None).why,
            "breadcrumb": _trail(
                (_address("cluster", cluster.slug), cluster.name),
                (reverse("labelling-board", args=[cluster.slug]), T("Labellisation", "Labelling")),
                (None, T("Réglages", "Settings")),
            ),
        },
        status=400 if refusal or seat_form.errors or delays_form.errors else 200,
    )


def _number(request: HttpRequest, name: str) -> int:
    sent = request.POST.get(name, "")
    return int(sent) if sent.isdecimal() and len(sent) < 12 else 0


# -- one request ------------------------------------------------------------------------------------------------


def _request(request: HttpRequest, pk: int) -> tuple[LabelRequest, access.Standing]:
    """The request and what the actor is to it; whoever may not know of it, the recused too, gets "not found"."""
    row = get_object_or_404(
        LabelRequest.objects.select_related("project__call", "cluster", "correspondent", "recorded"), pk=pk
    )
    place = access.standing(request.actor, row, clock.today())
    if not place.any:
        raise Http404
    return row, place


Act = Callable[[HttpRequest, LabelRequest, dict[str, Any]], Any]


def _done(request: HttpRequest, fr: str, en: str) -> None:
    messages.success(request, T(fr, en))


def _valid(form: Any) -> Any:
    """The form's data; a refusal that the page shows beside the form when something is wrong."""
    if not form.is_valid():
        raise Refused(T("Corrigez les champs signalés.", "Mend the fields marked."), kind="input")
    return form.cleaned_data


def _act_receive(request, row, forms):
    data = _valid(forms["receive"])
    actions.receive(row, correspondent=data["correspondent"], by=request.actor, on=clock.today())
    _done(request, "Demande reçue : le porteur a son accusé de réception.", "Received: the leader has been told.")


def _act_ask_more(request, row, forms):
    actions.ask_more(row, missing=_valid(forms["ask_more"])["reason"], by=request.actor, on=clock.today())
    _done(request, "Compléments demandés au porteur.", "The leader has been asked for more.")


def _act_dismiss(request, row, forms):
    actions.dismiss(row, reason=_valid(forms["dismiss"])["reason"], by=request.actor, on=clock.today())
    _done(request, "Demande irrecevable : le porteur a les motifs.", "Inadmissible: the leader has the reasons.")


def _act_admit(request, row, forms):
    actions.admit(row, criteria=_valid(forms["admit"])["criteria"], by=request.actor, on=clock.today())
    _done(request, "Demande recevable : demandez les avis.", "Admissible: ask for opinions.")


def _act_invite(request, row, forms):
    data = _valid(forms["invite"])
    actions.invite(row, data["expert"], days=data["days"], by=request.actor, on=clock.today())
    _done(request, "Avis demandé.", "Opinion asked for.")


def _act_cancel(request, row, forms):
    opinion = get_object_or_404(Opinion, pk=_number(request, "opinion"), request=row)
    actions.cancel_opinion(opinion, by=request.actor, on=clock.today())
    _done(request, "Demande d'avis annulée.", "Request for an opinion cancelled.")


def _act_open_vote(request, row, forms):
    actions.open_vote(row, by=request.actor, on=clock.today(), **_valid(forms["open_vote"]))
    _done(request, "Le vote est ouvert : les membres sont prévenus.", "The vote is open: the members have been told.")


def _act_cast(request, row, forms):
    ballot = row.ballots.filter(closed_at__isnull=True).first()
    if ballot is None:
        raise Refused(T("Le vote est clos.", "The vote is closed."))
    voter = None
    if request.POST.get("voter"):
        voter = get_object_or_404(User, pk=_number(request, "voter"))
    actions.cast(ballot, request.POST.get("choice", ""), by=request.actor, on=clock.today(), voter=voter)
    _done(request, "Vote enregistré.", "Vote recorded.")


def _act_close_vote(request, row, forms):
    actions.close_vote(row, minutes=_valid(forms["close_vote"])["minutes"], by=request.actor, on=clock.today())
    _done(request, "Vote clos : le bureau décide.", "Vote closed: the bureau decides.")


def _act_decide(request, row, forms):
    form = forms["decide"]
    data = _valid(form)
    actions.decide(
        row,
        data["outcome"],
        reasons=data["reasons"],
        reference=data["reference"],
        conditions=form.conditions,
        despite_closing=bool(data.get("despite_closing")),
        by=request.actor,
        on=clock.today(),
    )
    _done(request, "Décision enregistrée : le porteur est prévenu.", "Decision recorded: the leader has been told.")


def _act_lift(request, row, forms):
    condition = get_object_or_404(Condition, pk=_number(request, "condition"), request=row)
    actions.lift_condition(condition, evidence=request.POST.get("evidence", ""), by=request.actor, on=clock.today())
    _done(request, "Condition levée.", "Condition lifted.")


ACTS: dict[str, Act] = {
    "receive": _act_receive,
    "ask_more": _act_ask_more,
    "dismiss": _act_dismiss,
    "admit": _act_admit,
    "invite": _act_invite,
    "cancel": _act_cancel,
    "open_vote": _act_open_vote,
    "cast": _act_cast,
    "close_vote": _act_close_vote,
    "decide": _act_decide,
    "lift": _act_lift,
}


def _forms(row: LabelRequest, place: access.Standing, act: str, data: Any) -> dict[str, Any]:
    """The forms that the present step offers to the actor; the one that was sent is bound."""
    today = clock.today()
    procedure = queries.procedure_of(row)
    made: dict[str, Any] = {}

    def add(name: str, form: Callable[..., Any], **kwargs: Any) -> None:
        made[name] = form(data if act == name else None, prefix=None, auto_id=f"{name}_%s", **kwargs)

    if place.unit and row.state == "asked":
        team = queries.people_of_cluster(row.cluster, "labelling.manage", today)
        team = team.exclude(pk__in=recused_users(row.project.case))
        add("receive", ReceiveForm, team=team)
    if place.unit and place.opened and row.state == "received":
        add("ask_more", ReasonForm)
        add("dismiss", ReasonForm)
        add("admit", AdmitForm, procedure=procedure, initial={"criteria": row.criteria})
    if place.unit and place.opened and row.state == "opinions":
        experts = queries.experts_free_for(row, today)
        add("invite", InviteForm, experts=experts, initial={"days": row.delays["opinions"]})
    ballot = queries.last_ballot(row) if place.unit and place.opened and row.state == "voted" else None
    again = ballot is not None and not queries.counted(ballot, procedure).quorum
    if place.unit and place.opened and (row.state == "opinions" or again):
        closes = rules.due_day(today, row.delays["committee"])
        initial = {"way": procedure.vote.ways[-1], "closes_on": closes}
        add("open_vote", OpenVoteForm, procedure=procedure, initial=initial)
    if place.unit and place.opened and row.state == "vote":
        add("close_vote", CloseVoteForm)
    if place.decider and place.opened and row.state in ("opinions", "voted"):
        counts, _ = queries.counts_for_call(row.project, today)
        add("decide", DecideForm, call_closed=not counts)
    return made


@login_required
@never_cache
@page
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A request with its steps, opinions, votes and decision, as far as the actor may read them."""
    row, place = _request(request, pk)
    if place.leader or place.partner:
        return redirect("project-labelling", row.project.slug)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    made = _forms(row, place, act, request.POST or None)
    refusal = None
    if request.method == "POST":
        run = ACTS.get(act)
        if run is None or (act not in made and act in ("receive", "ask_more", "dismiss", "admit", "invite", "open_vote", "close_vote", "decide")):  # fmt: skip
            _explain_missing(row, place, act)
        else:
            try:
                run(request, row, made)
                return redirect("labelling-request", row.pk)
            except NotAllowed:
                raise
            except Refused as error:
                refusal = error
                row, place = _request(request, pk)
                if act not in made or row.state != LabelRequest.objects.get(pk=pk).state:
                    made = _forms(row, place, "", None)
    return render(
        request,
        "labelling/request.html",
        _request_context(request, row, place) | {"forms": made, "refusal": refusal, "act": act},
        status=(409 if isinstance(refusal, Conflict) else 400) if refusal else 200,
    )


def _explain_missing(row: LabelRequest, place: access.Standing, act: str) -> None:
    """An act that the page does not offer: not theirs, not declared, or not at this step."""
    mine = {"decide": place.decider}.get(act, place.unit)
    if act not in ACTS:
        raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")
    if not mine:
        raise NotAllowed(T("Cet acte n'est pas le vôtre.", "This act is not yours."))
    if not place.opened and act != "receive":
        raise NotAllowed(
            T(
                "Ce dossier s'ouvre après votre déclaration d'intérêts.",
                "This file opens after your declaration of interests.",
            )
        )
    if act == "decide" and row.state in states.DECIDED:
        raise Conflict(
            T("La décision est déjà prise : {o}.", "It is already decided: {o}.", o=states.TITLES[row.state]),
            theirs=row.state,
            yours="",
        )
    raise Refused(
        T(
            "Cet acte n'est pas possible : la demande est « {s} ».",
            "This act is not possible: the request is “{s}”.",
            s=states.TITLES[row.state],
        )
    )


def _steps(row: LabelRequest, procedure: Any, today: dt.date) -> list[dict[str, Any]]:
    """The procedure's steps as a line of signatures: done, current, to come."""
    order = [s.code for s in procedure.steps]
    current = states.STEPS.get(row.state)
    ended = not row.running or row.state == "deferred"
    found = []
    for step in procedure.steps:
        light, day = "not_started", None
        if ended and row.state not in ("withdrawn", "inadmissible"):
            light = "done"
        elif current is not None and order.index(step.code) < order.index(current):
            light = "done"
        elif step.code == current:
            day = row.due_on
            light = "late" if day and rules.over(day, today) else "on_track"
        found.append(
            {
                "name": step.title,
                "role": step.by,
                "light": light,
                "day": day,
                "note": T("jusqu'à minuit", "until midnight") if day else "",
                "current": step.code == current,
            }
        )
    return found


def _opinion_lines(
    row: LabelRequest, place: access.Standing, procedure: Any, criteria: Any, recused: set[int], today: dt.date
) -> list[dict[str, Any]]:
    """Opinions as the actor may read them: names for the unit, numbers for others; drafts for nobody."""
    known = rules.knows_experts(procedure, place.reader)
    reads = place.opened and (place.unit or place.decider or place.member)
    if not reads:
        return []
    lines = []
    for opinion in row.opinions.select_related("user", "file").order_by("number"):
        state = opinion.state
        if opinion.user_id in recused and state in ("asked", "given"):
            state = "recused"
        if not place.unit and state != "given":
            continue
        shown = state == "given" or (place.unit and state == "past")
        late = opinion.state == "asked" and rules.over(opinion.due_on, today)
        lines.append(
            {
                "opinion": opinion,
                "name": opinion.user.name if known else rules.expert_name(opinion.number),
                "number": rules.expert_name(opinion.number),
                "state": states.OPINION_TITLES[state],
                "light": "late" if late else next(s.light for s in states.OPINION_STATES if s.code == state),
                "shown": shown,
                "recommendation": states.RECOMMENDATIONS.get(opinion.recommendation, "") if shown else "",
                "scores": [(c, opinion.scores.get(c.code)) for c in criteria.criteria] if shown else [],
                "reason": opinion.reason if place.unit else "",
                "can_cancel": place.unit and state in ("asked", "recused") and row.state == "opinions",
            }
        )
    return lines


def _ballot_line(
    ballot: Ballot, row: LabelRequest, place: access.Standing, procedure: Any, recused: set[int], request: HttpRequest
) -> dict[str, Any]:
    ballot.request = row
    votes = {v.user_id: v for v in ballot.votes.all()}
    closed = ballot.closed_at is not None
    names = dict(User.objects.filter(pk__in=ballot.roll).values_list("pk", "name"))
    known = _declared(row.project.case, ballot.roll)
    roll = []
    for user_id in ballot.roll:
        vote = votes.get(user_id)
        what: Any = T("n'a pas voté", "has not voted")
        if user_id in recused:
            what = T("déporté", "recused")
        elif vote is not None:
            what = states.CHOICES[vote.choice] if closed and not procedure.vote.secret else T("a voté", "has voted")
        elif user_id not in known:
            what = T("n'a pas encore déclaré ses intérêts", "has not declared interests yet")
        roll.append(
            {
                "id": user_id,
                "name": names.get(user_id, "?"),
                "what": what,
                "chair": user_id == ballot.chair,
                "can_note": not closed and ballot.way == "meeting" and vote is None and user_id in known and user_id not in recused,
            }
        )  # fmt: skip
    mine = votes.get(request.actor.user_id)
    return {
        "ballot": ballot,
        "way": states.WAYS[ballot.way],
        "closed": closed,
        "tally": queries.counted(ballot, procedure, recused),
        "result": rules.RESULTS[queries.counted(ballot, procedure, recused).result] if closed else "",
        "roll": roll,
        "cast": sum(user_id in votes for user_id in ballot.roll if user_id not in recused),
        "entitled": sum(user_id not in recused for user_id in ballot.roll),
        "mine": mine,
        "can_vote": place.member and place.opened and not closed and mine is None
        and request.actor.user_id in ballot.roll and not rules.over(ballot.closes_on, clock.today())
        and (ballot.way == "electronic" or clock.today() == ballot.closes_on),
    }  # fmt: skip


def _declared(case: str, users: list[int]) -> set[int]:
    """Those of the users who declared to have no interest."""
    from jalon.interests.models import Declaration

    rows = Declaration.objects.filter(case=case, user_id__in=users, stance="none", superseded_at__isnull=True)
    return set(rows.values_list("user_id", flat=True))


def _request_context(request: HttpRequest, row: LabelRequest, place: access.Standing) -> dict[str, Any]:
    today = clock.today()
    procedure, recused = queries.procedure_of(row), recused_users(row.project.case)
    criteria = queries.criteria_of(row, procedure)
    partners = list(
        Partner.objects.filter(project=row.project, left_on__isnull=True)
        .select_related("organisation")
        .order_by("order", "id")
    )
    counts, counts_why = queries.request_counts(row, today)
    context: dict[str, Any] = {
        "title": f"{row.project.acronym} – {row.project.title}",
        "row": row,
        "project": row.project,
        "cluster": row.cluster,
        "place": place,
        "state_title": states.TITLES[row.state],
        "tone": states.TONES[row.state],
        "procedure": procedure,
        "steps": _steps(row, procedure, today),
        "partners": partners,
        "call_title": _call_title(row.project.call),
        "late": row.due_on is not None and row.running and rules.over(row.due_on, today),
        "due_why": rules.delay_why(procedure, states.STEPS[row.state], row.delays[states.STEPS[row.state]])
        if row.due_on and row.state in states.STEPS and row.state != "vote"
        else None,
        "counts": counts,
        "counts_why": counts_why,
        "criteria": criteria,
        "conditions": list(row.conditions.all()),
        "outcome": states.OUTCOMES.get(row.state) if row.state in states.DECIDED else None,
        "project_url": "",
        "decision_url": _decision_url(row) if not place.member or place.unit or place.decider else "",
        "breadcrumb": _trail(
            (reverse("labelling-board", args=[row.cluster.slug]), T("Labellisation", "Labelling"))
            if place.unit
            else (reverse("my-opinions"), T("Avis et votes", "Opinions and votes")),
            (None, row.project.acronym),
        ),
    }
    if place.opened:
        budget = queries.budget_of(row.project)
        context |= {
            "project_url": _address("project", row.project.slug),
            "costs": [(p, budget.get(p.pk)) for p in partners],
            "papers": Paper.objects.filter(project=row.project, replaced_at__isnull=True)
            .select_related("file")
            .order_by("title", "id"),
            "changed": row.project.rev != row.project_rev,
            "report_url": _address("label-report-pdf", row.pk)
            if row.state not in ("asked", "received") and (place.unit or place.decider or place.member)
            else "",
            "opinions": _opinion_lines(row, place, procedure, criteria, recused, today),
            "means": queries.mean_scores(criteria, row.opinions.all(), recused)
            if place.unit or place.decider or place.member
            else [],
            "ballots": [
                _ballot_line(b, row, place, procedure, recused, request)
                for b in row.ballots.prefetch_related("votes").order_by("id")
            ]
            if place.unit or place.decider or place.member
            else [],
        }
    if place.unit:
        context |= {
            "recused_count": len(recused),
            "events": [
                {"day": e.on, "title": states.ACTS.get(e.act, e.act), "who": e.user_label, "text": e.why}
                for e in JournalEntry.objects.filter(case=row.case).order_by("seq")
                if place.opened or e.act in ("labelling.ask", "labelling.receive")
            ],
        }
    return context


@never_cache
@page
def committee(request: HttpRequest, slug: str) -> HttpResponse:
    """The open votes of a pôle on one page, for the meeting room's screen; names of those who voted, never what."""
    queries.require_used()
    cluster = get_object_or_404(Cluster, slug=slug)
    actor, today = request.actor, clock.today()
    sits = actor.signed_in and Member.objects.filter(cluster=cluster, user_id=actor.user_id, body="committee").exists()
    if not sits:
        access.may_see_board(actor, cluster, today)
    rows = LabelRequest.objects.filter(cluster=cluster, state__in=("vote", "voted")).select_related(
        "project__call", "cluster"
    )
    rows = list(exclude_recused(actor, rows, "project:project__slug").order_by("due_on", "id"))
    declared = stances(actor.user_id, [r.project.case for r in rows])
    shown = []
    for row in rows:
        place = access.standing(actor, row, today)
        procedure = queries.procedure_of(row)
        ballot = queries.last_ballot(row)
        if ballot is None or not place.any:
            continue
        recused = recused_users(row.project.case)
        opened = declared.get(row.project.case) == "none" and place.assesses
        shown.append(
            {
                "row": row,
                "opened": opened,
                "line": _ballot_line(ballot, row, place, procedure, recused, request),
                "means": queries.mean_scores(queries.criteria_of(row, procedure), row.opinions.all(), recused)
                if opened
                else [],
                "state": states.TITLES[row.state],
                "tone": states.TONES[row.state],
                "can_note": place.unit and opened,
            }
        )
    return render(
        request,
        "labelling/committee.html",
        {
            "title": queries.procedure_on(cluster.slug, today).committee,
            "cluster": cluster,
            "rows": shown,
            "choices": states.CHOICES.items(),
            "breadcrumb": _trail((_address("cluster", cluster.slug), cluster.name), (None, T("Comité", "Committee"))),
        },
    )


# -- the leader -------------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def project_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A project's labels as its consortium sees them: status, calendar, decision and reasons; the leader asks."""
    queries.require_used()
    project = get_object_or_404(Project.objects.select_related("call"), slug=slug)
    actor, today = request.actor, clock.today()
    part = Partner.objects.filter(project=project, organisation_id=actor.organisation_id, left_on__isnull=True).first()
    if part is None or actor.side != "beneficiary":
        raise Http404
    leads = part.role == "leader" and actor.can("project.submit")
    act = request.POST.get("act", "") if request.method == "POST" else ""
    rows = list(queries.of_project(project))
    taken = [r.cluster_id for r in rows if r.state in (*states.RUNNING, *states.GIVEN)]
    has_lead = any(r.lead for r in rows if r.state in (*states.RUNNING, *states.GIVEN))
    members = (
        Member.objects.filter(ends_on__isnull=True).exclude(cluster_id__in=taken).select_related("user", "cluster")
    )
    ask_form = None
    if leads and project.state in actions.OPEN_PROJECT:
        ask_form = AskForm(
            request.POST if act == "ask" else None,
            clusters=Cluster.objects.filter(programme=project.programme).exclude(pk__in=taken).order_by("name_key"),
            members=members.order_by("cluster__name_key", "body", "user__name"),
            initial={"lead": "0" if has_lead else "1"},
        )
    refusal = None
    if request.method == "POST":
        try:
            _leader_act(request, project, act, rows, ask_form)
            return redirect("project-labelling", project.slug)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    context = {
        "title": T("Labels de {p}", "Labels of {p}", p=project.acronym),
        "project": project,
        "call_title": _call_title(project.call),
        "leads": leads,
        "ask_form": ask_form,
        "refusal": refusal,
        "rows": [_leader_line(row, today) for row in rows],
        "has_lead": has_lead,
        "breadcrumb": _trail((_address("project", project.slug), project.acronym), (None, T("Labels", "Labels"))),
    }
    bad = refusal or (ask_form is not None and ask_form.errors)
    return render(request, "labelling/project.html", context, status=400 if bad else 200)


def _decision_url(row: LabelRequest) -> str:
    """The letter of the decision, which the package of documents prints."""
    return _address("label-decision-pdf", row.pk) if row.decided_on and row.state in states.DECIDED else ""


def _leader_line(row: LabelRequest, today: dt.date) -> dict[str, Any]:
    procedure = queries.procedure_of(row)
    counts, why = queries.request_counts(row, today)
    return {
        "row": row,
        "state": states.TITLES[row.state],
        "tone": states.TONES[row.state],
        "steps": _steps(row, procedure, today),
        "procedure": procedure,
        "conditions": list(row.conditions.all()),
        "counts": counts,
        "why": why,
        "given": row.state in states.GIVEN,
        "decision_url": _decision_url(row),
        "can_withdraw": row.running,
        "can_lead": not row.lead and row.state in (*states.RUNNING, *states.GIVEN),
    }


def _leader_act(
    request: HttpRequest, project: Project, act: str, rows: list[LabelRequest], ask_form: AskForm | None
) -> None:
    actor, today = request.actor, clock.today()
    if act == "ask":
        access.may_ask(actor, project)
        if ask_form is None:
            raise Refused(T("Un label ne se demande plus pour ce projet.", "No label can be asked for any more."))
        data = _valid(ask_form)
        named = [m for m in data["keep_out"] if m.cluster_id == data["cluster"].pk]
        if len(named) != len(data["keep_out"]):
            raise Refused(
                T(
                    "Vous avez nommé des membres d'un autre pôle que celui que vous saisissez.",
                    "You named members of another cluster than the one you ask.",
                ),
                kind="input",
            )
        actions.ask(
            project,
            data["cluster"],
            lead=data["lead"],
            by=actor,
            on=today,
            keep_out=named,
            keep_out_why=data["keep_out_why"],
            keep_away=data["keep_away"],
            message=data["message"],
        )
        return _done(request, "Label demandé : le pôle est prévenu.", "Label asked for: the cluster has been told.")
    row = next((r for r in rows if r.pk == _number(request, "request")), None)
    if row is None:
        access.may_ask(actor, project)
        raise Http404
    text = request.POST.get("message", "") or request.POST.get("reason", "")
    if act == "complete":
        actions.complete(row, message=text, by=actor, on=today)
        return _done(request, "Dossier complété : le pôle est prévenu.", "Completed: the cluster has been told.")
    if act == "resume":
        actions.resume(row, message=text, by=actor, on=today)
        return _done(request, "Projet présenté de nouveau.", "Project presented again.")
    if act == "withdraw":
        actions.withdraw(row, reason=text, by=actor, on=today)
        return _done(request, "Demande retirée.", "Request withdrawn.")
    if act == "lead":
        actions.change_lead(project, row.cluster, by=actor, on=today)
        return _done(request, "Pôle chef de file changé.", "Lead cluster changed.")
    raise Refused(T("Acte inconnu.", "Unknown act."), kind="input")


# -- the expert -------------------------------------------------------------------------------------------------


@login_required
@never_cache
@page
def my_opinions(request: HttpRequest) -> HttpResponse:
    """The expert's home: what to declare, opinions due, votes; then what was given."""
    from jalon.interests.queries import waiting
    from jalon.labelling.desk import tasks_for

    queries.require_used()
    actor, today = request.actor, clock.today()
    if not (actor.can("labelling.opinion") or actor.can("labelling.vote")):
        actor.require("labelling.opinion")
    rows = exclude_recused(
        actor, Opinion.objects.filter(user_id=actor.user_id), "project:request__project__slug"
    ).select_related("request__project", "request__cluster")
    rows = list(rows.order_by("-due_on", "-id")[:200])
    known = stances(actor.user_id, [r.request.project.case for r in rows])
    lines = [
        {
            "opinion": row,
            "state": states.OPINION_TITLES[row.state],
            "late": row.state == "asked" and rules.over(row.due_on, today),
            "declared": known.get(row.request.project.case) == "none",
            "due": row.state == "asked" and row.request.state == "opinions",
        }
        for row in rows
    ]
    here = reverse("labelling-request", args=[0]).rsplit("0", 1)[0]
    return render(
        request,
        "labelling/opinions.html",
        {
            "title": T("Avis et votes", "Opinions and votes"),
            "waiting_cases": waiting(actor, today),
            "due": [line for line in lines if line["due"] and line["declared"]],
            "done": [line for line in lines if not line["due"]],
            "votes": [t for t in tasks_for(actor, today) if t.url.startswith(here)] if actor.side == "expert" else [],
        },
    )


def _opinion(request: HttpRequest, pk: int) -> Opinion:
    """One's own opinion; that of others, and of whoever is recused, does not exist."""
    row = get_object_or_404(Opinion.objects.select_related("request__project__call", "request__cluster", "file"), pk=pk)
    if row.user_id != request.actor.user_id or not request.actor.can("labelling.opinion"):
        raise Http404
    place = access.standing(request.actor, row.request, clock.today())
    if place.stance == "interest" or place.leader or place.partner:
        raise Http404
    return row


def _typed(request: HttpRequest, criteria: Any) -> dict[str, Any]:
    return {
        "scores": {c.code: request.POST.get(f"score_{c.code}", "") for c in criteria.criteria},
        "text": request.POST.get("text", "").replace("\r\n", "\n")[:100_000],
        "recommendation": request.POST.get("recommendation", ""),
    }


def _revision(request: HttpRequest) -> int:
    return _number(request, "revision") if request.POST.get("revision") else _number(request, "rev")


@login_required
@never_cache
@page
def opinion_save(request: HttpRequest, pk: int) -> HttpResponse:
    """Autosave: keeps the draft, answers with its revision."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    row = _opinion(request, pk)
    try:
        saved = actions.save_opinion(
            row,
            **_typed(request, queries.criteria_of(row.request)),
            rev=_revision(request),
            by=request.actor,
            on=clock.today(),
        )
    except Conflict as error:
        now = Opinion.objects.get(pk=pk)
        body = {"message": str(error.reason), "theirs": error.theirs, "yours": error.yours, "revision": now.rev}
        return JsonResponse(body, status=409)
    except Refused as error:
        status = 403 if isinstance(error, NotAllowed) else 400
        return JsonResponse({"message": str(error)}, status=status)
    return JsonResponse({"revision": saved.rev, "rev": saved.rev})


@login_required
@never_cache
@page
def opinion_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The expert's opinion: the file and the form, after the declaration; before, only what the declaration needs."""
    row = _opinion(request, pk)
    actor, today = request.actor, clock.today()
    declared = stances(actor.user_id, [row.request.project.case]).get(row.request.project.case) == "none"
    procedure = queries.procedure_of(row.request)
    criteria = queries.criteria_of(row.request, procedure)
    refusal, typed = None, None
    if request.method == "POST":
        act = request.POST.get("act", "save")
        try:
            if act == "decline":
                actions.decline(row, reason=request.POST.get("reason", ""), by=actor, on=today)
                _done(request, "Avis décliné ; le pôle est prévenu.", "Declined; the cluster has been told.")
                return redirect("my-opinions")
            typed = _typed(request, criteria)
            row = actions.save_opinion(row, **typed, rev=_revision(request), by=actor, on=today)
            upload = request.FILES.get("file")
            if upload is not None:
                row = actions.attach(row, upload.read(), upload.name, by=actor, on=today)
            if act == "give":
                actions.give_opinion(row, by=actor, on=today)
                _done(request, "Avis rendu. Merci.", "Opinion given. Thank you.")
                return redirect("my-opinions")
            _done(request, "Brouillon enregistré.", "Draft saved.")
            return redirect("labelling-opinion", row.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
            row = _opinion(request, pk)
    project = row.request.project
    partners = list(
        Partner.objects.filter(project=project, left_on__isnull=True)
        .select_related("organisation")
        .order_by("order", "id")
    )
    scores = typed["scores"] if typed else row.scores
    context = {
        "title": T("Avis sur {p}", "Opinion on {p}", p=project.acronym),
        "opinion": row,
        "row": row.request,
        "project": project,
        "call_title": _call_title(project.call),
        "partners": partners,
        "declared": declared,
        "writable": declared and row.state == "asked" and row.request.state == "opinions",
        "state": states.OPINION_TITLES[row.state],
        "late": row.state == "asked" and rules.over(row.due_on, today),
        "due_why": rules.delay_why(procedure, "opinions", (row.due_on - row.asked_on).days, row.asked_on),
        "number": rules.expert_name(row.number),
        "anonymous": bool(procedure.experts.anonymous_to),
        "procedure": procedure,
        "criteria": criteria,
        "scores": [
            {
                "criterion": c,
                "value": str(scores.get(c.code, "") if scores.get(c.code) is not None else ""),
                "points": [str(n) for n in range(criteria.scale + 1)],
            }
            for c in criteria.criteria
        ],
        "text": typed["text"] if typed else row.text,
        "recommendation": typed["recommendation"] if typed else row.recommendation,
        "recommendations": states.RECOMMENDATIONS.items(),
        "refusal": refusal,
        "breadcrumb": _trail(
            (reverse("my-opinions"), T("Avis et votes", "Opinions and votes")), (None, project.acronym)
        ),
    }
    if declared:
        budget = queries.budget_of(project)
        context |= {
            "costs": [(p, budget.get(p.pk)) for p in partners],
            "project_url": _address("project", project.slug),
            "papers": Paper.objects.filter(project=project, replaced_at__isnull=True).select_related("file").order_by("title", "id"),
        }  # fmt: skip
    status = 409 if isinstance(refusal, Conflict) else 400 if refusal else 200
    return render(request, "labelling/opinion.html", context, status=status)


@login_required
@never_cache
@page
def opinion_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The attachment of an opinion, under its neutral name: for its author, and for those who read the opinion."""
    row = get_object_or_404(
        Opinion.objects.select_related("request__project", "request__cluster", "file"), pk=pk, file__isnull=False
    )
    place = access.standing(request.actor, row.request, clock.today())
    own = place.opinion is not None and place.opinion.pk == row.pk
    reads = place.opened and (place.unit or place.decider or place.member) and row.state in ("given", "past")
    if not (place.opened and own) and not reads:
        raise Http404
    try:
        return FileResponse(path_of(row.file.sha256).open("rb"), as_attachment=True, filename=row.file.name)
    except FileNotFoundError:
        raise Refused(T("Ce fichier n'est plus sur ce serveur.", "This file is no longer on this server.")) from None


# -- register ---------------------------------------------------------------------------------------------------


@page
def register(request: HttpRequest) -> HttpResponse:
    """The labels given to projects: public ones, and those of the actor's own pôles and projects."""
    queries.require_used()
    actor, today = request.actor, clock.today()
    carried = list(carried_by(actor, today).values_list("pk", flat=True)) if actor.can("labelling.manage") else []
    rows = queries.register(actor, today, carried=carried)
    q, cluster, year = (request.GET.get(k, "").strip() for k in ("q", "pole", "annee"))
    call, outcome, lead = (request.GET.get(k, "").strip() for k in ("appel", "decision", "qualite"))
    if q:
        from django.db.models import Q

        rows = rows.filter(
            Q(project__acronym__icontains=q) | Q(project__title__icontains=q) | Q(reference__icontains=q)
        )
    if cluster:
        rows = rows.filter(cluster__slug=cluster)
    if year.isdecimal() and len(year) == 4:
        rows = rows.filter(decided_on__year=int(year))
    if call:
        rows = rows.filter(project__call__code=call)
    if outcome in states.OUTCOMES:
        rows = rows.filter(outcome=outcome)
    if lead in ("chef-de-file", "colabel"):
        rows = rows.filter(lead=lead == "chef-de-file")
    if wants(request) != "html":
        return _register_export(request, rows)
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    lines = [
        {
            "label": row,
            "outcome": states.OUTCOMES[row.outcome],
            "tone": states.TONES[row.outcome],
            "counts": row.outcome not in states.GIVEN
            or queries.counts_for_call(row.project, row.decided_on, row.outcome)[0],
            "url": _address("project", row.project.slug),
        }
        for row in shown
    ]
    return render(
        request,
        "labelling/register.html",
        {
            "title": T("Registre des labels de projets", "Register of project labels"),
            "page": shown,
            "lines": lines,
            "clusters": Cluster.objects.filter(project_labels__isnull=False).distinct().order_by("name_key"),
            "calls": [(c.code, _call_title(c)) for c in Call.objects.filter(projects__labels__isnull=False).distinct().order_by("scheme", "number")],
            "outcomes": states.OUTCOMES.items(),
            "asked": {"q": q, "pole": cluster, "annee": year, "appel": call, "decision": outcome, "qualite": lead},
            "whole": actor.national and actor.can("project.follow"),
            "inside": bool(carried) or actor.side == "beneficiary",
            "why": _public_why(today),
            "breadcrumb": _trail((None, T("Labels de projets", "Project labels"))),
        },
    )  # fmt: skip


def _public_why(day: dt.date) -> Any:
    parameter = policy().on(day).find("labelling.public_register_of")
    return queries.Why(
        rule=T(
            "Le registre public montre les labels des projets retenus ; un refus ou un ajournement n'y est jamais.",
            "The public register shows the labels of selected projects; a refusal or deferral is never in it.",
        ),
        parameter="labelling.public_register_of",
        value=parameter.value if parameter else None,
        unit="code",
        reference=parameter.reference if parameter else "",
        day=day,
        reading=bool(parameter and parameter.reading),
    )


def _register_export(request: HttpRequest, rows: Any) -> HttpResponse:
    columns = [
        ("project", Column(T("Projet", "Project"))),
        ("title", Column(T("Intitulé", "Title"))),
        ("call", Column(T("Appel", "Call"))),
        ("cluster", Column(T("Pôle", "Cluster"))),
        ("as", Column(T("Qualité", "As"))),
        ("outcome", Column(T("Décision", "Decision"))),
        ("decided_on", Column(T("Décidé le", "Decided on"))),
        ("reference", Column(T("Référence", "Reference"))),
        ("counts_for_call", Column(T("Compte pour l'appel", "Counts for the call"))),
    ]
    simulated = rows.filter(simulated=True).exists()
    cells = (
        [
            row.project.acronym,
            row.project.title,
            _call_title(row.project.call),
            row.cluster.name,
            str(T("chef de file", "lead") if row.lead else T("colabel", "co-label")),
            str(states.OUTCOMES[row.outcome]),
            row.decided_on,
            row.reference,
            str(_yes(row)),
        ]
        for row in rows.iterator(chunk_size=500)
    )
    return export(request, "labels-de-projets", columns, cells, simulated=simulated)


def _yes(row: Any) -> Any:
    if row.outcome not in states.GIVEN:
        return T("non", "no")
    return T("oui", "yes") if queries.counts_for_call(row.project, row.decided_on, row.outcome)[0] else T("non", "no")
