"""``calls.yaml``: schemes of calls for projects and their dated rules (*cahiers des charges*).

A scheme (the single interministerial fund, innovation platforms, training…) has versions of rules. A version stands from
``since``, or from the call numbered ``from_call`` where calls are numbered, until the next one. What a text does not say is
left out: no rate, no threshold and no list is filled in by the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from jalon.core.lang import T, Text
from jalon.policy.faults import day_text
from jalon.policy.reader import Node
from jalon.policy.schema import Sourced
from jalon.policy.shapes import Key, Reading, boolean, code, day, many, natural, number, one_of, record, said, text

NATURES = ("rd", "platform", "non_rd")
KINDS = ("rd", "platform", "training", "sites", "infrastructure", "intelligence", "promotion", "international")
PARTNER_KINDS = ("company", "research", "training", "institute", "other")
PLACES = ("in", "out", "any")
BASES = ("any", "full", "marginal", "study")
EFFECTS = ("refuse", "justify", "warn")
SCOPES = ("project", "partner")
TERRITORIES = ("zone", "cluster", "none")
SOURCES = ("state", "region", "department", "city", "europe", "other")
INSTRUMENTS = ("grant", "repayable_advance", "equity")

RULES: dict[str, tuple[str, Text]] = {
    "companies_min": ("count", T("entreprises indépendantes, au moins", "independent companies, at least")),
    "research_min": (
        "count",
        T("organismes de recherche ou de formation, au moins", "research or training bodies, at least"),
    ),
    "partners_min": ("count", T("partenaires, au moins", "partners, at least")),
    "company_leads": ("yes_no", T("une entreprise est chef de file", "a company leads")),
    "label_needed": ("yes_no", T("labellisé par au moins un pôle", "labelled by at least one cluster")),
    "label_before_closing": ("yes_no", T("label donné avant la clôture", "label given before closing")),
    "no_other_public_funding": (
        "yes_no",
        T("aucun autre financement public sur la même assiette", "no other public funding on the same base"),
    ),
    "foreign_needs_cooperation": (
        "yes_no",
        T(
            "entreprise étrangère admise dans une coopération d'État à État",
            "foreign company admitted under a State-to-State cooperation",
        ),
    ),
    "labelling_territory_share_min": (
        "percent",
        T(
            "part des travaux dans les territoires des pôles qui labellisent, au moins",
            "share of the work in the labelling clusters' territories, at least",
        ),
    ),
    "lead_territory_share_min": (
        "percent",
        T(
            "part des travaux dans le territoire du pôle chef de file, au moins",
            "share of the work in the lead cluster's territory, at least",
        ),
    ),
    "partner_share_max": ("percent", T("part d'un partenaire, au plus", "share of one partner, at most")),
    "partner_share_min": ("percent", T("part d'un partenaire, au moins", "share of one partner, at least")),
    "research_share_max": (
        "percent",
        T(
            "part de l'aide demandée par la recherche, au plus",
            "share of the aid asked for by research bodies, at most",
        ),
    ),
    "budget_min": ("money", T("budget, au moins", "budget, at least")),
    "budget_max": ("money", T("budget, au plus", "budget, at most")),
    "aid_min": ("money", T("aide demandée, au moins", "aid asked for, at least")),
    "aid_max": ("money", T("aide demandée, au plus", "aid asked for, at most")),
    "aid_per_partner_max": ("money", T("aide demandée par partenaire, au plus", "aid asked for by a partner, at most")),
    "months_max": ("months", T("durée, au plus", "duration, at most")),
}
"""Rules that the code answers (projects/rules.py): unit of the value, and how the rule is said."""


@dataclass(frozen=True, kw_only=True)
class Eligibility(Sourced):
    """One condition. ``effect``: refuse (not admissible), justify (a reason is asked for), warn (said, nothing more)."""

    rule: str
    value: Any
    effect: str


@dataclass(frozen=True, kw_only=True)
class SizeClass(Sourced):
    """A class of size for the rates: the codes of size schemes that fall in it, and thresholds where a text gives them."""

    code: str
    title: Text
    codes: tuple[str, ...]
    headcount_from: int | None
    headcount_below: int | None
    turnover_below: Decimal | None


@dataclass(frozen=True, kw_only=True)
class AidRate(Sourced):
    """The call's rate in percent of eligible cost for kinds of partner × size × place (in the territory) × cost basis."""

    kinds: tuple[str, ...]
    sizes: tuple[str, ...]
    place: str
    basis: str
    percent: Decimal
    amount_max: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Criterion(Sourced):
    code: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class PaperRule(Sourced):
    """A paper asked for: of the project or of each partner; ``required`` at submission."""

    code: str
    title: Text
    scope: str
    required: bool
    confidential: bool


@dataclass(frozen=True, kw_only=True)
class FunderRule(Sourced):
    """Who may pay, and in what form."""

    source: str
    title: Text
    instruments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CostCategory(Sourced):
    code: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class CallRulesVersion(Sourced):
    """The rules of a scheme from a day (or from a call) on. ``territory`` says on which place the SME rate hangs."""

    code: str
    title: Text
    since: date
    until: date | None
    from_call: int | None
    territory: str
    eligibility: tuple[Eligibility, ...]
    sizes: tuple[SizeClass, ...]
    rates: tuple[AidRate, ...]
    criteria: tuple[Criterion, ...]
    papers: tuple[PaperRule, ...]
    funders: tuple[FunderRule, ...]
    categories: tuple[CostCategory, ...]
    notes: tuple[Text, ...]


