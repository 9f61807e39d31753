"""The public pages: parse the day and the filters, ask, render. No rule stands here."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from jalon.clusters import access, queries as register_queries, rules, tables
from jalon.core import clock
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.people.keeping import kept
from jalon.people.rules import plain_key
from jalon.portal import queries
from jalon.ui.http import export, page, wants

PER_PAGE = 50


class Asked:
    """The day a page is asked for, what was known by when, and the last day it may tell of."""

    def __init__(self, request: HttpRequest):
        self.today = clock.today()
        self.day: dt.date = rules.day_asked(request.GET.get("on", ""), self.today) or self.today
        self.known_on = rules.day_asked(request.GET.get("known_on", ""), None)
        self.horizon = self.known_on or max(self.today, self.day)
        lives_today = clock.demonstration_day() is None and self.known_on is None
        self.unseen_after = None if lives_today else self.horizon

    @property
    def query(self) -> str:
        """What links must carry so that the next page answers for the same day."""
        asked = {}
        if self.day != self.today:
            asked["on"] = self.day.isoformat()
        if self.known_on:
            asked["known_on"] = self.known_on.isoformat()
        return "?" + urlencode(asked) if asked else ""

    @property
    def context(self) -> dict[str, Any]:
        return {
            "day": self.day,
            "other_day": self.day != self.today,
            "known_on": self.known_on,
            "day_query": self.query,
            "horizon": self.horizon,
        }


def _address(name: str, *args: Any) -> str:
    """The address of a page of another package, or nothing where it is not installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _credits() -> Any:
    outlines = register_queries.outlines()
    if not outlines:
        return ""
    return T(outlines["credit"]["fr"], outlines["credit"]["en"])


@page
@kept
def home(request: HttpRequest) -> HttpResponse:
    """The programme in a sentence, its key figures on the day, the map of the clusters, the latest decisions."""
    asked = Asked(request)
    labels = register_queries.labels_on(asked.day, known_on=asked.known_on)
    figures = register_queries.figures(labels)
    rows = register_queries.register_on(asked.day, register_queries.Filters(status="in_force"), known_on=asked.known_on)
    region_set = policy().regions_on(asked.day)
    by_region: dict[str, list[Any]] = {}
    for row in rows:
        for region in row.regions or [""]:
            by_region.setdefault(region, []).append(row)
    tiers = sorted(policy().tiers, key=lambda t: t.order)
    contracts, contracts_unknown, contracts_simulated = queries.contracts_in_force(asked.day)
    context = {
        **asked.context,
        "title": policy().title,
        "figures": figures,
        "tiers": [(t.code, t.title, figures.tiers[t.code]) for t in tiers if t.code in figures.tiers],
        "phase": policy().phase_on(asked.day, known_on=asked.horizon),
        "regions_covered": sum(1 for r in by_region if r),
        "regions_total": len(region_set.regions) if region_set else 0,
        "region_codes": {r.name: r.code for r in region_set.regions} if region_set else {},
        "contracts": contracts,
        "contracts_unknown": contracts_unknown,
        "contracts_simulated": contracts_simulated,
        "contracts_url": _address("contract-list"),
        "by_region": sorted(by_region.items(), key=lambda item: (item[0] == "", plain_key(item[0]))),
        "decisions": [told(d) for d in register_queries.decisions(min(asked.day, asked.horizon), limit=4)],
        "map": queries.register_map(
            rows,
            asked.day,
            title=T("Les pôles le {d}", "The clusters on {d}", d=_Day(asked.day)),
            query=asked.query,
        )
        if rows
        else None,
        "simulated": any(row.members_simulated for row in rows),
    }
    return render(request, "portal/home.html", context)


class _Day:
    """A day written in words inside a pair of texts, in the language spoken when it is read."""

    def __init__(self, day: dt.date):
        self.day = day

    def __format__(self, _spec: str) -> str:
        from jalon.ui import format as fmt

        return fmt.day(self.day)


def _filters(request: HttpRequest) -> register_queries.Filters:
    asked = {key: request.GET.get(key, "").strip()[:120] for key in ("q", "region", "tier", "theme", "status", "group")}
    sort = request.GET.get("sort", "name")
    if sort.removeprefix("-") not in register_queries.SORTS:
        sort = "name"
    return register_queries.Filters(**asked, sort=sort)


