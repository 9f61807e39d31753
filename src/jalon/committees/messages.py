"""Letters of a committee: convocation, papers, postponement, minutes, follow-ups. Each in the language of its reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from jalon.committees import states
from jalon.committees.models import FollowUp, Item, Session
from jalon.committees.queries import session_case
from jalon.core import lang, outbox
from jalon.core.lang import T, Text


def _post(users: Iterable[Any], subject: Text, body: Any, case: str) -> None:
    """``body``: a text, or a function of the reader that gives one."""
    for user in users:
        with lang.speaking(user.language):
            outbox.post(user.email, str(subject), str(body(user) if callable(body) else body), case=case)


def when(session: Session) -> Text:
    """« le 8 juillet 2010 à 14:30, Bordeaux »."""
    hour = T(" à {h}", " at {h}", h=session.starts_at.strftime("%H:%M")) if session.starts_at else T("", "")
    place = T(", {p}", ", {p}", p=session.where) if session.where else T("", "")
    return T("le {d}{h}{p}", "on {d}{h}{p}", d=session.on.isoformat(), h=hour, p=place)


def page_of(session: Session, name: str = "committee-session") -> str:
    return reverse(name, args=[session.committee.slug, session.number])


def convened(session: Session, items: Iterable[Item], users: Iterable[Any], hidden: dict[int, set[int]]) -> None:
    """To everybody who sits: the day, the place, the agenda. A point is left out for who is recused from it."""
    items = list(items)

    def body(user: Any) -> Text:
        lines = "\n".join(
            f"{n}. {i.title}" if user.pk not in hidden.get(i.pk, ()) else f"{n}. –" for n, i in enumerate(items, 1)
        )
        second = (
            T(
                "\nSeconde convocation sur le même ordre du jour : aucun quorum ne sera exigé.\n",
                "\nSecond convening on the same agenda: no quorum will be asked for.\n",
            )
            if session.second
            else T("", "")
        )
        urgent = (
            T("\nConvocation en urgence : {u}\n", "\nConvened urgently: {u}\n", u=session.urgency)
            if session.urgency
            else T("", "")
        )
        return T(
            "« {c} » se réunit {w}.\n{s}{u}\nOrdre du jour :\n{lines}\n\n"
            "Dites si vous serez présent ou donnez pouvoir, et lisez les pièces : {url}\n",
            "“{c}” meets {w}.\n{s}{u}\nAgenda:\n{lines}\n\nSay whether you attend or give a proxy, and read the papers: {url}\n",
            c=session.committee.title,
            w=when(session),
            s=second,
            u=urgent,
            lines=lines,
            url=page_of(session),
        )

    _post(
        users,
        T(
            "Convocation : {c}, {d}",
            "You are convened: {c}, {d}",
            c=session.committee.title,
            d=session.on.isoformat(),
        ),
        body,
        session_case(session),
    )


def papers(session: Session, titles: Iterable[str], users: Iterable[Any]) -> None:
    """To everybody who sits: papers came after the convocation."""
    _post(
        users,
        T("Pièces pour la séance : {c}", "Papers for the session: {c}", c=session.committee.title),
        T(
            "Des pièces ont été ajoutées pour la séance de « {c} » {w} : {t}.\n\nElles se lisent ici : {url}\n",
            "Papers were added for the session of “{c}” {w}: {t}.\n\nRead them here: {url}\n",
            c=session.committee.title,
            w=when(session),
            t=", ".join(titles),
            url=page_of(session),
        ),
        session_case(session),
    )


def moved(session: Session, users: Iterable[Any], new: Session | None) -> None:
    """To everybody who was convened: the session is postponed or cancelled."""
    if new is not None:
        subject = T("Séance reportée : {c}", "Session postponed: {c}", c=session.committee.title)
        body = T(
            "La séance de « {c} » prévue {w} est reportée {n}. Motif : {r}\n\nUne nouvelle convocation suivra.\n",
            "The session of “{c}” planned {w} is put off {n}. Reason: {r}\n\nA new convocation will follow.\n",
            n=T("au {d}", "to {d}", d=new.on.isoformat()),
        )
    else:
        subject = T("Séance annulée : {c}", "Session cancelled: {c}", c=session.committee.title)
        body = T(
            "La séance de « {c} » prévue {w} est annulée. Motif : {r}\n",
            "The session of “{c}” planned {w} is cancelled. Reason: {r}\n",
        )
    _post(
        users,
        subject,
        body.format(c=session.committee.title, w=when(session), r=session.reason),
        session_case(session),
    )


def minutes(session: Session, users: Iterable[Any], *, adopted: bool) -> None:
    """To everybody who sits: the draft minutes, or the adopted ones with their hash."""
    if adopted:
        subject = T("Compte rendu adopté : {c}", "Minutes adopted: {c}", c=session.committee.title)
        body = T(
            "Le compte rendu de la séance de « {c} » {w} est adopté et figé (SHA-256 : {h}).\n\n{url}\n",
            "The minutes of the session of “{c}” {w} are adopted and frozen (SHA-256: {h}).\n\n{url}\n",
            h=session.frozen.sha256 if session.frozen else "",
        )
    else:
        subject = T("Projet de compte rendu : {c}", "Draft minutes: {c}", c=session.committee.title)
        body = T(
            "Le projet de compte rendu de la séance de « {c} » {w} est à relire.\n\n{url}\n",
            "The draft minutes of the session of “{c}” {w} are there to be read.\n\n{url}\n",
        )
    _post(
        users,
        subject,
        body.format(c=session.committee.title, w=when(session), url=page_of(session, "session-minutes")),
        session_case(session),
    )


def follow_up(row: FollowUp, users: Iterable[Any], on: dt.date) -> None:
    """To who answers for a follow-up: what, by when, decided where."""
    _post(
        users,
        T("À faire : {t}", "To do: {t}", t=row.title),
        T(
            "« {c} » vous confie une suite ({k}) : {t}.\nDécidé le {d} ; {due}\n\n{url}\n",
            "“{c}” entrusts you with a follow-up ({k}): {t}.\nDecided on {d}; {due}\n\n{url}\n",
            c=row.committee.title,
            k=states.FOLLOW_UP_KINDS[row.kind],
            t=row.title,
            d=row.session.on.isoformat(),
            due=T("à faire pour le {x}.", "due on {x}.", x=row.due_on.isoformat())
            if row.due_on
            else T("sans échéance.", "without a due day."),
            url=reverse("committee-follow-up", args=[row.pk]),
        ),
        f"committee:{row.committee.slug}",
    )
