"""What the journal says in words: every act has a title, every change reads as a sentence."""

import ast
import datetime as dt
import re
from pathlib import Path

import pytest

import jalon
from jalon.contracts import follow_states, states as contract_states
from jalon.core import journal
from jalon.core.lang import speaking
from jalon.core.models import JournalEntry
from jalon.policy.vocabulary import LABEL_ACTS
from jalon.workspace import words

SOURCE = Path(jalon.__file__).parent
ACT = re.compile(r"[a-z]+\.[a-z_]+")
MADE_UP = {
    # acts whose name is put together: where it begins, and how it can end
    "contract.": ("refuse", "reopen"),
    "report.": tuple(move.name for move in follow_states.MOVES),
    "commitment.": tuple(kind for kind in follow_states.STEPS if kind != "contested"),
    "label.": tuple(LABEL_ACTS),
    "follow_up.": ("drop", "reopen"),
}


def written(expression: ast.expr) -> set[str]:
    """The acts that an expression can be; an f-string stands for all its endings."""
    found = set()
    for node in ast.walk(expression):
        if isinstance(node, ast.JoinedStr):
            start = node.values[0]
            assert isinstance(start, ast.Constant) and start.value in MADE_UP, ast.unparse(node)
            found |= {start.value + end for end in MADE_UP[start.value]}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and ACT.fullmatch(node.value):
            found.add(node.value)
    return found


def acts_in(path: Path) -> set[str]:
    """Acts that a file writes: ``record(case, act)`` and its kin, ``act=`` handed on, ``{"act": …}`` for many."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("record", "_act") and len(node.args) > 1:
                found |= written(node.args[1])
            for keyword in node.keywords:
                if keyword.arg == "act":
                    found |= written(keyword.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "act":
                    found |= written(value)
    return found


def test_every_act_written_has_a_title_in_both_languages():
    found = set()
    for path in SOURCE.rglob("*.py"):
        if "policy" not in path.relative_to(SOURCE).parts:
            found |= acts_in(path)
    assert len(found) > 80
    titles = words.act_titles()
    assert sorted(found - set(titles)) == [], "give these acts a title in their package's states.ACTS"
    for code in found:
        with speaking("fr"):
            french = str(titles[code])
        with speaking("en"):
            english = str(titles[code])
        assert french and english and code not in (french, english)


def test_moves_of_a_contract_have_a_title():
    titles = words.act_titles()
    moves = (*contract_states.MOVES, *contract_states.CONTRACT_MOVES)
    assert [move.name for move in moves if f"contract.{move.name}" not in titles] == []


def row(act: str, case: str = "contract:nobody", before=None, after=None) -> JournalEntry:
    return JournalEntry(case=case, seq=1, act=act, on=dt.date(2010, 6, 30), before=before, after=after)


def said(entry: JournalEntry) -> list[tuple[str, str, str]]:
    with speaking("fr"):
        rows = [(str(x.name), str(x.before), str(x.after)) for x in entry.lines]
    return [tuple(text.replace("\u202f", " ").replace("\u00a0", " ").replace("’", "'") for text in one) for one in rows]


@pytest.mark.django_db
def test_old_and_new_are_said_in_words():
    entries = [
        row("report.submit", "report:nobody/2009", {"state": "open"}, {"state": "submitted", "values": 2}),
        row("action.progress", before={"status": "on_track", "percent": 40}, after={"status": "late", "percent": 45}),
        row("objective.contest", after={"status": "contested:reached", "validated": False}),
        row("commitment.paid", after={"amount": "197000", "day": "2009-12-07"}),
        row("person.invited", "organisation:1", after={"invitation": 4, "role": "cluster_director"}),
        row("contract.sign", after={"text": 0, "signed_sha256": "ab" * 32}),
    ]
    words.describe(entries)
    assert said(entries[0])[0] == ("état", "à remplir", "soumis")
    assert said(entries[1]) == [
        ("état", "en cours, en bonne voie", "en cours, en retard"),
        ("avancement", "40 %", "45 %"),
    ]
    assert said(entries[2])[0] == ("état", "", "atteint, contesté par l'État")
    assert said(entries[3]) == [("montant", "", "197 000 €"), ("jour", "", "7 décembre 2009")]
    (role,) = said(entries[4])
    assert role[0] == "rôle" and role[2] != "cluster_director"
    assert entries[5].first == [] and entries[5].rest[0].code


@pytest.mark.django_db
def test_an_element_of_a_contract_is_called_by_its_name():
    from tests.contracts import world as negotiation

    world = negotiation.negotiated(negotiation.make_world("words"))
    slug = world.contract.slug
    objective = world.text.content["objectives"][0]
    entries = [
        row(
            "contract.propose",
            f"contract:{slug}",
            {"values": {"objectives/o1/title": "A"}},
            {"values": {"objectives/o1/title": "B"}},
        ),
        row("objective.state", f"contract:{slug}", None, {"objective": objective["key"], "status": "at_risk"}),
        row("contract.edit", f"contract:{slug}", {"values": {"nowhere/x": "1"}}, {"values": {"nowhere/x": "2"}}),
    ]
    words.describe(entries)
    assert objective["title"] in said(entries[0])[0][0] and said(entries[0])[0][1:] == ("A", "B")
    assert said(entries[1])[0][2] == objective["title"]
    assert said(entries[2]) == [("nowhere/x", "1", "2")]


@pytest.mark.django_db
def test_describing_costs_two_queries_whatever_the_number(django_assert_max_num_queries):
    on = dt.date(2010, 6, 30)
    for n in range(20):
        journal.record(f"contract:c{n}", "contract.propose", on=on, after={"values": {"title": "x"}})
        journal.record(f"label:l{n}", "label.granted", on=on, after={"sources": [f"s{n}"]})
    entries = list(JournalEntry.objects.all())
    with django_assert_max_num_queries(2):
        words.describe(entries)
