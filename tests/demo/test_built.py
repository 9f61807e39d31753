"""What the demonstration holds once it is built by the command."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests import demonstration

FIGURES = """
import datetime as dt, hashlib, json
from django.apps import apps
from django.db.models import Count, F, Q
from jalon.clusters.models import Membership
from jalon.contracts.models import Contract, Text
from jalon.core.canonical import canonical, sha256
from jalon.core.models import JournalEntry

day = dt.date(2010, 6, 30)
there = Membership.objects.filter(Q(left_on=None) | Q(left_on__gt=day), joined_on__lte=day, superseded_at=None)
members = sorted(
    [c, i or "", t, j.isoformat(), l.isoformat() if l else ""]
    for c, i, t, j, l in Membership.objects.values_list(
        "cluster__slug", "organisation__identifiers__value", "member_type", "joined_on", "left_on")
)
texts = []
for slug, number, state, content in Text.objects.values_list("contract__slug", "number", "state", "content"):
    for party in content.get("parties", []):
        party.pop("organisation", None)  # a number of the database, not of the contract
    texts.append([slug, number, state, content])
print(json.dumps({
    "types": dict(there.values_list("member_type").annotate(n=Count("id"))),
    "clusters": there.values("cluster").distinct().count(),
    "members": sha256(canonical(members)),
    "contracts": sha256(canonical(sorted(texts, key=lambda t: (t[0], t[1])))),
    "acts": JournalEntry.objects.count(),
    "not_simulated": {
        f"{m._meta.app_label}.{m.__name__}": m.objects.filter(simulated=False).count()
        for m in apps.get_models() if any(f.name == "simulated" for f in m._meta.fields)
    },
    "invented_but_unmarked": {
        "contracts": list(Contract.objects.filter(simulated=False).exclude(known={}).values_list("slug", flat=True)[:0]),
        "without_source": list(Contract.objects.filter(simulated=False, sources=[]).values_list("slug", flat=True)),
    },
}))
"""


@pytest.fixture(scope="module")
def figures(built):
    return json.loads(demonstration.python(built, FIGURES))


def test_the_published_aggregates_hold(figures):
    """57 % SMEs, 8 % mid-size, 7 % large, 17 % research and training, 11 % others; 163 to 164 members on average."""
    from jalon.demo import simulate

    total = sum(figures["types"].values())
    assert figures["types"] == simulate.shares(total, simulate.TYPES)
    assert figures["clusters"] == 71
    assert 163 <= total / 71 <= 164


def test_what_is_simulated_says_so(figures):
    """Of these nothing is known: every row carries the mark. The register's own rows come with a source instead."""
    left = figures["not_simulated"]
    for name in (
        "clusters.Membership",
        "clusters.TeamPost",
        "clusters.Seat",
        "clusters.GovernanceBody",
        "contracts.Signature",
        "contracts.BudgetLine",
        "indicators.Observation",
        "people.SizeCategory",
        "people.User",
        "roadmaps.Roadmap",
    ):
        assert left[name] == 0, name
    assert figures["invented_but_unmarked"]["without_source"] == []


def test_the_same_seed_gives_the_same_members_and_contracts(figures, other_process, tmp_path):
    """Built again from nothing, on the database of this run: SQLite, or PostgreSQL."""
    import subprocess
    import sys

    env = other_process | {"JALON_LANG": "fr"}
    done = subprocess.run(
        [sys.executable, "-m", "jalon.cli", "load"], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    program = "import django; django.setup()\n" + FIGURES
    again = json.loads(
        subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stdout
    )
    assert {k: again[k] for k in ("types", "members", "contracts", "acts")} == {
        k: figures[k] for k in ("types", "members", "contracts", "acts")
    }


def test_loading_again_changes_nothing(copy, figures):
    said = demonstration.jalon(copy, "load")
    assert "Démonstration" not in said
    assert json.loads(demonstration.python(copy, FIGURES)) == figures


def test_the_proof_holds_and_names_what_was_tampered_with(copy):
    assert "Intact" in demonstration.jalon(copy, "verify")
    base = sqlite3.connect(copy / "jalon.sqlite3")
    case, seq = base.execute(
        "select \"case\", seq from core_journalentry where act = 'contract.sign' order by id limit 1 offset 40"
    ).fetchone()
    with base:
        base.execute(
            "update core_journalentry set user_label = 'Quelqu''un d''autre' where \"case\" = ? and seq = ?",
            (case, seq),
        )
    said = demonstration.jalon(copy, "verify", code=1)
    assert case in said and str(seq) in said, said


def test_a_frozen_text_that_changed_is_found(copy):
    base = sqlite3.connect(copy / "jalon.sqlite3")
    number, digest = base.execute("select id, sha256 from core_frozentext order by id limit 1 offset 10").fetchone()
    column = next(
        name
        for _, name, *_ in base.execute("pragma table_info(core_frozentext)")
        if name in ("content", "canonical", "text", "body")
    )
    with base:
        base.execute(f"update core_frozentext set {column} = replace({column}, 'e', 'E') where id = ?", (number,))
    said = demonstration.jalon(copy, "verify", code=1)
    assert digest[:12] in said or str(number) in said, said


def test_a_base_with_real_accounts_is_left_alone(tmp_path):
    home = tmp_path / "real"
    home.mkdir()
    demonstration.jalon(home, "load", "--no-demo")
    demonstration.python(
        home,
        "from jalon.people.models import User\nUser.objects.create(email='officer@ministry.example', name='Officer')",
    )
    said = demonstration.jalon(home, "load", code=1)
    assert "vrais comptes" in said and "--no-demo" in said
    rows = sqlite3.connect(home / "jalon.sqlite3")
    assert rows.execute("select count(*) from clusters_membership").fetchone() == (0,)
    assert rows.execute("select count(*) from people_user").fetchone() == (1,)
