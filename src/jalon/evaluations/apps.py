"""Registers the package with Django."""

from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "jalon.evaluations"
    label = "evaluations"
    default_auto_field = "django.db.models.BigAutoField"
