"""The amendment as a document (*avenant*): who, why, each change old → new, who signs; the rest is unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jalon.contracts import content as doc, rules
from jalon.core.lang import T, speaking
from jalon.documents import contract as contract_document
from jalon.documents.blocks import Block, Cell, Column, Document, Facts, Heading, Line, Para, Row, Table, cell
from jalon.documents.queries import View
from jalon.ui import format as fmt

KINDS = {
    "changed": T("modifié", "changed"),
    "added": T("ajouté", "added"),
    "removed": T("supprimé", "removed"),
}


def build(view: View, lang: str = "") -> Document:
    """The document of an amendment, in ``lang`` (the programme's language unless said)."""
    lang = lang or view.language
    with speaking(lang), fmt.paying_in(view.currency):
        return _build(view, lang)


def _build(view: View, lang: str) -> Document:
    title = str(T("Avenant n° {n}", "Amendment no. {n}", n=view.number))
    changes = doc.diff(view.base_content or {}, view.content, view.words)
    sections: list[tuple[Any, list[Block]]] = [
        (T("Objet et motif", "Purpose and reason"), [Para(view.reason) if view.reason else Para(DASH)]),
        (T("Ce qui change", "What changes"), _changes(view, changes)),
        (T("Clauses inchangées", "Clauses that do not change"), [_unchanged(view)]),
        (T("Annexes", "Annexes"), contract_document.annexes(view)),
        (T("Qui signe", "Who signs"), _who(view)),
        (T("Signatures", "Signatures"), contract_document.signatures(view, _parties(view))),
    ]
    blocks: list[Block] = []
    for number, (head, inside) in enumerate(sections, 1):
        blocks += [Heading(f"{number}. {head}"), *inside]
    cover = (
        Facts(
            (
                (str(T("Contrat modifié", "Contract amended")), view.title),
                (str(T("Texte modifié", "Text amended")), _base(view)),
                (str(T("Entre", "Between")), "\n".join(_names(view)) or str(fmt.UNKNOWN)),
                (str(T("Motif", "Reason")), _first_lines(view.reason)),
                *contract_document.state_rows(view),
            )
        ),
        *contract_document.seal(view),
    )
    return Document(
        lang=lang,
        title=title,
        eyebrow=str(view.programme),
        subtitle=view.label or str(T("à « {t} »", "to “{t}”", t=view.title)),
        cover=cover,
        blocks=tuple(blocks),
        running=f"{title} {DASH} {view.title}",
        footer=contract_document.footer(view),
        words={**contract_document.words(lang), "contents": ""},
        dated=view.frozen_on or view.day,
        mark="" if view.frozen else str(T("Projet, révision {n}", "Draft, revision {n}", n=view.rev)),
        simulated=str(contract_document.SIMULATED) if view.simulated else "",
        subject=view.title,
        keywords=tuple(k for k in (view.slug, view.sha256) if k),
    )


DASH = contract_document.DASH


def _first_lines(text: str, most: int = 400) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _base(view: View) -> str:
    name = (
        T("le contrat d'origine", "the original contract")
        if not view.base_number
        else T("l'avenant n° {n}", "amendment no. {n}", n=view.base_number)
    )
    if view.base_on:
        name = T("{t}, en vigueur le {d}", "{t}, in force on {d}", t=name, d=fmt.day(view.base_on))
    return str(doc.capital(name)) + (f"\nSHA-256 {view.base_sha256}" if view.base_sha256 else "")


def _parties(view: View) -> dict[str, Mapping[str, Any]]:
    """The parties of both texts: one that leaves signs too."""
    found = {p["key"]: p for p in (view.base_content or {}).get("parties") or ()}
    return found | {p["key"]: p for p in view.content.get("parties") or ()}


def _names(view: View) -> list[str]:
    return [
        doc.name_of(doc.PARTY, p) + (f", {p['signatory']}" if p.get("signatory") else "")
        for p in _parties(view).values()
    ]


def _changes(view: View, changes: list[doc.Change]) -> list[Block]:
    if not changes:
        return [
            Para(
                str(
                    T(
                        "Rien n'est encore changé : le texte est celui du contrat.",
                        "Nothing is changed yet: the text is that of the contract.",
                    )
                )
            )
        ]
    out: list[Block] = []
    for subject, title in rules.SUBJECTS.items():
        mine = [c for c in changes if c.subject == subject]
        if not mine:
            continue
        rows = tuple(
            Row(
                (
                    (Line(str(doc.capital(c.label))), Line(str(KINDS[c.kind]), "small")),
                    _value(view, c.path, c.old, view.base_content or {}),
                    _value(view, c.path, c.new, view.content, new=True),
                )
            )
            for c in mine
        )
        columns = (
            Column(str(T("Où", "Where")), 3.6),
            Column(str(T("Texte en vigueur", "Text in force")), 4),
            Column(str(T("Nouveau texte", "New text")), 4),
        )
        out.append(Table(f"{doc.capital(title)} ({len(mine)})", columns, rows))
    return out


def _value(view: View, path: str, value: Any, content: Mapping[str, Any], *, new: bool = False) -> Cell:
    """A value as the table shows it; a whole element by its fields."""
    where = doc.place(path)
    if where.whole:
        if value is None:
            return cell(DASH)
        return tuple(_element(where.element, value, content, view))
    said = _written(where, value, content, view)
    return cell(said)


def _written(where: doc.Place, value: Any, content: Mapping[str, Any], view: View) -> str:
    if value in (None, "", [], {}):
        return str(fmt.UNKNOWN)
    kind = where.field.value_kind
    if kind == "day":
        return fmt.day(value)
    if kind == "money":
        return fmt.money(value)
    if kind == "number":
        indicator = doc.get(content, where.element_path) or {}
        return contract_document.figure(value, indicator.get("unit"))
    if kind == "ref":
        return doc.name_of(_kind(where.field.to), doc.get(content, f"{where.field.to}/{value}"))
    if where.path == "territory":
        from jalon.contracts.queries import region_names

        return ", ".join(region_names(value, doc.as_day(content.get("starts_on"))))
    return str(doc.said(where.path, value))


def _kind(name: str) -> doc.Element:
    return next(k for k in doc.KINDS if k.name == name)


def _element(kind: doc.Element, value: Mapping[str, Any], content: Mapping[str, Any], view: View) -> list[Line]:
    """A whole element, a line per field that is known, then what stands below it."""
    lines = [Line(doc.name_of(kind, value), "strong")]
    for field in kind.fields:
        found = value.get(field.name)
        if field.name in ("title", "name", "organisation") or found in (None, "", [], {}, False):
            continue
        where = doc.Place(
            f"{kind.name}/{value.get('key')}/{field.name}", kind, f"{kind.name}/{value.get('key')}", field
        )
        if field.yearly:
            said = " ; ".join(
                f"{year} : {_plain(where, v, content, view, value)}"
                for year, v in sorted(found.items())
                if v is not None
            )
        else:
            said = _plain(where, found, content, view, value)
        lines.append(Line(f"{doc.capital(field.word)} : {said}"))
    for child in kind.children:
        for item in value.get(child.name) or ():
            head = f"{doc.capital(doc.kind_word(child, view.words))} : {doc.name_of(child, item)}"
            lines += [Line(head, "strong"), *_element(child, item, content, view)[1:]]
    return lines


def _plain(where: doc.Place, value: Any, content: Mapping[str, Any], view: View, item: Mapping[str, Any]) -> str:
    if where.field.value_kind == "number":
        return contract_document.figure(value, item.get("unit"))
    if where.field.kind == "choice":
        return str(dict(where.field.choices).get(value, value))
    if where.field.kind == "flag":
        return str(T("oui", "yes") if value else T("non", "no"))
    return (
        _written(where, value, content, view)
        if where.field.kind in ("ref",)
        or where.field.value_kind
        in (
            "day",
            "money",
        )
        else str(value)
    )


def _unchanged(view: View) -> Para:
    return Para(
        str(
            T(
                "Toutes les clauses du contrat qui ne figurent pas au tableau ci-dessus demeurent inchangées et continuent "
                "de lier les parties.",
                "Every clause of the contract that is not in the table above stays unchanged and goes on binding the "
                "parties.",
            )
        )
    )


def _who(view: View) -> list[Block]:
    parties = _parties(view)
    names = [doc.name_of(doc.PARTY, parties.get(key) or {"key": key}) for step in view.steps for key in step]
    out: list[Block] = [
        Para(
            str(
                T("Signent cet avenant : {n}.", "This amendment is signed by: {n}.", n=", ".join(names))
                if names
                else T("Personne ne signe tant que rien ne change.", "Nobody signs while nothing changes.")
            )
        )
    ]
    why = view.why_signers
    if why is not None and names:
        steps = "\n".join(str(s) for s in why.steps)
        reference = f" ({why.reference})" if why.reference else ""
        out.append(Para(f"{why.rule}{reference}" + (f"\n{steps}" if steps else ""), "small"))
    return out
