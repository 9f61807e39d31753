"""What waits for somebody, their deadlines, what changed, what they may find: reads that join several domains.

Each reads with a number of queries that does not grow with what is found. What somebody may see is asked of the
packages: clusters, roadmaps and contracts answer for their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.db.models import F, Q, QuerySet
from django.urls import NoReverseMatch, reverse

from jalon.clusters.access import clusters_of
from jalon.clusters.models import Cluster, ImportBatch, LabelPeriod
from jalon.clusters.queries import named_on
from jalon.contracts import queries as contract_queries, rules as contract_rules
from jalon.contracts.access import drafts_of, visible_to as contracts_visible_to
from jalon.contracts.models import (
    Commitment,
    CommitmentStep,
    Contract,
    Milestone,
    Party,
    Progress,
    Proposal,
    Report,
    Text,
)
from jalon.core import clock
from jalon.core.lang import T
from jalon.core.models import JournalEntry
from jalon.people import rules as people_rules
from jalon.people.access import Actor, policy
from jalon.people.models import Invitation, Mandate, Organisation, User
from jalon.people.queries import actor_from, mandates_on, organisations
from jalon.people.tasks import Task, waiting_light
from jalon.roadmaps.access import visible_to as roadmaps_visible_to
from jalon.roadmaps.models import Roadmap
from jalon.workspace.words import act_titles as act_titles, describe

HORIZON = dt.timedelta(days=90)
"""How far ahead deadlines are shown."""
SOON = dt.timedelta(days=14)
"""From so many days before its end, a deadline is at risk."""
SHOWN = 200
"""Most tasks of one kind that a home page lists; a national officer's page stays readable."""

PROVIDERS = (
    "jalon.clusters.queries",
    "jalon.roadmaps.queries",
    "jalon.contracts.queries",
    "jalon.contracts.follow_queries",
    "jalon.interests.desk",
    "jalon.aid.desk",
    "jalon.projects.desk",
    "jalon.labelling.desk",
    "jalon.selection.desk",
    "jalon.funding.desk",
    "jalon.committees.desk",
    "jalon.evaluations.desk",
    "jalon.decisions.desk",
)
"""Modules asked for what they bring to the desk of somebody who signs in; each function may be missing:

* ``tasks_for(actor, day) -> list[Task]``: what waits;
* ``cases_for(actor, day) -> Q | None``: the journal's rows of their cases that the actor may read (on ``case``);
* ``hidden_for(actor, day) -> Q | None``: rows of the journal that the actor may not read, whatever else allows it
  (recusal, notes before a consensus, findings not yet published);
* ``case_titles(cases) -> dict[case, (title, address)]``: names of cases;
* ``events_for(actor, day) -> list[event]``: sessions for the calendar (uid, title, day, starts_at, where, url, text);
* ``found(actor, day, q, limit) -> list[(kind, total, rows, more)]``: what a search finds, in the order of :class:`Found`.
"""


def ask(name: str) -> list[Callable[..., Any]]:
    """The function of that name of every provider that has it."""
    found = []
    for module in PROVIDERS:
        if find_spec(module) and (function := getattr(import_module(module), name, None)):
            found.append(function)
    return found


