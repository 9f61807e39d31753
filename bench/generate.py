"""Random data of national size: written straight into the product's tables, from a seed.

Size 1 is a country like France in 2010: 77 pôles, 15,000 organisations, 20,000 memberships, 71 signed contracts,
50,000 observations. Size 20 is twenty times that. Everything is flagged as simulated. One pôle in 77 has 5,000
members (the size at which exports are measured); the others have about 197, the published mean being 187.

Rows are written by the database's own fastest way (COPY, or one prepared INSERT); the columns, and the value of every
column not named here, come from the models, so that a migration does not need a change here.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

DAY = dt.date(2010, 6, 30)
"""The day on which the generated country lives."""
SEED = 20100630
LARGE = 5_000
"""Members of the large pôles."""
REGION_SET = "regions-1970"
YEARS = (2005, 2006, 2007, 2008, 2009)
OFFICER = "agent-national@banc.invalid"


@dataclass(frozen=True)
class Size:
    """How many of what."""

    clusters: int
    large: int
    organisations: int
    memberships: int
    contracts: int
    observations: int
    members_of_large: int = LARGE


def size(times: int) -> Size:
    """National size, ``times`` times."""
    return Size(77 * times, times, 15_000 * times, 20_000 * times, 71 * times, 50_000 * times)


TINY = Size(6, 1, 320, 400, 4, 900, 60)
"""For the tests of the bench itself."""


# --- writing -------------------------------------------------------------------------------------------------------


def insert(model: Any, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write ``rows`` of ``model``; ``names`` are its fields (``cluster_id`` for a key). Answers how many.

    Days and moments are given as ISO text, decimals as text. Fields not named take the model's default.
    """
    from django.db import connection

    fields = {f.attname: f for f in model._meta.local_concrete_fields}
    unknown = [n for n in names if n not in fields]
    if unknown:
        raise ValueError(f"{model.__name__} has no field {', '.join(unknown)}")
    fixed = [f for name, f in fields.items() if name not in names and not f.primary_key]
    constants = []
    for f in fixed:
        value = f.get_db_prep_save(f.get_default(), connection)
        constants.append(
            value if value is None or isinstance(value, str | int | bool | float) else json.dumps(f.get_default())
        )
    tail = tuple(constants)
    columns = ", ".join(f'"{c}"' for c in [*(fields[n].column for n in names), *(f.column for f in fixed)])
    table = model._meta.db_table
    written = 0
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row((*row, *tail))
                written += 1
        return written
    marks = ", ".join("?" * (len(names) + len(tail)))

    def counted() -> Iterator[tuple[Any, ...]]:
        nonlocal written
        for row in rows:
            written += 1
            yield (*row, *tail)

    # The driver's own connection: Django's cursor would rewrite the statement for every batch.
    connection.connection.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', counted())
    return written


def _fast(connection: Any) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")  # foreign keys are right by construction
        else:
            for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY", "foreign_keys=OFF"):
                cursor.execute(f"PRAGMA {pragma}")


def _settle(connection: Any) -> None:
    from django.apps import apps
    from django.core.management.color import no_style

    models = [m for m in apps.get_models() if m._meta.app_label in LABELS]
    for statement in connection.ops.sequence_reset_sql(no_style(), models):
        with connection.cursor() as cursor:
            cursor.execute(statement)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("VACUUM ANALYZE")  # what a PostgreSQL in service has done by itself
    else:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


LABELS = ("core", "people", "programme", "clusters", "indicators", "roadmaps", "contracts")


# --- the country ---------------------------------------------------------------------------------------------------


@dataclass
class World:
    """What the parts of the generation tell each other."""

    size: Size
    rng: random.Random
    regions: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    authorities: dict[str, list[int]] = field(default_factory=dict)
    carriers: list[int] = field(default_factory=list)
    first_member: int = 0
    region_of: list[str] = field(default_factory=list)
    users: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def wrote(self, name: str, number: int) -> None:
        self.rows[name] = self.rows.get(name, 0) + number


def noon(day: dt.date) -> str:
    return f"{day.isoformat()} 11:00:00"


