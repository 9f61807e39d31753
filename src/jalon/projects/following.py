"""Acts on a project that was selected: its work, yearly reports, changes that need approval, its end and what it brought.

The consortium reports; the fund's operator, the national level or the State correspondent of a labelling pôle answers. A
change of partner, budget or duration binds only once it is approved; what it replaced is kept. Outcomes are declared for years
after the end, with evidence, and count in the indicators once somebody of the public side validated them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from jalon.core import clock, files, journal, workflow
from jalon.core.canonical import plain
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.people.access import Actor
from jalon.people.models import Organisation
from jalon.people.queries import current
from jalon.policy.rules import plus
from jalon.projects import access, actions, messages, queries, rules, states
from jalon.projects.models import Outcome, Partner, Project, ProjectAmendment, YearReport

# -- work, end ----------------------------------------------------------------------------------------------------


def _moved(
    project: Project, name: str, act: str, *, by: Actor, on: dt.date, at: dt.datetime | None, **fields: Any
) -> Project:
    with transaction.atomic():
        project = actions._locked(project)
        access.may_follow(by, project, on)
        move = workflow.check(states.MOVES, states.STATES, name, project.state)
        before = project.state
        project.state = move.target
        for key, value in fields.items():
            setattr(project, key, value)
        project.save(update_fields=["state", *fields])
        journal.record(
            project.case,
            act,
            by=by,
            on=on,
            at=clock.stamp(on, at),
            before={"state": before},
            after={"state": project.state, **plain(fields)},
        )
        return project


def start_work(project: Project, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Project:
    """The selected project's work begins: yearly reports are due from now on."""
    return _moved(project, "start", "project.start_work", by=by, on=on, at=at)