def link(name: str, *args: Any) -> str:
    """The address of a page by its name; empty when this installation does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def light_of(due_on: dt.date | None, day: dt.date) -> str:
    """Where a deadline stands: late, at risk, not yet due; nothing due is not started."""
    if due_on is None:
        return "not_started"
    if due_on < day:
        return "late"
    return "at_risk" if due_on - day <= SOON else "not_yet_due"


# --- what waits --------------------------------------------------------------------------------------------------


def tasks_for(actor: Actor, day: dt.date) -> list[Task]:
    """Everything that waits for the actor on a day: overdue first, then by due day, then what has none."""
    found: list[Task] = []
    if actor.mandate_id is None:
        return found
    for provider in ask("tasks_for"):
        found += provider(actor, day)
    for own in (
        roadmap_tasks,
        contract_tasks,
        report_tasks,
        commitment_tasks,
        import_tasks,
        people_tasks,
    ):
        found += own(actor, day)
    once = {(task.url, str(task.title)): task for task in reversed(found)}
    return sorted(once.values(), key=lambda t: (t.due_on is None, t.due_on or day, str(t.title)))


def roadmap_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """Roadmaps to write, to mend or to review."""
    wanted = Q()
    if actor.can("roadmap.draft"):
        wanted |= Q(state__in=["draft", "returned"])
    if actor.can("roadmap.review"):
        wanted |= Q(state="submitted")
    if not wanted:
        return []
    rows = (
        roadmaps_visible_to(actor, day)
        .filter(wanted, cluster__in=clusters_of(actor, day))
        .select_related("cluster")
        .order_by("submitted_on", "cluster__name_key")[:SHOWN]
    )
    found = []
    rows = list(rows)
    names = _names([row.cluster for row in rows], day)
    for row in rows:
        name, who, since = names[row.cluster_id], "", None
        if row.state == "submitted":
            who, since = name, row.submitted_on
            title = T("Examiner la feuille de route : {c}", "Review the roadmap of {c}", c=name)
            why = ""
            url = link("roadmap-review", row.pk) or link("roadmap", row.pk)
        else:
            title = (
                T("Reprendre la feuille de route retournée : {c}", "Mend the returned roadmap of {c}", c=name)
                if row.state == "returned"
                else T("Rédiger la feuille de route : {c}", "Write the roadmap of {c}", c=name)
            )
            why = row.returned_reason if row.state == "returned" else ""
            if row.state == "returned":
                who = T("l'État", "the State")
            else:
                since = _day_of(row.created_at)
            url = link("roadmap-edit", row.pk) or link("roadmap", row.pk)
        found.append(Task(title, url, None, waiting_light(since, day), why, f"roadmap:{row.pk}", who=who, since=since))
    return found


def contract_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """Contracts to prepare, proposals to answer, deliberations to record, texts to sign."""
    found: list[Task] = []
    mine = drafts_of(actor, day)
    if actor.can("contract.prepare"):
        rows = mine.filter(state="preparing", cluster__in=clusters_of(actor, day)).order_by("created_at")[:SHOWN]
        for row in rows:
            found.append(
                Task(
                    T("Ouvrir la négociation de « {c} »", "Open the negotiation of “{c}”", c=row.title),
                    link("contract", row.slug),
                    None,
                    waiting_light(_day_of(row.created_at), day),
                    T("le texte est en préparation", "the text is being prepared"),
                    f"contract:{row.slug}",
                    since=_day_of(row.created_at),
                )
            )
    if actor.can("contract.negotiate"):
        found += _proposal_tasks(actor, day)
    if actor.can("contract.decide") or actor.can("contract.sign"):
        found += _signing_tasks(actor, day)
    return found


def _proposal_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """Open proposals that the actor's own side accepts or rejects, counted by contract."""
    mine = drafts_of(actor, day).filter(state__in=["negotiation", "signed"])
    rows = list(
        Proposal.objects.filter(state="open", text__state="negotiation", text__contract__in=mine, party__isnull=False)
        .exclude(user_id_by=actor.user_id)
        .select_related("party__organisation")
        .order_by("at")[: SHOWN * 5]
    )
    texts = {t.pk: t for t in Text.objects.filter(pk__in={r.text_id for r in rows}).select_related("contract")}
    own = _own_parties(actor, day, [t.contract_id for t in texts.values()])
    counts: dict[tuple[str, str], int] = {}
    waiting: dict[tuple[str, str], tuple[list[str], dt.date]] = {}
    for row in rows:
        text = texts[row.text_id]
        party = own.get(text.contract_id)
        if party is None or party.pk == row.party_id:
            continue
        proposer = contract_rules.Party(row.party.key, row.party.kind, row.party.organisation.name)
        accepts = contract_rules.acceptance(text.content, proposer, row.path, row.new)
        if accepts.by(contract_rules.Party(party.key, party.kind, "")):
            key = (text.contract.slug, text.contract.title)
            counts[key] = counts.get(key, 0) + 1
            names, since = waiting.setdefault(key, ([], _day_of(row.at)))
            if row.party.organisation.name not in names:
                names.append(row.party.organisation.name)
    return [
        Task(
            T("Répondre à une proposition : {c}", "Answer one proposal: {c}", c=title)
            if n == 1
            else T("Répondre à {n} propositions : {c}", "Answer {n} proposals: {c}", n=n, c=title),
            link("contract", slug),
            None,
            waiting_light(waiting[slug, title][1], day),
            "",
            f"contract:{slug}",
            who=", ".join(waiting[slug, title][0]),
            since=waiting[slug, title][1],
        )
        for (slug, title), n in counts.items()
    ]


