"""Why something is missing from a contract, or why an act is refused: the rule in a sentence, its text, what went in.

Pure functions over the policy's template. A rule that every contract obeys, whatever the programme, says so; a rule that a
text fixes names the text of the template's record (``reading`` when the text gives no figure).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from jalon.core.lang import T, Text
from jalon.core.why import Why

_SIGNED = T(
    "Un contrat se signe complet : ce que le modèle demande est rempli avant la signature.",
    "A contract is signed complete: what the template asks for is filled in before the signature.",
)
_PERIOD = T(
    "Les dates d'un contrat tiennent dans ses propres dates de début et de fin, qui ne se déduisent pas de la phase.",
    "The dates of a contract lie within its own start and end, which are not inferred from the phase.",
)
_FOLLOWED = T(
    "Un objectif se suit par des actions datées, avec un responsable ; sans elles, aucun feu ne peut être donné.",
    "An objective is followed through dated actions with an owner; without them no light can be given.",
)
_MEASURED = T(
    "Un indicateur se lit avec son unité, son point de départ daté et une cible par année du contrat.",
    "An indicator is read with its unit, its dated starting point and a target per year of the contract.",
)
_PROMISED = T(
    "Les engagements publics sont pluriannuels : par financeur et par année, un montant ou un appui décrit.",
    "Public commitments span several years: per funder and year, an amount or a described support.",
)
_PARTIES = T(
    "Le modèle dit quelles parties signent, combien de chaque sorte, et par qui.",
    "The template says which parties sign, how many of each kind, and through whom.",
)
_ONE_PLACE = T(
    "Dans un texte, chaque élément a une clé à lui, et un renvoi désigne un élément qui existe.",
    "In a text each element has a key of its own, and a reference points to an element that exists.",
)

# Code of the fault → its rule, and the part of the template whose text fixes it ("" when none does).
RULES: dict[str, tuple[Text, str]] = {
    "no_starts_on": (_PERIOD, "durations"),
    "no_ends_on": (_PERIOD, "durations"),
    "ends_before_start": (_PERIOD, ""),
    "duration": (
        T("Le modèle de la phase borne la durée d'un contrat.", "The phase's template bounds the length of a contract."),
        "durations",
    ),
    "outside_contract": (_PERIOD, ""),
    "year_outside": (_PERIOD, "funding_years"),
    "no_title": (_SIGNED, ""),
    "no_territory": (
        T("Un pôle agit sur un territoire défini, écrit au contrat.", "A cluster acts on a defined territory, written in the contract."),
        "",
    ),
    "unknown_region": (
        T("Le territoire se dit avec les régions du temps.", "The territory is told with the regions of the time."),
        "",
    ),
    "key_twice": (_ONE_PLACE, ""),
    "unknown_ref": (_ONE_PLACE, ""),
    "party_kind": (_PARTIES, ""),
    "party_without_organisation": (_PARTIES, ""),
    "party_twice": (
        T("Un organisme n'est partie au contrat qu'une fois.", "An organisation is a party to the contract once."),
        "",
    ),
    "no_signatory": (_PARTIES, ""),
    "article_empty": (_SIGNED, ""),
    "article_untitled": (_SIGNED, ""),
    "no_axes": (
        T(
            "Les objectifs d'un pôle de ce groupe incluent les axes d'amélioration mis en évidence par l'évaluation.",
            "The objectives of a cluster of this group include the improvement axes that the evaluation pointed out.",
        ),
        "",
    ),
    "axis_untitled": (_SIGNED, ""),
    "axis_unanswered": (
        T(
            "Chaque axe d'amélioration est repris par un objectif : c'est ce que l'examen regardera.",
            "Each improvement axis is taken up by an objective: that is what the review will look at.",
        ),
        "",
    ),
    "no_objective": (
        T(
            "Le pôle s'engage sur des objectifs stratégiques assortis de programmes d'actions, de calendriers et d'indicateurs.",
            "The cluster commits to strategic objectives with action programmes, calendars and indicators.",
        ),
        "",
    ),
    "untitled": (_SIGNED, ""),
    "no_action": (_FOLLOWED, ""),
    "no_owner": (_FOLLOWED, ""),
    "no_end": (_FOLLOWED, ""),
    "no_due": (_FOLLOWED, ""),
    "common_missing": (
        T(
            "Une partie des indicateurs est commune à tous les pôles : le modèle de la phase les nomme.",
            "Part of the indicators is common to all clusters: the phase's template names them.",
        ),
        "",
    ),
    "code_twice": (
        T("Un indicateur n'a qu'une ligne, pour une seule série.", "An indicator has one line, for one series."),
        "",
    ),
    "no_unit": (_MEASURED, ""),
    "no_target": (_MEASURED, ""),
    "not_a_number": (_MEASURED, ""),
    "percent_range": (_MEASURED, ""),
    "baseline_undated": (_MEASURED, ""),
    "no_party": (_PROMISED, ""),
    "not_public": (
        T(
            "En contrepartie des engagements du pôle, l'État et les collectivités s'engagent ; le pôle ne se finance pas lui-même ici.",
            "In return for the cluster's commitments, the State and the authorities commit; the cluster does not fund itself here.",
        ),
        "",
    ),
    "support_untitled": (_PROMISED, ""),
    "support_with_amount": (_PROMISED, ""),
    "no_amount": (_PROMISED, "funding_years"),
    "negative_money": (
        T("Un engagement est un montant positif ou nul.", "A commitment is an amount of zero or more."),
        "",
    ),
    "due_before_year": (_PROMISED, "funding_years"),
    "party_promises_nothing": (_PROMISED, ""),
    "open_proposals": (
        T(
            "Le texte se fige à la signature : aucune proposition ne peut rester sans réponse.",
            "The text is frozen at signature: no proposal may be left without an answer.",
        ),
        "",
    ),
    "annex_missing": (
        T("Le modèle dit quelles annexes sont jointes, à la date de la signature.", "The template says which annexes are joined, as at the date of signature."),
        "annexes",
    ),
    "decision_missing": (
        T(
            "Une collectivité décide par elle-même (délibération) avant de signer.",
            "An authority decides by itself (deliberation) before it signs.",
        ),
        "parties",
    ),
}  # fmt: skip


def _record(template: Any, part: str, code: str, path: str) -> Any:
    """The record of the template that a fault is judged by: an annex by its key, a party by its kind."""
    if template is None:
        return None
    for kind in ("too_few_", "too_many_"):
        if code.startswith(kind):
            return next((p for p in template.parties if p.kind == code.removeprefix(kind)), template)
    if part == "annexes":
        return next((a for a in template.annexes if a.key == path), template)
    if part == "parties":
        return next((p for p in template.parties if p.decision_required), template)
    return getattr(template, part, None) if part else template


def why_missing(
    code: str, path: str, template: Any, *, day: dt.date | None = None, inputs: Mapping[Any, Any] | None = None
) -> Why:
    """Why a point is asked for: rule, text of the template, day of the policy, inputs."""
    rule, part = RULES.get(code, (_PARTIES if code.startswith("too_") else _SIGNED, ""))
    record = _record(template, part, code, path)
    told: dict[Any, Any] = dict(inputs or {})
    if template is not None:
        told.setdefault(T("modèle", "template"), template.title)
    if part == "durations" and record is not None:
        told[T("durée permise, en mois", "allowed length, in months")] = f"{record.min_months} – {record.max_months}"
    return Why(
        rule=rule,
        parameter=f"contracts.templates.{template.code}" + (f".{part}" if part else "") if template else "",
        reference=(getattr(record, "reference", "") or getattr(template, "reference", "")) if template else "",
        url=(getattr(record, "url", "") or getattr(template, "url", "") or "") if template else "",
        day=day,
        inputs=told,
        reading=bool(getattr(record, "reading", False)),
    )


def why_not_yet(what: Any, day: dt.date, on: dt.date) -> Why:
    """Why something dated after the day of the act is refused: an act tells what happened, not what will."""
    return Why(
        rule=T(
            "Un acte raconte ce qui a eu lieu : sa date n'est jamais après le jour où il est enregistré.",
            "An act tells what took place: its date is never after the day on which it is recorded.",
        ),
        day=on,
        inputs={what: day, T("jour de l'enregistrement", "day of the recording"): on},
    )


def why_money(promised: Any, paid: Any, asked: Any) -> Why:
    """Why a payment is refused: what was promised, what is paid already, what was typed."""
    return Why(
        rule=T(
            "La somme des versements déclarés sur un engagement ne dépasse jamais ce qui a été promis ; un avenant change la promesse.",
            "The payments declared on a commitment never add up to more than was promised; an amendment changes the promise.",
        ),
        inputs={
            T("promis", "promised"): promised,
            T("déjà versé", "already paid"): paid,
            T("montant déclaré", "amount declared"): asked,
        },
    )


def why_state(asked: Any, state: Any) -> Why:
    """Why an act is refused in the state where a text stands."""
    return Why(
        rule=T(
            "Ce qui est figé ne change plus : on délibère et on joint des annexes pendant la négociation, et un texte signé ne change que par avenant.",
            "What is frozen no longer changes: deliberations and annexes come during negotiation, and a signed text changes by amendment only.",
        ),
        inputs={T("acte demandé", "act asked for"): asked, T("état du texte", "state of the text"): state},
    )
