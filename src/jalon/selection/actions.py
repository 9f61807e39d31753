"""Acts of the selection: open it, assess, agree on a consensus, fund, decide the list, promote, release, announce.

Every act takes ``by=`` an actor and ``on=`` a day; ``at=`` is the moment of the records. Every act on money or on the list
locks the exercise's row first, then reads what is decided: two users at the same moment queue up, and no order of acts takes
an envelope or a ceiling beyond its amount.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from jalon.core import clock, journal, outbox, workflow
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T, Text, speaking
from jalon.core.why import Why
from jalon.interests import access as interests
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, Organisation, User
from jalon.projects import states as project_states
from jalon.projects.models import Call, Partner, Project
from jalon.selection import access, letters, messages, queries, rules, states
from jalon.selection.models import (
    Assessment,
    Consensus,
    Envelope,
    Exercise,
    ExerciseCriterion,
    Listed,
    Note,
    Scenario,
    ScenarioAmount,
    ScenarioLine,
    SelectionLetter,
    Share,
)

ZERO = Decimal(0)
LONGEST = 20_000
"""Longest justification or summary, in characters."""


# -- the exercise -------------------------------------------------------------------------------------------------


def open_selection(
    call: Call,
    *,
    by: Actor,
    on: dt.date,
    fund: Organisation | None = None,
    due_on: dt.date | None = None,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Exercise:
    """Open the selection of a closed call: its criteria come from the call's rules and the policy, without weights.

    ``fund``: the organisation that pays for the State; that of the actor without it.

    Raises:
        Refused: the call is not closed yet, or its selection is open already.
    """
    access.may_manage(by)
    if call.closes_on is not None and on <= call.closes_on:
        raise Refused(
            T(
                "L'appel est ouvert jusqu'au {d} : la sélection commence après sa clôture.",
                "The call is open until {d}: the selection begins after it has closed.",
                d=call.closes_on,
            )
        )
    moment = clock.stamp(on, at)
    chosen = queries.criteria_of_policy(call)
    lowest, highest = _scale_of_policy(queries.day_of(call) or on)
    try:
        with transaction.atomic():
            exercise = Exercise.objects.create(
                call=call,
                policy_day=queries.day_of(call) or on,
                criteria_set=chosen.code if chosen is not None else "",
                fund=fund or Organisation.objects.filter(pk=by.organisation_id).first(),
                lowest=lowest,
                highest=highest,
                due_on=due_on,
                created_at=moment,
                simulated=simulated,
            )
            ExerciseCriterion.objects.bulk_create(
                ExerciseCriterion(exercise=exercise, order=n, **values)
                for n, values in enumerate(_criteria(chosen, queries.rules_of_call(call)), 1)
            )
            journal.record(
                exercise.case,
                "selection.open",
                by=by,
                on=on,
                at=at,
                after={
                    "call": call.code,
                    "criteria": list(exercise.criteria.values_list("code", flat=True)),
                    "policy_day": exercise.policy_day,
                    "fund": exercise.fund.name if exercise.fund else None,
                },
            )
    except IntegrityError:
        raise Refused(
            T("La sélection de cet appel est déjà ouverte.", "The selection of this call is open already.")
        ) from None
    return exercise


def _scale_of_policy(day: dt.date) -> tuple[Decimal, Decimal]:
    laws = policy().on(day)
    return Decimal(laws.selection.score_min), Decimal(laws.selection.score_max)


def _criteria(chosen: Any, rules_: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The criteria of the call's own rules, then those of the policy's period that the rules do not name."""
    found: dict[str, dict[str, Any]] = {}
    for row in rules_.get("criteria", ()):
        found[row["code"]] = {
            "code": row["code"],
            "title_fr": row["title"]["fr"],
            "title_en": row["title"]["en"],
            "reference": row.get("reference", "")[:300],
            "url": row.get("url") or "",
        }
    for c in chosen.criteria if chosen is not None else ():
        texts = {"help_fr": c.help.fr, "help_en": c.help.en}
        if c.code in found:
            found[c.code] |= texts
        else:
            found[c.code] = {
                "code": c.code,
                "title_fr": c.title.fr,
                "title_en": c.title.en,
                "reference": chosen.reference[:300],
                "url": chosen.url or "",
                **texts,
            }
    return list(found.values())


