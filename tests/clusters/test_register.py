"""The register in the database: counts of the days, statuses, histories, and what each page costs."""

import datetime as dt
import json

from django.core.management import call_command
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from jalon.clusters import queries
from jalon.clusters.actions import make_periods
from jalon.clusters.commands import register_app
from jalon.clusters.loading import load_register_if_changed
from jalon.clusters.models import Carrier, Cluster, Label, LabelPeriod, Membership, Relation
from jalon.core import clock
from jalon.core.journal import breaks
from jalon.core.lang import speaking
from tests.factories import make_cluster, make_membership

DAYS = [
    # day, labels, bodies, unknown: the same table as tests/clusters/test_labels_data.py
    ("2005-07-11", 0, 0, 0), ("2005-07-13", 66, 66, 0), ("2006-03-06", 66, 66, 0), ("2007-07-06", 71, 71, 0),
    ("2009-06-01", 71, 71, 0), ("2010-05-10", 71, 71, 0), ("2010-05-11", 71, 71, 0), ("2010-05-12", 71, 71, 0),
    ("2012-12-31", 71, 71, 0), ("2013-01-01", 71, 71, 0), ("2015-06-01", 70, 70, 0), ("2016-06-01", 69, 69, 0),
    ("2017-01-02", 68, 68, 0), ("2017-12-31", 67, 67, 0), ("2018-12-31", 66, 66, 0), ("2019-02-06", 56, 57, 0),
    ("2022-12-31", 54, 54, 0), ("2023-03-28", 55, 55, 0), ("2024-01-09", 57, 56, 0), ("2024-12-31", 57, 56, 0),
    ("2025-01-01", 51, 50, 6), ("2026-12-31", 51, 50, 6), ("2027-01-01", 0, 0, 0),
]  # fmt: skip


def day(text):
    return dt.date.fromisoformat(text)


class Loaded(TestCase):
    """The register that ships, loaded once for all the tests of the class."""

    @classmethod
    def setUpTestData(cls):
        load_register_if_changed()


class TheRegisterOnADay(Loaded):
    def test_labels_and_bodies_of_each_day(self):
        for on, labels, bodies, unknown in DAYS:
            found = queries.labels_on(day(on))
            assert (len(found.labels), found.bodies, len(found.unknown)) == (labels, bodies, unknown), on

    def test_the_list_of_clusters_counts_the_bodies_of_each_day(self):
        for on, _, bodies, _ in DAYS:
            counts = queries.listing(day(on)).counts
            assert counts.get("in_force", 0) == bodies, on
            assert sum(counts.values()) == Cluster.objects.count()

    def test_as_known_on_an_earlier_day(self):
        """The decision of 27 March 2023 counts from 1 January, and nobody knew of it in February."""
        assert len(queries.labels_on(day("2023-02-01")).labels) == 53
        assert len(queries.labels_on(day("2023-02-01"), known_on=day("2023-02-01")).labels) == 0
        assert len(queries.labels_on(day("2023-02-01"), known_on=day("2023-03-27")).labels) == 53

    def test_filters_by_tier_and_by_region_of_the_time(self):
        found = queries.labels_on(day("2010-05-12"), tier="world")
        assert {row.label.tier for row in found.labels} == {"world"} and len(found.labels) == 7
        centre = queries.labels_on(day("2010-05-12"), region="24")
        slugs = {c.slug for row in centre.labels for c in row.holders}
        assert {"s2e2", "elastopole", "dream", "cosmetic-valley"} <= slugs and "aerospace-valley" not in slugs

    def test_search_ignores_accents_case_and_the_name_of_today(self):
        def found(words):
            return {c.slug for c in queries.filtered(queries.Filters(q=words), day("2010-06-30"))}

        assert "moveo" in found("MOV'EO") and "moveo" in found("nextmove")
        assert "images-et-reseaux" in found("reseaux")
        assert "ceramique" in found("ceramique") or any("ceram" in s for s in found("ceramique"))
        assert found("introuvable xyz") == set()

    def test_names_and_themes_are_those_of_the_day(self):
        def row(slug, on):
            return next(r for r in queries.register_on(day(on)) if r.cluster.slug == slug)

        assert row("moveo", "2010-06-30").name == "Mov'eo"
        assert row("moveo", "2022-06-30").name == "NextMove"
        assert "drones" not in str(row("aerospace-valley", "2010-06-30").theme)
        assert "drones" in str(row("aerospace-valley", "2022-06-30").theme)

    def test_the_list_is_sorted_by_the_name_of_the_day(self):
        names = [r.name for r in queries.register_on(day("2010-06-30"), queries.Filters(status="in_force"))]
        keys = [queries.plain_key(n) for n in names]
        assert sum(a > b for a, b in zip(keys, keys[1:], strict=False)) <= 3  # legal forms and articles aside

    def test_withdrawn_merged_unknown_and_behind_a_label(self):
        def status(slug, on):
            return queries.sheet(slug, day(on), horizon=day(on)).row.status

        assert status("mta", "2010-05-10") == "in_force"
        assert status("mta", "2010-05-12") == "withdrawn"
        assert status("optitec", "2024-01-09") == "merged"
        assert status("eau", "2019-06-01") == "part"  # behind France Water Team
        assert status("astech", "2025-06-01") == "unknown"
        assert status("aquanova", "2010-01-01") == "to_come"

    def test_the_horizon_hides_clusters_that_nobody_knew(self):
        seen = {r.cluster.slug for r in queries.register_on(day("2010-06-30"), horizon=day("2010-06-30"))}
        assert "aquanova" not in seen and "mta" in seen

    def test_a_constant_number_of_queries(self):
        for on in ("2005-07-13", "2010-06-30"):
            with CaptureQueriesContext(
                connection,
            ) as labels:
                queries.labels_on(day(on))
            with CaptureQueriesContext(connection) as rows:
                queries.register_on(day(on))
            assert (len(labels), len(rows)) == (2, 12)


