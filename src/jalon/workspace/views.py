"""Pages of the workspace: parse, call one read, render."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from jalon.core import clock
from jalon.core.canonical import canonical
from jalon.core.errors import NotAllowed
from jalon.core.journal import Break, entry_hash
from jalon.core.lang import T
from jalon.core.models import DailyRoot, FrozenText, JournalEntry, JournalHead
from jalon.core.sheets import Column
from jalon.people.access import Actor, policy
from jalon.people.calendars import user_of
from jalon.people.forms import parsed_day
from jalon.people.keeping import kept
from jalon.ui.http import acts, export, page, wants
from jalon.workspace import queries

PAGE = 50


def _signed_in(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        raise NotAllowed(T("Connectez-vous pour voir cette page.", "Sign in to see this page."))


# --- home --------------------------------------------------------------------------------------------------------


@page
@never_cache
@kept(also=lambda request: getattr(request.user, "previous_visit_at", None))
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me, my deadlines, what changed since my last visit."""
    _signed_in(request)
    actor, day = request.actor, clock.today()
    tasks = queries.tasks_for(actor, day)
    deadlines = queries.deadlines_for(actor, day, tasks)
    since = request.user.previous_visit_at
    if since is None or since > clock.end_of_day(day):  # first visit, or the demonstration went back in time
        since = clock.moment_on(day - dt.timedelta(days=30))
    request.frame = {"waiting": len(tasks)}
    context = {
        **request.frame,
        "title": T("Mon accueil", "My home"),
        "tasks": tasks,
        "late": [t for t in tasks if t.overdue(day)],
        "deadlines": deadlines,
        "overdue": [t for t in deadlines if t.overdue(day)],
        "others": others(request, day),
        "day": day,
        "since": since,
        "changes": queries.changes_since(actor, day, since),
        "shortcuts": shortcuts(actor, day),
    }
    return render(request, "workspace/home.html", context)


def others(request: HttpRequest, day: dt.date) -> list[dict[str, Any]]:
    """The other mandates of somebody who has several, with what waits under each."""
    if len(request.mandates) < 2:
        return []
    found = queries.everything_for(request.user, day)
    return [
        {"mandate": who.mandate_id, "name": who.organisation_label, "role": who.role_title, "tasks": len(tasks)}
        for who, tasks in found
        if who.mandate_id != request.actor.mandate_id
    ]


def shortcuts(actor: Actor, day: dt.date) -> list[dict[str, Any]]:
    """Where the actor's role goes often."""
    found: list[dict[str, Any]] = []

    def add(label: Any, name: str, *args: Any, needs: str = "") -> None:
        address = queries.link(name, *args)
        if address and (not needs or actor.can(needs)):
            found.append({"url": address, "label": label})

    if actor.side in ("governance", "state") and not actor.national and actor.mandate_id:
        for cluster in queries.clusters_of(actor, day).order_by("name_key")[:5]:
            add(cluster.name, "cluster", cluster.slug)
    if actor.side != "public" and not actor.national:
        for contract in (
            queries.drafts_of(actor, day).filter(state="signed", starts_on__lte=day).order_by("-starts_on", "id")[:3]
        ):
            add(contract.title, "contract", contract.slug)
    add(T("Tableau national", "National board"), "board", needs="board.read")
    add(T("Mon portefeuille", "My portfolio"), "portfolio", needs="portfolio.read")
    add(T("Personnes", "People"), "people", needs="people.delegate")
    add(T("Organismes", "Organisations"), "organisations")
    add(T("Journal des actes", "Journal of acts"), "journal", needs="journal.read")
    add(T("Politique en vigueur", "Policy in force"), "policy-page")
    return found


# --- calendar ----------------------------------------------------------------------------------------------------


