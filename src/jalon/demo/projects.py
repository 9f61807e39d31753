"""Projects of the demonstration: simulated, held to the totals that were published for each call.

Calls 1 to 9 of the single interministerial fund are decided on the day of the demonstration: projects submitted and selected,
State money and local money add up to what was published, to the cent. Calls 1 to 4 have only joint totals of submissions and
money (with those of calls 2 and 4 known): what is left is spread over the other calls so that the sum holds. Call 8 has no
published number of submissions: only its selected projects are simulated. Call 9 says "more than 58 M€" of local money: the
floor is taken. Call 10 closed on 30 April 2010 and is being assessed. Which project, which partner, which amount is drawn
from the seed. All local money is put on regional councils.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from jalon.clusters.models import ClusterTerritory, Membership
from jalon.core import files, journal
from jalon.core.clock import moment_on
from jalon.demo import bulk
from jalon.people.access import policy
from jalon.people.models import Mandate, Organisation
from jalon.people.queries import actor_from
from jalon.policy.rules import plus
from jalon.projects import actions, following, history
from jalon.projects.loading import load_calls_if_changed
from jalon.projects.models import (
    BudgetLine,
    Call,
    Outcome,
    Paper,
    Partner,
    Project,
    ProjectLabel,
    Request,
    YearReport,
)
from jalon.projects.rules import Line
from jalon.selection.models import Share

DAY = dt.date(2010, 6, 30)
CALLS = tuple(range(1, 11))
JOINT = ("fui-1-4", (1, 2, 3, 4))
MONTHS = 36
SYLLABLES = "al bio car do eco fi gen hy in ka lu me no op pla ra so ti ur va xe zo".split()
SUMMARY = (
    "Projet simulé de la démonstration : il n'existe pas. Son consortium, son budget et ses aides sont tirés au sort, "
    "et ses totaux tiennent ceux qui ont été publiés pour l'appel."
)


@dataclass
class Target:
    """What a call must add up to: counts, and money in cents (None: not published, not simulated)."""

    call: Call
    submitted: int
    selected: int | None
    state: int | None
    local: int | None
    clusters: int | None
    closes_on: dt.date
    results_on: dt.date | None


@dataclass
class Rows:
    """Rows to write, gathered so that each table is written at once."""

    projects: list[Project] = field(default_factory=list)
    partners: list[Partner] = field(default_factory=list)
    lines: list[BudgetLine] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    labels: list[ProjectLabel] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    reports: list[YearReport] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)


@dataclass(frozen=True)
class Body:
    """A member organisation that may be a partner."""

    pk: int
    kind: str
    size: str
    department: str
    region: str


def split(total: int, weights: list[float]) -> list[int]:
    """``total`` cents in proportion to ``weights``, none lost (largest remainders)."""
    whole = sum(weights)
    exact = [total * w / whole for w in weights]
    found = [int(x) for x in exact]
    order = sorted(range(len(weights)), key=lambda i: found[i] - exact[i])
    for i in order[: total - sum(found)]:
        found[i] += 1
    return found


def euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def build(world: Any, say: Any) -> None:
    """Simulate the projects of the calls known on the day; nothing in a programme without calls."""
    load_calls_if_changed(world.programme)
    targets = _targets(world.programme)
    if not targets:
        return
    say("Démonstration : projets simulés des appels…", "Demonstration: simulated projects of the calls…")
    rng = random.Random(world.rng.random())
    pool, territory = _bodies(world)
    rows = Rows()
    paper = _paper(world)
    for target in targets:
        _call(world, target, rng, pool, territory, rows, paper)
    _write(rows)
    _member(world, rng, rows)


# -- what was published -------------------------------------------------------------------------------------------


def _cents(published: dict[str, Any], name: str) -> int | None:
    value = history.value_of(published, name)
    return None if value is None else int(value * 100)


def _count(published: dict[str, Any], name: str) -> int | None:
    value = history.value_of(published, name)
    return None if value is None else int(value)


def _targets(programme: str) -> list[Target]:
    """The calls to simulate, with what their projects must add up to."""
    calls = {c.number: c for c in Call.objects.filter(programme=programme, scheme="fui", known=True, number__in=CALLS)}
    if not calls:
        return []
    joint = _joint(programme, calls)
    found = []
    for number in CALLS:
        call = calls.get(number)
        if call is None:
            continue
        published = call.published
        decided = call.results_on is not None and call.results_on <= DAY
        closes = call.closes_on or (plus(call.results_on, -3, "months") if call.results_on else None)
        selected = _count(published, "selected") if decided else None
        submitted = _count(published, "submitted") or joint.get(number, {}).get("submitted") or selected
        if closes is None or submitted is None:
            continue
        state = _cents(published, "state_amount")
        local = _cents(published, "local_amount")
        found.append(
            Target(
                call,
                submitted,
                selected,
                (state if state is not None else joint.get(number, {}).get("state")) if decided else None,
                (local if local is not None else joint.get(number, {}).get("local")) if decided else None,
                _count(published, "clusters") if decided else None,
                closes,
                call.results_on if decided else None,
            )
        )
    return found


def _joint(programme: str, calls: dict[int, Call]) -> dict[int, dict[str, int]]:
    """What a joint total leaves to the calls of which no figure of their own was published, by their selected projects."""
    from jalon.projects.models import CallTotal

    code, numbers = JOINT
    total = CallTotal.objects.filter(programme=programme, code=code).first()
    if total is None or any(n not in calls for n in numbers):
        return {}
    found: dict[int, dict[str, int]] = {n: {} for n in numbers}
    for name, figure, read in (
        ("submitted", "submitted", _count),
        ("state", "state_amount", _cents),
        ("local", "local_amount", _cents),
    ):
        whole = read(total.published, figure)
        if whole is None:
            continue
        known = {n: read(calls[n].published, figure) for n in numbers}
        left = whole - sum(v for v in known.values() if v is not None)
        without = [n for n in numbers if known[n] is None]
        weights = [float(_count(calls[n].published, "selected") or 1) for n in without]
        for n, part in zip(without, split(left, weights), strict=True):
            found[n][name] = part
    return found


# -- who takes part -----------------------------------------------------------------------------------------------

SIZES = {"sme": ("small", "medium"), "mid": ("eti",), "large": ("ge",)}


def _bodies(world: Any) -> tuple[dict[str, dict[str, list[Body]]], dict[str, set[str]]]:
    """Members of each pôle that may be partners, by kind; and the regions of each pôle's territory."""
    departments = {r.code: r.departments for s in policy().regions for r in s.regions if s.code == "regions-1970"}
    by_id = {c.pk: slug for slug, c in world.clusters.items()}
    pool: dict[str, dict[str, list[Body]]] = {slug: {"company": [], "research": []} for slug in world.clusters}
    rows = Membership.objects.filter(
        superseded_at__isnull=True, left_on__isnull=True, joined_on__lt=dt.date(2008, 1, 1)
    )
    for cluster, pk, member_type, kind, region in rows.order_by("pk").values_list(
        "cluster_id", "organisation_id", "member_type", "organisation__kind", "organisation__region_code"
    ):
        slug = by_id.get(cluster)
        if slug is None or member_type == "other":
            continue
        department = next(iter(departments.get(region, ("",))), "")
        if member_type == "research_training":
            body = Body(pk, "training" if kind == "training" else "research", "", department, region)
            pool[slug]["research"].append(body)
        else:
            size = SIZES[member_type][pk % len(SIZES[member_type])]
            pool[slug]["company"].append(Body(pk, "company", size, department, region))
    territory: dict[str, set[str]] = {}
    for cluster, code in ClusterTerritory.objects.filter(region_set="regions-1970").values_list(
        "cluster_id", "region_code"
    ):
        territory.setdefault(by_id.get(cluster, ""), set()).add(code)
    return {s: p for s, p in pool.items() if len(p["company"]) > 4 and len(p["research"]) > 1}, territory


