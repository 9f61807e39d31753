"""Cases met by trying: nothing that is typed is cut; who may not act is told who may."""

from __future__ import annotations

import pytest

from jalon.contracts import actions
from jalon.contracts.models import Comment
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import speaking
from tests.contracts.world import START, make_world, prepared

pytestmark = pytest.mark.django_db


def test_a_comment_that_is_too_long_is_refused_not_cut():
    world = prepared(make_world())
    with pytest.raises(Refused, match="20001"):
        actions.comment(world.text, "", "z" * 20_001, by=world.correspondent, on=START)
    assert not Comment.objects.exists()
    actions.comment(world.text, "", "z" * 20_000, by=world.correspondent, on=START)
    assert len(Comment.objects.get().body) == 20_000


def test_a_role_that_may_not_act_is_told_which_roles_may():
    world = prepared(make_world())
    with pytest.raises(NotAllowed) as met:
        world.officer.require("contract.sign")
    why = met.value.why
    assert why.parameter == "roles"
    with speaking("fr"):
        told = {str(name): str(value) for name, value in why.inputs.items()}
    assert told["permission"] == "contract.sign"
    assert "Préfet" in told["rôles qui l'ont"] or "préfet" in told["rôles qui l'ont"]
