"""The selection of call 10 under way on the day of the demonstration: experts, scores, intentions, two scenarios.

The call closed on 30 April 2010 and its results came on 30 July. Everything here is simulated: who assesses, every score,
every intention. The State's envelope is set at the State share that was published afterwards, because no envelope was.
The accounts stand in the middle of it: the ministry's expert has declarations to make and opinions due, the region has
intentions to state, the fund manager a consensus to hold, the authority a list to decide.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import ROUND_DOWN, Decimal
from typing import Any

from jalon.core import journal
from jalon.core.clock import moment_on
from jalon.demo.build import DAY, HISTORY_FROM, HOME_REGION, Say, World, organisation
from jalon.interests.models import Declaration
from jalon.people.access import Actor
from jalon.people.models import Mandate, User
from jalon.people.queries import actor_from
from jalon.projects.models import Call, Partner, Project, Request
from jalon.selection import actions, queries, rules
from jalon.selection.models import Assessment, Consensus, Exercise, Note, Share

CALL = ("fui", 10)
OPENED = dt.date(2010, 5, 17)
DUE = dt.date(2010, 6, 25)
EXPERTS = (
    "Ministère de la recherche",
    "Ministère de l'agriculture",
    "Ministère de la défense",
    "Ministère de l'écologie",
)
WORDS = (
    "Le projet répond au critère, avec des réserves sur le calendrier (avis simulé).",
    "Les preuves apportées sont solides (avis simulé).",
    "L'argumentation reste générale (avis simulé).",
)


def build(world: World, say: Say) -> None:
    """Simulate the assessment of the call; nothing where it has no admissible project."""
    call = Call.objects.filter(programme=world.programme, scheme=CALL[0], number=CALL[1]).first()
    if call is None or "fund_manager" not in world.users:
        return
    projects = list(Project.objects.filter(call=call, state="admissible").order_by("pk"))
    if not projects:
        return
    say("Démonstration : sélection simulée de l'appel 10…", "Demonstration: simulated selection of call 10…")
    rng = random.Random(world.rng.random())
    manager, decider = actor(world.users["fund_manager"]), actor(world.users["label_authority"])
    opened = moment_on(OPENED)
    exercise = actions.open_selection(call, by=manager, on=OPENED, due_on=DUE, at=opened, simulated=True)
    published = (call.published or {}).get("state_amount")
    value = published.get("value") if isinstance(published, dict) else published
    if value is not None:
        actions.set_envelope(
            call,
            Decimal(str(value)),
            reason="Aucune enveloppe publiée : part de l'État annoncée le 30 juillet 2010 (démonstration).",
            by=decider,
            on=OPENED,
            at=opened,
            simulated=True,
        )
    experts = _experts(world)
    _assess(world, exercise, projects, experts, rng)
    _intend(world, exercise, projects, rng)
    actions.refresh(exercise)
    _scenarios(exercise, projects, manager)


def actor(user: User) -> Actor:
    """The account as it acts under its first mandate."""
    mandate = Mandate.objects.filter(user=user).select_related("user", "organisation").order_by("pk").first()
    return actor_from(mandate)


def _experts(world: World) -> list[User]:
    """Experts of four ministries beside the account of the role; their names are those of the ministries."""
    found = []
    for n, name in enumerate(EXPERTS, 1):
        user, created = User.objects.get_or_create(
            email=f"expert-ministere-{n}@demonstration.invalid",
            defaults={"name": f"Expert, {name[0].lower()}{name[1:]} (simulé)", "simulated": True},
        )
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
            Mandate.objects.create(
                user=user,
                organisation=organisation(name, "state_service", simulated=False),
                programme=world.programme,
                role="ministry_expert",
                starts_on=HISTORY_FROM,
            )
        found.append(user)
    return found


def _score(rng: random.Random, centre: float) -> Decimal:
    half = round(min(5.0, max(0.5, rng.gauss(centre, 0.7))) * 2)
    return Decimal(half) / 2


def _assess(world: World, exercise: Exercise, projects: list[Project], experts: list[User], rng: random.Random) -> None:
    """Opinions by pairs of experts; most consensuses are fixed, some are ready, some wait for an opinion."""
    criteria = list(exercise.criteria.all())
    ministries = {m.user_id: m.organisation_id for m in Mandate.objects.filter(user__in=experts)}
    account = world.users["ministry_expert"]
    desk = actor(account)
    assessments: list[Assessment] = []
    notes: list[Note] = []
    declared: list[Declaration] = []
    agreed: list[Consensus] = []
    acts: list[dict[str, Any]] = []

    def ask(project: Project, user: User, organisation_id: int | None, centre: float, given: bool) -> list[Decimal]:
        row = Assessment(
            exercise=exercise,
            project=project,
            expert=user,
            organisation_id=organisation_id,
            state="submitted" if given else "asked",
            asked_on=OPENED,
            due_on=DUE if given else DAY + dt.timedelta(days=5),
            simulated=True,
        )
        assessments.append(row)
        if not given:
            return []
        at = moment_on(OPENED + dt.timedelta(days=rng.randint(7, 38)))
        row.submitted_at = row.saved_at = at
        scores = [_score(rng, centre) for _ in criteria]
        mean = sum(scores) / len(scores)
        row.opinion = "favourable" if mean >= 3.5 else "reserved" if mean >= 2.5 else "unfavourable"
        row.summary = "Avis simulé."
        declared.append(
            Declaration(
                case=project.case, user=user, organisation_id=organisation_id, stance="none", on=OPENED,
                at=moment_on(OPENED), simulated=True,
            )
        )  # fmt: skip
        notes.extend(
            Note(assessment=row, criterion=c, score=s, justification=rng.choice(WORDS))
            for c, s in zip(criteria, scores, strict=True)
        )
        return scores

    for n, project in enumerate(projects):
        centre = rng.gauss(3.2, 0.8)
        one, two = rng.sample(experts, 2)
        stage = n % 10  # 0–6: fixed, 7: ready, 8: one opinion awaited, 9: nobody assigned yet
        if stage == 9 and n > 20:
            continue
        first = ask(project, one, ministries[one.pk], centre, True)
        if n < 9 and stage >= 3:  # the account's own: three to declare, three to write
            ask(project, account, desk.organisation_id, centre, False)
            if n < 6:
                declared.append(
                    Declaration(
                        case=project.case, user=account, organisation_id=desk.organisation_id, stance="none",
                        on=OPENED, at=moment_on(OPENED), simulated=True,
                    )
                )  # fmt: skip
            continue
        second = ask(project, two, ministries[two.pk], centre, stage != 8)
        if stage > 6:
            continue
        kept = {
            c.code: str(((a + b) / 2 * 2).quantize(Decimal(1), ROUND_DOWN) / 2)
            for c, a, b in zip(criteria, first, second, strict=True)
        }
        mean = sum(Decimal(v) for v in kept.values()) / max(len(kept), 1)
        at = moment_on(DAY - dt.timedelta(days=rng.randint(1, 9)))
        agreed.append(
            Consensus(
                exercise=exercise,
                project=project,
                state="closed",
                opened_at=at,
                closed_at=at,
                opinion="favourable" if mean >= 3.5 else "reserved" if mean >= 2.5 else "unfavourable",
                summary="Consensus simulé.",
                scores=kept,
                reasons=dict.fromkeys(kept, "Raisons simulées."),
                simulated=True,
            )
        )
        acts.append(
            {
                "case": queries.case_of(exercise, project),
                "act": "selection.consensus",
                "on": at.date(),
                "at": at,
                "after": {"scores": kept, "simulated": True},
            }
        )
    Assessment.objects.bulk_create(assessments, batch_size=500)
    for note in notes:
        note.assessment_id = note.assessment.pk
    Note.objects.bulk_create(notes, batch_size=1000)
    Declaration.objects.bulk_create(declared, batch_size=500)
    Consensus.objects.bulk_create(agreed, batch_size=500)
    journal.record_many(acts)


def _intend(world: World, exercise: Exercise, projects: list[Project], rng: random.Random) -> None:
    """The State means to pay half of what the call's rate allows; regional councils answered for some of their partners."""
    plans = queries.plans(projects, exercise=exercise, on=DAY)
    councils = {o.region_code: o for o in world.councils.values() if o.region_code}
    home = world.councils.get(HOME_REGION)
    at = moment_on(DAY - dt.timedelta(days=12))
    shares: list[Share] = []
    asked: list[Request] = []
    for n, project in enumerate(projects):
        if n % 6 == 5:  # the State has not said yet
            continue
        for row in plans[project.pk].rows:
            ceiling, base = row.line.ceiling, row.line.base
            if not ceiling or not base or row.cells:
                continue
            half = Decimal(rng.choice((45, 50, 55)))
            shares.append(
                _share(project, row.partner, exercise.fund, "state", base, rules.amount_of(ceiling, half), at)
            )
            council = councils.get(row.partner.organisation.region_code)
            if council is None or n % 3 == 0:
                continue
            part = rules.amount_of(ceiling, Decimal(rng.choice((15, 20, 25))))
            asked.append(Request(partner=row.partner, funder=council, amount=part))
            if home is not None and council.pk == home.pk:
                continue  # the region's account has these intentions to state
            shares.append(_share(project, row.partner, council, "region", base, part, at))
    Request.objects.bulk_create(asked, batch_size=1000)
    Share.objects.bulk_create(shares, batch_size=1000)


