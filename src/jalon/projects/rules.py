"""What calls ask of projects, as pure functions of plain values.

Basis: the specifications of the calls of the single interministerial fund, as far as they could be read (policies/…/calls.yaml
names the text behind each rule). Amounts are euros as Decimal; shares and rates are percentages from 0 to 100. The rules of
a call are the plain mapping that :func:`resolve` makes from a version of a scheme, kept with the call.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import combinations
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.parts.calls import RULES
from jalon.policy.rules import plus
from jalon.projects import states

MAX_AMOUNT = Decimal("999999999999.99")
MAX_TEXT = 60_000
"""Longest text of a section, in characters: some twenty printed pages."""
MAX_PARTNERS = 60
MAX_MONTHS = 120
LEVELS = ("submit", "refuse", "justify", "warn")
"""What a gap does: keeps the file from being handed in, makes it inadmissible, asks for a reason, is only said."""


@dataclass(frozen=True)
class Line:
    """A line of a partner's budget."""

    year: int
    category: str
    amount: Decimal
    frascati: str = ""
    aid_class: str = ""

    @property
    def key(self) -> tuple[int, str, str, str]:
        return (self.year, self.category, self.frascati, self.aid_class)


@dataclass(frozen=True)
class Member:
    """A partner as plain values; ``organisation`` is anything that names it, ``asked`` the aid it asks for."""

    key: str
    name: str
    organisation: Any = None
    role: str = "partner"
    kind: str = "company"
    size: str = ""
    department: str = ""
    in_territory: bool | None = None
    country: str = "FR"
    cooperation: str = ""
    group: str = ""
    basis: str = ""
    asked: Decimal | None = None
    lines: tuple[Line, ...] = ()

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True)
class Label:
    """What a pôle said about the project; ``departments`` are those of its territory (None: not known).

    ``counts``: False for a label under conditions where the policy has it count only once they are lifted.
    """

    cluster: str
    name: str
    outcome: str
    decided_on: dt.date
    lead: bool = False
    departments: frozenset[str] | None = None
    counts: bool = True

    @property
    def given(self) -> bool:
        return self.outcome in ("labelled", "conditions")


@dataclass(frozen=True)
class File:
    """A project's file as plain values."""

    acronym: str = ""
    title: str = ""
    summary: str = ""
    confidential: str = ""
    starts_on: dt.date | None = None
    months: int | None = None
    trl_entry: int | None = None
    trl_target: int | None = None
    other_funding: bool | None = None
    justifications: Mapping[str, str] = field(default_factory=dict)
    territory: tuple[tuple[str, Decimal], ...] = ()
    members: tuple[Member, ...] = ()
    labels: tuple[Label, ...] = ()
    papers: frozenset[tuple[str, str]] = frozenset()
    linked: frozenset[frozenset[Any]] = frozenset()

    @property
    def total(self) -> Decimal:
        return sum((m.total for m in self.members), Decimal(0))

    @property
    def leader(self) -> Member | None:
        return next((m for m in self.members if m.role == "leader"), None)


@dataclass(frozen=True)
class Gap:
    """One thing that stands in the way, in one sentence: where it is mended, what it does, why it is asked."""

    code: str
    text: Text
    section: str
    level: str
    why: Why
    partner: str = ""


# -- a call's rules -----------------------------------------------------------------------------------------------


def resolve(scheme: Any, version: Any) -> dict[str, Any]:
    """A version of a scheme's rules as the plain mapping that a call keeps: whole, with the text behind each rule."""

    def source(thing: Any) -> dict[str, Any]:
        return {
            "reference": thing.reference,
            "url": thing.url or "",
            "reading": thing.reading,
            "to_confirm": thing.to_confirm,
        }

    def value(one: Any) -> Any:
        return str(one) if isinstance(one, Decimal) else one

    def pair(text: Text) -> dict[str, str]:
        return {"fr": text.fr, "en": text.en}

    return {
        "scheme": scheme.code,
        "version": version.code,
        "title": pair(version.title),
        "nature": scheme.nature,
        "kind": scheme.kind,
        "territory": version.territory,
        **source(version),
        "eligibility": [
            {"rule": e.rule, "value": value(e.value), "unit": RULES[e.rule][0], "effect": e.effect, **source(e)}
            for e in version.eligibility
        ],
        "sizes": [
            {
                "code": s.code,
                "title": pair(s.title),
                "codes": list(s.codes),
                "headcount_from": s.headcount_from,
                "headcount_below": s.headcount_below,
                "turnover_below": value(s.turnover_below),
                **source(s),
            }
            for s in version.sizes
        ],
        "rates": [
            {
                "kinds": list(r.kinds),
                "sizes": list(r.sizes),
                "place": r.place,
                "basis": r.basis,
                "percent": value(r.percent),
                "amount_max": value(r.amount_max),
                **source(r),
            }
            for r in version.rates
        ],
        "criteria": [{"code": c.code, "title": pair(c.title), **source(c)} for c in version.criteria],
        "papers": [
            {
                "code": p.code,
                "title": pair(p.title),
                "scope": p.scope,
                "required": p.required,
                "confidential": p.confidential,
                **source(p),
            }
            for p in version.papers
        ],
        "funders": [
            {"source": f.source, "title": pair(f.title), "instruments": list(f.instruments), **source(f)}
            for f in version.funders
        ],
        "categories": [{"code": c.code, "title": pair(c.title), **source(c)} for c in version.categories],
        "notes": [pair(n) for n in version.notes],
    }


