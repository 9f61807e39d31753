"""Names of acts and cases for the journal's templates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import template

from jalon.core.lang import T
from jalon.core.models import JournalEntry
from jalon.people.tasks import Task
from jalon.policy.vocabulary import MEASURES
from jalon.ui import format as fmt
from jalon.workspace.words import act_titles, describe

register = template.Library()


@register.filter
def act_title(act: str) -> Any:
    """What an act is called on screen; an act without a name is shown by its code."""
    return act_titles().get(act, act)


@register.filter
def described(entries: Iterable[JournalEntry]) -> Sequence[JournalEntry]:
    """Rows of the journal with what they changed, in words."""
    return describe(list(entries))


@register.filter
def distance_from(value: Any, day: Any) -> str:
    """How far a day is from another: « il y a 3 jours »."""
    return fmt.distance(value, day)


@register.filter
def waiting(task: Task, day: dt.date) -> Any:
    """Who waits for a task and since when, as one clause; nothing when neither is known."""
    said = {"who": task.who, "day": fmt.day(task.since) if task.since else "", "ago": ""}
    if task.since and task.since < day:
        said["ago"] = f" ({fmt.distance(task.since, day)})"
    if task.who and task.since:
        return T("qui attend : {who}, depuis le {day}{ago}", "who waits: {who}, since {day}{ago}", **said)
    if task.who:
        return T("qui attend : {who}", "who waits: {who}", **said)
    return T("en attente depuis le {day}{ago}", "waiting since {day}{ago}", **said) if task.since else ""


@register.filter
def light_word(task: Task, day: dt.date) -> Any:
    """What the light of a task says: the light's own word for a due day, how it waits without one."""
    if task.due_on is not None:
        return ""
    return T("attend depuis longtemps", "has waited long") if task.light == "at_risk" else T("à faire", "to do")


@register.filter
def subject_title(code: str, titles: dict[str, Any]) -> Any:
    """The title of a subject of parameters; its code when it has none."""
    return titles.get(code, code)


_MEASURE = re.compile(r"[a-z]+\.[a-z_]+")


@register.filter
def formula_words(formula: Any) -> str:
    """A formula of the policy, its measures called by their titles."""
    named = _MEASURE.sub(lambda m: f"[{MEASURES[m[0]]}]" if m[0] in MEASURES else m[0], formula.source)
    return named.replace("*", "×")


_PERIOD_TYPES = {
    "stock": T("stock au dernier jour", "stock on the last day"),
    "flow": T("flux de la période", "flow of the period"),
    "cumulated": T("cumulé", "cumulated"),
}


@register.filter
def period_type_title(code: str) -> Any:
    """Stock, flow or cumulated, in words."""
    return _PERIOD_TYPES.get(code, code)


@register.filter
def in_order(permissions: Iterable[str], titles: dict[str, Any]) -> list[tuple[str, Any]]:
    """Permissions with their titles, in the order of the vocabulary."""
    held = set(permissions)
    return [(code, title) for code, title in titles.items() if code in held]
