"""What must not get out: anything to the recused, an expert's name to those who may not know it.

Each place where a project or an opinion shows is asked in turn: lists, pages, search, exports, journal, what changed,
tasks, calendar, messages, files.
"""

from __future__ import annotations

import io
import zipfile

import pytest
from django.urls import NoReverseMatch, get_resolver, reverse

from jalon.core.errors import Refused
from jalon.core.models import JournalEntry, OutboxMessage, StoredFile
from jalon.interests.access import recused_users
from jalon.labelling import actions, cleaning, desk
from jalon.workspace.queries import cases_of, changes_since, search, tasks_for
from tests import factories as make
from tests.labelling import world as small
from tests.labelling.world import DAY

pytestmark = pytest.mark.django_db
BEFORE = make.clock.moment_on(DAY.replace(day=1))


def body(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


ARGUMENTS = {"slug": "slug", "code": "code", "project": "slug", "call": "code"}


def pages(world):
    """Every address that shows something without more than a project, a call or a pôle being named; by all packages."""
    values = {"slug": ("sapin", "foret"), "code": (world.call.code, "sapin")}
    found = []
    for pattern in every_pattern():
        if pattern.callback.__module__.split(".")[1] not in PACKAGES:
            continue
        names = list(pattern.pattern.converters)
        if not names:
            found.append(reverse(pattern.name))
        elif len(names) == 1 and names[0] in ARGUMENTS:
            for value in values[ARGUMENTS[names[0]]]:
                try:
                    found.append(reverse(pattern.name, kwargs={names[0]: value}))
                except NoReverseMatch:
                    continue
        elif names == ["pk"] and "labelling" in pattern.name:
            found.append(reverse(pattern.name, kwargs={"pk": world.request.pk}))
    found = [where for where in found if not any(skip in where for skip in SKIPPED)]
    return [*found, reverse("search") + "?q=sapin"]


PACKAGES = "interests labelling projects selection funding aid committees workspace".split()
"""Packages whose pages may show a project; reading the others as well costs minutes and finds nothing."""
SKIPPED = ("/deconnexion", "/static", "/guide-de-style", "/mot-de-passe", "/demonstration", ".pdf", ".docx")
"""Signing out would end the journey; the others show nothing of cases, or cost seconds."""


def every_pattern(found=None):
    for one in get_resolver().url_patterns if found is None else found:
        if hasattr(one, "url_patterns"):
            yield from every_pattern(one.url_patterns)
        elif one.name:
            yield one


def reads(client, world):
    """All that a person reads of every page, as text, exports included; a page that is refused or missing shows nothing."""
    shown = {}
    for where in pages(world):
        for kind in ("", "csv"):
            mark = "&" if "?" in where else "?"
            answer = client.get(f"{where}{mark}format={kind}" if kind else where)
            if kind and answer.get("Content-Type", "").startswith("text/html"):
                break
            shown[where + kind] = body(answer).decode("utf-8", "replace")
            for close in answer._resource_closers:
                close()
            if answer.status_code != 200:
                break
    return shown


SECRETS = ("SAPIN", "Panneaux sans", "Formule secrète")


def spread(world):
    """Make the project show wherever it can: handed in, labelled by a pôle, with a funder's intention."""
    from jalon.projects.models import ProjectLabel
    from jalon.selection.models import Share

    at = make.clock.moment_on(DAY)
    world.project.submitted_at, world.project.state = at, "submitted"
    world.project.save()
    ProjectLabel.objects.create(
        project=world.project, cluster=world.other, outcome="labelled", decided_on=DAY, recorded_at=at
    )
    partner = world.project.partners.first()
    Share.objects.create(
        project=world.project, partner=partner, funder=make.make_organisation("Fonds"), intended=1000, recorded_at=at
    )


RECUSED = {
    "director": "cluster_director",
    "expert": "expert",
    "voter": "expert",
    "officer": "national_officer",
    "fund_manager": "fund_manager",
    "ministry_expert": "ministry_expert",
}


@pytest.mark.parametrize("who", RECUSED)
def test_the_recused_sees_nothing_anywhere(world, signed_in, who):
    small.voting(world)
    spread(world)
    if who == "voter":
        actor = world.voters[0]
    else:
        actor = getattr(world, who, None) or make.make_actor(RECUSED[who])
    user = make.user_of(actor)
    OutboxMessage.objects.filter(to=user.email).delete()
    if who == "officer":  # who is not recused does read it: the test below would otherwise prove nothing
        seen = [where for where, shown in reads(signed_in(actor), world).items() if "SAPIN" in shown]
        assert len(seen) >= 4, seen
    # A recusal asked for by the leader: the person is not even told of the project.
    actions.interests.ask_recusal(world.project.case, user, by=world.leader, on=DAY, reason="Concurrent")
    client = signed_in(actor)
    for where, shown in reads(client, world).items():
        for secret in SECRETS:
            assert secret not in shown, (where, secret)
    assert client.get(reverse("labelling-request", args=[world.request.pk])).status_code == 404
    assert client.get(reverse("interest", args=[world.project.case])).status_code == 404
    assert [t for t in tasks_for(actor, DAY) if "SAPIN" in str(t.title)] == []
    assert changes_since(actor, DAY, BEFORE) == [] or all(
        "sapin" not in c.case for c in changes_since(actor, DAY, BEFORE)
    )
    seen = cases_of(actor, DAY)
    rows = JournalEntry.objects.all() if seen is None else JournalEntry.objects.filter(seen)
    assert not rows.filter(case__contains="sapin").exists()
    assert all("SAPIN" not in str(r) for f in search(actor, DAY, "sapin") for r in f.rows)
    # Nothing more is sent to them, whatever happens.
    voter = world.voters[1]
    small.declare(world, voter)
    actions.cast(world.ballot, "for", by=voter, on=DAY)
    actions.withdraw(world.request, reason="Fin", by=world.leader, on=DAY)
    assert not OutboxMessage.objects.filter(to=user.email).exists()


def test_messages_that_wait_are_emptied_by_a_recusal(world):
    small.admitted(world)
    small.opinion(world, world.expert, give=False)
    mail = OutboxMessage.objects.filter(to=make.user_of(world.expert).email)
    assert "Panneaux" in mail.get().body
    small.declare(world, world.expert, stance="interest")
    assert (mail.get().subject, mail.get().body) == ("—", "—")
    assert "Panneaux" in OutboxMessage.objects.filter(to=make.user_of(world.team).email).latest("id").body


def test_an_invitation_tells_title_and_partners_only(world, signed_in):
    small.admitted(world)
    one = small.opinion(world, world.expert, give=False)
    mail = OutboxMessage.objects.filter(to=make.user_of(world.expert).email).get()
    client = signed_in(world.expert)
    for shown in (
        mail.subject + mail.body,
        client.get(reverse("labelling-opinion", args=[one.pk])).content.decode(),
        client.get(reverse("interest", args=[world.project.case])).content.decode(),
        client.get(reverse("labelling-request", args=[world.request.pk])).content.decode(),
        client.get(reverse("home")).content.decode(),
        client.get(reverse("my-opinions")).content.decode(),
    ):
        assert "SAPIN" in shown
        for secret in ("Formule secrète", "Le résumé public", "100\u202f000", "Claire Experte, "):
            assert secret not in shown
    assert client.get(reverse("labelling-opinion-file", args=[one.pk])).status_code == 404


NAMES = ("Claire", "Experte", "claire.expert", "Secondat", "paul.second")


def test_experts_are_numbers_to_applicants_experts_committee_and_everybody_else(world, signed_in, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    small.admitted(world)
    one = small.opinion(world, world.expert, give=False)
    small.declare(world, world.expert, *world.voters[:2], world.director)
    actions.attach(one, b"Note de synthese", "Claire Experte.txt", by=world.expert, on=DAY)
    actions.save_opinion(
        one, scores=small.SCORES, text="Un avis motivé", recommendation="favourable", rev=0, by=world.expert, on=DAY
    )
    actions.give_opinion(one, by=world.expert, on=DAY)
    two = actions.invite(world.request, make.user_of(world.second), by=world.team, on=DAY)
    actions.decline(two, reason="Absent", by=world.second, on=DAY)
    world.ballot = actions.open_vote(world.request, way="electronic", by=world.team, on=DAY, reason="Un seul avis")
    third = make.make_actor("expert")
    readers = [world.leader, world.voters[0], third, world.officer]
    for reader in readers:
        client = signed_in(reader)
        for where, shown in reads(client, world).items():
            for name in NAMES:
                assert name not in shown, (reader and reader.role, where, name)
    # The committee reads the opinion itself, under its number.
    shown = signed_in(world.voters[0]).get(reverse("labelling-request", args=[world.request.pk])).content.decode()
    assert "Un avis motivé" in shown
    assert "Expert 1" in shown
    # The printed report too, for everybody, the unit included; it holds the opinion, its head no author.
    for reader in (world.voters[0], world.team):
        report = signed_in(reader).get(reverse("label-report-docx", args=[world.request.pk]))
        printed = unpacked(report.content)
        assert "Un avis motivé" in printed
        assert not any(name in printed for name in NAMES)
    assert signed_in(world.leader).get(reverse("label-report-docx", args=[world.request.pk])).status_code == 404
    # The other expert reads neither name nor opinion.
    assert "Un avis motivé" not in "".join(reads(signed_in(world.second), world).values())
    # The unit, which chose the experts, reads the names,
    assert (
        "Claire Experte"
        in signed_in(world.team).get(reverse("labelling-request", args=[world.request.pk])).content.decode()
    )
    # unless they sit on the committee too: then they read what the committee reads.
    small.sit(world.cluster, world.director)
    shown = signed_in(world.director).get(reverse("labelling-request", args=[world.request.pk])).content.decode()
    assert "Expert 1" in shown
    assert "Claire Experte" not in shown
    # Journal, messages to others and files keep the number alone.
    for entry in JournalEntry.objects.exclude(case__startswith="interests:"):
        said = f"{entry.user_label} {entry.why} {entry.before} {entry.after}"
        assert not any(name in said for name in NAMES), said
        assert entry.user_id not in (world.expert.user_id, world.second.user_id)
    own = {make.user_of(world.expert).email, make.user_of(world.second).email}
    for message in OutboxMessage.objects.exclude(to__in=own):
        assert not any(name in message.subject + message.body for name in NAMES)
    for file in StoredFile.objects.all():
        assert not any(name in f"{file.name} {file.title} {file.uploaded_by_label}" for name in NAMES)
        assert file.uploaded_by_id is None


def test_declarations_of_others_are_not_read_in_the_journal(world, signed_in):
    small.voting(world)
    rows = JournalEntry.objects.filter(case=f"interests:{world.project.case}")
    assert rows.count() >= 3
    for actor in (world.officer, world.leader, world.director, world.voters[0], world.second):
        seen = cases_of(actor, DAY)
        found = rows if seen is None else rows.filter(seen)
        assert {r.user_id for r in found} <= {actor.user_id}


def test_the_leader_reads_no_vote_and_no_opinion_in_what_changed(world):
    small.voted(world)
    seen = JournalEntry.objects.filter(desk.cases_for(world.leader, DAY))
    acts = set(seen.values_list("act", flat=True))
    assert "labelling.ask" in acts
    assert acts.isdisjoint({"labelling.vote", "labelling.opinion", "labelling.invite", "labelling.close_vote"})
    assert desk.cases_for(world.voters[0], DAY) is None


def test_who_is_recused_is_counted_not_named_to_the_unit(world, signed_in):
    small.asked(world)
    small.declare(world, world.director, stance="interest")
    shown = signed_in(world.team).get(reverse("labelling-request", args=[world.request.pk])).content.decode()
    assert "une personne" in shown
    assert recused_users(world.project.case) == {world.director.user_id}
    assert "Ancien salarié" not in shown


# -- attachments ------------------------------------------------------------------------------------------------


def office(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return out.getvalue()


def unpacked(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return " ".join(file.read(name).decode("utf-8", "replace") for name in file.namelist())


def test_office_files_lose_their_authors():
    word = office(
        {
            "docProps/core.xml": "<dc:creator>Claire Experte</dc:creator><cp:lastModifiedBy>Claire</cp:lastModifiedBy>",
            "docProps/app.xml": "<Company>Institut Experte</Company>",
            "word/comments.xml": '<w:comment w:author="Claire Experte" w:initials="CE">Avis</w:comment>',
            "word/document.xml": '<w:ins w:author="Claire Experte">Texte</w:ins>',
        }
    )
    clean = unpacked(cleaning.clean(word, "avis.docx"))
    assert "Claire" not in clean
    assert "Experte" not in clean
    assert "Texte" in clean
    writer = office(
        {
            "meta.xml": "<meta:initial-creator>Claire Experte</meta:initial-creator>",
            "content.xml": "<office:annotation><dc:creator>Claire</dc:creator></office:annotation>Texte",
        }
    )
    clean = unpacked(cleaning.clean(writer, "avis.odt"))
    assert "Claire" not in clean
    assert "Texte" in clean


def test_a_document_made_by_a_real_library_loses_its_author():
    import docx

    document = docx.Document()
    document.core_properties.author = "Claire Experte"
    document.add_paragraph("Un avis")
    out = io.BytesIO()
    document.save(out)
    clean = cleaning.clean(out.getvalue(), "avis.docx")
    again = docx.Document(io.BytesIO(clean))
    assert again.paragraphs[0].text == "Un avis"
    assert "Claire" not in unpacked(clean)


def test_pdf_properties_are_blanked_or_the_file_is_refused():
    import zlib

    plain = b"%PDF-1.4\n1 0 obj\n<< /Author (Claire \\(Experte\\)) /Title <436C61697265> >>\nendobj\n<x:xmpmeta><dc:creator>Claire</dc:creator></x:xmpmeta>\n%%EOF"
    clean = cleaning.clean(plain, "avis.pdf")
    assert b"Claire" not in clean
    assert b"436C61697265" not in clean
    assert len(clean) == len(plain)  # the places named by the file's table do not move
    packed = b"%PDF-1.5\nstream\n" + zlib.compress(b"<< /Author (Claire) >>") + b"\nendstream\n%%EOF"
    for bad in (packed, b"%PDF-1.4 /Encrypt 3 0 R", b"%PDF-1.4 << /Author 9 0 R >>", b"not a pdf"):
        with pytest.raises(Refused):
            cleaning.clean(bad, "avis.pdf")


def test_pictures_lose_their_notes_and_other_kinds_are_refused():
    import struct

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + b"crc!"

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"x" * 13) + chunk(b"tEXt", b"Author\0Claire") + chunk(b"IEND", b"")
    assert b"Claire" not in cleaning.clean(png, "a.png")
    assert b"IHDR" in cleaning.clean(png, "a.png")
    exif = b"Exif\0\0Claire"
    jpeg = b"\xff\xd8\xff\xe0\x00\x04JF\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + b"\xff\xda\x00\x02pixels"
    clean = cleaning.clean(jpeg, "a.jpg")
    assert b"Claire" not in clean
    assert clean.endswith(b"pixels")
    for name in ("avis.eml", "avis", "avis.zip"):
        with pytest.raises(Refused):
            cleaning.clean(b"x", name)
