"""Acts on members: hand in a list, confirm its columns, preview it, accept or leave it; add, correct, close one.

Nothing reaches the register before a list is accepted, and accepting is one transaction: all of it or none. Whoever
accepts second, or after the register has changed, is told so and sees the new verdicts first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from jalon.clusters.members import access, queries, reading, rules, states
from jalon.clusters.models import Cluster, ImportBatch, Membership
from jalon.core import clock, files, sheets
from jalon.core.errors import Conflict, Refused
from jalon.core.journal import record
from jalon.core.lang import T, Text
from jalon.people.access import Actor
from jalon.people.models import Identifier, Organisation, SizeCategory
from jalon.people.rules import name_key

Progress = Callable[[int, int], None]
SLICE = 2000
"""Rows written between two signs of progress."""


def _quiet(done: int, total: int) -> None:
    pass


def _case(cluster: Cluster) -> str:
    return f"cluster:{cluster.slug}"


# --- handing in --------------------------------------------------------------------------------------------------

READ_AT_ONCE = 300_000
"""Files up to this many bytes are read within the request (some thousands of rows)."""
CHECK_AT_ONCE = 500
"""Lists up to this many rows are checked and written within the request."""


def receive(cluster: Cluster, data: bytes, name: str, *, by: Actor, on: dt.date, read: bool = True) -> ImportBatch:
    """Keep a file of members handed in; read it at once unless ``read`` is false (:func:`read_file` does it later).

    Raises:
        Refused: a file that cannot be read safely; nothing is kept then.
    """
    access.may_import(by, cluster, on)
    name = Path(name.replace("\\", "/")).name or "membres.csv"
    book = None
    if read or data[:4] != b"PK\x03\x04":
        book = sheets.read(data, name)
    words = queries.words()
    columns = reading.describe(book, words.fields) if book is not None and read else {}
    with transaction.atomic():
        stored = files.store(
            data,
            name if Path(name).suffix.lower() in files.ALLOWED else f"{name}.{book.kind if book else 'xlsx'}",
            case=_case(cluster),
            by=by,
            title="Liste de membres",
            max_bytes=sheets.MAX_FILE,
        )
        batch = ImportBatch.objects.create(
            cluster=cluster,
            file=stored,
            file_name=name[:255],
            sha256=stored.sha256,
            state="to_confirm" if columns else "reading",
            columns=columns,
            user_id=by.user_id,
            created_at=clock.now(),
            beat_at=clock.real_now(),
        )
    if columns:
        batch.book = book
    return batch


def read_file(batch: ImportBatch, *, progress: Progress = _quiet) -> None:
    """Read the file of a batch and recognise its columns; a file that cannot be read fails with its sentence."""
    progress(0, 0)
    try:
        book = book_of(batch)
        columns = reading.describe(book, queries.words().fields)
    except Refused as refusal:
        _fail(batch, refusal)
        raise
    changed = ImportBatch.objects.filter(pk=batch.pk, state="reading").update(
        columns=columns, state="to_confirm", message=""
    )
    batch.refresh_from_db()
    if changed:
        batch.book = book


def _fail(batch: ImportBatch, refusal: Refused) -> None:
    ImportBatch.objects.filter(pk=batch.pk, state="reading").update(state="failed", message=str(refusal)[:500])
    batch.state, batch.message = "failed", str(refusal)[:500]


def book_of(batch: ImportBatch) -> sheets.Book:
    """The file of a batch, read again unless this process has just read it."""
    kept = getattr(batch, "book", None)
    if kept is not None:
        return kept
    if batch.file is None:
        raise Refused(T("Le fichier de cet import n'est plus là.", "The file of this import is gone."))
    return sheets.read(files.path_of(batch.file.sha256).read_bytes(), batch.file_name)


# --- columns, preview --------------------------------------------------------------------------------------------


def confirm(
    batch: ImportBatch,
    *,
    by: Actor,
    on: dt.date,
    sheet: int | None = None,
    header: int | None = None,
    mapping: dict[int, str] | None = None,
    joined_default: dt.date | None = None,
) -> ImportBatch:
    """Say which sheet, which line of headers (from 0) and what the columns are; the batch is then to be checked.

    Raises:
        Refused: no column names the organisation, or two columns hold the same thing.
    """
    access.may_import(by, batch.cluster, on)
    columns = dict(batch.columns)
    known = queries.words().fields.by_code
    if mapping is None:
        mapping = {int(i): code for i, code in columns["mapping"].items()}
    mapping = {i: code for i, code in mapping.items() if code in known}
    reading.need(mapping)
    columns |= {
        "sheet": columns["sheet"] if sheet is None else sheet,
        "header": columns["header"] if header is None else header,
        "mapping": {str(i): code for i, code in sorted(mapping.items())},
        "joined_default": joined_default.isoformat() if joined_default else None,
        "choices": {},
    }
    if not 0 <= columns["sheet"] < len(columns["sheets"]) or not 0 <= columns["header"] < sheets.MAX_FILE:
        raise Refused(
            T("Cette feuille ou cette ligne n'existe pas.", "That sheet or row does not exist."), kind="input"
        )
    _to_checking(batch, ("to_confirm", "previewed"), columns)
    return batch


def choose(batch: ImportBatch, choices: dict[int, int], *, by: Actor, on: dt.date) -> ImportBatch:
    """Say, for rows whose organisation resembles others, which one it is (0: a new one); to be checked again."""
    access.may_import(by, batch.cluster, on)
    columns = dict(batch.columns)
    columns["choices"] = {
        str(n): int(o) for n, o in {**{int(k): v for k, v in columns["choices"].items()}, **choices}.items()
    }
    _to_checking(batch, ("previewed",), columns)
    return batch


def _to_checking(batch: ImportBatch, sources: Sequence[str], columns: dict[str, Any]) -> None:
    total = columns["sheets"][columns["sheet"]]["rows"]
    changed = ImportBatch.objects.filter(pk=batch.pk, state__in=sources).update(
        state="checking", columns=columns, done=0, total=total, message="", beat_at=clock.real_now()
    )
    if not changed:
        batch.refresh_from_db(fields=["state"])
        raise _wrong_state(batch)
    batch.state, batch.columns, batch.done, batch.total = "checking", columns, 0, total


def _wrong_state(batch: ImportBatch) -> Refused:
    return Refused(
        T(
            "Cet import est dans l'état « {s} » : l'acte demandé n'y est pas possible.",
            "This import is in the state “{s}”: the act asked for is not possible there.",
            s=states.STATES[batch.state].title,
        )
    )


def judged(batch: ImportBatch, *, on: dt.date, progress: Progress = _quiet) -> tuple[list[rules.Line], rules.Register]:
    """Read the rows of a batch and give each its verdict. Reads only."""
    words = queries.words()
    mapping, joined_default, choices = reading.options(batch.columns)
    book = book_of(batch)
    sheet = book.sheets[batch.columns["sheet"]]
    total = len(sheet.rows)
    reader = rules.Reader(words, mapping, on=on, joined_default=joined_default, csv=book.kind == "csv")
    lines = reader.lines(sheet, batch.columns["header"], lambda n: progress(n // 2, total))
    register = queries.register_for(batch.cluster, lines, choices.values())
    judge = rules.Judge(register, words, on=on, columns={code: i for i, code in mapping.items()}, choices=choices)
    judge.judge(lines, lambda n: progress((total + n) // 2, total))
    return lines, register


def preview(batch: ImportBatch, *, on: dt.date, progress: Progress = _quiet) -> list[rules.Line]:
    """Check every row of a confirmed batch and remember the verdicts. Nothing is written to the register."""
    try:
        mark = queries.fingerprint(batch.cluster)
        lines, register = judged(batch, on=on, progress=progress)
        _remember(batch, lines, register, mark, on, "checking")
    except Refused as refusal:
        ImportBatch.objects.filter(pk=batch.pk, state="checking").update(state="to_confirm", message=str(refusal)[:500])
        raise
    return lines


def _remember(
    batch: ImportBatch, lines: list[rules.Line], register: rules.Register, mark: list[Any], on: dt.date, state: str
) -> None:
    rows = reading.remembered(lines, rules.missing_members(lines, register, on))
    counts = rules.counts(lines)
    summary = {
        "counts": counts,
        "missing": len(rows["missing"]),
        "fingerprint": mark,
        "digest": reading.digest(rows),
        "on": on.isoformat(),
    }
    total = batch.columns["sheets"][batch.columns["sheet"]]["rows"]
    changed = ImportBatch.objects.filter(pk=batch.pk, state=state).update(
        rows=rows, summary=summary, state="previewed", done=total, total=total, beat_at=clock.real_now()
    )
    if not changed:
        batch.refresh_from_db(fields=["state"])
        raise _wrong_state(batch)
    batch.rows, batch.summary, batch.state, batch.done, batch.total = rows, summary, "previewed", total, total


# --- accepting ---------------------------------------------------------------------------------------------------


class _Changed(Exception):
    """The register changed since the preview, and with it the verdicts."""

    def __init__(self, lines: list[rules.Line], register: rules.Register, mark: list[Any]):
        super().__init__("changed")
        self.lines, self.register, self.mark = lines, register, mark


def begin_accept(
    batch: ImportBatch,
    *,
    by: Actor,
    on: dt.date,
    leave_errors: bool = False,
    close: Collection[int] = (),
    closed_on: dt.date | None = None,
) -> None:
    """Claim a previewed batch for writing: only one acceptance gets it.

    Args:
        leave_errors: rows in error are left out; without it, a file with errors is refused.
        close: memberships absent from the file (of the preview's list) to be closed.
        closed_on: their last day.

    Raises:
        Refused: rows in error, nothing to write, a closing day missing or impossible, or not the state for it.
    """
    access.may_import(by, batch.cluster, on)
    if batch.state != "previewed":
        raise _wrong_state(batch)
    counts = batch.summary["counts"]
    if counts["error"] and not leave_errors:
        raise Refused(
            T(
                "Lignes en erreur : {n}. Corriger le fichier, ou choisir de les laisser de côté.",
                "Rows in error: {n}. Correct the file, or choose to leave them out.",
                n=counts["error"],
            )
        )
    absent = {row[0] for row in batch.rows["missing"]}
    closing = sorted(set(close) & absent)
    if closing and closed_on is None:
        raise Refused(
            T("Donner le dernier jour des adhésions à clore.", "Give the last day of the memberships to close."),
            kind="input",
        )
    if closing and closed_on and closed_on > on:
        raise Refused(
            T(
                "Le dernier jour des adhésions à clore ne peut pas être à venir.",
                "The last day of the memberships to close cannot be in the future.",
            ),
            kind="input",
        )
    if closing:
        late = (
            Membership.objects.filter(id__in=closing[:5000], joined_on__gt=closed_on)
            .select_related("organisation")
            .first()
        )
        if late:
            raise Refused(
                T(
                    "« {name} » est entré le {day}, après le jour de clôture donné.",
                    "“{name}” joined on {day}, after the closing day given.",
                    name=late.organisation.name,
                    day=late.joined_on.isoformat(),
                ),
                kind="input",
            )
    writes = sum(counts[code] for code in states.WRITES)
    if not writes and not closing:
        raise Refused(
            T(
                "Rien à écrire : aucune ligne ne change le registre.",
                "Nothing to write: no row changes the register.",
            )
        )
    summary = batch.summary | {
        "accepting": {
            "close": closing,
            "closed_on": closed_on.isoformat() if closed_on else None,
            "leave_errors": leave_errors,
        }
    }
    claimed = ImportBatch.objects.filter(pk=batch.pk, state="previewed").update(
        state="accepting", summary=summary, done=0, total=writes + len(closing), message="", beat_at=clock.real_now()
    )
    if not claimed:
        batch.refresh_from_db(fields=["state"])
        raise _wrong_state(batch)
    batch.state, batch.summary, batch.total = "accepting", summary, writes + len(closing)


def finish_accept(
    batch: ImportBatch,
    *,
    by: Actor,
    on: dt.date,
    progress: Progress = _quiet,
    lines: list[rules.Line] | None = None,
) -> ImportBatch:
    """Write a claimed batch: all of it, or nothing.

    Raises:
        Conflict: the register changed meanwhile and the verdicts with it; the new preview is there to be read.
    """
    access.may_import(by, batch.cluster, on)
    try:
        with transaction.atomic():
            _write(batch, by=by, on=on, progress=progress, lines=lines)
    except _Changed as changed:
        was = batch.summary["counts"]
        day = dt.date.fromisoformat(batch.summary["on"])
        _remember(batch, changed.lines, changed.register, changed.mark, day, "accepting")
        raise _conflict(batch, was) from None
    except IntegrityError:
        was = batch.summary["counts"]
        ImportBatch.objects.filter(pk=batch.pk, state="accepting").update(state="checking")
        preview(batch, on=dt.date.fromisoformat(batch.summary["on"]))
        raise _conflict(batch, was) from None
    except BaseException as error:
        note = str(error)[:500] if isinstance(error, Refused) else ""
        ImportBatch.objects.filter(pk=batch.pk, state="accepting").update(state="previewed", message=note)
        raise
    batch.refresh_from_db(fields=["state", "summary", "done", "total", "accepted_at"])
    return batch


def _conflict(batch: ImportBatch, was: dict[str, int]) -> Conflict:
    reason = T(
        "Le registre a changé depuis l'aperçu : rien n'est écrit. Le nouvel aperçu est prêt, à relire avant d'accepter.",
        "The register changed since the preview: nothing is written. The new preview is ready, to be read before accepting.",
    )
    ImportBatch.objects.filter(pk=batch.pk).update(message=str(reason)[:500])
    return Conflict(reason, theirs=batch.summary["counts"], yours=was)


def accept(
    batch: ImportBatch,
    *,
    by: Actor,
    on: dt.date,
    leave_errors: bool = False,
    close: Collection[int] = (),
    closed_on: dt.date | None = None,
    progress: Progress = _quiet,
    lines: list[rules.Line] | None = None,
) -> ImportBatch:
    """Accept a previewed batch (see :func:`begin_accept` and :func:`finish_accept`)."""
    begin_accept(batch, by=by, on=on, leave_errors=leave_errors, close=close, closed_on=closed_on)
    return finish_accept(batch, by=by, on=on, progress=progress, lines=lines)


def _write(batch: ImportBatch, *, by: Actor, on: dt.date, progress: Progress, lines: list[rules.Line] | None) -> None:
    # Acts on the members of one cluster queue up here; SQLite's transaction already holds the whole database.
    cluster = Cluster.objects.select_for_update(no_key=True).get(pk=batch.cluster_id)
    mark = queries.fingerprint(cluster)
    if mark != batch.summary["fingerprint"]:
        again, register = judged(batch, on=dt.date.fromisoformat(batch.summary["on"]))
        rows = reading.remembered(
            again, rules.missing_members(again, register, dt.date.fromisoformat(batch.summary["on"]))
        )
        if reading.digest(rows) != batch.summary["digest"]:
            raise _Changed(again, register, mark)
    if lines is None:
        lines = [reading.unpacked(row) for row in batch.rows["rows"] if row[1] in states.WRITES]
    moment = clock.stamp(on)
    writer = _Writer(cluster, moment=moment, batch=batch, progress=progress, total=batch.total)
    writer.lines([line for line in lines if line.verdict in states.WRITES])
    wanted = batch.summary["accepting"]
    if wanted["close"]:
        writer.close(wanted["close"], dt.date.fromisoformat(wanted["closed_on"]))
    counts = batch.summary["counts"]
    written = {code: counts[code] for code in states.WRITES if counts[code]}
    record(
        _case(cluster),
        "members.imported",
        by=by,
        on=on,
        after={
            "batch": batch.pk,
            "file": batch.file_name,
            "sha256": batch.sha256,
            "rows": counts["total"],
            "written": written,
            "unchanged": counts["unchanged"],
            "left_out": counts["error"],
            "closed": len(wanted["close"]),
            "closed_on": wanted["closed_on"],
        },
    )
    done = ImportBatch.objects.filter(pk=batch.pk, state="accepting").update(
        state="accepted", accepted_at=moment, done=batch.total, beat_at=clock.real_now()
    )
    if not done:
        raise Refused(
            T(
                "Cet import a été repris ailleurs : rien n'est écrit ici.",
                "This import was taken up elsewhere: nothing is written here.",
            )
        )


class _Writer:
    """Writes judged rows of one cluster in bulk; its caller holds the transaction and the cluster's lock."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        moment: dt.datetime,
        batch: ImportBatch | None,
        progress: Progress = _quiet,
        total: int = 0,
    ):
        self.cluster = cluster
        self.moment = moment
        self.batch = batch
        self.progress = progress
        self.total = total
        self.done = 0
        self.firms = queries.words().firms

    def _create(self, model: Any, rows: list[Any], *, counted: bool = False) -> None:
        for start in range(0, len(rows), SLICE):
            part = rows[start : start + SLICE]
            model.objects.bulk_create(part)
            if counted:
                self.done += len(part)
            self.progress(self.done, self.total)

    def lines(self, lines: Sequence[rules.Line]) -> list[Membership]:
        """Write what the verdicts say; returns the memberships made."""
        by_row = self._organisations([line for line in lines if line.verdict == "new_organisation"])
        for line in lines:
            if line.first_row is not None and line.organisation is None:
                line.organisation = by_row[line.first_row]
        self._identifiers(lines)
        made = self._memberships(lines)
        self._sizes([line for line in lines if line.size])
        return made

    def _organisations(self, lines: list[rules.Line]) -> dict[int, int]:
        rows = [
            Organisation(
                name=line.name,
                name_key=name_key(line.name),
                kind=rules.kind_for(line.member_type, line.college, line.ids, self.firms),
                country=line.country,
                city=line.city,
                postcode=line.postcode,
                simulated=line.simulated,
                created_at=self.moment,
            )
            for line in lines
        ]
        self._create(Organisation, rows)
        for line, row in zip(lines, rows, strict=True):
            line.organisation = row.pk
            line.add_ids = line.ids
        return {line.number: row.pk for line, row in zip(lines, rows, strict=True)}

    def _identifiers(self, lines: Sequence[rules.Line]) -> None:
        source = f"import:{self.batch.pk}" if self.batch else ""
        found = {pair: line.organisation for line in lines for pair in line.add_ids}
        rows = [
            Identifier(organisation_id=organisation, scheme=scheme, value=value, source=source)
            for (scheme, value), organisation in found.items()
        ]
        self._create(Identifier, rows)

    def _memberships(self, lines: Sequence[rules.Line]) -> list[Membership]:
        changed = {
            line.membership: line
            for line in lines
            if line.membership is not None and line.verdict in ("type_change", "departure", "correction")
        }
        old = _in_bulk(Membership, changed)
        if len(old) != len(changed) or any(row.superseded_at for row in old.values()):
            raise Refused(T("Une adhésion a changé entre-temps.", "A membership changed meanwhile."), kind="conflict")
        differing = {
            pk: line
            for pk, line in changed.items()
            if (line.member_type, line.college, line.left) != (old[pk].member_type, old[pk].college, old[pk].left_on)
        }
        self._supersede(Membership, differing)
        cluster_id, batch_id = self.cluster.pk, self.batch.pk if self.batch else None
        rows = [
            Membership(
                cluster_id=cluster_id,
                organisation_id=line.organisation,
                member_type=line.member_type,
                college=line.college,
                joined_on=line.joined,
                left_on=line.left,
                batch_id=batch_id,
                recorded_at=self.moment,
                simulated=line.simulated,
            )
            for line in lines
            if line.verdict in ("new_organisation", "new_member")
        ]
        for pk, line in differing.items():
            rows.append(
                _next_version(
                    old[pk],
                    self.moment,
                    self.batch,
                    member_type=line.member_type,
                    college=line.college,
                    left_on=line.left,
                )
            )
        self._create(Membership, rows, counted=True)
        return rows

    def _supersede(self, model: Any, ids: Iterable[int]) -> None:
        every = list(ids)
        for start in range(0, len(every), 5000):
            model.objects.filter(id__in=every[start : start + 5000]).update(superseded_at=self.moment)

    def _sizes(self, lines: Sequence[rules.Line]) -> None:
        seen: dict[tuple[int, dt.date], rules.Line] = {}
        for line in lines:
            seen[line.organisation, line.size[2]] = line
        old = [line.organisation for line in lines if line.verdict != "new_organisation" and line.first_row is None]
        stale = []
        for start in range(0, len(old), 5000):
            rows = SizeCategory.objects.filter(organisation_id__in=old[start : start + 5000], superseded_at=None)
            stale += [pk for pk, org, day in rows.values_list("id", "organisation_id", "on") if (org, day) in seen]
        self._supersede(SizeCategory, stale)
        name = self.batch.file_name if self.batch else ""
        file_id = self.batch.file_id if self.batch else None
        rows = [
            SizeCategory(
                organisation_id=line.organisation,
                category=line.size[0],
                definition=line.size[1],
                on=line.size[2],
                headcount=line.size[3],
                evidence=line.size[4]
                or (f"Liste des membres « {name} », ligne {line.number}"[:300] if name else "Déclaration du pôle"),
                file_id=file_id,
                source=f"import:{self.batch.pk}" if self.batch else "",
                recorded_at=self.moment,
                simulated=line.simulated,
            )
            for line in seen.values()
        ]
        self._create(SizeCategory, rows)

    def close(self, memberships: Collection[int], day: dt.date) -> None:
        """Close memberships absent from the file on ``day``."""
        old = _in_bulk(Membership, memberships)
        live = {pk: row for pk, row in old.items() if row.superseded_at is None and row.cluster_id == self.cluster.pk}
        if len(live) != len(set(memberships)):
            raise Refused(
                T("Une adhésion à clore a changé entre-temps.", "A membership to close changed meanwhile."),
                kind="conflict",
            )
        self._supersede(Membership, live)
        rows = [_next_version(row, self.moment, self.batch, left_on=day) for row in live.values()]
        self._create(Membership, rows, counted=True)


