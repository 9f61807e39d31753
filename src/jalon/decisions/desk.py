"""What decisions bring to the desk of somebody who signs in: what waits, cases of the journal, names, search."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from jalon.core.lang import T
from jalon.decisions import access, rules, states
from jalon.decisions.models import Appeal, Candidacy, CandidacyCall, Decision, Line, Notice
from jalon.interests.access import stances
from jalon.people.access import Actor, policy
from jalon.people.tasks import Task, waiting_light

SHOWN = 50


def _light(due: dt.date, day: dt.date) -> str:
    if due < day:
        return "late"
    return "at_risk" if (due - day).days <= 14 else "not_yet_due"


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """What waits for the actor: opinions, decisions, notifications, appeals, applications, conditions."""
    if not actor.signed_in or rules.part_of(policy()) is None:
        return []
    return [*_decisions(actor, day), *_notices(actor, day), *_appeals(actor, day), *_applications(actor, day)]


def _decisions(actor: Actor, day: dt.date) -> list[Task]:
    if not access.inside(actor):
        return []
    found = []
    rows = (
        access.visible_to(actor, day)
        .filter(state__in=("draft", "opinions"))
        .prefetch_related("opinions", "lines")
        .order_by("proposed_on", "pk")[:SHOWN]
    )
    for row in rows:
        url = reverse("decision", args=[row.slug])
        asked = rules.bodies_asked(policy(), {x.kind for x in row.lines.all()}, day)
        given = {o.body for o in row.opinions.all() if o.replaced_at is None and o.line_id is None}
        awaited = [b for b in asked if b.code not in given]
        if row.state == "draft" and actor.can("decision.propose"):
            found.append(
                Task(T("Achever la proposition : {t}", "Finish the proposal: {t}", t=row.title), url, None, "not_started", "", row.case)
            )  # fmt: skip
        if row.state != "opinions":
            continue
        mine = [b for b in awaited if actor.role in b.roles and actor.can("decision.opine")]
        if mine:
            found.append(
                Task(
                    T("Rendre l'avis de « {b} » : {t}", "Give the opinion of “{b}”: {t}", b=mine[0].title, t=row.title),
                    url,
                    None,
                    waiting_light(row.proposed_on, day),
                    T("la décision attend cet avis", "the decision waits for this opinion"),
                    row.case,
                    since=row.proposed_on,
                )
            )
        if not awaited and actor.can("decision.decide"):
            found.append(
                Task(
                    T("Décider : {t}", "Decide: {t}", t=row.title),
                    url,
                    None,
                    waiting_light(row.proposed_on, day),
                    T("tous les avis sont rendus", "all opinions are given"),
                    row.case,
                    since=row.proposed_on,
                )
            )
    return found


def _notices(actor: Actor, day: dt.date) -> list[Task]:
    if not actor.can("decision.notify"):
        return []
    found = []
    decided = Decision.objects.filter(state="decided", known=False)
    for row in decided.filter(lines__notices__isnull=True).distinct().order_by("decided_on")[:SHOWN]:
        found.append(
            Task(
                T("Notifier : {t}", "Notify: {t}", t=row.title),
                reverse("decision", args=[row.slug]),
                None,
                waiting_light(row.decided_on, day),
                T("la décision est prise", "the decision is taken"),
                row.case,
                since=row.decided_on,
            )
        )
    for line in (
        Line.objects.filter(decision__in=decided, conditions_due_on__isnull=False, conditions_met_on=None)
        .exclude(conditions="")
        .select_related("decision", "cluster")
        .order_by("conditions_due_on")[:SHOWN]
    ):
        found.append(
            Task(
                T("Constater les conditions du label : {c}", "Check the conditions of the label: {c}", c=line.name),
                reverse("decision", args=[line.decision.slug]) + f"#ligne-{line.pk}",
                line.conditions_due_on,
                _light(line.conditions_due_on, day),
                "",
                line.decision.case,
            )
        )
    return found


def _appeals(actor: Actor, day: dt.date) -> list[Task]:
    found = []
    if actor.can("decision.notify") or actor.can("decision.decide"):
        for row in (
            Appeal.objects.filter(outcome="")
            .select_related("line__decision", "line__cluster")
            .order_by("lodged_on")[:SHOWN]
        ):
            found.append(
                Task(
                    T("Répondre au recours : {c}", "Answer the appeal: {c}", c=row.line.name),
                    reverse("decision", args=[row.line.decision.slug]) + f"#ligne-{row.line_id}",
                    None,
                    waiting_light(row.lodged_on, day),
                    states.APPEAL_KINDS[row.kind],
                    row.line.decision.case,
                    since=row.lodged_on,
                )
            )
    if actor.side == "governance":
        for notice in (
            Notice.objects.filter(
                line__cluster__in=access.carried_by(actor, day),
                line__decision__known=False,
                appeal_until__gte=day,
            )
            .select_related("line__decision", "line__cluster")
            .order_by("appeal_until")[:SHOWN]
        ):
            found.append(
                Task(
                    T("Décision reçue ; un recours est possible : {c}", "Decision received; an appeal is possible: {c}", c=notice.line.name),
                    reverse("decision", args=[notice.line.decision.slug]),
                    notice.appeal_until,
                    _light(notice.appeal_until, day),
                    T("fin du délai de recours", "end of the delay to appeal"),
                    notice.line.decision.case,
                )
            )  # fmt: skip
    return found


def _applications(actor: Actor, day: dt.date) -> list[Task]:
    found = []
    if actor.can("candidacy.review"):
        level = access.level_of(actor, day)
        if level is not None:
            rows = list(
                access.applications(actor, day)
                .filter(state="submitted", known=False)
                .exclude(organisation_id=actor.organisation_id)
                .select_related("call")
                .prefetch_related("reviews")
                .order_by("submitted_at", "name")[:SHOWN]
            )
            declared = stances(actor.user_id, [r.case for r in rows]) if rows else {}
            for row in rows:
                current = [r for r in row.reviews.all() if r.replaced_at is None]
                if any(r.user_id_by == actor.user_id for r in current):
                    continue
                there = {r.level for r in current}
                if any(one.order < level.order and one.code not in there for one in rules.levels_on(policy(), day)):
                    continue
                found.append(
                    Task(
                        T("Examiner la candidature : {n}", "Review the application: {n}", n=row.name)
                        if row.case in declared
                        else T("Déclarer vos intérêts, puis examiner : {n}", "Declare your interests, then review: {n}", n=row.name),
                        reverse("candidacy", args=[row.slug]),
                        None,
                        waiting_light(row.submitted_at.date() if row.submitted_at else None, day),
                        level.title,
                        row.case,
                    )
                )  # fmt: skip
    if actor.can("candidacy.submit") and actor.organisation_id:
        for row in Candidacy.objects.filter(organisation_id=actor.organisation_id, state="draft").select_related(
            "call"
        ):
            closes = row.call.closes_on
            found.append(
                Task(
                    T("Déposer la candidature : {n}", "Submit the application: {n}", n=row.name),
                    reverse("candidacy", args=[row.slug]),
                    closes,
                    _light(closes, day) if closes else "not_started",
                    T("clôture de l'appel à minuit, heure de Paris", "the call closes at midnight, Paris time") if closes else "",
                    row.case,
                )
            )  # fmt: skip
    if actor.can("candidacy.manage"):
        for call in CandidacyCall.objects.filter(known=False, state="open", closes_on__lt=day):
            found.append(
                Task(
                    T("Clore l'appel à candidatures : {t}", "Close the call for applications: {t}", t=T(call.title_fr, call.title_en)),
                    reverse("candidacy-call", args=[call.code]),
                    call.closes_on,
                    "late",
                    "",
                    call.case,
                )
            )  # fmt: skip
    return found


def cases_for(actor: Actor, day: dt.date) -> Q | None:
    """The journal's rows that the actor may read of decisions, calls and applications."""
    if not actor.signed_in:
        return None
    wanted = Q(case__startswith="phase:") | Q(case__startswith="candidacy-call:")
    slugs = access.visible_to(actor, day).values_list("slug", flat=True) if access.inside(actor) else []
    wanted |= Q(case__in=[f"decision:{s}" for s in slugs])
    own = access.applications(actor, day).values_list("slug", flat=True)
    return wanted | Q(case__in=[f"candidacy:{s}" for s in own])


