"""The acts of labelling. Each holds the request's row until it is over, so that two acts at once follow each other.

``on`` is the day; ``at`` the moment, for records that are loaded. Acts of experts are written in the journal under their
number, never their name: who the expert is stands in the opinion itself, which only the pôle's unit reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from jalon.clusters.models import Cluster
from jalon.core import clock, files, journal, workflow
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.interests import actions as interests
from jalon.interests.access import recused_users, stances
from jalon.labelling import access, cleaning, messages, queries, rules, states
from jalon.labelling.models import Ballot, Condition, LabelRequest, Member, Opinion, Terms, Vote
from jalon.people.access import Actor, policy
from jalon.people.models import User
from jalon.projects.models import Project, ProjectLabel

OPEN_PROJECT = ("draft", "submitted", "clarification", "admissible")
"""A label is asked for while the project is drafted or under way to its selection."""


def _locked(request: LabelRequest) -> LabelRequest:
    """The request as it stands now, held until the act is over."""
    return (
        LabelRequest.objects.select_for_update(of=("self",))
        .select_related("project__call", "cluster", "correspondent")
        .get(pk=request.pk)
    )


def _move(request: LabelRequest, name: str, reason: str = "") -> None:
    move = workflow.check(states.MOVES, states.STATES, name, request.state, reason)
    request.state = move.target


def _due(request: LabelRequest, on: dt.date) -> None:
    """The last day of the step that begins on a day; decided requests have none."""
    step = states.STEPS.get(request.state)
    days = request.delays.get(step) if step and request.state != "incomplete" else None
    request.due_on = rules.due_day(on, days) if days is not None else None


def _act(request: LabelRequest, act: str, by: Any, on: dt.date, at: Any, why: str = "", **after: Any) -> None:
    journal.record(request.case, act, by=by, on=on, at=clock.stamp(on, at), why=why, after=after or None)


def _nameless(number: int) -> journal.Who:
    """Whoever gives an opinion, as the journal keeps it."""
    return journal.Who(user_label=str(rules.expert_name(number)), role="expert")


# -- the leader asks --------------------------------------------------------------------------------------------


@transaction.atomic
def ask(
    project: Project,
    cluster: Cluster,
    *,
    lead: bool,
    by: Actor,
    on: dt.date,
    keep_out: Iterable[Member] = (),
    keep_out_why: str = "",
    keep_away: str = "",
    message: str = "",
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> LabelRequest:
    """Ask a pôle for the label of a project, naming members of its committee or bureau who must not see the file.

    The lead labelling pôle is asked first. A project has one lead and, per pôle, one request under way.

    Raises:
        Refused: the project is past its selection, the pôle is asked already or gave its label, no lead is named yet.
        NotAllowed: the actor does not act for the project's leader.
    """
    queries.require_used()
    access.may_ask(by, project)
    project = Project.objects.select_for_update(of=("self",)).select_related("call").get(pk=project.pk)
    if project.state not in OPEN_PROJECT:
        raise Refused(
            T(
                "« {p} » n'est plus en préparation ni en instruction : un label ne s'y ajoute plus.",
                "“{p}” is no longer being drafted or assessed: no label can be added.",
                p=project.acronym,
            )
        )
    others = list(LabelRequest.objects.filter(project=project, state__in=(*states.RUNNING, *states.GIVEN)))
    if any(o.cluster_id == cluster.pk for o in others):
        raise Refused(
            T(
                "« {c} » est déjà saisi de ce projet, ou lui a donné son label.",
                "“{c}” is already asked about this project, or gave it its label.",
                c=cluster.name,
            )
        )
    first = next((o for o in others if o.lead), None)
    if lead and first is not None:
        raise Refused(
            T(
                "Le chef de file est déjà « {c} » : il n'y en a qu'un.",
                "The lead is “{c}” already: there is only one.",
                c=first.cluster.name,
            )
        )
    if not lead and first is None:
        parameter = policy().on(on).find("labelling.lead_named_first")
        if parameter is not None and parameter.value:
            raise Refused(
                T(
                    "Nommez d'abord le pôle chef de file : les colabels viennent ensuite.",
                    "First name the lead labelling cluster: co-labels come afterwards.",
                ),
                why=queries.Why(
                    rule=T("Le pôle chef de file est nommé en premier.", "The lead cluster is named first."),
                    parameter=parameter.path,
                    reference=parameter.reference,
                    url=parameter.url or "",
                    day=on,
                ),
            )
    named = list(keep_out)
    procedure = queries.procedure_on(cluster.slug, on)
    if named and not procedure.recusal.leader_may_ask:
        raise Refused(
            T(
                "La procédure de « {c} » ne prévoit pas qu'un porteur demande un déport.",
                "The procedure of “{c}” does not let a leader ask for a recusal.",
                c=cluster.name,
            )
        )
    if any(m.cluster_id != cluster.pk for m in named):
        raise Refused(
            T("Une personne nommée ne siège pas dans ce pôle.", "A person named does not sit in this cluster."),
            kind="input",
        )
    if named and not keep_out_why.strip():
        raise Refused(
            T(
                "Dites pourquoi ces personnes ne doivent pas voir le dossier.",
                "Say why these people must not see the file.",
            ),
            kind="input",
        )
    moment = clock.stamp(on, at)
    delays = queries.delays_on(cluster, on, procedure)
    request = LabelRequest(
        project=project,
        cluster=cluster,
        lead=lead,
        procedure=procedure.code,
        policy_day=on,
        delays=delays,
        criteria=queries.criteria_for(procedure, project.nature).code,
        project_rev=project.rev,
        keep_away=keep_away.strip(),
        message=message.strip(),
        asked_on=on,
        asked_at=moment,
        simulated=simulated or project.simulated,
    )
    _due(request, on)
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            T("Cette demande vient d'être faite.", "This request has just been made."), theirs="", yours=cluster.name
        ) from None
    for user in {m.user_id: m.user for m in named}.values():
        interests.ask_recusal(project.case, user, by=by, on=on, at=at, reason=keep_out_why, simulated=request.simulated)
    _act(request, "labelling.ask", by, on, at, lead=lead, cluster=cluster.name, due_on=request.due_on)
    messages.tell(
        request,
        queries.people_of_cluster(cluster, "labelling.manage", on),
        messages.ASKED,
        day=messages.said(request.due_on),
    )
    return request


@transaction.atomic
def change_lead(
    project: Project, cluster: Cluster, *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> LabelRequest:
    """Make a co-labelling pôle the lead, when the lead refused, was withdrawn or dismissed.

    Raises:
        Refused: the present lead still has the project or gave its label; the pôle is not asked.
    """
    access.may_ask(by, project)
    project = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    rows = list(
        LabelRequest.objects.select_for_update(of=("self",))
        .filter(project=project, state__in=(*states.RUNNING, *states.GIVEN))
        .select_related("cluster", "project")
        .order_by("pk")
    )
    first = next((r for r in rows if r.lead), None)
    if first is not None:
        raise Refused(
            T(
                "« {c} » est chef de file : retirez d'abord cette demande.",
                "“{c}” is the lead: first withdraw that request.",
                c=first.cluster.name,
            )
        )
    request = next((r for r in rows if r.cluster_id == cluster.pk), None)
    if request is None:
        raise Refused(
            T("« {c} » n'est pas saisi de ce projet.", "“{c}” is not asked about this project.", c=cluster.name)
        )
    request.lead = True
    request.save(update_fields=["lead"])
    if request.state in states.GIVEN and request.recorded is not None:
        request.recorded = _register(request, request.recorded.outcome, on, at, conditions=request.recorded.conditions)
        request.save(update_fields=["recorded"])
    _act(request, "labelling.lead", by, on, at, lead=True)
    return request


@transaction.atomic
def complete(request: LabelRequest, *, message: str, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """The leader completed the file that the pôle sent back."""
    request = _locked(request)
    access.may_ask(by, request.project)
    _move(request, "complete")
    request.message, request.project_rev = message.strip() or request.message, request.project.rev
    _due(request, on)
    request.save()
    _act(request, "labelling.complete", by, on, at, due_on=request.due_on)
    messages.tell(request, _unit(request, on), messages.COMPLETED)
    return request


@transaction.atomic
def resume(request: LabelRequest, *, message: str, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """Present a deferred project again: it goes through admissibility, opinions and vote anew."""
    request = _locked(request)
    access.may_ask(by, request.project)
    _move(request, "resume")
    request.message, request.project_rev = message.strip(), request.project.rev
    _due(request, on)
    request.save()
    request.opinions.filter(state="given").update(state="past")
    _act(request, "labelling.resume", by, on, at, due_on=request.due_on)
    messages.tell(request, _unit(request, on), messages.RESUMED)
    return request


@transaction.atomic
def withdraw(request: LabelRequest, *, reason: str, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """The leader withdraws the request; opinions asked for are cancelled, an open vote is closed."""
    request = _locked(request)
    access.may_ask(by, request.project)
    _move(request, "withdraw", reason)
    request.reasons, request.due_on = reason.strip(), None
    request.save()
    moment = clock.stamp(on, at)
    waiting = list(request.opinions.filter(state="asked").select_related("user"))
    request.opinions.filter(state="asked").update(state="cancelled", ended_on=on)
    request.ballots.filter(closed_at__isnull=True).update(closed_at=moment)
    _act(request, "labelling.withdraw", by, on, at, reason)
    messages.tell(request, [*_unit(request, on), *(o.user for o in waiting)], messages.WITHDRAWN)
    return request


@transaction.atomic
def lapse(request: LabelRequest, *, reason: str, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """Close an open request because the pôle's own label ends; the leader is told that another pôle may be asked.

    It is an effect of the decision on the pôle's label (:mod:`jalon.decisions.effects`), never an act of the pôle.

    Raises:
        NotAllowed: the role neither runs labelling nationally nor carries out a decision on a label. Refused: decided already.
    """
    by.require("labelling.manage")
    if not by.national:
        by.require("decision.decide")
    request = _locked(request)
    _move(request, "lapse", reason)
    request.reasons, request.due_on = reason.strip(), None
    request.save()
    waiting = list(request.opinions.filter(state="asked").select_related("user"))
    request.opinions.filter(state="asked").update(state="cancelled", ended_on=on)
    request.ballots.filter(closed_at__isnull=True).update(closed_at=clock.stamp(on, at))
    _act(request, "labelling.lapse", by, on, at, reason)
    told = [*queries.people_of_leader(request.project, on), *(o.user for o in waiting)]
    messages.tell(request, told, messages.LAPSED)
    return request


def _unit(request: LabelRequest, on: dt.date) -> list[User]:
    """The correspondent, else everybody of the unit."""
    if request.correspondent is not None and not is_user_recused(request.correspondent_id, request.project.case):
        return [request.correspondent]
    return list(queries.people_of_cluster(request.cluster, "labelling.manage", on))


def is_user_recused(user_id: int | None, case: str) -> bool:
    """Whether a user is recused from a case."""
    return stances(user_id, [case]).get(case) == "interest"


# -- the unit ---------------------------------------------------------------------------------------------------


@transaction.atomic
def receive(request: LabelRequest, *, correspondent: User, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """Acknowledge the request and name its correspondent in the pôle's team.

    Raises:
        Refused: the correspondent is not of the team, or is recused.
    """
    request = _locked(request)
    access.may_run(by, request, on, opened=False)
    _move(request, "receive")
    team = queries.people_of_cluster(request.cluster, "labelling.manage", on)
    if not team.filter(pk=correspondent.pk).exists() or is_user_recused(correspondent.pk, request.project.case):
        raise Refused(
            T(
                "Le correspondant se choisit dans l'équipe du pôle, parmi ceux qui peuvent voir le dossier.",
                "The correspondent is chosen in the cluster's team, among those who may see the file.",
            ),
            kind="input",
        )
    request.correspondent, request.received_on = correspondent, on
    _due(request, on)
    request.save()
    _act(request, "labelling.receive", by, on, at, due_on=request.due_on)
    messages.tell(
        request,
        queries.people_of_leader(request.project, on),
        messages.RECEIVED,
        day=messages.said(on),
        due=messages.said(request.due_on),
        who=correspondent.name,
    )
    return request


@transaction.atomic
def ask_more(request: LabelRequest, *, missing: str, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """Send the file back with what is missing; the clock of the admissibility stops meanwhile."""
    return _send_back(request, "ask_more", messages.MORE, missing, by, on, at)


@transaction.atomic
def dismiss(request: LabelRequest, *, reason: str, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """Declare the request inadmissible, with the reasons."""
    return _send_back(request, "dismiss", messages.DISMISSED, reason, by, on, at)


def _send_back(request, name, message, missing, by, on, at) -> LabelRequest:
    request = _locked(request)
    access.may_run(by, request, on)
    _move(request, name, missing)
    request.missing = missing.strip()
    _due(request, on)
    request.save()
    _act(request, "labelling.ask_more" if name == "ask_more" else "labelling.dismiss", by, on, at, missing)
    messages.tell(request, queries.people_of_leader(request.project, on), message, missing=request.missing)
    return request


@transaction.atomic
def admit(request: LabelRequest, *, criteria: str = "", by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """Declare the request admissible, under a set of criteria of the procedure (default: that of its nature)."""
    request = _locked(request)
    access.may_run(by, request, on)
    _move(request, "admit")
    if criteria:
        known = {c.code for c in queries.procedure_of(request).criteria}
        if criteria not in known:
            raise Refused(
                T("Grille de critères inconnue : « {c} ».", "Unknown set of criteria: “{c}”.", c=criteria), kind="input"
            )
        request.criteria = criteria
    request.missing = ""
    _due(request, on)
    request.save()
    _act(request, "labelling.admit", by, on, at, criteria=request.criteria, due_on=request.due_on)
    return request


# -- opinions ---------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(
    request: LabelRequest, user: User, *, by: Actor, on: dt.date, days: int | None = None, at: Any = None
) -> Opinion:
    """Ask an expert for an opinion, with a deadline. The file opens to them after their declaration.

    Raises:
        Refused: the step is over, the expert is recused, belongs to the consortium or is asked already, or the delay is
            outside the procedure's bounds.
    """
    request = _locked(request)
    access.may_run(by, request, on)
    if request.state != "opinions":
        raise Refused(
            T(
                "Les avis se demandent à l'étape des avis ; la demande est « {s} ».",
                "Opinions are asked for at the step of opinions; the request is “{s}”.",
                s=states.TITLES[request.state],
            )
        )
    procedure = queries.procedure_of(request)
    delay = request.delays["opinions"] if days is None else days
    wrong = rules.check_delays(procedure, {"opinions": delay})
    if wrong:
        raise Refused(wrong[0][0], why=wrong[0][1], kind="input")
    if not queries.experts_free_for(request, on).filter(pk=user.pk).exists():
        raise Refused(
            T(
                "Cette personne ne peut pas donner d'avis : elle n'est pas expert, est déportée, appartient à un "
                "partenaire, ou a déjà été sollicitée.",
                "This person cannot give an opinion: not an expert, recused, of a partner, or asked already.",
            )
        )
    last = request.opinions.order_by("-number").values_list("number", flat=True).first() or 0
    opinion = Opinion.objects.create(
        request=request,
        user=user,
        number=last + 1,
        asked_on=on,
        due_on=rules.due_day(on, delay),
        simulated=request.simulated,
    )
    request.due_on = max(filter(None, (request.due_on, opinion.due_on)))
    request.save(update_fields=["due_on"])
    _act(request, "labelling.invite", by, on, at, expert=opinion.number, due_on=opinion.due_on)
    messages.tell(request, [user], messages.INVITED, day=messages.said(opinion.due_on))
    return opinion


@transaction.atomic
def cancel_opinion(opinion: Opinion, *, by: Actor, on: dt.date, reason: str = "", at: Any = None) -> Opinion:
    """Take back the request for an opinion that is not given yet."""
    request = _locked(opinion.request)
    access.may_run(by, request, on)
    opinion = Opinion.objects.select_for_update(of=("self",)).select_related("user").get(pk=opinion.pk)
    if opinion.state != "asked":
        raise Refused(T("Cet avis n'est plus attendu.", "This opinion is no longer expected."))
    opinion.state, opinion.ended_on, opinion.reason = "cancelled", on, reason.strip()
    opinion.save()
    _act(request, "labelling.cancel_opinion", by, on, at, reason, expert=opinion.number)
    messages.tell(request, [opinion.user], messages.CANCELLED)
    return opinion


def _own_opinion(opinion: Opinion, by: Actor, *, opened: bool = True) -> Opinion:
    """The opinion, held, if it is the actor's and may still be written."""
    request = _locked(opinion.request)
    opinion = Opinion.objects.select_for_update(of=("self",)).get(pk=opinion.pk)
    opinion.request = request
    access.may_opine(by, opinion, opened=opened)
    if opinion.state != "asked":
        raise Refused(
            T(
                "Cet avis est « {s} » : il ne change plus.",
                "This opinion is “{s}”: it no longer changes.",
                s=states.OPINION_TITLES[opinion.state],
            )
        )
    if request.state != "opinions":
        raise Refused(
            T(
                "L'étape des avis est close : la demande est « {s} ».",
                "The step of opinions is over: the request is “{s}”.",
                s=states.TITLES[request.state],
            )
        )
    return opinion


