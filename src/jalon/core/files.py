"""Files handed in: checked, kept under their own SHA-256, served as downloads only."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.models import StoredFile

MAX_BYTES = 25 * 1024 * 1024
"""Largest evidence file or annex; the web server refuses larger bodies before they are read."""

ALLOWED = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".eml": "message/rfc822",
}
"""Kinds of file that may be handed in, by the end of their name, and how they are served."""


_ZIP = b"PK\x03\x04"
_BEGINS = {
    ".docx": (_ZIP,),
    ".odt": (_ZIP,),
    ".xlsx": (_ZIP,),
    ".ods": (_ZIP,),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
}
"""The first bytes of a file of that kind; a PDF says so within its first kilobyte, a text holds no null byte."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def is_of_kind(ending: str, start: bytes) -> bool:
    """Whether the first bytes of a file are those of the kind that its name tells."""
    if ending == ".pdf":
        return b"%PDF-" in start[:1024]
    if ending in _BEGINS:
        return start.startswith(_BEGINS[ending])
    return b"\0" not in start[:8192] or start.startswith(_UTF16)


def path_of(sha: str) -> Path:
    """Where the bytes with this SHA-256 lie."""
    return Path(settings.MEDIA_ROOT) / sha[:2] / sha


def store(
    chunks: Any,
    name: str,
    *,
    case: str,
    by: Any,
    title: str = "",
    at: dt.datetime | None = None,
    simulated: bool = False,
    max_bytes: int = MAX_BYTES,
) -> StoredFile:
    """Keep a file. ``chunks`` is bytes, an uploaded file, or an iterable of bytes.

    Raises:
        Refused: empty, too large, of a kind that is not accepted, or not of the kind that its name tells; nothing is
            kept then.
    """
    name = Path(name.replace("\\", "/")).name[:255] or "fichier"
    ending = Path(name).suffix.lower()
    if ending not in ALLOWED:
        raise Refused(
            T(
                "Le fichier « {name} » est d'un type qui n'est pas accepté ici ; types acceptés : {kinds}.",
                "The file “{name}” is of a kind not accepted here; accepted kinds: {kinds}.",
                name=name,
                kinds=", ".join(sorted(ALLOWED)),
            ),
            kind="input",
        )
    if isinstance(chunks, bytes):
        chunks = [chunks]
    elif hasattr(chunks, "chunks"):
        chunks = chunks.chunks()
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle, temporary = tempfile.mkstemp(dir=root, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                if not size and chunk and not is_of_kind(ending, bytes(chunk[:8192])):
                    raise Refused(
                        T(
                            "Le contenu de « {name} » n'est pas celui d'un fichier {kind} : enregistrez-le dans ce format, "
                            "ou donnez-lui son vrai nom.",
                            "What “{name}” holds is not a {kind} file: save it in that format, or give it its true name.",
                            name=name,
                            kind=ending[1:].upper(),
                        ),
                        kind="input",
                    )
                size += len(chunk)
                if size > max_bytes:
                    raise Refused(
                        T(
                            "Le fichier « {name} » dépasse la taille acceptée de {limit} Mo.",
                            "The file “{name}” is larger than the accepted {limit} MB.",
                            name=name,
                            limit=max_bytes // (1024 * 1024),
                        ),
                        kind="input",
                    )
                digest.update(chunk)
                out.write(chunk)
        if not size:
            raise Refused(
                T(
                    "Le fichier « {name} » est vide.",
                    "The file “{name}” is empty.",
                    name=name,
                ),
                kind="input",
            )
        final = path_of(digest.hexdigest())
        final.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary, final)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return StoredFile.objects.create(
        sha256=digest.hexdigest(),
        name=name,
        size=size,
        content_type=ALLOWED[ending],
        case=case,
        title=title,
        uploaded_at=at or clock.now(),
        uploaded_by_id=by.user_id,
        uploaded_by_label=by.user_label,
        simulated=simulated,
    )
