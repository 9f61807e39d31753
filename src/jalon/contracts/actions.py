"""The acts on a contract, one function each: access, rule, writes, journal, in one transaction.

Every act that changes a text locks the text first, so that two people who act at the same moment queue up and the
second sees what the first did. ``on`` is the day of the act; ``at`` (its moment) is only given by loaders.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from jalon.clusters.models import Cluster, ClusterDocument, LabelAct, Membership
from jalon.contracts import access, content as doc, messages, queries, rules, states
from jalon.contracts.binding import bind
from jalon.contracts.models import (
    Annex,
    Comment,
    Contract,
    Deliberation,
    Party,
    Proposal,
    Signature,
    Text,
)
from jalon.contracts.reasons import why_missing, why_not_yet, why_state
from jalon.core import clock, journal
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.files import store
from jalon.core.lang import T
from jalon.core.models import StoredFile, as_known_on
from jalon.core.workflow import check
from jalon.indicators.models import Observation
from jalon.people.access import Actor, policy
from jalon.people.models import Organisation


def _moment(on: dt.date, at: dt.datetime | None) -> dt.datetime:
    """The moment of an act: given by a loader, else now; an act dated on another day happened that day at noon."""
    if at is not None:
        return at
    return clock.now() if on == clock.today() else clock.moment_on(on)


def _locked(text: Text, contract: Contract | None = None) -> Text:
    """The text as it stands, held with its contract until the end of the transaction.

    Every act takes the contract first and the text after it, so that two acts never wait for each other.
    """
    contract = contract or _lock_contract(Contract(pk=text.contract_id))
    fresh = Text.objects.select_for_update().get(pk=text.pk)
    fresh.contract = contract
    if fresh.base_id:
        fresh.base = Text.objects.get(pk=fresh.base_id)
    return fresh


def _lock_contract(contract: Contract) -> Contract:
    return Contract.objects.select_for_update(of=("self",)).select_related("cluster").get(pk=contract.pk)


# --- preparing ----------------------------------------------------------------------------------------------------


@transaction.atomic
def prepare(
    cluster: Cluster,
    *,
    phase: str,
    starts_on: dt.date,
    ends_on: dt.date,
    parties: Sequence[tuple[str, Organisation, str]],
    by: Actor,
    on: dt.date,
    template: str = "",
    title: str = "",
    slug: str = "",
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Contract:
    """Make a contract from the policy's template for the phase.

    Args:
        parties: ``(kind, organisation, who signs for it)`` with kind state, authority or governance.
        template: code of a template; the phase's own when empty.

    Raises:
        Refused: no template for the phase, no label over the period (with why), or a party given twice.
        NotAllowed: the actor does not prepare contracts of this cluster.
    """
    access.may_prepare(by, cluster.pk, on)
    laws = policy()
    try:
        chosen = laws.contract_template(template) if template else laws.contract_template_for(phase)
    except KeyError:
        raise Refused(
            T(
                "La politique n'a pas de modèle de contrat pour « {p} ».",
                "The policy has no contract template for “{p}”.",
                p=template or phase,
            ),
            kind="input",
        ) from None
    group = queries.group_of(cluster, chosen.phase, on)
    spans = queries.label_spans([cluster.pk], known_on=on).get(cluster.pk, [])
    refusals = rules.prepare_refusals(spans, starts_on=starts_on, ends_on=ends_on, on=on, group=group, template=chosen)
    if refusals:
        reason, why = refusals[0]
        raise Refused(reason, why=why, missing=[r for r, _ in refusals[1:]])
    moment = _moment(on, at)
    first = _first_content(cluster, chosen, starts_on, ends_on, parties, title, on)
    faults = [f for f in doc.check(first, chosen) if f.level == "error"]
    if faults:
        raise Refused(faults[0].message, missing=[f.message for f in faults[1:]], kind="input")
    contract = Contract.objects.create(
        programme=cluster.programme,
        cluster=cluster,
        slug=_free_slug(slug or f"{cluster.slug}-{starts_on.year}"),
        title=first["title"],
        phase=chosen.phase,
        template=chosen.code,
        policy_day=on,
        starts_on=starts_on,
        ends_on=ends_on,
        group=group.code if group else "",
        created_at=moment,
        simulated=simulated,
    )
    text = Text.objects.create(contract=contract, number=0, content=first, created_at=moment)
    _sync_parties(text)
    journal.record(
        queries.case_of(contract),
        "contract.prepare",
        by=by,
        on=on,
        at=moment,
        after={"title": contract.title, "template": chosen.code, "starts_on": starts_on, "ends_on": ends_on},
    )
    return contract


def _free_slug(wanted: str) -> str:
    slug, n = wanted[:76], 1
    while Contract.objects.filter(slug=slug).exists():
        n += 1
        slug = f"{wanted[:76]}-{n}"
    return slug


def _first_content(
    cluster: Cluster,
    template: Any,
    starts_on: dt.date,
    ends_on: dt.date,
    parties: Sequence[tuple[str, Organisation, str]],
    title: str,
    on: dt.date,
) -> dict[str, Any]:
    """The document of a new contract: the template's articles, parties, territory, common indicators."""
    laws = policy()
    spoken = laws.language if laws.language in ("fr", "en") else "fr"

    def say(text: Any) -> str:
        return text.in_language(spoken) if text is not None else ""

    given = [
        {"key": _party_key(kind, i), "kind": kind, "organisation": org.pk, "name": org.name, "signatory": signatory}
        for i, (kind, org, signatory) in enumerate(parties)
    ]
    kinds = template.funding_years.kinds
    commitments = [
        {"key": f"c{i}", "party": p["key"], "kind": "money", "title": say(kinds[0].title) if kinds else ""}
        for i, p in enumerate((p for p in given if p["kind"] in doc.PUBLIC_SIDE), 1)
    ]
    content = {
        "title": title
        or f"{say(template.title)} – {queries.called(cluster, on)} {starts_on.year}"
        + (f"-{ends_on.year}" if ends_on.year != starts_on.year else ""),
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
        "territory": queries.territory_of(cluster, starts_on),
        "parties": given,
        "articles": [{"key": a.key, "title": say(a.title), "body": say(a.body)} for a in template.articles],
        "indicators": _common_indicators(cluster, template, starts_on, say),
        "commitments": commitments,
    }
    return doc.tidied(content)


def _party_key(kind: str, position: int) -> str:
    return kind if kind != "authority" else f"authority{position}"


def _common_indicators(cluster: Cluster, template: Any, starts_on: dt.date, say: Any) -> list[dict[str, Any]]:
    """The catalogue's common indicators, with the last validated value before the start as baseline."""
    laws = policy()
    known: dict[str, Observation] = {}
    for row in as_known_on(
        Observation.objects.filter(
            cluster=cluster,
            indicator__in=template.common_indicators,
            breakdown="",
            state="validated",
            value__isnull=False,
            period_end__lte=starts_on,
        )
    ).order_by("period_end"):
        known[row.indicator] = row
    found = []
    for number, code in enumerate(template.common_indicators, 1):
        indicator = laws.indicator(code)
        definition = indicator.definition_on(starts_on) or (indicator.definitions or (None,))[-1]
        last = known.get(code)
        found.append(
            {
                "key": f"i{number}",
                "code": code,
                "title": say(indicator.title),
                "unit": indicator.unit,
                "definition": say(definition.text) if definition else "",
                "direction": indicator.direction,
                "common": True,
                "baseline": doc.decimal_text(last.value) if last else None,
                "baseline_on": last.period_end.isoformat() if last else None,
            }
        )
    return found


