"""Acts on files of the accounting system: hand in, accept, abandon. Nothing is paid before a file is accepted."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from jalon.core import clock, files, journal, sheets
from jalon.core.errors import Conflict, Refused
from jalon.core.lang import T
from jalon.funding import access, accounting, queries, relay_actions, states
from jalon.funding.models import AccountingBatch, Agreement, Claim, PaymentOrder
from jalon.funding.rules import ZERO
from jalon.people.access import Actor

CHUNK = 500


def case_of(batch: AccountingBatch) -> str:
    """The import's case in the journal."""
    return f"accounting:{batch.pk}"


def known_orders(side: int | None) -> list[accounting.Known]:
    """Every live payment order of a side, as the accounts know it: the State's (None), or a funder's own.

    Three queries (identifiers: one per 500 organisations).
    """
    rows = PaymentOrder.objects.exclude(state="cancelled")
    rows = rows.filter(agreement__source="state") if side is None else rows.filter(funder_id=side)
    values = list(
        rows.order_by("id").values_list(
            "id",
            "number",
            "agreement__commitment",
            "agreement__beneficiary_id",
            "agreement__number",
            "amount",
            "state",
            "ordered_on",
            "paid_on",
            "reference",
            "funder__name",
            "funder_id",
        )
    )
    names = queries.identifiers_of({v[3] for v in values} | {v[11] for v in values})
    return [
        accounting.Known(
            v[0],
            v[1],
            v[2],
            _keys(names.get(v[3], {})),
            v[4],
            v[5],
            v[6],
            v[7],
            v[8],
            v[9],
            v[10],
            _keys(names.get(v[11], {})),
        )
        for v in values
    ]


def _keys(identifiers: dict[str, str]) -> tuple[str, ...]:
    """The identifiers by which the accounts may name a body: its SIRET if it has one, else whatever names it."""
    if "siret" in identifiers:
        return (identifiers["siret"],)
    return tuple(identifiers.values())


