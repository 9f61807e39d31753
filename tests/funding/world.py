"""A small world of money: a selected project in Rhône-Alpes, two funders, the people around its payments."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

from jalon.core import clock
from jalon.funding import actions, relay_actions
from jalon.funding.models import Agreement
from jalon.projects.models import BudgetLine, Partner, Project, ProjectLabel
from jalon.selection.models import Share
from tests import factories as make

DAY = make.DAY
AWARD = dt.date(2010, 1, 15)
STATE = Decimal("300000.00")
REGION = Decimal("100000.00")


def make_project(cluster, n: int = 0, **fields):
    """A selected project, labelled by ``cluster``, whose letter is of AWARD."""
    n = n or make.number()
    fields.setdefault("state", "running")
    fields.setdefault("decided_on", AWARD)
    fields.setdefault("starts_on", dt.date(2010, 3, 1))
    fields.setdefault("months", 36)
    project = Project.objects.create(
        programme=make.PROGRAMME,
        slug=f"projet-{n}",
        acronym=f"PROJET{n}",
        title="Un projet de recherche",
        created_at=clock.moment_on(AWARD),
        **fields,
    )
    ProjectLabel.objects.create(
        project=project,
        cluster=cluster,
        lead=True,
        outcome="labelled",
        decided_on=dt.date(2009, 11, 1),
        recorded_at=clock.moment_on(AWARD),
    )
    return project


def make_partner(project, organisation, *, role="partner", department="69", kind="company", budget=None):
    """A partner with its budget by year."""
    partner = Partner.objects.create(
        project=project,
        organisation=organisation,
        key=f"p{make.number()}",
        role=role,
        kind=kind,
        department=department,
        size="sme",
    )
    for year, amount in (budget or {2010: 250_000, 2011: 300_000, 2012: 200_000}).items():
        BudgetLine.objects.create(partner=partner, year=year, category="personnel", amount=Decimal(amount))
    return partner


def decide(partner, funder, amount, *, source="state", instrument="grant", rate=None, base=None, **fields):
    """What a funder decided for a partner."""
    return Share.objects.create(
        project=partner.project,
        partner=partner,
        funder=funder,
        source=source,
        instrument=instrument,
        base=base,
        rate=rate,
        decided=amount,
        decided_on=AWARD,
        recorded_at=clock.moment_on(AWARD),
        **fields,
    )


def build() -> SimpleNamespace:
    """The project, its decided shares, and one person per role concerned."""
    cluster = make.make_cluster("lyonbio", "Lyonbio")
    state = make.make_organisation("Fonds unique", "state_service", siret=True)
    region = make.make_organisation("Région Rhône-Alpes", "authority", siret=True)
    company = make.make_organisation("Atelier du Rhône", "company", siret=True, region_code="82")
    lab = make.make_organisation("Laboratoire des essais", "laboratory", siret=True, region_code="82")
    bank = make.make_organisation("Banque de Lyon", "bank", siret=True)
    other_bank = make.make_organisation("Banque du Nord", "bank")
    guarantee = make.make_organisation("Garantie publique", "bank")
    project = make_project(cluster)
    leader = make_partner(project, company, role="leader")
    research = make_partner(project, lab, kind="research")
    return SimpleNamespace(
        cluster=cluster,
        state=state,
        region=region,
        company=company,
        lab=lab,
        bank=bank,
        guarantee=guarantee,
        project=project,
        partner=leader,
        research=research,
        share=decide(leader, state, STATE, rate=Decimal(45), base=Decimal("666666.67")),
        region_share=decide(leader, region, REGION, source="region"),
        manager=make.make_actor("fund_manager"),
        certifier=make.make_actor("certifier", organisation=state),
        member=make.make_actor("project_member", organisation=company),
        colleague=make.make_actor("project_member", organisation=company),
        stranger=make.make_actor("project_member"),
        banker=make.make_actor("bank_officer", organisation=bank),
        other_banker=make.make_actor("bank_officer", organisation=other_bank),
        guarantor=make.make_actor("guarantor", organisation=guarantee),
        region_agent=make.make_actor("local_authority", organisation=region),
        region_signatory=make.make_actor("authority_signatory", organisation=region),
        national=make.make_actor("national_officer"),
        correspondent=make.make_actor("state_correspondent", cluster=cluster),
        director=make.make_actor("cluster_director", cluster=cluster),
        reader=make.make_actor("reader"),
    )


def agree(world, share=None, *, on=DAY, number="") -> Agreement:
    """The agreement of a share, signed and running, with the instalments that the policy suggests."""
    share = share or world.share
    manager = world.manager if share.source == "state" else world.region_agent
    signatory = world.certifier if share.source == "state" else world.region_signatory
    row = actions.create(share, number=number or f"C-{make.number()}", by=manager, on=on)
    row = actions.send(row, by=manager, on=on)
    row = actions.sign(row, by=world.member, on=on)
    row = actions.sign(row, by=signatory, on=on)
    return actions.start(row, commitment=f"EJ{make.number()}", by=manager, on=on)


def claim(world, agreement, number=1, *, on=DAY, amount=None, expenses=()):
    """A claim on an instalment; other instalments than the advance bring expenses."""
    instalment = agreement.instalments.get(number=number)
    if instalment.kind != "advance" and not expenses:
        expenses = [{"year": 2010, "category": "personnel", "label": "Salaires", "amount": Decimal(1_000_000)}]
    return actions.submit_claim(instalment, by=world.member, on=on, amount=amount, expenses=expenses)


def certify(world, row, *, on=DAY):
    """A claim checked by one person and certified by a second one."""
    row = actions.check_claim(row, by=world.manager, on=on)
    return actions.certify_claim(row, by=world.certifier, on=on)


def pay(world, agreement, number=1, *, on=DAY, **fields):
    """An instalment claimed, certified, ordered and paid."""
    order = actions.order_payment(
        certify(world, claim(world, agreement, number, on=on, **fields), on=on), by=world.manager, on=on
    )
    return actions.record_payment(order, paid_on=on, reference=f"M{make.number()}", by=world.manager, on=on)


def relay(world, *, amount=Decimal("200000.00"), guarantee=True, until="drawn", on=DAY):
    """A relay of the company, as far as asked for: asked, offered, granted, accepted, assigned, drawn."""
    row = relay_actions.ask(world.partner, world.state, world.bank, amount=amount, by=world.member, on=on)
    if until == "asked":
        return row
    row = relay_actions.offer(
        row, amount=amount, months=9, rate=Decimal("4.5"), fee=Decimal("300.00"), by=world.banker, on=on,
        guarantor=world.guarantee if guarantee else None,
    )  # fmt: skip
    if until == "offered":
        return row
    if guarantee:
        row = relay_actions.answer_guarantee(row, True, by=world.guarantor, on=on)
    if until == "granted":
        return row
    row = relay_actions.accept(row, by=world.member, on=on)
    if until == "accepted":
        return row
    row = relay_actions.assign(row, by=world.banker, on=on, reference="LRAR 1")
    if until == "assigned":
        return row
    return relay_actions.draw(row, amount=amount, drawn_on=on, by=world.banker, on=on)