@transaction.atomic
def save_opinion(
    opinion: Opinion,
    *,
    scores: Mapping[str, Any],
    text: str,
    recommendation: str,
    rev: int,
    by: Actor,
    on: dt.date,
    at: Any = None,
) -> Opinion:
    """Keep a draft of an opinion (autosave); nobody else reads it before it is given.

    Raises:
        Conflict: the draft was saved meanwhile from another window; both texts are in the refusal.
        Refused: a score is not a whole number of the scale; the rest is not saved either.
    """
    opinion = _own_opinion(opinion, by)
    if opinion.rev != rev:
        raise Conflict(
            T(
                "Cet avis a été enregistré depuis une autre fenêtre ; rien n'est perdu.",
                "This opinion was saved from another window; nothing is lost.",
            ),
            theirs=opinion.text,
            yours=text,
        )
    kept, wrong = rules.check_scores(queries.criteria_of(opinion.request), scores)
    if wrong:
        raise Refused(wrong[0], missing=wrong[1:], kind="input")
    if recommendation and recommendation not in states.RECOMMENDATIONS:
        raise Refused(T("Recommandation inconnue.", "Unknown recommendation."), kind="input")
    opinion.scores, opinion.text, opinion.recommendation = kept, text, recommendation
    opinion.rev, opinion.saved_at = opinion.rev + 1, clock.stamp(on, at)
    opinion.save()
    return opinion


