"""Django application of the look."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "jalon.ui"
    label = "ui"
    verbose_name = "Jalon: look"
