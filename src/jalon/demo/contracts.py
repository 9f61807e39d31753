"""Roadmaps, contracts and the first reports of the demonstration, made by the same acts as officers use.

The real contracts of phase 2 keep their own parties, territories and dates (data/contracts.yaml); what they do not
tell (targets, amounts, progress, most signatures) is simulated and flagged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from jalon.clusters.labels import Register, load_register
from jalon.clusters.models import Cluster, ClusterDocument, ClusterGroup, Membership
from jalon.contracts import actions, follow_actions
from jalon.contracts.loading import known_of
from jalon.contracts.models import Action, Commitment, Contract, Objective, Report, Text
from jalon.contracts.queries import called
from jalon.core.clock import moment_on
from jalon.core.files import store
from jalon.demo import names, texts
from jalon.demo.build import DAY, HOME_CLUSTER, YOUNG_CLUSTER, World, organisation
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, Organisation, User
from jalon.programme.actions import open_round
from jalon.roadmaps import actions as roadmap_actions

Say = Callable[..., None]
PHASE = "phase-2"
START, END = dt.date(2009, 1, 1), dt.date(2011, 12, 31)
UNSIGNED = ("moveo",)
"""Contracts that were not signed yet on the demonstration's day (Mov'eo: signed shortly before 23 January 2011)."""


def contracts(world: World, say: Say) -> None:
    """Everything that hangs on the contracts of phase 2."""
    register = load_register(settings.DATA / world.programme)
    real = {row["slug"]: row for row in register.contracts if row["phase"] == PHASE and row["kind"] == "performance"}
    signing = [slug for slug in sorted(world.clusters) if _had_contract(world, slug)]
    say(
        "Démonstration : {n} feuilles de route et contrats…",
        "Demonstration: {n} roadmaps and contracts…",
        n=len(signing),
    )
    people(world)
    roadmaps: dict[str, Any] = {}
    made: dict[str, Contract] = {}
    sizes = _sizes(world)
    for done, slug in enumerate(signing, 1):
        if done % 20 == 0:
            say("  {n} sur {total}…", "  {n} of {total}…", n=done, total=len(signing))
        roadmaps[slug] = roadmap(world, slug, dt.date(2009, 2, 2))
        made[slug] = contract(world, register, slug, real.get(slug), sizes[slug])
    later(world)
    say("Démonstration : suivi et campagne 2009…", "Demonstration: follow-up and the 2009 round…")
    life(world, made)


def _had_contract(world: World, slug: str) -> bool:
    """Groups 1 and 2 of 2008 sign in 2009; group 3 and the new clusters of 2010 do not yet."""
    if world.since[slug] >= dt.date(2010, 1, 1):
        return False
    return not ClusterGroup.objects.filter(cluster=world.clusters[slug], evaluation="2008", group="3").exists()


# -- people -----------------------------------------------------------------------------------------------------------


def people(world: World) -> None:
    """Simulated users (without sign-in) for every director, prefect and council: acts need somebody who does them."""
    laws = policy()
    users: list[tuple[User, Organisation, str]] = []

    def add(key: str, name: str, body: Organisation, role: str) -> None:
        if key not in world.users:
            user = User(email=f"{key}@demonstration.invalid", name=name, simulated=True)
            user.set_unusable_password()
            world.users[key] = user
            users.append((user, body, role))

    for slug, cluster in sorted(world.clusters.items()):
        if slug in (HOME_CLUSTER, YOUNG_CLUSTER):
            world.users[f"director-{slug}"] = world.users["cluster_director"]
        else:
            add(
                f"director-{slug}",
                f"Direction de {called(cluster, DAY)} (simulée)",
                world.carrier[slug],
                "cluster_director",
            )
    for region in world.councils:
        key = _key(region)
        home = region == world.region[HOME_CLUSTER]
        if home:
            world.users[f"prefect-{key}"] = world.users["prefect"]
            world.users[f"council-{key}"] = world.users["authority_signatory"]
            continue
        add(f"prefect-{key}", f"Préfecture de région {region} (simulée)", world.states[region], "prefect")
        add(f"council-{key}", f"{names.council(region)} (simulé)", world.councils[region], "authority_signatory")
    User.objects.bulk_create([u for u, _, _ in users])
    Mandate.objects.bulk_create(
        Mandate(user=u, organisation=o, programme=world.programme, role=r, starts_on=dt.date(2005, 7, 12))
        for u, o, r in users
    )
    world.roles = {role.code: role for role in laws.roles}


def _key(region: str) -> str:
    from jalon.people.rules import name_key

    return name_key(region).replace(" ", "-")


def actor(world: World, user_key: str, role_code: str, body: Organisation) -> Actor:
    """The actor of a simulated user, with the permissions that the policy gives to the role."""
    user, role = world.users[user_key], world.roles[role_code]
    return Actor(
        user_id=user.pk,
        user_label=user.name,
        organisation_id=body.pk,
        organisation_label=body.name,
        role=role.code,
        role_title=role.title,
        side=role.side,
        scope=role.scope,
        programme=world.programme,
        permissions=frozenset(role.permissions),
    )


def director(world: World, slug: str) -> Actor:
    return actor(world, f"director-{slug}", "cluster_director", world.carrier[slug])


def correspondent(world: World, slug: str) -> Actor:
    """The State correspondent of a cluster, as the register names them."""
    row = world.clusters[slug].correspondents.select_related("user", "organisation").first()
    world.users[f"correspondent-{slug}"] = row.user
    return actor(world, f"correspondent-{slug}", "state_correspondent", row.organisation)


def officer(world: World) -> Actor:
    user = world.users["national_officer"]
    mandate = user.mandates.select_related("organisation").first()
    return actor(world, "national_officer", "national_officer", mandate.organisation)


# -- roadmap ----------------------------------------------------------------------------------------------------------


def roadmap(world: World, slug: str, day: dt.date, *, until: str = "validated", phase: str = PHASE) -> Any:
    """A simulated roadmap, drafted by the cluster's director and validated by its correspondent two months later."""
    cluster, by = world.clusters[slug], director(world, slug)

    def at(days: int) -> dict[str, Any]:
        on = day + dt.timedelta(days=days)
        return {"on": on, "at": moment_on(on, 10)}

    made = roadmap_actions.start(
        cluster,
        phase,
        by=by,
        starts_on=START if day.year == 2009 else dt.date(2010, 7, 1),
        ends_on=END if day.year == 2009 else dt.date(2013, 6, 30),
        simulated=True,
        **at(0),
    )
    sections = dict(texts.POSITION)
    if until == "draft":
        sections.pop("position-commercial")
    for key, body in sections.items():
        roadmap_actions.save_section(made, key, body=body, rev=0, by=by, **at(5))
    parents: dict[str, str] = {}
    for section, level, title, parent in texts.ROADMAP_ITEMS:
        if until == "draft" and section == "action-plan":
            continue
        item = roadmap_actions.add_item(
            made,
            section,
            level=level,
            title=title,
            parent=parents.get(parent, ""),
            by=by,
            horizon="short" if level == "action" else "",
            **at(12),
        )
        parents[level] = item.key
    if until == "draft":
        return made
    roadmap_actions.submit(made, by=by, **at(40))
    if until == "validated":
        made.refresh_from_db()
        roadmap_actions.validate(made, by=correspondent(world, slug), **at(65))
    return made


