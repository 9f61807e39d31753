"""Reads for the pages of agreements, payments and relay finance, for exports, and for other packages."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from jalon.aid import rules as aid_rules
from jalon.aid.queries import standing_awards
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.models import JournalEntry
from jalon.core.why import Why
from jalon.funding import access, relay_rules, rules, scdl, states
from jalon.funding.models import Agreement, Claim, ClaimExpense, FinancialReturn, PaymentOrder, Recovery, Relay
from jalon.funding.rules import ZERO
from jalon.people.access import Actor, policy
from jalon.people.models import Identifier, Mandate, Organisation, User
from jalon.projects.models import BudgetLine, Partner, Project, ProjectLabel
from jalon.selection.limits import RESEARCH
from jalon.selection.models import Exercise, SelectionLetter, Share

LABELLED = access.LABELLED


# -- what was decided ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Letter:
    """The official letter that announces the selection: its day and reference."""

    on: dt.date
    reference: str


def award_letter(project: Project, partner: Partner) -> Letter | None:
    """The official letter of selection to a partner of a project, or None while there is none.

    The last letter of the selection counts: one that takes the selection back ends it. A project decided outside of a
    selection run here (loaded history) has no letter of its own: the day of its decision stands for it.
    """
    last = SelectionLetter.objects.filter(project=project, partner=partner).order_by("-on", "-id").first()
    if last is None and project.call_id is not None and Exercise.objects.filter(call_id=project.call_id).exists():
        return None
    return _letter(project, last)


def _letter(project: Project, last: SelectionLetter | None) -> Letter | None:
    """What the last letter says; without one, the day of a decision taken outside of a selection run here."""
    if last is not None:
        return Letter(last.on, last.reference) if last.kind in ("selected", "promoted") else None
    if project.decided_on is None or project.state not in ("selected", "running", "finished"):
        return None
    return Letter(project.decided_on, "")


def decided_share(partner_id: int, funder_id: int, instrument: str = "grant") -> Share | None:
    """What a funder decided for a partner, as it stands now."""
    return Share.objects.filter(
        partner_id=partner_id,
        funder_id=funder_id,
        instrument=instrument,
        superseded_at__isnull=True,
        decided__isnull=False,
    ).first()


def shares_to_agree(actor: Actor, on: dt.date) -> QuerySet[Share]:
    """Decided shares without a live agreement, for the actor's side."""
    taken = Agreement.objects.filter(
        partner_id=OuterRef("partner_id"), funder_id=OuterRef("funder_id"), instrument=OuterRef("instrument")
    ).exclude(state="terminated")
    return (
        access.visible_shares(actor, on)
        .filter(~Exists(taken), partner__left_on__isnull=True, project__state__in=("selected", "running"))
        .select_related("project", "partner__organisation", "funder")
        .order_by("decided_on", "project__acronym", "id")
    )


# -- agreements ---------------------------------------------------------------------------------------------------


def agreements(actor: Actor, on: dt.date) -> QuerySet[Agreement]:
    """Agreements that the actor may read, with what lists show."""
    return (
        access.visible_agreements(actor, on)
        .select_related("project", "beneficiary", "funder")
        .order_by("-awarded_on", "number")
    )


def taken(agreement: Agreement, *, without: int | None = None) -> tuple[Decimal, dict[int, Decimal]]:
    """What is certified or ordered, less what was repaid: on the agreement, and by instalment. Two queries."""
    claims = Claim.objects.filter(agreement=agreement, state__in=states.CLAIM_COUNTED).exclude(pk=without)
    by: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for instalment, amount in claims.values_list("instalment_id", "certified"):
        by[instalment] += amount
    return rules.total(by.values()) - agreement.recovered, by


def accepted_expenses(agreement: Agreement, *, claim: Claim | None = None) -> Decimal | None:
    """Expenses retained since the beginning: those accepted in counted claims, and those of ``claim`` as they stand.

    None when no expense was ever shown.
    """
    rows = ClaimExpense.objects.filter(claim__agreement=agreement)
    rows = rows.filter(
        Q(claim__state__in=states.CLAIM_COUNTED) | (Q(claim=claim) if claim is not None else Q(pk__in=()))
    )
    found = rows.values_list("amount", "accepted")
    amounts = [amount if accepted is None else accepted for amount, accepted in found]
    return rules.total(amounts) if amounts else None


def room_for(claim: Claim) -> rules.Room:
    """The most that may be certified on a claim now, and why."""
    agreement, instalment = claim.agreement, claim.instalment
    total, by = taken(agreement, without=claim.pk)
    share = decided_share(agreement.partner_id, agreement.funder_id, agreement.instrument)
    return rules.room(
        kind=instalment.kind,
        instalment=instalment.amount,
        instalment_taken=by.get(instalment.pk, ZERO),
        agreement=agreement.amount,
        agreement_taken=total,
        decided=share.decided if share else None,
        rate=agreement.rate,
        accepted=accepted_expenses(agreement, claim=claim),
    )


