"""The journal (*journal des actes*): one row per act, chained by hash, one chain per case.

A chain proves that no row was changed, removed from the middle or inserted; the table of heads that
none was cut off the end; the daily root ties all chains of a day together and can be published, so
that even whoever holds the database cannot rewrite the past unseen.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from jalon.core import clock
from jalon.core.canonical import canonical, plain, sha256
from jalon.core.models import (
    DailyRoot,
    FrozenText,
    JournalEntry,
    JournalHead,
    StoredFile,
)


@dataclass(frozen=True)
class Who:
    """Who acts, as the journal keeps it; :class:`jalon.people.access.Actor` has the same attributes."""

    user_id: int | None = None
    user_label: str = "Jalon"
    organisation_id: int | None = None
    organisation_label: str = ""
    role: str = "system"


SYSTEM = Who()


def hashed(entry: JournalEntry) -> dict[str, Any]:
    """What the hash of an entry covers: all that it says, and the hash of the one before."""
    return {
        "case": entry.case,
        "seq": entry.seq,
        "act": entry.act,
        "on": entry.on,
        "at": entry.at,
        "stamped_at": entry.stamped_at,
        "user_id": entry.user_id,
        "user": entry.user_label,
        "organisation_id": entry.organisation_id,
        "organisation": entry.organisation_label,
        "role": entry.role,
        "why": entry.why,
        "before": entry.before,
        "after": entry.after,
        "prev": entry.prev_hash,
    }


def entry_hash(entry: JournalEntry) -> str:
    """The hash of an entry: SHA-256 of the canonical form of all that it says, previous hash included."""
    return sha256(canonical(hashed(entry)))


def record(
    case: str,
    act: str,
    *,
    by: Any = SYSTEM,
    on: dt.date,
    before: Any = None,
    after: Any = None,
    why: str = "",
    at: dt.datetime | None = None,
) -> JournalEntry:
    """Write one act at the end of the chain of ``case``; must run inside the act's transaction.

    ``by`` has ``user_id``, ``user_label``, ``organisation_id``, ``organisation_label`` and ``role``.
    ``before`` and ``after`` are plain values (dates and decimals are written out).
    ``at`` defaults to the clock's now; a loader of past records gives the moment itself.
    """
    with transaction.atomic():
        JournalHead.objects.get_or_create(case=case)
        head = JournalHead.objects.select_for_update().get(case=case)
        entry = JournalEntry(
            case=case,
            seq=head.seq + 1,
            act=act,
            on=on,
            at=at or clock.now(),
            stamped_at=clock.real_now(),
            user_id=by.user_id,
            user_label=(by.user_label or "")[:200],
            organisation_id=by.organisation_id,
            organisation_label=(by.organisation_label or "")[:200],
            role=by.role or "",
            why=why or "",
            before=plain(before),
            after=plain(after),
            prev_hash=head.hash,
        )
        entry.hash = entry_hash(entry)
        entry.save(force_insert=True)
        head.seq, head.hash = entry.seq, entry.hash
        head.save(update_fields=["seq", "hash"])
        return entry


def record_many(rows: Iterable[dict[str, Any]]) -> int:
    """Write many acts at once (loading a register); each is a mapping of :func:`record`'s arguments.

    One query per thousand rows. Chains are extended in the order given. Returns the number written.
    """
    rows = list(rows)
    with transaction.atomic():
        cases = sorted({row["case"] for row in rows})
        JournalHead.objects.bulk_create(
            [JournalHead(case=case) for case in cases],
            ignore_conflicts=True,
            batch_size=500,
        )
        heads: dict[str, JournalHead] = {}
        for start in range(0, len(cases), 500):
            chunk = cases[start : start + 500]
            heads |= {h.case: h for h in JournalHead.objects.select_for_update().filter(case__in=chunk)}
        stamped = clock.real_now()
        entries = []
        for row in rows:
            head = heads[row["case"]]
            by = row.get("by", SYSTEM)
            entry = JournalEntry(
                case=row["case"],
                seq=head.seq + 1,
                act=row["act"],
                on=row["on"],
                at=row.get("at") or clock.now(),
                stamped_at=stamped,
                user_id=by.user_id,
                user_label=(by.user_label or "")[:200],
                organisation_id=by.organisation_id,
                organisation_label=(by.organisation_label or "")[:200],
                role=by.role or "",
                why=row.get("why", ""),
                before=plain(row.get("before")),
                after=plain(row.get("after")),
                prev_hash=head.hash,
            )
            entry.hash = entry_hash(entry)
            head.seq, head.hash = entry.seq, entry.hash
            entries.append(entry)
        JournalEntry.objects.bulk_create(entries, batch_size=500)
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:  # one statement run for each chain: a third of what bulk_update costs
            cursor.executemany(
                f"UPDATE {quote(JournalHead._meta.db_table)} SET {quote('seq')} = %s, {quote('hash')} = %s "
                f"WHERE {quote('case')} = %s",
                [(head.seq, head.hash, head.case) for head in heads.values()],
            )
    return len(entries)


def freeze(case: str, kind: str, content: Any, *, at: dt.datetime | None = None) -> FrozenText:
    """Freeze ``content`` whole: canonical form and SHA-256, never changed afterwards."""
    from jalon.core.canonical import FORM

    text = canonical({"form": FORM, "case": case, "kind": kind, "content": content})
    frozen = FrozenText(
        case=case,
        kind=kind,
        form=FORM,
        canonical=text,
        sha256=sha256(text),
        frozen_at=at or clock.now(),
    )
    frozen.save(force_insert=True)
    return frozen


def root_of(
    heads: Iterable[tuple[str, int, str]],
    prev_root: str,
    day: dt.date | None = None,
    made_at: dt.datetime | None = None,
) -> str:
    """The root over the heads ``(case, seq, hash)`` of all chains, chained to the previous root.

    It covers the day that it closes and the moment it was made. Roots of installations older than this cover neither: their
    formula is that without ``day``, and one made with it can never pass for the other.
    """
    covered: dict[str, Any] = {"prev": prev_root, "heads": sorted(list(h) for h in heads)}
    if day is not None:
        covered |= {"day": day, "made_at": made_at}
    return sha256(canonical(covered))


def close_day(day: dt.date) -> DailyRoot | None:
    """Write the daily root over all chains (nightly tick); None when no act came since the last."""
    with transaction.atomic():
        last = DailyRoot.objects.order_by("-id").first()
        newest = JournalEntry.objects.order_by("-id").values_list("id", flat=True).first()
        if newest is None or (last and last.last_entry_id >= newest):
            return None
        heads = _heads_up_to(newest)
        prev = last.root if last else ""
        made_at = clock.real_now()
        root = DailyRoot(
            day=day,
            last_entry_id=newest,
            entries=sum(seq for _, seq, _ in heads),
            prev_root=prev,
            root=root_of(heads, prev, day, made_at),
            made_at=made_at,
        )
        root.save(force_insert=True)
        return root


def _heads_up_to(entry_id: int) -> list[tuple[str, int, str]]:
    """Heads of all chains as they stood when ``entry_id`` was the newest entry."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT e."case", e.seq, e.hash FROM core_journalentry e JOIN '
            '(SELECT "case" AS c, MAX(seq) AS s FROM core_journalentry WHERE id <= %s GROUP BY "case") h '
            'ON e."case" = h.c AND e.seq = h.s',
            [entry_id],
        )
        return [tuple(row) for row in cursor.fetchall()]


