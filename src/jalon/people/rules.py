"""What the texts say about identifiers, names, sizes, mandates and invitations: plain values in, plain values out.

Identifiers: SIREN and SIRET (Code de commerce, R. 123-220 and following; the establishments of La Poste have
a check of their own), RNA (W and nine characters), ROR (Research Organization Registry), LEI (ISO 17442), VAT
numbers of the Union (directive 2006/112/CE, article 215).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import filterfalse
from typing import Any

from stdnum import lei as lei_number, luhn
from stdnum.eu import vat as vat_number
from stdnum.exceptions import ValidationError

from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T, Text

# --- identifiers -------------------------------------------------------------------------------------------------

LA_POSTE = "356000000"
"""SIREN of La Poste: the digits of its establishments' SIRET add up to a multiple of five instead."""

_ROR_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def _wrong(name: str, fr: str, en: str, **kwargs: Any) -> Refused:
    return Refused(T(f"{name} : {fr}", f"{name}: {en}", **kwargs), kind="input")


def _spaceless(value: Any) -> str:
    return re.sub(r"[\s.\u00a0\u202f‐-]", "", str(value or "")).strip()


def _digits(name: str, value: str, expected: int) -> str:
    strange = sorted({c for c in value if not (c.isascii() and c.isdigit())})
    if strange:
        raise _wrong(
            name,
            "{n} chiffres attendus, caractère « {c} » trouvé.",
            "{n} digits expected, character “{c}” found.",
            n=expected,
            c=strange[0],
        )
    if len(value) != expected:
        hint = T("", "")
        if expected - 2 <= len(value) < expected:
            hint = T(
                " (un tableur a peut-être ôté un zéro en tête)", " (a spreadsheet may have removed a leading zero)"
            )
        raise _wrong(
            name,
            "{n} chiffres attendus, {found} trouvés{hint}.",
            "{n} digits expected, {found} found{hint}.",
            n=expected,
            found=len(value),
            hint=hint,
        )
    return value


def _wrong_key(name: str, value: str) -> Refused:
    return _wrong(
        name,
        "clé de contrôle fausse dans « {v} » ; un chiffre a sans doute été mal recopié.",
        "wrong check digit in “{v}”; a digit was probably copied wrongly.",
        v=value,
    )


def siren(value: Any) -> str:
    """A SIREN without spaces. Raises :class:`Refused` with what is wrong."""
    number = _digits("SIREN", _spaceless(value), 9)
    if not luhn.is_valid(number) or number == "0" * 9:
        raise _wrong_key("SIREN", number)
    return number


def siret(value: Any) -> str:
    """A SIRET without spaces; the rule of La Poste's establishments included."""
    number = _digits("SIRET", _spaceless(value), 14)
    if number.startswith(LA_POSTE) and number != "35600000000048":
        sound = sum(map(int, number)) % 5 == 0
    else:
        sound = luhn.is_valid(number)
    if not sound or not luhn.is_valid(number[:9]) or number[:9] == "0" * 9:
        raise _wrong_key("SIRET", number)
    return number


def rna(value: Any) -> str:
    """An association's number: W and nine characters, digits but for a letter in Corsica's departments."""
    number = _spaceless(value).upper()
    if not number.startswith("W"):
        raise _wrong(
            "RNA",
            "« W » suivi de 9 chiffres attendu, « {v} » trouvé.",
            "“W” and 9 digits expected, “{v}” found.",
            v=number,
        )
    if not re.fullmatch(r"W\d[\dAB]\d{7}", number):
        raise _wrong(
            "RNA",
            "9 chiffres attendus après « W », {n} caractères trouvés (« {v} »).",
            "9 digits expected after “W”, {n} characters found (“{v}”).",
            n=len(number) - 1,
            v=number,
        )
    return number


def ror(value: Any) -> str:
    """A ROR identifier: 0, six characters and two check digits (ISO/IEC 7064, 97-10), without its address."""
    number = re.sub(r"^(https?://)?(www\.)?ror\.org/", "", str(value or "").strip().lower())
    if not re.fullmatch(r"0[0-9a-hj-km-np-tv-z]{6}\d{2}", number):
        raise _wrong(
            "ROR",
            "0, six caractères puis deux chiffres attendus (comme 02feahw73), « {v} » trouvé.",
            "0, six characters and two digits expected (like 02feahw73), “{v}” found.",
            v=number,
        )
    value_32 = 0
    for letter in number[:7]:
        value_32 = value_32 * 32 + _ROR_LETTERS.index(letter)
    if 98 - (value_32 * 100) % 97 != int(number[7:]):
        raise _wrong_key("ROR", number)
    return number