# -- contract ---------------------------------------------------------------------------------------------------------


BASELINE = dt.date(2008, 12, 31)
"""The day of the starting values of the contracts signed in 2009."""


def _sizes(world: World, day: dt.date = BASELINE) -> dict[str, dict[str, int]]:
    """Members of each cluster on a day, from the (simulated) register: starting values of the contracts."""
    there = Q(joined_on__lte=day) & (Q(left_on__isnull=True) | Q(left_on__gt=day))
    rows = (
        Membership.objects.filter(there, superseded_at=None)
        .values("cluster__slug")
        .annotate(
            members=Count("id"),
            sme=Count("id", filter=Q(member_type="sme")),
            firms=Count("id", filter=Q(member_type__in=policy().members.firm_types)),
        )
    )
    found = {row["cluster__slug"]: row for row in rows}
    return {slug: found.get(slug, {"members": 0, "sme": 0, "firms": 0}) for slug in world.clusters}


def parties(
    world: World, slug: str, real: dict[str, Any] | None
) -> tuple[list[tuple[str, Organisation, str]], list[tuple[str, str, Organisation]]]:
    """The parties of a contract, real ones where they are known; and who acts for each of them.

    Returns ``[(kind, organisation, who signs)]`` and ``[(user key, role, organisation)]`` in the same order.
    """
    region = world.region[slug]
    cluster = world.clusters[slug]
    asked: list[tuple[str, Organisation, str]] = []
    acting: list[tuple[str, str, Organisation]] = []

    def state(name: str) -> None:
        asked.append(("state", world.states[name], names.prefect(name)))
        acting.append((f"prefect-{_key(name)}", "prefect", world.states[name]))

    def council(name: str) -> None:
        asked.append(
            (
                "authority",
                world.councils[name],
                f"président du {names.council(name)[0].lower()}{names.council(name)[1:]}",
            )
        )
        acting.append((f"council-{_key(name)}", "authority_signatory", world.councils[name]))

    def other(body: Organisation) -> None:
        key = f"authority-{body.pk}"
        if key not in world.users:
            user = User(email=f"{key}@demonstration.invalid", name=f"{body.name} (simulé)", simulated=True)
            user.set_unusable_password()
            user.save()
            Mandate.objects.create(
                user=user,
                organisation=body,
                programme=world.programme,
                role="authority_signatory",
                starts_on=dt.date(2005, 7, 12),
            )
            world.users[key] = user
        asked.append(("authority", body, "président"))
        acting.append((key, "authority_signatory", body))

    told = real if real and real.get("parties") else None
    if told is None:
        state(region)
        for name in world.regions[slug]:
            council(name)
    else:
        lead = next((p for p in told["parties"] if p["role"] == "state"), {})
        named = next((r for r in world.councils if r in str(lead.get("represented_by") or "")), region)
        state(named)
        for party in told["parties"]:
            if party["role"] != "local_authority":
                continue
            found = next(
                (r for r in world.councils if party.get("level") == "region" and party["name"].endswith(r)), None
            )
            if found:
                council(found)
            else:
                other(
                    organisation(
                        party["name"],
                        "authority",
                        level=party.get("level") or "",
                        simulated=False,
                        sources=_keys(told),
                    )
                )
        if not any(kind == "authority" for kind, _, _ in asked):
            for name in world.regions[slug]:
                council(name)
    asked.append(
        ("governance", world.carrier[slug], f"président de la structure de gouvernance de {called(cluster, DAY)}")
    )
    acting.append((f"director-{slug}", "cluster_director", world.carrier[slug]))
    return asked, acting


