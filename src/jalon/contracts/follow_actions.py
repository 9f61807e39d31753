"""Acts of a contract's life: reports, values, actions, objectives, public commitments.

Each checks who may, asks the rule, writes new versions and one journal row. ``on`` is the day; ``at`` the moment,
for records that are loaded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from jalon.clusters.models import Carrier, Cluster
from jalon.contracts import follow_states as states
from jalon.contracts.follow_access import FOLLOWED, may_declare, may_declare_paid, may_review
from jalon.contracts.follow_rules import BUDGET_KINDS, CONTESTED, commitment_due, days_of, read_status
from jalon.contracts.models import (
    Action,
    BudgetLine,
    Commitment,
    CommitmentStep,
    Contract,
    ContractIndicator,
    Milestone,
    Objective,
    ObjectiveStatus,
    Progress,
    Report,
)
from jalon.contracts.reasons import why_money, why_not_yet
from jalon.core import clock, files, journal, outbox, workflow
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T
from jalon.core.why import Why
from jalon.indicators import actions as values, engine
from jalon.indicators.models import Observation
from jalon.indicators.rules import Definition, Finding, check_value, definition_of, read_number
from jalon.people.access import policy
from jalon.people.models import Mandate
from jalon.programme.models import Round


def case_of(report: Report) -> str:
    """The report's case in the journal."""
    return f"report:{report.contract.slug}/{report.round.code}"


def _contract_case(contract: Contract) -> str:
    return f"contract:{contract.slug}"


# --- reports ---------------------------------------------------------------------------------------


def open_reports(round: Round, *, by: Any, on: dt.date, at: dt.datetime | None = None) -> int:
    """Make the report of every signed contract that runs on a day of the round's period; those that exist stay.

    Returns how many were made.
    """
    at = clock.stamp(on, at)
    owed = Contract.objects.filter(
        programme=round.programme,
        state__in=FOLLOWED,
        starts_on__lte=round.period_end,
        ends_on__gte=round.period_start,
    ).exclude(reports__round=round)
    with transaction.atomic():
        made = [
            Report(contract=contract, round=round, due_on=round.due_on, simulated=contract.simulated)
            for contract in owed.order_by("id")
        ]
        Report.objects.bulk_create(made, batch_size=500)
        journal.record_many(
            {
                "case": case_of(r),
                "act": "report.open",
                "by": by,
                "on": on,
                "at": at,
                "after": {"state": "open", "due_on": r.due_on},
            }
            for r in made
        )
    return len(made)


def _move(
    report: Report,
    name: str,
    *,
    by: Any,
    on: dt.date,
    at: dt.datetime,
    reason: str = "",
    after: Mapping[str, Any] | None = None,
) -> Report:
    before = report.state
    move = workflow.check(states.MOVES, states.STATES, name, report.state, reason)
    report.state = move.target or report.state
    report.save()
    journal.record(
        case_of(report),
        f"report.{name}",
        by=by,
        on=on,
        at=at,
        why=reason,
        before={"state": before},
        after={"state": report.state, **(after or {})},
    )
    return report


def _locked(report: Report) -> Report:
    """The report as it stands now, held until the act is over."""
    return Report.objects.select_for_update(of=("self",)).select_related("contract__cluster", "round").get(pk=report.pk)


def check_editable(report: Report, on: dt.date) -> None:
    """Raise Refused, saying why and who can help, unless the pôle may write in this report on that day."""
    if report.state == states.SUBMITTED:
        raise Refused(
            T(
                "Le rapport est soumis depuis le {day} : il est verrouillé tant que le correspondant de l'État le vérifie. Il peut vous le retourner.",
                "The report was submitted on {day}: it is locked while the State correspondent checks it. They can return it to you.",
                day=report.submitted_on.isoformat() if report.submitted_on else "?",
            )
        )
    if report.state == states.VALIDATED:
        raise Refused(
            T(
                "Le rapport est validé depuis le {day} : pour corriger une valeur, demandez au correspondant de l'État de le rouvrir.",
                "The report was validated on {day}: to correct a value, ask the State correspondent to reopen it.",
                day=report.validated_on.isoformat() if report.validated_on else "?",
            )
        )
    round = report.round
    if on < round.opens_on:
        raise Refused(
            T(
                "La campagne {code} n'ouvre que le {day}.",
                "Round {code} only opens on {day}.",
                code=round.code,
                day=round.opens_on.isoformat(),
            )
        )
    if round.closed_on and on >= round.closed_on and report.state != states.RETURNED and on > report.due_on:
        raise Refused(
            T(
                "La campagne {code} est close depuis le {day} : demandez un délai au correspondant de l'État.",
                "Round {code} was closed on {day}: ask the State correspondent for more time.",
                code=round.code,
                day=round.closed_on.isoformat(),
            )
        )


def indicators_of(report: Report) -> list[ContractIndicator]:
    """The indicators that a report is about: those of the binding text, whatever their source."""
    return list(
        ContractIndicator.objects.filter(contract_id=report.contract_id, removed_by_text__isnull=True).order_by(
            "order", "id"
        )
    )


def catalogued(indicator: ContractIndicator) -> Any | None:
    """The indicator's entry in the policy's catalogue; None for an indicator of one contract."""
    return next((i for i in policy().indicators if i.code == indicator.code), None)


def source_of(indicator: ContractIndicator, entry: Any | None) -> str:
    """Where its values come from: computed, declared, survey or evaluator."""
    if entry is None:
        return "declared"
    if engine.is_computed(entry):
        return "computed"
    return "declared" if entry.source == "computed" else entry.source


