"""What waits, deadlines, what changed, reminders, the calendar: the same things everywhere, with fixed queries."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache
from django.urls import reverse

from jalon.contracts import actions as contracts, rules as contract_rules
from jalon.contracts.models import Text
from jalon.core import clock
from jalon.core.journal import record
from jalon.core.lang import speaking
from jalon.core.models import OutboxMessage
from jalon.evaluations import desk
from jalon.people import actions as people
from jalon.people.access import policy
from jalon.people.models import User
from jalon.people.queries import actor_of
from jalon.people.tasks import Task
from jalon.workspace import queries
from jalon.workspace.tasks import reminders
from jalon.workspace.templatetags import workspace as tags
from tests import factories as f
from tests.contracts import world as negotiation

pytestmark = pytest.mark.django_db
DAY = f.DAY


@pytest.fixture(autouse=True)
def _demonstration():
    f.live_on()


def titles(actor, day=DAY):
    return [str(task.title).replace("\u00a0", " ") for task in queries.tasks_for(actor, day)]


@pytest.fixture
def reported():
    """A signed contract whose report for 2009 is open and late."""
    cluster = f.make_cluster("alpha")
    contract = f.make_contract(cluster, "alpha-1", state="signed")
    return cluster, f.make_report(contract)


def test_a_report_waits_for_the_cluster_then_for_its_correspondent(reported):
    cluster, report = reported
    director = f.make_actor("cluster_director", cluster)
    correspondent = f.make_actor("state_correspondent", cluster)
    stranger = f.make_actor("cluster_director", f.make_cluster("beta"))
    task = queries.tasks_for(director, DAY)[0]
    assert (str(task.title), task.light, task.due_on) == (
        "Remplir et soumettre le suivi 2009\u00a0: Alpha",
        "late",
        report.due_on,
    )
    assert titles(correspondent) == [] and titles(stranger) == []
    report.state, report.submitted_on = "submitted", DAY
    report.save()
    assert titles(director) == [] and titles(correspondent) == ["Vérifier le suivi 2009 : Alpha"]
    report.state, report.reason = "returned", "Valeur à préciser"
    report.save()
    assert titles(director) == ["Corriger le suivi 2009 : Alpha"]
    assert queries.tasks_for(director, DAY)[0].why == "Valeur à préciser"


def test_a_round_not_yet_open_asks_nothing(reported):
    cluster, report = reported
    director = f.make_actor("cluster_director", cluster)
    assert titles(director, report.round.opens_on - dt.timedelta(days=1)) == []
    assert queries.tasks_for(director, report.round.opens_on)[0].light == "not_yet_due"
    assert queries.tasks_for(director, report.due_on - dt.timedelta(days=3))[0].light == "at_risk"


def test_negotiation_and_signature_ask_whoever_must_act():
    world = negotiation.negotiated(negotiation.make_world("alpha"))
    everybody = (world.correspondent, world.director, world.region_agent, world.department_signatory, world.prefect)
    contracts.propose(
        world.text, [("objectives/o1/title", "Autre titre")], by=world.region_agent, on=DAY, reason="Précision"
    )
    asked = [actor.role for actor in everybody if any("Répondre à une proposition" in t for t in titles(actor))]
    assert asked == ["state_correspondent"], "what an authority proposes is answered by the State"
    proposal = world.text.proposals.filter(state="open").get()
    contracts.accept(proposal, by=world.correspondent, on=DAY)
    contracts.open_signature(world.text, by=world.correspondent, on=DAY)
    assert any("délibération" in t for t in titles(world.region_agent))
    assert not any("Signer" in t for t in titles(world.region_signatory)), "an authority decides before it signs"
    assert any(t.startswith("Signer") for t in titles(world.director))
    assert not any(t.startswith("Signer") for t in titles(world.prefect)), "the State signs last"
    negotiation.decide_all(world, on=DAY)
    assert not any("délibération" in t for t in titles(world.region_agent))
    negotiation.sign_as(world, world.director, on=DAY)
    assert not any(t.startswith("Signer") for t in titles(world.director))
    assert any(t.startswith("Signer") for t in titles(world.region_signatory))
    negotiation.sign_as(world, world.region_signatory, on=DAY)
    assert not any(t.startswith("Signer") for t in titles(world.region_signatory))
    assert Text.objects.get(contract=world.contract).state == "signing"


def test_what_was_promised_waits_until_it_is_paid():
    from tests.contracts import follow_world

    lived = follow_world.make_lived("alpha")
    waiting = queries.tasks_for(lived.region, DAY)
    assert [(t.due_on, t.light) for t in waiting if "engagement" in str(t.title)] == [(dt.date(2009, 10, 31), "late")]
    commitment = follow_world.money(lived.contract, 2009)
    lived.contract.commitment_steps.create(
        key=commitment.key, kind="paid", on=DAY, amount=commitment.amount, recorded_at=clock.moment_on(DAY)
    )
    assert not [t for t in queries.tasks_for(lived.region, DAY) if "engagement" in str(t.title)]


def test_a_substitute_sees_what_the_person_replaced_sees(reported):
    cluster, report = reported
    correspondent = f.make_actor("state_correspondent", cluster)
    report.state, report.submitted_on = "submitted", DAY
    report.save()
    colleague = f.make_user()
    f.make_mandate("reader", f.Organisation.objects.get(pk=correspondent.organisation_id), colleague)
    made = people.delegate(
        to=colleague, by=correspondent, on=DAY, starts_on=DAY, ends_on=dt.date(2010, 8, 31), reason="Congé"
    )
    assert titles(actor_of(colleague, DAY, made.id)) == ["Vérifier le suivi 2009 : Alpha"]


def test_a_substitute_reads_the_contracts_of_the_person_replaced():
    world = negotiation.negotiated(negotiation.make_world("alpha"))
    colleague = f.make_user()
    f.make_mandate("reader", world.state, colleague)
    made = people.delegate(
        to=colleague, by=world.correspondent, on=DAY, starts_on=DAY, ends_on=dt.date(2010, 8, 31), reason="Congé"
    )
    contracts.propose(world.text, [("objectives/o1/title", "Autre titre")], by=world.region_agent, on=DAY, reason="Mot")
    assert any("Répondre à une proposition" in t for t in titles(actor_of(colleague, DAY, made.id)))


def test_a_home_without_mandate_says_what_to_do(client):
    client.force_login(f.make_user())
    body = client.get(reverse("home")).content.decode()
    assert "Aucun mandat en vigueur" in body


def test_the_home_shows_tasks_deadlines_and_changes(client, reported):
    cluster, _ = reported
    director = f.make_actor("cluster_director", cluster)
    other = f.make_cluster("beta")
    record("cluster:alpha", "register.label", on=DAY, at=clock.moment_on(DAY, 8))
    record("cluster:beta", "register.label", on=DAY, at=clock.moment_on(DAY, 8))
    client.force_login(f.user_of(director))
    body = client.get(reverse("home")).content.decode()
    assert "Remplir et soumettre le suivi 2009" in body and "Mes échéances" in body and reverse("search") in body
    changes = queries.changes_since(director, DAY, clock.moment_on(DAY - dt.timedelta(days=1)))
    assert [c.case for c in changes] == ["cluster:alpha"] and other.slug == "beta"


def test_the_same_deed_on_many_files_is_one_piece_of_news():
    officer = f.make_actor("national_officer")
    for slug in ("alpha", "beta", "gamma", "delta", "epsilon"):
        record(f"cluster:{slug}", "register.label", on=DAY, at=clock.moment_on(DAY, 8))
    record("cluster:zeta", "register.merge", on=DAY, at=clock.moment_on(DAY, 7))
    since = clock.moment_on(DAY - dt.timedelta(days=1))
    changes = [c for c in queries.changes_since(officer, DAY, since) if c.last.act.startswith("register.")]
    assert [(c.case, c.also) for c in changes] == [("cluster:epsilon", 4), ("cluster:zeta", 0)]


def test_my_own_acts_are_no_news(reported):
    cluster, _ = reported
    director = f.make_actor("cluster_director", cluster)
    record("cluster:alpha", "register.label", by=director, on=DAY, at=clock.moment_on(DAY, 8))
    assert queries.changes_since(director, DAY, clock.moment_on(DAY - dt.timedelta(days=1))) == []


def test_the_home_costs_a_fixed_number_of_queries(client, django_assert_max_num_queries):
    director = f.make_actor("cluster_director", f.make_cluster("alpha"))
    carrier = f.Organisation.objects.get(pk=director.organisation_id)
    round_row = f.make_round()

    def more(n):
        for _ in range(n):
            cluster = f.make_cluster(carrier=carrier)
            f.make_report(f.make_contract(cluster, state="signed"), round_row)
            record(f"cluster:{cluster.slug}", "register.label", on=DAY, at=clock.moment_on(DAY, 8))

    more(2)
    client.force_login(f.user_of(director))
    client.get(reverse("home"))
    cache.clear()
    with django_assert_max_num_queries(70) as few:
        client.get(reverse("home"))
    more(20)
    with django_assert_max_num_queries(len(few)):
        client.get(reverse("home"))


def test_a_reminder_says_what_the_screen_says_once_a_day(client, reported):
    cluster, _ = reported
    director = f.make_actor("cluster_director", cluster)
    f.make_actor("reader")
    assert reminders(on=DAY) == 1 and reminders(on=DAY) == 0
    message = OutboxMessage.objects.get()
    assert message.to == f.user_of(director).email
    client.force_login(f.user_of(director))
    screen = client.get(reverse("home")).content.decode()
    for task in queries.tasks_for(director, DAY):
        assert str(task.title) in message.body and str(task.title) in screen
        assert str(task.why) in message.body and str(task.why) in screen
    assert reminders(on=DAY + dt.timedelta(days=1)) == 1


def test_reminders_speak_the_reader_s_language_and_keep_to_their_frequency(reported):
    cluster, report = reported
    user = f.user_of(f.make_actor("cluster_director", cluster))
    User.objects.filter(pk=user.pk).update(language="en", reminders="weekly")
    days = [DAY + dt.timedelta(days=n) for n in range(15)]
    assert [reminders(on=day) for day in days] == [1, *[0] * 6, 1, *[0] * 6, 1]
    assert "waits for you" in OutboxMessage.objects.first().subject
    User.objects.filter(pk=user.pk).update(reminders="never", reminded_on=None)
    assert reminders(on=DAY) == 0
    with speaking("en"):
        assert "Fill in and submit the 2009 report" in OutboxMessage.objects.first().body
    report.delete()
    User.objects.filter(pk=user.pk).update(reminders="daily", reminded_on=None)
    assert reminders(on=DAY) == 0, "nothing waits, nothing is sent"


def test_a_closed_account_gets_no_reminder(reported):
    cluster, _ = reported
    user = f.user_of(f.make_actor("cluster_director", cluster))
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert reminders(on=DAY) == 0


def test_the_calendar_shows_the_deadlines_to_whoever_has_its_address(client, reported):
    from icalendar import Calendar

    from jalon.people.calendars import token_of

    cluster, report = reported
    user = f.user_of(f.make_actor("cluster_director", cluster))
    address = reverse("calendar-feed", args=[token_of(user)])
    answer = client.get(address)
    assert answer["Content-Type"].startswith("text/calendar")
    events = list(Calendar.from_ical(answer.content).walk("VEVENT"))
    assert [(str(e["summary"]), e["dtstart"].dt) for e in events] == [
        ("Remplir et soumettre le suivi 2009\u00a0: Alpha", report.due_on)
    ]
    assert str(events[0]["uid"]) == str(
        next(iter(Calendar.from_ical(client.get(address).content).walk("VEVENT")))["uid"]
    )
    client.force_login(user)
    client.post(reverse("renew-calendar"))
    assert client.get(address).status_code == 404
    assert client.get(address.replace("agenda/", "agenda/x")).status_code == 404


def test_a_task_is_overdue_the_day_after():
    task = Task("x", "", DAY)
    assert not task.overdue(DAY) and task.overdue(DAY + dt.timedelta(days=1)) and not Task("x", "").overdue(DAY)


def test_the_review_of_the_improvement_axes_is_announced_to_both_sides(reported):
    cluster, report = reported
    report.delete()
    contract = cluster.contracts.get()
    contract.group = "2"
    contract.save()
    both = (f.make_actor("cluster_director", cluster), f.make_actor("state_correspondent", cluster))
    review = contract_rules.mid_term_review(
        starts_on=contract.starts_on,
        group="2",
        template=policy().contract_template(contract.template),
        policy_day=policy().on(contract.policy_day),
        day=contract.policy_day,
    )
    assert review is not None

    def asked(actor, day):
        return [
            task for task in queries.tasks_for(actor, day) if "axes d'amélioration" in str(task.title).replace("’", "'")
        ]

    first = review.due_on - desk.AHEAD
    for actor in both:
        assert asked(actor, first - dt.timedelta(days=1)) == []
        (task,) = asked(actor, first)
        assert task.due_on == review.due_on and task.light == "not_yet_due"
        assert task.explained.parameter == "evaluations.mid_term_review_after"
        assert asked(actor, review.due_on)[0].light == "at_risk"
        assert asked(actor, review.due_on + dt.timedelta(days=1))[0].light == "late", "it waits until it is concluded"
    assert asked(f.make_actor("local_authority"), first) == [], "an authority does not prepare it"
    assert asked(f.make_actor("reader"), first) == []


def test_a_task_says_who_waits_and_since_when(reported):
    cluster, report = reported
    report.state, report.submitted_on = "submitted", DAY - dt.timedelta(days=40)
    report.save()
    (task,) = queries.tasks_for(f.make_actor("state_correspondent", cluster), DAY)
    assert (task.who, task.since, task.light) == ("Alpha", DAY - dt.timedelta(days=40), "at_risk")
    (fresh,) = queries.tasks_for(f.make_actor("state_correspondent", cluster), DAY - dt.timedelta(days=39))
    assert fresh.light == "not_started"
    with speaking("fr"):
        assert "qui attend : Alpha, depuis le" in str(tags.waiting(task, DAY)).replace("\u00a0", " ")
        assert str(tags.light_word(task, DAY)) == "attend depuis longtemps"
        assert str(tags.light_word(fresh, DAY)) == "à faire"
