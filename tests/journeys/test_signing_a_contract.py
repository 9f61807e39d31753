"""Avenia's contract: two more authorities come in, a target is argued about, what is missing runs out, everybody signs."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.story import act_for, picture, propose, told, travel, unfold

CONTRACT = "/contrats/avenia-2010/"
LANDES, PYRENEES = "Conseil général des Landes", "Conseil général des Pyrénées-Atlantiques"
PASSWORD = "une phrase assez longue pour le conseil"


def invited(story, admin, organisation, role):
    """The administrator invites; the message names an address; the person chooses a password there."""
    email = f"{role.replace('_', '-')}@{'landes' if organisation == LANDES else 'pyrenees'}.example"
    admin.goto("/organismes/?q=" + organisation.replace(" ", "+"))
    admin.get_by_role("link", name=organisation, exact=True).first.click()
    number = re.search(r"/organismes/(\d+)/", admin.url)[1]
    admin.goto(f"/personnes/?organisation={number}")
    admin.get_by_role("textbox", name="Adresse électronique").fill(email)
    admin.get_by_label("Rôle").last.select_option(role)
    admin.get_by_role("button", name="Préparer l'invitation").click()
    told(admin, re.compile("L'invitation pour .* est prête"))
    admin.get_by_text("Message à remettre").last.click()
    address = re.search(r"https?://\S+/invitation/\S+", admin.locator("main").inner_text())[0]
    person = story.visitor()
    person.goto(address)
    expect(person.locator("main")).to_contain_text(organisation)
    person.get_by_label("Nom", exact=False).first.fill(f"{organisation}, {role}")
    for box in person.locator("input[type=password]").all():
        box.fill(PASSWORD)
    person.get_by_role("button", name="Accepter et ouvrir mon compte").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("Mon accueil")
    return person


def missing(page):
    """The sentences of the list « Avant la signature »."""
    page.goto(CONTRACT)
    return page.locator("#manques .missing > li ul li").all_inner_texts()


def accept_all(page):
    """Accept every proposal that waits for one's own side."""
    page.goto(CONTRACT)
    while (button := page.get_by_role("button", name="Accepter")).count():
        button.first.click()
        expect(page.locator(".messages")).to_be_visible()
        page.goto(CONTRACT)


