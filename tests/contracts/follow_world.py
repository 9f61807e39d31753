"""A signed contract that is being lived, for the tests of the follow-up: objectives, indicators, commitments, a round."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jalon.contracts.binding import bind
from jalon.contracts.models import Commitment, Contract, Report, Text
from jalon.core import clock
from tests import factories as f

SIGNED = dt.date(2009, 3, 2)
DAY = dt.date(2010, 3, 10)


def content(region: Any) -> dict[str, Any]:
    """What the contract of the tests promises, on both sides."""
    return {
        "title": "Contrat de performance 2009-2011",
        "starts_on": "2009-01-01",
        "ends_on": "2011-12-31",
        "improvement_axes": [],
        "objectives": [
            {
                "key": "o1",
                "title": "Faire émerger des projets",
                "axis": None,
                "actions": [
                    {
                        "key": "a1",
                        "title": "Atelier annuel",
                        "owner": "Pôle",
                        "starts_on": "2009-02-01",
                        "ends_on": "2009-12-31",
                        "budget": "20000",
                        "deliverables": "Compte rendu",
                        "milestones": [{"key": "m1", "title": "Lieu retenu", "due_on": "2009-06-30"}],
                    },
                    {
                        "key": "a2",
                        "title": "Plateforme partagée",
                        "owner": "Pôle",
                        "starts_on": "2010-01-01",
                        "ends_on": "2011-06-30",
                        "budget": "90000",
                        "deliverables": "",
                        "milestones": [],
                    },
                ],
            },
            {"key": "o2", "title": "Accompagner les PME", "axis": None, "actions": []},
        ],
        "indicators": [
            {
                "key": "i1",
                "code": "members_total",
                "title": "Nombre de membres",
                "unit": "count",
                "definition": "",
                "direction": "up",
                "common": True,
                "objective": None,
                "baseline": "2",
                "baseline_on": "2008-12-31",
                "targets": {"2009": "3", "2010": "4"},
            },
            {
                "key": "i2",
                "code": "projects_labelled",
                "title": "Projets labellisés",
                "unit": "count",
                "definition": "",
                "direction": "up",
                "common": True,
                "objective": "o1",
                "baseline": "8",
                "baseline_on": "2008-12-31",
                "targets": {"2009": "12", "2010": "14"},
            },
            {
                "key": "i3",
                "code": None,
                "title": "Visites d'entreprises",
                "unit": "nombre",
                "definition": "Visites faites par l'équipe",
                "direction": "up",
                "common": False,
                "objective": "o2",
                "baseline": None,
                "baseline_on": None,
                "targets": {"2009": "30"},
            },
        ],
        "commitments": [
            {
                "key": "c1",
                "party": "authority1",
                "kind": "money",
                "title": "Animation",
                "amounts": {"2009": "100000", "2010": "100000"},
                "due": {"2009": "2009-10-31", "2010": "2010-10-31"},
            },
            {
                "key": "c2",
                "party": "state",
                "kind": "support",
                "title": "Un correspondant désigné",
                "amounts": {},
                "due": {},
            },
        ],
    }


@dataclass
class Lived:
    """The people and rows of one lived contract."""

    cluster: Any
    contract: Contract
    round: Any
    report: Report
    director: Any
    team: Any
    correspondent: Any
    officer: Any
    region: Any
    other_director: Any


def make_lived(slug: str = "") -> Lived:
    """A signed contract with its rows, three members, round 2009 open with its report."""
    cluster = f.make_cluster(slug, label=True)
    region = f.make_actor("local_authority")
    contract = f.make_contract(cluster, parties=[region.organisation_id], state="signed", signed_on=SIGNED)
    text = Text.objects.get(contract=contract)
    text.content = {**text.content, **content(region)}
    text.effective_on = SIGNED
    text.save()
    bind(text, at=clock.moment_on(SIGNED))
    contract.refresh_from_db()
    for kind, joined, left in (
        ("sme", "2006-01-01", None),
        ("sme", "2009-05-01", None),
        ("large", "2007-01-01", "2009-08-31"),
        ("research_training", "2006-02-01", None),
    ):
        f.make_membership(
            cluster,
            joined_on=dt.date.fromisoformat(joined),
            member_type=kind,
            left_on=dt.date.fromisoformat(left) if left else None,
        )
    from jalon.programme.models import Round

    round = Round.objects.filter(code="2009").first() or f.make_round("2009", opens_on=dt.date(2010, 1, 1))
    report = f.make_report(contract, round)
    return Lived(
        cluster,
        contract,
        round,
        report,
        director=f.make_actor("cluster_director", cluster),
        team=f.make_actor("cluster_team", cluster),
        correspondent=f.make_actor("state_correspondent", cluster),
        officer=f.make_actor("national_officer"),
        region=region,
        other_director=f.make_actor("cluster_director", f.make_cluster()),
    )


def money(contract: Contract, year: int) -> Commitment:
    """The region's money of a year."""
    return Commitment.objects.select_related("party__organisation", "contract__cluster").get(
        contract=contract, kind="money", year=year, superseded_at__isnull=True
    )


HUNDRED = Decimal(100000)
