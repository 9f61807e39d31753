"""What the texts and the policy say about contracts, as pure functions of plain values.

Who may accept a change, what is missing before signature, who signs when, who signs an amendment again, and
whether a contract is in force on a day. No database, no clock; every answer can say why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jalon.contracts import content as doc
from jalon.contracts.reasons import why_missing
from jalon.core.lang import T, Text
from jalon.core.why import Why
from jalon.policy.rules import plus


@dataclass(frozen=True)
class Party:
    """A party as the rules see it."""

    key: str
    kind: str
    name: str
    organisation: int | None = None


@dataclass(frozen=True)
class Decision:
    """A deliberation as the rules see it; ``year`` is set when it votes one year's grant only."""

    party: str
    outcome: str
    decided_on: dt.date
    year: int | None = None


@dataclass(frozen=True)
class Signed:
    """A signature as the rules see it."""

    party: str
    signed_on: dt.date


def parties_in(content: Mapping[str, Any]) -> list[Party]:
    """The parties that a document names, in its order."""
    return [
        Party(p["key"], p.get("kind") or "", p.get("name") or p["key"], p.get("organisation"))
        for p in content.get("parties") or ()
    ]


# --- preparing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelSpan:
    """A period of a label, as it was known on the day of the act; ``ends_on`` None is open."""

    starts_on: dt.date
    ends_on: dt.date | None
    certainty: str = "known"
    reference: str = ""


def label_over(spans: Iterable[LabelSpan], day: dt.date) -> LabelSpan | None:
    """The period that holds ``day``, a known one before an unknown one."""
    held = [s for s in spans if s.starts_on <= day and (s.ends_on is None or day <= s.ends_on)]
    held.sort(key=lambda s: s.certainty == "unknown")
    return held[0] if held else None


def covered_until(spans: Sequence[LabelSpan], day: dt.date) -> dt.date | None:
    """The last day of the label without a gap from ``day`` on; None when it is open."""
    span = label_over(spans, day)
    last = span.ends_on if span else day - dt.timedelta(days=1)
    while span is not None and span.ends_on is not None:
        last = span.ends_on
        span = label_over(spans, last + dt.timedelta(days=1))
    return None if span is not None else last


def prepare_refusals(
    spans: Sequence[LabelSpan],
    *,
    starts_on: dt.date,
    ends_on: dt.date,
    on: dt.date,
    group: Any = None,
    template: Any = None,
) -> list[tuple[Text, Why]]:
    """Why a contract over this period cannot be prepared on that day; empty when it can.

    The label, as it is known on ``on``, has to run over the whole contract: a cluster whose label is only kept to a
    certain day (group 3 of the 2008 evaluation: to 31 December 2009) promises nothing beyond it. ``group``: the
    policy's EvaluationGroup, for the explanation.
    """
    inputs: dict[Any, Any] = {
        T("début du contrat", "start of the contract"): starts_on,
        T("fin du contrat", "end of the contract"): ends_on,
    }
    if group is not None:
        inputs[T("groupe de l'évaluation", "evaluation group")] = group.title
    found: list[tuple[Text, Why]] = []

    def why(rule: Text) -> Why:
        return Why(
            rule=rule,
            reference=getattr(group, "reference", "") or getattr(template, "reference", ""),
            url=(getattr(group, "url", None) or getattr(template, "url", None) or ""),
            day=on,
            inputs=inputs,
            steps=tuple(
                T("Label du {a} au {b}", "Label from {a} to {b}", a=s.starts_on.isoformat(), b=s.ends_on.isoformat())
                if s.ends_on
                else T("Label depuis le {a}", "Label since {a}", a=s.starts_on.isoformat())
                for s in spans
            ),
            reading=True,
        )

    if ends_on < starts_on:
        return [
            (
                T(
                    "La fin du contrat, le {b}, précède son début, le {a}.",
                    "The end of the contract, {b}, comes before its start, {a}.",
                    a=starts_on.isoformat(),
                    b=ends_on.isoformat(),
                ),
                why(T("Un contrat finit après son début.", "A contract ends after its start.")),
            )
        ]
    if label_over(spans, starts_on) is None:
        found.append(
            (
                T(
                    "Aucun label n'est connu au début du contrat, le {day} : le contrat suppose un label. "
                    "La décision de label s'inscrit au registre.",
                    "No label is known at the start of the contract, {day}: a contract supposes a label. "
                    "The label decision is entered in the register.",
                    day=starts_on.isoformat(),
                ),
                why(
                    T(
                        "Un contrat de performance suppose un label en vigueur à son début.",
                        "A performance contract supposes a label in force at its start.",
                    )
                ),
            )
        )
        return found
    last = covered_until(spans, starts_on)
    if last is not None and last < ends_on:
        found.append(
            (
                T(
                    "Le label n'est acquis que jusqu'au {last}, avant la fin du contrat le {end}{group} : "
                    "attendre la décision sur le label ou finir le contrat plus tôt.",
                    "The label is only held to {last}, before the end of the contract on {end}{group}: "
                    "wait for the decision on the label, or end the contract earlier.",
                    last=last.isoformat(),
                    end=ends_on.isoformat(),
                    group=T(" ({g})", " ({g})", g=group.title) if group is not None else "",
                ),
                why(
                    T(
                        "Un contrat ne promet rien au-delà du label connu le jour où il est préparé.",
                        "A contract promises nothing beyond the label known on the day it is prepared.",
                    )
                ),
            )
        )
    return found


