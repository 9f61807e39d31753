"""Where campaigns, evaluations, hearings and reviews stand, and the moves between those states."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

CAMPAIGN_STATES = (
    State("open", T("en cours", "in progress"), "on_track"),
    State("calibration", T("calage entre évaluateurs", "calibration between evaluators"), "on_track"),
    State("published", T("publiée", "published"), "done"),
    State("abandoned", T("abandonnée", "abandoned"), "cancelled"),
)
CAMPAIGN_MOVES = (
    Move("calibrate", T("Ouvrir le calage", "Open the calibration"), ("open",), "calibration", "evaluation.manage"),
    Move("publish", T("Publier la campagne", "Publish the campaign"), ("open", "calibration"), "published", "evaluation.publish"),
    Move("abandon", T("Abandonner la campagne", "Abandon the campaign"), ("open", "calibration"), "abandoned", "evaluation.manage", reason_needed=True),
)  # fmt: skip
STATES = (
    State("planned", T("prévue", "planned"), "not_started"),
    State("scoring", T("en notation", "being scored"), "on_track"),
    State("consensus", T("consensus", "consensus"), "on_track"),
    State("hearing", T("contradictoire", "both sides heard"), "at_risk"),
    State("final", T("arrêtée", "final"), "reached"),
    State("published", T("publiée", "published"), "done"),
)
MOVES = (
    Move("start", T("Ouvrir l'évaluation", "Start the evaluation"), ("planned",), "scoring", "evaluation.manage"),
    Move("consensus", T("Ouvrir le consensus", "Open the consensus"), ("scoring",), "consensus", "evaluation.manage"),
    Move("notify", T("Notifier le rapport provisoire", "Notify the provisional report"), ("scoring", "consensus"), "hearing", "evaluation.manage"),
    Move("finalise", T("Arrêter l'évaluation", "Make the evaluation final"), ("scoring", "consensus", "hearing"), "final", "evaluation.manage"),
    Move("publish", T("Publier l'évaluation", "Publish the evaluation"), ("final",), "published", "evaluation.publish"),
)  # fmt: skip
HEARING_STATES = (
    State("drafting", T("constats en rédaction", "findings being drafted"), "not_started"),
    State("notified", T("réponse du pôle attendue", "the cluster's reply is awaited"), "at_risk"),
    State("replied", T("position attendue", "position awaited"), "on_track"),
    State("closed", T("close", "closed"), "done"),
)
HEARING_MOVES = (
    Move("notify", T("Notifier les constats", "Notify the findings"), ("drafting",), "notified", "evaluation.manage"),
    Move("reply", T("Envoyer les réponses", "Send the replies"), ("notified",), "replied", "evaluation.reply"),
    Move("silence", T("Constater le silence", "Record the silence"), ("notified",), "replied", "evaluation.manage"),
    Move("close", T("Clore le contradictoire", "Close the hearing"), ("replied",), "closed", "evaluation.manage"),
)
REVIEW_STATES = (
    State("open", T("ouvert", "open"), "on_track"),
    State("hearing", T("contradictoire", "both sides heard"), "at_risk"),
    State("concluded", T("conclu", "concluded"), "done"),
)
REVIEW_MOVES = (
    Move("notify", T("Notifier les constats", "Notify the findings"), ("open",), "hearing", "review.manage"),
    Move("conclude", T("Conclure l'examen", "Conclude the review"), ("open", "hearing"), "concluded", "review.manage", reason_needed=True),
)  # fmt: skip

CAMPAIGN_TITLES = {s.code: s.title for s in CAMPAIGN_STATES}
TITLES = {s.code: s.title for s in STATES}
HEARING_TITLES = {s.code: s.title for s in HEARING_STATES}
REVIEW_TITLES = {s.code: s.title for s in REVIEW_STATES}
LIGHTS = {s.code: s.light for s in (*STATES, *REVIEW_STATES)}
TONES = {
    "planned": "quiet", "scoring": "info", "consensus": "info", "hearing": "warn", "final": "good", "published": "good",
    "open": "info", "calibration": "info", "abandoned": "quiet", "drafting": "quiet", "notified": "warn", "replied": "info",
    "closed": "quiet", "concluded": "good",
}  # fmt: skip
"""The tone of each state's badge."""

