"""State aid in the small data set: a company with accounts, an owner, awards of the region, the cluster's own aid."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from jalon.aid import actions
from jalon.people.models import Organisation
from jalon.people.queries import actor_of
from tests import factories as f

DAY = f.DAY


def extend(world) -> None:
    """``aid_firm`` is the company of the project member; ``aid_award`` was granted to it by the region."""

    def actor(who):
        return actor_of(world.users[who], DAY)

    member, agent, officer = actor("project_member"), actor("local_authority"), actor("national_officer")
    firm = Organisation.objects.get(pk=member.organisation_id)
    region = Organisation.objects.get(pk=agent.organisation_id)
    for year in (2008, 2009):
        actions.record_figures(
            firm, year, headcount=Decimal(20), turnover=Decimal(3_000_000), balance=Decimal(2_500_000),
            evidence="Liasse", by=officer, on=DAY,
        )  # fmt: skip
    owner = f.make_organisation("Groupe qui détient")
    link = actions.record_link(
        owner, firm, share=Decimal(30), starts_on=dt.date(2006, 1, 1), evidence="Statuts", by=officer, on=DAY
    )
    award = actions.record_award(
        firm,
        base="de_minimis",
        amount=Decimal(40_000),
        granted_on=dt.date(2010, 3, 1),
        authority=region,
        by=agent,
        on=DAY,
    )
    cluster = world.world.cluster
    actions.record_cluster_year(
        cluster, 2009, "operating", eligible=Decimal(1_000_000), evidence="Comptes", by=officer, on=DAY
    )
    actions.record_cluster_aid(
        cluster, 2009, "operating", funder=region, amount=Decimal(300_000), evidence="Convention", by=officer, on=DAY
    )
    world.args |= {"aid_firm": firm.pk, "aid_award": award.pk, "aid_link": link.pk, "aid_region": region.name}
