"""Messages about agreements, claims and relays: what they say; each in the language of the person who reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from jalon.core.lang import T, Text, speaking
from jalon.core.outbox import post
from jalon.funding import queries
from jalon.funding.rules import euros
from jalon.interests.access import recused_users
from jalon.people.models import User

Message = tuple[Text, Text]


def tell(organisation_id: int, permission: str, on: dt.date, message: Message, case: str) -> int:
    """Post a message to the people of an organisation who hold a permission; returns how many."""
    return tell_users(queries.people_of(organisation_id, permission, on), message, case)


def tell_users(users: Iterable[User], message: Message, case: str, *, project_case: str = "") -> int:
    """Post a message to users; who is recused from the project hears nothing of it."""
    away = recused_users(project_case) if project_case else set()
    sent = 0
    subject, body = message
    for user in users:
        if user.pk in away:
            continue
        with speaking(user.language):
            post(user.email, str(subject), str(body), case=case)
        sent += 1
    return sent


def _about(agreement: Any) -> dict[str, Any]:
    return {
        "number": agreement.number,
        "project": agreement.project.acronym,
        "funder": agreement.funder.name,
        "beneficiary": agreement.beneficiary.name,
    }


def sent(agreement: Any) -> Message:
    """To the beneficiary: an agreement waits for its signature."""
    about = _about(agreement)
    return (
        T("{project} : convention {number} à signer", "{project}: agreement {number} to be signed", **about),
        T(
            "{funder} vous envoie la convention {number} pour le projet {project} ({amount} €). Elle attend votre signature.",
            "{funder} sends you agreement {number} for the project {project} ({amount} €). It waits for your signature.",
            **about,
            amount=euros(agreement.amount),
        ),
    )


def suspended(agreement: Any) -> Message:
    """To the beneficiary: payments are suspended, and why."""
    about = _about(agreement)
    return (
        T("{project} : paiements suspendus", "{project}: payments suspended", **about),
        T(
            "{funder} suspend les paiements de la convention {number}. Motif : {reason}",
            "{funder} suspends the payments of agreement {number}. Reason: {reason}",
            **about,
            reason=agreement.suspended_reason,
        ),
    )


def amendment(row: Any) -> Message:
    """To the beneficiary: an amendment waits for an answer."""
    about = _about(row.agreement)
    return (
        T(
            "{project} : avenant {n} à la convention {number}",
            "{project}: amendment {n} to agreement {number}",
            **about,
            n=row.number,
        ),
        T(
            "{funder} propose l'avenant {n} à la convention {number}. Motif : {reason}",
            "{funder} proposes amendment {n} to agreement {number}. Reason: {reason}",
            **about,
            n=row.number,
            reason=row.reason,
        ),
    )


def given_back(claim: Any) -> Message:
    """To the beneficiary: a claim came back or was rejected, and why."""
    about = _about(claim.agreement)
    rejected = claim.state == "rejected"
    title = (
        T("{project} : demande de versement {n} rejetée", "{project}: claim {n} rejected", **about, n=claim.number)
        if rejected
        else T(
            "{project} : demande de versement {n} à compléter",
            "{project}: claim {n} to be completed",
            **about,
            n=claim.number,
        )
    )
    return (
        title,
        T(
            "Convention {number}, demande {n}. Motifs :\n\n{reason}\n",
            "Agreement {number}, claim {n}. Reasons:\n\n{reason}\n",
            **about,
            n=claim.number,
            reason=claim.reason,
        ),
    )


def recovery(row: Any) -> Message:
    """To the beneficiary: some of what was paid is asked back."""
    about = _about(row.agreement)
    return (
        T("{project} : ordre de reversement", "{project}: recovery order", **about),
        T(
            "{funder} vous demande de reverser {amount} € sur la convention {number}. Motif : {reason}",
            "{funder} asks you to repay {amount} € on agreement {number}. Reason: {reason}",
            **about,
            amount=euros(row.amount),
            reason=row.reason,
        ),
    )


def return_back(row: Any) -> Message:
    """To the beneficiary: a financial return came back, and why."""
    about = _about(row.agreement)
    return (
        T(
            "{project} : compte rendu financier {y} à reprendre",
            "{project}: financial return {y} to be done again",
            **about,
            y=row.year,
        ),
        T(
            "{funder} renvoie le compte rendu financier {y} de la convention {number}. Motifs :\n\n{reason}\n",
            "{funder} sends back the financial return {y} of agreement {number}. Reasons:\n\n{reason}\n",
            **about,
            y=row.year,
            reason=row.reason,
        ),
    )


def return_due(row: Any, on: dt.date) -> Message:
    """To the beneficiary: a financial return is due on a day, or is late."""
    about = _about(row.agreement)
    if row.due_on < on:
        return (
            T(
                "{project} : compte rendu financier {y} en retard",
                "{project}: financial return {y} is late",
                **about,
                y=row.year,
            ),
            T(
                "Le compte rendu financier {y} de la convention {number} était à remettre à {funder} avant le {d}.",
                "The financial return {y} of agreement {number} was to be handed in to {funder} by {d}.",
                **about,
                y=row.year,
                d=row.due_on.isoformat(),
            ),
        )
    return (
        T(
            "{project} : compte rendu financier {y} à remettre",
            "{project}: financial return {y} to be handed in",
            **about,
            y=row.year,
        ),
        T(
            "Le compte rendu financier {y} de la convention {number} est à remettre à {funder} avant le {d}.",
            "The financial return {y} of agreement {number} is to be handed in to {funder} by {d}.",
            **about,
            y=row.year,
            d=row.due_on.isoformat(),
        ),
    )


def completing(agreement: Any, due: dt.date) -> Message:
    """To the beneficiary: the file must be complete by a day, or the selection is lost."""
    about = _about(agreement)
    return (
        T(
            "{project} : dossier à compléter avant le {due}",
            "{project}: file to be completed by {due}",
            **about,
            due=due,
        ),
        T(
            "La convention {number} n'est pas signée. Sans dossier complet le {due}, la sélection est perdue.",
            "Agreement {number} is not signed. Without a complete file by {due}, the selection is lost.",
            **about,
            due=due,
        ),
    )


def relay(row: Any, subject: Text, body: Text, **more: Any) -> Message:
    """A message about a relay: its project, company, bank and amounts may be named in it."""
    about = {
        "project": row.project.acronym,
        "company": row.company.name,
        "bank": row.bank.name,
        "amount": euros(row.offer or row.amount),
        **more,
    }
    return subject.format(**about), body.format(**about)


def asked(row: Any) -> Message:
    """To the bank: a company asks for an advance on its grant."""
    return relay(
        row,
        T("{project} : {company} demande un financement relais", "{project}: {company} asks for relay finance"),
        T(
            "{company} demande une avance de {asked} € sur sa subvention pour le projet {project}.",
            "{company} asks for an advance of {asked} € on its grant for the project {project}.",
        ),
        asked=euros(row.amount),
    )


def answered(row: Any) -> Message:
    """To the company: the bank made an offer, or refused."""
    if row.state == "refused":
        return relay(
            row,
            T("{project} : financement relais refusé", "{project}: relay finance refused"),
            T("{bank} refuse votre demande. Motif : {why}", "{bank} refuses your request. Reason: {why}"),
            why=row.answer,
        )
    return relay(
        row,
        T("{project} : offre de financement relais", "{project}: relay finance offered"),
        T("{bank} vous propose une avance de {amount} €.", "{bank} offers you an advance of {amount} €."),
    )


def guarantee_asked(row: Any) -> Message:
    """To the guarantor: a bank asks for its counter-guarantee."""
    return relay(
        row,
        T("{project} : contre-garantie demandée", "{project}: counter-guarantee asked for"),
        T(
            "{bank} demande votre contre-garantie de {guarantee} € sur l'avance de {amount} € à {company}.",
            "{bank} asks for your counter-guarantee of {guarantee} € on the advance of {amount} € to {company}.",
        ),
        guarantee=euros(row.guarantee_amount),
    )


def guarantee_answered(row: Any) -> Message:
    """To the bank: the guarantor's answer."""
    if row.guarantee == "granted":
        return relay(
            row,
            T("{project} : contre-garantie accordée", "{project}: counter-guarantee granted"),
            T("La contre-garantie de {g} € est accordée.", "The counter-guarantee of {g} € is granted."),
            g=euros(row.guarantee_amount),
        )
    return relay(
        row,
        T("{project} : contre-garantie refusée", "{project}: counter-guarantee refused"),
        T("La contre-garantie est refusée. Motif : {why}", "The counter-guarantee is refused. Reason: {why}"),
        why=row.guarantee_note,
    )


