"""Messages about decisions: who is told what. They wait in the outbox and leave after the act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from jalon.clusters.models import Carrier, Correspondent
from jalon.core import outbox
from jalon.core.lang import T, speaking
from jalon.interests.access import recipients
from jalon.people.access import policy
from jalon.people.models import Mandate, User
from jalon.policy.faults import day_text


def _running(on: dt.date, prefix: str = "") -> Q:
    return (Q(**{f"{prefix}starts_on__isnull": True}) | Q(**{f"{prefix}starts_on__lte": on})) & (
        Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gte": on})
    )


def _holding(permission: str, on: dt.date, **more: Any) -> list[User]:
    """Users whose role on a day holds a permission."""
    roles = [r.code for r in policy().roles_with(permission)]
    rows = Mandate.objects.filter(_running(on), role__in=roles, revoked_at__isnull=True, **more).select_related("user")
    return list({m.user_id: m.user for m in rows}.values())


def team_of(clusters: Iterable[int], on: dt.date, permission: str = "evaluation.reply") -> dict[int, list[User]]:
    """Cluster → the people who answer for it and its State correspondents."""
    carriers: dict[int, list[int]] = {}
    for cluster, organisation in Carrier.objects.filter(_running(on), cluster__in=list(clusters)).values_list(
        "cluster_id", "organisation_id"
    ):
        carriers.setdefault(cluster, []).append(organisation)
    roles = [r.code for r in policy().roles_with(permission)]
    people: dict[int, list[User]] = {}
    for mandate in Mandate.objects.filter(
        _running(on),
        role__in=roles,
        revoked_at__isnull=True,
        organisation__in=[o for found in carriers.values() for o in found],
    ).select_related("user"):
        people.setdefault(mandate.organisation_id, []).append(mandate.user)
    out: dict[int, list[User]] = {}
    for cluster, organisations in carriers.items():
        out[cluster] = [u for o in organisations for u in people.get(o, ())]
    for row in Correspondent.objects.filter(_running(on), cluster__in=list(clusters)).select_related("user"):
        out.setdefault(row.cluster_id, []).append(row.user)
    return out


def _post(case: str, users: Iterable[User], subject: Any, body: Any) -> None:
    for user in recipients(case, users):
        with speaking(user.language or "fr"):
            outbox.post(user.email, str(subject), str(body), case=case)


def opinions_asked(decision: Any, lines: Any, on: dt.date) -> None:
    """To those who give opinions nationally: a proposal waits for them."""
    _post(
        decision.case,
        [u for u in _holding("decision.opine", on) if _national(u, on)],
        T("Avis demandé : {t}", "Opinion asked for: {t}", t=decision.title),
        T(
            "La proposition « {t} » ({n} lignes) attend votre avis.\n\nDans Jalon : {url}\n",
            "The proposal “{t}” ({n} lines) waits for your opinion.\n\nIn Jalon: {url}\n",
            t=decision.title,
            n=len(lines),
            url=reverse("decision", args=[decision.slug]),
        ),
    )


def _national(user: User, on: dt.date) -> bool:
    wide = {r.code for r in policy().roles if r.scope == "national" or r.side == "expert"}
    return any(
        m.role in wide and m.revoked_at is None and (m.ends_on is None or m.ends_on >= on) for m in user.mandates.all()
    )


def ready_to_decide(decision: Any, on: dt.date) -> None:
    """To the authority's secretariat: all opinions are there."""
    _post(
        decision.case,
        _holding("decision.decide", on),
        T("À décider : {t}", "To decide: {t}", t=decision.title),
        T(
            "Tous les avis demandés sur « {t} » sont enregistrés.\n\nDans Jalon : {url}\n",
            "All opinions asked for on “{t}” are recorded.\n\nIn Jalon: {url}\n",
            t=decision.title,
            url=reverse("decision", args=[decision.slug]),
        ),
    )


def decided(decision: Any, lines: Any, on: dt.date) -> None:
    """To those who notify: the decision is taken, its letters are to be sent."""
    _post(
        decision.case,
        _holding("decision.notify", on),
        T("Décision prise : {t}", "Decision taken: {t}", t=decision.title),
        T(
            "« {t} » : {r}. {n} notifications sont à envoyer.\n\nDans Jalon : {url}\n",
            "“{t}”: {r}. {n} notifications are to be sent.\n\nIn Jalon: {url}\n",
            t=decision.title,
            r=decision.reference,
            n=len(lines),
            url=reverse("decision", args=[decision.slug]),
        ),
    )


def notified(line: Any, notice: Any, on: dt.date) -> None:
    """To the cluster and its State correspondent: what was decided about it, and until when an appeal is possible."""
    if line.cluster_id is None:
        return
    until = (
        T("Un recours est possible jusqu'au {d} inclus.", "An appeal is possible to {d} included.", d=day_text(notice.appeal_until))
        if notice.appeal_until
        else T("Le délai de recours courra de la réception de la lettre.", "The delay to appeal will run from the receipt of the letter.")
    )  # fmt: skip
    _post(
        line.decision.case,
        team_of([line.cluster_id], on).get(line.cluster_id, []),
        T("Décision sur le label de {c}", "Decision on the label of {c}", c=line.name),
        T(
            "{r}. La lettre est dans le dossier de décision. {u}\n\nDans Jalon : {url}\n",
            "{r}. The letter is in the decision file. {u}\n\nIn Jalon: {url}\n",
            r=line.decision.reference,
            u=until,
            url=reverse("decision", args=[line.decision.slug]),
        ),
    )


def appealed(line: Any, appeal: Any, on: dt.date) -> None:
    """To those who notify and decide: an appeal came in."""
    _post(
        line.decision.case,
        [*_holding("decision.notify", on), *_holding("decision.decide", on)],
        T("Recours : {c}", "Appeal: {c}", c=line.name),
        T(
            "Un recours a été enregistré contre la décision « {t} ».\n\nDans Jalon : {url}\n",
            "An appeal against the decision “{t}” was recorded.\n\nIn Jalon: {url}\n",
            t=line.decision.title,
            url=reverse("decision", args=[line.decision.slug]),
        ),
    )


def call_open(call: Any, on: dt.date) -> None:
    """To the reviewers: a call for applications is open, they will be asked to review."""
    _post(
        call.case,
        [u for u in _holding("candidacy.review", on) if _national(u, on)],
        T("Appel à candidatures ouvert : {t}", "Call for applications open: {t}", t=T(call.title_fr, call.title_en)),
        T(
            "L'appel « {t} » est ouvert{d}.\n\nDans Jalon : {url}\n",
            "The call “{t}” is open{d}.\n\nIn Jalon: {url}\n",
            t=T(call.title_fr, call.title_en),
            d=T(" jusqu'au {d}", " to {d}", d=day_text(call.closes_on)) if call.closes_on else T("", ""),
            url=reverse("candidacy-call", args=[call.code]),
        ),
    )


def application_settled(candidacy: Any, on: dt.date) -> None:
    """To the body that applied: what became of its application."""
    from jalon.decisions.states import CANDIDACY_TITLES

    if candidacy.organisation_id is None:
        return
    _post(
        candidacy.case,
        _holding("candidacy.submit", on, organisation=candidacy.organisation_id),
        T("Votre candidature : {n}", "Your application: {n}", n=candidacy.name),
        T(
            "« {n} » : {s}.\n\nDans Jalon : {url}\n",
            "“{n}”: {s}.\n\nIn Jalon: {url}\n",
            n=candidacy.name,
            s=CANDIDACY_TITLES[candidacy.state],
            url=reverse("candidacy", args=[candidacy.slug]),
        ),
    )
