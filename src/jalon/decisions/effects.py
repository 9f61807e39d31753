"""What a decision does: to the label, the contracts, the promises, the requests for labels and the projects of a cluster.

The same plan is shown in advance and carried out: :func:`plan` reads and says, each :class:`Planned` knows how to do what it
says through the acts of the package that owns the row. Nothing is deleted; what is left alone says why.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q

from jalon.clusters import actions as register, rules as register_rules
from jalon.clusters.labels import LabelActRecord
from jalon.clusters.models import Cluster, Label, LabelAct, LabelHolder
from jalon.clusters.queries import named_on
from jalon.contracts import actions as contracts, follow_actions as follow
from jalon.contracts.models import Commitment, Contract, Text as ContractText
from jalon.core.errors import Refused
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.decisions import rules
from jalon.decisions.models import Line
from jalon.evaluations.models import Finding, Hearing
from jalon.evaluations.states import OUTCOMES, STANDING
from jalon.labelling import actions as labelling, states as labelling_states
from jalon.labelling.models import LabelRequest
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation
from jalon.policy.faults import day_text
from jalon.projects.models import ProjectLabel
from jalon.ui import format as fmt

Do = Callable[["Run"], None]


@dataclass(frozen=True)
class Run:
    """With what a plan is carried out: who decided (with the rights that the decision brings), day, moment, reference."""

    by: Actor
    on: dt.date
    at: dt.datetime | None
    reference: str
    decided_on: dt.date
    precision: str
    simulated: bool
    sources: Sequence[str] = ()


@dataclass(frozen=True)
class Planned:
    """One effect: on what, which case, what is said, why; ``done`` is False where something is left alone.

    ``refusal`` is set when the register refuses it: the decision cannot be taken as it stands.
    """

    on: str
    target: str
    said: Text
    done: bool = True
    why: Why | None = None
    amount: Decimal | None = None
    do: Do | None = field(default=None, compare=False, repr=False)
    refusal: Refused | None = field(default=None, compare=False)


def executor(by: Actor) -> Actor:
    """The actor under whom effects are carried out: who decided, with the rights that the decision itself brings.

    A decision on a label is carried out by its own authority; whoever records it needs no right on each contract.
    """
    brings = {"register.edit", "contract.prepare", "commitment.edit", "labelling.manage"}
    return by.but(permissions=by.permissions | brings, scope="national", side="state")


class Scene:
    """Everything that the plans of some lines read, in a fixed number of queries."""

    def __init__(self, lines: Sequence[Line], on: dt.date):
        self.on = on
        self.laws = policy()
        labels = [line.label_id for line in lines if line.label_id]
        self.acts: dict[int, list[LabelAct]] = defaultdict(list)
        for act in LabelAct.objects.filter(label__in=labels, superseded_at=None).order_by("effective_from", "id"):
            self.acts[act.label_id].append(act)
        self.holders: dict[int, list[Cluster]] = defaultdict(list)
        for held in (
            LabelHolder.objects.filter(label__in=labels, role="holder")
            .filter(Q(ends_on=None) | Q(ends_on__gte=on))
            .select_related("cluster")
            .order_by("id")
        ):
            self.holders[held.label_id].append(held.cluster)
        ids = {c.pk for found in self.holders.values() for c in found} | {x.cluster_id for x in lines if x.cluster_id}
        self.contracts: dict[int, list[Contract]] = defaultdict(list)
        # What the register knows of later years is no contract yet on this day.
        rows = Contract.objects.filter(cluster__in=ids).exclude(signed_on__gt=on)
        rows = rows.exclude(state="signed", signed_on__isnull=True, starts_on__gt=on)
        for contract in rows.select_related("cluster").order_by("starts_on", "id"):
            self.contracts[contract.cluster_id].append(contract)
        ending = [x for x in lines if self.kind(x) and self.kind(x).contracts == "close"]
        closing = {c.pk: x.effective_from for x in ending for cl in self.clusters(x) for c in self.contracts[cl.pk]}
        self.texts: dict[int, list[ContractText]] = defaultdict(list)
        self.promises: dict[int, list[tuple[Commitment, Decimal | None]]] = {}
        self.labelled: dict[int, list[ProjectLabel]] = defaultdict(list)
        self.requests: dict[int, list[LabelRequest]] = defaultdict(list)
        if ending:
            for text in ContractText.objects.filter(
                contract__in=closing, state__in=("draft", "negotiation", "signing")
            ).order_by("-number"):
                self.texts[text.contract_id].append(text)
            self.promises = follow.to_release(closing)
            clusters = {cl.pk for x in ending for cl in self.clusters(x)}
            for request in (
                LabelRequest.objects.filter(cluster__in=clusters, state__in=labelling_states.RUNNING)
                .select_related("project")
                .order_by("project__acronym", "id")
            ):
                self.requests[request.cluster_id].append(request)
            for row in (
                ProjectLabel.objects.filter(
                    cluster__in=clusters, superseded_at=None, outcome__in=("labelled", "conditions")
                )
                .select_related("project")
                .order_by("decided_on", "id")
            ):
                self.labelled[row.cluster_id].append(row)

    def kind(self, line: Line) -> Any:
        return rules.kind_of(self.laws, line.kind)

    def clusters(self, line: Line) -> list[Cluster]:
        """The bodies behind the line: the holders of its label, else the cluster it names."""
        found = self.holders.get(line.label_id, []) if line.label_id else []
        return found or ([line.cluster] if line.cluster_id else [])


def plan(lines: Sequence[Line], on: dt.date, *, decided_on: dt.date | None = None) -> dict[int, list[Planned]]:
    """What each line would do if it were decided on a day, in the order in which it would be done. Reads only."""
    scene = Scene(lines, on)
    named_on([c for found in scene.holders.values() for c in found] + [x.cluster for x in lines if x.cluster], on)
    return {line.pk: _plan(line, scene, decided_on or on) for line in lines}


def _plan(line: Line, scene: Scene, decided_on: dt.date) -> list[Planned]:
    kind = scene.kind(line)
    if kind is None:
        return []
    found = _on_label(line, kind, scene, decided_on)
    for cluster in scene.clusters(line):
        found += _on_contracts(line, kind, cluster, scene)
        if kind.requests == "close":
            found += _on_requests(line, kind, cluster, scene)
        if kind.contracts == "close":
            found += _on_projects(line, kind, cluster, scene)
    if kind.new and not line.cluster_id:
        found += _on_first_contract(line, kind, scene)
    return found


def _why(kind: Any, text: Text | None, rule: Text, day: dt.date, **more: Any) -> Why:
    return Why(
        rule=text or rule,
        parameter=f"decisions.kinds.{kind.code}",
        reference=kind.reference,
        url=kind.url or "",
        reading=kind.reading,
        to_confirm=kind.to_confirm,
        day=day,
        **more,
    )


# --- the label -----------------------------------------------------------------------------------------------------


def _on_label(line: Line, kind: Any, scene: Scene, decided_on: dt.date) -> list[Planned]:
    act = scene.laws.label_act(kind.act)
    why = _why(
        kind, None, T("La décision devient un acte du label.", "The decision becomes an act of the label."), decided_on
    )
    if kind.new:
        return _on_new_label(line, kind, scene, why)
    if kind.act == "refused" and line.label_id is None:
        return [
            Planned(
                "candidacy",
                line.candidacy.case if line.candidacy else "",
                T(
                    "La candidature de « {n} » n'est pas retenue.",
                    "The application of “{n}” is not accepted.",
                    n=line.name,
                ),
                why=why,
                do=lambda run: _close_candidacy(line, "refused", run),
            )
        ]
    refusal = None
    try:
        register_rules.check_act(
            [register.act_record(a) for a in scene.acts[line.label_id]],
            LabelActRecord(kind.act, line.effective_from, line.until, decided_on),
        )
    except Refused as error:
        refusal = error
    period = (
        T("du {a} au {b}", "from {a} to {b}", a=day_text(line.effective_from), b=day_text(line.until))
        if line.until
        else T("à compter du {a}", "from {a} on", a=day_text(line.effective_from))
    )
    return [
        Planned(
            "label",
            f"label:{line.label.code}",
            T("{act} : « {n} », {p}.", "{act}: “{n}”, {p}.", act=act.title, n=line.label.name, p=period),
            why=why,
            refusal=refusal,
            do=lambda run: _record_act(line, kind, run),
        )
    ]


def _record_act(line: Line, kind: Any, run: Run) -> None:
    line.act = register.record_label_act(
        line.label,
        act=kind.act,
        effective_from=line.effective_from,
        until=line.until,
        decided_on=run.decided_on,
        precision=run.precision,
        reference=run.reference,
        sources=run.sources,
        note=line.conditions[:400],
        by=run.by,
        on=run.on,
        at=run.at,
    )
    line.save(update_fields=["act"])


def _on_new_label(line: Line, kind: Any, scene: Scene, why: Why) -> list[Planned]:
    terms = line.terms
    name = line.name
    found = []
    if line.cluster_id is None:
        refusal = None
        slug = str(terms.get("slug") or "")
        if not slug or Cluster.objects.filter(slug=slug).exists():
            refusal = Refused(
                T(
                    "Le nom court du nouveau pôle manque ou est déjà pris : « {s} ».",
                    "The short name of the new cluster is missing or taken: “{s}”.",
                    s=slug or "–",
                ),
                kind="input",
            )
        found.append(
            Planned(
                "cluster",
                f"cluster:{slug}",
                T("« {n} » entre au registre.", "“{n}” enters the register.", n=name),
                why=why,
                refusal=refusal,
                do=lambda run: _enter_cluster(line, run),
            )
        )
    code = str(terms.get("code") or "")
    refusal = None
    if not code or Label.objects.filter(code=code).exists():
        refusal = Refused(
            T(
                "Le code du nouveau label manque ou est déjà pris : « {c} ».",
                "The code of the new label is missing or taken: “{c}”.",
                c=code or "–",
            ),
            kind="input",
        )
    until = T(" au {b}", " to {b}", b=day_text(line.until)) if line.until else T("", "")
    found.append(
        Planned(
            "label",
            f"label:{code}",
            T(
                "Label attribué à « {n} » du {a}{b}.",
                "Label granted to “{n}” from {a}{b}.",
                n=name,
                a=day_text(line.effective_from),
                b=until,
            ),
            why=why,
            refusal=refusal,
            do=lambda run: _grant(line, run),
        )
    )
    if line.candidacy_id:
        found.append(
            Planned(
                "candidacy",
                line.candidacy.case,
                T("La candidature de « {n} » est labellisée.", "The application of “{n}” is labelled.", n=name),
                why=why,
                do=lambda run: _close_candidacy(line, "labelled", run),
            )
        )
    return found


def _enter_cluster(line: Line, run: Run) -> None:
    terms, candidacy = line.terms, line.candidacy
    content = candidacy.content if candidacy else {}
    theme = str(terms.get("theme_fr") or content.get("theme") or "")[:300]
    regions = terms.get("regions")
    if regions is None:
        regions = candidacy.regions if candidacy else ()
    made = register.create_cluster(
        name=str(terms.get("name") or line.name)[:200],
        slug=str(terms["slug"]),
        regions=list(regions),
        city=str(terms.get("city") or (candidacy.city if candidacy else "")),
        latitude=Decimal(terms["latitude"]) if terms.get("latitude") else None,
        longitude=Decimal(terms["longitude"]) if terms.get("longitude") else None,
        theme_fr=theme,
        theme_en=str(terms.get("theme_en") or theme)[:300],
        theme_family=str(terms.get("theme_family") or (candidacy.theme_family if candidacy else "")),
        by=run.by,
        on=run.on,
        source_title=run.reference,
    )
    if run.simulated:
        Cluster.objects.filter(pk=made.pk).update(simulated=True)
    if candidacy is not None and candidacy.organisation is not None:
        register.set_carrier(
            made,
            candidacy.organisation,
            starts_on=line.effective_from,
            source_title=run.reference,
            by=run.by,
            on=run.on,
        )
    line.cluster = made
    line.save(update_fields=["cluster"])


def _grant(line: Line, run: Run) -> None:
    terms = line.terms
    label = register.create_label(
        [line.cluster],
        code=str(terms["code"]),
        name=str(terms.get("label_name") or line.name)[:200],
        tier=str(terms.get("tier") or ""),
        tier_certainty=str(terms.get("tier_certainty") or "known"),
        effective_from=line.effective_from,
        until=line.until,
        decided_on=run.decided_on,
        precision=run.precision,
        certainty=str(terms.get("certainty") or "known"),
        reference=run.reference,
        sources=run.sources,
        by=run.by,
        on=run.on,
        at=run.at,
    )
    if terms.get("follows"):
        label.follows = list(terms["follows"])
        label.save(update_fields=["follows"])
    line.label, line.act = label, label.acts.get()
    line.save(update_fields=["label", "act"])


def _close_candidacy(line: Line, outcome: str, run: Run) -> None:
    from jalon.decisions import candidacies

    if line.candidacy is not None:
        candidacies.settle(
            line.candidacy, outcome, cluster=line.cluster, text=line.reasons, by=run.by, on=run.on, at=run.at
        )


# --- contracts and promises ----------------------------------------------------------------------------------------


def _on_contracts(line: Line, kind: Any, cluster: Cluster, scene: Scene) -> list[Planned]:
    found: list[Planned] = []
    rows = scene.contracts[cluster.pk]
    day = line.effective_from
    why = _why(
        kind,
        kind.contracts_why,
        T("Ce que la décision fait aux contrats.", "What the decision does to contracts."),
        scene.on,
    )
    if kind.contracts == "may_sign" and line.until:
        template = _template(scene.laws, line.effective_from)
        found.append(
            Planned(
                "contract",
                f"cluster:{cluster.slug}",
                T(
                    "Un contrat peut être préparé et signé pour {n}, jusqu'au {b} au plus{t}.",
                    "A contract may be prepared and signed for {n}, to {b} at most{t}.",
                    n=_named(cluster),
                    b=day_text(line.until),
                    t=T(" (modèle : {t})", " (template: {t})", t=template.title) if template else T("", ""),
                ),
                why=why,
            )
        )
        if template is None:
            found.append(
                Planned(
                    "contract",
                    f"cluster:{cluster.slug}",
                    T(
                        "La politique n'a pas de modèle de contrat pour une période qui commence le {d} : il manque.",
                        "The policy has no contract template for a period that begins on {d}: it is missing.",
                        d=day_text(line.effective_from),
                    ),
                    done=False,
                    why=why,
                )
            )
    if kind.contracts == "may_not_sign":
        found.append(
            Planned(
                "contract",
                f"cluster:{cluster.slug}",
                T(
                    "Aucun contrat ne peut aller au-delà du {b} pour {n}.",
                    "No contract may go beyond {b} for {n}.",
                    n=_named(cluster),
                    b=day_text(line.until),
                )
                if line.until
                else T("Aucun contrat ne s'ouvre pour {n}.", "No contract opens for {n}.", n=_named(cluster)),
                why=why,
            )
        )
    if kind.contracts == "keep":
        for row in rows:
            if row.state == "signed" and (row.ends_on is None or row.ends_on >= day):
                found.append(
                    Planned(
                        "contract",
                        f"contract:{row.slug}",
                        T("« {c} » n'est pas touché : il va à son terme.", "“{c}” is not touched: it goes to its end.", c=row.title),
                        done=False,
                        why=why,
                    )
                )  # fmt: skip
    if kind.contracts == "close":
        for row in rows:
            found += _close(line, kind, row, scene, why)
        if not rows:
            found.append(
                Planned(
                    "contract",
                    f"cluster:{cluster.slug}",
                    T("{n} n'a pas de contrat : rien à clore.", "{n} has no contract: nothing to close.", n=_named(cluster)),
                    done=False,
                    why=why,
                )
            )  # fmt: skip
    return found


def _close(line: Line, kind: Any, row: Contract, scene: Scene, why: Why) -> list[Planned]:
    case, day = f"contract:{row.slug}", line.effective_from
    if row.state in ("closed", "abandoned"):
        ended = row.closed_on
        return [
            Planned(
                "contract",
                case,
                T(
                    "« {c} » est déjà {s}{d} : rien n'y change.",
                    "“{c}” is {s} already{d}: nothing changes in it.",
                    c=row.title,
                    s=T("clos", "closed") if row.state == "closed" else T("abandonné", "abandoned"),
                    d=T(" depuis le {d}", " since {d}", d=day_text(ended)) if ended else T("", ""),
                ),
                done=False,
                why=why,
            )
        ]
    if row.state == "signed" and row.ends_on is not None and row.ends_on < day:
        return [
            Planned(
                "contract",
                case,
                T(
                    "« {c} » a pris fin le {d}, avant la fin du label : rien n'y change.",
                    "“{c}” ended on {d}, before the label ends: nothing changes in it.",
                    c=row.title,
                    d=day_text(row.ends_on),
                ),
                done=False,
                why=why,
            )
        ]
    now = scene.laws.phase_on(day)
    if row.state == "signed" and row.ends_on is None and now is not None and row.phase != now.code:
        return [
            Planned(
                "contract",
                case,
                T(
                    "« {c} » est d'une phase passée, et son terme n'est pas connu : rien n'y change.",
                    "“{c}” is of a past phase, and its end is not known: nothing changes in it.",
                    c=row.title,
                ),
                done=False,
                why=why,
            )
        ]
    if row.state != "signed":
        return [
            Planned(
                "draft",
                case,
                T("« {c} », non signé, est abandonné.", "“{c}”, not signed, is abandoned.", c=row.title),
                why=why,
                do=lambda run, row=row: _abandon(row, run),
            )
        ]
    found = [
        Planned(
            "draft",
            case,
            T("L'avenant n° {n} à « {c} » est abandonné.", "Amendment no. {n} to “{c}” is abandoned.", n=text.number, c=row.title),
            why=why,
            do=lambda run, text=text: contracts.abandon(text, reason=run.reference, by=run.by, on=run.on, at=run.at),
        )
        for text in scene.texts[row.pk]
        if text.number
    ]  # fmt: skip
    if kind.commitments == "end":
        promises = scene.promises.get(row.pk, [])
        money = sum((left or Decimal(0) for promise, left in promises if promise.kind == "money"), Decimal(0))
        unknown = sum(left is None for promise, left in promises if promise.kind == "money")
        said = (
            T(
                "{n} engagements de « {c} » échus après le {d} ne sont plus dus ({m}{u}).",
                "{n} commitments of “{c}” due after {d} are no longer due ({m}{u}).",
                n=len(promises),
                c=row.title,
                d=day_text(day),
                m=T(fmt.money(money, lang="fr"), fmt.money(money, lang="en")),
                u=T(" et {n} de montant inconnu", " and {n} of unknown amount", n=unknown) if unknown else T("", ""),
            )
            if promises
            else T(
                "« {c} » n'a pas d'engagement échu après le {d}.",
                "“{c}” has no commitment due after {d}.",
                c=row.title,
                d=day_text(day),
            )
        )
        found.append(
            Planned(
                "commitment",
                case,
                said,
                done=bool(promises),
                amount=money if promises else None,
                why=_why(
                    kind,
                    kind.commitments_why,
                    T("Ce que la décision fait aux engagements.", "What the decision does to commitments."),
                    scene.on,
                ),
                do=(
                    lambda run: follow.release_commitments(
                        row, after=day, reason=run.reference, by=run.by, on=run.on, at=run.at
                    )
                )
                if promises
                else None,
            )
        )
    else:
        found.append(
            Planned(
                "commitment",
                case,
                T("Les engagements de « {c} » restent dus.", "The commitments of “{c}” stay due.", c=row.title),
                done=False,
                why=why,
            )
        )
    found.append(
        Planned(
            "contract",
            case,
            T("« {c} » est clos.", "“{c}” is closed.", c=row.title),
            why=why,
            do=lambda run: contracts.close(row, reason=run.reference, by=run.by, on=run.on, at=run.at),
        )
    )
    return found


def _abandon(row: Contract, run: Run) -> None:
    for text in (
        ContractText.objects.filter(contract=row).exclude(state__in=("signed", "abandoned")).order_by("-number")
    ):
        contracts.abandon(text, reason=run.reference, by=run.by, on=run.on, at=run.at)


def _template(laws: Any, day: dt.date) -> Any:
    """The template of contracts of the phase that runs on a day (or of the one to come, announced); None when there is none."""
    phase = laws.phase_on(day) or next((p for p in laws.phases if p.starts_on > day), None)
    if phase is None:
        return None
    try:
        return laws.contract_template_for(phase.code)
    except KeyError:
        return None


def parties_for(
    regions: Sequence[str], carrier: Organisation | None
) -> tuple[list[tuple[str, Organisation, str]], list[Text]]:
    """Who would sign a first contract, found in the register of organisations; and who is missing.

    The prefecture and the councils are those of the regions given (codes), the seat's first.
    """
    found: list[tuple[str, Organisation, str]] = []
    missing: list[Text] = []
    bodies = Organisation.objects.filter(region_code__in=list(regions), level="region", merged_into=None).order_by("id")
    by_code: dict[tuple[str, str], Organisation] = {}
    for body in bodies:
        # Several services of the State stand in one region: the prefecture signs, it is entered before the others.
        by_code.setdefault((body.kind, body.region_code), body)
    state = by_code.get(("state_service", regions[0])) if regions else None
    if state is not None:
        found.append(("state", state, ""))
    else:
        missing.append(T("la préfecture de la région", "the prefecture of the region"))
    for code in regions:
        council = by_code.get(("authority", code))
        if council is not None:
            found.append(("authority", council, ""))
    if not any(kind == "authority" for kind, _, _ in found):
        missing.append(T("une collectivité", "a local authority"))
    if carrier is not None:
        found.append(("governance", carrier, ""))
    else:
        missing.append(T("la structure de gouvernance", "the governance structure"))
    return found, missing


def _on_first_contract(line: Line, kind: Any, scene: Scene) -> list[Planned]:
    """The contract of a new cluster, prepared from the template of its phase when its parties are known."""
    template = _template(scene.laws, line.effective_from)
    why = _why(
        kind,
        kind.contracts_why,
        T("Un nouveau label ouvre un contrat.", "A new label opens a contract."),
        scene.on,
    )
    case = f"cluster:{line.terms.get('slug') or ''}"
    if template is None:
        return [
            Planned(
                "contract",
                case,
                T(
                    "Pas de contrat préparé : la politique n'a pas de modèle pour la phase du {d}.",
                    "No contract prepared: the policy has no template for the phase of {d}.",
                    d=day_text(line.effective_from),
                ),
                done=False,
                why=why,
            )
        ]
    candidacy = line.candidacy
    regions = line.terms.get("regions")
    if regions is None:
        regions = candidacy.regions if candidacy else []
    parties, missing = parties_for(list(regions), candidacy.organisation if candidacy else None)
    if missing or line.until is None:
        return [
            Planned(
                "contract",
                case,
                T(
                    "Contrat à préparer d'après « {t} » : le registre ne connaît pas {m}.",
                    "A contract is to be prepared from “{t}”: the register does not know {m}.",
                    t=template.title,
                    m=", ".join(str(m) for m in missing) or T("la fin du label", "the end of the label"),
                ),
                done=False,
                why=why,
            )
        ]
    return [
        Planned(
            "contract",
            case,
            T(
                "Un contrat est préparé d'après « {t} », du {a} au {b}.",
                "A contract is prepared from “{t}”, from {a} to {b}.",
                t=template.title,
                a=day_text(line.effective_from),
                b=day_text(line.until),
            ),
            why=why,
            do=lambda run: _prepare(line, template, parties, run),
        )
    ]


def _prepare(line: Line, template: Any, parties: Sequence[tuple[str, Organisation, str]], run: Run) -> None:
    contract = contracts.prepare(
        line.cluster,
        phase=template.phase,
        template=template.code,
        starts_on=line.effective_from,
        ends_on=line.until,
        parties=parties,
        by=run.by,
        on=run.on,
        at=run.at,
        simulated=run.simulated,
    )
    if template.code.startswith("framework"):
        contract.kind = "framework"
        contract.save(update_fields=["kind"])


# --- projects ------------------------------------------------------------------------------------------------------


def _on_requests(line: Line, kind: Any, cluster: Cluster, scene: Scene) -> list[Planned]:
    """Open requests for the cluster's label: closed, each with its own act."""
    why = _why(
        kind,
        kind.requests_why,
        T("Ce que la décision fait aux demandes de label.", "What the decision does to requests for a label."),
        scene.on,
    )
    return [
        Planned(
            "request",
            row.case,
            T(
                "La demande de label de « {p} » est close ; son porteur en est averti.",
                "The request for a label of “{p}” is closed; its leader is told.",
                p=row.project.acronym,
            ),
            why=why,
            do=lambda run, row=row: labelling.lapse(row, reason=run.reference, by=run.by, on=run.on, at=run.at),
        )
        for row in scene.requests[cluster.pk]
    ] or [
        Planned(
            "request",
            f"cluster:{cluster.slug}",
            T("Aucune demande de label de projet n'attend.", "No request for a project's label is waiting."),
            done=False,
            why=why,
        )
    ]


