"""From a signed text to the rows that are followed: objectives, actions, targets, commitments.

The first text makes them; an amendment adds versions. Nothing of an older text is overwritten: a target or an
amount that changes closes its old version, an element that leaves keeps its row, marked with the text that removed it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from jalon.contracts import content as doc, states
from jalon.contracts.models import (
    Action,
    Commitment,
    ContractIndicator,
    Milestone,
    Objective,
    Party,
    Proposal,
    Target,
    Text,
)


def bind(text: Text, *, at: dt.datetime) -> dict[str, int]:
    """Make the rows of a signed text; must run inside the act's transaction.

    Args:
        text: all its parties have signed.
        at: the moment from which the new versions are known.

    Returns: how many rows of each kind the text names.
    """
    contract, content = text.contract, text.content
    axes = {a["key"]: a.get("title") or "" for a in content.get("improvement_axes") or ()}
    objectives: dict[str, Objective] = {}
    actions: dict[str, Action] = {}
    milestones: list[tuple[str, Mapping[str, Any]]] = []
    wanted = content.get("objectives") or []
    objectives = _rows(
        Objective,
        contract,
        text,
        {
            o["key"]: {"title": o.get("title") or "", "order": i, "axis": axes.get(o.get("axis") or "", "")[:255]}
            for i, o in enumerate(wanted)
        },
    )
    facts: dict[str, dict[str, Any]] = {}
    for objective in wanted:
        for action in objective.get("actions") or ():
            facts[action["key"]] = {
                "objective_id": objectives[objective["key"]].pk,
                "title": action.get("title") or "",
                "owner": (action.get("owner") or "")[:160],
                "deliverables": action.get("deliverables") or "",
                "starts_on": doc.as_day(action.get("starts_on")),
                "ends_on": doc.as_day(action.get("ends_on")),
                "budget": doc.as_decimal(action.get("budget")),
                "order": len(facts),
            }
            milestones += [(action["key"], m) for m in action.get("milestones") or ()]
    actions = _rows(Action, contract, text, facts)
    _milestones(text, actions, milestones)
    indicators = _indicators(text, objectives)
    targets = _targets(text, indicators, at)
    _leave_parties(text)
    commitments = _commitments(text, at)
    contract.title = content.get("title") or contract.title
    contract.starts_on = doc.as_day(content.get("starts_on"))
    contract.ends_on = doc.as_day(content.get("ends_on"))
    contract.save(update_fields=["title", "starts_on", "ends_on"])
    return {
        "objectives": len(objectives),
        "actions": len(actions),
        "milestones": len(milestones),
        "indicators": len(indicators),
        "targets": targets,
        "commitments": commitments,
    }


def _rows(model: Any, contract: Any, text: Text, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of ``model`` for the keys wanted: made, brought up to date, or marked as removed by this text."""
    have = {row.key: row for row in model.objects.filter(contract=contract)}
    new = [
        model(contract=contract, key=key, from_text=text.number, **facts)
        for key, facts in wanted.items()
        if key not in have
    ]
    changed = []
    for key, row in have.items():
        facts = {**wanted[key], "removed_by_text": None} if key in wanted else {}
        if key not in wanted and row.removed_by_text is None:
            facts = {"removed_by_text": text.number}
        if any(getattr(row, name) != value for name, value in facts.items()):
            for name, value in facts.items():
                setattr(row, name, value)
            changed.append(row)
    model.objects.bulk_create(new, batch_size=500)
    if changed:
        names = {name for facts in wanted.values() for name in facts} | {"removed_by_text"}
        model.objects.bulk_update(changed, sorted(names), batch_size=200)
    return {row.key: row for row in model.objects.filter(contract=contract, removed_by_text__isnull=True)}


def _milestones(text: Text, actions: Mapping[str, Action], wanted: list[tuple[str, Mapping[str, Any]]]) -> None:
    have = {
        (row.action.key, row.key): row
        for row in Milestone.objects.filter(action__contract=text.contract).select_related("action")
    }
    asked = {(action, m["key"]): m for action, m in wanted}
    Milestone.objects.bulk_create(
        [
            Milestone(action=actions[action], key=key, title=m.get("title") or "", due_on=doc.as_day(m.get("due_on")))
            for (action, key), m in asked.items()
            if (action, key) not in have
        ],
        batch_size=500,
    )
    changed = []
    for place, row in have.items():
        m = asked.get(place)
        before = (row.title, row.due_on, row.removed_by_text)
        if m is None:
            row.removed_by_text = text.number if row.removed_by_text is None else row.removed_by_text
        else:
            row.title, row.due_on, row.removed_by_text = m.get("title") or "", doc.as_day(m.get("due_on")), None
        if before != (row.title, row.due_on, row.removed_by_text):
            changed.append(row)
    if changed:
        Milestone.objects.bulk_update(changed, ["title", "due_on", "removed_by_text"], batch_size=200)


