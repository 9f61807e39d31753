"""Pages of phases: the list, one phase with what is open, the lineage of an indicator across phases."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from jalon.clusters.models import Cluster
from jalon.clusters.queries import named_on
from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.decisions import phases, queries, rules
from jalon.decisions.forms import CloseForm
from jalon.decisions.models import PhaseClosing, PhaseOpening
from jalon.people.access import policy
from jalon.ui.http import acts, export, page, wants

ROOT = T("Phases", "Phases")


def _trail(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [{"url": reverse("phases"), "label": ROOT}, *({"url": u, "label": t} for u, t in more)]


def _phase(code: str, on: dt.date) -> Any:
    found = phases.phase_named(code)
    if found is None or (found.announced_on or found.starts_on) > on:
        raise Http404
    return found


@page
def index(request: HttpRequest) -> HttpResponse:
    """The phases announced by the day."""
    on = clock.today()
    rows = [
        {"phase": p, "closing": c, "opening": o, "ends": p.ends_as_known(on), "current": p.starts_on <= on <= p.ends_as_known(on)}
        for p, c, o in phases.phases_known(on)
    ]  # fmt: skip
    return render(
        request,
        "decisions/phases.html",
        {"title": ROOT, "rows": rows, "breadcrumb": [{"url": None, "label": ROOT}]},
    )


@page
def read(request: HttpRequest, code: str) -> HttpResponse:
    """A phase: goals, days, what is still open (for who closes it), what goes on, its closing report."""
    on, actor = clock.today(), request.actor
    phase = _phase(code, on)
    return _page(request, phase, on, actor)


def _page(request: HttpRequest, phase: Any, on: dt.date, actor: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    closing = PhaseClosing.objects.filter(programme=policy().slug, phase=phase.code).select_related("frozen").first()
    opening = PhaseOpening.objects.filter(programme=policy().slug, phase=phase.code).first()
    manages = actor.can("phase.manage")
    checks = phases.checklist(phase, on) if manages and closing is None else []
    following = phases.next_of(phase)
    kept = []
    for indicator in policy().indicators:
        if phases.asked_in(indicator, phase):
            broken = [b for b in rules.breaks_of(indicator) if phase.starts_on <= b.on <= phase.ends_finally]
            kept.append(
                (indicator, broken[0] if broken else None, bool(following and phases.asked_in(indicator, following)))
            )
    if wants(request) != "html":
        if not (manages or closing):
            raise Http404
        columns = [
            ("check", Column(T("Point", "Check"))),
            ("open", Column(T("En suspens", "Still open"), kind="number")),
            ("item", Column(T("Quoi", "What"))),
        ]
        told = (
            [(str(T(c["fr"], c["en"])), c["open"], item) for c in closing.checklist for item in c["items"] or [""]]
            if closing
            else [(str(c.title), c.open, str(i)) for c in checks for i in c.items or ("",)]
        )
        return export(request, phase.code, columns, told)
    return render(
        request,
        "decisions/phase.html",
        {
            "title": phase.title,
            "phase": phase,
            "ends": phase.ends_as_known(on),
            "current": phase.starts_on <= on <= phase.ends_as_known(on),
            "closing": closing,
            "closed_checks": [
                (T(c["fr"], c["en"]), c["open"], c["items"]) for c in (closing.checklist if closing else [])
            ],
            "carried": closing.carried if closing else [],
            "opening": opening,
            "checks": checks,
            "refusals": rules.closing_refusals(policy(), phase, on, checks) if checks else [],
            "manages": manages,
            "following": following,
            "indicators": kept,
            "close_form": CloseForm() if manages and closing is None and checks else None,
            "opens": manages and opening is None,
            "breadcrumb": _trail((None, phase.title)),
            **more,
        },
        status=status,
    )


@page
@acts
def close(request: HttpRequest, code: str) -> HttpResponse:
    """Close a phase; a refusal keeps the report that was typed."""
    on, actor = clock.today(), request.actor
    actor.require("phase.manage")
    phase = _phase(code, on)
    form = CloseForm(request.POST)
    try:
        if not form.is_valid():
            return _page(request, phase, on, actor, status=400, close_form=form)
        phases.close(code, reason=form.cleaned_data["reason"], by=actor, on=on)
    except Refused as refusal:
        if refusal.kind in ("access", "conflict"):
            raise
        return _page(request, phase, on, actor, status=400, close_form=form, refusal=refusal)
    messages.success(
        request, str(T("La phase est close ; sa liste est figée.", "The phase is closed; its list is frozen."))
    )
    return redirect("phase", code)


@acts
def open_phase(request: HttpRequest, code: str) -> HttpResponse:
    request.actor.require("phase.manage")
    _phase(code, clock.today())
    phases.open_phase(code, by=request.actor, on=clock.today())
    messages.success(request, str(T("La phase est ouverte.", "The phase is open.")))
    return redirect("phase", code)


# -- lineage ----------------------------------------------------------------------------------------------------


def _indicator(code: str) -> Any:
    found = next((i for i in policy().indicators if i.code == code), None)
    if found is None:
        raise Http404
    return found


@page
def national_lineage(request: HttpRequest, code: str) -> HttpResponse:
    """An indicator across phases, all clusters together."""
    return _lineage(request, _indicator(code), None)


@page
def lineage(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """An indicator of one cluster across phases."""
    cluster = get_object_or_404(Cluster, slug=slug)
    return _lineage(request, _indicator(code), cluster)


def _lineage(request: HttpRequest, indicator: Any, cluster: Cluster | None) -> HttpResponse:
    on = clock.today()
    points = phases.series(indicator, on, cluster)
    simulated = any(p.simulated for p in points)
    if cluster is not None:
        named_on([cluster], on)
    if wants(request) != "html":
        columns = [
            ("year", Column(T("Année", "Year"), kind="number")),
            ("phase", Column(T("Phase", "Phase"))),
            ("value", Column(T("Valeur", "Value"), kind="number")),
            ("clusters", Column(T("Pôles", "Clusters"), kind="number")),
            ("definition", Column(T("Définition", "Definition"))),
        ]
        return export(
            request,
            f"{indicator.code}-{cluster.slug if cluster else 'national'}",
            columns,
            (
                (p.year, str(p.phase.title) if p.phase else "", p.value, p.clusters, ", ".join(p.versions))
                for p in points
            ),
            simulated=simulated,
        )
    title = T("{i} : d'une phase à l'autre", "{i}: from one phase to the next", i=indicator.title)
    trail = (
        [
            {"url": queries.link("register") or None, "label": T("Pôles", "Clusters")},
            {"url": queries.link("cluster", cluster.slug) or None, "label": cluster.name_of_day},
            {"url": None, "label": indicator.title},
        ]
        if cluster
        else _trail((None, indicator.title))
    )
    summed = indicator.unit in ("count", "money", "fte")
    return render(
        request,
        "decisions/lineage.html",
        {
            "title": title,
            "indicator": indicator,
            "cluster": cluster,
            "points": points,
            "simulated": simulated,
            "summed": summed,
            "breaks": rules.breaks_of(indicator),
            "drawing": phases.drawing(indicator, points, on, title=title) if len(points) > 1 else None,
            "phases": [p for p in policy().phases if phases.asked_in(indicator, p)],
            "others": [i for i in policy().indicators if len(i.definitions) > 1 and i.code != indicator.code and i.level == "cluster"],
            "breadcrumb": trail,
        },
    )  # fmt: skip
