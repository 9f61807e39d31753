"""What the texts on State aid say, as pure functions of the policy, plain values and a day.

Basis: Regulation (EU) 651/2014 (articles 4, 8, 9, 25 and 27), its forerunner 800/2008, the regulations on *de minimis*
aid, recommendation 2003/361/EC and decree 2008-1354. Every figure is in ``aid.yaml`` or ``members.yaml``. Money is
euros, rates are percentages of eligible costs. Every result carries its :class:`jalon.core.why.Why`.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.faults import day_text
from jalon.ui import format as fmt

CENT = Decimal("0.01")
HUNDRED = Decimal(100)
ZERO = Decimal(0)


class NoRules(Refused):
    """No rule set is in force on the day asked for: nothing can be computed, and nothing is guessed."""


class Said(Text):
    """A value written in either language when it is asked for: a call's check makes thousands that nobody reads."""

    __slots__ = ("_say",)

    def __init__(self, say: Callable[[str], str]):
        self._say = say
        self._args = {}

    @property
    def fr(self) -> str:  # type: ignore[override]
        return self._say("fr")

    @property
    def en(self) -> str:  # type: ignore[override]
        return self._say("en")

    def in_language(self, code: str) -> str:
        return self._say(code)


def euros(amount: Any) -> Text:
    """An amount in both languages."""
    return Said(lambda lang: fmt.money(amount, "EUR", lang))


def percent(rate: Any) -> Text:
    """A rate in both languages: 80 % / 80%."""
    return Said(lambda lang: fmt.percent(rate, lang=lang))


def points(value: Any) -> Text:
    """Percentage points in both languages."""
    return Said(lambda lang: f"{fmt.number(value, lang=lang)} points")


def cents_down(amount: Decimal) -> Decimal:
    """To the cent, downwards: a ceiling is never passed by rounding."""
    return amount.quantize(CENT, rounding=ROUND_DOWN)


def anniversary(day: dt.date, years: int) -> dt.date:
    """The same date ``years`` later (or earlier); the last day of the month when the month has no such day."""
    year = day.year + years
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


# -- rule sets --------------------------------------------------------------------------------------------------


def _part(policy: Any) -> Any:
    part = policy.part("aid")
    if part is None:
        raise NoRules(
            T(
                "Le programme « {p} » n'a pas de règles d'aides d'État (aid.yaml).",
                "The programme “{p}” has no State aid rules (aid.yaml).",
                p=policy.title,
            )
        )
    return part


def in_force(things: Iterable[Any], day: dt.date) -> Any | None:
    """The one of these dated things that is in force on the day."""
    return next((t for t in things if t.valid_from <= day and (t.valid_to is None or day <= t.valid_to)), None)


def rule_set(policy: Any, day: dt.date) -> Any:
    """The block exemption rules in force on a day.

    Raises:
        NoRules: none is; the sentence says what comes before and after.
    """
    sets = _part(policy).rule_sets
    found = in_force(sets, day)
    if found is None:
        raise NoRules(_nothing_in_force(T("d'exemption par catégorie", "of block exemption"), sets, day))
    return found


def _nothing_in_force(what: Text, things: Sequence[Any], day: dt.date) -> Text:
    before = [t for t in things if t.valid_to is not None and t.valid_to < day]
    after = [t for t in things if t.valid_from > day]
    parts = [T("Aucune règle {w} n'est en vigueur le {d}.", "No rule {w} is in force on {d}.", w=what, d=day_text(day))]
    if before:
        last = before[-1]
        parts.append(
            T(
                "La dernière connue, « {t} », finit le {d}.",
                "The last one known, “{t}”, ends on {d}.",
                t=last.title,
                d=day_text(last.valid_to),
            )
        )
    if after:
        parts.append(
            T(
                "La suivante, « {t} », commence le {d}.",
                "The next one, “{t}”, starts on {d}.",
                t=after[0].title,
                d=day_text(after[0].valid_from),
            )
        )
    else:
        parts.append(T("Aucun texte adopté n'est connu pour la suite.", "No adopted text is known for what follows."))
    return joined(parts)


def joined(parts: Sequence[Text], by: str = " ") -> Text:
    """Several texts as one, in both languages."""
    names = [f"p{n}" for n in range(len(parts))]
    pattern = by.join("{" + name + "}" for name in names)
    return T(pattern, pattern, **dict(zip(names, parts)))


def parameter(policy: Any, name: str, day: dt.date) -> Any | None:
    """The dated parameter ``aid.<name>`` in force on the day, or None."""
    return policy.on(day).find(f"aid.{name}")


def _word(text: str) -> str:
    """A code as people type it: spaces around and capitals do not count."""
    return text.strip().casefold()


def _listed(things: Iterable[Any]) -> Text:
    return joined([T("{c} ({t})", "{c} ({t})", c=t.code, t=t.title) for t in things], ", ")


def _unknown(what: Text, word: str, things: Iterable[Any]) -> Refused:
    return Refused(
        T(
            "{what} : trouvé « {w} », attendu l'un de : {k}.",
            "{what}: found “{w}”, expected one of: {k}.",
            what=what,
            w=word or "–",
            k=_listed(things),
        ),
        kind="input",
    )


def _not_that_day(
    what: Text, word: str, knowing: Sequence[Any], rules: Any, day: dt.date, things: Iterable[Any]
) -> Refused:
    """A word that other states of the regulation know: from when to when, and what there is on the day."""
    last = knowing[-1].valid_to
    return Refused(
        T(
            "{what} « {b} » n'existe pas le {d} ({r}) ; texte connu du {f} au {u}. Possibles ce jour-là : {k}.",
            "{what} “{b}” does not exist on {d} ({r}); it is known from {f} to {u}. Possible that day: {k}.",
            what=what,
            b=word,
            d=day_text(day),
            r=rules.short,
            f=day_text(knowing[0].valid_from),
            u=day_text(last) if last else "–",
            k=_listed(things),
        ),
        kind="input",
    )


# -- article 25: the rate ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Intensity:
    """The highest rate for a category of research, a size and bonuses, on a day.

    Attributes:
        rate: percent of eligible costs, after the ceiling.
        sum: base and points before the ceiling; ``capped`` when the ceiling cut it.
        points: what each part added: (what, points, to be confirmed).
        rules: the rule set used.
    """

    rate: Decimal
    sum: Decimal
    capped: bool
    category: str
    size: str
    bonuses: tuple[str, ...]
    day: dt.date
    rules: Any
    why: Why
    points: tuple[tuple[Text, Decimal, bool], ...] = ()


def intensity(policy: Any, research: str, size: str, bonuses: Iterable[str], day: dt.date) -> Intensity:
    """The highest aid intensity of article 25, per beneficiary and category.

    Base of the category, plus the points of the size, plus those of one bonus letter (b, c and d exclude each other;
    two bonuses of one letter count once), at most the ceiling of the category.

    Args:
        research: fundamental, industrial, experimental, feasibility.
        size: small, medium, large, or a class of the EU scheme (micro…), on the day the aid is granted.
        bonuses: codes of the rule set in force (collaboration, dissemination, region…).

    Raises:
        NoRules: no rule set is in force on the day.
        Refused: an unknown word (the possible ones are listed), or bonuses that cannot be combined.
    """
    rules = rule_set(policy, day)
    research, size = _word(research), _word(size)
    category = rules.category(research)
    if category is None:
        knowing = [s for s in _part(policy).rule_sets if s.category(research) is not None]
        if knowing:
            raise _not_that_day(T("La catégorie", "The category"), research, knowing, rules, day, rules.categories)
        raise _unknown(T("Catégorie de recherche", "Research category"), research, rules.categories)
    firm = rules.size(size)
    if firm is None:
        raise _unknown_size(size, rules)
    chosen = _bonuses(policy, rules, bonuses, day)
    _combinable(chosen, rules, day)
    steps: list[Text] = []
    parts: list[tuple[Text, Decimal, bool]] = []
    total = category.base
    steps.append(T("Base, {c} : {r}", "Base, {c}: {r}", c=category.title, r=percent(category.base)))
    parts.append((T("Base : {c}", "Base: {c}", c=category.title), category.base, category.to_confirm))
    if category.size_bonus:
        total += firm.points
        steps.append(T("Taille, {s} : + {p}", "Size, {s}: + {p}", s=firm.title, p=points(firm.points)))
        if firm.points:
            parts.append((T("Taille : {s}", "Size: {s}", s=firm.title), firm.points, firm.to_confirm))
    letters: set[str] = set()
    unsure = category.to_confirm or firm.to_confirm
    for bonus in chosen:
        name = T("Bonus ({l}), {b}", "Bonus ({l}), {b}", l=bonus.letter, b=bonus.title)
        unsure = unsure or bonus.to_confirm
        if research not in bonus.categories:
            steps.append(T("{n} : sans effet pour cette catégorie", "{n}: without effect for this category", n=name))
        elif bonus.letter in letters:
            steps.append(
                T(
                    "{n} : la lettre ({l}) compte une seule fois",
                    "{n}: the letter ({l}) counts once",
                    n=name,
                    l=bonus.letter,
                )
            )
        else:
            letters.add(bonus.letter)
            total += bonus.points
            steps.append(T("{n} : + {p}", "{n}: + {p}", n=name, p=points(bonus.points)))
            parts.append((name, bonus.points, bonus.to_confirm))
    ceiling = category.ceiling if category.ceiling is not None else HUNDRED
    rate = min(total, ceiling)
    if rate < total:
        steps.append(
            T(
                "Somme {s}, ramenée au plafond de {c}",
                "Sum {s}, cut to the ceiling of {c}",
                s=percent(total),
                c=percent(rate),
            )
        )
    else:
        steps.append(
            T(
                "Somme {s}, sous le plafond de {c}",
                "Sum {s}, within the ceiling of {c}",
                s=percent(total),
                c=percent(ceiling),
            )
        )
    why = Why(
        rule=T(
            "Taux de base de la catégorie, plus la taille, plus un seul des bonus (b), (c) et (d), sans dépasser le plafond ; "
            "par bénéficiaire, toutes aides publiques ensemble.",
            "Base rate of the category, plus size, plus only one of the bonuses (b), (c) and (d), not above the ceiling; "
            "per beneficiary, all public aid together.",
        ),
        parameter=f"aid.rule_sets.{rules.code}",
        value=rate,
        unit="%",
        reference=rules.reference,
        url=rules.url or "",
        day=day,
        inputs={
            T("Catégorie de recherche", "Research category"): category.title,
            T("Taille de l'entreprise", "Size of the firm"): firm.title,
            T("Bonus demandés", "Bonuses asked for"): joined([b.title for b in chosen], ", ")
            if chosen
            else T("aucun", "none"),
        },
        steps=tuple(steps),
        reading=rules.reading,
        to_confirm=unsure or rules.to_confirm,
    )
    return Intensity(
        rate=rate,
        sum=total,
        capped=rate < total,
        category=research,
        size=firm.code,
        bonuses=tuple(b.code for b in chosen),
        day=day,
        rules=rules,
        why=why,
        points=tuple(parts),
    )


