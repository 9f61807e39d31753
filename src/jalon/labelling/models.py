"""Tables of labelling: seats and delays of a pôle, requests, experts' opinions, votes, conditions."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.clusters.models import Cluster
from jalon.core.models import StoredFile, TwoTimes
from jalon.labelling import states
from jalon.people.models import User
from jalon.projects.models import Project, ProjectLabel


class Member(models.Model):
    """Somebody who sits on a pôle's labelling committee or bureau from a day to a day (last day inclusive).

    ``body``: committee, bureau. ``chair``: presides, and may break a tie where the procedure says so.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="labelling_members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="labelling_seats")
    body = models.CharField(max_length=10)
    chair = models.BooleanField(default=False)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(body__in=list(states.BODIES)), name="labelling_member_body_known"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="labelling_member_ends_after"
            ),
            models.UniqueConstraint(
                fields=["cluster", "user", "body"],
                condition=Q(ends_on__isnull=True),
                name="labelling_member_once",
            ),
        ]


class Terms(TwoTimes):
    """Delays that a pôle chose within the bounds of its procedure, from a day on: step → days."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="labelling_terms")
    starts_on = models.DateField()
    delays = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "starts_on"],
                condition=Q(superseded_at__isnull=True),
                name="labelling_terms_one_current",
            )
        ]


class LabelRequest(models.Model):
    """A project's leader asks a pôle for its label. One row per project and pôle until it is decided or withdrawn.

    ``procedure`` and ``policy_day`` name the rules under which it runs; ``delays`` are the days of each step as chosen by
    the pôle on that day. ``due_on`` is the last day of the present step. ``keep_away``: persons who are on no list, named
    by the leader in words. ``project_rev``: the revision of the project's file when it was asked for. ``recorded`` is the
    row of the register that the decision wrote.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_requests")
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="label_requests")
    lead = models.BooleanField(default=False)
    state = models.CharField(max_length=14, default="asked")
    procedure = models.CharField(max_length=60)
    policy_day = models.DateField()
    delays = models.JSONField(default=dict)
    criteria = models.CharField(max_length=60, blank=True)
    project_rev = models.PositiveIntegerField(default=0)
    keep_away = models.TextField(blank=True)
    message = models.TextField(blank=True)
    asked_on = models.DateField()
    asked_at = models.DateTimeField()
    received_on = models.DateField(null=True)
    correspondent = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField(null=True)
    missing = models.TextField(blank=True)
    decided_on = models.DateField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    reasons = models.TextField(blank=True)
    reference = models.CharField(max_length=120, blank=True)
    counted = models.JSONField(null=True)  # the vote as it stood when the bureau decided
    recorded = models.ForeignKey(ProjectLabel, null=True, on_delete=models.SET_NULL, related_name="+")
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "cluster"],
                condition=Q(state__in=states.RUNNING),
                name="label_request_one_running",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(lead=True, state__in=(*states.RUNNING, *states.GIVEN)),
                name="label_request_one_lead",
            ),
        ]
        indexes = [models.Index(fields=["cluster", "state"], name="label_request_of_cluster")]

    def __str__(self) -> str:
        return f"{self.project.acronym} / {self.cluster.slug}"

    @property
    def case(self) -> str:
        """The journal's name of the request."""
        return f"labelling:{self.project.slug}/{self.cluster.slug}"

    @property
    def running(self) -> bool:
        return self.state in states.RUNNING


class Opinion(models.Model):
    """An opinion asked of an expert, with its deadline. ``number`` is the name under which others read it (Expert 1).

    ``state``: asked, given, declined, cancelled, past (the project was presented again since). ``scores``: criterion → points. ``rev`` counts the saved drafts.
    ``file`` is kept under a neutral name, without its author's properties.
    """

    request = models.ForeignKey(LabelRequest, on_delete=models.CASCADE, related_name="opinions")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="label_opinions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, default="asked")
    asked_on = models.DateField()
    due_on = models.DateField()
    scores = models.JSONField(default=dict, blank=True)
    text = models.TextField(blank=True)
    recommendation = models.CharField(max_length=14, blank=True)
    rev = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(null=True)
    given_at = models.DateTimeField(null=True)
    ended_on = models.DateField(null=True)
    reason = models.TextField(blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)
    reminded = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="opinion_number_once"),
            models.UniqueConstraint(
                fields=["request", "user"], condition=Q(state__in=["asked", "given"]), name="opinion_once_per_expert"
            ),
        ]
        indexes = [models.Index(fields=["user", "state"], name="opinion_of_expert")]
        ordering = ["number"]


class Ballot(models.Model):
    """A vote of the committee on a request: in a meeting of a day, or electronic until a day (midnight, Paris).

    ``roll``: ids of the members entitled to vote when it opened, ``chair``: the chair's among them. Recusals are looked
    up when votes are counted, so that whoever is recused later counts neither in the votes nor in the quorum.
    """

    request = models.ForeignKey(LabelRequest, on_delete=models.CASCADE, related_name="ballots")
    way = models.CharField(max_length=12)
    opened_on = models.DateField()
    closes_on = models.DateField()
    place = models.CharField(max_length=160, blank=True)
    roll = models.JSONField(default=list)
    chair = models.PositiveBigIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    minutes = models.TextField(blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(closed_at__isnull=True), name="ballot_one_open_per_request"
            )
        ]
        ordering = ["id"]


class Vote(models.Model):
    """What one member voted: for, against, abstain. One per person; it cannot be changed once cast."""

    ballot = models.ForeignKey(Ballot, on_delete=models.CASCADE, related_name="votes")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=8)
    at = models.DateTimeField()
    written_by = models.CharField(max_length=200, blank=True)  # who noted it in a meeting, when not the voter

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ballot", "user"], name="vote_once_per_person"),
            models.CheckConstraint(condition=Q(choice__in=list(states.CHOICES)), name="vote_choice_known"),
        ]


class Condition(models.Model):
    """A condition of a label, to be met by a day, and how it was lifted."""

    request = models.ForeignKey(LabelRequest, on_delete=models.CASCADE, related_name="conditions")
    text = models.TextField()
    due_on = models.DateField(null=True)
    lifted_on = models.DateField(null=True)
    lifted_by = models.CharField(max_length=200, blank=True)
    evidence = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
