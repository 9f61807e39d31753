"""Pages of members: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jalon.clusters.members import access, actions, background, queries, reading, rules, states
from jalon.clusters.members.forms import AddForm, CorrectForm, LeaveForm, UploadForm
from jalon.clusters.members.template import workbook
from jalon.clusters.models import Cluster, ImportBatch, Membership
from jalon.core import clock
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T, Text
from jalon.core.sheets import Column, write_xlsx
from jalon.people.access import policy
from jalon.people.keeping import kept
from jalon.ui.http import FORMATS, acts, export, page, wants

MISSING_SHOWN = 300


def _address(name: str, *args: Any) -> str | None:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None


def _trail(cluster: Cluster, *more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    start = [
        (_address("register"), str(policy().word("clusters")).capitalize()),
        (_address("cluster", cluster.slug), cluster.name),
        (reverse("members", args=[cluster.slug]) if more else None, T("Membres", "Members")),
    ]
    return [{"url": url, "label": label} for url, label in (*start, *more)]


def _import_trail(cluster: Cluster, *more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    url = reverse("members-import", args=[cluster.slug]) if more else None
    return _trail(cluster, (url, T("Importer", "Import")), *more)


def _cluster(slug: str) -> Cluster:
    return get_object_or_404(Cluster, slug=slug)


def _asked_day(request: HttpRequest, name: str) -> dt.date | None:
    text = request.GET.get(name, "")
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(
            T(
                "« {t} » n'est pas un jour ; attendu : aaaa-mm-jj.",
                "“{t}” is not a day; expected: yyyy-mm-dd.",
                t=text[:20],
            ),
            kind="input",
        ) from None


# --- the list ----------------------------------------------------------------------------------------------------


@page
@require_safe
@kept
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """The members of a cluster on a day, or those who joined or left in a period."""
    cluster = _cluster(slug)
    today = clock.today()
    movement = request.GET.get("movement", "")
    filters = queries.Filters(
        day=_asked_day(request, "on") or today,
        member_type=request.GET.get("type", "")[:30],
        college=request.GET.get("college", "")[:40],
        search=request.GET.get("q", "")[:100],
        movement=movement if movement in ("joined", "left", "all") else "",
        start=_asked_day(request, "from"),
        end=_asked_day(request, "to"),
        sort=request.GET.get("sort", "") or "name",
        known_on=_asked_day(request, "known_on"),
    )
    members = policy().members
    if wants(request) != "html":
        fields = queries.words().fields.template
        return export(
            request,
            f"membres-{cluster.slug}-{filters.day.isoformat()}",
            [(f.code.replace(":", "_"), Column(f.title, f.kind, f.width)) for f in fields],
            queries.export_rows(cluster, filters),
            simulated=queries.simulated_among(cluster, filters),
            sheet=str(T("Membres", "Members")),
        )
    totals = queries.totals(cluster, filters)
    known = queries.known_count(filters, totals)
    rows = queries.page_of(queries.listed(cluster, filters), request.GET.get("page"), known)
    types = {t.code: t for t in members.types}
    figures = [
        {"code": t.code, "title": t.plural, "count": totals.get(t.code, 0), "active": t.code == filters.member_type}
        for t in members.types
    ]
    figures += [
        {"code": code, "title": code, "count": n, "active": code == filters.member_type}
        for code, n in sorted(totals.items())
        if code not in types
    ]
    return render(
        request,
        "clusters/members/list.html",
        {
            "title": T("Membres de {c}", "Members of {c}", c=cluster.name),
            "cluster": cluster,
            "filters": filters,
            "other_day": filters.day != today,
            "narrowed": bool(filters.member_type or filters.college or filters.search.strip()),
            "rows": rows,
            "shown": list(rows.object_list),
            "type_titles": {t.code: t.title for t in members.types},
            "college_titles": {c.code: c.title for c in members.colleges},
            "figures": figures,
            "total": sum(totals.values()),
            "simulated": totals.simulated,
            "types": members.types,
            "colleges": members.colleges,
            "may": access.rights(request.actor, cluster, today),
            "known_on": filters.known_on,
            "home_country": policy().country,
            "breadcrumb": _trail(cluster),
        },
    )


@page
@require_safe
def template(request: HttpRequest, slug: str) -> HttpResponse:
    """The workbook to fill in."""
    cluster = _cluster(slug)
    answer = HttpResponse(workbook(queries.words()), content_type=FORMATS["xlsx"])
    answer["Content-Disposition"] = f'attachment; filename="modele-membres-{cluster.slug}.xlsx"'
    return answer


# --- one member --------------------------------------------------------------------------------------------------


@page
@require_safe
def member(request: HttpRequest, slug: str, organisation: int) -> HttpResponse:
    """One organisation's memberships in this cluster: what holds now, and every version before."""
    cluster = _cluster(slug)
    today = clock.today()
    rows = queries.history_of(cluster, organisation)
    if not rows:
        raise Http404
    members = policy().members
    types = {t.code: t.title for t in members.types}
    colleges = {c.code: c.title for c in members.colleges}
    versions = [
        {
            "m": row,
            "type": types.get(row.member_type, row.member_type),
            "college": colleges.get(row.college, row.college),
            "who": row.batch.user.name if row.batch and row.batch.user else "",
        }
        for row in rows
    ]
    name = rows[0].organisation
    may = access.rights(request.actor, cluster, today)
    acts_of = queries.acts_on(cluster, [row.pk for row in rows]) if may["inside"] or may["edit"] else {}
    for version in versions:
        entry = acts_of.get(version["m"].pk)
        version["who"] = (entry.user_label if entry else version["who"]) if may["inside"] or may["edit"] else ""
        version["why"] = entry.why if entry else ""
    current = [v for v in versions if v["m"].superseded_at is None]
    return render(
        request,
        "clusters/members/member.html",
        {
            "title": name.name,
            "cluster": cluster,
            "organisation": name,
            "home_country": policy().country,
            "organisation_url": _address("organisation", name.pk) if request.actor.signed_in else None,
            "current": sorted(current, key=lambda v: v["m"].joined_on, reverse=True),
            "past": [v for v in versions if v["m"].superseded_at is not None],
            "simulated": any(row.simulated for row in rows),
            "may": may,
            "breadcrumb": _trail(cluster, (None, name.name)),
        },
    )