def _in_bulk(model: Any, ids: Collection[int]) -> dict[int, Any]:
    every, found = list(ids), {}
    for start in range(0, len(every), 5000):
        found |= {row.pk: row for row in model.objects.filter(id__in=every[start : start + 5000])}
    return found


def _next_version(old: Membership, moment: dt.datetime, batch: ImportBatch | None, **changes: Any) -> Membership:
    """A new version of a membership; the caller has closed the old one."""
    values = {
        "member_type": old.member_type,
        "college": old.college,
        "joined_on": old.joined_on,
        "left_on": old.left_on,
    } | changes
    return Membership(
        cluster_id=old.cluster_id,
        organisation_id=old.organisation_id,
        batch=batch,
        replaces=old,
        recorded_at=moment,
        simulated=old.simulated,
        **values,
    )


def abandon(batch: ImportBatch, *, by: Actor, on: dt.date) -> None:
    """Leave an import: nothing of it is written, and its rows are forgotten."""
    access.may_import(by, batch.cluster, on)
    changed = (
        ImportBatch.objects.filter(pk=batch.pk)
        .exclude(state__in=("accepted", "abandoned"))
        .update(state="abandoned", rows=[], beat_at=clock.real_now())
    )
    if not changed:
        batch.refresh_from_db(fields=["state"])
        raise _wrong_state(batch)
    batch.state, batch.rows = "abandoned", []


