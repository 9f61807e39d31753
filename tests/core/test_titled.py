"""A text of the policy's data: stored in French whoever reads, shown in the language spoken."""

import copy
import json

from jalon.core.canonical import canonical
from jalon.core.lang import T, Titled, speaking, titled

TITLE = Titled("Aucun texte trouvé : choix de Jalon", "No text found: Jalon's choice")


def test_shown_in_the_language_spoken():
    with speaking("en"):
        assert str(TITLE) == f"{TITLE}" == "No text found: Jalon's choice"
        assert str(T("texte : {r}", "text: {r}", r=TITLE)) == "text: No text found: Jalon's choice"
    with speaking("fr"):
        assert str(TITLE) == "Aucun texte trouvé\u00a0: choix de Jalon"


def test_what_was_stored_finds_its_other_language_again():
    stored = json.loads(json.dumps(Titled("Un rythme d'essai", "A trial rhythm")))
    with speaking("en"):
        assert str(titled(stored)) == "A trial rhythm"
        assert titled("Loi n° 1") == "Loi n° 1" and titled(None) is None


def test_kept_in_french_whoever_reads():
    with speaking("en"):
        assert canonical({"r": TITLE}) == '{"r":"Aucun texte trouvé : choix de Jalon"}'
        assert json.loads(json.dumps([TITLE])) == ["Aucun texte trouvé : choix de Jalon"]
        assert {TITLE: 1}["Aucun texte trouvé : choix de Jalon"] == 1
    again = copy.deepcopy(TITLE)
    assert again == TITLE and again.en == TITLE.en
