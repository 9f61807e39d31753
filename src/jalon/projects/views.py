"""Pages of projects: lists and pipelines, the file, its editor, its budget, its admissibility. Parse, call one act, render."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.models import Cluster
from jalon.contracts.exchange import waiting
from jalon.core import clock, files
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.models import JournalEntry
from jalon.core.sheets import Column
from jalon.interests.access import require_declared, require_not_recused
from jalon.people.access import policy
from jalon.people.models import Organisation
from jalon.people.queries import organisations
from jalon.projects import access, actions, exchange, listing, money, queries, rules, states
from jalon.projects.call_views import title_of
from jalon.projects.forms import Clarify, NewPartner, StartProject
from jalon.projects.models import Call, Paper, Partner, Project, Revision
from jalon.ui.http import acts, export, page, wants, wants_json

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# -- lists --------------------------------------------------------------------------------------------------------


@page
def index(request: HttpRequest) -> HttpResponse:
    """The projects that the actor may know of."""
    return project_list(
        request,
        title=T("Projets", "Projects"),
        lead=T(
            "Projets retenus, et ceux que votre rôle vous fait connaître. Un champ vide est inconnu, jamais zéro.",
            "Selected projects, and those your role lets you know of. An empty field is unknown, never zero.",
        ),
        breadcrumb=[{"label": T("Projets", "Projects")}],
        name="projets",
    )


def project_list(
    request: HttpRequest,
    *,
    title: Any,
    breadcrumb: list[dict[str, Any]],
    name: str,
    lead: Any = "",
    within: QuerySet[Project] | None = None,
    template: str = "projects/list.html",
    **more: Any,
) -> HttpResponse:
    """A pipeline: counts by state, then the table, filtered by the address, ranked, exported."""
    day, got = clock.today(), request.GET
    filters = listing.Filters(**{n: got.get(n, "").strip()[:120] for n in listing.Filters.__dataclass_fields__})
    found = listing.listed(request.actor, day, filters, within)
    if wants(request) != "html":
        return _export(request, found, day, name)
    counts = listing.counts_by_state(found)
    paged = Paginator(found, listing.PER_PAGE)
    paged.count = sum(counts.values())
    current = paged.get_page(got.get("page"))
    rows = listing.rows_of(list(current.object_list), day)
    laws = policy()
    regions = laws.regions_on(day)
    return render(
        request,
        template,
        {
            "title": title,
            "lead": lead,
            "breadcrumb": breadcrumb,
            "filters": filters,
            "narrowed": filters.narrowed,
            "counts": [
                (s.code, s.title, states.TONES[s.code], counts[s.code]) for s in states.STATES if s.code in counts
            ],
            "total": paged.count,
            "rows": rows,
            "page": current,
            "calls": [
                (c.code, title_of(c))
                for c in Call.objects.filter(programme=laws.slug, projects__isnull=False)
                .distinct()
                .order_by("scheme", "number", "code")
            ]
            if within is None or more.get("by_call")
            else [],
            "states": [(s.code, s.title) for s in states.STATES],
            "natures": list(states.NATURES.items()),
            "regions": [(r.code, r.name) for r in regions.regions] if regions else [],
            "simulated": any(row.project.simulated for row in rows),
            "may_start": request.actor.can("project.draft"),
            **more,
        },
    )


def _export(request: HttpRequest, found: QuerySet[Project], day: dt.date, name: str) -> HttpResponse:
    columns = [
        ("acronym", Column(T("Sigle", "Acronym"))),
        ("title", Column(T("Titre", "Title"), width=48)),
        ("call", Column(T("Appel", "Call"))),
        ("state", Column(T("État", "State"))),
        ("leader", Column(T("Chef de file", "Leader"), width=36)),
        ("partners", Column(T("Partenaires", "Partners"), "number")),
        ("clusters", Column(T("Pôles", "Clusters"), width=40)),
        ("submitted_on", Column(T("Déposé le", "Submitted on"), "date")),
        ("budget", Column(T("Budget", "Budget"), "money")),
        ("decided", Column(T("Aide décidée", "Aid decided"), "money")),
    ]
    keys = list(found.values_list("pk", flat=True))
    simulated = found.filter(simulated=True).exists()

    def lines() -> Any:
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            by_key = {p.pk: p for p in Project.objects.filter(pk__in=chunk).select_related("call")}
            for row in listing.rows_of([by_key[k] for k in chunk if k in by_key], day):
                p = row.project
                yield [
                    p.acronym,
                    p.title,
                    p.call.code if p.call_id else None,
                    str(row.title),
                    row.leader,
                    row.partners,
                    " ; ".join(row.clusters),
                    p.submitted_at.astimezone(clock.PARIS).date() if p.submitted_at else None,
                    row.budget,
                    row.decided,
                ]

    return export(request, name, columns, lines(), simulated=simulated)


@never_cache
@page
def mine(request: HttpRequest) -> HttpResponse:
    """A company's projects, its money, and what is asked of it."""
    actor, day = request.actor, clock.today()
    if actor.organisation_id is None or not (actor.can("project.draft") or actor.can("project.report")):
        actor.require("project.draft")
    from jalon.projects.desk import tasks_for

    rows = [] if wants(request) != "html" else money.money_of(actor.organisation_id, day)
    return project_list(
        request,
        title=T("Mes projets, mon argent", "My projects, my money"),
        lead=T(
            "Ce que « {o} » monte et conduit, ce qui lui est dû et ce qui lui est demandé.",
            "What “{o}” drafts and runs, what is due to it and what is asked of it.",
            o=actor.organisation_label,
        ),
        breadcrumb=[
            {"url": reverse("projects"), "label": T("Projets", "Projects")},
            {"label": T("Mes projets", "My projects")},
        ],
        name="mes-projets",
        within=access.consortium_of(actor, day),
        template="projects/mine.html",
        tasks=tasks_for(actor, day) if wants(request) == "html" else [],
        money=rows,
        money_known=money.known(),
        own=_own_figures(actor.organisation_id, access.consortium_of(actor, day)),
    )


