"""Acts on calls and projects, on real rows: order of access, rule, writes and journal; refusals; two writers at once."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.projects import actions, following, queries
from jalon.projects.models import BudgetLine, Project, Revision
from jalon.projects.nightly import nightly
from jalon.projects.rules import Line
from tests import factories as make
from tests.projects import world as w

pytestmark = pytest.mark.django_db
DAY = w.DAY


def texts(refusal) -> str:
    return "\n".join([str(refusal.value.reason), *(str(m) for m in refusal.value.missing)])


def test_a_file_goes_from_draft_to_admissible(world):
    project = world.project
    assert project.state == "draft" and project.rules.version == 1
    cluster = w.make_pole()
    w.label(project, cluster)
    assert [g.code for g in queries.gaps_of(project, DAY) if g.level != "warn"] == []
    project = actions.submit(project, by=world.leader, on=DAY)
    assert project.state == "submitted"
    frozen = queries.frozen_content(project)
    assert frozen["sha256"] == project.frozen.sha256 and [p["key"] for p in frozen["partners"]] == ["p1", "p2", "p3"]
    assert JournalEntry.objects.filter(case=project.case, act="project.worded").count() == 1
    officer = make.make_actor("fund_manager")
    project = actions.check_admissibility(project, admissible=True, by=officer, on=DAY)
    assert project.state == "admissible"
    assert list(breaks()) == []


def test_what_is_frozen_does_not_change_without_a_round(handed_in):
    project = handed_in.project
    with pytest.raises(Conflict) as refusal:
        actions.set_field(project, "summary", "Autre", by=handed_in.leader, on=DAY)
    assert "déposé" in texts(refusal)
    assert Revision.objects.filter(project=project, refused=True).get().content == {"summary": "Autre"}
    actions.ask_clarification(project, sections=["summary"], message="Préciser", by=handed_in.officer, on=DAY)
    actions.set_field(project, "summary", "Autre", by=handed_in.leader, on=DAY)
    with pytest.raises(Conflict) as refusal:
        actions.set_field(project, "title", "Autre titre", by=handed_in.leader, on=DAY)
    assert "gelée" in texts(refusal)
    first = project.frozen.sha256
    late = DAY + dt.timedelta(days=16)
    with pytest.raises(Refused) as refusal:
        actions.answer_clarification(project, by=handed_in.leader, on=late)
    assert "minuit" in texts(refusal)
    answered = actions.answer_clarification(project, by=handed_in.leader, on=DAY + dt.timedelta(days=15))
    project.refresh_from_db()
    assert answered.state == "answered" and project.state == "submitted" and project.frozen.sha256 != first
    assert queries.frozen_content(project)["summary"] == "Autre"
    assert list(breaks()) == []


def test_two_people_write_the_same_section(world):
    other = make.make_actor(
        "project_member", organisation=make.Organisation.objects.get(pk=world.leader.organisation_id)
    )
    rev = queries.section_revs(world.project)["summary"].rev
    saved = actions.save_section(world.project, "summary", {"summary": "A"}, rev=rev, by=world.leader, on=DAY)
    with pytest.raises(Conflict) as refusal:
        actions.save_section(world.project, "summary", {"summary": "B"}, rev=rev, by=other, on=DAY)
    assert refusal.value.theirs == {"summary": "A"} and refusal.value.yours == {"summary": "B"}
    assert refusal.value.rev == saved.rev and refusal.value.kept.refused
    world.project.refresh_from_db()
    assert world.project.summary == "A"


def test_a_partner_writes_its_own_part_only(world):
    actions.save_section(world.project, "partner:p2", {"contribution": "Prototype"}, by=world.partner, on=DAY)
    actions.set_budget(world.project, "p2", w.lines(Decimal(500000)), by=world.partner, on=DAY)
    for act in (
        lambda: actions.set_budget(world.project, "p1", w.lines(Decimal(1)), by=world.partner, on=DAY),
        lambda: actions.set_field(world.project, "summary", "x", by=world.partner, on=DAY),
        lambda: actions.submit(world.project, by=world.partner, on=DAY),
        lambda: actions.add_partner(world.project, make.make_organisation(), by=world.lab, on=DAY),
        lambda: actions.save_section(
            world.project, "partner:p2", {"contribution": ""}, by=make.make_actor("project_member"), on=DAY
        ),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_partner_twice_is_refused_in_a_sentence(world):
    organisation = world.partners["p2"].organisation
    with pytest.raises(Refused) as refusal:
        actions.add_partner(world.project, organisation, by=world.leader, on=DAY)
    assert f"« {organisation.name} » est déjà partenaire" in texts(refusal).replace("\u00a0", " ")
    assert world.project.partners.count() == 3


def test_a_wrong_budget_writes_nothing_and_says_every_fault(world):
    before = BudgetLine.objects.count()
    wrong = [
        Line(2015, "personnel", Decimal(10), "applied", "industrial"),
        Line(2011, "cadeaux", Decimal(10)),
        Line(2011, "personnel", Decimal(0)),
        Line(2011, "services", Decimal(5)),
        Line(2011, "services", Decimal(6)),
        Line(2011, "equipment", Decimal(5), "pure", "other"),
    ]
    with pytest.raises(Refused) as refusal:
        actions.set_budget(world.project, "p1", wrong, by=world.leader, on=DAY)
    said = texts(refusal)
    for part in (
        "2015 est hors du projet, qui va de 2011 à 2013",
        "cadeaux",
        "n'est pas positif",
        "la ligne 4",
        "« pure »",
    ):
        assert part in said.replace("\u00a0", " ")
    assert BudgetLine.objects.count() == before


def test_nothing_is_received_after_midnight_of_the_closing(world):
    w.label(world.project)
    call = world.call
    late = dt.datetime.combine(
        call.closes_on + dt.timedelta(days=1), dt.time(0, 0, 1), tzinfo=dt.timezone(dt.timedelta(hours=2))
    )
    with pytest.raises(Refused) as refusal:
        actions.submit(world.project, by=world.leader, on=call.closes_on, at=late)
    assert "minuit" in texts(refusal)
    last = dt.datetime.combine(call.closes_on, dt.time(23, 59, 59), tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert actions.submit(world.project, by=world.leader, on=call.closes_on, at=last).state == "submitted"


def test_a_late_label_does_not_count(world):
    w.label(world.project, decided_on=world.call.closes_on + dt.timedelta(days=1))
    project = actions.submit(world.project, by=world.leader, on=DAY)
    with pytest.raises(Refused) as refusal:
        actions.check_admissibility(project, admissible=True, by=make.make_actor("national_officer"), on=DAY)
    assert "après la clôture" in texts(refusal)
    with pytest.raises(Refused):
        actions.check_admissibility(project, admissible=False, by=make.make_actor("national_officer"), on=DAY)
    gone = actions.check_admissibility(
        project, admissible=False, reasons="Label tardif", by=make.make_actor("national_officer"), on=DAY
    )
    assert gone.state == "inadmissible" and gone.outcome_reasons == "Label tardif"
    assert OutboxMessage.objects.filter(case=project.case, body__contains="Label tardif").exists()


def test_each_file_says_which_rules_it_obeys(handed_in):
    call, officer = handed_in.call, handed_in.officer
    draft = w.consortium(call)
    changed = json.loads(json.dumps(queries.latest_rules(call).rules))
    next(e for e in changed["eligibility"] if e["rule"] == "partner_share_max")["value"] = "40"
    with pytest.raises(Refused):
        actions.new_rules_version(call, changed, reason=" ", by=officer, on=DAY)
    made = actions.new_rules_version(call, changed, reason="Décision du comité", by=officer, on=DAY)
    assert made.version == 2
    draft.project.refresh_from_db()
    assert draft.project.rules.version == 1
    with pytest.raises(Refused) as refusal:
        actions.move_to_version(handed_in.project, made, by=officer, on=DAY)
    assert "garde la version" in texts(refusal)
    moved = actions.move_to_version(draft.project, made, by=officer, on=DAY)
    assert moved.rules.version == 2
    assert "partner_share_max" in {g.code for g in queries.gaps_of(moved, DAY)}
    wrong = json.loads(json.dumps(changed))
    wrong["eligibility"].append({"rule": "partner_share_max", "value": "140", "effect": "refuse"})
    wrong["rates"][0]["percent"] = "120"
    with pytest.raises(Refused) as refusal:
        actions.new_rules_version(call, wrong, reason="Essai", by=officer, on=DAY)
    assert len(refusal.value.missing) == 3


def test_calls_say_what_is_wrong(db):
    officer = make.make_actor("national_officer")
    with pytest.raises(Refused) as refusal:
        actions.open_call("inconnu", by=officer, on=DAY)
    assert "fui" in texts(refusal)
    with pytest.raises(Refused) as refusal:
        w.make_call(by=officer, on=DAY, closes_on=DAY - dt.timedelta(days=1))
    assert "précède" in texts(refusal)
    with pytest.raises(NotAllowed):
        actions.open_call("fui", by=make.make_actor("project_member"), on=DAY)
    call = w.make_call(code="essai", by=officer)
    with pytest.raises(Refused):
        w.make_call(code="essai", by=officer)
    closed = w.make_call(closes_on=DAY - dt.timedelta(days=1))
    with pytest.raises(Refused) as refusal:
        actions.start_project(closed, "X", "Y", by=make.make_actor("project_member"), on=DAY)
    assert "clos" in texts(refusal)
    assert Project.objects.count() == 0
    edited = actions.edit_call(call, envelope=Decimal("60000000"), by=officer, on=DAY, rev=0)
    assert edited.rev == 1
    with pytest.raises(Conflict):
        actions.edit_call(call, envelope=Decimal("1"), by=officer, on=DAY, rev=0)


# -- after the selection --------------------------------------------------------------------------------------------


def running(**fields):
    """A project that was selected and runs since the start of 2009."""
    made = w.admissible(starts_on=dt.date(2009, 1, 1))
    Project.objects.filter(pk=made.project.pk).update(state="selected")
    made.project.refresh_from_db()
    return made


def lines_of(*rows):
    return [Line(y, c, Decimal(a), "applied", "industrial") for y, c, a in rows]


@pytest.fixture
def lived(db, monkeypatch):
    monkeypatch.setattr(w, "lines", lambda total, year=2009: [Line(2009, "personnel", total, "applied", "industrial")])
    made = running()
    made.project = following.start_work(made.project, by=made.officer, on=DAY)
    return made


def test_a_project_reports_each_year_and_what_it_reached_counts_once_accepted(lived):
    assert following.open_reports(on=DAY) == 1 and following.open_reports(on=DAY) == 0
    report = lived.project.year_reports.get()
    assert (report.year, report.due_on) == (2009, dt.date(2010, 3, 31))
    with pytest.raises(Refused) as refusal:
        following.submit_report(report, by=lived.leader, on=DAY)
    assert len(refusal.value.missing) == 3
    values = {
        "standing": "late",
        "progress": "40",
        "achievements": "Essais",
        "trl_reached": 4,
        "trl_reached_on": "2009-12-01",
    }
    report = following.save_report(report, values, by=lived.leader, on=DAY, rev=0)
    with pytest.raises(Conflict):
        following.save_report(report, {"progress": 50}, by=lived.leader, on=DAY, rev=0)
    with pytest.raises(Refused) as refusal:
        following.submit_report(report, by=lived.leader, on=DAY)
    assert "écarts" in texts(refusal)
    following.save_report(report, {"deviations": "Retard d'un fournisseur"}, by=lived.leader, on=DAY)
    report = following.submit_report(report, by=lived.leader, on=DAY)
    with pytest.raises(NotAllowed):
        following.review_report(report, accept=True, by=lived.leader, on=DAY)
    following.review_report(report, accept=True, by=lived.officer, on=DAY)
    lived.project.refresh_from_db()
    assert (lived.project.trl_reached, lived.project.trl_reached_on) == (4, dt.date(2009, 12, 1))


def test_a_change_binds_once_it_is_approved(lived):
    content = {"partner": "p2", "lines": [[2010, "services", "applied", "industrial", "450 000,50"]]}
    made = following.propose_amendment(
        lived.project, "budget", content, reason="Sous-traitance", by=lived.leader, on=DAY
    )
    assert queries.budget_of(lived.partners["p2"])[0].category == "personnel"
    with pytest.raises(Refused):
        following.propose_amendment(lived.project, "duration", {"months": 48}, reason="Retard", by=lived.leader, on=DAY)
    with pytest.raises(NotAllowed):
        following.decide_amendment(made, approve=True, by=lived.leader, on=DAY)
    made = following.decide_amendment(made, approve=True, by=lived.officer, on=DAY)
    assert queries.budget_of(lived.partners["p2"]) == [
        Line(2010, "services", Decimal("450000.50"), "applied", "industrial")
    ]
    assert made.before["lines"][0][1] == "personnel"
    newcomer = make.make_organisation("Arrivant", kind="company")
    made = following.propose_amendment(
        lived.project, "partner_in", {"organisation": newcomer.pk, "lines": lines_of((2010, "personnel", "9000"))},
        reason="Reprise", by=lived.leader, on=DAY,
    )  # fmt: skip
    following.decide_amendment(made, approve=True, by=lived.officer, on=DAY)
    made = following.propose_amendment(
        lived.project, "partner_out", {"partner": "p3"}, reason="Retrait", by=lived.leader, on=DAY
    )
    with pytest.raises(Refused):
        following.decide_amendment(made, approve=False, by=lived.officer, on=DAY)
    following.decide_amendment(made, approve=True, by=lived.officer, on=DAY)
    assert [p.organisation.name for p in queries.partners_of(lived.project)][-1] == "Arrivant"
    assert [p.key for p in queries.partners_of(lived.project)] == ["p1", "p2", "p4"]


def test_outcomes_carry_their_evidence_and_count_once_validated(lived):
    with pytest.raises(Refused) as refusal:
        following.declare_outcome(lived.project, "patent", 2010, "2", by=lived.lab, on=DAY)
    assert "justificatif" in texts(refusal)
    with pytest.raises(Refused):
        following.declare_outcome(lived.project, "patent", 2011, "2", evidence="FR1", by=lived.lab, on=DAY)
    with pytest.raises(Refused):
        following.declare_outcome(lived.project, "patent", 2010, "1,5", evidence="FR1", by=lived.lab, on=DAY)
    made = following.declare_outcome(lived.project, "patent", 2010, "2", evidence="FR1, FR2", by=lived.lab, on=DAY)
    new = following.declare_outcome(
        lived.project, "patent", 2010, "3", evidence="FR1 à FR3", replaces=made, by=lived.lab, on=DAY
    )
    with pytest.raises(Refused):
        following.validate_outcome(made, valid=True, by=lived.officer, on=DAY)
    assert following.validate_outcome(new, valid=True, by=lived.officer, on=DAY).validated
    finished = following.finish(lived.project, ended_on=DAY, by=lived.officer, on=DAY)
    assert finished.state == "finished"
    assert following.followed_years(finished, dt.date(2020, 1, 1)) == (2009, 2015)
    assert list(breaks()) == []


def test_the_night_opens_reports_and_reminds_once(lived):
    first = nightly(DAY - dt.timedelta(days=106))  # 15 days before the report is due
    again = nightly(DAY - dt.timedelta(days=106))
    assert [str(s) for s in first] == ["1 comptes rendus de projets ouverts, 1 rappels de projets"]
    assert [str(s) for s in again] == ["0 comptes rendus de projets ouverts, 0 rappels de projets"]


def test_companies_tied_by_ownership_count_as_one(world):
    from jalon.aid.models import OwnershipLink

    holding, at = make.make_organisation("Holding"), world.project.created_at
    one, two = world.partners["p1"].organisation, world.partners["p2"].organisation
    link = OwnershipLink.objects.create(owner=holding, owned=one, share=Decimal(60), recorded_at=at)
    assert "companies_linked" not in {g.code for g in queries.gaps_of(world.project, DAY)}
    OwnershipLink.objects.create(owner=holding, owned=two, control=True, recorded_at=at)
    found = next(g for g in queries.gaps_of(world.project, DAY) if g.code == "companies_linked")
    assert one.name in str(found.text) and two.name in str(found.text)
    OwnershipLink.objects.filter(pk=link.pk).update(ends_on=DAY - dt.timedelta(days=1))
    assert "companies_linked" not in {g.code for g in queries.gaps_of(world.project, DAY)}
    OwnershipLink.objects.create(owner=one, owned=two, share=Decimal(25), recorded_at=at)
    assert "companies_linked" in {g.code for g in queries.gaps_of(world.project, DAY)}
