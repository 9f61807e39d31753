"""The acts of the register: one function per act, each checked, written and journaled in one transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from jalon.clusters import access, rules
from jalon.clusters.labels import LabelActRecord, LabelRecord, spans
from jalon.clusters.models import (
    Carrier,
    Cluster,
    ClusterDocument,
    ClusterTerritory,
    Correspondent,
    GovernanceBody,
    Label,
    LabelAct,
    LabelHolder,
    LabelPeriod,
    Seat,
    TeamPost,
)
from jalon.core import files, journal
from jalon.core.clock import stamp
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import Source
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, Organisation, User
from jalon.people.rules import plain_key

RESERVED_SLUGS = ("nouveau",)  # /poles/nouveau/ is where a cluster is entered

# --- labels ------------------------------------------------------------------------------------------------------


def act_record(row: LabelAct) -> LabelActRecord:
    """A stored act as the plain record that the rules read."""
    return LabelActRecord(
        act=row.act,
        effective_from=row.effective_from,
        until=row.until,
        decided_on=row.decided_on,
        precision=row.precision or "day",
        certainty=row.certainty,
        reference=row.reference,
        body=row.body,
        sources=tuple(row.sources),
    )


def make_periods(label: Label) -> None:
    """Make the label's periods from its acts with the two times: what was in force, as known after each act.

    Nothing happens when the periods stored already say the same.
    """
    acts = list(LabelAct.objects.filter(label=label).order_by("effective_from", "id"))
    moments = sorted({m for a in acts for m in (a.recorded_at, a.superseded_at) if m is not None})
    versions: list[LabelPeriod] = []
    open_now: dict[tuple, LabelPeriod] = {}
    for moment in moments:
        known = {
            act_record(a): a
            for a in acts
            if a.recorded_at <= moment and (a.superseded_at is None or a.superseded_at > moment)
        }
        told = {
            (known[s.act].id, s.starts_on, s.ends_on): s
            for s in spans(LabelRecord(label.code, label.name, label.phase, (), tuple(known)))
        }
        for key in [k for k in open_now if k not in told]:
            open_now.pop(key).superseded_at = moment
        for key, span in told.items():
            if key not in open_now:
                open_now[key] = LabelPeriod(
                    label=label,
                    act=known[span.act],
                    starts_on=span.starts_on,
                    ends_on=span.ends_on,
                    certainty=span.certainty,
                    recorded_at=moment,
                )
                versions.append(open_now[key])
    versions = [v for v in versions if v.superseded_at != v.recorded_at]
    stored = list(label.periods.order_by("id"))
    if [_signature(p) for p in stored] == [_signature(p) for p in versions]:
        return
    label.periods.all().delete()
    LabelPeriod.objects.bulk_create(versions)


def _signature(period: LabelPeriod) -> tuple:
    return (
        period.act_id,
        period.starts_on,
        period.ends_on,
        period.certainty,
        period.recorded_at,
        period.superseded_at,
    )


def _source(title: str, url: str) -> list[str]:
    """The key of a source typed on screen; the same title and address give the same source."""
    title, url = title.strip(), url.strip()
    if not title and not url:
        return []
    key = "saisie-" + hashlib.sha256(f"{title}\n{url}".encode()).hexdigest()[:12]
    Source.objects.get_or_create(
        key=key, defaults={"title": (title or url)[:400], "url": url[:600], "kind": "official"}
    )
    return [key]


def _need_basis(reference: str, sources: Sequence[str]) -> None:
    if not reference.strip() and not sources:
        raise Refused(
            T(
                "Un acte du registre a besoin d'une référence ou d'une source : ni l'une ni l'autre n'est donnée.",
                "An act of the register needs a reference or a source: neither is given.",
            ),
            kind="input",
        )


@transaction.atomic
def create_label(
    clusters: Iterable[Cluster],
    *,
    code: str,
    name: str,
    tier: str,
    effective_from: dt.date,
    until: dt.date | None,
    decided_on: dt.date | None,
    reference: str = "",
    source_title: str = "",
    source_url: str = "",
    tier_certainty: str = "known",
    note: str = "",
    certainty: str = "known",
    precision: str = "",
    sources: Sequence[str] = (),
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> Label:
    """Grant a new label to a bid: one body, or several that answer together.

    Raises:
        NotAllowed: the actor does not keep the register.
        Refused: code taken, no holder, no basis, dates out of order.
    """
    access.may_edit_register(by)
    holders = list(clusters)
    if not holders:
        raise Refused(T("Un label a au moins un titulaire.", "A label has at least one holder."), kind="input")
    if Label.objects.filter(code=code).exists():
        raise Refused(T("Le code « {c} » est déjà pris.", "The code “{c}” is taken.", c=code), kind="input")
    keys = [*sources, *_source(source_title, source_url)]
    phase = policy().phase_on(effective_from)
    label = Label.objects.create(
        programme=holders[0].programme,
        code=code,
        name=name,
        tier=tier,
        tier_certainty=tier_certainty,
        phase=phase.code if phase else "",
        sources=keys,
    )
    LabelHolder.objects.bulk_create(LabelHolder(label=label, cluster=c, sources=keys) for c in holders)
    record_label_act(
        label,
        act="granted",
        effective_from=effective_from,
        until=until,
        decided_on=decided_on,
        reference=reference,
        source_title=source_title,
        source_url=source_url,
        note=note,
        certainty=certainty,
        precision=precision,
        sources=sources,
        by=by,
        on=on,
        at=at,
    )
    return label


@transaction.atomic
def record_label_act(
    label: Label,
    *,
    act: str,
    effective_from: dt.date,
    until: dt.date | None = None,
    decided_on: dt.date | None = None,
    reference: str = "",
    source_title: str = "",
    source_url: str = "",
    note: str = "",
    certainty: str = "known",
    precision: str = "",
    body: str = "",
    sources: Sequence[str] = (),
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
    replaces: LabelAct | None = None,
) -> LabelAct:
    """Record a decision on a label, or a corrected version of one (``replaces``), and make its periods anew.

    ``certainty`` and ``precision`` say how sure the act and its day are (see :class:`LabelActRecord`); ``sources`` are keys
    of sources that the register knows already; ``body`` names who decided when it is not the body of the policy.

    Raises:
        NotAllowed: the actor does not keep the register.
        Refused: periods that overlap, an end before any grant, no reference nor source.
    """
    access.may_edit_register(by)
    label = Label.objects.select_for_update().get(pk=label.pk)
    if replaces is not None and (replaces.label_id != label.id or replaces.superseded_at is not None):
        raise Refused(
            T("Cet acte a déjà été corrigé : recharger la page.", "This act was corrected already: reload the page."),
            kind="conflict",
        )
    sources = [*sources, *_source(source_title, source_url)] or (list(replaces.sources) if replaces else [])
    _need_basis(reference, sources)
    kept = [a for a in label.acts.filter(superseded_at=None) if replaces is None or a.pk != replaces.pk]
    new = LabelActRecord(act, effective_from, until, decided_on, reference=reference, sources=tuple(sources))
    rules.check_act([act_record(a) for a in kept], new)
    at = stamp(on, at)
    named = policy().label_decider_on(decided_on or effective_from)
    if replaces is not None:
        replaces.superseded_at = at
        replaces.save(update_fields=["superseded_at"])
    row = LabelAct.objects.create(
        label=label,
        act=act,
        decided_on=decided_on,
        precision=(precision or "day") if decided_on else "unknown",
        effective_from=effective_from,
        until=until,
        certainty=certainty,
        body=(body or (str(named.title.fr) if named else ""))[:200],
        reference=reference[:300],
        note_fr=note[:400],
        note_en=note[:400],
        phase=label.phase,
        sources=sources,
        recorded_at=at,
        recorded_here=True,
    )
    make_periods(label)
    after = {
        "act": act,
        "decided_on": decided_on,
        "effective_from": effective_from,
        "until": until,
        "reference": reference,
        "sources": sources,
    }
    before = None
    if replaces is not None:
        before = {k: getattr(replaces, k) for k in after}
    journal.record(
        f"label:{label.code}",
        "label.correct" if replaces else f"label.{act}",
        by=by,
        on=on,
        at=at,
        before=before,
        after=after,
        why=note,
    )
    return row


# --- a new cluster -----------------------------------------------------------------------------------------------


@transaction.atomic
def create_cluster(
    *,
    name: str,
    slug: str,
    regions: Sequence[str] = (),
    city: str = "",
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
    theme_fr: str = "",
    theme_en: str = "",
    theme_family: str = "",
    website: str = "",
    source_title: str = "",
    source_url: str = "",
    by: Actor,
    on: dt.date,
) -> Cluster:
    """Enter a cluster into the register; its label is an act of its own (:func:`create_label`).

    Args:
        regions: codes of the regions of ``on``, the seat's first.
        latitude, longitude: of the seat's town, in degrees; both or neither.

    Raises:
        NotAllowed: the actor does not keep the register.
        Refused: short name or name taken, a region that is not one of the day, half a position.
    """
    access.may_edit_register(by)
    key = plain_key(name)
    taken = (
        Cluster.objects.filter(slug=slug).first()
        or Cluster.objects.filter(programme=settings.PROGRAMME, name_key=key).first()
    )
    if taken is not None or slug in RESERVED_SLUGS:
        raise Refused(
            T(
                "Le nom ou le nom court est déjà pris, par « {c} ».",
                "The name or the short name is taken already, by “{c}”.",
                c=taken.name if taken else slug,
            ),
            kind="input",
        )
    region_set = policy().regions_on(on)
    known = {r.code for r in region_set.regions} if region_set else set()
    for code in regions:
        if code not in known:
            raise Refused(
                T("« {r} » n'est pas une région de ce jour.", "“{r}” is not a region of that day.", r=code),
                kind="input",
            )
    if (latitude is None) != (longitude is None):
        raise Refused(
            T("Une position a une latitude et une longitude.", "A position has a latitude and a longitude."),
            kind="input",
        )
    cluster = Cluster.objects.create(
        programme=settings.PROGRAMME,
        slug=slug,
        name=name,
        name_key=key,
        search_key=" | ".join(dict.fromkeys(plain_key(v) for v in (name, theme_fr, theme_en, city) if v)),
        city=city,
        latitude=latitude,
        longitude=longitude,
        theme_fr=theme_fr,
        theme_en=theme_en,
        theme_family=theme_family,
        website=website,
        sources=_source(source_title, source_url),
    )
    ClusterTerritory.objects.bulk_create(
        ClusterTerritory(cluster=cluster, region_set=region_set.code, region_code=code, rank=rank)
        for rank, code in enumerate(regions)
        if region_set is not None
    )
    journal.record(
        f"cluster:{slug}",
        "cluster.add",
        by=by,
        on=on,
        at=stamp(on),
        after={
            "name": name,
            "city": city,
            "regions": list(regions),
            "theme_fr": theme_fr,
            "theme_en": theme_en,
            "theme_family": theme_family,
            "website": website,
        },
    )
    return cluster


# --- the sheet of a cluster --------------------------------------------------------------------------------------


@transaction.atomic
def edit_sheet(
    cluster: Cluster,
    *,
    website: str | None = None,
    theme_fr: str | None = None,
    theme_en: str | None = None,
    theme_family: str | None = None,
    by: Actor,
    on: dt.date,
) -> Cluster:
    """Change the website and the themes of a cluster; what is edited here is no longer overwritten by loading."""
    access.may_edit_cluster(by, cluster, on)
    cluster = Cluster.objects.select_for_update().get(pk=cluster.pk)
    asked = {"website": website, "theme_fr": theme_fr, "theme_en": theme_en, "theme_family": theme_family}
    after = {k: v for k, v in asked.items() if v is not None and v != getattr(cluster, k)}
    if not after:
        return cluster
    before = {k: getattr(cluster, k) for k in after}
    for key, value in after.items():
        setattr(cluster, key, value)
    added = [plain_key(v) for k, v in after.items() if k in ("theme_fr", "theme_en") and v]
    cluster.search_key = " | ".join([cluster.search_key, *(k for k in added if k not in cluster.search_key)])
    cluster.kept = sorted({*cluster.kept, *after, "search_key"})
    cluster.save(update_fields=[*after, "kept", "search_key"])
    journal.record(f"cluster:{cluster.slug}", "cluster.edit", by=by, on=on, before=before, after=after, at=stamp(on))
    return cluster


@transaction.atomic
def set_carrier(
    cluster: Cluster,
    organisation: Organisation,
    *,
    starts_on: dt.date,
    note: str = "",
    source_title: str = "",
    source_url: str = "",
    by: Actor,
    on: dt.date,
) -> Carrier:
    """From ``starts_on``, ``organisation`` carries the cluster; the carrier before it ends on the day before.

    Raises:
        Refused: it carries the cluster already, or a carrier is recorded from a later day.
    """
    access.may_edit_register(by)
    Cluster.objects.select_for_update().get(pk=cluster.pk)
    rows = list(Carrier.objects.filter(cluster=cluster).select_related("organisation"))
    for row in rows:
        if row.starts_on and row.starts_on >= starts_on:
            raise Refused(
                T(
                    "« {o} » est déjà inscrite comme structure porteuse depuis une date égale ou postérieure.",
                    "“{o}” is already recorded as carrier from the same or a later day.",
                    o=row.organisation.name,
                )
            )
    before = [r for r in rows if r.ends_on is None or r.ends_on >= starts_on]
    if any(r.organisation_id == organisation.id for r in before):
        raise Refused(T("« {o} » porte déjà ce pôle.", "“{o}” already carries this cluster.", o=organisation.name))
    for row in before:
        row.ends_on = starts_on - dt.timedelta(days=1)
        row.save(update_fields=["ends_on"])
    made = Carrier.objects.create(
        cluster=cluster,
        organisation=organisation,
        starts_on=starts_on,
        note=note[:300],
        sources=_source(source_title, source_url),
    )
    journal.record(
        f"cluster:{cluster.slug}",
        "carrier.set",
        by=by,
        on=on,
        at=stamp(on),
        before=[{"organisation": r.organisation.name, "ends_on": r.ends_on} for r in before],
        after={"organisation": organisation.name, "starts_on": starts_on},
        why=note,
    )
    return made


@transaction.atomic
def assign_correspondent(
    cluster: Cluster, user: User, organisation: Organisation, *, starts_on: dt.date, by: Actor, on: dt.date
) -> Correspondent:
    """From ``starts_on``, ``user`` follows the cluster for a State service.

    Raises:
        Refused: the user has no mandate of the State's side for that service, or follows the cluster already.
    """
    access.may_edit_register(by)
    state = {r.code for r in policy().roles if r.side == "state"}
    acts = Mandate.objects.filter(
        access.in_force(starts_on), user=user, organisation=organisation, role__in=state, revoked_at__isnull=True
    )
    if not acts.exists():
        raise Refused(
            T(
                "« {u} » n'a pas de mandat de l'État en vigueur pour « {o} » le jour demandé ; l'inviter d'abord.",
                "“{u}” has no mandate of the State in force for “{o}” on the day asked for; invite them first.",
                u=user.name,
                o=organisation.name,
            )
        )
    still = Correspondent.objects.filter(cluster=cluster, user=user).exclude(ends_on__lt=starts_on)
    if still.exists():
        raise Refused(T("« {u} » suit déjà ce pôle.", "“{u}” already follows this cluster.", u=user.name))
    made = Correspondent.objects.create(cluster=cluster, user=user, organisation=organisation, starts_on=starts_on)
    journal.record(
        f"cluster:{cluster.slug}",
        "correspondent.assign",
        by=by,
        on=on,
        at=stamp(on),
        after={"user": user.name, "organisation": organisation.name, "starts_on": starts_on},
    )
    return made


@transaction.atomic
def end_correspondent(row: Correspondent, *, ends_on: dt.date, by: Actor, on: dt.date) -> Correspondent:
    """The correspondent no longer follows the cluster after ``ends_on``."""
    access.may_edit_register(by)
    rules.check_period(row.starts_on, ends_on)
    row.ends_on = ends_on
    row.save(update_fields=["ends_on"])
    journal.record(
        f"cluster:{row.cluster.slug}",
        "correspondent.end",
        by=by,
        on=on,
        at=stamp(on),
        after={"user": row.user.name, "ends_on": ends_on},
    )
    return row


# --- permanent team ----------------------------------------------------------------------------------------------


@transaction.atomic
def add_post(
    cluster: Cluster,
    *,
    title: str,
    fte: Decimal,
    status: str,
    starts_on: dt.date,
    ends_on: dt.date | None = None,
    seconded_by: Organisation | None = None,
    by: Actor,
    on: dt.date,
) -> TeamPost:
    """Add a post to the permanent team: a function, never a person.

    Raises:
        Refused: FTE outside 0–100, end before start, a seconded post without the organisation that lends it.
    """
    access.may_edit_cluster(by, cluster, on)
    rules.check_fte(fte)
    rules.check_period(starts_on, ends_on)
    if status not in ("employed", "seconded"):
        raise Refused(T("Statut inconnu : « {s} ».", "Unknown status: “{s}”.", s=status), kind="input")
    if status == "seconded" and seconded_by is None:
        raise Refused(
            T(
                "Un poste mis à disposition nomme l'organisme qui le met à disposition.",
                "A seconded post names the organisation that lends it.",
            ),
            kind="input",
        )
    made = TeamPost.objects.create(
        cluster=cluster,
        title=title,
        fte=fte,
        status=status,
        starts_on=starts_on,
        ends_on=ends_on,
        seconded_by=seconded_by if status == "seconded" else None,
        recorded_at=stamp(on),
    )
    journal.record(
        f"cluster:{cluster.slug}",
        "team.add",
        by=by,
        on=on,
        at=made.recorded_at,
        after={"title": title, "fte": fte, "status": status, "starts_on": starts_on, "ends_on": ends_on},
    )
    return made


@transaction.atomic
def close_post(post: TeamPost, *, ends_on: dt.date, by: Actor, on: dt.date) -> TeamPost:
    """End a post of the team after ``ends_on``: a new version; the old one stays on record."""
    access.may_edit_cluster(by, post.cluster, on)
    post = TeamPost.objects.select_for_update().select_related("cluster").get(pk=post.pk)
    _still_current(post)
    rules.check_period(post.starts_on, ends_on)
    made = _new_version(post, stamp(on), ends_on=ends_on)
    journal.record(
        f"cluster:{post.cluster.slug}",
        "team.close",
        by=by,
        on=on,
        at=made.recorded_at,
        before={"title": post.title, "ends_on": post.ends_on},
        after={"title": post.title, "ends_on": ends_on},
    )
    return made


def _still_current(row: Any) -> None:
    if row.superseded_at is not None:
        raise Refused(
            T(
                "Cette ligne a été modifiée entre-temps : recharger la page.",
                "This line was changed meanwhile: reload the page.",
            ),
            kind="conflict",
        )


def _new_version(row: Any, at: dt.datetime, **changes: Any) -> Any:
    """Close the version of ``row`` and add a copy with ``changes``."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name != "id"}
    row.superseded_at = at
    row.save(update_fields=["superseded_at"])
    return type(row).objects.create(**{**values, **changes, "recorded_at": at, "superseded_at": None})


