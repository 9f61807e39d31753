"""What projects can count: labelled, submitted, decided and financed ones, their money and partners, what they brought.

A project counts once for each pôle whose label it holds, and once nationally however many pôles labelled it. Only projects kept
here are counted, those of the calls: the indicators that pôles declare cover other programmes too, and stay beside these. A
pôle of which no label of a project was ever recorded is absent: unknown is never zero. Outcomes count once validated.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from jalon.core.clock import end_of_day, moment_on
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.programme.measuring import Measure, counted_once, measures
from jalon.projects.listing import DECIDED, GIVEN
from jalon.projects.models import Outcome, Project, ProjectLabel
from jalon.projects.states import FINANCED

LINK = "cluster-projects"
KINDS = {
    "patent": "projects.patents",
    "ip_title": "projects.ip_titles",
    "publication": "projects.publications",
    "product": "projects.products",
    "process": "projects.processes",
    "service": "projects.services",
    "company": "projects.companies",
    "jobs": "projects.jobs",
    "turnover": "projects.turnover",
}


def _labels(clusters: Collection[int] | None, end: date, known_on: date | None) -> QuerySet[ProjectLabel]:
    """Labels given up to the end of the period, as known on a day."""
    rows = as_known_on(ProjectLabel.objects.filter(outcome__in=GIVEN, decided_on__lte=end), known_on)
    return rows if clusters is None else rows.filter(cluster_id__in=list(clusters))


def _times(start: date, end: date, known_on: date | None) -> dict[str, Q]:
    """Conditions on a label's project: submitted, decided, financed within the period, as known on a day."""
    known = min(end, known_on) if known_on else end
    submitted = Q(project__submitted_at__gte=moment_on(start, 0), project__submitted_at__lte=end_of_day(known))
    dated = Q(project__decided_on__gte=start, project__decided_on__lte=known)
    decided = dated & Q(project__state__in=DECIDED)
    return {"submitted": submitted, "decided": decided, "financed": decided & Q(project__state__in=FINANCED)}


def _cents(total: Decimal | None) -> Decimal:
    return (total or Decimal(0)).quantize(Decimal("0.01"))


_NOTE = T(
    "Projets tenus dans Jalon, comptés une fois pour chaque pôle dont ils portent le label.",
    "Projects kept in Jalon, counted once for each cluster whose label they hold.",
)


