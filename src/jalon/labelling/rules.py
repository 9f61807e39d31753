"""What a labelling procedure asks, as pure functions of plain values.

Basis: the procedure of DREAM Eau et Milieux 2013-2015 (reception by the operational unit, admissibility, evaluation by a
committee in meeting or by electronic vote, the bureau decides, recusal at the leader's request) and the State's rule
that labels exist before the call closes (FAQ of the single interministerial fund).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jalon.core.lang import T, Text
from jalon.core.why import Why


@dataclass(frozen=True)
class Tally:
    """A vote as counted: votes, members entitled, quorum and result.

    ``result``: passed, rejected, no_quorum. ``entitled`` leaves out the recused; ``set_aside`` are votes not counted
    because the voter was recused after voting.
    """

    votes_for: int
    votes_against: int
    abstentions: int
    entitled: int
    needed: int
    set_aside: int
    result: str
    by_chair: bool = False
    why: Why | None = field(default=None, compare=False)

    @property
    def cast(self) -> int:
        return self.votes_for + self.votes_against + self.abstentions

    @property
    def quorum(self) -> bool:
        return self.result != "no_quorum"

    def plain(self) -> dict[str, Any]:
        """What is kept of it when the bureau decides."""
        return {
            "for": self.votes_for,
            "against": self.votes_against,
            "abstain": self.abstentions,
            "entitled": self.entitled,
            "needed": self.needed,
            "result": self.result,
        }


RESULTS = {
    "passed": T("avis favorable du comité", "the committee is in favour"),
    "rejected": T("avis défavorable du comité", "the committee is against"),
    "no_quorum": T("quorum non atteint", "no quorum"),
}


def tally(
    vote: Any, *, roll: Collection[int], votes: Mapping[int, str], recused: Collection[int], chair: int | None
) -> Tally:
    """Count a vote.

    Args:
        vote: the procedure's Vote: quorum and majority in percent, what a tie does.
        roll: members entitled when the vote opened; votes: member → for, against, abstain.
        recused: members recused today: they count neither in the votes nor in the quorum.
        chair: the member who presides.

    Quorum: the votes cast, abstentions included, reach the percentage of the members entitled. Majority: votes for exceed
    the percentage of votes for and against. With nobody for or against, nothing is passed. A tie (exactly the
    percentage) is broken by the chair's vote where the procedure says so.
    """
    entitled = {m for m in roll if m not in recused}
    counted = {m: choice for m, choice in votes.items() if m in entitled}
    yes = sum(c == "for" for c in counted.values())
    no = sum(c == "against" for c in counted.values())
    abstained = len(counted) - yes - no
    needed = -(-len(entitled) * vote.quorum // 100)
    by_chair = False
    if not counted or len(counted) < needed:
        result = "no_quorum"
    elif yes * 100 > vote.majority_above * (yes + no):
        result = "passed"
    elif yes + no and yes * 100 == vote.majority_above * (yes + no) and vote.tie == "chair":
        by_chair = chair in counted and counted[chair] != "abstain"
        result = "passed" if by_chair and counted[chair] == "for" else "rejected"
    else:
        result = "rejected"
    aside = len([m for m in votes if m not in entitled])
    steps = [
        T(
            "{n} votes sur {e} membres appelés à voter, {q} % demandés, soit {k}",
            "{n} votes of {e} members entitled, {q}% needed, that is {k}",
            n=len(counted),
            e=len(entitled),
            q=vote.quorum,
            k=needed,
        ),
        T("pour {y}, contre {n}, abstentions {a}", "for {y}, against {n}, abstentions {a}", y=yes, n=no, a=abstained),
    ]
    if aside:
        steps.append(
            T("{n} vote écarté : son auteur est déporté", "{n} vote set aside: its author is recused", n=aside)
            if aside == 1
            else T(
                "{n} votes écartés : leurs auteurs sont déportés",
                "{n} votes set aside: their authors are recused",
                n=aside,
            )
        )
    if by_chair:
        steps.append(T("partage : la voix du président décide", "tie: the chair's vote decides"))
    why = Why(
        rule=T(
            "Avis favorable si le quorum est atteint et si les voix pour dépassent {m} % des voix pour et contre ; "
            "un partage est tranché par {t}.",
            "In favour if the quorum is met and votes for exceed {m}% of votes for and against; a tie goes {t}.",
            m=vote.majority_above,
            t=T("la voix du président", "by the chair's vote") if vote.tie == "chair" else T("le rejet", "against"),
        ),
        parameter="labelling.procedures.vote",
        reference=vote.reference,
        url=vote.url or "",
        steps=tuple(steps),
        reading=vote.reading,
        to_confirm=vote.to_confirm,
    )
    return Tally(yes, no, abstained, len(entitled), needed, aside, result, by_chair, why)


# -- deadlines --------------------------------------------------------------------------------------------------


def due_day(start: dt.date, days: int) -> dt.date:
    """The last day of a delay counted from ``start``; it ends at midnight, Paris time."""
    return start + dt.timedelta(days=days)


def over(day: dt.date, on: dt.date) -> bool:
    """Whether a deadline of ``day`` has passed on ``on``: the day itself still counts, up to midnight in Paris."""
    return on > day


def reminder_due(due_on: dt.date, before: Iterable[int], sent: Collection[int], on: dt.date) -> int | None:
    """Which reminder is due: days before the deadline, 0 once it has passed, None when none is.

    Of several that were missed only the nearest to the deadline is sent; each is sent once.
    """
    left = (due_on - on).days
    if left < 0:
        return 0 if 0 not in sent else None
    passed = [n for n in before if left <= n]
    nearest = min(passed, default=None)
    return nearest if nearest is not None and nearest not in sent else None


def check_delays(procedure: Any, chosen: Mapping[str, int]) -> list[tuple[Text, Why]]:
    """What is wrong with the delays that a pôle chose; empty when they stand within the procedure's bounds."""
    known = {d.step: d for d in procedure.delays}
    wrong = []
    for step, days in chosen.items():
        delay = known.get(step)
        if delay is None:
            wrong.append(
                (
                    T("« {s} » n'est pas une étape de la procédure.", "“{s}” is no step of the procedure.", s=step),
                    Why(rule=T("Un délai par étape.", "One delay per step."), parameter="labelling.procedures.delays"),
                )
            )
        elif not delay.least <= days <= delay.most:
            title = next((s.title for s in procedure.steps if s.code == step), step)
            wrong.append(
                (
                    T(
                        "« {s} » : {n} jours, il en faut entre {a} et {b}.",
                        "“{s}”: {n} days, between {a} and {b} expected.",
                        s=title,
                        n=days,
                        a=delay.least,
                        b=delay.most,
                    ),
                    delay_why(procedure, step, days),
                )
            )
    return wrong


