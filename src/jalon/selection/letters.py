"""Official letters: the text of each partner's letter in both languages, from the templates of the policy.

The letter that says a project is selected is the *lettre officielle de sélection*: from its day on a company may ask a
bank for relay finance. A letter is frozen when it is drawn up; what is printed later is that text.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import LANGUAGES, T, speaking
from jalon.people.access import policy
from jalon.projects.models import Partner, Project
from jalon.selection import queries, rules, states
from jalon.selection.models import Exercise, SelectionLetter, Share
from jalon.ui import format as fmt

SELECTS = ("selected", "promoted")
"""Kinds that are the official letter of selection."""


@dataclass(frozen=True)
class Drawn:
    """A letter before it is frozen."""

    project: Project
    partner: Partner
    reference: str
    content: dict[str, Any]


def template_of(kind: str) -> Any:
    """The template of a kind of letter.

    Raises:
        Refused: the programme has none.
    """
    part = policy().part("selection")
    found = next((one for one in part.letters if one.kind == kind), None) if part is not None else None
    if found is None:
        raise Refused(
            T(
                "La politique du programme n'a pas de modèle de lettre « {k} » (selection.yaml, letters).",
                "The programme's policy has no template of letter “{k}” (selection.yaml, letters).",
                k=kind,
            )
        )
    return found


def drawn(
    exercise: Exercise,
    projects: Sequence[Project],
    kind: str,
    entries: Mapping[int, rules.Entry],
    *,
    on: dt.date,
) -> list[Drawn]:
    """The letters of the partners of some projects; three queries."""
    template = template_of(kind)
    keys = [p.pk for p in projects]
    by_pk = {p.pk: p for p in projects}
    partners = (
        Partner.objects.filter(project_id__in=keys, left_on__isnull=True)
        .select_related("organisation")
        .order_by("project_id", "order", "id")
    )
    shares: dict[int, list[Share]] = {}
    for share in (
        Share.objects.filter(project_id__in=keys, superseded_at__isnull=True, decided__gt=0)
        .select_related("funder")
        .order_by("source", "funder__name_key", "instrument")
    ):
        shares.setdefault(share.partner_id, []).append(share)
    count = SelectionLetter.objects.filter(exercise=exercise).count()
    out = []
    for number, partner in enumerate(partners, count + 1):
        project = by_pk[partner.project_id]
        reference = f"{exercise.call.code}/{number:04d}"
        mine = shares.get(partner.pk, [])
        entry = entries[project.pk]
        content: dict[str, Any] = {
            "reference": reference,
            "on": on.isoformat(),
            "kind": kind,
            "call": {"fr": exercise.call.title_fr, "en": exercise.call.title_en},
            "project": project.title,
            "acronym": project.acronym,
            "organisation": partner.organisation.name,
            "amounts": [
                {
                    "funder": s.funder.name,
                    "source": s.source,
                    "instrument": s.instrument,
                    "amount": str(s.decided),
                }
                for s in mine
            ],
            "simulated": project.simulated,
        }
        for lang in LANGUAGES:
            content[lang] = _words(template, lang, exercise, project, partner, mine, entry, reference, on)
        out.append(Drawn(project, partner, reference, content))
    return out


def _words(
    template: Any,
    lang: str,
    exercise: Exercise,
    project: Project,
    partner: Partner,
    shares: Sequence[Share],
    entry: rules.Entry,
    reference: str,
    on: dt.date,
) -> dict[str, str]:
    with speaking(lang):
        lines = [
            str(
                T(
                    "– {f} : {a} ({i})",
                    "– {f}: {a} ({i})",
                    f=s.funder.name,
                    a=rules.Money(s.decided),
                    i=states.INSTRUMENTS.get(s.instrument, s.instrument),
                )
            )
            for s in shares
        ]
        fields = {
            "acronym": project.acronym,
            "project": project.title,
            "call": exercise.call.title_en if lang == "en" else exercise.call.title_fr,
            "authority": str(queries.authority_of(exercise.call)),
            "day": fmt.day(on),
            "organisation": partner.organisation.name,
            "amount": fmt.money(sum((s.decided for s in shares), Decimal(0)), lang=lang),
            "partner_amounts": "\n".join(lines) or str(T("– aucun pour l'instant", "– none so far")),
            "reasons": entry.reasons,
            "rank": str(entry.rank or ""),
            "reference": reference,
        }
        return {
            "subject": getattr(template.subject, lang).format(**fields).strip(),
            "body": getattr(template.body, lang).format(**fields).strip(),
        }


def text_of(letter: SelectionLetter) -> dict[str, Any]:
    """The frozen content of a letter."""
    return json.loads(letter.frozen.canonical)["content"]