def _own_parties(actor: Actor, day: dt.date, contracts: Iterable[int]) -> dict[int, Party]:
    """The party for which the actor acts in each contract: its own organisation, else its side of the cluster."""
    found: dict[int, Party] = {}
    rows = Party.objects.filter(contract_id__in=list(contracts), kind=actor.side, removed_by_text__isnull=True)
    answers = set(_own_clusters(actor, day).filter(contracts__in=list(contracts)).values_list("contracts", flat=True))
    for row in rows.order_by("order", "id"):
        if row.organisation_id == actor.organisation_id:
            found[row.contract_id] = row
        elif row.contract_id in answers:
            found.setdefault(row.contract_id, row)
    return found


def _signing_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """Texts whose deliberation or signature is the actor's to give: an authority decides first, each signs in turn."""
    texts = list(
        Text.objects.filter(state="signing", contract__in=drafts_of(actor, day))
        .select_related("contract", "base")
        .prefetch_related("signatures__party", "deliberations__party")
        .annotate(frozen_at=F("frozen__frozen_at"))
        .order_by("contract__title", "number")[:SHOWN]
    )
    own = _own_parties(actor, day, [text.contract_id for text in texts]) if texts else {}
    found = []
    for text in texts:
        party = own.get(text.contract_id)
        if party is None:
            continue
        contract, template = text.contract, contract_queries.template_of(text.contract)
        signers = contract_queries.signers_of(text, template)
        steps = contract_rules.signing_steps(
            template, contract_rules.parties_in(text.content), signers.keys if signers else None
        )
        if party.key not in {p.key for step in steps for p in step}:
            continue
        signed = {signature.party.key for signature in text.signatures.all()}
        decided = {d.party.key for d in text.deliberations.all() if d.outcome == "approved"}
        about = (
            T("l'avenant {n} à « {c} »", "amendment {n} to “{c}”", n=text.number, c=contract.title)
            if text.number
            else T("« {c} »", "“{c}”", c=contract.title)
        )
        url, case = (
            link("contract-signature", contract.slug) or link("contract", contract.slug),
            f"contract:{contract.slug}",
        )
        opened = _day_of(text.frozen_at) if text.frozen_at else None
        last = max((s.signed_on for s in text.signatures.all()), default=opened)
        after = [p.name for step in steps for p in step if p.key not in signed and p.key != party.key]
        who = ", ".join(after[:3]) + (" …" if len(after) > 3 else "")
        if party.kind in contract_rules.decision_needed(template) and party.key not in decided:
            if actor.can("contract.decide") and party.key not in signed:
                title = T("Enregistrer la délibération : {c}", "Record the deliberation: {c}", c=about)
                why = T("le texte est à la signature", "the text is being signed")
                found.append(Task(title, url, None, waiting_light(opened, day), why, case, who=who, since=opened))
        elif actor.can("contract.sign") and party.key in {p.key for p in contract_rules.awaited(steps, signed)}:
            title = T("Signer {c}", "Sign {c}", c=about)
            since = max(filter(None, (last, opened)), default=None)
            why = (
                T(
                    "c'est votre tour : {n} partie(s) ont signé",
                    "it is your turn: {n} party(ies) have signed",
                    n=len(signed),
                )
                if signed
                else T(
                    "le texte est figé, la signature vous revient d'abord",
                    "the text is frozen, you sign among the first",
                )
            )
            found.append(Task(title, url, None, waiting_light(since, day), why, case, who=who, since=since))
    return found


def _own_clusters(actor: Actor, day: dt.date) -> QuerySet[Cluster]:
    """Clusters for whose side the actor answers by following or carrying them (not merely as a party)."""
    return clusters_of(actor, day) if actor.side in ("state", "governance") else Cluster.objects.none()


