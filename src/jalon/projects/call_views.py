"""Pages of calls: list with the published history, a call and its rules, opening, editing, new versions of rules."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.clusters.queries import sources_of
from jalon.core import clock
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.people.access import policy
from jalon.policy.parts.calls import EFFECTS, RULES
from jalon.projects import access, actions, history, listing, queries, rules, states
from jalon.projects.forms import EditCall, OpenCall
from jalon.projects.loading import notes_of
from jalon.projects.models import Call, Project
from jalon.ui import charts
from jalon.ui.http import export, page, wants


def title_of(call: Call) -> Any:
    """A call's title in both languages."""
    return T(call.title_fr.replace("{", "{{").replace("}", "}}"), call.title_en.replace("{", "{{").replace("}", "}}"))


def crumbs(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    """The trail of a page under the list of calls."""
    return [
        {"url": reverse("calls"), "label": T("Appels à projets", "Calls for projects")},
        *({"url": url, "label": label} for url, label in more),
    ]


def find(request: HttpRequest, code: str) -> Call:
    """The call of that code. A call not yet announced on the day is still found: the page says so."""
    return get_object_or_404(Call, programme=policy().slug, code=code)


def _figures(call: Call, day: dt.date) -> dict[str, Any]:
    published = history.published_of(call, day)
    return {
        "published": published,
        "figures": [
            (history.figure_title(name), history.shown_figure(name, figure), figure)
            for name, figure in published.items()
        ],
        "rate": history.success_rate(published),
        "share": history.state_share(published),
        **{
            name: history.shown_figure(name, published[name])
            for name in ("submitted", "selected", "clusters", "state_amount", "local_amount")
            if name in published
        },
    }


@page
def index(request: HttpRequest) -> HttpResponse:
    """Every call known on the day: days, published figures, charts. ``?tous=1`` shows those announced later too."""
    day = clock.today()
    every = request.GET.get("tous") == "1"
    scheme, kind = request.GET.get("dispositif", ""), request.GET.get("nature", "")
    horizon = None if every else day
    calls = history.known_calls(horizon, scheme=scheme, kind=kind)
    later = 0 if every else len(history.known_calls(None, scheme=scheme, kind=kind)) - len(calls)
    if wants(request) != "html":
        return _export(request, calls, horizon)
    rows = [
        {
            "call": c,
            "title": title_of(c),
            "state": (s := queries.state_of(c, day)),
            "state_title": states.CALL_TITLES[s],
            "tone": states.CALL_TONES[s],
            "days": {n: history.day_said(c, n) for n in history.DAYS},
            **_figures(c, horizon or dt.date.max),
        }
        for c in calls
    ]
    fui = [c for c in calls if c.known and c.number]
    totals = history.totals_of(scheme, horizon, calls)
    keys = [*(k for c in calls for k in c.sources), *(k for t in totals for k in t.sources)]
    return render(
        request,
        "projects/calls.html",
        {
            "title": T("Appels à projets", "Calls for projects"),
            "lead_day": day,
            "rows": rows,
            "open_rows": [r for r in rows if r["state"] in ("open", "preparing")],
            "later": later,
            "every": every,
            "has_part": policy().part("calls") is not None,
            "schemes": [(s.code, s.short) for s in queries.schemes()],
            "kinds": list(states.CALL_KINDS.items()),
            "scheme": scheme,
            "kind": kind,
            "filtered": bool(scheme or kind),
            "charts": _charts(fui, horizon),
            "totals": [
                {
                    "row": t,
                    "title": T(t.title_fr, t.title_en),
                    "figures": [(history.figure_title(n), history.shown_figure(n, f)) for n, f in t.published.items()],
                    "notes": [rules.said(n) for n in t.notes],
                }
                for t in totals
            ],
            "notes": [(n["key"], rules.said(n), n["sources"]) for n in notes_of(policy().slug)] if fui else [],
            "sources": sources_of(keys, *(n["sources"] for n in notes_of(policy().slug))),
            "may_open": request.actor.can("call.manage"),
            "breadcrumb": [{"label": T("Appels à projets", "Calls for projects")}],
            "simulated": any(c.simulated for c in calls),
        },
    )


def _charts(calls: list[Call], horizon: dt.date | None) -> list[Any]:
    """Small charts of the published history: what was not published is a gap, never a zero."""
    if len(calls) < 2:
        return []
    shown = [(c.results_on or c.closes_on or c.opens_on, history.published_of(c, horizon)) for c in calls]
    shown = [(on, figures) for on, figures in shown if on is not None]
    drawn = []
    for title, unit, read in (
        (T("Projets déposés", "Projects submitted"), None, lambda f: history.value_of(f, "submitted")),
        (T("Projets retenus", "Projects selected"), None, lambda f: history.value_of(f, "selected")),
        (T("Taux de succès", "Success rate"), "%", history.success_rate),
        (T("Argent de l'État", "State money"), "money", lambda f: history.value_of(f, "state_amount")),
        (
            T("Argent des collectivités et du FEDER", "Local and ERDF money"),
            "money",
            lambda f: history.value_of(f, "local_amount"),
        ),
    ):
        points = [(on, read(figures)) for on, figures in shown]
        if sum(1 for _, value in points if value is not None) > 1:
            drawn.append(charts.trend(points, unit=unit, title=title))
    return drawn


def _export(request: HttpRequest, calls: list[Call], horizon: dt.date | None) -> HttpResponse:
    names = [n for n in states.FIGURES if any(n in c.published for c in calls)]
    columns = [
        ("code", Column(T("Code", "Code"))),
        ("title", Column(T("Appel", "Call"), width=40)),
        ("scheme", Column(T("Dispositif", "Scheme"))),
        ("opens_on", Column(T("Ouverture", "Opening"), width=24)),
        ("closes_on", Column(T("Clôture", "Closing"), width=24)),
        ("results_on", Column(T("Résultats", "Results"), width=24)),
    ]
    for name in names:
        kind = "money" if name in states.MONEY_FIGURES else "number"
        columns += [
            (name, Column(states.FIGURES[name], kind)),
            (f"{name}_precision", Column(T("précision : {n}", "precision: {n}", n=states.FIGURES[name]))),
        ]
    columns.append(("sources", Column(T("Sources", "Sources"), width=40)))

    def lines() -> Any:
        for call in calls:
            published = history.published_of(call, horizon)
            row = [call.code, str(title_of(call)), call.scheme, *(history.day_said(call, n) for n in history.DAYS)]
            for name in names:
                figure = published.get(name)
                row += [history.value_of(published, name), figure["precision"] if figure else None]
            yield [*row, ", ".join(call.sources)]

    return export(request, "appels-a-projets", columns, lines(), simulated=any(c.simulated for c in calls))


@page
def call(request: HttpRequest, code: str) -> HttpResponse:
    """A call: days, rules with the text behind each, versions and what they changed, published results, projects."""
    row, day = find(request, code), clock.today()
    if wants(request) == "json":
        return JsonResponse(
            history.card(row, None if request.GET.get("tous") == "1" else day, whole=True),
            json_dumps_params={"ensure_ascii": False, "indent": 1},
        )
    state = queries.state_of(row, day)
    versions = list(row.versions.order_by("version"))
    asked = request.GET.get("version", "")
    shown = next((v for v in versions if str(v.version) == asked), versions[-1] if versions else None)
    previous = next((v for v in reversed(versions) if shown and v.version < shown.version), None)
    visible = listing.listed(request.actor, day, listing.Filters(call=row.code))
    counts = listing.counts_by_state(visible)
    own = _figures(row, day)
    totals = [
        t
        for t in history.totals_of(row.scheme, day, [row, *Call.objects.filter(programme=row.programme, known=True)])
        if row.code in t.calls or t.after_call == row.code
    ]
    return render(
        request,
        "projects/call.html",
        {
            "title": title_of(row),
            "call": row,
            "state": state,
            "state_title": states.CALL_TITLES[state],
            "tone": states.CALL_TONES[state],
            "announced": history.announced(row, day),
            "kind": states.CALL_KINDS.get(row.kind, row.kind),
            "days": [
                (n, label, getattr(row, n), history.day_said(row, n))
                for n, label in (
                    ("opens_on", T("Ouverture", "Opening")),
                    ("closes_on", T("Clôture", "Closing")),
                    ("results_on", T("Résultats", "Results")),
                )
            ],
            **own,
            "unpublished": row.known and not row.published,
            "notes": [rules.said(n) for n in row.notes],
            "totals": [
                (
                    T(t.title_fr, t.title_en),
                    [(history.figure_title(n), history.shown_figure(n, f)) for n, f in t.published.items()],
                )
                for t in totals
            ],
            "sources": sources_of(row.sources, *(f["sources"] for f in row.published.values())),
            "versions": versions,
            "shown": shown,
            "rules": rules_shown(shown.rules) if shown else None,
            "changes": rules.compare_rules(previous.rules, shown.rules) if previous else [],
            "previous": previous,
            "counts": [
                (states.TITLES[s.code], states.TONES[s.code], counts[s.code]) for s in states.STATES if s.code in counts
            ],
            "projects_count": sum(counts.values()),
            "rate_simulated": listing.rate_of_all(day, call=row.code) if row.projects.exists() else None,
            "may_manage": request.actor.can("call.manage"),
            "may_start": request.actor.can("project.draft") and state in ("open", "preparing"),
            "breadcrumb": crumbs((None, title_of(row))),
        },
    )


def rules_shown(kept: dict[str, Any]) -> dict[str, Any]:
    """A version of rules for its page: conditions, rates, criteria, papers, funders, each with its source."""
    return {
        "code": kept.get("version", ""),
        "title": rules.said(kept["title"]) if kept.get("title") else "",
        "territory": rules.TERRITORY_TITLES.get(kept.get("territory", "")),
        "eligibility": [
            (RULES[e["rule"]][1], rules.shown_value(e["value"], e["unit"]), rules.EFFECT_TITLES[e["effect"]], e)
            for e in kept.get("eligibility", ())
            if e["rule"] in RULES
        ],
        "rates": [(rules.rate_name(r), r["percent"], r.get("amount_max"), r) for r in kept.get("rates", ())],
        "sizes": [(rules.said(s["title"]), s) for s in kept.get("sizes", ())],
        "criteria": [(rules.said(c["title"]), c) for c in kept.get("criteria", ())],
        "papers": [(rules.said(p["title"]), p) for p in kept.get("papers", ())],
        "funders": [
            (rules.said(f["title"]), [states.INSTRUMENTS[i] for i in f["instruments"]], f)
            for f in kept.get("funders", ())
        ],
        "categories": [(rules.said(c["title"]), c) for c in kept.get("categories", ())],
        "notes": [rules.said(n) for n in kept.get("notes", ())],
    }


@never_cache
@page
def open_call(request: HttpRequest) -> HttpResponse:
    """Open a call from a scheme of the policy."""
    access.may_manage_calls(request.actor)
    day = clock.today()
    form = OpenCall(
        request.POST or None,
        schemes=queries.schemes(),
        initial={"opens_on": day, "scheme": request.GET.get("dispositif", "")},
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.open_call(by=request.actor, on=day, **form.cleaned_data)
            messages.success(request, T("L'appel est ouvert. Relisez ses règles.", "The call is open. Read its rules."))
            return redirect("call", made.code)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "projects/form.html",
        {
            "title": T("Ouvrir un appel à projets", "Open a call for projects"),
            "form": form,
            "refusal": refusal,
            "button": T("Ouvrir l'appel", "Open the call"),
            "breadcrumb": crumbs((None, T("Ouvrir", "Open"))),
        },
        status=400 if refusal or form.errors else 200,
    )


@never_cache
@page
def edit_call(request: HttpRequest, code: str) -> HttpResponse:
    """Change the facts of the exercise."""
    access.may_manage_calls(request.actor)
    row, day = find(request, code), clock.today()
    initial = {name: getattr(row, name) for name in (*actions.CALL_FIELDS, "rev")}
    form = EditCall(request.POST or None, initial=initial)
    refusal: Refused | None = None
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        try:
            actions.edit_call(row, rev=values.pop("rev"), by=request.actor, on=day, **values)
            messages.success(request, T("L'appel est modifié.", "The call is changed."))
            return redirect("call", row.code)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "projects/form.html",
        {
            "title": T("Modifier l'appel", "Change the call"),
            "lead": title_of(row),
            "form": form,
            "refusal": refusal,
            "button": T("Enregistrer", "Save"),
            "breadcrumb": crumbs((reverse("call", args=[row.code]), title_of(row)), (None, T("Modifier", "Change"))),
        },
        status=409 if isinstance(refusal, Conflict) else 400 if refusal or form.errors else 200,
    )