@page
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Add one member."""
    cluster = _cluster(slug)
    today = clock.today()
    access.may_edit(request.actor, cluster, today)
    form = AddForm(request.POST or None)
    candidates: list[rules.Known] = []
    if request.method == "POST" and form.is_valid():
        chosen = request.POST.get("chosen", "")
        try:
            made = actions.add_member(
                cluster,
                by=request.actor,
                on=today,
                chosen=int(chosen) if chosen.isdigit() else None,
                **form.cleaned_data,
            )
        except actions.Resembles as refusal:
            candidates = refusal.candidates
            form.add_error(None, str(refusal.reason))
        except Refused as refusal:
            for text in refusal.missing or [refusal.reason]:
                form.add_error(None, str(text))
        else:
            messages.success(request, str(T("L'adhésion est enregistrée.", "The membership is recorded.")))
            return redirect("member", slug, made.organisation_id)
    return render(
        request,
        "clusters/members/add.html",
        {
            "title": T("Ajouter un membre", "Add a member"),
            "cluster": cluster,
            "form": form,
            "candidates": candidates,
            "breadcrumb": _trail(cluster, (None, T("Ajouter", "Add"))),
        },
        status=400 if form.errors else 200,
    )


def _membership(slug: str, pk: int) -> Membership:
    return get_object_or_404(Membership.objects.select_related("cluster", "organisation"), pk=pk, cluster__slug=slug)


def _one(
    request: HttpRequest, row: Membership, form: Any, title: Text, intro: Text, button: Text, status: int = 200
) -> HttpResponse:
    return render(
        request,
        "clusters/members/change.html",
        {
            "title": title,
            "intro": intro,
            "button": button,
            "cluster": row.cluster,
            "m": row,
            "form": form,
            "stale": row.superseded_at is not None,
            "breadcrumb": _trail(
                row.cluster,
                (reverse("member", args=[row.cluster.slug, row.organisation_id]), row.organisation.name),
                (None, title),
            ),
        },
        status=status,
    )


@page
def correct(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Correct one membership, or change its type from a day on."""
    row = _membership(slug, pk)
    today = clock.today()
    access.may_edit(request.actor, row.cluster, today)
    start = {"member_type": row.member_type, "college": row.college, "joined_on": row.joined_on, "left_on": row.left_on}
    form = CorrectForm(request.POST or None, initial=start)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = dict(form.cleaned_data)
            from_day = given.pop("from_day")
            try:
                if from_day:
                    actions.change_type(
                        row,
                        by=request.actor,
                        on=today,
                        member_type=given["member_type"],
                        college=given["college"],
                        from_day=from_day,
                        why=given["why"],
                    )
                else:
                    actions.correct(row, by=request.actor, on=today, **given)
            except Refused as refusal:
                status = 409 if isinstance(refusal, Conflict) else 400
                for text in refusal.missing or [refusal.reason]:
                    form.add_error(None, str(text))
            else:
                messages.success(
                    request, str(T("La nouvelle version est enregistrée.", "The new version is recorded."))
                )
                return redirect("member", slug, row.organisation_id)
    return _one(
        request,
        row,
        form,
        T("Corriger l'adhésion de {n}", "Correct the membership of {n}", n=row.organisation.name),
        T(
            "La version actuelle reste lisible dans l'historique ; la correction la remplace.",
            "The present version stays readable in the history; the correction replaces it.",
        ),
        T("Enregistrer la correction", "Save the correction"),
        status,
    )