RUNNING = ("selected", "running")
WAITING = ("submitted", "clarification", "admissible", "reserve")


def _on_projects(line: Line, kind: Any, cluster: Cluster, scene: Scene) -> list[Planned]:
    """What the projects that the cluster labelled keep: their label, their agreements, their payments."""
    rows = scene.labelled[cluster.pk]
    why = _why(
        kind,
        kind.projects_why,
        T("Ce que la décision fait aux projets.", "What the decision does to projects."),
        scene.on,
    )
    found = []
    for states, said in (
        (
            RUNNING,
            (
                "{n} projets retenus gardent leur label, leurs conventions et leurs versements : {list}.",
                "{n} selected projects keep their label, agreements and payments: {list}.",
            ),
        ),
        (
            WAITING,
            (
                "{n} projets déposés avec ce label restent à l'examen, sous le label donné le jour de leur dépôt : {list}.",
                "{n} projects submitted with this label stay under review, with the label given when they were sent: {list}.",
            ),
        ),
    ):
        mine = [r.project for r in rows if r.project.state in states]
        if mine:
            names = ", ".join(p.acronym for p in mine[:12]) + (" …" if len(mine) > 12 else "")
            found.append(
                Planned(
                    "project",
                    f"cluster:{cluster.slug}",
                    T(*said, n=len(mine), list=names),
                    done=False,
                    why=why,
                )
            )
    if not found:
        found.append(
            Planned(
                "project",
                f"cluster:{cluster.slug}",
                T("Aucun projet en cours ne porte son label.", "No running project bears its label."),
                done=False,
                why=why,
            )
        )
    return found