def _own_figures(organisation: int, projects: QuerySet[Project]) -> dict[str, Any]:
    from django.db.models import Sum

    parts = Partner.objects.filter(project__in=projects.values("pk"), organisation_id=organisation)
    return {
        "budget": parts.aggregate(n=Sum("budget__amount"))["n"],
        "asked": parts.aggregate(n=Sum("requests__amount"))["n"],
        "projects": projects.count(),
    }


@page
def of_cluster(request: HttpRequest, slug: str) -> HttpResponse:
    """The pipeline of a pôle: the projects that it labelled, by state."""
    cluster = get_object_or_404(Cluster, slug=slug)
    day = clock.today()
    labelled = Project.objects.filter(labels__cluster=cluster, labels__superseded_at__isnull=True)
    rate = next((r for r in listing.rates_by_cluster(day) if r.key == slug), None)
    return project_list(
        request,
        title=T("Projets du pôle", "Projects of the cluster"),
        lead=cluster.name,
        breadcrumb=[
            {"url": reverse("register"), "label": str(policy().word("clusters")).capitalize()},
            {"url": reverse("cluster", args=[slug]), "label": cluster.name},
            {"label": T("Projets", "Projects")},
        ],
        name=f"projets-{slug}",
        within=labelled,
        by_call=True,
        rate=rate,
        cluster=cluster,
    )


@page
def rates(request: HttpRequest) -> HttpResponse:
    """Success rates by pôle: projects financed over projects submitted; each project once nationally."""
    day = clock.today()
    call, year = request.GET.get("appel", "").strip(), request.GET.get("annee", "").strip()
    number = int(year) if year.isdigit() and len(year) == 4 else None
    rows = listing.rates_by_cluster(day, call=call, year=number)
    whole = listing.rate_of_all(day, call=call, year=number)
    if wants(request) != "html":
        columns = [
            ("cluster", Column(T("Pôle", "Cluster"), width=36)),
            ("labelled", Column(T("Labellisés et déposés", "Labelled and submitted"), "number")),
            ("submitted", Column(T("Décidés", "Decided"), "number")),
            ("selected", Column(T("Retenus", "Selected"), "number")),
            ("rate", Column(T("Taux de succès, %", "Success rate, %"), "percent")),
        ]
        lines = [[r.name, r.labelled, r.submitted, r.selected, r.rate] for r in rows]
        return export(request, "taux-de-succes", columns, lines, simulated=any(r.simulated for r in rows))
    sort = request.GET.get("sort", "name")
    keys = {
        "name": lambda r: r.name.casefold(),
        "labelled": lambda r: r.labelled,
        "submitted": lambda r: r.submitted,
        "selected": lambda r: r.selected,
        "rate": lambda r: (r.rate is not None, r.rate or 0),
    }
    rows = sorted(rows, key=keys.get(sort.lstrip("-"), keys["name"]), reverse=sort.startswith("-"))
    years = sorted(
        {d.year for d in Project.objects.filter(submitted_at__isnull=False).dates("submitted_at", "year")}, reverse=True
    )
    return render(
        request,
        "projects/rates.html",
        {
            "title": T("Taux de succès par pôle", "Success rates by cluster"),
            "rows": rows,
            "whole": whole,
            "calls": [
                (c.code, title_of(c))
                for c in Call.objects.filter(programme=policy().slug, projects__isnull=False)
                .distinct()
                .order_by("scheme", "number", "code")
            ],
            "years": years,
            "call": call,
            "year": year,
            "simulated": any(r.simulated for r in rows),
            "breadcrumb": [
                {"url": reverse("projects"), "label": T("Projets", "Projects")},
                {"label": T("Taux de succès", "Success rates")},
            ],
        },
    )


# -- a project ----------------------------------------------------------------------------------------------------


def find(request: HttpRequest, slug: str) -> tuple[Project, access.Standing]:
    """The project, if the actor may know of it: public, its own, or received by its role. Others do not exist."""
    project = get_object_or_404(Project.objects.select_related("call", "rules", "frozen"), slug=slug)
    day = clock.today()
    place = access.standing(request.actor, project, day)
    if place.consortium:
        return project, place
    if place.recused:
        require_not_recused(request.actor, project.case)
    public = listing.state_on(project, day) in states.PUBLIC
    if not (public or place.knows):
        raise Http404
    return project, place


def inside(request: HttpRequest, slug: str) -> tuple[Project, access.Standing]:
    """The project, for a page that shows the file; an assessor declares its interests first."""
    project, place = find(request, slug)
    if place.undeclared:
        require_declared(request.actor, project.case)
    if not place.inside:
        raise Http404
    return project, place


