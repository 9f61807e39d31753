"""Real decisions and calls for applications, entered from the programme's data: known, not decided here.

Their effects on labels stand in the register already; what sources do not tell (opinions, notifications, contents of
applications) stays empty.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction

from jalon.clusters.loading import fingerprint
from jalon.clusters.models import Cluster, Label, LabelAct
from jalon.clusters.queries import data_folder
from jalon.core import journal
from jalon.core.clock import moment_on
from jalon.core.models import Setting
from jalon.decisions.models import Candidacy, CandidacyCall, Decision, Line
from jalon.decisions.path import KIND_OF, PolicyPath, Step, path_of
from jalon.decisions.rules import part_of
from jalon.people.access import policy
from jalon.people.rules import name_key


def load_known_if_changed(programme: str | None = None) -> int:
    """Enter the real decisions and calls unless these very files were loaded; how many files of decision there are then."""
    programme = programme or settings.PROGRAMME
    path = path_of(programme)
    if path is None or part_of(policy()) is None or not Label.objects.exists():
        return 0
    key, mark = f"decisions:{programme}", fingerprint(data_folder(programme))
    row = Setting.objects.filter(key=key).first()
    if row and row.value == mark:
        return 0
    with transaction.atomic():
        made = load_known(path)
        Setting.objects.update_or_create(key=key, defaults={"value": mark})
    return made


def slug_of(step: Step) -> str:
    """The short name of the file of a step: its national decision, and the day where one decision has several."""
    alone = not step.get("decided_on") or step.get("precision") == "month"
    return str(step.said["national"]) + ("" if alone else f"-{step.decided_on.day}")


def load_known(path: PolicyPath) -> int:
    """Write calls, applications, decisions and their lines; a journal row for each that is new."""
    acts: list[dict[str, Any]] = []
    clusters = {c.slug: c for c in Cluster.objects.filter(programme=policy().slug)}
    labels = {one.code: one for one in Label.objects.filter(programme=policy().slug)}
    stored = {
        (a.label.code, a.act, a.effective_from): a
        for a in LabelAct.objects.filter(superseded_at=None, recorded_here=False).select_related("label")
    }
    applications = _calls(path, clusters, acts)
    made = 0
    for step in path.steps:
        if step.do != "decide":
            continue
        made += 1
        decision = _decision(path, step, acts)
        decision.lines.all().delete()
        lines = []
        for order, (label, act) in enumerate(path.acts_of(step)):
            slug = label.holders[0].slug
            lines.append(
                Line(
                    decision=decision,
                    order=order,
                    kind=KIND_OF[act.act],
                    cluster=clusters.get(slug),
                    label=labels.get(label.code),
                    candidacy=applications.get(slug) if act.act == "granted" else None,
                    group=group_of(path, slug, step),
                    effective_from=act.effective_from,
                    until=act.until,
                    reasons=step.get("reasons") if act.act in ("maintained", "withdrawn") else "",
                    act=stored.get((label.code, act.act, act.effective_from)),
                )
            )
        Line.objects.bulk_create(lines)
    journal.record_many(acts)
    return made


def group_of(path: PolicyPath, slug: str, step: Step) -> str:
    """The group of the campaign of 2008 that a line rests on: by name, else « 1-2 » (of group 1 or 2, not known by name)."""
    if step.get("campaign") != "2008":
        return ""
    found = next((e["result"] for e in path.register.evaluations if e["slug"] == slug and e["year"] == 2008), None)
    return found or "1-2"


def _keys(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _decision(path: PolicyPath, step: Step, acts: list[dict[str, Any]]) -> Decision:
    national = path.national(step.said["national"]) or {}
    laws = policy()
    authority = laws.label_decider_on(step.decided_on)
    decision, new = Decision.objects.update_or_create(
        slug=slug_of(step),
        defaults={
            "programme": laws.slug,
            "title": step.said["title"]["fr"],
            "state": "decided",
            "campaign": step.get("campaign"),
            "grounds": step.get("grounds"),
            "authority": authority.code if authority else "",
            "reference": str((national.get("title") or {}).get("fr") or step.said["national"])[:300],
            "decided_on": step.decided_on,
            "precision": step.get("precision") or "day",
            "published_on": step.day,
            "national": step.said["national"],
            "counts": national.get("counts") or {},
            "sources": _keys(national.get("source")),
            "created_at": moment_on(step.day),
            "known": True,
        },
    )
    if new:
        acts.append(
            _act(decision.case, "decision.known", step.day, {"title": decision.title, "sources": decision.sources})
        )
    return decision


def _calls(path: PolicyPath, clusters: dict[str, Cluster], acts: list[dict[str, Any]]) -> dict[str, Candidacy]:
    found: dict[str, Candidacy] = {}
    for said in path.calls:
        call, new = CandidacyCall.objects.update_or_create(
            code=said["code"],
            defaults={
                "programme": policy().slug,
                "title_fr": said["title"]["fr"],
                "title_en": said["title"]["en"],
                "opens_on": said.get("opens_on"),
                "closes_on": said.get("closes_on"),
                "decided_on": said.get("decided_on"),
                "precision": said.get("precision") or {},
                "criteria": said["criteria"],
                "counts": said["counts"],
                "notes": said.get("notes") or [],
                "sources": _keys(said["source"]),
                "state": "decided",
                "created_at": moment_on(said.get("opens_on") or said["decided_on"]),
                "known": True,
            },
        )
        if new:
            acts.append(
                _act(
                    call.case,
                    "candidacy-call.known",
                    said["decided_on"],
                    {"title": call.title_fr, "sources": call.sources},
                )
            )
        for row in named_in(path, said):
            application, _ = Candidacy.objects.update_or_create(
                slug=row["slug"],
                defaults={
                    "call": call,
                    "name": row["name"],
                    "state": row["outcome"],
                    "cluster": clusters.get(row["slug"]) if row["outcome"] == "labelled" else None,
                    "outcome_on": said["decided_on"],
                    "outcome_text": row["text"],
                    "sources": row["sources"],
                    "created_at": moment_on(said.get("closes_on") or said["decided_on"]),
                    "known": True,
                },
            )
            found[row["slug"]] = application
    return found


def named_in(path: PolicyPath, said: dict[str, Any]) -> list[dict[str, Any]]:
    """The applications of a call that sources name: those that its decision labelled, and others with their outcome."""
    decision = next(s for s in path.steps if s.do == "decide" and s.get("national") == said["decision"])
    rows = [
        {
            "slug": label.holders[0].slug,
            "name": label.name,
            "outcome": "labelled",
            "text": "",
            "sources": list(label.sources),
        }
        for label, act in path.acts_of(decision)
        if act.act == "granted"
    ]
    for other in said.get("others") or ():
        rows.append(
            {
                "slug": name_key(other["name"]).replace(" ", "-"),
                "name": other["name"],
                "outcome": other["outcome"],
                "text": other["text"]["fr"],
                "sources": _keys(other["source"]),
            }
        )
    return rows


def _act(case: str, act: str, on: dt.date, after: dict[str, Any]) -> dict[str, Any]:
    return {"case": case, "act": act, "on": on, "at": moment_on(on), "after": after, "why": "data/"}
