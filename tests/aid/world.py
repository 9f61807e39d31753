"""A small world of State aid: a firm, its parent, two authorities, the keepers of the ledger."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

from jalon.aid import actions
from tests import factories as make

DAY = dt.date(2025, 6, 30)
"""A day under regulation 2023/2831 and the rules of 2023."""


def build(day: dt.date = DAY, cluster=None):
    """``world.firm`` (small, two closed years), ``world.parent``, ``world.region``, and who acts."""
    cluster = cluster or make.make_cluster("aide", label=True)
    firm = make.make_organisation("Capteurs du Midi", siret=True, postcode="31000", activity_code="26.51B")
    parent = make.make_organisation("Groupe Ravel", siret=True)
    region = make.make_organisation("Région d'essai", "authority", siret=True)
    city = make.make_organisation("Métropole d'essai", "authority", siret=True)
    world = SimpleNamespace(
        day=day,
        cluster=cluster,
        firm=firm,
        parent=parent,
        region=region,
        city=city,
        manager=make.make_actor("fund_manager"),
        officer=make.make_actor("national_officer"),
        region_agent=make.make_actor("local_authority", organisation=region),
        city_agent=make.make_actor("local_authority", organisation=city),
        member=make.make_actor("project_member", organisation=firm),
        director=make.make_actor("cluster_director", cluster=cluster),
        reader=make.make_actor("reader"),
    )
    for year in (day.year - 2, day.year - 1):
        figures(world, world.firm, year)
    return world


def figures(world, organisation, year, headcount=40, turnover=8_000_000, balance=7_000_000):
    """A closed year of an organisation, with its evidence."""
    return actions.record_figures(
        organisation,
        year,
        headcount=Decimal(headcount),
        turnover=Decimal(turnover),
        balance=Decimal(balance),
        evidence=f"Liasse fiscale {year}",
        by=world.manager,
        on=world.day,
    )


def small(world, amount, granted_on=None, **more):
    """A de minimis award of the region to the firm."""
    more.setdefault("beneficiary", world.firm)
    more.setdefault("authority", world.region)
    more.setdefault("by", world.region_agent)
    return actions.record_award(
        more.pop("beneficiary"),
        base=more.pop("base", "de_minimis"),
        amount=None if amount is None else Decimal(amount),
        granted_on=granted_on or world.day,
        on=more.pop("on", world.day),
        **more,
    )


def project_aid(world, amount, **more):
    """An award of the region for industrial research, on 100,000 € of eligible costs."""
    more.setdefault("bases", {"industrial": Decimal(100_000)})
    more.setdefault("bonuses", ["collaboration"])
    more.setdefault("case", "project:essai")
    return small(world, amount, base="gber", **more)
