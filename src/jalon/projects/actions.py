"""Acts on calls and projects: open a call, change its rules, draft a project together, submit it, check it.

Every act takes ``by=`` an actor and ``on=`` a day; ``at=`` is the moment of the records (the clock's without it). Writing
takes the project's row, so that a file never changes between its submission and what is frozen. A save names the revision
it started from: when somebody saved meanwhile, the words that came second are kept as a refused revision and
:class:`Conflict` shows both. Deadlines end at midnight, Paris time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils.text import slugify

from jalon.core import clock, files, journal, workflow
from jalon.core.canonical import plain
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.people.access import Actor, policy
from jalon.people.actions import create_organisation
from jalon.people.models import Organisation
from jalon.people.queries import current
from jalon.policy.parts.calls import EFFECTS, RULES
from jalon.policy.rules import plus
from jalon.projects import access, messages, queries, rules, states
from jalon.projects.models import (
    BudgetLine,
    Call,
    CallRules,
    Clarification,
    Paper,
    Partner,
    Project,
    Request,
    Revision,
    Section,
)


@dataclass(frozen=True)
class Saved:
    """What a save did: the revision that is stored now, when, and whether anything changed."""

    rev: int
    at: dt.datetime | None
    changed: bool


# -- calls --------------------------------------------------------------------------------------------------------


def open_call(
    scheme: str,
    *,
    by: Actor,
    on: dt.date,
    code: str = "",
    number: int | None = None,
    title: str = "",
    title_en: str = "",
    opens_on: dt.date | None = None,
    closes_on: dt.date | None = None,
    results_on: dt.date | None = None,
    envelope: Decimal | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Call:
    """Open a call from a scheme of the policy; its rules are those in force on the day, or for its number.

    Raises:
        NotAllowed: the actor does not manage calls.
        Refused: unknown scheme or no rules in force, a number or code already taken, days out of order.
    """
    access.may_manage_calls(by)
    family = _scheme(scheme)
    opens_on = opens_on or on
    _check_days(opens_on, closes_on, results_on)
    version = family.version_for(opens_on, number)
    if version is None:
        raise Refused(
            T(
                "« {s} » n'a pas de règles en vigueur au {d} : ajoutez-les dans calls.yaml.",
                "“{s}” has no rules in force on {d}: add them to calls.yaml.",
                s=family.title,
                d=opens_on,
            )
        )
    code = slugify(code) or (f"{family.code}-{number}" if number else f"{family.code}-{opens_on.year}")
    title = rules.clean(title, where=T("titre", "title"), limit=255, line=True) or _call_title(
        family, number, opens_on, "fr"
    )
    title_en = rules.clean(title_en, where=T("titre", "title"), limit=255, line=True) or _call_title(
        family, number, opens_on, "en"
    )
    if envelope is not None and envelope < 0:
        raise Refused(T("L'enveloppe n'est pas positive.", "The envelope is not positive."), kind="input")
    at = clock.stamp(on, at)
    taken = Refused(
        T("Un appel porte déjà le code « {c} ».", "A call has the code “{c}” already.", c=code), kind="input"
    )
    if number is not None and Call.objects.filter(programme=policy().slug, scheme=scheme, number=number).exists():
        raise Refused(
            T(
                "L'appel n° {n} de « {s} » existe déjà.",
                "Call no. {n} of “{s}” exists already.",
                n=number,
                s=family.title,
            ),
            kind="input",
        )
    try:
        with transaction.atomic():
            call = Call.objects.create(
                programme=policy().slug,
                code=code,
                scheme=family.code,
                number=number,
                kind=family.kind,
                title_fr=title,
                title_en=title_en,
                opens_on=opens_on,
                closes_on=closes_on,
                results_on=results_on,
                envelope=envelope,
                state="open" if opens_on <= on else "preparing",
                simulated=simulated,
                created_at=at,
            )
            CallRules.objects.create(
                call=call,
                version=1,
                policy_day=opens_on,
                valid_from=opens_on,
                rules=rules.resolve(family, version),
                made_at=at,
                made_by=by.user_label[:200],
            )
            journal.record(
                call.case,
                "call.open",
                by=by,
                on=on,
                at=at,
                after={
                    "scheme": family.code,
                    "rules": version.code,
                    "opens_on": opens_on,
                    "closes_on": closes_on,
                    "results_on": results_on,
                    "envelope": envelope,
                },
            )
            return call
    except IntegrityError:
        raise taken from None


def _call_title(family: Any, number: int | None, day: dt.date, language: str) -> str:
    short = family.short.in_language(language)
    if number:
        return f"{short} {number}" if language == "en" else f"{short}, appel n° {number}"
    return f"{short} {day.year}"


def _scheme(code: str) -> Any:
    family = queries.scheme_of(code)
    if family is None:
        raise Refused(
            T(
                "Le dispositif « {s} » n'existe pas dans la politique ; attendu : {all}.",
                "There is no scheme “{s}” in the policy; expected: {all}.",
                s=code,
                all=", ".join(s.code for s in queries.schemes()) or "–",
            ),
            kind="input",
        )
    return family


def _check_days(opens_on: dt.date | None, closes_on: dt.date | None, results_on: dt.date | None) -> None:
    if opens_on and closes_on and closes_on < opens_on:
        raise Refused(
            T(
                "La clôture ({c}) précède l'ouverture ({o}).",
                "The closing ({c}) comes before the opening ({o}).",
                c=closes_on,
                o=opens_on,
            ),
            kind="input",
        )
    if results_on and (closes_on or opens_on) and results_on < (closes_on or opens_on):
        raise Refused(
            T("Les résultats ({r}) précèdent la clôture.", "The results ({r}) come before the closing.", r=results_on),
            kind="input",
        )


CALL_FIELDS = ("title_fr", "title_en", "opens_on", "closes_on", "results_on", "envelope")


def edit_call(
    call: Call, *, by: Actor, on: dt.date, rev: int | None = None, at: dt.datetime | None = None, **values: Any
) -> Call:
    """Change the facts of the exercise: titles, days, envelope. The rules have versions of their own.

    Raises:
        Refused: days out of order, or a closing moved before files that were handed in.
        Conflict: somebody changed the call meanwhile.
    """
    access.may_manage_calls(by)
    unknown = set(values) - set(CALL_FIELDS)
    if unknown:
        raise TypeError(f"unknown fields {sorted(unknown)}")
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=call.pk)
        if rev is not None and rev != call.rev:
            raise Conflict(
                T("L'appel a été modifié entre-temps : relisez-le.", "The call was changed meanwhile: read it again."),
                theirs=plain({name: getattr(call, name) for name in CALL_FIELDS}),
                yours=plain(values),
            )
        before = {name: getattr(call, name) for name in values}
        for name, value in values.items():
            if name.startswith("title"):
                value = rules.clean(value, where=T("titre", "title"), limit=255, line=True)
                if not value:
                    raise Refused(T("Donnez un titre.", "Give a title."), kind="input")
            setattr(call, name, value)
        _check_days(call.opens_on, call.closes_on, call.results_on)
        if call.envelope is not None and call.envelope < 0:
            raise Refused(T("L'enveloppe n'est pas positive.", "The envelope is not positive."), kind="input")
        if call.closes_on and call.closes_on != before.get("closes_on", call.closes_on):
            list(_drafts_of(call).values_list("pk"))  # whoever hands in now waits, and reads the new closing
            last = Project.objects.filter(call=call).aggregate(last=Max("submitted_at"))["last"]
            if last is not None and last > clock.end_of_day(call.closes_on):
                raise Refused(
                    T(
                        "Un dossier a été déposé le {d}, après cette clôture : elle ne peut pas être avancée.",
                        "A file was handed in on {d}, after this closing: it cannot be moved forward.",
                        d=last.astimezone(clock.PARIS).date(),
                    )
                )
        after = {name: getattr(call, name) for name in values}
        if after == before:
            return call
        call.rev += 1
        call.save(update_fields=[*values, "rev"])
        journal.record(call.case, "call.edit", by=by, on=on, at=clock.stamp(on, at), before=before, after=after)
        return call


def new_rules_version(
    call: Call,
    rules_changed: Mapping[str, Any],
    *,
    reason: str,
    by: Actor,
    on: dt.date,
    valid_from: dt.date | None = None,
    move_drafts: bool = False,
    at: dt.datetime | None = None,
) -> CallRules:
    """A new version of a call's rules: ``rules_changed`` is the whole set, checked. Files keep the version they obey.

    ``move_drafts`` moves every draft of the call to the new version at once; a file that was handed in stays where it is.

    Raises:
        Refused: no reason, nothing changed, or rules that are not understood.
    """
    access.may_manage_calls(by)
    if not reason.strip():
        raise Refused(T("Dites pourquoi les règles changent.", "Say why the rules change."), kind="input")
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=call.pk)
        last = queries.latest_rules(call)
        checked = check_rules(rules_changed)
        if last is not None and not rules.compare_rules(last.rules, checked) and last.rules == checked:
            raise Refused(T("Rien n'a changé dans les règles.", "Nothing changed in the rules."), kind="input")
        made = CallRules.objects.create(
            call=call,
            version=(last.version if last else 0) + 1,
            policy_day=last.policy_day if last else on,
            valid_from=valid_from or on,
            rules=checked,
            reason=reason.strip(),
            made_at=clock.stamp(on, at),
            made_by=by.user_label[:200],
        )
        changes = rules.compare_rules(last.rules, checked) if last else []
        journal.record(
            call.case,
            "call.rules",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            why=reason.strip(),
            before={"version": last.version if last else None},
            after={
                "version": made.version,
                "changes": [f"{c.part}: {c.name}: {c.before or '–'} → {c.after or '–'}" for c in changes],
            },
        )
        if move_drafts:
            for project in _drafts_of(call).exclude(rules=made):
                _move_rules(project, made, by=by, on=on, at=at)
        return made


def _drafts_of(call: Call) -> QuerySet[Project]:
    """The drafts of a call, held: none of them is handed in before the act is over."""
    return Project.objects.select_for_update(of=("self",)).filter(call=call, state="draft").order_by("pk")


def check_rules(given: Mapping[str, Any]) -> dict[str, Any]:
    """A set of rules as a call keeps it.

    Raises:
        Refused: with every condition, rate or paper that is not understood.
    """
    faults: list[Text] = []
    found = dict(given)
    seen = set()
    for row in found.get("eligibility", ()):
        name = row.get("rule")
        if name not in RULES:
            faults.append(T("La condition « {r} » est inconnue.", "The condition “{r}” is unknown.", r=name))
            continue
        if name in seen:
            faults.append(
                T("La condition « {r} » est donnée deux fois.", "The condition “{r}” is given twice.", r=RULES[name][1])
            )
        seen.add(name)
        if row.get("effect") not in EFFECTS:
            faults.append(T("{r} : effet inconnu.", "{r}: unknown effect.", r=RULES[name][1]))
        unit = RULES[name][0]
        if unit == "yes_no":
            if not isinstance(row.get("value"), bool):
                faults.append(T("{r} : oui ou non est attendu.", "{r}: yes or no is expected.", r=RULES[name][1]))
            continue
        try:
            value = rules.amount(row.get("value"), where=RULES[name][1])
        except Refused as fault:
            faults.append(fault.reason)
            continue
        if value is None or (unit == "percent" and value > 100) or (unit in ("count", "months") and value % 1):
            faults.append(
                T(
                    "{r} : « {v} » trouvé, attendu {e}.",
                    "{r}: “{v}” found, expected {e}.",
                    r=RULES[name][1],
                    v=row.get("value"),
                    e=T("un pourcentage de 0 à 100", "a percentage from 0 to 100")
                    if unit == "percent"
                    else T("un nombre", "a number"),
                )
            )
    for row in found.get("rates", ()):
        try:
            percent = rules.amount(row.get("percent"), where=rules.rate_name(row))
        except Refused as fault:
            faults.append(fault.reason)
            continue
        if percent is None or percent > 100:
            faults.append(
                T(
                    "{r} : un taux de 0 à 100 est attendu.",
                    "{r}: a rate from 0 to 100 is expected.",
                    r=rules.rate_name(row),
                )
            )
    if faults:
        raise Refused(
            T("Ces règles ne peuvent pas être enregistrées.", "These rules cannot be saved."),
            missing=faults,
            kind="input",
        )
    return plain(found)


def move_to_version(
    project: Project, version: CallRules, *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> Project:
    """Move a draft to another version of its call's rules: by its leader, or by whoever manages calls.

    Raises:
        Refused: the file was handed in (it keeps the version under which it was), or the version is another call's.
    """
    with transaction.atomic():
        project = _locked(project)
        if not by.can("call.manage"):
            access.may_lead(by, project, on)
        if project.state != "draft":
            raise Refused(
                T(
                    "Le dossier est « {s} » : il garde la version des règles sous laquelle il a été déposé.",
                    "The file is “{s}”: it keeps the version of the rules under which it was handed in.",
                    s=states.TITLES[project.state],
                )
            )
        if version.call_id != project.call_id:
            raise Refused(
                T("Ces règles sont celles d'un autre appel.", "These rules are another call's."), kind="input"
            )
        if project.rules_id != version.pk:
            _move_rules(project, version, by=by, on=on, at=at)
        return project


def _move_rules(project: Project, version: CallRules, *, by: Actor, on: dt.date, at: dt.datetime | None) -> None:
    before = project.rules.version if project.rules_id else None
    project.rules = version
    project.save(update_fields=["rules"])
    journal.record(
        project.case,
        "project.rules",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        before={"version": before},
        after={"version": version.version},
    )


# -- begin --------------------------------------------------------------------------------------------------------


def start_project(
    call: Call | None,
    acronym: str,
    title: str,
    *,
    by: Actor,
    on: dt.date,
    kind: str = "",
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Project:
    """Start a project led by the actor's organisation, in a call that is open (or announced), or without a call yet.

    Raises:
        NotAllowed: the actor's role does not draft projects.
        Refused: no acronym or title, or the call is closed.
    """
    access.may_draft(by)
    acronym, title = _names(acronym, title)
    if call is not None:
        _check_open(call, on, begin=True)
    organisation = current(Organisation.objects.get(pk=by.organisation_id))
    at = clock.stamp(on, at)
    version = queries.latest_rules(call) if call is not None else None
    with transaction.atomic():
        project = Project.objects.create(
            programme=policy().slug,
            slug=_free_slug(acronym, call),
            acronym=acronym,
            title=title,
            nature=(version.rules.get("nature") if version else "") or "rd",
            call=call,
            rules=version,
            created_at=at,
            simulated=simulated,
        )
        partner = _partner(project, organisation, kind=kind, role="leader", key="p1", on=on, simulated=simulated)
        journal.record(
            project.case,
            "project.start",
            by=by,
            on=on,
            at=at,
            after={
                "state": "draft",
                "acronym": acronym,
                "title": title,
                "call": call.code if call else None,
                "leader": partner.organisation.name,
            },
        )
        return project


def _names(acronym: str, title: str) -> tuple[str, str]:
    acronym = rules.clean(acronym, where=T("sigle", "acronym"), limit=60, line=True)
    title = rules.clean(title, where=T("titre", "title"), limit=255, line=True)
    if not acronym or not title:
        raise Refused(
            T("Donnez le sigle et le titre du projet.", "Give the project's acronym and title."), kind="input"
        )
    return acronym, title


def _free_slug(acronym: str, call: Call | None) -> str:
    base = slugify(f"{acronym}-{call.code}" if call else acronym)[:70] or "projet"
    slug, number = base, 1
    while Project.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return slug


def _check_open(call: Call, on: dt.date, *, begin: bool = False) -> None:
    state = queries.state_of(call, on)
    if state == "open" or (begin and state == "preparing"):
        return
    raise Refused(
        T(
            "« {c} » est {s} : aucun projet ne peut plus y être commencé ni déposé.",
            "“{c}” is {s}: no project can be started or handed in any more.",
            c=T(_escaped(call.title_fr), _escaped(call.title_en)),
            s=states.CALL_TITLES[state],
        ),
        why=_why_closing(call),
    )


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _why_closing(call: Call) -> Why:
    return Why(
        T(
            "Un dossier se dépose entre l'ouverture et la clôture de l'appel, à minuit heure de Paris au plus tard.",
            "A file is handed in between the opening and the closing of the call, at midnight Paris time at the latest.",
        ),
        inputs={
            T("ouverture", "opening"): call.opens_on,
            T("clôture", "closing"): call.closes_on,
        },
    )


def attach_call(project: Project, call: Call, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Project:
    """Put a draft into a call (or into another one); it then obeys the newest version of that call's rules."""
    with transaction.atomic():
        project = _locked(project)
        access.may_lead(by, project, on)
        if project.state != "draft":
            raise Refused(
                T(
                    "Le dossier est déposé : son appel ne change plus.",
                    "The file is handed in: its call no longer changes.",
                )
            )
        _check_open(call, on, begin=True)
        before = project.call.code if project.call_id else None
        version = queries.latest_rules(call)
        project.call, project.rules = call, version
        project.nature = (version.rules.get("nature") if version else "") or project.nature
        project.save(update_fields=["call", "rules", "nature"])
        journal.record(
            project.case,
            "project.call",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            before={"call": before},
            after={"call": call.code, "version": version.version if version else None},
        )
        return project