def _unknown_size(size: str, rules: Any) -> Refused:
    """What sizes there are, with the classes of the EU definition that each holds: a national class is not one of them."""
    return Refused(
        T(
            "Taille d'entreprise : trouvé « {w} », attendu l'un de : {k}. C'est la taille européenne du jour de l'octroi, "
            "non la catégorie française : une ETI est une grande entreprise (large).",
            "Size of firm: found “{w}”, expected one of: {k}. It is the EU size on the day of granting, not the French "
            "category: an “ETI” (mid-size) is a large enterprise (large).",
            w=size or "–",
            k=joined(
                [
                    T(
                        "{c} ({t} : {m})",
                        "{c} ({t}: {m})",
                        c=one.code,
                        t=one.title,
                        m=", ".join(one.classes),
                    )
                    for one in rules.sizes
                ],
                ", ",
            ),
        ),
        kind="input",
    )


def _bonuses(policy: Any, rules: Any, words: Iterable[str], day: dt.date) -> list[Any]:
    found = []
    for word in dict.fromkeys(map(_word, words)):
        bonus = rules.bonus(word)
        if bonus is None:
            knowing = [s for s in _part(policy).rule_sets if s.bonus(word) is not None]
            if knowing:
                raise _not_that_day(T("Le bonus", "The bonus"), word, knowing, rules, day, rules.bonuses)
            raise _unknown(T("Bonus", "Bonus"), word, rules.bonuses)
        found.append(bonus)
    return found


def _combinable(chosen: Sequence[Any], rules: Any, day: dt.date) -> None:
    letters = list(dict.fromkeys(b.letter for b in chosen))
    if len(letters) < 2:
        return
    first = {letter: next(b for b in chosen if b.letter == letter) for letter in letters}
    raise Refused(
        T(
            "Ces bonus ne se cumulent pas : {k}. Les bonus (b), (c) et (d) s'excluent ; chacun s'ajoute seulement à celui "
            "de la taille. Gardez-en un.",
            "These bonuses cannot be combined: {k}. The bonuses (b), (c) and (d) exclude each other; each adds only to that "
            "of the size. Keep one.",
            k=joined([T("({l}) {t}", "({l}) {t}", l=letter, t=b.title) for letter, b in first.items()], ", "),
        ),
        why=Why(
            rule=T("Les bonus (b), (c) et (d) s'excluent.", "The bonuses (b), (c) and (d) exclude each other."),
            parameter=f"aid.rule_sets.{rules.code}",
            reference=rules.reference,
            url=rules.url or "",
            day=day,
            inputs={T("Bonus demandés", "Bonuses asked for"): joined([b.title for b in chosen], ", ")},
        ),
    )


# -- effective collaboration ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Member:
    """A member of a consortium: ``kind`` firm or research, its eligible costs, its size, country, group.

    ``group``: two firms of one group are not independent. ``publishes``: a research body free to publish its results.
    """

    name: str
    kind: str
    cost: Decimal
    size: str = ""
    country: str = "FR"
    group: str = ""
    publishes: bool = True


@dataclass(frozen=True)
class Check:
    """Whether a condition holds; ``None`` when it cannot be told. ``reasons`` say what was found, line by line."""

    holds: bool | None
    reasons: tuple[Text, ...]
    why: Why


def collaboration(policy: Any, members: Sequence[Member], day: dt.date) -> Check:
    """Whether a consortium collaborates effectively, for bonus (b) of article 25.

    Between independent firms, one of them an SME or in two States, none bearing more than 70 % of eligible costs; or with
    a research organisation that bears at least 10 % and may publish.
    """
    rules = rule_set(policy, day)
    bonus = rules.bonus("collaboration")
    if bonus is None:
        raise NoRules(
            T("Ce jour-là, aucun bonus de collaboration n'existe.", "On that day there is no bonus for collaboration.")
        )
    figure = {c.code: c.figure for c in bonus.conditions}
    most, least = figure["firms"], figure["research"]
    total = sum((m.cost for m in members), ZERO)
    firms = [m for m in members if m.kind == "firm"]
    groups: dict[str, Decimal] = {}
    for m in firms:
        groups[m.group or m.name] = groups.get(m.group or m.name, ZERO) + m.cost
    reasons: list[Text] = []
    holds = False
    if total <= 0:
        reasons.append(T("Aucun coût admissible.", "No eligible cost."))
    else:
        heaviest = max(groups, key=lambda g: groups[g], default="")
        share = groups.get(heaviest, ZERO) * HUNDRED / total
        sme = any(m.size in ("micro", "small", "medium") for m in firms)
        states = len({m.country for m in firms})
        if len(groups) >= 2 and share <= most and (sme or states >= 2):
            holds = True
            reasons.append(
                T(
                    "{n} entreprises indépendantes, {w} ; la plus engagée, « {h} », supporte {s} (au plus {m}).",
                    "{n} independent undertakings, {w}; the heaviest, “{h}”, bears {s} (at most {m}).",
                    n=len(groups),
                    w=T("dont une PME", "one of them an SME") if sme else T("de plusieurs États", "of several States"),
                    h=heaviest,
                    s=percent(share),
                    m=percent(most),
                )
            )
        elif len(groups) < 2:
            reasons.append(T("Moins de deux entreprises indépendantes.", "Fewer than two independent undertakings."))
        elif share > most:
            reasons.append(
                T(
                    "« {h} » supporte {s} des coûts admissibles, au-delà de {m}.",
                    "“{h}” bears {s} of eligible costs, above {m}.",
                    h=heaviest,
                    s=percent(share),
                    m=percent(most),
                )
            )
        else:
            reasons.append(T("Aucune PME, et un seul État.", "No SME, and only one State."))
        research = sum((m.cost for m in members if m.kind == "research" and m.publishes), ZERO) * HUNDRED / total
        if research >= least and groups:
            holds = True
            reasons.append(
                T(
                    "Les organismes de recherche libres de publier supportent {s} (au moins {m}).",
                    "Research organisations free to publish bear {s} (at least {m}).",
                    s=percent(research),
                    m=percent(least),
                )
            )
        elif research:
            reasons.append(
                T(
                    "Les organismes de recherche libres de publier supportent {s}, moins de {m}.",
                    "Research organisations free to publish bear {s}, less than {m}.",
                    s=percent(research),
                    m=percent(least),
                )
            )
    why = Why(
        rule=joined([c.text for c in bonus.conditions], " "),
        parameter=f"aid.rule_sets.{rules.code}.bonuses.collaboration",
        reference=bonus.reference,
        url=bonus.url or "",
        day=day,
        inputs={m.name: euros(m.cost) for m in members},
        steps=tuple(reasons),
        to_confirm=bonus.to_confirm,
    )
    return Check(holds, tuple(reasons), why)


