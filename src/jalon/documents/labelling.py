"""A pôle's decision on a label as a letter, and its evaluation report: experts are numbers in both, for every reader."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.core.lang import T, speaking
from jalon.documents.blocks import Block, Column, Document, Facts, Heading, Notice, Para, Row, Table, cell
from jalon.documents.contract import DASH, SIMULATED, words
from jalon.interests.access import recused_users
from jalon.labelling import queries, rules, states
from jalon.labelling.models import LabelRequest
from jalon.people.access import policy
from jalon.ui import format as fmt


def decision(request: LabelRequest, *, on: dt.date, address: str, lang: str = "") -> Document:
    """The letter of the bureau's decision: what, when, why, under which conditions, and whether it counts for the call."""
    lang = lang or policy().language
    with speaking(lang):
        blocks: list[Block] = [Facts(tuple(_about(request) + _decided(request)))]
        if request.state in states.GIVEN:
            counts, why = queries.counts_for_call(request.project, request.decided_on)
            if not counts:
                text = T(
                    "Ce label a été donné après la clôture de l'appel : il n'y compte pas.",
                    "This label was given after the call closed: it does not count for it.",
                )
                blocks.append(Notice(f"{text} {why.rule} ({why.reference})", "warn"))
        if request.reasons:
            blocks += [Heading(str(T("Motifs", "Reasons"))), Para(request.reasons)]
        conditions = list(request.conditions.all())
        if conditions:
            rows = [
                Row(
                    (
                        cell(c.text),
                        cell(fmt.day(c.due_on) if c.due_on else DASH),
                        cell(T("levée le {d}", "lifted on {d}", d=fmt.day(c.lifted_on)) if c.lifted_on else DASH),
                    )
                )
                for c in conditions
            ]
            columns = (
                Column(str(T("Condition", "Condition")), 6),
                Column(str(T("À remplir avant le", "To be met by")), 2),
                Column(str(T("État", "State")), 2),
            )
            blocks += [Heading(str(T("Conditions", "Conditions"))), Table(str(columns[0].title), columns, tuple(rows))]
        procedure = queries.procedure_of(request)
        blocks.append(
            Para(
                str(T("Procédure : {p} ({r}).", "Procedure: {p} ({r}).", p=procedure.title, r=procedure.reference)),
                "small",
            )
        )
        return _document(request, str(T("Décision sur un label", "Decision on a label")), blocks, on, address, lang)


def report(request: LabelRequest, *, on: dt.date, address: str, lang: str = "") -> Document:
    """The evaluation report: opinions under their numbers, mean scores, votes as counted, minutes."""
    lang = lang or policy().language
    recused = recused_users(request.project.case)
    procedure = queries.procedure_of(request)
    criteria = queries.criteria_of(request, procedure)
    with speaking(lang):
        blocks: list[Block] = [Facts(tuple(_about(request)))]
        given = [o for o in request.opinions.order_by("number") if o.state == "given" and o.user_id not in recused]
        if given:
            columns = (
                Column(str(criteria.title), 5),
                Column(str(T("Moyenne sur {s}", "Mean out of {s}", s=criteria.scale)), 2, "right"),
                Column(str(T("Avis", "Opinions")), 1, "right"),
            )
            rows = tuple(
                Row((cell(c.title), cell(fmt.number(mean, 1)), cell(str(n))))
                for c, mean, n in queries.mean_scores(criteria, given, recused)
            )
            blocks += [Heading(str(T("Notes moyennes", "Mean scores"))), Table(columns[0].title, columns, rows)]
        for opinion in given:
            blocks.append(
                Heading(
                    f"{rules.expert_name(opinion.number)} {DASH} {states.RECOMMENDATIONS[opinion.recommendation]}", 2
                )
            )
            scores = ", ".join(
                f"{c.title} {opinion.scores.get(c.code, DASH)}/{criteria.scale}" for c in criteria.criteria
            )
            blocks += [Para(scores, "small"), Para(opinion.text)]
        for ballot in request.ballots.prefetch_related("votes").order_by("id"):
            if ballot.closed_at is None:
                continue
            ballot.request = request
            tally = queries.counted(ballot, procedure, recused)
            blocks += [
                Heading(str(T("{c}, {w}", "{c}, {w}", c=procedure.committee, w=states.WAYS[ballot.way]))),
                Facts(
                    (
                        (str(T("Ouvert le", "Opened on")), fmt.day(ballot.opened_on)),
                        (str(T("Dernier jour", "Last day")), fmt.day(ballot.closes_on)),
                        (
                            str(T("Votes", "Votes")),
                            str(
                                T(
                                    "pour {a}, contre {b}, abstentions {c}, sur {e} membres appelés",
                                    "for {a}, against {b}, abstentions {c}, of {e} members entitled",
                                    a=tally.votes_for,
                                    b=tally.votes_against,
                                    c=tally.abstentions,
                                    e=tally.entitled,
                                )
                            ),
                        ),
                        (str(T("Résultat", "Result")), str(rules.RESULTS[tally.result])),
                    )
                ),
            ]
            if ballot.minutes:
                blocks += [Heading(str(T("Compte rendu", "Minutes")), 2), Para(ballot.minutes)]
        if request.state in states.DECIDED:
            blocks += [Heading(str(T("Décision du bureau", "The bureau's decision"))), Facts(tuple(_decided(request)))]
        return _document(request, str(T("Rapport d'évaluation", "Evaluation report")), blocks, on, address, lang)


def _about(request: LabelRequest) -> list[tuple[str, str]]:
    project, call = request.project, request.project.call
    return [
        (str(T("Pôle", "Cluster")), request.cluster.name),
        (str(T("Projet", "Project")), f"{project.acronym} {DASH} {project.title}"),
        (str(T("Appel", "Call")), str(T("{f}", "{e}", f=call.title_fr, e=call.title_en)) if call else DASH),
        (
            str(T("Qualité", "As")),
            str(T("pôle chef de file", "lead labelling cluster") if request.lead else T("colabel", "co-label")),
        ),
        (str(T("Demandé le", "Asked on")), fmt.day(request.asked_on)),
    ]


def _decided(request: LabelRequest) -> list[tuple[str, str]]:
    return [
        (str(T("Décision", "Decision")), str(states.TITLES[request.state])),
        (str(T("Décidé le", "Decided on")), fmt.day(request.decided_on)),
        (str(T("Référence", "Reference")), request.reference or DASH),
    ]


def _document(request: LabelRequest, title: str, blocks: list[Block], on: dt.date, address: str, lang: str) -> Document:
    name: Any = request.project.acronym
    return Document(
        lang=lang,
        title=f"{title} {DASH} {name}",
        eyebrow=str(policy().title),
        subtitle=request.cluster.name,
        cover=(),
        blocks=tuple(blocks),
        running=f"{title} {DASH} {name}",
        footer=f"{address} · {fmt.day(on)}",
        words=words(lang),
        dated=on,
        simulated=str(SIMULATED) if request.simulated else "",
        subject=request.cluster.name,
    )
