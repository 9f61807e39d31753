"""Relay finance: who may ask, what it costs, who gets a public payment, what time it gains. Pure functions.

Basis: page "Les nouvelles mesures de la phase 2" (companies, above all SMEs, partner in a labelled project aided by the State; from
the official letter of selection on; a bank, with OSEO's counter-guarantee if it wishes; six to nine months gained), start
in Rhône-Alpes in April 2008, guarantee of 50 % of the advance.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.funding.rules import ZERO, cents, euros
from jalon.policy.rules import plus

DAYS_IN_MONTH = Decimal("30.4375")
"""A twelfth of a year of 365.25 days: months gained are days divided by it."""


@dataclass(frozen=True)
class Asking:
    """The situation of a partner on the day on which it asks, as plain values."""

    kind: str
    labelled: bool
    state_grant: Decimal
    letter_on: dt.date | None
    still_due: Decimal
    region: str | None
    region_set: str | None
    region_name: str
    engaged: bool
    left: bool = False


@dataclass(frozen=True)
class Eligibility:
    """What is missing for a request (nothing: it may be made), and where the rule comes from."""

    missing: tuple[Text, ...]
    why: Why

    @property
    def open(self) -> bool:
        return not self.missing


def open_regions(policy: Any, day: dt.date) -> list[Any]:
    """The regions in which relay finance is open on a day."""
    part = policy.part("funding")
    rows = part.relay_regions if part else ()
    return [r for r in rows if r.since <= day and (r.until is None or day <= r.until)]


def region_of(policy: Any, department: str, region_code: str, day: dt.date) -> tuple[str, str, str] | None:
    """(set, code, name) of the region of a place on a day: by its department, else by the region's own code."""
    chosen = policy.regions_on(day)
    if chosen is None:
        return None
    for region in chosen.regions:
        if (department and department in region.departments) or (not department and region.code == region_code):
            return chosen.code, region.code, region.name
    return None


def region_open(policy: Any, region_set: str | None, region: str | None, day: dt.date) -> Any:
    """The row of the policy that opens the region on that day, or None.

    A region named in an earlier set stays open for the departments it had: the row is compared by its departments.
    """
    if region is None or region_set is None:
        return None
    for row in open_regions(policy, day):
        if (row.region_set, row.region) == (region_set, region):
            return row
    return None


def place_open(policy: Any, department: str, region_code: str, day: dt.date) -> tuple[Any, tuple[str, str, str] | None]:
    """Whether relay finance is open for a place on a day: the row that opens it (or None), and the region of the day.

    A row names a region of one set; a department that was in that region stays concerned after the map changed.
    """
    here = region_of(policy, department, region_code, day)
    for row in open_regions(policy, day):
        opened = next(r for r in policy.region_set(row.region_set).regions if r.code == row.region)
        if department:
            if department in opened.departments:
                return row, here
        elif here is not None and (row.region_set, row.region) == here[:2]:
            return row, here
    return None, here


def eligibility(policy: Any, asking: Asking, day: dt.date, row: Any) -> Eligibility:
    """Who may ask for relay finance, and what stands in the way. ``row``: the policy's line that opens the region."""
    missing: list[Text] = []
    if policy.part("funding") is None:
        missing.append(T("Le programme n'a pas de financement relais.", "The programme has no relay finance."))
    if asking.kind != "company" or asking.left:
        missing.append(
            T(
                "Le demandeur est une entreprise, partenaire du projet.",
                "The applicant is a company, partner of the project.",
            )
        )
    if not asking.labelled:
        missing.append(T("Le projet est labellisé par un pôle.", "The project is labelled by a cluster."))
    if asking.state_grant <= 0:
        missing.append(
            T("L'État a décidé une subvention pour ce partenaire.", "The State decided a grant for this partner.")
        )
    if asking.letter_on is None or asking.letter_on > day:
        missing.append(
            T(
                "La lettre officielle annonçant les projets retenus est émise.",
                "The official letter that announces the selected projects is issued.",
            )
        )
    if row is None:
        open_now = ", ".join(
            next(r.name for r in policy.region_set(o.region_set).regions if r.code == o.region)
            for o in open_regions(policy, day)
        )
        missing.append(
            T(
                "Le dispositif est ouvert dans la région de l'entreprise ({r}) le {d} ; il l'est dans : {o}.",
                "The scheme is open in the company's region ({r}) on {d}; it is in: {o}.",
                r=asking.region_name or T("inconnue", "unknown"),
                d=day.isoformat(),
                o=open_now or T("aucune région", "no region"),
            )
        )
    if asking.state_grant > 0 and asking.still_due <= 0:
        missing.append(T("Il reste une subvention à recevoir.", "Some of the grant is still to come."))
    if asking.engaged:
        missing.append(T("Aucun autre relais n'est engagé sur cette aide.", "No other relay is engaged on this grant."))
    return Eligibility(
        tuple(missing),
        Why(
            rule=T(
                "Une entreprise, surtout une PME, partenaire d'un projet labellisé et aidé par l'État, peut demander à une "
                "banque l'avance de sa subvention dès la lettre officielle, là où le dispositif est ouvert.",
                "A company, above all an SME, partner of a labelled project aided by the State, may ask a bank for its grant "
                "in advance from the official letter on, where the scheme is open.",
            ),
            parameter="funding.relay_regions",
            value=asking.region_name,
            reference="" if row is None else row.reference,
            url="" if row is None else row.url or "",
            day=day,
            inputs={
                T("Subvention de l'État décidée", "State grant decided"): asking.state_grant,
                T("Reste à recevoir", "Still to come"): asking.still_due,
                T("Lettre officielle", "Official letter"): asking.letter_on,
                T("Ouvert depuis", "Open since"): None if row is None else row.since,
            },
        ),
    )


