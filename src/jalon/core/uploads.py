"""Bodies that are too large are refused before any view reads them, with a sentence that says so."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string

from jalon.core.errors import Refused
from jalon.core.lang import T

MAX_BODY = 32 * 1024 * 1024
"""Largest request body, in bytes: the largest workbook and its form."""
_DRAIN = 1024 * 1024 * 1024


class BodyLimitMiddleware:
    """Answers 413 to a body over the limit; the body is read and dropped so that the browser shows the answer."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) <= MAX_BODY:
            return self.get_response(request)
        left = min(int(length), _DRAIN)
        stream = request.META.get("wsgi.input")
        while stream is not None and left > 0:
            piece = stream.read(min(left, 1024 * 1024))
            if not piece:
                break
            left -= len(piece)
        refusal = Refused(
            T(
                "Le fichier envoyé pèse {size} Mo ; la limite est de {limit} Mo. Rien n'a été enregistré.",
                "The file sent weighs {size} MB; the limit is {limit} MB. Nothing was saved.",
                size=int(length) // (1024 * 1024),
                limit=MAX_BODY // (1024 * 1024),
            ),
            kind="input",
        )
        if request.META.get("HTTP_ACCEPT", "").startswith("application/json"):
            return JsonResponse({"message": str(refusal.reason)}, status=413)
        return HttpResponse(render_to_string("jalon/refused.html", {"refusal": refusal}), status=413)
