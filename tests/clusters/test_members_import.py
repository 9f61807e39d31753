"""Imports of members on a database: acts, round trips, what happens at the same time, what a killed process leaves."""

import datetime as dt
import io
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from jalon.clusters.members import actions, background, queries, rules
from jalon.clusters.models import ImportBatch, Membership
from jalon.core import clock, journal, sheets
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.models import JournalEntry
from jalon.core.sheets import Column
from jalon.people.models import Identifier, Organisation, SizeCategory
from tests import factories

ON = factories.DAY
HEAD = [
    "Raison sociale",
    "SIRET",
    "Type de membre",
    "Collège",
    "Date d'entrée",
    "Date de sortie",
    "Effectif",
    "Taille au",
]


@pytest.fixture
def cluster(db):
    return factories.make_cluster(label=True)


@pytest.fixture
def director(cluster):
    return factories.make_actor("cluster_director", cluster=cluster)


def csv_of(*rows, head=HEAD):
    lines = [";".join(head), *(";".join("" if c is None else str(c) for c in row) for row in rows)]
    return "\r\n".join(lines).encode("cp1252")


def row(name, siret="", kind="PME", college="Entreprises", joined="01/03/2009", left="", headcount="", size_on=""):
    return [name, siret, kind, college, joined, left, headcount, size_on]


def counted(batch):
    return {code: n for code, n in batch.summary["counts"].items() if n and code != "total"}


def current(cluster):
    return Membership.objects.filter(cluster=cluster, superseded_at=None)


def state_of_register():
    return [
        sorted(table.objects.values_list("id", flat=True))
        for table in (Organisation, Identifier, Membership, SizeCategory)
    ] + [sorted(Membership.objects.filter(superseded_at=None).values_list("id", flat=True))]


# --- what an import does -----------------------------------------------------------------------------------------


def test_a_list_is_previewed_then_accepted_then_changes_nothing(cluster, director):
    siret = factories.luhn_number(14)
    data = csv_of(row("Scierie du Marensin", siret, headcount="42", size_on="31/12/2009"), row("Papeterie d'Été"))
    before = state_of_register()
    batch = actions.import_file(cluster, data, "membres.csv", by=director, on=ON, accept=False)
    assert (batch.state, counted(batch)) == ("previewed", {"new_organisation": 2})
    assert state_of_register() == before
    actions.accept(batch, by=director, on=ON)
    assert batch.state == "accepted"
    assert current(cluster).count() == 2
    made = Organisation.objects.get(name="Scierie du Marensin")
    assert (made.kind, made.country, made.simulated) == ("company", "FR", False)
    assert list(made.identifiers.values_list("scheme", "value")) == [("siret", siret)]
    size = made.sizes.get()
    assert (size.category, size.headcount, size.on, size.file_id) == ("pme", 42, dt.date(2009, 12, 31), batch.file_id)
    assert "membres.csv" in size.evidence
    entry = JournalEntry.objects.get(case=f"cluster:{cluster.slug}", act="members.imported")
    assert entry.after["sha256"] == batch.sha256 and entry.after["written"] == {"new_organisation": 2}
    assert not list(journal.breaks())
    again = actions.import_file(cluster, data, "membres.csv", by=director, on=ON)
    assert (again.state, counted(again)) == ("previewed", {"unchanged": 2})
    with pytest.raises(Refused, match="Rien à écrire"):
        actions.accept(again, by=director, on=ON)


def test_changes_are_new_versions(cluster, director):
    names = ["Alpha Bois", "Bêta Bois", "Gamma Bois"]
    actions.import_file(cluster, csv_of(*(row(n) for n in names)), "un.csv", by=director, on=ON)
    data = csv_of(
        row("Alpha Bois", kind="ETI"), row("Bêta Bois", left="31/05/2010"), row("Gamma Bois", college="Autres")
    )
    batch = actions.import_file(cluster, data, "deux.csv", by=director, on=ON)
    assert counted(batch) == {"type_change": 1, "departure": 1, "correction": 1}
    assert Membership.objects.filter(cluster=cluster).count() == 6
    found = {m.organisation.name: m for m in current(cluster).select_related("organisation")}
    assert found["Alpha Bois"].member_type == "mid"
    assert found["Bêta Bois"].left_on == dt.date(2010, 5, 31)
    assert found["Gamma Bois"].college == "other"
    assert all(m.replaces.superseded_at == m.recorded_at and m.batch == batch for m in found.values())


