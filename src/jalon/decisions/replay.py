"""The path of the policy run again, act by act and day by day, from an empty database (*rejeu*).

Everything that officers do is done here by the acts that officers use, under simulated accounts, one per role; the clock is
held on the day of each step. What the path tells stands in ``path.yaml``, ``candidacies.yaml``, ``labels.yaml`` and
``evaluations.csv`` of the programme's data; nothing is named here. Where no source names a pôle's group it stays unknown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from jalon.clusters import actions as register
from jalon.clusters.labels import LabelRecord, sheet_on
from jalon.clusters.loading import _decisions as load_decisions, _sources as load_sources, fingerprint
from jalon.clusters.members import actions as members
from jalon.clusters.models import Cluster, ClusterDocument, Label, Membership
from jalon.contracts import actions as contracts, queries as contract_queries
from jalon.contracts.models import Contract, Text as ContractText
from jalon.core import clock, journal
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import JournalEntry, Setting
from jalon.decisions import actions, candidacies, replay_evaluations, rules, state
from jalon.decisions.models import Candidacy, CandidacyCall
from jalon.decisions.path import KIND_OF, PolicyPath, Step, path_of, title_of
from jalon.people.access import Actor, policy
from jalon.people.models import Mandate, Organisation, User
from jalon.people.rules import name_key
from jalon.roadmaps import actions as roadmaps
from jalon.roadmaps.models import Roadmap

Say = Callable[[str], None]
KEY = "replay"
PHASE = "phase-2"


def is_empty() -> bool:
    """Whether the database holds neither cluster, user nor act."""
    return not (Cluster.objects.exists() or User.objects.exists() or JournalEntry.objects.exists())


def check_until(path: PolicyPath | None, until: dt.date) -> PolicyPath:
    """The path, if it can be run to that day.

    Raises:
        Refused: no path in the programme's data, or a day that it does not reach.
    """
    if path is None:
        raise Refused(
            T(
                "Les données de ce programme n'ont pas de chemin à rejouer (path.yaml, candidacies.yaml).",
                "The data of this programme have no path to run again (path.yaml, candidacies.yaml).",
            )
        )
    if not path.first_day <= until <= path.ends_on:
        raise Refused(
            T(
                "Le jour demandé, {d}, est hors du chemin raconté : du {a} au {b}.",
                "The day asked for, {d}, is outside the path that is told: from {a} to {b}.",
                d=until,
                a=path.first_day,
                b=path.ends_on,
            ),
            kind="input",
        )
    return path


@dataclass
class Replay:
    """One run: actors, organisations and what was met on the way."""

    until: dt.date
    path: PolicyPath
    say: Say
    actors: dict[str, User] = field(default_factory=dict)
    bodies: dict[tuple[str, str], Organisation] = field(default_factory=dict)
    mandates: set[tuple[int, int]] = field(default_factory=set)
    carriers: dict[int, Organisation] = field(default_factory=dict)
    correspondents: dict[int, Organisation] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    campaigns: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    seconds: int = 0

    # -- time, people, bodies -------------------------------------------------------------------------------------------

    def when(self, day: dt.date) -> dict[str, Any]:
        """``on`` and ``at`` of the next act of a day: a second apart, so that the order of the acts is that of the path."""
        self.seconds += 1
        return {"on": day, "at": clock.moment_on(day, 9) + dt.timedelta(seconds=self.seconds)}

    def body(self, name: str, kind: str, **values: Any) -> Organisation:
        key = (kind, name)
        if key not in self.bodies:
            self.bodies[key] = Organisation.objects.create(
                name=name,
                name_key=name_key(name),
                kind=kind,
                created_at=clock.moment_on(self.path.steps[0].day),
                **values,
            )
        return self.bodies[key]

    def actor(self, role_code: str, body: Organisation | None = None) -> Actor:
        """The simulated account of a role, acting for a body (its own when none is given)."""
        role = policy().role(role_code)
        user = self.actors.get(role_code)
        if user is None:
            user = User(
                email=f"{role_code.replace('_', '-')}@demonstration.invalid",
                name=f"{role.title.in_language('fr')} (simulé)",
                demo_role=role_code,
                simulated=True,
            )
            user.set_unusable_password()
            user.save()
            self.actors[role_code] = user
        if body is None:
            body = self.body(*HOUSES.get(role_code, HOUSES[""]))
        if (user.pk, body.pk) not in self.mandates:
            Mandate.objects.create(
                user=user,
                organisation=body,
                programme=policy().slug,
                role=role_code,
                starts_on=self.path.steps[0].day,
            )
            self.mandates.add((user.pk, body.pk))
        return Actor(
            user_id=user.pk,
            user_label=user.name,
            organisation_id=body.pk,
            organisation_label=body.name,
            role=role.code,
            role_title=role.title,
            side=role.side,
            scope=role.scope,
            programme=policy().slug,
            permissions=frozenset(role.permissions),
        )

    def region(self, code: str, day: dt.date) -> tuple[Organisation, Organisation, Organisation]:
        """Prefecture, service and council of a region."""
        name = next(str(r.name) for r in policy().regions_on(day).regions if r.code == code)
        return (
            self.body(f"Préfecture de région {name}", "state_service", level="region", region_code=code),
            self.body(f"Services de l'État en région {name}", "state_service", region_code=code),
            self.body(f"Conseil régional {name}", "authority", level="region", region_code=code),
        )

    # -- the run --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Every step up to the day asked for; the daily root is closed after the last step of each day."""
        load_sources(self.path.register)
        for step in self.path.steps:
            if step.day > self.until:
                break
            with clock.hold(step.day), transaction.atomic():
                before = JournalEntry.objects.count()
                self.seconds = 0 if not self.steps or self.steps[-1]["day"] != step.day else self.seconds
                getattr(self, f"do_{step.do}")(step)
                after = JournalEntry.objects.count()
                journal.close_day(step.day)
            self.steps.append(
                {
                    "day": step.day,
                    "title": str(title_of(step, self.path)),
                    "acts": after - before,
                    "simulated": step.simulated,
                }
            )
            self.say(f"{step.day.isoformat()}  {after - before:>5}  {self.steps[-1]['title']}")
        load_decisions(_told_by(self.path, self.until), policy().slug)

    def do_told(self, step: Step) -> None:
        """A fact of the register that asks for no act here."""

    # -- calls for applications -----------------------------------------------------------------------------------------

    def do_call(self, step: Step) -> None:
        """A real call opens, with its criteria and counts, or closes: then the applications that are named are entered."""
        said, officer = self.path.call(step.said["call"]), self.actor("national_officer")
        if step.get("move") == "open":
            call = candidacies.add_call(
                code=said["code"],
                title_fr=said["title"]["fr"],
                title_en=said["title"]["en"],
                opens_on=said.get("opens_on"),
                closes_on=said.get("closes_on"),
                criteria=said["criteria"],
                by=officer,
                **self.when(step.day),
            )
            told = {k: said[k] for k in ("notes", "precision") if said.get(k)}
            call.notes, call.precision = told.get("notes", []), told.get("precision", {})
            call.sources, call.known = list(said["source"]), True
            call.save(update_fields=["notes", "precision", "sources", "known"])
            candidacies.move_call(call, "open", by=officer, **self.when(step.day))
            return
        call = CandidacyCall.objects.get(code=said["code"])
        candidacies.move_call(call, "close", by=officer, **self.when(step.day))
        decision = next(s for s in self.path.steps if s.do == "decide" and s.get("national") == said["decision"])
        for label, act in self.path.acts_of(decision):
            if act.act == "granted":
                holder = label.holders[0].slug
                candidacies.enter_known(
                    call, name=label.name, slug=holder, sources=label.sources, by=officer, **self.when(step.day)
                )
        for other in said.get("others") or ():
            candidacies.enter_known(
                call,
                name=other["name"],
                slug=name_key(other["name"]).replace(" ", "-"),
                sources=other["source"],
                by=officer,
                **self.when(step.day),
            )

    # -- decisions ------------------------------------------------------------------------------------------------------

    def do_decide(self, step: Step) -> None:
        """A proposal with the lines of the register, the opinions that the policy asks for, the act of the authority."""
        laws, officer = policy(), self.actor("national_officer")
        national = self.path.national(step.said["national"])
        sources = national.get("source") or []
        sources = [sources] if isinstance(sources, str) else list(sources)
        lines = [self._line(label, act, step) for label, act in self.path.acts_of(step)]
        title = step.said["title"]["fr"]
        decision = actions.open_decision(
            title=title,
            slug=f"{step.said['national']}" + (f"-{step.decided_on.day}" if step.get("decided_on") and step.get("precision") != "month" else ""),
            lines=lines,
            grounds=step.get("grounds"),
            campaign=step.get("campaign"),
            national=step.said["national"],
            sources=sources,
            by=officer,
            **self.when(step.day),
        )  # fmt: skip
        actions.submit(decision, by=officer, **self.when(step.day))
        for body in rules.bodies_asked(laws, (line.kind for line in lines), step.decided_on):
            speaker = next(code for code in body.roles if code != "national_officer")
            actions.opine(decision, body.code, "not_found", by=self.actor(speaker), **self.when(step.day))
        decision.refresh_from_db()
        actions.decide(
            decision,
            authority=laws.label_decider_on(step.decided_on).code,
            reference=step.said["national"],
            decided_on=step.decided_on,
            precision=step.get("precision") or "day",
            published_on=step.day,
            publication=str(national["title"]["fr"])[:300],
            rev=decision.rev,
            by=self.actor("label_authority"),
            **self.when(step.day),
        )
        for line in decision.lines.filter(kind="label").select_related("cluster").order_by("order"):
            self._people_of(line.cluster, step)
        for line in decision.lines.filter(kind="confirm").order_by("order"):
            # The letters of August 2008 are known; the day on which each was received is not.
            actions.notify(line, sent_on=step.decided_on, by=officer, **self.when(step.day))
        self._settle_others(step)

    def _line(self, label: LabelRecord, act: Any, step: Step) -> actions.NewLine:
        kind = KIND_OF[act.act]
        slug = label.holders[0].slug
        if kind != "label":
            row = Label.objects.get(code=label.code)
            cluster = Cluster.objects.get(slug=slug)
            return actions.NewLine(
                kind,
                act.effective_from,
                act.until,
                cluster=cluster,
                label=row,
                group=self._group(slug, step),
                reasons=step.get("reasons") if policy_kind(kind).reasons else "",
            )
        sheet = sheet_on(self.path.register, slug, step.day)
        regions = policy().regions_on(step.day)
        codes = {str(r.name): r.code for r in regions.regions}
        terms = {
            "code": label.code,
            "slug": slug,
            "name": sheet["name"],
            "label_name": label.name,
            "tier": label.tier or "",
            "tier_certainty": label.tier_certainty,
            "certainty": act.certainty,
            "follows": list(label.follows),
            "regions": [codes[r] for r in sheet["regions"] if r in codes],
            "city": sheet["city"] or "",
            "latitude": str(sheet["latitude"]) if sheet["latitude"] is not None else "",
            "longitude": str(sheet["longitude"]) if sheet["longitude"] is not None else "",
            "theme_fr": sheet["theme_fr"] or "",
            "theme_en": sheet["theme_en"] or "",
            "theme_family": sheet["family"] or "",
        }
        application = Candidacy.objects.filter(slug=slug, state="submitted").first()
        return actions.NewLine(kind, act.effective_from, act.until, candidacy=application, terms=terms)

    def _group(self, slug: str, step: Step) -> str:
        """The group of the campaign that a decision rests on: known by name, else « 1-2 » in 2008, else nothing."""
        campaign = step.get("campaign")
        if campaign != "2008":
            return ""
        known = next(
            (e["result"] for e in self.path.register.evaluations if e["slug"] == slug and str(e["year"]) == campaign),
            None,
        )
        return known or "1-2"

    def _settle_others(self, step: Step) -> None:
        """Applications of the calls that this decision ends and that it did not label: what became of them, where it is known."""
        officer = self.actor("national_officer")
        for said in self.path.calls:
            if said["decision"] != step.get("national"):
                continue
            call = CandidacyCall.objects.get(code=said["code"])
            for other in said.get("others") or ():
                row = call.candidacies.get(slug=name_key(other["name"]).replace(" ", "-"))
                candidacies.settle(row, other["outcome"], text=other["text"]["fr"], by=officer, **self.when(step.day))
            call.counts = dict(said["counts"])
            call.save(update_fields=["counts"])
            candidacies.move_call(call, "finish", by=officer, **self.when(step.day))

    def _people_of(self, cluster: Cluster, step: Step) -> None:
        """Who answers for a new cluster: its governance body and its State correspondent, entered by the register's keeper."""
        officer, day = self.actor("national_officer"), step.day
        codes = list(cluster.territories.order_by("rank").values_list("region_code", flat=True))
        carrier = self.body(f"Structure de gouvernance de {cluster.name} (simulée)", "association", simulated=True)
        register.set_carrier(cluster, carrier, starts_on=day, source_title="Rejeu", by=officer, on=day)
        self.carriers[cluster.pk] = carrier
        self.actor("cluster_director", carrier)
        if codes:
            _, service, _ = self.region(codes[0], day)
            self.actor("state_correspondent", service)
            register.assign_correspondent(
                cluster, self.actors["state_correspondent"], service, starts_on=day, by=officer, on=day
            )
            self.correspondents[cluster.pk] = service

    def do_register(self, step: Step) -> None:
        """An act that the register deduces, without a decision that is known: entered by its keeper, and said to be deduced."""
        for label, act in self.path.acts_of(step):
            register.record_label_act(
                Label.objects.get(code=label.code),
                act=act.act,
                effective_from=act.effective_from,
                until=act.until,
                reference=act.reference or "",
                certainty=act.certainty,
                sources=act.sources,
                note=act.note.fr if act.note else "",
                by=self.actor("national_officer"),
                **self.when(step.day),
            )

    # -- evaluations ----------------------------------------------------------------------------------------------------

    def do_evaluation(self, step: Step) -> None:
        """A campaign opens, then its results are entered: only those that a source names."""
        replay_evaluations.evaluation(self, step)

    def do_interviews(self, step: Step) -> None:
        """The contradictory interviews with the pôles of a group."""
        replay_evaluations.interviews(self, step)

    # -- contracts ------------------------------------------------------------------------------------------------------

    def do_contracts(self, step: Step) -> None:
        getattr(self, f"_contracts_{step.get('move')}")(step)

    def labelled(self, day: dt.date) -> list[Cluster]:
        """The clusters that hold a label on a day, by name."""
        ids = state.labelled_ids(day)
        return list(Cluster.objects.filter(pk__in=ids).order_by("slug"))

    def _real(self, slug: str) -> dict[str, Any]:
        """What the register tells of a performance contract of phase 2; nothing for most."""
        return next(
            (
                c
                for c in self.path.register.contracts
                if c["slug"] == slug and c["phase"] == PHASE and c["kind"] == "performance"
            ),
            {},
        )

    def _contracts_roadmaps(self, step: Step) -> None:
        """Roadmaps of the clusters whose label runs as long as the contract: written by the team, validated by the State."""
        for cluster in self.labelled(step.day):
            starts, ends = self._period(cluster)
            spans = contract_queries.label_spans([cluster.pk], known_on=step.day).get(cluster.pk, [])
            if not any(s.starts_on <= starts and (s.ends_on is None or s.ends_on >= ends) for s in spans):
                continue
            self._roadmap(cluster, step, starts, ends)

    def _period(self, cluster: Cluster) -> tuple[dt.date, dt.date]:
        template = policy().contract_template_for(PHASE)
        real = self._real(cluster.slug)
        durations = template.durations
        return real.get("starts_on") or durations.usual_start, real.get("ends_on") or durations.usual_end

    def _roadmap(self, cluster: Cluster, step: Step, starts: dt.date, ends: dt.date) -> None:
        team = self.actor("cluster_director", self.carriers[cluster.pk])
        made = roadmaps.start(
            cluster, PHASE, by=team, starts_on=starts, ends_on=ends, simulated=True, **self.when(step.day)
        )
        template = policy().roadmap_template(made.template) if hasattr(made, "template") else None
        template = template or contract_queries.policy().roadmap_template(step.day)
        above: dict[str, str] = {}
        for section in template.sections:
            if not section.required:
                continue
            if section.kind == "text":
                roadmaps.save_section(made, section.key, body=SIMULATED_TEXT, rev=0, by=team, **self.when(step.day))
                continue
            for level in section.levels:
                parent = next((one.parent for one in template.levels if one.code == level), None)
                item = roadmaps.add_item(
                    made,
                    section.key,
                    level=level,
                    title=f"{next(one.title for one in template.levels if one.code == level).in_language('fr')} (simulé)",
                    parent=above.get(parent or "", ""),
                    horizon="short" if level == "action" else "",
                    by=team,
                    **self.when(step.day),
                )
                above.setdefault(level, item.key)
        roadmaps.submit(made, by=team, **self.when(step.day))
        made = Roadmap.objects.get(pk=made.pk)
        roadmaps.validate(
            made, by=self.actor("state_correspondent", self.correspondents[cluster.pk]), **self.when(step.day)
        )

    def _parties(self, cluster: Cluster, day: dt.date) -> list[tuple[str, Organisation, str]]:
        codes = list(cluster.territories.order_by("rank").values_list("region_code", flat=True))
        prefecture, _, _ = self.region(codes[0], day)
        found = [("state", prefecture, "préfet de région")]
        found += [("authority", self.region(code, day)[2], "président du conseil régional") for code in codes]
        return [*found, ("governance", self.carriers[cluster.pk], "président de la structure de gouvernance")]

    def _contracts_prepare(self, step: Step) -> None:
        """A contract is asked for every labelled cluster; the rules refuse those whose label does not run long enough."""
        for cluster in self.labelled(step.day):
            starts, ends = self._period(cluster)
            by = self.actor("state_correspondent", self.correspondents[cluster.pk])
            try:
                made = contracts.prepare(
                    cluster,
                    phase=PHASE,
                    starts_on=starts,
                    ends_on=ends,
                    parties=self._parties(cluster, step.day),
                    by=by,
                    slug=str(self._real(cluster.slug).get("code") or f"{cluster.slug}-{starts.year}"),
                    simulated=True,
                    **self.when(step.day),
                )
            except Refused as refusal:
                self.refused.append({"cluster": cluster.slug, "on": step.day, "why": str(refusal.reason)})
                continue
            self._enter_papers(cluster, step)
            text = made.texts.get(number=0)
            contracts.propose(
                text,
                document(text, made),
                by=self.actor("cluster_director", self.carriers[cluster.pk]),
                **self.when(step.day),
            )

    def _enter_papers(self, cluster: Cluster, step: Step) -> None:
        """A simulated member and the statutes: what the annexes of a contract are taken from."""
        team = self.actor("cluster_director", self.carriers[cluster.pk])
        row = members.add_member(
            cluster,
            by=team,
            on=step.day,
            name=f"Entreprise adhérente de {cluster.name} (simulée)",
            member_type="sme",
            joined_on=dt.date(step.day.year, 1, 1),
            chosen=0,
        )
        Membership.objects.filter(pk=row.pk).update(simulated=True)
        Organisation.objects.filter(pk=row.organisation_id).update(simulated=True)
        paper = register.add_document(
            cluster,
            kind="statutes",
            title="Statuts et règles de labellisation des projets (simulés)",
            dated=step.day,
            upload=ContentFile(
                f"Document simulé pour le rejeu : statuts de {cluster.name}.\n".encode(),
                name=f"statuts-{cluster.slug}.txt",
            ),
            by=team,
            on=step.day,
        )
        ClusterDocument.objects.filter(pk=paper.pk).update(simulated=True)

    def _texts(self, state_code: str) -> list[ContractText]:
        return list(
            ContractText.objects.filter(number=0, state=state_code, contract__phase=PHASE)
            .select_related("contract__cluster")
            .order_by("contract__slug")
        )

    def _state(self, text: ContractText) -> Actor:
        return self.actor("state_correspondent", self.correspondents[text.contract.cluster_id])

    def _contracts_negotiate(self, step: Step) -> None:
        """The texts go to the parties; the pôle proposes a change, the State accepts it."""
        for text in self._texts("draft"):
            contracts.open_negotiation(text, by=self._state(text), **self.when(step.day))
            text.refresh_from_db()
            (proposal,) = contracts.propose(
                text,
                [("objectives/o1/actions/a1/owner", "Équipe permanente (simulé)")],
                reason="Précision demandée par le pôle.",
                by=self.actor("cluster_director", self.carriers[text.contract.cluster_id]),
                **self.when(step.day),
            )
            contracts.accept(proposal, by=self._state(text), **self.when(step.day))

    def _contracts_deliberate(self, step: Step) -> None:
        """Each authority decides on its own."""
        for text in self._texts("negotiation"):
            for party in text.contract.parties.select_related("organisation").filter(kind="authority"):
                contracts.decide(
                    text,
                    by=self.actor("authority_signatory", party.organisation),
                    decided_on=step.day,
                    reference=f"Délibération du {step.day:%d/%m/%Y} (simulée)",
                    simulated=True,
                    **self.when(step.day),
                )

    def _contracts_open_signature(self, step: Step) -> None:
        """Annexes are taken from the register, the text is frozen."""
        for text in self._texts("negotiation"):
            contracts.take_annexes(text, by=self._state(text), **self.when(step.day))
            contracts.open_signature(text, by=self._state(text), **self.when(step.day))

    def _contracts_sign(self, step: Step) -> None:
        """The contracts whose day of signature is known are signed on that day."""
        for text in self._texts("signing"):
            real = self._real(text.contract.cluster.slug)
            if real.get("signed_precision") == "day" and real.get("signed_on") == step.day:
                self._sign(text, step)

    def _contracts_sign_others(self, step: Step) -> None:
        """The others: no source gives their day."""
        for text in self._texts("signing"):
            self._sign(text, step)

    def _sign(self, text: ContractText, step: Step) -> None:
        roles = {"governance": "cluster_director", "authority": "authority_signatory", "state": "prefect"}
        template = contract_queries.template_of(text.contract)
        order = [kind for step_ in template.signing_order for kind in step_]
        text = ContractText.objects.select_related("contract__cluster", "frozen").get(pk=text.pk)
        for party in sorted(
            text.contract.parties.select_related("organisation"), key=lambda p: (order.index(p.kind), p.order)
        ):
            contracts.sign(
                text,
                by=self.actor(roles[party.kind], party.organisation),
                sha256=text.frozen.sha256,
                signatory=party.signatory,
                simulated=True,
                **self.when(step.day),
            )


