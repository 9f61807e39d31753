"""What a document needs to know of a contract, read once; who may read it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jalon.contracts import access, queries as contracts, rules, states
from jalon.contracts.models import Contract, Text
from jalon.core import clock
from jalon.core.models import Source
from jalon.people.access import Actor, policy


@dataclass(frozen=True)
class Annexed:
    """An annex as the document lists it."""

    title: str
    dated: dt.date | None
    sha256: str


@dataclass(frozen=True)
class Decided:
    """A deliberation of a party."""

    reference: str
    decided_on: dt.date
    outcome: str
    year: int | None = None
    amount: Any = None


@dataclass(frozen=True)
class SignedBy:
    """A signature: day and function."""

    signed_on: dt.date
    signatory: str


@dataclass(frozen=True)
class View:
    """A text of a contract with everything around it that is printed; plain values."""

    slug: str
    title: str
    number: int
    state: str
    rev: int
    content: Mapping[str, Any]
    programme: Any
    kind: Any
    words: Mapping[str, Any]
    currency: str
    language: str
    regions: Sequence[str]
    day: dt.date
    address: str
    simulated: bool = False
    sha256: str = ""
    frozen_on: dt.date | None = None
    effective_on: dt.date | None = None
    annexes: Sequence[Annexed] = ()
    steps: Sequence[Sequence[str]] = ()
    decision_kinds: Sequence[str] = ()
    decisions: Mapping[str, Sequence[Decided]] = field(default_factory=dict)
    signatures: Mapping[str, SignedBy] = field(default_factory=dict)
    years_rule: str = ""
    sources: Sequence[str] = ()
    text_known: bool = True
    note: Mapping[str, str] = field(default_factory=dict)
    signed_on: dt.date | None = None
    # of an amendment
    label: str = ""
    reason: str = ""
    base_number: int | None = None
    base_content: Mapping[str, Any] | None = None
    base_sha256: str = ""
    base_on: dt.date | None = None
    why_signers: Any = None
    changed_texts: Sequence[tuple[int, dt.date | None]] = ()

    @property
    def frozen(self) -> bool:
        return bool(self.sha256)

    @property
    def draft(self) -> bool:
        """Not frozen and not signed: binds nobody."""
        return not self.frozen and self.state != "signed"


def readable_text(contract: Contract, number: int | None, actor: Actor, on: dt.date) -> Text | None:
    """The text of that number that the actor may read; without a number, the one that binds, else the original.

    A signed text is public; any other is for those who read the contract's drafts.
    """
    texts = {t.number: t for t in contract.texts.all()}
    if number is None:
        text = contracts.current_text(contract) if texts else None
    else:
        text = texts.get(number)
    if text is None:
        return None
    if text.state != "signed" and not access.may_read_drafts(actor, contract, on):
        return None
    text.contract = contract
    return text


def view_of(text: Text, *, on: dt.date, address: str) -> View:
    """Everything that the document of a text prints."""
    contract, laws = text.contract, policy()
    template = contracts.template_of(contract)
    frozen = text.frozen
    told = json.loads(frozen.canonical)["content"] if frozen else None
    content = told["content"] if told else text.content
    signers = contracts.signers_of(text, template)
    parties = rules.parties_in(content)
    if signers is not None:
        known = {p.key: p for p in [*rules.parties_in(text.base.content), *parties]}
        parties = [known[key] for key in signers.keys]
    decisions: dict[str, list[Decided]] = {}
    for row in text.deliberations.select_related("party").order_by("decided_on", "id"):
        decisions.setdefault(row.party.key, []).append(
            Decided(row.reference, row.decided_on, row.outcome, row.year, row.amount)
        )
    base = Text.objects.select_related("frozen").get(pk=text.base_id) if text.base_id else None
    starts = rules.doc.as_day(content.get("starts_on")) or contract.signed_on or contract.policy_day
    return View(
        slug=contract.slug,
        title=content.get("title") or contract.title,
        number=text.number,
        state=text.state,
        rev=text.rev,
        content=content,
        programme=laws.title,
        kind=template.title if template else states.TITLES[contract.state],
        words=laws.words,
        currency=laws.currency,
        language=laws.language if laws.language in ("fr", "en") else "fr",
        regions=contracts.region_names(content.get("territory") or (), starts),
        day=on,
        address=address,
        simulated=contract.simulated,
        sha256=frozen.sha256 if frozen else "",
        frozen_on=frozen.frozen_at.astimezone(clock.PARIS).date() if frozen else None,
        effective_on=text.effective_on,
        annexes=_annexes(text, told),
        steps=[[p.key for p in step] for step in rules.signing_steps(template, parties)],
        decision_kinds=rules.decision_needed(template),
        decisions=decisions,
        signatures={s.party.key: SignedBy(s.signed_on, s.signatory) for s in text.signatures.select_related("party")},
        years_rule=template.funding_years.rule if template else "",
        sources=_sources(contract),
        note=(contract.known or {}).get("note") or {},
        signed_on=contract.signed_on,
        text_known=bool(content.get("objectives") or content.get("articles") or not contract.known),
        label=text.title,
        reason=text.reason,
        base_number=base.number if base else None,
        base_content=base.content if base else None,
        base_sha256=base.frozen.sha256 if base and base.frozen else "",
        base_on=base.effective_on if base else None,
        why_signers=signers.why if signers else None,
        changed_texts=_chain(text),
    )


def _sources(contract: Contract) -> list[str]:
    """Title and address of each source of what is known of a contract."""
    keys = list(contract.sources or ())
    found = Source.objects.in_bulk(keys)
    return [f"{found[k].title}\n{found[k].url}".strip() if k in found else k for k in keys]


def _annexes(text: Text, told: Mapping[str, Any] | None) -> list[Annexed]:
    if told is not None:
        return [
            Annexed(a["title"], rules.doc.as_day(a.get("dated")), a.get("sha256") or "")
            for a in told.get("annexes") or ()
        ]
    return [Annexed(a.title, a.dated, (a.file or a.snapshot).sha256) for a in contracts.annexes_of(text)]


def _chain(text: Text) -> list[tuple[int, dt.date | None]]:
    """The texts of which this one is made: the original, then the amendments up to this one."""
    found, by_id = [], {t.pk: t for t in text.contract.texts.all()}
    at: Text | None = text
    while at is not None:
        found.append((at.number, at.effective_on))
        at = by_id.get(at.base_id)
    return found[::-1]