# -- article 8: all public money against the ceiling ---------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """What is asked of public money for one partner and one research category.

    Attributes:
        partner: any name or key of the beneficiary; lines of one partner and category are added.
        size, bonuses: as for :func:`intensity`, on the day of granting.
        base: eligible costs. ``amounts``: gross grant equivalent by funder.
        union: money of the Union that is managed centrally: no State aid, but counted in all public funding.
        economic: False for the non-economic activity of a research body, which is no State aid.
    """

    partner: str
    category: str
    size: str
    base: Decimal
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    bonuses: tuple[str, ...] = ()
    union: Decimal = ZERO
    economic: bool = True


@dataclass(frozen=True)
class Plan:
    """What is asked of public money for one partner, not split by category: eligible costs by category, amounts by funder."""

    partner: str
    size: str
    bases: Mapping[str, Decimal]
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    bonuses: tuple[str, ...] = ()
    union: Decimal = ZERO
    economic: bool = True


@dataclass(frozen=True)
class Ceiling:
    """The verdict on a partner (and category, when the money is split so).

    ``allowed``: highest total, to the cent downwards; ``total``: all public money; ``margin``: what is left (negative when
    the ceiling is passed). ``amounts``: by funder. ``refusal`` says what is wrong in one sentence, None when nothing is.
    """

    partner: str
    category: str
    rate: Decimal
    base: Decimal
    allowed: Decimal
    total: Decimal
    margin: Decimal
    amounts: Mapping[str, Decimal]
    refusal: Text | None
    explain: Callable[[], Why]

    @property
    def holds(self) -> bool:
        return self.refusal is None

    @property
    def why(self) -> Why:
        """How the verdict was reached, worked out when it is asked for."""
        return self.explain()


class _Rates:
    """Rates of one day, each computed once: a call has hundreds of partners and a handful of rates."""

    def __init__(self, policy: Any, day: dt.date):
        rule_set(policy, day)  # no rule in force: said at once, also where no rate is asked
        self.policy, self.day = policy, day
        self.known: dict[tuple[Any, ...], Intensity] = {}

    def of(self, category: str, size: str, bonuses: tuple[str, ...]) -> Intensity:
        key = (category, size, bonuses)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = intensity(self.policy, category, size, bonuses, self.day)
        return found


def check_ceilings(policy: Any, lines: Iterable[Line], day: dt.date) -> list[Ceiling]:
    """All public money of each partner and research category against the ceiling of article 25 (article 8).

    Lines of one partner and category are added: bases, amounts funder by funder. Cents are never lost: the total of the
    verdicts is the total of the lines.

    Raises:
        NoRules: no rule set in force on the day.
        Refused: a negative amount, an unknown word, one partner with two sizes or two sets of bonuses.
    """
    rates = _Rates(policy, day)
    gathered: dict[tuple[str, str, bool], list[Line]] = {}
    sizes: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line in lines:
        _sound(line.partner, (line.base, line.union, *line.amounts.values()))
        if line.economic and sizes.setdefault(line.partner, (line.size, tuple(line.bonuses))) != (
            line.size,
            tuple(line.bonuses),
        ):
            raise Refused(
                T(
                    "« {p} » est donné avec deux tailles ou deux jeux de bonus : un bénéficiaire a une taille, le jour de l'aide.",
                    "“{p}” is given with two sizes or two sets of bonuses: a beneficiary has one size on the day of the aid.",
                    p=line.partner,
                ),
                kind="input",
            )
        gathered.setdefault((line.partner, line.category, line.economic), []).append(line)
    found = []
    for (partner, category, economic), same in gathered.items():
        base = sum((line.base for line in same), ZERO)
        amounts: dict[str, Decimal] = {}
        for line in same:
            for funder, amount in line.amounts.items():
                amounts[funder] = amounts.get(funder, ZERO) + amount
        union = sum((line.union for line in same), ZERO)
        parts = [(category, base, rates.of(category, same[0].size, tuple(same[0].bonuses)))] if economic else []
        found.append(_verdict(policy, partner, category, base, parts, amounts, union, day))
    return found


def check_plans(policy: Any, plans: Iterable[Plan], day: dt.date) -> list[Ceiling]:
    """Like :func:`check_ceilings` where money is not split by category: the ceiling is the sum of those of the categories."""
    rates = _Rates(policy, day)
    found = []
    for plan in plans:
        _sound(plan.partner, (plan.union, *plan.bases.values(), *plan.amounts.values()))
        parts = []
        if plan.economic:
            parts = [(c, b, rates.of(c, plan.size, tuple(plan.bonuses))) for c, b in plan.bases.items()]
        base = sum(plan.bases.values(), ZERO)
        found.append(_verdict(policy, plan.partner, "", base, parts, dict(plan.amounts), plan.union, day))
    return found


def _sound(partner: str, amounts: Iterable[Decimal]) -> None:
    for amount in amounts:
        if amount < 0:
            raise Refused(
                T(
                    "« {p} » : trouvé {a}, attendu un montant positif ou nul.",
                    "“{p}”: found {a}, expected an amount of zero or more.",
                    p=partner,
                    a=euros(amount),
                ),
                kind="input",
            )


def _verdict(
    policy: Any,
    partner: str,
    category: str,
    base: Decimal,
    parts: Sequence[tuple[str, Decimal, Intensity]],
    amounts: Mapping[str, Decimal],
    union: Decimal,
    day: dt.date,
) -> Ceiling:
    total = sum(amounts.values(), ZERO)
    economic = bool(parts)
    raw = sum((b * i.rate / HUNDRED for _, b, i in parts), ZERO) if economic else base
    allowed = cents_down(raw)
    rate = (raw * HUNDRED / base) if base else (parts[0][2].rate if len(parts) == 1 else ZERO)
    refusal = None
    if total > allowed:
        refusal = T(
            "« {p} » : {t} d'aides publiques pour {b} de coûts admissibles, au plus {a} ({r}) ; {o} de trop.",
            "“{p}”: {t} of public aid for {b} of eligible costs, at most {a} ({r}); {o} too much.",
            p=partner,
            t=euros(total),
            b=euros(base),
            a=euros(allowed),
            r=percent(rate),
            o=euros(total - allowed),
        )
    elif total + union > base:
        refusal = T(
            "« {p} » : {t} d'argent public en tout, dont {u} de l'Union, pour {b} de coûts : plus que la dépense.",
            "“{p}”: {t} of public money in all, {u} of it from the Union, for {b} of costs: more than what is spent.",
            p=partner,
            t=euros(total + union),
            u=euros(union),
            b=euros(base),
        )

    def explain() -> Why:
        rules = rule_set(policy, day)
        steps: list[Any] = []
        for _, part_base, rate_of in parts:
            title = rules.category(rate_of.category).title
            steps.append(
                {
                    "text": T(
                        "{c} : {b} × {r} = {a}",
                        "{c}: {b} × {r} = {a}",
                        c=title,
                        b=euros(part_base),
                        r=percent(rate_of.rate),
                        a=euros(cents_down(part_base * rate_of.rate / HUNDRED)),
                    ),
                    "why": rate_of.why,
                }
            )
        if not economic:
            steps.append(
                T(
                    "Activité non économique d'un organisme de recherche : pas d'aide d'État, au plus le coût.",
                    "Non-economic activity of a research body: no State aid, at most the cost.",
                )
            )
        steps += [T("{f} : {a}", "{f}: {a}", f=funder, a=euros(amount)) for funder, amount in amounts.items()]
        if union:
            steps.append(
                T("Union, gestion centrale : {a}", "Union, managed centrally: {a}", a=euros(union)),
            )
        return Why(
            rule=T(
                "Toutes les aides publiques sur les mêmes coûts admissibles s'ajoutent et ne dépassent pas l'intensité la plus haute "
                "(cumul : article 8, à confirmer).",
                "All public aid on the same eligible costs adds up and does not pass the highest intensity "
                "(cumulation: article 8, to be confirmed).",
            )
            if economic
            else T(
                "L'argent public ne dépasse pas le coût (lecture de Jalon).",
                "Public money does not pass the cost (our reading).",
            ),
            parameter=f"aid.rule_sets.{rules.code}",
            value=allowed,
            unit="€",
            reference=rules.reference,
            url=rules.url or "",
            day=day,
            inputs={
                T("Coûts admissibles", "Eligible costs"): euros(base),
                T("Total des aides", "Total aid"): euros(total),
            },
            steps=tuple(steps),
            to_confirm=True,
            reading=not economic,
        )

    return Ceiling(partner, category, rate, base, allowed, total, allowed - total, amounts, refusal, explain)


# -- article 4: notification ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notification:
    """Whether an aid must be notified one by one: the threshold that applies, and the verdict."""

    needed: bool
    threshold: Decimal
    code: str
    title: Text
    amount: Decimal
    why: Why


def mainly(policy: Any, costs: Mapping[str, Decimal], day: dt.date) -> tuple[str, Text]:
    """The category that a project mainly belongs to, and how it was told: more than half of its eligible costs.

    Where no category holds more than half alone, fundamental and industrial research are taken together as industrial;
    else the category with the lowest threshold is kept, the cautious reading.
    """
    rules = rule_set(policy, day)
    for code in costs:
        if rules.category(code) is None:
            raise _unknown(T("Catégorie de recherche", "Research category"), code, rules.categories)
    _sound(str(T("Coûts", "Costs")), costs.values())
    total = sum(costs.values(), ZERO)
    if total <= 0:
        raise Refused(T("Donnez des coûts admissibles.", "Give eligible costs."), kind="input")
    least = policy.on(day).get("aid.mainly_above").value
    for code, cost in costs.items():
        if cost * HUNDRED / total > least:
            return code, T(
                "{c} : {s} des coûts admissibles, plus de {m}",
                "{c}: {s} of eligible costs, more than {m}",
                c=rules.category(code).title,
                s=percent(cost * HUNDRED / total),
                m=percent(least),
            )
    together = costs.get("fundamental", ZERO) + costs.get("industrial", ZERO)
    if together * HUNDRED / total > least and costs.get("industrial", ZERO) > 0:
        return "industrial", T(
            "Recherche fondamentale et industrielle ensemble : {s} des coûts (lecture de Jalon)",
            "Fundamental and industrial research together: {s} of costs (our reading)",
            s=percent(together * HUNDRED / total),
        )
    present = [t for t in rules.thresholds if t.category and costs.get(t.category, ZERO) > 0]
    lowest = min(present, key=lambda t: t.amount, default=None)
    if lowest is None or lowest.category is None:
        raise Refused(T("Aucun seuil pour ces catégories.", "No threshold for these categories."))
    return lowest.category, T(
        "Aucune catégorie au-dessus de {m} : le seuil le plus bas est retenu (lecture de Jalon)",
        "No category above {m}: the lowest threshold is kept (our reading)",
        m=percent(least),
    )


def notification(
    policy: Any,
    amount: Decimal,
    day: dt.date,
    *,
    costs: Mapping[str, Decimal] | None = None,
    kind: str = "",
    european: bool = False,
    advances: bool = False,
) -> Notification:
    """Whether the aid to one undertaking for one project (or to one cluster, infrastructure) passes its threshold.

    Args:
        costs: eligible costs by research category, which tell what the project mainly is; or
        kind: the code of a threshold (cluster, sme-innovation, training…).
        european: a Eureka project or one of a joint undertaking; advances: the aid is repayable advances only.
    """
    rules = rule_set(policy, day)
    _sound(str(T("Aide", "Aid")), (amount,))
    steps: list[Text] = []
    if costs is not None:
        kind, how = mainly(policy, costs, day)
        steps.append(how)
    threshold = rules.threshold(kind)
    if threshold is None:
        raise _unknown(T("Seuil", "Threshold"), kind, rules.thresholds)
    limit, unsure = threshold.amount, threshold.to_confirm
    for asked, name in ((european, "notification_factor_european"), (advances, "notification_factor_advance")):
        factor = parameter(policy, name, day) if asked else None
        if factor is not None:
            limit = limit * factor.value / HUNDRED
            unsure = True
            steps.append(T("{t} : {l}", "{t}: {l}", t=factor.title, l=euros(limit)))
    needed = amount > limit
    steps.append(
        T(
            "{a} {v} le seuil de {l}",
            "{a} {v} the threshold of {l}",
            a=euros(amount),
            v=T("dépasse", "passes") if needed else T("ne dépasse pas", "does not pass"),
            l=euros(limit),
        )
    )
    why = Why(
        rule=T(
            "Au-dessus du seuil, l'aide sort de l'exemption : elle est notifiée à la Commission avant d'être accordée.",
            "Above the threshold the aid is not exempted: it is notified to the Commission before it is granted.",
        ),
        parameter=f"aid.rule_sets.{rules.code}.thresholds.{threshold.code}",
        value=limit,
        unit="€",
        reference=threshold.reference,
        url=threshold.url or "",
        day=day,
        inputs={T("Aide", "Aid"): euros(amount), T("Seuil", "Threshold"): threshold.title},
        steps=tuple(steps),
        to_confirm=unsure,
    )
    return Notification(needed, limit, threshold.code, threshold.title, amount, why)


# -- article 9: publication -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Publication:
    """Whether an award must be published, and by which day."""

    needed: bool
    threshold: Decimal
    due_on: dt.date | None
    why: Why


def publication(policy: Any, amount: Decimal, granted_on: dt.date) -> Publication:
    """Whether an individual award must be published (above the threshold in force when it is granted) and until when.

    Raises:
        NoRules: no threshold is in force on the day.
    """
    limit = parameter(policy, "publication_above", granted_on)
    delay = parameter(policy, "publication_within", granted_on)
    if limit is None or delay is None:
        _part(policy)
        raise NoRules(
            T(
                "Aucun seuil de publication n'est en vigueur le {d}.",
                "No publication threshold is in force on {d}.",
                d=day_text(granted_on),
            )
        )
    needed = amount > limit.value
    due = _months_later(granted_on, delay.value) if needed else None
    steps = [
        T(
            "{a} {v} le seuil de {l}",
            "{a} {v} the threshold of {l}",
            a=euros(amount),
            v=T("dépasse", "passes") if needed else T("ne dépasse pas", "does not pass"),
            l=euros(limit.value),
        )
    ]
    if due is not None:
        steps.append(
            T(
                "Accordée le {g}, plus {m} mois : à publier au plus tard le {d}",
                "Granted on {g}, plus {m} months: to be published by {d}",
                g=day_text(granted_on),
                m=delay.value,
                d=day_text(due),
            )
        )
    why = Why(
        rule=T(
            "Chaque aide individuelle au-dessus du seuil est publiée dans le délai, avec les champs de l'annexe III.",
            "Each individual award above the threshold is published in time, with the fields of annex III.",
        ),
        parameter=limit.path,
        value=limit.value,
        unit="€",
        reference=limit.reference,
        url=limit.url or "",
        day=granted_on,
        inputs={T("Aide", "Award"): euros(amount), T("Accordée le", "Granted on"): granted_on},
        steps=tuple(steps),
        to_confirm=limit.to_confirm,
    )
    return Publication(needed, Decimal(limit.value), due, why)


def _months_later(day: dt.date, months: int) -> dt.date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# -- article 27: aid to the cluster itself ------------------------------------------------------------------------


@dataclass(frozen=True)
class ClusterLine:
    """A year of aid to the cluster itself: ``kind`` operating or investment, eligible costs, amounts by funder.

    ``area``: "", a or c (investment). ``counted``: whether the year counts among the years aided; which years count under
    which scheme is a legal question that the user answers, with a reason.
    """

    year: int
    kind: str
    eligible: Decimal
    amounts: Mapping[str, Decimal]
    area: str = ""
    counted: bool = True


@dataclass(frozen=True)
class ClusterCheck:
    """The verdict of article 27 on one kind of aid over the period: total aid, eligible costs, share, ceiling."""

    kind: str
    aid: Decimal
    eligible: Decimal
    share: Decimal | None
    ceiling: Decimal
    margin: Decimal
    refusal: Text | None
    why: Why

    @property
    def holds(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True)
class ClusterVerdict:
    """Operating aid, investment aid by area, years aided, notification of the whole."""

    checks: tuple[ClusterCheck, ...]
    years: int
    most_years: int
    years_refusal: Text | None
    years_why: Why
    notification: Notification | None


def cluster_aid(policy: Any, lines: Sequence[ClusterLine], day: dt.date) -> ClusterVerdict:
    """The running and investment aid of a cluster against article 27, all public funders together.

    Operating aid is at most half of eligible operating costs over the whole period of aid; investment aid half, more in
    assisted areas; operating aid lasts at most ten years, counted from the first year that counts.

    Raises:
        NoRules: no ceiling of article 27 is in force on the day.
        Refused: an amount below zero, an unknown kind or area.
    """
    ceiling = parameter(policy, "cluster_operating_ceiling", day)
    if ceiling is None:
        _part(policy)
        raise NoRules(
            T(
                "Aucun plafond d'aide aux pôles (article 27) n'est en vigueur le {d}.",
                "No ceiling of aid to clusters (article 27) is in force on {d}.",
                d=day_text(day),
            )
        )
    for line in lines:
        _sound(str(line.year), (line.eligible, *line.amounts.values()))
        if line.kind not in ("operating", "investment") or line.area not in ("", "a", "c"):
            raise Refused(
                T(
                    "Trouvé « {k} » « {a} », attendu operating ou investment, zone a, c ou rien.",
                    "Found “{k}” “{a}”, expected operating or investment, area a, c or nothing.",
                    k=line.kind,
                    a=line.area,
                ),
                kind="input",
            )
    checks = []
    operating = [line for line in lines if line.kind == "operating"]
    if operating:
        checks.append(_cluster_check("operating", operating, Decimal(ceiling.value), ceiling, day))
    invest = parameter(policy, "cluster_investment_ceiling", day)
    for area in ("", "c", "a"):
        some = [line for line in lines if line.kind == "investment" and line.area == area]
        if some and invest is not None:
            bonus = parameter(policy, f"cluster_investment_bonus_{area}", day) if area else None
            limit = Decimal(invest.value) + (Decimal(bonus.value) if bonus else ZERO)
            checks.append(_cluster_check("investment", some, limit, invest, day))
    longest = parameter(policy, "cluster_operating_years", day)
    counted = sorted({line.year for line in operating if line.counted and sum(line.amounts.values(), ZERO) > 0})
    years = counted[-1] - counted[0] + 1 if counted else 0
    most = longest.value if longest else 0
    left_out = sorted({line.year for line in operating if not line.counted})
    years_why = Why(
        rule=T(
            "L'aide au fonctionnement dure au plus {n} ans, comptés depuis la première aide.",
            "Operating aid lasts at most {n} years, counted from the first award.",
            n=most,
        ),
        parameter="aid.cluster_operating_years",
        value=most,
        unit=str(T("ans", "years")),
        reference=longest.reference if longest else "",
        url=(longest.url or "") if longest else "",
        day=day,
        inputs={
            T("Première et dernière année comptées", "First and last year counted"): f"{counted[0]} – {counted[-1]}"
            if counted
            else "–",
            T("Années laissées de côté", "Years left aside"): ", ".join(map(str, left_out)) or "–",
        },
        steps=(
            T(
                "Quelles années comptent sous quel régime est une question de droit : vous la tranchez, ligne par ligne.",
                "Which years count under which scheme is a legal question: you decide it, line by line.",
            ),
        ),
        to_confirm=True,
    )
    refusal = None
    if longest is not None and years > most:
        refusal = T(
            "{n} ans d'aide au fonctionnement, de {a} à {b} : au plus {m}.",
            "{n} years of operating aid, {a} to {b}: at most {m}.",
            n=years,
            a=counted[0],
            b=counted[-1],
            m=most,
        )
    total = sum((sum(line.amounts.values(), ZERO) for line in lines), ZERO)
    try:
        told = notification(policy, total, day, kind="cluster") if total else None
    except Refused:
        told = None
    return ClusterVerdict(tuple(checks), years, most, refusal, years_why, told)


def _cluster_check(kind: str, lines: Sequence[ClusterLine], limit: Decimal, source: Any, day: dt.date) -> ClusterCheck:
    eligible = sum((line.eligible for line in lines), ZERO)
    by_funder: dict[str, Decimal] = {}
    for line in lines:
        for funder, amount in line.amounts.items():
            by_funder[funder] = by_funder.get(funder, ZERO) + amount
    aid = sum(by_funder.values(), ZERO)
    allowed = cents_down(eligible * limit / HUNDRED)
    share = aid * HUNDRED / eligible if eligible else None
    refusal = None
    title = (
        T("Aide au fonctionnement", "Operating aid")
        if kind == "operating"
        else T("Aide à l'investissement", "Investment aid")
    )
    if aid > allowed:
        refusal = T(
            "{t} : {a} pour {e} de coûts admissibles, au plus {m} ({r}) ; {o} de trop.",
            "{t}: {a} for {e} of eligible costs, at most {m} ({r}); {o} too much.",
            t=title,
            a=euros(aid),
            e=euros(eligible),
            m=euros(allowed),
            r=percent(limit),
            o=euros(aid - allowed),
        )
    why = Why(
        rule=T(
            "Toutes les aides publiques de la période, tous financeurs ensemble, rapportées aux coûts admissibles de la période. "
            "Ce n'est pas la part privée du budget, qui porte sur toutes les recettes.",
            "All public aid of the period, all funders together, over the eligible costs of the period. This is not the "
            "private share of the budget, which is about all income.",
        ),
        parameter=source.path,
        value=limit,
        unit="%",
        reference=source.reference,
        url=source.url or "",
        day=day,
        inputs={
            T("Coûts admissibles", "Eligible costs"): euros(eligible),
            T("Aides", "Aid"): euros(aid),
            **{funder: euros(amount) for funder, amount in by_funder.items()},
        },
        steps=tuple(
            T(
                "{y} : {a} pour {e}",
                "{y}: {a} for {e}",
                y=line.year,
                a=euros(sum(line.amounts.values(), ZERO)),
                e=euros(line.eligible),
            )
            for line in sorted(lines, key=lambda one: one.year)
        ),
        to_confirm=source.to_confirm,
    )
    return ClusterCheck(kind, aid, eligible, share, limit, allowed - aid, refusal, why)


# -- owners: links, single undertaking, cycles --------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """One organisation holds a share of another, from a day to a day.

    Attributes:
        owner, owned: names or keys.
        share: percent of capital or votes, the higher of the two; None when only control is known.
        control: the owner controls the owned (majority of votes, power to appoint, dominant influence, agreement).
        owner_kind: a code of ``owner_kinds`` (firm, public, venture…).
        kind: holding, or absorption (the owned has been merged into the owner: its aid stays counted).
    """

    owner: str
    owned: str
    share: Decimal | None = None
    control: bool = False
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    owner_kind: str = "firm"
    kind: str = "holding"

    def on(self, day: dt.date) -> bool:
        return (self.starts_on is None or self.starts_on <= day) and (self.ends_on is None or day <= self.ends_on)


def find_cycle(links: Iterable[Link], least: Decimal = ZERO) -> list[str] | None:
    """A chain of owners that comes back to its start (A, B, A), over links of at least ``least`` percent or control."""
    below: dict[str, list[str]] = {}
    for link in links:
        if link.control or link.share is None or link.share >= least:
            below.setdefault(link.owner, []).append(link.owned)
    done: set[str] = set()
    for start in below:
        if start in done:
            continue
        trail, on_trail = [start], {start}
        waiting = [iter(below.get(start, ()))]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                left = trail.pop()
                on_trail.discard(left)
                done.add(left)
            elif following in on_trail:
                return [*trail[trail.index(following) :], following]
            elif following not in done:
                trail.append(following)
                on_trail.add(following)
                waiting.append(iter(below.get(following, ())))
    return None


def check_links(policy: Any, links: Sequence[Link], day: dt.date) -> None:
    """Refuse links that cannot be: a firm that owns itself, by itself or around; shares above 100 %.

    A circle counts from the partner share (25 %) on: below it, holdings do not enter any computation and are harmless.

    Raises:
        Refused: with the circle named.
    """
    for link in links:
        if link.owner == link.owned:
            raise Refused(T("« {a} » se détiendrait elle-même.", "“{a}” would own itself.", a=link.owner), kind="input")
        if link.share is not None and not 0 <= link.share <= HUNDRED:
            raise Refused(
                T(
                    "« {a} » détiendrait {s} de « {b} » : attendu de 0 à 100 %.",
                    "“{a}” would hold {s} of “{b}”: expected 0 to 100%.",
                    a=link.owner,
                    b=link.owned,
                    s=percent(link.share),
                ),
                kind="input",
            )
    live = [link for link in links if link.on(day)]
    cycle = find_cycle([link for link in live if link.kind == "holding"], _share_from(policy, "partner_from", day))
    if cycle is not None:
        raise Refused(
            T(
                "Détention circulaire : {c}. Chacune détiendrait la suivante ; corrigez l'un de ces liens ou sa période.",
                "Circular ownership: {c}. Each would own the next; correct one of these links or its period.",
                c=" → ".join(cycle),
            ),
            kind="input",
        )
    held: dict[str, Decimal] = {}
    for link in live:
        if link.share is not None and link.kind == "holding":
            held[link.owned] = held.get(link.owned, ZERO) + link.share
    for name, total in held.items():
        if total > HUNDRED:
            raise Refused(
                T(
                    "Les parts connues de « {a} » le {d} font {t} : au plus 100 %.",
                    "The known shares of “{a}” on {d} add up to {t}: at most 100%.",
                    a=name,
                    d=day_text(day),
                    t=percent(total),
                ),
                kind="input",
            )


def _share_from(policy: Any, name: str, day: dt.date) -> Decimal:
    found = parameter(policy, name, day)
    if found is None:
        _part(policy)
        raise NoRules(
            T(
                "Aucune définition de la taille n'est en vigueur le {d}.",
                "No definition of size is in force on {d}.",
                d=day_text(day),
            )
        )
    return Decimal(found.value)


def _public_kinds(policy: Any) -> set[str]:
    return {kind.code for kind in _part(policy).owner_kinds if kind.public}


def undertaking(policy: Any, links: Sequence[Link], firm: str, day: dt.date) -> list[str]:
    """The single undertaking of ``firm`` for *de minimis*: every firm tied to it by control, the firm first.

    Control is the majority of shares or votes, or control said otherwise; the quarter of the size test does not count. A
    public body that controls two firms does not tie them to each other. A firm absorbed stays in it.
    """
    public = _public_kinds(policy)
    above = _share_from(policy, "linked_above", day)
    check_links(policy, links, day)
    near: dict[str, set[str]] = {}
    for link in links:
        absorbed = link.kind == "absorption" and (link.starts_on is None or link.starts_on <= day)
        held = link.on(day) and (link.control or (link.share is not None and link.share > above))
        if (absorbed or held) and link.owner_kind not in public:
            near.setdefault(link.owner, set()).add(link.owned)
            near.setdefault(link.owned, set()).add(link.owner)
    found, waiting = [firm], [firm]
    while waiting:
        for other in sorted(near.get(waiting.pop(), ())):
            if other not in found:
                found.append(other)
                waiting.append(other)
    return [firm, *sorted(found[1:])]


# -- de minimis -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Award:
    """An award of *de minimis* aid: to whom, how much (gross grant equivalent), the day the right was conferred.

    ``declared``: told by the firm, not recorded here.
    """

    beneficiary: str
    amount: Decimal
    granted_on: dt.date
    kind: str = "general"
    authority: str = ""
    declared: bool = False


@dataclass(frozen=True)
class DeMinimis:
    """Whether an award fits under the ceiling of *de minimis*.

    Attributes:
        used: already granted to the undertaking in the window of the day; ``left``: what is left before the award.
        counted: the awards of that window. ``window_from``: its first day.
        allowed_from: the first day on which the same amount would fit, if it does not now and nothing else is granted.
        coverage: what is known and what is not, in a sentence.
    """

    allowed: bool
    amount: Decimal
    ceiling: Decimal
    used: Decimal
    left: Decimal
    counted: tuple[Award, ...]
    window_from: dt.date
    day: dt.date
    allowed_from: dt.date | None
    refusal: Text | None
    coverage: Text
    why: Why
    rules: Any


def window_start(rules: Any, day: dt.date) -> dt.date:
    """The first day whose awards still count on ``day``.

    Rolling: an award counts up to and including its anniversary (our reading: a period of years ends with that day).
    Fiscal years: the year of the day and those before it, taken as calendar years (our reading).
    """
    if rules.window == "fiscal_years":
        return dt.date(day.year - rules.years + 1, 1, 1)
    start = anniversary(day, -rules.years)
    while anniversary(start, rules.years) < day:  # 29 February: its period ends on 28 February
        start += dt.timedelta(days=1)
    return start


def de_minimis_rules(policy: Any, kind: str, day: dt.date) -> Any:
    """The ceiling of *de minimis* of a kind in force on a day. Raises NoRules, or Refused for an unknown kind."""
    part = _part(policy)
    if kind not in [k.code for k in part.de_minimis_kinds]:
        raise _unknown(T("Sorte de de minimis", "Kind of de minimis"), kind, part.de_minimis_kinds)
    sets = [d for d in part.de_minimis if d.kind == kind]
    found = in_force(sets, day)
    if found is None:
        raise NoRules(_nothing_in_force(T("de minimis", "on de minimis aid"), sets, day))
    return found


def de_minimis(
    policy: Any, awards: Iterable[Award], amount: Decimal, day: dt.date, *, kind: str = "general"
) -> DeMinimis:
    """Whether ``amount`` granted on ``day`` keeps the single undertaking under the ceiling of *de minimis*.

    ``awards`` are those of the whole undertaking. The window of the day is tried, and that of every later award already
    recorded which would then hold this one too: no period of three years may pass the ceiling. An award that would pass
    it cannot use the regulation at all: it is refused whole.

    Raises:
        NoRules: no regulation is in force on the day.
        Refused: an amount that is not above zero, an unknown kind.
    """
    if amount <= 0:
        raise Refused(
            T(
                "Trouvé {a}, attendu un montant au-dessus de zéro.",
                "Found {a}, expected an amount above zero.",
                a=euros(amount),
            ),
            kind="input",
        )
    rules = de_minimis_rules(policy, kind, day)
    same = sorted((a for a in awards if a.kind == kind), key=lambda a: (a.granted_on, a.beneficiary))
    for award in same:
        _sound(award.beneficiary, (award.amount,))
    start = window_start(rules, day)
    counted = tuple(a for a in same if start <= a.granted_on <= day)
    used = sum((a.amount for a in counted), ZERO)
    part = _part(policy)
    refusal: Text | None = None
    if used + amount > rules.ceiling:
        refusal = T(
            "{a} demandés le {d}, après {u} accordés depuis le {s} : {t} en tout, au-delà du plafond de {c}. L'aide est "
            "refusée en entier : une aide qui passerait le plafond ne peut pas du tout relever du de minimis.",
            "{a} asked for on {d}, after {u} granted since {s}: {t} in all, above the ceiling of {c}. The aid is refused "
            "whole: an award that would pass the ceiling cannot use the de minimis rules at all.",
            a=euros(amount),
            d=day_text(day),
            u=euros(used),
            s=day_text(start),
            t=euros(used + amount),
            c=euros(rules.ceiling),
        )
    else:
        refusal = _later_refusal(part, same, amount, day, kind)
    first = None
    if refusal is not None:
        first = _first_day(part, same, amount, day, kind)
    declared = sum(1 for a in same if a.declared)
    coverage = T(
        "Aides connues ici : {n} (déclarées par l'entreprise : {k}). Celles d'autres organismes que personne n'a déclarées "
        "sont inconnues.",
        "Awards known here: {n} (declared by the firm: {k}). Those of other bodies that nobody declared are unknown.",
        n=len(same),
        k=declared,
    )
    steps: list[Any] = [
        T(
            "Période qui compte le {d} : depuis le {s}",
            "Period that counts on {d}: since {s}",
            d=day_text(day),
            s=day_text(start),
        )
    ]
    steps += [
        T(
            "{d} : {a} à « {b} »{w}",
            "{d}: {a} to “{b}”{w}",
            d=day_text(a.granted_on),
            a=euros(a.amount),
            b=a.beneficiary,
            w=T(" (déclarée)", " (declared)") if a.declared else T("", ""),
        )
        for a in counted
    ]
    steps.append(
        T(
            "{u} + {a} = {t}, plafond {c}",
            "{u} + {a} = {t}, ceiling {c}",
            u=euros(used),
            a=euros(amount),
            t=euros(used + amount),
            c=euros(rules.ceiling),
        )
    )
    if first is not None:
        steps.append(
            T(
                "Le même montant serait possible à partir du {d}, si rien d'autre n'est accordé d'ici là.",
                "The same amount would be possible from {d} on, if nothing else is granted before.",
                d=day_text(first),
            )
        )
    steps.append(coverage)
    why = Why(
        rule=T(
            "Le total des aides de minimis d'une entreprise unique, sur toute période de {n} ans, ne dépasse pas {c} ; la date "
            "est celle où le droit est conféré, le montant l'équivalent-subvention brut.",
            "The de minimis aid of a single undertaking over any period of {n} years does not pass {c}; the date is the day "
            "the right is conferred, the amount the gross grant equivalent.",
            n=rules.years,
            c=euros(rules.ceiling),
        )
        if rules.window == "rolling"
        else T(
            "Le total des aides de minimis d'une entreprise unique, sur {n} exercices fiscaux, ne dépasse pas {c}.",
            "The de minimis aid of a single undertaking over {n} fiscal years does not pass {c}.",
            n=rules.years,
            c=euros(rules.ceiling),
        ),
        parameter=f"aid.de_minimis.{rules.code}",
        value=rules.ceiling,
        unit="€",
        reference=rules.reference,
        url=rules.url or "",
        day=day,
        inputs={T("Montant", "Amount"): euros(amount), T("Jour", "Day"): day},
        steps=tuple(steps),
        reading=rules.reading,
        to_confirm=rules.to_confirm,
    )
    return DeMinimis(
        allowed=refusal is None,
        amount=amount,
        ceiling=rules.ceiling,
        used=used,
        left=max(ZERO, rules.ceiling - used),
        counted=counted,
        window_from=start,
        day=day,
        allowed_from=first,
        refusal=refusal,
        coverage=coverage,
        why=why,
        rules=rules,
    )


def _later_refusal(part: Any, same: Sequence[Award], amount: Decimal, day: dt.date, kind: str) -> Text | None:
    """Awards granted after ``day`` but recorded already: their windows may hold the new one."""
    sets = [d for d in part.de_minimis if d.kind == kind]
    for late in same:
        rules = in_force(sets, late.granted_on) if late.granted_on > day else None
        if rules is None:
            continue
        start = window_start(rules, late.granted_on)
        if start > day:
            continue
        total = amount + sum((a.amount for a in same if start <= a.granted_on <= late.granted_on), ZERO)
        if total > rules.ceiling:
            return T(
                "Avec {a} accordés le {d}, la période qui finit le {l} (aide de {x} déjà inscrite) ferait {t}, au-delà du "
                "plafond de {c}. L'aide est refusée en entier.",
                "With {a} granted on {d}, the period that ends on {l} (award of {x} already recorded) would make {t}, above "
                "the ceiling of {c}. The aid is refused whole.",
                a=euros(amount),
                d=day_text(day),
                l=day_text(late.granted_on),
                x=euros(late.amount),
                t=euros(total),
                c=euros(rules.ceiling),
            )
    return None


def _first_day(part: Any, same: Sequence[Award], amount: Decimal, day: dt.date, kind: str) -> dt.date | None:
    """The first day after ``day`` on which ``amount`` fits: one of the days on which an award leaves the window."""
    sets = [d for d in part.de_minimis if d.kind == kind]
    tries: set[dt.date] = {d.valid_from for d in sets if d.valid_from > day}
    for one in same:
        for rules in sets:
            if rules.window == "fiscal_years":
                tries.add(dt.date(one.granted_on.year + rules.years, 1, 1))
            else:
                tries.add(anniversary(one.granted_on, rules.years) + dt.timedelta(days=1))
    for moment in sorted(t for t in tries if t > day):
        rules = in_force(sets, moment)
        if rules is None:
            continue
        start = window_start(rules, moment)
        used = sum((a.amount for a in same if start <= a.granted_on <= moment), ZERO)
        if used + amount <= rules.ceiling and _later_refusal(part, same, amount, moment, kind) is None:
            return moment
    return None


# -- gross grant equivalent -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Equivalent:
    """The gross grant equivalent of an aid that is not a plain grant.

    ``amount``: to the cent, upwards (a ceiling is never passed by rounding); None when no method is known here, and then
    ``reason`` says so: the equivalent is to be told by who grants, with its method.
    """

    instrument: str
    nominal: Decimal
    years: Decimal | None
    amount: Decimal | None
    reason: Text | None
    why: Why


def grant_equivalent(
    policy: Any, instrument: str, nominal: Decimal, years: Decimal | None, day: dt.date, *, kind: str = "general"
) -> Equivalent:
    """The gross grant equivalent of a *de minimis* aid of ``nominal`` euros over ``years``.

    A grant is its own equivalent. Loans and guarantees have a simplified one where the regulation of the day gives it: the
    share of the ceiling that the amount is of the largest amount of its duration. A shorter duration does not lower it
    (our cautious reading). Anything else has no method here, and none is made up.

    Raises:
        NoRules: no regulation in force on the day.
        Refused: an unknown form of aid, an amount or a duration that is not above zero.
    """
    part = _part(policy)
    form = next((i for i in part.instruments if i.code == instrument), None)
    if form is None:
        raise _unknown(T("Forme d'aide", "Form of aid"), instrument, part.instruments)
    if nominal <= 0 or (years is not None and years <= 0):
        raise Refused(
            T(
                "Trouvé {a} sur {y}, attendu un montant et une durée au-dessus de zéro.",
                "Found {a} over {y}, expected an amount and a duration above zero.",
                a=euros(nominal),
                y=_years(years),
            ),
            kind="input",
        )
    rules = de_minimis_rules(policy, kind, day)
    several = sorted((e for e in rules.equivalents if e.instrument == instrument), key=lambda e: e.years)
    fitting = next((e for e in several if years is not None and years <= e.years), None)
    amount: Decimal | None = None
    reason: Text | None = None
    step: Text
    if instrument == "grant":
        amount = nominal
        step = T("Une subvention est son propre équivalent.", "A grant is its own equivalent.")
    elif not several:
        reason = T(
            "Aucune méthode n'est connue ici pour « {i} » le {d} : l'équivalent-subvention brut est celui que dit "
            "l'organisme qui accorde l'aide, avec sa méthode. Jalon n'en invente pas.",
            "No method is known here for “{i}” on {d}: the gross grant equivalent is what the granting body states, with "
            "its method. Jalon makes none up.",
            i=form.title,
            d=day_text(day),
        )
        step = reason
    elif fitting is None:
        reason = T(
            "L'équivalent simplifié demande une durée, d'au plus {n} ans ; trouvé {y}.",
            "The simplified equivalent needs a duration of at most {n} years; found {y}.",
            n=several[-1].years,
            y=_years(years),
        )
        step = reason
    elif nominal > fitting.amount:
        reason = T(
            "{a} sur {y} : l'équivalent simplifié vaut jusqu'à {m} pour une durée d'au plus {n} ans.",
            "{a} over {y}: the simplified equivalent holds up to {m} for a duration of at most {n} years.",
            a=euros(nominal),
            y=_years(years),
            m=euros(fitting.amount),
            n=fitting.years,
        )
        step = reason
    else:
        amount = (rules.ceiling * nominal / fitting.amount).quantize(CENT, rounding=ROUND_UP)
        step = T(
            "{i}, {a} sur {y} : {c} × {a} / {m} (au plus {n} ans) = {e}",
            "{i}, {a} over {y}: {c} × {a} / {m} (at most {n} years) = {e}",
            i=form.title,
            a=euros(nominal),
            y=_years(years),
            c=euros(rules.ceiling),
            m=euros(fitting.amount),
            n=fitting.years,
            e=euros(amount),
        )
    law = fitting or (several[0] if several else rules)
    why = Why(
        rule=T(
            "Équivalent-subvention brut : la même part du plafond que celle du montant dans le plus grand montant admis pour "
            "sa durée ; une durée plus courte ne le réduit pas (lecture prudente).",
            "Gross grant equivalent: the same share of the ceiling as the amount is of the largest amount allowed for its "
            "duration; a shorter duration does not lower it (cautious reading).",
        )
        if several
        else T("L'aide compte pour son équivalent-subvention brut.", "Aid counts for its gross grant equivalent."),
        parameter=f"aid.de_minimis.{rules.code}" + (".equivalents" if several else ""),
        value=amount,
        unit="€",
        reference=law.reference,
        url=law.url or "",
        day=day,
        inputs={
            T("Forme de l'aide", "Form of the aid"): form.title,
            T("Montant nominal", "Nominal amount"): euros(nominal),
            T("Durée", "Duration"): _years(years),
        },
        steps=() if step is reason else (step,),
        reading=law.reading,
        to_confirm=law.to_confirm,
    )
    return Equivalent(instrument, nominal, years, amount, reason, why)


def _years(years: Decimal | None) -> Text:
    if years is None:
        return T("une durée inconnue", "an unknown duration")
    return Said(lambda lang: f"{fmt.number(years, lang=lang)} {'ans' if lang == 'fr' else 'years'}")


# -- size: the EU definition and the French one -------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """A firm's closed accounting year: yearly work units, turnover and balance sheet in euros; None: not known."""

    headcount: Decimal | None = None
    turnover: Decimal | None = None
    balance: Decimal | None = None


