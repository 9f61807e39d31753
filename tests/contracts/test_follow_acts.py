"""Acts of a contract's life: values, reports, actions, commitments; versions; who may."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from jalon.contracts import follow_actions as acts, follow_queries as queries
from jalon.contracts.models import Action, Milestone, Objective, Progress, Report
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.indicators import actions as values, queries as observed
from jalon.indicators.models import Observation
from tests.contracts.follow_world import DAY, make_lived, money

pytestmark = pytest.mark.django_db

LATER = dt.date(2010, 3, 20)
LAST = dt.date(2010, 4, 2)


def fresh(world) -> Report:
    return Report.objects.select_related("contract__cluster", "round").get(pk=world.report.pk)


def fill(world, on=DAY, **changed):
    """Fill what is declared, as the team does."""
    typed = {"i2": acts.Typed(value="12"), "i3": acts.Typed(value="31", note="")} | changed
    for key, one in typed.items():
        acts.declare(fresh(world), key, one, by=world.team, on=on)


def current(world, code="projects_labelled", state=None):
    rows = Observation.objects.filter(cluster=world.cluster, indicator=code, breakdown="", superseded_at__isnull=True)
    return rows.filter(state=state).first() if state else rows.first()


class TestReport:
    def test_a_year_is_reported_returned_corrected_and_validated(self):
        world = make_lived()
        fill(world)
        acts.submit_report(fresh(world), by=world.director, on=DAY)
        assert current(world).state == "submitted"
        assert current(world, "members_total").value == 3  # computed from the register and kept with the report

        acts.return_report(
            fresh(world), by=world.correspondent, on=LATER, reason="", values_returned={"i2": "Manque l'appel 8"}
        )
        assert current(world).state == "returned"
        assert current(world).reason == "Manque l'appel 8"
        assert current(world, world.contract.slug + "/i3").state == "submitted"

        with pytest.raises(Refused, match="verrouillée"):
            acts.declare(fresh(world), "i3", acts.Typed(value="40"), by=world.team, on=LATER)
        with pytest.raises(Refused) as refused:  # returned, not taken up
            acts.submit_report(fresh(world), by=world.director, on=LATER)
        assert "Manque l'appel 8" in str(refused.value)

        acts.declare(fresh(world), "i2", acts.Typed(value="14"), by=world.team, on=LATER)
        acts.submit_report(fresh(world), by=world.director, on=LATER)
        acts.validate_report(fresh(world), by=world.correspondent, on=LAST)
        assert fresh(world).state == "validated"
        assert current(world).state == "validated"
        assert (current(world).value, current(world).version) == (14, 2)
        told = [
            (o.version, o.value, o.state) for o in observed.history(world.cluster.pk, "projects_labelled", sight="own")
        ]
        assert told == [
            (1, 12, "draft"),
            (1, 12, "submitted"),
            (1, 12, "returned"),
            (2, 14, "draft"),
            (2, 14, "submitted"),
            (2, 14, "validated"),
        ]
        chain = list(
            JournalEntry.objects.filter(case=acts.case_of(fresh(world))).order_by("seq").values_list("act", flat=True)
        )
        assert [a for a in chain if a.startswith("report.")] == [
            "report.submit",
            "report.return",
            "report.submit",
            "report.validate",
        ]

    def test_what_was_known_on_a_day_stays_known(self):
        world = make_lived()
        fill(world)
        acts.submit_report(fresh(world), by=world.director, on=DAY)
        acts.validate_report(fresh(world), by=world.correspondent, on=LATER)
        acts.reopen_report(fresh(world), by=world.correspondent, on=LAST, reason="Erreur de saisie")
        acts.declare(fresh(world), "i2", acts.Typed(value="9"), by=world.team, on=LAST)
        # the validated value stays public while its correction is written
        assert current(world, state="validated").value == 12
        assert current(world, state="draft").value == 9

        def public(known_on=None):
            rows = observed.values(world.cluster.pk, ["projects_labelled"], known_on=known_on)
            return [o.value for o in rows if not o.breakdown]

        assert public(DAY) == []
        assert public(LATER) == [12]
        acts.submit_report(fresh(world), by=world.director, on=LAST)
        acts.validate_report(fresh(world), by=world.correspondent, on=LAST + dt.timedelta(days=3))
        assert public() == [9]
        assert public(LAST) == [12]
        reports, states = queries.reports_of(world.contract, DAY)
        assert states[reports[0].pk] == "submitted"
        assert queries.reports_of(world.contract, DAY - dt.timedelta(days=1))[1][world.report.pk] == "open"

    def test_nothing_is_submitted_while_something_is_missing(self):
        world = make_lived()
        acts.declare(fresh(world), "i2", acts.Typed(value=""), by=world.team, on=DAY)
        with pytest.raises(Refused) as refused:
            acts.submit_report(fresh(world), by=world.director, on=DAY)
        assert len(refused.value.missing) == 2
        acts.declare(fresh(world), "i2", acts.Typed(note="Le comité ne s'est pas réuni"), by=world.team, on=DAY)
        acts.declare(fresh(world), "i3", acts.Typed(value="1 234,5"), by=world.team, on=DAY)
        acts.submit_report(fresh(world), by=world.director, on=DAY)
        assert current(world).value is None

    def test_a_warning_does_not_bar_submission(self):
        world = make_lived()
        written, found = acts.declare(fresh(world), "i2", acts.Typed(value="12"), by=world.team, on=DAY)
        assert [(f.level, f.code) for f in found if f.code == "evidence"] == [("warning", "evidence")]
        assert written.value == 12

    @pytest.mark.parametrize(
        ("typed", "word"),
        [
            (acts.Typed(value="douze"), "ne se lit pas"),
            (acts.Typed(value="1 2"), "ne se lit pas"),
            (acts.Typed(value="99999999999999999999"), "13 chiffres"),
            (acts.Typed(value="5", breakdowns={"programme=fui": "x"}), "ne se lit pas"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_a_sentence_and_writes_nothing(self, typed, word):
        world = make_lived()
        with pytest.raises(Refused, match=word):
            acts.declare(fresh(world), "i2", typed, by=world.team, on=DAY)
        assert current(world) is None

    @pytest.mark.parametrize(
        ("typed", "code"),
        [
            (acts.Typed(value="-3"), "range"),
            (acts.Typed(value="2,5"), "whole"),
            (
                acts.Typed(
                    value="10",
                    breakdowns={
                        "programme=fui": "4",
                        "programme=anr": "5",
                        "programme=regional": "0",
                        "programme=european": "0",
                        "programme=other": "0",
                    },
                ),
                "breakdown",
            ),
            (acts.Typed(value="10", breakdowns={"programme=fui": "11"}), "breakdown"),
        ],
    )
    def test_a_wrong_value_is_kept_as_a_draft_and_bars_submission(self, typed, code):
        world = make_lived()
        _, found = acts.declare(fresh(world), "i2", typed, by=world.team, on=DAY)
        assert [f.code for f in found if f.error] == [code]
        acts.declare(fresh(world), "i3", acts.Typed(value="1"), by=world.team, on=DAY)
        with pytest.raises(Refused):
            acts.submit_report(fresh(world), by=world.director, on=DAY)
        assert current(world).state == "draft"

    def test_two_editors_are_told_and_nothing_is_overwritten(self):
        world = make_lived()
        seen = values.revision([])
        acts.declare(fresh(world), "i2", acts.Typed(value="12"), by=world.team, on=DAY, seen=seen)
        with pytest.raises(Conflict) as conflict:
            acts.declare(fresh(world), "i2", acts.Typed(value="13"), by=world.director, on=DAY, seen=seen)
        assert conflict.value.theirs["Valeur"] == "12"
        assert conflict.value.yours["Valeur"] == "13"
        assert current(world).value == 12
        now = values.revision(values.in_work(world.cluster.pk, "projects_labelled", world.round.period_end))
        acts.declare(fresh(world), "i2", acts.Typed(value="13"), by=world.director, on=DAY, seen=now)
        assert current(world).value == 13

    def test_a_draft_is_one_row_however_often_it_is_saved(self):
        world = make_lived()
        for value in ("1", "12", "123"):
            acts.declare(fresh(world), "i2", acts.Typed(value=value), by=world.team, on=DAY)
        assert Observation.objects.filter(indicator="projects_labelled").count() == 1
        assert JournalEntry.objects.filter(act="value.draft").count() == 1

    def test_outside_its_period_a_report_says_why(self):
        world = make_lived()
        with pytest.raises(Refused, match="n'ouvre que le 1er.janvier.2010"):
            acts.declare(fresh(world), "i2", acts.Typed(value="1"), by=world.team, on=dt.date(2009, 12, 1))
        world.round.closed_on = dt.date(2010, 5, 1)
        world.round.save()
        with pytest.raises(Refused, match="close depuis"):
            acts.declare(fresh(world), "i2", acts.Typed(value="1"), by=world.team, on=dt.date(2010, 5, 2))
        acts.extend_report(
            fresh(world),
            dt.date(2010, 6, 30),
            by=world.correspondent,
            on=dt.date(2010, 5, 2),
            reason="Direction absente",
        )
        acts.declare(fresh(world), "i2", acts.Typed(value="1"), by=world.team, on=dt.date(2010, 5, 3))

    def test_more_time_needs_a_later_day_and_a_reason(self):
        world = make_lived()
        with pytest.raises(Refused, match="n'est pas après"):
            acts.extend_report(fresh(world), dt.date(2010, 3, 1), by=world.correspondent, on=DAY, reason="x")
        with pytest.raises(Refused, match="motif"):
            acts.extend_report(fresh(world), dt.date(2010, 6, 1), by=world.correspondent, on=DAY, reason=" ")

    def test_a_computed_value_cannot_be_declared(self):
        world = make_lived()
        with pytest.raises(Refused, match="n'est pas déclaré"):
            acts.declare(fresh(world), "i1", acts.Typed(value="200"), by=world.team, on=DAY)


class TestWho:
    @pytest.mark.parametrize("who", ["correspondent", "officer", "region", "other_director"])
    def test_only_the_pole_declares(self, who):
        world = make_lived()
        with pytest.raises(NotAllowed):
            acts.declare(fresh(world), "i2", acts.Typed(value="1"), by=getattr(world, who), on=DAY)

    def test_the_team_fills_in_and_the_director_submits(self):
        world = make_lived()
        fill(world)
        with pytest.raises(NotAllowed):
            acts.submit_report(fresh(world), by=world.team, on=DAY)

    @pytest.mark.parametrize("who", ["director", "team", "region", "other_director"])
    def test_only_the_state_validates(self, who):
        world = make_lived()
        fill(world)
        acts.submit_report(fresh(world), by=world.director, on=DAY)
        with pytest.raises(NotAllowed):
            acts.validate_report(fresh(world), by=getattr(world, who), on=DAY)

    def test_a_correspondent_of_another_pole_may_not(self):
        world, other = make_lived(), make_lived()
        fill(world)
        acts.submit_report(fresh(world), by=world.director, on=DAY)
        with pytest.raises(NotAllowed):
            acts.validate_report(fresh(world), by=other.correspondent, on=DAY)

    def test_nobody_declares_a_payment_for_another(self):
        world = make_lived()
        for who in (world.director, world.officer, world.correspondent):
            with pytest.raises(NotAllowed):
                acts.declare_paid(money(world.contract, 2009), by=who, on=DAY, day=DAY)


class TestActions:
    def test_progress_keeps_its_versions_and_a_slip_needs_its_reason(self):
        world = make_lived()
        action = Action.objects.select_related("contract__cluster").get(contract=world.contract, key="a2")
        with pytest.raises(Refused, match="dites pourquoi"):
            acts.report_progress(
                action, status="late", percent=10, expected_end=dt.date(2011, 12, 1), by=world.team, on=DAY
            )
        first = acts.report_progress(
            action,
            status="late",
            percent=10,
            expected_end=dt.date(2011, 12, 1),
            reason="Site non livré",
            by=world.team,
            on=DAY,
            seen=0,
        )
        with pytest.raises(Refused, match="entre-temps"):
            acts.report_progress(action, status="on_track", percent=20, by=world.director, on=LATER, seen=0)
        acts.report_progress(action, status="on_track", percent=20, by=world.director, on=LATER, seen=first.pk)
        assert [p.percent for p in Progress.objects.filter(action=action).order_by("id")] == [10, 20]
        before = queries.actions_of(world.contract, DAY, DAY, queries.texts_known(world.contract, DAY))
        assert next(v for v in before if v.action.key == "a2").slip == 154

    @pytest.mark.parametrize(
        ("given", "word"),
        [
            ({"status": "on_track", "percent": 120}, "0 à 100"),
            ({"status": "done", "percent": 100}, "quel jour"),
            ({"status": "done", "percent": 100, "done_on": dt.date(2010, 12, 1)}, "pas encore venu"),
            ({"status": "cancelled", "percent": 0}, "abandonnée"),
            ({"status": "perhaps", "percent": 0}, "Choisissez"),
        ],
    )
    def test_bad_progress_is_refused(self, given, word):
        world = make_lived()
        action = Action.objects.select_related("contract__cluster").get(contract=world.contract, key="a1")
        with pytest.raises(Refused, match=word):
            acts.report_progress(action, by=world.team, on=DAY, **given)

    def test_a_milestone_is_passed(self):
        world = make_lived()
        stone = Milestone.objects.select_related("action__contract__cluster").get(
            action__contract=world.contract, key="m1"
        )
        acts.pass_milestone(stone, done_on=dt.date(2009, 6, 20), by=world.team, on=DAY)
        view = next(
            v
            for v in queries.actions_of(world.contract, DAY, None, queries.texts_known(world.contract, None))
            if v.action.key == "a1"
        )
        assert view.milestones[0].light.code == "reached"
        assert view.light.code == "late"

    def test_an_objective_is_declared_then_contested_then_agreed(self):
        world = make_lived()
        objective = Objective.objects.select_related("contract__cluster").get(contract=world.contract, key="o1")
        with pytest.raises(Refused, match="rien déclaré"):
            acts.judge_objective(objective, agree=True, by=world.correspondent, on=DAY)
        acts.state_objective(objective, "reached", by=world.team, on=DAY)

        def light():
            return next(
                o
                for o in queries.objectives_of(world.contract, DAY, None, queries.texts_known(world.contract, None))
                if o.objective.key == "o1"
            ).light.code

        assert light() == "on_track"
        acts.judge_objective(objective, agree=False, note="Un seul projet", by=world.correspondent, on=DAY)
        assert light() == "at_risk"
        acts.judge_objective(objective, agree=True, by=world.correspondent, on=DAY)
        assert light() == "reached"
        with pytest.raises(NotAllowed):
            acts.state_objective(objective, "missed", note="x", by=world.correspondent, on=DAY)


class TestCommitments:
    def lights(self, world, day=DAY, known_on=None):
        return {c.commitment.key: c for c in queries.commitments_of(world.contract, day, known_on)}

    def test_a_late_payment_is_late_with_the_same_word_as_a_late_action(self):
        world = make_lived()
        promise = money(world.contract, 2009)
        assert self.lights(world)[promise.key].light.code == "late"
        acts.declare_paid(promise, by=world.region, on=DAY, day=DAY, amount=Decimal(60000))
        assert self.lights(world)[promise.key].light.code == "late"
        assert self.lights(world)[promise.key].left == 40000
        acts.declare_paid(promise, by=world.region, on=LATER, day=LATER)
        view = self.lights(world, LATER)[promise.key]
        assert (view.light.code, view.paid) == ("reached", 100000)
        assert "140 jours" in str(view.light.why.rule)
        assert self.lights(world, DAY, DAY)[promise.key].light.code == "late"

    def test_the_pole_flags_what_did_not_arrive(self):
        world = make_lived()
        promise = money(world.contract, 2010)
        with pytest.raises(Refused, match="Aucun versement"):
            acts.flag_not_received(promise, by=world.team, on=DAY)
        acts.declare_paid(promise, by=world.region, on=DAY, day=DAY)
        acts.flag_not_received(promise, by=world.team, on=LATER)
        assert self.lights(world, LATER)[promise.key].light.code == "at_risk"
        with pytest.raises(Refused, match="déjà"):
            acts.flag_not_received(promise, by=world.team, on=LATER)

    @pytest.mark.parametrize(("amount", "word"), [("-1", "négatif"), ("100001", "dépasse"), ("0", "Dites le montant")])
    def test_impossible_amounts_are_refused(self, amount, word):
        world = make_lived()
        with pytest.raises(Refused, match=word):
            acts.declare_paid(money(world.contract, 2009), by=world.region, on=DAY, day=DAY, amount=Decimal(amount))

    def test_a_payment_to_come_is_refused(self):
        world = make_lived()
        with pytest.raises(Refused, match="pas encore venu"):
            acts.declare_paid(money(world.contract, 2009), by=world.region, on=DAY, day=LATER)


class TestReminders:
    def test_a_reminder_leaves_on_its_days_once(self, policy):
        world = make_lived()
        before = OutboxMessage.objects.count()
        assert (
            acts.remind(world.round, by=world.officer, on=dt.date(2010, 3, 24), only_on_reminder_days=True) == 1
        )  # 7 days before
        assert OutboxMessage.objects.count() == before + 2  # director and team
        assert acts.remind(world.round, by=world.officer, on=dt.date(2010, 3, 24)) == 0
        assert acts.remind(world.round, by=world.officer, on=dt.date(2010, 3, 25), only_on_reminder_days=True) == 0
        message = OutboxMessage.objects.last()
        assert "2009" in message.subject and "7 jours" in message.body

    def test_a_round_asks_a_report_of_every_contract_of_its_period(self):
        world = make_lived()
        Report.objects.all().delete()
        assert acts.open_reports(world.round, by=world.officer, on=DAY) == 1
        assert acts.open_reports(world.round, by=world.officer, on=DAY) == 0
        assert fresh_report(world).due_on == world.round.due_on


def fresh_report(world):
    return Report.objects.get(contract=world.contract)


class TestBudget:
    """The running budget: versions, shares, who may."""

    AMOUNTS = {
        "state": Decimal(300000),
        "local": Decimal(300000),
        "fees": Decimal(200000),
        "services": Decimal(200000),
        "in_kind": Decimal(50000),
    }

    def declare(self, world, year=2009, by=None, on=DAY, **kwargs):
        return acts.declare_budget(
            world.contract, year, kwargs.pop("amounts", self.AMOUNTS), by=by or world.team, on=on, **kwargs
        )

    def year(self, world, known_on=None):
        return queries.budget_years(queries.budget_lines(world.contract, known_on))[-1]

    def test_shares_leave_in_kind_apart_and_say_what_the_policy_aims_at(self):
        world = make_lived()
        self.declare(world)
        found = self.year(world)
        assert (found.total, found.public_share, found.private_share, found.in_kind) == (1000000, 60, 40, 50000)
        assert found.why.parameter == "contracts.public_share_ceiling" and found.why.value == 60 and found.above is None
        assert any("2 ligne(s) ne sont pas données" in str(step) for step in found.why.steps)
        row = JournalEntry.objects.get(case=f"contract:{world.contract.slug}", act="budget.declare")
        assert row.after["year"] == 2009 and row.after["amounts"]["state"] == "300000"

    def test_a_correction_is_a_new_version_with_a_reason(self):
        world = make_lived()
        self.declare(world)
        corrected = self.AMOUNTS | {"state": Decimal(500000)}
        with pytest.raises(Refused, match="motif"):
            self.declare(world, amounts=corrected, on=LATER)
        made = self.declare(world, amounts=corrected, on=LATER, reason="Versement de décembre compté")
        assert [line.kind for line in made] == ["state"]
        assert self.year(world).total == 1200000 and self.year(world, known_on=DAY).total == 1000000
        assert self.declare(world, amounts=corrected, on=LAST) == []

    def test_an_amount_can_become_unknown_again(self):
        world = make_lived()
        self.declare(world)
        self.declare(world, amounts=self.AMOUNTS | {"fees": None}, reason="Compté deux fois", on=LATER)
        assert "fees" not in self.year(world).lines and self.year(world).total == 800000

    @pytest.mark.parametrize(
        ("year", "amounts", "said"),
        [
            (2011, {"state": Decimal(1)}, "pas encore de budget"),
            (2009, {"state": Decimal(-1)}, "négatif"),
            (2009, {"state": Decimal("1.001")}, "deux décimales"),
            (2009, {"loterie": Decimal(1)}, "n'existe pas"),
        ],
    )
    def test_what_cannot_be_is_refused(self, year, amounts, said):
        world = make_lived()
        with pytest.raises(Refused) as refused:
            self.declare(world, year, amounts=amounts)
        assert said in str(refused.value).replace("\u2019", "'")
        assert not queries.budget_lines(world.contract)

    def test_two_people_do_not_overwrite_each_other(self):
        world = make_lived()
        self.declare(world, seen=0)
        with pytest.raises(Conflict):
            self.declare(world, amounts={"state": Decimal(1)}, seen=0, reason="Autre", by=world.director)
        assert self.year(world).lines["state"] == 300000

    def test_only_the_pole_declares_it(self):
        world = make_lived()
        for other in (world.correspondent, world.region, world.other_director, world.officer):
            with pytest.raises(NotAllowed):
                self.declare(world, by=other)
