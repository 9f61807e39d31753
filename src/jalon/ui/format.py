"""How values are written: dates in words, numbers with thin spaces, money, shares.

Pure functions of a value and a language (``lang``; the language spoken now when it is not given).
A value that is not known is written « inconnu » or "unknown", never zero. Strings that are neither
a date nor a number are given back as they are, so that a formatter never hides what was stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from jalon.core.lang import T, language

NBSP = "\u00a0"
THIN = "\u202f"
MINUS = "\u2212"

UNKNOWN = T("inconnu", "unknown")

MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "en": "January February March April May June July August September October November December".split(),
}
MONTHS_SHORT = {
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.".split(),
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
}
WEEKDAYS = {
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
}

SYMBOLS = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "KRW": "₩",
    "CAD": "CA$",
    "AUD": "A$",
    "PLN": "zł",
}
"""Signs of currencies; any other is written with its ISO 4217 code."""
NO_CENTS = frozenset({"JPY", "KRW", "XOF", "XAF", "XPF", "CLP", "ISK", "VND", "RWF", "UGX"})
"""Currencies without a smaller unit in use (ISO 4217)."""


_currency: ContextVar[str] = ContextVar("jalon_currency", default="EUR")


def set_currency(code: str) -> None:
    """The currency of the programme served by this thread (ISO 4217), for amounts that name none."""
    _currency.set(code)


@contextmanager
def paying_in(code: str) -> Iterator[None]:
    """Write amounts in ``code`` within the block; used by commands, letters and exports."""
    token = _currency.set(code)
    try:
        yield
    finally:
        _currency.reset(token)


def unknown(lang: str | None = None) -> str:
    """The word for what is not known."""
    return UNKNOWN.in_language(lang or language())


def as_date(value: Any) -> date | None:
    """A date out of a date, a datetime (local day) or an ISO text; None when it is none of them."""
    if isinstance(value, datetime):
        return _local(value).date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


def as_decimal(value: Any) -> Decimal | None:
    """A decimal out of a number or its text; None when it is none."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    try:
        found = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return found if found.is_finite() else None