class OneCluster(Loaded):
    def test_history_of_a_withdrawn_label(self):
        sheet = queries.sheet("mta", day("2010-05-12"), horizon=day("2026-11-22"))
        assert [e.act.act for e in sheet.events] == ["granted", "maintained", "extended", "withdrawn"]
        assert sheet.last_end.act.act == "withdrawn"
        assert [c.slug for c in sheet.successors] == ["moveo"]
        assert sheet.sources and all(s.title for s in sheet.sources.values())

    def test_the_horizon_cuts_the_history(self):
        sheet = queries.sheet("aerospace-valley", day("2010-06-30"), horizon=day("2010-06-30"))
        assert {e.act.act for e in sheet.events} == {"granted", "confirmed", "extended"}
        assert sheet.row.status == "in_force" and sheet.row.tier == "world"
        assert all(m["year"] <= 2010 for m in sheet.published)

    def test_a_joint_label_that_was_undone(self):
        sheet = queries.sheet("tes", day("2020-01-01"), horizon=day("2026-11-22"))
        assert any("images-et-reseaux" in e.label.code for e in sheet.events)
        kinds = {link.relation.kind for link in sheet.links}
        assert "joint_bid" in kinds
        assert any(link.relation.ended_on for link in sheet.links)

    def test_one_body_with_two_labels(self):
        sheet = queries.sheet("scs", day("2024-01-09"), horizon=day("2026-11-22"))
        assert sum(e.current for e in sheet.events) == 2

    def test_successions_have_their_days(self):
        assert Relation.objects.filter(on__isnull=True).values_list("code", flat=True).get() == "mta-moveo"
        link = next(k for k in queries.sheet("scs", day("2024-01-09"), horizon=day("2026-11-22")).links if k.before)
        assert {c.slug for c in link.before} == {"optitec"} and link.relation.on == day("2024-01-01")

    def test_the_carrier_is_another_body_than_the_cluster(self):
        names = set(
            Carrier.objects.filter(cluster__slug="finance-innovation").values_list("organisation__name", flat=True)
        )
        assert names == {"Paris Europlace"}

    def test_groups_are_those_of_the_policy_and_unknown_ones_have_no_row(self):
        sheet = queries.sheet("mta", day("2010-06-30"), horizon=day("2010-06-30"))
        assert [(g.evaluation, g.group) for g in sheet.groups] == [("2008", "3"), ("2010", "withdrawn")]
        assert queries.group_title("2008", "3") is not None
        assert queries.sheet("aerospace-valley", day("2010-06-30"), horizon=day("2010-06-30")).groups == []

    def test_disagreements_between_sources_are_shown(self):
        sheet = queries.sheet("axelera", day("2024-01-09"), horizon=day("2026-11-22"))
        assert [c["kept"] for c in sheet.conflicts] == ["Solaize"]

    def test_a_fixed_number_of_queries(self):
        counts = set()
        for slug in ("moveo", "minalogic", "eurobiomed"):
            with CaptureQueriesContext(connection) as asked:
                queries.sheet(slug, day("2010-06-30"), horizon=day("2026-11-22"))
            counts.add(len(asked))
        assert max(counts) <= 27 and max(counts) - min(counts) <= 1

    def test_no_such_cluster(self):
        assert queries.sheet("nowhere", day("2010-06-30"), horizon=day("2010-06-30")) is None


class LoadingAgain(Loaded):
    def test_periods_are_made_again_alike(self):
        before = list(LabelPeriod.objects.order_by("id").values_list("id", "starts_on", "ends_on", "recorded_at"))
        for label in Label.objects.all():
            make_periods(label)
        assert (
            list(LabelPeriod.objects.order_by("id").values_list("id", "starts_on", "ends_on", "recorded_at")) == before
        )

    def test_loading_writes_its_journal_and_twice_changes_nothing(self):
        assert list(breaks()) == []
        assert load_register_if_changed() is False


