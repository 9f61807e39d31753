"""The tables of an empty database, made at once from what all migrations come to.

Migrations are for databases that hold data. Django runs them one operation after the other and, before each, works out
again every model that is linked to the one that changes: for tables that are linked as ours are this is nine tenths of
the time, and a minute of a newcomer's first start on a small machine. On an empty database only the result counts. So
the models as the last migration leaves them are worked out once, their tables made, then what the migrations add by hand
(exclusion constraints, triggers) and every migration is recorded as applied. ``tests/core/test_schema.py`` holds the two
ways to the same tables, columns, constraints, indexes and triggers, on both databases.
"""

from __future__ import annotations

from django.apps import apps
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import RunPython, RunSQL

BY_HAND = (RunPython, RunSQL)


def create(connection: BaseDatabaseWrapper) -> bool:
    """Make all tables and answer True; answer False and touch nothing when the database holds tables already.

    All or nothing, with one exception: the empty list of migrations may remain, and does not count as a table.
    """
    executor = MigrationExecutor(connection)
    if executor.loader.applied_migrations or executor.loader.unmigrated_apps & _with_models():
        return False
    if set(connection.introspection.table_names()) - {executor.recorder.Migration._meta.db_table}:
        return False
    plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)]
    state = executor.loader.project_state()
    executor.recorder.ensure_schema()
    with connection.schema_editor(atomic=True) as editor:
        for key in state.models:
            model = state.apps.get_model(*key)
            if model._meta.can_migrate(connection) and router.allow_migrate_model(connection.alias, model):
                editor.create_model(model)
        for migration in plan:
            for operation in _by_hand(migration):
                operation.database_forwards(migration.app_label, editor, state, state)
            executor.recorder.record_applied(migration.app_label, migration.name)
    return True


def _by_hand(migration: Migration) -> list:
    """What a migration does beside the models; what only moves existing rows (``elidable``) has nothing to move here."""
    return [one for one in migration.operations if isinstance(one, BY_HAND) and not one.elidable]


def _with_models() -> set[str]:
    """Apps that have tables: one of them without migrations would be left out here."""
    return {config.label for config in apps.get_app_configs() if any(config.get_models())}