def _keys(row: dict[str, Any]) -> list[str]:
    keys = row.get("source") or []
    return [keys] if isinstance(keys, str) else [str(k) for k in keys]


def document(
    world: World,
    slug: str,
    text: Text,
    size: dict[str, int],
    starts_on: dt.date,
    ends_on: dt.date,
    known_on: dt.date = BASELINE,
) -> list[Any]:
    """The changes that fill a new contract: texts, axes, objectives, targets, commitments."""
    rng, content = world.rng, text.content
    years = list(range(starts_on.year, ends_on.year + 1))
    changes: list[Any] = [
        (f"articles/{a['key']}/body", texts.ARTICLES[a["key"]])
        for a in content["articles"]
        if a["key"] in texts.ARTICLES
    ]
    group = text.contract.group
    if group == "2":
        changes += [(f"improvement_axes/{key}", {"key": key, "title": t, "body": b}) for key, t, b in texts.AXES]
        changes.append(
            (
                "articles/improvement-axes/body",
                "Texte simulé. Les axes ci-après sont examinés au bout de dix-huit mois.",
            )
        )
    budget = 1_090_000 * world.weight[slug]
    number, milestone = 0, 0
    for o, objective in enumerate(texts.OBJECTIVES, 1):
        listed = []
        for action in objective["actions"]:
            number += 1
            points = []
            for title, (year, month) in action["milestones"]:
                milestone += 1
                points.append({"key": f"m{milestone}", "title": title, "due_on": _day(starts_on, year, month, ends_on)})
            listed.append(
                {
                    "key": f"a{number}",
                    "title": action["title"],
                    "owner": action["owner"],
                    "starts_on": _day(starts_on, *action["start"], ends_on, first=True),
                    "ends_on": _day(starts_on, *action["end"], ends_on),
                    "budget": str(round(budget * action["share"] / 100 / 1000) * 1000),
                    "deliverables": action["deliverables"],
                    "milestones": points,
                }
            )
        axis = f"x{o}" if group == "2" and o <= 2 else None
        changes.append(
            (
                f"objectives/o{o}",
                {
                    "key": f"o{o}",
                    "title": objective["title"],
                    "body": objective["body"],
                    "axis": axis,
                    "actions": listed,
                },
            )
        )
    for indicator in content["indicators"]:
        start, steps = _targets(world, slug, indicator["code"], size, years)
        at = f"indicators/{indicator['key']}"
        if start is not None and indicator.get("baseline") in (None, ""):
            changes += [(f"{at}/baseline", str(start)), (f"{at}/baseline_on", known_on.isoformat())]
        changes += [(f"{at}/targets/{year}", str(value)) for year, value in steps.items()]
    kinds = {p["key"]: p["kind"] for p in content["parties"]}
    authorities = sum(kind == "authority" for kind in kinds.values())
    for commitment in content["commitments"]:
        kind = kinds[commitment["party"]]
        base = budget * 0.26 if kind == "state" else budget * 0.30 / max(authorities, 1)
        for n, year in enumerate(years):
            # The State's share falls from year to year, as the contracts of phase 2 planned.
            amount = round(base * (0.8**n if kind == "state" else 1.0) * rng.uniform(0.95, 1.05) / 500) * 500
            changes.append((f"commitments/{commitment['key']}/amounts/{year}", str(amount)))
            changes.append(
                (f"commitments/{commitment['key']}/due/{year}", f"{year}-{'06-30' if kind == 'state' else '09-30'}")
            )
    state = next(p["key"] for p in content["parties"] if p["kind"] == "state")
    number = len(content["commitments"]) + 1
    changes.append(
        (
            f"commitments/c{number}",
            {
                "key": f"c{number}",
                "party": state,
                "kind": "support",
                "title": "Suivi stratégique : deux réunions du comité de coordination par an",
                "due": {str(year): f"{year}-12-31" for year in years},
            },
        )
    )
    return changes


