"""The sentences of the interface, in a programme's own words."""

import pytest

from jalon.core.lang import T
from jalon.policy import load
from jalon.policy.words import Word, english_plural, french_plural, replacer

FRENCH = {
    "Le pôle": "Le réseau",
    "Aucun pôle ne répond à ces filtres": "Aucun réseau ne répond à ces filtres",
    "Pôles": "Réseaux",
    "{n} labels en vigueur": "{n} statuts en vigueur",
    "La feuille de route est validée.": "Le plan de croissance est validé.",
    "les pièces de la feuille de route": "les pièces du plan de croissance",
    "l'objectif de l'État": "l'ambition de l'agence",
    "l’État et les collectivités": "l'agence et les comtés",
    "cet indicateur": "cette mesure",
    "les indicateurs communs": "les mesures communes",
    "une action": "un chantier",
    "Chaque contrat signé": "Chaque accord de développement signé",
    "Le contrat": "L'accord de développement",
    "un avenant au contrat": "un accord modificatif à l'accord de développement",
    "état du dossier": "état du dossier",
    "Code : {label}, %(label)s, label.granted, /labels/": "Code : {label}, %(label)s, label.granted, /labels/",
}
ENGLISH = {
    "Clusters": "Networks",
    "an action of the cluster": "a workstream of the network",
    "A contract": "A development agreement",
    "an indicator": "a measure",
    "a roadmap": "a growth plan",
    "The State and local authorities": "The agency and counties",
    "the state of {contract}": "the state of {contract}",
    "Label granted": "Status granted",
    "labelled clusters": "labelled networks",
}


@pytest.fixture(scope="module")
def said():
    found = replacer(load("example-nordlys").words)
    assert found is not None
    return found


@pytest.mark.parametrize(("sentence", "expected"), FRENCH.items())
def test_french(said, sentence, expected):
    assert said(sentence, "fr") == expected


@pytest.mark.parametrize(("sentence", "expected"), ENGLISH.items())
def test_english(said, sentence, expected):
    assert said(sentence, "en") == expected


def test_the_interfaces_own_words_are_left_alone():
    assert replacer(load("fr-poles-de-competitivite").words) is None


def test_a_gender_changes_what_agrees_with_the_word():
    said = replacer({"cluster": Word("grappe", "hub", "f"), "clusters": T("grappes", "hubs")})
    assert said is not None
    assert said("Ce pôle labellisé, le pôle, du pôle, au pôle", "fr") == (
        "Cette grappe labellisée, la grappe, de la grappe, à la grappe"
    )


def test_plurals():
    assert french_plural("conseiller de l'agence") == "conseillers de l'agence"
    assert french_plural("bureau du réseau") == "bureaux du réseau"
    assert english_plural("county") == "counties"
    assert english_plural("annex") == "annexes"
