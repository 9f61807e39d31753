"""Lists of projects: filtered, ranked, counted by state, by call, by pôle; a number of queries that does not grow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from jalon.core import clock
from jalon.people.access import Actor
from jalon.people.rules import name_key, plain_key
from jalon.projects import access, states
from jalon.projects.models import BudgetLine, Call, Outcome, Partner, Project, ProjectLabel, Request

PER_PAGE = 50
GIVEN = ("labelled", "conditions")
SORTS = ("acronym", "call", "state", "submitted", "decided", "budget", "partners")


@dataclass(frozen=True)
class Filters:
    """What the address asks for."""

    q: str = ""
    call: str = ""
    scheme: str = ""
    state: str = ""
    nature: str = ""
    cluster: str = ""
    region: str = ""
    year: str = ""
    sort: str = ""

    @property
    def narrowed(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__ if name != "sort")


def state_on(project: Project, day: dt.date) -> str:
    """Where a project stood on a day that may lie before what is recorded: its dated steps undone one by one."""
    state = project.state
    if state == "finished" and project.ended_on and project.ended_on > day:
        state = "running"
    if state == "running" and project.starts_on and project.starts_on > day:
        state = "selected"
    if (
        state in ("selected", "running", "finished", "rejected", "reserve")
        and project.decided_on
        and project.decided_on > day
    ):
        state = "admissible"
    return state


def _budget_total() -> Subquery:
    rows = BudgetLine.objects.filter(partner__project=OuterRef("pk"), partner__left_on__isnull=True)
    return Subquery(rows.order_by().values("partner__project").annotate(total=Sum("amount")).values("total"))


def listed(actor: Actor, day: dt.date, filters: Filters, within: QuerySet[Project] | None = None) -> QuerySet[Project]:
    """The projects that the actor may know of on the day, filtered and ranked; ``within`` narrows them first."""
    found = access.visible_to(actor, day).filter(created_at__lte=clock.end_of_day(day))
    if within is not None:
        found = found.filter(pk__in=within.values("pk"))
    key = plain_key(filters.q)
    if key:
        partner = Partner.objects.filter(project=OuterRef("pk"), organisation__name_key__contains=name_key(filters.q))
        found = found.filter(Q(acronym__icontains=filters.q) | Q(title__icontains=filters.q) | Exists(partner))
    if filters.call:
        found = found.filter(call__code=filters.call)
    if filters.scheme:
        found = found.filter(call__scheme=filters.scheme)
    if filters.state:
        found = found.filter(state__in=filters.state.split(","))
    if filters.nature:
        found = found.filter(nature=filters.nature)
    if filters.cluster:
        given = ProjectLabel.objects.filter(
            project=OuterRef("pk"), superseded_at__isnull=True, outcome__in=GIVEN, cluster__slug=filters.cluster
        )
        found = found.filter(Exists(given))
    if filters.region:
        there = Partner.objects.filter(project=OuterRef("pk"), organisation__region_code=filters.region)
        found = found.filter(Exists(there))
    if filters.year.isdigit():
        found = found.filter(submitted_at__year=int(filters.year))
    return _ranked(found.select_related("call"), filters.sort)


def _ranked(found: QuerySet[Project], sort: str) -> QuerySet[Project]:
    name, down = sort.lstrip("-"), sort.startswith("-")
    if name not in SORTS:
        return found.order_by(F("submitted_at").desc(nulls_first=True), "acronym", "pk")
    if name == "budget":
        found = found.annotate(ranked=_budget_total())
    elif name == "partners":
        parts = Partner.objects.filter(project=OuterRef("pk"), left_on__isnull=True)
        found = found.annotate(ranked=Subquery(parts.order_by().values("project").annotate(n=Count("pk")).values("n")))
    key = {
        "acronym": "acronym",
        "call": "call__code",
        "state": "state",
        "submitted": "submitted_at",
        "decided": "decided_on",
        "budget": "ranked",
        "partners": "ranked",
    }[name]
    order = F(key).desc(nulls_last=True) if down else F(key).asc(nulls_last=True)
    return found.order_by(order, "pk")


@dataclass
class Row:
    """A project in a list: who leads, how many partners, which pôles, budget, aid asked for and decided."""

    project: Project
    state: str
    leader: str = ""
    partners: int = 0
    clusters: list[str] = field(default_factory=list)
    lead_cluster: str = ""
    budget: Decimal | None = None
    asked: Decimal | None = None
    decided: Decimal | None = None
    inside: bool = False

    @property
    def title(self) -> Any:
        return states.TITLES[self.state]

    @property
    def tone(self) -> str:
        return states.TONES[self.state]


def rows_of(projects: Sequence[Project], day: dt.date, inside: Iterable[int] | None = None) -> list[Row]:
    """The rows of a page of projects: five queries whatever their number. ``inside``: those whose file is read whole."""
    keys = [p.pk for p in projects]
    inside_keys = set(inside) if inside is not None else set(keys)
    found = {p.pk: Row(p, state_on(p, day), inside=p.pk in inside_keys) for p in projects}
    if not keys:
        return []
    for project, name, role in Partner.objects.filter(project__in=keys, left_on__isnull=True).values_list(
        "project_id", "organisation__name", "role"
    ):
        found[project].partners += 1
        if role == "leader":
            found[project].leader = name
    labels = ProjectLabel.objects.filter(project__in=keys, superseded_at__isnull=True, outcome__in=GIVEN)
    for project, name, lead in labels.order_by("-lead", "cluster__name_key").values_list(
        "project_id", "cluster__name", "lead"
    ):
        found[project].clusters.append(name)
        if lead:
            found[project].lead_cluster = name
    budgets = BudgetLine.objects.filter(partner__project__in=keys, partner__left_on__isnull=True)
    for project, total in budgets.order_by().values_list("partner__project").annotate(total=Sum("amount")):
        found[project].budget = _cents(total)
    asked = Request.objects.filter(partner__project__in=keys, partner__left_on__isnull=True)
    for project, total in asked.order_by().values_list("partner__project").annotate(total=Sum("amount")):
        found[project].asked = _cents(total)
    for project, total in decided_of(keys).items():
        found[project].decided = total
    return [found[p.pk] for p in projects]


def decided_of(projects: Iterable[int]) -> dict[int, Decimal]:
    """Public aid decided by project. The financing table stands above: it is reached through the project's relation."""
    rows = (
        Project.objects.filter(pk__in=list(projects), shares__superseded_at__isnull=True, shares__decided__isnull=False)
        .order_by()
        .values_list("pk")
        .annotate(total=Sum("shares__decided"))
    )
    return {pk: _cents(total) for pk, total in rows}


