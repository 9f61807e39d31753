"""What the night does for committees: proposes the next sessions by the policy's rhythm."""

from __future__ import annotations

import datetime as dt

from jalon.committees import access, actions
from jalon.core.lang import T, Text


def nightly(on: dt.date) -> list[Text]:
    """Propose the sessions that the rhythm asks for; what was done, one sentence each."""
    if not access.kinds():
        return []
    made = actions.propose_sessions(on)
    if not made:
        return []
    return [T("Séances de comité proposées : {n}.", "Committee sessions proposed: {n}.", n=len(made))]