@transaction.atomic
def attach(opinion: Opinion, data: bytes, name: str, *, by: Actor, on: dt.date, at: Any = None) -> Opinion:
    """Join a file to an opinion, without its author's properties and under a neutral name; it replaces the one before."""
    opinion = _own_opinion(opinion, by)
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    neutral = f"avis-expert-{opinion.number}.{ending}"
    opinion.file = files.store(
        cleaning.clean(data, name),
        neutral,
        case=opinion.request.case,
        by=_nameless(opinion.number),
        title=str(rules.expert_name(opinion.number)),
        at=clock.stamp(on, at),
        simulated=opinion.simulated,
    )
    opinion.save(update_fields=["file"])
    return opinion


@transaction.atomic
def give_opinion(opinion: Opinion, *, by: Actor, on: dt.date, at: Any = None) -> Opinion:
    """Give the opinion as it is saved; it does not change afterwards.

    Raises:
        Refused: with all that is missing.
    """
    opinion = _own_opinion(opinion, by)
    criteria = queries.criteria_of(opinion.request)
    gaps = rules.opinion_gaps(criteria, opinion.scores, opinion.text, opinion.recommendation)
    if gaps:
        raise Refused(T("L'avis n'est pas complet.", "The opinion is not complete."), missing=gaps)
    opinion.state, opinion.given_at, opinion.ended_on = "given", clock.stamp(on, at), on
    opinion.save()
    request = opinion.request
    who = _nameless(opinion.number)
    _act(request, "labelling.opinion", who, on, at, expert=opinion.number, late=rules.over(opinion.due_on, on))
    messages.tell(request, _unit(request, on), messages.GIVEN, who=rules.expert_name(opinion.number))
    return opinion


