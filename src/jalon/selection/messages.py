"""Messages of the selection: what they say. Each is written in the language of the person who reads it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.core.lang import T, Text


def assigned(project: Any, due_on: dt.date | None) -> tuple[Text, Text]:
    """To an expert: an opinion is asked for. Nothing of the file is told before the declaration of interests."""
    body = T(
        "Votre avis est demandé sur le projet {p}. Le dossier s'ouvre après votre déclaration d'intérêts.",
        "Your opinion is asked for on the project {p}. The file opens after your declaration of interests.",
        p=project.acronym,
    )
    if due_on is not None:
        body = T("{b}\n\nÀ rendre avant le {d}.\n", "{b}\n\nTo be handed in by {d}.\n", b=body, d=due_on)
    return T("Projet {p} : avis demandé", "Project {p}: opinion asked for", p=project.acronym), body


def letter(row: Any) -> tuple[Text, Text]:
    """To the people of a partner: a letter is ready."""
    return (
        T("Projet {p} : {k}", "Project {p}: {k}", p=row.project.acronym, k=LETTERS[row.kind]),
        T(
            "Une lettre concernant le projet {p} est à votre disposition dans Jalon : {k}, référence {r}, {d}.\n",
            "A letter about the project {p} is ready for you in Jalon: {k}, reference {r}, {d}.\n",
            p=row.project.acronym,
            k=LETTERS[row.kind],
            r=row.reference,
            d=row.on,
        ),
    )


LETTERS = {
    "selected": T("projet retenu", "project selected"),
    "reserve": T("liste complémentaire", "reserve list"),
    "rejected": T("projet non retenu", "project not selected"),
    "promoted": T("projet retenu depuis la liste complémentaire", "project selected from the reserve list"),
    "lost": T("sélection perdue", "selection lost"),
}
