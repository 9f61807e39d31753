"""Every fault, finding and refusal says why: rule, text, inputs."""

from __future__ import annotations

import ast
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from jalon.contracts import content as doc, reasons, rules
from jalon.core.errors import Refused
from jalon.indicators.rules import Definition, check_value, definition_of
from tests.contracts import world as negotiation
from tests.factories import DAY


def test_every_code_of_a_fault_has_its_own_reason():
    tree = ast.parse(Path(doc.__file__).read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "fault"]
    codes = {c.args[1].value for c in calls if isinstance(c.args[1], ast.Constant)} | {
        "no_starts_on",
        "no_owner",
        "no_end",
    }
    assert len(codes) > 30
    assert codes <= set(reasons.RULES)


def test_what_is_missing_names_rule_and_text(policy):
    template = policy.contract_template_for("phase-2")
    points = rules.requirements({"starts_on": "2009-01-01", "ends_on": "2019-12-31"}, template, group="2")
    found = {m.code: m.why for r in points for m in r.missing}
    assert all(why is not None and str(why.rule) for why in found.values())
    assert found["duration"].reference == template.durations.reference
    assert found["duration"].parameter == f"contracts.templates.{template.code}.durations"
    assert found["no_axes"].url or found["no_axes"].reference


@pytest.mark.parametrize(
    ("value", "previous", "code"),
    [(None, None, "missing"), (Decimal(-1), None, "range"), (Decimal("1.5"), None, "whole"), (Decimal(400), Decimal(100), "jump")],
)  # fmt: skip
def test_each_finding_says_why(policy, value, previous, code):
    definition = definition_of(policy.indicator("members_total"))
    if code == "jump" and definition.jump is None:
        definition = Definition(unit="count", decimals=0, jump=Decimal("0.5"), parameter="indicators.members_total")
    found = {f.code: f for f in check_value(definition, value=value, previous=previous)}
    assert found[code].why.parameter == "indicators.members_total"
    if value is not None:
        assert value in found[code].why.inputs.values()


@pytest.mark.django_db
def test_a_deliberation_and_an_annex_of_tomorrow_are_refused_with_their_reason():
    from jalon.contracts import actions

    made = negotiation.negotiated(negotiation.make_world("alpha"))
    tomorrow = DAY + dt.timedelta(days=1)
    with pytest.raises(Refused) as refused:
        actions.decide(made.text, by=made.region_agent, on=DAY, decided_on=tomorrow, reference="CP 12")
    assert refused.value.why.day == DAY and tomorrow in refused.value.why.inputs.values()
    with pytest.raises(Refused) as refused:
        actions.decide(
            made.text, by=made.region_agent, on=DAY, decided_on=DAY, reference="CP 12", year=2031, amount="10"
        )
    assert 2031 in refused.value.why.inputs.values()
    with pytest.raises(Refused) as refused:
        actions.add_annex(
            made.text, "statutes", b"%PDF-1.4", "statuts.pdf", dated=tomorrow, by=made.correspondent, on=DAY
        )
    assert tomorrow in refused.value.why.inputs.values()