@transaction.atomic
def decline(opinion: Opinion, *, reason: str, by: Actor, on: dt.date, at: Any = None) -> Opinion:
    """Decline to give an opinion; nothing needs to be declared for that. The reason is read by the unit."""
    opinion = _own_opinion(opinion, by, opened=False)
    opinion.state, opinion.ended_on, opinion.reason = "declined", on, reason.strip()
    opinion.save()
    who = _nameless(opinion.number)
    _act(opinion.request, "labelling.decline", who, on, at, expert=opinion.number)
    messages.tell(opinion.request, _unit(opinion.request, on), messages.DECLINED, who=rules.expert_name(opinion.number))
    return opinion


# -- the committee ----------------------------------------------------------------------------------------------


@transaction.atomic
def open_vote(
    request: LabelRequest,
    *,
    way: str,
    by: Actor,
    on: dt.date,
    closes_on: dt.date | None = None,
    place: str = "",
    reason: str = "",
    at: Any = None,
) -> Ballot:
    """Open the committee's vote: in a meeting on a day, or electronic until a day (midnight, Paris time).

    A second vote is only opened where the first had no quorum.

    Raises:
        Refused: too few opinions without a reason to do without, no committee, a closing day in the past, a vote that
            stands already.
    """
    request = _locked(request)
    access.may_run(by, request, on)
    procedure = queries.procedure_of(request)
    recused = recused_users(request.project.case)
    before = queries.last_ballot(request)
    if request.state == "voted" and before is not None:
        before.request = request
        if queries.counted(before, procedure, recused).quorum:
            raise Refused(T("Le vote est acquis : le bureau décide.", "The vote stands: the bureau decides."))
    _move(request, "open_vote")
    if way not in procedure.vote.ways:
        raise Refused(
            T("La procédure ne prévoit pas ce vote.", "The procedure does not provide for this way of voting."),
            kind="input",
        )
    given = request.opinions.filter(state="given").exclude(user_id__in=recused).count()
    if given < procedure.experts.opinions and not reason.strip():
        raise Refused(
            T(
                "{n} avis rendus, {k} demandés par la procédure : attendez-les, ou dites pourquoi le comité s'en passe.",
                "{n} opinions given, {k} asked for by the procedure: wait for them, or say why the committee does without.",
                n=given,
                k=procedure.experts.opinions,
            ),
            why=queries.Why(
                rule=T("Le comité vote au vu des avis.", "The committee votes in the light of the opinions."),
                parameter=f"labelling.procedures.{procedure.code}.experts",
                reference=procedure.experts.reference,
                url=procedure.experts.url or "",
                reading=procedure.experts.reading,
            ),
        )
    seats = list(queries.members(request.cluster, on, "committee"))
    roll = [m.user_id for m in seats]
    if not [m for m in roll if m not in recused]:
        raise Refused(
            T(
                "Le comité n'a aucun membre qui puisse voter : composez-le dans les réglages.",
                "The committee has no member who may vote: name its members in the settings.",
            )
        )
    closes_on = closes_on or rules.due_day(on, request.delays["committee"])
    if closes_on < on:
        raise Refused(
            T("Le vote ne peut pas se clore avant d'être ouvert.", "The vote cannot close before it opens."),
            kind="input",
        )
    ballot = Ballot.objects.create(
        request=request,
        way=way,
        opened_on=on,
        closes_on=closes_on,
        place=place.strip()[:160],
        roll=roll,
        chair=next((m.user_id for m in seats if m.chair), None),
        simulated=request.simulated,
    )
    request.due_on = closes_on
    request.save()
    _act(request, "labelling.open_vote", by, on, at, reason, way=way, closes_on=closes_on)
    messages.tell(request, [m.user for m in seats], messages.VOTE, way=states.WAYS[way], day=messages.said(closes_on))
    return ballot