@page
@kept
def register(request: HttpRequest) -> HttpResponse:
    """The register of a day: search, filters, sort, totals, pages, exports; a map of the same set on demand."""
    asked = Asked(request)
    filters = _filters(request)
    if wants(request) != "html":
        columns, rows = tables.register(asked.day, filters, asked.known_on, asked.unseen_after)
        return export(
            request,
            f"{T('poles', 'clusters')}-{asked.day.isoformat()}",
            columns,
            rows,
            sheet=str(T("Registre", "Register")),
        )
    found = register_queries.listing(asked.day, filters, asked.known_on, asked.unseen_after)
    total = len(found.ids)
    paged = Paginator(found.ids, PER_PAGE).get_page(request.GET.get("page"))
    rows = register_queries.rows_listed(paged.object_list, found.standings, asked.day, known_on=asked.known_on)
    address = reverse("cluster", args=["slug"])  # once: fifty addresses of one shape
    for row in rows:
        row.url = address.replace("slug", row.cluster.slug)
    with_map = request.GET.get("view") == "map"
    drawn = None
    if with_map:
        everything = (
            rows
            if total <= len(rows)
            else register_queries.rows_listed(found.ids, found.standings, asked.day, known_on=asked.known_on)
        )
        drawn = queries.register_map(
            everything, asked.day, title=T("Les pôles de cette liste", "The clusters of this list"), query=asked.query
        )
    region_set = policy().regions_on(asked.day)
    context = {
        **asked.context,
        "may_add": request.actor.can("register.edit"),
        "title": T("Registre des pôles", "Register of the clusters"),
        "breadcrumb": [
            {"url": "/", "label": T("Accueil", "Home")},
            {"label": T("Pôles", "Clusters")},
        ],
        "filters": filters,
        "filtering": any((filters.q, filters.region, filters.tier, filters.theme, filters.group)),
        "rows": rows,
        "page": paged,
        "total": total,
        "counts": [(code, register_queries.STATUSES[code], n) for code, n in found.counts.items()],
        "all_count": sum(found.counts.values()),
        "regions": sorted(((r.code, r.name) for r in region_set.regions), key=lambda r: plain_key(r[1]))
        if region_set
        else [],
        "tiers": [(tier.code, tier.title) for tier in sorted(policy().tiers, key=lambda t: t.order)],
        "themes": sorted(register_queries.families().items(), key=lambda item: plain_key(str(item[1]))),
        "groups": [
            (f"{g.campaign}:{g.code}", T("{y} : {t}", "{y}: {t}", y=g.campaign, t=g.title))
            for g in policy().evaluation_groups
            if int(g.campaign) <= asked.horizon.year
        ],
        "with_map": with_map,
        "map": drawn,
        "sort_default": "name",
    }
    return render(request, "portal/register.html", context)


@page
@kept
def cluster(request: HttpRequest, slug: str) -> HttpResponse:
    """One cluster on a day: facts, label history with acts and sources, successors, members, governance, team."""
    asked = Asked(request)
    sheet = register_queries.sheet(slug, asked.day, horizon=asked.horizon, known_on=asked.known_on)
    if sheet is None:
        raise Http404(slug)
    codes, region_set, regions = queries.territory(sheet.cluster, asked.day)
    current = policy().regions_on(asked.day)
    carriers_now = [
        c
        for c in sheet.carriers
        if (c.starts_on is None or c.starts_on <= asked.day) and (c.ends_on is None or asked.day <= c.ends_on)
    ]
    following = queries.contracts_of(sheet.cluster, request.actor, asked.day, asked.horizon)
    context = {
        **asked.context,
        "title": sheet.row.name,
        "breadcrumb": [
            {"url": "/", "label": T("Accueil", "Home")},
            {"url": reverse("register") + asked.query, "label": T("Pôles", "Clusters")},
            {"label": sheet.row.name},
        ],
        "sheet": sheet,
        "row": sheet.row,
        "cluster": sheet.cluster,
        "tier_titles": register_queries.tier_titles(),
        "tier_title": register_queries.tier_titles().get(sheet.row.tier, ""),
        "certainty_words": register_queries.CERTAINTY_WORDS,
        "history": history(sheet, asked.query),
        "groups": [(g, register_queries.group_title(g.evaluation, g.group)) for g in sheet.groups],
        "regions": regions,
        "regions_of": None
        if current and region_set == current.code
        else policy().region_set(region_set).title
        if region_set
        else None,
        "territory": queries.small_map(sheet.row, codes, region_set),
        "credit": _credits(),
        "carriers_now": carriers_now,
        "contracts": following,
        "roadmap": queries.validated_roadmap(sheet.cluster),
        "roadmaps_url": _address("roadmaps", slug),
        "members_url": _address("members", slug),
        "timeline_url": _address("cluster-timeline", slug),
        "may_edit": request.actor.signed_in and access.can_edit_cluster(request.actor, sheet.cluster, asked.today),
        "may_register": request.actor.can("register.edit"),
        "documents": list(
            access.documents_visible_to(request.actor, sheet.cluster, asked.today)
            .select_related("file")
            .order_by("kind", "-dated")
        )
        if request.actor.signed_in
        else [],
        "sources": sheet.sources,
        "source_list": sorted(sheet.sources.values(), key=lambda s: (s.kind, plain_key(s.title))),
    }
    return render(request, "portal/cluster.html", context)


