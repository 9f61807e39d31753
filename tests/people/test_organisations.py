"""Organisations: identifiers, sizes at a date, search, duplicates merged with nothing lost, and merges undone."""

from __future__ import annotations

import datetime as dt
import html

import pytest
from django.urls import reverse

from jalon.clusters.models import Membership, Seat
from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry
from jalon.people import actions, rules
from jalon.people.models import Identifier, Invitation, Mandate, Merge, NotDuplicate, Organisation, SizeCategory
from jalon.people.queries import organisations, size_category_on
from tests import factories as f

pytestmark = pytest.mark.django_db
DAY = f.DAY


@pytest.fixture
def officer():
    return f.make_actor("national_officer")


# --- records -----------------------------------------------------------------------------------------------------


def test_an_organisation_comes_with_checked_identifiers(officer):
    made = actions.create_organisation(
        name="Scierie d'Essai SARL", kind="company", by=officer, on=DAY, identifiers=[("siret", "732 829 320 00074")]
    )
    assert made.name_key == "scierie d essai"
    assert made.identifiers.get().value == "73282932000074"
    with pytest.raises(Refused) as refusal:
        actions.create_organisation(
            name="Autre", kind="company", by=officer, on=DAY, identifiers=[("siret", "73282932000074")]
        )
    assert "Scierie d'Essai" in str(refusal.value)
    assert not Organisation.objects.filter(name="Autre").exists(), "all or nothing"


def test_readers_record_nothing():
    reader = f.make_actor("reader")
    with pytest.raises(NotAllowed):
        actions.create_organisation(name="X", kind="company", by=reader, on=DAY)
    with pytest.raises(NotAllowed):
        actions.edit_organisation(f.make_organisation(), by=reader, on=DAY, city="Tours")


def test_its_own_managers_keep_a_record_and_no_other():
    cluster = f.make_cluster("alpha")
    director = f.make_actor("cluster_director", cluster=cluster)
    actions.edit_organisation(f.carrier_of(cluster), by=director, on=DAY, city="Bordeaux")
    entry = JournalEntry.objects.get(act="organisation.changed")
    assert (entry.before, entry.after) == ({"city": ""}, {"city": "Bordeaux"})
    with pytest.raises(NotAllowed):
        actions.edit_organisation(f.make_organisation(), by=director, on=DAY, city="Tours")


def test_the_page_says_what_is_wrong_with_an_identifier_and_keeps_it(client, officer):
    organisation = f.make_organisation()
    client.force_login(f.user_of(officer))
    answer = client.post(
        reverse("add-identifier", args=[organisation.pk]), {"scheme": "siret", "value": "7328293200007"}
    )
    body = html.unescape(answer.content.decode())
    assert answer.status_code == 400 and "14 chiffres attendus, 13 trouvés" in body and 'value="7328293200007"' in body


def test_a_size_is_that_of_its_date_and_a_correction_keeps_the_old_version(officer):
    organisation = f.make_organisation()
    scheme = f.policy().members.size_schemes[0]
    codes = [c.code for c in scheme.categories]
    common = {"definition": scheme.code, "by": officer, "on": DAY}
    with clock.hold(dt.date(2010, 6, 1)):
        actions.record_size(organisation, category=codes[0], as_of=dt.date(2008, 12, 31), evidence="Liasse", **common)
    with clock.hold(dt.date(2010, 6, 20)):
        actions.record_size(
            organisation, category=codes[1], as_of=dt.date(2008, 12, 31), evidence="Liasse corrigée", **common
        )
    assert size_category_on(organisation, dt.date(2008, 12, 30)) is None
    assert size_category_on(organisation, DAY).category == codes[1]
    assert size_category_on(organisation, DAY, known_on=dt.date(2010, 6, 10)).category == codes[0]
    assert SizeCategory.objects.count() == 2
    with pytest.raises(Refused) as refusal:
        actions.record_size(
            organisation, category="giant", as_of=dt.date(2011, 1, 1), evidence=" ", headcount=-1, **common
        )
    assert len(refusal.value.missing) == 4


def test_search_ignores_accents_case_and_legal_forms_and_finds_numbers():
    f.make_organisation("Établissements Élan S.A.R.L.", siret="73282932000074")
    f.make_organisation("Autre chose")
    for q in ("elan", "ÉLAN", "etablissements elan SARL", "732 829 320", "73282932000074"):
        assert [o.name for o in organisations(q=q)] == ["Établissements Élan S.A.R.L."], q


