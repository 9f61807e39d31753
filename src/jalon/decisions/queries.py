"""Reads for the pages of decisions: files, lines, effects told or planned, deadlines, the timeline of a cluster."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import NoReverseMatch, reverse

from jalon.clusters.access import clusters_of
from jalon.clusters.models import Cluster, ClusterGroup, Label, LabelAct, LabelPeriod
from jalon.clusters.queries import act_title, group_title, named_on
from jalon.contracts.access import visible_to as contracts_visible_to
from jalon.contracts.models import Contract
from jalon.core.lang import T, Text, language
from jalon.core.models import JournalEntry, Source
from jalon.core.why import Why
from jalon.decisions import access, effects, letters, rules, states
from jalon.decisions.models import Appeal, Decision, Line, Notice, Opinion
from jalon.evaluations import access as evaluation_access
from jalon.evaluations.models import Finding
from jalon.evaluations.states import OUTCOMES as FINDING_OUTCOMES
from jalon.interests.access import recused_cases
from jalon.people.access import Actor, policy


def link(name: str, *args: Any) -> str:
    """The address of a page by its name; empty when this installation does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


# --- list ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A decision file in the list: what it decides, by how many lines of each kind."""

    decision: Decision
    kinds: tuple[tuple[Any, int], ...]

    @property
    def state(self) -> Any:
        return states.TITLES[self.decision.state]

    @property
    def tone(self) -> str:
        return states.TONES[self.decision.state]


def listing(actor: Actor, on: dt.date, *, state: str = "", kind: str = "") -> QuerySet[Decision]:
    """The files that the actor may know of, newest first."""
    rows = access.visible_to(actor, on)
    if state in states.TITLES:
        rows = rows.filter(state=state)
    if kind:
        rows = rows.filter(lines__kind=kind).distinct()
    return rows.order_by("-decided_on", "-proposed_on", "-id")


def rows_of(decisions: Sequence[Decision]) -> list[Row]:
    """The rows of the list, with the number of lines of each kind; one query."""
    counts: dict[int, Counter[str]] = {}
    for decision, kind, n in (
        Line.objects.filter(decision__in=[d.pk for d in decisions])
        .order_by()
        .values_list("decision_id", "kind")
        .annotate(n=Count("pk"))
    ):
        counts.setdefault(decision, Counter())[kind] = n
    laws = policy()

    def said(code: str) -> Any:
        found = rules.kind_of(laws, code)
        return found.title if found else code

    return [Row(d, tuple((said(code), n) for code, n in sorted(counts.get(d.pk, {}).items()))) for d in decisions]


# --- a file --------------------------------------------------------------------------------------------------------


@dataclass
class LineView:
    """A line as the page shows it."""

    line: Line
    kind: Any
    group: Any = None
    effects: list[Any] = field(default_factory=list)
    notice: Notice | None = None
    clock: rules.AppealClock | None = None
    appeals: list[Appeal] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    work: bool = False
    own: bool = False
    appeal_form: Any = None
    received_form: Any = None
    conditions_form: Any = None
    evaluation_url: str = ""
    hearing_url: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def kind_title(self) -> Any:
        return self.kind.title if self.kind else self.line.kind

    @property
    def cluster_url(self) -> str:
        return link("cluster", self.line.cluster.slug) if self.line.cluster else ""

    @property
    def candidacy_url(self) -> str:
        return link("candidacy", self.line.candidacy.slug) if self.line.candidacy else ""


@dataclass(frozen=True)
class OpinionView:
    """A body that is asked, and what it said; ``given`` is None while it is awaited."""

    body: Any
    given: Opinion | None
    known: bool = False  # the file was entered from sources, which do not tell this opinion

    @property
    def title(self) -> Any:
        if self.given:
            return rules.OUTCOMES[self.given.outcome]
        return rules.OUTCOMES["not_found"] if self.known else T("attendu", "awaited")

    @property
    def light(self) -> str:
        if self.given:
            return rules.OUTCOME_LIGHTS[self.given.outcome]
        return "unknown" if self.known else "not_started"

    @property
    def why(self) -> Why:
        return Why(
            rule=T("Cette instance rend un avis avant la décision.", "This body gives an opinion before the decision."),
            parameter=f"decisions.bodies.{self.body.code}",
            reference=self.body.reference,
            url=self.body.url or "",
            reading=self.body.reading,
            to_confirm=self.body.to_confirm,
        )


def why_read(stored: dict[str, Any]) -> Any:
    """A stored explanation, in the language spoken."""
    if not stored:
        return None
    rule = stored.get("rule") or {}
    return {**stored, "rule": rule.get(language(), rule.get("fr", ""))}


