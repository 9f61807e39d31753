"""Tables of the register: clusters, labels, successors, carriers, governance, team, members."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.core.models import StoredFile, TwoTimes
from jalon.people.models import Organisation, User


class Cluster(models.Model):
    """A pôle: a body that is, was, or takes part in holding a label.

    ``kind``: cluster, federation (over bodies that live on), bid_part. Whether it holds a label on a day is a
    question asked of the label periods, never a column here. Coordinates are those of the town, in degrees.
    """

    programme = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, db_index=True)
    search_key = models.TextField(blank=True)  # all names, themes and seats without accents: what searches read
    kind = models.CharField(max_length=20, default="cluster")
    theme_family = models.CharField(max_length=40, blank=True, db_index=True)
    theme_fr = models.CharField(max_length=300, blank=True)
    theme_en = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=120, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=4, null=True, blank=True)
    longitude = models.DecimalField(max_digits=8, decimal_places=4, null=True, blank=True)
    website = models.URLField(max_length=300, blank=True)
    published = models.JSONField(default=dict, blank=True)  # published figures: members_count, members_year…
    earlier = models.JSONField(default=list, blank=True)  # theme and seat until a day, oldest first
    notes = models.JSONField(default=list, blank=True)
    kept = models.JSONField(default=list, blank=True)  # fields edited on screen: loading leaves them alone
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["name_key"]

    def __str__(self) -> str:
        return self.name


class ClusterName(models.Model):
    """A name under which the cluster was known, from a day to a day (unknown bounds stay empty)."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, blank=True)
    rank = models.PositiveSmallIntegerField(default=0)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    precision = models.CharField(max_length=10, blank=True)
    certainty = models.CharField(max_length=10, default="known")
    note = models.CharField(max_length=300, blank=True)
    sources = models.JSONField(default=list, blank=True)


class ClusterTerritory(models.Model):
    """A region of the cluster's territory, in a set of regions of its time (``regions-1970``, ``regions-2016``)."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="territories")
    region_set = models.CharField(max_length=30)
    region_code = models.CharField(max_length=10)
    rank = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "region_set", "region_code"],
                name="territory_region_once",
            )
        ]
        indexes = [models.Index(fields=["region_set", "region_code"], name="territory_by_region")]


class Label(models.Model):
    """A label, given to a bid: one body, a federation, or several bodies that answer together."""

    programme = models.CharField(max_length=80)
    code = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)  # the name under which it was given
    tier = models.CharField(max_length=40, blank=True)
    tier_certainty = models.CharField(max_length=10, default="known")
    phase = models.CharField(max_length=40, blank=True)
    follows = models.JSONField(default=list, blank=True)  # codes of the labels it takes over from
    note_fr = models.CharField(max_length=500, blank=True)
    note_en = models.CharField(max_length=500, blank=True)
    sources = models.JSONField(default=list, blank=True)
    holders = models.ManyToManyField(Cluster, through="LabelHolder", related_name="labels")

    def __str__(self) -> str:
        return self.name


class LabelHolder(models.Model):
    """A body behind a label, from a day to a day.

    ``role``: ``holder`` answers for the label; ``part`` stands behind a holder (a federated body, or one that had
    not merged yet into the body that bid).
    """

    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="held_by")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="holdings")
    role = models.CharField(max_length=10, default="holder")
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    note = models.CharField(max_length=300, blank=True)
    sources = models.JSONField(default=list, blank=True)


class LabelAct(TwoTimes):
    """A decision on a label: granted, confirmed, maintained, extended, renewed, withdrawn…

    ``decided_on`` is empty when the day was not published. ``certainty``: known, deduced, unknown.
    """

    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="acts")
    act = models.CharField(max_length=20)
    decided_on = models.DateField(null=True)
    precision = models.CharField(max_length=10, blank=True)
    effective_from = models.DateField()
    until = models.DateField(null=True)
    body = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=300, blank=True)
    certainty = models.CharField(max_length=10, default="known")
    note_fr = models.CharField(max_length=400, blank=True)
    note_en = models.CharField(max_length=400, blank=True)
    phase = models.CharField(max_length=40, blank=True)
    sources = models.JSONField(default=list, blank=True)
    recorded_here = models.BooleanField(default=False)  # on screen, not from data/: loading leaves it alone

    class Meta:
        ordering = ["effective_from", "id"]


class LabelPeriod(TwoTimes):
    """A period during which the label is in force, made from its acts (inclusive end).

    ``certainty`` is ``unknown`` for days after which no outcome was found.
    """

    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="periods")
    act = models.ForeignKey(LabelAct, null=True, on_delete=models.CASCADE, related_name="periods")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    certainty = models.CharField(max_length=10, default="known")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="label_period_in_order",
            )
        ]
        indexes = [models.Index(fields=["starts_on", "ends_on"], name="label_period_days")]


class Relation(models.Model):
    """Succession: merger, absorption, federation, joint bid… many-to-many, dated, and possibly undone."""

    programme = models.CharField(max_length=80)
    code = models.SlugField(max_length=80, unique=True)
    kind = models.CharField(max_length=20)
    certainty = models.CharField(max_length=10, default="known")
    outside = models.JSONField(default=list, blank=True)  # bodies that are not in the register
    on = models.DateField(null=True)
    precision = models.CharField(max_length=10, blank=True)
    ended_on = models.DateField(null=True)
    ended_precision = models.CharField(max_length=10, blank=True)
    note_fr = models.CharField(max_length=500, blank=True)
    note_en = models.CharField(max_length=500, blank=True)
    sources = models.JSONField(default=list, blank=True)


class RelationEnd(models.Model):
    """One body at one end of a relation (``side``: from, to)."""

    relation = models.ForeignKey(Relation, on_delete=models.CASCADE, related_name="ends")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="relation_ends")
    side = models.CharField(max_length=4)


class ClusterGroup(TwoTimes):
    """Group or grade given by a published evaluation (2008: 1, 2, 3; 2012: grades). Unknown = no row."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="groups")
    evaluation = models.CharField(max_length=40)
    group = models.CharField(max_length=40)
    on = models.DateField(null=True)
    sources = models.JSONField(default=list, blank=True)


