"""Words of State aid: legal bases, kinds of aid to a cluster, acts of the journal."""

from __future__ import annotations

from jalon.core.lang import T

BASES = {
    "gber": T("Exemption par catégorie", "Block exemption"),
    "de_minimis": T("De minimis", "De minimis"),
    "sgei": T("De minimis SIEG", "SGEI de minimis"),
    "notified": T("Régime notifié", "Notified scheme"),
    "none": T("Pas une aide d'État", "No State aid"),
}
DE_MINIMIS = {"de_minimis": "general", "sgei": "sgei"}
"""Legal base → kind of de minimis in the policy."""

CLUSTER_KINDS = {
    "operating": T("Fonctionnement", "Operating"),
    "investment": T("Investissement", "Investment"),
}
AREAS = {
    "": T("hors zone assistée", "outside assisted areas"),
    "c": T("zone « c »", "“c” area"),
    "a": T("zone « a »", "“a” area"),
}

ACTS = {
    "aid.recorded": T("Aide inscrite au registre", "Aid recorded in the ledger"),
    "aid.declared": T("Aide déclarée par l'organisme", "Aid declared by the organisation"),
    "aid.withdrawn": T("Aide retirée du registre", "Aid withdrawn from the ledger"),
    "aid.published": T("Aide publiée", "Aid published"),
    "aid.link": T("Lien de capital enregistré", "Ownership link recorded"),
    "aid.link_closed": T("Lien de capital clos", "Ownership link closed"),
    "aid.figures": T("Comptes enregistrés pour la taille", "Accounts recorded for the size"),
    "aid.cluster_year": T("Coûts admissibles du pôle enregistrés", "Eligible costs of the cluster recorded"),
    "aid.cluster_aid": T("Aide au pôle enregistrée", "Aid to the cluster recorded"),
}
