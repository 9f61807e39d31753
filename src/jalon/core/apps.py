"""Registers the package with Django."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "jalon.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"