# -- consortium ---------------------------------------------------------------------------------------------------


def add_partner(
    project: Project,
    organisation: Organisation,
    *,
    by: Actor,
    on: dt.date,
    kind: str = "",
    at: dt.datetime | None = None,
    **values: Any,
) -> Partner:
    """Add an organisation to the consortium. Kind and size come from its record unless they are given.

    Raises:
        Refused: it is a partner already, or the consortium is not open to changes.
    """
    with transaction.atomic():
        project = _locked(project)
        access.may_lead(by, project, on)
        _check_writable(project, "consortium", on, at)
        organisation = current(organisation)
        keys = list(Partner.objects.filter(project=project).values_list("key", "organisation_id", "left_on"))
        if any(other == organisation.pk and left is None for _, other, left in keys):
            raise Refused(
                T(
                    "« {o} » est déjà partenaire de ce projet : un organisme y est une fois.",
                    "“{o}” is a partner of this project already: an organisation is in it once.",
                    o=organisation.name,
                ),
                kind="input",
            )
        if len(keys) >= rules.MAX_PARTNERS:
            raise Refused(T("Au plus {n} partenaires.", "At most {n} partners.", n=rules.MAX_PARTNERS))
        key = f"p{max((int(k[1:]) for k, _, _ in keys if k[1:].isdigit()), default=0) + 1}"
        partner = _partner(project, organisation, kind=kind, role="partner", key=key, on=on, order=len(keys), **values)
        journal.record(
            project.case,
            "project.partner_add",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            after={"organisation": organisation.name, "partner": key, "kind": partner.kind},
        )
        return partner


