"""The year 2010 is reported: opened by the ministry, declared by the pôle, one value returned, corrected, validated."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.story import picture, told, travel

FOLLOW = "/contrats/xylofutur-2009/suivi/"
REPORT = f"{FOLLOW}2010/"
FINANCED = "Projets financés dans l'année"
LABELLED = "Projets labellisés dans l'année"
REASON = "Le comité de mars n'a financé que quatorze projets : reprendre le compte."


def value_of(page, title):
    return page.locator("section.card").filter(has=page.get_by_role("heading", name=re.compile(title)))


def saved(page, title):
    expect(value_of(page, title).locator("[data-autosave-status]")).to_contain_text("Enregistré à")


def test_a_year_from_its_opening_to_its_validation(story, axe, tmp_path):
    officer = story.enter("national_officer")

    # On 30 June 2010 the year is not over: its round cannot be opened.
    officer.goto("/campagnes/")
    expect(officer.get_by_role("button", name="Ouvrir la campagne 2010")).to_have_count(0)
    travel(officer, "2011-02-01")
    officer.goto("/campagnes/")
    axe(officer)
    officer.get_by_role("button", name="Ouvrir la campagne 2010").click()
    told(officer, "2010")
    picture(officer, "report-1-round-open")

    # The pôle finds it on its home page.
    team, director = story.enter("cluster_team"), story.enter("cluster_director")
    team.goto("/accueil/")
    picture(team, "report-2-home-of-the-team")
    team.get_by_role("link", name=re.compile("2010")).first.click()
    team.goto(REPORT)
    axe(team)
    box = value_of(team, LABELLED).get_by_label("Valeur")
    box.fill("vingt")
    findings = value_of(team, LABELLED)
    expect(findings).to_contain_text(re.compile("vingt|nombre"))
    box.fill("900,5")
    expect(findings.locator("[data-findings]")).to_contain_text(re.compile("À vérifier|À corriger"))
    picture(team, "report-3-warning")
    box.fill("21")
    saved(team, LABELLED)
    evidence = tmp_path / "comité 2010.csv"
    evidence.write_text("projet;financé\nA;oui\n", encoding="utf-8")
    part = value_of(team, FINANCED)
    part.get_by_label("Valeur").fill("17")
    part.get_by_label("Note").fill("Compte arrêté au 31 décembre.")
    part.get_by_label("Pièce justificative").set_input_files(evidence)
    part.get_by_role("button", name="Enregistrer").click()
    expect(value_of(team, FINANCED)).to_contain_text("comité 2010.csv")
    expect(team.get_by_role("button", name="Soumettre le rapport")).to_have_count(0)
    expect(team.locator("main")).to_contain_text("soumis par la direction du pôle")
    director.goto(REPORT)
    director.get_by_role("button", name="Soumettre le rapport").click()
    told(director, re.compile("soumis"))
    picture(director, "report-4-submitted")

    # Ten days later the State reads it and returns one value, with its reason.
    travel(officer, "2011-02-11")
    state = story.enter("state_correspondent")
    state.goto("/accueil/")
    picture(state, "report-5-home-of-the-state")
    state.get_by_role("link", name=re.compile("Xylofutur")).first.click()
    state.goto(f"{REPORT}examen/")
    axe(state)
    picture(state, "report-6-review")
    state.get_by_label(f"Retourner {FINANCED}").check()
    state.get_by_label(re.compile("Motif d'ensemble")).fill(REASON)
    state.get_by_role("button", name="Retourner au pôle").click()
    told(state, re.compile("retourn"))

    # Only that value opens again; the pôle corrects it on another day.
    travel(officer, "2011-02-15")
    team.goto(REPORT)
    expect(team.locator("main")).to_contain_text("quatorze projets")
    expect(value_of(team, LABELLED).get_by_label("Valeur")).to_have_count(0)
    value_of(team, FINANCED).get_by_label("Valeur").fill("14")
    saved(team, FINANCED)
    picture(team, "report-7-correction")
    director.goto(REPORT)
    director.get_by_role("button", name="Soumettre le rapport").click()
    told(director, re.compile("soumis"))
    travel(officer, "2011-02-20")
    state.goto(f"{REPORT}examen/")
    state.get_by_role("button", name="Valider le rapport").click()
    told(state, re.compile("valid"))

    # Both versions stay readable, and the day before the correction still knows the old one.
    state.goto(REPORT)
    value_of(state, FINANCED).get_by_role("link", name="Série, cibles et versions").click()
    versions = state.locator("table", has_text="version 2")
    expect(versions).to_contain_text("17")
    expect(versions).to_contain_text("14")
    expect(versions).to_contain_text("quatorze projets")
    axe(state)
    picture(state, "report-8-versions")
    now, then = row(state, None), row(state, "2011-02-12")
    assert "14 2010" in now and "17" not in now, now
    assert "17 2010" in then and "14" not in then, then
    picture(state, "report-9-as-known-on")
    assert "Intact" in story.installation.jalon("verify")


def row(page, day):
    """What the dashboard says of the projects financed, today or as known on a day."""
    page.goto(FOLLOW + (f"?known_on={day}" if day else ""))
    return page.locator("tr", has=page.get_by_role("link", name=FINANCED)).first.inner_text().replace("\xa0", " ")
