"""Names of public bodies in the demonstration, with the right French article."""

from __future__ import annotations

OF_REGION = {
    "Alsace": "d'Alsace",
    "Aquitaine": "d'Aquitaine",
    "Auvergne": "d'Auvergne",
    "Basse-Normandie": "de Basse-Normandie",
    "Bourgogne": "de Bourgogne",
    "Bretagne": "de Bretagne",
    "Centre": "du Centre",
    "Champagne-Ardenne": "de Champagne-Ardenne",
    "Corse": "de Corse",
    "Franche-Comté": "de Franche-Comté",
    "Guadeloupe": "de Guadeloupe",
    "Guyane": "de Guyane",
    "Haute-Normandie": "de Haute-Normandie",
    "Languedoc-Roussillon": "du Languedoc-Roussillon",
    "La Réunion": "de La Réunion",
    "Limousin": "du Limousin",
    "Lorraine": "de Lorraine",
    "Martinique": "de Martinique",
    "Mayotte": "de Mayotte",
    "Midi-Pyrénées": "de Midi-Pyrénées",
    "Nord-Pas-de-Calais": "du Nord-Pas-de-Calais",
    "Pays de la Loire": "des Pays de la Loire",
    "Picardie": "de Picardie",
    "Poitou-Charentes": "de Poitou-Charentes",
    "Provence-Alpes-Côte d'Azur": "de Provence-Alpes-Côte d'Azur",
    "Rhône-Alpes": "de Rhône-Alpes",
    "Île-de-France": "d'Île-de-France",
}


def of(region: str) -> str:
    """« d'Aquitaine », « du Centre »: the region's name with its article."""
    return OF_REGION.get(region, f"de {region}")


def prefect(region: str) -> str:
    """The State's signatory in a region: a function, never a person."""
    return f"préfet de la région {region}"


def state(region: str) -> str:
    return f"État – {prefect(region)}"


def council(region: str) -> str:
    return f"Conseil régional {of(region)}"


def direccte(region: str) -> str:
    """The State's regional service for companies (DIRECCTE since 2010, DRIRE before)."""
    return f"DIRECCTE {region}"


POSTS = {
    "director": "Direction",
    "assistant": "Assistance et gestion",
    "projects": "Ingénierie de projets",
    "international": "International",
    "communication": "Communication",
    "sme": "Accompagnement des PME",
    "skills": "Compétences et formation",
    "intelligence": "Veille et intelligence économique",
    "platforms": "Plates-formes d'innovation",
}
KINDS = {"sme": "PME", "mid": "ETI", "large": "Grande entreprise", "other": "Organisme"}


def organisation(number: int, member_type: str, college: str) -> str:
    """Name of a simulated organisation: it says that it is simulated."""
    if member_type == "research_training":
        kind = "Laboratoire" if college == "research" else "Établissement de formation"
    else:
        kind = KINDS[member_type]
    return f"{kind} simulé{'e' if kind in ('PME', 'ETI', 'Grande entreprise') else ''} n° {number:05d}"
