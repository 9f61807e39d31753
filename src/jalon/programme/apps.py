"""Registers the package with Django."""

from django.apps import AppConfig


class ProgrammeConfig(AppConfig):
    name = "jalon.programme"
    label = "programme"
    default_auto_field = "django.db.models.BigAutoField"
