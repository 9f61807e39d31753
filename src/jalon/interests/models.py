"""Tables of declarations of interests."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from jalon.people.models import Organisation, User


class Declaration(models.Model):
    """What somebody declared about one case before it opened to them: no interest, or an interest and hence recusal.

    ``case`` is the journal's name of the case (``project:12``, ``evaluation:3``). The last declaration that is not
    withdrawn counts. ``stance``: none, interest. ``asked_by``: whoever asked that the person stays away (the leader of a
    project may name members of a committee), empty when the person declared it.
    """

    case = models.CharField(max_length=160, db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="interests")
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    stance = models.CharField(max_length=10)
    reason = models.TextField(blank=True)
    asked_by = models.CharField(max_length=200, blank=True)
    on = models.DateField()
    at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "user"], condition=Q(superseded_at__isnull=True), name="declaration_one_current"
            ),
            models.CheckConstraint(condition=Q(stance__in=["none", "interest"]), name="declaration_stance_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.stance} {self.case}"
