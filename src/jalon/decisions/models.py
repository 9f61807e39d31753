"""Tables of decisions on labels, of applications for the label, and of phases that were closed."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.clusters.models import Cluster, Label, LabelAct
from jalon.core.models import AppendOnly, FrozenText, StoredFile
from jalon.people.models import Organisation


class Decision(models.Model):
    """A decision file (*dossier de décision*): proposal, opinions, the act of the authority, what it did.

    ``state``: draft, opinions, decided, dropped. ``campaign`` names the evaluation that it rests on, ``grounds`` says it in
    words. ``authority`` is a code of the policy (``labels.decided_by``). ``precision`` of ``decided_on``: day, month, about.
    ``known``: entered from its sources, not decided in this installation: its effects stand in the register already.
    """

    programme = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=255)
    state = models.CharField(max_length=12, default="draft")
    rev = models.PositiveIntegerField(default=0)
    campaign = models.CharField(max_length=40, blank=True)
    grounds = models.TextField(blank=True)
    proposed_on = models.DateField(null=True)
    proposed_by = models.CharField(max_length=200, blank=True)
    authority = models.CharField(max_length=40, blank=True)
    reference = models.CharField(max_length=300, blank=True)
    decided_on = models.DateField(null=True)
    precision = models.CharField(max_length=10, default="day")
    decided_by = models.CharField(max_length=200, blank=True)
    published_on = models.DateField(null=True)
    publication = models.CharField(max_length=300, blank=True)
    dropped_reason = models.TextField(blank=True)
    national = models.CharField(max_length=80, blank=True)  # code of the national decision of the register
    counts = models.JSONField(default=dict, blank=True)
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    sources = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    known = models.BooleanField(default=False)
    simulated = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["programme", "state", "decided_on"], name="decision_board")]
        ordering = ["-decided_on", "-id"]

    def __str__(self) -> str:
        return self.title

    @property
    def case(self) -> str:
        """The journal's name of the file."""
        return f"decision:{self.slug}"


class Line(models.Model):
    """What is proposed, then decided, for one label (or for one application): kind, period, conditions, reasons.

    ``seen_act`` is the last act of the label when the line was written: a label decided upon meanwhile is noticed.
    ``basis`` names what it rests on outside (``{"case": "evaluation:…", "findings": […]}``). ``terms`` are what a new label
    needs: code, tier, slug and name of the cluster.
    """

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="lines")
    order = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=20)
    cluster = models.ForeignKey(Cluster, null=True, on_delete=models.PROTECT, related_name="decision_lines")
    label = models.ForeignKey(Label, null=True, on_delete=models.PROTECT, related_name="decision_lines")
    candidacy = models.ForeignKey("Candidacy", null=True, on_delete=models.PROTECT, related_name="lines")
    group = models.CharField(max_length=40, blank=True)
    effective_from = models.DateField()
    until = models.DateField(null=True)
    conditions = models.TextField(blank=True)
    conditions_due_on = models.DateField(null=True)
    conditions_met_on = models.DateField(null=True)
    reasons = models.TextField(blank=True)
    terms = models.JSONField(default=dict, blank=True)
    basis = models.JSONField(default=dict, blank=True)
    seen_act = models.BigIntegerField(null=True)
    act = models.ForeignKey(LabelAct, null=True, on_delete=models.PROTECT, related_name="decision_lines")
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("effective_from")), name="decision_line_in_order"
            ),
            models.UniqueConstraint(
                fields=["decision", "label", "kind"], condition=Q(label__isnull=False), name="decision_label_kind_once"
            ),
        ]
        ordering = ["order", "id"]

    @property
    def name(self) -> str:
        """Whom the line is about: the cluster's name on the day of the page, else the application's."""
        if self.cluster is not None:
            return getattr(self.cluster, "name_of_day", self.cluster.name)
        return self.candidacy.name if self.candidacy is not None else str(self.terms.get("name") or "")


class Opinion(models.Model):
    """The opinion of a body on a decision, whole or for one line. A later one of the same body replaces it.

    ``outcome``: favourable, reserved, unfavourable, not_given (the body was asked and said nothing), not_found (an old
    opinion whose content no source tells; only in a file entered from sources).
    """

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="opinions")
    line = models.ForeignKey(Line, null=True, on_delete=models.CASCADE, related_name="opinions")
    body = models.CharField(max_length=40)
    outcome = models.CharField(max_length=14)
    text = models.TextField(blank=True)
    on = models.DateField()
    at = models.DateTimeField()
    user_id_by = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)
    organisation_label = models.CharField(max_length=200, blank=True)
    replaced_at = models.DateTimeField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["on", "id"]


class Effect(AppendOnly):
    """Something that a decision did, or left alone with a sentence that says why. Written once, with the decision.

    ``on``: label, contract, draft, commitment, request, project, candidacy, cluster. ``done`` is False where it was left alone.
    """

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="effects")
    order = models.PositiveIntegerField(default=0)
    on = models.CharField(max_length=20)
    target = models.CharField(max_length=160, blank=True)  # the journal's case, or what names it
    said_fr = models.TextField()
    said_en = models.TextField()
    done = models.BooleanField(default=True)
    why = models.JSONField(default=dict, blank=True)
    amount = models.DecimalField(max_digits=16, decimal_places=2, null=True)

    class Meta:
        ordering = ["order", "id"]


