"""The register as tables: what pages, commands and the open data export, column by column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from jalon.clusters import queries
from jalon.clusters.models import ClusterName, LabelAct, LabelHolder, Relation, RelationEnd
from jalon.core.lang import T
from jalon.core.models import Source
from jalon.core.sheets import Column

Table = tuple[list[tuple[str, Column]], Iterator[list[Any]]]


def _columns(*columns: tuple[str, str, str] | tuple[str, str, str, str]) -> list[tuple[str, Column]]:
    return [(key, Column(T(fr, en), *rest)) for key, fr, en, *rest in columns]


def register(
    day: dt.date,
    filters: queries.Filters | None = None,
    known_on: dt.date | None = None,
    horizon: dt.date | None = None,
) -> Table:
    """The register of a day, a line per cluster: exactly the filtered list, in its order."""
    columns = _columns(
        ("slug", "Identifiant", "Identifier"),
        ("name", "Pôle", "Cluster"),
        ("status", "Situation", "Standing"),
        ("label", "Label", "Label"),
        ("tier", "Catégorie", "Tier"),
        ("since", "Depuis", "Since", "date"),
        ("until", "Jusqu'au", "Until", "date"),
        ("certainty", "Certitude", "Certainty"),
        ("family", "Famille de thèmes", "Theme family"),
        ("theme", "Thèmes", "Themes"),
        ("city", "Siège", "Seat"),
        ("regions", "Régions", "Regions"),
        ("groups", "Évaluations", "Evaluations"),
        ("members", "Membres", "Members", "number"),
        ("members_year", "Année du nombre publié", "Year of the published number", "number"),
        ("members_from", "Origine du nombre", "Origin of the number"),
        ("on", "Au", "On", "date"),
    )

    def rows() -> Iterator[list[Any]]:
        # words of the interface and of the policy are said once for the whole table
        tiers = {code: str(title) for code, title in queries.tier_titles().items()}
        standing = {code: str(title) for code, title in queries.STATUSES.items()}
        sure = {code: str(word) for code, word in queries.CERTAINTY_WORDS.items()}
        kinds = {code: str(title) for code, title in queries.families().items()}
        simulated, published = str(T("simulé", "simulated")), str(T("publié", "published"))
        counted = str(T("registre", "register"))
        groups: dict[tuple[str, str], str] = {}

        def result(evaluation: str, group: str) -> str:
            key = evaluation, group
            if key not in groups:
                groups[key] = f"{evaluation} : {queries.group_title(evaluation, group)}"
            return groups[key]

        for row in queries.register_on(day, filters, known_on, horizon):
            origin = None
            if row.members is not None:
                origin = simulated if row.members_simulated else published if row.members_year else counted
            family = row.cluster.theme_family
            yield [
                row.cluster.slug,
                row.name,
                standing[row.status],
                row.label_code or None,
                tiers.get(row.tier),
                row.since,
                row.until,
                sure.get(row.certainty),
                kinds.get(family, family) or None,
                str(row.theme) or None,
                row.city or None,
                ", ".join(row.regions) or None,
                "; ".join([result(g.evaluation, g.group) for g in row.groups]) or None,
                row.members,
                row.members_year,
                origin,
                day,
            ]

    return columns, rows()


def clusters() -> Table:
    """Every body of the register, with its names and its latest known sheet."""
    columns = _columns(
        ("slug", "Identifiant", "Identifier"),
        ("name", "Nom", "Name"),
        ("names", "Noms connus", "Known names"),
        ("kind", "Nature", "Kind"),
        ("family", "Famille de thèmes", "Theme family"),
        ("theme_fr", "Thèmes", "Themes (French)"),
        ("theme_en", "Thèmes (anglais)", "Themes"),
        ("city", "Siège", "Seat"),
        ("latitude", "Latitude", "Latitude"),
        ("longitude", "Longitude", "Longitude"),
        ("website", "Site", "Website"),
        ("sources", "Sources", "Sources"),
    )

    def rows() -> Iterator[list[Any]]:
        found = list(queries.Cluster.objects.filter(programme=settings.PROGRAMME, simulated=False).order_by("slug"))
        names: dict[int, list[str]] = {}
        for name in ClusterName.objects.filter(cluster__in=found).order_by("rank"):
            names.setdefault(name.cluster_id, []).append(name.name)
        for c in found:
            yield [
                c.slug,
                c.name,
                "; ".join(names.get(c.pk, ())),
                c.kind,
                c.theme_family,
                c.theme_fr,
                c.theme_en,
                c.city or None,
                c.latitude,
                c.longitude,
                c.website or None,
                " ".join(c.sources),
            ]

    return columns, rows()


def labels() -> Table:
    """Every label with its holders."""
    columns = _columns(
        ("label", "Label", "Label"),
        ("name", "Nom à l'attribution", "Name when granted"),
        ("tier", "Catégorie", "Tier"),
        ("tier_certainty", "Certitude de la catégorie", "Certainty of the tier"),
        ("phase", "Phase", "Phase"),
        ("follows", "Prend la suite de", "Follows"),
        ("holder", "Titulaire", "Holder"),
        ("role", "Rôle", "Role"),
        ("from", "Du", "From", "date"),
        ("to", "Au", "To", "date"),
        ("sources", "Sources", "Sources"),
    )

    def rows() -> Iterator[list[Any]]:
        holdings = LabelHolder.objects.filter(label__programme=settings.PROGRAMME).select_related("label", "cluster")
        for h in holdings.order_by("label__code", "role", "id"):
            one = h.label
            yield [
                one.code,
                one.name,
                one.tier or None,
                one.tier_certainty,
                one.phase,
                " ".join(one.follows),
                h.cluster.slug,
                h.role,
                h.starts_on,
                h.ends_on,
                " ".join(dict.fromkeys([*one.sources, *h.sources])),
            ]

    return columns, rows()


def acts() -> Table:
    """Every act on a label that stands today."""
    columns = _columns(
        ("label", "Label", "Label"),
        ("act", "Acte", "Act"),
        ("decided_on", "Décidé le", "Decided on", "date"),
        ("precision", "Précision", "Precision"),
        ("effective_from", "Effet", "Effective from", "date"),
        ("until", "Jusqu'au", "Until", "date"),
        ("body", "Autorité", "Authority"),
        ("reference", "Référence", "Reference"),
        ("certainty", "Certitude", "Certainty"),
        ("sources", "Sources", "Sources"),
    )

    def rows() -> Iterator[list[Any]]:
        found = LabelAct.objects.filter(
            label__programme=settings.PROGRAMME, superseded_at__isnull=True, simulated=False
        ).select_related("label")
        for a in found.order_by("label__code", "effective_from", "id"):
            yield [
                a.label.code,
                a.act,
                a.decided_on,
                a.precision,
                a.effective_from,
                a.until,
                a.body or None,
                a.reference or None,
                a.certainty,
                " ".join(a.sources),
            ]

    return columns, rows()


def relations() -> Table:
    """Every succession, many to many, undone ones included."""
    columns = _columns(
        ("code", "Code", "Code"),
        ("kind", "Nature", "Kind"),
        ("from", "De", "From"),
        ("to", "Vers", "To"),
        ("outside", "Hors du registre", "Outside the register"),
        ("on", "Le", "On", "date"),
        ("precision", "Précision", "Precision"),
        ("ended_on", "Défait le", "Undone on", "date"),
        ("certainty", "Certitude", "Certainty"),
        ("note", "Note", "Note"),
        ("sources", "Sources", "Sources"),
    )

    def rows() -> Iterator[list[Any]]:
        ends: dict[tuple[int, str], list[str]] = {}
        for end in RelationEnd.objects.select_related("cluster").order_by("id"):
            ends.setdefault((end.relation_id, end.side), []).append(end.cluster.slug)
        for r in Relation.objects.filter(programme=settings.PROGRAMME).order_by("code"):
            yield [
                r.code,
                r.kind,
                " ".join(ends.get((r.pk, "from"), ())),
                " ".join(ends.get((r.pk, "to"), ())),
                "; ".join(str(o) for o in r.outside),
                r.on,
                r.precision,
                r.ended_on,
                r.certainty,
                str(T(r.note_fr, r.note_en or r.note_fr)),
                " ".join(r.sources),
            ]

    return columns, rows()


def sources() -> Table:
    """Where the facts come from."""
    columns = _columns(
        ("key", "Clé", "Key"),
        ("title", "Titre", "Title"),
        ("url", "Adresse", "Address"),
        ("kind", "Nature", "Kind"),
        ("read_as", "Lu", "Read as"),
    )

    def rows() -> Iterator[list[Any]]:
        for s in Source.objects.exclude(kind="simulated").order_by("key"):
            yield [s.key, s.title, s.url or None, s.kind, s.read_as or None]

    return columns, rows()


def decisions(horizon: dt.date) -> Table:
    """National decisions up to a day, the latest first."""
    columns = _columns(
        ("code", "Code", "Code"),
        ("on", "Le", "On", "date"),
        ("precision", "Précision", "Precision"),
        ("body", "Autorité", "Authority"),
        ("title", "Décision", "Decision"),
        ("counts", "Nombres", "Counts"),
        ("sources", "Sources", "Sources"),
    )

    def rows() -> Iterator[list[Any]]:
        for d in queries.decisions(horizon):
            counts = "; ".join(f"{k}={v}" for k, v in (d.counts or {}).items())
            yield [
                d.code,
                d.on,
                d.precision,
                d.body,
                str(T(d.title_fr, d.title_en)),
                counts or None,
                " ".join(d.sources),
            ]

    return columns, rows()


OPEN_DATA = {
    "poles": (T("Pôles", "Clusters"), clusters),
    "labels": (T("Labels et titulaires", "Labels and holders"), labels),
    "actes": (T("Actes sur les labels", "Acts on labels"), acts),
    "successions": (T("Successions", "Successions"), relations),
    "sources": (T("Sources", "Sources"), sources),
}
"""The open data's tables, by the word in their address."""
