"""``migrate`` as Django has it, except that an empty database gets all its tables at once (``jalon.core.schema``)."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from jalon.core import schema

NARROWED = ("app_label", "migration_name", "fake", "fake_initial", "plan", "check_unapplied", "prune")
"""Options that ask for something else than "bring everything up to date": Django's own way serves them."""


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options.get(name) for name in NARROWED):
            schema.create(connections[options["database"]])
        super().handle(*args, **options)  # finds nothing left to do, or brings an older database up to date
