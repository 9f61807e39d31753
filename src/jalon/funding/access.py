"""Who may read and act on agreements, claims, payments and relay finance.

The funder's side: the people of the funder itself; for the State's money also the national services of the programme and, for
the projects of their pôles, State correspondents and prefects. The beneficiary's side: its own people, from the day the
agreement is sent. A bank sees the requests made to it, a guarantor those whose guarantee is asked of it; nobody else
sees a relay but the company and, once the claim is assigned, the payer. Whoever is recused from a project sees nothing of it.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from jalon.clusters.access import clusters_of
from jalon.core.errors import NotAllowed
from jalon.core.lang import T
from jalon.funding.models import AccountingBatch, Agreement, Claim, PaymentOrder, Relay
from jalon.interests.access import recused_cases, require_not_recused
from jalon.people.access import Actor
from jalon.projects.models import ProjectLabel
from jalon.selection.models import Share

FUNDER_PERMISSIONS = (
    "agreement.manage",
    "agreement.sign",
    "claim.check",
    "claim.certify",
    "payment.order",
    "payment.record",
)
LABELLED = ("labelled", "conditions")


def funds(actor: Actor) -> bool:
    """Whether the actor sits on a funder's side at all."""
    return actor.side in ("state", "authority") and any(actor.can(p) for p in FUNDER_PERMISSIONS)


def reads_all_state(actor: Actor) -> bool:
    """National services that follow the State's money."""
    return actor.national and actor.side == "state" and (funds(actor) or actor.can("project.follow"))


def _own_projects(actor: Actor, on: dt.date) -> QuerySet:
    """Projects that the pôles of a correspondent or prefect labelled."""
    return ProjectLabel.objects.filter(
        cluster__in=clusters_of(actor, on), outcome__in=LABELLED, superseded_at__isnull=True
    ).values("project_id")


def _funder_q(actor: Actor, on: dt.date) -> Q | None:
    """Agreements (and shares) of which the actor sits on the funder's side; None: of none."""
    if actor.mandate_id is None or actor.side not in ("state", "authority"):
        return None
    if not (funds(actor) or actor.can("project.follow")):
        return None
    found = Q(funder_id=actor.organisation_id)
    if reads_all_state(actor):
        found |= Q(source="state")
    elif actor.side == "state" and actor.scope == "cluster":
        found |= Q(source="state", project_id__in=_own_projects(actor, on))
    return found


def _recused(actor: Actor) -> list[str]:
    return [case.split(":", 1)[1] for case in recused_cases(actor.user_id, "project")]


def visible_agreements(actor: Actor, on: dt.date) -> QuerySet[Agreement]:
    """The agreements that the actor may read."""
    if actor.mandate_id is None:
        return Agreement.objects.none()
    wanted = _funder_q(actor, on)
    if actor.side not in ("public", "bank") and actor.organisation_id is not None:
        own = Q(beneficiary_id=actor.organisation_id) & ~Q(state="draft")
        wanted = own if wanted is None else wanted | own
    if wanted is None:
        return Agreement.objects.none()
    rows = Agreement.objects.filter(wanted)
    recused = _recused(actor)
    return rows.exclude(project__slug__in=recused) if recused else rows


def visible_shares(actor: Actor, on: dt.date) -> QuerySet[Share]:
    """Decided shares for which the actor's side may draw up an agreement."""
    wanted = _funder_q(actor, on)
    if wanted is None or not actor.can("agreement.manage"):
        return Share.objects.none()
    rows = Share.objects.filter(wanted, superseded_at__isnull=True, decided__gt=0)
    recused = _recused(actor)
    return rows.exclude(project__slug__in=recused) if recused else rows


def is_beneficiary(actor: Actor, agreement: Agreement) -> bool:
    """Acts for the beneficiary."""
    return (
        actor.mandate_id is not None
        and actor.side not in ("public", "bank")
        and actor.organisation_id == agreement.beneficiary_id
    )


def is_funder(actor: Actor, agreement: Agreement, on: dt.date) -> bool:
    """Sits on the funder's side of this agreement."""
    wanted = _funder_q(actor, on)
    if wanted is None:
        return False
    if actor.organisation_id == agreement.funder_id or (reads_all_state(actor) and agreement.source == "state"):
        return True
    return Agreement.objects.filter(wanted, pk=agreement.pk).exists()


def require_funder(actor: Actor, agreement: Agreement, permission: str, on: dt.date) -> None:
    """Raise NotAllowed unless the actor holds the permission, on the funder's side, without being recused."""
    actor.require(permission)
    if not is_funder(actor, agreement, on):
        raise NotAllowed(
            T(
                "Cet acte appartient au financeur de la convention : {f}.",
                "This act belongs to the funder of the agreement: {f}.",
                f=agreement.funder.name,
            )
        )
    require_not_recused(actor, agreement.project.case)