@transaction.atomic
def cast(ballot: Ballot, choice: str, *, by: Actor, on: dt.date, voter: User | None = None, at: Any = None) -> Vote:
    """Vote once. In a meeting, the unit may note the vote of a member who is present (``voter``).

    Raises:
        Refused: the vote is closed (after midnight of its day, Paris time), or the person voted already.
        NotAllowed: not a member of the roll, recused, or no declaration of interests made.
    """
    request = _locked(ballot.request)
    ballot = Ballot.objects.get(pk=ballot.pk)
    case = request.project.case
    if voter is None or voter.pk == by.user_id:
        access.may_vote(by, request, on)
        user_id, noted = by.user_id, ""
    else:
        access.may_run(by, request, on)
        if ballot.way != "meeting":
            raise NotAllowed(
                T("Un vote électronique est exprimé par son auteur.", "An electronic vote is cast by its author.")
            )
        user_id, noted = voter.pk, by.user_label
        stance = stances(user_id, [case]).get(case)
        if stance != "none":
            raise NotAllowed(
                T("{who} est déporté et ne vote pas.", "{who} is recused and does not vote.", who=voter.name)
                if stance == "interest"
                else T(
                    "{who} n'a pas déclaré ses intérêts : son vote attend sa déclaration.",
                    "{who} has not declared interests: the vote waits for the declaration.",
                    who=voter.name,
                )
            )
    if user_id not in ballot.roll:
        raise NotAllowed(
            T(
                "Vous n'étiez pas membre du comité à l'ouverture du vote.",
                "You were not a member of the committee when the vote opened.",
            )
        )
    if ballot.closed_at is not None or request.state != "vote" or rules.over(ballot.closes_on, on):
        raise Refused(
            T(
                "Le vote est clos depuis le {d}.",
                "The vote has been closed since {d}.",
                d=messages.said(ballot.closes_on),
            )
            if rules.over(ballot.closes_on, on)
            else T("Le vote est clos.", "The vote is closed.")
        )
    if ballot.way == "meeting" and on < ballot.closes_on:
        raise Refused(
            T(
                "Le vote a lieu en réunion, le {d}.",
                "The vote takes place in the meeting, on {d}.",
                d=messages.said(ballot.closes_on),
            )
        )
    if choice not in states.CHOICES:
        raise Refused(T("Choisissez pour, contre ou abstention.", "Choose for, against or abstain."), kind="input")
    try:
        with transaction.atomic():
            vote = Vote.objects.create(
                ballot=ballot, user_id=user_id, choice=choice, at=clock.stamp(on, at), written_by=noted[:200]
            )
    except IntegrityError:
        raise Refused(
            T("Cette personne a déjà voté ; un vote ne change pas.", "This person has voted; a vote does not change.")
        ) from None
    # What somebody voted is not in the journal: a secret vote would not be one.
    _act(request, "labelling.vote", by, on, at)
    return vote


