"""What a replayed database holds on a day, in plain values: who is labelled, what was decided, which contracts, which money.

The digest covers everything that the path made and nothing that a database numbers or a clock stamps: the same run gives the
same digest on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum

from jalon.clusters.models import Cluster, ClusterGroup, Label, LabelAct, LabelPeriod
from jalon.clusters.queries import labels_on
from jalon.contracts.models import Commitment, CommitmentStep, Contract, Party, Signature, Text
from jalon.core.canonical import canonical, plain, sha256
from jalon.core.journal import breaks
from jalon.core.models import DailyRoot, FrozenText, JournalEntry, JournalHead
from jalon.decisions.models import Candidacy, CandidacyCall, Decision, Effect, Line, Notice
from jalon.decisions.path import PolicyPath
from jalon.evaluations.models import Evaluation, Interview
from jalon.evaluations.queries import reviews_due
from jalon.roadmaps.models import Roadmap


def labelled_ids(day: dt.date) -> set[int]:
    """Clusters that hold a label on a day: the register's own answer."""
    rows = LabelPeriod.objects.filter(Q(ends_on=None) | Q(ends_on__gte=day), superseded_at=None, starts_on__lte=day)
    held = Q(held_by__role="holder") & (Q(held_by__ends_on=None) | Q(held_by__ends_on__gte=day))
    return set(Label.objects.filter(held, id__in=rows.values("label_id")).values_list("held_by__cluster_id", flat=True))


def _slugs(lines: Iterable[Line]) -> list[str]:
    return sorted({line.cluster.slug for line in lines if line.cluster})


def reviews_of_axes(day: dt.date) -> list[dict[str, Any]]:
    """The 18-month reviews that signed contracts owe (group 2 only), concluded or not, with the day they are due."""
    return [
        {"cluster": r.contract.cluster.slug, "contract": r.contract.slug, "due_on": r.due_on, "state": r.state}
        for r in reviews_due(day, kinds=("axes",), concluded=True)
    ]


def groups_told() -> dict[str, Any]:
    """The groups of each evaluation: by name where a source names them, and how many are not known by name."""
    found: dict[str, Any] = {}
    for evaluation, group, published, slug in (
        Evaluation.objects.exclude(origin="")
        .order_by("cluster__slug")
        .values_list("campaign__evaluation", "group", "state", "cluster__slug")
    ):
        one = found.setdefault(evaluation, {"named": {}, "by_name": {}, "not_known_by_name": 0, "state": published})
        if group:
            one["named"][group] = one["named"].get(group, 0) + 1
            one["by_name"].setdefault(group, []).append(slug)
        else:
            one["not_known_by_name"] += 1
    return found


def interviews_told() -> list[dict[str, Any]]:
    """The contradictory interviews that were held: with which clusters, on which day."""
    found: dict[tuple[str, dt.date], list[str]] = {}
    for campaign, day, slug in Interview.objects.order_by("held_on", "evaluation__cluster__slug").values_list(
        "evaluation__campaign__evaluation", "held_on", "evaluation__cluster__slug"
    ):
        found.setdefault((campaign, day), []).append(slug)
    return [{"evaluation": name, "on": day, "clusters": slugs} for (name, day), slugs in found.items()]


def decisions_told() -> list[dict[str, Any]]:
    """The decisions taken: authority, what each line decided by name, and how many effects were carried out or left alone."""
    effects: dict[int, dict[str, Counter[str]]] = {}
    for number, on, done in Effect.objects.values_list("line__decision_id", "on", "done"):
        kinds = effects.setdefault(number, {"carried_out": Counter(), "left_alone": Counter()})
        kinds["carried_out" if done else "left_alone"][on] += 1
    found = []
    for decision in Decision.objects.filter(state="decided").order_by("decided_on", "slug"):
        lines = list(decision.lines.select_related("cluster").order_by("order"))
        by_kind: dict[str, list[Line]] = {}
        for line in lines:
            by_kind.setdefault(line.kind, []).append(line)
        done = effects.get(decision.pk, {"carried_out": Counter(), "left_alone": Counter()})
        found.append(
            {
                "file": decision.slug,
                "on": decision.decided_on,
                "precision": decision.precision,
                "authority": decision.authority,
                "lines": len(lines),
                "by_kind": {kind: _slugs(rows) for kind, rows in sorted(by_kind.items())},
                "effects": {name: dict(sorted(counts.items())) for name, counts in done.items()},
            }
        )
    return found


