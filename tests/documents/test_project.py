"""The file of a project as a document: everybody prints what everybody may read, and no more."""

from __future__ import annotations

import pytest
from django.urls import reverse

from jalon.core import clock
from jalon.documents import blocks
from jalon.documents.project import file_of
from jalon.projects import access
from jalon.projects.models import Project
from tests import factories as make
from tests.projects import world as w

pytestmark = pytest.mark.django_db


def told(project, actor):
    """Every text of the document, as one."""
    project = Project.objects.select_related("call", "rules", "frozen").get(pk=project.pk)
    place = access.standing(actor, project, w.DAY)
    document = file_of(project, place, on=w.DAY, address="http://x/")
    return "\n".join(blocks.texts_of(blocks.plain(document))).replace("\u202f", " ").replace("\xa0", " ")


def test_each_reader_prints_its_part():
    made = w.submitted()
    secret, project = "La description complète", made.project
    leader, partner = told(project, made.leader), told(project, made.partner)
    assert secret in leader and secret in partner and project.frozen.sha256 in leader
    assert "675 000 €" in leader and "450 000 €" in leader  # staff of p1 and of p2
    assert "450 000 €" in partner and "675 000 €" not in partner  # its own lines, the totals of the others
    assert "900 000 €" in partner and "est lu par le chef de file" in partner
    follower = told(project, make.make_actor("fund_manager"))
    assert "675 000 €" in follower
    Project.objects.filter(pk=project.pk).update(state="running")
    reader = told(project, make.make_actor("reader"))
    assert "Un résumé que tout le monde peut lire" in reader and "Partie publique" in reader
    assert secret not in reader and "675 000 €" not in reader and "annexe" not in reader.lower()


def test_the_file_is_printed_from_its_page(client):
    made = w.consortium()
    client.force_login(make.user_of(made.leader))
    with clock.hold(w.DAY):
        page = client.get(reverse("project", args=[made.project.slug])).content.decode()
        for name in ("project-pdf", "project-docx", "project-labelling"):
            assert reverse(name, args=[made.project.slug]) in page
        paper = client.get(reverse("project-pdf", args=[made.project.slug]))
        assert paper.content.startswith(b"%PDF") and "inline" in paper["Content-Disposition"]
        client.logout()
        assert client.get(reverse("project-pdf", args=[made.project.slug])).status_code == 404
