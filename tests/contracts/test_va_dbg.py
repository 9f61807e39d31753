import datetime as dt, re, html
import pytest
from django.urls import reverse
from tests.contracts import world as w
from tests.contracts.test_pages import sign_in
@pytest.mark.django_db
def test_x(client):
    world = w.make_world()
    from jalon.clusters.models import LabelPeriod
    LabelPeriod.objects.update(ends_on=dt.date(2009, 12, 31))
    sign_in(client, world.correspondent)
    data = {"cluster": world.cluster.pk,"phase": "phase-2","starts_on": "2009-01-01","ends_on": "2011-12-31","state": world.state.pk,"state_signatory": "préfet de région","authorities": [world.region.pk],"governance_signatory": "présidente du pôle","title": "Contrat du pôle"}
    a = client.post(reverse("contract-new"), data)
    print(re.sub(r"\s+"," ",re.sub("<[^>]+>"," ",re.search(r"<main.*?</main>",a.content.decode(),re.S)[0]))[:900])
