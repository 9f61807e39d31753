"""What the facts do not tell, drawn from a seed and held to the published aggregates. Pure functions.

Calibration (data/fr-poles-de-competitivite/national_figures.yaml, with sources): 187 members per cluster early in
2012, 50 % more than in 2008; 57 % SMEs, 8 % mid-size, 7 % large, 17 % research and training, 11 % others; teams of
11 full-time equivalents of whom 8 employees; running budgets of 1.09 M€ in 2011; a public share that falls from 75 %
towards the 50 % that the policy asked for.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

SEED = 20050712
"""The day of the first labels; another seed gives another demonstration with the same totals."""

TYPES: Mapping[str, float] = {"sme": 0.57, "mid": 0.08, "large": 0.07, "research_training": 0.17, "other": 0.11}
COLLEGE = {"sme": "industry", "mid": "industry", "large": "industry", "other": "other"}
MEAN_2012 = 187
MEAN_2008 = MEAN_2012 / 1.5
DEPARTURES = 0.045
"""Share of members that leave in a year (ours: published departures count establishments, not members)."""


@dataclass(frozen=True)
class SimulatedMember:
    """A membership: the cluster, the number of the simulated organisation, type, college, days."""

    cluster: str
    organisation: int
    joined_on: dt.date
    left_on: dt.date | None
    member_type: str
    college: str


@dataclass(frozen=True)
class SimulatedOrganisation:
    """An organisation that does not exist: its number, type, town and region, headcount at a day."""

    number: int
    member_type: str
    city: str
    region: str
    headcount: int


@dataclass(frozen=True)
class Place:
    """Where a cluster's members are drawn from: its towns and regions, and since when it has had a label."""

    cluster: str
    city: str
    region: str
    family: str
    since: dt.date
    weight: float


def mean_on(day: dt.date) -> float:
    """Mean number of members per cluster on ``day``: straight lines between 2005, 2008 and 2012."""
    points = [(dt.date(2005, 7, 12), 40.0), (dt.date(2008, 1, 1), MEAN_2008), (dt.date(2012, 1, 1), float(MEAN_2012))]
    if day <= points[0][0]:
        return points[0][1]
    for (a, low), (b, high) in zip(points, points[1:], strict=False):
        if day <= b:
            return low + (high - low) * (day - a).days / (b - a).days
    return points[-1][1]


def shares(total: int, parts: Mapping[str, float]) -> dict[str, int]:
    """``total`` split by ``parts`` with largest remainders: the counts add up to the total."""
    exact = {k: total * v / sum(parts.values()) for k, v in parts.items()}
    found = {k: int(v) for k, v in exact.items()}
    for key in sorted(exact, key=lambda k: (found[k] - exact[k], k))[: total - sum(found.values())]:
        found[key] += 1
    return found


def sizes(places: Sequence[Place], mean: float) -> dict[str, int]:
    """Number of members of each cluster, in proportion to its weight, whose mean is ``mean`` (rounded)."""
    total = round(mean * len(places))
    return shares(total, {p.cluster: p.weight for p in places})


def members(
    places: Sequence[Place], until: dt.date, seed: int = SEED
) -> tuple[list[SimulatedOrganisation], list[SimulatedMember]]:
    """Organisations and memberships of all clusters up to ``until``.

    On ``until`` the mean per cluster is :func:`mean_on` and the types have the published shares. About one
    organisation in ten belongs to a second cluster of the same region or family.
    """
    rng = random.Random(seed)
    wanted = sizes(places, mean_on(until))
    types: list[str] = []
    for kind, count in shares(sum(wanted.values()), TYPES).items():
        types += [kind] * count
    rng.shuffle(types)
    organisations: list[SimulatedOrganisation] = []
    rows: list[SimulatedMember] = []
    pool: dict[tuple[str, str], list[int]] = {}
    for place in places:
        taken: set[int] = set()
        for _ in range(wanted[place.cluster]):
            kind = types.pop()
            number = _organisation(rng, place, kind, organisations, pool, taken)
            taken.add(number)
            rows.append(_membership(rng, place, number, kind, until, left=False))
        gone = round(wanted[place.cluster] * DEPARTURES * max(0.0, (until - place.since).days / 365.25))
        for _ in range(gone):
            kind = rng.choices(list(TYPES), list(TYPES.values()))[0]
            number = _organisation(rng, place, kind, organisations, pool, taken)
            taken.add(number)
            rows.append(_membership(rng, place, number, kind, until, left=True))
    return organisations, rows


