"""Registers the package with Django."""

from django.apps import AppConfig


class AidConfig(AppConfig):
    name = "jalon.aid"
    label = "aid"
    default_auto_field = "django.db.models.BigAutoField"
