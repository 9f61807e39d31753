"""Money in the demonstration: agreements, claims at every stage, relay finance in Rhône-Alpes. All of it is simulated.

The stories are told by the same acts as officers use, on days before 30 June 2010. The projects belong to no call, so
that the totals of the calls stay those that were published.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from jalon.clusters.models import Membership
from jalon.core import clock, files, journal
from jalon.demo.build import DAY, World, organisation
from jalon.funding import actions, relay_actions, rules
from jalon.funding.models import Agreement, Claim, FinancialReturn, Instalment, PaymentOrder, ReturnFile, ReturnLine
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.people.queries import actor_of
from jalon.projects.models import BudgetLine, Partner, Project, ProjectLabel
from jalon.selection.models import Share

REGION = "Rhône-Alpes"
CODE, DEPARTMENT = "82", "69"
D = Decimal

STORIES = (
    ("VALBOIS", "Panneaux de bois recyclé pour le bâtiment", D("240000.00"), "engaged"),
    ("TEXTIMEM", "Textiles à mémoire de forme", D("180000.00"), "repaid"),
    ("MICROPURE", "Purification de l'eau par microcapteurs", D("150000.00"), "asked"),
    ("PLASTVERT", "Emballages souples biosourcés", D("210000.00"), "offered"),
    ("NANOVALVE", "Valves implantables à longue durée", D("260000.00"), "refused"),
    ("SOLARCOAT", "Revêtements pour cellules solaires", D("120000.00"), "defaulted"),
    ("LUMIPISTE", "Éclairage autonome de pistes", D("90000.00"), "none"),
)
"""Acronym, title, grant of the State, how far its relay finance went."""

LATEST = 120
"""Most agreements of the simulated past, for the delays per funder."""


def build(world: World, say: Any) -> None:
    """The stories, then a past for the delays."""
    if policy().part("funding") is None or REGION not in world.states:
        return
    say("Démonstration : conventions, versements, relais…", "Demonstration: agreements, payments, relays…")
    slug = next((s for s in sorted(world.clusters) if world.region[s] == REGION), None)
    if slug is None:
        return
    people = _People(world)
    companies = _companies(world, slug, len(STORIES) - 1)
    firms = [people.member_body, *companies]
    for n, ((acronym, title, amount, relay), firm) in enumerate(zip(STORIES, firms, strict=False)):
        partner = _project(world, slug, acronym, title, firm, amount, people.funder, n)
        _tell(world, people, partner, amount, relay, n)
    _past(world, people)


class _People:
    """Who acts: the accounts of the demonstration, and companies that have none."""

    def __init__(self, world: World):
        day = DAY
        self.world = world
        self.manager = actor_of(world.users["fund_manager"], day)
        self.certifier = actor_of(world.users["certifier"], day)
        self.banker = actor_of(world.users["bank_officer"], day)
        self.guarantor = actor_of(world.users["guarantor"], day)
        self.member = actor_of(world.users["project_member"], day)
        self.member_body = Organisation.objects.get(pk=self.member.organisation_id)
        self.bank = Organisation.objects.get(pk=self.banker.organisation_id)
        self.guarantee = Organisation.objects.get(pk=self.guarantor.organisation_id)
        self.funder = organisation("Fonds unique interministériel", "state_service", simulated=False)

    def of(self, firm: Organisation) -> Actor:
        """Who acts for a company: its account, or a person without one."""
        if firm.pk == self.member.organisation_id:
            return self.member
        role = policy().role("project_member")
        return Actor(
            user_label="Direction de l'entreprise (simulée)",
            mandate_id=0,
            organisation_id=firm.pk,
            organisation_label=firm.name,
            role=role.code,
            role_title=role.title,
            side=role.side,
            scope=role.scope,
            programme=self.world.programme,
            permissions=role.permissions,
        )


def _companies(world: World, slug: str, count: int) -> list[Organisation]:
    """Simulated companies, members of the pôle."""
    rows = Membership.objects.filter(
        cluster=world.clusters[slug], member_type="sme", superseded_at=None, organisation__region_code=CODE
    )
    found = Organisation.objects.filter(pk__in=rows.values("organisation_id")).order_by("pk")[:count]
    return list(found)


def _project(
    world: World, slug: str, acronym: str, title: str, firm: Organisation, amount: Decimal, funder: Organisation, n: int
) -> Partner:
    """A running project of the pôle, whose company the State aids at 45 %."""
    awarded = dt.date(2009, 7, 17) if n % 2 else dt.date(2009, 12, 11)
    project = Project.objects.create(
        programme=world.programme,
        slug=f"{acronym.lower()}-simule",
        acronym=acronym,
        title=f"{title} (simulé)",
        state="running",
        starts_on=(awarded + dt.timedelta(days=45)).replace(day=1),
        months=30,
        decided_on=awarded,
        summary=f"{title}. Projet simulé de la démonstration.",
        created_at=clock.moment_on(awarded - dt.timedelta(days=200)),
        simulated=True,
    )
    ProjectLabel.objects.create(
        project=project,
        cluster=world.clusters[slug],
        lead=True,
        outcome="labelled",
        decided_on=awarded - dt.timedelta(days=90),
        recorded_at=clock.moment_on(awarded - dt.timedelta(days=90)),
        simulated=True,
    )
    partner = Partner.objects.create(
        project=project,
        organisation=firm,
        key="p1",
        role="leader",
        kind="company",
        size="sme",
        department=DEPARTMENT,
        in_territory=True,
        simulated=True,
    )
    base = rules.cents(amount * 100 / 45)
    first = project.starts_on.year
    for year, part in zip(range(first, first + 3), rules.split(base, [D(3), D(5), D(2)]), strict=True):
        BudgetLine.objects.create(
            partner=partner, year=year, category="personnel", frascati="applied", aid_class="industrial", amount=part
        )
    Share.objects.create(
        project=project,
        partner=partner,
        funder=funder,
        source="state",
        base=base,
        rate=D(45),
        decided=amount,
        decided_on=awarded,
        recorded_at=clock.moment_on(awarded),
        simulated=True,
    )
    return partner


def _at(day: dt.date) -> dict[str, Any]:
    return {"on": day, "at": clock.moment_on(day, 10)}


def _tell(world: World, people: _People, partner: Partner, amount: Decimal, relay: str, n: int) -> None:
    """The life of one grant up to 30 June 2010."""
    firm, awarded = people.of(partner.organisation), partner.project.decided_on
    row = _relay(people, partner, firm, amount, relay, awarded)
    if relay in ("asked", "none"):
        return  # the agreement is still to be drawn up
    share = Share.objects.get(partner=partner)
    signed = awarded + dt.timedelta(days=120 + 8 * n)
    agreement = actions.create(
        share, number=f"FUI-{2009 + n // 3}-{100 + n}", by=people.manager, **_at(signed - dt.timedelta(days=30))
    )
    agreement = actions.send(agreement, by=people.manager, **_at(signed - dt.timedelta(days=20)))
    if relay == "offered":
        return  # waits for its signatures
    actions.sign(agreement, by=firm, **_at(signed - dt.timedelta(days=6)))
    agreement = actions.sign(agreement, by=people.certifier, **_at(signed))
    agreement = actions.start(
        agreement, commitment=f"21001{n:05d}", by=people.manager, **_at(signed + dt.timedelta(days=9))
    )
    if relay == "engaged":
        return  # its advance is still to be claimed
    advance = agreement.instalments.get(number=1)
    begin = signed + dt.timedelta(days=14)
    claim = actions.submit_claim(advance, by=firm, statement="Convention signée, équipe en place.", **_at(begin))
    if relay == "defaulted":
        return  # its claim is still to be checked
    claim = actions.check_claim(claim, by=people.manager, **_at(begin + dt.timedelta(days=16)))
    if relay == "refused":
        return  # a second person is still to certify it
    claim = actions.certify_claim(claim, by=people.certifier, **_at(begin + dt.timedelta(days=24)))
    order = actions.order_payment(claim, by=people.manager, **_at(begin + dt.timedelta(days=38)))
    paid = begin + dt.timedelta(days=62)
    actions.record_payment(order, paid_on=paid, reference=f"VIR{n:04d}", by=people.manager, **_at(paid))
    if row is not None:
        row.refresh_from_db()


def _relay(people: _People, partner: Partner, firm: Actor, amount: Decimal, how: str, awarded: dt.date) -> Any:
    """Relay finance as far as its story goes."""
    if how == "none":
        return None
    late = DAY - dt.timedelta(days=12)
    asked = late if how in ("asked", "offered") else awarded + dt.timedelta(days=20)
    # The one that was repaid in full asked for its advance instalment only.
    wanted = rules.cents(amount * 30 / 100) if how == "repaid" else rules.cents(amount / 2)
    row = relay_actions.ask(
        partner,
        people.funder,
        people.bank,
        amount=wanted,
        by=firm,
        purpose="Recruter deux ingénieurs et commander le pilote sans attendre le premier versement.",
        **_at(asked),
    )
    if how == "asked":
        return row
    if how == "refused":
        return relay_actions.refuse(
            row,
            reason="Fonds propres négatifs au dernier bilan.",
            by=people.banker,
            **_at(asked + dt.timedelta(days=12)),
        )
    row = relay_actions.offer(
        row,
        amount=wanted,
        months=9,
        rate=D("4.20"),
        fee=D("350.00"),
        guarantor=people.guarantee,
        by=people.banker,
        **_at(asked + dt.timedelta(days=8)),
    )
    if how == "offered":
        return row
    row = relay_actions.answer_guarantee(row, True, by=people.guarantor, **_at(asked + dt.timedelta(days=15)))
    row = relay_actions.accept(row, by=firm, **_at(asked + dt.timedelta(days=18)))
    row = relay_actions.assign(
        row, by=people.banker, reference="Notification (simulée)", **_at(asked + dt.timedelta(days=21))
    )
    drawn = asked + dt.timedelta(days=26)
    row = relay_actions.draw(row, amount=wanted, drawn_on=drawn, by=people.banker, **_at(drawn))
    if how == "defaulted":
        failed = dt.date(2010, 6, 10)
        row = relay_actions.default(row, reason="Redressement judiciaire ouvert.", by=people.banker, **_at(failed))
        row = relay_actions.call_guarantee(row, by=people.banker, **_at(failed + dt.timedelta(days=5)))
    return row


def _past(world: World, people: _People) -> None:
    """Signed agreements and paid advances of earlier decisions, in bulk: what the delays per funder are made of.

    From signature to money, 6 to 18 months were observed before the reform of 2013; the simulated days lie there.
    """
    shares = list(
        Share.objects.filter(
            simulated=True,
            superseded_at=None,
            instrument="grant",
            decided__gt=0,
            decided_on__lte=dt.date(2009, 3, 31),
            decided_on__gte=dt.date(2007, 1, 1),
            project__state__in=("selected", "running", "finished"),
            partner__left_on=None,
        )
        .exclude(partner__agreements__isnull=False)
        .select_related("project", "partner")
        .order_by("id")[:LATEST]
    )
    agreements, rows = [], []
    for n, share in enumerate(shares):
        signed = share.decided_on + dt.timedelta(days=world.rng.randint(100, 330))
        paid = signed + dt.timedelta(days=world.rng.randint(60, 200))
        advance = rules.cents(share.decided * 30 / 100)
        agreements.append(
            Agreement(
                programme=world.programme,
                number=f"H{share.decided_on.year}-{n:04d}",
                project=share.project,
                partner=share.partner,
                beneficiary_id=share.partner.organisation_id,
                funder_id=share.funder_id,
                source=share.source,
                instrument="grant",
                subject=f"{share.project.acronym} – {share.project.title}"[:255],
                amount=share.decided,
                base=share.base,
                rate=share.rate,
                commitment=f"H{n:06d}",
                state="running",
                awarded_on=share.decided_on,
                starts_on=share.project.starts_on,
                policy_day=share.decided_on,
                sent_on=signed - dt.timedelta(days=15),
                signed_beneficiary_on=signed - dt.timedelta(days=5),
                signed_beneficiary_by="(simulé)",
                signed_funder_on=signed,
                signed_funder_by="(simulé)",
                signed_on=signed,
                started_on=signed,
                ordered=advance,
                paid=advance if paid <= DAY else D(0),
                created_at=clock.moment_on(signed),
                simulated=True,
            )
        )
        rows.append((signed, paid, advance))
    agreements = Agreement.objects.bulk_create(agreements, batch_size=500)
    parts = []
    for agreement, (_, _, advance) in zip(agreements, rows, strict=True):
        parts.append(Instalment(agreement=agreement, number=1, kind="advance", amount=advance, ordered=advance))
        parts.append(Instalment(agreement=agreement, number=2, kind="balance", amount=agreement.amount - advance))
    parts = Instalment.objects.bulk_create(parts, batch_size=500)
    claims = []
    for agreement, part, (_, paid, advance) in zip(agreements, parts[::2], rows, strict=True):
        asked = paid - dt.timedelta(days=55)
        claims.append(
            Claim(
                agreement=agreement,
                instalment=part,
                number=1,
                state="paid" if paid <= DAY else "ordered",
                amount=advance,
                proposed=advance,
                certified=advance,
                submitted_on=asked,
                checked_on=asked + dt.timedelta(days=world.rng.randint(5, 18)),
                checked_label="(simulé)",
                certified_on=asked + dt.timedelta(days=world.rng.randint(19, 26)),
                certified_label="(simulé)",
                ordered_on=asked + dt.timedelta(days=world.rng.randint(27, 40)),
                paid_on=paid if paid <= DAY else None,
                created_at=clock.moment_on(asked),
                simulated=True,
            )
        )
    claims = Claim.objects.bulk_create(claims, batch_size=500)
    PaymentOrder.objects.bulk_create(
        (
            PaymentOrder(
                agreement=agreement,
                claim=claim,
                funder_id=agreement.funder_id,
                number=f"{agreement.number}/1",
                payee_id=agreement.beneficiary_id,
                amount=claim.amount,
                state=claim.state,
                ordered_on=claim.ordered_on,
                ordered_label="(simulé)",
                paid_on=claim.paid_on,
                recorded_at=clock.moment_on(claim.paid_on) if claim.paid_on else None,
                recorded_label="(simulé)" if claim.paid_on else "",
                simulated=True,
            )
            for agreement, claim in zip(agreements, claims, strict=True)
        ),
        batch_size=500,
    )
    _returns(world, [one for one in agreements if one.partner.kind == "company"])
    journal.record_many(
        {
            "case": agreement.case,
            "act": "agreement.simulate",
            "on": DAY,
            "after": {"amount": agreement.amount, "state": "running", "simulated": True},
        }
        for agreement in agreements
    )


def _returns(world: World, agreements: list[Agreement]) -> None:
    """The financial returns of the past: nearly all checked, some late, a few not handed in yet."""
    laws = policy()
    rows = []
    for n, agreement in enumerate(agreements):
        year = agreement.awarded_on.year
        due = rules.return_deadline(laws, year).on
        if due is None:
            continue
        row = FinancialReturn(agreement=agreement, year=year, due_on=due, simulated=True)
        if n % 17 != 5:  # these are still owed
            row.handed_on = row.submitted_on = min(due + dt.timedelta(days=world.rng.randint(-70, 25)), DAY)
            row.submitted_label, row.state = "(simulé)", "submitted" if n % 23 == 3 else "accepted"
            row.report = "Embauches faites, essais menés sur le pilote (texte simulé)."
            row.annex = "Achats de sous-traitance décalés au début de l'année suivante (texte simulé)."
            if row.state == "accepted":
                row.checked_on = min(row.handed_on + dt.timedelta(days=20), DAY)
                row.checked_label = "(simulé)"
        rows.append(row)
    lines = []
    for row in FinancialReturn.objects.bulk_create(rows, batch_size=500):
        if row.handed_on is None:
            continue
        advance = row.agreement.paid or rules.cents(row.agreement.amount * 30 / 100)
        planned = rules.cents(advance * 2)
        spent = rules.cents(planned * world.rng.randint(88, 106) / 100)
        lines += [
            ReturnLine(owner=row, side="charge", label="Personnel", planned=planned, actual=spent),
            ReturnLine(owner=row, side="income", label="Subvention", planned=advance, actual=advance),
            ReturnLine(
                owner=row, side="income", label="Fonds propres", planned=planned - advance, actual=spent - advance
            ),
        ]
    ReturnLine.objects.bulk_create(lines, batch_size=500)
    proof = files.store(
        b"%PDF-1.4\n% etat recapitulatif simule de la demonstration\n%%EOF\n",
        "etat-recapitulatif-simule.pdf",
        case="agreement:demonstration",
        by=journal.SYSTEM,
        title="État récapitulatif des dépenses (simulé)",
        at=clock.moment_on(DAY),
        simulated=True,
    )
    ReturnFile.objects.bulk_create(
        ReturnFile(owner=row, file=proof, added_at=clock.moment_on(row.handed_on)) for row in rows if row.handed_on
    )
