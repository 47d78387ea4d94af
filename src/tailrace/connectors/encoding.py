"""Rows of a table as messages: value, key, time and headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors import trace_headers
from tailrace.connectors.table_options import FormatChoice, TableOptions
from tailrace.engine.batch import KIND, TRACEPARENT, RowKind
from tailrace.errors import TerminalError
from tailrace.formats.base import HEADERS, Encoder, Rows, refuse_variants
from tailrace.plan.catalog import Table
from tailrace.schema import Field, Schema

_NO_NUMBERS = np.empty(0, np.int64)
_NO_BITS = np.empty(0, np.bool_)


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of rows as buffers: those of row i end at `row_ends[i]`, the name of header h at `name_ends[h]`."""

    row_ends: npt.NDArray[np.int64]
    names: npt.NDArray[np.uint8]
    name_ends: npt.NDArray[np.int64]
    values: npt.NDArray[np.uint8]
    value_ends: npt.NDArray[np.int64]
    value_nulls: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Times:
    """The times of rows in milliseconds; `nulls` is empty if all have one."""

    values: npt.NDArray[np.int64]
    nulls: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows as they are to be written."""

    values: Rows
    keys: Rows | None = None
    times: Times | None = None
    headers: Headers | None = None


class Message(NamedTuple):
    """One row as it is to be written."""

    value: bytes | None
    key: bytes | None
    headers: list[tuple[str, bytes | None]]


def messages(encoded: Encoded) -> list[Message]:
    """
    Give rows one by one, for clients that take one at a time.

    >>> messages(Encoded(Rows.of([b"a", None])))[1]
    Message(value=None, key=None, headers=[])
    """
    values = one_by_one(encoded.values)
    keys = [None] * len(values) if encoded.keys is None else one_by_one(encoded.keys)
    headers = [[]] * len(values) if encoded.headers is None else _pairs(encoded.headers)
    return [Message(*row) for row in zip(values, keys, headers, strict=True)]


def one_by_one(rows: Rows) -> list[bytes | None]:
    """
    Give the bytes of each row; None for a row without.

    >>> one_by_one(Rows.of([b"a", None]))
    [b'a', None]
    """
    data, starts, ends = rows.data.tobytes(), rows.starts.tolist(), rows.ends.tolist()
    found: list[bytes | None] = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    if rows.nulls is not None:
        for i in np.flatnonzero(rows.nulls).tolist():
            found[i] = None
    return found


def _pairs(headers: Headers) -> list[list[tuple[str, bytes | None]]]:
    names = _cut(headers.names, headers.name_ends)
    values: list[bytes | None] = [*_cut(headers.values, headers.value_ends)]
    for i in np.flatnonzero(headers.value_nulls).tolist():
        values[i] = None
    flat = list(zip((name.decode() for name in names), values, strict=True))
    ends = headers.row_ends.tolist()
    return [flat[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _cut(data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> list[bytes]:
    whole, given = data.tobytes(), ends.tolist()
    return [whole[start:end] for start, end in zip([0, *given], given, strict=False)]


def sizes(encoded: Encoded) -> npt.NDArray[np.int64]:
    """Give the bytes of each message as it is sent, with its headers: a message without a value has none of it."""
    values = encoded.values
    total = values.ends - values.starts
    if values.nulls is not None:
        total = np.where(values.nulls, 0, total)
    if encoded.keys is not None:
        total = total + (encoded.keys.ends - encoded.keys.starts)
    if encoded.headers is not None:
        given = encoded.headers
        for ends in (given.name_ends, given.value_ends):
            before = np.concatenate([[0], ends])[np.concatenate([[0], given.row_ends])]
            total = total + np.diff(before)
    return total


class RowEncoder:
    """
    Encodes batches of one table; used by one thread at a time. `traces` are the styles in which headers tell of traces.

    Raises:
        ConfigError: a type that the format can't write.
    """

    def __init__(self, table: Table, options: TableOptions, traces: Sequence[str] = ("w3c",)) -> None:
        self._table = table.name
        given_connector = table.option("connector")
        self._connector = given_connector.value if given_connector else ""
        self._traces = traces
        in_key = options.key_fields if options.key is not None else ()
        fields = [f for f in table.physical if options.value_has_key or f.name not in in_key]
        self._value_names = [f.name for f in fields]
        self._value = _encoder(options.value, Schema(tuple(fields)))
        self._upsert = options.upsert
        self._changes = options.changes and not options.upsert
        skip = len(options.key_prefix)
        self._key_names = {name: name[skip:] for name in in_key}
        key = Schema(tuple(Field(name[skip:], table.physical[name].type) for name in in_key))
        self._key = _encoder(options.key, key)
        given = {m.key: m.name for m in table.metadata if not m.virtual}
        self._time, self._headers = given.get("timestamp"), given.get("headers")

    def open(self) -> None:
        """Prepare the formats: as to register their schemas."""
        for encoder in self.encoders:
            encoder.open()

    def check(self) -> str:
        """Reach what the formats need, and say what is there."""
        return "".join(f"; {said}" for encoder in self.encoders if (said := encoder.check()))

    @property
    def encoders(self) -> list[Encoder]:
        """The encoders of the value and the key."""
        return [e for e in (self._value, self._key) if e is not None]

    @property
    def keyed(self) -> bool:
        """Whether rows have keys."""
        return self._key is not None

    def sent(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Give the rows that become messages: of upserts not those that say what stood at their key before."""
        if not self._upsert or KIND not in batch.columns:
            return batch
        return batch.filter(pl.col(KIND) != RowKind.UPDATE_BEFORE)

    def encode(self, batch: pl.DataFrame) -> Encoded:
        """
        Give the rows as messages, one for each row that is `sent`.

        Raises:
            TerminalError: a row that takes another back, which a topic can't.
        """
        if self._upsert:
            return self._upserts(self.sent(batch))
        kinds = [KIND] if self._changes and KIND in batch.columns else []
        if not kinds and KIND in batch.columns and bool((batch[KIND] != 0).any()):
            raise TerminalError(
                f"table '{self._table}' of connector '{self._connector}' takes new rows only, and the query updates rows",
                hint="write the result of a window, or use a target with a key",
            )
        return self._messages(batch, kinds)

    def _upserts(self, batch: pl.DataFrame) -> Encoded:
        """Give the rows that stand at their keys now; a row that is deleted is a message without a value."""
        if KIND not in batch.columns:
            return self._messages(batch, [])
        messages = self._messages(batch, [])
        gone = (batch[KIND] == RowKind.DELETE).to_numpy()
        return replace(messages, values=replace(messages.values, nulls=gone)) if gone.any() else messages

    def _messages(self, batch: pl.DataFrame, kinds: list[str]) -> Encoded:
        assert self._value is not None
        values = self._value.encode(batch.select([*self._value_names, *kinds]))
        return Encoded(
            values,
            self._key.encode(batch.select(pl.col(n).alias(k) for n, k in self._key_names.items()))
            if self._key is not None
            else None,
            None if self._time is None else times_of(batch[self._time]),
            self._headers_of(batch, values.headers),
        )

    def _headers_of(self, batch: pl.DataFrame, of_format: pl.Series | None) -> Headers | None:
        given = None if self._headers is None else batch[self._headers]
        given = of_format if given is None else _with(given, of_format)
        if TRACEPARENT in batch.columns and batch[TRACEPARENT].null_count() < len(batch):
            traces = batch[TRACEPARENT]
            if given is None:
                return _of_some(traces, self._traces)
            given = trace_headers.written(traces, self._traces, given)
        return None if given is None else headers_of(given)


