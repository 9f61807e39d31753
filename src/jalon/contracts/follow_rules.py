"""Rules of the follow-up: one light for every promise, the pôle's and the public side's alike.

Pure functions of plain values and a day. A light is one of eight words: not_started, on_track, at_risk, late,
reached, missed, not_yet_due, unknown; each comes with its reason. No published text fixes how a promise is
judged between its beginning and its due day: these rules are our reading, and say so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jalon.core.lang import T, Text
from jalon.core.why import Why

LIGHTS = ("not_started", "on_track", "at_risk", "late", "reached", "missed", "not_yet_due", "unknown")
SEVERITY = {
    code: rank
    for rank, code in enumerate(
        ("late", "missed", "at_risk", "unknown", "not_started", "on_track", "not_yet_due", "reached")
    )
}
"""Worst first: the order in which a dashboard shows what asks for attention."""

CONTESTED = "contested:"


@dataclass(frozen=True)
class Light:
    """A light and its reason. ``days``: how late, when it is late."""

    code: str
    why: Why
    days: int = 0

    @property
    def rank(self) -> int:
        return SEVERITY[self.code]

    @property
    def bad(self) -> bool:
        return self.code in ("late", "missed", "at_risk")


def days_of(n: int) -> Text:
    """A number of days, in words that agree with it."""
    return T("un jour", "one day") if n == 1 else T("{n} jours", "{n} days", n=n)


def _light(
    code: str, rule: Text, day: dt.date, inputs: Mapping[Any, Any], *, days: int = 0, reading: bool = True
) -> Light:
    return Light(code, Why(rule=rule, day=day, inputs=inputs, reading=reading), days)


def light(
    *,
    today: dt.date,
    starts_on: dt.date | None = None,
    due_on: dt.date | None = None,
    closes_on: dt.date | None = None,
    kept_on: dt.date | None = None,
    kept: bool = False,
    given_up: bool = False,
    begun: bool = False,
    doubt: Text | None = None,
    expected_on: dt.date | None = None,
    inputs: Mapping[Any, Any] | None = None,
) -> Light:
    """The light of any dated promise, whoever made it.

    Args:
        starts_on, due_on: when it should begin, and its last day (inclusive).
        closes_on: last day of the contract; a promise not kept by then is missed, before it is late.
        kept, kept_on: it is kept, and since when if that is known.
        given_up: it will not be kept (abandoned, refused).
        begun: something was done for it (declared under way, decided).
        doubt: a reason to worry that was declared or observed.
        expected_on: the day on which its bearer now expects to keep it.
    """
    facts = {
        T("échéance", "due on"): due_on,
        T("début prévu", "planned start"): starts_on,
        T("tenu le", "kept on"): kept_on,
        T("attendu le", "expected on"): expected_on,
        T("jour", "day"): today,
    } | dict(inputs or {})
    facts = {k: v for k, v in facts.items() if v is not None}

    def answer(code: str, rule: Text, days: int = 0) -> Light:
        return _light(code, rule, today, facts, days=days)

    if given_up:
        return answer("missed", T("La promesse a été abandonnée ou refusée.", "The promise was given up or refused."))
    if kept:
        if kept_on and due_on and kept_on > due_on:
            late_by = (kept_on - due_on).days
            return answer(
                "reached", T("Tenu, {n} après l'échéance.", "Kept, {n} after the due day.", n=days_of(late_by))
            )
        return answer("reached", T("Tenu.", "Kept."))
    if due_on is None:
        if doubt:
            return answer("at_risk", doubt)
        if begun:
            return answer("on_track", T("Commencé ; aucune échéance n'est fixée.", "Begun; no due day is set."))
        return answer(
            "unknown",
            T("Aucune échéance n'est fixée et rien n'est déclaré.", "No due day is set and nothing is declared."),
        )
    if today > due_on:
        days = (today - due_on).days
        if closes_on and today > closes_on:
            return answer(
                "missed",
                T(
                    "Le contrat est échu sans que la promesse soit tenue.",
                    "The contract has ended and the promise is not kept.",
                ),
                days,
            )
        return answer(
            "late",
            T(
                "L'échéance est passée depuis {n} et la promesse n'est pas tenue.",
                "The due day passed {n} ago and the promise is not kept.",
                n=days_of(days),
            ),
            days,
        )
    if doubt:
        return answer("at_risk", doubt)
    if expected_on and expected_on > due_on:
        return answer(
            "at_risk",
            T(
                "La date attendue dépasse l'échéance de {n}.",
                "The expected day is {n} after the due day.",
                n=days_of((expected_on - due_on).days),
            ),
        )
    if begun:
        return answer(
            "on_track", T("Commencé, et l'échéance n'est pas passée.", "Begun, and the due day has not passed.")
        )
    if starts_on and starts_on <= today:
        return answer(
            "not_started",
            T(
                "Le début prévu est passé, rien n'est encore déclaré ; l'échéance n'est pas passée.",
                "The planned start has passed, nothing is declared yet; the due day has not passed.",
            ),
        )
    return answer("not_yet_due", T("L'échéance n'est pas encore arrivée.", "The due day has not come yet."))


def action_light(
    *,
    today: dt.date,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    closes_on: dt.date | None = None,
    status: str = "",
    percent: int = 0,
    expected_end: dt.date | None = None,
    done_on: dt.date | None = None,
    milestones_late: int = 0,
) -> Light:
    """An action programme of the pôle: planned dates, what is declared, milestones that passed undone."""
    doubt = None
    if status == "at_risk":
        doubt = T("Le pôle déclare l'action à surveiller.", "The cluster declares the action at risk.")
    elif status == "late":
        doubt = T(
            "Le pôle déclare l'action en retard sur son calendrier.",
            "The cluster declares the action behind its calendar.",
        )
    elif milestones_late:
        doubt = (
            T("Un jalon échu n'est pas franchi.", "One milestone due is not passed.")
            if milestones_late == 1
            else T("{n} jalons échus ne sont pas franchis.", "{n} milestones due are not passed.", n=milestones_late)
        )
    return light(
        today=today,
        starts_on=starts_on,
        due_on=ends_on,
        closes_on=closes_on,
        kept=status == "done",
        kept_on=done_on,
        given_up=status == "cancelled",
        begun=bool(percent) or status in ("on_track", "at_risk", "late"),
        doubt=doubt,
        expected_on=expected_end,
        inputs={T("avancement déclaré", "declared progress"): f"{percent} %"}
        if status
        else {T("déclaration", "declaration"): None},
    )


def milestone_light(
    *,
    today: dt.date,
    due_on: dt.date | None,
    closes_on: dt.date | None = None,
    done_on: dt.date | None = None,
    done: bool = False,
    expected_on: dt.date | None = None,
) -> Light:
    """A milestone of an action."""
    return light(
        today=today,
        due_on=due_on,
        closes_on=closes_on,
        kept=done or done_on is not None,
        kept_on=done_on,
        expected_on=expected_on,
    )


def commitment_due(due_on: dt.date | None, year: int | None) -> tuple[dt.date | None, bool]:
    """When a public commitment is due; ``(day, True)`` when the contract fixes no day and the year's end is read instead."""
    if due_on is not None:
        return due_on, False
    return (dt.date(year, 12, 31), True) if year else (None, False)


