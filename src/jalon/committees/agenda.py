"""The agenda that builds itself (*ordre du jour*): what each source of the policy has for each committee on a day.

A source is a function ``(ground, day) -> {committee: [Point]}`` that answers for all committees at once, so that the number
of queries does not grow with them. The lights are those of the contracts' own follow-up, read, not computed again. Packages
that know more are asked through their ``agenda.py`` (see ``jalon.core.agenda``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.db.models import Count, Min, Q
from django.urls import NoReverseMatch, reverse

from jalon.clusters.models import Cluster, LabelPeriod
from jalon.clusters.queries import named_on
from jalon.committees import access, rules
from jalon.committees.models import Committee, FollowUp, Ground, Session
from jalon.contracts import follow_queries, follow_rules, rules as contract_rules
from jalon.contracts.models import Contract, Proposal, Text
from jalon.contracts.queries import name_clusters
from jalon.core import clock
from jalon.core.agenda import Detail, Point
from jalon.core.canonical import plain
from jalon.core.lang import T, language
from jalon.core.why import Why
from jalon.people.access import policy
from jalon.policy.rules import plus

HOOKS = ("labelling", "selection", "funding", "evaluations", "decisions")
"""Packages whose ``agenda.py`` is asked, when a kind's agenda names them."""

REVIEW_SHOWN = dt.timedelta(days=60)
"""A review is announced so many days before its day, as on the home page."""


def link(name: str, *args: Any) -> str:
    """The address of a page by its name; empty when this installation does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@dataclass(eq=False)
class Seen:
    """A committee as its agenda's sources see it: its kind, its clusters, the day of the session, the terms."""

    pk: int
    kind: str
    scope: str
    region_code: str
    cluster_ids: tuple[int, ...]
    terms: rules.Terms
    session_on: dt.date
    committee: Committee


class Field:
    """What many committees' agendas are built from, read once: contracts, lives, names. Each is one or a few queries."""

    def __init__(self, seen: Sequence[Seen], day: dt.date):
        self.seen = list(seen)
        self.day = day

    @cached_property
    def of_cluster(self) -> dict[int, list[Seen]]:
        """Committees by the clusters they are about; those of the whole programme are asked apart."""
        found: dict[int, list[Seen]] = defaultdict(list)
        for one in self.seen:
            for pk in one.cluster_ids:
                found[pk].append(one)
        return found

    @cached_property
    def national(self) -> list[Seen]:
        return [one for one in self.seen if not one.cluster_ids]

    def about(self, cluster: int) -> list[Seen]:
        """The committees that are about a cluster."""
        return [*self.of_cluster.get(cluster, ()), *self.national]

    @cached_property
    def clusters(self) -> list[int] | None:
        """The clusters concerned; None when some committee is about all."""
        return None if self.national else sorted(self.of_cluster)

    def among(self, prefix: str) -> Q:
        return Q() if self.clusters is None else Q(**{f"{prefix}__in": self.clusters})

    @cached_property
    def contracts(self) -> list[Contract]:
        """The signed contracts that run on the day."""
        rows = Contract.objects.filter(
            self.among("cluster"), state="signed", starts_on__lte=self.day, ends_on__gte=self.day
        )
        found = list(rows.select_related("cluster").order_by("cluster__name_key", "starts_on", "pk"))
        return list(name_clusters(found, self.day))

    @cached_property
    def lives(self) -> dict[int, follow_queries.Dashboard]:
        """Objectives, actions, indicators, commitments and reports with their lights, of the contracts above."""
        return follow_queries.dashboards(self.contracts, day=self.day)

    @cached_property
    def names(self) -> dict[int, str]:
        rows = Cluster.objects.filter(self.among("pk"), programme=policy().slug)
        return {c.pk: c.name_of_day for c in named_on(list(rows), self.day)}

    def name(self, cluster: int) -> str:
        return self.names.get(cluster, "")


Found = dict[int, list[Point]]
Source = Callable[[Field, dt.date], Found]


def _contract_url(contract: Contract, anchor: str = "") -> str:
    base = link("contract-dashboard", contract.slug) or link("contract", contract.slug)
    return f"{base}#{anchor}" if base and anchor else base


def _worst(lights: Iterable[str]) -> str:
    return min(lights, key=lambda code: follow_rules.SEVERITY.get(code, 9), default="unknown")


