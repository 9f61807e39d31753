"""The first account of an installation comes from the command line."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from jalon.people.commands import people_app
from jalon.people.models import Organisation, User
from tests import factories as f

pytestmark = pytest.mark.django_db


def run(*args):
    return CliRunner().invoke(people_app, list(args))


def test_the_first_account_is_invited_and_manages_accounts(client):
    said = run(
        "invite", "premiere@exemple.test", "--organisation", "Direction générale", "--address", "http://testserver"
    )
    assert said.exit_code == 0, said.output
    path = re.search(r"http://testserver(\S+)", said.output).group(1)
    assert client.post(path, {"name": "Gestion", "password": f.PASSWORD}).status_code == 302
    mandate = User.objects.get(email="premiere@exemple.test").mandates.get()
    assert mandate.role == "national_officer" and mandate.organisation.name == "Direction générale"
    assert "premiere@exemple.test\tnational_officer" in run("list").output


def test_an_unknown_role_and_a_wrong_address_are_refused():
    assert run("invite", "nobody", "--organisation", "X Y").exit_code == 1
    assert run("invite", "a@exemple.test", "--role", "king", "--organisation", "X Y").exit_code == 1


def test_an_ambiguous_organisation_is_refused():
    f.make_organisation("Région Nord"), f.make_organisation("Région Sud")
    assert run("invite", "a@exemple.test", "--organisation", "Région").exit_code == 1
    assert Organisation.objects.count() == 2