def _organisation(
    rng: random.Random,
    place: Place,
    kind: str,
    organisations: list[SimulatedOrganisation],
    pool: dict[tuple[str, str], list[int]],
    taken: set[int],
) -> int:
    if rng.random() < 0.10:
        near = pool.get((kind, place.region), []) + pool.get((kind, place.family), [])
        for _ in range(3):
            if near:
                number = rng.choice(near)
                if number not in taken:
                    return number
    number = len(organisations) + 1
    low, high = {"sme": (3, 249), "mid": (250, 4999), "large": (5000, 60000)}.get(kind, (10, 3000))
    headcount = int(low * (high / low) ** rng.random())
    organisations.append(SimulatedOrganisation(number, kind, place.city, place.region, headcount))
    for key in (place.region, place.family):
        pool.setdefault((kind, key), []).append(number)
    return number


def _membership(
    rng: random.Random, place: Place, number: int, kind: str, until: dt.date, *, left: bool
) -> SimulatedMember:
    # A founder in three joined with the label; the others came more and more often, as published growth shows.
    span = max((until - place.since).days, 1)
    offset = 0 if rng.random() < 0.33 else int(span * rng.random() ** 0.8)
    joined = place.since + dt.timedelta(days=min(offset, span - 1))
    left_on = None
    if left:
        stayed = max(30, int((until - joined).days * rng.random()))
        left_on = min(joined + dt.timedelta(days=stayed), until - dt.timedelta(days=1))
        if left_on < joined:
            left_on = joined
        if rng.random() < 0.7:  # most leave at the end of a year, when fees fall due
            end = dt.date(left_on.year, 12, 31)
            left_on = end if joined <= end < until else left_on
    college = COLLEGE.get(kind) or ("research" if rng.random() < 0.65 else "training")
    return SimulatedMember(place.cluster, number, joined, left_on, kind, college)


def team(weight: float, rng: random.Random) -> list[tuple[str, Decimal, str]]:
    """Posts of a permanent team: ``(title key, full-time equivalents, employed or seconded)``."""
    total = max(3.0, min(30.0, 11 * weight))
    posts: list[tuple[str, Decimal, str]] = [
        ("director", Decimal(1), "employed"),
        ("assistant", Decimal(1), "employed"),
    ]
    left = total - 2
    keys = ("projects", "projects", "international", "communication", "sme", "skills", "intelligence", "platforms")
    place = 0
    while left > 0.2:
        fte = Decimal(str(min(left, rng.choice([1, 1, 1, 0.8, 0.5]))))
        posts.append((keys[place % len(keys)], fte, "seconded" if rng.random() < 0.27 else "employed"))
        left -= float(fte)
        place += 1
    return posts


def public_share(year: int) -> float:
    """Public share of running budgets: 75 % in phase 1, towards 50 % at the end of phase 2, then 54 % public in 2015."""
    known = {2007: 0.75, 2008: 0.75, 2009: 0.68, 2010: 0.62, 2011: 0.56, 2012: 0.54}
    return known.get(year, 0.75 if year < 2007 else 0.54)


def budget(weight: float, year: int, rng: random.Random) -> dict[str, Decimal]:
    """Running budget of a carrier for a year, by kind of income, in euros; in kind is counted apart."""
    total = 1_090_000 * weight * (0.9 + 0.03 * (year - 2008))
    share = min(0.9, max(0.3, public_share(year) + rng.uniform(-0.08, 0.08)))
    public, private = total * share, total * (1 - share)
    state = public * rng.uniform(0.42, 0.52)
    europe = public * rng.uniform(0.0, 0.1)
    fees = private * rng.uniform(0.45, 0.6)
    sponsorship = private * rng.uniform(0.0, 0.15)

    def euros(value: float) -> Decimal:
        return Decimal(round(value / 100) * 100)

    return {
        "state": euros(state),
        "local": euros(public - state - europe),
        "europe": euros(europe),
        "fees": euros(fees),
        "services": euros(private - fees - sponsorship),
        "sponsorship": euros(sponsorship),
        "in_kind": euros(total * rng.uniform(0.08, 0.2)),
    }


def weight_of(published: int | None, rng: random.Random) -> float:
    """Relative size of a cluster: from its published number of members where there is one, drawn otherwise."""
    if published:
        return max(0.35, min(3.2, published / MEAN_2012))
    return min(2.5, max(0.4, rng.lognormvariate(-0.12, 0.5)))
