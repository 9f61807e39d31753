"""A contract with its parties, ready to be negotiated and signed; used by the tests of contracts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from jalon.contracts import actions, content as doc, queries
from jalon.contracts.models import Contract, Text
from tests import factories as f

START = dt.date(2009, 3, 2)


@dataclass
class World:
    """The people of one contract."""

    cluster: Any
    state: Any
    region: Any
    department: Any
    correspondent: Any
    prefect: Any
    officer: Any
    director: Any
    region_agent: Any
    region_signatory: Any
    department_signatory: Any
    contract: Contract | None = None
    extra: dict = field(default_factory=dict)

    @property
    def text(self) -> Text:
        """The original text, read again."""
        return Text.objects.select_related("contract__cluster", "frozen").get(contract=self.contract, number=0)

    def text_no(self, number: int) -> Text:
        return Text.objects.select_related("contract__cluster", "frozen", "base").get(
            contract=self.contract, number=number
        )


def make_world(slug: str = "", *, group: str = "") -> World:
    """A labelled cluster, a State service with correspondent and prefect, two authorities, their people."""
    from jalon.clusters.models import ClusterGroup, ClusterTerritory
    from jalon.core import clock

    cluster = f.make_cluster(slug, label=True)
    ClusterTerritory.objects.create(cluster=cluster, region_set="regions-1970", region_code="72")
    if group:
        ClusterGroup.objects.create(
            cluster=cluster, evaluation="2008", group=group, on=dt.date(2008, 7, 1), recorded_at=clock.moment_on(START)
        )
    state = f.make_organisation(f"Préfecture de région {f.number()}", "state_service")
    region = f.make_organisation(f"Conseil régional {f.number()}", "authority", level="region")
    department = f.make_organisation(f"Conseil général {f.number()}", "authority", level="department")
    return World(
        cluster,
        state,
        region,
        department,
        correspondent=f.make_actor("state_correspondent", cluster, state),
        prefect=f.make_actor("prefect", cluster, state),
        officer=f.make_actor("national_officer"),
        director=f.make_actor("cluster_director", cluster),
        region_agent=f.make_actor("local_authority", organisation=region),
        region_signatory=f.make_actor("authority_signatory", organisation=region),
        department_signatory=f.make_actor("authority_signatory", organisation=department),
    )


def prepared(world: World, on: dt.date = START) -> World:
    """The contract, just made from the template."""
    world.contract = actions.prepare(
        world.cluster,
        phase="phase-2",
        starts_on=dt.date(2009, 1, 1),
        ends_on=dt.date(2011, 12, 31),
        parties=[
            ("state", world.state, "préfet de région"),
            ("authority", world.region, "président du conseil régional"),
            ("authority", world.department, "président du conseil général"),
            ("governance", f.carrier_of(world.cluster), "président de l'association"),
        ],
        by=world.correspondent,
        on=on,
    )
    return world


def filled_changes(text: Text) -> list[tuple[str, Any]]:
    """Everything the template asks for, written."""
    content = text.content
    changes: list[tuple[str, Any]] = [("territory", ["72"])]
    for article in content["articles"]:
        if not article["body"]:
            changes.append((f"articles/{article['key']}/body", f"Texte de l'article {article['title']}."))
    changes.append(
        (
            "objectives/o1",
            {
                "title": "Développer l'emploi",
                "body": "Deux cents emplois.",
                "actions": [
                    {
                        "key": "a1",
                        "title": "Salons professionnels",
                        "owner": "Équipe du pôle",
                        "starts_on": "2009-02-01",
                        "ends_on": "2010-12-31",
                        "budget": "50000",
                        "milestones": [{"key": "m1", "title": "Premier salon", "due_on": "2009-10-15"}],
                    }
                ],
            },
        )
    )
    for indicator in content["indicators"]:
        for year, value in (("2009", "100"), ("2010", "110"), ("2011", "120")):
            changes.append((f"indicators/{indicator['key']}/targets/{year}", value))
    changes.append(
        (
            "indicators/i90",
            {
                "title": "Emplois créés",
                "unit": "count",
                "direction": "up",
                "objective": "o1",
                "targets": {"2011": "200"},
            },
        )
    )
    for commitment in content["commitments"]:
        for year in (2009, 2010, 2011):
            changes.append((f"commitments/{commitment['key']}/amounts/{year}", "100000"))
            changes.append((f"commitments/{commitment['key']}/due/{year}", f"{year}-10-31"))
    return changes


def filled(world: World, on: dt.date = START) -> World:
    """The contract with everything written, its annexes joined; still being prepared."""
    prepared(world, on)
    actions.propose(world.text, filled_changes(world.text), by=world.correspondent, on=on)
    give_annexes(world, on)
    return world


def give_annexes(world: World, on: dt.date = START) -> None:
    """Annexes: members and label from the register, the rest as files."""
    f.make_membership(world.cluster)
    actions.take_annexes(world.text, by=world.correspondent, on=on)
    have = {a.key for a in queries.annexes_of(world.text)}
    for rule in queries.template_of(world.contract).annexes:
        if rule.required and rule.key not in have:
            actions.add_annex(
                world.text, rule.key, b"%PDF-1.4 piece", f"{rule.key}.pdf", dated=on, by=world.correspondent, on=on
            )


def negotiated(world: World, on: dt.date = START) -> World:
    """In negotiation, everything written."""
    filled(world, on)
    actions.open_negotiation(world.text, by=world.correspondent, on=on)
    return world


def signing(world: World, on: dt.date = START) -> World:
    """Frozen and open for signature; nobody has decided or signed."""
    negotiated(world, on)
    actions.open_signature(world.text, by=world.correspondent, on=on)
    return world


def decide_all(world: World, text: Text | None = None, on: dt.date = START) -> None:
    """Both authorities approve."""
    for actor, reference in ((world.region_signatory, "2009-12"), (world.department_signatory, "CG-7")):
        actions.decide(text or world.text, by=actor, on=on, decided_on=on, reference=reference)


def sign_as(world: World, actor: Any, text: Text | None = None, on: dt.date = START, **more: Any) -> Any:
    """Sign the text that is open."""
    text = text or world.text
    return actions.sign(text, by=actor, on=on, sha256=more.pop("sha256", text.frozen.sha256), **more)


def signed(world: World, on: dt.date = START) -> World:
    """Signed by all four."""
    signing(world, on)
    decide_all(world, on=on)
    for actor in (world.director, world.region_signatory, world.department_signatory, world.prefect):
        sign_as(world, actor, on=on)
    world.contract.refresh_from_db()
    return world


__all__ = ["START", "World", "decide_all", "doc", "filled", "make_world", "negotiated", "prepared", "sign_as", "signed"]
