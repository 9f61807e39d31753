"""Tables of reviews, evaluation campaigns, the contradictory procedure and questionnaires.

What a grid asks stands in the policy; rows name its codes. A hearing (*procédure contradictoire*) belongs to an evaluation or to a
review of a contract, never to both.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from jalon.clusters.models import Cluster
from jalon.contracts.models import Contract, Text
from jalon.core.models import FrozenText, StoredFile, TwoTimes
from jalon.people.models import Organisation


class Campaign(models.Model):
    """A round of evaluation of several clusters under one grid.

    ``kind``: national, again (re-examination), order (ordered by an authority). ``evaluation``: the name under which its groups are
    published (``2008``). ``state``: open, calibration, published, abandoned. ``policy_day``: the day whose rules and grid govern it.
    ``known``: what the sources tell of a real campaign (counts, evaluators, method) and what they don't.
    """

    programme = models.CharField(max_length=80)
    code = models.SlugField(max_length=80, unique=True)
    title_fr = models.CharField(max_length=255)
    title_en = models.CharField(max_length=255)
    kind = models.CharField(max_length=20, default="national")
    evaluation = models.CharField(max_length=40)
    grid = models.CharField(max_length=60, blank=True)
    phase = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=20, default="open")
    ordered_by = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    policy_day = models.DateField()
    opened_on = models.DateField(null=True)  # of a real campaign, when its sources tell
    ends_on = models.DateField(null=True)  # when the notes are expected at the latest
    calibration_on = models.DateField(null=True)
    published_on = models.DateField(null=True)
    created_at = models.DateTimeField()
    known = models.JSONField(default=dict, blank=True)
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["-opened_on", "code"]

    def __str__(self) -> str:
        return self.title_fr


class Assignment(models.Model):
    """What is entrusted to an evaluator: clusters (all without any) and criteria (all when empty), and its own statement.

    ``statement``: what the firm said of its own interests, before anything opens.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="assignments")
    evaluator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="evaluation_mandates")
    clusters = models.ManyToManyField(Cluster, related_name="evaluation_mandates", blank=True)
    every_cluster = models.BooleanField(default=False)
    criteria = models.JSONField(default=list, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    entrusted_on = models.DateField()
    statement = models.TextField(blank=True)
    stated_on = models.DateField(null=True)
    stated_by = models.CharField(max_length=200, blank=True)
    ended_on = models.DateField(null=True)
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]


class Evaluation(models.Model):
    """The evaluation of one cluster in a campaign.

    ``state``: planned, scoring, consensus, hearing, final, published. ``origin`` of the group: rule, override (somebody decided
    otherwise than the rule), recorded (known from elsewhere). ``certainty``: known, deduced, unknown (no group published).
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="evaluations")
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="evaluations")
    state = models.CharField(max_length=20, default="planned")
    young = models.BooleanField(default=False)  # labelled too recently to be judged like the others
    pack = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT, related_name="+")
    started_on = models.DateField(null=True)
    consensus_on = models.DateField(null=True)
    computed = models.CharField(max_length=40, blank=True)
    group = models.CharField(max_length=40, blank=True)
    origin = models.CharField(max_length=12, blank=True)
    certainty = models.CharField(max_length=10, default="known")
    reason = models.TextField(blank=True)
    decided_by = models.CharField(max_length=200, blank=True)
    sources = models.JSONField(default=list, blank=True)
    explained = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT, related_name="+")
    final_on = models.DateField(null=True)
    published_on = models.DateField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "cluster"], name="evaluation_once_per_campaign")]
        indexes = [models.Index(fields=["campaign", "state"], name="evaluation_board")]
        ordering = ["id"]


class Sheet(models.Model):
    """The notes of one evaluator on one cluster: theirs alone until the consensus opens. ``state``: draft, handed_in."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="sheets")
    evaluator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default="draft")
    handed_in_on = models.DateField(null=True)
    handed_in_by = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["evaluation", "evaluator"], name="sheet_one_per_evaluator")]
        ordering = ["id"]


class Note(models.Model):
    """The mark of an evaluator on a sub-question (``criterion/question``), with its justification."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="notes")
    question = models.CharField(max_length=120)
    mark = models.CharField(max_length=40, blank=True)
    justification = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "question"], name="sheet_note_once")]
        ordering = ["id"]


class Agreed(TwoTimes):
    """The mark on which the evaluators agreed, one version of it: what the classification is computed from."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="agreed")
    question = models.CharField(max_length=120)
    mark = models.CharField(max_length=40)
    justification = models.TextField()
    user_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "question"],
                condition=Q(superseded_at__isnull=True),
                name="agreed_one_current",
            )
        ]
        ordering = ["id"]