def test_rows_in_error_are_left_out_only_when_said(cluster, director):
    data = csv_of(row("Bonne"), row("Mauvaise", kind="Amis"))
    batch = actions.import_file(cluster, data, "m.csv", by=director, on=ON, accept=False)
    with pytest.raises(Refused, match="Lignes en erreur"):
        actions.accept(batch, by=director, on=ON)
    assert not current(cluster).exists()
    actions.accept(batch, by=director, on=ON, leave_errors=True)
    assert [m.organisation.name for m in current(cluster)] == ["Bonne"]
    assert JournalEntry.objects.get(act="members.imported").after["left_out"] == 1


def test_absent_members_are_closed_only_when_ticked(cluster, director):
    kept = factories.make_membership(cluster, factories.make_organisation("Absente gardée"))
    closed = factories.make_membership(cluster, factories.make_organisation("Absente close"))
    batch = actions.import_file(cluster, csv_of(row("Nouvelle")), "m.csv", by=director, on=ON, accept=False)
    assert {m for m, _ in batch.rows["missing"]} == {kept.pk, closed.pk}
    with pytest.raises(Refused, match="dernier jour"):
        actions.accept(batch, by=director, on=ON, close=[closed.pk])
    with pytest.raises(Refused, match="Absente close"):
        actions.accept(batch, by=director, on=ON, close=[closed.pk], closed_on=dt.date(2004, 1, 1))
    actions.accept(batch, by=director, on=ON, close=[closed.pk, 999999], closed_on=dt.date(2010, 5, 31))
    kept.refresh_from_db()
    assert kept.superseded_at is None
    assert current(cluster).get(organisation=closed.organisation).left_on == dt.date(2010, 5, 31)


def test_an_organisation_known_elsewhere_is_not_made_twice(cluster, director):
    siret = factories.luhn_number(14)
    known = factories.make_organisation("Connue ailleurs", siret=siret)
    siren = factories.make_organisation("Par son SIREN")
    number = factories.luhn_number(9)
    Identifier.objects.create(organisation=siren, scheme="siren", value=number)
    from stdnum import luhn

    branch = number + "0002"
    branch += luhn.calc_check_digit(branch)
    data = csv_of(row("Connue ailleurs", siret), row("Par son SIREN", branch))
    batch = actions.import_file(cluster, data, "m.csv", by=director, on=ON)
    assert counted(batch)["new_member"] == 2
    assert set(current(cluster).values_list("organisation_id", flat=True)) == {known.pk, siren.pk}
    assert siren.identifiers.filter(scheme="siret", value=branch).exists()


def test_a_name_known_elsewhere_in_the_same_town_is_attached_with_a_warning(cluster, director):
    known = factories.make_organisation("Imprimerie centrale", city="Pau")
    data = csv_of(["Imprimerie Centrale", "Pau", "PME", "01/03/2009"], head=["Nom", "Ville", "Type", "Entrée"])
    batch = actions.import_file(cluster, data, "m.csv", by=director, on=ON, accept=False)
    assert counted(batch) == {"new_member": 1, "warned": 1}
    actions.choose(batch, {2: 0}, by=director, on=ON)
    actions.preview(batch, on=ON)
    assert counted(batch) == {"new_organisation": 1}
    actions.choose(batch, {2: known.pk}, by=director, on=ON)
    actions.preview(batch, on=ON)
    actions.accept(batch, by=director, on=ON)
    assert current(cluster).get().organisation == known


def test_simulated_rows_stay_simulated(cluster, director):
    data = csv_of(["Une", "PME", "01/03/2009", "simulées (démonstration)"], head=["Nom", "Type", "Entrée", "Données"])
    actions.import_file(cluster, data, "m.csv", by=director, on=ON)
    made = current(cluster).select_related("organisation").get()
    assert made.simulated and made.organisation.simulated