def plan_state(agreement: Agreement) -> list[dict[str, Any]]:
    """Instalments with what happened to each, for the agreement's page."""
    claims: dict[int, list[Claim]] = defaultdict(list)
    for claim in agreement.claims.select_related("instalment"):
        claims[claim.instalment_id].append(claim)
    paid: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for instalment, amount in agreement.orders.filter(state="paid").values_list("claim__instalment_id", "amount"):
        paid[instalment] += amount
    out = []
    for row in agreement.instalments.all():
        mine = claims[row.pk]
        open_claim = next((c for c in mine if c.state in states.CLAIM_OPEN), None)
        counted = rules.total(c.certified for c in mine if c.state in states.CLAIM_COUNTED)
        out.append(
            {
                "row": row,
                "kind": states.INSTALMENT_KINDS[row.kind],
                "claims": mine,
                "paid": paid[row.pk],
                "certified": counted,
                "claimable": agreement.state == "running" and open_claim is None and counted < row.amount,
                "room": row.amount - counted,
            }
        )
    return out


@dataclass(frozen=True)
class Where:
    """Where a payee's money is: one plain sentence, who has it, since when."""

    text: Text
    who: Any
    since: dt.date | None
    light: str


def where_is(claim: Claim, order: PaymentOrder | None = None) -> Where:
    """Where the money of a claim is, in the payee's words: who has it, since when."""
    agreement = claim.agreement
    funder = agreement.funder.name
    if agreement.suspended_on and claim.state not in ("paid", *states.CLAIM_DEAD):
        return Where(
            T(
                "Les paiements de la convention sont suspendus : {r}",
                "Payments of the agreement are suspended: {r}",
                r=agreement.suspended_reason,
            ),
            funder,
            agreement.suspended_on,
            "at_risk",
        )
    if claim.state == "submitted":
        return Where(
            T("La demande attend d'être vérifiée.", "The claim waits to be checked."),
            funder,
            claim.submitted_on,
            "not_yet_due",
        )
    if claim.state == "returned":
        return Where(
            T(
                "La demande est revenue au bénéficiaire : à compléter, puis à déposer à nouveau. Motif : {r}",
                "The claim came back: complete it, then submit it again. Reason: {r}",
                r=claim.reason,
            ),
            agreement.beneficiary.name,
            claim.returned_on,
            "at_risk",
        )
    if claim.state == "checked":
        return Where(
            T(
                "La demande est vérifiée ; une seconde personne doit la certifier.",
                "The claim is checked; a second person must certify it.",
            ),
            funder,
            claim.checked_on,
            "on_track",
        )
    if claim.state == "certified":
        return Where(
            T(
                "La demande est certifiée ; le paiement doit être ordonné.",
                "The claim is certified; payment must be ordered.",
            ),
            funder,
            claim.certified_on,
            "on_track",
        )
    if claim.state == "ordered":
        return Where(
            T(
                "Le paiement est ordonné ; le comptable doit le verser.",
                "Payment is ordered; the accountant must pay it.",
            ),
            T("le comptable de {f}", "the accountant of {f}", f=funder),
            claim.ordered_on,
            "on_track",
        )
    if claim.state == "paid":
        payee = order.payee.name if order is not None else agreement.beneficiary.name
        return Where(T("L'argent est versé.", "The money is paid."), payee, claim.paid_on, "paid")
    if claim.state == "rejected":
        return Where(
            T("La demande est rejetée : {r}", "The claim is rejected: {r}", r=claim.reason),
            funder,
            claim.returned_on,
            "cancelled",
        )
    return Where(T("La demande est retirée.", "The claim is withdrawn."), agreement.beneficiary.name, None, "cancelled")


def yearly(beneficiary_id: int) -> dict[int, Decimal]:
    """What the programme knows to be granted to a body by year of award: live agreements, all funders."""
    found: dict[int, Decimal] = defaultdict(lambda: ZERO)
    rows = Agreement.objects.filter(
        beneficiary_id=beneficiary_id, instrument="grant", awarded_on__isnull=False, state__in=states.LIVE
    )
    for day, amount in rows.values_list("awarded_on", "amount"):
        found[day.year] += amount
    return dict(found)


PUBLIC_KINDS = ("authority", "state_service")
PUBLIC_BODIES = (*PUBLIC_KINDS, "laboratory", "training")


