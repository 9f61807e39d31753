"""Reads of labelling: the procedure in force, votes as counted, boards, the register of labels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet, Sum

from jalon.clusters.access import in_force
from jalon.clusters.models import Carrier, Cluster
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.core.why import Why
from jalon.interests.access import exclude_recused, recused_users
from jalon.labelling import rules, states
from jalon.labelling.models import Ballot, LabelRequest, Member, Opinion, Terms
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, User
from jalon.projects.models import Partner, Project, ProjectLabel

PUBLIC_STATES = ("selected", "running", "finished")
"""A project is public from its selection on."""


# -- procedure --------------------------------------------------------------------------------------------------


def used() -> bool:
    """Whether this programme labels projects."""
    part = policy().part("labelling")
    return bool(part and part.procedures)


def require_used() -> Any:
    """The policy's part on labelling.

    Raises:
        Refused: this programme does not label projects.
    """
    part = policy().part("labelling")
    if not part or not part.procedures:
        raise Refused(
            T(
                "Ce programme ne labellise pas de projets : sa politique n'a pas de fichier labelling.yaml.",
                "This programme does not label projects: its policy has no file labelling.yaml.",
            )
        )
    return part


def _whole(own: Any, default: Any) -> Any:
    """A procedure whose parts left out are the default's."""
    if own is default:
        return default
    taken = {
        name: getattr(own, name) or getattr(default, name)
        for name in ("unit", "committee", "bureau", "steps", "experts", "vote", "recusal")
    }
    delays = {d.step: d for d in default.delays} | {d.step: d for d in own.delays}
    criteria = {c.code: c for c in default.criteria} | {c.code: c for c in own.criteria}
    return replace(own, **taken, delays=tuple(delays.values()), criteria=tuple(criteria.values()))


def procedure_on(cluster: str, day: dt.date) -> Any:
    """The procedure of a pôle (its slug) on a day: its own if it has one, completed by the default."""
    procedures = require_used().procedures
    default = next(p for p in procedures if not p.clusters)
    own = next((p for p in procedures if p.covers(cluster, day)), default)
    return _whole(own, default)


def procedure_of(request: LabelRequest) -> Any:
    """The procedure under which a request runs, whatever is in force today."""
    procedures = require_used().procedures
    default = next(p for p in procedures if not p.clusters)
    own = next((p for p in procedures if p.code == request.procedure), default)
    return _whole(own, default)


def delays_on(cluster: Cluster, day: dt.date, procedure: Any = None) -> dict[str, int]:
    """The days of each step of a pôle on a day: what it chose, else the procedure's."""
    procedure = procedure or procedure_on(cluster.slug, day)
    chosen = (
        Terms.objects.filter(cluster=cluster, starts_on__lte=day, superseded_at__isnull=True)
        .order_by("-starts_on")
        .values_list("delays", flat=True)
        .first()
    )
    return {d.step: d.days for d in procedure.delays} | (chosen or {})


def criteria_for(procedure: Any, nature: str) -> Any:
    """The criteria for a nature of project; the first set when none names it."""
    return next((c for c in procedure.criteria if nature in c.natures), procedure.criteria[0])


def criteria_of(request: LabelRequest, procedure: Any = None) -> Any:
    """The criteria of a request."""
    procedure = procedure or procedure_of(request)
    named = next((c for c in procedure.criteria if c.code == request.criteria), None)
    return named or criteria_for(procedure, request.project.nature)


# -- people -----------------------------------------------------------------------------------------------------


def members(cluster: Cluster, day: dt.date, body: str = "") -> QuerySet[Member]:
    """Who sits on the committee or the bureau of a pôle on a day."""
    rows = Member.objects.filter(in_force(day), cluster=cluster).select_related("user")
    return (rows.filter(body=body) if body else rows).order_by("body", "-chair", "user__name", "id")


def _acting(organisations: Any, permission: str, day: dt.date) -> QuerySet[User]:
    roles = [role.code for role in policy().roles_with(permission)]
    mandates = Mandate.objects.filter(
        in_force(day), organisation_id__in=organisations, role__in=roles, revoked_at__isnull=True
    )
    return User.objects.filter(pk__in=mandates.values("user_id"), is_active=True).order_by("pk")


