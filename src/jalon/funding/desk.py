"""What this package brings to the desk of whoever signs in: tasks, names of cases, what a search finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from jalon.core.lang import T
from jalon.funding import access, queries, rules, states
from jalon.funding.models import Agreement, Claim, PaymentOrder, Relay
from jalon.interests.access import recused_cases
from jalon.people.access import Actor, policy
from jalon.people.tasks import Task, waiting_light
from jalon.selection.models import Share
from jalon.ui import format as fmt

SHOWN = 100
"""Most tasks of one kind that a home page lists."""
FEW = 5
"""Up to so many agreements to draw up are named one by one."""
SOON = dt.timedelta(days=14)


def _light(due: dt.date | None, since: dt.date | None, day: dt.date) -> str:
    if due is None:
        return waiting_light(since, day)
    return "late" if due < day else "at_risk" if due - day <= SOON else "not_yet_due"


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """Agreements to draw up, send, sign; claims to check, certify, order; payments to record; relays to answer."""
    if actor.mandate_id is None or policy().part("funding") is None:
        return []
    found: list[Task] = []
    if access.funds(actor):
        found += _funder(actor, day)
    if actor.can("claim.submit") or actor.can("agreement.sign") and actor.side == "beneficiary":
        found += _beneficiary(actor, day)
    if any(actor.can(p) for p in ("relay.request", "relay.offer", "relay.guarantee")):
        found += _relays(actor, day)
    return found


def _agreement_task(row: Agreement, title: Any, day: dt.date, since: dt.date | None, who: Any = "") -> Task:
    limit = rules.agreement_deadline(policy(), row.awarded_on)
    return Task(
        title,
        reverse("agreement", args=[row.pk]),
        limit.on,
        _light(limit.on, since, day),
        "",
        row.case,
        who=who,
        since=since,
        explained=limit.why if limit.on else None,
    )


def _to_agree(waiting: QuerySet[Share], day: dt.date) -> list[Task]:
    """Agreements to draw up: each by its name while they are few, else one line that opens the list, as old as its oldest."""
    shares = list(waiting[: FEW + 1])
    if len(shares) > FEW:
        first = shares[0]
        limit = rules.agreement_deadline(policy(), first.decided_on)
        title = T("Préparer {n} conventions", "Prepare {n} agreements", n=fmt.number(waiting.count()))
        return [_share_task(title, reverse("funding-desk"), first, limit, day, "")]
    found = []
    for share in shares:
        limit = rules.agreement_deadline(policy(), share.decided_on)
        title = T(
            "Préparer la convention de {b} ({p})",
            "Prepare the agreement of {b} ({p})",
            b=share.partner.organisation.name,
            p=share.project.acronym,
        )
        address = reverse("agreement-new", args=[share.pk])
        found.append(_share_task(title, address, share, limit, day, share.project.case))
    return found


def _share_task(title: Any, address: str, share: Share, limit: Any, day: dt.date, case: str) -> Task:
    light, why = _light(limit.on, share.decided_on, day), limit.why if limit.on else None
    return Task(title, address, limit.on, light, "", case, since=share.decided_on, explained=why)


def _funder(actor: Actor, day: dt.date) -> list[Task]:
    found: list[Task] = []
    mine = access.visible_agreements(actor, day).exclude(beneficiary_id=actor.organisation_id)
    rows = mine.select_related("project", "beneficiary", "funder").order_by("awarded_on", "id")
    if actor.can("agreement.manage"):
        found += _to_agree(queries.shares_to_agree(actor, day), day)
        for row in rows.filter(state="draft")[:SHOWN]:
            title = T(
                "Envoyer la convention {n} ({p})", "Send agreement {n} ({p})", n=row.number, p=row.project.acronym
            )
            found.append(_agreement_task(row, title, day, row.policy_day))
        for row in rows.filter(state="signed")[:SHOWN]:
            title = T(
                "Engager la convention {n} ({p})", "Commit agreement {n} ({p})", n=row.number, p=row.project.acronym
            )
            found.append(_agreement_task(row, title, day, row.signed_on))
    if actor.can("agreement.sign"):
        for row in rows.filter(state="sent", signed_funder_on__isnull=True)[:SHOWN]:
            title = T("Signer la convention {n} ({p})", "Sign agreement {n} ({p})", n=row.number, p=row.project.acronym)
            found.append(_agreement_task(row, title, day, row.sent_on, row.beneficiary.name))
    found += _claims(actor, day, mine)
    if actor.can("claim.check"):
        found += _returns_to_check(actor, day)
    if actor.can("payment.record"):
        orders = (
            PaymentOrder.objects.filter(agreement__in=mine, state="ordered")
            .select_related("agreement__project")
            .order_by("ordered_on", "id")[:SHOWN]
        )
        found += [
            Task(
                T("Enregistrer le paiement de l'ordre {n}", "Record the payment of order {n}", n=o.number),
                f"{reverse('agreement', args=[o.agreement_id])}#ordres",
                None,
                waiting_light(o.ordered_on, day),
                "",
                o.agreement.case,
                since=o.ordered_on,
            )
            for o in orders
        ]
    return found


def _returns_to_check(actor: Actor, day: dt.date) -> list[Task]:
    """Financial returns handed in, each one; those that are late, together."""
    rows = queries.returns(actor, day).exclude(agreement__beneficiary_id=actor.organisation_id)
    found = [
        Task(
            T(
                "Vérifier le compte rendu financier {y} de {b} ({p})",
                "Check the financial return {y} of {b} ({p})",
                y=row.year,
                b=row.agreement.beneficiary.name,
                p=row.agreement.project.acronym,
            ),
            reverse("financial-return", args=[row.agreement_id, row.year]),
            None,
            waiting_light(row.submitted_on, day),
            "",
            row.agreement.case,
            who=row.agreement.beneficiary.name,
            since=row.submitted_on,
        )
        for row in rows.filter(state="submitted")[:SHOWN]
    ]
    late = list(rows.filter(state="due", due_on__lt=day).values_list("due_on", flat=True)[: SHOWN * 10])
    if late:
        found.append(
            Task(
                T("Relancer un compte rendu financier en retard", "Chase a financial return that is late")
                if len(late) == 1
                else T(
                    "Relancer {n} comptes rendus financiers en retard",
                    "Chase {n} financial returns that are late",
                    n=len(late),
                ),
                f"{reverse('financial-returns')}?etat=late",
                late[0],
                "late",
                since=late[0],
                explained=rules.return_deadline(policy(), late[0].year - 1).why,
            )
        )
    return found


def _claims(actor: Actor, day: dt.date, mine: Any) -> list[Task]:
    found: list[Task] = []
    wanted = {
        "submitted": ("claim.check", T("Vérifier la demande {n} de {b} ({p})", "Check claim {n} of {b} ({p})")),
        "checked": ("claim.certify", T("Certifier la demande {n} de {b} ({p})", "Certify claim {n} of {b} ({p})")),
        "certified": ("payment.order", T("Ordonner le paiement de {b} ({p})", "Order the payment of {b} ({p})")),
    }
    held = [state for state, (permission, _) in wanted.items() if actor.can(permission)]
    if not held:
        return found
    rows = (
        Claim.objects.filter(agreement__in=mine, state__in=held)
        .select_related("agreement__project", "agreement__beneficiary")
        .order_by("submitted_on", "id")[: SHOWN * 2]
    )
    for row in rows:
        if row.state == "checked" and {row.checked_by, row.checked_for} & {actor.user_id, actor.principal_id}:
            continue
        since = {"submitted": row.submitted_on, "checked": row.checked_on, "certified": row.certified_on}[row.state]
        found.append(
            Task(
                wanted[row.state][1].format(
                    n=row.number, b=row.agreement.beneficiary.name, p=row.agreement.project.acronym
                ),
                reverse("claim", args=[row.pk]),
                None,
                waiting_light(since, day),
                "",
                row.agreement.case,
                who=row.agreement.beneficiary.name,
                since=since,
            )
        )
    return found


def _beneficiary(actor: Actor, day: dt.date) -> list[Task]:
    found: list[Task] = []
    mine = (
        access.visible_agreements(actor, day)
        .filter(beneficiary_id=actor.organisation_id)
        .select_related("project", "funder")
        .prefetch_related("amendments")
        .order_by("awarded_on", "id")[:SHOWN]
    )
    for row in mine:
        if row.state == "sent" and row.signed_beneficiary_on is None and actor.can("agreement.sign"):
            limit = rules.completion_deadline(policy(), row.awarded_on)
            found.append(
                Task(
                    T(
                        "Signer la convention {n} ({p})",
                        "Sign agreement {n} ({p})",
                        n=row.number,
                        p=row.project.acronym,
                    ),
                    reverse("agreement", args=[row.pk]),
                    limit.on,
                    _light(limit.on, row.sent_on, day),
                    "",
                    row.case,
                    who=row.funder.name,
                    since=row.sent_on,
                    explained=limit.why if limit.on else None,
                )
            )
        for amendment in row.amendments.all():
            if amendment.state == "proposed" and actor.can("agreement.sign"):
                found.append(
                    Task(
                        T(
                            "Répondre à l'avenant {a} de la convention {n}",
                            "Answer amendment {a} of agreement {n}",
                            a=amendment.number,
                            n=row.number,
                        ),
                        reverse("agreement", args=[row.pk]),
                        None,
                        waiting_light(amendment.proposed_on, day),
                        amendment.reason,
                        row.case,
                        who=row.funder.name,
                        since=amendment.proposed_on,
                    )
                )
    if actor.can("claim.submit"):
        found += _returns_to_hand_in(actor, day)
        rows = (
            Claim.objects.filter(
                agreement__in=access.visible_agreements(actor, day).filter(beneficiary_id=actor.organisation_id),
                state="returned",
            )
            .select_related("agreement__project", "agreement__funder")
            .order_by("returned_on")[:SHOWN]
        )
        found += [
            Task(
                T(
                    "Compléter la demande de versement {n} ({p})",
                    "Complete claim {n} ({p})",
                    n=row.number,
                    p=row.agreement.project.acronym,
                ),
                reverse("claim-edit", args=[row.pk]),
                None,
                waiting_light(row.returned_on, day),
                row.reason,
                row.agreement.case,
                who=row.agreement.funder.name,
                since=row.returned_on,
            )
            for row in rows
        ]
    return found


def _returns_to_hand_in(actor: Actor, day: dt.date) -> list[Task]:
    """Financial returns that the organisation owes, once their year is over."""
    rows = queries.returns(actor, day).filter(
        agreement__beneficiary_id=actor.organisation_id, state__in=states.RETURN_WAITING, year__lt=day.year
    )
    return [
        Task(
            T(
                "Remettre le compte rendu financier {y} ({p})"
                if row.state == "due"
                else "Reprendre le compte rendu financier {y} ({p})",
                "Hand in the financial return {y} ({p})"
                if row.state == "due"
                else "Do the financial return {y} again ({p})",
                y=row.year,
                p=row.agreement.project.acronym,
            ),
            reverse("financial-return", args=[row.agreement_id, row.year]),
            row.due_on,
            _light(row.due_on, None, day),
            row.reason,
            row.agreement.case,
            who=row.agreement.funder.name,
            since=dt.date(row.year, 12, 31),
            explained=rules.return_deadline(policy(), row.year).why,
        )
        for row in rows[:SHOWN]
    ]


def _relays(actor: Actor, day: dt.date) -> list[Task]:
    found = []
    rows = queries.relays(actor, day).exclude(state__in=["refused", "withdrawn", "closed"])[: SHOWN * 2]
    for row in rows:
        told = _relay_task(actor, row)
        if told is None:
            continue
        title, since, who = told
        found.append(
            Task(
                title.format(p=row.project.acronym, c=row.company.name, b=row.bank.name),
                reverse("relay", args=[row.pk]),
                None,
                waiting_light(since, day),
                "",
                row.case,
                who=who,
                since=since,
            )
        )
    return found


def _relay_task(actor: Actor, row: Relay) -> tuple[Any, dt.date | None, Any] | None:
    part = access.relay_part(actor, row)
    if part == "bank":
        if row.state == "asked":
            return (
                T("Répondre à la demande de relais de {c} ({p})", "Answer the relay request of {c} ({p})"),
                row.asked_on,
                row.company.name,
            )
        if row.state == "offered" and row.guarantee == "refused":
            return (
                T("Refaire l'offre sans contre-garantie ({p})", "Offer again without counter-guarantee ({p})"),
                row.guarantee_on,
                row.company.name,
            )
        if row.state == "accepted":
            return (
                T("Notifier la cession au payeur ({p})", "Notify the assignment to the payer ({p})"),
                row.accepted_on,
                row.company.name,
            )
        if row.state == "assigned":
            return (
                T("Verser l'avance à {c} ({p})", "Pay the advance out to {c} ({p})"),
                row.assigned_on,
                row.company.name,
            )
        if row.state == "defaulted" and row.guarantee == "granted":
            return T("Appeler la contre-garantie ({p})", "Call the counter-guarantee ({p})"), row.defaulted_on, ""
    if part == "guarantor":
        if row.guarantee == "asked":
            return (
                T(
                    "Répondre à la demande de contre-garantie de {b} ({p})",
                    "Answer the counter-guarantee request of {b} ({p})",
                ),
                row.offered_on,
                row.bank.name,
            )
        if row.guarantee == "called":
            return (
                T("Verser la contre-garantie à {b} ({p})", "Pay the counter-guarantee to {b} ({p})"),
                row.defaulted_on,
                row.bank.name,
            )
    if part == "company" and row.state == "offered" and row.guarantee in ("", "granted"):
        return (
            T("Répondre à l'offre de relais de {b} ({p})", "Answer the relay offer of {b} ({p})"),
            row.offered_on,
            row.bank.name,
        )
    return None


def _cases(agreements: Any, relays: Any) -> Q:
    """The journal's rows of agreements and relays, asked of the database."""
    return Q(case__in=_named("agreement:", agreements)) | Q(case__in=_named("relay:", relays))


