"""Tables of agreements, claims, payments, recoveries, accounting imports and relay finance.

Amounts are euros and cents (the programme's currency). Running totals stand beside what they sum, so that the database
itself refuses what would go above an instalment or an agreement, whoever comes first.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from jalon.core.models import FrozenText, StoredFile
from jalon.people.models import Organisation
from jalon.projects.models import Partner, Project

ZERO = Decimal("0.00")
HAIR = Decimal("0.001")
"""Added where the database compares sums: SQLite adds in floating point, where the last bit may differ. Far below a cent."""


def _money(**kwargs: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=14, decimal_places=2, **kwargs)


class Agreement(models.Model):
    """A funding agreement (*convention*) between a funder and a beneficiary, for one partner of one project.

    ``state``: draft, sent, signed, running, closed, terminated. ``amount`` is what it grants, amendments included;
    ``base`` and ``rate`` (percent) what it was computed from. ``returns``: which financial returns it asks for, law (what the law
    asks) or yearly (one for each year of the work). ``commitment`` is the number of the commitment in the
    funder's accounts (*engagement juridique*). ``ordered`` sums live payment orders, ``paid`` what was paid,
    ``recovering`` recovery orders not repaid yet, ``recovered`` what was repaid. ``awarded_on`` is the day of the
    announcement: delays count from it.
    """

    programme = models.CharField(max_length=80)
    number = models.CharField(max_length=40)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="agreements")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="agreements")
    beneficiary = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="agreements")
    funder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="agreements_funded")
    source = models.CharField(max_length=20, default="state")
    instrument = models.CharField(max_length=20, default="grant")
    subject = models.CharField(max_length=255)
    amount = _money()
    base = _money(null=True)
    rate = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    commitment = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=20, default="draft")
    awarded_on = models.DateField(null=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    policy_day = models.DateField()
    sent_on = models.DateField(null=True)
    signed_beneficiary_on = models.DateField(null=True)
    signed_beneficiary_by = models.CharField(max_length=200, blank=True)
    signed_funder_on = models.DateField(null=True)
    signed_funder_by = models.CharField(max_length=200, blank=True)
    signed_on = models.DateField(null=True)
    started_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    ended_reason = models.TextField(blank=True)
    suspended_on = models.DateField(null=True)
    suspended_reason = models.TextField(blank=True)
    reminded_on = models.DateField(null=True)
    returns = models.CharField(max_length=20, default="law")
    ordered = _money(default=ZERO)
    paid = _money(default=ZERO)
    recovering = _money(default=ZERO)
    recovered = _money(default=ZERO)
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["funder", "number"], name="agreement_number_once_per_funder"),
            models.UniqueConstraint(
                fields=["partner", "funder", "instrument"],
                condition=~Q(state="terminated"),
                name="agreement_one_live_per_share",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="agreement_amount_positive"),
            models.CheckConstraint(
                condition=Q(ordered__gte=0) & Q(paid__gte=0) & Q(recovering__gte=0) & Q(recovered__gte=0),
                name="agreement_totals_not_negative",
            ),
            models.CheckConstraint(condition=Q(paid__lte=F("ordered")), name="agreement_paid_was_ordered"),
            models.CheckConstraint(
                condition=Q(ordered__lte=F("amount") + F("recovering") + F("recovered") + HAIR),
                name="agreement_never_above_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(paid__gte=F("recovering") + F("recovered") - HAIR), name="agreement_recovers_what_was_paid"
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="agreement_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["beneficiary", "state"], name="agreement_of_beneficiary"),
            models.Index(fields=["funder", "state"], name="agreement_of_funder"),
            models.Index(fields=["project"], name="agreement_of_project"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def case(self) -> str:
        """The journal's name of the agreement."""
        return f"agreement:{self.pk}"

    @property
    def net_paid(self) -> Decimal:
        """What the beneficiary (or its bank) holds: paid, less what was repaid."""
        return self.paid - self.recovered

    @property
    def still_due(self) -> Decimal:
        """What may still come: the amount less what was paid; nothing more from a closed or terminated agreement than
        what is ordered already."""
        if self.state in ("closed", "terminated"):
            return self.ordered - self.paid
        return max(self.amount - self.paid + self.recovered, ZERO)


