"""Where a call and a project stand, the moves between those states, and the words of the field."""

from __future__ import annotations

from jalon.core.lang import T
from jalon.core.workflow import Move, State

CALL_STATES = (
    State("preparing", T("en préparation", "being prepared"), "not_started"),
    State("open", T("ouvert", "open"), "on_track"),
    State("closed", T("clos, projets à l'instruction", "closed, projects being assessed"), "at_risk"),
    State("decided", T("décidé", "decided"), "reached"),
    State("finished", T("terminé", "finished"), "done"),
)
CALL_TITLES = {state.code: state.title for state in CALL_STATES} | {
    "unknown": T("jours non publiés", "days not published")
}
CALL_TONES = {
    "preparing": "quiet",
    "open": "good",
    "closed": "info",
    "decided": "info",
    "finished": "quiet",
    "unknown": "unknown",
}

STATES = (
    State("draft", T("en montage", "being drafted"), "not_started"),
    State("submitted", T("déposé", "submitted"), "on_track"),
    State("clarification", T("précisions demandées", "clarification asked for"), "at_risk"),
    State("admissible", T("recevable", "admissible"), "on_track"),
    State("inadmissible", T("irrecevable", "inadmissible"), "missed"),
    State("selected", T("retenu", "selected"), "reached"),
    State("reserve", T("en liste de réserve", "on the reserve list"), "at_risk"),
    State("rejected", T("non retenu", "not selected"), "missed"),
    State("running", T("en cours", "running"), "on_track"),
    State("finished", T("achevé", "finished"), "done"),
    State("abandoned", T("abandonné", "abandoned"), "cancelled"),
)
TITLES = {state.code: state.title for state in STATES}
TONES = {
    "draft": "quiet",
    "submitted": "info",
    "clarification": "warn",
    "admissible": "info",
    "inadmissible": "bad",
    "selected": "good",
    "reserve": "warn",
    "rejected": "bad",
    "running": "good",
    "finished": "quiet",
    "abandoned": "quiet",
}

PUBLIC = ("selected", "running", "finished")
"""States in which everybody reads the public summary."""
RECEIVED = tuple(state.code for state in STATES if state.code != "draft")
"""States of a file that was handed in (an abandoned one too, if it ever was)."""
FINANCED = ("selected", "running", "finished")

MOVES = (
    Move("submit", T("Déposer", "Submit"), ("draft",), "submitted", "project.submit"),
    Move(
        "ask_clarification",
        T("Demander des précisions", "Ask for clarification"),
        ("submitted",),
        "clarification",
        "project.check",
        reason_needed=True,
    ),
    Move(
        "answer_clarification",
        T("Répondre aux précisions", "Answer the clarification"),
        ("clarification",),
        "submitted",
        "project.submit",
    ),
    Move(
        "close_clarification",
        T("Clore la demande de précisions", "Close the clarification"),
        ("clarification",),
        "submitted",
        "project.check",
    ),
    Move("admit", T("Déclarer recevable", "Declare admissible"), ("submitted",), "admissible", "project.check"),
    Move(
        "refuse",
        T("Déclarer irrecevable", "Declare inadmissible"),
        ("submitted", "clarification"),
        "inadmissible",
        "project.check",
        reason_needed=True,
    ),
    Move("select", T("Retenir", "Select"), ("admissible", "reserve"), "selected", "selection.decide"),
    Move("reserve", T("Mettre en réserve", "Put on the reserve list"), ("admissible",), "reserve", "selection.decide"),
    Move("reject", T("Ne pas retenir", "Reject"), ("admissible", "reserve"), "rejected", "selection.decide"),
    Move("start", T("Commencer les travaux", "Start the work"), ("selected",), "running", "project.follow"),
    Move("finish", T("Achever", "Finish"), ("running",), "finished", "project.follow"),
    Move(
        "abandon",
        T("Abandonner", "Abandon"),
        ("draft", "submitted", "clarification", "admissible", "reserve", "selected", "running"),
        "abandoned",
        "project.submit",
        reason_needed=True,
    ),
)
"""``select``, ``reserve`` and ``reject`` are made by the decision of the funders (package selection)."""

REPORT_STATES = (
    State("open", T("à rendre", "to be handed in"), "not_started"),
    State("submitted", T("rendu", "handed in"), "on_track"),
    State("returned", T("retourné avec motifs", "returned with reasons"), "at_risk"),
    State("accepted", T("accepté", "accepted"), "reached"),
)
REPORT_TITLES = {state.code: state.title for state in REPORT_STATES}
REPORT_TONES = {"open": "quiet", "submitted": "info", "returned": "warn", "accepted": "good"}
REPORT_MOVES = (
    Move(
        "submit",
        T("Rendre le compte rendu", "Hand in the report"),
        ("open", "returned"),
        "submitted",
        "project.report",
    ),
    Move(
        "return",
        T("Retourner avec motifs", "Return with reasons"),
        ("submitted",),
        "returned",
        "project.follow",
        reason_needed=True,
    ),
    Move("accept", T("Accepter", "Accept"), ("submitted",), "accepted", "project.follow"),
)