def lei(value: Any) -> str:
    """A LEI: 18 letters or digits and two check digits."""
    number = _spaceless(value).upper()
    if len(number) != 20 or not number.isalnum() or not number.isascii():
        raise _wrong(
            "LEI",
            "20 lettres ou chiffres attendus, {n} trouvés.",
            "20 letters or digits expected, {n} found.",
            n=len(number),
        )
    if not lei_number.is_valid(number):
        raise _wrong_key("LEI", number)
    return number


def vat(value: Any) -> str:
    """A VAT number of a member State of the Union, its country in front."""
    number = _spaceless(value).upper()
    if not number[:2].isalpha():
        raise _wrong(
            "TVA",
            "le code du pays est attendu devant le numéro (FR, DE…), « {v} » trouvé.",
            "the country code is expected before the number (FR, DE…), “{v}” found.",
            v=number,
        )
    try:
        return vat_number.validate(number)
    except ValidationError:
        raise _wrong(
            "TVA",
            "« {v} » n'a pas la forme ou la clé d'un numéro de TVA de ce pays.",
            "“{v}” has neither the form nor the check digits of a VAT number of that country.",
            v=number,
        ) from None


def as_given(value: Any) -> str:
    """A foreign national number is kept as given, spaces reduced."""
    number = re.sub(r"\s+", " ", str(value or "")).strip().upper()
    if not number or len(number) > 60:
        raise _wrong(
            "Identifiant / identifier",
            "de 1 à 60 caractères attendus, {n} trouvés.",
            "1 to 60 characters expected, {n} found.",
            n=len(number),
        )
    return number


CHECKERS = {"siren": siren, "siret": siret, "rna": rna, "ror": ror, "lei": lei, "vat": vat, "none": as_given}


def check_identifier(scheme: str, value: Any) -> str:
    """The normalised value of an identifier.

    ``scheme`` is the checker that the policy's scheme names: siren, siret, rna, ror, lei, vat, none (``foreign``).

    Raises:
        Refused: exactly what is wrong, in both languages.
    """
    return CHECKERS.get(scheme, as_given)(value)


def guess_scheme(value: Any) -> str | None:
    """The scheme that a bare number belongs to, from its form alone; None when it could be several or none."""
    text = _spaceless(value)
    if re.fullmatch(r"\d{14}", text):
        return "siret"
    if re.fullmatch(r"\d{9}", text):
        return "siren"
    if re.fullmatch(r"[Ww]\d[\dABab]\d{7}", text):
        return "rna"
    if "ror.org/" in str(value).lower():
        return "ror"
    return None


def siren_of(siret_value: str) -> str:
    """The legal person to which an establishment belongs: the first nine digits of its SIRET."""
    return siret_value[:9]


# --- names -------------------------------------------------------------------------------------------------------

LEGAL_FORMS = frozenset(
    "sa sas sasu sarl eurl snc scs sca scop scic sci selarl selas gie gip geie epic epa epst epscp aisbl asbl"
    " gmbh ag kg ohg mbh ltd limited plc llc inc corp co spa srl sl bv nv ab oy aps as".split()
)
"""Legal forms left out of comparisons, at either end of a name."""

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "Ø": "o", "&": " et "})


