"""Decisions of the demonstration: the real ones from their sources, and one simulated proposal in progress."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.clusters.models import Label
from jalon.core.clock import moment_on
from jalon.decisions import actions, candidacies
from jalon.decisions.loading import load_known_if_changed
from jalon.decisions.rules import part_of
from jalon.demo.build import World
from jalon.interests.actions import declare
from jalon.people.access import policy
from jalon.people.models import Mandate
from jalon.people.queries import actor_from

PROPOSED = dt.date(2010, 6, 14)
SUBJECTS = ("novalog", "pass")
"""Two of the clusters renewed in 2010, in a proposal that nobody made: it is simulated, and says so."""


def build(world: World, say: Any) -> None:
    """Known decisions and calls; a proposal whose opinion is awaited; a call whose applications are under review."""
    if part_of(policy()) is None:
        return
    load_known_if_changed(world.programme)
    proposal(world)
    call(world)


def acting(world: World, role: str) -> Any:
    """The demonstration's account of a role, as an actor."""
    mandate = (
        Mandate.objects.filter(user=world.users[role]).select_related("user", "organisation").order_by("pk").first()
    )
    return actor_from(mandate)


def at(day: dt.date, hour: int = 10) -> dict[str, Any]:
    return {"on": day, "at": moment_on(day, hour)}


def proposal(world: World) -> None:
    """The national officer proposes to withdraw two labels at the end of the year; the bodies have not answered yet."""
    officer = acting(world, "national_officer")
    lines = [
        (world.clusters[slug], Label.objects.filter(held_by__cluster=world.clusters[slug]).order_by("pk").first())
        for slug in SUBJECTS
        if slug in world.clusters
    ]
    if not lines:
        return
    made = actions.open_decision(
        title="Retrait du label de deux pôles (proposition simulée)",
        slug="proposition-simulee-2010",
        grounds="Proposition simulée pour la démonstration : elle montre les effets en avance, les avis et la décision. "
        "Rien de tel n'a été proposé.",
        lines=[
            actions.NewLine(
                "withdraw",
                dt.date(2010, 12, 31),
                cluster=cluster,
                label=label,
                reasons="Motif simulé : la réorganisation demandée en mai 2010 n'est pas engagée.",
            )
            for cluster, label in lines
        ],
        by=officer,
        simulated=True,
        **at(PROPOSED),
    )
    actions.submit(made, by=officer, **at(PROPOSED, 11))


def call(world: World) -> None:
    """A simulated call for applications: one draft of the demonstration's company, one file at each level of review."""
    officer, company = acting(world, "national_officer"), acting(world, "project_member")
    opened = candidacies.add_call(
        code="appel-simule-2010",
        title_fr="Appel à candidatures simulé (printemps 2010)",
        title_en="Simulated call for applications (spring 2010)",
        opens_on=dt.date(2010, 5, 17),
        closes_on=dt.date(2010, 7, 16),
        by=officer,
        simulated=True,
        **at(dt.date(2010, 5, 17), 9),
    )
    candidacies.move_call(opened, "open", by=officer, **at(dt.date(2010, 5, 17)))
    regions = [r.code for r in policy().regions_on(PROPOSED).regions if str(r.name) == "Aquitaine"]
    for name, sent in (("Bois bâti (candidature simulée)", True), ("Chaleur des forêts (candidature simulée)", False)):
        row = candidacies.start(
            opened,
            name=name,
            slug=name.split(" (")[0].lower().replace(" ", "-").replace("â", "a").replace("ê", "e"),
            by=company,
            simulated=True,
            **at(dt.date(2010, 5, 26)),
        )
        row = candidacies.edit(
            row,
            rev=row.rev,
            regions=regions,
            city="Bordeaux",
            content={
                "theme": "Texte simulé. Construction en bois et rénovation.",
                "stakes": "Texte simulé. Marchés visés et emplois du territoire." if sent else "",
                "axes": "Texte simulé. Assemblages, durabilité, acoustique.",
                "partnership": "Texte simulé. Entreprises, laboratoire et centre de formation du territoire.",
                "collaboration": "Texte simulé. Trois projets montés en commun.",
            },
            partners=[
                {"name": "Atelier des Pins (simulé)", "kind": "company"},
                {"name": "Charpentes du Sud (simulé)", "kind": "company"},
                {"name": "Laboratoire du bois (simulé)", "kind": "research"},
            ],
            by=company,
            **at(dt.date(2010, 6, 2)),
        )
        if sent:
            row = candidacies.submit(row, by=company, **at(dt.date(2010, 6, 9)))
            prefect = acting(world, "prefect")
            declare(row.case, "none", by=prefect, simulated=True, **at(dt.date(2010, 6, 21), 9))
            candidacies.review(
                row,
                opinion="favourable",
                justification="Avis simulé : partenariat solide sur le territoire.",
                by=prefect,
                **at(dt.date(2010, 6, 21)),
            )