def duties_of(agreement: Agreement) -> list[rules.Duty]:
    """What the law of subsidies asks of an agreement."""
    day = agreement.signed_on or agreement.awarded_on or agreement.policy_day
    private = private_grant(agreement)
    return rules.duties(
        policy(),
        day=day,
        amount=agreement.amount,
        years=yearly(agreement.beneficiary_id) or {day.year: agreement.amount},
        private=private,
        returns=return_years(agreement),
    )


def private_grant(agreement: Agreement) -> bool:
    """Whether the law of subsidies to private-law bodies holds for it (by the kind of the beneficiary: our reading)."""
    return agreement.instrument == "grant" and agreement.beneficiary.kind not in PUBLIC_BODIES


def return_years(agreement: Agreement) -> list[int]:
    """The years for which the agreement asks for a financial return."""
    if agreement.instrument != "grant":
        return []
    return rules.return_years(
        agreement.returns,
        private=private_grant(agreement),
        awarded_on=agreement.awarded_on,
        starts_on=agreement.starts_on,
        ends_on=agreement.ends_on,
    )


def returns(actor: Actor, on: dt.date) -> QuerySet[FinancialReturn]:
    """The financial returns of the agreements that the actor may read, those due first before the others."""
    return (
        FinancialReturn.objects.filter(agreement__in=access.visible_agreements(actor, on))
        .select_related("agreement__project", "agreement__beneficiary", "agreement__funder")
        .order_by("due_on", "id")
    )


def late_returns(actor: Actor, on: dt.date) -> QuerySet[FinancialReturn]:
    """Those that should have been handed in by now and were not."""
    return returns(actor, on).filter(state="due", due_on__lt=on)


def paid_in(agreement: Agreement, year: int) -> Decimal:
    """What was paid on the agreement in a year."""
    found = agreement.orders.filter(state="paid", paid_on__year=year).aggregate(s=Sum("amount"))["s"]
    return found or ZERO


def suggested_lines(agreement: Agreement, year: int, paid: Decimal) -> dict[str, list[rules.Line]]:
    """The first lines of a financial return: the budget of the year by category, the grant paid in the year."""
    categories: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for category, amount in agreement.partner.budget.filter(year=year).values_list("category", "amount"):
        categories[category] += amount
    return {
        "charge": [rules.Line("charge", name, amount, ZERO) for name, amount in sorted(categories.items())],
        "income": [rules.Line("income", agreement.funder.name, ZERO, paid)],
    }


def notified(agreements: Sequence[Agreement]) -> dict[int, scdl.Notified]:
    """For each agreement whether its aid was notified to the Commission: the ledger of aid, else the threshold. Three queries.

    The threshold is that of one undertaking for one project: what all funders decided for the partner counts together.
    """
    laws = policy()
    partners = {a.partner_id for a in agreements}
    bases: dict[tuple[str, int, int | None], set[str]] = defaultdict(set)
    cases = {name for a in agreements for name in (a.project.case, a.case)}
    for case, beneficiary, authority, base in (
        standing_awards().filter(case__in=cases).values_list("case", "beneficiary_id", "authority_id", "base")
    ):
        bases[case, beneficiary, authority].add(base)
    decided: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for partner, amount in Share.objects.filter(
        partner__in=partners, superseded_at__isnull=True, decided__gt=0
    ).values_list("partner_id", "decided"):
        decided[partner] += amount
    costs: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for partner, code, amount in BudgetLine.objects.filter(partner__in=partners).values_list(
        "partner_id", "aid_class", "amount"
    ):
        costs[partner][code] += amount
    found = {}
    for a in agreements:
        known = set().union(*(bases[case, a.beneficiary_id, a.funder_id] for case in (a.project.case, a.case)))
        day = a.awarded_on or a.signed_on or a.policy_day
        check: Any
        mine = {code: cost for code, cost in costs[a.partner_id].items() if code and cost}
        if laws.part("aid") is None:
            check = T("le programme n'a pas de règles d'aides d'État.", "the programme has no State aid rules.")
        elif not mine:
            check = T(
                "le budget du partenaire ne dit pas les catégories du règlement d'aides.",
                "the partner's budget does not say the categories of the aid regulation.",
            )
        else:
            try:
                check = aid_rules.notification(laws, max(decided[a.partner_id], a.amount), day, costs=mine)
            except Refused as refusal:
                check = refusal.reason if isinstance(refusal.reason, Text) else T("{r}", "{r}", r=str(refusal.reason))
        found[a.pk] = scdl.notified(known, check, economic=a.partner.kind not in RESEARCH)
    return found


def acts(case: str) -> list[JournalEntry]:
    """The journal of a case, oldest first."""
    return list(JournalEntry.objects.filter(case=case).order_by("id"))


