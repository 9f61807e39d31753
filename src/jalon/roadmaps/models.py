"""Tables of strategic roadmaps."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from jalon.clusters.models import Cluster
from jalon.core.models import FrozenText


class Roadmap(models.Model):
    """A version of a cluster's roadmap for a phase. ``state``: draft, submitted, returned, validated, replaced.

    ``policy_day`` is the day whose template it obeys. The validated version is frozen.
    """

    programme = models.CharField(max_length=80)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="roadmaps")
    phase = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=255)
    template = models.CharField(max_length=80)
    policy_day = models.DateField()
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    state = models.CharField(max_length=20, default="draft")
    created_at = models.DateTimeField()
    submitted_on = models.DateField(null=True)
    validated_on = models.DateField(null=True)
    returned_reason = models.TextField(blank=True)
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    based_on = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="next_versions")
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "phase", "version"], name="roadmap_version_once"),
            models.UniqueConstraint(
                fields=["cluster", "phase"],
                condition=Q(state__in=["draft", "submitted", "returned"]),
                name="roadmap_one_open_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class Section(models.Model):
    """A section of the template, drafted. ``rev`` counts the saves: a save names the one it started from."""

    roadmap = models.ForeignKey(Roadmap, on_delete=models.CASCADE, related_name="sections")
    key = models.CharField(max_length=60)
    order = models.PositiveIntegerField(default=0)
    body = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(null=True)
    updated_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["roadmap", "key"], name="section_once")]
        ordering = ["order"]


class Item(models.Model):
    """An element of a structured section: axis, field, objective, action… as the policy names its levels."""

    roadmap = models.ForeignKey(Roadmap, on_delete=models.CASCADE, related_name="items")
    section_key = models.CharField(max_length=60)
    key = models.CharField(max_length=40)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    level = models.CharField(max_length=40)
    order = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=255)
    body = models.TextField(blank=True)
    horizon = models.CharField(max_length=10, blank=True)  # short, medium
    due_on = models.DateField(null=True, blank=True)
    rev = models.PositiveIntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)  # undo brings it back
    updated_at = models.DateTimeField(null=True)
    updated_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["roadmap", "key"], name="item_key_once")]
        ordering = ["section_key", "order", "id"]


class Revision(models.Model):
    """Every saved wording of a section or item, so that no word is ever lost."""

    roadmap = models.ForeignKey(Roadmap, on_delete=models.CASCADE, related_name="revisions")
    element = models.CharField(max_length=80)  # "section:position", "item:a1"
    rev = models.PositiveIntegerField()
    content = models.JSONField()
    at = models.DateTimeField()
    user_label = models.CharField(max_length=200, blank=True)
    refused = models.BooleanField(default=False)  # a conflicting save: kept here, not in the text

    class Meta:
        indexes = [models.Index(fields=["roadmap", "element", "rev"], name="revision_of_element")]
