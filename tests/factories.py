"""Small functions that make rows for tests; each makes what it needs and returns the row (or the actor).

Names are those of kinds and roles, never of persons. ``DAY`` is the day on which the small world lives.

    cluster = make_cluster("alpha")                       # with its carrier organisation
    director = make_actor("cluster_director", cluster=cluster)
    correspondent = make_actor("state_correspondent", cluster=cluster)
    region = make_actor("local_authority")                # of an authority of its own
    contract = make_contract(cluster, parties=[region.organisation_id])
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from jalon.core import clock
from jalon.people.access import Actor, policy
from jalon.people.models import Identifier, Mandate, Organisation, SizeCategory, User
from jalon.people.queries import actor_from
from jalon.people.rules import name_key

DAY = dt.date(2010, 6, 30)
PROGRAMME = "fr-poles-de-competitivite"
PASSWORD = "phrase-de-passe-des-essais"

_numbers = itertools.count(1)


def number() -> int:
    """A number that no other row of this run has."""
    return next(_numbers)


def luhn_number(length: int, n: int | None = None) -> str:
    """A SIREN (length 9) or SIRET (14) with right check digits, different each time."""
    from stdnum import luhn

    n = number() if n is None else n
    siren = f"{90000000 + n % 9999999:08d}"
    siren += luhn.calc_check_digit(siren)
    if length == 9:
        return siren
    start = siren + "0001"
    return start + luhn.calc_check_digit(start)


def make_organisation(name: str = "", kind: str = "company", *, siret: str | bool = False, **fields: Any):
    """An organisation; ``siret=True`` gives it a valid one of its own."""
    name = name or f"Organisme {number()}"
    fields.setdefault("created_at", clock.moment_on(fields.pop("on", DAY) - dt.timedelta(days=365)))
    made = Organisation.objects.create(name=name, name_key=name_key(name), kind=kind, **fields)
    if siret:
        value = luhn_number(14) if siret is True else siret
        Identifier.objects.create(organisation=made, scheme="siret", value=value)
    return made


def make_size(organisation, category: str, on: dt.date = DAY, **fields: Any):
    """A size category at a date, recorded that day."""
    fields.setdefault("definition", policy().members.size_schemes[0].code)
    fields.setdefault("evidence", "Liasse fiscale")
    fields.setdefault("recorded_at", clock.moment_on(on))
    return SizeCategory.objects.create(organisation=organisation, category=category, on=on, **fields)


def make_user(email: str = "", name: str = "", *, password: str | None = None, **fields: Any) -> User:
    """A user; without ``password`` they cannot sign in by form (``client.force_login`` works)."""
    n = number()
    return User.objects.create_user(
        email or f"compte{n}@exemple.test", name or f"Compte {n}", password=password, **fields
    )


def make_mandate(
    role: str, organisation=None, user=None, *, starts_on: dt.date | None = None, **fields: Any
) -> Mandate:
    """A mandate of a role of the French policy, in force since the start of 2004 and without end, unless said otherwise."""
    policy().role(role)  # an unknown role is a fault of the test
    if organisation is None:
        organisation = make_organisation(kind=_kind_of(role))
    return Mandate.objects.create(
        user=user or make_user(),
        organisation=organisation,
        programme=fields.pop("programme", PROGRAMME),
        role=role,
        starts_on=starts_on or dt.date(2004, 1, 1),
        **fields,
    )


def _kind_of(role: str) -> str:
    side = policy().role(role).side
    return {"state": "state_service", "authority": "authority", "governance": "association"}.get(side, "other")


def make_actor(role: str, cluster=None, organisation=None, user=None, **fields: Any) -> Actor:
    """An actor with real user, mandate and organisation.

    For a role of the governance side, ``cluster`` means: acts for its carrier. For a State correspondent or prefect:
    follows that cluster (a ``Correspondent`` row). For an authority use :func:`make_contract` ``parties=``.
    """
    if cluster is not None and organisation is None and policy().role(role).side == "governance":
        organisation = carrier_of(cluster)
    mandate = make_mandate(role, organisation, user, **fields)
    mandate = Mandate.objects.select_related("user", "organisation").get(pk=mandate.pk)
    if cluster is not None and policy().role(role).side == "state" and policy().role(role).scope == "cluster":
        make_correspondent(cluster, mandate.user, mandate.organisation)
    return actor_from(mandate)


def user_of(actor: Actor) -> User:
    """The user behind an actor, for ``client.force_login``."""
    return User.objects.get(pk=actor.user_id)


def make_correspondent(cluster, user, organisation, starts_on: dt.date = dt.date(2005, 7, 12)):
    """The State correspondent of a cluster."""
    from jalon.clusters.models import Correspondent

    return Correspondent.objects.create(cluster=cluster, user=user, organisation=organisation, starts_on=starts_on)


def make_cluster(slug: str = "", name: str = "", *, carrier=None, label: bool = False, **fields: Any):
    """A cluster with its carrier; ``label=True`` adds a label in force from 12 July 2005, without end."""
    from jalon.clusters.models import Carrier, Cluster, Label, LabelAct, LabelHolder, LabelPeriod

    n = number()
    slug = slug or f"pole-{n}"
    name = name or slug.replace("-", " ").capitalize()
    cluster = Cluster.objects.create(
        programme=fields.pop("programme", PROGRAMME), slug=slug, name=name, name_key=name_key(name), **fields
    )
    carrier = carrier or make_organisation(f"Association {name} {n}", "association")
    Carrier.objects.create(cluster=cluster, organisation=carrier, starts_on=dt.date(2005, 7, 12))
    if label:
        start = dt.date(2005, 7, 12)
        row = Label.objects.create(programme=cluster.programme, code=slug, name=name, tier="national")
        LabelHolder.objects.create(label=row, cluster=cluster, starts_on=start)
        at = clock.moment_on(start)
        act = LabelAct.objects.create(label=row, act="granted", decided_on=start, effective_from=start, recorded_at=at)
        LabelPeriod.objects.create(label=row, act=act, starts_on=start, recorded_at=at)
    return cluster


def carrier_of(cluster):
    """The organisation that carries a cluster."""
    return cluster.carriers.select_related("organisation").order_by("id").first().organisation


def make_membership(cluster, organisation=None, joined_on: dt.date = dt.date(2006, 1, 1), **fields: Any):
    """A membership, recorded on the day of entry."""
    from jalon.clusters.models import Membership

    fields.setdefault("member_type", "sme")
    fields.setdefault("recorded_at", clock.moment_on(joined_on))
    return Membership.objects.create(
        cluster=cluster, organisation=organisation or make_organisation(), joined_on=joined_on, **fields
    )


def make_contract(cluster=None, slug: str = "", *, state: str = "negotiation", parties=(), content=None, **fields: Any):
    """A contract with its original text and its parties: State, the authorities given, the carrier.

    ``parties`` are organisations (or their ids) of authorities. ``content`` defaults to a document with the parties.
    """
    from jalon.contracts.models import Contract, Party, Text

    cluster = cluster or make_cluster()
    slug = slug or f"{cluster.slug}-{number()}"
    fields.setdefault("title", f"Contrat de performance {cluster.name}")
    fields.setdefault("policy_day", DAY)
    fields.setdefault("starts_on", dt.date(2009, 1, 1))
    fields.setdefault("ends_on", dt.date(2011, 12, 31))
    fields.setdefault("phase", "phase-2")
    fields.setdefault("template", "performance-2009")
    fields.setdefault("created_at", clock.moment_on(fields["policy_day"]))
    contract = Contract.objects.create(programme=cluster.programme, cluster=cluster, slug=slug, state=state, **fields)
    state_service = make_organisation(f"Préfecture {number()}", "state_service")
    authorities = [p if isinstance(p, Organisation) else Organisation.objects.get(pk=p) for p in parties]
    rows = [("state", "state", state_service)]
    rows += [(f"authority{i}", "authority", one) for i, one in enumerate(authorities, 1)]
    rows += [("governance", "governance", carrier_of(cluster))]
    made = [
        Party.objects.create(contract=contract, key=key, kind=kind, organisation=one, order=i, signatory="")
        for i, (key, kind, one) in enumerate(rows)
    ]
    if content is None:
        content = {
            "title": contract.title,
            "starts_on": contract.starts_on.isoformat(),
            "ends_on": contract.ends_on.isoformat(),
            "territory": [],
            "preamble": "",
            "parties": [
                {
                    "key": p.key,
                    "kind": p.kind,
                    "organisation": p.organisation_id,
                    "name": p.organisation.name,
                    "signatory": "",
                }
                for p in made
            ],
            "articles": [],
            "improvement_axes": [],
            "objectives": [],
            "indicators": [],
            "commitments": [],
        }
    text_state = {"preparing": "draft", "signed": "signed", "closed": "signed"}.get(state, state)
    Text.objects.create(contract=contract, number=0, state=text_state, content=content, created_at=contract.created_at)
    return contract


def make_round(code: str = "2009", **fields: Any):
    """A reporting round about a calendar year, open from February to 31 March of the next year."""
    from jalon.programme.models import Round

    year = int(code[:4])
    fields.setdefault("period_start", dt.date(year, 1, 1))
    fields.setdefault("period_end", dt.date(year, 12, 31))
    fields.setdefault("opens_on", dt.date(year + 1, 2, 1))
    fields.setdefault("due_on", dt.date(year + 1, 3, 31))
    return Round.objects.create(programme=fields.pop("programme", PROGRAMME), code=code, **fields)


def make_report(contract, round_row=None, *, state: str = "open", **fields: Any):
    """What a contract owes in a round."""
    from jalon.contracts.models import Report

    round_row = round_row or make_round()
    fields.setdefault("due_on", round_row.due_on)
    return Report.objects.create(contract=contract, round=round_row, state=state, **fields)


def live_on(day: dt.date = DAY) -> None:
    """Make this installation a demonstration that lives on ``day``."""
    from jalon.core.models import Setting

    Setting.objects.update_or_create(key=clock.KEY, defaults={"value": {"day": day.isoformat()}})
