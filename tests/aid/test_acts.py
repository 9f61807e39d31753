"""Acts of the ledger, of ownership and accounts, of a cluster's own aid: what is kept, what is refused and why."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from jalon.aid import access, actions, queries
from jalon.aid.models import Award, ClusterAid, OwnershipLink, SizeFigures
from jalon.core.errors import NotAllowed, Refused
from jalon.core.models import JournalEntry
from tests import factories as make
from tests.aid.world import figures, project_aid, small

pytestmark = pytest.mark.django_db


def plain(refusal):
    return str(refusal).replace("\u202f", " ").replace("\xa0", " ")


def test_an_award_is_kept_with_its_rules_and_its_reasons(world):
    award = project_aid(world, 60_000, title="Capteur embarqué", number="REG-2025-1", measure="SA.111723")
    assert (award.rule_set, award.category, award.size) == ("gber-2023", "industrial", "small")
    assert award.size_evidence == "Liasse fiscale 2023 ; Liasse fiscale 2024"
    assert "80" in award.why["fr"]["steps"][0]
    entry = JournalEntry.objects.filter(act="aid.recorded").get()
    assert entry.case == f"aid:{world.firm.pk}"
    assert entry.after["amount"] == "60000"


def test_two_funders_together_do_not_pass_the_ceiling(world):
    project_aid(world, 60_000)
    with pytest.raises(Refused) as refusal:
        project_aid(world, "20000.01", authority=world.city, by=world.city_agent)
    assert "0,01 € de trop" in plain(refusal.value)
    assert refusal.value.why.reference
    project_aid(world, 20_000, authority=world.city, by=world.city_agent)
    # another project has its own costs; a withdrawn award no longer counts
    other = project_aid(world, 80_000, case="project:autre")
    actions.withdraw_award(other, reason="Projet abandonné", by=world.region_agent, on=world.day)
    project_aid(world, 80_000, case="project:autre", authority=world.city, by=world.city_agent)


def test_an_award_says_all_that_it_lacks(world):
    with pytest.raises(Refused) as refusal:
        actions.record_award(
            world.firm,
            base="gber",
            amount=Decimal("0.001"),
            granted_on=world.day + dt.timedelta(days=1),
            instrument="cadeau",
            by=world.officer,
            on=world.day,
        )
    assert len(refusal.value.missing) == 5
    assert Award.objects.count() == 0


def test_no_rule_in_force_no_award(world):
    with pytest.raises(Refused, match="2027"):
        small(
            world,
            1,
            base="gber",
            bases={"industrial": Decimal(10)},
            granted_on=dt.date(2027, 2, 1),
            on=dt.date(2027, 3, 1),
        )


def test_an_unknown_size_gives_no_rate(world):
    stranger = make.make_organisation("Sans comptes")
    with pytest.raises(Refused, match="Sans comptes"):
        project_aid(world, 10, beneficiary=stranger)
    kept = project_aid(world, 10, beneficiary=stranger, size="medium", size_evidence="Attestation du 2 mai 2025")
    assert kept.size == "medium"


def test_de_minimis_is_counted_over_the_single_undertaking(world):
    sister = make.make_organisation("Filiale sœur")
    for owned in (world.firm, sister):
        actions.record_link(
            world.parent,
            owned,
            share=Decimal(80),
            starts_on=dt.date(2020, 1, 1),
            evidence="Statuts",
            by=world.manager,
            on=world.day,
        )
    small(world, 200_000, beneficiary=sister, granted_on=dt.date(2025, 1, 10))
    with pytest.raises(Refused) as refusal:
        small(world, 100_001)
    assert "au-delà du plafond de 300 000 €" in plain(refusal.value)
    assert [a.beneficiary for a in queries.small_awards(queries.undertaking(world.firm, world.day))] == ["Filiale sœur"]
    small(world, 100_000)
    gauge = queries.gauge(world.firm, world.day)
    assert (gauge.used, gauge.left) == (300_000, 0)
    assert {o.name for o in gauge.members} == {"Capteurs du Midi", "Groupe Ravel", "Filiale sœur"}


def test_a_loan_counts_for_its_equivalent(world):
    lent = {"instrument": "loan", "nominal": Decimal(750_000), "years": Decimal(5)}
    award = small(world, None, **lent)
    assert (award.amount, award.nominal, award.years) == (150_000, 750_000, 5)
    assert "750 000 € sur 5 ans" in plain(award.why["fr"]["steps"][0])
    assert award.why["to_confirm"]
    assert JournalEntry.objects.get(act="aid.recorded").after["nominal"] == "750000"
    with pytest.raises(Refused, match="refusée en entier"):
        small(world, None, **(lent | {"years": Decimal(6)}))  # the whole ceiling, on top of the half already used
    for wrong, words in (
        ({"instrument": "repayable_advance"}, "Aucune méthode n'est connue ici"),
        ({"years": Decimal(11)}, "d'au plus 10 ans"),
        ({"amount": 800_000}, "il ne peut pas le dépasser"),
        ({"base": "notified", "measure": "SA.1"}, "n'existe que pour le de minimis"),
    ):
        asked = lent | wrong
        with pytest.raises(Refused) as refusal:
            small(world, asked.pop("amount", None), **asked)
        assert words in plain(refusal.value)
    said = small(world, 20_000, instrument="repayable_advance", nominal=Decimal(90_000))
    assert queries.gauge(world.firm, world.day).used == 170_000 == award.amount + said.amount


def test_what_a_firm_declares_counts_and_is_never_refused(world):
    declared = small(
        world, 250_000, authority=None, authority_name="Chambre régionale", declared=True, by=world.member,
        granted_on=dt.date(2025, 2, 1),
    )  # fmt: skip
    assert declared.declared
    with pytest.raises(Refused, match="déclarée"):
        raise Refused(queries.gauge(world.firm, world.day).verdict.why.steps[1])
    with pytest.raises(Refused):
        small(world, 60_000)
    more = small(world, 90_000, authority=None, authority_name="État", declared=True, by=world.member)
    assert more.pk
    with pytest.raises(NotAllowed):
        small(
            world, 10, beneficiary=world.parent, authority=None, authority_name="État", declared=True, by=world.member
        )


def test_who_records_for_whom(world):
    with pytest.raises(NotAllowed):
        small(world, 10, by=world.city_agent)  # an award of the region
    with pytest.raises(NotAllowed):
        small(world, 10, by=world.director)
    award = small(world, 10, by=world.officer)
    with pytest.raises(NotAllowed):
        actions.withdraw_award(award, reason="Erreur", by=world.city_agent, on=world.day)
    with pytest.raises(Refused, match="motif"):
        actions.withdraw_award(award, reason=" ", by=world.region_agent, on=world.day)
    actions.withdraw_award(award, reason="Erreur de saisie", by=world.region_agent, on=world.day)
    with pytest.raises(Refused, match="déjà retirée"):
        actions.withdraw_award(award, reason="Encore", by=world.region_agent, on=world.day)


def test_who_reads_what(world):
    mine, theirs = small(world, 10), project_aid(world, 20, authority=world.city, by=world.city_agent)
    seen = {
        who: set(access.visible_to(getattr(world, who)))
        for who in ("manager", "region_agent", "member", "director", "reader")
    }
    assert seen == {
        "manager": {mine, theirs},
        "region_agent": {mine},
        "member": {mine, theirs},
        "director": set(),
        "reader": set(),
    }
    sheet = {
        who: set(access.awards_of(getattr(world, who), world.firm))
        for who in ("city_agent", "region_agent", "member", "director")
    }
    assert sheet == {"city_agent": {mine, theirs}, "region_agent": {mine}, "member": {mine, theirs}, "director": set()}


def test_a_number_is_taken_once_per_funder(world):
    small(world, 10, number="A1")
    with pytest.raises(Refused, match="A1"):
        small(world, 10, number="A1")
    small(world, 10, number="A1", authority=world.city, by=world.city_agent)


def test_publication_is_noted_between_granting_and_today(world):
    award = small(world, 150_000)
    with pytest.raises(Refused, match="attendu un jour entre"):
        actions.publish_award(award, published_on=world.day - dt.timedelta(days=1), by=world.region_agent, on=world.day)
    assert (
        actions.publish_award(award, published_on=world.day, by=world.region_agent, on=world.day).published_on
        == world.day
    )


def test_circular_ownership_is_refused_by_name(world):
    third = make.make_organisation("Holding Tierce")

    def link(owner, owned, share, **more):
        return actions.record_link(
            owner, owned, share=Decimal(share), evidence="Registre", by=world.manager, on=world.day, **more
        )

    first = link(world.parent, world.firm, 60, starts_on=dt.date(2020, 1, 1))
    link(third, world.parent, 55, starts_on=dt.date(2021, 1, 1))
    with pytest.raises(Refused) as refusal:
        link(world.firm, third, 30, starts_on=dt.date(2019, 1, 1))
    assert "Détention circulaire" in plain(refusal.value)
    for name in ("Capteurs du Midi", "Holding Tierce", "Groupe Ravel", "→"):
        assert name in plain(refusal.value)
    link(world.firm, third, 10, starts_on=dt.date(2019, 1, 1))  # below the partner share: harmless
    with pytest.raises(Refused, match="se détiendrait"):
        link(world.firm, world.firm, 10)
    with pytest.raises(Refused, match="au plus 100"):
        link(third, world.firm, 41)
    with pytest.raises(Refused, match="pas complet"):
        actions.record_link(third, world.firm, by=world.manager, on=world.day)
    closed = actions.close_link(first, ends_on=dt.date(2024, 12, 31), by=world.manager, on=world.day)
    link(world.firm, third, 30, starts_on=dt.date(2025, 1, 1))  # the circle is no longer one
    assert closed.ends_on == dt.date(2024, 12, 31)
    assert OwnershipLink.objects.filter(superseded_at__isnull=False).count() == 1


def test_the_size_on_a_day_follows_ownership_and_accounts(world):
    assert queries.size_at(world.firm, world.day).category == "small"
    figures(world, world.parent, world.day.year - 2, 300, 60_000_000, 50_000_000)
    figures(world, world.parent, world.day.year - 1, 300, 60_000_000, 50_000_000)
    actions.record_link(
        world.parent,
        world.firm,
        share=Decimal(30),
        starts_on=dt.date(2025, 3, 1),
        evidence="Pacte",
        by=world.member,
        on=world.day,
    )
    found = queries.size_at(world.firm, world.day)
    assert (found.category, found.source, found.for_aid) == ("medium", "computed", "medium")
    assert found.national.category == "pme"
    assert queries.size_at(world.firm, dt.date(2025, 2, 28)).category == "small"
    assert "Liasse fiscale" in found.evidence


def test_the_size_recorded_with_its_evidence_stands_where_accounts_are_not_known(world):
    other = make.make_organisation("Sans comptes")
    assert queries.size_at(other, world.day).source == "unknown"
    make.make_size(other, "medium", dt.date(2025, 1, 1))
    found = queries.size_at(other, world.day)
    assert (found.category, found.source, found.evidence) == ("medium", "recorded", "Liasse fiscale")


def test_accounts_are_corrected_by_a_new_version(world):
    figures(world, world.firm, 2024, 45)
    rows = SizeFigures.objects.filter(organisation=world.firm, year=2024)
    assert [r.headcount for r in rows.filter(superseded_at__isnull=True)] == [45]
    assert rows.count() == 2
    with pytest.raises(Refused) as refusal:
        actions.record_figures(world.firm, 2025, headcount=Decimal(-1), by=world.member, on=world.day)
    assert len(refusal.value.missing) == 3


def test_a_clusters_own_aid(world):
    for year, cost, aid in ((2023, 1_000_000, 400_000), (2024, 1_000_000, 600_000)):
        actions.record_cluster_year(
            world.cluster,
            year,
            "operating",
            eligible=Decimal(cost),
            evidence="Comptes",
            by=world.director,
            on=world.day,
        )
        actions.record_cluster_aid(
            world.cluster, year, "operating", funder=world.region, amount=Decimal(aid), evidence="Convention",
            by=world.director, on=world.day,
        )  # fmt: skip
    from jalon.aid import rules
    from jalon.people.access import policy

    verdict = rules.cluster_aid(policy(), queries.cluster_lines(world.cluster), world.day)
    assert verdict.checks[0].holds
    assert verdict.checks[0].share == 50
    assert verdict.years == 2
    actions.record_cluster_aid(
        world.cluster,
        2024,
        "operating",
        funder=world.city,
        amount=Decimal(1),
        evidence="Convention",
        by=world.officer,
        on=world.day,
    )
    assert not rules.cluster_aid(policy(), queries.cluster_lines(world.cluster), world.day).checks[0].holds
    with pytest.raises(Refused) as refusal:
        actions.record_cluster_year(
            world.cluster, 2022, "operating", eligible=Decimal(1), counted=False, by=world.director, on=world.day
        )
    assert len(refusal.value.missing) == 2
    with pytest.raises(NotAllowed):
        actions.record_cluster_year(
            world.cluster, 2022, "operating", eligible=Decimal(1), evidence="x", by=world.region_agent, on=world.day
        )


def test_the_database_itself_refuses_what_cannot_be(world):
    award = small(world, 10)
    for change in ({"amount": 0}, {"base": "autre"}, {"authority": None}, {"withdrawn_on": world.day}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Award.objects.filter(pk=award.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        OwnershipLink.objects.create(owner=world.firm, owned=world.firm, share=1, recorded_at=award.recorded_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        ClusterAid.objects.create(
            cluster=world.cluster,
            year=2024,
            kind="operating",
            funder=world.region,
            amount=-1,
            recorded_at=award.recorded_at,
        )
