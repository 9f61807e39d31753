"""What the served product lets in and says: outside the demonstration, and for another country's programme."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request

from tests import demonstration


class Visitor:
    """A browser without a screen: cookies, forms, pages."""

    def __init__(self, site):
        self.site = site
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, address):
        return self._open(urllib.request.Request(self.site.url + address))

    def post(self, address, **fields):
        token = next((c.value for c in self.jar if c.name == "csrftoken"), "")
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        return self._open(urllib.request.Request(self.site.url + address, data, {"Origin": self.site.url}))

    def _open(self, request):
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def test_no_click_signs_in_outside_the_demonstration(copy):
    """The accounts are there; the demonstration is over: no button, and no way round the button."""
    demonstration.python(
        copy,
        "from jalon.core import clock\nfrom jalon.core.models import Setting\nSetting.objects.filter(key=clock.KEY).delete()\n"
        "from jalon.people.models import User\nUser.objects.create(email='officer@ministry.example', name='Officer')",
    )
    with demonstration.served(copy, "--no-demo") as site:
        visitor = Visitor(site)
        status, page = visitor.get("/connexion/")
        assert status == 200 and "Comptes de la démonstration" not in page and 'name="role"' not in page
        status, _ = visitor.post("/connexion/demonstration/", role="national_officer")
        assert status in (403, 404)
        status, page = visitor.get("/accueil/")
        assert "Mon accueil</h1>" not in page
        assert "Se connecter" in page


def test_another_country_brings_its_own_words_and_currency(tmp_path):
    """A folder is enough: no code knows this programme. Its language, roles, periods, currency are its own."""
    home = tmp_path / "nordlys"
    home.mkdir()
    programme = {"JALON_PROGRAMME": "example-nordlys", "JALON_LANG": "en"}
    said = demonstration.jalon(home, "load", **programme)
    assert "accounts by role" in said
    with demonstration.served(home, **programme) as site:
        visitor = Visitor(site)
        visitor.get("/")
        visitor.post("/langue/", language="en", next="/")
        pages = {
            address: visitor.get(address) for address in ("/", "/poles/", "/contrats/", "/politique/", "/connexion/")
        }
        assert {address: status for address, (status, _) in pages.items()} == dict.fromkeys(pages, 200)
        everything = "".join(text for _, text in pages.values())
        assert "Nordlys" in pages["/"][1]
        assert "NOK" in pages["/politique/"][1]
        assert "Agency adviser" in pages["/connexion/"][1]
        for word in ("Pôles de compétitivité", "Préfet", "préfet", "DGCIS", "Aquitaine"):
            assert word not in everything, word
        status, page = visitor.post("/connexion/demonstration/", role="agency_adviser")
        assert status == 200 and "<h1" in page
        for address in ("/accueil/", "/mon-compte/", "/portefeuille/", "/contrats/nouveau/", "/organismes/"):
            assert visitor.get(address)[0] == 200, address