def add_new_partner(
    project: Project,
    *,
    name: str,
    organisation_kind: str,
    by: Actor,
    on: dt.date,
    siren: str = "",
    country: str = "FR",
    kind: str = "",
    at: dt.datetime | None = None,
    **values: Any,
) -> Partner:
    """Add a partner that has no record yet: its organisation is made with its identifier, all checked.

    Raises:
        Refused: a wrong SIREN, or one that another organisation holds (it is then to be chosen).
    """
    with transaction.atomic():
        access.may_lead(by, project, on)
        # Whoever drafts a project brings partners that the register does not know; nothing else of that right is given.
        maker = by.but(permissions=by.permissions | {"members.edit"})
        organisation = create_organisation(
            name=name,
            kind=organisation_kind,
            by=maker,
            on=on,
            identifiers=[("siren", siren)] if siren.strip() else (),
            simulated=project.simulated,
            country=(country or "FR").upper(),
        )
        return add_partner(project, organisation, by=by, on=on, kind=kind, at=at, **values)


PARTNER_FIELDS = (
    "kind",
    "size",
    "size_definition",
    "size_evidence",
    "department",
    "in_territory",
    "cost_basis",
    "contribution",
    "group_name",
    "cooperation",
)


def _partner(
    project: Project,
    organisation: Organisation,
    *,
    kind: str,
    role: str,
    key: str,
    on: dt.date,
    order: int = 0,
    simulated: bool = False,
    **values: Any,
) -> Partner:
    size, definition, evidence = queries.size_of(organisation, on)
    given = {"size": size, "size_definition": definition, "size_evidence": evidence} | values
    if not given.get("department") and organisation.postcode:
        given["department"] = organisation.postcode[:2]
    return Partner.objects.create(
        project=project,
        organisation=organisation,
        key=key,
        role=role,
        order=order,
        joined_on=on,
        simulated=simulated or project.simulated,
        **_partner_values({"kind": kind or queries.KIND_OF.get(organisation.kind, "other"), **given}),
    )


