"""Where a contract and its texts stand, and the moves between those states."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

STATES = (
    State("preparing", T("en préparation", "being prepared"), "not_started"),
    State("negotiation", T("en négociation", "under negotiation"), "on_track"),
    State("signing", T("à la signature", "being signed"), "on_track"),
    State("signed", T("signé", "signed"), "reached"),
    State("closed", T("clos", "closed"), "done"),
    State("abandoned", T("abandonné", "abandoned"), "cancelled"),
)
"""States of a contract. Whether a signed contract is in force on a day is computed, never a state."""

TEXT_STATES = (
    State("draft", T("en préparation", "being prepared"), "not_started"),
    State("negotiation", T("en négociation", "under negotiation"), "on_track"),
    State("signing", T("à la signature", "being signed"), "on_track"),
    State("signed", T("signé", "signed"), "reached"),
    State("abandoned", T("abandonné", "abandoned"), "cancelled"),
)
"""States of one text: the original (number 0) or an amendment."""

TITLES = {state.code: state.title for state in (*STATES, *TEXT_STATES)}
TONES = {
    "preparing": "quiet",
    "draft": "quiet",
    "negotiation": "info",
    "signing": "warn",
    "signed": "good",
    "closed": "quiet",
    "abandoned": "quiet",
}
"""The tone of each state's badge."""

CONTRACT_STATE = {
    "draft": "preparing",
    "negotiation": "negotiation",
    "signing": "signing",
    "signed": "signed",
    "abandoned": "abandoned",
}
"""The state of a contract that its original text's state makes."""

PUBLIC = ("signed", "closed")
"""Everybody may read a contract in these states."""

OPEN = ("draft", "negotiation", "signing")
"""A text that is not yet bound and not abandoned."""

MOVES = (
    Move(
        "open_negotiation",
        T("Ouvrir la négociation", "Open the negotiation"),
        ("draft",),
        "negotiation",
        "contract.prepare",
    ),
    Move(
        "next_round",
        T("Ouvrir un nouveau tour", "Open a new round"),
        ("negotiation",),
        "negotiation",
        "contract.prepare",
    ),
    Move(
        "open_signature",
        T("Ouvrir la signature", "Open the signature"),
        ("negotiation",),
        "signing",
        "contract.open_signature",
    ),
    Move(
        "refuse",
        T("Refuser de signer", "Refuse to sign"),
        ("signing",),
        "negotiation",
        "contract.sign",
        reason_needed=True,
    ),
    Move(
        "reopen",
        T("Revenir à la négociation", "Go back to negotiation"),
        ("signing",),
        "negotiation",
        "contract.open_signature",
        reason_needed=True,
    ),
    Move("sign", T("Signer", "Sign"), ("signing",), "signing", "contract.sign"),
    Move("bind", T("Dernière signature", "Last signature"), ("signing",), "signed", "contract.sign"),
    Move(
        "abandon",
        T("Abandonner", "Abandon"),
        OPEN,
        "abandoned",
        "contract.prepare",
        reason_needed=True,
    ),
)
"""Moves of a text. ``bind`` is never asked for: the last signature makes it."""

CONTRACT_MOVES = (
    Move(
        "close",
        T("Clore le contrat", "Close the contract"),
        ("signed",),
        "closed",
        "contract.prepare",
        reason_needed=True,
    ),
)

PROPOSAL_STATES = (
    State("open", T("ouverte", "open"), "promised"),
    State("accepted", T("acceptée", "accepted"), "reached"),
    State("rejected", T("refusée", "rejected"), "missed"),
    State("withdrawn", T("retirée", "withdrawn"), "cancelled"),
)
PROPOSAL_MOVES = (
    Move("accept", T("Accepter", "Accept"), ("open",), "accepted", "contract.negotiate"),
    Move("reject", T("Refuser", "Reject"), ("open",), "rejected", "contract.negotiate"),
    Move("withdraw", T("Retirer", "Take back"), ("open",), "withdrawn", "contract.negotiate"),
    Move("undo", T("Défaire", "Undo"), ("accepted",), "withdrawn", "contract.prepare"),
)
"""Whose proposal it is to accept is a rule (``rules.acceptance``); only its own party takes it back. ``undo`` exists only
while the text is being prepared."""
PROPOSAL_TITLES = {state.code: state.title for state in PROPOSAL_STATES}
PROPOSAL_TONES = {"open": "info", "accepted": "good", "rejected": "bad", "withdrawn": "quiet"}

ACTS = {
    "contract.known": T("Contrat réel, inscrit d'après ses sources", "Real contract, entered from its sources"),
    "contract.prepare": T("Contrat préparé", "Contract prepared"),
    "contract.edit": T("Texte modifié pendant la préparation", "Text changed during preparation"),
    "contract.propose": T("Changements proposés", "Changes proposed"),
    "contract.accept": T("Proposition acceptée", "Proposal accepted"),
    "contract.reject": T("Proposition refusée", "Proposal rejected"),
    "contract.withdraw": T("Proposition retirée", "Proposal withdrawn"),
    "contract.undo": T("Changement défait", "Change undone"),
    "contract.comment": T("Commentaire ajouté", "Comment added"),
    "contract.resolve": T("Commentaire réglé", "Comment resolved"),
    "contract.open_negotiation": T("Négociation ouverte", "Negotiation opened"),
    "contract.next_round": T("Nouveau tour de négociation", "New round of negotiation"),
    "contract.annex": T("Annexe jointe", "Annex joined"),
    "contract.decide": T("Délibération enregistrée", "Deliberation recorded"),
    "contract.open_signature": T("Texte figé, signature ouverte", "Text frozen, signature opened"),
    "contract.sign": T("Signature", "Signature"),
    "contract.bind": T("Toutes les parties ont signé", "All parties have signed"),
    "contract.refuse": T("Refus de signer, retour à la négociation", "Refusal to sign, back to negotiation"),
    "contract.reopen": T("Signature arrêtée, retour à la négociation", "Signature stopped, back to negotiation"),
    "contract.abandon": T("Abandonné", "Abandoned"),
    "contract.close": T("Contrat clos", "Contract closed"),
    "contract.amend": T("Avenant ouvert", "Amendment opened"),
    "contract.import": T("Fichier d'échange repris", "Exchange file taken up"),
    "contract.rebase": T("Avenant repris sur le texte en vigueur", "Amendment taken up on the binding text"),
}
"""What the journal's acts are called on screen."""
