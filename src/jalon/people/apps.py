"""Registers the package with Django."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "jalon.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
