"""Acts on roadmaps: begin, write, submit, return, validate, begin again."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from jalon.core import journal
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.roadmaps import actions, queries, rules
from jalon.roadmaps.models import Item, Revision, Roadmap, Section
from tests.roadmaps.world import DAY, PHASE, fill

TEXT = "position-technology"


def acts_of(roadmap):
    return list(JournalEntry.objects.filter(case=f"roadmap:{roadmap.pk}").order_by("id").values_list("act", flat=True))


def section(roadmap, key=TEXT):
    return Section.objects.get(roadmap=roadmap, key=key)


def test_start_makes_the_sections_of_the_template(world):
    keys = list(Section.objects.filter(roadmap=world.draft).values_list("key", flat=True))
    assert keys == [s.key for s in queries.template_of(world.draft).sections]
    assert (world.draft.state, world.draft.version, world.draft.policy_day) == ("draft", 1, DAY)
    assert acts_of(world.draft) == ["roadmap.start"]


def test_one_open_version_per_phase(world):
    with pytest.raises(Refused, match="déjà ouverte"):
        actions.start(world.cluster, PHASE, by=world.director, on=DAY)
    assert Roadmap.objects.filter(cluster=world.cluster).count() == 1


def test_a_phase_without_template_is_refused(world):
    with pytest.raises(Refused, match="modèle"):
        actions.start(world.cluster, "phase-1", by=world.director, on=DAY)
    with pytest.raises(Refused, match="inconnue"):
        actions.start(world.cluster, "phase-99", by=world.director, on=DAY)


def test_saving_counts_and_keeps_every_wording(world):
    assert actions.save_section(world.draft, TEXT, body="Un", rev=0, by=world.team, on=DAY).rev == 1
    assert actions.save_section(world.draft, TEXT, body="Deux", rev=1, by=world.director, on=DAY).rev == 2
    again = actions.save_section(world.draft, TEXT, body="Deux", rev=1, by=world.director, on=DAY)
    assert (again.rev, again.changed) == (2, False)
    rows = queries.history(world.draft, f"section:{TEXT}")
    assert [(r.rev, r.content["body"], r.user_label) for r in rows] == [
        (2, "Deux", world.director.user_label),
        (1, "Un", world.team.user_label),
    ]
    assert section(world.draft).updated_by == world.director.user_label


def test_the_second_of_two_saves_loses_no_word(world):
    actions.save_section(world.draft, TEXT, body="Les mots du premier", rev=0, by=world.director, on=DAY)
    with pytest.raises(Conflict) as refused:
        actions.save_section(world.draft, TEXT, body="Les mots du second", rev=0, by=world.team, on=DAY)
    assert refused.value.theirs == "Les mots du premier"
    assert refused.value.yours == "Les mots du second"
    assert refused.value.rev == 1
    assert section(world.draft).body == "Les mots du premier"
    kept = Revision.objects.get(refused=True)
    assert (kept.content, kept.user_label, kept.element) == (
        {"body": "Les mots du second"},
        world.team.user_label,
        f"section:{TEXT}",
    )
    assert [r.pk for r in queries.waiting_words(world.draft)[f"section:{TEXT}"]] == [kept.pk]
    with pytest.raises(Conflict):  # the script tries again: the same words are kept once
        actions.save_section(world.draft, TEXT, body="Les mots du second", rev=0, by=world.team, on=DAY)
    assert Revision.objects.filter(refused=True).count() == 1
    actions.save_section(world.draft, TEXT, body="Les mots des deux", rev=1, by=world.team, on=DAY)
    assert queries.waiting_words(world.draft) == {}


def test_other_sections_do_not_conflict(world):
    actions.save_section(world.draft, TEXT, body="A", rev=0, by=world.director, on=DAY)
    assert actions.save_section(world.draft, "position-economic", body="B", rev=0, by=world.team, on=DAY).changed


def test_words_that_come_after_submission_are_kept(world):
    fill(world.draft, world.director)
    actions.submit(world.draft, by=world.director, on=DAY)
    with pytest.raises(Conflict, match="ne change plus"):
        actions.save_section(world.draft, TEXT, body="Trop tard", rev=1, by=world.team, on=DAY)
    assert Revision.objects.get(refused=True).content == {"body": "Trop tard"}
    assert section(world.draft).body != "Trop tard"


def test_an_earlier_wording_comes_back_as_a_new_revision(world):
    actions.save_section(world.draft, TEXT, body="Un", rev=0, by=world.team, on=DAY)
    actions.save_section(world.draft, TEXT, body="Deux", rev=1, by=world.team, on=DAY)
    first = Revision.objects.get(element=f"section:{TEXT}", rev=1)
    saved = actions.restore_section(world.draft, TEXT, revision=first.pk, rev=2, by=world.team, on=DAY)
    assert saved.rev == 3
    assert section(world.draft).body == "Un"
    assert len(queries.history(world.draft, f"section:{TEXT}")) == 3


def test_long_text_accepted_longer_refused_with_its_size(world):
    body = "é" * (rules.MAX_BYTES // 2)
    assert actions.save_section(world.draft, TEXT, body=body, rev=0, by=world.team, on=DAY).changed
    with pytest.raises(Refused, match="201 Ko, au plus 200 Ko"):
        actions.save_section(world.draft, TEXT, body=body + "é", rev=1, by=world.team, on=DAY)
    assert section(world.draft).body == body


def test_unknown_section_and_text_in_a_structured_one(world):
    for key in ("nulle-part", "action-plan"):
        with pytest.raises(Refused, match="n'existe pas"):
            actions.save_section(world.draft, key, body="x", rev=0, by=world.team, on=DAY)


def test_title_and_period_changed_meanwhile(world):
    seen = (world.draft.title, world.draft.starts_on, world.draft.ends_on)
    change = {"starts_on": dt.date(2009, 1, 1), "on": DAY, "seen": seen}
    actions.save_frame(world.draft, title="Cap 2012", ends_on=dt.date(2012, 12, 31), by=world.director, **change)
    with pytest.raises(Conflict):
        actions.save_frame(world.draft, title="Cap 2013", ends_on=dt.date(2013, 12, 31), by=world.team, **change)
    world.draft.refresh_from_db()
    assert world.draft.title == "Cap 2012"
    with pytest.raises(Refused, match="précède"):
        actions.save_frame(
            world.draft, title="x", starts_on=DAY, ends_on=DAY - dt.timedelta(days=1), by=world.team, on=DAY
        )


class TestElements:
    def add(self, world, section, level, title, **more):
        return actions.add_item(world.draft, section, level=level, title=title, by=world.team, on=DAY, **more)

    def test_keys_are_never_used_twice(self, world):
        one = self.add(world, "priority-fields", "axis", "Bois")
        actions.remove_item(world.draft, one.key, by=world.team, on=DAY)
        two = self.add(world, "priority-fields", "axis", "Fibres")
        assert (one.key, two.key) == ("axis-1", "axis-2")

    def test_a_level_only_where_the_template_puts_it(self, world):
        with pytest.raises(Refused, match="ne tient pas"):
            self.add(world, "priority-fields", "action", "x")
        axis = self.add(world, "priority-fields", "axis", "Bois")
        with pytest.raises(Refused, match="se rattache"):
            self.add(world, "technology-objectives", "objective", "x", parent=axis.key)
        with pytest.raises(Refused, match="intitulé"):
            self.add(world, "priority-fields", "axis", "  \x00 ")

    def test_removal_takes_what_hangs_below_and_undo_brings_it_back(self, world):
        axis = self.add(world, "priority-fields", "axis", "Bois")
        field = self.add(world, "priority-fields", "field", "Construction", parent=axis.key)
        objective = self.add(world, "technology-objectives", "objective", "Panneaux", parent=field.key)
        gone = actions.remove_item(world.draft, axis.key, by=world.team, on=DAY)
        assert gone == [axis.key, field.key]
        kept = {e.key: e.parent for e in queries.whole(world.draft).elements}
        assert kept == {objective.key: None}
        assert actions.restore_item(world.draft, axis.key, by=world.director, on=DAY) == [axis.key, field.key]
        kept = {e.key: e.parent for e in queries.whole(world.draft).elements}
        assert kept == {axis.key: None, field.key: axis.key, objective.key: field.key}

    def test_moves_change_order_and_level(self, world):
        one = self.add(world, "priority-fields", "axis", "Un")
        two = self.add(world, "priority-fields", "axis", "Deux")
        actions.move_item(world.draft, two.key, where="up", by=world.team, on=DAY)
        numbers = lambda: [  # noqa: E731
            (p.number, p.element.title, p.element.level)
            for p in rules.tree(queries.whole(world.draft).elements, "priority-fields")
        ]
        assert numbers() == [("1", "Deux", "axis"), ("2", "Un", "axis")]
        actions.move_item(world.draft, one.key, where="in", by=world.team, on=DAY)
        assert numbers() == [("1", "Deux", "axis"), ("1.1", "Un", "field")]
        actions.move_item(world.draft, one.key, where="out", by=world.team, on=DAY)
        assert numbers() == [("1", "Deux", "axis"), ("2", "Un", "axis")]
        with pytest.raises(Refused, match="au bout"):
            actions.move_item(world.draft, one.key, where="down", by=world.team, on=DAY)

    def test_a_move_conflicts_with_nobody_who_writes(self, world):
        one = self.add(world, "priority-fields", "axis", "Un")
        self.add(world, "priority-fields", "axis", "Deux")
        actions.move_item(world.draft, one.key, where="down", by=world.director, on=DAY)
        words = {"title": "Un seul", "body": "", "horizon": "short", "due_on": dt.date(2010, 12, 31)}
        assert actions.save_item(world.draft, one.key, rev=1, by=world.team, on=DAY, **words).rev == 2

    def test_two_wordings_of_an_element(self, world):
        one = self.add(world, "priority-fields", "axis", "Un")
        first = {"title": "Uni", "body": "A", "horizon": "", "due_on": None}
        second = {"title": "Unis", "body": "B", "horizon": "medium", "due_on": dt.date(2011, 6, 30)}
        actions.save_item(world.draft, one.key, rev=1, by=world.director, on=DAY, **first)
        with pytest.raises(Conflict) as refused:
            actions.save_item(world.draft, one.key, rev=1, by=world.team, on=DAY, **second)
        assert refused.value.yours == {**second, "due_on": "2011-06-30"}
        assert Item.objects.get(pk=one.pk).title == "Uni"
        kept = Revision.objects.get(refused=True)
        actions.restore_item_wording(world.draft, one.key, revision=kept.pk, rev=2, by=world.team, on=DAY)
        item = Item.objects.get(pk=one.pk)
        assert (item.title, item.due_on, item.rev) == ("Unis", dt.date(2011, 6, 30), 3)

    def test_words_about_a_removed_element_are_kept(self, world):
        one = self.add(world, "priority-fields", "axis", "Un")
        actions.remove_item(world.draft, one.key, by=world.director, on=DAY)
        with pytest.raises(Conflict, match="retiré"):
            actions.save_item(
                world.draft, one.key, title="Une", body="", horizon="", due_on=None, rev=1, by=world.team, on=DAY
            )
        assert Revision.objects.get(refused=True).content["title"] == "Une"


class TestDecisions:
    def test_an_incomplete_roadmap_says_what_is_missing(self, world):
        with pytest.raises(Refused) as refused:
            actions.submit(world.draft, by=world.director, on=DAY)
        template = queries.template_of(world.draft)
        assert len(refused.value.missing) == sum(1 for s in template.sections if s.required)
        assert refused.value.why.day == DAY
        world.draft.refresh_from_db()
        assert world.draft.state == "draft"
        assert acts_of(world.draft) == ["roadmap.start"]
        assert not OutboxMessage.objects.exists()

    def test_the_whole_way(self, world):
        fill(world.draft, world.director)
        actions.submit(world.draft, by=world.director, on=DAY)
        told = OutboxMessage.objects.filter(subject__contains="soumise").values_list("to", flat=True)
        from tests import factories as make

        assert make.user_of(world.correspondent).email in told
        assert make.user_of(world.other_correspondent).email not in told
        with pytest.raises(Refused, match="motif"):
            actions.return_with_reasons(world.draft, reason="  ", by=world.correspondent, on=DAY)
        back = actions.return_with_reasons(
            world.draft, reason="Chiffrez les objectifs.", by=world.correspondent, on=DAY
        )
        assert (back.state, back.returned_reason) == ("returned", "Chiffrez les objectifs.")
        told = OutboxMessage.objects.filter(subject__contains="retournée")
        assert {m.to for m in told} == {make.user_of(world.director).email, make.user_of(world.team).email}
        assert "Chiffrez les objectifs." in told[0].body
        actions.save_section(world.draft, TEXT, body="Chiffré", rev=1, by=world.team, on=DAY)
        actions.submit(world.draft, by=world.director, on=DAY)
        done = actions.validate(world.draft, by=world.correspondent, on=DAY)
        assert acts_of(world.draft) == [
            "roadmap.start",
            "roadmap.worded",
            "roadmap.submit",
            "roadmap.return",
            "roadmap.worded",
            "roadmap.submit",
            "roadmap.validate",
        ]
        second = JournalEntry.objects.filter(act="roadmap.worded").last()
        assert set(second.after["texts"]) == {f"section:{TEXT}"}
        assert second.after["texts"][f"section:{TEXT}"]["by"] == [world.team.user_label]
        document = queries.frozen_content(done)
        assert document["sha256"] == done.frozen.sha256
        assert document["sections"][0]["body"] == "Chiffré"
        assert queries.validated_roadmap(world.cluster, PHASE) == done
        assert list(journal.breaks()) == []

    def test_a_changed_frozen_text_is_found(self, validated):
        from jalon.core.models import FrozenText

        text = validated.draft.frozen.canonical
        FrozenText.objects.filter(pk=validated.draft.frozen_id).update(canonical=text.replace("été", "ete"))
        assert [b.table for b in journal.breaks()] == ["core_frozentext"]

    def test_what_was_read_is_what_is_validated(self, world):
        fill(world.draft, world.director)
        actions.submit(world.draft, by=world.director, on=DAY)
        seen = queries.fingerprint(queries.content(queries.whole(world.draft)))
        actions.return_with_reasons(world.draft, reason="À revoir", by=world.national, on=DAY)
        actions.save_section(world.draft, TEXT, body="Autre chose", rev=1, by=world.team, on=DAY)
        actions.submit(world.draft, by=world.director, on=DAY)
        with pytest.raises(Conflict, match="relisez"):
            actions.validate(world.draft, seen=seen, by=world.correspondent, on=DAY)
        world.draft.refresh_from_db()
        assert (world.draft.state, world.draft.frozen) == ("submitted", None)

    @pytest.mark.parametrize("act", ["return_with_reasons", "validate"])
    def test_a_draft_cannot_be_decided(self, world, act):
        with pytest.raises(Refused, match="il faudrait"):
            getattr(actions, act)(
                world.draft, by=world.correspondent, on=DAY, **({"reason": "x"} if "return" in act else {})
            )

    @pytest.mark.parametrize("who", ["team", "other_team", "correspondent", "national", "authority", "reader"])
    def test_only_the_director_submits(self, world, who):
        fill(world.draft, world.director)
        with pytest.raises(NotAllowed):
            actions.submit(world.draft, by=getattr(world, who), on=DAY)

    @pytest.mark.parametrize("who", ["director", "team", "other_correspondent", "prefect", "authority", "reader"])
    def test_only_the_state_answers(self, world, who):
        fill(world.draft, world.director)
        actions.submit(world.draft, by=world.director, on=DAY)
        for act in (
            lambda: actions.validate(world.draft, by=getattr(world, who), on=DAY),
            lambda: actions.return_with_reasons(world.draft, reason="x", by=getattr(world, who), on=DAY),
        ):
            with pytest.raises(NotAllowed):
                act()

    @pytest.mark.parametrize("who", ["other_team", "correspondent", "national", "authority", "reader"])
    def test_only_the_team_writes(self, world, who):
        by = getattr(world, who)
        for act in (
            lambda: actions.save_section(world.draft, TEXT, body="x", rev=0, by=by, on=DAY),
            lambda: actions.add_item(world.draft, "priority-fields", level="axis", title="x", by=by, on=DAY),
            lambda: actions.start(world.cluster, "phase-3", by=by, on=DAY),
        ):
            with pytest.raises(NotAllowed):
                act()


class TestVersions:
    def test_a_new_version_keeps_keys_and_replaces_the_old_one_when_validated(self, validated):
        old = validated.draft
        new = actions.new_version(old, by=validated.director, on=DAY)
        assert (new.version, new.based_on, new.state) == (2, old, "draft")
        assert {e.key for e in queries.whole(new).elements} == {e.key for e in queries.whole(old).elements}
        rows = queries.compare(queries.document(old), queries.document(new), by_key=queries.related(old, new))
        assert not any(row.changed for row in rows)
        actions.save_section(new, TEXT, body="Revu", rev=0, by=validated.team, on=DAY)
        actions.submit(new, by=validated.director, on=DAY)
        actions.validate(new, by=validated.correspondent, on=DAY)
        old.refresh_from_db()
        assert old.state == "replaced"
        assert acts_of(old)[-1] == "roadmap.replace"
        rows = queries.compare(queries.document(old), queries.document(new), by_key=True)
        assert [row.key for row in rows if row.changed] == [TEXT]

    def test_from_a_draft_nothing_is_copied(self, world):
        with pytest.raises(Refused, match="part d'une version validée"):
            actions.new_version(world.draft, by=world.director, on=DAY)

    def test_a_phase_with_a_validated_version_is_not_begun_from_nothing(self, validated):
        with pytest.raises(Refused, match="nouvelle version"):
            actions.start(validated.cluster, PHASE, by=validated.director, on=DAY)

    def test_into_the_next_phase(self, validated):
        day = dt.date(2013, 3, 1)
        new = actions.new_version(
            validated.draft,
            by=validated.director,
            on=day,
            phase="phase-3",
            mapping={"section:technology-objectives": "economic-output", "section:market-objectives": ""},
        )
        assert (new.template, new.version, new.phase) == ("roadmap-2013", 1, "phase-3")
        draft = queries.whole(new)
        assert draft.bodies["position"].count("écrit à l'été") == 4
        sections = {e.section for e in draft.elements}
        assert sections == {"priority-fields", "economic-output", "action-plan"}
        left = JournalEntry.objects.get(case=f"roadmap:{new.pk}", act="roadmap.start").after["left_behind"]
        assert set(left) == {"objective de market-objectives", "objective de development-objectives"}
        with pytest.raises(Refused, match="ne peut pas aller"):
            actions.new_version(
                validated.draft,
                by=validated.director,
                on=dt.date(2019, 3, 1),
                phase="phase-4",
                mapping={"section:action-plan": "nulle-part"},
            )

    def test_the_document_is_plain_json(self, validated):
        document = queries.frozen_content(validated.draft)
        assert json.loads(json.dumps(document)) == document
        assert document["cluster"]["name"] == "Produits et Matériaux des Forêts Cultivées"