def resume(batch: ImportBatch, *, by: Actor, on: dt.date) -> ImportBatch:
    """Take up an import whose task died: back to where the task began.

    If the task was only slow, it finds its batch taken up and writes nothing.
    """
    from jalon.clusters.members import background

    access.may_import(by, batch.cluster, on)
    if not background.is_dead(batch):
        raise _wrong_state(batch)
    ImportBatch.objects.filter(pk=batch.pk, state=batch.state).update(
        state=states.BEFORE[batch.state], beat_at=clock.real_now(), done=0
    )
    batch.refresh_from_db()
    return batch


def import_rows(
    batch: ImportBatch, *, by: Actor, on: dt.date, accept_it: bool = True, leave_errors: bool = False
) -> ImportBatch:
    """Check a confirmed (or recognised) batch and, if asked, accept it, in one go and without a page."""
    if batch.state == "to_confirm":
        confirm(batch, by=by, on=on)
    lines = preview(batch, on=on)
    writes = sum(batch.summary["counts"][code] for code in states.WRITES)
    if accept_it and writes:
        accept(batch, by=by, on=on, leave_errors=leave_errors, lines=lines)
    return batch


def import_file(
    cluster: Cluster,
    data: bytes,
    name: str,
    *,
    by: Actor,
    on: dt.date,
    accept: bool = True,
    leave_errors: bool = False,
) -> ImportBatch:
    """Read, check, preview and (unless told not to) accept a list of members whose columns are recognised.

    Nothing is accepted when no row changes the register: the batch stays previewed.

    Raises:
        Refused: an unreadable file, columns that name no organisation, or rows in error without ``leave_errors``.
    """
    batch = receive(cluster, data, name, by=by, on=on)
    return import_rows(batch, by=by, on=on, accept_it=accept, leave_errors=leave_errors)


