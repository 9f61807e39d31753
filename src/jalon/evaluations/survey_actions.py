"""Acts on questionnaires to members: open with frozen questions, ask members, answer by secret link or by account.

What a member answers never knows who answered: the link only keeps that it was used.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from jalon.clusters.models import Cluster, Membership
from jalon.core import clock, journal
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.models import as_known_on
from jalon.evaluations import access, rules, shared
from jalon.evaluations.access import case_of_campaign
from jalon.evaluations.models import Campaign, Survey, SurveyAnswer, SurveyLink
from jalon.people.access import Actor, policy


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def open_survey(
    campaign: Campaign,
    code: str,
    *,
    by: Actor,
    on: dt.date,
    closes_on: dt.date,
    opens_on: dt.date | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Survey:
    """Open a questionnaire of the policy in a campaign; its questions are frozen, so that later changes do not move answers.

    Raises:
        Refused: the policy has no such questionnaire, it closes before it opens, or the campaign is over.
    """
    campaign = shared.lock_campaign(campaign)
    access.may_manage(by, campaign)
    if campaign.state in ("published", "abandoned"):
        raise Refused(T("La campagne est finie.", "The campaign is over."))
    try:
        asked = policy().questionnaire(code)
    except KeyError:
        raise Refused(
            T(
                "Le questionnaire « {c} » n'est pas dans la politique : {k}.",
                "The questionnaire “{c}” is not in the policy: {k}.",
                c=code,
                k=", ".join(q.code for q in policy().questionnaires) or "–",
            ),
            kind="input",
        ) from None
    opens_on = opens_on or on
    if closes_on < opens_on:
        raise Refused(T("La clôture ({c}) précède l'ouverture ({o}).", "It closes ({c}) before it opens ({o}).", c=closes_on, o=opens_on), kind="input")  # fmt: skip
    shown = policy().on(on).find("evaluations.survey_shown_from")
    survey = Survey.objects.create(
        campaign=campaign,
        code=code,
        questions=[
            {
                "code": q.code,
                "title": {"fr": q.title.fr, "en": q.title.en},
                "kind": q.kind,
                "steps": q.steps,
                "choices": [{"code": c.code, "title": {"fr": c.title.fr, "en": c.title.en}} for c in q.choices],
                "required": q.required,
                "criterion": q.criterion,
            }
            for q in asked.questions
        ],
        opens_on=opens_on,
        closes_on=closes_on,
        shown_from=int(shown.value) if shown else 1,
        simulated=simulated or campaign.simulated,
    )
    journal.record(
        case_of_campaign(campaign), "survey.open", by=by, on=on, at=shared.moment(on, at),
        after={"code": code, "opens_on": opens_on, "closes_on": closes_on, "questions": len(survey.questions)},
    )  # fmt: skip
    return survey


@transaction.atomic
def ask_members(
    survey: Survey,
    clusters: Iterable[Cluster],
    *,
    by: Actor,
    on: dt.date,
    address: Callable[[str], str] | None = None,
    at: dt.datetime | None = None,
) -> dict[int, list[tuple[str, str]]]:
    """Ask the present members of clusters. Each gets a secret link; only its hash is stored, so the links are told this once.

    ``address``: makes an address from a token. Returns (name of the member, address) by cluster, to be sent by post or mail.
    Members already asked are left alone.

    Raises:
        Refused: a cluster is not in the campaign, or the questionnaire is closed.
    """
    campaign = shared.lock_campaign(survey.campaign)
    access.may_manage(by, campaign)
    if on > survey.closes_on:
        raise Refused(
            T("Le questionnaire est clos depuis le {d}.", "The questionnaire closed on {d}.", d=survey.closes_on)
        )
    clusters = list(clusters)
    inside = set(campaign.evaluations.values_list("cluster_id", flat=True))
    outside = [c.name for c in clusters if c.pk not in inside]
    if outside:
        raise Refused(T("Ces pôles ne sont pas dans la campagne : {o}.", "These clusters are not in the campaign: {o}.", o=", ".join(outside)), kind="input")  # fmt: skip
    asked = set(survey.links.values_list("cluster_id", "organisation_id"))
    rows = (
        as_known_on(Membership.objects.filter(cluster__in=clusters, joined_on__lte=on))
        .filter(Q(left_on__isnull=True) | Q(left_on__gte=on))
        .order_by("cluster_id", "organisation_id")
        .values_list("cluster_id", "organisation_id", "organisation__name")
    )
    links, told = [], {}
    for cluster, organisation, name in rows:
        if (cluster, organisation) in asked:
            continue
        asked.add((cluster, organisation))
        token = secrets.token_urlsafe(24)
        links.append(
            SurveyLink(survey=survey, cluster_id=cluster, organisation_id=organisation, token_hash=hashed(token))
        )
        told.setdefault(cluster, []).append((name, address(token) if address else token))
    SurveyLink.objects.bulk_create(links, batch_size=1000)
    journal.record(
        case_of_campaign(campaign), "survey.ask", by=by, on=on, at=shared.moment(on, at),
        after={"code": survey.code, "clusters": sorted(c.slug for c in clusters), "asked": len(links)},
    )  # fmt: skip
    return told


def link_of(token: str) -> SurveyLink | None:
    """The link of a secret token."""
    return (
        SurveyLink.objects.filter(token_hash=hashed(token)).select_related("survey__campaign", "cluster").first()
        if token
        else None
    )


def own_links(actor: Actor) -> list[SurveyLink]:
    """The questionnaires that the actor's organisation was asked to answer."""
    if actor.organisation_id is None:
        return []
    return list(
        SurveyLink.objects.filter(organisation_id=actor.organisation_id).select_related("survey__campaign", "cluster")
    )