def imbalances() -> list[str]:
    """Agreements whose rows do not fit each other: instalments that do not make the amount, sums that drifted.

    Empty when all is well; each entry names the agreement and what was found. Six queries, whatever their number.
    """
    faults = []
    parts = dict(Agreement.objects.exclude(state="draft").values_list("pk").annotate(s=Sum("instalments__amount")))
    ordered = dict(
        Agreement.objects.values_list("pk").annotate(s=Sum("orders__amount", filter=~Q(orders__state="cancelled")))
    )
    paid = dict(Agreement.objects.values_list("pk").annotate(s=Sum("orders__amount", filter=Q(orders__state="paid"))))
    repaid = dict(
        Agreement.objects.values_list("pk").annotate(s=Sum("recoveries__amount", filter=Q(recoveries__state="repaid")))
    )
    issued = dict(
        Agreement.objects.values_list("pk").annotate(s=Sum("recoveries__amount", filter=Q(recoveries__state="issued")))
    )
    for row in Agreement.objects.all():
        for name, found, expected in (
            ("instalments", parts.get(row.pk, row.amount), row.amount),
            ("ordered", ordered[row.pk] or ZERO, row.ordered),
            ("paid", paid[row.pk] or ZERO, row.paid),
            ("recovered", repaid[row.pk] or ZERO, row.recovered),
            ("recovering", issued[row.pk] or ZERO, row.recovering),
        ):
            if row.state == "draft" and name == "instalments":
                continue
            if found != expected:
                faults.append(f"{row.number}: {name} {found} / {expected}")
    return faults


# -- people to tell -----------------------------------------------------------------------------------------------


def people_of(organisation_id: int, permission: str, on: dt.date) -> list[User]:
    """Active users who act for an organisation under a role that holds the permission."""
    roles = [role.code for role in policy().roles_with(permission)]
    mandates = Mandate.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on),
        organisation_id=organisation_id,
        role__in=roles,
        starts_on__lte=on,
        revoked_at__isnull=True,
    )
    return list(User.objects.filter(pk__in=mandates.values("user_id"), is_active=True).order_by("pk"))