def finish(project: Project, *, ended_on: dt.date, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Project:
    """The project ends; its outcomes are followed for the years that the policy says.

    Raises:
        Refused: the end lies in the future or before the start, or a yearly report still waits.
    """
    if ended_on > on or (project.starts_on and ended_on < project.starts_on):
        raise Refused(
            T(
                "La fin ({d}) tombe entre le début du projet et aujourd'hui.",
                "The end ({d}) falls between the start of the project and today.",
                d=ended_on,
            ),
            kind="input",
        )
    waiting = list(
        project.year_reports.filter(state__in=["open", "returned"], year__lt=ended_on.year).values_list(
            "year", flat=True
        )
    )
    if waiting:
        raise Refused(
            T(
                "Des comptes rendus annuels manquent encore : {y}.",
                "Yearly reports are still missing: {y}.",
                y=", ".join(map(str, waiting)),
            )
        )
    return _moved(project, "finish", "project.finish", by=by, on=on, at=at, ended_on=ended_on)


# -- yearly reports -----------------------------------------------------------------------------------------------


def report_due(year: int, on: dt.date) -> dt.date | None:
    """The last day to hand in the report about a year, under the policy of the end of that year; None without a delay."""
    last = dt.date(year, 12, 31)
    months = queries.parameter("report_due_after", last)
    return plus(last, months, "months") if months is not None else None


def open_reports(*, on: dt.date) -> int:
    """Open the reports about past years that running projects still lack; how many. Safe to run any number of times."""
    have = set(YearReport.objects.values_list("project_id", "year"))
    rows, acts = [], []
    running = Project.objects.filter(state="running", starts_on__isnull=False, starts_on__lt=dt.date(on.year, 1, 1))
    for project in running.only("slug", "starts_on", "months", "simulated"):
        last = rules.ends_on(project.starts_on, project.months) or on
        for year in range(project.starts_on.year, min(on.year - 1, last.year) + 1):
            due = report_due(year, on)
            if (project.pk, year) in have or due is None:
                continue
            rows.append(YearReport(project=project, year=year, due_on=due, simulated=project.simulated))
            acts.append(
                {"case": project.case, "act": "project.report_open", "on": on, "after": {"year": year, "due_on": due}}
            )
    with transaction.atomic():
        YearReport.objects.bulk_create(rows, ignore_conflicts=True)
        journal.record_many(acts)
    return len(rows)


REPORT_FIELDS = ("standing", "progress", "achievements", "deviations", "trl_reached", "trl_reached_on")


def save_report(
    report: YearReport,
    values: Mapping[str, Any],
    *,
    by: Actor,
    on: dt.date,
    rev: int | None = None,
    at: dt.datetime | None = None,
) -> YearReport:
    """Write a yearly report. Raises Conflict when somebody saved it meanwhile, Refused when it is not open."""
    with transaction.atomic():
        report = _report(report)
        access.may_lead(by, report.project, on, "project.report")
        if report.state not in ("open", "returned"):
            raise Refused(
                T(
                    "Ce compte rendu est « {s} » : il ne change plus.",
                    "This report is “{s}”: it no longer changes.",
                    s=states.REPORT_TITLES[report.state],
                )
            )
        cleaned = _report_values(values)
        if rev is not None and rev != report.rev:
            raise Conflict(
                T(
                    "Le compte rendu a été modifié entre-temps : comparez, puis enregistrez.",
                    "The report was changed meanwhile: compare, then save.",
                ),
                theirs=plain({name: getattr(report, name) for name in cleaned}),
                yours=plain(cleaned),
            )
        for name, value in cleaned.items():
            setattr(report, name, value)
        report.rev += 1
        report.save(update_fields=[*cleaned, "rev"])
        return report


def _report_values(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in REPORT_FIELDS:
        if name not in values:
            continue
        value = values[name]
        if name == "standing":
            if value and value not in states.STANDINGS:
                raise Refused(T("État inconnu : {v}.", "Unknown standing: {v}.", v=value), kind="input")
            found[name] = value or ""
        elif name == "progress":
            found[name] = actions._whole(value, 0, 100, T("avancement en %", "progress in %"))
        elif name == "trl_reached":
            found[name] = actions._whole(value, 1, 9, T("TRL atteint", "TRL reached"))
        elif name == "trl_reached_on":
            found[name] = actions._day(value, T("jour du TRL atteint", "day of the TRL reached"))
        else:
            found[name] = rules.clean(value, where=T("compte rendu", "report"))
    return found


def submit_report(report: YearReport, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> YearReport:
    """Hand the report in. Raises Refused with what is missing: standing, progress, achievements, deviations when late."""
    with transaction.atomic():
        report = _report(report)
        access.may_lead(by, report.project, on, "project.report")
        move = workflow.check(states.REPORT_MOVES, states.REPORT_STATES, "submit", report.state)
        missing = []
        if not report.standing:
            missing.append(T("Dites où en est le projet.", "Say where the project stands."))
        if report.progress is None:
            missing.append(T("Donnez l'avancement en %.", "Give the progress in %."))
        if not report.achievements.strip():
            missing.append(T("Décrivez ce qui a été fait.", "Describe what was done."))
        if report.standing and report.standing != "on_track" and not report.deviations.strip():
            missing.append(
                T(
                    "Le projet n'est pas comme prévu : expliquez les écarts.",
                    "The project is not as planned: explain the deviations.",
                )
            )
        if report.trl_reached and not report.trl_reached_on:
            missing.append(T("Donnez le jour où le TRL a été atteint.", "Give the day on which the TRL was reached."))
        if missing:
            raise Refused(T("Le compte rendu n'est pas complet.", "The report is not complete."), missing=missing)
        report.state, report.submitted_on, report.reasons = move.target, on, ""
        report.save(update_fields=["state", "submitted_on", "reasons"])
        _record(
            report.project,
            "project.report_submit",
            by,
            on,
            at,
            after={
                "year": report.year,
                "standing": report.standing,
                "progress": report.progress,
                "trl_reached": report.trl_reached,
            },
        )
        return report


def review_report(
    report: YearReport, *, accept: bool, by: Actor, on: dt.date, reasons: str = "", at: dt.datetime | None = None
) -> YearReport:
    """Accept the report (the TRL it reached becomes the project's), or return it with reasons."""
    with transaction.atomic():
        report = _report(report)
        project = report.project
        access.may_follow(by, project, on)
        move = workflow.check(
            states.REPORT_MOVES, states.REPORT_STATES, "accept" if accept else "return", report.state, reasons
        )
        report.state, report.decided_on, report.reasons = move.target, on, reasons.strip()
        report.save(update_fields=["state", "decided_on", "reasons"])
        if (
            accept
            and report.trl_reached
            and (project.trl_reached_on is None or (report.trl_reached_on or on) >= project.trl_reached_on)
        ):
            project.trl_reached, project.trl_reached_on = report.trl_reached, report.trl_reached_on
            project.save(update_fields=["trl_reached", "trl_reached_on"])
        _record(
            project,
            "project.report_accept" if accept else "project.report_return",
            by,
            on,
            at,
            why=reasons.strip(),
            after={"year": report.year, "state": report.state},
        )
        return report


def _report(report: YearReport) -> YearReport:
    return YearReport.objects.select_for_update(of=("self",)).select_related("project").get(pk=report.pk)


def _record(project: Project, act: str, by: Actor, on: dt.date, at: dt.datetime | None, **more: Any) -> None:
    journal.record(project.case, act, by=by, on=on, at=clock.stamp(on, at), **more)


# -- changes ------------------------------------------------------------------------------------------------------


def propose_amendment(
    project: Project,
    kind: str,
    content: Mapping[str, Any],
    *,
    reason: str,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None = None,
) -> ProjectAmendment:
    """Propose a change of a selected project; it binds only once approved. One change is open at a time.

    ``content``: ``partner_in`` {organisation, kind, lines}, ``partner_out`` {partner}, ``budget`` {partner, lines},
    ``duration`` {months}; lines are [year, category, frascati, aid_class, amount].

    Raises:
        Refused: no reason, a project that is not selected or running, a change that cannot be made, or another one open.
    """
    if kind not in states.AMENDMENT_KINDS:
        raise Refused(T("Changement inconnu : {k}.", "Unknown change: {k}.", k=kind), kind="input")
    if not reason.strip():
        raise Refused(T("Dites pourquoi le projet change.", "Say why the project changes."), kind="input")
    try:
        with transaction.atomic():
            project = actions._locked(project)
            access.may_lead(by, project, on, "project.report")
            if project.state not in ("selected", "running"):
                raise Refused(
                    T(
                        "Le projet est « {s} » : seul un projet retenu ou en cours se modifie ainsi.",
                        "The project is “{s}”: only a selected or running project changes this way.",
                        s=states.TITLES[project.state],
                    )
                )
            checked = plain(_amendment(project, kind, content))
            made = ProjectAmendment.objects.create(
                project=project,
                number=project.amendments.count() + 1,
                kind=kind,
                content=checked,
                reason=reason.strip(),
                proposed_on=on,
                proposed_by=by.user_label[:200],
            )
            _record(
                project,
                "project.amend",
                by,
                on,
                at,
                why=reason.strip(),
                after={"kind": kind, "number": made.number, **_short(checked)},
            )
            return made
    except IntegrityError:
        raise Refused(T("Un changement attend déjà une réponse.", "A change waits for an answer already.")) from None


def _short(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name in ("name", "partner", "months", "total")}


def _amendment(project: Project, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """What a change would do, checked against the project as it stands."""
    years = rules.years_of(project.starts_on, project.months)
    if kind == "duration":
        months = actions._whole(content.get("months"), 1, rules.MAX_MONTHS, T("durée en mois", "duration in months"))
        if months is None or months == project.months:
            raise Refused(T("Donnez une autre durée.", "Give another duration."), kind="input")
        return {"months": months}
    if kind == "partner_in":
        organisation = current(Organisation.objects.get(pk=content.get("organisation")))
        if Partner.objects.filter(project=project, organisation=organisation, left_on__isnull=True).exists():
            raise Refused(
                T(
                    "« {o} » est déjà partenaire de ce projet.",
                    "“{o}” is a partner of this project already.",
                    o=organisation.name,
                ),
                kind="input",
            )
        kind_of = content.get("kind") or queries.KIND_OF.get(organisation.kind, "other")
        actions._partner_values({"kind": kind_of})
        lines = _lines(content.get("lines"))
        rules.check_lines(lines, rules=queries.rules_of(project), years=years, where=organisation.name)
        return {
            "organisation": organisation.pk,
            "name": organisation.name,
            "kind": kind_of,
            "lines": _rows(lines),
            "total": sum((b.amount for b in lines), Decimal(0)),
        }
    partner = actions._part(project, str(content.get("partner", "")))
    if kind == "partner_out":
        if partner.role == "leader":
            raise Refused(
                T(
                    "Le chef de file ne sort pas : changez d'abord de chef de file.",
                    "The leader does not leave: change the leader first.",
                )
            )
        return {"partner": partner.key, "name": partner.organisation.name}
    lines = _lines(content.get("lines"))
    rules.check_lines(lines, rules=queries.rules_of(project), years=years, where=partner.organisation.name)
    if not lines:
        raise Refused(
            T("Donnez le nouveau budget, ligne par ligne.", "Give the new budget, line by line."), kind="input"
        )
    return {
        "partner": partner.key,
        "name": partner.organisation.name,
        "lines": _rows(lines),
        "total": sum((b.amount for b in lines), Decimal(0)),
    }


def _lines(rows: Any) -> list[rules.Line]:
    found = []
    for row in rows or ():
        if isinstance(row, rules.Line):
            found.append(row)
            continue
        year, category, frascati, aid_class, amount = row
        value = rules.amount(amount, where=T("montant", "amount"))
        found.append(rules.Line(int(year), category, value if value is not None else Decimal(0), frascati, aid_class))
    return found


def _rows(lines: list[rules.Line]) -> list[list[Any]]:
    return [[b.year, b.category, b.frascati, b.aid_class, b.amount] for b in lines]


def decide_amendment(
    amendment: ProjectAmendment,
    *,
    approve: bool,
    by: Actor,
    on: dt.date,
    reason: str = "",
    at: dt.datetime | None = None,
) -> ProjectAmendment:
    """Approve the change (it is then made, and what it replaced is kept) or refuse it with reasons."""
    with transaction.atomic():
        amendment = ProjectAmendment.objects.select_for_update().get(pk=amendment.pk)
        project = actions._locked(amendment.project)
        access.may_follow(by, project, on)
        if amendment.state != "proposed":
            raise Refused(
                T(
                    "Ce changement est déjà « {s} ».",
                    "This change is “{s}” already.",
                    s=states.AMENDMENT_TITLES[amendment.state],
                )
            )
        if not approve and not reason.strip():
            raise Refused(T("Un refus dit pourquoi.", "A refusal says why."), kind="input")
        if approve:
            amendment.before = plain(_apply(project, amendment, on))
        amendment.state = "approved" if approve else "refused"
        amendment.decided_on, amendment.decided_by = on, by.user_label[:200]
        amendment.decision_reason = reason.strip()
        amendment.save()
        _record(
            project,
            "project.amend_approve" if approve else "project.amend_refuse",
            by,
            on,
            at,
            why=reason.strip(),
            before=amendment.before or None,
            after={"kind": amendment.kind, "number": amendment.number, **_short(amendment.content)},
        )
        messages.amendment_decided(amendment, on)
        return amendment


def _apply(project: Project, amendment: ProjectAmendment, on: dt.date) -> dict[str, Any]:
    content = amendment.content
    checked = _amendment(project, amendment.kind, content)  # the project may have changed since it was proposed
    if amendment.kind == "duration":
        before = {"months": project.months}
        project.months = checked["months"]
        project.save(update_fields=["months"])
        return before
    if amendment.kind == "partner_out":
        partner = actions._part(project, checked["partner"])
        before = {"partner": partner.key, "name": partner.organisation.name}
        partner.left_on = on
        partner.save(update_fields=["left_on"])
        return before
    if amendment.kind == "partner_in":
        organisation = Organisation.objects.get(pk=checked["organisation"])
        keys = list(Partner.objects.filter(project=project).values_list("key", flat=True))
        key = f"p{max((int(k[1:]) for k in keys if k[1:].isdigit()), default=0) + 1}"
        partner = actions._partner(
            project, organisation, kind=checked["kind"], role="partner", key=key, on=on, order=len(keys)
        )
        actions._write_budget(partner, _lines(checked["lines"]))
        return {"partner": None}
    partner = actions._part(project, checked["partner"])
    before = {"partner": partner.key, "lines": _rows(queries.budget_of(partner))}
    actions._write_budget(partner, _lines(checked["lines"]))
    return before


# -- outcomes -----------------------------------------------------------------------------------------------------


def declare_outcome(
    project: Project,
    kind: str,
    year: Any,
    quantity: Any,
    *,
    by: Actor,
    on: dt.date,
    title: str = "",
    evidence: str = "",
    file: tuple[Any, str] | None = None,
    replaces: Outcome | None = None,
    at: dt.datetime | None = None,
) -> Outcome:
    """Declare what a project brought in a year: by any of its partners, for its own part. A correction is a new version.

    Raises:
        Refused: unknown kind, a year outside the follow-up, a quantity that cannot be read, or no evidence.
    """
    moment = clock.stamp(on, at)
    if kind not in states.OUTCOMES:
        raise Refused(
            T(
                "Résultat inconnu : {k} ; attendu : {all}.",
                "Unknown outcome: {k}; expected: {all}.",
                k=kind,
                all=", ".join(states.OUTCOMES),
            ),
            kind="input",
        )
    with transaction.atomic():
        project = actions._locked(project)
        by.require("project.report")
        place = access.standing(by, project, on)
        if not place.consortium:
            raise NotAllowed(
                T(
                    "Les résultats sont déclarés par les partenaires du projet.",
                    "Outcomes are declared by the partners of the project.",
                )
            )
        if project.state not in ("running", "finished"):
            raise Refused(
                T(
                    "Les résultats se déclarent une fois le projet en cours.",
                    "Outcomes are declared once the project is running.",
                )
            )
        first, last = followed_years(project, on)
        number = actions._whole(year, first, last, T("année", "year"))
        if number is None:
            raise Refused(T("Donnez l'année.", "Give the year."), kind="input")
        value = rules.amount(quantity, where=states.OUTCOMES[kind])
        if value is None:
            raise Refused(
                T("Donnez le nombre ; zéro se déclare aussi.", "Give the number; zero is declared too."), kind="input"
            )
        if kind not in states.MONEY_OUTCOMES and kind not in ("jobs", "jobs_kept") and value % 1:
            raise Refused(
                T("{k} : un nombre entier est attendu.", "{k}: a whole number is expected.", k=states.OUTCOMES[kind]),
                kind="input",
            )
        if value and not evidence.strip() and file is None:
            raise Refused(
                T(
                    "Un résultat porte son justificatif : une référence ou un fichier.",
                    "An outcome carries its evidence: a reference or a file.",
                ),
                kind="input",
            )
        stored = (
            files.store(file[0], file[1], case=project.case, by=by, at=moment, simulated=project.simulated)
            if file
            else None
        )
        before = None
        if replaces is not None:
            old = Outcome.objects.select_for_update().get(pk=replaces.pk)
            if (
                old.superseded_at is not None
                or old.project_id != project.pk
                or (old.partner and old.partner.key != place.part)
            ):
                raise Refused(
                    T("Cette version n'est plus à corriger.", "This version is not to be corrected any more.")
                )
            old.superseded_at = moment
            old.save(update_fields=["superseded_at"])
            before = {"quantity": old.quantity, "year": old.year, "kind": old.kind}
        made = Outcome.objects.create(
            project=project,
            partner=Partner.objects.get(project=project, key=place.part),
            kind=kind,
            year=number,
            quantity=value,
            title=rules.clean(title, where=T("intitulé", "title"), limit=255, line=True),
            evidence=rules.clean(evidence, where=T("justificatif", "evidence"), limit=300, line=True),
            file=stored,
            recorded_at=moment,
        )
        _record(
            project,
            "project.outcome",
            by,
            on,
            at,
            before=before,
            after={"kind": kind, "year": number, "quantity": value, "partner": place.part},
        )
        return made


def followed_years(project: Project, on: dt.date) -> tuple[int, int]:
    """The years about which outcomes may be declared: from the start, until so many years after the end as the policy says."""
    first = project.starts_on.year if project.starts_on else on.year
    years = queries.parameter("outcomes_followed_for", on) or 0
    ended = project.ended_on or rules.ends_on(project.starts_on, project.months)
    last = min(on.year, ended.year + years) if ended and project.state == "finished" else on.year
    return first, max(first, last)


def validate_outcome(
    outcome: Outcome, *, valid: bool, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None
) -> Outcome:
    """Validate an outcome, which then counts in the indicators, or set it aside with a reason."""
    moment = clock.stamp(on, at)
    with transaction.atomic():
        outcome = Outcome.objects.select_for_update().get(pk=outcome.pk)
        project = outcome.project
        access.may_follow(by, project, on)
        if outcome.superseded_at is not None:
            raise Refused(
                T(
                    "Cette déclaration a été corrigée ou écartée entre-temps.",
                    "This declaration was corrected or set aside meanwhile.",
                )
            )
        if not valid and not reason.strip():
            raise Refused(
                T("Dites pourquoi le résultat est écarté.", "Say why the outcome is set aside."), kind="input"
            )
        if valid:
            outcome.validated = True
            outcome.save(update_fields=["validated"])
        else:
            outcome.superseded_at = moment
            outcome.save(update_fields=["superseded_at"])
        _record(
            project,
            "project.outcome_validate" if valid else "project.outcome_return",
            by,
            on,
            at,
            why=reason.strip(),
            after={"kind": outcome.kind, "year": outcome.year, "quantity": outcome.quantity},
        )
        return outcome


def lacking_outcomes(on: dt.date, projects: Any = None) -> list[tuple[Project, int]]:
    """Finished projects, within their years of follow-up, of which nothing was declared about the past year."""
    year = on.year - 1
    found = Project.objects.filter(state="finished", ended_on__isnull=False, ended_on__lt=dt.date(on.year, 1, 1))
    if projects is not None:
        found = found.filter(pk__in=projects)
    years = queries.parameter("outcomes_followed_for", on)
    if years is None:
        return []
    found = found.filter(ended_on__gte=dt.date(year - years, 1, 1))
    said = Outcome.objects.filter(year=year, superseded_at__isnull=True).values("project_id")
    return [(project, year) for project in found.filter(~Q(pk__in=said)).order_by("pk")]
