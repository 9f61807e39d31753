"""Reviews and evaluations in the demonstration: the 18-month review of Xylofutur, an evaluation ordered by a region.

The campaigns of 2008, 2009–2010 and 2012 are real and come from ``data/``; what is made here is simulated and flagged so, by the same
acts as officers use. What the texts say of a cluster is invented for the demonstration.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from jalon.core.lang import T
from jalon.demo.build import DAY, HOME_CLUSTER, HOME_REGION, World, organisation
from jalon.demo.contracts import actor, correspondent, director
from jalon.evaluations import actions, classify, hearing_actions, queries, review_actions, survey_actions
from jalon.evaluations.access import case_of
from jalon.evaluations.models import SurveyLink
from jalon.interests import actions as interests
from jalon.people.models import Mandate, User

OTHER_REVIEWED = "vegepolys"
OPENED = dt.date(2010, 5, 17)
GOVERNS = dt.date(2008, 6, 18)
"""The day whose rules the ordered evaluation follows: those of the grid of 2008."""
WEAK = {"governance/selection": "partly", "momentum/means": "not-met"}


def build(world: World, say: Any) -> None:
    """Reviews of two group 2 contracts, then the evaluation that the region orders."""
    say("Démonstration : examens et évaluations…", "Demonstration: reviews and evaluations…")
    _review(world)
    _reviewed(world)
    _ordered(world)


def _contract(world: World, slug: str) -> Any:
    return (
        world.clusters[slug]
        .contracts.filter(state="signed", group="2", kind="performance")
        .order_by("starts_on")
        .last()
    )


def _owes(contract: Any) -> bool:
    return contract is not None and any(r.kind == "axes" for r in queries.review_days(contract))


def _review(world: World) -> None:
    """Xylofutur: evidence frozen, findings notified, one reply being written; the delay runs beyond the day of the visit."""
    contract = _contract(world, HOME_CLUSTER)
    if not _owes(contract):
        return
    state, day = correspondent(world, HOME_CLUSTER), dt.date(2010, 6, 7)
    review = review_actions.open_review(contract, "axes", by=state, on=day, simulated=True)
    axes = list(dict.fromkeys(o.axis for o in contract.objectives.all() if o.axis))
    first = axes[0] if axes else str(T("Axe d'amélioration", "Improvement axis").in_language("fr"))
    told = (
        (first, "La moitié des actions de cet axe est engagée ; les livrables de 2009 n'ont pas tous été remis.", "Pièces de l'examen, actions de l'axe"),
        (axes[1] if len(axes) > 1 else "Équipe", "L'équipe n'a pas été renforcée comme le contrat le prévoyait.", "Postes de l'équipe au 7 juin 2010"),
        ("Suivi", "Le suivi de 2009 a été remis, mais deux valeurs ont dû être corrigées.", "Rapport 2009"),
    )  # fmt: skip
    for about, text, evidence in told:
        finding = hearing_actions.write_finding(review, text=text, about=about, evidence=evidence, by=state, on=day)
    hearing = hearing_actions.notify(
        finding.hearing, by=state, on=dt.date(2010, 6, 10),
        summary="Examen des axes d'amélioration à dix-huit mois. Le pôle répond constat par constat.",
    )  # fmt: skip
    hearing_actions.save_reply(
        hearing.findings.get(number=1), rev=0, by=director(world, HOME_CLUSTER), on=dt.date(2010, 6, 28),
        text="Trois livrables ont été remis en mai ; ils n'étaient pas au dossier le jour de l'examen.",
    )  # fmt: skip


def _reviewed(world: World) -> None:
    """Another group 2 contract, whose review ended satisfactory."""
    if OTHER_REVIEWED not in world.clusters:
        return
    contract = _contract(world, OTHER_REVIEWED)
    if not _owes(contract):
        return
    by = correspondent(world, OTHER_REVIEWED)
    review = review_actions.open_review(contract, "axes", by=by, on=dt.date(2010, 6, 14), simulated=True)
    review_actions.conclude_review(
        review, "satisfactory", by=by, on=dt.date(2010, 6, 25),
        reason="Les actions des axes d'amélioration avancent au rythme du contrat ; aucun constat n'est notifié.",
    )  # fmt: skip


def _firm(world: World, name: str) -> Any:
    """A second firm, without an account to sign in with."""
    body = organisation(name, "company")
    user = User(
        email="second-cabinet@demonstration.invalid", name="Évaluateur du second cabinet (simulé)", simulated=True
    )
    user.set_unusable_password()
    user.save()
    Mandate.objects.create(user=user, organisation=body, programme=world.programme, role="evaluator", starts_on=OPENED)
    world.users["second-evaluator"] = user
    return actor(world, "second-evaluator", "evaluator", body), body


def _ordered(world: World) -> None:
    """The regional council of Aquitaine has its clusters evaluated by two firms, beside the State's own evaluation."""
    region = actor(world, "local_authority", "local_authority", world.councils[HOME_REGION])
    clusters = [world.clusters[s] for s in sorted(world.clusters) if world.region[s] == HOME_REGION]
    home = world.clusters[HOME_CLUSTER]
    campaign = actions.open_campaign(
        "aquitaine-2010",
        ("Les pôles d'Aquitaine vus par la Région (2010)", "The clusters of Aquitaine as seen by the Region (2010)"),
        "order", clusters, "grid-2008", evaluation="aquitaine-2010", by=region, on=OPENED, policy_day=GOVERNS,
        ends_on=dt.date(2010, 7, 9), young=["avenia"], simulated=True,
    )  # fmt: skip
    first = world.users["evaluator"].mandates.select_related("organisation").first().organisation
    second, second_body = _firm(world, "Second cabinet d'évaluation (simulé)")
    statement = "Aucun lien avec les pôles évalués ni avec leurs membres au cours des trois dernières années."
    actions.entrust(
        campaign, organisation=first, by=region, on=OPENED, reference="Lot 1", statement=statement, simulated=True
    )
    actions.entrust(campaign, organisation=second_body, by=region, on=OPENED, reference="Lot 2", statement=statement, simulated=True)  # fmt: skip
    actions.start_many(campaign, by=region, on=dt.date(2010, 5, 25))
    names = classify.names(queries.grid_of(campaign))
    one = actor(world, "evaluator", "evaluator", first)
    for cluster in clusters:
        evaluation = queries.evaluation_of(campaign, cluster)
        _score(evaluation, second, names, WEAK if cluster.pk == home.pk else {})
        if cluster.pk != home.pk and cluster.slug != "avenia":
            _score(evaluation, one, names, {"momentum/members": "partly"})
            actions.open_consensus(evaluation, by=region, on=dt.date(2010, 6, 24))
    _survey(world, campaign, home, region)


