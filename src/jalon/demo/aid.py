"""State aid in the demonstration: accounts, owners, de minimis awards, aid decided on projects, the clusters' own aid. Simulated.

What an officer would type is done by the same acts; the many lines that only fill the ledger are rows, made from the seed.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from jalon.aid import actions
from jalon.aid.models import Award, ClusterAid, ClusterYear, SizeFigures
from jalon.clusters.models import Cluster, Membership
from jalon.core.clock import moment_on
from jalon.demo.build import DAY, HOME_CLUSTER, World, organisation
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.people.queries import actor_of
from jalon.selection.models import Share

D = Decimal
FIRMS = 60
"""Member firms with accounts and de minimis awards."""
OBJECTS = (
    "Exonération d'impôt en zone de R&D",
    "Conseil en propriété industrielle",
    "Participation à un salon international",
    "Recrutement d'un cadre de R&D",
    "Diagnostic d'innovation",
)


def build(world: World, say: Any) -> None:
    """The company of the demonstration first, then the ledger."""
    if policy().part("aid") is None or "project_member" not in world.users:
        return
    say("Démonstration : registre des aides d'État…", "Demonstration: ledger of State aid…")
    _company(world)
    _ledger(world)
    _decided()
    _clusters(world)


def _company(world: World) -> None:
    """The partner company: a small firm, a quarter held by a group, two thirds of its room of de minimis used."""
    officer, manager = (actor_of(world.users[code], DAY) for code in ("national_officer", "fund_manager"))
    firm = Organisation.objects.get(pk=actor_of(world.users["project_member"], DAY).organisation_id)
    council = world.councils[sorted(world.councils)[0]]
    group = organisation("Groupe industriel Montclar (simulé)", "company", simulated=True)
    branch = organisation("Filiale d'essai Montclar (simulée)", "company", simulated=True)
    fund = organisation("Fonds régional d'amorçage (simulé)", "company", simulated=True)
    accounts = {
        firm: {2007: (31, 4_100_000, 3_200_000), 2008: (36, 5_200_000, 3_900_000), 2009: (38, 5_600_000, 4_300_000)},
        group: {2008: (420, 96_000_000, 71_000_000), 2009: (410, 91_000_000, 70_000_000)},
        branch: {2008: (12, 1_500_000, 900_000), 2009: (14, 1_800_000, 1_000_000)},
    }
    for owner, years in accounts.items():
        for year, (heads, turnover, balance) in years.items():
            actions.record_figures(
                owner, year, headcount=D(heads), turnover=D(turnover), balance=D(balance), by=officer, on=DAY,
                evidence=f"Liasse fiscale {year} (simulée)", simulated=True,
            )  # fmt: skip
    for owner, owned, share, kind, since in (
        (group, firm, "26", "firm", dt.date(2009, 11, 2)),
        (fund, firm, "30", "venture", dt.date(2007, 4, 16)),
        (firm, branch, "80", "firm", dt.date(2008, 1, 7)),
    ):
        actions.record_link(
            owner, owned, share=D(share), owner_kind=kind, starts_on=since, by=manager, on=DAY,
            evidence="Registre des mouvements de titres (simulé)", simulated=True,
        )  # fmt: skip
    for owner, amount, day, title in (
        (firm, "120000", dt.date(2008, 12, 22), "Exonération d'impôt en zone de R&D"),
        (branch, "45000", dt.date(2009, 6, 15), "Recrutement d'un cadre de R&D"),
        (firm, "160000", dt.date(2010, 2, 8), "Avance à l'innovation"),
    ):
        actions.record_award(
            owner, base="de_minimis", amount=D(amount), granted_on=day, authority=council, title=title, by=officer,
            on=DAY, simulated=True,
        )  # fmt: skip
    actions.record_award(
        firm, base="de_minimis", amount=D("18000"), granted_on=dt.date(2009, 9, 1), declared=True,
        authority_name="Chambre de commerce (simulée)", title="Conseil à l'export", simulated=True, on=DAY,
        by=actor_of(world.users["project_member"], DAY),
    )  # fmt: skip
    actions.record_award(
        firm, base="gber", amount=D("210000"), granted_on=dt.date(2010, 3, 15), authority=council,
        bases={"industrial": D("300000"), "experimental": D("100000")}, bonuses=["collaboration"],
        title="Capteurs embarqués", case="demo:capteurs", by=officer, on=DAY, simulated=True,
    )  # fmt: skip


def _ledger(world: World) -> None:
    """Accounts and de minimis lines of member firms: no undertaking above its ceiling."""
    at = moment_on(DAY, 9)
    councils = [world.councils[key] for key in sorted(world.councils)]
    firms = list(
        Membership.objects.filter(superseded_at=None, simulated=True, member_type="sme")
        .order_by("organisation_id")
        .values_list("organisation_id", flat=True)
        .distinct()[: FIRMS * 20 : 20]
    )
    figures, awards = [], []
    for firm in firms:
        heads = world.rng.randint(6, 140)
        for year in (2008, 2009):
            figures.append(
                SizeFigures(
                    organisation_id=firm, year=year, headcount=D(heads), turnover=D(heads * 110_000), balance=D(heads * 90_000),
                    evidence=f"Liasse fiscale {year} (simulée)", recorded_at=at, simulated=True,
                )
            )  # fmt: skip
        for _ in range(world.rng.randint(1, 3)):
            awards.append(
                Award(
                    beneficiary_id=firm,
                    authority=world.rng.choice(councils),
                    base="de_minimis",
                    rule_set="dm-crisis",
                    amount=D(world.rng.randrange(4_000, 90_000, 500)),
                    granted_on=dt.date(2009, 1, 5) + dt.timedelta(days=world.rng.randrange(520)),
                    title=world.rng.choice(OBJECTS),
                    recorded_at=at,
                    recorded_by="Jalon",
                    simulated=True,
                )
            )
    SizeFigures.objects.bulk_create(figures)
    Award.objects.bulk_create(awards)


def _decided() -> None:
    """The aid decided on the simulated projects, company by company, under the fund's notified scheme."""
    rows = Share.objects.filter(
        decided__gt=0, superseded_at=None, simulated=True, partner__kind="company", decided_on__lte=DAY
    ).select_related("partner", "project", "funder")
    Award.objects.bulk_create(
        [
            Award(
                beneficiary_id=share.partner.organisation_id,
                authority=share.funder,
                base="notified",
                instrument=share.instrument,
                amount=share.decided,
                eligible_cost=share.base,
                granted_on=share.decided_on,
                size=share.partner.size if share.partner.size_definition == "eu" else "",
                case=share.project.case,
                title=share.project.acronym,
                recorded_at=moment_on(share.decided_on, 9),
                recorded_by="Jalon",
                simulated=True,
            )
            for share in rows.iterator(chunk_size=2000)
        ],
        batch_size=500,
    )