def checks_of(indicator: ContractIndicator, entry: Any | None) -> Definition:
    """What is checked of its values: the catalogue's rules, or what the unit of a specific indicator allows."""
    if entry is not None:
        return definition_of(entry)
    unit = {
        "%": "percent",
        "percent": "percent",
        "ETP": "fte",
        "fte": "fte",
        "€": "money",
        "EUR": "money",
        "money": "money",
    }.get(indicator.unit, "other")
    return Definition(unit=unit, decimals=None)


@dataclass(frozen=True)
class Typed:
    """What was typed about one indicator, as text."""

    value: str = ""
    numerator: str = ""
    denominator: str = ""
    note: str = ""
    breakdowns: Mapping[str, str] = field(default_factory=dict)


def read_typed(typed: Typed, definition: Definition) -> values.Declared:
    """Read what was typed; a value left empty beside its numerator and denominator is computed from them.

    Raises:
        Refused: with one line per field that cannot be read.
    """
    read: dict[str, Decimal | None] = {}
    faults: list[Any] = []
    fields = {"value": typed.value, "numerator": typed.numerator, "denominator": typed.denominator}
    for name, text in [*fields.items(), *typed.breakdowns.items()]:
        try:
            read[name] = read_number(text)
        except Refused as refusal:
            faults.append(refusal.reason)
    if faults:
        raise Refused(faults[0], missing=faults[1:], kind="input")
    value, num, den = read["value"], read["numerator"], read["denominator"]
    if value is None and num is not None and den:
        places = Decimal(1).scaleb(-(definition.decimals if definition.decimals is not None else 2))
        value = ((100 if definition.unit == "percent" else 1) * num / den).quantize(places)
    return values.Declared(value, num, den, typed.note.strip(), {k: read[k] for k in typed.breakdowns})


def declare(
    report: Report,
    key: str,
    typed: Typed,
    *,
    by: Any,
    on: dt.date,
    seen: str | None = None,
    evidence: Any = None,
    at: dt.datetime | None = None,
) -> tuple[Observation, list[Finding]]:
    """Write the value of one indicator in a report, as a draft. The findings are those of the checks, for the screen.

    ``evidence``: an uploaded file, or None to keep the one there is.

    Raises:
        NotAllowed, Refused: not the pôle's report, locked, not a declared indicator, unreadable; Conflict: two editors.
    """
    may_declare(by, report.contract, on)
    with transaction.atomic():
        report = _locked(report)
        check_editable(report, on)
        indicator = next((i for i in indicators_of(report) if i.key == key), None)
        if indicator is None:
            raise Refused(
                T("Le contrat n'a pas d'indicateur « {key} ».", "The contract has no indicator “{key}”.", key=key),
                kind="input",
            )
        entry = catalogued(indicator)
        source = source_of(indicator, entry)
        if source != "declared":
            raise Refused(
                T(
                    "« {title} » n'est pas déclaré : sa valeur vient d'ailleurs ({source}).",
                    "“{title}” is not declared: its value comes from elsewhere ({source}).",
                    title=indicator.title,
                    source=source,
                ),
            )
        definition = checks_of(indicator, entry)
        declared = read_typed(typed, definition)
        current = values.in_work(report.contract.cluster_id, indicator.code, report.round.period_end)
        main = next((o for o in current if not o.breakdown), None)
        if main is not None and report.state == states.RETURNED and main.state == "submitted":
            raise Refused(
                T(
                    "« {title} » n'a pas été retourné : cette valeur reste verrouillée.",
                    "“{title}” was not returned: this value stays locked.",
                    title=indicator.title,
                )
            )
        at = clock.stamp(on, at)
        stored = None
        if evidence is not None:
            stored = files.store(evidence, evidence.name, case=case_of(report), by=by, title=indicator.title, at=at)
        period_end = report.round.period_end
        fixed = entry.definition_on(period_end) if entry else None
        stock = entry is not None and entry.period_type == "stock"
        written = values.declare(
            report.contract.cluster_id,
            indicator.code,
            report.round,
            declared,
            unit=entry.unit if entry else indicator.unit,
            definition_version=fixed.version if fixed else "1",
            period_start=period_end if stock else report.round.period_start,
            by=by,
            at=at,
            seen=seen,
            evidence=stored,
            simulated=report.simulated,
        )
        if (
            main is None or main.state != "draft"
        ):  # one row when a draft is begun or a stated value is changed, not one per key stroke
            journal.record(
                case_of(report),
                "value.draft",
                by=by,
                on=on,
                at=at,
                before={"value": main.value, "state": main.state} if main else None,
                after={"indicator": indicator.code, "value": written.value, "version": written.version},
            )
    found = check_value(
        definition,
        value=declared.value,
        numerator=declared.numerator,
        denominator=declared.denominator,
        breakdowns=grouped(declared.breakdowns),
        note=declared.note,
        evidence=written.evidence_id is not None,
        previous=previous_value(report, indicator.code),
    )
    return written, found


def grouped(breakdowns: Mapping[str, Decimal | None]) -> dict[str, dict[str, Decimal | None]]:
    """ "programme=fui" → value, as breakdown → code → value."""
    out: dict[str, dict[str, Decimal | None]] = {}
    for key, value in breakdowns.items():
        name, _, code = key.partition("=")
        out.setdefault(name, {})[code] = value
    return out


def previous_value(report: Report, code: str) -> Decimal | None:
    """The last validated value of an earlier period."""
    return (
        Observation.objects.filter(
            cluster_id=report.contract.cluster_id,
            indicator=code,
            breakdown="",
            period_end__lt=report.round.period_end,
            superseded_at__isnull=True,
            state="validated",
        )
        .order_by("-period_end")
        .values_list("value", flat=True)
        .first()
    )


