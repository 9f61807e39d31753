"""The acts on calls for applications and on applications: prepare, open, draft, submit, review, rank, settle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from jalon.core import clock, files, journal
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.workflow import check
from jalon.decisions import access, messages, rules, states
from jalon.decisions.models import Candidacy, CandidacyCall, CandidacyPaper, CandidacyReview
from jalon.interests.access import require_declared
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.people.rules import name_key
from jalon.policy.faults import day_text

KEYS = ("theme", "stakes", "axes", "partnership", "collaboration", "territory", "governance", "summary")
"""Parts of an application, by the criteria that the calls published."""


def _lock(candidacy: Candidacy, rev: int | None = None) -> Candidacy:
    found = (
        Candidacy.objects.select_for_update(of=("self",)).select_related("call", "organisation").get(pk=candidacy.pk)
    )
    if rev is not None and found.rev != rev:
        raise Conflict(
            T(
                "La candidature a changé depuis que vous l'avez lue : relisez-la.",
                "The application changed since you read it: read it again.",
            ),
            theirs=found.rev,
            yours=rev,
        )
    return found


def _lock_call(call: CandidacyCall) -> CandidacyCall:
    return CandidacyCall.objects.select_for_update().get(pk=call.pk)


@transaction.atomic
def add_call(
    *,
    code: str,
    title_fr: str,
    title_en: str,
    opens_on: dt.date | None,
    closes_on: dt.date | None,
    criteria: Sequence[Any] = (),
    notes: Sequence[str] = (),
    by: Actor,
    on: dt.date,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> CandidacyCall:
    """Prepare a call for applications.

    Raises:
        NotAllowed: the role runs no call. Refused: no title, a code taken, an end before the opening, an unknown criterion.
    """
    by.require("candidacy.manage")
    if not title_fr.strip() or not title_en.strip():
        raise Refused(
            T("Un appel a un intitulé, en français et en anglais.", "A call has a title, in French and English."),
            kind="input",
        )
    if opens_on and closes_on and closes_on < opens_on:
        raise Refused(
            T("La clôture ({b}) précède l'ouverture ({a}).", "The closing ({b}) comes before the opening ({a}).", a=day_text(opens_on), b=day_text(closes_on)),
            kind="input",
        )  # fmt: skip
    if CandidacyCall.objects.filter(code=code).exists():
        raise Refused(T("Le code « {c} » est déjà pris.", "The code “{c}” is taken.", c=code), kind="input")
    known = {c.code for c in rules.criteria_on(policy(), closes_on or opens_on or on)}
    chosen = list(criteria) or sorted(known)
    for one in chosen:
        if isinstance(one, str) and one not in known:
            raise Refused(
                T("« {c} » n'est pas un critère de la politique ce jour-là.", "“{c}” is no criterion of the policy on that day.", c=one),
                kind="input",
            )  # fmt: skip
    call = CandidacyCall.objects.create(
        programme=policy().slug,
        code=code,
        title_fr=title_fr.strip(),
        title_en=title_en.strip(),
        opens_on=opens_on,
        closes_on=closes_on,
        criteria=chosen,
        notes=list(notes),
        created_at=clock.stamp(on, at),
        simulated=simulated,
    )
    journal.record(
        call.case,
        "candidacy-call.add",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        after={"title": title_fr, "opens_on": opens_on, "closes_on": closes_on, "criteria": chosen},
    )
    return call


CALL_ACTS = {"open": "candidacy-call.open", "close": "candidacy-call.close", "finish": "candidacy-call.finish"}


@transaction.atomic
def move_call(
    call: CandidacyCall, move: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> CandidacyCall:
    """Open, close or end a call. It closes after its last day, at midnight in Paris; it ends when every application has an outcome.

    Raises:
        Refused: not from this state, before its day, or applications still wait.
    """
    by.require("candidacy.manage")
    call = _lock_call(call)
    found = check(states.CALL_MOVES, states.CALL_STATES, move, call.state)
    if move == "open" and call.opens_on and on < call.opens_on:
        raise Refused(T("L'appel ouvre le {d}.", "The call opens on {d}.", d=day_text(call.opens_on)))
    if move == "close" and call.closes_on and on <= call.closes_on:
        raise Refused(
            T("L'appel court jusqu'au {d} à minuit.", "The call runs to midnight of {d}.", d=day_text(call.closes_on))
        )
    if move == "finish":
        waiting = list(call.candidacies.filter(state="submitted").values_list("name", flat=True))
        if waiting:
            raise Refused(
                T("Des candidatures attendent leur suite.", "Applications wait for their outcome."),
                missing=[T("« {n} »", "“{n}”", n=n) for n in waiting],
            )
        call.decided_on = on
    before = call.state
    call.state = found.target
    call.save(update_fields=["state", "decided_on"])
    journal.record(
        call.case,
        CALL_ACTS[move],
        by=by,
        on=on,
        at=clock.stamp(on, at),
        before={"state": before},
        after={"state": call.state},
    )
    if move == "open":
        messages.call_open(call, on)
    return call


@transaction.atomic
def start(
    call: CandidacyCall,
    *,
    name: str,
    slug: str,
    by: Actor,
    on: dt.date,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Candidacy:
    """Begin an application for one's own organisation.

    Raises:
        NotAllowed: the role does not apply. Refused: the call is not open, no name, the name taken in this call.
    """
    by.require("candidacy.submit")
    if by.organisation_id is None:
        raise NotAllowed(T("Une candidature est celle d'un organisme.", "An application is a body's own."))
    call = _lock_call(call)
    _open(call, on)
    if not name.strip():
        raise Refused(T("Le projet de pôle a un nom.", "The project of a cluster has a name."), kind="input")
    if call.candidacies.filter(name__iexact=name.strip()).exists():
        raise Refused(
            T("« {n} » a déjà une candidature à cet appel.", "“{n}” has an application to this call already.", n=name.strip()),
            kind="input",
        )  # fmt: skip
    if Candidacy.objects.filter(slug=slug).exists():
        slug = f"{slug[:66]}-{call.code}"[:80]
    try:
        with transaction.atomic():
            made = Candidacy.objects.create(
                call=call,
                slug=slug,
                name=name.strip()[:200],
                organisation_id=by.organisation_id,
                created_at=clock.stamp(on, at),
                simulated=simulated,
            )
    except IntegrityError:
        raise Conflict(
            T("Ce nom court vient d'être pris.", "This short name has just been taken."), theirs=slug, yours=slug
        ) from None
    journal.record(
        made.case, "candidacy.start", by=by, on=on, at=clock.stamp(on, at), after={"call": call.code, "name": made.name}
    )
    return made


def _open(call: CandidacyCall, on: dt.date) -> None:
    refusal = rules.window_refusal(call.opens_on, call.closes_on, on)
    if refusal is None and call.state != "open":
        refusal = T("L'appel est « {s} ».", "The call is “{s}”.", s=states.CALL_TITLES[call.state])
    if refusal is not None:
        raise Refused(refusal)


PARTNER_KINDS = {
    "company": T("entreprise", "company"),
    "research": T("recherche", "research"),
    "training": T("formation", "training"),
    "authority": T("collectivité", "local authority"),
    "other": T("autre", "other"),
}


@transaction.atomic
def edit(
    candidacy: Candidacy,
    *,
    by: Actor,
    on: dt.date,
    rev: int,
    name: str | None = None,
    regions: Sequence[str] | None = None,
    city: str | None = None,
    theme_family: str | None = None,
    content: Mapping[str, str] | None = None,
    partners: Sequence[Mapping[str, str]] | None = None,
    at: dt.datetime | None = None,
) -> Candidacy:
    """Write the application; only what is given changes.

    Raises:
        NotAllowed: another body's. Conflict: changed meanwhile. Refused: submitted, an unknown region, kind or part.
    """
    access.may_edit(by, candidacy)
    candidacy = _lock(candidacy, rev)
    if candidacy.state != "draft":
        raise Refused(
            T("La candidature est « {s} » : elle ne s'écrit plus.", "The application is “{s}”: it is no longer written.", s=states.CANDIDACY_TITLES[candidacy.state])
        )  # fmt: skip
    after: dict[str, Any] = {}
    if regions is not None:
        known = policy().regions_on(candidacy.call.opens_on or on)
        codes = {r.code for r in known.regions} if known else set()
        wrong = [r for r in regions if r not in codes]
        if wrong:
            raise Refused(
                T("« {r} » n'est pas une région de ce jour.", "“{r}” is not a region of that day.", r=wrong[0]),
                kind="input",
            )
        after["regions"] = list(dict.fromkeys(regions))
    if partners is not None:
        for one in partners:
            if one.get("kind") not in PARTNER_KINDS or not str(one.get("name") or "").strip():
                raise Refused(
                    T(
                        "Partenaire « {n} » : un nom, et une nature parmi {k}.",
                        "Partner “{n}”: a name, and a kind among {k}.",
                        n=one.get("name") or "–",
                        k=", ".join(str(t) for t in PARTNER_KINDS.values()),
                    ),
                    kind="input",
                )
        after["partners"] = [{"name": str(p["name"]).strip()[:200], "kind": str(p["kind"])} for p in partners]
    if content is not None:
        wrong = [k for k in content if k not in KEYS]
        if wrong:
            raise Refused(T("Partie inconnue : « {k} ».", "Unknown part: “{k}”.", k=wrong[0]), kind="input")
        after["content"] = {**candidacy.content, **{k: str(v).strip() for k, v in content.items()}}
    for key, value in (("name", name), ("city", city), ("theme_family", theme_family)):
        if value is not None:
            after[key] = value.strip()
    changed = [k for k, v in after.items() if getattr(candidacy, k) != v]
    if not changed:
        return candidacy
    for key in changed:
        setattr(candidacy, key, after[key])
    candidacy.rev += 1
    candidacy.save(update_fields=[*changed, "rev"])
    journal.record(
        candidacy.case,
        "candidacy.edit",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        after={"rev": candidacy.rev, "changed": changed},
    )
    return candidacy


@transaction.atomic
def add_paper(
    candidacy: Candidacy, upload: Any, *, title: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> CandidacyPaper:
    """Join a paper to one's application while it is written."""
    access.may_edit(by, candidacy)
    candidacy = _lock(candidacy)
    if candidacy.state != "draft":
        raise Refused(
            T("Le dossier est déposé : aucune pièce ne s'ajoute.", "The file is submitted: no paper is added.")
        )
    moment = clock.stamp(on, at)
    kept = files.store(
        upload, getattr(upload, "name", "piece.txt"), case=candidacy.case, by=by, title=title, at=moment,
        simulated=candidacy.simulated,
    )  # fmt: skip
    made = CandidacyPaper.objects.create(
        candidacy=candidacy,
        title=(title.strip() or kept.name)[:255],
        file=kept,
        added_at=moment,
        added_by=by.user_label[:200],
        simulated=candidacy.simulated,
    )
    journal.record(
        candidacy.case,
        "candidacy.paper",
        by=by,
        on=on,
        at=moment,
        after={"title": made.title, "sha256": kept.sha256},
    )
    return made


