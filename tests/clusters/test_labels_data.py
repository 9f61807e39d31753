"""The register of the French programme as it is shipped, and the rules that read it."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from jalon.clusters.labels import (
    HolderRecord,
    LabelActRecord,
    LabelRecord,
    counts,
    governing_act,
    holders,
    labels_in_force,
    labels_unknown,
    load_register,
    name_on,
    parts,
    sheet_on,
    spans,
)
from jalon.clusters.outlines import load_outlines, project
from jalon.policy.faults import PolicyFaults
from jalon.policy.reader import read

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "fr-poles-de-competitivite"


@pytest.fixture(scope="module")
def register():
    return load_register(FOLDER)


def day(text):
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("on", "labels", "bodies", "unknown"),
    [
        ("2005-07-11", 0, 0, 0),
        ("2005-07-13", 66, 66, 0),  # 67 published, 66 named
        ("2006-03-06", 66, 66, 0),  # two car projects become one, Orphème comes in
        ("2007-07-06", 71, 71, 0),
        ("2009-06-01", 71, 71, 0),
        ("2010-05-10", 71, 71, 0),
        ("2010-05-11", 71, 71, 0),
        ("2010-05-12", 71, 71, 0),
        ("2012-12-31", 71, 71, 0),
        ("2013-01-01", 71, 71, 0),
        ("2015-06-01", 70, 70, 0),
        ("2016-06-01", 69, 69, 0),
        ("2017-01-02", 68, 68, 0),
        ("2017-12-31", 67, 67, 0),
        ("2018-12-31", 66, 66, 0),
        ("2019-02-06", 56, 57, 0),  # one label has two bodies
        ("2022-12-31", 54, 54, 0),
        ("2023-03-28", 55, 55, 0),
        ("2024-01-09", 57, 56, 0),  # one body has two labels
        ("2024-12-31", 57, 56, 0),
        ("2025-01-01", 51, 50, 6),
        ("2026-12-31", 51, 50, 6),
        ("2027-01-01", 0, 0, 0),
    ],
)
def test_labels_in_force(register, on, labels, bodies, unknown):
    found = counts(register.labels, day(on))
    assert (found.labels, found.bodies, found.unknown) == (labels, bodies, unknown)


def test_published_and_named_numbers_of_2005_are_both_kept(register):
    decision = next(d for d in register.decisions if d["code"] == "ciadt-2005-07-12")
    assert decision["counts"]["published"] == 67
    assert decision["counts"]["named"] == counts(register.labels, day("2005-07-13")).labels == 66


def test_may_2010_withdrew_six_renewed_seven_and_added_six(register):
    before = {one.label.code for one in labels_in_force(register.labels, day("2010-05-10"))}
    after = {one.label.code: one.act.act for one in labels_in_force(register.labels, day("2010-05-11"))}
    assert before - set(after) == {
        "p1-enfant", "p1-genie-civil-ouest", "p1-innoviandes", "p1-mta", "p1-prod-innov", "p1-sporaltec",
    }  # fmt: skip
    assert {code for code, act in after.items() if act == "granted" and code not in before} == {
        "p2-alsace-energivie", "p2-avenia", "p2-dream", "p2-eau", "p2-hydreos", "p2-team2",
    }  # fmt: skip
    assert sum(act == "renewed" for act in after.values()) == 7


def test_tiers_at_labelling(register):
    granted = {label.code: label.tier for label in register.labels}
    first = [one.label.tier for one in labels_in_force(register.labels, day("2005-07-13"))]
    assert (first.count("world"), first.count("world-vocation"), first.count("national")) == (6, 9, 51)
    assert granted["p1-finance-innovation"] == "world"
    assert granted["p2-eau"] == "world-vocation"


def test_a_joint_label_has_two_bodies_until_the_merger_is_given_up(register):
    label = next(one for one in register.labels if one.code == "p4-images-et-reseaux-tes")
    assert holders(label, day("2020-12-16")) == ("images-et-reseaux", "tes")
    assert holders(label, day("2020-12-17")) == ("images-et-reseaux",)
    apart = next(one for one in register.labels if one.code == "p4-tes")
    assert governing_act(apart, day("2020-12-16")) is None
    assert governing_act(apart, day("2020-12-17")).certainty == "deduced"


def test_a_federation_holds_the_label_of_its_parts(register):
    label = next(one for one in register.labels if one.code == "p4-france-water-team")
    assert holders(label, day("2020-01-01")) == ("france-water-team",)
    assert set(parts(label, day("2020-01-01"))) == {"eau", "dream", "hydreos"}
    assert governing_act(label, day("2023-03-28")).act == "refused"


def test_labels_of_unknown_outcome_are_listed_apart(register):
    unknown = {one.label.code for one in labels_unknown(register.labels, day("2025-06-30"))}
    assert unknown == {"p5-astech", "p5-euramaterials", "p5-fibres-energivie", "p5-team2", "p5-enter", "p5-infra2050"}


def test_what_was_known_before_a_decision(register):
    on = day("2019-01-15")
    assert counts(register.labels, on).labels == 56
    assert counts(register.labels, on, known_on=on).labels == 0


def test_evaluations(register):
    results = [(row["year"], row["result"]) for row in register.evaluations]
    expected = {
        (2008, "1"): 17, (2008, "2"): 4, (2008, "3"): 13,
        (2010, "renewed"): 7, (2010, "withdrawn"): 6,
        (2012, "very-good"): 20, (2012, "good"): 35, (2012, "less-good"): 16,
    }  # fmt: skip
    assert {pair: results.count(pair) for pair in set(results)} == expected


def test_names_and_sheets_of_a_day(register):
    assert name_on(register, "lutb", day("2017-11-20")) == "Lyon Urban Truck & Bus (LUTB)"
    assert name_on(register, "lutb", day("2017-11-21")) == "CARA"
    assert name_on(register, "scs", day("2025-06-01")) == "Solutions communicantes sécurisées (SCS)"
    assert sheet_on(register, "techtera", day("2010-06-30"))["city"] == "Lyon"
    assert sheet_on(register, "techtera", day("2020-06-30"))["city"] == "Écully"


def test_contracts_have_their_own_dates(register):
    contracts = {contract["code"]: contract for contract in register.contracts}
    assert (contracts["xylofutur-2015"]["starts_on"], contracts["xylofutur-2015"]["signed_on"]) == (
        day("2015-01-01"), day("2015-07-03"),
    )  # fmt: skip
    assert contracts["elastopole-2014"]["signed_precision"] == "planned"
    parties = contracts["moveo-2009"]["parties"]
    assert [p["name"] for p in parties if p["role"] == "local_authority"] == [
        "Région Basse-Normandie", "Région Haute-Normandie", "Région Île-de-France",
    ]  # fmt: skip


def test_no_succession_loses_its_label(register):
    """Every label of a later phase follows one that existed, save the newcomers."""
    alone = {label.code for label in register.labels if label.phase in ("phase-4", "phase-5") and not label.follows}
    assert alone == {"p5-enter", "p5-infra2050"}


def act(kind, start, until=None, certainty="known"):
    return LabelActRecord(kind, day(start), until and day(until), certainty=certainty)


CASES = [
    ("before the first act", "2008-12-31", None),
    ("first day", "2009-01-01", "granted"),
    ("last day of the first act, replaced", "2009-12-31", "extended"),
    ("the later act rules", "2010-05-10", "extended"),
    ("withdrawn from this day on", "2010-05-11", None),
    ("long after", "2012-01-01", None),
]


@pytest.mark.parametrize(("what", "on", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_later_act_replaces_the_earlier_ones(what, on, expected):
    label = LabelRecord(
        "x", "X", "phase-1", (HolderRecord("a"),),
        (act("granted", "2009-01-01", "2009-12-31"), act("extended", "2009-07-01", "2010-12-31"), act("withdrawn", "2010-05-11")),
    )  # fmt: skip
    found = labels_in_force([label], day(on))
    assert [one.act.act for one in found] == ([expected] if expected else [])
    assert [(s.starts_on, s.ends_on) for s in spans(label)] == [
        (day("2009-01-01"), day("2009-06-30")),
        (day("2009-07-01"), day("2010-05-10")),
    ]


def test_every_fault_is_told_at_once_with_its_line(tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(FOLDER, folder)
    labels = (folder / "labels.yaml").read_text("utf-8")
    labels = labels.replace("{slug: normandy-motor-valley}", "{slug: nowhere}", 1)
    labels = labels.replace(
        "effective_from: 2009-01-01, until: 2011-12-31", "effective_from: 2008-06-01, until: 2011-12-31", 1
    )
    labels = labels.replace("until: 2026-12-31", "until: 2022-12-31", 1).replace(
        "source: [ago05]", "source: [nobody]", 1
    )
    (folder / "labels.yaml").write_text(labels, "utf-8")
    clusters = (folder / "clusters.csv").read_text("utf-8").replace("485376032", "485376033")
    (folder / "clusters.csv").write_text(clusters, "utf-8")
    with pytest.raises(PolicyFaults) as refused:
        load_register(folder)
    told = [(Path(f.file).name, f.found.en) for f in refused.value.faults]
    assert ("labels.yaml", "“nowhere”") in told
    assert ("labels.yaml", "“nobody”") in told
    assert ("labels.yaml", "a period that starts on 2008-06-01, inside the one before") in told
    assert ("labels.yaml", "an end on 2022-12-31, before the start") in told
    assert ("clusters.csv", "the SIREN “485376033”") in told
    lines = labels.splitlines()
    slug = next(f for f in refused.value.faults if f.found.en == "“nowhere”")
    assert "nowhere" in lines[slug.line - 1]


def test_a_missing_folder_is_a_fault_not_a_crash(tmp_path):
    with pytest.raises(PolicyFaults):
        load_register(tmp_path)


def test_regions_are_those_of_the_policy(register):
    policy = read(ROOT / "policies" / "fr-poles-de-competitivite" / "territories.yaml").plain()
    ours = {
        (s["code"], r["code"], r["name"], tuple(r["departments"])) for s in register.region_sets for r in s["regions"]
    }
    theirs = {
        (s["code"], r["code"], r["name"], tuple(r["departments"])) for s in policy["region_sets"] for r in s["regions"]
    }
    assert ours == theirs


def test_outlines_are_complete_light_and_place_every_cluster(register):
    outlines = load_outlines(FOLDER)
    regions = {s["code"]: {r["code"] for r in s["regions"]} for s in register.region_sets}
    assert {code: {r["code"] for r in drawn} for code, drawn in outlines["sets"].items()} == regions
    for code, most in (("regions-1970", 60_000), ("regions-2016", 45_000)):
        paths = [r["d"] for r in outlines["sets"][code]]
        assert sum(map(len, paths)) <= most
        assert all(re.fullmatch(r"(M[-\d. ]+l[-\d. ]+z)+", path) for path in paths)
    placed = [c for c in register.clusters.values() if c["latitude"] is not None]
    assert len(placed) > 75
    for cluster in placed:
        x, y = project(outlines, float(cluster["latitude"]), float(cluster["longitude"]))
        assert 0 <= x <= 1000 and 0 <= y <= 1000, cluster["slug"]
    assert project(outlines, 40.4, -3.7) is None  # Madrid


def test_a_place_falls_inside_its_region(register):
    """Toulouse, Strasbourg and Saint-Denis de La Réunion lie in the boxes of their regions' paths."""
    outlines = load_outlines(FOLDER)
    drawn = {r["name"]: r["d"] for r in outlines["sets"]["regions-1970"]}
    for region, latitude, longitude in (
        ("Midi-Pyrénées", 43.6045, 1.444), ("Alsace", 48.5734, 7.7521), ("La Réunion", -20.8823, 55.4504),
    ):  # fmt: skip
        xs, ys = [], []
        for ring in drawn[region].split("M")[1:]:
            numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", ring)]
            x = y = 0.0
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                x, y = x + dx, y + dy
                xs.append(x)
                ys.append(y)
        px, py = project(outlines, latitude, longitude)
        assert min(xs) <= px <= max(xs) and min(ys) <= py <= max(ys), region
