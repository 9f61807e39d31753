"""The explanation of a result, and the record of a hearing, as documents; both are printed from what was frozen."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jalon.core.lang import LANGUAGES, T, language, speaking
from jalon.documents.blocks import Block, Column, Document, Facts, Heading, Notice, Para, Row, Table, cell
from jalon.documents.contract import SIMULATED, words
from jalon.ui import format as fmt


def said(value: Any) -> str:
    """A frozen value in the language of the document: pairs, days, figures."""
    if isinstance(value, Mapping):
        return str(T(value["fr"], value["en"])) if set(value) == {"fr", "en"} else ""
    if isinstance(value, bool):
        return str(T("oui", "yes") if value else T("non", "no"))
    return "" if value is None else str(value)


def _day(text: Any) -> str:
    return fmt.day(dt.date.fromisoformat(text)) if text else str(fmt.UNKNOWN)


def _document(
    title: Any, cluster: str, about: str, cover: Sequence[Block], blocks: Sequence[Block], *, programme: Any, sha: str,
    dated: dt.date, simulated: bool, mark: str = "",
) -> Document:  # fmt: skip
    return Document(
        lang=language(),
        title=str(title),
        eyebrow=str(programme),
        subtitle=about,
        cover=tuple(cover),
        blocks=tuple(blocks),
        running=f"{cluster} · {title}",
        footer=f"SHA-256 {sha}" if sha else str(T("Document de travail", "Working document")),
        words=words(language()),
        dated=dated,
        mark=mark,
        simulated=str(SIMULATED) if simulated else "",
    )


def explanation(frozen: Any, *, programme: Any, default: str, lang: str = "") -> Document:
    """The explanation owed to the cluster (L. 311-3-1 and R. 311-3-1-2): contribution, data, parameters, operations."""
    told = json.loads(frozen.canonical)["content"]
    with speaking(lang if lang in LANGUAGES else default):
        result = told["result"]
        cover: list[Block] = [
            Facts(
                (
                    (str(T("Pôle", "Cluster")), told["cluster"]["name"]),
                    (str(T("Campagne", "Campaign")), said(told["campaign"]["title"])),
                    (str(T("Groupe", "Group")), said(result["title"])),
                    (str(T("Arrêté le", "Made final on")), _day(told["day"])),
                )
            )
        ]
        blocks: list[Block] = [
            Heading(str(T("1. Part du calcul", "1. Part of the computation"))),
            Para(said(told["contribution"])),
        ]
        if result["origin"] == "override":
            blocks.append(Para(str(T("La règle donne : {r}. Décidé : {g}, par {w}.", "The rule gives: {r}. Decided: {g}, by {w}.", r=said(result["rule_gives_title"]), g=said(result["title"]), w=result["decided_by"]))))  # fmt: skip
        if result["reason"]:
            blocks.append(Para(result["reason"]))
        if told.get("data"):
            blocks += [Heading(str(T("2. Données et leurs sources", "2. Data and their sources"))), _data(told)]
            if told.get("pack"):
                blocks.append(Para(str(T("Dossier de pièces figé, SHA-256 {s}", "Frozen evidence pack, SHA-256 {s}", s=told["pack"])), "small"))  # fmt: skip
        if told.get("grid"):
            blocks += _parameters(told)
        if told.get("operations"):
            blocks += _operations(told)
        blocks.append(Para(said(told["law"]), "small"))
        return _document(
            T("Explication du résultat", "Explanation of the result"), told["cluster"]["name"], said(told["campaign"]["title"]),
            cover, blocks, programme=programme, sha=frozen.sha256, dated=frozen.frozen_at.date(), simulated=told["simulated"],
        )  # fmt: skip


def _data(told: Mapping[str, Any]) -> Table:
    rows = []
    for d in told["data"]:
        mark = (
            str(T("écartée : point réglé", "set aside: settled point")) if d["aside"] else said(d["mark_title"]) or "–"
        )
        rows.append(Row((cell(said(d["title"])), cell(mark), cell(d["justification"] or "–"))))
    return Table(
        str(T("Notes convenues", "Agreed marks")),
        (Column(str(T("Question", "Question")), 2), Column(str(T("Note", "Mark"))), Column(str(T("Justification", "Justification")), 3)),
        tuple(rows),
    )  # fmt: skip


def _parameters(told: Mapping[str, Any]) -> list[Block]:
    grid = told["grid"]
    found: list[Block] = [
        Heading(str(T("3. Paramètres et poids", "3. Parameters and weights"))),
        Para(f"{said(grid['title'])} — {grid['reference']}"),
    ]
    if not grid["weights_published"]:
        found.append(Notice(str(T("Aucune pondération n'a été publiée : les questions d'un critère comptent à égalité ; c'est notre lecture.", "No weights were published: the questions of a criterion count equally; this is our reading."))))  # fmt: skip
    lines = [(said(s["title"]), said(s["points"])) for s in grid["scale"]]
    lines += [(said(p["title"]), f"{said(p['value'])} ({p['reference']})") for p in told.get("parameters", ())]
    found.append(Facts(tuple(lines)))
    return found


def _operations(told: Mapping[str, Any]) -> list[Block]:
    ops = told["operations"]
    rows = [
        Row(
            (
                cell(said(c["title"])),
                cell(*(f"{said(line['title'])} : {line['points']} × {line['weight']}" for line in c["lines"])),
                cell(f"{said(c['share']) or '–'} / {said(c['passes_from']) or '–'}"),
                cell(str(T("manqué", "failed") if c["failed"] else T("passé", "passed"))),
            )
        )
        for c in ops["criteria"]
    ]
    found: list[Block] = [
        Heading(str(T("4. Opérations", "4. Operations"))),
        Table(
            str(T("Critères", "Criteria")),
            (Column(str(T("Critère", "Criterion"))), Column(str(T("Calcul", "Computation")), 3), Column(str(T("Part / seuil", "Share / threshold"))), Column(str(T("Résultat", "Result")))),
            tuple(rows),
        ),
    ]  # fmt: skip
    for r in ops["rules"]:
        conditions = " ; ".join(f"{said(c['title'])} {said(c['threshold'])} ({T('trouvé', 'found')} {said(c['found'])})" for c in r["conditions"]) or str(T("dans tous les autres cas", "in all other cases"))  # fmt: skip
        verdict = T("rempli", "holds") if r["holds"] else T("non rempli", "does not hold")
        found.append(Para(f"{said(r['title'])} : {conditions} — {verdict}. {r['reference']}"))
    stable = told.get("stability")
    if stable:
        parts = ", ".join(f"{said(g['title'])} : {g['count']}" for g in stable["groups"])
        found.append(Para(str(T("Stabilité : sur {n} pondérations tirées entre {a} et {b} fois chaque poids, {p}.", "Stability: of {n} weightings drawn between {a} and {b} times each weight, {p}.", n=stable["draws"], a=stable["low"], b=stable["high"], p=parts))))  # fmt: skip
    for name, title in (
        ("up", T("Vers un meilleur groupe", "To a better group")),
        ("down", T("Vers un moins bon groupe", "To a worse group")),
    ):
        far = (told.get("distance") or {}).get(name)
        if far:
            found.append(Para(str(T("{t} : {n} cran(s) de note ({g}).", "{t}: {n} step(s) of marks ({g}).", t=title, n=far["steps"], g=said(far["title"])))))  # fmt: skip
    return found


def hearing(content: Mapping[str, Any], *, cluster: str, programme: Any, default: str, day: dt.date, sha: str, simulated: bool, outcomes: Mapping[str, Any], lang: str = "") -> Document:  # fmt: skip
    """The exchange, finding by finding. ``content``: what was frozen at the notification or at the closing."""
    with speaking(lang if lang in LANGUAGES else default):
        closed = "replied_on" in content
        cover: list[Block] = [
            Facts(
                (
                    (str(T("Pôle", "Cluster")), cluster),
                    (str(T("Notifié le", "Notified on")), _day(content["notified_on"])),
                    (str(T("Réponse jusqu'au", "Reply until")), _day(content["due_on"])),
                )
            )
        ]
        blocks: list[Block] = [Para(content["summary"])] if content.get("summary") else []
        for f in content["findings"]:
            about = f" – {f['about']}" if f["about"] else ""
            blocks += [Heading(str(T("Constat {n}", "Finding {n}", n=f["number"])) + about), Para(f["text"])]
            if f["evidence"]:
                blocks.append(Para(str(T("Pièce : {e}", "Evidence: {e}", e=f["evidence"])), "small"))
            for r in f.get("replies", ()):
                head = T("Réponse tardive, non comptée", "Late reply, not counted") if r["late"] else T("Réponse du pôle", "The cluster's reply")  # fmt: skip
                blocks += [Heading(f"{head} ({_day(r['sent_on'])})", 2), Para(r["text"] or "–")]
                blocks += [Para(f"SHA-256 {file}", "mono") for file in r["files"]]
            if f.get("outcome"):
                blocks += [Heading(str(T("Position : {o}", "Position: {o}", o=outcomes[f["outcome"]])), 2), Para(f["position"])]  # fmt: skip
                if f["outcome"] == "amended":
                    blocks.append(Para(f["final_text"], "new"))
        title = T("Procédure contradictoire", "Contradictory procedure") if closed else T("Constats notifiés", "Notified findings")  # fmt: skip
        return _document(title, cluster, said(content["about"]), cover, blocks, programme=programme, sha=sha, dated=day, simulated=simulated)  # fmt: skip
