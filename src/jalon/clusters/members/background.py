"""Long tasks of an import beside the request: own thread, own connection, progress that others can read.

A task that dies leaves its batch in a running state with a heart that no longer beats; nothing of it is written, and
the batch can be taken up again or left (:func:`jalon.clusters.members.actions.resume`).
"""

from __future__ import annotations

import contextvars
import datetime as dt
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections

from jalon.clusters.members import states
from jalon.clusters.models import ImportBatch
from jalon.core.clock import real_now

log = logging.getLogger(__name__)
SILENCE = dt.timedelta(seconds=60)
"""Without a sign of life for this long, a task is taken for dead."""
EVERY = 0.4
"""Seconds between two signs of life, at least."""


def _file(batch_id: int) -> Path:
    return Path(settings.HOME) / f"import-{batch_id}.progress"


class Progress:
    """Says how far a task is: in the batch's row, or beside it while a transaction of SQLite holds the database."""

    def __init__(self, batch_id: int):
        self.batch_id = batch_id
        self._last = 0.0
        self._other: Any = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last < EVERY and done < total:
            return
        self._last = now
        if not connection.in_atomic_block:
            ImportBatch.objects.filter(pk=self.batch_id).update(done=done, total=total, beat_at=real_now())
        elif connection.vendor == "sqlite":
            _file(self.batch_id).write_text(json.dumps([done, total]))
        else:
            if self._other is None:
                self._other = connections.create_connection("default")
            with self._other.cursor() as cursor:
                cursor.execute(
                    "UPDATE clusters_importbatch SET done = %s, total = %s, beat_at = %s WHERE id = %s",
                    [done, total, real_now(), self.batch_id],
                )

    def close(self) -> None:
        if self._other is not None:
            self._other.close()
        _file(self.batch_id).unlink(missing_ok=True)


def start(batch: ImportBatch, work: Callable[[Progress], None]) -> threading.Thread:
    """Run ``work`` in a thread of its own, under the day and language of the request."""
    ImportBatch.objects.filter(pk=batch.pk).update(beat_at=real_now())
    context = contextvars.copy_context()

    def run() -> None:
        progress = Progress(batch.pk)
        try:
            context.run(work, progress)
        except Exception:  # the act has put its batch right; what is left is to tell whoever keeps the server
            log.exception("import %s stopped", batch.pk)
        finally:
            progress.close()
            connections.close_all()

    thread = threading.Thread(target=run, name=f"import-{batch.pk}", daemon=True)
    thread.start()
    return thread


def seen(batch: ImportBatch) -> tuple[int, int]:
    """(done, total) as last said."""
    try:
        done, total = json.loads(_file(batch.pk).read_text())
        return int(done), int(total)
    except (OSError, ValueError):
        return batch.done, batch.total


def is_dead(batch: ImportBatch) -> bool:
    """Whether a running batch has given no sign of life for too long."""
    if not states.STATES[batch.state].running:
        return False
    beats = [batch.beat_at or batch.created_at]
    try:
        beats.append(dt.datetime.fromtimestamp(_file(batch.pk).stat().st_mtime, dt.UTC))
    except OSError:
        pass
    return real_now() - max(beats) > SILENCE
