"""The selection in a real browser: an expert, the fund manager, a region and the authority, from the opinion to the letter."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from jalon.interests import actions as interests
from jalon.projects.models import Project
from jalon.selection import actions
from jalon.selection.models import Assessment, Consensus, Scenario, SelectionLetter, Share
from tests import factories as f
from tests.selection import world as w

pytestmark = pytest.mark.django_db(transaction=True)
CODES = ("technology", "market", "value", "strategy")


@pytest.fixture
def open_as(new_page, live_server):
    """A browser page signed in as an actor."""

    def enter(actor, **options):
        page, client = new_page(**options), Client()
        client.force_login(f.user_of(actor))
        page.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        return page

    return enter


def test_from_the_opinion_to_the_letter(open_as, axe):
    f.live_on()
    world = w.make_world(projects=2)
    one, two = world.projects
    w.agree(world, two, "3")
    for project in world.projects:
        w.intend_state(world, project, "100000.00")
    w.assess(world, one, world.experts[1], "2")
    row = actions.assign(world.exercise, one, f.user_of(world.experts[0]), by=world.manager, on=w.DAY)

    # The expert declares no interest, writes, and finds the words again after leaving the page.
    expert = open_as(world.experts[0])
    expert.goto(reverse("selection-assess", args=[row.pk]))
    expert.get_by_label("Je n'ai aucun lien").check()
    expert.get_by_role("button", name="Déclarer").click()
    expert.wait_for_selector("#why-market")
    axe(expert)
    for code in CODES:
        expert.select_option(f"#score-{code}", "5")
        expert.fill(f"#why-{code}", f"Solide ({code})")
    expert.wait_for_function(
        "() => document.querySelector('[data-autosave-status]').textContent.startsWith('Enregistré')"
    )
    expert.reload()
    assert expert.input_value("#why-value") == "Solide (value)"
    expert.get_by_label("favorable", exact=True).check()
    expert.get_by_role("button", name="Rendre l'avis").click()
    _confirm(expert)
    expert.wait_for_url("**/instruction/")
    assert Assessment.objects.get(pk=row.pk).state == "submitted"

    # The manager opens the consensus: the notes are far apart; the group agrees.
    manager = open_as(world.manager)
    manager.goto(reverse("selection-consensus", args=[one.slug]))
    manager.get_by_role("button", name="Ouvrir le consensus").click()
    manager.wait_for_selector("#why-market")
    assert manager.get_by_text("à discuter").count() == 4
    axe(manager)
    for code in CODES:
        manager.select_option(f"#score-{code}", "4")
        manager.fill(f"#why-{code}", "Après discussion")
    manager.get_by_label("favorable", exact=True).check()
    manager.get_by_role("button", name="Arrêter le consensus").click()
    manager.wait_for_selector("text=total de consensus")
    assert Consensus.objects.get(project=one).total == 4

    # The region says what it means to pay, as a rate; the amount is computed.
    region = open_as(world.region_agent, viewport={"width": 390, "height": 844})
    region.goto(reverse("selection-funder", args=[world.call.code]))
    axe(region)
    region.goto(reverse("project-financing", args=[one.slug]))
    axe(region)
    region.locator("input[name=rate]").first.fill("12,5")
    region.get_by_role("button", name="Enregistrer").first.click()
    region.wait_for_selector("text=Intention enregistrée")
    assert Share.objects.get(funder=world.region).intended == 50000

    # A scenario from the ranking, then the decision.
    for name in ("selection", "selection-desk", "selection-ranking", "selection-financing"):
        manager.goto(reverse(name, args=[world.call.code]))
        axe(manager)
    manager.goto(reverse("selection-scenarios", args=[world.call.code]))
    manager.fill("#name", "Une liste")
    manager.fill("#limit", "150 000")
    manager.get_by_role("button", name="Créer le scénario").click()
    manager.wait_for_selector("text=La liste dit quelque chose de chaque projet")
    axe(manager)
    decider = open_as(world.decider)
    decider.goto(reverse("selection-scenario", args=[Scenario.objects.get().pk]))
    decider.get_by_role("button", name="Arrêter cette liste").click()
    _confirm(decider)
    decider.wait_for_selector("text=La liste est arrêtée")
    assert dict(Project.objects.values_list("acronym", "state")) == {one.acronym: "selected", two.acronym: "reserve"}

    # The company reads its letter.
    letter = SelectionLetter.objects.get(partner=w.partner_of(one))
    company = open_as(f.make_actor("project_member", organisation=letter.partner.organisation))
    company.goto(reverse("selection-letters"))
    company.get_by_role("link", name=letter.reference).click()
    assert company.get_by_text("Lettre officielle de sélection :").is_visible()
    axe(company)
    assert not interests.Declaration.objects.filter(stance="interest").exists()


def _confirm(page) -> None:
    """Say yes to the question that comes before an act that cannot be undone."""
    page.locator(".confirm-ask .danger").click()