class Review(models.Model):
    """A review of a contract (*examen*). ``kind``: yearly, axes (improvement axes, 18 months), mid_term.

    ``state``: open, hearing, concluded. ``conclusion``: satisfactory, unsatisfactory. An unsatisfactory one may open the revision
    of funding: an amendment of the contract (``amendment``).
    """

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="reviews")
    kind = models.CharField(max_length=20)
    due_on = models.DateField(null=True)
    opened_on = models.DateField()
    state = models.CharField(max_length=20, default="open")
    pack = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT, related_name="+")
    conclusion = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)
    concluded_on = models.DateField(null=True)
    concluded_by = models.CharField(max_length=200, blank=True)
    amendment = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="reviews")
    revise_funding = models.BooleanField(default=False)
    why = models.JSONField(default=dict, blank=True)  # how the due day was reached
    created_at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "kind", "due_on"], name="review_once_per_due_day")]
        indexes = [models.Index(fields=["state", "due_on"], name="review_board")]
        ordering = ["due_on", "id"]


class Hearing(models.Model):
    """The contradictory procedure on one evaluation or review: findings, replies, positions, one after the other.

    ``state``: drafting, notified (the reply is awaited), replied (or the delay has passed: the position is awaited), closed.
    ``due_on``: last day of the reply, until midnight in Paris. ``silent``: the delay passed without reply.
    """

    evaluation = models.OneToOneField(Evaluation, null=True, on_delete=models.CASCADE, related_name="hearing")
    review = models.OneToOneField(Review, null=True, on_delete=models.CASCADE, related_name="hearing")
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="hearings")
    state = models.CharField(max_length=12, default="drafting")
    summary = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    notified_on = models.DateField(null=True)
    notified_by = models.CharField(max_length=200, blank=True)
    due_on = models.DateField(null=True)
    why = models.JSONField(default=dict, blank=True)
    provisional = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT, related_name="+")
    replied_on = models.DateField(null=True)
    replied_by = models.CharField(max_length=200, blank=True)
    silent = models.BooleanField(default=False)
    position_due_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    final = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT, related_name="+")
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(evaluation__isnull=False, review__isnull=True)
                | Q(evaluation__isnull=True, review__isnull=False),
                name="hearing_of_one_thing",
            )
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="hearing_deadlines")]


class Extension(models.Model):
    """More time to reply: until when, why, who gave it."""

    hearing = models.ForeignKey(Hearing, on_delete=models.CASCADE, related_name="extensions")
    was_due_on = models.DateField()
    until = models.DateField()
    reason = models.TextField()
    on = models.DateField()
    user_label = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]


class Finding(models.Model):
    """A numbered finding (*constat*): what was found, on which evidence; then the cluster's reply and the final position.

    ``outcome``: empty before the position; maintained, amended, withdrawn, settled (put right). A point that is withdrawn or
    settled founds nothing any more. ``question``: the sub-question it bears on, if it is one of a grid.
    """

    hearing = models.ForeignKey(Hearing, on_delete=models.CASCADE, related_name="findings")
    number = models.PositiveIntegerField()
    question = models.CharField(max_length=120, blank=True)
    about = models.CharField(max_length=255, blank=True)
    text = models.TextField()
    evidence = models.TextField(blank=True)
    dropped = models.BooleanField(default=False)  # taken out while drafting; its number is not used again
    outcome = models.CharField(max_length=12, blank=True)
    position = models.TextField(blank=True)
    final_text = models.TextField(blank=True)
    positioned_on = models.DateField(null=True)
    positioned_by = models.CharField(max_length=200, blank=True)
    rev = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hearing", "number"], name="finding_number_once")]
        ordering = ["number"]


class Reply(models.Model):
    """The cluster's reply to a finding. ``state``: draft, sent; ``late``: recorded after the delay by an officer, not counted."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="replies")
    state = models.CharField(max_length=6, default="draft")
    contests = models.BooleanField(default=True)
    text = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    sent_on = models.DateField(null=True)
    late = models.BooleanField(default=False)
    late_reason = models.TextField(blank=True)
    user_label = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField()
    files = models.ManyToManyField(StoredFile, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding"], condition=Q(late=False), name="reply_one_in_time"),
        ]
        ordering = ["id"]


class Interview(models.Model):
    """An interview (*entretien contradictoire*): who took part, what was said; the record is frozen."""

    hearing = models.ForeignKey(Hearing, null=True, on_delete=models.CASCADE, related_name="interviews")
    evaluation = models.ForeignKey(Evaluation, null=True, on_delete=models.CASCADE, related_name="interviews")
    held_on = models.DateField()
    participants = models.JSONField(default=list)
    record = models.TextField()
    frozen = models.ForeignKey(FrozenText, on_delete=models.PROTECT, related_name="+")
    recorded_on = models.DateField()
    user_label = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["held_on", "id"]


class Survey(models.Model):
    """A questionnaire sent to the members of clusters under evaluation; ``questions`` are frozen when it opens."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="surveys")
    code = models.CharField(max_length=60)
    questions = models.JSONField(default=list)
    opens_on = models.DateField()
    closes_on = models.DateField()
    shown_from = models.PositiveIntegerField(default=1)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]


class SurveyLink(models.Model):
    """A member that was asked. It only keeps whether it answered, never what: the answer does not know its link."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="links")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, blank=True, db_index=True)
    answered = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "cluster", "organisation"], name="survey_asked_once")]


class SurveyAnswer(models.Model):
    """An anonymous answer. Its key is drawn at random and it has no moment, so that no order betrays who answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="answers")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    answers = models.JSONField(default=dict)
    simulated = models.BooleanField(default=False)