def _sync_parties(text: Text) -> None:
    """Rows for the parties that a text names, so that they can act; the document stays the truth.

    A party that leaves an unsigned original leaves its row marked; a binding contract's parties change at signature.
    """
    contract = text.contract
    rows = {p.key: p for p in contract.parties.all()}
    for order, item in enumerate(text.content.get("parties") or ()):
        if not item.get("organisation") or not item.get("kind"):
            continue
        row = rows.pop(item["key"], None)
        facts = {
            "kind": item["kind"],
            "organisation_id": item["organisation"],
            "signatory": (item.get("signatory") or "")[:160],
            "order": order,
        }
        if row is None:
            Party.objects.create(contract=contract, key=item["key"], from_text=text.number, **facts)
        elif text.number == 0 or row.from_text == text.number:
            changed = [k for k, v in facts.items() if getattr(row, k) != v]
            if row.removed_by_text is not None:
                row.removed_by_text = None
                changed.append("removed_by_text")
            if changed:
                for key, value in facts.items():
                    setattr(row, key, value)
                row.save()
    for row in rows.values():
        if row.from_text == text.number and row.removed_by_text is None:
            row.removed_by_text = text.number
            row.save(update_fields=["removed_by_text"])


# --- writing ------------------------------------------------------------------------------------------------------


def _write(text: Text, content: Mapping[str, Any]) -> None:
    """Store a new state of the document; the contract's own columns follow its original text until it binds."""
    text.content = dict(content)
    text.rev += 1
    text.save(update_fields=["content", "rev"])
    _sync_parties(text)
    if text.number == 0:
        contract = text.contract
        contract.title = text.content.get("title") or contract.title
        contract.starts_on = doc.as_day(text.content.get("starts_on"))
        contract.ends_on = doc.as_day(text.content.get("ends_on"))
        if contract.starts_on and contract.ends_on and contract.ends_on < contract.starts_on:
            contract.ends_on = None
        contract.save(update_fields=["title", "starts_on", "ends_on"])


def _put(content: Mapping[str, Any], path: str, new: Any) -> dict[str, Any]:
    return doc.remove(content, path) if new is None and doc.place(path).whole else doc.put(content, path, new)


def _new_errors(before: Mapping[str, Any], after: Mapping[str, Any], paths: Iterable[str], template: Any) -> list[Any]:
    """Errors that a change makes at the places it touches (the rest of the document is judged before signature)."""
    paths = [doc.place(p).element_path or p for p in paths]
    old = {(f.path, f.code) for f in doc.check(before, template) if f.level == "error"}
    return [
        f.message
        for f in doc.check(after, template, words=policy().words)
        if f.level == "error" and (f.path, f.code) not in old and any(doc.touches(f.path, p) for p in paths)
    ]


def _known_organisations(changes: Iterable[tuple[str, Any, Any]]) -> None:
    """Refuse a party that names an organisation that the register does not know."""
    asked = set()
    for path, _, new in changes:
        if path.startswith("parties/"):
            if path.endswith("/organisation") and new is not None:
                asked.add(new)
            elif isinstance(new, Mapping) and new.get("organisation"):
                asked.add(new["organisation"])
    if asked and Organisation.objects.filter(pk__in=asked).count() != len(asked):
        raise Refused(
            T(
                "La partie nomme un organisme que le registre ne connaît pas ; inscrivez-le d'abord.",
                "The party names an organisation that the register does not know; enter it first.",
            ),
            kind="input",
        )


def _changes(text: Text, asked: Iterable[Any]) -> list[tuple[str, Any, Any]]:
    """What is asked, read and checked against what stands: ``(path, old, new)``, without what changes nothing.

    Raises:
        Conflict: a change was made against a value that is no longer the one that stands.
    """
    words = policy().words
    found: list[tuple[str, Any, Any]] = []
    after: Mapping[str, Any] = text.content
    for one in asked:
        path, new = (one.path, one.new) if isinstance(one, doc.Change) else one[:2]
        where = doc.place(path)
        if not doc.exists_parent(after, path):
            raise Refused(
                T(
                    "« {p} » n'est plus dans le texte : quelqu'un l'a retiré.",
                    "“{p}” is no longer in the text: somebody removed it.",
                    p=path,
                ),
                kind="conflict",
            )
        new = doc.parse(path, new, words, after)
        now = doc.get(after, path)
        expected = one.old if isinstance(one, doc.Change) else one[2] if len(one) > 2 else now
        if not doc.same_at(path, now, expected) and not doc.same_at(path, now, new):
            raise Conflict(
                T(
                    "{label} a changé entre-temps : rien n'est écrit, comparez les deux versions.",
                    "{label} has changed meanwhile: nothing is written, compare the two versions.",
                    label=doc.capital(doc.label(after, path, words)),
                ),
                theirs=now,
                yours=new,
            )
        if where.whole and new is None and now is None:
            continue
        if doc.same_at(path, now, new):
            continue
        if where.whole and new is not None:
            new = doc.tidy(where.element, new)
        after = _put(after, path, new)
        found.append((path, now, new))
    return found


@transaction.atomic
def propose(
    text: Text,
    changes: Iterable[Any],
    *,
    by: Actor,
    on: dt.date,
    reason: str = "",
    batch: str = "",
    together: bool = False,
    at: dt.datetime | None = None,
) -> list[Proposal]:
    """Ask for changes of a text.

    While it is prepared, the State and the governance structure write at once (the change is kept as an accepted
    proposal, so every value has its history). In negotiation the changes wait for the other side.

    Args:
        changes: ``(path, new)``, ``(path, new, old)`` with the value that was seen, or :class:`content.Change`.
            None at the path of an element removes it.
        batch: groups the changes of one file.
        together: saves of one sitting (autosave) make one line of the value's history, not one each.

    Returns: the proposals made; none when nothing would change or the same is already proposed.

    Raises:
        Refused: no reason in negotiation, a value that cannot be read or stand, a text that is not open.
        Conflict: a value is no longer the one that was seen.
    """
    text = _locked(text)
    contract = text.contract
    party = access.act_for(by, contract, "contract.prepare" if _prepares(by, text) else "contract.negotiate", on)
    direct = rules.may_edit_directly(text.state, party)
    if not direct and text.state != "negotiation":
        raise Refused(
            T(
                "Le texte est « {s} » : rien ne peut y être proposé maintenant.",
                "The text is “{s}”: nothing can be proposed in it now.",
                s=states.TITLES[text.state],
            )
        )
    reason = reason.strip()
    asked = _changes(text, changes)
    if not asked:
        return []
    if not direct and not reason:
        raise Refused(
            T(
                "Un changement proposé demande un motif : l'autre partie doit savoir pourquoi.",
                "A proposed change needs a reason: the other side has to know why.",
            ),
            kind="input",
        )
    _known_organisations(asked)
    after: Mapping[str, Any] = text.content
    for path, _, new in asked:
        after = _put(after, path, new)
    errors = _new_errors(text.content, after, [p for p, _, _ in asked], queries.template_of(contract))
    if errors:
        raise Refused(errors[0], missing=errors[1:], kind="input")
    moment = _moment(on, at)
    if not direct:
        waiting = {
            (p.path, repr(p.new))
            for p in text.proposals.filter(state="open", party=party, path__in=[a[0] for a in asked])
        }
        asked = [a for a in asked if (a[0], repr(a[2])) not in waiting]
        if not asked:
            return []
    kept = _same_sitting(text, [p for p, _, _ in asked], by, moment) if direct and together else {}
    for path, _, new in asked:
        if path in kept:
            kept[path].new, kept[path].decided_at = new, moment
            kept[path].save(update_fields=["new", "decided_at"])
    made = list(kept.values()) + Proposal.objects.bulk_create(
        [
            Proposal(
                text=text,
                path=path,
                old=old,
                new=new,
                reason=reason,
                state="accepted" if direct else "open",
                round_no=text.round_no,
                batch=batch,
                party=party,
                user_id_by=by.user_id,
                user_label=by.user_label,
                at=moment,
                decided_at=moment if direct else None,
                decided_by=by.user_label if direct else "",
            )
            for path, old, new in asked
            if path not in kept
        ]
    )
    if direct:
        _write(text, after)
    journal.record(
        queries.case_of(contract),
        "contract.edit" if direct else "contract.propose",
        by=by,
        on=on,
        at=moment,
        why=reason,
        before={"text": text.number, "values": {path: old for path, old, _ in asked}},
        after={"text": text.number, "values": {path: new for path, _, new in asked}, "rev": text.rev},
    )
    if not direct:
        _tell_acceptors(text, party, asked, on)
    return made