def _with(given: pl.Series, of_format: pl.Series | None) -> pl.Series:
    """Put the headers of a format behind those of rows: of two with one name the last counts."""
    if of_format is None:
        return given
    both = pl.DataFrame([given.cast(HEADERS).alias("given"), of_format.alias("own")])
    return both.select(pl.concat_list(pl.col("given").fill_null([]), "own").alias("headers")).to_series()


def _of_some(traces: pl.Series, styles: Sequence[str]) -> Headers:
    """Give the headers of rows that have no others than those of traces, which few have."""
    some = traces.is_not_null()
    headers = headers_of(trace_headers.written(traces.filter(some), styles))
    of_row = np.zeros(len(traces), np.int64)
    of_row[some.to_numpy()] = np.diff(headers.row_ends, prepend=0)
    return replace(headers, row_ends=np.cumsum(of_row))


def _encoder(choice: FormatChoice | None, schema: Schema) -> Encoder | None:
    if choice is None:
        return None
    refuse_variants(schema, choice.format.name)
    return choice.format.encoder(schema, choice.options)


def times_of(given: pl.Series) -> Times:
    """Give a column of timestamps in milliseconds."""
    column = given.cast(pl.Datetime("ms", "UTC")).to_physical()
    nulls = column.is_null().to_numpy() if column.null_count() else _NO_BITS
    return Times(column.fill_null(0).to_numpy(), nulls)


def headers_of(given: pl.Series) -> Headers:
    """
    Give a column of maps as buffers; NULL is no headers, and so is an entry without a name.

    >>> headers_of(pl.Series([[{"key": "a", "value": b"12"}], None], dtype=HEADERS)).value_ends.tolist()
    [2]
    """
    lists = given.cast(HEADERS)
    row_ends = lists.list.len().fill_null(0).cast(pl.Int64).cum_sum().to_numpy()
    if not len(row_ends) or not row_ends[-1]:
        return Headers(row_ends, np.empty(0, np.uint8), _NO_NUMBERS, np.empty(0, np.uint8), _NO_NUMBERS, _NO_BITS)
    flat = lists.explode(empty_as_null=False, keep_nulls=False).struct.unnest()
    names, values = flat["key"].fill_null(""), flat["value"]
    filled = values.fill_null(b"")
    return Headers(
        row_ends,
        _bytes("".join(names.to_list()).encode()),
        names.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy(),
        _bytes(b"".join(filled.to_list())),
        filled.bin.size().cast(pl.Int64).cum_sum().to_numpy(),
        values.is_null().to_numpy(),
    )


def _bytes(data: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)