# --- negotiating --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Acceptance:
    """Who accepts a change: kinds of party, or named parties; and why."""

    kinds: tuple[str, ...]
    parties: tuple[str, ...]
    why: Why

    def by(self, party: Party) -> bool:
        """Whether ``party`` may accept (or reject)."""
        return party.key in self.parties or (not self.parties and party.kind in self.kinds)


def concerned(content: Mapping[str, Any], path: str, new: Any = None) -> str:
    """The party whose own commitment a change is about; empty for any other change."""
    parts = path.split("/")
    if parts[0] != "commitments" or len(parts) < 2:
        return ""
    now = doc.get(content, "/".join(parts[:2])) or {}
    if len(parts) == 2 and isinstance(new, Mapping) and new.get("party"):
        return str(new["party"])
    return str(now.get("party") or "")


def acceptance(content: Mapping[str, Any], proposer: Party, path: str, new: Any = None) -> Acceptance:
    """Who accepts a change that ``proposer`` proposes at ``path``.

    Nobody promises for another: a change of a public party's commitment that another proposes is accepted by that
    party. Else the State accepts what the others propose, and the governance structure what the State proposes.
    """
    owner = concerned(content, path, new)
    inputs = {T("proposé par", "proposed by"): proposer.name, T("endroit", "place"): doc.label(content, path)}
    if owner and owner != proposer.key:
        party = next((p for p in parties_in(content) if p.key == owner), None)
        if party is not None:
            return Acceptance(
                (),
                (owner,),
                Why(
                    rule=T(
                        "L'engagement est celui de « {p} » : elle seule l'accepte.",
                        "The commitment is that of “{p}”: it alone accepts.",
                        p=party.name,
                    ),
                    inputs=inputs,
                    reading=True,
                ),
            )
    if proposer.kind == "state":
        return Acceptance(
            ("governance",),
            (),
            Why(
                rule=T(
                    "Ce que l'État propose est accepté par la structure de gouvernance.",
                    "What the State proposes is accepted by the governance structure.",
                ),
                inputs=inputs,
                reading=True,
            ),
        )
    return Acceptance(
        ("state",),
        (),
        Why(
            rule=T(
                "Ce que le pôle ou une collectivité propose est accepté par l'État.",
                "What the cluster or an authority proposes is accepted by the State.",
            ),
            inputs=inputs,
            reading=True,
        ),
    )


def may_edit_directly(text_state: str, party: Party) -> bool:
    """While a text is prepared, the State and the governance structure write in it; later every change is proposed."""
    return text_state == "draft" and party.kind in ("state", "governance")


# --- before signature ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Missing:
    """One thing that is missing: the sentence, the path where it is mended, the page (text, annexes, signature…)."""

    message: Text
    path: str = ""
    page: str = "text"
    code: str = ""
    why: Why | None = None


@dataclass(frozen=True)
class Requirement:
    """One point that a text has to meet. ``before``: the opening of the signature, or the signature itself."""

    code: str
    title: Text
    missing: tuple[Missing, ...] = ()
    before: str = "opening"
    page: str = "text"
    path: str = ""

    @property
    def met(self) -> bool:
        return not self.missing


