"""Whoever sees an entry of the navigation can open it."""

from __future__ import annotations

import re
import tempfile

from django.test import Client, TestCase, override_settings

from tests.access import world as small


@override_settings(MEDIA_ROOT=tempfile.mkdtemp(prefix="jalon-access-"))
class Navigation(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = small.build()

    def test_every_entry_opens(self):
        closed = []
        for who in (small.VISITOR, *small.ROLES):
            client, seen, waiting = Client(), set(), ["/"]
            if who != small.VISITOR:
                client.force_login(self.world.users[who])
            while waiting:
                address = waiting.pop()
                answer = client.get(address, follow=True)
                if answer.status_code != 200:
                    closed.append(f"{who}: {address} {answer.status_code}")
                    continue
                rows = re.findall(r'<nav class="site-nav.*?</nav>', answer.content.decode(), re.S)
                for found in re.findall(r'href="([^"]+)"', "".join(rows)):
                    if found not in seen:
                        seen.add(found)
                        waiting.append(found)
            assert len(seen) >= 4, who
        assert closed == [], "\n".join(closed)
