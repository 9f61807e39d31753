"""Tables of committees: who sits, sessions with their agenda, papers, attendance and votes, decisions and follow-ups."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.clusters.models import Cluster
from jalon.core.models import FrozenText, StoredFile, TwoTimes
from jalon.people.models import Organisation, User


class Committee(models.Model):
    """One committee of a kind of the policy. ``clusters``: those it is about (empty: all of the programme).

    ``organiser`` runs it beside the roles of the kind (the State service of the region); ``place`` is the department whose
    holidays count.
    """

    programme = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=255)
    purpose = models.TextField(blank=True)
    clusters = models.ManyToManyField(Cluster, through="Ground", related_name="committees")
    region_code = models.CharField(max_length=10, blank=True)
    place = models.CharField(max_length=5, blank=True)
    organiser = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="committee_ends_after_start"
            )
        ]
        indexes = [models.Index(fields=["programme", "kind"], name="committee_of_kind")]

    def __str__(self) -> str:
        return self.title


class Ground(models.Model):
    """A cluster that a committee is about; ``lead``: the one that leads a thematic coordination."""

    committee = models.ForeignKey(Committee, on_delete=models.CASCADE, related_name="grounds")
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="grounds")
    lead = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["committee", "cluster"], name="ground_once")]


class CommitteeSeat(TwoTimes):
    """Who sits, from a day to a day (*mandat*): an organisation, under a function, with a person or whoever acts for it.

    ``seat`` is the policy's code. ``user`` is the person named, ``substitute`` who replaces them; without a person, whoever
    acts for the organisation under a role of the seat's kind. ``chair`` and ``votes`` are those of the day it was given.
    """

    committee = models.ForeignKey(Committee, on_delete=models.CASCADE, related_name="seats")
    seat = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="committee_seats")
    function = models.CharField(max_length=200, blank=True)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="committee_seats")
    substitute = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    chair = models.BooleanField(default=False)
    votes = models.BooleanField(default=True)
    order = models.PositiveIntegerField(default=0)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="committee_seat_ends_after"
            )
        ]
        indexes = [models.Index(fields=["committee", "starts_on"], name="committee_seat_of")]
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return f"{self.function or self.seat} · {self.organisation}"


class Session(models.Model):
    """A session (*séance*). ``state``: planned, convened, open, held, circulated, adopted, postponed, cancelled.

    ``proposed``: planned by the rhythm, not by hand. ``replaces``: the session that was postponed, or that lacked a quorum;
    ``second``: a second convening on the same agenda. ``rev`` counts the changes of the minutes' own text.
    """

    committee = models.ForeignKey(Committee, on_delete=models.CASCADE, related_name="sessions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default="planned")
    on = models.DateField()
    starts_at = models.TimeField(null=True, blank=True)
    where = models.CharField(max_length=200, blank=True)
    proposed = models.BooleanField(default=False)
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by")
    second = models.BooleanField(default=False)
    convened_on = models.DateField(null=True, blank=True)
    urgency = models.CharField(max_length=500, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    presided_by = models.ForeignKey(
        CommitteeSeat, null=True, blank=True, on_delete=models.PROTECT, related_name="presided"
    )
    current = models.ForeignKey("Item", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    minutes = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    circulated_on = models.DateField(null=True, blank=True)
    adopted_on = models.DateField(null=True, blank=True)
    frozen = models.ForeignKey(FrozenText, null=True, blank=True, on_delete=models.PROTECT)
    convocation = models.ForeignKey(FrozenText, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    built_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["committee", "number"], name="session_number_once"),
            models.UniqueConstraint(
                fields=["committee"], condition=Q(state="open"), name="session_one_open_in_committee"
            ),
        ]
        indexes = [models.Index(fields=["state", "on"], name="session_by_state")]
        ordering = ["on", "number"]

    def __str__(self) -> str:
        return f"{self.committee} · {self.on}"


class Item(models.Model):
    """A point of the agenda. ``source`` names what put it there (a source of the policy, or ``own``), ``key`` what it is about.

    ``why`` holds the rule, figures and day, as they were when the agenda was last built; ``details`` the things behind it.
    A point dropped stays, with the reason. ``notes`` and ``draft`` are typed in session (``rev`` counts their saves).
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="items")
    order = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=12, default="discussion")
    title = models.CharField(max_length=255)
    body = models.TextField(blank=True)
    presenter = models.CharField(max_length=160, blank=True)
    minutes_planned = models.PositiveIntegerField(null=True, blank=True)
    source = models.CharField(max_length=40, default="own")
    key = models.CharField(max_length=200, blank=True)
    case = models.CharField(max_length=160, blank=True)
    url = models.CharField(max_length=300, blank=True)
    cluster = models.ForeignKey(Cluster, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    why = models.JSONField(default=dict, blank=True)
    details = models.JSONField(default=list, blank=True)
    light = models.CharField(max_length=20, blank=True)
    due_on = models.DateField(null=True, blank=True)
    built_on = models.DateField(null=True, blank=True)
    added_on = models.DateField()
    dropped_on = models.DateField(null=True, blank=True)
    dropped_why = models.CharField(max_length=500, blank=True)
    dropped_by = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    draft = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    updated_by = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "source", "key"], condition=~Q(source="own"), name="item_of_source_once"
            )
        ]
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.title


