"""Rows of the selection for the access matrix: a call under assessment, and one whose list is decided and announced."""

from __future__ import annotations

from decimal import Decimal

from jalon.core import clock
from jalon.interests import actions as interests
from jalon.people.models import Mandate
from jalon.people.queries import actor_from
from jalon.selection import actions
from jalon.selection.models import Assessment, Scenario, SelectionLetter
from tests import factories as f
from tests.selection import world as selection


def _actor(user):
    return actor_from(Mandate.objects.select_related("user", "organisation").filter(user=user).first())


def extend(found) -> None:
    """Add the rows; the people are those of the matrix."""
    users = found.users
    made = selection.make_world(projects=2)
    project = made.projects[0]
    agent = _actor(users["local_authority"])
    region = f.Organisation.objects.get(pk=agent.organisation_id)
    actions.intend(
        selection.partner_of(project), region, by=made.manager, on=f.DAY, amount=Decimal(1000), reference="Courrier"
    )
    member = _actor(users["project_member"])
    project.partners.filter(key="p2").update(organisation=member.organisation_id)
    expert = _actor(users["ministry_expert"])
    mine = actions.assign(made.exercise, project, users["ministry_expert"], by=made.manager, on=f.DAY)
    interests.declare(project.case, "none", by=expert, on=f.DAY)
    selection.intend_state(made, project, "1000.00")
    scenario = actions.save_scenario(
        made.exercise, "Essai", selection.entries_for(made, {project: "selected"}), by=made.manager, on=f.DAY
    )

    ended = selection.make_world(projects=2)
    kept, reserve = ended.projects
    ended.partner = kept.partners.filter(key="p2").update(organisation=member.organisation_id)
    for one in ended.projects:
        selection.agree(ended, one)
        selection.intend_state(ended, one, "1000.00")
    selection.decided(ended, {kept: "selected", reserve: "reserve"})
    letter = SelectionLetter.objects.get(project=kept, partner__organisation=member.organisation_id)
    unopened = selection.make_call()
    found.args |= {
        "selection": made.call.code, "selection_ended": ended.call.code, "selection_unopened": unopened.code,
        "selection_project": project.slug, "selection_partner": selection.partner_of(project).pk,
        "selection_funder": region.pk, "selection_share": selection.current(project, region).get().pk,
        "selection_kept": kept.slug, "selection_reserve": reserve.slug,
        "selection_assessment": mine.pk, "selection_scenario": scenario.pk, "selection_letter": letter.pk,
        "selection_expert": users["ministry_expert"].pk, "selection_project_id": project.pk,
    }  # fmt: skip
    assert Assessment.objects.exists() and Scenario.objects.exists() and clock.today() == f.DAY