@dataclass(frozen=True)
class Line:
    """One indicator of a report as its checks see it."""

    indicator: ContractIndicator
    entry: Any | None
    source: str
    rows: Sequence[Observation]
    findings: Sequence[Finding]

    @property
    def main(self) -> Observation | None:
        return next((o for o in self.rows if not o.breakdown), None)

    @property
    def errors(self) -> list[Finding]:
        return [f for f in self.findings if f.error]

    @property
    def filled(self) -> bool:
        main = self.main
        return main is not None and (main.value is not None or bool(main.note))


def lines_of(report: Report) -> list[Line]:
    """Every indicator of a report with its current rows and what the checks find: three queries."""
    chosen = indicators_of(report)
    entries = {i.code: i for i in policy().indicators}
    codes = [i.code for i in chosen]
    held: dict[str, list[Observation]] = {}
    for row in (
        Observation.objects.filter(
            cluster_id=report.contract.cluster_id,
            indicator__in=codes,
            period_end=report.round.period_end,
            superseded_at__isnull=True,
        )
        .select_related("evidence")
        .order_by("id")
    ):
        held.setdefault(row.indicator, []).append(row)
    earlier: dict[str, Decimal | None] = {}
    for code, value in (
        Observation.objects.filter(
            cluster_id=report.contract.cluster_id,
            indicator__in=codes,
            breakdown="",
            period_end__lt=report.round.period_end,
            superseded_at__isnull=True,
            state="validated",
        )
        .order_by("period_end")
        .values_list("indicator", "value")
    ):
        earlier[code] = value
    out = []
    for indicator in chosen:
        entry = entries.get(indicator.code)
        source = source_of(indicator, entry)
        rows = held.get(indicator.code, [])
        rows = [o for o in rows if o.state != "validated"] or rows
        findings: list[Finding] = []
        if source == "declared":
            main = next((o for o in rows if not o.breakdown), None)
            definition = checks_of(indicator, entry)
            findings = check_value(
                definition,
                value=main.value if main else None,
                numerator=main.numerator if main else None,
                denominator=main.denominator if main else None,
                breakdowns=grouped(_all_parts(entry, rows)),
                note=main.note if main else "",
                evidence=bool(main and main.evidence_id),
                previous=earlier.get(indicator.code),
            )
        out.append(Line(indicator, entry, source, rows, findings))
    return out


def _all_parts(entry: Any | None, rows: Iterable[Observation]) -> dict[str, Decimal | None]:
    known = {o.breakdown: o.value for o in rows if o.breakdown}
    if entry is None:
        return known
    return {f"{b.code}={v.code}": known.get(f"{b.code}={v.code}") for b in entry.breakdowns for v in b.values}


def submit_report(report: Report, *, by: Any, on: dt.date, at: dt.datetime | None = None) -> Report:
    """The pôle states its values: checks, computed values kept beside them, report and values locked.

    Raises:
        NotAllowed: not the pôle's, or the role may not submit. Refused: with every value that is missing or wrong.
    """
    may_declare(by, report.contract, on, "observation.submit")
    at = clock.stamp(on, at)
    with transaction.atomic():
        report = _locked(report)
        workflow.check(states.MOVES, states.STATES, "submit", report.state)
        check_editable(report, on)
        lines = lines_of(report)
        missing: list[Any] = [
            T("{title} : {what}", "{title}: {what}", title=line.indicator.title, what=finding.text)
            for line in lines
            for finding in line.errors
        ]
        missing += [
            T(
                "{title} : retournée pour « {reason} », pas encore reprise.",
                "{title}: returned because “{reason}”, not taken up yet.",
                title=line.indicator.title,
                reason=line.main.reason,
            )
            for line in lines
            if line.main is not None and line.main.state == "returned" and not line.errors
        ]
        if missing:
            raise Refused(
                T(
                    "Le rapport ne peut pas encore être soumis : un point est à mettre au clair.",
                    "The report cannot be submitted yet: one point is to be settled.",
                )
                if len(missing) == 1
                else T(
                    "Le rapport ne peut pas encore être soumis : {n} points sont à mettre au clair.",
                    "The report cannot be submitted yet: {n} points are to be settled.",
                    n=len(missing),
                ),
                missing=missing,
            )
        codes = [line.indicator.code for line in lines]
        stated = values.submit(report.round, report.contract.cluster_id, codes, by=by, at=at)
        computed = [line.entry for line in lines if line.source == "computed"]
        engine.store_computed(
            report.round,
            computed,
            [report.contract.cluster_id],
            on=on,
            by=by,
            at=at,
            state="submitted",
            simulated=report.simulated,
        )
        report.submitted_on, report.reason = on, ""
        return _move(
            report, "submit", by=by, on=on, at=at, after={"values": len([o for o in stated if not o.breakdown])}
        )


