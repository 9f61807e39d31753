"""Registers the package with Django."""

from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    name = "jalon.indicators"
    label = "indicators"
    default_auto_field = "django.db.models.BigAutoField"