def test_the_public_list_shows_no_person_and_exports_what_it_shows(client):
    f.make_organisation("=Danger()", city="Tours", siret="73282932000074", simulated=True)
    f.make_organisation("Laboratoire", "laboratory")
    body = client.get(reverse("organisations") + "?kind=company").content.decode()
    assert "=Danger()" in body and "Laboratoire</a>" not in body and "simulé" in body
    text = b"".join(client.get(reverse("organisations") + "?kind=company&format=csv").streaming_content).decode(
        "utf-8-sig"
    )
    assert (
        "'=Danger()" in text
        and "73282932000074" in text
        and "simulées" in text
        and "Laboratoire" not in text.split("\n", 1)[1]
    )


def test_export_costs_few_queries_whatever_its_length(client, django_assert_max_num_queries):
    for _ in range(60):
        f.make_organisation(siret=True)
    with django_assert_max_num_queries(6):
        b"".join(client.get(reverse("organisations") + "?format=csv").streaming_content)


def test_the_page_of_an_organisation_is_public_without_negotiated_contracts(client, django_assert_max_num_queries):
    cluster = f.make_cluster("alpha")
    organisation = f.make_organisation("Région d'essai", "authority")
    f.make_contract(cluster, "alpha-1", parties=[organisation], state="negotiation", title="Contrat en négociation")
    f.make_contract(cluster, "alpha-2", parties=[organisation], state="signed", title="Contrat signé")
    f.make_membership(cluster, organisation)
    with django_assert_max_num_queries(14):
        body = client.get(reverse("organisation", args=[organisation.pk])).content.decode()
    assert "Contrat signé" in body and "Contrat en négociation" not in body and "Alpha" in body


# --- duplicates --------------------------------------------------------------------------------------------------


def card(pk, name, **more):
    return rules.Card(pk, rules.name_key(name), **more)


def test_pairs_by_identifier_then_by_name_and_place():
    siren = f.luhn_number(9, 4321)
    cards = [
        card(1, "Alpha", identifiers=(("siren", siren),)),
        card(2, "Tout autre nom", identifiers=(("siret", siren + "00012"),)),
        card(3, "Menuiserie du Lac", city="Annecy", postcode="74000"),
        card(4, "SARL Menuiserie du lac", city="ANNECY", postcode="74000"),
        card(5, "Menuiserie du Lac", city="Dijon", postcode="21000"),
        card(6, "Boulangerie"),
    ]
    pairs = rules.likely_pairs(cards)
    assert [(p.first, p.second) for p in pairs][:2] in ([(3, 4), (1, 2)], [(1, 2), (3, 4)])
    assert (3, 5) not in {(p.first, p.second) for p in pairs}
    assert rules.likely_pairs(cards, [(2, 1), (3, 4)]) == [
        p for p in pairs if (p.first, p.second) not in {(1, 2), (3, 4)}
    ]


def test_names_that_differ_by_a_number_are_two():
    assert rules.likely_pairs([card(1, "Laboratoire 12", city="Tours"), card(2, "Laboratoire 13", city="Tours")]) == []


def test_two_legal_persons_are_never_proposed_by_name():
    cards = [
        card(1, "Menuiserie", city="Annecy", identifiers=(("siren", f.luhn_number(9, 11)),)),
        card(2, "Menuiserie", city="Annecy", identifiers=(("siren", f.luhn_number(9, 12)),)),
    ]
    assert rules.likely_pairs(cards) == []


@pytest.mark.parametrize(
    ("periods", "joined"),
    [
        ([((2006, 1, 1), (2008, 1, 1)), ((2007, 1, 1), None)], [((2006, 1, 1), None)]),
        (
            [((2006, 1, 1), (2006, 12, 31)), ((2007, 1, 1), None)],
            [((2006, 1, 1), (2006, 12, 31)), ((2007, 1, 1), None)],
        ),
        ([((2007, 1, 1), (2009, 1, 1)), ((2006, 1, 1), (2010, 1, 1))], [((2006, 1, 1), (2010, 1, 1))]),
    ],
)
def test_periods_joined(periods, joined):
    def days(pairs):
        return [(dt.date(*a), dt.date(*b) if b else None) for a, b in pairs]

    assert rules.joined_periods(days(periods)) == days(joined)


