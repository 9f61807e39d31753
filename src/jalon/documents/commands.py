"""``jalon contract pdf``: a contract or one of its amendments as PDF or Word."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jalon.contracts.commands import Slug, TextNumber, contract_app, fail, find, refusals, say, text_of, write_file
from jalon.core.lang import T


@contract_app.command("pdf")
def pdf(
    slug: Slug,
    file: Annotated[Path, typer.Argument(help="FICHIER.pdf ou FICHIER.docx / the file to write", metavar="FICHIER")],
    text: TextNumber = None,
    lang: Annotated[str, typer.Option("--lang", help="Langue des intitulés, fr ou en / language of the labels")] = "",
    amendment: Annotated[
        bool, typer.Option("--amendment", help="L'avenant seul, avec sa différence / the amendment with its difference")
    ] = False,
) -> None:
    """Écrire le contrat en PDF ou en Word. / Write the contract as PDF or Word."""
    contract = find(slug)
    from jalon.contracts.exchange.actions import wrong_ending
    from jalon.core import clock
    from jalon.core.lang import LANGUAGES
    from jalon.documents import make

    kind = file.suffix.lower().lstrip(".")
    if kind not in make.TYPES:
        fail(wrong_ending(file.name, tuple(make.TYPES)), 2)
    if lang and lang not in LANGUAGES:
        fail(T("Langue inconnue : « {l} ». Attendu : fr, en.", "Unknown language: “{l}”. Expected: fr, en.", l=lang), 2)
    chosen = text_of(contract, text)
    if amendment and chosen.base_id is None:
        fail(
            T(
                "Le texte n° {n} de « {s} » n'est pas un avenant.",
                "Text no. {n} of “{s}” is no amendment.",
                n=chosen.number,
                s=slug,
            ),
            2,
        )
    with refusals():
        build = make.amendment if amendment else make.contract
        write_file(file, build(chosen, kind, on=clock.today(), lang=lang))
    say(
        T("{f} : contrat « {s} », texte n° {n}.", "{f}: contract “{s}”, text no. {n}.", f=file, s=slug, n=chosen.number)
    )