@dataclass(frozen=True)
class EffectView:
    """An effect, planned or done."""

    said: Any
    done: bool
    on: str
    url: str
    why: Any
    amount: Any = None
    refusal: Any = None

    @property
    def title(self) -> Any:
        return EFFECT_TITLES.get(self.on, self.on)


EFFECT_TITLES = {
    "label": T("Label", "Label"),
    "cluster": T("Registre", "Register"),
    "contract": T("Contrats", "Contracts"),
    "draft": T("Projets de texte", "Drafts"),
    "commitment": T("Engagements", "Commitments"),
    "request": T("Demandes de label de projet", "Requests for projects' labels"),
    "project": T("Projets", "Projects"),
    "candidacy": T("Candidature", "Application"),
}


def target_url(target: str) -> str:
    """The page of what an effect touched."""
    kind, _, name = target.partition(":")
    pages = {
        "contract": "contract",
        "cluster": "cluster",
        "candidacy": "candidacy",
        "project": "project",
        "label": "label",
    }
    return link(pages[kind], name) if kind in pages and name else ""


INNER = frozenset({"draft", "request", "project"})
"""Effects that name what is not public: texts being negotiated, requests for a label, projects under review."""


def effect_views(line: Line, *, inner: bool = True) -> list[EffectView]:
    """Effects that were carried out, as they were written; without ``inner`` only those that everybody may read."""
    said = "said_en" if language() == "en" else "said_fr"
    return [
        EffectView(getattr(r, said), r.done, r.on, target_url(r.target), why_read(r.why), r.amount)
        for r in line.effects.all()
        if inner or r.on not in INNER
    ]


def planned_views(rows: Iterable[effects.Planned]) -> list[EffectView]:
    """Effects in advance: the same sentences."""
    return [EffectView(p.said, p.done, p.on, target_url(p.target), p.why, p.amount, p.refusal) for p in rows]


def line_views(decision: Decision, actor: Actor, on: dt.date, *, planned: bool = True) -> list[LineView]:
    """The lines that the actor may read, with effects (told, or planned for those who work on the file), notice, appeals."""
    laws = policy()
    lines = list(
        access.lines_of(actor, decision, on)
        .select_related("cluster", "label", "candidacy__organisation", "decision")
        .prefetch_related("effects", "notices", "appeals")
        .order_by("order", "id")
    )
    named_on([x.cluster for x in lines if x.cluster], decision.decided_on or on)
    work = access.reads_work(actor)
    own: set[int] = set()
    if actor.side == "governance":
        from jalon.clusters.access import carried_by

        own = set(carried_by(actor, on).values_list("pk", flat=True))
    followed: set[int] = set()
    if actor.signed_in and not work and not own and actor.can("decision.opine"):
        followed = set(clusters_of(actor, on).values_list("pk", flat=True))
    evaluations, findings = _grounds(decision, lines, actor, on, work, own)
    ahead = effects.plan(lines, on) if planned and work and decision.state in ("draft", "opinions") and lines else {}
    out = []
    for line in lines:
        notice = next(iter(line.notices.all()), None)
        kind = rules.kind_of(laws, line.kind)
        mine = line.cluster_id in own
        reads_cluster = line.cluster_id in followed
        appeals = list(line.appeals.all()) if work or mine else []
        for one in appeals:
            one.kind_title = states.APPEAL_KINDS[one.kind]
            one.outcome_title = states.APPEAL_OUTCOMES.get(one.outcome, "")
        out.append(
            LineView(
                line,
                kind,
                letters.group_said(decision.campaign, line.group) if line.group else None,
                planned_views(ahead[line.pk])
                if line.pk in ahead
                else effect_views(line, inner=work or mine or reads_cluster),
                notice,
                rules.appeal_clock(laws, notice.received_on, overseas=notice.overseas, place=notice.place)
                if notice
                else None,
                appeals,
                [],
                work or mine,
                mine,
                evaluation_url=link("evaluation", evaluations[line.cluster_id])
                if line.cluster_id in evaluations
                else "",
                hearing_url=link("hearing", line.basis["hearing"])
                if line.basis.get("hearing") and (mine or (actor.national and actor.can("evaluation.manage")))
                else "",
                findings=[findings[pk] for pk in line.basis.get("findings") or () if pk in findings],
            )
        )
    return out


