"""Loading the register that ships with Jalon (``data/<programme>/``) into the database.

Loading again after the files changed brings the rows up to date and loses nothing: acts and periods of labels keep
their earlier versions, and the moment at which each was *known* is the day of its decision, so that "as known on"
answers for the past as well.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from jalon.clusters.actions import make_periods
from jalon.clusters.labels import LabelRecord, Register, load_register
from jalon.clusters.models import (
    Carrier,
    Cluster,
    ClusterGroup,
    ClusterName,
    ClusterTerritory,
    Label,
    LabelAct,
    LabelHolder,
    NationalDecision,
    Relation,
    RelationEnd,
)
from jalon.core import journal
from jalon.core.clock import moment_on, now, real_now
from jalon.core.models import Setting, Source
from jalon.people.models import Identifier, Organisation
from jalon.people.rules import name_key, plain_key

Say = Callable[..., None]


READS = "2"
"""Raised when the loader reads more from the same files, so that installations load them again."""


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's files."""
    digest = hashlib.sha256(READS.encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load_register_if_changed(*, say: Say | None = None, programme: str | None = None) -> bool:
    """Load the programme's register unless these very files are loaded already; whether it was loaded.

    A programme without a folder of data (a foreign example) starts with an empty register.

    Raises:
        PolicyFaults: the files have faults; nothing is written then.
    """
    programme = programme or settings.PROGRAMME
    folder = Path(settings.DATA) / programme
    if not folder.is_dir():
        return False
    mark = fingerprint(folder)
    key = f"register:{programme}"
    row = Setting.objects.filter(key=key).first()
    if row and row.value == mark:
        return False
    if say:
        say("Registre des pôles : lecture et contrôle…", "Register of the clusters: reading and checking…")
    register = load_register(folder)
    with transaction.atomic():
        load(register, programme)
        Setting.objects.update_or_create(key=key, defaults={"value": mark})
    if say:
        say(
            "Registre : {clusters} organismes, {labels} labels, {acts} actes, {sources} sources.",
            "Register: {clusters} bodies, {labels} labels, {acts} acts, {sources} sources.",
            clusters=len(register.clusters),
            labels=len(register.labels),
            acts=sum(len(label.acts) for label in register.labels),
            sources=len(register.sources),
        )
    return True


def load(register: Register, programme: str) -> None:
    """Write ``register`` into the database; one journal row per body, label and carrier that changed."""
    _sources(register)
    changed = _clusters(register, programme)
    clusters = {c.slug: c for c in Cluster.objects.filter(programme=programme)}
    _details(register, clusters)
    changed += _labels(register, programme, clusters)
    _relations(register, programme, clusters)
    _decisions(register, programme)
    _groups(register, clusters)
    changed += _carriers(register, clusters)
    journal.record_many(changed)


def _sources(register: Register) -> None:
    rows = [
        Source(
            key=key,
            title=str(row.get("title") or key)[:400],
            url=row.get("url") or "",
            kind=row["kind"],
            read_as=row.get("read_as") or "",
        )
        for key, row in register.sources.items()
    ]
    Source.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["key"], update_fields=["title", "url", "kind", "read_as"]
    )


def _act(case: str, act: str, after: dict[str, Any], before: Any = None) -> dict[str, Any]:
    day = real_now().date()
    return {"case": case, "act": act, "on": day, "at": real_now(), "before": before, "after": after, "why": "data/"}


def search_key(*texts: str | None) -> str:
    """What the search box reads of a cluster: its names, themes and seats, without accents, case or punctuation."""
    return " | ".join(dict.fromkeys(key for key in (plain_key(t or "") for t in texts) if key))


def _clusters(register: Register, programme: str) -> list[dict[str, Any]]:
    known = {c.slug: c for c in Cluster.objects.filter(programme=programme)}
    counts: dict[str, list[dict[str, Any]]] = {}
    for row in register.member_counts:
        counts.setdefault(row["slug"], []).append(
            {"year": row["year"], "count": row["count"], "sources": list(row["sources"])}
        )
    earlier: dict[str, list[dict[str, Any]]] = {}
    for row in register.earlier:
        earlier.setdefault(row["slug"], []).append(
            {
                "until": row["until"].isoformat() if row["until"] else None,
                **{
                    k: str(row[k])
                    for k in ("theme_fr", "theme_en", "city", "latitude", "longitude")
                    if row[k] is not None
                },
                "sources": list(row["sources"]),
            }
        )
    names: dict[str, list[str]] = {}
    for row in register.names:
        names.setdefault(row["slug"], []).append(row["name"])
    changed = []
    for slug, row in register.clusters.items():
        members = list(counts.get(slug, []))
        if row["members_count"]:
            latest = {"year": row["members_year"], "count": row["members_count"], "sources": list(row["sources"])}
            if not any(m["year"] == latest["year"] for m in members):
                members.append(latest)
        values = {
            "name": row["name"],
            "name_key": name_key(row["name"])[:200],
            "search_key": search_key(
                row["name"],
                *names.get(slug, ()),
                row["theme_fr"],
                row["theme_en"],
                row["city"],
                *(one.get(k) for one in earlier.get(slug, ()) for k in ("theme_fr", "theme_en", "city")),
            ),
            "kind": row["kind"],
            "theme_family": row["family"] or "",
            "theme_fr": row["theme_fr"] or "",
            "theme_en": row["theme_en"] or "",
            "city": row["city"] or "",
            "latitude": row["latitude"],
            "longitude": row["longitude"],
            "website": row["website"] or "",
            "published": {
                "members": sorted(members, key=lambda m: m["year"] or 0),
                "siren": row["siren"] or "",
                "carrier_form": row["carrier_form"] or "",
            },
            "earlier": earlier.get(slug, []),
            "sources": list(row["sources"]),
        }
        cluster = known.get(slug)
        if cluster is None:
            Cluster.objects.create(programme=programme, slug=slug, **values)
            changed.append(_act(f"cluster:{slug}", "register.load", {"name": row["name"]}))
        else:
            before = {
                k: getattr(cluster, k) for k, v in values.items() if k not in cluster.kept and getattr(cluster, k) != v
            }
            if before:
                for key in before:
                    setattr(cluster, key, values[key])
                cluster.save(update_fields=list(before))
                changed.append(_act(f"cluster:{slug}", "register.update", {k: values[k] for k in before}, before))
    return changed


