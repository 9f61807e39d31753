"""Registers the package with Django."""

from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "jalon.funding"
    label = "funding"
    default_auto_field = "django.db.models.BigAutoField"