def _counted(entry_id: int) -> tuple[int, int]:
    """How many acts there are up to an entry, and its number (the last one before it when it is missing)."""
    rows = JournalEntry.objects.filter(id__lte=entry_id)
    return rows.count(), rows.order_by("-id").values_list("id", flat=True).first() or 0


SAME_ACT = dt.timedelta(seconds=5)
"""A text is frozen within the act that names its hash; both read the clock, one after the other."""


def _acts_with(frozen: FrozenText) -> list[dt.datetime]:
    """When the acts of the case that carry the hash of a frozen text were done, the first first."""
    rows = JournalEntry.objects.filter(case=frozen.case, after__sha256=frozen.sha256)
    return list(rows.order_by("id").values_list("at", flat=True))


def _written(text: str) -> tuple[str, str, str]:
    """Case, kind and form as the frozen text itself bears them."""
    body = json.loads(text)
    return str(body.get("case", "")), str(body.get("kind", "")), str(body.get("form", ""))


@dataclass(frozen=True)
class Break:
    """A place where the proof does not hold: which row, what was found, what was expected."""

    table: str
    row: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.found}; {self.expected}"


def breaks() -> Iterator[Break]:
    """Check everything, in the order of the rows; yields each place that does not fit.

    Chains first (in the order in which the acts were written), then ends of chains, daily roots,
    frozen texts, and files.
    """
    from jalon.core.lang import T

    last: dict[str, tuple[int, str]] = {}
    for entry in JournalEntry.objects.order_by("id").iterator(chunk_size=2000):
        name = f"{entry.id} ({entry.case} n° {entry.seq}, {entry.act})"
        seq, previous = last.get(entry.case, (0, ""))
        if entry.seq != seq + 1:
            yield Break(
                "core_journalentry",
                name,
                str(
                    T(
                        "numéro {n} dans sa chaîne",
                        "number {n} in its chain",
                        n=entry.seq,
                    )
                ),
                str(
                    T(
                        "attendu : {n}, une ligne manque avant",
                        "expected {n}: a row before it is missing",
                        n=seq + 1,
                    )
                ),
            )
        elif entry.prev_hash != previous:
            yield Break(
                "core_journalentry",
                name,
                str(
                    T(
                        "empreinte précédente {h}",
                        "previous hash {h}",
                        h=entry.prev_hash[:12] or "∅",
                    )
                ),
                str(T("attendu : {h}", "expected {h}", h=previous[:12] or "∅")),
            )
        elif entry_hash(entry) != entry.hash:
            yield Break(
                "core_journalentry",
                name,
                str(
                    T(
                        "le contenu donne l'empreinte {h}",
                        "the content gives the hash {h}",
                        h=entry_hash(entry)[:12],
                    )
                ),
                str(T("attendu : {h}", "expected {h}", h=entry.hash[:12])),
            )
        last[entry.case] = (entry.seq, entry.hash)
    for head in JournalHead.objects.order_by("case").iterator():
        seq, value = last.pop(head.case, (0, ""))
        if (head.seq, head.hash) != (seq, value):
            yield Break(
                "core_journalhead",
                head.case,
                str(
                    T(
                        "la chaîne finit au n° {n} ({h})",
                        "the chain ends at no. {n} ({h})",
                        n=seq,
                        h=value[:12] or "∅",
                    )
                ),
                str(
                    T(
                        "attendu : n° {n} ({h})",
                        "expected no. {n} ({h})",
                        n=head.seq,
                        h=head.hash[:12],
                    )
                ),
            )
    for case in last:
        yield Break(
            "core_journalhead",
            case,
            str(T("aucune tête de chaîne", "no head of chain")),
            str(T("une ligne par dossier attendue", "expected one row per case")),
        )
    previous_root, previous_day = "", dt.date.min
    for root in DailyRoot.objects.order_by("id"):
        heads = _heads_up_to(root.last_entry_id)
        expected = root_of(heads, root.prev_root, root.day, root.made_at)
        if root.prev_root != previous_root or root.root not in (expected, root_of(heads, root.prev_root)):
            yield Break(
                "core_dailyroot",
                f"{root.id} ({root.day.isoformat()})",
                str(
                    T(
                        "le journal donne la racine {h}",
                        "the journal gives the root {h}",
                        h=expected[:12],
                    )
                ),
                str(T("attendu : {h}", "expected {h}", h=root.root[:12])),
            )
        elif root.day < previous_day or (root.entries, root.last_entry_id) != (counted := _counted(root.last_entry_id)):
            found = counted if root.day >= previous_day else (root.entries, root.last_entry_id)
            yield Break(
                "core_dailyroot",
                f"{root.id} ({root.day.isoformat()})",
                str(T("{n} actes jusqu'au n° {i}", "{n} acts up to no. {i}", n=root.entries, i=root.last_entry_id)),
                str(
                    T(
                        "attendu : {n} actes jusqu'au n° {i}, un jour qui ne précède pas le {d}",
                        "expected {n} acts up to no. {i}, a day not before {d}",
                        n=found[0],
                        i=found[1],
                        d=previous_day.isoformat(),
                    )
                ),
            )
        previous_root, previous_day = root.root, max(previous_day, root.day)
    frozen_hashes = set()
    for frozen in FrozenText.objects.order_by("id").iterator(chunk_size=200):
        frozen_hashes.add(frozen.sha256)
        found = sha256(frozen.canonical)
        if found != frozen.sha256:
            yield Break(
                "core_frozentext",
                f"{frozen.id} ({frozen.case}, {frozen.kind})",
                str(
                    T(
                        "le texte donne l'empreinte {h}",
                        "the text gives the hash {h}",
                        h=found[:12],
                    )
                ),
                str(T("attendu : {h}", "expected {h}", h=frozen.sha256[:12])),
            )
        elif not (moments := _acts_with(frozen)):
            yield Break(
                "core_frozentext",
                f"{frozen.id} ({frozen.case}, {frozen.kind})",
                str(T("empreinte {h}", "hash {h}", h=frozen.sha256[:12])),
                str(
                    T(
                        "attendu : un acte du journal qui porte cette empreinte",
                        "expected an act of the journal that carries this hash",
                    )
                ),
            )
        elif all(abs(frozen.frozen_at - moment) > SAME_ACT for moment in moments):
            yield Break(
                "core_frozentext",
                f"{frozen.id} ({frozen.case}, {frozen.kind})",
                str(T("figé le {d}", "frozen at {d}", d=frozen.frozen_at.isoformat())),
                str(
                    T(
                        "attendu : le moment de l'acte qui l'a figé, {d}",
                        "expected the moment of the act that froze it, {d}",
                        d=moments[0].isoformat(),
                    )
                ),
            )
        elif (written := _written(frozen.canonical)) != (frozen.case, frozen.kind, frozen.form):
            yield Break(
                "core_frozentext",
                f"{frozen.id} ({frozen.case}, {frozen.kind})",
                str(T("{k}, forme {f}", "{k}, form {f}", k=frozen.kind, f=frozen.form)),
                str(
                    T("attendu, dans le texte : {k}, forme {f}", "expected, in the text: {k}, form {f}").format(
                        k=written[1], f=written[2]
                    )
                ),
            )
    kept = frozen_hashes | set(StoredFile.objects.values_list("sha256", flat=True))
    named = JournalEntry.objects.filter(after__has_key="sha256").order_by("id")
    for number, case, seq, act, after in named.values_list("id", "case", "seq", "act", "after"):
        if after["sha256"] and after["sha256"] not in kept:
            yield Break(
                "core_journalentry",
                f"{number} ({case} n° {seq}, {act})",
                str(T("ni texte figé, ni fichier", "neither frozen text nor file")),
                str(T("attendu : l'empreinte {h}", "expected the hash {h}", h=after["sha256"][:12])),
            )
    from jalon.core.files import path_of

    for stored in StoredFile.objects.order_by("id").iterator(chunk_size=500):
        path = path_of(stored.sha256)
        found = sha256(path.read_bytes()) if path.exists() else None
        if found != stored.sha256:
            yield Break(
                "core_storedfile",
                f"{stored.id} ({stored.name})",
                str(T("fichier absent", "file absent")) if found is None else found[:12],
                str(T("attendu : {h}", "expected {h}", h=stored.sha256[:12])),
            )
