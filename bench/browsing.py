"""Asks pages of the product through its own WSGI handler, middleware included, as a visitor or as an account."""

from __future__ import annotations

import io
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from jalon.core.lang import T

EMPTY = "/banc/page-vide/"


def empty(request: HttpRequest) -> HttpResponse:
    """The floor of a page: the same base template, navigation, account and footer around nothing."""
    return render(request, "jalon/base.html", {"title": T("Page vide", "Empty page"), "breadcrumb": []})


class NotThere(Exception):
    """The product has no such page."""


class Browser:
    """Answers addresses; ``email`` signs in an account."""

    def __init__(self, email: str = "") -> None:
        self.cookie = _session(email) if email else ""
        self.handler = WSGIHandler()

    def ask(self, address: str) -> tuple[int, dict[str, str], int, int]:
        """Status, headers, length and number of lines of the answer, read to its end."""
        where, _, query = address.partition("?")
        told: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            told["status"], told["headers"] = int(status[:3]), dict(headers)

        body = self.handler(self._environ(where, query), start)
        length = lines = 0
        try:
            for piece in body:
                length += len(piece)
                lines += piece.count(b"\r\n")
        finally:
            body.close()
        return told["status"], told["headers"], length, lines

    def page(self, address: str) -> int:
        """Length of a page that must be there.

        Raises:
            NotThere: no such address.
            RuntimeError: any other answer than 200.
        """
        return self._there(address)[0]

    def lines(self, address: str) -> int:
        """Number of lines of a CSV that must be there (same errors as :meth:`page`)."""
        return self._there(address)[1]

    def _there(self, address: str) -> tuple[int, int]:
        status, headers, length, lines = self.ask(address)
        if status == 404:
            raise NotThere(address)
        if status != 200:
            raise RuntimeError(f"{address}: {status} {headers.get('Location', '')}")
        return length, lines

    def _environ(self, where: str, query: str) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": where.encode().decode("latin-1"),
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_COOKIE": self.cookie,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


def _session(email: str) -> str:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from jalon.people.models import User

    user = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
