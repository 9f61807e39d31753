"""Every address × every role × the expected answer. A new address without its row fails.

The rows stand in ``matrix.yaml`` and, for the packages above contracts, in ``matrix_<package>.yaml``. To add one: its name, its arguments, what it is asked (GET or POST with data), and
who gets what. The answers are:

    200, 403, 404, 405   that status
    sign-in              sent to the sign-in page
    moved                sent elsewhere
    done                 answered by the act itself: done, or refused for want of data, never for want of rights

``others`` is everybody not named. ``visitor`` has no account; ``other_team`` and ``other_authority`` belong to another
cluster and to an authority that is no party. A row whose name carries a suffix (``contract@signed``) asks the same
address with other arguments.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client, TestCase, override_settings
from django.urls import get_resolver, reverse

from tests.access import world as small

WHO = (small.VISITOR, *small.ROLES, *small.OTHERS)


def patterns(found=None):
    """The names of all addresses; one without a name is a fault."""
    names = []
    for one in get_resolver().url_patterns if found is None else found:
        if hasattr(one, "url_patterns"):
            names += patterns(one.url_patterns)
        else:
            names.append(one.name or f"without name: {one.pattern}")
    return names


def load():
    import yaml

    rows = {}
    for path in sorted(Path(__file__).parent.glob("matrix*.yaml")):
        with open(path, encoding="utf-8") as file:
            more = yaml.safe_load(file) or {}
        assert not rows.keys() & more.keys(), f"{path.name}: rows that another file has: {rows.keys() & more.keys()}"
        rows |= more
    return rows


ROWS = load()


def answer_of(response):
    """What the response is, in the words of the matrix."""
    if response.status_code in (301, 302, 303):
        return "sign-in" if response.url.startswith("/connexion/?next=") else "moved"
    return response.status_code


def fits(found, expected):
    if expected == "done":
        return found in ("moved", 200, 400, 409)
    return found == expected


@override_settings(MEDIA_ROOT=tempfile.mkdtemp(prefix="jalon-access-"))
class Matrix(TestCase):
    """One test per row: the address asked by everybody, each time on the same data set."""

    @classmethod
    def setUpTestData(cls):
        cls.world = small.build()

    def ask(self, who, row, name):
        client = Client(raise_request_exception=True)
        if who != small.VISITOR:
            client.force_login(self.world.users[who])
        args = [str(a).format(**self.world.args) for a in row.get("args", [])]
        address = reverse(name.partition("@")[0], args=args) + row.get("query", "").format(**self.world.args)
        if "POST" not in row:
            return client.get(address)
        data = {k: str(v).format(**self.world.args) for k, v in (row["POST"] or {}).items()}
        for key in row.get("files", []):
            data[key] = SimpleUploadedFile("essai.csv", b"nom;type\nEssai;PME\n", "text/csv")
        return client.post(address, data)

    def check_row(self, name):
        row = ROWS[name]
        wrong = []
        for who in WHO:
            expected = row["answers"].get(who, row["answers"].get("others"))
            with transaction.atomic():
                response = self.ask(who, row, name)
                found = answer_of(response)
                if response.streaming:
                    b"".join(response.streaming_content)
                for close in response._resource_closers:  # files; response.close() would close the database as well
                    close()
                transaction.set_rollback(True)
            if not fits(found, expected):
                wrong.append(f"{who}: {found} instead of {expected}")
        self.assertEqual(wrong, [], f"{name}: " + "; ".join(wrong))


def _add(name):
    def test(self):
        self.check_row(name)

    test.__name__ = "test_" + name.replace("-", "_").replace("@", "_at_")
    setattr(Matrix, test.__name__, test)


for _name in ROWS:
    _add(_name)


def test_every_address_has_its_row():
    missing = sorted(set(patterns()) - {name.partition("@")[0] for name in ROWS})
    assert missing == [], f"no row in tests/access/matrix.yaml for {', '.join(missing)}"


def test_every_row_has_its_address():
    gone = sorted({name.partition("@")[0] for name in ROWS} - set(patterns()))
    assert gone == [], f"no such address: {', '.join(gone)}"


def test_every_row_says_what_everybody_gets():
    for name, row in ROWS.items():
        known = set(row["answers"])
        assert known <= {*WHO, "others"}, f"{name}: {known - set(WHO)}"
        assert "others" in known or set(WHO) <= known, f"{name}: some role has no expected answer"
