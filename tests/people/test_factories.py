"""The factories make rows that the database accepts and actors that the policy knows."""

import pytest

from tests import factories as f

pytestmark = pytest.mark.django_db


def test_a_small_world():
    cluster = f.make_cluster("alpha", label=True)
    director = f.make_actor("cluster_director", cluster=cluster)
    assert director.organisation_id == f.carrier_of(cluster).id and director.can("contract.sign")
    correspondent = f.make_actor("state_correspondent", cluster=cluster)
    assert cluster.correspondents.get().user_id == correspondent.user_id
    region = f.make_actor("local_authority")
    contract = f.make_contract(cluster, parties=[region.organisation_id])
    assert [p.kind for p in contract.parties.all()] == ["state", "authority", "governance"]
    report = f.make_report(contract)
    assert report.round.code == "2009"
    f.make_membership(cluster, f.make_organisation(siret=True))
    assert cluster.memberships.get().organisation.identifiers.get().scheme == "siret"
