"""Identifiers, names, sizes, invitations and delegations, in tables of cases."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T, speaking
from jalon.people import rules
from jalon.people.access import Actor

DAY = dt.date(2010, 6, 30)

GOOD = [
    ("siren", "732 829 320", "732829320"),
    ("siret", "732 829 320 00074", "73282932000074"),
    ("siret", "356.000.000.49837", "35600000049837"),
    ("siret", "35600000000048", "35600000000048"),
    ("rna", " w751004076 ", "W751004076"),
    ("rna", "W2A1000001", "W2A1000001"),
    ("ror", "https://ror.org/02feahw73", "02feahw73"),
    ("lei", "2138 00KU D8LA JWSQ 9D15", "213800KUD8LAJWSQ9D15"),
    ("vat", "fr 40 303 265 045", "FR40303265045"),
    ("none", "  hrb   12345 ", "HRB 12345"),
]

BAD = [
    ("siret", "7328293200007", "14 chiffres attendus, 13 trouvés", "14 digits expected, 13 found"),
    ("siret", "7328293200007A", "caractère « A » trouvé", "character “A” found"),
    ("siret", "73282932000075", "clé de contrôle fausse", "wrong check digit"),
    ("siret", "35600000049838", "clé de contrôle fausse", "wrong check digit"),
    ("siret", "00000000000000", "clé de contrôle fausse", "wrong check digit"),
    ("siren", "732829321", "clé de contrôle fausse", "wrong check digit"),
    ("siren", "", "9 chiffres attendus, 0 trouvés", "9 digits expected, 0 found"),
    ("rna", "751004076", "« W » suivi de 9 chiffres", "“W” and 9 digits"),
    ("rna", "W75100407", "8 caractères trouvés", "8 characters found"),
    ("ror", "02feahw74", "clé de contrôle fausse", "wrong check digit"),
    ("ror", "2feahw73", "0, six caractères", "0, six characters"),
    ("lei", "213800KUD8LAJWSQ9D1", "20 lettres ou chiffres attendus, 19 trouvés", "20 letters or digits expected"),
    ("lei", "213800KUD8LAJWSQ9D16", "clé de contrôle fausse", "wrong check digit"),
    ("vat", "40303265045", "code du pays", "country code"),
    ("vat", "FR41303265045", "n'a pas la forme", "neither the form"),
    ("none", " ", "1 à 60 caractères", "1 to 60 characters"),
]


@pytest.mark.parametrize(("scheme", "given_value", "kept"), GOOD)
def test_good_identifiers_are_normalised(scheme, given_value, kept):
    assert rules.check_identifier(scheme, given_value) == kept
    assert rules.check_identifier(scheme, kept) == kept


@pytest.mark.parametrize(("scheme", "given_value", "french", "english"), BAD)
def test_a_wrong_identifier_says_exactly_what_is_wrong(scheme, given_value, french, english):
    with pytest.raises(Refused) as refusal:
        rules.check_identifier(scheme, given_value)
    said = refusal.value.reason
    assert french in said.in_language("fr").replace("\u00a0", " ").replace("\u202f", " ")
    with speaking("en"):
        assert english in str(said)


@given(st.integers(0, 10**8 - 1), st.integers(0, 8), st.integers(1, 9))
def test_one_digit_copied_wrongly_is_always_found(stem, place, shift):
    from stdnum import luhn

    number = f"{stem:08d}"
    number += luhn.calc_check_digit(number)
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    with pytest.raises(Refused):
        rules.siren(wrong)


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("732 829 320 00074", "siret"),
        ("732829320", "siren"),
        ("W751004076", "rna"),
        ("ror.org/02feahw73", "ror"),
        ("12", None),
    ],
)
def test_the_scheme_of_a_bare_number(value, scheme):
    assert rules.guess_scheme(value) == scheme


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Société Générale d'Études, S.A.R.L.", "SOCIETE GENERALE D ETUDES"),
        ("SAS L'Œuvre & Cie", "L’oeuvre et Cie"),
        ("Fraunhofer GmbH", "FRAUNHOFER"),
        ("Élan – Bois S.A.", "elan-bois"),
        ("  Pôle   Mer ", "Pole Mer"),
    ],
)
def test_names_that_are_the_same_name(one, other):
    assert rules.name_key(one) == rules.name_key(other)


def test_a_name_that_is_only_a_legal_form_stays():
    assert rules.name_key("S.A.S.") == "sas"


@given(st.text(max_size=300))
def test_a_name_key_is_its_own_key(name):
    key = rules.name_key(name)
    assert rules.name_key(key) == key and len(key) <= 255


def test_the_size_is_that_of_the_date():
    sizes = [rules.Size("sme", dt.date(2008, 1, 1)), rules.Size("mid", dt.date(2010, 1, 1))]
    assert rules.size_on(sizes, dt.date(2007, 12, 31)) is None
    assert rules.size_on(sizes, dt.date(2009, 12, 31)).category == "sme"
    assert rules.size_on(sizes, DAY).category == "mid"


def role(code: str, side: str, *permissions: str):
    return SimpleNamespace(code=code, title=T(code, code), side=side, permissions=frozenset(permissions))


DIRECTOR = Actor(
    user_id=1,
    organisation_id=10,
    side="governance",
    scope="cluster",
    permissions=frozenset({"people.manage", "people.delegate", "contract.sign", "roadmap.draft"}),
)
AUTHORITY = Actor(
    user_id=2,
    organisation_id=20,
    side="authority",
    scope="authority",
    permissions=frozenset({"people.delegate", "contract.decide"}),
)
NATIONAL = Actor(
    user_id=3,
    organisation_id=30,
    side="state",
    scope="national",
    permissions=frozenset({"people.manage", "people.delegate"}),
)
TEAM = Actor(
    user_id=4, organisation_id=10, side="governance", scope="cluster", permissions=frozenset({"roadmap.draft"})
)


@pytest.mark.parametrize(
    ("actor", "invited", "organisation", "allowed"),
    [
        (DIRECTOR, role("team", "governance", "roadmap.draft"), 10, True),
        (DIRECTOR, role("reader", "public"), 10, True),
        (DIRECTOR, role("team", "governance", "roadmap.draft"), 20, False),
        (DIRECTOR, role("prefect", "state", "contract.sign"), 10, False),
        (DIRECTOR, role("super", "governance", "roadmap.draft", "board.read"), 10, False),
        (AUTHORITY, role("agent", "authority", "contract.decide"), 20, True),
        (AUTHORITY, role("signatory", "authority", "contract.decide", "contract.sign"), 20, False),
        (NATIONAL, role("prefect", "state", "contract.sign"), 99, True),
        (TEAM, role("reader", "public"), 10, False),
    ],
)
def test_who_may_invite_whom(actor, invited, organisation, allowed):
    if allowed:
        rules.may_invite(actor, invited, organisation_id=organisation)
    else:
        with pytest.raises(NotAllowed):
            rules.may_invite(actor, invited, organisation_id=organisation)
    assert bool(rules.invitable_roles(actor, [invited], organisation_id=organisation)) is allowed


GOOD_DELEGATION = {
    "starts_on": DAY,
    "ends_on": dt.date(2010, 8, 31),
    "own_end": None,
    "is_delegation": False,
    "to_self": False,
    "reason": "Congé",
    "on": DAY,
}


def test_a_delegation_with_an_end_and_a_reason_is_fine():
    rules.check_delegation(**GOOD_DELEGATION)


@pytest.mark.parametrize(
    "change",
    [
        {"ends_on": None},
        {"ends_on": dt.date(2010, 6, 29)},
        {"own_end": dt.date(2010, 7, 31)},
        {"reason": "  "},
        {"is_delegation": True},
        {"to_self": True},
    ],
)
def test_a_delegation_is_refused(change):
    with pytest.raises(Refused):
        rules.check_delegation(**GOOD_DELEGATION | change)


@pytest.mark.parametrize(("account", "place", "waits"), [(4, 29, False), (5, 0, True), (0, 30, True)])
def test_guessing_has_to_wait(account, place, waits):
    assert rules.locked(account, place) is waits
