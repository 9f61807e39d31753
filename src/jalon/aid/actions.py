"""Acts of State aid: awards of the ledger, ownership, accounts, a cluster's own costs and aid. One function per act.

Two awards at once cannot overrun a ceiling: whoever records locks the rows of the whole single undertaking first, in one
order, and looks again at who belongs to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from jalon.aid import access, queries, rules, states
from jalon.aid.models import Award, ClusterAid, ClusterYear, OwnershipLink, SizeFigures
from jalon.clusters.models import Cluster
from jalon.core import clock, journal
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import StoredFile
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.people.queries import current


def case_of(organisation: Organisation) -> str:
    """The journal's case in which what concerns an organisation's aid is written."""
    return f"aid:{organisation.pk}"


def _lock(organisations: Iterable[Organisation], on: dt.date) -> list[Organisation]:
    """Lock the single undertakings of these organisations, in order of their numbers; the first one's comes back.

    A link recorded meanwhile may make the undertaking larger: it is read again until nothing changes.
    """
    wanted = list(organisations)
    locked: set[int] = set()
    while True:
        members: dict[int, Organisation] = {}
        first: list[Organisation] = []
        for position, one in enumerate(wanted):
            found = _tied(one, on)
            first = found if position == 0 else first
            members |= {o.pk: o for o in found}
        if set(members) <= locked:
            return first
        locked = set(members)
        list(Organisation.objects.select_for_update(no_key=True).filter(pk__in=locked).order_by("pk"))


def _tied(organisation: Organisation, on: dt.date) -> list[Organisation]:
    try:
        return queries.undertaking(organisation, on)
    except rules.NoRules:
        return [organisation]


# -- awards -----------------------------------------------------------------------------------------------------


def record_award(
    beneficiary: Organisation,
    *,
    base: str,
    granted_on: dt.date,
    by: Actor,
    on: dt.date,
    amount: Decimal | None = None,
    nominal: Decimal | None = None,
    years: Decimal | None = None,
    authority: Organisation | None = None,
    authority_name: str = "",
    payer_name: str = "",
    instrument: str = "grant",
    bases: Mapping[str, Decimal] | None = None,
    bonuses: Iterable[str] = (),
    size: str = "",
    size_evidence: str = "",
    measure: str = "",
    number: str = "",
    case: str = "",
    title: str = "",
    declared: bool = False,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Award:
    """Record an aid in the ledger; the ceiling of its legal base is checked, all funders together.

    Args:
        base: gber, de_minimis, sgei, notified, none.
        amount: gross grant equivalent, in euros; without it, it is computed from ``nominal`` and ``years`` where the
            regulation of the day has a method (:func:`jalon.aid.rules.grant_equivalent`).
        authority: the body that grants; ``authority_name`` where a declared aid comes from a body not known here.
        bases: eligible costs by research category (gber).
        size: EU class on the day of granting; without it the one known that day is taken.
        case: the journal's name of the project: aid of one case on the same costs is added up (article 8).
        declared: the beneficiary tells what another body granted: a fact, recorded whatever the ceiling.

    Raises:
        NotAllowed: not the actor's to record or declare.
        Refused: with what is missing, or the ceiling that would be passed and why.
    """
    beneficiary = current(beneficiary)
    if declared:
        access.may_declare(by, beneficiary)
    else:
        access.may_record(by, authority.pk if authority is not None else None)
    laws = policy()
    part = laws.part("aid")
    costs = {k: v for k, v in (bases or {}).items() if v}
    equivalent = None
    if amount is None and part is not None:
        equivalent = _equivalent(laws, base, instrument, nominal, years, granted_on)
        amount = equivalent.amount if equivalent is not None else None
    amount = amount or Decimal(0)
    _complete(laws, part, base, amount, granted_on, on, authority, authority_name, instrument, costs, measure, declared)
    if nominal is not None and amount > nominal:
        raise Refused(
            T(
                "Trouvé un équivalent-subvention de {a} pour un montant nominal de {n} : il ne peut pas le dépasser.",
                "Found a grant equivalent of {a} for a nominal amount of {n}: it cannot be above it.",
                a=rules.euros(amount),
                n=rules.euros(nominal),
            ),
            kind="input",
        )
    bonuses = tuple(dict.fromkeys(bonuses))
    with transaction.atomic():
        members = _lock([beneficiary], granted_on)
        why: Any = {}
        rule_set = ""
        evidence = size_evidence.strip()
        if base in states.DE_MINIMIS:
            kind = states.DE_MINIMIS[base]
            verdict = None
            try:
                verdict = rules.de_minimis(laws, queries.small_awards(members, kind), amount, granted_on, kind=kind)
            except rules.NoRules:
                if not declared:
                    raise
            if verdict is not None:
                rule_set, why = verdict.rules.code, _kept(verdict.why)
                if verdict.refusal is not None and not declared:
                    raise Refused(verdict.refusal, why=verdict.why)
        elif base == "gber":
            if not size:
                known = queries.size_at(beneficiary, granted_on)
                size, evidence = known.category or "", evidence or known.evidence
            if not size and not declared:
                raise Refused(
                    T(
                        "La taille de « {o} » le {d} n'est pas connue : enregistrez ses comptes, ou donnez la classe et sa preuve.",
                        "The size of “{o}” on {d} is not known: record its accounts, or give the class and its evidence.",
                        o=beneficiary.name,
                        d=granted_on.isoformat(),
                    )
                )
            if not declared:
                ceiling = _cumulated(laws, beneficiary, authority, case, costs, size, bonuses, amount, granted_on)
                rule_set, why = rules.rule_set(laws, granted_on).code, _kept(ceiling.why)
                if ceiling.refusal is not None:
                    raise Refused(ceiling.refusal, why=ceiling.why)
        if equivalent is not None and why:
            said = _kept(equivalent.why)
            for code in ("fr", "en"):
                why[code]["steps"] = [*said[code]["steps"], *why[code]["steps"]]
            why["to_confirm"] = why["to_confirm"] or said["to_confirm"]
        main = max(costs, key=lambda c: costs[c]) if costs else ""
        award = Award(
            beneficiary=beneficiary,
            authority=authority,
            authority_name="" if authority is not None else authority_name.strip()[:255],
            payer_name=payer_name.strip()[:255],
            base=base,
            rule_set=rule_set,
            measure=measure.strip()[:40],
            number=number.strip()[:80],
            instrument=instrument,
            category=main,
            bases={k: str(v) for k, v in costs.items()},
            eligible_cost=sum(costs.values(), Decimal(0)) if costs else None,
            bonuses=list(bonuses),
            amount=amount,
            nominal=nominal,
            years=years,
            granted_on=granted_on,
            size=size,
            size_evidence=evidence[:300],
            case=case[:120],
            title=title.strip()[:255],
            declared=declared,
            why=why,
            recorded_at=clock.stamp(on, at),
            recorded_by=by.user_label[:200],
            simulated=simulated,
        )
        try:
            with transaction.atomic():
                award.save(force_insert=True)
        except IntegrityError:
            raise Refused(
                T(
                    "Le numéro d'aide « {n} » est déjà pris chez ce financeur.",
                    "The aid number “{n}” is already taken at this funder.",
                    n=award.number or "–",
                ),
                kind="input",
            ) from None
        journal.record(
            case_of(beneficiary),
            "aid.declared" if declared else "aid.recorded",
            by=by,
            on=on,
            at=at,
            after={
                "award": award.pk,
                "granted_by": award.granted_by,
                "legal_base": base,
                "rule_set": rule_set,
                "amount": amount,
                "nominal": nominal,
                "years": years,
                "granted_on": granted_on,
                "eligible_cost": award.eligible_cost,
                "bonuses": list(bonuses),
                "size": size,
                "project": case,
            },
        )
    return award


def _equivalent(
    laws: Any, base: str, instrument: str, nominal: Decimal | None, years: Decimal | None, granted_on: dt.date
) -> rules.Equivalent | None:
    """The equivalent computed from the nominal amount; None when there is nothing to compute it from.

    Raises:
        Refused: no method for this form of aid, duration or legal base; the equivalent must then be given.
    """
    if nominal is None or instrument not in {i.code for i in laws.part("aid").instruments}:
        return None
    if base not in states.DE_MINIMIS:
        raise Refused(
            T(
                "Donnez l'équivalent-subvention brut : l'équivalent simplifié n'existe que pour le de minimis.",
                "Give the gross grant equivalent: the simplified one exists for de minimis only.",
            ),
            kind="input",
        )
    found = rules.grant_equivalent(laws, instrument, nominal, years, granted_on, kind=states.DE_MINIMIS[base])
    if found.reason is not None:
        raise Refused(found.reason, why=found.why, kind="input")
    return found


def _complete(
    laws: Any,
    part: Any,
    base: str,
    amount: Decimal,
    granted_on: dt.date,
    on: dt.date,
    authority: Organisation | None,
    authority_name: str,
    instrument: str,
    costs: Mapping[str, Decimal],
    measure: str,
    declared: bool,
) -> None:
    """Everything that is missing or wrong in an award, at once."""
    if part is None:
        rules.rule_set(laws, granted_on)
    missing = []
    if base not in states.BASES:
        missing.append(T("une base juridique : {k}", "a legal base: {k}", k=", ".join(states.BASES)))
    if amount <= 0 or amount != amount.quantize(rules.CENT):
        missing.append(T("un montant au-dessus de zéro, au centime", "an amount above zero, to the cent"))
    if granted_on > on:
        missing.append(T("un jour d'octroi qui n'est pas à venir", "a day of granting that is not in the future"))
    if authority is None and not authority_name.strip():
        missing.append(T("l'organisme qui accorde l'aide", "the body that grants the aid"))
    if instrument not in {i.code for i in part.instruments}:
        missing.append(
            T("une forme d'aide : {k}", "a form of aid: {k}", k=", ".join(str(i.title) for i in part.instruments))
        )
    if base == "gber" and not costs and not declared:
        missing.append(T("les coûts admissibles par catégorie de recherche", "eligible costs by research category"))
    if any(cost < 0 for cost in costs.values()):
        missing.append(T("des coûts qui ne sont pas négatifs", "costs that are not negative"))
    if base == "notified" and not measure.strip() and not declared:
        missing.append(T("la référence du régime notifié (SA.…)", "the reference of the notified scheme (SA.…)"))
    if missing:
        raise Refused(T("L'aide n'est pas complète.", "The award is not complete."), missing=missing, kind="input")


def _cumulated(
    laws: Any,
    beneficiary: Organisation,
    authority: Organisation | None,
    case: str,
    costs: Mapping[str, Decimal],
    size: str,
    bonuses: tuple[str, ...],
    amount: Decimal,
    granted_on: dt.date,
) -> rules.Ceiling:
    """The new award with those already granted to the beneficiary for the same case, against the ceiling.

    Where funders state different eligible costs for one category, the lowest is kept: the cautious reading.
    """
    lowest = dict(costs)
    amounts: dict[str, Decimal] = {}
    union = Decimal(0)
    if case:
        for other in queries.standing_awards().filter(beneficiary=beneficiary, case=case).select_related("authority"):
            if other.base == "none":
                continue
            name = other.granted_by
            amounts[name] = amounts.get(name, Decimal(0)) + other.amount
            for category, said in other.bases.items():
                lowest[category] = min(lowest.get(category, Decimal(said)), Decimal(said))
    name = authority.name if authority is not None else "–"
    amounts[name] = amounts.get(name, Decimal(0)) + amount
    plan = rules.Plan(beneficiary.name, size, lowest, amounts, bonuses, union)
    return rules.check_plans(laws, [plan], granted_on)[0]


def _kept(why: Any) -> dict[str, Any]:
    """An explanation as it is kept with the award, in both languages."""
    both: dict[str, Any] = {"day": why.day.isoformat() if why.day else None, "parameter": why.parameter}
    both |= {"reference": str(why.reference), "url": why.url, "reading": why.reading, "to_confirm": why.to_confirm}
    for code in ("fr", "en"):
        both[code] = {
            "rule": _in(why.rule, code),
            "steps": [_in(step["text"] if isinstance(step, dict) else step, code) for step in why.steps],
            "inputs": {_in(k, code): _in(v, code) for k, v in why.inputs.items()},
        }
    return both


def _in(value: Any, code: str) -> str:
    if hasattr(value, "in_language"):
        return value.in_language(code)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def withdraw_award(award: Award, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Award:
    """Withdraw an award: it no longer counts, its line stays with the reason.

    Raises:
        Refused: no reason, or it is withdrawn already.
    """
    reason = reason.strip()
    with transaction.atomic():
        award = (
            Award.objects.select_for_update(of=("self",)).select_related("beneficiary", "authority").get(pk=award.pk)
        )
        access.may_change(by, award)
        if not reason:
            raise Refused(T("Le retrait demande un motif.", "A withdrawal needs a reason."), kind="input")
        if award.withdrawn_on is not None:
            raise Refused(
                T(
                    "Cette aide est déjà retirée, depuis le {d}.",
                    "This award is withdrawn already, since {d}.",
                    d=award.withdrawn_on,
                )
            )
        award.withdrawn_on, award.withdrawn_reason = on, reason
        award.save(update_fields=["withdrawn_on", "withdrawn_reason"])
        journal.record(
            case_of(award.beneficiary),
            "aid.withdrawn",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={"award": award.pk, "amount": award.amount, "granted_on": award.granted_on},
            after={"award": award.pk, "withdrawn_on": on},
        )
    return award


def publish_award(award: Award, *, published_on: dt.date, by: Actor, on: dt.date) -> Award:
    """Note the day on which an award was published (article 9).

    Raises:
        Refused: withdrawn, a day before granting or to come.
    """
    with transaction.atomic():
        award = (
            Award.objects.select_for_update(of=("self",)).select_related("beneficiary", "authority").get(pk=award.pk)
        )
        access.may_change(by, award)
        if award.withdrawn_on is not None:
            raise Refused(T("Cette aide est retirée.", "This award is withdrawn."))
        if not award.granted_on <= published_on <= on:
            raise Refused(
                T(
                    "Trouvé le {d}, attendu un jour entre l'octroi ({a}) et aujourd'hui ({b}).",
                    "Found {d}, expected a day between granting ({a}) and today ({b}).",
                    d=published_on,
                    a=award.granted_on,
                    b=on,
                ),
                kind="input",
            )
        before, award.published_on = award.published_on, published_on
        award.save(update_fields=["published_on"])
        journal.record(
            case_of(award.beneficiary),
            "aid.published",
            by=by,
            on=on,
            before={"award": award.pk, "published_on": before},
            after={"award": award.pk, "published_on": published_on},
        )
    return award


# -- ownership and accounts ---------------------------------------------------------------------------------------


def record_link(
    owner: Organisation,
    owned: Organisation,
    *,
    by: Actor,
    on: dt.date,
    share: Decimal | None = None,
    control: bool = False,
    owner_kind: str = "firm",
    kind: str = "holding",
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    evidence: str = "",
    file: StoredFile | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> OwnershipLink:
    """Record that ``owner`` holds a share of ``owned``, or controls it.

    Raises:
        Refused: no evidence, a share out of range, a circle (named), shares above 100 % on a day of the period.
    """
    owner, owned = current(owner), current(owned)
    if not (access.is_own(by, owner.pk) or access.is_own(by, owned.pk)):
        by.require("aid.record")
    part = policy().part("aid")
    missing = []
    if part is None or owner_kind not in {k.code for k in part.owner_kinds}:
        missing.append(T("une sorte de détenteur connue", "a known kind of owner"))
    if kind not in ("holding", "absorption"):
        missing.append(T("holding ou absorption", "holding or absorption"))
    if share is None and not control and kind == "holding":
        missing.append(T("la part détenue, ou le contrôle", "the share held, or control"))
    if kind == "absorption" and starts_on is None:
        missing.append(T("le jour de l'absorption", "the day of the absorption"))
    if not evidence.strip():
        missing.append(
            T("la preuve (statuts, registre des actionnaires…)", "the evidence (articles, register of shareholders…)")
        )
    if starts_on and ends_on and ends_on < starts_on:
        missing.append(T("une fin qui ne précède pas le début", "an end not before the start"))
    if missing:
        raise Refused(T("Le lien n'est pas complet.", "The link is not complete."), missing=missing, kind="input")
    with transaction.atomic():
        _lock([owner, owned], on)
        rows = queries.links_around([owner.pk, owned.pk])
        people = Organisation.objects.in_bulk(
            {owner.pk, owned.pk, *(r.owner_id for r in rows), *(r.owned_id for r in rows)}
        )
        names = queries.unique_names(people)
        new = rules.Link(names[owner.pk], names[owned.pk], share, control, starts_on, ends_on, owner_kind, kind)
        links = [*(queries.as_link(row, names) for row in rows), new]
        # A circle or too large a sum can begin only on a day on which a link begins.
        days = {link.starts_on for link in links if link.starts_on is not None and new.on(link.starts_on)}
        days |= {starts_on or dt.date(2005, 1, 1)}
        for day in sorted(d for d in days if d is not None):
            rules.check_links(policy(), links, max(day, dt.date(2005, 1, 1)))
        made = OwnershipLink.objects.create(
            owner=owner,
            owned=owned,
            kind=kind,
            share=share,
            control=control,
            owner_kind=owner_kind,
            starts_on=starts_on,
            ends_on=ends_on,
            evidence=evidence.strip()[:300],
            file=file,
            recorded_at=clock.stamp(on, at),
            simulated=simulated,
        )
        for one, other in ((owner, owned), (owned, owner)):
            journal.record(
                case_of(one),
                "aid.link",
                by=by,
                on=on,
                at=at,
                after={
                    "owner": owner.name,
                    "owned": owned.name,
                    "other": other.pk,
                    "share": share,
                    "control": control,
                    "owner_kind": owner_kind,
                    "kind": kind,
                    "starts_on": starts_on,
                    "ends_on": ends_on,
                    "evidence": evidence.strip(),
                },
            )
    return made


def close_link(link: OwnershipLink, *, ends_on: dt.date, by: Actor, on: dt.date) -> OwnershipLink:
    """End a link on a day: a new version with its end; the version before stays as it was known.

    Raises:
        Refused: it ended already, or the end precedes the start.
    """
    with transaction.atomic():
        link = OwnershipLink.objects.select_for_update(of=("self",)).select_related("owner", "owned").get(pk=link.pk)
        if not (access.is_own(by, link.owner_id) or access.is_own(by, link.owned_id)):
            by.require("aid.record")
        if link.superseded_at is not None or link.ends_on is not None:
            raise Refused(T("Ce lien est déjà clos ou corrigé.", "This link is already closed or corrected."))
        if link.starts_on is not None and ends_on < link.starts_on:
            raise Refused(T("La fin précède le début.", "The end comes before the start."), kind="input")
        now = clock.stamp(on)
        made = OwnershipLink.objects.get(pk=link.pk)
        made.pk, made.ends_on, made.recorded_at = None, ends_on, now
        made._state.adding = True
        link.superseded_at = now
        link.save(update_fields=["superseded_at"])
        made.save(force_insert=True)
        for one in (link.owner, link.owned):
            journal.record(
                case_of(one),
                "aid.link_closed",
                by=by,
                on=on,
                before={"owner": link.owner.name, "owned": link.owned.name, "ends_on": None},
                after={"owner": link.owner.name, "owned": link.owned.name, "ends_on": ends_on},
            )
    return made


def record_figures(
    organisation: Organisation,
    year: int,
    *,
    by: Actor,
    on: dt.date,
    headcount: Decimal | None = None,
    turnover: Decimal | None = None,
    balance: Decimal | None = None,
    evidence: str = "",
    file: StoredFile | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> SizeFigures:
    """Record a closed accounting year; a correction is a new version.

    Raises:
        Refused: the year is not over, a negative figure, no figure or no evidence.
    """
    organisation = current(organisation)
    access.may_declare(by, organisation)
    missing = []
    if not 1990 <= year < on.year:
        missing.append(T("un exercice clos avant {y}", "a year closed before {y}", y=on.year))
    known = [v for v in (headcount, turnover, balance) if v is not None]
    if not known or any(v < 0 for v in known):
        missing.append(T("au moins un chiffre, aucun négatif", "at least one figure, none negative"))
    if not evidence.strip():
        missing.append(
            T("la preuve (liasse fiscale, comptes approuvés…)", "the evidence (tax return, approved accounts…)")
        )
    if missing:
        raise Refused(
            T("L'exercice n'est pas complet.", "The accounting year is not complete."), missing=missing, kind="input"
        )
    with transaction.atomic():
        Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        now = clock.stamp(on, at)
        old = SizeFigures.objects.filter(organisation=organisation, year=year, superseded_at__isnull=True)
        before = old.values("headcount", "turnover", "balance", "evidence").first()
        old.update(superseded_at=now)
        made = SizeFigures.objects.create(
            organisation=organisation,
            year=year,
            headcount=headcount,
            turnover=turnover,
            balance=balance,
            evidence=evidence.strip()[:300],
            file=file,
            recorded_at=now,
            simulated=simulated,
        )
        journal.record(
            case_of(organisation),
            "aid.figures",
            by=by,
            on=on,
            at=at,
            before=before,
            after={
                "year": year,
                "headcount": headcount,
                "turnover": turnover,
                "balance": balance,
                "evidence": evidence.strip(),
            },
        )
    return made


# -- a cluster's own costs and aid --------------------------------------------------------------------------------


def record_cluster_year(
    cluster: Cluster,
    year: int,
    kind: str,
    *,
    eligible: Decimal,
    by: Actor,
    on: dt.date,
    area: str = "",
    counted: bool = True,
    counted_reason: str = "",
    evidence: str = "",
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> ClusterYear:
    """Record the eligible costs of a year of the cluster itself; a correction is a new version.

    Raises:
        Refused: a year left out without a reason, an unknown kind or area, a negative amount, no evidence.
    """
    access.may_write_cluster(by, cluster, on)
    missing = []
    if kind not in states.CLUSTER_KINDS or area not in states.AREAS or (area and kind != "investment"):
        missing.append(T("fonctionnement, ou investissement et sa zone", "operating, or investment and its area"))
    if eligible < 0:
        missing.append(T("un montant qui n'est pas négatif", "an amount that is not negative"))
    if not 2004 <= year <= on.year + 5:
        missing.append(T("une année de 2004 à {y}", "a year from 2004 to {y}", y=on.year + 5))
    if not counted and not counted_reason.strip():
        missing.append(T("pourquoi l'année ne compte pas", "why the year does not count"))
    if not evidence.strip():
        missing.append(T("la preuve (comptes, budget voté…)", "the evidence (accounts, budget voted…)"))
    if missing:
        raise Refused(T("L'année n'est pas complète.", "The year is not complete."), missing=missing, kind="input")
    with transaction.atomic():
        Cluster.objects.select_for_update(no_key=True).get(pk=cluster.pk)
        now = clock.stamp(on, at)
        old = ClusterYear.objects.filter(cluster=cluster, year=year, kind=kind, area=area, superseded_at__isnull=True)
        before = old.values("eligible", "counted", "counted_reason", "evidence").first()
        old.update(superseded_at=now)
        made = ClusterYear.objects.create(
            cluster=cluster,
            year=year,
            kind=kind,
            area=area,
            eligible=eligible,
            counted=counted,
            counted_reason=counted_reason.strip()[:300],
            evidence=evidence.strip()[:300],
            recorded_at=now,
            simulated=simulated,
        )
        journal.record(
            f"aid-cluster:{cluster.slug}",
            "aid.cluster_year",
            by=by,
            on=on,
            at=at,
            before=before,
            after={
                "year": year,
                "kind": kind,
                "area": area,
                "eligible_cost": eligible,
                "counted": counted,
                "reason": counted_reason.strip(),
                "evidence": evidence.strip(),
            },
        )
    return made


def record_cluster_aid(
    cluster: Cluster,
    year: int,
    kind: str,
    *,
    funder: Organisation,
    amount: Decimal,
    by: Actor,
    on: dt.date,
    area: str = "",
    evidence: str = "",
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> ClusterAid:
    """Record what one funder pays for a year; a correction is a new version.

    What was really paid is a fact: it is recorded even above the ceiling, and the page says so.

    Raises:
        Refused: an unknown kind or area, a negative amount, no evidence.
    """
    funder = current(funder)
    access.may_write_cluster(by, cluster, on)
    missing = []
    if kind not in states.CLUSTER_KINDS or area not in states.AREAS or (area and kind != "investment"):
        missing.append(T("fonctionnement, ou investissement et sa zone", "operating, or investment and its area"))
    if amount < 0:
        missing.append(T("un montant qui n'est pas négatif", "an amount that is not negative"))
    if not evidence.strip():
        missing.append(T("la preuve (convention, délibération…)", "the evidence (agreement, deliberation…)"))
    if missing:
        raise Refused(T("L'aide n'est pas complète.", "The aid is not complete."), missing=missing, kind="input")
    with transaction.atomic():
        Cluster.objects.select_for_update(no_key=True).get(pk=cluster.pk)
        now = clock.stamp(on, at)
        old = ClusterAid.objects.filter(
            cluster=cluster, year=year, kind=kind, area=area, funder=funder, superseded_at__isnull=True
        )
        before = old.values("amount", "evidence").first()
        old.update(superseded_at=now)
        made = ClusterAid.objects.create(
            cluster=cluster,
            year=year,
            kind=kind,
            area=area,
            funder=funder,
            amount=amount,
            evidence=evidence.strip()[:300],
            recorded_at=now,
            simulated=simulated,
        )
        journal.record(
            f"aid-cluster:{cluster.slug}",
            "aid.cluster_aid",
            by=by,
            on=on,
            at=at,
            before=before,
            after={
                "year": year,
                "kind": kind,
                "area": area,
                "funder": funder.name,
                "amount": amount,
                "evidence": evidence.strip(),
            },
        )
    return made