@transaction.atomic
def submit(
    candidacy: Candidacy, *, by: Actor, on: dt.date, rev: int | None = None, at: dt.datetime | None = None
) -> Candidacy:
    """Submit the application: complete, within the call's days (to midnight in Paris), and frozen.

    Raises:
        NotAllowed: another body's. Refused: what is missing, or the call is closed. Conflict: changed meanwhile.
    """
    access.may_edit(by, candidacy)
    candidacy = _lock(candidacy, rev)
    move = check(states.CANDIDACY_MOVES, states.CANDIDACY_STATES, "submit", candidacy.state)
    _open(candidacy.call, on)
    missing = rules.missing_in_candidacy(
        candidacy.name,
        candidacy.organisation_id is not None,
        candidacy.regions,
        candidacy.content,
        candidacy.partners,
    )
    if missing:
        raise Refused(T("La candidature n'est pas complète.", "The application is not complete."), missing=missing)
    moment = clock.stamp(on, at)
    candidacy.frozen = journal.freeze(
        candidacy.case,
        "candidacy",
        {
            "call": candidacy.call.code,
            "name": candidacy.name,
            "organisation": candidacy.organisation.name,
            "regions": candidacy.regions,
            "city": candidacy.city,
            "content": candidacy.content,
            "partners": candidacy.partners,
            "papers": [{"title": p.title, "sha256": p.file.sha256} for p in candidacy.papers.select_related("file")],
        },
        at=moment,
    )
    candidacy.state, candidacy.submitted_at, candidacy.rev = move.target, moment, candidacy.rev + 1
    candidacy.save()
    journal.record(
        candidacy.case,
        "candidacy.submit",
        by=by,
        on=on,
        at=moment,
        before={"state": "draft"},
        after={"state": move.target, "sha256": candidacy.frozen.sha256},
    )
    return candidacy


