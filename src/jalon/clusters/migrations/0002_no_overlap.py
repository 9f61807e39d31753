"""Two current versions of one membership, or of one label's periods, may not overlap: the database refuses it.

PostgreSQL has exclusion constraints for this; SQLite gets the same answer from triggers.
"""

from django.db import migrations

TABLES = (
    (
        "clusters_membership",
        "membership_no_overlap",
        ("cluster_id", "organisation_id"),
        "joined_on",
        "left_on",
    ),
    (
        "clusters_labelperiod",
        "label_period_no_overlap",
        ("label_id",),
        "starts_on",
        "ends_on",
    ),
)


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        for table, name, keys, start, end in TABLES:
            same = ", ".join(f"{key} WITH =" for key in keys)
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist "
                f"({same}, daterange({start}, {end}, '[]') WITH &&) WHERE (superseded_at IS NULL)"
            )
    elif schema_editor.connection.vendor == "sqlite":
        for table, name, keys, start, end in TABLES:
            same = " AND ".join(f"o.{key} = NEW.{key}" for key in keys)
            for event, columns in (
                ("INSERT", ""),
                ("UPDATE", f" OF {start}, {end}, superseded_at, {', '.join(keys)}"),
            ):
                schema_editor.execute(
                    f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event}{columns} ON {table} "
                    f"WHEN NEW.superseded_at IS NULL BEGIN "
                    f"SELECT RAISE(ABORT, '{name}') FROM {table} o WHERE {same} AND o.id IS NOT NEW.id "
                    f"AND o.superseded_at IS NULL "
                    f"AND o.{start} <= COALESCE(NEW.{end}, '9999-12-31') "
                    f"AND NEW.{start} <= COALESCE(o.{end}, '9999-12-31'); END"
                )


def backwards(apps, schema_editor):
    for table, name, *_ in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        elif schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER {name}_insert")
            schema_editor.execute(f"DROP TRIGGER {name}_update")


class Migration(migrations.Migration):
    dependencies = [("clusters", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
