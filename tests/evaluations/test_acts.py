"""Acts on campaigns, hearings and reviews: what they refuse, what they write, who sees what."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile

import pytest
from django.test import Client
from django.urls import reverse

from jalon.clusters.models import ClusterGroup
from jalon.core import journal
from jalon.core.canonical import sha256
from jalon.core.errors import Conflict, NotAllowed, Refused
from jalon.core.files import path_of
from jalon.core.models import FrozenText, JournalEntry, OutboxMessage
from jalon.evaluations import (
    access,
    actions,
    desk,
    hearing_actions,
    nightly,
    packs,
    queries,
    review_actions,
    sealed,
    survey_actions,
)
from jalon.evaluations.models import Agreed, Evaluation, Reply, Review, SurveyAnswer
from jalon.evaluations.sealed_check import check
from jalon.interests import actions as interests
from jalon.people.calendars import token_of
from jalon.workspace import queries as workspace
from tests import factories as f
from tests.contracts.follow_world import make_lived
from tests.evaluations.world import DAY, GOVERNS, WEAK, body, build, notified, score

pytestmark = pytest.mark.django_db


@pytest.fixture
def w():
    return build()


def client(actor):
    visitor = Client()
    visitor.force_login(f.user_of(actor))
    return visitor


# -- campaigns --------------------------------------------------------------------------------


def test_nothing_opens_before_mandate_and_statement():
    f.live_on(DAY)
    officer, firm, cluster = f.make_actor("national_officer"), f.make_actor("evaluator"), f.make_cluster(label=True)
    campaign = actions.open_campaign(
        "c", "C", "national", [cluster], "grid-2008", by=officer, on=DAY, policy_day=GOVERNS
    )
    with pytest.raises(Refused) as nobody:
        actions.start_many(campaign, by=officer, on=DAY)
    assert "confié à aucun évaluateur" in str(nobody.value)
    mandate = actions.entrust(campaign, organisation=body(firm), by=officer, on=DAY)
    with pytest.raises(Refused, match="déclaration d'intérêts"):
        actions.start_many(campaign, by=officer, on=DAY)
    with pytest.raises(NotAllowed):
        actions.state_interests(mandate, by=f.make_actor("evaluator"), on=DAY, statement="rien")
    actions.state_interests(mandate, by=firm, on=DAY, statement="rien")
    (started,) = actions.start_many(campaign, by=officer, on=DAY)
    with pytest.raises(NotAllowed, match="déclaration d'intérêts"):
        actions.save_note(started, "strategy/own", mark="met", justification="x", rev=0, by=firm, on=DAY)
    assert list(journal.breaks()) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"grid": "grid-1999"}, "n'est pas dans la politique"),
        ({"policy_day": DAY}, "sans valeur"),
        ({"kind": "party"}, "genre"),
        ({"phase": "phase-99"}, "phase"),
        ({"ends_on": dt.date(2009, 1, 1)}, "précède"),
        ({"clusters": []}, "au moins un pôle"),
    ],
)
def test_a_campaign_that_cannot_be_opened(changes, word):
    f.live_on(DAY)
    asked = {"kind": "national", "clusters": [f.make_cluster()], "grid": "grid-2008", "policy_day": GOVERNS} | changes
    kind, clusters, grid = (asked.pop(k) for k in ("kind", "clusters", "grid"))
    with pytest.raises(Refused, match=word):
        actions.open_campaign("c", "C", kind, clusters, grid, by=f.make_actor("national_officer"), on=DAY, **asked)


def test_a_mark_counts_with_its_justification_only(w):
    interests.declare(access.case_of(w.evaluation), "none", by=w.firm, on=DAY)
    actions.save_note(w.evaluation, "strategy/own", mark="met", justification="", rev=0, by=w.firm, on=DAY)
    with pytest.raises(Refused) as refusal:
        actions.hand_in(w.evaluation, by=w.firm, on=DAY)
    told = [str(m) for m in refusal.value.missing]
    assert any("sans justification" in m for m in told) and sum("pas de note" in m for m in told) == 7
    with pytest.raises(Refused, match="cran"):
        actions.save_note(w.evaluation, "strategy/own", mark="17", justification="x", rev=1, by=w.firm, on=DAY)
    with pytest.raises(Conflict):
        actions.save_note(w.evaluation, "strategy/own", mark="partly", justification="x", rev=0, by=w.firm, on=DAY)
    score(w.evaluation, w.second)
    with pytest.raises(Refused, match="remises"):
        actions.save_note(w.evaluation, "strategy/own", mark="partly", justification="x", rev=1, by=w.second, on=DAY)
    with pytest.raises(Refused, match="consensus s'ouvre"):
        actions.open_consensus(w.evaluation, by=w.officer, on=DAY)


def test_a_firm_scores_its_own_criteria_only(w):
    third = f.make_actor("evaluator")
    actions.entrust(w.campaign, organisation=body(third), criteria=["governance"], by=w.officer, on=DAY, statement="x")
    interests.declare(access.case_of(w.evaluation), "none", by=third, on=DAY)
    with pytest.raises(NotAllowed, match="pas confié"):
        actions.save_note(w.evaluation, "strategy/own", mark="met", justification="x", rev=0, by=third, on=DAY)
    for question in ("board", "bureau", "selection", "process"):
        actions.save_note(
            w.evaluation, f"governance/{question}", mark="met", justification="x", rev=0, by=third, on=DAY
        )
    assert actions.hand_in(w.evaluation, by=third, on=DAY).state == "handed_in"


def test_the_whole_way_by_the_rule(w):
    hearing = notified(w)
    with pytest.raises(Refused, match="n'est pas clos"):
        actions.finalise(w.evaluation, by=w.officer, on=DAY)
    first, second = queries.findings_of(hearing)
    hearing_actions.save_reply(first, text="Nous avons une stratégie propre.", rev=0, by=w.director, on=DAY)
    hearing_actions.send_replies(hearing, by=w.director, on=dt.date(2010, 7, 1))
    hearing_actions.take_position(first, outcome="withdrawn", text="C'est exact.", by=w.firm, on=dt.date(2010, 7, 5))
    hearing.refresh_from_db()
    hearing_actions.close(hearing, by=w.officer, on=dt.date(2010, 7, 6))
    second.refresh_from_db()
    assert second.outcome == "maintained" and "silence" in second.position, "silence on one finding: the policy's rule"
    assert queries.usable_findings(hearing) == [second]
    with pytest.raises(Refused, match="point réglé"):
        queries.require_usable(queries.findings_of(hearing))
    done = actions.finalise(w.evaluation, by=w.officer, on=dt.date(2010, 7, 7))
    assert (done.group, done.origin, done.computed) == ("2", "rule", "2")
    told = json.loads(done.explained.canonical)["content"]
    assert [d["question"] for d in told["data"] if d["aside"]] == [first.question], "the withdrawn point is set aside"
    assert told["stability"]["draws"] == 10000 and told["distance"]["up"]["group"] == "1"
    assert not told["grid"]["weights_published"] and told["operations"]["rules"][0]["conditions"][0]["threshold"] == 2
    for cluster, group in zip(w.clusters[1:], ("1", ""), strict=True):
        other = queries.evaluation_of(w.campaign, cluster)
        actions.record_group(
            other, group, by=w.officer, on=DAY, reason="Source", certainty="known" if group else "unknown"
        )
        actions.finalise(other, by=w.officer, on=DAY)
    actions.publish(w.campaign, by=w.officer, on=dt.date(2010, 7, 9))
    results = queries.results_of(w.campaign)
    assert [results[c.slug].group for c in w.clusters] == ["2", "1", ""] and results[
        w.clusters[2].slug
    ].certainty == "unknown"
    assert queries.counts_of(w.campaign) == {"": 1, "1": 1, "2": 1}
    rows = ClusterGroup.objects.filter(evaluation="2008", superseded_at__isnull=True)
    assert sorted(rows.values_list("cluster__slug", "group")) == [("pole-alpha", "2"), ("pole-beta", "1")]
    assert list(journal.breaks()) == []


def test_a_person_may_decide_otherwise_with_a_reason(w):
    score(w.evaluation, w.firm, WEAK)
    score(w.evaluation, w.second, WEAK)
    actions.open_consensus(w.evaluation, by=w.officer, on=DAY)
    with pytest.raises(Refused, match="motif"):
        actions.record_group(w.evaluation, "2", by=w.officer, on=DAY, reason=" ")
    with pytest.raises(Refused, match="pas de cette campagne"):
        actions.record_group(w.evaluation, "very-good", by=w.officer, on=DAY, reason="x")
    actions.record_group(w.evaluation, "3", by=w.officer, on=DAY, reason="Pôle en réorganisation")
    with pytest.raises(Refused, match="n'a pas été entendu"):
        actions.finalise(w.evaluation, by=w.officer, on=DAY)
    actions.record_group(w.evaluation, "1", by=w.officer, on=DAY, reason="Pôle réorganisé depuis")
    done = actions.finalise(w.evaluation, by=w.officer, on=DAY)
    assert (done.group, done.computed, done.origin) == ("1", "2", "override")
    with pytest.raises(Refused, match="arrêtée"):
        actions.record_group(w.evaluation, "1", by=w.officer, on=DAY, reason="x")


def test_no_group_by_rule_without_hearing_the_cluster(w):
    score(w.evaluation, w.firm, WEAK)
    score(w.evaluation, w.second, WEAK)
    actions.open_consensus(w.evaluation, by=w.officer, on=DAY)
    with pytest.raises(Refused, match="aucun constat"):
        actions.finalise(w.evaluation, by=w.officer, on=DAY)
    one = hearing_actions.write_finding(w.evaluation, text="x", question="strategy/own", by=w.firm, on=DAY)
    with pytest.raises(Refused, match="se dit dans un constat"):
        hearing_actions.notify(one.hearing, by=w.officer, on=DAY)
    with pytest.raises(Refused, match="n'est pas dans la grille"):
        hearing_actions.write_finding(w.evaluation, text="x", question="luck/luck", by=w.firm, on=DAY)


def test_the_calibration_opens_where_all_notes_are_in(w):
    other = queries.evaluation_of(w.campaign, w.clusters[1])
    score(w.evaluation, w.firm)
    score(w.evaluation, w.second, {"strategy/own": "not-met"})
    score(other, w.firm)
    with pytest.raises(Refused) as refusal:
        actions.open_calibration(w.campaign, by=w.officer, on=DAY)
    assert len(refusal.value.missing) == 3
    actions.open_calibration(w.campaign, by=w.officer, on=DAY, reason="Calendrier")
    assert [Evaluation.objects.get(pk=e.pk).state for e in (w.evaluation, other)] == ["consensus", "scoring"]
    assert Agreed.objects.filter(evaluation=w.evaluation).count() == 7, "where all agree, the mark is agreed"
    page = client(w.firm).get(reverse("campaign-calibration", args=["essai"])).content.decode()
    assert body(w.second).name in page and "Pôle beta" not in page


# -- nobody reads what is not theirs yet ------------------------------------------------------


def pages_of(actor, w):
    """Every answer that could tell something of the evaluation: pages, exports, search, journal, mail."""
    who, found = client(actor), []
    pk = w.evaluation.pk
    for address in (
        reverse("campaigns"), reverse("campaign", args=["essai"]), reverse("campaign", args=["essai"]) + "?format=csv",
        reverse("campaign", args=["essai"]) + "?format=json", reverse("evaluation", args=[pk]), reverse("evaluation", args=[pk]) + "?format=json",
        reverse("evaluation-consensus", args=[pk]), reverse("evaluation-score", args=[pk]), reverse("evaluation-explanation", args=[pk]),
        reverse("evaluation-explanation", args=[pk]) + "?format=json", reverse("campaign-calibration", args=["essai"]),
        reverse("search") + "?q=alpha", reverse("search") + "?q=CONSTAT-SECRE", reverse("search") + "?q=MOTIF-DU-SECON", reverse("journal"), reverse("journal") + "?format=csv", reverse("home"), reverse("cluster", args=["pole-alpha"]),
        reverse("evaluation-pack", args=[pk]) + "?format=json", reverse("campaign-survey", args=["essai"]), reverse("review-list"),
        reverse("cluster-timeline", args=["pole-alpha"]), reverse("cluster-timeline", args=["pole-alpha"]) + "?format=csv",
        reverse("decision-files") + "?format=csv", reverse("open-data"), reverse("calendar-feed", args=[token_of(f.user_of(actor))]),
    ):  # fmt: skip
        answer = who.get(address)
        found.append(b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode())
    mail = OutboxMessage.objects.filter(to=f.user_of(actor).email).values_list("subject", "body")
    return "\n".join([*found, *(s + b for s, b in mail)])


def test_an_evaluator_never_reads_anothers_notes_before_the_consensus(w):
    score(w.evaluation, w.second, {"strategy/own": "not-met"}, words="MOTIF-DU-SECOND")
    interests.declare(access.case_of(w.evaluation), "none", by=w.firm, on=DAY)
    for actor in (w.firm, w.stranger, w.officer, w.director, w.correspondent, w.reader, w.admin):
        assert "MOTIF-DU-SECOND" not in pages_of(actor, w), actor.role
    assert "MOTIF-DU-SECOND" in pages_of(w.second, w)
    kept = JournalEntry.objects.filter(case=access.case_of(w.evaluation))
    assert "MOTIF-DU-SECOND" not in json.dumps([e.after for e in kept])
    score(w.evaluation, w.firm)
    actions.open_consensus(w.evaluation, by=w.officer, on=DAY)
    assert "MOTIF-DU-SECOND" in pages_of(w.firm, w)
    assert "MOTIF-DU-SECOND" not in pages_of(w.director, w)


def test_a_recused_person_of_the_firm_sees_nothing(w):
    score(w.evaluation, w.second, words="MOTIF-DU-SECOND")
    interests.declare(access.case_of(w.evaluation), "interest", by=w.firm, on=DAY, reason="ancien salarié")
    assert not access.visible_to(w.firm, DAY).filter(pk=w.evaluation.pk).exists()
    assert client(w.firm).get(reverse("evaluation", args=[w.evaluation.pk])).status_code == 404
    assert queries.evaluation_of(w.campaign, w.clusters[1]) in access.visible_to(w.firm, DAY)


def test_a_cluster_reads_its_own_findings_once_notified_and_never_anothers(w):
    score(w.evaluation, w.firm, WEAK)
    score(w.evaluation, w.second, WEAK)
    actions.open_consensus(w.evaluation, by=w.officer, on=DAY)
    for question in WEAK:
        one = hearing_actions.write_finding(w.evaluation, text="CONSTAT-SECRET", question=question, by=w.firm, on=DAY)
    hearing = one.hearing
    assert client(w.director).get(reverse("hearing", args=[hearing.pk])).status_code == 404, "not notified yet"
    hearing_actions.notify(hearing, by=w.officer, on=DAY)
    hearing_actions.save_reply(one, text="REPONSE-EN-COURS", rev=0, by=w.director, on=DAY)
    address = reverse("hearing", args=[hearing.pk])
    assert "CONSTAT-SECRET" in client(w.director).get(address).content.decode()
    assert "CONSTAT-SECRET" in client(w.correspondent).get(address).content.decode(), "State services are heard too"
    for actor in (w.other_director, w.reader, w.stranger, w.admin):
        for name in (
            "hearing",
            "hearing-pdf",
            "hearing-docx",
            "hearing-sealed",
            "evaluation-explanation-pdf",
            "evaluation-explanation-docx",
        ):
            key = w.evaluation.pk if name.startswith("evaluation") else hearing.pk
            assert client(actor).get(reverse(name, args=[key])).status_code in (403, 404), (actor.role, name)
        assert "CONSTAT-SECRET" not in pages_of(actor, w)
    assert "REPONSE-EN-COURS" not in client(w.firm).get(address).content.decode(), "a reply is read once it is sent"
    assert "CONSTAT-SECRET" not in "".join(OutboxMessage.objects.values_list("body", flat=True)), (
        "mail leaves the house"
    )


def test_an_authority_orders_its_own_beside_the_states(w):
    own = actions.open_campaign("region", "Région", "order", w.clusters[:1], "grid-2008", by=w.region, on=DAY, policy_day=GOVERNS, evaluation="region")  # fmt: skip
    with pytest.raises(NotAllowed):
        actions.open_campaign(
            "region2", "R", "order", w.clusters[:1], "grid-2008", by=w.director, on=DAY, policy_day=GOVERNS
        )
    with pytest.raises(NotAllowed):
        actions.entrust(own, organisation=body(w.firm), by=w.officer, on=DAY)
    actions.entrust(own, organisation=body(w.firm), by=w.region, on=DAY, statement="x")
    actions.start_many(own, by=w.region, on=DAY)
    mine = queries.evaluation_of(own, w.clusters[0])
    assert not access.visible_to(w.officer, DAY).filter(pk=mine.pk).exists(), "the State does not read it before"
    actions.record_group(mine, "1", by=w.region, on=DAY, reason="x")
    actions.finalise(mine, by=w.region, on=DAY)
    actions.publish(own, by=w.region, on=DAY)
    assert access.visible_to(w.officer, DAY).filter(pk=mine.pk).exists()
    assert not ClusterGroup.objects.exists(), "it stands beside the programme's group, it does not become it"


# -- the hearing ------------------------------------------------------------------------------


def test_deadline_extension_silence_and_late_reply(w):
    hearing = notified(w)
    assert hearing.due_on == dt.date(2010, 7, 1)
    finding = queries.findings_of(hearing)[0]
    hearing_actions.extend(hearing, until=dt.date(2010, 7, 15), reason="Congés", by=w.officer, on=dt.date(2010, 6, 30))
    hearing_actions.save_reply(finding, text="Écrit", rev=0, by=w.director, on=dt.date(2010, 7, 14))
    assert nightly.nightly(dt.date(2010, 7, 15)) == []
    with pytest.raises(Refused, match="minuit"):
        hearing_actions.send_replies(hearing, by=w.director, on=dt.date(2010, 7, 16))
    assert Reply.objects.get().text == "Écrit", "what is written is kept"
    with pytest.raises(Refused, match="après l'échéance"):
        hearing_actions.record_late_reply(finding, text="x", reason="y", by=w.officer, on=dt.date(2010, 7, 15))
    assert len(nightly.nightly(dt.date(2010, 7, 16))) == 1 and nightly.nightly(dt.date(2010, 7, 16)) == []
    hearing.refresh_from_db()
    assert (hearing.state, hearing.silent) == ("replied", True)
    with pytest.raises(NotAllowed):
        hearing_actions.record_late_reply(finding, text="x", reason="y", by=w.director, on=dt.date(2010, 7, 17))
    hearing_actions.record_late_reply(finding, text="Trop tard", reason="Panne", by=w.officer, on=dt.date(2010, 7, 17))
    hearing_actions.close(hearing, by=w.officer, on=dt.date(2010, 7, 20))
    assert {x.outcome for x in queries.findings_of(hearing)} == {"maintained"}, "a late reply does not count"


def test_each_replied_finding_is_owed_a_position(w):
    hearing = notified(w)
    first, second = queries.findings_of(hearing)
    with pytest.raises(Refused, match="Aucune réponse"):
        hearing_actions.send_replies(hearing, by=w.director, on=DAY)
    with pytest.raises(NotAllowed):
        hearing_actions.save_reply(first, text="x", rev=0, by=w.other_director, on=DAY)
    hearing_actions.save_reply(first, text="Non", rev=0, by=w.director, on=DAY)
    piece = hearing_actions.add_document(first, b"%PDF-1.4 x", "pv.pdf", by=w.director, on=DAY)
    with pytest.raises(Refused, match="Une position se prend"):
        hearing_actions.take_position(first, outcome="maintained", text="x", by=w.firm, on=DAY)
    hearing_actions.send_replies(hearing, by=w.director, on=DAY)
    with pytest.raises(Refused, match="entre la notification"):
        hearing_actions.save_reply(first, text="Encore", rev=1, by=w.director, on=DAY)
    with pytest.raises(Refused, match="droit à une position"):
        hearing_actions.close(hearing, by=w.officer, on=DAY)
    with pytest.raises(Refused, match="texte final"):
        hearing_actions.take_position(first, outcome="amended", text="x", by=w.firm, on=DAY)
    hearing_actions.take_position(first, outcome="settled", text="Remédié", by=w.firm, on=DAY)
    hearing_actions.take_position(second, outcome="amended", text="Nuancé", final_text="Mieux", by=w.firm, on=DAY)
    hearing.refresh_from_db()
    hearing_actions.close(hearing, by=w.officer, on=DAY)
    hearing.refresh_from_db()
    data, sha = sealed.archive(hearing)
    assert sealed.archive(hearing) == (data, sha), "the same file twice is the same bytes"
    assert check(data, expected=sha) == []
    assert f"pieces/{piece.sha256}".encode() in data
    stored = path_of(piece.sha256)
    assert stored.exists() and list(journal.breaks()) == []


def altered(data, change, listed=True):
    """The ZIP with its members changed by ``change``; with ``listed`` the manifest is rewritten to agree, as a forger would."""
    members = {
        i.filename: zipfile.ZipFile(io.BytesIO(data)).read(i) for i in zipfile.ZipFile(io.BytesIO(data)).infolist()
    }
    told = json.loads(members.pop("manifest.json"))
    change(members, told)
    if listed:
        told["members"] = [{"name": n, "sha256": sha256(c)} for n, c in sorted(members.items())]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for name, content in [*members.items(), ("manifest.json", json.dumps(told).encode())]:
            new.writestr(name, content)
    return out.getvalue()


def in_text(members, told):
    name = next(n for n in members if n.startswith("textes/") and b"Constat secret" in members[n])
    members[name] = members[name].replace(b"Constat secret", b"Constat change")


def in_act(members, told):
    members["journal.json"] = members["journal.json"].replace(b'"hearing.notify"', b'"hearing.notifs"')


def last_act(members, told):
    kept = json.loads(members["journal.json"])
    members["journal.json"] = json.dumps(kept | {"acts": kept["acts"][1:]}).encode()


def without_text(members, told):
    del members[next(n for n in members if n.startswith("textes/"))]


def without_piece(members, told):
    del members[next(n for n in members if n.startswith("pieces/"))]


def one_more(members, told):
    members["pieces/autre"] = b"x"


@pytest.mark.parametrize(
    ("change", "listed", "said"),
    [
        (in_text, False, "a été changé"),
        (in_text, True, "n'a pas l'empreinte que son nom annonce"),
        (in_act, False, "journal.json a été changé"),
        (in_act, True, r"l'acte \d+ \(hearing.notifs\) a été changé"),
        (last_act, True, "l'acte 1 manque"),
        (without_text, False, "manque"),
        (without_text, True, "le texte figé par l'acte"),
        (without_piece, True, "pv.pdf.* jointe au constat 1 manque"),
        (one_more, False, "pieces/autre n'est pas au sommaire"),
        (lambda members, told: told.update(case="autre"), True, "d'un autre dossier"),
    ],
)
def test_a_changed_sealed_file_is_found_out_without_the_database(
    w, tmp_path, django_assert_num_queries, change, listed, said
):
    from typer.testing import CliRunner

    from jalon.cli import app

    hearing = notified(w)
    finding = queries.findings_of(hearing)[0]
    hearing_actions.save_reply(finding, text="Non", rev=0, by=w.director, on=DAY)
    hearing_actions.add_document(finding, b"%PDF-1.4 x", "pv.pdf", by=w.director, on=DAY)
    hearing_actions.send_replies(hearing, by=w.director, on=DAY)
    data, sha = sealed.archive(hearing)
    file = tmp_path / "dossier.zip"
    file.write_bytes(data)
    with django_assert_num_queries(0):
        whole = CliRunner().invoke(app, ["verify", "sealed", str(file), "--sha256", sha[:12]])
        assert whole.exit_code == 0 and sha in whole.output
        other = CliRunner().invoke(app, ["verify", "sealed", str(file), "--sha256", "0" * 12])
        assert other.exit_code == 1 and "était attendu" in other.output
        file.write_bytes(altered(data, change, listed))
        found = CliRunner().invoke(app, ["verify", "sealed", str(file)])
    assert found.exit_code == 1
    assert re.search(said, found.output), found.output


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_sealed_file_is_told(content):
    assert [str(x) for x in check(content)] == ["ce n'est pas un dossier scellé"]


# -- reviews ----------------------------------------------------------------------------------


def test_a_review_from_evidence_to_the_revision_of_funding():
    lived = make_lived()
    contract, on = lived.contract, dt.date(2010, 6, 1)
    with pytest.raises(Refused, match="ne doit pas d'examen"):
        review_actions.open_review(contract, "axes", by=lived.correspondent, on=on)
    contract.group = "2"
    contract.save()
    assert [(r.kind, r.due_on) for r in queries.reviews_due(on, kinds=("axes",))] == [("axes", dt.date(2010, 7, 1))]
    with pytest.raises(NotAllowed):
        review_actions.open_review(contract, "axes", by=lived.director, on=on)
    review = review_actions.open_review(contract, "axes", by=lived.correspondent, on=on)
    pack = json.loads(review.pack.canonical)["content"]
    assert pack["contract"]["group"] == "2" and {c["side"] for c in pack["commitments"]} == {"state", "authority"}
    assert [a["title"] for o in pack["other_objectives"] for a in o["actions"]] == [
        "Atelier annuel",
        "Plateforme partagée",
    ]
    with pytest.raises(Refused, match="ouverts"):
        review_actions.open_review(contract, "axes", by=lived.officer, on=on)
    with pytest.raises(Refused, match="constat notifié"):
        review_actions.conclude_review(review, "unsatisfactory", reason="x", by=lived.correspondent, on=on)
    finding = hearing_actions.write_finding(review, text="Peu fait", by=lived.correspondent, on=on)
    hearing = hearing_actions.notify(finding.hearing, by=lived.correspondent, on=on)
    with pytest.raises(Refused, match="n'est pas clos"):
        review_actions.conclude_review(review, "satisfactory", reason="x", by=lived.correspondent, on=on)
    (task,) = [t for t in desk.tasks_for(lived.director, on) if "Répondre aux constats" in str(t.title)]
    assert task.due_on == hearing.due_on
    finding.refresh_from_db()
    hearing_actions.save_reply(finding, text="Si", rev=0, by=lived.director, on=on)
    hearing_actions.send_replies(hearing, by=lived.director, on=on)
    hearing_actions.take_position(finding, outcome="maintained", text="Non", by=lived.correspondent, on=on)
    hearing_actions.close(hearing, by=lived.correspondent, on=on)
    done = review_actions.conclude_review(review, "unsatisfactory", reason="Peu fait", by=lived.correspondent, on=on)
    assert done.amendment.state == "draft" and done.amendment.contract_id == contract.pk
    assert queries.reviews_due(on, kinds=("axes",)) == []
    with pytest.raises(Refused):
        review_actions.conclude_review(review, "satisfactory", reason="x", by=lived.correspondent, on=on)


def test_a_revision_of_a_contract_that_has_ended_is_refused_and_nothing_is_written():
    lived = make_lived()
    contract, late = lived.contract, dt.date(2012, 2, 1)
    review = review_actions.open_review(contract, "yearly", by=lived.correspondent, on=dt.date(2010, 6, 1))
    finding = hearing_actions.write_finding(review, text="x", by=lived.correspondent, on=dt.date(2010, 6, 1))
    hearing_actions.notify(finding.hearing, by=lived.correspondent, on=dt.date(2010, 6, 1))
    nightly.nightly(dt.date(2010, 8, 1))
    finding.hearing.refresh_from_db()
    hearing_actions.close(finding.hearing, by=lived.correspondent, on=dt.date(2010, 8, 1))
    with pytest.raises(Refused, match="a pris fin"):
        review_actions.conclude_review(review, "unsatisfactory", reason="x", by=lived.correspondent, on=late)
    assert Review.objects.get(pk=review.pk).state == "hearing"
    done = review_actions.conclude_review(review, "unsatisfactory", reason="x", revise_funding=False, by=lived.correspondent, on=late)  # fmt: skip
    assert done.amendment is None


# -- questionnaires ---------------------------------------------------------------------------


def test_questionnaires_are_anonymous_counted_and_closed_at_midnight(w):
    cluster = w.clusters[0]
    for _ in range(6):
        f.make_membership(cluster)
    survey = survey_actions.open_survey(w.campaign, "members-2008", by=w.officer, on=DAY, closes_on=dt.date(2010, 7, 1))
    links = survey_actions.ask_members(survey, [cluster], by=w.officer, on=DAY)[cluster.pk]
    assert survey_actions.ask_members(survey, [cluster], by=w.officer, on=DAY) == {}, "nobody is asked twice"
    for n, (_, token) in enumerate(links[:5]):
        link = survey_actions.link_of(token)
        with pytest.raises(Refused) as refusal:
            survey_actions.answer(link, {"strategy": "9", "voice": "2"}, on=DAY)
        assert len(refusal.value.missing) == 1
        assert survey_actions.results(survey, cluster).questions == [], "too few answers tell who said what"
        survey_actions.answer(link, {"strategy": str(n + 1), "voice": "2", "words": "Bien"}, on=DAY)
        with pytest.raises(Refused, match="déjà servi"):
            survey_actions.answer(link, {"strategy": "1", "voice": "1"}, on=DAY)
    found = survey_actions.results(survey, cluster)
    assert (found.asked, found.answered) == (6, 5) and found.questions[0]["mean"] == 3
    assert {x.name for x in SurveyAnswer._meta.get_fields()} == {"id", "survey", "cluster", "answers", "simulated"}
    with pytest.raises(Refused, match="a fermé"):
        survey_actions.answer(
            survey_actions.link_of(links[5][1]), {"strategy": "1", "voice": "1"}, on=dt.date(2010, 7, 2)
        )
    assert survey_actions.link_of("x") is None


# -- packs and numbers of queries -------------------------------------------------------------


def test_a_pack_says_what_was_known_and_costs_the_same_for_many(w, django_assert_max_num_queries):
    lived = make_lived()
    with django_assert_max_num_queries(25) as one:
        found = packs.packs([lived.cluster], dt.date(2010, 6, 30))[lived.cluster.pk]
    with django_assert_max_num_queries(len(one)):
        packs.packs([lived.cluster, *w.clusters], dt.date(2010, 6, 30))
    assert found["members"]["total"] == 3 and found["members"]["by_year"]["2009"] == {"joined": 1, "left": 1}
    assert [m["name"] for m in found["members"]["list"]] == sorted(m["name"] for m in found["members"]["list"])
    assert len(found["members"]["list"]) == 3 and set(found["members"]["list"][0]) == {
        "name",
        "siren",
        "type",
        "joined_on",
    }
    contract = found["contracts"][0]
    assert contract["commitments"] and contract["objectives"][0]["actions"]
    assert packs.packs([lived.cluster], dt.date(2007, 1, 31))[lived.cluster.pk]["members"]["total"] == 3


def test_pages_cost_a_fixed_number_of_queries(w, django_assert_max_num_queries):
    who = client(w.officer)
    address = reverse("campaign", args=["essai"])
    who.get(address)
    with django_assert_max_num_queries(24) as few:
        who.get(address)
    for n in range(4):
        Evaluation.objects.create(campaign=w.campaign, cluster=f.make_cluster(f"autre-{n}"))
    with django_assert_max_num_queries(len(few)):
        who.get(address)
    with django_assert_max_num_queries(24):
        who.get(reverse("evaluation", args=[w.evaluation.pk]))
    hearing = notified(w)
    with django_assert_max_num_queries(26):
        who.get(reverse("hearing", args=[hearing.pk]))


def test_the_search_and_the_titles_of_cases(w):
    assert workspace.case_titles([access.case_of(w.evaluation)])[access.case_of(w.evaluation)][0].startswith(
        "Pôle alpha"
    )
    kinds = [str(x.kind) for x in workspace.search(w.officer, DAY, "alpha")]
    assert "évaluations" in kinds
    assert "évaluations" not in [str(x.kind) for x in workspace.search(w.reader, DAY, "alpha")]


def test_what_if_changes_the_page_and_nothing_else(w):
    hearing = notified(w, {"momentum/means": "not-met"})
    del hearing
    address = reverse("evaluation-explanation", args=[w.evaluation.pk])
    who = client(w.officer)
    before = Agreed.objects.count(), FrozenText.objects.count(), JournalEntry.objects.count()
    page = who.get(address + "?w.momentum/means=9&t.evaluations.group3_failed_criteria_at_least=1").content.decode()
    assert "Hypothèse" in page and "Groupe 3" in page
    assert (
        who.get(address + "?w.luck=1").status_code == 400
        and who.get(address + "?w.momentum/means=beaucoup").status_code == 400
    )
    assert before == (Agreed.objects.count(), FrozenText.objects.count(), JournalEntry.objects.count())