AMENDMENT_TITLES = {
    "proposed": T("proposée", "proposed"),
    "approved": T("approuvée", "approved"),
    "refused": T("refusée", "refused"),
    "withdrawn": T("retirée", "withdrawn"),
}
AMENDMENT_TONES = {"proposed": "info", "approved": "good", "refused": "bad", "withdrawn": "quiet"}
AMENDMENT_KINDS = {
    "partner_in": T("entrée d'un partenaire", "a partner joins"),
    "partner_out": T("sortie d'un partenaire", "a partner leaves"),
    "budget": T("changement de budget", "change of budget"),
    "duration": T("changement de durée", "change of duration"),
}
STANDINGS = {
    "on_track": T("comme prévu", "as planned"),
    "at_risk": T("à risque", "at risk"),
    "late": T("en retard", "late"),
    "stopped": T("arrêté", "stopped"),
}

ROLES = {"leader": T("chef de file", "leader"), "partner": T("partenaire", "partner")}
KINDS = {
    "company": T("entreprise", "company"),
    "research": T("organisme de recherche", "research body"),
    "training": T("organisme de formation", "training body"),
    "institute": T("institut (IRT, ITE)", "institute (IRT, ITE)"),
    "other": T("autre organisme", "other body"),
}
NATURES = {
    "rd": T("R&D", "R&D"),
    "platform": T("plate-forme d'innovation", "innovation platform"),
    "non_rd": T("hors R&D", "non-R&D"),
}
CALL_KINDS = {
    "rd": T("R&D collaborative", "collaborative R&D"),
    "platform": T("plates-formes d'innovation", "innovation platforms"),
    "training": T("formation", "training"),
    "sites": T("investissements immobiliers", "sites and buildings"),
    "infrastructure": T("infrastructures de communication", "communication infrastructures"),
    "intelligence": T("veille et intelligence économique", "business intelligence"),
    "promotion": T("promotion du territoire", "promotion of the territory"),
    "international": T("développement à l'international", "international development"),
}
FRASCATI = {
    "basic": T("recherche fondamentale", "basic research"),
    "applied": T("recherche appliquée", "applied research"),
    "experimental": T("développement expérimental", "experimental development"),
}
"""Classes of the Frascati manual (2015)."""
AID_CLASSES = {
    "fundamental": T("recherche fondamentale", "fundamental research"),
    "industrial": T("recherche industrielle", "industrial research"),
    "experimental": T("développement expérimental", "experimental development"),
    "feasibility": T("étude de faisabilité", "feasibility study"),
}
"""Classes of the aid regulation (article 25): another field than the Frascati class, near but not identical."""
COST_BASES = {
    "": T("non dite", "not said"),
    "full": T("coût complet", "full cost"),
    "marginal": T("coût marginal", "marginal cost"),
}
FUNDER_SOURCES = {
    "state": T("État", "State"),
    "region": T("région", "region"),
    "department": T("département", "department"),
    "city": T("ville ou agglomération", "city or urban area"),
    "europe": T("fonds européens", "European funds"),
    "other": T("autre financeur", "other funder"),
}
INSTRUMENTS = {
    "grant": T("subvention", "grant"),
    "repayable_advance": T("avance récupérable", "repayable advance"),
    "equity": T("fonds propres", "equity"),
}
LABEL_OUTCOMES = {
    "labelled": T("labellisé", "labelled"),
    "conditions": T("labellisé sous conditions", "labelled under conditions"),
    "refused": T("label refusé", "label refused"),
    "deferred": T("décision reportée", "decision deferred"),
}
LABEL_TONES = {"labelled": "good", "conditions": "warn", "refused": "bad", "deferred": "quiet"}

OUTCOMES = {
    "patent": T("brevets déposés", "patents filed"),
    "ip_title": T("autres titres de propriété intellectuelle", "other intellectual property titles"),
    "publication": T("publications scientifiques", "scientific publications"),
    "product": T("nouveaux produits sur le marché", "new products on the market"),
    "process": T("nouveaux procédés", "new processes"),
    "service": T("nouveaux services sur le marché", "new services on the market"),
    "jobs": T("emplois créés", "jobs created"),
    "jobs_kept": T("emplois maintenus", "jobs kept"),
    "company": T("entreprises créées", "companies created"),
    "turnover": T("chiffre d'affaires tiré du projet", "turnover drawn from the project"),
}
"""What a project brings in the years after; ``turnover`` is in the programme's currency, the rest are counts."""
MONEY_OUTCOMES = ("turnover",)