# -- costs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What a relay costs: interest, fee, their sum, and how."""

    interest: Decimal
    fee: Decimal
    why: Why

    @property
    def total(self) -> Decimal:
        return self.interest + self.fee


def check_offer(offer: Decimal, months: int, rate: Decimal, fee: Decimal, still_due: Decimal) -> None:
    """An offer stays within what is still to come of the grant, for at least a month, at a rate that is not negative.

    Raises:
        Refused: with every fault.
    """
    wrong: list[Text] = []
    if offer > still_due:
        wrong.append(
            T(
                "L'avance ({o} €) dépasse la subvention restant à recevoir ({d} €).",
                "The advance ({o} €) exceeds the grant still to come ({d} €).",
                o=euros(offer),
                d=euros(still_due),
            )
        )
    if not 1 <= months <= 120:
        wrong.append(T("La durée va de 1 à 120 mois.", "The duration is 1 to 120 months."))
    if not 0 <= rate <= 100:
        wrong.append(T("Le taux annuel va de 0 à 100 %.", "The yearly rate is 0 to 100%."))
    if fee < 0 or fee != cents(fee):
        wrong.append(T("Les frais sont un montant positif ou nul, au centime.", "Fees are zero or more, to the cent."))
    if wrong:
        raise Refused(
            T("L'offre ne va pas.", "The offer does not fit."),
            missing=wrong,
            kind="input",
            why=Why(
                rule=T(
                    "Une banque n'avance pas plus que la subvention restant à recevoir.",
                    "A bank advances no more than the grant still to come.",
                ),
                inputs={T("Reste à recevoir", "Still to come"): still_due},
            ),
        )


def estimate(policy: Any, day: dt.date, amount: Decimal, months: int, rate: Decimal, fee: Decimal) -> Cost:
    """What an offer costs if the advance is kept for its whole duration: simple interest by the day, and the fee."""
    end = plus(day, months, "months")
    return _interest(policy, day, [(amount, day, end)], rate, fee)


def actual(
    policy: Any,
    day: dt.date,
    drawdowns: Sequence[tuple[dt.date, Decimal]],
    repayments: Sequence[tuple[dt.date, Decimal]],
    rate: Decimal,
    fee: Decimal,
) -> Cost:
    """What a relay has cost up to ``day``: each euro pays interest from its drawdown to its repayment, first out first in."""
    return _interest(policy, day, [(a, s, e or day) for a, s, e in lots(drawdowns, repayments)], rate, fee)


def _interest(
    policy: Any, day: dt.date, held: Sequence[tuple[Decimal, dt.date, dt.date]], rate: Decimal, fee: Decimal
) -> Cost:
    base = policy.on(day).find("funding.relay_days_in_year")
    year = base.value if base else 365
    interest = ZERO
    steps = []
    for amount, start, end in held:
        days = max((end - start).days, 0)
        part = cents(amount * rate / 100 * days / year)
        interest += part
        steps.append(
            T(
                "{a} € × {r} % × {n} jours / {y} = {p} €",
                "{a} € × {r}% × {n} days / {y} = {p} €",
                a=euros(amount),
                r=f"{rate.normalize():f}",
                n=days,
                y=year,
                p=euros(part),
            )
        )
    return Cost(
        interest,
        fee,
        Why(
            rule=T(
                "Intérêts simples, au jour près, sur ce que la banque a avancé, plus les frais.",
                "Simple interest, by the day, on what the bank advanced, plus the fee.",
            ),
            parameter="funding.relay_days_in_year",
            value=year,
            unit=str(base.unit_title) if base else "",
            reference=base.reference if base else "",
            day=day,
            inputs={T("Taux annuel (%)", "Yearly rate (%)"): rate, T("Frais", "Fee"): fee},
            steps=tuple(steps),
            reading=True,
        ),
    )


