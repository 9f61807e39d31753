"""What may be paid to a partner: the rate of its call, and the ceiling of State aid law; each says why.

The rate is asked of the call's rules, the ceiling of the aid package; this module only brings them to one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from jalon.core.why import Why
from jalon.projects.models import Partner, Project


@dataclass(frozen=True)
class Limit:
    """Percentages of the eligible base (or an amount), None when unknown, and their explanations."""

    call_rate: Decimal | None = None
    call_amount: Decimal | None = None
    call_why: Why | None = None
    aid_rate: Decimal | None = None
    aid_amount: Decimal | None = None
    aid_why: Why | None = None


def limits_of(
    projects: Sequence[Project],
    partners: Mapping[int, Sequence[Partner]],
    classes: Mapping[int, Mapping[str, Decimal]],
    *,
    explain: bool = False,
) -> dict[int, Limit]:
    """The limits of each partner, by its id. ``classes``: its base by class of the aid regulation."""
    return {partner.pk: Limit() for project in projects for partner in partners[project.pk]}