@transaction.atomic
def answer(link: SurveyLink, given: Mapping[str, Any], *, on: dt.date, at: dt.datetime | None = None) -> None:
    """Answer once. The answer is stored without its link, its author or its moment.

    Raises:
        Refused: not open yet, closed (at midnight in Paris), answered already, or an answer that cannot be read.
    """
    link = SurveyLink.objects.select_for_update(of=("self",)).select_related("survey").get(pk=link.pk)
    survey = link.survey
    if on < survey.opens_on:
        raise Refused(T("Le questionnaire ouvre le {d}.", "The questionnaire opens on {d}.", d=survey.opens_on))
    if shared.moment(on, at) > clock.end_of_day(survey.closes_on):
        raise Refused(T("Le questionnaire a fermé le {d} à minuit (heure de Paris).", "The questionnaire closed on {d} at midnight (Paris time).", d=survey.closes_on))  # fmt: skip
    if link.answered:
        raise Refused(T("Ce lien a déjà servi : une réponse par membre.", "This link was used already: one answer per member."))  # fmt: skip
    answers = rules.answers_read(survey.questions, given)
    SurveyAnswer.objects.create(survey=survey, cluster_id=link.cluster_id, answers=answers, simulated=survey.simulated)
    link.answered = True
    link.save(update_fields=["answered"])


@dataclass(frozen=True)
class Results:
    """What came in for one cluster. ``questions`` is empty below the number from which results are shown."""

    asked: int
    answered: int
    shown_from: int
    questions: list[dict[str, Any]]

    @property
    def rate(self) -> float | None:
        return self.answered / self.asked if self.asked else None


def rates(survey: Survey) -> dict[int, tuple[int, int]]:
    """(asked, answered) by cluster."""
    rows = survey.links.values("cluster_id").annotate(asked=Count("id"), done=Count("id", filter=Q(answered=True)))
    return {r["cluster_id"]: (r["asked"], r["done"]) for r in rows.order_by("cluster_id")}


def results(survey: Survey, cluster: Cluster) -> Results:
    """The results for one cluster, question by question; nothing but the rate while too few have answered."""
    asked, done = rates(survey).get(cluster.pk, (0, 0))
    if done < survey.shown_from:
        return Results(asked, done, survey.shown_from, [])
    rows = list(SurveyAnswer.objects.filter(survey=survey, cluster=cluster).values_list("answers", flat=True))
    found = []
    for q in survey.questions:
        values = [a[q["code"]] for a in rows if q["code"] in a]
        one: dict[str, Any] = {"code": q["code"], "title": T(**q["title"]), "kind": q["kind"], "answers": len(values)}
        if q["kind"] == "text":
            one["texts"] = sorted(values)  # in no order of arrival
        else:
            steps = (
                [(n, str(n)) for n in range(1, q["steps"] + 1)]
                if q["kind"] == "scale"
                else [("yes", T("oui", "yes")), ("no", T("non", "no"))]
                if q["kind"] == "yes_no"
                else [(c["code"], T(**c["title"])) for c in q["choices"]]
            )
            one["counts"] = [{"title": title, "count": values.count(step)} for step, title in steps]
            if q["kind"] == "scale" and values:
                one["mean"] = round(sum(values) / len(values), 2)
        found.append(one)
    return Results(asked, done, survey.shown_from, found)


def may_answer(actor: Actor, link: SurveyLink) -> None:
    """Raise NotAllowed unless the actor's organisation was asked."""
    if not actor.signed_in or actor.organisation_id != link.organisation_id:
        raise NotAllowed(T("Ce questionnaire est adressé à un autre organisme.", "This questionnaire is for another organisation."))  # fmt: skip
