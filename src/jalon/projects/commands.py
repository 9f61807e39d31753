"""``jalon call``: the calls for projects as the installation knows them.

    jalon call list [--scheme fui] [--on DAY] [--json]
    jalon call show fui-10 [--json]

Without ``--on`` everything that is known is shown, also what was published after the day on which a demonstration lives;
with it, only the calls announced by that day, and figures of which the results were out.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any

import typer

from jalon.core.errors import Refused
from jalon.core.lang import T, speaking
from jalon.core.terminal import django_ready

app = typer.Typer(no_args_is_help=True, help="Appels à projets. / Calls for projects.")
AS_JSON = typer.Option("--json", help="Pour une machine / for a machine")
LANG = typer.Option("--lang", help="fr, en")


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        typer.echo(str(T("« {d} » n'est pas un jour AAAA-MM-JJ.", "“{d}” is not a day YYYY-MM-DD.", d=text)), err=True)
        raise typer.Exit(2) from None


@app.command("list")
def list_calls(
    scheme: Annotated[str, typer.Option(help="Dispositif / scheme")] = "",
    on: Annotated[str, typer.Option(help="Tel que connu ce jour / as known on that day")] = "",
    as_json: Annotated[bool, AS_JSON] = False,
    lang: Annotated[str, LANG] = "fr",
) -> None:
    """Les appels, avec leurs chiffres publiés. / The calls, with their published figures."""
    day = _day(on)
    django_ready()
    from jalon.projects import history

    with speaking("en" if lang == "en" else "fr"):
        found = [history.card(call, day) for call in history.known_calls(day, scheme=scheme)]
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
            return
        if not found:
            typer.echo(str(T("Aucun appel.", "No call.")))
        for row in found:
            typer.echo(f"{row['code']:<16} {row['title']['en' if lang == 'en' else 'fr']}")
            typer.echo("    " + _days(row) + "; " + _figures(row))


@app.command()
def show(
    code: Annotated[str, typer.Argument(help="Code de l'appel / code of the call")],
    on: Annotated[str, typer.Option(help="Tel que connu ce jour / as known on that day")] = "",
    as_json: Annotated[bool, AS_JSON] = False,
    lang: Annotated[str, LANG] = "fr",
) -> None:
    """Un appel : jours, règles, chiffres publiés, sources. / One call: days, rules, published figures, sources."""
    day = _day(on)
    django_ready()
    from jalon.projects import history

    with speaking("en" if lang == "en" else "fr"):
        try:
            call = history.call_named(code, day)
        except Refused as refusal:
            typer.echo(str(refusal), err=True)
            raise typer.Exit(1) from None
        row = history.card(call, day, whole=True)
        if as_json:
            typer.echo(json.dumps(row, ensure_ascii=False, indent=1))
            return
        typer.echo(row["title"]["en" if lang == "en" else "fr"])
        typer.echo("  " + _days(row))
        for name, figure in row["published"].items():
            typer.echo(
                f"  {history.figure_title(name)}: {history.shown_figure(name, figure)} [{', '.join(figure['sources'])}]"
            )
        for note in row["notes"]:
            typer.echo(f"  - {note['en' if lang == 'en' else 'fr']}")
        for version in row["rules"]:
            typer.echo(f"  {T('règles, version', 'rules, version')} {version['version']}: {version['code']}")
            for rule in version["eligibility"]:
                typer.echo(f"    {rule['title']}: {rule['shown']} [{rule['reference']}]")
            for rate in version["rates"]:
                typer.echo(f"    {rate['title']}: {rate['percent']} % [{rate['reference']}]")


def _days(row: dict[str, Any]) -> str:
    names = {
        "opens_on": T("ouverture", "opening"),
        "closes_on": T("clôture", "closing"),
        "results_on": T("résultats", "results"),
    }
    return ", ".join(f"{names[name]} {row[name + '_said']}" for name in names)


def _figures(row: dict[str, Any]) -> str:
    from jalon.projects import history

    return ", ".join(
        f"{history.figure_title(name)} {history.shown_figure(name, figure)}"
        for name, figure in row["published"].items()
    ) or str(T("aucun chiffre publié trouvé", "no published figure found"))