def delay_why(procedure: Any, step: str, days: int, start: dt.date | None = None) -> Why:
    """Where the last day of a step comes from."""
    delay = next((d for d in procedure.delays if d.step == step), None)
    return Why(
        rule=T(
            "Le pôle choisit le délai d'une étape dans les bornes de sa procédure ; il finit à minuit, heure de Paris.",
            "The cluster chooses a step's delay within its procedure's bounds; it ends at midnight, Paris time.",
        ),
        parameter=f"labelling.procedures.{procedure.code}.delays.{step}",
        value=delay.days if delay else None,
        unit="days",
        reference=delay.reference if delay else "",
        url=(delay.url or "") if delay else "",
        inputs={
            T("délai choisi", "delay chosen"): days,
            **({T("à partir du", "from"): start} if start else {}),
            **({T("bornes", "bounds"): f"{delay.least}–{delay.most}"} if delay else {}),
        },
        reading=bool(delay and delay.reading),
    )


# -- the call ---------------------------------------------------------------------------------------------------


def counts_for_call(
    decided_on: dt.date,
    closes_on: dt.date | None,
    parameter: Any,
    *,
    call: str = "",
    outcome: str = "labelled",
    conditional: Any = None,
) -> tuple[bool, Why]:
    """Whether a label decided on a day counts for a call that closes on a day (both days inclusive), and why.

    A call whose closing day is not known excludes nothing. A label under conditions counts where the policy says so; where
    it does not, it counts from the day on which its last condition is lifted.

    Args:
        parameter: ``labelling.label_before_closing`` in force on the day of the decision, or None without such a rule.
        outcome: labelled or conditions.
        conditional: ``labelling.conditional_label_counts`` in force that day, or None: then it counts.
    """
    late = bool(parameter is not None and parameter.value and closes_on is not None and over(closes_on, decided_on))
    under = outcome == "conditions" and conditional is not None
    pending = under and not conditional.value
    decides = conditional if pending and not late else parameter
    steps = []
    if late:
        steps.append(T("Décidé après la clôture : il ne compte pas.", "Decided after the closing: it does not count."))
    if under:
        steps.append(
            T(
                "Label sous conditions : il ne compte qu'une fois sa dernière condition levée "
                "(labelling.conditional_label_counts).",
                "Label under conditions: it counts only once its last condition is lifted "
                "(labelling.conditional_label_counts).",
            )
            if pending
            else T(
                "Label sous conditions : il vaut label à la clôture (labelling.conditional_label_counts).",
                "Label under conditions: it counts as a label at the closing (labelling.conditional_label_counts).",
            )
        )
    return not late and not pending, Why(
        rule=T(
            "Un label sous conditions ne vaut label qu'une fois ses conditions levées.",
            "A label under conditions counts as a label only once its conditions are lifted.",
        )
        if pending and not late
        else T(
            "Le label, chef de file ou colabel, existe avant la clôture de l'appel ; la clôture est à minuit, heure de "
            "Paris.",
            "The label, lead or co-label, exists before the call closes; it closes at midnight, Paris time.",
        ),
        parameter="labelling.conditional_label_counts" if pending and not late else "labelling.label_before_closing",
        value=decides.value if decides else None,
        unit="yes_no",
        reference=decides.reference if decides else "",
        url=(decides.url or "") if decides else "",
        day=decided_on,
        inputs={
            T("appel", "call"): call or None,
            T("clôture", "closing"): closes_on,
            T("décision", "decision"): decided_on,
        },
        steps=tuple(steps),
        reading=bool((decides and decides.reading) or (under and conditional.reading)),
        to_confirm=bool(decides and decides.to_confirm),
    )