def hand_in(data: bytes, name: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> AccountingBatch:
    """Keep a file of the accounting system with the columns as they are recognised, to be confirmed; no row is judged yet.

    Raises:
        NotAllowed: the actor records no payments. Refused: a file that cannot be read, or without any filled row.
    """
    side = access.accounting_side(by)
    book = sheets.read(data, name)
    told = accounting.describe(book)
    name = Path(name.replace("\\", "/")).name or "comptabilite.csv"
    with transaction.atomic():
        kept = name if Path(name).suffix.lower() in files.ALLOWED else f"{name}.{book.kind}"
        stored = files.store(
            data, kept, case="accounting", by=by, title="Fichier comptable", max_bytes=sheets.MAX_FILE,
            at=clock.stamp(on, at), simulated=False,
        )  # fmt: skip
        batch = AccountingBatch.objects.create(
            programme=by.programme,
            funder_id=side,
            file=stored,
            file_name=name[:255],
            state="to_confirm",
            columns=told,
            user_id=by.user_id,
            user_label=by.user_label[:200],
            handed_on=on,
            created_at=clock.stamp(on, at),
        )
        journal.record(
            case_of(batch),
            "accounting.receive",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            after={"file": stored.sha256, "rows": sum(s["rows"] for s in told["sheets"])},
        )
    return batch


def confirm(
    batch: AccountingBatch,
    chosen: Mapping[int, str],
    *,
    by: Actor,
    on: dt.date,
    sheet: int | None = None,
    header: int | None = None,
    at: dt.datetime | None = None,
) -> AccountingBatch:
    """The columns are right: read the rows below the headers and give each its verdict; nothing is paid.

    Args:
        chosen: code by column number (from 0). sheet, header: where the headers stand, from 0; as recognised when not given.

    Raises:
        NotAllowed: the actor records no payments. Refused: accepted or abandoned already, a column of the key that is not
            pointed out, one thing in two columns, no row.
    """
    mapping = accounting.mapping_of(chosen)
    access.accounting_side(by)
    data = files.path_of(batch.file.sha256).read_bytes()
    return _judge(batch, sheets.read(data, batch.file_name), mapping, sheet, header, by, on, at)


def _judge(
    batch: AccountingBatch,
    book: sheets.Book,
    mapping: dict[str, int],
    sheet: int | None,
    header: int | None,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None,
) -> AccountingBatch:
    sheet = batch.columns["sheet"] if sheet is None else sheet
    header = batch.columns["header"] if header is None else header
    if not 0 <= sheet < len(book.sheets) or not 0 <= header < len(book.sheets[sheet].rows):
        raise Refused(T("Cette ligne d'en-têtes n'existe pas.", "There is no such row of headers."), kind="input")
    lines = accounting.judged(book, known_orders(batch.funder_id), on, (sheet, header, mapping))
    rows = [line.stored() for line in lines]
    matched = [line.order for line in lines if line.order]
    with transaction.atomic():
        row = _held(batch, by, ("to_confirm", "previewed"))
        row.rows, row.counts, row.digest = rows, accounting.counts(lines), accounting.digest(rows)
        row.columns = batch.columns | {"sheet": sheet, "header": header, "mapping": mapping}
        row.state = "previewed"
        row.simulated = PaymentOrder.objects.filter(pk__in=matched[:200], simulated=True).exists()
        row.save()
        journal.record(
            case_of(row),
            "accounting.confirm",
            by=by,
            on=on,
            at=clock.stamp(on, at),
            after={"rows": len(rows), **row.counts},
        )
    return row


def receive(data: bytes, name: str, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> AccountingBatch:
    """Hand in a file whose columns are all recognised, and confirm them at once (what a program does); nothing is paid.

    Raises:
        NotAllowed: the actor records no payments. Refused: a file that cannot be read, or without the columns of the key.
    """
    access.accounting_side(by)
    book = sheets.read(data, name)
    sheet, header, mapping = accounting.columns_of(book)
    batch = hand_in(data, name, by=by, on=on, at=at)
    return _judge(batch, book, mapping, sheet, header, by, on, at)


def _held(batch: AccountingBatch, by: Actor, within: Sequence[str] = ("previewed",)) -> AccountingBatch:
    side = access.accounting_side(by)
    row = AccountingBatch.objects.select_for_update().filter(funder_id=side, pk=batch.pk).first()
    if row is None:
        by.require("payment.record")
        raise Refused(T("Cet import n'est pas le vôtre.", "This import is not yours."), kind="access")
    if row.state not in within:
        raise Refused(T("Cet import est déjà {s}.", "This import is already {s}.", s=states.BATCH_TITLES[row.state]))
    return row


@transaction.atomic
def abandon(batch: AccountingBatch, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> AccountingBatch:
    """Leave a file without writing anything.

    Raises:
        NotAllowed: the actor records no payments. Refused: accepted or abandoned already.
    """
    batch = _held(batch, by, ("to_confirm", "previewed"))
    batch.state = "abandoned"
    batch.save(update_fields=["state"])
    journal.record(case_of(batch), "accounting.abandon", by=by, on=on, at=clock.stamp(on, at))
    return batch


class _Changed(Exception):
    def __init__(self, rows: list[Any], counts: dict[str, int]):
        super().__init__("changed")
        self.rows, self.counts = rows, counts


def accept(batch: AccountingBatch, *, by: Actor, on: dt.date, at: dt.datetime | None = None) -> AccountingBatch:
    """Record the payments of the rows that match one order; the other rows stay as they are said. All, or nothing.

    The rows are judged again on the orders as they stand now.

    Raises:
        NotAllowed: the actor records no payments. Refused: accepted already, or nothing to write. Conflict: the orders
            changed since the preview and with them the verdicts; the new ones are there to be read.
    """
    try:
        with transaction.atomic():
            batch = _held(batch, by)
            _write(batch, by=by, on=on, at=at)
    except _Changed as changed:
        AccountingBatch.objects.filter(pk=batch.pk, state="previewed").update(
            rows=changed.rows, counts=changed.counts, digest=accounting.digest(changed.rows)
        )
        was, batch.counts = batch.counts, changed.counts
        raise Conflict(
            T(
                "Des ordres ont changé depuis l'aperçu : rien n'est écrit. Le nouvel aperçu est à relire.",
                "Orders changed since the preview: nothing is written. The new preview is to be read.",
            ),
            theirs=changed.counts,
            yours=was,
        ) from None
    return batch


def _write(batch: AccountingBatch, *, by: Actor, on: dt.date, at: dt.datetime | None) -> None:
    lines = [accounting.restored(row) for row in batch.rows]
    wanted = {line.order: line for line in lines if line.verdict == "match"}
    if not wanted:
        raise Refused(T("Rien à écrire : aucune ligne ne paie un ordre.", "Nothing to write: no row pays an order."))
    held = _hold(sorted(wanted))
    fresh = _judged_again(batch, lines)
    if accounting.digest(fresh[0]) != batch.digest:
        raise _Changed(*fresh)
    moment = clock.stamp(on, at)
    _pay(batch, held, wanted, by, moment)
    relayed = _relays(held, wanted, by=by, on=on, at=at)
    journal.record_many(
        {
            "case": f"agreement:{order.agreement_id}",
            "act": "claim.pay",
            "by": by,
            "on": on,
            "at": moment,
            "before": {"claim": order.claim.number, "state": "ordered"},
            "after": {
                "claim": order.claim.number,
                "state": "paid",
                "order": order.number,
                "amount": order.amount,
                "paid_on": wanted[order.pk].paid_on,
                "reference": wanted[order.pk].reference,
                "import": batch.pk,
            },
        }
        for order in held
    )
    batch.state, batch.accepted_at = "accepted", moment
    batch.counts = batch.counts | {"written": len(held), "relayed": relayed}
    batch.save(update_fields=["state", "accepted_at", "counts"])
    journal.record(
        case_of(batch),
        "accounting.accept",
        by=by,
        on=on,
        at=moment,
        after={"written": len(held), "amount": sum((o.amount for o in held), ZERO)},
    )


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _hold(ids: Sequence[int]) -> list[PaymentOrder]:
    """The orders with agreement and claim, held in the order in which every act holds them: agreements first."""
    agreements = sorted(
        {
            pk
            for part in _chunks(ids)
            for pk in PaymentOrder.objects.filter(pk__in=part).values_list("agreement_id", flat=True)
        }
    )
    kept: dict[int, Agreement] = {}
    for part in _chunks(agreements):
        kept |= {a.pk: a for a in Agreement.objects.select_for_update().filter(pk__in=part).order_by("pk")}
    orders: list[PaymentOrder] = []
    for part in _chunks(ids):
        orders += (
            PaymentOrder.objects.select_for_update(of=("self",))
            .filter(pk__in=part)
            .select_related("claim")
            .order_by("pk")
        )
    for order in orders:
        order.agreement = kept[order.agreement_id]
    return orders


def _judged_again(batch: AccountingBatch, lines: list[accounting.Line]) -> tuple[list[Any], dict[str, int]]:
    known = known_orders(batch.funder_id)
    numbers = {order.id: order for order in known}
    for line in lines:
        if line.verdict == "error" and (line.amount is None or line.paid_on is None):
            continue
        if line.verdict == "error" and not _key_complete(line):
            continue
        line.verdict, line.order, line.message = "", None, None
    accounting.Judge(list(numbers.values())).judge(lines)
    rows = [line.stored() for line in lines]
    return rows, accounting.counts(lines)


def _key_complete(line: accounting.Line) -> bool:
    return all(accounting.code_of(line.cells.get(code)) for code in ("commitment", "siret", "agreement"))


def _pay(
    batch: AccountingBatch,
    held: Sequence[PaymentOrder],
    wanted: dict[int, accounting.Line],
    by: Actor,
    moment: dt.datetime,
) -> None:
    """Write the payments: one statement per table, run for all rows; a row that is not as it was held stops everything."""
    label = by.user_label[:200]
    ops = connection.ops
    agreement_paid: dict[int, Decimal] = defaultdict(lambda: ZERO)
    orders, claims = [], []
    for order in held:
        line = wanted[order.pk]
        day = ops.adapt_datefield_value(line.paid_on)
        orders.append((day, line.reference, ops.adapt_datetimefield_value(moment), label, batch.pk, order.pk))
        claims.append((day, order.claim_id))
        agreement_paid[order.agreement_id] += order.amount
        order.state, order.paid_on, order.reference = "paid", line.paid_on, line.reference
    rows = {order.agreement_id: order.agreement for order in held}
    field = Agreement._meta.get_field("paid")
    agreements = []
    for pk, amount in agreement_paid.items():
        rows[pk].paid += amount
        agreements.append((field.get_db_prep_save(rows[pk].paid, connection), pk))
    with connection.cursor() as cursor:
        for model, statement, values in (
            (
                PaymentOrder,
                "UPDATE {t} SET state = 'paid', paid_on = %s, reference = %s, recorded_at = %s, recorded_label = %s, "
                "batch_id = %s WHERE id = %s AND state = 'ordered'",
                orders,
            ),
            (Claim, "UPDATE {t} SET state = 'paid', paid_on = %s WHERE id = %s AND state = 'ordered'", claims),
            (Agreement, "UPDATE {t} SET paid = %s WHERE id = %s", agreements),
        ):
            cursor.executemany(statement.format(t=ops.quote_name(model._meta.db_table)), values)
            if cursor.rowcount != len(values):
                raise Refused(
                    T(
                        "Un ordre a changé pendant l'écriture : rien n'est écrit.",
                        "An order changed while it was written: nothing is written.",
                    )
                )


def _relays(
    held: Sequence[PaymentOrder],
    wanted: dict[int, accounting.Line],
    *,
    by: Actor,
    on: dt.date,
    at: dt.datetime | None,
) -> int:
    """Payments that went to a bank repay their relay, in the order of their days."""
    done = 0
    banks = [o for o in held if o.payee_id != o.agreement.beneficiary_id]
    for order in sorted(banks, key=lambda o: (o.paid_on, o.pk)):
        if relay_actions.allocate_payment(order, by=by, on=on, at=at) is not None:
            done += 1
    return done


def export_rows(orders: Iterable[PaymentOrder]) -> Iterable[list[Any]]:
    """Payment orders in the shape of the file that is read back."""
    rows = list(orders)
    names = queries.identifiers_of({o.agreement.beneficiary_id for o in rows})
    for order in rows:
        agreement = order.agreement
        identifiers = names.get(agreement.beneficiary_id, {})
        yield [
            order.funder.name,
            agreement.commitment,
            (_keys(identifiers) or ("",))[0],
            agreement.beneficiary.name,
            agreement.number,
            order.number,
            order.payee.name,
            order.amount,
            order.paid_on,
            order.reference,
        ]
