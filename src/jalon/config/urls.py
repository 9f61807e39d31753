"""Addresses: each package declares its own; this file only gathers them."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import include, path

PACKAGES = (
    "jalon.ui",
    "jalon.people",
    "jalon.interests",
    "jalon.clusters",
    "jalon.indicators",
    "jalon.roadmaps",
    "jalon.contracts",
    "jalon.aid",
    "jalon.projects",
    "jalon.labelling",
    "jalon.selection",
    "jalon.funding",
    "jalon.committees",
    "jalon.evaluations",
    "jalon.decisions",
    "jalon.documents",
    "jalon.workspace",
    "jalon.portal",
    "jalon.demo",
)

urlpatterns = [path("", include(f"{name}.urls")) for name in PACKAGES if find_spec(name) and find_spec(f"{name}.urls")]
