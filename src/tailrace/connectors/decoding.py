"""From a block, as a connector gives it, to the columns of a scan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors import metadata, trace_headers
from tailrace.connectors.base import Block
from tailrace.connectors.registry import asked, connector_of, options_of
from tailrace.connectors.table_options import FormatChoice, TableOptions
from tailrace.engine.batch import KIND, TRACEPARENT, RowKind
from tailrace.errors import TerminalError
from tailrace.expressions.lower import lower
from tailrace.formats.base import Decoded, Decoder, MetadataKey, Reject, Rows, refuse_variants
from tailrace.plan.catalog import Table
from tailrace.schema import DataType, Field, Kind, Schema

Numbers = npt.NDArray[np.int64]


class BlockDecoder:
    """
    Decodes the blocks of one scan; used by one thread at a time.

    `schema` has the columns that the scan asks for: physical ones (from the value, the key, or a folder's name) and
    metadata. The result has them in this order; its `kept` and `rejects` count the rows of the block. With `traced` it has the
    column `$traceparent` too, where headers tell of a trace.

    Raises:
        ConfigError: a type that the format can't read.
    """

    def __init__(
        self,
        schema: Schema,
        table: Table,
        options: TableOptions | None = None,
        timezone: str = "UTC",
        *,
        traced: bool = False,
    ) -> None:
        self._traced = traced
        options = options or options_of(table)
        self._schema = schema
        self._upsert = options.upsert
        offered = metadata.offered(connector_of(table), options)
        self._metadata = _metadata_columns(table, schema, offered, timezone)
        self._of_format = [k for k in _keys(table, schema) if options.value and k in options.value.metadata]
        schema = asked(table, schema)
        physical = [f for f in schema if f.name not in self._metadata]
        self._physical = Schema(tuple(physical))
        beside = set() if connector_of(table).partitions_in_rows else set(table.partitioned_by)
        in_key = set() if options.key is None else set(options.key_fields)
        not_in_value = (set() if options.value_has_key else in_key) | beside
        # the key alone tells which row a tombstone is about
        elsewhere = not_in_value | (in_key if options.upsert else set())
        self._beside = [f for f in physical if f.name in beside]
        self._key = _KeyDecoder(table, options, [f for f in physical if f.name in elsewhere - beside])
        in_value = Schema(tuple(f for f in physical if f.name not in elsewhere))
        whole = Schema(tuple(f for f in table.physical if f.name not in not_in_value))
        self._value = _decoder(options.value, in_value, whole, self._of_format)
        self._reads_headers = options.value is not None and options.value.format.reads_headers

    def check(self) -> list[str]:
        """Reach what the formats need, and say what is there."""
        return [said for d in (self._value, self._key.decoder) if d is not None and (said := d.check())]

    def decode(self, block: Block) -> Decoded:
        """Give the columns of the rows that can be read, and the others with their reasons; never raises for a row."""
        bad = {r.row: r for r in block.rejects}
        if self._upsert:
            _refuse_without_key(block, bad)
        columns, kept = self._columns(block, bad)
        rejects = [bad[row] for row in sorted(bad)]
        traces = trace_headers.read(block.headers) if self._traced and block.headers is not None else None
        if traces is not None:
            columns[TRACEPARENT] = traces.gather(kept)
        return Decoded(self._frame(columns, kept), None if _is_whole(kept, len(block)) else kept, rejects)

    def _columns(self, block: Block, bad: dict[int, Reject]) -> tuple[dict[str, pl.Series], Numbers]:
        """Give all columns of the rows that are not `bad`, having added to it those that turn out to be."""
        first, kept = self._values(block, bad)
        second, kept_keys = self._key.decode(block, _left(kept, bad), bad)
        if len(kept_keys) < len(kept):
            first = _at(first, np.flatnonzero(np.isin(kept, kept_keys)))
        given = block.metadata
        if given is not None:
            given = given if _is_whole(kept_keys, len(block)) else given[kept_keys]
        if self._of_format:
            own = pl.DataFrame([first[key].alias(key) for key in self._of_format])
            given = own if given is None else given.hstack(own)
        if given is not None:
            first |= {name: given.select(expr).to_series() for name, expr in self._metadata.items()}
            if not isinstance(block.values, pl.DataFrame):
                first |= {f.name: given[f.name].cast(f.type.polars) for f in self._beside}
        return first | second, kept_keys

    def _values(self, block: Block, bad: dict[int, Reject]) -> tuple[dict[str, pl.Series], Numbers]:
        rows = _left(np.arange(len(block), dtype=np.int64), bad)
        if isinstance(block.values, pl.DataFrame):
            return self._given(block.values if not bad else block.values[rows], rows, bad)
        if self._value is None:
            raise TerminalError(f"partition '{block.partition}' gave bytes, but its table names no format for them")
        values = replace(block.values, headers=block.headers) if self._reads_headers else block.values
        if self._upsert:
            return self._upserts(self._value, values, rows, bad)
        decoded = self._value.decode(values if not bad else values.take(rows))
        _note(decoded.rejects, rows, bad)
        return _by_name(decoded.frame), rows if decoded.kept is None else rows[decoded.kept]

    @staticmethod
    def _upserts(
        decoder: Decoder, values: Rows, rows: Numbers, bad: dict[int, Reject]
    ) -> tuple[dict[str, pl.Series], Numbers]:
        """Decode rows that say what stands at their key: a row, or (without bytes) nothing."""
        gone = np.zeros(len(values), dtype=np.bool_) if values.nulls is None else values.nulls
        live = rows[~gone[rows]]
        decoded = decoder.decode(values.take(live))
        _note(decoded.rejects, live, bad)
        read = live if decoded.kept is None else live[decoded.kept]
        kept = np.sort(np.concatenate([read, rows[gone[rows]]]))
        columns = _aligned(_by_name(decoded.frame), read, kept)
        kinds = np.where(gone[kept], int(RowKind.DELETE), int(RowKind.UPDATE_AFTER)).astype(np.int8)
        return columns | {KIND: pl.Series(KIND, kinds)}, kept

    def _given(
        self, frame: pl.DataFrame, rows: Numbers, bad: dict[int, Reject]
    ) -> tuple[dict[str, pl.Series], Numbers]:
        """Take the columns of a columnar source; a value that does not fit its column's type is a reject."""
        columns = {f.name: frame[f.name] for f in self._physical}
        misfits = {
            f.name: _fitted(columns[f.name], f)
            for f in self._physical
            if columns[f.name].dtype not in (f.type.polars, self._schema[f.name].type.polars)
        }
        columns |= {name: fitted for name, (fitted, _) in misfits.items()}
        columns |= {KIND: frame[KIND]} if KIND in frame.columns else {}
        found: dict[int, Reject] = {}
        for name, (_, lost) in misfits.items():
            reason = f"value of column '{name}' does not fit {self._physical[name].type.sql()}"
            found |= {int(i): Reject(int(i), "type", reason) for i in lost if int(i) not in found}
        if not found:
            return columns, rows
        kept = np.setdiff1d(np.arange(len(rows), dtype=np.int64), np.fromiter(found, dtype=np.int64))
        _note(found.values(), rows, bad)
        return _at(columns, kept), rows[kept]

    def _frame(self, columns: dict[str, pl.Series], kept: Numbers) -> pl.DataFrame:
        hidden = [columns[name] for name in (KIND, TRACEPARENT) if name in columns]
        if not len(self._schema) and not hidden:
            return pl.DataFrame(height=len(kept))
        return pl.DataFrame([*(_narrowed(columns[f.name], f.type).alias(f.name) for f in self._schema), *hidden])


class _KeyDecoder:
    """Decodes the columns that are in the key alone; a row without a key has NULL in them."""

    def __init__(self, table: Table, options: TableOptions, fields: list[Field]) -> None:
        skip = len(options.key_prefix)
        self._names = {f.name[skip:]: f.name for f in fields}
        self._schema = Schema(tuple(Field(f.name[skip:], f.type) for f in fields))
        whole = Schema(tuple(Field(f.name[skip:], f.type) for f in map(table.physical.__getitem__, options.key_fields)))
        self.decoder = _decoder(options.key, self._schema, whole) if fields else None

    def decode(self, block: Block, rows: Numbers, bad: dict[int, Reject]) -> tuple[dict[str, pl.Series], Numbers]:
        """Give the key's columns of those of `rows` whose key can be read, and these rows."""
        if self.decoder is None:
            return {}, rows
        if block.keys is None:
            return {self._names[f.name]: _nothing(f, len(rows)) for f in self._schema}, rows
        nulls = np.zeros(len(block), dtype=np.bool_) if block.keys.nulls is None else block.keys.nulls
        keyed = rows[~nulls[rows]]
        decoded = self.decoder.decode(block.keys.take(keyed))
        _note([Reject(r.row, r.code, f"key: {r.reason}") for r in decoded.rejects], keyed, bad)
        kept = _left(rows, bad)
        read = keyed if decoded.kept is None else keyed[decoded.kept]
        return _aligned({self._names[s.name]: s for s in decoded.frame.get_columns()}, read, kept), kept


def _refuse_without_key(block: Block, bad: dict[int, Reject]) -> None:
    """Refuse rows that say nothing of which key they are."""
    none = np.ones(len(block), dtype=np.bool_) if block.keys is None else block.keys.nulls
    for row in [] if none is None else np.flatnonzero(none).tolist():
        bad.setdefault(row, Reject(row, "missing", "the row has no key, which tells where it stands"))


def _aligned(columns: dict[str, pl.Series], read: Numbers, kept: Numbers) -> dict[str, pl.Series]:
    """Put the columns of the rows `read` into those of all `kept` rows, NULL where a row was not read."""
    if len(read) == len(kept):
        return columns
    places = np.searchsorted(read, kept)
    has = pl.Series(np.isin(kept, read))
    at = pl.select(pl.when(has).then(pl.Series(places.astype(np.uint32)))).to_series()
    return {name: s.gather(at) for name, s in columns.items()}


def _is_whole(kept: Numbers, count: int) -> bool:
    """Tell whether these are all of so many rows, each once."""
    return len(kept) == count and np.array_equal(kept, np.arange(count))


def _keys(table: Table, schema: Schema) -> list[str]:
    """Give the metadata keys that a scan asks for."""
    return [c.key for c in table.metadata if c.name in schema]


def _metadata_columns(
    table: Table, schema: Schema, offered: Sequence[MetadataKey], timezone: str
) -> dict[str, pl.Expr]:
    declared = [c for c in table.metadata if c.name in schema]
    found = {c.name: metadata.find(c, offered, table.connector) for c in declared}
    return {c.name: lower(metadata.converted(c, found[c.name]), timezone).value for c in declared}


def _decoder(choice: FormatChoice | None, schema: Schema, whole: Schema, keys: Sequence[str] = ()) -> Decoder | None:
    if choice is None:
        return None
    refuse_variants(whole, choice.format.name)
    of = choice.format.with_metadata(keys) if keys else choice.format
    return of.decoder(schema, choice.options, whole)


def _note(rejects: Iterable[Reject], rows: Numbers, bad: dict[int, Reject]) -> None:
    """Add rejects, whose rows count those in `rows`, by the block's own numbers."""
    for reject in rejects:
        row = int(rows[reject.row])
        bad.setdefault(row, Reject(row, reject.code, reject.reason))


def _left(rows: Numbers, bad: dict[int, Reject]) -> Numbers:
    return rows[~np.isin(rows, np.fromiter(bad, dtype=np.int64, count=len(bad)))] if bad else rows


def _by_name(frame: pl.DataFrame) -> dict[str, pl.Series]:
    return {s.name: s for s in frame.get_columns()}


def _at(columns: dict[str, pl.Series], places: Numbers) -> dict[str, pl.Series]:
    return {name: s.gather(places) for name, s in columns.items()}


def _nothing(field: Field, count: int) -> pl.Series:
    return pl.Series(field.name, [None], dtype=field.type.polars).new_from_index(0, count)


def _narrowed(column: pl.Series, kind: DataType) -> pl.Series:
    """Give a column of ROWs with only the fields that its type has."""
    if kind.kind is not Kind.ROW or column.dtype == kind.polars:
        return column
    fields = [column.struct.field(name) for name in kind.names]
    return pl.select(pl.when(column.is_not_null()).then(pl.struct(fields))).to_series()


def _fitted(given: pl.Series, field: Field) -> tuple[pl.Series, Numbers]:
    """Give a column in its field's type, and the rows whose value has no place in it."""
    fitted = given.cast(field.type.polars, strict=False)
    lost = (fitted.is_null() & given.is_not_null()).arg_true()
    return fitted, lost.to_numpy().astype(np.int64)