def people_of_cluster(cluster: Cluster, permission: str, day: dt.date) -> QuerySet[User]:
    """Who acts for the pôle's carrier with a permission."""
    carriers = Carrier.objects.filter(in_force(day), cluster=cluster).values("organisation_id")
    return _acting(carriers, permission, day)


def people_of_leader(project: Project, day: dt.date) -> QuerySet[User]:
    """Who submits for the project's leader."""
    leader = Partner.objects.filter(project=project, role="leader", left_on__isnull=True).values("organisation_id")
    return _acting(leader, "project.submit", day)


def voters(day: dt.date) -> QuerySet[User]:
    """Who holds a role that votes in a labelling committee."""
    roles = [role.code for role in policy().roles_with("labelling.vote")]
    mandates = Mandate.objects.filter(in_force(day), role__in=roles, revoked_at__isnull=True)
    return User.objects.filter(pk__in=mandates.values("user_id"), is_active=True).order_by("name", "pk")


def experts_free_for(request: LabelRequest, day: dt.date) -> QuerySet[User]:
    """Experts who may still be asked: not recused, not of the consortium, not asked already."""
    roles = [role.code for role in policy().roles_with("labelling.opinion")]
    consortium = Partner.objects.filter(project=request.project, left_on__isnull=True).values("organisation_id")
    mandates = Mandate.objects.filter(in_force(day), role__in=roles, revoked_at__isnull=True)
    linked = Mandate.objects.filter(in_force(day), organisation_id__in=consortium, revoked_at__isnull=True)
    asked = Opinion.objects.filter(request=request, state__in=["asked", "given"]).values("user_id")
    return (
        User.objects.filter(pk__in=mandates.values("user_id"), is_active=True)
        .exclude(pk__in=linked.values("user_id"))
        .exclude(pk__in=asked)
        .exclude(pk__in=recused_users(request.project.case))
        .order_by("name", "pk")
    )


# -- votes ------------------------------------------------------------------------------------------------------


def counted(ballot: Ballot, procedure: Any, recused: set[int] | None = None) -> rules.Tally:
    """A vote as it counts today: votes of people recused since are left out."""
    if recused is None:
        recused = recused_users(ballot.request.project.case)
    votes = {v.user_id: v.choice for v in ballot.votes.all()}
    return rules.tally(procedure.vote, roll=ballot.roll, votes=votes, recused=recused, chair=ballot.chair)


def last_ballot(request: LabelRequest) -> Ballot | None:
    """The latest vote on a request; one in which a decision was taken stays the last."""
    return request.ballots.prefetch_related("votes").order_by("-id").first()


# -- requests ---------------------------------------------------------------------------------------------------


@dataclass
class Line:
    """A request as boards list it."""

    request: LabelRequest
    title: Any
    tone: str
    step: Any
    late: bool
    opinions: tuple[int, int, int] = (0, 0, 0)  # given, asked, late
    declared: bool | None = None


def board(cluster: Cluster, actor: Actor, day: dt.date) -> list[Line]:
    """The requests of a pôle that its team may know of, by step; the recused are left out. A fixed number of queries."""
    rows = LabelRequest.objects.filter(cluster=cluster).select_related("project__call", "correspondent", "cluster")
    rows = list(exclude_recused(actor, rows, "project:project__slug").order_by("due_on", "id"))
    return lines(rows, day)


def lines(rows: list[LabelRequest], day: dt.date) -> list[Line]:
    """Requests with what boards say of them; one query more for opinions."""
    opinions: dict[int, list[int]] = {}
    asked = Opinion.objects.filter(request__in=[r.pk for r in rows], state__in=["asked", "given"])
    for request_id, state, due_on in asked.values_list("request_id", "state", "due_on"):
        one = opinions.setdefault(request_id, [0, 0, 0])
        one[0] += state == "given"
        one[1] += 1
        one[2] += state == "asked" and rules.over(due_on, day)
    found = []
    for row in rows:
        late = row.due_on is not None and row.running and rules.over(row.due_on, day)
        given, total, behind = opinions.get(row.pk, (0, 0, 0))
        step = states.STEPS.get(row.state)
        found.append(Line(row, states.TITLES[row.state], states.TONES[row.state], step, late, (given, total, behind)))
    return found