def identifiers_of(organisation_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Identifiers by scheme of organisations: one query (a query per 500)."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    ids = list(set(organisation_ids))
    for start in range(0, len(ids), 500):
        for pk, scheme, value in Identifier.objects.filter(organisation_id__in=ids[start : start + 500]).values_list(
            "organisation_id", "scheme", "value"
        ):
            found[pk][scheme] = value
    return found


# -- delays -------------------------------------------------------------------------------------------------------


@dataclass
class FunderDelays:
    """The measures of one funder, step by step."""

    funder: Organisation
    steps: list[rules.Measure]
    agreements: int
    simulated: bool = False


def delays(on: dt.date, *, funder_ids: Sequence[int] | None = None, since: dt.date | None = None) -> list[FunderDelays]:
    """How long every step took, per funder, on all agreements awarded from ``since`` on. Three queries.

    A step is late when a rule in force on the day of the announcement fixes a delay and it passed, done or not.
    """
    rows = Agreement.objects.exclude(state="terminated")
    if funder_ids is not None:
        rows = rows.filter(funder_id__in=funder_ids)
    if since is not None:
        rows = rows.filter(awarded_on__gte=since)
    laws = policy()
    closed: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    running: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    late: dict[int, dict[str, int]] = defaultdict(dict)
    counts: dict[int, int] = defaultdict(int)
    simulated: set[int] = set()
    found = {
        a.pk: a for a in rows.only("id", "funder_id", "awarded_on", "signed_on", "state", "simulated", "programme")
    }
    advance: dict[int, dt.date] = {}
    claims = (
        Claim.objects.filter(agreement__in=rows)
        .exclude(state__in=states.CLAIM_DEAD)
        .values_list(
            "agreement_id",
            "instalment__kind",
            "state",
            "submitted_on",
            "checked_on",
            "certified_on",
            "ordered_on",
            "paid_on",
        )
    )
    for pk, kind, state, submitted, checked, certified, ordered, paid in claims:
        funder = found[pk].funder_id
        for step, start, end in (
            ("claim_check", submitted, checked),
            ("check_certify", checked, certified),
            ("certify_order", certified, ordered),
            ("order_paid", ordered, paid),
            ("claim_paid", submitted, paid),
        ):
            days = rules.days_between(start, end)
            if days is not None:
                closed[funder][step].append(days)
            elif start is not None and end is None and state != "returned":
                running[funder][step] += 1
        if kind == "advance" and paid is not None:
            advance[pk] = min(advance.get(pk, paid), paid)
    for agreement in found.values():
        funder = agreement.funder_id
        counts[funder] += 1
        if agreement.simulated:
            simulated.add(funder)
        for step, end, limit in (
            ("award_signed", agreement.signed_on, rules.agreement_deadline(laws, agreement.awarded_on)),
            ("award_advance", advance.get(agreement.pk), rules.advance_deadline(laws, agreement.awarded_on)),
        ):
            days = rules.days_between(agreement.awarded_on, end)
            if days is not None:
                closed[funder][step].append(days)
            elif agreement.awarded_on is not None:
                running[funder][step] += 1
            is_late = limit.late(end, on)
            if is_late is not None:
                late[funder][step] = late[funder].get(step, 0) + int(is_late)
    names = Organisation.objects.in_bulk(list(counts))
    return sorted(
        (
            FunderDelays(
                names[pk],
                [
                    rules.measure(step, closed[pk][step], still_open=running[pk][step], late=late[pk].get(step))
                    for step, _ in rules.STEPS
                ],
                counts[pk],
                pk in simulated,
            )
            for pk in counts
        ),
        key=lambda f: (-f.agreements, f.funder.name),
    )


# -- relay finance ------------------------------------------------------------------------------------------------


def live_agreement(partner_id: int, funder_id: int, *, lock: bool = False) -> Agreement | None:
    """The grant agreement of a partner and a funder that counts, or None."""
    rows = Agreement.objects.exclude(state="terminated").filter(
        partner_id=partner_id, funder_id=funder_id, instrument="grant"
    )
    if lock:
        rows = rows.select_for_update()
    return rows.order_by("-pk").first()


def grant_due(partner_id: int, funder_id: int) -> tuple[Decimal, Decimal]:
    """(decided, still to come) of a funder's grant: from its agreement when there is one, else from the decision.

    A terminated agreement leaves only what it had ordered already.
    """
    agreement = live_agreement(partner_id, funder_id)
    if agreement is not None:
        return agreement.amount, agreement.still_due
    ended = (
        Agreement.objects.filter(partner_id=partner_id, funder_id=funder_id, instrument="grant", state="terminated")
        .order_by("-pk")
        .first()
    )
    if ended is not None:
        return ended.amount, ended.still_due
    share = decided_share(partner_id, funder_id)
    amount = share.decided if share is not None and share.decided is not None else ZERO
    return amount, amount


def engaged_relay(partner_id: int, funder_id: int) -> Relay | None:
    """The relay that holds a grant, or None."""
    return Relay.objects.filter(partner_id=partner_id, funder_id=funder_id, state__in=states.RELAY_ENGAGED).first()


@dataclass(frozen=True)
class Situation:
    """A partner's State grant seen for a relay: the eligibility, the grant, its region."""

    partner: Partner
    funder: Organisation
    eligibility: relay_rules.Eligibility
    decided: Decimal
    still_due: Decimal
    letter: Letter | None
    row: Any
    region: tuple[str, str, str] | None


def situation(partner: Partner, funder: Organisation, on: dt.date) -> Situation:
    """May this partner ask a relay on this funder's grant on that day, and why not."""
    return situations([(partner, funder)], on)[0]


def situations(pairs: Sequence[tuple[Partner, Organisation]], on: dt.date) -> list[Situation]:
    """The same for many grants at once; six queries whatever their number (less where there is nothing to ask)."""
    laws = policy()
    partners, projects = [p.pk for p, _ in pairs], {p.project_id: p.project for p, _ in pairs}
    shares: dict[tuple[int, int], Share] = {}
    for share in Share.objects.filter(
        partner_id__in=partners, instrument="grant", superseded_at__isnull=True, decided__isnull=False
    ).order_by("pk"):
        shares.setdefault((share.partner_id, share.funder_id), share)
    live: dict[tuple[int, int], Agreement] = {}
    ended: dict[tuple[int, int], Agreement] = {}
    for agreement in Agreement.objects.filter(partner_id__in=partners, instrument="grant").order_by("pk"):
        (ended if agreement.state == "terminated" else live)[agreement.partner_id, agreement.funder_id] = agreement
    engaged = set(
        Relay.objects.filter(partner_id__in=partners, state__in=states.RELAY_ENGAGED).values_list(
            "partner_id", "funder_id"
        )
    )
    last = {
        (letter.project_id, letter.partner_id): letter
        for letter in SelectionLetter.objects.filter(partner_id__in=partners).order_by("on", "id")
    }
    calls = {p.call_id for p in projects.values() if p.call_id is not None}
    selected_here = (
        set(Exercise.objects.filter(call_id__in=calls).values_list("call_id", flat=True)) if calls else set()
    )
    labelled = set(
        ProjectLabel.objects.filter(
            project_id__in=projects, outcome__in=LABELLED, superseded_at__isnull=True
        ).values_list("project_id", flat=True)
    )
    found = []
    for partner, funder in pairs:
        key, project = (partner.pk, funder.pk), partner.project
        share, agreement = shares.get(key), live.get(key) or ended.get(key)
        if agreement is not None:
            decided, due = agreement.amount, agreement.still_due
        else:
            decided = due = share.decided if share is not None else ZERO
        letter = None
        said = last.get((project.pk, partner.pk))
        if said is not None or project.call_id not in selected_here:
            letter = _letter(project, said)
        row, region = relay_rules.place_open(laws, partner.department, partner.organisation.region_code, on)
        asking = relay_rules.Asking(
            kind=partner.kind,
            labelled=project.pk in labelled,
            state_grant=share.decided if share is not None and share.source == "state" and share.decided else ZERO,
            letter_on=letter.on if letter else None,
            still_due=due,
            region=region[1] if region else None,
            region_set=region[0] if region else None,
            region_name=region[2] if region else "",
            engaged=key in engaged,
            left=partner.left_on is not None and partner.left_on <= on,
        )
        eligibility = relay_rules.eligibility(laws, asking, on, row)
        found.append(Situation(partner, funder, eligibility, decided, due, letter, row, region))
    return found


def askable(actor: Actor, on: dt.date) -> list[Situation]:
    """The State grants of the actor's company, each with whether a relay may be asked on it."""
    if not actor.can("relay.request") or actor.organisation_id is None:
        return []
    shares = (
        Share.objects.filter(
            partner__organisation_id=actor.organisation_id,
            source="state",
            instrument="grant",
            decided__gt=0,
            superseded_at__isnull=True,
        )
        .select_related("partner__project", "partner__organisation", "funder")
        .order_by("-decided_on", "id")
    )
    return situations([(s.partner, s.funder) for s in shares], on)


def banks() -> QuerySet[Organisation]:
    """Banks that answer requests: organisations for which somebody holds the role."""
    roles = [role.code for role in policy().roles_with("relay.offer")]
    return _with_roles(roles)


def guarantors() -> QuerySet[Organisation]:
    """Bodies that counter-guarantee: organisations for which somebody holds the role."""
    return _with_roles([role.code for role in policy().roles_with("relay.guarantee")])


def _with_roles(roles: list[str]) -> QuerySet[Organisation]:
    mandates = Mandate.objects.filter(role__in=roles, revoked_at__isnull=True)
    return Organisation.objects.filter(pk__in=mandates.values("organisation_id")).order_by("name")


def relays(actor: Actor, on: dt.date) -> QuerySet[Relay]:
    """Relays that the actor may read, with what lists show."""
    return (
        access.visible_relays(actor, on)
        .select_related("company", "bank", "guarantor", "project", "funder", "partner")
        .order_by("-asked_on", "-id")
    )


def flows(
    relay: Relay,
) -> tuple[list[tuple[dt.date, Decimal]], list[tuple[dt.date, Decimal]], list[tuple[dt.date, Decimal]]]:
    """(drawdowns, public repayments, all repayments of the bank) of a relay, each (day, amount)."""
    drawn, public, back = [], [], []
    for move in relay.moves.all():
        if move.kind == "drawdown":
            drawn.append((move.on, move.amount))
        elif move.kind == "repayment":
            public.append((move.on, move.amount))
            back.append((move.on, move.amount))
        elif move.kind in ("company_repayment", "guarantee_payment"):
            back.append((move.on, move.amount))
    return drawn, public, back


def gain(relay: Relay, on: dt.date) -> relay_rules.Gain:
    """Months gained by a relay, up to a day."""
    drawn, public, _ = flows(relay)
    return relay_rules.months_gained(drawn, public, on)


def cost(relay: Relay, on: dt.date) -> relay_rules.Cost | None:
    """What a relay costs: so far when it was drawn, else as estimated by the offer; None before an offer."""
    if relay.offer is None or relay.rate is None or relay.months is None:
        return None
    drawn, _, back = flows(relay)
    if drawn:
        return relay_rules.actual(policy(), on, drawn, back, relay.rate, relay.fee)
    start = relay.offered_on or on
    return relay_rules.estimate(policy(), start, relay.offer, relay.months, relay.rate, relay.fee)


# -- cash calendar ------------------------------------------------------------------------------------------------


@dataclass
class Month:
    """A month of a cash calendar; grants and relay are what came or is expected, costs what the budget plans."""

    first: dt.date
    costs: Decimal = ZERO
    grants: Decimal = ZERO
    expected: Decimal = ZERO
    relay_in: Decimal = ZERO
    relay_out: Decimal = ZERO
    without: Decimal = ZERO
    with_relay: Decimal = ZERO


@dataclass
class CashCalendar:
    """Month by month, the cash of a partner in a project, with and without the relay."""

    months: list[Month]
    lowest_without: Decimal
    lowest_with: Decimal
    gain: relay_rules.Gain
    notes: list[Text] = field(default_factory=list)
    why: Why | None = None


def cash_calendar(partner: Partner, on: dt.date) -> CashCalendar | None:
    """The cash calendar of a partner; None when the project has no dates. Seven queries.

    Grants without a payment yet are expected on the day of their instalment, or as long after the announcement as
    agreements of the same funder took in the middle (median), never in the past.
    """
    project = partner.project
    if project.starts_on is None or not project.months:
        return None
    end = _last_day(project)
    budget: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for year, amount in partner.budget.values_list("year", "amount"):
        budget[year] += amount
    events: list[tuple[dt.date, str, Decimal]] = []
    notes: list[Text] = []
    found = list(
        Agreement.objects.filter(partner=partner)
        .exclude(state="terminated")
        .select_related("funder")
        .prefetch_related("instalments")
    )
    paid: dict[int, Decimal] = defaultdict(lambda: ZERO)
    rows = PaymentOrder.objects.filter(agreement__partner=partner, state="paid")
    for day, amount, instalment_id in rows.values_list("paid_on", "amount", "claim__instalment_id"):
        events.append((day, "grants", amount))
        paid[instalment_id] += amount
    for day, amount in Recovery.objects.filter(agreement__partner=partner, state="repaid").values_list(
        "repaid_on", "amount"
    ):
        events.append((day, "grants", -amount))
    for row in found:
        for instalment in row.instalments.all():
            left = instalment.amount - paid[instalment.pk]
            if left > 0 and row.state not in ("closed",):
                day = max(instalment.due_on or _guess(row, on, notes), on)
                events.append((day, "expected", left))
    agreed = {(row.funder_id, row.instrument) for row in found}
    for share in Share.objects.filter(partner=partner, superseded_at__isnull=True, decided__gt=0).select_related(
        "funder"
    ):
        if (share.funder_id, share.instrument) not in agreed:
            notes.append(
                T(
                    "{f} : {a} € décidés, sans convention ; non placés dans le calendrier.",
                    "{f}: {a} € decided, without agreement; not placed in the calendar.",
                    f=share.funder.name,
                    a=rules.euros(share.decided),
                )
            )
    held: list[tuple[Decimal, dt.date, dt.date | None]] = []
    for relay in Relay.objects.filter(partner=partner).prefetch_related("moves"):
        drawn, public, _ = flows(relay)
        held += relay_rules.lots(drawn, public)
        for move in relay.moves.all():
            if move.kind == "drawdown":
                events.append((move.on, "relay_in", move.amount))
            elif move.kind in ("repayment", "company_repayment", "guarantor_back"):
                events.append((move.on, "relay_out", move.amount))
    first = min([project.starts_on, *(d for d, _, _ in events)])
    last = max([end, *(d for d, _, _ in events)])
    months = {m: Month(m) for m in rules.months_of(first, last)}
    for month, amount in rules.spread(budget, project.starts_on, end).items():
        months[month].costs += amount
    for day, kind, amount in events:
        row = months[day.replace(day=1)]
        setattr(row, kind, getattr(row, kind) + amount)
    without = cash = ZERO
    for row in months.values():
        without += row.grants + row.expected - row.costs
        cash += row.grants + row.expected - row.costs + row.relay_in - row.relay_out
        row.without, row.with_relay = without, cash
    table = list(months.values())
    return CashCalendar(
        table,
        min(r.without for r in table),
        min(r.with_relay for r in table),
        relay_rules.gain_of(held, on),
        notes,
        Why(
            rule=T(
                "Coûts : le budget de chaque année, réparti également sur les mois du projet. Aides : au jour du paiement, "
                "sinon au jour attendu. Relais : avances reçues, puis rendues quand le paiement public va à la banque.",
                "Costs: each year's budget, spread evenly over the project's months. Grants: on the day of payment, else on "
                "the day expected. Relay: advances received, then given back when the public payment goes to the bank.",
            ),
            day=on,
            inputs={T("Début", "Start"): project.starts_on, T("Fin", "End"): end},
            reading=True,
        ),
    )


def _last_day(project: Project) -> dt.date:
    from jalon.policy.rules import plus

    return plus(project.starts_on, project.months, "months") - dt.timedelta(days=1)


def _guess(agreement: Agreement, on: dt.date, notes: list[Text]) -> dt.date:
    """When an instalment without a day may be paid: the published observation nearest to the announcement, or today."""
    part = policy().part("funding")
    seen = [o for o in (part.observed if part else ()) if o.about == "award_to_payment"]
    if not seen or agreement.awarded_on is None:
        return on
    from jalon.policy.rules import plus

    best = seen[0]
    note = T(
        "{f} : tranche sans date, placée {n} mois après l'annonce (observé : {a} à {b} mois, {r}).",
        "{f}: instalment without a day, placed {n} months after the announcement (observed: {a} to {b} months, {r}).",
        f=agreement.funder.name,
        n=best.months_to,
        a=best.months_from,
        b=best.months_to,
        r=best.reference,
    )
    if note not in notes:
        notes.append(note)
    return plus(agreement.awarded_on, best.months_to, "months")


# -- balance sheet of the scheme ----------------------------------------------------------------------------------


@dataclass
class SchemeLine:
    """A line of the balance sheet (*bilan du dispositif*): a region, or the whole."""

    name: str
    requests: int = 0
    asked: Decimal = ZERO
    open: int = 0
    offered: int = 0
    refused: int = 0
    withdrawn: int = 0
    accepted: int = 0
    advanced: Decimal = ZERO
    repaid: Decimal = ZERO
    owed: Decimal = ZERO
    guaranteed: Decimal = ZERO
    guarantees: int = 0
    defaults: int = 0
    default_amount: Decimal = ZERO
    guarantee_paid: Decimal = ZERO
    gain: relay_rules.Gain | None = None
    first_on: dt.date | None = None
    hidden: bool = False


def scheme(on: dt.date, *, public: bool = False) -> tuple[list[SchemeLine], SchemeLine, bool]:
    """The balance sheet of relay finance by region and in all, and whether some of it is simulated. Two queries.

    ``public``: lines with fewer requests than ``funding.relay_public_minimum`` say only their number of requests.
    """
    laws = policy()
    names = {(s.code, r.code): r.name for s in laws.regions for r in s.regions}
    lines: dict[tuple[str, str], SchemeLine] = {}
    whole = SchemeLine(str(T("Ensemble", "All")))
    held: dict[Any, list[tuple[Decimal, dt.date, dt.date | None]]] = defaultdict(list)
    simulated = False
    rows = Relay.objects.filter(programme=laws.slug, asked_on__lte=on).prefetch_related("moves").order_by("id")
    for relay in rows:
        simulated = simulated or relay.simulated
        key = (relay.region_set, relay.region)
        line = lines.setdefault(key, SchemeLine(names.get(key, relay.region)))
        drawn, public_back, _ = flows(relay)
        parts = relay_rules.lots(drawn, public_back)
        for name, one in ((key, line), ("", whole)):
            held[name] += parts
            _count(one, relay)
    for key, line in lines.items():
        line.gain = relay_rules.gain_of(held[key], on)
    whole.gain = relay_rules.gain_of(held[""], on)
    least = laws.on(on).find("funding.relay_public_minimum") if laws.part("funding") else None
    if public and least is not None:
        small = [line for line in lines.values() if line.requests < least.value]
        for line in small:
            line.hidden = True
        # One hidden region alone could be had by subtraction: the next smallest is hidden with it.
        if len(small) == 1:
            others = sorted((line for line in lines.values() if not line.hidden), key=lambda li: li.requests)
            if others:
                others[0].hidden = True
        whole.hidden = 0 < whole.requests < least.value
    return sorted(lines.values(), key=lambda line: (-line.requests, line.name)), whole, simulated


def _count(line: SchemeLine, relay: Relay) -> None:
    line.requests += 1
    line.asked += relay.amount
    line.first_on = min(line.first_on or relay.asked_on, relay.asked_on)
    line.open += relay.state in ("asked", "offered")
    line.offered += relay.offered_on is not None
    line.refused += relay.state == "refused"
    line.withdrawn += relay.state == "withdrawn"
    line.accepted += relay.accepted_on is not None
    line.advanced += relay.drawn
    line.repaid += relay.repaid + relay.company_repaid
    line.owed += relay.owed
    if relay.guarantee in ("granted", "called", "paid", "released") and relay.guarantee_amount:
        line.guarantees += 1
        line.guaranteed += relay.guarantee_amount
    line.guarantee_paid += relay.guarantee_paid
    if relay.defaulted_on is not None:
        line.defaults += 1
        line.default_amount += relay.owed + relay.guarantee_paid


def published_gain() -> Any:
    """What the programme published on the time gained (six to nine months), or None."""
    part = policy().part("funding")
    return next((o for o in (part.observed if part else ()) if o.about == "relay_gain"), None)


def observed_delays() -> list[Any]:
    """Delays that others observed and published: to compare with, never rules."""
    part = policy().part("funding")
    return [o for o in (part.observed if part else ()) if o.about == "award_to_payment"]


def titles(cases: Mapping[str, Any]) -> dict[str, str]:
    """Titles by code of any of this package's states."""
    return {code: str(title) for code, title in cases.items()}
