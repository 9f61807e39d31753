"""What the acts of this package share: locks, words, whom to tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from jalon.clusters.access import in_force
from jalon.clusters.models import Carrier, Cluster, ClusterTerritory, Correspondent
from jalon.core import clock, outbox
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T, Text, speaking
from jalon.evaluations.models import Campaign, Evaluation, Hearing, Review
from jalon.evaluations.rules import MAX_TEXT
from jalon.interests.access import recused_users
from jalon.people.access import policy
from jalon.people.models import Mandate, User


def pair(title: Any) -> tuple[str, str]:
    """A title in both languages from a pair of texts, a tuple, or one text for both."""
    if isinstance(title, Text):
        return title.in_language("fr"), title.in_language("en")
    if isinstance(title, tuple | list):
        return str(title[0]).strip(), str(title[1]).strip()
    return str(title).strip(), str(title).strip()


def clean(text: str, where: Text, *, needed: bool = True) -> str:
    """A text that was typed, without spaces around it.

    Raises:
        Refused: it is empty though needed, or longer than :data:`MAX_TEXT`.
    """
    text = str(text or "").strip().replace("\r\n", "\n")
    if needed and not text:
        raise Refused(T("Il manque {w}.", "{w} is missing.", w=where), kind="input")
    if len(text) > MAX_TEXT:
        raise Refused(
            T(
                "{w} : {n} caractères, {m} au plus.",
                "{w}: {n} characters, {m} at most.",
                w=where,
                n=len(text),
                m=MAX_TEXT,
            ),
            kind="input",
        )
    return text


def lock_campaign(campaign: Campaign) -> Campaign:
    """The campaign's row, read again and held until the end of the act."""
    return Campaign.objects.select_for_update(of=("self",)).select_related("ordered_by").get(pk=campaign.pk)


def lock_evaluation(evaluation: Evaluation) -> Evaluation:
    return (
        Evaluation.objects.select_for_update(of=("self",))
        .select_related("campaign__ordered_by", "cluster")
        .get(pk=evaluation.pk)
    )


def lock_review(review: Review) -> Review:
    return Review.objects.select_for_update(of=("self",)).select_related("contract__cluster").get(pk=review.pk)


def lock_hearing(hearing: Hearing) -> Hearing:
    return (
        Hearing.objects.select_for_update(of=("self",))
        .select_related("cluster", "evaluation__campaign__ordered_by", "review__contract__cluster")
        .get(pk=hearing.pk)
    )


def seen_rev(stored: int, seen: int | None, *, theirs: Any, yours: Any) -> None:
    """Raise Conflict when somebody saved since ``seen``; both texts are shown, neither is lost."""
    if seen is not None and seen != stored:
        raise Conflict(
            T(
                "Quelqu'un a enregistré entre-temps : relisez les deux textes, puis choisissez.",
                "Somebody saved meanwhile: read both texts, then choose.",
            ),
            theirs=theirs,
            yours=yours,
        )


# -- whom to tell -----------------------------------------------------------------------------


def _mandates(on: dt.date) -> QuerySet[Mandate]:
    return Mandate.objects.filter(in_force(on), revoked_at__isnull=True, user__is_active=True)


def people_of(organisation_id: int, permission: str, on: dt.date) -> list[User]:
    """The people who act for an organisation on a day under a role that holds a permission."""
    roles = [r.code for r in policy().roles if r.may(permission)]
    rows = _mandates(on).filter(organisation_id=organisation_id, role__in=roles)
    return list(User.objects.filter(pk__in=rows.values("user_id")).order_by("pk"))


def pole_people(cluster_id: int, permission: str, on: dt.date) -> list[User]:
    """Those who answer for the organisation that carries a cluster."""
    found: dict[int, User] = {}
    for organisation in Carrier.objects.filter(in_force(on), cluster_id=cluster_id).values_list(
        "organisation_id", flat=True
    ):
        found |= {u.pk: u for u in people_of(organisation, permission, on)}
    return list(found.values())


def correspondents(cluster_id: int, on: dt.date) -> list[User]:
    rows = Correspondent.objects.filter(in_force(on), cluster_id=cluster_id)
    return list(User.objects.filter(pk__in=rows.values("user_id"), is_active=True).order_by("pk"))


def managers(campaign: Campaign, on: dt.date) -> list[User]:
    """Those who run a campaign."""
    if campaign.kind == "order":
        return people_of(campaign.ordered_by_id, "evaluation.order", on) if campaign.ordered_by_id else []
    roles = [r.code for r in policy().roles if r.may("evaluation.manage") and r.scope == "national"]
    rows = _mandates(on).filter(role__in=roles, programme=campaign.programme)
    return list(User.objects.filter(pk__in=rows.values("user_id")).order_by("pk"))


def tell(users: Iterable[User], message: tuple[Text, Text], case: str) -> None:
    """One message each, in the reader's own language; who is recused from the case hears nothing of it."""
    subject, body = message
    away = recused_users(case)
    for user in users:
        if user.pk in away:
            continue
        with speaking(user.language):
            outbox.post(user.email, str(subject), str(body), case=case)


def moment(on: dt.date, at: dt.datetime | None) -> dt.datetime:
    return clock.stamp(on, at)


def overseas_of(cluster: Cluster | None, day: dt.date) -> tuple[bool, str]:
    """Whether the seat's region is overseas, and the department whose holidays hold there (its own, when it has one only)."""
    regions = policy().regions_on(day)
    if cluster is None or regions is None:
        return False, ""
    first = ClusterTerritory.objects.filter(cluster=cluster, region_set=regions.code).order_by("rank").first()
    region = next((r for r in regions.regions if first is not None and r.code == first.region_code), None)
    if region is None:
        return False, ""
    return region.overseas, region.departments[0] if len(region.departments) == 1 else ""
