"""Messages of campaigns, hearings and reviews: what they say. Each is written in the language of the person who reads it.

No message carries a mark, a finding's text or a group before it is published: mail leaves the house.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.core.lang import T, Text

Message = tuple[Text, Text]


def entrusted(campaign: Any, count: int) -> Message:
    """To the evaluator: clusters are entrusted."""
    return (
        T("{c} : des pôles vous sont confiés", "{c}: clusters are entrusted to you", c=_title(campaign)),
        T(
            "{n} pôle(s) vous sont confiés dans la campagne « {c} ». Avant que rien ne s'ouvre : la déclaration de votre "
            "cabinet, puis la vôtre, pôle par pôle. Dans Jalon : Mon accueil, puis Évaluations.\n",
            "{n} cluster(s) are entrusted to you in the campaign “{c}”. Before anything opens: your firm's statement, then "
            "your own, cluster by cluster. In Jalon: My home, then Evaluations.\n",
            n=count,
            c=_title(campaign),
        ),
    )


def calibration(campaign: Any) -> Message:
    """To the evaluators: notes may now be compared."""
    return (
        T("{c} : le calage est ouvert", "{c}: the calibration is open", c=_title(campaign)),
        T(
            "Les notes remises se comparent désormais entre évaluateurs, pôle par pôle. Dans Jalon : Évaluations, puis la "
            "campagne, puis Calage.\n",
            "The notes handed in may now be compared between evaluators, cluster by cluster. In Jalon: Evaluations, then "
            "the campaign, then Calibration.\n",
        ),
    )


def notified(name: str, what: Text, due_on: dt.date) -> Message:
    """To the cluster: findings are notified, and until when it may reply."""
    return (
        T("{n} : des constats vous sont notifiés", "{n}: findings are notified to you", n=name),
        T(
            "{w} : des constats vous sont notifiés. Vous pouvez répondre à chacun, pièces à l'appui, jusqu'au {d} à minuit "
            "(heure de Paris). Sans réponse, les constats valent comme la politique le dit. Dans Jalon : Mon accueil.\n",
            "{w}: findings are notified to you. You may reply to each of them, with documents, until {d} at midnight "
            "(Paris time). Without a reply the findings count as the policy says. In Jalon: My home.\n",
            w=what,
            d=due_on,
        ),
    )


def extended(name: str, what: Text, due_on: dt.date) -> Message:
    """To the cluster: more time."""
    return (
        T("{n} : délai prolongé", "{n}: more time", n=name),
        T(
            "{w} : vous pouvez répondre jusqu'au {d} à minuit (heure de Paris).\n",
            "{w}: you may reply until {d} at midnight (Paris time).\n",
            w=what,
            d=due_on,
        ),
    )


def replied(name: str, what: Text, silent: bool) -> Message:
    """To whoever takes position: the replies are there, or the delay passed in silence."""
    if silent:
        return (
            T("{n} : délai passé sans réponse", "{n}: the delay passed without reply", n=name),
            T(
                "{w} : le délai a pris fin sans réponse du pôle. Votre position est attendue.\n",
                "{w}: the delay ended without a reply. Your position is awaited.\n",
                w=what,
            ),
        )
    return (
        T("{n} : le pôle a répondu", "{n}: the cluster has replied", n=name),
        T(
            "{w} : le pôle a répondu. Votre position sur chaque constat est attendue.\n",
            "{w}: the cluster has replied. Your position on each finding is awaited.\n",
            w=what,
        ),
    )


def closed(name: str, what: Text) -> Message:
    """To the cluster: positions are final."""
    return (
        T("{n} : positions finales", "{n}: final positions", n=name),
        T(
            "{w} : une position finale a été prise sur chaque constat ; vous pouvez la lire dans Jalon.\n",
            "{w}: a final position was taken on each finding; you may read it in Jalon.\n",
            w=what,
        ),
    )


def published(name: str, campaign: Any) -> Message:
    """To the cluster: its result is published, with its explanation."""
    return (
        T("{n} : résultat publié", "{n}: result published", n=name),
        T(
            "Le résultat de « {c} » est publié. Jalon dit comment il a été obtenu : règle, données, paramètres et "
            "opérations (code des relations entre le public et l'administration, article L. 311-3-1).\n",
            "The result of “{c}” is published. Jalon tells how it was reached: rule, data, parameters and operations "
            "(French code of relations between the public and the administration, article L. 311-3-1).\n",
            c=_title(campaign),
        ),
    )


def review_concluded(name: str, contract: str, revised: bool) -> Message:
    """To the cluster: a review is concluded."""
    return (
        T("{n} : examen conclu", "{n}: review concluded", n=name),
        T(
            "L'examen de « {c} » est conclu ; sa conclusion et ses motifs se lisent dans Jalon.{r}\n",
            "The review of “{c}” is concluded; its conclusion and reasons are in Jalon.{r}\n",
            c=contract,
            r=T(
                " Un avenant de révision du financement est ouvert : il se négocie comme tout avenant.",
                " An amendment that revises the funding is open: it is negotiated like any amendment.",
            )
            if revised
            else "",
        ),
    )


def survey(name: str, address: str, closes_on: dt.date) -> Message:
    """To a member that gave an address: its own link."""
    return (
        T("{n} : votre avis sur le pôle", "{n}: your view of the cluster", n=name),
        T(
            "Vous êtes membre de {n}. Votre réponse est anonyme : {a}\nLe questionnaire ferme le {d}.\n",
            "You are a member of {n}. Your answer is anonymous: {a}\nThe questionnaire closes on {d}.\n",
            n=name,
            a=address,
            d=closes_on,
        ),
    )


def _title(campaign: Any) -> Text:
    return T(campaign.title_fr, campaign.title_en)