def _local(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value
    from django.utils import timezone

    return timezone.localtime(value)


def _dated(write: Callable[[date, str], str]) -> Callable[..., str]:
    def written(value: Any, lang: str | None = None) -> str:
        lang = lang or language()
        if value is None or value == "":
            return unknown(lang)
        found = as_date(value)
        return str(value) if found is None else write(found, lang)

    written.__name__ = write.__name__
    written.__doc__ = write.__doc__
    return written


@_dated
def day(value: date, lang: str) -> str:
    """« 11 mai 2010 », « 1er juin 2010 »; "11 May 2010"."""
    number_ = "1er" if lang == "fr" and value.day == 1 else str(value.day)
    return f"{number_}{NBSP}{MONTHS[lang][value.month - 1]} {value.year}"


@_dated
def day_long(value: date, lang: str) -> str:
    """With the day of the week: « mardi 11 mai 2010 »; "Tuesday 11 May 2010"."""
    return f"{WEEKDAYS[lang][value.weekday()]} {day(value, lang)}"


@_dated
def day_short(value: date, lang: str) -> str:
    """For narrow columns: « 11/05/2010 »; "11 May 2010"."""
    if lang == "fr":
        return f"{value.day:02d}/{value.month:02d}/{value.year}"
    return f"{value.day}{NBSP}{MONTHS_SHORT['en'][value.month - 1]}{NBSP}{value.year}"


@_dated
def day_month(value: date, lang: str) -> str:
    """Without the year, for lists already sorted by year: « 11 mai »; "11 May"."""
    number_ = "1er" if lang == "fr" and value.day == 1 else str(value.day)
    return f"{number_}{NBSP}{MONTHS_SHORT[lang][value.month - 1]}"


@_dated
def month(value: date, lang: str) -> str:
    """« mai 2010 »; "May 2010"."""
    return f"{MONTHS[lang][value.month - 1]} {value.year}"


@_dated
def month_short(value: date, lang: str) -> str:
    """« févr. 2010 »; "Feb 2010"."""
    return f"{MONTHS_SHORT[lang][value.month - 1]} {value.year}"


@_dated
def quarter(value: date, lang: str) -> str:
    """« 2e trimestre 2010 »; "2nd quarter of 2010"."""
    rank = (value.month + 2) // 3
    if lang == "fr":
        return f"{ordinal(rank, lang)}{NBSP}trimestre {value.year}"
    return f"{ordinal(rank, lang)} quarter of {value.year}"


def clock_time(value: datetime, lang: str | None = None) -> str:
    """« 14 h 32 »; "14:32"."""
    lang = lang or language()
    value = _local(value)
    if lang == "fr":
        return f"{value.hour}{NBSP}h{NBSP}{value.minute:02d}"
    return f"{value.hour:02d}:{value.minute:02d}"


def moment(value: Any, lang: str | None = None) -> str:
    """Day and time: « 11 mai 2010 à 14 h 32 »; "11 May 2010 at 14:32"."""
    lang = lang or language()
    if value is None or value == "":
        return unknown(lang)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if not isinstance(value, datetime):
        return day(value, lang)
    joint = "à" if lang == "fr" else "at"
    return f"{day(value, lang)} {joint} {clock_time(value, lang)}"


def period(starts: Any, ends: Any, lang: str | None = None) -> str:
    """« du 1er janvier 2009 au 31 décembre 2011 »; open ends are said in words.

    An end that is absent is an open period, as the texts write it; both absent is unknown.
    """
    lang = lang or language()
    first, last = as_date(starts), as_date(ends)
    if first is None and last is None:
        return unknown(lang)
    if last is None:
        return f"depuis le {day(first, lang)}" if lang == "fr" else f"since {day(first, lang)}"
    if first is None:
        return f"jusqu’au {day(last, lang)}" if lang == "fr" else f"until {day(last, lang)}"
    if lang == "fr":
        return f"du {day(first, lang)} au {day(last, lang)}"
    return f"{day(first, lang)} to {day(last, lang)}"


def ordinal(value: int, lang: str | None = None) -> str:
    """« 1er », « 2e »; "1st", "2nd"."""
    lang = lang or language()
    if lang == "fr":
        return "1er" if value == 1 else f"{value}e"
    if 10 <= value % 100 <= 20:
        return f"{value}th"
    return f"{value}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th') }"


def _grouped(value: Decimal, places: int | None, lang: str) -> str:
    """Digits with their separators; ``places`` None keeps the decimals that are there."""
    if places is None:
        text = f"{value:f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
    else:
        text = f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"
    sign = ""
    if text.startswith("-"):
        text = text[1:]
        sign = MINUS if text.strip("0.") else ""
    whole, _, rest = text.partition(".")
    whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", THIN if lang == "fr" else ",", whole)
    return sign + whole + (("," if lang == "fr" else ".") + rest if rest else "")


def number(value: Any, places: int | None = None, lang: str | None = None) -> str:
    """« 1 234,5 » with thin no-break spaces; "1,234.5". ``places`` fixes the decimals."""
    lang = lang or language()
    found = as_decimal(value)
    if found is None:
        return unknown(lang) if value is None or value == "" else str(value)
    return _grouped(found, places, lang)


def signed(value: Any, places: int | None = None, lang: str | None = None) -> str:
    """A difference, always with its sign: « +12 », « −3,5 »."""
    found = as_decimal(value)
    text = number(value, places, lang)
    return "+" + text if found is not None and found > 0 else text


def money(value: Any, currency: str | None = None, lang: str | None = None, *, cents: bool | None = None) -> str:
    """« 1 234,50 € »; "€1,234.50". ``cents`` None shows them only when there are some."""
    lang = lang or language()
    found = as_decimal(value)
    if found is None:
        return unknown(lang) if value is None or value == "" else str(value)
    currency = currency or _currency.get()
    places = 2
    if currency in NO_CENTS or (cents is None and found == found.to_integral_value()) or cents is False:
        places = 0
    return _with_currency(_grouped(found, places, lang), currency, lang)


def money_short(value: Any, currency: str | None = None, lang: str | None = None) -> str:
    """Rounded for headlines and charts: « 1,5 M€ », « 350 k€ »; "€1.5m", "€350k".

    Three significant digits at most; the exact amount belongs beside it, in a table or a title.
    """
    lang = lang or language()
    found = as_decimal(value)
    if found is None:
        return unknown(lang) if value is None or value == "" else str(value)
    currency = currency or _currency.get()
    scales = [
        (Decimal(10) ** 9, "Md" if lang == "fr" else "bn"),
        (Decimal(10) ** 6, "M" if lang == "fr" else "m"),
        (Decimal(10) ** 3, "k"),
    ]
    for step, letter in scales:
        if abs(found) >= step * (1 if step > 1000 else 10):
            share = found / step
            size = abs(share)
            places = 0 if size >= 100 else 1 if size >= 10 else 2
            text = _grouped(share.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP), None, lang)
            return _with_currency(text, currency, lang, letter)
    return money(found, currency, lang, cents=False if abs(found) >= 100 else None)


