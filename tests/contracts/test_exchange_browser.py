"""A changed workbook handed in, previewed and proposed, in a real browser."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from jalon.contracts import actions
from jalon.contracts.exchange.workbook import write
from jalon.contracts.models import Proposal
from tests.contracts import world as w
from tests.contracts.test_exchange_workbook import column, rewritten, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page, live_server, actor):
    client = Client()
    client.force_login(w.f.user_of(actor))
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": live_server.url,
            }
        ]
    )


@pytest.mark.parametrize("wide", [1280, 390])
def test_a_workbook_goes_out_and_comes_back(new_page, live_server, axe, picture, tmp_path, wide):
    world = w.negotiated(w.make_world())
    text = world.text
    data = write(text.content, slug=text.contract.slug, text_number=0, rev=text.rev, simulated=False)

    def change(sheets):
        rows = sheets["Indicateurs"]
        row_of(rows, "i90")[column(rows, "targets/2011")] = 250
        row_of(rows, "i90")[column(rows, "targets/2010")] = 180
        rows = sheets["Articles"]
        row = row_of(rows, "object")
        row[column(rows, "body")] = (
            str(row[column(rows, "body")]).replace("réciproques", "mutuels") + " Une phrase de plus."
        )
        rows = sheets["Engagements"]
        row_of(rows, "c1")[column(rows, "amounts/2010")] = -5
        rows = sheets["Objectifs"]
        new = [""] * len(rows[1])
        new[column(rows, "title")] = "Ouvrir le pôle aux marchés européens"
        rows.append(new)

    file = tmp_path / "contrat.xlsx"
    file.write_bytes(rewritten(data, change))
    waiting = actions.propose(
        world.text, [("indicators/i90/targets/2010", "170")], by=world.director, on=w.START, reason="Crise"
    )
    actions.accept(waiting[0], by=world.correspondent, on=w.START)
    page = new_page(viewport={"width": wide, "height": 844})
    sign_in(page, live_server, world.director)
    page.goto(reverse("contract-exchange", args=[text.contract.slug]))
    axe(page)
    picture(page, f"exchange-{wide}")
    page.set_input_files("#file", str(file))
    page.locator("main button.primary").click()
    page.wait_for_url("**/apercu/**")
    axe(page)
    picture(page, f"exchange-preview-{wide}")
    assert page.locator("input[name=take]").count() == 3
    assert page.locator("input[name=overrule]").count() == 1
    page.fill("#reason", "La crise a retardé les recrutements.")
    page.check("#without")
    page.locator("main button.primary").click()
    page.wait_for_url(f"**/contrats/{text.contract.slug}/")
    assert Proposal.objects.filter(state="open").count() == 3