def _paper(world: Any) -> Any:
    """One simulated annex, which the files under assessment share."""
    operator = journal.SYSTEM
    return files.store(
        b"%PDF-1.4\n% annexe technique simulee de la demonstration\n%%EOF\n",
        "annexe-technique-simulee.pdf",
        case="project:demonstration",
        by=operator,
        title="Annexe technique (simulée)",
        at=moment_on(DAY),
        simulated=True,
    )


# -- a call -------------------------------------------------------------------------------------------------------


def _call(world: Any, target: Target, rng: random.Random, pool: Any, territory: Any, rows: Rows, paper: Any) -> None:
    slugs = [s for s in sorted(pool) if world.since.get(s, dt.date.max) <= target.closes_on]
    weights = {s: world.weight[s] for s in slugs}
    winners = _drawn(rng, slugs, weights, min(target.clusters or len(slugs), len(slugs)))
    selected = target.selected or 0
    state = (
        split(target.state, [_spread(rng) for _ in range(selected)]) if target.state is not None and selected else None
    )
    local = (
        split(target.local, [_spread(rng) for _ in range(selected)]) if target.local is not None and selected else None
    )
    state_funder = _state_funder(world)
    version = target.call.versions.order_by("version").first()
    base = len(rows.projects)
    for n in range(target.submitted):
        won = n < selected
        among = winners if won else slugs
        lead = winners[n] if won and n < len(winners) else rng.choices(among, [weights[s] for s in among])[0]
        clusters = [lead]
        for _ in range(rng.choices((0, 1, 2), (55, 32, 13))[0]):
            other = rng.choices(among, [weights[s] for s in among])[0]
            if other not in clusters:
                clusters.append(other)
        money = (state[n] if state else None, local[n] if local else None) if won else None
        _project(
            world, target, version, base + n, n, clusters, won, money, rng, pool, territory, rows, state_funder, paper
        )


