"""An empty database gets its tables at once; the migrations, one after the other, come to the same ones."""

from __future__ import annotations

import contextlib
import json
import re
import secrets

import pytest

from tests.demonstration import python

ONE_BY_ONE = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
executor.migrate(executor.loader.graph.leaf_nodes())
"""
AT_ONCE = """
from django.core.management import call_command
call_command("migrate", verbosity=0, interactive=False)
"""
POSTGRES = (
    "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable,"
    " column_default, is_identity FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT event_object_table, trigger_name, action_statement FROM information_schema.triggers",
)
SQLITE = ("SELECT type, tbl_name, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",)
SHOW = """
import json
with connection.cursor() as cursor:
    found = []
    for statement in {statements!r}:
        cursor.execute(statement)
        found.append(sorted([[str(v) for v in row] for row in cursor.fetchall()]))
    cursor.execute("SELECT app, name FROM django_migrations")
    found.append(sorted(list(row) for row in cursor.fetchall()))
print(json.dumps(found))
"""


def normal(statement):
    """A statement of SQLite in which only the meaning counts.

    A table made anew by a migration has other quotes, and a column added later stands at the end: columns and constraints
    are compared whatever their order.
    """
    said = re.sub(r'[\s"]+', " ", statement).replace("( ", "(").replace(" )", ")").replace(" ,", ",").strip()
    if not said.startswith("CREATE TABLE"):
        return said
    head, _, body = said.partition("(")
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(body[start:place].strip())
            start = place + 1
    parts.append(body[start : body.rindex(")")].strip())
    return f"{head.strip()} ({', '.join(sorted(parts))})"


@pytest.fixture
def somewhere_else(request, tmp_path):
    """Opens homes with an empty database of their own, of the kind that this run uses."""
    from django.db import connection

    with contextlib.ExitStack() as stack:

        def make(name):
            home = tmp_path / name
            home.mkdir()
            if connection.vendor == "sqlite":
                return home, {}
            return home, {"JALON_DATABASE_URL": stack.enter_context(empty_database(connection.settings_dict))}

        yield make


@contextlib.contextmanager
def empty_database(at):
    """The address of a new database on the server of this run, gone at the end."""
    import psycopg

    name = f"jalon_tables_{secrets.token_hex(4)}"
    server = {"host": at["HOST"], "port": at["PORT"], "user": at["USER"], "password": at["PASSWORD"] or None}
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"
    finally:
        with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.django_db
def test_tables_made_at_once_are_those_of_the_migrations(somewhere_else):
    from django.db import connection

    sqlite = connection.vendor == "sqlite"
    show = "from django.db import connection\n" + SHOW.format(statements=SQLITE if sqlite else POSTGRES)
    found = {}
    for name, way in (("one by one", ONE_BY_ONE), ("at once", AT_ONCE)):
        home, more = somewhere_else(name.replace(" ", "-"))
        found[name] = json.loads(python(home, way + show, **more))
    if sqlite:
        for tables in found.values():
            tables[0] = [[kind, table, name, normal(sql)] for kind, table, name, sql in tables[0]]
    for one, other in zip(found["one by one"], found["at once"], strict=True):
        lost = [row for row in one if row not in other]
        more = [row for row in other if row not in one]
        assert (lost, more) == ([], [])
    assert len(found["at once"][0]) > 100


@pytest.mark.django_db
def test_a_database_with_tables_is_left_to_the_migrations():
    from django.db import connection

    from jalon.core import schema

    assert schema.create(connection) is False