def of_project(project: Project) -> QuerySet[LabelRequest]:
    """All requests of a project, the lead first."""
    return (
        LabelRequest.objects.filter(project=project)
        .select_related("cluster", "project__call", "correspondent")
        .prefetch_related("conditions")
        .order_by("-lead", "asked_on", "id")
    )


def mean_scores(criteria: Any, opinions: Iterable[Opinion], recused: set[int]) -> list[tuple[Any, Any, int]]:
    """Mean of the given opinions per criterion, how many; opinions of people recused since are left out."""
    from decimal import Decimal

    given = [o for o in opinions if o.state == "given" and o.user_id not in recused]
    found = []
    for criterion in criteria.criteria:
        points = [o.scores[criterion.code] for o in given if criterion.code in o.scores]
        mean = (Decimal(sum(points)) / len(points)) if points else None
        found.append((criterion, mean, len(points)))
    return found


def budget_of(project: Project) -> dict[int, Any]:
    """Eligible costs of each partner of a project; None where no line is written."""
    rows = Partner.objects.filter(project=project, left_on__isnull=True).annotate(total=Sum("budget__amount"))
    return {row.pk: row.total for row in rows}


# -- the call ---------------------------------------------------------------------------------------------------


def counts_for_call(project: Project, decided_on: dt.date, outcome: str = "labelled") -> tuple[bool, Why]:
    """Whether a label decided on a day, with or without conditions, counts for the project's call, and why."""
    call, laws = project.call, policy().on(decided_on)
    return rules.counts_for_call(
        decided_on,
        call.closes_on if call else None,
        laws.find("labelling.label_before_closing"),
        call=call.title_fr if call else "",
        outcome=outcome,
        conditional=laws.find("labelling.conditional_label_counts"),
    )


def request_counts(request: LabelRequest, today: dt.date) -> tuple[bool, Why]:
    """The same for a request: from the day written in the register, or as if it were decided today."""
    kept = request.recorded if request.state in states.GIVEN else None
    day = kept.decided_on if kept is not None else request.decided_on or today
    return counts_for_call(request.project, day, request.state)


def counting_day(request: LabelRequest, lifted_on: dt.date) -> dt.date:
    """The day from which a label whose last condition is lifted counts: that of its decision, unless the policy says that
    a label under conditions is none before."""
    decided = request.decided_on or lifted_on
    conditional = policy().on(decided).find("labelling.conditional_label_counts")
    return decided if conditional is None or conditional.value else lifted_on


# -- register ---------------------------------------------------------------------------------------------------


def register(actor: Actor, day: dt.date, *, carried: Iterable[int] = ()) -> QuerySet[ProjectLabel]:
    """The labels that an actor may read: public ones, those of their own pôles and projects, all for who follows projects.

    What is public is the policy's (``labelling.public_register_of``): a refusal or a deferral never is.
    """
    rows = as_known_on(ProjectLabel.objects.filter(project__programme=policy().slug)).select_related(
        "project__call", "cluster"
    )
    if not (actor.national and actor.can("project.follow")):
        which = policy().on(day).find("labelling.public_register_of")
        seen = Q(outcome__in=states.GIVEN)
        if which is None or which.value != "labelled":
            seen &= Q(project__state__in=PUBLIC_STATES)
        if carried:
            seen |= Q(cluster_id__in=list(carried))
        if actor.signed_in and actor.organisation_id is not None and actor.side == "beneficiary":
            own = Partner.objects.filter(organisation_id=actor.organisation_id, left_on__isnull=True)
            seen |= Q(project_id__in=own.values("project_id"))
        rows = rows.filter(seen)
    return exclude_recused(actor, rows, "project:project__slug").order_by("-decided_on", "-id")