HOUSES: dict[str, tuple[str, str]] = {
    "": ("DGCIS – équipe nationale des pôles", "state_service"),
    "label_authority": ("Comité interministériel, secrétariat", "state_service"),
    "qualified_person": ("Personnalités qualifiées", "other"),
}
SIMULATED_TEXT = "Texte simulé pour le rejeu."


def policy_kind(code: str) -> Any:
    return rules.kind_of(policy(), code)


def document(text: ContractText, contract: Contract) -> list[Any]:
    """The smallest content that a contract of phase 2 may be signed with, simulated and saying so."""
    content = text.content
    years = range(contract.starts_on.year, contract.ends_on.year + 1)
    changes: list[Any] = [
        (f"articles/{a['key']}/body", SIMULATED_TEXT) for a in content["articles"] if not a.get("body")
    ]
    axis = None
    if contract.group == "2":
        axis = "x1"
        changes.append(
            ("improvement_axes/x1", {"key": "x1", "title": "Axe d'amélioration (simulé)", "body": SIMULATED_TEXT})
        )
    changes.append(
        (
            "objectives/o1",
            {
                "key": "o1",
                "title": "Objectif stratégique (simulé)",
                "body": SIMULATED_TEXT,
                "axis": axis,
                "actions": [
                    {
                        "key": "a1",
                        "title": "Programme d'actions (simulé)",
                        "owner": "Équipe",
                        "starts_on": contract.starts_on.isoformat(),
                        "ends_on": contract.ends_on.isoformat(),
                        "budget": "100000",
                        "deliverables": SIMULATED_TEXT,
                        "milestones": [
                            {
                                "key": "m1",
                                "title": "Jalon (simulé)",
                                "due_on": dt.date(contract.starts_on.year + 1, 6, 30).isoformat(),
                            }
                        ],
                    }
                ],
            },
        )
    )
    for indicator in content["indicators"]:
        changes.append((f"indicators/{indicator['key']}/targets/{years[-1]}", "50"))
    for commitment in content["commitments"]:
        for year in years:
            changes.append((f"commitments/{commitment['key']}/amounts/{year}", "100000"))
            changes.append((f"commitments/{commitment['key']}/due/{year}", f"{year}-06-30"))
    return changes


