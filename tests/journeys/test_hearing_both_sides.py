"""From a finding to the register: both sides are heard, the classification explains itself, the decision says first what it does."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests import demonstration
from tests.journeys.story import PHONE, confirm, picture, sideways, told

SCORED = """
import datetime as dt
from jalon.clusters.models import Cluster
from jalon.evaluations import actions, classify, queries
from jalon.evaluations.access import case_of
from jalon.interests import actions as interests
from jalon.people.models import Mandate, User
from jalon.people.queries import actor_from

def acting(role):
    mandates = Mandate.objects.filter(user=User.objects.get(demo_role=role)).select_related("user", "organisation")
    return actor_from(mandates.order_by("pk").first())

officer, firm = acting("national_officer"), acting("evaluator")
day = dt.date(2010, 6, 28)
cluster = Cluster.objects.get(slug="xylofutur")
campaign = actions.open_campaign(
    "essai", ("Essai", "Trial"), "national", [cluster], "grid-2008", evaluation="essai-2010", by=officer, on=day,
    policy_day=dt.date(2008, 6, 18), simulated=True,
)
house = Mandate.objects.get(user_id=firm.user_id, organisation_id=firm.organisation_id).organisation
actions.entrust(campaign, organisation=house, by=officer, on=day, statement="Aucun lien")
actions.start_many(campaign, by=officer, on=day)
one = queries.evaluation_of(campaign, cluster)
interests.declare(case_of(one), "none", by=firm, on=day)
weak = {"strategy/own": "not-met", "strategy/understandable": "not-met", "governance/board": "not-met", "governance/bureau": "not-met", "governance/selection": "not-met"}
for question in classify.names(queries.grid_of(campaign)):
    actions.save_note(one, question, mark=weak.get(question, "met"), justification="Vu au dossier", rev=0, by=firm, on=day)
actions.hand_in(one, by=firm, on=day)
actions.open_consensus(one, by=officer, on=day)
print(one.pk)
"""
"""The firm has scored and agreed: two criteria are weak. What follows is done on the pages."""

WEAK = ("strategy/own", "strategy/understandable", "governance/board", "governance/bureau", "governance/selection")


def test_both_sides_are_heard_before_anything_is_decided(story, axe):
    number = int(demonstration.python(story.installation.home, SCORED).split()[-1])
    evaluation = f"/evaluations/{number}/"
    firm, officer = story.enter("evaluator"), story.enter("national_officer")
    pole = story.enter("cluster_director", viewport=PHONE)

    # The evaluator writes findings; until they are notified the pôle knows nothing of them.
    firm.goto(evaluation)
    firm.get_by_role("button", name="Commencer").click()
    hearing = firm.url
    for question in WEAK:
        firm.locator("[name=new-question]").select_option(question)
        firm.locator("[name=new-text]").fill(f"Constat sur {question}.")
        firm.get_by_role("button", name="Ajouter le constat").click()
        expect(firm.locator("main")).to_contain_text(f"Constat sur {question}.")
    assert pole.request.get(hearing).status == 404
    officer.goto(hearing)
    officer.get_by_role("button", name="Notifier").click()
    confirm(officer)

    # The pôle answers finding by finding, with a paper, from a phone.
    pole.goto(hearing)
    first = pole.locator("#constat-1")
    first.locator("textarea").fill("Notre stratégie est la nôtre : voyez le compte rendu du conseil.")
    first.get_by_role("button", name="Enregistrer").click()
    first.locator("input[type=file]").set_input_files(
        {"name": "conseil.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 conseil"}
    )
    first.get_by_role("button", name="Joindre").click()
    expect(pole.locator("#constat-1")).to_contain_text("conseil.pdf")
    assert sideways(pole) <= 0
    pole.get_by_role("button", name="Envoyer les réponses").click()
    confirm(pole)

    # The evaluator answers the reply; silence on the others has the meaning that the policy gives it.
    firm.goto(hearing)
    reply = firm.locator("#constat-1")
    expect(reply).to_contain_text("voyez le compte rendu du conseil")
    reply.locator("select[name=outcome]").select_option("withdrawn")
    reply.locator("textarea[name=text]").fill("Le compte rendu le montre : le constat est retiré.")
    reply.get_by_role("button", name="Prendre position").click()
    officer.goto(hearing)
    officer.get_by_role("button", name="Clore et sceller").click()
    confirm(officer)
    expect(officer.get_by_role("link", name="Dossier scellé")).to_be_visible()
    officer.goto(evaluation)
    officer.get_by_role("button", name="Arrêter l'évaluation").click()
    confirm(officer)

    # The classification says how it was reached, to the pôle too.
    pole.goto(f"{evaluation}explication/")
    expect(pole.locator("main")).to_contain_text("pondérations tirées")
    expect(pole.locator("main")).to_contain_text("écartée : point réglé")
    axe(pole)
    officer.goto("/evaluations/campagnes/essai/")
    officer.get_by_role("button", name="Publier la campagne").click()
    confirm(officer)

    # The decision: its effects in advance, the findings that it rests on, then the act.
    officer.goto("/dossiers-de-decision/proposer/")
    officer.locator("[name=title]").fill("Retrait à l'issue de l'évaluation")
    officer.locator("[name=campaign]").select_option("essai-2010")
    officer.get_by_role("button", name="Ouvrir le dossier").click()
    officer.locator("[name=kind]").select_option("withdraw")
    named = officer.locator("[name=target] option").filter(has_text=re.compile("^Xylofutur")).first
    officer.locator("[name=target]").select_option(named.get_attribute("value"))
    officer.locator("[name=effective_from]").fill("2010-06-30")
    officer.locator("[name=reasons]").fill("Gouvernance insuffisante.")
    officer.get_by_role("button", name="Ajouter", exact=True).click()
    told(officer, "La proposition est enregistrée")
    officer.get_by_role("link", name="Voir le dossier").click()
    file = officer.url
    officer.get_by_role("button", name="Demander les avis").click()
    ministry, authority = story.enter("ministry_expert"), story.enter("label_authority")
    ministry.goto(file)
    ministry.locator("[name=outcome]").select_option("favourable")
    ministry.get_by_role("button", name="Enregistrer l'avis").click()
    authority.goto(file)
    expect(authority.locator("#lignes + table, section[aria-labelledby=lignes]").first).to_contain_text(
        "effets en avance"
    )
    authority.get_by_text("constats sur lesquels repose la décision").click()
    expect(authority.locator("main")).to_contain_text("Constat sur governance/board.")
    expect(authority.locator("main")).not_to_contain_text("Constat sur strategy/own.")  # taken back: it founds nothing
    picture(authority, "decision-in-advance")
    authority.locator("[name=reference]").fill("CIADT du 30 juin 2010 (essai)")
    authority.get_by_role("button", name="Enregistrer la décision").click()
    confirm(authority)
    expect(authority.locator("main")).to_contain_text("CIADT du 30 juin 2010 (essai)")

    # Everybody reads it in the register, and what it did to the contract.
    visitor = story.visitor()
    visitor.goto("/poles/xylofutur/")
    expect(visitor.locator("main")).to_contain_text("Label retiré")
    visitor.goto(file)
    expect(visitor.locator("main")).to_contain_text("est clos")
    expect(visitor.locator("main")).not_to_contain_text("Constat sur")
    axe(visitor)
