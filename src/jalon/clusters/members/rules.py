"""What a list of members means: columns recognised, rows read, each row judged against the register.

Plain values in, plain values out. A row either changes nothing, changes the register in one named way (its verdict),
or is in error; a warning never stops a row, an error always does. Every message names its cell.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from rapidfuzz import fuzz, process

from jalon.clusters.members import states
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.sheets import Sheet, as_date, as_decimal, as_text, cell_name
from jalon.people import rules as people

# --- fields and columns ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """What a column may hold; ``names`` are the headers under which it is met, besides its title."""

    code: str
    title: Text
    names: tuple[str, ...]
    kind: str = "text"
    width: int = 18


_PLAIN_FIELDS = (
    Field(
        "name",
        T("Raison sociale", "Name"),
        (
            "denomination",
            "denomination sociale",
            "denomination usuelle",
            "nom",
            "nom organisme",
            "organisme",
            "entreprise",
            "societe",
            "structure",
            "membre",
            "adherent",
            "nom membre",
            "nom adherent",
            "nom structure",
            "nom entreprise",
            "nom ou raison sociale",
            "etablissement",
            "company",
            "company name",
            "organisation",
            "organization",
            "organisation name",
            "organization name",
            "member",
            "member name",
            "legal name",
        ),
        width=40,
    ),
    Field("country", T("Pays", "Country"), ("pays siege", "country code", "country"), width=10),
    Field("postcode", T("Code postal", "Postcode"), ("cp", "postal code", "zip", "zip code"), width=12),
    Field("city", T("Ville", "City"), ("commune", "localite", "town", "ville siege", "siege"), width=22),
    Field(
        "type",
        T("Type de membre", "Member type"),
        ("type", "type adherent", "categorie", "categorie membre", "categorie adherent", "nature membre", "category"),
        width=26,
    ),
    Field("college", T("Collège", "College"), ("college adherent", "college membre"), width=22),
    Field(
        "joined_on",
        T("Date d'entrée", "Joined on"),
        (
            "entree",
            "adhesion",
            "date adhesion",
            "date debut",
            "debut",
            "debut adhesion",
            "membre depuis",
            "depuis",
            "adherent depuis",
            "date arrivee",
            "entre le",
            "joined",
            "date joined",
            "entry date",
            "date entry",
            "entry",
            "start date",
            "member since",
            "since",
            "date debut adhesion",
        ),
        "date",
        14,
    ),
    Field(
        "left_on",
        T("Date de sortie", "Left on"),
        (
            "sortie",
            "depart",
            "date depart",
            "date fin",
            "fin",
            "fin adhesion",
            "date fin adhesion",
            "radiation",
            "date radiation",
            "date demission",
            "date retrait",
            "sorti le",
            "left",
            "date left",
            "exit date",
            "end date",
            "departure date",
        ),
        "date",
        14,
    ),
    Field(
        "headcount",
        T("Effectif", "Headcount"),
        (
            "effectifs",
            "effectif salarie",
            "salaries",
            "nombre salaries",
            "nb salaries",
            "etp",
            "employees",
            "staff",
            "number employees",
        ),
        "number",
        10,
    ),
    Field(
        "size",
        T("Taille", "Size"),
        ("categorie taille", "taille entreprise", "categorie entreprise", "size category", "company size"),
        width=16,
    ),
    Field(
        "size_on",
        T("Taille au", "Size on"),
        ("date taille", "effectif au", "date effectif", "size date", "headcount on", "headcount date"),
        "date",
        14,
    ),
    Field(
        "evidence",
        T("Justificatif de la taille", "Evidence of the size"),
        ("justificatif", "preuve", "evidence", "source effectif", "size evidence"),
        width=30,
    ),
)
_AFTER_NAME = Field(
    "identifier",
    T("Autre identifiant", "Other identifier"),
    (
        "identifiant",
        "identifier",
        "id",
        "numero national",
        "national number",
        "immatriculation",
        "registration number",
        "identifiant national",
    ),
    width=24,
)
_DATA = Field("data", T("Données", "Data"), ("nature donnees",))

_SCHEME_NAMES = {
    "siret": (
        "siret siren",
        "siren siret",
        "siret ou siren",
        "siren ou siret",
        "siret or siren",
        "siret etablissement",
    ),
    "siren": ("siren entreprise",),
    "rna": ("waldec", "rna association"),
    "vat": ("tva", "tva intracommunautaire", "vat", "vat number"),
    "foreign": ("identifiant etranger", "foreign identifier"),
}

_SMALL_WORDS = frozenset("n no num numero du de la le les l d des the of".split())
MAX_HEADER_ROW = 30
"""Rows, from the top, among which the line of headers is looked for."""


@cache
def label_key(label: str) -> str:
    """A header for comparison: no accents, no case, no brackets, no small words. ``N° de SIRET (14)`` is ``siret``."""
    words = people.plain_key(re.sub(r"\([^)]*\)|\[[^\]]*\]|\*", " ", label)).split()
    return " ".join(w for w in words if w not in _SMALL_WORDS) or " ".join(words)


class Fields:
    """The fields of a programme: identifiers come from its policy, the rest is the same everywhere.

    Args:
        identifiers: the policy's schemes of identifiers (``code``, ``title``, ``checker``, ``default_for``).
    """

    def __init__(self, identifiers: Sequence[Any]):
        self.schemes = {scheme.code: scheme.checker for scheme in identifiers} | {"simulated": "none"}
        self.titles = {scheme.code: scheme.title for scheme in identifiers}
        self.own = tuple(s.code for s in identifiers if s.default_for)
        by_scheme = {
            s.code: Field(
                f"id:{s.code}",
                _short(s.title),
                (s.code, *_SCHEME_NAMES.get(s.code, ())),
                width=20,
            )
            for s in identifiers
        }
        name, *rest = _PLAIN_FIELDS
        own = [by_scheme[code] for code in self.own]
        self.template = (name, *own, _AFTER_NAME, *rest)
        others = [f for code, f in by_scheme.items() if code not in self.own]
        self.all = (*self.template, *others, _DATA)
        self.by_code = {f.code: f for f in self.all}
        self._known: dict[str, str] = {}
        for one in self.all:
            for label in (one.title.fr, one.title.en, *one.names):
                self._known.setdefault(label_key(label), one.code)

    def of(self, label: str) -> str | None:
        """The field that a header names; a small mistyping is forgiven, nothing more."""
        key = label_key(label)
        if not key:
            return None
        if key in self._known:
            return self._known[key]
        if len(key) >= 6:
            near = process.extractOne(key, self._known.keys(), scorer=fuzz.ratio, score_cutoff=90)
            if near:
                return self._known[near[0]]
        return None

    def recognise(self, labels: Sequence[str]) -> dict[int, str]:
        """Column number to field; where two columns name one field, the first keeps it."""
        found: dict[int, str] = {}
        taken: set[str] = set()
        exact = {i: self._known.get(label_key(label)) for i, label in enumerate(labels) if label}
        for i, code in exact.items():
            if code and code not in taken:
                found[i] = code
                taken.add(code)
        for i, label in enumerate(labels):
            if label and i not in found and not exact.get(i):
                code = self.of(label)
                if code and code not in taken:
                    found[i] = code
                    taken.add(code)
        return dict(sorted(found.items()))


def _short(title: Text) -> Text:
    """``SIRET (14 chiffres)`` without its brackets."""
    cut = re.compile(r"\s*\([^)]*\)")
    return Text(cut.sub("", title.fr), cut.sub("", title.en))


def labels_of(rows: Sequence[Sequence[Any]], header: int) -> list[str]:
    """The headers of a table whose line of headers is ``header`` (from 0); a merged line above completes it.

    A cell that is empty in the line takes the text above it; where the line's own word says nothing by itself, the
    group above is put in front (« Date » over « entrée »), which :func:`header_of` asks for.
    """
    own = [as_text(c) for c in rows[header]] if header < len(rows) else []
    above = [as_text(c) for c in rows[header - 1]] if header > 0 else []
    if sum(bool(c) for c in above) < 2:
        return own
    width = max(len(own), len(above))
    own += [""] * (width - len(own))
    above += [""] * (width - len(above))
    return [o or a for o, a in zip(own, above, strict=True)]


def grouped_labels(rows: Sequence[Sequence[Any]], header: int) -> list[str]:
    """Headers with the merged group above in front: « Date » over « entrée » and « sortie »."""
    own = labels_of(rows, header)
    above = [as_text(c) for c in rows[header - 1]] if header > 0 else []
    group, grouped = "", []
    for i, label in enumerate(own):
        group = (above[i] if i < len(above) else "") or group
        grouped.append(f"{group} {label}" if group and label and group != label else label)
    return grouped


def header_of(rows: Sequence[Sequence[Any]], fields: Fields) -> tuple[int, dict[int, str]]:
    """The line of headers (from 0) and what its columns are; (first line with two texts, {}) when none is known."""
    best, best_map = -1, {}
    for at in range(min(len(rows), MAX_HEADER_ROW)):
        if sum(isinstance(c, str) for c in rows[at]) < 2:
            continue
        found = columns_at(rows, at, fields)
        codes = set(found.values())
        if (
            ("name" in codes or any(c.startswith("id") for c in codes))
            and len(codes) >= 2
            and len(found) > len(best_map)
        ):
            best, best_map = at, found
    if best >= 0:
        return best, best_map
    for at in range(min(len(rows), MAX_HEADER_ROW)):
        if sum(isinstance(c, str) for c in rows[at]) >= 2:
            return at, {}
    # A file of one column: its only header may be known.
    return 0, columns_at(rows, 0, fields) if rows else {}


def columns_at(rows: Sequence[Sequence[Any]], header: int, fields: Fields) -> dict[int, str]:
    """What the columns are when ``header`` is the line of headers, a merged line above being read too."""
    own = [as_text(c) for c in rows[header]] if header < len(rows) else []
    found = fields.recognise(own)
    if header and sum(bool(as_text(c)) for c in rows[header - 1]) >= 2:
        for labels in (labels_of(rows, header), grouped_labels(rows, header)):
            for i, code in fields.recognise(labels).items():
                if i not in found and code not in found.values():
                    found[i] = code
    return dict(sorted(found.items()))


# --- words of cells ----------------------------------------------------------------------------------------------

_TYPE_WORDS = {
    "sme": (
        "pme",
        "tpe",
        "pme tpe",
        "tpe pme",
        "petite entreprise",
        "moyenne entreprise",
        "start up",
        "startup",
        "microentreprise",
        "petite et moyenne entreprise",
        "small and medium sized enterprise",
        "smes",
    ),
    "mid": ("eti", "entreprise de taille intermediaire", "mid cap", "midcap", "mid size"),
    "large": ("ge", "gg", "grand groupe", "grands groupes", "groupe", "large", "large firm"),
    "research_training": (
        "recherche",
        "formation",
        "laboratoire",
        "labo",
        "universite",
        "ecole",
        "centre de recherche",
        "enseignement",
        "organisme de recherche",
        "etablissement d enseignement superieur",
        "organisme de formation",
        "academique",
        "research",
        "training",
        "university",
        "laboratory",
        "recherche formation",
    ),
    "other": ("autre", "autres", "association", "collectivite", "institutionnel", "other", "banque", "financeur"),
}
_COLLEGE_WORDS = {
    "industry": ("industrie", "industriel", "industriels", "entreprise", "industry", "company"),
    "research": ("recherche", "research", "laboratoires", "academique"),
    "training": ("formation", "enseignement", "training", "education"),
    "authority": ("collectivite", "collectivites", "collectivite territoriale", "local authority", "authority"),
    "other": ("autre", "autres", "other", "others"),
}


class Words:
    """The words of the policy that cells may hold: types, colleges, sizes, countries.

    Args:
        members: the policy's ``members`` (types, colleges, size schemes).
        identifiers: its schemes of identifiers.
        country: the programme's country, two letters.
    """

    def __init__(self, members: Any, identifiers: Sequence[Any], country: str = "FR"):
        self.members = members
        self.country = country
        self.fields = Fields(identifiers)
        self.types = self._codes(members.types, _TYPE_WORDS)
        self.colleges = self._codes(members.colleges, _COLLEGE_WORDS)
        self.firms = frozenset(members.firm_types)
        self.open_scheme = next((code for code, checker in self.fields.schemes.items() if checker == "none"), "")
        self.home_scheme = next((s.code for s in identifiers if "company" in s.default_for), "")
        self._sizes: dict[dt.date, dict[str, tuple[str, str]]] = {}
        self._schemes: dict[dt.date, list[Any]] = {}

    @staticmethod
    def _codes(things: Iterable[Any], extra: Mapping[str, Sequence[str]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for thing in things:
            texts = [thing.code, thing.title.fr, thing.title.en]
            if hasattr(thing, "plural"):
                texts += [thing.plural.fr, thing.plural.en]
            for text in texts:
                found.setdefault(people.plain_key(text), thing.code)
                found.setdefault(people.plain_key(re.sub(r"\([^)]*\)", "", text)), thing.code)
                inside = re.search(r"\(([^)]*)\)", text)
                if inside:
                    found.setdefault(people.plain_key(inside.group(1)), thing.code)
            for text in extra.get(thing.code, ()):
                found.setdefault(text, thing.code)
        return found

    @staticmethod
    def accepted(things: Iterable[Any]) -> Text:
        """The titles accepted in a column, for a message."""
        things = list(things)
        return Text(" ; ".join(t.title.fr for t in things), "; ".join(t.title.en for t in things))

    def size_schemes_on(self, day: dt.date) -> list[Any]:
        """Definitions of sizes in force on a day, newest first."""
        if day not in self._schemes:
            live = [
                s
                for s in self.members.size_schemes
                if s.valid_from <= day and (s.valid_to is None or day <= s.valid_to)
            ]
            self._schemes[day] = sorted(live, key=lambda s: s.valid_from, reverse=True)
        return self._schemes[day]

    def size(self, text: str, day: dt.date) -> tuple[str, str] | None:
        """(category, definition) that a text names on a day; the newest definition first."""
        if day not in self._sizes:
            known: dict[str, tuple[str, str]] = {}
            for scheme in self.size_schemes_on(day):
                for category in scheme.categories:
                    for label in (category.code, category.title.fr, category.title.en):
                        known.setdefault(people.plain_key(label), (category.code, scheme.code))
            self._sizes[day] = known
        return self._sizes[day].get(people.plain_key(text))

    def size_of(self, headcount: int, member_type: str, day: dt.date) -> tuple[str, str, str] | None:
        """(category, definition, "") for a headcount and a declared type, when one category alone fits both.

        The category is empty when several fit (turnover or balance sheet would tell); the third value is ``above``
        when the headcount is over what the declared type allows. None when the day has no definition of sizes, or
        the type is not a firm's.
        """
        if member_type not in self.firms:
            return None
        for scheme in self.size_schemes_on(day):
            if not any(c.member_type == member_type for c in scheme.categories):
                continue
            fits = [
                c
                for c in scheme.categories
                if c.member_type == member_type and (c.headcount_below is None or headcount < c.headcount_below)
            ]
            if not fits:
                return "", scheme.code, "above"
            return (fits[0].code if len(fits) == 1 else "", scheme.code, "")
        return None


@cache
def _countries() -> dict[str, str]:
    from babel import Locale

    found: dict[str, str] = {}
    for language in ("fr", "en"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                found.setdefault(people.plain_key(name), code)
                found.setdefault(code.lower(), code)
    return found | {"uk": "GB", "royaume uni": "GB", "etats unis": "US", "usa": "US", "pays bas": "NL"}


@cache
def country_code(text: str) -> str | None:
    """Two letters of a country named in French, English or by its code; None when it is not known."""
    return _countries().get(people.plain_key(text))


# --- messages ----------------------------------------------------------------------------------------------------

ERROR, WARNING = "error", "warning"

MESSAGES: dict[str, tuple[str, Text]] = {
    # errors
    "text": (ERROR, T("{text}", "{text}")),
    "cell_error": (
        ERROR,
        T(
            "la cellule affiche une erreur du tableur ({found}).",
            "the cell shows an error of the spreadsheet ({found}).",
        ),
    ),
    "uncomputed": (
        ERROR,
        T(
            "formule dont le résultat n'est pas dans le fichier ; l'ouvrir dans un tableur et l'enregistrer, ou coller la valeur.",
            "formula whose result is not in the file; open it in a spreadsheet and save it, or paste the value.",
        ),
    ),
    "no_name": (
        ERROR,
        T(
            "raison sociale absente ; elle est attendue pour un nouvel organisme.",
            "name missing; it is expected for a new organisation.",
        ),
    ),
    "empty_name": (
        ERROR,
        T(
            "« {found} » ne contient ni lettre ni chiffre : ce n'est pas un nom.",
            "“{found}” holds no letter and no digit: it is no name.",
        ),
    ),
    "long_name": (ERROR, T("nom de {n} caractères ; 255 au plus.", "name of {n} characters; 255 at most.")),
    "type_unknown": (
        ERROR,
        T(
            "type « {found} » inconnu ; types acceptés : {accepted}.",
            "unknown type “{found}”; accepted types: {accepted}.",
        ),
    ),
    "type_missing": (
        ERROR,
        T("type de membre absent ; types acceptés : {accepted}.", "member type missing; accepted types: {accepted}."),
    ),
    "college_unknown": (
        ERROR,
        T(
            "collège « {found} » inconnu ; collèges acceptés : {accepted}.",
            "unknown college “{found}”; accepted colleges: {accepted}.",
        ),
    ),
    "size_unknown": (
        ERROR,
        T(
            "taille « {found} » inconnue le {day} ; tailles acceptées : {accepted}.",
            "unknown size “{found}” on {day}; accepted sizes: {accepted}.",
        ),
    ),
    "country_unknown": (
        ERROR,
        T(
            "pays « {found} » inconnu ; attendu : son nom ou son code à deux lettres.",
            "unknown country “{found}”; expected: its name or its two-letter code.",
        ),
    ),
    "scheme_unknown": (
        ERROR,
        T(
            "nature de l'identifiant « {found} » non reconnue ; l'écrire devant, par exemple « {example} {found} ».",
            "the kind of the identifier “{found}” is not recognised; write it in front, for example “{example} {found}”.",
        ),
    ),
    "scientific": (
        ERROR,
        T(
            "identifiant abîmé par le tableur ({found}) ; mettre la colonne au format texte et le saisir à nouveau.",
            "identifier damaged by the spreadsheet ({found}); set the column to text and type it again.",
        ),
    ),
    "joined_missing": (
        ERROR,
        T(
            "date d'entrée absente ; la saisir, ou donner à l'étape des colonnes celle des lignes qui n'en ont pas.",
            "entry date missing; type it, or give, at the step of the columns, that of the rows that have none.",
        ),
    ),
    "left_before_joined": (
        ERROR,
        T("départ le {left}, avant l'entrée le {joined}.", "departure on {left}, before the entry on {joined}."),
    ),
    "headcount_wrong": (
        ERROR,
        T(
            "effectif « {found} » : un nombre entier, zéro ou plus, est attendu.",
            "headcount “{found}”: a whole number, zero or more, is expected.",
        ),
    ),
    "overlap_register": (
        ERROR,
        T(
            "adhésion {new} qui recouvre celle du registre, {old}. Corriger la date d'entrée dans le fichier, ou l'adhésion dans le registre.",
            "membership {new} overlaps that of the register, {old}. Correct the entry date in the file, or the membership in the register.",
        ),
    ),
    "overlap_file": (
        ERROR,
        T(
            "adhésion {new} qui recouvre celle de la ligne {row}, {old}, pour le même organisme.",
            "membership {new} overlaps that of row {row}, {old}, for the same organisation.",
        ),
    ),
    "contradiction": (
        ERROR,
        T(
            "même organisme et même date d'entrée que la ligne {row}, mais d'autres valeurs ; garder une seule des deux lignes.",
            "same organisation and same entry date as row {row}, but other values; keep only one of the two rows.",
        ),
    ),
    "two_organisations": (
        ERROR,
        T(
            "les identifiants de cette ligne désignent deux organismes du registre : « {one} » et « {other} ».",
            "the identifiers of this row name two organisations of the register: “{one}” and “{other}”.",
        ),
    ),
    "ambiguous": (
        ERROR,
        T(
            "{n} membres portent ce nom ; choisir lequel, ou donner un identifiant.",
            "{n} members have this name; choose which one, or give an identifier.",
        ),
    ),
    # warnings
    "formula": (
        WARNING,
        T("formule : sa dernière valeur calculée est lue.", "formula: its last computed value is read."),
    ),
    "formula_text": (WARNING, T("commence par « = » : lu comme du texte.", "begins with “=”: read as text.")),
    "zero_restored": (
        WARNING,
        T(
            "zéro en tête rétabli : {value} (le tableur l'avait ôté).",
            "leading zero restored: {value} (the spreadsheet had removed it).",
        ),
    ),
    "serial_date": (
        WARNING,
        T(
            "nombre {found} lu comme le jour {day} (format de date perdu).",
            "number {found} read as the day {day} (date format lost).",
        ),
    ),
    "type_from_size": (
        WARNING,
        T("type absent, déduit de la taille : {type}.", "type missing, taken from the size: {type}."),
    ),
    "size_against_type": (
        WARNING,
        T(
            "effectif {n} au-dessus de ce que permet le type « {type} » ; la taille n'est pas enregistrée.",
            "headcount {n} above what the type “{type}” allows; the size is not recorded.",
        ),
    ),
    "headcount_not_firm": (
        WARNING,
        T(
            "effectif non enregistré : la taille concerne les entreprises.",
            "headcount not recorded: sizes are those of firms.",
        ),
    ),
    "size_later": (
        WARNING,
        T("taille à une date à venir ({day}) : non enregistrée.", "size on a day to come ({day}): not recorded."),
    ),
    "joined_default": (
        WARNING,
        T(
            "date d'entrée absente : {day}, donnée pour tout le fichier.",
            "entry date missing: {day}, given for the whole file.",
        ),
    ),
    "joined_future": (WARNING, T("entrée à venir ({day}).", "entry to come ({day}).")),
    "left_future": (WARNING, T("départ à venir ({day}).", "departure to come ({day}).")),
    "before_label": (
        WARNING,
        T(
            "entrée le {day}, avant le premier label du pôle ({label}).",
            "entry on {day}, before the cluster's first label ({label}).",
        ),
    ),
    "reopened": (
        WARNING,
        T(
            "le registre note un départ le {day} ; la ligne n'en a pas : l'adhésion est rouverte.",
            "the register notes a departure on {day}; the row has none: the membership is reopened.",
        ),
    ),
    "other_name": (
        WARNING,
        T("le registre connaît cet identifiant sous « {name} ».", "the register knows this identifier as “{name}”."),
    ),
    "other_establishment": (
        WARNING,
        T("autre établissement de « {name} », même SIREN.", "another establishment of “{name}”, same SIREN."),
    ),
    "identifier_added": (
        WARNING,
        T(
            "identifiant ajouté à « {name} », reconnu par son nom.",
            "identifier added to “{name}”, recognised by its name.",
        ),
    ),
    "found_elsewhere": (
        WARNING,
        T(
            "rattaché à « {name} » ({place}), du même nom dans le registre.",
            "attached to “{name}” ({place}), of the same name in the register.",
        ),
    ),
    "resembles": (
        WARNING,
        T(
            "ressemble à {names} ; sans choix, un nouvel organisme est créé.",
            "resembles {names}; without a choice, a new organisation is made.",
        ),
    ),
    "chosen": (WARNING, T("rattaché à « {name} », par choix.", "attached to “{name}”, by choice.")),
    "duplicate_of": (
        WARNING,
        T("même adhésion que la ligne {row} ; lue une fois.", "same membership as row {row}; read once."),
    ),
    "same_person_as": (
        WARNING,
        T("même organisme que la ligne {row}.", "same organisation as row {row}."),
    ),
    "total_row": (WARNING, T("ligne de total ou de titre : pas un membre.", "row of totals or heading: not a member.")),
}


def period_text(joined: dt.date, left: dt.date | None) -> Text:
    """« du 01/02/2006 au 30/06/2009 », « depuis le 01/02/2006 »."""
    if left is None:
        return T("depuis le {a}", "since {a}", a=_day(joined))
    return T("du {a} au {b}", "{a} to {b}", a=_day(joined), b=_day(left))


def _day(day: dt.date | str) -> Text:
    """A day in both languages' digits; takes what a stored message holds, too."""
    if isinstance(day, str):
        day = dt.date.fromisoformat(day)
    return Text(f"{day:%d/%m/%Y}", f"{day:%Y-%m-%d}")