def trail(project: Project, *more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    """The trail of a page under a project."""
    found: list[dict[str, Any]] = [{"url": reverse("projects"), "label": T("Projets", "Projects")}]
    if not more:
        return [*found, {"label": project.acronym}]
    found.append({"url": reverse("project", args=[project.slug]), "label": project.acronym})
    return [*found, *({"url": url, "label": label} for url, label in more)]


def about(project: Project, place: access.Standing) -> dict[str, Any]:
    """What every page of a project shows in its head."""
    state = listing.state_on(project, clock.today())
    return {
        "title": f"{project.acronym} – {project.title}",
        "project": project,
        "place": place,
        "state": state,
        "state_title": states.TITLES[state],
        "tone": states.TONES[state],
        "call": project.call,
        "call_title": title_of(project.call) if project.call_id else None,
    }


@page
def project(request: HttpRequest, slug: str) -> HttpResponse:
    """A project: its public summary for everybody once selected, its file for those who may read it."""
    found, place = find(request, slug)
    day = clock.today()
    partners = queries.partners_of(found)
    labels = queries.labels_of(found)
    decided = listing.decided_of([found.pk]).get(found.pk)
    total = sum((b.amount for p in partners for b in p.budget.all()), Decimal(0)) or None
    if wants(request) == "json":
        return JsonResponse(
            _summary(found, partners, labels, total, decided), json_dumps_params={"ensure_ascii": False, "indent": 1}
        )
    facts = queries.label_facts(labels)
    call_rules = queries.rules_of(found)
    members = {m.key: m for m in queries.members_of(partners, call_rules, facts)}
    gaps = (
        queries.gaps_of(found, day) if place.inside and found.state in ("draft", "submitted", "clarification") else []
    )
    return render(
        request,
        "projects/project.html",
        {
            **about(found, place),
            "partners": [
                {
                    "row": p,
                    "kind": states.KINDS.get(p.kind, p.kind),
                    "role": states.ROLES[p.role],
                    "total": members[p.key].total or None,
                    "asked": members[p.key].asked,
                    "rate": rules.aid_of(call_rules, members[p.key], found.rules.policy_day)[1]
                    if place.inside and call_rules
                    else None,
                    "lines": sorted(p.budget.all(), key=lambda b: (b.year, b.category))
                    if place.inside and (place.sees_budgets or place.part == p.key)
                    else [],
                    "own": place.part == p.key,
                }
                for p in partners
            ],
            "categories": rules.category_codes(call_rules),
            "frascati": states.FRASCATI,
            "aid_classes": states.AID_CLASSES,
            "total": total,
            "decided": decided,
            "ends_on": rules.ends_on(found.starts_on, found.months),
            "labels": [
                (row, states.LABEL_OUTCOMES[row.outcome], states.LABEL_TONES[row.outcome])
                for row in labels
                if place.inside or row.outcome in ("labelled", "conditions")
            ],
            "gaps": gaps,
            "papers": _papers(found, place) if place.inside else [],
            "version": found.rules,
            "newer": found.rules and place.inside and queries.latest_rules(found.call).version > found.rules.version,
            "entries": _events(found) if place.inside else [],
            "clarification": found.clarifications.filter(state="open").first() if place.inside else None,
            "can_write": place.consortium
            and request.actor.can("project.draft")
            and found.state in ("draft", "clarification"),
            "can_check": place.checker
            and request.actor.can("project.check")
            and found.state in ("submitted", "clarification"),
            "labelling": place.consortium
            and request.actor.side == "beneficiary"
            and policy().part("labelling") is not None,
            "following": place.inside and found.state in ("selected", "running", "finished"),
            "outcomes": [
                (states.OUTCOMES[k], v, k in states.MONEY_OUTCOMES)
                for k, v in listing.outcome_totals(Project.objects.filter(pk=found.pk)).items()
                if k in states.OUTCOMES
            ],
            "breadcrumb": trail(found),
        },
    )


def _summary(found: Project, partners: list[Partner], labels: Any, total: Any, decided: Any) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "acronym": found.acronym,
        "title": found.title,
        "state": listing.state_on(found, clock.today()),
        "call": found.call.code if found.call_id else None,
        "summary": found.summary,
        "starts_on": found.starts_on,
        "months": found.months,
        "partners": [{"name": p.organisation.name, "role": p.role, "kind": p.kind} for p in partners],
        "labels": [
            {"cluster": row.cluster.slug, "lead": row.lead, "decided_on": row.decided_on}
            for row in labels
            if row.outcome in ("labelled", "conditions")
        ],
        "budget": str(total) if total is not None else None,
        "aid_decided": str(decided) if decided is not None else None,
        "simulated": found.simulated,
    }


def _papers(found: Project, place: access.Standing) -> list[dict[str, Any]]:
    titles = {p["code"]: rules.said(p["title"]) for p in queries.rules_of(found).get("papers", ())}
    rows = (
        Paper.objects.filter(project=found)
        .select_related("file", "partner__organisation")
        .order_by("code", "-version", "-pk")
    )
    return [
        {"row": row, "title": titles.get(row.code, row.title), "old": row.replaced_at is not None}
        for row in rows
        if row.partner_id is None or place.sees_budgets or place.part == row.partner.key
    ]


