"""``jalon contract``: what it prints, what it writes, how it ends."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import jalon.documents.commands  # noqa: F401 - adds « pdf »
from jalon.contracts import content as doc
from jalon.contracts.commands import contract_app
from jalon.contracts.models import Contract, Proposal
from jalon.core import clock
from jalon.core.lang import speaking
from jalon.core.models import JournalEntry
from tests.contracts import world as w
from tests.contracts.test_exchange_workbook import column, rewritten, row_of

pytestmark = pytest.mark.django_db

TARGET = "indicators/i90/targets/2011"


@pytest.fixture(autouse=True)
def _day():
    with clock.hold(w.START):
        yield


def run(*args, code=0):
    result = CliRunner().invoke(contract_app, [str(a) for a in args])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result.output


def set_target(path, value, sheet="Indicateurs", key="i90", name="targets/2011"):
    def change(sheets):
        rows = sheets[sheet]
        row_of(rows, key)[column(rows, name)] = value

    path.write_bytes(rewritten(path.read_bytes(), change))


def test_list_and_show():
    world = w.signed(w.make_world())
    slug = world.contract.slug
    assert slug in run("list")
    assert slug in run("list", "--state", "signed")
    assert slug not in run("list", "--state", "preparing")
    assert "preparing" in run("list", "--state", "nothing", code=2)
    shown = run("show", slug)
    assert world.text.frozen.sha256 in shown
    assert "président du conseil régional" in shown


def test_an_unknown_name_gets_the_nearest():
    world = w.prepared(w.make_world("bois-et-forets"))
    said = run("show", "bois-et-foret-2009", code=2)
    assert world.contract.slug in said
    assert "contract list" in run("show", "zzzz", code=2)


@pytest.mark.parametrize("ending", ["xlsx", "yaml"])
def test_exported_and_imported_unchanged_there_is_no_difference(tmp_path, ending):
    world = w.filled(w.make_world())
    file = tmp_path / f"c.{ending}"
    run("export", world.contract.slug, file)
    assert "Aucune différence" in run("import", world.contract.slug, file)
    with speaking("en"):
        assert "No difference" in run("import", world.contract.slug, file)


def test_other_endings_name_the_accepted_ones(tmp_path):
    world = w.filled(w.make_world())
    said = run("export", world.contract.slug, tmp_path / "c.docx", code=2)
    assert ".xlsx" in said and ".yaml" in said
    assert ".ods" in run("import", world.contract.slug, _touch(tmp_path / "c.txt"), code=2)
    assert not (tmp_path / "c.docx").exists()


def _touch(path):
    path.write_bytes(b"x")
    return path


def test_the_difference_is_printed_and_written_only_with_accept(tmp_path):
    world = w.filled(w.make_world())
    file = tmp_path / "c.xlsx"
    run("export", world.contract.slug, file)
    set_target(file, 250)
    said = run("import", world.contract.slug, file)
    assert "Indicateurs!" in said and "200 → 250" in said
    assert doc.get(world.text.content, TARGET) == "200"
    assert "1 changement" in run("import", world.contract.slug, file, "--accept")
    assert doc.get(world.text.content, TARGET) == "250"
    row = JournalEntry.objects.get(act="contract.import")
    assert (row.role, row.after["file"]) == ("operator", "c.xlsx")
    assert "ligne de commande" in row.user_label
    assert "Aucune différence" in run("import", world.contract.slug, file, "--accept")


def test_the_account_given_is_who_acts(tmp_path):
    world = w.negotiated(w.make_world())
    file = tmp_path / "c.yaml"
    run("export", world.contract.slug, file)
    file.write_text(file.read_text().replace("Deux cents emplois.", "Trois cents emplois."))
    email = w.f.user_of(world.director).email
    run("import", world.contract.slug, file, "--accept", "--as", email, "--reason", "Crise")
    proposal = Proposal.objects.get(state="open")
    assert (proposal.user_label, proposal.party.kind, proposal.reason) == (
        world.director.user_label,
        "governance",
        "Crise",
    )
    assert "déjà proposé" in run("import", world.contract.slug, file)


def test_an_account_that_is_unknown_or_no_party_writes_nothing(tmp_path):
    world = w.filled(w.make_world())
    file = tmp_path / "c.xlsx"
    run("export", world.contract.slug, file)
    set_target(file, 250)
    assert "personne@exemple.test" in run(
        "import", world.contract.slug, file, "--accept", "--as", "personne@exemple.test", code=1
    )
    stranger = w.f.user_of(w.f.make_actor("reader")).email
    assert stranger in run("import", world.contract.slug, file, "--accept", "--as", stranger, code=1)
    assert doc.get(world.text.content, TARGET) == "200"


def test_faults_name_their_cell_and_end_with_one(tmp_path):
    world = w.filled(w.make_world())
    file = tmp_path / "c.xlsx"
    run("export", world.contract.slug, file)
    set_target(file, 250)
    set_target(file, -1, "Engagements", "c1", "amounts/2010")
    assert "Engagements!" in run("import", world.contract.slug, file, code=1)
    run("import", world.contract.slug, file, "--accept", code=1)
    assert doc.get(world.text.content, TARGET) == "200"
    run("import", world.contract.slug, file, "--accept", "--leave-faulty")
    assert doc.get(world.text.content, TARGET) == "250"


def test_a_date_outside_the_contract_is_a_fault(tmp_path):
    world = w.filled(w.make_world())
    file = tmp_path / "c.xlsx"
    run("export", world.contract.slug, file)
    set_target(file, "30/06/2019", "Actions", "a1", "ends_on")
    assert "hors du contrat" in run("import", world.contract.slug, file, code=1)


def test_a_signed_contract_is_changed_through_an_amendment(tmp_path):
    world = w.signed(w.make_world())
    file = tmp_path / "c.xlsx"
    run("export", world.contract.slug, file)
    set_target(file, 250)
    assert "avenant" in run("import", world.contract.slug, file, "--accept", "--reason", "Crise")
    assert Contract.objects.get().texts.count() == 2
    assert "Aucune différence" in run("import", world.contract.slug, file)


def test_check_tells_the_frozen_text_from_any_other(tmp_path):
    world = w.signed(w.make_world())
    slug, frozen = world.contract.slug, world.text.frozen
    assert "Identique" in run("check", slug, frozen.sha256)
    file = tmp_path / "canonique.json"
    file.write_text(frozen.canonical, encoding="utf-8")
    assert "Identique" in run("check", slug, file)
    (tmp_path / "sha.txt").write_text(f"{frozen.sha256}  canonique.json\n")
    assert "Identique" in run("check", slug, tmp_path / "sha.txt")
    file.write_text(frozen.canonical.replace("200", "201"), encoding="utf-8")
    assert frozen.sha256 in run("check", slug, file, code=1)
    run("check", slug, "0" * 64, code=1)
    run("check", slug, tmp_path / "absent.json", code=2)
    other = w.filled(w.make_world())
    assert "figé" in run("check", other.contract.slug, frozen.sha256, code=1)


def test_pdf_and_word(tmp_path):
    world = w.signed(w.make_world())
    run("pdf", world.contract.slug, tmp_path / "c.pdf")
    assert (tmp_path / "c.pdf").read_bytes()[:5] == b"%PDF-"
    run("pdf", world.contract.slug, tmp_path / "c.docx", "--lang", "en")
    assert (tmp_path / "c.docx").read_bytes()[:2] == b"PK"
    assert ".docx" in run("pdf", world.contract.slug, tmp_path / "c.odt", code=2)
    assert "avenant" in run("pdf", world.contract.slug, tmp_path / "a.pdf", "--amendment", code=2)