def _details(register: Register, clusters: dict[str, Cluster]) -> None:
    ids = [c.id for c in clusters.values()]
    ClusterName.objects.filter(cluster__in=ids).delete()
    ClusterName.objects.bulk_create(
        ClusterName(
            cluster=clusters[row["slug"]],
            name=row["name"],
            name_key=name_key(row["name"])[:200],
            rank=rank,
            starts_on=row["from"],
            ends_on=row["to"],
            precision=row["precision"],
            certainty=row["certainty"],
            sources=list(row["sources"]),
        )
        for rank, row in enumerate(register.names)
    )
    codes = {(one["code"], region["name"]): region["code"] for one in register.region_sets for region in one["regions"]}
    ClusterTerritory.objects.filter(cluster__in=ids).delete()
    ClusterTerritory.objects.bulk_create(
        ClusterTerritory(cluster=clusters[slug], region_set=region_set, region_code=codes[region_set, name], rank=rank)
        for slug, row in register.clusters.items()
        for region_set, column in (("regions-1970", "regions"), ("regions-2016", "regions_2016"))
        for rank, name in enumerate(row[column])
    )


def _labels(register: Register, programme: str, clusters: dict[str, Cluster]) -> list[dict[str, Any]]:
    changed = []
    for record in register.labels:
        label, created = Label.objects.update_or_create(
            code=record.code,
            defaults={
                "programme": programme,
                "name": record.name,
                "tier": record.tier or "",
                "tier_certainty": record.tier_certainty,
                "phase": record.phase,
                "follows": list(record.follows),
                "note_fr": record.note.fr if record.note else "",
                "note_en": record.note.en if record.note else "",
                "sources": list(record.sources),
            },
        )
        label.held_by.all().delete()
        LabelHolder.objects.bulk_create(
            LabelHolder(
                label=label,
                cluster=clusters[h.slug],
                role=h.role,
                starts_on=h.starts_on,
                ends_on=h.ends_on,
                note=(h.note.fr if h.note else "")[:300],
                sources=list(h.sources),
            )
            for h in record.holders
        )
        _acts(record, label)
        make_periods(label)
        if created:
            changed += [
                {
                    "case": f"label:{record.code}",
                    "act": f"label.{act.act}",
                    "on": act.decided_on or act.effective_from,
                    "at": moment_on(act.decided_on or act.effective_from),
                    "after": {
                        "act": act.act,
                        "effective_from": act.effective_from,
                        "until": act.until,
                        "sources": list(act.sources),
                    },
                }
                for act in record.acts
            ]
    return changed


def _known_on(act: Any) -> dt.date:
    """The day from which an act was known: its decision; its effect when the decision has no known day."""
    return act.decided_on or act.effective_from


def _acts(record: LabelRecord, label: Label) -> None:
    """Bring the acts of a label up to date: a changed act closes its old version and adds a new one.

    Acts recorded on screen are left alone.
    """
    current = {(a.act, a.effective_from): a for a in label.acts.filter(superseded_at=None, recorded_here=False)}
    for act in record.acts:
        values = {
            "decided_on": act.decided_on,
            "precision": act.precision,
            "until": act.until,
            "body": act.body[:200],
            "reference": act.reference,
            "certainty": act.certainty,
            "note_fr": (act.note.fr if act.note else "")[:400],
            "note_en": (act.note.en if act.note else "")[:400],
            "phase": record.phase,
            "sources": list(act.sources),
        }
        old = current.pop((act.act, act.effective_from), None)
        if old and all(getattr(old, k) == v for k, v in values.items()):
            continue
        if old:
            old.superseded_at = now()
            old.save(update_fields=["superseded_at"])
        LabelAct.objects.create(
            label=label,
            act=act.act,
            effective_from=act.effective_from,
            recorded_at=now() if old else moment_on(_known_on(act)),
            **values,
        )
    for gone in current.values():
        gone.superseded_at = now()
        gone.save(update_fields=["superseded_at"])


