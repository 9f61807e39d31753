"""Tables of calls and projects: rules of a call by version, consortium, budget, labels, outcomes."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jalon.clusters.models import Cluster
from jalon.core.models import FrozenText, StoredFile, TwoTimes
from jalon.people.models import Organisation


class Call(models.Model):
    """A call for projects (*appel à projets*): R&D, innovation platforms or non-R&D.

    ``scheme`` is a code of ``calls.yaml`` (``fui``), ``number`` its place in the scheme. Days are those of the exercise,
    unknown ones stay empty; a deadline ends at midnight, Paris time. ``state``: preparing, open, closed, decided, finished.
    ``published`` holds figures as published, never recomputed: name (submitted, selected, clusters, state_amount,
    local_amount…) → ``{"value", "precision", "sources"}``; precision is "" (as is), "~" (about), ">" (more than) or
    "derived". ``known``: a real call known from its sources. ``rev`` counts the changes made on screen.
    """

    programme = models.CharField(max_length=80)
    code = models.SlugField(max_length=80, unique=True)
    scheme = models.CharField(max_length=60)
    number = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=20)
    title_fr = models.CharField(max_length=255)
    title_en = models.CharField(max_length=255)
    opens_on = models.DateField(null=True)
    closes_on = models.DateField(null=True)
    results_on = models.DateField(null=True)
    precision = models.JSONField(default=dict, blank=True)  # of a day that is known by its month only
    envelope = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    state = models.CharField(max_length=20, default="preparing")
    published = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    sources = models.JSONField(default=list, blank=True)
    known = models.BooleanField(default=False)
    rev = models.PositiveIntegerField(default=0)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_on__isnull=True) | Q(closes_on__isnull=True) | Q(closes_on__gte=F("opens_on")),
                name="call_closes_after_opening",
            ),
            models.CheckConstraint(
                condition=Q(envelope__isnull=True) | Q(envelope__gte=0), name="call_envelope_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["programme", "scheme", "number"], name="call_in_scheme")]

    def __str__(self) -> str:
        return self.title_fr

    @property
    def case(self) -> str:
        """The journal's name of the call."""
        return f"call:{self.code}"


class CallTotal(models.Model):
    """Figures published for several calls together: a joint total, or a cumulated count told after a call.

    ``kind``: joint, cumulated. ``calls`` are codes of calls. Figures are kept as published, like those of a call:
    published cumulants do not add up, and are never recomputed.
    """

    programme = models.CharField(max_length=80)
    code = models.SlugField(max_length=80, unique=True)
    scheme = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    order = models.PositiveIntegerField(default=0)
    title_fr = models.CharField(max_length=255)
    title_en = models.CharField(max_length=255)
    after_call = models.CharField(max_length=80, blank=True)
    calls = models.JSONField(default=list, blank=True)
    published = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    sources = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["order", "code"]


class CallRules(models.Model):
    """One version of a call's rules (*cahier des charges*): a file says which version it obeys; none is overwritten.

    ``rules`` is the whole set (eligibility, rates, criteria, papers, funders…), resolved from the policy on ``policy_day``
    and completed for the call.
    """

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField(default=1)
    policy_day = models.DateField()
    valid_from = models.DateField()
    rules = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "version"], name="rules_version_once")]
        ordering = ["version"]


class Project(models.Model):
    """A collaborative project.

    ``state``: draft, submitted, clarification, admissible, inadmissible, selected, reserve, rejected, running, finished,
    abandoned. ``nature``: rd, platform, non_rd. ``rules`` is the version of the call's rules that the file obeys. ``confidential`` is read by the consortium, the pôles asked for a label
    and those who assess it; ``summary`` by everybody once the project is selected. TRL are 1 to 9, each with its day.
    """

    programme = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    acronym = models.CharField(max_length=60)
    title = models.CharField(max_length=255)
    nature = models.CharField(max_length=20, default="rd")
    call = models.ForeignKey(Call, null=True, on_delete=models.PROTECT, related_name="projects")
    rules = models.ForeignKey(CallRules, null=True, on_delete=models.PROTECT, related_name="projects")
    state = models.CharField(max_length=20, default="draft")
    rev = models.PositiveIntegerField(default=0)
    summary = models.TextField(blank=True)
    confidential = models.TextField(blank=True)
    keywords = models.JSONField(default=list, blank=True)
    strategic_fields = models.JSONField(default=list, blank=True)  # *domaines d'activité stratégique*
    territory = models.JSONField(default=list, blank=True)  # departments where the work is done, with shares
    starts_on = models.DateField(null=True)
    months = models.PositiveIntegerField(null=True)
    trl_entry = models.PositiveSmallIntegerField(null=True)
    trl_entry_on = models.DateField(null=True)
    trl_target = models.PositiveSmallIntegerField(null=True)
    trl_target_on = models.DateField(null=True)
    trl_reached = models.PositiveSmallIntegerField(null=True)
    trl_reached_on = models.DateField(null=True)
    other_funding = models.BooleanField(null=True)  # other public money on the same base; None: not said
    justifications = models.JSONField(default=dict, blank=True)  # rule → why it is passed
    outcome_reasons = models.TextField(blank=True)  # why inadmissible, abandoned…
    submitted_at = models.DateTimeField(null=True)
    decided_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    frozen = models.ForeignKey(FrozenText, null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    sources = models.JSONField(default=list, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(trl_entry__isnull=True) | Q(trl_entry__range=(1, 9)))
                & (Q(trl_target__isnull=True) | Q(trl_target__range=(1, 9)))
                & (Q(trl_reached__isnull=True) | Q(trl_reached__range=(1, 9))),
                name="project_trl_1_to_9",
            )
        ]
        indexes = [
            models.Index(fields=["call", "state"], name="project_of_call"),
            models.Index(fields=["programme", "state"], name="project_state"),
        ]

    def __str__(self) -> str:
        return f"{self.acronym} – {self.title}"

    @property
    def case(self) -> str:
        """The journal's name of the project."""
        return f"project:{self.slug}"


