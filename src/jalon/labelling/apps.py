"""Registers the package with Django."""

from django.apps import AppConfig


class LabellingConfig(AppConfig):
    name = "jalon.labelling"
    label = "labelling"
    default_auto_field = "django.db.models.BigAutoField"