# --- governance --------------------------------------------------------------------------------------------------


@transaction.atomic
def add_body(cluster: Cluster, *, kind: str, title: str, by: Actor, on: dt.date) -> GovernanceBody:
    """Record a governing body of the cluster's carrier (board, bureau, labelling committee…)."""
    access.may_edit_cluster(by, cluster, on)
    if kind not in {b.code for b in policy().governance.bodies}:
        raise Refused(T("Instance inconnue : « {k} ».", "Unknown body: “{k}”.", k=kind), kind="input")
    made = GovernanceBody.objects.create(cluster=cluster, kind=kind, title=title)
    journal.record(
        f"cluster:{cluster.slug}", "governance.body", by=by, on=on, at=stamp(on), after={"kind": kind, "title": title}
    )
    return made


@transaction.atomic
def add_seats(
    body: GovernanceBody,
    *,
    college: str,
    starts_on: dt.date,
    ends_on: dt.date | None = None,
    organisation: Organisation | None = None,
    function: str = "",
    number: int = 1,
    by: Actor,
    on: dt.date,
) -> list[Seat]:
    """Add seats of one college; ``number`` above one only for seats whose holders are not named.

    The balance of the body is not a condition: the sheet warns when the preponderant place is not kept.
    """
    access.may_edit_cluster(by, body.cluster, on)
    rules.check_period(starts_on, ends_on)
    if college not in {c.code for c in policy().members.colleges}:
        raise Refused(T("Collège inconnu : « {c} ».", "Unknown college: “{c}”.", c=college), kind="input")
    if not 1 <= number <= 200 or (organisation is not None and number != 1):
        raise Refused(
            T(
                "De 1 à 200 sièges à la fois, et un seul quand l'organisme est nommé.",
                "From 1 to 200 seats at a time, and one only when the organisation is named.",
            ),
            kind="input",
        )
    at = stamp(on)
    made = [
        Seat.objects.create(
            body=body,
            college=college,
            organisation=organisation,
            function=function,
            starts_on=starts_on,
            ends_on=ends_on,
            recorded_at=at,
        )
        for _ in range(number)
    ]
    journal.record(
        f"cluster:{body.cluster.slug}",
        "governance.seats",
        by=by,
        on=on,
        at=at,
        after={
            "body": body.title,
            "college": college,
            "number": number,
            "organisation": organisation.name if organisation else None,
            "function": function,
            "starts_on": starts_on,
            "ends_on": ends_on,
        },
    )
    return made


