"""Python objects to columns; what does not fit is told by row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

import polars as pl

from tailrace.formats.base import Reject
from tailrace.schema import TIMESTAMPS, Field, Kind, Schema
from tailrace.user_functions.columns import column, python_values

CODE = "type"


def frame_of(
    rows: Sequence[Any], schema: Schema, known: Sequence[str] | None
) -> tuple[pl.DataFrame, dict[int, Reject]]:
    """
    Give rows as a frame, and those that are none or have a value that does not fit, which are NULL in the frame.

    A row is a dictionary, or an object with attributes; a key that is missing is NULL. With `known` any other key is
    refused.

    >>> from tailrace.schema import INT
    >>> schema = Schema((Field("n", INT),))
    >>> frame, bad = frame_of([{"n": 1}, {"n": "x"}], schema, None)
    >>> frame["n"].to_list(), bad[1].reason
    ([1, None], "a value of column 'n' is no INT: str")
    """
    bad: dict[int, Reject] = {}
    read = [_getter(row, schema.names) for row in rows]
    for i, (row, get) in enumerate(zip(rows, read, strict=True)):
        if get is None:
            bad[i] = Reject(
                i, CODE, f"a row is a dictionary, or has attributes with the columns' names; this is {_kind(row)}"
            )
        elif known is not None and isinstance(row, Mapping) and (more := row.keys() - set(known)):
            hint = "give the columns that rows may have: from_rows(rows, columns)"
            bad[i] = Reject(i, CODE, f"a row has '{min(map(str, more))}', which the first rows have not; {hint}")
    columns = [_column(read, field, bad) for field in schema]
    return pl.DataFrame(columns), bad


def _getter(row: Any, names: Sequence[str]) -> Callable[[str], Any] | None:
    """Give what gives a row's value by the name of its column; None for what is no row."""
    if isinstance(row, Mapping):
        return row.get
    if any(hasattr(row, name) for name in names):
        return lambda name: getattr(row, name, None)
    return None


def _column(rows: Sequence[Callable[[str], Any] | None], field: Field, bad: dict[int, Reject]) -> pl.Series:
    values = [None if get is None else get(field.name) for get in rows]
    try:
        made = _series(values, field)
    except Exception:  # noqa: BLE001  Polars raises of all kinds; each value is looked at now
        values = [_plain(v) for v in values]
        for i, value in enumerate(values):
            if not _fits(value, field):
                reason = (
                    f"a value of column '{field.name}' is no {field.type.with_nullable(True).sql()}: {_kind(value)}"
                )
                bad.setdefault(i, Reject(i, CODE, reason))
                values[i] = None
        made = _series(values, field)
    if not field.type.nullable and made.null_count():
        for i in made.is_null().arg_true().to_list():
            bad.setdefault(i, Reject(i, "missing", f"column '{field.name}' is NOT NULL"))
    return made


def _plain(value: Any) -> Any:
    """Give what a member of an enum stands for, and an UUID as its text."""
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value


def _fits(value: Any, field: Field) -> bool:
    try:
        _series([value], field)
    except Exception:  # noqa: BLE001  as above
        return False
    return True


def _series(values: Sequence[Any], field: Field) -> pl.Series:
    """
    Make a column; times and dates may be texts.

    Raises:
        Exception: a value does not fit.
    """
    kind, wanted = field.type.kind, field.type.polars
    if kind in TIMESTAMPS or kind in (Kind.DATE, Kind.TIME):
        if any(isinstance(v, int | float) for v in values):
            raise TypeError("a number is no time: it does not say since when, and in which unit")
        if any(isinstance(v, str) for v in values):
            return _of_texts(values, field)
    made = column(list(values), field.type)
    if made.dtype != wanted and isinstance(made.dtype, pl.Datetime) and made.dtype.time_zone is not None:
        made = made.dt.replace_time_zone(None)  # a moment; Polars has put it into UTC
    return made.cast(wanted, strict=True).alias(field.name)


def _of_texts(values: Sequence[Any], field: Field) -> pl.Series:
    texts = pl.Series(values, dtype=pl.String, strict=True)
    kind = field.type.kind
    if kind is Kind.DATE:
        return texts.str.to_date(strict=True).alias(field.name)
    if kind is Kind.TIME:
        return texts.str.to_time(strict=True).cast(field.type.polars).alias(field.name)
    zone = "UTC" if kind is Kind.TIMESTAMP_LTZ else None
    return texts.str.to_datetime(time_unit=field.type.time_unit, time_zone=zone, strict=True).alias(field.name)


def _kind(value: Any) -> str:
    return "NULL" if value is None else type(value).__name__


def as_bytes(row: Any) -> bytes:
    """
    Give a row that can't be taken as bytes for a dead letter: JSON where it can be, else its text.

    >>> as_bytes({"n": "x"})
    b'{"n": "x"}'
    """
    given = row if isinstance(row, Mapping) else getattr(row, "__dict__", None) or row
    try:
        return json.dumps(dict(given) if isinstance(given, Mapping) else given, default=str).encode()
    except (TypeError, ValueError, RecursionError):
        return repr(row).encode()


def rows_of(frame: pl.DataFrame, schema: Schema) -> list[tuple[Any, ...]]:
    """
    Give the values of a schema's columns, row by row, as a client library takes them.

    DECIMAL is a `Decimal`, times are of `datetime` (microseconds; TIMESTAMP_LTZ with UTC), BYTES `bytes`, a MAP or ROW a dict, an ARRAY
    a list.

    >>> from tailrace.schema import INT
    >>> rows_of(pl.DataFrame({"n": [1, None]}), Schema((Field("n", INT),)))
    [(1,), (None,)]
    """
    return list(zip(*(python_values(frame[f.name], f.type) for f in schema), strict=True))