def _relations(register: Register, programme: str, clusters: dict[str, Cluster]) -> None:
    Relation.objects.filter(programme=programme).delete()
    for row in register.relations:
        note = row.get("note") or {}
        relation = Relation.objects.create(
            programme=programme,
            code=row["code"],
            kind=row["kind"],
            certainty=row.get("certainty") or "known",
            outside=row.get("outside") or [],
            on=row.get("on"),
            precision=row.get("precision") or "",
            ended_on=row.get("ended_on"),
            ended_precision=row.get("ended_precision") or "",
            note_fr=str(note.get("fr") or "")[:500],
            note_en=str(note.get("en") or "")[:500],
            sources=_keys(row),
        )
        RelationEnd.objects.bulk_create(
            RelationEnd(relation=relation, cluster=clusters[slug], side=side)
            for side in ("from", "to")
            for slug in row.get(side) or ()
        )


def _decisions(register: Register, programme: str) -> None:
    NationalDecision.objects.filter(programme=programme).delete()
    NationalDecision.objects.bulk_create(
        NationalDecision(
            programme=programme,
            code=row["code"],
            on=row.get("on"),
            precision=row.get("precision") or "",
            body=row.get("body") or "",
            title_fr=row["title"]["fr"],
            title_en=row["title"]["en"],
            note_fr=str((row.get("note") or {}).get("fr") or "")[:500],
            note_en=str((row.get("note") or {}).get("en") or "")[:500],
            counts=row.get("counts") or {},
            sources=_keys(row),
        )
        for row in register.decisions
    )


EVALUATION_DAYS = {2008: dt.date(2008, 6, 18), 2012: dt.date(2012, 7, 30), 2010: dt.date(2010, 5, 11)}
"""Days on which the results of a year's evaluation were published (decisions.yaml tells them with their sources)."""


def _groups(register: Register, clusters: dict[str, Cluster]) -> None:
    rows = ClusterGroup.objects.filter(cluster__in=clusters.values(), simulated=False).values_list("id", "sources")
    # What a campaign run here has published is not data/: loading leaves it alone.
    ours = [pk for pk, sources in rows if not any(str(s).startswith("campaign:") for s in sources)]
    ClusterGroup.objects.filter(id__in=ours).delete()
    ClusterGroup.objects.bulk_create(
        ClusterGroup(
            cluster=clusters[row["slug"]],
            evaluation=str(row["year"]),
            group=row["result"].removeprefix("group_").replace("_", "-"),  # the policy's codes: 1, 2, 3, less-good
            on=EVALUATION_DAYS.get(row["year"]),
            recorded_at=moment_on(EVALUATION_DAYS.get(row["year"]) or dt.date(row["year"], 12, 31)),
            sources=list(row["sources"]),
        )
        for row in register.evaluations
        if row["result"]
    )


def organisation_of(
    name: str,
    *,
    kind: str,
    siren: str = "",
    legal_form: str = "",
    sources: Iterable[str] = (),
    simulated: bool = False,
    **values: Any,
) -> tuple[Organisation, bool]:
    """The organisation with that SIREN, else with that name and kind, made if there is none."""
    found = None
    if siren:
        identifier = Identifier.objects.filter(scheme="siren", value=siren).select_related("organisation").first()
        found = identifier and identifier.organisation
    if found is None:
        found = Organisation.objects.filter(name_key=name_key(name), kind=kind, merged_into=None).first()
    if found:
        return found, False
    organisation = Organisation.objects.create(
        name=name,
        name_key=name_key(name),
        kind=kind,
        legal_form=legal_form,
        sources=list(sources),
        simulated=simulated,
        created_at=real_now(),
        **values,
    )
    if siren:
        Identifier.objects.create(
            organisation=organisation, scheme="siren", value=siren, source=next(iter(sources), "")
        )
    return organisation, True


def _carriers(register: Register, clusters: dict[str, Cluster]) -> list[dict[str, Any]]:
    changed = []
    for row in register.carriers:
        cluster = clusters[row["slug"]]
        organisation, created = organisation_of(
            row["name"],
            kind="association",
            siren=str(row.get("siren") or ""),
            legal_form=row.get("legal_form") or "",
            sources=_keys(row),
        )
        _, new = Carrier.objects.get_or_create(
            cluster=cluster,
            organisation=organisation,
            defaults={
                "starts_on": row.get("from"),
                "ends_on": row.get("to"),
                "note": str((row.get("note") or {}).get("fr") or "")[:300],
                "sources": _keys(row),
            },
        )
        if created or new:
            changed.append(_act(f"cluster:{cluster.slug}", "carrier.load", {"carrier": organisation.name}))
    return changed


def _keys(row: dict[str, Any]) -> list[str]:
    keys = row.get("source") or []
    return [keys] if isinstance(keys, str) else [str(k) for k in keys]
