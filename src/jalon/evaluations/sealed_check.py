"""Whether a sealed file of a hearing is whole and unaltered: read from the file alone, without database, settings or network.

Every fault names the first thing that does not fit, in the order in which a reader would look: the archive, its manifest, its
members, the frozen texts, the documents, then the acts one after the other.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from jalon.core.canonical import canonical, sha256
from jalon.core.lang import T, Text

LARGEST = 1024**3
"""Bytes that one member may have once unpacked; more is refused unread."""


def check(data: bytes, *, expected: str = "") -> list[Text]:
    """What does not fit; empty when every hash and the chain of acts are right.

    Args:
        data: the ZIP.
        expected: the SHA-256 of the manifest as it was noted elsewhere (the file's name bears its first characters), when known.
    """
    try:
        zipped = zipfile.ZipFile(io.BytesIO(data))
        told = _json(zipped, "manifest.json")
        listed = {str(m["name"]): str(m["sha256"]) for m in told["members"]}
        case, documents = str(told["case"]), list(told["documents"])
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, NotImplementedError, RuntimeError):
        return [T("ce n'est pas un dossier scellé", "this is no sealed file")]
    found: list[Text] = []
    manifest = sha256(zipped.read("manifest.json"))
    if expected and not manifest.startswith(expected.lower()):
        found.append(
            T(
                "le sommaire a pour empreinte {a}, {b} était attendu",
                "the manifest has the hash {a}, {b} was expected",
                a=manifest,
                b=expected,
            )
        )
    read: dict[str, bytes] = {}
    found += _members(zipped, listed, read)
    found += _texts(case, read)
    found += _documents(documents, read)
    found += _acts(case, read)
    return found


def manifest_hash(data: bytes) -> str:
    """The SHA-256 of the manifest, which stands for the whole file."""
    return sha256(zipfile.ZipFile(io.BytesIO(data)).read("manifest.json"))


def _json(zipped: zipfile.ZipFile, name: str) -> Any:
    if zipped.getinfo(name).file_size > LARGEST:
        raise ValueError(name)
    return json.loads(zipped.read(name))


def _members(zipped: zipfile.ZipFile, listed: dict[str, str], read: dict[str, bytes]) -> Iterator[Text]:
    """Members against the manifest; what is right is kept in ``read``."""
    names = [i.filename for i in zipped.infolist()]
    there = set(names) - {"manifest.json"}
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield T("{n} figure deux fois", "{n} stands twice", n=name)
    for name in sorted(listed.keys() - there):
        yield T("{n} manque", "{n} is missing", n=name)
    for name in sorted(there - listed.keys()):
        yield T("{n} n'est pas au sommaire", "{n} is not in the manifest", n=name)
    for name in sorted(there & listed.keys()):
        try:
            if zipped.getinfo(name).file_size > LARGEST:
                raise ValueError(name)
            content = zipped.read(name)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError):
            yield T("{n} ne se lit pas", "{n} cannot be read", n=name)
            continue
        if sha256(content) != listed[name]:
            yield T("{n} a été changé", "{n} was changed", n=name)
        read[name] = content


def _texts(case: str, read: dict[str, bytes]) -> Iterator[Text]:
    """A frozen text bears the start of its own hash in its name, and the case it is of."""
    for name in sorted(n for n in read if n.startswith("textes/")):
        mark = name.removesuffix(".json").rpartition("-")[2]
        if not sha256(read[name]).startswith(mark) or len(mark) != 12:
            yield T("{n} n'a pas l'empreinte que son nom annonce", "{n} has not the hash that its name tells", n=name)
            continue
        try:
            owner = json.loads(read[name]).get("case")
        except (ValueError, AttributeError):
            owner = None
        if owner != case:
            yield T("{n} est d'un autre dossier ({c})", "{n} is of another file ({c})", n=name, c=owner or "–")


def _documents(documents: list[dict[str, Any]], read: dict[str, bytes]) -> Iterator[Text]:
    """A document is named by its hash, and each that the manifest lists is there."""
    for name in sorted(n for n in read if n.startswith("pieces/")):
        if sha256(read[name]) != name.removeprefix("pieces/"):
            yield T("{n} n'a pas l'empreinte que son nom annonce", "{n} has not the hash that its name tells", n=name)
    for row in documents:
        if f"pieces/{row.get('sha256')}" not in read:
            yield T(
                "la pièce « {n} » jointe au constat {f} manque",
                "the document “{n}” joined to finding {f} is missing",
                n=row.get("name") or "–",
                f=row.get("finding") or "–",
            )


def _acts(case: str, read: dict[str, bytes]) -> Iterator[Text]:
    """Each act gives its own hash again, follows the one before, and what it froze is in the file."""
    try:
        told = json.loads(read["journal.json"])
        acts = [dict(a) for a in told["acts"]]
        numbers = [int(a["seq"]) for a in acts]
    except (KeyError, TypeError, ValueError):
        yield T("journal.json ne se lit pas", "journal.json cannot be read")
        return
    if told.get("case") != case:
        yield T("journal.json est d'un autre dossier ({c})", "journal.json is of another file ({c})", c=told.get("case") or "–")  # fmt: skip
    hashes = {sha256(content) for name, content in read.items() if name.startswith("textes/")}
    before = ""
    for place, act in enumerate(acts, 1):
        kept = act.pop("hash", "")
        if numbers[place - 1] != place:
            yield T("l'acte {n} manque au journal", "act {n} is missing from the journal", n=place)
            return
        if act.get("prev") != before:
            yield T("l'acte {n} ne suit pas le précédent", "act {n} does not follow the one before", n=place)
        try:
            fits = sha256(canonical(act)) == kept
        except TypeError:
            fits = False
        if not fits:
            yield T("l'acte {n} ({a}) a été changé", "act {n} ({a}) was changed", n=place, a=act.get("act") or "–")
        frozen = act["after"].get("sha256") if isinstance(act.get("after"), dict) else None
        if frozen and frozen not in hashes:
            yield T("le texte figé par l'acte {n} ({h}…) manque", "the text frozen by act {n} ({h}…) is missing", n=place, h=str(frozen)[:12])  # fmt: skip
        before = kept
    if not acts:
        yield T("journal.json ne contient aucun acte", "journal.json holds no act")