def return_report(
    report: Report,
    *,
    by: Any,
    on: dt.date,
    reason: str,
    values_returned: Mapping[str, str] | None = None,
    at: dt.datetime | None = None,
) -> Report:
    """The correspondent returns a report: whole, or only the values named (indicator key → reason); the rest stays locked.

    Raises:
        NotAllowed: not the correspondent. Refused: no reason, not submitted, or a value without its reason.
    """
    may_review(by, report.contract, on)
    at = clock.stamp(on, at)
    with transaction.atomic():
        report = _locked(report)
        lines = {line.indicator.key: line for line in lines_of(report) if line.source == "declared"}
        wanted = values_returned or dict.fromkeys(lines, reason)
        without = [
            lines[key].indicator.title for key, why in wanted.items() if key in lines and not (why or reason).strip()
        ]
        if without:
            raise Refused(
                T("Dites pourquoi « {title} » est retournée.", "Say why “{title}” is returned.", title=without[0]),
                kind="input",
            )
        overall = reason.strip() or "; ".join(
            f"{lines[k].indicator.title}: {v}" for k, v in wanted.items() if k in lines
        )
        back = values.give_back(
            report.round,
            report.contract.cluster_id,
            {lines[key].indicator.code: (why or reason).strip() for key, why in wanted.items() if key in lines},
            by=by,
            at=at,
        )
        report.returned_on, report.reason = on, overall
        moved = _move(
            report, "return", by=by, on=on, at=at, reason=overall, after={"values": sorted({o.indicator for o in back})}
        )
        _write_to_pole(
            report,
            at,
            T(
                "Rapport {code} retourné : {title}",
                "Report {code} returned: {title}",
                code=report.round.code,
                title=report.contract.title,
            ),
            T(
                "Le correspondant de l'État retourne le rapport. Motif : {reason}",
                "The State correspondent returns the report. Reason: {reason}",
                reason=overall,
            ),
        )
    return moved


def validate_report(report: Report, *, by: Any, on: dt.date, at: dt.datetime | None = None) -> Report:
    """The correspondent validates what was submitted: it becomes public.

    Raises:
        NotAllowed: not the correspondent. Refused: not submitted.
    """
    may_review(by, report.contract, on)
    at = clock.stamp(on, at)
    with transaction.atomic():
        report = _locked(report)
        workflow.check(states.MOVES, states.STATES, "validate", report.state)
        done = values.validate(
            report.round, report.contract.cluster_id, [i.code for i in indicators_of(report)], by=by, at=at
        )
        report.validated_on, report.reason = on, ""
        return _move(
            report, "validate", by=by, on=on, at=at, after={"values": len([o for o in done if not o.breakdown])}
        )


def reopen_report(report: Report, *, by: Any, on: dt.date, reason: str, at: dt.datetime | None = None) -> Report:
    """Unlock one validated report for a correction; what was validated stays public until the correction is.

    Raises:
        NotAllowed: not the correspondent. Refused: not validated, or no reason.
    """
    may_review(by, report.contract, on)
    at = clock.stamp(on, at)
    with transaction.atomic():
        report = _locked(report)
        report.returned_on, report.reason = on, reason.strip()
        return _move(report, "reopen", by=by, on=on, at=at, reason=reason.strip())


def extend_report(
    report: Report, due_on: dt.date, *, by: Any, on: dt.date, reason: str, at: dt.datetime | None = None
) -> Report:
    """Give one report more time.

    Raises:
        NotAllowed: not the correspondent. Refused: no reason, or a day that is not later than the one in force.
    """
    may_review(by, report.contract, on)
    at = clock.stamp(on, at)
    with transaction.atomic():
        report = _locked(report)
        if due_on <= report.due_on:
            raise Refused(
                T(
                    "Le nouveau délai, {new}, n'est pas après l'échéance en vigueur, {old}.",
                    "The new due day, {new}, is not after the one in force, {old}.",
                    new=due_on.isoformat(),
                    old=report.due_on.isoformat(),
                ),
                kind="input",
            )
        old, report.due_on = report.due_on, due_on
        return _move(report, "extend", by=by, on=on, at=at, reason=reason.strip(), after={"due_on": due_on, "was": old})


def _write_to_pole(report: Report, at: dt.datetime, subject: Any, body: Any) -> int:
    """Post a message to everybody who may declare for the pôle; in their own language."""
    day = at.date()
    roles = [r.code for r in policy().roles_with("observation.declare")]
    live = Q(ends_on__isnull=True) | Q(ends_on__gte=day)
    carriers = Carrier.objects.filter(live, cluster_id=report.contract.cluster_id).values("organisation_id")
    people = (
        Mandate.objects.filter(
            live, organisation_id__in=carriers, role__in=roles, revoked_at__isnull=True, starts_on__lte=day
        )
        .order_by("user__email")
        .values_list("user__email", "user__language")
        .distinct()
    )
    sent = 0
    for email, language in people:
        outbox.post(
            email, subject.in_language(language or "fr"), body.in_language(language or "fr"), case=case_of(report)
        )
        sent += 1
    return sent


def remind(
    round: Round, *, by: Any, on: dt.date, at: dt.datetime | None = None, only_on_reminder_days: bool = False
) -> int:
    """Remind every pôle whose report is still to be submitted; at most once a day each. Returns how many reports were.

    ``only_on_reminder_days``: do nothing on other days than those of the policy's calendar (before the due day)
    and the first day after it.
    """
    at = clock.stamp(on, at)
    delays = policy().on(round.period_end).find("reporting.reminders_before")
    days = tuple(delays.value) if delays else ()
    count = 0
    with transaction.atomic():
        waiting = Report.objects.filter(round=round, state__in=states.EDITABLE).select_related(
            "contract__cluster", "round"
        )
        for report in waiting.order_by("id"):
            left = (report.due_on - on).days
            if only_on_reminder_days and left not in days and left != -1:
                continue
            if journal_has(case_of(report), "report.remind", on):
                continue
            subject = T(
                "Rapport {code} à soumettre : {title}",
                "Report {code} to submit: {title}",
                code=round.code,
                title=report.contract.title,
            )
            body = (
                T(
                    "Le rapport est attendu pour le {due} ; il reste {n}.",
                    "The report is due on {due}; {n} left.",
                    due=report.due_on,
                    n=days_of(left),
                )
                if left >= 0
                else T(
                    "Le rapport était attendu pour le {due} ; il a {n} de retard.",
                    "The report was due on {due}; it is {n} late.",
                    due=report.due_on,
                    n=days_of(-left),
                )
            )
            sent = _write_to_pole(report, at, subject, body)
            journal.record(
                case_of(report), "report.remind", by=by, on=on, at=at, after={"messages": sent, "due_on": report.due_on}
            )
            count += 1
    return count


