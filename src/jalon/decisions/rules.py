"""The rules of decisions on labels: pure functions of plain values, a day and the policy.

``laws`` is the programme's policy; ``part`` what its ``decisions.yaml`` holds. Each refusal is a sentence with its
:class:`~jalon.core.why.Why`; an empty list means that nothing stands against.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.faults import day_text

Refusal = tuple[Text, Why | None]
ONE_DAY = dt.timedelta(days=1)


def part_of(laws: Any) -> Any:
    """What ``decisions.yaml`` holds; None when the programme has no such file."""
    return laws.part("decisions")


def kind_of(laws: Any, code: str) -> Any:
    """The kind of decision of that code; None when the policy does not know it."""
    part = part_of(laws)
    return next((k for k in part.kinds if k.code == code), None) if part else None


def kinds_on(laws: Any, day: dt.date) -> list[Any]:
    """The kinds of decision that exist on a day."""
    part = part_of(laws)
    return [k for k in part.kinds if k.on(day)] if part else []


def parameter(laws: Any, path: str, day: dt.date) -> Any:
    """A dated parameter in force on a day; None where no value is known."""
    return laws.on(day).find(path)


def _why(rule: Text, found: Any = None, **more: Any) -> Why:
    """An explanation that carries what a parameter or a record of the policy says of its text."""
    if found is None:
        return Why(rule=rule, **more)
    return Why(
        rule=rule,
        parameter=getattr(found, "path", ""),
        value=getattr(found, "value", None),
        unit=str(getattr(found, "unit_title", "") or ""),
        reference=found.reference,
        url=found.url or "",
        reading=found.reading,
        to_confirm=found.to_confirm,
        **more,
    )


# --- who decides ---------------------------------------------------------------------------------------------------


def authority_refusal(laws: Any, authority: str, decided_on: dt.date, role: str) -> Refusal | None:
    """Why that authority cannot have decided on that day, or why the role does not record its acts; None when it can."""
    named = laws.label_decider_on(decided_on)
    bodies = {b.code: b for b in laws.label_deciders}
    if named is None:
        return (
            T(
                "Aucune autorité n'est connue pour décider d'un label le {d}.",
                "No authority is known to decide on a label on {d}.",
                d=day_text(decided_on),
            ),
            Why(rule=T("L'autorité est datée dans la politique.", "The authority is dated in the policy."), parameter="labels.decided_by", day=decided_on),
        )  # fmt: skip
    if authority != named.code:
        said = bodies[authority].title if authority in bodies else authority or T("aucune", "none")
        return (
            T(
                "« {found} » ne décide pas d'un label le {d} : c'est « {expected} ».",
                "“{found}” does not decide on a label on {d}: “{expected}” does.",
                found=said,
                expected=named.title,
                d=day_text(decided_on),
            ),
            Why(
                rule=T(
                    "Un label est décidé par l'autorité que la politique nomme ce jour-là.",
                    "A label is decided by the authority that the policy names on that day.",
                ),
                parameter="labels.decided_by",
                value=named.title,
                reference=named.reference,
                url=named.url or "",
                day=decided_on,
                inputs={
                    T("autorité donnée", "authority given"): said,
                    T("en fonction depuis le", "in charge since"): named.valid_from,
                },
            ),
        )
    records = next((a for a in part_of(laws).authorities if a.code == authority), None)
    if records is not None and records.roles and role not in records.roles:
        titles = ", ".join(str(r.title) for r in laws.roles if r.code in records.roles)
        return (
            T(
                "Les actes de « {a} » sont enregistrés par : {roles}.",
                "The acts of “{a}” are recorded by: {roles}.",
                a=named.title,
                roles=titles,
            ),
            _why(T("La politique dit quel rôle enregistre les actes d'une autorité.", "The policy says which role records an authority's acts."), records, day=decided_on),
        )  # fmt: skip
    return None


def bodies_asked(laws: Any, kinds: Iterable[str], day: dt.date) -> list[Any]:
    """The bodies whose opinion comes before a decision of these kinds on a day, in the order of the policy."""
    part, kinds = part_of(laws), set(kinds)
    return [b for b in part.bodies if b.on(day) and (not b.kinds or kinds & set(b.kinds))] if part else []


OUTCOMES = {
    "favourable": T("favorable", "favourable"),
    "reserved": T("favorable avec réserves", "favourable with reservations"),
    "unfavourable": T("défavorable", "unfavourable"),
    "not_given": T("non rendu", "not given"),
    "not_found": T("contenu non retrouvé", "content not found"),
}
OUTCOME_LIGHTS = {
    "favourable": "reached",
    "reserved": "at_risk",
    "unfavourable": "missed",
    "not_given": "unknown",
    "not_found": "unknown",
}


def missing_opinions(asked: Iterable[Any], given: Iterable[str]) -> list[Text]:
    """One sentence for each body that was asked and has neither given an opinion nor been recorded as silent."""
    there = set(given)
    return [
        T("L'avis de « {b} » n'est pas enregistré.", "The opinion of “{b}” is not recorded.", b=body.title)
        for body in asked
        if body.code not in there
    ]


# --- durations -----------------------------------------------------------------------------------------------------


def last_day_of(starts: dt.date, years: int) -> dt.date:
    """The last day of ``years`` years that begin on ``starts``: 1 January 2009 and three years end on 31 December 2011."""
    try:
        return starts.replace(year=starts.year + years) - ONE_DAY
    except ValueError:  # 29 February, in a year that has none: the year ends on 28 February
        return dt.date(starts.year + years, 2, 28)


def years_granted(starts: dt.date, until: dt.date) -> int | None:
    """How many years a period lasts, to the day or to the 31 December of its last year; None when it is not whole years."""
    for years in range(1, 31):
        if until in (last_day_of(starts, years), dt.date(starts.year + years - 1, 12, 31)):
            return years
    return None


def duration_refusals(
    laws: Any, kind: Any, starts: dt.date, until: dt.date | None, decided_on: dt.date
) -> list[Refusal]:
    """Why a label may not be given for that period.

    The durations allowed are those in force on the day from which the label runs. Where none were published (from
    11 May 2010 to the end of 2012), no duration is refused.
    """
    found: list[Refusal] = []
    if until is not None and until < starts:
        return [
            (
                T("La fin ({b}) précède le début ({a}).", "The end ({b}) comes before the start ({a}).", a=day_text(starts), b=day_text(until)),
                None,
            )
        ]  # fmt: skip
    if not kind.duration:
        return []
    if until is None:
        return [(T("« {k} » demande une date de fin.", "“{k}” needs an end.", k=kind.title), _why(T("Un label est donné pour une durée.", "A label is given for a duration."), kind))]  # fmt: skip
    most = parameter(laws, "decisions.probation_most", decided_on) if kind.most_months else None
    if kind.most_months:
        months = int(most.value) if most else kind.most_months
        last = months_after(starts, months) - ONE_DAY
        if until > last:
            return [
                (
                    T(
                        "« {k} » : {m} mois au plus, soit jusqu'au {last} ; il est demandé jusqu'au {until}.",
                        "“{k}”: {m} months at most, that is to {last}; asked to {until}.",
                        k=kind.title, m=months, last=day_text(last), until=day_text(until),
                    ),
                    _why(T("Un label seulement maintenu l'est pour un temps borné.", "A label that is only kept is kept for a bounded time."), most or kind, day=decided_on),
                )
            ]  # fmt: skip
        return []
    allowed = parameter(laws, "labels.durations_allowed", starts)
    if allowed is None:
        return []
    granted = years_granted(starts, until)
    if granted not in allowed.value:
        found.append(
            (
                T(
                    "Du {a} au {b} : {n}. Durées permises ce jour-là : {list} ans.",
                    "From {a} to {b}: {n}. Durations allowed then: {list} years.",
                    a=day_text(starts),
                    b=day_text(until),
                    n=T("{n} an(s)", "{n} year(s)", n=granted) if granted else T("pas un nombre entier d'années", "not a whole number of years"),
                    list=", ".join(str(v) for v in allowed.value),
                ),
                _why(T("Un label est donné pour une durée permise au jour où il commence.", "A label is given for a duration allowed on the day it begins."), allowed, day=starts),
            )
        )  # fmt: skip
    return found


# --- a line --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LineFacts:
    """What a rule needs to know of a line; ``label`` says whether one is named, ``candidacy`` whether an application is."""

    kind: str
    starts: dt.date
    until: dt.date | None = None
    label: bool = True
    candidacy: bool = False
    named: bool = False
    conditions: str = ""
    reasons: str = ""


def line_refusals(laws: Any, line: LineFacts, decided_on: dt.date) -> list[Refusal]:
    """Everything that stands against a line as it is written, before the register is asked."""
    kind = kind_of(laws, line.kind)
    if kind is None:
        return [(T("Nature de décision inconnue : « {k} ».", "Unknown kind of decision: “{k}”.", k=line.kind), None)]
    found: list[Refusal] = []
    if not kind.on(decided_on):
        found.append(
            (
                T("« {k} » n'existe pas le {d}.", "“{k}” does not exist on {d}.", k=kind.title, d=day_text(decided_on)),
                _why(
                    T("Les natures de décision sont datées.", "Kinds of decision are dated."),
                    kind,
                    inputs={T("depuis le", "since"): kind.valid_from, T("jusqu'au", "until"): kind.valid_to},
                ),
            )
        )
    if kind.new and not (line.candidacy or line.named):
        found.append(
            (
                T("Un nouveau label va à une candidature ou à un pôle nommé.", "A new label goes to an application or to a named cluster."),
                None,
            )
        )  # fmt: skip
    if kind.act == "refused" and not (line.label or line.candidacy):
        found.append(
            (T("Un refus nomme un label ou une candidature.", "A refusal names a label or an application."), None)
        )
    if not kind.new and kind.act != "refused" and not line.label:
        found.append((T("« {k} » nomme un label.", "“{k}” names a label.", k=kind.title), None))
    if kind.conditions and not line.conditions.strip():
        found.append((T("« {k} » demande des conditions écrites.", "“{k}” needs written conditions.", k=kind.title), _why(T("Les conditions font partie de la décision.", "The conditions are part of the decision."), kind)))  # fmt: skip
    if kind.reasons and not line.reasons.strip():
        found.append((T("« {k} » demande des motifs écrits.", "“{k}” needs written reasons.", k=kind.title), _why(T("Une décision défavorable est motivée.", "An unfavourable decision is reasoned."), kind)))  # fmt: skip
    return found + duration_refusals(laws, kind, line.starts, line.until, decided_on)


# --- appeal --------------------------------------------------------------------------------------------------------


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day of the month ``months`` later (*de quantième à quantième*); the last day of a month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, length))


@dataclass(frozen=True)
class AppealClock:
    """Until when an appeal is possible (midnight in Paris at the end of that day), and why. ``until`` is None when unknown."""

    until: dt.date | None
    why: Why | None

    def light(self, day: dt.date) -> str:
        """Where the delay stands on a day: it runs, it ends soon, it is over, it is not known."""
        if self.until is None:
            return "unknown"
        if day > self.until:
            return "done"
        return "at_risk" if (self.until - day).days <= 14 else "not_yet_due"


def appeal_clock(laws: Any, received_on: dt.date | None, *, overseas: bool = False, place: str = "") -> AppealClock:
    """The last day of an appeal against a decision that was received on a day.

    Counted from day to day of the month; a clear delay ends on the day after; a delay that would end on a Saturday, a
    Sunday or a holiday (of ``place``) goes to the next working day; one month more for a body overseas. Without a day of
    notification, the delay has not begun.
    """
    if received_on is None:
        return AppealClock(
            None,
            Why(
                rule=T(
                    "Le délai de recours court de la notification ; elle n'est pas connue : il n'a pas commencé.",
                    "The delay to appeal runs from the notification; it is not known: the delay has not begun.",
                ),
                parameter="decisions.appeal_within",
            ),
        )
    within = parameter(laws, "decisions.appeal_within", received_on)
    if within is None:
        return AppealClock(None, Why(rule=T("Aucun délai de recours n'est connu.", "No delay to appeal is known."), parameter="decisions.appeal_within", day=received_on))  # fmt: skip
    more = parameter(laws, "decisions.appeal_more_overseas", received_on) if overseas else None
    clear = parameter(laws, "decisions.appeal_whole_days", received_on)
    working = parameter(laws, "decisions.appeal_ends_on_working_day", received_on)
    months = int(within.value) + (int(more.value) if more else 0)
    steps: list[Any] = [T("notifiée le {d}", "notified on {d}", d=day_text(received_on))]
    until = months_after(received_on, months)
    steps.append(T("{m} mois : {d}", "{m} months: {d}", m=months, d=day_text(until)))
    if clear and clear.value:
        until += ONE_DAY
        steps.append(T("délai franc : {d}", "clear delay: {d}", d=day_text(until)))
    if working and working.value:
        moved = laws.working_days.not_before(until, place)
        if moved != until:
            steps.append(
                T("{a} n'est pas ouvrable : {b}", "{a} is not a working day: {b}", a=day_text(until), b=day_text(moved))
            )
            until = moved
    inputs: dict[Any, Any] = {T("notification", "notification"): received_on}
    if overseas:
        inputs[T("outre-mer", "overseas")] = T("un mois de plus", "one month more")
    return AppealClock(
        until,
        _why(
            T("Deux mois à compter de la notification, jusqu'à minuit (heure de Paris).", "Two months from the notification, to midnight (Paris time)."),
            within, day=received_on, inputs=inputs, steps=tuple(steps),
        ),
    )  # fmt: skip


# --- applications --------------------------------------------------------------------------------------------------

OPINIONS = {k: OUTCOMES[k] for k in ("favourable", "reserved", "unfavourable")}


def levels_on(laws: Any, day: dt.date) -> list[Any]:
    """The levels of review of applications on a day, in their order."""
    part = part_of(laws)
    return sorted((one for one in part.levels if one.on(day)), key=lambda one: one.order) if part else []


def criteria_on(laws: Any, day: dt.date) -> list[Any]:
    """The criteria of the policy on a day."""
    part = part_of(laws)
    return [c for c in part.criteria if c.on(day)] if part else []


def window_refusal(opens: dt.date | None, closes: dt.date | None, on: dt.date) -> Text | None:
    """Why an application cannot be sent on a day; the last day counts to midnight in Paris."""
    if opens is not None and on < opens:
        return T("L'appel ouvre le {d}.", "The call opens on {d}.", d=day_text(opens))
    if closes is not None and on > closes:
        return T("L'appel est clos depuis le {d} à minuit.", "The call closed on {d} at midnight.", d=day_text(closes))
    return None


NEEDED = ("theme", "stakes", "axes", "partnership")
"""Parts of an application that cannot be empty when it is sent: the criteria read in 2007 and 2009."""


def missing_in_candidacy(
    name: str, organisation: bool, regions: Sequence[str], content: Mapping[str, Any], partners: Sequence[Any]
) -> list[Text]:
    """What an application lacks before it can be sent. The law asks for firms and at least one research or training body."""
    found = []
    if not name.strip():
        found.append(T("Le nom du projet de pôle.", "The name of the project of a cluster."))
    if not organisation:
        found.append(T("L'organisme qui candidate.", "The body that applies."))
    if not regions:
        found.append(T("Le territoire : une région au moins.", "The territory: one region at least."))
    titles = {
        "theme": T("Thématique.", "Theme."),
        "stakes": T("Enjeux économiques.", "Economic stakes."),
        "axes": T("Axes de recherche et développement.", "R&D axes."),
        "partnership": T("Partenariat : qui, comment.", "Partnership: who, how."),
    }
    found += [titles[key] for key in NEEDED if not str(content.get(key) or "").strip()]
    kinds = [str(p.get("kind") or "") for p in partners]
    if kinds.count("company") < 2:
        found.append(
            T("Plusieurs entreprises partenaires (deux au moins).", "Several partner companies (two at least).")
        )
    if not any(k in ("research", "training") for k in kinds):
        found.append(
            T("Un organisme de recherche ou de formation au moins.", "One research or training body at least.")
        )
    return found


def read_score(text: str, most: int) -> Decimal:
    """A score typed by a person, French comma accepted.

    Raises:
        ValueError: not a figure, or outside 0 to ``most``.
    """
    try:
        value = Decimal(str(text).strip().replace(",", "."))
    except InvalidOperation as error:
        raise ValueError(str(text)) from error
    if not value.is_finite() or not 0 <= value <= most:
        raise ValueError(str(text))
    return value


def review_refusals(
    level: Any, scores: Mapping[str, str], justification: str, criteria: Iterable[str], most: int
) -> list[Text]:
    """What stands against a review: a score that is none, a criterion that the call does not have, nothing that says why."""
    found = []
    if not justification.strip():
        found.append(
            T("Un avis dit pourquoi : la justification est vide.", "An opinion says why: the justification is empty.")
        )
    known = set(criteria)
    for code, text in scores.items():
        if not str(text).strip():
            continue
        if code not in known:
            found.append(T("L'appel n'a pas de critère « {c} ».", "The call has no criterion “{c}”.", c=code))
            continue
        try:
            read_score(text, most)
        except ValueError:
            found.append(
                T("« {t} » n'est pas une note de 0 à {m}.", "“{t}” is not a score from 0 to {m}.", t=text, m=most)
            )
    if level.scored and known and not any(str(scores.get(c) or "").strip() for c in known):
        found.append(T("Ce niveau note : un critère au moins.", "This level scores: one criterion at least."))
    return found


@dataclass(frozen=True)
class Standing:
    """An application in the ranking: mean of the scores given (None: none), how many unfavourable opinions, its place."""

    key: str
    mean: Decimal | None
    unfavourable: int
    place: int | None = None


def ranking(rows: Iterable[tuple[str, Sequence[Mapping[str, Any]], Sequence[str]]]) -> list[Standing]:
    """Applications in order: the mean of all scores, every criterion alike because no weight was published.

    ``rows``: key, the scores of each review, the opinions. Equal means share a place; an application without a score has none.
    """
    found = []
    for key, given, opinions in rows:
        values = [Decimal(str(v)) for scores in given for v in scores.values() if str(v).strip()]
        mean = (sum(values) / len(values)).quantize(Decimal("0.01")) if values else None
        found.append(Standing(key, mean, sum(o == "unfavourable" for o in opinions)))
    scored = sorted((s for s in found if s.mean is not None), key=lambda s: (-s.mean, s.unfavourable, s.key))
    out: list[Standing] = []
    for position, one in enumerate(scored, 1):
        before = out[-1] if out else None
        same = before is not None and (before.mean, before.unfavourable) == (one.mean, one.unfavourable)
        out.append(Standing(one.key, one.mean, one.unfavourable, before.place if same and before else position))
    return out + [s for s in found if s.mean is None]


# --- phases --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """A line of the list before a phase is closed: how much is open, and whether that bars the closing."""

    code: str
    title: Text
    blocking: bool
    open: int
    items: tuple[Any, ...] = ()

    @property
    def light(self) -> str:
        if not self.open:
            return "reached"
        return "late" if self.blocking else "at_risk"


def closing_refusals(laws: Any, phase: Any, on: dt.date, checks: Iterable[Checked]) -> list[Text]:
    """Why a phase cannot be closed on a day: it runs still, or what bars it is open."""
    found = []
    end = phase.ends_as_known(on)
    if on <= end:
        found.append(T("« {p} » court jusqu'au {d}.", "“{p}” runs to {d}.", p=phase.title, d=day_text(end)))
    found += [
        T("{t} : {n} en suspens.", "{t}: {n} still open.", t=c.title, n=c.open) for c in checks if c.blocking and c.open
    ]
    return found


@dataclass(frozen=True)
class Break:
    """A day from which an indicator is counted otherwise: what is before and after does not compare."""

    on: dt.date
    before: str
    after: str
    said: Text


def breaks_of(indicator: Any) -> list[Break]:
    """The breaks in the series of an indicator: where a new version of its definition begins."""
    found = []
    versions = list(indicator.definitions)
    for old, new in zip(versions, versions[1:], strict=False):
        found.append(Break(new.since, old.version, new.version, T("définition {v}", "definition {v}", v=new.version)))
    return found