def plain_key(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces: what searches compare."""
    text = unicodedata.normalize("NFKD", (text or "").translate(_LIGATURES))
    if not text.isascii():
        text = "".join(filterfalse(unicodedata.combining, text))
    text = text.lower()
    return re.sub(r"[^0-9a-z]+", " ", text).strip()


def name_key(name: str) -> str:
    """A name for comparison: ``plain_key`` without legal forms at either end.

    ``name_key("Société Générale d'Études, S.A.R.L.")`` is ``societe generale d etudes``. A name that is only a
    legal form stays as it is. At most 255 characters.
    """
    joined = re.sub(r"\b(?:\w\.){2,}", lambda m: m.group(0).replace(".", ""), name or "")
    words = plain_key(joined).split()
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words.pop()
    while len(words) > 1 and words[0] in LEGAL_FORMS:
        words.pop(0)
    return " ".join(words)[:255]


# --- sizes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Size:
    """A size category as recorded: category, the day it was true, definition applied, evidence."""

    category: str
    on: dt.date
    definition: str = ""
    evidence: str = ""
    headcount: int | None = None
    source: str = ""
    simulated: bool = False


def size_on(sizes: Iterable[Size], day: dt.date) -> Size | None:
    """The size category at a date: the latest one recorded for that day or before; None when unknown."""
    past = [size for size in sizes if size.on <= day]
    return max(past, key=lambda size: size.on, default=None)


# --- mandates and invitations ------------------------------------------------------------------------------------

INVITATION_DAYS = 14
"""Days during which an invitation can be accepted."""


def may_invite(actor: Any, role: Any, *, organisation_id: int) -> None:
    """Whether ``actor`` may invite somebody to ``role`` (of the policy) for an organisation.

    Whoever manages accounts nationally invites anybody. Others invite people of the organisation for which they
    act themselves, on their own side, to a role whose rights do not exceed their own.

    Raises:
        NotAllowed: which condition fails.
    """
    if not (actor.can("people.manage") or actor.can("people.delegate")):
        actor.require("people.manage")
    if actor.national and actor.can("people.manage"):
        return
    if organisation_id != actor.organisation_id:
        raise NotAllowed(
            T(
                "Vous pouvez inviter des personnes de votre propre organisme ({name}) seulement ; pour un autre, "
                "adressez-vous à la personne qui y gère les comptes ou au niveau national.",
                "You can invite people of your own organisation ({name}) only; for another one, ask whoever manages "
                "accounts there, or the national level.",
                name=actor.organisation_label,
            )
        )
    if role.side not in (actor.side, "public"):
        raise NotAllowed(
            T(
                "Le rôle « {role} » n'appartient pas à votre côté du contrat.",
                "The role “{role}” does not belong to your side of the contract.",
                role=role.title,
            )
        )
    beyond = sorted(set(role.permissions) - set(actor.permissions))
    if beyond:
        raise NotAllowed(
            T(
                "Le rôle « {role} » a plus de droits que le vôtre ({beyond}) : le niveau national peut l'accorder.",
                "The role “{role}” holds more rights than yours ({beyond}): the national level can grant it.",
                role=role.title,
                beyond=", ".join(beyond),
            )
        )


def invitable_roles(actor: Any, roles: Iterable[Any], *, organisation_id: int) -> list[Any]:
    """The roles to which ``actor`` may invite for an organisation."""
    found = []
    for role in roles:
        try:
            may_invite(actor, role, organisation_id=organisation_id)
        except NotAllowed:
            continue
        found.append(role)
    return found


def check_delegation(
    *,
    starts_on: dt.date,
    ends_on: dt.date | None,
    own_end: dt.date | None,
    is_delegation: bool,
    to_self: bool,
    reason: str,
    on: dt.date,
) -> None:
    """A delegation ends, not after the mandate it comes from, is not passed on, and says why.

    Raises:
        Refused: the list of what is missing or wrong.
    """
    missing: list[Text] = []
    if is_delegation:
        raise Refused(
            T(
                "Ce mandat vous a été délégué : il ne se délègue pas à son tour.",
                "This mandate was delegated to you: it cannot be passed on.",
            )
        )
    if to_self:
        raise Refused(
            T("Un mandat ne se délègue pas à soi-même.", "A mandate cannot be delegated to oneself."), kind="input"
        )
    if not reason.strip():
        missing.append(
            T("le motif de la délégation (congé, remplacement…)", "the reason of the delegation (leave, replacement…)")
        )
    if ends_on is None:
        missing.append(T("le dernier jour de la délégation", "the last day of the delegation"))
    elif ends_on < starts_on or ends_on < on:
        missing.append(
            T(
                "un dernier jour qui ne précède ni le premier ({start}) ni aujourd'hui",
                "a last day that precedes neither the first ({start}) nor today",
                start=starts_on.isoformat(),
            )
        )
    elif own_end is not None and ends_on > own_end:
        missing.append(
            T(
                "un dernier jour au plus tard le {end}, fin de votre propre mandat",
                "a last day no later than {end}, the end of your own mandate",
                end=own_end.isoformat(),
            )
        )
    if missing:
        raise Refused(
            T("La délégation est incomplète.", "The delegation is incomplete."), missing=missing, kind="input"
        )


LOCK_AFTER = 5
"""Failed sign-ins for one address e-mail within the window, after which it waits."""
LOCK_AFTER_PER_PLACE = 30
"""Failed sign-ins from one network address within the window, after which it waits."""
LOCK_MINUTES = 15
"""Length of the window, in minutes."""


def locked(failures_of_account: int, failures_of_place: int) -> bool:
    """Whether guessing has to wait."""
    return failures_of_account >= LOCK_AFTER or failures_of_place >= LOCK_AFTER_PER_PLACE


# --- duplicates --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """What duplicates are told by: an organisation's names, place and identifiers."""

    id: int
    key: str
    city: str = ""
    postcode: str = ""
    country: str = "FR"
    identifiers: tuple[tuple[str, str], ...] = ()

    @property
    def legal_persons(self) -> frozenset[str]:
        """SIREN numbers that its identifiers carry: SIREN, SIRET, French VAT number."""
        found = set()
        for scheme, value in self.identifiers:
            if scheme == "siren" or (scheme == "siret" and not value.startswith(LA_POSTE)):
                found.add(value[:9])
            elif scheme == "vat" and value.startswith("FR") and value[4:].isdigit():
                found.add(value[4:])
        return frozenset(found)


@dataclass(frozen=True)
class Pair:
    """Two rows that may be one organisation: ids in order, a score from 0 to 100 and the evidence."""

    first: int
    second: int
    score: int
    evidence: tuple[Text, ...]


NAMES_ALIKE = 90
"""Likeness of two names (rapidfuzz, token order ignored) from which they are proposed, out of 100."""
NEIGHBOURS = 8
"""Each name is compared with this many that follow it, in two orders: bounded work on any register."""


OWN_WORDS_ALIKE = 75
"""Likeness asked of what is left of two names without the words that many names carry."""
COMMON = 10
"""A word that more names than this carry ("conseil", "association") tells nobody apart."""


def _numbers(key: str) -> list[str]:
    """The numbers in a name: "Laboratoire 12" and "Laboratoire 13" are two."""
    return sorted(word for word in key.split() if word.isdigit())


def likely_pairs(cards: Iterable[Card], known_apart: Iterable[tuple[int, int]] = ()) -> list[Pair]:
    """Pairs that may be one organisation, most likely first.

    Same legal person (SIREN) first, whatever the names; then names alike, the score raised by the same town or
    postcode, lowered by another one. Two different SIREN make two organisations: never proposed by name.
    """
    from rapidfuzz import fuzz

    everyone = list(cards)
    apart = {tuple(sorted(pair)) for pair in known_apart}
    found: dict[tuple[int, int], Pair] = {}
    by_person: dict[str, list[Card]] = {}
    for card in everyone:
        for number in card.legal_persons:
            by_person.setdefault(number, []).append(card)
    for number, same in by_person.items():
        for i, one in enumerate(same[:20]):
            for other in same[i + 1 : 20]:
                alike = round(fuzz.token_sort_ratio(one.key, other.key))
                low, high = sorted((one.id, other.id))
                if low == high or (low, high) in apart:
                    continue
                evidence = (
                    T("même personne morale : SIREN {n}", "same legal person: SIREN {n}", n=number),
                    T("noms semblables à {p} %", "names {p}% alike", p=alike),
                )
                found[low, high] = Pair(low, high, 90 + alike // 10, evidence)
    carried = Counter(word for card in everyone for word in set(card.key.split()))

    def own_words(card: Card) -> str:
        return " ".join(sorted(word for word in card.key.split() if carried[word] <= COMMON))

    for order in (lambda c: c.key, lambda c: " ".join(sorted(c.key.split()))):
        ranked = sorted(everyone, key=order)
        for i, one in enumerate(ranked):
            for other in ranked[i + 1 : i + 1 + NEIGHBOURS]:
                low, high = sorted((one.id, other.id))
                if low == high or (low, high) in found or (low, high) in apart or not one.key:
                    continue
                alike = fuzz.token_sort_ratio(one.key, other.key, score_cutoff=NAMES_ALIKE)
                if not alike or one.country != other.country:
                    continue
                if (one.legal_persons and other.legal_persons) or _numbers(one.key) != _numbers(other.key):
                    continue
                mine, theirs = own_words(one), own_words(other)
                if mine and theirs and fuzz.ratio(mine, theirs) < OWN_WORDS_ALIKE:
                    continue
                evidence = [T("noms semblables à {p} %", "names {p}% alike", p=round(alike))]
                score = alike - 12
                same_place = False
                if one.postcode and other.postcode:
                    same_place = one.postcode == other.postcode
                    score += 10 if same_place else -10
                    evidence.append(
                        T("même code postal", "same postcode")
                        if same_place
                        else T("autre code postal", "other postcode")
                    )
                if not same_place and one.city and other.city:
                    same_town = plain_key(one.city) == plain_key(other.city)
                    score += 8 if same_town else -10
                    evidence.append(T("même ville", "same town") if same_town else T("autre ville", "other town"))
                if score >= NAMES_ALIKE - 14:
                    found[low, high] = Pair(low, high, round(min(score, 99)), tuple(evidence))
    return sorted(found.values(), key=lambda pair: (-pair.score, pair.first, pair.second))


def joined_periods(
    periods: Iterable[tuple[dt.date, dt.date | None]],
) -> list[tuple[dt.date, dt.date | None]]:
    """Periods (inclusive, open end None) joined where they overlap; those that only touch stay apart."""
    joined: list[tuple[dt.date, dt.date | None]] = []
    for start, end in sorted(periods, key=lambda p: p[0]):
        if joined and (joined[-1][1] is None or start <= joined[-1][1]):
            last_start, last_end = joined[-1]
            joined[-1] = (last_start, None if last_end is None or end is None else max(last_end, end))
        else:
            joined.append((start, end))
    return joined
