"""Registers the package with Django."""

from django.apps import AppConfig


class InterestsConfig(AppConfig):
    name = "jalon.interests"
    label = "interests"
    default_auto_field = "django.db.models.BigAutoField"
