"""Pages of roadmaps: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache

from jalon.clusters.models import Cluster
from jalon.core import clock
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T, Text
from jalon.people.access import Actor, policy
from jalon.roadmaps import access, actions, queries, rules, states
from jalon.roadmaps.forms import FrameForm, ItemForm, NewVersionForm, ReturnForm, StartForm
from jalon.roadmaps.models import Item, Revision, Roadmap
from jalon.ui.http import acts, page, wants, wants_json


def _roadmap(request: HttpRequest, pk: int) -> tuple[Roadmap, access.Standing]:
    """The roadmap, if the actor may know of it; a draft of others does not exist for them."""
    roadmap = get_object_or_404(Roadmap.objects.select_related("cluster", "frozen", "based_on"), pk=pk)
    place = access.standing(request.actor, roadmap.cluster, clock.today())
    if not access.may_read(roadmap, place):
        raise Http404
    return roadmap, place


def _team(request: HttpRequest, pk: int) -> Roadmap:
    """The roadmap, for a page of those who write it."""
    roadmap, place = _roadmap(request, pk)
    if not (place.team and request.actor.can("roadmap.draft")):
        access.may_draft(request.actor, roadmap.cluster, clock.today())
    return roadmap


def _address(name: str, *args: Any) -> str | None:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None


def _trail(cluster: Cluster, *more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    trail = [
        {"url": _address("register"), "label": str(policy().word("clusters")).capitalize()},
        {"url": _address("cluster", cluster.slug), "label": cluster.name},
    ]
    return [*trail, *({"url": url, "label": label} for url, label in more)]


def _under_list(cluster: Cluster, *more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return _trail(cluster, (reverse("roadmaps", args=[cluster.slug]), T("Feuilles de route", "Roadmaps")), *more)


def _version_name(roadmap: Roadmap) -> Text:
    return T("{p}, version {n}", "{p}, version {n}", p=queries.phase_title(roadmap.phase), n=roadmap.version)


def ago(then: dt.datetime | None, now: dt.datetime) -> Text | None:
    """How long ago, in words: « il y a 2 min »; None when it is not known."""
    if then is None:
        return None
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return T("à l'instant", "just now")
    if minutes < 60:
        return T("il y a {n} min", "{n} min ago", n=minutes)
    if minutes < 24 * 60:
        return T("il y a {n} h", "{n} h ago", n=minutes // 60)
    days = minutes // (24 * 60)
    return T("il y a {n} j", "{n} d ago", n=days)


PRESENT = dt.timedelta(minutes=10)
"""Somebody who saved less than this ago is taken to be still writing."""


def _presence(row: Any, actor: Actor, now: dt.datetime) -> dict[str, Any] | None:
    """Who last changed a section and when; ``near`` when it is somebody else who may still be writing."""
    if row is None or row.updated_at is None:
        return None
    other = row.updated_by != actor.user_label[:200]
    return {
        "who": row.updated_by,
        "ago": ago(row.updated_at, now),
        "at": row.updated_at,
        "near": other and dt.timedelta(0) <= now - row.updated_at < PRESENT,
    }


# -- list -------------------------------------------------------------------------------------------------------


@page
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """The versions of a cluster's roadmaps that the actor may read."""
    cluster = get_object_or_404(Cluster, slug=slug)
    actor, today = request.actor, clock.today()
    place = access.standing(actor, cluster, today)
    found = queries.versions(cluster, place.states)
    inside = place.team or place.reviewer or place.party
    entries = queries.acts(found) if found and inside else {}
    rows = []
    for roadmap in found:
        by_act = {entry.act: entry for entry in entries.get(roadmap.pk, ())}
        rows.append(
            {
                "roadmap": roadmap,
                "phase": queries.phase_title(roadmap.phase),
                "state": states.TITLES[roadmap.state],
                "tone": states.TONES[roadmap.state],
                "url": _main_page(roadmap, place, actor),
                "submitted_by": getattr(by_act.get("roadmap.submit"), "user_label", ""),
                "validated_by": getattr(by_act.get("roadmap.validate"), "user_label", ""),
            }
        )
    if wants(request) == "json":
        return JsonResponse({"roadmaps": [_summary(row["roadmap"]) for row in rows]})
    writes = place.team and actor.can("roadmap.draft")
    return render(
        request,
        "roadmaps/list.html",
        {
            "title": T("Feuilles de route stratégiques", "Strategic roadmaps"),
            "cluster": cluster,
            "rows": rows,
            "place": place,
            "inside": inside,
            "writes": writes,
            "phases": _phases_to_begin(cluster, found) if writes else [],
            "validated": next((r for r in found if r.state == "validated"), None),
            "breadcrumb": _trail(cluster, (None, T("Feuilles de route", "Roadmaps"))),
        },
    )


