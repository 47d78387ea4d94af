"""Dead letters: one envelope for every row that could not be taken, into any table that takes its columns by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tailrace.connectors.base import Block
from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats.base import Rows
from tailrace.plan.catalog import Table
from tailrace.schema import BINARIES, INTEGERS, STRINGS, TIMESTAMPS, Kind

_TEXT = ("job", "source", "partition", "stage", "operator", "code", "reason", "pipeline_version")
_TAKES: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(_TEXT, STRINGS),
    "offset": INTEGERS,
    "payload": (*BINARIES, *STRINGS),
    "key": (*BINARIES, *STRINGS),
    "headers": (Kind.MAP, *STRINGS),
    "schema_id": INTEGERS,
    "time": TIMESTAMPS,
}
COLUMNS = tuple(_TAKES)
"""What an envelope has; a table declares those that it wants."""

_NATURAL: dict[str, pl.DataType] = {
    **{name: pl.String() for name in _TEXT},
    "offset": pl.Int64(),
    "payload": pl.Binary(),
    "key": pl.Binary(),
    "headers": pl.List(pl.Struct([pl.Field("key", pl.String()), pl.Field("value", pl.Binary())])),
    "schema_id": pl.Int64(),
    "time": pl.Datetime("ms", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A row that could not be taken."""

    source: str
    partition: str | None
    offset: int | None
    stage: str
    operator: str
    code: str
    reason: str
    payload: bytes | None = None
    headers: Any = None
    key: bytes | None = None


def check_table(table: Table) -> None:
    """
    Make sure that a table can take envelopes.

    Raises:
        ConfigError: it has a column that no envelope has, or of a type that does not fit.
    """
    for field in table.written:
        kinds = _TAKES.get(field.name)
        if kinds is None:
            hint = did_you_mean(field.name, COLUMNS) or f"columns of a dead letter: {', '.join(COLUMNS)}"
            message = f"table '{table.name}' can't take dead letters: they have no column '{field.name}'"
            raise ConfigError(message, hint=hint, location=table.location)
        if field.type.kind not in kinds:
            wanted = " or ".join(k.value for k in kinds)
            message = f"column '{field.name}' of dead-letter table '{table.name}' can't be {field.type.sql()}"
            raise ConfigError(message, hint=f"declare it as {wanted}", location=table.location)


def envelopes(table: Table, letters: Sequence[Letter], job: str, version: str, now_ms: int) -> pl.DataFrame:
    """Give the letters as rows of a table that `check_table` let pass."""
    columns: dict[str, Any] = {
        "job": [job] * len(letters),
        "pipeline_version": [version] * len(letters),
        "time": pl.Series([now_ms] * len(letters), dtype=pl.Int64),
        "schema_id": [None] * len(letters),
        **{n: [getattr(letter, n) for letter in letters] for n in ("source", "partition", "offset", "payload", "key")},
        **{n: [getattr(letter, n) for letter in letters] for n in ("stage", "operator", "code", "reason", "headers")},
    }
    fields = list(table.written)
    natural = pl.DataFrame([_series(f.name, columns[f.name]) for f in fields])
    return natural.select([_cast(f.name, f.type.kind, f.type.polars) for f in fields])


def _series(name: str, values: Any) -> pl.Series:
    series = values if isinstance(values, pl.Series) else pl.Series(values, dtype=_NATURAL[name], strict=False)
    return series.alias(name).cast(_NATURAL[name])


def _cast(name: str, kind: Kind, wanted: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if name in ("payload", "key") and kind in STRINGS:
        return column.map_batches(_readable, return_dtype=pl.String)
    if name == "headers" and kind in STRINGS:
        return column.map_batches(_headers_text, return_dtype=pl.String)
    if name == "headers":
        return column.list.eval(_entry(wanted)).cast(wanted)
    if name == "time" and kind is Kind.TIMESTAMP:
        return column.dt.replace_time_zone(None).cast(wanted)
    return column.cast(wanted)


def _entry(wanted: pl.DataType) -> pl.Expr:
    """Give a header as the map's entry; bytes that are no text get replacement marks where it wants text."""
    value = pl.element().struct.field("value")
    inner = wanted.inner if isinstance(wanted, pl.List) else None
    if isinstance(inner, pl.Struct) and inner.fields[1].dtype == pl.String():
        value = value.map_batches(_readable, return_dtype=pl.String)
    return pl.struct(pl.element().struct.field("key").alias("key"), value.alias("value"))


def _readable(payloads: pl.Series) -> pl.Series:
    texts = [None if p is None else p.decode("utf-8", "replace") for p in payloads.to_list()]
    return pl.Series(texts, dtype=pl.String)


def _headers_text(headers: pl.Series) -> pl.Series:
    texts = [None if h is None else ", ".join(f"{e['key']}={_text(e['value'])}" for e in h) for h in headers.to_list()]
    return pl.Series(texts, dtype=pl.String)


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace")


def payload_of(block: Block, row: int) -> bytes | None:
    """Give the bytes of a row as they came; a row of a columnar source as a line of JSON."""
    if row in block.originals:
        return block.originals[row]
    return block.values.row(row) if isinstance(block.values, Rows) else as_json(block.values, row)


def as_json(frame: pl.DataFrame, row: int) -> bytes:
    """
    Give a row of columns, without hidden ones, as a line of JSON; what JSON has not as text, bytes in base64.

    >>> as_json(pl.DataFrame({"n": [7], "raw": [b"x"], "$origin": [0]}), 0)
    b'{"n":7,"raw":"eA=="}'
    """
    shown = {n: v for n, v in frame.row(row, named=True).items() if not n.startswith("$")}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"), default=_as_text).encode()


def _as_text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def key_of(block: Block, row: int) -> bytes | None:
    """Give the bytes of a row's key as they came."""
    return None if block.keys is None else block.keys.row(row)


def headers_of(block: Block, row: int) -> list[Mapping[str, Any]] | None:
    """Give the headers of a row, as key and value pairs."""
    if block.headers is None:
        return None
    value = block.headers[row]
    return None if value is None else list(value)
