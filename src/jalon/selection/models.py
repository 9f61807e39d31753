"""Tables of selection: exercise, notes and consensus, the financing table, envelopes, scenarios, the list, letters."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.core.models import FrozenText, TwoTimes
from jalon.people.models import Organisation, User
from jalon.projects.models import Call, Partner, Project


class Share(TwoTimes):
    """A cell of the financing table (*plan de financement*): project × partner × funder.

    ``intended`` is what the funder means to pay, ``decided`` what it decided, in the programme's currency; ``base`` the
    eligible base that it retains and ``rate`` its own rate in percent of that base. ``instrument``: grant,
    repayable_advance. ``source``: state, region, department, city, europe, other. A correction is a new version.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="shares")
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="shares")
    funder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="shares")
    source = models.CharField(max_length=20, default="state")
    instrument = models.CharField(max_length=20, default="grant")
    base = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    rate = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    intended = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    decided = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    decided_on = models.DateField(null=True)
    reference = models.CharField(max_length=160, blank=True)
    why = models.JSONField(default=dict, blank=True)  # how the amount was computed: rule, parameter, day, inputs
    note = models.TextField(blank=True)
    recorded_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "funder", "instrument"],
                condition=Q(superseded_at__isnull=True),
                name="share_one_current",
            ),
            models.CheckConstraint(
                condition=(Q(intended__isnull=True) | Q(intended__gte=0))
                & (Q(decided__isnull=True) | Q(decided__gte=0)),
                name="share_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["project"], name="share_of_project", condition=Q(superseded_at__isnull=True))]


class Exercise(models.Model):
    """The selection of one call (*sélection*): criteria, scale, thresholds, how ties are parted, where it stands.

    ``state``: assessment, decided, announced. ``fund``: the organisation that pays for the State. ``criteria_set``: code of ``selection.yaml``, empty when no text is known.
    ``tie_rule``: shared, or criteria in the order of ``tie_order``. Every act on money or on the list of the call locks this
    row: no order of acts overruns an envelope or a ceiling.
    """

    call = models.OneToOneField(Call, on_delete=models.PROTECT, related_name="selection")
    policy_day = models.DateField()
    state = models.CharField(max_length=12, default="assessment")
    fund = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    criteria_set = models.CharField(max_length=60, blank=True)
    lowest = models.DecimalField(max_digits=5, decimal_places=2)
    highest = models.DecimalField(max_digits=5, decimal_places=2)
    minimum_total = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    tie_rule = models.CharField(max_length=12, default="shared")
    tie_order = models.JSONField(default=list, blank=True)
    rules_reason = models.TextField(blank=True)
    due_on = models.DateField(null=True)
    decided_on = models.DateField(null=True)
    announced_on = models.DateField(null=True)
    rev = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(highest__gt=F("lowest")), name="exercise_scale_has_steps"),
        ]

    def __str__(self) -> str:
        return f"selection {self.call_id}"

    @property
    def case(self) -> str:
        """The journal's name of the selection."""
        return f"selection:{self.call.code}"


class ExerciseCriterion(models.Model):
    """A criterion of one exercise: from the policy, or added for it with a reason; ``weight`` empty: none was set."""

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="criteria")
    code = models.SlugField(max_length=60)
    title_fr = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    help_fr = models.CharField(max_length=400, blank=True)
    help_en = models.CharField(max_length=400, blank=True)
    weight = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    minimum = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    order = models.PositiveIntegerField(default=0)
    reference = models.CharField(max_length=300, blank=True)
    url = models.URLField(max_length=600, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exercise", "code"], name="criterion_once"),
            models.CheckConstraint(condition=Q(weight__isnull=True) | Q(weight__gte=0), name="weight_not_negative"),
        ]
        ordering = ["order", "id"]


class Assessment(models.Model):
    """The opinion that one expert gives on one project for a ministry. ``state``: asked, submitted, withdrawn.

    Nobody but the expert reads it before the consensus opens.
    """

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="assessments")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assessments")
    expert = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assessments")
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default="asked")
    asked_on = models.DateField()
    due_on = models.DateField(null=True)
    opinion = models.CharField(max_length=14, blank=True)
    summary = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "expert"], name="assessment_once")]
        indexes = [models.Index(fields=["expert", "state"], name="assessment_of_expert")]


