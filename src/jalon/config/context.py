"""What every page knows: programme, navigation, demonstration, who acts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from jalon.core import clock
from jalon.core.lang import T
from jalon.people.access import VISITOR, policy


@dataclass(frozen=True)
class Entry:
    """A page in the navigation: its address by name, its words, who finds it there.

    ``needs``: one of these permissions is enough; None: everybody; ``SIGNED_IN``: whoever has an account. Access itself is
    never decided here: the page asks again.
    """

    name: str
    label: Any
    needs: tuple[str, ...] | None = None


SIGNED_IN = ("",)


@dataclass(frozen=True)
class Section:
    """A part of the site: its name in the first row, its pages in the second row once the reader is in it."""

    label: Any
    entries: tuple[Entry, ...]


_MONEY = ("agreement.manage", "claim.check", "claim.certify", "payment.order", "payment.record")
_SELECTS = ("selection.instruct", "selection.manage", "selection.intend", "selection.decide")
NAVIGATION = (
    Section(T("Mon accueil", "My home"), (Entry("home", T("Mon accueil", "My home"), SIGNED_IN),)),
    Section(
        T("Pôles", "Clusters"),
        (
            Entry("register", T("Registre", "Register")),
            Entry("decisions", T("Décisions nationales", "National decisions")),
            Entry("candidacy-calls", T("Candidatures au label", "Applications for the label")),
            Entry("phases", T("Phases", "Phases")),
            Entry("replay", T("Rejeu de la politique", "Replay of the policy")),
        ),
    ),
    Section(
        T("Contrats", "Contracts"),
        (
            Entry("contract-list", T("Contrats", "Contracts")),
            Entry("portfolio", T("Portefeuille", "Portfolio"), ("portfolio.read",)),
            Entry("board", T("Tableau national", "National board"), ("board.read",)),
        ),
    ),
    Section(
        T("Projets", "Projects"),
        (
            Entry("my-projects", T("Mes projets", "My projects"), ("project.submit",)),
            Entry("calls", T("Appels à projets", "Calls for projects")),
            Entry("projects", T("Projets", "Projects")),
            Entry("labelling", T("Labellisation", "Labelling"), ("labelling.manage", "labelling.decide")),
            Entry("my-opinions", T("Mes avis", "My opinions"), ("labelling.opinion", "labelling.vote")),
            Entry("project-labels", T("Labels de projets", "Project labels")),
            Entry("selection-index", T("Sélection", "Selection"), _SELECTS),
            Entry("project-rates", T("Taux de succès", "Success rates")),
        ),
    ),
    Section(
        T("Aides et paiements", "Aid and payments"),
        (
            Entry("my-money", T("Mon argent", "My money"), ("claim.submit",)),
            Entry("funding-desk", T("À traiter", "To handle"), _MONEY),
            Entry("agreements", T("Conventions", "Agreements"), (*_MONEY, "agreement.sign", "claim.submit")),
            Entry("accounting", T("Comptabilité", "Accounting"), ("payment.record",)),
            Entry("payment-delays", T("Délais", "Delays"), (*_MONEY, "project.follow")),
            Entry(
                "relays", T("Financement relais", "Relay finance"), ("relay.request", "relay.offer", "relay.guarantee")
            ),
            Entry("relay-scheme", T("Bilan du relais", "Balance of the relay")),
            Entry("aid-ledger", T("Registre des aides", "Ledger of aid"), ("aid.read",)),
            Entry("aid-calculator", T("Quel taux d'aide ?", "Which aid rate?")),
            Entry("subsidy-data", T("Données de subvention", "Subsidy data"), _MONEY),
        ),
    ),
    Section(
        T("Comités et contrôle", "Committees and control"),
        (
            Entry("committees", T("Comités", "Committees"), ("committee.attend", "committee.manage")),
            Entry("committee-follow-ups", T("Suites", "Follow-ups"), ("committee.attend", "committee.manage")),
            Entry("campaigns", T("Évaluations", "Evaluations")),
            Entry("review-list", T("Examens de contrats", "Reviews of contracts"), ("review.manage", "review.reply")),
            Entry("decision-files", T("Dossiers de décision", "Decision files")),
        ),
    ),
    Section(T("Politique", "Policy"), (Entry("policy-page", T("Politique", "Policy")),)),
    Section(T("Personnes", "People"), (Entry("people", T("Personnes", "People"), ("people.manage",)),)),
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


def navigation(path: str, actor: Any, signed_in: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The two rows of the navigation: sections, and the pages of the section in which the reader is."""
    sections: list[tuple[Section, list[tuple[str, Any]]]] = []
    here: tuple[int, Section | None, str] = (0, None, "")
    for section in NAVIGATION:
        pages = []
        for entry in section.entries:
            if entry.needs is None or (signed_in if entry.needs is SIGNED_IN else any(map(actor.can, entry.needs))):
                address = _address(entry.name)
                if address:
                    pages.append((address, entry.label))
                    if len(address) > here[0] and (path == address or (address != "/" and path.startswith(address))):
                        here = (len(address), section, address)
        if pages:
            sections.append((section, pages))
    first = [{"url": pages[0][0], "label": s.label, "active": s is here[1]} for s, pages in sections]
    inside = next((pages for s, pages in sections if s is here[1]), [])
    second = (
        [{"url": url, "label": label, "active": url == here[2]} for url, label in inside] if len(inside) > 1 else []
    )
    return first, second


def house(request: HttpRequest) -> dict[str, Any]:
    """The context of the base template. Costs no query for a visitor beyond the clock's own."""
    actor = getattr(request, "actor", VISITOR)
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    nav, subnav = navigation(request.path, actor, signed_in)
    day = clock.demonstration_day()
    return {
        "programme": policy(),
        "nav": nav,
        "subnav": subnav,
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