@dataclass(frozen=True)
class YearSize:
    """What a closed year says: consolidated figures, their class (None when it cannot be told), and the class that stands."""

    year: int
    figures: Figures
    raw: str | None
    standing: str | None
    parts: tuple[tuple[str, str, Decimal], ...]  # (firm, own/linked/partner, percent of its data)


@dataclass(frozen=True)
class Size:
    """The size of a firm on a day. ``category`` None: it cannot be told, and ``missing`` says why.

    ``certain``: False when only one closed year is known, so that the rule of two years could not be applied.
    """

    category: str | None
    title: Text
    scheme: str
    day: dt.date
    years: tuple[YearSize, ...]
    missing: tuple[Text, ...]
    certain: bool
    why: Why
    public_share: Decimal = ZERO


def classify(scheme: Any, figures: Figures) -> str | None:
    """The class of figures under a scheme of ``members.yaml``: below the headcount, and turnover or balance up to the limit.

    None when a figure that is not known could change the answer.
    """
    for category in scheme.categories:
        tests = [
            _under(figures.headcount, category.headcount_below, strict=True),
            _either(_under(figures.turnover, category.turnover_up_to), _under(figures.balance, category.balance_up_to)),
        ]
        if False in tests:
            continue
        if None in tests:
            return None
        return category.code
    return None


