"""The command ``jalon``: serve, load, check, ask, prove.

Commands that need no database start without Django, so that they answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.terminal import django_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jalon.config.settings")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Jalon : conduire une politique de pôles de bout en bout. / Runs a cluster policy from end to end.",
)


def say(fr: str, en: str, **kwargs: Any) -> None:
    """One line on the terminal, in the user's language."""
    typer.echo(str(T(fr, en, **kwargs)))


def fail(message: object, code: int = 1) -> None:
    """A clear sentence on the error output, then the exit code."""
    typer.echo(str(message), err=True)
    raise typer.Exit(code)


@app.command()
def run(
    port: Annotated[int, typer.Option(help="Port / port number", min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="Adresse d'écoute / listening address")] = "127.0.0.1",
    demo: Annotated[bool, typer.Option(help="Charger la démonstration / load the demonstration")] = True,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Installer, charger le registre et la démonstration, servir. / Install, load, serve."""
    django_ready()
    from jalon.config.server import prepare, serve

    try:
        prepare(demo=demo, say=say)
        serve(host, port, workers)
    except Refused as refusal:
        fail(refusal)


@app.command()
def load(
    demo: Annotated[
        bool,
        typer.Option(help="Charger aussi la démonstration / the demonstration too"),
    ] = True,
) -> None:
    """Préparer la base sans servir. / Prepare the database without serving."""
    django_ready()
    from jalon.config.server import prepare

    try:
        prepare(demo=demo, say=say)
    except Refused as refusal:
        fail(refusal)


verify_app = typer.Typer(invoke_without_command=True)
app.add_typer(verify_app, name="verify")


@verify_app.callback()
def verify(
    context: typer.Context,
    all_breaks: Annotated[bool, typer.Option("--all", help="Toutes les ruptures / every break")] = False,
) -> None:
    """Vérifier la chaîne du journal et les textes figés. / Check the journal's chain and the frozen texts."""
    if context.invoked_subcommand is not None:
        return
    django_ready()
    from jalon.core.journal import breaks
    from jalon.core.models import DailyRoot, FrozenText, JournalEntry, JournalHead

    found = 0
    for broken in breaks():
        found += 1
        if found == 1:
            say(
                "Rupture : la première ligne qui ne correspond pas est",
                "Broken: the first row that does not fit is",
            )
        typer.echo(f"  {broken}")
        if not all_breaks:
            break
    if found:
        raise typer.Exit(1)
    say(
        "Intact : {entries} actes en {chains} chaînes, {roots} racines quotidiennes, {frozen} textes figés.",
        "Intact: {entries} acts in {chains} chains, {roots} daily roots, {frozen} frozen texts.",
        entries=JournalEntry.objects.count(),
        chains=JournalHead.objects.count(),
        roots=DailyRoot.objects.count(),
        frozen=FrozenText.objects.count(),
    )


@verify_app.command("sealed")
def verify_sealed(
    file: Annotated[Path, typer.Argument(help="Le ZIP / the ZIP")],
    sha: Annotated[
        str,
        typer.Option("--sha256", help="Empreinte du sommaire, notée à part / hash of the manifest, noted elsewhere"),
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Tout ce qui ne va pas / all that does not fit")] = False,
) -> None:
    """Vérifier un dossier contradictoire scellé, sans base ni réseau. / Check a sealed hearing file, without database or network."""
    from jalon.evaluations.sealed_check import check as faults_of, manifest_hash

    try:
        data = file.read_bytes()
    except OSError as error:
        fail(T("{f} ne se lit pas : {e}.", "{f} cannot be read: {e}.", f=file, e=error.strerror or error))
    found = faults_of(data, expected=sha)
    if found:
        say("{f} ne tient pas :", "{f} does not hold:", f=file.name)
        for fault in found if everything else found[:1]:
            typer.echo(f"  {fault}")
        if len(found) > 1 and not everything:
            say("  et {n} autre(s) : --all", "  and {n} more: --all", n=len(found) - 1)
        raise typer.Exit(1)
    say("Intact : sommaire {h}.", "Intact: manifest {h}.", h=manifest_hash(data))


@app.command()
def tick() -> None:
    """Travaux de la nuit : racine du jour, rappels, envoi du courrier. / The night's work."""
    django_ready()
    from jalon.config.server import nightly

    for line in nightly():
        typer.echo(line)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def manage(context: typer.Context) -> None:
    """Commandes de Django, pour l'exploitation. / Django's own commands, for operators."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["jalon manage", *context.args])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Tous les tests : SQLite, PostgreSQL, navigateur. / All tests."""
    from jalon.devtools import run_tests

    raise typer.Exit(run_tests(context.args))


@app.command()
def check(
    write: Annotated[
        bool, typer.Option("--write", help="Corriger ce qui peut l'être / mend what can be mended")
    ] = False,
) -> None:
    """Style, architecture, migrations, pages générées. / Style, architecture, migrations, generated pages."""
    from jalon.devtools import run_checks

    raise typer.Exit(run_checks(write=write))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context) -> None:
    """Mesures, en rapports. / Measurements, as ratios."""
    from jalon.devtools import run_bench

    raise typer.Exit(run_bench(context.args))


@app.command()
def rule(
    word: Annotated[str, typer.Argument(help="Mot cherché / word to look for")],
) -> None:
    """Où se trouve une règle : paramètre, textes, fonctions, tests. / Where a rule stands."""
    from jalon.policy.commands import rule as find_rule

    raise typer.Exit(find_rule(word) or 0)


def _mount() -> None:
    from jalon.policy.commands import policy_app

    app.add_typer(
        policy_app,
        name="policy",
        help="La politique, comme données. / The policy, as data.",
    )
    for name, module, attribute in (
        ("aid", "jalon.aid.commands", "aid_app"),
        ("register", "jalon.clusters.commands", "register_app"),
        ("contract", "jalon.contracts.commands", "contract_app"),
        ("people", "jalon.people.commands", "people_app"),
        ("call", "jalon.projects.commands", "app"),
    ):
        from importlib import import_module
        from importlib.util import find_spec

        if find_spec(module):
            app.add_typer(getattr(import_module(module), attribute), name=name)
    from jalon.decisions.commands import replay

    app.command()(replay)
    import_module("jalon.documents.commands")  # adds « contract pdf »: documents stand above contracts


def main() -> None:
    """Entry point. The terminal's language decides the language of the answers (French unless it is English)."""
    from jalon.core import lang

    spoken = (os.environ.get("JALON_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "fr")[:2]
    with lang.speaking("en" if spoken == "en" else "fr"):
        _mount()
        _run_app(app)


def _run_app(command: Callable[[], Any]) -> None:
    try:
        command()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