class Notice(models.Model):
    """The notification of a line to the cluster: the letter as it was sent, when it came, until when an appeal is possible."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="notices")
    sent_on = models.DateField()
    received_on = models.DateField(null=True)
    channel = models.CharField(max_length=20, default="letter")
    letter = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    appeal_until = models.DateField(null=True)
    overseas = models.BooleanField(default=False)
    place = models.CharField(max_length=10, blank=True)
    at = models.DateTimeField()
    user_label = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line"], name="one_notice_per_line"),
            models.CheckConstraint(
                condition=Q(received_on__isnull=True) | Q(received_on__gte=F("sent_on")), name="notice_received_after"
            ),
        ]


class Appeal(models.Model):
    """An appeal against a line: to the authority (*gracieux*) or to the judge (*contentieux*). ``late``: after the delay.

    ``outcome``: empty while it waits; rejected, upheld, withdrawn.
    """

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="appeals")
    kind = models.CharField(max_length=12)
    lodged_on = models.DateField()
    text = models.TextField()
    late = models.BooleanField(default=False)
    outcome = models.CharField(max_length=12, blank=True)
    outcome_on = models.DateField(null=True)
    outcome_text = models.TextField(blank=True)
    user_label = models.CharField(max_length=200, blank=True)
    organisation_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["lodged_on", "id"]


# --- applications --------------------------------------------------------------------------------------------------


class CandidacyCall(models.Model):
    """A call for applications for the label (*appel à candidatures*).

    ``criteria`` are codes of the policy, or texts of their own with their source. ``counts`` are figures as published
    (candidates, labelled, attached…), never recomputed. ``state``: preparing, open, closed, decided.
    """

    programme = models.CharField(max_length=80)
    code = models.SlugField(max_length=80, unique=True)
    title_fr = models.CharField(max_length=255)
    title_en = models.CharField(max_length=255)
    opens_on = models.DateField(null=True)
    closes_on = models.DateField(null=True)
    decided_on = models.DateField(null=True)
    precision = models.JSONField(default=dict, blank=True)
    criteria = models.JSONField(default=list, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    sources = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=12, default="preparing")
    created_at = models.DateTimeField()
    known = models.BooleanField(default=False)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_on__isnull=True) | Q(closes_on__isnull=True) | Q(closes_on__gte=F("opens_on")),
                name="candidacy_call_closes_after",
            )
        ]
        ordering = ["-opens_on", "-id"]

    @property
    def case(self) -> str:
        """The journal's name of the call."""
        return f"candidacy-call:{self.code}"


class Candidacy(models.Model):
    """An application for the label: who carries it, where, with whom, on what theme.

    ``state``: draft, submitted, reviewed, labelled, refused, sent_back, attached, withdrawn. ``content`` holds what the
    file says by key (theme, stakes, axes, partnership…); ``partners`` the names of the partners with their kind.
    """

    call = models.ForeignKey(CandidacyCall, on_delete=models.PROTECT, related_name="candidacies")
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="candidacies")
    regions = models.JSONField(default=list, blank=True)  # codes of the regions of the day, the seat's first
    city = models.CharField(max_length=120, blank=True)
    theme_family = models.CharField(max_length=40, blank=True)
    content = models.JSONField(default=dict, blank=True)
    partners = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=12, default="draft")
    rev = models.PositiveIntegerField(default=0)
    submitted_at = models.DateTimeField(null=True)
    rank = models.PositiveIntegerField(null=True)
    outcome_on = models.DateField(null=True)
    outcome_text = models.TextField(blank=True)
    cluster = models.ForeignKey(Cluster, null=True, on_delete=models.PROTECT, related_name="candidacies")
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    sources = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    known = models.BooleanField(default=False)
    simulated = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["call", "state"], name="candidacy_of_call")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def case(self) -> str:
        """The journal's name of the application."""
        return f"candidacy:{self.slug}"


class CandidacyPaper(models.Model):
    """A paper of an application."""

    candidacy = models.ForeignKey(Candidacy, on_delete=models.CASCADE, related_name="papers")
    title = models.CharField(max_length=255)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)


class CandidacyReview(models.Model):
    """What one reviewer says of an application at one level: an opinion, scores by criterion, and why.

    ``opinion``: favourable, reserved, unfavourable. ``scores``: criterion → figure. A later review of the same person at the
    same level replaces it.
    """

    candidacy = models.ForeignKey(Candidacy, on_delete=models.CASCADE, related_name="reviews")
    level = models.CharField(max_length=40)
    opinion = models.CharField(max_length=14)
    scores = models.JSONField(default=dict, blank=True)
    justification = models.TextField()
    on = models.DateField()
    at = models.DateTimeField()
    user_id_by = models.BigIntegerField(null=True)
    user_label = models.CharField(max_length=200, blank=True)
    organisation_label = models.CharField(max_length=200, blank=True)
    replaced_at = models.DateTimeField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidacy", "level", "user_id_by"],
                condition=Q(replaced_at__isnull=True),
                name="candidacy_review_one_current",
            )
        ]
        ordering = ["level", "at", "id"]


# --- phases --------------------------------------------------------------------------------------------------------


class PhaseClosing(models.Model):
    """A phase closed by an act: the list as it stood that day, what goes on, the next phase."""

    programme = models.CharField(max_length=80)
    phase = models.CharField(max_length=40)
    next_phase = models.CharField(max_length=40, blank=True)
    closed_on = models.DateField()
    checklist = models.JSONField(default=list)
    carried = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    user_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "phase"], name="phase_closed_once")]


class PhaseOpening(models.Model):
    """A phase opened by an act: from then on its contracts are prepared."""

    programme = models.CharField(max_length=80)
    phase = models.CharField(max_length=40)
    opened_on = models.DateField()
    user_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "phase"], name="phase_opened_once")]