def _day(start: dt.date, year: int, month: int, last: dt.date, *, first: bool = False) -> str:
    day = dt.date(start.year + year, month, 1)
    if not first:
        after = dt.date(day.year + (day.month == 12), day.month % 12 + 1, 1)
        day = after - dt.timedelta(days=1)
    return min(max(day, start), last).isoformat()


def _targets(
    world: World, slug: str, code: str, size: dict[str, int], years: list[int]
) -> tuple[Decimal | None, dict[int, Decimal]]:
    """Baseline at the end of 2008 and targets, simulated: growth of members, more SMEs, more private money."""
    rng = world.rng
    members, firms = size["members"], size["firms"]

    def steps(start: float, factor: float = 1.0, plus: float = 0.0, places: int = 0, top: float | None = None) -> Any:
        values, value = {}, start
        for year in years:
            value = value * factor + plus
            if top is not None:
                value = min(value, top)
            values[year] = round(Decimal(str(value)), places)
        return round(Decimal(str(start)), places), values

    if code == "members_total":
        return steps(members, rng.uniform(1.06, 1.14))
    if code == "sme_share":
        return steps(100 * size["sme"] / firms if firms else 80.0, 1.0, rng.uniform(0.3, 1.2), 1, 95)
    if code == "members_joined":
        return steps(max(4.0, members * 0.16), 1.05)
    if code == "members_left":
        return steps(max(1.0, members * 0.05), 0.95)
    if code == "projects_labelled":
        return steps(rng.randint(14, 40), 1.05)
    if code == "projects_financed":
        return steps(rng.randint(8, 22), 1.06)
    if code == "team_fte":
        return steps(11 * world.weight[slug] * 0.9, 1.0, 0.4, 1)
    if code == "private_share":
        return steps(rng.uniform(22, 32), 1.0, rng.uniform(5, 8), 0, 50)
    if code in ("actions_on_time", "objectives_reached"):
        return None, {year: Decimal(80) for year in years}
    return None, {}


