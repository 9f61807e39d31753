"""A small world for projects: an open call, a consortium of two companies and a laboratory, a complete file.

call = make_call()                       # fund call, rules of the policy, open around DAY
world = consortium(call)                 # draft, complete: world.project, world.leader, world.partner, world.lab
label(world.project, cluster)            # a row of the register of labels, as the labelling procedure writes it
world = submitted()                      # all of it, handed in (and labelled by world.cluster)
world = admissible()                     # … and declared admissible by world.officer
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from jalon.core import clock
from jalon.projects import actions
from jalon.projects.models import Call, Partner, Project, ProjectLabel
from jalon.projects.rules import Line
from tests import factories as make

DAY = make.DAY
PDF = b"%PDF-1.4 piece"
DEPARTMENT = "33"
"""In Aquitaine: the territory of the pôle that labels."""
BUDGETS = {"p1": Decimal("900000.00"), "p2": Decimal("600000.00"), "p3": Decimal("500000.00")}
"""Leader (small company), second company (mid-size), laboratory (marginal cost)."""


def make_call(
    scheme: str = "fui",
    *,
    by: Any = None,
    on: dt.date = DAY - dt.timedelta(days=60),
    closes_on: dt.date | None = DAY + dt.timedelta(days=30),
    **values: Any,
) -> Call:
    """A call opened by a national officer, with the rules of the policy on the day."""
    by = by or make.make_actor("national_officer")
    values.setdefault("code", f"appel-{make.number()}")
    return actions.open_call(scheme, by=by, on=on, closes_on=closes_on, **values)


def lines(total: Decimal, year: int = 2011) -> list[Line]:
    """A budget of that total over two years: staff in industrial research, equipment in experimental development."""
    staff = (total * 3 / 4).quantize(Decimal("0.01"))
    return [
        Line(year, "personnel", staff, "applied", "industrial"),
        Line(year + 1, "equipment", total - staff, "experimental", "experimental"),
    ]


def make_project(call: Call, leader: Any, acronym: str = "", *, on: dt.date = DAY, **fields: Any) -> Project:
    """A draft led by ``leader``'s organisation, its texts written."""
    acronym = acronym or f"PROJET{make.number()}"
    project = actions.start_project(call, acronym, f"Titre de {acronym}", by=leader, on=on)
    values: dict[str, Any] = {
        "starts_on": dt.date(2011, 1, 1),
        "months": 36,
        "summary": "Un résumé que tout le monde peut lire.",
        "confidential": "La description complète, lue par qui instruit le dossier.",
        "keywords": ["bois", "chimie"],
        "trl_entry": 3,
        "trl_target": 4,
        "other_funding": False,
        **fields,
    }
    for name, value in values.items():
        actions.set_field(project, name, value, by=leader, on=on)
    project.refresh_from_db()
    return project


def consortium(call: Call | None = None, *, on: dt.date = DAY, acronym: str = "", **fields: Any) -> SimpleNamespace:
    """A complete draft: small company (leader), mid-size company, laboratory, budgets, papers. Not labelled yet."""
    call = call or make_call()
    leader = make.make_actor("project_member", organisation=make.make_organisation(kind="company", siret=True))
    partner = make.make_actor("project_member", organisation=make.make_organisation(kind="company", siret=True))
    lab = make.make_actor("project_member", organisation=make.make_organisation(kind="laboratory"))
    project = make_project(call, leader, acronym, on=on, **fields)
    who = {"by": leader, "on": on}
    place = {"department": DEPARTMENT, "in_territory": True}
    actions.save_section(project, "partner:p1", {"size": "small", **place}, **who)
    for actor, kind, values in (
        (partner, "company", {"size": "eti", **place}),
        (lab, "research", {"cost_basis": "marginal", **place}),
    ):
        organisation = make.Organisation.objects.get(pk=actor.organisation_id)
        actions.add_partner(project, organisation, kind=kind, **values, **who)
    for key, total in BUDGETS.items():
        actions.set_budget(project, key, lines(total), asked=[(None, ASKED[key])], **who)
    for rule in project.rules.rules["papers"]:
        if rule["required"] and rule["scope"] == "project":
            actions.add_paper(project, rule["code"], PDF, "annexe.pdf", **who)
    project.refresh_from_db()
    return SimpleNamespace(
        call=call, project=project, leader=leader, partner=partner, lab=lab, partners=parts_of(project)
    )


ASKED = {"p1": Decimal("400000.00"), "p2": Decimal("180000.00"), "p3": Decimal("300000.00")}


def parts_of(project: Project) -> dict[str, Partner]:
    """The partners by key."""
    return {p.key: p for p in Partner.objects.filter(project=project).select_related("organisation")}


def make_pole(slug: str = "", *, region: str = "72", **fields: Any):
    """A labelled cluster whose territory is a region of 1970 (Aquitaine unless said otherwise)."""
    cluster = make.make_cluster(slug, label=True, **fields)
    cluster.territories.create(region_set="regions-1970", region_code=region)
    return cluster


def label(
    project: Project,
    cluster: Any = None,
    *,
    lead: bool = True,
    outcome: str = "labelled",
    decided_on: dt.date = DAY - dt.timedelta(days=5),
    **fields: Any,
) -> ProjectLabel:
    """A row of the register of labels."""
    fields.setdefault("recorded_at", clock.moment_on(decided_on))
    return ProjectLabel.objects.create(
        project=project,
        cluster=cluster or make_pole(),
        lead=lead,
        outcome=outcome,
        decided_on=decided_on,
        **fields,
    )


def submitted(call: Call | None = None, *, on: dt.date = DAY, **fields: Any) -> SimpleNamespace:
    """A complete file, labelled and handed in on the day."""
    world = consortium(call, on=on, **fields)
    world.cluster = make_pole()
    world.label = label(world.project, world.cluster, decided_on=on - dt.timedelta(days=5))
    world.project = actions.submit(world.project, by=world.leader, on=on)
    world.officer = make.make_actor("national_officer")
    return world


def admissible(call: Call | None = None, *, on: dt.date = DAY, **fields: Any) -> SimpleNamespace:
    """The same, declared admissible; its laboratory's share of the aid is justified."""
    fields.setdefault("justifications", {"research_share_max": "Le laboratoire porte les essais."})
    world = submitted(call, on=on, **fields)
    world.project = actions.check_admissibility(world.project, admissible=True, by=world.officer, on=on)
    return world