def test_who_may_import(cluster):
    other = factories.make_actor("cluster_director", cluster=factories.make_cluster())
    correspondent = factories.make_actor("state_correspondent", cluster=cluster)
    for actor in (other, correspondent, factories.make_actor("reader")):
        with pytest.raises(NotAllowed):
            actions.import_file(cluster, csv_of(row("Une")), "m.csv", by=actor, on=ON)
    national = factories.make_actor("national_officer")
    assert actions.import_file(cluster, csv_of(row("Une")), "m.csv", by=national, on=ON).state == "accepted"


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "vide.csv", "est vide"),
        (b"%PDF-1.4", "a.pdf", "ni un classeur ni un CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", "mot de passe"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "a.xls", "ancien format"),
        (b"PK\x03\x04 not a zip", "a.xlsx", "abîmé"),
        (b"Prenom;Age\r\nx;3\r\n", "a.csv", "Aucune colonne"),
        (b"x" * (31 * 1024 * 1024), "a.csv", "la limite est de 30 Mo"),
    ],
)
def test_unreadable_files_are_refused_with_a_sentence(cluster, director, data, name, said):
    with pytest.raises(Refused, match=said):
        actions.import_file(cluster, data, name, by=director, on=ON)
    assert not Membership.objects.exists()


def test_excels_french_csv_cp1252_bom_tabs_and_utf16(cluster, director):
    text = "Dénomination;Type;Date d'entrée\r\nCoopérative forestière;PME;01/03/2009\r\n;;\r\nTOTAL;;\r\n"
    variants = [
        text.encode("cp1252"),
        text.encode("utf-8-sig"),
        text.replace(";", "\t").encode("utf-16"),
        text.replace(";", ",").encode("utf-8"),
    ]
    for data in variants:
        batch = actions.import_file(cluster, data, "m.csv", by=director, on=ON, accept=False)
        assert counted(batch) == {"new_organisation": 1, "ignored": 1}
        assert batch.rows["rows"][0][4] == "Coopérative forestière"


def test_a_workbook_with_error_cells_formulas_and_two_sheets(cluster, director):
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet("Notice").write(0, 0, "Lire avant")
    sheet = book.add_worksheet("Adhérents")
    for x, label in enumerate(("Nom", "Type", "Entrée", "Effectif")):
        sheet.write(1, x, label)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for y, name in enumerate(("Une", "Deux", "Trois"), 2):
        sheet.write(y, 0, name)
        sheet.write(y, 1, "PME")
        sheet.write_datetime(y, 2, dt.datetime(2009, 3, 1), day)
    sheet.write_formula(2, 3, "=40+2", None, 42)
    sheet.write_formula(3, 3, "=NA()", None, "#N/A")
    sheet.write_formula(4, 3, "=40+2", None, "")
    book.close()
    batch = actions.import_file(cluster, out.getvalue(), "m.xlsx", by=director, on=ON, accept=False)
    assert batch.columns["sheet"] == 1 and batch.columns["header"] == 1
    rows = {r[4]: (r[1], [(m[0], m[1]) for m in r[18] or []]) for r in batch.rows["rows"]}
    assert rows["Une"] == ("new_organisation", [("formula", 3)])
    assert rows["Deux"] == ("error", [("cell_error", 3)])
    assert rows["Trois"] == ("error", [("uncomputed", 3)])


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">
 <office:body><office:spreadsheet><table:table table:name="Adhérents">{rows}</table:table></office:spreadsheet></office:body>