@never_cache
@page
def call_rules(request: HttpRequest, code: str) -> HttpResponse:
    """A new version of the rules: every condition, rate and paper may change; the reason is asked, drafts may follow."""
    access.may_manage_calls(request.actor)
    row, day = find(request, code), clock.today()
    last = queries.latest_rules(row)
    kept = last.rules if last else {}
    refusal = None
    typed = request.POST if request.method == "POST" else {}
    if request.method == "POST":
        try:
            made = actions.new_rules_version(
                row,
                _typed_rules(kept, request.POST),
                reason=request.POST.get("reason", ""),
                move_drafts=request.POST.get("move_drafts") == "1",
                by=request.actor,
                on=day,
            )
            messages.success(
                request,
                T(
                    "Version {n} des règles enregistrée. Chaque dossier dit la version qu'il suit.",
                    "Version {n} of the rules saved. Each file says which version it obeys.",
                    n=made.version,
                ),
            )
            return redirect("call", row.code)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    present = {e["rule"]: e for e in kept.get("eligibility", ())}
    return render(
        request,
        "projects/rules_edit.html",
        {
            "title": T("Nouvelle version des règles", "New version of the rules"),
            "call": row,
            "call_title": title_of(row),
            "last": last,
            "refusal": refusal,
            "conditions": [
                {
                    "code": name,
                    "title": title,
                    "unit": unit,
                    "yes_no": unit == "yes_no",
                    "value": typed.get(f"value_{name}", _shown_input(present.get(name))),
                    "effect": typed.get(f"effect_{name}", present.get(name, {}).get("effect", "refuse")),
                    "reference": typed.get(f"reference_{name}", present.get(name, {}).get("reference", "")),
                }
                for name, (unit, title) in RULES.items()
            ],
            "effects": [(e, rules.EFFECT_TITLES[e]) for e in EFFECTS],
            "rates": [
                {"n": n, "title": rules.rate_name(r), "percent": typed.get(f"rate_{n}", r["percent"])}
                for n, r in enumerate(kept.get("rates", ()))
            ],
            "papers": [
                {
                    "n": n,
                    "title": rules.said(p["title"]),
                    "required": (f"paper_{n}" in typed) if typed else p["required"],
                }
                for n, p in enumerate(kept.get("papers", ()))
            ],
            "reason": typed.get("reason", ""),
            "drafts": Project.objects.filter(call=row, state="draft").count(),
            "breadcrumb": crumbs(
                (reverse("call", args=[row.code]), title_of(row)), (None, T("Nouvelle version", "New version"))
            ),
        },
        status=400 if refusal else 200,
    )


