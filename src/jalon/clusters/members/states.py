"""Where an import of members is, and what a row of it turns out to be."""

from __future__ import annotations

from dataclasses import dataclass

from jalon.core.lang import T, Text


@dataclass(frozen=True)
class BatchState:
    """A state of an import: its name, the tone of its badge, whether a task is running in it, whether it is over."""

    code: str
    title: Text
    tone: str
    running: bool = False
    over: bool = False


STATES = {
    s.code: s
    for s in (
        BatchState("reading", T("lecture en cours", "being read"), "info", running=True),
        BatchState("to_confirm", T("colonnes à confirmer", "columns to confirm"), "warn"),
        BatchState("checking", T("contrôle en cours", "being checked"), "info", running=True),
        BatchState("previewed", T("aperçu prêt, rien n'est écrit", "preview ready, nothing written"), "warn"),
        BatchState("accepting", T("écriture en cours", "being written"), "info", running=True),
        BatchState("accepted", T("importé", "imported"), "good", over=True),
        BatchState("abandoned", T("abandonné", "abandoned"), "quiet", over=True),
        BatchState("failed", T("illisible", "unreadable"), "bad", over=True),
    )
}

BEFORE = {"reading": "reading", "checking": "to_confirm", "accepting": "previewed"}
"""Where a task that was cut off starts again: nothing of it was written."""


@dataclass(frozen=True)
class Verdict:
    """What a row turns out to be. ``writes``: accepting it changes the register."""

    code: str
    title: Text
    plural: Text
    tone: str
    writes: bool = False


VERDICTS = {
    v.code: v
    for v in (
        Verdict("error", T("erreur", "error"), T("en erreur", "in error"), "bad"),
        Verdict(
            "new_organisation",
            T("nouvel organisme et adhésion", "new organisation and membership"),
            T("nouveaux organismes, avec leur adhésion", "new organisations, with their membership"),
            "good",
            True,
        ),
        Verdict(
            "new_member",
            T("nouvelle adhésion", "new membership"),
            T("nouvelles adhésions d'organismes connus", "new memberships of known organisations"),
            "good",
            True,
        ),
        Verdict(
            "type_change",
            T("changement de type", "change of type"),
            T("changements de type", "changes of type"),
            "info",
            True,
        ),
        Verdict("departure", T("départ", "departure"), T("départs", "departures"), "info", True),
        Verdict("correction", T("correction", "correction"), T("corrections", "corrections"), "info", True),
        Verdict("size_change", T("nouvelle taille", "new size"), T("nouvelles tailles", "new sizes"), "info", True),
        Verdict(
            "duplicate",
            T("doublon dans le fichier", "duplicate in the file"),
            T("doublons dans le fichier", "duplicates in the file"),
            "quiet",
        ),
        Verdict(
            "ignored",
            T("ligne sans membre", "row without member"),
            T("lignes sans membre (totaux, titres)", "rows without member (totals, headings)"),
            "quiet",
        ),
        Verdict("unchanged", T("inchangée", "unchanged"), T("inchangées", "unchanged"), "quiet"),
    )
}
WRITES = tuple(code for code, verdict in VERDICTS.items() if verdict.writes)
