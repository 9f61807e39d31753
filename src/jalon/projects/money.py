"""The money of an organisation in its projects: what packages above know of it, asked for by the page of a company.

A package that knows money (agreements, payments, advances) registers a function; this one stands below and imports none::

    @register
    def money(organisation_id: int, on: date) -> list[MoneyRow]: ...
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class MoneyRow:
    """One line of a company's money: about which project, what, how much, where it stands, until when, where to look.

    ``kind`` orders the lines: promised, agreed, claimed, paid, advance, owed. ``tone`` is a badge's tone.
    """

    project: int
    acronym: str
    what: Any
    amount: Decimal | None
    kind: str = ""
    state: Any = ""
    tone: str = "quiet"
    due_on: dt.date | None = None
    url: str = ""
    simulated: bool = False


Provider = Callable[[int, dt.date], list[MoneyRow]]
_providers: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Add a function that tells an organisation's money; the order of registration is kept."""
    if provider not in _providers:
        _providers.append(provider)
    return provider


def money_of(organisation_id: int, on: dt.date) -> list[MoneyRow]:
    """Everything that is known of an organisation's money in its projects, in the order of the providers."""
    return [row for provider in _providers for row in provider(organisation_id, on)]


def known() -> bool:
    """Whether any package tells money: without one, the page says that nothing is known of it."""
    return bool(_providers)