def _drawn(rng: random.Random, slugs: list[str], weights: dict[str, float], count: int) -> list[str]:
    """``count`` different pôles, the heavier ones sooner."""
    keyed = sorted(slugs, key=lambda s: -(rng.random() ** (1 / max(weights[s], 0.01))))
    return keyed[:count]


def _spread(rng: random.Random) -> float:
    return min(4.0, max(0.25, rng.lognormvariate(0, 0.5)))


def _state_funder(world: Any) -> Organisation:
    user = world.users["fund_manager"]
    return Mandate.objects.filter(user=user).select_related("organisation").order_by("pk").first().organisation


RATES = {"small": 45, "medium": 45, "eti": 30, "ge": 25}


def _project(
    world: Any,
    target: Target,
    version: Any,
    place: int,
    n: int,
    clusters: list[str],
    won: bool,
    money: tuple[int | None, int | None] | None,
    rng: random.Random,
    pool: Any,
    territory: Any,
    rows: Rows,
    state_funder: Organisation,
    paper: Any,
) -> None:
    call, decided = target.call, target.results_on
    handed = target.closes_on - dt.timedelta(days=rng.randint(0, 20))
    begun = handed - dt.timedelta(days=rng.randint(30, 150))
    base = decided or plus(target.closes_on, 3, "months")
    starts = dt.date(base.year, base.month, 1)
    starts = plus(starts, 2, "months")
    ended = plus(starts, MONTHS, "months") - dt.timedelta(days=1)
    if decided is None:
        state = "submitted" if n % 9 == 0 else "admissible"
    elif not won:
        state = "inadmissible" if n % 12 == 0 else "rejected"
    else:
        state = "finished" if ended < DAY else "running" if starts <= DAY else "selected"
    acronym = "".join(rng.choice(SYLLABLES) for _ in range(3)).upper()
    cluster = world.clusters[clusters[0]]
    theme = cluster.theme_fr or cluster.name
    project = Project(
        programme=world.programme,
        slug=f"{call.code}-{n + 1:03d}",
        acronym=acronym,
        title=f"{theme[:170]} : projet simulé {n + 1} de l'appel {call.number}",
        nature="rd",
        call=call,
        rules=version,
        state=state,
        summary=SUMMARY,
        confidential=SUMMARY,
        keywords=[theme[:60]],
        starts_on=starts,
        months=MONTHS,
        trl_entry=rng.choice((2, 3)),
        trl_target=4,
        trl_entry_on=handed,
        other_funding=False,
        justifications={"research_share_max": "Projet simulé : essais portés par les laboratoires."},
        submitted_at=moment_on(handed),
        decided_on=decided if state != "submitted" and decided else None,
        ended_on=ended if state == "finished" else None,
        outcome_reasons="Irrecevable (simulé)." if state == "inadmissible" else "",
        created_at=moment_on(begun),
        simulated=True,
    )
    rows.projects.append(project)
    for rank, slug in enumerate(clusters):
        day = handed - dt.timedelta(days=rng.randint(1, 25))
        rows.labels.append(
            ProjectLabel(
                project=project,
                cluster=world.clusters[slug],
                lead=rank == 0,
                outcome="conditions" if rng.random() < 0.08 else "labelled",
                decided_on=day,
                conditions="",
                reasons="Label simulé",
                recorded_at=moment_on(day),
                simulated=True,
            )
        )
    bodies = _consortium(rng, clusters, pool, 6 if won else rng.choice((4, 5, 6)))
    home = set().union(*(territory.get(s, set()) for s in clusters))
    weights = [_spread(rng) * (1.5 if i == 0 else 1.0) for i in range(len(bodies))]
    aids = split(money[0], weights) if money and money[0] is not None else None
    locals_ = split(money[1], weights) if money and money[1] is not None else None
    council = world.councils.get(world.region.get(clusters[0], ""))
    for i, body in enumerate(bodies):
        basis = "full" if body.kind != "company" else ""
        inside = body.region in home if body.region else False
        rate = 40 if basis else (RATES[body.size] if inside or body.size not in ("small", "medium") else 30)
        aid = (aids[i] if aids else 0) + (locals_[i] if locals_ else 0)
        budget = -(-aid * 100 // rate) if aid else int(rng.uniform(250_000, 900_000)) * 100
        partner = Partner(
            project=project,
            organisation_id=body.pk,
            key=f"p{i + 1}",
            role="leader" if i == 0 else "partner",
            kind=body.kind,
            size=body.size,
            size_definition=("eu" if body.size in ("small", "medium") else "fr") if body.size else "",
            size_evidence="Déclaration (simulée)" if body.size else "",
            department=body.department,
            in_territory=inside,
            cost_basis=basis,
            order=i,
            joined_on=begun,
            simulated=True,
        )
        rows.partners.append(partner)
        staff = budget * 3 // 4
        for year, category, frascati, aid_class, cents in (
            (starts.year, "personnel", "applied", "industrial", staff),
            (starts.year + 1, "services", "experimental", "experimental", budget - staff),
        ):
            rows.lines.append(
                BudgetLine(
                    partner=partner,
                    year=year,
                    category=category,
                    frascati=frascati,
                    aid_class=aid_class,
                    amount=euros(cents),
                )
            )
        asked = aid if aid else budget * rate // 100
        rows.requests.append(Request(partner=partner, amount=euros(asked)))
        for funder, source, cents in (
            (state_funder, "state", aids[i] if aids else 0),
            (council, "region", locals_[i] if locals_ else 0),
        ):
            if funder is not None and cents:
                rows.shares.append(
                    Share(
                        project=project,
                        partner=partner,
                        funder=funder,
                        source=source,
                        instrument="grant",
                        base=euros(budget),
                        rate=(Decimal(cents) * 100 / Decimal(budget)).quantize(Decimal("0.001")),
                        intended=euros(cents),
                        decided=euros(cents),
                        decided_on=decided,
                        reference=f"Décision de l'appel {call.number} (simulée)",
                        recorded_at=moment_on(decided),
                        simulated=True,
                    )
                )
    if decided is None:
        rows.papers.append(
            Paper(
                project=project,
                code="technical_annex",
                title="Annexe technique (simulée)",
                file=paper,
                added_at=moment_on(handed),
                added_by="Jalon",
            )
        )
    if state in ("running", "finished"):
        _life(project, rng, rows)


def _consortium(rng: random.Random, clusters: list[str], pool: Any, count: int) -> list[Body]:
    """A company that leads, another company, a laboratory, then whoever: no organisation twice."""
    found: list[Body] = []
    for i in range(count):
        kind = "company" if i in (0, 1) else "research" if i == 2 else rng.choices(("company", "research"), (60, 40))[0]
        for _ in range(12):
            slug = clusters[0] if i < 3 else rng.choice(clusters)
            body = rng.choice(pool[slug][kind])
            if all(body.pk != other.pk for other in found):
                found.append(body)
                break
    return found


def _life(project: Project, rng: random.Random, rows: Rows) -> None:
    """Yearly reports accepted up to the last one due, and outcomes validated for some."""
    last = project.ended_on.year if project.ended_on else DAY.year - 1
    for year in range(project.starts_on.year, min(last, DAY.year - 1) + 1):
        due = dt.date(year + 1, 3, 31)
        rows.reports.append(
            YearReport(
                project=project,
                year=year,
                due_on=due,
                state="accepted",
                standing="on_track" if rng.random() < 0.75 else "late",
                progress=min(100, 33 * (year - project.starts_on.year + 1)),
                achievements="Compte rendu simulé.",
                deviations="Écarts simulés.",
                submitted_on=due - dt.timedelta(days=12),
                decided_on=due,
                simulated=True,
            )
        )
        if rng.random() < 0.3:
            kind, most = rng.choice(
                (("patent", 3), ("publication", 6), ("product", 2), ("process", 1), ("jobs", 8), ("company", 1))
            )
            rows.outcomes.append(
                Outcome(
                    project=project,
                    kind=kind,
                    year=year,
                    quantity=rng.randint(1, most),
                    evidence="Déclaration (simulée)",
                    validated=True,
                    recorded_at=moment_on(due),
                    simulated=True,
                )
            )
    project.trl_reached = project.trl_target if project.ended_on else None
    project.trl_reached_on = project.ended_on


# -- write --------------------------------------------------------------------------------------------------------


def _write(rows: Rows) -> None:
    """Every table at once; one line of the journal by project."""
    for table, batch in (
        (Project, rows.projects),
        (Partner, rows.partners),
        (BudgetLine, rows.lines),
        (Request, rows.requests),
        (ProjectLabel, rows.labels),
        (Share, rows.shares),
        (YearReport, rows.reports),
        (Outcome, rows.outcomes),
        (Paper, rows.papers),
    ):
        bulk.insert(table, batch)
    journal.record_many(
        {
            "case": p.case,
            "act": "project.simulated",
            "on": p.submitted_at.date(),
            "at": p.submitted_at,
            "after": {"state": p.state, "call": p.call.code, "simulated": True},
        }
        for p in rows.projects
    )
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


# -- the account of a partner -------------------------------------------------------------------------------------

HOME = "xylofutur"


def _member(world: Any, rng: random.Random, rows: Rows) -> None:
    """The partner's account: a running project that it leads, a draft in an open call, an idea for the next one."""
    user, officer = world.users.get("project_member"), world.users.get("national_officer")
    if user is None or officer is None or HOME not in world.clusters:
        return
    member = actor_from(Mandate.objects.filter(user=user).select_related("user", "organisation").order_by("pk").first())
    state = actor_from(
        Mandate.objects.filter(user=officer).select_related("user", "organisation").order_by("pk").first()
    )
    organisation = Organisation.objects.get(pk=member.organisation_id)
    running = next(
        (
            p
            for p in reversed(rows.projects)
            if p.state == "running"
            and p.call.number == 8
            and any(label.project_id == p.pk and label.lead and label.cluster.slug == HOME for label in rows.labels)
        ),
        next(p for p in reversed(rows.projects) if p.state == "running"),
    )
    lead = next(part for part in rows.partners if part.project_id == running.pk and part.role == "leader")
    lead.organisation, lead.kind, lead.size, lead.size_definition = organisation, "company", "small", "eu"
    lead.department, lead.in_territory = "33", True
    lead.save(update_fields=["organisation", "kind", "size", "size_definition", "department", "in_territory"])
    YearReport.objects.filter(project=running, year=DAY.year - 1).update(
        state="returned",
        reasons="Préciser l'avancement du lot 2 (motif simulé).",
        decided_on=DAY - dt.timedelta(days=40),
    )
    at = moment_on(DAY - dt.timedelta(days=3))
    day = at.date()
    call = actions.open_call(
        "training",
        code="formation-2010-simule",
        title="Formation aux métiers des pôles, appel simulé de la démonstration",
        title_en="Training for the trades of the clusters, simulated call of the demonstration",
        opens_on=dt.date(2010, 6, 1),
        closes_on=dt.date(2010, 9, 30),
        by=state,
        on=day,
        simulated=True,
        at=at,
    )
    draft = actions.start_project(
        call, "FORMABOIS", "Former les opérateurs de la filière bois", by=member, on=day, simulated=True, at=at
    )
    for name, value in (
        ("summary", "Un parcours de formation pour les opérateurs de la filière (projet simulé)."),
        ("starts_on", dt.date(2011, 1, 1)),
        ("months", 18),
    ):
        actions.set_field(draft, name, value, by=member, on=day, at=at)
    partner = next(
        part for part in rows.partners if part.project_id == running.pk and part.kind in ("training", "research")
    )
    actions.add_partner(draft, partner.organisation, kind="training", by=member, on=day, at=at)
    actions.set_budget(
        draft,
        "p1",
        [Line(2011, "personnel", Decimal("48000.00"))],
        asked=[(None, Decimal("20000.00"))],
        by=member,
        on=day,
        at=at,
    )
    idea = actions.start_project(
        None, "RESINOV", "Résines biosourcées (idée pour un prochain appel)", by=member, on=day, simulated=True, at=at
    )
    actions.set_field(
        idea, "summary", "Une idée, pas encore d'appel ouvert pour elle (projet simulé).", by=member, on=day, at=at
    )
    following.declare_outcome(
        running,
        "publication",
        DAY.year,
        "1",
        title="Article (simulé)",
        evidence="Référence simulée",
        by=member,
        on=day,
        at=at,
    )
