"""Registers the package with Django."""

from django.apps import AppConfig


class SelectionConfig(AppConfig):
    name = "jalon.selection"
    label = "selection"
    default_auto_field = "django.db.models.BigAutoField"
