"""Keeping the register: parse, call one act, come back. The public pages stand in the portal."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from jalon.clusters import access, actions, forms, queries
from jalon.clusters.models import Cluster, Correspondent, GovernanceBody, Label, LabelAct, Seat, TeamPost
from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.files import path_of
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.people.models import Mandate
from jalon.ui.http import acts, page

SAVED = T("Enregistré.", "Saved.")


def _cluster(request: HttpRequest, slug: str, *, register: bool = False) -> Cluster:
    """The cluster, for somebody who may keep it (``register``: its labels, carrier, correspondents)."""
    found = get_object_or_404(Cluster, slug=slug)
    if register:
        access.may_edit_register(request.actor)
    else:
        access.may_edit_cluster(request.actor, found, clock.today())
    return found


def _crumbs(cluster: Cluster, label: Any) -> list[dict[str, Any]]:
    return [
        {"url": "/", "label": T("Accueil", "Home")},
        {"url": reverse("register"), "label": T("Pôles", "Clusters")},
        {"url": reverse("cluster", args=[cluster.slug]), "label": cluster.name_of_day},
        {"label": label},
    ]


def _tabs(request: HttpRequest, cluster: Cluster, current: str) -> list[dict[str, Any]]:
    """The pages on which a cluster is kept, those that the actor may open."""
    pages = [
        ("cluster-edit", T("Fiche", "Sheet"), False),
        ("cluster-team", T("Équipe", "Team"), False),
        ("cluster-governance", T("Gouvernance", "Governance"), False),
        ("cluster-documents", T("Documents", "Documents"), False),
        ("cluster-carrier", T("Structure porteuse", "Carrier"), True),
        ("cluster-correspondents", T("Correspondants", "Correspondents"), True),
        ("cluster-labels", T("Labels", "Labels"), True),
    ]
    return [
        {"url": reverse(name, args=[cluster.slug]), "label": label, "current": name == current}
        for name, label, register in pages
        if not register or request.actor.can("register.edit")
    ]


def _keep(
    request: HttpRequest, form: django_forms.Form, act: Callable[[dict[str, Any]], Any], back: str
) -> HttpResponse | None:
    """Run the act of a valid form and go back; a refusal is said in the form, which keeps what was typed."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        act(form.cleaned_data)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.add_error(None, refusal.reason if not refusal.missing else str(refusal))
        return None
    messages.success(request, SAVED)
    return HttpResponseRedirect(back)


def _page(request: HttpRequest, template: str, cluster: Cluster, name: str, title: Any, **context: Any) -> HttpResponse:
    queries.named_on([cluster], clock.today())
    bad = any(isinstance(v, django_forms.Form) and v.is_bound and v.errors for v in context.values())
    return render(
        request,
        f"clusters/{template}.html",
        {
            "title": title,
            "cluster": cluster,
            "tabs": _tabs(request, cluster, name),
            "breadcrumb": _crumbs(cluster, title),
            "today": clock.today(),
            **context,
        },
        status=400 if bad else 200,
    )


@page
def new(request: HttpRequest) -> HttpResponse:
    """Enter a cluster into the register; then its label, on the page where labels are granted."""
    access.may_edit_register(request.actor)
    form = forms.NewCluster(request.POST or None, day=clock.today())
    slug = form.data.get("slug", "").lower()
    done = _keep(
        request,
        form,
        lambda data: actions.create_cluster(**data, by=request.actor, on=clock.today()),
        reverse("cluster-labels", args=[slug]) if re.fullmatch(r"[\w-]+", slug, re.ASCII) else "",
    )
    if done:
        return done
    title = T("Inscrire un pôle", "Enter a cluster")
    return render(
        request,
        "clusters/form.html",
        {
            "title": title,
            "breadcrumb": [
                {"url": "/", "label": T("Accueil", "Home")},
                {"url": reverse("register"), "label": T("Pôles", "Clusters")},
                {"label": title},
            ],
            "form": form,
            "back": reverse("register"),
        },
        status=400 if form.errors else 200,
    )


@page
def sheet(request: HttpRequest, slug: str) -> HttpResponse:
    """Website and themes."""
    found = _cluster(request, slug)
    fields = ("website", "theme_fr", "theme_en", "theme_family")
    form = forms.Sheet(request.POST or None, initial={f: getattr(found, f) for f in fields})
    done = _keep(
        request,
        form,
        lambda data: actions.edit_sheet(found, **data, by=request.actor, on=clock.today()),
        reverse("cluster", args=[slug]),
    )
    return done or _page(request, "sheet", found, "cluster-edit", T("Tenir la fiche", "Keep the sheet"), form=form)


# --- team --------------------------------------------------------------------------------------------------------