def _grounds(
    decision: Decision, lines: Sequence[Line], actor: Actor, on: dt.date, work: bool, own: set[int]
) -> tuple[dict[int, int], dict[int, Finding]]:
    """What the lines rest on, as far as the actor reads it: evaluation by cluster, findings by number; two queries at most.

    The findings are told to those who work on the file, who answer for what is founded on them, and to the cluster itself.
    """
    clusters = [x.cluster_id for x in lines if x.cluster_id]
    evaluations: dict[int, int] = {}
    if decision.campaign and clusters:
        rows = evaluation_access.visible_to(actor, on).filter(
            campaign__evaluation=decision.campaign, cluster__in=clusters
        )
        evaluations = dict(rows.order_by("pk").values_list("cluster_id", "pk"))
    keys = [pk for x in lines if work or x.cluster_id in own for pk in x.basis.get("findings") or ()]
    if not keys:
        return evaluations, {}
    away = [int(case.partition(":")[2]) for case in recused_cases(actor.user_id, "evaluation")]
    findings = Finding.objects.exclude(hearing__evaluation__in=away).in_bulk(keys)
    for one in findings.values():
        one.said = one.final_text or one.text
        one.outcome_title = FINDING_OUTCOMES.get(one.outcome, T("sans position finale", "without a final position"))
    return evaluations, findings


def campaign_url(decision: Decision, actor: Actor, on: dt.date) -> str:
    """The page of the evaluation campaign that a file rests on, if the actor may know of it."""
    if not decision.campaign:
        return ""
    row = evaluation_access.campaigns_visible_to(actor, on).filter(evaluation=decision.campaign).order_by("pk").first()
    return link("campaign", row.code) if row else ""


def opinion_views(decision: Decision, on: dt.date) -> list[OpinionView]:
    """The bodies that are asked about a file, each with its opinion."""
    day = decision.decided_on or on
    kinds = decision.lines.values_list("kind", flat=True)
    given = {o.body: o for o in decision.opinions.filter(replaced_at=None, line=None)}
    asked = rules.bodies_asked(policy(), kinds, day)
    found = [OpinionView(body, given.pop(body.code, None), decision.known) for body in asked]
    part = rules.part_of(policy())
    for code, opinion in given.items():  # a body that was asked then and is not on the list of the day
        body = next((b for b in part.bodies if b.code == code), None)
        if body is not None:
            found.append(OpinionView(body, opinion))
    return found


def authority_on(day: dt.date) -> tuple[Any, Why | None]:
    """Who decides on a day, with why."""
    named = policy().label_decider_on(day)
    if named is None:
        return None, None
    return named, Why(
        rule=T(
            "L'autorité qui décide d'un label est datée dans la politique.",
            "The authority that decides on a label is dated in the policy.",
        ),
        parameter="labels.decided_by",
        value=named.title,
        reference=named.reference,
        url=named.url or "",
        day=day,
    )


def journal_of(decision: Decision) -> list[JournalEntry]:
    """The acts on a file, oldest first, each with the name of its act."""
    rows = list(JournalEntry.objects.filter(case=decision.case).order_by("seq"))
    for row in rows:
        row.act_title = states.ACTS.get(row.act, row.act)
    return rows


def sources_of(keys: Iterable[str]) -> dict[str, Source]:
    """The sources of those keys."""
    return {s.key: s for s in Source.objects.filter(key__in=list(keys))}


def labels_to_decide(on: dt.date) -> list[tuple[Label, list[Cluster]]]:
    """Labels in force on a day, with their holders: what a proposal may be about; two queries."""
    periods = LabelPeriod.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=on), superseded_at=None, starts_on__lte=on, certainty__in=("known", "deduced")
    )
    labels = list(
        Label.objects.filter(id__in=periods.values("label_id"))
        .prefetch_related("held_by__cluster")
        .order_by("name", "code")
    )
    return [(label, [h.cluster for h in label.held_by.all() if h.role == "holder"]) for label in labels]


def campaigns(on: dt.date) -> list[tuple[str, Text]]:
    """Evaluations whose groups are published by a day: what a proposal may rest on."""
    found = (
        ClusterGroup.objects.filter(Q(on=None) | Q(on__lte=on), superseded_at=None)
        .order_by("evaluation")
        .values_list("evaluation", flat=True)
        .distinct()
    )
    return [(code, T("Évaluation de {c}", "Evaluation of {c}", c=code)) for code in found]


# --- the timeline of a cluster -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """A dated event of a cluster's life, with its kind for the filter."""

    day: dt.date
    kind: str
    title: Any
    text: Any = ""
    until: dt.date | None = None
    who: Any = ""
    url: str = ""
    source: str = ""
    light: str = ""
    simulated: bool = False


EVENT_KINDS = {
    "label": T("Labels", "Labels"),
    "evaluation": T("Évaluations", "Evaluations"),
    "decision": T("Décisions", "Decisions"),
    "contract": T("Contrats", "Contracts"),
    "review": T("Examens", "Reviews"),
    "candidacy": T("Candidatures", "Applications"),
}


