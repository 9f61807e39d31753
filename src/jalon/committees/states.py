"""Where a session stands, what a decision becomes, and what the acts are called."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

STATES = (
    State("planned", T("prévue", "planned"), "not_started"),
    State("convened", T("convoquée", "convened"), "not_yet_due"),
    State("open", T("en séance", "in session"), "on_track"),
    State("held", T("tenue, compte rendu à écrire", "held, minutes to be written"), "at_risk"),
    State("circulated", T("projet de compte rendu diffusé", "draft minutes circulated"), "on_track"),
    State("adopted", T("compte rendu adopté", "minutes adopted"), "done"),
    State("postponed", T("reportée", "postponed"), "cancelled"),
    State("cancelled", T("annulée", "cancelled"), "cancelled"),
)
TITLES = {state.code: state.title for state in STATES}
TONES = {
    "planned": "quiet",
    "convened": "info",
    "open": "good",
    "held": "warn",
    "circulated": "info",
    "adopted": "good",
    "postponed": "quiet",
    "cancelled": "quiet",
}

TO_COME = ("planned", "convened")
RUNNING = ("planned", "convened", "open")
WRITABLE = ("planned", "convened", "open", "held", "circulated")
HELD = ("held", "circulated", "adopted")
AGENDA_OPEN = ("planned", "convened", "open")

MOVES = (
    Move("convene", T("Convoquer", "Convene"), ("planned",), "convened", "committee.manage"),
    Move("postpone", T("Reporter", "Postpone"), TO_COME, "postponed", "committee.manage", reason_needed=True),
    Move("cancel", T("Annuler", "Cancel"), TO_COME, "cancelled", "committee.manage", reason_needed=True),
    Move("open", T("Ouvrir la séance", "Open the session"), ("convened",), "open", "committee.manage"),
    Move("close", T("Lever la séance", "Close the session"), ("open",), "held", "committee.manage"),
    Move(
        "circulate",
        T("Diffuser le projet de compte rendu", "Circulate the draft minutes"),
        ("held", "circulated"),
        "circulated",
        "committee.manage",
    ),
    Move("adopt", T("Adopter le compte rendu", "Adopt the minutes"), ("circulated",), "adopted", "committee.manage"),
)

FOLLOW_UP_STATES = (
    State("open", T("à faire", "to do"), "not_yet_due"),
    State("done", T("faite", "done"), "done"),
    State("dropped", T("abandonnée", "dropped"), "cancelled"),
)
FOLLOW_UP_TITLES = {state.code: state.title for state in FOLLOW_UP_STATES}
FOLLOW_UP_MOVES = (
    Move("done", T("Dire qu'elle est faite", "Say that it is done"), ("open",), "done", "committee.attend"),
    Move("drop", T("Abandonner", "Drop"), ("open",), "dropped", "committee.manage", reason_needed=True),
    Move("reopen", T("Rouvrir", "Reopen"), ("done", "dropped"), "open", "committee.manage", reason_needed=True),
)

ITEM_KINDS = {
    "information": T("information", "information"),
    "discussion": T("échange", "discussion"),
    "opinion": T("avis", "opinion"),
    "decision": T("décision", "decision"),
}

FOLLOW_UP_KINDS = {
    "action": T("action", "action"),
    "amendment": T("avenant à un contrat", "amendment of a contract"),
    "payment": T("paiement ou engagement", "payment or commitment"),
    "review": T("examen", "review"),
    "paper": T("pièce à apporter", "paper to bring"),
    "reminder": T("relance", "reminder"),
}

PRESENCES = {
    "present": T("présent", "present"),
    "remote": T("à distance", "remote"),
    "represented": T("représenté", "represented"),
    "excused": T("excusé", "excused"),
    "absent": T("absent", "absent"),
}
HERE = ("present", "remote")

CHOICES = {"for": T("pour", "for"), "against": T("contre", "against"), "abstain": T("abstention", "abstention")}

OUTCOMES = {
    "adopted": T("adopté", "adopted"),
    "rejected": T("rejeté", "rejected"),
    "tie": T("partage des voix, rejeté", "tie, rejected"),
    "consensus": T("accord de tous", "agreed by all"),
    "no_consensus": T("pas d'accord", "no agreement"),
}
OUTCOME_TONES = {"adopted": "good", "consensus": "good", "rejected": "bad", "tie": "bad", "no_consensus": "warn"}

ACTS = {
    "committee.create": T("Comité créé", "Committee created"),
    "committee.change": T("Comité modifié", "Committee changed"),
    "committee.end": T("Comité clos", "Committee ended"),
    "committee.seat": T("Siège attribué", "Seat given"),
    "committee.seat_end": T("Siège quitté", "Seat left"),
    "committee.substitute": T("Suppléant désigné", "Substitute named"),
    "session.plan": T("Séance prévue", "Session planned"),
    "session.propose": T("Séance proposée d'après le rythme", "Session proposed by the rhythm"),
    "session.move": T("Date ou lieu changés", "Date or place changed"),
    "session.agenda": T("Ordre du jour construit", "Agenda built"),
    "session.item_add": T("Point ajouté", "Item added"),
    "session.item_move": T("Ordre des points changé", "Order of items changed"),
    "session.item_drop": T("Point écarté", "Item dropped"),
    "session.item_restore": T("Point remis", "Item put back"),
    "session.paper": T("Pièce jointe", "Paper attached"),
    "session.convene": T("Séance convoquée", "Session convened"),
    "session.postpone": T("Séance reportée", "Session postponed"),
    "session.cancel": T("Séance annulée", "Session cancelled"),
    "session.open": T("Séance ouverte", "Session opened"),
    "session.chair": T("Présidence de séance", "Chair of the session"),
    "session.presence": T("Présence", "Attendance"),
    "session.close": T("Séance levée", "Session closed"),
    "session.circulate": T("Projet de compte rendu diffusé", "Draft minutes circulated"),
    "session.adopt": T("Compte rendu adopté et figé", "Minutes adopted and frozen"),
    "session.decide": T("Décision", "Decision"),
    "ballot.open": T("Scrutin ouvert", "Vote opened"),
    "ballot.cast": T("Vote", "Vote"),
    "ballot.close": T("Scrutin clos", "Vote closed"),
    "follow_up.create": T("Suite à donner", "Follow-up"),
    "follow_up.change": T("Suite modifiée", "Follow-up changed"),
    "follow_up.done": T("Suite faite", "Follow-up done"),
    "follow_up.drop": T("Suite abandonnée", "Follow-up dropped"),
    "follow_up.reopen": T("Suite rouverte", "Follow-up reopened"),
}
"""What the journal's acts are called on screen."""