def contract(
    world: World, register: Register, slug: str, real: dict[str, Any] | None, size: dict[str, int], *, until: str = ""
) -> Contract:
    """One contract from its preparation to its signature, act by act, on days of spring and summer 2009."""
    cluster = world.clusters[slug]
    starts_on = (real or {}).get("starts_on") or START
    ends_on = (real or {}).get("ends_on") or END
    signed_on = (real or {}).get("signed_on")
    if (real or {}).get("signed_precision") != "day" or not signed_on or not dt.date(2009, 5, 1) < signed_on <= DAY:
        signed_on = dt.date(2009, 6, 22) + dt.timedelta(days=world.rng.randint(0, 60))
    first, filled, opened = dt.date(2009, 3, 2), dt.date(2009, 3, 20), dt.date(2009, 4, 14)
    if slug in UNSIGNED:
        # Its end, in 2012, supposes the label's extension of 11 May 2010: it was prepared after that.
        first, filled, opened = dt.date(2010, 5, 17), dt.date(2010, 5, 21), dt.date(2010, 5, 26)
        signed_on = dt.date(2010, 6, 25)
    open_on = signed_on - dt.timedelta(days=10)
    asked, acting = parties(world, slug, real)
    state_person, follower = correspondent(world, slug), director(world, slug)
    statutes(world, cluster, dt.date(2009, 1, 15))

    def at(day: dt.date, hour: int = 10) -> dict[str, Any]:
        return {"on": day, "at": moment_on(day, hour)}

    made = actions.prepare(
        cluster,
        phase=PHASE,
        starts_on=starts_on,
        ends_on=ends_on,
        parties=asked,
        by=state_person,
        slug=(real or {}).get("code") or f"{slug}-2009",
        simulated=True,
        **at(first),
    )
    made.sources = _keys(real) if real else []
    made.known = known_of(real) if real else {}
    made.save(update_fields=["sources", "known"])
    text = made.texts.get(number=0)
    actions.propose(text, document(world, slug, text, size, starts_on, ends_on), by=follower, **at(filled))
    text.refresh_from_db()
    actions.open_negotiation(text, by=state_person, **at(opened))
    text.refresh_from_db()
    if slug not in UNSIGNED:
        negotiate(world, slug, text, follower, state_person)
    actions.take_annexes(text, by=state_person, **at(open_on - dt.timedelta(days=3)))
    for (kind, body, _), (user, role, _) in zip(asked, acting, strict=True):
        if kind != "authority":
            continue
        actions.decide(
            text,
            by=actor(world, user, role, body),
            decided_on=open_on - dt.timedelta(days=12),
            reference=f"n° 2009-{world.rng.randint(100, 999)} (simulée)",
            simulated=True,
            **at(open_on - dt.timedelta(days=2)),
        )
    actions.open_signature(text, by=state_person, **at(open_on))
    text.refresh_from_db()
    order = sorted(range(len(asked)), key=lambda i: {"governance": 0, "authority": 1, "state": 2}[asked[i][0]])
    if slug in UNSIGNED:
        order = order[:2]  # the governance body and one region have signed; the others are awaited
    for step, i in enumerate(order):
        kind, body, signatory = asked[i]
        user, role, _ = acting[i]
        day = open_on + dt.timedelta(days=1 + step) if kind != "state" else signed_on
        actions.sign(
            text,
            by=actor(world, user, role, body),
            sha256=text.frozen.sha256,
            signed_on=min(day, signed_on),
            signatory=signatory,
            simulated=True,
            **at(min(day, signed_on), 9 + step % 8),
        )
    made.refresh_from_db()
    return made