def _add(found: Found, about: Iterable[Seen], point: Point) -> None:
    for one in about:
        found.setdefault(one.pk, []).append(point)


def _of_contracts(
    field: Field,
    source: str,
    pick: Callable[[follow_queries.Dashboard], list[Detail]],
    title: Any,
    rule: Any,
    kind: str = "discussion",
) -> Found:
    """One point for each contract that has something under this source, its details the worst first."""
    found: Found = {}
    for contract in field.contracts:
        about = field.about(contract.cluster_id)
        if not about:
            continue
        details = pick(field.lives[contract.pk])
        if not details:
            continue
        details.sort(key=lambda d: (follow_rules.SEVERITY.get(d.light, 9), str(d.title)))
        n = len(details)
        point = Point(
            key=f"contract:{contract.slug}",
            title=title.format(n=n, c=contract.cluster_name),
            kind=kind,
            rule=rule,
            figures={
                T("nombre", "number"): n,
                T("contrat", "contract"): contract.title,
            },
            light=details[0].light,
            case=f"contract:{contract.slug}",
            url=_contract_url(contract),
            cluster=contract.cluster_id,
            details=tuple(details),
            simulated=contract.simulated or field.lives[contract.pk].simulated,
        )
        _add(found, about, point)
    return found


# -- what is late, missed, at risk ------------------------------------------------------------------------------


def reports_late(field: Field, day: dt.date) -> Found:
    """Reports that are due and not handed in, or were returned."""

    def pick(life: follow_queries.Dashboard) -> list[Detail]:
        out = []
        for r in life.reports:
            state = life.report_states[r.pk]
            light = follow_rules.report_light(today=day, state=state, due_on=r.due_on)
            if (light.bad and light.code != "at_risk") or state == "returned":
                url = link("report", life.contract.slug, r.round.code)
                out.append(
                    Detail(
                        f"report:{life.contract.slug}/{r.round.code}",
                        T("Rapport {r}", "Report {r}", r=r.round.code),
                        light.why.rule,
                        light.code,
                        url,
                    )
                )
        return out

    return _of_contracts(
        field,
        "reports_late",
        pick,
        T("{c} : rapport en retard ou retourné", "{c}: report late or returned"),
        T(
            "Un rapport est échu et n'est pas remis, ou il a été retourné.",
            "A report is due and not handed in, or it was returned.",
        ),
    )


def indicators_missed(field: Field, day: dt.date) -> Found:
    """Indicators of the contract whose target was missed, is at risk, or whose value is unknown after it was asked."""

    def pick(life: follow_queries.Dashboard) -> list[Detail]:
        return [
            Detail(
                f"indicator:{i.indicator.key}/{i.year}",
                T("{t} ({y})", "{t} ({y})", t=i.title, y=i.year),
                i.light.why.rule,
                i.light.code,
                _contract_url(life.contract, f"indicateur-{i.indicator.key}"),
            )
            for i in life.indicators
            if i.light is not None and (i.light.code in ("missed", "late") or i.light.code == "unknown")
        ]

    return _of_contracts(
        field,
        "indicators_missed",
        pick,
        T("{c} : {n} indicateur(s) manqué(s) ou inconnu(s)", "{c}: {n} indicator(s) missed or unknown"),
        T(
            "La valeur de la période jugée manque sa cible, ou n'est pas connue alors qu'elle était demandée.",
            "The value of the period judged misses its target, or is not known although it was asked for.",
        ),
    )


def actions_late(field: Field, day: dt.date) -> Found:
    """Actions past their end and not done, or given up."""

    def pick(life: follow_queries.Dashboard) -> list[Detail]:
        return [
            Detail(
                f"action:{a.action.key}",
                a.action.title,
                a.light.why.rule,
                a.light.code,
                _contract_url(life.contract, f"action-{a.action.key}"),
            )
            for a in life.actions
            if a.light.code in ("late", "missed")
        ]

    return _of_contracts(
        field,
        "actions_late",
        pick,
        T("{c} : {n} action(s) en retard", "{c}: {n} action(s) late"),
        T(
            "Une action a passé sa fin sans être achevée, ou elle est abandonnée.",
            "An action has passed its end without being finished, or it was given up.",
        ),
    )


