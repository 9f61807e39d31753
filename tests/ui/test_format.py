"""Formats, in tables: value, French, English."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from jalon.core.lang import speaking
from jalon.ui import format as fmt

N, T = fmt.NBSP, fmt.THIN


@pytest.mark.parametrize(
    ("function", "value", "french", "english"),
    [
        (fmt.day, date(2010, 5, 11), f"11{N}mai 2010", f"11{N}May 2010"),
        (fmt.day, date(2010, 6, 1), f"1er{N}juin 2010", f"1{N}June 2010"),
        (fmt.day, "2004-02-29", f"29{N}février 2004", f"29{N}February 2004"),
        (fmt.day, "avant 2004", "avant 2004", "avant 2004"),
        (fmt.day, None, "inconnu", "unknown"),
        (fmt.day, "", "inconnu", "unknown"),
        (fmt.day_long, date(2010, 5, 11), f"mardi 11{N}mai 2010", f"Tuesday 11{N}May 2010"),
        (fmt.day_short, date(2010, 5, 1), "01/05/2010", f"1{N}May{N}2010"),
        (fmt.month, date(2010, 8, 1), "août 2010", "August 2010"),
        (fmt.quarter, date(2010, 5, 11), f"2e{N}trimestre 2010", "2nd quarter of 2010"),
        (fmt.quarter, date(2010, 1, 1), f"1er{N}trimestre 2010", "1st quarter of 2010"),
        (
            fmt.moment,
            datetime(2010, 5, 11, 12, 32, tzinfo=UTC),
            f"11{N}mai 2010 à 14{N}h{N}32",
            f"11{N}May 2010 at 14:32",
        ),
        (fmt.moment, None, "inconnu", "unknown"),
        (fmt.number, 1234567, f"1{T}234{T}567", "1,234,567"),
        (fmt.number, D("1234.50"), f"1{T}234,5", "1,234.5"),
        (fmt.number, D("-0.25"), "−0,25", "−0.25"),
        (fmt.number, 0, "0", "0"),
        (fmt.number, None, "inconnu", "unknown"),
        (fmt.number, "n.c.", "n.c.", "n.c."),
        (fmt.number, D("NaN"), "NaN", "NaN"),
        (fmt.signed, 12, "+12", "+12"),
        (fmt.signed, D("-3.5"), "−3,5", "−3.5"),
        (fmt.money, D("1234.5"), f"1{T}234,50{N}€", "€1,234.50"),
        (fmt.money, 400000, f"400{T}000{N}€", "€400,000"),
        (fmt.money, -5, f"−5{N}€", "−€5"),
        (fmt.money, None, "inconnu", "unknown"),
        (fmt.money_short, 1093000, f"1,09{N}M€", "€1.09m"),
        (fmt.money_short, 350000, f"350{N}k€", "€350k"),
        (fmt.money_short, D("1500000000"), f"1,5{N}Md€", "€1.5bn"),
        (fmt.money_short, 0, f"0{N}€", "€0"),
        (fmt.percent, D("12.5"), f"12,5{N}%", "12.5%"),
        (fmt.percent, 57, f"57{N}%", "57%"),
        (fmt.percent, None, "inconnu", "unknown"),
        (fmt.ratio, D("0.125"), f"12,5{N}%", "12.5%"),
        (fmt.filesize, 0, f"0{N}octet", f"0{N}byte"),
        (fmt.filesize, 1258291, f"1,3{N}Mo", f"1.3{N}MB"),
        (fmt.filesize, 999, f"999{N}octets", f"999{N}bytes"),
        (fmt.ordinal, 1, "1er", "1st"),
        (fmt.ordinal, 12, "12e", "12th"),
        (fmt.ordinal, 22, "22e", "22nd"),
        (fmt.duration_days, 1, f"1{N}jour", f"1{N}day"),
        (fmt.duration_days, 45, f"45{N}jours", f"45{N}days"),
    ],
)
def test_written(function, value, french, english):
    assert function(value, lang="fr") == french
    assert function(value, lang="en") == english


def test_language_spoken_is_the_default():
    with speaking("en"):
        assert fmt.number(1234.5) == "1,234.5"
    with speaking("fr"):
        assert fmt.number(1234.5) == f"1{T}234,5"


@pytest.mark.parametrize(
    ("starts", "ends", "french"),
    [
        (date(2009, 1, 1), date(2011, 12, 31), f"du 1er{N}janvier 2009 au 31{N}décembre 2011"),
        (date(2005, 7, 12), None, f"depuis le 12{N}juillet 2005"),
        (None, date(2005, 7, 12), f"jusqu’au 12{N}juillet 2005"),
        (None, None, "inconnu"),
    ],
)
def test_period(starts, ends, french):
    assert fmt.period(starts, ends, "fr") == french


@pytest.mark.parametrize(
    ("amount", "currency", "french", "english"),
    [
        (D("1500.50"), "XPF", f"1{T}501{N}XPF", f"XPF{N}1,501"),
        (D("1500.50"), "CHF", f"1{T}500,50{N}CHF", f"CHF{N}1,500.50"),
        (D("1500000"), "PLN", None, "zł1,500,000"),
        (D("12.30"), "GBP", f"12,30{N}£", "£12.30"),
    ],
)
def test_other_currencies(amount, currency, french, english):
    if french:
        assert fmt.money(amount, currency, "fr") == french
    assert fmt.money(amount, currency, "en") == english


def test_currency_of_the_programme():
    with fmt.paying_in("GBP"):
        assert fmt.money(3, lang="en") == "£3"
        assert fmt.value(3, "money", "en") == "£3"
    assert fmt.money(3, lang="en") == "€3"


@pytest.mark.parametrize(
    ("days", "french", "english"),
    [
        (0, "aujourd’hui", "today"),
        (1, "demain", "tomorrow"),
        (-1, "hier", "yesterday"),
        (15, f"dans 15{N}jours", f"in 15{N}days"),
        (-2, f"il y a 2{N}jours", f"2{N}days ago"),
        (92, f"dans 3{N}mois", f"in 3{N}months"),
        (-1100, f"il y a 3{N}ans", f"3{N}years ago"),
    ],
)
def test_distance(days, french, english):
    today = date(2010, 6, 30)
    target = date.fromordinal(today.toordinal() + days)
    assert fmt.distance(target, today, "fr") == french
    assert fmt.distance(target, today, "en") == english


def test_value_carries_its_unit():
    assert fmt.value(11, "ETP", "fr") == f"11{N}ETP"
    assert fmt.value(None, "ETP", "fr") == "inconnu"
    assert fmt.value(57, "%", "fr") == f"57{N}%"
