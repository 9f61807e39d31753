"""Building the demonstration, once, in the database of an empty installation.

``build_once`` is what ``jalon run`` calls. It refuses to touch an installation that has real users, and it does
nothing where the demonstration stands already.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.db import transaction

from jalon.clusters.models import (
    Carrier,
    Cluster,
    Correspondent,
    GovernanceBody,
    LabelHolder,
    LabelPeriod,
    Membership,
    Seat,
    TeamPost,
)
from jalon.contracts.models import BudgetLine
from jalon.core import clock, journal
from jalon.core.clock import moment_on
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import Setting
from jalon.demo import names, simulate
from jalon.people.access import policy
from jalon.people.models import Identifier, Mandate, Organisation, SizeCategory, User
from jalon.people.rules import name_key

Say = Callable[..., None]
DAY = dt.date(2010, 6, 30)
"""The day on which the demonstration begins to live."""
HISTORY_FROM = dt.date(2005, 7, 12)
CHAPTERS = ("projects", "aid", "labelling", "selection", "funding", "committees", "evaluations", "decisions")
"""Modules of this package that add their part after the contracts, in this order: ``build(world, say)``."""


@dataclass
class World:
    """What the steps of the building share."""

    programme: str
    rng: random.Random
    clusters: dict[str, Cluster] = field(default_factory=dict)
    since: dict[str, dt.date] = field(default_factory=dict)
    weight: dict[str, float] = field(default_factory=dict)
    region: dict[str, str] = field(default_factory=dict)
    regions: dict[str, list[str]] = field(default_factory=dict)
    carrier: dict[str, Organisation] = field(default_factory=dict)
    councils: dict[str, Organisation] = field(default_factory=dict)
    states: dict[str, Organisation] = field(default_factory=dict)
    services: dict[str, Organisation] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    acts: list[dict[str, Any]] = field(default_factory=list)
    roles: dict[str, Any] = field(default_factory=dict)


def build_once(*, say: Say, seed: int = simulate.SEED) -> bool:
    """Build the demonstration unless it stands; whether it was built.

    A programme without a register (a foreign example) gets the accounts of its roles and lives on the first day of
    its newest phase.

    Raises:
        Refused: the installation has users who are not of the demonstration.
    """
    if Setting.objects.filter(key=clock.KEY).exists():
        return False
    if User.objects.filter(demo_role="", simulated=False).exists():
        raise Refused(
            T(
                "Cette base contient de vrais comptes : la démonstration n'y est pas chargée (jalon run --no-demo).",
                "This database holds real accounts: the demonstration is not loaded into it (jalon run --no-demo).",
            )
        )
    world = World(settings.PROGRAMME, random.Random(seed))
    with transaction.atomic(), clock.hold(DAY):
        Setting.objects.create(key=clock.KEY, value={"day": DAY.isoformat(), "start": DAY.isoformat(), "seed": seed})
        read_register(world)
        if not world.clusters:
            small_world(world, say)
            return True
        say("Démonstration : organismes et membres simulés…", "Demonstration: simulated organisations and members…")
        public_bodies(world)
        members(world, seed)
        carriers_and_teams(world)
        say("Démonstration : comptes, un par rôle…", "Demonstration: accounts, one per role…")
        accounts(world)
        correspondents(world)
        journal.record_many(world.acts)
        world.acts.clear()
        from jalon.demo.contracts import contracts

        contracts(world, say)
        for name in CHAPTERS:
            if find_spec(f"jalon.demo.{name}"):
                import_module(f"jalon.demo.{name}").build(world, say)
        journal.close_day(DAY)
    say(
        "Démonstration prête : {clusters} pôles, {members} adhésions simulées.",
        "Demonstration ready: {clusters} clusters, {members} simulated memberships.",
        clusters=len(world.clusters),
        members=Membership.objects.filter(simulated=True).count(),
    )
    return True


def read_register(world: World) -> None:
    """The clusters that hold a label on the demonstration's day or held one before, with their first day."""
    starts: dict[int, dt.date] = {}
    holders = LabelHolder.objects.filter(role="holder").values_list("label_id", "cluster_id")
    first: dict[int, dt.date] = {}
    for label, start in LabelPeriod.objects.filter(starts_on__lte=DAY, superseded_at=None).values_list(
        "label_id", "starts_on"
    ):
        first[label] = min(first.get(label, start), start)
    for label, cluster in holders:
        if label in first:
            starts[cluster] = min(starts.get(cluster, first[label]), first[label])
    in_force = set(
        LabelHolder.objects.filter(
            role="holder",
            label__periods__superseded_at=None,
            label__periods__starts_on__lte=DAY,
            label__periods__ends_on__gte=DAY,
        ).values_list("cluster_id", flat=True)
    )
    region_names = {r.code: r.name for s in policy().regions for r in s.regions if s.code == "regions-1970"}
    for cluster in Cluster.objects.filter(programme=world.programme, id__in=in_force).prefetch_related("territories"):
        world.clusters[cluster.slug] = cluster
        world.since[cluster.slug] = starts[cluster.id]
        told = sorted((t for t in cluster.territories.all() if t.region_set == "regions-1970"), key=lambda t: t.rank)
        world.regions[cluster.slug] = [str(region_names.get(t.region_code, t.region_code)) for t in told]
        world.region[cluster.slug] = world.regions[cluster.slug][0] if told else ""
    for slug in sorted(world.clusters):
        published = [
            m["count"] for m in world.clusters[slug].published.get("members", []) if m.get("year") and m["year"] <= 2014
        ]
        world.weight[slug] = simulate.weight_of(published[-1] if published else None, world.rng)
    mean = sum(world.weight.values()) / max(len(world.weight), 1)
    world.weight = {slug: weight / mean for slug, weight in world.weight.items()}