def objectives_at_risk(field: Field, day: dt.date) -> Found:
    """Objectives late, missed, at risk, or whose state the State contests."""

    def pick(life: follow_queries.Dashboard) -> list[Detail]:
        return [
            Detail(
                f"objective:{o.objective.key}",
                o.objective.title,
                o.light.why.rule,
                o.light.code,
                _contract_url(life.contract, f"objectif-{o.objective.key}"),
            )
            for o in life.objectives
            if o.light.bad or o.contested
        ]

    return _of_contracts(
        field,
        "objectives_at_risk",
        pick,
        T("{c} : {n} objectif(s) menacé(s)", "{c}: {n} objective(s) at risk"),
        T(
            "Un objectif stratégique est en retard, manqué, menacé ou contesté.",
            "A strategic objective is late, missed, at risk or contested.",
        ),
    )


def _commitment_title(view: follow_queries.CommitmentView) -> Any:
    return T(
        "{o} {y}",
        "{o} {y}",
        o=view.commitment.party.organisation.name,
        y=view.commitment.year or "",
    )


def commitments_late(field: Field, day: dt.date) -> Found:
    """Public commitments past their day, refused, or whose payment the pôle says did not arrive."""

    def pick(life: follow_queries.Dashboard) -> list[Detail]:
        return [
            Detail(
                f"commitment:{c.commitment.key}",
                _commitment_title(c),
                c.light.why.rule,
                c.light.code,
                _contract_url(life.contract, f"engagement-{c.commitment.key}"),
            )
            for c in life.commitments
            if c.light.code in ("late", "missed") or c.contested
        ]

    return _of_contracts(
        field,
        "commitments_late",
        pick,
        T(
            "{c} : {n} engagement(s) public(s) en retard ou contesté(s)",
            "{c}: {n} public commitment(s) late or contested",
        ),
        T(
            "La partie publique n'a pas tenu ce qu'elle a promis à son échéance, ou le versement est contesté.",
            "The public side has not kept what it promised by its due day, or the payment is contested.",
        ),
    )


# -- what ends soon ---------------------------------------------------------------------------------------------


def _until(one: Seen, day: dt.date) -> dt.date | None:
    """The last day that this committee announces: the policy's delay after the day of the agenda."""
    ahead = one.terms.get("ahead")
    return None if ahead is None else plus(day, ahead.value, ahead.unit, policy().working_days)


def _by_horizon(field: Field, day: dt.date) -> list[tuple[Seen, dt.date]]:
    return [(one, until) for one in field.seen if (until := _until(one, day)) is not None]


def commitments_ending(field: Field, day: dt.date) -> Found:
    """Public commitments that are soon due and not kept."""
    found: Found = {}
    horizon = {one.pk: until for one, until in _by_horizon(field, day)}
    for contract in field.contracts:
        about = [one for one in field.about(contract.cluster_id) if one.pk in horizon]
        if not about:
            continue
        waiting = [
            c
            for c in field.lives[contract.pk].commitments
            if c.due_on is not None and day <= c.due_on and c.light.code not in ("reached", "missed", "late")
        ]
        for one in about:
            mine = [c for c in waiting if c.due_on <= horizon[one.pk] and not c.contested]
            if not mine:
                continue
            details = tuple(
                Detail(
                    f"commitment:{c.commitment.key}",
                    _commitment_title(c),
                    T("attendu au plus tard le {d}", "due by {d}", d=c.due_on.isoformat()),
                    c.light.code,
                    _contract_url(contract, f"engagement-{c.commitment.key}"),
                )
                for c in sorted(mine, key=lambda c: c.due_on)
            )
            term = one.terms.get("ahead")
            found.setdefault(one.pk, []).append(
                Point(
                    key=f"contract:{contract.slug}",
                    title=T(
                        "{c} : {n} engagement(s) public(s) bientôt échu(s)",
                        "{c}: {n} public commitment(s) soon due",
                        c=contract.cluster_name,
                        n=len(details),
                    ),
                    kind="information",
                    rule=T(
                        "Un engagement public arrive à échéance dans le délai d'annonce.",
                        "A public commitment comes due within the delay of announcement.",
                    ),
                    figures={T("jusqu'au", "until"): horizon[one.pk], T("nombre", "number"): len(details)},
                    light=_worst(d.light for d in details),
                    case=f"contract:{contract.slug}",
                    url=_contract_url(contract),
                    due_on=mine and min(c.due_on for c in mine) or None,
                    cluster=contract.cluster_id,
                    details=details,
                    parameter=term.path if term else "",
                    simulated=contract.simulated,
                )
            )
    return found


