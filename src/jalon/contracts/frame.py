"""What every page of a contract shares: its head, its tabs, how its values are shown.

The pages that follow a signed contract use the same frame: ``frame(request, contract, "follow")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch, reverse

from jalon.contracts import access, content as doc, queries, states
from jalon.contracts.models import Contract, Text
from jalon.core import clock
from jalon.core.lang import T
from jalon.people.access import policy
from jalon.ui import format as fmt


def address(name: str, *args: Any) -> str | None:
    """The address of a page, None when this installation does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None


def find(request: HttpRequest, slug: str) -> Contract:
    """The contract, with cluster, texts and parties. Http404 when the actor may not know of it."""
    contract = queries.with_texts(slug, request.actor, clock.today())
    if contract is None:
        raise Http404
    for text in contract.texts.all():
        text.contract = contract
    bases = {t.pk: t for t in contract.texts.all()}
    for text in contract.texts.all():
        if text.base_id:
            text.base = bases[text.base_id]
    return contract


def text_no(request: HttpRequest, contract: Contract, number: int) -> Text:
    """One text of the contract. Http404 when there is none, or when it is a draft that the actor may not read."""
    text = next((t for t in contract.texts.all() if t.number == number), None)
    if text is None or (text.state != "signed" and not access.may_read_drafts(request.actor, contract, clock.today())):
        raise Http404
    return text


def cap(text: Any) -> str:
    """With a capital first letter."""
    text = str(text)
    return text[:1].upper() + text[1:]


def frame(request: HttpRequest, contract: Contract, active: str, *, drafts: bool | None = None) -> dict[str, Any]:
    """The context of a page: title, trail, tabs, state, whether it is in force.

    Args:
        active: follow, negotiation, text, signature, history, annexes, amendments, export.
        drafts: whether the actor reads drafts, when the caller knows it already.
    """
    laws = policy()
    day = clock.today()
    if drafts is None:
        drafts = access.may_read_drafts(request.actor, contract, day)
    slug = contract.slug
    binding = contract.state in states.PUBLIC
    tabs: list[tuple[str, str | None, Any]] = [
        ("follow", address("contract-dashboard", slug) if binding else None, T("Suivi", "Follow-up")),
        (
            "negotiation",
            address("contract", slug) if not binding and drafts else None,
            T("Négociation", "Negotiation"),
        ),
        ("text", address("contract-text", slug), T("Texte", "Text")),
        ("signature", address("contract-signature", slug), T("Signature", "Signature")),
        ("history", address("contract-history", slug) if drafts else None, T("Historique", "History")),
        ("annexes", address("contract-annexes", slug), cap(laws.word("annexes"))),
        (
            "amendments",
            address("contract-amendments", slug) if binding else None,
            cap(laws.word("amendments")),
        ),
        ("export", address("contract-exchange", slug), T("Échange", "Exchange")),
    ]
    force = queries.in_force(contract, day) if binding else None
    return {
        "contract": contract,
        "title": contract.title,
        "drafts": drafts,
        "day": day,
        "eyebrow": contract.cluster_name,
        "breadcrumb": [
            {"url": address("contract-list"), "label": cap(laws.word("contracts"))},
            {"url": address("cluster", contract.cluster.slug), "label": contract.cluster_name},
            {"label": contract.title},
        ],
        "tabs": [{"url": url, "label": label, "active": code == active} for code, url, label in tabs if url],
        "state_title": states.TITLES[contract.state],
        "state_tone": states.TONES[contract.state],
        "force": force,
    }


def reader(content: Mapping[str, Any], starts: Any = None) -> Any:
    """A function ``(path, value)`` that says a value of this content on a page, figures with their unit."""
    regions = queries.region_set_of(doc.as_day(content.get("starts_on")))
    names = {r.code: r.name for r in regions.regions} if regions else {}

    def say(path: str, value: Any) -> str:
        where = doc.place(path)
        if value in (None, "", [], {}):
            return "–" if where.year is not None else fmt.unknown()
        if where.whole:
            return doc.name_of(where.element, value)
        field = where.field
        kind = field.value_kind
        if kind == "money":
            return fmt.money(value)
        if kind == "day":
            return fmt.day(doc.as_day(value)) if doc.as_day(value) else str(value)
        if kind == "number":
            item = doc.get(content, where.element_path) or {}
            return with_unit(value, item.get("unit"))
        if kind == "choice":
            return str(dict(field.choices).get(value, value))
        if kind == "flag":
            return str(T("oui", "yes") if value else T("non", "no"))
        if kind == "codes":
            return ", ".join(names.get(code, code) for code in value)
        if kind == "ref":
            for item in content.get(field.to) or ():
                if item.get("key") == value:
                    kind_of = next(k for k in doc.KINDS if k.name == field.to)
                    return doc.name_of(kind_of, item)
        return str(value)

    return say


def with_unit(value: Any, unit: str | None) -> str:
    """A figure with the unit of its indicator; a plain count has none."""
    if unit == "money":
        return fmt.money(value)
    if unit == "percent":
        return fmt.percent(value)
    if unit == "fte":
        return fmt.value(value, str(T("ETP", "FTE")))
    if unit == "yes_no":
        number = doc.as_decimal(value)
        return str(value if number is None else T("oui", "yes") if number else T("non", "no"))
    return fmt.number(value)


def anchor(path: str) -> str:
    """The place on the page of an element or a field."""
    return "e-" + path.replace("/", "-")
