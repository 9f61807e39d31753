"""Tables of organisations, users and mandates."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

from jalon.core.models import StoredFile, TwoTimes


class Organisation(models.Model):
    """A legal person that takes part: company, laboratory, authority, State service, carrier…

    ``kind``: company, laboratory, training, authority, state_service, association, bank, chamber, other.
    ``name_key`` is the name without accents, case and legal forms, for search and duplicates.
    ``merged_into``: this row was a duplicate; everything it had moved to that one, and the row stays.
    """

    name = models.CharField(max_length=255)
    short_name = models.CharField(max_length=80, blank=True)
    name_key = models.CharField(max_length=255, db_index=True)
    kind = models.CharField(max_length=20)
    legal_form = models.CharField(max_length=80, blank=True)
    activity_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, default="FR")
    city = models.CharField(max_length=120, blank=True)
    postcode = models.CharField(max_length=12, blank=True)
    region_code = models.CharField(max_length=10, blank=True)
    level = models.CharField(max_length=20, blank=True)  # authorities: region, department, urban_community, city
    website = models.URLField(max_length=300, blank=True)
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "name_key"], name="organisation_kind_name")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")),
                name="organisation_not_merged_into_itself",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Identifier(models.Model):
    """An official identifier of an organisation: scheme of the policy (siren, siret, rna, ror…) and value.

    Values are stored without spaces, in upper case. One identifier names one organisation.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=20)
    value = models.CharField(max_length=60)
    source = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "value"], name="identifier_names_one_organisation")]

    def __str__(self) -> str:
        return f"{self.scheme} {self.value}"


class SizeCategory(TwoTimes):
    """Size category of an organisation at a date, with its evidence.

    ``definition``: which definition was applied (policy code, e.g. ``eu-sme-2003`` or ``fr-lme-2008``).
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="sizes")
    category = models.CharField(max_length=20)
    definition = models.CharField(max_length=40)
    on = models.DateField()
    evidence = models.CharField(max_length=300, blank=True)
    file = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.PROTECT)
    headcount = models.PositiveIntegerField(null=True)
    source = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "-on"], name="size_of_organisation")]


class NotDuplicate(models.Model):
    """Two organisations that look alike and were found to be two: they are not proposed again."""

    first = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="not_duplicate_said_once")]


class UserManager(BaseUserManager):
    """Makes users; an account without password signs in by invitation only."""

    def create_user(self, email: str, name: str, password: str | None = None, **extra):
        user = self.model(email=self.normalize_email(email).lower(), name=name, **extra)
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username):
        return self.get(email=username.lower())


class User(AbstractBaseUser):
    """Somebody who signs in. What they may do comes from their mandates, never from here.

    ``demo_role`` is set on the accounts of the demonstration (one-click sign-in), empty elsewhere.
    ``reminders``: daily, weekly or never; ``reminded_on`` is the day of the last digest. ``calendar_version`` is
    part of the secret address of the calendar feed: a new one makes the old address useless.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150)
    language = models.CharField(max_length=2, default="fr")
    is_active = models.BooleanField(default=True)
    demo_role = models.CharField(max_length=60, blank=True)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    visit_at = models.DateTimeField(null=True)
    previous_visit_at = models.DateTimeField(null=True)
    reminders = models.CharField(max_length=10, default="daily")
    reminded_on = models.DateField(null=True, blank=True)
    calendar_version = models.PositiveIntegerField(default=1)
    deactivated_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    def __str__(self) -> str:
        return self.name


class Mandate(models.Model):
    """A user acts for an organisation under a role of the policy, from a day to a day.

    ``delegated_from``: the mandate of which this one is a delegation; a delegation always ends.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mandates")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="mandates")
    programme = models.CharField(max_length=80)
    role = models.CharField(max_length=60)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    delegated_from = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="delegations",
    )
    reason = models.CharField(max_length=300, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="mandate_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(delegated_from__isnull=True) | Q(ends_on__isnull=False),
                name="delegation_has_an_end",
            ),
        ]
        indexes = [models.Index(fields=["user", "ends_on"], name="mandate_of_user")]

    def __str__(self) -> str:
        return f"{self.user} · {self.role} · {self.organisation}"


class Invitation(models.Model):
    """An invitation by e-mail to act for an organisation; only the hash of its token is stored."""

    email = models.EmailField()
    name = models.CharField(max_length=150, blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    programme = models.CharField(max_length=80)
    role = models.CharField(max_length=60)
    ends_on = models.DateField(null=True, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Mandate, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField()
    expires_on = models.DateField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)


class SignInFailure(models.Model):
    """A failed sign-in, counted against guessing. Neither e-mail nor network address is kept, only keyed hashes.

    ``at`` is the machine's own clock: the demonstration's day does not unlock a door. Rows are deleted after a day.
    """

    account_key = models.CharField(max_length=64)
    place_key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["account_key", "at"], name="failure_of_account"),
            models.Index(fields=["place_key", "at"], name="failure_of_place"),
        ]


class Merge(models.Model):
    """Two rows of one organisation merged: what moved, so that it can be undone while nothing else changed.

    ``moves`` lists ``{"table", "id", "column"}`` of every row that pointed to ``absorbed``; ``closed`` the versions of
    memberships that were closed and those that were made; ``before`` the fields of ``kept`` that were filled in.
    """

    absorbed = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kept = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    moves = models.JSONField(default=list)
    closed = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    user_label = models.CharField(max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["absorbed"], condition=Q(undone_at__isnull=True), name="organisation_absorbed_once"
            )
        ]