def contracts_ending(field: Field, day: dt.date) -> Found:
    """Contracts whose last day falls within the delay of announcement."""
    found: Found = {}
    for one, until in _by_horizon(field, day):
        for contract in field.contracts:
            if one.cluster_ids and contract.cluster_id not in one.cluster_ids:
                continue
            if contract.ends_on is None or contract.ends_on > until:
                continue
            found.setdefault(one.pk, []).append(
                Point(
                    key=f"contract:{contract.slug}",
                    title=T("{c} : le contrat s'achève", "{c}: the contract ends", c=contract.cluster_name),
                    rule=T(
                        "Le dernier jour du contrat tombe dans le délai d'annonce.",
                        "The contract's last day falls within the delay of announcement.",
                    ),
                    figures={T("dernier jour", "last day"): contract.ends_on, T("jusqu'au", "until"): until},
                    light="at_risk",
                    case=f"contract:{contract.slug}",
                    url=_contract_url(contract),
                    due_on=contract.ends_on,
                    cluster=contract.cluster_id,
                    parameter=one.terms.get("ahead").path,
                    simulated=contract.simulated,
                )
            )
    return found


def labels_ending(field: Field, day: dt.date) -> Found:
    """Labels whose last period ends within the delay of announcement."""
    horizon = _by_horizon(field, day)
    if not horizon:
        return {}
    last = max(until for _, until in horizon)
    rows = (
        LabelPeriod.objects.filter(
            field.among("label__held_by__cluster"),
            superseded_at__isnull=True,
            ends_on__range=(day, last),
            label__held_by__role="holder",
        )
        .filter(Q(label__held_by__ends_on__isnull=True) | Q(label__held_by__ends_on__gte=day))
        .exclude(label__periods__in=LabelPeriod.objects.filter(superseded_at__isnull=True, ends_on__isnull=True))
        .exclude(label__periods__in=LabelPeriod.objects.filter(superseded_at__isnull=True, ends_on__gt=last))
        .values("label__code", "label__name", "label__held_by__cluster", "label__held_by__cluster__slug")
        .annotate(end=Min("ends_on"))
        .order_by("end", "label__name")
    )
    found: Found = {}
    for row in rows:
        cluster = row["label__held_by__cluster"]
        for one, until in horizon:
            if (one.cluster_ids and cluster not in one.cluster_ids) or row["end"] > until:
                continue
            found.setdefault(one.pk, []).append(
                Point(
                    key=f"label:{row['label__code']}",
                    title=T("{c} : le label s'achève", "{c}: the label ends", c=field.name(cluster)),
                    kind="opinion" if one.scope == "national" else "discussion",
                    rule=T(
                        "La dernière période du label s'achève dans le délai d'annonce.",
                        "The label's last period ends within the delay of announcement.",
                    ),
                    figures={T("dernier jour", "last day"): row["end"], T("jusqu'au", "until"): until},
                    light="at_risk",
                    case=f"label:{row['label__code']}",
                    url=link("cluster", row["label__held_by__cluster__slug"]),
                    due_on=row["end"],
                    cluster=cluster,
                    parameter=one.terms.get("ahead").path,
                )
            )
    return found


# -- what waits for a decision ----------------------------------------------------------------------------------


