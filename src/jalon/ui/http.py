"""What every view shares: answering refusals, choosing the format, exporting tables."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.text import slugify

from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T, language, speaking
from jalon.core.sheets import Column, write_csv, write_json, write_ods, write_xlsx

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "json": "application/json",
}


def wants(request: HttpRequest) -> str:
    """The format asked for by ``?format=`` (or by an ``Accept: application/json``): html unless said otherwise."""
    asked = request.GET.get("format", "")
    if asked in FORMATS:
        return asked
    return "json" if wants_json(request) else "html"


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller is a script (autosave, progress) that reads JSON."""
    return request.headers.get("Accept", "").startswith("application/json")


def safe_next(request: HttpRequest, fallback: str) -> str:
    """Where to go after an act: the ``next`` given if it stays on this site, else ``fallback``."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return fallback


def refusal_page(request: HttpRequest, refusal: Refused, status: int) -> HttpResponse:
    """A page that says the refusal: reason, what is missing, why."""
    return render(request, "jalon/refused.html", {"refusal": refusal}, status=status)


def answer_refusal(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The answer to a refused act or page, in the form that the caller reads."""
    status = 403 if isinstance(refusal, NotAllowed) else 409 if isinstance(refusal, Conflict) else 400
    if wants_json(request):
        body: dict[str, Any] = {"message": str(refusal.reason), "missing": [str(m) for m in refusal.missing]}
        if isinstance(refusal, Conflict):
            body |= {"theirs": refusal.theirs, "yours": refusal.yours}
        return JsonResponse(body, status=status)
    if isinstance(refusal, NotAllowed) and not request.user.is_authenticated:
        return HttpResponseRedirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
    return refusal_page(request, refusal, status)


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page: a refusal met while building it becomes a readable answer."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            return answer_refusal(request, refusal)

    return wrapped


class Attempt:
    """An act whose refusal its own page shows: ``with Attempt() as tried: …``, then ``tried.refusal`` (None: done).

    What the actor may not do is no sentence beside a form: :class:`NotAllowed` goes on its way.
    """

    def __init__(self) -> None:
        self.refusal: Refused | None = None

    def __enter__(self) -> Attempt:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, Refused) or isinstance(error, NotAllowed):
            return False
        self.refusal = error
        return True


def acts(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that acts (POST only): a refusal goes back to the page it came from, with the sentence.

    Forms that must keep what was typed catch :class:`Refused` themselves; this is the net below them.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            response = HttpResponse(status=405)
            response["Allow"] = "POST"
            return response
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            back = request.headers.get("Referer", "")
            inside = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
            if wants_json(request) or isinstance(refusal, NotAllowed) or not inside:
                return answer_refusal(request, refusal)
            messages.error(request, str(refusal))
            return HttpResponseRedirect(back)

    return wrapped


def _spoken_in(code: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces of an answer in the language of who asked: they are made after the view, when nothing says it any more."""
    rest = iter(pieces)
    while True:
        with speaking(code):
            piece = next(rest, None)
        if piece is None:
            return
        yield piece


def export(
    request: HttpRequest,
    name: str,
    columns: Sequence[tuple[str, Column]],
    rows: Iterable[Sequence[Any]],
    *,
    simulated: bool = False,
    sheet: str = "",
) -> HttpResponse:
    """A table in the format asked for, streamed: exactly the rows given.

    Args:
        name: of the file, without its ending.
        columns: ``(key, Column)`` pairs; the key names the field in JSON.
        rows: cells in the order of the columns; an iterator is read once, piece by piece.
        simulated: the table holds simulated figures: a column and the file's name say so.
    """
    kind = wants(request)
    if simulated:
        columns = [*columns, ("data", Column(T("Données", "Data")))]
        mark = str(T("simulées (démonstration)", "simulated (demonstration)"))
        rows = ([*row, mark] for row in rows)
        name += "-simule" if language() == "fr" else "-simulated"
    filename = f"{slugify(name)}.{kind}"
    heads = [c for _, c in columns]
    if kind in ("csv", "json"):
        pieces = (
            write_csv(heads, rows, french=language() == "fr")
            if kind == "csv"
            else write_json(heads, [k for k, _ in columns], rows)
        )
        body: Any = StreamingHttpResponse(_spoken_in(language(), pieces), content_type=FORMATS[kind])
    elif kind in ("xlsx", "ods"):
        write = write_xlsx if kind == "xlsx" else write_ods
        body = FileResponse(write([(sheet or name, heads, rows)]), content_type=FORMATS[kind])
    else:
        raise Refused(T("Format inconnu.", "Unknown format."), kind="input")
    body["Content-Disposition"] = f'attachment; filename="{filename}"'
    return body