def _score(evaluation: Any, by: Any, names: list[str], marks: dict[str, str]) -> None:
    day = dt.date(2010, 6, 21)
    interests.declare(case_of(evaluation), "none", by=by, on=day, simulated=True)
    for question in names:
        actions.save_note(
            evaluation, question, mark=marks.get(question, "met"), rev=0, by=by, on=day,
            justification="Note simulée pour la démonstration, d'après le dossier de pièces.",
        )  # fmt: skip
    actions.hand_in(evaluation, by=by, on=day)


def _survey(world: World, campaign: Any, home: Any, region: Any) -> None:
    """The members of Xylofutur are asked; a third of them has answered."""
    survey = survey_actions.open_survey(
        campaign, "members-2008", by=region, on=dt.date(2010, 6, 1), closes_on=dt.date(2010, 7, 15), simulated=True
    )
    survey_actions.ask_members(survey, [home], by=region, on=dt.date(2010, 6, 1))
    links = list(SurveyLink.objects.filter(survey=survey).order_by("organisation_id"))
    asked = min(len(links), 60)
    for link in sorted(world.rng.sample(links, asked // 3), key=lambda x: x.pk):
        survey_actions.answer(
            link,
            {
                "strategy": world.rng.choice("23445"), "voice": world.rng.choice("12334"),
                "project": world.rng.choice(["yes", "yes", "no"]), "use": world.rng.choice(["partners", "partners", "money", "market"]),
            },
            on=min(DAY, dt.date(2010, 6, 20)),
        )  # fmt: skip