@transaction.atomic
def close_vote(request: LabelRequest, *, by: Actor, on: dt.date, minutes: str = "", at: Any = None) -> LabelRequest:
    """Close the vote: on its last day or after, or as soon as everybody entitled has voted."""
    request = _locked(request)
    access.may_run(by, request, on)
    return _close(request, by, on, minutes, at)


def _close(request: LabelRequest, by: Any, on: dt.date, minutes: str, at: Any) -> LabelRequest:
    ballot = queries.last_ballot(request)
    _move(request, "close_vote")
    assert ballot is not None  # a request in this state has an open ballot
    ballot.request = request
    tally = queries.counted(ballot, queries.procedure_of(request))
    if on < ballot.closes_on and tally.cast < tally.entitled:
        raise Refused(
            T(
                "Le vote reste ouvert jusqu'au {d} : {n} membres sur {e} ont voté.",
                "The vote stays open until {d}: {n} members of {e} have voted.",
                d=messages.said(ballot.closes_on),
                n=tally.cast,
                e=tally.entitled,
            )
        )
    ballot.closed_at, ballot.minutes = clock.stamp(on, at), minutes.strip()
    ballot.save()
    _due(request, on)
    request.save()
    _act(request, "labelling.close_vote", by, on, at, result=tally.result, due_on=request.due_on)
    messages.tell(
        request,
        queries.people_of_cluster(request.cluster, "labelling.decide", on),
        messages.VOTED,
        day=messages.said(request.due_on),
    )
    return request


# -- the bureau -------------------------------------------------------------------------------------------------


