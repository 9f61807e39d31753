"""Objects of the evaluations for the access matrix: a campaign at each stage on the small world's cluster, a review, a questionnaire.

The role ``evaluator`` is entrusted and declared; ``other_team`` carries another cluster of the same campaign.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from jalon.clusters.models import Cluster
from jalon.core import clock
from jalon.evaluations import actions, hearing_actions, review_actions, survey_actions
from jalon.evaluations.access import case_of
from jalon.evaluations.models import SurveyLink
from jalon.evaluations.queries import evaluation_of
from jalon.interests import actions as interests
from jalon.people.models import Mandate, Organisation
from jalon.people.queries import actor_from
from tests import factories as f

DAY = f.DAY
GOVERNS = dt.date(2008, 6, 18)


def actor(world: Any, who: str) -> Any:
    return actor_from(Mandate.objects.select_related("user", "organisation").filter(user=world.users[who]).first())


def campaign(code: str, clusters: list[Any], officer: Any, firm: Any, day: dt.date = DAY) -> Any:
    made = actions.open_campaign(code, code, "national", clusters, "grid-2008", by=officer, on=day, policy_day=GOVERNS)
    actions.entrust(
        made, organisation=Organisation.objects.get(pk=firm.organisation_id), by=officer, on=day, statement="Aucun"
    )
    actions.start_many(made, by=officer, on=day)
    return made


def scored(evaluation: Any, firm: Any, marks: dict[str, str], day: dt.date = DAY) -> None:
    """Declare, score and hand in the notes of one evaluator."""
    from jalon.evaluations.classify import names
    from jalon.evaluations.queries import grid_of

    interests.declare(case_of(evaluation), "none", by=firm, on=day)
    for question in names(grid_of(evaluation.campaign)):
        actions.save_note(
            evaluation,
            question,
            mark=marks.get(question, "met"),
            justification=f"Vu : {question}",
            rev=0,
            by=firm,
            on=day,
        )
    actions.hand_in(evaluation, by=firm, on=day)


def extend(world: Any) -> None:
    cluster = world.world.cluster
    beta = Cluster.objects.get(slug="beta")
    officer, firm, director = (actor(world, w) for w in ("national_officer", "evaluator", "cluster_director"))
    open_one = campaign("eval-open", [cluster, beta], officer, firm)
    scoring, other = evaluation_of(open_one, cluster), evaluation_of(open_one, beta)
    interests.declare(case_of(scoring), "none", by=firm, on=DAY)

    heard = campaign("eval-heard", [cluster], officer, firm)
    hearing_one = evaluation_of(heard, cluster)
    scored(hearing_one, firm, {"governance/board": "not-met"})
    actions.open_consensus(hearing_one, by=officer, on=DAY)
    finding = hearing_actions.write_finding(
        hearing_one, text="Le conseil ne s'est pas réuni.", question="governance/board", by=firm, on=DAY
    )
    hearing_actions.notify(finding.hearing, by=officer, on=DAY)
    finding.refresh_from_db()
    piece = hearing_actions.add_document(finding, b"%PDF-1.4 x", "pv.pdf", by=director, on=DAY)
    hearing_actions.save_reply(finding, text="Il s'est réuni.", rev=0, by=director, on=DAY)

    closed = campaign("eval-closed", [cluster], officer, firm, dt.date(2010, 6, 1))
    closed_one = evaluation_of(closed, cluster)
    scored(closed_one, firm, {"governance/board": "not-met"}, dt.date(2010, 6, 1))
    actions.open_consensus(closed_one, by=officer, on=dt.date(2010, 6, 1))
    point = hearing_actions.write_finding(
        closed_one, text="Rien", question="governance/board", by=firm, on=dt.date(2010, 6, 1)
    )
    hearing_actions.notify(point.hearing, by=officer, on=dt.date(2010, 6, 1))
    hearing_actions.save_reply(point, text="Si", rev=0, by=director, on=dt.date(2010, 6, 2))
    hearing_actions.send_replies(point.hearing, by=director, on=dt.date(2010, 6, 2))
    hearing_actions.take_position(point, outcome="maintained", text="Non", by=firm, on=dt.date(2010, 6, 3))
    hearing_actions.close(point.hearing, by=officer, on=dt.date(2010, 6, 3))
    actions.finalise(closed_one, by=officer, on=dt.date(2010, 6, 4))
    actions.publish(closed, by=officer, on=dt.date(2010, 6, 5))

    lived = world.lived
    lived.group = "2"
    lived.save()
    review = review_actions.open_review(lived, "axes", by=officer, on=DAY)
    spare = review_actions.open_review(lived, "yearly", by=officer, on=DAY)
    told = hearing_actions.write_finding(review, text="Peu fait", by=officer, on=DAY)
    hearing_actions.notify(told.hearing, by=officer, on=DAY)

    survey = survey_actions.open_survey(open_one, "members-2008", by=officer, on=DAY, closes_on=dt.date(2010, 9, 1))
    member = Organisation.objects.get(pk=actor(world, "project_member").organisation_id)
    f.make_membership(cluster, member)
    links = survey_actions.ask_members(survey, [cluster], by=officer, on=DAY)
    token = links[cluster.pk][0][1]
    link = SurveyLink.objects.get(survey=survey, organisation=member)
    assert connection.in_atomic_block and clock.today() == DAY
    world.args |= {
        "campaign": open_one.code, "campaign_heard": heard.code, "campaign_published": closed.code,
        "evaluation": scoring.pk, "evaluation_other": other.pk, "evaluation_heard": hearing_one.pk,
        "evaluation_published": closed_one.pk, "hearing": finding.hearing_id, "hearing_closed": point.hearing_id,
        "hearing_review": told.hearing_id, "finding": finding.pk, "finding_closed": point.pk, "hearing_file": piece.pk,
        "review": review.pk, "review_spare": spare.pk, "survey_token": token, "survey_link": link.pk,
    }  # fmt: skip
