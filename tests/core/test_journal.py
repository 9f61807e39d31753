"""The journal: chains, heads, daily roots and frozen texts hold, and a change to any of them is named."""

import datetime as dt

import pytest
from django.db import connection

from jalon.core import journal
from jalon.core.models import DailyRoot, FrozenText, JournalEntry, JournalHead

pytestmark = pytest.mark.django_db
DAY = dt.date(2010, 6, 30)


@pytest.fixture
def three_acts():
    for number in range(3):
        journal.record("contract:a", "propose", on=DAY, before={"v": number}, after={"v": number + 1}, why="essai")
    journal.record("contract:b", "open", on=DAY)
    journal.close_day(DAY)
    frozen = journal.freeze("contract:a", "contract", {"title": "Contrat"})
    journal.record("contract:a", "freeze", on=DAY, after={"sha256": frozen.sha256})
    journal.close_day(DAY + dt.timedelta(days=1))


def run(sql, *args):
    with connection.cursor() as cursor:
        cursor.execute(sql, args)


def first_break():
    return next(iter(journal.breaks()), None)


def test_intact(three_acts):
    assert first_break() is None
    assert list(JournalEntry.objects.filter(case="contract:a").values_list("seq", flat=True)) == [1, 2, 3, 4]
    assert DailyRoot.objects.count() == 2


@pytest.mark.parametrize("column", ["act", "why", "user_label", "role"])
def test_a_changed_text_is_named(three_acts, column):
    entry = JournalEntry.objects.get(case="contract:a", seq=2)
    run(f"UPDATE core_journalentry SET {column} = 'autre' WHERE id = %s", entry.id)
    broken = first_break()
    assert broken.table == "core_journalentry"
    assert broken.row.startswith(f"{entry.id} (contract:a")


def test_a_changed_after_value_is_named(three_acts):
    entry = JournalEntry.objects.get(case="contract:a", seq=1)
    JournalEntry.objects.filter(id=entry.id).update(after={"v": 99})
    assert first_break().row.startswith(f"{entry.id} ")


def test_a_row_removed_from_the_middle_is_named(three_acts):
    run("DELETE FROM core_journalentry WHERE \"case\" = 'contract:a' AND seq = 2")
    assert "contract:a" in first_break().row
    assert JournalEntry.objects.get(case="contract:a", seq=3).id == int(first_break().row.split()[0])


def test_a_chain_cut_at_its_end_is_named(three_acts):
    run("DELETE FROM core_journalentry WHERE \"case\" = 'contract:a' AND seq = 4")
    assert (first_break().table, first_break().row) == ("core_journalhead", "contract:a")


def test_a_whole_chain_removed_is_seen_by_the_daily_root(three_acts):
    run("DELETE FROM core_journalentry WHERE \"case\" = 'contract:b'")
    JournalHead.objects.filter(case="contract:b").delete()
    assert first_break().table == "core_dailyroot"


def test_a_changed_frozen_text_is_named(three_acts):
    frozen = FrozenText.objects.get()
    run("UPDATE core_frozentext SET canonical = %s", frozen.canonical.replace("Contrat", "Contrit"))
    assert first_break().table == "core_frozentext"


def test_a_frozen_text_rewritten_with_its_hash_is_seen_by_the_journal(three_acts):
    text = FrozenText.objects.get().canonical.replace("Contrat", "Contrit")
    run("UPDATE core_frozentext SET canonical = %s, sha256 = %s", text, journal.sha256(text))
    assert first_break().table == "core_frozentext"


def test_rows_are_written_once(three_acts):
    entry = JournalEntry.objects.first()
    entry.act = "autre"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


def test_many_at_once_make_the_same_chain():
    journal.record_many([{"case": f"cluster:{n % 7}", "act": "load", "on": DAY, "after": {"n": n}} for n in range(700)])
    journal.record("cluster:3", "edit", on=DAY)
    assert first_break() is None
    assert JournalHead.objects.get(case="cluster:3").seq == 101


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [{"kind": "autre"}, {"form": "autre"}])
def test_a_frozen_text_bears_its_own_kind_and_form(changed):
    frozen = journal.freeze("contract:x", "text", {"title": "Contrat"})
    journal.record("contract:x", "contract.freeze", on=DAY, after={"sha256": frozen.sha256})
    assert list(journal.breaks()) == []
    FrozenText.objects.update(**changed)
    (found,) = journal.breaks()
    assert found.table == "core_frozentext"


@pytest.mark.django_db
def test_a_frozen_text_taken_away_is_missed():
    frozen = journal.freeze("contract:x", "text", {"title": "Contrat"})
    row = journal.record("contract:x", "contract.freeze", on=DAY, after={"sha256": frozen.sha256})
    FrozenText.objects.all().delete()
    (found,) = journal.breaks()
    assert found.table == "core_journalentry" and str(row.id) in found.row


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [{"entries": 7}, {"last_entry_id": 10_000_000}, {"day": "2004-01-01"}])
def test_a_daily_root_keeps_its_day_and_its_count(changed):
    journal.record("a", "x", on=DAY)
    journal.close_day(DAY)
    journal.record("a", "y", on=DAY)
    journal.close_day(DAY)
    assert list(journal.breaks()) == []
    DailyRoot.objects.filter(pk=DailyRoot.objects.latest("id").pk).update(**changed)
    assert [found.table for found in journal.breaks()] == ["core_dailyroot"]


@pytest.mark.parametrize("table", [DailyRoot, FrozenText])
def test_the_moment_of_a_root_and_of_a_frozen_text_cannot_be_moved(three_acts, table):
    row, column = table.objects.order_by("id").last(), "made_at" if table is DailyRoot else "frozen_at"
    table.objects.filter(pk=row.pk).update(**{column: getattr(row, column) - dt.timedelta(hours=3)})
    assert first_break().table == table._meta.db_table


def test_a_root_moved_to_a_later_day_is_named(three_acts):
    last = DailyRoot.objects.order_by("id").last()
    DailyRoot.objects.filter(pk=last.pk).update(day=last.day + dt.timedelta(days=1))
    assert first_break().table == "core_dailyroot"


def test_roots_made_before_their_day_was_covered_still_hold(three_acts):
    previous = ""
    for root in DailyRoot.objects.order_by("id"):
        old = journal.root_of(journal._heads_up_to(root.last_entry_id), previous)
        DailyRoot.objects.filter(pk=root.pk).update(root=old, prev_root=previous)
        previous = old
    assert first_break() is None
