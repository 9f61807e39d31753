"""A small world for decisions: two labelled clusters with contracts, everybody who proposes, gives opinions, decides, notifies."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

from jalon.clusters import actions as register
from jalon.contracts.models import Commitment, Text
from jalon.core import clock
from jalon.decisions import actions
from tests import factories as make

DAY = make.DAY
UNTIL = dt.date(2011, 12, 31)


def label_of(cluster: Any) -> Any:
    """The label that ``make_cluster(label=True)`` gave."""
    return cluster.labels.get()


def bounded(cluster: Any, until: dt.date = UNTIL) -> Any:
    """The cluster's label ends on a day, as a label does: its only act is corrected."""
    label = label_of(cluster)
    label.acts.update(until=until)
    register.make_periods(label)
    return label


def promise(contract: Any, party: Any, year: int, amount: int = 1000, due: dt.date | None = None) -> Any:
    """Money promised for a year, by a text of the contract."""
    return Commitment.objects.create(
        contract=contract,
        party=party,
        key=f"{party.key}-{year}",
        year=year,
        amount=amount,
        due_on=due or dt.date(year, 6, 30),
        text=Text.objects.filter(contract=contract).first(),
        recorded_at=clock.moment_on(dt.date(2009, 3, 2)),
    )


def build(*, signed: bool = True) -> SimpleNamespace:
    """``gamma`` has a signed contract with promises of 2009 to 2011; ``delta`` has none."""
    gamma, delta = make.make_cluster("gamma-d", label=True), make.make_cluster("delta-d", label=True)
    for one in (gamma, delta):
        bounded(one)
    region = make.make_organisation("Conseil régional d'essai", "authority")
    contract = make.make_contract(
        gamma, "gamma-2009", parties=[region], state="signed" if signed else "negotiation",
        signed_on=dt.date(2009, 6, 30) if signed else None,
    )  # fmt: skip
    state = contract.parties.get(kind="state")
    promises = [promise(contract, state, year) for year in (2009, 2010, 2011)]
    return SimpleNamespace(
        gamma=gamma,
        delta=delta,
        label=label_of(gamma),
        other_label=label_of(delta),
        contract=contract,
        promises=promises,
        officer=make.make_actor("national_officer"),
        expert=make.make_actor("ministry_expert"),
        authority=make.make_actor("label_authority"),
        qualified=make.make_actor("qualified_person"),
        director=make.make_actor("cluster_director", cluster=gamma),
        other_director=make.make_actor("cluster_director", cluster=delta),
        correspondent=make.make_actor("state_correspondent", cluster=gamma),
        company=make.make_actor("project_member"),
        reader=make.make_actor("reader"),
    )


def withdrawal(world: Any, cluster: Any = None, effective: dt.date = DAY, **more: Any) -> actions.NewLine:
    cluster = cluster or world.gamma
    return actions.NewLine(
        "withdraw", effective, cluster=cluster, label=label_of(cluster), reasons="Motif d'essai.", **more
    )


def proposed(
    world: Any, *lines: actions.NewLine, on: dt.date = DAY, opinion: str = "favourable", slug: str = "essai"
) -> Any:
    """A file with its opinions: ready to be decided."""
    file = actions.open_decision(
        title="Dossier d'essai",
        slug=slug,
        grounds="Essai.",
        lines=lines or [withdrawal(world)],
        by=world.officer,
        on=on,
    )
    actions.submit(file, by=world.officer, on=on)
    if opinion:
        text = "Réserve." if opinion in ("reserved", "unfavourable") else ""
        actions.opine(file, "gti", opinion, text=text, by=world.expert, on=on)
    file.refresh_from_db()
    return file


def decided(world: Any, *lines: actions.NewLine, on: dt.date = DAY, slug: str = "essai", **more: Any) -> Any:
    """The same, decided and published."""
    file = proposed(world, *lines, on=on, slug=slug)
    return actions.decide(
        file,
        **{
            "authority": "interministerial-committee",
            "reference": "CIADT d'essai",
            "decided_on": on,
            "published_on": on,
            "by": world.authority,
            "on": on,
            **more,
        },
    )