def commitment_light(
    *,
    today: dt.date,
    kind: str = "money",
    amount: Decimal | None = None,
    due_on: dt.date | None = None,
    year: int | None = None,
    closes_on: dt.date | None = None,
    decided: Decimal | bool | None = None,
    paid: Decimal | None = None,
    paid_on: dt.date | None = None,
    delivered_on: dt.date | None = None,
    refused: bool = False,
    contested: bool = False,
    released: bool = False,
) -> Light:
    """A promise of the public side, judged by the same rule as those of the pôle.

    ``decided``: the amount voted, or True. ``contested``: the pôle says that what was declared paid did not arrive.
    Money is kept when the amount promised was paid in full; a support, when it was delivered. ``released``: it is no
    longer due, because the label on which it rested has ended.
    """
    due, read_from_year = commitment_due(due_on, year)
    inputs: dict[Any, Any] = {}
    if kind == "money":
        inputs = {T("montant promis", "amount promised"): amount, T("montant versé", "amount paid"): paid}
        if isinstance(decided, Decimal):
            inputs[T("montant décidé", "amount decided")] = decided
    if read_from_year:
        inputs[T("échéance lue", "due day read as")] = str(T("fin de l'année promise", "end of the promised year"))
    if kind == "support":
        kept, kept_on = delivered_on is not None, delivered_on
    else:
        kept = paid is not None and amount is not None and paid >= amount
        kept_on = paid_on
    if released and not kept:
        return _light(
            "cancelled",
            T(
                "La promesse n'est plus due : elle courait au-delà de la fin du label.",
                "The promise is no longer due: it ran beyond the end of the label.",
            ),
            today,
            {k: v for k, v in inputs.items() if v is not None},
        )
    doubt = None
    if contested:
        kept = False
        doubt = T(
            "Un versement est déclaré, mais le pôle dit ne pas l'avoir reçu.",
            "A payment is declared, but the cluster says it did not arrive.",
        )
    elif isinstance(decided, Decimal) and amount is not None and decided < amount:
        doubt = T(
            "Le montant décidé est au-dessous du montant promis.", "The amount decided is below the amount promised."
        )
    if kind == "money" and amount is None and not refused and not paid:
        return _light(
            "unknown",
            T("Le contrat ne dit pas le montant promis.", "The contract does not say the amount promised."),
            today,
            inputs,
        )
    return light(
        today=today,
        due_on=due,
        closes_on=closes_on,
        kept=kept,
        kept_on=kept_on,
        given_up=refused,
        begun=bool(decided) or bool(paid),
        doubt=doubt,
        inputs={k: v for k, v in inputs.items() if v is not None},
    )


