"""What the journal's acts on accounts, mandates and organisations are called on screen."""

from __future__ import annotations

from jalon.core.lang import T

ACTS = {
    "account.calendar_renewed": T("Adresse de l'agenda changée", "Calendar address changed"),
    "account.changed": T("Réglages du compte modifiés", "Account settings changed"),
    "account.closed": T("Compte fermé", "Account closed"),
    "account.opened": T("Compte rouvert", "Account opened again"),
    "demonstration.travelled": T("Démonstration déplacée à un autre jour", "Demonstration moved to another day"),
    "identifier.added": T("Identifiant ajouté", "Identifier added"),
    "identifier.removed": T("Identifiant retiré", "Identifier removed"),
    "invitation.accepted": T("Invitation acceptée", "Invitation accepted"),
    "mandate.delegated": T("Mandat délégué", "Mandate delegated"),
    "mandate.received": T("Délégation reçue", "Delegation received"),
    "mandate.revoked": T("Mandat retiré", "Mandate ended"),
    "organisation.absorbed": T("Doublon fusionné dans cette fiche", "Duplicate merged into this record"),
    "organisation.changed": T("Fiche de l'organisme modifiée", "Organisation's record changed"),
    "organisation.created": T("Organisme enregistré", "Organisation recorded"),
    "organisation.merge_undone": T("Fusion annulée", "Merge undone"),
    "organisation.merged": T("Fiche fusionnée dans une autre", "Record merged into another"),
    "organisation.not_duplicate": T("Deux organismes distingués", "Two organisations told apart"),
    "password.asked": T("Nouveau mot de passe demandé", "New password asked for"),
    "password.set": T("Mot de passe choisi", "Password set"),
    "person.invitation_withdrawn": T("Invitation retirée", "Invitation withdrawn"),
    "person.invited": T("Personne invitée", "Person invited"),
    "person.invited_again": T("Invitation renvoyée", "Invitation sent again"),
    "person.joined": T("Personne arrivée dans l'organisme", "Person joined the organisation"),
    "size.recorded": T("Taille enregistrée", "Size recorded"),
}
