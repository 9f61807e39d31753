"""Acts of the contradictory procedure: findings, notification, replies, silence, positions, closing; sealed at each end.

The same acts serve evaluations and reviews of contracts. Who runs the procedure is who runs its campaign, or the review.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from jalon.core import clock, files as stored, journal, workflow
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.models import StoredFile
from jalon.evaluations import access, messages, queries, rules, shared, states
from jalon.evaluations.models import Evaluation, Extension, Finding, Hearing, Reply, Review
from jalon.evaluations.queries import case_of_hearing
from jalon.people.access import Actor, policy


def about(hearing: Hearing) -> Text:
    """What a hearing is about, in words."""
    if hearing.evaluation_id:
        return queries.campaign_title(hearing.evaluation.campaign)
    return T("{k}, « {c} »", "{k}, “{c}”", k=states.REVIEW_KINDS[hearing.review.kind], c=hearing.review.contract.title)


def _policy_day(hearing: Hearing, on: dt.date) -> Any:
    return policy().on(on)


def may_run(actor: Actor, hearing: Hearing, on: dt.date) -> None:
    """Raise NotAllowed unless the actor writes findings and positions here.

    An evaluator of the cluster does in an evaluation, whoever runs it too; the officer or correspondent in a review.
    """
    if hearing.review_id:
        access.may_review(actor, hearing.review.contract, on)
    elif not access.manages(actor, hearing.evaluation.campaign):
        access.may_score(actor, hearing.evaluation, on)


def may_decide(actor: Actor, hearing: Hearing, on: dt.date) -> None:
    """Raise NotAllowed unless the actor notifies, extends and closes: whoever runs the campaign or the review."""
    if hearing.review_id:
        access.may_review(actor, hearing.review.contract, on)
    else:
        access.may_manage(actor, hearing.evaluation.campaign)


def _may_reply(actor: Actor, hearing: Hearing, on: dt.date) -> None:
    access.may_reply(actor, hearing.cluster, on, "review.reply" if hearing.review_id else "evaluation.reply")


# -- findings ---------------------------------------------------------------------------------


@transaction.atomic
def begin(thing: Evaluation | Review, *, by: Actor, on: dt.date) -> Hearing:
    """The hearing of an evaluation or a review, made when its first finding is written.

    Raises:
        Refused: the evaluation is not at a stage where findings are written, or the review is concluded.
    """
    found = queries.hearing_of(thing)
    if found is not None:
        return found
    if isinstance(thing, Evaluation):
        thing = shared.lock_evaluation(thing)
        if thing.state not in ("scoring", "consensus"):
            raise Refused(
                T(
                    "Des constats s'écrivent pendant la notation ou le consensus ; l'évaluation est « {s} ».",
                    "Findings are written while scoring or during the consensus; the evaluation is “{s}”.",
                    s=states.TITLES[thing.state],
                )
            )
        hearing = Hearing(evaluation=thing, cluster=thing.cluster, simulated=thing.simulated)
    else:
        thing = shared.lock_review(thing)
        if thing.state != "open":
            raise Refused(T("Cet examen est conclu.", "This review is concluded."))
        hearing = Hearing(review=thing, cluster=thing.contract.cluster, simulated=thing.simulated)
    may_run(by, hearing, on)
    hearing.save()
    return shared.lock_hearing(hearing)


@transaction.atomic
def write_finding(
    thing: Evaluation | Review | Hearing,
    *,
    text: str,
    by: Actor,
    on: dt.date,
    number: int | None = None,
    question: str = "",
    about: str = "",
    evidence: str = "",
    rev: int | None = None,
) -> Finding:
    """Write a finding, or change the one of that ``number``, while findings are being drafted. Findings number themselves.

    Args:
        question: the sub-question of the grid it bears on (``governance/board``), if it does.
        about: a few words that name it; those of the question without them.
        evidence: where it is seen (pages of the pack, of a report, an interview).

    Raises:
        Refused: no text, unknown question, or the findings are notified.
        Conflict: somebody saved it meanwhile.
    """
    hearing = shared.lock_hearing(thing if isinstance(thing, Hearing) else begin(thing, by=by, on=on))
    may_run(by, hearing, on)
    _drafting(hearing)
    text = shared.clean(text, T("le constat", "the finding"))
    if question:
        grid = queries.grid_of(hearing.evaluation.campaign) if hearing.evaluation_id else None
        try:
            if grid is None:
                raise KeyError(question)
            about = about or str(grid.question(question)[1].title)
        except KeyError:
            raise Refused(T("La question « {q} » n'est pas dans la grille.", "The question “{q}” is not in the grid.", q=question), kind="input") from None  # fmt: skip
    if number is None:
        last = Finding.objects.filter(hearing=hearing).order_by("-number").values_list("number", flat=True).first()
        row = Finding(hearing=hearing, number=(last or 0) + 1)
    else:
        row = Finding.objects.select_for_update().get(hearing=hearing, number=number)
        shared.seen_rev(row.rev, rev, theirs=row.text, yours=text)
    row.text, row.question, row.about = text, question, about.strip()[:255]
    row.evidence = shared.clean(evidence, T("la pièce", "the evidence"), needed=False)
    row.rev += 1
    row.save()
    return row


@transaction.atomic
def drop_finding(finding: Finding, *, by: Actor, on: dt.date) -> Finding:
    """Take a finding out while drafting; its number is not given again."""
    hearing = shared.lock_hearing(finding.hearing)
    may_run(by, hearing, on)
    _drafting(hearing)
    finding.dropped = True
    finding.save(update_fields=["dropped"])
    return finding


def _drafting(hearing: Hearing) -> None:
    if hearing.state != "drafting":
        raise Refused(
            T(
                "Les constats sont notifiés : ils ne changent plus que par une position motivée.",
                "The findings are notified: they only change by a position with its reasons.",
            )
        )


@transaction.atomic
def notify(
    hearing: Hearing,
    *,
    by: Actor,
    on: dt.date,
    summary: str = "",
    due_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> Hearing:
    """Notify the findings to the cluster: they are frozen, numbered, and the delay to reply begins.

    Args:
        summary: the provisional report's summary, or the letter's words.
        due_on: last day to reply when more than the policy's delay is left, or where the policy has none.

    Raises:
        Refused: no finding; a mark below a pass that no finding tells (evaluations whose rule reads marks); not in draft any more.
    """
    hearing = shared.lock_hearing(hearing)
    may_decide(by, hearing, on)
    move = workflow.check(states.HEARING_MOVES, states.HEARING_STATES, "notify", hearing.state)
    findings = queries.findings_of(hearing)
    if not findings:
        raise Refused(T("Aucun constat n'est écrit.", "No finding is written."))
    moment = shared.moment(on, at)
    if hearing.evaluation_id:
        evaluation = shared.lock_evaluation(hearing.evaluation)
        step = workflow.check(states.MOVES, states.STATES, "notify", evaluation.state)
        ruled = queries.classified(evaluation)
        hidden = rules.contestable(ruled.unmet, [f.question for f in findings]) if ruled is not None else []
        if hidden:
            grid = queries.grid_of(evaluation.campaign)
            raise Refused(
                T(
                    "Une note en dessous du seuil se dit dans un constat, pour que le pôle puisse y répondre.",
                    "A mark below a pass is told in a finding, so that the cluster can reply to it.",
                ),
                missing=[grid.question(q)[1].title for q in hidden],
            )
        evaluation.state = step.target
        evaluation.save(update_fields=["state"])
    else:
        review = shared.lock_review(hearing.review)
        step = workflow.check(states.REVIEW_MOVES, states.REVIEW_STATES, "notify", review.state)
        review.state = step.target
        review.save(update_fields=["state"])
    place = shared.overseas_of(hearing.cluster, on)[1]
    due = rules.deadline("evaluations.reply_after", on, _policy_day(hearing, on), given=due_on, place=place)
    case = case_of_hearing(hearing)
    hearing.summary = shared.clean(summary, T("la synthèse", "the summary"), needed=False)
    content = {
        "about": about(hearing),
        "cluster": hearing.cluster.slug,
        "summary": hearing.summary,
        "notified_on": on,
        "due_on": due.on,
        "findings": [
            {"number": f.number, "question": f.question, "about": f.about, "text": f.text, "evidence": f.evidence}
            for f in findings
        ],
    }
    hearing.provisional = journal.freeze(case, "hearing.findings", content, at=moment)
    hearing.state, hearing.notified_on, hearing.notified_by = move.target, on, by.user_label[:200]
    hearing.due_on, hearing.why = due.on, why_kept(due.why)
    hearing.save()
    journal.record(
        case, "hearing.notify", by=by, on=on, at=moment,
        after={"findings": len(findings), "due_on": due.on, "sha256": hearing.provisional.sha256},
    )  # fmt: skip
    shared.tell(_pole(hearing, on), messages.notified(hearing.cluster.name, about(hearing), due.on), case)
    return hearing


def why_kept(why: Any) -> dict[str, Any]:
    """An explanation as plain values, kept beside the day it explains."""
    return {
        "rule": {"fr": why.rule.in_language("fr"), "en": why.rule.in_language("en")} if isinstance(why.rule, Text) else why.rule,
        "parameter": why.parameter,
        "value": str(why.value) if why.value is not None else "",
        "unit": why.unit,
        "reference": why.reference,
        "url": why.url,
        "day": why.day.isoformat() if why.day else "",
        "steps": [{"fr": s.in_language("fr"), "en": s.in_language("en")} if isinstance(s, Text) else str(s) for s in why.steps],
        "reading": why.reading,
    }  # fmt: skip


def _pole(hearing: Hearing, on: dt.date) -> list[Any]:
    return shared.pole_people(hearing.cluster_id, "review.reply" if hearing.review_id else "evaluation.reply", on)


def _runners(hearing: Hearing, on: dt.date) -> list[Any]:
    """Those who take position: the evaluators of the cluster and whoever runs the campaign; the correspondents for a review."""
    if hearing.review_id:
        return shared.correspondents(hearing.cluster_id, on)
    evaluation = hearing.evaluation
    users = {u.pk: u for u in shared.managers(evaluation.campaign, on)}
    for sheet in evaluation.sheets.all():
        users |= {u.pk: u for u in shared.people_of(sheet.evaluator_id, "evaluation.score", on)}
    return list(users.values())


# -- the cluster's replies --------------------------------------------------------------------


@transaction.atomic
def save_reply(
    finding: Finding,
    *,
    text: str,
    contests: bool = True,
    rev: int | None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Reply:
    """Write the reply to a finding, as often as needed until the replies are sent. It can be written late, never sent late.

    Raises:
        NotAllowed: the actor does not answer for the cluster.
        Refused: replies are sent already, or the findings are not notified.
        Conflict: a colleague saved it meanwhile.
    """
    hearing = shared.lock_hearing(finding.hearing)
    _may_reply(by, hearing, on)
    _awaiting(hearing)
    text = shared.clean(text, T("la réponse", "the reply"), needed=False)
    row = Reply.objects.select_for_update().filter(finding=finding, late=False).first()
    moment = shared.moment(on, at)
    if row is None:
        row = Reply(finding=finding, updated_at=moment)
    if row.pk and (row.text, row.contests) == (text, contests):
        return row
    shared.seen_rev(row.rev, rev, theirs=row.text, yours=text)
    row.text, row.contests, row.rev = text, contests, row.rev + 1
    row.updated_at, row.user_label = moment, by.user_label[:200]
    row.save()
    return row


@transaction.atomic
def add_document(
    finding: Finding, upload: Any, name: str, *, by: Actor, on: dt.date, title: str = "", at: dt.datetime | None = None
) -> StoredFile:
    """Add a document to the reply to a finding (a file handed in; see :mod:`jalon.core.files`).

    Raises:
        Refused: the delay has passed, replies are sent, or the file is not accepted.
    """
    hearing = shared.lock_hearing(finding.hearing)
    _may_reply(by, hearing, on)
    _awaiting(hearing)
    moment = shared.moment(on, at)
    rules.in_time(hearing.due_on, moment, clock.end_of_day)
    row, _ = Reply.objects.get_or_create(finding=finding, late=False, defaults={"updated_at": moment, "user_label": by.user_label[:200]})  # fmt: skip
    kept = stored.store(upload, name, case=case_of_hearing(hearing), by=by, title=title, at=moment, simulated=hearing.simulated)  # fmt: skip
    row.files.add(kept)
    return kept


def _awaiting(hearing: Hearing) -> None:
    if hearing.state == "notified":
        return
    raise Refused(
        T(
            "Le pôle répond entre la notification et l'envoi de ses réponses ; la procédure en est à « {s} ».",
            "The cluster replies between the notification and sending its replies; the procedure is at “{s}”.",
            s=states.HEARING_TITLES[hearing.state],
        )
    )


@transaction.atomic
def send_replies(hearing: Hearing, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Hearing:
    """Send the replies as they are written: from then on they no longer change, and the positions are awaited.

    Findings without a reply count as silence.

    Raises:
        Refused: the delay ended (at midnight in Paris), nothing is written, or replies are sent already.
    """
    hearing = shared.lock_hearing(hearing)
    _may_reply(by, hearing, on)
    _awaiting(hearing)
    moment = shared.moment(on, at)
    rules.in_time(hearing.due_on, moment, clock.end_of_day)
    rows = [r for r in Reply.objects.filter(finding__hearing=hearing, late=False).prefetch_related("files").select_related("finding") if r.text or r.files.all()]  # fmt: skip
    if not rows:
        raise Refused(T("Aucune réponse n'est écrite.", "No reply is written."))
    move = workflow.check(states.HEARING_MOVES, states.HEARING_STATES, "reply", hearing.state)
    Reply.objects.filter(pk__in=[r.pk for r in rows]).update(state="sent", sent_on=on)
    case = case_of_hearing(hearing)
    content = {
        "replies": [
            {"number": r.finding.number, "contests": r.contests, "text": r.text, "files": sorted(f.sha256 for f in r.files.all())}
            for r in sorted(rows, key=lambda r: r.finding.number)
        ],
        "sent_on": on,
        "by": by.user_label,
    }  # fmt: skip
    frozen = journal.freeze(case, "hearing.replies", content, at=moment)
    _replied(hearing, move.target, by=by, on=on, silent=False)
    journal.record(case, "hearing.reply", by=by, on=on, at=moment, after={"replies": len(rows), "sha256": frozen.sha256})  # fmt: skip
    shared.tell(_runners(hearing, on), messages.replied(hearing.cluster.name, about(hearing), False), case)
    return hearing


def _replied(hearing: Hearing, state: str, *, by: Any, on: dt.date, silent: bool) -> None:
    hearing.state, hearing.silent, hearing.replied_on = state, silent, None if silent else on
    hearing.replied_by = "" if silent else (by.user_label or "")[:200]
    delay = _policy_day(hearing, on).find("evaluations.position_after")
    if delay is not None:
        hearing.position_due_on = rules.deadline("evaluations.position_after", on, _policy_day(hearing, on)).on
    hearing.save(update_fields=["state", "silent", "replied_on", "replied_by", "position_due_on"])


@transaction.atomic
def record_late_reply(
    finding: Finding, *, text: str, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Reply:
    """An officer records a reply that came after the delay, and why it is kept. It stands in the file and does not count.

    Raises:
        Refused: the delay still runs (the cluster replies itself), no reason, or the hearing is closed.
    """
    hearing = shared.lock_hearing(finding.hearing)
    may_decide(by, hearing, on)
    text = shared.clean(text, T("la réponse", "the reply"))
    reason = shared.clean(reason, T("le motif", "the reason"))
    moment = shared.moment(on, at)
    if hearing.due_on is None or moment <= clock.end_of_day(hearing.due_on) or hearing.state == "closed":
        raise Refused(
            T(
                "Une réponse tardive se consigne après l'échéance et avant la clôture.",
                "A late reply is recorded after the deadline and before the closing.",
            )
        )
    row = Reply.objects.create(
        finding=finding, state="sent", text=text, sent_on=on, late=True, late_reason=reason, updated_at=moment,
        user_label=by.user_label[:200],
    )  # fmt: skip
    journal.record(
        case_of_hearing(hearing), "hearing.late_reply", by=by, on=on, at=moment, why=reason, after={"finding": finding.number}
    )  # fmt: skip
    return row


@transaction.atomic
def extend(
    hearing: Hearing, *, until: dt.date, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Hearing:
    """Give the cluster more time, with a reason; the earlier deadline stays in the file.

    Raises:
        Refused: no more time than now, more than the policy allows, no reason, or the delay has already passed.
    """
    hearing = shared.lock_hearing(hearing)
    may_decide(by, hearing, on)
    _awaiting(hearing)
    moment = shared.moment(on, at)
    rules.in_time(hearing.due_on, moment, clock.end_of_day)
    first = hearing.extensions.order_by("id").values_list("was_due_on", flat=True).first() or hearing.due_on
    place = shared.overseas_of(hearing.cluster, on)[1]
    rules.extended(hearing.due_on, until, first, reason, _policy_day(hearing, on), place)
    Extension.objects.create(hearing=hearing, was_due_on=hearing.due_on, until=until, reason=reason.strip(), on=on, user_label=by.user_label[:200])  # fmt: skip
    was, hearing.due_on = hearing.due_on, until
    hearing.save(update_fields=["due_on"])
    case = case_of_hearing(hearing)
    journal.record(case, "hearing.extend", by=by, on=on, at=moment, why=reason.strip(), before={"due_on": was}, after={"due_on": until})  # fmt: skip
    shared.tell(_pole(hearing, on), messages.extended(hearing.cluster.name, about(hearing), until), case)
    return hearing


@transaction.atomic
def record_silence(
    hearing: Hearing, *, on: dt.date, by: Any = journal.SYSTEM, at: dt.datetime | None = None
) -> Hearing:
    """The delay passed without a reply: the positions are awaited, and the rule of silence applies. Done by night.

    Raises:
        Refused: the delay still runs, or replies were sent.
    """
    hearing = shared.lock_hearing(hearing)
    if isinstance(by, Actor):
        may_decide(by, hearing, on)
    move = workflow.check(states.HEARING_MOVES, states.HEARING_STATES, "silence", hearing.state)
    if hearing.due_on is None or on <= hearing.due_on:
        raise Refused(
            T("Le délai court jusqu'au {d} à minuit.", "The delay runs until {d} at midnight.", d=hearing.due_on)
        )
    _replied(hearing, move.target, by=by, on=on, silent=True)
    rule = _policy_day(hearing, on).find("evaluations.silence_means")
    case = case_of_hearing(hearing)
    journal.record(case, "hearing.silence", by=by, on=on, at=shared.moment(on, at), after={"due_on": hearing.due_on, "means": rule.value if rule else ""})  # fmt: skip
    shared.tell(_runners(hearing, on), messages.replied(hearing.cluster.name, about(hearing), True), case)
    return hearing


# -- positions --------------------------------------------------------------------------------


@transaction.atomic
def take_position(
    finding: Finding,
    *,
    outcome: str,
    text: str,
    by: Actor,
    on: dt.date,
    final_text: str = "",
    at: dt.datetime | None = None,
) -> Finding:
    """Answer the cluster's reply: the finding is maintained, amended, withdrawn or settled, with reasons.

    Raises:
        Refused: no reasons, an amended finding without its new text, unknown outcome, or the replies are still awaited.
    """
    hearing = shared.lock_hearing(finding.hearing)
    may_run(by, hearing, on)
    if outcome not in states.OUTCOMES:
        raise Refused(T("« {o} » n'est pas une position.", "“{o}” is no position.", o=outcome), kind="input")
    if hearing.state != "replied":
        raise Refused(
            T(
                "Une position se prend après la réponse du pôle, ou son silence à l'échéance ; la procédure en est à « {s} ».",
                "A position is taken after the cluster's reply, or its silence once the delay has passed; the procedure is at “{s}”.",
                s=states.HEARING_TITLES[hearing.state],
            )
        )  # fmt: skip
    finding = Finding.objects.select_for_update().get(pk=finding.pk, dropped=False)
    text = shared.clean(text, T("les motifs de la position", "the reasons of the position"))
    final_text = shared.clean(final_text, T("le texte final", "the final text"), needed=outcome == "amended")
    before = finding.outcome
    finding.outcome, finding.position = outcome, text
    finding.final_text = final_text if outcome == "amended" else finding.text if outcome == "maintained" else ""
    finding.positioned_on, finding.positioned_by = on, by.user_label[:200]
    finding.save()
    journal.record(
        case_of_hearing(hearing), "hearing.position", by=by, on=on, at=shared.moment(on, at),
        before={"finding": finding.number, "outcome": before} if before else None,
        after={"finding": finding.number, "outcome": outcome},
    )  # fmt: skip
    return finding


@transaction.atomic
def close(hearing: Hearing, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Hearing:
    """Close the hearing: every finding has its final position; the whole exchange is sealed.

    Findings that met with silence and have no position take the one that the policy's rule of silence says.

    Raises:
        Refused: a finding that was replied to has no position.
    """
    hearing = shared.lock_hearing(hearing)
    may_decide(by, hearing, on)
    move = workflow.check(states.HEARING_MOVES, states.HEARING_STATES, "close", hearing.state)
    rule = _policy_day(hearing, on).find("evaluations.silence_means")
    findings = queries.findings_of(hearing)
    lacking = []
    for one in findings:
        if one.outcome:
            continue
        replied = any(r.state == "sent" and not r.late for r in one.replies.all())
        if replied or rule is None or rule.value not in states.OUTCOMES:
            lacking.append(T("constat {n} : position attendue", "finding {n}: position awaited", n=one.number))
            continue
        one.outcome, one.positioned_on, one.positioned_by = rule.value, on, by.user_label[:200]
        one.position = str(T("Sans réponse du pôle à l'échéance : règle du silence ({r}).", "No reply from the cluster within the delay: rule of silence ({r}).", r=rule.reference).in_language("fr"))  # fmt: skip
        one.final_text = one.text if one.outcome == "maintained" else ""
    if lacking:
        raise Refused(
            T(
                "Chaque constat auquel le pôle a répondu a droit à une position finale.",
                "Each finding that the cluster replied to is owed a final position.",
            ),
            missing=lacking,
        )
    for one in findings:
        one.save()
    moment = shared.moment(on, at)
    case = case_of_hearing(hearing)
    hearing.state, hearing.closed_on = move.target, on
    hearing.final = journal.freeze(case, "hearing.final", record_of(hearing, findings), at=moment)
    hearing.save()
    counts: dict[str, int] = {}
    for one in findings:
        counts[one.outcome] = counts.get(one.outcome, 0) + 1
    journal.record(
        case, "hearing.close", by=by, on=on, at=moment,
        after={"state": hearing.state, "outcomes": dict(sorted(counts.items())), "sha256": hearing.final.sha256},
    )  # fmt: skip
    shared.tell(_pole(hearing, on), messages.closed(hearing.cluster.name, about(hearing)), case)
    return hearing


def record_of(hearing: Hearing, findings: Sequence[Finding]) -> dict[str, Any]:
    """The whole exchange, paragraph by paragraph, as a plain content."""
    return {
        "about": about(hearing),
        "cluster": hearing.cluster.slug,
        "summary": hearing.summary,
        "notified_on": hearing.notified_on,
        "due_on": hearing.due_on,
        "extensions": [
            {"was_due_on": e.was_due_on, "until": e.until, "reason": e.reason, "on": e.on, "by": e.user_label}
            for e in hearing.extensions.all()
        ],
        "replied_on": hearing.replied_on,
        "silent": hearing.silent,
        "findings": [
            {
                "number": f.number,
                "question": f.question,
                "about": f.about,
                "text": f.text,
                "evidence": f.evidence,
                "replies": [
                    {
                        "text": r.text, "contests": r.contests, "sent_on": r.sent_on, "late": r.late, "late_reason": r.late_reason,
                        "by": r.user_label, "files": sorted(x.sha256 for x in r.files.all()),
                    }
                    for r in f.replies.all() if r.state == "sent"
                ],
                "outcome": f.outcome,
                "position": f.position,
                "final_text": f.final_text,
                "positioned_on": f.positioned_on,
                "positioned_by": f.positioned_by,
            }
            for f in findings
        ],
        "interviews": [
            {"held_on": i.held_on, "participants": i.participants, "sha256": i.frozen.sha256}
            for i in (hearing.evaluation.interviews.select_related("frozen") if hearing.evaluation_id else hearing.interviews.select_related("frozen"))
        ],
    }  # fmt: skip
