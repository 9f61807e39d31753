"""Per request: the language to answer in, and who acts."""

from __future__ import annotations

import time

from django.conf import settings
from django.http import HttpResponseBadRequest
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from jalon.core import clock
from jalon.core.lang import speaking
from jalon.people.queries import actor_of, mandates_on

LANGUAGE_COOKIE = "jalon_language"
MANDATE_KEY = "mandate"


class LanguageMiddleware:
    """French unless the visitor chose English (a cookie, set by the switch at the top of each page)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        code = request.COOKIES.get(LANGUAGE_COOKIE)
        if code not in ("fr", "en"):
            code = "fr"
        with translation.override(code), speaking(code):  # the second is asked a thousand times a page
            request.LANGUAGE_CODE = code
            response = self.get_response(request)
            if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                response = response.render()
        response.headers.setdefault("Content-Language", code)
        return response


class ActorMiddleware:
    """``request.actor`` and ``request.mandates``: computed when first asked for, so that public pages cost no query."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        keep_awake(request)
        request.mandates = SimpleLazyObject(lambda: mandates_of(request))
        request.actor = SimpleLazyObject(
            lambda: actor_of(request.user, clock.today(), request.session.get(MANDATE_KEY), list(request.mandates))
        )
        return self.get_response(request)


def mandates_of(request) -> list:
    """The mandates among which the signed-in user may choose today."""
    if not request.user.is_authenticated:
        return []
    return list(mandates_on(request.user, clock.today()).select_related("user"))


class NullByteMiddleware:
    """An address with a null byte is no address: PostgreSQL would refuse it in the middle of a page."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path:
            return HttpResponseBadRequest()
        return self.get_response(request)


TOUCHED_KEY = "touched"
TOUCH_EVERY = 15 * 60


def keep_awake(request) -> None:
    """A session ends some hours after the last page, not after the sign-in: it is prolonged every quarter of an hour.

    Sign-in sets the first moment; a session without one is left alone.
    """
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        touched = request.session.get(TOUCHED_KEY)
        if touched is not None and time.time() - touched > TOUCH_EVERY:
            request.session[TOUCHED_KEY] = int(time.time())