class Partner(models.Model):
    """An organisation of the consortium: ``role`` leader or partner; ``kind`` company, research, training, institute
    (IRT or ITE, which neither leads nor counts as the required laboratory), other.

    ``size`` is the size class on the day of the file, under ``size_definition`` (a code of the policy), with its evidence:
    it decides the aid rate. ``department`` says where the partner works. ``group_name`` is the group that the partner
    declares to belong to, ``cooperation`` the State-to-State cooperation under which a foreign company takes part.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="partners")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="project_parts")
    key = models.CharField(max_length=40)
    role = models.CharField(max_length=10, default="partner")
    kind = models.CharField(max_length=20, default="company")
    size = models.CharField(max_length=20, blank=True)
    size_definition = models.CharField(max_length=40, blank=True)
    size_evidence = models.CharField(max_length=300, blank=True)
    department = models.CharField(max_length=10, blank=True)
    in_territory = models.BooleanField(null=True)  # of a labelling pôle; None: not known yet
    cost_basis = models.CharField(max_length=20, blank=True)  # research: full, marginal
    contribution = models.TextField(blank=True)
    group_name = models.CharField(max_length=160, blank=True)
    cooperation = models.CharField(max_length=200, blank=True)
    order = models.PositiveIntegerField(default=0)
    joined_on = models.DateField(null=True)
    left_on = models.DateField(null=True)
    rev = models.PositiveIntegerField(default=0)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "organisation"], condition=Q(left_on__isnull=True), name="partner_once_in_project"
            ),
            models.UniqueConstraint(fields=["project", "key"], name="partner_key_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(role="leader", left_on__isnull=True), name="project_one_leader"
            ),
        ]
        ordering = ["order", "id"]


class BudgetLine(models.Model):
    """A line of a partner's budget: cost category, year, Frascati class and class of the aid regulation, amount.

    The two classes are different fields: ``frascati`` basic, applied, experimental; ``aid_class`` fundamental, industrial,
    experimental, feasibility. Amounts are eligible costs in the programme's currency.
    """

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="budget")
    year = models.PositiveIntegerField()
    category = models.CharField(max_length=40)
    frascati = models.CharField(max_length=20, blank=True)
    aid_class = models.CharField(max_length=20, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="project_budget_not_negative"),
            models.UniqueConstraint(
                fields=["partner", "year", "category", "frascati", "aid_class"], name="project_budget_line_once"
            ),
        ]
        ordering = ["year", "category", "id"]


class Request(models.Model):
    """What a partner asks of public money, by funder if it names one: the aid asked for, in the programme's currency."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="requests")
    funder = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="request_not_negative")]


class ProjectLabel(TwoTimes):
    """The label that a pôle gave, gave under conditions, refused or deferred: one row of the register of labels.

    ``outcome``: labelled, conditions, refused, deferred. ``lead``: the lead labelling pôle (*pôle chef de file*). Written
    by the labelling procedure (or by the loader of real and simulated projects).
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="project_labels")
    lead = models.BooleanField(default=False)
    outcome = models.CharField(max_length=12)
    decided_on = models.DateField()
    conditions = models.TextField(blank=True)
    reasons = models.TextField(blank=True)
    reference = models.CharField(max_length=120, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "cluster"],
                condition=Q(superseded_at__isnull=True),
                name="project_label_one_current",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(superseded_at__isnull=True, lead=True, outcome__in=["labelled", "conditions"]),
                name="project_one_lead_label",
            ),
        ]
        indexes = [models.Index(fields=["cluster", "decided_on"], name="project_label_of_cluster")]


class Paper(models.Model):
    """A paper of a project's file, by the code of the call's rules; a new version replaces the one before."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="papers")
    partner = models.ForeignKey(Partner, null=True, on_delete=models.CASCADE, related_name="papers")
    code = models.CharField(max_length=60)
    title = models.CharField(max_length=255)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT)
    version = models.PositiveIntegerField(default=1)
    confidential = models.BooleanField(default=True)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=200, blank=True)
    replaced_at = models.DateTimeField(null=True)


