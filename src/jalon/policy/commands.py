"""``jalon policy check|show|list`` and ``jalon rule``: the policy on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from jalon.core.lang import T, speaking, typography
from jalon.policy import find, vocabulary
from jalon.policy.faults import NoValueInForce, PolicyFaults, UnknownParameter, day_text
from jalon.policy.loader import load, programmes
from jalon.policy.policy import Policy

policy_app = typer.Typer(no_args_is_help=True, add_completion=False)


def _say(text: object = "") -> None:
    typer.echo(str(text))


def _stop(text: object) -> typer.Exit:
    typer.echo(str(text), err=True)
    return typer.Exit(1)


@policy_app.command()
def check(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Dossier d'un programme (sans lui : tous) / a programme's folder (without it: all)"),
    ] = None,
) -> None:
    """Vérifier les dossiers : toutes les fautes à la fois. / Check the folders: all faults at once."""
    folders = [folder] if folder is not None else list(programmes().values())
    if not folders:
        raise _stop(T("Aucun programme trouvé : policies/ est vide.", "No programme found: policies/ is empty."))
    wrong = 0
    for path in folders:
        try:
            policy = load(str(path))
        except PolicyFaults as error:
            wrong += len(error.faults)
            for fault in error.faults:
                typer.echo(str(fault), err=True)
        else:
            _say(
                T(
                    "{slug} : en ordre (paramètres datés : {p}, indicateurs : {i}, modèles de contrat : {c}, rôles : {r}).",
                    "{slug}: in order (dated parameters: {p}, indicators: {i}, contract templates: {c}, roles: {r}).",
                    slug=policy.slug,
                    p=len(policy.parameters),
                    i=len(policy.indicators),
                    c=len(policy.contract_templates),
                    r=len(policy.roles),
                )
            )
    if wrong:
        raise _stop(T("{n} faute.", "{n} fault.", n=wrong) if wrong == 1 else T("{n} fautes.", "{n} faults.", n=wrong))


@policy_app.command()
def show(
    path: Annotated[str, typer.Argument(help="evaluations.mid_term_review_after")],
    on: Annotated[str, typer.Option("--on", help="Jour AAAA-MM-JJ / day YYYY-MM-DD")],
    programme: Annotated[str, typer.Option(help="Programme / programme")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    lang: Annotated[str, typer.Option(help="fr, en")] = "",
) -> None:
    """La valeur en vigueur un jour, son unité, sa référence. / The value in force on a day, unit and reference."""
    with speaking("en" if lang == "en" else "fr") if lang else nullcontext():
        try:
            day = date.fromisoformat(on)
        except ValueError:
            raise _stop(
                T(
                    "--on : trouvé « {on} », attendu une date AAAA-MM-JJ.",
                    "--on: found “{on}”, expected a date YYYY-MM-DD.",
                    on=on,
                )
            ) from None
        policy = one_programme(programme)
        try:
            why = policy.explain(path, day)
        except (NoValueInForce, UnknownParameter) as error:
            if as_json:
                typer.echo(json.dumps(_nothing(path, day, error), ensure_ascii=False, indent=2))
                raise typer.Exit(1) from None
            raise _stop(error) from None
        if as_json:
            typer.echo(json.dumps(_plain(why), ensure_ascii=False, indent=2))
            return
        _say(why["title"])
        value = value_text(why["value"])
        if why["unit"] not in ("yes_no", "code", "day"):
            value = f"{value} {why['unit_title']}"
        _say(f"  {value}")
        until = T(" jusqu’au {d}", " until {d}", d=day_text(why["until"])) if why["until"] else T("", "")
        _say(T("  depuis le {d}{u}", "  since {d}{u}", d=day_text(why["since"]), u=until))
        _say(T("  texte : {r}", "  text: {r}", r=why["reference"]))
        if why["url"]:
            _say(f"  {why['url']}")
        if why["reading"]:
            _say(T("  lecture de Jalon, non publiée comme telle", "  our reading, not published as such"))
        if why["to_confirm"]:
            _say(T("  à confirmer sur le texte officiel", "  to be confirmed on the official text"))
        _say(f"  {why['where']}")


@policy_app.command("list")
def list_programmes() -> None:
    """Les programmes que l'on peut charger. / The programmes that can be loaded."""
    for slug, folder in programmes().items():
        try:
            policy = load(folder)
        except PolicyFaults as error:
            _say(T("{s} : {n} faute(s)", "{s}: {n} fault(s)", s=slug, n=len(error.faults)))
            continue
        example = T(" — exemple inventé", " — invented example") if policy.example else T("", "")
        _say(f"{slug}: {policy.title} ({policy.country}, {policy.currency}){example}")