@page
def leave(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Record a departure."""
    row = _membership(slug, pk)
    today = clock.today()
    access.may_edit(request.actor, row.cluster, today)
    form = LeaveForm(request.POST or None, initial={"left_on": today})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                actions.leave(row, by=request.actor, on=today, **form.cleaned_data)
            except Refused as refusal:
                status = 409 if isinstance(refusal, Conflict) else 400
                form.add_error(None, str(refusal))
            else:
                messages.success(request, str(T("Le départ est enregistré.", "The departure is recorded.")))
                return redirect("member", slug, row.organisation_id)
    return _one(
        request,
        row,
        form,
        T("Départ de {n}", "Departure of {n}", n=row.organisation.name),
        T("L'adhésion se termine à la fin de ce jour.", "The membership ends at the end of that day."),
        T("Enregistrer le départ", "Record the departure"),
        status,
    )


# --- imports -----------------------------------------------------------------------------------------------------


def _batch(request: HttpRequest, slug: str, pk: int) -> ImportBatch:
    cluster = _cluster(slug)
    access.may_import(request.actor, cluster, clock.today())
    found = get_object_or_404(ImportBatch.objects.select_related("cluster", "file", "user"), pk=pk, cluster=cluster)
    return found


@page
def imports(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand in a list; the imports of this cluster, to be found again."""
    cluster = _cluster(slug)
    today = clock.today()
    access.may_import(request.actor, cluster, today)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        handed = form.cleaned_data["file"]
        data = handed.read()
        try:
            later = len(data) > actions.READ_AT_ONCE
            made = actions.receive(cluster, data, handed.name, by=request.actor, on=today, read=not later)
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            if made.state == "reading":
                background.start(made, lambda progress: actions.read_file(made, progress=progress))
            return redirect("members-import-batch", slug, made.pk)
    rows = [
        {
            "batch": b,
            "state": states.STATES[b.state],
            "dead": background.is_dead(b),
            "mine": b.user_id == request.actor.user_id,
        }
        for b in queries.batches_of(cluster)
    ]
    return render(
        request,
        "clusters/members/imports.html",
        {
            "title": T("Importer des membres", "Import members"),
            "cluster": cluster,
            "form": form,
            "rows": rows,
            "breadcrumb": _import_trail(cluster),
        },
        status=400 if form.errors else 200,
    )


@page
@never_cache
@require_safe
def batch(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One import, where it is: running, columns to confirm, preview, done."""
    found = _batch(request, slug, pk)
    state = states.STATES[found.state]
    context = {
        "title": T("Import « {n} »", "Import “{n}”", n=found.file_name),
        "cluster": found.cluster,
        "batch": found,
        "state": state,
        "breadcrumb": _import_trail(found.cluster, (None, found.file_name)),
    }
    if state.running:
        done, total = background.seen(found)
        return render(
            request,
            "clusters/members/running.html",
            context | {"dead": background.is_dead(found), "done": done, "total": total},
        )
    if found.state == "to_confirm":
        return redirect("members-import-columns", slug, pk)
    if found.state == "failed" or not found.rows:
        return render(request, "clusters/members/over.html", context)
    return render(request, "clusters/members/preview.html", context | _preview(request, found))


def _preview(request: HttpRequest, found: ImportBatch) -> dict[str, Any]:
    counts = found.summary["counts"]
    chosen = request.GET.get("verdict", "")
    rows = found.rows["rows"]
    if chosen == "unchanged":
        pool: list[Any] = [r for r in rows if r[1] == "unchanged"] + found.rows["unchanged"]
        pool.sort(key=lambda r: r[0])
    elif chosen == "warned":
        pool = [r for r in rows if r[18] and r[1] not in ("error", "ignored", "duplicate")]
    elif chosen in states.VERDICTS:
        pool = [r for r in rows if r[1] == chosen]
    else:
        chosen, pool = "", rows
    shown = Paginator(pool, queries.PAGE).get_page(request.GET.get("page"))
    lines = [_line(row) for row in shown.object_list]
    missing = found.rows["missing"][:MISSING_SHOWN]
    names = queries.names_for(
        [
            *(line.organisation for line in lines if line.organisation),
            *(c for line in lines for c in line.candidates),
            *(organisation for _, organisation in missing),
        ]
    )
    members = policy().members
    types = {t.code: t.title for t in members.types}
    colleges = {c.code: c.title for c in members.colleges}
    choices = found.columns.get("choices", {})
    before = {
        m.pk: m
        for m in Membership.objects.filter(
            pk__in=[line.membership for line in lines if line.membership] + [m for m, _ in missing]
        )
    }
    verdicts = [
        {"verdict": v, "count": counts[code], "active": code == chosen}
        for code, v in states.VERDICTS.items()
        if counts[code]
    ]
    writes = sum(counts[code] for code in states.WRITES)
    return {
        "counts": counts,
        "verdicts": verdicts,
        "chosen": chosen,
        "page": shown,
        "rows": [
            {
                "line": line,
                "verdict": states.VERDICTS[line.verdict],
                "name": line.name or (names[line.organisation].name if line.organisation in names else ""),
                "type": types.get(line.member_type, ""),
                "college": colleges.get(line.college, ""),
                "size": _size_said(line, members),
                "before": _before(line, before.get(line.membership), types, colleges),
                "messages": [{"text": m.sentence(line.number), "level": m.level} for m in line.messages],
                "candidates": [names[c] for c in line.candidates if c in names],
                "choice": choices.get(str(line.number), ""),
                "matched": line.organisation if line.organisation in line.candidates else None,
            }
            for line in lines
        ],
        "has_choices": found.state == "previewed" and any(line.candidates for line in lines),
        "writes": writes,
        "valid": counts["total"] - counts["error"],
        "missing": [
            {
                "m": before[m],
                "name": names[o].name,
                "type": types.get(before[m].member_type, ""),
                "simulated": before[m].simulated,
            }
            for m, o in missing
            if m in before and o in names
        ],
        "missing_count": len(found.rows["missing"]),
        "missing_shown": MISSING_SHOWN,
        "open": found.state == "previewed",
        "on": dt.date.fromisoformat(found.summary["on"]),
        "accepting": found.summary.get("accepting", {}),
    }


def _line(row: list[Any]) -> rules.Line:
    return (
        rules.Line(number=row[0], organisation=row[1], verdict="unchanged") if len(row) == 2 else reading.unpacked(row)
    )


def _size_said(line: rules.Line, members: Any) -> str:
    if not line.size:
        return ""
    category, definition, _, headcount, _ = line.size
    parts = []
    if category:
        scheme = members.size_scheme(definition)
        parts.append(str(next((c.title for c in scheme.categories if c.code == category), category)))
    if headcount is not None:
        parts.append(str(T("effectif {n}", "headcount {n}", n=headcount)))
    return ", ".join(parts)


def _before(
    line: rules.Line, old: Membership | None, types: dict[str, Any], colleges: dict[str, Any]
) -> dict[str, Any]:
    """What the register says where the row says something else."""
    if old is None or line.verdict in ("unchanged", "size_change"):
        return {}
    found: dict[str, Any] = {}
    if old.member_type != line.member_type:
        found["type"] = types.get(old.member_type, old.member_type)
    if old.college != line.college:
        found["college"] = colleges.get(old.college, old.college) or T("aucun", "none")
    if old.left_on != line.left:
        found["left"] = old.left_on or T("sans sortie", "no exit")
    return found


@page
@never_cache
@require_safe
def columns(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The columns as recognised, to be confirmed; sheet and line of headers can be chosen."""
    found = _batch(request, slug, pk)
    if found.state not in ("to_confirm", "previewed"):
        return redirect("members-import-batch", slug, pk)
    words = queries.words()
    remembered = found.columns
    sheet = _number(request.GET.get("sheet"), remembered["sheet"], len(remembered["sheets"]))
    head = remembered["sheets"][sheet]["head"]
    if "sheet" in request.GET and "header" not in request.GET and sheet != remembered["sheet"]:
        header, mapping = rules.header_of(head, words.fields)
    else:
        header = _number(request.GET.get("header"), remembered["header"] + 1, len(head) + 1) - 1
        header = max(0, header)
        if (sheet, header) == (remembered["sheet"], remembered["header"]):
            mapping = {int(i): code for i, code in remembered["mapping"].items()}
        else:
            mapping = rules.columns_at(head, header, words.fields) if head else {}
    labels = rules.labels_of(head, header) if head else []
    width = max((len(row) for row in head), default=0)
    below = head[header + 1 : header + 4]
    rows = [
        {
            "index": i,
            "letter": rules.cell_name(0, i)[:-1],
            "label": labels[i] if i < len(labels) else "",
            "samples": [row[i] for row in below if i < len(row) and row[i]],
            "field": mapping.get(i, ""),
        }
        for i in range(width)
        if (i < len(labels) and labels[i]) or any(i < len(row) and row[i] for row in below)
    ]
    return render(
        request,
        "clusters/members/columns.html",
        {
            "title": T("Colonnes de « {n} »", "Columns of “{n}”", n=found.file_name),
            "cluster": found.cluster,
            "batch": found,
            "sheets": remembered["sheets"],
            "sheet": sheet,
            "header": header,
            "headers": [
                {"number": n + 1, "text": " · ".join(c for c in row if c)[:70]}
                for n, row in enumerate(head[: rules.MAX_HEADER_ROW])
                if row
            ],
            "rows": rows,
            "fields": words.fields.all,
            "recognised": sum(bool(row["field"]) for row in rows),
            "has_joined": "joined_on" in mapping.values(),
            "joined_default": remembered.get("joined_default"),
            "breadcrumb": _import_trail(found.cluster, (None, T("Colonnes", "Columns"))),
        },
    )


def _number(text: str | None, fallback: int, limit: int) -> int:
    return int(text) if text and text.isdigit() and int(text) < limit else fallback


@acts
def confirm(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The columns are right: check every row."""
    found = _batch(request, slug, pk)
    today = clock.today()
    mapping = {
        int(name.removeprefix("col-")): value
        for name, value in request.POST.items()
        if name.startswith("col-") and name.removeprefix("col-").isdigit() and value
    }
    given = request.POST.get("joined_default", "").strip()
    try:
        joined_default = dt.date.fromisoformat(given) if given else None
    except ValueError:
        raise Refused(
            T("La date d'entrée donnée n'est pas un jour.", "The entry date given is not a day."), kind="input"
        ) from None
    actions.confirm(
        found,
        by=request.actor,
        on=today,
        sheet=_number(request.POST.get("sheet"), 0, len(found.columns["sheets"])),
        header=_number(request.POST.get("header"), 0, 100_000),
        mapping=mapping,
        joined_default=joined_default,
    )
    return _check(found, slug, today)


def _check(found: ImportBatch, slug: str, today: dt.date) -> HttpResponse:
    """Check a batch: at once if it is short, else beside the request."""
    if found.total <= actions.CHECK_AT_ONCE:
        actions.preview(found, on=today)
    else:
        background.start(found, lambda progress: _checked(found, today, progress))
    return redirect("members-import-batch", slug, found.pk)


def _checked(found: ImportBatch, today: dt.date, progress: background.Progress) -> None:
    actions.preview(found, on=today, progress=progress)


@acts
def choose(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Which organisation a row is about, where several resemble; then check again."""
    found = _batch(request, slug, pk)
    choices = {
        int(name.removeprefix("choice-")): int(value)
        for name, value in request.POST.items()
        if name.startswith("choice-") and name.removeprefix("choice-").isdigit() and value.isdigit()
    }
    actions.choose(found, choices, by=request.actor, on=clock.today())
    return _check(found, slug, clock.today())


@acts
def accept(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Write it: at once if it is short, else beside the request."""
    found = _batch(request, slug, pk)
    today = clock.today()
    given = request.POST.get("closed_on", "").strip()
    try:
        closed_on = dt.date.fromisoformat(given) if given else None
    except ValueError:
        raise Refused(
            T("Le jour de clôture n'est pas un jour.", "The closing day is not a day."), kind="input"
        ) from None
    if "close_all" in request.POST and found.rows:
        close = {row[0] for row in found.rows["missing"]}
    else:
        close = {int(v) for v in request.POST.getlist("close") if v.isdigit()}
    actions.begin_accept(
        found,
        by=request.actor,
        on=today,
        leave_errors="leave_errors" in request.POST,
        close=close,
        closed_on=closed_on,
    )
    if found.total <= actions.CHECK_AT_ONCE:
        actions.finish_accept(found, by=request.actor, on=today)
        messages.success(request, str(T("La liste est importée.", "The list is imported.")))
    else:
        actor = request.actor
        background.start(
            found, lambda progress: actions.finish_accept(found, by=actor, on=today, progress=progress) and None
        )
    return redirect("members-import-batch", slug, pk)


@acts
def abandon(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Leave an import."""
    actions.abandon(_batch(request, slug, pk), by=request.actor, on=clock.today())
    messages.success(
        request, str(T("L'import est abandonné ; rien n'a été écrit.", "The import is abandoned; nothing was written."))
    )
    return redirect("members-import", slug)


@acts
def resume(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take up an import that was cut off."""
    found = actions.resume(_batch(request, slug, pk), by=request.actor, on=clock.today())
    if found.state == "reading":
        background.start(found, lambda progress: actions.read_file(found, progress=progress))
    return redirect("members-import-batch", slug, pk)


@page
@never_cache
@require_safe
def progress(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """How far a running import is, as JSON."""
    found = _batch(request, slug, pk)
    done, total = background.seen(found)
    running = states.STATES[found.state].running
    dead = running and background.is_dead(found)
    if dead:
        said: Text | str = T(
            "Le travail s'est arrêté ; rien n'est écrit. Recharger la page pour le reprendre ou l'abandonner.",
            "The task stopped; nothing is written. Reload the page to take it up or leave it.",
        )
    elif not running or not total:
        said = states.STATES[found.state].title
    else:
        said = T(
            "{s} : {done} lignes sur {total}",
            "{s}: {done} rows of {total}",
            s=states.STATES[found.state].title,
            done=done,
            total=total,
        )
    return JsonResponse(
        {
            "done": done,
            "total": total,
            "state": "failed" if dead else "running" if running else "done",
            "message": str(said),
            "next": reverse("members-import-batch", args=[slug, pk]),
        }
    )


@page
@require_safe
def verdicts(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The file handed in, with the verdict and the messages beside each row."""
    found = _batch(request, slug, pk)
    if not found.rows:
        raise Http404
    header, columns_, rows = _with_verdicts(found)
    book = write_xlsx([(str(T("Verdicts", "Verdicts")), columns_, rows)])
    answer = FileResponse(book, content_type=FORMATS["xlsx"])
    answer["Content-Disposition"] = f'attachment; filename="verdicts-{found.cluster.slug}-{found.pk}.xlsx"'
    return answer


def _with_verdicts(found: ImportBatch) -> tuple[int, list[Column], Iterator[list[Any]]]:
    sheet = actions.book_of(found).sheets[found.columns["sheet"]]
    header = found.columns["header"]
    width = max((len(row) for row in sheet.rows), default=0)
    labels = rules.labels_of(sheet.rows, header)
    head = [
        Column(T("Ligne", "Row"), "number", 8),
        Column(T("Verdict", "Verdict"), width=26),
        Column("Messages", width=70),
    ]
    head += [Column(labels[i] if i < len(labels) else "", width=18) for i in range(width)]
    told = {row[0]: row for row in found.rows["rows"]}
    unchanged = {row[0] for row in found.rows["unchanged"]}

    def rows() -> Iterator[list[Any]]:
        for y in range(header + 1, len(sheet.rows)):
            number = y + 1
            if number not in told and number not in unchanged:
                continue
            cells = sheet.rows[y]
            line = reading.unpacked(told[number]) if number in told else None
            verdict = states.VERDICTS[line.verdict if line else "unchanged"].title
            said = "\n".join(str(m.sentence(number)) for m in line.messages) if line else ""
            yield [number, str(verdict), said or None, *cells, *([None] * (width - len(cells)))]

    return header, head, rows()
