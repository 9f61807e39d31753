"""Where a request for a label stands, and the moves between those states."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

STATES = (
    State("asked", T("demandé", "asked for"), "not_started"),
    State("received", T("reçu, recevabilité à vérifier", "received, admissibility to check"), "on_track"),
    State("incomplete", T("à compléter par le porteur", "to be completed by the leader"), "at_risk"),
    State("opinions", T("avis des experts", "experts' opinions"), "on_track"),
    State("vote", T("vote ouvert", "vote open"), "on_track"),
    State("voted", T("vote clos, décision attendue", "vote closed, decision awaited"), "on_track"),
    State("labelled", T("labellisé", "labelled"), "reached"),
    State("conditions", T("labellisé sous conditions", "labelled under conditions"), "on_track"),
    State("refused", T("label refusé", "label refused"), "missed"),
    State("deferred", T("ajourné", "deferred"), "at_risk"),
    State("inadmissible", T("irrecevable", "inadmissible"), "missed"),
    State("withdrawn", T("demande retirée", "request withdrawn"), "cancelled"),
)
TITLES = {state.code: state.title for state in STATES}
TONES = {
    "asked": "info", "received": "info", "incomplete": "warn", "opinions": "info", "vote": "info", "voted": "warn",
    "labelled": "good", "conditions": "good", "refused": "bad", "deferred": "warn", "inadmissible": "bad",
    "withdrawn": "quiet",
}  # fmt: skip
"""The tone of each state's badge."""

RUNNING = ("asked", "received", "incomplete", "opinions", "vote", "voted", "deferred")
"""A pôle has at most one such request of a project (the database holds it)."""
GIVEN = ("labelled", "conditions")
DECIDED = ("labelled", "conditions", "refused", "deferred")
STEPS = {
    "asked": "reception", "received": "admissibility", "incomplete": "admissibility", "opinions": "opinions",
    "vote": "committee", "voted": "bureau",
}  # fmt: skip
"""The step of the procedure in which a state stands."""

MOVES = (
    Move("receive", T("Recevoir et affecter", "Receive and assign"), ("asked",), "received", "labelling.manage"),
    Move(
        "ask_more",
        T("Demander des compléments", "Ask for what is missing"),
        ("received",),
        "incomplete",
        "labelling.manage",
        reason_needed=True,
    ),
    Move("complete", T("Compléter", "Complete"), ("incomplete",), "received", "project.submit"),
    Move("admit", T("Déclarer recevable", "Declare admissible"), ("received",), "opinions", "labelling.manage"),
    Move(
        "dismiss",
        T("Déclarer irrecevable", "Declare inadmissible"),
        ("received",),
        "inadmissible",
        "labelling.manage",
        reason_needed=True,
    ),
    Move("open_vote", T("Ouvrir le vote", "Open the vote"), ("opinions", "voted"), "vote", "labelling.manage"),
    Move("close_vote", T("Clore le vote", "Close the vote"), ("vote",), "voted", "labelling.manage"),
    Move("decide_labelled", T("Labelliser", "Label"), ("voted",), "labelled", "labelling.decide"),
    Move(
        "decide_conditions",
        T("Labelliser sous conditions", "Label under conditions"),
        ("voted",),
        "conditions",
        "labelling.decide",
    ),
    Move(
        "decide_refused",
        T("Refuser le label", "Refuse the label"),
        ("voted",),
        "refused",
        "labelling.decide",
        reason_needed=True,
    ),
    Move(
        "decide_deferred",
        T("Ajourner", "Defer"),
        ("opinions", "voted"),
        "deferred",
        "labelling.decide",
        reason_needed=True,
    ),
    Move("lift", T("Lever les conditions", "Lift the conditions"), ("conditions",), "labelled", "labelling.decide"),
    Move("resume", T("Présenter de nouveau", "Present again"), ("deferred",), "received", "project.submit"),
    Move(
        "withdraw",
        T("Retirer la demande", "Withdraw the request"),
        RUNNING,
        "withdrawn",
        "project.submit",
        reason_needed=True,
    ),
    Move(
        "lapse",
        T("Clore : le pôle n'a plus de label", "Close: the cluster has no label any more"),
        RUNNING,
        "withdrawn",
        "labelling.manage",
        reason_needed=True,
    ),
)