class Instalment(models.Model):
    """An instalment of an agreement: kind advance, intermediate, balance; when it falls due and on what condition.

    ``ordered`` sums the live payment orders of its claims, ``recovered`` the live recovery orders on them.
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="instalments")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    amount = _money()
    due_on = models.DateField(null=True)
    condition = models.CharField(max_length=300, blank=True)
    ordered = _money(default=ZERO)
    recovered = _money(default=ZERO)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="instalment_number_once"),
            models.CheckConstraint(
                condition=Q(amount__gte=0) & Q(ordered__gte=0) & Q(recovered__gte=0),
                name="instalment_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(ordered__lte=F("amount") + F("recovered") + HAIR), name="instalment_never_above_its_amount"
            ),
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.agreement_id}/{self.number}"

    @property
    def room(self) -> Decimal:
        """What may still be ordered on it."""
        return max(self.amount - self.ordered, ZERO)


class Claim(models.Model):
    """A claim for payment (*demande de versement*) of an instalment by the beneficiary.

    ``amount`` was claimed, ``proposed`` is what the checker retained, ``certified`` what the second person certified;
    ``correction`` says why less than claimed. ``checked_by`` and ``certified_by`` are users, never the same (nor one
    the substitute of the other).
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="claims")
    instalment = models.ForeignKey(Instalment, on_delete=models.PROTECT, related_name="claims")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, default="submitted")
    amount = _money()
    proposed = _money(null=True)
    certified = _money(null=True)
    statement = models.TextField(blank=True)
    correction = models.TextField(blank=True)
    reason = models.TextField(blank=True)  # of the last return, rejection or sending back
    submitted_on = models.DateField()
    submitted_by = models.BigIntegerField(null=True)
    returned_on = models.DateField(null=True)
    checked_on = models.DateField(null=True)
    checked_by = models.BigIntegerField(null=True)
    checked_for = models.BigIntegerField(null=True)  # the person replaced, when the checker was a substitute
    checked_label = models.CharField(max_length=200, blank=True)
    certified_on = models.DateField(null=True)
    certified_by = models.BigIntegerField(null=True)
    certified_label = models.CharField(max_length=200, blank=True)
    ordered_on = models.DateField(null=True)
    paid_on = models.DateField(null=True)
    created_at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="claim_number_once"),
            models.UniqueConstraint(
                fields=["instalment"],
                condition=Q(state__in=["submitted", "returned", "checked"]),
                name="claim_one_open_per_instalment",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="claim_amount_positive"),
            models.CheckConstraint(
                condition=Q(certified__isnull=True) | (Q(certified__gt=0) & Q(certified__lte=F("amount"))),
                name="claim_certified_within_claimed",
            ),
            models.CheckConstraint(
                condition=Q(certified_by__isnull=True) | ~Q(certified_by=F("checked_by")),
                name="claim_certified_by_another",
            ),
        ]
        indexes = [models.Index(fields=["state", "submitted_on"], name="claim_waiting")]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.agreement_id}-{self.number}"


class ClaimExpense(models.Model):
    """An expense shown with a claim: year, category, what, amount; ``accepted`` is what the checker retains, and why."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="expenses")
    year = models.PositiveIntegerField()
    category = models.CharField(max_length=60)
    label = models.CharField(max_length=255, blank=True)
    amount = _money()
    accepted = _money(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="expense_positive"),
            models.CheckConstraint(
                condition=Q(accepted__isnull=True) | (Q(accepted__gte=0) & Q(accepted__lte=F("amount"))),
                name="expense_accepted_within",
            ),
        ]
        ordering = ["year", "id"]


class ClaimFile(models.Model):
    """A piece of evidence of a claim."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="files")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class AccountingBatch(models.Model):
    """A file of the accounting system. ``state``: to_confirm (columns), previewed, accepted, abandoned.

    ``columns`` holds the sheets' first rows and what each column holds, ``rows`` each row with its verdict; nothing is written
    before ``accepted``. ``funder`` None: the State's orders.
    """

    programme = models.CharField(max_length=80)
    funder = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=255)
    state = models.CharField(max_length=20, default="previewed")
    rows = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    columns = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    user_id = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)
    handed_on = models.DateField()
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    simulated = models.BooleanField(default=False)