SITTING = dt.timedelta(minutes=15)


def _same_sitting(text: Text, paths: Sequence[str], by: Actor, moment: dt.datetime) -> dict[str, Proposal]:
    """The lines of history that the same person wrote at these paths a moment ago, if nobody wrote there since."""
    last: dict[str, Proposal] = {}
    for row in text.proposals.filter(path__in=paths, state="accepted").order_by("decided_at", "id"):
        last[row.path] = row
    return {
        path: row
        for path, row in last.items()
        if row.user_id_by == by.user_id and not row.batch and row.decided_at and moment - row.decided_at < SITTING
    }


def _prepares(by: Actor, text: Text) -> bool:
    """An officer who prepares contracts without negotiating them writes while the text is prepared."""
    return text.state == "draft" and by.can("contract.prepare")


def _tell_acceptors(text: Text, proposer: Party, asked: Sequence[tuple[str, Any, Any]], on: dt.date) -> None:
    view = rules.Party(proposer.key, proposer.kind, proposer.organisation.name)
    rows = queries.parties_of(text)
    told: dict[int, Party] = {}
    for path, _, new in asked:
        accepts = rules.acceptance(text.content, view, path, new)
        told |= {p.pk: p for p in rows if accepts.by(rules.Party(p.key, p.kind, ""))}
    if told:
        messages.proposals_wait(text, told.values(), view.name, len(asked), on)


def next_key(text: Text, list_path: str) -> str:
    """A key for a new element of a list, never given before in the contract, not even by a rejected proposal."""
    doc.place(f"{list_path}/new1")
    name = list_path.rsplit("/", 1)[-1]
    used = set()
    for path in Proposal.objects.filter(text__contract=text.contract_id, path__contains=f"{name}/").values_list(
        "path", flat=True
    ):
        parts = path.split("/")
        used |= {parts[i + 1] for i, part in enumerate(parts[:-1]) if part == name}
    for other in text.contract.texts.exclude(pk=text.pk):
        used |= {item["key"] for _, kind, item in doc.elements(other.content) if kind.name == name}
    return doc.new_key(text.content, list_path, used)


@transaction.atomic
def accept(proposal: Proposal, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None) -> Proposal:
    """Accept a proposal: its value becomes the text's.

    Raises:
        Conflict: the text no longer holds the value that the proposal replaces; both are shown, nothing is written.
        Refused: already decided, or not the actor's to accept.
    """
    text, proposal, party = _to_decide(proposal, by, on)
    now = doc.get(text.content, proposal.path) if doc.exists_parent(text.content, proposal.path) else None
    if not doc.exists_parent(text.content, proposal.path) or not doc.same_at(proposal.path, now, proposal.old):
        raise Conflict(
            T(
                "{label} a changé depuis cette proposition : il y a maintenant « {now} », la proposition remplaçait « {old} » par « {new} ». "
                "Rien n'est écrit ; proposer à nouveau sur la valeur actuelle, ou refuser.",
                "{label} has changed since this proposal: there is now “{now}”, the proposal replaced “{old}” by “{new}”. "
                "Nothing is written; propose again on the present value, or reject.",
                label=doc.capital(doc.label(text.content, proposal.path, policy().words)),
                now=doc.said(proposal.path, now),
                old=doc.said(proposal.path, proposal.old),
                new=doc.said(proposal.path, proposal.new),
            ),
            theirs=now,
            yours=proposal.new,
        )
    after = _put(text.content, proposal.path, proposal.new)
    errors = _new_errors(text.content, after, [proposal.path], queries.template_of(text.contract))
    if errors:
        raise Refused(errors[0], missing=errors[1:])
    _write(text, after)
    return _decide(text, proposal, "accepted", by, on, reason, at)