def _named(kind: str, rows: Any) -> Any:
    return rows.order_by().annotate(name=Concat(Value(kind), Cast("pk", CharField()))).values("name")


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """The journal's rows of the agreements and relays that the actor may read."""
    if actor.mandate_id is None:
        return None
    return _cases(access.visible_agreements(actor, day), access.visible_relays(actor, day))


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """Rows of agreements and relays of projects from which the actor is recused."""
    slugs = [case.split(":", 1)[1] for case in recused_cases(actor.user_id, "project")]
    if not slugs:
        return None
    return _cases(Agreement.objects.filter(project__slug__in=slugs), Relay.objects.filter(project__slug__in=slugs))


def case_titles(cases: Iterable[str]) -> dict[str, tuple[Any, str]]:
    """Names and addresses of agreements, relays and accounting imports in the journal."""
    ids: dict[str, list[int]] = {"agreement": [], "relay": [], "accounting": []}
    for case in cases:
        kind, _, pk = case.partition(":")
        if kind in ids and pk.isdecimal():
            ids[kind].append(int(pk))
    found: dict[str, tuple[Any, str]] = {}
    if ids["agreement"]:
        for pk, number in Agreement.objects.filter(pk__in=ids["agreement"]).values_list("pk", "number"):
            found[f"agreement:{pk}"] = (T("Convention {n}", "Agreement {n}", n=number), reverse("agreement", args=[pk]))
    if ids["relay"]:
        rows = Relay.objects.filter(pk__in=ids["relay"]).values_list("pk", "project__acronym")
        for pk, acronym in rows:
            found[f"relay:{pk}"] = (T("Relais {p}", "Relay {p}", p=acronym), reverse("relay", args=[pk]))
    for pk in ids["accounting"]:
        found[f"accounting:{pk}"] = (
            T("Import comptable {n}", "Accounting import {n}", n=pk),
            reverse("accounting-import", args=[pk]),
        )
    return found


def found(actor: Actor, day: dt.date, q: str, limit: int) -> list[tuple[Any, int, list[Any], str]]:
    """Agreements that a search finds among those that the actor may read."""
    if actor.mandate_id is None or not q.strip():
        return []
    rows = access.visible_agreements(actor, day).filter(
        Q(number__icontains=q) | Q(project__acronym__icontains=q) | Q(beneficiary__name__icontains=q)
    )
    total = rows.count()
    if not total:
        return []
    listed = [
        (
            str(T("Convention {n}", "Agreement {n}", n=row.number)),
            f"{row.project.acronym} · {row.beneficiary.name} · {states.AGREEMENT_TITLES[row.state]}",
            reverse("agreement", args=[row.pk]),
            row.simulated,
        )
        for row in rows.select_related("project", "beneficiary").order_by("number")[:limit]
    ]
    return [(T("Conventions", "Agreements"), total, listed, reverse("agreements"))]