class Commands(Loaded):
    def run_command(self, *words):
        with speaking("fr"):
            return CliRunner().invoke(register_app, list(words))

    def test_list_as_json(self):
        for on, count, bodies in (
            ("2010-05-12", 71, 71), ("2009-06-01", 71, 71), ("2019-02-06", 56, 57), ("2023-03-28", 55, 55), ("2024-01-09", 57, 56),
        ):  # fmt: skip
            answer = self.run_command("list", "--on", on, "--json")
            assert answer.exit_code == 0, answer.output
            found = json.loads(answer.stdout)
            assert (found["count"], found["bodies"], len(found["labels"]), found["on"]) == (count, bodies, count, on)
            first = found["labels"][0]
            assert set(first) == {
                "label", "name", "tier", "phase", "holders", "since", "until", "act", "decided_on", "certainty", "sources",
            }  # fmt: skip
            assert all(row["holders"] and row["sources"] for row in found["labels"])

    def test_unknown_outcomes_are_apart(self):
        found = json.loads(self.run_command("list", "--on", "2025-01-01", "--json").stdout)
        assert (found["count"], len(found["unknown"])) == (51, 6)

    def test_the_table_ends_with_totals(self):
        answer = self.run_command("list", "--on", "2010-05-12")
        assert answer.exit_code == 0
        assert "71 labels en vigueur" in answer.stdout and "Pôle national" in answer.stdout

    def test_as_known_on(self):
        answer = self.run_command("list", "--on", "2023-02-01", "--known-on", "2023-02-01", "--json")
        assert json.loads(answer.stdout)["count"] == 0

    def test_wrong_words_get_a_sentence_and_exit_2(self):
        for words, told in (
            (("list", "--on", "2010-02-30"), "2010-02-30"),
            (("list", "--tier", "galactic"), "galactic"),
            (("list", "--on", "2010-05-12", "--region", "Atlantide"), "Atlantide"),
            (("list", "--programme", "ailleurs"), "ailleurs"),
            (("show", "aero"), "aerospace-valley"),
        ):
            answer = self.run_command(*words)
            assert answer.exit_code == 2, words
            assert told in answer.stderr and "Traceback" not in answer.stderr

    def test_region_by_its_name_of_the_time(self):
        answer = self.run_command("list", "--on", "2010-05-12", "--region", "alsace", "--json")
        assert json.loads(answer.stdout)["count"] == 5

    def test_show(self):
        answer = self.run_command("show", "mta", "--on", "2010-05-12")
        assert answer.exit_code == 0
        assert "Label retiré" in answer.stdout and "NextMove" in answer.stdout
        found = json.loads(self.run_command("show", "mta", "--on", "2010-05-12", "--json").stdout)
        assert found["status"] == "withdrawn" and found["acts"][-1]["act"] == "withdrawn"

    def test_check_says_that_the_data_have_no_fault(self):
        answer = self.run_command("check")
        assert answer.exit_code == 0 and "Aucune faute" in answer.stdout


def test_an_empty_database_gets_the_register_by_itself(db):
    Cluster.objects.all().delete()
    answer = CliRunner().invoke(register_app, ["list", "--on", "2010-05-12", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["count"] == 71


def test_export_writes_every_line(db, tmp_path):
    for n in range(3):
        make_cluster(f"pole-export-{n}", label=True)
    for ending, start in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("ods", b"PK"), ("json", b"[")):
        file = tmp_path / f"registre.{ending}"
        answer = CliRunner().invoke(register_app, ["export", str(file), "--on", "2010-05-12"])
        assert answer.exit_code == 0, answer.output
        assert file.read_bytes().startswith(start)
    assert len(json.loads((tmp_path / "registre.json").read_text("utf-8"))) == 3
    refused = CliRunner().invoke(register_app, ["export", str(tmp_path / "registre.txt")])
    assert refused.exit_code == 2


def test_members_without_a_row_are_unknown_not_zero(db):
    known, unknown = make_cluster("connu", label=True), make_cluster("inconnu", label=True)
    make_membership(known, simulated=True)
    rows = {r.cluster.slug: r for r in queries.register_on(dt.date(2010, 6, 30))}
    assert (rows["connu"].members, rows["connu"].members_simulated) == (1, True)
    assert rows["inconnu"].members is None
    assert queries.members_by_type(unknown, dt.date(2010, 6, 30)) == ([], False)
    found, simulated = queries.members_by_type(known, dt.date(2010, 6, 30))
    assert sum(n for _, _, n in found) == 1 and simulated
    Membership.objects.update(left_on=dt.date(2009, 12, 31))
    assert queries.members_on([known.pk], dt.date(2010, 6, 30)) == {}


def test_the_moment_of_loading_is_the_day_of_the_decision(db):
    load_register_if_changed()
    period = LabelPeriod.objects.filter(label__code="p1-mta", starts_on=dt.date(2005, 7, 12)).first()
    assert period.recorded_at == clock.moment_on(dt.date(2005, 7, 12))


def test_migrations_are_complete(db):
    call_command("makemigrations", "clusters", check=True, dry_run=True, verbosity=0)