def negotiate(world: World, slug: str, text: Text, cluster_side: Actor, state_side: Actor) -> None:
    """One round: the pôle asks for a lower target, the State answers; a remark is left beside it."""
    if world.rng.random() < 0.45 and slug != HOME_CLUSTER:
        return
    indicator = next(i for i in text.content["indicators"] if i["code"] == "members_total")
    year = sorted(indicator["targets"])[-1]
    path = f"indicators/{indicator['key']}/targets/{year}"
    old = Decimal(indicator["targets"][year])
    day = dt.date(2009, 4, 24)
    (proposal,) = actions.propose(
        text,
        [(path, str(round(old * Decimal("0.96"))))],
        by=cluster_side,
        on=day,
        at=moment_on(day, 11),
        reason="La conjoncture de 2009 freine les adhésions.",
    )
    actions.comment(
        text,
        path,
        "Prévoir un point à mi-parcours sur cette cible.",
        by=state_side,
        on=day + dt.timedelta(days=5),
        at=moment_on(day + dt.timedelta(days=5), 15),
    )
    actions.accept(proposal, by=state_side, on=day + dt.timedelta(days=6), at=moment_on(day + dt.timedelta(days=6), 9))
    remark = text.comments.first()
    actions.resolve(remark, by=state_side, on=day + dt.timedelta(days=6), at=moment_on(day + dt.timedelta(days=6), 9))
    text.refresh_from_db()


def statutes(world: World, cluster: Cluster, day: dt.date) -> None:
    """Statutes and labelling rules as a file of the register (simulated: it says so)."""
    if ClusterDocument.objects.filter(cluster=cluster, kind="statutes").exists():
        return
    body = (
        f"Document simulé pour la démonstration.\nStatuts, règles de gouvernance et règles de labellisation des projets "
        f"de {called(cluster, day)}.\n"
    ).encode()
    kept = store(
        body,
        f"statuts-{cluster.slug}.txt",
        case=f"cluster:{cluster.slug}",
        by=officer(world),
        title="Statuts et règles de labellisation (simulés)",
        at=moment_on(day),
        simulated=True,
    )
    ClusterDocument.objects.create(
        cluster=cluster,
        kind="statutes",
        title="Statuts et règles de labellisation des projets (simulés)",
        dated=day,
        file=kept,
        simulated=True,
    )


# -- contracts that are not there yet ------------------------------------------------------------------------------------