def _share(
    project: Project, partner: Partner, funder: Any, source: str, base: Decimal, amount: Decimal, at: dt.datetime
) -> Share:
    return Share(
        project=project,
        partner=partner,
        funder=funder,
        source=source,
        base=base,
        intended=amount,
        why={"fr": "montant simulé", "en": "simulated amount"},
        recorded_by="Jalon",
        recorded_at=at,
        simulated=True,
    )


def _scenarios(exercise: Exercise, projects: list[Project], manager: Any) -> None:
    """Two lists that are being compared: filled up to the envelope, and up to four fifths of it."""
    envelope = queries.envelope_of(exercise.call)
    if envelope is None:
        return
    ranks = queries.ranks(exercise)
    money = queries.money_of([p.pk for p in projects])
    wanted = sorted(
        ((p.pk, rank, money[p.pk]["state"]) for p in projects if (rank := ranks.get(p.pk)) is not None),
        key=lambda row: (row[1], row[0]),
    )
    funded = [row for row in wanted if row[2]]
    at = moment_on(DAY - dt.timedelta(days=2))
    for name, limit in (("Enveloppe entière", envelope), ("Prudent : quatre cinquièmes", envelope * 4 / 5)):
        selected, left = rules.fill(funded, limit)
        entries = [rules.Entry(pk, "selected", None, "Sur proposition des experts (simulé).") for pk in selected]
        entries += [
            rules.Entry(pk, "reserve", n, "Enveloppe de l'appel atteinte (simulé).")
            for n, pk in enumerate(left[:20], 1)
        ]
        placed = {e.project for e in entries}
        entries += [
            rules.Entry(p.pk, "rejected", None, "Rang, ou note encore attendue (simulé).")
            for p in projects
            if p.pk not in placed
        ]
        actions.save_scenario(
            exercise,
            name,
            entries,
            note="Liste simulée, à discuter.",
            by=manager,
            on=at.date(),
            at=at,
            simulated=True,
        )