@transaction.atomic
def reject(proposal: Proposal, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Proposal:
    """Reject a proposal, with a reason.

    Raises:
        Refused: no reason, already decided, or not the actor's to reject.
    """
    text, proposal, _ = _to_decide(proposal, by, on)
    if not reason.strip():
        raise Refused(
            T(
                "Refuser une proposition demande un motif.",
                "Rejecting a proposal needs a reason.",
            ),
            kind="input",
        )
    return _decide(text, proposal, "rejected", by, on, reason.strip(), at)


def _batch_to_decide(text: Text, batch: str, by: Actor, on: dt.date) -> tuple[Text, list[Proposal]]:
    """The locked text and the open proposals of one file that the actor decides, in their order.

    Those of the same file that another party decides stay open.
    """
    text = _locked(text)
    party = access.act_for(by, text.contract, "contract.negotiate", on)
    rows = list(
        Proposal.objects.select_for_update(of=("self",))
        .select_related("party__organisation")
        .filter(text=text, batch=batch, state="open")
        .order_by("at", "id")
    )
    if not batch or not rows:
        raise Refused(
            T("Ce fichier n'a plus de proposition ouverte.", "This file has no open proposal any more."),
            kind="conflict",
        )
    _decided_now(text)
    mine, first = [], None
    for row in rows:
        proposer = rules.Party(row.party.key, row.party.kind, row.party.organisation.name)
        accepts = rules.acceptance(text.content, proposer, row.path, row.new)
        first = first or accepts
        if accepts.by(rules.Party(party.key, party.kind, "")):
            mine.append(row)
    if not mine:
        raise NotAllowed(
            T(
                "Ces propositions ne sont pas à vous d'accepter. {rule}",
                "These proposals are not yours to accept. {rule}",
                rule=first.why.rule,
            ),
            why=first.why,
        )
    return text, mine


@transaction.atomic
def accept_batch(
    text: Text, batch: str, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None
) -> list[Proposal]:
    """Accept at once all the open proposals of one file that are the actor's to accept: one writing, one journal row.

    Raises:
        Conflict: some no longer fit the text; they are listed, nothing is written.
        Refused: nothing is open, or the text as changed would not stand.
    """
    text, rows = _batch_to_decide(text, batch, by, on)
    after: Mapping[str, Any] = text.content
    clashes: list[Any] = []
    for row in rows:
        there = doc.exists_parent(after, row.path)
        now = doc.get(after, row.path) if there else None
        if there and doc.same_at(row.path, now, row.old):
            after = _put(after, row.path, row.new)
            continue
        clashes.append(
            T(
                "{label} : il y a maintenant « {now} », la proposition remplaçait « {old} » par « {new} ».",
                "{label}: there is now “{now}”, the proposal replaced “{old}” by “{new}”.",
                label=doc.capital(doc.label(after, row.path, policy().words)),
                now=doc.said(row.path, now),
                old=doc.said(row.path, row.old),
                new=doc.said(row.path, row.new),
            )
        )
    if clashes:
        raise Conflict(
            T(
                "{n} proposition(s) de ce fichier sur {m} ne tiennent plus ; rien n'est écrit. Les refuser d'abord, une à une.",
                "{n} proposal(s) of this file out of {m} no longer fit; nothing is written. Reject them first, one by one.",
                n=len(clashes),
                m=len(rows),
            ),
            missing=clashes,
            theirs=None,
            yours=None,
        )
    errors = _new_errors(text.content, after, [r.path for r in rows], queries.template_of(text.contract))
    if errors:
        raise Refused(errors[0], missing=errors[1:])
    _write(text, after)
    return _decide_batch(text, rows, "accepted", by, on, reason.strip(), at)


@transaction.atomic
def reject_batch(
    text: Text, batch: str, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None
) -> list[Proposal]:
    """Reject at once all the open proposals of one file that are the actor's to decide, with one reason.

    Raises:
        Refused: no reason, or nothing is open.
    """
    text, rows = _batch_to_decide(text, batch, by, on)
    if not reason.strip():
        raise Refused(
            T("Refuser des propositions demande un motif.", "Rejecting proposals needs a reason."), kind="input"
        )
    return _decide_batch(text, rows, "rejected", by, on, reason.strip(), at)


def _decide_batch(
    text: Text, rows: list[Proposal], state: str, by: Actor, on: dt.date, reason: str, at: dt.datetime | None
) -> list[Proposal]:
    moment = _moment(on, at)
    Proposal.objects.filter(pk__in=[r.pk for r in rows]).update(
        state=state, decided_at=moment, decided_by=by.user_label, decision_reason=reason
    )
    journal.record(
        queries.case_of(text.contract),
        {"accepted": "contract.accept", "rejected": "contract.reject"}[state],
        by=by,
        on=on,
        at=moment,
        why=reason,
        before={"text": text.number, "values": {r.path: r.old for r in rows}},
        after={
            "text": text.number,
            "proposals": [r.pk for r in rows],
            "batch": rows[0].batch,
            "values": {r.path: r.new for r in rows},
            "rev": text.rev,
        },
    )
    for row in rows:
        row.state, row.decided_at, row.decided_by, row.decision_reason = state, moment, by.user_label, reason
    return rows


@transaction.atomic
def withdraw(
    proposal: Proposal, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None
) -> Proposal:
    """Take back one's own proposal; while the text is prepared, undo one's side's own change.

    Raises:
        Refused: already decided, or the value has changed since.
        NotAllowed: another party's proposal.
    """
    text = _locked(proposal.text)
    proposal = Proposal.objects.select_for_update(of=("self",)).get(pk=proposal.pk)
    party = access.act_for(by, text.contract, "contract.prepare" if _prepares(by, text) else "contract.negotiate", on)
    if proposal.party_id != party.pk:
        raise NotAllowed(
            T(
                "Seule la partie qui a proposé retire sa proposition.",
                "Only the party that proposed takes its proposal back.",
            )
        )
    if proposal.state == "accepted" and text.state == "draft":
        now = doc.get(text.content, proposal.path) if doc.exists_parent(text.content, proposal.path) else None
        if not doc.same_at(proposal.path, now, proposal.new):
            raise Conflict(
                T(
                    "Ce changement ne peut plus être défait : la valeur a changé depuis.",
                    "This change can no longer be undone: the value has changed since.",
                ),
                theirs=now,
                yours=proposal.old,
            )
        _write(text, _put(text.content, proposal.path, proposal.old))
        return _decide(text, proposal, "withdrawn", by, on, reason, at, act="contract.undo")
    _still_open(proposal)
    return _decide(text, proposal, "withdrawn", by, on, reason, at)


def _still_open(proposal: Proposal) -> None:
    if proposal.state != "open":
        raise Refused(
            T(
                "Cette proposition est déjà {s}{who}.",
                "This proposal is already {s}{who}.",
                s=states.PROPOSAL_TITLES[proposal.state],
                who=T(" ({w})", " ({w})", w=proposal.decided_by) if proposal.decided_by else "",
            ),
            kind="conflict",
        )


def _decided_now(text: Text) -> None:
    if text.state != "negotiation":
        raise Refused(
            T(
                "Le texte est « {s} » : les propositions ne s'y décident plus.",
                "The text is “{s}”: proposals are no longer decided in it.",
                s=states.TITLES[text.state],
            )
        )


def _to_decide(proposal: Proposal, by: Actor, on: dt.date) -> tuple[Text, Proposal, Party]:
    """The locked text and proposal, and the party that decides; refuses if it is not theirs to decide."""
    text = _locked(proposal.text)
    proposal = (
        Proposal.objects.select_for_update(of=("self",)).select_related("party__organisation").get(pk=proposal.pk)
    )
    party = access.act_for(by, text.contract, "contract.negotiate", on)
    _still_open(proposal)
    _decided_now(text)
    proposer = rules.Party(proposal.party.key, proposal.party.kind, proposal.party.organisation.name)
    accepts = rules.acceptance(text.content, proposer, proposal.path, proposal.new)
    if not accepts.by(rules.Party(party.key, party.kind, "")):
        raise NotAllowed(
            T(
                "Cette proposition n'est pas à vous d'accepter. {rule}",
                "This proposal is not yours to accept. {rule}",
                rule=accepts.why.rule,
            ),
            why=accepts.why,
        )
    return text, proposal, party


def _decide(
    text: Text,
    proposal: Proposal,
    state: str,
    by: Actor,
    on: dt.date,
    reason: str,
    at: dt.datetime | None,
    act: str = "",
) -> Proposal:
    moment = _moment(on, at)
    proposal.state = state
    proposal.decided_at = moment
    proposal.decided_by = by.user_label
    proposal.decision_reason = reason
    proposal.save(update_fields=["state", "decided_at", "decided_by", "decision_reason"])
    undone = act == "contract.undo"
    journal.record(
        queries.case_of(text.contract),
        act or {"accepted": "contract.accept", "rejected": "contract.reject"}.get(state, "contract.withdraw"),
        by=by,
        on=on,
        at=moment,
        why=reason,
        before={"text": text.number, "values": {proposal.path: proposal.new if undone else proposal.old}},
        after={
            "text": text.number,
            "proposal": proposal.pk,
            "values": {proposal.path: proposal.old if undone else proposal.new},
            "rev": text.rev,
        },
    )
    return proposal


# --- comments -----------------------------------------------------------------------------------------------------

MAX_COMMENT = 20_000


@transaction.atomic
def comment(text: Text, path: str, body: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Comment:
    """Leave a remark beside an element. Raises Refused when it is empty or the path names nothing."""
    access.act_for(by, text.contract, "contract.comment", on)
    if path:
        doc.place(path)
    body = body.strip()
    if not body:
        raise Refused(T("Le commentaire est vide.", "The comment is empty."), kind="input")
    if len(body) > MAX_COMMENT:
        raise Refused(
            T(
                "Le commentaire a {n} signes, {max} au plus sont possibles ; un long document se joint en annexe.",
                "The comment has {n} characters, at most {max} are possible; a long document is joined as an annex.",
                n=len(body),
                max=MAX_COMMENT,
            ),
            kind="input",
        )
    moment = _moment(on, at)
    made = Comment.objects.create(
        text=text,
        path=path,
        body=body,
        user_id_by=by.user_id,
        user_label=by.user_label,
        organisation_label=by.organisation_label,
        at=moment,
    )
    journal.record(
        queries.case_of(text.contract),
        "contract.comment",
        by=by,
        on=on,
        at=moment,
        after={"text": text.number, "path": path, "comment": made.pk},
    )
    return made


@transaction.atomic
def resolve(remark: Comment, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Comment:
    """Mark a remark as settled; settling a settled one changes nothing."""
    text = _locked(remark.text)
    access.act_for(by, text.contract, "contract.comment", on)
    remark = Comment.objects.get(pk=remark.pk)
    if remark.resolved_at is not None:
        return remark
    remark.resolved_at = _moment(on, at)
    remark.resolved_by = by.user_label
    remark.save(update_fields=["resolved_at", "resolved_by"])
    journal.record(
        queries.case_of(text.contract),
        "contract.resolve",
        by=by,
        on=on,
        at=remark.resolved_at,
        after={"text": text.number, "path": remark.path, "comment": remark.pk},
    )
    return remark


# --- moves of a text ----------------------------------------------------------------------------------------------


def _move(text: Text, name: str, reason: str = "") -> Any:
    return check(states.MOVES, states.TEXT_STATES, name, text.state, reason)


def _set_state(text: Text, state: str, **fields: Any) -> None:
    text.state = state
    for key, value in fields.items():
        setattr(text, key, value)
    text.save(update_fields=["state", *fields])
    if text.number == 0:
        text.contract.state = states.CONTRACT_STATE[state]
        text.contract.save(update_fields=["state"])


@transaction.atomic
def open_negotiation(text: Text, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Text:
    """Hand the prepared text to the parties: from now on every change is a proposal."""
    text = _locked(text)
    own = text.number and not by.can("contract.prepare")  # who may open an amendment hands it over too
    access.act_for(by, text.contract, "contract.amend" if own else "contract.prepare", on)
    move = _move(text, "open_negotiation")
    _set_state(text, move.target)
    journal.record(
        queries.case_of(text.contract),
        "contract.open_negotiation",
        by=by,
        on=on,
        at=_moment(on, at),
        before={"state": "draft"},
        after={"text": text.number, "state": move.target, "rev": text.rev},
    )
    return text


@transaction.atomic
def next_round(text: Text, *, by: Actor, on: dt.date, reason: str = "", at: dt.datetime | None = None) -> Text:
    """Open the next round of the negotiation; open proposals stay open and are counted in it."""
    text = _locked(text)
    access.act_for(by, text.contract, "contract.prepare", on)
    _move(text, "next_round")
    text.round_no += 1
    text.save(update_fields=["round_no"])
    journal.record(
        queries.case_of(text.contract),
        "contract.next_round",
        by=by,
        on=on,
        at=_moment(on, at),
        why=reason,
        before={"text": text.number, "round": text.round_no - 1},
        after={"text": text.number, "round": text.round_no},
    )
    return text


@transaction.atomic
def abandon(text: Text, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Text:
    """Give up a text that does not bind yet; it stays readable for its parties."""
    text = _locked(text)
    access.act_for(by, text.contract, "contract.prepare", on)
    before = text.state
    move = _move(text, "abandon", reason)
    _set_state(text, move.target)
    if text.number:
        text.contract.parties.filter(from_text=text.number).update(removed_by_text=text.number)
    journal.record(
        queries.case_of(text.contract),
        "contract.abandon",
        by=by,
        on=on,
        at=_moment(on, at),
        why=reason.strip(),
        before={"text": text.number, "state": before},
        after={"text": text.number, "state": "abandoned"},
    )
    return text


@transaction.atomic
def close(contract: Contract, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Contract:
    """End a signed contract on the day of the act, with a reason (its term, or before it)."""
    contract = _lock_contract(contract)
    access.act_for(by, contract, "contract.prepare", on)
    check(states.CONTRACT_MOVES, states.STATES, "close", contract.state, reason)
    contract.state, contract.closed_on = "closed", on
    contract.save(update_fields=["state", "closed_on"])
    journal.record(
        queries.case_of(contract),
        "contract.close",
        by=by,
        on=on,
        at=_moment(on, at),
        why=reason.strip(),
        before={"state": "signed"},
        after={"state": "closed", "closed_on": on},
    )
    return contract


# --- annexes ------------------------------------------------------------------------------------------------------


def _open_for_annexes(text: Text, by: Actor, on: dt.date) -> None:
    access.act_for(by, text.contract, "contract.prepare" if by.can("contract.prepare") else "contract.negotiate", on)
    if text.state not in ("draft", "negotiation"):
        raise Refused(
            T(
                "Le texte est « {s} » : ses annexes ne changent plus.",
                "The text is “{s}”: its annexes no longer change.",
                s=states.TITLES[text.state],
            ),
            why=why_state(T("joindre une annexe", "join an annex"), states.TITLES[text.state]),
        )


@transaction.atomic
def add_annex(
    text: Text,
    key: str,
    upload: Any,
    name: str,
    *,
    dated: dt.date,
    by: Actor,
    on: dt.date,
    title: str = "",
    at: dt.datetime | None = None,
) -> Annex:
    """Join a dated file as an annex; an annex of the same key is replaced (and stays in the history).

    Raises:
        Refused: dated after today, a file of a kind or size not accepted, or annexes that no longer change.
    """
    text = _locked(text)
    _open_for_annexes(text, by, on)
    if dated > on:
        raise Refused(
            T(
                "L'annexe est datée du {d}, après aujourd'hui, le {on}.",
                "The annex is dated {d}, after today, {on}.",
                d=dated.isoformat(),
                on=on.isoformat(),
            ),
            why=why_not_yet(T("date de l'annexe", "date of the annex"), dated, on),
            kind="input",
        )
    template = queries.template_of(text.contract)
    rule = template.annex(key) if template else None
    title = title.strip() or (rule.title.in_language(policy().language) if rule else name)
    moment = _moment(on, at)
    stored = store(upload, name, case=queries.case_of(text.contract), by=by, title=title, at=moment)
    return _join(text, key, title, dated, "upload", by=by, on=on, moment=moment, file=stored)


@transaction.atomic
def take_annexes(
    text: Text, *, by: Actor, on: dt.date, keys: Sequence[str] | None = None, at: dt.datetime | None = None
) -> list[Annex]:
    """Take from the register what it knows: label act, members on that day, statutes, validated roadmap.

    ``keys``: only these annexes of the template; all that the register knows otherwise. What the register does not
    know is left out (and stays in the list of what is missing).
    """
    text = _locked(text)
    _open_for_annexes(text, by, on)
    return _take(text, by, on, _moment(on, at), keys)


def _take(text: Text, by: Actor, on: dt.date, moment: dt.datetime, keys: Sequence[str] | None) -> list[Annex]:
    template = queries.template_of(text.contract)
    taken = []
    for rule in template.annexes if template else ():
        if rule.source == "upload" or (keys is not None and rule.key not in keys):
            continue
        title = rule.title.in_language(policy().language)
        found = _SOURCES[rule.source](text, on)
        if found is None:
            continue
        facts, dated = found
        if isinstance(facts, StoredFile):
            taken.append(_join(text, rule.key, title, dated, rule.source, by=by, on=on, moment=moment, file=facts))
        elif hasattr(facts, "sha256"):
            taken.append(_join(text, rule.key, title, dated, rule.source, by=by, on=on, moment=moment, snapshot=facts))
        else:
            frozen = journal.freeze(queries.case_of(text.contract), f"annex:{rule.key}", facts, at=moment)
            taken.append(_join(text, rule.key, title, dated, rule.source, by=by, on=on, moment=moment, snapshot=frozen))
    return taken


def _join(
    text: Text,
    key: str,
    title: str,
    dated: dt.date,
    source: str,
    *,
    by: Actor,
    on: dt.date,
    moment: dt.datetime,
    file: StoredFile | None = None,
    snapshot: Any = None,
) -> Annex:
    if key != "other":
        text.annexes.filter(key=key, replaced_at__isnull=True).update(replaced_at=moment)
    annex = Annex.objects.create(
        text=text,
        key=key,
        title=title[:255],
        dated=dated,
        file=file,
        snapshot=snapshot,
        source=source,
        added_at=moment,
        added_by=by.user_label,
    )
    journal.record(
        queries.case_of(text.contract),
        "contract.annex",
        by=by,
        on=on,
        at=moment,
        after={
            "text": text.number,
            "annex": key,
            "title": annex.title,
            "dated": dated,
            "source": source,
            "sha256": (file or snapshot).sha256,
        },
    )
    return annex


def _document(kinds: Sequence[str]) -> Any:
    def find(text: Text, on: dt.date) -> tuple[StoredFile, dt.date] | None:
        row = (
            ClusterDocument.objects.filter(cluster=text.contract.cluster, kind__in=kinds, dated__lte=on)
            .select_related("file")
            .order_by("-dated", "-id")
            .first()
        )
        return (row.file, row.dated) if row else None

    return find


def _label_annex(text: Text, on: dt.date) -> tuple[Any, dt.date] | None:
    """The label letter as a file when the register holds it, else the label act that covers the start."""
    letter = _document(("label_letter", "label-letter"))(text, on)
    if letter:
        return letter
    day = doc.as_day(text.content.get("starts_on")) or on
    acts = [
        act
        for act in as_known_on(LabelAct.objects.filter(label__held_by__cluster=text.contract.cluster))
        .select_related("label")
        .order_by("effective_from", "id")
        .distinct()
        if act.effective_from <= day
        and (act.until is None or act.until >= day)
        and (act.decided_on is None or act.decided_on <= on)
    ]
    if not acts:
        return None
    act = acts[-1]
    facts = {
        "label": act.label.name,
        "act": act.act,
        "decided_on": act.decided_on,
        "effective_from": act.effective_from,
        "until": act.until,
        "body": act.body,
        "reference": act.reference,
        "sources": act.sources,
    }
    return facts, act.decided_on or act.effective_from


def _members_annex(text: Text, on: dt.date) -> tuple[Any, dt.date] | None:
    """The members on that day, frozen: name, identifiers, type, college, day of entry."""
    rows = (
        as_known_on(Membership.objects.filter(cluster=text.contract.cluster, joined_on__lte=on))
        .exclude(left_on__lt=on)
        .select_related("organisation")
        .prefetch_related("organisation__identifiers")
        .order_by("organisation__name_key", "organisation_id")
    )
    members = [
        {
            "name": m.organisation.name,
            "identifiers": sorted(f"{i.scheme}:{i.value}" for i in m.organisation.identifiers.all()),
            "type": m.member_type,
            "college": m.college,
            "joined_on": m.joined_on,
            "simulated": m.simulated,
        }
        for m in rows
    ]
    return ({"on": on, "members": members}, on) if members else None


def _roadmap_annex(text: Text, on: dt.date) -> tuple[Any, dt.date] | None:
    found = queries.validated_roadmap(text.contract.cluster_id, text.contract.phase, on)
    return (found.frozen, found.validated_on) if found else None


_SOURCES = {
    "register.label": _label_annex,
    "register.members": _members_annex,
    "register.statutes": _document(("statutes", "labelling_rules", "labelling-rules", "governance_rules")),
    "roadmap": _roadmap_annex,
}


# --- deliberations ------------------------------------------------------------------------------------------------


@transaction.atomic
def decide(
    text: Text,
    *,
    by: Actor,
    on: dt.date,
    decided_on: dt.date,
    reference: str,
    outcome: str = "approved",
    year: int | None = None,
    amount: Any = None,
    upload: Any = None,
    file_name: str = "",
    party: Party | None = None,
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Deliberation:
    """Record an authority's own decision on a text, apart from its signature.

    Args:
        year, amount: what it votes for one year; without them it decides on the text itself.
        party: whose decision, when a loader records for several; the actor's own otherwise.

    Raises:
        Refused: no reference, a date after today, a negative amount, an amount without year outside the contract.
    """
    text = _locked(text)
    own = access.act_for(by, text.contract, "contract.decide", on)
    if party is not None and party.pk != own.pk:
        raise NotAllowed(T("Chaque partie enregistre sa propre décision.", "Each party records its own decision."))
    if text.state not in ("negotiation", "signing"):
        raise Refused(
            T(
                "Le texte est « {s} » : une délibération s'enregistre pendant la négociation ou la signature.",
                "The text is “{s}”: a deliberation is recorded during negotiation or signature.",
                s=states.TITLES[text.state],
            ),
            why=why_state(T("enregistrer une délibération", "record a deliberation"), states.TITLES[text.state]),
        )
    faults: list[Any] = []
    why: Any = None
    if not reference.strip():
        faults.append(T("La référence de la délibération manque.", "The reference of the deliberation is missing."))
    if decided_on > on:
        why = why_not_yet(T("date de la délibération", "date of the deliberation"), decided_on, on)
        faults.append(
            T(
                "La délibération est datée du {d}, après aujourd'hui, le {on}.",
                "The deliberation is dated {d}, after today, {on}.",
                d=decided_on.isoformat(),
                on=on.isoformat(),
            )
        )
    if outcome not in ("approved", "refused"):
        faults.append(T("La décision est « approuvée » ou « refusée ».", "The decision is “approved” or “refused”."))
    value: Decimal | None = None
    if amount not in (None, ""):
        try:
            value = Decimal(str(doc.parse("objectives/o1/actions/a1/budget", amount)))
        except Refused:
            faults.append(
                T(
                    "Le montant « {v} » n'est pas un montant positif ou nul.",
                    "The amount “{v}” is not an amount of zero or more.",
                    v=amount,
                )
            )
    span = doc.years_of(text.content)
    if year is not None and span and year not in span:
        why = why or why_missing(
            "year_outside", "", queries.template_of(text.contract), day=text.contract.policy_day,
            inputs={T("année votée", "year voted"): year, T("années du contrat", "years of the contract"): f"{span[0]} – {span[-1]}"},
        )  # fmt: skip
        faults.append(
            T(
                "L'année {y} est hors du contrat ({a} à {b}).",
                "The year {y} lies outside the contract ({a} to {b}).",
                y=year,
                a=span[0],
                b=span[-1],
            )
        )
    if faults:
        why = why or why_missing("decision_missing", own.key, queries.template_of(text.contract), day=on)
        raise Refused(faults[0], missing=faults[1:], why=why, kind="input")
    moment = _moment(on, at)
    stored = (
        store(upload, file_name, case=queries.case_of(text.contract), by=by, title=reference, at=moment)
        if upload is not None
        else None
    )
    made = Deliberation.objects.create(
        text=text,
        party=own,
        decided_on=decided_on,
        reference=reference.strip()[:160],
        outcome=outcome,
        year=year,
        amount=value,
        file=stored,
        recorded_at=moment,
        user_label=by.user_label,
        simulated=simulated,
    )
    journal.record(
        queries.case_of(text.contract),
        "contract.decide",
        by=by,
        on=on,
        at=moment,
        after={
            "text": text.number,
            "party": own.key,
            "decided_on": decided_on,
            "reference": made.reference,
            "outcome": outcome,
            "year": year,
            "amount": value,
            "file": stored.sha256 if stored else None,
        },
    )
    return made


# --- signature ----------------------------------------------------------------------------------------------------


@transaction.atomic
def open_signature(text: Text, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Text:
    """Freeze the text whole and open its signature.

    The members are taken again on that day. One text of a contract is signed at a time; an amendment has to stand
    on the text that binds now.

    Raises:
        Refused: with the list of what is missing.
        Conflict: another amendment was signed meanwhile (take this one up on it first).
    """
    contract = _lock_contract(text.contract)
    text = _locked(text, contract)
    access.act_for(by, contract, "contract.open_signature", on)
    move = _move(text, "open_signature")
    if text.base_id:
        _on_binding_text(text)
        if not doc.diff(text.base.content, text.content):
            raise Refused(T("L'avenant ne change rien.", "The amendment changes nothing."))
    other = contract.texts.filter(state="signing").exclude(pk=text.pk).first()
    if other is not None:
        raise Refused(
            T(
                "L'avenant n° {n} est déjà à la signature : les textes d'un contrat se signent l'un après l'autre.",
                "Amendment no. {n} is already being signed: the texts of a contract are signed one after the other.",
                n=other.number,
            )
        )
    missing = [m.message for r in queries.requirements_of(text, on) if r.before == "opening" for m in r.missing]
    missing += _label_lacking(text, on)
    if missing:
        raise Refused(
            T(
                "La signature ne peut pas s'ouvrir : {n} point(s) manquent.",
                "The signature cannot open: {n} point(s) are missing.",
                n=len(missing),
            ),
            missing=missing,
        )
    moment = _moment(on, at)
    if text.base_id is None:
        template = queries.template_of(contract)
        stale = [
            a.key
            for a in queries.annexes_of(text)
            if a.source == "register.members" and a.dated != on and template and template.annex(a.key)
        ]
        if stale:
            _take(text, by, on, moment, stale)
    frozen = journal.freeze(queries.case_of(contract), f"text:{text.number}", frozen_content(text), at=moment)
    _set_state(text, move.target, frozen=frozen)
    journal.record(
        queries.case_of(contract),
        "contract.open_signature",
        by=by,
        on=on,
        at=moment,
        before={"text": text.number, "state": "negotiation"},
        after={"text": text.number, "state": "signing", "sha256": frozen.sha256, "rev": text.rev},
    )
    signers = _signing_parties(text)
    messages.opened_for_signature(text, signers, on)
    _tell_turn(text, on)
    return text


def _label_lacking(text: Text, on: dt.date) -> list[Any]:
    """Why the label, as known on that day, does not cover the dates that the text has come to; empty when it does."""
    contract = text.contract
    starts, ends = doc.as_day(text.content.get("starts_on")), doc.as_day(text.content.get("ends_on"))
    if starts is None or ends is None:
        return []
    spans = queries.label_spans([contract.cluster_id], known_on=on).get(contract.cluster_id, [])
    refusals = rules.prepare_refusals(
        spans, starts_on=starts, ends_on=ends, on=on, template=queries.template_of(contract)
    )
    return [reason for reason, _ in refusals]


def frozen_content(text: Text) -> dict[str, Any]:
    """What is frozen: the document, its annexes by their hash, and for an amendment the text it changes."""
    contract = text.contract
    whole: dict[str, Any] = {
        "contract": contract.slug,
        "text": text.number,
        "template": contract.template,
        "content": text.content,
        "annexes": [
            {"key": a.key, "title": a.title, "dated": a.dated, "sha256": (a.file or a.snapshot).sha256}
            for a in queries.annexes_of(text)
        ],
    }
    if text.base_id:
        base = Text.objects.select_related("frozen").get(pk=text.base_id)
        whole["amends"] = {"text": base.number, "sha256": base.frozen.sha256 if base.frozen else None}
        whole["reason"] = text.reason
        whole["changes"] = [{"path": c.path, "old": c.old, "new": c.new} for c in doc.diff(base.content, text.content)]
    return whole


def _signing_parties(text: Text) -> list[Party]:
    """The party rows that sign the text; an amendment is also signed by a party that it removes."""
    signers = queries.signers_of(text)
    rows = list(text.contract.parties.select_related("organisation"))
    named = {p["key"] for p in text.content.get("parties") or ()}
    return [p for p in rows if (p.key in signers.keys if signers else p.key in named)]


def _steps(text: Text) -> list[list[rules.Party]]:
    parties = [rules.Party(p.key, p.kind, p.organisation.name, p.organisation_id) for p in _signing_parties(text)]
    return rules.signing_steps(queries.template_of(text.contract), parties)


def _tell_turn(text: Text, on: dt.date) -> None:
    turn = {p.key for p in rules.awaited(_steps(text), text.signatures.values_list("party__key", flat=True))}
    if turn:
        messages.your_turn(text, [p for p in _signing_parties(text) if p.key in turn], on)


@transaction.atomic
def sign(
    text: Text,
    *,
    by: Actor,
    on: dt.date,
    sha256: str,
    signed_on: dt.date | None = None,
    signatory: str = "",
    simulated: bool = False,
    at: dt.datetime | None = None,
) -> Signature:
    """Sign the frozen text for one's party; the last signature binds the text.

    Args:
        sha256: the hash of the text that the signatory has before them.
        signed_on: the day on the paper, when it is not the day of the act.
        signatory: the function of who signs; the one that the text names otherwise.

    Raises:
        Refused: not open, out of turn (with who is awaited), decision missing, date impossible, already signed.
        Conflict: the hash is not that of the text to be signed.
    """
    contract = _lock_contract(text.contract)
    text = _locked(text, contract)
    party = access.act_for(by, contract, "contract.sign", on)
    _move(text, "sign")
    frozen = text.frozen
    if sha256.strip().lower() != frozen.sha256:
        raise Conflict(
            T(
                "Le texte a été figé de nouveau depuis que vous l'avez lu : relisez-le avant de signer.",
                "The text was frozen again since you read it: read it again before you sign.",
            ),
            theirs=frozen.sha256,
            yours=sha256,
        )
    template = queries.template_of(contract)
    steps = _steps(text)
    signed = list(text.signatures.values_list("party__key", flat=True))
    day = signed_on or on
    refusal = rules.refusal_to_sign(
        rules.Party(party.key, party.kind, party.organisation.name),
        template=template,
        steps=steps,
        signed=signed,
        decisions=queries.decisions_on(text),
        signed_on=day,
        frozen_on=frozen.frozen_at.astimezone(clock.PARIS).date(),
        on=on,
    )
    if refusal:
        raise Refused(refusal[0], why=refusal[1])
    moment = _moment(on, at)
    made = Signature.objects.create(
        text=text,
        party=party,
        signed_on=day,
        signatory=(signatory.strip() or party.signatory or by.user_label)[:200],
        sha256=frozen.sha256,
        at=moment,
        user_id_by=by.user_id,
        user_label=by.user_label,
        simulated=simulated,
    )
    journal.record(
        queries.case_of(contract),
        "contract.sign",
        by=by,
        on=on,
        at=moment,
        after={
            "text": text.number,
            "party": party.key,
            "signed_on": day,
            "signatory": made.signatory,
            "signed_sha256": frozen.sha256,
        },
    )
    if rules.awaited(steps, [*signed, party.key]):
        _tell_turn(text, on)
    else:
        _complete(text, by, on, moment)
    return made


def _complete(text: Text, by: Actor, on: dt.date, moment: dt.datetime) -> None:
    """The last party has signed: the text binds and its rows are made."""
    if text.base_id:
        _on_binding_text(text)
    last = max(text.signatures.values_list("signed_on", flat=True))
    move = _move(text, "bind")
    _set_state(text, move.target, effective_on=text.effective_on or last)
    contract = text.contract
    if text.number == 0:
        contract.signed_on = last
        contract.save(update_fields=["signed_on"])
    made = bind(text, at=moment)
    journal.record(
        queries.case_of(contract),
        "contract.bind",
        by=by,
        on=on,
        at=moment,
        before={"text": text.number, "state": "signing"},
        after={"text": text.number, "state": "signed", "signed_on": last, "rows": made},
    )


@transaction.atomic
def refuse(text: Text, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Text:
    """Refuse to sign, with the reason: back to negotiation. The frozen text stays in the history."""
    return _back(text, "refuse", "contract.sign", reason, by, on, at)


@transaction.atomic
def reopen(text: Text, *, reason: str, by: Actor, on: dt.date, at: dt.datetime | None = None) -> Text:
    """Stop a signature that is not complete, with the reason: back to negotiation."""
    return _back(text, "reopen", "contract.open_signature", reason, by, on, at)


def _back(text: Text, name: str, permission: str, reason: str, by: Actor, on: dt.date, at: dt.datetime | None) -> Text:
    text = _locked(text)
    party = access.act_for(by, text.contract, permission, on)
    move = _move(text, name, reason)
    if name == "refuse" and party.key not in {p.key for step in _steps(text) for p in step}:
        raise Refused(T("« {p} » ne signe pas ce texte.", "“{p}” does not sign this text.", p=party.organisation.name))
    undone = [
        {"party": s.party.key, "signed_on": s.signed_on, "signatory": s.signatory} for s in queries.signatures_of(text)
    ]
    sha = text.frozen.sha256
    text.signatures.all().delete()
    _set_state(text, move.target, frozen=None, round_no=text.round_no + 1)
    journal.record(
        queries.case_of(text.contract),
        f"contract.{name}",
        by=by,
        on=on,
        at=_moment(on, at),
        why=reason.strip(),
        before={"text": text.number, "state": "signing", "signed_sha256": sha, "signatures": undone},
        after={"text": text.number, "state": "negotiation", "round": text.round_no},
    )
    messages.refused(text, queries.parties_of(text), party.organisation.name, reason.strip(), on)
    return text


# --- amendments ---------------------------------------------------------------------------------------------------


@transaction.atomic
def amend(
    contract: Contract, *, reason: str, by: Actor, on: dt.date, title: str = "", at: dt.datetime | None = None
) -> Text:
    """Open an amendment: a draft copy of the binding text.

    Several may be open at once; the second to be signed is taken up on the first (see :func:`rebase`).

    Raises:
        Refused: no reason, or nothing binds yet.
    """
    contract = _lock_contract(contract)
    access.act_for(by, contract, "contract.amend", on)
    base = queries.binding_text(contract)
    if contract.state != "signed" or base is None:
        raise Refused(
            T(
                "Un avenant change un contrat signé ; celui-ci est « {s} ».",
                "An amendment changes a signed contract; this one is “{s}”.",
                s=states.TITLES[contract.state],
            )
        )
    if not base.content.get("objectives"):
        raise Refused(
            T(
                "Le texte de ce contrat n'est pas connu : un avenant ne peut pas en être tiré.",
                "The text of this contract is not known: no amendment can be drawn from it.",
            )
        )
    reason = reason.strip()
    if not reason:
        raise Refused(T("Un avenant demande un motif.", "An amendment needs a reason."), kind="input")
    number = (contract.texts.aggregate(n=Max("number"))["n"] or 0) + 1
    moment = _moment(on, at)
    text = Text.objects.create(
        contract=contract,
        number=number,
        title=title.strip()[:255],
        reason=reason,
        content=base.content,
        base=base,
        base_rev=base.rev,
        created_at=moment,
    )
    journal.record(
        queries.case_of(contract),
        "contract.amend",
        by=by,
        on=on,
        at=moment,
        why=reason,
        after={"text": number, "base": base.number, "base_rev": base.rev},
    )
    return text


def _on_binding_text(text: Text) -> None:
    """Raise Conflict when another amendment binds since this one was copied."""
    tip = queries.tip(list(text.contract.texts.filter(state="signed")))
    if tip is not None and (tip.pk != text.base_id or tip.rev != text.base_rev):
        _, clashes = doc.merge(text.base.content, tip.content, text.content, policy().words)
        raise Conflict(
            T(
                "L'avenant n° {n} a été signé entre-temps : reprenez celui-ci sur le texte en vigueur.",
                "Amendment no. {n} was signed meanwhile: take this one up on the binding text.",
                n=tip.number,
            ),
            theirs=tip.number,
            yours=text.number,
            missing=[
                T(
                    "{label} : « {theirs} » en vigueur, « {ours} » dans cet avenant.",
                    "{label}: “{theirs}” in force, “{ours}” in this amendment.",
                    label=doc.capital(c.label),
                    theirs=doc.said(c.path, c.theirs),
                    ours=doc.said(c.path, c.ours),
                )
                for c in clashes
            ],
        )


@transaction.atomic
def rebase(
    text: Text,
    *,
    by: Actor,
    on: dt.date,
    keep: Mapping[str, str] | None = None,
    at: dt.datetime | None = None,
) -> Text:
    """Take an amendment up on the text that binds now, after another amendment was signed.

    Args:
        keep: for each clashing path, ``theirs`` (the binding value) or ``ours`` (this amendment's).

    Raises:
        Conflict: a clash for which nothing is chosen; nothing is written.
        Refused: the amendment already stands on the binding text.
    """
    contract = _lock_contract(text.contract)
    text = _locked(text, contract)
    access.act_for(by, contract, "contract.amend", on)
    if text.state not in ("draft", "negotiation"):
        raise Refused(
            T(
                "L'avenant est « {s} » : il se reprend en préparation ou en négociation.",
                "The amendment is “{s}”: it is taken up while prepared or negotiated.",
                s=states.TITLES[text.state],
            )
        )
    tip = queries.tip(list(contract.texts.filter(state="signed")))
    if text.base_id is None or tip is None or (tip.pk == text.base_id and tip.rev == text.base_rev):
        raise Refused(
            T("L'avenant part déjà du texte en vigueur.", "The amendment already stands on the binding text.")
        )
    merged, clashes = doc.merge(text.base.content, tip.content, text.content, policy().words)
    keep = dict(keep or {})
    undecided = [c for c in clashes if keep.get(c.path) not in ("theirs", "ours")]
    if undecided:
        raise Conflict(
            T(
                "{n} conflit(s) à trancher : {list}.",
                "{n} conflict(s) to settle: {list}.",
                n=len(undecided),
                list=" ; ".join(str(c.label) for c in undecided),
            ),
            theirs={c.path: c.theirs for c in undecided},
            yours={c.path: c.ours for c in undecided},
        )
    for clash in clashes:
        if keep[clash.path] == "ours" and doc.exists_parent(merged, clash.path):
            merged = _put(merged, clash.path, clash.ours)
    before = text.base.number
    text.base, text.base_rev = tip, tip.rev
    text.save(update_fields=["base", "base_rev"])
    _write(text, merged)
    journal.record(
        queries.case_of(contract),
        "contract.rebase",
        by=by,
        on=on,
        at=_moment(on, at),
        before={"text": text.number, "base": before},
        after={
            "text": text.number,
            "base": tip.number,
            "rev": text.rev,
            "settled": {c.path: keep[c.path] for c in clashes},
        },
    )
    return text


HASH = re.compile(r"^[0-9a-f]{64}$")


def same_text(text: Text, given: str | bytes) -> bool:
    """Whether a file (its bytes) or a hash is that of the frozen text; reads only."""
    from jalon.core.canonical import sha256

    if text.frozen is None:
        return False
    if isinstance(given, str):
        given = given.strip()
        if HASH.match(given.lower()):
            return given.lower() == text.frozen.sha256
        given = given.encode("utf-8")
    return text.frozen.sha256 in (
        sha256(given),
        sha256(given.rstrip(b"\r\n")),
        sha256(given.removeprefix(b"\xef\xbb\xbf")),
    )
