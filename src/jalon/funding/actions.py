"""Acts on agreements, claims and payments: one function each.

Every act that touches money first holds the agreement's row, so that acts on one agreement queue up and those on others never wait;
what an act read before is read again under that hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from jalon.core import clock, files, journal, workflow
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.why import Why
from jalon.funding import access, messages, queries, return_actions, rules, states
from jalon.funding.models import (
    Agreement,
    Amendment,
    Claim,
    ClaimExpense,
    ClaimFile,
    Instalment,
    PaymentOrder,
    Recovery,
)
from jalon.funding.return_actions import locked
from jalon.funding.rules import ZERO
from jalon.people.access import Actor
from jalon.projects.models import Partner
from jalon.selection.models import Share


def _move(agreement: Agreement, name: str, reason: str = "") -> workflow.Move:
    return workflow.check(states.AGREEMENT_MOVES, states.AGREEMENT_STATES, name, agreement.state, reason)


def _record(agreement: Agreement, act: str, *, by: Any, on: dt.date, at: dt.datetime | None, **kwargs: Any) -> None:
    journal.record(agreement.case, act, by=by, on=on, at=clock.stamp(on, at), **kwargs)


def _day_not_after(day: dt.date, on: dt.date, what: Any) -> None:
    if day > on:
        raise Refused(
            T(
                "{w} : le {d} est à venir ; aujourd'hui nous sommes le {t}.",
                "{w}: {d} is in the future; today is {t}.",
                w=what,
                d=day.isoformat(),
                t=on.isoformat(),
            ),
            kind="input",
        )


# -- drawing up ---------------------------------------------------------------------------------------------------


@transaction.atomic
def create(
    share: Share,
    *,
    number: str,
    by: Actor,
    on: dt.date,
    subject: str = "",
    amount: Decimal | None = None,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    returns: str = "law",
    at: dt.datetime | None = None,
) -> Agreement:
    """Prepare the agreement of a decided share, for all of its amount unless a smaller one is given.

    The instalments suggested by the policy are set, when there is a suggestion; they are changed freely before it is sent.
    ``returns``: the financial returns asked for, law or yearly.

    Raises:
        NotAllowed: not the funder's. Refused: the share is not decided any more, its agreement exists, more than was
            decided, the number is taken, days out of order, or the selection was lost (no complete file in time).
    """
    access.require_share(by, share, on)
    share = (
        Share.objects.select_for_update(of=("self",))
        .select_related("project", "partner__organisation", "funder")
        .get(pk=share.pk)
    )
    if share.superseded_at is not None or not share.decided:
        raise Conflict(
            T(
                "La décision a changé : cette ligne du plan de financement n'est plus en vigueur.",
                "The decision changed: this line of the financing table is no longer in force.",
            ),
            theirs="",
            yours=str(share.pk),
        )
    if share.project.state not in ("selected", "running"):
        raise Refused(
            T(
                "Le projet n'est pas retenu : pas de convention avant la décision.",
                "The project is not selected: no agreement before the decision.",
            )
        )
    letter = queries.award_letter(share.project, share.partner)
    awarded = letter.on if letter else share.decided_on
    amount = share.decided if amount is None else rules.exact(amount, where=T("Montant", "Amount"))
    if amount > share.decided:
        raise Refused(
            T(
                "Le financeur a décidé {d} € ; la convention ne peut pas en accorder {a}.",
                "The funder decided {d} €; the agreement cannot grant {a}.",
                d=rules.euros(share.decided),
                a=rules.euros(amount),
            ),
            why=Why(
                rule=T(
                    "Une convention reste dans le montant que le financeur a décidé.",
                    "An agreement stays within the amount that the funder decided.",
                ),
                day=share.decided_on,
                inputs={T("Décidé", "Decided"): share.decided, T("Demandé", "Asked"): amount},
            ),
        )
    number = " ".join(number.split())
    if not number or len(number) > 40:
        raise Refused(
            T(
                "Donnez le numéro de la convention (40 caractères au plus).",
                "Give the agreement's number (40 characters).",
            ),
            kind="input",
        )
    if starts_on and ends_on and ends_on < starts_on:
        raise Refused(T("La fin précède le début.", "The end comes before the start."), kind="input")
    if returns not in states.RETURN_KINDS:
        raise Refused(
            T(
                "Comptes rendus financiers : « {r} » n'est pas un choix ; attendu : {k}.",
                "Financial returns: “{r}” is no choice; expected: {k}.",
                r=returns,
                k=", ".join(states.RETURN_KINDS),
            ),
            kind="input",
        )
    project = share.project
    starts_on = starts_on or project.starts_on
    if ends_on is None and starts_on and project.months:
        ends_on = rules.plus(starts_on, project.months, "months") - dt.timedelta(days=1)
    try:
        with transaction.atomic():
            made = Agreement.objects.create(
                programme=project.programme,
                number=number,
                project=project,
                partner=share.partner,
                beneficiary=share.partner.organisation,
                funder=share.funder,
                source=share.source,
                instrument=share.instrument,
                subject=(" ".join(subject.split()) or f"{project.acronym} – {project.title}")[:255],
                amount=amount,
                base=share.base,
                rate=share.rate,
                returns=returns,
                awarded_on=awarded,
                starts_on=starts_on,
                ends_on=ends_on,
                policy_day=on,
                created_at=clock.stamp(on, at),
                simulated=share.simulated or project.simulated,
            )
    except IntegrityError:
        raise Refused(
            T(
                "Ce bénéficiaire a déjà sa convention pour cette aide, ou le numéro « {n} » est pris.",
                "This beneficiary has its agreement for this grant already, or the number “{n}” is taken.",
                n=number,
            )
        ) from None
    plan = rules.plan_of(queries.policy(), on)
    if plan is not None:
        _write_plan(made, rules.check_plan(amount, rules.suggested(plan, amount, starts_on)))
    _record(
        made,
        "agreement.create",
        by=by,
        on=on,
        at=at,
        after={
            "number": number,
            "project": project.slug,
            "beneficiary": made.beneficiary.name,
            "funder": made.funder.name,
            "amount": amount,
            "state": "draft",
        },
    )
    return made


def _write_plan(agreement: Agreement, parts: Sequence[rules.Part]) -> None:
    """Replace the instalments: rows keep their number, so that claims stay with theirs; nothing ordered is lost."""
    rows = {row.number: row for row in agreement.instalments.select_for_update()}
    kept = {p.number for p in parts}
    for number, row in rows.items():
        if number not in kept:
            if row.claims.exists():
                raise Refused(
                    T(
                        "La tranche {n} a des demandes : elle ne peut pas disparaître.",
                        "Instalment {n} has claims: it cannot go.",
                        n=number,
                    )
                )
            row.delete()
    for part in parts:
        row = rows.get(part.number) or Instalment(agreement=agreement, number=part.number)
        row.kind, row.amount, row.due_on = part.kind, part.amount, part.due_on
        row.condition = part.condition[:300]
        row.save()


def _plan_told(parts: Iterable[rules.Part]) -> list[dict[str, Any]]:
    return [asdict(p) for p in parts]


def parts_of(agreement: Agreement) -> list[rules.Part]:
    """The instalments as they stand, as plain values."""
    return [rules.Part(r.number, r.kind, r.amount, r.due_on, r.condition) for r in agreement.instalments.all()]


@transaction.atomic
def set_plan(
    agreement: Agreement, parts: Sequence[rules.Part], *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Agreement:
    """Set the instalments of an agreement in preparation.

    Raises:
        NotAllowed: not the funder's. Refused: not in preparation, or the instalments do not make the amount.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "plan")
    before = _plan_told(parts_of(agreement))
    checked = rules.check_plan(agreement.amount, parts)
    _write_plan(agreement, checked)
    _record(
        agreement,
        "agreement.plan",
        by=by,
        on=on,
        at=at,
        before={"instalments": before},
        after={"instalments": _plan_told(checked)},
    )
    return agreement


