"""Acts of the register: what they write, what they refuse, who may; and the reads that depend on who asks."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from jalon.clusters import access, actions, queries
from jalon.clusters.models import Carrier, Cluster, Correspondent, LabelAct, LabelPeriod, Seat, TeamPost
from jalon.core.errors import NotAllowed, Refused
from jalon.core.journal import breaks
from jalon.core.models import JournalEntry
from tests.factories import (
    DAY,
    carrier_of,
    live_on,
    make_actor,
    make_cluster,
    make_contract,
    make_correspondent,
    make_mandate,
    make_organisation,
    user_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(db):
    live_on()
    return make_actor("national_officer")


@pytest.fixture
def cluster(db):
    live_on()
    return make_cluster("alpha", label=True)


def day(text):
    return dt.date.fromisoformat(text)


# --- labels ------------------------------------------------------------------------------------------------------


def test_a_withdrawal_ends_the_period_on_the_day_before_and_keeps_what_was_known(officer, cluster):
    label = cluster.labels.get()
    actions.record_label_act(
        label, act="withdrawn", effective_from=day("2010-06-15"), decided_on=day("2010-06-14"), reference="Décision",
        by=officer, on=DAY,
    )  # fmt: skip
    current = LabelPeriod.objects.get(label=label, superseded_at=None)
    assert current.ends_on == day("2010-06-14")
    assert queries.standings(day("2010-06-14"))[cluster.pk].status == "in_force"
    assert queries.standings(day("2010-06-15"))[cluster.pk].status == "withdrawn"
    # on the day before the act was recorded, nobody knew
    assert queries.standings(day("2010-06-20"), known_on=day("2010-06-29"))[cluster.pk].status == "in_force"
    entry = JournalEntry.objects.get(case=f"label:{label.code}")
    assert (entry.act, entry.user_id, entry.on) == ("label.withdrawn", officer.user_id, DAY)
    assert list(breaks()) == []


def test_an_extension_after_a_dated_grant(officer, cluster):
    label = actions.create_label(
        [cluster], code="p2-alpha", name="Alpha", tier="national", effective_from=day("2010-01-01"),
        until=day("2010-12-31"), decided_on=None, reference="Arrêté", by=officer, on=DAY,
    )  # fmt: skip
    with pytest.raises(Refused):
        actions.record_label_act(
            label, act="extended", effective_from=day("2010-12-31"), until=day("2011-12-31"), reference="Avis",
            by=officer, on=DAY,
        )  # fmt: skip
    actions.record_label_act(
        label, act="extended", effective_from=day("2011-01-01"), until=day("2011-12-31"), reference="Avis",
        by=officer, on=DAY,
    )  # fmt: skip
    periods = label.periods.filter(superseded_at=None).order_by("starts_on")
    assert [(p.starts_on.year, p.ends_on.year) for p in periods] == [(2010, 2010), (2011, 2011)]
    assert label.phase == "phase-2"


def test_a_joint_label_has_several_holders(officer, cluster):
    other = make_cluster("beta")
    label = actions.create_label(
        [cluster, other], code="p4-joint", name="Alpha et Beta", tier="", effective_from=day("2010-06-01"), until=None,
        decided_on=None, source_title="Liste publiée", source_url="https://exemple.test/liste", by=officer, on=DAY,
    )  # fmt: skip
    row = next(r for r in queries.labels_on(DAY).labels if r.label == label)
    assert {c.slug for c in row.holders} == {"alpha", "beta"}
    assert queries.sources_of(row.sources)[row.sources[0]].title == "Liste publiée"


def test_an_act_without_reference_nor_source_is_refused_and_writes_nothing(officer, cluster):
    with pytest.raises(Refused, match=r"référence|reference"):
        actions.record_label_act(
            cluster.labels.get(), act="withdrawn", effective_from=day("2010-06-15"), by=officer, on=DAY
        )
    assert LabelAct.objects.count() == 1
    assert not JournalEntry.objects.filter(act="label.withdrawn").exists()


def test_a_correction_is_a_new_version_and_the_old_one_stays(officer, cluster):
    label = cluster.labels.get()
    old = label.acts.get()
    actions.record_label_act(
        label, act="granted", effective_from=day("2005-07-12"), until=day("2010-12-31"), decided_on=day("2005-07-12"),
        reference="Texte relu", by=officer, on=DAY, replaces=old,
    )  # fmt: skip
    assert label.acts.count() == 2 and label.acts.filter(superseded_at=None).count() == 1
    known = LabelPeriod.objects.filter(label=label)
    assert known.get(superseded_at=None).ends_on == day("2010-12-31")
    assert known.exclude(superseded_at=None).get().ends_on is None
    with pytest.raises(Refused):
        old.refresh_from_db()
        actions.record_label_act(
            label, act="granted", effective_from=day("2005-07-12"), reference="Encore", by=officer, on=DAY, replaces=old
        )


@pytest.mark.parametrize("role", ["cluster_director", "state_correspondent", "reader", "local_authority", "admin"])
def test_only_the_keepers_of_the_register_record_label_acts(cluster, role):
    with pytest.raises(NotAllowed):
        actions.record_label_act(
            cluster.labels.get(), act="withdrawn", effective_from=DAY, reference="x",
            by=make_actor(role, cluster=cluster), on=DAY,
        )  # fmt: skip


# --- the sheet ---------------------------------------------------------------------------------------------------


def test_what_is_edited_on_screen_is_kept_from_loading(officer, cluster):
    changed = actions.edit_sheet(cluster, website="https://alpha.test", theme_fr="bois", by=officer, on=DAY)
    assert changed.website == "https://alpha.test" and {"website", "theme_fr"} <= set(changed.kept)
    assert "bois" in changed.search_key
    assert JournalEntry.objects.filter(case="cluster:alpha", act="cluster.edit").count() == 1
    actions.edit_sheet(changed, website="https://alpha.test", by=officer, on=DAY)
    assert JournalEntry.objects.filter(case="cluster:alpha", act="cluster.edit").count() == 1


def test_a_new_carrier_ends_the_one_before_on_the_day_before(officer, cluster):
    new = make_organisation("Nouvelle structure", "association")
    actions.set_carrier(cluster, new, starts_on=day("2010-07-01"), by=officer, on=DAY)
    rows = list(Carrier.objects.filter(cluster=cluster).order_by("starts_on"))
    assert [(r.organisation.name == "Nouvelle structure", r.ends_on) for r in rows] == [
        (False, day("2010-06-30")),
        (True, None),
    ]
    with pytest.raises(Refused):
        actions.set_carrier(cluster, new, starts_on=day("2010-09-01"), by=officer, on=DAY)


def test_a_correspondent_needs_a_mandate_of_the_state(officer, cluster):
    mandate = make_mandate("state_correspondent")
    made = actions.assign_correspondent(
        cluster, mandate.user, mandate.organisation, starts_on=day("2010-06-01"), by=officer, on=DAY
    )
    with pytest.raises(Refused):
        actions.assign_correspondent(cluster, mandate.user, mandate.organisation, starts_on=DAY, by=officer, on=DAY)
    outsider = make_mandate("cluster_team")
    with pytest.raises(Refused):
        actions.assign_correspondent(cluster, outsider.user, outsider.organisation, starts_on=DAY, by=officer, on=DAY)
    actions.end_correspondent(made, ends_on=DAY, by=officer, on=DAY)
    assert Correspondent.objects.get(pk=made.pk).ends_on == DAY


# --- team, governance, documents ---------------------------------------------------------------------------------


def test_the_team_keeps_its_posts_with_versions(cluster):
    director = make_actor("cluster_director", cluster=cluster)
    post = actions.add_post(
        cluster,
        title="Direction",
        fte=Decimal("1"),
        status="employed",
        starts_on=day("2009-01-01"),
        by=director,
        on=DAY,
    )
    lent = make_organisation("Grande entreprise")
    actions.add_post(
        cluster, title="Appui", fte=Decimal("0.5"), status="seconded", seconded_by=lent, starts_on=day("2009-01-01"),
        by=director, on=DAY,
    )  # fmt: skip
    team = queries.team_on(cluster, DAY)
    assert (team.employed, team.seconded, team.total) == (1, Decimal("0.5"), Decimal("1.5"))
    closed = actions.close_post(post, ends_on=day("2010-05-31"), by=director, on=DAY)
    assert TeamPost.objects.filter(cluster=cluster, superseded_at=None).count() == 2
    assert closed.recorded_at >= post.recorded_at
    assert queries.team_on(cluster, DAY).employed == 0
    with pytest.raises(Refused):  # the version read before was replaced meanwhile
        actions.close_post(post, ends_on=DAY, by=director, on=DAY)


@pytest.mark.parametrize(
    "fields",
    [
        {"fte": Decimal("0")},
        {"fte": Decimal("-1")},
        {"ends_on": dt.date(2008, 12, 31)},
        {"status": "volunteer"},
        {"status": "seconded"},
    ],
)
def test_impossible_posts_are_refused(cluster, fields):
    values = {"title": "Poste", "fte": Decimal("1"), "status": "employed", "starts_on": dt.date(2009, 1, 1), **fields}
    with pytest.raises(Refused):
        actions.add_post(cluster, **values, by=make_actor("cluster_team", cluster=cluster), on=DAY)
    assert TeamPost.objects.count() == 0


def test_no_post_means_unknown(cluster):
    assert queries.team_on(cluster, DAY).total is None


def test_an_unbalanced_board_warns_and_does_not_block(cluster):
    team = make_actor("cluster_team", cluster=cluster)
    board = actions.add_body(cluster, kind="board", title="Conseil d'administration", by=team, on=DAY)
    actions.add_seats(board, college="authority", number=3, starts_on=day("2009-01-01"), by=team, on=DAY)
    actions.add_seats(board, college="industry", number=2, starts_on=day("2009-01-01"), by=team, on=DAY)
    row = queries.governance_on(cluster, DAY)[0]
    assert row.check.answer is False and (row.check.preponderant, row.check.seats) == (2, 5)
    assert row.check.why.reading is True and row.check.why.reference
    actions.add_seats(board, college="research", number=2, starts_on=day("2009-01-01"), by=team, on=DAY)
    assert queries.governance_on(cluster, DAY)[0].check.answer is True
    authority = Seat.objects.filter(college="authority").first()
    actions.end_seat(authority, ends_on=day("2010-06-29"), by=team, on=DAY)
    assert queries.governance_on(cluster, DAY)[0].check.seats == 6


def test_mandates_in_the_wrong_order_and_unknown_colleges_are_refused(cluster):
    team = make_actor("cluster_team", cluster=cluster)
    board = actions.add_body(cluster, kind="board", title="CA", by=team, on=DAY)
    for fields in (
        {"college": "industry", "starts_on": DAY, "ends_on": day("2010-01-01")},
        {"college": "nobility", "starts_on": DAY},
        {"college": "industry", "starts_on": DAY, "number": 0},
        {"college": "industry", "starts_on": DAY, "number": 2, "organisation": make_organisation()},
    ):
        with pytest.raises(Refused):
            actions.add_seats(board, **fields, by=team, on=DAY)
    assert Seat.objects.count() == 0


def test_documents_are_read_by_those_whose_business_the_cluster_is(cluster):
    team = make_actor("cluster_team", cluster=cluster)
    upload = SimpleUploadedFile("statuts.pdf", b"%PDF-1.4 statuts")
    actions.add_document(
        cluster, kind="statutes", title="Statuts", dated=day("2009-03-01"), upload=upload, by=team, on=DAY
    )
    other = make_actor("cluster_team", cluster=make_cluster("autre"))
    assert access.documents_visible_to(team, cluster, DAY).count() == 1
    assert access.documents_visible_to(make_actor("state_correspondent", cluster=cluster), cluster, DAY).count() == 1
    assert access.documents_visible_to(other, cluster, DAY).count() == 0
    assert access.documents_visible_to(make_actor("reader"), cluster, DAY).count() == 0
    with pytest.raises(Refused):
        actions.add_document(
            cluster, kind="statutes", title="Demain", dated=day("2011-01-01"),
            upload=SimpleUploadedFile("s.pdf", b"%PDF"), by=team, on=DAY,
        )  # fmt: skip


# --- access ------------------------------------------------------------------------------------------------------


def test_each_side_has_its_own_clusters(cluster):
    other = make_cluster("beta")
    region = make_organisation("Région", "authority")
    make_contract(other, parties=[region.pk])
    director = make_actor("cluster_director", cluster=cluster)
    assert access.cluster_of_actor(director, DAY) == cluster
    for actor, slugs in (
        (director, {"alpha"}),
        (make_actor("state_correspondent", cluster=cluster), {"alpha"}),
        (make_actor("local_authority", organisation=region), {"beta"}),
        (make_actor("national_officer"), {"alpha", "beta"}),
        (make_actor("reader"), set()),
    ):
        assert {c.slug for c in access.clusters_of(actor, DAY)} == slugs, actor.role


def test_a_team_loses_its_cluster_when_the_carrier_changes(cluster):
    director = make_actor("cluster_director", cluster=cluster)
    Carrier.objects.filter(cluster=cluster).update(ends_on=day("2010-06-29"))
    assert access.cluster_of_actor(director, DAY) is None
    assert not access.can_edit_cluster(director, cluster, DAY)
    assert access.can_edit_cluster(director, cluster, day("2010-06-29"))


def test_a_correspondent_follows_from_a_day_to_a_day(cluster):
    mandate = make_mandate("state_correspondent")
    row = make_correspondent(cluster, mandate.user, mandate.organisation, starts_on=day("2010-01-01"))
    row.ends_on = day("2010-03-31")
    row.save()
    from jalon.people.queries import actor_of

    actor = actor_of(mandate.user, DAY)
    assert access.followed_by(actor, day("2010-03-31")).exists()
    assert not access.followed_by(actor, DAY).exists()


@pytest.mark.parametrize(
    ("role", "own", "others"),
    [
        ("national_officer", True, True),
        ("cluster_director", True, False),
        ("cluster_team", True, False),
        ("state_correspondent", True, False),
        ("prefect", False, False),
        ("local_authority", False, False),
        ("reader", False, False),
        ("admin", False, False),
    ],
)
def test_who_may_keep_a_sheet(cluster, role, own, others):
    actor = make_actor(role, cluster=cluster)
    assert access.can_edit_cluster(actor, cluster, DAY) is own
    assert access.can_edit_cluster(actor, make_cluster("beta"), DAY) is others


# --- tasks -------------------------------------------------------------------------------------------------------


def test_mandates_and_labels_that_end_wait_for_their_people(cluster, officer):
    director = make_actor("cluster_director", cluster=cluster)
    board = actions.add_body(cluster, kind="board", title="CA", by=director, on=DAY)
    actions.add_seats(
        board, college="industry", number=2, starts_on=day("2007-09-01"), ends_on=day("2010-08-20"), by=director, on=DAY
    )
    actions.add_seats(
        board, college="industry", starts_on=day("2007-09-01"), ends_on=day("2010-12-31"), by=director, on=DAY
    )
    label = cluster.labels.get()
    actions.record_label_act(
        label, act="granted", effective_from=day("2005-07-12"), until=day("2010-11-30"), reference="r", by=officer, on=DAY,
        replaces=label.acts.get(),
    )  # fmt: skip
    tasks = queries.tasks_for(director, DAY)
    assert [t.due_on for t in tasks] == [day("2010-08-20"), day("2010-11-30")]
    assert all(t.url and t.case for t in tasks)
    assert queries.tasks_for(make_actor("reader"), DAY) == []
    assert queries.tasks_for(make_actor("cluster_director", cluster=make_cluster("beta")), DAY) == []
    assert [t.due_on for t in queries.tasks_for(officer, DAY)] == [day("2010-08-20"), day("2010-11-30")]
    actions.record_label_act(
        label,
        act="extended",
        effective_from=day("2010-12-01"),
        until=day("2012-11-30"),
        reference="r",
        by=officer,
        on=DAY,
    )
    assert [t.due_on for t in queries.tasks_for(director, DAY)] == [day("2010-08-20")]


# --- pages on which the register is kept ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "sheet", "register"),
    [
        ("national_officer", 200, 200),
        ("cluster_director", 200, 403),
        ("state_correspondent", 200, 403),
        ("local_authority", 403, 403),
        ("reader", 403, 403),
        (None, 302, 302),
    ],
)
def test_each_page_answers_each_role(client, cluster, role, sheet, register):
    if role:
        client.force_login(user_of(make_actor(role, cluster=cluster)))
    for path in ("tenir", "equipe", "gouvernance", "documents"):
        assert client.get(f"/poles/alpha/{path}/").status_code == sheet, path
    for path in ("structure-porteuse", "correspondants", "labels"):
        assert client.get(f"/poles/alpha/{path}/").status_code == register, path
    assert client.get("/labels/alpha/acte/").status_code == register


def test_a_refused_form_keeps_what_was_typed(client, cluster):
    client.force_login(user_of(make_actor("cluster_director", cluster=cluster)))
    answer = client.post(
        "/poles/alpha/equipe/",
        {"title": "Chargé d'affaires", "fte": "0", "status": "employed", "starts_on": "2010-01-01"},
    )
    assert answer.status_code == 400
    assert "Chargé d" in answer.content.decode() and TeamPost.objects.count() == 0


def test_forms_write_through_the_acts(client, cluster):
    client.force_login(user_of(make_actor("cluster_director", cluster=cluster)))
    carrier = carrier_of(cluster)
    assert client.post("/poles/alpha/tenir/", {"website": "https://alpha.test"}).status_code == 302
    post = {
        "title": "Animation",
        "fte": "1.5",
        "status": "seconded",
        "seconded_by": carrier.name,
        "starts_on": "2010-01-01",
    }
    assert client.post("/poles/alpha/equipe/", post).status_code == 302
    assert client.post("/poles/alpha/gouvernance/", {"kind": "board", "title": "CA"}).status_code == 302
    board = cluster.bodies.get()
    seats = {"college": "industry", "number": "2", "starts_on": "2010-01-01"}
    assert client.post(f"/poles/alpha/gouvernance/{board.pk}/sieges/", seats).status_code == 302
    seat = Seat.objects.first()
    ending = client.post(f"/poles/alpha/gouvernance/mandats/{seat.pk}/clore/", {"ends_on": "2010-06-30"})
    assert ending.status_code == 302 and Seat.objects.filter(superseded_at=None, ends_on=DAY).count() == 1
    upload = {
        "kind": "statutes",
        "title": "Statuts",
        "dated": "2009-01-01",
        "file": SimpleUploadedFile("s.pdf", b"%PDF-1"),
    }
    assert client.post("/poles/alpha/documents/", upload).status_code == 302
    document = cluster.documents.get()
    found = client.get(f"/poles/alpha/documents/{document.pk}/")
    assert b"".join(found.streaming_content) == b"%PDF-1"
    client.logout()
    assert client.get(f"/poles/alpha/documents/{document.pk}/").status_code == 404
    acts = set(JournalEntry.objects.filter(case="cluster:alpha").values_list("act", flat=True))
    assert acts == {
        "cluster.edit", "team.add", "governance.body", "governance.seats", "governance.end", "document.add",
    }  # fmt: skip


def test_an_officer_records_an_act_by_the_form(client, cluster):
    client.force_login(user_of(make_actor("national_officer")))
    refused = client.post("/labels/alpha/acte/", {"act": "extended", "effective_from": "2010-01-01", "reference": "r"})
    assert refused.status_code == 400 and "chevauche" in refused.content.decode()
    done = client.post("/labels/alpha/acte/", {"act": "withdrawn", "effective_from": "2010-06-15", "reference": "Avis"})
    assert done.status_code == 302
    page = client.get("/poles/alpha/").content.decode()
    assert "Label retiré" in page
    granted = {
        "name": "Alpha bis", "code": "alpha-bis", "holders": "alpha", "tier": "national",
        "effective_from": "2010-06-20", "until": "2012-12-31", "reference": "Arrêté",
    }  # fmt: skip
    assert client.post("/poles/alpha/labels/", granted).status_code == 302
    wrong = client.post("/poles/alpha/labels/", {**granted, "holders": "personne"})
    assert wrong.status_code == 400 and "personne" in wrong.content.decode()


def test_an_unknown_organisation_lists_close_ones(client, cluster):
    make_organisation("Technopole du Sud", "association")
    client.force_login(user_of(make_actor("national_officer")))
    answer = client.post("/poles/alpha/structure-porteuse/", {"organisation": "Technopole", "starts_on": "2010-06-01"})
    assert answer.status_code == 400 and "Technopole du Sud" in answer.content.decode()


# --- a register that begins ----------------------------------------------------------------------------------------


def test_an_empty_register_begins_on_screen(client, db):
    live_on()
    assert "Inscrire un pôle" not in client.get("/poles/").content.decode()
    client.force_login(user_of(make_actor("national_officer")))
    assert "/poles/nouveau/" in client.get("/poles/").content.decode()
    typed = {"name": "Bêta", "slug": "Beta", "theme_fr": "bois", "city": "Guéret", "regions": ["74"]}
    half = client.post("/poles/nouveau/", typed | {"latitude": "46.17"})
    assert half.status_code == 400 and "latitude et une longitude" in half.content.decode()
    assert "Guéret" in half.content.decode()
    done = client.post("/poles/nouveau/", typed)
    assert done.status_code == 302 and done.url == "/poles/beta/labels/"
    found = Cluster.objects.get(slug="beta")
    assert found.search_key == "beta | bois | gueret" and found.territories.get().region_code == "74"
    assert JournalEntry.objects.get(case="cluster:beta").act == "cluster.add"
    granted = {
        "name": "Bêta", "code": "p2-beta", "holders": "beta", "effective_from": "2010-01-01", "reference": "Avis",
    }  # fmt: skip
    assert client.post(done.url, granted).status_code == 302
    assert queries.standings(DAY)[found.pk].status == "in_force"
    assert client.get("/poles/beta/").status_code == 200
    for slug, name in (("beta", "Autre"), ("autre", "BETA"), ("nouveau", "Nouveau")):
        again = client.post("/poles/nouveau/", {"name": name, "slug": slug})
        assert again.status_code == 400 and "déjà pris" in again.content.decode()
    assert Cluster.objects.count() == 1 and not list(breaks())


@pytest.mark.parametrize("role", ["cluster_director", "state_correspondent", "reader", "local_authority", "admin"])
def test_only_the_keepers_of_the_register_enter_a_cluster(cluster, role):
    with pytest.raises(NotAllowed):
        actions.create_cluster(name="Bêta", slug="beta", by=make_actor(role, cluster=cluster), on=DAY)


def test_a_region_of_another_time_is_refused(officer):
    with pytest.raises(Refused, match="n'est pas une région"):
        actions.create_cluster(name="Bêta", slug="beta", regions=["75", "999"], by=officer, on=DAY)