def timeline(cluster: Cluster, actor: Actor, on: dt.date) -> list[Event]:
    """What is known of a cluster up to a day, oldest first: labels, evaluations, decisions, contracts, reviews, applications.

    Each list is asked with what the actor may see; a draft of others is not there.
    """
    found: list[Event] = []
    acts = (
        LabelAct.objects.filter(label__held_by__cluster=cluster, superseded_at=None).select_related("label").distinct()
    )
    for act in acts:
        day = act.decided_on or act.effective_from
        if day > on:
            continue
        found.append(
            Event(
                day,
                "label",
                T("{a} : « {n} »", "{a}: “{n}”", a=act_title(act.act), n=act.label.name),
                T("du {a} au {b}", "from {a} to {b}", a=act.effective_from, b=act.until)
                if act.until
                else T("à compter du {a}", "from {a} on", a=act.effective_from),
                who=act.body,
                source=" ".join(act.sources),
                url=link("label", act.label.code),
            )
        )
    for row in ClusterGroup.objects.filter(Q(on=None) | Q(on__lte=on), cluster=cluster, superseded_at=None):
        if row.on is not None:
            found.append(
                Event(
                    row.on,
                    "evaluation",
                    T("Évaluation de {e} : {g}", "Evaluation of {e}: {g}", e=row.evaluation, g=group_title(row.evaluation, row.group)),
                    source=" ".join(row.sources),
                    simulated=row.simulated,
                )
            )  # fmt: skip
    laws = policy()
    for line in (
        Line.objects.filter(decision__in=access.visible_to(actor, on).values("pk"), cluster=cluster)
        .select_related("decision")
        .prefetch_related("notices", "appeals")
    ):
        decision, kind = line.decision, rules.kind_of(laws, line.kind)
        day = decision.decided_on or decision.proposed_on
        if day is None or day > on:
            continue
        found.append(
            Event(
                day,
                "decision",
                T("{d} : {k}", "{d}: {k}", d=decision.title, k=kind.said if kind else line.kind),
                line.reasons,
                url=link("decision", decision.slug),
                who=decision.reference,
                simulated=decision.simulated,
            )
        )
        for notice in line.notices.all():
            if notice.appeal_until and notice.appeal_until <= on:
                found.append(
                    Event(notice.appeal_until, "decision", T("Fin du délai de recours", "End of the delay to appeal"), url=link("decision", decision.slug))
                )  # fmt: skip
    for contract in contracts_visible_to(actor, on, Contract.objects.filter(cluster=cluster)):
        url = link("contract", contract.slug)
        if contract.signed_on and contract.signed_on <= on:
            found.append(
                Event(
                    contract.signed_on,
                    "contract",
                    T("Contrat signé : {c}", "Contract signed: {c}", c=contract.title),
                    T("du {a} au {b}", "from {a} to {b}", a=contract.starts_on, b=contract.ends_on)
                    if contract.starts_on and contract.ends_on
                    else "",
                    url=url,
                    source=" ".join(contract.sources),
                    simulated=contract.simulated,
                )
            )
        if contract.closed_on and contract.closed_on <= on:
            found.append(
                Event(contract.closed_on, "contract", T("Contrat clos : {c}", "Contract closed: {c}", c=contract.title), url=url, simulated=contract.simulated)
            )  # fmt: skip
        review = _review(contract, on)
        if review is not None:
            found.append(review)
    for row in access.applications(actor, on).filter(cluster=cluster).select_related("call"):
        if row.outcome_on and row.outcome_on <= on:
            found.append(
                Event(row.outcome_on, "candidacy", T("Candidature « {n} » : {s}", "Application “{n}”: {s}", n=row.name, s=states.CANDIDACY_TITLES[row.state]), url=link("candidacy", row.slug), simulated=row.simulated)
            )  # fmt: skip
    return sorted(found, key=lambda e: (e.day, list(EVENT_KINDS).index(e.kind)))


def _review(contract: Contract, on: dt.date) -> Event | None:
    """The review that the policy asks for, once it is due or announced within the year."""
    from jalon.contracts.queries import template_of
    from jalon.contracts.rules import mid_term_review

    review = mid_term_review(
        starts_on=contract.starts_on,
        group=contract.group,
        template=template_of(contract),
        policy_day=policy().on(contract.policy_day),
        day=on,
    )
    if review is None or contract.state != "signed" or (review.due_on - on).days > 366:
        return None
    return Event(
        review.due_on,
        "review",
        T("Examen des axes d'amélioration", "Review of the improvement axes"),
        T("échéance de l'examen à 18 mois", "due day of the 18-month review"),
        url=link("contract", contract.slug),
        light="not_yet_due" if review.due_on >= on else "at_risk",
        simulated=contract.simulated,
    )
