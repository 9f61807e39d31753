"""Pages of decision files: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache

from jalon.clusters.models import Cluster, ClusterGroup
from jalon.clusters.queries import counts_in_words, named_on
from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.sheets import Column
from jalon.decisions import access, actions, effects, queries, rules, states
from jalon.decisions.forms import (
    AnswerForm,
    AppealForm,
    ConditionsForm,
    DecideForm,
    LineForm,
    NotifyForm,
    OpinionForm,
    ProposeForm,
    PublishForm,
    ReasonForm,
    ReceivedForm,
)
from jalon.decisions.models import Appeal, Candidacy, Decision, Line
from jalon.people.access import policy
from jalon.ui.http import acts, export, page, wants

ROOT = T("Dossiers de décision", "Decision files")


def found(request: HttpRequest, slug: str) -> Decision:
    """The file, if the actor may know of it; one of others does not exist for them."""
    row = access.visible_to(request.actor, clock.today()).select_related("frozen").filter(slug=slug).first()
    if row is None:
        raise Http404
    return row


def _line(request: HttpRequest, slug: str, pk: int) -> Line:
    decision = found(request, slug)
    row = access.lines_of(request.actor, decision, clock.today()).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _trail(*more: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [{"url": reverse("decision-files"), "label": ROOT}, *({"url": u, "label": t} for u, t in more)]


def _none(request: HttpRequest) -> HttpResponse | None:
    """The page of a programme whose policy says nothing of decisions; None when it does."""
    if rules.part_of(policy()) is not None:
        return None
    return render(
        request,
        "decisions/none.html",
        {"title": ROOT, "breadcrumb": [{"url": None, "label": ROOT}]},
    )


# -- list -------------------------------------------------------------------------------------------------------


@page
def index(request: HttpRequest) -> HttpResponse:
    """Decision files that the actor may know of, newest first."""
    if (none := _none(request)) is not None:
        return none
    actor, on = request.actor, clock.today()
    state, kind = request.GET.get("etat", ""), request.GET.get("nature", "")
    rows = queries.listing(actor, on, state=state, kind=kind)
    if wants(request) != "html":
        return _exported(request, rows, on)
    shown = Paginator(rows, 30).get_page(request.GET.get("page"))
    named, why = queries.authority_on(on)
    return render(
        request,
        "decisions/list.html",
        {
            "title": ROOT,
            "rows": queries.rows_of(list(shown)),
            "page_of": shown,
            "states": [(s.code, s.title) for s in states.STATES] if access.inside(actor) else [],
            "kinds": [(k.code, k.title) for k in rules.part_of(policy()).kinds],
            "asked": {"state": state, "kind": kind},
            "authority": named,
            "authority_why": why,
            "proposes": actor.can("decision.propose"),
            "breadcrumb": [{"url": None, "label": ROOT}],
        },
    )


def _exported(request: HttpRequest, rows: Any, on: dt.date) -> HttpResponse:
    columns = [
        ("decision", Column(T("Dossier", "File"))),
        ("state", Column(T("État", "State"))),
        ("decided_on", Column(T("Décidé le", "Decided on"))),
        ("authority", Column(T("Autorité", "Authority"))),
        ("reference", Column(T("Référence", "Reference"))),
        ("cluster", Column(T("Pôle", "Cluster"))),
        ("kind", Column(T("Décision", "Decision"))),
        ("from", Column(T("À compter du", "From"))),
        ("until", Column(T("Jusqu'au", "Until"))),
        ("reasons", Column(T("Motifs", "Reasons"))),
        ("simulated", Column(T("Simulé", "Simulated"))),
    ]
    laws = policy()
    authorities = {b.code: b.title for b in laws.label_deciders}
    decisions = {d.pk: d for d in rows}
    inside = access.inside(request.actor)
    lines = (
        Line.objects.filter(decision__in=decisions).select_related("cluster", "candidacy").order_by("-decision__decided_on", "decision_id", "order")
    )  # fmt: skip
    if not inside:
        own = access.clusters_of(request.actor, on)
        lines = lines.filter(access.Q(decision__in=[d.pk for d in decisions.values() if d.published_on and d.published_on <= on]) | access.Q(cluster__in=own))  # fmt: skip
    lines = list(lines)
    named_on([x.cluster for x in lines if x.cluster], on)

    def cells() -> Any:
        for line in lines:
            d, kind = decisions[line.decision_id], rules.kind_of(laws, line.kind)
            yield (
                d.title,
                str(states.TITLES[d.state]),
                d.decided_on,
                str(authorities.get(d.authority, d.authority)),
                d.reference,
                line.name,
                str(kind.title if kind else line.kind),
                line.effective_from,
                line.until,
                line.reasons,
                str(T("oui", "yes") if line.simulated else T("non", "no")),
            )

    return export(request, str(T("decisions-sur-les-labels", "decisions-on-labels")), columns, cells())


# -- a file -----------------------------------------------------------------------------------------------------


@never_cache
@page
def read(request: HttpRequest, slug: str) -> HttpResponse:
    """A decision file: proposal, evidence, opinions, act, effects, notifications, appeals, what happened since."""
    decision = found(request, slug)
    return _page(request, decision)


def _page(request: HttpRequest, decision: Decision, *, status: int = 200, **more: Any) -> HttpResponse:
    actor, on = request.actor, clock.today()
    laws = policy()
    work = access.reads_work(actor)
    views = queries.line_views(decision, actor, on)
    opinions = queries.opinion_views(decision, on) if work or any(v.work for v in views) else []
    named, authority_why = queries.authority_on(decision.decided_on or on)
    titles = {b.code: b.title for b in laws.label_deciders}
    bodies = [o.body for o in opinions]
    mine = [
        b for b in bodies if actor.role in b.roles and (actor.can("decision.opine") or actor.can("decision.propose"))
    ]
    missing = [o for o in opinions if o.given is None]
    forms: dict[str, Any] = {}
    if decision.state == "opinions" and mine:
        forms["opinion_form"] = OpinionForm(
            bodies=mine, known=bool(decision.national), initial={"given_on": on.isoformat()}
        )
    if decision.state == "opinions" and actor.can("decision.decide"):
        forms["decide_form"] = DecideForm(
            authorities=laws.label_deciders,
            initial={
                "rev": decision.rev,
                "decided_on": on.isoformat(),
                "published_on": on.isoformat(),
                "authority": named.code if named else "",
            },
        )
    waiting = [v for v in views if v.notice is None and decision.state == "decided"]
    if decision.state == "decided" and actor.can("decision.notify"):
        if waiting:
            forms["notify_form"] = NotifyForm(initial={"sent_on": on.isoformat()})
        if decision.published_on is None:
            forms["publish_form"] = PublishForm(initial={"published_on": on.isoformat()})
    told = [e for v in views for e in v.effects]
    _forms_of_lines(views, decision, actor, on)
    context = {
        "title": decision.title,
        "decision": decision,
        "state": states.TITLES[decision.state],
        "tone": states.TONES[decision.state],
        "views": views,
        "work": work,
        "opinions": opinions,
        "missing": missing,
        "authority": titles.get(decision.authority) or (named.title if named else ""),
        "authority_why": authority_why,
        "refusals": [e.refusal for e in told if e.refusal is not None],
        "released": sum((e.amount for e in told if e.amount), start=0) or None,
        "campaign": dict(queries.campaigns(on)).get(decision.campaign, decision.campaign) if decision.campaign else "",
        "campaign_url": queries.campaign_url(decision, actor, on),
        "journal": queries.journal_of(decision) if work else [],
        "to_notify": waiting,
        "proposes": actor.can("decision.propose") and not decision.known,
        "notifies": actor.can("decision.notify"),
        "decides": actor.can("decision.decide"),
        "return_form": ReasonForm(auto_id="reprendre-%s"),
        "drop_form": ReasonForm(auto_id="abandonner-%s"),
        "counts": counts_in_words(decision.counts),
        "sources": queries.sources_of(decision.sources),
        "breadcrumb": _trail((None, decision.title)),
        "known_note": decision.known,
        **forms,
        **more,
    }
    if wants(request) == "json":
        return JsonResponse(_json(decision, views))
    return render(request, "decisions/read.html", context, status=status)


def _forms_of_lines(views: list[Any], decision: Decision, actor: Any, on: dt.date) -> None:
    """The small forms of each line, each with its own identifiers in the page."""
    if decision.state != "decided" or decision.known:
        return
    notifies, answers = actor.can("decision.notify"), actor.can("decision.decide") or actor.can("decision.notify")
    for v in views:
        pk = v.line.pk
        if v.notice is not None and (v.own or notifies):
            v.appeal_form = AppealForm(auto_id=f"recours{pk}-%s", initial={"lodged_on": on.isoformat()})
        if v.notice is not None and v.notice.received_on is None and notifies:
            v.received_form = ReceivedForm(auto_id=f"recu{pk}-%s", initial={"received_on": on.isoformat()})
        if v.line.conditions and v.line.conditions_met_on is None and notifies:
            v.conditions_form = ConditionsForm(auto_id=f"conditions{pk}-%s", initial={"met_on": on.isoformat()})
        for one in v.appeals:
            if answers and not one.outcome:
                one.answer_form = AnswerForm(auto_id=f"reponse{one.pk}-%s")


def _json(decision: Decision, views: list[Any]) -> dict[str, Any]:
    return {
        "file": decision.slug,
        "title": decision.title,
        "state": decision.state,
        "authority": decision.authority,
        "reference": decision.reference,
        "decided_on": decision.decided_on,
        "published_on": decision.published_on,
        "known": decision.known,
        "simulated": decision.simulated,
        "lines": [
            {
                "cluster": v.line.cluster.slug if v.line.cluster else "",
                "name": v.line.name,
                "kind": v.line.kind,
                "from": v.line.effective_from,
                "until": v.line.until,
                "effects": [str(e.said) for e in v.effects],
                "appeal_until": v.clock.until if v.clock else None,
            }
            for v in views
        ],
    }


@never_cache
@page
def propose(request: HttpRequest) -> HttpResponse:
    """Open a file."""
    actor, on = request.actor, clock.today()
    actor.require("decision.propose")
    if (none := _none(request)) is not None:
        return none
    form = ProposeForm(request.POST or None, campaigns=queries.campaigns(on))
    refusal = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            decision = actions.open_decision(
                title=said["title"],
                slug=slugify(said["title"])[:60] or "dossier",
                campaign=said["campaign"],
                grounds=said["grounds"],
                by=actor,
                on=on,
            )
        except Refused as error:
            refusal = error
        else:
            return redirect("decision-lines", decision.slug)
    return render(
        request,
        "decisions/propose.html",
        {
            "title": T("Proposer une décision", "Propose a decision"),
            "form": form,
            "refusal": refusal,
            "breadcrumb": _trail((None, T("Proposer", "Propose"))),
        },
        status=400 if refusal else 200,
    )


def _targets(on: dt.date) -> list[tuple[str, Any]]:
    """Labels in force and applications under review: what a line may name."""
    labels = [
        (f"label:{label.code}", f"{', '.join(c.name for c in holders) or label.name} – {label.name}")
        for label, holders in queries.labels_to_decide(on)
    ]
    waiting = Candidacy.objects.filter(state="submitted").order_by("call__code", "name")
    return [
        (str(T("Labels en vigueur", "Labels in force")), labels),
        (str(T("Candidatures", "Applications")), [(f"candidacy:{c.slug}", c.name) for c in waiting]),
    ]


@never_cache
@page
def lines(request: HttpRequest, slug: str) -> HttpResponse:
    """Write the proposal: add a line, take lines away, take up a whole classification."""
    actor, on = request.actor, clock.today()
    actor.require("decision.propose")
    decision = found(request, slug)
    laws = policy()
    form = LineForm(None, kinds=rules.kinds_on(laws, on), targets=_targets(on))
    refusal = None
    if request.method == "POST":
        try:
            kept = _kept(decision, request.POST.getlist("remove"))
            if "add" in request.POST:
                form = LineForm(request.POST, kinds=rules.kinds_on(laws, on), targets=_targets(on))
                if form.is_valid():
                    kept.append(_new_line(form.cleaned_data, decision, on))
            elif "classification" in request.POST:
                kept += _from_groups(decision, kept, on)
            if not form.is_bound or form.is_valid():
                actions.set_lines(decision, kept, by=actor, on=on, rev=int(request.POST.get("rev") or decision.rev))
                messages.success(request, str(T("La proposition est enregistrée.", "The proposal is saved.")))
                return redirect("decision-lines", decision.slug)
        except Refused as error:
            refusal = error
    return render(
        request,
        "decisions/lines.html",
        {
            "title": T("Proposition : {t}", "Proposal: {t}", t=decision.title),
            "decision": decision,
            "views": queries.line_views(decision, actor, on, planned=False),
            "form": form,
            "refusal": refusal,
            "groups": bool(decision.campaign),
            "editable": decision.state == "draft",
            "breadcrumb": _trail(
                (reverse("decision", args=[decision.slug]), decision.title), (None, T("Lignes", "Lines"))
            ),
        },
        status=400 if refusal else 200,
    )


def _kept(decision: Decision, removed: list[str]) -> list[actions.NewLine]:
    return [
        actions.NewLine(
            x.kind,
            x.effective_from,
            x.until,
            x.cluster,
            x.label,
            x.candidacy,
            x.group,
            x.conditions,
            x.conditions_due_on,
            x.reasons,
            x.terms,
            x.basis,
        )
        for x in decision.lines.select_related("cluster", "label", "candidacy")
        if str(x.pk) not in removed
    ]


def _new_line(said: dict[str, Any], decision: Decision, on: dt.date) -> actions.NewLine:
    kind, _, name = said["target"].partition(":")
    label = cluster = candidacy = None
    terms: dict[str, Any] = {}
    group = ""
    if kind == "label":
        label, holders = next((one for one in queries.labels_to_decide(on) if one[0].code == name), (None, []))
        cluster = holders[0] if holders else None
        group = _group_of(cluster, decision.campaign) if cluster else ""
    else:
        candidacy = Candidacy.objects.filter(slug=name, state="submitted").select_related("organisation").first()
        if candidacy is not None:
            terms = {
                "slug": candidacy.slug,
                "code": f"{candidacy.slug}-{said['effective_from'].year}",
                "name": candidacy.name,
            }
    if label is None and candidacy is None:
        raise Refused(
            T(
                "Ce label ou cette candidature n'est plus à décider.",
                "This label or application is no longer to be decided.",
            )
        )
    return actions.NewLine(
        said["kind"],
        said["effective_from"],
        said["until"],
        cluster,
        label,
        candidacy,
        group,
        said["conditions"],
        said["conditions_due_on"],
        said["reasons"],
        terms,
        effects.basis_of(cluster, decision.campaign),
    )


def _group_of(cluster: Cluster, campaign: str) -> str:
    row = ClusterGroup.objects.filter(cluster=cluster, evaluation=campaign, superseded_at=None).first()
    return row.group if row else ""


def _from_groups(decision: Decision, there: list[actions.NewLine], on: dt.date) -> list[actions.NewLine]:
    """A line for each label whose group leads to a kind of decision; those without a known group are left to be written."""
    laws, out = policy(), []
    known = {x.label.pk for x in there if x.label}
    groups = dict(
        ClusterGroup.objects.filter(evaluation=decision.campaign, superseded_at=None).values_list("cluster_id", "group")
    )
    kinds = {g: k for k in rules.kinds_on(laws, on) for g in k.groups}
    for label, holders in queries.labels_to_decide(on):
        group = next((groups[c.pk] for c in holders if c.pk in groups), "")
        kind = kinds.get(group)
        if kind is None or label.pk in known:
            continue
        last = max((p.ends_on for p in label.periods.filter(superseded_at=None) if p.ends_on), default=None)
        starts = last + dt.timedelta(days=1) if last else on
        years = 1 if kind.most_months else _longest(laws, starts)
        out.append(
            actions.NewLine(
                kind.code,
                starts,
                rules.last_day_of(starts, years) if years else None,
                holders[0],
                label,
                group=group,
                reasons=str(T("Classement de l'évaluation {c}.", "Classification of evaluation {c}.", c=decision.campaign)) if kind.reasons else "",
                basis=effects.basis_of(holders[0], decision.campaign),
            )
        )  # fmt: skip
    if not out:
        raise Refused(
            T(
                "Aucun groupe publié de cette évaluation ne mène à une décision que la politique nomme.",
                "No published group of this evaluation leads to a decision that the policy names.",
            )
        )
    return out


def _longest(laws: Any, starts: dt.date) -> int | None:
    allowed = rules.parameter(laws, "labels.durations_allowed", starts)
    return max(allowed.value) if allowed else None


@never_cache
@page
def effects_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything that the decision would do, or did: one table, exported like the others."""
    actor, on = request.actor, clock.today()
    decision = found(request, slug)
    views = queries.line_views(decision, actor, on)
    if not access.reads_work(actor) and decision.state != "decided":
        raise Http404
    if wants(request) != "html":
        columns = [
            ("cluster", Column(T("Pôle", "Cluster"))),
            ("on", Column(T("Sur", "On"))),
            ("effect", Column(T("Effet", "Effect"))),
            ("done", Column(T("Change quelque chose", "Changes something"))),
            ("amount", Column(T("Montant", "Amount"), kind="money")),
        ]
        return export(
            request,
            str(T("effets-{s}", "effects-{s}", s=decision.slug)),
            columns,
            (
                (v.line.name, str(queries.EFFECT_TITLES.get(e.on, e.on)), str(e.said), str(T("oui", "yes") if e.done else T("non", "no")), e.amount)
                for v in views
                for e in v.effects
            ),
            simulated=decision.simulated,
        )  # fmt: skip
    return render(
        request,
        "decisions/effects.html",
        {
            "title": T("Effets : {t}", "Effects: {t}", t=decision.title),
            "decision": decision,
            "views": views,
            "ahead": decision.state in ("draft", "opinions"),
            "breadcrumb": _trail(
                (reverse("decision", args=[decision.slug]), decision.title), (None, T("Effets", "Effects"))
            ),
        },
    )