@page
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """The permanent team: posts of the day, add one, close one."""
    found = _cluster(request, slug)
    today = clock.today()
    form = forms.Post(request.POST or None, initial={"starts_on": today})
    done = _keep(
        request,
        form,
        lambda data: actions.add_post(found, **data, by=request.actor, on=today),
        reverse("cluster-team", args=[slug]),
    )
    return done or _page(
        request,
        "team",
        found,
        "cluster-team",
        T("Équipe permanente", "Permanent team"),
        form=form,
        team=queries.team_on(found, today),
    )


@acts
def close_post(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a post."""
    found = _cluster(request, slug)
    post = get_object_or_404(TeamPost, pk=pk, cluster=found)
    actions.close_post(post, ends_on=_last_day(request), by=request.actor, on=clock.today())
    messages.success(request, SAVED)
    return HttpResponseRedirect(reverse("cluster-team", args=[slug]))


def _last_day(request: HttpRequest) -> dt.date:
    form = forms.Ending(request.POST)
    if not form.is_valid():
        raise Refused(
            T("Le dernier jour manque ou n'est pas un jour.", "The last day is missing or is not a day."), kind="input"
        )
    return form.cleaned_data["ends_on"]


# --- governance --------------------------------------------------------------------------------------------------


@page
def governance(request: HttpRequest, slug: str) -> HttpResponse:
    """Governing bodies: add a body, add seats, end mandates; the check of the preponderant place beside them."""
    found = _cluster(request, slug)
    today = clock.today()
    form = forms.Body(request.POST or None)
    done = _keep(
        request,
        form,
        lambda data: actions.add_body(found, **data, by=request.actor, on=today),
        reverse("cluster-governance", args=[slug]),
    )
    colleges = {c.code: c.title for c in policy().members.colleges}
    return done or _page(
        request,
        "governance",
        found,
        "cluster-governance",
        T("Gouvernance", "Governance"),
        form=form,
        bodies=[
            {"row": b, "seats": [(s, colleges.get(s.college, s.college)) for s in b.seats]}
            for b in queries.governance_on(found, today)
        ],
    )


@page
def seats(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Add seats to a body."""
    found = _cluster(request, slug)
    body = get_object_or_404(GovernanceBody, pk=pk, cluster=found)
    today = clock.today()
    form = forms.Seats(request.POST or None, initial={"starts_on": today, "number": 1})
    done = _keep(
        request,
        form,
        lambda data: actions.add_seats(body, **data, by=request.actor, on=today),
        reverse("cluster-governance", args=[slug]),
    )
    return done or _page(
        request,
        "form",
        found,
        "cluster-governance",
        T("{b} : ajouter des sièges", "{b}: add seats", b=body.title),
        form=form,
        back=reverse("cluster-governance", args=[slug]),
    )


@acts
def end_seat(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a mandate."""
    found = _cluster(request, slug)
    seat = get_object_or_404(Seat.objects.select_related("body__cluster"), pk=pk, body__cluster=found)
    actions.end_seat(seat, ends_on=_last_day(request), by=request.actor, on=clock.today())
    messages.success(request, SAVED)
    return HttpResponseRedirect(reverse("cluster-governance", args=[slug]))


# --- documents ---------------------------------------------------------------------------------------------------


@page
def documents(request: HttpRequest, slug: str) -> HttpResponse:
    """Statutes, labelling rules, label letters: the list, and one more."""
    found = _cluster(request, slug)
    today = clock.today()
    form = forms.Document(request.POST or None, request.FILES or None)

    def add(data: dict[str, Any]) -> None:
        actions.add_document(
            found,
            kind=data["kind"],
            title=data["title"],
            dated=data["dated"],
            upload=data["file"],
            by=request.actor,
            on=today,
        )

    done = _keep(request, form, add, reverse("cluster-documents", args=[slug]))
    rows = access.documents_visible_to(request.actor, found, today).select_related("file").order_by("kind", "-dated")
    return done or _page(
        request,
        "documents",
        found,
        "cluster-documents",
        T("Documents", "Documents"),
        form=form,
        documents=[(d, actions.DOCUMENT_KINDS.get(d.kind, d.kind)) for d in rows],
    )


@page
def document(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One document, as a download, for those whose business the cluster is."""
    found = get_object_or_404(Cluster, slug=slug)
    row = access.documents_visible_to(request.actor, found, clock.today()).select_related("file").filter(pk=pk).first()
    if row is None:
        raise Http404
    try:
        return FileResponse(path_of(row.file.sha256).open("rb"), as_attachment=True, filename=row.file.name)
    except FileNotFoundError:
        raise Refused(
            T(
                "Le fichier « {n} » n'est plus sur ce serveur ; la sauvegarde le contient sous l'empreinte {h}.",
                "The file “{n}” is no longer on this server; the backup holds it under the hash {h}.",
                n=row.file.name,
                h=row.file.sha256[:16],
            )
        ) from None


# --- kept by the national officers -------------------------------------------------------------------------------


@page
def carrier(request: HttpRequest, slug: str) -> HttpResponse:
    """Who carries the cluster, and from when."""
    found = _cluster(request, slug, register=True)
    form = forms.CarrierForm(request.POST or None)
    done = _keep(
        request,
        form,
        lambda data: actions.set_carrier(found, **data, by=request.actor, on=clock.today()),
        reverse("cluster-carrier", args=[slug]),
    )
    return done or _page(
        request,
        "carrier",
        found,
        "cluster-carrier",
        T("Structure porteuse", "Carrier"),
        form=form,
        carriers=list(found.carriers.select_related("organisation").order_by("starts_on", "id")),
    )


@page
def correspondents(request: HttpRequest, slug: str) -> HttpResponse:
    """Who follows the cluster for the State."""
    found = _cluster(request, slug, register=True)
    today = clock.today()
    state = [r.code for r in policy().roles if r.side == "state" and r.scope == "cluster"]
    mandates = (
        Mandate.objects.filter(access.in_force(today), role__in=state, revoked_at__isnull=True)
        .select_related("user", "organisation")
        .order_by("user__name", "organisation__name")
    )
    form = forms.CorrespondentForm(request.POST or None, mandates=mandates, initial={"starts_on": today})

    def assign(data: dict[str, Any]) -> None:
        chosen = data["mandate"]
        actions.assign_correspondent(
            found, chosen.user, chosen.organisation, starts_on=data["starts_on"], by=request.actor, on=today
        )

    done = _keep(request, form, assign, reverse("cluster-correspondents", args=[slug]))
    return done or _page(
        request,
        "correspondents",
        found,
        "cluster-correspondents",
        T("Correspondants de l'État", "State correspondents"),
        form=form,
        rows=list(
            Correspondent.objects.filter(cluster=found)
            .select_related("user", "organisation")
            .order_by("-starts_on", "-id")
        ),
    )


@acts
def end_correspondent(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The correspondent no longer follows the cluster."""
    found = _cluster(request, slug, register=True)
    row = get_object_or_404(Correspondent.objects.select_related("cluster", "user"), pk=pk, cluster=found)
    actions.end_correspondent(row, ends_on=_last_day(request), by=request.actor, on=clock.today())
    messages.success(request, SAVED)
    return HttpResponseRedirect(reverse("cluster-correspondents", args=[slug]))


@page
def labels(request: HttpRequest, slug: str) -> HttpResponse:
    """The labels of a cluster: record an act on one of them, or grant a new one."""
    found = _cluster(request, slug, register=True)
    form = forms.NewLabel(request.POST or None, initial={"holders": found.slug, "name": found.name})

    def grant(data: dict[str, Any]) -> None:
        actions.create_label(
            data["holders"],
            **{k: v for k, v in data.items() if k != "holders"},
            by=request.actor,
            on=clock.today(),
        )

    done = _keep(request, form, grant, reverse("cluster", args=[slug]))
    return done or _page(
        request,
        "labels",
        found,
        "cluster-labels",
        T("Labels", "Labels"),
        form=form,
        holdings=list(found.holdings.select_related("label").order_by("label__code")),
    )


@page
def label_act(request: HttpRequest, code: str, pk: int | None = None) -> HttpResponse:
    """Record a decision on a label, or correct one (the earlier version stays on record)."""
    access.may_edit_register(request.actor)
    label = get_object_or_404(Label, code=code)
    replaces = get_object_or_404(LabelAct, pk=pk, label=label) if pk is not None else None
    fields = ("act", "effective_from", "until", "decided_on", "reference")
    initial: dict[str, Any] = {}
    if replaces is not None:
        initial = {f: getattr(replaces, f) for f in fields} | {"note": replaces.note_fr}
    else:
        last = label.periods.filter(superseded_at__isnull=True).order_by("-starts_on").first()
        if last is not None and last.ends_on:
            initial = {"act": "extended", "effective_from": last.ends_on + dt.timedelta(days=1)}
    form = forms.LabelActForm(request.POST or None, initial=initial)
    back = reverse("label", args=[code])
    done = _keep(
        request,
        form,
        lambda data: actions.record_label_act(label, **data, by=request.actor, on=clock.today(), replaces=replaces),
        back,
    )
    if done:
        return done
    title = T("Corriger un acte", "Correct an act") if replaces else T("Enregistrer un acte", "Record an act")
    return render(
        request,
        "clusters/form.html",
        {
            "title": T("{t} : label « {n} »", "{t}: label “{n}”", t=title, n=label.name),
            "breadcrumb": [
                {"url": "/", "label": T("Accueil", "Home")},
                {"url": back, "label": T("Label « {n} »", "Label “{n}”", n=label.name)},
                {"label": title},
            ],
            "form": form,
            "back": back,
        },
        status=400 if form.errors else 200,
    )
