"""The commands: what they print, and what they answer to a script."""

import json

import pytest
from typer.testing import CliRunner

from jalon.policy import commands, find

run = CliRunner().invoke


def test_check_all_is_in_order():
    result = run(commands.policy_app, ["check"])
    assert result.exit_code == 0
    assert "fr-poles-de-competitivite: in order" in result.output
    assert "example-nordlys: in order" in result.output


def test_check_prints_every_fault_and_fails(folder):
    for file, old, new in (("governance.yaml", "0.6", "most"), ("roles.yaml", "round.open", "round.close")):
        (folder / file).write_text((folder / file).read_text("utf-8").replace(old, new), "utf-8")
    result = run(commands.policy_app, ["check", str(folder)])
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert [line for line in lines if "governance.yaml:8: preponderant_share_above" in line and "“most”" in line]
    assert [line for line in lines if "roles.yaml:" in line and "round.close" in line]
    assert lines[-1] == "2 faults."


@pytest.mark.parametrize(("lang", "words"), [("fr", ["18 mois", "texte :"]), ("en", ["18 months", "text:"])])
def test_show(lang, words):
    args = ["show", "evaluations.mid_term_review_after", "--on", "2010-06-30", "--lang", lang]
    result = run(commands.policy_app, args)
    assert result.exit_code == 0
    for word in [*words, "Suites de l'évaluation des 71 pôles (phase 2)", "evaluations.yaml:"]:
        assert word in result.output.replace("\u00a0", " ")


def test_show_json():
    args = ["show", "evaluations.mid_term_review_after", "--on", "2010-06-30", "--json"]
    found = json.loads(run(commands.policy_app, args).output)
    assert (found["value"], found["unit"], found["since"]) == (18, "months", "2009-01-01")
    assert found["reference"] == "Suites de l'évaluation des 71 pôles (phase 2)"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["evaluations.mid_term_review_after", "--on", "2008-01-01"], "No value is in force on 1 January 2008"),
        (["evaluations.mid_term_review_after", "--on", "2008-01-01"], "starts on 1 January 2009"),
        (["evaluations.nothing", "--on", "2010-01-01"], "There is no parameter"),
        (["evaluations.mid_term_review_after", "--on", "yesterday"], "expected a date"),
        (["evaluations.mid_term_review_after", "--on", "2010-01-01", "--programme", "x"], "There is no programme “x”"),
    ],
)
def test_show_says_why_not(args, says):
    result = run(commands.policy_app, ["show", *args])
    assert result.exit_code == 1
    assert says in result.output


def test_show_json_says_why_not():
    args = ["show", "evaluations.mid_term_review_after", "--on", "2008-01-01", "--json"]
    result = run(commands.policy_app, args)
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert found["value"] is None and found["next_since"] == "2009-01-01"


def test_list_flags_the_example():
    lines = run(commands.policy_app, ["list"]).output.splitlines()
    assert [line for line in lines if line.startswith("example-nordlys") and "invented example" in line]
    assert [line for line in lines if line.startswith("fr-poles") and "example" not in line]


@pytest.mark.parametrize("word", ["review", "REVIEW", "révision", "revision", "mid_term_review", "avenant"])
def test_rule_finds(word, capsys):
    assert commands.rule(word) == 0
    assert "policies/" in capsys.readouterr().out


def test_rule_prints_parameter_values_reference_functions_and_tests(capsys):
    assert commands.rule("mid-term review") == 0
    out = capsys.readouterr().out
    assert "evaluations.mid_term_review_after" in out
    assert "2009-01-01 – 2012-12-31: 18 — Suites de l'évaluation des 71 pôles (phase 2)" in out
    assert "tests/policy/test_programmes.py:" in out
    commands.rule("leap year")
    assert "tests/policy/test_rounds.py:" in capsys.readouterr().out
    commands.rule("reporting rounds")
    commands.rule("plus_months")
    assert "src/jalon/policy/rules.py:" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["zz" + "qqxx", "", "  "])
def test_rule_finds_nothing(word, capsys):
    assert commands.rule(word) == 1
    assert "Nothing holds" in capsys.readouterr().err


def test_accents_case_and_dashes_do_not_matter():
    assert find.plain("Délai  AVANT l’examen_à mi-parcours") == "delai avant l'examen a mi parcours"
