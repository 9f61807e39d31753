"""Registers the package with Django."""

from django.apps import AppConfig


class ClustersConfig(AppConfig):
    name = "jalon.clusters"
    label = "clusters"
    default_auto_field = "django.db.models.BigAutoField"