def _under(value: Decimal | None, limit: Any, *, strict: bool = False) -> bool | None:
    if limit is None:
        return True
    if value is None:
        return None
    return value < limit if strict else value <= limit


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one is True or other is True:
        return True
    return None if None in (one, other) else False


def _members(
    links: Sequence[Link],
    firm: str,
    day: dt.date,
    partner_from: Decimal,
    linked_above: Decimal,
    listed: set[str],
    public: set[str],
) -> list[tuple[str, str, Decimal]]:
    """Whose data enter: the firm, those linked to it (all of them, at 100 %), the partners of each of these, pro rata.

    A partner brings its own linked firms with it at the same share; partners of partners do not enter.
    """
    live = [link for link in links if link.on(day) and link.kind == "holding"]

    def linked(start: str) -> list[str]:
        found, waiting = [start], [start]
        while waiting:
            here = waiting.pop()
            for link in live:
                if not (link.control or (link.share is not None and link.share > linked_above)):
                    continue
                if (
                    link.owner_kind in public
                ):  # a public owner makes the firm no SME, or is listed: its data do not enter
                    continue
                other = link.owned if link.owner == here else link.owner if link.owned == here else None
                if other is not None and other not in found:
                    found.append(other)
                    waiting.append(other)
        return found

    group = linked(firm)
    out = [(name, "own" if name == firm else "linked", HUNDRED) for name in group]
    seen = set(group)
    for name in group:
        for link in live:
            share = link.share
            if (
                share is None
                or share < partner_from
                or share > linked_above
                or link.control
                or link.owner_kind in public
            ):
                continue
            if link.owner_kind in listed:
                continue
            other = link.owned if link.owner == name else link.owner if link.owned == name else None
            if other is None or other in seen:
                continue
            for part in linked(other):
                if part not in seen:
                    seen.add(part)
                    out.append((part, "partner", share))
    return out


