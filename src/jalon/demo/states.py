"""What the journal's acts of the simulation are called on screen."""

from __future__ import annotations

from jalon.core.lang import T

ACTS = {
    "members.simulate": T("Membres simulés", "Members simulated"),
}
