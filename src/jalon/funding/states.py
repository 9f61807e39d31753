"""Where agreements, claims, payment orders and relay finance stand, and the moves between those states."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

# -- agreements ---------------------------------------------------------------------------------------------------

AGREEMENT_STATES = (
    State("draft", T("en préparation", "being prepared"), "not_started"),
    State("sent", T("envoyée pour signature", "sent for signature"), "not_yet_due"),
    State("signed", T("signée par les deux parties", "signed by both parties"), "on_track"),
    State("running", T("en cours", "running"), "on_track"),
    State("closed", T("soldée", "closed"), "done"),
    State("terminated", T("résiliée", "terminated"), "cancelled"),
)
AGREEMENT_MOVES = (
    Move("plan", T("Fixer l'échéancier", "Set the instalments"), ("draft",), "draft", "agreement.manage"),
    Move("send", T("Envoyer pour signature", "Send for signature"), ("draft",), "sent", "agreement.manage"),
    Move(
        "withdraw",
        T("Reprendre en préparation", "Take back"),
        ("sent",),
        "draft",
        "agreement.manage",
        reason_needed=True,
    ),
    Move("sign", T("Signer", "Sign"), ("sent",), "signed", "agreement.sign"),
    Move("start", T("Engager la dépense", "Commit the money"), ("signed",), "running", "agreement.manage"),
    Move("suspend", T("Suspendre les paiements", "Suspend payments"), ("signed", "running"), "running",
         "agreement.manage", reason_needed=True),
    Move("resume", T("Reprendre les paiements", "Resume payments"), ("signed", "running"), "running",
         "agreement.manage", reason_needed=True),
    Move("amend", T("Proposer un avenant", "Propose an amendment"), ("signed", "running"), "running",
         "agreement.manage", reason_needed=True),
    Move("close", T("Solder", "Close"), ("running",), "closed", "agreement.manage", reason_needed=True),
    Move("terminate", T("Résilier", "Terminate"), ("sent", "signed", "running"), "terminated", "agreement.manage",
         reason_needed=True),
)  # fmt: skip
"""``sign`` leads to signed when both have signed. ``suspend``, ``resume`` and ``amend`` leave the state as it is."""

AGREEMENT_TITLES = {s.code: s.title for s in AGREEMENT_STATES}
AGREEMENT_TONES = {
    "draft": "quiet",
    "sent": "info",
    "signed": "info",
    "running": "good",
    "closed": "quiet",
    "terminated": "bad",
}
LIVE = ("draft", "sent", "signed", "running", "closed")
"""An agreement in one of these takes its share of what was decided."""
BINDING = ("signed", "running")

# -- claims -------------------------------------------------------------------------------------------------------

CLAIM_STATES = (
    State("submitted", T("déposée, à vérifier", "submitted, to be checked"), "not_yet_due"),
    State("returned", T("retournée avec motifs", "returned with reasons"), "at_risk"),
    State("checked", T("vérifiée, à certifier", "checked, to be certified"), "on_track"),
    State("certified", T("certifiée, à ordonner", "certified, to be ordered"), "on_track"),
    State("ordered", T("paiement ordonné", "payment ordered"), "on_track"),
    State("paid", T("payée", "paid"), "paid"),
    State("withdrawn", T("retirée", "withdrawn"), "cancelled"),
    State("rejected", T("rejetée", "rejected"), "cancelled"),
)
CLAIM_MOVES = (
    Move("check", T("Vérifier", "Check"), ("submitted",), "checked", "claim.check"),
    Move("return", T("Retourner avec motifs", "Return with reasons"), ("submitted",), "returned", "claim.check",
         reason_needed=True),
    Move("resubmit", T("Déposer à nouveau", "Submit again"), ("returned",), "submitted", "claim.submit"),
    Move("withdraw", T("Retirer", "Withdraw"), ("submitted", "returned"), "withdrawn", "claim.submit"),
    Move("reject", T("Rejeter", "Reject"), ("submitted", "returned"), "rejected", "claim.check", reason_needed=True),
    Move("recheck", T("Renvoyer à la vérification", "Send back to be checked"), ("checked",), "submitted",
         "claim.certify", reason_needed=True),
    Move("certify", T("Certifier le service fait", "Certify"), ("checked",), "certified", "claim.certify"),
    Move("order", T("Ordonner le paiement", "Order the payment"), ("certified",), "ordered", "payment.order"),
    Move("pay", T("Enregistrer le paiement", "Record the payment"), ("ordered",), "paid", "payment.record"),
    Move("unorder", T("Annuler l'ordre de paiement", "Cancel the payment order"), ("ordered",), "certified",
         "payment.order", reason_needed=True),
)  # fmt: skip
CLAIM_TITLES = {s.code: s.title for s in CLAIM_STATES}
CLAIM_TONES = {
    "submitted": "info",
    "returned": "warn",
    "checked": "info",
    "certified": "info",
    "ordered": "info",
    "paid": "good",
    "withdrawn": "quiet",
    "rejected": "bad",
}
CLAIM_OPEN = ("submitted", "returned", "checked")
"""A claim whose amount is not certified yet."""
CLAIM_COUNTED = ("certified", "ordered", "paid")
"""A claim whose certified amount is taken from its instalment."""
CLAIM_DEAD = ("withdrawn", "rejected")

ORDER_STATES = (
    State("ordered", T("ordonné, pas encore payé", "ordered, not paid yet"), "not_yet_due"),
    State("paid", T("payé", "paid"), "paid"),
    State("cancelled", T("annulé", "cancelled"), "cancelled"),
)
ORDER_TITLES = {s.code: s.title for s in ORDER_STATES}
ORDER_TONES = {"ordered": "info", "paid": "good", "cancelled": "quiet"}

RECOVERY_TITLES = {
    "issued": T("émis, à rembourser", "issued, to be repaid"),
    "repaid": T("remboursé", "repaid"),
    "cancelled": T("annulé", "cancelled"),
}
RECOVERY_TONES = {"issued": "warn", "repaid": "good", "cancelled": "quiet"}

AMENDMENT_TITLES = {
    "proposed": T("proposé au bénéficiaire", "proposed to the beneficiary"),
    "applied": T("signé et appliqué", "signed and applied"),
    "refused": T("refusé par le bénéficiaire", "refused by the beneficiary"),
    "withdrawn": T("retiré", "withdrawn"),
}
AMENDMENT_TONES = {"proposed": "info", "applied": "good", "refused": "bad", "withdrawn": "quiet"}

INSTALMENT_KINDS = {
    "advance": T("avance", "advance"),
    "intermediate": T("versement intermédiaire", "intermediate payment"),
    "balance": T("solde", "balance"),
}

INSTRUMENTS = {
    "grant": T("subvention", "grant"),
    "repayable_advance": T("avance remboursable", "repayable advance"),
}

RETURN_STATES = (
    State("due", T("à remettre", "to be handed in"), "not_yet_due"),
    State("submitted", T("remis, à vérifier", "handed in, to be checked"), "on_track"),
    State("returned", T("renvoyé avec motifs", "sent back with reasons"), "at_risk"),
    State("accepted", T("vérifié", "checked"), "done"),
)
RETURN_MOVES = (
    Move("submit", T("Remettre le compte rendu", "Hand in the return"), ("due", "returned"), "submitted", "claim.submit"),
    Move("accept", T("Vérifier le compte rendu", "Check the return"), ("submitted",), "accepted", "claim.check"),
    Move("back", T("Renvoyer avec motifs", "Send back with reasons"), ("submitted",), "returned", "claim.check",
         reason_needed=True),
)  # fmt: skip
RETURN_TITLES = {s.code: s.title for s in RETURN_STATES}
RETURN_TONES = {"due": "quiet", "submitted": "info", "returned": "warn", "accepted": "good"}
RETURN_WAITING = ("due", "returned")
"""The beneficiary still owes it."""
RETURN_KINDS = {
    "law": T("Ce que demande la loi", "What the law asks for"),
    "yearly": T("Un par année de travaux", "One for each year of the work"),
}

# -- relay finance ------------------------------------------------------------------------------------------------

RELAY_STATES = (
    State("asked", T("demandé à la banque", "asked of the bank"), "not_yet_due"),
    State("offered", T("offre de la banque", "bank's offer"), "on_track"),
    State("refused", T("refusé par la banque", "refused by the bank"), "cancelled"),
    State("withdrawn", T("retiré par l'entreprise", "withdrawn by the company"), "cancelled"),
    State("accepted", T("accepté par l'entreprise", "accepted by the company"), "on_track"),
    State("assigned", T("créance cédée, payeur notifié", "claim assigned, payer notified"), "on_track"),
    State("drawn", T("avance versée", "advance paid out"), "on_track"),
    State("defaulted", T("en défaut", "in default"), "late"),
    State("closed", T("remboursé, clos", "repaid, closed"), "done"),
)
RELAY_MOVES = (
    Move("offer", T("Faire une offre", "Make an offer"), ("asked", "offered"), "offered", "relay.offer"),
    Move("refuse", T("Refuser", "Refuse"), ("asked", "offered"), "refused", "relay.offer", reason_needed=True),
    Move("withdraw", T("Retirer la demande", "Withdraw the request"), ("asked", "offered", "accepted"), "withdrawn",
         "relay.request", reason_needed=True),
    Move("accept", T("Accepter l'offre", "Accept the offer"), ("offered",), "accepted", "relay.request"),
    Move("assign", T("Notifier la cession au payeur", "Notify the assignment to the payer"), ("accepted",), "assigned",
         "relay.offer"),
    Move("draw", T("Verser l'avance", "Pay the advance out"), ("assigned", "drawn"), "drawn", "relay.offer"),
    Move("repay", T("Enregistrer un remboursement de l'entreprise", "Record a repayment by the company"),
         ("drawn", "defaulted"), "drawn", "relay.offer"),
    Move("default", T("Constater le défaut", "Declare the default"), ("drawn",), "defaulted", "relay.offer",
         reason_needed=True),
    Move("close", T("Clore", "Close"), ("assigned", "drawn", "defaulted"), "closed", "relay.offer"),
)  # fmt: skip
"""``close`` happens by itself when nothing is owed any more; a bank closes by hand what was never drawn."""

RELAY_TITLES = {s.code: s.title for s in RELAY_STATES}
RELAY_TONES = {
    "asked": "info",
    "offered": "info",
    "refused": "bad",
    "withdrawn": "quiet",
    "accepted": "info",
    "assigned": "info",
    "drawn": "good",
    "defaulted": "bad",
    "closed": "quiet",
}
RELAY_ENGAGED = ("accepted", "assigned", "drawn", "defaulted")
"""A relay in one of these holds the grant: a second one of the same grant must wait (the database holds it)."""
RELAY_ASSIGNED = ("assigned", "drawn", "defaulted")
"""From the notified assignment on, the payer pays the bank."""

GUARANTEE_STATES = (
    State("asked", T("contre-garantie demandée", "counter-guarantee asked for"), "not_yet_due"),
    State("granted", T("contre-garantie accordée", "counter-guarantee granted"), "on_track"),
    State("refused", T("contre-garantie refusée", "counter-guarantee refused"), "cancelled"),
    State("called", T("contre-garantie appelée", "counter-guarantee called"), "at_risk"),
    State("paid", T("contre-garantie versée", "counter-guarantee paid"), "done"),
    State("released", T("contre-garantie levée", "counter-guarantee released"), "done"),
)
GUARANTEE_MOVES = (
    Move("grant", T("Accorder", "Grant"), ("asked",), "granted", "relay.guarantee"),
    Move("decline", T("Refuser", "Refuse"), ("asked",), "refused", "relay.guarantee", reason_needed=True),
    Move("call", T("Appeler la contre-garantie", "Call the counter-guarantee"), ("granted",), "called", "relay.offer"),
    Move("honour", T("Verser la contre-garantie", "Pay the counter-guarantee"), ("called",), "paid", "relay.guarantee"),
    Move("release", T("Lever", "Release"), ("asked", "granted", "called"), "released", "relay.offer"),
)
"""A counter-guarantee is asked for by the bank with its offer, called after a default, released when all is repaid."""
GUARANTEE_TITLES = {s.code: s.title for s in GUARANTEE_STATES}
GUARANTEE_TONES = {
    "asked": "info",
    "granted": "good",
    "refused": "bad",
    "called": "warn",
    "paid": "quiet",
    "released": "quiet",
}

MOVE_KINDS = {
    "drawdown": T("avance versée à l'entreprise", "advance paid to the company"),
    "repayment": T("remboursé par le paiement public", "repaid by the public payment"),
    "company_repayment": T("remboursé par l'entreprise", "repaid by the company"),
    "guarantee_payment": T("versé par le garant", "paid by the guarantor"),
    "guarantor_back": T("rendu au garant par le paiement public", "given back to the guarantor by the public payment"),
    "overflow": T("excédent reversé à l'entreprise", "surplus passed on to the company"),
}

# -- accounting imports -------------------------------------------------------------------------------------------

BATCH_TITLES = {
    "to_confirm": T("colonnes à confirmer", "columns to confirm"),
    "previewed": T("à accepter", "to be accepted"),
    "accepted": T("accepté", "accepted"),
    "abandoned": T("abandonné", "abandoned"),
}
BATCH_TONES = {"to_confirm": "warn", "previewed": "info", "accepted": "good", "abandoned": "quiet"}
VERDICTS = {
    "match": T("correspond à un ordre de paiement", "matches one payment order"),
    "already": T("déjà enregistré", "already recorded"),
    "amount": T("montant différent", "amount differs"),
    "ambiguous": T("correspond à plusieurs ordres", "matches several orders"),
    "twice": T("deux fois dans le fichier", "twice in the file"),
    "none": T("ne correspond à rien", "matches nothing"),
    "error": T("ligne illisible", "row that cannot be read"),
}
VERDICT_TONES = {
    "match": "good",
    "already": "quiet",
    "amount": "bad",
    "ambiguous": "bad",
    "twice": "bad",
    "none": "warn",
    "error": "bad",
}

ACTS = {
    "agreement.create": T("Convention préparée", "Agreement prepared"),
    "agreement.plan": T("Échéancier fixé", "Instalments set"),
    "agreement.send": T("Convention envoyée pour signature", "Agreement sent for signature"),
    "agreement.withdraw": T("Convention reprise en préparation", "Agreement taken back"),
    "agreement.sign": T("Convention signée par une partie", "Agreement signed by a party"),
    "agreement.bind": T("Convention signée par les deux parties", "Agreement signed by both parties"),
    "agreement.start": T("Dépense engagée", "Money committed"),
    "agreement.suspend": T("Paiements suspendus", "Payments suspended"),
    "agreement.resume": T("Paiements repris", "Payments resumed"),
    "agreement.close": T("Convention soldée", "Agreement closed"),
    "agreement.terminate": T("Convention résiliée", "Agreement terminated"),
    "agreement.amend": T("Avenant proposé", "Amendment proposed"),
    "agreement.amend_apply": T("Avenant signé et appliqué", "Amendment signed and applied"),
    "agreement.amend_refuse": T("Avenant refusé", "Amendment refused"),
    "agreement.amend_withdraw": T("Avenant retiré", "Amendment withdrawn"),
    "agreement.recover": T("Ordre de reversement émis", "Recovery ordered"),
    "agreement.repaid": T("Reversement reçu", "Recovery repaid"),
    "agreement.recover_cancel": T("Ordre de reversement annulé", "Recovery cancelled"),
    "agreement.simulate": T("Convention simulée", "Simulated agreement"),
    "agreement.return_submit": T("Compte rendu financier remis", "Financial return handed in"),
    "agreement.return_accept": T("Compte rendu financier vérifié", "Financial return checked"),
    "agreement.return_back": T("Compte rendu financier renvoyé", "Financial return sent back"),
    "agreement.return_remind": T("Rappel du compte rendu financier", "Reminder of the financial return"),
    "agreement.remind": T("Rappel envoyé", "Reminder sent"),
    "claim.submit": T("Versement demandé", "Payment claimed"),
    "claim.resubmit": T("Demande déposée à nouveau", "Claim submitted again"),
    "claim.check": T("Demande vérifiée", "Claim checked"),
    "claim.return": T("Demande retournée avec motifs", "Claim returned with reasons"),
    "claim.withdraw": T("Demande retirée", "Claim withdrawn"),
    "claim.reject": T("Demande rejetée", "Claim rejected"),
    "claim.recheck": T("Demande renvoyée à la vérification", "Claim sent back to be checked"),
    "claim.certify": T("Service fait certifié", "Claim certified"),
    "claim.order": T("Paiement ordonné", "Payment ordered"),
    "claim.pay": T("Paiement enregistré", "Payment recorded"),
    "claim.unorder": T("Ordre de paiement annulé", "Payment order cancelled"),
    "accounting.receive": T("Fichier comptable déposé", "Accounting file handed in"),
    "accounting.confirm": T("Colonnes confirmées, lignes jugées", "Columns confirmed, rows judged"),
    "accounting.accept": T("Import comptable accepté", "Accounting import accepted"),
    "accounting.abandon": T("Import comptable abandonné", "Accounting import abandoned"),
    "relay.ask": T("Financement relais demandé", "Relay finance asked for"),
    "relay.offer": T("Offre de la banque", "Bank's offer"),
    "relay.refuse": T("Demande refusée par la banque", "Request refused by the bank"),
    "relay.withdraw": T("Demande retirée par l'entreprise", "Request withdrawn by the company"),
    "relay.guarantee_ask": T("Contre-garantie demandée", "Counter-guarantee asked for"),
    "relay.guarantee_grant": T("Contre-garantie accordée", "Counter-guarantee granted"),
    "relay.guarantee_decline": T("Contre-garantie refusée", "Counter-guarantee refused"),
    "relay.guarantee_call": T("Contre-garantie appelée", "Counter-guarantee called"),
    "relay.guarantee_honour": T("Contre-garantie versée", "Counter-guarantee paid"),
    "relay.guarantee_release": T("Contre-garantie levée", "Counter-guarantee released"),
    "relay.accept": T("Offre acceptée", "Offer accepted"),
    "relay.assign": T("Cession de créance notifiée au payeur", "Assignment of the claim notified to the payer"),
    "relay.draw": T("Avance versée", "Advance paid out"),
    "relay.repay": T("Remboursement de l'entreprise", "Repayment by the company"),
    "relay.allocate": T("Relais remboursé par le paiement public", "Relay repaid by the public payment"),
    "relay.default": T("Défaut constaté", "Default declared"),
    "relay.reduced": T("Aide réduite : relais à découvert", "Grant reduced: relay not covered any more"),
    "relay.close": T("Relais clos", "Relay closed"),
}
"""What the journal's acts are called on screen."""