def _held_by_public(
    links: Sequence[Link], firm: str, day: dt.date, linked_above: Decimal, public: set[str], listed: set[str]
) -> list[Link]:
    """The holdings of public bodies in the firm, or in the firms that control it.

    A listed investor is left out as long as it holds no more than half and does not control.
    """
    live = [link for link in links if link.on(day) and link.kind == "holding"]
    above, waiting = {firm}, [firm]
    while waiting:
        here = waiting.pop()
        for link in live:
            controls = link.control or (link.share is not None and link.share > linked_above)
            if link.owned == here and controls and link.owner_kind not in public and link.owner not in above:
                above.add(link.owner)
                waiting.append(link.owner)
    return [
        link
        for link in live
        if link.owned in above
        and link.owner_kind in public
        and (link.owner_kind not in listed or link.control or (link.share or ZERO) > linked_above)
    ]


def _add(
    parts: Sequence[tuple[str, str, Decimal]], known: Mapping[str, Mapping[int, Figures]], year: int
) -> tuple[Figures, list[Text]]:
    missing: list[Text] = []
    totals: dict[str, Decimal | None] = {"headcount": ZERO, "turnover": ZERO, "balance": ZERO}
    names = {
        "headcount": T("effectif", "headcount"),
        "turnover": T("chiffre d'affaires", "turnover"),
        "balance": T("bilan", "balance sheet"),
    }
    for firm, _, share in parts:
        figures = known.get(firm, {}).get(year)
        lacking = [names[key] for key in totals if figures is None or getattr(figures, key) is None]
        if lacking:
            missing.append(
                T("« {f} », exercice {y} : {w}", "“{f}”, year {y}: {w}", f=firm, y=year, w=joined(lacking, ", "))
            )
        for key, total in totals.items():
            value = getattr(figures, key) if figures is not None else None
            totals[key] = None if value is None or total is None else total + value * share / HUNDRED
    return Figures(**totals), missing