class Note(models.Model):
    """An expert's score on a criterion, with its justification."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="notes")
    criterion = models.ForeignKey(ExerciseCriterion, on_delete=models.PROTECT, related_name="notes")
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    justification = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assessment", "criterion"], name="note_once")]


class Consensus(models.Model):
    """The consensus of the experts on a project (*note de consensus*). ``state``: open, closed.

    ``scores`` are by criterion (texts of decimals), ``reasons`` by criterion. ``total``, ``sort_key`` and ``passes`` (every
    threshold) follow from them by :mod:`jalon.selection.rules`; they are kept so that ten thousand projects sort in the
    database, and are worked out again when the exercise's rules change.
    """

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="consensuses")
    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="consensus")
    state = models.CharField(max_length=10, default="open")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    opinion = models.CharField(max_length=14, blank=True)
    summary = models.TextField(blank=True)
    scores = models.JSONField(default=dict, blank=True)
    reasons = models.JSONField(default=dict, blank=True)
    total = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    sort_key = models.CharField(max_length=240, blank=True)
    passes = models.BooleanField(default=False)
    rev = models.PositiveIntegerField(default=0)
    simulated = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["exercise", "passes", "-sort_key"], name="consensus_ranking")]


class Envelope(TwoTimes):
    """How much may be decided for a call: by the State (``funder`` empty) or by one funder, in the programme's currency.

    A later version replaces the one before and says why.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="envelopes")
    funder = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    on = models.DateField()
    reference = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["call", "funder"],
                condition=Q(superseded_at__isnull=True, funder__isnull=False),
                name="envelope_of_funder_current",
            ),
            models.UniqueConstraint(
                fields=["call"],
                condition=Q(superseded_at__isnull=True, funder__isnull=True),
                name="envelope_of_state_current",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="envelope_not_negative"),
        ]


class Scenario(models.Model):
    """A list before it is decided: which projects, which amounts. ``state``: draft, chosen, dropped.

    Amounts that a scenario does not name are those intended at the moment.
    """

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="scenarios")
    name = models.CharField(max_length=120)
    note = models.TextField(blank=True)
    state = models.CharField(max_length=10, default="draft")
    rev = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exercise", "name"], name="scenario_name_once"),
            models.UniqueConstraint(
                fields=["exercise"], condition=Q(state="chosen"), name="exercise_one_chosen_scenario"
            ),
        ]
        ordering = ["made_at", "id"]


class ScenarioLine(models.Model):
    """A project in a scenario: selected, reserve (with its rank) or rejected, and why."""

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="lines")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=10)
    rank = models.PositiveIntegerField(null=True)
    reasons = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scenario", "project"], name="scenario_line_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["selected", "reserve", "rejected"]), name="scenario_outcome_known"
            ),
        ]


class ScenarioAmount(models.Model):
    """What a scenario gives a partner from the State instead of what is intended."""

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="amounts")
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    funder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    instrument = models.CharField(max_length=20, default="grant")
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scenario", "partner", "funder", "instrument"], name="scenario_amount_once"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="scenario_amount_not_negative"),
        ]


class Listed(TwoTimes):
    """What the decided list says of a project: selected, reserve, rejected, lost; a promotion is a new version."""

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="listed")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="listed")
    outcome = models.CharField(max_length=10)
    rank = models.PositiveIntegerField(null=True)
    reasons = models.TextField(blank=True)
    on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(superseded_at__isnull=True), name="listed_once_current"
            ),
            models.UniqueConstraint(
                fields=["exercise", "rank"],
                condition=Q(superseded_at__isnull=True, outcome="reserve"),
                name="reserve_rank_once",
            ),
        ]


class SelectionLetter(models.Model):
    """An official letter to a partner about its project. ``kind``: selected, reserve, rejected, promoted, lost.

    Its text is frozen in both languages on the day it was drawn up; ``on`` of a letter of selection opens relay finance.
    """

    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="letters")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="letters")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=10)
    on = models.DateField()
    reference = models.CharField(max_length=80, unique=True)
    frozen = models.ForeignKey(FrozenText, on_delete=models.PROTECT)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["-on", "id"]