def later(world: World) -> None:
    """Clusters renewed or labelled on 11 May 2010: a roadmap begun, and one contract in negotiation."""
    young = world.clusters.get(YOUNG_CLUSTER)
    if young is None:
        return
    day = dt.date(2010, 5, 17)
    for slug in sorted(world.clusters):
        if world.since[slug] >= dt.date(2010, 5, 1) and slug != YOUNG_CLUSTER:
            roadmap(world, slug, day, until="draft")
    slug = YOUNG_CLUSTER
    roadmap(world, slug, dt.date(2010, 5, 14), until="submitted")
    asked, _ = parties(world, slug, None)
    state_person, follower = correspondent(world, slug), director(world, slug)

    def at(on: dt.date, hour: int = 10) -> dict[str, Any]:
        return {"on": on, "at": moment_on(on, hour)}

    made = actions.prepare(
        young,
        phase=PHASE,
        starts_on=dt.date(2010, 7, 1),
        ends_on=dt.date(2012, 12, 31),
        parties=asked,
        by=state_person,
        slug=f"{slug}-2010",
        simulated=True,
        **at(dt.date(2010, 5, 25)),
    )
    text = made.texts.get(number=0)
    statutes(world, young, dt.date(2010, 5, 20))
    known_on = dt.date(2010, 5, 31)  # labelled on 11 May 2010: it had no members in 2008
    filled = document(world, slug, text, _sizes(world, known_on)[slug], made.starts_on, made.ends_on, known_on)
    actions.propose(text, filled, by=follower, **at(dt.date(2010, 6, 4)))
    text.refresh_from_db()
    actions.open_negotiation(text, by=state_person, **at(dt.date(2010, 6, 10)))
    text.refresh_from_db()
    indicator = next(i for i in text.content["indicators"] if i["code"] == "private_share")
    year = sorted(indicator["targets"])[-1]
    actions.propose(
        text,
        [(f"indicators/{indicator['key']}/targets/{year}", "45")],
        by=state_person,
        reason="La politique vise la moitié de ressources privées.",
        **at(dt.date(2010, 6, 18)),
    )
    actions.propose(
        text,
        [("objectives/o2/actions/a3/ends_on", "2012-03-31")],
        by=follower,
        reason="Le service demande un recrutement qui n'est pas fait.",
        **at(dt.date(2010, 6, 22)),
    )
    actions.comment(
        text,
        "commitments/c1/amounts/2010",
        "Le montant de 2010 tient-il compte du démarrage en juillet ?",
        by=follower,
        **at(dt.date(2010, 6, 22), 16),
    )
    actions.take_annexes(text, by=state_person, **at(dt.date(2010, 6, 24)))


# -- life ---------------------------------------------------------------------------------------------------------------


def life(world: World, made: dict[str, Contract]) -> None:
    """Progress of actions, payments, and the round about 2009: validated, waiting, returned or late."""
    rng = world.rng
    signed = {slug: c for slug, c in made.items() if c.state == "signed"}
    round_2009 = open_round("2009", by=officer(world), on=dt.date(2010, 1, 4), at=moment_on(dt.date(2010, 1, 4)))
    follow_actions.open_reports(
        round_2009, by=officer(world), on=dt.date(2010, 1, 4), at=moment_on(dt.date(2010, 1, 4))
    )
    fates = rng.choices(["validated", "submitted", "returned", "open"], [60, 15, 8, 17], k=len(signed))
    for (slug, contract), fate in zip(sorted(signed.items()), fates, strict=True):
        by = director(world, slug)
        progress(world, contract, by)
        payments(world, slug, contract)
        report(world, slug, contract, by, "submitted" if slug == HOME_CLUSTER else fate)


def progress(world: World, contract: Contract, by: Actor) -> None:
    rng, day = world.rng, dt.date(2010, 6, 1) + dt.timedelta(days=world.rng.randint(0, 24))
    at = moment_on(day, 14)
    for action in Action.objects.filter(contract=contract).prefetch_related("milestones"):
        begun = action.starts_on and action.starts_on <= day
        span = max((action.ends_on - action.starts_on).days, 1)
        percent = max(0, min(95, round(100 * (day - action.starts_on).days / span + rng.uniform(-18, 10))))
        draw = rng.random()
        if not begun:
            continue
        if draw < 0.18:
            follow_actions.report_progress(
                action,
                status="late",
                percent=percent,
                by=by,
                on=day,
                at=at,
                reason="Recrutement plus long que prévu.",
                expected_end=action.ends_on + dt.timedelta(days=rng.choice([60, 90, 150])),
            )
        elif draw < 0.28:
            follow_actions.report_progress(
                action, status="at_risk", percent=percent, by=by, on=day, at=at, reason="Financement à confirmer."
            )
        else:
            follow_actions.report_progress(action, status="on_track", percent=percent, by=by, on=day, at=at)
        for milestone in action.milestones.all():
            if milestone.due_on and milestone.due_on < day and rng.random() < 0.82:
                done = milestone.due_on - dt.timedelta(days=rng.randint(-35, 20))
                follow_actions.pass_milestone(milestone, done_on=min(done, day), by=by, on=day, at=at)
    for objective in Objective.objects.filter(contract=contract):
        draw = rng.random()
        status, note = ("on_track", "") if draw < 0.75 else ("at_risk", "Moins de projets déposés que prévu.")
        follow_actions.state_objective(objective, status, by=by, on=day, at=at, note=note)


