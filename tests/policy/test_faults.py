"""Each fault of a table is found at its file and line, with what was found and what was expected."""

import re
import shutil

import pytest

from jalon.core.lang import speaking
from jalon.policy import PolicyFaults, load, reader

# file, text to replace, replacement, text that marks the line of the fault, path, found, expected
CASES = {
    "unknown key": ("phases.yaml", "    ends_on: 2018-06-30\n", "    ends_on: 2018-06-30\n    ended: 2018-06-30\n",
        "ended:", "phases[0].ended", "the key “ended”", "ends_on"),
    "missing key": ("roles.yaml", "    side: state\n    demo: true\n    description: {fr: \"Suit",
        "    demo: true\n    description: {fr: \"Suit", "code: agency_adviser", "roles[0]", "no key “side”", "the key “side”"),
    "missing reference": ("labels.yaml", "valid_from: 2015-07-01, reference: \"Exemple inventé\"}\n  - {code: grown",
        "valid_from: 2015-07-01}\n  - {code: grown", "code: seed", "tiers[0]", "no reference", "reference"),
    "value without reference": ("labels.yaml", "{value: [2, 5], reference: \"Exemple inventé\"}", "{value: [2, 5]}",
        "[2, 5]", "durations_allowed.values.2018-07-01", "no reference", "reference"),
    "unknown source": ("governance.yaml", "{value: 0.6, reference: \"Exemple inventé\"}", "{value: 0.6, source: NOWHERE}",
        "NOWHERE", "preponderant_share_above.values.2015-07-01.source", "NOWHERE", "sources.yaml"),
    "one language missing": ("governance.yaml", "title: {fr: \"Conseil de la société\", en: \"Company board\"}",
        "title: {fr: \"Conseil de la société\"}", "code: board", "bodies[0].title", "no “en” text", "both" ),
    "phase ends before it starts": ("phases.yaml", "ends_on: 2018-06-30", "ends_on: 2014-06-30", "ends_on: 2014-06-30",
        "phases[0].ends_on", "30 June 2014", "1 July 2015"),
    "phases overlap": ("phases.yaml", "starts_on: 2018-07-01", "starts_on: 2018-06-30", "code: scale",
        "phases.scale.starts_on", "30 June 2018", "after the end of “start”"),
    "extension goes backwards": ("phases.yaml", "until: 2024-06-30", "until: 2023-01-31", "until: 2023-01-31",
        "phases[1].extensions[0].until", "31 January 2023", "after 30 June 2023"),
    "negative budget": ("phases.yaml", "amount: 90_000_000", "amount: -90_000_000", "-90_000_000",
        "phases[0].budgets[0].amount", "-90000000", "zero or more"),
    "negative delay": ("reporting.yaml", "value: 45", "value: -3", "value: -3",
        "due_after.values.2018-07-01.value", "-3", "zero or more (unit: days)"),
    "budget in another currency": ("phases.yaml", "unit: NOK", "unit: EUR", "unit: EUR", "phases.start.budgets", "EUR", "NOK"),
    "dates out of order": ("labels.yaml", "    2018-07-01: {value", "    2014-07-01: {value", "2014-07-01",
        "durations_allowed.values.2014-07-01", "1 July 2014", "after 1 July 2015"),
    "values overlap": ("labels.yaml", "until: 2018-06-30", "until: 2018-07-31", "    2018-07-01:",
        "durations_allowed.values.2018-07-01", "1 July 2018", "31 July 2018"),
    "ends before it begins": ("labels.yaml", "until: 2018-06-30", "until: 2015-06-30", "until: 2015-06-30",
        "durations_allowed.values.2015-07-01.until", "30 June 2015", "from 1 July 2015 on"),
    "not a date": ("labels.yaml", "    2018-07-01: {value", "    summer: {value", "summer",
        "durations_allowed.values.summer", "summer", "a date"),
    "impossible date": ("phases.yaml", "starts_on: 2015-07-01", "starts_on: 2015-02-30", "2015-02-30",
        "phases[0].starts_on", "2015-02-30", "YYYY-MM-DD"),
    "text where a number belongs": ("governance.yaml", "value: 0.6", "value: most", "value: most",
        "preponderant_share_above.values.2015-07-01.value", "“most”", "a number"),
    "share above one": ("governance.yaml", "value: 0.6", "value: 60", "value: 60",
        "preponderant_share_above.values.2015-07-01.value", "60", "between 0 and 1"),
    "fraction where a whole number belongs": ("labels.yaml", "value: [2, 5]", "value: [2.5]", "2.5",
        "durations_allowed.values.2018-07-01.value[0]", "2.5", "whole number"),
    "one value where a list belongs": ("labels.yaml", "value: [2, 5]", "value: 2", "value: 2,",
        "durations_allowed.values.2018-07-01.value", "2", "a list"),
    "unknown unit": ("labels.yaml", "unit: years", "unit: decades", "decades", "durations_allowed.unit", "decades", "months"),
    "misspelt section": ("labels.yaml", "tiers:", "teirs:", "teirs", "teirs", "teirs", "tiers"),
    "duplicate code": ("labels.yaml", "code: grown", "code: seed", "code: seed, title: {fr: \"Mûr\"",
        "tiers[1]", "already taken on line 2", "a code of its own"),
    "holiday on two days": ("programme.yaml", "currency: NOK\n",
        "currency: NOK\nholidays:\n  - {code: both, title: {fr: \"A\", en: \"A\"}, month: 5, day: 17, easter: 1, reference: \"x\"}\n",
        "code: both", "holidays[0]", "“both” without a day, or with two", "days after Easter"),
    "holiday on no day of the year": ("programme.yaml", "currency: NOK\n",
        "currency: NOK\nholidays:\n  - {code: never, title: {fr: \"A\", en: \"A\"}, month: 2, day: 30, reference: \"x\"}\n",
        "code: never", "holidays[0]", "day 30 of month 2", "a day of the year"),
    "unknown permission": ("roles.yaml", "round.open", "round.close", "round.close", "roles[1].permissions[3]",
        "round.close", "round.open"),
    "unknown role in a template": ("contracts.yaml", "role: county,", "role: duchy,", "duchy",
        "templates.agreement-2018.parties.authority.role", "duchy", "county"),
    "role that may not sign": ("contracts.yaml", "role: county,", "role: visitor,", "role: visitor",
        "templates.agreement-2018.parties.authority.role", "may not sign", "contract.sign"),
    "unknown role in the calendar": ("reporting.yaml", "validated_by: agency_adviser", "validated_by: nobody", "nobody",
        "calendar.validated_by", "nobody", "agency_adviser"),
    "unknown phase": ("contracts.yaml", "phase: scale", "phase: never", "agreement-2018",
        "templates.agreement-2018.phase", "never", "scale"),
    "unknown indicator": ("contracts.yaml", "partners_total, ", "partners_totl, ", "agreement-2018",
        "templates.agreement-2018.common_indicators", "partners_totl", "partners_total"),
    "a party left out of the order": ("contracts.yaml", "[[state], [authority, governance]]", "[[state], [authority]]",
        "signing_order:", "templates[0].signing_order", "state, authority", "each party once"),
    "longest before shortest": ("contracts.yaml", "max_months: 60", "max_months: 12", "max_months: 12",
        "templates[0].durations", "max_months 12", "at least 24"),
    "unknown measure": ("indicators.yaml", "\"clusters.members\"", "\"clusters.customers\"", "clusters.customers",
        "indicators[0].formula", "clusters.customers", "clusters.members"),
    "not a formula": ("indicators.yaml", "\"clusters.members\"", "\"clusters.members ** 2\"", "** 2",
        "indicators[0].formula", "clusters.members ** 2", "numbers, + - * /"),
    "computed without formula": ("indicators.yaml", "    formula: \"clusters.members\"\n", "", "code: partners_total",
        "indicators[0].formula", "no formula", "computed"),
    "declared with a formula": ("indicators.yaml", "    source: declared\n", "    source: declared\n    formula: \"clusters.members\"\n",
        "source: declared", "indicators[3].formula", "a formula", "no formula"),
    "empty range": ("indicators.yaml", "range: {min: 0, max: 100}\n    reference: \"Exemple inventé\"\n    definitions:\n      - {version: \"a\", since: 2015",
        "range: {min: 0, max: -1}\n    reference: \"Exemple inventé\"\n    definitions:\n      - {version: \"a\", since: 2015", "max: -1",
        "indicators[1].range", "max -1", "at least 0"),
    "unknown level": ("roadmaps.yaml", "levels: [ambition, bet]}", "levels: [ambition, dream]}", "dream",
        "templates[0].sections[2].levels", "dream", "ambition, bet"),
    "unknown parent": ("roadmaps.yaml", "parent: ambition", "parent: dream", "parent: dream",
        "templates[0].levels[1].parent", "dream", "ambition, bet"),
    "unknown parameter": ("evaluations.yaml", "review_after: evaluations.review_after", "review_after: evaluations.later",
        "evaluations.later", "groups.amber.review_after", "evaluations.later", "evaluations.review_after"),
    "required parameter missing": ("reporting.yaml", "late_after: {", "later_after: {", "calendar:", "reporting",
        "reporting.late_after", "the code asks for"),
    "Norway read as no": ("programme.yaml", "country: \"NO\"\nlanguage", "country: NO\nlanguage", "country: NO\n",
        "country", "no (false)", "in quotes"),
    "word missing": ("programme.yaml", "  round: {fr: \"compte rendu semestriel\", en: \"half-yearly report\", gender: m}\n", "",
        "  cluster:", "words", "nothing for “round”", "word"),
    "unknown word": ("programme.yaml", "  round: {fr", "  rund: {fr", "rund:", "words.rund", "rund", "round"),
    "key given twice": ("programme.yaml", "currency: NOK\n", "currency: NOK\ncurrency: SEK\n", "currency: SEK", "currency",
        "a second time", "once"),
    "bad YAML": ("governance.yaml", "unit: share\n", "unit: [share\n", "values:", "governance", "not closed", "well-formed YAML"),
    "tab": ("governance.yaml", "  unit: share\n", "\tunit: share\n", "unit: share", "governance", "cannot begin", "well-formed YAML"),
}  # fmt: skip