def journal_has(case: str, act: str, on: dt.date) -> bool:
    """Whether an act was already done on a case on a day."""
    return journal.JournalEntry.objects.filter(case=case, act=act, on=on).exists()


def nightly(*, on: dt.date, by: Any = journal.SYSTEM, at: dt.datetime | None = None) -> dict[str, int]:
    """What happens by itself: contracts signed during a round get their report, reminders leave on their days."""
    counts = {"reports": 0, "reminders": 0}
    for round in Round.objects.filter(opens_on__lte=on, closed_on__isnull=True).order_by("period_start"):
        counts["reports"] += open_reports(round, by=by, on=on, at=at)
        counts["reminders"] += remind(round, by=by, on=on, at=at, only_on_reminder_days=True)
    return counts


# --- actions and objectives ------------------------------------------------------------------------------


def report_progress(
    action: Action,
    *,
    status: str,
    percent: int,
    by: Any,
    on: dt.date,
    expected_end: dt.date | None = None,
    done_on: dt.date | None = None,
    reason: str = "",
    seen: int | None = None,
    at: dt.datetime | None = None,
) -> Progress:
    """The pôle says where an action stands; the version before is kept. ``seen``: id of the version the form showed (0 for none).

    Raises:
        NotAllowed: not the pôle's. Refused: an unknown status, a percentage outside 0–100, a slipped end without
        a reason, a done action without its day. Conflict: somebody else wrote meanwhile.
    """
    contract = action.contract
    may_declare(by, contract, on, "action.update")
    reason = reason.strip()
    faults: list[Any] = []
    if status not in states.ACTION_STATUSES:
        faults.append(T("Choisissez où en est l'action.", "Choose where the action stands."))
    if not 0 <= percent <= 100:
        faults.append(
            T(
                "L'avancement va de 0 à 100 % : {n} ne convient pas.",
                "Progress goes from 0 to 100%: {n} does not fit.",
                n=percent,
            )
        )
    if status == "done":
        percent = 100
        if done_on is None:
            faults.append(T("Dites quel jour l'action a été achevée.", "Say on which day the action was finished."))
    if done_on and done_on > on:
        faults.append(
            T(
                "L'action ne peut pas être achevée le {day}, qui n'est pas encore venu.",
                "The action cannot be finished on {day}, which has not come yet.",
                day=done_on.isoformat(),
            )
        )
    if done_on and status != "done":
        done_on = None
    if (
        expected_end
        and action.ends_on
        and expected_end > action.ends_on
        and status not in ("done", "cancelled")
        and not reason
    ):
        faults.append(
            T(
                "La fin glisse du {old} au {new} : dites pourquoi.",
                "The end slips from {old} to {new}: say why.",
                old=action.ends_on.isoformat(),
                new=expected_end.isoformat(),
            )
        )
    if status == "cancelled" and not reason:
        faults.append(T("Dites pourquoi l'action est abandonnée.", "Say why the action is given up."))
    if faults:
        raise Refused(faults[0], missing=faults[1:], kind="input")
    at = clock.stamp(on, at)
    with transaction.atomic():
        old = _current_progress(action, None)
        _same(old, seen)
        row = _write_progress(
            action,
            None,
            old,
            at=at,
            by=by,
            on=on,
            status=status,
            percent=percent,
            expected_end=expected_end,
            done_on=done_on,
            reason=reason,
        )
        journal.record(
            _contract_case(contract),
            "action.progress",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={"status": old.status, "percent": old.percent, "expected_end": old.expected_end} if old else None,
            after={
                "action": action.key,
                "status": status,
                "percent": percent,
                "expected_end": expected_end,
                "done_on": done_on,
            },
        )
    return row


def pass_milestone(
    milestone: Milestone,
    *,
    done_on: dt.date | None,
    by: Any,
    on: dt.date,
    expected: dt.date | None = None,
    reason: str = "",
    at: dt.datetime | None = None,
) -> Progress:
    """The pôle says that a milestone was passed on a day (or is now expected on another, with the reason).

    Raises:
        NotAllowed: not the pôle's. Refused: a day that has not come, or a slip without its reason.
    """
    action = milestone.action
    may_declare(by, action.contract, on, "action.update")
    if done_on and done_on > on:
        raise Refused(
            T(
                "Le jalon ne peut pas être franchi le {day}, qui n'est pas encore venu.",
                "The milestone cannot be passed on {day}, which has not come yet.",
                day=done_on.isoformat(),
            ),
            kind="input",
        )
    if not done_on and expected and milestone.due_on and expected > milestone.due_on and not reason.strip():
        raise Refused(
            T(
                "Le jalon glisse du {old} au {new} : dites pourquoi.",
                "The milestone slips from {old} to {new}: say why.",
                old=milestone.due_on.isoformat(),
                new=expected.isoformat(),
            ),
            kind="input",
        )
    at = clock.stamp(on, at)
    with transaction.atomic():
        old = _current_progress(action, milestone)
        row = _write_progress(
            action,
            milestone,
            old,
            at=at,
            by=by,
            on=on,
            status="done" if done_on else "on_track",
            percent=100 if done_on else 0,
            expected_end=expected,
            done_on=done_on,
            reason=reason.strip(),
        )
        journal.record(
            _contract_case(action.contract),
            "milestone.progress",
            by=by,
            on=on,
            at=at,
            why=reason.strip(),
            after={"action": action.key, "milestone": milestone.key, "done_on": done_on, "expected": expected},
        )
    return row