def _partner_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a partner, checked.

    Raises:
        Refused: an unknown kind, cost basis or department.
    """
    unknown = set(given) - set(PARTNER_FIELDS)
    if unknown:
        raise TypeError(f"unknown fields {sorted(unknown)}")
    found: dict[str, Any] = {}
    limits = {
        "size": 20,
        "size_definition": 40,
        "size_evidence": 300,
        "group_name": 160,
        "cooperation": 200,
        "contribution": rules.MAX_TEXT,
    }
    for name, value in given.items():
        if name == "in_territory":
            found[name] = value if value in (True, False) else None
            continue
        value = rules.clean(value, where=name, limit=limits.get(name, 20), line=name != "contribution")
        if name == "kind" and value not in states.KINDS:
            raise Refused(
                T(
                    "« {v} » n'est pas une nature de partenaire ; attendu : {all}.",
                    "“{v}” is no kind of partner; expected: {all}.",
                    v=value or "–",
                    all=", ".join(states.KINDS),
                ),
                kind="input",
            )
        if name == "cost_basis" and value not in states.COST_BASES:
            raise Refused(
                T(
                    "« {v} » n'est pas une base de coût : full ou marginal.",
                    "“{v}” is no cost basis: full or marginal.",
                    v=value,
                ),
                kind="input",
            )
        if name == "department" and value:
            value = rules.check_territory([{"department": value, "share": 100}])[0]["department"]
        found[name] = value
    return found


def remove_partner(project: Project, key: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> None:
    """Take a partner out of a draft, with its budget; the journal keeps what it had.

    Raises:
        Refused: the leader (name another one first), or a file whose consortium is closed (propose an amendment).
    """
    with transaction.atomic():
        project = _locked(project)
        access.may_lead(by, project, on)
        _check_writable(project, "consortium", on, at)
        partner = _part(project, key)
        if partner.role == "leader":
            raise Refused(
                T(
                    "Le chef de file ne se retire pas : nommez d'abord un autre chef de file.",
                    "The leader is not removed: name another leader first.",
                )
            )
        lines = [[b.year, b.category, b.frascati, b.aid_class, b.amount] for b in partner.budget.all()]
        journal.record(
            project.case,
            "project.partner_remove",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            before={"organisation": partner.organisation.name, "partner": key, "budget": lines},
        )
        Section.objects.filter(project=project, key__in=[f"partner:{key}", f"budget:{key}"]).delete()
        partner.delete()


def change_leader(project: Project, key: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> None:
    """Another partner becomes the leader; the actor's organisation stays a partner."""
    with transaction.atomic():
        project = _locked(project)
        access.may_lead(by, project, on)
        _check_writable(project, "consortium", on, at)
        new = _part(project, key)
        old = Partner.objects.get(project=project, role="leader", left_on__isnull=True)
        if new.pk == old.pk:
            return
        Partner.objects.filter(pk=old.pk).update(role="partner")
        Partner.objects.filter(pk=new.pk).update(role="leader")
        journal.record(
            project.case,
            "project.leader",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            before={"leader": old.organisation.name},
            after={"leader": new.organisation.name},
        )


# -- write together ------------------------------------------------------------------------------------------------