# -- acts -------------------------------------------------------------------------------------------------------


def _said(request: HttpRequest, fr: str, en: str) -> None:
    messages.success(request, str(T(fr, en)))


def _rev(request: HttpRequest) -> int | None:
    text = request.POST.get("rev", "")
    return int(text) if text.isdecimal() else None


@acts
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    actions.submit(found(request, slug), by=request.actor, on=clock.today(), rev=_rev(request))
    _said(request, "Les avis sont demandés.", "The opinions are asked for.")
    return redirect("decision", slug)


@acts
def take_up(request: HttpRequest, slug: str) -> HttpResponse:
    actions.take_up(found(request, slug), reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    _said(request, "La proposition est de nouveau en rédaction.", "The proposal is being written again.")
    return redirect("decision-lines", slug)


@acts
def drop(request: HttpRequest, slug: str) -> HttpResponse:
    actions.drop(found(request, slug), reason=request.POST.get("reason", ""), by=request.actor, on=clock.today())
    _said(
        request,
        "La proposition est abandonnée ; le dossier reste lisible.",
        "The proposal is dropped; the file stays readable.",
    )
    return redirect("decision", slug)


@page
@acts
def opine(request: HttpRequest, slug: str) -> HttpResponse:
    """Record the opinion of a body; what was typed is kept when it is refused."""
    decision = found(request, slug)
    part = rules.part_of(policy())
    form = OpinionForm(request.POST, bodies=part.bodies if part else (), known=bool(decision.national))
    try:
        if not form.is_valid():
            return _page(request, decision, status=400, opinion_form=form)
        said = form.cleaned_data
        actions.opine(
            decision,
            said["body"],
            said["outcome"],
            text=said["text"],
            given_on=said["given_on"],
            by=request.actor,
            on=clock.today(),
        )
    except Refused as refusal:
        if refusal.kind == "access":
            raise
        return _page(request, decision, status=400, opinion_form=form, refusal=refusal)
    _said(request, "L'avis est enregistré.", "The opinion is recorded.")
    return redirect("decision", slug)


@page
@acts
def decide(request: HttpRequest, slug: str) -> HttpResponse:
    """The act of the authority; a refusal keeps what was typed, a conflict says who was first."""
    decision = found(request, slug)
    form = DecideForm(request.POST, authorities=policy().label_deciders)
    request.actor.require("decision.decide")
    if not form.is_valid():
        return _page(request, decision, status=400, decide_form=form)
    try:
        actions.decide(decision, by=request.actor, on=clock.today(), **form.cleaned_data)
    except Refused as refusal:
        if refusal.kind in ("access", "conflict"):
            raise
        return _page(request, decision, status=400, decide_form=form, refusal=refusal)
    _said(
        request,
        "La décision est prise ; ses effets sont exécutés.",
        "The decision is taken; its effects are carried out.",
    )
    return redirect("decision", slug)


@acts
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    form = PublishForm(request.POST)
    if not form.is_valid():
        raise Refused(T("Dites le jour de publication.", "Say the day of publication."), kind="input")
    actions.publish(found(request, slug), by=request.actor, on=clock.today(), **form.cleaned_data)
    _said(request, "La publication est enregistrée.", "The publication is recorded.")
    return redirect("decision", slug)


@page
@acts
def notify(request: HttpRequest, slug: str) -> HttpResponse:
    """Notify the lines that are ticked: all of them or none."""
    from django.db import transaction

    decision = found(request, slug)
    request.actor.require("decision.notify")
    form = NotifyForm(request.POST)
    chosen = [pk for pk in request.POST.getlist("line") if pk.isdecimal()]
    try:
        if not form.is_valid():
            return _page(request, decision, status=400, notify_form=form)
        if not chosen:
            raise Refused(T("Cochez les lignes à notifier.", "Tick the lines to notify."), kind="input")
        with transaction.atomic():
            for line in decision.lines.filter(pk__in=chosen).select_related("decision"):
                actions.notify(line, by=request.actor, on=clock.today(), **form.cleaned_data)
    except Refused as refusal:
        if refusal.kind in ("access", "conflict"):
            raise
        return _page(request, decision, status=400, notify_form=form, refusal=refusal)
    _said(request, "Les lettres sont établies et figées.", "The letters are drawn up and frozen.")
    return redirect("decision", slug)


@acts
def acknowledge(request: HttpRequest, slug: str, line: int) -> HttpResponse:
    row = _line(request, slug, line)
    form = ReceivedForm(request.POST)
    notice = row.notices.first()
    if notice is None or not form.is_valid():
        raise Refused(
            T("Dites le jour de réception d'une lettre envoyée.", "Say the day on which a letter sent was received."),
            kind="input",
        )
    actions.acknowledge(notice, by=request.actor, on=clock.today(), **form.cleaned_data)
    _said(
        request,
        "La réception est enregistrée ; le délai de recours court.",
        "Receipt is recorded; the delay to appeal runs.",
    )
    return redirect("decision", slug)


@acts
def appeal(request: HttpRequest, slug: str, line: int) -> HttpResponse:
    row = _line(request, slug, line)
    form = AppealForm(request.POST)
    if not form.is_valid():
        access.may_appeal(request.actor, row, clock.today())
        raise Refused(T("Un recours a une nature et des motifs.", "An appeal has a kind and grounds."), kind="input")
    made = actions.lodge_appeal(
        row,
        form.cleaned_data["kind"],
        text=form.cleaned_data["text"],
        lodged_on=form.cleaned_data["lodged_on"],
        by=request.actor,
        on=clock.today(),
    )
    if made.late:
        messages.warning(
            request,
            str(
                T(
                    "Le recours est enregistré, après la fin du délai.",
                    "The appeal is recorded, after the end of the delay.",
                )
            ),
        )
    else:
        _said(request, "Le recours est enregistré.", "The appeal is recorded.")
    return redirect("decision", slug)


@acts
def answer_appeal(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Appeal.objects.select_related("line__decision"), pk=pk)
    found(request, row.line.decision.slug)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        if not (request.actor.can("decision.decide") or request.actor.can("decision.notify")):
            request.actor.require("decision.notify")
        raise Refused(
            T("Une réponse a une suite et des motifs.", "An answer has an outcome and grounds."), kind="input"
        )
    actions.answer_appeal(
        row, form.cleaned_data["outcome"], text=form.cleaned_data["text"], by=request.actor, on=clock.today()
    )
    _said(request, "La réponse est enregistrée.", "The answer is recorded.")
    return redirect("decision", row.line.decision.slug)


@acts
def conditions(request: HttpRequest, slug: str, line: int) -> HttpResponse:
    row = _line(request, slug, line)
    form = ConditionsForm(request.POST)
    if not form.is_valid():
        request.actor.require("decision.notify")
        raise Refused(T("Dites le jour.", "Say the day."), kind="input")
    actions.meet_conditions(row, by=request.actor, on=clock.today(), **form.cleaned_data)
    _said(request, "Les conditions sont levées.", "The conditions are met.")
    return redirect("decision", slug)


# -- timeline ---------------------------------------------------------------------------------------------------


@page
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """A cluster's life: labels, evaluations, decisions, contracts, reviews, applications, in one line of time."""
    cluster = get_object_or_404(Cluster, slug=slug)
    actor, on = request.actor, clock.today()
    asked = request.GET.get("jour", "")
    day = on
    if asked:
        try:
            day = min(dt.date.fromisoformat(asked), on)
        except ValueError:
            raise Refused(T("« {d} » n'est pas un jour.", "“{d}” is not a day.", d=asked), kind="input") from None
    kind = request.GET.get("quoi", "")
    events = queries.timeline(cluster, actor, day)
    shown = [e for e in events if not kind or e.kind == kind]
    named_on([cluster], day)
    if wants(request) != "html":
        columns = [
            ("day", Column(T("Jour", "Day"))),
            ("kind", Column(T("Nature", "Kind"))),
            ("event", Column(T("Événement", "Event"))),
            ("detail", Column(T("Précision", "Detail"))),
            ("simulated", Column(T("Simulé", "Simulated"))),
        ]
        return export(
            request,
            str(T("chronologie-{s}", "timeline-{s}", s=slug)),
            columns,
            (
                (e.day, str(queries.EVENT_KINDS[e.kind]), str(e.title), str(e.text), str(T("oui", "yes") if e.simulated else T("non", "no")))
                for e in shown
            ),
        )  # fmt: skip
    return render(
        request,
        "decisions/timeline.html",
        {
            "title": T("Chronologie de {c}", "Timeline of {c}", c=cluster.name_of_day),
            "cluster": cluster,
            "events": shown,
            "total": len(events),
            "day": day,
            "kinds": [
                (code, title) for code, title in queries.EVENT_KINDS.items() if any(e.kind == code for e in events)
            ],
            "kind": kind,
            "sources": queries.sources_of(k for e in shown for k in str(e.source).split()),
            "breadcrumb": [
                {"url": queries.link("register") or None, "label": T("Pôles", "Clusters")},
                {"url": queries.link("cluster", slug) or None, "label": cluster.name_of_day},
                {"url": None, "label": T("Chronologie", "Timeline")},
            ],
        },
    )
