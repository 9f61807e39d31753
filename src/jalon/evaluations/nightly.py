"""The night's work: the silence of clusters whose delay to reply has passed."""

from __future__ import annotations

import datetime as dt

from jalon.core.lang import T, Text
from jalon.evaluations import hearing_actions
from jalon.evaluations.models import Hearing


def nightly(on: dt.date) -> list[Text]:
    """Record the silence where the delay ended before ``on``; one sentence when there was any."""
    rows = Hearing.objects.filter(state="notified", due_on__lt=on).order_by("id")
    done = 0
    for hearing in rows:
        hearing_actions.record_silence(hearing, on=on)
        done += 1
    if not done:
        return []
    return [T("{n} délai(s) de réponse passés sans réponse.", "{n} delay(s) to reply passed without reply.", n=done)]
