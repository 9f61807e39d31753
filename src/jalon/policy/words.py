"""A programme's own words, in the sentences of the interface.

The interface is written in the words of the French programme (*pôle, label, feuille de route*…). A programme that
calls these things otherwise says so in programme.yaml, and its sentences are said with its words: article, elision and
the nearest agreement follow the gender, where the programme gives it. What people typed is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from jalon.core.lang import Text

# What the interface's sentences say: word, plural when the programme names one, forms met (longest first), gender.
_FRENCH: dict[str, tuple[str | None, tuple[str, ...], str]] = {
    "cluster": ("clusters", ("pôle",), "m"),
    "label": ("labels", ("label",), "m"),
    "roadmap": ("roadmaps", ("feuille de route stratégique", "feuille de route"), "f"),
    "contract": ("contracts", ("contrat de performance", "contrat"), "m"),
    "objective": ("objectives", ("objectif stratégique", "objectif"), "m"),
    "action": ("actions", ("programme d'actions", "action"), "f"),
    "indicator": ("indicators", ("indicateur",), "m"),
    "amendment": ("amendments", ("avenant",), "m"),
    "annex": ("annexes", ("annexe",), "f"),
    "correspondent": (None, ("correspondant de l'État", "correspondant"), "m"),
    "governance_body": (None, ("structure de gouvernance", "structure porteuse"), "f"),
    "member": ("members", ("adhérent", "membre"), "m"),
    "team": (None, ("équipe permanente",), "f"),
    "authority": (None, ("collectivité territoriale", "collectivité"), "f"),
    "state": (None, ("État",), "m"),
    "deliberation": (None, ("délibération",), "f"),
    "round": (None, ("campagne de suivi", "campagne"), "f"),
}
_ENGLISH: dict[str, tuple[str, ...]] = {
    "cluster": ("cluster",),
    "label": ("label",),
    "roadmap": ("strategic roadmap", "roadmap"),
    "contract": ("performance contract", "contract"),
    "objective": ("strategic objective", "objective"),
    "action": ("action programme", "action"),
    "indicator": ("indicator",),
    "amendment": ("amendment",),
    "annex": ("annex",),
    "correspondent": ("State correspondent", "correspondent"),
    "governance_body": ("governance structure", "governance body"),
    "member": ("member",),
    "team": ("permanent team",),
    "authority": ("local authority",),
    "state": ("State",),
    "deliberation": ("deliberation",),
    "round": ("reporting round", "round"),
}


class Word(Text):
    """A word of the programme, with its French gender (``m``, ``f``) where the programme gives it."""

    __slots__ = ("gender",)

    def __init__(self, fr: str, en: str, gender: str | None = None):
        super().__init__(fr, en)
        self.gender = gender


def replacer(words: Mapping[str, Text]) -> Callable[[str, str], str] | None:
    """A function (sentence, language) → the sentence in these words; None when they are the interface's own."""
    french, english = _french(words), _english(words)
    if not french and not english:
        return None
    patterns = {"fr": _pattern(french, _DETERMINERS), "en": _pattern(english, r"an?")}

    @lru_cache(maxsize=8192)
    def said(sentence: str, language: str) -> str:
        pattern = patterns[language]
        if pattern is None:
            return sentence
        if language == "fr":
            return pattern.sub(lambda found: _in_french(found, french), sentence)
        return pattern.sub(lambda found: _in_english(found, english), sentence)

    return said


# -- the words met, and what stands instead --------------------------------------------------


def _french(words: Mapping[str, Text]) -> dict[str, tuple[str, str, str]]:
    """Form met → (word instead, gender of the form, gender of the word)."""
    out: dict[str, tuple[str, str, str]] = {}
    for key, (plural, forms, gender) in _FRENCH.items():
        word = words.get(key)
        if word is None or word.fr in forms:
            continue
        new = getattr(word, "gender", None) or gender
        many = words[plural].fr if plural and plural in words else french_plural(word.fr)
        for form in forms:
            out[form] = (word.fr, gender, new)
            out[french_plural(form)] = (many, gender, new)
    return out


def _english(words: Mapping[str, Text]) -> dict[str, str]:
    out: dict[str, str] = {}
    for key, forms in _ENGLISH.items():
        word = words.get(key)
        if word is None or word.en in forms:
            continue
        plural = _FRENCH[key][0]
        many = words[plural].en if plural and plural in words else english_plural(word.en)
        for form in forms:
            out[form] = word.en
            out[english_plural(form)] = many
    return out


def french_plural(words: str) -> str:
    """Of a noun and what follows it: the words before the first preposition take the plural."""
    parts = words.split(" ")
    for i, part in enumerate(parts):
        if i and re.match(r"(de|du|des|d'|à|au|aux|en|pour)\b|d'|l'", part):
            break
        if not part.endswith(("s", "x", "z")):
            parts[i] = part + "x" if part.endswith(("eau", "eu")) else re.sub("al$", "aux", part)
            if parts[i] == part:
                parts[i] = part + "s"
    return " ".join(parts)