def world():
    """A duplicate that everything points to."""
    cluster, other = f.make_cluster("alpha"), f.make_cluster("beta")
    kept = f.make_organisation("Société Élan", city="", siret=True)
    gone = f.make_organisation("ELAN SA", city="Tours", siret=True, sources=["insee"])
    f.make_membership(cluster, kept, dt.date(2006, 1, 1), left_on=dt.date(2008, 12, 31))
    f.make_membership(cluster, gone, dt.date(2008, 6, 1), simulated=True)
    f.make_membership(other, gone, dt.date(2007, 1, 1))
    f.make_size(gone, "sme")
    f.make_mandate("reader", gone)
    body = cluster.bodies.create(kind="board", title="Conseil")
    Seat.objects.create(
        body=body, college="industry", organisation=gone, starts_on=DAY, recorded_at=clock.moment_on(DAY)
    )
    other.carriers.update(organisation=gone)
    f.make_contract(cluster, "alpha-1", parties=[gone])
    earlier = f.make_organisation("Élan (ancien)", merged_into=gone)
    return cluster, other, kept, gone, earlier


def snapshot():
    """Every row of the house that points to an organisation."""
    return {
        f"{model._meta.db_table}.{field.column}": sorted(model._base_manager.values_list("pk", field.attname), key=str)
        for model, field in actions.pointers()
        if not actions._is_membership(model)
    }


def current_memberships():
    rows = Membership.objects.filter(superseded_at__isnull=True)
    return sorted(rows.values_list("cluster_id", "organisation_id", "joined_on", "left_on", "simulated"), key=str)


def test_every_table_that_points_to_an_organisation_is_known():
    tables = {f"{m._meta.db_table}.{fk.column}" for m, fk in actions.pointers()}
    assert {
        "people_identifier.organisation_id", "people_mandate.organisation_id", "people_sizecategory.organisation_id",
        "people_invitation.organisation_id", "clusters_membership.organisation_id", "clusters_seat.organisation_id",
        "clusters_carrier.organisation_id", "clusters_correspondent.organisation_id", "clusters_teampost.seconded_by_id",
        "contracts_party.organisation_id", "people_organisation.merged_into_id",
    } <= tables  # fmt: skip


def test_a_merge_loses_nothing(officer):
    cluster, other, kept, gone, earlier = world()
    rows_before = {m._meta.db_table: m._base_manager.count() for m, _ in actions.pointers()}
    actions.merge(gone, into=kept, by=officer, on=DAY, reason="Même SIREN")
    for model, field in actions.pointers():
        left = model._base_manager.filter(**{field.attname: gone.pk})
        assert not left.exists() or model is Organisation, model
        lost = rows_before[model._meta.db_table] - model._base_manager.count()
        assert lost <= 0, f"{model} lost rows"
    kept.refresh_from_db(), gone.refresh_from_db(), earlier.refresh_from_db()
    assert gone.merged_into == kept and earlier.merged_into == kept
    assert kept.city == "Tours" and kept.sources == ["insee"] and kept.identifiers.count() == 2
    mine = Membership.objects.filter(organisation=kept, superseded_at__isnull=True)
    assert set(mine.values_list("cluster__slug", "joined_on", "left_on", "simulated")) == {
        ("alpha", dt.date(2006, 1, 1), None, True),
        ("beta", dt.date(2007, 1, 1), None, False),
    }
    assert Membership.objects.filter(organisation=kept, superseded_at__isnull=False).count() == 2, "old versions stay"
    assert set(JournalEntry.objects.values_list("act", flat=True)) == {"organisation.absorbed", "organisation.merged"}
    assert not list(breaks())


def test_a_merge_can_be_undone(officer):
    _, _, kept, gone, _ = world()
    before, memberships = snapshot(), current_memberships()
    sheet = Organisation.objects.filter(pk=kept.pk).values().get()
    made = actions.merge(gone, into=kept, by=officer, on=DAY)
    assert snapshot() != before
    actions.undo_merge(made, by=officer, on=DAY)
    assert snapshot() == before and current_memberships() == memberships
    assert Organisation.objects.filter(pk=kept.pk).values().get() == sheet
    with pytest.raises(Refused):
        actions.undo_merge(made, by=officer, on=DAY)
    assert not list(breaks())
    actions.merge(gone, into=kept, by=officer, on=DAY)


def change_city(kept):
    Organisation.objects.filter(pk=kept.pk).update(city="Nantes")


