"""Money, instalments, deadlines and delays of agreements, as pure functions of plain values and the policy.

Basis: policy facts on the FUI's path (announcement → agreements → advance → payments on evidence → balance; three months from
the 16th call on; six months to complete the file from the 25th), law 2000-321 article 10 for subsidies to private bodies.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.rules import plus

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
MAX_AMOUNT = Decimal("999999999999.99")


# -- money --------------------------------------------------------------------------------------------------------


def cents(amount: Decimal) -> Decimal:
    """An amount rounded to the cent, half up (as the accounts do)."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def exact(amount: Decimal, *, where: Text | str) -> Decimal:
    """An amount as typed, which must be positive and have at most two decimals.

    Raises:
        Refused: zero, negative, fractions of a cent, or too large to be kept.
    """
    if not amount.is_finite() or amount <= 0 or amount > MAX_AMOUNT:
        raise Refused(
            T(
                "{where} : {found} n'est pas un montant possible ; attendu : un montant positif, en euros et centimes.",
                "{where}: {found} is not a possible amount; expected: a positive amount, in euros and cents.",
                where=where,
                found=str(amount),
            ),
            kind="input",
        )
    if amount != amount.quantize(CENT):
        raise Refused(
            T(
                "{where} : {found} a plus de deux décimales ; un montant s'arrête au centime.",
                "{where}: {found} has more than two decimals; an amount stops at the cent.",
                where=where,
                found=str(amount),
            ),
            kind="input",
        )
    return amount.quantize(CENT)


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """An amount cut in proportion, to the cent, so that the parts make the amount: largest remainders get the last cents.

    Raises:
        ValueError: no weight, a negative one, or all of them zero.
    """
    total = sum(weights, Decimal(0))
    if not weights or total <= 0 or min(weights) < 0:
        raise ValueError("weights must be positive")
    whole = int(cents(amount) / CENT)
    exacts = [Decimal(whole) * w / total for w in weights]
    floors = [int(e) for e in exacts]
    left = whole - sum(floors)
    order = sorted(range(len(weights)), key=lambda i: (-(exacts[i] - floors[i]), i))
    for i in order[:left]:
        floors[i] += 1
    return [(Decimal(f) * CENT).quantize(CENT) for f in floors]


# -- instalments --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """An instalment as plain values."""

    number: int
    kind: str
    amount: Decimal
    due_on: dt.date | None = None
    condition: str = ""


def suggested(plan: Any, amount: Decimal, starts_on: dt.date | None) -> list[Part]:
    """The instalments that a plan of the policy suggests for an amount; the sum is the amount, to the cent."""
    parts = split(amount, [p.percent for p in plan.instalments])
    return [
        Part(
            number=n,
            kind=p.kind,
            amount=share,
            due_on=plus(starts_on, p.months, "months") if starts_on and p.months is not None else None,
            condition=str(p.condition),
        )
        for n, (p, share) in enumerate(zip(plan.instalments, parts, strict=True), 1)
    ]


def plan_of(policy: Any, day: dt.date) -> Any:
    """The plan that the policy suggests on a day, or None."""
    part = policy.part("funding")
    for plan in part.plans if part else ():
        if plan.valid_from <= day and (plan.valid_to is None or day <= plan.valid_to):
            return plan
    return None