# -- decision ---------------------------------------------------------------------------------------------------


def decision_gaps(
    procedure: Any,
    outcome: str,
    counted: Tally | None,
    *,
    reasons: str,
    conditions: Collection[str],
) -> list[Text]:
    """What stands between the bureau and its decision; empty when it can decide so.

    A label or a refusal follows a vote with its quorum. A binding vote is followed; where it is advice, departing from
    it needs reasons. A label under conditions says them.
    """
    gaps: list[Text] = []
    if outcome != "deferred":
        if counted is None:
            gaps.append(T("Le comité n'a pas voté.", "The committee has not voted."))
        elif not counted.quorum:
            gaps.append(
                T(
                    "Le quorum n'est pas atteint : {n} votes, {k} demandés. Rouvrez le vote.",
                    "No quorum: {n} votes, {k} needed. Open the vote again.",
                    n=counted.cast,
                    k=counted.needed,
                )
            )
        else:
            wanted = "passed" if outcome in ("labelled", "conditions") else "rejected"
            if counted.result != wanted:
                if procedure.vote.effect == "binding":
                    gaps.append(
                        T(
                            "Le vote du comité lie le bureau : {r}.",
                            "The committee's vote binds the bureau: {r}.",
                            r=RESULTS[counted.result],
                        )
                    )
                elif not reasons.strip():
                    gaps.append(
                        T(
                            "Le bureau s'écarte du vote ({r}) : dites pourquoi.",
                            "The bureau departs from the vote ({r}): say why.",
                            r=RESULTS[counted.result],
                        )
                    )
    if outcome in ("refused", "deferred") and not reasons.strip():
        gaps.append(T("Un refus ou un ajournement dit ses motifs.", "A refusal or deferral says its reasons."))
    if outcome == "conditions" and not [c for c in conditions if c.strip()]:
        gaps.append(T("Écrivez au moins une condition.", "Write at least one condition."))
    if outcome == "labelled" and [c for c in conditions if c.strip()]:
        gaps.append(
            T(
                "Des conditions sont écrites : choisissez « Label sous conditions », ou effacez-les.",
                "Conditions are written: choose “Label under conditions”, or delete them.",
            )
        )
    return list(dict.fromkeys(gaps))


# -- names ------------------------------------------------------------------------------------------------------


def expert_name(number: int) -> Text:
    """The name under which an expert's opinion is read by whoever may not know more."""
    return T("Expert {n}", "Expert {n}", n=number)


def knows_experts(procedure: Any, reader: str) -> bool:
    """Whether a reader (unit, applicant, expert, committee, other) reads the experts' names under this procedure.

    Whoever runs the procedure does, since they choose the experts, unless they sit on the committee as well and it is
    not to know. An outsider never does.
    """
    if reader == "unit":
        return True
    return reader in ("applicant", "expert", "committee") and reader not in procedure.experts.anonymous_to


def check_scores(criteria: Any, scores: Mapping[str, Any]) -> tuple[dict[str, int], list[Text]]:
    """The scores as kept (criterion → points) and what is wrong with them; an empty score stays out."""
    kept: dict[str, int] = {}
    wrong: list[Text] = []
    for criterion in criteria.criteria:
        typed = str(scores.get(criterion.code, "") or "").strip() if scores.get(criterion.code) != 0 else "0"
        if not typed:
            continue
        if not typed.isdecimal() or int(typed) > criteria.scale:
            wrong.append(
                T(
                    "« {c} » : « {x} » n'est pas une note entière de 0 à {m}.",
                    "“{c}”: “{x}” is not a whole score from 0 to {m}.",
                    c=criterion.title,
                    x=typed[:20],
                    m=criteria.scale,
                )
            )
        else:
            kept[criterion.code] = int(typed)
    return kept, wrong


def opinion_gaps(criteria: Any, scores: Mapping[str, int], text: str, recommendation: str) -> list[Text]:
    """What an opinion still lacks before it can be given."""
    gaps = [
        T("Note manquante : {c}.", "Score missing: {c}.", c=c.title) for c in criteria.criteria if c.code not in scores
    ]
    if not recommendation:
        gaps.append(T("Dites si l'avis est favorable.", "Say whether the opinion is favourable."))
    if not text.strip():
        gaps.append(T("L'avis est à motiver.", "The opinion needs its reasons."))
    return gaps
