"""Words that policy files share with the code: permissions, measures, acts, units.

A policy chooses among these words; a word that is not here is a fault, because no code would
answer to it. Adding one means adding the code that answers.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from jalon.core.lang import T, Text

PERMISSIONS: dict[str, Text] = {
    "register.edit": T("Modifier le registre", "Edit the register"),
    "members.edit": T("Modifier les membres", "Edit the members"),
    "members.import": T("Importer des membres", "Import members"),
    "roadmap.draft": T("Rédiger la feuille de route", "Draft the roadmap"),
    "roadmap.submit": T("Soumettre la feuille de route", "Submit the roadmap"),
    "roadmap.review": T("Valider ou retourner la feuille de route", "Validate or return roadmaps"),
    "contract.prepare": T("Préparer un contrat", "Prepare a contract"),
    "contract.negotiate": T("Proposer des changements au contrat", "Propose contract changes"),
    "contract.comment": T("Commenter un contrat", "Comment on a contract"),
    "contract.open_signature": T("Ouvrir la signature", "Open signature"),
    "contract.decide": T("Enregistrer une délibération", "Record a deliberation"),
    "contract.sign": T("Signer un contrat", "Sign a contract"),
    "contract.amend": T("Ouvrir un avenant", "Open an amendment"),
    "observation.declare": T("Déclarer une valeur", "Declare a value"),
    "observation.submit": T("Soumettre une déclaration", "Submit a report"),
    "observation.validate": T("Valider ou retourner une valeur", "Validate or return values"),
    "action.update": T("Mettre à jour une action", "Update an action"),
    "commitment.declare_paid": T("Déclarer un versement", "Declare a payment"),
    "commitment.edit": T("Modifier un engagement public", "Edit a public commitment"),
    "board.read": T("Lire le tableau national", "Read the national board"),
    "portfolio.read": T("Lire son portefeuille", "Read one's portfolio"),
    "journal.read": T("Lire le journal des actes", "Read the journal"),
    "people.manage": T("Gérer les comptes", "Manage accounts"),
    "people.delegate": T("Déléguer ses droits", "Delegate one's rights"),
    "round.open": T("Ouvrir une campagne de déclaration", "Open a reporting round"),
    "draft.read": T("Lire les brouillons", "Read unpublished drafts"),
    "call.manage": T("Gérer les appels à projets", "Manage calls for projects"),
    "project.draft": T("Monter un projet", "Draft a project"),
    "project.submit": T("Déposer un projet", "Submit a project"),
    "project.check": T("Vérifier la recevabilité des projets", "Check the admissibility of projects"),
    "project.report": T("Rendre compte d'un projet", "Report on a project"),
    "project.follow": T("Suivre les projets financés", "Follow funded projects"),
    "labelling.manage": T("Conduire la labellisation des projets", "Run the labelling of projects"),
    "labelling.opinion": T("Donner un avis sur un projet", "Give an opinion on a project"),
    "labelling.vote": T("Voter en comité de labellisation", "Vote in a labelling committee"),
    "labelling.decide": T("Décider d'un label de projet", "Decide on a project's label"),
    "selection.instruct": T("Instruire un projet", "Assess a project"),
    "selection.manage": T("Conduire la sélection d'un appel", "Run the selection of a call"),
    "selection.intend": T("Dire l'intention d'un financeur", "State a funder's intention"),
    "selection.decide": T("Arrêter la liste des projets retenus", "Decide the list of selected projects"),
    "aid.read": T("Lire le registre des aides", "Read the ledger of aid"),
    "aid.record": T("Inscrire une aide au registre", "Record an aid in the ledger"),
    "agreement.manage": T("Établir une convention", "Draw up an agreement"),
    "agreement.sign": T("Signer une convention", "Sign an agreement"),
    "claim.submit": T("Demander un versement", "Claim a payment"),
    "claim.check": T("Vérifier une demande de versement", "Check a claim"),
    "claim.certify": T("Certifier le service fait", "Certify a claim"),
    "payment.order": T("Ordonner un paiement", "Order a payment"),
    "payment.record": T("Enregistrer un paiement", "Record a payment"),
    "relay.request": T("Demander un financement relais", "Ask for relay finance"),
    "relay.offer": T("Proposer un financement relais", "Offer relay finance"),
    "relay.guarantee": T("Contre-garantir un financement relais", "Counter-guarantee relay finance"),
    "committee.manage": T("Organiser un comité", "Organise a committee"),
    "committee.attend": T("Siéger en comité", "Sit on a committee"),
    "review.manage": T("Conduire un examen de contrat", "Run a review of a contract"),
    "review.reply": T("Répondre à un examen", "Reply to a review"),
    "evaluation.manage": T("Conduire une campagne d'évaluation", "Run an evaluation campaign"),
    "evaluation.order": T("Commander une évaluation", "Order an evaluation"),
    "evaluation.score": T("Noter un pôle", "Score a cluster"),
    "evaluation.reply": T("Répondre à une évaluation", "Reply to an evaluation"),
    "evaluation.publish": T("Publier une évaluation", "Publish an evaluation"),
    "decision.propose": T("Proposer une décision sur un label", "Propose a decision on a label"),
    "decision.opine": T("Rendre un avis sur une décision", "Give an opinion on a decision"),
    "decision.decide": T("Décider d'un label", "Decide on a label"),
    "decision.notify": T("Notifier une décision", "Notify a decision"),
    "candidacy.manage": T("Conduire un appel à candidatures", "Run a call for applications"),
    "candidacy.submit": T("Déposer une candidature", "Submit an application"),
    "candidacy.review": T("Examiner une candidature", "Review an application"),
    "phase.manage": T("Ouvrir et clore une phase", "Open and close a phase"),
}

MEASURES: dict[str, Text] = {
    "clusters.members": T("membres", "members"),
    "clusters.members_sme": T("membres PME", "SME members"),
    "clusters.members_mid": T("membres ETI", "mid-size members"),
    "clusters.members_large": T("membres grandes entreprises", "large-firm members"),
    "clusters.members_research_training": T(
        "membres de la recherche et de la formation", "research and training members"
    ),
    "clusters.members_other": T("autres membres", "other members"),
    "clusters.members_firm": T("membres entreprises", "member firms"),
    "clusters.members_joined": T("adhésions de la période", "members that joined in the period"),
    "clusters.members_left": T("départs de la période", "members that left in the period"),
    "clusters.team_fte": T("équipe, en ETP", "team, FTE"),
    "clusters.team_seconded_fte": T("équipe mise à disposition, en ETP", "seconded team, FTE"),
    "clusters.team_employed_fte": T("équipe salariée, en ETP", "employed team, FTE"),
    "projects.labelled": T("projets labellisés", "projects labelled"),
    "projects.submitted": T("projets déposés", "projects submitted"),
    "projects.decided": T("projets dont le sort est connu", "projects whose fate is known"),
    "projects.financed": T("projets financés", "projects financed"),
    "projects.budget": T("coût des projets financés", "cost of the projects financed"),
    "projects.partners": T("partenaires des projets financés", "partners of the projects financed"),
    "projects.aid": T("aide publique décidée", "public aid decided"),
    "projects.patents": T("brevets issus de projets", "patents from projects"),
    "projects.ip_titles": T("autres titres issus de projets", "other titles from projects"),
    "projects.publications": T("publications issues de projets", "publications from projects"),
    "projects.products": T("produits issus de projets", "products from projects"),
    "projects.processes": T("procédés issus de projets", "processes from projects"),
    "projects.services": T("services issus de projets", "services from projects"),
    "projects.companies": T("entreprises issues de projets", "companies from projects"),
    "projects.jobs": T("emplois créés par des projets", "jobs created by projects"),
    "projects.turnover": T("chiffre d’affaires tiré de projets", "turnover drawn from projects"),
    "contracts.budget_total": T("budget total", "total budget"),
    "contracts.budget_public": T("budget d’origine publique", "budget from public sources"),
    "contracts.budget_private": T("budget d’origine privée", "budget from private sources"),
    "contracts.actions_due": T("actions échues", "actions due"),
    "contracts.actions_on_time": T("actions achevées à temps", "actions finished on time"),
    "contracts.objectives_total": T("objectifs du contrat", "objectives of the contract"),
    "contracts.objectives_reached": T("objectifs atteints", "objectives reached"),
    "contracts.commitments_due": T("engagements publics échus", "public commitments due"),
    "contracts.commitments_paid": T("engagements publics versés", "public commitments paid"),
}

LABEL_ACTS = ("granted confirmed extended maintained probation renewed withdrawn refused expired merged").split()
LABEL_EFFECTS = ("starts", "continues", "ends", "none")
PARTY_KINDS = ("state", "authority", "governance")
# "organisation": acts for its own organisation, and sees the cases in which it takes part.
ROLE_SCOPES = ("national", "cluster", "authority", "organisation", "public")
ROLE_SIDES = ("state", "authority", "governance", "beneficiary", "bank", "expert", "public")
ANNEX_SOURCES = ("upload", "register.label", "register.members", "register.statutes", "roadmap")
SECTION_KINDS = ("text", "items")
IN_FORCE_TESTS = ("all_signatures", "all_decisions", "label_in_force")
AMENDMENT_KINDS = ("targets", "text", "funding", "parties")
# "authority_concerned": only the authorities whose own commitments change.
AMENDMENT_SIGNERS = (*PARTY_KINDS, "authority_concerned")
FUNDING_RULES = ("calendar_years_of_contract", "contract_years")
INDICATOR_LEVELS = ("cluster", "project", "member", "national")
PERIOD_TYPES = ("stock", "flow", "cumulated")
DIRECTIONS = ("up", "down", "none")
INDICATOR_SOURCES = ("computed", "declared", "survey", "evaluator")
REPORTING_PERIODS = ("year", "half", "quarter")
IDENTIFIER_CHECKERS = ("siren", "siret", "rna", "ror", "lei", "vat", "none")
IDENTIFIER_FOR = ("company", "association", "laboratory", "authority", "other")
BODY_KINDS = ("general_meeting", "board", "bureau", "labelling_committee", "supervisory_board")
COLLEGE_SIDES = ("preponderant", "authority", "other")
WORDS = (
    "cluster clusters label labels roadmap roadmaps contract contracts objective objectives action "
    "actions indicator indicators amendment amendments annex annexes signatory correspondent "
    "governance_body member members tier phase group team territory authority state deliberation "
    "round evaluation"
).split()

REQUIRED_PARAMETERS = (
    "governance.preponderant_share_above",
    "reporting.opens_after",
    "reporting.due_after",
    "reporting.reminders_before",
    "reporting.late_after",
)

# Units of parameters: the type of their values, and how the unit is said.
UNITS: dict[str, tuple[tuple[type, ...], Text]] = {
    "days": ((int,), T("jours", "days")),
    "working_days": ((int,), T("jours ouvrés", "working days")),
    "months": ((int,), T("mois", "months")),
    "years": ((int,), T("ans", "years")),
    "per_year": ((int,), T("fois par an", "times a year")),
    "count": ((int,), T("nombre", "count")),
    "people": ((int,), T("personnes", "people")),
    "percent": ((int, Decimal), T("%", "%")),
    "share": ((int, Decimal), T("part (de 0 à 1)", "share (0 to 1)")),
    "fte": ((int, Decimal), T("ETP", "FTE")),
    "yes_no": ((bool,), T("oui ou non", "yes or no")),
    "code": ((str,), T("code", "code")),
    "day": ((date,), T("date", "date")),
}

# Units of indicators. "money" is counted in the programme's currency.
INDICATOR_UNITS: dict[str, Text] = {
    "count": T("nombre", "count"),
    "percent": T("%", "%"),
    "fte": T("ETP", "FTE"),
    "money": T("{currency}", "{currency}"),
    "ratio": T("rapport", "ratio"),
    "mean": T("moyenne", "mean"),
    "yes_no": T("oui ou non", "yes or no"),
}


def unit_text(unit: str) -> Text:
    """How a parameter's unit is said; a currency code stands for itself."""
    return UNITS[unit][1] if unit in UNITS else T(unit, unit)


def unit_types(unit: str, currency: str) -> tuple[type, ...] | None:
    """The Python types a value of this unit may have; None for an unknown unit."""
    if unit in UNITS:
        return UNITS[unit][0]
    return (int, Decimal) if unit == currency else None


def is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
