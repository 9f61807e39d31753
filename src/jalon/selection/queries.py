"""Reads of the selection: ranking, financing tables, envelopes, scenarios, results. The number of queries never grows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Window
from django.db.models.functions import Rank

from jalon.clusters.queries import named_on
from jalon.core.lang import T, Text
from jalon.core.models import as_known_on
from jalon.core.why import Why
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.policy.parts import selection as texts
from jalon.projects.models import BudgetLine, Call, Partner, Project, ProjectAmendment, ProjectLabel, Request
from jalon.selection import access, limits, rules, states
from jalon.selection.models import (
    Assessment,
    Consensus,
    Envelope,
    Exercise,
    ExerciseCriterion,
    Listed,
    Scenario,
    Share,
)

ZERO = Decimal(0)
KEPT = ("selected", "running", "finished")
"""States of the projects whose decided State money uses the envelope."""


def case_of(exercise: Exercise, project: Project) -> str:
    """The journal's case of what is written about a project inside the selection; its consortium does not read it."""
    return f"{exercise.case}/{project.slug}"


# -- the policy ---------------------------------------------------------------------------------------------------


def day_of(call: Call) -> dt.date | None:
    """The day that says which texts hold for a call: its closing, else its opening, else its results."""
    return call.closes_on or call.opens_on or call.results_on


def procedure_of(call: Call) -> Any:
    """The procedure that holds for a call; None when the programme has none."""
    part, day = policy().part("selection"), day_of(call)
    return texts.holding(part.procedures, call.scheme, day) if part is not None and day is not None else None


def criteria_of_policy(call: Call) -> Any:
    """The set of criteria that the policy gives for a call; None when no text is known."""
    part, day = policy().part("selection"), day_of(call)
    return texts.holding(part.criteria_sets, call.scheme, day) if part is not None and day is not None else None


def rules_of_call(call: Call) -> Mapping[str, Any]:
    """The latest version of the call's rules."""
    row = call.versions.order_by("-version").first()
    return row.rules if row is not None else {}


def authority_of(call: Call) -> Any:
    """The body that fixes the list, as letters and pages name it."""
    procedure = procedure_of(call)
    return procedure.authority if procedure is not None else T("l'autorité de l'appel", "the authority of the call")


def title_of(call: Call) -> Text:
    """The call's title in both languages."""
    return T(call.title_fr, call.title_en)


# -- scale and notes ------------------------------------------------------------------------------------------------


def scale_of(exercise: Exercise, criteria: Iterable[ExerciseCriterion] | None = None) -> rules.Scale:
    """The scale of an exercise as plain values."""
    rows = exercise.criteria.all() if criteria is None else criteria
    return rules.Scale(
        criteria=tuple(rules.Criterion(c.code, T(c.title_fr, c.title_en), c.weight, c.minimum) for c in rows),
        minimum_total=exercise.minimum_total,
        tie_rule=exercise.tie_rule,
        tie_order=tuple(exercise.tie_order),
        lowest=exercise.lowest,
        highest=exercise.highest,
    )


def scores_of(consensus: Consensus) -> dict[str, Decimal]:
    """The consensus scores by criterion."""
    return {code: Decimal(value) for code, value in consensus.scores.items() if value not in (None, "")}


def why_total(exercise: Exercise, scale: rules.Scale, scores: Mapping[str, Decimal]) -> Why:
    """How a total is reached."""
    reached = rules.total(scores, scale)
    return Why(
        rule=T(
            "Moyenne pondérée des notes de consensus, avec les poids fixés pour l'exercice.",
            "Weighted mean of the consensus scores, with the weights set for the exercise.",
        )
        if scale.weighted
        else T(
            "Moyenne simple des notes de consensus : aucun texte publié ne donne de poids et l'exercice n'en a pas fixé.",
            "Plain mean of the consensus scores: no published text gives weights and the exercise set none.",
        ),
        parameter="selection.score_max",
        value=exercise.highest,
        day=exercise.policy_day,
        reading=True,
        inputs={
            c.title: T("{s}", "{s}", s=scores.get(c.code, "–"))
            if not scale.weighted
            else T("{s} × {w}", "{s} × {w}", s=scores.get(c.code, "–"), w=c.weight or 0)
            for c in scale.criteria
        },
        steps=(
            *rules.failures(scores, scale),
            *((T("total : {t}", "total: {t}", t=reached),) if reached is not None else ()),
        ),
        formula="Σ (note × poids) / Σ poids" if scale.weighted else "Σ notes / n",
    )


