"""Labels and their dated acts, as plain records: who held what on a day, and how sure that is.

A label belongs to a *bid* (*candidature*): one body, a federation, or several bodies that answer together. Its acts
are dated decisions; each granting act opens a period that runs from ``effective_from`` to ``until``, both included,
and a later act replaces the earlier ones from its own first day on. An act that ends a label (withdrawn, merged,
expired, refused) leaves the day before as its last day.

Pure functions: no database, no clock. :func:`load_register` reads the files of ``data/<programme>/`` with all checks.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.faults import Fault, PolicyFaults
from jalon.policy.reader import Node, read, shown

GRANTING = ("granted", "confirmed", "maintained", "extended", "renewed")
ENDING = ("withdrawn", "refused", "merged", "expired", "lapsed")
CERTAINTIES = ("known", "deduced", "unknown")
PRECISIONS = ("day", "month", "year", "about", "before", "planned", "unknown")
ROLES = ("holder", "part")
CLUSTER_KINDS = ("cluster", "federation", "bid_part")
RELATION_KINDS = (
    "merger",
    "absorption",
    "federation",
    "joint_bid",
    "renaming",
    "member_transfer",
    "alliance",
    "spin_out",
    "undone",
)
SOURCE_KINDS = (
    "official",
    "document",
    "press",
    "site",
    "encyclopedia",
    "deduced",
    "seed",
)


@dataclass(frozen=True)
class LabelActRecord:
    """One act on a label.

    ``decided_on`` is None when no published day was found; ``precision`` says how to read it. ``until`` is the last
    day (None: open). ``certainty``: ``known`` (read in a source), ``deduced`` (follows from sourced facts),
    ``unknown`` (nothing was found on what happened from ``effective_from`` on).
    """

    act: str
    effective_from: date
    until: date | None = None
    decided_on: date | None = None
    precision: str = "day"
    certainty: str = "known"
    reference: str = ""
    body: str = ""
    note: Text | None = None
    sources: tuple[str, ...] = ()

    @property
    def grants(self) -> bool:
        return self.act in GRANTING


@dataclass(frozen=True)
class HolderRecord:
    """A body behind a label, from a day to a day (None: as long as the label).

    ``role``: ``holder`` answers for the label; ``part`` stands behind a holder (a body of a federation, or a body
    that had not merged yet into the one that bid).
    """

    slug: str
    starts_on: date | None = None
    ends_on: date | None = None
    role: str = "holder"
    precision: str = "day"
    note: Text | None = None
    sources: tuple[str, ...] = ()

    def on(self, day: date) -> bool:
        return (self.starts_on is None or self.starts_on <= day) and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True)
class LabelRecord:
    """A label: the bid it was given to, the name and tier of that day, its holders and its acts in order."""

    code: str
    name: str
    phase: str
    holders: tuple[HolderRecord, ...]
    acts: tuple[LabelActRecord, ...]
    tier: str | None = None
    tier_certainty: str = "known"
    follows: tuple[str, ...] = ()
    note: Text | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelOnDay:
    """A label on a day, with the act that governs that day and how sure it is."""

    label: LabelRecord
    act: LabelActRecord
    certainty: str
    holders: tuple[str, ...]


@dataclass(frozen=True)
class LabelSpan:
    """A period during which a label is in force under one act (inclusive end; None: open)."""

    act: LabelActRecord
    starts_on: date
    ends_on: date | None
    certainty: str


@dataclass(frozen=True)
class Counts:
    """What a day counts: labels in force, distinct bodies that hold them, how many of those labels are deduced, and
    labels whose outcome by that day was not found (not counted as in force)."""

    day: date
    labels: int
    bodies: int
    deduced: int
    unknown: int


def governing_act(label: LabelRecord, day: date, known_on: date | None = None) -> LabelActRecord | None:
    """The act that governs ``day``: the last one to take effect by then.

    With ``known_on``, acts decided after that day are left out (an undated act counts from its effect).
    """
    governing = None
    for act in sorted(label.acts, key=lambda a: a.effective_from):
        if act.effective_from > day:
            break
        if known_on is not None and (act.decided_on or act.effective_from) > known_on:
            continue
        governing = act
    return governing


def _on(label: LabelRecord, day: date, known_on: date | None) -> LabelOnDay | None:
    act = governing_act(label, day, known_on)
    if act is None or not act.grants or (act.until is not None and day > act.until):
        return None
    return LabelOnDay(label, act, act.certainty, holders(label, day))


def labels_in_force(labels: Iterable[LabelRecord], day: date, known_on: date | None = None) -> list[LabelOnDay]:
    """Labels in force on ``day``, each with its certainty (known or deduced), in the order given."""
    found = (_on(label, day, known_on) for label in labels)
    return [one for one in found if one and one.certainty != "unknown"]


def labels_unknown(labels: Iterable[LabelRecord], day: date, known_on: date | None = None) -> list[LabelOnDay]:
    """Labels of which nobody found whether they were still in force on ``day``."""
    found = (_on(label, day, known_on) for label in labels)
    return [one for one in found if one and one.certainty == "unknown"]


def holders(label: LabelRecord, day: date) -> tuple[str, ...]:
    """Slugs of the bodies that answer for the label on ``day``."""
    return tuple(h.slug for h in label.holders if h.role == "holder" and h.on(day))


def parts(label: LabelRecord, day: date) -> tuple[str, ...]:
    """Slugs of the bodies that stand behind the holders on ``day`` (federated, or not merged yet)."""
    return tuple(h.slug for h in label.holders if h.role == "part" and h.on(day))


def counts(labels: Sequence[LabelRecord], day: date, known_on: date | None = None) -> Counts:
    """Counts of a day; the number of labels and the number of bodies differ when labels are shared or gathered."""
    valid = labels_in_force(labels, day, known_on)
    return Counts(
        day,
        labels=len(valid),
        bodies=len({slug for one in valid for slug in one.holders}),
        deduced=sum(one.certainty == "deduced" for one in valid),
        unknown=len(labels_unknown(labels, day, known_on)),
    )


def spans(label: LabelRecord) -> list[LabelSpan]:
    """The periods of a label, one per granting act, cut where a later act takes over."""
    acts = sorted(label.acts, key=lambda a: a.effective_from)
    found = []
    for act, later in zip(acts, [*acts[1:], None], strict=False):  # no act: no period
        if not act.grants:
            continue
        ends = [d for d in (act.until, later and later.effective_from - timedelta(days=1)) if d]
        end = min(ends, default=None)
        if end is None or end >= act.effective_from:
            found.append(LabelSpan(act, act.effective_from, end, act.certainty))
    return found


# -- reading ----------------------------------------------------------------------------------------------------------


@dataclass
class Register:
    """Everything that a folder of ``data/`` tells. Rows without a class of their own are plain mappings."""

    folder: Path
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    families: list[dict[str, Any]] = field(default_factory=list)
    region_sets: list[dict[str, Any]] = field(default_factory=list)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: list[dict[str, Any]] = field(default_factory=list)
    earlier: list[dict[str, Any]] = field(default_factory=list)
    member_counts: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    labels: list[LabelRecord] = field(default_factory=list)
    relations: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    carriers: list[dict[str, Any]] = field(default_factory=list)
    contracts: list[dict[str, Any]] = field(default_factory=list)
    national_figures: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)


CLUSTER_COLUMNS = (
    "slug",
    "name",
    "kind",
    "theme_fr",
    "theme_en",
    "family",
    "city",
    "latitude",
    "longitude",
    "regions",
    "regions_2016",
    "website",
    "siren",
    "carrier_form",
    "members_count",
    "members_year",
    "source",
)
NAME_COLUMNS = ("slug", "name", "from", "to", "precision", "certainty", "source")
EVALUATION_COLUMNS = ("slug", "year", "result", "certainty", "source")
EARLIER_COLUMNS = ("slug", "until", "theme_fr", "theme_en", "city", "latitude", "longitude", "source")
MEMBER_COLUMNS = ("slug", "year", "count", "source")


class _Reading:
    """One reading of a folder: collects every fault before anything is refused."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.faults: list[Fault] = []
        self.register = Register(folder)

    def fault(self, file: str, line: int, path: str, found: Text, expected: Text) -> None:
        self.faults.append(Fault(file, line, path, found, expected))

    def yaml(self, name: str, key: str) -> list[Node]:
        """The rows of the list under ``key`` in a YAML file, each a mapping."""
        try:
            root = read(self.folder / name)
        except PolicyFaults as error:
            self.faults += error.faults
            return []
        rows = root.get(key) if root.kind == "map" else None
        if rows is None or rows.kind != "list":
            self.fault(
                root.file,
                root.line,
                key,
                T("aucune liste", "no list"),
                T(f"une liste « {key} »", f"a list “{key}”"),
            )
            return []
        for row in rows.elements:
            if row.kind != "map":
                self.fault(
                    row.file,
                    row.line,
                    row.path,
                    T("autre chose", "something else"),
                    T("des clés", "keys"),
                )
        return [row for row in rows.elements if row.kind == "map"]

    def csv(self, name: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of a CSV file, empty cells as None, each with its ``_line``."""
        path = self.folder / name
        file = shown(path)
        try:
            text = path.read_text("utf-8-sig")
        except OSError:
            self.fault(
                file,
                1,
                name,
                T("aucun fichier", "no file"),
                T("un fichier CSV", "a CSV file"),
            )
            return []
        except UnicodeDecodeError:
            self.fault(
                file,
                1,
                name,
                T("autre chose que de l'UTF-8", "something else than UTF-8"),
                T("un fichier en UTF-8", "a file in UTF-8"),
            )
            return []
        reader = csv.reader(text.splitlines())
        header = next(reader, [])
        if tuple(header) != tuple(columns):
            self.fault(
                file,
                1,
                name,
                T(
                    f"les colonnes « {', '.join(header)} »",
                    f"the columns “{', '.join(header)}”",
                ),
                T(f"« {', '.join(columns)} »", f"“{', '.join(columns)}”"),
            )
            return []
        rows = []
        for cells in reader:
            if len(cells) != len(columns):
                self.fault(
                    file,
                    reader.line_num,
                    name,
                    T(f"{len(cells)} cellules", f"{len(cells)} cells"),
                    T(f"{len(columns)} cellules", f"{len(columns)} cells"),
                )
                continue
            rows.append(
                {
                    **{c: v.strip() or None for c, v in zip(columns, cells, strict=True)},
                    "_line": reader.line_num,
                    "_file": file,
                }
            )
        return rows

    # checks shared by both kinds of files

    def known(
        self,
        place: tuple[str, int, str],
        value: Any,
        allowed: Iterable[Any],
        what: Text,
    ) -> bool:
        if value in allowed:
            return True
        self.fault(*place, T(f"« {value} »", f"“{value}”"), what)
        return False

    def slug(self, place: tuple[str, int, str], value: Any) -> None:
        self.known(
            place,
            value,
            self.register.clusters,
            T("un slug de clusters.csv", "a slug of clusters.csv"),
        )

    def source(self, place: tuple[str, int, str], keys: Sequence[Any], needed: bool = True) -> tuple[str, ...]:
        if needed and not keys:
            self.fault(
                *place,
                T("aucune source", "no source"),
                T(
                    "au moins une clé de sources.yaml",
                    "at least one key of sources.yaml",
                ),
            )
        for key in keys:
            self.known(
                place,
                key,
                self.register.sources,
                T("une clé de sources.yaml", "a key of sources.yaml"),
            )
        return tuple(str(key) for key in keys)

    def ordered(self, place: tuple[str, int, str], start: Any, end: Any) -> bool:
        if start and end and end < start:
            self.fault(
                *place,
                T(
                    f"une fin le {end}, avant le début",
                    f"an end on {end}, before the start",
                ),
                T(f"une fin à partir du {start}", f"an end from {start} on"),
            )
            return False
        return True

    def day(self, row: dict[str, Any], column: str) -> date | None:
        value = row[column]
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fault(
                row["_file"],
                row["_line"],
                column,
                T(f"« {value} »", f"“{value}”"),
                T("une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
            )
            return None

    def number(self, row: dict[str, Any], column: str, low: Decimal, high: Decimal) -> Decimal | None:
        value = row[column]
        if value is None:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = None
        if number is None or not low <= number <= high:
            self.fault(
                row["_file"],
                row["_line"],
                column,
                T(f"« {value} »", f"“{value}”"),
                T(f"un nombre de {low} à {high}", f"a number from {low} to {high}"),
            )
            return None
        return number

    # one method per file

    def read_sources(self) -> None:
        for row in self.yaml("sources.yaml", "sources"):
            plain = row.plain()
            place = (row.file, row.line, str(plain.get("key")))
            key = plain.get("key")
            if not key or key in self.register.sources:
                self.fault(
                    *place,
                    T(f"la clé « {key} »", f"the key “{key}”"),
                    T("une clé, une seule fois", "a key, once only"),
                )
                continue
            self.known(
                place,
                plain.get("kind"),
                SOURCE_KINDS,
                T(
                    f"une nature parmi {', '.join(SOURCE_KINDS)}",
                    f"a kind among {', '.join(SOURCE_KINDS)}",
                ),
            )
            if not plain.get("title") or (
                plain.get("kind") != "deduced" and not plain.get("url") and plain.get("kind") != "seed"
            ):
                self.fault(
                    *place,
                    T("ni titre ni adresse", "no title or no address"),
                    T("un titre et une adresse", "a title and an address"),
                )
            self.register.sources[key] = plain

    def rows(self, name: str, key: str) -> list[tuple[Node, dict[str, Any]]]:
        """Rows of a list whose source keys are checked, wherever in the row they stand."""
        found = []
        for row in self.yaml(name, key):
            plain = row.plain()
            self.nested_sources(row, top=True)
            found.append((row, plain))
        return found

    def nested_sources(self, node: Node, top: bool = False) -> None:
        if node.kind == "map":
            keys = node.get("source")
            if keys is not None:
                values = [n.value for n in keys.elements] if keys.kind == "list" else [keys.value]
                self.source((keys.file, keys.line, keys.path), [v for v in values if v])
            elif top:
                self.source((node.file, node.line, node.path), [])
            for _, _, below in node.entries:
                self.nested_sources(below)
        for below in node.elements:
            self.nested_sources(below)

    def read_clusters(self) -> None:
        register = self.register
        names = {one["code"]: {r["name"] for r in one["regions"]} for one in register.region_sets}
        families = {family["code"] for family in register.families}
        for row in self.csv("clusters.csv", CLUSTER_COLUMNS):
            place = (row["_file"], row["_line"], str(row["slug"]))
            if not row["slug"] or not row["name"] or row["slug"] in register.clusters:
                self.fault(
                    *place,
                    T(
                        "un slug ou un nom vide ou déjà pris",
                        "a slug or a name that is empty or taken",
                    ),
                    T("un slug unique et un nom", "a unique slug and a name"),
                )
                continue
            self.known(
                place,
                row["kind"],
                CLUSTER_KINDS,
                T(
                    f"une nature parmi {', '.join(CLUSTER_KINDS)}",
                    f"a kind among {', '.join(CLUSTER_KINDS)}",
                ),
            )
            self.known(
                place,
                row["family"],
                families,
                T("un code de families.yaml", "a code of families.yaml"),
            )
            for column, of in (
                ("regions", "regions-1970"),
                ("regions_2016", "regions-2016"),
            ):
                row[column] = [r.strip() for r in (row[column] or "").split(";") if r.strip()]
                for region in row[column]:
                    self.known(
                        place,
                        region,
                        names.get(of, ()),
                        T(f"une région du jeu {of}", f"a region of the set {of}"),
                    )
            row["latitude"] = self.number(row, "latitude", Decimal(-90), Decimal(90))
            row["longitude"] = self.number(row, "longitude", Decimal(-180), Decimal(180))
            if (row["latitude"] is None) != (row["longitude"] is None):
                self.fault(
                    *place,
                    T("une seule coordonnée", "one coordinate only"),
                    T("les deux ou aucune", "both or none"),
                )
            for column, low, high in (
                ("members_count", 1, 100000),
                ("members_year", 2004, 2100),
            ):
                number = self.number(row, column, Decimal(low), Decimal(high))
                row[column] = None if number is None else int(number)
            if row["siren"] and not _luhn(row["siren"]):
                self.fault(
                    *place,
                    T(f"le SIREN « {row['siren']} »", f"the SIREN “{row['siren']}”"),
                    T(
                        "neuf chiffres dont la clé est juste",
                        "nine digits with a right check digit",
                    ),
                )
            row["sources"] = self.source(place, (row.pop("source") or "").split())
            register.clusters[row["slug"]] = row

    def read_tables(self) -> None:
        register = self.register
        for row in self.csv("names.csv", NAME_COLUMNS):
            place = (row["_file"], row["_line"], str(row["slug"]))
            self.slug(place, row["slug"])
            row["from"], row["to"] = self.day(row, "from"), self.day(row, "to")
            self.ordered(place, row["from"], row["to"])
            self.known(
                place,
                row["precision"],
                PRECISIONS,
                T(
                    f"une précision parmi {', '.join(PRECISIONS)}",
                    f"a precision among {', '.join(PRECISIONS)}",
                ),
            )
            self.known(
                place,
                row["certainty"],
                CERTAINTIES,
                T(
                    f"une certitude parmi {', '.join(CERTAINTIES)}",
                    f"a certainty among {', '.join(CERTAINTIES)}",
                ),
            )
            row["sources"] = self.source(place, (row.pop("source") or "").split())
            register.names.append(row)
        for row in self.csv("evaluations.csv", EVALUATION_COLUMNS):
            place = (row["_file"], row["_line"], str(row["slug"]))
            self.slug(place, row["slug"])
            row["year"] = int(self.number(row, "year", Decimal(2004), Decimal(2100)) or 0)
            self.known(
                place,
                row["certainty"],
                CERTAINTIES,
                T(
                    f"une certitude parmi {', '.join(CERTAINTIES)}",
                    f"a certainty among {', '.join(CERTAINTIES)}",
                ),
            )
            if any(e["slug"] == row["slug"] and e["year"] == row["year"] for e in register.evaluations):
                self.fault(
                    *place,
                    T(
                        "un deuxième résultat de la même année",
                        "a second result of the same year",
                    ),
                    T(
                        "un seul résultat par pôle et année",
                        "one result per cluster and year",
                    ),
                )
            row["sources"] = self.source(place, (row.pop("source") or "").split())
            register.evaluations.append(row)
        for row in self.csv("earlier.csv", EARLIER_COLUMNS):
            place = (row["_file"], row["_line"], str(row["slug"]))
            self.slug(place, row["slug"])
            row["until"] = self.day(row, "until")
            row["latitude"] = self.number(row, "latitude", Decimal(-90), Decimal(90))
            row["longitude"] = self.number(row, "longitude", Decimal(-180), Decimal(180))
            row["sources"] = self.source(place, (row.pop("source") or "").split())
            register.earlier.append(row)
        for row in self.csv("member_counts.csv", MEMBER_COLUMNS):
            place = (row["_file"], row["_line"], str(row["slug"]))
            self.slug(place, row["slug"])
            row["year"] = int(self.number(row, "year", Decimal(2004), Decimal(2100)) or 0)
            row["count"] = int(self.number(row, "count", Decimal(1), Decimal(100000)) or 0)
            row["sources"] = self.source(place, (row.pop("source") or "").split())
            register.member_counts.append(row)

    def read_labels(self) -> None:
        decisions = {d["code"]: d for d in self.register.decisions}
        codes: set[str] = set()
        rows = self.rows("labels.yaml", "labels")
        for row, plain in rows:
            place = (row.file, row.line, str(plain.get("code")))
            if not plain.get("code") or plain["code"] in codes:
                self.fault(
                    *place,
                    T(
                        f"le code « {plain.get('code')} »",
                        f"the code “{plain.get('code')}”",
                    ),
                    T("un code, une seule fois", "a code, once only"),
                )
                continue
            codes.add(plain["code"])
            acts = self.acts(row, decisions)
            self.register.labels.append(
                LabelRecord(
                    code=plain["code"],
                    name=str(plain.get("name") or ""),
                    phase=str(plain.get("phase") or ""),
                    holders=tuple(self.holders(row)),
                    acts=tuple(acts),
                    tier=plain.get("tier"),
                    tier_certainty=plain.get("tier_certainty") or "known",
                    follows=tuple(plain.get("follows") or ()),
                    note=_text(plain.get("note")),
                    sources=_keys(plain.get("source")),
                )
            )
        for row, plain in rows:
            for code in plain.get("follows") or ():
                self.known(
                    (row.file, row.line, str(plain.get("code"))),
                    code,
                    codes,
                    T("le code d'un label", "the code of a label"),
                )

    def acts(self, row: Node, decisions: dict[str, dict[str, Any]]) -> list[LabelActRecord]:
        acts: list[LabelActRecord] = []
        listed = row.get("acts")
        if listed is None or not listed.elements:
            self.fault(
                row.file,
                row.line,
                row.path,
                T("aucun acte", "no act"),
                T("au moins un acte", "at least one act"),
            )
            return acts
        for node in listed.elements:
            plain = node.plain()
            place = (node.file, node.line, node.path)
            self.known(
                place,
                plain.get("act"),
                (*GRANTING, *ENDING),
                T(
                    f"un acte parmi {', '.join((*GRANTING, *ENDING))}",
                    f"an act among {', '.join((*GRANTING, *ENDING))}",
                ),
            )
            certainty, precision = (
                plain.get("certainty") or "known",
                plain.get("precision") or ("day" if plain.get("decided_on") else "unknown"),
            )
            self.known(
                place,
                certainty,
                CERTAINTIES,
                T(
                    f"une certitude parmi {', '.join(CERTAINTIES)}",
                    f"a certainty among {', '.join(CERTAINTIES)}",
                ),
            )
            self.known(
                place,
                precision,
                PRECISIONS,
                T(
                    f"une précision parmi {', '.join(PRECISIONS)}",
                    f"a precision among {', '.join(PRECISIONS)}",
                ),
            )
            start, until, decided = (
                plain.get("effective_from"),
                plain.get("until"),
                plain.get("decided_on"),
            )
            if not isinstance(start, date) or any(d is not None and not isinstance(d, date) for d in (until, decided)):
                self.fault(
                    *place,
                    T(
                        "des dates absentes ou mal écrites",
                        "dates missing or badly written",
                    ),
                    T(
                        "effective_from, et s'il y a lieu until et decided_on, AAAA-MM-JJ",
                        "effective_from and, where known, until and decided_on, YYYY-MM-DD",
                    ),
                )
                continue
            self.ordered(place, start, until)
            reference = plain.get("reference")
            if reference is not None:
                self.known(
                    place,
                    reference,
                    decisions,
                    T("un code de decisions.yaml", "a code of decisions.yaml"),
                )
            act = LabelActRecord(
                act=str(plain.get("act")),
                effective_from=start,
                until=until,
                decided_on=decided,
                precision=precision,
                certainty=certainty,
                reference=reference or "",
                body=(decisions.get(reference) or {}).get("body") or "",
                note=_text(plain.get("note")),
                sources=_keys(plain.get("source")),
            )
            if acts and start <= acts[-1].effective_from:
                self.fault(
                    *place,
                    T(f"un effet au {start}", f"an effect on {start}"),
                    T(
                        "des actes dans l'ordre des dates",
                        "acts in the order of their dates",
                    ),
                )
            elif acts and act.grants and acts[-1].grants and (acts[-1].until is None or start <= acts[-1].until):
                self.fault(
                    *place,
                    T(
                        f"une période qui commence le {start}, dans la précédente",
                        f"a period that starts on {start}, inside the one before",
                    ),
                    T(
                        "des périodes d'un même label qui ne se chevauchent pas",
                        "periods of one label that do not overlap",
                    ),
                )
            acts.append(act)
        return acts

    def holders(self, row: Node) -> list[HolderRecord]:
        found: list[HolderRecord] = []
        listed = row.get("holders")
        for node in listed.elements if listed else []:
            plain = node.plain()
            place = (node.file, node.line, node.path)
            self.slug(place, plain.get("slug"))
            self.known(
                place,
                plain.get("role") or "holder",
                ROLES,
                T("holder ou part", "holder or part"),
            )
            self.ordered(place, plain.get("from"), plain.get("to"))
            one = HolderRecord(
                slug=str(plain.get("slug")),
                starts_on=plain.get("from"),
                ends_on=plain.get("to"),
                role=plain.get("role") or "holder",
                precision=plain.get("precision") or "day",
                note=_text(plain.get("note")),
                sources=_keys(plain.get("source")),
            )
            for other in found:
                if other.slug == one.slug and (
                    other.ends_on is None or one.starts_on is None or one.starts_on <= other.ends_on
                ):
                    self.fault(
                        *place,
                        T(
                            f"« {one.slug} » deux fois à la fois",
                            f"“{one.slug}” twice at the same time",
                        ),
                        T(
                            "un porteur une seule fois par jour",
                            "a holder once a day only",
                        ),
                    )
            found.append(one)
        if not any(h.role == "holder" for h in found):
            self.fault(
                row.file,
                row.line,
                row.path,
                T("aucun titulaire", "no holder"),
                T("au moins un titulaire", "at least one holder"),
            )
        return found

    def read_lists(self) -> None:
        register = self.register
        for row, plain in self.rows("relations.yaml", "relations"):
            place = (row.file, row.line, str(plain.get("code")))
            self.known(
                place,
                plain.get("kind"),
                RELATION_KINDS,
                T(
                    f"une nature parmi {', '.join(RELATION_KINDS)}",
                    f"a kind among {', '.join(RELATION_KINDS)}",
                ),
            )
            for slug in [*(plain.get("from") or ()), *(plain.get("to") or ())]:
                self.slug(place, slug)
            self.ordered(place, plain.get("on"), plain.get("ended_on"))
            register.relations.append(plain)
        for row, plain in self.rows("carriers.yaml", "carriers"):
            place = (row.file, row.line, str(plain.get("slug")))
            self.slug(place, plain.get("slug"))
            self.ordered(place, plain.get("from"), plain.get("to"))
            if plain.get("siren") and not _luhn(str(plain["siren"])):
                self.fault(
                    *place,
                    T(
                        f"le SIREN « {plain['siren']} »",
                        f"the SIREN “{plain['siren']}”",
                    ),
                    T(
                        "neuf chiffres dont la clé est juste",
                        "nine digits with a right check digit",
                    ),
                )
            register.carriers.append(plain)
        for row, plain in self.rows("contracts.yaml", "contracts"):
            place = (row.file, row.line, str(plain.get("code")))
            self.slug(place, plain.get("slug"))
            self.ordered(place, plain.get("starts_on"), plain.get("ends_on"))
            register.contracts.append(plain)
        register.national_figures = [plain for _, plain in self.rows("national_figures.yaml", "figures")]
        for row, plain in self.rows("conflicts.yaml", "conflicts"):
            for slug in plain.get("clusters") or ():
                self.slug((row.file, row.line, str(plain.get("code"))), slug)
            register.conflicts.append(plain)


def name_on(register: Register, slug: str, day: date) -> str:
    """The name of a body on ``day``: of its names that may have been in use, the latest.

    An undated name follows the one listed before it, on a day nobody found: it is taken as soon as the first is.
    """
    found = register.clusters[slug]["name"]
    candidates = [row for row in register.names if row["slug"] == slug and row["certainty"] != "unknown"]
    if candidates:
        found = candidates[0]["name"]
    for row in candidates:
        if (row["from"] is None or row["from"] <= day) and (row["to"] is None or day <= row["to"]):
            found = row["name"]
    return found


def sheet_on(register: Register, slug: str, day: date) -> dict[str, Any]:
    """The row of clusters.csv as it read on ``day``: name, theme and seat of the time where they are known."""
    sheet = {**register.clusters[slug], "name": name_on(register, slug, day)}
    for row in register.earlier:
        if row["slug"] == slug and (row["until"] is None or day <= row["until"]):
            sheet.update(
                {k: row[k] for k in ("theme_fr", "theme_en", "city", "latitude", "longitude") if row[k] is not None}
            )
    return sheet


def load_register(folder: Path) -> Register:
    """Read a folder of ``data/`` and check it.

    Raises:
        PolicyFaults: with every fault found, each with its file and line: unknown slug or source, periods of one
            label that overlap, an end before its start, a value outside its list.
    """
    reading = _Reading(Path(folder))
    register = reading.register
    reading.read_sources()
    register.families = [plain for _, plain in reading.rows("families.yaml", "families")]
    register.region_sets = [row.plain() for row in reading.yaml("territories/regions.yaml", "sets")]
    reading.read_clusters()
    register.decisions = [plain for _, plain in reading.rows("decisions.yaml", "decisions")]
    reading.read_tables()
    reading.read_labels()
    reading.read_lists()
    if reading.faults:
        raise PolicyFaults(reading.faults)
    return register


def _text(value: Any) -> Text | None:
    return T(value["fr"], value["en"]) if isinstance(value, dict) and "fr" in value and "en" in value else None


def _keys(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else ((value,) if value else ())


def _luhn(digits: str) -> bool:
    """Check digit of a SIREN (nine digits)."""
    if len(digits) != 9 or not digits.isdigit():
        return False
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