def rule_of(rules: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The condition of that name, or None when the call does not set it."""
    return next((e for e in rules.get("eligibility", ()) if e["rule"] == name), None)


def said(pair: Any) -> Any:
    """A pair of texts kept as a mapping, as a Text."""
    return (
        T(pair["fr"].replace("{", "{{").replace("}", "}}"), pair["en"].replace("{", "{{").replace("}", "}}"))
        if isinstance(pair, Mapping)
        else pair
    )


def category_codes(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Cost categories of the call by code."""
    return {c["code"]: said(c["title"]) for c in rules.get("categories", ())}


def shown_value(value: Any, unit: str) -> Text | str:
    """A condition's value as read."""
    from jalon.ui import format as fmt

    if unit == "yes_no":
        return T("oui", "yes") if value in (True, "true") else T("non", "no")
    number = Decimal(str(value))
    if unit == "money":
        return T(fmt.money(number, "EUR", "fr"), fmt.money(number, "EUR", "en"))
    if unit == "percent":
        return T("{v} %", "{v}%", v=fmt.number(number))
    if unit == "months":
        return T("{v} mois", "{v} months", v=value)
    return T("{v}", "{v}", v=value)


@dataclass(frozen=True)
class RuleChange:
    """What a version of rules changed: the part, what it was, what it is (None: not there)."""

    part: str
    name: Any
    before: Any
    after: Any


def compare_rules(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[RuleChange]:
    """What differs between two versions of a call's rules, condition by condition, rate by rate, paper by paper."""
    found: list[RuleChange] = []

    def rows(part: str, keyed: Any, shown: Any, named: Any) -> None:
        old = {keyed(r): r for r in before.get(part, ())}
        new = {keyed(r): r for r in after.get(part, ())}
        for key in [*old, *(k for k in new if k not in old)]:
            one, two = old.get(key), new.get(key)
            a, b = (shown(one) if one else None), (shown(two) if two else None)
            if str(a) != str(b):
                found.append(RuleChange(part, named(two or one), a, b))

    rows(
        "eligibility",
        lambda r: r["rule"],
        lambda r: T("{v} ({e})", "{v} ({e})", v=shown_value(r["value"], r["unit"]), e=EFFECT_TITLES[r["effect"]]),
        lambda r: RULES[r["rule"]][1] if r["rule"] in RULES else r["rule"],
    )
    rows(
        "rates",
        lambda r: (tuple(r["kinds"]), tuple(r["sizes"]), r["place"], r["basis"]),
        lambda r: T("{p} %", "{p}%", p=r["percent"]),
        rate_name,
    )
    for part in ("criteria", "categories"):
        rows(part, lambda r: r["code"], lambda r: said(r["title"]), lambda r: said(r["title"]))
    rows(
        "papers",
        lambda r: r["code"],
        lambda r: T("exigée", "required") if r["required"] else T("facultative", "optional"),
        lambda r: said(r["title"]),
    )
    rows("funders", lambda r: r["source"], lambda r: ", ".join(r["instruments"]), lambda r: said(r["title"]))
    if before.get("territory") != after.get("territory"):
        found.append(
            RuleChange(
                "territory",
                T("lieu du taux majoré", "place of the higher rate"),
                TERRITORY_TITLES.get(before.get("territory", ""), before.get("territory")),
                TERRITORY_TITLES.get(after.get("territory", ""), after.get("territory")),
            )
        )
    return found


EFFECT_TITLES = {
    "refuse": T("condition", "condition"),
    "justify": T("à justifier", "to be justified"),
    "warn": T("signalé", "pointed out"),
}
TERRITORY_TITLES = {
    "zone": T("zone de R&D du pôle", "R&D zone of the cluster"),
    "cluster": T("territoire d'un pôle qui labellise", "territory of a labelling cluster"),
    "none": T("sans effet", "no effect"),
}
PLACE_TITLES = {
    "in": T("dans le territoire", "in the territory"),
    "out": T("ailleurs", "elsewhere"),
    "any": T("tout lieu", "any place"),
}
SIZE_TITLES = {
    "sme": T("PME", "SME"),
    "mid": T("ETI", "mid-size company"),
    "large": T("grande ou autre entreprise", "large or other company"),
}
BASIS_TITLES = {
    "any": T("coût éligible", "eligible cost"),
    "full": T("coût complet", "full cost"),
    "marginal": T("coût marginal", "marginal cost"),
    "study": T("coût des études", "cost of studies"),
}


def rate_name(row: Mapping[str, Any]) -> Text:
    """Which partners a rate is for, in words."""
    return T(
        "{kinds}{sizes}, {place}, {basis}",
        "{kinds}{sizes}, {place}, {basis}",
        kinds=" / ".join(str(states.KINDS.get(k, k)) for k in row["kinds"]),
        sizes=f" ({', '.join(str(SIZE_TITLES.get(s, s)) for s in row['sizes'])})" if row["sizes"] else "",
        place=PLACE_TITLES[row["place"]],
        basis=BASIS_TITLES[row["basis"]],
    )


def call_state(
    opens_on: dt.date | None,
    closes_on: dt.date | None,
    results_on: dt.date | None,
    stored: str,
    day: dt.date,
    *,
    known: bool = False,
) -> str:
    """Where a call stands on a day: what its days say comes before what was written.

    A known call whose closing day was not published is ``unknown`` between the days that are known; a deadline ends at
    midnight of its day, Paris time.
    """
    if stored == "finished":
        return stored
    if results_on is not None and day >= results_on:
        return "decided"
    if stored == "decided" and results_on is None:
        return stored
    if closes_on is not None and day > closes_on:
        return "closed"
    if opens_on is not None and day >= opens_on:
        return "unknown" if known and closes_on is None else "open"
    if known and opens_on is None:
        return "unknown"
    return "preparing"


# -- what is typed ------------------------------------------------------------------------------------------------

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")


def clean(text: Any, *, where: Any, limit: int = MAX_TEXT, line: bool = False) -> str:
    """A text as it is kept: composed accents, no control characters; ``line``: one line.

    Raises:
        Refused: longer than ``limit`` characters.
    """
    text = unicodedata.normalize("NFC", str(text or "").replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROL.sub("", text)
    if line:
        text = " ".join(text.split())
    if len(text) > limit:
        raise Refused(
            T(
                "« {w} » est trop long : {n} caractères, au plus {m}. Rien n'a été enregistré.",
                "“{w}” is too long: {n} characters, at most {m}. Nothing was saved.",
                w=where,
                n=len(text),
                m=limit,
            ),
            kind="input",
        )
    return text


def amount(value: Any, *, where: Any) -> Decimal | None:
    """An amount as typed: French or English decimals, spaces; None when nothing is typed.

    Raises:
        Refused: not a number, negative, more than two decimals, too large.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    text = re.sub(r"[\s\u00a0\u202f€]", "", str(value))
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise _bad(
            where, value, T("un montant en euros, comme 12 500,50", "an amount in euros, such as 12500.50")
        ) from None
    if not found.is_finite():
        raise _bad(where, value, T("un montant en euros", "an amount in euros"))
    if found < 0:
        raise _bad(where, value, T("un montant positif", "a positive amount"))
    if found > MAX_AMOUNT:
        raise _bad(
            where, value, T("un montant d'au plus 999 999 999 999,99", "an amount of at most 999,999,999,999.99")
        )
    if found != found.quantize(Decimal("0.01")):
        raise _bad(where, value, T("un montant au centime près", "an amount to the cent"))
    return found.quantize(Decimal("0.01"))


def _bad(where: Any, found: Any, expected: Text) -> Refused:
    return Refused(
        T(
            "{w} : « {f} » trouvé, attendu {e}.",
            "{w}: “{f}” found, expected {e}.",
            w=where,
            f=str(found)[:60],
            e=expected,
        ),
        kind="input",
    )


def years_of(starts_on: dt.date | None, months: int | None) -> tuple[int, ...] | None:
    """The calendar years in which the project runs; None while its start or duration is not said."""
    if starts_on is None or not months:
        return None
    last = plus(starts_on, months, "months") - dt.timedelta(days=1)
    return tuple(range(starts_on.year, last.year + 1))


def ends_on(starts_on: dt.date | None, months: int | None) -> dt.date | None:
    """The last day of the project as planned."""
    return None if starts_on is None or not months else plus(starts_on, months, "months") - dt.timedelta(days=1)


def check_lines(
    lines: Iterable[Line], *, rules: Mapping[str, Any], years: Sequence[int] | None, where: Any = ""
) -> tuple[Line, ...]:
    """A partner's budget as it is kept.

    Raises:
        Refused: with every fault at once: unknown category or class, a year outside the project, an amount that is not
            positive, a line twice.
    """
    faults: list[Text] = []
    seen: dict[tuple[int, str, str, str], int] = {}
    categories = category_codes(rules)
    kept = []
    for number, line in enumerate(lines, start=1):
        at = T("ligne {n}", "line {n}", n=number)
        faults += line_faults(line, at, categories, years)
        if line.key in seen:
            faults.append(
                T(
                    "{at} : même année, même catégorie et mêmes classes que la ligne {o} ; réunissez-les.",
                    "{at}: same year, category and classes as line {o}; put them together.",
                    at=at,
                    o=seen[line.key],
                )
            )
        seen.setdefault(line.key, number)
        kept.append(line)
    if faults:
        raise Refused(
            T(
                "Le budget{w} ne peut pas être enregistré ; rien n'a été changé.",
                "The budget{w} cannot be saved; nothing was changed.",
                w=T(" de « {x} »", " of “{x}”", x=where) if where else "",
            ),
            missing=faults,
            kind="input",
        )
    return tuple(kept)


def line_faults(line: Line, at: Any, categories: Mapping[str, Any], years: Sequence[int] | None) -> list[Text]:
    """What is wrong with one line, each in one sentence."""
    faults: list[Text] = []
    if line.category not in categories:
        faults.append(
            T(
                "{at} : la catégorie de coût « {c} » n'existe pas dans cet appel ; attendu : {all}.",
                "{at}: there is no cost category “{c}” in this call; expected: {all}.",
                at=at,
                c=line.category or "–",
                all=", ".join(f"{title} ({code})" for code, title in categories.items()) or "–",
            )
        )
    if years is not None and line.year not in years:
        faults.append(
            T(
                "{at} : l'année {y} est hors du projet, qui va de {a} à {b}.",
                "{at}: the year {y} lies outside the project, which runs from {a} to {b}.",
                at=at,
                y=line.year,
                a=years[0],
                b=years[-1],
            )
        )
    elif years is None and not 2000 <= line.year <= 2100:
        faults.append(
            T(
                "{at} : « {y} » n'est pas une année (2000 à 2100).",
                "{at}: “{y}” is no year (2000 to 2100).",
                at=at,
                y=line.year,
            )
        )
    if line.amount <= 0:
        faults.append(
            T(
                "{at} : le montant {v} n'est pas positif ; retirez la ligne si elle n'a pas lieu d'être.",
                "{at}: the amount {v} is not positive; remove the line if it has no reason to be.",
                at=at,
                v=line.amount,
            )
        )
    if line.frascati and line.frascati not in states.FRASCATI:
        faults.append(
            T(
                "{at} : la catégorie de recherche « {c} » est inconnue ; attendu : {all}.",
                "{at}: the research category “{c}” is unknown; expected: {all}.",
                at=at,
                c=line.frascati,
                all=", ".join(states.FRASCATI),
            )
        )
    if line.aid_class and line.aid_class not in states.AID_CLASSES:
        faults.append(
            T(
                "{at} : la classe du règlement d'aides « {c} » est inconnue ; attendu : {all}.",
                "{at}: the class of the aid regulation “{c}” is unknown; expected: {all}.",
                at=at,
                c=line.aid_class,
                all=", ".join(states.AID_CLASSES),
            )
        )
    return faults


def check_territory(rows: Any) -> list[dict[str, Any]]:
    """The places of the work as kept: departments with their share in percent, adding up to 100.

    Raises:
        Refused: a department twice, a share that is not positive, a sum other than 100.
    """
    kept, seen = [], set()
    for row in rows or ():
        department = str(row.get("department", "")).strip().upper()
        if not department:
            continue
        if not re.fullmatch(r"\d{2,3}|2A|2B", department):
            raise _bad(
                T("territoire des travaux", "territory of the work"),
                department,
                T("un numéro de département, comme 33 ou 2A", "a department number, such as 33 or 2A"),
            )
        if department in seen:
            raise Refused(
                T("Le département {d} est donné deux fois.", "The department {d} is given twice.", d=department),
                kind="input",
            )
        seen.add(department)
        share = amount(
            row.get("share"), where=T("part du département {d}", "share of the department {d}", d=department)
        )
        if share is None or share <= 0 or share > 100:
            raise _bad(
                T("part du département {d}", "share of the department {d}", d=department),
                row.get("share"),
                T("un pourcentage entre 0 et 100", "a percentage between 0 and 100"),
            )
        kept.append(
            {"department": department, "share": str(share.normalize() if share % 1 else share.quantize(Decimal(1)))}
        )
    total = sum((Decimal(r["share"]) for r in kept), Decimal(0))
    if kept and total != 100:
        raise Refused(
            T(
                "Les parts du territoire font {t} % ; elles doivent faire 100 %.",
                "The shares of the territory add up to {t}%; they must make 100%.",
                t=total,
            ),
            kind="input",
        )
    return kept


# -- rates --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RateFound:
    """The call's rate for a partner: percent of eligible cost (None: not known), the class of size, why."""

    percent: Decimal | None
    size_class: str
    why: Why
    amount_max: Decimal | None = None


def size_class(rules: Mapping[str, Any], size: str) -> str:
    """The class of size of the call in which a size code falls; empty when it falls in none."""
    return next((s["code"] for s in rules.get("sizes", ()) if size in s["codes"] or size == s["code"]), "")


def rate_of(
    rules: Mapping[str, Any],
    *,
    kind: str,
    size: str = "",
    in_territory: bool | None = None,
    basis: str = "",
    day: dt.date | None = None,
) -> RateFound:
    """The rate that the call gives to a partner. It is not the ceiling of the aid regulation, which is checked apart.

    A rate that hangs on what is not known (place, size, cost basis) is unknown, and the explanation says which.
    """
    group = size_class(rules, size)
    rows = [r for r in rules.get("rates", ()) if kind in r["kinds"]]
    inputs = {
        T("nature", "kind"): states.KINDS.get(kind, kind),
        T("taille", "size"): size or "?",
        T("classe de taille de l'appel", "size class of the call"): group or "–",
        T("dans le territoire", "in the territory"): {
            True: T("oui", "yes"),
            False: T("non", "no"),
            None: T("inconnu", "unknown"),
        }[in_territory],
        T("base de coût", "cost basis"): states.COST_BASES.get(basis, basis),
    }

    def unknown(reason: Text) -> RateFound:
        return RateFound(
            None,
            group,
            Why(
                reason,
                f"calls.{rules.get('version', '')}.rates",
                reference=rules.get("reference", ""),
                url=rules.get("url", ""),
                day=day,
                inputs=inputs,
            ),
        )

    if not rows:
        return unknown(
            T("L'appel ne publie pas de taux pour ce partenaire.", "The call publishes no rate for this partner.")
        )
    if any(r["sizes"] for r in rows):
        if not size:
            return unknown(
                T(
                    "La taille du partenaire n'est pas dite : le taux en dépend.",
                    "The partner's size is not said: the rate hangs on it.",
                )
            )
        rows = [r for r in rows if not r["sizes"] or group in r["sizes"]]
    bases = {r["basis"] for r in rows} - {"any", "study"}
    if bases:
        if not basis:
            return unknown(
                T(
                    "La base de coût (complet ou marginal) n'est pas dite.",
                    "The cost basis (full or marginal) is not said.",
                )
            )
        rows = [r for r in rows if r["basis"] in ("any", "study", basis)]
    places = {r["place"] for r in rows}
    if places & {"in", "out"}:
        if in_territory is None:
            if len({r["percent"] for r in rows}) > 1:
                return unknown(
                    T(
                        "On ne sait pas encore si le partenaire est dans le territoire : le taux en dépend.",
                        "It is not known yet whether the partner is in the territory: the rate hangs on it.",
                    )
                )
        else:
            rows = [r for r in rows if r["place"] in ("any", "in" if in_territory else "out")]
    if not rows:
        return unknown(
            T("L'appel ne publie pas de taux pour ce partenaire.", "The call publishes no rate for this partner.")
        )
    row = rows[0]
    return RateFound(
        Decimal(row["percent"]),
        group,
        Why(
            T("Taux de l'appel : {r}.", "Rate of the call: {r}.", r=rate_name(row)),
            f"calls.{rules.get('version', '')}.rates",
            value=Decimal(row["percent"]),
            unit="percent",
            reference=row["reference"],
            url=row["url"],
            day=day,
            inputs=inputs,
            reading=row["reading"],
            to_confirm=row["to_confirm"],
        ),
        Decimal(row["amount_max"]) if row.get("amount_max") else None,
    )


def aid_of(rules: Mapping[str, Any], member: Member, day: dt.date | None = None) -> tuple[Decimal | None, RateFound]:
    """The aid that the call's rate gives on a partner's budget, to the cent below; None when the rate is not known."""
    found = rate_of(
        rules, kind=member.kind, size=member.size, in_territory=member.in_territory, basis=member.basis, day=day
    )
    if found.percent is None:
        return None, found
    aid = (member.total * found.percent / 100).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
    return (min(aid, found.amount_max) if found.amount_max is not None else aid), found


# -- territory ----------------------------------------------------------------------------------------------------


def places_of(file: File) -> dict[str, Decimal] | None:
    """Share of the work by department in percent: as declared, else by the budgets of partners whose place is known.

    None while a partner with a budget has no department and nothing is declared.
    """
    if file.territory:
        return dict(file.territory)
    total = file.total
    if not total:
        return None
    found: dict[str, Decimal] = {}
    for member in file.members:
        if not member.total:
            continue
        if not member.department:
            return None
        found[member.department] = found.get(member.department, Decimal(0)) + member.total * 100 / total
    return found


def territory_share(places: Mapping[str, Decimal], departments: Iterable[str]) -> Decimal:
    """Share of the work done in a set of departments, in percent, not rounded."""
    wanted = set(departments)
    return sum((share for place, share in places.items() if place in wanted), Decimal(0))


# -- independence -------------------------------------------------------------------------------------------------


def families(members: Sequence[Member], linked: Iterable[frozenset[Any]] = ()) -> list[list[Member]]:
    """Members gathered with those they are not independent of: same declared group, or linked by ownership."""
    parent = list(range(len(members)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    links = set(linked)
    for i, j in combinations(range(len(members)), 2):
        one, two = members[i], members[j]
        same_group = bool(one.group.strip()) and _plain(one.group) == _plain(two.group)
        if same_group or frozenset((one.organisation, two.organisation)) in links:
            parent[root(i)] = root(j)
    found: dict[int, list[Member]] = {}
    for i, member in enumerate(members):
        found.setdefault(root(i), []).append(member)
    return list(found.values())


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).casefold().split())


# -- what stands in the way ----------------------------------------------------------------------------------------


def check(
    file: File,
    rules: Mapping[str, Any],
    *,
    closes_on: dt.date | None = None,
    day: dt.date | None = None,
    trl_limits: Mapping[str, int] | None = None,
) -> list[Gap]:
    """Everything that stands between a file and its submission, then its admissibility, in the order of the sections.

    Args:
        rules: the version of the call's rules that the file obeys.
        closes_on: the last day of the call; labels given later do not count.
        day: the policy day, named in the explanations.
        trl_limits: highest usual TRL by class of the aid regulation; only a warning hangs on it.
    """
    return [
        *_file_gaps(file, rules, day),
        *_trl_gaps(file, rules, day, trl_limits or {}),
        *_consortium_gaps(file, rules, day),
        *_money_gaps(file, rules, day),
        *_paper_gaps(file, rules, day),
        *_label_gaps(file, rules, closes_on, day),
        *_territory_gaps(file, rules, closes_on, day),
    ]


def _shown(share: Decimal) -> str:
    """A share as read: a hundredth at most, so that 70,004 % is not said to be 70 %."""
    from jalon.ui import format as fmt

    return fmt.number(share.quantize(Decimal("0.01"), rounding="ROUND_UP"))


def _why(
    rules: Mapping[str, Any], row: Mapping[str, Any] | None, rule: Text, day: dt.date | None, **inputs: Any
) -> Why:
    name = row["rule"] if row and "rule" in row else (row or {}).get("code", "")
    row = row or {}
    return Why(
        rule,
        f"calls.{rules.get('version', '')}.{name}" if name else f"calls.{rules.get('version', '')}",
        value=None if "value" not in row else row["value"],
        unit=row.get("unit", ""),
        reference=row.get("reference", "") or rules.get("reference", ""),
        url=row.get("url", "") or rules.get("url", ""),
        day=day,
        inputs=inputs,
        reading=bool(row.get("reading")),
        to_confirm=bool(row.get("to_confirm")),
    )


def _file_gaps(file: File, rules: Mapping[str, Any], day: dt.date | None) -> list[Gap]:
    found = []
    whole = T("Un dossier se dépose complet.", "A file is handed in complete.")

    def gap(code: str, section: str, text: Text) -> None:
        found.append(Gap(code, text, section, "submit", _why(rules, None, whole, day)))

    if not file.acronym.strip() or not file.title.strip():
        gap(
            "title",
            "identity",
            T("Identité : donnez le sigle et le titre.", "Identity: give the acronym and the title."),
        )
    if file.starts_on is None or not file.months:
        gap(
            "calendar",
            "identity",
            T("Calendrier : donnez le début et la durée.", "Calendar: give the start and the duration."),
        )
    if not file.summary.strip():
        gap("summary", "summary", T("Le résumé public est vide.", "The public summary is empty."))
    if not file.confidential.strip():
        gap(
            "confidential",
            "confidential",
            T("La description confidentielle est vide.", "The confidential description is empty."),
        )
    row = rule_of(rules, "months_max")
    if row and file.months and file.months > int(row["value"]):
        found.append(
            Gap(
                "months_max",
                T(
                    "Durée de {n} mois : l'appel admet au plus {m}.",
                    "Duration of {n} months: the call allows at most {m}.",
                    n=file.months,
                    m=row["value"],
                ),
                "identity",
                row["effect"],
                _why(rules, row, T("La durée est bornée.", "The duration is bounded."), day),
            )
        )
    row = rule_of(rules, "no_other_public_funding")
    if row and row["value"]:
        rule = T("Aucun autre financement public sur la même assiette.", "No other public funding on the same base.")
        if file.other_funding is None:
            found.append(
                Gap(
                    "other_funding_unsaid",
                    T(
                        "Déclarez si un autre financement public porte sur la même assiette.",
                        "State whether other public funding bears on the same base.",
                    ),
                    "statements",
                    "submit",
                    _why(rules, row, rule, day),
                )
            )
        elif file.other_funding:
            found.append(
                Gap(
                    "other_funding",
                    T(
                        "Un autre financement public porte sur la même assiette.",
                        "Other public funding bears on the same base.",
                    ),
                    "statements",
                    row["effect"],
                    _why(rules, row, rule, day),
                )
            )
    return found


def _trl_gaps(file: File, rules: Mapping[str, Any], day: dt.date | None, limits: Mapping[str, int]) -> list[Gap]:
    found = []
    rule = T(
        "La maturité (TRL) n'est pas un critère juridique : elle avertit quand elle contredit la classe déclarée.",
        "Readiness (TRL) is no legal test: it warns when it disagrees with the declared class.",
    )
    if file.trl_entry and file.trl_target and file.trl_target < file.trl_entry:
        found.append(
            Gap(
                "trl_order",
                T(
                    "Le TRL visé ({t}) est sous le TRL d'entrée ({e}).",
                    "The target TRL ({t}) is below the entry TRL ({e}).",
                    t=file.trl_target,
                    e=file.trl_entry,
                ),
                "trl",
                "warn",
                _why(rules, None, rule, day),
            )
        )
    if rules.get("nature") == "rd":
        amounts: dict[str, Decimal] = {}
        for member in file.members:
            for line in member.lines:
                amounts[line.aid_class] = amounts.get(line.aid_class, Decimal(0)) + line.amount
        main = max(amounts, key=lambda c: amounts[c], default="")
        limit = limits.get(main)
        if limit and file.trl_target and file.trl_target > limit:
            found.append(
                Gap(
                    "trl_class",
                    T(
                        "TRL visé {t}, alors que le budget est surtout de « {c} » : usuellement {m} au plus. À relire.",
                        "Target TRL {t}, while the budget is mostly “{c}”: usually {m} at most. To be read again.",
                        t=file.trl_target,
                        c=states.AID_CLASSES[main],
                        m=limit,
                    ),
                    "trl",
                    "warn",
                    _why(rules, None, rule, day, **{"TRL": file.trl_target}),
                )
            )
    return found


def _consortium_gaps(file: File, rules: Mapping[str, Any], day: dt.date | None) -> list[Gap]:
    found = []

    def gap(
        code: str, text: Text, row: Mapping[str, Any] | None, rule: Text, level: str = "", partner: str = ""
    ) -> None:
        found.append(
            Gap(
                code,
                text,
                "consortium",
                level or (row or {}).get("effect", "refuse"),
                _why(rules, row, rule, day),
                partner,
            )
        )

    if file.leader is None:
        gap(
            "leader",
            T("Le consortium n'a pas de chef de file.", "The consortium has no leader."),
            None,
            T("Un chef de file dépose et répond du dossier.", "A leader hands in the file and answers for it."),
            "submit",
        )
    seen: dict[Any, Member] = {}
    for member in file.members:
        if member.organisation is not None and member.organisation in seen:
            gap(
                "partner_twice",
                T("« {n} » est deux fois dans le consortium.", "“{n}” is twice in the consortium.", n=member.name),
                None,
                T("Un organisme est partenaire une fois.", "An organisation is a partner once."),
                "submit",
                member.key,
            )
        seen[member.organisation] = member
    row = rule_of(rules, "partners_min")
    if row and len(file.members) < int(row["value"]):
        gap(
            "partners_min",
            T(
                "{n} partenaire(s) : il en faut au moins {m}.",
                "{n} partner(s): at least {m} are needed.",
                n=len(file.members),
                m=row["value"],
            ),
            row,
            T("Un nombre minimal de partenaires.", "A least number of partners."),
        )
    companies = [m for m in file.members if m.kind == "company"]
    row = rule_of(rules, "companies_min")
    if row:
        groups = families(companies, file.linked)
        need, rule = (
            int(row["value"]),
            T(
                "Au moins {n} entreprises indépendantes l'une de l'autre.",
                "At least {n} companies independent of each other.",
                n=row["value"],
            ),
        )
        if len(companies) < need:
            gap(
                "companies_min",
                T(
                    "{n} entreprise(s) dans le consortium : il en faut au moins {m}, indépendantes.",
                    "{n} company(ies) in the consortium: at least {m} are needed, independent.",
                    n=len(companies),
                    m=need,
                ),
                row,
                rule,
            )
        elif len(groups) < need:
            same = next(g for g in groups if len(g) > 1)
            gap(
                "companies_linked",
                T(
                    "{names} ne sont pas indépendantes (même groupe ou participation) et comptent pour une : il faut au moins {m} entreprises indépendantes.",
                    "{names} are not independent (same group or holding) and count as one: at least {m} independent companies are needed.",
                    names=", ".join(m.name for m in same),
                    m=need,
                ),
                row,
                rule,
            )
    row = rule_of(rules, "research_min")
    bodies = [m for m in file.members if m.kind in ("research", "training")]
    if row and len(bodies) < int(row["value"]):
        gap(
            "research_min",
            T(
                "{n} organisme de recherche ou de formation : il en faut au moins {m} (un institut IRT ou ITE ne compte pas).",
                "{n} research or training body: at least {m} needed (an IRT or ITE institute does not count).",
                n=len(bodies),
                m=row["value"],
            ),
            row,
            T("Au moins un organisme de recherche ou de formation.", "At least one research or training body."),
        )
    row = rule_of(rules, "company_leads")
    if row and row["value"] and file.leader is not None and file.leader.kind != "company":
        gap(
            "company_leads",
            T(
                "« {n} » est chef de file et n'est pas une entreprise.",
                "“{n}” leads and is not a company.",
                n=file.leader.name,
            ),
            row,
            T("Le projet est conduit par une entreprise.", "A company leads the project."),
            partner=file.leader.key,
        )
    row = rule_of(rules, "foreign_needs_cooperation")
    if row and row["value"]:
        for member in companies:
            if member.country not in ("", "FR") and not member.cooperation.strip():
                gap(
                    "foreign",
                    T(
                        "« {n} » est étrangère : nommez la coopération d'État à État sous laquelle elle participe.",
                        "“{n}” is foreign: name the State-to-State cooperation under which it takes part.",
                        n=member.name,
                    ),
                    row,
                    T(
                        "Une entreprise étrangère est admise dans une coopération d'État à État.",
                        "A foreign company is admitted under a State-to-State cooperation.",
                    ),
                    partner=member.key,
                )
    for member in companies:
        if any(r["sizes"] for r in rules.get("rates", ())) and not member.size:
            gap(
                "size",
                T(
                    "« {n} » : dites sa taille, le taux d'aide en dépend.",
                    "“{n}”: say its size, the aid rate hangs on it.",
                    n=member.name,
                ),
                None,
                T(
                    "Le taux dépend de la taille au jour du dossier.",
                    "The rate hangs on the size on the day of the file.",
                ),
                "refuse",
                member.key,
            )
    return found


def _money_gaps(file: File, rules: Mapping[str, Any], day: dt.date | None) -> list[Gap]:
    found = []
    total, years = file.total, years_of(file.starts_on, file.months)

    def gap(
        code: str,
        text: Text,
        row: Mapping[str, Any] | None,
        rule: Text,
        level: str = "",
        partner: str = "",
        **inputs: Any,
    ) -> None:
        found.append(
            Gap(
                code,
                text,
                "budget",
                level or (row or {}).get("effect", "refuse"),
                _why(rules, row, rule, day, **inputs),
                partner,
            )
        )

    for member in file.members:
        if not member.total:
            gap(
                "no_budget",
                T("« {n} » n'a pas de budget.", "“{n}” has no budget.", n=member.name),
                None,
                T("Chaque partenaire a un budget.", "Each partner has a budget."),
                "submit",
                member.key,
            )
        outside = sorted({line.year for line in member.lines if years is not None and line.year not in years})
        if outside:
            gap(
                "budget_year",
                T(
                    "« {n} » : budget en {y}, hors du projet ({a} à {b}).",
                    "“{n}”: budget in {y}, outside the project ({a} to {b}).",
                    n=member.name,
                    y=", ".join(map(str, outside)),
                    a=years[0],
                    b=years[-1],
                ),
                None,
                T("Le budget porte sur les années du projet.", "The budget is about the years of the project."),
                "submit",
                member.key,
            )
        unknown = sorted({line.category for line in member.lines} - set(category_codes(rules)))
        if unknown:
            gap(
                "budget_category",
                T(
                    "« {n} » : catégorie de coût inconnue de cet appel : {c}.",
                    "“{n}”: cost category unknown to this call: {c}.",
                    n=member.name,
                    c=", ".join(unknown),
                ),
                None,
                T("Les catégories sont celles de l'appel.", "The categories are those of the call."),
                "submit",
                member.key,
            )
        if rules.get("nature") == "rd" and any(not line.aid_class for line in member.lines):
            gap(
                "aid_class",
                T(
                    "« {n} » : des lignes sans classe du règlement d'aides ; le plafond d'aide en dépend.",
                    "“{n}”: lines without a class of the aid regulation; the ceiling of aid hangs on it.",
                    n=member.name,
                ),
                None,
                T(
                    "L'intensité d'aide dépend de la classe de chaque dépense.",
                    "The intensity of aid hangs on the class of each cost.",
                ),
                "refuse",
                member.key,
            )
        aid, rate = aid_of(rules, member, day)
        if aid is not None and member.asked is not None and member.asked > aid:
            found.append(
                Gap(
                    "asked_above_rate",
                    T(
                        "« {n} » demande {a} ; le taux de l'appel ({p} %) donne {m} au plus.",
                        "“{n}” asks for {a}; the call's rate ({p}%) gives {m} at most.",
                        n=member.name,
                        a=shown_value(member.asked, "money"),
                        p=rate.percent,
                        m=shown_value(aid, "money"),
                    ),
                    "budget",
                    "refuse",
                    rate.why,
                    member.key,
                )
            )
    if not total:
        return found
    row = rule_of(rules, "partner_share_max")
    for member in file.members:
        share = member.total * 100 / total
        if row and share > Decimal(str(row["value"])):
            gap(
                "partner_share_max",
                T(
                    "« {n} » porte {s} % du projet : au plus {m} %.",
                    "“{n}” carries {s}% of the project: at most {m}%.",
                    n=member.name,
                    s=_shown(share),
                    m=row["value"],
                ),
                row,
                T("Aucun partenaire ne porte l'essentiel du projet.", "No partner carries the whole project."),
                partner=member.key,
            )
        low = rule_of(rules, "partner_share_min")
        if low and share < Decimal(str(low["value"])):
            gap(
                "partner_share_min",
                T(
                    "« {n} » porte {s} % du projet : au moins {m} %.",
                    "“{n}” carries {s}% of the project: at least {m}%.",
                    n=member.name,
                    s=_shown(share),
                    m=low["value"],
                ),
                low,
                T(
                    "Chaque partenaire porte une part réelle du projet.",
                    "Each partner carries a real part of the project.",
                ),
                partner=member.key,
            )
    for name, sign in (("budget_min", -1), ("budget_max", 1)):
        row = rule_of(rules, name)
        if row and (total - Decimal(str(row["value"]))) * sign > 0:
            limit = shown_value(row["value"], "money")
            shown = shown_value(total, "money")
            text = (
                T(
                    "Budget de {t} : l'appel attend au moins {m}.",
                    "Budget of {t}: the call expects at least {m}.",
                    t=shown,
                    m=limit,
                )
                if sign < 0
                else T(
                    "Budget de {t} : l'appel attend au plus {m}.",
                    "Budget of {t}: the call expects at most {m}.",
                    t=shown,
                    m=limit,
                )
            )
            gap(name, text, row, RULES[name][1])
    asked = [m.asked if m.asked is not None else aid_of(rules, m, day)[0] for m in file.members]
    known = None not in asked
    aid_total = sum((a for a in asked if a is not None), Decimal(0))
    for name, sign in (("aid_min", -1), ("aid_max", 1)):
        row = rule_of(rules, name)
        if row and known and (aid_total - Decimal(str(row["value"]))) * sign > 0:
            gap(
                name,
                T(
                    "Aide demandée : {t} ; {r} {m}.",
                    "Aid asked for: {t}; {r} {m}.",
                    t=shown_value(aid_total, "money"),
                    r=RULES[name][1],
                    m=shown_value(row["value"], "money"),
                ),
                row,
                RULES[name][1],
            )
    row = rule_of(rules, "aid_per_partner_max")
    for member, one in zip(file.members, asked, strict=True):
        if row and one is not None and one > Decimal(str(row["value"])):
            gap(
                "aid_per_partner_max",
                T(
                    "« {n} » demande {a} : au plus {m}.",
                    "“{n}” asks for {a}: at most {m}.",
                    n=member.name,
                    a=shown_value(one, "money"),
                    m=shown_value(row["value"], "money"),
                ),
                row,
                RULES["aid_per_partner_max"][1],
                partner=member.key,
            )
    row = rule_of(rules, "research_share_max")
    if row and known and aid_total:
        bodies = sum(
            (a for m, a in zip(file.members, asked, strict=True) if m.kind in ("research", "training", "institute")),
            Decimal(0),
        )
        share = bodies * 100 / aid_total
        if share > Decimal(str(row["value"])) and not file.justifications.get("research_share_max", "").strip():
            gap(
                "research_share_max",
                T(
                    "La recherche demande {s} % de l'aide, plus de {m} % : dites pourquoi (déclarations et justifications).",
                    "Research bodies ask for {s}% of the aid, more than {m}%: say why (statements and justifications).",
                    s=_shown(share),
                    m=row["value"],
                ),
                row,
                T("Au-delà, la demande est justifiée.", "Above it, the request is justified."),
            )
    return found


def _paper_gaps(file: File, rules: Mapping[str, Any], day: dt.date | None) -> list[Gap]:
    found = []
    for paper in rules.get("papers", ()):
        if not paper["required"]:
            continue
        title = said(paper["title"])
        for key, name in [("", "")] if paper["scope"] == "project" else [(m.key, m.name) for m in file.members]:
            if (paper["code"], key) not in file.papers:
                text = (
                    T("Pièce manquante : {t}.", "Missing paper: {t}.", t=title)
                    if not key
                    else T("Pièce manquante de « {n} » : {t}.", "Missing paper of “{n}”: {t}.", n=name, t=title)
                )
                found.append(
                    Gap(
                        "paper",
                        text,
                        "papers",
                        "submit",
                        _why(rules, paper, T("Pièce exigée par l'appel.", "Paper required by the call."), day),
                        key,
                    )
                )
    return found


def _label_gaps(file: File, rules: Mapping[str, Any], closes_on: dt.date | None, day: dt.date | None) -> list[Gap]:
    row, found = rule_of(rules, "label_needed"), []
    before = rule_of(rules, "label_before_closing")
    timely = _labels_that_count(file, rules, closes_on)
    late = [label for label in file.labels if label.given and _late(label, rules, closes_on)]
    pending = [label for label in file.labels if label.given and not label.counts and label not in late]
    for label in late:
        found.append(
            Gap(
                "label_late",
                T(
                    "Le label de « {n} » est du {d}, après la clôture du {c} : il ne compte pas.",
                    "The label of “{n}” is dated {d}, after the closing of {c}: it does not count.",
                    n=label.name,
                    d=label.decided_on,
                    c=closes_on,
                ),
                "labels",
                "warn" if timely else (before or {}).get("effect", "refuse"),
                _why(
                    rules,
                    before,
                    T(
                        "Les labels existent avant la clôture de l'appel.",
                        "Labels exist before the closing of the call.",
                    ),
                    day,
                ),
            )
        )
    for label in pending:
        found.append(
            Gap(
                "label_conditional",
                T(
                    "Le label de « {n} » est sous conditions : il ne compte qu'une fois celles-ci levées.",
                    "The label of “{n}” is under conditions: it counts only once they are lifted.",
                    n=label.name,
                ),
                "labels",
                "warn" if timely or not row or not row["value"] else row["effect"],
                _why(
                    rules,
                    row,
                    T(
                        "Un label sous conditions ne vaut label qu'une fois ses conditions levées "
                        "(labelling.conditional_label_counts).",
                        "A label under conditions counts as a label only once its conditions are lifted "
                        "(labelling.conditional_label_counts).",
                    ),
                    day,
                ),
            )
        )
    if row and row["value"] and not timely and not late and not pending:
        found.append(
            Gap(
                "label",
                T("Aucun pôle n'a labellisé le projet.", "No cluster has labelled the project."),
                "labels",
                row["effect"],
                _why(
                    rules,
                    row,
                    T(
                        "Le projet est labellisé par au moins un pôle.",
                        "The project is labelled by at least one cluster.",
                    ),
                    day,
                ),
            )
        )
    elif timely and not any(label.lead for label in timely):
        found.append(
            Gap(
                "lead_label",
                T("Aucun label n'est celui du pôle chef de file.", "No label is that of the lead cluster."),
                "labels",
                "warn",
                _why(
                    rules, row, T("Le pôle chef de file est nommé le premier.", "The lead cluster is named first."), day
                ),
            )
        )
    return found


def _late(label: Label, rules: Mapping[str, Any], closes_on: dt.date | None) -> bool:
    row = rule_of(rules, "label_before_closing")
    return bool(row and row["value"] and closes_on and label.decided_on > closes_on)


def _labels_that_count(file: File, rules: Mapping[str, Any], closes_on: dt.date | None) -> list[Label]:
    return [one for one in file.labels if one.given and one.counts and not _late(one, rules, closes_on)]


def _territory_gaps(file: File, rules: Mapping[str, Any], closes_on: dt.date | None, day: dt.date | None) -> list[Gap]:
    found: list[Gap] = []
    whole, lead = rule_of(rules, "labelling_territory_share_min"), rule_of(rules, "lead_territory_share_min")
    labels = _labels_that_count(file, rules, closes_on)
    if not (whole or lead) or not labels:
        return found
    places = places_of(file)
    rule = T(
        "Une part des travaux se fait dans le territoire des pôles qui labellisent.",
        "A share of the work is done in the territory of the labelling clusters.",
    )
    if places is None:
        row = whole or lead
        return [
            Gap(
                "territory_unknown",
                T(
                    "On ne sait pas où se font les travaux : donnez le département de chaque partenaire, ou le territoire des travaux.",
                    "It is not known where the work is done: give the department of each partner, or the territory of the work.",
                ),
                "territory",
                row["effect"],
                _why(rules, row, rule, day),
            )
        ]
    unknown = [label.name for label in labels if label.departments is None]
    for row, those, code, name in (
        (
            whole,
            labels,
            "labelling_territory",
            T("les territoires des pôles qui labellisent", "the labelling clusters' territories"),
        ),
        (
            lead,
            [label for label in labels if label.lead],
            "lead_territory",
            T("le territoire du pôle chef de file", "the lead cluster's territory"),
        ),
    ):
        if not row or not those:
            continue
        departments = frozenset().union(*(label.departments or frozenset() for label in those))
        share = territory_share(places, departments)
        if share < Decimal(str(row["value"])):
            text = T(
                "{s} % des travaux dans {w} : il en faut au moins {m} %.",
                "{s}% of the work in {w}: at least {m}% needed.",
                s=_shown(share),
                w=name,
                m=row["value"],
            )
            if any(label.departments is None for label in those):
                text = T(
                    "{t} Le territoire de {n} n'est pas connu.",
                    "{t} The territory of {n} is not known.",
                    t=text,
                    n=", ".join(unknown),
                )
            found.append(Gap(code, text, "territory", row["effect"], _why(rules, row, rule, day)))
    return found


def blocking(gaps: Iterable[Gap], stage: str) -> list[Gap]:
    """The gaps that stop an act: ``submit`` or ``admit`` (whose list holds those of submission too)."""
    levels = ("submit",) if stage == "submit" else ("submit", "refuse", "justify")
    return [gap for gap in gaps if gap.level in levels]