# --- one member --------------------------------------------------------------------------------------------------


class Resembles(Refused):
    """A new member resembles organisations of the register; ``candidates`` are theirs, to be chosen from."""

    def __init__(self, reason: Text, candidates: list[rules.Known]):
        super().__init__(reason)
        self.candidates = candidates


def add_member(
    cluster: Cluster,
    *,
    by: Actor,
    on: dt.date,
    name: str,
    member_type: str,
    joined_on: dt.date,
    left_on: dt.date | None = None,
    college: str = "",
    identifier: str = "",
    country: str = "",
    city: str = "",
    postcode: str = "",
    headcount: int | None = None,
    chosen: int | None = None,
) -> Membership:
    """Add one member under the rules of the lists. ``chosen``: the organisation it is, 0 for a new one.

    Raises:
        Resembles: an organisation of the register may be the same; say which.
        Refused: what is wrong or missing, an overlapping membership named.
    """
    access.may_edit(by, cluster, on)
    words = queries.words()
    cells: dict[str, Any] = {
        "name": name,
        "country": country,
        "postcode": postcode,
        "city": city,
        "type": member_type,
        "college": college,
        "joined_on": joined_on,
        "left_on": left_on,
        "headcount": headcount,
        "identifier": identifier,
    }
    codes = list(cells)
    row = [value if value not in ("", None) else None for value in cells.values()]
    reader = rules.Reader(words, dict(enumerate(codes)), on=on)
    choices = {2: chosen} if chosen is not None else {}
    with transaction.atomic():
        locked = Cluster.objects.select_for_update(no_key=True).get(pk=cluster.pk)
        lines = reader.lines(sheets.Sheet("", [list(codes), row]), 0)
        if not lines:
            raise Refused(T("Rien n'est saisi.", "Nothing was typed."), kind="input")
        line = lines[0]
        register = queries.register_for(cluster, lines, choices.values())
        rules.Judge(register, words, on=on, columns={c: i for i, c in enumerate(codes)}, choices=choices).judge(lines)
        if line.candidates and chosen is None:
            raise Resembles(
                T(
                    "Le registre a des organismes qui lui ressemblent : dire lequel c'est, ou qu'il est nouveau.",
                    "The register has organisations that resemble it: say which one it is, or that it is new.",
                ),
                [register.organisations[i] for i in line.candidates],
            )
        if line.in_error:
            raise Refused(
                T("L'adhésion n'est pas enregistrée.", "The membership is not recorded."),
                missing=[said(m) for m in line.messages if m.level == rules.ERROR],
                kind="input",
            )
        if line.verdict not in ("new_member", "new_organisation"):
            raise Refused(
                T(
                    "« {name} » est déjà membre depuis le {day} ; corriger son adhésion plutôt qu'en ajouter une.",
                    "“{name}” has been a member since {day}; correct its membership rather than add one.",
                    name=register.organisations[line.organisation].name if line.organisation else name,
                    day=line.joined.isoformat() if line.joined else "",
                ),
                kind="input",
            )
        made = _Writer(locked, moment=clock.stamp(on), batch=None).lines(lines)[0]
        record(
            _case(cluster),
            "member.added",
            by=by,
            on=on,
            after={"membership": made.pk, "organisation": made.organisation_id, **_values(made)},
        )
    return made


