"""A contract's document as a YAML file, for those who keep texts under version control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from jalon.contracts import content as doc
from jalon.contracts.content import CONTRACT, Element
from jalon.contracts.exchange.workbook import CellFault, Returned, pack, says_the_same, unpack
from jalon.core.errors import Refused
from jalon.core.lang import T

MAX_BYTES = 5 * 1024 * 1024


class _Dumper(yaml.SafeDumper):
    """Block text for what runs over lines; nothing for what is unknown."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.Node:
    style = "|" if "\n" in data else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))


def write(content: Mapping[str, Any], *, slug: str, text_number: int, rev: int, simulated: bool) -> bytes:
    """The YAML file of a contract's document, as bytes."""
    signature, packed = pack(content, slug, text_number, rev)
    head = T(
        "# Contrat {slug}, texte n° {n}. Une valeur vide veut dire « inconnu ». Un élément sans clé (key) est nouveau.\n"
        "# La partie « jalon » à la fin dit de quel texte ce fichier est parti : la garder.\n",
        "# Contract {slug}, text no. {n}. An empty value means “unknown”. An element without a key is new.\n"
        "# The part “jalon” at the end tells from which text this file started: keep it.\n",
        slug=slug,
        n=text_number,
    )
    body = {"contract": slug, **({"simulated": True} if simulated else {}), **doc.tidied(content)}
    tail = {"jalon": {"text": text_number, "rev": rev, "signature": signature, "origin": packed}}
    options: dict[str, Any] = {"Dumper": _Dumper, "allow_unicode": True, "sort_keys": False, "width": 110}
    return (str(head) + yaml.dump(body, **options) + "\n" + yaml.dump(tail, **options)).encode("utf-8")


def read_yaml(data: bytes, name: str, current: Mapping[str, Any]) -> Returned:
    """What a YAML file says of the contract; parts that are absent from it are left as they are.

    Raises:
        Refused: the file is not YAML, or not the document of a contract; the line is named.
    """
    if len(data) > MAX_BYTES:
        raise Refused(
            T(
                "« {name} » dépasse {limit} Mo.",
                "“{name}” is larger than {limit} MB.",
                name=name,
                limit=MAX_BYTES // (1024 * 1024),
            ),
            kind="input",
        )
    try:
        text = data.decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
            raise Refused(
                T(
                    "« {name} » contient des renvois YAML (*), non lus.",
                    "“{name}” has YAML aliases (*), not read.",
                    name=name,
                ),
                kind="input",
            )
        told = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: TID251, S506 - the base loader makes texts, lists and mappings only
    except UnicodeDecodeError as error:
        raise Refused(
            T("« {name} » n'est pas en UTF-8.", "“{name}” is not in UTF-8.", name=name), kind="input"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else data[: getattr(error, "position", 0)].count(b"\n") + 1
        raise Refused(
            T(
                "« {name} », ligne {line} : ce n'est pas du YAML ({problem}).",
                "“{name}”, line {line}: this is not YAML ({problem}).",
                name=name,
                line=line,
                problem=getattr(error, "problem", None) or getattr(error, "reason", ""),
            ),
            kind="input",
        ) from error
    if not isinstance(told, dict) or not set(told) & {f.name for f in CONTRACT.fields + CONTRACT.children}:
        raise Refused(
            T(
                "« {name} » n'est pas le document d'un contrat : aucune de ses parties n'est reconnue.",
                "“{name}” is not the document of a contract: none of its parts is recognised.",
                name=name,
            ),
            kind="input",
        )
    mark = told.pop("jalon", None) or {}
    origin = unpack(str(mark.get("signature")), str(mark.get("origin"))) if isinstance(mark, dict) else None
    base = origin.content if origin else doc.tidied(current)
    reading = _Reading(base)
    content = reading.element(CONTRACT, told, base, "", ignored={"contract", "simulated"})
    return Returned(doc.tidied(content), origin, reading.faults)


class _Reading:
    """Reads one file; gathers every fault before anything is said."""

    def __init__(self, base: Mapping[str, Any]):
        self.base = base
        self.faults: list[CellFault] = []
        self.given = {item["key"] for _, _, item in doc.elements(base)}

    def fault(self, path: str, message: Any) -> None:
        self.faults.append(CellFault(path, message))

    def element(
        self,
        kind: Element,
        told: Any,
        before: Mapping[str, Any],
        at: str,
        ignored: frozenset[str] | set[str] = frozenset(),
    ) -> dict[str, Any]:
        out: dict[str, Any] = dict(before)
        if not isinstance(told, dict):
            self.fault(at, T("un élément avec ses champs est attendu", "an element with its fields is expected"))
            return out
        known = {f.name for f in kind.fields} | {c.name for c in kind.children} | {"key"} | ignored
        for name in told:
            if name not in known:
                self.fault(f"{at}/{name}".lstrip("/"), T("un champ inconnu", "an unknown field"))
        for field in kind.fields:
            if field.name not in told:
                continue
            path, raw = f"{at}/{field.name}".lstrip("/"), told[field.name]
            if field.yearly:
                out[field.name] = self.series(field, path, raw, before.get(field.name) or {})
            else:
                out[field.name] = self.value(field, path, raw, before.get(field.name))
        for child in kind.children:
            if child.name in told:
                out[child.name] = self.children(
                    child, told[child.name], before.get(child.name) or [], f"{at}/{child.name}".lstrip("/")
                )
        return out

    def series(self, field: Any, path: str, raw: Any, before: Mapping[str, Any]) -> dict[str, Any]:
        if raw in ("", None):
            return {}
        if not isinstance(raw, dict):
            self.fault(path, T("une valeur par année est attendue", "one value per year is expected"))
            return dict(before)
        return {str(y): self.value(field, f"{path}/{y}", v, before.get(str(y))) for y, v in raw.items()}

    def value(self, field: Any, path: str, raw: Any, before: Any) -> Any:
        try:
            value = doc.parse(path, raw if raw != "" else None, None, self.base)
        except Refused as refusal:
            self.fault(path, refusal.reason)
            return before
        return before if says_the_same(field, path, before, value) else value

    def children(self, kind: Element, told: Any, before: Any, at: str) -> list[dict[str, Any]]:
        if told in ("", None):
            return []
        if not isinstance(told, list):
            self.fault(at, T("une liste est attendue", "a list is expected"))
            return list(before)
        known = {item["key"]: item for item in before}
        out, seen, doubtful = [], set(), False
        for item in told:
            key = str(item.get("key") or "") if isinstance(item, dict) else ""
            if key and (key in seen or key not in known):
                doubtful = True
                self.fault(
                    f"{at}/{key}",
                    T(
                        "clé en double ou inconnue ; sans clé, l'élément est nouveau",
                        "duplicate or unknown key; without a key the element is new",
                    ),
                )
                continue
            if not key:
                key = self.new_key(kind)
            seen.add(key)
            out.append({**self.element(kind, item, known.get(key, {}), f"{at}/{key}"), "key": key})
        if doubtful:  # a key that cannot be read may be that of an element that seems to be gone
            out += [dict(item) for key, item in known.items() if key not in seen]
        return out

    def new_key(self, kind: Element) -> str:
        taken = [k[len(kind.letter) :] for k in self.given if k.startswith(kind.letter)]
        key = f"{kind.letter}{1 + max((int(n) for n in taken if n.isdigit()), default=0)}"
        self.given.add(key)
        return key