def organisation(name: str, kind: str, **values: Any) -> Organisation:
    """An organisation of the demonstration, found again by its name and kind."""
    found = Organisation.objects.filter(name_key=name_key(name), kind=kind, merged_into=None).first()
    return found or Organisation.objects.create(
        name=name,
        name_key=name_key(name),
        kind=kind,
        created_at=moment_on(HISTORY_FROM),
        **{"simulated": True, **values},
    )


def public_bodies(world: World) -> None:
    """State services and regional councils of the regions concerned. They exist; what they do here is simulated."""
    codes = {str(r.name): r.code for s in policy().regions for r in s.regions if s.code == "regions-1970"}
    for region in sorted({r for regions in world.regions.values() for r in regions}):
        code = codes.get(region, "")
        world.councils[region] = organisation(
            names.council(region), "authority", level="region", region_code=code, simulated=False
        )
        world.states[region] = organisation(
            names.state(region), "state_service", level="region", region_code=code, simulated=False
        )
        world.services[region] = organisation(
            names.direccte(region), "state_service", level="region", region_code=code, simulated=False
        )


def members(world: World, seed: int) -> None:
    """Simulated member lists of every cluster, calibrated on the published aggregates."""
    places = [
        simulate.Place(
            cluster=slug,
            city=cluster.city,
            region=world.region[slug],
            family=cluster.theme_family,
            since=world.since[slug],
            weight=world.weight[slug],
        )
        for slug, cluster in sorted(world.clusters.items())
    ]
    bodies, rows = simulate.members(places, DAY, seed)
    college_of = {row.organisation: row.college for row in rows}
    codes = {str(r.name): r.code for s in policy().regions for r in s.regions if s.code == "regions-1970"}
    kind_of = {"sme": "company", "mid": "company", "large": "company", "other": "other"}
    created = []
    for body in bodies:
        college = college_of.get(body.number, "")
        name = names.organisation(body.number, body.member_type, college)
        created.append(
            Organisation(
                name=name,
                name_key=name_key(name),
                kind=kind_of.get(body.member_type) or ("laboratory" if college == "research" else "training"),
                city=body.city,
                region_code=codes.get(body.region, ""),
                simulated=True,
                created_at=moment_on(HISTORY_FROM),
            )
        )
    created = Organisation.objects.bulk_create(created, batch_size=1000)
    by_number = {body.number: made for body, made in zip(bodies, created, strict=True)}
    Identifier.objects.bulk_create(
        (
            Identifier(organisation=made, scheme="simulated", value=f"SIM-{number:05d}")
            for number, made in by_number.items()
        ),
        batch_size=1000,
    )
    size_of = {"sme": "pme", "mid": "eti", "large": "ge"}
    SizeCategory.objects.bulk_create(
        (
            SizeCategory(
                organisation=by_number[body.number],
                category=size_of[body.member_type],
                definition="fr",
                on=dt.date(2009, 12, 31),
                headcount=body.headcount,
                evidence="Effectif simulé",
                recorded_at=moment_on(dt.date(2010, 1, 15)),
                simulated=True,
            )
            for body in bodies
            if body.member_type in size_of
        ),
        batch_size=1000,
    )
    Membership.objects.bulk_create(
        (
            Membership(
                cluster=world.clusters[row.cluster],
                organisation=by_number[row.organisation],
                member_type=row.member_type,
                college=row.college,
                joined_on=row.joined_on,
                left_on=row.left_on,
                recorded_at=moment_on(row.left_on or row.joined_on),
                simulated=True,
            )
            for row in rows
        ),
        batch_size=1000,
    )
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.cluster] = counts.get(row.cluster, 0) + 1
    world.acts += [
        {
            "case": f"cluster:{slug}",
            "act": "members.simulate",
            "on": DAY,
            "after": {"memberships": count, "seed": seed, "simulated": True},
        }
        for slug, count in sorted(counts.items())
    ]


