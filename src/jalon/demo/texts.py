"""Words of the demonstration's contracts and roadmaps: general, so that no real pôle is made to say something."""

from __future__ import annotations

POSITION = {
    "position-technology": "Texte simulé. Le pôle compare ses laboratoires et ses entreprises aux centres qui travaillent "
    "sur les mêmes technologies, en France et à l'étranger.",
    "position-economic": "Texte simulé. Poids des entreprises du territoire, emplois, filières concernées et accès au "
    "financement.",
    "position-commercial": "Texte simulé. Marchés visés, concurrents, clients, délais avant la mise sur le marché.",
    "position-international": "Texte simulé. Clusters étrangers comparables, coopérations engagées et présence des membres à "
    "l'étranger.",
}

ROADMAP_ITEMS = (
    ("priority-fields", "axis", "Axe 1 : consolider les savoir-faire du pôle", ""),
    ("priority-fields", "field", "Domaine 1.1 : technologies au cœur du pôle", "axis"),
    ("priority-fields", "axis", "Axe 2 : ouvrir de nouveaux marchés", ""),
    ("priority-fields", "field", "Domaine 2.1 : applications et usages", "axis"),
    ("technology-objectives", "objective", "Maîtriser deux technologies clés d'ici trois ans", "field"),
    ("market-objectives", "objective", "Amener des produits issus des projets sur le marché", "field"),
    ("development-objectives", "objective", "Accroître la part des PME et des ressources privées", "field"),
    ("action-plan", "action", "Accompagner le montage de projets collaboratifs", "objective"),
    ("action-plan", "action", "Ouvrir un service d'accès au financement privé", "objective"),
)

ARTICLES = {
    "preamble": "Texte simulé. Le label du pôle a été confirmé après l'évaluation de 2008 ; le présent contrat succède au "
    "contrat-cadre de la première phase.",
    "strategy": "Texte simulé. La stratégie du pôle à trois ans est celle de sa feuille de route, annexée au contrat.",
    "cluster-commitments": "Texte simulé. Le pôle s'engage sur les objectifs, les programmes d'actions, les calendriers et "
    "les indicateurs ci-après.",
    "public-commitments": "Texte simulé. L'État et les collectivités s'engagent sur les soutiens ci-après et sur un suivi "
    "stratégique régulier.",
    "revision": "Texte simulé. Le contrat change par avenant ; les parties que l'avenant concerne le signent.",
}

AXES = (
    ("x1", "Définition de la stratégie", "Texte simulé. Préciser les domaines prioritaires et les renoncements."),
    (
        "x2",
        "Gouvernance et rôle de l'équipe",
        "Texte simulé. Réunir plus souvent le bureau, renforcer l'équipe permanente.",
    ),
)

OBJECTIVES = (
    {
        "title": "Faire naître des projets de R&D collaboratifs qui aboutissent",
        "body": "Texte simulé. Des projets mieux préparés, avec des PME et des laboratoires, jusqu'au marché.",
        "actions": (
            {
                "title": "Accompagner le montage des projets",
                "owner": "Ingénierie de projets",
                "start": (0, 2),
                "end": (2, 12),
                "share": 30,
                "deliverables": "Dossiers déposés ; comptes rendus du comité de labellisation",
                "milestones": (("Méthode de sélection adoptée", (0, 9)), ("Bilan de deux appels à projets", (1, 12))),
            },
            {
                "title": "Suivre les résultats des projets terminés",
                "owner": "Direction",
                "start": (0, 9),
                "end": (2, 6),
                "share": 10,
                "deliverables": "Enquête annuelle auprès des partenaires",
                "milestones": (("Première enquête", (1, 3)),),
            },
        ),
    },
    {
        "title": "Accompagner la croissance des PME",
        "body": "Texte simulé. Financement privé, international, appui individuel.",
        "actions": (
            {
                "title": "Ouvrir un service d'accès au financement privé",
                "owner": "Accompagnement des PME",
                "start": (0, 4),
                "end": (1, 12),
                "share": 18,
                "deliverables": "Rencontres avec des investisseurs ; PME accompagnées",
                "milestones": (("Premières rencontres", (0, 11)),),
            },
            {
                "title": "Préparer les PME à l'international",
                "owner": "International",
                "start": (0, 6),
                "end": (2, 12),
                "share": 15,
                "deliverables": "Missions ; accords avec des clusters étrangers",
                "milestones": (("Accord avec un premier cluster étranger", (1, 6)),),
            },
        ),
    },
    {
        "title": "Anticiper les compétences et élargir le réseau",
        "body": "Texte simulé. Emplois et compétences à prévoir, nouveaux membres, ressources propres.",
        "actions": (
            {
                "title": "Dresser la carte des compétences",
                "owner": "Compétences et formation",
                "start": (0, 9),
                "end": (1, 9),
                "share": 12,
                "deliverables": "Carte des compétences ; offre de formation adaptée",
                "milestones": (("Carte publiée", (1, 5)),),
            },
            {
                "title": "Recruter des membres et diversifier les ressources",
                "owner": "Direction",
                "start": (0, 1),
                "end": (2, 12),
                "share": 15,
                "deliverables": "Services payants ; barème des cotisations",
                "milestones": (("Barème adopté", (0, 12)),),
            },
        ),
    },
)
