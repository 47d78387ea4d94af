"""Rows that a test writes, as the columns that a source gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError, did_you_mean
from tailrace.plan.catalog import Table
from tailrace.plan.changelog import Change as Kinds
from tailrace.plan.changelog import table_mode
from tailrace.schema import BINARIES, TIMESTAMPS, Field, Kind, Schema
from tailrace.testing.emitted import Change

Rows = pl.DataFrame | Iterable[Mapping[str, Any] | Change]
"""Rows as a frame or as dictionaries; a column that is left out is NULL. Changes tell what they do, other rows insert."""

_KINDS = {Kinds.INSERT: "+I", Kinds.UPDATE_BEFORE: "-U", Kinds.UPDATE_AFTER: "+U", Kinds.DELETE: "-D"}
_NUMBERS = {kind.sign: int(kind) for kind in RowKind}


def columns(rows: Rows, table: Table, schema: Schema) -> pl.DataFrame:
    """
    Give rows with the columns that a source of a table gives; times, dates and decimals may be texts.

    Raises:
        ConfigError: the table has no such column or does not change so, or a value does not fit its column.
    """
    if isinstance(rows, pl.DataFrame):
        return _columns(rows, table, schema)
    given = _listed(rows, table.name)
    found = _columns(_frame([r.row if isinstance(r, Change) else r for r in given]), table, schema)
    ops = [r.op if isinstance(r, Change) else "+I" for r in given]
    return found if set(ops) <= {"+I"} else found.with_columns(_kinds(ops, table))


def _listed(rows: Any, table: str) -> list[Mapping[str, Any] | Change]:
    alone = isinstance(rows, Mapping | str | bytes) or not isinstance(rows, Iterable)
    given = [] if alone else list(rows)
    wrong = [rows] if alone else [row for row in given if not isinstance(row, Mapping | Change)]
    if wrong:
        hint = 'give a list of dictionaries, as [{"card": "a"}], or a Polars frame; payloads go into push_bytes'
        raise ConfigError(f"table '{table}' takes rows, not {wrong[0]!r}", hint=hint)
    return given


def _kinds(ops: Sequence[str], table: Table) -> pl.Series:
    """Give what rows do as the column that sources of changes have."""
    known = [_KINDS[change] for change in table_mode(table)]
    unknown = [op for op in ops if op not in known]
    if unknown:
        message = f"table '{table.name}' has no rows of the kind '{unknown[0]}'"
        raise ConfigError(message, hint=f"as it is declared it has {', '.join(known)}")
    return pl.Series(KIND, [_NUMBERS[op] for op in ops], pl.Int8)


def _columns(frame: pl.DataFrame, table: Table, schema: Schema) -> pl.DataFrame:
    known = [c.name for c in table.columns]
    for name in frame.columns:
        if name not in known:
            raise ConfigError(f"table '{table.name}' has no column '{name}'", hint=did_you_mean(name, known))
    return pl.DataFrame({f.name: _column(frame, f, table.name) for f in schema})


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame({n: pl.Series(n, [row.get(n) for row in rows], strict=False) for n in names})


def _column(frame: pl.DataFrame, field: Field, table: str) -> pl.Series:
    if field.name not in frame.columns:
        return pl.Series(field.name, [None] * len(frame), field.type.polars)
    values = frame[field.name]
    try:
        return _cast(values, field).alias(field.name)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"column '{field.name}' of table '{table}' is {field.type}: {error}") from None


def _cast(values: pl.Series, field: Field) -> pl.Series:
    kind = field.type.kind
    if values.dtype == pl.String and kind in TIMESTAMPS:
        zone = "UTC" if kind is Kind.TIMESTAMP_LTZ else None
        return values.str.to_datetime(time_unit=field.type.time_unit, time_zone=zone)
    if values.dtype == pl.String and kind is Kind.DATE:
        return values.str.to_date()
    if values.dtype == pl.String and kind is Kind.TIME:
        return values.str.to_time()
    if values.dtype == pl.Binary and kind in BINARIES:
        return values
    return values.cast(field.type.polars)