_GROUPS: tuple[tuple[str, Text, str, tuple[str, ...]], ...] = (
    ("frame", T("Intitulé, dates et durée", "Title, dates and duration"), "title", ("title", "starts_on", "ends_on")),
    ("territory", T("Territoire", "Territory"), "territory", ("territory",)),
    ("parties", T("Parties et signataires", "Parties and signatories"), "parties", ("parties",)),
    ("articles", T("Articles", "Articles"), "articles", ("articles", "preamble")),
    ("axes", T("Axes d'amélioration", "Improvement axes"), "improvement_axes", ("improvement_axes",)),
    ("objectives", T("Objectifs et actions", "Objectives and actions"), "objectives", ("objectives",)),
    ("indicators", T("Indicateurs et cibles", "Indicators and targets"), "indicators", ("indicators",)),
    ("commitments", T("Engagements publics", "Public commitments"), "commitments", ("commitments",)),
)


def requirements(
    content: Mapping[str, Any],
    template: Any,
    *,
    deliberations: Sequence[Decision] = (),
    annexes: Iterable[str] = (),
    open_proposals: int = 0,
    roadmap_validated: bool | None = None,
    group: str = "",
    region_codes: Iterable[str] | None = None,
    signers: Iterable[str] | None = None,
    amendment: bool = False,
    words: Mapping[str, Any] | None = None,
) -> list[Requirement]:
    """Every point that has to be met before the signature, met or not, in reading order.

    ``annexes``: keys of the annexes that are joined. ``roadmap_validated``: None when the template names no roadmap.
    ``signers``: keys of the parties that sign this text (an amendment: some of them).
    """
    faults = doc.check(content, template, group=group, region_codes=region_codes, words=words)
    out: list[Requirement] = []
    for code, title, path, heads in _GROUPS:
        mine = tuple(
            Missing(f.message, f.path, "text", f.code, why_missing(f.code, f.path, template))
            for f in faults
            if f.path.split("/")[0] in heads
        )
        asked = bool(content.get("improvement_axes")) or (
            bool(template) and bool(group) and group in template.improvement_axes_for_groups
        )
        if code == "axes" and not asked and not mine:
            continue
        out.append(Requirement(code, title, mine, path=path))
    if open_proposals:
        waits = (
            Missing(
                T("Une proposition attend une réponse.", "One proposal waits for an answer.")
                if open_proposals == 1
                else T(
                    "{n} propositions attendent une réponse.",
                    "{n} proposals wait for an answer.",
                    n=open_proposals,
                ),
                "",
                "proposals",
                "open_proposals",
                why_missing("open_proposals", "", template),
            ),
        )
    else:
        waits = ()
    out.append(Requirement("proposals", T("Aucune proposition ouverte", "No open proposal"), waits, page="proposals"))
    if not amendment:
        joined = set(annexes)
        for rule in template.annexes if template else ():
            if not rule.required:
                continue
            lacking: tuple[Missing, ...] = ()
            if rule.key not in joined:
                sentence = T("L'annexe « {t} » manque.", "The annex “{t}” is missing.", t=rule.title)
                if rule.source == "roadmap" and roadmap_validated is False:
                    sentence = T(
                        "L'annexe « {t} » manque : aucune version n'est encore validée.",
                        "The annex “{t}” is missing: no version is validated yet.",
                        t=rule.title,
                    )
                why = why_missing("annex_missing", rule.key, template)
                lacking = (Missing(sentence, rule.key, "annexes", "annex_missing", why),)
            out.append(Requirement(f"annex:{rule.key}", rule.title, lacking, page="annexes", path=rule.key))
    needed = decision_needed(template)
    wanted = None if signers is None else set(signers)
    for party in parties_in(content):
        if party.kind not in needed or (wanted is not None and party.key not in wanted):
            continue
        verdict = decision_of(deliberations, party.key)
        lacking = ()
        if verdict != "approved":
            lacking = (
                Missing(
                    T("« {p} » a refusé par sa délibération.", "“{p}” refused by its deliberation.", p=party.name)
                    if verdict == "refused"
                    else T(
                        "La délibération de « {p} » n'est pas enregistrée.",
                        "The deliberation of “{p}” is not recorded.",
                        p=party.name,
                    ),
                    party.key,
                    "signature",
                    "decision_missing",
                    why_missing("decision_missing", party.key, template),
                ),
            )
        out.append(
            Requirement(
                f"decision:{party.key}",
                T("Délibération : {p}", "Deliberation: {p}", p=party.name),
                lacking,
                before="signature",
                page="signature",
                path=party.key,
            )
        )
    return out