def accepted(row: Any) -> Message:
    """To the bank: the company accepted the offer."""
    return relay(
        row,
        T("{project} : offre acceptée par {company}", "{project}: offer accepted by {company}"),
        T(
            "{company} accepte votre avance de {amount} €. Reste à notifier la cession de créance au payeur.",
            "{company} accepts your advance of {amount} €. The assignment of the claim is to be notified to the payer.",
        ),
    )


def assigned(row: Any) -> Message:
    """To the payer: from now on, payments of the grant go to the bank."""
    return relay(
        row,
        T("{project} : cession de créance notifiée", "{project}: assignment of a claim notified"),
        T(
            "{company} a cédé à {bank} sa créance sur votre subvention. Les paiements vont désormais à {bank}.",
            "{company} assigned to {bank} its claim on your grant. Payments now go to {bank}.",
        ),
    )


def defaulted(row: Any) -> Message:
    """To company and guarantor: the bank declared a default."""
    return relay(
        row,
        T("{project} : défaut constaté sur le relais", "{project}: default declared on the relay"),
        T(
            "{bank} constate le défaut de {company} : {owed} € restent dus. Motif : {why}",
            "{bank} declares the default of {company}: {owed} € are owed. Reason: {why}",
        ),
        owed=euros(row.owed),
        why=row.default_reason,
    )


def called(row: Any, amount: Decimal) -> Message:
    """To the guarantor: the guarantee is called."""
    return relay(
        row,
        T("{project} : contre-garantie appelée", "{project}: counter-guarantee called"),
        T("{bank} appelle votre contre-garantie : {a} €.", "{bank} calls your counter-guarantee: {a} €."),
        a=euros(amount),
    )


def reduced(row: Any, owed: Decimal, due: Decimal, gap: Decimal) -> Message:
    """To company, bank and guarantor: the grant no longer covers the relay."""
    return relay(
        row,
        T("{project} : l'aide ne couvre plus le relais", "{project}: the grant does not cover the relay any more"),
        T(
            "L'aide de {company} a été réduite ou annulée. La banque est due de {owed} € ; il reste {due} € d'aide à venir : "
            "{gap} € sont à rembourser par l'entreprise. La contre-garantie, s'il y en a une, demeure.",
            "The grant of {company} was reduced or cancelled. The bank is owed {owed} €; {due} € of the grant are still to "
            "come: {gap} € are to be repaid by the company. The counter-guarantee, if there is one, stays.",
        ),
        owed=euros(owed),
        due=euros(due),
        gap=euros(gap),
    )