def eu_size(
    policy: Any,
    firm: str,
    figures: Mapping[str, Mapping[int, Figures]],
    links: Sequence[Link],
    day: dt.date,
) -> Size:
    """The EU size of a firm on a day: closed years before it, partners pro rata, linked firms in full, two-year rule.

    Args:
        figures: closed accounting years (the year in which they end) by firm; a year counts once it is over.
        links: who owns whom; those in force on the day are used for every year.

    Raises:
        Refused: circular ownership, named. NoRules: no definition in force.
    """
    part = _part(policy)
    scheme = next((s for s in policy.members.size_schemes if s.code == part.size_scheme), None)
    if scheme is None or scheme.valid_from > day:
        raise NoRules(
            T(
                "Aucune définition de la taille n'est en vigueur le {d}.",
                "No definition of size is in force on {d}.",
                d=day_text(day),
            )
        )
    check_links(policy, links, day)
    partner_from, linked_above = _share_from(policy, "partner_from", day), _share_from(policy, "linked_above", day)
    public_from = _share_from(policy, "public_holding_from", day)
    public = _public_kinds(policy)
    listed = {k.code for k in part.owner_kinds if k.listed}
    parts = _members(links, firm, day, partner_from, linked_above, listed, public)
    held = _held_by_public(links, firm, day, linked_above, public, listed)
    shares: dict[str, Decimal] = {}
    for link in held:
        shares[link.owned] = shares.get(link.owned, ZERO) + (link.share or (HUNDRED if link.control else ZERO))
    public_share = max(shares.values(), default=ZERO)
    order = [c.code for c in scheme.categories]
    largest = order[-1]
    last = day.year - 1
    years = sorted(y for y in figures.get(firm, {}) if y <= last)
    found: list[YearSize] = []
    missing: list[Text] = []
    standing: str | None = None
    before: str | None = None
    for year in years:
        total, lacking = _add(parts, figures, year)
        raw = classify(scheme, total)
        if raw is None:
            missing = lacking
        if found and found[-1].year != year - 1:
            standing, before = None, None
        if raw is not None:
            standing = _two_years(order, standing, before, raw)
        before = raw
        found.append(YearSize(year, total, raw, standing if raw is not None else None, tuple(parts)))
    category: str | None = None
    certain = False
    steps: list[Any] = []
    for name, how, share in parts:
        if how == "linked":
            steps.append(T("« {f} », liée : 100 % de ses données", "“{f}”, linked: 100% of its data", f=name))
        elif how == "partner":
            steps.append(
                T(
                    "« {f} », partenaire : {s} de ses données",
                    "“{f}”, partner: {s} of its data",
                    f=name,
                    s=percent(share),
                )
            )
    for one in found:
        steps.append(
            T(
                "Exercice {y} : effectif {h}, chiffre d'affaires {t}, bilan {b} → {c}{s}",
                "Year {y}: headcount {h}, turnover {t}, balance sheet {b} → {c}{s}",
                y=one.year,
                h=_said(one.figures.headcount),
                t=_said_money(one.figures.turnover),
                b=_said_money(one.figures.balance),
                c=_class_title(scheme, one.raw),
                s=T(" (reste {c})", " (stays {c})", c=_class_title(scheme, one.standing))
                if one.standing is not None and one.standing != one.raw
                else T("", ""),
            )
        )
    if public_share >= public_from and public_share > 0:
        category, certain, missing = largest, True, []
        steps.append(
            T(
                "Des organismes publics détiennent {s} (à partir de {m}) : l'entreprise n'est pas une PME.",
                "Public bodies hold {s} (from {m} on): the firm is not an SME.",
                s=percent(public_share),
                m=percent(public_from),
            )
        )
    elif not found:
        missing = [
            T(
                "« {f} » : aucun exercice clos avant le {d}",
                "“{f}”: no closed accounting year before {d}",
                f=firm,
                d=day_text(day),
            )
        ]
    elif found[-1].raw is not None:
        category = found[-1].standing
        certain = len(found) > 1 and found[-2].raw is not None and found[-2].year == found[-1].year - 1
        if not certain:
            steps.append(
                T(
                    "Un seul exercice clos connu : la règle des deux exercices n'a pas pu être appliquée.",
                    "Only one closed year known: the rule of two years could not be applied.",
                )
            )
    change = policy.on(day).find("members.size_years_to_change")
    why = Why(
        rule=T(
            "Données de l'entreprise, de ses entreprises liées (100 %) et partenaires (au prorata), derniers exercices clos ; la "
            "taille ne change qu'après {n} exercices de suite au-delà ou en deçà.",
            "Data of the firm, of its linked firms (100%) and partners (pro rata), last closed years; the size changes only after "
            "{n} years in a row above or below.",
            n=change.value if change else 2,
        ),
        parameter=f"members.size_schemes.{scheme.code}",
        value=str(_class_title(scheme, category)),
        reference=scheme.reference,
        url=scheme.url or "",
        day=day,
        inputs={T("Entreprise", "Firm"): firm, T("Exercices connus", "Years known"): ", ".join(map(str, years)) or "–"},
        steps=tuple(steps),
        to_confirm=True,
    )
    return Size(
        category,
        _class_title(scheme, category),
        scheme.code,
        day,
        tuple(found),
        tuple(missing),
        certain,
        why,
        public_share,
    )


