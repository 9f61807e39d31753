"""Tables of State aid: who owns whom, accounts, the ledger of awards, aid to the clusters themselves."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.clusters.models import Cluster
from jalon.core.models import StoredFile, TwoTimes
from jalon.people.models import Organisation


class OwnershipLink(TwoTimes):
    """One organisation holds a share of another, or controls it, from a day to a day, with its evidence.

    ``share``: percent of the capital or of the votes, the higher of the two. ``control``: majority of votes, power to
    appoint or remove, dominant influence, agreement. ``owner_kind``: a code of the policy (firm, public, venture…).
    ``kind``: holding, or absorption (the owned was merged into the owner on ``starts_on``).
    """

    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="aid_holdings")
    owned = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="aid_owners")
    kind = models.CharField(max_length=12, default="holding")
    share = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    control = models.BooleanField(default=False)
    owner_kind = models.CharField(max_length=20, default="firm")
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    evidence = models.CharField(max_length=300, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(owner=F("owned")), name="aid_owner_is_not_owned"),
            models.CheckConstraint(
                condition=Q(share__isnull=True) | Q(share__range=(0, 100)), name="aid_share_within_100"
            ),
            models.CheckConstraint(
                condition=Q(share__isnull=False) | Q(control=True) | Q(kind="absorption"),
                name="aid_link_says_something",
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="aid_link_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["owner"], name="aid_link_owner", condition=Q(superseded_at__isnull=True)),
            models.Index(fields=["owned"], name="aid_link_owned", condition=Q(superseded_at__isnull=True)),
        ]


class SizeFigures(TwoTimes):
    """A closed accounting year of an organisation: yearly work units, turnover, balance sheet (euros), with its evidence."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="aid_figures")
    year = models.PositiveIntegerField()
    headcount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    turnover = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    balance = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    evidence = models.CharField(max_length=300, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "year"], condition=Q(superseded_at__isnull=True), name="aid_year_once"
            ),
            models.CheckConstraint(
                condition=(Q(headcount__isnull=True) | Q(headcount__gte=0))
                & (Q(turnover__isnull=True) | Q(turnover__gte=0))
                & (Q(balance__isnull=True) | Q(balance__gte=0)),
                name="aid_figures_not_negative",
            ),
        ]


class Award(models.Model):
    """An aid granted to an organisation: one line of the ledger.

    ``base``: gber (block exemption), de_minimis, sgei (de minimis for services of general economic interest), notified,
    none (no State aid). ``rule_set``: the code of the policy's rule set in force on ``granted_on``. ``amount`` is the gross
    grant equivalent in euros. ``bases``: eligible costs by research category; ``category`` the one it mainly is. ``size``:
    class of the EU definition on the day of granting. ``declared``: told by the beneficiary, granted by another body
    (``authority_name``). ``nominal`` and ``years``: what was lent, advanced or guaranteed, and for how long, where the aid is
    not a plain grant. ``case``: the journal's name of the project or agreement it comes from. ``why``: how the checks
    were made that day. Nothing is erased: an award that is withdrawn keeps its line.
    """

    beneficiary = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="aid_received")
    authority = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="aid_granted")
    authority_name = models.CharField(max_length=255, blank=True)
    payer_name = models.CharField(max_length=255, blank=True)
    base = models.CharField(max_length=12)
    rule_set = models.CharField(max_length=40, blank=True)
    measure = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=80, blank=True)
    instrument = models.CharField(max_length=30, default="grant")
    category = models.CharField(max_length=20, blank=True)
    bases = models.JSONField(default=dict, blank=True)
    eligible_cost = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    bonuses = models.JSONField(default=list, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    nominal = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    years = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    granted_on = models.DateField()
    size = models.CharField(max_length=20, blank=True)
    size_evidence = models.CharField(max_length=300, blank=True)
    case = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=255, blank=True)
    declared = models.BooleanField(default=False)
    published_on = models.DateField(null=True)
    withdrawn_on = models.DateField(null=True)
    withdrawn_reason = models.TextField(blank=True)
    why = models.JSONField(default=dict, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="aid_amount_above_zero"),
            models.CheckConstraint(
                condition=Q(nominal__isnull=True) | Q(nominal__gte=F("amount")), name="aid_not_above_its_nominal"
            ),
            models.CheckConstraint(
                condition=Q(authority__isnull=False) | ~Q(authority_name=""), name="aid_names_its_authority"
            ),
            models.CheckConstraint(
                condition=Q(eligible_cost__isnull=True) | Q(eligible_cost__gte=0), name="aid_cost_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(base__in=["gber", "de_minimis", "sgei", "notified", "none"]), name="aid_base_known"
            ),
            models.UniqueConstraint(
                fields=["authority", "number"],
                condition=~Q(number="") & Q(authority__isnull=False),
                name="aid_number_once",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True) | ~Q(withdrawn_reason=""), name="aid_withdrawn_with_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["beneficiary", "granted_on"], name="aid_of_beneficiary"),
            models.Index(fields=["authority", "granted_on"], name="aid_of_authority"),
            models.Index(fields=["case"], name="aid_of_case"),
            models.Index(fields=["-granted_on", "-id"], name="aid_by_day"),
        ]

    @property
    def granted_by(self) -> str:
        """The name of the body that granted it."""
        return self.authority.name if self.authority is not None else self.authority_name


class ClusterYear(TwoTimes):
    """A year of a cluster's own costs that may be aided (article 27): operating or investment, eligible costs in euros.

    ``area``: "", a or c, for investment. ``counted``: whether the year counts among the years of operating aid; when it
    does not, ``counted_reason`` says why.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="aid_years")
    year = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    area = models.CharField(max_length=1, blank=True)
    eligible = models.DecimalField(max_digits=14, decimal_places=2)
    counted = models.BooleanField(default=True)
    counted_reason = models.CharField(max_length=300, blank=True)
    evidence = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "year", "kind", "area"],
                condition=Q(superseded_at__isnull=True),
                name="aid_cluster_year_once",
            ),
            models.CheckConstraint(condition=Q(eligible__gte=0), name="aid_cluster_cost_not_negative"),
            models.CheckConstraint(condition=Q(counted=True) | ~Q(counted_reason=""), name="aid_left_out_with_reason"),
            models.CheckConstraint(condition=Q(kind__in=["operating", "investment"]), name="aid_cluster_kind_known"),
        ]


class ClusterAid(TwoTimes):
    """What one public funder pays for a year of a cluster's own costs, in euros."""

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="aid_lines")
    year = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    area = models.CharField(max_length=1, blank=True)
    funder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="aid_to_clusters")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    evidence = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "year", "kind", "area", "funder"],
                condition=Q(superseded_at__isnull=True),
                name="aid_cluster_funder_once",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="aid_cluster_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(kind__in=["operating", "investment"]), name="aid_cluster_aid_kind_known"
            ),
        ]