def said(message: rules.Message) -> Text:
    """A message without its cell, for a form."""
    text = rules.Message(message.code, None, message.args).sentence(0)
    return Text(
        text.in_language("fr").split(" : ", 1)[-1].replace("{", "{{"), text.in_language("en").split(": ", 1)[-1]
    )


def _values(row: Membership) -> dict[str, Any]:
    return {
        "type": row.member_type,
        "college": row.college,
        "joined_on": row.joined_on,
        "left_on": row.left_on,
    }


def correct(
    membership: Membership,
    *,
    by: Actor,
    on: dt.date,
    why: str,
    member_type: str,
    college: str,
    joined_on: dt.date,
    left_on: dt.date | None,
) -> Membership:
    """Correct one membership: the old version stays readable, a new one takes its place.

    Raises:
        Refused: no reason, an unknown type, a period that overlaps another one of the same organisation (named).
        Conflict: somebody corrected it meanwhile.
    """
    access.may_edit(by, membership.cluster, on)
    missing = []
    if not why.strip():
        missing.append(T("le motif de la correction", "the reason of the correction"))
    words = queries.words()
    if member_type not in words.types.values():
        missing.append(T("un type de la politique", "a type of the policy"))
    if college and college not in words.colleges.values():
        missing.append(T("un collège de la politique", "a college of the policy"))
    if left_on and left_on < joined_on:
        missing.append(
            T("une date de sortie qui ne précède pas l'entrée", "an exit date that does not precede the entry")
        )
    if missing:
        raise Refused(
            T("La correction n'est pas enregistrée.", "The correction is not recorded."), missing=missing, kind="input"
        )
    with transaction.atomic():
        old = _current(membership)
        values = {"member_type": member_type, "college": college, "joined_on": joined_on, "left_on": left_on}
        if all(getattr(old, name) == value for name, value in values.items()):
            raise Refused(T("Rien n'a changé.", "Nothing changed."), kind="input")
        _refuse_overlap(old, joined_on, left_on)
        return _replace(old, by=by, on=on, act="member.corrected", why=why, **values)