def require_beneficiary(actor: Actor, agreement: Agreement, permission: str) -> None:
    """Raise NotAllowed unless the actor holds the permission for the beneficiary."""
    actor.require(permission)
    if not is_beneficiary(actor, agreement):
        raise NotAllowed(
            T(
                "Cet acte appartient au bénéficiaire de la convention : {b}.",
                "This act belongs to the beneficiary of the agreement: {b}.",
                b=agreement.beneficiary.name,
            )
        )


def require_share(actor: Actor, share: Share, on: dt.date) -> None:
    """Raise NotAllowed unless the actor may draw up the agreement of a decided share."""
    actor.require("agreement.manage")
    if not visible_shares(actor, on).filter(pk=share.pk).exists():
        raise NotAllowed(
            T(
                "Cette aide est celle d'un autre financeur : {f}.",
                "This aid is another funder's: {f}.",
                f=share.funder.name,
            )
        )


def visible_claims(actor: Actor, on: dt.date) -> QuerySet[Claim]:
    """Claims of the agreements that the actor may read."""
    return Claim.objects.filter(agreement__in=visible_agreements(actor, on))


def payable_orders(actor: Actor, on: dt.date) -> QuerySet[PaymentOrder]:
    """Payment orders whose payments the actor may record: those of its side."""
    wanted = _funder_q(actor, on)
    if wanted is None or not actor.can("payment.record"):
        return PaymentOrder.objects.none()
    return PaymentOrder.objects.filter(agreement__in=Agreement.objects.filter(wanted))


def accounting_side(actor: Actor) -> int | None:
    """The funder whose accounting files the actor hands in: None for the State's, else the authority's own id.

    Raises:
        NotAllowed: the actor records no payments.
    """
    actor.require("payment.record")
    return None if reads_all_state(actor) else actor.organisation_id


def visible_batches(actor: Actor) -> QuerySet[AccountingBatch]:
    """Accounting imports of the actor's side."""
    if not actor.can("payment.record") or actor.mandate_id is None:
        return AccountingBatch.objects.none()
    return AccountingBatch.objects.filter(funder_id=accounting_side(actor))


# -- relay finance ------------------------------------------------------------------------------------------------


def visible_relays(actor: Actor, on: dt.date) -> QuerySet[Relay]:
    """Relays that the actor may read: its own requests, those made to its bank, those whose guarantee is asked of it,
    and for the payer those whose claim was assigned."""
    if actor.mandate_id is None or actor.organisation_id is None:
        return Relay.objects.none()
    wanted = Q(pk__in=())
    if actor.can("relay.request"):
        wanted |= Q(company_id=actor.organisation_id)
    if actor.can("relay.offer"):
        wanted |= Q(bank_id=actor.organisation_id)
    if actor.can("relay.guarantee"):
        wanted |= Q(guarantor_id=actor.organisation_id) & ~Q(guarantee="")
    if actor.side in ("state", "authority") and any(
        actor.can(p) for p in ("payment.order", "payment.record", "agreement.manage")
    ):
        payer = Q(funder_id=actor.organisation_id)
        if reads_all_state(actor):
            payer = Q()  # relay finance stands on the State's grants only
        wanted |= payer & Q(assigned_on__isnull=False)
    rows = Relay.objects.filter(wanted)
    recused = _recused(actor)
    return rows.exclude(project__slug__in=recused) if recused else rows


def relay_part(actor: Actor, relay: Relay) -> str:
    """The actor's part in a relay: company, bank, guarantor, or payer for whoever else may read it."""
    if actor.can("relay.request") and actor.organisation_id == relay.company_id:
        return "company"
    if actor.can("relay.offer") and actor.organisation_id == relay.bank_id:
        return "bank"
    if actor.can("relay.guarantee") and relay.guarantee and actor.organisation_id == relay.guarantor_id:
        return "guarantor"
    return "payer"


def require_relay(actor: Actor, relay: Relay, permission: str) -> None:
    """Raise NotAllowed unless the actor holds the permission in its own part of the relay."""
    actor.require(permission)
    part = {"relay.request": "company", "relay.offer": "bank", "relay.guarantee": "guarantor"}[permission]
    if relay_part(actor, relay) != part:
        raise NotAllowed(T("Ce financement relais n'est pas le vôtre.", "This relay finance is not yours."))


def may_read_scheme(actor: Actor) -> bool:
    """Who reads the full balance sheet of the relay: national services of the State; everybody reads the public one."""
    return actor.national and actor.side == "state" and actor.scope == "national" and actor.can("project.follow")


def may_read_delays(actor: Actor) -> bool:
    """Who reads the delays per funder: whoever follows funded projects or sits on a funder's side."""
    return actor.mandate_id is not None and (funds(actor) or actor.can("project.follow") or actor.can("board.read"))
