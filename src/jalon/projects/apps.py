"""Registers the package with Django."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "jalon.projects"
    label = "projects"
    default_auto_field = "django.db.models.BigAutoField"
