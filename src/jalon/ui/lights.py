"""The one vocabulary of states (*les feux*): a word, a shape and a colour for each.

The same lights serve the promises of the cluster and those of the public side. The shapes differ in
outline, not only in colour, so they stay apart for a colour-blind reader and on a black print.
"""

from __future__ import annotations

from dataclasses import dataclass

from jalon.core.lang import T, Text


@dataclass(frozen=True)
class Light:
    """A state as it is shown: ``tone`` names the colour, ``shape`` the drawing (see ``SHAPES``)."""

    code: str
    title: Text
    shape: str
    tone: str
    meaning: Text


def _all(*lights: Light) -> dict[str, Light]:
    return {light.code: light for light in lights}


LIGHTS = _all(
    Light(
        "not_started",
        T("pas commencé", "not started"),
        "ring",
        "quiet",
        T("Rien n'a commencé et rien n'est encore en retard.", "Nothing has begun and nothing is late yet."),
    ),
    Light(
        "on_track",
        T("en bonne voie", "on track"),
        "disc",
        "good",
        T("Au rythme observé, l'échéance sera tenue.", "At the pace observed, the deadline will be met."),
    ),
    Light(
        "at_risk",
        T("à surveiller", "at risk"),
        "triangle",
        "warn",
        T(
            "L'échéance peut encore être tenue, mais le rythme ne suffit pas.",
            "The deadline can still be met, but the pace is not enough.",
        ),
    ),
    Light(
        "late",
        T("en retard", "late"),
        "diamond",
        "bad",
        T(
            "L'échéance est passée et l'engagement n'est pas tenu.",
            "The deadline has passed and the promise is not kept.",
        ),
    ),
    Light(
        "reached",
        T("atteint", "reached"),
        "check",
        "good",
        T("La cible ou l'engagement est atteint.", "The target or the promise is reached."),
    ),
    Light(
        "missed",
        T("manqué", "missed"),
        "cross",
        "bad",
        T(
            "La période est close sans que la cible soit atteinte.",
            "The period closed without the target being reached.",
        ),
    ),
    Light(
        "not_yet_due",
        T("pas encore dû", "not yet due"),
        "clock",
        "quiet",
        T("L'échéance n'est pas encore arrivée.", "The deadline has not come yet."),
    ),
    Light(
        "unknown",
        T("inconnu", "unknown"),
        "question",
        "unknown",
        T("Aucune valeur n'est connue à ce jour.", "No value is known to date."),
    ),
    Light("done", T("fait", "done"), "check", "good", T("C'est fait.", "It is done.")),
    Light(
        "cancelled",
        T("abandonné", "cancelled"),
        "dash",
        "quiet",
        T("L'action ou l'engagement a été abandonné.", "The action or the promise was given up."),
    ),
    Light(
        "promised",
        T("promis", "promised"),
        "ring",
        "info",
        T("Inscrit au contrat, pas encore décidé.", "Written in the contract, not decided yet."),
    ),
    Light(
        "decided",
        T("décidé", "decided"),
        "half",
        "info",
        T("Voté ou décidé, pas encore payé.", "Voted or decided, not paid yet."),
    ),
    Light("paid", T("payé", "paid"), "check", "good", T("Le versement est fait.", "The payment is made.")),
)

TONES = ("good", "warn", "bad", "info", "quiet", "unknown")

SHAPES = {
    "ring": '<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="2.5"/>',
    "disc": '<circle cx="8" cy="8" r="6.5"/>',
    "half": '<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="2.5"/>'
    '<path d="M8 2.5a5.5 5.5 0 0 1 0 11z"/>',
    "triangle": '<path d="M8 1 15.5 14.5H.5z"/>',
    "diamond": '<path d="M8 .6 15.4 8 8 15.4.6 8z"/>',
    "check": '<path d="M6.2 13.6.9 8.3l2.2-2.2 3.1 3.1 6.7-6.7 2.2 2.2z"/>',
    "cross": '<path d="M3.4 1.2 8 5.8l4.6-4.6 2.2 2.2L10.2 8l4.6 4.6-2.2 2.2L8 10.2l-4.6 4.6-2.2-2.2L5.8 8 1.2 3.4z"/>',
    "clock": '<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="M8 4v4.3l2.8 1.7" fill="none" stroke="currentColor" stroke-width="1.5"/>',
    "question": '<path d="M8 .8a7.2 7.2 0 1 1 0 14.4A7.2 7.2 0 0 1 8 .8M7 11v1.8h1.9V11zM5.2 6.3h1.8c0-.7.4-1.1 1-1.1'
    's1 .4 1 .9c0 .8-2 1.2-2 3.1v.6h1.8v-.4c0-1.1 2.1-1.4 2.1-3.4C10.9 4.5 9.7 3.5 8 3.5S5.2 4.6 5.2 6.3" '
    'fill-rule="evenodd"/>',
    "dash": '<path d="M1.5 6.5h13v3h-13z"/>',
}
"""Drawings on a 16 by 16 grid, filled with the colour of the text."""


def light(code: str) -> Light:
    """The light of ``code``; a code that is not of the vocabulary is an error, never a grey dot.

    Raises:
        KeyError: the code is not in the vocabulary.
    """
    try:
        return LIGHTS[code]
    except KeyError:
        raise KeyError(f"no light {code!r}; known: {', '.join(LIGHTS)}") from None