def proposals_open(field: Field, day: dt.date) -> Found:
    """Open proposals of change in a text under negotiation."""
    rows = (
        Proposal.objects.filter(
            field.among("text__contract__cluster"),
            state="open",
            text__state="negotiation",
            at__lte=clock.end_of_day(day),
        )
        .values("text__contract", "text__contract__slug", "text__contract__title", "text__contract__cluster")
        .annotate(n=Count("pk"), since=Min("at"))
        .order_by("since")
    )
    found: Found = {}
    for row in rows:
        cluster = row["text__contract__cluster"]
        since = row["since"].astimezone(clock.PARIS).date()
        waited = (day - since).days
        point = Point(
            key=f"contract:{row['text__contract__slug']}",
            title=T(
                "{c} : {n} proposition(s) sans réponse",
                "{c}: {n} proposal(s) without an answer",
                c=field.name(cluster),
                n=row["n"],
            ),
            kind="decision",
            rule=T(
                "Une proposition de changement du contrat attend la réponse d'une partie.",
                "A proposed change of the contract waits for a party's answer.",
            ),
            figures={
                T("nombre", "number"): row["n"],
                T("depuis le", "since"): since,
                T("contrat", "contract"): row["text__contract__title"],
            },
            light="at_risk" if waited >= 30 else "not_started",
            case=f"contract:{row['text__contract__slug']}",
            url=link("contract", row["text__contract__slug"]),
            cluster=cluster,
        )
        _add(found, field.about(cluster), point)
    return found


def _open_texts(field: Field, day: dt.date) -> list[Text]:
    return list(
        Text.objects.filter(
            field.among("contract__cluster"),
            state__in=("draft", "negotiation", "signing"),
            contract__state__in=("preparing", "negotiation", "signing", "signed"),
            created_at__lte=clock.end_of_day(day),
        )
        .select_related("contract", "frozen")
        .defer("content")
        .prefetch_related("signatures")
        .order_by("contract__title", "number")
    )


def amendments_open(field: Field, day: dt.date) -> Found:
    """Amendments that are being drafted or negotiated."""
    found: Found = {}
    for text in _open_texts(field, day):
        if not text.number or text.state == "signing":
            continue
        cluster = text.contract.cluster_id
        since = text.created_at.astimezone(clock.PARIS).date()
        point = Point(
            key=f"amendment:{text.contract.slug}/{text.number}",
            title=T(
                "{c} : avenant n° {n} ouvert",
                "{c}: amendment no. {n} open",
                c=field.name(cluster),
                n=text.number,
            ),
            rule=T(
                "Un avenant au contrat est ouvert et n'est pas encore à la signature.",
                "An amendment of the contract is open and not yet up for signature.",
            ),
            figures={T("ouvert le", "opened on"): since, T("motif", "reason"): text.reason or text.title},
            light="not_started",
            case=f"contract:{text.contract.slug}",
            url=link("contract-amendment", text.contract.slug, text.number) or link("contract", text.contract.slug),
            cluster=cluster,
            simulated=text.contract.simulated,
        )
        _add(found, field.about(cluster), point)
    return found


def signatures_waiting(field: Field, day: dt.date) -> Found:
    """Texts that are open for signature."""
    found: Found = {}
    for text in _open_texts(field, day):
        if text.state != "signing":
            continue
        cluster = text.contract.cluster_id
        since = text.frozen.frozen_at.astimezone(clock.PARIS).date() if text.frozen else None
        point = Point(
            key=f"signature:{text.contract.slug}/{text.number}",
            title=T("{c} : texte à la signature", "{c}: text open for signature", c=field.name(cluster)),
            kind="information",
            rule=T(
                "Le texte est figé ; des parties n'ont pas encore signé.",
                "The text is frozen; some parties have not signed yet.",
            ),
            figures={
                T("figé le", "frozen on"): since,
                T("signatures reçues", "signatures received"): len(text.signatures.all()),
            },
            light="at_risk" if since and (day - since).days >= 30 else "not_started",
            case=f"contract:{text.contract.slug}",
            url=link("contract-signature", text.contract.slug) or link("contract", text.contract.slug),
            cluster=cluster,
            simulated=text.contract.simulated,
        )
        _add(found, field.about(cluster), point)
    return found


