"""The replay page: the path of the policy, step by step, on the register of this installation."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from jalon.clusters.labels import labels_in_force, name_on
from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import JournalEntry, Setting
from jalon.decisions import access, queries, replay, rules, states
from jalon.decisions.models import Decision
from jalon.decisions.path import KIND_OF, PolicyPath, Step, path_of, title_of
from jalon.people.access import Actor, policy
from jalon.ui.http import page, wants

ROOT = T("Rejeu de la politique", "Replay of the policy")


@page
def read(request: HttpRequest) -> HttpResponse:
    """The steps up to the day on which Jalon lives; ``?pas=`` chooses one. Works without script: each step is a link."""
    on = clock.today()
    path = path_of()
    steps = [s for s in path.steps if s.day <= on] if path else []
    if not path or not steps:
        return render(
            request,
            "decisions/replay.html",
            {"title": ROOT, "steps": [], "path": path, "breadcrumb": [{"url": None, "label": ROOT}]},
        )
    asked = request.GET.get("pas", "")
    if asked and not (asked.isdecimal() and 1 <= int(asked) <= len(steps)):
        raise Refused(
            T("Le pas « {p} » n'existe pas : de 1 à {n}.", "The step “{p}” does not exist: 1 to {n}.", p=asked, n=len(steps)),
            kind="input",
        )  # fmt: skip
    number = int(asked) if asked else 1
    step = steps[number - 1]
    told = _told(request.actor, path, step, on)
    if wants(request) == "json":
        return JsonResponse(
            {
                "steps": [{"number": n, "day": s.day, "title": str(title_of(s, path)), "simulated": s.simulated} for n, s in enumerate(steps, 1)],
                "step": number,
                "counts": told["counts"],
            }
        )  # fmt: skip
    address = reverse("replay")
    return render(
        request,
        "decisions/replay.html",
        {
            **told,
            "title": ROOT,
            "path": path,
            "number": number,
            "total": len(steps),
            "step": step,
            "step_title": title_of(step, path),
            "steps": [{"number": n, "step": s, "title": title_of(s, path), "current": n == number} for n, s in enumerate(steps, 1)],
            "previous": f"{address}?pas={number - 1}" if number > 1 else "",
            "following": f"{address}?pas={number + 1}" if number < len(steps) else "",
            "first": f"{address}?pas=1",
            "last": f"{address}?pas={len(steps)}",
            "replayed": Setting.objects.filter(key=replay.KEY).exists(),
            "source_keys": told["sources"],
            "sources": queries.sources_of(told["sources"]),
            "breadcrumb": [{"url": None, "label": ROOT}],
        },
    )  # fmt: skip


def _told(actor: Actor, path: PolicyPath, step: Step, on: dt.date) -> dict[str, Any]:
    """What a step did: labels by kind of decision, counts before and after, evaluation, calls, contracts, acts of the day."""
    register = path.register
    before = labels_in_force(register.labels, step.day - dt.timedelta(days=1), step.day - dt.timedelta(days=1))
    after = labels_in_force(register.labels, step.day, step.day)
    laws = policy()
    kinds: dict[str, list[dict[str, Any]]] = {}
    sources: list[str] = []
    if step.do in ("decide", "register"):
        for label, act in path.acts_of(step):
            slug = label.holders[0].slug
            kinds.setdefault(KIND_OF[act.act], []).append(
                {
                    "name": name_on(register, slug, step.day),
                    "url": queries.link("cluster-timeline", slug),
                    "from": act.effective_from,
                    "until": act.until,
                }
            )
            sources += act.sources
    grouped = []
    for code, rows in sorted(kinds.items(), key=lambda kv: len(kv[1])):
        kind = rules.kind_of(laws, code)
        grouped.append({"title": kind.title if kind else code, "rows": rows, "periods": Counter((r["from"], r["until"]) for r in rows).most_common(2)})  # fmt: skip
    national = path.national(step.get("national")) if step.get("national") else None
    keys = national.get("source") or [] if national else step.get("source") or []
    sources += [keys] if isinstance(keys, str) else list(keys)
    decision = None
    if step.do == "decide":
        decision = (
            access.visible_to(
                actor, on, Decision.objects.filter(national=step.get("national"), decided_on=step.decided_on)
            )
            .annotate(n=Count("lines"))
            .first()
        )
    published, counted_by = path.published_count(step.day)
    found: dict[str, Any] = {
        "groups": grouped,
        "national": national,
        "national_note": T(national["note"]["fr"], national["note"]["en"])
        if national and national.get("note")
        else None,
        "decision": decision,
        "counts": {
            "before": len(before),
            "after": len(after),
            "published": published,
            "published_by": counted_by,
        },
        "sources": list(dict.fromkeys(sources)),
        "acts": [],
        "call": None,
        "evaluation": [],
    }
    if step.do == "call":
        said = path.call(step.said["call"])
        found["call"] = {
            "title": T(said["title"]["fr"], said["title"]["en"]),
            "url": queries.link("candidacy-call", said["code"]),
            "counts": said["counts"] if step.get("move") == "close" else {},
        }
        found["sources"] += said["source"]
    if step.do == "evaluation" and step.get("move") == "record":
        found["evaluation"] = _evaluation(path, step)
    if actor.can("journal.read"):
        found["acts"] = _acts(step)
    return found


def _evaluation(path: PolicyPath, step: Step) -> list[dict[str, Any]]:
    """Groups of an evaluation: the number published, the names that sources give."""
    named: dict[str, list[str]] = {}
    for row in path.register.evaluations:
        if str(row["year"]) == step.get("campaign"):
            named.setdefault(row["result"], []).append(row["slug"])
    national = path.national(step.get("national")) if step.get("national") else None
    counts = (national or {}).get("counts") or {}
    return [
        {
            "title": queries.group_title(step.get("campaign"), result),
            "published": counts.get(f"group_{result}", counts.get(result.replace("-", "_"))),
            "named": [
                {"name": name_on(path.register, slug, step.day), "url": queries.link("cluster-timeline", slug)}
                for slug in sorted(slugs)
            ],
        }
        for result, slugs in sorted(named.items())
    ]


def _acts(step: Step) -> list[tuple[Any, int]]:
    """The acts that the journal of this installation holds on the day of the step, by name."""
    from importlib import import_module

    titles: dict[str, Any] = dict(states.ACTS)
    for name in ("clusters", "contracts", "roadmaps"):
        titles |= import_module(f"jalon.{name}.states").ACTS
    rows = JournalEntry.objects.filter(on=step.day).order_by().values_list("act").annotate(n=Count("pk"))
    return sorted(((titles.get(act, act), n) for act, n in rows), key=lambda row: (-row[1], str(row[0])))