</office:document-content>"""


def cell(text, **given):
    marks = "".join(f' {name.replace("_", ":", 1).replace("_", "-")}="{value}"' for name, value in given.items())
    return f'<table:table-cell office:value-type="string"{marks}><text:p>{text}</text:p></table:table-cell>'


def test_a_workbook_of_libreoffice_with_repeated_cells_dates_and_errors(cluster, director):
    import zipfile

    day = '<table:table-cell office:value-type="date" office:date-value="2009-03-01"><text:p>01/03/09</text:p></table:table-cell>'
    rows = [
        cell("Nom") + cell("Type") + cell("Entrée") + cell("Effectif"),
        cell("Une")
        + cell("PME")
        + day
        + '<table:table-cell office:value-type="float" office:value="42"><text:p>42</text:p></table:table-cell>',
        cell("Deux") + cell("PME") + day + cell("#N/A", calcext_value_type="error", table_formula="of:=NA()"),
    ]
    blank = '<table:table-cell table:number-columns-repeated="1000"/>'
    xml = "".join(f"<table:table-row>{row}{blank}</table:table-row>" for row in rows)
    xml += f'<table:table-row table:number-rows-repeated="1048000">{blank}</table:table-row>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", ODS.format(rows=xml))
    batch = actions.import_file(cluster, out.getvalue(), "m.ods", by=director, on=ON, accept=False)
    told = {r[4]: (r[1], r[11], {m[0] for m in r[18] or []}) for r in batch.rows["rows"]}
    assert told["Une"] == ("new_organisation", "2009-03-01", set())
    assert (told["Deux"][0], told["Deux"][2]) == ("error", {"formula", "cell_error"})


# --- the same shape out and in -----------------------------------------------------------------------------------


def written(kind, columns, rows, *, french=True):
    if kind == "csv":
        return b"".join(sheets.write_csv(columns, rows, french=french))
    write = sheets.write_xlsx if kind == "xlsx" else sheets.write_ods
    with write([("Membres", columns, rows)]) as file:
        return file.read()


NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), include_characters="=+-@'\"«»;,\tàÉœß"),
    min_size=1,
    max_size=40,
).map(lambda t: " ".join(t.split())).filter(lambda t: any(c.isalnum() for c in t))  # fmt: skip


@hypothesis_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NAMES, min_size=1, max_size=6, unique_by=rules.match_key),
    kind=st.sampled_from(["csv", "xlsx", "ods"]),
)
def test_what_is_exported_changes_nothing_when_imported(db, names, kind):
    cluster = factories.make_cluster()
    director = factories.make_actor("cluster_director", cluster=cluster)
    for i, name in enumerate(names):
        org = factories.make_organisation(name, siret=i % 2 == 0, city="Évry-l'Étang", postcode="01000")
        if i % 3 == 0:
            factories.make_size(org, "pme", definition="fr", headcount=12 + i)
        if i % 3 == 1:
            Identifier.objects.create(organisation=org, scheme="rna", value=f"W75{factories.number():07d}")
        left = dt.date(2009, 1, 1) if i == 4 else None
        factories.make_membership(
            cluster, org, left_on=left, member_type="mid" if i % 2 else "sme", college="industry" if i else ""
        )
    columns = [Column(f.title, f.kind) for f in queries.words().fields.template]
    rows = list(queries.export_rows(cluster, queries.Filters(day=ON, movement="all")))
    data = written(kind, columns, rows)
    batch = actions.import_file(cluster, data, f"membres.{kind}", by=director, on=ON, accept=False)
    assert counted(batch) in (
        {"unchanged": len(names)},
        {"unchanged": len(names), "warned": batch.summary["counts"]["warned"]},
    ), [(row[1], row[4], row[18]) for row in batch.rows["rows"]]
    assert batch.summary["missing"] == 0


def test_an_export_in_english_comes_back_too(cluster, director):
    from jalon.core.lang import speaking

    factories.make_membership(cluster, factories.make_organisation("Une", siret=True), college="research")
    with speaking("en"):
        columns = [Column(f.title, f.kind) for f in queries.words().fields.template]
        rows = list(queries.export_rows(cluster, queries.Filters(day=ON)))
        data = written("csv", columns, rows, french=False)
    batch = actions.import_file(cluster, data, "members.csv", by=director, on=ON)
    assert counted(batch) == {"unchanged": 1}


# --- at the same time --------------------------------------------------------------------------------------------


def test_a_register_that_changed_since_the_preview_is_shown_again(cluster, director):
    data = csv_of(row("Une"), row("Deux"))
    first = actions.import_file(cluster, data, "un.csv", by=director, on=ON, accept=False)
    second = actions.import_file(cluster, data, "deux.csv", by=director, on=ON, accept=False)
    actions.accept(first, by=director, on=ON)
    with pytest.raises(Conflict):
        actions.accept(second, by=director, on=ON)
    second.refresh_from_db()
    assert (second.state, counted(second)) == ("previewed", {"unchanged": 2})
    assert current(cluster).count() == 2


def test_a_change_elsewhere_that_touches_no_verdict_does_not_stop_an_acceptance(cluster, director):
    batch = actions.import_file(cluster, csv_of(row("Une")), "un.csv", by=director, on=ON, accept=False)
    factories.make_organisation("Sans rapport", siret=True)
    actions.accept(batch, by=director, on=ON)
    assert batch.state == "accepted"


def together(*works):
    """Run each in a thread with its own connection, all starting at once; their results or exceptions."""
    from django.db import connections

    gate = threading.Barrier(len(works))
    found = [None] * len(works)

    def run(i, work):
        try:
            with clock.hold(ON):
                gate.wait(20)
                found[i] = work()
        except Exception as error:
            found[i] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(i, w)) for i, w in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


@pytest.mark.django_db(transaction=True)
def test_two_acceptances_of_one_batch_write_once(transactional_db):
    cluster = factories.make_cluster()
    director = factories.make_actor("cluster_director", cluster=cluster)
    data = csv_of(*(row(f"Membre {i}") for i in range(30)))
    batch = actions.import_file(cluster, data, "un.csv", by=director, on=ON, accept=False)
    copies = [ImportBatch.objects.get(pk=batch.pk) for _ in range(3)]
    found = together(*(lambda c=c: actions.accept(c, by=director, on=ON) for c in copies))
    assert sum(isinstance(f, ImportBatch) for f in found) == 1
    assert all(isinstance(f, ImportBatch | Refused) for f in found), found
    assert current(cluster).count() == 30
    assert JournalEntry.objects.filter(act="members.imported").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_batches_on_one_cluster_make_no_duplicate(transactional_db):
    cluster = factories.make_cluster()
    director = factories.make_actor("cluster_director", cluster=cluster)
    data = csv_of(*(row(f"Membre {i}", factories.luhn_number(14)) for i in range(30)))
    batches = [actions.import_file(cluster, data, f"{i}.csv", by=director, on=ON, accept=False) for i in range(2)]
    found = together(*(lambda b=b: actions.accept(b, by=director, on=ON) for b in batches))
    assert sum(isinstance(f, ImportBatch) for f in found) == 1, found
    assert sum(isinstance(f, Conflict) for f in found) == 1, found
    assert current(cluster).count() == 30 and Organisation.objects.filter(name__startswith="Membre").count() == 30
    assert not list(journal.breaks())


@pytest.mark.django_db(transaction=True)
def test_two_clusters_that_bring_the_same_organisation_share_it(transactional_db):
    one, other = factories.make_cluster(), factories.make_cluster()
    by = factories.make_actor("national_officer")
    data = csv_of(*(row(f"Membre {i}", factories.luhn_number(14)) for i in range(30)))
    batches = [actions.import_file(c, data, "m.csv", by=by, on=ON, accept=False) for c in (one, other)]
    found = together(*(lambda b=b: actions.accept(b, by=by, on=ON) for b in batches))
    for batch, result in zip(batches, found, strict=True):
        if isinstance(result, Conflict):
            actions.accept(ImportBatch.objects.get(pk=batch.pk), by=by, on=ON)
        else:
            assert isinstance(result, ImportBatch), result
    assert Organisation.objects.filter(name__startswith="Membre").count() == 30
    assert current(one).count() == current(other).count() == 30


# --- cut off -----------------------------------------------------------------------------------------------------

KILLED = """
import sys, time
import django; django.setup()
from django.db import transaction
from jalon.clusters.members import actions
from jalon.clusters.models import ImportBatch
from jalon.people.models import Mandate
from jalon.people.queries import actor_from
import datetime as dt
batch = ImportBatch.objects.get(pk=int(sys.argv[1]))
by = actor_from(Mandate.objects.select_related("user", "organisation", "delegated_from").get(pk=int(sys.argv[2])))
actions.SLICE = 50
def half_way(done, total):
    if done >= total // 2:
        print("half", flush=True)
        time.sleep(120)