def _told_by(path: PolicyPath, day: dt.date) -> Any:
    """The register's national decisions up to a day, as the loader reads them."""

    @dataclass
    class Told:
        decisions: Sequence[dict[str, Any]]

    return Told([d for d in path.register.decisions if d.get("on") and d["on"] <= day])


def run(until: dt.date, *, say: Say = lambda _: None) -> dict[str, Any]:
    """Run the path to a day on the configured database and tell the state then (:func:`jalon.decisions.state.summary`).

    Raises:
        Refused: the database is not empty, the programme has no path, or the day is outside it. Nothing is written then.
    """
    path = check_until(path_of(), until)
    if not is_empty():
        raise Refused(
            T(
                "Cette base n'est pas vide : le rejeu part d'une base vide. Ajouter --fresh pour rejouer dans une base "
                "temporaire, ou donner JALON_HOME (ou JALON_DATABASE_URL) d'une base neuve.",
                "This database is not empty: the replay starts from an empty one. Add --fresh to run it in a temporary "
                "database, or give the JALON_HOME (or JALON_DATABASE_URL) of a new one.",
            )
        )
    one = Replay(until, path, say)
    one.run()
    with transaction.atomic():
        # What the run made is the register: it is neither loaded over nor filled with the demonstration's members.
        mark = fingerprint(settings.DATA / policy().slug)
        for name in ("register", "contracts", "decisions"):
            Setting.objects.update_or_create(key=f"{name}:{policy().slug}", defaults={"value": mark})
        Setting.objects.update_or_create(
            key=clock.KEY, defaults={"value": {"day": until.isoformat(), "start": until.isoformat(), "seed": 0}}
        )
        Setting.objects.update_or_create(key=KEY, defaults={"value": {"until": until.isoformat()}})
    with clock.hold(until):
        return state.summary(until, path, refused=one.refused, steps=one.steps)