def indicator_light(
    *,
    today: dt.date,
    direction: str,
    target: Decimal | None,
    value: Decimal | None,
    period_start: dt.date,
    period_end: dt.date,
    asked_by: dt.date | None = None,
    baseline: Decimal | None = None,
) -> Light | None:
    """A value against its target of the year. None when there is nothing to judge (no direction, no target).

    ``asked_by``: the day by which the value had to be reported. Within the period, a value is compared with the
    straight line from the baseline to the target.
    """
    if direction not in ("up", "down") or target is None:
        return None
    inputs = {
        T("cible", "target"): target,
        T("valeur", "value"): value,
        T("départ", "baseline"): baseline,
        T("fin de la période", "end of the period"): period_end,
        T("valeur attendue le", "value asked by"): asked_by,
        T("jour", "day"): today,
    }
    inputs = {k: v for k, v in inputs.items() if v is not None}
    if value is None:
        if today <= (asked_by or period_end):
            return _light(
                "not_yet_due",
                T("La valeur de la période n'est pas encore demandée.", "The value of the period is not asked yet."),
                today,
                inputs,
            )
        return _light(
            "unknown",
            T(
                "La valeur de la période n'est pas connue alors qu'elle devait l'être.",
                "The value of the period is not known although it should be.",
            ),
            today,
            inputs,
        )
    good = value >= target if direction == "up" else value <= target
    if good:
        return _light(
            "reached", T("La valeur atteint la cible.", "The value reaches the target."), today, inputs, reading=False
        )
    if today > period_end:
        return _light(
            "missed",
            T(
                "La période est close et la valeur n'atteint pas la cible.",
                "The period is closed and the value does not reach the target.",
            ),
            today,
            inputs,
            reading=False,
        )
    whole = (period_end - period_start).days + 1
    elapsed = Decimal(max((today - period_start).days + 1, 0)) / whole
    start = baseline if baseline is not None else Decimal(0)
    line = start + (target - start) * elapsed
    ahead = value >= line if direction == "up" else value <= line
    if ahead:
        return _light(
            "on_track",
            T("La valeur est sur la droite qui mène à la cible.", "The value is on the line to the target."),
            today,
            inputs,
        )
    return _light(
        "at_risk",
        T("La valeur est derrière la droite qui mène à la cible.", "The value is behind the line to the target."),
        today,
        inputs,
    )


def read_status(status: str) -> tuple[str, bool]:
    """A stored status of an objective as ``(declared, contested by the State)``."""
    return (status.removeprefix(CONTESTED), True) if status.startswith(CONTESTED) else (status, False)


