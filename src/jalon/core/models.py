"""Tables shared by the whole house: journal, frozen texts, files, sources, outbox, settings."""

from __future__ import annotations

from django.db import models


class Setting(models.Model):
    """One fact about this installation, such as the day on which the demonstration lives."""

    key = models.CharField(max_length=80, primary_key=True)
    value = models.JSONField()

    def __str__(self) -> str:
        return self.key


class Source(models.Model):
    """Where a fact comes from: title and address, shown beside the fact.

    ``kind``: ``official``, ``press``, ``seed``, ``deduced`` or ``simulated``.
    """

    key = models.CharField(max_length=80, primary_key=True)
    title = models.CharField(max_length=400)
    url = models.URLField(max_length=600, blank=True)
    kind = models.CharField(max_length=20, default="press")
    read_as = models.CharField(max_length=4, blank=True)

    def __str__(self) -> str:
        return self.title


class AppendOnly(models.Model):
    """A row that is written once. Django refuses to change or delete it; ``jalon verify`` proves it."""

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if self.pk and not self._state.adding:
            raise TypeError(f"{type(self).__name__} is append-only: row {self.pk} cannot be changed")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError(f"{type(self).__name__} is append-only: row {self.pk} cannot be deleted")


class JournalEntry(AppendOnly):
    """One act: what, by whom, for which organisation, when, why, before and after.

    ``case`` names the case (``contract:xylofutur-2009``); ``seq`` counts the acts of that case from 1.
    ``on`` is the day under which the act was done (the day of the demonstration, if there is one),
    ``at`` the moment on the same clock, ``stamped_at`` the moment on the machine's own clock.
    ``hash`` covers everything above it and the hash of the previous entry of the case.
    """

    case = models.CharField(max_length=160)
    seq = models.PositiveIntegerField()
    act = models.CharField(max_length=80)
    on = models.DateField()
    at = models.DateTimeField(db_index=True)
    stamped_at = models.DateTimeField()
    user_id = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)
    organisation_id = models.BigIntegerField(null=True, db_index=True)
    organisation_label = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=60, blank=True)
    why = models.TextField(blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="journal_one_entry_per_place")]
        indexes = [models.Index(fields=["case", "-seq"], name="journal_case_latest")]

    def __str__(self) -> str:
        return f"{self.case}#{self.seq} {self.act}"


class JournalHead(models.Model):
    """The last entry of each case's chain, so that cutting the end off a chain is seen.

    It is also the row that is locked while an act is written, so that two acts on one case queue
    up and two cases never wait for each other.
    """

    case = models.CharField(max_length=160, primary_key=True)
    seq = models.PositiveIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.case} at {self.seq}"


class DailyRoot(AppendOnly):
    """One hash over the heads of all chains at the end of a day; it can be published.

    ``entries`` and ``last_entry_id`` say what the root covers; ``prev_root`` chains the days.
    """

    day = models.DateField()
    last_entry_id = models.BigIntegerField()
    entries = models.PositiveBigIntegerField()
    prev_root = models.CharField(max_length=64, blank=True)
    root = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.day}: {self.root[:12]}"


class FrozenText(AppendOnly):
    """A content frozen whole: its canonical form and the SHA-256 of it (signed contract, validated roadmap)."""

    case = models.CharField(max_length=160, db_index=True)
    kind = models.CharField(max_length=60)
    form = models.CharField(max_length=40)
    canonical = models.TextField()
    sha256 = models.CharField(max_length=64, db_index=True)
    frozen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.case} {self.kind} {self.sha256[:12]}"


class StoredFile(models.Model):
    """A file handed in, kept under its own SHA-256; the name given by the user is only a label."""

    sha256 = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=120, blank=True)
    case = models.CharField(max_length=160, blank=True, db_index=True)
    title = models.CharField(max_length=255, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by_id = models.BigIntegerField(null=True)
    uploaded_by_label = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class OutboxMessage(models.Model):
    """A message decided by an act, stored with it, sent after the commit (and again if sending failed)."""

    to = models.EmailField()
    subject = models.CharField(max_length=255)
    body = models.TextField()
    case = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"


class TwoTimes(models.Model):
    """A fact that keeps two times: the period it is about (its own fields) and when it was recorded.

    Nothing is overwritten: a correction sets ``superseded_at`` on the old version and adds a new one.
    """

    recorded_at = models.DateTimeField(db_index=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        abstract = True


def as_known_on(queryset, day=None, *, prefix: str = ""):
    """Rows of a :class:`TwoTimes` table as they were known at the end of ``day`` (now when None)."""
    if day is None:
        return queryset.filter(**{f"{prefix}superseded_at__isnull": True})
    from jalon.core.clock import end_of_day

    end = end_of_day(day)
    return queryset.filter(
        models.Q(**{f"{prefix}superseded_at__isnull": True}) | models.Q(**{f"{prefix}superseded_at__gt": end}),
        **{f"{prefix}recorded_at__lte": end},
    )
