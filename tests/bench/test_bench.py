"""The bench itself: its data fit the product's own rules, its floor gives the product's figures, and it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    """A tiny generated country in a database of its own: its environment and what was written."""
    from bench.stage import Stage

    stage = Stage(tmp_path_factory.mktemp("country"))
    return stage, stage.run("fill", tiny=True)


def inside(stage, code: str) -> str:
    """What ``code`` prints in a process on the generated database."""
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=ROOT, env=stage.env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_generated_sizes_are_exact(country):
    _, filled = country
    from bench.generate import TINY

    rows = filled["rows"]
    assert rows["clusters"] == TINY.clusters
    assert rows["organisations"] == TINY.organisations
    assert rows["memberships"] == TINY.memberships
    assert rows["contracts"] == TINY.contracts
    assert rows["observations"] == TINY.observations


def test_national_size_is_that_of_the_aims():
    from bench.generate import size

    one, twenty = size(1), size(20)
    assert (one.clusters, one.organisations, one.memberships, one.contracts, one.observations) == (
        77,
        15_000,
        20_000,
        71,
        50_000,
    )
    assert (twenty.clusters, twenty.organisations, twenty.memberships) == (1_540, 300_000, 400_000)
    assert (twenty.contracts, twenty.observations) == (1_420, 1_000_000)


def test_generated_references_hold_and_identifiers_are_valid(country):
    stage, _ = country
    said = inside(
        stage,
        "from django.db import connection\n"
        "from stdnum.fr import siret\n"
        "from jalon.people.models import Identifier\n"
        "print(len(connection.cursor().execute('PRAGMA foreign_key_check').fetchall()))\n"
        "print(sum(not siret.is_valid(v) for v in Identifier.objects.values_list('value', flat=True)))\n",
    )
    assert said.split() == ["0", "0"]


def test_generated_contracts_keep_the_rules_of_the_product(country):
    """No fault in a document, rows as signing would have made them, seals that fit, everything flagged as simulated."""
    stage, _ = country
    said = inside(
        stage,
        "from jalon.contracts import content, models as m\n"
        "from jalon.core.canonical import sha256\n"
        "faults = []\n"
        "for text in m.Text.objects.select_related('contract', 'frozen'):\n"
        "    faults += [f'{f.path} {f.code}' for f in content.check(text.content, None) if f.level == 'error']\n"
        "    faults += [] if sha256(text.frozen.canonical) == text.frozen.sha256 else ['seal']\n"
        "    wanted = {(o['key'], a['key']) for o in text.content['objectives'] for a in o['actions']}\n"
        "    there = set(text.contract.actions.values_list('objective__key', 'key'))\n"
        "    faults += [] if wanted == there else ['actions']\n"
        "    faults += [] if {i['key'] for i in text.content['indicators']} == set(text.contract.indicators.values_list('key', flat=True)) else ['indicators']\n"
        "import json; print(json.dumps(faults)); print(m.Contract.objects.filter(simulated=False).count())\n",
    )
    faults, unflagged = said.splitlines()
    assert json.loads(faults) == []
    assert unflagged == "0"


def test_same_seed_same_country(country, tmp_path):
    from bench.stage import Stage

    stage, _ = country
    again = Stage(tmp_path / "again")
    again.run("fill", tiny=True)
    code = (
        "from jalon.clusters.models import Membership\n"
        "print(list(Membership.objects.order_by('id').values_list('cluster', 'organisation', 'joined_on', 'left_on')[:200]))"
    )
    assert inside(stage, code) == inside(again, code)


def test_statement_and_engine_give_the_same_figures(country):
    stage, _ = country
    said = inside(stage, "from bench import figures; print(len(figures.by_hand()), figures.differences())")
    number, _, differences = said.partition(" ")
    assert int(number) >= 4 * 20
    assert differences == "[]"


def test_bench_prints_its_table():
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("JALON_", "DJANGO_", "LC_", "LANG"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--tiny", "--only", "figures", "--only", "import"],
        cwd=ROOT, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "indicateurs de tous les contrats" in done.stdout
    assert "import de membres (xlsx)" in done.stdout
    assert "tient" in done.stdout or "dépasse" in done.stdout
    assert "SQLite 3." in done.stdout


def test_verdicts_in_words():
    from bench.measure import Figure
    from bench.table import verdict

    assert str(verdict(Figure("pages", "board", 30, 10, 3.0, 3.0))) == "tient"
    assert str(verdict(Figure("pages", "board", 31, 10, 3.1, 3.0))) == "dépasse"
    # Fast enough a row, but one query for every ten rows.
    assert str(verdict(Figure("exports", "export-board", 1, 1, 0.001, 0.01, queries=500, rows=5000))) == "dépasse"
    assert str(verdict(Figure("exports", "export-board", 1, 1, 0.2, 0.01, queries=9, rows=71))) == "peu de lignes"


def test_an_unknown_field_is_refused(country):
    stage, _ = country
    said = inside(
        stage,
        "from bench.generate import insert\nfrom jalon.core.models import Source\n"
        "try:\n    insert(Source, ('key', 'colour'), [])\nexcept ValueError as e:\n    print(e)",
    )
    assert said == "Source has no field colour"