def _current_progress(action: Action, milestone: Milestone | None) -> Progress | None:
    return (
        Progress.objects.select_for_update()
        .filter(action=action, milestone=milestone, superseded_at__isnull=True)
        .order_by("-id")
        .first()
    )


def _same(old: Any, seen: int | None) -> None:
    if seen is None or seen == (old.pk if old else 0):
        return
    raise Refused(
        T(
            "{who} a mis à jour cette ligne entre-temps. Ce que vous avez saisi est gardé dans le formulaire : relisez, puis enregistrez.",
            "{who} updated this line meanwhile. What you typed is kept in the form: look again, then save.",
            who=(old.user_label if old and old.user_label else str(T("Quelqu'un d'autre", "Somebody else"))),
        ),
        kind="conflict",
    )


def _write_progress(
    action: Action,
    milestone: Milestone | None,
    old: Progress | None,
    *,
    at: dt.datetime,
    by: Any,
    on: dt.date,
    **fields: Any,
) -> Progress:
    if old is not None:
        Progress.objects.filter(pk=old.pk).update(superseded_at=at)
    return Progress.objects.create(
        action=action, milestone=milestone, on=on, recorded_at=at, user_label=(by.user_label or "")[:200], **fields
    )


def state_objective(
    objective: Objective, status: str, *, by: Any, on: dt.date, note: str = "", at: dt.datetime | None = None
) -> ObjectiveStatus:
    """The pôle says where an objective stands; the State then validates or contests it.

    Raises:
        NotAllowed: not the pôle's. Refused: unknown status; missed without a note.
    """
    may_declare(by, objective.contract, on, "action.update")
    if status not in states.OBJECTIVE_STATUSES:
        raise Refused(T("Choisissez où en est l'objectif.", "Choose where the objective stands."), kind="input")
    if status in ("missed", "at_risk") and not note.strip():
        raise Refused(T("Dites en une phrase pourquoi.", "Say why in one sentence."), kind="input")
    return _write_status(objective, status, validated=False, note=note, by=by, on=on, at=at, act="objective.state")


def judge_objective(
    objective: Objective, *, agree: bool, by: Any, on: dt.date, note: str = "", at: dt.datetime | None = None
) -> ObjectiveStatus:
    """The State validates what the pôle declared, or contests it with a reason.

    Raises:
        NotAllowed: not the correspondent. Refused: nothing is declared, or contested without a reason.
    """
    may_review(by, objective.contract, on)
    current = ObjectiveStatus.objects.filter(objective=objective, superseded_at__isnull=True).order_by("-id").first()
    if current is None:
        raise Refused(
            T(
                "Le pôle n'a encore rien déclaré sur cet objectif.",
                "The cluster has not declared anything about this objective yet.",
            )
        )
    if not agree and not note.strip():
        raise Refused(T("Dites pourquoi vous contestez.", "Say why you contest it."), kind="input")
    declared, _ = read_status(current.status)
    status = declared if agree else f"{CONTESTED}{declared}"
    return _write_status(
        objective,
        status,
        validated=agree,
        note=note if not agree else current.note,
        by=by,
        on=on,
        at=at,
        act="objective.validate" if agree else "objective.contest",
    )


def _write_status(
    objective: Objective,
    status: str,
    *,
    validated: bool,
    note: str,
    by: Any,
    on: dt.date,
    at: dt.datetime | None,
    act: str,
) -> ObjectiveStatus:
    at = clock.stamp(on, at)
    with transaction.atomic():
        held = ObjectiveStatus.objects.select_for_update().filter(objective=objective, superseded_at__isnull=True)
        before = held.order_by("-id").first()
        held.update(superseded_at=at)
        row = ObjectiveStatus.objects.create(
            objective=objective,
            on=on,
            status=status,
            validated=validated,
            note=note.strip(),
            recorded_at=at,
            user_label=(by.user_label or "")[:200],
        )
        journal.record(
            _contract_case(objective.contract),
            act,
            by=by,
            on=on,
            at=at,
            why=note.strip(),
            before={"status": before.status, "validated": before.validated} if before else None,
            after={"objective": objective.key, "status": status, "validated": validated},
        )
    return row


# --- public commitments --------------------------------------------------------------------------------------


