"""Tables of performance contracts.

The words and figures of a contract are one document (``Text.content``, a tree whose elements carry stable
keys) while they are negotiated, amended and frozen. When a text binds, rows for what has to be followed
(objectives, actions, targets, commitments) are made from it, each keeping the text it comes from; nothing is
typed twice and nothing of an older text is overwritten.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.clusters.models import Cluster
from jalon.core.models import FrozenText, StoredFile, TwoTimes
from jalon.people.models import Organisation
from jalon.programme.models import Round


class Contract(models.Model):
    """A contract of a cluster with the State and local authorities.

    ``state``: preparing, negotiation, signing, signed, closed, abandoned. Whether it is *in force* on a day is
    computed (signatures, own dates, label periods). Dates are its own, never inferred from the phase.
    ``kind``: performance or framework. ``known``: what the sources tell of a real contract and what they don't.
    """

    programme = models.CharField(max_length=80)
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="contracts")
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=255)
    kind = models.CharField(max_length=20, default="performance")
    phase = models.CharField(max_length=40, blank=True)
    template = models.CharField(max_length=80, blank=True)
    policy_day = models.DateField()
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    state = models.CharField(max_length=20, default="preparing")
    group = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    signed_on = models.DateField(null=True)  # day of the last signature
    closed_on = models.DateField(null=True)
    known = models.JSONField(default=dict, blank=True)
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="contract_ends_after_start",
            )
        ]
        indexes = [models.Index(fields=["programme", "state", "starts_on"], name="contract_board")]

    def __str__(self) -> str:
        return self.title

    @property
    def cluster_name(self) -> str:
        """The cluster's name on the day of the page (``queries.name_clusters``), else its present one."""
        return getattr(self.cluster, "name_of_day", self.cluster.name)


class Text(models.Model):
    """A text of a contract: number 0 is the original, 1… its amendments (*avenants*).

    ``content`` is the whole document; ``rev`` counts its changes. ``base`` is the binding text from which an
    amendment was copied. ``state``: draft, negotiation, signing, signed, abandoned.
    """

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="texts")
    number = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=255, blank=True)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=20, default="draft")
    content = models.JSONField(default=dict)
    rev = models.PositiveIntegerField(default=0)
    round_no = models.PositiveIntegerField(default=1)
    base = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="amended_by")
    base_rev = models.PositiveIntegerField(null=True)
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    effective_on = models.DateField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "number"], name="text_number_once")]
        ordering = ["number"]


class Party(models.Model):
    """A party of a contract: ``kind`` state, authority or governance; the organisation; who signs for it."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="parties")
    key = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="contract_parties")
    signatory = models.CharField(max_length=160, blank=True)  # function, not a person: "préfet de la région Aquitaine"
    order = models.PositiveIntegerField(default=0)
    from_text = models.PositiveIntegerField(default=0)
    removed_by_text = models.PositiveIntegerField(null=True)
    sources = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "key"], name="party_key_once")]
        ordering = ["order", "id"]


class Proposal(models.Model):
    """A change that a party proposes: where (``path``), old and new value, reason. History of every target.

    ``state``: open, accepted, rejected, withdrawn. ``batch`` groups the changes of one workbook.
    """

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="proposals")
    path = models.CharField(max_length=200)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=12, default="open")
    round_no = models.PositiveIntegerField(default=1)
    batch = models.CharField(max_length=40, blank=True)
    party = models.ForeignKey(Party, null=True, on_delete=models.PROTECT)
    user_id_by = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["text", "path", "at"], name="proposal_history")]
        ordering = ["at", "id"]


class Comment(models.Model):
    """A remark beside an element of a text."""

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="comments")
    path = models.CharField(max_length=200)
    body = models.TextField()
    user_id_by = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)
    organisation_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at", "id"]


class Annex(models.Model):
    """An annex of a text: a dated file, or a frozen extract of the register (``snapshot``)."""

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="annexes")
    key = models.CharField(max_length=60)
    title = models.CharField(max_length=255)
    dated = models.DateField()
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)
    snapshot = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    source = models.CharField(max_length=40)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=200, blank=True)
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["key", "id"]


class Deliberation(models.Model):
    """An authority's own decision on a text (*délibération*), separate from its signature.

    ``outcome``: approved, refused. ``amount``: what it votes, in the programme's currency, for ``year`` if given.
    """

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="deliberations")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="deliberations")
    decided_on = models.DateField()
    reference = models.CharField(max_length=160)
    outcome = models.CharField(max_length=10, default="approved")
    year = models.PositiveIntegerField(null=True, blank=True)
    amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)
    recorded_at = models.DateTimeField()
    user_label = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0),
                name="deliberation_amount_not_negative",
            )
        ]


class Signature(models.Model):
    """A party's signature of a frozen text; ``sha256`` is that of the text that was signed."""

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="signatures")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="signatures")
    signed_on = models.DateField()
    signatory = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    user_id_by = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "party"], name="one_signature_per_party")]


