"""Registers the package with Django."""

from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "jalon.funding"
    label = "funding"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The page of a company in the package projects asks who knows of its money."""
        from jalon.funding import money as money