def carriers_and_teams(world: World) -> None:
    """Carriers (the known ones kept), permanent teams, boards and running budgets, simulated."""
    posts, seats, lines = [], [], []
    for slug, cluster in sorted(world.clusters.items()):
        known = Carrier.objects.filter(cluster=cluster).select_related("organisation").first()
        if known:
            world.carrier[slug] = known.organisation
        else:
            carrier = organisation(f"Structure de gouvernance de {cluster.name} (simulée)", "association")
            Carrier.objects.create(cluster=cluster, organisation=carrier, starts_on=world.since[slug], simulated=True)
            world.carrier[slug] = carrier
        since = world.since[slug]
        for key, fte, status in simulate.team(world.weight[slug], world.rng):
            posts.append(
                TeamPost(
                    cluster=cluster,
                    title=names.POSTS[key],
                    fte=fte,
                    status=status,
                    starts_on=since,
                    recorded_at=moment_on(since),
                    simulated=True,
                )
            )
        lines += _budgets(world, slug, cluster)
        seats += _board(world, cluster, since)
    TeamPost.objects.bulk_create(posts, batch_size=1000)
    BudgetLine.objects.bulk_create(lines, batch_size=1000)
    Seat.objects.bulk_create(seats, batch_size=1000)


def _budgets(world: World, slug: str, cluster: Cluster) -> list[BudgetLine]:
    lines = []
    for year in range(max(world.since[slug].year, 2007), DAY.year):
        for kind, amount in simulate.budget(world.weight[slug], year, world.rng).items():
            lines.append(
                BudgetLine(
                    cluster=cluster,
                    year=year,
                    kind=kind,
                    amount=amount,
                    recorded_at=moment_on(dt.date(year + 1, 3, 15)),
                    simulated=True,
                )
            )
    return lines


def _board(world: World, cluster: Cluster, since: dt.date) -> list[Seat]:
    """A board whose seats follow the sizes met in the sources (8 to 35), industrial and scientific actors ahead."""
    total = world.rng.choice([9, 12, 15, 17, 18, 21, 24])
    split = simulate.shares(
        total, {"industry": 0.5, "research": 0.2, "training": 0.1, "authority": 0.12, "other": 0.08}
    )
    body = GovernanceBody.objects.create(
        cluster=cluster, kind="board", title="Conseil d'administration", simulated=True
    )
    start = max(since, dt.date(2008, 6, 1))
    return [
        Seat(
            body=body,
            college=college,
            starts_on=start,
            ends_on=dt.date(start.year + 3, 5, 31),
            recorded_at=moment_on(start),
            simulated=True,
        )
        for college, count in split.items()
        for _ in range(count)
    ]


HOME_CLUSTER = "xylofutur"
YOUNG_CLUSTER = "avenia"
HOME_REGION = "Aquitaine"