def leave(membership: Membership, *, by: Actor, on: dt.date, left_on: dt.date, why: str = "") -> Membership:
    """Record a departure: ``left_on`` is the last day of the membership."""
    access.may_edit(by, membership.cluster, on)
    with transaction.atomic():
        old = _current(membership)
        if left_on < old.joined_on:
            raise Refused(
                T(
                    "Le départ ({left}) précède l'entrée ({joined}).",
                    "The departure ({left}) precedes the entry ({joined}).",
                    left=left_on.isoformat(),
                    joined=old.joined_on.isoformat(),
                ),
                kind="input",
            )
        _refuse_overlap(old, old.joined_on, left_on)
        return _replace(old, by=by, on=on, act="member.left", why=why, left_on=left_on)


def change_type(
    membership: Membership, *, by: Actor, on: dt.date, member_type: str, college: str, from_day: dt.date, why: str = ""
) -> Membership:
    """A member changes type (or college) on a day: its membership ends the day before and another begins.

    What it was before that day keeps counting under the old type.
    """
    access.may_edit(by, membership.cluster, on)
    words = queries.words()
    if member_type not in words.types.values() or (college and college not in words.colleges.values()):
        raise Refused(
            T("Type ou collège inconnu de la politique.", "Type or college unknown to the policy."), kind="input"
        )
    with transaction.atomic():
        old = _current(membership)
        if from_day <= old.joined_on or (old.left_on and from_day > old.left_on):
            raise Refused(
                T(
                    "Le jour du changement doit être après l'entrée ({joined}) et dans l'adhésion ; pour toute la période, corriger l'adhésion.",
                    "The day of the change must be after the entry ({joined}) and within the membership; for the whole period, correct the membership.",
                    joined=old.joined_on.isoformat(),
                ),
                kind="input",
            )
        if (member_type, college) == (old.member_type, old.college):
            raise Refused(T("Rien n'a changé.", "Nothing changed."), kind="input")
        end = old.left_on
        _replace(old, by=by, on=on, act="member.type_ended", why=why, left_on=from_day - dt.timedelta(days=1))
        made = Membership.objects.create(
            cluster=old.cluster,
            organisation_id=old.organisation_id,
            member_type=member_type,
            college=college,
            joined_on=from_day,
            left_on=end,
            recorded_at=clock.stamp(on),
            simulated=old.simulated,
        )
        record(
            _case(old.cluster),
            "member.type_changed",
            by=by,
            on=on,
            why=why,
            before={"membership": old.pk, "type": old.member_type, "college": old.college},
            after={"membership": made.pk, "organisation": made.organisation_id, **_values(made)},
        )
    return made