class Objective(models.Model):
    """A strategic objective of a binding text. ``axis``: it answers an improvement axis of the evaluation."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="objectives")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=255)
    order = models.PositiveIntegerField(default=0)
    axis = models.CharField(max_length=255, blank=True)
    from_text = models.PositiveIntegerField(default=0)
    removed_by_text = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "key"], name="objective_key_once")]
        ordering = ["order", "id"]


class ObjectiveStatus(TwoTimes):
    """Where an objective stands: declared by the pôle, then validated or contested by the State correspondent."""

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="statuses")
    on = models.DateField()
    status = models.CharField(max_length=20)  # on_track, at_risk, reached, missed
    validated = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    user_label = models.CharField(max_length=200, blank=True)


class Action(models.Model):
    """An action programme of an objective: owner, calendar, budget, deliverables."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="actions")
    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="actions")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=255)
    owner = models.CharField(max_length=160, blank=True)
    deliverables = models.TextField(blank=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    budget = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    order = models.PositiveIntegerField(default=0)
    from_text = models.PositiveIntegerField(default=0)
    removed_by_text = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "key"], name="action_key_once"),
            models.CheckConstraint(
                condition=Q(budget__isnull=True) | Q(budget__gte=0),
                name="action_budget_not_negative",
            ),
        ]
        ordering = ["order", "id"]


class Milestone(models.Model):
    """A milestone (*jalon*) of an action, with its due day."""

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="milestones")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=255)
    due_on = models.DateField(null=True)
    removed_by_text = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "key"], name="milestone_key_once")]
        ordering = ["due_on", "id"]


class Progress(TwoTimes):
    """Where an action (or one of its milestones) stands: status, percentage, a date that slipped and why."""

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="progress")
    milestone = models.ForeignKey(Milestone, null=True, on_delete=models.CASCADE, related_name="progress")
    on = models.DateField()
    status = models.CharField(max_length=20)  # not_started, on_track, at_risk, late, done, cancelled
    percent = models.PositiveSmallIntegerField(default=0)
    expected_end = models.DateField(null=True)
    done_on = models.DateField(null=True)
    reason = models.TextField(blank=True)
    user_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(percent__lte=100), name="progress_at_most_100")]
        indexes = [models.Index(fields=["action", "-recorded_at"], name="progress_of_action")]


class ContractIndicator(models.Model):
    """An indicator of a contract: a common one (catalogue code) or one of its own.

    ``code`` is what observations carry: the catalogue code, or ``<slug>/<key>``.
    """

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="indicators")
    objective = models.ForeignKey(Objective, null=True, on_delete=models.SET_NULL, related_name="indicators")
    key = models.CharField(max_length=40)
    code = models.CharField(max_length=120, db_index=True)
    title = models.CharField(max_length=255)
    unit = models.CharField(max_length=20)
    direction = models.CharField(max_length=5, default="up")
    common = models.BooleanField(default=False)
    definition = models.TextField(blank=True)
    baseline = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    baseline_on = models.DateField(null=True)
    order = models.PositiveIntegerField(default=0)
    from_text = models.PositiveIntegerField(default=0)
    removed_by_text = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "key"], name="indicator_key_once")]
        ordering = ["order", "id"]


class Target(TwoTimes):
    """The target of an indicator for a year, one version of it; the text that set it is named."""

    indicator = models.ForeignKey(ContractIndicator, on_delete=models.CASCADE, related_name="targets")
    year = models.PositiveIntegerField()
    value = models.DecimalField(max_digits=20, decimal_places=6)
    text = models.ForeignKey(Text, on_delete=models.PROTECT)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "year"],
                condition=Q(superseded_at__isnull=True),
                name="target_one_current_version",
            )
        ]
        ordering = ["year"]


class Commitment(TwoTimes):
    """What a public party promised: an amount for a year, or a support that is not money.

    ``kind``: money, support. ``due_on``: when the money is expected at the latest (the light depends on it).
    """

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="commitments")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="commitments")
    key = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, default="money")
    title = models.CharField(max_length=255, blank=True)
    year = models.PositiveIntegerField(null=True)
    amount = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    due_on = models.DateField(null=True)
    text = models.ForeignKey(Text, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "key"],
                condition=Q(superseded_at__isnull=True),
                name="commitment_one_current_version",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0),
                name="commitment_amount_not_negative",
            ),
        ]
        ordering = ["year", "id"]


class CommitmentStep(TwoTimes):
    """What happened to a commitment (by its key, across versions): decided, paid, delivered (support), refused.

    ``released``: no longer due, because the label on which it rested has ended.
    """

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="commitment_steps")
    key = models.CharField(max_length=60)
    kind = models.CharField(max_length=10)  # decided, paid, delivered, refused, released
    on = models.DateField()
    amount = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    reference = models.CharField(max_length=200, blank=True)
    user_label = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["contract", "key", "on"], name="step_of_commitment")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0),
                name="step_amount_not_negative",
            )
        ]


class BudgetLine(TwoTimes):
    """A line of the running budget of the carrier, by year and kind of income.

    ``kind``: state, local, europe, fees, services, sponsorship, in_kind. In kind is counted apart from money.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="budget_lines")
    year = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    user_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "year", "kind"],
                condition=Q(superseded_at__isnull=True),
                name="budget_line_one_current_version",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="budget_line_not_negative"),
        ]


class Report(models.Model):
    """What a contract owes in a round: ``state`` open, submitted, returned, validated.

    ``due_on`` is the round's unless an officer gave more time.
    """

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="reports")
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="reports")
    state = models.CharField(max_length=12, default="open")
    due_on = models.DateField()
    submitted_on = models.DateField(null=True)
    returned_on = models.DateField(null=True)
    validated_on = models.DateField(null=True)
    reason = models.TextField(blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "round"], name="one_report_per_round")]
        indexes = [models.Index(fields=["state", "due_on"], name="report_board")]