def hidden_for(actor: Actor, day: dt.date) -> Q | None:
    """Files and applications that the actor may not open: their rows stay hidden, whatever else allows the journal.

    What reviewers say of an application is read by who runs the call only, until the call is decided.
    """
    hidden = Q()
    if not access.inside(actor):
        hidden |= Q(case__startswith="decision:")
    else:
        seen = list(access.visible_to(actor, day).values_list("slug", flat=True))
        others = Decision.objects.exclude(slug__in=seen).values_list("slug", flat=True)
        hidden |= Q(case__in=[f"decision:{s}" for s in others])
    opens = {c.slug: c for c in access.applications(actor, day).select_related("call")}
    hidden |= Q(case__startswith="candidacy:") & ~Q(case__in=[f"candidacy:{s}" for s in opens])
    closed = [f"candidacy:{s}" for s, c in opens.items() if not access.reads_reviews(actor, c)]
    return hidden | (Q(act="candidacy.review", case__in=closed) & ~Q(user_id=actor.user_id))


def case_titles(cases: Iterable[str]) -> dict[str, tuple[Any, str]]:
    """Names of decision files, calls, applications and phases, with their pages."""
    by_kind: dict[str, list[str]] = {}
    for case in cases:
        kind, _, name = case.partition(":")
        by_kind.setdefault(kind, []).append(name)
    found: dict[str, tuple[Any, str]] = {}
    if names := by_kind.get("decision"):
        for slug, title in Decision.objects.filter(slug__in=names).values_list("slug", "title"):
            found[f"decision:{slug}"] = (title, reverse("decision", args=[slug]))
    if names := by_kind.get("candidacy"):
        for slug, name in Candidacy.objects.filter(slug__in=names).values_list("slug", "name"):
            found[f"candidacy:{slug}"] = (name, reverse("candidacy", args=[slug]))
    if names := by_kind.get("candidacy-call"):
        for code, fr, en in CandidacyCall.objects.filter(code__in=names).values_list("code", "title_fr", "title_en"):
            found[f"candidacy-call:{code}"] = (T(fr, en), reverse("candidacy-call", args=[code]))
    for code in by_kind.get("phase", ()):
        phase = next((p for p in policy().phases if p.code == code), None)
        if phase is not None:
            found[f"phase:{code}"] = (phase.title, reverse("phase", args=[code]))
    return found