def report_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """Reports to fill in and submit, to mend, to check."""
    declares = actor.can("observation.declare") or actor.can("observation.submit")
    wanted = Q()
    if declares and actor.side == "governance":
        wanted |= Q(state__in=["open", "returned"], round__opens_on__lte=day)
    if actor.can("observation.validate"):
        wanted |= Q(state="submitted")
    if not wanted:
        return []
    rows = (
        Report.objects.filter(wanted, contract__cluster__in=_own_clusters(actor, day))
        .select_related("contract__cluster", "round")
        .order_by("due_on", "contract__title")[:SHOWN]
    )
    found = []
    rows = list(rows)
    names = _names([row.contract.cluster for row in rows], day)
    for row in rows:
        values = {"code": row.round.code, "c": names[row.contract.cluster_id]}
        case = f"report:{row.contract.slug}/{row.round.code}"
        url = link("report", row.contract.slug, row.round.code) or link("contract", row.contract.slug)
        if row.state == "submitted":
            title = T("Vérifier le suivi {code} : {c}", "Check the {code} report of {c}", **values)
            light = waiting_light(row.submitted_on, day)
            found.append(Task(title, url, None, light, "", case, who=values["c"], since=row.submitted_on))
            continue
        if row.state == "returned":
            title = T("Corriger le suivi {code} : {c}", "Mend the {code} report of {c}", **values)
            why, since = row.reason, row.returned_on
        else:
            title = T(
                "Remplir et soumettre le suivi {code} : {c}", "Fill in and submit the {code} report of {c}", **values
            )
            why, since = "", row.round.opens_on
        light = light_of(row.due_on, day)
        found.append(Task(title, url, row.due_on, light, why, case, who=_validator(), since=since))
    return found


def _names(clusters: Iterable[Cluster], day: dt.date) -> dict[int, str]:
    """The names that clusters bore on a day; one query, none for no cluster."""
    return {cluster.pk: cluster.name_of_day for cluster in named_on(list(clusters), day)}


def _day_of(moment: dt.datetime) -> dt.date:
    return moment.astimezone(clock.PARIS).date()


def _validator() -> Any:
    """Who checks the reports, in the words of the policy."""
    laws = policy()
    return laws.role(laws.reporting.validated_by).title


def commitment_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """What the actor's own organisation promised and has not paid or delivered, from ninety days before it is due."""
    if not actor.can("commitment.declare_paid") or actor.organisation_id is None:
        return []
    rows = list(
        Commitment.objects.filter(
            superseded_at__isnull=True,
            party__organisation_id=actor.organisation_id,
            due_on__lte=day + HORIZON,
            contract__state="signed",
        )
        .select_related("contract__cluster", "party")
        .order_by("due_on", "id")[:SHOWN]
    )
    done: dict[tuple[int, str], Any] = {}
    steps = CommitmentStep.objects.filter(
        superseded_at__isnull=True, contract_id__in={r.contract_id for r in rows}, on__lte=day
    ).values_list("contract_id", "key", "kind", "amount")
    for contract_id, key, kind, amount in steps:
        if kind in ("delivered", "refused", "released"):
            done[contract_id, key] = None
        elif kind == "paid" and done.get((contract_id, key), 0) is not None:
            done[contract_id, key] = done.get((contract_id, key), 0) + (amount or 0)
    found = []
    names = _names([row.contract.cluster for row in rows], day)
    for row in rows:
        paid = done.get((row.contract_id, row.key), 0)
        if paid is None or (row.amount is not None and paid >= row.amount):
            continue
        from jalon.ui import format as fmt

        what = row.title or T("versement {year}", "payment {year}", year=row.year or "")
        why = (
            T("promis : {amount}", "promised: {amount}", amount=fmt.money(row.amount)) if row.amount is not None else ""
        )
        found.append(
            Task(
                T(
                    "Tenir l'engagement : {what} ({c})",
                    "Keep the commitment: {what} ({c})",
                    what=what,
                    c=names[row.contract.cluster_id],
                ),
                link("contract", row.contract.slug),
                row.due_on,
                light_of(row.due_on, day),
                why,
                f"contract:{row.contract.slug}",
                who=names[row.contract.cluster_id],
            )
        )
    return found