def reviews_due(field: Field, day: dt.date) -> Found:
    """Mid-term reviews (*examen à 18 mois*, group 2) that are near or past, of contracts under way."""
    laws = policy()
    templates = {t.code: t for t in laws.contract_templates}
    found: Found = {}
    for contract in field.contracts:
        if not contract.group:
            continue
        review = contract_rules.mid_term_review(
            starts_on=contract.starts_on,
            group=contract.group,
            template=templates.get(contract.template),
            policy_day=laws.on(contract.policy_day),
            day=contract.policy_day,
        )
        if review is None or day < review.due_on - REVIEW_SHOWN:
            continue
        point = Point(
            key=f"review:{contract.slug}",
            title=T("{c} : examen à 18 mois", "{c}: review at 18 months", c=contract.cluster_name)
            if review.why.value == 18
            else T("{c} : examen à mi-parcours", "{c}: mid-term review", c=contract.cluster_name),
            kind="opinion",
            rule=review.why.rule,
            figures={
                T("échéance", "due on"): review.due_on,
                T("début du contrat", "start of the contract"): contract.starts_on,
                T("groupe", "group"): contract.group,
            },
            light="late" if review.due_on < day else "at_risk",
            case=f"contract:{contract.slug}",
            url=_contract_url(contract),
            due_on=review.due_on,
            cluster=contract.cluster_id,
            parameter=review.why.parameter,
            simulated=contract.simulated,
        )
        _add(found, field.about(contract.cluster_id), point)
    return found


def follow_ups(field: Field, day: dt.date) -> Found:
    """What was decided and is not done, due by the session's day: it comes back by itself."""
    by_pk = {one.pk: one for one in field.seen}
    rows = FollowUp.objects.filter(committee__in=list(by_pk), state="open").select_related(
        "owner__organisation", "session", "decision"
    )
    found: Found = {}
    for row in rows.order_by("due_on", "pk"):
        one = by_pk[row.committee_id]
        if row.session.on >= one.session_on or not rules.comes_back(row.state, row.due_on, one.session_on):
            continue
        owner = (row.owner.function or row.owner.organisation.name) if row.owner else row.owner_label
        figures: dict[Any, Any] = {
            T("décidé le", "decided on"): row.session.on,
            T("responsable", "owner"): owner or T("personne", "nobody"),
            T("échéance", "due on"): row.due_on,
        }
        if row.due_on and row.due_on < day:
            figures[T("jours de retard", "days late")] = (day - row.due_on).days
        found.setdefault(one.pk, []).append(
            Point(
                key=f"follow-up:{row.pk}",
                title=T("Suite non faite : {t}", "Not done: {t}", t=row.title),
                rule=T(
                    "Ce qui a été décidé et n'est pas fait revient à la séance suivante.",
                    "What was decided and is not done comes back at the next session.",
                ),
                figures=figures,
                light=rules.follow_up_light(row.state, row.due_on, day),
                case=row.case,
                url=link("committee-follow-up", row.pk),
                due_on=row.due_on,
                simulated=row.simulated,
            )
        )
    return found


SOURCES: dict[str, Source] = {
    "follow_ups": follow_ups,
    "reports_late": reports_late,
    "indicators_missed": indicators_missed,
    "actions_late": actions_late,
    "objectives_at_risk": objectives_at_risk,
    "commitments_late": commitments_late,
    "commitments_ending": commitments_ending,
    "contracts_ending": contracts_ending,
    "labels_ending": labels_ending,
    "proposals_open": proposals_open,
    "amendments_open": amendments_open,
    "signatures_waiting": signatures_waiting,
    "reviews_due": reviews_due,
}


def _hook(name: str, seen: Sequence[Seen], day: dt.date) -> Found:
    """What a package's own ``agenda.py`` answers; nothing when it has none."""
    module = f"jalon.{name}.agenda"
    if not find_spec(module):
        return {}
    found = import_module(module)
    many = getattr(found, "items_for_many", None)
    if many is not None:
        return {pk: list(points) for pk, points in many(seen, day).items()}
    one = getattr(found, "items_for", None)
    return {} if one is None else {committee.pk: list(one(committee, day)) for committee in seen}


def points(
    committees: Sequence[Committee], day: dt.date, session_days: dict[int, dt.date] | None = None
) -> dict[int, list[tuple[str, Point]]]:
    """What the sources of each committee's kind have for it on a day, in the order of the policy.

    ``session_days``: the day of each committee's session, when it is known; what was decided and is due by then comes back.
    The number of queries depends on the sources asked, not on how many committees there are.
    """
    seen = see(committees, day, session_days)
    asked = access.kinds()
    wanted: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        for name in asked[one.kind].agenda if one.kind in asked else ():
            wanted[name].append(one)
    shared: dict[tuple[int, ...], Field] = {}
    answers: dict[str, Found] = {}
    for name, mine in wanted.items():
        if name in HOOKS:
            answers[name] = _hook(name, mine, day)
            continue
        key = tuple(one.pk for one in mine)
        if key not in shared:
            shared[key] = Field(mine, day)
        answers[name] = SOURCES[name](shared[key], day)
    return {
        one.pk: [
            (name, point)
            for name in (asked[one.kind].agenda if one.kind in asked else ())
            for point in answers[name].get(one.pk, ())
        ]
        for one in seen
    }