@measures(
    Measure("projects.labelled", unit="count", time="flow", link=LINK, note=_NOTE),
    Measure("projects.submitted", unit="count", time="flow", link=LINK, note=_NOTE),
    Measure("projects.decided", unit="count", time="flow", link=LINK, note=_NOTE),
    Measure("projects.financed", unit="count", time="flow", link=LINK, note=_NOTE),
)
def counts(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """Projects labelled, submitted, decided and financed within the period. One query."""
    when = _times(period_start, period_end, known_on)
    rows = (
        _labels(clusters, period_end, known_on)
        .order_by()
        .values_list("cluster_id")
        .annotate(
            labelled=Count("project", filter=Q(decided_on__gte=period_start), distinct=True),
            submitted=Count("project", filter=when["submitted"], distinct=True),
            decided=Count("project", filter=when["decided"], distinct=True),
            financed=Count("project", filter=when["financed"], distinct=True),
        )
    )
    return {
        cluster: {
            "projects.labelled": labelled,
            "projects.submitted": submitted,
            "projects.decided": decided,
            "projects.financed": financed,
        }
        for cluster, labelled, submitted, decided, financed in rows
    }


@counted_once("projects.labelled", "projects.submitted", "projects.decided", "projects.financed")
def counts_once(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[str, Any]:
    """The same over all pôles together: a project labelled by three of them counts once."""
    when = _times(period_start, period_end, known_on)
    found = _labels(clusters, period_end, known_on).aggregate(
        some=Count("pk"),
        labelled=Count("project", filter=Q(decided_on__gte=period_start), distinct=True),
        submitted=Count("project", filter=when["submitted"], distinct=True),
        decided=Count("project", filter=when["decided"], distinct=True),
        financed=Count("project", filter=when["financed"], distinct=True),
    )
    if not found.pop("some"):
        return {}
    return {f"projects.{name}": Decimal(value) for name, value in found.items()}


def _financed(
    clusters: Collection[int] | None, start: date, end: date, known_on: date | None
) -> QuerySet[ProjectLabel]:
    return _labels(clusters, end, known_on).filter(_times(start, end, known_on)["financed"])


def _known(clusters: Collection[int] | None, end: date, known_on: date | None) -> set[int]:
    return set(_labels(clusters, end, known_on).order_by().values_list("cluster_id", flat=True).distinct())


def _sums(rows: QuerySet[ProjectLabel], path: str, more: Q) -> dict[int, Decimal]:
    """Sum over the rows below each label's project, by pôle; a project has one current label of a pôle."""
    return dict(rows.order_by().values_list("cluster_id").annotate(total=Sum(path, filter=more)))


_CURRENT = Q(project__partners__left_on__isnull=True)


@measures(
    Measure(
        "projects.budget",
        unit="money",
        time="flow",
        link=LINK,
        note=T(
            "Coût total des projets financés dans la période.", "Total cost of the projects financed in the period."
        ),
    ),
    Measure(
        "projects.partners",
        unit="count",
        time="flow",
        link=LINK,
        note=T("Partenaires des projets financés dans la période.", "Partners of the projects financed in the period."),
    ),
    Measure(
        "projects.aid",
        unit="money",
        time="flow",
        link=LINK,
        note=T(
            "Aide publique décidée dans la période, tous financeurs.", "Public aid decided in the period, all funders."
        ),
    ),
)
def size(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """Cost, partners and aid of the projects financed in the period. Four queries."""
    asked = (clusters, period_start, period_end, known_on)
    rows = _financed(*asked)
    budgets = _sums(rows, "project__partners__budget__amount", _CURRENT)
    partners = dict(
        rows.order_by().values_list("cluster_id").annotate(n=Count("project__partners", filter=_CURRENT, distinct=True))
    )
    aid = _sums(rows, "project__shares__decided", _decided(known_on))
    return {
        cluster: {
            "projects.budget": _cents(budgets.get(cluster)),
            "projects.partners": partners.get(cluster, 0),
            "projects.aid": _cents(aid.get(cluster)),
        }
        for cluster in _known(clusters, period_end, known_on)
    }


def _decided(known_on: date | None) -> Q:
    """Current decisions of the financing table, which stands above and is reached through the relation."""
    if known_on is None:
        return Q(project__shares__superseded_at__isnull=True)
    end = end_of_day(known_on)
    still = Q(project__shares__superseded_at__isnull=True) | Q(project__shares__superseded_at__gt=end)
    return still & Q(project__shares__recorded_at__lte=end)


@counted_once("projects.budget", "projects.partners", "projects.aid")
def size_once(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[str, Any]:
    """The same over all pôles together, each project once."""
    if not _labels(clusters, period_end, known_on).exists():
        return {}
    keys = _financed(clusters, period_start, period_end, known_on).values("project")
    found = Project.objects.filter(pk__in=keys)
    current = Q(partners__left_on__isnull=True)
    condition = _without_prefix(_decided(known_on))
    return {
        "projects.budget": _cents(found.aggregate(n=Sum("partners__budget__amount", filter=current))["n"]),
        "projects.partners": Decimal(found.aggregate(n=Count("partners", filter=current, distinct=True))["n"]),
        "projects.aid": _cents(found.aggregate(n=Sum("shares__decided", filter=condition))["n"]),
    }


def _without_prefix(condition: Q) -> Q:
    """The same condition asked of the project itself."""
    made = Q(_connector=condition.connector, _negated=condition.negated)
    for child in condition.children:
        if isinstance(child, Q):
            made.children.append(_without_prefix(child))
        else:
            name, value = child
            made.children.append((name.removeprefix("project__"), value))
    return made


def _whole_years(start: date, end: date) -> bool:
    return (start.month, start.day) == (1, 1) and (end.month, end.day) == (12, 31)


def _outcomes(start: date, end: date, known_on: date | None) -> QuerySet[Outcome]:
    return as_known_on(Outcome.objects.filter(validated=True, year__gte=start.year, year__lte=end.year), known_on)


@measures(
    *(
        Measure(
            name,
            unit="money" if kind == "turnover" else "count",
            time="flow",
            link=LINK,
            note=T(
                "Résultats déclarés avec justificatif et validés, de l'année.",
                "Outcomes of the year, declared with evidence and validated.",
            ),
        )
        for kind, name in KINDS.items()
    )
)
def outcomes(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[int, dict[str, Any]]:
    """What projects brought in the year, by pôle. Outcomes are known by year: another period is unknown. Two queries."""
    if not _whole_years(period_start, period_end):
        return {}
    zero = Decimal(0)
    found: dict[int, dict[str, Any]] = {
        cluster: dict.fromkeys(KINDS.values(), zero) for cluster in _known(clusters, period_end, known_on)
    }
    rows = (
        _outcomes(period_start, period_end, known_on)
        .filter(project__labels__in=_labels(clusters, period_end, known_on).values("pk"))
        .order_by()
        .values_list("project__labels__cluster_id", "kind")
        .annotate(total=Sum("quantity"))
    )
    for cluster, kind, total in rows:
        if kind in KINDS and cluster in found:
            found[cluster][KINDS[kind]] = _cents(total)
    return found


@counted_once(*KINDS.values())
def outcomes_once(
    clusters: Collection[int] | None, period_start: date, period_end: date, known_on: date | None = None
) -> dict[str, Any]:
    """The same over all pôles together: what a project brought counts once."""
    labels = _labels(clusters, period_end, known_on)
    if not _whole_years(period_start, period_end) or not labels.exists():
        return {}
    rows = _outcomes(period_start, period_end, known_on).filter(project_id__in=labels.values("project_id"))
    found = {name: Decimal(0) for name in KINDS.values()}
    for kind, total in rows.order_by().values_list("kind").annotate(total=Sum("quantity")):
        if kind in KINDS:
            found[KINDS[kind]] = _cents(total)
    return found
