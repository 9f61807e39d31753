"""Acts on evaluation campaigns: open, entrust, start, score, agree, record a group, make final, publish.

Every act takes ``by=`` an actor and ``on=`` a day; ``at=`` is the moment of the records (the clock's now without it). The acts of
the contradictory procedure stand in :mod:`jalon.evaluations.hearing_actions`, those of reviews of contracts in
:mod:`jalon.evaluations.review_actions`, questionnaires in :mod:`jalon.evaluations.survey_actions`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from jalon.clusters.models import Cluster, ClusterGroup
from jalon.core import journal, workflow
from jalon.core.canonical import FORM, canonical, sha256
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.models import FrozenText
from jalon.evaluations import access, classify, explain, messages, packs, queries, rules, shared, states
from jalon.evaluations.access import case_of, case_of_campaign
from jalon.evaluations.models import (
    Agreed,
    Assignment,
    Campaign,
    Evaluation,
    Finding,
    Hearing,
    Interview,
    Note,
    Sheet,
)
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation

# -- open and entrust -------------------------------------------------------------------------


@transaction.atomic
def open_campaign(
    code: str,
    title: Any,
    kind: str,
    clusters: Iterable[Cluster],
    grid: str,
    *,
    by: Actor,
    on: dt.date,
    evaluation: str = "",
    phase: str = "",
    ends_on: dt.date | None = None,
    policy_day: dt.date | None = None,
    young: Iterable[str] = (),
    known: Mapping[str, Any] | None = None,
    sources: Sequence[str] = (),
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Campaign:
    """Open a campaign on some clusters: one planned evaluation each.

    Args:
        code: its slug, unique.
        title: a pair of texts, a ``(fr, en)`` tuple, or one text.
        kind: national, again (a re-examination), order (the actor's own organisation orders it).
        grid: code of a grid of the policy; empty for a campaign of which only results are known.
        evaluation: the name under which its groups are published (``2008``); the grid's own without it.
        policy_day: the day whose rules govern it; ``on`` without it.
        young: slugs of clusters labelled too recently to be judged like the others.

    Raises:
        NotAllowed: the role does not open campaigns of that kind.
        Refused: unknown kind, grid or phase, no cluster, code taken, an end before the start, or a rule of the grid whose parameter
            is not in force on the day that governs it.
    """
    if kind not in states.KINDS:
        raise Refused(
            T("« {k} » n'est pas un genre de campagne.", "“{k}” is no kind of campaign.", k=kind), kind="input"
        )
    access.may_open(by, kind)
    laws = policy()
    found = next((g for g in laws.grids if g.code == grid), None)
    if grid and found is None:
        raise Refused(
            T(
                "La grille « {g} » n'est pas dans la politique ; grilles connues : {k}.",
                "The grid “{g}” is not in the policy; known grids: {k}.",
                g=grid,
                k=", ".join(g.code for g in laws.grids) or "–",
            ),
            kind="input",
        )
    governs = policy_day or on
    if found is not None:
        lacking = [p for p, value in classify.thresholds_of(found, laws.on(governs)).items() if value is None]
        if lacking:
            raise Refused(
                T(
                    "La règle de la grille « {g} » lit {p}, sans valeur au {d} : donner le jour dont les règles valent.",
                    "The rule of grid “{g}” reads {p}, which has no value on {d}: give the day whose rules hold.",
                    g=grid,
                    p=", ".join(lacking),
                    d=governs,
                ),
                kind="input",
            )
    if phase and phase not in {p.code for p in laws.phases}:
        raise Refused(T("La phase « {p} » n'existe pas.", "There is no phase “{p}”.", p=phase), kind="input")
    if ends_on is not None and ends_on < on:
        raise Refused(
            T(
                "La fin ({e}) précède l'ouverture ({o}).",
                "The end ({e}) comes before the opening ({o}).",
                e=ends_on,
                o=on,
            ),
            kind="input",
        )
    clusters = list({c.pk: c for c in clusters}.values())
    if not clusters:
        raise Refused(T("Une campagne porte sur au moins un pôle.", "A campaign is about at least one cluster."), kind="input")  # fmt: skip
    fr, en = shared.pair(title)
    moment = shared.moment(on, at)
    try:
        with transaction.atomic():
            campaign = Campaign.objects.create(
                programme=laws.slug,
                code=code,
                title_fr=shared.clean(fr, T("le titre", "the title"))[:255],
                title_en=(en or fr)[:255],
                kind=kind,
                evaluation=evaluation or (found.campaign if found else code),
                grid=grid,
                phase=phase,
                ordered_by_id=by.organisation_id if kind == "order" else None,
                policy_day=governs,
                opened_on=on,
                ends_on=ends_on,
                created_at=moment,
                known=dict(known or {}),
                sources=list(sources),
                simulated=simulated,
            )
    except IntegrityError:
        raise Refused(
            T("Le code « {c} » est déjà pris.", "The code “{c}” is already taken.", c=code), kind="input"
        ) from None
    young = set(young)
    Evaluation.objects.bulk_create(
        Evaluation(campaign=campaign, cluster=c, young=c.slug in young, simulated=simulated)
        for c in sorted(clusters, key=lambda c: c.slug)
    )
    journal.record(
        case_of_campaign(campaign),
        "campaign.open",
        by=by,
        on=on,
        at=moment,
        after={
            "kind": kind, "grid": grid, "evaluation": campaign.evaluation, "phase": phase, "policy_day": governs,
            "clusters": sorted(c.slug for c in clusters), "simulated": simulated,
        },
    )  # fmt: skip
    return campaign


@transaction.atomic
def entrust(
    campaign: Campaign,
    *,
    organisation: Organisation,
    by: Actor,
    on: dt.date,
    clusters: Iterable[Cluster] | None = None,
    criteria: Sequence[str] = (),
    reference: str = "",
    statement: str = "",
    sources: Sequence[str] = (),
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Assignment:
    """Entrust clusters to an evaluator: all of the campaign without ``clusters``; all criteria without ``criteria``.

    Several evaluators may have the same cluster: each scores on its own. ``statement``: what the firm stated about its interests,
    when it was received with the mandate; else the firm states it itself (:func:`state_interests`) before anything opens.

    Raises:
        Refused: the campaign is over, a cluster is not in it, or a criterion is not of its grid.
    """
    campaign = shared.lock_campaign(campaign)
    access.may_manage(by, campaign)
    _running(campaign)
    grid = queries.grid_of(campaign)
    known = [c.code for c in grid.criteria] if grid else []
    wrong = [c for c in criteria if c not in known]
    if wrong:
        raise Refused(
            T(
                "Critère inconnu de la grille : {w} ; elle a {k}.",
                "Criterion unknown to the grid: {w}; it has {k}.",
                w=", ".join(wrong),
                k=", ".join(known) or "–",
            ),
            kind="input",
        )
    inside = {e.cluster_id for e in campaign.evaluations.all()}
    chosen = None if clusters is None else list(clusters)
    outside = [c.name for c in chosen or () if c.pk not in inside]
    if outside:
        raise Refused(
            T("Ces pôles ne sont pas dans la campagne : {o}.", "These clusters are not in the campaign: {o}.", o=", ".join(outside)),
            kind="input",
        )  # fmt: skip
    statement = statement.strip()
    made = Assignment.objects.create(
        campaign=campaign,
        evaluator=organisation,
        every_cluster=chosen is None,
        criteria=list(criteria),
        reference=reference.strip()[:200],
        entrusted_on=on,
        statement=statement,
        stated_on=on if statement else None,
        stated_by=by.user_label[:200] if statement else "",
        sources=list(sources),
        simulated=simulated,
    )
    if chosen is not None:
        made.clusters.set(chosen)
    journal.record(
        case_of_campaign(campaign),
        "campaign.entrust",
        by=by,
        on=on,
        at=shared.moment(on, at),
        after={
            "evaluator": organisation.name,
            "clusters": "all" if chosen is None else sorted(c.slug for c in chosen),
            "criteria": list(criteria),
            "reference": made.reference,
            "stated": bool(statement),
        },
    )
    shared.tell(
        shared.people_of(organisation.pk, "evaluation.score", on),
        messages.entrusted(campaign, len(inside) if chosen is None else len(chosen)),
        case_of_campaign(campaign),
    )
    return made


@transaction.atomic
def state_interests(
    assignment: Assignment, *, by: Actor, on: dt.date, statement: str, at: dt.datetime | None = None
) -> Assignment:
    """The firm says which interests it has (or that it has none), before anything opens to it.

    Raises:
        NotAllowed: the actor does not act for that firm.
        Refused: the statement is empty.
    """
    by.require("evaluation.score")
    assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
    if assignment.evaluator_id != by.organisation_id:
        by.require("evaluation.manage")
    statement = shared.clean(statement, T("la déclaration d'intérêts", "the statement of interests"))
    assignment.statement, assignment.stated_on, assignment.stated_by = statement, on, by.user_label[:200]
    assignment.save(update_fields=["statement", "stated_on", "stated_by"])
    campaign = Campaign.objects.get(pk=assignment.campaign_id)
    journal.record(
        case_of_campaign(campaign),
        "campaign.state_interests",
        by=by,
        on=on,
        at=shared.moment(on, at),
        after={"evaluator": assignment.evaluator.name, "stated_on": on},
    )
    return assignment


@transaction.atomic
def end_mandate(
    assignment: Assignment, *, by: Actor, on: dt.date, reason: str, at: dt.datetime | None = None
) -> Assignment:
    """End an evaluator's mandate; what it handed in stays, its open sheets close to it.

    Raises:
        Refused: no reason.
    """
    assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
    campaign = shared.lock_campaign(assignment.campaign)
    access.may_manage(by, campaign)
    reason = shared.clean(reason, T("le motif", "the reason"))
    assignment.ended_on = on
    assignment.save(update_fields=["ended_on"])
    journal.record(
        case_of_campaign(campaign),
        "campaign.end_mandate",
        by=by,
        on=on,
        at=shared.moment(on, at),
        why=reason,
        after={"evaluator": assignment.evaluator.name, "ended_on": on},
    )
    return assignment


@transaction.atomic
def abandon_campaign(campaign: Campaign, *, by: Actor, on: dt.date, reason: str, at: dt.datetime | None = None) -> Campaign:  # fmt: skip
    """Give a campaign up; nothing of it is published.

    Raises:
        Refused: it is published already, or no reason is given.
    """
    campaign = shared.lock_campaign(campaign)
    access.may_manage(by, campaign)
    move = workflow.check(states.CAMPAIGN_MOVES, states.CAMPAIGN_STATES, "abandon", campaign.state, reason)
    before, campaign.state = campaign.state, move.target
    campaign.save(update_fields=["state"])
    journal.record(
        case_of_campaign(campaign), "campaign.abandon", by=by, on=on, at=shared.moment(on, at), why=reason,
        before={"state": before}, after={"state": campaign.state},
    )  # fmt: skip
    return campaign


def _running(campaign: Campaign) -> None:
    if campaign.state in ("published", "abandoned"):
        raise Refused(
            T(
                "La campagne est « {s} » : rien n'y change plus.",
                "The campaign is “{s}”: nothing changes in it any more.",
                s=states.CAMPAIGN_TITLES[campaign.state],
            )
        )


# -- start ------------------------------------------------------------------------------------


def start_evaluation(evaluation: Evaluation, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Evaluation:
    """Start one evaluation: its evidence pack is frozen as known on the day, its evaluators may score. See :func:`start_many`."""
    return start_many(evaluation.campaign, [evaluation], by=by, on=on, at=at)[0]


@transaction.atomic
def start_many(
    campaign: Campaign,
    evaluations: Iterable[Evaluation] | None = None,
    *,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> list[Evaluation]:
    """Start evaluations (all planned ones without a list); the evidence of all of them is read with one set of queries.

    Raises:
        Refused: nothing is planned, a cluster is entrusted to nobody, or a firm concerned has not stated its interests.
    """
    campaign = shared.lock_campaign(campaign)
    access.may_manage(by, campaign)
    _running(campaign)
    rows = Evaluation.objects.select_for_update(of=("self",)).filter(campaign=campaign).select_related("cluster")
    rows = rows.filter(state="planned") if evaluations is None else rows.filter(pk__in=[e.pk for e in evaluations])
    chosen = list(rows.order_by("id"))
    if not chosen:
        raise Refused(T("Aucune évaluation n'est prévue.", "No evaluation is planned."))
    for one in chosen:
        workflow.check(states.MOVES, states.STATES, "start", one.state)
    mandates = list(campaign.assignments.filter(ended_on__isnull=True).select_related("evaluator").prefetch_related("clusters"))  # fmt: skip
    lacking: list[Any] = []
    sheets: list[Sheet] = []
    for one in chosen:
        own = [m for m in mandates if m.every_cluster or any(c.pk == one.cluster_id for c in m.clusters.all())]
        if not own:
            lacking.append(T("{c} : confié à aucun évaluateur", "{c}: entrusted to no evaluator", c=one.cluster.name))
        for m in own:
            if not m.stated_on:
                lacking.append(T("{e} : déclaration d'intérêts attendue", "{e}: statement of interests awaited", e=m.evaluator.name))  # fmt: skip
            if not any(s.evaluation_id == one.pk and s.evaluator_id == m.evaluator_id for s in sheets):
                sheets.append(Sheet(evaluation=one, evaluator=m.evaluator, simulated=one.simulated))
    if lacking:
        raise Refused(
            T(
                "Rien ne s'ouvre avant le mandat et la déclaration d'intérêts de chaque évaluateur.",
                "Nothing opens before each evaluator has its mandate and has stated its interests.",
            ),
            missing=list({str(m): m for m in lacking}.values())[:20],
        )
    moment = shared.moment(on, at)
    contents = packs.packs([one.cluster for one in chosen], on)
    texts = []
    for one in chosen:
        # As journal.freeze writes it: the proof reads case, kind and form in the text itself.
        written = canonical(
            {"form": FORM, "case": case_of(one), "kind": "evaluation.pack", "content": contents[one.cluster_id]}
        )
        texts.append(
            FrozenText(
                case=case_of(one), kind="evaluation.pack", form=FORM, canonical=written, sha256=sha256(written),
                frozen_at=moment,
            )
        )  # fmt: skip
    FrozenText.objects.bulk_create(texts, batch_size=100)
    for one, frozen in zip(chosen, texts, strict=True):
        one.state, one.started_on, one.pack, one.campaign = "scoring", on, frozen, campaign
    Evaluation.objects.bulk_update(chosen, ["state", "started_on", "pack"], batch_size=200)
    Sheet.objects.bulk_create(sheets, batch_size=500, ignore_conflicts=True)
    journal.record_many(
        {
            "case": case_of(one), "act": "evaluation.start", "by": by, "on": on, "at": moment,
            "before": {"state": "planned"},
            "after": {"state": "scoring", "campaign": campaign.code, "cluster": one.cluster.slug, "sha256": one.pack.sha256},
        }
        for one in chosen
    )  # fmt: skip
    return chosen


# -- score ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """What a save did: the revision stored now, when, whether anything changed."""

    rev: int
    at: dt.datetime | None
    changed: bool


@transaction.atomic
def save_note(
    evaluation: Evaluation,
    question: str,
    *,
    mark: str,
    justification: str,
    rev: int | None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Saved:
    """Save a mark and its justification on the own sheet, started from revision ``rev``. A half-written note may be saved.

    Raises:
        NotAllowed: the cluster is not entrusted, the interests are not declared, or the criterion is another evaluator's.
        Refused: notes are handed in or closed, unknown question or mark.
        Conflict: a colleague saved it meanwhile.
    """
    evaluation = shared.lock_evaluation(evaluation)
    place = access.may_score(by, evaluation, on)
    sheet = _own_sheet(evaluation, by)
    grid = _grid(evaluation.campaign)
    _entrusted_question(grid, question, place.assignments)
    if mark and mark not in {m.code for m in grid.scale.marks}:
        raise Refused(
            T(
                "« {m} » n'est pas un cran de l'échelle : {k}.",
                "“{m}” is no step of the scale: {k}.",
                m=mark,
                k=", ".join(m.code for m in grid.scale.marks),
            ),
            kind="input",
        )
    justification = shared.clean(justification, T("la justification", "the justification"), needed=False)
    moment = shared.moment(on, at)
    row = Note.objects.filter(sheet=sheet, question=question).first()
    if row is None:
        row = Note(sheet=sheet, question=question, updated_at=moment)
    if row.pk and (row.mark, row.justification) == (mark, justification):
        return Saved(row.rev, row.updated_at, False)
    shared.seen_rev(row.rev, rev, theirs=row.justification, yours=justification)
    row.mark, row.justification, row.rev = mark, justification, row.rev + 1
    row.updated_at, row.updated_by = moment, by.user_label[:200]
    row.save()
    return Saved(row.rev, moment, True)


def _grid(campaign: Campaign) -> Any:
    grid = queries.grid_of(campaign)
    if grid is None:
        raise Refused(T("Cette campagne n'a pas de grille : elle ne se note pas.", "This campaign has no grid: it is not scored."))  # fmt: skip
    return grid


def _entrusted_question(grid: Any, question: str, mandates: Iterable[Assignment]) -> None:
    try:
        criterion, _ = grid.question(question)
    except KeyError:
        raise Refused(T("La question « {q} » n'est pas dans la grille.", "The question “{q}” is not in the grid.", q=question), kind="input") from None  # fmt: skip
    if not any(not m.criteria or criterion.code in m.criteria for m in mandates):
        raise NotAllowed(
            T(
                "Le critère « {c} » n'est pas confié à votre cabinet.",
                "The criterion “{c}” is not entrusted to your firm.",
                c=criterion.title,
            )
        )


def questions_for(grid: Any, mandates: Iterable[Assignment]) -> list[str]:
    """The sub-questions that these mandates ask to score."""
    mandates = list(mandates)
    if any(not m.criteria for m in mandates):
        return classify.names(grid)
    asked = {c for m in mandates for c in m.criteria}
    return [n for n in classify.names(grid) if n.split("/")[0] in asked]


def _own_sheet(evaluation: Evaluation, by: Actor) -> Sheet:
    if evaluation.state != "scoring":
        raise Refused(
            T(
                "Les notes se posent pendant la notation ; l'évaluation est « {s} ».",
                "Notes are written while scoring; the evaluation is “{s}”.",
                s=states.TITLES[evaluation.state],
            )
        )
    sheet, _ = Sheet.objects.select_for_update().get_or_create(
        evaluation=evaluation, evaluator_id=by.organisation_id, defaults={"simulated": evaluation.simulated}
    )
    if sheet.state != "draft":
        raise Refused(
            T(
                "Vos notes sont remises : elles ne changent plus, sauf réouverture par qui conduit la campagne.",
                "Your notes are handed in: they no longer change, unless whoever runs the campaign reopens them.",
            )
        )
    return sheet


@transaction.atomic
def hand_in(evaluation: Evaluation, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Sheet:
    """Hand in the own notes: every sub-question entrusted has its mark and its justification.

    Raises:
        Refused: with each question that lacks a mark or a justification.
    """
    evaluation = shared.lock_evaluation(evaluation)
    place = access.may_score(by, evaluation, on)
    sheet = _own_sheet(evaluation, by)
    grid = _grid(evaluation.campaign)
    notes = {n.question: n for n in sheet.notes.all()}
    lacking = []
    for name in questions_for(grid, place.assignments):
        _, question = grid.question(name)
        note = notes.get(name)
        if note is None or not note.mark:
            lacking.append(T("« {q} » : pas de note", "“{q}”: no mark", q=question.title))
        elif not note.justification.strip():
            lacking.append(
                T("« {q} » : note sans justification", "“{q}”: mark without justification", q=question.title)
            )
    if lacking:
        raise Refused(
            T(
                "Une note ne vaut qu'avec sa justification : rien n'a été remis.",
                "A mark only counts with its justification: nothing was handed in.",
            ),
            missing=lacking,
        )
    sheet.state, sheet.handed_in_on, sheet.handed_in_by = "handed_in", on, by.user_label[:200]
    sheet.save(update_fields=["state", "handed_in_on", "handed_in_by"])
    content = {n.question: {"mark": n.mark, "justification": n.justification} for n in notes.values()}
    moment = shared.moment(on, at)
    # The journal of the evaluation is read by others: it keeps the seal of the notes, which are frozen apart.
    frozen = journal.freeze(f"sheet:{sheet.pk}", "evaluation.notes", content, at=moment)
    told = {"evaluator": by.organisation_label, "notes": len(content)}
    journal.record(
        f"sheet:{sheet.pk}", "sheet.hand_in", by=by, on=on, at=moment, after={**told, "sha256": frozen.sha256}
    )
    journal.record(
        case_of(evaluation), "sheet.hand_in", by=by, on=on, at=moment, after={**told, "sheet": f"sheet:{sheet.pk}"}
    )
    return sheet


@transaction.atomic
def reopen_sheet(sheet: Sheet, *, by: Actor, on: dt.date, reason: str, at: dt.datetime | None = None) -> Sheet:
    """Give notes back to their evaluator, before the consensus opens.

    Raises:
        Refused: the consensus is open, or no reason is given.
    """
    evaluation = shared.lock_evaluation(sheet.evaluation)
    access.may_manage(by, evaluation.campaign)
    sheet = Sheet.objects.select_for_update().select_related("evaluator").get(pk=sheet.pk)
    reason = shared.clean(reason, T("le motif", "the reason"))
    if evaluation.state != "scoring" or sheet.state != "handed_in":
        raise Refused(T("Seules des notes remises, avant le consensus, se rouvrent.", "Only notes handed in, before the consensus, can be reopened."))  # fmt: skip
    sheet.state, sheet.handed_in_on = "draft", None
    sheet.save(update_fields=["state", "handed_in_on"])
    journal.record(
        case_of(evaluation), "sheet.reopen", by=by, on=on, at=shared.moment(on, at), why=reason,
        after={"evaluator": sheet.evaluator.name},
    )  # fmt: skip
    return sheet


# -- consensus and calibration ----------------------------------------------------------------


@transaction.atomic
def open_consensus(
    evaluation: Evaluation, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None
) -> Evaluation:
    """Let the evaluators of a cluster read each other's notes and agree. Where they all gave the same mark, it is agreed.

    Raises:
        Refused: notes are still awaited (a ``reason`` opens it without them), or it is not being scored.
    """
    evaluation = shared.lock_evaluation(evaluation)
    access.may_manage(by, evaluation.campaign)
    _consensus(evaluation, by=by, on=on, reason=reason, moment=shared.moment(on, at))
    return evaluation


def _consensus(evaluation: Evaluation, *, by: Actor, on: dt.date, reason: str, moment: dt.datetime) -> None:
    workflow.check(states.MOVES, states.STATES, "consensus", evaluation.state)
    sheets = queries.sheets_of(evaluation)
    awaited = [s.evaluator.name for s in sheets if s.state != "handed_in"]
    if awaited and not reason.strip():
        raise Refused(
            T(
                "Le consensus s'ouvre quand toutes les notes sont remises, ou avec un motif.",
                "The consensus opens once all notes are handed in, or with a reason.",
            ),
            missing=[T("{e} : notes attendues", "{e}: notes awaited", e=name) for name in awaited],
        )
    evaluation.state, evaluation.consensus_on = "consensus", on
    evaluation.save(update_fields=["state", "consensus_on"])
    by_question: dict[str, list[Note]] = {}
    for sheet in sheets:
        if sheet.state == "handed_in":
            for note in sheet.notes.all():
                by_question.setdefault(note.question, []).append(note)
    rows = []
    for question, notes in by_question.items():
        if len({n.mark for n in notes}) == 1:
            told = "\n\n".join(dict.fromkeys(n.justification for n in notes))
            rows.append(
                Agreed(
                    evaluation=evaluation, question=question, mark=notes[0].mark, justification=told,
                    user_label=str(T("identiques sur toutes les fiches", "the same on every sheet"))[:200],
                    recorded_at=moment, simulated=evaluation.simulated,
                )
            )  # fmt: skip
    Agreed.objects.bulk_create(rows)
    journal.record(
        case_of(evaluation), "evaluation.consensus", by=by, on=on, at=moment, why=reason.strip(),
        before={"state": "scoring"}, after={"state": "consensus", "agreed": len(rows), "awaited": awaited},
    )  # fmt: skip


@transaction.atomic
def open_calibration(campaign: Campaign, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None) -> Campaign:  # fmt: skip
    """Open the calibration of a campaign: the consensus of every evaluation whose notes are all in, and the table of divergences.

    Raises:
        Refused: notes are awaited somewhere and no reason is given; the list says where.
    """
    campaign = shared.lock_campaign(campaign)
    access.may_manage(by, campaign)
    move = workflow.check(states.CAMPAIGN_MOVES, states.CAMPAIGN_STATES, "calibrate", campaign.state)
    scoring = list(
        Evaluation.objects.select_for_update(of=("self",))
        .filter(campaign=campaign, state="scoring")
        .select_related("cluster", "campaign")
        .order_by("id")
    )
    waiting = Sheet.objects.filter(evaluation__in=scoring).exclude(state="handed_in").select_related("evaluator", "evaluation__cluster")  # fmt: skip
    awaited = {s.evaluation_id for s in waiting}
    if awaited and not reason.strip():
        raise Refused(
            T(
                "Le calage s'ouvre quand toutes les notes sont remises, ou avec un motif (il s'ouvre alors pour les autres).",
                "The calibration opens once all notes are in, or with a reason (it then opens for the others).",
            ),
            missing=[T("{c} : {e}", "{c}: {e}", c=s.evaluation.cluster.name, e=s.evaluator.name) for s in waiting[:20]],
        )
    moment = shared.moment(on, at)
    for one in scoring:
        if one.pk not in awaited:
            _consensus(one, by=by, on=on, reason="", moment=moment)
    campaign.state, campaign.calibration_on = move.target, on
    campaign.save(update_fields=["state", "calibration_on"])
    journal.record(
        case_of_campaign(campaign), "campaign.calibrate", by=by, on=on, at=moment, why=reason.strip(),
        before={"state": "open"}, after={"state": campaign.state, "opened": len(scoring) - len(awaited)},
    )  # fmt: skip
    users = {u.pk: u for a in campaign.assignments.filter(ended_on__isnull=True) for u in shared.people_of(a.evaluator_id, "evaluation.score", on)}  # fmt: skip
    shared.tell(users.values(), messages.calibration(campaign), case_of_campaign(campaign))
    return campaign


@transaction.atomic
def agree(
    evaluation: Evaluation,
    question: str,
    *,
    mark: str,
    justification: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Agreed:
    """Settle the agreed mark of a sub-question, with its justification; the mark before stays in the history.

    While the consensus is open: an evaluator of the cluster, or whoever runs the campaign. During the hearing (a position may
    change a mark): whoever runs the campaign.

    Raises:
        Refused: no justification, unknown question or mark, or the evaluation is in another state.
    """
    evaluation = shared.lock_evaluation(evaluation)
    if evaluation.state == "consensus" and not access.manages(by, evaluation.campaign):
        place = access.may_score(by, evaluation, on)
        _entrusted_question(_grid(evaluation.campaign), question, place.assignments)
    else:
        access.may_manage(by, evaluation.campaign)
    if evaluation.state not in ("consensus", "hearing"):
        raise Refused(
            T(
                "Une note se convient pendant le consensus ou le contradictoire ; l'évaluation est « {s} ».",
                "A mark is agreed during the consensus or the hearing; the evaluation is “{s}”.",
                s=states.TITLES[evaluation.state],
            )
        )
    grid = _grid(evaluation.campaign)
    try:
        grid.question(question)
        grid.scale.mark(mark)
    except KeyError:
        raise Refused(T("Question ou cran inconnus de la grille.", "Question or step unknown to the grid."), kind="input") from None  # fmt: skip
    justification = shared.clean(justification, T("la justification", "the justification"))
    moment = shared.moment(on, at)
    before = Agreed.objects.select_for_update().filter(evaluation=evaluation, question=question, superseded_at__isnull=True).first()  # fmt: skip
    if before is not None:
        if (before.mark, before.justification) == (mark, justification):
            return before
        before.superseded_at = moment
        before.save(update_fields=["superseded_at"])
    row = Agreed.objects.create(
        evaluation=evaluation, question=question, mark=mark, justification=justification, user_label=by.user_label[:200],
        recorded_at=moment, simulated=evaluation.simulated,
    )  # fmt: skip
    journal.record(
        case_of(evaluation), "evaluation.agree", by=by, on=on, at=moment,
        before=None if before is None else {"question": question, "mark": before.mark},
        after={"question": question, "mark": mark},
    )  # fmt: skip
    return row


# -- the group --------------------------------------------------------------------------------


@transaction.atomic
def record_group(
    evaluation: Evaluation,
    group: str,
    *,
    by: Actor,
    on: dt.date,
    reason: str,
    sources: Sequence[str] = (),
    certainty: str = "known",
    at: dt.datetime | None = None,
) -> Evaluation:
    """Set the group otherwise than by the rule: a known result taken from its source, or a human decision with its reason.

    Works without notes from the moment the evaluation has started, until it is final. An empty ``group`` with certainty
    ``unknown`` says that a group was given but never published. When the rule gives a group from the agreed marks, another one is
    an override, and the explanation says both.

    Raises:
        Refused: no reason, a group that the campaign does not know, or the evaluation is planned or already final.
    """
    evaluation = shared.lock_evaluation(evaluation)
    access.may_manage(by, evaluation.campaign)
    reason = shared.clean(reason, T("le motif", "the reason"))
    if evaluation.state not in ("scoring", "consensus", "hearing"):
        raise Refused(
            T(
                "Le groupe se décide une fois l'évaluation ouverte et avant qu'elle soit arrêtée ; elle est « {s} ».",
                "The group is decided once the evaluation has started and before it is final; it is “{s}”.",
                s=states.TITLES[evaluation.state],
            )
        )
    order = queries.group_order(evaluation.campaign)
    if not group and certainty != "unknown":
        raise Refused(T("Il manque le groupe (ou dire qu'il n'est pas connu).", "The group is missing (or say that it is not known)."), kind="input")  # fmt: skip
    if group and order and group not in order:
        raise Refused(
            T(
                "Le groupe « {g} » n'est pas de cette campagne : {k}.",
                "The group “{g}” is not of this campaign: {k}.",
                g=group,
                k=", ".join(order),
            ),
            kind="input",
        )
    ruled = queries.classified(evaluation)
    before = {"group": evaluation.group, "origin": evaluation.origin}
    evaluation.group, evaluation.certainty = group, certainty
    evaluation.origin = "override" if ruled is not None and ruled.group else "recorded"
    evaluation.reason, evaluation.sources = reason, list(sources)
    evaluation.decided_by = (by.user_label or "")[:200]
    evaluation.save(update_fields=["group", "certainty", "origin", "reason", "sources", "decided_by"])
    journal.record(
        case_of(evaluation), "evaluation.record_group", by=by, on=on, at=shared.moment(on, at), why=reason, before=before,
        after={"group": group, "origin": evaluation.origin, "certainty": certainty, "rule_gives": ruled.group if ruled else ""},
    )  # fmt: skip
    return evaluation


def record_groups(
    campaign: Campaign,
    groups: Mapping[str, str],
    *,
    by: Actor,
    on: dt.date,
    reason: str,
    sources: Mapping[str, Sequence[str]] | None = None,
    at: dt.datetime | None = None,
) -> int:
    """:func:`record_group` for many clusters, by slug; an empty group means that it was not published. How many were recorded."""
    with transaction.atomic():
        rows = (
            Evaluation.objects.filter(campaign=campaign, cluster__slug__in=groups)
            .select_related("cluster")
            .order_by("id")
        )
        for one in rows:
            group = groups[one.cluster.slug]
            record_group(
                one, group, by=by, on=on, reason=reason, sources=(sources or {}).get(one.cluster.slug, ()),
                certainty="known" if group else "unknown", at=at,
            )  # fmt: skip
    return len(rows)


# -- interviews -------------------------------------------------------------------------------


@transaction.atomic
def hold_interview(
    evaluation: Evaluation,
    *,
    by: Actor,
    on: dt.date,
    participants: Sequence[Any],
    record: str,
    held_on: dt.date | None = None,
    at: dt.datetime | None = None,
    simulated: bool | None = None,
) -> Interview:
    """Record an interview (*entretien contradictoire*) with the cluster, State services or authorities; its record is frozen.

    Args:
        participants: who took part: texts, or mappings ``{"name": …, "side": …}`` (side: pole, state, authority, evaluator, other).
        held_on: the day of the interview, ``on`` without it; never after ``on``.

    Raises:
        Refused: nobody took part, the record is empty, it lies in the future, or the evaluation is planned or final.
    """
    evaluation = shared.lock_evaluation(evaluation)
    if not access.manages(by, evaluation.campaign):
        access.may_score(by, evaluation, on)
    if evaluation.state not in ("scoring", "consensus", "hearing"):
        raise Refused(
            T(
                "Un entretien se consigne entre l'ouverture de l'évaluation et son arrêt ; elle est « {s} ».",
                "An interview is recorded between the start of the evaluation and its end; it is “{s}”.",
                s=states.TITLES[evaluation.state],
            )
        )
    held_on = held_on or on
    if held_on > on:
        raise Refused(T("L'entretien du {d} n'a pas encore eu lieu.", "The interview of {d} has not been held yet.", d=held_on), kind="input")  # fmt: skip
    people = [
        {"name": str(p.get("name", "")).strip(), "side": str(p.get("side", "other"))}
        if isinstance(p, Mapping)
        else {"name": str(p).strip(), "side": "other"}
        for p in participants
    ]
    people = [p for p in people if p["name"]]
    if not people:
        raise Refused(T("Il manque les participants.", "The participants are missing."), kind="input")
    record = shared.clean(record, T("le compte rendu", "the record"))
    moment = shared.moment(on, at)
    content = {"evaluation": case_of(evaluation), "held_on": held_on, "participants": people, "record": record}
    frozen = journal.freeze(case_of(evaluation), "evaluation.interview", content, at=moment)
    made = Interview.objects.create(
        evaluation=evaluation, hearing=Hearing.objects.filter(evaluation=evaluation).first(), held_on=held_on,
        participants=people, record=record, frozen=frozen, recorded_on=on, user_label=by.user_label[:200],
        simulated=evaluation.simulated if simulated is None else simulated,
    )  # fmt: skip
    journal.record(
        case_of(evaluation), "hearing.interview", by=by, on=on, at=moment,
        after={"held_on": held_on, "participants": [p["name"] for p in people], "sha256": frozen.sha256},
    )  # fmt: skip
    return made


# -- final and published ----------------------------------------------------------------------


@transaction.atomic
def finalise(
    evaluation: Evaluation, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None
) -> Evaluation:
    """Make an evaluation final: its group (by the rule, unless one was recorded) and its explanation are frozen.

    Raises:
        Refused: no group can be reached (marks are missing, or the grid has no rule and none was recorded), or both sides have not
            been heard to the end: a hearing is open, or a mark below a pass rests on no finding that the cluster could answer.
    """
    evaluation = shared.lock_evaluation(evaluation)
    access.may_manage(by, evaluation.campaign)
    move = workflow.check(states.MOVES, states.STATES, "finalise", evaluation.state)
    hearing = Hearing.objects.filter(evaluation=evaluation).first()
    if hearing is not None and hearing.state != "closed":
        raise Refused(
            T(
                "Le contradictoire n'est pas clos ({s}) : une évaluation ne s'arrête qu'après lui.",
                "The hearing is not closed ({s}): an evaluation is only made final after it.",
                s=states.HEARING_TITLES[hearing.state],
            )
        )
    ruled = queries.classified(evaluation)
    evaluation.computed = ruled.group if ruled is not None else ""
    if not evaluation.origin:
        if ruled is None or not ruled.group:
            raise Refused(
                T("Aucun groupe ne peut être donné.", "No group can be given."),
                missing=_why_no_group(evaluation, ruled),
            )
        _heard(evaluation, ruled)
        evaluation.group, evaluation.origin, evaluation.certainty = ruled.group, "rule", "known"
        evaluation.reason, evaluation.decided_by = reason.strip(), (by.user_label or "")[:200]
    elif evaluation.origin == "override" and hearing is None:
        _not_lowered(evaluation)
    before = evaluation.state
    evaluation.state, evaluation.final_on = move.target, on
    moment = shared.moment(on, at)
    evaluation.explained = journal.freeze(case_of(evaluation), "evaluation.explanation", explain.content(evaluation, on), at=moment)  # fmt: skip
    evaluation.save()
    journal.record(
        case_of(evaluation), "evaluation.finalise", by=by, on=on, at=moment, why=reason.strip(), before={"state": before},
        after={
            "state": evaluation.state, "group": evaluation.group, "origin": evaluation.origin,
            "rule_gives": evaluation.computed, "sha256": evaluation.explained.sha256,
        },
    )  # fmt: skip
    return evaluation


def _heard(evaluation: Evaluation, ruled: classify.Result) -> None:
    """No group but the best is given by rule to a cluster that could not answer what it rests on."""
    order = queries.group_order(evaluation.campaign)
    if order and ruled.group == order[0]:
        return
    told = Finding.objects.filter(hearing__evaluation=evaluation, dropped=False).values_list("question", flat=True)
    hidden = rules.contestable(ruled.unmet, told)
    if hidden:
        grid = _grid(evaluation.campaign)
        raise Refused(
            T(
                "Le pôle n'a pas pu répondre à tout : ces notes en dessous du seuil ne reposent sur aucun constat notifié.",
                "The cluster could not answer everything: these marks below a pass rest on no notified finding.",
            ),
            missing=[grid.question(q)[1].title for q in hidden],
        )


def _not_lowered(evaluation: Evaluation) -> None:
    """A person may put a cluster in a better group than the rule does; in a worse one only after both sides were heard."""
    order = queries.group_order(evaluation.campaign)
    given, ruled = evaluation.group, evaluation.computed
    if given in order and ruled in order and order.index(given) > order.index(ruled):
        raise Refused(
            T(
                "Ce groupe est moins bon que celui de la règle ({r}), et le pôle n'a pas été entendu sur le motif : notifier "
                "d'abord un constat.",
                "This group is worse than that of the rule ({r}), and the cluster was not heard on the reason: notify a finding "
                "first.",
                r=queries.group_name(evaluation.campaign, ruled),
            )
        )


def _why_no_group(evaluation: Evaluation, ruled: classify.Result | None) -> list[Any]:
    grid = queries.grid_of(evaluation.campaign)
    if grid is None or ruled is None:
        return [T("la grille n'a pas de règle publiée : un groupe se décide avec son motif", "the grid has no published rule: a group is decided, with its reason")]  # fmt: skip
    found: list[Any] = [T("note convenue attendue : {q}", "agreed mark awaited: {q}", q=grid.question(q)[1].title) for q in ruled.missing]  # fmt: skip
    return found + [T("paramètre sans valeur : {p}", "parameter without value: {p}", p=p) for p in ruled.unknown]


@transaction.atomic
def publish(campaign: Campaign, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Campaign:
    """Publish a campaign: every evaluation of it is final. Groups enter the register, where contracts and pages read them.

    Raises:
        Refused: an evaluation is not final; the list says which.
    """
    campaign = shared.lock_campaign(campaign)
    access.may_publish(by, campaign)
    move = workflow.check(states.CAMPAIGN_MOVES, states.CAMPAIGN_STATES, "publish", campaign.state)
    rows = list(Evaluation.objects.select_for_update(of=("self",)).filter(campaign=campaign).select_related("cluster").order_by("id"))  # fmt: skip
    open_ones = [e for e in rows if e.state != "final"]
    if open_ones:
        raise Refused(
            T(
                "Une campagne se publie entière : {n} évaluation(s) ne sont pas arrêtées.",
                "A campaign is published whole: {n} evaluation(s) are not final.",
                n=len(open_ones),
            ),
            missing=[T("{c} : {s}", "{c}: {s}", c=e.cluster.name, s=states.TITLES[e.state]) for e in open_ones[:20]],
        )
    moment = shared.moment(on, at)
    for one in rows:
        one.state, one.published_on, one.campaign = "published", on, campaign
    Evaluation.objects.bulk_update(rows, ["state", "published_on"], batch_size=200)
    before, campaign.state, campaign.published_on = campaign.state, move.target, on
    campaign.save(update_fields=["state", "published_on"])
    if campaign.kind != "order":  # an authority's own evaluation stands beside the programme's, it does not replace it
        _into_register(campaign, rows, on, moment)
    journal.record_many(
        {
            "case": case_of(one), "act": "evaluation.publish", "by": by, "on": on, "at": moment,
            "before": {"state": "final"}, "after": {"state": "published", "group": one.group, "certainty": one.certainty},
        }
        for one in rows
    )  # fmt: skip
    counts: dict[str, int] = {}
    for one in rows:
        counts[one.group or "unknown"] = counts.get(one.group or "unknown", 0) + 1
    journal.record(
        case_of_campaign(campaign), "campaign.publish", by=by, on=on, at=moment, before={"state": before},
        after={"state": campaign.state, "counts": dict(sorted(counts.items()))},
    )  # fmt: skip
    for one in rows:
        shared.tell(shared.pole_people(one.cluster_id, "evaluation.reply", on), messages.published(one.cluster.name, campaign), case_of(one))  # fmt: skip
    return campaign


def _into_register(campaign: Campaign, rows: Sequence[Evaluation], on: dt.date, moment: dt.datetime) -> None:
    """Write the groups that are known into the register; what stands there already with the same group stays as it is."""
    standing: dict[int, ClusterGroup] = {
        g.cluster_id: g
        for g in ClusterGroup.objects.select_for_update().filter(
            evaluation=campaign.evaluation, cluster_id__in=[e.cluster_id for e in rows], superseded_at__isnull=True
        )
    }
    made = []
    for one in rows:
        now = standing.get(one.cluster_id)
        if not one.group or (now is not None and now.group == one.group):
            continue
        if now is not None:
            now.superseded_at = moment
            now.save(update_fields=["superseded_at"])
        made.append(
            ClusterGroup(
                cluster_id=one.cluster_id, evaluation=campaign.evaluation, group=one.group, on=on, recorded_at=moment,
                sources=[*one.sources, f"campaign:{campaign.code}"], simulated=one.simulated,
            )
        )  # fmt: skip
    ClusterGroup.objects.bulk_create(made, batch_size=200)
