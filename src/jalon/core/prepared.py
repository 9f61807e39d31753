"""Querysets whose SQL Django writes once a connection: the same query with other values is only executed.

Writing SQL takes Django half a millisecond to two for a query of some size, more than a small database needs to
answer it; a page of twenty queries spends most of its time so. :class:`Prepared` wraps a function that builds a
queryset from named values; its SQL is written the first time, with probes in the place of the values, and kept with
the connection. What comes out is what the queryset itself would give: instances, related ones too, or tuples.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

_KEPT = "_jalon_prepared"
_UTC = dt.UTC


class Prepared:
    """A function that builds a queryset, and the SQL of each shape in which it was asked.

    The function receives its values by name and must use each of them as it is: in a filter, an annotation, or an
    ``__in`` (a list, tuple or set). None and booleans belong to the shape of the query: ``f(known_on=None)`` and
    ``f(known_on=day)`` are two queries. Nothing else that can change may shape it: what comes from the policy or
    the clock is given as a value. A value that does not appear as it is (it was transformed on the way) makes the
    query an ordinary one, written each time.
    """

    def __init__(self, make: Callable[..., QuerySet]):
        self.make = make
        self.__doc__ = make.__doc__

    def __call__(self, **values: Any) -> list[Any]:
        """The rows for these values, as a list."""
        shape = tuple(
            (name, value if value is None or isinstance(value, bool) else type(value)) for name, value in values.items()
        )
        if any(isinstance(v, (list, tuple, set, frozenset)) and not v for v in values.values()):
            return list(self.make(**values))
        using = connections[DEFAULT_DB_ALIAS]
        kept = using.__dict__.setdefault(_KEPT, {})
        found = kept.get((self, shape), _UNWRITTEN)
        if found is _UNWRITTEN:
            found = kept[self, shape] = _written(self.make, values, using)
        # Nothing is kept of a query that cannot be prepared but that it cannot.
        return list(self.make(**values)) if found is None else found.rows(values)


_UNWRITTEN = object()


class _Statement:
    """SQL in pieces, what goes between them, and the compiler that reads the rows."""

    def __init__(self, queryset: QuerySet, compiler: Any, pieces: list[str], slots: list[Any], using: Any):
        self.queryset, self.compiler, self.pieces, self.slots, self.using = queryset, compiler, pieces, slots, using
        self.whole = "%s".join(pieces) if not any(isinstance(s, _Slot) and s.many for s in slots) else None
        queryset.query.get_compiler = lambda *args, **kwargs: compiler

    def rows(self, values: dict[str, Any]) -> list[Any]:
        params: list[Any] = []
        sql = self.whole
        if sql is not None:
            for slot in self.slots:
                params.append(slot.adapt(self.using, values[slot.name]) if isinstance(slot, _Slot) else slot)
        else:
            out = [self.pieces[0]]
            for slot, piece in zip(self.slots, self.pieces[1:], strict=True):
                if isinstance(slot, _Slot) and slot.many:
                    given = values[slot.name]
                    out.append(", ".join(["%s"] * len(given)))
                    params += [slot.adapt(self.using, one) for one in given]
                else:
                    out.append("%s")
                    params.append(slot.adapt(self.using, values[slot.name]) if isinstance(slot, _Slot) else slot)
                out.append(piece)
            sql = "".join(out)
        self.compiler.as_sql = lambda *args, **kwargs: (sql, tuple(params))
        return list(self.queryset._iterable_class(self.queryset))


class _Slot:
    """The place of a value: its name, and whether it is a list of an ``IN``."""

    def __init__(self, name: str, many: bool, adapt: Callable[[Any, Any], Any]):
        self.name, self.many, self.adapt = name, many, adapt


def _as_is(using: Any, value: Any) -> Any:
    return value


def _date(using: Any, value: Any) -> Any:
    return using.ops.adapt_datefield_value(value)


def _moment(using: Any, value: Any) -> Any:
    return using.ops.adapt_datetimefield_value(value)


def _probe(value: Any, n: int) -> tuple[Any, Callable[[Any, Any], Any]] | None:
    """A value of the same type that stands nowhere else, and how the database is given such a value."""
    if isinstance(value, int):
        return 2_000_000_000 + n, _as_is
    if isinstance(value, str):
        return f"\x02probe {n}\x03", _as_is
    if isinstance(value, dt.datetime):
        return dt.datetime(1001 + n, 1, 1, tzinfo=_UTC), _moment
    if isinstance(value, dt.date):
        return dt.date(1001 + n, 1, 1), _date
    return None


def _written(make: Callable[..., QuerySet], values: dict[str, Any], using: Any) -> _Statement | None:
    """The statement of the query; None when it has to be written each time."""
    probes: dict[str, Any] = {}
    slots: dict[str, tuple[Any, _Slot]] = {}
    for n, (name, value) in enumerate(values.items()):
        if value is None or isinstance(value, bool):
            probes[name] = value
            continue
        many = isinstance(value, (list, tuple, set, frozenset))
        found = _probe(next(iter(value)) if many else value, n)
        if found is None or isinstance(value, Decimal):
            return None
        probe, adapt = found
        probes[name] = [probe] if many else probe
        slots[name] = (adapt(using, probe), _Slot(name, many, adapt))
    queryset = make(**probes)
    if queryset._prefetch_related_lookups or queryset._known_related_objects or queryset._result_cache is not None:
        return None
    compiler = queryset.query.get_compiler(connection=using)
    sql, params = compiler.as_sql()
    pieces = sql.split("%s")
    if len(pieces) != len(params) + 1 or "%%" in sql:
        return None
    places: list[Any] = []
    seen: set[str] = set()
    for at, param in enumerate(params):
        slot = next((s for probe, s in slots.values() if type(probe) is type(param) and probe == param), None)
        if slot is not None:
            if slot.many and not (pieces[at].endswith("IN (") and pieces[at + 1].startswith(")")):
                return None
            seen.add(slot.name)
        places.append(slot or param)
    return _Statement(queryset, compiler, pieces, places, using) if seen == set(slots) else None