def missing_before_signature(content: Mapping[str, Any], template: Any, **known: Any) -> list[Missing]:
    """What is missing, sentence by sentence; the arguments are those of :func:`requirements`."""
    return [m for r in requirements(content, template, **known) for m in r.missing]


def decision_needed(template: Any) -> tuple[str, ...]:
    """Kinds of party whose own decision comes before their signature."""
    return tuple(p.kind for p in template.parties if p.decision_required) if template else ()


def decision_of(decisions: Sequence[Decision], party: str) -> str:
    """What a party decided: approved, refused, or nothing yet (empty).

    The last decision on the text itself counts; a vote of one year's grant approves when there is no other, and
    its refusal does not refuse the text.
    """
    mine = [d for d in decisions if d.party == party]
    whole = [d for d in mine if d.year is None]
    if whole:
        return max(whole, key=lambda d: d.decided_on).outcome
    return "approved" if any(d.outcome == "approved" for d in mine) else ""


# --- signing ------------------------------------------------------------------------------------------------------


def signing_steps(template: Any, parties: Sequence[Party], signers: Iterable[str] | None = None) -> list[list[Party]]:
    """The parties that sign, step by step; those of one step sign in any order.

    Without a template every party signs in one step.
    """
    wanted = None if signers is None else set(signers)
    mine = [p for p in parties if wanted is None or p.key in wanted]
    if template is None:
        return [mine] if mine else []
    steps = [[p for p in mine if p.kind in kinds] for kinds in template.signing_order]
    left = [p for p in mine if not any(p in step for step in steps)]
    return [step for step in [*steps, left] if step]


def awaited(steps: Sequence[Sequence[Party]], signed: Iterable[str]) -> list[Party]:
    """The parties whose turn it is: those of the first step that is not complete."""
    done = set(signed)
    for step in steps:
        waiting = [p for p in step if p.key not in done]
        if waiting:
            return waiting
    return []


def refusal_to_sign(
    party: Party,
    *,
    template: Any,
    steps: Sequence[Sequence[Party]],
    signed: Iterable[str],
    decisions: Sequence[Decision],
    signed_on: dt.date,
    frozen_on: dt.date,
    on: dt.date,
) -> tuple[Text, Why] | None:
    """Why ``party`` cannot sign now; None when it can. The reason names who is awaited."""
    done = set(signed)
    order = T(
        "Ordre des signatures : {o}",
        "Order of signatures: {o}",
        o=" → ".join(", ".join(p.name for p in step) for step in steps),
    )
    why = Why(
        rule=T(
            "Les parties signent dans l'ordre de la politique, chacune après sa propre décision quand elle est requise.",
            "The parties sign in the policy's order, each after its own decision where one is required.",
        ),
        parameter="contracts.signing_order",
        reference=getattr(template, "reference", ""),
        url=getattr(template, "url", None) or "",
        day=on,
        steps=(order,),
        inputs={T("partie", "party"): party.name, T("jour de la signature", "day of the signature"): signed_on},
        reading=bool(getattr(template, "signing_order_reading", True)),
    )
    everyone = [p for step in steps for p in step]
    if party.key not in {p.key for p in everyone}:
        return (
            T("« {p} » ne signe pas ce texte.", "“{p}” does not sign this text.", p=party.name),
            why,
        )
    if party.key in done:
        return T("« {p} » a déjà signé.", "“{p}” has already signed.", p=party.name), why
    turn = awaited(steps, done)
    if party.key not in {p.key for p in turn}:
        return (
            T(
                "Ce n'est pas encore à « {p} » de signer : la signature attendue est celle de {who}.",
                "It is not yet the turn of “{p}” to sign: the signature awaited is that of {who}.",
                p=party.name,
                who=", ".join(f"« {p.name} »" for p in turn),
            ),
            why,
        )
    if signed_on > on:
        return (
            T(
                "La signature est datée du {d}, après aujourd'hui, le {on}.",
                "The signature is dated {d}, after today, {on}.",
                d=signed_on.isoformat(),
                on=on.isoformat(),
            ),
            why,
        )
    if signed_on < frozen_on:
        return (
            T(
                "La signature est datée du {d} ; le texte n'a été figé que le {f}.",
                "The signature is dated {d}; the text was only frozen on {f}.",
                d=signed_on.isoformat(),
                f=frozen_on.isoformat(),
            ),
            why,
        )
    if party.kind in decision_needed(template):
        verdict = decision_of(decisions, party.key)
        if verdict != "approved":
            return (
                T(
                    "« {p} » a refusé par sa délibération : elle ne peut pas signer.",
                    "“{p}” refused by its deliberation: it cannot sign.",
                    p=party.name,
                )
                if verdict == "refused"
                else T(
                    "« {p} » n'a pas enregistré sa délibération : elle signe après avoir délibéré.",
                    "“{p}” has not recorded its deliberation: it signs after it has decided.",
                    p=party.name,
                ),
                why,
            )
        dates = [d.decided_on for d in decisions if d.party == party.key and d.outcome == "approved"]
        if min(dates) > signed_on:
            return (
                T(
                    "« {p} » a délibéré le {d}, après la date de signature indiquée, le {s}.",
                    "“{p}” decided on {d}, after the date of signature given, {s}.",
                    p=party.name,
                    d=min(dates).isoformat(),
                    s=signed_on.isoformat(),
                ),
                why,
            )
    return None


