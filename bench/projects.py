"""Projects against an empty page and one hand-written query: 10,000 projects × 6 partners × 4 funders at size 1.

``fill`` writes calls of 200 projects straight into the tables, from the seed, over the country of ``bench.generate``; at
size 20 of the country there are 100,000 projects. Measured: the ranked and filtered list of projects, the pipeline of a call and of a pôle, success rates.
"""

from __future__ import annotations

import functools
import json
import random
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.cache import cache

from bench.browsing import EMPTY, Browser, NotThere
from bench.generate import DAY, OFFICER, SEED, insert, noon
from bench.measure import Figure, Idle, Told, queries_of, turn_about

AIM = 3.0
PROJECTS = 10_000
PARTNERS = 6
FUNDERS = 4
CALL = 200
"""Projects of one call: the size at which the financing table of a call is measured."""
STATES = ("rejected", "running", "finished", "selected", "admissible", "submitted")


def fill(times: int = 1, seed: int = SEED, projects: int | None = None) -> dict[str, int]:
    """Write the calls, projects, partners, budget lines, labels and cells of the financing table; how many of each."""
    from jalon.clusters.models import Cluster
    from jalon.people.models import Organisation
    from jalon.projects.models import BudgetLine, Call, CallRules, Partner, Project, ProjectLabel, Request
    from jalon.selection.models import Share

    started = time.monotonic()
    rng = random.Random(seed)
    total = PROJECTS * times if projects is None else projects
    organisations = list(Organisation.objects.order_by("pk").values_list("pk", flat=True)[:5000])
    clusters = list(Cluster.objects.order_by("pk").values_list("pk", flat=True))
    at, day = noon(DAY), DAY.isoformat()
    calls = -(-total // CALL)
    from django.conf import settings

    first = (Call.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    rules = json.dumps(
        {"version": "bench", "nature": "rd", "eligibility": [], "rates": [], "papers": [], "categories": []}
    )
    counts: dict[str, int] = {}
    counts["calls"] = insert(
        Call,
        (
            "id",
            "programme",
            "code",
            "scheme",
            "kind",
            "title_fr",
            "title_en",
            "opens_on",
            "closes_on",
            "state",
            "simulated",
            "created_at",
        ),
        (
            (
                first + n,
                settings.PROGRAMME,
                f"banc-{first + n}",
                "fui",
                "rd",
                f"Appel {n}",
                f"Call {n}",
                "2009-01-01",
                "2009-06-30",
                "decided",
                True,
                at,
            )
            for n in range(calls)
        ),
    )
    insert(
        CallRules,
        ("id", "call_id", "policy_day", "valid_from", "rules", "made_at"),
        ((first + n, first + n, day, day, rules, at) for n in range(calls)),
    )
    start = (Project.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    counts["projects"] = insert(
        Project,
        (
            "id",
            "programme",
            "slug",
            "acronym",
            "title",
            "call_id",
            "rules_id",
            "state",
            "starts_on",
            "months",
            "submitted_at",
            "decided_on",
            "created_at",
            "simulated",
        ),
        (
            (
                start + n,
                settings.PROGRAMME,
                f"banc-{start + n}",
                f"P{n:05d}",
                f"Projet {n}",
                first + n // CALL,
                first + n // CALL,
                rng.choice(STATES),
                "2009-09-01",
                36,
                at,
                day,
                at,
                True,
            )
            for n in range(total)
        ),
    )
    base = (Partner.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    counts["partners"] = insert(
        Partner,
        ("id", "project_id", "organisation_id", "key", "role", "kind", "size", "order", "simulated"),
        (
            (
                base + n * PARTNERS + i,
                start + n,
                organisations[(n * 7 + i * 131) % len(organisations)],
                f"p{i + 1}",
                "leader" if i == 0 else "partner",
                "research" if i == 2 else "company",
                "small",
                i,
                True,
            )
            for n in range(total)
            for i in range(PARTNERS)
        ),
    )
    parts = range(base, base + total * PARTNERS)
    counts["lines"] = insert(
        BudgetLine,
        ("partner_id", "year", "category", "frascati", "aid_class", "amount"),
        (
            (part, year, "personnel", "applied", "industrial", f"{100000 + part % 9000}.00")
            for part in parts
            for year in (2009, 2010)
        ),
    )
    counts["requests"] = insert(Request, ("partner_id", "amount"), ((part, "90000.00") for part in parts))
    counts["labels"] = insert(
        ProjectLabel,
        ("project_id", "cluster_id", "lead", "outcome", "decided_on", "recorded_at", "simulated"),
        (
            (start + n, clusters[(n + i * 5) % len(clusters)], i == 0, "labelled", "2009-06-01", at, True)
            for n in range(total)
            for i in range(min(1 + n % 2, len(clusters)))
        ),
    )
    cents = Decimal("22500.00")
    counts["shares"] = insert(
        Share,
        (
            "project_id",
            "partner_id",
            "funder_id",
            "source",
            "base",
            "intended",
            "decided",
            "decided_on",
            "recorded_at",
            "simulated",
        ),
        (
            (
                start + (part - base) // PARTNERS,
                part,
                organisations[f],
                "state" if f == 0 else "region",
                "200000.00",
                str(cents),
                str(cents),
                day,
                at,
                True,
            )
            for part in parts
            for f in range(FUNDERS)
        ),
    )
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        # Rows were written with their numbers: what comes after goes on from there.
        for statement in connection.ops.sequence_reset_sql(no_style(), [Call, CallRules, Project, Partner]):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    counts["seconds"] = round(time.monotonic() - started)
    return counts


def pages() -> list[tuple[str, str]]:
    """Name and address of the pages measured."""
    from jalon.clusters.models import Cluster
    from jalon.projects.models import Call

    call = Call.objects.filter(code__startswith="banc-").order_by("pk").values_list("code", flat=True).first()
    cluster = Cluster.objects.order_by("pk").values_list("slug", flat=True).first()
    return [
        ("projects", "/projets/"),
        ("projects-filtered", "/projets/?state=running&region=72"),
        ("projects-ranked", "/projets/?sort=-budget"),
        ("projects-last", "/projets/?page=9999"),
        ("call-pipeline", f"/appels/{call}/projets/?sort=-budget"),
        ("cluster-pipeline", f"/poles/{cluster}/projets/"),
        ("project-rates", "/projets/taux-de-succes/"),
    ]


def run(size: Any, runs: int, told: Told) -> list[Figure]:
    """A line of the table for each page, against the empty page of the same account, and the list against one query."""
    from jalon.projects.models import Project

    if not Project.objects.filter(slug__startswith="banc-").exists():
        fill(10 if size.clusters > 77 else 1, projects=60 if size.clusters < 77 else None)
    browser = Browser(OFFICER)
    floor = functools.partial(browser.page, EMPTY)
    idle = Idle(floor)
    found = []
    for name, address in pages():
        act = functools.partial(_ask, browser, address)
        try:
            memory = idle.above(act)
            timed = turn_about(act, floor, runs, warm=2)
        except NotThere:
            told.absent.append(f"{name} ({address})")
            continue
        except RuntimeError as error:
            told.crashed.append(f"{name} ({address}): {error}")
            continue
        found.append(
            Figure(
                "projects", name, timed.time, timed.base, timed.ratio, AIM,
                queries=queries_of(act), floor_queries=queries_of(floor), memory=memory, note=f"{act() / 1024:.0f} kB",
            )
        )  # fmt: skip
    found.append(_ranking(runs))
    return found


def _ask(browser: Browser, address: str) -> int:
    cache.clear()
    return browser.page(address)


def _ranking(runs: int) -> Figure:
    """The list ranked by budget as the product reads it, against one query written by hand."""
    from django.db import connection

    from jalon.people.access import Actor
    from jalon.projects import listing

    reader = Actor()

    def product() -> int:
        rows = listing.listed(reader, DAY, listing.Filters(state="running", sort="-budget"))
        return len(listing.rows_of(list(rows[: listing.PER_PAGE]), DAY))

    def by_hand() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT p.id, SUM(b.amount) AS total FROM projects_project p JOIN projects_partner a ON a.project_id = p.id "
                "JOIN projects_budgetline b ON b.partner_id = a.id WHERE p.state = 'running' GROUP BY p.id "
                "ORDER BY total DESC LIMIT 50"
            )
            return len(cursor.fetchall())

    act: Callable[[], int] = product
    timed = turn_about(act, by_hand, runs, warm=1)
    return Figure(
        "projects", "ranked-against-sql", timed.time, timed.base, timed.ratio, AIM,
        queries=queries_of(act), floor_queries=queries_of(by_hand), memory=0, note="",
    )  # fmt: skip
