"""Calls and projects of the small data set: a draft, a file handed in, a running project of the partner's organisation."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

from jalon.people.models import Mandate
from jalon.people.queries import actor_from
from jalon.projects import actions, following
from jalon.projects.models import Project
from jalon.projects.rules import Line
from tests import factories as f
from tests.projects import world as w

DAY = f.DAY


def extend(world: SimpleNamespace) -> None:
    """``projet``: handed in and labelled by the cluster; ``draft``, ``running``: led by the partner's organisation."""
    member = actor_from(Mandate.objects.select_related("user", "organisation").get(user=world.users["project_member"]))
    officer = world.world.officer
    call = w.make_call(by=officer, code="appel-ouvert")
    handed = w.consortium(call, acronym="DEPOSE")
    w.label(handed.project, world.world.cluster)
    handed.project = actions.submit(handed.project, by=handed.leader, on=DAY)

    draft = w.make_project(call, member, "BROUILLON")
    other = actions.add_partner(draft, f.make_organisation("Second partenaire"), by=member, on=DAY)
    lived = w.make_project(call, member, "ENCOURS", starts_on=dt.date(2009, 1, 1))
    actions.add_partner(lived, f.make_organisation("Laboratoire", "laboratory"), by=member, on=DAY)
    actions.set_budget(
        lived, "p1", [Line(2009, "personnel", Decimal(1000), "applied", "industrial")], by=member, on=DAY
    )
    paper = actions.add_paper(lived, "technical_annex", w.PDF, "annexe.pdf", by=member, on=DAY)
    Project.objects.filter(pk=lived.pk).update(
        state="running", submitted_at=lived.created_at, decided_on=DAY - dt.timedelta(days=300)
    )
    w.label(lived, world.world.cluster)
    lived.refresh_from_db()
    following.open_reports(on=DAY)
    amendment = following.propose_amendment(lived, "duration", {"months": 40}, reason="Retard", by=member, on=DAY)
    outcome = following.declare_outcome(
        lived, "patent", 2010, "1", evidence="FR1", file=(w.PDF, "brevet.pdf"), by=member, on=DAY
    )
    world.args |= {
        "call": call.code,
        "projet": handed.project.slug,
        "draft": draft.slug,
        "draft_part": other.key,
        "running": lived.slug,
        "project_paper": paper.pk,
        "amendment": amendment.number,
        "outcome": outcome.pk,
    }
    world.projects = SimpleNamespace(call=call, handed=handed, draft=draft, running=lived, member=member)
