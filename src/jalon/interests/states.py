"""What a declaration says, and what its acts are called."""

from __future__ import annotations

from jalon.core.lang import T

STANCES = {
    "none": T("aucun lien d'intérêts", "no interest"),
    "interest": T("lien d'intérêts, déport", "interest, recused"),
}

ACTS = {
    "interest.declare": T("Déclaration d'intérêts", "Declaration of interests"),
    "interest.ask_recusal": T("Déport demandé", "Recusal asked for"),
}
"""What the journal's acts are called on screen."""