def test_a_contract_from_negotiation_to_force(story, axe):
    admin = story.enter("admin")
    agents = {name: invited(story, admin, name, "local_authority") for name in (LANDES, PYRENEES)}
    landes, pyrenees = (invited(story, admin, name, "authority_signatory") for name in (LANDES, PYRENEES))
    picture(admin, "contract-1-invitation")
    state, pole, region, prefect = (
        story.enter(role) for role in ("state_correspondent", "cluster_director", "authority_signatory", "prefect")
    )
    act_for(pole, "Avenia")

    # What is missing is a list from the first minute.
    before = missing(state)
    assert any("proposition" in line for line in before)
    assert any("Feuille de route" in line for line in before)
    assert any("délibération" in line for line in before)
    axe(state)
    picture(state, "contract-2-negotiation")

    # Two departments join.
    for organisation in (LANDES, PYRENEES):
        state.goto(f"{CONTRACT}?ajouter=parties#ajout")
        form = state.locator("form#ajout")
        form.get_by_label("Qualité").select_option(label="collectivité territoriale")
        form.get_by_label("Organisme").select_option(label=organisation)
        form.get_by_label("Signataire").fill("président du conseil général")
        form.get_by_label("Motif").fill("Le département soutient les actions du pôle.")
        form.get_by_role("button", name="Proposer").click()
        told(state, re.compile("propos"))
    accept_all(pole)
    accept_all(state)
    pole.goto(CONTRACT)
    for organisation in (LANDES, PYRENEES):
        expect(pole.locator("#e-parties")).to_contain_text(organisation)

    # Nobody promises for another: each department's agent proposes its own support, the State accepts.
    for organisation, agent in agents.items():
        agent.goto(f"{CONTRACT}?ajouter=commitments#ajout")
        form = agent.locator("form#ajout")
        form.get_by_label("Partie").select_option(label=organisation)
        form.get_by_label("Nature").select_option(label="financement")
        form.get_by_label("Intitulé").fill("Soutien du département aux actions collectives")
        for year, amount in (("2010", "20 000"), ("2011", "40 000,50"), ("2012", "40 000")):
            form.get_by_role("group", name="Montant").get_by_label(year).fill(amount)
            form.get_by_role("group", name="Échéance").get_by_label(year).fill(f"{year}-10-31")
        form.get_by_label("Motif").fill("Budget voté chaque automne.")
        form.get_by_role("button", name="Proposer").click()
        told(agent, re.compile("propos"))
    accept_all(state)
    state.goto(CONTRACT)
    expect(state.locator("#e-commitments")).to_contain_text("40 000,50 €")

    # The pôle asks for a lower target; the State refuses it with its reason and proposes another; the pôle accepts.
    target = propose(
        pole, CONTRACT, "Nombre de membres", {"2012": "120"}, "Le territoire compte peu de PME de la géologie."
    )
    assert target != "120"
    state.goto(CONTRACT)
    proposal = state.locator(".proposal", has_text="peu de PME de la géologie")
    expect(proposal).to_contain_text("120")
    picture(state, "contract-3-proposal")
    proposal.get_by_label("Motif du refus").fill("Trop bas : 140 reste accessible avec un plan de recrutement.")
    proposal.get_by_role("button", name="Refuser").click()
    told(state, re.compile("[Rr]efus"))
    propose(state, CONTRACT, "Nombre de membres", {"2012": "140"}, "Un plan de recrutement est financé.")
    accept_all(pole)
    history = pole.locator("a").filter(has_text=re.compile(r"Historique\s*:\s*Nombre de membres$"))
    unfold(history)
    history.click()
    expect(pole.locator("table")).to_contain_text("120")
    expect(pole.locator("table")).to_contain_text("140")
    expect(pole.locator("table")).to_contain_text("peu de PME de la géologie")
    picture(pole, "contract-4-history-of-a-target")
    assert not any("proposition" in line for line in missing(state))

    # The roadmap is validated and taken from the register; the list gets shorter.
    state.goto("/accueil/")
    state.get_by_role("link", name=re.compile("Examiner.*")).first.click()
    state.get_by_role("button", name="Valider", exact=True).click()
    state.locator(".confirm-ask .danger").click()
    told(state, re.compile("Validée et figée"))
    state.goto(f"{CONTRACT}annexes/")
    state.get_by_role("button", name="Prendre au registre tout ce qu'il connaît").click()
    told(state, re.compile("annexe|joint|registre"))
    left = missing(state)
    assert len(left) == 3 and all("délibération" in line for line in left), left

    # Each authority records its deliberation, apart from its signature.
    for person, reference in ((region, "2010.1234.SP"), (landes, "2010-77"), (pyrenees, "10-045")):
        person.goto(f"{CONTRACT}signature/")
        card = person.locator("#deliberer")
        card.get_by_label("Date de la délibération").fill("2010-06-28")
        card.get_by_label("Référence").fill(reference)
        card.get_by_role("button", name="Enregistrer la délibération").click()
        expect(person.locator(".messages")).to_contain_text("élibération")
        left = missing(state)
    assert left == []
    state.get_by_role("button", name="Figer et ouvrir la signature").click()
    told(state, re.compile("[Ss]ignature"))
    state.goto(f"{CONTRACT}signature/")
    frozen = state.locator(".hash").first.inner_text()
    assert re.fullmatch(r"[0-9a-f]{64}", frozen)
    axe(state)
    picture(state, "contract-5-signature-open")

    # The prefect may not sign first: a sentence says who is awaited.
    prefect.goto(f"{CONTRACT}signature/")
    sign(prefect)
    expect(prefect.locator("main")).to_contain_text(re.compile("Avenia"))
    expect(prefect.locator(".error-summary")).to_contain_text("Ce n'est pas encore à")
    picture(prefect, "contract-6-out-of-turn")

    # In turn: the pôle, the three authorities, the prefect.
    for person in (pole, landes, region, pyrenees):
        person.goto(f"{CONTRACT}signature/")
        sign(person)
        expect(person.locator(".messages")).to_contain_text(re.compile("sign", re.I))
    prefect.goto(f"{CONTRACT}signature/")
    expect(prefect.locator("main")).to_contain_text("C'est à votre organisme de signer.")
    sign(prefect)
    expect(prefect.locator(".messages")).to_contain_text(re.compile("sign", re.I))

    # Signed on 30 June, it starts on 1 July: not in force yet, and the page says why.
    public = story.visitor()
    public.goto(f"{CONTRACT}signature/")
    expect(public.locator("main")).to_contain_text("Signé par toutes les parties")
    expect(public.locator(".state-line")).to_contain_text("pas en vigueur le 30 juin 2010")
    public.get_by_text("Pourquoi").first.click()
    picture(public, "contract-7-signed")
    axe(public)
    public.goto("/")
    travel(public, "2010-07-01")
    public.goto(f"{CONTRACT}signature/")
    expect(public.locator(".state-line")).to_contain_text("en vigueur le 1er juillet 2010")
    expect(public.locator(".state-line")).not_to_contain_text("pas en vigueur")
    public.goto(CONTRACT)
    picture(public, "contract-8-in-force")
    assert frozen in public.goto(f"{CONTRACT}texte/").text()

    # The paper, by its link on the page of the text.
    paper = public.get_by_role("link", name=re.compile("PDF")).first.get_attribute("href")
    printed = public.request.get(paper)
    assert printed.ok and printed.body().startswith(b"%PDF-"), printed.status
    assert "Intact" in story.installation.jalon("verify")


def sign(page):
    """Tick that one has read, and sign on the day of the demonstration."""
    card = page.locator("#signer")
    day = card.get_by_label("Date de la signature")
    if not day.input_value():
        day.fill("2010-06-30")
    card.get_by_label("J'ai lu le texte").check()
    card.get_by_role("button", name="Signer", exact=True).click()