def _two_years(order: Sequence[str], standing: str | None, before: str | None, raw: str) -> str:
    """The class that stands after a year: it changes when two years in a row lie on the same side of it."""
    if standing is None:
        return raw
    if before is None:
        return standing if raw != standing else raw
    at, was, now = order.index(standing), order.index(before), order.index(raw)
    if now > at and was > at:
        return order[min(now, was)]
    if now < at and was < at:
        return order[max(now, was)]
    return standing


def national_size(
    policy: Any,
    firm: str,
    figures: Mapping[str, Mapping[int, Figures]],
    links: Sequence[Link],
    day: dt.date,
) -> Size:
    """The national (French) category of a firm on a day: last closed year, at the level of the group it controls or is in."""
    part = _part(policy)
    scheme = next((s for s in policy.members.size_schemes if s.code == part.national_size_scheme), None)
    if scheme is None or scheme.valid_from > day:
        raise NoRules(
            T(
                "Aucune définition nationale de la taille n'est en vigueur le {d}.",
                "No national definition of size is in force on {d}.",
                d=day_text(day),
            )
        )
    check_links(policy, links, day)
    linked_above = _share_from(policy, "linked_above", day)
    parts = _members(links, firm, day, HUNDRED + 1, linked_above, set(), _public_kinds(policy))
    years = sorted(y for y in figures.get(firm, {}) if y < day.year)
    if years:
        total, missing = _add(parts, figures, years[-1])
        raw = classify(scheme, total)
        found = (YearSize(years[-1], total, raw, raw, tuple(parts)),)
    else:
        raw, found = None, ()
        missing = [
            T(
                "« {f} » : aucun exercice clos avant le {d}",
                "“{f}”: no closed accounting year before {d}",
                f=firm,
                d=day_text(day),
            )
        ]
    why = Why(
        rule=T(
            "Derniers comptes clos, au niveau du groupe (entreprise au sens statistique).",
            "Last closed accounts, at the level of the group (enterprise in the statistical sense).",
        ),
        parameter=f"members.size_schemes.{scheme.code}",
        value=str(_class_title(scheme, raw)),
        reference=scheme.reference,
        url=scheme.url or "",
        day=day,
        inputs={T("Entreprise", "Firm"): firm, T("Exercice", "Year"): years[-1] if years else "–"},
        steps=tuple(
            T("« {f} » : 100 % de ses données", "“{f}”: 100% of its data", f=name)
            for name, how, _ in parts
            if how == "linked"
        ),
        to_confirm=scheme.to_confirm,
    )
    return Size(
        raw,
        _class_title(scheme, raw),
        scheme.code,
        day,
        found,
        tuple(missing if raw is None else ()),
        raw is not None,
        why,
    )


def _class_title(scheme: Any, code: str | None) -> Text:
    if code is None:
        return T("inconnue", "unknown")
    return next((c.title for c in scheme.categories if c.code == code), T(code, code))


def _said(value: Decimal | None) -> Text:
    return T("inconnu", "unknown") if value is None else T(fmt.number(value, lang="fr"), fmt.number(value, lang="en"))


def _said_money(value: Decimal | None) -> Text:
    return T("inconnu", "unknown") if value is None else euros(value)


def aid_size(policy: Any, category: str | None, day: dt.date) -> str:
    """The size for aid (small, medium, large) that holds a class of the EU scheme. Raises Refused when it is not known."""
    if category is None:
        raise Refused(
            T(
                "La taille de l'entreprise n'est pas connue : le taux ne peut pas être calculé.",
                "The size of the firm is not known: the rate cannot be computed.",
            )
        )
    rules = rule_set(policy, day)
    size = rules.size(category)
    if size is None:
        raise _unknown_size(category, rules)
    return size.code
