"""What the journal's acts on reporting rounds are called on screen."""

from __future__ import annotations

from jalon.core.lang import T

ACTS = {
    "round.close": T("Campagne close", "Round closed"),
    "round.open": T("Campagne ouverte", "Round opened"),
}