@dataclass(frozen=True)
class Message:
    """A message about a cell (or a whole row, ``column`` None): its code and what fills its sentence.

    Days, periods and texts among ``args`` are kept as plain values, so that a message can be stored and said in
    either language later.
    """

    code: str
    column: int | None = None
    args: tuple[tuple[str, Any], ...] = ()

    @property
    def level(self) -> str:
        return MESSAGES[self.code][0]

    def stored(self) -> list[Any]:
        return [self.code, self.column, {k: _stored(v) for k, v in self.args}]

    @classmethod
    def restored(cls, row: Sequence[Any]) -> Message:
        return cls(row[0], row[1], tuple((k, _restored(v)) for k, v in row[2].items()))

    def sentence(self, number: int) -> Text:
        """« C12 : clé de contrôle fausse… », the row's number being that of the sheet, from 1."""
        args = {k: _said(v) for k, v in self.args}
        text = MESSAGES[self.code][1].format(**args)
        if self.column is None:
            return T("ligne {n} : {m}", "row {n}: {m}", n=number, m=text)
        return T("{cell} : {m}", "{cell}: {m}", cell=cell_name(number - 1, self.column), m=text)


def _stored(value: Any) -> Any:
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    if isinstance(value, Text):
        return {"fr": value.in_language("fr"), "en": value.in_language("en")}
    if isinstance(value, tuple):
        return {"period": [d.isoformat() if d else None for d in value]}
    return value if isinstance(value, int) else str(value)


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if "day" in value:
            return dt.date.fromisoformat(value["day"])
        if "period" in value:
            return tuple(dt.date.fromisoformat(d) if d else None for d in value["period"])
        braces = str.maketrans({"{": "{{", "}": "}}"})
        return Text(value["fr"].translate(braces), value["en"].translate(braces))
    return value


