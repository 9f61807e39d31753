"""Where a roadmap stands, and the moves between those states."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

STATES = (
    State("draft", T("en rédaction", "being drafted"), "not_started"),
    State("submitted", T("soumise à l'État", "submitted to the State"), "on_track"),
    State("returned", T("retournée avec motifs", "returned with reasons"), "at_risk"),
    State("validated", T("validée", "validated"), "reached"),
    State("replaced", T("remplacée par une version validée", "replaced by a validated version"), "done"),
)
TITLES = {state.code: state.title for state in STATES}
TONES = {"draft": "quiet", "submitted": "info", "returned": "warn", "validated": "good", "replaced": "quiet"}
"""The tone of each state's badge."""

OPEN = ("draft", "submitted", "returned")
"""One version at a time is in one of these, per cluster and phase (the database holds it)."""

WRITABLE = ("draft", "returned")
FROZEN = ("validated", "replaced")

MOVES = (
    Move("submit", T("Soumettre à l'État", "Submit to the State"), WRITABLE, "submitted", "roadmap.submit"),
    Move(
        "return",
        T("Retourner avec motifs", "Return with reasons"),
        ("submitted",),
        "returned",
        "roadmap.review",
        reason_needed=True,
    ),
    Move("validate", T("Valider", "Validate"), ("submitted",), "validated", "roadmap.review"),
    Move("replace", T("Remplacer", "Replace"), ("validated",), "replaced", "roadmap.review"),
)
"""``replace`` is never asked for: it happens to the older version when a newer one is validated."""

ACTS = {
    "roadmap.start": T("Rédaction commencée", "Drafting begun"),
    "roadmap.frame": T("Titre ou période changés", "Title or period changed"),
    "roadmap.worded": T("Textes rédigés depuis le dernier envoi", "Texts written since it was last sent"),
    "roadmap.submit": T("Soumise à l'État", "Submitted to the State"),
    "roadmap.return": T("Retournée avec motifs", "Returned with reasons"),
    "roadmap.validate": T("Validée et figée", "Validated and frozen"),
    "roadmap.replace": T("Remplacée par une nouvelle version", "Replaced by a new version"),
}
"""What the journal's acts are called on screen."""

HORIZONS = {
    "short": T("court terme", "short term"),
    "medium": T("moyen terme", "medium term"),
}
