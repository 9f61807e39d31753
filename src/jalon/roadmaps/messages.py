"""Messages about a roadmap: what they say. Each is written in the language of the person who reads it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.faults import day_text

_WHERE = T(
    "Dans Jalon : Pôles, puis « {cluster} », puis ses feuilles de route (version {version}).",
    "In Jalon: Clusters, then “{cluster}”, then its roadmaps (version {version}).",
)


def _message(subject: Text, body: Text, roadmap: Any, **values: Any) -> tuple[Text, Text]:
    known = {
        "cluster": roadmap.cluster.name,
        "title": roadmap.title,
        "version": roadmap.version,
        **values,
    }
    return subject.format(**known), T("{body}\n\n{where}\n", "{body}\n\n{where}\n").format(
        body=body.format(**known), where=_WHERE.format(**known)
    )


def submitted(roadmap: Any, on: dt.date) -> tuple[Text, Text]:
    """To the State correspondents: a roadmap waits for their answer."""
    return _message(
        T("{cluster} : feuille de route soumise", "{cluster}: roadmap submitted"),
        T(
            "« {title} », version {version}, a été soumise à l'État le {day}. Elle attend votre lecture : "
            "vous pouvez la valider, ou la retourner avec vos motifs.",
            "“{title}”, version {version}, was submitted to the State on {day}. It waits for your reading: "
            "you may validate it, or return it with your reasons.",
        ),
        roadmap,
        day=day_text(on),
    )


def returned(roadmap: Any, on: dt.date, reason: str) -> tuple[Text, Text]:
    """To the cluster: the roadmap came back, and why."""
    return _message(
        T("{cluster} : feuille de route retournée", "{cluster}: roadmap returned"),
        T(
            "« {title} », version {version}, a été retournée le {day}. Motifs :\n\n{reason}\n\n"
            "La rédaction est de nouveau ouverte ; soumettez-la quand elle est prête.",
            "“{title}”, version {version}, was returned on {day}. Reasons:\n\n{reason}\n\n"
            "Drafting is open again; submit it when it is ready.",
        ),
        roadmap,
        day=day_text(on),
        reason=reason,
    )


def validated(roadmap: Any, on: dt.date, sha256: str) -> tuple[Text, Text]:
    """To the cluster: the roadmap is validated and frozen."""
    return _message(
        T("{cluster} : feuille de route validée", "{cluster}: roadmap validated"),
        T(
            "« {title} », version {version}, a été validée le {day}. Son texte est figé (SHA-256 : {sha256}) ; "
            "il peut être annexé au contrat.",
            "“{title}”, version {version}, was validated on {day}. Its text is frozen (SHA-256: {sha256}); "
            "it can be annexed to the contract.",
        ),
        roadmap,
        day=day_text(on),
        sha256=sha256,
    )
