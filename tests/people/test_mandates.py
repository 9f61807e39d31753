"""Invitations, delegations, revocations, accounts: who may, what is written, what is refused."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest
from django.urls import reverse

from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry, OutboxMessage
from jalon.people import actions
from jalon.people.models import Invitation, Mandate, User
from jalon.people.queries import actor_of
from tests import factories as f

pytestmark = pytest.mark.django_db
DAY = f.DAY


@pytest.fixture(autouse=True)
def _demonstration():
    f.live_on()


@pytest.fixture
def cluster():
    return f.make_cluster("alpha")


@pytest.fixture
def director(cluster):
    return f.make_actor("cluster_director", cluster=cluster)


def token_of(message=None):
    message = message or OutboxMessage.objects.filter(case__startswith="invitation:").order_by("-id").first()
    return re.search(r"/invitation/([^/\s]+)/", message.body).group(1)


def address(token):
    return f"http://jalon.test/invitation/{token}/"


def invite(cluster, by, email="nouvelle@exemple.test", role="cluster_team", **more):
    return actions.invite(f.carrier_of(cluster), email=email, role=role, by=by, on=DAY, address=address, **more)


def test_an_invitation_opens_an_account_with_its_own_password(client, cluster, director):
    invitation = invite(cluster, director, ends_on=dt.date(2011, 12, 31))
    token = token_of()
    assert token not in invitation.token_hash and len(invitation.token_hash) == 64
    page = reverse("accept-invitation", args=[token])
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "", "password": f.PASSWORD}).status_code == 400
    assert client.post(page, {"name": "Agent", "password": "123"}).status_code == 400
    assert client.post(page, {"name": "Agent", "password": f.PASSWORD}).status_code == 302
    user = User.objects.get(email="nouvelle@exemple.test")
    mandate = user.mandates.get()
    assert (mandate.role, mandate.starts_on, mandate.ends_on) == ("cluster_team", DAY, dt.date(2011, 12, 31))
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get(page).status_code == 404, "the address serves once"
    acts = list(JournalEntry.objects.order_by("id").values_list("act", flat=True))
    assert acts == ["person.invited", "invitation.accepted", "person.joined"]
    assert not list(breaks())


def test_an_invitation_expires_and_can_be_sent_again(client, cluster, director):
    invitation = invite(cluster, director)
    old = token_of()
    with clock.hold(DAY + dt.timedelta(days=15)), pytest.raises(Refused):
        actions.invitation_of(old, on=clock.today())
    actions.invite_again(invitation, by=director, on=DAY + dt.timedelta(days=15), address=address)
    with pytest.raises(Refused):
        actions.invitation_of(old, on=DAY)
    new = token_of()
    assert new != old and actions.invitation_of(new, on=DAY + dt.timedelta(days=29)) == invitation


def test_a_withdrawn_invitation_opens_nothing_and_leaves_no_address(cluster, director):
    invitation = invite(cluster, director)
    token = token_of()
    actions.withdraw_invitation(invitation, by=director, on=DAY)
    with pytest.raises(Refused):
        actions.invitation_of(token, on=DAY)
    assert not OutboxMessage.objects.filter(body__contains=token).exists()
    with pytest.raises(Refused):
        actions.withdraw_invitation(invitation, by=director, on=DAY)


def test_an_intercepted_invitation_opens_no_existing_account(client, cluster, director, client_factory):
    holder = f.make_user("nouvelle@exemple.test", password=f.PASSWORD)
    invite(cluster, director)
    page = reverse("accept-invitation", args=[token_of()])
    assert client.post(page, {"name": "Other", "password": "une phrase bien longue"}).status_code == 400
    stranger = client_factory()
    stranger.force_login(f.make_user())
    assert stranger.post(page, {"name": "Other", "password": "une phrase bien longue"}).status_code == 400
    assert not holder.mandates.exists() and holder.check_password(f.PASSWORD)
    mine = client_factory()
    mine.force_login(holder)
    assert mine.post(page).status_code == 302
    assert holder.mandates.get().role == "cluster_team"


@pytest.mark.parametrize("role", ["national_officer", "prefect", "local_authority", "admin", "state_correspondent"])
def test_a_director_gives_no_right_of_others(cluster, director, role):
    with pytest.raises(NotAllowed):
        invite(cluster, director, role=role)
    assert not Invitation.objects.exists() and not OutboxMessage.objects.exists()


def test_a_director_invites_for_no_other_organisation(director):
    with pytest.raises(NotAllowed):
        invite(f.make_cluster("beta"), director)


def test_the_national_level_invites_anybody(cluster):
    officer = f.make_actor("national_officer")
    assert invite(cluster, officer, role="cluster_director").role == "cluster_director"


def test_nobody_invites_themselves_nor_twice(cluster, director):
    mine = f.user_of(director)
    with pytest.raises(Refused):
        invite(cluster, director, email=mine.email)
    other = f.make_user("ici@exemple.test")
    f.make_mandate("cluster_team", f.carrier_of(cluster), other)
    with pytest.raises(Refused) as refusal:
        invite(cluster, director, email="ici@exemple.test")
    assert "agit déjà" in str(refusal.value)


@pytest.mark.parametrize("email", ["", "nobody", "a b@c.test"])
def test_a_wrong_address_is_said(cluster, director, email):
    with pytest.raises(Refused) as refusal:
        invite(cluster, director, email=email)
    assert refusal.value.kind == "input"


def test_the_page_shows_the_message_to_copy_when_no_mail_server_is_set(client, cluster, director, settings):
    settings.MAIL_URL = ""
    client.force_login(f.user_of(director))
    answer = client.post(
        reverse("invite"), {"email": "nouvelle@exemple.test", "role": "cluster_team", "language": "en"}, follow=True
    )
    body = answer.content.decode()
    assert answer.status_code == 200 and f"/invitation/{token_of()}/" in body and "invites you to act for" in body


def test_the_invite_form_keeps_what_was_typed(client, cluster, director):
    client.force_login(f.user_of(director))
    mine = f.user_of(director).email
    answer = client.post(reverse("invite"), {"email": mine, "name": "Gardé", "role": "cluster_team", "language": "fr"})
    body = answer.content.decode()
    assert answer.status_code == 400 and "Gardé" in body and "s'invite pas soi-même" in html.unescape(body)


def test_a_delegation_acts_under_its_own_name_until_its_end(client, cluster, director):
    colleague = f.make_user()
    f.make_mandate("cluster_team", f.carrier_of(cluster), colleague)
    end = dt.date(2010, 8, 31)
    made = actions.delegate(to=colleague, by=director, on=DAY, starts_on=DAY, ends_on=end, reason="Congé")
    actor = actor_of(colleague, DAY, made.id)
    assert actor.can("contract.sign") and actor.user_id == colleague.id and actor.principal_id == director.user_id
    assert actor_of(colleague, end + dt.timedelta(days=1), made.id).role == "cluster_team"
    client.force_login(colleague)
    assert client.post(reverse("act-for"), {"mandate": made.id}).status_code == 302
    assert "Président ou directeur de pôle" in client.get(reverse("my-account")).content.decode()
    cases = set(JournalEntry.objects.values_list("case", flat=True))
    assert cases == {f"user:{director.user_id}", f"user:{colleague.id}"}


def test_a_delegation_ends_with_its_mandate(cluster, director):
    colleague = f.make_user()
    f.make_mandate("cluster_team", f.carrier_of(cluster), colleague)
    made = actions.delegate(
        to=colleague, by=director, on=DAY, starts_on=DAY, ends_on=dt.date(2010, 8, 31), reason="Congé"
    )
    officer = f.make_actor("national_officer")
    actions.revoke(Mandate.objects.get(pk=director.mandate_id), by=officer, on=DAY, why="Départ")
    assert actor_of(colleague, DAY, made.id).role == "cluster_team"
    assert not actor_of(f.user_of(director), DAY).can("contract.sign")


def test_a_delegation_goes_to_a_colleague_only_and_is_not_passed_on(cluster, director):
    end = dt.date(2010, 8, 31)
    with pytest.raises(NotAllowed):
        actions.delegate(to=f.make_user(), by=director, on=DAY, starts_on=DAY, ends_on=end, reason="Congé")
    colleague, third = f.make_user(), f.make_user()
    for one in (colleague, third):
        f.make_mandate("cluster_team", f.carrier_of(cluster), one)
    made = actions.delegate(to=colleague, by=director, on=DAY, starts_on=DAY, ends_on=end, reason="Congé")
    with pytest.raises(Refused) as refusal:
        actions.delegate(
            to=third, by=actor_of(colleague, DAY, made.id), on=DAY, starts_on=DAY, ends_on=end, reason="Congé"
        )
    assert "délégué" in str(refusal.value)


def test_a_team_member_delegates_nothing(cluster):
    member = f.make_actor("cluster_team", cluster=cluster)
    with pytest.raises(NotAllowed):
        actions.delegate(to=f.make_user(), by=member, on=DAY, starts_on=DAY, ends_on=DAY, reason="Congé")


def test_who_may_end_a_mandate(cluster, director):
    member = f.make_actor("cluster_team", cluster=cluster)
    stranger = f.make_actor("cluster_director", cluster=f.make_cluster("beta"))
    mandate = Mandate.objects.get(pk=member.mandate_id)
    for actor in (stranger, f.make_actor("reader"), f.make_actor("local_authority")):
        with pytest.raises(NotAllowed):
            actions.revoke(mandate, by=actor, on=DAY, why="Motif")
    with pytest.raises(NotAllowed):
        actions.revoke(Mandate.objects.get(pk=director.mandate_id), by=member, on=DAY, why="Motif")
    with pytest.raises(Refused):
        actions.revoke(mandate, by=director, on=DAY, why="  ")
    actions.revoke(mandate, by=director, on=DAY, why="Fin de contrat")
    assert not actor_of(f.user_of(member), DAY).mandate_id
    with pytest.raises(Refused):
        actions.revoke(mandate, by=director, on=DAY, why="Encore")


def test_somebody_always_manages_the_accounts():
    officer = f.make_actor("national_officer")
    with pytest.raises(Refused) as refusal:
        actions.deactivate(f.user_of(officer), by=officer, on=DAY, why="Départ")
    assert "personne pour gérer" in str(refusal.value)
    with pytest.raises(Refused):
        actions.revoke(Mandate.objects.get(pk=officer.mandate_id), by=officer, on=DAY, why="Départ")
    f.make_actor("admin")
    actions.deactivate(f.user_of(officer), by=officer, on=DAY, why="Départ")


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(client):
    officer = f.make_actor("national_officer")
    reader = f.make_actor("reader")
    user = f.user_of(reader)
    client.force_login(user)
    assert client.get(reverse("home")).status_code == 200
    actions.deactivate(user, by=officer, on=DAY, why="Doublon de compte")
    assert client.get(reverse("home")).status_code == 302
    actions.reactivate(user, by=officer, on=DAY, why="Erreur")
    user.refresh_from_db()
    assert user.is_active and user.deactivated_at is None
    with pytest.raises(NotAllowed):
        actions.deactivate(f.user_of(officer), by=reader, on=DAY, why="Motif")


def test_the_list_of_people_is_kept_to_the_organisation(client, cluster, director):
    f.make_mandate("cluster_team", f.carrier_of(cluster), f.make_user("collegue@exemple.test", "Compte collègue"))
    f.make_mandate(
        "cluster_team", f.carrier_of(f.make_cluster("beta")), f.make_user("autre@exemple.test", "Compte autre")
    )
    client.force_login(f.user_of(director))
    body = client.get(reverse("people")).content.decode()
    assert "collegue@exemple.test" in body and "autre@exemple.test" not in body
    other = User.objects.get(email="autre@exemple.test")
    assert client.get(reverse("person", args=[other.pk])).status_code == 404
    member = User.objects.get(email="collegue@exemple.test")
    client.force_login(member)
    body = client.get(reverse("people")).content.decode()
    assert "Compte collègue" in body and f.user_of(director).email not in body, (
        "a team member sees names, not addresses"
    )
    export = b"".join(client.get(reverse("people") + "?format=csv").streaming_content).decode("utf-8-sig")
    assert "Compte collègue" in export and "@" not in export


def test_the_national_level_reads_everybody_and_the_messages_to_hand_over(client, cluster, director):
    officer = f.make_actor("national_officer")
    client.force_login(f.user_of(officer))
    assert f.user_of(director).email in client.get(reverse("people")).content.decode()
    actions.ask_new_password(f.user_of(director).email, on=DAY, address=lambda uid, token: f"http://x/{uid}/{token}/")
    page = reverse("person", args=[director.user_id])
    assert "http://x/" in client.get(page).content.decode()
    client.force_login(f.user_of(director))
    assert "http://x/" not in client.get(page).content.decode()


def test_my_data_tells_everything_and_only_mine(client, director):
    client.force_login(f.user_of(director))
    data = client.get(reverse("my-account") + "?format=json").json()
    assert data["account"]["email"] == f.user_of(director).email
    assert [m["role"] for m in data["mandates"]] == ["cluster_director"]
    body = client.get(reverse("my-account")).content.decode()
    assert "RGPD" in body and "sans fin prévue" in body


def test_preferences_are_saved_and_journaled(client, director):
    client.force_login(f.user_of(director))
    data = {"name": "Direction du pôle", "language": "en", "reminders": "weekly"}
    assert client.post(reverse("my-account"), data).status_code == 302
    user = f.user_of(director)
    assert (user.name, user.language, user.reminders) == ("Direction du pôle", "en", "weekly")
    assert JournalEntry.objects.get(act="account.changed").after["reminders"] == "weekly"
    assert client.post(reverse("my-account"), data | {"reminders": "hourly"}).status_code == 400


def test_nobody_takes_a_mandate_of_others(client, cluster, director):
    client.force_login(f.make_user())
    client.post(reverse("act-for"), {"mandate": director.mandate_id})
    assert "mandate" not in client.session


def test_pages_of_people_cost_a_fixed_number_of_queries(client, cluster, director, django_assert_max_num_queries):
    client.force_login(f.user_of(director))
    for _ in range(30):
        f.make_mandate("cluster_team", f.carrier_of(cluster))
    client.get(reverse("people"))
    with django_assert_max_num_queries(12):
        client.get(reverse("people"))