def history(sheet: register_queries.Sheet, query: str = "") -> list[dict[str, Any]]:
    """The acts of a sheet as the timeline shows them, the latest first."""
    return [
        {
            "event": e,
            "label_url": reverse("label", args=[e.label.code]) + query,
            "same_name": e.label.name == sheet.row.name,
            "certainty": register_queries.CERTAINTY_WORDS[e.act.certainty] if e.act.certainty != "known" else "",
            "decided": decided(e.act),
        }
        for e in reversed(sheet.events)
    ]


def decided(act: Any) -> Any:
    """When an act was decided, as precisely as it is known."""
    if act.decided_on is None:
        return T("jour de la décision non publié", "day of the decision not published")
    from jalon.ui import format as fmt

    if act.precision == "month":
        return T("décidé en {d}", "decided in {d}", d=_Shown(lambda: fmt.month(act.decided_on)))
    if act.precision == "year":
        return T("décidé en {d}", "decided in {d}", d=act.decided_on.year)
    if act.precision in ("about", "before", "planned"):
        words = {
            "about": ("vers le", "about"),
            "before": ("avant le", "before"),
            "planned": ("prévu le", "planned for"),
        }
        fr, en = words[act.precision]
        return T(f"décidé {fr} {{d}}", f"decided {en} {{d}}", d=_Day(act.decided_on))
    return T("décidé le {d}", "decided on {d}", d=_Day(act.decided_on))


class _Shown:
    """A text made when it is read, in the language spoken then."""

    def __init__(self, make: Any):
        self.make = make

    def __format__(self, _spec: str) -> str:
        return str(self.make())


@page
@kept
def label(request: HttpRequest, code: str) -> HttpResponse:
    """One label: the bid it was given to, its acts, its holders, the labels before and after it."""
    asked = Asked(request)
    found = register_queries.label_sheet(code, asked.day, asked.horizon)
    if found is None:
        raise Http404(code)
    context = {
        **asked.context,
        "title": found.label.name,
        "breadcrumb": [
            {"url": "/", "label": T("Accueil", "Home")},
            {"url": reverse("register") + asked.query, "label": T("Pôles", "Clusters")},
            {"label": T("Label « {n} »", "Label “{n}”", n=found.label.name)},
        ],
        "found": found,
        "label": found.label,
        "decision_codes": {d.code for d in register_queries.decisions(asked.horizon)},
        "note": T(found.label.note_fr, found.label.note_en or found.label.note_fr),
        "tier_title": register_queries.tier_titles().get(found.label.tier, ""),
        "phase": next((p for p in policy().phases if p.code == found.label.phase), None),
        "history": [
            {
                "event": e,
                "certainty": register_queries.CERTAINTY_WORDS[e.act.certainty] if e.act.certainty != "known" else "",
                "decided": decided(e.act),
            }
            for e in reversed(found.events)
        ],
        "current": next((e for e in found.events if e.current), None),
        "sources": found.sources,
        "may_register": request.actor.can("register.edit"),
    }
    return render(request, "portal/label.html", context)


@page
@kept
def decisions(request: HttpRequest) -> HttpResponse:
    """The national decisions, the latest first, with the counts as they were published."""
    asked = Asked(request)
    if wants(request) != "html":
        columns, rows = tables.decisions(asked.horizon)
        return export(request, str(T("decisions", "decisions")), columns, rows)
    found = register_queries.decisions(asked.horizon)
    years: dict[int, list[dict[str, Any]]] = {}
    for d in found:
        years.setdefault(d.on.year, []).append(told(d))
    context = {
        **asked.context,
        "title": T("Décisions nationales", "National decisions"),
        "breadcrumb": [
            {"url": "/", "label": T("Accueil", "Home")},
            {"label": T("Décisions nationales", "National decisions")},
        ],
        "years": list(years.items()),
        "total": len(found),
        "sources": register_queries.sources_of(*(d.sources for d in found)),
    }
    return render(request, "portal/decisions.html", context)


