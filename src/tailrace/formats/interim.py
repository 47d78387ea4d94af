"""Interim JSON: row by row."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from tailrace.formats.base import Decoded, Decoder, Encoder, Format, Reject, Rows
from tailrace.options import Option, OptionSet, Values, boolean
from tailrace.schema import TIMESTAMPS, Kind, Schema

OPTIONS = OptionSet("format 'json'", (Option("ignore-parse-errors", boolean, False), Option("fail-on-missing-field", boolean, False)))


class JsonDecoder(Decoder):
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def decode(self, rows: Rows) -> Decoded:
        good, kept, rejects = [], [], []
        for i in range(len(rows)):
            try:
                value = msgspec.json.decode(rows.row(i) or b"")
                if not isinstance(value, dict):
                    raise ValueError("top level is no object")
                good.append([value.get(n) for n in self._schema.names])
                kept.append(i)
            except (msgspec.DecodeError, ValueError) as error:
                rejects.append(Reject(i, "TR201", str(error)))
        columns = []
        for j, f in enumerate(self._schema):
            values = [g[j] for g in good]
            if f.type.kind in TIMESTAMPS:
                s = pl.Series(f.name, values, dtype=pl.String).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ms", strict=False).cast(f.type.polars)
            elif f.type.kind is Kind.DECIMAL:
                s = pl.Series(f.name, [None if v is None else str(v) for v in values], dtype=pl.String).cast(f.type.polars)
            else:
                s = pl.Series(f.name, values, dtype=f.type.polars, strict=False)
            columns.append(s)
        frame = pl.DataFrame(columns) if columns else pl.DataFrame(height=len(good))
        return Decoded(frame, np.array(kept, dtype=np.int64) if rejects else None, rejects)


class JsonEncoder(Encoder):
    def encode(self, frame: pl.DataFrame) -> Rows:
        data = np.frombuffer(frame.with_columns(pl.col(pl.Decimal).cast(pl.Float64)).write_ndjson().encode(), dtype=np.uint8)
        ends = np.flatnonzero(data == 10)
        starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if len(ends) else ends
        return Rows(data, starts, ends.astype(np.int64))


class JsonFormat(Format):
    name = "json"
    options = OPTIONS

    def decoder(self, schema: Schema, options: Values) -> Decoder:
        return JsonDecoder(schema)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return JsonEncoder()