@transaction.atomic
def decide(
    request: LabelRequest,
    outcome: str,
    *,
    by: Actor,
    on: dt.date,
    reasons: str = "",
    conditions: Sequence[tuple[str, dt.date | None]] = (),
    reference: str = "",
    despite_closing: bool = False,
    at: dt.datetime | None = None,
) -> LabelRequest:
    """Record the bureau's decision: labelled, conditions, refused or deferred; write it to the register of labels.

    A label decided after the call's closing is refused unless ``despite_closing`` says that it is known not to count for
    that call.

    Raises:
        Refused: with all that is missing; the vote without quorum, no reasons, no conditions, too late for the call.
    """
    request = _locked(request)
    access.may_decide(by, request, on)
    if outcome not in states.OUTCOMES:
        raise Refused(T("Décision inconnue : « {o} ».", "Unknown decision: “{o}”.", o=outcome), kind="input")
    if request.state in states.DECIDED and request.state != "deferred":
        raise Conflict(
            T(
                "La décision est déjà prise : {o}, le {d}.",
                "It is already decided: {o}, on {d}.",
                o=states.TITLES[request.state],
                d=messages.said(request.decided_on),
            ),
            theirs=request.state,
            yours=outcome,
        )
    was = request.state
    _move(request, f"decide_{outcome}", reasons or "…")
    procedure = queries.procedure_of(request)
    ballot = queries.last_ballot(request)
    counted = None
    if ballot is not None and was == "voted":
        ballot.request = request
        counted = queries.counted(ballot, procedure)
    wanted = [text for text, _ in conditions]
    gaps = rules.decision_gaps(procedure, outcome, counted, reasons=reasons, conditions=wanted)
    if gaps:
        raise Refused(
            T("La décision ne peut pas être enregistrée ainsi.", "The decision cannot be recorded so."),
            missing=gaps,
            why=counted.why if counted else None,
        )
    counts, why = queries.counts_for_call(request.project, on)
    if outcome in states.GIVEN and not counts and not despite_closing:
        raise Refused(
            T(
                "L'appel est clos depuis le {d} : un label donné maintenant n'y compte pas.",
                "The call closed on {d}: a label given now does not count for it.",
                d=messages.said(request.project.call.closes_on),
            ),
            missing=[
                T(
                    "Pour le donner tout de même, cochez « sans valeur pour cet appel ».",
                    "To give it all the same, tick “without value for this call”.",
                )
            ],
            why=why,
        )
    request.decided_on, request.decided_by = on, by.user_label[:200]
    request.reasons, request.reference = reasons.strip(), reference.strip()[:120]
    request.counted = counted.plain() if counted else None
    request.due_on = None
    request.conditions.all().delete()
    kept = [(text.strip(), due) for text, due in conditions if text.strip()] if outcome == "conditions" else []
    Condition.objects.bulk_create(Condition(request=request, text=text, due_on=due) for text, due in kept)
    request.recorded = _register(request, outcome, on, at, conditions="\n".join(text for text, _ in kept))
    request.save()
    request.opinions.filter(state="asked").update(state="cancelled", ended_on=on)
    _act(
        request,
        "labelling.decide",
        by,
        on,
        at,
        reasons,
        outcome=outcome,
        reference=request.reference,
        conditions=[text for text, _ in kept],
        counts_for_call=queries.counts_for_call(request.project, on, outcome)[0],
        vote=request.counted["result"] if request.counted else None,
    )
    messages.tell(
        request,
        queries.people_of_leader(request.project, on),
        messages.DECIDED,
        day=messages.said(on),
        outcome=states.OUTCOMES[outcome],
        reasons="\n".join([request.reasons, *(f"- {text}" for text, _ in kept)]).strip(),
    )
    return request


def _register(
    request: LabelRequest, outcome: str, on: dt.date, at: Any, conditions: str = "", decided_on: dt.date | None = None
) -> ProjectLabel:
    """Write the register's row: a new version, the one before is closed."""
    moment = clock.stamp(on, at)
    before = (
        as_known_on(ProjectLabel.objects.select_for_update(of=("self",)))
        .filter(project_id=request.project_id, cluster_id=request.cluster_id)
        .first()
    )
    if before is not None:
        before.superseded_at = moment
        before.save(update_fields=["superseded_at"])
    return ProjectLabel.objects.create(
        project_id=request.project_id,
        cluster_id=request.cluster_id,
        lead=request.lead,
        outcome=outcome,
        decided_on=decided_on or request.decided_on or on,
        conditions=conditions,
        reasons=request.reasons,
        reference=request.reference,
        recorded_at=moment,
        simulated=request.simulated,
    )


@transaction.atomic
def lift_condition(condition: Condition, *, evidence: str, by: Actor, on: dt.date, at: Any = None) -> LabelRequest:
    """Lift one condition with what shows that it is met; with the last one, the label is given without conditions."""
    request = _locked(condition.request)
    access.may_decide(by, request, on)
    workflow.check(states.MOVES, states.STATES, "lift", request.state)
    condition = Condition.objects.select_for_update(of=("self",)).get(pk=condition.pk)
    if condition.lifted_on is not None:
        raise Refused(T("Cette condition est déjà levée.", "This condition is already lifted."))
    if not evidence.strip():
        raise Refused(
            T("Dites ce qui montre que la condition est remplie.", "Say what shows that the condition is met."),
            kind="input",
        )
    condition.lifted_on, condition.lifted_by, condition.evidence = on, by.user_label[:200], evidence.strip()
    condition.save()
    left = list(request.conditions.filter(lifted_on__isnull=True))
    if not left:
        _move(request, "lift")
    outcome = "conditions" if left else "labelled"
    since = None if left else queries.counting_day(request, on)
    request.recorded = _register(request, outcome, on, at, "\n".join(c.text for c in left), since)
    request.save()
    _act(request, "labelling.lift_condition", by, on, at, evidence, condition=condition.text, remaining=len(left))
    messages.tell(
        request,
        queries.people_of_leader(request.project, on),
        messages.DECIDED,
        day=messages.said(on),
        outcome=states.OUTCOMES[outcome],
        reasons=condition.text,
    )
    return request


# -- settings of a pôle -----------------------------------------------------------------------------------------


