"""Decision files and applications in the small data set: one being written, one under opinions, one decided and notified."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from jalon.decisions import actions, candidacies
from jalon.interests import actions as interests
from jalon.people.queries import actor_of
from tests import factories as f
from tests.decisions import world as small

DAY = f.DAY


def extend(world) -> None:
    """``d_draft``, ``d_asked`` and ``d_done`` are about the cluster alpha's neighbour and alpha itself; ``cand`` is the company's."""

    def actor(who):
        return actor_of(world.users[who], DAY)

    officer, expert, authority, company = (
        actor(w) for w in ("national_officer", "ministry_expert", "label_authority", "project_member")
    )
    director = actor("cluster_director")
    told = f.make_cluster("told", "Pôle décidé", carrier=f.carrier_of(world.world.cluster), label=True)
    asked = f.make_cluster("asked", "Pôle proposé", label=True)
    for one in (told, asked):
        small.bounded(one)
    one = SimpleNamespace(gamma=told, officer=officer, expert=expert, authority=authority)

    def line(cluster, kind="withdraw", **more):
        return actions.NewLine(kind, DAY, cluster=cluster, label=small.label_of(cluster), reasons="Essai.", **more)

    draft = actions.open_decision(
        title="Brouillon", slug="brouillon", grounds="Essai.", lines=[line(asked)], by=officer, on=DAY
    )
    waiting = small.proposed(one, line(asked), opinion="", slug="en-avis")
    ready = small.proposed(one, line(asked), slug="a-decider")
    done = small.decided(one, line(told), slug="decide")
    row = done.lines.get()
    unsent = small.decided(
        one,
        actions.NewLine(
            "extend", dt.date(2012, 1, 1), dt.date(2012, 12, 31), cluster=asked, label=small.label_of(asked)
        ),
        slug="a-notifier",
    )
    actions.notify(row, sent_on=DAY, by=officer, on=DAY)
    appeal = actions.lodge_appeal(row, "gracieux", text="Recours d'essai.", by=director, on=DAY)
    call = candidacies.add_call(
        code="appel-essai", title_fr="Appel", title_en="Call", opens_on=dt.date(2010, 6, 1), closes_on=dt.date(2010, 7, 30), by=officer, on=DAY
    )  # fmt: skip
    call = candidacies.move_call(call, "open", by=officer, on=DAY)
    regions = ["72"]
    content = {"theme": "T", "stakes": "E", "axes": "A", "partnership": "P"}
    partners = [{"name": n, "kind": k} for n, k in (("A", "company"), ("B", "company"), ("C", "research"))]
    files = {}
    for slug in ("cand-brouillon", "cand-deposee"):
        made = candidacies.start(call, name=slug, slug=slug, by=company, on=DAY)
        made = candidacies.edit(made, rev=0, regions=regions, content=content, partners=partners, by=company, on=DAY)
        files[slug] = candidacies.add_paper(made, b"Une piece", title="Pièce", by=company, on=DAY)
        if slug == "cand-deposee":
            candidacies.submit(made, by=company, on=DAY)
    interests.declare("candidacy:cand-deposee", "none", by=expert, on=DAY)
    world.args |= {
        "d_draft": draft.slug,
        "d_asked": waiting.slug,
        "d_ready": ready.slug,
        "d_ready_rev": ready.rev,
        "d_done": done.slug,
        "d_line": row.pk,
        "d_unsent": unsent.slug,
        "d_unsent_line": unsent.lines.get().pk,
        "d_appeal": appeal.pk,
        "cand_call": call.code,
        "cand_draft": "cand-brouillon",
        "cand": "cand-deposee",
        "cand_paper": files["cand-deposee"].pk,
        "cand_draft_rev": 1,
    }