OUTCOMES = {
    "labelled": T("Label", "Label"),
    "conditions": T("Label sous conditions", "Label under conditions"),
    "refused": T("Refus", "Refused"),
    "deferred": T("Ajournement", "Deferred"),
}

OPINION_STATES = (
    State("asked", T("demandé", "asked for"), "not_yet_due"),
    State("given", T("rendu", "given"), "done"),
    State("declined", T("décliné", "declined"), "cancelled"),
    State("recused", T("déporté", "recused"), "cancelled"),
    State("cancelled", T("annulé", "cancelled"), "cancelled"),
    State("past", T("rendu à une présentation antérieure", "given at an earlier presentation"), "done"),
)
OPINION_TITLES = {state.code: state.title for state in OPINION_STATES}

RECOMMENDATIONS = {
    "favourable": T("favorable", "favourable"),
    "reserved": T("favorable avec réserves", "favourable with reservations"),
    "unfavourable": T("défavorable", "unfavourable"),
}
CHOICES = {"for": T("pour", "for"), "against": T("contre", "against"), "abstain": T("abstention", "abstention")}
WAYS = {"meeting": T("en réunion", "in meeting"), "electronic": T("vote électronique", "electronic vote")}
BODIES = {"committee": T("comité", "committee"), "bureau": T("bureau", "bureau")}

ACTS = {
    "labelling.ask": T("Label demandé", "Label asked for"),
    "labelling.receive": T("Demande reçue, correspondant désigné", "Request received, correspondent named"),
    "labelling.ask_more": T("Compléments demandés", "More asked for"),
    "labelling.complete": T("Dossier complété", "File completed"),
    "labelling.admit": T("Demande recevable", "Request admissible"),
    "labelling.dismiss": T("Demande irrecevable", "Request inadmissible"),
    "labelling.invite": T("Avis demandé à un expert", "Opinion asked of an expert"),
    "labelling.cancel_opinion": T("Demande d'avis annulée", "Request for an opinion cancelled"),
    "labelling.opinion": T("Avis rendu", "Opinion given"),
    "labelling.decline": T("Avis décliné par un expert", "Opinion declined by an expert"),
    "labelling.open_vote": T("Vote ouvert", "Vote opened"),
    "labelling.vote": T("Vote exprimé", "Vote cast"),
    "labelling.close_vote": T("Vote clos", "Vote closed"),
    "labelling.decide": T("Décision du bureau sur le label", "The bureau's decision on the label"),
    "labelling.lift_condition": T("Condition levée", "Condition lifted"),
    "labelling.resume": T("Projet présenté de nouveau", "Project presented again"),
    "labelling.lapse": T(
        "Demande close : le pôle n'a plus de label", "Request closed: the cluster has no label any more"
    ),
    "labelling.withdraw": T("Demande de label retirée", "Request for a label withdrawn"),
    "labelling.lead": T("Pôle chef de file changé", "Lead cluster changed"),
    "labelling.seat": T("Siège du comité ou du bureau changé", "Seat of the committee or the bureau changed"),
    "labelling.terms": T("Délais de la labellisation choisis", "Delays of labelling chosen"),
}
"""What the journal's acts are called on screen."""

READ_BY_LEADER = (
    "labelling.ask", "labelling.receive", "labelling.ask_more", "labelling.complete", "labelling.admit",
    "labelling.dismiss", "labelling.decide", "labelling.lift_condition", "labelling.resume", "labelling.withdraw",
    "labelling.lead",
)  # fmt: skip
"""Acts that the project's leader reads in the journal: nothing of opinions and votes."""