def add_criterion(
    exercise: Exercise,
    *,
    title_fr: str,
    title_en: str,
    reason: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> ExerciseCriterion:
    """Add a criterion for this exercise (a call of which no text gives the criteria), with the reason.

    Raises:
        Refused: without title or reason, or once an expert has handed in an opinion.
    """
    access.may_manage(by)
    title_fr, title_en = _line(title_fr, T("intitulé", "title")), _line(title_en or title_fr, T("intitulé", "title"))
    reason = _text(reason, T("motif", "reason"), needed=True)
    with transaction.atomic():
        exercise = _locked(exercise)
        _require_assessing(exercise)
        if Assessment.objects.filter(exercise=exercise, state="submitted").exists():
            raise Refused(
                T(
                    "Des avis sont déjà rendus : la liste des critères ne change plus.",
                    "Opinions have been handed in: the list of criteria no longer changes.",
                )
            )
        taken = set(exercise.criteria.values_list("code", flat=True))
        base = slugify(title_en)[:50] or "criterion"
        code = next(c for c in (base, *(f"{base}-{n}" for n in range(2, 99))) if c not in taken)
        row = ExerciseCriterion.objects.create(
            exercise=exercise,
            code=code,
            title_fr=title_fr,
            title_en=title_en,
            reason=reason,
            order=len(taken) + 1,
        )
        journal.record(
            exercise.case,
            "selection.criterion",
            by=by,
            on=on,
            at=at,
            why=reason,
            after={"code": code, "title": title_fr},
        )
        return row


def set_rules(
    exercise: Exercise,
    *,
    weights: Mapping[str, Decimal | None],
    minimums: Mapping[str, Decimal | None],
    minimum_total: Decimal | None,
    tie_rule: str,
    tie_order: Sequence[str] = (),
    reason: str,
    rev: int,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Exercise:
    """Set weights, thresholds and how ties are parted for this exercise, with the reason; every total is worked out again.

    Raises:
        Refused: no reason, a value out of the scale, an unknown criterion or tie-breaking rule.
        Conflict: somebody set them meanwhile.
    """
    access.may_manage(by)
    reason = _text(reason, T("motif", "reason"), needed=True)
    with transaction.atomic():
        exercise = _locked(exercise)
        _require_assessing(exercise)
        if exercise.rev != rev:
            raise Conflict(
                T(
                    "Les règles de l'exercice ont changé entre-temps : relisez-les avant de les changer.",
                    "The rules of the exercise changed meanwhile: read them again before changing them.",
                ),
                theirs=str(exercise.rev),
                yours=str(rev),
            )
        criteria = {c.code: c for c in exercise.criteria.all()}
        for code in (*weights, *minimums, *tie_order):
            if code not in criteria:
                raise Refused(T("Critère inconnu : {c}.", "Unknown criterion: {c}.", c=code), kind="input")
        if tie_rule not in states.TIE_RULES:
            raise Refused(T("Règle de départage inconnue.", "Unknown tie-breaking rule."), kind="input")
        if tie_rule == "criteria" and not tie_order:
            raise Refused(
                T("Dites par quels critères départager.", "Say by which criteria ties are parted."), kind="input"
            )
        given = [w for w in weights.values() if w is not None]
        if any(not w.is_finite() or w < 0 or w > 100 for w in given) or (given and sum(given, ZERO) == 0):
            raise Refused(
                T(
                    "Un poids est un nombre de 0 à 100, et un au moins dépasse 0.",
                    "A weight is 0 to 100, one at least above 0.",
                ),
                kind="input",
            )
        for value in (*minimums.values(), minimum_total):
            if value is not None and not (value.is_finite() and exercise.lowest <= value <= exercise.highest):
                raise Refused(
                    T(
                        "Un seuil est une note de {a} à {b} ; trouvé : {v}.",
                        "A threshold is a score of {a} to {b}; found: {v}.",
                        a=exercise.lowest,
                        b=exercise.highest,
                        v=value,
                    ),
                    kind="input",
                )
        before = _rules_told(exercise, criteria.values())
        for code, row in criteria.items():
            row.weight, row.minimum = weights.get(code), minimums.get(code)
        ExerciseCriterion.objects.bulk_update(criteria.values(), ["weight", "minimum"])
        exercise.minimum_total, exercise.tie_rule = minimum_total, tie_rule
        exercise.tie_order = list(tie_order) if tie_rule == "criteria" else []
        exercise.rules_reason = reason
        exercise.rev += 1
        exercise.save()
        refresh(exercise)
        journal.record(
            exercise.case,
            "selection.rules",
            by=by,
            on=on,
            at=at,
            why=reason,
            before=before,
            after=_rules_told(exercise, criteria.values()),
        )
        return exercise


def _rules_told(exercise: Exercise, criteria: Iterable[ExerciseCriterion]) -> dict[str, Any]:
    return {
        "weights": {c.code: str(c.weight) for c in criteria if c.weight is not None},
        "minimums": {c.code: str(c.minimum) for c in criteria if c.minimum is not None},
        "minimum_total": exercise.minimum_total,
        "tie_rule": exercise.tie_rule,
        "tie_order": exercise.tie_order,
    }


def refresh(exercise: Exercise) -> int:
    """Work out again total, sort key and thresholds of every closed consensus; how many there are."""
    scale = queries.scale_of(exercise, list(exercise.criteria.all()))
    rows = list(Consensus.objects.filter(exercise=exercise, state="closed"))
    for row in rows:
        _place(row, scale)
    Consensus.objects.bulk_update(rows, ["total", "sort_key", "passes"], batch_size=500)
    return len(rows)


def _place(row: Consensus, scale: rules.Scale) -> None:
    scores = queries.scores_of(row)
    row.total = rules.total(scores, scale)
    row.sort_key = rules.sort_key(scores, scale)
    row.passes = row.total is not None and not rules.failures(scores, scale)


def set_envelope(
    call: Call,
    amount: Decimal,
    *,
    reason: str,
    by: Actor,
    on: dt.date,
    funder: Organisation | None = None,
    reference: str = "",
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Envelope:
    """Set or change an envelope: the State's (whoever decides the list) or a funder's own (its officer).

    Raises:
        Refused: no reason, or less than what is decided already.
    """
    if funder is None:
        access.may_decide(by)
    elif not (by.can("selection.intend") and by.organisation_id == funder.pk):
        access.may_manage(by)
    amount = rules.cents(amount, where=T("Enveloppe", "Envelope"))
    reason = _text(reason, T("motif", "reason"), needed=True)
    with transaction.atomic():
        exercise = _locked(_exercise(call))
        taken = queries.used(call, funder.pk if funder else None)
        if amount < taken:
            raise Refused(
                T(
                    "{taken} sont déjà décidés : l'enveloppe ne peut pas être ramenée à {amount}.",
                    "{taken} are decided already: the envelope cannot be brought down to {amount}.",
                    taken=rules.Money(taken),
                    amount=rules.Money(amount),
                ),
                why=rules.why_envelope(amount, taken, on),
            )
        moment = clock.stamp(on, at)
        before = Envelope.objects.filter(call=call, funder=funder, superseded_at__isnull=True).first()
        old = before.amount if before is not None else call.envelope if funder is None else None
        if before is not None:
            before.superseded_at = moment
            before.save(update_fields=["superseded_at"])
        row = Envelope.objects.create(
            call=call,
            funder=funder,
            amount=amount,
            on=on,
            reference=reference.strip()[:200],
            reason=reason,
            recorded_at=moment,
            simulated=simulated,
        )
        journal.record(
            exercise.case,
            "selection.envelope",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={"amount": old},
            after={"amount": amount, "funder": funder.name if funder else "State", "reference": row.reference},
        )
        return row


# -- assessment -----------------------------------------------------------------------------------------------------


def assign(
    exercise: Exercise,
    project: Project,
    expert: User,
    *,
    by: Actor,
    on: dt.date,
    due_on: dt.date | None = None,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Assessment:
    """Ask an expert of a ministry for an opinion on a project; the file opens once they declared their interests.

    Raises:
        Refused: not an expert, of an organisation of the consortium, recused, or asked already.
    """
    access.may_manage(by, project)
    _require_assessing(exercise)
    _require_in(exercise, project)
    mandate = _instructs(expert, on)
    if mandate is None:
        raise Refused(
            T(
                "{u} n'a pas de mandat d'expert ministériel ce jour-là.",
                "{u} has no mandate as a ministry's expert on that day.",
                u=expert.name,
            ),
            kind="input",
        )
    if project.partners.filter(organisation_id=mandate.organisation_id, left_on__isnull=True).exists():
        raise Refused(
            T(
                "{o} est partenaire du projet : son agent ne peut pas l'instruire.",
                "{o} is a partner of the project: its officer cannot assess it.",
                o=mandate.organisation.name,
            )
        )
    if expert.pk in interests.recused_users(project.case):
        raise Refused(T("{u} est déporté de ce projet.", "{u} is recused from this project.", u=expert.name))
    if due_on is not None and due_on < on:
        raise Refused(T("L'échéance est passée : {d}.", "The due day has passed: {d}.", d=due_on), kind="input")
    try:
        with transaction.atomic():
            row = Assessment.objects.create(
                exercise=exercise,
                project=project,
                expert=expert,
                organisation=mandate.organisation,
                asked_on=on,
                due_on=due_on or exercise.due_on,
                simulated=simulated,
            )
            journal.record(
                queries.case_of(exercise, project),
                "selection.assign",
                by=by,
                on=on,
                at=at,
                after={"expert": expert.pk, "organisation": mandate.organisation.name, "due_on": row.due_on},
            )
            for user in interests.recipients(project.case, [expert]):
                _post(user, messages.assigned(project, row.due_on), queries.case_of(exercise, project))
    except IntegrityError:
        raise Refused(
            T("{u} est déjà désigné sur ce projet.", "{u} is assigned to this project already.", u=expert.name)
        ) from None
    return row


def _instructs(user: User, on: dt.date) -> Mandate | None:
    roles = [role.code for role in policy().roles_with("selection.instruct")]
    return (
        Mandate.objects.filter(user=user, role__in=roles, revoked_at__isnull=True, starts_on__lte=on)
        .exclude(ends_on__lt=on)
        .select_related("organisation")
        .order_by("id")
        .first()
    )


def withdraw_expert(
    assessment: Assessment, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Assessment:
    """Take an expert off a project before the opinion is handed in.

    Raises:
        Refused: handed in already, or no reason.
    """
    access.may_manage(by, assessment.project)
    with transaction.atomic():
        row = Assessment.objects.select_for_update().select_related("exercise__call", "project").get(pk=assessment.pk)
        move = workflow.check(states.ASSESSMENT_MOVES, states.ASSESSMENT_STATES, "withdraw", row.state, reason)
        row.state = move.target
        row.save(update_fields=["state"])
        journal.record(
            queries.case_of(row.exercise, row.project),
            "selection.withdraw_expert",
            by=by,
            on=on,
            at=at,
            why=reason.strip(),
            after={"expert": row.expert_id},
        )
        return row


def save_assessment(
    assessment: Assessment,
    *,
    scores: Mapping[str, Decimal | None],
    justifications: Mapping[str, str],
    opinion: str,
    summary: str,
    rev: int,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Assessment:
    """Save an opinion being written, as often as the form asks; nothing needs to be complete.

    Raises:
        Conflict: the same expert saved from another window meanwhile.
        Refused: handed in already, a score out of the scale, an unknown opinion.
    """
    access.may_assess(by, assessment)
    with transaction.atomic():
        row = Assessment.objects.select_for_update().select_related("exercise", "project").get(pk=assessment.pk)
        if row.state != "asked":
            raise Refused(
                T("Cet avis est rendu : il ne change plus.", "This opinion is handed in: it no longer changes.")
            )
        _require_assessing(row.exercise)
        criteria = {c.code: c for c in row.exercise.criteria.all()}
        notes = {n.criterion.code: n for n in row.notes.select_related("criterion")}
        if row.rev != rev:
            raise Conflict(
                T(
                    "Cet avis a été enregistré entre-temps, depuis une autre fenêtre.",
                    "This opinion was saved meanwhile, from another window.",
                ),
                theirs=_assessment_text(row, notes.values()),
                yours=summary,
            )
        scale = queries.scale_of(row.exercise, criteria.values())
        if opinion and opinion not in states.OPINIONS:
            raise Refused(T("Avis inconnu : {o}.", "Unknown opinion: {o}.", o=opinion), kind="input")
        for code, criterion in criteria.items():
            score = scores.get(code)
            if score is not None:
                rules.check_score(score, scale, where=T(criterion.title_fr, criterion.title_en))
            words = _text(justifications.get(code, ""), T(criterion.title_fr, criterion.title_en))
            note = notes.get(code) or Note(assessment=row, criterion=criterion)
            if note.pk is None and score is None and not words:
                continue
            if note.pk is None or note.score != score or note.justification != words:
                note.score, note.justification = score, words
                note.save()
        row.opinion, row.summary = opinion, _text(summary, T("synthèse", "summary"))
        row.rev += 1
        row.saved_at = clock.stamp(on, at)
        row.save(update_fields=["opinion", "summary", "rev", "saved_at"])
        return row


def _assessment_text(row: Assessment, notes: Iterable[Note]) -> str:
    lines = [f"{n.criterion.code}: {n.score if n.score is not None else '–'} {n.justification}" for n in notes]
    return "\n".join([*lines, row.summary])


def submit_assessment(assessment: Assessment, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Assessment:
    """Hand in an opinion: every criterion scored and justified, an opinion given; it no longer changes.

    Raises:
        Refused: with the list of what is missing.
    """
    access.may_assess(by, assessment)
    with transaction.atomic():
        row = Assessment.objects.select_for_update().select_related("exercise__call", "project").get(pk=assessment.pk)
        move = workflow.check(states.ASSESSMENT_MOVES, states.ASSESSMENT_STATES, "submit", row.state)
        _require_assessing(row.exercise)
        criteria = list(row.exercise.criteria.all())
        notes = {n.criterion_id: n for n in row.notes.all()}
        missing: list[Text] = []
        for c in criteria:
            note = notes.get(c.pk)
            title = T(c.title_fr, c.title_en)
            if note is None or note.score is None:
                missing.append(T("{c} : la note.", "{c}: the score.", c=title))
            if note is None or not note.justification.strip():
                missing.append(T("{c} : la justification.", "{c}: the justification.", c=title))
        if not row.opinion:
            missing.append(
                T("L'avis : favorable, réservé ou défavorable.", "The opinion: favourable, reserved or unfavourable.")
            )
        if not criteria:
            missing.append(T("L'exercice n'a pas de critère.", "The exercise has no criterion."))
        if missing:
            raise Refused(
                T("Il manque de quoi rendre cet avis.", "This opinion cannot be handed in yet."), missing=missing
            )
        row.state = move.target
        row.submitted_at = clock.stamp(on, at)
        row.save(update_fields=["state", "submitted_at"])
        # No score: the journal is read by others before the consensus opens.
        journal.record(
            queries.case_of(row.exercise, row.project),
            "selection.assessed",
            by=by,
            on=on,
            at=at,
            after={"expert": row.expert_id},
        )
        return row


def open_consensus(
    exercise: Exercise,
    project: Project,
    *,
    by: Actor,
    on: dt.date,
    reason: str = "",
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Consensus:
    """Open the consensus on a project: from now on its experts read each other's notes.

    Raises:
        Refused: an opinion is still awaited, or fewer were handed in than the policy asks for, and no reason is given.
    """
    access.may_manage(by, project)
    with transaction.atomic():
        exercise = _locked(exercise)
        _require_assessing(exercise)
        _require_in(exercise, project)
        rows = list(Assessment.objects.filter(project=project).exclude(state="withdrawn"))
        given = sum(1 for row in rows if row.state == "submitted")
        least = policy().on(exercise.policy_day).get("selection.experts_least")
        if given == 0:
            raise Refused(
                T("Aucun avis n'est rendu : il n'y a rien à comparer.", "No opinion is handed in: nothing to compare.")
            )
        if (given < len(rows) or given < least.value) and not reason.strip():
            raise Refused(
                T(
                    "{n} avis rendus sur {asked} demandés, {least} au moins sont attendus : ouvrir sans les autres demande un motif.",
                    "{n} opinions handed in of {asked} asked for, at least {least} are expected: opening without the others needs a reason.",
                    n=given,
                    asked=len(rows),
                    least=least.value,
                ),
                why=Why(
                    rule=T(
                        "Plusieurs experts notent un projet avant que leurs avis se comparent.",
                        "Several experts score a project before their opinions are compared.",
                    ),
                    parameter=least.path,
                    value=least.value,
                    unit=least.unit,
                    reference=least.reference,
                    day=exercise.policy_day,
                    reading=least.reading,
                ),
                kind="input",
            )
        if Consensus.objects.filter(project=project).exists():
            raise Refused(T("Le consensus est déjà ouvert.", "The consensus is open already."))
        row = Consensus.objects.create(
            exercise=exercise, project=project, opened_at=clock.stamp(on, at), simulated=simulated
        )
        journal.record(
            queries.case_of(exercise, project),
            "selection.consensus_open",
            by=by,
            on=on,
            at=at,
            why=reason.strip(),
            after={"opinions": given, "asked": len(rows)},
        )
        return row


def close_consensus(
    consensus: Consensus,
    *,
    scores: Mapping[str, Decimal | None],
    reasons: Mapping[str, str],
    opinion: str,
    summary: str,
    rev: int,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Consensus:
    """Fix the consensus: a score and its reasons by criterion, an opinion, a summary.

    Raises:
        Refused: with the list of what is missing.
        Conflict: it was fixed meanwhile.
    """
    access.may_manage(by, consensus.project)
    with transaction.atomic():
        row = (
            Consensus.objects.select_for_update(of=("self",))
            .select_related("exercise__call", "project")
            .get(pk=consensus.pk)
        )
        move = workflow.check(states.CONSENSUS_MOVES, states.CONSENSUS_STATES, "close", row.state)
        if row.rev != rev:
            raise Conflict(
                T("Le consensus a changé entre-temps.", "The consensus changed meanwhile."),
                theirs=row.summary,
                yours=summary,
            )
        exercise = row.exercise
        _require_assessing(exercise)
        criteria = list(exercise.criteria.all())
        scale = queries.scale_of(exercise, criteria)
        missing: list[Text] = []
        kept: dict[str, str] = {}
        told: dict[str, str] = {}
        for c in criteria:
            title = T(c.title_fr, c.title_en)
            score = scores.get(c.code)
            if score is None:
                missing.append(T("{c} : la note de consensus.", "{c}: the consensus score.", c=title))
            else:
                kept[c.code] = str(rules.check_score(score, scale, where=title))
            words = _text(reasons.get(c.code, ""), title)
            if not words:
                missing.append(T("{c} : les raisons.", "{c}: the reasons.", c=title))
            told[c.code] = words
        if opinion not in states.OPINIONS:
            missing.append(T("L'avis du groupe.", "The group's opinion."))
        if missing:
            raise Refused(
                T("Il manque de quoi arrêter le consensus.", "The consensus cannot be fixed yet."), missing=missing
            )
        before = row.scores or None
        row.scores, row.reasons, row.opinion = kept, told, opinion
        row.summary = _text(summary, T("synthèse", "summary"))
        row.state, row.closed_at = move.target, clock.stamp(on, at)
        row.rev += 1
        _place(row, scale)
        row.save()
        journal.record(
            queries.case_of(exercise, row.project),
            "selection.consensus",
            by=by,
            on=on,
            at=at,
            why=row.summary,
            before={"scores": before} if before else None,
            after={"scores": kept, "opinion": opinion, "total": row.total},
        )
        return row


def reopen_consensus(
    consensus: Consensus, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Consensus:
    """Open a fixed consensus again, with the reason; the scores fixed before stay in the journal.

    Raises:
        Refused: no reason, or the list is decided.
    """
    access.may_manage(by, consensus.project)
    with transaction.atomic():
        row = (
            Consensus.objects.select_for_update(of=("self",))
            .select_related("exercise__call", "project")
            .get(pk=consensus.pk)
        )
        _require_assessing(row.exercise)
        move = workflow.check(states.CONSENSUS_MOVES, states.CONSENSUS_STATES, "reopen", row.state, reason)
        row.state, row.closed_at, row.passes = move.target, None, False
        row.rev += 1
        row.save(update_fields=["state", "closed_at", "passes", "rev"])
        journal.record(
            queries.case_of(row.exercise, row.project),
            "selection.consensus_open",
            by=by,
            on=on,
            at=at,
            why=reason.strip(),
            before={"scores": row.scores},
        )
        return row


# -- the funders ----------------------------------------------------------------------------------------------------


def intend(
    partner: Partner,
    funder: Organisation,
    *,
    by: Actor,
    on: dt.date,
    amount: Decimal | None = None,
    rate: Decimal | None = None,
    base: Decimal | None = None,
    instrument: str = "grant",
    source: str = "",
    reference: str = "",
    note: str = "",
    seen: int | None = None,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Share:
    """State what a funder means to pay to a partner: an amount, or its own rate of a base (then the amount is computed).

    ``seen``: id of the version that was on screen (0: none), so that a change made meanwhile is noticed.

    Raises:
        Refused: neither amount nor rate, a rate over 100 %, more than the base, a project that is decided.
        Conflict: the cell changed meanwhile.
    """
    with transaction.atomic():
        project = Project.objects.select_related("call").get(pk=partner.project_id)
        exercise = _locked(_exercise(project.call))
        access.may_speak_for(by, funder, project, on, reference)
        row = _intend(
            exercise, project, partner, funder, on=on, at=at, amount=amount, rate=rate, base=base, instrument=instrument,
            source=source, reference=reference, note=note, seen=seen, by=by, simulated=simulated,
        )  # fmt: skip
        return row


def intend_total(
    project: Project,
    funder: Organisation,
    total: Decimal,
    *,
    by: Actor,
    on: dt.date,
    reference: str = "",
    note: str = "",
    source: str = "",
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> list[Share]:
    """Share what a funder means to pay to a project between its partners, by their eligible bases, to the cent.

    Raises:
        Refused: no base is known, or a part exceeds a base.
    """
    with transaction.atomic():
        project = Project.objects.select_related("call").get(pk=project.pk)
        exercise = _locked(_exercise(project.call))
        access.may_speak_for(by, funder, project, on, reference)
        plan = queries.plans([project], exercise=exercise, on=on)[project.pk]
        rows = [row for row in plan.rows if row.line.base]
        parts = rules.split(total, [row.line.base for row in rows])
        whole = rules.Money(total)
        return [
            _intend(
                exercise, project, row.partner, funder, on=on, at=at, amount=part, rate=None, base=row.line.base,
                instrument="grant", source=source, reference=reference, note=note, seen=None, by=by, simulated=simulated,
                how=T(
                    "part de {t} répartis selon les assiettes éligibles",
                    "share of {t} shared out by the eligible bases",
                    t=whole,
                ),
            )
            for row, part in zip(rows, parts, strict=True)
        ]  # fmt: skip


def _intend(
    exercise: Exercise,
    project: Project,
    partner: Partner,
    funder: Organisation,
    *,
    on: dt.date,
    at: dt.datetime | None,
    amount: Decimal | None,
    rate: Decimal | None,
    base: Decimal | None,
    instrument: str,
    source: str,
    reference: str,
    note: str,
    seen: int | None,
    by: Actor,
    simulated: bool,
    how: Text | None = None,
) -> Share:
    _require_partner(project, partner)
    if instrument not in states.INSTRUMENTS:
        raise Refused(T("Forme d'aide inconnue : {i}.", "Unknown form of aid: {i}.", i=instrument), kind="input")
    source = source or source_of(funder, exercise)
    if source not in states.SOURCES:
        raise Refused(T("Origine inconnue : {s}.", "Unknown source: {s}.", s=source), kind="input")
    if project.state not in ("admissible", "selected", "reserve") or (
        source == "state" and project.state != "admissible"
    ):
        raise Refused(
            T(
                "La liste est arrêtée pour ce projet : son plan de financement ne se change plus par une intention.",
                "The list is decided for this project: its financing no longer changes by an intention.",
            )
        )
    eligible = base_of(partner)
    base = eligible if base is None else rules.cents(base, where=T("assiette retenue", "base retained"))
    where = T("{f} pour {p}", "{f} for {p}", f=funder.name, p=partner.organisation.name)
    if eligible is not None and base is not None and base > eligible:
        raise Refused(
            T(
                "{w} : l'assiette retenue ({b}) dépasse l'assiette éligible ({e}).",
                "{w}: the base retained ({b}) exceeds the eligible base ({e}).",
                w=where,
                b=rules.Money(base),
                e=rules.Money(eligible),
            ),
            kind="input",
        )
    if rate is not None:
        if not rate.is_finite() or not 0 <= rate <= 100:
            raise Refused(
                T("{w} : un taux va de 0 à 100 %.", "{w}: a rate goes from 0 to 100 %.", w=where), kind="input"
            )
        if base is None:
            raise Refused(
                T(
                    "{w} : l'assiette n'est pas connue, le taux ne donne pas de montant.",
                    "{w}: the base is not known, the rate gives no amount.",
                    w=where,
                )
            )
        rate = rate.quantize(Decimal("0.001"))
        computed = rules.amount_of(base, rate)
        if amount is None:
            amount = computed
    if amount is None:
        raise Refused(T("{w} : donnez un montant ou un taux.", "{w}: give an amount or a rate.", w=where), kind="input")
    amount = rules.cents(amount, where=where)
    if eligible is not None and amount > eligible:
        raise Refused(
            T(
                "{w} : {a} dépasse l'assiette éligible du partenaire ({b}).",
                "{w}: {a} exceeds the partner's eligible base ({b}).",
                w=where,
                a=rules.Money(amount),
                b=rules.Money(eligible),
            ),
            kind="input",
        )
    before = _current(partner, funder, instrument)
    _require_seen(before, seen, amount)
    if before is not None and before.decided is not None:
        raise Refused(
            T(
                "{w} : la décision est prise ({d}) ; une intention ne la change plus.",
                "{w}: the decision is taken ({d}); an intention no longer changes it.",
                w=where,
                d=rules.Money(before.decided),
            )
        )
    why = {
        "fr": (how.in_language("fr") if how else _how(base, rate, "fr")),
        "en": (how.in_language("en") if how else _how(base, rate, "en")),
        "base": str(base) if base is not None else "",
        "rate": str(rate) if rate is not None else "",
        "day": on.isoformat(),
    }
    return _write_share(
        exercise,
        project,
        before,
        act="selection.intend",
        by=by,
        on=on,
        at=at,
        values={
            "partner": partner,
            "funder": funder,
            "instrument": instrument,
            "source": source,
            "base": base,
            "rate": rate,
            "intended": amount,
            "decided": None,
            "decided_on": None,
            "reference": reference.strip()[:160],
            "note": _text(note, T("remarque", "remark")),
            "why": why,
            "simulated": simulated,
        },
    )


def _how(base: Decimal | None, rate: Decimal | None, lang: str) -> str:
    text = (
        T(
            "{r} de {b}, arrondi au centime inférieur",
            "{r} of {b}, rounded down to the cent",
            r=rules.Percent(rate),
            b=rules.Money(base),
        )
        if rate is not None
        else T("montant donné par le financeur", "amount given by the funder")
    )
    return text.in_language(lang)


def fund(
    share: Share,
    amount: Decimal,
    *,
    by: Actor,
    on: dt.date,
    reference: str,
    seen: int | None = None,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Share:
    """Record what a funder other than the State decided for a partner of a selected project (its deliberation).

    The State's money is decided by the list; whoever decides lists may lower it afterwards, when a budget was cut.

    Raises:
        Refused: no reference, the project is not selected, the State's money without lowering it, a ceiling or the
            funder's own envelope would be overrun.
    """
    amount = rules.cents(amount, where=T("montant décidé", "amount decided"))
    reference = _line(reference, T("référence de la décision", "reference of the decision"))
    with transaction.atomic():
        project = Project.objects.select_related("call").get(pk=share.project_id)
        exercise = _locked(_exercise(project.call))
        before = (
            Share.objects.select_related("partner__organisation", "funder")
            .filter(
                partner_id=share.partner_id,
                funder_id=share.funder_id,
                instrument=share.instrument,
                superseded_at__isnull=True,
            )
            .first()
        )
        if before is None:
            raise Refused(T("Cette ligne n'existe plus.", "This line no longer exists."))
        already = before.decided or ZERO
        lowers = amount < already
        if before.source == "state" and lowers:
            access.may_decide(by, [project])
        else:
            access.may_speak_for(by, before.funder, project, on, reference)
        _require_seen(before, seen, amount)
        if before.source == "state" and not lowers:
            raise Refused(
                T(
                    "L'argent de l'État est décidé par la liste ; il peut seulement être baissé ensuite.",
                    "The State's money is decided by the list; afterwards it can only be lowered.",
                )
            )
        if project.state not in queries.KEPT:
            raise Refused(
                T(
                    "Le projet n'est pas retenu : un financeur décide après la liste.",
                    "The project is not selected: a funder decides after the list.",
                )
            )
        if not lowers:
            _require_partner(project, before.partner)
        rules.require_room(
            queries.envelope_of(project.call, before.funder),
            queries.used(project.call, before.funder_id) - already + amount,
            whose=before.funder.name,
            day=on,
        )
        # Other funders' lines stand as planned; this one as it would be decided.
        plan = queries.plans([project], exercise=exercise, on=on)[project.pk]
        for row in plan.rows:
            if row.partner.pk == before.partner_id:
                line = _with(row.line, before, amount)
                blocking = [c for c in rules.checks(line) if c.blocks]
                # A decision that lowers what is planned is never stopped by somebody else's excess.
                if blocking and amount > already:
                    raise _ceiling_refusal([(row.partner, c) for c in blocking], row.limit)
        return _write_share(
            exercise,
            project,
            before,
            act="selection.fund",
            by=by,
            on=on,
            at=at,
            values=_same(before)
            | {"decided": amount, "decided_on": on, "reference": reference[:160], "simulated": simulated},
        )


def _with(line: rules.Line, share: Share, amount: Decimal) -> rules.Line:
    """The line with one cell decided at ``amount``."""
    cells = tuple(
        replace(c, decided=amount) if (c.funder, c.instrument) == (share.funder_id, share.instrument) else c
        for c in line.cells
    )
    return replace(line, cells=cells)


def _ceiling_refusal(found: Sequence[tuple[Partner, rules.Check]], limit: Any = None) -> Refused:
    why = None
    if limit is not None:
        why = limit.aid_why if found[0][1].code == "aid" else limit.call_why
    return Refused(
        T(
            "Un plafond serait dépassé : rien n'a été décidé.",
            "A ceiling would be overrun: nothing was decided.",
        ),
        missing=[T("{p} : {c}", "{p}: {c}", p=partner.organisation.name, c=check.text) for partner, check in found],
        why=why,
    )


def _write_share(
    exercise: Exercise,
    project: Project,
    before: Share | None,
    *,
    act: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None,
    values: dict[str, Any],
    why: str = "",
) -> Share:
    moment = clock.stamp(on, at)
    if before is not None:
        before.superseded_at = moment
        before.save(update_fields=["superseded_at"])
    row = Share.objects.create(project=project, recorded_at=moment, recorded_by=(by.user_label or "")[:200], **values)
    told = lambda s: None if s is None else {"intended": s.intended, "decided": s.decided, "rate": s.rate}  # noqa: E731
    journal.record(
        queries.case_of(exercise, project),
        act,
        by=by,
        on=on,
        at=at,
        why=why,
        before=told(before),
        after={
            "partner": row.partner.key,
            "funder": row.funder.name,
            "instrument": row.instrument,
            **told(row),
            "reference": row.reference,
        },
    )
    return row


def _same(row: Share) -> dict[str, Any]:
    return {
        "partner": row.partner,
        "funder": row.funder,
        "source": row.source,
        "instrument": row.instrument,
        "base": row.base,
        "rate": row.rate,
        "intended": row.intended,
        "decided": row.decided,
        "decided_on": row.decided_on,
        "reference": row.reference,
        "why": row.why,
        "note": row.note,
    }


def _current(partner: Partner, funder: Organisation, instrument: str) -> Share | None:
    return (
        Share.objects.filter(partner=partner, funder=funder, instrument=instrument, superseded_at__isnull=True)
        .select_related("partner__organisation", "funder")
        .first()
    )


def _require_seen(before: Share | None, seen: int | None, amount: Decimal) -> None:
    if seen is not None and seen != (before.pk if before is not None else 0):
        theirs = before.decided if before is not None and before.decided is not None else before and before.intended
        raise Conflict(
            T(
                "Cette ligne a changé entre-temps ({who}) : elle est à {a}.",
                "This line changed meanwhile ({who}): it is {a}.",
                who=(before.recorded_by if before is not None else "") or "–",
                a=rules.Money(theirs),
            ),
            theirs=str(theirs),
            yours=str(amount),
        )


def source_of(funder: Organisation, exercise: Exercise) -> str:
    """Whose money it is, by what the funder is: an authority of a level, the fund or a State service, else other."""
    if funder.pk == exercise.fund_id or funder.kind == "state_service":
        return "state"
    if funder.kind == "authority":
        return {"region": "region", "department": "department", "": "region"}.get(funder.level, "city")
    return "other"


def base_of(partner: Partner) -> Decimal | None:
    """The eligible base of a partner: the sum of its budget; None while it has none."""
    amounts = list(partner.budget.values_list("amount", flat=True))
    return sum(amounts, ZERO) if amounts else None


def spread_state(project: Project, total: Decimal) -> dict[tuple[int, int, str], Decimal]:
    """What a scenario's total for a project gives each of the State's cells: in proportion to what is intended, to the cent.

    Raises:
        Refused: the State has no intention to share by.
    """
    cells = list(
        Share.objects.filter(project=project, source="state", superseded_at__isnull=True, intended__gt=0).order_by("pk")
    )
    if not cells:
        raise Refused(
            T(
                "{p} : l'État n'a pas d'intention, un total ne se répartit pas.",
                "{p}: the State has no intention, a total cannot be shared out.",
                p=project.acronym,
            )
        )
    parts = rules.split(total, [cell.intended for cell in cells])
    return {(c.partner_id, c.funder_id, c.instrument): part for c, part in zip(cells, parts, strict=True)}


# -- scenarios ------------------------------------------------------------------------------------------------------


def save_scenario(
    exercise: Exercise,
    name: str,
    entries: Sequence[rules.Entry],
    *,
    by: Actor,
    on: dt.date,
    note: str = "",
    amounts: Mapping[tuple[int, int, str], Decimal] | None = None,
    scenario: Scenario | None = None,
    rev: int | None = None,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Scenario:
    """Save a list that is being studied; it may be incomplete or beyond the envelope: nothing is decided.

    ``entries`` name projects by their id. ``amounts`` are those that the scenario changes, by (partner, funder, instrument).

    Raises:
        Refused: a name taken, a project of another call or twice, a scenario that is no longer a draft.
        Conflict: somebody changed it meanwhile.
    """
    if not by.can("selection.decide"):
        access.may_manage(by)
    name = _line(name, T("nom du scénario", "name of the scenario"))[:120]
    with transaction.atomic():
        exercise = _locked(exercise)
        _require_assessing(exercise)
        known = set(Project.objects.filter(call=exercise.call, state="admissible").values_list("pk", flat=True))
        seen: set[int] = set()
        for entry in entries:
            if (
                entry.project not in known
                or entry.project in seen
                or entry.outcome not in ("selected", "reserve", "rejected")
            ):
                raise Refused(
                    T(
                        "Une ligne du scénario ne tient pas : projet d'un autre appel, nommé deux fois, ou issue inconnue.",
                        "A line of the scenario does not hold: project of another call, named twice, or unknown outcome.",
                    ),
                    kind="input",
                )
            seen.add(entry.project)
        try:
            with transaction.atomic():
                if scenario is None:
                    row = Scenario.objects.create(
                        exercise=exercise,
                        name=name,
                        note=_text(note, T("remarque", "remark")),
                        made_at=clock.stamp(on, at),
                        made_by=(by.user_label or "")[:200],
                        simulated=simulated,
                    )
                else:
                    row = Scenario.objects.select_for_update().get(pk=scenario.pk, exercise=exercise)
                    if row.state != "draft":
                        raise Refused(
                            T("Ce scénario n'est plus à l'étude.", "This scenario is no longer being studied.")
                        )
                    if rev is not None and row.rev != rev:
                        raise Conflict(
                            T("Le scénario a changé entre-temps.", "The scenario changed meanwhile."),
                            theirs=str(row.rev),
                            yours=str(rev),
                        )
                    row.name, row.note, row.rev = name, _text(note, T("remarque", "remark")), row.rev + 1
                    row.save()
        except IntegrityError:
            raise Refused(
                T("Un scénario porte déjà ce nom : « {n} ».", "A scenario has this name already: “{n}”.", n=name),
                kind="input",
            ) from None
        row.lines.all().delete()
        ScenarioLine.objects.bulk_create(
            ScenarioLine(
                scenario=row,
                project_id=e.project,
                outcome=e.outcome,
                rank=e.rank if e.outcome == "reserve" else None,
                reasons=_text(e.reasons, T("motifs", "reasons")),
            )
            for e in entries
        )
        if amounts is not None:
            row.amounts.all().delete()
            ScenarioAmount.objects.bulk_create(
                ScenarioAmount(
                    scenario=row,
                    partner_id=partner,
                    funder_id=funder,
                    instrument=instrument,
                    amount=rules.cents(value, where=T("montant du scénario", "amount of the scenario")),
                )
                for (partner, funder, instrument), value in amounts.items()
            )
        journal.record(
            exercise.case,
            "selection.scenario",
            by=by,
            on=on,
            at=at,
            after={
                "scenario": row.name,
                "selected": sum(1 for e in entries if e.outcome == "selected"),
                "reserve": sum(1 for e in entries if e.outcome == "reserve"),
                "rejected": sum(1 for e in entries if e.outcome == "rejected"),
            },
        )
        return row


def drop_scenario(scenario: Scenario, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Scenario:
    """Drop a scenario that is no longer studied; it stays readable.

    Raises:
        Refused: it is chosen or dropped already.
    """
    if not by.can("selection.decide"):
        access.may_manage(by)
    with transaction.atomic():
        row = Scenario.objects.select_for_update().select_related("exercise__call").get(pk=scenario.pk)
        row.state = workflow.check(states.SCENARIO_MOVES, states.SCENARIO_STATES, "drop", row.state).target
        row.save(update_fields=["state"])
        journal.record(row.exercise.case, "selection.drop_scenario", by=by, on=on, at=at, after={"scenario": row.name})
        return row


# -- the list -------------------------------------------------------------------------------------------------------


def decide_list(
    scenario: Scenario,
    *,
    by: Actor,
    on: dt.date,
    reference: str = "",
    at: dt.datetime | None = None,
    rev: int | None = None,
    simulated: bool = False,
) -> Exercise:
    """Decide the list of a call from a scenario, whole or not at all.

    Every admissible project is selected, put on the reserve list or rejected; the State's money of those selected is decided;
    each partner's letter is drawn up; the consortia are told.

    Raises:
        Refused: with everything that stands in the way (a project without a word, reasons missing, a ceiling overrun…), or
            because the State's envelope would be overrun.
        Conflict: the scenario changed since it was read.
    """
    with transaction.atomic():
        exercise = _locked(scenario.exercise)
        scenario = Scenario.objects.select_for_update().get(pk=scenario.pk)
        if rev is not None and scenario.rev != rev:
            raise Conflict(
                T("Le scénario a changé depuis que vous l'avez lu.", "The scenario changed since you read it."),
                theirs=str(scenario.rev),
                yours=str(rev),
            )
        projects = {
            p.pk: p
            for p in Project.objects.select_for_update(of=("self",))
            .filter(call=exercise.call, state="admissible")
            .order_by("pk")
        }
        access.may_decide(by, projects.values())
        move = workflow.check(states.MOVES, states.STATES, "decide", exercise.state)
        chosen = workflow.check(states.SCENARIO_MOVES, states.SCENARIO_STATES, "choose", scenario.state)
        entries = [rules.Entry(line.project_id, line.outcome, line.rank, line.reasons) for line in scenario.lines.all()]
        missing = rules.list_faults(entries, {pk: p.acronym for pk, p in projects.items()}, queries.ranks(exercise))
        selected = [projects[e.project] for e in entries if e.outcome == "selected" and e.project in projects]
        overrides = queries.overrides_of(scenario)
        plans = queries.plans(selected, exercise=exercise, overrides=overrides, on=on)
        spent = ZERO
        for project in selected:
            plan = plans[project.pk]
            spent += plan.balance.state
            for partner, check in plan.blocking:
                missing.append(
                    T(
                        "{p}, {o} : {c}",
                        "{p}, {o}: {c}",
                        p=project.acronym,
                        o=partner.organisation.name,
                        c=check.text,
                    )
                )
            if plan.balance.state == 0:
                missing.append(
                    T(
                        "{p} : retenu sans montant de l'État.",
                        "{p}: selected without any amount of the State.",
                        p=project.acronym,
                    )
                )
        if missing:
            raise Refused(
                T("La liste ne peut pas être arrêtée en l'état.", "The list cannot be decided as it stands."),
                missing=missing,
            )
        rules.require_room(
            queries.envelope_of(exercise.call),
            queries.used(exercise.call) + spent,
            whose=queries.title_of(exercise.call),
            day=on,
        )
        moment = clock.stamp(on, at)
        for entry in entries:
            _list(exercise, projects[entry.project], entry, on=on, moment=moment)
        for project in selected:
            _decide_state(exercise, project, plans[project.pk], overrides, reference, by=by, on=on, at=at)
        scenario.state = chosen.target
        scenario.save(update_fields=["state"])
        exercise.state, exercise.decided_on = move.target, on
        exercise.rev += 1
        exercise.save(update_fields=["state", "decided_on", "rev"])
        told = {e.project: e for e in entries}
        journal.record_many(
            {
                "case": project.case,
                "act": "selection.outcome",
                "by": by,
                "on": on,
                "at": moment,
                "why": told[pk].reasons,
                "before": {"state": "admissible"},
                "after": {"state": told[pk].outcome, "rank": told[pk].rank, "call": exercise.call.code},
            }
            for pk, project in projects.items()
        )
        journal.record(
            exercise.case,
            "selection.decide",
            by=by,
            on=on,
            at=at,
            why=reference,
            after={
                "scenario": scenario.name,
                "selected": len(selected),
                "reserve": sum(1 for e in entries if e.outcome == "reserve"),
                "rejected": sum(1 for e in entries if e.outcome == "rejected"),
                "amount": spent,
                "envelope": queries.envelope_of(exercise.call),
            },
        )
        for kind in ("selected", "reserve", "rejected"):
            some = [projects[e.project] for e in entries if e.outcome == kind]
            _letters(exercise, some, kind, told, by=by, on=on, moment=moment)
        return exercise


MOVES_OF = {"selected": "select", "reserve": "reserve", "rejected": "reject", "lost": "abandon"}
"""The move of the project (``projects.states``) that each outcome of the list makes."""


def _list(exercise: Exercise, project: Project, entry: rules.Entry, *, on: dt.date, moment: dt.datetime) -> None:
    Listed.objects.filter(project=project, superseded_at__isnull=True).update(superseded_at=moment)
    Listed.objects.create(
        exercise=exercise,
        project=project,
        outcome=entry.outcome,
        rank=entry.rank if entry.outcome == "reserve" else None,
        reasons=entry.reasons,
        on=on,
        recorded_at=moment,
        simulated=project.simulated,
    )
    move = workflow.check(
        project_states.MOVES, project_states.STATES, MOVES_OF[entry.outcome], project.state, entry.reasons
    )
    project.state = move.target
    project.decided_on = on
    project.save(update_fields=["state", "decided_on"])


def _decide_state(
    exercise: Exercise,
    project: Project,
    plan: queries.Plan,
    overrides: Mapping[tuple[int, int, str], Decimal],
    reference: str,
    *,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None,
) -> None:
    """Turn the State's intentions (or the scenario's amounts) into decisions."""
    current = Share.objects.filter(project=project, source="state", superseded_at__isnull=True)
    for share in current.select_related("partner__organisation", "funder"):
        amount = overrides.get((share.partner_id, share.funder_id, share.instrument), share.intended)
        if amount is None:
            continue
        _write_share(
            exercise,
            project,
            share,
            act="selection.fund",
            by=by,
            on=on,
            at=at,
            values=_same(share)
            | {
                "decided": amount,
                "decided_on": on,
                "reference": (reference or share.reference)[:160],
                "simulated": share.simulated,
            },
        )


def promote(
    project: Project,
    *,
    by: Actor,
    on: dt.date,
    reason: str,
    at: dt.datetime | None = None,
) -> Listed:
    """Select a project of the reserve list because money returned; the first of the list unless the reason says why not.

    Raises:
        Refused: not on the reserve list, a ceiling or the envelope would be overrun, no reason.
    """
    reason = _text(reason, T("motif", "reason"), needed=True)
    with transaction.atomic():
        exercise = _locked(_exercise(project.call))
        project = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
        access.may_decide(by, [project])
        if exercise.state == "assessment" or project.state != "reserve":
            raise Refused(
                T(
                    "Ce projet n'est pas sur une liste complémentaire.",
                    "This project is not on a reserve list.",
                )
            )
        before = Listed.objects.get(project=project, superseded_at__isnull=True)
        plan = queries.plans([project], exercise=exercise, on=on)[project.pk]
        if plan.blocking:
            raise _ceiling_refusal(plan.blocking)
        if plan.balance.state == 0:
            raise Refused(T("Aucun montant de l'État n'est prévu.", "No amount of the State is planned."))
        rules.require_room(
            queries.envelope_of(exercise.call),
            queries.used(exercise.call, but=project.pk) + plan.balance.state,
            whose=queries.title_of(exercise.call),
            day=on,
        )
        moment = clock.stamp(on, at)
        skipped = list(
            Listed.objects.filter(
                exercise=exercise, outcome="reserve", superseded_at__isnull=True, rank__lt=before.rank
            ).values_list("project__acronym", flat=True)
        )
        entry = rules.Entry(project.pk, "selected", None, reason)
        _list(exercise, project, entry, on=on, moment=moment)
        _decide_state(exercise, project, plan, {}, "", by=by, on=on, at=at)
        journal.record(
            project.case,
            "selection.promote",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={"state": "reserve", "rank": before.rank},
            after={"state": "selected", "passed_over": skipped, "amount": plan.balance.state},
        )
        _letters(exercise, [project], "promoted", {project.pk: entry}, by=by, on=on, moment=moment)
        return Listed.objects.get(project=project, superseded_at__isnull=True)


def release(project: Project, *, by: Actor, on: dt.date, reason: str, at: dt.datetime | None = None) -> Listed:
    """End the selection of a project whose file was not completed or that gave up; its decided money returns.

    Raises:
        Refused: not a selected project, or no reason.
    """
    reason = _text(reason, T("motif", "reason"), needed=True)
    with transaction.atomic():
        exercise = _locked(_exercise(project.call))
        project = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
        access.may_decide(by, [project])
        if project.state != "selected":
            raise Refused(
                T(
                    "Seul un projet retenu dont les travaux n'ont pas commencé peut perdre sa sélection.",
                    "Only a selected project whose work has not begun can lose its selection.",
                )
            )
        moment = clock.stamp(on, at)
        returned = ZERO
        shares = Share.objects.filter(project=project, superseded_at__isnull=True, decided__gt=0)
        for share in shares.select_related("partner__organisation", "funder"):
            returned += share.decided if share.source == "state" else ZERO
            _write_share(
                exercise,
                project,
                share,
                act="selection.fund",
                by=by,
                on=on,
                at=at,
                why=reason,
                values=_same(share) | {"decided": ZERO, "decided_on": on, "simulated": share.simulated},
            )
        entry = rules.Entry(project.pk, "lost", None, reason)
        _list(exercise, project, entry, on=on, moment=moment)
        journal.record(
            project.case,
            "selection.release",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={"state": "selected"},
            after={"state": project.state, "amount": returned},
        )
        _letters(exercise, [project], "lost", {project.pk: entry}, by=by, on=on, moment=moment)
        return Listed.objects.get(project=project, superseded_at__isnull=True)


def announce(exercise: Exercise, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Exercise:
    """Announce the results: from now on the page of results is public.

    Raises:
        Refused: the list is not decided, or announced already.
    """
    access.may_decide(by)
    with transaction.atomic():
        exercise = _locked(exercise)
        exercise.state = workflow.check(states.MOVES, states.STATES, "announce", exercise.state).target
        exercise.announced_on = on
        exercise.save(update_fields=["state", "announced_on"])
        if exercise.call.results_on is None:
            exercise.call.results_on = on
            exercise.call.save(update_fields=["results_on"])
        journal.record(exercise.case, "selection.announce", by=by, on=on, at=at, after={"state": exercise.state})
        return exercise


# -- letters --------------------------------------------------------------------------------------------------------


def _letters(
    exercise: Exercise,
    projects: Sequence[Project],
    kind: str,
    entries: Mapping[int, rules.Entry],
    *,
    by: Actor,
    on: dt.date,
    moment: dt.datetime,
) -> list[SelectionLetter]:
    """Draw up the letter of every partner and tell the people of their organisations."""
    if not projects:
        return []
    texts = letters.drawn(exercise, projects, kind, entries, on=on)
    rows: list[SelectionLetter] = []
    acts: list[dict[str, Any]] = []
    for text in texts:
        frozen = journal.freeze(text.project.case, f"letter-{kind}", text.content, at=moment)
        rows.append(
            SelectionLetter(
                exercise=exercise,
                project=text.project,
                partner=text.partner,
                kind=kind,
                on=on,
                reference=text.reference,
                frozen=frozen,
                simulated=text.project.simulated,
            )
        )
        acts.append(
            {
                "case": text.project.case,
                "act": "selection.letter",
                "by": by,
                "on": on,
                "at": moment,
                "after": {
                    "kind": kind,
                    "reference": text.reference,
                    "partner": text.partner.key,
                    "sha256": frozen.sha256,
                },
            }
        )
    SelectionLetter.objects.bulk_create(rows, batch_size=200)
    journal.record_many(acts)
    _tell_consortia(rows, on)
    return rows


def _tell_consortia(rows: Sequence[SelectionLetter], on: dt.date) -> None:
    """One message to everybody who drafts projects for an organisation that got a letter."""
    roles = [role.code for role in policy().roles_with("project.draft")]
    organisations = {row.partner.organisation_id for row in rows}
    people: dict[int, list[User]] = {}
    mandates = (
        Mandate.objects.filter(
            organisation_id__in=organisations, role__in=roles, revoked_at__isnull=True, starts_on__lte=on
        )
        .exclude(ends_on__lt=on)
        .select_related("user")
        .order_by("id")
    )
    for mandate in mandates:
        people.setdefault(mandate.organisation_id, []).append(mandate.user)
    for row in rows:
        for user in interests.recipients(row.project.case, people.get(row.partner.organisation_id, [])):
            _post(user, messages.letter(row), row.project.case)


def _post(user: User, message: tuple[Text, Text], case: str) -> None:
    with speaking(user.language):
        outbox.post(user.email, str(message[0]), str(message[1]), case=case)


# -- what the acts share --------------------------------------------------------------------------------------------


def _exercise(call: Call | None) -> Exercise:
    found = queries.exercise_of(call) if call is not None else None
    if found is None:
        raise Refused(
            T(
                "La sélection de cet appel n'est pas ouverte.",
                "The selection of this call is not open.",
            )
        )
    return found


def _locked(exercise: Exercise) -> Exercise:
    return Exercise.objects.select_for_update(of=("self",)).select_related("call", "fund").get(pk=exercise.pk)


def _require_assessing(exercise: Exercise) -> None:
    if exercise.state != "assessment":
        raise Refused(
            T(
                "La liste est arrêtée : l'instruction est close.",
                "The list is decided: the assessment is over.",
            )
        )


def _require_in(exercise: Exercise, project: Project) -> None:
    if project.call_id != exercise.call_id or project.state != "admissible":
        raise Refused(
            T(
                "« {p} » n'est pas un projet recevable de cet appel.",
                "“{p}” is no admissible project of this call.",
                p=project.acronym,
            )
        )


def _require_partner(project: Project, partner: Partner) -> None:
    if partner.project_id != project.pk or partner.left_on is not None:
        raise Refused(
            T("Ce partenaire n'est plus du projet.", "This partner is no longer in the project."), kind="input"
        )


def _text(text: Any, where: Any, *, needed: bool = False) -> str:
    text = str(text or "").replace("\r\n", "\n").replace("\x00", "").strip()
    if needed and not text:
        raise Refused(T("Il manque : {w}.", "Missing: {w}.", w=where), kind="input")
    if len(text) > LONGEST:
        raise Refused(
            T(
                "« {w} » est trop long : {n} caractères, au plus {max}. Rien n'a été enregistré.",
                "“{w}” is too long: {n} characters, at most {max}. Nothing was saved.",
                w=where,
                n=len(text),
                max=LONGEST,
            ),
            kind="input",
        )
    return text


def _line(text: Any, where: Any) -> str:
    return " ".join(_text(text, where, needed=True).split())[:200]


def decimal_of(text: Any, *, where: Any) -> Decimal | None:
    """A number as typed (French comma and spaces accepted); None when nothing is typed.

    Raises:
        Refused: it is not a number.
    """
    cleaned = str(text if text is not None else "").strip()
    if not cleaned:
        return None
    compact = "".join(cleaned.replace("\u202f", "").replace("\xa0", "").replace("€", "").replace("%", "").split())
    try:
        value = Decimal(compact.replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or len(compact) > 20:
        raise Refused(
            T(
                "{w} : « {v} » n'est pas un nombre ; attendu, par exemple 12 500,50.",
                "{w}: “{v}” is not a number; expected for example 12 500.50.",
                w=where,
                v=cleaned[:40],
            ),
            kind="input",
        )
    return value