def _main_page(roadmap: Roadmap, place: access.Standing, actor: Actor) -> str:
    if place.team and actor.can("roadmap.draft") and roadmap.state in states.WRITABLE:
        return reverse("roadmap-edit", args=[roadmap.pk])
    if place.reviewer and roadmap.state == "submitted":
        return reverse("roadmap-review", args=[roadmap.pk])
    return reverse("roadmap", args=[roadmap.pk])


def _summary(roadmap: Roadmap) -> dict[str, Any]:
    return {
        "id": roadmap.pk,
        "phase": roadmap.phase,
        "version": roadmap.version,
        "title": roadmap.title,
        "state": roadmap.state,
        "starts_on": roadmap.starts_on,
        "ends_on": roadmap.ends_on,
        "submitted_on": roadmap.submitted_on,
        "validated_on": roadmap.validated_on,
        "sha256": roadmap.frozen.sha256 if roadmap.frozen else None,
        "simulated": roadmap.simulated,
        "url": reverse("roadmap", args=[roadmap.pk]),
    }


def _phases_to_begin(cluster: Cluster, found: list[Roadmap]) -> list[Any]:
    """Phases with a template and no version yet."""
    taken = {roadmap.phase for roadmap in found}
    templates = policy().roadmap_templates
    return [p for p in policy().phases if p.code not in taken and any(p.code in t.phases for t in templates)]


@never_cache
@page
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin the roadmap of a phase."""
    cluster = get_object_or_404(Cluster, slug=slug)
    actor, today = request.actor, clock.today()
    access.may_draft(actor, cluster, today)
    phases = _phases_to_begin(cluster, queries.versions(cluster, access.READ_BY_TEAM))
    chosen = request.GET.get("phase", "")
    phase = next((p for p in phases if p.code == chosen), None) or next(
        (p for p in phases if p.starts_on <= today <= p.ends_finally), phases[-1] if phases else None
    )
    refusal = None
    form = StartForm(request.POST or None, phases=phases, initial=_phase_initial(phase, today))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            roadmap = actions.start(
                cluster,
                values["phase"],
                title=values["title"],
                starts_on=values["starts_on"],
                ends_on=values["ends_on"],
                by=actor,
                on=today,
            )
            return redirect("roadmap-edit", roadmap.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "roadmaps/begin.html",
        {
            "title": T("Commencer une feuille de route", "Begin a roadmap"),
            "cluster": cluster,
            "form": form,
            "phases": phases,
            "refusal": refusal,
            "breadcrumb": _under_list(cluster, (None, T("Commencer", "Begin"))),
        },
        status=400 if refusal else 200,
    )


def _phase_initial(phase: Any, today: dt.date) -> dict[str, Any]:
    if phase is None:
        return {}
    return {"phase": phase.code, "starts_on": phase.starts_on, "ends_on": phase.ends_as_known(today)}


# -- read -------------------------------------------------------------------------------------------------------


@page
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """The roadmap as a document; the frozen text when it was validated."""
    roadmap, place = _roadmap(request, pk)
    document = queries.document(roadmap)
    if wants(request) == "json":
        return _json(roadmap, document)
    actor = request.actor
    inside = place.team or place.reviewer or place.party
    return render(
        request,
        "roadmaps/read.html",
        {
            **_about(roadmap),
            "document": _sections(document),
            "place": place,
            "entries": _events(queries.acts([roadmap])[roadmap.pk]) if inside else [],
            "can_write": place.team and actor.can("roadmap.draft") and roadmap.state in states.WRITABLE,
            "can_review": place.reviewer and roadmap.state == "submitted",
            "can_renew": place.team and actor.can("roadmap.draft") and roadmap.state in states.FROZEN,
            "others": [r for r in queries.versions(roadmap.cluster, place.states) if r.pk != roadmap.pk],
            "breadcrumb": _under_list(roadmap.cluster, (None, _version_name(roadmap))),
        },
    )


def _json(roadmap: Roadmap, document: dict[str, Any]) -> JsonResponse:
    answer = JsonResponse(
        {**_summary(roadmap), "content": {k: v for k, v in document.items() if k != "sha256"}},
        json_dumps_params={"ensure_ascii": False, "indent": 1},
    )
    name = slugify(f"{roadmap.cluster.slug}-{roadmap.phase}-v{roadmap.version}")
    if roadmap.simulated:
        name += "-simule"
    answer["Content-Disposition"] = f'attachment; filename="feuille-de-route-{name}.json"'
    return answer


def _about(roadmap: Roadmap) -> dict[str, Any]:
    return {
        "title": roadmap.title,
        "roadmap": roadmap,
        "cluster": roadmap.cluster,
        "phase": queries.phase_title(roadmap.phase),
        "state": states.TITLES[roadmap.state],
        "tone": states.TONES[roadmap.state],
    }


def _pair(value: Any) -> Any:
    return T(value["fr"], value["en"]) if isinstance(value, dict) else value


def _sections(document: dict[str, Any]) -> list[dict[str, Any]]:
    """A document's sections for the reading page: groups opened once, parents of other sections named."""
    titles = {e["key"]: e["title"] for s in document["sections"] for e in s.get("elements", ())}
    found, group = [], None
    for section in document["sections"]:
        here = _pair(section.get("group"))
        keys = {e["key"] for e in section.get("elements", ())}
        found.append(
            {
                **section,
                "title": _pair(section["title"]),
                "group": here if here is not None and here != group else None,
                "grouped": here is not None,
                "elements": [
                    {
                        **e,
                        "level_title": _pair(e["level_title"]),
                        "under": titles.get(e["parent"]) if e["parent"] not in keys else None,
                        "horizon": states.HORIZONS.get(e["horizon"]),
                    }
                    for e in section.get("elements", ())
                ],
            }
        )
        group = here
    return found


