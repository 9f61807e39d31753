"""Where a report stands, and how it moves."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

OPEN, SUBMITTED, RETURNED, VALIDATED = "open", "submitted", "returned", "validated"

STATES = (
    State(OPEN, T("à remplir", "to fill in"), "not_started"),
    State(SUBMITTED, T("soumis", "submitted"), "on_track"),
    State(RETURNED, T("retourné", "returned"), "at_risk"),
    State(VALIDATED, T("validé", "validated"), "reached"),
)
TITLES = {s.code: s.title for s in STATES}
TONES = {OPEN: "quiet", SUBMITTED: "info", RETURNED: "warn", VALIDATED: "good"}
EDITABLE = (OPEN, RETURNED)

MOVES = (
    Move("submit", T("Soumettre", "Submit"), EDITABLE, SUBMITTED, "observation.submit"),
    Move("return", T("Retourner", "Return"), (SUBMITTED,), RETURNED, "observation.validate", reason_needed=True),
    Move("validate", T("Valider", "Validate"), (SUBMITTED,), VALIDATED, "observation.validate"),
    Move("reopen", T("Rouvrir", "Reopen"), (VALIDATED,), RETURNED, "observation.validate", reason_needed=True),
    Move("extend", T("Prolonger le délai", "Give more time"), EDITABLE, "", "observation.validate", reason_needed=True),
)

ACTION_STATUSES = {
    "not_started": T("pas commencée", "not started"),
    "on_track": T("en cours, en bonne voie", "under way, on track"),
    "at_risk": T("en cours, à surveiller", "under way, at risk"),
    "late": T("en cours, en retard", "under way, late"),
    "done": T("achevée", "done"),
    "cancelled": T("abandonnée", "given up"),
}
OBJECTIVE_STATUSES = {
    "on_track": T("en bonne voie", "on track"),
    "at_risk": T("à surveiller", "at risk"),
    "reached": T("atteint", "reached"),
    "missed": T("manqué", "missed"),
}
STEPS = {
    "decided": T("décidé", "decided"),
    "paid": T("versé", "paid"),
    "delivered": T("rendu", "delivered"),
    "refused": T("refusé", "refused"),
    "released": T("n'est plus dû", "no longer due"),
    "contested": T("non reçu, dit le pôle", "not received, says the cluster"),
}

BUDGET = {
    "state": T("État", "State"),
    "local": T("Collectivités", "Local authorities"),
    "europe": T("Europe", "Europe"),
    "fees": T("Cotisations", "Fees"),
    "services": T("Prestations", "Paid services"),
    "sponsorship": T("Mécénat", "Sponsorship"),
    "in_kind": T("Contributions en nature", "Contributions in kind"),
}

ACTS = {
    "budget.declare": T("Budget d'animation déclaré", "Running budget declared"),
    "action.progress": T("Avancement d'une action", "Progress of an action"),
    "commitment.decided": T("Engagement décidé", "Commitment decided"),
    "commitment.delivered": T("Appui apporté", "Support delivered"),
    "commitment.contested": T("Engagement contesté", "Commitment contested"),
    "commitment.not_received": T("Versement non reçu", "Payment not received"),
    "commitment.paid": T("Versement déclaré", "Payment declared"),
    "commitment.refused": T("Engagement refusé", "Commitment refused"),
    "commitment.released": T("Engagement qui n'est plus dû", "Commitment no longer due"),
    "milestone.progress": T("Avancement d'un jalon", "Progress of a milestone"),
    "objective.contest": T("État d'un objectif contesté", "State of an objective contested"),
    "objective.state": T("État d'un objectif déclaré", "State of an objective declared"),
    "objective.validate": T("État d'un objectif validé", "State of an objective validated"),
    "report.extend": T("Délai du suivi prolongé", "Report given more time"),
    "report.open": T("Suivi ouvert", "Report opened"),
    "report.remind": T("Rappel envoyé", "Reminder sent"),
    "report.reopen": T("Suivi rouvert", "Report opened again"),
    "report.return": T("Suivi retourné", "Report returned"),
    "report.submit": T("Suivi soumis", "Report submitted"),
    "report.validate": T("Suivi validé", "Report validated"),
    "value.draft": T("Valeur saisie", "Value entered"),
}
"""What the journal's acts are called on screen."""