class Outcome(TwoTimes):
    """A result declared in the years after: patent, publication, product, process, service, jobs, company, turnover.

    ``quantity`` is a count (or an amount for ``turnover``), about ``year``, with its evidence.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="outcomes")
    partner = models.ForeignKey(Partner, null=True, on_delete=models.CASCADE, related_name="outcomes")
    kind = models.CharField(max_length=30)
    year = models.PositiveIntegerField()
    quantity = models.DecimalField(max_digits=16, decimal_places=2)
    title = models.CharField(max_length=255, blank=True)
    evidence = models.CharField(max_length=300, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)
    validated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=0), name="outcome_not_negative")]
        indexes = [models.Index(fields=["kind", "year"], name="outcome_of_year")]


class Section(models.Model):
    """A part of the file that is written at once, with its revision: a save names the one it started from.

    ``key``: identity, summary, confidential… or ``partner:p1``, ``budget:p1``.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sections")
    key = models.CharField(max_length=60)
    rev = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(null=True)
    updated_by = models.CharField(max_length=200, blank=True)
    organisation_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="project_section_once")]


class Revision(models.Model):
    """Every saved wording of a section; a save that came second is kept here with ``refused``, not in the file."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="revisions")
    section = models.CharField(max_length=60)
    rev = models.PositiveIntegerField()
    content = models.JSONField()
    at = models.DateTimeField()
    user_label = models.CharField(max_length=200, blank=True)
    organisation_id = models.BigIntegerField(null=True)
    refused = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["project", "section", "rev"], name="project_revision")]


class Clarification(models.Model):
    """A round of clarification: the sections named are open until ``due_on`` (midnight, Paris), the rest is frozen.

    ``state``: open, answered, lapsed.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="clarifications")
    number = models.PositiveIntegerField()
    asked_on = models.DateField()
    due_on = models.DateField()
    message = models.TextField()
    sections = models.JSONField(default=list)
    state = models.CharField(max_length=10, default="open")
    asked_by = models.CharField(max_length=200, blank=True)
    answer = models.TextField(blank=True)
    answered_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="clarification_number_once"),
            models.UniqueConstraint(fields=["project"], condition=Q(state="open"), name="clarification_one_open"),
        ]
        ordering = ["number"]


class YearReport(models.Model):
    """What a project reports about a year: where it stands, TRL reached, deviations. ``state``: open, submitted,
    returned, accepted. ``standing``: on_track, at_risk, late, stopped.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="year_reports")
    year = models.PositiveIntegerField()
    due_on = models.DateField()
    state = models.CharField(max_length=10, default="open")
    standing = models.CharField(max_length=10, blank=True)
    progress = models.PositiveSmallIntegerField(null=True)  # percent of the work
    achievements = models.TextField(blank=True)
    deviations = models.TextField(blank=True)
    trl_reached = models.PositiveSmallIntegerField(null=True)
    trl_reached_on = models.DateField(null=True)
    submitted_on = models.DateField(null=True)
    decided_on = models.DateField(null=True)
    reasons = models.TextField(blank=True)
    rev = models.PositiveIntegerField(default=0)
    simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "year"], name="project_year_report_once"),
            models.CheckConstraint(
                condition=Q(progress__isnull=True) | Q(progress__range=(0, 100)), name="project_progress_0_to_100"
            ),
            models.CheckConstraint(
                condition=Q(trl_reached__isnull=True) | Q(trl_reached__range=(1, 9)), name="report_trl_1_to_9"
            ),
        ]
        ordering = ["year"]


class ProjectAmendment(models.Model):
    """A change of a project that was selected: partner, budget or duration, with its reason and its approval.

    ``content`` says what changes, as plain values (see :mod:`jalon.projects.following`); ``before`` what it replaced when it
    was approved. ``state``: proposed, approved, refused, withdrawn.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="amendments")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    content = models.JSONField(default=dict)
    before = models.JSONField(default=dict, blank=True)
    reason = models.TextField()
    state = models.CharField(max_length=10, default="proposed")
    proposed_on = models.DateField()
    proposed_by = models.CharField(max_length=200, blank=True)
    decided_on = models.DateField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="project_amendment_number_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(state="proposed"), name="project_amendment_one_open"
            ),
        ]
        ordering = ["number"]