@dataclass(frozen=True)
class Signers:
    """Who signs an amendment, by key of party, and why."""

    keys: tuple[str, ...]
    why: Why


def amendment_signers(template: Any, base: Mapping[str, Any], new: Mapping[str, Any]) -> Signers:
    """Who must sign an amendment: the policy names kinds of party per kind of change.

    ``authority_concerned``: only the authorities whose own commitments change. A party that enters or leaves signs
    too. Without a template, every party signs.
    """
    changes = doc.diff(base, new)
    subjects = tuple(dict.fromkeys(c.subject for c in changes))
    everyone = {p.key: p for p in [*parties_in(base), *parties_in(new)]}
    moved: set[str] = set()
    for change in changes:
        parts = change.path.split("/")
        if parts[0] == "parties" and change.kind in ("added", "removed"):
            moved.add(parts[1])
        if parts[0] == "commitments":
            for side in (base, new):
                item = doc.get(side, "/".join(parts[:2])) or {}
                if item.get("party"):
                    moved.add(item["party"])
    kinds = template.amendment.signers(subjects) if template else ("state", "authority", "governance")

    def asked(party: Party, of: Iterable[str], about: Iterable[str]) -> bool:
        concerned_ = f"{party.kind}_concerned" in of or "parties" in about
        return party.kind in of or (party.key in moved and concerned_)

    keys = tuple(p.key for p in everyone.values() if asked(p, kinds, subjects))
    rule = getattr(template, "amendment", None)
    return Signers(
        keys,
        Why(
            rule=T(
                "La politique dit, par nature de changement, qui signe de nouveau.",
                "The policy says, per kind of change, who signs again.",
            ),
            parameter="contracts.amendment",
            reference=getattr(rule, "reference", ""),
            url=getattr(rule, "url", None) or "",
            reading=bool(getattr(rule, "reading", True)),
            inputs={T("changements", "changes"): ", ".join(str(SUBJECTS[s]) for s in subjects) or "–"},
            steps=tuple(
                T(
                    "{s} : {who}",
                    "{s}: {who}",
                    s=SUBJECTS[s],
                    who=", ".join(p.name for p in everyone.values() if asked(p, getattr(rule, s, kinds), (s,))) or "–",
                )
                for s in subjects
            ),
        ),
    )


SUBJECTS = {
    "targets": T("cibles et indicateurs", "targets and indicators"),
    "text": T("texte, objectifs, actions, dates", "text, objectives, actions, dates"),
    "funding": T("engagements publics", "public commitments"),
    "parties": T("parties", "parties"),
}


# --- in force -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InForce:
    """Whether a contract is in force on a day. ``answer`` None: what is known does not tell."""

    answer: bool | None
    why: Why
    reasons: tuple[Text, ...] = field(default=())

    def __bool__(self) -> bool:
        return self.answer is True