def account(world: World, role: Any, organisations: list[Organisation], starts_on: dt.date, label: str = "") -> User:
    """An account of the demonstration: named by its role, signed in with one click, without password."""
    user, created = User.objects.get_or_create(
        email=f"{role.code.replace('_', '-')}@demonstration.invalid",
        defaults={
            "name": label or f"{role.title.in_language('fr')} (démonstration)",
            "demo_role": role.code,
            "simulated": True,
        },
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    for one in organisations:
        Mandate.objects.create(
            user=user, organisation=one, programme=world.programme, role=role.code, starts_on=starts_on
        )
    world.users[role.code] = user
    return user


def accounts(world: World) -> None:
    """One account per role of the policy, around two clusters of one region: one that lives its contract, one new."""
    ministry = organisation("DGCIS – équipe nationale des pôles", "state_service", simulated=False)
    observers = organisation("Lecteurs de la démonstration", "other")
    home, young = world.carrier[HOME_CLUSTER], world.carrier[YOUNG_CLUSTER]
    acts_for = {
        "state_correspondent": [world.services[HOME_REGION]],
        "prefect": [world.states[HOME_REGION]],
        "local_authority": [world.councils[HOME_REGION]],
        "authority_signatory": [world.councils[HOME_REGION]],
        "cluster_director": [home, young],
        "cluster_team": [home, young],
        "reader": [observers],
        "fund_manager": [organisation("OSEO, gestion du fonds unique interministériel", "bank", simulated=False)],
        "label_authority": [organisation("Comité interministériel, secrétariat", "state_service", simulated=False)],
        "qualified_person": [organisation("Personnalités qualifiées de la démonstration", "other")],
        "project_member": [
            organisation("Atelier des Pins (simulé)", "company", city=home.city, region_code=home.region_code)
        ],
        "expert": [organisation("Experts de la démonstration", "other")],
        "evaluator": [organisation("Cabinet d'évaluation de la démonstration", "company")],
        "bank_officer": [organisation("Banque de la démonstration", "bank")],
        "guarantor": [organisation("OSEO garantie", "bank", simulated=False)],
    }
    for role in policy().roles:
        if role.demo:
            account(world, role, acts_for.get(role.code, [ministry]), HISTORY_FROM)


def correspondents(world: World) -> None:
    """A State correspondent per region (accounts without sign-in, but for the demonstration's own)."""
    by_region: dict[str, User] = {HOME_REGION: world.users["state_correspondent"]}
    rows = []
    for slug, cluster in sorted(world.clusters.items()):
        region = world.region[slug]
        if not region:
            continue
        if region not in by_region:
            email = f"correspondant-{name_key(region).replace(' ', '-')}@demonstration.invalid"
            user = User(email=email, name=f"Correspondant de l'État, {region} (simulé)", simulated=True)
            user.set_unusable_password()
            user.save()
            Mandate.objects.create(
                user=user,
                organisation=world.services[region],
                programme=world.programme,
                role="state_correspondent",
                starts_on=HISTORY_FROM,
            )
            by_region[region] = user
        rows.append(
            Correspondent(
                cluster=cluster,
                user=by_region[region],
                organisation=world.services[region],
                starts_on=world.since[slug],
                simulated=True,
            )
        )
    Correspondent.objects.bulk_create(rows)


def small_world(world: World, say: Say) -> None:
    """The demonstration of a programme without a register of its own: one account per role, one organisation per side.

    Its register begins on screen, with whoever keeps it.
    """
    phases = sorted(policy().phases, key=lambda p: p.starts_on)
    day = phases[-1].starts_on + dt.timedelta(days=120) if phases else DAY
    Setting.objects.filter(key=clock.KEY).update(value={"day": day.isoformat(), "start": day.isoformat(), "seed": 0})
    words = policy().words
    kinds = {
        "state": ("state", "state_service"),
        "authority": ("authority", "authority"),
        "governance": ("governance_body", "company"),
    }
    bodies = {}
    for role in policy().roles:
        if not role.demo:
            continue
        if role.side not in bodies:
            word, kind = kinds.get(role.side, ("", "association"))
            title = words[word].in_language(policy().language) if word else ""
            name = f"{title[:1].upper()}{title[1:]} (démonstration)" if title else "Organisation de démonstration"
            bodies[role.side] = organisation(name, kind)
        account(world, role, [bodies[role.side]], phases[0].starts_on if phases else DAY)
    say("Démonstration : comptes par rôle.", "Demonstration: accounts by role.")