def declare_step(
    commitment: Commitment,
    kind: str,
    *,
    by: Any,
    on: dt.date,
    day: dt.date,
    amount: Decimal | None = None,
    reference: str = "",
    at: dt.datetime | None = None,
) -> CommitmentStep:
    """A public party says what happened to its promise: decided, paid, delivered (support) or refused.

    ``amount`` in the programme's currency; what is left to pay when nothing is given. ``day`` is when it happened.

    Raises:
        NotAllowed: another party's promise. Refused: a day to come, a negative amount, more than was promised.
    """
    may_declare_paid(by, commitment.contract, commitment.party, on)
    kinds = ("decided", "paid", "refused") if commitment.kind == "money" else ("decided", "delivered", "refused")
    if kind not in kinds:
        raise Refused(
            T("Cet acte n'existe pas pour cet engagement.", "This act does not exist for this commitment."),
            kind="input",
        )
    if day > on:
        raise Refused(
            T("Le {day} n'est pas encore venu.", "{day} has not come yet.", day=day.isoformat()),
            why=why_not_yet(T("jour déclaré", "day declared"), day, on),
            kind="input",
        )
    if amount is not None and amount < 0:
        raise Refused(
            T("Un montant ne peut pas être négatif : {n}.", "An amount cannot be negative: {n}.", n=str(amount)),
            why=why_money(commitment.amount, None, amount),
            kind="input",
        )
    at = clock.stamp(on, at)
    with transaction.atomic():
        current = Commitment.objects.select_for_update().filter(pk=commitment.pk, superseded_at__isnull=True).first()
        if current is None:
            raise Refused(
                T(
                    "Cet engagement a été remplacé par un avenant ; rechargez la page.",
                    "This commitment was replaced by an amendment; reload the page.",
                ),
                why=Why(
                    rule=T(
                        "Un avenant remplace la promesse par une nouvelle version ; rien ne se déclare sur l'ancienne.",
                        "An amendment replaces the promise by a new version; nothing is declared on the old one.",
                    )
                ),
                kind="conflict",
            )
        steps = CommitmentStep.objects.filter(
            contract=commitment.contract, key=commitment.key, superseded_at__isnull=True
        )
        if kind == "paid":
            paid = sum((s.amount or Decimal(0) for s in steps if s.kind == "paid"), Decimal(0))
            left = commitment.amount - paid if commitment.amount is not None else None
            if amount is None:
                amount = left
            if amount is None or amount == 0:
                raise Refused(
                    T("Dites le montant versé.", "Say the amount paid."),
                    why=why_money(commitment.amount, paid, amount),
                    kind="input",
                )
            if left is not None and amount > left:
                raise Refused(
                    T(
                        "{n} dépasse ce qui reste à verser ({left} sur {promised} promis).",
                        "{n} is more than what is left to pay ({left} of {promised} promised).",
                        n=str(amount),
                        left=str(left),
                        promised=str(commitment.amount),
                    ),
                    why=why_money(commitment.amount, paid, amount),
                    kind="input",
                )
            steps.filter(kind="contested").update(superseded_at=at)
        step = CommitmentStep.objects.create(
            contract=commitment.contract,
            key=commitment.key,
            kind=kind,
            on=day,
            amount=amount,
            reference=reference.strip()[:200],
            user_label=(by.user_label or "")[:200],
            recorded_at=at,
        )
        journal.record(
            _contract_case(commitment.contract),
            f"commitment.{kind}",
            by=by,
            on=on,
            at=at,
            why=reference.strip(),
            after={"commitment": commitment.key, "party": commitment.party.key, "day": day, "amount": amount},
        )
    return step


def declare_paid(
    commitment: Commitment,
    *,
    by: Any,
    on: dt.date,
    day: dt.date,
    amount: Decimal | None = None,
    reference: str = "",
    at: dt.datetime | None = None,
) -> CommitmentStep:
    """The authority itself says that it paid; see :func:`declare_step`."""
    return declare_step(commitment, "paid", by=by, on=on, day=day, amount=amount, reference=reference, at=at)


def to_release(after: Mapping[int, dt.date]) -> dict[int, list[tuple[Commitment, Decimal | None]]]:
    """Contract → the promises that fall due after a day and are not kept, each with what is left to pay (None: a support).

    ``after`` gives that day for each contract. A promise without a due day falls due at the end of its year (the rule of the
    lights). What was paid stays paid; what was refused, or is no longer due already, is not there. Two queries for all.
    """
    steps: dict[tuple[int, str], list[CommitmentStep]] = {}
    for step in CommitmentStep.objects.filter(contract__in=after, superseded_at__isnull=True).order_by("on", "id"):
        steps.setdefault((step.contract_id, step.key), []).append(step)
    found: dict[int, list[tuple[Commitment, Decimal | None]]] = {}
    for row in (
        Commitment.objects.filter(contract__in=after, superseded_at__isnull=True)
        .select_related("party__organisation")
        .order_by("year", "key")
    ):
        due, _ = commitment_due(row.due_on, row.year)
        mine = steps.get((row.contract_id, row.key), [])
        if due is None or due <= after[row.contract_id]:
            continue
        if any(s.kind in ("refused", "released", "delivered") for s in mine):
            continue
        left = None
        if row.kind == "money":
            paid = sum((s.amount or Decimal(0) for s in mine if s.kind == "paid"), Decimal(0))
            left = row.amount - paid if row.amount is not None else None
            if left is not None and left <= 0:
                continue
        found.setdefault(row.contract_id, []).append((row, left))
    return found


@transaction.atomic
def release_commitments(
    contract: Contract, *, after: dt.date, reason: str, by: Any, on: dt.date, at: dt.datetime | None = None
) -> list[tuple[Commitment, Decimal | None]]:
    """Mark what the public side promised for after a day as no longer due, because the label ends then.

    It is an act of whoever decides on the label, not of the party that promised: it needs ``commitment.edit``. Nothing is
    removed: the promise, what was decided and what was paid stay, and the light says why nothing more is due.

    Raises:
        NotAllowed: the role does not edit commitments. Refused: no reason.
    """
    by.require("commitment.edit")
    if not reason.strip():
        raise Refused(T("« Plus dû » demande un motif.", "“No longer due” needs a reason."), kind="input")
    moment = clock.stamp(on, at)
    Contract.objects.select_for_update(of=("self",)).get(pk=contract.pk)
    found = to_release({contract.pk: after}).get(contract.pk, [])
    CommitmentStep.objects.bulk_create(
        CommitmentStep(
            contract=contract,
            key=row.key,
            kind="released",
            on=on,
            amount=left,
            reference=reason.strip()[:200],
            user_label=(by.user_label or "")[:200],
            recorded_at=moment,
        )
        for row, left in found
    )
    if found:
        journal.record(
            _contract_case(contract),
            "commitment.released",
            by=by,
            on=on,
            at=moment,
            why=reason.strip(),
            after={"commitments": [row.key for row, _ in found], "after": after},
        )
    return found


