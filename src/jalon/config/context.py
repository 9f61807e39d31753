"""What every page knows: programme, navigation, demonstration, who acts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from jalon.core import clock
from jalon.core.lang import T
from jalon.people.access import VISITOR, policy

PUBLIC_NAV = (
    ("register", T("Pôles", "Clusters"), None),
    ("contract-list", T("Contrats", "Contracts"), None),
    ("policy-page", T("Politique", "Policy"), None),
)
MEMBER_NAV = (
    ("home", T("Mon accueil", "My home"), None),
    ("register", T("Pôles", "Clusters"), None),
    ("contract-list", T("Contrats", "Contracts"), None),
    ("portfolio", T("Portefeuille", "Portfolio"), "portfolio.read"),
    ("board", T("Tableau national", "National board"), "board.read"),
    ("people", T("Personnes", "People"), "people.manage"),
    ("policy-page", T("Politique", "Policy"), None),
)


def _address(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def house(request: HttpRequest) -> dict[str, Any]:
    """The context of the base template. Costs no query for a visitor beyond the clock's own."""
    actor = getattr(request, "actor", VISITOR)
    signed_in = (
        getattr(request, "user", None) is not None and request.user.is_authenticated
    )
    nav = []
    for name, label, permission in MEMBER_NAV if signed_in else PUBLIC_NAV:
        address = _address(name)
        if address and (permission is None or actor.can(permission)):
            active = request.path == address or (
                address != "/" and request.path.startswith(address)
            )
            nav.append({"url": address, "label": label, "active": active})
    day = clock.demonstration_day()
    return {
        "programme": policy(),
        "nav": nav,
        "actor": actor if signed_in else VISITOR,
        "today": clock.today(),
        "demo": {"day": day, "travel_url": _address("travel")} if day else None,
    }