FIGURES = {
    "submitted": T("projets déposés", "projects submitted"),
    "preselected": T("projets présélectionnés", "projects shortlisted"),
    "selected": T("projets retenus", "projects selected"),
    "clusters": T("pôles", "clusters"),
    "clusters_submitting": T("pôles ayant présenté des projets", "clusters that put projects forward"),
    "world_selected": T(
        "portés par des pôles mondiaux ou à vocation mondiale", "from world or world-vocation clusters"
    ),
    "state_amount": T("État", "State"),
    "local_amount": T("collectivités et FEDER", "local authorities and ERDF"),
    "public_amount": T("argent public", "public money"),
    "rd_amount": T("dépenses de R&D", "R&D spending"),
    "region_amount": T("dont régions", "of which regions"),
    "other_local_amount": T("dont autres collectivités", "of which other local authorities"),
    "erdf_amount": T("dont FEDER", "of which ERDF"),
    "envelope": T("enveloppe", "envelope"),
    "grants_envelope": T("dont subventions", "of which grants"),
    "equity_envelope": T("dont fonds propres", "of which equity"),
    "yearly_envelope": T("enveloppe par an", "envelope a year"),
    "programme_amount": T("montant des projets retenus", "amount of the selected projects"),
    "base_amount": T("assiette éligible", "eligible base"),
    "labelled": T("projets labellisés", "projects labelled"),
}
MONEY_FIGURES = tuple(name for name in FIGURES if name.endswith(("_amount", "envelope")))
PRECISIONS = {
    "~": T("environ", "about"),
    ">": T("plus de", "more than"),
    "derived": T("par différence", "by subtraction"),
    "headline": T("selon le titre de presse", "from the headline"),
}

ACTS = {
    "call.known": T("Appel connu par ses sources", "Call known from its sources"),
    "call.open": T("Appel ouvert", "Call opened"),
    "call.edit": T("Appel modifié", "Call changed"),
    "call.rules": T("Nouvelle version des règles de l'appel", "New version of the call's rules"),
    "project.start": T("Projet commencé", "Project started"),
    "project.call": T("Rattaché à un appel", "Attached to a call"),
    "project.rules": T("Passé à une autre version des règles", "Moved to another version of the rules"),
    "project.partner_add": T("Partenaire ajouté", "Partner added"),
    "project.partner_remove": T("Partenaire retiré", "Partner removed"),
    "project.leader": T("Chef de file changé", "Leader changed"),
    "project.paper": T("Pièce ajoutée", "Paper added"),
    "project.worded": T("Rédaction depuis le dernier envoi", "Writing since the last sending"),
    "project.budget": T("Budget d'un partenaire enregistré", "Budget of a partner saved"),
    "project.import": T("Budget repris d'un classeur", "Budget taken from a workbook"),
    "project.submit": T("Projet déposé", "Project submitted"),
    "project.ask_clarification": T("Précisions demandées", "Clarification asked for"),
    "project.answer_clarification": T("Précisions données", "Clarification given"),
    "project.close_clarification": T("Demande de précisions close", "Clarification closed"),
    "project.admit": T("Déclaré recevable", "Declared admissible"),
    "project.refuse": T("Déclaré irrecevable", "Declared inadmissible"),
    "project.start_work": T("Travaux commencés", "Work started"),
    "project.finish": T("Projet achevé", "Project finished"),
    "project.abandon": T("Projet abandonné", "Project abandoned"),
    "project.report_open": T("Compte rendu annuel ouvert", "Yearly report opened"),
    "project.report_submit": T("Compte rendu annuel rendu", "Yearly report handed in"),
    "project.report_return": T("Compte rendu annuel retourné", "Yearly report returned"),
    "project.report_accept": T("Compte rendu annuel accepté", "Yearly report accepted"),
    "project.amend": T("Changement proposé", "Change proposed"),
    "project.amend_approve": T("Changement approuvé", "Change approved"),
    "project.amend_refuse": T("Changement refusé", "Change refused"),
    "project.outcome": T("Résultat déclaré", "Outcome declared"),
    "project.outcome_validate": T("Résultat validé", "Outcome validated"),
    "project.outcome_return": T("Résultat écarté", "Outcome set aside"),
    "project.simulated": T("Projet simulé de la démonstration", "Simulated project of the demonstration"),
}
"""What the journal's acts are called on screen."""

SECTIONS = {
    "identity": T("Identité et calendrier", "Identity and calendar"),
    "summary": T("Résumé public", "Public summary"),
    "confidential": T("Description confidentielle", "Confidential description"),
    "fields": T("Mots-clés et domaines stratégiques", "Keywords and strategic fields"),
    "trl": T("Maturité technologique (TRL)", "Technology readiness (TRL)"),
    "territory": T("Territoire des travaux", "Territory of the work"),
    "statements": T("Déclarations et justifications", "Statements and justifications"),
    "consortium": T("Consortium", "Consortium"),
    "budget": T("Budget", "Budget"),
    "papers": T("Pièces", "Papers"),
    "labels": T("Labels", "Labels"),
}
"""Sections of a file in the order in which it is read. The leader writes the first seven."""
WRITTEN = {
    "identity": ("acronym", "title", "starts_on", "months"),
    "summary": ("summary",),
    "confidential": ("confidential",),
    "fields": ("keywords", "strategic_fields"),
    "trl": ("trl_entry", "trl_entry_on", "trl_target", "trl_target_on"),
    "territory": ("territory",),
    "statements": ("other_funding", "justifications"),
}
"""Fields of the project that each written section holds."""
OPENABLE = (
    "identity",
    "summary",
    "confidential",
    "fields",
    "trl",
    "territory",
    "statements",
    "consortium",
    "budget",
    "papers",
)
"""Sections that a clarification may open again."""
