"""A project's file as a document: its public part for everybody who may know of it, the rest for those who read the file."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from jalon.core.lang import T, speaking
from jalon.documents.blocks import Block, Column, Document, Facts, Heading, Notice, Para, Row, Table, cell
from jalon.documents.contract import DASH, SIMULATED, words
from jalon.people.access import policy
from jalon.projects import listing, queries, rules, states
from jalon.projects.access import Standing
from jalon.projects.models import Paper, Project
from jalon.ui import format as fmt


def file_of(project: Project, place: Standing, *, on: dt.date, address: str, lang: str = "") -> Document:
    """The file as the reader may read it on a day.

    Everybody reads summary, consortium, labels; who is inside reads the confidential description, the papers' list and the
    totals; each partner's budget line by line is read by the leader, the readers of the whole, and that partner.
    """
    lang = lang or policy().language
    state = listing.state_on(project, on)
    with speaking(lang):
        partners = queries.partners_of(project)
        labels = queries.labels_of(project)
        call_rules = queries.rules_of(project)
        members = {m.key: m for m in queries.members_of(partners, call_rules, queries.label_facts(labels))}
        blocks: list[Block] = [
            Facts(tuple(_about(project, place, state, partners))),
            Heading(str(T("Résumé", "Summary"))),
            Para(project.summary or str(T("Pas encore écrit.", "Not written yet."))),
            Heading(str(T("Labels", "Labels"))),
            *_labels(labels, place),
            Heading(str(T("Consortium", "Consortium"))),
            _consortium(partners, members, place),
        ]
        if place.inside:
            blocks += _inside(project, partners, place, call_rules)
        else:
            blocks.append(Para(str(T("Partie publique du dossier.", "Public part of the file.")), "small"))
        name = f"{project.acronym} {DASH} {project.title}"
        return Document(
            lang=lang,
            title=name,
            eyebrow=str(policy().title),
            subtitle=str(T("{f}", "{e}", f=project.call.title_fr, e=project.call.title_en)) if project.call_id else "",
            cover=(),
            blocks=tuple(blocks),
            running=str(T("Dossier de projet {d} {p}", "Project file {d} {p}", d=DASH, p=project.acronym)),
            footer=f"{address} · {fmt.day(on)}",
            words=words(lang),
            dated=on,
            mark=str(T("Brouillon", "Draft")) if state == "draft" else "",
            simulated=str(SIMULATED) if project.simulated else "",
            subject=name,
        )


def _about(project: Project, place: Standing, state: str, partners: Any) -> list[tuple[str, str]]:
    total = sum((b.amount for p in partners for b in p.budget.all()), Decimal(0)) or None
    decided = listing.decided_of([project.pk]).get(project.pk)
    rows = [
        (str(T("État", "State")), str(states.TITLES[state])),
        (
            str(T("Période", "Period")),
            str(fmt.period(project.starts_on, rules.ends_on(project.starts_on, project.months))),
        ),
        (str(T("Coût total", "Total cost")), str(fmt.money(total))),
        (str(T("Aide publique décidée", "Public aid decided")), str(fmt.money(decided))),
    ]
    if project.keywords:
        rows.append((str(T("Mots-clés", "Keywords")), ", ".join(project.keywords)))
    if project.strategic_fields:
        rows.append((str(T("Domaines stratégiques", "Strategic fields")), ", ".join(project.strategic_fields)))
    if place.inside:
        trl = [project.trl_entry, project.trl_target, project.trl_reached]
        rows.append(
            (
                str(T("TRL : entrée, visé, atteint", "TRL: entry, target, reached")),
                " / ".join("?" if n is None else str(n) for n in trl),
            )
        )
        if project.rules_id:
            rows.append(
                (str(T("Règles de l'appel", "Rules of the call")), f"{T('version', 'version')} {project.rules.version}")
            )
        if project.frozen is not None:
            rows.append((str(T("Figé au dépôt, SHA-256", "Frozen when handed in, SHA-256")), project.frozen.sha256))
    return rows


def _labels(labels: Any, place: Standing) -> list[Block]:
    shown = [row for row in labels if place.inside or row.outcome in ("labelled", "conditions")]
    if not shown:
        return [Para(str(T("Aucun label.", "No label.")))]
    columns = (
        Column(str(T("Pôle", "Cluster")), 4),
        Column(str(T("Décision", "Decision")), 3),
        Column(str(T("Le", "On")), 2),
        *((Column(str(T("Conditions, motifs", "Conditions, reasons")), 5),) if place.inside else ()),
    )
    rows = []
    for row in shown:
        lead = str(T("pôle chef de file", "lead cluster")) if row.lead else ""
        cells = [
            cell(row.cluster.name, lead),
            cell(str(states.LABEL_OUTCOMES[row.outcome])),
            cell(str(fmt.day(row.decided_on))),
        ]
        if place.inside:
            cells.append(cell(row.conditions, row.reasons))
        rows.append(Row(tuple(cells)))
    return [Table(str(T("Labels", "Labels")), columns, tuple(rows))]


def _consortium(partners: Any, members: Any, place: Standing) -> Table:
    columns = [Column(str(T("Partenaire", "Partner")), 4), Column(str(T("Rôle", "Role")), 3)]
    if place.inside:
        columns += [
            Column(str(T("Département", "Department")), 2),
            Column(str(T("Budget", "Budget")), 2, "right"),
            Column(str(T("Aide demandée", "Aid asked for")), 2, "right"),
        ]
    rows = []
    for partner in partners:
        cells = [
            cell(partner.organisation.name),
            cell(f"{states.ROLES[partner.role]}, {states.KINDS.get(partner.kind, partner.kind)}"),
        ]
        if place.inside:
            member = members[partner.key]
            cells += [
                cell(partner.department or "?"),
                cell(str(fmt.money(member.total or None))),
                cell(str(fmt.money(member.asked))),
            ]
        rows.append(Row(tuple(cells)))
    return Table(str(T("Consortium", "Consortium")), tuple(columns), tuple(rows))


def _inside(project: Project, partners: Any, place: Standing, call_rules: Any) -> list[Block]:
    categories = rules.category_codes(call_rules)
    blocks: list[Block] = [
        Heading(str(T("Description confidentielle", "Confidential description"))),
        Notice(
            str(
                T(
                    "Partie confidentielle : elle n'est remise qu'à qui lit le dossier.",
                    "Confidential part: it is handed only to those who read the file.",
                )
            ),
            "warn",
        ),
        Para(project.confidential or str(T("Pas encore écrite.", "Not written yet."))),
        Heading(str(T("Budgets", "Budgets"))),
    ]
    for partner in partners:
        lines = sorted(partner.budget.all(), key=lambda b: (b.year, b.category))
        if not lines or not (place.sees_budgets or place.part == partner.key):
            continue
        rows = [
            Row(
                (
                    cell(str(b.year)),
                    cell(str(categories.get(b.category, b.category))),
                    cell(str(states.FRASCATI.get(b.frascati, b.frascati))),
                    cell(str(states.AID_CLASSES.get(b.aid_class, b.aid_class))),
                    cell(str(fmt.money(b.amount))),
                )
            )
            for b in lines
        ]
        whole = sum((b.amount for b in lines), Decimal(0))
        rows.append(Row((cell(str(T("Total", "Total"))), (), (), (), cell(str(fmt.money(whole)))), strong=True))
        blocks += [
            Heading(partner.organisation.name, 2),
            Table(
                partner.organisation.name,
                (
                    Column(str(T("Année", "Year")), 1),
                    Column(str(T("Catégorie", "Category")), 3),
                    Column(str(T("Recherche (Frascati)", "Research (Frascati)")), 3),
                    Column(str(T("Classe d'aide", "Aid class")), 3),
                    Column(str(T("Montant", "Amount")), 2, "right"),
                ),
                tuple(rows),
                small=True,
            ),
        ]
        if partner.contribution:
            blocks.append(Para(partner.contribution))
    if not place.sees_budgets:
        blocks.append(
            Para(
                str(
                    T(
                        "Le détail des autres partenaires est lu par le chef de file et les financeurs.",
                        "The details of the other partners are read by the leader and the funders.",
                    )
                ),
                "small",
            )
        )
    titles = {p["code"]: rules.said(p["title"]) for p in call_rules.get("papers", ())}
    papers = [
        row
        for row in Paper.objects.filter(project=project, replaced_at__isnull=True)
        .select_related("file", "partner__organisation")
        .order_by("code", "pk")
        if row.partner_id is None or place.sees_budgets or place.part == row.partner.key
    ]
    if papers:
        blocks += [
            Heading(str(T("Pièces du dossier", "Papers of the file"))),
            Table(
                str(T("Pièces", "Papers")),
                (
                    Column(str(T("Pièce", "Paper")), 4),
                    Column(str(T("De", "Of")), 3),
                    Column(str(T("Version", "Version")), 1, "right"),
                    Column("SHA-256", 5),
                ),
                tuple(
                    Row(
                        (
                            cell(str(titles.get(row.code, row.title))),
                            cell(row.partner.organisation.name if row.partner else DASH),
                            cell(str(row.version)),
                            cell(row.file.sha256, style="mono"),
                        )
                    )
                    for row in papers
                ),
                small=True,
            ),
        ]
    return blocks
