"""Every main page as every role: it answers, axe finds nothing serious, no script or content-policy error, fits a phone."""

from __future__ import annotations

import pytest

from tests.journeys.story import DESK, PHONE, act_for, picture, sideways

PUBLIC = (
    "/",
    "/poles/",
    "/poles/xylofutur/",
    "/poles/avenia/membres/",
    "/poles/xylofutur/feuilles-de-route/",
    "/contrats/",
    "/contrats/xylofutur-2009/suivi/",
    "/contrats/xylofutur-2009/suivi/actions/",
    "/contrats/xylofutur-2009/texte/",
    "/contrats/xylofutur-2009/signature/",
    "/contrats/xylofutur-2009/historique/",
    "/contrats/xylofutur-2009/annexes/",
    "/contrats/xylofutur-2009/avenants/",
    "/contrats/xylofutur-2009/suivi/indicateurs/i1/",
    "/politique/",
    "/decisions/",
    "/donnees/",
    "/journal/preuve/",
    "/recherche/?q=bois",
    "/appels/",
    "/appels/fui-9/",
    "/projets/taux-de-succes/",
    "/labels-de-projets/",
    "/aides/calcul/",
    "/poles/aquimer/chronologie/",
    "/dossiers-de-decision/ciadt-2010-05-11/",
    "/rejeu/",
    "/connexion/",
)
OWN = ("/accueil/", "/mon-compte/")
AVENIA = tuple(
    f"/contrats/avenia-2010/{page}" for page in ("", "texte/", "signature/", "historique/", "annexes/", "echange/")
)
REPORT = (
    "/contrats/xylofutur-2009/suivi/2009/",
    "/contrats/xylofutur-2009/suivi/indicateurs/i1/calcul/2009/",
    "/contrats/xylofutur-2009/suivi/actions/",
)
POLE = (
    "/poles/xylofutur/tenir/",
    "/poles/xylofutur/equipe/",
    "/poles/xylofutur/gouvernance/",
    "/poles/xylofutur/documents/",
    "/poles/xylofutur/membres/importer/",
)
ROLES = {
    "": PUBLIC,
    "reader": OWN,
    "cluster_team": (*OWN, *REPORT, *POLE),
    "cluster_director": (*OWN, *AVENIA, "/poles/avenia/feuilles-de-route/", "/personnes/"),
    "state_correspondent": (
        *OWN,
        *AVENIA,
        "/portefeuille/",
        "/contrats/nouveau/",
        "/contrats/xylofutur-2009/suivi/2009/examen/",
    ),
    "prefect": (*OWN, "/portefeuille/", "/contrats/xylofutur-2009/signature/"),
    "local_authority": (*OWN, "/portefeuille/", "/contrats/avenia-2010/"),
    "authority_signatory": (*OWN, "/contrats/avenia-2010/signature/"),
    "national_officer": (
        *OWN,
        "/tableau/",
        "/tableau/indicateurs/",
        "/campagnes/",
        "/organismes/",
        "/organismes/doublons/",
        "/journal/",
        "/poles/xylofutur/labels/",
        "/poles/xylofutur/correspondants/",
    ),
    "admin": (*OWN, "/personnes/", "/organismes/nouveau/"),
    "project_member": ("/accueil/", "/projets/mes-projets/", "/mon-argent/", "/financement-relais/"),
    "fund_manager": ("/financements/", "/selection/fui-10/financement/", "/comptabilite/", "/donnees-de-subvention/"),
    "certifier": ("/accueil/", "/delais-de-versement/"),
    "ministry_expert": ("/accueil/", "/selection/fui-10/classement/", "/comites/gti/"),
    "label_authority": ("/selection/fui-10/scenarios/", "/dossiers-de-decision/"),
    "qualified_person": ("/candidatures/",),
    "expert": ("/accueil/", "/avis/"),
    "evaluator": ("/evaluations/",),
    "bank_officer": ("/financement-relais/", "/financement-relais/bilan/"),
    "guarantor": ("/financement-relais/",),
}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role or "visitor")
def test_pages_of(role, story, axe):
    page = story.enter(role, viewport=DESK) if role else story.visitor(viewport=DESK)
    if role == "cluster_director":
        act_for(page, "Avenia")
    faults = []
    for address in ROLES[role]:
        answer = page.goto(address)
        if not answer.ok:
            faults.append(f"{address}: {answer.status}")
            continue
        if "<main" not in answer.text():
            faults.append(f"{address}: no main")
        try:
            axe(page)
        except AssertionError as found:
            faults.append(str(found))
        picture(page, f"{role or 'visitor'}{address}-1280")
        page.set_viewport_size(PHONE)
        if sideways(page) > 0:
            faults.append(f"{address}: {sideways(page)} px too wide on a phone")
        picture(page, f"{role or 'visitor'}{address}-390")
        page.set_viewport_size(DESK)
    assert not faults, "\n".join(faults)