def _indicators(text: Text, objectives: Mapping[str, Objective]) -> dict[str, ContractIndicator]:
    return _rows(
        ContractIndicator,
        text.contract,
        text,
        {
            i["key"]: {
                "objective_id": objectives[i["objective"]].pk if i.get("objective") in objectives else None,
                "code": i.get("code") or f"{text.contract.slug}/{i['key']}",
                "title": i.get("title") or "",
                "unit": i.get("unit") or "",
                "direction": i.get("direction") or "up",
                "common": bool(i.get("common")),
                "definition": i.get("definition") or "",
                "baseline": doc.as_decimal(i.get("baseline")),
                "baseline_on": doc.as_day(i.get("baseline_on")),
                "order": order,
            }
            for order, i in enumerate(text.content.get("indicators") or ())
        },
    )


def _reasons(text: Text) -> dict[str, str]:
    """Why each place got its value: the reason of the last accepted proposal there, else the amendment's own."""
    return dict(
        Proposal.objects.filter(text=text, state="accepted").order_by("decided_at", "id").values_list("path", "reason")
    )


def _targets(text: Text, indicators: Mapping[str, ContractIndicator], at: dt.datetime) -> int:
    reasons = _reasons(text)
    wanted = {
        (i["key"], int(year)): doc.as_decimal(value)
        for i in text.content.get("indicators") or ()
        for year, value in (i.get("targets") or {}).items()
        if doc.as_decimal(value) is not None
    }
    have = {
        (row.indicator.key, row.year): row
        for row in Target.objects.filter(indicator__contract=text.contract, superseded_at__isnull=True).select_related(
            "indicator"
        )
    }
    closing = [row.pk for place, row in have.items() if wanted.get(place) != row.value]
    Target.objects.filter(pk__in=closing).update(superseded_at=at)
    Target.objects.bulk_create(
        [
            Target(
                indicator=indicators[key],
                year=year,
                value=value,
                text=text,
                reason=reasons.get(f"indicators/{key}/targets/{year}")
                or reasons.get(f"indicators/{key}")
                or text.reason,
                recorded_at=at,
                simulated=text.contract.simulated,
            )
            for (key, year), value in wanted.items()
            if (key, year) not in have or have[key, year].value != value
        ],
        batch_size=500,
    )
    return len(wanted)


def _leave_parties(text: Text) -> None:
    """Parties that an amendment removes; those that it changes take their new facts."""
    named = {p["key"]: p for p in text.content.get("parties") or ()}
    for order, (key, item) in enumerate(named.items()):
        Party.objects.filter(contract=text.contract, key=key).update(
            kind=item["kind"],
            organisation_id=item["organisation"],
            signatory=(item.get("signatory") or "")[:160],
            order=order,
            removed_by_text=None,
        )
    being_written = text.contract.texts.filter(state__in=states.OPEN).exclude(pk=text.pk).values("number")
    Party.objects.filter(contract=text.contract, removed_by_text__isnull=True).exclude(key__in=named).exclude(
        from_text__in=being_written, from_text__gt=0
    ).update(removed_by_text=text.number)


def commitment_rows(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The commitments of a content, one per promise: ``c1/2009`` for an amount, ``c1`` (or ``c1/2009``) for support."""
    found: dict[str, dict[str, Any]] = {}
    for item in content.get("commitments") or ():
        base = {"party": item.get("party"), "kind": item.get("kind") or "money", "title": item.get("title") or ""}
        due = item.get("due") or {}
        years = sorted({*(item.get("amounts") or {}), *(due if base["kind"] == "support" else ())})
        for year in years:
            found[f"{item['key']}/{year}"] = base | {
                "year": int(year),
                "amount": doc.as_decimal((item.get("amounts") or {}).get(year)),
                "due_on": doc.as_day(due.get(year)),
            }
        if not years:
            found[item["key"]] = base | {"year": None, "amount": None, "due_on": None}
    return found


def _commitments(text: Text, at: dt.datetime) -> int:
    parties = {p.key: p for p in Party.objects.filter(contract=text.contract)}
    wanted = commitment_rows(text.content)
    have = {
        row.key: row
        for row in Commitment.objects.filter(contract=text.contract, superseded_at__isnull=True).select_related("party")
    }

    def facts(row: Commitment) -> dict[str, Any]:
        return {
            "party": row.party.key,
            "kind": row.kind,
            "title": row.title,
            "year": row.year,
            "amount": row.amount,
            "due_on": row.due_on,
        }

    closing = [row.pk for key, row in have.items() if wanted.get(key) != facts(row)]
    Commitment.objects.filter(pk__in=closing).update(superseded_at=at)
    Commitment.objects.bulk_create(
        [
            Commitment(
                contract=text.contract,
                key=key,
                party=parties[item["party"]],
                kind=item["kind"],
                title=item["title"],
                year=item["year"],
                amount=item["amount"],
                due_on=item["due_on"],
                text=text,
                recorded_at=at,
                simulated=text.contract.simulated,
            )
            for key, item in wanted.items()
            if key not in have or facts(have[key]) != item
        ],
        batch_size=500,
    )
    return len(wanted)