@transaction.atomic
def end_seat(seat: Seat, *, ends_on: dt.date, by: Actor, on: dt.date) -> Seat:
    """End a mandate after ``ends_on``: a new version; the old one stays on record."""
    access.may_edit_cluster(by, seat.body.cluster, on)
    seat = Seat.objects.select_for_update().get(pk=seat.pk)
    _still_current(seat)
    rules.check_period(seat.starts_on, ends_on)
    made = _new_version(seat, stamp(on), ends_on=ends_on)
    journal.record(
        f"cluster:{seat.body.cluster.slug}",
        "governance.end",
        by=by,
        on=on,
        at=made.recorded_at,
        before={"body": seat.body.title, "college": seat.college, "ends_on": seat.ends_on},
        after={"body": seat.body.title, "college": seat.college, "ends_on": ends_on},
    )
    return made


# --- documents ---------------------------------------------------------------------------------------------------

DOCUMENT_KINDS = {
    "statutes": T("Statuts", "Statutes"),
    "labelling_rules": T("Règlement de labellisation des projets", "Rules for labelling projects"),
    "label_letter": T("Lettre de labellisation", "Label letter"),
}
"""Documents of the register that contracts take as annexes."""


@transaction.atomic
def add_document(
    cluster: Cluster, *, kind: str, title: str, dated: dt.date, upload: Any, by: Actor, on: dt.date
) -> ClusterDocument:
    """Keep a dated document of the cluster; an earlier one of the same kind stays.

    Raises:
        Refused: unknown kind, a file that is not accepted, a date in the future.
    """
    access.may_edit_cluster(by, cluster, on)
    if kind not in DOCUMENT_KINDS:
        raise Refused(T("Document inconnu : « {k} ».", "Unknown document: “{k}”.", k=kind), kind="input")
    if dated > on:
        raise Refused(T("La date du document est dans l'avenir.", "The document's date lies ahead."), kind="input")
    stored = files.store(upload, upload.name, case=f"cluster:{cluster.slug}", by=by, title=title, at=stamp(on))
    made = ClusterDocument.objects.create(cluster=cluster, kind=kind, title=title, dated=dated, file=stored)
    journal.record(
        f"cluster:{cluster.slug}",
        "document.add",
        by=by,
        on=on,
        at=stamp(on),
        after={"kind": kind, "title": title, "dated": dated, "sha256": stored.sha256},
    )
    return made