class PaymentOrder(models.Model):
    """A payment order (*ordre de paiement*): ``payee`` is the beneficiary, or the bank to which the claim is assigned.

    ``state``: ordered, paid, cancelled. ``reference`` names the payment in the accounting system, ``value_on`` its day.
    A claim has at most one order that is not cancelled: nothing is paid twice.
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="orders")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="orders")
    funder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=40)
    payee = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payment_orders")
    amount = _money()
    state = models.CharField(max_length=20, default="ordered")
    ordered_on = models.DateField()
    ordered_label = models.CharField(max_length=200, blank=True)
    paid_on = models.DateField(null=True)
    reference = models.CharField(max_length=80, blank=True)
    recorded_at = models.DateTimeField(null=True)
    recorded_label = models.CharField(max_length=200, blank=True)
    batch = models.ForeignKey(AccountingBatch, null=True, on_delete=models.PROTECT, related_name="orders")
    cancelled_on = models.DateField(null=True)
    cancelled_reason = models.TextField(blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["funder", "number"], name="order_number_once_per_funder"),
            models.UniqueConstraint(fields=["claim"], condition=~Q(state="cancelled"), name="order_one_live_per_claim"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_amount_positive"),
            models.CheckConstraint(
                condition=Q(state="paid", paid_on__isnull=False) | (~Q(state="paid") & Q(paid_on__isnull=True)),
                name="order_paid_has_its_day",
            ),
        ]
        indexes = [models.Index(fields=["state", "funder"], name="order_waiting")]

    def __str__(self) -> str:
        return self.number


class Recovery(models.Model):
    """An order of recovery (*ordre de reversement*) on a payment: issued → repaid, or cancelled."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="recoveries")
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, related_name="recoveries")
    number = models.PositiveIntegerField()
    amount = _money()
    reason = models.TextField()
    state = models.CharField(max_length=20, default="issued")
    issued_on = models.DateField()
    repaid_on = models.DateField(null=True)
    reference = models.CharField(max_length=80, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="recovery_number_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="recovery_positive"),
        ]
        ordering = ["number"]


class Amendment(models.Model):
    """An amendment (*avenant*) to an agreement: what it was, what it becomes, why; applied when both agree.

    ``before`` and ``after`` hold amount, starts_on, ends_on, beneficiary (with partner) and instalments.
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="amendments")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, default="proposed")
    reason = models.TextField()
    before = models.JSONField()
    after = models.JSONField()
    proposed_on = models.DateField()
    proposed_label = models.CharField(max_length=200, blank=True)
    answered_on = models.DateField(null=True)
    answered_label = models.CharField(max_length=200, blank=True)
    answer = models.TextField(blank=True)
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT, related_name="+")
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="funding_amendment_number_once"),
            models.UniqueConstraint(
                fields=["agreement"], condition=Q(state="proposed"), name="funding_amendment_one_open"
            ),
        ]
        ordering = ["number"]


class FinancialReturn(models.Model):
    """A financial return (*compte rendu financier*) that an agreement asks for: one per year, due on ``due_on``.

    ``state``: due, submitted, returned, accepted. ``handed_on`` is the first day on which it was handed in (what makes it late or
    not), ``submitted_on`` the last. The row is made when the agreement binds: the delay is then a term of it.
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="financial_returns")
    year = models.PositiveIntegerField()
    state = models.CharField(max_length=20, default="due")
    due_on = models.DateField()
    report = models.TextField(blank=True)
    annex = models.TextField(blank=True)
    reason = models.TextField(blank=True)  # of the last sending back
    handed_on = models.DateField(null=True)
    submitted_on = models.DateField(null=True)
    submitted_label = models.CharField(max_length=200, blank=True)
    checked_on = models.DateField(null=True)
    checked_label = models.CharField(max_length=200, blank=True)
    reminded_on = models.DateField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "year"], name="financial_return_once_a_year"),
            models.CheckConstraint(
                condition=Q(state__in=["due", "submitted", "returned", "accepted"]), name="financial_return_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="due") | Q(handed_on__isnull=False), name="financial_return_handed_in_has_its_day"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="financial_return_waiting")]
        ordering = ["year"]

    def __str__(self) -> str:
        return f"{self.agreement_id}/{self.year}"

    def late(self, day: dt.date) -> bool:
        """Whether it came (or is) after its day."""
        return (self.handed_on or day) > self.due_on


class ReturnLine(models.Model):
    """A line of a financial return: ``side`` charge or income; what was planned, what it was."""

    owner = models.ForeignKey(FinancialReturn, on_delete=models.CASCADE, related_name="lines")
    side = models.CharField(max_length=10)
    label = models.CharField(max_length=255)
    planned = _money()
    actual = _money()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(planned__gte=0) & Q(actual__gte=0), name="return_line_not_negative"),
            models.CheckConstraint(condition=Q(side__in=["charge", "income"]), name="return_line_side_known"),
        ]
        ordering = ["id"]


