"""Words of committees in templates: ``{% load committees %}{% session_badge session %}``."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from jalon.committees import states
from jalon.ui.templatetags.jalon import badge

register = template.Library()


@register.filter
def session_state(code: str) -> Any:
    """What a session's state is called."""
    return states.TITLES.get(code, code)


@register.simple_tag
def session_badge(session: Any) -> SafeString:
    """The state of a session as a badge."""
    return badge(states.TITLES[session.state], states.TONES[session.state])


@register.filter
def item_kind(code: str) -> Any:
    """What a kind of point is called."""
    return states.ITEM_KINDS.get(code, code)


@register.filter
def presence(code: str) -> Any:
    """What a presence is called."""
    return states.PRESENCES.get(code, code)


@register.filter
def outcome(code: str) -> Any:
    """What a result is called."""
    return states.OUTCOMES.get(code, code)


@register.filter
def outcome_tone(code: str) -> str:
    """The tone of a result's badge."""
    return states.OUTCOME_TONES.get(code, "quiet")


@register.filter
def choice(code: str) -> Any:
    """What a vote is called."""
    return states.CHOICES.get(code, code)


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """The value of a mapping under a key."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.simple_tag
def address(name: str, *args: Any) -> str:
    """The address of a page that another package may have; empty without it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