# -- the ranking ----------------------------------------------------------------------------------------------------

ORDERS = {
    "rank": ("-passes", "-sort_key", "project__acronym", "project_id"),
    "acronym": ("project__acronym", "project_id"),
    "opinion": ("opinion", "-sort_key", "project_id"),
}


def ranked(exercise: Exercise, actor: Actor) -> QuerySet[Consensus]:
    """The closed consensuses that the actor may read, with their rank among *all* projects of the call.

    The rank is counted in the database over every project that passes the thresholds, so that a filter never changes it.
    """
    everybody = (
        Consensus.objects.filter(exercise=exercise, state="closed", passes=True)
        .exclude(sort_key="")
        .annotate(place=Window(Rank(), order_by=F("sort_key").desc()))
    )
    return everybody


def ranks(exercise: Exercise) -> dict[int, int | None]:
    """Project → rank, None when below a threshold or not scored. One query."""
    rows = Consensus.objects.filter(exercise=exercise, state="closed").values_list("project_id", "passes", "sort_key")
    found: dict[int, int | None] = {}
    passing = sorted(((key, pk) for pk, passes, key in rows if passes and key), reverse=True)
    rank, last = 0, None
    for position, (key, pk) in enumerate(passing, 1):
        if key != last:
            rank, last = position, key
        found[pk] = rank
    return {pk: found.get(pk) for pk, _, _ in rows}


@dataclass(frozen=True)
class RankedRow:
    """A line of the ranking page."""

    project: Project
    consensus: Consensus | None
    rank: int | None
    tied: bool
    failures: Sequence[Text] = ()
    leader: str = ""
    cluster: str = ""
    base: Decimal | None = None
    state: Decimal | None = None
    local: Decimal | None = None
    outcome: str = ""
    moved: int | None = None