def _said(value: Any) -> Any:
    if isinstance(value, dt.date):
        return _day(value)
    if isinstance(value, tuple):
        return period_text(*value)
    return value


# --- rows --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Line:
    """A row as read, then as judged. ``number`` is that of the sheet, from 1.

    ``given`` holds the fields whose column is present; an empty cell then says something only for the departure.
    After :func:`judge`: ``verdict``, ``organisation`` and ``membership`` (ids of the register), ``size`` to record
    as (category, definition, day, headcount, evidence), ``candidates`` (ids that resemble it), ``first_row`` (the
    row that makes the same new organisation), ``add_ids`` (identifiers that the register did not have).
    """

    number: int
    name: str = ""
    key: str = ""
    ids: tuple[tuple[str, str], ...] = ()
    country: str = ""
    postcode: str = ""
    city: str = ""
    member_type: str = ""
    college: str = ""
    joined: dt.date | None = None
    left: dt.date | None = None
    headcount: int | None = None
    size_text: str = ""
    size_on: dt.date | None = None
    evidence: str = ""
    simulated: bool = False
    messages: list[Message] = field(default_factory=list)
    verdict: str = ""
    organisation: int | None = None
    membership: int | None = None
    size: tuple[str, str, dt.date, int | None, str] | None = None
    add_ids: tuple[tuple[str, str], ...] = ()
    candidates: tuple[int, ...] = ()
    first_row: int | None = None
    chosen: bool = False

    @property
    def in_error(self) -> bool:
        return any(m.level == ERROR for m in self.messages)

    def say(self, code: str, column: int | None = None, **args: Any) -> None:
        self.messages.append(Message(code, column, tuple(args.items())))


