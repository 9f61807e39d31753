"""Pages of State aid: the public calculator, the ledger and its export, an organisation's sheet, what is typed and kept."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.urls import reverse

from jalon.aid import actions
from jalon.aid.models import Award, OwnershipLink, SizeFigures
from tests.aid.world import project_aid, small

pytestmark = pytest.mark.django_db


def text(response):
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode("utf-8-sig").replace("\u202f", " ").replace("\xa0", " ").replace("&#x27;", "'")


def test_the_calculator_says_the_rate_and_why_to_everybody(world, signed_in):
    visitor = signed_in()
    address = reverse("aid-calculator")
    page = text(
        visitor.get(
            address,
            {
                "research": "industrial",
                "size": "small",
                "bonus": "collaboration",
                "on": "2024-01-01",
                "cost": "1 000,55",
            },
        )
    )
    assert "80 %" in page
    assert "800,44 €" in page
    assert "Somme 85 %, ramenée au plafond de 80 %" in page
    refused = visitor.get(
        address, {"research": "industrial", "size": "small", "bonus": ["collaboration", "region"], "on": "2024-01-01"}
    )
    assert refused.status_code == 400
    assert "ne se cumulent pas" in text(refused)
    late = visitor.get(address, {"research": "industrial", "size": "small", "on": "2027-01-01"})
    assert "Aucun texte adopté" in text(late)
    data = json.loads(
        text(visitor.get(address, {"research": "experimental", "size": "large", "on": "2024-01-01", "format": "json"}))
    )
    assert (data["rate"], data["rule_set"]) == (25, "gber-2023")
    assert visitor.get(address, {"on": "hier"}).status_code == 400


def test_thresholds_of_a_day(world, signed_in):
    page = text(signed_in().get(reverse("aid-thresholds"), {"on": "2024-01-01"}))
    assert "35 000 000 €" in page
    assert "300 000 €" in page
    rows = list(
        csv.reader(
            io.StringIO(text(signed_in().get(reverse("aid-thresholds"), {"on": "2020-01-01", "format": "csv"}))),
            delimiter=";",
        )
    )
    assert ["cluster", "Pôle d'innovation", "27"] in [row[:3] for row in rows]


def test_the_ledger_shows_what_is_ones_own_and_exports_annex_iii(world, signed_in):
    project_aid(world, 60_000, title="=HYPERLINK()", number="REG-1", measure="SA.111723")
    small(world, 150_000, authority=world.city, by=world.city_agent)
    client = signed_in(world.manager)
    page = text(client.get(reverse("aid-ledger")))
    assert "2 aides" in page
    assert "1 aide reste à publier" in page
    assert "1 aide" in text(client.get(reverse("aid-ledger"), {"q": "REG-1"}))
    assert "Aucune aide ne répond" in text(client.get(reverse("aid-ledger"), {"year": "1999"}))
    rows = list(csv.reader(io.StringIO(text(client.get(reverse("aid-ledger"), {"format": "csv"}))), delimiter=";"))
    head, lines = rows[0], rows[1:]
    assert [h.split(".")[0] for h in head[:12]] == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "10", "11"]
    row = next(line for line in lines if line[12] == "SA.111723")
    assert row[2:5] == ["PME", "Midi-Pyrénées", "26.5"]
    assert row[8] == "Recherche industrielle"
    assert len(lines) == 2
    assert (
        len(
            list(
                csv.reader(
                    io.StringIO(text(signed_in(world.region_agent).get(reverse("aid-ledger"), {"format": "csv"})))
                )
            )
        )
        == 2
    )


def test_the_ledger_costs_the_same_queries_whatever_its_length(world, signed_in, django_assert_max_num_queries):
    for n in range(12):
        small(world, 100 + n)
    client = signed_in(world.manager)
    with django_assert_max_num_queries(22):
        client.get(reverse("aid-ledger"))
    with django_assert_max_num_queries(36):
        client.get(reverse("aid-organisation", args=[world.firm.pk]))


def test_the_sheet_of_an_organisation(world, signed_in):
    actions.record_link(world.parent, world.firm, share=60, evidence="Statuts", by=world.manager, on=world.day)
    small(world, 120_000, beneficiary=world.parent)
    page = text(signed_in(world.member).get(reverse("aid-organisation", args=[world.firm.pk])))
    assert "120 000 € sur 300 000 €, il reste 180 000 €" in page
    assert "Groupe Ravel" in page
    assert "effectif" in page  # the parent's accounts are missing: the size is not guessed
    assert "personne n'a déclarées" in page
    assert "<svg" in page


def form(world, **more):
    return {
        "authority": world.region.name,
        "base": "de_minimis",
        "amount": "12 500,50",
        "granted_on": "2025-06-01",
        "instrument": "grant",
    } | more


def test_an_award_is_typed_in_french_and_kept(world, signed_in):
    client = signed_in(world.region_agent)
    address = reverse("aid-award-new", args=[world.firm.pk])
    assert client.post(address, form(world)).status_code == 302
    assert str(Award.objects.get().amount) == "12500.50"
    refused = client.post(address, form(world, amount="290 000"))
    assert refused.status_code == 400
    assert "au-delà du plafond de 300 000 €" in text(refused)
    assert 'value="290 000"' in text(refused).replace("290\u202f000", "290 000")
    wrong = text(client.post(address, form(world, amount="douze", authority="Personne")))
    assert "Trouvé « douze », attendu un nombre" in wrong
    assert "Trouvé « Personne »" in wrong
    assert Award.objects.count() == 1


def test_a_firm_declares_its_aid_its_accounts_and_its_owners(world, signed_in):
    client = signed_in(world.member)
    firm = world.firm.pk
    client.post(reverse("aid-award-new", args=[firm]), form(world, authority="", authority_name="Chambre"))
    assert Award.objects.get().declared
    client.post(
        reverse("aid-figures-new", args=[firm]),
        {"year": "2023", "headcount": "44,5", "turnover": "", "balance": "1", "evidence": "Comptes"},
    )
    kept = SizeFigures.objects.get(organisation=firm, year=2023, superseded_at=None)
    assert (str(kept.headcount), kept.turnover) == ("44.50", None)
    link = {
        "way": "owner",
        "other": world.parent.name,
        "share": "25,5",
        "owner_kind": "firm",
        "kind": "holding",
        "evidence": "Pacte",
    }
    client.post(reverse("aid-link-new", args=[firm]), link)
    assert OwnershipLink.objects.get().owner == world.parent
    circle = client.post(reverse("aid-link-new", args=[firm]), link | {"way": "owned", "share": "30"})
    assert circle.status_code == 400
    assert "Détention circulaire" in text(circle)


def test_the_page_of_a_clusters_own_aid(world, signed_in):
    client = signed_in(world.director)
    address = reverse("aid-cluster", args=[world.cluster.slug])
    client.post(
        address,
        {
            "year": "2024",
            "kind": "operating",
            "area": "",
            "eligible": "1 000 000",
            "funder": world.region.name,
            "amount": "500 001",
            "evidence": "Comptes",
        },
    )
    page = text(client.get(address))
    assert "1 € de trop" in page
    assert "1 an compté" in page
    nothing = text(client.post(address, {"year": "2024", "kind": "operating", "area": "", "evidence": "x"}))
    assert "Donnez les coûts admissibles, ou l'aide d'un financeur" in nothing


def test_a_programme_without_aid_says_so(world, signed_in, settings):
    settings.PROGRAMME = "example-nordlys"
    page = signed_in().get(reverse("aid-calculator"))
    assert page.status_code == 400
    assert "aid.yaml" in text(page)