def _named(cluster: Cluster) -> str:
    return getattr(cluster, "name_of_day", cluster.name)


def settled_findings(line: Line, on: dt.date) -> list[Text]:
    """Findings that the line rests on and that no longer stand, each as a sentence; empty when all do.

    ``line.basis["findings"]`` are the findings of the evaluation that the proposal took up. A hearing that is still open bars
    an unfavourable decision too: both sides are heard to the end first.
    """
    found: list[Text] = []
    kind = rules.kind_of(policy(), line.kind)
    hearing = line.basis.get("hearing")
    if hearing and kind is not None and kind.reasons:
        row = Hearing.objects.filter(pk=hearing).first()
        if row is not None and row.state != "closed":
            found.append(
                T(
                    "La procédure contradictoire de ce pôle n'est pas close.",
                    "The contradictory procedure of this cluster is not closed.",
                )
            )
    keys = list(line.basis.get("findings") or ())
    if keys:
        for one in Finding.objects.filter(pk__in=keys).order_by("number"):
            if one.dropped or one.outcome not in STANDING:
                found.append(
                    T(
                        "Constat n° {n} : {o}.",
                        "Finding no. {n}: {o}.",
                        n=one.number,
                        o=OUTCOMES.get(one.outcome, T("sans position finale", "without a final position")),
                    )
                )
    return found


def basis_of(cluster: Cluster | None, campaign: str) -> dict[str, Any]:
    """What a proposal about a cluster takes up from an evaluation: its hearing and the findings that stand, by their numbers."""
    if cluster is None or not campaign:
        return {}
    hearing = (
        Hearing.objects.filter(evaluation__cluster=cluster, evaluation__campaign__evaluation=campaign)
        .order_by("-pk")
        .first()
    )
    if hearing is None:
        return {}
    standing = Finding.objects.filter(hearing=hearing, dropped=False, outcome__in=STANDING).order_by("number")
    return {"hearing": hearing.pk, "findings": list(standing.values_list("pk", flat=True))}