class NationalDecision(models.Model):
    """A decision about the programme: date, deciding body, what it did, counts as published."""

    programme = models.CharField(max_length=80)
    code = models.SlugField(max_length=80, unique=True)
    note_fr = models.CharField(max_length=500, blank=True)
    note_en = models.CharField(max_length=500, blank=True)
    on = models.DateField(null=True)
    precision = models.CharField(max_length=10, blank=True)
    body = models.CharField(max_length=200, blank=True)
    title_fr = models.CharField(max_length=400)
    title_en = models.CharField(max_length=400)
    counts = models.JSONField(default=dict, blank=True)
    sources = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["on", "id"]


class Carrier(models.Model):
    """The organisation that carries a pôle (*structure de gouvernance*); it may be another body than the pôle."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="carriers")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="carries")
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    note = models.CharField(max_length=300, blank=True)
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)


class Correspondent(models.Model):
    """The State correspondent of a pôle: a user acting for a State service, from a day to a day."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="correspondents")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="follows")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    simulated = models.BooleanField(default=False)


class TeamPost(TwoTimes):
    """A post of the permanent team: full-time equivalents, employed or seconded. Posts, not persons."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="posts")
    title = models.CharField(max_length=120)
    fte = models.DecimalField(max_digits=5, decimal_places=2)
    status = models.CharField(max_length=10)  # employed, seconded
    seconded_by = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(fte__gt=0) & Q(fte__lte=100), name="post_fte_positive"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="post_ends_after_start",
            ),
        ]


class GovernanceBody(models.Model):
    """A governing body of the carrier: board, bureau, general meeting, labelling committee."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="bodies")
    kind = models.CharField(max_length=30)
    title = models.CharField(max_length=160)
    simulated = models.BooleanField(default=False)
    sources = models.JSONField(default=list, blank=True)


class Seat(TwoTimes):
    """A seat in a governing body: college, organisation, mandate from a day to a day."""

    body = models.ForeignKey(GovernanceBody, on_delete=models.CASCADE, related_name="seats")
    college = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT)
    function = models.CharField(max_length=80, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)


class ClusterDocument(models.Model):
    """A dated document of the register: statutes, labelling rules, label letter."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=255)
    dated = models.DateField()
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT)
    simulated = models.BooleanField(default=False)


class ImportBatch(models.Model):
    """A file of members handed in: read, previewed with a verdict per row, then accepted or left.

    ``state``: reading, to_confirm (columns), previewed, accepting, accepted, abandoned, failed.
    Nothing is written to the register before ``accepted``. ``rows`` keeps the verdicts.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="imports")
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=20)
    columns = models.JSONField(default=dict, blank=True)
    summary = models.JSONField(default=dict, blank=True)
    rows = models.JSONField(default=list, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField()
    beat_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)


class Membership(TwoTimes):
    """An organisation is a member of a cluster from a day to a day, with its type and college.

    ``member_type``: a code of the policy (sme, mid, large, research_training, other). Two current versions of
    the membership of one organisation in one cluster may not overlap (the database refuses it).
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    member_type = models.CharField(max_length=30)
    college = models.CharField(max_length=40, blank=True)
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)
    batch = models.ForeignKey(ImportBatch, null=True, blank=True, on_delete=models.SET_NULL)
    replaces = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="replaced_by",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("joined_on")),
                name="membership_ends_after_start",
            )
        ]
        indexes = [
            models.Index(
                fields=["cluster", "member_type", "joined_on", "left_on"],
                name="membership_current",
                condition=Q(superseded_at__isnull=True),
            ),
            # Lists count the members of many clusters on a day: everything that the count asks stands in this index.
            models.Index(
                fields=["cluster", "joined_on", "left_on", "simulated", "superseded_at"],
                name="membership_count",
                condition=Q(superseded_at__isnull=True),
            ),
            models.Index(fields=["organisation", "cluster"], name="membership_of_organisation"),
        ]
