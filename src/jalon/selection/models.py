"""Tables of selection: what each funder intends and decides for each partner of a project."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from jalon.core.models import TwoTimes
from jalon.people.models import Organisation
from jalon.projects.models import Partner, Project


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