# -- flows --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Allocation:
    """Where a public payment to an assignee goes: bank, guarantor, company. The three make the payment."""

    bank: Decimal
    guarantor: Decimal
    company: Decimal


def allocate(payment: Decimal, owed_bank: Decimal, owed_guarantor: Decimal) -> Allocation:
    """The bank first, then the guarantor that paid in the company's place, what is left to the company."""
    bank = min(payment, max(owed_bank, ZERO))
    guarantor = min(payment - bank, max(owed_guarantor, ZERO))
    return Allocation(bank, guarantor, payment - bank - guarantor)


def guaranteed(share: Decimal, owed: Decimal, ceiling: Decimal) -> Decimal:
    """What a counter-guarantee pays on a default: its share of what is owed, within what was granted."""
    return min(cents(owed * share / 100), ceiling)


def lots(
    drawdowns: Sequence[tuple[dt.date, Decimal]], repayments: Sequence[tuple[dt.date, Decimal]]
) -> list[tuple[Decimal, dt.date, dt.date | None]]:
    """Which drawdown each repayment pays back, in order: (amount, drawn on, repaid on or None)."""
    out: list[tuple[Decimal, dt.date, dt.date | None]] = []
    back = [[day, amount] for day, amount in sorted(repayments)]
    for start, amount in sorted(drawdowns):
        left = amount
        while left > 0 and back:
            part = min(left, back[0][1])
            out.append((part, start, back[0][0]))
            left -= part
            back[0][1] -= part
            if back[0][1] == 0:
                back.pop(0)
        if left > 0:
            out.append((left, start, None))
    return out


@dataclass(frozen=True)
class Gain:
    """Months gained by a relay (or by several): the mean wait spared, by euro; None when nothing was drawn.

    ``running``: some of it is not repaid yet, so that the figure is a minimum.
    """

    months: Decimal | None
    amount: Decimal
    running: bool
    why: Why


def months_gained(
    drawdowns: Sequence[tuple[dt.date, Decimal]], public: Sequence[tuple[dt.date, Decimal]], day: dt.date
) -> Gain:
    """How much earlier the company had its money: from each drawdown to the public payment that repaid it.

    What no public payment repaid yet counts up to ``day``, so that the figure can only grow.
    """
    return gain_of(lots(drawdowns, public), day)


def gain_of(held: Sequence[tuple[Decimal, dt.date, dt.date | None]], day: dt.date) -> Gain:
    """The mean wait of amounts held, weighted by amount."""
    weight = sum((a for a, _, _ in held), ZERO)
    running = any(end is None for _, _, end in held)
    waits = [(a, max(((end or day) - start).days, 0), start, end) for a, start, end in held]
    months = None
    if weight > 0:
        months = (sum((a * n for a, n, _, _ in waits), Decimal(0)) / weight / DAYS_IN_MONTH).quantize(Decimal("0.1"))
    return Gain(
        months,
        weight,
        running,
        Why(
            rule=T(
                "Pour chaque euro avancé : du jour où la banque le verse au jour où le paiement public le rembourse, "
                "moyenne pondérée par les montants ; ce qui n'est pas remboursé compte jusqu'à ce jour (au moins).",
                "For each euro advanced: from the day the bank pays it to the day the public payment repays it, mean "
                "weighted by amounts; what is not repaid counts up to this day (at least).",
            ),
            day=day,
            inputs={
                T("Montant avancé", "Amount advanced"): weight,
                T("Jours par mois", "Days in a month"): DAYS_IN_MONTH,
            },
            steps=tuple(
                T(
                    "{a} € : {n} jours, du {s} au {e}",
                    "{a} €: {n} days, from {s} to {e}",
                    a=euros(a),
                    n=n,
                    s=start.isoformat(),
                    e=end.isoformat() if end else T("ce jour, non remboursé", "this day, not repaid"),
                )
                for a, n, start, end in waits[:12]
            ),
            reading=True,
        ),
    )


def shortfall(owed: Decimal, still_due: Decimal) -> Decimal:
    """What the grant still to come does not cover of what the bank is owed."""
    return max(owed - max(still_due, ZERO), ZERO)