def _events(entries: list[Any]) -> list[dict[str, Any]]:
    found = []
    for entry in entries:
        if entry.act == "roadmap.worded":
            who = sorted({name for row in entry.after["texts"].values() for name in row["by"]})
            text = T(
                "{n} textes ou éléments écrits par {who}",
                "{n} texts or elements written by {who}",
                n=len(entry.after["texts"]),
                who=", ".join(who),
            )
            found.append({"day": entry.on, "title": states.ACTS[entry.act], "text": text, "who": ""})
            continue
        found.append(
            {
                "day": entry.on,
                "title": states.ACTS.get(entry.act, entry.act),
                "text": entry.why,
                "who": ", ".join(x for x in (entry.user_label, entry.organisation_label) if x),
            }
        )
    return found


# -- write ------------------------------------------------------------------------------------------------------


@never_cache
@page
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The drafting page."""
    roadmap = _team(request, pk)
    if roadmap.state not in states.WRITABLE:
        return redirect("roadmap", roadmap.pk)
    return _edit_page(request, roadmap)


def _edit_page(
    request: HttpRequest,
    roadmap: Roadmap,
    *,
    status: int = 200,
    refusal: Refused | None = None,
    frame_form: FrameForm | None = None,
    typed: dict[str, Any] | None = None,
) -> HttpResponse:
    """``typed``: what was just typed and refused, by element name, put back into its field."""
    actor, now = request.actor, clock.now()
    typed = typed or {}
    draft = queries.whole(roadmap)
    template = draft.template
    waiting = queries.waiting_words(roadmap)
    gaps = draft.missing()
    parents: dict[str, list[Any]] = {
        level.code: rules.possible_parents(template, level.code, draft.elements) for level in template.levels
    }
    titles = {e.key: e.title for e in draft.elements}
    attaching = request.GET.get("rattacher", "")  # the choice of a parent is drawn only where it is asked for
    sections, group = [], None
    for section in template.sections:
        row = draft.sections.get(section.key)
        lacking = [gap for gap in gaps if gap.section == section.key]
        items = []
        for place in rules.tree(draft.elements, section.key):
            item = draft.by_key[place.element.key]
            level = template.level(item.level)
            items.append(
                {
                    "item": item,
                    "place": place,
                    "level": level,
                    "parent": place.element.parent or "",
                    "attach": level.parent is not None and (not place.element.parent or item.key == attaching),
                    "parents": parents[item.level],
                    "parent_title": titles.get(place.element.parent or ""),
                    "above": template.level(level.parent).title if level.parent else "",
                    "presence": _presence(item, actor, now),
                    "lacking": [gap for gap in lacking if gap.element == item.key],
                    "waiting": waiting.get(f"item:{item.key}", []),
                    "typed": typed.get(f"item:{item.key}"),
                }
            )
        body = row.body if row else ""
        sections.append(
            {
                "section": section,
                "row": row,
                "body": typed.get(f"section:{section.key}", body),
                "rev": row.rev if row else 0,
                "group": section.group if section.group is not None and section.group != group else None,
                "presence": _presence(row, actor, now),
                "lacking": lacking,
                "light": _light(section, body, items, lacking),
                "waiting": waiting.get(f"section:{section.key}", []),
                "items": items,
                "removed": [i for i in draft.items if i.section_key == section.key and i.removed_at is not None],
                "levels": [
                    {
                        "level": template.level(code),
                        "parents": parents[code] if template.level(code).parent else None,
                        "above": template.level(template.level(code).parent).title
                        if template.level(code).parent
                        else "",
                    }
                    for code in section.levels
                ],
                "typed": typed.get(f"add:{section.key}"),
            }
        )
        group = section.group
    return render(
        request,
        "roadmaps/edit.html",
        {
            **_about(roadmap),
            "template": template,
            "sections": sections,
            "gaps": gaps,
            "frame_gaps": [gap for gap in gaps if not gap.section],
            "frame_form": frame_form or _frame_form(roadmap, template),
            "refusal": refusal,
            "horizons": states.HORIZONS.items(),
            "max_kb": rules.MAX_BYTES // 1024,
            "can_submit": actor.can("roadmap.submit"),
            "breadcrumb": _under_list(
                roadmap.cluster,
                (reverse("roadmap", args=[roadmap.pk]), _version_name(roadmap)),
                (None, T("Rédaction", "Drafting")),
            ),
        },
        status=status,
    )


def _light(section: Any, body: str, items: list[Any], lacking: list[Any]) -> tuple[str, Text]:
    """A section's state in the contents list, as light and words."""
    filled = bool(body.strip()) if section.kind == "text" else bool(items)
    if lacking and filled:
        return "at_risk", T("à compléter", "to be completed")
    if lacking:
        return "not_started", T("vide", "empty")
    if filled:
        return "done", T("rempli", "filled")
    return "not_started", T("vide, facultatif", "empty, optional")


