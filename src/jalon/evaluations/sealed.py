"""The sealed file of a hearing (*dossier scellé*): every frozen text, every document, the journal's extract, with their hashes.

A judge, or anybody handed the file, checks it without the database: ``manifest.json`` lists the SHA-256 of each member, each frozen
text is its canonical form as it was hashed, and each act of the journal stands as it was hashed, with the hash of the one before
(:mod:`jalon.evaluations.sealed_check`, ``jalon verify sealed``).
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from jalon.core.canonical import canonical, plain, sha256
from jalon.core.files import path_of
from jalon.core.journal import hashed
from jalon.core.models import FrozenText, JournalEntry
from jalon.evaluations.hearing_actions import about
from jalon.evaluations.models import Hearing, Reply
from jalon.evaluations.queries import case_of_hearing

NOTE = """Dossier scellé d'une procédure contradictoire / Sealed file of a contradictory procedure

manifest.json : chaque pièce et son SHA-256 / each piece and its SHA-256 (sha256sum)
textes/       : textes figés, sous leur forme canonique / frozen texts in canonical form
pieces/       : documents remis, nommés par leur SHA-256 / documents handed in, named by their SHA-256
journal.json  : les actes, enchaînés par leurs empreintes / the acts, chained by their hashes

Vérifier le tout / check the whole : jalon verify sealed FICHIER.zip
"""
_DATE = (1980, 1, 1, 0, 0, 0)
"""Members carry one fixed moment, so that the same file twice is the same bytes."""


def pieces(hearing: Hearing) -> dict[str, bytes]:
    """Every member of the sealed file but its manifest, by name."""
    case = case_of_hearing(hearing)
    found: dict[str, bytes] = {"LISEZMOI.txt": NOTE.encode()}
    for text in FrozenText.objects.filter(case=case).order_by("id"):
        found[f"textes/{text.kind}-{text.sha256[:12]}.json"] = text.canonical.encode()
    replies = Reply.objects.filter(finding__hearing=hearing, state="sent").prefetch_related("files")
    for reply in replies.order_by("id"):
        for file in reply.files.all():
            place = path_of(file.sha256)
            if place.exists():
                found[f"pieces/{file.sha256}"] = place.read_bytes()
    acts = [{**plain(hashed(e)), "hash": e.hash} for e in JournalEntry.objects.filter(case=case).order_by("seq")]
    found["journal.json"] = (json.dumps({"case": case, "acts": acts}, ensure_ascii=False, indent=1) + "\n").encode()
    return found


def manifest(hearing: Hearing, members: dict[str, bytes]) -> dict[str, Any]:
    names = Reply.objects.filter(finding__hearing=hearing, state="sent").values_list("files__sha256", "files__name", "finding__number")  # fmt: skip
    return {
        "about": {"fr": about(hearing).in_language("fr"), "en": about(hearing).in_language("en")},
        "cluster": hearing.cluster.slug,
        "case": case_of_hearing(hearing),
        "state": hearing.state,
        "closed_on": hearing.closed_on,
        "simulated": hearing.simulated,
        "documents": [
            {"sha256": sha, "name": name, "finding": number}
            for sha, name, number in sorted((r for r in names if r[0]), key=lambda r: (r[2], r[1]))
        ],
        "members": [{"name": name, "sha256": sha256(data)} for name, data in sorted(members.items())],
    }


def archive(hearing: Hearing) -> tuple[bytes, str]:
    """The ZIP and the SHA-256 of its manifest, which stands for the whole."""
    members = pieces(hearing)
    told = canonical(manifest(hearing, members)).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in [*sorted(members.items()), ("manifest.json", told)]:
            zipped.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return out.getvalue(), sha256(told)