def places_of(exercise: Exercise, projects: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Project → (rank, how many share it), of some projects: two counts in the database, whatever the size of the call."""
    if not projects:
        return {}
    mine = dict(
        Consensus.objects.filter(project_id__in=projects, state="closed", passes=True)
        .exclude(sort_key="")
        .values_list("project_id", "sort_key")
    )
    keys = sorted(set(mine.values()), reverse=True)
    if not keys:
        return {}
    passing = Consensus.objects.filter(exercise=exercise, state="closed", passes=True).exclude(sort_key="")
    counted = passing.aggregate(
        **{f"above{n}": Count("id", filter=Q(sort_key__gt=key)) for n, key in enumerate(keys)},
        **{f"level{n}": Count("id", filter=Q(sort_key=key)) for n, key in enumerate(keys)},
    )
    at = {key: (counted[f"above{n}"] + 1, counted[f"level{n}"]) for n, key in enumerate(keys)}
    return {project: at[key] for project, key in mine.items()}


def money_of(projects: Sequence[int]) -> dict[int, dict[str, Decimal | None]]:
    """Project → base, State and local money planned; three queries. A base is None when a partner has no budget line."""
    found: dict[int, dict[str, Any]] = {
        pk: {"base": ZERO, "state": ZERO, "local": ZERO, "partners": 0, "based": 0} for pk in projects
    }
    for pk, n in (
        Partner.objects.filter(project_id__in=projects, left_on__isnull=True)
        .order_by()
        .values_list("project_id")
        .annotate(n=Count("id"))
    ):
        found[pk]["partners"] = n
    bases = (
        BudgetLine.objects.filter(partner__project_id__in=projects, partner__left_on__isnull=True)
        .order_by()
        .values_list("partner__project_id")
        .annotate(total=Sum("amount"), n=Count("partner_id", distinct=True))
    )
    for pk, total, n in bases:
        found[pk] |= {"base": total, "based": n}
    shares = (
        Share.objects.filter(project_id__in=projects, superseded_at__isnull=True)
        .order_by()
        .values_list("project_id", "source", "intended", "decided")
    )
    for pk, source, intended, decided in shares:
        planned = decided if decided is not None else intended
        if planned is not None:
            found[pk]["state" if source == "state" else "local"] += planned
    for row in found.values():
        if not row["based"] or row["based"] < row["partners"]:
            row["base"] = None
    return found


def leaders_of(projects: Sequence[int]) -> dict[int, str]:
    """Project → name of its leader. One query."""
    rows = Partner.objects.filter(project_id__in=projects, role="leader", left_on__isnull=True)
    return dict(rows.values_list("project_id", "organisation__name"))


def lead_labels(projects: Sequence[int], day: dt.date) -> dict[int, Any]:
    """Project → lead labelling pôle, with the name it bore on the day (``name_of_day``). Two queries."""
    rows = list(
        ProjectLabel.objects.filter(
            project_id__in=projects, superseded_at__isnull=True, lead=True, outcome__in=["labelled", "conditions"]
        ).select_related("cluster")
    )
    named_on([row.cluster for row in rows], day)
    return {row.project_id: row.cluster for row in rows}


def listed_of(projects: Sequence[int]) -> dict[int, Listed]:
    """Project → what the decided list says. One query."""
    rows = Listed.objects.filter(project_id__in=projects, superseded_at__isnull=True)
    return {row.project_id: row for row in rows}


def ranking_rows(exercise: Exercise, projects: Sequence[Project], scale: rules.Scale) -> list[RankedRow]:
    """The lines of some projects, in the order given; a fixed number of queries."""
    keys = [p.pk for p in projects]
    consensuses = {c.project_id: c for c in Consensus.objects.filter(project_id__in=keys, state="closed")}
    places, money = places_of(exercise, keys), money_of(keys)
    leaders, clusters, listed = leaders_of(keys), lead_labels(keys, exercise.policy_day), listed_of(keys)
    rows = []
    for project in projects:
        consensus = consensuses.get(project.pk)
        place, level = places.get(project.pk, (None, 0))
        found = money[project.pk]
        rows.append(
            RankedRow(
                project,
                consensus,
                place,
                level > 1,
                rules.failures(scores_of(consensus), scale) if consensus is not None else (),
                leaders.get(project.pk, ""),
                clusters[project.pk].name_of_day if project.pk in clusters else "",
                found["base"],
                found["state"],
                found["local"],
                listed[project.pk].outcome if project.pk in listed else "",
            )
        )
    return rows


# -- the financing table ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PartnerRow:
    """A partner's line on screen: the pure line, the partner, what limits it, its cells by funder."""

    partner: Partner
    line: rules.Line
    limit: limits.Limit
    cells: Mapping[int, Share]
    checks: Sequence[rules.Check] = ()

    @property
    def light(self) -> str:
        return rules.worst(self.checks)


@dataclass(frozen=True)
class Plan:
    """The financing of a project (*plan de financement*): lines, sums, checks."""

    project: Project
    rows: Sequence[PartnerRow]
    balance: rules.Balance
    funders: Mapping[int, Organisation]
    listed: Listed | None = None

    @property
    def light(self) -> str:
        return rules.worst(check for row in self.rows for check in row.checks)

    @property
    def problems(self) -> list[tuple[Partner, rules.Check]]:
        return [(row.partner, check) for row in self.rows for check in row.checks]

    @property
    def blocking(self) -> list[tuple[Partner, rules.Check]]:
        return [(partner, check) for partner, check in self.problems if check.blocks]

    @property
    def simulated(self) -> bool:
        return self.project.simulated


def shares_of(projects: Sequence[int], known_on: dt.date | None = None) -> QuerySet[Share]:
    """The cells of some projects (as known on an earlier day, if one is given)."""
    return as_known_on(Share.objects.filter(project_id__in=projects), known_on).select_related("funder")


def why_share(share: Share | None) -> Why | None:
    """How an amount came about: as it was kept when it was written; None for a cell that keeps nothing."""
    if share is None or not share.why:
        return None
    told = share.why
    return Why(
        rule=T(told.get("fr", ""), told.get("en", "")),  # without fields it is never formatted: a brace stays a brace
        day=dt.date.fromisoformat(told["day"]) if told.get("day") else None,
        inputs={
            T("financeur", "funder"): share.funder.name,
            **({T("assiette retenue", "base retained"): rules.Money(share.base)} if share.base is not None else {}),
            **({T("taux du financeur", "funder's rate"): rules.Percent(share.rate)} if share.rate is not None else {}),
            **({T("référence", "reference"): share.reference} if share.reference else {}),
        },
        steps=(
            *(
                (T("intention : {a}", "intention: {a}", a=rules.Money(share.intended)),)
                if share.intended is not None
                else ()
            ),
            *(
                (T("décision : {a}", "decision: {a}", a=rules.Money(share.decided)),)
                if share.decided is not None
                else ()
            ),
        ),
        reading=share.rate is not None,
    )


def decided_shares(project: Project) -> QuerySet[Share]:
    """What funders decided for a project: the shares from which agreements are drawn up."""
    return (
        Share.objects.filter(project=project, superseded_at__isnull=True, decided__isnull=False)
        .select_related("partner__organisation", "funder")
        .order_by("partner__order", "partner_id", "funder_id", "instrument")
    )


def plans(
    projects: Sequence[Project],
    *,
    exercise: Exercise | None = None,
    known_on: dt.date | None = None,
    overrides: Mapping[tuple[int, int, str], Decimal] | None = None,
    on: dt.date | None = None,
    explain: bool = False,
) -> dict[int, Plan]:
    """The financing tables of some projects, with every check; the number of queries is fixed.

    Args:
        overrides: amounts of a scenario, by (partner, funder, instrument), that stand for the State's cells.
        on: the day whose State aid law holds for what is not decided yet; the closing of the call without it.
        explain: build the explanations of limits too (for one project; lists do without).
    """
    keys = [p.pk for p in projects]
    partners: dict[int, list[Partner]] = {pk: [] for pk in keys}
    everyone = (
        Partner.objects.filter(project_id__in=keys, left_on__isnull=True)
        .select_related("organisation")
        .order_by("order", "id")
    )
    for partner in everyone:
        partners[partner.project_id].append(partner)
    classes: dict[int, dict[str, Decimal]] = {}
    for pk, aid_class, total in (
        BudgetLine.objects.filter(partner__project_id__in=keys, partner__left_on__isnull=True)
        .order_by()
        .values_list("partner_id", "aid_class")
        .annotate(total=Sum("amount"))
    ):
        classes.setdefault(pk, {})[aid_class] = total
    cells: dict[int, list[Share]] = {}
    # A call has thousands of cells and a few funders: each funder is read once, and a cell without what no table shows.
    lean = shares_of(keys, known_on).select_related(None).defer("why", "recorded_at", "superseded_at", "recorded_by")
    for share in lean.order_by("funder__name_key", "funder_id", "instrument"):
        cells.setdefault(share.partner_id, []).append(share)
    expected: dict[int, set[int]] = {}
    for pk, funder in Request.objects.filter(partner__project_id__in=keys, funder__isnull=False).values_list(
        "partner_id", "funder_id"
    ):
        expected.setdefault(pk, set()).add(funder)
    fund = exercise.fund_id if exercise is not None else None
    wanted = {f for some in expected.values() for f in some} | ({fund} if fund else set())
    wanted |= {share.funder_id for some in cells.values() for share in some}
    funders = {o.pk: o for o in Organisation.objects.filter(pk__in=wanted)} if wanted else {}
    for some in cells.values():
        for share in some:
            share.funder = funders[share.funder_id]
    found = limits.limits_of(projects, partners, classes, on=on, explain=explain)
    listed = listed_of(keys)
    names = {pk: organisation.short_name or organisation.name for pk, organisation in funders.items()}
    out = {}
    for project in projects:
        rows = []
        for partner in partners[project.pk]:
            shares = cells.get(partner.pk, [])
            limit = found[partner.pk]
            base = sum(classes[partner.pk].values(), ZERO) if partner.pk in classes else None
            ask = sorted(expected.get(partner.pk, set()) | ({fund} if fund else set()))
            line = rules.Line(
                partner=partner.pk,
                base=base,
                cells=tuple(cell_of(share, overrides) for share in shares),
                call_rate=limit.call_rate,
                call_amount=limit.call_amount,
                aid_rate=limit.aid_rate,
                aid_amount=limit.aid_amount,
                expected=tuple(ask),
            )
            rows.append(PartnerRow(partner, line, limit, _by_funder(shares), rules.checks(line, funders=names)))
        order = {s.funder_id for row in rows for s in row.cells.values()} | {
            f for row in rows for f in row.line.expected
        }
        out[project.pk] = Plan(
            project,
            rows,
            rules.balance([row.line for row in rows]),
            {pk: funders[pk] for pk in sorted(order, key=lambda pk: (pk != fund, funders[pk].name_key, pk))},
            listed.get(project.pk),
        )
    return out


def cell_of(share: Share, overrides: Mapping[tuple[int, int, str], Decimal] | None = None) -> rules.Cell:
    """A share as a plain cell; a scenario's amount stands for what is intended."""
    intended = share.intended
    if overrides:
        intended = overrides.get((share.partner_id, share.funder_id, share.instrument), intended)
    return rules.Cell(share.funder_id, share.source, share.instrument, intended, share.decided, share.rate, share.base)


def _by_funder(shares: Sequence[Share]) -> dict[int, Share]:
    """Funder → share; of two instruments of one funder the grant stands first, the other is found in the line's cells."""
    found: dict[int, Share] = {}
    for share in shares:
        if share.funder_id not in found or share.instrument == "grant":
            found[share.funder_id] = share
    return found


# -- envelopes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """An envelope and what it is used for. ``amount`` None: none was set; ``funder`` None: the State."""

    funder: Organisation | None
    amount: Decimal | None
    intended: Decimal
    decided: Decimal
    row: Envelope | None = None

    @property
    def left(self) -> Decimal | None:
        return None if self.amount is None else self.amount - self.decided

    @property
    def light(self) -> str:
        if self.amount is None:
            return "unknown"
        if self.decided > self.amount:
            return "late"
        return "at_risk" if self.intended > self.amount else "on_track"

    @property
    def why(self) -> Why:
        return rules.why_envelope(self.amount, self.decided)


def envelope_of(call: Call, funder: Organisation | None = None) -> Decimal | None:
    """The envelope in force: the last one set, else (for the State) the one that the call was opened with."""
    row = Envelope.objects.filter(call=call, funder=funder, superseded_at__isnull=True).first()
    if row is not None:
        return row.amount
    return call.envelope if funder is None else None


def used(call: Call, funder_id: int | None = None, *, but: int | None = None) -> Decimal:
    """What is decided on a call: the State's money of the projects kept (``funder_id`` None), or one funder's own money.

    ``but``: a project whose cells are left out (they are being decided again).
    """
    rows = Share.objects.filter(project__call=call, superseded_at__isnull=True, decided__isnull=False)
    rows = rows.filter(source="state") if funder_id is None else rows.filter(funder_id=funder_id)
    if but is not None:
        rows = rows.exclude(project_id=but)
    return rows.aggregate(total=Sum("decided"))["total"] or ZERO


def uses(call: Call) -> list[Use]:
    """Every envelope of a call and every funder met in its table: the State first. Three queries."""
    envelopes = {
        row.funder_id: row
        for row in Envelope.objects.filter(call=call, superseded_at__isnull=True).select_related("funder")
    }
    totals: dict[int | None, list[Decimal]] = {}
    rows = Share.objects.filter(project__call=call, project__state__in=access.IN_SELECTION, superseded_at__isnull=True)
    for source, funder_id, intended, decided in rows.order_by().values_list(
        "source", "funder_id", "intended", "decided"
    ):
        row = totals.setdefault(None if source == "state" else funder_id, [ZERO, ZERO])
        row[0] += (decided if decided is not None else intended) or ZERO
        row[1] += decided or ZERO
    keys = {*totals, *envelopes} - {None}
    organisations = {o.pk: o for o in Organisation.objects.filter(pk__in=keys)}
    state = envelopes.get(None)
    intended, decided = totals.get(None, [ZERO, ZERO])
    found = [Use(None, state.amount if state else call.envelope, intended, decided, state)]
    for pk in sorted(keys, key=lambda pk: organisations[pk].name_key):
        intended, decided = totals.get(pk, [ZERO, ZERO])
        row = envelopes.get(pk)
        found.append(Use(organisations[pk], row.amount if row else None, intended, decided, row))
    return found


# -- instruction ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeskRow:
    """A project on the desk of whoever runs the selection: experts, how many handed in, the consensus."""

    project: Project
    asked: int
    submitted: int
    experts: Sequence[Assessment]
    consensus: Consensus | None
    cluster: str = ""
    leader: str = ""


def desk(exercise: Exercise, projects: Sequence[Project]) -> list[DeskRow]:
    """Who assesses what and how far they are; no score is read here. Four queries."""
    keys = [p.pk for p in projects]
    given: dict[int, list[Assessment]] = {}
    rows = (
        Assessment.objects.filter(project_id__in=keys)
        .exclude(state="withdrawn")
        .select_related("expert", "organisation")
        .only(
            "project_id",
            "state",
            "due_on",
            "submitted_at",
            "expert__name",
            "organisation__name",
            "organisation__short_name",
        )
    )
    for row in rows.order_by("expert__name"):
        given.setdefault(row.project_id, []).append(row)
    consensuses = {c.project_id: c for c in Consensus.objects.filter(project_id__in=keys)}
    clusters, leaders = lead_labels(keys, exercise.policy_day), leaders_of(keys)
    return [
        DeskRow(
            p,
            len(given.get(p.pk, ())),
            sum(1 for a in given.get(p.pk, ()) if a.state == "submitted"),
            given.get(p.pk, ()),
            consensuses.get(p.pk),
            clusters[p.pk].name_of_day if p.pk in clusters else "",
            leaders.get(p.pk, ""),
        )
        for p in projects
    ]


def exercise_of(call: Call) -> Exercise | None:
    """The selection of a call, if it was opened."""
    return Exercise.objects.filter(call=call).select_related("call", "fund").first()


# -- scenarios --------------------------------------------------------------------------------------------------------


@dataclass
class Sums:
    """What a list would cost and who gets it."""

    selected: int = 0
    reserve: int = 0
    rejected: int = 0
    state: Decimal = ZERO
    local: Decimal = ZERO
    base: Decimal = ZERO
    by_funder: dict[str, Decimal] = field(default_factory=dict)
    by_cluster: dict[str, list[Any]] = field(default_factory=dict)
    by_region: dict[str, list[Any]] = field(default_factory=dict)
    blocking: int = 0


def overrides_of(scenario: Scenario) -> dict[tuple[int, int, str], Decimal]:
    """The amounts that a scenario changes."""
    return {(a.partner_id, a.funder_id, a.instrument): a.amount for a in scenario.amounts.all()}


def region_of(partner: Partner, names: Mapping[str, str], departments: Mapping[str, str]) -> str:
    """The region of a partner: by its department, else by its organisation; empty when unknown."""
    code = departments.get(partner.department, "") or partner.organisation.region_code
    return names.get(code, "")


def region_maps(day: dt.date) -> tuple[dict[str, str], dict[str, str]]:
    """Code → name of region, department → code of region, on a day."""
    found = policy().regions_on(day)
    if found is None:
        return {}, {}
    return {r.code: r.name for r in found.regions}, {d: r.code for r in found.regions for d in r.departments}


def sums_of(exercise: Exercise, scenario: Scenario, plans_: Mapping[int, Plan], day: dt.date) -> Sums:
    """The sums of a scenario over plans that were made with its amounts."""
    out = Sums()
    names, departments = region_maps(day)
    clusters = lead_labels(list(plans_), exercise.policy_day)
    unknown = str(T("inconnu", "unknown"))
    for line in scenario.lines.all():
        setattr(out, line.outcome, getattr(out, line.outcome) + 1)
        plan = plans_.get(line.project_id)
        if line.outcome != "selected" or plan is None:
            continue
        out.state += plan.balance.state
        out.local += plan.balance.local
        out.base += plan.balance.base or ZERO
        out.blocking += bool(plan.blocking)
        for funder, amount in plan.balance.by_funder.items():
            name = plan.funders[funder].name
            out.by_funder[name] = out.by_funder.get(name, ZERO) + amount
        cluster = clusters.get(line.project_id)
        row = out.by_cluster.setdefault(cluster.name_of_day if cluster else unknown, [0, ZERO])
        row[0] += 1
        row[1] += plan.balance.public
        seen = set()
        for partner in plan.rows:
            region = region_of(partner.partner, names, departments) or unknown
            row = out.by_region.setdefault(region, [0, ZERO])
            row[0] += region not in seen
            row[1] += partner.line.public
            seen.add(region)
    return out


# -- results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Results:
    """The results of a call counted from its records. Published figures stand beside them and are never mixed in."""

    submitted: int
    selected: int
    reserve: int
    rejected: int
    state: Decimal
    local: Decimal
    base: Decimal
    by_cluster: Sequence[tuple[str, int, Decimal]]
    by_region: Sequence[tuple[str, int, Decimal]]
    by_size: Sequence[tuple[str, int, Decimal]]
    projects: Sequence[Project]
    simulated: bool

    @property
    def rate(self) -> Decimal | None:
        return None if not self.submitted else Decimal(self.selected) * 100 / self.submitted


def results(call: Call, day: dt.date) -> Results:
    """What the records say of a call; a fixed number of queries. Money is what is decided, else what is intended."""
    projects = list(Project.objects.filter(call=call).exclude(state__in=["draft"]).order_by("acronym", "id"))
    kept = [p for p in projects if p.state in KEPT]
    keys = [p.pk for p in kept]
    names, departments = region_maps(day)
    unknown = str(T("inconnu", "unknown"))
    partners = {
        p.pk: p
        for p in Partner.objects.filter(project_id__in=keys, left_on__isnull=True).select_related("organisation")
    }
    state = local = ZERO
    per_partner: dict[int, Decimal] = {}
    per_project: dict[int, Decimal] = {}
    for project, partner, source, intended, decided in Share.objects.filter(
        project_id__in=keys, superseded_at__isnull=True
    ).values_list("project_id", "partner_id", "source", "intended", "decided"):
        amount = (decided if decided is not None else intended) or ZERO
        if source == "state":
            state += amount
        else:
            local += amount
        per_partner[partner] = per_partner.get(partner, ZERO) + amount
        per_project[project] = per_project.get(project, ZERO) + amount
    base = BudgetLine.objects.filter(partner__in=list(partners)).aggregate(t=Sum("amount"))["t"] or ZERO
    clusters = lead_labels(keys, call.results_on or day_of(call) or day)
    by_cluster: dict[str, list[Any]] = {}
    for project in kept:
        cluster = clusters.get(project.pk)
        row = by_cluster.setdefault(cluster.name_of_day if cluster else unknown, [0, ZERO])
        row[0] += 1
        row[1] += per_project.get(project.pk, ZERO)
    by_region: dict[str, list[Any]] = {}
    by_size: dict[str, list[Any]] = {}
    for pk, partner in partners.items():
        for table, key in (
            (by_region, region_of(partner, names, departments) or unknown),
            (by_size, size_name(partner)),
        ):
            row = table.setdefault(key, [0, ZERO])
            row[0] += 1
            row[1] += per_partner.get(pk, ZERO)
    count = {s: sum(1 for p in projects if p.state == s) for s in ("reserve", "rejected")}

    def table(found: dict[str, list[Any]]) -> list[tuple[str, int, Decimal]]:
        return sorted(((k, n, a) for k, (n, a) in found.items()), key=lambda row: (-row[2], -row[1], row[0]))

    return Results(
        submitted=len(projects),
        selected=len(kept),
        reserve=count["reserve"],
        rejected=count["rejected"],
        state=state,
        local=local,
        base=base,
        by_cluster=table(by_cluster),
        by_region=table(by_region),
        by_size=table(by_size),
        projects=kept,
        simulated=any(p.simulated for p in projects),
    )


def size_name(partner: Partner) -> str:
    """How a partner counts in the breakdown by size: research and training apart, then the size on its file."""
    if partner.kind != "company":
        return str(T("recherche, formation, autres", "research, training, others"))
    for scheme in policy().members.size_schemes:
        for category in scheme.categories:
            if category.code == partner.size:
                return str(category.title)
    return partner.size or str(T("inconnu", "unknown"))


def outcome_title(code: str) -> Any:
    """What a list says of a project, in words."""
    return states.OUTCOMES.get(code, T("inconnu", "unknown"))


# -- what a later change leaves above its limit ---------------------------------------------------------------------


@dataclass(frozen=True)
class Excess:
    """Money decided for a partner that a change of the project no longer allows.

    ``limit``: the lowest of base, rate of the call and State aid ceiling today; zero for a partner who left.
    """

    project: Project
    partner: Partner
    shares: tuple[Share, ...]
    decided: Decimal
    limit: Decimal
    left_on: dt.date | None = None

    @property
    def text(self) -> Text:
        """What is wrong, in one sentence."""
        return T(
            "« {o} » {w} : {d} restent décidés, au plus {m} ; {x} de trop.",
            "“{o}” {w}: {d} still decided, at most {m}; {x} too much.",
            o=self.partner.organisation.name,
            w=T("a quitté le projet le {d}", "left the project on {d}", d=self.left_on)
            if self.left_on
            else T("a vu son budget changer", "had its budget changed"),
            d=rules.Money(self.decided),
            m=rules.Money(self.limit),
            x=rules.Money(self.decided - self.limit),
        )


CUTS = ("budget", "partner_out")
"""Kinds of change of a project after which decided amounts are looked at again."""


def changed_projects() -> QuerySet[Project]:
    """The projects kept by a selection whose budget or consortium was changed since, by an approved change."""
    changes = ProjectAmendment.objects.filter(project=OuterRef("pk"), state="approved", kind__in=CUTS)
    return Project.objects.filter(Exists(changes), state__in=KEPT, call__selection__isnull=False).select_related("call")


def excesses(projects: Sequence[Project]) -> dict[int, list[Excess]]:
    """Project → decided amounts above what its budget of today allows. A fixed number of queries; none without a project."""
    found: dict[int, list[Excess]] = {}
    keys = [p.pk for p in projects]
    if not keys:
        return found
    decided: dict[int, list[Share]] = {}
    rows = shares_of(keys).filter(decided__gt=0).select_related("partner__organisation", "funder")
    for share in rows.order_by("funder__name_key", "pk"):
        decided.setdefault(share.partner_id, []).append(share)
    if not decided:
        return found
    by_key = {p.pk: p for p in projects}
    limits_ = {row.partner.pk: row.line.ceiling for plan in plans(projects).values() for row in plan.rows}
    for pk, shares in decided.items():
        partner = shares[0].partner
        total = sum((s.decided or ZERO for s in shares), ZERO)
        limit = ZERO if partner.left_on is not None else limits_.get(pk)
        if limit is not None and total > limit:
            project = by_key[partner.project_id]
            found.setdefault(project.pk, []).append(
                Excess(project, partner, tuple(shares), total, limit, partner.left_on)
            )
    return found
