"""A small world for evaluations: three clusters, two firms, an officer, the people of the first cluster."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

from jalon.evaluations import actions, classify, hearing_actions
from jalon.evaluations.access import case_of
from jalon.evaluations.queries import evaluation_of, grid_of
from jalon.interests import actions as interests
from jalon.people.models import Organisation
from tests import factories as f

DAY = dt.date(2010, 6, 1)
GOVERNS = dt.date(2008, 6, 18)
WEAK = {"strategy/own": "not-met", "strategy/understandable": "not-met"}


def body(actor: Any) -> Organisation:
    return Organisation.objects.get(pk=actor.organisation_id)


def build(**more: Any) -> SimpleNamespace:
    """A national campaign under the grid of 2008, entrusted to two firms, with the evidence frozen."""
    f.live_on(DAY)
    clusters = [f.make_cluster(f"pole-{x}", f"Pôle {x}", label=True) for x in ("alpha", "beta", "gamma")]
    w = SimpleNamespace(
        clusters=clusters,
        officer=f.make_actor("national_officer"),
        admin=f.make_actor("admin"),
        firm=f.make_actor("evaluator"),
        second=f.make_actor("evaluator"),
        stranger=f.make_actor("evaluator"),
        director=f.make_actor("cluster_director", clusters[0]),
        other_director=f.make_actor("cluster_director", clusters[1]),
        correspondent=f.make_actor("state_correspondent", clusters[0]),
        region=f.make_actor("local_authority"),
        reader=f.make_actor("reader"),
    )
    w.contract = f.make_contract(clusters[0], parties=[w.region.organisation_id], state="signed")
    w.campaign = actions.open_campaign(
        "essai", ("Essai", "Trial"), "national", clusters, "grid-2008", by=w.officer, on=DAY, policy_day=GOVERNS, **more
    )
    for firm in (w.firm, w.second):
        actions.entrust(w.campaign, organisation=body(firm), by=w.officer, on=DAY, statement="Aucun lien")
    actions.start_many(w.campaign, by=w.officer, on=DAY)
    w.evaluation = evaluation_of(w.campaign, clusters[0])
    return w


def score(
    evaluation: Any, by: Any, marks: dict[str, str] | None = None, on: dt.date = DAY, words: str = "Vu au dossier"
) -> None:
    """Declare, score everything, hand in."""
    interests.declare(case_of(evaluation), "none", by=by, on=on)
    for question in classify.names(grid_of(evaluation.campaign)):
        mark = (marks or {}).get(question, "met")
        actions.save_note(evaluation, question, mark=mark, justification=f"{words} ({question})", rev=0, by=by, on=on)
    actions.hand_in(evaluation, by=by, on=on)


def notified(w: SimpleNamespace, marks: dict[str, str] = WEAK) -> Any:
    """Both firms agree on weak marks; each of these has its finding, and the cluster is notified."""
    score(w.evaluation, w.firm, marks)
    score(w.evaluation, w.second, marks)
    actions.open_consensus(w.evaluation, by=w.officer, on=DAY)
    for question in marks:
        found = hearing_actions.write_finding(
            w.evaluation, text=f"Constat secret {question}", question=question, by=w.firm, on=DAY
        )
    return hearing_actions.notify(found.hearing, by=w.officer, on=DAY)