def told(row: Any) -> dict[str, Any]:
    """A national decision as pages show it: day as precisely as known, body, title, note, counts in words."""
    return {
        "row": row,
        "title": T(row.title_fr, row.title_en),
        "note": T(row.note_fr, row.note_en or row.note_fr),
        "body": register_queries.decider(row.body),
        "counts": register_queries.counts_in_words(row.counts),
        "day": decision_day(row),
    }


def decision_day(row: Any) -> Any:
    """The day of a decision, as precisely as it is known."""
    from jalon.ui import format as fmt

    if row.precision == "month":
        return _Text(lambda: fmt.month(row.on))
    if row.precision == "year":
        return str(row.on.year)
    if row.precision == "about":
        return T("vers le {d}", "about {d}", d=_Day(row.on))
    return _Text(lambda: fmt.day(row.on))


class _Text(_Shown):
    def __str__(self) -> str:
        return str(self.make())


@page
def open_data(request: HttpRequest) -> HttpResponse:
    """The register as open data: what each table holds, its size, its downloads, the licence."""
    context = {
        "title": T("Données ouvertes", "Open data"),
        "breadcrumb": [
            {"url": "/", "label": T("Accueil", "Home")},
            {"label": T("Données ouvertes", "Open data")},
        ],
        "tables": [
            {
                "word": word,
                "title": title,
                "columns": [c for _, c in make()[0]],
                "url": reverse("open-table", args=[word]),
            }
            for word, (title, make) in tables.OPEN_DATA.items()
        ],
        "credit": _credits(),
        "programme_slug": settings.PROGRAMME,
    }
    return render(request, "portal/data.html", context)


@page
def open_table(request: HttpRequest, table: str) -> HttpResponse:
    """One table of the open data, in the format asked for (CSV unless said otherwise)."""
    if table not in tables.OPEN_DATA:
        raise Http404(table)
    _, make = tables.OPEN_DATA[table]
    columns, rows = make()
    if wants(request) == "html":
        request.GET = request.GET.copy()
        request.GET["format"] = "csv"
    return export(request, table, columns, rows)


@page
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement (*déclaration d'accessibilité*, law 2005-102, article 47): state, tests, limits, contact."""
    contact = settings.DEFAULT_FROM_EMAIL
    context = {
        "title": T("Accessibilité : non conforme, faute d'audit", "Accessibility: not compliant, for want of an audit"),
        "breadcrumb": [
            {"url": "/", "label": T("Accueil", "Home")},
            {"label": T("Accessibilité", "Accessibility")},
        ],
        "contact": "" if contact.endswith("@localhost") else contact,
    }
    return render(request, "portal/accessibility.html", context)


@page
def observations(request: HttpRequest) -> HttpResponse:
    """Every published value of every indicator, a row per version that stands, as known on a day if one is asked for."""
    asked = Asked(request)
    if wants(request) == "html":
        request.GET = request.GET.copy()
        request.GET["format"] = "csv"
    columns, rows = queries.observations(asked.horizon, asked.known_on)
    return export(request, "observations", columns, rows)


@page
def points(request: HttpRequest) -> HttpResponse:
    """The points of the map as JSON: name, place, tier, members with their origin, address."""
    asked = Asked(request)
    rows = register_queries.register_on(asked.day, register_queries.Filters(status="in_force"), known_on=asked.known_on)
    return JsonResponse(
        {
            "on": asked.day.isoformat(),
            "credit": str(_credits()),
            "points": [
                {
                    "slug": row.cluster.slug,
                    "name": row.name,
                    "url": request.build_absolute_uri(reverse("cluster", args=[row.cluster.slug])),
                    "latitude": str(row.latitude) if row.latitude is not None else None,
                    "longitude": str(row.longitude) if row.longitude is not None else None,
                    "city": row.city or None,
                    "tier": row.tier or None,
                    "members": row.members,
                    "members_year": row.members_year,
                    "members_simulated": row.members_simulated,
                }
                for row in rows
            ],
        }
    )
