"""States of an observation: a draft is the pôle's own, a validated value is everybody's."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import State

DRAFT, SUBMITTED, RETURNED, VALIDATED = "draft", "submitted", "returned", "validated"

STATES = (
    State(DRAFT, T("brouillon", "draft"), "not_started"),
    State(SUBMITTED, T("soumise", "submitted"), "on_track"),
    State(RETURNED, T("retournée", "returned"), "at_risk"),
    State(VALIDATED, T("validée", "validated"), "reached"),
)
TITLES = {state.code: state.title for state in STATES}
TONES = {DRAFT: "quiet", SUBMITTED: "info", RETURNED: "warn", VALIDATED: "good"}

ORIGINS = {
    "declared": T("déclarée par le pôle", "declared by the cluster"),
    "computed": T("calculée à partir du registre", "computed from the records"),
    "survey": T("enquête", "survey"),
    "evaluator": T("évaluateur", "evaluator"),
}

ACTS = {
    "indicators.compute": T("Indicateurs calculés", "Indicators computed"),
}
"""What the journal's acts are called on screen."""
