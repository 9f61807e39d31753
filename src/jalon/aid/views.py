"""Pages of State aid: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.aid import access, actions, queries, rules, states
from jalon.aid.commands import plain, why_as_data
from jalon.aid.forms import AwardForm, ClusterYearForm, FiguresForm, LinkForm, default_authority
from jalon.aid.models import Award, OwnershipLink
from jalon.clusters.models import Cluster
from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T, Text, language
from jalon.core.sheets import Column
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.people.rules import name_key
from jalon.ui import charts
from jalon.ui.http import acts, export, page, wants

PER_PAGE = 50
PER_TITLES = {
    "undertaking_project": T("par entreprise et par projet", "per undertaking and project"),
    "cluster": T("par pôle", "per cluster"),
    "infrastructure": T("par infrastructure", "per infrastructure"),
    "undertaking": T("par entreprise", "per undertaking"),
}


def _trail(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [
        {"url": reverse("aid-calculator"), "label": T("Aides d'État", "State aid")},
        *({"url": u, "label": w} for u, w in more),
    ]


def _part() -> Any:
    """The aid rules of the programme; a programme without them says so politely."""
    part = policy().part("aid")
    if part is None:
        raise Refused(
            T(
                "Ce programme n'a pas de règles d'aides d'État : sa politique n'a pas de fichier aid.yaml.",
                "This programme has no State aid rules: its policy has no file aid.yaml.",
            )
        )
    return part


def _day(request: HttpRequest, name: str = "on") -> dt.date:
    text = request.GET.get(name, "").strip()
    if not text:
        return clock.today()
    for read in (dt.date.fromisoformat, lambda t: dt.datetime.strptime(t, "%d/%m/%Y").date()):
        try:
            return read(text)
        except ValueError:
            continue
    raise Refused(
        T("Trouvé « {t} », attendu une date (jj/mm/aaaa).", "Found “{t}”, expected a date (dd/mm/yyyy).", t=text[:40]),
        kind="input",
    )


# -- what is public: rates and thresholds -----------------------------------------------------------------------


@page
def calculator(request: HttpRequest) -> HttpResponse:
    """Which rate, and why: the public calculator, with the whole table of the day beside it."""
    part = _part()
    day = _day(request)
    asked = {
        "research": request.GET.get("research", ""),
        "size": request.GET.get("size", ""),
        "bonuses": request.GET.getlist("bonus"),
        "cost": request.GET.get("cost", "").strip(),
    }
    laws = policy()
    found = refusal = rule_set = amount = None
    try:
        rule_set = rules.rule_set(laws, day)
        if asked["research"] or asked["size"]:
            found = rules.intensity(laws, asked["research"], asked["size"], asked["bonuses"], day)
            if asked["cost"]:
                amount = rules.cents_down(_money(asked["cost"]) * found.rate / 100)
    except Refused as error:
        refusal, found = error, None
    if wants(request) == "json":
        if found is None:
            sentence = str(refusal.reason) if refusal else str(T("Dites research et size.", "Say research and size."))
            return JsonResponse({"error": sentence, "on": day.isoformat()}, status=400)
        return JsonResponse(
            plain(
                {
                    "rate": found.rate, "sum": found.sum, "capped": found.capped, "research": found.category,
                    "size": found.size, "bonuses": found.bonuses, "on": day, "rule_set": found.rules.code,
                    "amount": amount, "why": why_as_data(found.why),
                }
            ),
            json_dumps_params={"ensure_ascii": False},
        )  # fmt: skip
    context = {
        "title": T("Quel taux d'aide, et pourquoi", "Which aid rate, and why"),
        "day": day,
        "asked": asked,
        "rules": rule_set,
        "found": found,
        "amount": amount,
        "refusal": refusal,
        "table": _rates(laws, rule_set, day) if rule_set else None,
        "rule_sets": part.rule_sets,
        "breadcrumb": _trail(),
        "may_ledger": request.actor.can("aid.read"),
        "own": request.actor.organisation_id if access.is_own(request.actor, request.actor.organisation_id) else None,
    }
    return render(
        request,
        "aid/calculator.html",
        context,
        status=400 if refusal and not isinstance(refusal, rules.NoRules) else 200,
    )


def _money(text: str) -> Decimal:
    bare = text.replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace("€", "").replace(",", ".")
    try:
        found = Decimal(bare)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0 or found >= Decimal(10) ** 12:
        raise Refused(
            T("Trouvé « {t} », attendu un montant.", "Found “{t}”, expected an amount.", t=text[:40]), kind="input"
        )
    return found


def _rates(laws: Any, rule_set: Any, day: dt.date) -> dict[str, Any]:
    """Every rate of the day: a row per category and size, a column per bonus letter."""
    letters: dict[str, Any] = {}
    for bonus in rule_set.bonuses:
        letters.setdefault(bonus.letter, []).append(bonus)
    rows = []
    for category in rule_set.categories:
        sizes = list(reversed(rule_set.sizes)) if category.size_bonus else rule_set.sizes[:1]
        for size in sizes:
            cells = [rules.intensity(laws, category.code, size.code, [], day)]
            for several in letters.values():
                fitting = next((b for b in several if category.code in b.categories), None)
                cells.append(rules.intensity(laws, category.code, size.code, [fitting.code], day) if fitting else None)
            rows.append({"category": category, "size": size if category.size_bonus else None, "cells": cells})
    heads = [
        T("sans bonus", "no bonus"),
        *(
            T("({l}) + {p}", "({l}) + {p}", l=letter, p=rules.points(some[0].points))
            for letter, some in letters.items()
        ),
    ]
    for row in rows:
        row["cells"] = list(zip(heads, row["cells"]))
    return {"heads": heads, "rows": rows}


@page
def thresholds(request: HttpRequest) -> HttpResponse:
    """The thresholds and ceilings of a day: notification, publication, de minimis, aid to clusters, records."""
    part = _part()
    day = _day(request)
    laws = policy()
    refusal = rule_set = None
    try:
        rule_set = rules.rule_set(laws, day)
    except Refused as error:
        refusal = error
    small = [
        (kind, rules.in_force([d for d in part.de_minimis if d.kind == kind.code], day))
        for kind in part.de_minimis_kinds
    ]
    forms = {i.code: i.title for i in part.instruments}
    names = (
        "publication_above publication_within mainly_above notification_factor_european notification_factor_advance "
        "cluster_operating_ceiling cluster_operating_years cluster_investment_ceiling cluster_investment_bonus_c "
        "cluster_investment_bonus_a partner_from linked_above public_holding_from records_kept de_minimis_register_from"
    ).split()
    figures = [found for name in names if (found := rules.parameter(laws, name, day)) is not None]
    if wants(request) != "html":
        columns = [
            ("code", Column(T("Code", "Code"))), ("title", Column(T("Intitulé", "Title"), width=50)),
            ("article", Column(T("Article", "Article"))), ("amount", Column(T("Seuil", "Threshold"), "money")),
            ("per", Column(T("Compté", "Counted"))), ("reference", Column(T("Texte", "Text"), width=60)),
            ("to_confirm", Column(T("À confirmer", "To be confirmed"))),
        ]  # fmt: skip
        rows = [
            (t.code, str(t.title), t.article, t.amount, str(PER_TITLES[t.per]), t.reference, _yes(t.to_confirm))
            for t in (rule_set.thresholds if rule_set else ())
        ]
        return export(request, f"{T('seuils', 'thresholds')}-{day.isoformat()}", columns, rows)
    return render(
        request,
        "aid/thresholds.html",
        {
            "title": T("Seuils et plafonds d'aide", "Aid thresholds and ceilings"),
            "day": day,
            "rules": rule_set,
            "refusal": refusal,
            "thresholds": [(t, PER_TITLES[t.per]) for t in (rule_set.thresholds if rule_set else ())],
            "small": small,
            "instruments": part.instruments,
            "equivalents": [(forms.get(e.instrument), e) for _, law in small if law for e in law.equivalents],
            "figures": figures,
            "rule_sets": part.rule_sets,
            "owner_kinds": part.owner_kinds,
            "costs": part.cluster_operating_costs,
            "schemes": [
                s for s in laws.members.size_schemes if s.code in (part.size_scheme, part.national_size_scheme)
            ],
            "breadcrumb": _trail((None, T("Seuils", "Thresholds"))),
        },
    )


def _yes(flag: bool) -> str:
    return str(T("oui", "yes") if flag else T("non", "no"))


# -- the ledger -------------------------------------------------------------------------------------------------

SORTS = {"granted": "granted_on", "amount": "amount", "beneficiary": "beneficiary__name_key"}


@page
def ledger(request: HttpRequest) -> HttpResponse:
    """The ledger of aid that the actor may read, filtered; exports carry the fields of annex III and of the register."""
    part = _part()
    access.may_open_ledger(request.actor)
    asked = {k: request.GET.get(k, "").strip() for k in ("q", "base", "year", "authority", "state", "sort")}
    rows = _filtered(access.visible_to(request.actor), asked)
    total = rows.count()
    if wants(request) != "html":
        return _export(request, rows, str(T("aides", "aid")), part)
    order = SORTS.get(asked["sort"].lstrip("-"), "granted_on")
    sign = "-" if asked["sort"].startswith("-") or not asked["sort"] else ""
    shown = Paginator(
        rows.select_related("beneficiary", "authority").order_by(f"{sign}{order}", "-pk"), PER_PAGE
    ).get_page(request.GET.get("page"))
    standing = rows.filter(withdrawn_on__isnull=True)
    sums = dict(standing.order_by().values_list("base").annotate(total=Sum("amount")))
    years = sorted({d.year for d in access.visible_to(request.actor).dates("granted_on", "year")}, reverse=True)
    authorities = Organisation.objects.filter(pk__in=access.visible_to(request.actor).values("authority_id")).order_by(
        "name_key"
    )
    return render(
        request,
        "aid/ledger.html",
        {
            "title": T("Registre des aides", "Ledger of aid"),
            "asked": asked,
            "filtered": any(v for k, v in asked.items() if k != "sort"),
            "rows": [_row(award) for award in shown],
            "page": shown,
            "total": total,
            "sums": [(title, sums[code]) for code, title in states.BASES.items() if code in sums],
            "sum": sum(sums.values(), Decimal(0)),
            "simulated": rows.filter(simulated=True).exists(),
            "bases": list(states.BASES.items()),
            "years": years,
            "authorities": authorities,
            "whole": access.reads_all(request.actor),
            "due": queries.to_publish(access.visible_to(request.actor), clock.today())[:20]
            if request.actor.can("aid.record")
            else [],
            "breadcrumb": _trail((None, T("Registre", "Ledger"))),
        },
    )


def _filtered(rows: QuerySet[Award], asked: dict[str, str]) -> QuerySet[Award]:
    if asked["q"]:
        key, compact = name_key(asked["q"]), "".join(asked["q"].split())
        wanted = Q(beneficiary__name_key__contains=key) if key else Q()
        wanted |= Q(title__icontains=asked["q"]) | Q(number__iexact=asked["q"]) | Q(case__icontains=asked["q"])
        if compact.isdigit() and len(compact) >= 4:
            wanted |= Q(beneficiary__identifiers__value__startswith=compact)
        rows = rows.filter(pk__in=rows.filter(wanted).values("pk"))
    if asked["base"] in states.BASES:
        rows = rows.filter(base=asked["base"])
    if asked["year"].isdigit() and len(asked["year"]) == 4:
        rows = rows.filter(granted_on__year=int(asked["year"]))
    if asked["authority"].isdigit() and len(asked["authority"]) < 12:
        rows = rows.filter(authority_id=int(asked["authority"]))
    if asked["state"] == "standing":
        rows = rows.filter(withdrawn_on__isnull=True)
    elif asked["state"] == "withdrawn":
        rows = rows.filter(withdrawn_on__isnull=False)
    elif asked["state"] == "declared":
        rows = rows.filter(declared=True)
    elif asked["state"] == "unpublished":
        rows = rows.filter(published_on__isnull=True, declared=False, withdrawn_on__isnull=True)
    return rows


def _row(award: Award) -> dict[str, Any]:
    return {
        "award": award,
        "base": states.BASES[award.base],
        "by": award.granted_by,
        "url": reverse("aid-award", args=[award.pk]),
        "tone": "quiet" if award.withdrawn_on else "info" if award.declared else "good",
        "state": T("retirée", "withdrawn")
        if award.withdrawn_on
        else T("déclarée", "declared")
        if award.declared
        else T("inscrite", "recorded"),
    }


def _export(request: HttpRequest, rows: QuerySet[Award], name: str, part: Any) -> HttpResponse:
    """The fields of annex III in its order, then those that the national register adds."""
    columns = [
        ("beneficiary", Column(T("1. Bénéficiaire", "1. Beneficiary"), width=34)),
        ("beneficiary_id", Column(T("2. Identifiant (SIREN)", "2. Identifier (SIREN)"))),
        (
            "size",
            Column(T("3. PME ou grande entreprise, le jour de l'octroi", "3. SME or large, on the day of granting")),
        ),
        ("region", Column(T("4. Région (NUTS 2)", "4. Region (NUTS 2)"))),
        ("sector", Column(T("5. Secteur (NACE, groupe)", "5. Sector (NACE group)"))),
        ("amount", Column(T("6. Élément d'aide (€)", "6. Aid element (€)"), "money")),
        ("instrument", Column(T("7. Instrument", "7. Instrument"), width=30)),
        ("granted_on", Column(T("8. Date d'octroi", "8. Date of granting"), "date")),
        ("objective", Column(T("9. Objectif", "9. Objective"), width=30)),
        ("authority", Column(T("10. Autorité d'octroi", "10. Granting authority"), width=34)),
        ("authority_id", Column(T("10. Identifiant de l'autorité", "10. Identifier of the authority"))),
        ("entrusted", Column(T("11. Entité chargée (articles 16 et 21)", "11. Entrusted entity (articles 16 and 21)"))),
        ("measure", Column(T("12. Référence de la mesure", "12. Reference of the measure"))),
        ("number", Column(T("Numéro unique de l'aide", "Unique number of the aid"))),
        ("payer", Column(T("Organisme financeur, s'il diffère", "Financing body, if different"))),
        ("regulation", Column(T("Règlement", "Regulation"), width=40)),
        ("nominal", Column(T("Montant nominal (€)", "Nominal amount (€)"), "money")),
        ("years", Column(T("Durée (ans)", "Duration (years)"), "number")),
        ("eligible", Column(T("Coûts admissibles (€)", "Eligible costs (€)"), "money")),
        ("state", Column(T("État au registre", "State in the ledger"))),
        ("published_on", Column(T("Publiée le", "Published on"), "date")),
        ("withdrawn_on", Column(T("Retirée le", "Withdrawn on"), "date")),
        ("case", Column(T("Dossier", "Case"))),
    ]
    found = rows.select_related("beneficiary", "authority").order_by("granted_on", "pk")
    return export(request, name, columns, _lines(found, part), simulated=rows.filter(simulated=True).exists())


def _lines(found: QuerySet[Award], part: Any) -> Iterator[tuple[Any, ...]]:
    instruments = {i.code: str(i.annex) for i in part.instruments}
    titles: dict[str, str] = {}
    texts = {d.code: str(d.title) for d in part.de_minimis}
    for one in part.rule_sets:
        titles |= {c.code: str(c.title) for c in one.categories}
        texts[one.code] = str(one.title)
    numbers: dict[int, str] = {}
    batch: list[Award] = []

    def written(awards: Iterable[Award]) -> Iterator[tuple[Any, ...]]:
        awards = list(awards)
        asked = {a.beneficiary_id for a in awards} | {a.authority_id for a in awards if a.authority_id}
        numbers.update(queries.identifiers(asked - set(numbers)))
        for a in awards:
            sme = a.size in ("micro", "small", "medium")
            yield (
                a.beneficiary.name,
                numbers.get(a.beneficiary_id, ""),
                (str(T("PME", "SME")) if sme else str(T("grande entreprise", "large"))) if a.size else "",
                queries.nuts_region(a.beneficiary),
                queries.nace_group(a.beneficiary),
                a.amount,
                instruments.get(a.instrument, a.instrument),
                a.granted_on,
                titles.get(a.category, "") or str(states.BASES[a.base]),
                a.granted_by,
                numbers.get(a.authority_id, "") if a.authority_id else "",
                "",
                a.measure,
                a.number,
                a.payer_name,
                texts.get(a.rule_set, ""),
                a.nominal,
                a.years,
                a.eligible_cost,
                str(_row(a)["state"]),
                a.published_on,
                a.withdrawn_on,
                a.case,
            )

    for award in found.iterator(chunk_size=1000):
        batch.append(award)
        if len(batch) == 500:
            yield from written(batch)
            batch = []
    yield from written(batch)


@never_cache
@page
def award(request: HttpRequest, pk: int) -> HttpResponse:
    """One line of the ledger: what was granted, how it was checked that day, who recorded it."""
    part = _part()
    found = get_object_or_404(access.visible_to(request.actor).select_related("beneficiary", "authority"), pk=pk)
    laws = policy()
    published = told = None
    try:
        if found.base != "none":
            published = rules.publication(laws, found.amount, found.granted_on)
        if found.base == "gber" and found.bases:
            costs = {k: Decimal(v) for k, v in found.bases.items()}
            told = rules.notification(laws, found.amount, found.granted_on, costs=costs)
    except Refused:
        pass
    titles: dict[str, Any] = {}
    bonuses: dict[str, Any] = {}
    for one in part.rule_sets:
        titles |= {c.code: c.title for c in one.categories}
        bonuses |= {b.code: b.title for b in one.bonuses}
    scheme = next((s for s in laws.members.size_schemes if s.code == part.size_scheme), None)
    return render(
        request,
        "aid/award.html",
        {
            "title": T("Aide à {o}", "Aid to {o}", o=found.beneficiary.name),
            **_row(found),
            "costs": [(titles.get(k, k), Decimal(v)) for k, v in found.bases.items()],
            "bonuses": [bonuses.get(code, code) for code in found.bonuses],
            "instrument": next((i for i in part.instruments if i.code == found.instrument), None),
            "size": next((c.title for c in scheme.categories if c.code == found.size), None) if scheme else None,
            "why": kept_why(found),
            "published": published,
            "notification": told,
            "may_change": _may(access.may_change, request.actor, found) and found.withdrawn_on is None,
            "kept_until": _kept_until(laws, found),
            "today": clock.today(),
            "breadcrumb": _trail(
                *([(reverse("aid-ledger"), T("Registre", "Ledger"))] if request.actor.can("aid.read") else []),
                (reverse("aid-organisation", args=[found.beneficiary_id]), found.beneficiary.name),
                (None, found.number or T("Aide n° {n}", "Aid no. {n}", n=found.pk)),
            ),
        },
    )


def _kept_until(laws: Any, found: Award) -> dt.date | None:
    kept = rules.parameter(laws, "records_kept", found.granted_on)
    return rules.anniversary(found.granted_on, kept.value) if kept else None


def _may(check: Any, *args: Any) -> bool:
    try:
        check(*args)
    except NotAllowed:
        return False
    return True


def kept_why(found: Award) -> dict[str, Any] | None:
    """The explanation kept with an award, in the language spoken."""
    stored = found.why
    if not stored:
        return None
    said = stored.get(language()) or stored.get("fr") or {}
    day = stored.get("day")
    return {
        "rule": said.get("rule", ""),
        "parameter": stored.get("parameter", ""),
        "reference": stored.get("reference", ""),
        "url": stored.get("url", ""),
        "day": dt.date.fromisoformat(day) if day else None,
        "inputs": said.get("inputs", {}),
        "steps": said.get("steps", []),
        "reading": stored.get("reading", False),
        "to_confirm": stored.get("to_confirm", False),
    }


@acts
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a line of the ledger, with a reason."""
    found = get_object_or_404(access.visible_to(request.actor), pk=pk)
    actions.withdraw_award(found, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(
        request,
        T(
            "L'aide est retirée ; sa ligne reste, avec le motif.",
            "The award is withdrawn; its line stays, with the reason.",
        ),
    )
    return redirect("aid-award", pk)


@acts
def published(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that a line was published."""
    found = get_object_or_404(access.visible_to(request.actor), pk=pk)
    text = request.POST.get("published_on", "")
    try:
        day = dt.date.fromisoformat(text) if text else clock.today()
    except ValueError:
        raise Refused(
            T("Trouvé « {t} », attendu une date.", "Found “{t}”, expected a date.", t=text[:40]), kind="input"
        ) from None
    actions.publish_award(found, published_on=day, by=request.actor, on=clock.today())
    messages.success(request, T("La publication est notée.", "The publication is noted."))
    return redirect("aid-award", pk)


# -- an organisation's sheet --------------------------------------------------------------------------------------


def _organisation(request: HttpRequest, pk: int) -> Organisation:
    _part()
    found = get_object_or_404(Organisation, pk=pk)
    access.may_open_organisation(request.actor, found)
    return found


@never_cache
@page
def organisation(request: HttpRequest, pk: int) -> HttpResponse:
    """An organisation's sheet of aid: de minimis, size on a day with its evidence, who owns whom, its awards."""
    found = _organisation(request, pk)
    part = _part()
    day = _day(request)
    actor = request.actor
    rows = access.awards_of(actor, found)
    if wants(request) != "html":
        return _export(request, rows, f"{T('aides', 'aid')}-{found.name}", part)
    near = queries.around(found)
    size = queries.size_at(found, day, near=near)
    gauges = [g for k in part.de_minimis_kinds if (g := queries.gauge(found, day, k.code, near=near)) is not None]
    shown = Paginator(
        rows.select_related("beneficiary", "authority").order_by("-granted_on", "-pk"), PER_PAGE
    ).get_page(request.GET.get("page"))
    picture = wide = None
    main = gauges[0] if gauges else None
    if main is not None and main.verdict is not None:
        awards = queries.small_awards(main.members)
        picture, wide = (_picture(part, awards, day, width) for width in (360, 760))
    owner_titles = {k.code: k.title for k in part.owner_kinds}
    links = [
        {
            "row": row,
            "owner": near.names[row.owner_id],
            "owned": near.names[row.owned_id],
            "kind": owner_titles.get(row.owner_kind, row.owner_kind),
            "now": link.on(day),
            "reach": _reach(link, day),
        }
        for row, link in zip(near.rows, near.links)
    ]
    writes = _may(access.may_declare, actor, found)
    return render(
        request,
        "aid/organisation.html",
        {
            "title": T("Aides reçues par {o}", "Aid received by {o}", o=found.name),
            "organisation": found,
            "day": day,
            "size": size,
            "gauges": gauges,
            "main": main,
            "picture": picture,
            "picture_wide": wide,
            "links": links,
            "drawing": _drawing(near, found, day),
            "figures": sorted(near.figures.get(near.names[found.pk], {}).items(), reverse=True)[:6],
            "evidence": {
                year: near.evidence.get((near.names[found.pk], year), "")
                for year in near.figures.get(near.names[found.pk], {})
            },
            "rows": [_row(a) for a in shown],
            "page": shown,
            "simulated": rows.filter(simulated=True).exists() or any(r.simulated for r in near.rows),
            "writes": writes,
            "records": actor.can("aid.record"),
            "own": access.is_own(actor, found.pk),
            "only_own_lines": not (access.reads_all(actor) or access.is_own(actor, found.pk)),
            "breadcrumb": _trail(
                *([(reverse("aid-ledger"), T("Registre", "Ledger"))] if actor.can("aid.read") else []),
                (None, found.name),
            ),
        },
    )


def _reach(link: rules.Link, day: dt.date) -> Text:
    """What a link is for the size test: linked, partner, or nothing."""
    laws = policy()
    if link.kind == "absorption":
        return T("absorbée : ses aides restent comptées", "absorbed: its aid stays counted")
    if not link.on(day):
        return T("hors de sa période", "outside its period")
    try:
        above, least = (Decimal(rules.parameter(laws, n, day).value) for n in ("linked_above", "partner_from"))
    except AttributeError:
        return T("–", "–")
    kind = next((k for k in laws.part("aid").owner_kinds if k.code == link.owner_kind), None)
    majority = link.control or (link.share is not None and link.share > above)
    if kind is not None and kind.public and (majority or not kind.listed):
        return T("organisme public : compte pour le quart", "public body: counts for the quarter")
    if majority:
        return T("liée (100 %)", "linked (100%)")
    if link.share is not None and link.share >= least:
        if kind is not None and kind.listed:
            return T("investisseur nommé : n'entre pas", "listed investor: does not enter")
        return T("partenaire (au prorata)", "partner (pro rata)")
    return T("autonome (n'entre pas)", "autonomous (does not enter)")


def _drawing(near: queries.Around, found: Organisation, day: dt.date) -> list[dict[str, Any]]:
    """The owners above and the holdings below, as an indented list: depth, name, share. Circles cannot be recorded."""
    live = [(row, link) for row, link in zip(near.rows, near.links) if link.on(day) and link.kind == "holding"]
    lines: list[dict[str, Any]] = []

    def climb(pk: int, seen: frozenset[int]) -> list[list[tuple[int, Any]]]:
        """Chains of owners that end at ``pk``, the topmost first."""
        chains = []
        for row, link in live:
            if row.owned_id == pk and row.owner_id not in seen:
                above = climb(row.owner_id, seen | {row.owner_id})
                chains += [[*chain, (row.owner_id, link)] for chain in above] or [[(row.owner_id, link)]]
        return chains

    def sink(pk: int, depth: int, seen: frozenset[int]) -> None:
        for row, link in live:
            if row.owner_id == pk and row.owned_id not in seen:
                lines.append(
                    {
                        "depth": range(depth),
                        "name": near.names[row.owned_id],
                        "pk": row.owned_id,
                        "link": link,
                        "self": False,
                    }
                )
                sink(row.owned_id, depth + 1, seen | {row.owned_id})

    chains = climb(found.pk, frozenset({found.pk}))
    longest = max((len(c) for c in chains), default=0)
    for chain in chains[:12]:
        lines += [
            {
                "depth": range(longest - len(chain) + n),
                "name": near.names[pk],
                "pk": pk,
                "link": link,
                "self": False,
                "above": True,
            }
            for n, (pk, link) in enumerate(chain)
        ]
    lines.append({"depth": range(longest), "name": near.names[found.pk], "pk": found.pk, "link": None, "self": True})
    sink(found.pk, longest + 1, frozenset({found.pk}))
    return lines if len(lines) > 1 else []


def _picture(part: Any, awards: list[rules.Award], day: dt.date, width: int) -> Any:
    """What counts every three months, three years back and three ahead, with the ceilings as dashes."""
    sets = [d for d in part.de_minimis if d.kind == "general"]
    first = dt.date(day.year, day.month, 1)
    months = [
        dt.date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(-36, 38, 3)
    ]
    used: list[tuple[dt.date, Decimal | None]] = []
    for moment in sorted({*months, day}):
        law = rules.in_force(sets, moment)
        start = rules.window_start(law, moment) if law else moment
        total = sum((a.amount for a in awards if start <= a.granted_on <= moment), Decimal(0))
        used.append((moment, total if law else None))
    ceiling = []
    for law in sets:
        begins, ends = max(law.valid_from, months[0]), min(law.valid_to or months[-1], months[-1])
        if begins <= ends:
            ceiling += [(begins, law.ceiling), (ends, law.ceiling)]
    return charts.trend(
        used,
        ceiling,
        unit="money",
        width=width,
        title=T(
            "De minimis qui compte, trimestre par trimestre ; en pointillé, le plafond",
            "De minimis that counts, quarter by quarter; dashed, the ceiling",
        ),
        today=day,
        names=(T("Compte ce jour-là", "Counts on that day"), T("Plafond", "Ceiling")),
    )


@never_cache
@page
def new_award(request: HttpRequest, pk: int) -> HttpResponse:
    """Record an award to an organisation, or declare one that another body granted."""
    found = _organisation(request, pk)
    actor, today = request.actor, clock.today()
    declared = not actor.can("aid.record")
    if declared:
        access.may_declare(actor, found)
    form = AwardForm(
        request.POST or None,
        declared=declared,
        initial={"authority": default_authority(actor) if not declared else "", "granted_on": today},
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = actions.record_award(
                found,
                base=data["base"],
                amount=data["amount"],
                nominal=data["nominal"],
                years=data["years"],
                granted_on=data["granted_on"],
                authority=data["authority"],
                authority_name=data.get("authority_name", ""),
                instrument=data["instrument"],
                bases=form.costs,
                bonuses=data["bonuses"],
                size=data["size"],
                size_evidence=data["size_evidence"],
                measure=data["measure"],
                number=data["number"],
                case=data["case"],
                title=data["title"],
                declared=declared,
                by=actor,
                on=today,
            )
            messages.success(
                request,
                T("L'aide est déclarée.", "The award is declared.")
                if declared
                else T("L'aide est inscrite.", "The award is recorded."),
            )
            return redirect("aid-award", made.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "aid/award_form.html",
        {
            "title": T("Déclarer une aide reçue", "Declare an aid received")
            if declared
            else T("Inscrire une aide", "Record an award"),
            "organisation": found,
            "form": form,
            "refusal": refusal,
            "declared": declared,
            "gauge": queries.gauge(found, today),
            "size": queries.size_at(found, today),
            "breadcrumb": _trail(
                (reverse("aid-organisation", args=[found.pk]), found.name), (None, T("Nouvelle aide", "New award"))
            ),
        },
        status=400 if refusal or (request.method == "POST" and form.errors) else 200,
    )


@never_cache
@page
def new_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Record who holds what share of whom."""
    found = _organisation(request, pk)
    access.may_declare(request.actor, found)
    form = LinkForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        other, way = data.pop("other"), data.pop("way")
        pair = (other, found) if way == "owner" else (found, other)
        try:
            actions.record_link(*pair, by=request.actor, on=clock.today(), **data)
            messages.success(request, T("Le lien est enregistré.", "The link is recorded."))
            return redirect("aid-organisation", found.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return _fact_form(
        request, found, form, refusal, T("Lien de capital", "Ownership link"),
        T("Un quart suffit pour entrer au prorata dans la taille ; la majorité ou le contrôle, en entier, et dans le de minimis.",
          "A quarter is enough to enter pro rata in the size; the majority or control, in full, and in de minimis."),
    )  # fmt: skip


@never_cache
@page
def new_figures(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a closed accounting year."""
    found = _organisation(request, pk)
    access.may_declare(request.actor, found)
    today = clock.today()
    form = FiguresForm(request.POST or None, initial={"year": today.year - 1})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_figures(found, by=request.actor, on=today, **form.cleaned_data)
            messages.success(request, T("L'exercice est enregistré.", "The accounting year is recorded."))
            return redirect("aid-organisation", found.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return _fact_form(
        request, found, form, refusal, T("Comptes d'un exercice clos", "Accounts of a closed year"),
        T("Un champ vide est inconnu, jamais zéro. Une correction est une nouvelle version.",
          "An empty field is unknown, never zero. A correction is a new version."),
    )  # fmt: skip


def _fact_form(
    request: HttpRequest, found: Organisation, form: Any, refusal: Any, title: Text, lead: Text
) -> HttpResponse:
    return render(
        request,
        "aid/fact_form.html",
        {
            "title": title,
            "lead": lead,
            "organisation": found,
            "form": form,
            "refusal": refusal,
            "back": reverse("aid-organisation", args=[found.pk]),
            "breadcrumb": _trail((reverse("aid-organisation", args=[found.pk]), found.name), (None, title)),
        },
        status=400 if refusal or (request.method == "POST" and form.errors) else 200,
    )


@acts
def close_link(request: HttpRequest, pk: int, link: int) -> HttpResponse:
    """End an ownership link on a day."""
    found = _organisation(request, pk)
    row = get_object_or_404(OwnershipLink, Q(owner=found) | Q(owned=found), pk=link)
    text = request.POST.get("ends_on", "")
    try:
        day = dt.date.fromisoformat(text) if text else clock.today()
    except ValueError:
        raise Refused(
            T("Trouvé « {t} », attendu une date.", "Found “{t}”, expected a date.", t=text[:40]), kind="input"
        ) from None
    actions.close_link(row, ends_on=day, by=request.actor, on=clock.today())
    messages.success(request, T("Le lien est clos.", "The link is closed."))
    return redirect("aid-organisation", found.pk)


# -- the cluster's own aid ----------------------------------------------------------------------------------------


@never_cache
@page
def cluster(request: HttpRequest, slug: str) -> HttpResponse:
    """The running and investment aid of a cluster against article 27, by year and funder."""
    _part()
    found = get_object_or_404(Cluster, slug=slug)
    actor, today = request.actor, clock.today()
    access.may_read_cluster(actor, found, today)
    day = _day(request)
    writes = _may(access.may_write_cluster, actor, found, today)
    refusal = None
    form = ClusterYearForm(request.POST or None, initial={"year": today.year})
    if request.method == "POST":
        access.may_write_cluster(actor, found, today)
        if form.is_valid():
            try:
                _save_cluster_year(found, form.cleaned_data, actor, today)
                messages.success(request, T("L'année est enregistrée.", "The year is recorded."))
                return redirect("aid-cluster", found.slug)
            except NotAllowed:
                raise
            except Refused as error:
                refusal = error
    lines = queries.cluster_lines(found)
    verdict = nothing = None
    try:
        verdict = rules.cluster_aid(policy(), lines, day)
    except Refused as error:
        nothing = error
    if wants(request) != "html":
        return _export_cluster(request, found, lines)
    funders = sorted({f for line in lines for f in line.amounts})
    simulated = any(
        queries_.filter(simulated=True, superseded_at__isnull=True).exists()
        for queries_ in (found.aid_years, found.aid_lines)
    )
    return render(
        request,
        "aid/cluster.html",
        {
            "title": T("Aides au pôle lui-même", "Aid to the cluster itself"),
            "cluster": found,
            "day": day,
            "verdict": verdict,
            "nothing": nothing,
            "checks": [(states.CLUSTER_KINDS[c.kind], c) for c in verdict.checks] if verdict else [],
            "lines": [
                {
                    "line": line,
                    "kind": states.CLUSTER_KINDS[line.kind],
                    "area": states.AREAS[line.area] if line.area else "",
                    "total": sum(line.amounts.values(), Decimal(0)),
                    "cells": [line.amounts.get(f) for f in funders],
                    "share": sum(line.amounts.values(), Decimal(0)) * 100 / line.eligible if line.eligible else None,
                }
                for line in lines
            ],
            "funders": funders,
            "form": form,
            "writes": writes,
            "refusal": refusal,
            "simulated": simulated,
            "breadcrumb": [
                {"url": reverse("cluster", args=[found.slug]), "label": found.name},
                {"url": None, "label": T("Aides au pôle", "Aid to the cluster")},
            ],
        },
        status=400 if refusal or (request.method == "POST" and form.errors) else 200,
    )


def _save_cluster_year(found: Cluster, data: dict[str, Any], actor: Any, today: dt.date) -> None:
    """Costs, a funder's aid, or both: nothing is kept when one of them is refused."""
    from django.db import transaction

    about = {"area": data["area"], "evidence": data["evidence"], "by": actor, "on": today}
    with transaction.atomic():
        if data["eligible"] is not None:
            actions.record_cluster_year(
                found,
                data["year"],
                data["kind"],
                eligible=data["eligible"],
                counted=not data["not_counted"].strip(),
                counted_reason=data["not_counted"],
                **about,
            )
        if data["amount"] is not None:
            actions.record_cluster_aid(
                found, data["year"], data["kind"], funder=data["funder"], amount=data["amount"], **about
            )


def _export_cluster(request: HttpRequest, found: Cluster, lines: list[rules.ClusterLine]) -> HttpResponse:
    columns = [
        ("year", Column(T("Année", "Year"), "number")), ("kind", Column(T("Nature", "Kind"))),
        ("area", Column(T("Zone", "Area"))), ("eligible", Column(T("Coûts admissibles (€)", "Eligible costs (€)"), "money")),
        ("funder", Column(T("Financeur", "Funder"), width=34)), ("amount", Column(T("Aide (€)", "Aid (€)"), "money")),
        ("counted", Column(T("Compte dans la durée", "Counts in the period"))),
    ]  # fmt: skip
    rows = [
        (line.year, str(states.CLUSTER_KINDS[line.kind]), line.area, line.eligible, funder, amount, _yes(line.counted))
        for line in lines
        for funder, amount in (line.amounts or {"": None}).items()
    ]
    simulated = found.aid_lines.filter(simulated=True).exists() or found.aid_years.filter(simulated=True).exists()
    return export(request, f"{T('aides', 'aid')}-{found.slug}", columns, rows, simulated=simulated)