@transaction.atomic
def send(agreement: Agreement, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Send an agreement to its beneficiary for signature; its text is frozen.

    Raises:
        NotAllowed: not the funder's. Refused: not in preparation, no fitting instalments, days missing, or the decision
            fell below its amount meanwhile.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "send")
    rules.check_plan(agreement.amount, parts_of(agreement))
    _within_decision(agreement, agreement.amount)
    missing = []
    if agreement.starts_on is None or agreement.ends_on is None:
        missing.append(T("Le premier et le dernier jour des travaux.", "The first and last day of the work."))
    if missing:
        raise Refused(T("La convention n'est pas complète.", "The agreement is not complete."), missing=missing)
    agreement.state, agreement.sent_on = "sent", on
    agreement.frozen = journal.freeze(agreement.case, "agreement", content(agreement), at=clock.stamp(on, at))
    agreement.save()
    _record(
        agreement,
        "agreement.send",
        by=by,
        on=on,
        at=at,
        before={"state": "draft"},
        after={"state": "sent", "sha256": agreement.frozen.sha256},
    )
    messages.tell(agreement.beneficiary_id, "agreement.sign", on, messages.sent(agreement), agreement.case)
    return agreement


def _within_decision(agreement: Agreement, amount: Decimal) -> None:
    share = queries.decided_share(agreement.partner_id, agreement.funder_id, agreement.instrument)
    decided = share.decided if share is not None else None
    if decided is not None and amount > decided:
        raise Refused(
            T(
                "Le financeur a décidé {d} € ; la convention ne peut pas en accorder {a}.",
                "The funder decided {d} €; the agreement cannot grant {a}.",
                d=rules.euros(decided),
                a=rules.euros(amount),
            )
        )


def content(agreement: Agreement) -> dict[str, Any]:
    """What an agreement says, as plain values: what is frozen, hashed and printed."""
    ids = queries.identifiers_of([agreement.funder_id, agreement.beneficiary_id])

    def body(row: Any) -> dict[str, Any]:
        return {"id": row.pk, "name": row.name, "identifiers": ids.get(row.pk, {})}

    return {
        "number": agreement.number,
        "subject": agreement.subject,
        "project": {
            "slug": agreement.project.slug,
            "acronym": agreement.project.acronym,
            "title": agreement.project.title,
        },
        "funder": body(agreement.funder),
        "beneficiary": body(agreement.beneficiary),
        "instrument": agreement.instrument,
        "amount": agreement.amount,
        "base": agreement.base,
        "rate": agreement.rate,
        "awarded_on": agreement.awarded_on,
        "starts_on": agreement.starts_on,
        "ends_on": agreement.ends_on,
        "financial_returns": queries.return_years(agreement),
        "instalments": _plan_told(parts_of(agreement)),
        "amendments": list(agreement.amendments.filter(state="applied").values_list("number", flat=True)),
        "simulated": agreement.simulated,
    }


