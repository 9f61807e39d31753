"""Files handed in and not yet accepted: kept for a day beside the stored files, never in the database.

The token that names one is signed for one person and one contract; nobody else can open it.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core import signing

from jalon.core import clock
from jalon.core.canonical import sha256
from jalon.core.errors import Refused
from jalon.core.lang import T
from jalon.core.sheets import MAX_FILE

_SALT = "jalon.contracts.exchange.waiting"
HOURS = 24


@dataclass(frozen=True)
class Waiting:
    """A file that waits for its acceptance."""

    name: str
    sha256: str
    data: bytes


def _folder() -> Path:
    folder = Path(settings.MEDIA_ROOT) / ".exchange"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep(data: bytes, name: str, *, slug: str, user_id: int | None, text: int) -> str:
    """Keep a file for a day; gives the token that finds it again.

    Raises:
        Refused: the file is empty or larger than what is read.
    """
    name = re.sub(r"[\x00-\x1f]", "", Path(name.replace("\\", "/")).name)[:120] or "fichier"
    if not data:
        raise Refused(T("Le fichier « {n} » est vide.", "The file “{n}” is empty.", n=name), kind="input")
    if len(data) > MAX_FILE:
        raise Refused(
            T(
                "Le fichier « {n} » dépasse {limit} Mo.",
                "The file “{n}” is larger than {limit} MB.",
                n=name,
                limit=MAX_FILE // (1024 * 1024),
            ),
            kind="input",
        )
    folder, sha = _folder(), sha256(data)
    _forget_old(folder)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    os.replace(temporary, folder / sha)
    return signing.dumps({"slug": slug, "user": user_id, "name": name, "sha": sha, "text": text}, salt=_SALT)


def _forget_old(folder: Path) -> None:
    limit = clock.real_now().timestamp() - HOURS * 3600
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
        except FileNotFoundError:  # another process was quicker
            continue


def find(token: str, *, slug: str, user_id: int | None) -> tuple[Waiting, int]:
    """The file of a token, and the number of the text that it was handed in for.

    Raises:
        Refused: too old, damaged, or another person's.
    """
    gone = Refused(
        T(
            "Ce fichier n'attend plus (il est gardé {h} heures) : le déposer de nouveau.",
            "This file no longer waits (it is kept {h} hours): hand it in again.",
            h=HOURS,
        ),
        kind="input",
    )
    try:
        told = signing.loads(token, salt=_SALT, max_age=HOURS * 3600)
    except signing.BadSignature:
        raise gone from None
    if told["slug"] != slug or told["user"] != user_id:
        raise gone
    try:
        data = (_folder() / told["sha"]).read_bytes()
    except FileNotFoundError:
        raise gone from None
    return Waiting(told["name"], told["sha"], data), told["text"]
