"""The two programmes that ship load clean, and say what the texts say."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from jalon.core.lang import speaking
from jalon.policy import NoValueInForce, UnknownParameter, load, programmes, vocabulary

D = date
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def french():
    return load(programmes()["fr-poles-de-competitivite"])


@pytest.fixture(scope="module")
def example():
    return load(programmes()["example-nordlys"])


@pytest.fixture(params=["fr-poles-de-competitivite", "example-nordlys"])
def each(request):
    return load(request.param)


def test_both_are_found():
    assert set(programmes()) == {"fr-poles-de-competitivite", "example-nordlys"}


def test_another_folder_can_be_named(monkeypatch, folder):
    monkeypatch.setenv("JALON_POLICIES", str(folder.parent))
    assert list(programmes()) == ["programme"]
    monkeypatch.setenv("JALON_POLICIES", str(folder))
    assert programmes() == {"programme": folder}


@pytest.mark.parametrize(
    ("path", "day", "value", "unit"),
    [
        ("evaluations.mid_term_review_after", D(2009, 1, 1), 18, "months"),
        ("evaluations.mid_term_review_after", D(2010, 6, 30), 18, "months"),
        ("evaluations.mid_term_review_after", D(2012, 12, 31), 18, "months"),
        ("evaluations.group3_new_evaluation_after", D(2009, 6, 1), 12, "months"),
        ("governance.preponderant_share_above", D(2010, 6, 30), Decimal("0.5"), "share"),
        ("labels.durations_allowed", D(2009, 6, 1), (3, 1), "years"),
        ("labels.durations_allowed", D(2019, 2, 6), (4, 1), "years"),
        ("labels.durations_allowed", D(2023, 3, 27), (4, 2, 1), "years"),
        ("labels.durations_allowed", D(2024, 1, 8), (4, 3, 2, 1), "years"),
        ("phases.state_running_credits", D(2019, 6, 1), 18_000_000, "EUR"),
        ("phases.state_running_credits", D(2020, 6, 1), 15_000_000, "EUR"),
        ("phases.state_running_credits", D(2022, 6, 1), 9_000_000, "EUR"),
        ("phases.state_running_credits", D(2025, 1, 1), 0, "EUR"),
        ("phases.state_running_credits_phase", D(2010, 1, 1), 50_000_000, "EUR"),
        ("contracts.public_share_ceiling", D(2008, 12, 31), 80, "percent"),
        ("contracts.public_share_ceiling", D(2009, 1, 1), 60, "percent"),
        ("contracts.public_share_target", D(2010, 1, 1), 50, "percent"),
        ("reporting.reports_per_year", D(2010, 1, 1), 1, "per_year"),
        ("labels.group3_maintained_until", D(2009, 3, 1), D(2009, 12, 31), "day"),
    ],
)
def test_value_in_force(french, path, day, value, unit):
    found = french.on(day).get(path)
    assert (found.value, found.unit) == (value, unit)
    assert found.reference and found.title.fr and found.title.en
    subject, name = path.split(".")
    assert getattr(getattr(french.on(day), subject), name) == value


@pytest.mark.parametrize(
    ("path", "day", "last_until", "next_since"),
    [
        ("evaluations.mid_term_review_after", D(2008, 1, 1), None, D(2009, 1, 1)),
        ("evaluations.mid_term_review_after", D(2008, 12, 31), None, D(2009, 1, 1)),
        ("evaluations.mid_term_review_after", D(2013, 1, 1), D(2012, 12, 31), None),
        ("phases.state_running_credits", D(2021, 6, 1), D(2020, 12, 31), D(2022, 1, 1)),
        ("labels.durations_allowed", D(2011, 1, 1), D(2010, 5, 10), D(2013, 1, 1)),
    ],
)
def test_no_value_in_force(french, path, day, last_until, next_since):
    with pytest.raises(NoValueInForce) as caught:
        french.on(day).get(path)
    error = caught.value
    assert (error.last_until, error.next_since) == (last_until, next_since)
    for language in ("fr", "en"):
        with speaking(language):
            assert path in str(error) and str(day.year) in str(error)
    assert french.on(day).find(path) is None


def test_unknown_names_say_so_and_hint(french):
    with pytest.raises(UnknownParameter) as caught:
        french.on(D(2010, 1, 1)).get("evaluations.midterm_review_after")
    assert "evaluations.mid_term_review_after" in str(caught.value)
    with pytest.raises(UnknownParameter):
        _ = french.on(D(2010, 1, 1)).evaluation


def test_what_is_ours_is_marked_ours(french):
    day = french.on(D(2010, 6, 30))
    assert day.get("governance.preponderant_share_above").reading
    assert not day.get("evaluations.mid_term_review_after").reading
    assert french.on(D(2009, 6, 1)).get("contracts.public_share_ceiling").reading
    assert not french.official_indicator_list
    assert not any(indicator.official for indicator in french.indicators)


def test_explain_is_complete(french):
    why = french.explain("evaluations.mid_term_review_after", D(2010, 6, 30))
    assert why["value"] == 18 and why["since"] == D(2009, 1, 1) and why["url"].startswith("https://")
    file, line = why["where"].rsplit(":", 1)
    assert file == "policies/fr-poles-de-competitivite/evaluations.yaml"
    assert "value: 18" in (ROOT / file).read_text("utf-8").splitlines()[int(line) - 1]


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (D(2005, 12, 31), None), (D(2006, 1, 1), "phase-1"), (D(2008, 12, 31), "phase-1"), (D(2009, 1, 1), "phase-2"),
        (D(2012, 12, 31), "phase-2"), (D(2013, 1, 1), "phase-3"), (D(2018, 12, 31), "phase-3"),
        (D(2022, 12, 31), "phase-4"), (D(2023, 1, 1), "phase-5"), (D(2026, 12, 31), "phase-5"), (D(2027, 1, 1), None),
    ],
)  # fmt: skip
def test_phase_on(french, day, code):
    phase = french.phase_on(day)
    assert (phase and phase.code) == code


def test_the_extension_is_known_from_its_decision_on(french):
    phase = french.phase("phase-2")
    assert phase.ends_as_known(D(2010, 5, 10)) == D(2011, 12, 31)
    assert phase.ends_as_known(D(2010, 5, 11)) == D(2012, 12, 31)
    assert french.phase_on(D(2012, 6, 1), known_on=D(2010, 1, 1)) is None
    assert french.phase_on(D(2012, 6, 1), known_on=D(2010, 6, 1)).code == "phase-2"


def test_groups_of_2008(french):
    groups = [g for g in french.evaluation_groups if g.campaign == "2008"]
    assert [(g.code, g.clusters) for g in groups] == [("1", 39), ("2", 19), ("3", 13)]
    assert sum(g.clusters for g in groups) == 71
    assert french.evaluation_group("2").review_after == "evaluations.mid_term_review_after"


def test_regions_cover_every_department_once(french):
    old, new = french.region_set("regions-1970"), french.region_set("regions-2016")
    assert (len(old.regions), len(new.regions)) == (27, 18)
    departments = [{d for r in s.regions for d in r.departments} for s in (old, new)]
    assert departments[0] == departments[1] and len(departments[0]) == 101
    assert french.regions_on(D(2015, 12, 31)) is old and french.regions_on(D(2016, 1, 1)) is new
    assert new.region("75").name == "Nouvelle-Aquitaine"


def test_contract_of_phase_2(french):
    template = french.contract_template_for("phase-2")
    assert template is french.contract_template("performance-2009")
    assert [(p.kind, p.role) for p in template.parties] == [
        ("state", "prefect"),
        ("authority", "authority_signatory"),
        ("governance", "cluster_director"),
    ]
    assert template.party("authority").decision_required and template.party("authority").max is None
    assert template.improvement_axes_for_groups == ("2",)
    assert {a.source for a in template.annexes if a.required} == {
        "register.label", "register.members", "register.statutes", "roadmap",
    }  # fmt: skip
    assert template.in_force.requires == ("all_signatures", "all_decisions", "label_in_force")
    assert template.amendment.signers(["targets", "funding"]) == ("governance", "state", "authority_concerned")
    assert template.article("follow-up").body is not None and template.article("strategy").body is None
    for code in template.common_indicators:
        assert french.indicator(code).common


def test_roadmap_by_day_phase_and_code(french):
    template = french.roadmap_template(D(2010, 6, 30))
    assert template.code == "roadmap-2009" and template is french.roadmap_template("phase-2")
    assert french.roadmap_template("roadmap-2009") is template
    assert [level.code for level in template.levels] == ["axis", "field", "objective", "action"]
    assert (template.horizon_years.min, template.horizon_years.max) == (3, 5)
    with pytest.raises(KeyError):
        french.roadmap_template(D(2004, 1, 1))


def test_a_definition_changes_with_the_day(french):
    share = french.indicator("sme_share")
    assert share.definition_on(D(2008, 12, 31)).version == "1"
    assert "establishments" in str(share.definition_on(D(2008, 12, 31)).denominator)
    assert share.definition_on(D(2011, 1, 1)).version == "2"
    assert share.definition_on(D(2004, 1, 1)) is None


@pytest.mark.parametrize(
    ("code", "measures", "value"),
    [
        ("sme_share", {"clusters.members_sme": 83, "clusters.members_firm": 100}, 83),
        ("sme_share", {"clusters.members_sme": 0, "clusters.members_firm": 0}, None),
        ("private_share", {"contracts.budget_private": Decimal("460000"), "contracts.budget_total": 1_000_000}, 46),
        ("private_share", {"contracts.budget_private": None, "contracts.budget_total": 1_000_000}, None),
        ("objectives_reached", {"contracts.objectives_reached": 3, "contracts.objectives_total": 4}, 75),
        ("members_total", {"clusters.members": 187}, 187),
    ],
)
def test_computed_indicators(french, code, measures, value):
    assert french.indicator(code).formula.evaluate(measures) == value


def test_breakdowns_add_up(french):
    breakdown = french.indicator("members_total").breakdown("type")
    figures = {"sme": 107, "mid": 15, "large": 13, "research_training": 32, "other": 20}
    measures = {f"clusters.members_{code}": number for code, number in figures.items()}
    assert {v.code: int(v.formula.evaluate(measures)) for v in breakdown.values} == figures
    assert sum(figures.values()) == 187


@pytest.mark.parametrize(
    ("scheme", "headcount", "turnover", "balance", "code"),
    [
        ("eu", 9, 1_000_000, None, "micro"),
        ("eu", 9, 3_000_000, 1_000_000, "micro"),
        ("eu", 9, 3_000_000, 3_000_000, "small"),
        ("eu", 249, 50_000_000, 50_000_000, "medium"),
        ("eu", 249, 51_000_000, 43_000_000, "medium"),
        ("eu", 249, 51_000_000, 44_000_000, "non-sme"),
        ("eu", 250, 1, 1, "non-sme"),
        ("eu", 100, None, None, None),
        ("eu", None, 1, 1, None),
        ("fr", 250, 50_000_000, 43_000_000, "eti"),
        ("fr", 4_999, 1_600_000_000, 2_000_000_000, "eti"),
        ("fr", 5_000, 1, 1, "ge"),
    ],
)
def test_size_categories(french, scheme, headcount, turnover, balance, code):
    found = french.members.size_scheme(scheme).category_of(headcount, turnover, balance)
    assert (found and found.code) == code


def test_members_and_colleges(french):
    assert french.members.firm_types == ("sme", "mid", "large")
    assert french.members.preponderant_colleges == ("industry", "research", "training")
    assert french.identifier_for("company").code == "siret"
    assert french.identifier_for("association").code == "rna"
    assert french.identifier_for("laboratory").code == "ror"


def test_nobody_both_validates_and_submits(each):
    for role in each.roles:
        assert not (role.may("observation.validate") and role.may("observation.submit"))


def test_every_permission_is_held_in_the_french_programme(french):
    held = set().union(*(role.permissions for role in french.roles))
    assert held == set(vocabulary.PERMISSIONS)
    assert french.role("reader").permissions == frozenset()


def test_everything_fixed_by_a_text_has_a_reference(each):
    things = [*each.phases, *each.tiers, *each.label_acts, *each.indicators, *each.contract_templates]
    things += [*each.roadmap_templates, *each.evaluation_groups, *each.themes, *each.regions, *each.members.types]
    things += [value for history in each.parameters.values() for value in history.values]
    for thing in things:
        assert thing.reference and thing.line and thing.file


def test_every_word_in_both_languages(each):
    assert set(each.words) == set(vocabulary.WORDS)
    assert all(word.fr and word.en for word in each.words.values())


def test_every_source_key_is_used(french):
    """A source that nothing names is a line to delete."""
    text = "".join(
        path.read_text("utf-8") for path in Path(french.folder).glob("*.yaml") if path.name != "sources.yaml"
    )
    assert [key for key in french.sources if not re.search(rf"source: {key}\b", text)] == []


def test_the_example_differs_where_it_can(french, example):
    assert example.example and not french.example
    assert (example.currency, french.currency) == ("NOK", "EUR")
    assert {r.code for r in example.roles}.isdisjoint({r.code for r in french.roles})
    assert {p.code for p in example.phases}.isdisjoint({p.code for p in french.phases})
    assert {i.code for i in example.indicators}.isdisjoint({i.code for i in french.indicators})
    assert str(example.word("cluster")) == "network"
    assert example.indicator("export_sales").unit_title.en == "NOK"
    assert example.contract_template("agreement-2018").signing_order == (("state",), ("authority", "governance"))
    assert "siret" not in {i.checker for i in example.identifiers}
