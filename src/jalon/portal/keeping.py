"""Public pages kept for visitors, until something changes.

What a visitor without an account reads of the register is the same for everybody: it is built once and kept in the memory
of the process. Every act writes a row of the journal, so the number of the last row says whether anything changed; the
day, the language, the address and the policy are the rest of the key. The frame around the page (header, language switch,
tokens) is built anew for each visitor.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe

from jalon.core import clock
from jalon.core.lang import language
from jalon.core.models import JournalEntry
from jalon.people.access import policy
from jalon.ui.http import wants

SECONDS = 600
LONGEST = 400_000
"""A page longer than this many characters is not kept."""
_START, _END = '<div class="wrap page">', '</div>\n<footer class="site-foot">'


def _key(request: HttpRequest) -> str:
    last = JournalEntry.objects.order_by("-id").values_list("id", flat=True).first()
    return f"kept:{last}:{clock.today().isoformat()}:{language()}:{id(policy())}:{hash(request.get_full_path())}"


def kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keep what a visitor without session reads of this page; anybody else gets it built for them."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        visitor = not {settings.SESSION_COOKIE_NAME, "messages"} & set(request.COOKIES)
        if request.method != "GET" or not visitor or wants(request) != "html":
            return view(request, *args, **kwargs)
        key = _key(request)
        found = cache.get(key)
        if found is not None and found["path"] == request.get_full_path():
            return render(request, "portal/kept.html", {"kept": found})
        response = view(request, *args, **kwargs)
        if response.status_code == 200 and not response.streaming:
            page = _part(response.content.decode())
            if page:
                cache.set(key, {**page, "path": request.get_full_path()}, SECONDS)
        return response

    return wrapped


def _part(html: str) -> dict[str, Any] | None:
    """The title and the part of a page that is the same for everybody; None when it holds a token or is too long."""
    start, end = html.find(_START), html.rfind(_END)
    title = html[html.find("<title>") + 7 : html.find(" · ", html.find("<title>"))]
    if start < 0 or end < 0 or end - start > LONGEST or "csrfmiddlewaretoken" in html[start:end]:
        return None
    return {
        "title": mark_safe(title),  # noqa: S308 - our own page, already escaped
        "body": mark_safe(html[start + len(_START) : end]),  # noqa: S308
    }