def in_force(
    *,
    day: dt.date,
    state: str,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    signed_on: dt.date | None,
    closed_on: dt.date | None = None,
    decisions_made: bool | None = True,
    label_spans: Sequence[LabelSpan] = (),
    template: Any = None,
) -> InForce:
    """Whether a contract is in force on ``day``: signed by all, decided, within its own dates, label in force.

    ``signed_on``: the day of the last signature, None when it is not known. ``decisions_made``: None when the
    decisions of a contract known from outside are not recorded. Which of these tests count is the policy's
    (``in_force.requires``); its own dates always do.
    """
    rule = getattr(template, "in_force", None)
    requires = rule.requires if rule else ("all_signatures", "label_in_force")
    tests: list[tuple[bool | None, Text]] = []
    if starts_on is None or ends_on is None:
        tests.append(
            (
                None,
                T("Les dates du contrat ne sont pas toutes connues.", "The dates of the contract are not all known."),
            )
        )
    else:
        tests.append(
            (
                starts_on <= day <= ends_on,
                T("Ses dates : du {a} au {b}", "Its dates: {a} to {b}", a=starts_on.isoformat(), b=ends_on.isoformat()),
            )
        )
    if closed_on is not None:
        tests.append((day < closed_on, T("Clos le {d}", "Closed on {d}", d=closed_on.isoformat())))
    if "all_signatures" in requires:
        if state not in ("signed", "closed"):
            tests.append((False, T("Toutes les parties n'ont pas signé.", "Not all parties have signed.")))
        elif signed_on is None:
            tests.append((None, T("La date de signature n'est pas connue.", "The date of signature is not known.")))
        else:
            tests.append(
                (signed_on <= day, T("Dernière signature le {d}", "Last signature on {d}", d=signed_on.isoformat()))
            )
    if "all_decisions" in requires:
        tests.append(
            (
                decisions_made,
                T("Décisions des collectivités enregistrées", "Decisions of the authorities recorded")
                if decisions_made
                else T(
                    "Les décisions des collectivités ne sont pas toutes connues.",
                    "The decisions of the authorities are not all known.",
                ),
            )
        )
    if "label_in_force" in requires:
        span = label_over(label_spans, day)
        tests.append(
            (
                False if span is None else None if span.certainty == "unknown" else True,
                T("Aucun label ce jour-là", "No label on that day")
                if span is None
                else T("Label du {a}", "Label from {a}", a=span.starts_on.isoformat())
                if span.ends_on is None
                else T(
                    "Label du {a} au {b}",
                    "Label from {a} to {b}",
                    a=span.starts_on.isoformat(),
                    b=span.ends_on.isoformat(),
                ),
            )
        )
    answers = [a for a, _ in tests]
    answer: bool | None = False if False in answers else None if None in answers else True
    marks = {True: T("oui", "yes"), False: T("non", "no"), None: T("inconnu", "unknown")}
    return InForce(
        answer,
        Why(
            rule=T(
                "Un contrat est en vigueur quand toutes ces conditions sont remplies le même jour.",
                "A contract is in force when all these conditions hold on the same day.",
            ),
            parameter="contracts.in_force",
            reference=getattr(rule, "reference", ""),
            url=getattr(rule, "url", None) or "",
            reading=bool(getattr(rule, "reading", True)),
            day=day,
            steps=tuple(T("{t} : {m}", "{t}: {m}", t=t, m=marks[a]) for a, t in tests),
        ),
        tuple(t for a, t in tests if a is not True),
    )


# --- review -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Review:
    """When a contract with improvement axes is reviewed, and why then."""

    due_on: dt.date
    why: Why


def mid_term_review(
    *, starts_on: dt.date | None, group: str, template: Any, policy_day: Any, day: dt.date
) -> Review | None:
    """The review of the improvement axes (*examen à 18 mois*): the policy's delay after the contract's start.

    Only for the groups whose contracts carry improvement axes; None for the others, without a start, or when no
    delay was in force. ``policy_day``: ``policy.on(day)`` of the day whose rules the contract obeys.
    """
    axes = getattr(template, "improvement_axes_for_groups", ()) if template else ()
    if starts_on is None or not group or group not in axes:
        return None
    delay = policy_day.find("evaluations.mid_term_review_after")
    if delay is None:
        return None
    due = plus(starts_on, int(delay.value), delay.unit)
    return Review(
        due,
        Why(
            rule=T(
                "Les axes d'amélioration d'un contrat sont examinés après un délai compté de son début.",
                "The improvement axes of a contract are reviewed after a delay counted from its start.",
            ),
            parameter=delay.path,
            value=delay.value,
            unit=delay.unit,
            reference=delay.reference,
            url=delay.url or "",
            day=day,
            inputs={T("début du contrat", "start of the contract"): starts_on, T("groupe", "group"): group},
        ),
    )