actions.accept(batch, by=by, on=dt.date(2010, 6, 30), progress=half_way)
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_while_writing_leaves_nothing_and_can_be_taken_up(other_process):
    cluster = factories.make_cluster()
    director = factories.make_actor("cluster_director", cluster=cluster)
    data = csv_of(*(row(f"Membre {i}", factories.luhn_number(14), headcount="12") for i in range(400)))
    batch = actions.import_file(cluster, data, "m.csv", by=director, on=ON, accept=False)
    before = state_of_register()
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(batch.pk), str(director.mandate_id)],
        env=other_process,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.strip() == "half", process.stderr.read()
    finally:
        process.kill()
        process.communicate(timeout=30)
    assert state_of_register() == before
    assert not JournalEntry.objects.filter(act="members.imported").exists()
    batch.refresh_from_db()
    assert batch.state == "accepting"
    with pytest.raises(Refused):  # it may still be alive: not yet
        actions.resume(batch, by=director, on=ON)
    ImportBatch.objects.filter(pk=batch.pk).update(beat_at=clock.real_now() - background.SILENCE * 2)
    batch.refresh_from_db()
    actions.resume(batch, by=director, on=ON)
    assert batch.state == "previewed"
    actions.accept(batch, by=director, on=ON)
    assert current(cluster).count() == 400
    assert not list(journal.breaks())