def correct_membership(kept):
    Membership.objects.filter(organisation=kept, cluster__slug="alpha").update(superseded_at=clock.moment_on(DAY))


def give_identifier_away(kept):
    Identifier.objects.filter(organisation=kept).order_by("-id").first().delete()


def merge_again(kept):
    Organisation.objects.filter(pk=kept.pk).update(merged_into=f.make_organisation())


@pytest.mark.parametrize("change", [change_city, correct_membership, give_identifier_away, merge_again])
def test_a_merge_is_not_undone_once_something_changed(officer, change):
    _, _, kept, gone, _ = world()
    made = actions.merge(gone, into=kept, by=officer, on=DAY)
    change(kept)
    state = snapshot()
    with pytest.raises(Refused) as refusal:
        actions.undo_merge(made, by=officer, on=DAY)
    assert refusal.value.missing and snapshot() == state


def test_a_merge_is_refused_to_others_and_to_itself(officer):
    one, two = f.make_organisation(), f.make_organisation()
    for role in ("cluster_director", "local_authority", "state_correspondent", "reader"):
        with pytest.raises(NotAllowed):
            actions.merge(one, into=two, by=f.make_actor(role), on=DAY)
    with pytest.raises(Refused):
        actions.merge(one, into=one, by=officer, on=DAY)
    actions.merge(one, into=two, by=officer, on=DAY)
    with pytest.raises(Refused):
        actions.merge(one, into=f.make_organisation(), by=officer, on=DAY)
    with pytest.raises(Refused):
        actions.merge(f.make_organisation(), into=one, by=officer, on=DAY)


def test_the_page_of_duplicates_merges_distinguishes_and_undoes(client, officer):
    one = f.make_organisation("Menuiserie du Lac", city="Annecy")
    two = f.make_organisation("SARL Menuiserie du lac", city="Annecy")
    client.force_login(f.user_of(officer))
    assert "même ville" in client.get(reverse("duplicates")).content.decode()
    client.post(reverse("merge-organisations"), {"absorbed": two.pk, "kept": one.pk})
    two.refresh_from_db()
    assert two.merged_into == one and "même ville" not in client.get(reverse("duplicates")).content.decode()
    visitor = client.__class__()
    assert visitor.get(reverse("organisation", args=[two.pk])).url == reverse("organisation", args=[one.pk])
    client.post(reverse("undo-merge", args=[Merge.objects.get().pk]))
    two.refresh_from_db()
    assert two.merged_into is None
    client.post(reverse("not-duplicate"), {"first": two.pk, "second": one.pk})
    assert NotDuplicate.objects.get().first_id == min(one.pk, two.pk)
    assert "même ville" not in client.get(reverse("duplicates")).content.decode()


def test_a_merged_organisation_opens_no_mandate(officer):
    _, _, kept, gone, _ = world()
    invitation = Invitation.objects.create(
        email="a@exemple.test", organisation=gone, programme=f.PROGRAMME, role="reader", token_hash="x" * 64,
        created_at=clock.moment_on(DAY), expires_on=DAY,
    )  # fmt: skip
    actions.merge(gone, into=kept, by=officer, on=DAY)
    invitation.refresh_from_db()
    assert invitation.organisation_id == kept.pk
    assert not Mandate.objects.filter(organisation=gone).exists()
    with pytest.raises(Refused):
        actions.invite(gone, email="b@exemple.test", role="reader", by=officer, on=DAY, address=str)


def test_duplicates_of_fifteen_thousand_names_are_found_in_seconds():
    import time

    cards = [card(n, f"Entreprise {n * 7919 % 15000:05d} du Val", city=f"Ville {n % 90}") for n in range(15000)]
    began = time.monotonic()
    rules.likely_pairs(cards)
    assert time.monotonic() - began < 20


def test_sources_of_an_organisation_are_called_by_their_titles(client):
    from jalon.core.models import Source

    Source.objects.create(
        key="some-paper-of-2009", title="Un journal, 3 mai 2009", url="https://example.org/2009", kind="press"
    )
    made = f.make_organisation("Alpha Bois")
    made.sources = ["some-paper-of-2009"]
    made.save()
    page = html.unescape(client.get(reverse("organisation", args=[made.pk])).content.decode())
    assert "Un journal, 3 mai 2009" in page and ">some-paper-of-2009<" not in page