def _events(found: Project) -> list[dict[str, Any]]:
    rows = JournalEntry.objects.filter(case=found.case).order_by("-id")[:60]
    return [
        {
            "day": row.on,
            "title": states.ACTS.get(row.act, row.act),
            "text": row.why,
            "who": f"{row.user_label} · {row.organisation_label}" if row.organisation_label else row.user_label,
        }
        for row in rows
        if row.act.startswith("project.")
    ]


@never_cache
@page
def start(request: HttpRequest) -> HttpResponse:
    """Start a project for one's organisation."""
    actor, day = request.actor, clock.today()
    access.may_draft(actor)
    calls = [
        c for c in Call.objects.filter(programme=policy().slug) if queries.state_of(c, day) in ("open", "preparing")
    ]
    form = StartProject(
        request.POST or None,
        calls=[(c.code, title_of(c)) for c in calls],
        initial={"call": request.GET.get("appel", "")},
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        chosen = next((c for c in calls if c.code == values["call"]), None)
        try:
            made = actions.start_project(chosen, values["acronym"], values["title"], by=actor, on=day)
            return redirect("project-edit", made.slug)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "projects/form.html",
        {
            "title": T("Commencer un projet", "Start a project"),
            "lead": T("« {o} » en sera le chef de file.", "“{o}” will lead it.", o=actor.organisation_label),
            "form": form,
            "refusal": refusal,
            "button": T("Commencer", "Start"),
            "breadcrumb": [
                {"url": reverse("projects"), "label": T("Projets", "Projects")},
                {"label": T("Commencer", "Start")},
            ],
        },
        status=400 if refusal or form.errors else 200,
    )


# -- the editor ---------------------------------------------------------------------------------------------------


def writers(request: HttpRequest, slug: str) -> tuple[Project, access.Standing]:
    """The project, for a page of those who write it."""
    found, place = find(request, slug)
    request.actor.require("project.draft")
    if not place.consortium:
        access.may_lead(request.actor, found, clock.today())
    return found, place


@never_cache
@page
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The editor: sections saved as they are written, parts of the partners, budgets, papers, what is missing."""
    found, place = writers(request, slug)
    return edit_page(request, found, place)


def edit_page(
    request: HttpRequest,
    found: Project,
    place: access.Standing,
    *,
    status: int = 200,
    refusal: Any = None,
    typed: dict[str, Any] | None = None,
) -> HttpResponse:
    """The editor, with what was refused and what was typed."""
    day = clock.today()
    typed = typed or {}
    partners = queries.partners_of(found)
    file = queries.file_of(found, day, partners)
    gaps = queries.gaps_of(found, day, file)
    revs = queries.section_revs(found)
    call_rules = queries.rules_of(found)
    members = {m.key: m for m in file.members}
    conflicts: dict[str, list[Revision]] = {}
    for row in Revision.objects.filter(project=found, refused=True).order_by("pk"):
        stored = revs.get(row.section)
        if (
            stored is None
            or stored.rev <= row.rev
            or row.rev == 0
            or (stored.updated_at and row.at > stored.updated_at)
        ):
            conflicts.setdefault(row.section, []).append(row)
    latest = queries.latest_rules(found.call) if found.call_id else None
    justify = [e for e in call_rules.get("eligibility", ()) if e["effect"] == "justify"]

    def section(key: str) -> dict[str, Any]:
        row = revs.get(key)
        opened = key.partition(":")[0].replace("partner", "consortium")
        return {
            "key": key,
            "title": actions.section_title(key),
            "rev": row.rev if row else 0,
            "who": row.updated_by if row and row.updated_at else "",
            "organisation": row.organisation_label if row else "",
            "at": row.updated_at if row else None,
            "gaps": [g for g in gaps if g.section == key],
            "closed": actions.closed_reason(found, opened, day),
            "conflicts": conflicts.get(key, []),
            "values": typed.get(key, {}),
        }

    open_calls = [
        c for c in Call.objects.filter(programme=policy().slug) if queries.state_of(c, day) in ("open", "preparing")
    ]
    return render(
        request,
        "projects/edit.html",
        {
            **about(found, place),
            "refusal": refusal,
            "gaps": gaps,
            "stops": rules.blocking(gaps, "submit"),
            "sections": {key: section(key) for key in states.WRITTEN},
            "parts": [
                {
                    **section(f"partner:{p.key}"),
                    "partner": p,
                    "member": members[p.key],
                    "writable": place.leader or place.part == p.key,
                    "own": place.part == p.key,
                    "see": place.leader or place.part == p.key,
                    "budget": section(f"budget:{p.key}"),
                    "gaps": [g for g in gaps if g.partner == p.key],
                    "rate": rules.aid_of(call_rules, members[p.key], found.rules.policy_day if found.rules_id else day),
                }
                for p in partners
            ],
            "consortium_closed": actions.closed_reason(found, "consortium", day),
            "papers_closed": actions.closed_reason(found, "papers", day),
            "paper_rules": [
                (
                    rules.said(p["title"]),
                    p,
                    [q for q in partners if place.leader or q.key == place.part] if p["scope"] == "partner" else [],
                )
                for p in call_rules.get("papers", ())
            ],
            "papers": _papers(found, place),
            "kinds": list(states.KINDS.items()),
            "bases": list(states.COST_BASES.items()),
            "sizes": [(code, rules.said(s["title"])) for s in call_rules.get("sizes", ()) for code in s["codes"]],
            "trls": [str(n) for n in range(1, 10)],
            "territory": "\n".join(f"{r['department']} : {r['share']}" for r in found.territory),
            "justify": [
                (e["rule"], rules.RULES[e["rule"]][1], e["value"], found.justifications.get(e["rule"], ""))
                for e in justify
            ],
            "open_calls": [(c.code, title_of(c)) for c in open_calls],
            "version": found.rules,
            "latest": latest,
            "total": file.total,
            "clarification": found.clarifications.filter(state="open").first(),
            "q": request.GET.get("q", ""),
            "found": list(organisations(q=request.GET["q"])[:12])
            if place.leader and request.GET.get("q", "").strip()
            else [],
            "new_partner": NewPartner(initial={"name": request.GET.get("q", "")}),
            "can_submit": place.leader and request.actor.can("project.submit") and found.state == "draft",
            "can_answer": place.leader and request.actor.can("project.submit") and found.state == "clarification",
            "breadcrumb": trail(found, (None, T("Montage", "Drafting"))),
        },
        status=status,
    )


def _revision_sent(request: HttpRequest) -> int | None:
    text = request.POST.get("revision", request.POST.get("rev", ""))
    return int(text) if text.isdigit() and len(text) < 9 else None


def _typed_section(key: str, post: Any) -> dict[str, Any]:
    """The values of a section as posted."""
    if key.startswith("partner:"):
        fields: tuple[str, ...] = actions.PARTNER_FIELDS
    else:
        fields = states.WRITTEN.get(key, ())
    values: dict[str, Any] = {}
    for name in fields:
        if name == "justifications":
            values[name] = {k.removeprefix("why_"): v for k, v in post.items() if k.startswith("why_")}
        elif name not in post:
            continue
        elif name in ("other_funding", "in_territory"):
            values[name] = {"yes": True, "no": False}.get(post[name])
        elif name == "territory":
            values[name] = _territory(post[name])
        else:
            values[name] = post[name]
    return values


def _territory(text: str) -> list[dict[str, str]]:
    rows = []
    for line in text.replace(";", "\n").splitlines():
        if not line.strip():
            continue
        department, _, share = line.replace("%", "").replace("=", ":").partition(":")
        if not share.strip():
            department, _, share = line.replace("%", "").strip().partition(" ")
        rows.append({"department": department.strip(), "share": share.strip()})
    return rows


@acts
def save(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Save a section or a partner's part: by the page's script as it is written, or by the button."""
    found, place = writers(request, slug)
    values = _typed_section(key, request.POST)
    try:
        saved = actions.save_section(
            found, key, values, rev=_revision_sent(request), by=request.actor, on=clock.today()
        )
    except Conflict as error:
        return _conflict(request, found, place, key, error, values)
    except NotAllowed:
        raise
    except Refused as refusal:
        if wants_json(request):
            raise
        return edit_page(request, found, place, status=400, refusal=refusal, typed={key: dict(request.POST.items())})
    if wants_json(request):
        return JsonResponse({"revision": saved.rev, "saved_at": saved.at})
    messages.success(request, T("Enregistré.", "Saved."))
    return redirect(f"{reverse('project-edit', args=[slug])}#section-{key.replace(':', '-')}")