def set_field(
    project: Project,
    field: str,
    value: Any,
    *,
    by: Actor,
    on: dt.date,
    rev: int | None = None,
    at: dt.datetime | None = None,
) -> Saved:
    """Set one field of the file; ``rev`` is the revision of its section (the stored one without it)."""
    key = next((k for k, fields in states.WRITTEN.items() if field in fields), None)
    if key is None:
        raise Refused(T("Ce champ n'existe pas : {f}.", "There is no such field: {f}.", f=field), kind="input")
    return save_section(project, key, {field: value}, by=by, on=on, rev=rev, at=at)


def save_section(
    project: Project,
    key: str,
    values: Mapping[str, Any],
    *,
    by: Actor,
    on: dt.date,
    rev: int | None = None,
    at: dt.datetime | None = None,
) -> Saved:
    """Save a section of the file, or the part of one partner (``partner:p2``), started from revision ``rev``.

    The leader writes the file; a partner writes its own part, and the leader may write all parts.

    Raises:
        Conflict: somebody saved the section meanwhile, or the file is no longer open; the words are kept as a refused
            revision (``conflict.kept``), and ``conflict.rev`` is what is stored.
        Refused: a value that cannot be read, in one sentence.
    """
    part = key.partition(":")[2]
    at = clock.stamp(on, at)
    with transaction.atomic():
        project = _locked(project)
        row: Any
        if part:
            access.may_write_part(by, project, part, on)
            row = _part(project, part)
            cleaned = _partner_values(values)
        else:
            access.may_lead(by, project, on)
            if key not in states.WRITTEN or set(values) - set(states.WRITTEN[key]):
                raise Refused(
                    T("Cette section n'existe pas : {k}.", "There is no such section: {k}.", k=key), kind="input"
                )
            row = project
            cleaned = _section_values(project, values)
        before = {name: getattr(row, name) for name in cleaned}
        section = _section(project, key)
        if before == cleaned:
            return Saved(section.rev, section.updated_at, False)
        refusal = _refusal(project, section, "consortium" if part else key, rev, on, at)
        if refusal is None:
            for name, value in cleaned.items():
                setattr(row, name, value)
            row.save(update_fields=list(cleaned))
            _touch(section, by, at)
            _revision(project, key, section.rev, cleaned, by, at).save()
            return Saved(section.rev, at, True)
        kept = _keep_refused(project, key, section.rev if rev is None else rev, cleaned, by, at)
    raise _conflict(refusal, plain(before), plain(cleaned), section.rev, kept)


def set_budget(
    project: Project,
    key: str,
    lines: Iterable[rules.Line],
    *,
    by: Actor,
    on: dt.date,
    asked: Iterable[tuple[Organisation | None, Decimal]] | None = None,
    rev: int | None = None,
    at: dt.datetime | None = None,
) -> Saved:
    """Replace a partner's budget, and what it asks of public money when ``asked`` is given (funder or None, amount).

    Raises:
        Refused: with every fault of the lines at once; nothing is written then.
        Conflict: the budget was saved meanwhile, or it is no longer open.
    """
    at = clock.stamp(on, at)
    with transaction.atomic():
        project = _locked(project)
        access.may_write_part(by, project, key, on)
        partner = _part(project, key)
        if not project.rules_id:
            raise Refused(
                T(
                    "Choisissez d'abord l'appel : ses catégories de coûts en dépendent.",
                    "Choose the call first: its cost categories hang on it.",
                )
            )
        kept = rules.check_lines(
            lines,
            rules=queries.rules_of(project),
            years=rules.years_of(project.starts_on, project.months),
            where=partner.organisation.name,
        )
        before = queries.budget_of(partner)
        asked_before = [(r.funder_id, r.amount) for r in queries.requested(partner)]
        wanted = None if asked is None else [(f.pk if f else None, a) for f, a in asked if a]
        if any(a < 0 for _, a in wanted or ()):
            raise Refused(T("L'aide demandée n'est pas positive.", "The aid asked for is not positive."), kind="input")
        section = _section(project, f"budget:{key}")
        order = lambda line: line.key  # noqa: E731
        same = sorted(before, key=order) == sorted(kept, key=order)
        if same and (wanted is None or wanted == asked_before):
            return Saved(section.rev, section.updated_at, False)
        content = _budget_words(kept, asked_before if wanted is None else wanted)
        refusal = _refusal(project, section, "budget", rev, on, at)
        if refusal is None:
            _write_budget(partner, kept)
            if wanted is not None:
                Request.objects.filter(partner=partner).delete()
                Request.objects.bulk_create(Request(partner=partner, funder_id=f, amount=a) for f, a in wanted)
            _touch(section, by, at)
            _revision(project, section.key, section.rev, content, by, at).save()
            return Saved(section.rev, at, True)
        kept_row = _keep_refused(project, section.key, section.rev if rev is None else rev, content, by, at)
    raise _conflict(refusal, plain(_budget_words(before, asked_before)), plain(content), section.rev, kept_row)


def _write_budget(partner: Partner, lines: Sequence[rules.Line]) -> None:
    BudgetLine.objects.filter(partner=partner).delete()
    BudgetLine.objects.bulk_create(
        BudgetLine(
            partner=partner,
            year=line.year,
            category=line.category,
            frascati=line.frascati,
            aid_class=line.aid_class,
            amount=line.amount,
        )
        for line in lines
    )


def _budget_words(lines: Iterable[rules.Line], asked: Iterable[tuple[int | None, Decimal]]) -> dict[str, Any]:
    return {
        "lines": [
            {
                "year": b.year,
                "category": b.category,
                "frascati": b.frascati,
                "aid_class": b.aid_class,
                "amount": b.amount,
            }
            for b in lines
        ],
        "asked": [{"funder": funder, "amount": one} for funder, one in asked],
    }