def check_plan(amount: Decimal, parts: Sequence[Part]) -> list[Part]:
    """The instalments, numbered from 1, when they make the amount.

    Raises:
        Refused: none, a sum that is not the amount, an advance that is not first, a balance that is not last, days out
            of order; with every fault.
    """
    wrong: list[Any] = []
    if not parts:
        wrong.append(T("Aucune tranche.", "No instalment."))
    for n, part in enumerate(parts, 1):
        where = T("Tranche {n}", "Instalment {n}", n=n)
        try:
            exact(part.amount, where=where)
        except Refused as refusal:
            wrong.append(refusal.reason)
        if part.kind not in ("advance", "intermediate", "balance"):
            wrong.append(T("{w} : nature inconnue « {k} ».", "{w}: unknown kind “{k}”.", w=where, k=part.kind))
        if part.kind == "advance" and n != 1:
            wrong.append(T("{w} : l'avance est la première tranche.", "{w}: the advance is the first one.", w=where))
        if part.kind == "balance" and n != len(parts):
            wrong.append(T("{w} : le solde est la dernière tranche.", "{w}: the balance is the last one.", w=where))
    days = [p.due_on for p in parts if p.due_on]
    if days != sorted(days):
        wrong.append(
            T(
                "Les dates des tranches ne se suivent pas dans l'ordre.",
                "The days of the instalments do not follow in order.",
            )
        )
    total = sum((p.amount for p in parts), ZERO)
    if parts and total != amount:
        wrong.append(
            T(
                "Les tranches font {t} €, la convention {a} € : il y a {d} € d'écart.",
                "The instalments make {t} €, the agreement {a} €: there is a gap of {d} €.",
                t=euros(total),
                a=euros(amount),
                d=euros(total - amount, signed=True),
            )
        )
    if wrong:
        raise Refused(
            T("L'échéancier ne va pas.", "The instalments do not fit."),
            missing=wrong,
            kind="input",
            why=Why(
                rule=T(
                    "La somme des tranches est le montant de la convention, au centime ; l'avance vient en premier, le "
                    "solde en dernier.",
                    "The instalments make the amount of the agreement, to the cent; the advance comes first, the balance "
                    "last.",
                ),
                inputs={T("Montant", "Amount"): amount, T("Somme des tranches", "Sum of the instalments"): total},
            ),
        )
    return [Part(n, p.kind, p.amount.quantize(CENT), p.due_on, p.condition.strip()) for n, p in enumerate(parts, 1)]


class Euros:
    """An amount in a sentence, written when the sentence is: 1 234,56 in French, 1,234.56 in English."""

    def __init__(self, amount: Decimal, signed: bool):
        self.amount, self.signed = amount, signed

    def __str__(self) -> str:
        from jalon.core.lang import language

        text = f"{abs(self.amount):,.2f}"
        if language() == "fr":
            text = text.replace(",", "\u202f").replace(".", ",")
        sign = "−" if self.amount < 0 else "+" if self.signed and self.amount > 0 else ""
        return sign + text


def euros(amount: Decimal, *, signed: bool = False) -> Any:
    """An amount in a sentence, in the language in which it is read; the plus sign only when asked for."""
    return Euros(amount, signed)


@dataclass(frozen=True)
class Room:
    """What may still be certified on an instalment: the smallest of the rooms, and which one it is."""

    amount: Decimal
    why: Why


def room(
    *,
    kind: str,
    instalment: Decimal,
    instalment_taken: Decimal,
    agreement: Decimal,
    agreement_taken: Decimal,
    decided: Decimal | None,
    rate: Decimal | None,
    accepted: Decimal | None,
) -> Room:
    """The most that may be certified now.

    Three ceilings hold at once: the instalment, the agreement (and what was decided, if it is less), and for the balance
    the aid rate of the agreement on the expenses retained since its beginning. ``taken`` counts what is certified or
    ordered already, less what was repaid. ``accepted``: expenses retained so far, this claim included; None when the
    claim brings none. ``rate`` is in percent.
    """
    inputs: dict[Any, Any] = {
        T("Tranche", "Instalment"): instalment,
        T("Déjà certifié sur la tranche", "Certified on the instalment already"): instalment_taken,
        T("Convention", "Agreement"): agreement,
        T("Déjà certifié sur la convention", "Certified on the agreement already"): agreement_taken,
    }
    limit = agreement if decided is None else min(agreement, decided)
    if decided is not None and decided < agreement:
        inputs[T("Montant décidé", "Amount decided")] = decided
    rooms = [instalment - instalment_taken, limit - agreement_taken]
    steps = [
        T("Tranche : {a}", "Instalment: {a}", a=euros(rooms[0])),
        T("Convention : {a}", "Agreement: {a}", a=euros(rooms[1])),
    ]
    rule = T(
        "On ne certifie ni au-delà de la tranche, ni au-delà de la convention.",
        "Nothing is certified above the instalment, nor above the agreement.",
    )
    if kind == "balance" and rate is not None and accepted is not None:
        due = cents(accepted * rate / 100)
        rooms.append(due - agreement_taken)
        inputs[T("Dépenses retenues", "Expenses retained")] = accepted
        inputs[T("Taux d'aide (%)", "Aid rate (%)")] = rate
        steps.append(
            T(
                "Dépenses : {e} × {r} % = {d}, moins {t} déjà certifié : {a}",
                "Expenses: {e} × {r}% = {d}, less {t} certified already: {a}",
                e=euros(accepted),
                r=str(rate.normalize()),
                d=euros(due),
                t=euros(agreement_taken),
                a=euros(rooms[2]),
            )
        )
        rule = T(
            "On ne certifie ni au-delà de la tranche, ni au-delà de la convention ; au solde, le total ne dépasse pas le "
            "taux d'aide appliqué aux dépenses retenues.",
            "Nothing is certified above the instalment, nor above the agreement; with the balance, the total does not "
            "exceed the aid rate on the expenses retained.",
        )
    return Room(max(min(rooms), ZERO), Why(rule=rule, inputs=inputs, steps=tuple(steps)))


