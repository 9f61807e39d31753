"""Tables of the programme's exercises: reporting rounds."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Round(models.Model):
    """A reporting round (*campagne de suivi*) of a programme: the period it is about, opening and due days.

    ``code`` comes from the policy's calendar (``2009``, ``2009-S1``). The policy proposes the days; an
    officer may move them on screen.
    """

    programme = models.CharField(max_length=80)
    code = models.CharField(max_length=20)
    period_start = models.DateField()
    period_end = models.DateField()
    opens_on = models.DateField()
    due_on = models.DateField()
    closed_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="round_code_once"),
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start")),
                name="round_period_in_order",
            ),
            models.CheckConstraint(condition=Q(due_on__gte=F("opens_on")), name="round_due_after_opening"),
        ]
        ordering = ["period_start"]

    def __str__(self) -> str:
        return self.code