class ReturnFile(models.Model):
    """A piece of evidence of a financial return."""

    owner = models.ForeignKey(FinancialReturn, on_delete=models.CASCADE, related_name="files")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class Relay(models.Model):
    """A relay finance (*financement relais*): a bank's advance on the grant that a funder decided for a company.

    ``state``: asked, offered, refused, withdrawn, accepted, assigned, drawn, defaulted, closed. ``guarantee``: empty (none
    asked for), asked, granted, refused, called, paid, released. ``rate`` is the yearly rate in percent, ``fee`` a sum,
    ``guarantee_share`` in percent of the advance. Sums: ``drawn`` paid out; ``repaid`` by public payments,
    ``company_repaid`` by the company, ``guarantee_paid`` by the guarantor, ``guarantor_back`` given back to it.
    """

    programme = models.CharField(max_length=80)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="relays")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="relays")
    company = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="relays")
    funder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    bank = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="relays_lent")
    guarantor = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="relays_guaranteed")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, default="asked")
    guarantee = models.CharField(max_length=20, blank=True)
    amount = _money()
    purpose = models.TextField(blank=True)
    letter_on = models.DateField()
    letter_reference = models.CharField(max_length=160, blank=True)
    region_set = models.CharField(max_length=40)
    region = models.CharField(max_length=10)
    policy_day = models.DateField()
    asked_on = models.DateField()
    offer = _money(null=True)
    months = models.PositiveIntegerField(null=True)
    rate = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    fee = _money(default=ZERO)
    offered_on = models.DateField(null=True)
    offer_note = models.TextField(blank=True)
    answer = models.TextField(blank=True)  # why refused or withdrawn
    ended_on = models.DateField(null=True)
    guarantee_share = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    guarantee_amount = _money(null=True)
    guarantee_on = models.DateField(null=True)
    guarantee_note = models.TextField(blank=True)
    accepted_on = models.DateField(null=True)
    assigned_on = models.DateField(null=True)
    assigned_reference = models.CharField(max_length=120, blank=True)
    defaulted_on = models.DateField(null=True)
    default_reason = models.TextField(blank=True)
    drawn = _money(default=ZERO)
    repaid = _money(default=ZERO)
    company_repaid = _money(default=ZERO)
    guarantee_paid = _money(default=ZERO)
    guarantor_back = _money(default=ZERO)
    alerted = _money(default=ZERO)  # the uncovered sum that all three were told of
    created_at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "funder", "number"], name="relay_number_once"),
            models.UniqueConstraint(
                fields=["partner", "funder"],
                condition=Q(state__in=["accepted", "assigned", "drawn", "defaulted"]),
                name="relay_one_engaged_per_grant",
            ),
            models.UniqueConstraint(
                fields=["partner", "funder", "bank"],
                condition=Q(state__in=["asked", "offered"]),
                name="relay_one_open_request_per_bank",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="relay_amount_positive"),
            models.CheckConstraint(
                condition=Q(offer__isnull=True) | (Q(offer__gt=0) & Q(drawn__lte=F("offer"))),
                name="relay_never_drawn_above_offer",
            ),
            models.CheckConstraint(
                condition=Q(repaid__gte=0) & Q(company_repaid__gte=0) & Q(guarantee_paid__gte=0) & Q(drawn__gte=0),
                name="relay_sums_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(drawn__gte=F("repaid") + F("company_repaid") + F("guarantee_paid") - HAIR),
                name="relay_never_repaid_above_drawn",
            ),
            models.CheckConstraint(
                condition=Q(guarantee_paid__gte=F("guarantor_back")), name="relay_guarantor_back_within"
            ),
        ]
        indexes = [
            models.Index(fields=["bank", "state"], name="relay_of_bank"),
            models.Index(fields=["company", "state"], name="relay_of_company"),
            models.Index(fields=["guarantor"], name="relay_of_guarantor"),
        ]

    def __str__(self) -> str:
        return f"R{self.pk}"

    @property
    def case(self) -> str:
        """The journal's name of the relay."""
        return f"relay:{self.pk}"

    @property
    def owed(self) -> Decimal:
        """What the bank is still owed of what it paid out, in principal."""
        return self.drawn - self.repaid - self.company_repaid - self.guarantee_paid

    @property
    def owed_guarantor(self) -> Decimal:
        """What the guarantor paid and did not get back."""
        return self.guarantee_paid - self.guarantor_back


class RelayMove(models.Model):
    """A movement of money of a relay, of a kind of ``states.MOVE_KINDS``; ``order`` is the public payment behind it."""

    relay = models.ForeignKey(Relay, on_delete=models.CASCADE, related_name="moves")
    kind = models.CharField(max_length=20)
    amount = _money()
    on = models.DateField()
    order = models.ForeignKey(PaymentOrder, null=True, on_delete=models.PROTECT, related_name="relay_moves")
    note = models.CharField(max_length=255, blank=True)
    recorded_at = models.DateTimeField()
    user_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="relay_move_positive"),
            models.UniqueConstraint(
                fields=["relay", "order", "kind"], condition=Q(order__isnull=False), name="relay_order_allocated_once"
            ),
        ]
        ordering = ["on", "id"]
