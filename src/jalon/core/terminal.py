"""What every command shares: starting Django, one line in the user's language."""

from __future__ import annotations

from typing import Any

from jalon.core.lang import T


def django_ready() -> None:
    """Start Django (models, settings); called by the commands that need the database."""
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


def line(fr: str, en: str, **kwargs: Any) -> str:
    """One line for the terminal, in the user's language."""
    return str(T(fr, en, **kwargs))