def see(committees: Sequence[Committee], day: dt.date, session_days: dict[int, dt.date] | None = None) -> list[Seen]:
    """The committees as sources see them; at most three queries."""
    known, laws = access.kinds(), policy()
    grounds: dict[int, list[int]] = defaultdict(list)
    for committee, cluster in Ground.objects.filter(committee__in=[c.pk for c in committees]).values_list(
        "committee_id", "cluster_id"
    ):
        grounds[committee].append(cluster)
    days = dict(session_days or {})
    if session_days is None:
        for pk, on in (
            Session.objects.filter(committee__in=[c.pk for c in committees], state__in=("planned", "convened", "open"))
            .order_by("-on")
            .values_list("committee_id", "on")
        ):
            days[pk] = on
    regional = _clusters_of_regions({c.region_code for c in committees if c.region_code}, day)
    terms: dict[str, rules.Terms] = {}
    out = []
    for c in committees:
        kind = known.get(c.kind)
        if kind is None:
            continue
        if c.kind not in terms:
            terms[c.kind] = rules.terms_of(laws, kind, day)
        mine = grounds.get(c.pk, [])
        if kind.scope == "region":
            mine = sorted({*mine, *regional.get(c.region_code, ())})
        out.append(Seen(c.pk, c.kind, kind.scope, c.region_code, tuple(mine), terms[c.kind], days.get(c.pk, day), c))
    return out


def _clusters_of_regions(codes: set[str], day: dt.date) -> dict[str, list[int]]:
    """The clusters of each region on a day; one query, none without a region."""
    regions = policy().regions_on(day)
    if not codes or regions is None:
        return {}
    from jalon.clusters.models import ClusterTerritory

    found: dict[str, list[int]] = defaultdict(list)
    for code, cluster in ClusterTerritory.objects.filter(region_set=regions.code, region_code__in=codes).values_list(
        "region_code", "cluster_id"
    ):
        found[code].append(cluster)
    return found


def kept(point: Point, day: dt.date) -> dict[str, Any]:
    """A point as plain values, in both languages: what an agenda keeps of it."""
    return {
        "title": plain(point.title),
        "rule": plain(point.rule),
        "figures": [[plain(k), plain(v)] for k, v in point.figures.items()],
        "parameter": point.parameter,
        "day": day.isoformat(),
    }


def kept_details(point: Point) -> list[dict[str, Any]]:
    """The things behind a point as plain values."""
    return [
        {"key": d.key, "title": plain(d.title), "text": plain(d.text), "light": d.light, "url": d.url}
        for d in point.details
    ]


def spoken(value: Any) -> Any:
    """A kept text in the language of the reader; a kept day as a day."""
    return _spoken(value, language())


def why_of(why: dict[str, Any]) -> Why:
    """The explanation kept with a point of an agenda."""
    lang = language()
    parameter = why.get("parameter", "")
    day = dt.date.fromisoformat(why["day"]) if why.get("day") else None
    found = policy().on(day).find(parameter) if parameter and day else None
    return Why(
        rule=T(*_pair(why.get("rule"))),
        parameter=parameter,
        value=found.value if found else None,
        unit=found.unit if found else "",
        reference=found.reference if found else "",
        url=(found.url or "") if found else "",
        reading=bool(found and found.reading),
        to_confirm=bool(found and found.to_confirm),
        day=day,
        inputs={T(*_pair(k)): _spoken(v, lang) for k, v in why.get("figures", ())},
    )


def _pair(value: Any) -> tuple[str, str]:
    if isinstance(value, dict):
        return str(value.get("fr", "")), str(value.get("en", ""))
    return str(value or ""), str(value or "")


def _spoken(value: Any, lang: str) -> Any:
    if isinstance(value, dict) and {"fr", "en"} <= value.keys():
        return value[lang]
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            return value
    return value
