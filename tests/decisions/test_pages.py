"""Pages of decisions: what they lead to, what they keep from whom, and what they cost."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jalon.decisions import actions, effects
from jalon.decisions.models import Effect
from jalon.evaluations.models import Campaign, Evaluation, Finding, Hearing
from tests import factories as make
from tests.decisions.world import DAY, bounded, decided, proposed, withdrawal

pytestmark = pytest.mark.django_db


def evaluated(cluster, text="La stratégie manque."):
    """A published evaluation of the cluster whose hearing is closed, with one finding that stands and one settled."""
    campaign, _ = Campaign.objects.get_or_create(
        code="c2008",
        defaults={
            "programme": make.PROGRAMME, "title_fr": "C", "title_en": "C", "evaluation": "2008", "policy_day": DAY,
            "opened_on": DAY, "state": "published", "published_on": DAY, "created_at": make.clock.moment_on(DAY),
        },
    )  # fmt: skip
    one = Evaluation.objects.create(
        campaign=campaign, cluster=cluster, state="published", published_on=DAY, group="3", origin="recorded"
    )
    hearing = Hearing.objects.create(evaluation=one, cluster=cluster, state="closed", closed_on=DAY)
    Finding.objects.create(hearing=hearing, number=1, text=text, outcome="maintained")
    Finding.objects.create(hearing=hearing, number=2, text="Point réglé.", outcome="settled")
    return one, hearing


def test_a_decision_leads_to_what_it_rests_on_and_to_what_it_did(world, signed_in):
    one, hearing = evaluated(world.gamma)
    line = withdrawal(world, basis=effects.basis_of(world.gamma, "2008"))
    file = actions.open_decision(
        title="Retrait", slug="retrait", campaign="2008", lines=[line], by=world.officer, on=DAY
    )
    actions.submit(file, by=world.officer, on=DAY)
    actions.opine(file, "gti", "favourable", by=world.expert, on=DAY)
    address = reverse("decision", args=[file.slug])
    asked = signed_in(world.authority).get(address).content.decode()
    assert "La stratégie manque." in asked and "Point réglé." not in asked  # who decides reads what it rests on
    actions.decide(
        file, authority="interministerial-committee", reference="CIADT", decided_on=DAY, published_on=DAY,
        by=world.authority, on=DAY,
    )  # fmt: skip
    shown = signed_in(world.officer).get(address).content.decode()
    for url in (
        reverse("evaluation", args=[one.pk]),
        reverse("hearing", args=[hearing.pk]),
        reverse("contract", args=[world.contract.slug]),
        reverse("label", args=[world.label.code]),
        reverse("campaign", args=["c2008"]),
    ):
        assert f'href="{url}"' in shown, url
    own = signed_in(world.director).get(address).content.decode()
    assert reverse("hearing", args=[hearing.pk]) in own and "La stratégie manque." in own
    for somebody in (world.other_director, world.company, None):
        told = signed_in(somebody).get(address).content.decode()
        assert reverse("evaluation", args=[one.pk]) in told  # published
        assert "La stratégie manque." not in told and reverse("hearing", args=[hearing.pk]) not in told


def test_the_effects_that_everybody_reads_name_no_project_under_review(world, signed_in):
    file = decided(world)
    line = file.lines.get()
    for order, on in enumerate(("request", "project", "draft"), 50):
        Effect.objects.create(
            line=line, order=order, on=on, target="x", said_fr=f"SECRET {on}", said_en="SECRET", done=True
        )
    pages = [
        reverse("decision", args=[file.slug]),
        reverse("decision", args=[file.slug]) + "?format=json",
        reverse("decision-effects", args=[file.slug]),
        reverse("decision-effects", args=[file.slug]) + "?format=csv",
    ]
    for who, reads in (
        (world.officer, True),
        (world.correspondent, True),
        (None, False),
        (world.other_director, False),
    ):
        client = signed_in(who)
        for address in pages:
            answer = client.get(address)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert (b"SECRET request" in body) == reads, (address, who)
            assert b"ontrat" in body or b"contrat" in body.lower()


def test_pages_cost_the_same_whatever_the_number_of_lines(world, signed_in):
    few = proposed(world, slug="peu")
    lines = []
    for n in range(4):
        cluster = make.make_cluster(f"autre-{n}", label=True)
        bounded(cluster)
        evaluated(cluster)
        lines.append(withdrawal(world, cluster, basis=effects.basis_of(cluster, "2008")))
    many = proposed(world, *lines, slug="beaucoup")
    client = signed_in(world.officer)

    def cost(*address):
        client.get(reverse(*address[:1], args=address[1:]))  # what is read once per process
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(reverse(*address[:1], args=address[1:])).status_code == 200
        return len(seen)

    listed = cost("decision-files")
    assert (
        cost("decision", many.slug) <= cost("decision", few.slug) + 1
    )  # the findings, which the first file does not have
    assert cost("decision-effects", many.slug) <= cost("decision-effects", few.slug) + 1
    for n in range(6):
        proposed(world, withdrawal(world, world.delta), slug=f"de-plus-{n}")
    assert cost("decision-files") == listed <= 16
    before = cost("cluster-timeline", world.delta.slug)
    bounded(world.delta)
    decided(
        world,
        actions.NewLine(
            "extend", dt.date(2012, 1, 1), dt.date(2012, 12, 31), cluster=world.delta, label=world.other_label
        ),
    )
    assert cost("cluster-timeline", world.delta.slug) <= before + 2


def test_a_decision_does_not_come_before_its_proposal(world):
    from jalon.core.errors import Refused

    file = proposed(world)
    with pytest.raises(Refused, match="précède la proposition"):
        actions.decide(
            file, authority="interministerial-committee", reference="CIADT",
            decided_on=DAY - dt.timedelta(days=1), by=world.authority, on=DAY,
        )  # fmt: skip


def test_the_authority_decides_on_its_page(world, signed_in):
    """By the page itself: there the actor stands behind a lazy stand-in, which the acts have to bear."""
    file = proposed(world)
    answer = signed_in(world.authority).post(
        reverse("decision-decide", args=[file.slug]),
        {
            "authority": "interministerial-committee", "reference": "CIADT d'essai", "decided_on": DAY.isoformat(),
            "published_on": DAY.isoformat(), "publication": "", "rev": file.rev,
        },
        follow=True,
    )  # fmt: skip
    assert answer.status_code == 200 and "CIADT d&#x27;essai" in answer.content.decode()
    file.refresh_from_db()
    assert file.state == "decided" and file.lines.get().effects.filter(done=True).exists()
