"""Where a selection, an assessment, a consensus and a scenario stand; the moves; what the acts are called."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

STATES = (
    State("assessment", T("en instruction", "under assessment"), "on_track"),
    State("decided", T("liste arrêtée", "list decided"), "decided"),
    State("announced", T("résultats annoncés", "results announced"), "reached"),
)
TITLES = {state.code: state.title for state in STATES}
TONES = {"assessment": "info", "decided": "warn", "announced": "good"}

MOVES = (
    Move("decide", T("Arrêter la liste", "Decide the list"), ("assessment",), "decided", "selection.decide"),
    Move(
        "announce", T("Annoncer les résultats", "Announce the results"), ("decided",), "announced", "selection.decide"
    ),
)

ASSESSMENT_STATES = (
    State("asked", T("avis demandé", "opinion asked for"), "not_started"),
    State("submitted", T("avis rendu", "opinion handed in"), "done"),
    State("withdrawn", T("retiré", "withdrawn"), "cancelled"),
)
ASSESSMENT_TITLES = {state.code: state.title for state in ASSESSMENT_STATES}
ASSESSMENT_MOVES = (
    Move("submit", T("Rendre l'avis", "Hand in the opinion"), ("asked",), "submitted", "selection.instruct"),
    Move(
        "withdraw",
        T("Retirer l'expert", "Withdraw the expert"),
        ("asked",),
        "withdrawn",
        "selection.manage",
        reason_needed=True,
    ),
)

CONSENSUS_STATES = (
    State("open", T("en séance", "in session"), "on_track"),
    State("closed", T("note de consensus arrêtée", "consensus score fixed"), "done"),
)
CONSENSUS_TITLES = {state.code: state.title for state in CONSENSUS_STATES}
CONSENSUS_MOVES = (
    Move("close", T("Arrêter le consensus", "Fix the consensus"), ("open",), "closed", "selection.manage"),
    Move(
        "reopen",
        T("Rouvrir le consensus", "Open the consensus again"),
        ("closed",),
        "open",
        "selection.manage",
        reason_needed=True,
    ),
)

SCENARIO_STATES = (
    State("draft", T("à l'étude", "being studied"), "not_started"),
    State("chosen", T("liste arrêtée", "list decided"), "decided"),
    State("dropped", T("abandonné", "dropped"), "cancelled"),
)
SCENARIO_TITLES = {state.code: state.title for state in SCENARIO_STATES}
SCENARIO_MOVES = (
    Move("choose", T("Arrêter cette liste", "Decide this list"), ("draft",), "chosen", "selection.decide"),
    Move("drop", T("Abandonner", "Drop"), ("draft",), "dropped", "selection.manage"),
)

OPINIONS = {
    "favourable": T("favorable", "favourable"),
    "reserved": T("réservé", "reserved"),
    "unfavourable": T("défavorable", "unfavourable"),
}
OPINION_TONES = {"favourable": "good", "reserved": "warn", "unfavourable": "bad"}

OUTCOMES = {
    "selected": T("retenu", "selected"),
    "reserve": T("liste complémentaire", "reserve list"),
    "rejected": T("non retenu", "rejected"),
    "lost": T("sélection perdue", "selection lost"),
}
OUTCOME_TONES = {"selected": "good", "reserve": "warn", "rejected": "bad", "lost": "bad"}

SOURCES = {
    "state": T("État", "State"),
    "region": T("région", "region"),
    "department": T("département", "department"),
    "city": T("ville ou intercommunalité", "city or grouping of towns"),
    "europe": T("Union européenne", "European Union"),
    "other": T("autre", "other"),
}
INSTRUMENTS = {
    "grant": T("subvention", "grant"),
    "repayable_advance": T("avance remboursable", "repayable advance"),
}

TIE_RULES = {
    "shared": T(
        "Rang partagé : les ex æquo ont le même rang et le suivant saute d'autant ; la liste les départage par un motif écrit.",
        "Shared rank: ties have the same rank and the next one skips as many; the list parts them by a written reason.",
    ),
    "criteria": T(
        "Départage par critères : à total égal, la note du premier critère choisi, puis du suivant ; ce qui reste égal partage le rang.",
        "Parted by criteria: when totals are equal, the score of the first chosen criterion, then the next; what stays equal shares the rank.",
    ),
}

ACTS = {
    "selection.open": T("Sélection ouverte", "Selection opened"),
    "selection.criterion": T("Critère ajouté pour l'exercice", "Criterion added for the exercise"),
    "selection.rules": T("Poids, seuils ou départage fixés", "Weights, thresholds or tie-breaking set"),
    "selection.envelope": T("Enveloppe fixée", "Envelope set"),
    "selection.assign": T("Expert désigné", "Expert assigned"),
    "selection.withdraw_expert": T("Expert retiré", "Expert withdrawn"),
    "selection.assessed": T("Avis d'expert rendu", "Expert opinion handed in"),
    "selection.consensus_open": T("Consensus ouvert", "Consensus opened"),
    "selection.consensus": T("Note de consensus arrêtée", "Consensus score fixed"),
    "selection.intend": T("Intention d'un financeur", "Intention of a funder"),
    "selection.fund": T("Décision d'un financeur", "Decision of a funder"),
    "selection.scenario": T("Scénario de liste enregistré", "Scenario of a list saved"),
    "selection.drop_scenario": T("Scénario abandonné", "Scenario dropped"),
    "selection.decide": T("Liste arrêtée", "List decided"),
    "selection.outcome": T("Décision sur le projet", "Decision on the project"),
    "selection.promote": T("Repris de la liste complémentaire", "Promoted from the reserve list"),
    "selection.release": T("Sélection perdue, crédits rendus", "Selection lost, money returned"),
    "selection.announce": T("Résultats annoncés", "Results announced"),
    "selection.letter": T("Lettre établie", "Letter drawn up"),
}
"""What the journal's acts are called on screen."""