def summary(
    day: dt.date,
    path: PolicyPath,
    *,
    refused: Sequence[dict[str, Any]] = (),
    steps: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The state on a day as the command prints it: plain JSON values."""
    labels = labels_on(day)
    ids = labelled_ids(day)
    clusters = {c.pk: c for c in Cluster.objects.filter(pk__in=ids)}
    mentioned = Cluster.objects.filter(Q(pk__in=ids) | Q(decision_lines__decision__state="decided")).distinct()
    names = names_on(mentioned, path, day)
    published, counted_by = path.published_count(day)
    unnamed = max(0, (published or 0) - len(ids))
    by_kind: dict[str, list[Line]] = {}
    for line in (
        Line.objects.filter(decision__state="decided").select_related("cluster", "label", "decision").order_by("pk")
    ):
        by_kind.setdefault(line.kind, []).append(line)
    probation = [
        {"cluster": x.cluster.slug, "from": x.effective_from, "until": x.until} for x in by_kind.get("probation", ())
    ]
    last = max((x.decision.decided_on for x in by_kind.get("renew", []) + by_kind.get("withdraw", [])), default=None)
    new = [x for x in by_kind.get("label", ()) if x.decision.decided_on == last] if last else []
    contracts = list(Contract.objects.select_related("cluster").order_by("slug"))
    heads = JournalHead.objects.count()
    broken = [str(b) for b in breaks()]
    root = DailyRoot.objects.order_by("-id").first()
    return plain(
        {
            "until": day,
            "programme": path.register.folder.name,
            "labelled": sorted(c.slug for c in clusters.values()),
            "names": names,
            "counts": {
                "labelled": len(ids) + unnamed,
                "named": len(ids),
                "unnamed": unnamed,
                "labels": len(labels.labels),
                "published": published,
                "published_by": counted_by,
            },
            "renewed": _slugs(by_kind.get("renew", ())),
            "withdrawn": _slugs(by_kind.get("withdraw", ())),
            "new": _slugs(new),
            "confirmed": _slugs(by_kind.get("confirm", ())),
            "extended": _slugs(by_kind.get("extend", ())),
            "probation": sorted(probation, key=lambda p: p["cluster"]),
            "groups": groups_told(),
            "reviews_due": reviews_of_axes(day),
            "contracts": {
                "states": dict(sorted(Counter(c.state for c in contracts).items())),
                "signed": sorted(c.cluster.slug for c in contracts if c.state == "signed"),
                "refused": sorted((plain(r) for r in refused), key=lambda r: r["cluster"]),
                "simulated": all(c.simulated for c in contracts),
            },
            "money": money(),
            "decisions": decisions_told(),
            "interviews": interviews_told(),
            "applications": applications(),
            "steps": list(steps),
            "acts": JournalEntry.objects.count(),
            "chains": heads,
            "journal": {"intact": not broken, "breaks": broken[:5]},
            "root": root.root if root else "",
            "digest": digest(),
        }
    )


def names_on(clusters: Iterable[Cluster], path: PolicyPath, day: dt.date) -> dict[str, str]:
    """Slug → the name that the cluster bore on a day."""
    from jalon.clusters.labels import name_on

    return {c.slug: name_on(path.register, c.slug, day) for c in sorted(clusters, key=lambda c: c.slug)}


def money() -> dict[str, Any]:
    """Public money promised by the contracts in force, and what is no longer due, in the programme's currency."""
    promised = Commitment.objects.filter(superseded_at=None, kind="money").aggregate(n=Sum("amount"))["n"]
    released = CommitmentStep.objects.filter(superseded_at=None, kind="released").aggregate(n=Sum("amount"))["n"]
    return {"promised": promised or Decimal(0), "no_longer_due": released or Decimal(0), "simulated": True}


def applications() -> list[dict[str, Any]]:
    """The calls for applications: published counts, applications named and what became of them."""
    return [
        {
            "call": call.code,
            "published": call.counts,
            "named": {
                state: sorted(c.slug for c in call.candidacies.all() if c.state == state)
                for state in sorted({c.state for c in call.candidacies.all()})
            },
        }
        for call in CandidacyCall.objects.prefetch_related("candidacies").order_by("opens_on", "code")
    ]


# --- the digest ----------------------------------------------------------------------------------------------------


def _without_numbers(value: Any) -> Any:
    """A content without the numbers that a database gave (organisations of a contract's parties)."""
    if isinstance(value, dict):
        return {k: _without_numbers(v) for k, v in value.items() if k not in ("organisation",)}
    if isinstance(value, list):
        return [_without_numbers(v) for v in value]
    return value


def digest() -> str:
    """SHA-256 over the state: labels, decisions, applications, groups, roadmaps, contracts, money, journal."""
    return sha256(canonical(plain(content())))


def content() -> dict[str, Any]:
    """What the digest covers, without numbers of rows nor moments."""
    return {
        "clusters": list(
            Cluster.objects.order_by("slug").values_list(
                "slug", "name", "city", "theme_fr", "theme_family", "simulated"
            )
        ),
        "labels": list(Label.objects.order_by("code").values_list("code", "name", "tier", "phase", "follows")),
        "acts": list(
            LabelAct.objects.filter(superseded_at=None)
            .order_by("label__code", "effective_from")
            .values_list(
                "label__code", "act", "decided_on", "precision", "effective_from", "until", "reference", "certainty"
            )
        ),
        "periods": list(
            LabelPeriod.objects.filter(superseded_at=None)
            .order_by("label__code", "starts_on")
            .values_list("label__code", "starts_on", "ends_on", "certainty")
        ),
        "groups": list(
            ClusterGroup.objects.filter(superseded_at=None)
            .order_by("cluster__slug", "evaluation")
            .values_list("cluster__slug", "evaluation", "group", "on")
        ),
        "decisions": [
            [
                d.slug,
                d.state,
                d.authority,
                d.reference,
                d.decided_on,
                d.published_on,
                sorted(d.opinions.filter(replaced_at=None).values_list("body", "outcome", "on")),
                [
                    [
                        x.kind,
                        x.cluster.slug if x.cluster else "",
                        x.effective_from,
                        x.until,
                        x.group,
                        [[e.on, e.said_fr, e.done, e.amount] for e in x.effects.all()],
                    ]
                    for x in d.lines.select_related("cluster").prefetch_related("effects").order_by("order")
                ],
            ]
            for d in Decision.objects.order_by("slug")
        ],
        "notices": list(
            Notice.objects.order_by("line__decision__slug", "line__order").values_list(
                "line__decision__slug", "line__order", "sent_on", "received_on", "appeal_until"
            )
        ),
        "applications": list(
            Candidacy.objects.order_by("slug").values_list("call__code", "slug", "state", "cluster__slug", "outcome_on")
        ),
        "evaluations": list(
            Evaluation.objects.order_by("campaign__code", "cluster__slug").values_list(
                "campaign__code", "cluster__slug", "state", "group", "origin", "certainty", "final_on"
            )
        ),
        "interviews": list(
            Interview.objects.order_by("evaluation__cluster__slug").values_list("evaluation__cluster__slug", "held_on")
        ),
        "roadmaps": list(
            Roadmap.objects.order_by("cluster__slug", "version").values_list(
                "cluster__slug", "phase", "version", "state", "starts_on", "ends_on", "validated_on"
            )
        ),
        "contracts": list(
            Contract.objects.order_by("slug").values_list(
                "slug", "cluster__slug", "phase", "group", "state", "starts_on", "ends_on", "signed_on"
            )
        ),
        "texts": [
            [slug, number, state, sha256(canonical(plain(_without_numbers(tree))))]
            for slug, number, state, tree in Text.objects.order_by("contract__slug", "number").values_list(
                "contract__slug", "number", "state", "content"
            )
        ],
        "parties": list(
            Party.objects.order_by("contract__slug", "order").values_list(
                "contract__slug", "key", "kind", "organisation__name"
            )
        ),
        "signatures": list(
            Signature.objects.order_by("text__contract__slug", "party__order").values_list(
                "text__contract__slug", "party__key", "signed_on"
            )
        ),
        "commitments": list(
            Commitment.objects.filter(superseded_at=None)
            .order_by("contract__slug", "key")
            .values_list("contract__slug", "key", "year", "amount", "due_on")
        ),
        "journal": sorted(
            (_case(case), act, on, role)
            for case, act, on, role in JournalEntry.objects.values_list("case", "act", "on", "role")
        ),
        "frozen": sorted((_case(case), kind) for case, kind in FrozenText.objects.values_list("case", "kind")),
    }


def _case(case: str) -> str:
    """A case without the number of its row: a roadmap is named by it."""
    kind, _, name = case.partition(":")
    return kind if name.isdecimal() else case