@dataclass(frozen=True, kw_only=True)
class Scheme(Sourced):
    """A family of calls. ``nature``: rd, platform, non_rd; ``kind``: what is financed."""

    code: str
    title: Text
    short: Text
    nature: str
    kind: str
    description: Text | None
    versions: tuple[CallRulesVersion, ...]

    def version_for(self, day_: date, number_: int | None = None) -> CallRulesVersion | None:
        """The rules for a call opened on a day, or with a number where rules hang on numbers; None without any."""
        found = None
        for version in self.versions:
            if version.from_call is not None and number_ is not None:
                if number_ >= version.from_call:
                    found = version
            elif version.since <= day_ and (version.until is None or day_ <= version.until):
                found = version
        return found


def _value(node: Node, reading: Reading) -> Any:
    if isinstance(node.value, bool):
        return node.value
    return number(node, reading)


def _eligibility(built: Eligibility, node: Node, reading: Reading) -> None:
    unit = RULES[built.rule][0]
    if (unit == "yes_no") != isinstance(built.value, bool):
        expected = T("true ou false", "true or false") if unit == "yes_no" else T("un nombre", "a number")
        reading.fault(node.get("value") or node, said(node.get("value") or node), expected)
    elif unit == "percent" and not 0 <= built.value <= 100:
        reading.fault(
            node.get("value") or node,
            T("{v} %", "{v} %", v=built.value),
            T("un pourcentage de 0 à 100", "a percentage from 0 to 100"),
        )


def _rate(built: AidRate, node: Node, reading: Reading) -> None:
    if not 0 <= built.percent <= 100:
        reading.fault(
            node.get("percent") or node,
            T("{v} %", "{v} %", v=built.percent),
            T("un taux de 0 à 100", "a rate from 0 to 100"),
        )


def _versions(built: Scheme, node: Node, reading: Reading) -> None:
    places = getattr(node.get("versions"), "elements", [])
    for position, (before, after) in enumerate(pairwise(built.versions), start=1):
        if after.since <= before.since:
            reading.fault(
                places[position],
                T("{d}", "{d}", d=day_text(after.since)),
                T(
                    "une date après la version précédente ({d})",
                    "a date after the version before ({d})",
                    d=day_text(before.since),
                ),
                key="since",
            )
    for place, version in zip(places, built.versions, strict=False):
        known = {size.code for size in version.sizes}
        for rate in version.rates:
            for size in rate.sizes:
                if size not in known:
                    reading.fault(
                        place,
                        T("la taille « {s} »", "the size “{s}”", s=size),
                        T("l’une de {k}", "one of {k}", k=", ".join(sorted(known)) or "–"),
                        key="rates",
                    )


CODE, TEXT, FLAG = Key(code), Key(text), Key(boolean)
ELIGIBILITY = record(
    Eligibility,
    {"rule": Key(one_of(list(RULES))), "value": Key(_value), "effect": Key(one_of(EFFECTS), "refuse")},
    sourced=True,
    check=_eligibility,
)
SIZE = record(
    SizeClass,
    {
        "code": CODE,
        "title": TEXT,
        "codes": Key(many(code, unique="")),
        "headcount_from": Key(natural, None),
        "headcount_below": Key(natural, None),
        "turnover_below": Key(number, None),
    },
    sourced=True,
)
RATE = record(
    AidRate,
    {
        "kinds": Key(many(one_of(PARTNER_KINDS), unique="", least=1)),
        "sizes": Key(many(code, unique=""), ()),
        "place": Key(one_of(PLACES), "any"),
        "basis": Key(one_of(BASES), "any"),
        "percent": Key(number),
        "amount_max": Key(number, None),
    },
    sourced=True,
    check=_rate,
)
NAMED = {"code": CODE, "title": TEXT}
CRITERION = record(Criterion, NAMED, sourced=True)
PAPER = record(
    PaperRule,
    {**NAMED, "scope": Key(one_of(SCOPES), "project"), "required": FLAG, "confidential": Key(boolean, True)},
    sourced=True,
)
# ``source`` is a key of the record itself (who pays), so that only ``reference`` can name the text.
FUNDER = record(
    FunderRule,
    {"source": Key(one_of(SOURCES)), "title": TEXT, "instruments": Key(many(one_of(INSTRUMENTS), unique=""), ())},
    sourced=True,
    own_source=True,
)
CATEGORY = record(CostCategory, NAMED, sourced=True)
VERSION = record(
    CallRulesVersion,
    {
        **NAMED,
        "since": Key(day),
        "until": Key(day, None),
        "from_call": Key(natural, None),
        "territory": Key(one_of(TERRITORIES), "none"),
        "eligibility": Key(many(ELIGIBILITY, unique="rule"), ()),
        "sizes": Key(many(SIZE, unique="code"), ()),
        "rates": Key(many(RATE), ()),
        "criteria": Key(many(CRITERION, unique="code"), ()),
        "papers": Key(many(PAPER, unique="code"), ()),
        "funders": Key(many(FUNDER, unique="source"), ()),
        "categories": Key(many(CATEGORY, unique="code"), ()),
        "notes": Key(many(text), ()),
    },
    sourced=True,
)
SCHEME = record(
    Scheme,
    {
        **NAMED,
        "short": TEXT,
        "nature": Key(one_of(NATURES)),
        "kind": Key(one_of(KINDS)),
        "description": Key(text, None),
        "versions": Key(many(VERSION, unique="code", least=1)),
    },
    sourced=True,
    check=_versions,
)

KEYS = {"schemes": Key(many(SCHEME, unique="code"), ())}


def scheme(part: Any, wanted: str) -> Scheme | None:
    """The scheme of that code, or None (also when the programme has no calls)."""
    return next((s for s in part.schemes if s.code == wanted), None) if part is not None else None
