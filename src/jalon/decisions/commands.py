"""``jalon replay``: the path of the policy run again on an empty database, act by act, day by day."""

from __future__ import annotations

import datetime as dt
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from jalon.core.errors import Refused
from jalon.core.lang import T


def replay(
    until: Annotated[str, typer.Option(help="Jusqu'à ce jour, AAAA-MM-JJ / up to this day")] = "2010-05-11",
    as_json: Annotated[bool, typer.Option("--json", help="L'état en JSON / the state as JSON")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Dans une base temporaire / in a temporary database")] = False,
) -> None:
    """Rejouer le chemin de la politique, acte par acte, sur une base vide. / Replay the policy's path on an empty database."""
    try:
        day = dt.date.fromisoformat(until)
    except ValueError:
        _fail(
            T(
                "« {d} » n'est pas un jour : AAAA-MM-JJ est attendu, comme 2010-05-11.",
                "“{d}” is not a day: YYYY-MM-DD is expected, such as 2010-05-11.",
                d=until,
            )
        )
    if not fresh:
        _run(day, as_json)
        return
    with tempfile.TemporaryDirectory(prefix="jalon-rejeu-") as home:
        os.environ["JALON_HOME"] = home
        os.environ.pop("JALON_DATABASE_URL", None)
        _run(day, as_json)


def _fail(message: object) -> Any:
    typer.echo(str(message), err=True)
    raise typer.Exit(1)


def _run(day: dt.date, as_json: bool) -> None:
    from jalon.core.terminal import django_ready

    django_ready()
    from django.core.management import call_command
    from django.db import OperationalError

    from jalon.decisions import replay as path

    def say(line: str) -> None:
        typer.echo(line, err=as_json)

    # A short process that keeps what it makes: looking for garbage costs more than it frees.
    gc.disable()
    started = time.monotonic()
    try:
        path.check_until(
            path.path_of(), day
        )  # before the database is made: a day that cannot be told leaves nothing behind
        _current(call_command)
        told = path.run(day, say=say)
    except OperationalError as error:
        _fail(
            T(
                "La base de données ne répond pas : {e}.",
                "The database does not answer: {e}.",
                e=str(error).strip().splitlines()[0],
            )
        )
    except Refused as refusal:
        _fail("\n".join([str(refusal.reason), *(f"  - {m}" for m in refusal.missing)]))
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    else:
        _print(told, time.monotonic() - started)
    if not told["journal"]["intact"]:
        raise typer.Exit(1)


def _current(call_command: Any) -> None:
    """Bring an empty database up to date."""
    from django.conf import settings

    Path(settings.HOME).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)


def _print(told: dict[str, Any], seconds: float) -> None:
    counts, contracts = told["counts"], told["contracts"]

    def listed(key: str) -> str:
        return ", ".join(told["names"].get(s, s) for s in told[key]) or "–"

    lines = [
        "",
        str(T("État au {d}", "State on {d}", d=told["until"])),
        str(
            T(
                "  {n} pôles labellisés, dont {k} par leur nom ({p} publiés, {by})",
                "  {n} labelled clusters, {k} by name ({p} published, {by})",
                n=counts["labelled"], k=counts["named"], p=counts["published"], by=counts["published_by"],
            )
        ),
        str(T("  renouvelés ({n}) : {l}", "  renewed ({n}): {l}", n=len(told["renewed"]), l=listed("renewed"))),
        str(T("  retirés ({n}) : {l}", "  withdrawn ({n}): {l}", n=len(told["withdrawn"]), l=listed("withdrawn"))),
        str(T("  nouveaux ({n}) : {l}", "  new ({n}): {l}", n=len(told["new"]), l=listed("new"))),
        str(
            T(
                "  contrats signés : {n} (contenu simulé) ; refusés par les règles : {r}",
                "  contracts signed: {n} (simulated content); refused by the rules: {r}",
                n=len(contracts["signed"]), r=len(contracts["refused"]),
            )
        ),
        str(
            T(
                "  examens à 18 mois dus : {l}",
                "  18-month reviews due: {l}",
                l=", ".join(f"{r['cluster']} ({r['due_on']})" for r in told["reviews_due"]) or "–",
            )
        ),
        str(
            T(
                "  {a} actes en {c} chaînes, journal {j} ; racine {r} ; empreinte de l'état {d} ; {s} s",
                "  {a} acts in {c} chains, journal {j}; root {r}; digest of the state {d}; {s} s",
                a=told["acts"], c=told["chains"],
                j=T("intact", "intact") if told["journal"]["intact"] else T("ROMPU", "BROKEN"),
                r=told["root"][:12], d=told["digest"][:12], s=round(seconds),
            )
        ),
    ]  # fmt: skip
    for line in lines:
        typer.echo(line)
