"""Printed papers of committees' sessions: the convocation and the minutes, for those who may read the session."""

from __future__ import annotations

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jalon.committees import queries as committees, states as committee_states
from jalon.core import clock
from jalon.core.errors import NotAllowed
from jalon.core.lang import LANGUAGES, T
from jalon.documents import committee as committee_document, make
from jalon.documents.views import _answer, _lang
from jalon.people.access import VISITOR, policy
from jalon.ui.http import page


@require_safe
@never_cache
@page
def session_paper(request: HttpRequest, slug: str, number: int, kind: str, which: str) -> HttpResponse:
    """The convocation or the minutes of a committee's session; ``?lang=`` names the language of the labels."""
    on = clock.today()
    if not request.actor.signed_in:
        raise NotAllowed(T("Connectez-vous pour lire ce document.", "Sign in to read this document."))
    session = committees.session_of(slug, number, request.actor, on)
    if session is None:
        raise Http404
    sheet = committees.sheet(session, request.actor, on)
    if which == "minutes" and (
        session.state not in ("held", "circulated", "adopted") or (session.state == "held" and not sheet.runs)
    ):
        raise Http404
    laws = policy()
    frozen = session.frozen if which == "minutes" else session.convocation
    view = committee_document.SessionView(
        committee=session.committee.title,
        kind=sheet.kind.title if sheet.kind else "",
        programme=laws.title,
        language=laws.language if laws.language in LANGUAGES else "fr",
        on=session.on,
        starts_at=session.starts_at.strftime("%H:%M") if session.starts_at else "",
        where=session.where,
        state=committee_states.TITLES[session.state],
        address=request.build_absolute_uri(reverse("committee-session", args=[slug, number])),
        day=on,
        hidden=frozenset(i.number for i in sheet.items if i.hidden),
        simulated=sheet.simulated,
        adopted_on=session.adopted_on if which == "minutes" else None,
        convened_on=session.convened_on,
        second=session.second,
        urgency=session.urgency,
        sha256=frozen.sha256 if frozen else "",
    )
    if which == "minutes":
        content = (
            json.loads(session.frozen.canonical)["content"]
            if session.frozen
            else committees.minutes_content(committees.sheet(session, VISITOR, on))
        )
        document = committee_document.minutes(view, content, _lang(request))
    else:
        items = [
            {
                "number": i.number,
                "title": (i.item.why or {}).get("title") or i.item.title,
                "kind": i.item.kind,
                "why": i.item.why,
                "details": i.item.details,
            }
            for i in sheet.items
        ]
        document = committee_document.convocation(view, items, sheet.papers, sheet.seats, _lang(request))
    return _answer(make.set_as(document, kind), kind, f"{which}-{slug}-{session.on.isoformat()}")
