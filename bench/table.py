"""The printed table: every figure with its floor, ratio, aim, and whether it holds."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from typing import Any

from bench import exports, pages
from bench.measure import Figure
from jalon.core.clock import PARIS, real_now
from jalon.core.lang import T, Text

NAMES: dict[str, Text] = {
    "register": T("liste du registre", "register list"),
    "sheet": T("fiche d'un pôle", "pôle sheet"),
    "register-kept": T("liste du registre, déjà demandée", "register list, asked before"),
    "sheet-kept": T("fiche d'un pôle, déjà demandée", "pôle sheet, asked before"),
    "members-kept": T("membres d'un pôle, déjà demandés", "members of a pôle, asked before"),
    "dashboard-kept": T("suivi d'un contrat, déjà demandé", "contract dashboard, asked before"),
    "board-kept": T("tableau national, déjà demandé", "national board, asked before"),
    "home-kept": T("accueil de l'agent national, déjà demandé", "home of the national officer, asked before"),
    "register-last-other": T(
        "registre, dernière page, après une autre page de la liste",
        "register, last page, after another page of the list",
    ),
    "register-few-other": T(
        "registre, filtre qui retient peu, après une autre page",
        "register, filter that keeps little, after another page",
    ),
    "members": T("membres d'un pôle (5 000)", "members of a pôle (5,000)"),
    "dashboard": T("suivi d'un contrat", "contract dashboard"),
    "board": T("tableau national", "national board"),
    "home": T("accueil de l'agent national", "home of the national officer"),
    "register-last": T("registre, dernière page", "register, last page"),
    "register-few": T("registre, filtre qui retient peu", "register, filter that keeps little"),
    "members-last": T("membres, dernière page", "members, last page"),
    "members-few": T("membres, filtre qui retient peu", "members, filter that keeps little"),
    "board-last": T("tableau, dernière page", "board, last page"),
    "board-few": T("tableau, filtre qui retient peu", "board, filter that keeps little"),
    "board-known": T("tableau tel que connu deux mois plus tôt", "board as known two months before"),
    "figures": T("indicateurs de tous les contrats", "indicators of every contract"),
    "import": T("import de membres", "member import"),
    "selection-ranking-small": T("classement de 1 000 projets", "ranking of 1,000 projects"),
    "selection-ranking": T("classement de 10 000 projets", "ranking of 10,000 projects"),
    "selection-ranking-few": T("classement, filtre qui retient peu", "ranking, filter that keeps little"),
    "selection-ranking-last": T("classement, dernière page", "ranking, last page"),
    "selection-ranking-tried": T("classement essayé avec d'autres poids", "ranking tried with other weights"),
    "selection-financing": T("table de financement de 200 projets", "financing table of 200 projects"),
    "selection-growth": T("classement, de 1 000 à 10 000 projets", "ranking, from 1,000 to 10,000 projects"),
    "selection-plans": T("plans de financement, contre une requête SQL", "financing plans, against one SQL statement"),
    "selection-rows": T(
        "lignes du classement, contre une requête SQL", "rows of the ranking, against one SQL statement"
    ),
    "ceilings-call": T("plafonds d'aide d'un appel de 200 projets", "aid ceilings of a call of 200 projects"),
    "ceilings-check": T("les mêmes, vérification seule", "the same, the check alone"),
    "projects": T("liste de 10 000 projets", "list of 10,000 projects"),
    "projects-filtered": T("la même, filtrée", "the same, filtered"),
    "projects-ranked": T("la même, classée par budget", "the same, ranked by budget"),
    "projects-last": T("la même, dernière page", "the same, last page"),
    "call-pipeline": T("projets d'un appel, classés", "projects of a call, ranked"),
    "cluster-pipeline": T("projets d'un pôle", "projects of a pôle"),
    "project-rates": T("taux de succès par pôle", "success rates by pôle"),
    "ranked-against-sql": T("lignes classées, contre une requête SQL", "ranked rows, against one SQL statement"),
    "accounting": T("import de 10 000 lignes comptables", "import of 10,000 accounting rows"),
    "evaluations-packs": T("dossiers de pièces de 71 pôles", "evidence packs of 71 pôles"),
    "evaluations-classification": T(
        "classement de 71 pôles, contre NumPy", "classification of 71 pôles, against NumPy"
    ),
    "evaluations-stability": T(
        "stabilité de 71 pôles, 10 000 pondérations, contre NumPy",
        "stability of 71 pôles, 10,000 weightings, against NumPy",
    ),
    "agendas": T("ordres du jour de tous les comités", "agendas of all committees"),
    "export-members": T("export des membres", "export of members"),
    "export-members-few": T("export des membres, filtre", "export of members, filter"),
    "export-register": T("export du registre", "export of the register"),
    "export-board": T("export du tableau national", "export of the national board"),
    "export-board-few": T("export du tableau, retards seuls", "export of the board, late ones only"),
    "export-contracts": T("export des contrats", "export of contracts"),
    "export-dashboard": T("export d'un suivi de contrat", "export of a contract's dashboard"),
    "export-observations": T("export des observations", "export of observations"),
}
HEADINGS: dict[str, Text] = {
    "pages": T("Pages, contre une page vide de même gabarit", "Pages, against an empty page of the same layout"),
    "growth": T("Croissance des pages de ×1 à ×20", "Growth of the pages from ×1 to ×20"),
    "import": T(
        "Import, contre la lecture du même fichier et son insertion sans contrôle",
        "Import, against reading the same file and inserting it unchecked",
    ),
    "figures": T(
        "Calcul des indicateurs, contre une requête SQL écrite à la main",
        "Computing indicators, against one hand-written SQL statement",
    ),
    "selection": T(
        "Sélection des projets (6 partenaires, 4 financeurs), contre une page vide ou une requête SQL",
        "Selection of projects (6 partners, 4 funders), against an empty page or one SQL statement",
    ),
    "ceilings": T(
        "Plafonds des aides d'État d'un appel, contre une requête SQL écrite à la main",
        "State aid ceilings of a call, against one hand-written SQL statement",
    ),
    "projects": T(
        "Projets (6 partenaires, 4 financeurs), contre une page vide ou une requête SQL",
        "Projects (6 partners, 4 funders), against an empty page or one SQL statement",
    ),
    "accounting": T(
        "Import comptable, contre la lecture du même fichier et son insertion sans contrôle",
        "Accounting import, against reading the same file and inserting it unchecked",
    ),
    "evaluations": T(
        "Évaluations, contre des requêtes SQL ou NumPy écrits à la main",
        "Evaluations, against hand-written SQL or NumPy",
    ),
    "agendas": T(
        "Ordres du jour, contre des requêtes SQL écrites à la main", "Agendas, against hand-written SQL statements"
    ),
    "exports": T(
        "Exports, temps par ligne contre 5,5 ms (deux systèmes comparables, 5 000 lignes)",
        "Exports, time per row against 5.5 ms (two comparable systems, 5,000 rows)",
    ),
}
KEPT, BROKEN, FEW = T("tient", "holds"), T("dépasse", "exceeds"), T("peu de lignes", "few rows")
COLUMNS = (
    T("mesure", "figure"), T("base", "database"), T("taille", "size"), T("rapport", "ratio"), T("objectif", "aim"), "", T("requêtes", "queries"),
    T("mémoire", "memory"), T("temps", "time"), T("plancher", "floor"),
)  # fmt: skip


def name_of(figure: Figure) -> str:
    """What a figure is called; the format of a file after it."""
    base, _, kind = figure.name.partition(".")
    return f"{NAMES[base]}{f' ({kind})' if kind else ''}"


def verdict(figure: Figure) -> Text:
    """Whether a figure keeps its aim; for exports, queries count as well, and a few hundred rows tell nothing a row."""
    kept = figure.ratio <= (figure.aim or 0)
    if figure.part == "exports":
        if (figure.rows or 0) < exports.ENOUGH and not kept:
            return FEW
        kept = kept and (figure.queries or 0) / (figure.rows or 1) <= exports.QUERIES_AIM
    return KEPT if kept else BROKEN


def growth(figures: Sequence[Figure]) -> list[Figure]:
    """How much slower each page is, against its empty page, at the largest size than at size 1."""
    found = []
    at = {(f.name, f.database, f.size): f for f in figures if f.part == "pages"}
    for (name, database, size), large in at.items():
        small = at.get((name, database, 1))
        if size > 1 and small:
            found.append(
                Figure(
                    "growth", name, large.time, small.time, large.ratio / small.ratio, pages.GROWTH,
                    database=database, size=size,
                )
            )  # fmt: skip
    return found


def machine(databases: Sequence[str]) -> str:
    """The machine on which the figures were found, and the day."""
    system = "?"
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            system = next(line.split("=", 1)[1].strip().strip('"') for line in file if line.startswith("PRETTY_NAME"))
    except (OSError, StopIteration):
        system = platform.system()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    day = real_now().astimezone(PARIS).date().isoformat()
    python = ".".join(map(str, sys.version_info[:3]))
    return str(
        T(
            "{day} · {cores} cœurs, {memory} Gio · {system} · Python {python} · {databases}",
            "{day} · {cores} cores, {memory} GiB · {system} · Python {python} · {databases}",
            day=day,
            cores=os.cpu_count(),
            memory=round(memory),
            system=system,
            python=python,
            databases=", ".join(databases),
        )  # fmt: skip
    )


def lines(figures: Sequence[Figure], *, markdown: bool = False) -> list[str]:
    """The table, heading by heading; ``markdown``: as it is kept in README.md."""
    out: list[str] = []
    figures = [*figures, *growth(figures)]
    for part, heading in HEADINGS.items():
        mine = [f for f in figures if f.part == part]
        if not mine:
            continue
        order = list(NAMES)
        mine.sort(key=lambda f: (order.index(f.name.partition(".")[0]), f.name, f.database, f.size))
        cells = [[str(c) for c in COLUMNS], *(_cells(f) for f in mine)]
        out += ["", f"### {heading}" if markdown else str(heading), ""]
        if markdown:
            out += ["| " + " | ".join(row) + " |" for row in cells[:1]]
            out.append("|" + "---|" * len(COLUMNS))
            out += ["| " + " | ".join(row) + " |" for row in cells[1:]]
            continue
        widths = [max(len(row[x]) for row in cells) for x in range(len(COLUMNS))]
        for row in cells:
            left = [row[x].ljust(widths[x]) if x in (0, 1, 5) else row[x].rjust(widths[x]) for x in range(len(COLUMNS))]
            out.append("  " + "  ".join(left).rstrip())
    return out


def _cells(f: Figure) -> list[str]:
    unit = f"{f.memory / 1024:.1f} {T('Mo', 'MB')}" if f.memory is not None else ""
    if f.floor_memory is not None:
        unit += f" ({f.floor_memory / 1024:.0f})"
    queries = "" if f.queries is None else str(f.queries)
    times = f"{f.time:.0f} ms" if f.time >= 10 else f"{f.time:.1f} ms"
    floor = f"{f.floor:.0f} ms" if f.floor >= 10 else f"{f.floor:.1f} ms"
    digits = 4 if f.part == "exports" else 2
    if f.part == "exports" and f.rows:
        times, floor = f"{f.time / f.rows:.3f} ms × {f.rows}", "5.5 ms"
    elif f.rows and f.part == "import":
        times += f" ({f.rows})"
    aim = "" if f.aim is None else f"≤ {f.aim:g}"
    return [
        name_of(f), f.database.partition(" ")[0], f"×{f.size}" if f.size else "", f"{f.ratio:.{digits}f}", aim, str(verdict(f)), queries, unit, times, floor,
    ]  # fmt: skip


def plain(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The figures as data."""
    return [f.plain() for f in figures]