def _clusters(world: World) -> None:
    """Running costs and public money of the home cluster and five others, 2006 to 2009."""
    at = moment_on(DAY, 9)
    slugs = [HOME_CLUSTER, *[s for s in sorted(world.clusters) if s != HOME_CLUSTER][:5]]
    years, lines = [], []
    for slug in slugs:
        cluster: Cluster | None = world.clusters.get(slug)
        state, council = world.states.get(world.region.get(slug, "")), world.councils.get(world.region.get(slug, ""))
        if cluster is None or state is None or council is None:
            continue
        for year in range(2006, 2010):
            cost = D(world.rng.randrange(600_000, 1_300_000, 1_000))
            public = cost * D(world.rng.randrange(42, 56)) / 100
            years.append(
                ClusterYear(
                    cluster=cluster, year=year, kind="operating", eligible=cost, evidence=f"Comptes {year} (simulés)",
                    recorded_at=at, simulated=True,
                )
            )  # fmt: skip
            for funder, part in ((state, public * D("0.6")), (council, public * D("0.4"))):
                lines.append(
                    ClusterAid(
                        cluster=cluster, year=year, kind="operating", funder=funder, amount=part.quantize(D("0.01")),
                        evidence="Convention (simulée)", recorded_at=at, simulated=True,
                    )
                )  # fmt: skip
    ClusterYear.objects.bulk_create(years)
    ClusterAid.objects.bulk_create(lines)
