"""Content of the style guide: examples of every component, named as such on the page.

Figures here show how things look; they are no data and no page but the style guide reads them.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator

from jalon.core.lang import T
from jalon.ui import charts, lights, maps

LONG = "Produits et Matériaux des Forêts Cultivées"
TODAY = date(2010, 6, 30)

PLACES = (
    ("Aerospace Valley", 43.6045, 1.444, 538),
    ("Finance Innovation", 48.8566, 2.3522, 230),
    ("Lyonbiopôle", 45.764, 4.8357, 100),
    ("Minalogic", 45.1885, 5.7245, 160),
    ("System@tic Paris-Région", 48.7138, 2.2084, 450),
    ("Cap Digital", 48.87, 2.36, 600),
    ("Mer Bretagne", 48.39, -4.486, 240),
    ("Mer PACA", 43.12, 5.93, 250),
    (LONG, 44.84, -0.58, None),
    ("Végépolys", 47.4784, -0.5632, 180),
    ("Cosmetic Valley", 48.4469, 1.489, 170),
    ("I-Trans", 50.3579, 3.5235, 110),
    ("Qualitropic", -20.8789, 55.4481, 60),
)
"""Names and towns of some pôles of 2010; the sizes only show how a size is drawn."""

_SQUARE = {
    "view_box": [0, 0, 1000, 1000],
    "regions": [
        {"code": "n", "name": T("Nord", "North"), "d": "M100 60h800v420h-800z"},
        {"code": "s", "name": T("Sud", "South"), "d": "M100 490h800v420h-800z"},
    ],
}


class SampleForm(forms.Form):
    """Each kind of field once, with the errors of a first try."""

    name = forms.CharField(
        label=T("Nom du pôle", "Name of the cluster"),
        help_text=T("Tel qu'il figure dans la décision de labellisation.", "As written in the label decision."),
    )
    siret = forms.CharField(
        label="SIRET", help_text=T("14 chiffres, espaces permis.", "14 digits, spaces allowed."), max_length=17
    )
    amount = forms.DecimalField(label=T("Montant promis", "Amount promised"), required=False)
    starts = forms.DateField(label=T("Début", "Start"), widget=forms.DateInput(attrs={"type": "date"}), required=False)
    tier = forms.ChoiceField(
        label=T("Rang", "Tier"), choices=[("", ""), ("mondial", "mondial"), ("national", "national")], required=False
    )
    sides = forms.MultipleChoiceField(
        label=T("Qui signe", "Who signs"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        choices=[
            ("state", T("l'État", "the State")),
            ("region", T("la région", "the region")),
            ("city", T("la communauté urbaine", "the urban community")),
        ],
    )
    text = forms.CharField(
        label=T("Position dans l'environnement concurrentiel", "Position in the competitive environment"),
        widget=forms.Textarea,
        required=False,
    )
    sure = forms.BooleanField(
        label=T("Les statuts joints sont ceux en vigueur", "The statutes enclosed are those in force"), required=False
    )
    paper = forms.FileField(
        label=T("Délibération signée", "Signed deliberation"),
        required=False,
        help_text=T("PDF, 20 Mo au plus.", "PDF, 20 MB at most."),
    )


@cache
def _outlines() -> dict[str, Any]:
    path = (
        Path(getattr(settings, "DATA", "")) / str(getattr(settings, "PROGRAMME", "")) / "territories" / "outlines.json"
    )
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else _SQUARE


def _map() -> dict[str, Any]:
    outlines = _outlines()
    points: list[dict[str, Any]] = [
        {"name": n, "latitude": lat, "longitude": lon, "size": size, "url": f"#p{i}"}
        for i, (n, lat, lon, size) in enumerate(PLACES)
    ]
    if "projection" not in outlines:
        points = [
            {"name": p["name"], "x": 180 + 55 * i, "y": 200 + 97 * (i * 5 % 7), "size": p["size"], "url": p["url"]}
            for i, p in enumerate(points)
        ]
    points[2]["light"], points[6]["light"], points[8]["light"] = "on_track", "late", "unknown"
    return maps.build_map(
        outlines,
        points,
        title=T("Où sont les pôles", "Where the clusters are"),
        size_label=T("Nombre de membres", "Number of members"),
    )


def _contracts(n: int) -> list[dict[str, Any]]:
    codes = list(lights.LIGHTS)
    names = ["Xylofutur", LONG, "Mov'eo", "Aerospace Valley", "Mer Bretagne"]
    return [
        {
            "name": names[i % 5] + (f" ({i + 1})" if i > 4 else ""),
            "region": ["Aquitaine", "Haute-Normandie ; Basse-Normandie ; Île-de-France", "Bretagne"][i % 3],
            "ends": date(2011, 12, 31) if i % 4 else None,
            "amount": Decimal(1093000 + 31337 * i) if i % 5 != 3 else None,
            "light": codes[i % len(codes)],
            "done": i * 7 % 100,
            "simulated": i % 2 == 0,
            "spark": charts.sparkline(
                [None if (i + k) % 6 == 5 else 10 + (i * 3 + k * (2 + i % 3)) % 17 for k in range(6)], target=24
            ),
        }
        for i in range(n)
    ]


def everything() -> dict[str, Any]:
    """The context of the style guide."""
    text_before = (
        "Le pôle s'engage à porter à 30 le nombre de projets labellisés en 2010, avec au moins la moitié de PME."
    )
    text_after = (
        "Le pôle s'engage à porter à 24 le nombre de projets labellisés en 2010 et en 2011, avec au moins 60 % de PME."
    )
    series = [(2006, 96), (2007, 121), (2008, None), (2009, 158), (2010, 171, True)]
    targets = [(2009, 150), (2010, 175), (2011, 200)]
    actions = [
        {
            "group": T("Axe 1 : bois construction", "Axis 1: timber building"),
            "label": f"Plateforme de caractérisation, {LONG}",
            "starts_on": date(2009, 3, 1),
            "ends_on": date(2010, 12, 31),
            "was_ends_on": date(2010, 6, 30),
            "progress": 60,
            "light": "at_risk",
            "milestones": [(date(2009, 10, 15), T("Marché passé", "Contract awarded"))],
        },
        {
            "group": T("Axe 1 : bois construction", "Axis 1: timber building"),
            "label": T("Formation des prescripteurs", "Training of prescribers"),
            "starts_on": date(2009, 9, 1),
            "ends_on": date(2010, 5, 31),
            "progress": 80,
            "light": "late",
        },
        {
            "group": T("Axe 2 : international", "Axis 2: international"),
            "label": T("Accord avec un pôle étranger", "Agreement with a foreign cluster"),
            "starts_on": date(2010, 9, 1),
            "ends_on": date(2011, 6, 30),
            "progress": 0,
            "light": "not_started",
        },
        {
            "group": T("Axe 2 : international", "Axis 2: international"),
            "label": T("Veille normative", "Watch on standards"),
            "starts_on": None,
            "ends_on": None,
            "progress": None,
            "light": "unknown",
        },
    ]
    form = SampleForm({"name": LONG, "siret": "123 456", "amount": "-5"})
    form.is_valid()
    form.add_error(
        "siret",
        T(
            "Le SIRET a 14 chiffres ; 6 ont été trouvés. Il figure sur l'avis de situation Insee.",
            "A SIRET has 14 digits; 6 were found.",
        ),
    )
    form.add_error(
        "amount",
        T(
            "Un montant promis ne peut pas être négatif ; −5 a été saisi.",
            "An amount promised cannot be negative; −5 was typed.",
        ),
    )
    contracts = _contracts(5)
    gantt = {
        "start": date(2009, 1, 1),
        "end": date(2011, 12, 31),
        "today": TODAY,
        "title": T("Calendrier des actions", "Calendar of actions"),
    }
    money = ({2009: 400000, 2010: 420000, 2011: 420000}, {2009: 400000, 2010: 380000}, {2009: 310000, 2010: None})
    return {
        "long": LONG,
        "today": TODAY,
        "contracts": contracts,
        "total": sum((c["amount"] for c in contracts if c["amount"]), Decimal(0)),
        "many": _contracts(40),
        "page": Paginator(range(1487), 40).page(17),
        "all_lights": list(lights.LIGHTS),
        "sample_form": form,
        "empty_form": SampleForm(),
        "before": text_before,
        "after": text_after,
        "trend": charts.trend(
            series, targets, title=T("Membres à jour de cotisation", "Paid-up members"), today=TODAY, unit=None
        ),
        "trend_percent": charts.trend(
            [(2006, 51), (2007, 54), (2008, 57), (2009, 56)],
            [(2011, 60)],
            unit="%",
            title=T("Part des PME parmi les membres", "Share of SMEs among members"),
            breaks=[(2008, T("nouvelle définition", "new definition"))],
        ),
        "trend_empty": charts.trend([(2009, None)], [], title=T("Brevets déposés", "Patents filed")),
        "bars": charts.bars(
            [
                (LONG, 31),
                ("Aerospace Valley", 128),
                ("Mov'eo", 74, True),
                ("Végépolys", None),
                ("Mer Bretagne", 52, False, "late"),
            ],
            mark=71,
            mark_label=T("moyenne", "mean"),
            title=T("Projets labellisés en 2009", "Projects labelled in 2009"),
        ),
        "share": charts.stacked_share(
            [
                (T("État", "State"), 410000),
                (T("Région Aquitaine", "Aquitaine region"), 180000),
                (T("Cotisations", "Fees"), 320000),
                (T("Autres", "Other"), 60000),
                (T("Communauté urbaine", "Urban community"), None),
            ],
            unit="money",
            title=T("Qui finance l'animation", "Who pays for the team"),
        ),
        "gantt": charts.gantt(actions, width=360, **gantt),
        "gantt_wide": charts.gantt(actions, width=760, **gantt),
        "money_chart": charts.money_timeline(*money, title=T("Engagements publics", "Public commitments"), today=TODAY),
        "map": _map(),
        "explanation": {
            "result": date(2010, 7, 1),
            "rule": T(
                "Un pôle du groupe 2 est réexaminé 18 mois après la décision.",
                "A group 2 cluster is reviewed 18 months after the decision.",
            ),
            "parameter": "evaluations.mid_term_review_after",
            "value": 18,
            "unit": T("mois", "months"),
            "reference": T(
                "Suites de l'évaluation des 71 pôles (phase 2)",
                "Follow-up of the evaluation of the 71 clusters (phase 2)",
            ),
            "day": date(2009, 1, 1),
            "inputs": [
                (T("Décision", "Decision"), date(2009, 1, 1)),
                (T("Groupe", "Group"), 2),
                (T("Fin du label", "End of label"), None),
            ],
            "steps": [T("1er janvier 2009 + 18 mois", "1 January 2009 + 18 months")],
            "reading": True,
        },
        "refusal": {
            "reason": T(
                "Le préfet ne peut pas encore signer ce contrat.", "The prefect cannot sign this contract yet."
            ),
            "missing": [
                T(
                    "L'annexe « membres à la signature » : le pôle la joint depuis son registre.",
                    "The annex “members at signature”: the cluster encloses it from its register.",
                ),
                T("La signature de la structure de gouvernance.", "The signature of the governance body."),
            ],
            "why": {"rule": T("L'État signe en dernier.", "The State signs last.")},
        },
        "steps": [
            {
                "name": "Communauté urbaine de Bordeaux",
                "role": T("collectivité", "local authority"),
                "light": "done",
                "day": date(2009, 11, 27),
            },
            {
                "name": "Conseil régional d'Aquitaine",
                "role": T("collectivité", "local authority"),
                "light": "done",
                "day": date(2009, 12, 14),
            },
            {
                "name": LONG,
                "role": T("structure de gouvernance", "governance body"),
                "light": "at_risk",
                "current": True,
                "note": T(
                    "L'annexe « membres à la signature » manque.", "The annex “members at signature” is missing."
                ),
            },
            {
                "name": T("Préfet de la région Aquitaine", "Prefect of the Aquitaine region"),
                "role": T("État, signe en dernier", "State, signs last"),
                "light": "not_yet_due",
            },
        ],
        "events": [
            {
                "day": date(2005, 7, 12),
                "title": T("Labellisé", "Labelled"),
                "text": T(
                    "Comité interministériel d'aménagement et de compétitivité des territoires.",
                    "Interministerial committee.",
                ),
                "source": "https://www.legifrance.gouv.fr/",
            },
            {
                "day": date(2008, 6, 18),
                "title": T("Classé en groupe 2 par l'évaluation", "Put in group 2 by the evaluation"),
                "light": "at_risk",
            },
            {
                "day": date(2009, 1, 1),
                "until": date(2011, 12, 31),
                "title": T("Contrat de performance", "Performance contract"),
                "simulated": True,
            },
        ],
        "files": [
            (T("Lettre de labellisation", "Label letter"), "PDF", 184320),
            (T("Statuts", "Statutes"), "PDF", 1258291),
            (f"Membres à la signature, {LONG}", "XLSX", None),
        ],
    }
