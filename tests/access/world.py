"""The small data set on which every address is asked: two clusters, their people, contracts at every stage."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from jalon.clusters.members import actions as members
from jalon.contracts import actions as contracts
from jalon.contracts.binding import bind
from jalon.contracts.models import Text
from jalon.core import clock, files
from jalon.core.models import OutboxMessage
from jalon.people import actions as people
from jalon.people.access import policy
from jalon.people.calendars import token_of
from jalon.people.models import Mandate, Merge
from jalon.roadmaps import actions as roadmaps
from tests import factories as f
from tests.contracts import follow_world, world as negotiation
from tests.roadmaps.world import fill

DAY = f.DAY
HOUSE = (
    "fund_manager certifier ministry_expert label_authority qualified_person project_member expert evaluator bank_officer "
    "guarantor"
).split()
"""Roles around projects, money and evaluation; each acts for an organisation of its own."""
ROLES = tuple(role.code for role in policy().roles)
OTHERS = ("other_team", "other_authority")
"""People of another cluster and of an authority that is no party: what is not theirs must not open."""
VISITOR = "visitor"
PACKAGES = (
    "interests",
    "aid",
    "projects",
    "labelling",
    "selection",
    "funding",
    "committees",
    "evaluations",
    "decisions",
)
"""Their ``world_<package>.extend(world)`` adds rows to the small data set and values to ``world.args``, in this order."""


def build() -> SimpleNamespace:
    """Rows and people; ``world.args`` are the values that the matrix names between braces."""
    f.live_on()
    made = negotiation.negotiated(negotiation.make_world("alpha"))
    cluster, contract = made.cluster, made.contract
    carrier = f.carrier_of(cluster)
    users: dict[str, Any] = {
        "national_officer": f.user_of(made.officer),
        "state_correspondent": f.user_of(made.correspondent),
        "prefect": f.user_of(made.prefect),
        "local_authority": f.user_of(made.region_agent),
        "authority_signatory": f.user_of(made.region_signatory),
        "cluster_director": f.user_of(made.director),
        "cluster_team": f.user_of(f.make_actor("cluster_team", cluster)),
        "reader": f.user_of(f.make_actor("reader")),
        "admin": f.user_of(f.make_actor("admin")),
        **{code: f.user_of(f.make_actor(code)) for code in HOUSE},
        "other_team": f.user_of(f.make_actor("cluster_director", f.make_cluster("beta"))),
        "other_authority": f.user_of(f.make_actor("local_authority")),
    }
    for code in ROLES:
        users[code].demo_role = code
        users[code].save()

    batch = contracts.propose(
        made.text, [("objectives/o1/title", "Développer les emplois")], by=made.region_agent, on=DAY, reason="Précision"
    )
    proposal = made.text.proposals.filter(state="open").last()
    comment = contracts.comment(made.text, "objectives/o1", "À préciser", by=made.region_agent, on=DAY)
    annex = made.text.annexes.first()

    lived = f.make_contract(
        cluster,
        "alpha-signed",
        parties=[made.region],
        state="signed",
        signed_on=dt.date(2009, 3, 2),
        title="Contrat signé",
    )
    text = Text.objects.get(contract=lived)
    text.content = {**text.content, **follow_world.content(made.region_agent)}
    text.effective_on = dt.date(2009, 3, 2)
    text.save()
    bind(text, at=clock.moment_on(dt.date(2009, 3, 2)))
    round_row = f.make_round("2009", opens_on=dt.date(2010, 1, 1))
    report = f.make_report(lived, round_row)

    draft = roadmaps.start(
        cluster, "phase-2", by=made.director, on=DAY, starts_on=dt.date(2009, 1, 1), ends_on=dt.date(2011, 12, 31)
    )
    fill(draft, made.director)
    sent = roadmaps.start(
        f.make_cluster("gamma", carrier=carrier), "phase-2", by=made.director, on=DAY,
        starts_on=dt.date(2009, 1, 1), ends_on=dt.date(2011, 12, 31),
    )  # fmt: skip
    fill(sent, made.director)
    f.make_correspondent(sent.cluster, users["state_correspondent"], made.state)
    sent = roadmaps.submit(sent, by=made.director, on=DAY)
    item = draft.items.first()
    section = draft.sections.first()
    revision = draft.revisions.last()

    piece = files.store(
        b"%PDF-1.4 piece", "piece.pdf", case=f"report:{lived.slug}/2009", by=made.director, at=clock.moment_on(DAY)
    )
    invitation = people.invite(
        carrier, email="invitee@exemple.test", role="cluster_team", by=made.director, on=DAY,
        address=lambda token: f"http://jalon.test/{token}",
    )  # fmt: skip
    token = OutboxMessage.objects.get(case=f"invitation:{invitation.pk}").body.split("http://jalon.test/")[1].split()[0]
    one, two, three = (
        f.make_organisation("Élan", siret=True),
        f.make_organisation("ELAN SA"),
        f.make_organisation("Autre"),
    )
    merge = people.merge(two, into=one, by=made.officer, on=DAY)
    mandate = Mandate.objects.get(user=users["cluster_team"])

    at = clock.moment_on(DAY)
    membership = cluster.memberships.first()
    post = cluster.posts.create(
        title="Animation", fte=1, status="employed", starts_on=dt.date(2006, 1, 1), recorded_at=at
    )
    body = cluster.bodies.create(kind="board", title="Conseil d'administration")
    seat = body.seats.create(college="industry", organisation=one, starts_on=dt.date(2006, 1, 1), recorded_at=at)
    document = cluster.documents.create(kind="statutes", title="Statuts", dated=DAY, file=piece)
    data = "Nom;SIRET;Type;Date d'adhésion\nEssai;;PME;01/02/2009\n".encode()
    batch_row = members.receive(cluster, data, "membres.csv", by=made.director, on=DAY)
    left = members.receive(cluster, data, "membres.csv", by=made.director, on=DAY)
    members.abandon(left, by=made.director, on=DAY)
    follow = cluster.correspondents.get(user=users["state_correspondent"])
    label_act = cluster.labels.get().acts.get()

    args = {
        "cluster": cluster.slug, "label": cluster.slug, "contract": contract.slug, "lived": lived.slug, "round": "2009",
        "proposal": proposal.pk if proposal else 0, "comment": comment.pk, "annex": annex.pk, "batch": str(batch),
        "roadmap": draft.pk,
        "sent": sent.pk,
        "piece": piece.pk, "section": section.key, "item": item.key, "revision": revision.pk,
        "organisation": carrier.pk, "one": one.pk, "three": three.pk, "identifier": one.identifiers.get().pk,
        "merge": merge.pk, "person": users["cluster_team"].pk, "mandate": mandate.pk, "invitation": invitation.pk,
        "token": token, "calendar": token_of(users["reader"]), "objective": "o1", "action": "a1", "milestone": "m1",
        "indicator": "i1", "year": 2009,
        "membership": membership.pk, "member": membership.organisation_id, "post": post.pk, "body": body.pk, "seat": seat.pk,
        "document": document.pk, "import": batch_row.pk, "left": left.pk, "follow": follow.pk, "act": label_act.pk, "report": report.pk,
        "commitment": lived.commitments.filter(kind="money").order_by("year").first().key,
    }  # fmt: skip
    found = SimpleNamespace(users=users, args=args, merge=Merge, world=made, lived=lived)
    for name in PACKAGES:
        if find_spec(f"tests.access.world_{name}"):
            import_module(f"tests.access.world_{name}").extend(found)
    return found