@transaction.atomic
def withdraw(candidacy: Candidacy, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Candidacy:
    """Take one's application back before its outcome; the file stays."""
    access.may_edit(by, candidacy)
    candidacy = _lock(candidacy)
    move = check(states.CANDIDACY_MOVES, states.CANDIDACY_STATES, "withdraw", candidacy.state)
    before = candidacy.state
    candidacy.state, candidacy.outcome_on, candidacy.rev = move.target, on, candidacy.rev + 1
    candidacy.save(update_fields=["state", "outcome_on", "rev"])
    journal.record(
        candidacy.case,
        "candidacy.withdraw",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        before={"state": before},
        after={"state": move.target},
    )
    return candidacy


@transaction.atomic
def review(
    candidacy: Candidacy,
    *,
    opinion: str,
    justification: str,
    by: Actor,
    on: dt.date,
    scores: Mapping[str, str] | None = None,
    at: dt.datetime | None = None,
) -> CandidacyReview:
    """Give an opinion at one's own level, with scores where the level scores; a later one of the same person replaces it.

    The levels come one after the other: a level opens once the one before has given an opinion.

    Raises:
        NotAllowed: no level for this role, no declaration of interests, recused, or not an application of one's territory.
        Refused: not submitted, an opinion of an earlier level is missing, a score without justification or out of range.
    """
    by.require("candidacy.review")
    candidacy = _lock(candidacy)
    level = access.level_of(by, on)
    if level is None:
        raise NotAllowed(
            T("Aucun niveau d'examen n'est confié à votre rôle.", "No level of review is entrusted to your role.")
        )
    require_declared(by, candidacy.case)
    if level.territorial and not access.applications(by, on).filter(pk=candidacy.pk).exists():
        raise NotAllowed(
            T("Cette candidature n'est pas de votre territoire.", "This application is not of your territory.")
        )
    check(states.CANDIDACY_MOVES, states.CANDIDACY_STATES, "review", candidacy.state)
    if opinion not in rules.OPINIONS:
        raise Refused(T("« {o} » n'est pas un avis.", "“{o}” is no opinion.", o=opinion), kind="input")
    given = set(candidacy.reviews.filter(replaced_at=None).values_list("level", flat=True))
    before = [one for one in rules.levels_on(policy(), on) if one.order < level.order and one.code not in given]
    if before:
        raise Refused(
            T("L'examen va par niveaux : le précédent n'a pas rendu son avis.", "The review goes by levels: the one before has not given its opinion."),
            missing=[T("« {l} »", "“{l}”", l=one.title) for one in before],
        )  # fmt: skip
    most = rules.parameter(policy(), "decisions.score_most", on)
    codes = criteria_codes(candidacy.call)
    faults = rules.review_refusals(level, scores or {}, justification, codes, int(most.value) if most else 5)
    if faults:
        raise Refused(faults[0], missing=faults[1:], kind="input")
    kept = {
        code: str(rules.read_score(text, int(most.value) if most else 5))
        for code, text in (scores or {}).items()
        if str(text).strip()
    }
    moment = clock.stamp(on, at)
    candidacy.reviews.filter(level=level.code, user_id_by=by.user_id, replaced_at=None).update(replaced_at=moment)
    made = CandidacyReview.objects.create(
        candidacy=candidacy,
        level=level.code,
        opinion=opinion,
        scores=kept,
        justification=justification.strip(),
        on=on,
        at=moment,
        user_id_by=by.user_id,
        user_label=by.user_label[:200],
        organisation_label=by.organisation_label[:200],
        simulated=candidacy.simulated,
    )
    journal.record(
        candidacy.case,
        "candidacy.review",
        by=by,
        on=on,
        at=moment,
        why=justification.strip(),
        after={"level": level.code, "opinion": opinion, "scores": kept},
    )
    return made


def criteria_codes(call: CandidacyCall) -> list[str]:
    """The codes of a call's criteria; one of its own has its place as code."""
    return [one if isinstance(one, str) else str(one.get("code") or n) for n, one in enumerate(call.criteria, 1)]


@transaction.atomic
def rank(call: CandidacyCall, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> list[rules.Standing]:
    """Settle the ranking from the scores given: places are written beside the applications, decisions stay to be taken.

    Raises:
        Refused: the call is not closed, or an application lacks the opinion of a level.
    """
    by.require("candidacy.manage")
    call = _lock_call(call)
    check(states.CALL_MOVES, states.CALL_STATES, "rank", call.state)
    found = list(call.candidacies.filter(state="submitted").prefetch_related("reviews"))
    levels = rules.levels_on(policy(), call.opens_on or on)
    missing = []
    rows = []
    for one in found:
        current = [r for r in one.reviews.all() if r.replaced_at is None]
        there = {r.level for r in current}
        missing += [
            T("« {n} » : avis de « {l} »", "“{n}”: opinion of “{l}”", n=one.name, l=level.title)
            for level in levels
            if level.code not in there
        ]
        rows.append((one.slug, [r.scores for r in current], [r.opinion for r in current]))
    if missing:
        raise Refused(T("Il manque {n} avis.", "{n} opinions are missing.", n=len(missing)), missing=missing)
    places = rules.ranking(rows)
    by_slug = {one.slug: one for one in found}
    for place in places:
        by_slug[place.key].rank = place.place
    Candidacy.objects.bulk_update(found, ["rank"])
    journal.record(
        call.case,
        "candidacy-call.rank",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        after={"places": {p.key: p.place for p in places}, "means": {p.key: p.mean for p in places}},
    )
    return places


@transaction.atomic
def settle(
    candidacy: Candidacy,
    outcome: str,
    *,
    by: Actor,
    on: dt.date,
    text: str = "",
    cluster: Any = None,
    at: dt.datetime | None = None,
) -> Candidacy:
    """What became of an application: labelled or refused by a decision; sent back or attached by who runs the call.

    Raises:
        NotAllowed: the role does neither. Refused: not submitted, or no reason where one is asked.
    """
    names = {"labelled": "label", "refused": "refuse", "sent_back": "send_back", "attached": "attach"}
    if outcome not in names:
        raise Refused(T("Suite inconnue : « {o} ».", "Unknown outcome: “{o}”.", o=outcome), kind="input")
    candidacy = _lock(candidacy)
    move = check(states.CANDIDACY_MOVES, states.CANDIDACY_STATES, names[outcome], candidacy.state, text)
    by.require(move.permission)
    candidacy.state, candidacy.outcome_on, candidacy.outcome_text = move.target, on, text.strip()
    candidacy.cluster = cluster or candidacy.cluster
    candidacy.rev += 1
    candidacy.save()
    journal.record(
        candidacy.case,
        "candidacy.outcome",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        why=text.strip(),
        before={"state": "submitted"},
        after={"state": move.target, "cluster": cluster.slug if cluster else ""},
    )
    messages.application_settled(candidacy, on)
    return candidacy


def body_named(name: str, *, on: dt.date, kind: str = "association", simulated: bool = False) -> Organisation:
    """The organisation of that name and kind, made when there is none: a body that applies is not always known yet."""
    found = Organisation.objects.filter(name_key=name_key(name), kind=kind, merged_into=None).first()
    return found or Organisation.objects.create(
        name=name, name_key=name_key(name), kind=kind, created_at=clock.moment_on(on), simulated=simulated
    )


@transaction.atomic
def enter_known(
    call: CandidacyCall,
    *,
    name: str,
    slug: str,
    by: Actor,
    on: dt.date,
    sources: Sequence[str] = (),
    at: dt.datetime | None = None,
) -> Candidacy:
    """Enter a real application that sources name: that it was made is known, what it said is not.

    Raises:
        NotAllowed: the role runs no call. Refused: no source. Conflict: entered already.
    """
    by.require("candidacy.manage")
    if not sources:
        raise Refused(T("Une candidature réelle a une source.", "A real application has a source."), kind="input")
    call = _lock_call(call)
    if Candidacy.objects.filter(slug=slug).exists():
        raise Conflict(T("« {n} » est déjà inscrite.", "“{n}” is entered already.", n=name), theirs=slug, yours=slug)
    made = Candidacy.objects.create(
        call=call,
        slug=slug,
        name=name[:200],
        state="submitted",
        sources=list(sources),
        created_at=clock.stamp(on, at),
        known=True,
    )
    journal.record(
        made.case,
        "candidacy.known",
        by=by,
        on=on,
        at=clock.stamp(on, at),
        after={"call": call.code, "name": made.name, "sources": list(sources)},
    )
    return made