def rule(word: str) -> int:
    """Print where a rule stands; 0 when something was found, 1 with a sentence when nothing was."""
    sought = find.plain(word)
    found = False
    if sought:
        for folder in programmes().values():
            try:
                found = _rule_in(load(folder), sought) or found
            except PolicyFaults as error:
                typer.echo(str(error), err=True)
        found = _places(T("Fonctions", "Functions"), find.functions(sought)) or found
        found = _places(T("Tests", "Tests"), find.tests(sought)) or found
    if not found:
        typer.echo(
            str(
                T(
                    "Rien ne porte « {w} » : ni paramètre, ni modèle, ni indicateur, ni fonction de règle, ni test.",
                    "Nothing holds “{w}”: no parameter, template, indicator, rule function or test.",
                    w=word,
                )
            ),
            err=True,
        )
        return 1
    return 0


def _rule_in(policy: Policy, sought: str) -> bool:
    histories = list(find.parameters(policy, sought))
    places = [*find.words(policy, sought), *find.records(policy, sought)]
    if not histories and not places:
        return False
    example = T(" (exemple inventé)", " (invented example)") if policy.example else T("", "")
    _say(f"== {policy.title}{example}")
    for history in histories:
        _say(f"{history.file}:{history.line}: {history.path}")
        _say(f"  {history.title} ({vocabulary.unit_text(history.unit)})")
        for value in history.values:
            span = value.since.isoformat() + (f" – {value.until.isoformat()}" if value.until else "")
            reading = T(" [lecture de Jalon]", " [our reading]") if value.reading else ""
            _say(f"  {span}: {value_text(value.value)} — {typography(str(value.reference))}{reading}")
    # A part that several templates share is written once: print it once.
    shared = {(place.file, place.line): place for place in reversed(places)}
    for place in sorted(shared.values(), key=lambda p: (p.file, p.line)):
        _say(place)
    _say()
    return True


def _places(title: object, places: Iterable[find.Place]) -> bool:
    found = list(places)
    if found:
        _say(f"== {title}")
        for place in found:
            _say(place)
        _say()
    return bool(found)


def one_programme(programme: str) -> Policy:
    known = programmes()
    if not programme:
        real = [slug for slug, folder in known.items() if not _is_example(folder)]
        if len(real) != 1:
            raise _stop(
                T(
                    "Dites lequel avec --programme : {k}.",
                    "Say which one with --programme: {k}.",
                    k=", ".join(known) or "—",
                )
            )
        programme = real[0]
    if programme not in known:
        raise _stop(
            T(
                "Le programme « {p} » n’existe pas ; il y a {k}.",
                "There is no programme “{p}”; there is {k}.",
                p=programme,
                k=", ".join(known) or "—",
            )
        )
    try:
        return load(known[programme])
    except PolicyFaults as error:
        raise _stop(error) from None


def _is_example(folder: Path) -> bool:
    try:
        return load(folder).example
    except PolicyFaults:
        return False


def value_text(value: Any) -> str:
    """A value as people read it; a list is joined by commas."""
    if isinstance(value, tuple):
        return ", ".join(value_text(v) for v in value)
    if isinstance(value, bool):
        return str(T("oui", "yes") if value else T("non", "no"))
    if isinstance(value, date):
        return str(day_text(value))
    if isinstance(value, int | Decimal):
        return str(T(f"{value:,}".replace(",", "\u202f").replace(".", ","), f"{value:,}"))
    return str(value)


def _nothing(path: str, day: date, error: NoValueInForce | UnknownParameter) -> dict[str, Any]:
    out: dict[str, Any] = {"path": path, "day": day.isoformat(), "value": None, "reason": str(error)}
    if isinstance(error, NoValueInForce):
        for name in ("next_since", "last_until"):
            moment = getattr(error, name)
            out[name] = moment.isoformat() if moment else None
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value) if value != value.to_integral_value() else int(value)
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return str(value)
