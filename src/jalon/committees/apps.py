"""Registers the package with Django."""

from django.apps import AppConfig


class CommitteesConfig(AppConfig):
    name = "jalon.committees"
    label = "committees"
    default_auto_field = "django.db.models.BigAutoField"
