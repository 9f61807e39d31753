"""``jalon register``: the labels in force on a day, one cluster's sheet, the checks of the data, exports.

An empty database is prepared and the register loaded by itself, so that the first question gets its answer.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from jalon.core.errors import Refused
from jalon.core.lang import T, language

register_app = typer.Typer(
    no_args_is_help=True, help="Le registre des pôles : labels d'un jour, fiche, contrôle. / The register."
)

On = Annotated[str, typer.Option("--on", help="Jour demandé, AAAA-MM-JJ / day asked for", metavar="DATE")]
KnownOn = Annotated[
    str, typer.Option("--known-on", help="Tel que connu ce jour-là / as known on that day", metavar="DATE")
]
AsJson = Annotated[bool, typer.Option("--json", help="En JSON / as JSON")]


def _fail(message: object, code: int = 2) -> None:
    typer.echo(str(message), err=True)
    raise typer.Exit(code)


def _ready() -> None:
    """Start Django; make the tables and load the register when this database has none yet."""
    from jalon.core.terminal import django_ready

    django_ready()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    from jalon.clusters.loading import load_register_if_changed
    from jalon.clusters.models import Cluster
    from jalon.policy.faults import PolicyFaults

    try:
        tables = set(connection.introspection.table_names())
        if Cluster._meta.db_table not in tables:
            call_command("migrate", verbosity=0, interactive=False)
        if not Cluster.objects.filter(programme=settings.PROGRAMME).exists():
            load_register_if_changed()
    except PolicyFaults as error:
        _fail(error, 1)
    except DatabaseError as error:
        _fail(
            T(
                "La base de données ne répond pas comme attendu ({e}). « jalon load » la prépare.",
                "The database does not answer as expected ({e}). “jalon load” prepares it.",
                e=str(error).splitlines()[0][:160],
            ),
            1,
        )


def _day(text: str, default: dt.date | None) -> dt.date | None:
    from jalon.clusters.rules import day_asked

    try:
        return day_asked(text, default)
    except Refused as refusal:
        _fail(refusal)
        raise


def _one_of(value: str, allowed: dict[str, Any], what: Any) -> str:
    """The code asked for, by code or by title; a sentence with what exists otherwise."""
    from jalon.people.rules import plain_key

    if not value:
        return ""
    for code, title in allowed.items():
        if plain_key(value) in (plain_key(code), plain_key(str(title))):
            return code
    _fail(
        T(
            "{w} « {v} » inconnue ; connues : {list}.",
            "Unknown {w} “{v}”; known: {list}.",
            w=what,
            v=value,
            list=", ".join(f"{code} ({title})" for code, title in allowed.items()) or "-",
        )
    )
    raise AssertionError


def _label(row: Any) -> dict[str, Any]:
    return {
        "label": row.label.code,
        "name": row.label.name,
        "tier": row.label.tier or None,
        "phase": row.label.phase or None,
        "holders": [{"slug": c.slug, "name": c.name} for c in row.holders],
        "since": row.since.isoformat(),
        "until": row.until.isoformat() if row.until else None,
        "act": row.act.act if row.act else None,
        "decided_on": row.act.decided_on.isoformat() if row.act and row.act.decided_on else None,
        "certainty": row.certainty,
        "sources": list(row.sources),
    }


@register_app.command("list")
def list_(
    on: On = "",
    known_on: KnownOn = "",
    as_json: AsJson = False,
    programme: Annotated[str, typer.Option(help="Dossier de politique / policy folder")] = "",
    tier: Annotated[str, typer.Option(help="Catégorie / tier")] = "",
    region: Annotated[str, typer.Option(help="Région (code ou nom du temps) / region")] = "",
) -> None:
    """Les labels en vigueur un jour donné. / The labels in force on a day."""
    day, known = _day(on, None), _day(known_on, None)
    _ready()
    from django.conf import settings

    from jalon.clusters import queries
    from jalon.clusters.models import Cluster
    from jalon.core.clock import today
    from jalon.people.access import policy

    programme = programme or settings.PROGRAMME
    known_programmes = {settings.PROGRAMME, *Cluster.objects.values_list("programme", flat=True).distinct()}
    if programme not in known_programmes:
        _fail(
            T(
                "Programme « {p} » inconnu dans cette base ; présents : {list}.",
                "Programme “{p}” unknown in this database; present: {list}.",
                p=programme,
                list=", ".join(sorted(known_programmes)),
            )
        )
    day = day or today()
    tier = _one_of(tier, queries.tier_titles(), T("Catégorie", "tier"))
    region = _one_of(region, queries.region_names(policy().regions_on(day)), T("Région", "region"))
    found = queries.labels_on(day, known_on=known, programme=programme, tier=tier, region=region)
    if as_json:
        answer = {
            "on": day.isoformat(),
            "known_on": known.isoformat() if known else None,
            "programme": programme,
            "labels": [_label(row) for row in found.labels],
            "count": len(found.labels),
            "bodies": found.bodies,
            "unknown": [_label(row) for row in found.unknown],
        }
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    _print_labels(found)


def _print_labels(found: Any) -> None:
    from jalon.clusters import queries
    from jalon.ui import format as fmt

    titles = queries.tier_titles()

    def line(row: Any) -> tuple[str, ...]:
        names = [c.name for c in row.holders]
        bearer = "" if names == [row.label.name] else ", ".join(names)
        return (
            row.label.name,
            bearer,
            str(titles.get(row.label.tier, "")),
            row.since.isoformat(),
            row.until.isoformat() if row.until else "",
            str(queries.ACTS_SHORT.get(row.act.act, row.act.act)) if row.act else "",
            "" if row.certainty == "known" else str(queries.CERTAINTY_WORDS[row.certainty]),
        )

    heads = tuple(
        str(h)
        for h in (
            T("Label", "Label"),
            T("Titulaire, si autre nom", "Holder, if named otherwise"),
            T("Catégorie", "Tier"),
            T("Depuis", "Since"),
            T("Jusqu'au", "Until"),
            T("Acte", "Act"),
            T("Certitude", "Certainty"),
        )
    )
    if found.labels:
        _table(heads, [line(row) for row in found.labels])
    if found.unknown:
        typer.echo("\n" + str(T("Issue inconnue, non comptés :", "Outcome unknown, not counted:")))
        _table(heads, [line(row) for row in found.unknown])
    figures = queries.figures(found)
    total = T(
        "{day} : {n} labels en vigueur, {b} organismes titulaires ({d} déduits ; {u} d'issue inconnue).",
        "{day}: {n} labels in force, {b} bodies hold them ({d} deduced; {u} of unknown outcome).",
        day=fmt.day(found.day),
        n=figures.labels,
        b=figures.bodies,
        d=figures.deduced,
        u=figures.unknown,
    )
    typer.echo(("\n" if found.labels or found.unknown else "") + str(total))
    if any(figures.tiers):
        parts = [
            f"{titles.get(code, T('catégorie non publiée', 'tier not published'))} : {n}"
            if language() == "fr"
            else f"{titles.get(code, T('catégorie non publiée', 'tier not published'))}: {n}"
            for code, n in sorted(figures.tiers.items())
        ]
        typer.echo(" · ".join(parts))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    limits = (44, 34, 26, 10, 10, 22, 26)

    def cut(text: str, width: int) -> str:
        return text if len(text) <= width else text[: width - 1] + "…"

    cells = [[cut(c, w) for c, w in zip(row, limits, strict=True)] for row in [heads, *rows]]
    widths = [max(len(row[n]) for row in cells) for n in range(len(heads))]
    for number, row in enumerate(cells):
        typer.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            typer.echo("  ".join("-" * w for w in widths))


@register_app.command()
def show(
    slug: Annotated[str, typer.Argument(help="Nom court du pôle / short name of the cluster")],
    on: On = "",
    as_json: AsJson = False,
) -> None:
    """La fiche d'un pôle : état, actes, noms, successions, sources. / One cluster's sheet."""
    day = _day(on, None)
    _ready()
    import difflib

    from jalon.clusters import queries
    from jalon.clusters.models import Cluster
    from jalon.core.clock import today
    from jalon.ui import format as fmt

    day = day or today()
    sheet = queries.sheet(slug, day, horizon=dt.date.max)
    if sheet is None:
        slugs = list(Cluster.objects.order_by("slug").values_list("slug", flat=True))
        near = [s for s in slugs if slug and slug in s][:4] or difflib.get_close_matches(slug, slugs, n=4, cutoff=0.4)
        _fail(
            T(
                "Aucun pôle « {s} ». Proches : {near}.",
                "No cluster “{s}”. Close ones: {near}.",
                s=slug,
                near=", ".join(near) or "-",
            )
        )
        raise AssertionError
    if as_json:
        typer.echo(json.dumps(_sheet(sheet), ensure_ascii=False, indent=2))
        return
    row = sheet.row
    typer.echo(f"{row.name} ({sheet.cluster.slug})")
    typer.echo(f"{fmt.day(day)} : {row.status_title}" if language() == "fr" else f"{fmt.day(day)}: {row.status_title}")
    for title, value in (
        (T("Thèmes", "Themes"), row.theme),
        (T("Siège", "Seat"), row.city),
        (T("Régions", "Regions"), ", ".join(row.regions)),
        (T("Structure porteuse", "Carrier"), ", ".join(c.organisation.name for c in sheet.carriers)),
    ):
        typer.echo(f"  {title}: {value or fmt.unknown()}")
    typer.echo("\n" + str(T("Actes", "Acts")))
    for event in sheet.events:
        until = f" → {event.span.ends_on}" if event.span and event.span.ends_on else ""
        mark = " *" if event.current else ""
        sure = "" if event.act.certainty == "known" else f" ({queries.CERTAINTY_WORDS[event.act.certainty]})"
        decided = f" [{event.act.decided_on}]" if event.act.decided_on else ""
        typer.echo(f"  {event.act.effective_from}{until}  {event.title}{decided}{sure} – {event.label.code}{mark}")
    if sheet.links:
        typer.echo("\n" + str(T("Successions", "Successions")))
        for link in sheet.links:
            before = " + ".join([c.name for c in link.before])
            after = " + ".join([c.name for c in link.after])
            undone = f" ({T('défait', 'undone')} {link.relation.ended_on})" if link.relation.ended_on else ""
            typer.echo(f"  {link.relation.on or '?'}  {link.word}: {before} → {after or '-'}{undone}")


def _sheet(sheet: Any) -> dict[str, Any]:
    return {
        "on": sheet.day.isoformat(),
        "slug": sheet.cluster.slug,
        "name": sheet.row.name,
        "status": sheet.row.status,
        "tier": sheet.row.tier or None,
        "regions": sheet.row.regions,
        "city": sheet.row.city or None,
        "acts": [
            {
                "label": e.label.code,
                "act": e.act.act,
                "effective_from": e.act.effective_from.isoformat(),
                "until": e.span.ends_on.isoformat() if e.span and e.span.ends_on else None,
                "decided_on": e.act.decided_on.isoformat() if e.act.decided_on else None,
                "certainty": e.act.certainty,
                "in_force": e.current,
                "sources": e.act.sources,
            }
            for e in sheet.events
        ],
        "names": [{"name": n.name, "from": n.starts_on and n.starts_on.isoformat()} for n in sheet.names],
        "relations": [
            {
                "kind": link.relation.kind,
                "from": [c.slug for c in link.before],
                "to": [c.slug for c in link.after],
                "outside": link.relation.outside,
                "on": link.relation.on and link.relation.on.isoformat(),
                "ended_on": link.relation.ended_on and link.relation.ended_on.isoformat(),
            }
            for link in sheet.links
        ],
        "sources": {key: {"title": s.title, "url": s.url} for key, s in sheet.sources.items()},
    }


@register_app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="Dossier de données / data folder")] = None,
) -> None:
    """Contrôler les fichiers de données : toutes les fautes, avec fichier et ligne. / Check the data files."""
    from jalon.core.terminal import django_ready

    django_ready()
    from jalon.clusters.labels import load_register
    from jalon.clusters.queries import data_folder
    from jalon.policy.faults import PolicyFaults

    folder = folder or data_folder()
    if not folder.is_dir():
        _fail(T("Aucun dossier « {f} ».", "No folder “{f}”.", f=folder))
    try:
        register = load_register(folder)
    except PolicyFaults as error:
        for fault in error.faults:
            typer.echo(str(fault), err=True)
        _fail(T("{n} faute(s).", "{n} fault(s).", n=len(error.faults)), 1)
        raise
    typer.echo(
        str(
            T(
                "Aucune faute : {c} organismes, {n} labels, {a} actes, {s} sources.",
                "No fault: {c} bodies, {n} labels, {a} acts, {s} sources.",
                c=len(register.clusters),
                n=len(register.labels),
                a=sum(len(label.acts) for label in register.labels),
                s=len(register.sources),
            )
        )
    )


@register_app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Fichier à écrire / file to write")],
    kind: Annotated[str, typer.Option("--format", help="csv, xlsx, ods, json")] = "",
    on: On = "",
) -> None:
    """Écrire le registre d'un jour dans un fichier. / Write the register of a day to a file."""
    day = _day(on, None)
    kind = (kind or file.suffix.lstrip(".")).lower()
    if kind not in ("csv", "xlsx", "ods", "json"):
        _fail(
            T(
                "Format « {k} » inconnu ; attendu : csv, xlsx, ods ou json.",
                "Unknown format “{k}”; expected: csv, xlsx, ods or json.",
                k=kind or "-",
            )
        )
    _ready()
    from jalon.clusters import tables
    from jalon.core import sheets
    from jalon.core.clock import today

    day = day or today()
    columns, rows = tables.register(day)
    heads = [c for _, c in columns]
    count = 0

    def counted() -> Iterable[Sequence[Any]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    try:
        if kind == "csv":
            pieces: Iterable[bytes] = sheets.write_csv(heads, counted(), french=language() == "fr")
        elif kind == "json":
            pieces = sheets.write_json(heads, [k for k, _ in columns], counted())
        else:
            write = sheets.write_xlsx if kind == "xlsx" else sheets.write_ods
            with write([(str(T("Registre", "Register")), heads, counted())]) as book:
                pieces = [book.read()]
        with file.open("wb") as out:
            for piece in pieces:
                out.write(piece)
    except OSError as error:
        _fail(T("Le fichier ne peut pas être écrit : {e}.", "The file cannot be written: {e}.", e=error.strerror), 1)
    sys.stdout.flush()
    typer.echo(str(T("{n} lignes écrites dans {f}.", "{n} rows written to {f}.", n=count, f=file)))
