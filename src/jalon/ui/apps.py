"""Django application of the look."""

from collections.abc import Callable

from django.apps import AppConfig

_said: dict[str, Callable[[str, str], str] | None] = {}


def programme_words() -> Callable[[str, str], str] | None:
    """Rewords the interface for the programme of the settings; read once, when a first sentence is said."""
    from django.conf import settings

    slug = settings.PROGRAMME
    if slug not in _said:
        from jalon.policy import PolicyFaults, load
        from jalon.policy.words import replacer

        # Until the policy is read, and if it cannot be, sentences are said as they are written.
        _said[slug] = None
        try:
            _said[slug] = replacer(load(settings.POLICIES / slug).words)
        except PolicyFaults:
            del _said[slug]
            return None
    return _said[slug]


class UiConfig(AppConfig):
    name = "jalon.ui"
    label = "ui"
    verbose_name = "Jalon: look"

    def ready(self) -> None:
        from jalon.core.lang import use_words

        use_words(programme_words)