@transaction.atomic
def withdraw(agreement: Agreement, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Take back an agreement that is out for signature; a signature given falls with its text.

    Raises:
        NotAllowed: not the funder's. Refused: not out for signature, or no reason.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "withdraw", reason)
    agreement.state, agreement.sent_on, agreement.frozen = "draft", None, None
    agreement.signed_beneficiary_on = agreement.signed_funder_on = None
    agreement.signed_beneficiary_by = agreement.signed_funder_by = ""
    agreement.save()
    _record(
        agreement,
        "agreement.withdraw",
        by=by,
        on=on,
        at=at,
        why=reason,
        before={"state": "sent"},
        after={"state": "draft"},
    )
    return agreement


@transaction.atomic
def sign(agreement: Agreement, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Sign for one's own party; when both have signed, the agreement binds.

    Raises:
        NotAllowed: neither party's. Refused: not out for signature, or the party has signed already.
    """
    agreement = locked(agreement)
    by.require("agreement.sign")
    party = "beneficiary" if access.is_beneficiary(by, agreement) else "funder"
    if party == "funder":
        access.require_funder(by, agreement, "agreement.sign", on)
    _move(agreement, "sign")
    if getattr(agreement, f"signed_{party}_on") is not None:
        raise Refused(
            T(
                "Votre partie a déjà signé, le {d}.",
                "Your party has signed already, on {d}.",
                d=getattr(agreement, f"signed_{party}_on").isoformat(),
            )
        )
    setattr(agreement, f"signed_{party}_on", on)
    setattr(agreement, f"signed_{party}_by", by.user_label[:200])
    both = agreement.signed_beneficiary_on is not None and agreement.signed_funder_on is not None
    if both:
        agreement.state, agreement.signed_on = "signed", on
    agreement.save()
    sha = agreement.frozen.sha256 if agreement.frozen else ""
    _record(agreement, "agreement.sign", by=by, on=on, at=at, after={"party": party, "sha256": sha})
    if both:
        return_actions.schedule(agreement)
        _record(agreement, "agreement.bind", by=by, on=on, at=at, before={"state": "sent"}, after={"state": "signed"})
    return agreement


@transaction.atomic
def start(agreement: Agreement, *, commitment: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Commit the money in the accounts: the number of the commitment is part of the key of every payment.

    Raises:
        NotAllowed: not the funder's. Refused: not signed by both, or no number.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "start")
    commitment = "".join(commitment.split())
    if not commitment or len(commitment) > 40:
        raise Refused(
            T(
                "Donnez le numéro d'engagement de la comptabilité (40 caractères au plus).",
                "Give the commitment number of the accounts (at most 40 characters).",
            ),
            kind="input",
        )
    agreement.commitment, agreement.state, agreement.started_on = commitment, "running", on
    agreement.save()
    _record(
        agreement,
        "agreement.start",
        by=by,
        on=on,
        at=at,
        before={"state": "signed"},
        after={"state": "running", "commitment": commitment},
    )
    return agreement


@transaction.atomic
def suspend(agreement: Agreement, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Suspend payments: nothing is certified or ordered until they are resumed; claims may still come in.

    Raises:
        NotAllowed: not the funder's. Refused: not signed, suspended already, or no reason.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "suspend", reason)
    if agreement.suspended_on:
        raise Refused(T("Suspendue depuis le {d}.", "Suspended since {d}.", d=agreement.suspended_on.isoformat()))
    agreement.suspended_on, agreement.suspended_reason = on, reason.strip()
    agreement.save()
    _record(agreement, "agreement.suspend", by=by, on=on, at=at, why=reason)
    messages.tell(agreement.beneficiary_id, "claim.submit", on, messages.suspended(agreement), agreement.case)
    return agreement


@transaction.atomic
def resume(agreement: Agreement, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Resume payments.

    Raises:
        NotAllowed: not the funder's. Refused: not suspended, or no reason.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "resume", reason)
    if not agreement.suspended_on:
        raise Refused(T("Les paiements ne sont pas suspendus.", "Payments are not suspended."))
    since = agreement.suspended_on
    agreement.suspended_on, agreement.suspended_reason = None, ""
    agreement.save()
    _record(agreement, "agreement.resume", by=by, on=on, at=at, why=reason, before={"suspended_on": since})
    return agreement


@transaction.atomic
def close(agreement: Agreement, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Close an agreement: what was not claimed lapses, and the reason says so.

    Raises:
        NotAllowed: not the funder's. Refused: a claim, an order or a recovery is still on its way, or no reason.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "close", reason)
    _nothing_on_its_way(agreement)
    return _end(agreement, "closed", "agreement.close", reason, by, on, at)


@transaction.atomic
def terminate(agreement: Agreement, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Agreement:
    """Terminate an agreement (given up, cancelled): nothing more is paid; open claims are rejected with the reason.

    What was paid stays paid: recovery orders say what is asked back. A relay on the grant is told.

    Raises:
        NotAllowed: not the funder's. Refused: a payment order waits to be paid (cancel it first), or no reason.
    """
    agreement = locked(agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    _move(agreement, "terminate", reason)
    waiting = list(agreement.orders.filter(state="ordered").values_list("number", flat=True))
    if waiting:
        raise Refused(
            T("Des ordres de paiement attendent.", "Payment orders are waiting."),
            missing=[T("Annuler ou payer l'ordre {n}.", "Cancel or pay order {n}.", n=n) for n in waiting],
        )
    for claim in agreement.claims.filter(state__in=[*states.CLAIM_OPEN, "certified"]):
        before = claim.state
        claim.state, claim.reason, claim.returned_on = "rejected", reason.strip(), on
        claim.save()
        _record(
            agreement,
            "claim.reject",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={"claim": claim.number, "state": before},
            after={"claim": claim.number, "state": "rejected"},
        )
    agreement.amendments.filter(state="proposed").update(state="withdrawn", answered_on=on)
    if not agreement.paid:  # no money was had: there is nothing to render account of
        agreement.financial_returns.filter(state="due").delete()
    return _end(agreement, "terminated", "agreement.terminate", reason, by, on, at)


def _nothing_on_its_way(agreement: Agreement) -> None:
    missing: list[Any] = []
    for claim in agreement.claims.filter(state__in=[*states.CLAIM_OPEN, "certified", "ordered"]):
        missing.append(
            T("La demande {n} est {s}.", "Claim {n} is {s}.", n=claim.number, s=states.CLAIM_TITLES[claim.state])
        )
    for recovery in agreement.recoveries.filter(state="issued"):
        missing.append(
            T("L'ordre de reversement {n} n'est pas remboursé.", "Recovery {n} is not repaid.", n=recovery.number)
        )
    if agreement.amendments.filter(state="proposed").exists():
        missing.append(T("Un avenant attend une réponse.", "An amendment waits for an answer."))
    if missing:
        raise Refused(T("Il reste quelque chose en route.", "Something is still on its way."), missing=missing)


def _end(
    agreement: Agreement, state: str, act: str, reason: str, by: Actor, on: dt.date, at: dt.datetime | None
) -> Agreement:
    before = agreement.state
    lapsed = max(agreement.amount - agreement.paid + agreement.recovered, ZERO)
    agreement.state, agreement.ended_on, agreement.ended_reason = state, on, reason.strip()
    agreement.save()
    _record(
        agreement,
        act,
        by=by,
        on=on,
        at=at,
        why=reason,
        before={"state": before},
        after={"state": state, "paid": agreement.net_paid, "lapsed": lapsed},
    )
    from jalon.funding import relay_actions

    relay_actions.grant_changed(agreement.partner_id, agreement.funder_id, by=by, on=on, at=at)
    return agreement


# -- amendments ---------------------------------------------------------------------------------------------------


def propose_amendment(
    agreement: Agreement,
    *,
    reason: str,
    by: Actor,
    on: dt.date,
    amount: Decimal | None = None,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    partner: Partner | None = None,
    parts: Sequence[rules.Part] | None = None,
    at: dt.datetime | None = None,
) -> Amendment:
    """Propose to change the amount, the dates, the instalments or the beneficiary; the beneficiary answers.

    Raises:
        NotAllowed: not the funder's. Refused: nothing changes, no reason, one is open already, instalments that do not
            make the new amount, or less than what is certified or paid (a recovery comes first).
    """
    with transaction.atomic():
        agreement = locked(agreement)
        access.require_funder(by, agreement, "agreement.manage", on)
        _move(agreement, "amend", reason)
        before = _terms(agreement)
        after = dict(before)
        if amount is not None:
            after["amount"] = str(rules.exact(amount, where=T("Nouveau montant", "New amount")))
        if starts_on is not None:
            after["starts_on"] = starts_on.isoformat()
        if ends_on is not None:
            after["ends_on"] = ends_on.isoformat()
        if partner is not None:
            if partner.project_id != agreement.project_id:
                raise Refused(
                    T("Ce partenaire n'est pas du projet.", "This partner is not of the project."), kind="input"
                )
            after["partner"], after["beneficiary"] = partner.pk, partner.organisation_id
        if parts is not None:
            after["instalments"] = [_told(p) for p in parts]
        if after == before:
            raise Refused(T("Rien ne change dans cet avenant.", "Nothing changes in this amendment."), kind="input")
        _check_terms(agreement, after)
        number = (agreement.amendments.aggregate(n=Max("number"))["n"] or 0) + 1
        try:
            with transaction.atomic():
                made = Amendment.objects.create(
                    agreement=agreement,
                    number=number,
                    reason=reason.strip(),
                    before=before,
                    after=after,
                    proposed_on=on,
                    proposed_label=by.user_label[:200],
                    simulated=agreement.simulated,
                )
        except IntegrityError:
            raise Refused(
                T("Un avenant attend déjà une réponse.", "An amendment waits for an answer already.")
            ) from None
        changed = [k for k in after if after[k] != before[k]]
        _record(
            agreement,
            "agreement.amend",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={k: before[k] for k in changed} | {"amendment": number},
            after={k: after[k] for k in changed} | {"amendment": number},
        )
        messages.tell(agreement.beneficiary_id, "agreement.sign", on, messages.amendment(made), agreement.case)
        return made


def _told(part: rules.Part) -> dict[str, Any]:
    return {
        "number": part.number,
        "kind": part.kind,
        "amount": str(part.amount),
        "due_on": part.due_on.isoformat() if part.due_on else None,
        "condition": part.condition,
    }


def _untold(row: Mapping[str, Any]) -> rules.Part:
    return rules.Part(
        row["number"],
        row["kind"],
        Decimal(row["amount"]),
        dt.date.fromisoformat(row["due_on"]) if row["due_on"] else None,
        row["condition"],
    )


def _terms(agreement: Agreement) -> dict[str, Any]:
    return {
        "amount": str(agreement.amount),
        "starts_on": agreement.starts_on.isoformat() if agreement.starts_on else None,
        "ends_on": agreement.ends_on.isoformat() if agreement.ends_on else None,
        "partner": agreement.partner_id,
        "beneficiary": agreement.beneficiary_id,
        "instalments": [_told(p) for p in parts_of(agreement)],
    }


def _check_terms(agreement: Agreement, terms: Mapping[str, Any]) -> list[rules.Part]:
    """The instalments of the new terms, when nothing certified or paid is undone by them."""
    amount = Decimal(terms["amount"])
    if terms["starts_on"] and terms["ends_on"] and terms["ends_on"] < terms["starts_on"]:
        raise Refused(T("La fin précède le début.", "The end comes before the start."), kind="input")
    parts = rules.check_plan(amount, [_untold(p) for p in terms["instalments"]])
    if amount > agreement.amount:
        _within_decision(agreement, amount)
    _, by = queries.taken(agreement)
    recovered: dict[int, Decimal] = {r.pk: r.recovered for r in agreement.instalments.all()}
    floor = rules.total(by.values()) - agreement.recovered - agreement.recovering
    missing: list[Any] = []
    if amount < floor:
        missing.append(
            T(
                "Le nouveau montant ({a} €) est inférieur à ce qui est certifié ou payé ({t} €) : émettre d'abord un ordre "
                "de reversement de {d} €.",
                "The new amount ({a} €) is less than what is certified or paid ({t} €): first order the recovery of {d} €.",
                a=rules.euros(amount),
                t=rules.euros(floor),
                d=rules.euros(floor - amount),
            )
        )
    new = {p.number: p.amount for p in parts}
    for row in agreement.instalments.all():
        used = by.get(row.pk, ZERO) - recovered[row.pk]
        if used > new.get(row.number, ZERO):
            missing.append(
                T(
                    "Tranche {n} : {u} € sont certifiés ou payés, elle ne peut pas descendre à {a} €.",
                    "Instalment {n}: {u} € are certified or paid, it cannot go down to {a} €.",
                    n=row.number,
                    u=rules.euros(used),
                    a=rules.euros(new.get(row.number, ZERO)),
                )
            )
    if missing:
        raise Refused(
            T("L'avenant défait ce qui est payé.", "The amendment undoes what is paid."),
            missing=missing,
            why=Why(
                rule=T(
                    "Un avenant ne descend pas sous ce qui est certifié ou payé, sans ordre de reversement.",
                    "An amendment does not go below what is certified or paid, without a recovery order.",
                ),
                inputs={
                    T("Certifié ou payé, net", "Certified or paid, net"): floor,
                    T("Nouveau montant", "New amount"): amount,
                },
            ),
        )
    if terms["beneficiary"] != agreement.beneficiary_id and agreement.orders.filter(state="ordered").exists():
        raise Refused(
            T(
                "Un paiement est ordonné au bénéficiaire actuel : le payer ou l'annuler d'abord.",
                "A payment is ordered to the present beneficiary: pay or cancel it first.",
            )
        )
    return parts


@transaction.atomic
def answer_amendment(
    amendment: Amendment, accept: bool, *, by: Actor, on: dt.date, answer: str = "", at: dt.datetime | None = None
) -> Amendment:
    """The beneficiary signs or refuses an amendment; a signed one is applied at once and frozen.

    Raises:
        NotAllowed: not the beneficiary's. Refused: not open, what was paid meanwhile forbids it, or refused without a word.
    """
    agreement = locked(amendment.agreement)
    access.require_beneficiary(by, agreement, "agreement.sign")
    amendment = Amendment.objects.select_for_update().get(pk=amendment.pk)
    amendment.agreement = agreement
    _open_amendment(amendment)
    amendment.answered_on, amendment.answered_label, amendment.answer = on, by.user_label[:200], answer.strip()
    if not accept:
        if not answer.strip():
            raise Refused(T("Un refus dit pourquoi.", "A refusal says why."), kind="input")
        amendment.state = "refused"
        amendment.save()
        _record(
            agreement, "agreement.amend_refuse", by=by, on=on, at=at, why=answer, after={"amendment": amendment.number}
        )
        return amendment
    parts = _check_terms(agreement, amendment.after)
    _apply(agreement, amendment, parts, by=by, on=on, at=at)
    from jalon.funding import relay_actions

    relay_actions.grant_changed(agreement.partner_id, agreement.funder_id, by=by, on=on, at=at)
    return amendment


def _apply(agreement: Agreement, amendment: Amendment, parts: Sequence[rules.Part], *, by, on, at) -> None:
    after = amendment.after
    amount = Decimal(after["amount"])
    agreement.amount = amount
    agreement.starts_on = dt.date.fromisoformat(after["starts_on"]) if after["starts_on"] else None
    agreement.ends_on = dt.date.fromisoformat(after["ends_on"]) if after["ends_on"] else None
    old_partner = agreement.partner_id
    agreement.partner_id, agreement.beneficiary_id = after["partner"], after["beneficiary"]
    if agreement.partner_id != old_partner and queries.engaged_relay(old_partner, agreement.funder_id) is not None:
        raise Refused(
            T(
                "Un financement relais tient cette aide : il se rembourse avant un changement de bénéficiaire.",
                "Relay finance holds this grant: it is repaid before a change of beneficiary.",
            )
        )
    try:
        with transaction.atomic():
            agreement.save()
    except IntegrityError:
        raise Refused(
            T(
                "Ce partenaire a déjà une convention de ce financeur.",
                "This partner has an agreement of this funder already.",
            )
        ) from None
    _write_plan(agreement, parts)
    agreement = locked(agreement)
    return_actions.schedule(agreement)
    amendment.state = "applied"
    amendment.save()
    frozen = journal.freeze(agreement.case, "agreement", content(agreement), at=clock.stamp(on, at))
    amendment.frozen = agreement.frozen = frozen
    amendment.save()
    agreement.save()
    changed = [k for k in after if after[k] != amendment.before[k]]
    _record(
        agreement,
        "agreement.amend_apply",
        by=by,
        on=on,
        at=at,
        why=amendment.reason,
        before={k: amendment.before[k] for k in changed} | {"amendment": amendment.number},
        after={k: after[k] for k in changed} | {"amendment": amendment.number, "sha256": frozen.sha256},
    )


def _open_amendment(amendment: Amendment) -> None:
    if amendment.state != "proposed":
        raise Conflict(
            T(
                "Cet avenant n'attend plus de réponse : il est {s}.",
                "This amendment waits for no answer any more: it is {s}.",
                s=states.AMENDMENT_TITLES[amendment.state],
            ),
            theirs=amendment.state,
            yours="",
        )


@transaction.atomic
def withdraw_amendment(amendment: Amendment, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Amendment:
    """The funder takes back an amendment that waits for its answer.

    Raises:
        NotAllowed: not the funder's. Conflict: it was answered.
    """
    agreement = locked(amendment.agreement)
    access.require_funder(by, agreement, "agreement.manage", on)
    amendment = Amendment.objects.select_for_update().get(pk=amendment.pk)
    _open_amendment(amendment)
    amendment.state, amendment.answered_on = "withdrawn", on
    amendment.save()
    _record(agreement, "agreement.amend_withdraw", by=by, on=on, at=at, after={"amendment": amendment.number})
    return amendment


# -- claims -------------------------------------------------------------------------------------------------------


def _held(claim: Claim) -> tuple[Agreement, Claim]:
    agreement = locked(claim.agreement)
    row = Claim.objects.select_for_update(of=("self",)).select_related("instalment").get(pk=claim.pk)
    row.agreement = agreement
    return agreement, row


def _claim_move(claim: Claim, name: str, reason: str = "") -> workflow.Move:
    return workflow.check(states.CLAIM_MOVES, states.CLAIM_STATES, name, claim.state, reason)


def _claim_act(
    claim: Claim, name: str, *, by: Any, on: dt.date, at: dt.datetime | None, before: str, why: str = "", **more: Any
) -> None:
    _record(
        claim.agreement,
        f"claim.{name}",
        by=by,
        on=on,
        at=at,
        why=why,
        before={"claim": claim.number, "state": before} if before else None,
        after={"claim": claim.number, "state": claim.state, **more},
    )


def _read_expenses(rows: Sequence[Mapping[str, Any]], agreement: Agreement, on: dt.date) -> list[dict[str, Any]]:
    """Expenses as typed, checked: a year of the work, a category, a positive amount."""
    wrong: list[Any] = []
    out = []
    first = agreement.starts_on.year if agreement.starts_on else None
    for n, row in enumerate(rows, 1):
        where = T("Dépense {n}", "Expense {n}", n=n)
        try:
            amount = rules.exact(Decimal(row["amount"]), where=where)
        except Refused as refusal:
            wrong.append(refusal.reason)
            continue
        year = int(row["year"])
        if (first is not None and year < first) or year > on.year:
            wrong.append(
                T(
                    "{w} : {y} n'est pas une année des travaux ({a} à {b}).",
                    "{w}: {y} is no year of the work ({a} to {b}).",
                    w=where,
                    y=year,
                    a=first or "?",
                    b=on.year,
                )
            )
        if not str(row["category"]).strip():
            wrong.append(T("{w} : la catégorie manque.", "{w}: the category is missing.", w=where))
        out.append(
            {
                "year": year,
                "category": str(row["category"]).strip()[:60],
                "label": str(row.get("label", "")).strip()[:255],
                "amount": amount,
            }
        )
    if wrong:
        raise Refused(T("Les dépenses ne vont pas.", "The expenses do not fit."), missing=wrong, kind="input")
    return out


def _keep_files(claim: Claim, uploads: Iterable[Any], by: Actor, on: dt.date, at: dt.datetime | None) -> int:
    kept = 0
    for upload in uploads:
        name = getattr(upload, "name", None)
        data, title = (upload, name) if name else upload
        stored = files.store(
            data, title, case=claim.agreement.case, by=by, at=clock.stamp(on, at), simulated=claim.simulated
        )
        ClaimFile.objects.create(claim=claim, file=stored, added_at=clock.stamp(on, at))
        kept += 1
    return kept


@transaction.atomic
def submit_claim(
    instalment: Instalment,
    *,
    by: Actor,
    on: dt.date,
    amount: Decimal | None = None,
    statement: str = "",
    expenses: Sequence[Mapping[str, Any]] = (),
    uploads: Iterable[Any] = (),
    at: dt.datetime | None = None,
) -> Claim:
    """Claim the payment of an instalment: what is left of it unless less is claimed, with evidence.

    An advance needs no evidence; other instalments need a file or an expense at least.

    Raises:
        NotAllowed: not the beneficiary's. Refused: the agreement does not run, the instalment is claimed already, more
            than is left, no evidence, expenses that cannot be.
    """
    agreement = locked(instalment.agreement)
    access.require_beneficiary(by, agreement, "claim.submit")
    if agreement.state != "running":
        raise Refused(
            T(
                "La convention n'est pas en cours ({s}) : rien n'y est à demander.",
                "The agreement does not run ({s}): nothing can be claimed.",
                s=states.AGREEMENT_TITLES[agreement.state],
            )
        )
    instalment = Instalment.objects.select_for_update().get(pk=instalment.pk)
    _, by_instalment = queries.taken(agreement)
    left = instalment.amount - by_instalment.get(instalment.pk, ZERO)
    amount = left if amount is None else rules.exact(amount, where=T("Montant demandé", "Amount claimed"))
    if left <= 0 or amount > left:
        raise Refused(
            T(
                "Il reste {l} € sur la tranche {n} ; {a} € sont demandés.",
                "{l} € are left on instalment {n}; {a} € are claimed.",
                l=rules.euros(left),
                n=instalment.number,
                a=rules.euros(amount),
            ),
            why=Why(
                rule=T(
                    "Une demande reste dans sa tranche, moins ce qui est déjà certifié.",
                    "A claim stays within its instalment, less what is certified already.",
                ),
                inputs={
                    T("Tranche", "Instalment"): instalment.amount,
                    T("Déjà certifié", "Certified already"): by_instalment.get(instalment.pk, ZERO),
                },
            ),
        )
    lines = _read_expenses(expenses, agreement, on)
    given = list(uploads)
    if instalment.kind != "advance" and not lines and not given:
        raise Refused(
            T(
                "Joignez au moins une pièce ou une dépense : cette tranche se paie sur justificatifs.",
                "Attach at least a file or an expense: this instalment is paid on evidence.",
            ),
            kind="input",
        )
    number = (agreement.claims.aggregate(n=Max("number"))["n"] or 0) + 1
    try:
        with transaction.atomic():
            claim = Claim.objects.create(
                agreement=agreement,
                instalment=instalment,
                number=number,
                amount=amount,
                statement=statement.strip(),
                submitted_on=on,
                submitted_by=by.user_id,
                created_at=clock.stamp(on, at),
                simulated=agreement.simulated,
            )
    except IntegrityError:
        raise Refused(
            T(
                "La tranche {n} a déjà une demande en cours.",
                "Instalment {n} has a claim on its way already.",
                n=instalment.number,
            )
        ) from None
    ClaimExpense.objects.bulk_create(ClaimExpense(claim=claim, **line) for line in lines)
    kept = _keep_files(claim, given, by, on, at)
    _claim_act(
        claim,
        "submit",
        by=by,
        on=on,
        at=at,
        before="",
        instalment=instalment.number,
        amount=amount,
        files=kept,
        expenses=len(lines),
    )
    return claim


@transaction.atomic
def resubmit_claim(
    claim: Claim,
    *,
    by: Actor,
    on: dt.date,
    amount: Decimal | None = None,
    statement: str | None = None,
    expenses: Sequence[Mapping[str, Any]] | None = None,
    uploads: Iterable[Any] = (),
    at: dt.datetime | None = None,
) -> Claim:
    """Submit a returned claim again, completed; the delays count from this day.

    Raises:
        NotAllowed: not the beneficiary's. Refused: not returned, or more than is left.
    """
    agreement, claim = _held(claim)
    access.require_beneficiary(by, agreement, "claim.submit")
    _claim_move(claim, "resubmit")
    if amount is not None:
        amount = rules.exact(amount, where=T("Montant demandé", "Amount claimed"))
        _, taken = queries.taken(agreement, without=claim.pk)
        left = claim.instalment.amount - taken.get(claim.instalment_id, ZERO)
        if amount > left:
            raise Refused(T("Il reste {l} € sur la tranche.", "{l} € are left on the instalment.", l=rules.euros(left)))
        claim.amount = amount
    if statement is not None:
        claim.statement = statement.strip()
    if expenses is not None:
        lines = _read_expenses(expenses, agreement, on)
        claim.expenses.all().delete()
        ClaimExpense.objects.bulk_create(ClaimExpense(claim=claim, **line) for line in lines)
    _keep_files(claim, uploads, by, on, at)
    claim.state, claim.submitted_on, claim.submitted_by = "submitted", on, by.user_id
    claim.save()
    _claim_act(claim, "resubmit", by=by, on=on, at=at, before="returned", amount=claim.amount)
    return claim


@transaction.atomic
def withdraw_claim(claim: Claim, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Claim:
    """The beneficiary takes back a claim that nobody has checked yet.

    Raises:
        NotAllowed: not the beneficiary's. Refused: checked already.
    """
    agreement, claim = _held(claim)
    access.require_beneficiary(by, agreement, "claim.submit")
    before = claim.state
    _claim_move(claim, "withdraw")
    claim.state = "withdrawn"
    claim.save()
    _claim_act(claim, "withdraw", by=by, on=on, at=at, before=before)
    return claim


def _not_the_claimant(claim: Claim, by: Actor) -> None:
    if claim.submitted_by is not None and claim.submitted_by in (by.user_id, by.principal_id):
        raise NotAllowed(
            T(
                "Vous avez déposé cette demande : quelqu'un d'autre la vérifie.",
                "You submitted this claim: somebody else checks it.",
            )
        )


@transaction.atomic
def check_claim(
    claim: Claim,
    *,
    by: Actor,
    on: dt.date,
    proposed: Decimal | None = None,
    correction: str = "",
    accepted: Mapping[int, tuple[Decimal, str]] | None = None,
    at: dt.datetime | None = None,
) -> Claim:
    """The fund manager checks a claim and proposes what to certify; less than claimed needs a reason.

    ``accepted``: for expenses by id, what is retained and why less.

    Raises:
        NotAllowed: not the funder's, or the claimant. Refused: not submitted, above a ceiling, a correction without reason.
    """
    agreement, claim = _held(claim)
    access.require_funder(by, agreement, "claim.check", on)
    _claim_move(claim, "check")
    _not_the_claimant(claim, by)
    for expense in claim.expenses.all():
        kept, why = (accepted or {}).get(expense.pk, (expense.amount, ""))
        if kept < 0 or kept > expense.amount or kept != rules.cents(kept):
            raise Refused(
                T(
                    "« {l} » : retenir de 0 à {a} €.",
                    "“{l}”: retain 0 to {a} €.",
                    l=expense.label or expense.category,
                    a=rules.euros(expense.amount),
                ),
                kind="input",
            )
        if kept < expense.amount and not why.strip():
            raise Refused(
                T(
                    "« {l} » : dire pourquoi la dépense n'est pas retenue en entier.",
                    "“{l}”: say why the expense is not retained whole.",
                    l=expense.label or expense.category,
                ),
                kind="input",
            )
        expense.accepted, expense.reason = kept, why.strip()[:300]
        expense.save()
    room = queries.room_for(claim)
    proposed = (
        min(claim.amount, room.amount)
        if proposed is None
        else rules.exact(proposed, where=T("Montant proposé", "Amount proposed"))
    )
    _within_room(claim, proposed, room)
    if proposed < claim.amount and not correction.strip():
        raise Refused(
            T(
                "Proposer {p} € au lieu de {a} € demande un motif.",
                "Proposing {p} € instead of {a} € needs a reason.",
                p=rules.euros(proposed),
                a=rules.euros(claim.amount),
            ),
            kind="input",
            why=room.why,
        )
    claim.proposed, claim.correction = proposed, correction.strip()
    claim.state, claim.checked_on = "checked", on
    claim.checked_by, claim.checked_for, claim.checked_label = by.user_id, by.principal_id, by.user_label[:200]
    claim.save()
    _claim_act(claim, "check", by=by, on=on, at=at, before="submitted", proposed=proposed, why=correction)
    return claim


def _within_room(claim: Claim, amount: Decimal, room: rules.Room) -> None:
    if amount <= 0:
        raise Refused(
            T(
                "Il ne reste rien à certifier : retourner ou rejeter la demande.",
                "Nothing is left to certify: return or reject the claim.",
            ),
            why=room.why,
        )
    if amount > claim.amount:
        raise Refused(
            T(
                "On ne certifie pas plus que demandé ({a} €).",
                "No more is certified than was claimed ({a} €).",
                a=rules.euros(claim.amount),
            )
        )
    if amount > room.amount:
        raise Refused(
            T(
                "{p} € dépassent ce qui peut encore être certifié : {r} €.",
                "{p} € exceed what may still be certified: {r} €.",
                p=rules.euros(amount),
                r=rules.euros(room.amount),
            ),
            why=room.why,
        )


@transaction.atomic
def return_claim(claim: Claim, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Claim:
    """Return a claim to the beneficiary with reasons.

    Raises:
        NotAllowed: not the funder's. Refused: not submitted, or no reason.
    """
    return _give_back(claim, "return", "returned", reason, by, on, at)


@transaction.atomic
def reject_claim(claim: Claim, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Claim:
    """Reject a claim for good, with reasons; another one may be made on the instalment.

    Raises:
        NotAllowed: not the funder's. Refused: checked already, or no reason.
    """
    return _give_back(claim, "reject", "rejected", reason, by, on, at)


def _give_back(claim: Claim, name: str, state: str, reason: str, by: Actor, on: dt.date, at) -> Claim:
    agreement, claim = _held(claim)
    access.require_funder(by, agreement, "claim.check", on)
    before = claim.state
    _claim_move(claim, name, reason)
    _not_the_claimant(claim, by)
    claim.state, claim.reason, claim.returned_on = state, reason.strip(), on
    claim.save()
    _claim_act(claim, name, by=by, on=on, at=at, before=before, why=reason)
    messages.tell(agreement.beneficiary_id, "claim.submit", on, messages.given_back(claim), agreement.case)
    return claim


def may_certify(claim: Claim, by: Actor) -> None:
    """Raise NotAllowed when the actor checked the claim, replaces who did, or is replaced by who did."""
    checked = {claim.checked_by, claim.checked_for} - {None}
    if checked & {by.user_id, by.principal_id}:
        raise NotAllowed(
            T(
                "Vous avez vérifié cette demande : une seconde personne la certifie.",
                "You checked this claim: a second person certifies it.",
            ),
            why=Why(
                rule=T(
                    "Séparation des tâches : qui vérifie ne certifie pas, remplaçants compris.",
                    "Separation of duties: who checks does not certify, substitutes included.",
                ),
                inputs={T("Vérifiée par", "Checked by"): claim.checked_label},
                reading=True,
            ),
        )


@transaction.atomic
def send_back(claim: Claim, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Claim:
    """The second person sends a checked claim back to be checked again.

    Raises:
        NotAllowed: not the funder's. Refused: not checked, or no reason.
    """
    agreement, claim = _held(claim)
    access.require_funder(by, agreement, "claim.certify", on)
    _claim_move(claim, "recheck", reason)
    claim.state, claim.reason = "submitted", reason.strip()
    claim.proposed = claim.checked_on = claim.checked_by = claim.checked_for = None
    claim.checked_label = ""
    claim.save()
    _claim_act(claim, "recheck", by=by, on=on, at=at, before="checked", why=reason)
    return claim


@transaction.atomic
def certify_claim(
    claim: Claim,
    *,
    by: Actor,
    on: dt.date,
    amount: Decimal | None = None,
    correction: str = "",
    at: dt.datetime | None = None,
) -> Claim:
    """A second person certifies a checked claim (*service fait*): the amount proposed, or less with a reason.

    Raises:
        NotAllowed: not the funder's, or the person who checked (or claimed). Refused: not checked, suspended, above a
            ceiling, less than proposed without a reason.
    """
    agreement, claim = _held(claim)
    access.require_funder(by, agreement, "claim.certify", on)
    _claim_move(claim, "certify")
    may_certify(claim, by)
    _not_the_claimant(claim, by)
    _not_suspended(agreement)
    amount = claim.proposed if amount is None else rules.exact(amount, where=T("Montant certifié", "Amount certified"))
    _within_room(claim, amount, queries.room_for(claim))
    if amount > claim.proposed:
        raise Refused(
            T(
                "La vérification propose {p} € : pour plus, renvoyer à la vérification.",
                "The check proposes {p} €: for more, send it back to be checked.",
                p=rules.euros(claim.proposed),
            )
        )
    if amount < claim.proposed and not correction.strip():
        raise Refused(
            T("Certifier moins que proposé demande un motif.", "Certifying less than proposed needs a reason."),
            kind="input",
        )
    if correction.strip():
        claim.correction = "\n".join(t for t in (claim.correction, correction.strip()) if t)
    claim.certified, claim.state, claim.certified_on = amount, "certified", on
    claim.certified_by, claim.certified_label = by.user_id, by.user_label[:200]
    claim.save()
    _claim_act(claim, "certify", by=by, on=on, at=at, before="checked", certified=amount, why=correction)
    return claim


def _not_suspended(agreement: Agreement) -> None:
    if agreement.suspended_on:
        raise Refused(
            T(
                "Les paiements sont suspendus depuis le {d} : {r}",
                "Payments are suspended since {d}: {r}",
                d=agreement.suspended_on.isoformat(),
                r=agreement.suspended_reason,
            )
        )


# -- payment ------------------------------------------------------------------------------------------------------


@transaction.atomic
def order_payment(
    claim: Claim, *, by: Actor, on: dt.date, number: str = "", at: dt.datetime | None = None
) -> PaymentOrder:
    """Order the payment of a certified claim: to the beneficiary, or to the bank to which the claim is assigned.

    Raises:
        NotAllowed: not the funder's. Refused: not certified, ordered already, suspended, above a ceiling.
    """
    agreement, claim = _held(claim)
    access.require_funder(by, agreement, "payment.order", on)
    _claim_move(claim, "order")
    _not_suspended(agreement)
    if agreement.state != "running":
        raise Refused(T("La convention n'est pas en cours.", "The agreement does not run."))
    instalment = Instalment.objects.select_for_update().get(pk=claim.instalment_id)
    amount = claim.certified
    if (
        instalment.ordered + amount > instalment.amount
        or agreement.ordered - agreement.recovered + amount > agreement.amount
    ):
        raise Refused(
            T(
                "L'ordre dépasserait la tranche ou la convention.",
                "The order would exceed the instalment or the agreement.",
            ),
            why=queries.room_for(claim).why,
        )
    relay = queries.engaged_relay(agreement.partner_id, agreement.funder_id)
    assigned = relay is not None and relay.state in states.RELAY_ASSIGNED and agreement.instrument == "grant"
    payee = relay.bank_id if assigned else agreement.beneficiary_id
    number = " ".join(number.split()) or f"{agreement.number}/{claim.number}"
    if claim.orders.filter(number=number).exists():  # an earlier order of the claim was cancelled
        number = f"{number}-{claim.orders.count() + 1}"
    try:
        with transaction.atomic():
            order = PaymentOrder.objects.create(
                agreement=agreement,
                claim=claim,
                funder_id=agreement.funder_id,
                number=number[:40],
                payee_id=payee,
                amount=amount,
                ordered_on=on,
                ordered_label=by.user_label[:200],
                simulated=agreement.simulated,
            )
    except IntegrityError:
        raise Refused(
            T(
                "Cette demande a déjà son ordre de paiement, ou le numéro « {n} » est pris.",
                "This claim has its payment order already, or the number “{n}” is taken.",
                n=number,
            )
        ) from None
    instalment.ordered += amount
    instalment.save()
    agreement.ordered += amount
    agreement.save()
    claim.state, claim.ordered_on = "ordered", on
    claim.save()
    _claim_act(
        claim,
        "order",
        by=by,
        on=on,
        at=at,
        before="certified",
        order=order.number,
        amount=amount,
        payee=order.payee.name,
    )
    return order


@transaction.atomic
def cancel_order(
    order: PaymentOrder, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> PaymentOrder:
    """Cancel a payment order that is not paid; its claim is certified again, and may be ordered once more.

    Raises:
        NotAllowed: not the funder's. Refused: paid or cancelled already, or no reason.
    """
    agreement, claim = _held(order.claim)
    access.require_funder(by, agreement, "payment.order", on)
    order = PaymentOrder.objects.select_for_update().get(pk=order.pk)
    _waiting(order)
    _claim_move(claim, "unorder", reason)
    instalment = Instalment.objects.select_for_update().get(pk=claim.instalment_id)
    instalment.ordered -= order.amount
    instalment.save()
    agreement.ordered -= order.amount
    agreement.save()
    order.state, order.cancelled_on, order.cancelled_reason = "cancelled", on, reason.strip()
    order.save()
    claim.state, claim.ordered_on = "certified", None
    claim.save()
    _claim_act(claim, "unorder", by=by, on=on, at=at, before="ordered", why=reason, order=order.number)
    return order


def _waiting(order: PaymentOrder) -> None:
    if order.state == "paid":
        raise Refused(
            T(
                "L'ordre {n} est déjà payé, le {d} : il ne se paie pas deux fois.",
                "Order {n} is paid already, on {d}: it is not paid twice.",
                n=order.number,
                d=order.paid_on.isoformat(),
            )
        )
    if order.state == "cancelled":
        raise Refused(T("L'ordre {n} est annulé.", "Order {n} is cancelled.", n=order.number))


@transaction.atomic
def record_payment(
    order: PaymentOrder,
    *,
    paid_on: dt.date,
    by: Actor,
    on: dt.date,
    reference: str = "",
    at: dt.datetime | None = None,
) -> PaymentOrder:
    """Record that an order was paid. If its claim is assigned, the payment repays the relay at once.

    Raises:
        NotAllowed: not the funder's. Refused: paid or cancelled already, a day before the order or in the future.
    """
    agreement, claim = _held(order.claim)
    access.require_funder(by, agreement, "payment.record", on)
    order = PaymentOrder.objects.select_for_update().get(pk=order.pk)
    _waiting(order)
    _claim_move(claim, "pay")
    _day_not_after(paid_on, on, T("Jour du paiement", "Day of payment"))
    if paid_on < order.ordered_on:
        raise Refused(
            T(
                "Le paiement du {p} précède son ordre, du {o}.",
                "The payment of {p} comes before its order, of {o}.",
                p=paid_on.isoformat(),
                o=order.ordered_on.isoformat(),
            ),
            kind="input",
        )
    order.agreement = agreement
    _paid(order, claim, paid_on, reference, by, on, at)
    _claim_act(
        claim,
        "pay",
        by=by,
        on=on,
        at=at,
        before="ordered",
        order=order.number,
        amount=order.amount,
        paid_on=paid_on,
        reference=reference.strip(),
    )
    return order


def _paid(order: PaymentOrder, claim: Claim, paid_on: dt.date, reference: str, by: Any, on: dt.date, at: Any) -> None:
    """Write the payment of an order that is held, and let it repay a relay."""
    from jalon.funding import relay_actions

    agreement = order.agreement
    order.state, order.paid_on, order.reference = "paid", paid_on, reference.strip()[:80]
    order.recorded_at, order.recorded_label = clock.stamp(on, at), by.user_label[:200]
    order.save()
    agreement.paid += order.amount
    agreement.save()
    claim.state, claim.paid_on = "paid", paid_on
    claim.save()
    relay_actions.allocate_payment(order, by=by, on=on, at=at)


# -- recovery -----------------------------------------------------------------------------------------------------


@transaction.atomic
def order_recovery(
    order: PaymentOrder,
    *,
    amount: Decimal,
    reason: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Recovery:
    """Ask back some of what was paid (*ordre de reversement*).

    Raises:
        NotAllowed: not the funder's. Refused: not paid, more than was paid and not asked back yet, or no reason.
    """
    agreement, claim = _held(order.claim)
    access.require_funder(by, agreement, "payment.order", on)
    order = PaymentOrder.objects.select_for_update().get(pk=order.pk)
    amount = rules.exact(amount, where=T("Montant à reverser", "Amount to recover"))
    if not reason.strip():
        raise Refused(T("Un ordre de reversement dit pourquoi.", "A recovery order says why."), kind="input")
    if order.state != "paid":
        raise Refused(
            T("Rien n'est à reverser : l'ordre n'est pas payé.", "Nothing to recover: the order is not paid.")
        )
    asked = rules.total(order.recoveries.exclude(state="cancelled").values_list("amount", flat=True))
    if asked + amount > order.amount:
        raise Refused(
            T(
                "{p} € ont été payés, {a} € sont déjà redemandés : il reste au plus {l} €.",
                "{p} € were paid, {a} € are asked back already: at most {l} € are left.",
                p=rules.euros(order.amount),
                a=rules.euros(asked),
                l=rules.euros(order.amount - asked),
            )
        )
    instalment = Instalment.objects.select_for_update().get(pk=claim.instalment_id)
    instalment.recovered += amount
    instalment.save()
    agreement.recovering += amount
    agreement.save()
    made = Recovery.objects.create(
        agreement=agreement,
        order=order,
        number=(agreement.recoveries.aggregate(n=Max("number"))["n"] or 0) + 1,
        amount=amount,
        reason=reason.strip(),
        issued_on=on,
        simulated=agreement.simulated,
    )
    _record(
        agreement,
        "agreement.recover",
        by=by,
        on=on,
        at=at,
        why=reason,
        after={"recovery": made.number, "order": order.number, "amount": amount},
    )
    messages.tell(agreement.beneficiary_id, "claim.submit", on, messages.recovery(made), agreement.case)
    return made


def _held_recovery(recovery: Recovery) -> tuple[Agreement, Recovery]:
    agreement = locked(recovery.agreement)
    row = Recovery.objects.select_for_update(of=("self",)).select_related("order__claim").get(pk=recovery.pk)
    row.agreement = agreement
    if row.state != "issued":
        raise Refused(
            T(
                "Cet ordre de reversement est {s}.",
                "This recovery order is {s}.",
                s=states.RECOVERY_TITLES[row.state],
            )
        )
    return agreement, row


@transaction.atomic
def record_repayment(
    recovery: Recovery,
    *,
    repaid_on: dt.date,
    by: Actor,
    on: dt.date,
    reference: str = "",
    at: dt.datetime | None = None,
) -> Recovery:
    """Record that a recovery was repaid.

    Raises:
        NotAllowed: not the funder's. Refused: repaid or cancelled already, a day before the order or in the future.
    """
    agreement, recovery = _held_recovery(recovery)
    access.require_funder(by, agreement, "payment.record", on)
    _day_not_after(repaid_on, on, T("Jour du reversement", "Day of repayment"))
    if repaid_on < recovery.issued_on:
        raise Refused(T("Le reversement précède son ordre.", "The repayment comes before its order."), kind="input")
    recovery.state, recovery.repaid_on, recovery.reference = "repaid", repaid_on, reference.strip()[:80]
    recovery.save()
    agreement.recovering -= recovery.amount
    agreement.recovered += recovery.amount
    agreement.save()
    _record(
        agreement,
        "agreement.repaid",
        by=by,
        on=on,
        at=at,
        after={"recovery": recovery.number, "amount": recovery.amount, "repaid_on": repaid_on},
    )
    return recovery


@transaction.atomic
def cancel_recovery(
    recovery: Recovery, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Recovery:
    """Cancel a recovery order that is not repaid.

    Raises:
        NotAllowed: not the funder's. Refused: repaid already, no reason, or an amendment stands on it.
    """
    agreement, recovery = _held_recovery(recovery)
    access.require_funder(by, agreement, "payment.order", on)
    if not reason.strip():
        raise Refused(T("Une annulation dit pourquoi.", "A cancellation says why."), kind="input")
    instalment = Instalment.objects.select_for_update().get(pk=recovery.order.claim.instalment_id)
    above = agreement.ordered - agreement.recovered - agreement.recovering + recovery.amount > agreement.amount
    if above or instalment.ordered - instalment.recovered + recovery.amount > instalment.amount:
        raise Refused(
            T(
                "L'avenant en vigueur compte sur ce reversement : il ne s'annule plus.",
                "The amendment in force counts on this recovery: it is not cancelled any more.",
            )
        )
    instalment.recovered -= recovery.amount
    instalment.save()
    agreement.recovering -= recovery.amount
    agreement.save()
    recovery.state = "cancelled"
    recovery.save()
    _record(agreement, "agreement.recover_cancel", by=by, on=on, at=at, why=reason, after={"recovery": recovery.number})
    return recovery
