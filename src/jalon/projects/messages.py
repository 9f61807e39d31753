"""Messages about projects: what they say and to whom. Each is written in the language of the person who reads it.

Whoever declared an interest in a file gets no message about it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from jalon.core import outbox
from jalon.core.lang import T, Text, speaking
from jalon.interests.access import recused_users
from jalon.people.access import policy
from jalon.people.models import Mandate, User
from jalon.policy.faults import day_text
from jalon.projects import states


def _holders(permission: str, organisations: Iterable[int] | None, on: dt.date) -> list[User]:
    """Users who act on the day under a role that holds ``permission``: of some organisations, or nationally (None)."""
    roles = [r.code for r in policy().roles_with(permission) if organisations is not None or r.scope == "national"]
    in_force = Q(starts_on__lte=on) & (Q(ends_on__isnull=True) | Q(ends_on__gte=on))
    rows = Mandate.objects.filter(in_force, role__in=roles, revoked_at__isnull=True)
    if organisations is not None:
        rows = rows.filter(organisation_id__in=list(organisations))
    return list(User.objects.filter(pk__in=rows.values("user_id"), is_active=True).order_by("pk"))


def _leaders(project: Any) -> list[int]:
    return list(project.partners.filter(role="leader", left_on__isnull=True).values_list("organisation_id", flat=True))


def _tell(project: Any, users: Iterable[User], subject: Text, body: Text) -> None:
    away = recused_users(project.case)
    for user in users:
        if user.pk in away:
            continue
        with speaking(user.language):
            outbox.post(user.email, str(subject), str(body), case=project.case)


def tell_checkers(project: Any, on: dt.date, *, answered: bool = False) -> None:
    """To those who check admissibility: a file was handed in, or an answer to a clarification."""
    known = {"acronym": project.acronym, "title": project.title, "day": day_text(on)}
    subject = (
        T("{acronym} : précisions reçues", "{acronym}: clarification received", **known)
        if answered
        else T("{acronym} : projet déposé", "{acronym}: project handed in", **known)
    )
    body = T(
        "« {acronym} – {title} » a été déposé le {day}. Il attend la vérification de sa recevabilité.",
        "“{acronym} – {title}” was handed in on {day}. It waits for its admissibility to be checked.",
        **known,
    )
    _tell(project, _holders("project.check", None, on), subject, body)


def clarification_asked(asked: Any, on: dt.date) -> None:
    """To the leader: what is asked, which sections are open, until when."""
    project = asked.project
    known = {
        "acronym": project.acronym,
        "message": asked.message,
        "due": day_text(asked.due_on),
        "sections": ", ".join(str(states.SECTIONS[s]) for s in asked.sections),
    }
    _tell(
        project,
        _holders("project.submit", _leaders(project), on),
        T("{acronym} : précisions demandées avant le {due}", "{acronym}: clarification asked for by {due}", **known),
        T(
            "Précisions demandées sur « {acronym} » :\n\n{message}\n\nSections rouvertes : {sections}. Réponse attendue le "
            "{due} à minuit au plus tard (heure de Paris). Le reste du dossier est gelé.",
            "Clarification asked for on “{acronym}”:\n\n{message}\n\nSections opened: {sections}. The answer is expected on "
            "{due} at midnight at the latest (Paris time). The rest of the file is frozen.",
            **known,
        ),
    )


def admissibility(project: Any, on: dt.date) -> None:
    """To the leader: admissible, or not and why."""
    known = {"acronym": project.acronym, "state": states.TITLES[project.state], "reasons": project.outcome_reasons}
    body = (
        T(
            "« {acronym} » est déclaré irrecevable. Motifs :\n\n{reasons}",
            "“{acronym}” is declared inadmissible. Reasons:\n\n{reasons}",
            **known,
        )
        if project.state == "inadmissible"
        else T(
            "« {acronym} » est recevable : son instruction commence.",
            "“{acronym}” is admissible: its assessment begins.",
            **known,
        )
    )
    _tell(
        project,
        _holders("project.submit", _leaders(project), on),
        T("{acronym} : {state}", "{acronym}: {state}", **known),
        body,
    )


def report_subject(report: Any, days: int) -> Text:
    """The subject of a reminder so many days before the report is due; it is sent once."""
    return T(
        "{acronym} : compte rendu {year} attendu dans {days} jours",
        "{acronym}: {year} report expected in {days} days",
        acronym=report.project.acronym,
        year=report.year,
        days=days,
    )


def year_report_due(report: Any, on: dt.date, days: int) -> None:
    """To the leader: a yearly report is to be handed in."""
    project = report.project
    known = {"acronym": project.acronym, "year": report.year, "due": day_text(report.due_on)}
    _tell(
        project,
        _holders("project.report", _leaders(project), on),
        report_subject(report, days),
        T(
            "Le compte rendu de l'année {year} du projet « {acronym} » est attendu le {due} au plus tard.",
            "The report of the year {year} of the project “{acronym}” is expected by {due} at the latest.",
            **known,
        ),
    )


def outcomes_due(project: Any, year: int, on: dt.date) -> None:
    """To every partner: what the finished project brought in the past year is to be declared."""
    known = {"acronym": project.acronym, "year": year}
    partners = list(project.partners.filter(left_on__isnull=True).values_list("organisation_id", flat=True))
    _tell(
        project,
        _holders("project.report", partners, on),
        T("{acronym} : résultats de l'année {year}", "{acronym}: outcomes of the year {year}", **known),
        T(
            "Le projet « {acronym} » est achevé. Déclarez ce qu'il a apporté en {year} (brevets, publications, produits, "
            "emplois…), même si ce n'est rien.",
            "The project “{acronym}” is finished. Declare what it brought in {year} (patents, publications, products, "
            "jobs…), even if it is nothing.",
            **known,
        ),
    )


def amendment_decided(amendment: Any, on: dt.date) -> None:
    """To the leader: the change was approved or refused, and why."""
    project = amendment.project
    known = {
        "acronym": project.acronym,
        "kind": states.AMENDMENT_KINDS[amendment.kind],
        "state": states.AMENDMENT_TITLES[amendment.state],
        "reason": amendment.decision_reason or "–",
    }
    _tell(
        project,
        _holders("project.report", _leaders(project), on),
        T("{acronym} : {kind}, {state}", "{acronym}: {kind}, {state}", **known),
        T(
            "Projet « {acronym} » : {kind}, {state}.\n\n{reason}",
            "Project “{acronym}”: {kind}, {state}.\n\n{reason}",
            **known,
        ),
    )