def siret(number: int) -> str:
    """A SIRET with right check digits; different for each number."""
    siren = _checked(f"{10_000_000 + number:08d}")
    return _checked(siren + "0001")


def _checked(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def generate(size: Size, seed: int = SEED) -> dict[str, int]:
    """Fill an empty, migrated database. Answers how many rows of each kind were written."""
    from django.db import connection, transaction

    started = time.perf_counter()
    world = World(size, random.Random(seed))
    connection.ensure_connection()
    _fast(connection)
    with transaction.atomic():
        country(world)
        organisations(world)
        clusters(world)
        memberships(world)
        contracts(world)
        observations(world)
    _settle(connection)
    connection.close()
    return world.rows | {"seconds": round(time.perf_counter() - started)}


def country(world: World) -> None:
    """The day, the source, the regions with their State service and authorities, the officers, the rounds."""
    from jalon.core import clock
    from jalon.core.models import Setting, Source
    from jalon.people.access import policy
    from jalon.programme.models import Round

    Setting.objects.create(key=clock.KEY, value={"day": DAY.isoformat(), "start": DAY.isoformat(), "seed": SEED})
    Source.objects.create(key="BENCH", title="Données aléatoires du banc de mesure", kind="simulated")
    regions = policy().regions_on(DAY)
    world.regions = [r.code for r in regions.regions][:22]
    for year in YEARS:
        Round.objects.create(
            programme=policy().slug,
            code=str(year),
            period_start=dt.date(year, 1, 1),
            period_end=dt.date(year, 12, 31),
            opens_on=dt.date(year + 1, 1, 1),
            due_on=dt.date(year + 1, 3, 31),
        )


ORGANISATION = (
    "id", "name", "name_key", "kind", "city", "postcode", "region_code", "level", "sources", "simulated", "created_at",
)  # fmt: skip


def organisations(world: World) -> None:
    """State services, authorities, carriers, then members: companies and laboratories with a SIRET and a size."""
    from django.db import connection

    from jalon.people.access import policy
    from jalon.people.models import Identifier, Mandate, Organisation, SizeCategory, User

    ids = count(1)
    since = noon(dt.date(2005, 1, 1))
    rows: list[tuple[Any, ...]] = []

    def public(name: str, kind: str, region: str, level: str) -> int:
        number = next(ids)
        rows.append((number, name, name.lower(), kind, "", "", region, level, "[]", True, since))
        return number

    for code in world.regions:
        world.states[code] = public(f"prefecture {code}", "state_service", code, "region")
        world.authorities[code] = [
            public(f"region {code}", "authority", code, "region"),
            public(f"departement {code}", "authority", code, "department"),
            public(f"agglomeration {code}", "authority", code, "urban_community"),
        ]
    for n in range(world.size.clusters):
        code = world.regions[n % len(world.regions)]
        world.carriers.append(public(f"structure de gouvernance {n:04d}", "association", code, ""))
    world.first_member = next(ids)
    rng = world.rng

    def members() -> Iterator[tuple[Any, ...]]:
        for number in range(world.first_member, world.size.organisations + 1):
            kind = "company" if rng.random() < 0.78 else "laboratory" if rng.random() < 0.6 else "training"
            name = f"{kind} {number:06d}"
            code = world.regions[number % len(world.regions)]
            yield (
                number,
                name,
                name,
                kind,
                f"Ville {number % 400}",
                f"{number % 95 + 1:02d}000",
                code,
                "",
                "[]",
                True,
                since,
            )

    world.wrote(
        "organisations", insert(Organisation, ORGANISATION, rows) + insert(Organisation, ORGANISATION, members())
    )
    world.wrote(
        "identifiers",
        insert(
            Identifier,
            ("organisation_id", "scheme", "value"),
            ((n, "siret", siret(n)) for n in range(1, world.size.organisations + 1)),
        ),
    )
    sizes = ("pme", "pme", "pme", "eti", "ge")
    world.wrote(
        "sizes",
        insert(
            SizeCategory,
            ("organisation_id", "category", "definition", "on", "evidence", "headcount", "recorded_at", "simulated"),
            (
                (
                    n,
                    rng.choice(sizes),
                    "fr",
                    "2009-12-31",
                    "Effectif simulé",
                    rng.randint(3, 4000),
                    noon(dt.date(2010, 1, 15)),
                    True,
                )
                for n in range(world.first_member, world.size.organisations + 1)
                if n % 3
            ),
        ),
    )
    programme = policy().slug
    accounts = [("national_officer", OFFICER, world.states[world.regions[0]])]
    accounts += [("state_correspondent", f"correspondant-{c}@banc.invalid", world.states[c]) for c in world.regions]
    for role, email, organisation in accounts:
        user = User.objects.create_user(email, f"Compte {role}", simulated=True)
        world.users[email] = user.pk
        Mandate.objects.create(
            user=user, organisation_id=organisation, programme=programme, role=role, starts_on=dt.date(2005, 1, 1)
        )
    assert connection.in_atomic_block


def clusters(world: World) -> None:
    """Pôles with names, territory, label, carrier, correspondent, team, board, group and budget."""
    from jalon.clusters.models import (
        Carrier,
        Cluster,
        ClusterGroup,
        ClusterName,
        ClusterTerritory,
        Correspondent,
        GovernanceBody,
        Label,
        LabelAct,
        LabelHolder,
        LabelPeriod,
        Seat,
        TeamPost,
    )
    from jalon.contracts.models import BudgetLine
    from jalon.people.access import policy

    rng, programme = world.rng, policy().slug
    families = [t.code for t in policy().themes]
    tiers = ["world", "world-vocation", *["national"] * 4]
    source, plain = json.dumps(["BENCH"]), "[]"
    names, places, holders, acts, periods, carriers = [], [], [], [], [], []
    followers, posts, bodies, seats, groups, budget = [], [], [], [], [], []
    rows, labels = [], []
    colleges = ["industry"] * 6 + ["research"] * 3 + ["training"] * 2 + ["authority"] * 2 + ["other"]
    start, grant, confirm = "2005-07-12", noon(dt.date(2005, 7, 12)), noon(dt.date(2008, 6, 26))
    act_ids = count(1)
    for n in range(world.size.clusters):
        pk, family = n + 1, families[n % len(families)]
        mine = [world.regions[n % len(world.regions)]]
        if rng.random() < 0.3:
            mine.append(world.regions[(n + 5) % len(world.regions)])
        world.region_of.append(mine[0])
        name, slug = f"Pôle {family} {n:04d}", f"pole-{n:04d}"
        key = f"pole {family.replace('-', ' ')} {n:04d}"
        rows.append(
            (pk, programme, slug, name, key, f"{key} ville {n % 400}", family, f"Thème {family}", f"Theme {family}",
             f"Ville {n % 400}", f"{42 + rng.random() * 8:.4f}", f"{-4 + rng.random() * 11:.4f}", source, True)
        )  # fmt: skip
        names.append((pk, name, key, 1, "2007-01-01" if n % 5 == 0 else None, None, plain))
        if n % 5 == 0:
            names.append((pk, f"Ancien nom {n:04d}", f"ancien nom {n:04d}", 0, None, "2006-12-31", plain))
        places += [(pk, REGION_SET, code, rank) for rank, code in enumerate(mine)]
        labels.append((pk, programme, slug, name, tiers[n % len(tiers)], "phase-1", plain, source))
        holders.append((pk, pk, start, source))
        first, second = next(act_ids), next(act_ids)
        acts.append((first, pk, "granted", start, start, "2008-12-31", "CIADT", "phase-1", source, grant))
        acts.append(
            (second, pk, "confirmed", "2008-06-26", "2009-01-01", "2012-12-31", "CIACT", "phase-2", source, confirm)
        )
        periods.append((pk, first, start, "2008-12-31", grant))
        periods.append((pk, second, "2009-01-01", "2012-12-31", confirm))
        carriers.append((pk, world.carriers[n], start, source, True))
        code = mine[0]
        followers.append((pk, world.users[f"correspondant-{code}@banc.invalid"], world.states[code], start, True))
        posts += [
            (pk, f"Poste {p}", rng.choice(("1.00", "1.00", "0.80", "0.50")), "seconded" if p % 5 == 4 else "employed",
             "2007-09-01", "2009-06-30" if p == 9 else None, noon(dt.date(2007, 9, 1)), True)
            for p in range(10)
        ]  # fmt: skip
        bodies.append((pk, pk, "board", "Conseil d'administration", True, plain))
        seats += [
            (pk, college, rng.randint(world.first_member, world.size.organisations), "2008-06-01", "2011-05-31",
             noon(dt.date(2008, 6, 1)), True)
            for college in colleges
        ]  # fmt: skip
        groups.append((pk, "2008", "12233"[n % 5], "2008-06-18", noon(dt.date(2008, 6, 18)), source))
        budget += [
            (pk, year, kind, f"{rng.randint(20_000, 400_000)}.00", noon(dt.date(year + 1, 3, 15)), True)
            for year in YEARS
            for kind in ("state", "local", "europe", "fees", "services", "in_kind")
        ]
    wrote = world.wrote
    wrote("clusters", insert(Cluster, ("id", "programme", "slug", "name", "name_key", "search_key", "theme_family", "theme_fr", "theme_en", "city", "latitude", "longitude", "sources", "simulated"), rows))  # fmt: skip
    insert(ClusterName, ("cluster_id", "name", "name_key", "rank", "starts_on", "ends_on", "sources"), names)
    insert(ClusterTerritory, ("cluster_id", "region_set", "region_code", "rank"), places)
    wrote("labels", insert(Label, ("id", "programme", "code", "name", "tier", "phase", "follows", "sources"), labels))
    insert(LabelHolder, ("label_id", "cluster_id", "starts_on", "sources"), holders)
    insert(LabelAct, ("id", "label_id", "act", "decided_on", "effective_from", "until", "body", "phase", "sources", "recorded_at"), acts)  # fmt: skip
    insert(LabelPeriod, ("label_id", "act_id", "starts_on", "ends_on", "recorded_at"), periods)
    insert(Carrier, ("cluster_id", "organisation_id", "starts_on", "sources", "simulated"), carriers)
    insert(Correspondent, ("cluster_id", "user_id", "organisation_id", "starts_on", "simulated"), followers)
    wrote("posts", insert(TeamPost, ("cluster_id", "title", "fte", "status", "starts_on", "ends_on", "recorded_at", "simulated"), posts))  # fmt: skip
    insert(GovernanceBody, ("id", "cluster_id", "kind", "title", "simulated", "sources"), bodies)
    wrote("seats", insert(Seat, ("body_id", "college", "organisation_id", "starts_on", "ends_on", "recorded_at", "simulated"), seats))  # fmt: skip
    insert(ClusterGroup, ("cluster_id", "evaluation", "group", "on", "recorded_at", "sources"), groups)
    wrote("budget lines", insert(BudgetLine, ("cluster_id", "year", "kind", "amount", "recorded_at", "simulated"), budget))  # fmt: skip


def memberships(world: World) -> None:
    """Memberships: 57 % small firms; one in seven has ended; one in thirty was corrected (two versions)."""
    from jalon.clusters.models import Membership

    rng, wanted = world.rng, world.size
    types = ("sme",) * 57 + ("mid",) * 8 + ("large",) * 10 + ("research_training",) * 20 + ("other",) * 5
    college = {
        "sme": "industry",
        "mid": "industry",
        "large": "industry",
        "research_training": "research",
        "other": "other",
    }
    small = wanted.clusters - wanted.large
    rest = wanted.memberships - wanted.large * wanted.members_of_large
    pool = range(world.first_member, wanted.organisations + 1)
    days = [(dt.date(2005, 7, 12) + dt.timedelta(days=d)) for d in range(1700)]

    def rows() -> Iterator[tuple[Any, ...]]:
        for n in range(wanted.clusters):
            if n < wanted.large:
                asked = wanted.members_of_large
            else:
                place = n - wanted.large
                asked = rest * (place + 1) // small - rest * place // small
            corrected = asked // 30
            for i, organisation in enumerate(rng.sample(pool, asked - corrected)):
                kind = types[int(rng.random() * 100)]
                joined = days[int(rng.random() * 1700)]
                left = None
                if rng.random() < 0.14:
                    left = (joined + (DAY - joined) * rng.random()).isoformat()
                recorded, start = noon(joined), joined.isoformat()
                if i < corrected:
                    yield (
                        n + 1,
                        organisation,
                        "other",
                        "other",
                        start,
                        None,
                        recorded,
                        noon(DAY - dt.timedelta(days=40)),
                        True,
                    )
                    recorded = noon(DAY - dt.timedelta(days=40))
                yield n + 1, organisation, kind, college[kind], start, left, recorded, None, True

    columns = ("cluster_id", "organisation_id", "member_type", "college", "joined_on", "left_on", "recorded_at", "superseded_at", "simulated")  # fmt: skip
    world.wrote("memberships", insert(Membership, columns, rows()))


# --- contracts -----------------------------------------------------------------------------------------------------

COMMON = (
    "members_total", "sme_share", "projects_labelled", "projects_financed", "patents_filed", "startups_created",
    "animation_budget", "private_share", "actions_on_time",
)  # fmt: skip
OWN = ("i10", "i11", "i12")
TERM = (2009, 2010, 2011)


def contracts(world: World) -> None:
    """Signed contracts from 2009 to 2011 with everything that is followed, as signing makes it from the document."""
    from jalon.contracts import models as m
    from jalon.core.canonical import FORM, canonical, sha256
    from jalon.core.models import FrozenText
    from jalon.people.access import policy
    from jalon.programme.models import Round

    rng, programme = world.rng, policy().slug
    catalogue = {i.code: i for i in policy().indicators}
    signed, known = dt.date(2009, 3, 31), noon(dt.date(2009, 3, 31))
    round_2009 = Round.objects.get(code="2009").pk
    out: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
    ids = {name: count(1) for name in ("party", "objective", "action", "milestone", "indicator")}
    for n in range(world.size.contracts):
        pk, cluster, region = n + 1, n + 1, world.region_of[n]
        slug = f"contrat-{n:04d}"
        document = _document(n, region, world, catalogue)
        frozen = canonical({"form": FORM, "case": f"contract:{slug}", "kind": "contract", "content": document})
        seal = sha256(frozen)
        out["frozen"].append((pk, f"contract:{slug}", "contract", FORM, frozen, seal, known))
        out["contract"].append(
            (pk, programme, cluster, slug, document["title"], "phase-2", "performance-2009", "2009-01-01", "2009-01-01",
             "2011-12-31", "signed", "12233"[n % 5], noon(dt.date(2008, 10, 1)), signed.isoformat(), True)
        )  # fmt: skip
        out["text"].append((pk, pk, 0, document["title"], "signed", json.dumps(document), 40, pk, "2009-01-01", known))
        parties: dict[str, int] = {}
        for order, party in enumerate(document["parties"]):
            number = parties[party["key"]] = next(ids["party"])
            out["party"].append(
                (number, pk, party["key"], party["kind"], party["organisation"], party["signatory"], order)
            )
            out["signature"].append((pk, number, signed.isoformat(), party["signatory"], seal, known, True))
            if party["kind"] == "authority":
                out["deliberation"].append((pk, number, "2009-03-02", f"2009-{n}", "approved", 2009, "50000.00", noon(dt.date(2009, 3, 5)), True))  # fmt: skip
        for order, objective in enumerate(document["objectives"]):
            goal = next(ids["objective"])
            out["objective"].append((goal, pk, objective["key"], objective["title"], order))
            status = rng.choice(("on_track", "on_track", "at_risk", "reached", "missed"))
            out["status"].append((goal, "2010-02-15", status, status == "reached", noon(dt.date(2010, 2, 15)), True))
            for place, action in enumerate(objective["actions"]):
                number = next(ids["action"])
                out["action"].append(
                    (number, pk, goal, action["key"], action["title"], action["owner"], action["deliverables"],
                     action["starts_on"], action["ends_on"], action["budget"], order * 3 + place)
                )  # fmt: skip
                _progress(rng, out["progress"], number, None, action["ends_on"])
                for milestone in action["milestones"]:
                    stone = next(ids["milestone"])
                    out["milestone"].append((stone, number, milestone["key"], milestone["title"], milestone["due_on"]))
                    if rng.random() < 0.4:
                        _progress(rng, out["progress"], number, stone, milestone["due_on"])
        for order, indicator in enumerate(document["indicators"]):
            number = next(ids["indicator"])
            code = indicator["code"] or f"{slug}/{indicator['key']}"
            out["indicator"].append(
                (number, pk, indicator["key"], code, indicator["title"], indicator["unit"], indicator["direction"],
                 indicator["common"], indicator["definition"], indicator["baseline"], indicator["baseline_on"], order)
            )  # fmt: skip
            out["target"] += [(number, int(y), value, pk, known, True) for y, value in indicator["targets"].items()]
        for commitment in document["commitments"]:
            for year, amount in commitment["amounts"].items():
                key, due = f"{commitment['key']}/{year}", commitment["due"][year]
                out["commitment"].append((pk, parties[commitment["party"]], key, "money", commitment["title"], int(year), amount, due, pk, known, True))  # fmt: skip
                if int(year) <= 2010 and rng.random() < 0.8:
                    out["step"].append(
                        (pk, key, "decided", f"{year}-03-20", amount, noon(dt.date(int(year), 3, 20)), True)
                    )
                if int(year) == 2009 and rng.random() < 0.7:
                    out["step"].append((pk, key, "paid", "2009-11-15", amount, noon(dt.date(2009, 11, 15)), True))
            if not commitment["amounts"]:
                out["commitment"].append((pk, parties[commitment["party"]], commitment["key"], "support", commitment["title"], None, None, None, pk, known, True))  # fmt: skip
        state = ("open", "submitted", "returned", "validated", "validated")[int(rng.random() * 5)]
        days = {"open": 0, "submitted": 1, "returned": 2, "validated": 3}[state]
        moved = ["2010-03-25", "2010-04-20", "2010-05-10"]
        out["report"].append(
            (pk, round_2009, state, "2010-03-31", moved[0] if days else None, moved[1] if state == "returned" else None,
             moved[2] if state == "validated" else None, True)
        )  # fmt: skip
    models = {
        "frozen": FrozenText, "contract": m.Contract, "text": m.Text, "party": m.Party, "signature": m.Signature,
        "deliberation": m.Deliberation, "objective": m.Objective, "status": m.ObjectiveStatus, "action": m.Action,
        "progress": m.Progress, "milestone": m.Milestone, "indicator": m.ContractIndicator, "target": m.Target,
        "commitment": m.Commitment, "step": m.CommitmentStep, "report": m.Report,
    }  # fmt: skip
    for name, model in models.items():
        world.wrote(f"{name}s", insert(model, COLUMNS[name], out[name]))


COLUMNS: dict[str, tuple[str, ...]] = {
    "frozen": ("id", "case", "kind", "form", "canonical", "sha256", "frozen_at"),
    "contract": ("id", "programme", "cluster_id", "slug", "title", "phase", "template", "policy_day", "starts_on", "ends_on", "state", "group", "created_at", "signed_on", "simulated"),
    "text": ("id", "contract_id", "number", "title", "state", "content", "rev", "frozen_id", "effective_on", "created_at"),
    "party": ("id", "contract_id", "key", "kind", "organisation_id", "signatory", "order"),
    "signature": ("text_id", "party_id", "signed_on", "signatory", "sha256", "at", "simulated"),
    "deliberation": ("text_id", "party_id", "decided_on", "reference", "outcome", "year", "amount", "recorded_at", "simulated"),
    "objective": ("id", "contract_id", "key", "title", "order"),
    "status": ("objective_id", "on", "status", "validated", "recorded_at", "simulated"),
    "action": ("id", "contract_id", "objective_id", "key", "title", "owner", "deliverables", "starts_on", "ends_on", "budget", "order"),
    "progress": ("action_id", "milestone_id", "on", "status", "percent", "expected_end", "done_on", "reason", "recorded_at", "superseded_at", "simulated"),
    "milestone": ("id", "action_id", "key", "title", "due_on"),
    "indicator": ("id", "contract_id", "key", "code", "title", "unit", "direction", "common", "definition", "baseline", "baseline_on", "order"),
    "target": ("indicator_id", "year", "value", "text_id", "recorded_at", "simulated"),
    "commitment": ("contract_id", "party_id", "key", "kind", "title", "year", "amount", "due_on", "text_id", "recorded_at", "simulated"),
    "step": ("contract_id", "key", "kind", "on", "amount", "recorded_at", "simulated"),
    "report": ("contract_id", "round_id", "state", "due_on", "submitted_on", "returned_on", "validated_on", "simulated"),
}  # fmt: skip

SENTENCE = "Le pôle met en œuvre ce programme avec ses membres et en rend compte chaque année. "


def _document(n: int, region: str, world: World, catalogue: dict[str, Any]) -> dict[str, Any]:
    """The document of a contract: four objectives, twelve actions, twelve indicators, four public parties."""
    rng = world.rng
    parties = [
        {
            "key": "state",
            "kind": "state",
            "organisation": world.states[region],
            "name": f"État {region}",
            "signatory": "préfet de région",
        }
    ]
    parties += [
        {
            "key": f"authority{i}",
            "kind": "authority",
            "organisation": organisation,
            "name": f"Collectivité {i}",
            "signatory": "président du conseil",
        }
        for i, organisation in enumerate(world.authorities[region], 1)
    ]
    parties.append(
        {
            "key": "governance",
            "kind": "governance",
            "organisation": world.carriers[n],
            "name": "Structure de gouvernance",
            "signatory": "président",
        }
    )
    objectives = []
    for o in range(1, 5):
        actions = []
        for a in range(1, 4):
            start = dt.date(2009, 1, 1) + dt.timedelta(days=rng.randrange(400))
            end = start + dt.timedelta(days=120 + rng.randrange(400))
            actions.append(
                {
                    "key": f"o{o}a{a}", "title": f"Programme d'actions {o}.{a}", "owner": "équipe du pôle", "starts_on": start.isoformat(),
                    "ends_on": end.isoformat(), "budget": f"{rng.randint(10, 300)}000", "deliverables": SENTENCE,
                    "milestones": [
                        {"key": f"m{k}", "title": f"Étape {k}", "due_on": (start + dt.timedelta(days=50 * k)).isoformat()} for k in (1, 2)
                    ],
                }
            )  # fmt: skip
        objectives.append(
            {
                "key": f"o{o}",
                "title": f"Objectif stratégique {o}",
                "body": SENTENCE * 6,
                "axis": None,
                "actions": actions,
            }
        )
    indicators = []
    for i, code in enumerate(COMMON, 1):
        entry = catalogue[code]
        indicators.append(
            _indicator(f"i{i}", code, str(entry.title.fr), entry.unit, entry.direction or "up", True, rng)
        )
    indicators += [_indicator(key, None, f"Indicateur propre {key}", "count", "up", False, rng) for key in OWN]
    years = [str(y) for y in TERM]
    commitments = [
        {
            "key": f"c{i}", "party": party["key"], "kind": "money", "title": "Crédits d'animation",
            "amounts": {y: f"{rng.randint(20, 200)}000.00" for y in years}, "due": {y: f"{y}-10-31" for y in years},
        }
        for i, party in enumerate(parties[:-1], 1)
    ]  # fmt: skip
    commitments.append(
        {"key": "c9", "party": "state", "kind": "support", "title": "Appui à l'international", "amounts": {}, "due": {}}
    )
    return {
        "title": f"Contrat de performance {n:04d}", "starts_on": "2009-01-01", "ends_on": "2011-12-31", "territory": [region], "preamble": SENTENCE * 10,
        "parties": parties, "articles": [{"key": f"article{k}", "title": f"Article {k}", "body": SENTENCE * 12} for k in range(1, 13)],
        "improvement_axes": [], "objectives": objectives, "indicators": indicators, "commitments": commitments,
    }  # fmt: skip


def _indicator(
    key: str, code: str | None, title: str, unit: str, direction: str, common: bool, rng: random.Random
) -> dict[str, Any]:
    baseline = rng.randint(10, 60)
    return {
        "key": key, "code": code, "title": title, "unit": unit, "definition": SENTENCE, "direction": direction, "common": common, "objective": None,
        "baseline": str(baseline), "baseline_on": "2008-12-31", "targets": {str(y): str(baseline + 5 * (y - 2008)) for y in TERM},
    }  # fmt: skip


def _progress(rng: random.Random, out: list[tuple[Any, ...]], action: int, milestone: int | None, ends: str) -> None:
    """One declaration, or two of which the first was replaced."""
    end = dt.date.fromisoformat(ends)
    first, second = noon(dt.date(2009, 12, 20)), noon(dt.date(2010, 5, 20))
    done = end < DAY and rng.random() < 0.7
    slips = None if done else (end + dt.timedelta(days=60)).isoformat() if rng.random() < 0.2 else None
    status = "done" if done else "at_risk" if slips else "on_track"
    day = min(end, dt.date(2010, 5, 20)).isoformat() if done else None
    twice = rng.random() < 0.5
    if twice:
        out.append((action, milestone, "2009-12-20", "on_track", 20, None, None, "", first, second, True))
    out.append(
        (action, milestone, "2010-05-20", status, 100 if done else 45, slips, day, "Partenaire en retard" if slips else "",
         second if twice else first, None, True)
    )  # fmt: skip


# --- observations --------------------------------------------------------------------------------------------------


def observations(world: World) -> None:
    """Values of five years with all their versions: submitted, validated, at times corrected; some of 2009 in work."""
    from jalon.indicators.models import Observation
    from jalon.people.access import policy
    from jalon.programme.models import Round

    rng, wanted = world.rng, world.size
    rounds = {int(r.code): r.pk for r in Round.objects.all()}
    series: list[tuple[str, str, str, str, bool]] = []
    for i in policy().indicators:
        if i.level != "cluster":
            continue
        stock = i.period_type == "stock"
        series.append((i.code, "", i.unit, "computed" if i.source == "computed" else "declared", stock))
        for b in i.breakdowns:
            series += [
                (i.code, f"{b.code}={v.code}", i.unit, "computed" if i.source == "computed" else "declared", stock)
                for v in b.values
            ]
    series = [s for s in series if s[0] != "members_by_type" or s[1]]
    keys = [(year, one) for year in YEARS for one in series]
    why = json.dumps({"formula": "", "measures": {}, "definition": "1", "policy_day": "2009-12-31", "known_on": None})

    def rows() -> Iterator[tuple[Any, ...]]:
        for n in range(wanted.clusters):
            left = wanted.observations * (n + 1) // wanted.clusters - wanted.observations * n // wanted.clusters
            own = [(y, (f"contrat-{n:04d}/{k}", "", "count", "declared", False)) for k in OWN for y in (2009,)]
            # Every value once; then versions of them, until the number asked for is reached.
            mine = (own if n < wanted.contracts else []) + keys
            rng.shuffle(mine)
            mine = mine[:left]
            extra = left - len(mine)
            for place, (year, (code, breakdown, unit, origin, stock)) in enumerate(mine):
                versions = 1 + extra // len(mine) + (1 if place < extra % len(mine) else 0)
                end, start = f"{year}-12-31", f"{year}-01-01"
                if stock:
                    start = end
                value = rng.randint(1, 300)
                at = dt.date(year + 1, 3, 1)
                working = year == 2009 and rng.random() < 0.25
                for version in range(1, versions + 1):
                    last = version == versions
                    state = ("submitted" if working else "validated") if last else "submitted"
                    recorded = noon(at + dt.timedelta(days=7 * version))
                    gone = None if last else noon(at + dt.timedelta(days=7 * (version + 1)))
                    yield (
                        n + 1, code, breakdown, start, end, f"{value + version}.000000", unit, origin, state, version,
                        why if origin == "computed" else "{}", rounds[year], recorded, gone, True,
                    )  # fmt: skip

    columns = ("cluster_id", "indicator", "breakdown", "period_start", "period_end", "value", "unit", "origin", "state", "version", "explanation", "round_id", "recorded_at", "superseded_at", "simulated")  # fmt: skip
    world.wrote("observations", insert(Observation, columns, rows()))