def _conflict(
    request: HttpRequest, found: Project, place: access.Standing, key: str, error: Conflict, values: Any
) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(
            {
                "message": str(error.reason),
                "theirs": _readable(error.theirs),
                "yours": _readable(error.yours),
                "revision": error.rev,
            },
            status=409,
        )
    return render(
        request,
        "projects/conflict.html",
        {
            **about(found, place),
            "section": actions.section_title(key),
            "reason": error.reason,
            "theirs": _readable(error.theirs),
            "yours": _readable(error.yours),
            "breadcrumb": trail(
                found,
                (reverse("project-edit", args=[found.slug]), T("Montage", "Drafting")),
                (None, T("Deux versions", "Two versions")),
            ),
        },
        status=409,
    )


def _readable(value: Any) -> str:
    """A stored or typed value as a text that two people can compare."""
    if isinstance(value, dict):
        if set(value) == {"lines", "asked"}:
            rows = [
                f"{b['year']} · {b['category']} · {b['frascati'] or '–'} · {b['aid_class'] or '–'} · {b['amount']}"
                for b in value["lines"]
            ]
            return "\n".join(
                [*rows, *(f"{T('aide demandée', 'aid asked for')} · {a['amount']}" for a in value["asked"])]
            )
        return "\n\n".join(_readable(v) for v in value.values() if v not in (None, "", [], {}))
    if isinstance(value, list):
        return "\n".join(_readable(v) for v in value)
    return str(value)


