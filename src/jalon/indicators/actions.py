"""Acts on observed values: write a draft, submit, return, validate.

Who may act is asked by the package that owns the report (contracts); these functions keep the versions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction

from jalon.core.errors import Conflict
from jalon.core.lang import T
from jalon.core.models import StoredFile
from jalon.indicators import states
from jalon.indicators.models import Observation
from jalon.programme.models import Round


@dataclass(frozen=True)
class Declared:
    """What somebody states about one indicator. ``breakdowns``: "programme=fui" → value."""

    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    note: str = ""
    breakdowns: Mapping[str, Decimal | None] = field(default_factory=dict)


def revision(current: Iterable[Observation]) -> str:
    """What a form carries to tell whether the value changed meanwhile: "2.5" is version 2, changed five times."""
    main = next((o for o in current if not o.breakdown), None)
    return f"{main.version}.{main.rev}.{main.state[0]}" if main else "0"


def in_work(cluster: int, code: str, period_end: dt.date, *, lock: bool = False) -> list[Observation]:
    """The current rows of one value (total and breakdown): those in work, else the published ones."""
    found = Observation.objects.filter(
        cluster_id=cluster, indicator=code, period_end=period_end, superseded_at__isnull=True
    )
    if lock:
        found = found.select_for_update()
    rows = list(found.order_by("id"))
    working = [o for o in rows if o.state != states.VALIDATED]
    return working or rows


def declare(
    cluster: int,
    code: str,
    round: Round,
    declared: Declared,
    *,
    unit: str,
    definition_version: str,
    period_start: dt.date,
    by: Any,
    at: dt.datetime,
    seen: str | None = None,
    evidence: StoredFile | None = None,
    reason: str = "",
    simulated: bool = False,
) -> Observation:
    """Write a value as a draft; the published value, if there is one, stays published until the draft is validated.

    ``seen`` is the :func:`revision` that the form showed; None writes without looking.

    Raises:
        Conflict: somebody else wrote the value meanwhile; nothing is written.
    """
    with transaction.atomic():
        rows = in_work(cluster, code, round.period_end, lock=True)
        if seen is not None and seen != revision(rows):
            raise Conflict(
                T(
                    "{who} a modifié cette valeur entre-temps : les deux versions sont montrées, rien n'est écrasé.",
                    "{who} changed this value meanwhile: both versions are shown, nothing is overwritten.",
                    who=next(
                        (o.user_label for o in rows if not o.breakdown and o.user_label),
                        str(T("Quelqu'un d'autre", "Somebody else")),
                    ),
                ),
                theirs=shown(rows),
                yours=_shown(declared),
            )
        old = {o.breakdown: o for o in rows}
        wanted = {"": declared.value} | dict(declared.breakdowns)
        stated = [o for o in rows if o.state != states.DRAFT]  # submitted, returned or validated: a new version
        main_old = old.get("")
        result = None
        for breakdown, value in wanted.items():
            before = old.get(breakdown)
            if breakdown and value is None and before is None:
                continue
            note = declared.note if not breakdown else ""
            if before is not None and before.state == states.DRAFT:
                row = before
                row.rev += 1
            else:
                row = Observation(
                    cluster_id=cluster,
                    indicator=code,
                    breakdown=breakdown,
                    period_start=period_start,
                    period_end=round.period_end,
                    round=round,
                    origin="declared",
                    state=states.DRAFT,
                    version=(max((o.version for o in stated), default=0) + 1)
                    if not main_old or main_old.state != states.DRAFT
                    else main_old.version,
                    rev=1,
                    evidence=before.evidence if before else None,
                    simulated=simulated,
                    reason=before.reason if before and before.state == states.RETURNED else "",
                )
                if before is not None and before.state != states.VALIDATED:
                    Observation.objects.filter(pk=before.pk).update(superseded_at=at)
            row.value, row.note, row.unit, row.definition_version = value, note, unit, definition_version
            if not breakdown:
                row.numerator, row.denominator = declared.numerator, declared.denominator
                if evidence is not None:
                    row.evidence = evidence
                if reason:
                    row.reason = reason
            row.recorded_at, row.user_id_by, row.user_label = at, by.user_id, (by.user_label or "")[:200]
            row.save()
            if not breakdown:
                result = row
        assert result is not None
        return result


def shown(rows: Iterable[Observation]) -> dict[str, str]:
    """A stored value as a conflict shows it."""
    rows = list(rows)
    main = next((o for o in rows if not o.breakdown), None)
    if main is None:
        return {}
    return _shown(
        Declared(
            main.value, main.numerator, main.denominator, main.note, {o.breakdown: o.value for o in rows if o.breakdown}
        )
    )


def _shown(declared: Declared) -> dict[str, str]:
    from jalon.core.canonical import decimal_text

    def said(value: Decimal | None) -> str:
        return str(T("inconnu", "unknown")) if value is None else decimal_text(value).replace(".", ",")

    out = {str(T("Valeur", "Value")): said(declared.value)}
    if declared.numerator is not None or declared.denominator is not None:
        out[str(T("Numérateur", "Numerator"))] = said(declared.numerator)
        out[str(T("Dénominateur", "Denominator"))] = said(declared.denominator)
    out |= {key.split("=", 1)[-1]: said(v) for key, v in declared.breakdowns.items() if v is not None}
    if declared.note:
        out[str(T("Note", "Note"))] = declared.note
    return out


def _moved(rows: list[Observation], state: str, at: dt.datetime, **changes: Any) -> list[Observation]:
    """Close these versions and open the same ones in another state: two queries."""
    new = []
    for row in rows:
        copy = Observation(
            **{f.attname: getattr(row, f.attname) for f in Observation._meta.concrete_fields if not f.primary_key}
        )
        copy.state, copy.recorded_at, copy.superseded_at = state, at, None
        for key, value in changes.items():
            setattr(copy, key, value)
        new.append(copy)
    for start in range(0, len(rows), 500):
        Observation.objects.filter(pk__in=[r.pk for r in rows[start : start + 500]]).update(superseded_at=at)
    Observation.objects.bulk_create(new, batch_size=500)
    return new


def submit(round: Round, cluster: int, codes: Iterable[str], *, by: Any, at: dt.datetime) -> list[Observation]:
    """What is in draft or was returned is stated: submitted to the correspondent."""
    with transaction.atomic():
        rows = list(
            Observation.objects.select_for_update().filter(
                round=round,
                cluster_id=cluster,
                indicator__in=list(codes),
                superseded_at__isnull=True,
                state__in=(states.DRAFT, states.RETURNED),
            )
        )
        return _moved(rows, states.SUBMITTED, at)


def give_back(round: Round, cluster: int, reasons: Mapping[str, str], *, by: Any, at: dt.datetime) -> list[Observation]:
    """Return values with their reasons: indicator → reason. The cluster may change these again."""
    with transaction.atomic():
        rows = list(
            Observation.objects.select_for_update().filter(
                round=round,
                cluster_id=cluster,
                indicator__in=list(reasons),
                superseded_at__isnull=True,
                state=states.SUBMITTED,
                origin="declared",
            )
        )
        done = []
        for code, reason in reasons.items():
            done += _moved([r for r in rows if r.indicator == code], states.RETURNED, at, reason=reason)
        return done


def validate(round: Round, cluster: int, codes: Iterable[str], *, by: Any, at: dt.datetime) -> list[Observation]:
    """Submitted values become the published ones; a published value that they correct is superseded."""
    with transaction.atomic():
        rows = list(
            Observation.objects.select_for_update().filter(
                round=round,
                cluster_id=cluster,
                indicator__in=list(codes),
                superseded_at__isnull=True,
                state=states.SUBMITTED,
            )
        )
        corrected = Observation.objects.filter(
            cluster_id=cluster,
            indicator__in={r.indicator for r in rows},
            period_end=round.period_end,
            superseded_at__isnull=True,
            state=states.VALIDATED,
        )
        corrected.update(superseded_at=at)
        return _moved(rows, states.VALIDATED, at)
