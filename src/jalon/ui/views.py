"""The living style guide: every component with realistic content."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from jalon.core.lang import T
from jalon.ui import samples


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component of the look on one page, with long names, nothing, and far too much."""
    context = {"title": T("Guide de style", "Style guide"), **samples.everything()}
    return render(request, "jalon/styleguide.html", context)