def _with_currency(text: str, currency: str, lang: str, letter: str = "") -> str:
    sign = SYMBOLS.get(currency, currency)
    if lang == "fr":
        return f"{text}{NBSP}{letter}{sign}" if len(sign) == 1 or not letter else f"{text}{NBSP}{letter}{NBSP}{sign}"
    minus = MINUS if text.startswith(MINUS) else ""
    text = text.removeprefix(MINUS)
    if len(sign) > 3 or (sign.isalpha() and sign == currency):
        return f"{minus}{sign}{NBSP}{text}{letter}"
    return f"{minus}{sign}{text}{letter}"


def percent(value: Any, places: int | None = None, lang: str | None = None) -> str:
    """A figure already in percent: 12.5 -> « 12,5 % »; "12.5%"."""
    lang = lang or language()
    found = as_decimal(value)
    if found is None:
        return unknown(lang) if value is None or value == "" else str(value)
    if places is None:
        found = found.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return _grouped(found, places, lang) + (f"{NBSP}%" if lang == "fr" else "%")


def ratio(value: Any, places: int | None = None, lang: str | None = None) -> str:
    """A share between 0 and 1: 0.125 -> « 12,5 % »."""
    found = as_decimal(value)
    return percent(value if found is None else found * 100, places, lang)


def filesize(value: Any, lang: str | None = None) -> str:
    """« 1,2 Mo »; "1.2 MB" (powers of ten, as file managers count today)."""
    lang = lang or language()
    found = as_decimal(value)
    if found is None:
        return unknown(lang) if value is None or value == "" else str(value)
    byte = "o" if lang == "fr" else "B"
    for step, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if found >= step:
            share = (found / step).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
            return f"{_grouped(share, None, lang)}{NBSP}{letter}{byte}"
    word = ("octet" if lang == "fr" else "byte") + ("" if found < 2 else "s")
    return f"{_grouped(found, 0, lang)}{NBSP}{word}"


def value(figure: Any, unit: str | None = None, lang: str | None = None, *, currency: str | None = None) -> str:
    """A figure with its unit: « 12,5 % », « 1,2 M€ », « 11 ETP ».

    ``unit`` may be ``%``, ``ratio``, ``money`` (or an ISO code), or any word written after the figure.
    """
    lang = lang or language()
    if unit in ("%", "percent"):
        return percent(figure, None, lang)
    if unit == "ratio":
        return ratio(figure, None, lang)
    if unit in ("money", "€"):
        return money(figure, currency, lang)
    if unit in SYMBOLS or unit in NO_CENTS:
        return money(figure, unit, lang)
    text = number(figure, None, lang)
    if not unit or as_decimal(figure) is None:
        return text
    return f"{text}{NBSP}{unit}"


def duration_days(days: int, lang: str | None = None) -> str:
    """« 1 jour », « 45 jours »; "1 day", "45 days"."""
    lang = lang or language()
    if lang == "fr":
        return f"{number(days, 0, lang)}{NBSP}jour{'' if abs(days) < 2 else 's'}"
    return f"{number(days, 0, lang)}{NBSP}day{'' if abs(days) == 1 else 's'}"


def distance(target: date, today: date, lang: str | None = None) -> str:
    """How far a day is from today: « aujourd’hui », « dans 3 jours », « il y a 2 mois »."""
    lang = lang or language()
    days = (target - today).days
    if days == 0:
        return "aujourd’hui" if lang == "fr" else "today"
    if abs(days) == 1:
        return {("fr", 1): "demain", ("fr", -1): "hier", ("en", 1): "tomorrow", ("en", -1): "yesterday"}[(lang, days)]
    size = abs(days)
    if size < 61:
        text = duration_days(size, lang)
    elif size < 731:
        months = round(size / 30.44)
        text = f"{months}{NBSP}{'mois' if lang == 'fr' else 'months'}"
    else:
        text = f"{size // 365}{NBSP}{'ans' if lang == 'fr' else 'years'}"
    if lang == "fr":
        return f"dans {text}" if days > 0 else f"il y a {text}"
    return f"in {text}" if days > 0 else f"{text} ago"