@acts
def attach(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a draft into a call."""
    found, _ = writers(request, slug)
    call = get_object_or_404(Call, programme=policy().slug, code=request.POST.get("call", ""))
    actions.attach_call(found, call, by=request.actor, on=clock.today())
    messages.success(
        request, T("Le projet suit désormais les règles de cet appel.", "The project now obeys the rules of this call.")
    )
    return redirect("project-edit", slug)


@never_cache
@page
def version(request: HttpRequest, slug: str) -> HttpResponse:
    """Which version of the rules a file obeys, what changed since, and the way to the newer one while it is a draft."""
    found, place = inside(request, slug)
    if not found.rules_id:
        raise Http404
    latest = queries.latest_rules(found.call)
    may_move = found.state == "draft" and (request.actor.can("call.manage") or place.leader)
    if request.method == "POST":
        actions.move_to_version(found, latest, by=request.actor, on=clock.today())
        messages.success(request, T("Le dossier suit la version {n}.", "The file obeys version {n}.", n=latest.version))
        return redirect("project-version", slug)
    return render(
        request,
        "projects/version.html",
        {
            **about(found, place),
            "version": found.rules,
            "latest": latest,
            "changes": rules.compare_rules(found.rules.rules, latest.rules) if latest.pk != found.rules_id else [],
            "may_move": may_move and latest.pk != found.rules_id,
            "breadcrumb": trail(found, (None, T("Règles suivies", "Rules obeyed"))),
        },
    )


@never_cache
@page
def history(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Every saved wording of a section, refused ones too; budgets of others are not shown."""
    found, place = inside(request, slug)
    part = key.partition(":")[2]
    if key.startswith("budget:") and not (place.sees_budgets or place.part == part):
        raise Http404
    rows = Revision.objects.filter(project=found, section=key).order_by("-id")
    shown = Paginator(rows, 20).get_page(request.GET.get("page"))
    return render(
        request,
        "projects/history.html",
        {
            **about(found, place),
            "section": actions.section_title(key),
            "rows": [(row, _readable(row.content)) for row in shown.object_list],
            "page": shown,
            "breadcrumb": trail(found, (None, T("Historique", "History"))),
        },
    )


# -- consortium ---------------------------------------------------------------------------------------------------


@acts
def add_partner(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a partner: a known organisation, or one that the register does not know yet."""
    found, place = writers(request, slug)
    day = clock.today()
    if request.POST.get("organisation"):
        organisation = get_object_or_404(Organisation, pk=_number(request.POST["organisation"]))
        made = actions.add_partner(found, organisation, by=request.actor, on=day)
    else:
        form = NewPartner(request.POST)
        try:
            if not form.is_valid():
                raise Refused(
                    T("L'organisme ne peut pas être ajouté.", "The organisation cannot be added."),
                    missing=[f"{form.fields[n].label} : {' '.join(map(str, e))}" for n, e in form.errors.items()],
                    kind="input",
                )
            made = actions.add_new_partner(found, by=request.actor, on=day, **form.cleaned_data)
        except NotAllowed:
            raise
        except Refused as refusal:
            return edit_page(request, found, place, status=400, refusal=refusal)
    messages.success(
        request, T("« {o} » est partenaire du projet.", "“{o}” is a partner of the project.", o=made.organisation.name)
    )
    return redirect(f"{reverse('project-edit', args=[slug])}#section-partner-{made.key}")


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 18 else 0


@acts
def remove_partner(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Take a partner out of a draft."""
    found, _ = writers(request, slug)
    actions.remove_partner(found, key, by=request.actor, on=clock.today())
    messages.success(
        request,
        T(
            "Le partenaire est retiré ; le journal garde son budget.",
            "The partner is removed; the journal keeps its budget.",
        ),
    )
    return redirect("project-edit", slug)


@acts
def leader(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Hand the lead to another partner."""
    found, _ = writers(request, slug)
    actions.change_leader(found, key, by=request.actor, on=clock.today())
    messages.success(request, T("Le chef de file a changé.", "The leader has changed."))
    return redirect("project", slug)


# -- budget -------------------------------------------------------------------------------------------------------


@never_cache
@page
def budget(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """A partner's budget, line by line; saved as it is typed."""
    found, place = writers(request, slug)
    if request.method == "POST":
        return _save_budget(request, found, place, key)
    if not (place.leader or place.part == key):
        access.may_write_part(request.actor, found, key, clock.today())
    return budget_page(request, found, place, key)


def budget_page(
    request: HttpRequest,
    found: Project,
    place: access.Standing,
    key: str,
    *,
    status: int = 200,
    refusal: Any = None,
    typed: list[dict[str, str]] | None = None,
    asked: str | None = None,
) -> HttpResponse:
    """The budget table, with what was refused and what was typed."""
    partner = get_object_or_404(
        Partner.objects.select_related("organisation"), project=found, key=key, left_on__isnull=True
    )
    lines = queries.budget_of(partner)
    years = rules.years_of(found.starts_on, found.months)
    call_rules = queries.rules_of(found)
    rows: list[dict[str, Any]] = typed or [
        {
            "year": b.year,
            "category": b.category,
            "frascati": b.frascati,
            "aid_class": b.aid_class,
            "amount": str(b.amount).replace(".", ","),
        }
        for b in lines
    ]
    rows = [*rows, *({} for _ in range(3))]
    section = queries.section_revs(found).get(f"budget:{key}")
    wanted = sum((r.amount for r in queries.requested(partner)), Decimal(0))
    labels = queries.label_facts(queries.labels_of(found))
    member = queries.members_of([p for p in queries.partners_of(found) if p.key == key], call_rules, labels)[0]
    aid, rate = rules.aid_of(call_rules, member, found.rules.policy_day if found.rules_id else None)
    return render(
        request,
        "projects/budget.html",
        {
            **about(found, place),
            "partner": partner,
            "rows": [{"n": n, **row} for n, row in enumerate(rows)],
            "rev": section.rev if section else 0,
            "who": section.updated_by if section else "",
            "at": section.updated_at if section else None,
            "years": years,
            "categories": list(rules.category_codes(call_rules).items()),
            "frascati": list(states.FRASCATI.items()),
            "aid_classes": list(states.AID_CLASSES.items()),
            "total": member.total,
            "aid": aid,
            "rate": rate,
            "asked": asked if asked is not None else (str(wanted).replace(".", ",") if wanted else ""),
            "closed": actions.closed_reason(found, "budget", clock.today()),
            "refusal": refusal,
            "no_rules": not call_rules,
            "breadcrumb": trail(
                found,
                (reverse("project-edit", args=[found.slug]), T("Montage", "Drafting")),
                (None, T("Budget", "Budget")),
            ),
        },
        status=status,
    )


def _save_budget(request: HttpRequest, found: Project, place: access.Standing, key: str) -> HttpResponse:
    post = request.POST
    numbers = sorted({int(n) for name in post if (n := name.rpartition("_")[2]).isdigit() and len(n) < 4})
    typed = [
        {f: post.get(f"{f}_{n}", "").strip() for f in ("year", "category", "frascati", "aid_class", "amount")}
        for n in numbers
    ]
    typed = [row for row in typed if row["amount"] or row["category"] and row["frascati"] and row["aid_class"]]
    try:
        lines = []
        for number, row in enumerate((r for r in typed if r["amount"]), start=1):
            where = T("ligne {n}", "line {n}", n=number)
            value = rules.amount(row["amount"], where=where)
            year = int(row["year"]) if row["year"].isdigit() and len(row["year"]) == 4 else 0
            lines.append(
                rules.Line(
                    year, row["category"], value if value is not None else Decimal(0), row["frascati"], row["aid_class"]
                )
            )
        wanted = rules.amount(post.get("asked", ""), where=T("aide demandée", "aid asked for"))
        saved = actions.set_budget(
            found,
            key,
            lines,
            asked=[(None, wanted)] if wanted else [],
            rev=_revision_sent(request),
            by=request.actor,
            on=clock.today(),
        )
    except Conflict as error:
        return _conflict(request, found, place, f"budget:{key}", error, typed)
    except NotAllowed:
        raise
    except Refused as refusal:
        if wants_json(request):
            return JsonResponse({"message": " ".join([str(refusal.reason), *map(str, refusal.missing)])}, status=400)
        return budget_page(
            request, found, place, key, status=400, refusal=refusal, typed=typed, asked=post.get("asked", "")
        )
    if wants_json(request):
        return JsonResponse({"revision": saved.rev, "saved_at": saved.at})
    messages.success(request, T("Budget enregistré.", "Budget saved."))
    return redirect("project-budget", found.slug, key)


@page
def budget_xlsx(request: HttpRequest, slug: str) -> HttpResponse:
    """The budget as a workbook: every partner's for the leader and the public side, one's own for a partner."""
    found, place = inside(request, slug)
    partners = exchange.parts_for(place, queries.partners_of(found))
    answer = FileResponse(exchange.write(found, partners), content_type=XLSX)
    mark = str(T("-simule", "-simulated")) if found.simulated else ""
    answer["Content-Disposition"] = f'attachment; filename="budget-{found.slug}{mark}.xlsx"'
    return answer


@never_cache
@page
def budget_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand a workbook in: what would change, cell by cell, then accept."""
    found, place = writers(request, slug)
    day, case = clock.today(), f"project:{slug}"
    seen, token, refusal, name = None, "", None, ""
    if request.method == "POST":
        try:
            if request.POST.get("token"):
                token = request.POST["token"]
                kept, _ = waiting.find(token, slug=case, user_id=request.actor.user_id)
                done = exchange.accept(
                    found, kept.data, kept.name, mark=request.POST.get("mark", ""), by=request.actor, on=day
                )
                messages.success(
                    request,
                    T(
                        "{n} lignes de budget reprises du classeur.",
                        "{n} budget lines taken from the workbook.",
                        n=len(done.changes),
                    ),
                )
                return redirect("project-edit", slug)
            upload = request.FILES.get("file")
            if upload is None:
                raise Refused(T("Choisissez un fichier.", "Choose a file."), kind="input")
            data, name = upload.read(), upload.name
            seen = exchange.preview(found, data, name, by=request.actor, on=day)
            if seen.changes and not seen.faults:
                token = waiting.keep(data, name, slug=case, user_id=request.actor.user_id, text=0)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "projects/budget_import.html",
        {
            **about(found, place),
            "seen": seen,
            "token": token,
            "name": name,
            "refusal": refusal,
            "categories": rules.category_codes(queries.rules_of(found)),
            "frascati": states.FRASCATI,
            "aid_classes": states.AID_CLASSES,
            "closed": actions.closed_reason(found, "budget", day),
            "breadcrumb": trail(
                found,
                (reverse("project-edit", args=[slug]), T("Montage", "Drafting")),
                (None, T("Reprendre un classeur", "Take a workbook")),
            ),
        },
        status=409 if isinstance(refusal, Conflict) else 400 if refusal or (seen and seen.faults) else 200,
    )


# -- papers -------------------------------------------------------------------------------------------------------


@acts
def add_paper(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a paper, or a new version of one."""
    found, place = writers(request, slug)
    upload = request.FILES.get("file")
    try:
        if upload is None:
            raise Refused(T("Choisissez un fichier.", "Choose a file."), kind="input")
        code, _, partner = request.POST.get("code", "").partition("|")
        actions.add_paper(
            found,
            code,
            upload,
            upload.name,
            partner=partner,
            title=request.POST.get("title", ""),
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return edit_page(request, found, place, status=400, refusal=refusal)
    messages.success(request, T("Pièce ajoutée.", "Paper added."))
    return redirect(f"{reverse('project-edit', args=[slug])}#papers")


@page
def paper(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A paper of the file, as a download."""
    found, place = inside(request, slug)
    row = get_object_or_404(Paper.objects.select_related("file", "partner"), project=found, pk=pk)
    if row.partner_id and not (place.sees_budgets or place.part == row.partner.key):
        raise Http404
    path = files.path_of(row.file.sha256)
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=row.file.name, content_type=row.file.content_type)


# -- submit, check ------------------------------------------------------------------------------------------------


@acts
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand the file in."""
    found, place = writers(request, slug)
    try:
        actions.submit(found, by=request.actor, on=clock.today())
    except NotAllowed:
        raise
    except Refused as refusal:
        return edit_page(request, found, place, status=400, refusal=refusal)
    messages.success(
        request,
        T(
            "Le dossier est déposé et figé ; sa recevabilité va être vérifiée.",
            "The file is handed in and frozen; its admissibility will be checked.",
        ),
    )
    return redirect("project", slug)


@acts
def abandon(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the project up."""
    found, _ = writers(request, slug)
    actions.abandon(found, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(request, T("Le projet est abandonné.", "The project is given up."))
    return redirect("project", slug)


@never_cache
@page
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """The admissibility of a file: every condition with what was found, then the decision."""
    found, place = inside(request, slug)
    access.may_check(request.actor, found, clock.today())
    refusal = None
    if request.method == "POST":
        try:
            actions.check_admissibility(
                found,
                admissible=request.POST.get("verdict") == "admissible",
                reasons=request.POST.get("reasons", ""),
                by=request.actor,
                on=clock.today(),
            )
            messages.success(
                request,
                T("Décision enregistrée ; le chef de file est prévenu.", "Decision recorded; the leader is told."),
            )
            return redirect("project", slug)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
            found.refresh_from_db()
    return check_page(request, found, place, Clarify(), refusal=refusal, status=400 if refusal else 200)


def check_page(
    request: HttpRequest,
    found: Project,
    place: access.Standing,
    form: Clarify,
    *,
    refusal: Any = None,
    status: int = 200,
) -> HttpResponse:
    """The page of the admissibility."""
    day = clock.today()
    gaps = queries.gaps_of(found, day)
    wrong = {g.why.parameter.rpartition(".")[2] for g in gaps}
    kept = queries.rules_of(found).get("eligibility", ())
    return render(
        request,
        "projects/check.html",
        {
            **about(found, place),
            "gaps": [
                (g, {"submit": "missed", "refuse": "missed", "justify": "at_risk", "warn": "not_yet_due"}[g.level])
                for g in gaps
            ],
            "stops": rules.blocking(gaps, "admit"),
            "conditions": [
                (rules.RULES[e["rule"]][1], rules.shown_value(e["value"], e["unit"]), e["rule"] not in wrong, e)
                for e in kept
            ],
            "form": form,
            "refusal": refusal,
            "rounds": list(found.clarifications.all()),
            "sections": states.SECTIONS,
            "reasons": request.POST.get("reasons", ""),
            "decidable": found.state in ("submitted", "clarification"),
            "open_round": found.state == "clarification",
            "lapsed": found.state == "clarification" and found.clarifications.get(state="open").due_on < day,
            "frozen": found.frozen,
            "version": found.rules,
            "breadcrumb": trail(found, (None, T("Recevabilité", "Admissibility"))),
        },
        status=status,
    )


@acts
def clarify(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for clarification."""
    found, place = inside(request, slug)
    access.may_check(request.actor, found, clock.today())
    form = Clarify(request.POST)
    if not form.is_valid():
        return check_page(request, found, place, form, status=400)
    try:
        actions.ask_clarification(found, by=request.actor, on=clock.today(), **form.cleaned_data)
    except NotAllowed:
        raise
    except Refused as refusal:
        return check_page(request, found, place, form, refusal=refusal, status=400)
    messages.success(
        request,
        T(
            "Demande envoyée au chef de file ; seules les sections nommées sont rouvertes.",
            "Request sent to the leader; only the sections named are open again.",
        ),
    )
    return redirect("project-check", slug)


@acts
def answer(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the answer to a clarification."""
    found, _ = writers(request, slug)
    actions.answer_clarification(found, answer=request.POST.get("answer", ""), by=request.actor, on=clock.today())
    messages.success(
        request, T("Réponse envoyée ; le dossier est figé de nouveau.", "Answer sent; the file is frozen again.")
    )
    return redirect("project", slug)


@acts
def close_round(request: HttpRequest, slug: str) -> HttpResponse:
    """Close a round that got no answer in time."""
    found, _ = inside(request, slug)
    actions.close_clarification(found, by=request.actor, on=clock.today())
    messages.success(request, T("Demande close sans réponse.", "Request closed without an answer."))
    return redirect("project-check", slug)
