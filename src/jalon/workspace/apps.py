"""Registers the package with Django."""

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "jalon.workspace"
    label = "workspace"