def english_plural(words: str) -> str:
    if re.search("[^aeiou]y$", words):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith(("s", "x", "z", "ch", "sh")) else "s")


# -- in a sentence ---------------------------------------------------------------------------

_DETERMINERS = (
    r"de la|de l['’]|du|à la|à l['’]|au|la|le|l['’]|une|un|cette|cet|ce|aucune|aucun|toute|tout|quelle|quel|"
    r"nouvelle|nouveau|nouvel|certaine|certain|première|premier|dernière|dernier|d['’]|de|qu['’]|que"
)
# (masculine, feminine, before a vowel or None when it does not matter)
_FORMS = (
    ("le", "la", "l'"),
    ("du", "de la", "de l'"),
    ("au", "à la", "à l'"),
    ("un", "une", None),
    ("ce", "cette", ("cet", "cette")),
    ("aucun", "aucune", None),
    ("tout", "toute", None),
    ("quel", "quelle", None),
    ("nouveau", "nouvelle", ("nouvel", "nouvelle")),
    ("certain", "certaine", None),
    ("premier", "première", None),
    ("dernier", "dernière", None),
    ("de", "de", "d'"),
    ("que", "que", "qu'"),
)


def _pattern(forms: Mapping[str, object], determiners: str) -> re.Pattern[str] | None:
    if not forms:
        return None
    # « état » and “state” are also what a thing is in.
    exact = ["États", "État", "States", "State"]
    any_case = sorted((f for f in forms if f not in exact), key=len, reverse=True)
    cased = [f for f in exact if f in forms]
    nouns = "|".join(
        [*(re.escape(f).replace("'", "['’]") for f in cased), *([f"(?i:{_either(any_case)})"] if any_case else [])]
    )
    # Fields ({label}, %(label)s), addresses and codes (label.granted, /labels/) stay what they are.
    return re.compile(
        r"(?P<kept>\{[^}]*\}|%\([^)]*\)\w|https?://\S+)"
        rf"|(?:(?<![\w/.-])(?P<det>(?i:{determiners}))(?:(?<=['’])|[ \u00a0]))?"
        rf"(?<![\w/._-])(?P<noun>{nouns})(?![\w/_]|[.-]\w)"
        r"(?P<after>(?: (?:est|sera|a été|n'est pas|n'a pas été|sont|ont été))?(?: encore| déjà)? (?:\w+ée?|commune?)s?(?!\w))?"
    )


def _either(forms: list[str]) -> str:
    return "|".join(re.escape(form).replace("'", "['’]") for form in forms)


def _case(like: str, word: str) -> str:
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def _find(noun: str, forms: Mapping[str, object]) -> str:
    noun = noun.replace("’", "'")
    return noun if noun in forms else next(form for form in forms if form.lower() == noun.lower())


def _in_french(found: re.Match[str], forms: Mapping[str, tuple[str, str, str]]) -> str:
    if found["kept"]:
        return found["kept"]
    word, old, new = forms[_find(found["noun"], forms)]
    # « l'État » keeps a capital of its own: what stands instead takes that of its place.
    cased = found["noun"] if not found["noun"].startswith("État") else ""
    after = found["after"] or ""
    if after and old != new:
        after = (
            re.sub(r"(é|commun)e(s?)$", r"\1\2", after) if new == "m" else re.sub(r"(é|commun)(s?)$", r"\1e\2", after)
        )
    if not found["det"]:
        return _case(cased, word) + after
    before = _determiner(found["det"].replace("’", "'"), new, word)
    return _case(found["det"], before) + ("" if before.endswith("'") else " ") + _case(cased, word) + after


def _determiner(det: str, gender: str, word: str) -> str:
    vowel = word[:1].lower() in "aeiouyéèêàâîôûh"
    for masculine, feminine, elided in _FORMS:
        many = elided if isinstance(elided, tuple) else (elided,)
        if det.lower() in (masculine, feminine, *many):
            plain = masculine if gender == "m" else feminine
            if not vowel or elided is None:
                return plain
            return elided if isinstance(elided, str) else elided[gender == "f"]
    return det


def _in_english(found: re.Match[str], forms: Mapping[str, str]) -> str:
    if found["kept"]:
        return found["kept"]
    noun = found["noun"]
    word = forms[noun] if noun in forms else next(w for form, w in forms.items() if form.lower() == noun.lower())
    cased = _case(noun if not noun.startswith("State") else "", word)
    after = found["after"] or ""
    if not found["det"]:
        return cased + after
    article = "an" if word[:1].lower() in "aeiou" else "a"
    return _case(found["det"], article) + " " + cased + after