def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The deadlines of one person as a calendar to subscribe to; the address is the secret."""
    from icalendar import Calendar, Event

    from jalon.people.queries import actor_from, mandates_on

    user = user_of(token)
    if user is None:
        raise Http404
    day = clock.today()
    calendar = Calendar()
    calendar.add("prodid", "-//Jalon//FR")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Jalon")
    seen = set()
    from jalon.core.lang import speaking

    with speaking(user.language):
        for mandate in mandates_on(user, day).select_related("user"):
            for task in queries.deadlines_for(actor_from(mandate), day):
                key = (task.case, str(task.title), task.due_on)
                if key in seen:
                    continue
                seen.add(key)
                event = Event()
                from jalon.core.canonical import sha256

                event.add("uid", f"{sha256(canonical([str(user.pk), *map(str, key)]))[:32]}@jalon")
                event.add("summary", str(task.title))
                event.add("dtstart", task.due_on)
                event.add("dtend", task.due_on + dt.timedelta(days=1))
                event.add("dtstamp", clock.real_now())
                if task.why:
                    event.add("description", str(task.why))
                if task.url:
                    event.add("url", request.build_absolute_uri(task.url))
                calendar.add_component(event)
            for provider in queries.ask("events_for"):
                for told in provider(actor_from(mandate), day):
                    if told.uid not in seen:
                        seen.add(told.uid)
                        calendar.add_component(_session_event(request, told))
    response = HttpResponse(calendar.to_ical(), content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, max-age=900"
    return response


def _session_event(request: HttpRequest, told: Any) -> Any:
    """A session as an event: two hours from its hour, or the whole day."""
    from icalendar import Event

    event = Event()
    event.add("uid", f"{told.uid}@jalon")
    event.add("summary", str(told.title))
    if told.starts_at is not None:
        start = dt.datetime.combine(told.day, told.starts_at, tzinfo=clock.PARIS)
        event.add("dtstart", start)
        event.add("dtend", start + dt.timedelta(hours=2))
    else:
        event.add("dtstart", told.day)
        event.add("dtend", told.day + dt.timedelta(days=1))
    event.add("dtstamp", clock.real_now())
    if told.where:
        event.add("location", told.where)
    if told.text:
        event.add("description", str(told.text))
    event.add("url", request.build_absolute_uri(told.url))
    return event


# --- search ------------------------------------------------------------------------------------------------------


@page
def search_page(request: HttpRequest) -> HttpResponse:
    """Clusters, organisations and contracts by name; case and accents do not count."""
    q = request.GET.get("q", "").strip()[:100]
    found = queries.search(request.actor, clock.today(), q) if q else []
    context = {"title": T("Rechercher", "Search"), "q": q, "found": found, "total": sum(f.total for f in found)}
    return render(request, "workspace/search.html", context)


# --- journal -----------------------------------------------------------------------------------------------------


@page
@never_cache
def journal_page(request: HttpRequest) -> HttpResponse:
    """Who did what, when and why; filtered, by pages that cost the same wherever they are."""
    actor, day = request.actor, clock.today()
    asked = {key: request.GET.get(key, "").strip() for key in ("case", "act", "organisation", "user")}
    since, until = parsed_day(request.GET.get("since")), parsed_day(request.GET.get("until"))
    rows = queries.journal(actor, day, **asked, since=since, until=until)
    if wants(request) != "html":
        return _export_journal(request, rows)
    before = request.GET.get("before", "")
    shown = rows.filter(id__lt=int(before)) if before.isdigit() else rows
    entries = list(shown[: PAGE + 1])
    more = entries[PAGE - 1].id if len(entries) > PAGE else None
    entries = entries[:PAGE]
    names = queries.case_titles(dict.fromkeys(e.case for e in entries))
    for entry in entries:
        entry.case_title, entry.case_url = names[entry.case]
    titles = queries.act_titles()
    context = {
        "title": T("Journal des actes", "Journal of acts"),
        "entries": entries,
        "more": more,
        "asked": asked,
        "since": since,
        "until": until,
        "first": not before,
        "acts": sorted(((code, str(title)) for code, title in titles.items()), key=lambda pair: pair[1]),
    }
    return render(request, "workspace/journal.html", context)


def _export_journal(request: HttpRequest, rows: Any) -> HttpResponse:
    columns = [
        ("id", Column(T("Ligne", "Row"), "number")),
        ("case", Column(T("Dossier", "Case"))),
        ("seq", Column(T("Numéro", "Number"), "number")),
        ("act", Column(T("Acte", "Act"))),
        ("on", Column(T("Jour", "Day"), "date")),
        ("at", Column(T("Moment (UTC)", "Moment (UTC)"))),
        ("user", Column(T("Qui", "Who"))),
        ("organisation", Column(T("Pour", "For"))),
        ("role", Column(T("Rôle", "Role"))),
        ("why", Column(T("Motif", "Reason"))),
        ("before", Column(T("Avant", "Before"))),
        ("after", Column(T("Après", "After"))),
        ("previous", Column(T("Empreinte précédente", "Previous hash"))),
        ("hash", Column(T("Empreinte", "Hash"))),
    ]

    def lines() -> Iterator[list[Any]]:
        for e in rows.iterator(chunk_size=1000):
            yield [
                e.id, e.case, e.seq, e.act, e.on, e.at.isoformat(), e.user_label, e.organisation_label, e.role, e.why,
                "" if e.before is None else canonical(e.before), "" if e.after is None else canonical(e.after), e.prev_hash, e.hash,
            ]  # fmt: skip

    return export(request, "journal", columns, lines())


def chain_breaks(case: str) -> tuple[int, Break | None]:
    """How many rows the chain of one case has, and the first place where it does not hold."""
    seq, previous = 0, ""
    for entry in JournalEntry.objects.filter(case=case).order_by("id").iterator(chunk_size=1000):
        name = f"{entry.id} ({entry.case} n° {entry.seq}, {entry.act})"
        if entry.seq != seq + 1:
            return seq, Break(
                "core_journalentry",
                name,
                str(entry.seq),
                str(T("numéro {n} attendu", "number {n} expected", n=seq + 1)),
            )
        if entry.prev_hash != previous:
            return seq, Break(
                "core_journalentry",
                name,
                entry.prev_hash[:12] or "∅",
                str(T("empreinte précédente {h} attendue", "previous hash {h} expected", h=previous[:12] or "∅")),
            )
        found = entry_hash(entry)
        if found != entry.hash:
            return seq, Break(
                "core_journalentry",
                name,
                str(T("le contenu donne {h}", "the content gives {h}", h=found[:12])),
                str(T("{h} attendu", "{h} expected", h=entry.hash[:12])),
            )
        seq, previous = entry.seq, entry.hash
    head = JournalHead.objects.filter(case=case).first()
    if head is None and seq:
        return seq, Break(
            "core_journalhead", case, "∅", str(T("une tête de chaîne attendue", "a head of chain expected"))
        )
    if head is not None and (head.seq, head.hash) != (seq, previous):
        return seq, Break("core_journalhead", case, f"{seq} ({previous[:12] or '∅'})", f"{head.seq} ({head.hash[:12]})")
    return seq, None


FROZEN = {
    "text": T("textes de contrats et d'avenants figés", "texts of contracts and amendments frozen"),
    "annex": T("annexes figées", "annexes frozen"),
    "roadmap": T("feuilles de route figées", "roadmaps frozen"),
    "convocation": T("convocations figées", "convocations frozen"),
    "minutes": T("comptes rendus figés", "minutes frozen"),
}


def frozen_kinds() -> list[dict[str, Any]]:
    """How many texts are frozen, by what they are."""
    counts: dict[str, int] = {}
    for kind, n in FrozenText.objects.values_list("kind").annotate(n=Count("id")).order_by("kind"):
        counts[kind.partition(":")[0]] = counts.get(kind.partition(":")[0], 0) + n
    return [{"title": FROZEN.get(kind, kind), "n": n} for kind, n in counts.items()]


@page
@never_cache
def proof(request: HttpRequest, verified: dict[str, Any] | None = None) -> HttpResponse:
    """What is chained, the last roots, how to check by command, and a check of one case here and now."""
    case = (verified or {}).get("case") or request.GET.get("case", "")
    context = {
        "title": T("Preuve", "Proof"),
        "entries_count": JournalEntry.objects.count(),
        "chains": JournalHead.objects.count(),
        "frozen": frozen_kinds(),
        "roots": list(DailyRoot.objects.order_by("-id")[:10]),
        "case": case,
        "verified": verified,
        "may_verify": request.actor.can("journal.read"),
    }
    return render(request, "workspace/proof.html", context)


@acts
def verify_case(request: HttpRequest) -> HttpResponse:
    """Check the chain of one case now. It reads only, and may take a moment: hence a POST."""
    actor, day = request.actor, clock.today()
    actor.require("journal.read")
    case = request.POST.get("case", "").strip()
    if not queries.journal(actor, day, case=case).exists() or ":" not in case and case != "demonstration":
        return proof(request, {"case": case, "unknown": True})
    count, broken = chain_breaks(case)
    title, address = queries.case_titles([case])[case]
    return proof(request, {"case": case, "count": count, "broken": broken, "title": title, "url": address})


# --- policy ------------------------------------------------------------------------------------------------------


@page
def policy_page(request: HttpRequest) -> HttpResponse:
    """The programme's policy as in force on a day: phases, parameters, indicators, roles; each with its text."""
    day = parsed_day(request.GET.get("on")) or clock.today()
    programme = policy()
    in_force = programme.on(day)
    parameters: dict[str, list[dict[str, Any]]] = {}
    for path, history in programme.parameters.items():
        found = in_force.find(path)
        parameters.setdefault(path.split(".")[0], []).append(
            {
                "path": path,
                "history": history,
                "now": found,
                "later": [v for v in history.values if v.since > day],
                "line": history.line,
            }
        )
    indicators = [
        {"indicator": i, "now": i.definition_on(day), "versions": i.definitions} for i in programme.indicators
    ]
    context = {
        "title": programme.title,
        "day": day,
        "phases": programme.phases,
        "phase_now": programme.phase_on(day),
        "parameters": parameters,
        "indicators": indicators,
        "roles": programme.roles,
        "permission_titles": _permissions(),
        "policy": programme,
        "subjects": SUBJECTS,
        "here": reverse("policy-page") + ("?" + urlencode({"on": day.isoformat()}) if request.GET.get("on") else ""),
    }
    return render(request, "workspace/policy.html", context)


def _permissions() -> dict[str, Any]:
    from jalon.policy.vocabulary import PERMISSIONS

    return PERMISSIONS


SUBJECTS = {
    "phases": T("Phases et crédits", "Phases and credits"),
    "labels": T("Labels", "Labels"),
    "members": T("Membres", "Members"),
    "governance": T("Gouvernance", "Governance"),
    "contracts": T("Contrats", "Contracts"),
    "reporting": T("Campagnes de suivi", "Reporting"),
    "evaluations": T("Évaluations", "Evaluations"),
    "committees": T("Comités", "Committees"),
}