@pytest.mark.django_db(transaction=True)
def test_a_task_that_was_only_slow_writes_nothing_once_taken_up(transactional_db):
    cluster = factories.make_cluster()
    director = factories.make_actor("cluster_director", cluster=cluster)
    batch = actions.import_file(cluster, csv_of(row("Une")), "m.csv", by=director, on=ON, accept=False)
    actions.begin_accept(batch, by=director, on=ON)
    slow = ImportBatch.objects.get(pk=batch.pk)
    ImportBatch.objects.filter(pk=batch.pk).update(beat_at=clock.real_now() - background.SILENCE * 2)
    taken = actions.resume(ImportBatch.objects.get(pk=batch.pk), by=director, on=ON)
    with pytest.raises(Refused, match="repris ailleurs"):
        actions.finish_accept(slow, by=director, on=ON)
    assert not current(cluster).exists()
    taken.refresh_from_db()
    assert taken.state == "previewed"


@pytest.mark.django_db(transaction=True)
def test_long_work_runs_beside_the_request_and_says_how_far_it_is(transactional_db, monkeypatch):
    monkeypatch.setattr(background, "EVERY", 0)
    cluster = factories.make_cluster()
    director = factories.make_actor("cluster_director", cluster=cluster)
    data = csv_of(*(row(f"Membre {i}") for i in range(1200)))
    batch = actions.receive(cluster, data, "m.csv", by=director, on=ON, read=False)
    assert batch.state == "reading"
    background.start(batch, lambda progress: actions.read_file(batch, progress=progress)).join(60)
    batch = ImportBatch.objects.get(pk=batch.pk)
    assert batch.state == "to_confirm"
    actions.confirm(batch, by=director, on=ON)
    seen = []

    def check(progress):
        def told(done, total):
            progress(done, total)
            seen.append(background.seen(ImportBatch.objects.get(pk=batch.pk)))

        actions.preview(batch, on=ON, progress=told)

    background.start(batch, check).join(60)
    assert seen and all(0 <= done <= total for done, total in seen)
    batch = ImportBatch.objects.get(pk=batch.pk)
    actions.begin_accept(batch, by=director, on=ON)
    written_, monitor = [], actions.finish_accept

    def write(progress):
        def told(done, total):
            progress(done, total)
            written_.append(background.seen(ImportBatch.objects.get(pk=batch.pk)))

        monitor(batch, by=director, on=ON, progress=told)

    background.start(batch, write).join(60)
    assert (1200, 1200) in written_
    assert ImportBatch.objects.get(pk=batch.pk).state == "accepted"
    assert current(cluster).count() == 1200


def test_a_file_that_cannot_be_read_later_fails_with_its_sentence(cluster, director):
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/vbaProject.bin", "x")
    batch = actions.receive(cluster, out.getvalue(), "m.xlsm", by=director, on=ON, read=False)
    with pytest.raises(Refused, match="macros"):
        actions.read_file(batch)
    batch.refresh_from_db()
    assert batch.state == "failed" and "macros" in batch.message


# --- how many queries --------------------------------------------------------------------------------------------


def test_checking_and_writing_take_the_same_number_of_queries_whatever_the_rows(cluster, director):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for n in (5, 20, 150):  # the first one makes the register no longer empty
        data = csv_of(*(row(f"Membre {n} {i}", factories.luhn_number(14)) for i in range(n)))
        batch = actions.receive(cluster, data, "m.csv", by=director, on=ON)
        actions.confirm(batch, by=director, on=ON)
        with CaptureQueriesContext(connection) as seen:
            actions.preview(batch, on=ON)
        counts.append(len(seen))
        actions.accept(batch, by=director, on=ON)
    assert counts[1] == counts[2] <= 20