def _frame_form(roadmap: Roadmap, template: Any) -> FrameForm:
    values = {"title": roadmap.title, "starts_on": roadmap.starts_on, "ends_on": roadmap.ends_on}
    return FrameForm(initial={**values, **{f"seen_{k}": v for k, v in values.items()}}, template=template)


def _to_edit(roadmap: Roadmap, anchor: str) -> HttpResponse:
    return redirect(f"{reverse('roadmap-edit', args=[roadmap.pk])}#{anchor}")


@acts
def frame(request: HttpRequest, pk: int) -> HttpResponse:
    """Save title and period."""
    roadmap = _team(request, pk)
    form = FrameForm(request.POST, template=queries.template_of(roadmap))
    if not form.is_valid():
        return _edit_page(request, roadmap, status=400, frame_form=form)
    values = form.cleaned_data
    seen = (values["seen_title"], values["seen_starts_on"], values["seen_ends_on"])
    try:
        actions.save_frame(
            roadmap,
            title=values["title"],
            starts_on=values["starts_on"],
            ends_on=values["ends_on"],
            seen=seen,
            by=request.actor,
            on=clock.today(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        data = request.POST.copy()
        fresh = Roadmap.objects.select_related("cluster").get(pk=pk)
        for name in ("title", "starts_on", "ends_on"):
            data[f"seen_{name}"] = getattr(fresh, name) or ""
        form = FrameForm(data, template=queries.template_of(roadmap))
        status = 409 if isinstance(refusal, Conflict) else 400
        return _edit_page(request, fresh, status=status, frame_form=form, refusal=refusal)
    messages.success(request, T("Titre et période enregistrés.", "Title and period saved."))
    return _to_edit(roadmap, "cadre")


def _revision_sent(request: HttpRequest) -> int:
    sent = request.POST.get("revision") or request.POST.get("rev") or ""
    if not sent.isdecimal() or len(sent) > 9:
        raise Refused(
            T(
                "La page envoyée ne dit pas de quelle version du texte elle part : rechargez-la.",
                "The page sent does not say which revision of the text it starts from: reload it.",
            ),
            kind="input",
        )
    return int(sent)


def _saved_json(saved: actions.Saved) -> JsonResponse:
    at = clock.real_now()
    return JsonResponse(
        {
            "rev": saved.rev,
            "revision": saved.rev,
            "saved_at": at.isoformat(),
            "message": str(T("Enregistré", "Saved") if saved.changed else T("Rien à enregistrer", "Nothing to save")),
        }
    )


def _shown(value: Any) -> str:
    """A wording as one text, for a conflict."""
    if not isinstance(value, dict):
        return value
    horizon = states.HORIZONS.get(value["horizon"], "")
    lines = [value["title"], value["body"]]
    if horizon:
        lines.append(str(T("Horizon : {h}", "Horizon: {h}", h=horizon)))
    if value["due_on"]:
        lines.append(str(T("Échéance : {d}", "Due date: {d}", d=value["due_on"])))
    return "\n\n".join(line for line in lines if line)


def _conflict_answer(request: HttpRequest, roadmap: Roadmap, error: Conflict) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(
            {
                "theirs": _shown(error.theirs),
                "yours": _shown(error.yours),
                "rev": error.rev,
                "revision": error.rev,
                "message": str(error.reason),
                "url": reverse("roadmap-conflict", args=[roadmap.pk, error.kept.pk]),
            },
            status=409,
        )
    return _conflict_page(request, roadmap, error.kept, reason=error.reason, status=409)


@acts
def save_section(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Save the text of a section: by the page's script as it is written, or by the button."""
    roadmap = _team(request, pk)
    body = request.POST.get("body", "")
    try:
        saved = actions.save_section(
            roadmap, key, body=body, rev=_revision_sent(request), by=request.actor, on=clock.today()
        )
    except Conflict as error:
        return _conflict_answer(request, roadmap, error)
    except NotAllowed:
        raise
    except Refused as refusal:
        if wants_json(request):
            raise
        return _edit_page(request, roadmap, status=400, refusal=refusal, typed={f"section:{key}": body})
    if wants_json(request):
        return _saved_json(saved)
    messages.success(request, T("Section enregistrée.", "Section saved."))
    return _to_edit(roadmap, f"section-{key}")


@acts
def add_item(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Add an element to a section."""
    roadmap = _team(request, pk)
    level, _, parent = request.POST.get("place", "").partition("|")
    typed = {"title": request.POST.get("title", ""), "place": request.POST.get("place", "")}
    try:
        item = actions.add_item(
            roadmap, key, level=level, parent=parent, title=typed["title"], by=request.actor, on=clock.today()
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return _edit_page(request, roadmap, status=400, refusal=refusal, typed={f"add:{key}": typed})
    return _to_edit(roadmap, f"element-{item.key}")


@acts
def save_item(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Save the wording of an element."""
    roadmap = _team(request, pk)
    form = ItemForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(next(str(e) for errors in form.errors.values() for e in errors), kind="input")
        saved = actions.save_item(
            roadmap, key, rev=_revision_sent(request), by=request.actor, on=clock.today(), **form.cleaned_data
        )
    except Conflict as error:
        return _conflict_answer(request, roadmap, error)
    except NotAllowed:
        raise
    except Refused as refusal:
        if wants_json(request):
            raise
        typed = {name: request.POST.get(name, "") for name in ("title", "body", "horizon", "due_on")}
        return _edit_page(request, roadmap, status=400, refusal=refusal, typed={f"item:{key}": typed})
    if wants_json(request):
        return _saved_json(saved)
    messages.success(request, T("Élément enregistré.", "Element saved."))
    return _to_edit(roadmap, f"element-{key}")


@acts
def move_item(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Move an element among its neighbours, a level in or out, or under another parent."""
    roadmap = _team(request, pk)
    where = request.POST.get("where", "")
    actions.move_item(
        roadmap,
        key,
        where=where,
        parent=None if where else request.POST.get("parent", ""),
        by=request.actor,
        on=clock.today(),
    )
    return _to_edit(roadmap, f"element-{key}")


@acts
def remove_item(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Take an element out; it can be brought back."""
    roadmap = _team(request, pk)
    section = get_object_or_404(Item, roadmap=roadmap, key=key).section_key
    gone = actions.remove_item(roadmap, key, by=request.actor, on=clock.today())
    messages.success(
        request,
        T(
            "Retiré ({n}). « Remettre », au bas de la section, annule ce retrait.",
            "Removed ({n}). “Bring back”, at the end of the section, undoes it.",
            n=len(gone),
        ),
    )
    return _to_edit(roadmap, f"section-{section}")


@acts
def restore_item(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Undo a removal."""
    roadmap = _team(request, pk)
    actions.restore_item(roadmap, key, by=request.actor, on=clock.today())
    messages.success(request, T("Remis à sa place.", "Back in its place."))
    return _to_edit(roadmap, f"element-{key}")


def _wording_text(revision: Revision) -> str:
    content = revision.content
    return _shown(content if "title" in content else content["body"])


# -- conflicts and history --------------------------------------------------------------------------------------


def _stored(roadmap: Roadmap, name: str) -> tuple[Any, Any, int]:
    """Title, wording and revision that an element ("section:…", "item:…") has now."""
    kind, _, key = name.partition(":")
    draft = queries.whole(roadmap)
    if kind == "section" and key in draft.sections:
        section = next((s for s in draft.template.sections if s.key == key), None)
        row = draft.sections[key]
        if section is not None and section.kind == "text":
            return section.title, {"body": row.body}, row.rev
    if kind == "item" and key in draft.by_key:
        item = draft.by_key[key]
        due = item.due_on.isoformat() if item.due_on else None
        words = {"title": item.title, "body": item.body, "horizon": item.horizon, "due_on": due}
        return item.title, words, item.rev
    raise Http404


@never_cache
@page
def conflict(request: HttpRequest, pk: int, revision: int) -> HttpResponse:
    """Words that could not be saved, beside what is stored now, with a proposal that keeps both."""
    roadmap = _team(request, pk)
    return _conflict_page(request, roadmap, get_object_or_404(Revision, roadmap=roadmap, pk=revision))


def _conflict_page(
    request: HttpRequest, roadmap: Roadmap, kept: Revision, *, reason: Any = None, status: int = 200
) -> HttpResponse:
    roadmap = Roadmap.objects.select_related("cluster").get(pk=roadmap.pk)
    title, theirs, rev = _stored(roadmap, kept.element)
    kind, _, key = kept.element.partition(":")
    base = (
        Revision.objects.filter(roadmap=roadmap, element=kept.element, rev=kept.rev, refused=False)
        .order_by("-pk")
        .first()
    )
    old = base.content if base else {}
    yours = kept.content
    merged, clean = rules.merge(old.get("body", ""), theirs["body"], yours["body"])
    fields = {"body": merged}
    for name in ("title", "horizon", "due_on"):
        if name in theirs:
            fields[name] = yours[name] if theirs[name] == old.get(name) else theirs[name]
    return render(
        request,
        "roadmaps/conflict.html",
        {
            **_about(roadmap),
            "title": T("Deux textes pour « {t} »", "Two texts for “{t}”", t=title),
            "reason": reason,
            "kept": kept,
            "theirs": _shown(theirs if "title" in theirs else theirs["body"]),
            "yours": _shown(yours if "title" in yours else yours["body"]),
            "passages": queries.passages(theirs["body"], yours["body"]),
            "fields": fields,
            "both": [
                (label, theirs[name], yours[name])
                for name, label in (
                    ("title", T("Intitulé", "Title")),
                    ("horizon", T("Horizon", "Horizon")),
                    ("due_on", T("Échéance", "Due date")),
                )
                if name in theirs and theirs[name] != yours[name]
            ],
            "clean": clean,
            "rev": rev,
            "is_item": kind == "item",
            "horizons": states.HORIZONS.items(),
            "save_url": reverse("roadmap-item" if kind == "item" else "roadmap-section", args=[roadmap.pk, key]),
            "anchor": f"element-{key}" if kind == "item" else f"section-{key}",
            "writable": roadmap.state in states.WRITABLE,
            "breadcrumb": _under_list(
                roadmap.cluster,
                (reverse("roadmap-edit", args=[roadmap.pk]), T("Rédaction", "Drafting")),
                (None, T("Deux textes", "Two texts")),
            ),
        },
        status=status,
    )


@never_cache
@page
def history(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Every saved wording of a section or element; one of them may be brought back as a new revision."""
    roadmap = _team(request, pk)
    title, now, rev = _stored(roadmap, name)
    kind, _, key = name.partition(":")
    if request.method == "POST":
        sent = request.POST.get("wording", "")
        bring_back = actions.restore_item_wording if kind == "item" else actions.restore_section
        try:
            bring_back(
                roadmap,
                key,
                revision=int(sent) if sent.isdecimal() else 0,
                rev=_revision_sent(request),
                by=request.actor,
                on=clock.today(),
            )
        except Conflict as error:
            return _conflict_answer(request, roadmap, error)
        messages.success(
            request,
            T("L'ancien texte est revenu, comme nouvelle version.", "The earlier text is back, as a new revision."),
        )
        return _to_edit(roadmap, f"element-{key}" if kind == "item" else f"section-{key}")
    shown = Paginator(queries.history(roadmap, name), 10).get_page(request.GET.get("page"))
    found = list(shown)
    older = queries.stored_before(found[-1]) if found else None
    was = _wording_text(older) if older else ""
    rows = []
    for revision in reversed(found):
        text = _wording_text(revision)
        same = revision.content == now and not revision.refused
        rows.append({"revision": revision, "text": text, "passages": queries.passages(was, text), "same": same})
        if not revision.refused:
            was = text
    return render(
        request,
        "roadmaps/history.html",
        {
            **_about(roadmap),
            "title": T("Historique de « {t} »", "History of “{t}”", t=title),
            "rows": rows[::-1],
            "page": shown,
            "rev": rev,
            "writable": roadmap.state in states.WRITABLE,
            "breadcrumb": _under_list(
                roadmap.cluster,
                (_main_page(roadmap, access.Standing(team=True), request.actor), _version_name(roadmap)),
                (None, T("Historique", "History")),
            ),
        },
    )


# -- compare ----------------------------------------------------------------------------------------------------


@page
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Two versions side by side: ``?avec=`` the other one (default: the one it was written from, or the one before)."""
    roadmap, place = _roadmap(request, pk)
    others = [r for r in queries.versions(roadmap.cluster, place.states) if r.pk != roadmap.pk]
    asked = request.GET.get("avec", "")
    other = next((r for r in others if str(r.pk) == asked), None)
    if asked and other is None:
        raise Http404
    if other is None:
        earlier = [r for r in others if r.pk == roadmap.based_on_id]
        earlier += [r for r in others if queries.rank(r) < queries.rank(roadmap)]
        other = next(iter(earlier), others[0] if others else None)
    rows, before, after = [], None, None
    if other is not None:
        before, after = sorted((roadmap, other), key=queries.rank)
        rows = queries.compare(queries.document(before), queries.document(after), by_key=queries.related(before, after))
        rows = [
            {
                "row": row,
                "passages": queries.passages(row.text.before, row.text.after) if row.text else [],
                "elements": [
                    {
                        "row": one,
                        "titles": one.title if isinstance(one.title, tuple) else None,
                        "passages": queries.passages(one.before or "", one.after or "")
                        if (one.before or "") != (one.after or "")
                        else [],
                    }
                    for one in row.elements
                ],
            }
            for row in rows
        ]
    return render(
        request,
        "roadmaps/compare.html",
        {
            **_about(roadmap),
            "title": T("Comparer deux versions", "Compare two versions"),
            "others": [(r, _version_name(r), states.TITLES[r.state]) for r in others],
            "roadmap_name": _version_name(roadmap),
            "other": other,
            "before": before,
            "after": after,
            "before_name": _version_name(before) if before else "",
            "after_name": _version_name(after) if after else "",
            "rows": rows,
            "changed": sum(1 for row in rows if row["row"].changed),
            "unchanged": [row for row in rows if not row["row"].changed],
            "breadcrumb": _under_list(
                roadmap.cluster,
                (reverse("roadmap", args=[roadmap.pk]), _version_name(roadmap)),
                (None, T("Comparer", "Compare")),
            ),
        },
    )


@never_cache
@page
def new_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a version from this one, and say where sections and levels go."""
    roadmap = _team(request, pk)
    today = clock.today()
    phases = [p for p in policy().phases if any(p.code in t.phases for t in policy().roadmap_templates)]
    chosen = request.POST.get("phase") or request.GET.get("phase") or roadmap.phase
    phase = next((p for p in phases if p.code == chosen), None)
    if phase is None:
        raise Refused(T("Phase inconnue : {p}.", "Unknown phase: {p}.", p=chosen), kind="input")
    template = queries.template_for(phase.code, today)
    draft = queries.whole(roadmap)
    steps = rules.migration(draft.template, template, bodies=draft.bodies, elements=draft.elements)
    initial = _phase_initial(phase, today)
    if phase.code == roadmap.phase:
        initial |= {"title": roadmap.title, "starts_on": roadmap.starts_on, "ends_on": roadmap.ends_on}
    form = NewVersionForm(request.POST or None, phases=phases, steps=steps, initial=initial)
    refusal = None
    if request.method == "POST" and "begin" in request.POST and form.is_valid():
        values = form.cleaned_data
        try:
            made = actions.new_version(
                roadmap,
                phase=phase.code,
                mapping=form.mapping,
                title=values["title"],
                starts_on=values["starts_on"],
                ends_on=values["ends_on"],
                by=request.actor,
                on=today,
            )
            return redirect("roadmap-edit", made.pk)
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
    return render(
        request,
        "roadmaps/new_version.html",
        {
            **_about(roadmap),
            "title": T("Nouvelle version", "New version"),
            "form": form,
            "phases": phases,
            "phase_code": phase.code,
            "phase_to": phase.title,
            "template": template,
            "same_template": template.code == roadmap.template,
            "refusal": refusal,
            "breadcrumb": _under_list(
                roadmap.cluster,
                (reverse("roadmap", args=[roadmap.pk]), _version_name(roadmap)),
                (None, T("Nouvelle version", "New version")),
            ),
        },
        status=400 if refusal else 200,
    )


# -- decide -----------------------------------------------------------------------------------------------------


@acts
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the roadmap to the State."""
    roadmap, _ = _roadmap(request, pk)
    try:
        actions.submit(roadmap, by=request.actor, on=clock.today())
    except NotAllowed:
        raise
    except Refused as refusal:
        fresh = Roadmap.objects.select_related("cluster").get(pk=pk)
        if fresh.state not in states.WRITABLE:
            raise
        return _edit_page(request, fresh, status=400, refusal=refusal)
    messages.success(
        request,
        T(
            "La feuille de route est soumise à l'État. Elle ne change plus tant qu'il n'a pas répondu.",
            "The roadmap is submitted to the State. It does not change until the State has answered.",
        ),
    )
    return redirect("roadmap", roadmap.pk)


@never_cache
@page
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """What the correspondent reads before returning or validating."""
    roadmap, place = _roadmap(request, pk)
    access.may_review(request.actor, roadmap.cluster, clock.today())
    if roadmap.state != "submitted":
        return redirect("roadmap", roadmap.pk)
    return _review_page(request, roadmap, place, ReturnForm())


def _review_page(
    request: HttpRequest,
    roadmap: Roadmap,
    place: access.Standing,
    form: ReturnForm,
    *,
    status: int = 200,
    refusal: Refused | None = None,
) -> HttpResponse:
    draft = queries.whole(roadmap)
    document = queries.content(draft)
    entries = queries.acts([roadmap])[roadmap.pk]
    sent = queries.sendings(entries)
    changes = queries.changes_since(draft, sent[-2].after["last_revision"]) if len(sent) > 1 else []
    earlier = queries.validated_roadmap(roadmap.cluster, roadmap.phase) or roadmap.based_on
    return render(
        request,
        "roadmaps/review.html",
        {
            **_about(roadmap),
            "document": _sections(document),
            "fingerprint": queries.fingerprint(document),
            "entries": _events(entries),
            "sent_before": sent[-2].on if len(sent) > 1 else None,
            "changes": [{"change": c, "passages": queries.passages(c.before or "", c.after or "")} for c in changes],
            "earlier": earlier,
            "form": form,
            "refusal": refusal,
            "period": queries.template_of(roadmap).horizon_years,
            "breadcrumb": _under_list(
                roadmap.cluster,
                (reverse("roadmap", args=[roadmap.pk]), _version_name(roadmap)),
                (None, T("Examen", "Review")),
            ),
        },
        status=status,
    )


@acts
def give_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the roadmap with reasons."""
    roadmap, place = _roadmap(request, pk)
    form = ReturnForm(request.POST)
    if not form.is_valid() and place.reviewer and roadmap.state == "submitted":
        return _review_page(request, roadmap, place, form, status=400)
    actions.return_with_reasons(roadmap, reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    messages.success(
        request,
        T("Retournée avec vos motifs ; le pôle est prévenu.", "Returned with your reasons; the cluster is told."),
    )
    return redirect("roadmap", roadmap.pk)


@acts
def validate(request: HttpRequest, pk: int) -> HttpResponse:
    """Validate and freeze what was read."""
    roadmap, place = _roadmap(request, pk)
    try:
        actions.validate(roadmap, seen=request.POST.get("seen", ""), by=request.actor, on=clock.today())
    except Conflict as refusal:
        return _review_page(request, roadmap, place, ReturnForm(), status=409, refusal=refusal)
    messages.success(
        request, T("Validée et figée ; le pôle est prévenu.", "Validated and frozen; the cluster is told.")
    )
    return redirect("roadmap", roadmap.pk)