def _cents(total: Decimal) -> Decimal:
    """A sum made by the database, to the cent (SQLite adds in floating point)."""
    return total.quantize(Decimal("0.01"))


def counts_by_state(found: QuerySet[Project]) -> dict[str, int]:
    """How many projects of a list stand in each state: one query."""
    return dict(found.order_by().values_list("state").annotate(n=Count("pk", distinct=True)))


@dataclass(frozen=True)
class RateRow:
    """Projects of a pôle (or of a call) that were decided: how many submitted, selected, and the rate in percent."""

    key: str
    name: str
    labelled: int
    submitted: int
    selected: int
    waiting: int
    simulated: bool = False

    @property
    def rate(self) -> Decimal | None:
        return (Decimal(self.selected) * 100 / self.submitted).quantize(Decimal("0.1")) if self.submitted else None


DECIDED = ("selected", "running", "finished", "reserve", "rejected", "inadmissible")


def rates_by_cluster(day: dt.date, *, call: str = "", year: int | None = None) -> list[RateRow]:
    """Success rate of each pôle: projects financed over projects submitted whose fate is decided by the day.

    A project labelled by three pôles counts once for each of them (and once nationally, see :func:`rate_of_all`).
    """
    rows = ProjectLabel.objects.filter(
        _decidable(day, call, year, "project__"), superseded_at__isnull=True, outcome__in=GIVEN
    )
    decided, selected = _fates(day, "project__")
    found = (
        rows.order_by()
        .values("cluster__slug", "cluster__name", "cluster__name_key")
        .annotate(
            labelled=Count("project", distinct=True),
            submitted=Count("project", filter=decided, distinct=True),
            selected=Count("project", filter=selected, distinct=True),
            sim=Count("project", filter=Q(project__simulated=True)),
        )
        .order_by("cluster__name_key")
    )
    return [
        RateRow(
            r["cluster__slug"],
            r["cluster__name"],
            r["labelled"],
            r["submitted"],
            r["selected"],
            r["labelled"] - r["submitted"],
            bool(r["sim"]),
        )
        for r in found
    ]


def rate_of_all(day: dt.date, *, call: str = "", year: int | None = None) -> RateRow:
    """The national rate: each project once, however many pôles labelled it."""
    labels = ProjectLabel.objects.filter(project=OuterRef("pk"), superseded_at__isnull=True, outcome__in=GIVEN)
    rows = Project.objects.filter(_decidable(day, call, year, ""), Exists(labels))
    decided, selected = _fates(day, "")
    found = rows.aggregate(
        labelled=Count("pk"),
        submitted=Count("pk", filter=decided),
        selected=Count("pk", filter=selected),
        sim=Count("pk", filter=Q(simulated=True)),
    )
    return RateRow(
        "",
        "",
        found["labelled"],
        found["submitted"],
        found["selected"],
        found["labelled"] - found["submitted"],
        bool(found["sim"]),
    )


def _decidable(day: dt.date, call: str, year: int | None, prefix: str) -> Q:
    wanted = Q(**{f"{prefix}submitted_at__lte": clock.end_of_day(day)})
    if call:
        wanted &= Q(**{f"{prefix}call__code": call})
    if year:
        wanted &= Q(**{f"{prefix}submitted_at__year": year})
    return wanted


def _fates(day: dt.date, prefix: str) -> tuple[Q, Q]:
    known = Q(**{f"{prefix}decided_on__isnull": True}) | Q(**{f"{prefix}decided_on__lte": day})
    decided = Q(**{f"{prefix}state__in": DECIDED}) & known
    return decided, decided & Q(**{f"{prefix}state__in": states.FINANCED})


def outcome_totals(projects: QuerySet[Project]) -> dict[str, Decimal]:
    """Validated outcomes of projects by kind: one query."""
    rows = Outcome.objects.filter(project__in=projects.values("pk"), superseded_at__isnull=True, validated=True)
    return dict(rows.order_by().values_list("kind").annotate(total=Sum("quantity")))


def calls_with_projects(found: QuerySet[Project]) -> list[tuple[str, str, str]]:
    """Code and titles of the calls of a list, for its filter."""
    rows = Call.objects.filter(pk__in=found.order_by().values("call"))
    return sorted(rows.values_list("code", "title_fr", "title_en"), key=lambda r: r[1])
