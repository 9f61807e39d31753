"""Tables of what was observed."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.clusters.models import Cluster
from jalon.core.models import StoredFile, TwoTimes
from jalon.programme.models import Round


class Observation(TwoTimes):
    """The value of an indicator for a cluster and a period, one version of it.

    ``indicator`` is a code of the catalogue, or ``<contract slug>/<key>`` for an indicator of one contract.
    ``origin``: declared, computed, survey, evaluator. ``state``: draft, submitted, returned, validated.
    ``value`` is empty for "unknown", with ``note`` saying why; it is never zero for unknown. Unit as in the
    definition whose ``definition_version`` is kept. Stock indicators have ``period_start = period_end``.

    Of one value there are at most two current versions: the published one (validated) and the one in work. A
    draft is rewritten in place (``rev`` counts its changes) because nobody has stated it yet; from its
    submission on, every move and every correction is a new row. ``version`` counts the values that were stated.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="observations")
    indicator = models.CharField(max_length=120)
    definition_version = models.CharField(max_length=20, default="1")
    breakdown = models.CharField(max_length=80, blank=True)  # "type=sme"
    period_start = models.DateField()
    period_end = models.DateField()
    value = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    numerator = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    denominator = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    unit = models.CharField(max_length=20, blank=True)
    origin = models.CharField(max_length=12)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    rev = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True)
    reason = models.TextField(blank=True)  # why it was returned or corrected
    explanation = models.JSONField(default=dict, blank=True)  # formula, measures and their values, policy day
    evidence = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT)
    round = models.ForeignKey(Round, null=True, on_delete=models.PROTECT, related_name="observations")
    user_id_by = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "indicator", "breakdown", "period_end"],
                condition=Q(superseded_at__isnull=True, state="validated"),
                name="observation_one_published",
            ),
            models.UniqueConstraint(
                fields=["cluster", "indicator", "breakdown", "period_end"],
                condition=Q(superseded_at__isnull=True) & ~Q(state="validated"),
                name="observation_one_in_work",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start")),
                name="observation_period_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["cluster", "indicator", "period_end"], name="observation_series"),
            models.Index(fields=["round", "state"], name="observation_round_state"),
            models.Index(
                fields=["round", "cluster", "breakdown"],
                name="observation_round_cluster",
            ),
        ]