def import_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """Files of members handed in by the actor that wait for a decision."""
    if not actor.can("members.import"):
        return []
    rows = (
        ImportBatch.objects.filter(
            user_id=actor.user_id, state__in=["to_confirm", "previewed"], cluster__in=clusters_of(actor, day)
        )
        .select_related("cluster")
        .defer("rows")
        .order_by("-created_at")[:SHOWN]
    )
    return [
        Task(
            T(
                "Confirmer l'import « {f} » ({c})",
                "Confirm the import “{f}” ({c})",
                f=row.file_name,
                c=row.cluster.name,
            ),
            link("members-import-batch", row.cluster.slug, row.pk) or link("cluster", row.cluster.slug),
            None,
            waiting_light(_day_of(row.created_at), day),
            T("rien n'est encore écrit au registre", "nothing is written to the register yet"),
            f"cluster:{row.cluster.slug}",
            since=_day_of(row.created_at),
        )
        for row in rows
    ]


def people_tasks(actor: Actor, day: dt.date) -> list[Task]:
    """Invitations that expired unanswered, mandates and delegations that end soon."""
    found = []
    if actor.can("people.manage") or actor.can("people.delegate"):
        expired = Invitation.objects.filter(
            accepted_at__isnull=True,
            withdrawn_at__isnull=True,
            expires_on__lt=day,
            organisation_id=actor.organisation_id,
        ).order_by("expires_on")[:SHOWN]
        for row in expired:
            found.append(
                Task(
                    T(
                        "Renvoyer ou retirer l'invitation de {e}",
                        "Send again or withdraw the invitation of {e}",
                        e=row.email,
                    ),
                    link("people"),
                    None,
                    "not_started",
                    T("expirée le {day}", "expired on {day}", day=_said(row.expires_on)),
                    f"organisation:{row.organisation_id}",
                )
            )
    return found


def _said(day: dt.date | None) -> str:
    from jalon.ui import format as fmt

    return fmt.day(day)


# --- deadlines ---------------------------------------------------------------------------------------------------


def deadlines_for(actor: Actor, day: dt.date, tasks: Iterable[Task] | None = None) -> list[Task]:
    """Dated things within the horizon and those overdue: tasks with a due day, milestones, ends of contracts,
    labels and mandates."""
    found = [task for task in (tasks_for(actor, day) if tasks is None else tasks) if task.due_on is not None]
    if actor.mandate_id is not None and actor.side != "public":
        found += milestone_deadlines(actor, day) + contract_deadlines(actor, day) + label_deadlines(actor, day)
    if actor.mandate_id is not None:
        own = Mandate.objects.filter(
            user_id=actor.user_id, revoked_at__isnull=True, ends_on__range=(day, day + HORIZON)
        )
        for row in own.select_related("organisation"):
            found.append(
                Task(
                    T("Fin de votre mandat pour {o}", "End of your mandate for {o}", o=row.organisation.name),
                    link("my-account"),
                    row.ends_on,
                    light_of(row.ends_on, day),
                    "",
                    f"user:{row.user_id}",
                )
            )
    kept = [task for task in found if task.due_on is not None and task.due_on <= day + HORIZON]
    return sorted(kept, key=lambda t: (t.due_on, str(t.title)))


def milestone_deadlines(actor: Actor, day: dt.date) -> list[Task]:
    """Milestones of the actor's own clusters that are not done."""
    if not actor.can("action.update"):
        return []
    rows = list(
        Milestone.objects.filter(
            action__contract__cluster__in=_own_clusters(actor, day),
            action__contract__state="signed",
            action__removed_by_text__isnull=True,
            removed_by_text__isnull=True,
            due_on__lte=day + HORIZON,
        )
        .select_related("action__contract__cluster")
        .order_by("due_on")[: SHOWN * 5]
    )
    done = set(
        Progress.objects.filter(
            superseded_at__isnull=True, milestone__in=[r.pk for r in rows], status__in=["done", "cancelled"]
        ).values_list("milestone_id", flat=True)
    )
    return [
        Task(
            T("Passer le jalon « {m} »", "Reach the milestone “{m}”", m=row.title),
            link("contract", row.action.contract.slug),
            row.due_on,
            light_of(row.due_on, day),
            T("action « {a} » ({c})", "action “{a}” ({c})", a=row.action.title, c=row.action.contract.cluster.name),
            f"contract:{row.action.contract.slug}",
        )
        for row in rows
        if row.pk not in done
    ]