class SessionPaper(models.Model):
    """A paper of a session or of one of its points; a new version keeps the older one."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="papers")
    item = models.ForeignKey(Item, null=True, blank=True, on_delete=models.SET_NULL, related_name="papers")
    title = models.CharField(max_length=255)
    version = models.PositiveIntegerField(default=1)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT)
    added_on = models.DateField()
    sent_on = models.DateField(null=True, blank=True)
    added_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "title", "version"], name="session_paper_version_once")
        ]
        ordering = ["title", "-version"]


class Attendance(models.Model):
    """What a seat said before the session, then how it was there: present, remote, represented, excused, absent.

    ``proxy_to``: the seat that holds its proxy (*pouvoir*). ``user``, ``user_label``: the person who sat, when they said so.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="attendances")
    seat = models.ForeignKey(CommitteeSeat, on_delete=models.PROTECT, related_name="attendances")
    presence = models.CharField(max_length=12)
    proxy_to = models.ForeignKey(CommitteeSeat, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    user_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "seat"], name="attendance_once"),
            models.CheckConstraint(
                condition=Q(proxy_to__isnull=True) | Q(presence="represented"), name="proxy_when_represented"
            ),
        ]


class Ballot(models.Model):
    """A vote on a point (*scrutin*). When it is secret only totals are kept, and who has voted, never how.

    ``counts`` holds the result once it is closed; while it runs, the totals of a secret vote.
    """

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="ballots")
    question = models.CharField(max_length=500)
    secret = models.BooleanField(default=False)
    entitled = models.JSONField(default=list, blank=True)
    recused = models.JSONField(default=list, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    by_chair = models.BooleanField(default=False)
    needed = models.PositiveIntegerField(null=True)
    base = models.PositiveIntegerField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(closed_at__isnull=True), name="committee_ballot_one_open"
            )
        ]
        ordering = ["opened_at", "id"]


class Vote(models.Model):
    """The vote of one seat; ``choice`` is empty in a secret ballot. ``by_seat``: the seat that voted for it by proxy."""

    ballot = models.ForeignKey(Ballot, on_delete=models.CASCADE, related_name="votes")
    seat = models.ForeignKey(CommitteeSeat, on_delete=models.PROTECT, related_name="votes_cast")
    choice = models.CharField(max_length=10, blank=True)
    by_seat = models.ForeignKey(CommitteeSeat, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    user_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ballot", "seat"], name="committee_vote_once"),
            models.CheckConstraint(
                condition=Q(choice__in=["", "for", "against", "abstain"]), name="committee_vote_choice"
            ),
        ]


class SessionDecision(models.Model):
    """What a session decided on a point: its words, how (vote or consensus), and with which result."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="decisions")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="decisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    outcome = models.CharField(max_length=12)
    objections = models.TextField(blank=True)
    ballot = models.ForeignKey(Ballot, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions")
    taken_on = models.DateField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "number"], name="session_decision_number_once")]
        ordering = ["number"]


class FollowUp(models.Model):
    """What has to be done after a decision (*suite à donner*): kind, owner, day; ``state`` open, done, dropped.

    ``owner`` is the seat that answers for it, else ``owner_label`` names somebody outside. ``act_case``: the case where it was
    done. What is open and due comes back on the next agenda by itself.
    """

    committee = models.ForeignKey(Committee, on_delete=models.CASCADE, related_name="follow_ups")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="follow_ups")
    decision = models.ForeignKey(
        SessionDecision, null=True, blank=True, on_delete=models.PROTECT, related_name="follow_ups"
    )
    item = models.ForeignKey(Item, null=True, blank=True, on_delete=models.PROTECT, related_name="follow_ups")
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=255)
    owner = models.ForeignKey(CommitteeSeat, null=True, blank=True, on_delete=models.PROTECT, related_name="follow_ups")
    owner_label = models.CharField(max_length=200, blank=True)
    due_on = models.DateField(null=True, blank=True)
    case = models.CharField(max_length=160, blank=True)
    state = models.CharField(max_length=10, default="open")
    done_on = models.DateField(null=True, blank=True)
    done_note = models.TextField(blank=True)
    act_case = models.CharField(max_length=160, blank=True)
    created_on = models.DateField()
    simulated = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["state", "due_on"], name="follow_up_waiting"),
            models.Index(fields=["committee", "state"], name="follow_up_of_committee"),
        ]
        ordering = ["due_on", "id"]

    def __str__(self) -> str:
        return self.title
