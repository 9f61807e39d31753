"""The acts on decisions: access, rule, writes, journal, in one transaction.

``on`` is the day of the act, ``at`` its moment (given by loaders and by the replay only). Every act locks the file first, so
that of two people who act at the same moment the second sees what the first did.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from jalon.clusters.models import Cluster, Label, LabelAct
from jalon.core import clock, journal
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.workflow import check
from jalon.decisions import access, effects, letters, messages, rules, states
from jalon.decisions.models import Appeal, Candidacy, Decision, Effect, Line, Notice, Opinion
from jalon.evaluations.shared import overseas_of
from jalon.interests.access import require_not_recused
from jalon.people.access import Actor, policy
from jalon.policy.faults import day_text


@dataclass(frozen=True)
class NewLine:
    """What is asked for one label, application or new cluster (see :class:`~jalon.decisions.models.Line`)."""

    kind: str
    effective_from: dt.date
    until: dt.date | None = None
    cluster: Cluster | None = None
    label: Label | None = None
    candidacy: Candidacy | None = None
    group: str = ""
    conditions: str = ""
    conditions_due_on: dt.date | None = None
    reasons: str = ""
    terms: dict[str, Any] = field(default_factory=dict)
    basis: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> rules.LineFacts:
        """The plain values that the rules read."""
        return rules.LineFacts(
            kind=self.kind,
            starts=self.effective_from,
            until=self.until,
            label=self.label is not None,
            candidacy=self.candidacy is not None,
            named=bool(self.cluster or self.terms.get("name")),
            conditions=self.conditions,
            reasons=self.reasons,
        )


def facts_of(line: Line) -> rules.LineFacts:
    """The same of a stored line."""
    return rules.LineFacts(
        kind=line.kind,
        starts=line.effective_from,
        until=line.until,
        label=line.label_id is not None,
        candidacy=line.candidacy_id is not None,
        named=bool(line.cluster_id or line.terms.get("name")),
        conditions=line.conditions,
        reasons=line.reasons,
    )


def _lock(decision: Decision, rev: int | None = None) -> Decision:
    """The file as it stands, held to the end of the transaction.

    Raises:
        Conflict: it changed since the revision that the actor read.
    """
    found = Decision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
    if rev is not None and found.rev != rev:
        raise Conflict(
            T(
                "Le dossier a changé depuis que vous l'avez lu : il est « {s} ». Relisez-le avant d'agir.",
                "The file changed since you read it: it is “{s}”. Read it again before you act.",
                s=states.TITLES[found.state],
            ),
            theirs=found.rev,
            yours=rev,
        )
    return found


def _programme_decides() -> Any:
    part = rules.part_of(policy())
    if part is None:
        raise Refused(
            T(
                "La politique de ce programme ne dit rien des décisions sur les labels (decisions.yaml).",
                "The policy of this programme says nothing of decisions on labels (decisions.yaml).",
            )
        )
    return part


def _refuse(found: Sequence[rules.Refusal]) -> None:
    if found:
        raise Refused(found[0][0], why=found[0][1], missing=[r for r, _ in found[1:]], kind="rule")


def free_slug(wanted: str) -> str:
    """A short name that no file has yet."""
    slug, n = wanted[:76], 1
    while Decision.objects.filter(slug=slug).exists():
        n += 1
        slug = f"{wanted[:74]}-{n}"
    return slug


# --- proposing -----------------------------------------------------------------------------------------------------


@transaction.atomic
def open_decision(
    *,
    title: str,
    slug: str,
    lines: Iterable[NewLine] = (),
    by: Actor,
    on: dt.date,
    grounds: str = "",
    campaign: str = "",
    national: str = "",
    sources: Sequence[str] = (),
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Decision:
    """Open a file with its proposal: one label or several, from an evaluation (``campaign``) or free with its grounds.

    Raises:
        NotAllowed: the role proposes no decision.
        Refused: no title, neither campaign nor grounds, or a line that a rule forbids.
    """
    by.require("decision.propose")
    _programme_decides()
    if not title.strip():
        raise Refused(T("Un dossier a un intitulé.", "A file has a title."), kind="input")
    if not campaign and not grounds.strip():
        raise Refused(
            T(
                "Une proposition repose sur une évaluation, ou dit ses motifs : ni l'une ni les autres ne sont donnés.",
                "A proposal rests on an evaluation or says its grounds: neither is given.",
            ),
            kind="input",
        )
    decision = Decision.objects.create(
        programme=policy().slug,
        slug=free_slug(slug),
        title=title.strip()[:255],
        campaign=campaign,
        grounds=grounds.strip(),
        national=national,
        sources=list(sources),
        proposed_by=by.user_label[:200],
        created_at=clock.stamp(on, at),
        simulated=simulated,
    )
    journal.record(
        decision.case,
        "decision.open",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        why=grounds.strip(),
        after={"title": decision.title, "campaign": campaign},
    )
    lines = list(lines)
    if lines:
        set_lines(decision, lines, by=by, on=on, at=at)
        decision.refresh_from_db()
    return decision


@transaction.atomic
def set_lines(
    decision: Decision,
    lines: Iterable[NewLine],
    *,
    by: Actor,
    on: dt.date,
    rev: int | None = None,
    at: dt.datetime | None = None,
) -> Decision:
    """Write the proposal anew. Every line is judged by the rules of its own dates; the first refusal names the line.

    Raises:
        Refused: not a draft; a label twice; a line that a rule forbids. Conflict: the file changed meanwhile.
    """
    by.require("decision.propose")
    decision = _lock(decision, rev)
    _must_be(decision, "draft", "submit")
    lines = list(lines)
    laws = policy()
    seen: set[tuple[Any, str]] = set()
    for number, line in enumerate(lines, 1):
        name = _said(line)
        found = rules.line_refusals(laws, line.facts(), on)
        if found:
            raise Refused(
                T("Ligne {n}, « {c} » : {r}", "Line {n}, “{c}”: {r}", n=number, c=name, r=found[0][0]),
                why=found[0][1],
                missing=[r for r, _ in found[1:]],
                kind="input",
            )
        key = (line.label.pk if line.label else line.terms.get("code") or name, line.kind)
        if key in seen:
            raise Refused(T("« {c} » figure deux fois.", "“{c}” stands twice.", c=name), kind="input")
        seen.add(key)
    last: dict[int, int] = {}
    for pk, label in LabelAct.objects.filter(
        label__in=[line.label.pk for line in lines if line.label], superseded_at=None
    ).values_list("pk", "label_id"):
        last[label] = max(pk, last.get(label, 0))
    decision.lines.all().delete()
    Line.objects.bulk_create(
        Line(
            decision=decision,
            order=order,
            kind=line.kind,
            cluster=line.cluster,
            label=line.label,
            candidacy=line.candidacy,
            group=line.group,
            effective_from=line.effective_from,
            until=line.until,
            conditions=line.conditions.strip(),
            conditions_due_on=line.conditions_due_on,
            reasons=line.reasons.strip(),
            terms=line.terms,
            basis=line.basis,
            seen_act=last.get(line.label.pk) if line.label else None,
            simulated=decision.simulated,
        )
        for order, line in enumerate(lines)
    )
    decision.rev += 1
    decision.save(update_fields=["rev"])
    journal.record(
        decision.case,
        "decision.lines",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        after={"rev": decision.rev, "lines": [_told(line) for line in lines]},
    )
    return decision


def _said(line: NewLine) -> str:
    if line.cluster is not None:
        return line.cluster.name
    if line.candidacy is not None:
        return line.candidacy.name
    return str(line.terms.get("name") or (line.label.name if line.label else "–"))


def _told(line: NewLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "label": line.label.code if line.label else str(line.terms.get("code") or ""),
        "cluster": line.cluster.slug if line.cluster else str(line.terms.get("slug") or ""),
        "effective_from": line.effective_from,
        "until": line.until,
    }


def _must_be(decision: Decision, state: str, move: str) -> None:
    if decision.state != state:
        check(states.MOVES, states.STATES, move, decision.state)


@transaction.atomic
def submit(
    decision: Decision, *, by: Actor, on: dt.date, rev: int | None = None, at: dt.datetime | None = None
) -> Decision:
    """Ask the bodies for their opinions.

    Raises:
        Refused: no line, or a finding that a line rests on has been settled or taken back. Conflict: changed meanwhile.
    """
    by.require("decision.propose")
    decision = _lock(decision, rev)
    move = check(states.MOVES, states.STATES, "submit", decision.state)
    lines = list(decision.lines.select_related("cluster", "label", "candidacy"))
    if not lines:
        raise Refused(T("La proposition n'a aucune ligne.", "The proposal has no line."))
    _standing_findings(lines, on)
    decision.state, decision.proposed_on, decision.rev = move.target, on, decision.rev + 1
    decision.proposed_by = by.user_label[:200]
    decision.save(update_fields=["state", "proposed_on", "proposed_by", "rev"])
    journal.record(
        decision.case,
        "decision.submit",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        before={"state": "draft"},
        after={"state": move.target, "rev": decision.rev},
    )
    messages.opinions_asked(decision, lines, on)
    return decision


@transaction.atomic
def take_up(
    decision: Decision, *, reason: str, by: Actor, on: dt.date, rev: int | None = None, at: dt.datetime | None = None
) -> Decision:
    """Take the proposal up again to change it, with a reason; opinions given stay in the file and have to be given anew."""
    by.require("decision.propose")
    decision = _lock(decision, rev)
    move = check(states.MOVES, states.STATES, "return", decision.state, reason)
    moment = clock.stamp(on, at)
    decision.opinions.filter(replaced_at=None).update(replaced_at=moment)
    return _moved(decision, move.target, "decision.return", by, on, moment, reason)


@transaction.atomic
def drop(
    decision: Decision, *, reason: str, by: Actor, on: dt.date, rev: int | None = None, at: dt.datetime | None = None
) -> Decision:
    """Give the proposal up, with a reason. The file stays readable to those who worked on it."""
    by.require("decision.propose")
    decision = _lock(decision, rev)
    move = check(states.MOVES, states.STATES, "drop", decision.state, reason)
    decision.dropped_reason = reason.strip()
    decision.save(update_fields=["dropped_reason"])
    return _moved(decision, move.target, "decision.drop", by, on, clock.stamp(on, at), reason)


def _moved(decision: Decision, state: str, act: str, by: Actor, on: dt.date, at: dt.datetime, why: str) -> Decision:
    before = decision.state
    decision.state, decision.rev = state, decision.rev + 1
    decision.save(update_fields=["state", "rev"])
    journal.record(
        decision.case,
        act,
        by=by,
        on=on,
        at=at,
        why=why.strip(),
        before={"state": before},
        after={"state": state, "rev": decision.rev},
    )
    return decision


# --- opinions ------------------------------------------------------------------------------------------------------


@transaction.atomic
def opine(
    decision: Decision,
    body: str,
    outcome: str,
    *,
    by: Actor,
    on: dt.date,
    text: str = "",
    line: Line | None = None,
    given_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> Opinion:
    """Record what a body says of the decision, or of one line; a later opinion of the same body replaces it.

    ``not_given`` records that the body was asked and said nothing. ``not_found`` (an old opinion of which no source tells the
    content) is kept to decisions that the register already knows (``national``).

    Raises:
        NotAllowed: the role does not speak for that body, or the actor is recused.
        Refused: the body is not asked, unknown outcome, reservations or a refusal without a word, a day to come.
    """
    access.may_opine(by, body)
    decision = _lock(decision)
    require_not_recused(by, decision.case)
    check(states.MOVES, states.STATES, "opine", decision.state)
    laws = policy()
    day = given_on or on
    asked = rules.bodies_asked(laws, decision.lines.values_list("kind", flat=True), day)
    found = next((b for b in asked if b.code == body), None)
    if found is None:
        raise Refused(
            T(
                "La politique ne demande pas l'avis de cette instance sur cette décision, le {d}.",
                "The policy does not ask that body for an opinion on this decision, on {d}.",
                d=day_text(day),
            ),
            missing=[
                T("Instances consultées : {b}", "Bodies asked: {b}", b=", ".join(str(b.title) for b in asked) or "–")
            ],
        )
    allowed = dict(rules.OUTCOMES)
    if not decision.national:
        allowed.pop("not_found")
    if outcome not in allowed:
        raise Refused(
            T(
                "« {o} » n'est pas un avis possible : {list}.",
                "“{o}” is no possible opinion: {list}.",
                o=outcome,
                list=", ".join(str(t) for t in allowed.values()),
            ),
            kind="input",
        )
    if outcome in ("reserved", "unfavourable") and not text.strip():
        raise Refused(
            T(
                "Des réserves ou un avis défavorable disent pourquoi.",
                "Reservations or an unfavourable opinion say why.",
            ),
            kind="input",
        )
    if day > on:
        raise Refused(T("Le {d} n'est pas encore venu.", "{d} has not come yet.", d=day_text(day)), kind="input")
    if line is not None and line.decision_id != decision.pk:
        raise Refused(T("Cette ligne est d'un autre dossier.", "This line is of another file."), kind="input")
    moment = clock.stamp(on, at)
    decision.opinions.filter(body=body, line=line, replaced_at=None).update(replaced_at=moment)
    made = Opinion.objects.create(
        decision=decision,
        line=line,
        body=body,
        outcome=outcome,
        text=text.strip(),
        on=day,
        at=moment,
        user_id_by=by.user_id,
        user_label=by.user_label[:200],
        organisation_label=by.organisation_label[:200],
        simulated=decision.simulated,
    )
    journal.record(
        decision.case,
        "decision.opinion",
        by=by,
        on=on,
        at=moment,
        why=text.strip(),
        after={"body": body, "outcome": outcome, "day": day, "line": line.pk if line else None},
    )
    if not rules.missing_opinions(asked, _given(decision)):
        messages.ready_to_decide(decision, on)
    return made


def _given(decision: Decision) -> set[str]:
    return set(decision.opinions.filter(replaced_at=None, line=None).values_list("body", flat=True))


# --- deciding ------------------------------------------------------------------------------------------------------


def _standing_findings(lines: Iterable[Line], on: dt.date) -> None:
    """Raise Refused when a line rests on findings that were settled or taken back (nothing is sanctioned on a settled point)."""
    for line in lines:
        settled = effects.settled_findings(line, on)
        if settled:
            raise Refused(
                T(
                    "« {c} » : la décision repose sur un constat qui ne tient plus.",
                    "“{c}”: the decision rests on a finding that no longer stands.",
                    c=line.name,
                ),
                missing=settled,
                why=rules._why(
                    T(
                        "Rien n'est sanctionné sur un point réglé ou retiré pendant la procédure contradictoire.",
                        "Nothing is sanctioned on a point that was settled or taken back in the contradictory procedure.",
                    )
                ),
            )


@transaction.atomic
def decide(
    decision: Decision,
    *,
    authority: str,
    reference: str,
    decided_on: dt.date,
    by: Actor,
    on: dt.date,
    rev: int | None = None,
    precision: str = "day",
    published_on: dt.date | None = None,
    publication: str = "",
    at: dt.datetime | None = None,
) -> Decision:
    """The authority decides: the file is sealed and every effect carried out, in this one act.

    Args:
        authority: code of who took the decision (``labels.decided_by``), which has to be the one of that day.
        reference: what names the act (*CIADT du 11 mai 2010*).
        rev: the revision that was read; another one means that somebody acted meanwhile.

    Raises:
        NotAllowed: the role does not decide.
        Refused: wrong authority, no reference, a day to come or before the proposal, an opinion missing, a rule, a finding
            that no longer stands, an effect that the register refuses.
        Conflict: the file, or one of its labels, changed meanwhile; nothing is written.
    """
    by.require("decision.decide")
    decision = _lock(decision, rev)
    if decision.state == "decided":
        raise Conflict(
            T(
                "Cette décision a déjà été prise le {d} ({r}) : rien n'est écrit deux fois.",
                "This decision was already taken on {d} ({r}): nothing is written twice.",
                d=day_text(decision.decided_on),
                r=decision.reference,
            ),
            theirs=decision.reference,
            yours=reference,
        )
    move = check(states.MOVES, states.STATES, "decide", decision.state)
    require_not_recused(by, decision.case)
    laws = policy()
    if decided_on > on:
        raise Refused(T("Le {d} n'est pas encore venu.", "{d} has not come yet.", d=day_text(decided_on)), kind="input")
    if decision.proposed_on is not None and decided_on < decision.proposed_on and not decision.national:
        raise Refused(
            T(
                "La décision ({d}) précède la proposition ({p}).",
                "The decision ({d}) comes before the proposal ({p}).",
                d=day_text(decided_on),
                p=day_text(decision.proposed_on),
            ),
            kind="input",
        )
    wrong = rules.authority_refusal(laws, authority, decided_on, by.role)
    _refuse([wrong] if wrong else [])
    if not reference.strip():
        raise Refused(T("Une décision porte une référence.", "A decision bears a reference."), kind="input")
    if published_on is not None and published_on < decided_on:
        raise Refused(
            T("La publication ({p}) précède la décision ({d}).", "The publication ({p}) comes before the decision ({d}).",
              p=day_text(published_on), d=day_text(decided_on)),
            kind="input",
        )  # fmt: skip
    lines = list(decision.lines.select_related("cluster", "label", "candidacy__organisation"))
    asked = rules.bodies_asked(laws, (line.kind for line in lines), decided_on)
    missing = rules.missing_opinions(asked, _given(decision))
    if missing:
        raise Refused(
            T(
                "La décision vient après les avis que la politique demande ; il en manque {n}.",
                "The decision comes after the opinions that the policy asks for; {n} are missing.",
                n=len(missing),
            ),
            missing=missing,
        )
    for line in lines:
        _refuse(rules.line_refusals(laws, facts_of(line), decided_on))
    _standing_findings(lines, on)
    _same_labels(lines)
    moment = clock.stamp(on, at)
    planned = effects.plan(lines, on, decided_on=decided_on)
    for line in lines:
        refused = next((p.refusal for p in planned[line.pk] if p.refusal is not None), None)
        if refused is not None:
            raise Refused(
                T("« {c} » : {r}", "“{c}”: {r}", c=line.name, r=refused.reason),
                missing=refused.missing,
                why=refused.why,
            )
    run = effects.Run(
        by=effects.executor(by),
        on=on,
        at=at,
        reference=reference.strip()[:300],
        decided_on=decided_on,
        precision=precision,
        simulated=decision.simulated,
        sources=tuple(decision.sources),
    )
    for line in lines:
        _carry_out(line, planned[line.pk], run)
    decision.state, decision.rev = move.target, decision.rev + 1
    decision.authority, decision.reference = authority, run.reference
    decision.decided_on, decision.precision, decision.decided_by = decided_on, precision, by.user_label[:200]
    decision.published_on, decision.publication = published_on, publication.strip()[:300]
    decision.frozen = journal.freeze(decision.case, "decision", sealed(decision, lines, planned), at=moment)
    decision.save()
    journal.record(
        decision.case,
        "decision.decide",
        by=by,
        on=on,
        at=moment,
        before={"state": "opinions"},
        after={
            "state": move.target,
            "authority": authority,
            "reference": run.reference,
            "decided_on": decided_on,
            "lines": len(lines),
            "effects": sum(len(p) for p in planned.values()),
            "sha256": decision.frozen.sha256,
        },
    )
    messages.decided(decision, lines, on)
    return decision


def _same_labels(lines: Sequence[Line]) -> None:
    """Raise Conflict when a label got an act since the proposal was written."""
    last: dict[int, int] = {}
    rows = LabelAct.objects.filter(label__in=[x.label_id for x in lines if x.label_id], superseded_at=None)
    list(Label.objects.select_for_update().filter(pk__in=[x.label_id for x in lines if x.label_id]).order_by("pk"))
    for pk, label in rows.values_list("pk", "label_id"):
        last[label] = max(pk, last.get(label, 0))
    for line in lines:
        if line.label_id and last.get(line.label_id) != line.seen_act:
            raise Conflict(
                T(
                    "Un autre acte a été enregistré sur le label de « {c} » depuis la proposition : reprenez-la.",
                    "Another act was recorded on the label of “{c}” since the proposal: take it up again.",
                    c=line.name,
                ),
                theirs=last.get(line.label_id),
                yours=line.seen_act,
            )


def _carry_out(line: Line, planned: Sequence[effects.Planned], run: effects.Run) -> None:
    for one in planned:
        if one.do is not None:
            one.do(run)
    Effect.objects.bulk_create(
        Effect(
            line=line,
            order=order,
            on=one.on,
            target=one.target[:160],
            said_fr=one.said.in_language("fr"),
            said_en=one.said.in_language("en"),
            done=one.done,
            why=why_stored(one.why),
            amount=one.amount,
        )
        for order, one in enumerate(planned)
    )


def why_stored(why: Any) -> dict[str, Any]:
    """An explanation as plain values, in both languages, so that it reads the same years later."""
    if why is None:
        return {}
    both = why.rule
    return {
        "rule": {"fr": both.in_language("fr"), "en": both.in_language("en")},
        "parameter": why.parameter,
        "reference": why.reference,
        "url": why.url,
        "day": why.day.isoformat() if why.day else None,
        "reading": why.reading,
        "to_confirm": why.to_confirm,
    }


def sealed(decision: Decision, lines: Sequence[Line], planned: dict[int, list[effects.Planned]]) -> dict[str, Any]:
    """What is frozen with the decision: proposal, opinions, act, effects; names and codes, no numbers of the database."""
    return {
        "title": decision.title,
        "campaign": decision.campaign,
        "grounds": decision.grounds,
        "proposed_on": decision.proposed_on,
        "authority": decision.authority,
        "reference": decision.reference,
        "decided_on": decision.decided_on,
        "precision": decision.precision,
        "opinions": [
            {"body": o.body, "outcome": o.outcome, "text": o.text, "on": o.on}
            for o in decision.opinions.filter(replaced_at=None)
        ],
        "lines": [
            {
                "kind": line.kind,
                "label": line.label.code if line.label else "",
                "cluster": line.cluster.slug if line.cluster else "",
                "group": line.group,
                "effective_from": line.effective_from,
                "until": line.until,
                "conditions": line.conditions,
                "reasons": line.reasons,
                "effects": [
                    {"on": p.on, "target": p.target, "said": p.said.in_language("fr"), "done": p.done}
                    for p in planned[line.pk]
                ],
            }
            for line in lines
        ],
    }


# --- publication, notification, appeals ----------------------------------------------------------------------------


@transaction.atomic
def publish(
    decision: Decision,
    *,
    published_on: dt.date,
    publication: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Decision:
    """Record where and when the decision was published; from that day on everybody reads it."""
    by.require("decision.notify")
    decision = _lock(decision)
    check(states.MOVES, states.STATES, "publish", decision.state)
    if published_on < decision.decided_on:
        raise Refused(
            T("La publication ({p}) précède la décision ({d}).", "The publication ({p}) comes before the decision ({d}).",
              p=day_text(published_on), d=day_text(decision.decided_on)),
            kind="input",
        )  # fmt: skip
    before = decision.published_on
    decision.published_on, decision.publication = published_on, publication.strip()[:300]
    decision.rev += 1
    decision.save(update_fields=["published_on", "publication", "rev"])
    journal.record(
        decision.case,
        "decision.publish",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        before={"published_on": before},
        after={"published_on": published_on, "publication": decision.publication},
    )
    return decision


@transaction.atomic
def notify(
    line: Line,
    *,
    sent_on: dt.date,
    by: Actor,
    on: dt.date,
    received_on: dt.date | None = None,
    channel: str = "letter",
    at: dt.datetime | None = None,
) -> Notice:
    """Notify a line to its cluster: the letter is drawn from its template and frozen; the delay to appeal runs from receipt.

    Raises:
        NotAllowed: the role does not notify. Refused: not decided, days in the wrong order or to come.
        Conflict: the line was notified already.
    """
    by.require("decision.notify")
    decision = _lock(line.decision)
    check(states.MOVES, states.STATES, "notify", decision.state)
    line = Line.objects.select_related("cluster", "label", "candidacy__organisation").get(pk=line.pk)
    line.decision = decision
    if channel not in states.CHANNELS:
        raise Refused(T("Mode d'envoi inconnu : « {c} ».", "Unknown channel: “{c}”.", c=channel), kind="input")
    _in_order(decision.decided_on, sent_on, received_on, on)
    if Notice.objects.filter(line=line).exists():
        raise Conflict(
            T("« {c} » a déjà reçu sa notification.", "“{c}” was notified already.", c=line.name), theirs="", yours=""
        )
    moment = clock.stamp(on, at)
    overseas, place = overseas_of(line.cluster, sent_on)
    frozen = journal.freeze(decision.case, f"letter:{line.order}", letters.compose(line, sent_on), at=moment)
    until = rules.appeal_clock(policy(), received_on, overseas=overseas, place=place).until
    try:
        with transaction.atomic():
            made = Notice.objects.create(
                line=line,
                sent_on=sent_on,
                received_on=received_on,
                channel=channel,
                letter=frozen,
                appeal_until=until,
                overseas=overseas,
                place=place,
                at=moment,
                user_label=by.user_label[:200],
                simulated=decision.simulated,
            )
    except IntegrityError:
        raise Conflict(
            T("« {c} » vient d'être notifié.", "“{c}” has just been notified.", c=line.name), theirs="", yours=""
        ) from None
    journal.record(
        decision.case,
        "decision.notify",
        by=by,
        on=on,
        at=moment,
        after={
            "cluster": line.name,
            "sent_on": sent_on,
            "received_on": received_on,
            "appeal_until": until,
            "sha256": frozen.sha256,
        },
    )
    messages.notified(line, made, on)
    return made


def _in_order(decided: dt.date, sent: dt.date, received: dt.date | None, on: dt.date) -> None:
    if sent < decided:
        raise Refused(
            T("L'envoi ({s}) précède la décision ({d}).", "Sending ({s}) comes before the decision ({d}).", s=day_text(sent), d=day_text(decided)),
            kind="input",
        )  # fmt: skip
    if received is not None and received < sent:
        raise Refused(
            T("La réception ({r}) précède l'envoi ({s}).", "Receipt ({r}) comes before sending ({s}).", r=day_text(received), s=day_text(sent)),
            kind="input",
        )  # fmt: skip
    late = max(d for d in (sent, received) if d is not None)
    if late > on:
        raise Refused(T("Le {d} n'est pas encore venu.", "{d} has not come yet.", d=day_text(late)), kind="input")


@transaction.atomic
def acknowledge(
    notice: Notice, *, received_on: dt.date, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Notice:
    """Record the day on which a notification was received: from it the delay to appeal is counted."""
    by.require("decision.notify")
    notice = Notice.objects.select_for_update(of=("self",)).select_related("line__decision").get(pk=notice.pk)
    if notice.received_on is not None:
        raise Conflict(
            T("La réception est déjà enregistrée : le {d}.", "Receipt is recorded already: on {d}.", d=day_text(notice.received_on)),
            theirs=notice.received_on,
            yours=received_on,
        )  # fmt: skip
    _in_order(notice.line.decision.decided_on, notice.sent_on, received_on, on)
    notice.received_on = received_on
    notice.appeal_until = rules.appeal_clock(policy(), received_on, overseas=notice.overseas, place=notice.place).until
    notice.save(update_fields=["received_on", "appeal_until"])
    journal.record(
        notice.line.decision.case,
        "decision.received",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        after={"line": notice.line_id, "received_on": received_on, "appeal_until": notice.appeal_until},
    )
    return notice


@transaction.atomic
def lodge_appeal(
    line: Line,
    kind: str,
    *,
    text: str,
    by: Actor,
    on: dt.date,
    lodged_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> Appeal:
    """Lodge (or record) an appeal. One that comes after the delay is recorded too, and says that it is late.

    Raises:
        NotAllowed: neither the cluster nor whoever notifies. Refused: not decided, unknown kind, no grounds, a day to come.
    """
    access.may_appeal(by, line, on)
    decision = _lock(line.decision)
    if decision.state != "decided":
        raise Refused(T("Un recours vise une décision prise.", "An appeal is against a decision taken."))
    if kind not in states.APPEAL_KINDS:
        raise Refused(T("Nature de recours inconnue.", "Unknown kind of appeal."), kind="input")
    if not text.strip():
        raise Refused(T("Un recours dit ses motifs.", "An appeal says its grounds."), kind="input")
    day = lodged_on or on
    if day > on:
        raise Refused(T("Le {d} n'est pas encore venu.", "{d} has not come yet.", d=day_text(day)), kind="input")
    notice = Notice.objects.filter(line=line).first()
    moment = clock.stamp(on, at)
    made = Appeal.objects.create(
        line=line,
        kind=kind,
        lodged_on=day,
        text=text.strip(),
        late=bool(notice and notice.appeal_until and day > notice.appeal_until),
        user_label=by.user_label[:200],
        organisation_label=by.organisation_label[:200],
        at=moment,
        simulated=decision.simulated,
    )
    journal.record(
        decision.case,
        "decision.appeal",
        by=by,
        on=on,
        at=moment,
        why=text.strip(),
        after={"kind": kind, "lodged_on": day, "late": made.late, "line": line.pk},
    )
    messages.appealed(line, made, on)
    return made


@transaction.atomic
def answer_appeal(
    appeal: Appeal,
    outcome: str,
    *,
    text: str,
    by: Actor,
    on: dt.date,
    answered_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> Appeal:
    """Record how an appeal ended. What follows for the label is a decision of its own; nothing is undone here.

    Raises:
        NotAllowed: the role neither decides nor notifies. Refused: unknown outcome, no text. Conflict: answered already.
    """
    if not (by.can("decision.decide") or by.can("decision.notify")):
        by.require("decision.notify")
    appeal = Appeal.objects.select_for_update(of=("self",)).select_related("line__decision").get(pk=appeal.pk)
    if appeal.outcome:
        raise Conflict(
            T("Ce recours a déjà sa réponse.", "This appeal has its answer already."),
            theirs=appeal.outcome,
            yours=outcome,
        )
    if outcome not in states.APPEAL_OUTCOMES:
        raise Refused(T("Suite de recours inconnue.", "Unknown outcome of an appeal."), kind="input")
    if not text.strip():
        raise Refused(T("La réponse dit ses motifs.", "The answer says its grounds."), kind="input")
    day = answered_on or on
    if not appeal.lodged_on <= day <= on:
        raise Refused(
            T("La réponse vient entre le recours ({a}) et aujourd'hui.", "The answer comes between the appeal ({a}) and today.", a=day_text(appeal.lodged_on)),
            kind="input",
        )  # fmt: skip
    appeal.outcome, appeal.outcome_on, appeal.outcome_text = outcome, day, text.strip()
    appeal.save(update_fields=["outcome", "outcome_on", "outcome_text"])
    journal.record(
        appeal.line.decision.case,
        "decision.appeal_answered",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        why=text.strip(),
        after={"kind": appeal.kind, "outcome": outcome, "day": day, "line": appeal.line_id},
    )
    return appeal


@transaction.atomic
def meet_conditions(
    line: Line, *, met_on: dt.date, by: Actor, on: dt.date, note: str = "", at: dt.datetime | None = None
) -> Line:
    """Record that the conditions of a label were met; extending it is a decision of its own."""
    by.require("decision.notify")
    line = Line.objects.select_for_update(of=("self",)).select_related("decision").get(pk=line.pk)
    if not line.conditions or line.decision.state != "decided":
        raise Refused(T("Cette ligne n'a pas de condition en cours.", "This line has no condition that stands."))
    if line.conditions_met_on is not None:
        raise Conflict(
            T("Les conditions sont déjà levées.", "The conditions are met already."),
            theirs=line.conditions_met_on,
            yours=met_on,
        )
    if met_on > on:
        raise Refused(T("Le {d} n'est pas encore venu.", "{d} has not come yet.", d=day_text(met_on)), kind="input")
    line.conditions_met_on = met_on
    line.save(update_fields=["conditions_met_on"])
    journal.record(
        line.decision.case,
        "decision.conditions_met",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        why=note.strip(),
        after={"line": line.pk, "met_on": met_on},
    )
    return line


__all__ = ["NewLine", "NotAllowed", "decide", "notify", "open_decision", "opine", "publish", "set_lines", "submit"]