KINDS = {
    "national": T("évaluation nationale", "national evaluation"),
    "again": T("nouvelle évaluation", "new evaluation"),
    "order": T("évaluation commandée par une collectivité", "evaluation ordered by an authority"),
}
REVIEW_KINDS = {
    "yearly": T("examen annuel", "yearly review"),
    "axes": T("examen des axes d'amélioration", "review of the improvement axes"),
    "mid_term": T("bilan à mi-parcours", "mid-term review"),
}
OUTCOMES = {
    "maintained": T("maintenu", "maintained"),
    "amended": T("modifié", "amended"),
    "withdrawn": T("retiré", "withdrawn"),
    "settled": T("levé : le pôle y a remédié", "settled: the cluster put it right"),
}
OUTCOME_TONES = {"maintained": "warn", "amended": "info", "withdrawn": "quiet", "settled": "good"}
STANDING = ("maintained", "amended")
"""Outcomes of a finding on which something may still be founded."""
CONCLUSIONS = {
    "satisfactory": T("satisfaisant", "satisfactory"),
    "unsatisfactory": T("insatisfaisant", "unsatisfactory"),
}
ORIGINS = {
    "rule": T("donné par la règle de la grille", "given by the grid's rule"),
    "override": T("décidé autrement que la règle", "decided otherwise than the rule"),
    "recorded": T("résultat connu, repris de sa source", "known result, taken from its source"),
}

ACTS = {
    "campaign.open": T("Campagne ouverte", "Campaign opened"),
    "campaign.entrust": T("Pôles confiés à un évaluateur", "Clusters entrusted to an evaluator"),
    "campaign.end_mandate": T("Mandat d'évaluateur clos", "Evaluator's mandate ended"),
    "campaign.state_interests": T("Déclaration d'intérêts de l'évaluateur", "Evaluator's statement of interests"),
    "campaign.calibrate": T("Calage ouvert", "Calibration opened"),
    "campaign.publish": T("Campagne publiée", "Campaign published"),
    "campaign.abandon": T("Campagne abandonnée", "Campaign abandoned"),
    "campaign.known": T("Campagne reprise de ses sources", "Campaign taken from its sources"),
    "evaluation.start": T("Évaluation ouverte, pièces figées", "Evaluation started, evidence frozen"),
    "evaluation.consensus": T("Consensus ouvert", "Consensus opened"),
    "evaluation.agree": T("Note de consensus", "Agreed mark"),
    "evaluation.record_group": T("Groupe repris ou décidé", "Group recorded or decided"),
    "evaluation.finalise": T("Évaluation arrêtée", "Evaluation made final"),
    "evaluation.publish": T("Évaluation publiée", "Evaluation published"),
    "sheet.hand_in": T("Notes remises", "Notes handed in"),
    "sheet.reopen": T("Notes rouvertes", "Notes reopened"),
    "hearing.notify": T("Constats notifiés", "Findings notified"),
    "hearing.extend": T("Délai de réponse prolongé", "Delay to reply extended"),
    "hearing.reply": T("Réponses du pôle", "Replies of the cluster"),
    "hearing.late_reply": T("Réponse tardive consignée, non comptée", "Late reply recorded, not counted"),
    "hearing.silence": T("Silence constaté à l'échéance", "Silence recorded once the delay had passed"),
    "hearing.position": T("Position sur un constat", "Position on a finding"),
    "hearing.close": T("Contradictoire clos", "Hearing closed"),
    "hearing.interview": T("Entretien consigné", "Interview recorded"),
    "review.open": T("Examen ouvert, pièces figées", "Review opened, evidence frozen"),
    "review.conclude": T("Examen conclu", "Review concluded"),
    "review.revise": T("Révision du financement ouverte", "Revision of funding opened"),
    "survey.open": T("Questionnaire ouvert", "Questionnaire opened"),
    "survey.ask": T("Membres interrogés", "Members asked"),
}
"""What the journal's acts are called on screen."""