# -- deadlines ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deadline:
    """A day by which something is due (None: no rule in force), and where it comes from."""

    on: dt.date | None
    why: Why

    def late(self, done_on: dt.date | None, day: dt.date) -> bool | None:
        """Whether it was (or is) late; None when no rule fixes a day."""
        if self.on is None:
            return None
        return (done_on or day) > self.on


NO_RULE = T("Aucun texte ne fixe ce délai à cette date.", "No text fixes this delay on that day.")


def deadline(policy: Any, path: str, start: dt.date | None, rule: Text, start_name: Text) -> Deadline:
    """A delay of the policy, in force on the day from which it counts, added to that day."""
    if start is None:
        return Deadline(
            None, Why(rule=T("Le point de départ n'est pas connu.", "The starting day is not known."), parameter=path)
        )
    found = policy.on(start).find(path)
    if found is None:
        return Deadline(None, Why(rule=NO_RULE, parameter=path, day=start, inputs={start_name: start}))
    end = plus(start, found.value, found.unit)
    return Deadline(
        end,
        Why(
            rule=rule,
            parameter=path,
            value=found.value,
            unit=str(found.unit_title),
            reference=found.reference,
            url=found.url or "",
            day=start,
            inputs={start_name: start},
            reading=found.reading,
            to_confirm=found.to_confirm,
        ),
    )


AWARD = T("Annonce", "Announcement")


def agreement_deadline(policy: Any, awarded_on: dt.date | None) -> Deadline:
    """The agreement is signed within this delay of the announcement (from the 16th call on)."""
    return deadline(
        policy,
        "funding.agreement_within",
        awarded_on,
        T("La convention est signée dans ce délai après l'annonce.", "The agreement is signed within this delay."),
        AWARD,
    )


def advance_deadline(policy: Any, awarded_on: dt.date | None) -> Deadline:
    """The advance is paid within this delay of the announcement (from the 16th call on)."""
    return deadline(
        policy,
        "funding.advance_within",
        awarded_on,
        T("L'avance est payée dans ce délai après l'annonce.", "The advance is paid within this delay."),
        AWARD,
    )


def completion_deadline(policy: Any, awarded_on: dt.date | None) -> Deadline:
    """The file is complete within this delay of the announcement; the selection is lost otherwise (25th call)."""
    return deadline(
        policy,
        "funding.file_completed_within",
        awarded_on,
        T(
            "Sans dossier complet dans ce délai, la sélection est perdue.",
            "Without a complete file within this delay, the selection is lost.",
        ),
        AWARD,
    )


def return_deadline(policy: Any, year: int) -> Deadline:
    """The financial return (*compte rendu financier*) is due so long after the end of the year."""
    return deadline(
        policy,
        "funding.financial_return_within",
        dt.date(year, 12, 31),
        T(
            "Le compte rendu financier est remis dans ce délai après la fin de l'année.",
            "The financial return is handed in within this delay after the end of the year.",
        ),
        T("Fin de l'année", "End of the year"),
    )


def return_years(
    how: str, *, private: bool, awarded_on: dt.date | None, starts_on: dt.date | None, ends_on: dt.date | None
) -> list[int]:
    """The years for which an agreement asks for a financial return.

    ``how`` law: the year of the award, of private-law bodies only (law 2000-321, article 10); yearly: each year of the work, of
    whoever is aided, because the agreement says so.
    """
    if how == "yearly" and starts_on is not None:
        return list(range(starts_on.year, (ends_on or starts_on).year + 1))
    day = awarded_on or starts_on
    return [day.year] if day is not None and (private or how == "yearly") else []


