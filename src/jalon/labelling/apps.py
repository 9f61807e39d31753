"""Registers the package with Django."""

from django.apps import AppConfig


class LabellingConfig(AppConfig):
    name = "jalon.labelling"
    label = "labelling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Those who assess a project for a pôle read its file: projects are told here, because they stand below."""
        from jalon.labelling.access import readable_projects
        from jalon.projects import access

        access.register_reader(readable_projects)