def _section_values(project: Project, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a section as kept; every one is checked before anything is written."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in ("acronym", "title"):
            cleaned = rules.clean(
                value, where=states.SECTIONS["identity"], limit=60 if name == "acronym" else 255, line=True
            )
            if not cleaned:
                raise Refused(
                    T("Le sigle et le titre ne restent pas vides.", "Acronym and title do not stay empty."),
                    kind="input",
                )
            found[name] = cleaned
        elif name in ("summary", "confidential"):
            found[name] = rules.clean(value, where=states.SECTIONS[name])
        elif name in ("keywords", "strategic_fields"):
            words = value.split(",") if isinstance(value, str) else list(value or ())
            cleaned_words = [rules.clean(w, where=states.SECTIONS["fields"], limit=120, line=True) for w in words]
            found[name] = list(dict.fromkeys(w for w in cleaned_words if w))[:40]
        elif name in ("trl_entry", "trl_target"):
            found[name] = _whole(value, 1, 9, T("TRL", "TRL"))
        elif name == "months":
            found[name] = _whole(value, 1, rules.MAX_MONTHS, T("durée en mois", "duration in months"))
        elif name in ("starts_on", "trl_entry_on", "trl_target_on"):
            found[name] = _day(value, T("jour", "day"))
        elif name == "territory":
            found[name] = rules.check_territory(value)
        elif name == "other_funding":
            found[name] = value if value in (True, False) else None
        elif name == "justifications":
            known = {e["rule"] for e in queries.rules_of(project).get("eligibility", ()) if e["effect"] == "justify"}
            found[name] = {
                rule: text
                for rule, given in dict(value or {}).items()
                if rule in known and (text := rules.clean(given, where=RULES[rule][1], limit=4000))
            }
    return found


def _whole(value: Any, low: int, high: int, where: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        number = int(str(value).strip())
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise Refused(
            T(
                "{w} : « {v} » trouvé, attendu un nombre de {a} à {b}.",
                "{w}: “{v}” found, expected a number from {a} to {b}.",
                w=where,
                v=str(value)[:40],
                a=low,
                b=high,
            ),
            kind="input",
        )
    return number


def _day(value: Any, where: Any) -> dt.date | None:
    if value in (None, ""):
        return None
    if isinstance(value, dt.date):
        return value
    text = str(value).strip()
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise Refused(
        T(
            "{w} : « {v} » n'est pas une date (JJ/MM/AAAA).",
            "{w}: “{v}” is not a date (DD/MM/YYYY).",
            w=where,
            v=text[:40],
        ),
        kind="input",
    )


# -- papers -------------------------------------------------------------------------------------------------------


def add_paper(
    project: Project,
    code: str,
    data: Any,
    name: str,
    *,
    by: Actor,
    on: dt.date,
    partner: str = "",
    title: str = "",
    confidential: bool | None = None,
    at: dt.datetime | None = None,
) -> Paper:
    """Add a paper under a code of the call's rules (or ``other``); a new version replaces the one before, which is kept.

    Raises:
        Refused: unknown code, a file that is not accepted, or papers that are closed.
    """
    moment = clock.stamp(on, at)
    with transaction.atomic():
        project = _locked(project)
        rule = next((p for p in queries.rules_of(project).get("papers", ()) if p["code"] == code), None)
        if rule is None and code != "other":
            raise Refused(
                T("L'appel ne connaît pas cette pièce : {c}.", "The call does not know this paper: {c}.", c=code),
                kind="input",
            )
        if rule is not None and rule["scope"] == "partner":
            access.may_write_part(by, project, partner, on)
        else:
            partner = ""
            access.may_lead(by, project, on)
        row = _part(project, partner) if partner else None
        _check_writable(project, "papers", on, at)
        stored = files.store(data, name, case=project.case, by=by, title=title, at=moment, simulated=project.simulated)
        last = (
            Paper.objects.filter(project=project, code=code, partner=row, replaced_at__isnull=True)
            .order_by("-version")
            .first()
            if rule is not None
            else None
        )
        if last is not None:
            last.replaced_at = moment
            last.save(update_fields=["replaced_at"])
        paper = Paper.objects.create(
            project=project,
            partner=row,
            code=code,
            title=rules.clean(title, where=T("titre", "title"), limit=255, line=True)
            or (rule["title"]["fr"] if rule else stored.name),
            file=stored,
            version=(last.version if last else 0) + 1,
            confidential=rule["confidential"] if rule else (True if confidential is None else confidential),
            added_at=moment,
            added_by=by.user_label[:200],
        )
        journal.record(
            project.case,
            "project.paper",
            by=by,
            on=on,
            at=moment,
            before={"version": last.version} if last else None,
            after={
                "code": code,
                "partner": partner,
                "version": paper.version,
                "sha256": stored.sha256,
                "name": stored.name,
            },
        )
        return paper


# -- submit and check ----------------------------------------------------------------------------------------------


def submit(project: Project, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Project:
    """Hand the file in: it is frozen with its SHA-256, and nothing of it changes without a clarification.

    Raises:
        Refused: before the opening, after midnight (Paris) of the closing day, or an incomplete file, with what is missing.
    """
    moment = clock.stamp(on, at)
    with transaction.atomic():
        project = _locked(project)
        access.may_lead(by, project, on, "project.submit")
        move = workflow.check(states.MOVES, states.STATES, "submit", project.state)
        gaps = queries.gaps_of(project, on)
        if project.call_id:
            call = project.call
            if call.closes_on and (on > call.closes_on or moment > clock.end_of_day(call.closes_on)):
                raise Refused(
                    T(
                        "L'appel est clos depuis le {d} à minuit (heure de Paris) : le dossier n'est plus reçu.",
                        "The call closed on {d} at midnight (Paris time): the file is no longer received.",
                        d=call.closes_on,
                    ),
                    why=_why_closing(call),
                )
            _check_open(call, on)
        stops = rules.blocking(gaps, "submit")
        if stops:
            raise Refused(
                T("Le dossier n'est pas complet.", "The file is not complete."),
                missing=[gap.text for gap in stops],
                why=stops[0].why,
            )
        _freeze(project, by=by, on=on, moment=moment)
        project.state, project.submitted_at = move.target, moment
        project.save(update_fields=["state", "submitted_at", "frozen"])
        journal.record(
            project.case,
            "project.submit",
            by=by,
            on=on,
            at=moment,
            before={"state": "draft"},
            after={"state": project.state, "sha256": project.frozen.sha256, "rules": project.rules.version},
        )
        messages.tell_checkers(project, on)
        return project


def _freeze(project: Project, *, by: Actor, on: dt.date, moment: dt.datetime) -> None:
    _record_wording(project, by=by, on=on, moment=moment)
    project.frozen = journal.freeze(project.case, "project", queries.content(project), at=moment)


def _record_wording(project: Project, *, by: Actor, on: dt.date, moment: dt.datetime) -> None:
    """One row for the writing since the last sending: which sections, at which revision, by whom."""
    from jalon.core.models import JournalEntry

    noted = JournalEntry.objects.filter(case=project.case, act="project.worded").order_by("-id").first()
    since = noted.after["last_revision"] if noted else 0
    written: dict[str, dict[str, Any]] = {}
    last = since
    rows = Revision.objects.filter(project=project, refused=False, pk__gt=since).order_by("pk")
    for pk, name, rev, who in rows.values_list("pk", "section", "rev", "user_label"):
        row = written.setdefault(name, {"rev": rev, "saves": 0, "by": []})
        row["rev"], row["saves"] = rev, row["saves"] + 1
        if who not in row["by"]:
            row["by"].append(who)
        last = pk
    if written:
        journal.record(
            project.case, "project.worded", by=by, on=on, at=moment, after={"texts": written, "last_revision": last}
        )


def ask_clarification(
    project: Project,
    *,
    sections: Iterable[str],
    message: str,
    by: Actor,
    on: dt.date,
    due_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> Clarification:
    """Open named sections again until a deadline, with what is asked; the rest stays frozen.

    Raises:
        Refused: no section, no message, or a deadline already past.
    """
    sections = list(dict.fromkeys(sections))
    with transaction.atomic():
        project = _locked(project)
        access.may_check(by, project, on)
        move = workflow.check(states.MOVES, states.STATES, "ask_clarification", project.state, message)
        wrong = [s for s in sections if s not in states.OPENABLE]
        if not sections or wrong:
            raise Refused(
                T(
                    "Nommez les sections à rouvrir{w} ; attendu : {all}.",
                    "Name the sections to open again{w}; expected: {all}.",
                    w=f" ({', '.join(wrong)} ?)" if wrong else "",
                    all=", ".join(states.OPENABLE),
                ),
                kind="input",
            )
        days = queries.parameter("clarification_days", on)
        if due_on is None and days is not None:
            due_on = plus(on, days, "days")
        if due_on is None or due_on < on:
            raise Refused(T("Donnez un délai de réponse à venir.", "Give a deadline to come."), kind="input")
        number = Clarification.objects.filter(project=project).count() + 1
        made = Clarification.objects.create(
            project=project,
            number=number,
            asked_on=on,
            due_on=due_on,
            message=message.strip(),
            sections=sections,
            asked_by=by.user_label[:200],
        )
        project.state = move.target
        project.save(update_fields=["state"])
        journal.record(
            project.case,
            "project.ask_clarification",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            why=message.strip(),
            before={"state": "submitted"},
            after={"state": project.state, "sections": sections, "due_on": due_on},
        )
        messages.clarification_asked(made, on)
        return made


def answer_clarification(
    project: Project, *, by: Actor, on: dt.date, answer: str = "", at: dt.datetime | None = None
) -> Clarification:
    """Send the answer: the file is frozen again with its new SHA-256.

    Raises:
        Refused: after midnight (Paris) of the deadline.
    """
    moment = clock.stamp(on, at)
    with transaction.atomic():
        project = _locked(project)
        access.may_lead(by, project, on, "project.submit")
        move = workflow.check(states.MOVES, states.STATES, "answer_clarification", project.state)
        asked = Clarification.objects.get(project=project, state="open")
        if moment > clock.end_of_day(asked.due_on) or on > asked.due_on:
            raise Refused(
                T(
                    "Le délai de réponse a pris fin le {d} à minuit (heure de Paris).",
                    "The time to answer ended on {d} at midnight (Paris time).",
                    d=asked.due_on,
                )
            )
        asked.state, asked.answered_on = "answered", on
        asked.answer = rules.clean(answer, where=T("réponse", "answer"), limit=8000)
        asked.save(update_fields=["state", "answered_on", "answer"])
        _freeze(project, by=by, on=on, moment=moment)
        project.state = move.target
        project.save(update_fields=["state", "frozen"])
        journal.record(
            project.case,
            "project.answer_clarification",
            by=by,
            on=on,
            at=moment,
            before={"state": "clarification"},
            after={"state": project.state, "number": asked.number, "sha256": project.frozen.sha256},
        )
        messages.tell_checkers(project, on, answered=True)
        return asked


def close_clarification(project: Project, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Clarification:
    """Close a round that got no answer in time; what was written meanwhile without being sent does not count.

    Raises:
        Refused: the deadline is still to come.
    """
    moment = clock.stamp(on, at)
    with transaction.atomic():
        project = _locked(project)
        access.may_check(by, project, on)
        move = workflow.check(states.MOVES, states.STATES, "close_clarification", project.state)
        asked = Clarification.objects.get(project=project, state="open")
        if on <= asked.due_on:
            raise Refused(
                T(
                    "Le porteur peut répondre jusqu'au {d} inclus.",
                    "The leader may answer up to and including {d}.",
                    d=asked.due_on,
                )
            )
        asked.state = "lapsed"
        asked.save(update_fields=["state"])
        _freeze(project, by=by, on=on, moment=moment)
        project.state = move.target
        project.save(update_fields=["state", "frozen"])
        journal.record(
            project.case,
            "project.close_clarification",
            by=by,
            on=on,
            at=moment,
            before={"state": "clarification"},
            after={"state": project.state, "number": asked.number, "sha256": project.frozen.sha256},
        )
        return asked


def check_admissibility(
    project: Project,
    *,
    admissible: bool,
    by: Actor,
    on: dt.date,
    reasons: str = "",
    at: dt.datetime | None = None,
) -> Project:
    """Say whether the file is admissible, with reasons when it is not.

    Raises:
        Refused: declared admissible while a condition of the call is not met (the list says which), or inadmissible
            without a reason.
    """
    moment = clock.stamp(on, at)
    with transaction.atomic():
        project = _locked(project)
        access.may_check(by, project, on)
        move = workflow.check(states.MOVES, states.STATES, "admit" if admissible else "refuse", project.state, reasons)
        before = project.state
        if admissible:
            stops = rules.blocking(queries.gaps_of(project, on), "admit")
            if stops:
                raise Refused(
                    T(
                        "Le dossier ne remplit pas les conditions de l'appel.",
                        "The file does not meet the conditions of the call.",
                    ),
                    missing=[gap.text for gap in stops],
                    why=stops[0].why,
                )
        else:
            Clarification.objects.filter(project=project, state="open").update(state="lapsed")
        project.state, project.outcome_reasons = move.target, "" if admissible else reasons.strip()
        project.save(update_fields=["state", "outcome_reasons"])
        journal.record(
            project.case,
            "project.admit" if admissible else "project.refuse",
            by=by,
            on=on,
            at=moment,
            why=reasons.strip(),
            before={"state": before},
            after={"state": project.state, "rules": project.rules.version if project.rules_id else None},
        )
        messages.admissibility(project, on)
        return project


def abandon(project: Project, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Project:
    """The leader gives the project up; money already paid is the business of its agreement."""
    with transaction.atomic():
        project = _locked(project)
        access.may_lead(by, project, on, "project.submit")
        move = workflow.check(states.MOVES, states.STATES, "abandon", project.state, reason)
        before, project.state, project.outcome_reasons = project.state, move.target, reason.strip()
        Clarification.objects.filter(project=project, state="open").update(state="lapsed")
        project.save(update_fields=["state", "outcome_reasons"])
        journal.record(
            project.case,
            "project.abandon",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            why=reason.strip(),
            before={"state": before},
            after={"state": project.state},
        )
        return project


# -- what the acts share ------------------------------------------------------------------------------------------


def _locked(project: Project) -> Project:
    """The project, held, with its call and rules as they stand now: read after the wait for the hold, not before it."""
    Project.objects.select_for_update().values_list("pk").get(pk=project.pk)
    return Project.objects.select_related("call", "rules", "frozen").get(pk=project.pk)


def _part(project: Project, key: str) -> Partner:
    found = (
        Partner.objects.filter(project=project, key=key, left_on__isnull=True).select_related("organisation").first()
    )
    if found is None:
        raise Refused(T("Ce partenaire n'existe pas : {k}.", "There is no such partner: {k}.", k=key), kind="input")
    return found


def closed_reason(project: Project, section: str, on: dt.date, at: dt.datetime | None = None) -> Text | None:
    """Why a section cannot be written on a day, or None when it can."""
    if project.state == "draft":
        return None
    if project.state == "clarification":
        asked = Clarification.objects.filter(project=project, state="open").first()
        if asked is not None and section in asked.sections:
            if on > asked.due_on or (at is not None and at > clock.end_of_day(asked.due_on)):
                return T(
                    "Le délai de réponse a pris fin le {d} à minuit (heure de Paris).",
                    "The time to answer ended on {d} at midnight (Paris time).",
                    d=asked.due_on,
                )
            return None
        return T(
            "« {s} » est gelée : la demande de précisions ne l'a pas rouverte.",
            "“{s}” is frozen: the clarification did not open it.",
            s=states.SECTIONS.get(section, section),
        )
    return T(
        "Le dossier est « {s} » : il ne change plus sans demande de précisions ni avenant.",
        "The file is “{s}”: it no longer changes without a clarification or an amendment.",
        s=states.TITLES[project.state],
    )


def _check_writable(project: Project, section: str, on: dt.date, at: dt.datetime | None) -> None:
    reason = closed_reason(project, section, on, at)
    if reason is not None:
        raise Refused(reason)


def _section(project: Project, key: str) -> Section:
    return Section.objects.get_or_create(project=project, key=key)[0]


def _touch(section: Section, by: Actor, at: dt.datetime) -> None:
    section.rev += 1
    section.updated_at, section.updated_by = at, by.user_label[:200]
    section.organisation_label = by.organisation_label[:200]
    section.save(update_fields=["rev", "updated_at", "updated_by", "organisation_label"])


def _refusal(
    project: Project, section: Section, opened_as: str, rev: int | None, on: dt.date, at: dt.datetime
) -> Text | None:
    reason = closed_reason(project, opened_as, on, at)
    if reason is not None:
        return reason
    if rev is not None and rev != section.rev:
        return T(
            "« {t} » a été modifié entre-temps par {who}. Votre saisie est gardée dans l'historique ; rien n'a été "
            "écrasé. Comparez les deux, puis enregistrez celle qui convient.",
            "“{t}” was changed meanwhile by {who}. What you typed is kept in the history; nothing was overwritten. "
            "Compare both, then save the right one.",
            t=section_title(section.key),
            who=section.updated_by or T("quelqu'un", "somebody"),
        )
    return None


def section_title(key: str) -> Any:
    """What a section is called; the part of a partner by its key."""
    kind, _, part = key.partition(":")
    if kind == "partner":
        return T("partenaire {p}", "partner {p}", p=part)
    if kind == "budget" and part:
        return T("budget de {p}", "budget of {p}", p=part)
    return states.SECTIONS.get(kind, key)


def _conflict(reason: Text, theirs: Any, yours: Any, rev: int, kept: Revision) -> Conflict:
    conflict = Conflict(reason, theirs=theirs, yours=yours)
    conflict.rev = rev
    conflict.kept = kept
    return conflict


def _keep_refused(project: Project, key: str, rev: int, content: Any, by: Actor, at: dt.datetime) -> Revision:
    """Keep what could not be saved; the same sent again (a retry) is kept once."""
    content = plain(content)
    last = (
        Revision.objects.filter(project=project, section=key, rev=rev, refused=True, user_label=by.user_label[:200])
        .order_by("-id")
        .first()
    )
    if last is not None and last.content == content:
        return last
    kept = _revision(project, key, rev, content, by, at, refused=True)
    kept.save()
    return kept


def _revision(
    project: Project, key: str, rev: int, content: Any, by: Actor, at: dt.datetime, *, refused: bool = False
) -> Revision:
    return Revision(
        project=project,
        section=key,
        rev=rev,
        content=plain(content),
        at=at,
        user_label=by.user_label[:200],
        organisation_id=by.organisation_id,
        refused=refused,
    )
