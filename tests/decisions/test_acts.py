"""Acts on decisions and applications: what each does, what each refuses, and that a refusal writes nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from jalon.contracts import actions as contracts
from jalon.contracts.models import Commitment, CommitmentStep, Contract
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.decisions import actions, candidacies, effects, letters, phases
from jalon.decisions.models import Candidacy, Decision, Effect, PhaseClosing
from jalon.interests import actions as interests
from tests import factories as make
from tests.decisions.world import DAY, bounded, decided, label_of, proposed, withdrawal

pytestmark = pytest.mark.django_db
NEXT = DAY + dt.timedelta(days=1)


def spans(cluster):
    return [
        (p.starts_on, p.ends_on) for p in label_of(cluster).periods.filter(superseded_at=None).order_by("starts_on")
    ]


# -- effects ----------------------------------------------------------------------------------------------------


def test_what_is_shown_in_advance_is_what_is_done(world):
    file = proposed(world)
    line = file.lines.select_related("cluster", "label", "candidacy").get()
    ahead = effects.plan([line], DAY, decided_on=DAY)[line.pk]
    before = JournalEntry.objects.count()
    effects.plan([line], DAY)
    assert JournalEntry.objects.count() == before  # a plan reads only
    actions.decide(
        file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
    )
    done = [(e.on, e.target, e.said_fr, e.done, e.amount) for e in Effect.objects.filter(line=line)]
    assert done == [(p.on, p.target, p.said.in_language("fr"), p.done, p.amount) for p in ahead]


def test_a_withdrawal_ends_label_contract_and_later_promises_and_loses_nothing(world):
    decided(world)
    assert spans(world.gamma)[-1][1] == DAY - dt.timedelta(days=1)
    world.contract.refresh_from_db()
    assert (world.contract.state, world.contract.closed_on) == ("closed", DAY)
    released = CommitmentStep.objects.filter(contract=world.contract, kind="released")
    # What fell due on 30 June 2010 itself stays due; what comes after is no longer due.
    assert [s.key[-4:] for s in released] == ["2011"]
    assert Commitment.objects.filter(contract=world.contract, superseded_at=None).count() == 3
    assert world.gamma.names.count() == 0 and Contract.objects.filter(cluster=world.gamma).exists()
    assert list(breaks()) == []


def test_a_contract_that_has_ended_is_left_alone_with_a_sentence(world):
    contracts.close(world.contract, reason="Fin", by=world.officer, on=DAY)
    decided(world)
    said = Effect.objects.get(on="contract", target=f"contract:{world.contract.slug}")
    assert not said.done and "déjà clos" in said.said_fr
    assert JournalEntry.objects.filter(act="contract.close").count() == 1


def test_a_contract_past_its_own_end_is_not_closed_again(world):
    Contract.objects.filter(pk=world.contract.pk).update(ends_on=dt.date(2010, 5, 31))
    decided(world)
    world.contract.refresh_from_db()
    assert world.contract.state == "signed"
    assert "a pris fin le" in Effect.objects.get(target=f"contract:{world.contract.slug}").said_fr


def test_contracts_of_another_time_are_left_alone(world):
    """A contract of phase 1 whose end nobody knows, and one that the register knows of 2015: neither runs on the day."""
    old = make.make_contract(world.gamma, "gamma-cadre", state="signed", signed_on=dt.date(2005, 9, 9))
    Contract.objects.filter(pk=old.pk).update(phase="phase-1", starts_on=None, ends_on=None)
    old.parties.all().delete()
    later = make.make_contract(world.gamma, "gamma-2015", state="signed", signed_on=dt.date(2015, 7, 3))
    Contract.objects.filter(pk=later.pk).update(
        phase="phase-3", starts_on=dt.date(2015, 1, 1), ends_on=dt.date(2018, 12, 31)
    )
    decided(world)
    assert sorted(Contract.objects.filter(cluster=world.gamma, state="signed").values_list("slug", flat=True)) == [
        "gamma-2015",
        "gamma-cadre",
    ]
    said = {e.target: e.said_fr for e in Effect.objects.filter(on="contract")}
    assert "d'une phase passée" in said["contract:gamma-cadre"] and "contract:gamma-2015" not in said


def test_drafts_are_abandoned_and_kept(db):
    from tests.decisions.world import build

    world = build(signed=False)
    decided(world)
    world.contract.refresh_from_db()
    assert world.contract.state == "abandoned"
    assert world.contract.texts.get().content["title"] == world.contract.title


def test_a_withdrawn_cluster_s_projects_keep_what_they_have_and_open_requests_are_closed(world):
    from jalon.labelling.models import LabelRequest
    from jalon.projects.models import Project, ProjectLabel
    from tests.labelling import world as labelling
    from tests.projects.world import label

    asking = labelling.build()
    request = labelling.actions.ask(asking.project, world.gamma, lead=True, by=asking.leader, on=DAY)
    leader = make.user_of(asking.leader).mandates.get().organisation
    running, waiting = (
        labelling.make_project(leader, [], asking.call, slug=name.lower(), acronym=name) for name in ("ROULE", "ATTEND")
    )
    for project, state in ((running, "running"), (waiting, "submitted")):
        Project.objects.filter(pk=project.pk).update(state=state)
        label(project, world.gamma)
    decided(world)
    request.refresh_from_db()
    assert request.state == "withdrawn" and LabelRequest.objects.count() == 1
    assert JournalEntry.objects.filter(act="labelling.lapse").count() == 1
    assert sorted(Project.objects.filter(pk__in=[running.pk, waiting.pk]).values_list("state", flat=True)) == [
        "running",
        "submitted",
    ]
    assert ProjectLabel.objects.filter(cluster=world.gamma, superseded_at=None, outcome="labelled").count() == 2
    said = {e.on: [x.said_fr for x in Effect.objects.filter(on=e.on)] for e in Effect.objects.all()}
    assert any("ROULE" in x and "gardent leur label" in x for x in said["project"])
    assert any("ATTEND" in x and "restent à l'examen" in x for x in said["project"])
    assert not Effect.objects.filter(on="project", done=True).exists()  # nothing is taken from them
    assert OutboxMessage.objects.filter(to=make.user_of(asking.leader).email).exists()


def test_probation_bars_a_longer_contract_and_confirmation_opens_one(world):
    until = dt.date(2012, 12, 31)
    kept = actions.NewLine(
        "probation", dt.date(2012, 1, 1), until, cluster=world.gamma, label=world.label, reasons="Essai."
    )
    held = actions.NewLine("extend", dt.date(2012, 1, 1), until, cluster=world.delta, label=world.other_label)
    decided(world, kept, held)
    assert spans(world.gamma)[-1] == (dt.date(2012, 1, 1), until)
    said = {e.line.kind: e.said_fr for e in Effect.objects.filter(on="contract").select_related("line")}
    assert "Aucun contrat ne peut aller au-delà" in said["probation"]


def test_a_new_label_makes_cluster_label_carrier_and_says_what_the_contract_lacks(world):
    call, row = _application(world)
    line = actions.NewLine(
        "label",
        DAY,
        dt.date(2012, 12, 31),
        candidacy=row,
        terms={"slug": "nouveau-pole", "code": "p2-nouveau", "name": row.name},
    )
    file = actions.open_decision(
        title="Nouveau", slug="nouveau", grounds="Appel.", lines=[line], by=world.officer, on=DAY
    )
    actions.submit(file, by=world.officer, on=DAY)
    actions.opine(file, "gti", "favourable", by=world.expert, on=DAY)
    with pytest.raises(Refused, match="avis"):  # a new label needs the qualified persons too
        actions.decide(
            file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
        )
    actions.opine(file, "qualified-persons", "favourable", by=world.qualified, on=DAY)
    actions.decide(
        file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
    )
    row.refresh_from_db()
    assert row.state == "labelled" and row.cluster.slug == "nouveau-pole"
    assert spans(row.cluster) == [(DAY, dt.date(2012, 12, 31))]
    assert row.cluster.carriers.get().organisation_id == row.organisation_id
    said = Effect.objects.get(on="contract", done=False)
    assert "préfecture" in said.said_fr  # no contract is prepared between parties that nobody knows


# -- who and when -----------------------------------------------------------------------------------------------


def test_the_wrong_authority_is_refused_with_why_and_nothing_is_written(world):
    file = proposed(world)
    before = JournalEntry.objects.count()
    with pytest.raises(Refused) as refused:
        actions.decide(
            file, authority="prime-minister", reference="Décision", decided_on=DAY, by=world.authority, on=DAY
        )
    assert refused.value.why.parameter == "labels.decided_by"
    with pytest.raises(NotAllowed) as denied:
        actions.decide(
            file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.officer, on=DAY
        )
    assert denied.value.why is not None
    assert JournalEntry.objects.count() == before
    assert spans(world.gamma)[-1][1] == dt.date(2011, 12, 31)


def test_a_decision_waits_for_its_opinions(world):
    file = proposed(world, opinion="")
    with pytest.raises(Refused) as refused:
        actions.decide(
            file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
        )
    assert len(refused.value.missing) == 1
    with pytest.raises(Refused):
        actions.opine(file, "gti", "unfavourable", by=world.expert, on=DAY)  # without a word
    with pytest.raises(Refused):
        actions.opine(file, "gti", "not_found", by=world.expert, on=DAY)  # kept to what the register knows
    with pytest.raises(Refused):
        actions.opine(file, "state-regions-committee", "favourable", by=world.expert, on=DAY)  # from 2013 on
    with pytest.raises(NotAllowed):
        actions.opine(file, "gti", "favourable", by=world.correspondent, on=DAY)
    actions.opine(file, "gti", "not_given", by=world.expert, on=DAY)
    actions.decide(
        file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
    )


def test_an_effect_that_the_register_refuses_stops_everything(world):
    file = proposed(world, withdrawal(world), withdrawal(world, world.delta, effective=dt.date(2012, 6, 1)))
    with pytest.raises(Refused):  # delta's label ends on 31 December 2011: nothing to end in 2012
        actions.decide(
            file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
        )
    assert spans(world.gamma)[-1][1] == dt.date(2011, 12, 31)
    assert not Effect.objects.exists()
    world.contract.refresh_from_db()
    assert world.contract.state == "signed"


def test_a_label_decided_upon_meanwhile_is_noticed(world):
    one, two = proposed(world), proposed(world, slug="deux")
    actions.decide(
        one, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
    )
    with pytest.raises(Conflict):
        actions.decide(
            two, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
        )
    with pytest.raises(Conflict):
        actions.decide(
            one, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
        )
    with pytest.raises(Conflict):
        actions.decide(
            two,
            authority="interministerial-committee",
            reference="CIADT",
            decided_on=DAY,
            rev=0,
            by=world.authority,
            on=DAY,
        )
    assert JournalEntry.objects.filter(act="label.withdrawn").count() == 1


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"reference": " "}, "référence"),
        ({"decided_on": NEXT}, "pas encore"),
        ({"published_on": DAY - dt.timedelta(days=1)}, "publication"),
    ],
)
def test_bad_input_of_a_decision(world, wrong, what):
    file = proposed(world)
    given = {
        "authority": "interministerial-committee",
        "reference": "CIADT",
        "decided_on": DAY,
        "by": world.authority,
        "on": DAY,
    }
    with pytest.raises(Refused, match=what):
        actions.decide(file, **{**given, **wrong})


def test_bad_input_of_a_proposal(world):
    with pytest.raises(Refused, match="motifs"):
        actions.open_decision(title="Essai", slug="x", lines=[withdrawal(world)], by=world.officer, on=DAY)
    with pytest.raises(NotAllowed):
        actions.open_decision(title="Essai", slug="x", grounds="G", by=world.expert, on=DAY)
    with pytest.raises(Refused, match="deux fois"):
        actions.open_decision(
            title="Essai", slug="x", grounds="G", lines=[withdrawal(world), withdrawal(world)], by=world.officer, on=DAY
        )
    assert not Decision.objects.exists()


def test_nothing_is_sanctioned_on_a_settled_point(world):
    from jalon.evaluations.models import Campaign, Evaluation, Finding, Hearing

    campaign = Campaign.objects.create(
        programme=make.PROGRAMME, code="c", title_fr="C", title_en="C", evaluation="2008", policy_day=DAY, opened_on=DAY,
        created_at=make.clock.moment_on(DAY),
    )  # fmt: skip
    one = Evaluation.objects.create(campaign=campaign, cluster=world.gamma)
    hearing = Hearing.objects.create(evaluation=one, cluster=world.gamma, state="closed")
    finding = Finding.objects.create(hearing=hearing, number=1, text="Constat", outcome="maintained")
    basis = effects.basis_of(world.gamma, "2008")
    assert basis["findings"] == [finding.pk]
    file = proposed(world, withdrawal(world, basis=basis))
    Finding.objects.filter(pk=finding.pk).update(outcome="settled")
    with pytest.raises(Refused) as refused:
        actions.decide(
            file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
        )
    assert "Constat n° 1" in str(refused.value.missing[0]).replace("\xa0", " ")
    Finding.objects.filter(pk=finding.pk).update(outcome="amended")
    Hearing.objects.filter(pk=hearing.pk).update(state="replying")
    with pytest.raises(Refused):  # both sides are heard to the end first
        actions.decide(
            file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, by=world.authority, on=DAY
        )


# -- notification and appeal ------------------------------------------------------------------------------------


def test_notification_letter_delay_and_appeal(world):
    file = decided(world)
    line = file.lines.get()
    notice = actions.notify(line, sent_on=DAY, by=world.officer, on=DAY)
    assert notice.appeal_until is None  # nobody knows yet when it came
    told = letters.read(notice)
    assert (
        world.gamma.name in told["fr"]["body"] and "retiré" in told["fr"]["body"] and "withdrawn" in told["en"]["body"]
    )
    assert "{" not in told["fr"]["body"] + told["en"]["body"]
    assert OutboxMessage.objects.filter(case=file.case, to=make.user_of(world.director).email).exists()
    with pytest.raises(Conflict):
        actions.notify(line, sent_on=DAY, by=world.officer, on=DAY)
    with pytest.raises(Refused):
        actions.acknowledge(notice, received_on=DAY - dt.timedelta(days=1), by=world.officer, on=DAY)
    received = dt.date(2010, 7, 2)
    notice = actions.acknowledge(notice, received_on=received, by=world.officer, on=received)
    assert notice.appeal_until == dt.date(2010, 9, 3)
    with pytest.raises(NotAllowed):
        actions.lodge_appeal(line, "gracieux", text="Non", by=world.other_director, on=received)
    with pytest.raises(Refused):
        actions.lodge_appeal(line, "gracieux", text=" ", by=world.director, on=received)
    in_time = actions.lodge_appeal(line, "gracieux", text="Nos motifs.", by=world.director, on=dt.date(2010, 9, 3))
    late = actions.lodge_appeal(line, "contentieux", text="Nos motifs.", by=world.director, on=dt.date(2010, 9, 4))
    assert (in_time.late, late.late) == (False, True)
    actions.answer_appeal(in_time, "rejected", text="Motifs.", by=world.officer, on=dt.date(2010, 10, 1))
    with pytest.raises(Conflict):
        actions.answer_appeal(in_time, "upheld", text="Motifs.", by=world.officer, on=dt.date(2010, 10, 1))


def test_conditions_are_part_of_the_decision(world):
    day = dt.date(2019, 2, 5)
    bounded(world.gamma, dt.date(2018, 12, 31))
    line = actions.NewLine(
        "conditions", dt.date(2019, 1, 1), dt.date(2019, 12, 31), cluster=world.gamma, label=world.label,
        conditions="Fusionner.", conditions_due_on=dt.date(2019, 12, 1), reasons="Essai.",
    )  # fmt: skip
    file = actions.open_decision(title="Phase IV", slug="p4", grounds="Essai.", lines=[line], by=world.officer, on=day)
    actions.submit(file, by=world.officer, on=day)
    actions.opine(file, "state-regions-committee", "reserved", text="Oui, si.", by=world.expert, on=day)
    actions.decide(file, authority="prime-minister", reference="Décision", decided_on=day, by=world.authority, on=day)
    row = file.lines.get()
    assert row.act.note_fr == "Fusionner."
    actions.meet_conditions(row, met_on=day, by=world.officer, on=day)
    with pytest.raises(Conflict):
        actions.meet_conditions(row, met_on=day, by=world.officer, on=day)


# -- applications -----------------------------------------------------------------------------------------------

CONTENT = {"theme": "Thème", "stakes": "Enjeux", "axes": "Axes", "partnership": "Partenariat"}
PARTNERS = [{"name": "A", "kind": "company"}, {"name": "B", "kind": "company"}, {"name": "C", "kind": "research"}]


def _application(world, submitted=True, slug="candidature"):
    call = candidacies.add_call(
        code=f"appel-{slug}", title_fr="Appel", title_en="Call", opens_on=DAY, closes_on=DAY, by=world.officer, on=DAY
    )
    call = candidacies.move_call(call, "open", by=world.officer, on=DAY)
    row = candidacies.start(call, name="Notre pôle", slug=slug, by=world.company, on=DAY)
    row = candidacies.edit(row, rev=0, content=CONTENT, partners=PARTNERS, regions=["72"], by=world.company, on=DAY)
    return call, candidacies.submit(row, by=world.company, on=DAY) if submitted else row


def test_an_application_is_sent_complete_and_in_time(world):
    _, row = _application(world, submitted=False)
    with pytest.raises(Conflict):
        candidacies.edit(row, rev=0, city="Ailleurs", by=world.company, on=DAY)
    with pytest.raises(Refused, match="clos"):
        candidacies.submit(row, by=world.company, on=NEXT)  # the last day counts to midnight, the next one does not
    row = candidacies.edit(row, rev=1, content={"stakes": ""}, by=world.company, on=DAY)
    with pytest.raises(Refused) as refused:
        candidacies.submit(row, by=world.company, on=DAY)
    assert len(refused.value.missing) == 1
    with pytest.raises(NotAllowed):
        candidacies.submit(row, by=make.make_actor("project_member"), on=DAY)
    assert Candidacy.objects.get().state == "draft"


def test_review_goes_by_levels_after_a_declaration_and_gives_a_ranking(world):
    call, row = _application(world)
    prefect = make.make_actor("prefect", cluster=world.gamma)
    world.gamma.territories.create(region_set="regions-1970", region_code="72")
    with pytest.raises(NotAllowed, match="déclaration"):
        candidacies.review(row, opinion="favourable", justification="Oui.", by=world.expert, on=DAY)
    for who in (world.expert, prefect, world.qualified):
        interests.declare(row.case, "none", by=who, on=DAY)
    with pytest.raises(Refused, match="niveaux"):
        candidacies.review(
            row, opinion="favourable", justification="Oui.", scores={"themes": "4"}, by=world.expert, on=DAY
        )
    candidacies.review(row, opinion="favourable", justification="Oui.", by=prefect, on=DAY)
    with pytest.raises(Refused, match="justification"):
        candidacies.review(
            row, opinion="favourable", justification=" ", scores={"themes": "4"}, by=world.expert, on=DAY
        )
    candidacies.review(
        row, opinion="favourable", justification="Oui.", scores={"themes": "4,5"}, by=world.expert, on=DAY
    )
    call = candidacies.move_call(call, "close", by=world.officer, on=NEXT)
    with pytest.raises(Refused):  # the panel has not answered
        candidacies.rank(call, by=world.officer, on=NEXT)
    candidacies.review(
        row, opinion="reserved", justification="Oui, si.", scores={"themes": "2"}, by=world.qualified, on=NEXT
    )
    (place,) = candidacies.rank(call, by=world.officer, on=NEXT)
    assert (place.place, str(place.mean)) == (1, "3.25")
    with pytest.raises(Refused):
        candidacies.move_call(call, "finish", by=world.officer, on=NEXT)
    candidacies.settle(row, "sent_back", text="À compléter.", by=world.officer, on=NEXT)
    assert candidacies.move_call(call, "finish", by=world.officer, on=NEXT).state == "decided"


def test_somebody_recused_does_not_review(world):
    _, row = _application(world)
    interests.declare(row.case, "interest", reason="Ancien employeur", by=world.qualified, on=DAY)
    with pytest.raises(NotAllowed):
        candidacies.review(row, opinion="favourable", justification="Oui.", by=world.qualified, on=DAY)


# -- phases -----------------------------------------------------------------------------------------------------


def test_closing_a_phase_freezes_its_list_and_ends_nothing(world):
    day = dt.date(2013, 1, 10)
    proposed(world)
    with pytest.raises(Refused) as refused:
        phases.close("phase-2", reason="Bilan", by=world.officer, on=day)
    assert "Propositions" in str(refused.value)
    actions.drop(Decision.objects.get(), reason="Sans suite", by=world.officer, on=day)
    with pytest.raises(Refused):
        phases.close("phase-2", reason="Bilan", by=world.officer, on=dt.date(2012, 12, 31))
    made = phases.close("phase-2", reason="Bilan", by=world.officer, on=day)
    told = {c["code"]: c["open"] for c in made.checklist}
    assert told["commitments"] == 3  # nothing was paid, and it stays due
    world.contract.refresh_from_db()
    assert world.contract.state == "signed"
    assert any(c["what"] == "indicator" for c in made.carried)
    with pytest.raises(Conflict):
        phases.close("phase-2", reason="Bilan", by=world.officer, on=day)
    phases.open_phase("phase-3", by=world.officer, on=day)
    with pytest.raises(Conflict):
        phases.open_phase("phase-3", by=world.officer, on=day)
    with pytest.raises(NotAllowed):
        phases.close("phase-1", reason="Bilan", by=world.expert, on=day)
    assert PhaseClosing.objects.count() == 1