SIDES: tuple[tuple[str, Text], ...] = (("charge", T("Charges", "Charges")), ("income", T("Produits", "Income")))


@dataclass(frozen=True)
class Line:
    """A line of a financial return: charge or income, what was planned, what it was."""

    side: str
    label: str
    planned: Decimal
    actual: Decimal

    @property
    def gap(self) -> Decimal:
        return self.actual - self.planned

    @property
    def gap_share(self) -> Decimal | None:
        """The gap in percent of what was planned; None when nothing was planned."""
        return (self.gap * 100 / self.planned).quantize(Decimal("0.1"), ROUND_HALF_UP) if self.planned else None


def summed(side: str, lines: Sequence[Line]) -> Line:
    """The total of a side, as a line."""
    mine = [row for row in lines if row.side == side]
    return Line(side, "", total(r.planned for r in mine), total(r.actual for r in mine))


def check_return(lines: Sequence[Line], *, report: str, annex: str, files: int) -> list[Line]:
    """The lines of a financial return, when it is complete (form of the order of 11 October 2006: report, table, annex).

    Raises:
        Refused: with everything that is missing or wrong.
    """
    wrong: list[Any] = []
    for n, row in enumerate(lines, 1):
        where = T("Ligne {n}", "Line {n}", n=n)
        if row.side not in dict(SIDES):
            wrong.append(T("{w} : charge ou produit ?", "{w}: charge or income?", w=where))
        if not row.label.strip():
            wrong.append(T("{w} : l'intitulé manque.", "{w}: the name is missing.", w=where))
        for amount in (row.planned, row.actual):
            if not amount.is_finite() or amount < 0 or amount > MAX_AMOUNT or amount != amount.quantize(CENT):
                wrong.append(
                    T(
                        "{w} : {a} n'est pas possible ; attendu : zéro ou plus, au centime.",
                        "{w}: {a} is not possible; expected: zero or more, to the cent.",
                        w=where,
                        a=str(amount),
                    )
                )
    for side, title in SIDES:
        if not any(row.side == side for row in lines):
            wrong.append(T("{s} : aucune ligne.", "{s}: no line.", s=title))
    if not report.strip():
        wrong.append(T("Le compte rendu qualitatif.", "The report in words."))
    if any(row.actual != row.planned for row in lines) and not annex.strip():
        wrong.append(
            T(
                "L'annexe : elle explique les écarts entre le prévu et le réalisé.",
                "The annex: it explains the gaps between what was planned and what was done.",
            )
        )
    if not files:
        wrong.append(T("Au moins une pièce justificative.", "At least one piece of evidence."))
    if wrong:
        raise Refused(
            T("Le compte rendu financier n'est pas complet.", "The financial return is not complete."),
            missing=wrong,
            kind="input",
        )
    return [Line(r.side, " ".join(r.label.split())[:255], cents(r.planned), cents(r.actual)) for r in lines]


@dataclass(frozen=True)
class Duty:
    """What the law of subsidies asks of an agreement: what, whether it applies, where it comes from."""

    title: Text
    applies: bool
    why: Why
    due_on: dt.date | None = None