@transaction.atomic
def seat(
    cluster: Cluster,
    user: User,
    body: str,
    *,
    by: Actor,
    on: dt.date,
    chair: bool = False,
    starts_on: dt.date | None = None,
    at: Any = None,
    simulated: bool = False,
) -> Member:
    """Name a member of the committee or the bureau; a new chair takes the place of the one before.

    Raises:
        Refused: the person sits there already, or has no role that votes.
    """
    access.may_set(by, cluster, on)
    if body not in states.BODIES:
        raise Refused(T("Instance inconnue.", "Unknown body."), kind="input")
    if body == "committee" and not queries.voters(on).filter(pk=user.pk).exists():
        raise Refused(
            T(
                "{who} n'a aucun rôle qui vote en comité : invitez cette personne comme expert d'abord.",
                "{who} has no role that votes in a committee: first invite this person as an expert.",
                who=user.name,
            )
        )
    if Member.objects.select_for_update().filter(cluster=cluster, user=user, body=body, ends_on__isnull=True).exists():
        raise Refused(T("{who} y siège déjà.", "{who} sits there already.", who=user.name))
    if chair:
        Member.objects.filter(cluster=cluster, body=body, chair=True, ends_on__isnull=True).update(chair=False)
    row = Member.objects.create(
        cluster=cluster, user=user, body=body, chair=chair, starts_on=starts_on or on, simulated=simulated
    )
    journal.record(
        f"cluster:{cluster.slug}",
        "labelling.seat",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        after={"body": body, "who": user.name, "chair": chair, "starts_on": row.starts_on},
    )
    return row


@transaction.atomic
def unseat(member: Member, *, by: Actor, on: dt.date, at: Any = None) -> Member:
    """End a seat: the day before, or at its first day if it began today."""
    access.may_set(by, member.cluster, on)
    member = Member.objects.select_for_update(of=("self",)).select_related("user", "cluster").get(pk=member.pk)
    if member.ends_on is not None:
        raise Refused(T("Ce siège est déjà clos.", "This seat has already ended."))
    member.ends_on = max(member.starts_on, on - dt.timedelta(days=1))
    member.save(update_fields=["ends_on"])
    journal.record(
        f"cluster:{member.cluster.slug}",
        "labelling.seat",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        before={"body": member.body, "who": member.user.name},
        after={"ends_on": member.ends_on},
    )
    return member


@transaction.atomic
def set_delays(
    cluster: Cluster, delays: Mapping[str, int], *, by: Actor, on: dt.date, reason: str = "", at: Any = None
) -> Terms:
    """Choose the pôle's delays from a day on, within its procedure's bounds; requests under way keep theirs.

    Raises:
        Refused: with every delay that is out of bounds.
    """
    access.may_set(by, cluster, on)
    wrong = rules.check_delays(queries.procedure_on(cluster.slug, on), delays)
    if wrong:
        raise Refused(wrong[0][0], missing=[text for text, _ in wrong[1:]], why=wrong[0][1], kind="input")
    moment = clock.stamp(on, at)
    before = queries.delays_on(cluster, on)
    Terms.objects.select_for_update().filter(cluster=cluster, starts_on=on, superseded_at__isnull=True).update(
        superseded_at=moment
    )
    row = Terms.objects.create(
        cluster=cluster, starts_on=on, delays=dict(delays), reason=reason.strip()[:300], recorded_at=moment
    )
    journal.record(
        f"cluster:{cluster.slug}",
        "labelling.terms",
        by=by,
        on=on,
        at=moment,
        why=reason,
        before={"delays": before},
        after={"delays": dict(delays)},
    )
    return row


# -- the night --------------------------------------------------------------------------------------------------


def close_overdue(*, on: dt.date, by: Any = journal.SYSTEM) -> int:
    """Close the votes whose last day is over; how many."""
    closed = 0
    for ballot in Ballot.objects.filter(closed_at__isnull=True, closes_on__lt=on).order_by("id"):
        with transaction.atomic():
            request = _locked(LabelRequest(pk=ballot.request_id))
            if request.state != "vote":
                continue
            _close(request, by, on, "", None)
            closed += 1
    return closed


def remind(*, on: dt.date) -> int:
    """Remind experts of opinions that are due, as the policy says; each reminder is sent once. How many were sent."""
    if not queries.used():
        return 0
    parameter = policy().on(on).find("labelling.opinion_reminders_before")
    before = parameter.value if parameter else ()
    sent = 0
    rows = Opinion.objects.filter(state="asked", request__state="opinions").select_related(
        "request__project", "request__cluster", "user"
    )
    for row in rows.order_by("id"):
        which = rules.reminder_due(row.due_on, before, row.reminded, on)
        if which is None:
            continue
        with transaction.atomic():
            opinion = Opinion.objects.select_for_update(of=("self",)).get(pk=row.pk)
            if which in opinion.reminded or opinion.state != "asked":
                continue
            opinion.reminded = [*opinion.reminded, which]
            opinion.save(update_fields=["reminded"])
            message = messages.OVERDUE if which == 0 and rules.over(row.due_on, on) else messages.REMINDED
            sent += messages.tell(row.request, [row.user], message, day=messages.said(row.due_on))
    return sent
