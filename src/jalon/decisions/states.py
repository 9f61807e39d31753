"""Where decision files, applications and phases stand, and the moves between those states."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

STATES = (
    State("draft", T("proposition en rédaction", "proposal being written"), "not_started"),
    State("opinions", T("avis demandés", "opinions asked for"), "on_track"),
    State("decided", T("décidé", "decided"), "done"),
    State("dropped", T("abandonné", "dropped"), "cancelled"),
)
TITLES = {state.code: state.title for state in STATES}
TONES = {"draft": "quiet", "opinions": "info", "decided": "good", "dropped": "quiet"}

MOVES = (
    Move("submit", T("Demander les avis", "Ask for the opinions"), ("draft",), "opinions", "decision.propose"),
    Move(
        "return",
        T("Reprendre la proposition", "Take the proposal up again"),
        ("opinions",),
        "draft",
        "decision.propose",
        reason_needed=True,
    ),
    Move("opine", T("Rendre un avis", "Give an opinion"), ("opinions",), "opinions", "decision.opine"),
    Move("decide", T("Décider", "Decide"), ("opinions",), "decided", "decision.decide"),
    Move(
        "drop",
        T("Abandonner la proposition", "Drop the proposal"),
        ("draft", "opinions"),
        "dropped",
        "decision.propose",
        reason_needed=True,
    ),
    Move("publish", T("Publier", "Publish"), ("decided",), "decided", "decision.notify"),
    Move("notify", T("Notifier", "Notify"), ("decided",), "decided", "decision.notify"),
)

CALL_STATES = (
    State("preparing", T("en préparation", "being prepared"), "not_started"),
    State("open", T("ouvert", "open"), "on_track"),
    State("closed", T("clos, en examen", "closed, under review"), "on_track"),
    State("decided", T("décidé", "decided"), "done"),
)
CALL_TITLES = {state.code: state.title for state in CALL_STATES}
CALL_TONES = {"preparing": "quiet", "open": "good", "closed": "info", "decided": "quiet"}
CALL_MOVES = (
    Move("open", T("Ouvrir l'appel", "Open the call"), ("preparing",), "open", "candidacy.manage"),
    Move("close", T("Clore l'appel", "Close the call"), ("open",), "closed", "candidacy.manage"),
    Move("rank", T("Arrêter le classement", "Settle the ranking"), ("closed",), "closed", "candidacy.manage"),
    Move("finish", T("Clore l'examen", "End the review"), ("closed",), "decided", "candidacy.manage"),
)

CANDIDACY_STATES = (
    State("draft", T("en rédaction", "being written"), "not_started"),
    State("submitted", T("déposée", "submitted"), "on_track"),
    State("labelled", T("labellisée", "labelled"), "reached"),
    State("refused", T("non retenue", "not accepted"), "missed"),
    State("sent_back", T("renvoyée à une étude", "sent back for study"), "at_risk"),
    State("attached", T("rattachée à un pôle existant", "attached to an existing cluster"), "done"),
    State("withdrawn", T("retirée", "withdrawn"), "cancelled"),
)
CANDIDACY_TITLES = {state.code: state.title for state in CANDIDACY_STATES}
CANDIDACY_TONES = {
    "draft": "quiet",
    "submitted": "info",
    "labelled": "good",
    "refused": "bad",
    "sent_back": "warn",
    "attached": "info",
    "withdrawn": "quiet",
}
CANDIDACY_MOVES = (
    Move("submit", T("Déposer", "Submit"), ("draft",), "submitted", "candidacy.submit"),
    Move("withdraw", T("Retirer", "Withdraw"), ("draft", "submitted"), "withdrawn", "candidacy.submit"),
    Move("review", T("Rendre un avis", "Give an opinion"), ("submitted",), "submitted", "candidacy.review"),
    Move("label", T("Labelliser", "Grant the label"), ("submitted",), "labelled", "decision.decide"),
    Move("refuse", T("Ne pas retenir", "Not accept"), ("submitted",), "refused", "decision.decide"),
    Move(
        "send_back",
        T("Renvoyer à une étude", "Send back for study"),
        ("submitted",),
        "sent_back",
        "candidacy.manage",
        reason_needed=True,
    ),
    Move(
        "attach",
        T("Rattacher à un pôle existant", "Attach to an existing cluster"),
        ("submitted",),
        "attached",
        "candidacy.manage",
        reason_needed=True,
    ),
)
"""``label`` and ``refuse`` are never asked for: a decision of the authority makes them."""

APPEAL_KINDS = {
    "gracieux": T("recours gracieux (à l'autorité)", "appeal to the authority"),
    "contentieux": T("recours contentieux (au juge)", "appeal to the judge"),
}
APPEAL_OUTCOMES = {
    "rejected": T("rejeté", "rejected"),
    "upheld": T("accueilli", "upheld"),
    "withdrawn": T("retiré", "withdrawn"),
}
CHANNELS = {
    "letter": T("lettre recommandée", "registered letter"),
    "hand": T("remise en main propre", "handed over"),
    "mail": T("courrier électronique", "e-mail"),
}

ACTS = {
    "decision.open": T("Dossier de décision ouvert", "Decision file opened"),
    "decision.lines": T("Proposition modifiée", "Proposal changed"),
    "decision.submit": T("Avis demandés", "Opinions asked for"),
    "decision.return": T("Proposition reprise", "Proposal taken up again"),
    "decision.opinion": T("Avis rendu sur une décision", "Opinion given on a decision"),
    "decision.decide": T("Décision prise", "Decision taken"),
    "decision.drop": T("Proposition abandonnée", "Proposal dropped"),
    "decision.publish": T("Décision publiée", "Decision published"),
    "decision.notify": T("Décision notifiée", "Decision notified"),
    "decision.received": T("Notification reçue", "Notification received"),
    "decision.appeal": T("Recours enregistré", "Appeal recorded"),
    "decision.appeal_answered": T("Réponse à un recours", "Appeal answered"),
    "decision.conditions_met": T("Conditions levées", "Conditions met"),
    "decision.known": T("Décision réelle, inscrite d'après ses sources", "Real decision, entered from its sources"),
    "candidacy-call.add": T("Appel à candidatures préparé", "Call for applications prepared"),
    "candidacy-call.known": T("Appel réel, inscrit d'après ses sources", "Real call, entered from its sources"),
    "candidacy-call.open": T("Appel à candidatures ouvert", "Call for applications opened"),
    "candidacy-call.close": T("Appel à candidatures clos", "Call for applications closed"),
    "candidacy-call.rank": T("Classement arrêté", "Ranking settled"),
    "candidacy-call.finish": T("Examen des candidatures terminé", "Review of applications ended"),
    "candidacy.known": T(
        "Candidature réelle, inscrite d'après ses sources", "Real application, entered from its sources"
    ),
    "candidacy.start": T("Candidature commencée", "Application begun"),
    "candidacy.edit": T("Candidature modifiée", "Application changed"),
    "candidacy.paper": T("Pièce jointe à la candidature", "Paper joined to the application"),
    "candidacy.submit": T("Candidature déposée", "Application submitted"),
    "candidacy.withdraw": T("Candidature retirée", "Application withdrawn"),
    "candidacy.review": T("Avis rendu sur une candidature", "Opinion given on an application"),
    "candidacy.outcome": T("Suite donnée à la candidature", "Outcome of the application"),
    "phase.close": T("Phase close", "Phase closed"),
    "phase.open": T("Phase ouverte", "Phase opened"),
}
"""What the journal's acts are called on screen."""