def duties(
    policy: Any,
    *,
    day: dt.date,
    amount: Decimal,
    years: Mapping[int, Decimal],
    private: bool,
    returns: Iterable[int] = (),
) -> list[Duty]:
    """The duties of a subsidy by the law in force on ``day``: written agreement, accounts, financial returns.

    ``years``: what is granted to the beneficiary in each year, as far as the programme knows; thresholds of the law are
    yearly. ``returns``: the years whose financial return is asked for. Repayable advances and public bodies have none of these duties (``private`` False).
    """
    found: list[Duty] = []
    top = max(years.values(), default=amount)
    for path, title, strict, rule in (
        (
            "funding.convention_above",
            T("Convention écrite", "Written agreement"),
            True,
            T(
                "Au-delà de ce montant annuel, une convention écrite dit l'objet, le montant, les modalités et les conditions.",
                "Above this yearly amount, a written agreement states object, amount, terms and conditions.",
            ),
        ),
        (
            "funding.accounts_from",
            T("Comptes certifiés et publiés", "Audited and published accounts"),
            False,
            T(
                "À partir de ce montant annuel d'aides publiques, les comptes sont certifiés et publiés.",
                "From this yearly amount of public grants on, accounts are audited and published.",
            ),
        ),
    ):
        law = policy.on(day).find(path)
        if law is None:
            continue
        over = private and (top > law.value if strict else top >= law.value)
        found.append(
            Duty(
                title,
                over,
                Why(
                    rule=rule,
                    parameter=path,
                    value=law.value,
                    unit=str(law.unit_title),
                    reference=law.reference,
                    url=law.url or "",
                    day=day,
                    inputs={
                        T("Plus forte année connue", "Highest year known"): top,
                        T("Organisme de droit privé", "Private-law body"): T("oui", "yes")
                        if private
                        else T("non", "no"),
                    },
                    to_confirm=law.to_confirm,
                ),
            )
        )
    for year in returns:
        end = return_deadline(policy, year)
        if end.on is not None:
            found.append(Duty(T("Compte rendu financier {y}", "Financial return {y}", y=year), True, end.why, end.on))
    return found


# -- delays -------------------------------------------------------------------------------------------------------

STEPS: tuple[tuple[str, Text], ...] = (
    ("award_signed", T("De l'annonce à la convention signée", "From announcement to signed agreement")),
    ("award_advance", T("De l'annonce à l'avance payée", "From announcement to advance paid")),
    ("claim_check", T("De la demande à sa vérification", "From claim to its check")),
    ("check_certify", T("De la vérification à la certification", "From check to certification")),
    ("certify_order", T("De la certification à l'ordre de paiement", "From certification to payment order")),
    ("order_paid", T("De l'ordre au paiement", "From order to payment")),
    ("claim_paid", T("De la demande au paiement", "From claim to payment")),
)


@dataclass(frozen=True)
class Measure:
    """A step of a funder: how many are finished, the median and 90th percentile of their days; open ones, late ones.

    ``late`` is None when no rule fixes a delay for the step.
    """

    step: str
    title: Text
    count: int
    median: Decimal | None
    p90: int | None
    longest: int | None
    open: int
    late: int | None


def percentile(days: Sequence[int], share: int) -> int | None:
    """The nearest-rank percentile: the smallest value that at least ``share`` percent of the values do not exceed."""
    if not days:
        return None
    ranked = sorted(days)
    rank = -(-len(ranked) * share // 100)
    return ranked[max(rank, 1) - 1]


def measure(step: str, durations: Sequence[int], *, still_open: int = 0, late: int | None = None) -> Measure:
    """The figures of one step; durations are days."""
    return Measure(
        step=step,
        title=dict(STEPS)[step],
        count=len(durations),
        median=Decimal(str(statistics.median(durations))) if durations else None,
        p90=percentile(durations, 90),
        longest=max(durations, default=None),
        open=still_open,
        late=late,
    )


def days_between(first: dt.date | None, last: dt.date | None) -> int | None:
    """Days from one to the other; None when either is unknown, and never negative."""
    return None if first is None or last is None else max((last - first).days, 0)


# -- planning -----------------------------------------------------------------------------------------------------


def months_of(first: dt.date, last: dt.date) -> list[dt.date]:
    """The first days of the months from one day to another."""
    out, day = [], first.replace(day=1)
    while day <= last:
        out.append(day)
        day = plus(day, 1, "months").replace(day=1)
    return out


def spread(budget: Mapping[int, Decimal], first: dt.date, last: dt.date) -> dict[dt.date, Decimal]:
    """A budget by year, spread evenly over the months of the project that lie in each year, to the cent.

    A year without any month of the project falls on its nearest month, so that no cent is lost.
    """
    months = months_of(first, last)
    out = dict.fromkeys(months, ZERO)
    for year, amount in sorted(budget.items()):
        if amount <= 0:
            continue
        here = [m for m in months if m.year == year] or [months[0] if year < months[0].year else months[-1]]
        for month, part in zip(here, split(amount, [Decimal(1)] * len(here)), strict=True):
            out[month] += part
    return out


def total(amounts: Iterable[Decimal]) -> Decimal:
    """A sum that is 0.00 when there is nothing."""
    return sum(amounts, ZERO)