def objective_light(
    *,
    today: dt.date,
    status: str | None,
    validated: bool = False,
    contested: bool = False,
    closes_on: dt.date | None = None,
    actions: Sequence[str] = (),
) -> Light:
    """An objective: what the pôle declares, what the State says of it, else what its actions tell."""
    inputs: dict[Any, Any] = {
        T("déclaré par le pôle", "declared by the cluster"): status or None,
        T("validé par l'État", "validated by the State"): validated if status else None,
        T("actions", "actions"): ", ".join(sorted(set(actions))) or None,
        T("jour", "day"): today,
    }
    inputs = {k: v for k, v in inputs.items() if v is not None}
    if contested:
        return _light(
            "at_risk",
            T("L'État conteste ce que le pôle déclare.", "The State contests what the cluster declares."),
            today,
            inputs,
        )
    if status == "reached" and not validated:
        return _light(
            "on_track",
            T(
                "Déclaré atteint ; l'État ne l'a pas encore validé.",
                "Declared reached; the State has not validated it yet.",
            ),
            today,
            inputs,
        )
    if status in ("reached", "missed"):
        return _light(
            status,
            T("Déclaré par le pôle et validé par l'État.", "Declared by the cluster and validated by the State.")
            if validated
            else T("Déclaré par le pôle.", "Declared by the cluster."),
            today,
            inputs,
            reading=False,
        )
    if closes_on and today > closes_on:
        return _light(
            "missed",
            T(
                "Le contrat est échu sans que l'objectif soit atteint.",
                "The contract has ended and the objective is not reached.",
            ),
            today,
            inputs,
        )
    if status in ("on_track", "at_risk"):
        return _light(status, T("Déclaré par le pôle.", "Declared by the cluster."), today, inputs, reading=False)
    if any(code in ("late", "missed", "at_risk") for code in actions):
        return _light(
            "at_risk",
            T(
                "Une action de cet objectif est en retard, manquée ou à surveiller.",
                "An action of this objective is late, missed or at risk.",
            ),
            today,
            inputs,
        )
    if any(code in ("on_track", "reached") for code in actions):
        return _light(
            "on_track",
            T("Aucune déclaration ; ses actions avancent.", "Nothing declared; its actions move on."),
            today,
            inputs,
        )
    if actions and all(code == "not_yet_due" for code in actions):
        return _light(
            "not_yet_due",
            T("Aucune de ses actions n'est encore due.", "None of its actions is due yet."),
            today,
            inputs,
        )
    if any(code == "not_started" for code in actions):
        return _light("not_started", T("Ses actions n'ont pas commencé.", "Its actions have not begun."), today, inputs)
    return _light(
        "unknown", T("Rien n'est déclaré sur cet objectif.", "Nothing is declared about this objective."), today, inputs
    )


def report_light(
    *, today: dt.date, state: str, due_on: dt.date, opens_on: dt.date | None = None, late_from: dt.date | None = None
) -> Light:
    """A report: what the pôle owes in a round. Once submitted, it is the correspondent's turn."""
    inputs = {T("échéance", "due on"): due_on, T("jour", "day"): today}
    if state == "validated":
        return _light("reached", T("Le rapport est validé.", "The report is validated."), today, inputs, reading=False)
    if state == "submitted":
        return _light(
            "on_track",
            T(
                "Le rapport est soumis ; la vérification est à l'État.",
                "The report is submitted; the check is the State's.",
            ),
            today,
            inputs,
            reading=False,
        )
    if today >= (late_from or due_on + dt.timedelta(days=1)):
        days = (today - due_on).days
        return _light(
            "late",
            T("L'échéance est passée depuis {n}.", "The due day passed {n} ago.", n=days_of(days)),
            today,
            inputs,
            days=days,
            reading=False,
        )
    if state == "returned":
        return _light(
            "at_risk",
            T(
                "Le rapport est retourné ; le pôle doit le corriger.",
                "The report was returned; the cluster must correct it.",
            ),
            today,
            inputs,
            reading=False,
        )
    return _light(
        "not_yet_due",
        T("Le rapport peut être rempli jusqu'à l'échéance.", "The report may be filled in until its due day."),
        today,
        inputs,
        reading=False,
    )


def next_step(state: str, today: dt.date, due_on: dt.date) -> tuple[Text, str]:
    """Who must do what next about a report: sentence, and side (governance, state, nobody)."""
    if state == "submitted":
        return T(
            "Le correspondant de l'État doit vérifier le rapport.", "The State correspondent must check the report."
        ), "state"
    if state == "validated":
        return T("Rien : le rapport est validé.", "Nothing: the report is validated."), ""
    if today > due_on:
        return T(
            "Le pôle doit soumettre son rapport ; à relancer.", "The cluster must submit its report; send a reminder."
        ), "governance"
    if state == "returned":
        return T(
            "Le pôle doit corriger ce qui a été retourné.", "The cluster must correct what was returned."
        ), "governance"
    return T("Le pôle remplit son rapport.", "The cluster fills in its report."), "governance"