def contract_deadlines(actor: Actor, day: dt.date) -> list[Task]:
    """Contracts of the actor's own business that end within the horizon."""
    rows = drafts_of(actor, day).filter(state="signed", ends_on__range=(day, day + HORIZON))
    return [
        Task(
            T("Fin du contrat « {c} »", "End of the contract “{c}”", c=row.title),
            link("contract", row.slug),
            row.ends_on,
            light_of(row.ends_on, day),
            "",
            f"contract:{row.slug}",
        )
        for row in rows.order_by("ends_on", "id")[:SHOWN]
    ]


def label_deadlines(actor: Actor, day: dt.date) -> list[Task]:
    """Labels of the actor's own clusters that end within the horizon."""
    if actor.side not in ("state", "governance"):
        return []
    rows = (
        LabelPeriod.objects.filter(
            superseded_at__isnull=True,
            ends_on__range=(day, day + HORIZON),
            label__held_by__cluster__in=clusters_of(actor, day),
        )
        .exclude(label__periods__superseded_at__isnull=True, label__periods__starts_on__gt=day)
        .values("label__code", "label__name", "ends_on", "label__held_by__cluster__slug")
        .distinct()
        .order_by("ends_on", "label__name")[:SHOWN]
    )
    return [
        Task(
            T("Fin du label : {c}", "End of the label of {c}", c=row["label__name"]),
            link("cluster", row["label__held_by__cluster__slug"]),
            row["ends_on"],
            light_of(row["ends_on"], day),
            "",
            f"label:{row['label__code']}",
        )
        for row in rows
    ]


def everything_for(user: User, day: dt.date) -> list[tuple[Actor, list[Task]]]:
    """What waits for a user under each of their mandates in force."""
    found = []
    for mandate in mandates_on(user, day).select_related("user"):
        actor = actor_from(mandate)
        found.append((actor, tasks_for(actor, day)))
    return found


# --- what changed ------------------------------------------------------------------------------------------------


def cases_of(actor: Actor, day: dt.date) -> Q | None:
    """The journal rows that an actor may read: those of their own cases. None means every row.

    Rows carry what was written: who may not read drafts reads none of roadmaps, contracts and reports, even nationally.
    """
    hidden = _hidden(actor, day)
    if actor.national and actor.can("journal.read"):
        if actor.can("draft.read"):
            return hidden
        drafts = ~Q(case__startswith="contract:") & ~Q(case__startswith="roadmap:") & ~Q(case__startswith="report:")
        return drafts if hidden is None else drafts & hidden
    clusters = clusters_of(actor, day)
    seen = Q(case=f"user:{actor.user_id}")
    if actor.organisation_id is not None and actor.side != "public":
        seen |= Q(case=f"organisation:{actor.organisation_id}")
    if actor.side != "public":
        slugs = list(clusters.values_list("slug", flat=True)[:500])
        seen |= Q(case__in=[f"cluster:{slug}" for slug in slugs])
        labels = LabelPeriod.objects.filter(label__held_by__cluster__slug__in=slugs).values_list(
            "label__code", flat=True
        )
        seen |= Q(case__in=[f"label:{code}" for code in set(labels)])
        contracts = list(drafts_of(actor, day).values_list("slug", flat=True)[:500])
        seen |= Q(case__in=[f"contract:{slug}" for slug in contracts])
        if actor.side in ("state", "governance"):
            roadmaps = roadmaps_visible_to(actor, day).filter(cluster__in=clusters).values_list("pk", flat=True)[:500]
            seen |= Q(case__in=[f"roadmap:{pk}" for pk in roadmaps])
            rounds = Report.objects.filter(contract__slug__in=contracts).values_list("contract__slug", "round__code")
            seen |= Q(case__in=[f"report:{slug}/{code}" for slug, code in rounds[:2000]])
    for provider in ask("cases_for"):
        more = provider(actor, day)
        if more is not None:
            seen |= more
    return seen if hidden is None else seen & hidden


