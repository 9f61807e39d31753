"""Letters of notification: drawn from the policy's templates, frozen when they are sent, printed from what was frozen."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from jalon.core.lang import LANGUAGES, T, Text, speaking
from jalon.decisions import rules
from jalon.decisions.models import Line, Notice
from jalon.people.access import policy
from jalon.policy.faults import day_text


def group_said(campaign: str, group: str) -> Text:
    """The group of an evaluation in words; « 1-2 » is a pôle of group 1 or 2 whose group no source names."""
    if group == "1-2":
        return T("groupe 1 ou 2 (le groupe de ce pôle n'est pas connu par son nom)", "group 1 or 2 (the group of this cluster is not known by name)")  # fmt: skip
    for one in policy().evaluation_groups:
        if one.code == group and (not campaign or one.campaign == campaign):
            return one.title
    return T("non connu", "not known")


def values_of(line: Line, sent_on: dt.date) -> dict[str, Any]:
    """What the braces of a template stand for."""
    laws, decision = policy(), line.decision
    authority = next((b.title for b in laws.label_deciders if b.code == decision.authority), T("", ""))
    kind = rules.kind_of(laws, line.kind)
    axes = (
        T(
            "Votre contrat reprendra les axes d'amélioration relevés par l'évaluation ; les actions et les résultats sur ces "
            "axes seront examinés au bout de dix-huit mois, et le soutien financier pourra être révisé.",
            "Your contract will carry the improvement axes found by the evaluation; actions and results on these axes will "
            "be reviewed after eighteen months, and the financial support may be revised.",
        )
        if line.group == "2"
        else T("", "")
    )
    done = list(line.effects.all()) if line.pk else []
    return {
        "cluster": line.name,
        "label": line.label.name if line.label else line.name,
        "from": day_text(line.effective_from),
        "until": day_text(line.until) if line.until else T("sans terme fixé", "no end set"),
        "day": day_text(sent_on),
        "reference": decision.reference,
        "authority": authority,
        "group": group_said(decision.campaign, line.group),
        "conditions": line.conditions,
        "reasons": line.reasons or T("voir le dossier de décision", "see the decision file"),
        "axes": axes,
        "kind": kind.title if kind else line.kind,
        "effects": T(
            "\n".join(f"– {e.said_fr}" for e in done) or "–", "\n".join(f"– {e.said_en}" for e in done) or "–"
        ),
    }


def compose(line: Line, sent_on: dt.date) -> dict[str, Any]:
    """The letter in both languages, as it is frozen. Raises Refused nowhere: a kind without template gets a plain sentence."""
    laws = policy()
    part = rules.part_of(laws)
    kind = rules.kind_of(laws, line.kind)
    template = next((one for one in part.letters if kind and one.code == kind.letter), None) if part else None
    said = values_of(line, sent_on)
    within = rules.parameter(laws, "decisions.appeal_within", sent_on)
    whom = line.cluster or (line.candidacy.organisation if line.candidacy else None)
    out: dict[str, Any] = {
        "template": template.code if template else "",
        "cluster": line.name,
        "to": getattr(whom, "name", "") or line.name,
        "reference": line.decision.reference,
        "decided_on": line.decision.decided_on,
        "sent_on": sent_on,
        "simulated": line.decision.simulated,
    }
    for lang in LANGUAGES:
        with speaking(lang):
            words = {k: str(v) for k, v in said.items()}
            subject = template.subject.in_language(lang) if template else words["kind"]
            body = (
                template.body.in_language(lang)
                if template
                else str(T("La décision sur « {cluster} » : {kind}.", "The decision on “{cluster}”: {kind}."))
            )
            for name, value in words.items():
                subject, body = subject.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", value)
            out[lang] = {
                "subject": subject,
                "authority": words["authority"],
                "body": "\n\n".join(p for p in body.split("\n\n") if p.strip()),
                "appeal": str(
                    T(
                        "Cette décision peut faire l'objet d'un recours dans un délai de {n} mois à compter de sa notification.",
                        "An appeal against this decision may be lodged within {n} months of its notification.",
                        n=within.value,
                    )
                )
                if within
                else "",
            }
    return out


def read(notice: Notice) -> dict[str, Any]:
    """The letter of a notification, as it was frozen."""
    return json.loads(notice.letter.canonical)["content"] if notice.letter_id else {}