_TOTAL = re.compile(r"(sous )?(totaux|total|sub ?total|grand total|nombre|moyenne)\b")
_TOTAL_BEGINS = re.compile(r"(sous|total|sub|grand t|nombre|moyenne)", re.IGNORECASE)
_EXCEL_TEXT = re.compile(r'="([^"]*)"')
_SCIENTIFIC = re.compile(r"\d[.,]?\d*[eE]\+?\d+")
_SHEET_ERROR = re.compile(r"#(N/A|REF!|VALEUR!|VALUE!|DIV/0!|NOM\?|NAME\?|NUL!|NULL!|NOMBRE!|NUM!)|Err:\d+|#N/D")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_holds(digits: str) -> bool:
    """Luhn's check (SIREN, SIRET) on a string of digits: the fast path of a long list."""
    numbers = digits.encode()
    return (
        sum(numbers[-1::-2]) - 48 * ((len(numbers) + 1) // 2) + sum(_DOUBLED[n - 48] for n in numbers[-2::-2])
    ) % 10 == 0


def _french_number(scheme: str, text: str) -> tuple[str, str, bool]:
    """(scheme, number, zero restored) of a SIREN or SIRET: either is accepted in either column.

    Raises:
        Refused: what is wrong.
    """
    number = text if text.isascii() and text.isdigit() else re.sub(r"[\s.\u00a0\u202f‐-]", "", text)
    length = len(number)
    if number.isascii() and number.isdigit():
        if (
            length == 14
            and luhn_holds(number)
            and luhn_holds(number[:9])
            and number[:9] != "0" * 9
            and number[:9] != people.LA_POSTE
        ):
            return "siret", number, False
        if length == 9:
            return "siren", people.siren(number), False
        for full, kind in ((9, "siren"), (14, "siret")):
            if full - 2 <= length < full and not (kind == "siren" and scheme == "siret" and length > 9):
                padded = number.zfill(full)
                try:
                    return kind, people.check_identifier(kind, padded), True
                except Refused:
                    break
    if scheme == "siren" and length != 14:
        return "siren", people.siren(number), False
    return "siret", people.siret(number), False


class Reader:
    """Reads the rows of a sheet under a mapping of columns.

    Args:
        words: what cells may hold.
        columns: column number to field code.
        on: the day of the import.
        joined_default: the entry date of rows that have none, if the user gave one.
        csv: the sheet is a CSV file, where ``=`` begins a text and not a formula.
    """

    def __init__(
        self,
        words: Words,
        columns: Mapping[int, str],
        *,
        on: dt.date,
        joined_default: dt.date | None = None,
        csv: bool = False,
    ):
        self.words = words
        self.columns = dict(columns)
        self.column_of = {code: i for i, code in columns.items()}
        self.on = on
        self.joined_default = joined_default
        self.csv = csv
        self._memo: dict[tuple[str, Any], Any] = {}
        plain = {
            "name": self._name,
            "country": self._country,
            "postcode": self._postcode,
            "city": self._city,
            "type": self._type,
            "college": self._college,
            "joined_on": self._joined,
            "left_on": self._left,
            "headcount": self._headcount,
            "size": self._size,
            "size_on": self._size_on,
            "evidence": self._evidence,
            "data": self._data,
        }
        # Country first: it says how an identifier is read.
        order = sorted(self.columns.items(), key=lambda c: (c[1] != "country", c[0]))
        self._readers: list[tuple[int, Callable[[Line, Any, int], None]]] = []
        for i, code in order:
            if code in plain:
                self._readers.append((i, plain[code]))
            elif code == "identifier":
                self._readers.append((i, self._any_identifier))
            elif code.startswith("id:"):
                self._readers.append((i, self._identifier_reader(code.removeprefix("id:"))))

    def lines(self, sheet: Sheet, header: int, progress: Callable[[int], None] | None = None) -> list[Line]:
        """The rows below the line of headers; blank ones are left out, totals and repeated headers kept as ignored."""
        head = [as_text(c) for c in sheet.rows[header]] if header < len(sheet.rows) else []
        special = sheet.formulas | sheet.uncomputed | set(sheet.errors)
        special_rows = {y for y, _ in special}
        found = []
        used = sorted(self.columns)
        for y in range(header + 1, len(sheet.rows)):
            row = sheet.rows[y]
            if not any(cell is not None for cell in row) and y not in special_rows:
                continue
            width = len(row)
            if all(i >= width or row[i] is None for i in used) and not any((y, i) in special for i in used):
                continue
            line = Line(y + 1, country=self.words.country)
            if self._not_a_member(row, head):
                line.verdict = "ignored"
                line.name = next((as_text(c) for c in row if c is not None), "")[:255]
                line.say("total_row")
                found.append(line)
                continue
            bad = self._special(line, sheet, y, row) if y in special_rows else ()
            for i, read in self._readers:
                if i < width and row[i] is not None and i not in bad:
                    read(line, row[i], i)
            self._whole(line, bad)
            found.append(line)
            if progress and len(found) % 1000 == 0:
                progress(len(found))
        return found

    def _not_a_member(self, row: Sequence[Any], head: Sequence[str]) -> bool:
        first = next((c for c in row if c is not None), None)
        if not isinstance(first, str):
            return False
        if (
            first
            and head
            and first == next((h for h in head if h), None)
            and [as_text(c) for c in row][: len(head)] == head
        ):
            return True
        if not _TOTAL_BEGINS.match(first.lstrip()) or not _TOTAL.match(people.plain_key(first)):
            return False
        # A total says nothing about a member: no identifier, no type, no day.
        for i, code in self.columns.items():
            told = code in ("type", "college", "joined_on", "city") or code.startswith("id")
            if told and i < len(row) and isinstance(row[i], str | dt.date) and row[i] is not first:
                return False
        return True

    def _special(self, line: Line, sheet: Sheet, y: int, row: Sequence[Any]) -> set[int]:
        """Reports formulas and errors; returns the columns that cannot be read."""
        bad = set()
        for i in self.columns:
            place = (y, i)
            value = row[i] if i < len(row) else None
            if place in sheet.errors:
                line.say("cell_error", i, found=sheet.errors[place])
                bad.add(i)
            elif place in sheet.uncomputed or (place in sheet.formulas and value is None and not self.csv):
                line.say("uncomputed", i)
                bad.add(i)
            elif place in sheet.formulas:
                if not self.csv:
                    line.say("formula", i)
                elif not _EXCEL_TEXT.fullmatch(str(value)):
                    line.say("formula_text", i)
        return bad

    # One reader per field. Each receives a cell that is not empty.

    def _text(self, line: Line, cell: Any, i: int) -> str:
        if type(cell) is str:
            text = cell
            if self.csv and text[:2] == '="':
                match = _EXCEL_TEXT.fullmatch(text)
                text = match.group(1) if match else text
            elif text[:1] == "#" or text[:4] == "Err:":
                if _SHEET_ERROR.fullmatch(text.strip()):
                    line.say("cell_error", i, found=text.strip())
                    return ""
            return " ".join(text.split())
        return as_text(cell)

    def _name(self, line: Line, cell: Any, i: int) -> None:
        line.name = self._text(line, cell, i)
        if len(line.name) > 255:
            line.say("long_name", i, n=len(line.name))
            line.name = line.name[:255]
        line.key = match_key(line.name)
        if line.name and not line.key:
            line.say("empty_name", i, found=line.name)

    def _identifier_reader(self, scheme: str) -> Callable[[Line, Any, int], None]:
        checker = self.words.fields.schemes[scheme]

        def read(line: Line, cell: Any, i: int) -> None:
            text = self._text(line, cell, i)
            if text:
                self._identifier(line, scheme, checker, text, i)

        return read

    def _identifier(self, line: Line, scheme: str, checker: str, text: str, i: int) -> None:
        if checker in ("siren", "siret") and _SCIENTIFIC.fullmatch(text):
            line.say("scientific", i, found=text)
            return
        try:
            if checker in ("siren", "siret"):
                kind, value, restored = _french_number(checker, text)
                kind = kind if kind in self.words.fields.schemes else scheme
                if restored:
                    line.say("zero_restored", i, value=value)
            else:
                kind, value = scheme, people.check_identifier(checker, text)
        except Refused as refusal:
            line.say("text", i, text=_as_text(refusal.reason))
            return
        if (kind, value) not in line.ids:
            line.ids += ((kind, value),)
        if scheme == "simulated":
            line.simulated = True

    def _any_identifier(self, line: Line, cell: Any, i: int) -> None:
        schemes = self.words.fields.schemes
        for part in re.split(r"\s*[;|\n]\s*", self._text(line, cell, i)):
            if not part:
                continue
            match = re.fullmatch(r"([A-Za-z][A-Za-z_-]*)\s*[ :]\s*(\S.*)", part)
            scheme = match.group(1).lower() if match else ""
            if scheme in schemes:
                self._identifier(line, scheme, schemes[scheme], match.group(2), i)
                continue
            guess = people.guess_scheme(part)
            if guess is None and re.fullmatch(r"0[0-9a-hj-km-np-tv-z]{6}\d{2}", part.lower()) and not part.isdigit():
                guess = "ror"
            if (
                guess is None
                and part.isdigit()
                and 7 <= len(part) <= 13
                and "siren" in schemes
                and line.country == "FR"
            ):
                guess = "siret" if len(part) > 9 else "siren"
            if guess in schemes:
                self._identifier(line, guess, schemes[guess], part, i)
            elif schemes.get(self.words.home_scheme) == "none":
                self._identifier(line, self.words.home_scheme, "none", part, i)
            elif line.country != self.words.country and self.words.open_scheme not in ("", "simulated"):
                self._identifier(line, self.words.open_scheme, "none", part, i)
            else:
                line.say("scheme_unknown", i, found=part[:60], example=self.words.home_scheme.upper())

    def _country(self, line: Line, cell: Any, i: int) -> None:
        text = self._text(line, cell, i)
        if not text:
            return
        code = country_code(text)
        if code is None:
            line.say("country_unknown", i, found=text[:60])
        else:
            line.country = code

    def _postcode(self, line: Line, cell: Any, i: int) -> None:
        text = self._text(line, cell, i)
        if text.isdigit() and len(text) == 4 and line.country == "FR":
            text = "0" + text
        line.postcode = text[:12]

    def _city(self, line: Line, cell: Any, i: int) -> None:
        line.city = self._text(line, cell, i)[:120]

    def _coded(self, kind: str, known: Mapping[str, str], text: str) -> str | None:
        place = (kind, text)
        if place not in self._memo:
            key = people.plain_key(text)
            code = known.get(key)
            if code is None and kind == "type":
                code = known.get(people.plain_key(re.sub(r"\([^)]*\)", "", text)))
            self._memo[place] = code
        return self._memo[place]

    def _type(self, line: Line, cell: Any, i: int) -> None:
        text = self._text(line, cell, i)
        if not text:
            return
        code = self._coded("type", self.words.types, text)
        if code is None:
            line.say("type_unknown", i, found=text[:80], accepted=self.words.accepted(self.words.members.types))
        else:
            line.member_type = code

    def _college(self, line: Line, cell: Any, i: int) -> None:
        text = self._text(line, cell, i)
        if not text:
            return
        code = self._coded("college", self.words.colleges, text)
        if code is None:
            line.say("college_unknown", i, found=text[:80], accepted=self.words.accepted(self.words.members.colleges))
        else:
            line.college = code

    def _date(self, line: Line, cell: Any, i: int) -> dt.date | None:
        if type(cell) is dt.date:
            return cell
        if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
            number = int(cell)
            if 20000 <= number <= 80000:
                day = dt.date(1899, 12, 30) + dt.timedelta(days=number)
                line.say("serial_date", i, found=number, day=day)
                return day
        text = self._text(line, cell, i) if isinstance(cell, str) else cell
        if text == "":
            return None
        place = ("date", text)
        if place not in self._memo:
            try:
                self._memo[place] = as_date(text)
            except Refused as refusal:
                self._memo[place] = _as_text(refusal.reason)
        found = self._memo[place]
        if isinstance(found, Text):
            line.say("text", i, text=found)
            return None
        return found

    def _joined(self, line: Line, cell: Any, i: int) -> None:
        line.joined = self._date(line, cell, i)

    def _left(self, line: Line, cell: Any, i: int) -> None:
        line.left = self._date(line, cell, i)

    def _size_on(self, line: Line, cell: Any, i: int) -> None:
        line.size_on = self._date(line, cell, i)

    def _headcount(self, line: Line, cell: Any, i: int) -> None:
        if type(cell) is int:
            number: Decimal | int | None = cell
        else:
            text = self._text(line, cell, i)
            if not text:
                return
            try:
                number = as_decimal(text)
            except Refused:
                line.say("headcount_wrong", i, found=text[:60])
                return
        if number is None or number < 0 or number != int(number) or number > 2_000_000_000:
            line.say("headcount_wrong", i, found=as_text(cell)[:60])
        else:
            line.headcount = int(number)

    def _size(self, line: Line, cell: Any, i: int) -> None:
        line.size_text = self._text(line, cell, i)

    def _evidence(self, line: Line, cell: Any, i: int) -> None:
        line.evidence = self._text(line, cell, i)[:300]

    def _data(self, line: Line, cell: Any, i: int) -> None:
        line.simulated = line.simulated or "simul" in self._text(line, cell, i).lower()

    def _whole(self, line: Line, bad: Iterable[int]) -> None:
        """What several cells of a row say together."""
        at = self.column_of.get
        if (
            line.joined is None
            and self.joined_default is not None
            and not any(m.column == at("joined_on", -1) for m in line.messages)
        ):
            line.joined = self.joined_default
            line.say("joined_default", at("joined_on"), day=self.joined_default)
        if line.joined and line.left and line.left < line.joined:
            line.say("left_before_joined", at("left_on"), left=line.left, joined=line.joined)
        if line.size_text or line.headcount is not None:
            self._sized(line)

    def _sized(self, line: Line) -> None:
        at = self.column_of.get
        day = line.size_on or self.on
        if day > self.on:
            line.say("size_later", at("size_on"), day=day)
            return
        if line.size_text:
            found = self.words.size(line.size_text, day)
            if found is None:
                accepted = [c for s in self.words.size_schemes_on(day) for c in s.categories]
                line.say(
                    "size_unknown",
                    at("size"),
                    found=line.size_text[:80],
                    day=day,
                    accepted=self.words.accepted(accepted),
                )
                return
            category, definition = found
            if not line.member_type and at("type", None) is None or (not line.member_type and self._type_empty(line)):
                scheme = self.words.members.size_scheme(definition)
                line.member_type = next(c.member_type for c in scheme.categories if c.code == category)
                line.say("type_from_size", at("size"), type=self.words.members.type(line.member_type).title)
            line.size = (category, definition, day, line.headcount, line.evidence)
            return
        if not line.member_type:
            return
        told = self.words.size_of(line.headcount or 0, line.member_type, day)
        if told is None:
            if line.member_type not in self.words.firms:
                line.say("headcount_not_firm", at("headcount"))
            return
        category, definition, problem = told
        if problem:
            title = self.words.members.type(line.member_type).title
            line.say("size_against_type", at("headcount"), n=line.headcount, type=title)
            return
        line.size = (category, definition, day, line.headcount, line.evidence)

    def _type_empty(self, line: Line) -> bool:
        """The type's cell is empty, rather than wrong."""
        return not any(m.code == "type_unknown" for m in line.messages)


def _as_text(reason: Text | str) -> Text:
    return reason if isinstance(reason, Text) else Text(reason, reason)


city_key = lru_cache(maxsize=20_000)(people.plain_key)
"""A town for comparison; a list names few towns many times."""


def match_key(name: str) -> str:
    """The name for comparison; names in other scripts are compared as they are, in lower case.

    Empty when the name holds no letter and no digit.
    """
    key = people.name_key(name)
    if key:
        return key
    return name.casefold().strip() if any(c.isalnum() for c in name) else ""


# --- judging -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """An organisation of the register."""

    id: int
    name: str
    key: str
    country: str = "FR"
    city: str = ""
    ids: tuple[tuple[str, str], ...] = ()

    @property
    def legal_persons(self) -> frozenset[str]:
        return _legal_persons(self.ids)


@dataclass(frozen=True, slots=True)
class Period:
    """A current membership of the cluster."""

    id: int
    organisation: int
    member_type: str
    college: str
    joined: dt.date
    left: dt.date | None = None


@dataclass(frozen=True, slots=True)
class KnownSize:
    """A size of the register: category, definition, day, headcount."""

    category: str
    definition: str
    on: dt.date
    headcount: int | None = None


@dataclass
class Register:
    """What of the register the rows of a file are compared with."""

    organisations: dict[int, Known] = field(default_factory=dict)
    by_identifier: dict[tuple[str, str], int] = field(default_factory=dict)
    by_person: dict[str, int] = field(default_factory=dict)
    members_by_key: dict[str, list[int]] = field(default_factory=dict)
    others_by_key: dict[str, list[int]] = field(default_factory=dict)
    periods: dict[int, list[Period]] = field(default_factory=dict)
    sizes: dict[int, list[KnownSize]] = field(default_factory=dict)
    first_label: dt.date | None = None


def _legal_persons(ids: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(value[:9] for scheme, value in ids if scheme in ("siren", "siret"))


def kind_for(member_type: str, college: str, ids: Iterable[tuple[str, str]], firms: Iterable[str]) -> str:
    """The kind of a new organisation, from what the row says of it."""
    if member_type in firms:
        return "company"
    schemes = {scheme for scheme, _ in ids}
    if college == "authority":
        return "authority"
    if "ror" in schemes or college == "research":
        return "laboratory"
    if college == "training":
        return "training"
    if "rna" in schemes:
        return "association"
    return "laboratory" if member_type == "research_training" else "other"


ALIKE = 88
"""Likeness of names (rapidfuzz, order of words ignored) from which a member is proposed, out of 100."""
PROPOSED = 4
"""Members proposed for one row, at most."""


def similar(keys: Sequence[str], members: Mapping[str, list[int]]) -> dict[str, list[str]]:
    """For each name, the members' names that resemble it, most alike first.

    A long list against many members compares only neighbours in alphabetical order (two orders of the words), so
    that the work stays proportional to the list.
    """
    known = [k for k in members if k]
    found: dict[str, list[str]] = {}
    if not known or not keys:
        return found
    if len(keys) * len(known) <= 400_000:
        for key in keys:
            near = process.extract(key, known, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE, limit=PROPOSED)
            if near:
                found[key] = [match for match, _, _ in near]
        return found
    scores: dict[str, dict[str, float]] = {}
    for turn in (lambda k: k, lambda k: " ".join(sorted(k.split()))):
        ranked = sorted((turn(k), k) for k in known)
        places = [place for place, _ in ranked]
        for key in keys:
            at = bisect_left(places, turn(key))
            for _, other in ranked[max(0, at - 4) : at + 4]:
                score = fuzz.token_sort_ratio(key, other, score_cutoff=ALIKE)
                if score:
                    scores.setdefault(key, {})[other] = score
    for key, near in scores.items():
        found[key] = sorted(near, key=lambda other: (-near[other], other))[:PROPOSED]
    return found


class Judge:
    """Gives every row its verdict. Pure: what it needs of the register was read beforehand.

    Args:
        columns: field code to column number, for naming cells.
        choices: row number to the organisation chosen for it; 0 means "a new one".
    """

    def __init__(
        self,
        register: Register,
        words: Words,
        *,
        on: dt.date,
        columns: Mapping[str, int],
        choices: Mapping[int, int] | None = None,
    ):
        self.register = register
        self.words = words
        self.on = on
        self.at = dict(columns).get
        self.has_left = "left_on" in columns
        self.choices = dict(choices or {})

    def judge(self, lines: Sequence[Line], progress: Callable[[int], None] | None = None) -> None:
        """Set ``verdict`` and what goes with it on every line."""
        groups: dict[Any, list[Line]] = {}
        unmatched: list[Line] = []
        for line in lines:
            if line.verdict == "ignored":
                continue
            self._match(line)
            if line.organisation is None and not line.candidates and line.key and not line.chosen:
                unmatched.append(line)
        self._propose(unmatched)
        new_by: dict[Any, Any] = {}
        for line in lines:
            if line.verdict == "ignored":
                continue
            groups.setdefault(self._group(line, new_by), []).append(line)
        for count, same in enumerate(groups.values()):
            if len(same) == 1:
                self._verdict(same[0], same)
            else:
                self._several(same)
            if progress and count % 1000 == 999:
                progress(count)

    # -- which organisation

    def _match(self, line: Line) -> None:
        register = self.register
        choice = self.choices.get(line.number)
        if choice:
            if choice in register.organisations:
                line.organisation, line.chosen = choice, True
                line.say("chosen", self.at("name"), name=register.organisations[choice].name)
                line.add_ids = self._new_ids(line, register.organisations[choice])
                return
        elif choice == 0:
            line.chosen = True
        if line.ids:
            hits: dict[int, None] = {}
            for pair in line.ids:
                found = register.by_identifier.get(pair)
                if found is None and pair[0] in ("siren", "siret"):
                    found = register.by_person.get(pair[1][:9])
                if found is not None:
                    hits[found] = None
            if len(hits) > 1:
                one, other, *_ = hits
                line.organisation = one
                line.say(
                    "two_organisations",
                    None,
                    one=register.organisations[one].name,
                    other=register.organisations[other].name,
                )
                return
            if hits:
                self._matched_by_identifier(line, next(iter(hits)))
                return
        if line.chosen or not line.key:
            return
        self._match_by_name(line)

    def _matched_by_identifier(self, line: Line, found: int) -> None:
        known = self.register.organisations[found]
        line.organisation = found
        if line.key and known.key != line.key:
            line.say("other_name", self.at("name"), name=known.name)
        line.add_ids = self._new_ids(line, known)

    def _new_ids(self, line: Line, known: Known) -> tuple[tuple[str, str], ...]:
        """Identifiers of the row that the organisation does not have, of schemes it does not have either."""
        if not line.ids:
            return ()
        schemes = {scheme for scheme, _ in known.ids}
        persons = known.legal_persons
        fresh = []
        for scheme, value in line.ids:
            if scheme in schemes or (scheme, value) in self.register.by_identifier:
                continue
            if scheme in ("siren", "siret") and persons and (value[:9] not in persons or scheme == "siren"):
                continue
            fresh.append((scheme, value))
        return tuple(fresh)

    def _compatible(self, line: Line, known: Known) -> bool:
        if known.country != line.country:
            return False
        mine, theirs = _legal_persons(line.ids), known.legal_persons
        return not (mine and theirs and mine != theirs)

    def _match_by_name(self, line: Line) -> None:
        register = self.register
        city = city_key(line.city)
        same = [
            known
            for i in register.members_by_key.get(line.key, ())
            if self._compatible(line, known := register.organisations[i])
        ]
        there = [k for k in same if not city or not k.city or city_key(k.city) == city]
        if len(there) > 1 and city:
            there = [k for k in there if city_key(k.city) == city] or there
        if len(there) == 1:
            line.organisation = there[0].id
            line.add_ids = self._new_ids(line, there[0])
            if line.add_ids:
                line.say("identifier_added", self.at("name"), name=there[0].name)
            return
        if len(there) > 1:
            line.candidates = tuple(k.id for k in there)
            line.say("ambiguous", self.at("name"), n=len(there))
            return
        others = [
            known
            for i in register.others_by_key.get(line.key, ())
            if self._compatible(line, known := register.organisations[i])
        ]
        exact = [k for k in others if city and city_key(k.city) == city]
        if len(exact) == 1:
            line.organisation = exact[0].id
            line.candidates = (exact[0].id,)
            line.add_ids = self._new_ids(line, exact[0])
            line.say("found_elsewhere", self.at("name"), name=exact[0].name, place=exact[0].city)
            return
        near = [*same, *others][:PROPOSED]
        if near:
            self._resembles(line, near)

    def _resembles(self, line: Line, near: Sequence[Known]) -> None:
        line.candidates = tuple(k.id for k in near)
        names = ", ".join(f"« {k.name} »" + (f" ({k.city})" if k.city else "") for k in near)
        line.say("resembles", self.at("name"), names=names)

    def _propose(self, lines: Sequence[Line]) -> None:
        near = similar(list({line.key for line in lines}), self.register.members_by_key)
        if not near:
            return
        for line in lines:
            proposed = [
                known
                for key in near.get(line.key, ())
                for i in self.register.members_by_key[key]
                if self._compatible(line, known := self.register.organisations[i])
            ]
            if proposed:
                self._resembles(line, proposed[:PROPOSED])

    def _group(self, line: Line, new_by: dict[Any, Any]) -> Any:
        """Rows about one organisation share a group: a known one, or one that several rows would make."""
        if line.organisation is not None:
            return line.organisation
        keys: list[Any] = list(line.ids)
        keys += [("person", value[:9]) for scheme, value in line.ids if scheme in ("siren", "siret")]
        if not keys:
            keys = [("name", line.key, line.country, city_key(line.city))] if line.key else [line.number]
        group = next((new_by[k] for k in keys if k in new_by), None)
        if group is None:
            group = ("new", line.number)
        for key in keys:
            new_by.setdefault(key, group)
        return group

    # -- what it changes

    def _several(self, same: list[Line]) -> None:
        """Several rows for one organisation: read once, or one after the other, or contradicting one another."""
        sound = [line for line in same if not line.in_error and line.joined is not None]
        sound.sort(key=lambda line: (line.joined, line.number))
        told: dict[dt.date, Line] = {}
        for line in list(sound):
            first = told.setdefault(line.joined, line)
            if first is line:
                continue
            sound.remove(line)
            if (first.member_type, first.college, first.left) == (line.member_type, line.college, line.left):
                line.verdict, line.first_row = "duplicate", first.number
                line.say("duplicate_of", None, row=first.number)
            else:
                for one, other in ((first, line), (line, first)):
                    one.say("contradiction", None, row=other.number)
        for one, other in zip(sound, sound[1:], strict=False):
            if one.left is None or one.left >= other.joined:
                for a, b in ((one, other), (other, one)):
                    a.say(
                        "overlap_file",
                        self.at("joined_on"),
                        new=(a.joined, a.left),
                        row=b.number,
                        old=(b.joined, b.left),
                    )
        maker = None
        for line in sorted(same, key=lambda one: one.number):
            if line.verdict == "duplicate":
                continue
            self._verdict(line, same)
            if line.verdict == "new_organisation":
                if maker is None:
                    maker = line
                else:
                    line.verdict, line.first_row = "new_member", maker.number
                    line.say("same_person_as", None, row=maker.number)

    def _verdict(self, line: Line, same: Sequence[Line]) -> None:
        periods = self.register.periods.get(line.organisation, ()) if line.organisation is not None else ()
        period = self._period(line, periods)
        if period is None:
            self._newcomer(line, periods)
        elif not line.in_error:
            self._changed(line, period, periods)
        if line.in_error:
            line.verdict = "error"
            return
        if line.verdict == "unchanged":
            return
        if line.joined:
            if line.joined > self.on:
                line.say("joined_future", self.at("joined_on"), day=line.joined)
            elif (
                self.register.first_label and line.joined < self.register.first_label and line.verdict != "size_change"
            ):
                line.say("before_label", self.at("joined_on"), day=line.joined, label=self.register.first_label)
        if line.left and line.left > self.on:
            line.say("left_future", self.at("left_on"), day=line.left)

    def _period(self, line: Line, periods: Sequence[Period]) -> Period | None:
        """The membership that the row speaks of: same entry date; without one, the open membership."""
        if line.joined is not None:
            return next((p for p in periods if p.joined == line.joined), None)
        open_ones = [p for p in periods if p.left is None or p.left >= self.on]
        if open_ones:
            line.joined = open_ones[-1].joined
            if line.left and line.left < line.joined:
                line.say("left_before_joined", self.at("left_on"), left=line.left, joined=line.joined)
            return open_ones[-1]
        return None

    def _newcomer(self, line: Line, periods: Sequence[Period]) -> None:
        known = line.organisation is not None
        accepted = self.words.accepted(self.words.members.types)
        if (
            not known
            and not line.key
            and not any(m.code in ("empty_name", "cell_error", "uncomputed") for m in line.messages)
        ):
            line.say("no_name", self.at("name"))
        if not line.member_type and not any(m.code == "type_unknown" for m in line.messages):
            line.say("type_missing", self.at("type"), accepted=accepted)
        if line.joined is None:
            if not any(m.column == self.at("joined_on", -1) and m.level == ERROR for m in line.messages):
                line.say("joined_missing", self.at("joined_on"))
            return
        for p in periods:
            if overlap(line.joined, line.left, p.joined, p.left):
                line.say("overlap_register", self.at("joined_on"), new=(line.joined, line.left), old=(p.joined, p.left))
                break
        line.verdict = "new_member" if known else "new_organisation"
        if known:
            line.size = self._fresh_size(line)

    def _changed(self, line: Line, period: Period, periods: Sequence[Period]) -> None:
        line.membership = period.id
        member_type = line.member_type or period.member_type
        college = line.college or period.college
        left = line.left if self.has_left else period.left
        verdict = ""
        if left != period.left:
            if left is None:
                line.say("reopened", self.at("left_on"), day=period.left)
            for p in periods:
                if p.id != period.id and overlap(period.joined, left, p.joined, p.left):
                    line.say("overlap_register", self.at("left_on"), new=(period.joined, left), old=(p.joined, p.left))
                    return
            verdict = "departure" if period.left is None else "correction"
        if college != period.college:
            verdict = verdict or "correction"
        if member_type != period.member_type:
            verdict = "type_change"
        if line.add_ids:
            verdict = verdict or "correction"
        line.member_type, line.college, line.left = member_type, college, left
        line.size = self._fresh_size(line)
        if line.size:
            verdict = verdict or "size_change"
        line.verdict = verdict or "unchanged"

    def _fresh_size(self, line: Line) -> tuple[str, str, dt.date, int | None, str] | None:
        """The size to record, if the register does not say the same already."""
        if line.size is None or line.organisation is None:
            return line.size
        category, definition, day, headcount, _ = line.size
        known = self.register.sizes.get(line.organisation, ())
        if line.size_on is not None:
            same_day = [s for s in known if s.on == line.size_on]
            if any(_says(s, category, definition, headcount) for s in same_day):
                return None
        past = [s for s in known if s.on <= day]
        latest = max(past, key=lambda s: s.on, default=None)
        if latest is not None and line.size_on is None and _says(latest, category, definition, headcount):
            return None
        return line.size


def _says(known: KnownSize, category: str, definition: str, headcount: int | None) -> bool:
    """Whether a recorded size already says what a row says; what the row leaves out is no difference."""
    if headcount is not None and known.headcount != headcount:
        return False
    return not category or (known.category == category and known.definition == definition)


def overlap(a: dt.date, b: dt.date | None, c: dt.date, d: dt.date | None) -> bool:
    """Whether two periods with inclusive ends (None: open) share a day."""
    return (d is None or a <= d) and (b is None or c <= b)


def missing_members(lines: Iterable[Line], register: Register, on: dt.date) -> list[Period]:
    """Memberships in force on the day whose organisation is in no row of the file, even a row in error."""
    told = {line.organisation for line in lines if line.organisation is not None}
    told |= {i for line in lines if line.organisation is None for i in line.candidates if line.in_error}
    return [
        p
        for organisation, periods in register.periods.items()
        if organisation not in told
        for p in periods
        if p.joined <= on and (p.left is None or p.left >= on)
    ]


def counts(lines: Iterable[Line]) -> dict[str, int]:
    """Rows per verdict, in the order of the verdicts; and rows with a warning, rows in all."""
    found = dict.fromkeys(states.VERDICTS, 0)
    warned = total = 0
    for line in lines:
        found[line.verdict] += 1
        total += line.verdict != "ignored"
        warned += bool(line.messages) and line.verdict not in ("error", "ignored", "duplicate")
    return found | {"warned": warned, "total": total}