def _current(membership: Membership) -> Membership:
    """The membership, locked with its cluster, if it is still the current version."""
    Cluster.objects.select_for_update(no_key=True).get(pk=membership.cluster_id)
    old = Membership.objects.select_related("cluster", "organisation").get(pk=membership.pk)
    if old.superseded_at is not None:
        newer = Membership.objects.filter(replaces=old).first()
        raise Conflict(
            T(
                "Cette adhésion a été corrigée entre-temps ; relire sa version actuelle avant de la changer.",
                "This membership was corrected meanwhile; read its current version before changing it.",
            ),
            theirs={k: str(v) for k, v in _values(newer).items()} if newer else {},
            yours={k: str(v) for k, v in _values(old).items()},
        )
    return old


def _refuse_overlap(old: Membership, joined_on: dt.date, left_on: dt.date | None) -> None:
    others = Membership.objects.filter(
        cluster_id=old.cluster_id, organisation_id=old.organisation_id, superseded_at=None
    ).exclude(pk=old.pk)
    for other in others:
        if rules.overlap(joined_on, left_on, other.joined_on, other.left_on):
            raise Refused(
                T(
                    "L'adhésion {new} recouvrirait une autre adhésion de « {name} », {old}.",
                    "The membership {new} would overlap another membership of “{name}”, {old}.",
                    name=old.organisation.name,
                    new=rules.period_text(joined_on, left_on),
                    old=rules.period_text(other.joined_on, other.left_on),
                ),
                kind="input",
            )


def _replace(old: Membership, *, by: Actor, on: dt.date, act: str, why: str, **changes: Any) -> Membership:
    moment = clock.stamp(on)
    Membership.objects.filter(pk=old.pk).update(superseded_at=moment)
    made = _next_version(old, moment, None, **changes)
    made.save(force_insert=True)
    record(
        _case(old.cluster),
        act,
        by=by,
        on=on,
        why=why,
        before={"membership": old.pk, **_values(old)},
        after={"membership": made.pk, "organisation": made.organisation_id, **_values(made)},
    )
    return made
