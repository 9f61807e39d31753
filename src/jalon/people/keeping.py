"""Pages kept for those who asked for them, until something changes.

What somebody reads at an address is the same until an act is done (:mod:`jalon.core.kept`), the day changes or their
rights do: it is built once and kept in the memory of the process. Visitors without an account share what is kept; whoever
is signed in has pages of their own, under everything that says what they may see. The frame around the page (header,
account, language switch, messages) and the tokens of its forms are made anew for each answer.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.safestring import mark_safe

from jalon.core import clock, kept as store
from jalon.core.lang import language
from jalon.people.access import Actor, policy_stamp
from jalon.ui.http import wants

LONGEST = 600_000
"""A page longer than this many characters is not kept."""

_PARTS = re.compile(
    r"<title>(?P<title>.*?) · Jalon</title>.*?"
    r'common\.js" defer></script>\n(?P<head>.*?)\n</head>\n<body class="(?P<body_class>[^"]*)">.*?'
    r'<div class="wrap page">(?P<whole>.*)</div>\n<footer class="site-foot">.*?'
    r'slash\.js" defer></script>\n(?:<script [^>]*session\.js" defer></script>)?\n(?P<scripts>.*)\n</body>',
    re.DOTALL,
)
_FORM_TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[A-Za-z0-9]+(?=")')


def _reader(actor: Actor) -> Hashable:
    """Everything about an actor on which what they see may depend; nothing for a visitor."""
    if not actor.signed_in:
        return None
    return (
        actor.user_id, actor.user_label, actor.mandate_id, actor.organisation_id, actor.organisation_label, actor.role,
        actor.side, actor.scope, actor.programme, actor.permissions, actor.principal_id,
    )  # fmt: skip


def kept(
    view: Callable[..., HttpResponse] | None = None, *, also: Callable[[HttpRequest], Hashable] | None = None
) -> Any:
    """Keep what this page shows. ``also``: what else it depends on, beside address, day, language and reader.

    A view that tells the frame something (how much waits) puts it into ``request.frame``, a mapping, and its context.
    """
    if view is None:
        return functools.partial(kept, also=also)

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "GET" or wants(request) != "html" or "messages" in request.COOKIES:
            return view(request, *args, **kwargs)
        reader = None
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            reader = (_reader(request.actor), tuple(m.pk for m in request.mandates))
        known = store.version()
        key = (
            "page", request.get_full_path(), clock.today(), clock.demonstration_day(), language(), policy_stamp(), reader,
            also(request) if also else None,
        )  # fmt: skip
        found = store.get(key, known)
        if found is not None:
            page, frame = found
            return render(request, "jalon/kept.html", {**frame, "kept": _with_token(request, page)})
        with store.as_of(known):
            response = view(request, *args, **kwargs)
        if response.status_code == 200 and not response.streaming:
            page = _parts(response.content.decode())
            if page:
                frame = getattr(request, "frame", {})
                store.put(key, (page, frame), sum(map(len, page.values())), known)
        return response

    return wrapped


def _parts(html: str) -> dict[str, str] | None:
    """The parts of a page that its frame does not make; None when they are not found, or too long."""
    found = _PARTS.search(html) if len(html) <= LONGEST else None
    return found.groupdict() if found else None


def _with_token(request: HttpRequest, page: dict[str, str]) -> dict[str, Any]:
    """A kept page for this reader: their own token in each of its forms."""
    whole = page["whole"]
    if "csrfmiddlewaretoken" in whole:
        whole = _FORM_TOKEN.sub(get_token(request), whole)
    # our own pages, escaped when they were built
    return {name: mark_safe(text) for name, text in {**page, "whole": whole}.items()}  # noqa: S308