def line_of(path, marker):
    text = path.read_text(encoding="utf-8")
    assert marker in text, marker
    return text[: text.index(marker)].count("\n") + 1


@pytest.mark.parametrize("name", CASES)
def test_fault(folder, name):
    file, old, new, marker, path, found, expected = CASES[name]
    target = folder / file
    source = target.read_text(encoding="utf-8")
    assert old in source
    target.write_text(source.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyFaults) as caught:
        load(folder)
    said = [fault for fault in caught.value.faults if fault.path.endswith(path)]
    assert said, str(caught.value)
    fault = said[0]
    assert fault.file == str(target)
    if name == "bad YAML":  # noticed by the parser on a later line
        assert fault.line >= line_of(target, "[share")
    elif name == "declared with a formula":
        assert fault.line == line_of(target, "source: declared") + 1
    else:
        assert fault.line == line_of(target, marker)
    assert found in str(fault.found)
    assert expected in str(fault.expected) or name == "one language missing"
    assert str(fault).startswith(f"{target}:{fault.line}: {fault.path}: found ")
    with speaking("fr"):
        assert re.search(r": trouvé .+, attendu .+", str(fault).replace("\u00a0", " "))


def test_all_faults_at_once_across_files(folder):
    for file, old, new in (
        ("labels.yaml", "unit: years", "unit: decades"),
        ("governance.yaml", "value: 0.6", "value: most"),
        ("roles.yaml", "round.open", "round.close"),
    ):
        target = folder / file
        target.write_text(target.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(PolicyFaults) as caught:
        load(folder)
    assert [fault.file.rsplit("/", 1)[-1] for fault in caught.value.faults] == [
        "governance.yaml",
        "labels.yaml",
        "roles.yaml",
    ]


def test_a_fault_in_one_file_does_not_hide_what_names_it(folder):
    """Cross-checks go on with what could be read, and say nothing of what could not."""
    for file, old, new in (
        ("governance.yaml", "value: 0.6", "value: most"),
        ("contracts.yaml", "role: county,", "role: duchy,"),
        ("indicators.yaml", 'clusters.members"', 'clusters.customers"'),
    ):
        target = folder / file
        target.write_text(target.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(PolicyFaults) as caught:
        load(folder)
    assert [(fault.file.rsplit("/", 1)[-1], fault.path) for fault in caught.value.faults] == [
        ("contracts.yaml", "templates.agreement-2018.parties.authority.role"),
        ("governance.yaml", "preponderant_share_above.values.2015-07-01.value"),
        ("indicators.yaml", "indicators[0].formula"),
    ]


def test_missing_file_empty_file_stray_file_and_wrong_encoding(folder):
    (folder / "phases.yaml").unlink()
    (folder / "roles.yaml").write_text("", "utf-8")
    (folder / "notes.yaml").write_text("a: 1\n", "utf-8")
    (folder / "labels.yaml").write_bytes(b"# ok\ntiers: \xe9\n")
    with pytest.raises(PolicyFaults) as caught:
        load(folder)
    said = {fault.file.rsplit("/", 1)[-1]: fault for fault in caught.value.faults}
    assert str(said["phases.yaml"].found) == "no file"
    assert str(said["roles.yaml"].found) == "an empty file"
    assert "notes.yaml" in str(said["notes.yaml"].found)
    assert (str(said["labels.yaml"].expected), said["labels.yaml"].line) == ("a file in UTF-8", 2)


@pytest.mark.parametrize(
    "source",
    [
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{n}: &{n} [{','.join(['*' + p] * 10)}]\n" for p, n in zip("abcdefgh", "bcdefghi")),
        "a: " + "[" * 300 + "]" * 300,
    ],
    ids=["list of itself", "mapping of itself", "too many", "too deep"],
)
def test_aliases_that_never_end(source):
    with pytest.raises(PolicyFaults) as caught:
        reader.parse(source, name="data.yaml")
    assert len(caught.value.faults) == 1
    assert "too deep or too large" in str(caught.value.faults[0].found)


def test_no_folder(tmp_path):
    with pytest.raises(PolicyFaults) as caught:
        load(tmp_path / "nowhere")
    assert str(caught.value.faults[0].found) == "no folder"


def test_a_mended_folder_is_read_again(folder):
    target = folder / "governance.yaml"
    sound = target.read_text("utf-8")
    target.write_text(sound.replace("value: 0.6", "value: most"), "utf-8")
    with pytest.raises(PolicyFaults):
        load(folder)
    target.write_text(sound, "utf-8")
    first = load(folder)
    assert load(folder) is first
    target.write_text(sound.replace("value: 0.6", "value: 0.75"), "utf-8")
    assert load(folder) is not first


def test_a_copy_elsewhere_loads_too(folder, tmp_path):
    moved = tmp_path / "autre"
    shutil.copytree(folder, moved)
    assert load(moved).slug == "autre"


def test_a_list_with_one_wrong_element_still_checks_the_other_files(folder):
    for name, old, new in (
        ("roles.yaml", "[members.edit, roadmap.review", "[members.edits, roadmap.review"),
        ("contracts.yaml", "role: county", "role: countess"),
        ("contracts.yaml", "role: agency_head", "role: agency_adviser"),
    ):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyFaults) as caught:
        load(folder)
    told = [(fault.path, str(fault.found)) for fault in caught.value.faults]
    assert ("roles[0].permissions[0]", "the unknown permission “members.edits”") in told
    assert ("templates.agreement-2018.parties.authority.role", "the role “countess”") in told
    # The wrong role is named, though wrong itself: it is not called unknown a second time.
    assert len(told) == 2