def _shown_input(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return (
        {True: "yes", False: "no"}.get(row["value"], str(row["value"]))
        if isinstance(row["value"], bool)
        else str(row["value"])
    )


def _typed_rules(kept: dict[str, Any], post: Any) -> dict[str, Any]:
    """The rules as typed: conditions left empty are gone; what the page does not show stays."""
    found = copy.deepcopy(kept)
    before = {e["rule"]: e for e in kept.get("eligibility", ())}
    eligibility = []
    for name, (unit, _) in RULES.items():
        value = post.get(f"value_{name}", "").strip()
        if not value:
            continue
        old = before.get(name, {})
        reference = post.get(f"reference_{name}", "").strip()[:500]
        kept_source = {
            k: old[k] for k in ("url", "reading", "to_confirm") if k in old and reference == old.get("reference")
        }
        eligibility.append(
            {
                "rule": name,
                "value": value == "yes" if unit == "yes_no" else _plain_number(value),
                "unit": unit,
                "effect": post.get(f"effect_{name}", "refuse"),
                "reference": reference,
                "url": "",
                "reading": False,
                "to_confirm": False,
                **kept_source,
            }
        )
    found["eligibility"] = eligibility
    for n, rate in enumerate(found.get("rates", ())):
        rate["percent"] = _plain_number(post.get(f"rate_{n}", rate["percent"]))
    for n, paper in enumerate(found.get("papers", ())):
        paper["required"] = post.get(f"paper_{n}") == "1"
    return found


def _plain_number(text: str) -> str:
    return "".join(text.split()).replace("\u00a0", "").replace("\u202f", "").replace(",", ".")


@page
def projects(request: HttpRequest, code: str) -> HttpResponse:
    """The pipeline of a call: its projects that the actor may know, by state."""
    from jalon.projects.views import project_list

    row = find(request, code)
    return project_list(
        request,
        within=Project.objects.filter(call=row),
        title=T("Projets de l'appel", "Projects of the call"),
        lead=title_of(row),
        breadcrumb=crumbs((reverse("call", args=[row.code]), title_of(row)), (None, T("Projets", "Projects"))),
        name=f"projets-{row.code}",
    )
