"""The files of a programme's folder: which keys each may hold, and what they become.

Every other key at the top of a file is a dated parameter of that file's subject:
``mid_term_review_after`` in ``evaluations.yaml`` is ``evaluations.mid_term_review_after``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from jalon.core.lang import T
from jalon.policy import grids, schema as s, vocabulary as v
from jalon.policy.faults import day_text
from jalon.policy.reader import Node
from jalon.policy.shapes import (
    BAD,
    SOURCE_KEYS,
    Key,
    Reading,
    amount,
    boolean,
    code,
    day,
    formula,
    integer,
    many,
    natural,
    number,
    one_of,
    quoted,
    record,
    said,
    sourcing,
    string,
    text,
)
from jalon.policy.words import Word

TEXT, CODE, DAY, FLAG = Key(text), Key(code), Key(day), Key(boolean)
MAYBE_DAY, MAYBE_TEXT, CODES = Key(day, None), Key(text, None), Key(many(code, unique=""), ())


def ordered(first: str, second: str, *, strict: bool = False) -> Any:
    """A check that one date of a record does not come before another."""

    def check(built: Any, node: Node, reading: Reading) -> None:
        start, end = getattr(built, first), getattr(built, second)
        if start and end and (end <= start if strict else end < start):
            reading.fault(
                node.get(second) or node,
                T("{d}", "{d}", d=day_text(end)),
                T(
                    "une date qui ne précède pas {f} ({d})",
                    "a date not before {f} ({d})",
                    f=first,
                    d=day_text(start),
                ),
            )

    return check


# -- programme.yaml ---------------------------------------------------------------------------


def words(node: Node, reading: Reading) -> Any:
    if node.kind != "map":
        return reading.fault(node, said(node), T("des mots", "words"))
    out: dict[str, Any] = {}
    for key, line, value in node.entries:
        if key not in v.WORDS:
            reading.fault(
                node,
                T("le mot « {k} »", "the word “{k}”", k=key),
                T("l’un de {w}", "one of {w}", w=quoted(v.WORDS)),
                key=str(key),
                line=line,
            )
        out[key] = _word(value, reading)
    for word in v.WORDS:
        if word not in out:
            reading.fault(
                node,
                T("rien pour « {w} »", "nothing for “{w}”", w=word),
                T("le mot du programme", "the programme's word for it"),
            )
    return BAD if BAD in out.values() else out


def _word(node: Node, reading: Reading) -> Any:
    """{fr, en} and, for the sentences of the interface, the French gender: m or f."""
    gender = node.get("gender") if node.kind == "map" else None
    if gender is None:
        return text(node, reading)
    bare = Node(node.file, node.line, node.path, "map", entries=[e for e in node.entries if e[0] != "gender"])
    pair, kind = text(bare, reading), one_of(("m", "f"))(gender, reading)
    return BAD if pair is BAD or kind is BAD else Word(pair.fr, pair.en, kind)


def currency(node: Node, reading: Reading) -> Any:
    if isinstance(node.value, str) and len(node.value) == 3 and node.value.isupper():
        return node.value
    return reading.fault(node, said(node), T("un code ISO 4217, comme EUR", "an ISO 4217 code such as EUR"))


def country(node: Node, reading: Reading) -> Any:
    if isinstance(node.value, str) and len(node.value) == 2 and node.value.isupper():
        return node.value
    return reading.fault(
        node,
        said(node),
        T(
            "un code de pays ISO 3166 entre guillemets, comme « FR »",
            "an ISO 3166 country code in quotes, such as “FR”",
        ),
    )


IDENTIFIER = record(
    s.Identifier,
    {
        "code": CODE,
        "title": TEXT,
        "checker": Key(one_of(v.IDENTIFIER_CHECKERS)),
        "default_for": Key(many(one_of(v.IDENTIFIER_FOR), unique=""), ()),
        "country": Key(country, None),
    },
    sourced=True,
)
THEME = record(s.Theme, {"code": CODE, "title": TEXT}, sourced=True)


def _holiday(built: s.Holiday, node: Node, reading: Reading) -> None:
    ordered("since", "until")(built, node, reading)
    fixed = built.month is not None and built.day is not None
    if fixed == (built.easter is not None) or (built.month is None) != (built.day is None):
        reading.fault(
            node,
            T("« {c} » sans jour, ou avec deux", "“{c}” without a day, or with two", c=built.code),
            T(
                "month et day, ou easter (jours après le dimanche de Pâques)",
                "month and day, or easter (days after Easter Sunday)",
            ),
        )
    elif fixed:
        try:
            date(2008, built.month or 0, built.day or 0)  # a leap year: 29 February is a day
        except ValueError:
            reading.fault(
                node,
                T("le {d}/{m}", "day {d} of month {m}", d=built.day, m=built.month),
                T("un jour de l’année", "a day of the year"),
            )


HOLIDAY = record(
    s.Holiday,
    {
        "code": CODE,
        "title": TEXT,
        "month": Key(natural, None),
        "day": Key(natural, None),
        "easter": Key(integer, None),
        "since": MAYBE_DAY,
        "until": MAYBE_DAY,
        "places": Key(many(string, unique=""), ()),
    },
    sourced=True,
    check=_holiday,
)

# -- phases.yaml ------------------------------------------------------------------------------

EXTENSION = record(s.Extension, {"until": DAY, "decided_on": DAY}, sourced=True)
BUDGET = record(s.Budget, {"title": TEXT, "amount": Key(amount), "unit": Key(string)}, sourced=True)


def _phase(built: s.Phase, node: Node, reading: Reading) -> None:
    ordered("starts_on", "ends_on")(built, node, reading)
    places = node.get("extensions")
    end = built.ends_on
    for position, extension in enumerate(built.extensions):
        place = places.elements[position] if places else node
        if extension.until <= end:
            reading.fault(
                place,
                T("{d}", "{d}", d=day_text(extension.until)),
                T("une date après le {d}", "a date after {d}", d=day_text(end)),
                key="until",
            )
        end = extension.until


PHASE = record(
    s.Phase,
    {
        "code": CODE,
        "title": TEXT,
        "starts_on": DAY,
        "ends_on": DAY,
        "announced_on": MAYBE_DAY,
        "extensions": Key(many(EXTENSION), ()),
        "budgets": Key(many(BUDGET), ()),
        "goals": Key(many(text), ()),
    },
    sourced=True,
    check=_phase,
)

# -- labels.yaml ------------------------------------------------------------------------------

VALID = {"valid_from": DAY, "valid_to": MAYBE_DAY}
TIER = record(
    s.Tier,
    {"code": CODE, "title": TEXT, "order": Key(natural), **VALID},
    sourced=True,
    check=ordered("valid_from", "valid_to"),
)
LABEL_ACT = record(
    s.LabelAct,
    {"code": Key(one_of(v.LABEL_ACTS)), "title": TEXT, "effect": Key(one_of(v.LABEL_EFFECTS))},
    sourced=True,
)
DECIDING = record(
    s.DecidingBody,
    {"code": CODE, "title": TEXT, **VALID},
    sourced=True,
    check=ordered("valid_from", "valid_to"),
)

# -- territories.yaml -------------------------------------------------------------------------

REGION = record(
    s.Region,
    {
        "code": Key(string),
        "name": Key(string),
        "departments": Key(many(string, unique="")),
        "overseas": Key(boolean, False),
    },
)


def _regions(built: s.RegionSet, node: Node, reading: Reading) -> None:
    ordered("valid_from", "valid_to")(built, node, reading)
    owner: dict[str, str] = {}
    for region in built.regions:
        for department in region.departments:
            if department in owner:
                reading.fault(
                    node,
                    T(
                        "{d} dans {a} et dans {b}",
                        "{d} in {a} and in {b}",
                        d=department,
                        a=owner[department],
                        b=region.name,
                    ),
                    T("un département dans une seule région", "a department in one region only"),
                )
            owner[department] = region.name


REGION_SET = record(
    s.RegionSet,
    {"code": CODE, "title": TEXT, **VALID, "regions": Key(many(REGION, unique="code", least=1))},
    sourced=True,
    check=_regions,
)

# -- roles.yaml -------------------------------------------------------------------------------


def permissions(node: Node, reading: Reading) -> Any:
    if node.kind != "list":
        return reading.fault(node, said(node), T("une liste de droits", "a list of permissions"))
    found = set()
    for element in node.elements:
        if element.value not in v.PERMISSIONS:
            reading.fault(
                element,
                T("le droit inconnu « {p} »", "the unknown permission “{p}”", p=element.value),
                T("l’un de {all}", "one of {all}", all=quoted(v.PERMISSIONS)),
            )
        found.add(element.value)
    return frozenset(found) if found <= set(v.PERMISSIONS) else BAD


ROLE = record(
    s.Role,
    {
        "code": CODE,
        "title": TEXT,
        "short": TEXT,
        "scope": Key(one_of(v.ROLE_SCOPES)),
        "side": Key(one_of(v.ROLE_SIDES)),
        "permissions": Key(permissions),
        "demo": Key(boolean, False),
        "description": TEXT,
    },
)

# -- members.yaml, governance.yaml ------------------------------------------------------------

MEMBER_TYPE = record(s.MemberType, {"code": CODE, "title": TEXT, "plural": TEXT, "firm": FLAG}, sourced=True)
COLLEGE = record(s.College, {"code": CODE, "title": TEXT, "side": Key(one_of(v.COLLEGE_SIDES))}, sourced=True)
SIZE_CATEGORY = record(
    s.SizeCategory,
    {
        "code": CODE,
        "title": TEXT,
        "headcount_below": Key(natural, None),
        "turnover_up_to": Key(number, None),
        "balance_up_to": Key(number, None),
        "member_type": CODE,
    },
)
SIZE_SCHEME = record(
    s.SizeScheme,
    {
        "code": CODE,
        "title": TEXT,
        **VALID,
        "categories": Key(many(SIZE_CATEGORY, unique="code", least=1)),
    },
    sourced=True,
    check=ordered("valid_from", "valid_to"),
)
BODY = record(
    s.BodyKind,
    {"code": CODE, "title": TEXT, "kind": Key(one_of(v.BODY_KINDS)), "preponderance": FLAG},
    sourced=True,
)

# -- roadmaps.yaml, contracts.yaml ------------------------------------------------------------

LEVEL = record(s.Level, {"code": CODE, "title": TEXT, "plural": TEXT, "parent": Key(code, None)})
SECTION = record(
    s.Section,
    {
        "key": CODE,
        "title": TEXT,
        "guidance": TEXT,
        "required": FLAG,
        "kind": Key(one_of(v.SECTION_KINDS)),
        "levels": CODES,
        "group": MAYBE_TEXT,
    },
)
HORIZON = record(s.Horizon, {"min": Key(natural), "max": Key(natural)})


def _levels(levels: Any, node: Node, reading: Reading) -> set[str]:
    codes = {level.code for level in levels}
    places = node.get("levels")
    for position, level in enumerate(levels):
        if level.parent is not None and level.parent not in codes:
            reading.fault(
                places.elements[position] if places else node,
                T("le niveau parent « {p} »", "the parent level “{p}”", p=level.parent),
                T("l’un de {c}", "one of {c}", c=quoted(sorted(codes))),
                key="parent",
            )
    return codes


def _roadmap(built: s.RoadmapTemplate, node: Node, reading: Reading) -> None:
    ordered("valid_from", "valid_to")(built, node, reading)
    codes = _levels(built.levels, node, reading)
    sections = node.get("sections")
    for position, section in enumerate(built.sections):
        place = sections.elements[position] if sections else node
        for level in section.levels:
            if level not in codes:
                reading.fault(
                    place,
                    T("le niveau « {p} »", "the level “{p}”", p=level),
                    T("l’un de {c}", "one of {c}", c=quoted(sorted(codes))),
                    key="levels",
                )
        if section.kind == "items" and not section.levels:
            reading.fault(
                place,
                T("aucun niveau", "no level"),
                T("les niveaux que la section peut tenir", "the levels the section may hold"),
                key="levels",
            )
    if built.horizon_years.max < built.horizon_years.min:
        reading.fault(
            node.get("horizon_years") or node,
            T("max < min", "max < min"),
            T("max au moins égal à min", "max not below min"),
        )


ROADMAP = record(
    s.RoadmapTemplate,
    {
        "code": CODE,
        "title": TEXT,
        "phases": CODES,
        **VALID,
        "horizon_years": Key(HORIZON),
        "sections": Key(many(SECTION, unique="key", least=1)),
        "levels": Key(many(LEVEL, unique="code", least=1)),
    },
    sourced=True,
    check=_roadmap,
)


def _durations(built: s.Durations, node: Node, reading: Reading) -> None:
    ordered("usual_start", "usual_end")(built, node, reading)
    if built.max_months < built.min_months:
        reading.fault(
            node,
            T(f"max_months {built.max_months}", f"max_months {built.max_months}"),
            T(f"au moins {built.min_months}", f"at least {built.min_months}"),
        )


DURATIONS = record(
    s.Durations,
    {
        "min_months": Key(natural),
        "max_months": Key(natural),
        "usual_start": DAY,
        "usual_end": DAY,
    },
    sourced=True,
    check=_durations,
)
PARTY = record(
    s.PartyRule,
    {
        "kind": Key(one_of(v.PARTY_KINDS)),
        "title": TEXT,
        "min": Key(natural),
        "max": Key(natural, None),
        "role": CODE,
        "decision_required": FLAG,
    },
    sourced=True,
)
ARTICLE = record(
    s.Article,
    {"key": CODE, "title": TEXT, "guidance": TEXT, "required": FLAG, "body": MAYBE_TEXT},
)
ANNEX = record(
    s.AnnexRule,
    {"key": CODE, "title": TEXT, "required": FLAG, "source": Key(one_of(v.ANNEX_SOURCES))},
    sourced=True,
    own_source=True,
)
FUNDING = record(
    s.FundingYears,
    {"rule": Key(one_of(v.FUNDING_RULES)), "kinds": Key(many(LEVEL, unique="code"), ())},
    sourced=True,
)
AGAIN = Key(many(one_of(v.AMENDMENT_SIGNERS), unique="", least=1))
AMENDMENT = record(s.AmendmentRule, dict.fromkeys(v.AMENDMENT_KINDS, AGAIN), sourced=True)
IN_FORCE = record(s.InForce, {"requires": Key(many(one_of(v.IN_FORCE_TESTS), unique=""))}, sourced=True)


def _contract(built: s.ContractTemplate, node: Node, reading: Reading) -> None:
    ordered("valid_from", "valid_to")(built, node, reading)
    _levels(built.levels, node, reading)
    parties = [party.kind for party in built.parties]
    steps = [kind for step in built.signing_order for kind in step]
    if sorted(parties) != sorted(steps):
        reading.fault(
            node.get("signing_order") or node,
            T("{s}", "{s}", s=quoted(steps) or "—"),
            T("chaque partie une seule fois : {p}", "each party once: {p}", p=quoted(parties)),
        )
    for name in v.AMENDMENT_KINDS:
        for kind in getattr(built.amendment, name):
            if kind.removesuffix("_concerned") not in parties:
                reading.fault(
                    node.get("amendment") or node,
                    T("la partie « {k} »", "the party “{k}”", k=kind),
                    T("l’une de {p}", "one of {p}", p=quoted(parties)),
                    key=name,
                )
    for party, place in zip(built.parties, getattr(node.get("parties"), "elements", [])):
        if party.max is not None and party.max < party.min:
            reading.fault(
                place,
                T(f"max {party.max}", f"max {party.max}"),
                T(f"au moins {party.min}", f"at least {party.min}"),
                key="max",
            )


CONTRACT = record(
    s.ContractTemplate,
    {
        "code": CODE,
        "title": TEXT,
        "phase": CODE,
        **VALID,
        "durations": Key(DURATIONS),
        "parties": Key(many(PARTY, unique="kind", least=1)),
        "signing_order": Key(many(many(one_of(v.PARTY_KINDS), unique="", least=1), least=1)),
        "signing_order_reading": Key(boolean, True),
        "articles": Key(many(ARTICLE, unique="key", least=1)),
        "levels": Key(many(LEVEL, unique="code", least=1)),
        "annexes": Key(many(ANNEX, unique="key"), ()),
        "improvement_axes_for_groups": CODES,
        "common_indicators": CODES,
        "funding_years": Key(FUNDING),
        "amendment": Key(AMENDMENT),
        "in_force": Key(IN_FORCE),
        "roadmap": Key(code, None),
    },
    sourced=True,
    check=_contract,
)

# -- indicators.yaml --------------------------------------------------------------------------

FORMULA = Key(formula(v.MEASURES), None)
DEFINITION = record(
    s.Definition,
    {
        "version": Key(string),
        "since": DAY,
        "until": MAYBE_DAY,
        "text": TEXT,
        "numerator": MAYBE_TEXT,
        "denominator": MAYBE_TEXT,
    },
    sourced=True,
    check=ordered("since", "until"),
)
BREAKDOWN = record(
    s.Breakdown,
    {
        "code": CODE,
        "title": TEXT,
        "values": Key(
            many(
                record(s.BreakdownValue, {"code": CODE, "title": TEXT, "formula": FORMULA}),
                unique="code",
                least=1,
            )
        ),
    },
)
RANGE = record(s.Range, {"min": Key(number, None), "max": Key(number, None)})


def _indicator(built: s.Indicator, node: Node, reading: Reading) -> None:
    computed = built.formula is not None or bool(built.measures)
    if built.source == "computed" and not computed:
        reading.fault(
            node,
            T("aucune formule", "no formula"),
            T(
                "une formule, puisque la source est « computed »",
                "a formula, since the source is “computed”",
            ),
            key="formula",
        )
    if built.source != "computed" and computed:
        reading.fault(
            node.get("formula") or node,
            T("une formule", "a formula"),
            T(
                "aucune formule, ou la source « computed »",
                "no formula, or the source “computed”",
            ),
        )
    low, high = built.range.min, built.range.max
    if low is not None and high is not None and high < low:
        reading.fault(
            node.get("range") or node,
            T(f"max {high}", f"max {high}"),
            T(f"au moins {low}", f"at least {low}"),
        )
    places = node.get("definitions")
    for position, (before, after) in enumerate(pairwise(built.definitions), start=1):
        place = places.elements[position] if places else node
        if after.since <= (before.until or before.since):
            reading.fault(
                place,
                T("{d}", "{d}", d=day_text(after.since)),
                T(
                    "une date après la version précédente ({d})",
                    "a date after the version before ({d})",
                    d=day_text(before.until or before.since),
                ),
                key="since",
            )


INDICATOR = record(
    s.Indicator,
    {
        "code": CODE,
        "title": TEXT,
        "level": Key(one_of(v.INDICATOR_LEVELS)),
        "period_type": Key(one_of(v.PERIOD_TYPES)),
        "unit": Key(one_of(list(v.INDICATOR_UNITS))),
        "unit_title": Key(text, None),
        "decimals": Key(natural, 0),
        "direction": Key(one_of(v.DIRECTIONS)),
        "source": Key(one_of(v.INDICATOR_SOURCES)),
        "common": FLAG,
        "definitions": Key(many(DEFINITION, unique="version", least=1)),
        "breakdowns": Key(many(BREAKDOWN, unique="code"), ()),
        "formula": FORMULA,
        "range": Key(RANGE, s.Range()),
        "jump_warning": Key(number, None),
        "phases": CODES,
        "evidence_required": Key(boolean, False),
        "official": Key(boolean, False),
    },
    sourced=True,
    own_source=True,
    check=_indicator,
)

# -- evaluations.yaml, reporting.yaml ---------------------------------------------------------

GROUP = record(
    s.EvaluationGroup,
    {
        "code": CODE,
        "campaign": Key(string),
        "title": TEXT,
        "leads_to": TEXT,
        "phase": CODE,
        "review_after": Key(string, None),
        "clusters": Key(natural, None),
    },
    sourced=True,
)
CALENDAR = record(
    s.ReportingCalendar,
    {
        "period": Key(one_of(v.REPORTING_PERIODS)),
        "title": TEXT,
        "declared_by": CODE,
        "validated_by": CODE,
    },
    sourced=True,
)

# Per file: its structural keys; every other key is a dated parameter, where that is allowed.
FILES: dict[str, dict[str, Key]] = {
    "programme": {
        "title": TEXT,
        "country": Key(country),
        "language": Key(one_of(("fr", "en"))),
        "currency": Key(currency),
        "example": Key(boolean, False),
        "description": MAYBE_TEXT,
        "words": Key(words),
        "identifiers": Key(many(IDENTIFIER, unique="code", least=1)),
        "themes": Key(many(THEME, unique="code"), ()),
        "holidays": Key(many(HOLIDAY, unique="code"), ()),
    },
    "phases": {"phases": Key(many(PHASE, unique="code", least=1))},
    "labels": {
        "tiers": Key(many(TIER, unique="code"), ()),
        "acts": Key(many(LABEL_ACT, unique="code", least=1)),
        "decided_by": Key(many(DECIDING, unique="code"), ()),
    },
    "members": {
        "types": Key(many(MEMBER_TYPE, unique="code", least=1)),
        "colleges": Key(many(COLLEGE, unique="code", least=1)),
        "size_schemes": Key(many(SIZE_SCHEME, unique="code"), ()),
    },
    "governance": {"bodies": Key(many(BODY, unique="code", least=1))},
    "roles": {"roles": Key(many(ROLE, unique="code", least=1))},
    "roadmaps": {"templates": Key(many(ROADMAP, unique="code", least=1))},
    "contracts": {"templates": Key(many(CONTRACT, unique="code", least=1))},
    "indicators": {
        "official_list": Key(boolean, False),
        "indicators": Key(many(INDICATOR, unique="code", least=1)),
    },
    "reporting": {"calendar": Key(CALENDAR)},
    "evaluations": {"groups": Key(many(GROUP, unique="code"), ()), **grids.KEYS},
    "territories": {"region_sets": Key(many(REGION_SET, unique="code"), ())},
}
SOURCES = "sources"
SOURCE = {"title": Key(string), "url": Key(string, None)}
NO_PARAMETERS = ("programme",)

VALUE_KEYS = ("value", "until", *SOURCE_KEYS)
PARAMETER_KEYS = ("title", "unit", "many", "values")


def parameter(node: Node, reading: Reading, *, path: str, money: str) -> Any:
    """A dated parameter: title, unit, and its values by the day they start."""
    allowed = quoted(PARAMETER_KEYS)
    if node.kind != "map":
        return reading.fault(
            node,
            said(node),
            T("un paramètre daté : {k}", "a dated parameter: {k}", k=allowed),
        )
    before = len(reading.faults)
    for key, line, _ in node.entries:
        if key not in PARAMETER_KEYS:
            reading.fault(
                node,
                T("la clé « {k} »", "the key “{k}”", k=key),
                T("l’une de {k}", "one of {k}", k=allowed),
                key=str(key),
                line=line,
            )
    for name in ("title", "unit", "values"):
        if node.get(name) is None:
            reading.fault(
                node,
                T("aucune clé « {k} »", "no key “{k}”", k=name),
                T("la clé « {k} »", "the key “{k}”", k=name),
            )
    title_node, unit_node, values_node = (node.get(k) for k in ("title", "unit", "values"))
    several_node = node.get("many")
    several = several_node is not None and boolean(several_node, reading) is True
    title = text(title_node, reading) if title_node else BAD
    unit = string(unit_node, reading) if unit_node else BAD
    types = None
    if unit is not BAD and unit_node is not None:
        types = v.unit_types(unit, money)
        if types is None:
            reading.fault(
                unit_node,
                said(unit_node),
                T("l’une de {u}", "one of {u}", u=quoted([*v.UNITS, money])),
            )
    values: list[s.Value] = []
    if values_node is not None:
        if values_node.kind != "map" or not values_node.entries:
            reading.fault(
                values_node,
                said(values_node),
                T("au moins une date et sa valeur", "at least one date and its value"),
            )
        else:
            for since, line, place in values_node.entries:
                value = _value(since, line, place, values_node, reading, types, several, unit)
                if value is not None:
                    values.append(value)
                    if len(values) > 1:
                        _after(values[-2], values[-1], line, values_node, reading)
    if len(reading.faults) != before:
        return BAD
    return s.ParameterHistory(
        path=path,
        title=title,
        unit=unit,
        values=tuple(values),
        many=several,
        file=node.file,
        line=node.line,
    )


def _value(
    since: Any,
    line: int,
    place: Node,
    parent: Node,
    reading: Reading,
    types: tuple[type, ...] | None,
    several: bool,
    unit: Any,
) -> s.Value | None:
    if not isinstance(since, date):
        reading.fault(
            parent,
            T("« {d} »", "“{d}”", d=since),
            T("une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
            key=str(since),
            line=line,
        )
        return None
    if place.kind != "map":
        reading.fault(place, said(place), T("les clés {k}", "the keys {k}", k=quoted(VALUE_KEYS)))
        return None
    before = len(reading.faults)
    for key, key_line, _ in place.entries:
        if key not in VALUE_KEYS:
            reading.fault(
                place,
                T("la clé « {k} »", "the key “{k}”", k=key),
                T("l’une de {k}", "one of {k}", k=quoted(VALUE_KEYS)),
                key=str(key),
                line=key_line,
            )
    value_node = place.get("value")
    value: Any = None
    if value_node is None:
        reading.fault(
            place,
            T("aucune clé « value »", "no key “value”"),
            T("la clé « value »", "the key “value”"),
        )
    elif types is not None:
        value = _typed(value_node, reading, types, several, unit)
    until_node = place.get("until")
    until = None
    if until_node is not None:
        until = day(until_node, reading)
        if until is not BAD and until < since:
            reading.fault(
                until_node,
                T("{d}", "{d}", d=day_text(until)),
                T("une date à partir du {d}", "a date from {d} on", d=day_text(since)),
            )
    origin = sourcing(place, reading, required=True)
    if len(reading.faults) != before:
        return None
    return s.Value(value=value, since=since, until=until, file=place.file, line=line, **origin)


def _typed(node: Node, reading: Reading, types: tuple[type, ...], several: bool, unit: Any) -> Any:
    if several:
        if node.kind != "list":
            return reading.fault(node, said(node), T("une liste", "a list"))
        return tuple(_typed(element, reading, types, False, unit) for element in node.elements)
    value = node.value
    fits = node.kind == "scalar" and isinstance(value, types)
    if isinstance(value, bool) and bool not in types:
        fits = False
    if not fits:
        names = {
            int: T("un nombre entier", "a whole number"),
            Decimal: T("un nombre", "a number"),
            bool: T("true ou false", "true or false"),
            str: T("un texte", "a text"),
            date: T("une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
        }
        return reading.fault(
            node,
            said(node),
            T("{t} (unité : {u})", "{t} (unit: {u})", t=names[types[-1]], u=v.unit_text(unit)),
        )
    if unit == "share" and not 0 <= value <= 1:
        return reading.fault(node, said(node), T("une part entre 0 et 1", "a share between 0 and 1"))
    if unit in _DELAYS and value < 0:
        return reading.fault(
            node,
            said(node),
            T("zéro ou plus (unité : {u})", "zero or more (unit: {u})", u=v.unit_text(unit)),
        )
    return value


# A delay or a number of people counts forwards.
_DELAYS = ("days", "working_days", "months", "years", "count", "people", "fte")


def _after(before: s.Value, after: s.Value, line: int, node: Node, reading: Reading) -> None:
    if after.since <= before.since:
        reading.fault(
            node,
            T("{d}", "{d}", d=day_text(after.since)),
            T(
                "une date après le {d} : les valeurs vont de la plus ancienne à la plus récente",
                "a date after {d}: values go from the oldest to the newest",
                d=day_text(before.since),
            ),
            key=after.since.isoformat(),
            line=line,
        )
    elif before.until and after.since <= before.until:
        reading.fault(
            node,
            T("{d}", "{d}", d=day_text(after.since)),
            T(
                "une date après le {d}, fin de la valeur précédente",
                "a date after {d}, the end of the value before",
                d=day_text(before.until),
            ),
            key=after.since.isoformat(),
            line=line,
        )