def payments(world: World, slug: str, contract: Contract) -> None:
    """Promises of 2009 and the first half of 2010: most paid, some late, a few not decided."""
    rng = world.rng
    for promise in Commitment.objects.filter(
        contract=contract, superseded_at=None, kind="money", year__in=(2009, 2010)
    ).select_related("party__organisation"):
        if promise.due_on is None or promise.due_on > DAY:
            continue
        region = next((r for r, o in world.councils.items() if o.pk == promise.party.organisation_id), None)
        state = next((r for r, o in world.states.items() if o.pk == promise.party.organisation_id), None)
        if state:
            payer = correspondent(world, slug)
        elif region:
            payer = actor(world, f"council-{_key(region)}", "authority_signatory", promise.party.organisation)
            payer = _allowed(world, payer, "local_authority")
        else:
            payer = actor(
                world, f"authority-{promise.party.organisation_id}", "authority_signatory", promise.party.organisation
            )
            payer = _allowed(world, payer, "local_authority")
        draw = rng.random()
        if draw < 0.12:
            continue
        decided = promise.due_on - dt.timedelta(days=rng.randint(30, 90))
        follow_actions.declare_step(
            promise,
            "decided",
            by=payer,
            on=decided,
            at=moment_on(decided),
            day=decided,
            amount=promise.amount,
            reference="Vote annuel (simulé)",
        )
        if draw < 0.30:
            continue
        paid = promise.due_on + dt.timedelta(days=rng.choice([-20, -5, 0, 12, 45, 90, 160]))
        if paid <= DAY:
            follow_actions.declare_step(
                promise, "paid", by=payer, on=paid, at=moment_on(paid), day=paid, reference="Versement (simulé)"
            )


def _allowed(world: World, who: Actor, role: str) -> Actor:
    """The same person under another role of the policy: the officer of an authority follows its payments."""
    from dataclasses import replace

    told = world.roles[role]
    return replace(who, role=told.code, role_title=told.title, permissions=frozenset(told.permissions))


def report(world: World, slug: str, contract: Contract, by: Actor, fate: str) -> None:
    rng = world.rng
    found = Report.objects.filter(contract=contract, round__code="2009").select_related("contract", "round").first()
    if found is None or fate == "open":
        return
    day = dt.date(2010, 3, 1) + dt.timedelta(days=rng.randint(0, 55))
    at = moment_on(day, 11)
    for line in follow_actions.lines_of(found):
        if line.source != "declared":
            continue
        target = line.indicator.targets.filter(year=2009, superseded_at=None).first()
        base = float(target.value) if target else 10.0
        value = round(base * rng.uniform(0.82, 1.12), 0)
        follow_actions.declare(
            found,
            line.indicator.key,
            follow_actions.Typed(value=str(int(value)), note="Valeur simulée."),
            by=by,
            on=day,
            at=at,
        )
    follow_actions.submit_report(found, by=by, on=day, at=at)
    if fate == "submitted":
        return
    found.refresh_from_db()
    reader, later = correspondent(world, slug), day + dt.timedelta(days=rng.randint(8, 30))
    if fate == "validated":
        follow_actions.validate_report(found, by=reader, on=later, at=moment_on(later, 16))
    else:
        follow_actions.return_report(
            found,
            by=reader,
            on=later,
            at=moment_on(later, 16),
            reason="Le nombre de projets labellisés ne correspond pas aux comptes rendus du comité.",
        )
