"""The published history of calls: what is known of each on a day, its figures with their precision, series for charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q

from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.people.access import policy
from jalon.policy.parts.calls import RULES
from jalon.projects import queries, rules, states
from jalon.projects.models import Call, CallTotal
from jalon.ui import format as fmt

DAYS = ("opens_on", "closes_on", "results_on")


def known_calls(day: dt.date | None = None, *, scheme: str = "", kind: str = "") -> list[Call]:
    """The calls of the programme in the order of their schemes and numbers; on a day, those announced by then."""
    found = Call.objects.filter(programme=policy().slug)
    if scheme:
        found = found.filter(scheme=scheme)
    if kind:
        found = found.filter(kind=kind)
    calls = [call for call in found if day is None or announced(call, day)]
    order = [s.code for s in queries.schemes()]
    return sorted(
        calls,
        key=lambda c: (
            order.index(c.scheme) if c.scheme in order else len(order),
            c.number if c.number is not None else (0 if c.known else 10_000),
            c.opens_on or c.closes_on or dt.date.max,
            c.code,
        ),
    )


def announced(call: Call, day: dt.date) -> bool:
    """Whether the call could be known on a day: one of its days has come. A call made on screen is known at once."""
    if not call.known:
        return True
    first = next((getattr(call, name) for name in DAYS if getattr(call, name) is not None), None)
    return first is not None and first <= day


def results_out(call: Call, day: dt.date | None) -> bool:
    """Whether figures on the selection could be known on a day."""
    if day is None:
        return True
    known = call.results_on or call.closes_on or call.opens_on
    return known is not None and known <= day


def call_named(code: str, day: dt.date | None = None) -> Call:
    """The call of that code.

    Raises:
        Refused: there is none, or it was not announced by the day; near codes are named.
    """
    call = Call.objects.filter(programme=policy().slug, code=code).first()
    if call is None or (day is not None and not announced(call, day)):
        known = [c.code for c in known_calls(day)]
        raise Refused(
            T(
                "Aucun appel « {c} » ; connus : {all}.",
                "No call “{c}”; known: {all}.",
                c=code,
                all=", ".join(known) or "–",
            ),
            kind="input",
        )
    return call


def published_of(call: Call, day: dt.date | None = None) -> dict[str, Any]:
    """The published figures that were out on a day; all of them without a day."""
    return dict(call.published) if results_out(call, day) else {}


def figure_title(name: str) -> Text | str:
    """What a published figure is called."""
    return states.FIGURES.get(name, name)


def value_of(published: Mapping[str, Any], name: str) -> Decimal | None:
    """A published figure as a number; None when it was not published."""
    row = published.get(name)
    return Decimal(str(row["value"])) if row else None


def shown_figure(name: str, figure: Mapping[str, Any]) -> str:
    """A figure as read, with its precision: « environ 80 M€ », « plus de 58 M€ », « 103 (par différence) »."""
    value = Decimal(str(figure["value"]))
    text = fmt.money_short(value) if name in states.MONEY_FIGURES else fmt.number(value)
    precision = figure.get("precision", "")
    if precision in ("~", ">"):
        return f"{states.PRECISIONS[precision]} {text}"
    return f"{text} ({states.PRECISIONS[precision]})" if precision else text


def day_said(call: Call, name: str) -> str:
    """A day of the call as published: exact, by its month, in words; « inconnu » when it was not found."""
    day, how = getattr(call, name), (call.precision or {}).get(name, {})
    if day is None:
        return str(T("inconnu", "unknown"))
    if how.get("fr"):
        return str(rules.said(how))
    if how.get("precision") == "month":
        return fmt.month(day)
    if how.get("precision") == "year":
        return str(day.year)
    return fmt.day(day)


def card(call: Call, day: dt.date | None = None, *, whole: bool = False) -> dict[str, Any]:
    """A call as plain values, for the command and exports: days with their precision, figures with their sources."""
    found: dict[str, Any] = {
        "code": call.code,
        "scheme": call.scheme,
        "number": call.number,
        "kind": call.kind,
        "title": {"fr": call.title_fr, "en": call.title_en},
        "known": call.known,
        "simulated": call.simulated,
    }
    for name in DAYS:
        value = getattr(call, name)
        found[name] = value.isoformat() if value else None
        found[f"{name}_precision"] = (call.precision or {}).get(name, {}).get("precision", "day") if value else None
        found[f"{name}_said"] = day_said(call, name)
    found["envelope"] = str(call.envelope) if call.envelope is not None else None
    found["published"] = published_of(call, day)
    found["notes"] = call.notes
    found["sources"] = call.sources
    if day is not None:
        found["state"] = queries.state_of(call, day)
    if whole:
        found["totals"] = [
            {
                "code": t.code,
                "kind": t.kind,
                "title": {"fr": t.title_fr, "en": t.title_en},
                "published": t.published,
                "sources": t.sources,
            }
            for t in CallTotal.objects.filter(programme=call.programme)
            if call.code in t.calls or t.after_call == call.code
        ]
        found["rules"] = [
            {
                "version": version.version,
                "code": version.rules.get("version"),
                "valid_from": version.valid_from.isoformat(),
                "reason": version.reason,
                "eligibility": [
                    {**e, "title": str(RULES[e["rule"]][1]), "shown": str(rules.shown_value(e["value"], e["unit"]))}
                    for e in version.rules.get("eligibility", ())
                    if e["rule"] in RULES
                ],
                "rates": [{**r, "title": str(rules.rate_name(r))} for r in version.rules.get("rates", ())],
                "criteria": version.rules.get("criteria", []),
                "papers": version.rules.get("papers", []),
                "funders": version.rules.get("funders", []),
                "categories": version.rules.get("categories", []),
                "notes": version.rules.get("notes", []),
            }
            for version in call.versions.order_by("version")
        ]
    return found


def success_rate(published: Mapping[str, Any]) -> Decimal | None:
    """Selected over submitted in percent, one decimal; None unless both were published for that very call."""
    submitted, selected = value_of(published, "submitted"), value_of(published, "selected")
    if not submitted or selected is None:
        return None
    return (selected * 100 / submitted).quantize(Decimal("0.1"))


def state_share(published: Mapping[str, Any]) -> Decimal | None:
    """The State's share of the public money in percent; None unless both amounts were published."""
    state, local = value_of(published, "state_amount"), value_of(published, "local_amount")
    if state is None or local is None or not state + local:
        return None
    return (state * 100 / (state + local)).quantize(Decimal("0.1"))


def totals_of(scheme: str, day: dt.date | None, calls: Iterable[Call]) -> list[CallTotal]:
    """The totals published by a day for calls of a scheme: joint ones, then cumulated ones."""
    by_code = {call.code: call for call in calls}
    rows = CallTotal.objects.filter(Q(scheme=scheme) if scheme else Q(), programme=policy().slug)
    found = []
    for row in rows:
        last = by_code.get(row.after_call or (row.calls[-1] if row.calls else ""))
        if day is None or (last is not None and results_out(last, day)):
            found.append(row)
    return found
