"""What the journal's rows say in words: names of acts, names of what they change, old and new values.

The journal keeps plain values (codes, keys, paths, ISO days), so that its hash never depends on a language. Here they are
given the words of the packages and of the policy; a value that has none is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from jalon.clusters.queries import ACTS_SHORT
from jalon.contracts import content as doc, follow_states, states as contract_states
from jalon.contracts.follow_rules import read_status
from jalon.contracts.frame import reader
from jalon.contracts.models import Text as ContractText
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import JournalEntry, Source
from jalon.indicators import states as observation_states
from jalon.people.access import policy
from jalon.people.forms import KIND_TITLES, LEVELS
from jalon.roadmaps import states as roadmap_states
from jalon.ui import format as fmt

ACTS_OF = (
    "people programme clusters indicators roadmaps contracts interests aid projects labelling selection funding "
    "committees evaluations decisions demo"
).split()
"""Packages whose ``states.ACTS`` and ``follow_states.ACTS`` call the acts that they write."""


@lru_cache(maxsize=1)
def _act_titles() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for package in ACTS_OF:
        for module in ("states", "follow_states"):
            name = f"jalon.{package}.{module}"
            if find_spec(name):
                found |= getattr(import_module(name), "ACTS", {})
    return found


def act_titles() -> dict[str, Any]:
    """What every act of the journal is called, by its code; acts on labels as the policy calls them."""
    return _act_titles() | {f"label.{act.code}": act.title for act in policy().label_acts}


FIELDS: dict[str, Any] = {
    "area": T("zone", "area"),
    "award": T("aide n°", "award no."),
    "balance": T("total du bilan", "balance sheet"),
    "bonuses": T("bonus", "bonuses"),
    "control": T("contrôle", "control"),
    "counted": T("compte dans la durée", "counts in the period"),
    "eligible_cost": T("coûts admissibles", "eligible costs"),
    "granted_by": T("accordée par", "granted by"),
    "granted_on": T("accordée le", "granted on"),
    "legal_base": T("base juridique", "legal base"),
    "owned": T("détenu", "held"),
    "owner": T("qui détient", "who holds"),
    "owner_kind": T("sorte de détenteur", "kind of owner"),
    "published_on": T("publiée le", "published on"),
    "rule_set": T("règles", "rules"),
    "share": T("part (%)", "share (%)"),
    "size": T("taille", "size"),
    "turnover": T("chiffre d'affaires", "turnover"),
    "withdrawn_on": T("retirée le", "withdrawn on"),
    "project": T("projet", "project"),
    "other": T("autre partie", "other party"),
    "reason": T("motif", "reason"),
    "act": T("acte", "act"),
    "action": T("action", "action"),
    "activity_code": T("code d'activité", "activity code"),
    "agreed": T("notes convenues", "agreed marks"),
    "amount": T("montant", "amount"),
    "annex": T("annexe", "annex"),
    "asked": T("interrogés", "asked"),
    "awaited": T("attendus", "awaited"),
    "base": T("texte de départ", "text started from"),
    "based_on": T("reprise de", "taken up from"),
    "body": T("instance", "body"),
    "by": T("par", "by"),
    "campaign": T("campagne", "campaign"),
    "carrier": T("structure porteuse", "carrier organisation"),
    "category": T("catégorie", "category"),
    "certainty": T("certitude", "certainty"),
    "chair": T("préside", "chairs"),
    "city": T("ville", "town"),
    "closed": T("adhésions closes", "memberships closed"),
    "closed_on": T("clos le", "closed on"),
    "closes_on": T("clôture", "closes on"),
    "cluster": T("pôle", "cluster"),
    "clusters": T("pôles", "clusters"),
    "college": T("collège", "college"),
    "commitment": T("engagement", "commitment"),
    "computed": T("calculé", "computed"),
    "conclusion": T("conclusion", "conclusion"),
    "condition": T("condition", "condition"),
    "conditions": T("conditions", "conditions"),
    "country": T("pays", "country"),
    "counts": T("comptes", "counts"),
    "counts_for_call": T("compte pour l'appel", "counts for the call"),
    "criteria": T("grille de critères", "set of criteria"),
    "dated": T("daté du", "dated"),
    "day": T("jour", "day"),
    "decided_on": T("décidé le", "decided on"),
    "definition": T("définition", "definition"),
    "delays": T("délais", "delays"),
    "done_on": T("achevé le", "done on"),
    "due_on": T("attendu le", "due on"),
    "effective_from": T("effet au", "effective from"),
    "email": T("adresse électronique", "e-mail address"),
    "ends_on": T("fin", "end"),
    "evaluation": T("évaluation", "evaluation"),
    "evaluator": T("évaluateur", "evaluator"),
    "evidence": T("justificatif", "evidence"),
    "expected": T("attendu le", "expected on"),
    "expected_end": T("fin attendue", "end expected"),
    "expert": T("expert n°", "expert no."),
    "expires_on": T("expire le", "expires on"),
    "file": T("fichier", "file"),
    "finding": T("constat", "finding"),
    "findings": T("constats", "findings"),
    "fte": T("équivalents temps plein", "full-time equivalents"),
    "function": T("fonction", "function"),
    "grid": T("grille", "grid"),
    "group": T("groupe", "group"),
    "headcount": T("effectif", "headcount"),
    "held_on": T("tenu le", "held on"),
    "identifiers": T("identifiants", "identifiers"),
    "indicator": T("indicateur", "indicator"),
    "is_active": T("compte ouvert", "account open"),
    "joined_on": T("entrée", "joined"),
    "kind": T("nature", "kind"),
    "language": T("langue", "language"),
    "late": T("en retard", "late"),
    "lead": T("chef de file", "lead"),
    "left": T("laissés de côté", "left aside"),
    "left_behind": T("laissé de côté", "left behind"),
    "left_on": T("sortie", "left"),
    "left_out": T("lignes écartées", "rows left out"),
    "legal_form": T("forme juridique", "legal form"),
    "level": T("niveau", "level"),
    "mark": T("note", "mark"),
    "means": T("vaut", "means"),
    "memberships": T("adhésions", "memberships"),
    "messages": T("messages", "messages"),
    "milestone": T("jalon", "milestone"),
    "name": T("nom", "name"),
    "notes": T("notes", "notes"),
    "number": T("nombre", "number"),
    "objective": T("objectif", "objective"),
    "on": T("au", "on"),
    "opened": T("ouverts", "opened"),
    "opens_on": T("ouvre le", "opens on"),
    "organisation": T("organisme", "organisation"),
    "origin": T("origine", "origin"),
    "other_name": T("autre fiche", "other record"),
    "outcome": T("décision", "decision"),
    "outcomes": T("positions", "positions"),
    "participants": T("participants", "participants"),
    "party": T("partie", "party"),
    "path": T("élément", "element"),
    "percent": T("avancement", "progress"),
    "period_end": T("fin de la période", "end of the period"),
    "period_start": T("début de la période", "start of the period"),
    "phase": T("phase", "phase"),
    "policy_day": T("règles du", "rules of"),
    "postcode": T("code postal", "postcode"),
    "precision": T("date connue", "date known"),
    "question": T("question", "question"),
    "questions": T("questions", "questions"),
    "reference": T("référence", "reference"),
    "remaining": T("restantes", "remaining"),
    "reminders": T("rappels", "reminders"),
    "replies": T("réponses", "replies"),
    "result": T("résultat", "result"),
    "role": T("rôle", "role"),
    "round": T("tour", "round"),
    "rows": T("lignes", "rows"),
    "rule_gives": T("la règle donne", "the rule gives"),
    "scheme": T("identifiant", "identifier"),
    "sha256": T("empreinte du contenu", "hash of the content"),
    "sheet": T("fiche", "sheet"),
    "signatory": T("signataire", "signatory"),
    "signatures": T("signatures défaites", "signatures undone"),
    "signed_on": T("signé le", "signed on"),
    "signed_sha256": T("empreinte du texte signé", "hash of the text signed"),
    "simulated": T("simulé", "simulated"),
    "source": T("origine", "origin"),
    "sources": T("sources", "sources"),
    "stance": T("déclaration", "declaration"),
    "starts_on": T("début", "start"),
    "state": T("état", "state"),
    "stated": T("intérêts déclarés", "interests stated"),
    "stated_on": T("déclaré le", "stated on"),
    "status": T("état", "status"),
    "taken": T("changements repris", "changes taken up"),
    "template": T("modèle", "template"),
    "texts": T("passages", "passages"),
    "title": T("titre", "title"),
    "type": T("type", "type"),
    "unchanged": T("lignes inchangées", "rows unchanged"),
    "unreadable": T("cellules illisibles", "unreadable cells"),
    "until": T("jusqu'au", "until"),
    "user": T("personne", "person"),
    "validated": T("validé", "validated"),
    "value": T("valeur", "value"),
    "values": T("valeurs", "values"),
    "version": T("version", "version"),
    "versions": T("valeurs enregistrées", "values recorded"),
    "vote": T("vote", "vote"),
    "way": T("manière", "way"),
    "website": T("site", "website"),
    "who": T("qui", "who"),
    "written": T("lignes écrites", "rows written"),
    "achievements": T("réalisations", "achievements"),
    "acronym": T("sigle", "acronym"),
    "budget": T("budget", "budget"),
    "call": T("appel", "call"),
    "changes": T("changements", "changes"),
    "code": T("code", "code"),
    "ended_on": T("achevé le", "finished on"),
    "envelope": T("enveloppe", "envelope"),
    "leader": T("chef de file", "leader"),
    "months": T("durée en mois", "duration in months"),
    "partner": T("partenaire", "partner"),
    "partners": T("partenaires", "partners"),
    "progress": T("avancement", "progress"),
    "quantity": T("nombre", "number"),
    "results_on": T("résultats", "results"),
    "rules": T("règles", "rules"),
    "sections": T("sections", "sections"),
    "standing": T("situation du projet", "standing of the project"),
    "title_en": T("titre en anglais", "title in English"),
    "title_fr": T("titre en français", "title in French"),
    "total": T("total", "total"),
    "trl_reached": T("TRL atteint", "TRL reached"),
    "year": T("année", "year"),
    "decided": T("décidé", "decided"),
    "fund": T("organisme payeur pour l'État", "organisation that pays for the State"),
    "funder": T("financeur", "funder"),
    "instrument": T("forme de l'aide", "form of aid"),
    "intended": T("intention", "intention"),
    "minimum_total": T("seuil du total", "threshold of the total"),
    "minimums": T("notes minimales", "lowest scores that pass"),
    "opinion": T("avis", "opinion"),
    "opinions": T("avis rendus", "opinions handed in"),
    "passed_over": T("mieux placés non repris", "better placed, not taken"),
    "rank": T("rang", "rank"),
    "rejected": T("non retenus", "rejected"),
    "reserve": T("liste complémentaire", "reserve list"),
    "scenario": T("scénario", "scenario"),
    "scores": T("notes", "scores"),
    "selected": T("retenus", "selected"),
    "tie_order": T("ordre de départage", "order of tie-breaking"),
    "tie_rule": T("règle de départage", "tie-breaking rule"),
    "weights": T("poids", "weights"),
    "already": T("déjà enregistrées", "recorded already"),
    "ambiguous": T("à départager", "matching several"),
    "amendment": T("avenant", "amendment"),
    "bank": T("banque", "bank"),
    "beneficiary": T("bénéficiaire", "beneficiary"),
    "certified": T("certifié", "certified"),
    "charges": T("charges", "charges"),
    "claim": T("demande de versement", "claim"),
    "company": T("entreprise", "company"),
    "cost": T("coût", "cost"),
    "drawn_on": T("versé le", "paid out on"),
    "due": T("à venir", "still to come"),
    "error": T("illisibles", "unreadable"),
    "expenses": T("dépenses", "expenses"),
    "fee": T("frais", "fee"),
    "files": T("pièces", "files"),
    "guarantee": T("contre-garantie", "counter-guarantee"),
    "guarantor": T("garant", "guarantor"),
    "import": T("import comptable", "accounting import"),
    "income": T("produits", "income"),
    "instalment": T("tranche", "instalment"),
    "instalments": T("tranches", "instalments"),
    "lapsed": T("non utilisé", "lapsed"),
    "letter_on": T("lettre officielle du", "official letter of"),
    "match": T("lignes qui correspondent", "rows that match"),
    "none": T("sans correspondance", "matching nothing"),
    "order": T("ordre de paiement", "payment order"),
    "orders": T("ordres de paiement", "payment orders"),
    "owed": T("dû à la banque", "owed to the bank"),
    "paid": T("payé", "paid"),
    "paid_on": T("payé le", "paid on"),
    "payee": T("payé à", "paid to"),
    "proposed": T("proposé à la certification", "proposed for certification"),
    "rate": T("taux", "rate"),
    "recovery": T("ordre de reversement", "recovery order"),
    "relayed": T("relais remboursés", "relays repaid"),
    "repaid_on": T("reversé le", "repaid on"),
    "suspended_on": T("suspendue le", "suspended on"),
    "twice": T("en double", "twice"),
    "uncovered": T("à découvert", "uncovered"),
    # committees
    "presence": T("présence", "attendance"),
    "seat": T("siège", "seat"),
    "person": T("personne", "person"),
    "substitute": T("suppléant", "substitute"),
    "proxy_to": T("pouvoir à", "proxy to"),
    "presided_by": T("présidence", "chair"),
    "where": T("lieu", "place"),
    "ballot": T("scrutin", "vote"),
    "choice": T("vote", "vote"),
    "secret": T("secret", "secret"),
    "entitled": T("peuvent voter", "entitled to vote"),
    "recused": T("déportés", "recused"),
    "follow_up": T("suite", "follow-up"),
    "act_case": T("dossier de l'acte", "case of the act"),
    "last_day": T("dernier jour pour convoquer", "last day to convene"),
    "second": T("seconde convocation", "second convening"),
    "replaces": T("remplace", "replaces"),
    "session": T("séance", "session"),
    "quorum": T("quorum atteint", "quorum reached"),
    "needed": T("nombre demandé", "number needed"),
    "place": T("rang", "place"),
    "point": T("point", "point"),
    "proxy": T("par pouvoir", "by proxy"),
    "added": T("ajoutés", "added"),
    "kept": T("gardés", "kept"),
    "back": T("remis", "put back"),
    "gone": T("réglés", "settled"),
    "to": T("au", "to"),
    "sent_on": T("envoyée le", "sent on"),
    "rev": T("révision", "revision"),
    "decisions": T("décisions", "decisions"),
    "decision": T("décision", "decision"),
    "after": T("au-delà du", "beyond"),
    "appeal_until": T("recours jusqu'au", "appeal to"),
    "authority": T("autorité", "authority"),
    "carried": T("ce qui continue", "what goes on"),
    "changed": T("modifié", "changed"),
    "commitments": T("engagements", "commitments"),
    "effects": T("effets", "effects"),
    "line": T("ligne", "line"),
    "lines": T("lignes", "lines"),
    "lodged_on": T("déposé le", "lodged on"),
    "met_on": T("remplies le", "met on"),
    "open": T("en suspens", "still open"),
    "opened_on": T("ouverte le", "opened on"),
    "places": T("rangs", "places"),
    "publication": T("publication", "publication"),
    "received_on": T("reçu le", "received on"),
}
"""What the fields of the journal are called; a field that is not here keeps its own name."""

SILENT = {
    "seed", "rev", "base_rev", "last_revision", "content_sha256", "file_sha256", "membership", "batch", "proposal", "comment",
    "invitation", "mandate", "merge", "merged_into", "from", "other", "name_key", "settled",
}  # fmt: skip
"""Numbers of rows and the like: they help a program that reads the journal, not a person."""

_OUTCOMES = {
    "approved": T("approuvé", "approved"),
    "rejected": T("rejeté", "rejected"),
    "labelled": T("label", "label"),
    "conditions": T("label sous conditions", "label under conditions"),
    "refused": T("refus", "refused"),
    "deferred": T("ajournement", "deferred"),
}
_SOURCES = {
    "upload": T("fichier déposé", "file handed in"),
    "register.label": T("label, lu au registre", "label, read in the register"),
    "register.members": T("membres, lus au registre", "members, read in the register"),
    "register.statutes": T("statuts, lus au registre", "statutes, read in the register"),
    "roadmap": T("feuille de route validée", "validated roadmap"),
}
_PRECISIONS = {"day": T("au jour près", "to the day"), "month": T("au mois près", "to the month"),
               "year": T("à l'année près", "to the year")}  # fmt: skip
_REMINDERS = {"daily": T("chaque jour", "daily"), "weekly": T("chaque semaine", "weekly"),
              "never": T("jamais", "never")}  # fmt: skip
_ROWS = {
    "objectives": T("objectifs", "objectives"),
    "actions": T("actions", "actions"),
    "milestones": T("jalons", "milestones"),
    "indicators": T("indicateurs", "indicators"),
    "targets": T("cibles", "targets"),
    "commitments": T("engagements", "commitments"),
}
_STATES = {
    "contract": contract_states.TITLES,
    "roadmap": roadmap_states.TITLES,
    "report": follow_states.TITLES,
    "round": observation_states.TITLES,
}
_ELEMENTS = {
    "action": "actions",
    "milestone": "milestones",
    "objective": "objectives",
    "indicator": "indicators",
    "commitment": "commitments",
    "party": "parties",
}

_ABOUT = {"action", "milestone", "objective", "indicator", "commitment", "annex", "path", "organisation", "user", "act"}
_MATTER = {"state", "status", "percent", "value", "amount", "outcome", "role", "type", "done_on", "expected_end"}

AT_ONCE = 3
"""So many changes are read without opening anything."""
SHOWN = 12
"""Most changes of one act that are listed."""


@dataclass(frozen=True)
class Line:
    """One thing that an act changed: its name, what it was, what it became. ``code``: read it as an address."""

    name: Any
    before: Any = ""
    after: Any = ""
    code: bool = False


def describe(entries: Sequence[JournalEntry]) -> Sequence[JournalEntry]:
    """Give each row its ``lines``, ``first`` and ``rest``; at most two queries whatever their number."""
    slugs = {slug for entry in entries if (slug := _contract_of(entry)) and _needs_content(entry)}
    contents: dict[str, Any] = {}
    if slugs:
        rows = ContractText.objects.filter(contract__slug__in=slugs).order_by("number")
        for slug, content in rows.values_list("contract__slug", "content"):
            contents[slug] = content
    keys = {key for entry in entries for key in _list((entry.after or {}), "sources")}
    titles = dict(Source.objects.filter(key__in=keys).values_list("key", "title")) if keys else {}
    for entry in entries:
        entry.lines = list(_lines(entry, contents.get(_contract_of(entry) or ""), titles))
        entry.first = [line for line in entry.lines if not line.code][:AT_ONCE]
        entry.rest = [line for line in entry.lines if line not in entry.first]
    return entries


def _list(value: Any, key: str) -> Iterable[str]:
    found = value.get(key) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _contract_of(entry: JournalEntry) -> str | None:
    kind, _, rest = entry.case.partition(":")
    return rest.partition("/")[0] if kind in ("contract", "report") else None


def _needs_content(entry: JournalEntry) -> bool:
    written = {*(entry.before or {}), *(entry.after or {})} if _plain(entry) else set()
    return bool(written & {"values", "path", *_ELEMENTS})


def _plain(entry: JournalEntry) -> bool:
    return isinstance(entry.before or {}, dict) and isinstance(entry.after or {}, dict)


def _lines(entry: JournalEntry, content: Any, sources: Mapping[str, str]) -> Iterable[Line]:
    if not _plain(entry):
        yield Line(
            "", _value(entry, "", entry.before, content, sources), _value(entry, "", entry.after, content, sources)
        )
        return
    before, after = entry.before or {}, entry.after or {}
    keys = sorted((key for key in dict.fromkeys([*after, *before]) if key not in SILENT), key=_rank)
    for key in keys:
        old, new = before.get(key), after.get(key)
        if key == "values" and isinstance(old or {}, dict) and isinstance(new or {}, dict):
            yield from _changes(old or {}, new or {}, content)
            continue
        if key == "text":
            if new or old:
                yield Line(T("avenant", "amendment"), "", T("n° {n}", "no. {n}", n=new or old))
            continue
        if old in (None, "", [], {}) and new in (None, "", [], {}):
            continue
        same = key in before and key in after and old == new
        yield Line(
            FIELDS.get(key, key),
            _value(entry, key, old, content, sources) if key in before and not same else "",
            _value(entry, key, new, content, sources) if key in after else T("retiré", "removed"),
            "sha256" in key or (key == "file" and isinstance(new, str) and len(new) == 64),
        )


def _rank(key: str) -> int:
    """What an act is about comes first, then what changed, then the rest as it was written."""
    return 0 if key in _ABOUT else 1 if key in _MATTER else 2


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], content: Any) -> Iterable[Line]:
    """Elements of a contract, each by its own name, with what they were and became."""
    paths = list(dict.fromkeys([*new, *old]))
    say = reader(content) if content else None
    for path in paths[:SHOWN]:
        try:
            name: Any = doc.capital(doc.label(content, path, policy().words)) if content else path
            was = say(path, old.get(path)) if say and path in old else (old.get(path) or "")
            now = say(path, new.get(path)) if say and path in new else (new.get(path) or "")
        except (
            Refused,
            LookupError,
            TypeError,
            ValueError,
        ):  # an address that this version of the document no longer knows: shown as written
            name, was, now = path, _short(old.get(path)), _short(new.get(path))
        yield Line(name, _short(was), _short(now))
    if len(paths) > SHOWN:
        yield Line(T("et {n} autres éléments", "and {n} more elements", n=len(paths) - SHOWN))


def _short(value: Any) -> Any:
    if value in (None, "", [], {}):
        return "–"
    text = str(value)
    return text if len(text) <= 160 else text[:157].rstrip() + "…"


def _element(content: Any, name: str, key: str) -> Any:
    """An element of a contract by its key, wherever it stands; its key when it is gone."""
    key, _, year = key.partition("/")
    for _path, kind, item in doc.elements(content) if content else ():
        if kind.name == name and item.get("key") == key:
            return f"{doc.name_of(kind, item)} ({year})" if year else doc.name_of(kind, item)
    return f"{key} ({year})" if year else key


def _known(titles: Any, code: Any) -> Any:
    return titles.get(code, code) if isinstance(code, str) else code


def _value(entry: JournalEntry, key: str, value: Any, content: Any, sources: Mapping[str, str]) -> Any:
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return T("oui", "yes") if value else T("non", "no")
    kind = entry.case.partition(":")[0]
    if key == "state":
        return _known(_STATES.get(kind, {}) if entry.act != "indicators.compute" else observation_states.TITLES, value)
    if key == "status":
        if entry.act.startswith("objective."):
            declared, contested = read_status(str(value))
            title = _known(follow_states.OBJECTIVE_STATUSES, declared)
            return T("{s}, contesté par l'État", "{s}, contested by the State", s=title) if contested else title
        return _known(follow_states.ACTION_STATUSES, value)
    if key in _ELEMENTS and isinstance(value, str) and kind in ("contract", "report"):
        if key == "indicator":
            return next(
                (i.title for i in policy().indicators if i.code == value), _element(content, "indicators", value)
            )
        return _element(content, _ELEMENTS[key], value)
    if key == "values" and isinstance(value, list):
        known = {i.code: i.title for i in policy().indicators}
        return ", ".join(str(known.get(one, one)) for one in value)
    if key == "path":
        try:
            return doc.capital(doc.label(content, str(value), policy().words)) if content else value
        except (Refused, LookupError, TypeError, ValueError):
            return value
    if key == "sources" and isinstance(value, list):
        return ", ".join(sources.get(str(one), str(one)) for one in value[:4]) + (" …" if len(value) > 4 else "")
    if key == "rows" and isinstance(value, dict):
        return ", ".join(f"{n} {_ROWS.get(name, name)}" for name, n in value.items() if n)
    if key == "texts" and isinstance(value, dict):
        return fmt.number(len(value))
    if key == "amount":
        return fmt.money(value)
    if key == "percent":
        return fmt.percent(value)
    if key in (
        "role",
        "phase",
        "template",
        "type",
        "college",
        "act",
        "kind",
        "category",
        "definition",
        "level",
        "scheme",
    ):
        return _policy_word(key, entry, value)
    if key in ("outcome", "source", "precision", "reminders"):
        words = {"outcome": _OUTCOMES, "source": _SOURCES, "precision": _PRECISIONS, "reminders": _REMINDERS}[key]
        return _known(words, value)
    if isinstance(value, dict):
        return ", ".join(
            f"{FIELDS.get(k, k)} : {_value(entry, k, v, content, sources)}" for k, v in list(value.items())[:8]
        )
    if isinstance(value, list):
        said = [str(_value(entry, key, one, content, sources)) for one in value[:8]]
        return ", ".join(said) + (" …" if len(value) > 8 else "")
    text = str(value)
    if len(text) == 10 and text[4:5] == "-" and text[7:8] == "-" and (day := fmt.as_date(text)):
        return fmt.day(day)
    if key in ("value", "fte", "headcount") and (number := _decimal(text)) is not None:
        return fmt.number(number)
    return _short(text)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _policy_word(key: str, entry: JournalEntry, value: Any) -> Any:
    programme = policy()
    lists: dict[str, Iterable[Any]] = {
        "role": programme.roles,
        "phase": programme.phases,
        "template": [*programme.contract_templates, *programme.roadmap_templates],
        "type": programme.members.types,
        "college": programme.members.colleges,
        "act": programme.label_acts,
        "kind": programme.governance.bodies,
        "definition": programme.members.size_schemes,
        "category": [c for scheme in programme.members.size_schemes for c in scheme.categories],
        "scheme": programme.identifiers,
    }
    for one in lists.get(key, ()):
        if one.code == value:
            return one.title
    if key == "act":
        return _known(ACTS_SHORT, value)
    if key == "kind":
        return _known(KIND_TITLES, value)
    if key == "level":
        return _known(dict(LEVELS), value)
    return value