def _hidden(actor: Actor, day: dt.date) -> Q | None:
    """Keeps out what a recusal, a consensus not yet reached or a finding not yet published hides; None hides nothing."""
    kept: Q | None = None
    for provider in ask("hidden_for"):
        away = provider(actor, day)
        if away is not None:
            kept = ~away if kept is None else kept & ~away
    return kept


@dataclass(frozen=True)
class Change:
    """What was done on one case since a moment: how many acts, the last of them.

    ``also``: how many other cases met the same act by the same hand on the same day (a whole call noted at once).
    """

    case: str
    title: str
    url: str
    count: int
    last: JournalEntry
    also: int = 0


CHANGES_READ = 300
ALIKE = 3
"""The same act by the same hand on more files than this is told once."""
NO_NEWS = ("register.load", "register.update", "carrier.load", "members.simulate", "contract.known")
"""Loading data is an act, and kept as one; it is no news for those who work."""


def changes_since(actor: Actor, day: dt.date, moment: dt.datetime, limit: int = 12) -> list[Change]:
    """Acts of others on the cases that the actor may see, grouped by case, latest first."""
    rows = JournalEntry.objects.filter(at__gt=moment, at__lte=clock.end_of_day(day)).exclude(act__in=NO_NEWS)
    seen = cases_of(actor, day)
    if seen is not None:
        rows = rows.filter(seen)
    if actor.user_id is not None:
        rows = rows.exclude(user_id=actor.user_id)
    found: dict[str, list[JournalEntry]] = {}
    for entry in rows.order_by("-at", "-id")[:CHANGES_READ]:
        found.setdefault(entry.case, []).append(entry)
    alike: dict[tuple[Any, ...], list[str]] = {}
    for case, entries in found.items():
        last = entries[0]
        hand = (case.partition(":")[0], last.act, last.user_label, last.organisation_label, last.at.date())
        alike.setdefault(hand, []).append(case)
    # A deed done on many files is one piece of news, told by its latest file.
    also = {cases[0]: len(cases) - 1 for cases in alike.values() if len(cases) > ALIKE}
    away = {case for cases in alike.values() if len(cases) > ALIKE for case in cases[1:]}
    shown = [(case, entries) for case, entries in found.items() if case not in away][:limit]
    names = case_titles([case for case, _ in shown])
    describe([entries[0] for _, entries in shown])
    return [Change(case, *names[case], len(entries), entries[0], also.get(case, 0)) for case, entries in shown]


