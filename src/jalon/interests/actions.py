"""The acts on interests: declare, or ask that somebody stays away."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Q

from jalon.core import clock, journal, outbox
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.models import OutboxMessage
from jalon.core.why import Why
from jalon.interests import states
from jalon.interests.models import Declaration
from jalon.people.access import Actor
from jalon.people.models import User


@transaction.atomic
def declare(
    case: str,
    stance: str,
    *,
    by: Actor,
    on: dt.date,
    reason: str = "",
    linked: bool = False,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Declaration:
    """Declare one's interest in a case: ``none`` or ``interest``; a later declaration replaces the one before.

    A recusal that somebody else asked for cannot be taken back by the person concerned. ``linked``: the programme knows
    of a link (the person's organisation takes part in the case); "none" cannot then be declared.

    Raises:
        Refused: unknown stance, or an interest without a word on its nature.
        NotAllowed: nobody is signed in, or a recusal asked for by somebody else stands.
    """
    if by.user_id is None:
        raise NotAllowed(T("Une déclaration est nominative : connectez-vous.", "A declaration is personal: sign in."))
    if stance not in states.STANCES:
        raise Refused(
            T(
                "« {s} » n'est pas une déclaration : none ou interest.",
                "“{s}” is no declaration: none or interest.",
                s=stance,
            ),
            kind="input",
        )
    if stance == "interest" and not reason.strip():
        raise Refused(
            T("Dire en quelques mots la nature du lien.", "Say in a few words what the interest is."), kind="input"
        )
    if stance == "none" and linked:
        raise Refused(
            T(
                "Votre organisme, {o}, est partie à ce dossier : déclarez un lien d'intérêts.",
                "Your organisation, {o}, is a party of this case: declare an interest.",
                o=by.organisation_label or "–",
            ),
            why=Why(
                rule=T(
                    "Qui agit pour un organisme partie au dossier y a un lien d'intérêts (lecture de Jalon).",
                    "Whoever acts for an organisation that is a party of the case has an interest in it (Jalon's reading).",
                ),
                reading=True,
            ),
        )
    before = (
        Declaration.objects.select_for_update()
        .filter(case=case, user_id=by.user_id, superseded_at__isnull=True)
        .first()
    )
    if before is not None and before.asked_by and before.stance == "interest" and stance == "none":
        raise NotAllowed(
            T(
                "Ce déport a été demandé par {who} ; vous ne pouvez pas le lever vous-même.",
                "This recusal was asked for by {who}; you cannot lift it yourself.",
                who=before.asked_by,
            )
        )
    return _write(case, by.user_id, stance, reason, "", before, "interest.declare", by, on, at, simulated)


@transaction.atomic
def ask_recusal(
    case: str,
    user: User,
    *,
    by: Actor,
    on: dt.date,
    reason: str,
    at: dt.datetime | None = None,
    simulated: bool = False,
) -> Declaration:
    """Somebody entitled to it asks that ``user`` neither sees the case nor sits on it. The caller checks the entitlement.

    Raises:
        Refused: no reason is given.
    """
    if not reason.strip():
        raise Refused(T("Une demande de déport dit pourquoi.", "Asking for a recusal needs a reason."), kind="input")
    before = Declaration.objects.select_for_update().filter(case=case, user=user, superseded_at__isnull=True).first()
    asked = by.organisation_label or by.user_label
    return _write(case, user.pk, "interest", reason, asked, before, "interest.ask_recusal", by, on, at, simulated)


def _write(case, user_id, stance, reason, asked_by, before, act, by, on, at, simulated) -> Declaration:
    moment = clock.stamp(on, at)
    if before is not None:
        before.superseded_at = moment
        before.save(update_fields=["superseded_at"])
    try:
        with transaction.atomic():
            row = Declaration.objects.create(
                case=case,
                user_id=user_id,
                organisation_id=by.organisation_id if user_id == by.user_id else None,
                stance=stance,
                reason=reason.strip(),
                asked_by=asked_by[:200],
                on=on,
                at=moment,
                simulated=simulated,
            )
    except IntegrityError:
        raise Conflict(
            T("Une déclaration vient d'être faite sur ce dossier.", "A declaration on this case has just been made."),
            theirs="",
            yours=stance,
        ) from None
    if stance == "interest":
        _stop_messages(case, user_id)
    # The nature of an interest is personal: the journal keeps that there is one, not what it is. It has a case of its
    # own, because whoever reads the case's journal would learn from it who assesses the case.
    journal.record(
        f"interests:{case}",
        act,
        by=by,
        on=on,
        before=None if before is None else {"stance": before.stance},
        after={"stance": stance, "person": user_id},
        at=moment,
    )
    return row


def _stop_messages(case: str, user_id: int) -> None:
    """Messages about the case that have not left are emptied: the recused hears nothing of it any more.

    A case of another kind that carries the same key (``labelling:<slug>/…`` of ``project:<slug>``) is about it too.
    """
    key = case.partition(":")[2]
    email = User.objects.values_list("email", flat=True).get(pk=user_id)
    about = Q(case=case) | Q(case__endswith=f":{key}") | Q(case__contains=f":{key}/")
    OutboxMessage.objects.filter(about, to=email, sent_at__isnull=True).update(
        subject="—", body="—", attempts=outbox.MAX_ATTEMPTS, last_error="recused"
    )
