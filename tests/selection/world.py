"""A small world for the selection: a closed call, projects with partners and budgets, funders and experts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

from jalon.core import clock
from jalon.interests import actions as interests
from jalon.projects.models import BudgetLine, Call, CallRules, Partner, Project, ProjectLabel, Request
from jalon.selection import actions
from jalon.selection.models import Assessment, Exercise, Share
from tests import factories as f

DAY = f.DAY
ENVELOPE = Decimal("500000.00")


def make_call(code: str = "", **fields):
    """A call of the fund, closed on 30 April 2010, with the rates of phase 2."""
    code = code or f"fui-{f.number()}"
    fields = {
        "scheme": "fui",
        "number": 10,
        "kind": "rd",
        "title_fr": "10e appel à projets",
        "title_en": "10th call for projects",
        "opens_on": dt.date(2010, 2, 1),
        "closes_on": dt.date(2010, 4, 30),
        "envelope": ENVELOPE,
        "state": "closed",
        "created_at": clock.moment_on(dt.date(2010, 2, 1)),
    } | fields
    call = Call.objects.create(programme=f.PROGRAMME, code=code, **fields)
    CallRules.objects.create(
        call=call,
        policy_day=fields["closes_on"],
        valid_from=fields["opens_on"],
        rules=rules_of(fields["scheme"], fields["closes_on"]),
        made_at=fields["created_at"],
    )
    return call


def rules_of(scheme: str, day: dt.date) -> dict:
    """The rules that the policy gives for a call; an empty mapping where it says nothing."""
    from jalon.people.access import policy

    part = policy().part("calls")
    found = next((s for s in part.schemes if s.code == scheme), None) if part is not None else None
    version = found.version_for(day, 10) if found is not None else None
    if version is None:
        return {}
    from jalon.projects.rules import resolve

    return resolve(found, version)


def make_project(call, acronym: str = "", *, partners: int = 3, base: str = "400000.00", cluster=None, **fields):
    """An admissible project: a leader and partners (small firms in the territory), one budget line each."""
    n = f.number()
    acronym = acronym or f"PROJET{n}"
    fields = {
        "title": f"Projet {acronym}",
        "state": "admissible",
        "submitted_at": clock.moment_on(dt.date(2010, 4, 29)),
        "created_at": clock.moment_on(dt.date(2010, 3, 1)),
    } | fields
    project = Project.objects.create(
        programme=f.PROGRAMME,
        slug=f"{acronym.lower()}-{n}",
        acronym=acronym,
        call=call,
        rules=call.versions.first(),
        **fields,
    )
    for position in range(partners):
        partner = Partner.objects.create(
            project=project,
            organisation=f.make_organisation(f"Société {acronym} {position}", region_code="72"),
            key=f"p{position + 1}",
            role="partner" if position else "leader",
            kind="company",
            size="small",
            size_definition="eu-sme-2003",
            department="33",
            in_territory=True,
            order=position,
        )
        BudgetLine.objects.create(
            partner=partner, year=2011, category="personnel", aid_class="experimental", amount=Decimal(base)
        )
    if cluster is not None:
        ProjectLabel.objects.create(
            project=project, cluster=cluster, lead=True, outcome="labelled", decided_on=dt.date(2010, 4, 20),
            recorded_at=clock.moment_on(dt.date(2010, 4, 20)),
        )  # fmt: skip
    return project


def make_world(*, projects: int = 2, opened: bool = True) -> SimpleNamespace:
    """A call with projects; a fund manager, a decider, two experts of ministries, a region that is asked for money."""
    call = make_call()
    manager = f.make_actor("fund_manager")
    decider = f.make_actor("label_authority")
    region = f.make_organisation("Conseil régional", "authority", level="region", region_code="72")
    region_agent = f.make_actor("local_authority", organisation=region)
    cluster = f.make_cluster(f"pole-{f.number()}")
    made = [make_project(call, cluster=cluster) for _ in range(projects)]
    for project in made:
        Request.objects.create(partner=project.partners.first(), funder=region, amount=Decimal("50000"))
    world = SimpleNamespace(
        call=call,
        manager=manager,
        decider=decider,
        region=region,
        region_agent=region_agent,
        other_agent=f.make_actor("local_authority"),
        experts=[f.make_actor("ministry_expert"), f.make_actor("ministry_expert")],
        cluster=cluster,
        projects=made,
        exercise=None,
        fund=None,
    )
    if opened:
        world.exercise = actions.open_selection(call, by=manager, on=DAY)
        world.fund = world.exercise.fund
    return world


def partner_of(project, position: int = 0):
    """The partner at a position of the consortium."""
    return project.partners.all()[position]


def assess(world, project, expert, score: str = "4", opinion: str = "favourable"):
    """An expert is assigned, declares no interest, scores and hands in."""
    row = Assessment.objects.filter(project=project, expert_id=expert.user_id).first() or actions.assign(
        world.exercise, project, f.user_of(expert), by=world.manager, on=DAY
    )
    interests.declare(project.case, "none", by=expert, on=DAY)
    codes = list(world.exercise.criteria.values_list("code", flat=True))
    row = actions.save_assessment(
        row,
        scores={c: Decimal(score) for c in codes},
        justifications=dict.fromkeys(codes, "Argumenté."),
        opinion=opinion,
        summary="Bon projet.",
        rev=row.rev,
        by=expert,
        on=DAY,
    )
    return actions.submit_assessment(row, by=expert, on=DAY)


def agree(world, project, score: str = "4", opinion: str = "favourable"):
    """Two experts hand in, the consensus is opened and fixed."""
    for expert in world.experts:
        assess(world, project, expert, score, opinion)
    row = actions.open_consensus(world.exercise, project, by=world.manager, on=DAY)
    codes = list(world.exercise.criteria.values_list("code", flat=True))
    return actions.close_consensus(
        row,
        scores={c: Decimal(score) for c in codes},
        reasons=dict.fromkeys(codes, "D'accord."),
        opinion=opinion,
        summary="Consensus.",
        rev=row.rev,
        by=world.manager,
        on=DAY,
    )


def intend_state(world, project, amount: str = "100000.00", position: int = 0):
    """The State's intention for a partner, by the fund."""
    return actions.intend(partner_of(project, position), world.fund, by=world.manager, on=DAY, amount=Decimal(amount))


def entries_for(world, outcomes: dict):
    """Entries of a list: project → outcome; reasons are given where they are needed."""
    from jalon.selection.rules import Entry

    reserve = 0
    out = []
    for project, outcome in outcomes.items():
        reserve += outcome == "reserve"
        out.append(Entry(project.pk, outcome, reserve if outcome == "reserve" else None, "Décidé en séance."))
    return out


def decided(world, outcomes: dict):
    """Save a scenario with these outcomes and decide it."""
    scenario = actions.save_scenario(
        world.exercise, f"Liste {f.number()}", entries_for(world, outcomes), by=world.manager, on=DAY
    )
    return actions.decide_list(scenario, by=world.decider, on=DAY)


def current(project, funder=None):
    """Current shares of a project."""
    rows = Share.objects.filter(project=project, superseded_at__isnull=True)
    return rows.filter(funder=funder) if funder is not None else rows


def fresh(exercise):
    """The exercise as stored now."""
    return Exercise.objects.select_related("call", "fund").get(pk=exercise.pk)