def case_titles(cases: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Title and address of each case, in one query per kind of case."""
    cases = list(cases)
    by_kind: dict[str, set[str]] = {}
    for case in cases:
        kind, _, rest = case.partition(":")
        by_kind.setdefault(kind, set()).add(rest)
    found: dict[str, tuple[str, str]] = {}
    clusters = (
        dict(Cluster.objects.filter(slug__in=by_kind.get("cluster", ())).values_list("slug", "name"))
        if "cluster" in by_kind
        else {}
    )
    slugs = by_kind.get("contract", set()) | {rest.partition("/")[0] for rest in by_kind.get("report", ())}
    contracts = dict(Contract.objects.filter(slug__in=slugs).values_list("slug", "title")) if slugs else {}

    def numbers(kind: str) -> list[int]:
        return [int(rest) for rest in by_kind.get(kind, ()) if rest.isdigit()]

    roadmaps = {r.pk: str(r) for r in Roadmap.objects.filter(pk__in=numbers("roadmap"))} if numbers("roadmap") else {}
    orgs = (
        dict(Organisation.objects.filter(pk__in=numbers("organisation")).values_list("pk", "name"))
        if numbers("organisation")
        else {}
    )
    users = dict(User.objects.filter(pk__in=numbers("user")).values_list("pk", "name")) if numbers("user") else {}
    makers: dict[str, Callable[[str], tuple[str, str]]] = {
        "cluster": lambda r: (clusters.get(r, r), link("cluster", r) if r in clusters else ""),
        "contract": lambda r: (contracts.get(r, r), link("contract", r) if r in contracts else ""),
        "report": lambda r: (
            str(
                T(
                    "Suivi {code} : {c}",
                    "Report {code}: {c}",
                    code=r.partition("/")[2],
                    c=contracts.get(r.partition("/")[0], r),
                )
            ),
            link("report", *r.split("/", 1)) or link("contract", r.partition("/")[0]),
        ),
        "roadmap": lambda r: (roadmaps.get(int(r), r), link("roadmap", int(r))) if r.isdigit() else (r, ""),
        "organisation": lambda r: (orgs.get(int(r), r), link("organisation", int(r))) if r.isdigit() else (r, ""),
        "user": lambda r: (users.get(int(r), r), link("person", int(r))) if r.isdigit() else (r, ""),
        "label": lambda r: (str(T("Label {r}", "Label {r}", r=r)), ""),
        "round": lambda r: (str(T("Campagne {r}", "Round {r}", r=r.partition("/")[2] or r)), ""),
        "demonstration": lambda r: (str(T("Démonstration", "Demonstration")), ""),
    }
    for case in cases:
        kind, _, rest = case.partition(":")
        found[case] = makers[kind](rest) if kind in makers else (case, "")
    unnamed = [case for case in cases if case.partition(":")[0] not in makers]
    for provider in ask("case_titles") if unnamed else ():
        found |= provider(unnamed)
    return found


# --- search ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """One kind of thing found: how many, and the first of them as (title, detail, address, simulated)."""

    kind: Any
    total: int
    rows: list[tuple[str, Any, str, bool]]
    more: str = ""


def search(actor: Actor, day: dt.date, q: str, limit: int = 10) -> list[Found]:
    """Clusters, organisations and contracts that the actor may see; case and accents do not count."""
    key = people_rules.plain_key(q)
    if len(key) < 2:
        return []
    words = policy().words
    clusters = Cluster.objects.filter(
        Q(name_key__contains=key) | Q(names__name__icontains=q) | Q(city__icontains=q)
    ).distinct()
    clusters = clusters.order_by("name_key")
    orgs = organisations(q=q)
    contracts = contracts_visible_to(actor, day).filter(
        Q(title__icontains=q) | Q(cluster__name_key__contains=key) | Q(slug__contains=key.replace(" ", "-"))
    )
    contracts = contracts.distinct().order_by("-starts_on", "title")
    found = []
    if n := clusters.count():
        rows = [(c.name, c.city, link("cluster", c.slug), c.simulated) for c in clusters[:limit]]
        found.append(Found(words["clusters"], n, rows, link("register")))
    if n := contracts.count():
        from jalon.ui import format as fmt

        rows = [
            (c.title, fmt.period(c.starts_on, c.ends_on), link("contract", c.slug), c.simulated)
            for c in contracts[:limit]
        ]
        found.append(Found(words["contracts"], n, rows, link("contract-list")))
    if n := orgs.count():
        rows = [(o.name, o.city, link("organisation", o.pk), o.simulated) for o in orgs[:limit]]
        from django.utils.http import urlencode

        found.append(
            Found(T("organismes", "organisations"), n, rows, link("organisations") + "?" + urlencode({"q": q}))
        )
    for provider in ask("found"):
        found += [Found(*kind) for kind in provider(actor, day, q, limit)]
    return found


# --- journal -----------------------------------------------------------------------------------------------------


def journal(actor: Actor, day: dt.date, *, case: str = "", act: str = "", organisation: str = "", user: str = "",
            since: dt.date | None = None, until: dt.date | None = None) -> QuerySet[JournalEntry]:  # fmt: skip
    """Rows of the journal that an actor may read, newest first, filtered.

    Raises:
        NotAllowed: the role does not read the journal.
    """
    actor.require("journal.read")
    rows = JournalEntry.objects.all()
    seen = cases_of(actor, day)
    if seen is not None:
        rows = rows.filter(seen)
    if case:
        rows = rows.filter(case=case) if ":" in case else rows.filter(case__startswith=f"{case}:")
    if act:
        rows = rows.filter(act=act)
    if organisation:
        rows = rows.filter(organisation_label__icontains=organisation)
    if user:
        rows = rows.filter(user_label__icontains=user)
    if since:
        rows = rows.filter(on__gte=since)
    if until:
        rows = rows.filter(on__lte=until)
    return rows.order_by("-id")
