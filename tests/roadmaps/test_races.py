"""Two people at the same moment: one wins, the other's words are kept. Real transactions, real threads."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from jalon.core.errors import Conflict, Refused
from jalon.core.models import JournalEntry
from jalon.roadmaps import actions
from jalon.roadmaps.models import Item, Revision, Roadmap, Section
from tests.roadmaps.world import DAY, PHASE, build, fill

TEXT = "position-technology"
pytestmark = pytest.mark.django_db(transaction=True)


def race(*acts):
    """Run the acts at the same moment, each on a connection of its own; their results or errors, in order."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            gate.wait(10)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_one_of_two_saves_wins_and_the_other_is_kept():
    world = build()
    for round_no in range(5):
        before = Section.objects.get(roadmap=world.draft, key=TEXT).rev
        words = [f"Texte du premier, {round_no}", f"Texte du second, {round_no}"]
        results = race(
            *(
                lambda body=body, by=by, rev=before: actions.save_section(
                    world.draft, TEXT, body=body, rev=rev, by=by, on=DAY
                )
                for body, by in zip(words, (world.director, world.team), strict=True)
            )
        )
        lost = [n for n, result in enumerate(results) if isinstance(result, Conflict)]
        assert len(lost) == 1, results
        won = 1 - lost[0]
        row = Section.objects.get(roadmap=world.draft, key=TEXT)
        assert (row.rev, row.body) == (before + 1, words[won])
        kept = Revision.objects.filter(refused=True).latest("pk")
        assert kept.content == {"body": words[lost[0]]}
        assert results[lost[0]].theirs == words[won]
    assert Revision.objects.filter(refused=True).count() == 5


def test_two_sections_at_once_are_both_saved():
    world = build()
    results = race(
        lambda: actions.save_section(world.draft, TEXT, body="A", rev=0, by=world.director, on=DAY),
        lambda: actions.save_section(world.draft, "position-economic", body="B", rev=0, by=world.team, on=DAY),
    )
    assert [r.rev for r in results] == [1, 1]


def test_two_new_elements_get_two_keys():
    world = build()
    results = race(
        *(
            lambda who=who: actions.add_item(world.draft, "priority-fields", level="axis", title="Axe", by=who, on=DAY)
            for who in (world.director, world.team, world.director)
        )
    )
    assert sorted(item.key for item in results) == ["axis-1", "axis-2", "axis-3"]
    assert sorted(Item.objects.values_list("order", flat=True)) == [0, 1, 2]


def test_a_save_against_the_submission():
    world = build()
    fill(world.draft, world.director)
    results = race(
        lambda: actions.submit(world.draft, by=world.director, on=DAY),
        lambda: actions.save_section(world.draft, TEXT, body="Au dernier moment", rev=1, by=world.team, on=DAY),
    )
    assert not isinstance(results[0], Exception), results[0]
    sent = JournalEntry.objects.get(act="roadmap.submit").after["content_sha256"]
    from jalon.roadmaps import queries

    # Whoever came first, what was sent is what stands there, and the words are in the history.
    assert queries.fingerprint(queries.content(queries.whole(Roadmap.objects.get(pk=world.draft.pk)))) == sent
    kept = Revision.objects.get(content={"body": "Au dernier moment"})
    assert kept.refused == isinstance(results[1], Conflict)


def test_one_answer_of_the_state_wins():
    world = build()
    fill(world.draft, world.director)
    actions.submit(world.draft, by=world.director, on=DAY)
    results = race(
        lambda: actions.validate(world.draft, by=world.correspondent, on=DAY),
        lambda: actions.return_with_reasons(world.draft, reason="Non", by=world.national, on=DAY),
    )
    assert sum(isinstance(r, Refused) for r in results) == 1, results
    assert JournalEntry.objects.filter(act__in=["roadmap.validate", "roadmap.return"]).count() == 1


def test_one_of_two_beginnings_wins():
    world = build()
    fill(world.draft, world.director)
    actions.submit(world.draft, by=world.director, on=DAY)
    actions.validate(world.draft, by=world.correspondent, on=DAY)
    results = race(
        lambda: actions.new_version(world.draft, by=world.director, on=DAY),
        lambda: actions.new_version(world.draft, by=world.team, on=DAY),
    )
    assert sum(isinstance(r, Refused) for r in results) == 1, results
    assert Roadmap.objects.filter(cluster=world.cluster, phase=PHASE, state="draft").count() == 1
