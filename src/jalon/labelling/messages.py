"""Messages of labelling. Each is written in the reader's language, and goes to nobody who is recused.

A message to an expert names title and deadline, no content: the file opens after the declaration of interests. No message
names an expert.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from jalon.core import outbox
from jalon.core.lang import T, Text, speaking
from jalon.interests.access import recipients
from jalon.labelling.models import LabelRequest
from jalon.people.models import User
from jalon.policy.faults import day_text


def tell(request: LabelRequest, users: Iterable[User], message: tuple[Text, Text], **values: Any) -> int:
    """Post a message to those of ``users`` who may hear of the project; how many it went to."""
    subject, body = message
    known = {
        "project": request.project.acronym,
        "title": request.project.title,
        "cluster": request.cluster.name,
        **values,
    }
    going = recipients(request.project.case, users)
    for user in going:
        with speaking(user.language):
            outbox.post(user.email, str(subject.format(**known)), str(body.format(**known)), case=request.case)
    return len(going)


def said(day: dt.date | None) -> Any:
    """A day in words, or that none is fixed."""
    return day_text(day) if day else T("sans date", "no date")


ASKED = (
    T("{project} : label demandé", "{project}: label asked for"),
    T(
        "Le chef de file de « {title} » demande le label de {cluster}. À recevoir et à affecter avant le {day}.",
        "The leader of “{title}” asks for the label of {cluster}. To be received and assigned by {day}.",
    ),
)
RECEIVED = (
    T("{project} : accusé de réception de votre demande de label", "{project}: your request for a label was received"),
    T(
        "{cluster} a reçu votre demande de label pour « {title} » le {day}. Correspondant : {who}. La recevabilité est "
        "vérifiée d'ici au {due}.",
        "{cluster} received your request for a label for “{title}” on {day}. Correspondent: {who}. Its admissibility is "
        "checked by {due}.",
    ),
)
MORE = (
    T("{project} : dossier de label à compléter", "{project}: label file to be completed"),
    T(
        "{cluster} demande des compléments pour « {title} » :\n\n{missing}\n",
        "{cluster} asks for more about “{title}”:\n\n{missing}\n",
    ),
)
COMPLETED = (
    T("{project} : dossier complété", "{project}: file completed"),
    T("Le porteur de « {title} » a complété son dossier.", "The leader of “{title}” completed the file."),
)
DISMISSED = (
    T("{project} : demande de label irrecevable", "{project}: request for a label inadmissible"),
    T(
        "{cluster} déclare irrecevable la demande de label de « {title} ». Motifs :\n\n{missing}\n",
        "{cluster} declares the request for a label of “{title}” inadmissible. Reasons:\n\n{missing}\n",
    ),
)
INVITED = (
    T("{project} : un avis vous est demandé", "{project}: your opinion is asked for"),
    T(
        "{cluster} vous demande un avis sur le projet « {title} », avant le {day}. Déclarez d'abord vos intérêts : le "
        "dossier s'ouvre ensuite. Vous pouvez décliner.",
        "{cluster} asks for your opinion on the project “{title}”, by {day}. First declare your interests: the file opens "
        "afterwards. You may decline.",
    ),
)
REMINDED = (
    T("{project} : votre avis est attendu", "{project}: your opinion is expected"),
    T(
        "Votre avis sur « {title} » est attendu par {cluster} pour le {day}.",
        "Your opinion on “{title}” is expected by {cluster} for {day}.",
    ),
)
OVERDUE = (
    T("{project} : votre avis est en retard", "{project}: your opinion is late"),
    T(
        "Votre avis sur « {title} » était attendu par {cluster} pour le {day}. Rendez-le, ou déclinez.",
        "Your opinion on “{title}” was expected by {cluster} for {day}. Give it, or decline.",
    ),
)
CANCELLED = (
    T("{project} : avis annulé", "{project}: opinion no longer needed"),
    T("{cluster} n'attend plus votre avis sur « {title} ».", "{cluster} no longer expects your opinion on “{title}”."),
)
GIVEN = (
    T("{project} : avis rendu", "{project}: opinion given"),
    T("{who} a rendu son avis sur « {title} ».", "{who} gave an opinion on “{title}”."),
)
DECLINED = (
    T("{project} : avis décliné", "{project}: opinion declined"),
    T(
        "{who} décline l'avis demandé sur « {title} ». Un autre expert est à trouver.",
        "{who} declines the opinion asked for on “{title}”. Another expert is to be found.",
    ),
)
VOTE = (
    T("{project} : vote du comité", "{project}: the committee's vote"),
    T(
        "Le comité de labellisation de {cluster} vote sur « {title} », {way}, jusqu'au {day} à minuit, heure de Paris. "
        "Déclarez d'abord vos intérêts.",
        "The labelling committee of {cluster} votes on “{title}”, {way}, until {day} at midnight, Paris time. First declare "
        "your interests.",
    ),
)
VOTED = (
    T("{project} : vote clos, à décider", "{project}: vote closed, to be decided"),
    T("Le vote sur « {title} » est clos. La décision est attendue pour le {day}.", "The vote on “{title}” is closed. The decision is expected by {day}."),
)  # fmt: skip
DECIDED = (
    T("{project} : décision de {cluster}", "{project}: decision of {cluster}"),
    T(
        "{cluster} a décidé le {day} sur la demande de label de « {title} » : {outcome}.\n\n{reasons}\n",
        "{cluster} decided on {day} on the request for a label of “{title}”: {outcome}.\n\n{reasons}\n",
    ),
)
RESUMED = (
    T("{project} : présenté de nouveau", "{project}: presented again"),
    T("Le porteur présente de nouveau « {title} ».", "The leader presents “{title}” again."),
)
LAPSED = (
    T("{project} : demande de label close", "{project}: request for a label closed"),
    T(
        "{cluster} n'a plus de label : la demande de label de « {title} » auprès de ce pôle est close. Elle peut être faite à "
        "un autre pôle.",
        "{cluster} has no label any more: the request for a label of “{title}” to this cluster is closed. It may be made to "
        "another one.",
    ),
)
WITHDRAWN = (
    T("{project} : demande de label retirée", "{project}: request for a label withdrawn"),
    T(
        "La demande de label de « {title} » auprès de {cluster} est retirée.",
        "The request for a label of “{title}” to {cluster} is withdrawn.",
    ),
)