def worst(lights: Iterable[str]) -> str:
    """The worst of several lights; unknown when there is none."""
    found = sorted(lights, key=lambda code: SEVERITY[code])
    return found[0] if found else "unknown"


def slip_days(planned: dt.date | None, expected: dt.date | None) -> int:
    """By how many days an end slipped; 0 when it did not or is not known."""
    if planned is None or expected is None or expected <= planned:
        return 0
    return (expected - planned).days


PUBLIC_MONEY = ("state", "local", "europe")
PRIVATE_MONEY = ("fees", "services", "sponsorship")
BUDGET_KINDS = (*PUBLIC_MONEY, *PRIVATE_MONEY, "in_kind")
"""Kinds of income of a running budget. In kind is counted apart from money."""


@dataclass(frozen=True)
class BudgetYear:
    """The running budget of one year. Sums are None where nothing is known; shares are in percent of the money."""

    year: int
    lines: Mapping[str, Decimal]
    public: Decimal | None
    private: Decimal | None
    total: Decimal | None
    public_share: Decimal | None
    private_share: Decimal | None
    aim: Any  # the policy's parameter that the public share is read against, if one was in force
    why: Why

    @property
    def in_kind(self) -> Decimal | None:
        return self.lines.get("in_kind")

    @property
    def above(self) -> Decimal | None:
        """By how many points the public share exceeds what the policy asks; None when it does not, or is unknown."""
        if self.aim is None or self.public_share is None or self.public_share <= self.aim.value:
            return None
        return self.public_share - self.aim.value


def budget_year(year: int, lines: Mapping[str, Decimal], aims: Sequence[Any] = ()) -> BudgetYear:
    """Sums and shares of a year's running budget: the same as the indicators of the public and private share.

    A line that was not given counts for nothing in the sums, and the explanation names it. ``aims``: the policy's
    parameters (ceiling, target) in force at the end of that year, the one to read first at the head.
    """

    def total(kinds: Iterable[str]) -> Decimal | None:
        known = [lines[k] for k in kinds if k in lines]
        return sum(known, Decimal(0)) if known else None

    def share(part: Decimal | None) -> Decimal | None:
        if not money:
            return None
        return (100 * (part or Decimal(0)) / money).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)

    public, private, money = total(PUBLIC_MONEY), total(PRIVATE_MONEY), total((*PUBLIC_MONEY, *PRIVATE_MONEY))
    aim = next(iter(aims), None)
    steps: list[Any] = [
        T("{what} : {n} {unit}.", "{what}: {n} {unit}.", what=a.title, n=a.value, unit=a.unit_title) for a in aims
    ]
    absent = [kind for kind in (*PUBLIC_MONEY, *PRIVATE_MONEY) if kind not in lines]
    if absent and lines:
        steps.append(
            T(
                "{n} ligne(s) ne sont pas données ; les sommes ne portent que sur celles qui le sont.",
                "{n} line(s) are not given; the sums are over those that are.",
                n=len(absent),
            )
        )
    return BudgetYear(
        year,
        lines,
        public,
        private,
        money,
        share(public),
        share(private),
        aim,
        Why(
            rule=T(
                "Part publique : recettes de l'État, des collectivités et de l'Europe, rapportées à toutes les recettes "
                "en argent. Les contributions en nature sont comptées à part.",
                "Public share: income from the State, local authorities and Europe, over all income in money. "
                "Contributions in kind are counted apart.",
            ),
            parameter=aim.path if aim else "",
            value=aim.value if aim else None,
            unit=aim.unit if aim else "",
            reference=aim.reference if aim else "",
            url=(aim.url or "") if aim else "",
            reading=bool(aim and aim.reading),
            day=dt.date(year, 12, 31),
            formula="100 * contracts.budget_public / contracts.budget_total",
            inputs={
                T("recettes publiques", "public income"): public,
                T("recettes privées", "private income"): private,
                T("toutes les recettes en argent", "all income in money"): money,
            },
            steps=tuple(steps),
        ),
    )
