"""What the journal's acts on clusters, labels and members are called on screen."""

from __future__ import annotations

from jalon.core.lang import T

ACTS = {
    "carrier.load": T("Structure porteuse lue dans les données", "Carrier organisation read from the data"),
    "carrier.set": T("Structure porteuse enregistrée", "Carrier organisation recorded"),
    "cluster.add": T("Pôle inscrit au registre", "Cluster entered into the register"),
    "cluster.edit": T("Fiche du pôle modifiée", "Cluster's sheet changed"),
    "correspondent.assign": T("Correspondant de l'État désigné", "State correspondent assigned"),
    "correspondent.end": T("Fin de mission d'un correspondant", "End of a correspondent's mission"),
    "document.add": T("Document versé au registre", "Document added to the register"),
    "governance.body": T("Instance de gouvernance créée", "Governance body created"),
    "governance.end": T("Fin d'un mandat de gouvernance", "End of a governance mandate"),
    "governance.seats": T("Sièges attribués", "Seats given"),
    "label.correct": T("Décision de label corrigée", "Label decision corrected"),
    "label.granted": T("Label attribué", "Label granted"),
    "label.confirmed": T("Label confirmé", "Label confirmed"),
    "label.extended": T("Label prolongé", "Label extended"),
    "label.maintained": T("Label maintenu", "Label maintained"),
    "label.probation": T("Label maintenu sous condition", "Label maintained on probation"),
    "label.renewed": T("Label renouvelé", "Label renewed"),
    "label.withdrawn": T("Label retiré", "Label withdrawn"),
    "label.refused": T("Label refusé", "Label refused"),
    "label.expired": T("Label arrivé à terme", "Label expired"),
    "label.merged": T("Label réuni à un autre", "Label merged into another"),
    "member.added": T("Membre ajouté", "Member added"),
    "member.corrected": T("Adhésion corrigée", "Membership corrected"),
    "member.left": T("Départ d'un membre", "Member left"),
    "member.type_changed": T("Type de membre changé", "Type of member changed"),
    "member.type_ended": T("Ancien type de membre clos", "Former type of member ended"),
    "members.imported": T("Liste de membres importée", "List of members imported"),
    "register.load": T(
        "Pôle inscrit au registre d'après ses sources", "Cluster entered in the register from its sources"
    ),
    "register.update": T("Fiche du pôle reprise des données", "Cluster's sheet taken from the data"),
    "team.add": T("Poste de l'équipe ajouté", "Post of the team added"),
    "team.close": T("Poste de l'équipe clos", "Post of the team closed"),
}
"""Acts on labels are called by the policy where it has a name for them."""