def flag_not_received(
    commitment: Commitment, *, by: Any, on: dt.date, note: str = "", at: dt.datetime | None = None
) -> CommitmentStep:
    """The pôle says that a payment declared by a public party did not arrive.

    Raises:
        NotAllowed: not the pôle's contract. Refused: no payment is declared, or it was already flagged.
    """
    may_declare(by, commitment.contract, on, "action.update")
    at = clock.stamp(on, at)
    with transaction.atomic():
        steps = list(
            CommitmentStep.objects.select_for_update().filter(
                contract=commitment.contract, key=commitment.key, superseded_at__isnull=True
            )
        )
        if not any(s.kind in ("paid", "delivered") for s in steps):
            raise Refused(
                T("Aucun versement n'est déclaré sur cet engagement.", "No payment is declared on this commitment."),
                why=Why(
                    rule=T(
                        "Le pôle conteste un versement que le financeur a déclaré : il faut qu'il y en ait un.",
                        "The cluster contests a payment that the funder declared: there has to be one.",
                    ),
                    inputs={
                        T("étapes connues", "steps known"): ", ".join(str(states.STEPS[s.kind]) for s in steps) or "–"
                    },
                ),
            )
        if any(s.kind == "contested" for s in steps):
            raise Refused(T("C'est déjà signalé.", "This is flagged already."))
        step = CommitmentStep.objects.create(
            contract=commitment.contract,
            key=commitment.key,
            kind="contested",
            on=on,
            reference=note.strip()[:200],
            user_label=(by.user_label or "")[:200],
            recorded_at=at,
        )
        journal.record(
            _contract_case(commitment.contract),
            "commitment.not_received",
            by=by,
            on=on,
            at=at,
            why=note.strip(),
            after={"commitment": commitment.key},
        )
    return step


# --- running budget ------------------------------------------------------------------------------------------


FIRST_BUDGET = 2004
"""The first year of which a budget can be told: the policy's own beginning."""


def declare_budget(
    contract: Contract,
    year: int,
    amounts: Mapping[str, Decimal | None],
    *,
    by: Any,
    on: dt.date,
    reason: str = "",
    seen: int | None = None,
    at: dt.datetime | None = None,
) -> list[BudgetLine]:
    """The pôle says what its running budget of a year was, line by line; a correction is a new version.

    Args:
        amounts: kind of income → amount in the programme's currency; None: not known (an earlier amount is withdrawn).
        seen: the newest version that the form showed (0 for none), so that nobody overwrites another's words.

    Returns:
        The new versions; nothing is written for an amount that stays the same.

    Raises:
        NotAllowed: not the pôle's contract. Conflict: somebody else wrote meanwhile.
        Refused: an unknown kind, a negative amount, a year to come, or a correction without a reason.
    """
    may_declare(by, contract, on)
    reason = reason.strip()
    faults: list[Any] = []
    if not FIRST_BUDGET <= year <= on.year:
        faults.append(
            T(
                "L'année {n} n'a pas encore de budget : de {first} à {last}.",
                "The year {n} has no budget yet: {first} to {last}.",
                n=str(year),
                first=str(FIRST_BUDGET),
                last=str(on.year),
            )
        )
    for kind, amount in amounts.items():
        if kind not in BUDGET_KINDS:
            faults.append(T("La ligne « {k} » n'existe pas.", "The line “{k}” does not exist.", k=kind))
        elif amount is not None and amount < 0:
            faults.append(
                T(
                    "{k} : un montant ne peut pas être négatif ({n}).",
                    "{k}: an amount cannot be negative ({n}).",
                    k=states.BUDGET[kind],
                    n=str(amount),
                )
            )
        elif amount is not None and amount.as_tuple().exponent < -2:
            faults.append(
                T(
                    "{k} : un montant a au plus deux décimales ({n}).",
                    "{k}: an amount has at most two decimals ({n}).",
                    k=states.BUDGET[kind],
                    n=str(amount),
                )
            )
    if faults:
        raise Refused(faults[0], missing=faults[1:], kind="input")
    at = clock.stamp(on, at)
    with transaction.atomic():
        Cluster.objects.select_for_update().get(pk=contract.cluster_id)
        current = {
            line.kind: line
            for line in BudgetLine.objects.filter(cluster_id=contract.cluster_id, year=year, superseded_at__isnull=True)
        }
        newest = max((line.pk for line in current.values()), default=0)
        if seen is not None and seen != newest:
            raise Conflict(
                T(
                    "Le budget {year} a changé entre-temps ; rien n'est écrit, relisez-le avant d'enregistrer.",
                    "The budget of {year} has changed meanwhile; nothing is written, read it again before saving.",
                    year=str(year),
                ),
                theirs={kind: line.amount for kind, line in current.items()},
                yours=dict(amounts),
            )
        moved = {k: v for k, v in amounts.items() if v != (current[k].amount if k in current else None)}
        corrected = [k for k in moved if k in current]
        if corrected and not reason:
            raise Refused(
                T(
                    "Corriger un montant déjà déclaré demande un motif ({what}).",
                    "Correcting an amount already declared needs a reason ({what}).",
                    what=", ".join(str(states.BUDGET[k]) for k in corrected),
                ),
                kind="input",
            )
        if not moved:
            return []
        BudgetLine.objects.filter(pk__in=[current[k].pk for k in corrected]).update(superseded_at=at)
        new = [
            BudgetLine.objects.create(
                cluster_id=contract.cluster_id,
                year=year,
                kind=kind,
                amount=amount,
                user_label=(by.user_label or "")[:200],
                recorded_at=at,
            )
            for kind, amount in moved.items()
            if amount is not None
        ]
        journal.record(
            _contract_case(contract),
            "budget.declare",
            by=by,
            on=on,
            at=at,
            why=reason,
            before={k: current[k].amount for k in corrected} or None,
            after={"year": year, "amounts": moved},
        )
    return new
