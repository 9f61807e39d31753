"""What every page knows: programme, navigation, demonstration, who acts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
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


FOOTER = (
    ("decisions", T("Décisions nationales", "National decisions")),
    ("open-data", T("Données ouvertes", "Open data")),
    ("policy-page", T("La politique, paramètre par paramètre", "The policy, parameter by parameter")),
    ("proof", T("Preuve du journal", "Proof of the journal")),
    ("accessibility", T("Accessibilité : non conforme", "Accessibility: not compliant")),
)


def _address(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


DAYS = (
    (dt.date(2005, 7, 13), T("premiers labels", "first labels")),
    (dt.date(2008, 6, 30), T("après l'évaluation", "after the evaluation")),
    (dt.date(2009, 7, 15), T("contrats signés", "contracts signed")),
    (dt.date(2010, 6, 30), T("départ", "start")),
    (dt.date(2013, 1, 15), T("phase 3", "phase 3")),
    (dt.date(2019, 2, 6), T("phase 4", "phase 4")),
    (dt.date(2024, 1, 9), T("phase 5", "phase 5")),
)
"""Days of the French programme that a visitor of the demonstration may want to see (data/decisions.yaml)."""


def _account(request: HttpRequest, actor: Any) -> dict[str, Any]:
    mandates = getattr(request, "mandates", None) or []
    return {
        "name": actor.user_label or request.user.name,
        "organisation": actor.organisation_label,
        "act_url": _address("act-for"),
        "act_field": "mandate",
        "organisations": [
            {
                "value": m.id,
                "name": f"{m.organisation.name} · {_role_title(m.role)}",
                "active": m.id == actor.mandate_id,
            }
            for m in mandates
        ]
        if len(mandates) > 1
        else [],
        "links": [
            {"url": address, "label": label}
            for name, label in (("my-account", T("Mon compte", "My account")), ("people", T("Mon équipe", "My team")))
            if (address := _address(name))
        ],
    }


def _role_title(code: str) -> str:
    role = next((r for r in policy().roles if r.code == code), None)
    return str(role.title) if role else code


def house(request: HttpRequest) -> dict[str, Any]:
    """The context of the base template. Costs no query for a visitor beyond the clock's own."""
    actor = getattr(request, "actor", VISITOR)
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    nav = []
    for name, label, permission in MEMBER_NAV if signed_in else PUBLIC_NAV:
        address = _address(name)
        if address and (permission is None or actor.can(permission)):
            active = request.path == address or (address != "/" and request.path.startswith(address))
            nav.append({"url": address, "label": label, "active": active})
    day = clock.demonstration_day()
    return {
        "programme": policy(),
        "nav": nav,
        "actor": actor if signed_in else VISITOR,
        "account": _account(request, actor) if signed_in else None,
        "session_seconds": settings.SESSION_COOKIE_AGE if signed_in else None,
        "session_keep_url": _address("keep-session") if signed_in else None,
        "today": clock.today(),
        "printed_on": clock.today(),
        "footer_links": [{"url": address, "label": label} for name, label in FOOTER if (address := _address(name))],
        "demo": {
            "day": day,
            "travel_url": _address("travel"),
            "min": clock.FIRST_DAY,
            "max": clock.real_now().date(),
            "days": [{"day": d, "label": label} for d, label in DAYS]
            if policy().slug == "fr-poles-de-competitivite"
            else [],
        }
        if day
        else None,
    }
